//! A Kubo node, by its RPC API (`/api/v0`).
//!
//! Each release is a recursive pin with the name `ipwhl/<repository>/<sequence>`; pins of other names are nobody's
//! business here.

mod mfs;
mod missing;
mod records;
mod rpc;

use std::collections::BTreeMap;
use std::time::Duration;

use super::context::TargetContext;
use super::publication::FILL;
use super::target::{
    Amount, Done, Plan, PublishedRelease, ReadBack, Report, Step, Target, TargetError, Work,
};
use super::{Publication, read};
use crate::dag::Cid;
use crate::repository::KuboTarget;
use mfs::Place;
pub(super) use records::ROUTING;
pub(super) use rpc::Rpc;

/// How a pin's name begins.
const OURS: &str = "ipwhl";
/// Stands for the sequence of a release without a statement.
const UNSIGNED: &str = "unsigned";
/// How many bytes of blocks go into one import, about: what a cut run has to do again at most.
const PART_BYTES: usize = 64 << 20;
/// How many blocks.
const PART_BLOCKS: usize = 20_000;
/// How long the node may be silent while it walks over a release to pin it.
const LONGEST_SILENCE: Duration = Duration::from_mins(10);

/// A Kubo node.
pub(super) struct Kubo {
    rpc: Rpc,
    settings: KuboTarget,
    context: TargetContext,
    found: Found,
}

/// What the plan has found.
#[derive(Default)]
struct Found {
    /// Blocks that the node lacks, in the archive's order.
    lacking: Vec<Cid>,
    /// The name that the root is pinned by; empty where it has none.
    root_name: Option<String>,
    /// The pins of this repository: the root of each, and its sequence.
    pins: BTreeMap<Cid, Option<u64>>,
    /// Whether the path in the MFS has to be set.
    mfs: Option<Place>,
}

impl Kubo {
    pub(super) fn new(settings: &KuboTarget, context: TargetContext) -> Result<Self, TargetError> {
        Ok(Self {
            rpc: Rpc::new(&settings.api, &context)?,
            settings: settings.clone(),
            context,
            found: Found::default(),
        })
    }

    /// The pins that go when `release` is there: all but the newest of as many as are kept.
    fn outdated(&self, release: &Publication) -> Vec<Cid> {
        let Some(keep) = self.settings.keep else {
            return Vec::new();
        };
        let root = release.root();
        let mut others: Vec<(Option<u64>, Cid)> = self
            .found
            .pins
            .iter()
            .filter(|(cid, _)| **cid != root)
            .map(|(cid, sequence)| (*sequence, *cid))
            .collect();
        others.sort_unstable();
        others.reverse();
        let keep = usize::try_from(keep.saturating_sub(1)).unwrap_or(usize::MAX);
        let gone = others.into_iter().skip(keep);
        gone.map(|(_, cid)| cid).collect()
    }

    async fn inspect(
        &mut self,
        release: &Publication,
        report: Report<'_>,
    ) -> Result<Plan, TargetError> {
        let root = release.root();
        let name = name(release, release.sequence());
        self.found = Found::default();
        for pin in self.rpc.pins(LONGEST_SILENCE).await? {
            if pin.cid == root {
                self.found.root_name = Some(pin.name.clone());
            }
            if let Some(named) = named(release, &pin.name) {
                self.found.pins.insert(pin.cid, named.sequence);
            }
        }
        let newest = self
            .found
            .pins
            .iter()
            .max_by_key(|(_, sequence)| **sequence);
        let held = newest.map(|(root, sequence)| PublishedRelease {
            root: *root,
            sequence: *sequence,
        });
        // What is pinned as a whole is there as a whole.
        if self.found.root_name.is_none() {
            report(Step::Waiting("asking which blocks are there".to_owned()));
            let missing = missing::missing(&self.rpc, release).await?;
            release.require_left_out(&missing.left_out)?;
            self.found.lacking = missing.carried;
        }
        let mut changes = Vec::new();
        match self.found.root_name.as_deref() {
            Some(there) if there == name => {}
            Some("") => changes.push(format!("name the pin of {root} `{name}`")),
            Some(there) => changes.push(format!(
                "name the pin of {root} `{name}`, which is `{}`",
                self.rpc.words(there)
            )),
            None => changes.push(format!("pin {root} as `{name}`")),
        }
        if let Some(path) = &self.settings.mfs {
            let known = self.found.pins.keys().chain([&root]);
            self.found.mfs = mfs::look(&self.rpc, path, root, known).await?;
            if self.found.mfs.is_some() {
                changes.push(format!("set `{path}` in the MFS to it"));
            }
        }
        for cid in self.outdated(release) {
            changes.push(format!("unpin {}", self.shown_pin(release, &cid)));
        }
        Ok(Plan {
            held,
            moved: release.amount_of(&self.found.lacking),
            changes,
        })
    }

