//! Every block of the releases that a target claims to hold: read from it, hashed, and mended where
//! that can be done.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use ipwhl_unixfs::car::{Blocks, CarError, MAX_BLOCK};
use ipwhl_unixfs::{Cid, Codec, decode};

use super::amount::Amount;
use super::published_release::PublishedRelease;
use super::target::{CheckOrder, Checked, Damage, DamageKind, Report, Step};
use crate::foundation::failure::Failure;

/// How many blocks are read at once.
const AT_ONCE: usize = 8;
/// How many bytes of blocks are mended at once.
const PART_BYTES: usize = 64 << 20;

/// Blocks that several readers share.
pub(super) type SharedBlocks = Arc<dyn Blocks + Send + Sync>;

/// What reading a block of a target comes to.
pub(super) enum Read {
    /// These bytes, not hashed yet.
    Block(Vec<u8>),
    /// It is not there.
    Missing,
    /// Other bytes, where the reader has hashed them.
    Altered,
    /// The target has it and cannot read it.
    Unreadable,
}

/// A block that is not as it should be.
struct BadBlock {
    cid: Cid,
    release: PublishedRelease,
    kind: DamageKind,
}

/// What a walk over releases has found.
pub(super) struct Walk {
    read: Amount,
    bad: Vec<BadBlock>,
    /// Nodes that are damaged here and not at hand elsewhere: what is below them stays unread.
    unseen: usize,
}

/// Reads every block of these releases by `block`. Each is read once, and what
/// is below a damaged node is found by the blocks of the order.
pub(super) async fn walk<F>(
    releases: &[PublishedRelease],
    order: &CheckOrder<'_>,
    report: Report<'_>,
    block: impl Fn(Cid) -> F,
) -> Result<Walk, Failure>
where
    F: Future<Output = Result<Read, Failure>>,
{
    let mut walk = Walk {
        read: Amount::default(),
        bad: Vec::new(),
        unseen: 0,
    };
    let mut seen: HashSet<Cid> = HashSet::new();
    for release in releases {
        report(Step::Waiting(format!("reading {release}")));
        let mut waiting = vec![release.root];
        seen.insert(release.root);
        while !waiting.is_empty() {
            let some = waiting.split_off(waiting.len().saturating_sub(AT_ONCE * 4));
            let reads = stream::iter(some).map(|cid| {
                let read = block(cid);
                async move { (cid, read.await) }
            });
            let mut reads = std::pin::pin!(reads.buffered(AT_ONCE));
            while let Some((cid, read)) = reads.next().await {
                let (bytes, kind) = match read? {
                    Read::Missing => (None, Some(DamageKind::Missing)),
                    Read::Altered => (None, Some(DamageKind::Altered)),
                    Read::Unreadable => (None, Some(DamageKind::Unreadable)),
                    Read::Block(bytes) => {
                        walk.read.add(bytes.len());
                        report(Step::Bytes(bytes.len() as u64));
                        order.rate.spend(bytes.len()).await;
                        if cid.matches(&bytes) {
                            (Some(bytes), None)
                        } else {
                            (None, Some(DamageKind::Altered))
                        }
                    }
                };
                if let Some(kind) = kind {
                    walk.bad.push(BadBlock {
                        cid,
                        release: *release,
                        kind,
                    });
                }
                if cid.codec() == Codec::Raw {
                    continue;
                }
                let bytes = match bytes {
                    Some(bytes) => Some(bytes),
                    None => elsewhere(&order.blocks, cid).await,
                };
                let Some(bytes) = bytes else {
                    walk.unseen += 1;
                    continue;
                };
                let node = decode(&cid, &bytes).map_err(|error| {
                    Failure::refused(format!("{release} is no release: {error}"))
                })?;
                for link in node.links() {
                    if seen.insert(link.cid) {
                        waiting.push(link.cid);
                    }
                }
            }
        }
    }
    Ok(walk)
}

