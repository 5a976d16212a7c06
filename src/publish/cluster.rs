//! An IPFS Cluster, by its REST API: <https://ipfscluster.io/documentation/reference/api/>.
//!
//! Blocks are sent to the cluster as archives without a pin. Then the root is pinned under the same
//! name as on a Kubo node, and the peers are polled until enough of them have it.

pub(super) mod nearby;
mod rest;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ipwhl_unixfs::Cid;

use super::check;
use super::context::TargetContext;
use super::pins::{name, newest_first, outdated};
use super::place::TargetPlace;
use super::published_release::PublishedRelease;
use super::target::{CheckOrder, Checked, Done, Plan, ReadBack, Report, Step, Target, Work};
use super::upload::Upload;
use super::{Publication, read};
use crate::foundation::failure::Failure;
use crate::set::repository::ClusterTarget;
use nearby::ours;
use rest::{Allocation, Peer, Rest};

/// The approximate size of blocks in one request, in bytes.
const PART_BYTES: u64 = 64 << 20;
/// The number of blocks in one request.
const PART_BLOCKS: usize = 20_000;
/// The maximum time to wait while no peer makes progress.
const LONGEST_WAIT: Duration = Duration::from_mins(10);
/// The delay between two polls of the peers: the first, and the longest after doubling.
const DELAYS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// An IPFS Cluster.
pub(super) struct Cluster {
    rest: Rest,
    settings: ClusterTarget,
    context: TargetContext,
    /// Blocks to be sent.
    lacking: Vec<Cid>,
    /// Whether the pin is correct.
    is_pinned: bool,
    /// The peers that have given up on the pin.
    failed: Vec<String>,
    /// The pins of this repository: the root of each, and its sequence.
    pins: BTreeMap<Cid, Option<u64>>,
}

impl Cluster {
    pub(super) fn new(settings: &ClusterTarget, context: TargetContext) -> Result<Self, Failure> {
        let (secret, variable) = (context.secret.clone(), context.variable.clone());
        Ok(Self {
            rest: Rest::new(&settings.api, context.client.clone(), secret, variable)?,
            pins: BTreeMap::new(),
            settings: settings.clone(),
            context,
            lacking: Vec::new(),
            is_pinned: false,
            failed: Vec::new(),
        })
    }

    /// Whether a pin agrees with the settings.
    fn is_right(&self, pin: &Allocation, name: &str) -> bool {
        let is_factor = |wanted: i64, there: i64| wanted == 0 || wanted == there;
        pin.name == name
            && is_factor(self.settings.replication_min, pin.replication_factor_min)
            && is_factor(self.settings.replication_max, pin.replication_factor_max)
            && self
                .settings
                .metadata
                .iter()
                .all(|(key, value)| pin.metadata().get(key) == Some(value))
    }

    async fn inspect(
        &mut self,
        release: &Publication,
        report: Report<'_>,
    ) -> Result<Plan, Failure> {
        let root = release.root();
        let name = name(&release.name, release.sequence());
        let pins = self.rest.pins().await?;
        self.pins = ours(&pins, &release.name);
        let held = newest_first(&self.pins).into_iter().next();
        let there = pins.into_iter().find(|pin| pin.cid.parse() == Ok(root));
        self.is_pinned = there.as_ref().is_some_and(|pin| self.is_right(pin, &name));
        let peers = match there {
            None => Vec::new(),
            Some(_) => self.rest.peers(&root).await?,
        };
        let has_all = peers.iter().any(|peer| peer.status == "pinned");
        self.failed.clear();
        if self.is_pinned {
            let failed = peers.into_iter().filter(Peer::has_given_up);
            self.failed.extend(failed.map(|peer| peer.name));
        }
        report(Step::Waiting("asking which blocks are there".to_owned()));
        self.lacking = match &self.settings.gateway {
            None if has_all => Vec::new(),
            None if !release.excluded_roots.is_empty() => {
                return Err(Failure::refused(
                    "cannot find out whether the cluster has the blocks that this delta leaves out",
                )
                .help(format!(
                    "name the `gateway` of one of its nodes, or {}",
                    release.completion_help()
                )));
            }
            None => release.archive.cids(),
            Some(gateway) => {
                let client = &self.context.gateway_client;
                let excluded_roots = release.excluded_roots.clone();
                release.require_excluded_roots(
                    &read::lacking(client, gateway, excluded_roots).await?,
                )?;
                read::lacking(client, gateway, release.archive.cids()).await?
            }
        };
        let mut changes = Vec::new();
        if !self.is_pinned {
            changes.push(format!("pin {root} as `{name}`"));
        }
        for peer in &self.failed {
            changes.push(format!("ask `{peer}` to try again"));
        }
        for cid in self.outdated(root) {
            changes.push(format!("unpin {}", self.shown_pin(release, &cid)));
        }
        Ok(Plan {
            held,
            moved: release.amount_of(&self.lacking),
            changes,
            ..Plan::default()
        })
    }

