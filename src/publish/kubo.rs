//! A Kubo node, by its RPC API (`/api/v0`).
//!
//! Each release is a recursive pin with the name `ipwhl/<repository>/<sequence>`; pins with other
//! names are left alone.

mod mfs;
mod missing;
mod pinner;
mod records;
mod rpc;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use ipwhl_unixfs::Cid;

use super::check;
use super::cluster::nearby::NearbyCluster;
use super::context::TargetContext;
use super::follow::check_follows;
use super::pins::{name, newest_first, outdated, parse_name};
use super::place::TargetPlace;
use super::published_release::PublishedRelease;
use super::target::{
    CheckOrder, Checked, DamageKind, Done, Plan, ReadBack, Report, Step, Target, Work,
};
use super::upload::Upload;
use super::{Publication, read};
use crate::foundation::failure::Failure;
use crate::set::repository::KuboTarget;
use mfs::Place;
use pinner::Pinner;
pub(super) use records::ROUTING;
pub(super) use rpc::Rpc;

/// The approximate size of blocks in one import, in bytes: an interrupted run repeats at most this
/// much.
const PART_BYTES: u64 = 64 << 20;
/// The number of blocks in one import.
const PART_BLOCKS: usize = 20_000;
/// The maximum silence of the node while it walks a release to pin it.
const LONGEST_SILENCE: Duration = Duration::from_mins(10);
/// The maximum number of times to send blocks that a garbage collection removes before they are
/// pinned.
const ATTEMPTS: u32 = 3;

/// A Kubo node.
pub(super) struct Kubo {
    rpc: Rpc,
    settings: KuboTarget,
    context: TargetContext,
    /// The clusters of the configuration, one of which may pin on this node.
    clusters: Vec<NearbyCluster>,
    found: Found,
}

/// The result of the plan.
#[derive(Default)]
struct Found {
    /// Blocks that the node lacks, in the archive's order.
    lacking: Vec<Cid>,
    /// The name of the root's pin; empty if the pin has no name.
    root_name: Option<String>,
    /// The pins of this repository: the root of each, and its sequence.
    pins: BTreeMap<Cid, Option<u64>>,
    /// Whether the path in the MFS must be set.
    mfs: Option<Place>,
    pinner: Pinner,
}

impl Kubo {
    pub(super) fn new(settings: &KuboTarget, mut context: TargetContext) -> Result<Self, Failure> {
        Ok(Self {
            rpc: Rpc::new(&settings.api, &context)?,
            settings: settings.clone(),
            clusters: std::mem::take(&mut context.clusters),
            context,
            found: Found::default(),
        })
    }

    /// The pins to remove after `release` is pinned: all but the newest, up to the number to keep.
    /// On a node of a cluster only those that the cluster does not pin, which were made before it
    /// joined or while the cluster was unreachable.
    fn outdated(&self, release: &Publication) -> Vec<Cid> {
        let root = release.root();
        match (&self.found.pinner, self.settings.keep) {
            (Pinner::Us, Some(keep)) => outdated(&self.found.pins, root, keep),
            (
                Pinner::Cluster {
                    releases: Some(kept),
                    ..
                },
                _,
            ) => {
                let is_kept = |cid: &Cid| *cid == root || kept.iter().any(|one| one.root == *cid);
                let pins = self.found.pins.keys();
                pins.filter(|cid| !is_kept(cid)).copied().collect()
            }
            _ => Vec::new(),
        }
    }

    /// The pins of this repository, and the name of a root's pin.
    async fn ours(
        &self,
        repository: &str,
        root: Option<&Cid>,
    ) -> Result<(BTreeMap<Cid, Option<u64>>, Option<String>), Failure> {
        let (mut pins, mut root_name) = (BTreeMap::new(), None);
        for pin in self.rpc.pins(LONGEST_SILENCE).await? {
            if Some(&pin.cid) == root {
                root_name = Some(pin.name.clone());
            }
            if let Some(named) = parse_name(repository, &pin.name) {
                pins.insert(pin.cid, named.sequence);
            }
        }
        Ok((pins, root_name))
    }

