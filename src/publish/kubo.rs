//! A Kubo node, by its RPC API (`/api/v0`).
//!
//! Each release is a recursive pin with the name `ipwhl/<repository>/<sequence>`; pins of other names are nobody's
//! business here.

mod mfs;
mod missing;
mod records;
mod rpc;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::check;
use super::cluster::NearbyCluster;
use super::context::TargetContext;
use super::service::Upload;
use super::target::{
    CheckOrder, Checked, DamageKind, Done, Plan, PublishedRelease, ReadBack, Report, Step, Target,
    TargetError, Work,
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
const PART_BYTES: u64 = 64 << 20;
/// How many blocks.
const PART_BLOCKS: usize = 20_000;
/// How long the node may be silent while it walks over a release to pin it.
const LONGEST_SILENCE: Duration = Duration::from_mins(10);
/// How often blocks are brought that a garbage collection takes away before the pin holds them.
const ATTEMPTS: u32 = 3;

/// A Kubo node.
pub(super) struct Kubo {
    rpc: Rpc,
    settings: KuboTarget,
    context: TargetContext,
    /// The clusters of the configuration, one of which may pin for this node.
    clusters: Vec<NearbyCluster>,
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
    pinner: Pinner,
}

/// Who pins on the node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Pinner {
    /// This target.
    #[default]
    Us,
    /// A cluster, by the name of its target: two that pin and unpin on one node would undo each other's work.
    Cluster(String),
    /// Nobody can say whether a cluster does, and why. Then nothing is unpinned.
    Unknown(String),
}

impl Kubo {
    pub(super) fn new(
        settings: &KuboTarget,
        mut context: TargetContext,
    ) -> Result<Self, TargetError> {
        Ok(Self {
            rpc: Rpc::new(&settings.api, &context)?,
            settings: settings.clone(),
            clusters: std::mem::take(&mut context.clusters),
            context,
            found: Found::default(),
        })
    }

    /// The pins that go when `release` is there: all but the newest of as many as are kept.
    fn outdated(&self, release: &Publication) -> Vec<Cid> {
        match self.settings.keep {
            Some(keep) if self.found.pinner == Pinner::Us => {
                outdated(&self.found.pins, release.root(), keep)
            }
            _ => Vec::new(),
        }
    }

    /// Who pins on this node: a cluster that the settings name, or one of which the node is a member.
    async fn pinner(&self) -> Pinner {
        if let Some(cluster) = &self.settings.pinned_by {
            return Pinner::Cluster(cluster.clone());
        }
        if self.clusters.is_empty() {
            return Pinner::Us;
        }
        let id = match self.rpc.id().await {
            Ok(id) => id,
            Err(error) => return Pinner::Unknown(error.message),
        };
        let mut unknown = None;
        for cluster in &self.clusters {
            match cluster.nodes().await {
                Ok(nodes) if nodes.contains(&id) => return Pinner::Cluster(cluster.name.clone()),
                Ok(_) => {}
                Err(error) => unknown = Some(error.message),
            }
        }
        unknown.map_or(Pinner::Us, Pinner::Unknown)
    }

    fn notes(&self) -> Vec<String> {
        match &self.found.pinner {
            Pinner::Us => Vec::new(),
            Pinner::Cluster(cluster) => vec![format!(
                "the node belongs to `{cluster}`, which pins and unpins there; here blocks are brought alone"
            )],
            Pinner::Unknown(reason) => vec![format!(
                "nothing is unpinned, since nobody can say whether a cluster pins on this node: {reason}"
            )],
        }
    }

    /// The pins of this repository, and the name that a root is pinned by.
    async fn ours(
        &self,
        repository: &str,
        root: Option<&Cid>,
    ) -> Result<(BTreeMap<Cid, Option<u64>>, Option<String>), TargetError> {
        let (mut pins, mut root_name) = (BTreeMap::new(), None);
        for pin in self.rpc.pins(LONGEST_SILENCE).await? {
            if Some(&pin.cid) == root {
                root_name = Some(pin.name.clone());
            }
            if let Some(named) = named(repository, &pin.name) {
                pins.insert(pin.cid, named.sequence);
            }
        }
        Ok((pins, root_name))
    }