    /// The pins to remove after `root` is pinned.
    fn outdated(&self, root: Cid) -> Vec<Cid> {
        let keep = self.settings.keep;
        keep.map_or_else(Vec::new, |keep| outdated(&self.pins, root, keep))
    }

    fn shown_pin(&self, release: &Publication, cid: &Cid) -> String {
        let sequence = self.pins.get(cid).copied().flatten();
        format!("`{}`, {cid}", name(&release.name, sequence))
    }

    async fn upload(&self, release: &Publication, report: Report<'_>) -> Result<Done, Failure> {
        let mut done = Done {
            moved: release.amount_of(&self.lacking),
            is_word_only: self.settings.gateway.is_none(),
            ..Done::default()
        };
        report(Step::Begun {
            what: format!("sending {}", done.moved),
            bytes: done.moved.bytes,
        });
        for (part, bytes) in release.parts(&self.lacking, PART_BYTES, PART_BLOCKS) {
            let upload = Upload::new(release.archive.clone(), release.root(), part, bytes);
            self.rest.add(&upload, report).await?;
        }
        let root = release.root();
        let name = name(&release.name, release.sequence());
        if !self.is_pinned {
            self.rest.pin(&root, &name, &self.settings).await?;
            done.changes.push(format!("pinned {root} as `{name}`"));
        }
        if !self.failed.is_empty() {
            // The result is visible in the status below.
            let _ = self.rest.recover(&root).await;
            let again = |peer: &String| format!("asked `{peer}` to try again");
            done.changes.extend(self.failed.iter().map(again));
        }
        let note = self.wait(&root, report).await?;
        done.changes.extend(note);
        // Older pins are removed after enough peers have the new one.
        for cid in self.outdated(root) {
            if self.rest.unpin(&cid).await? {
                let pin = self.shown_pin(release, &cid);
                done.changes.push(format!("unpinned {pin}"));
            }
        }
        Ok(done)
    }

