//! Checks every block of the releases that a target claims to hold: reads and hashes it, and
//! repairs it if possible.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use ipwhl_unixfs::car::{Blocks, CarError, MAX_BLOCK};
use ipwhl_unixfs::{Cid, Codec, decode};

use super::amount::Amount;
use super::published_release::PublishedRelease;
use super::target::{CheckOrder, Checked, Damage, DamageKind, Report, Step};
use crate::foundation::failure::Failure;

/// The number of concurrent reads.
const AT_ONCE: usize = 8;
/// The maximum size of blocks that are repaired together, in bytes.
const PART_BYTES: usize = 64 << 20;

/// Blocks that several readers share.
pub(super) type SharedBlocks = Arc<dyn Blocks + Send + Sync>;

/// The result of reading a block of a target.
pub(super) enum Read {
    /// The bytes, not hashed yet.
    Block(Vec<u8>),
    /// It is missing.
    Missing,
    /// Other bytes, if the reader has hashed them.
    Altered,
    /// The target has it but cannot read it.
    Unreadable,
}

/// A block that is damaged or missing.
struct BadBlock {
    cid: Cid,
    release: PublishedRelease,
    kind: DamageKind,
}

/// The result of a walk over releases.
pub(super) struct Walk {
    read: Amount,
    bad: Vec<BadBlock>,
    /// Damaged nodes without another copy: the blocks below them stay unread.
    unseen: usize,
}

/// Reads every block of these releases with `block`. Each is read once, and the blocks below a
/// damaged node are found through the blocks of the order.
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
                    Failure::refused(format!("{release} is not a release: {error}"))
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

/// A block from elsewhere, hashed. Reading may wait for the network, so it runs on a separate
/// thread.
async fn elsewhere(blocks: &SharedBlocks, cid: Cid) -> Option<Vec<u8>> {
    let blocks = Arc::clone(blocks);
    let read = tokio::task::spawn_blocking(move || blocks.block(&cid)).await;
    let block = read.ok()?.ok()??;
    (block.len() <= MAX_BLOCK && cid.matches(&block)).then_some(block)
}

impl Walk {
    /// The blocks with this kind of damage.
    pub(super) fn of_kind(&self, kind: DamageKind) -> Vec<Cid> {
        let bad = self.bad.iter().filter(|bad| bad.kind == kind);
        bad.map(|bad| bad.cid).collect()
    }

    /// Passes available copies of the damaged blocks to `put`, a part at a time, and reads each
    /// again. Returns the damaged and repaired blocks.
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

    /// The result without repairs.
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
                "the blocks below {} damaged nodes were not read, because no other copy of these \
                 nodes is available",
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

    /// Their CIDs, in the order of their bytes, and the total size of the blocks.
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