    async fn inspect(
        &mut self,
        release: &Publication,
        report: Report<'_>,
    ) -> Result<Plan, TargetError> {
        let root = release.root();
        let name = name(&release.name, release.sequence());
        let (pins, root_name) = self.ours(&release.name, Some(&root)).await?;
        self.found = Found {
            pins,
            root_name,
            pinner: self.pinner().await,
            ..Found::default()
        };
        let held = newest_first(&self.found.pins).into_iter().next();
        // A pin says that a node should have all blocks, and not that it does.
        report(Step::Waiting("asking which blocks are there".to_owned()));
        let missing = missing::missing(&self.rpc, release).await?;
        release.require_left_out(&missing.left_out)?;
        self.found.lacking = match &self.found.root_name {
            None => missing.carried,
            Some(_) => missing::absent(&self.rpc, missing.carried).await?,
        };
        let mut changes = Vec::new();
        match self.found.root_name.as_deref() {
            _ if matches!(self.found.pinner, Pinner::Cluster(_)) => {}
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
            notes: self.notes(),
        })
    }

    fn shown_pin(&self, release: &Publication, cid: &Cid) -> String {
        let sequence = self.found.pins.get(cid).copied().flatten();
        format!("`{}`, {cid}", name(&release.name, sequence))
    }

    async fn upload(&self, release: &Publication, report: Report<'_>) -> Result<Done, TargetError> {
        let mut done = Done::default();
        let root = release.root();
        let mut lacking = self.found.lacking.clone();
        let name = name(&release.name, release.sequence());
        let is_ours = !matches!(self.found.pinner, Pinner::Cluster(_));
        let is_pinned = !is_ours || self.found.root_name.as_ref() == Some(&name);
        for attempt in 1.. {
            self.import(release, &lacking, report).await?;
            let moved = release.amount_of(&lacking);
            done.moved.blocks += moved.blocks;
            done.moved.bytes += moved.bytes;
            if is_pinned {
                break;
            }
            match self.pin(release, &name, report).await {
                Ok(()) => {
                    done.changes.push(format!("pinned {root} as `{name}`"));
                    break;
                }
                Err(error) => {
                    // A garbage collection may have taken what was imported and not pinned yet.
                    lacking = missing::missing(&self.rpc, release).await?.carried;
                    lacking = missing::absent(&self.rpc, lacking).await?;
                    if lacking.is_empty() || attempt == ATTEMPTS {
                        return Err(error);
                    }
                    report(Step::Waiting(format!(
                        "the node has lost {} since they were brought; bringing them again",
                        release.amount_of(&lacking)
                    )));
                }
            }
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

    async fn pin(
        &self,
        release: &Publication,
        name: &str,
        report: Report<'_>,
    ) -> Result<(), TargetError> {
        let root = release.root();
        report(Step::Waiting(format!("pinning {root}")));
        if !release.left_out.is_empty() && self.found.root_name.is_none() {
            // What a delta leaves out may be there in part, and to pin it would wait for the network.
            let whole = self.rpc.has_all(&root, LONGEST_SILENCE).await;
            whole.map_err(|error| TargetError::from(error).help(release.completion_help()))?;
        }
        self.rpc.pin(&root, name, LONGEST_SILENCE).await?;
        Ok(())
    }

    /// Imports blocks, a part at a time.
    async fn import(
        &self,
        release: &Publication,
        cids: &[Cid],
        report: Report<'_>,
    ) -> Result<(), TargetError> {
        let amount = release.amount_of(cids);
        report(Step::Begun {
            what: format!("importing {amount}"),
            bytes: amount.bytes,
        });
        for (part, bytes) in release.parts(cids, PART_BYTES, PART_BLOCKS) {
            let upload = Upload::new(release.archive.clone(), release.root(), part, bytes);
            self.rpc.import(&upload, report).await?;
        }
        Ok(())
    }

    async fn verify(&self, release: &Publication) -> Result<ReadBack, TargetError> {
        let mut back = ReadBack {
            is_kept: !matches!(self.found.pinner, Pinner::Cluster(_)),
            ..ReadBack::default()
        };
        let root = release.root();
        let sample = &release.sample.blocks;
        back.read = match &self.settings.gateway {
            Some(gateway) => {
                back.addresses.push(read::index_address(gateway, &root));
                read::through_gateway(&self.context.client, gateway, sample).await?
            }
            None => read::each(sample, |cid| self.rpc.block(cid)).await?,
        };
        let name = name(&release.name, release.sequence());
        if back.is_kept {
            let pins = self.rpc.pins(LONGEST_SILENCE).await?;
            if !pins.iter().any(|pin| pin.cid == root && pin.name == name) {
                return Err(TargetError::world(format!(
                    "{} has no pin `{name}` of {root} any more: someone else has removed or renamed it",
                    self.place()
                ))
                .help("where a cluster pins on this node, say so: `pinned-by = \"NAME\"`, the name of its target"));
            }
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

    /// The releases that are pinned: under names of this target's, or by the cluster, which gives pins on nodes no names.
    async fn holdings(&self, repository: &str) -> Result<Vec<PublishedRelease>, TargetError> {
        let Pinner::Cluster(name) = self.pinner().await else {
            return Ok(newest_first(&self.ours(repository, None).await?.0));
        };
        let Some(cluster) = self.clusters.iter().find(|one| one.name == name) else {
            return Ok(Vec::new());
        };
        let mut held = cluster.holdings(repository).await?;
        let pins = self.rpc.pins(LONGEST_SILENCE).await?;
        let pins: HashSet<Cid> = pins.into_iter().map(|pin| pin.cid).collect();
        held.retain(|release| pins.contains(&release.root));
        Ok(held)
    }

    async fn check(
        &self,
        order: &CheckOrder<'_>,
        report: Report<'_>,
    ) -> Result<Checked, TargetError> {
        let releases = self.holdings(order.repository).await?;
        let block = |cid| self.rpc.block_if_there(cid);
        let walk = check::walk(&releases, order, report, block).await?;
        if order.is_repair && !walk.of_kind(DamageKind::Altered).is_empty() {
            report(Step::Waiting(
                "the node goes over its whole store, and removes what is altered".to_owned(),
            ));
            self.rpc.drop_altered(LONGEST_SILENCE).await?;
            missing::absent(&self.rpc, walk.of_kind(DamageKind::Altered)).await?;
        }
        let put = |blocks: Arc<check::SomeBlocks>| async move {
            let (cids, bytes) = blocks.cids();
            let root = cids[0];
            let upload = Upload::new(blocks, root, cids, bytes);
            self.rpc.import(&upload, report).await?;
            Ok(())
        };
        walk.mended(releases, order, put, block).await
    }
}

impl Target for Kubo {
    fn place(&self) -> String {
        self.rpc.place()
    }

    fn plan<'a>(&'a mut self, release: &'a Publication, report: Report<'a>) -> Work<'a, Plan> {
        Box::pin(self.inspect(release, report))
    }

    fn holdings<'a>(&'a mut self, repository: &'a str) -> Work<'a, Vec<PublishedRelease>> {
        Box::pin(Self::holdings(self, repository))
    }

    fn check<'a>(&'a mut self, order: &'a CheckOrder<'a>, report: Report<'a>) -> Work<'a, Checked> {
        Box::pin(Self::check(self, order, report))
    }

    fn carry_out<'a>(&'a mut self, release: &'a Publication, report: Report<'a>) -> Work<'a, Done> {
        Box::pin(self.upload(release, report))
    }

    fn read_back<'a>(&'a mut self, release: &'a Publication, _: Report<'a>) -> Work<'a, ReadBack> {
        Box::pin(self.verify(release))
    }
}