    /// Waits until enough peers have it; returns a line if some of the others do not.
    async fn wait(&self, root: &Cid, report: Report<'_>) -> Result<Option<String>, Failure> {
        let enough = self.enough(root).await?;
        let (mut delay, longest) = DELAYS;
        let mut before = String::new();
        let mut changed = Instant::now();
        loop {
            let peers = self.rest.peers(root).await?;
            let concerned: Vec<&Peer> = peers.iter().filter(|peer| peer.is_concerned()).collect();
            let pinned = concerned
                .iter()
                .filter(|peer| peer.status == "pinned")
                .count();
            let enough = enough.unwrap_or(concerned.len()).max(1);
            if pinned == concerned.len() && pinned >= enough {
                return Ok(None);
            }
            let left: Vec<String> = concerned
                .iter()
                .filter(|peer| peer.status != "pinned")
                .map(|peer| peer.description())
                .collect();
            let words = left.join("; ");
            let is_hopeless = concerned
                .iter()
                .all(|peer| peer.status == "pinned" || peer.has_failed())
                && !concerned.is_empty();
            if is_hopeless || changed.elapsed() >= LONGEST_WAIT {
                if pinned >= enough {
                    return Ok(Some(format!(
                        "{pinned} of {} peers have pinned it, but not: {words}",
                        concerned.len()
                    )));
                }
                let reason = if is_hopeless {
                    String::new()
                } else {
                    format!(", and nothing has changed for {} s", LONGEST_WAIT.as_secs())
                };
                return Err(Failure::world(format!(
                    "{pinned} of the {enough} required peers have pinned {root}{reason}: {words}"
                ))
                .help(
                    "fix the peers; the cluster continues by itself, and the same command shows \
                       its progress",
                ));
            }
            if words != before {
                before.clone_from(&words);
                changed = Instant::now();
                delay = DELAYS.0;
            }
            report(Step::Waiting(format!(
                "{pinned} of {enough} peers have pinned it"
            )));
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(longest);
        }
    }

    /// The number of peers on which the root must be pinned; `None` for all.
    async fn enough(&self, root: &Cid) -> Result<Option<usize>, Failure> {
        let pin = self.rest.pin_of(root).await?;
        Ok(usize::try_from(pin.replication_factor_min).ok())
    }

    async fn verify(&self, release: &Publication) -> Result<ReadBack, Failure> {
        let root = release.root();
        let peers = self.rest.peers(&root).await?;
        let pinned: Vec<&str> = peers
            .iter()
            .filter(|peer| peer.status == "pinned")
            .map(|peer| peer.name.as_str())
            .collect();
        // The gateway may belong to a peer that has the blocks only by chance.
        let is_everywhere = peers
            .iter()
            .all(|peer| matches!(peer.status.as_str(), "pinned" | "cluster_error"));
        let mut back = ReadBack {
            is_kept: is_everywhere || self.settings.gateway.is_none(),
            ..ReadBack::default()
        };
        back.notes.push(format!(
            "{} of {} peers report it as pinned: {}",
            pinned.len(),
            peers.len(),
            pinned.join(", ")
        ));
        match &self.settings.gateway {
            Some(gateway) => {
                let client = &self.context.gateway_client;
                if is_everywhere {
                    back.addresses
                        .push(read::index_address(gateway, &release.root()));
                } else {
                    back.notes.push(
                        "not every peer keeps it, so the peer of the `gateway` may lose it: this \
                         target does not count as a holder unless `holders` names it"
                            .to_owned(),
                    );
                }
                back.read = read::through_gateway(client, gateway, &release.sample.blocks).await?;
            }
            None => back.notes.push(
                "nothing is read back, because no `gateway` of the cluster is named".to_owned(),
            ),
        }
        Ok(back)
    }
}

impl Cluster {
    async fn holdings(&self, repository: &str) -> Result<Vec<PublishedRelease>, Failure> {
        Ok(newest_first(&ours(&self.rest.pins().await?, repository)))
    }

    /// Reads through the gateway of one node, because a cluster serves no blocks itself.
    async fn check(&self, order: &CheckOrder<'_>, report: Report<'_>) -> Result<Checked, Failure> {
        let releases = self.holdings(order.repository).await?;
        let Some(gateway) = &self.settings.gateway else {
            return Ok(read::unread(releases));
        };
        let block = |cid| read::read(&self.context.gateway_client, gateway, cid);
        let walk = check::walk(&releases, order, report, block).await?;
        let put = |blocks: Arc<check::SomeBlocks>| async move {
            let (cids, bytes) = blocks.cids();
            let root = cids[0];
            let upload = Upload::new(blocks, root, cids, bytes);
            Ok(self.rest.add(&upload, report).await?)
        };
        walk.mended(releases, order, put, block).await
    }
}

impl Target for Cluster {
    fn place(&self) -> TargetPlace {
        TargetPlace::Address(self.rest.place())
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