/// A block from elsewhere, hashed. What reads may wait for the network, and so has a thread of its
/// own.
async fn elsewhere(blocks: &SharedBlocks, cid: Cid) -> Option<Vec<u8>> {
    let blocks = Arc::clone(blocks);
    let read = tokio::task::spawn_blocking(move || blocks.block(&cid)).await;
    let block = read.ok()?.ok()??;
    (block.len() <= MAX_BLOCK && cid.matches(&block)).then_some(block)
}

impl Walk {
    /// The blocks that are damaged in this way.
    pub(super) fn of_kind(&self, kind: DamageKind) -> Vec<Cid> {
        let bad = self.bad.iter().filter(|bad| bad.kind == kind);
        bad.map(|bad| bad.cid).collect()
    }

    /// Gives `put` good blocks for those that are damaged, a part at a time, as far as they are at
    /// hand, and asks for each again; what was found and mended.
    pub(super) async fn mended<P, F>(
        self,
        releases: Vec<PublishedRelease>,
        order: &CheckOrder<'_>,
        mut put: impl FnMut(Arc<SomeBlocks>) -> P,
        block: impl Fn(Cid) -> F,
    ) -> Result<Checked, Failure>
    where
        P: Future<Output = Result<(), Failure>>,
        F: Future<Output = Result<Read, Failure>>,
    {
        let mut repaired = HashSet::new();
        let mut part = SomeBlocks::default();
        let mut left = if order.is_repair {
            self.bad.iter().map(|bad| bad.cid).collect()
        } else {
            Vec::new()
        };
        while let Some(cid) = left.pop() {
            if let Some(block) = elsewhere(&order.blocks, cid).await {
                part.insert(cid, block);
            }
            if part.bytes < PART_BYTES && !left.is_empty() || part.blocks.is_empty() {
                continue;
            }
            let blocks = Arc::new(std::mem::take(&mut part));
            put(Arc::clone(&blocks)).await?;
            for cid in blocks.blocks.keys() {
                if matches!(block(*cid).await?, Read::Block(bytes) if cid.matches(&bytes)) {
                    repaired.insert(*cid);
                }
            }
        }
        Ok(self.checked(releases, &repaired))
    }

    /// What was found, where nothing is mended.
    pub(super) fn found(self, releases: Vec<PublishedRelease>) -> Checked {
        self.checked(releases, &HashSet::new())
    }

    fn checked(self, releases: Vec<PublishedRelease>, repaired: &HashSet<Cid>) -> Checked {
        let damages = self.bad.into_iter().map(|bad| Damage {
            what: bad.cid.to_string(),
            release: bad.release,
            kind: bad.kind,
            is_repaired: repaired.contains(&bad.cid),
        });
        let mut notes = Vec::new();
        if self.unseen > 0 {
            notes.push(format!(
                "the blocks below {} damaged nodes were not read, since no other copy of these nodes is at hand",
                self.unseen
            ));
        }
        Checked {
            releases,
            read: self.read,
            damages: damages.collect(),
            notes,
        }
    }
}

/// Some blocks in memory.
#[derive(Debug, Default)]
pub(super) struct SomeBlocks {
    blocks: HashMap<Cid, Vec<u8>>,
    bytes: usize,
}

impl SomeBlocks {
    fn insert(&mut self, cid: Cid, block: Vec<u8>) {
        self.bytes += block.len();
        self.blocks.insert(cid, block);
    }

    /// Their CIDs, in the order of their bytes, and the number of bytes of the blocks.
    pub(super) fn cids(&self) -> (Vec<Cid>, u64) {
        let mut cids: Vec<Cid> = self.blocks.keys().copied().collect();
        cids.sort_unstable();
        (cids, self.bytes as u64)
    }
}

impl Blocks for SomeBlocks {
    fn block(&self, cid: &Cid) -> Result<Option<Vec<u8>>, CarError> {
        Ok(self.blocks.get(cid).cloned())
    }

    fn contains(&self, cid: &Cid) -> bool {
        self.blocks.contains_key(cid)
    }
}