/// How the names of a repository's pins begin.
fn prefix(repository: &str) -> String {
    format!("{OURS}/{repository}/")
}

/// The name of a pin.
pub(super) fn name(repository: &str, sequence: Option<u64>) -> String {
    let prefix = prefix(repository);
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
pub(super) fn named(repository: &str, name: &str) -> Option<Named> {
    let rest = name.strip_prefix(&prefix(repository))?;
    let sequence = rest.parse().ok();
    (sequence.is_some() || rest == UNSIGNED).then_some(Named { sequence })
}

/// The releases of these pins, the newest first.
pub(super) fn newest_first(pins: &BTreeMap<Cid, Option<u64>>) -> Vec<PublishedRelease> {
    let mut releases: Vec<PublishedRelease> = pins
        .iter()
        .map(|(root, sequence)| PublishedRelease {
            root: *root,
            sequence: *sequence,
        })
        .collect();
    releases.sort_unstable_by_key(|release| std::cmp::Reverse((release.sequence, release.root)));
    releases
}

/// Of these pins those beyond the newest of as many as are kept, where `root` is the newest of all.
pub(super) fn outdated(pins: &BTreeMap<Cid, Option<u64>>, root: Cid, keep: u64) -> Vec<Cid> {
    let keep = usize::try_from(keep.saturating_sub(1)).unwrap_or(usize::MAX);
    let others = newest_first(pins).into_iter();
    let others = others.filter(|release| release.root != root);
    others.skip(keep).map(|release| release.root).collect()
}