    fn shown_pin(&self, release: &Publication, cid: &Cid) -> String {
        let sequence = self.found.pins.get(cid).copied().flatten();
        format!("`{}`, {cid}", name(release, sequence))
    }

    async fn upload(&self, release: &Publication, report: Report<'_>) -> Result<Done, TargetError> {
        let mut done = Done::default();
        let root = release.root();
        let lacking = &self.found.lacking;
        done.moved = self.import(release, lacking, report).await?;
        let name = name(release, release.sequence());
        if self.found.root_name.as_ref() != Some(&name) {
            report(Step::Waiting(format!("pinning {root}")));
            if !release.left_out.is_empty() && self.found.root_name.is_none() {
                // What a delta leaves out may be there in part, and to pin it would wait for the network.
                let whole = self.rpc.has_all(&root, LONGEST_SILENCE).await;
                whole.map_err(|trouble| TargetError::from(trouble).help(FILL))?;
            }
            self.rpc.pin(&root, &name, LONGEST_SILENCE).await?;
            done.changes.push(format!("pinned {root} as `{name}`"));
        }
        if let (Some(place), Some(path)) = (&self.found.mfs, &self.settings.mfs) {
            mfs::set(&self.rpc, path, *place, root).await?;
            done.changes.push(format!("`{path}` in the MFS is {root}"));
        }
        // What is older goes when what is newer is there.
        for cid in self.outdated(release) {
            if self.rpc.unpin(&cid).await? {
                let pin = self.shown_pin(release, &cid);
                done.changes.push(format!("unpinned {pin}"));
            }
        }
        Ok(done)
    }

    /// Imports blocks, a part at a time.
    async fn import(
        &self,
        release: &Publication,
        cids: &[Cid],
        report: Report<'_>,
    ) -> Result<Amount, TargetError> {
        let amount = release.amount_of(cids);
        report(Step::Begun {
            what: format!("importing {amount}"),
            bytes: amount.bytes,
        });
        let (mut part, mut bytes) = (Vec::new(), 0);
        for cid in cids {
            part.push(*cid);
            bytes += release.archive.length_of(cid).unwrap_or_default();
            if bytes >= PART_BYTES || part.len() >= PART_BLOCKS {
                let part = std::mem::take(&mut part);
                self.rpc.import(&release.archive, part, report).await?;
                bytes = 0;
            }
        }
        if !part.is_empty() {
            self.rpc.import(&release.archive, part, report).await?;
        }
        Ok(amount)
    }

    async fn verify(&self, release: &Publication) -> Result<ReadBack, TargetError> {
        let mut back = ReadBack::default();
        let root = release.root();
        let sample = &release.sample.blocks;
        back.read = match &self.settings.gateway {
            Some(gateway) => read::through_gateway(&self.context.client, gateway, sample).await?,
            None => read::each(sample, |cid| self.rpc.block(cid)).await?,
        };
        let name = name(release, release.sequence());
        let pins = self.rpc.pins(LONGEST_SILENCE).await?;
        if !pins.iter().any(|pin| pin.cid == root && pin.name == name) {
            return Err(TargetError::world(format!(
                "{} has no pin `{name}` of {root} any more: someone else has removed or renamed it",
                self.place()
            )));
        }
        if let Some(path) = &self.settings.mfs
            && self.rpc.mfs_root(path).await? != Some(root)
        {
            return Err(TargetError::world(format!(
                "`{path}` in the MFS of {} is not {root}",
                self.place()
            )));
        }
        Ok(back)
    }
}

impl Target for Kubo {
    fn place(&self) -> String {
        self.rpc.place()
    }

    fn plan<'a>(&'a mut self, release: &'a Publication, report: Report<'a>) -> Work<'a, Plan> {
        Box::pin(self.inspect(release, report))
    }

    fn carry_out<'a>(&'a mut self, release: &'a Publication, report: Report<'a>) -> Work<'a, Done> {
        Box::pin(self.upload(release, report))
    }

    fn read_back<'a>(&'a mut self, release: &'a Publication, _: Report<'a>) -> Work<'a, ReadBack> {
        Box::pin(self.verify(release))
    }
}

/// How the names of a repository's pins begin.
fn prefix(release: &Publication) -> String {
    format!("{OURS}/{}/", release.name)
}

/// The name of a pin.
pub(super) fn name(release: &Publication, sequence: Option<u64>) -> String {
    let prefix = prefix(release);
    match sequence {
        Some(sequence) => format!("{prefix}{sequence}"),
        None => format!("{prefix}{UNSIGNED}"),
    }
}

/// What the name of a pin of a repository says.
pub(super) struct Named {
    /// The sequence; `None` for a release that was published without a statement.
    pub(super) sequence: Option<u64>,
}

/// What a pin's name says, where it is one of this repository's.
pub(super) fn named(release: &Publication, name: &str) -> Option<Named> {
    let rest = name.strip_prefix(&prefix(release))?;
    let sequence = rest.parse().ok();
    (sequence.is_some() || rest == UNSIGNED).then_some(Named { sequence })
}