    async fn inspect(
        &mut self,
        release: &Publication,
        report: Report<'_>,
    ) -> Result<Plan, Failure> {
        let root = release.root();
        let name = name(&release.name, release.sequence());
        let (pins, root_name) = self.ours(&release.name, Some(&root)).await?;
        self.found = Found {
            pins,
            root_name,
            pinner: Pinner::of(&self.settings, &self.rpc, &self.clusters, &release.name).await,
            ..Found::default()
        };
        let of_cluster = self.found.pinner.releases().iter().copied();
        let held = newest_first(&self.found.pins)
            .into_iter()
            .chain(of_cluster)
            .max_by_key(|one| one.sequence);
        // A pin means that a node should have all blocks, not that it has them.
        report(Step::Waiting("asking which blocks are there".to_owned()));
        let missing = missing::missing(&self.rpc, release).await?;
        release.require_excluded_roots(&missing.excluded_roots)?;
        self.found.lacking = match &self.found.root_name {
            None => missing.carried,
            Some(_) => missing::absent(&self.rpc, missing.carried).await?,
        };
        let mut changes = Vec::new();
        match self.found.root_name.as_deref() {
            _ if self.found.pinner.is_cluster() => {}
            Some(there) if there == name => {}
            Some("") => changes.push(format!("name the pin of {root} `{name}`")),
            Some(there) => changes.push(format!(
                "name the pin of {root} `{name}`, which is `{}`",
                self.rpc.printable(there)
            )),
            None => changes.push(format!("pin {root} as `{name}`")),
        }
        if let Some(path) = &self.settings.mfs {
            let of_cluster = self.found.pinner.releases().iter();
            let of_cluster = of_cluster.map(|one| &one.root);
            let known = self.found.pins.keys().chain(of_cluster);
            self.found.mfs = mfs::plan(&self.rpc, path, root, known).await?;
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
            notes: self.found.pinner.notes(&self.settings),
        })
    }

    fn shown_pin(&self, release: &Publication, cid: &Cid) -> String {
        let sequence = self.found.pins.get(cid).copied().flatten();
        format!("`{}`, {cid}", name(&release.name, sequence))
    }

    async fn upload(&self, release: &Publication, report: Report<'_>) -> Result<Done, Failure> {
        let mut done = Done::default();
        let root = release.root();
        let mut lacking = self.found.lacking.clone();
        let name = name(&release.name, release.sequence());
        let is_ours = !self.found.pinner.is_cluster();
        let is_pinned = !is_ours || self.found.root_name.as_ref() == Some(&name);
        for attempt in 1.. {
            self.import(release, &lacking, report).await?;
            let moved = release.amount_of(&lacking);
            done.moved.blocks += moved.blocks;
            done.moved.bytes += moved.bytes;
            if is_pinned {
                break;
            }
            self.check_follows_again(release).await?;
            match self.pin(release, &name, report).await {
                Ok(()) => {
                    done.changes.push(format!("pinned {root} as `{name}`"));
                    break;
                }
                Err(error) => {
                    // A garbage collection may have removed imported blocks before they were
                    // pinned.
                    lacking = missing::missing(&self.rpc, release).await?.carried;
                    lacking = missing::absent(&self.rpc, lacking).await?;
                    if lacking.is_empty() || attempt == ATTEMPTS {
                        return Err(error);
                    }
                    report(Step::Waiting(format!(
                        "the node lost {} after they were sent; sending them again",
                        release.amount_of(&lacking)
                    )));
                }
            }
        }
        if let (Some(place), Some(path)) = (&self.found.mfs, &self.settings.mfs) {
            self.check_follows_again(release).await?;
            mfs::set(&self.rpc, path, *place, root).await?;
            done.changes.push(format!("`{path}` in the MFS is {root}"));
        }
        // Older pins are removed after the new one exists.
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
    ) -> Result<(), Failure> {
        let root = release.root();
        report(Step::Waiting(format!("pinning {root}")));
        if !release.excluded_roots.is_empty() && self.found.root_name.is_none() {
            // The node may have only some blocks that a delta leaves out, and pinning would wait
            // for the network.
            let whole = self.rpc.has_all(&root, LONGEST_SILENCE).await;
            whole.map_err(|error| Failure::from(error).help(release.completion_help()))?;
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
    ) -> Result<(), Failure> {
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

    async fn verify(&self, release: &Publication) -> Result<ReadBack, Failure> {
        let mut back = ReadBack {
            is_kept: !self.found.pinner.is_cluster(),
            ..ReadBack::default()
        };
        let root = release.root();
        let sample = &release.sample.blocks;
        back.read = match &self.settings.gateway {
            Some(gateway) => {
                back.addresses.push(read::index_address(gateway, &root));
                read::through_gateway(&self.context.gateway_client, gateway, sample).await?
            }
            None => read::each(sample, |cid| self.rpc.block(cid)).await?,
        };
        let name = name(&release.name, release.sequence());
        self.check_follows_again(release).await?;
        if back.is_kept {
            let pins = self.rpc.pins(LONGEST_SILENCE).await?;
            if !pins.iter().any(|pin| pin.cid == root && pin.name == name) {
                return Err(Failure::world(format!(
                    "{} no longer has the pin `{name}` of {root}: another program has removed or renamed it",
                    self.place()
                ))
                .help("if a cluster pins on this node, set `pinned-by = \"NAME\"` to the name of \
                       its target"));
            }
        }
        if let Some(path) = &self.settings.mfs
            && self.rpc.mfs_root(path).await? != Some(root)
        {
            return Err(Failure::world(format!(
                "`{path}` in the MFS of {} is not {root}",
                self.place()
            )));
        }
        Ok(back)
    }

    /// The pinned releases: under names of this target, or by the cluster, whose pins on nodes have
    /// no names.
    async fn releases(&self, repository: &str) -> Result<Vec<PublishedRelease>, Failure> {
        let pinner = Pinner::of(&self.settings, &self.rpc, &self.clusters, repository).await;
        let mut held = newest_first(&self.ours(repository, None).await?.0);
        if pinner.is_cluster() {
            let pins = self.rpc.pins(LONGEST_SILENCE).await?;
            let pins: HashSet<Cid> = pins.into_iter().map(|pin| pin.cid).collect();
            let of_cluster = pinner.releases().iter();
            let is_new = |one: &&PublishedRelease| pins.contains(&one.root) && !held.contains(one);
            let new: Vec<PublishedRelease> = of_cluster.filter(is_new).copied().collect();
            held.extend(new);
            held.sort_by_key(|one| std::cmp::Reverse(one.sequence));
        }
        Ok(held)
    }

    /// The same, if the path in the MFS shows the newest one.
    async fn holdings(&self, repository: &str) -> Result<Vec<PublishedRelease>, Failure> {
        let held = self.releases(repository).await?;
        if let Some(path) = &self.settings.mfs
            && let Some(newest) = held.first()
        {
            mfs::check(&self.rpc, path, newest.root).await?;
        }
        Ok(held)
    }

    /// Compares the release again with the current pins of the node, because another run may have
    /// changed them.
    async fn check_follows_again(&self, release: &Publication) -> Result<(), Failure> {
        let (pins, _) = self.ours(&release.name, None).await?;
        for held in newest_first(&pins) {
            if held.sequence.is_some() && held.root != release.root() {
                return check_follows(release, &held);
            }
        }
        Ok(())
    }

    async fn check(&self, order: &CheckOrder<'_>, report: Report<'_>) -> Result<Checked, Failure> {
        let releases = self.releases(order.repository).await?;
        let block = |cid| self.rpc.read(cid);
        let walk = check::walk(&releases, order, report, block).await?;
        if order.is_repair && !walk.of_kind(DamageKind::Altered).is_empty() {
            report(Step::Waiting(
                "the node verifies its whole store, and removes altered blocks".to_owned(),
            ));
            if let Err(error) = self.rpc.drop_altered(LONGEST_SILENCE).await {
                // The findings are reported even if the repair fails.
                let mut checked = walk.found(releases);
                checked
                    .notes
                    .push(format!("altered blocks cannot be repaired: {error}"));
                return Ok(checked);
            }
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
    fn place(&self) -> TargetPlace {
        TargetPlace::Address(self.rpc.place())
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
