//! An IPFS Cluster, by its REST API: <https://ipfscluster.io/documentation/reference/api/>.
//!
//! Blocks go to the cluster as archives without a pin; then the root is pinned under the name that it has on a Kubo node
//! too, and the peers are asked until enough of them have it.

mod rest;

use std::time::{Duration, Instant};

use super::context::TargetContext;
use super::kubo::{name, named};
use super::target::{
    Done, Plan, PublishedRelease, ReadBack, Report, Step, Target, TargetError, Work,
};
use super::{Publication, read};
use crate::dag::Cid;
use crate::repository::ClusterTarget;
use rest::{Allocation, Peer, Rest};

/// How many bytes of blocks go into one request, about.
const PART_BYTES: usize = 64 << 20;
/// How long is waited while no peer gets any further.
const LONGEST_WAIT: Duration = Duration::from_mins(10);
/// The delay between two looks at the peers: the first, and the longest that doubling leads to.
const DELAYS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// An IPFS Cluster.
pub(super) struct Cluster {
    rest: Rest,
    settings: ClusterTarget,
    context: TargetContext,
    /// Blocks that are to be sent.
    lacking: Vec<Cid>,
    /// Whether the pin is as it should be.
    is_pinned: bool,
    /// The peers that have given up on the pin.
    failed: Vec<String>,
}

impl Cluster {
    pub(super) fn new(
        settings: &ClusterTarget,
        context: TargetContext,
    ) -> Result<Self, TargetError> {
        Ok(Self {
            rest: Rest::new(&settings.api, &context)?,
            settings: settings.clone(),
            context,
            lacking: Vec::new(),
            is_pinned: false,
            failed: Vec::new(),
        })
    }

    /// Whether a pin says all that the settings say.
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
    ) -> Result<Plan, TargetError> {
        let root = release.root();
        let name = name(release, release.sequence());
        let mut held: Option<PublishedRelease> = None;
        let mut there = None;
        for pin in self.rest.pins().await? {
            let Ok(cid) = pin.cid.parse::<Cid>() else {
                continue;
            };
            if let Some(named) = named(release, &pin.name)
                && held.is_none_or(|held| held.sequence < named.sequence)
            {
                held = Some(PublishedRelease {
                    root: cid,
                    sequence: named.sequence,
                });
            }
            if cid == root {
                there = Some(pin);
            }
        }
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
            _ if has_all => Vec::new(),
            None => release.archive.cids(),
            Some(gateway) => {
                let client = &self.context.client;
                let left_out = release.left_out.clone();
                release.require_left_out(&read::lacking(client, gateway, left_out).await?)?;
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
        Ok(Plan {
            held,
            moved: release.amount_of(&self.lacking),
            changes,
        })
    }

    async fn upload(&self, release: &Publication, report: Report<'_>) -> Result<Done, TargetError> {
        let mut done = Done {
            moved: release.amount_of(&self.lacking),
            ..Done::default()
        };
        report(Step::Begun {
            what: format!("sending {}", done.moved),
            bytes: done.moved.bytes,
        });
        let (mut part, mut bytes) = (Vec::new(), 0);
        for (place, cid) in self.lacking.iter().enumerate() {
            part.push(*cid);
            bytes += release.archive.length_of(cid).unwrap_or_default();
            if bytes >= PART_BYTES || place + 1 == self.lacking.len() {
                let part = std::mem::take(&mut part);
                self.rest.add(&release.archive, part, report).await?;
                bytes = 0;
            }
        }
        let root = release.root();
        let name = name(release, release.sequence());
        if !self.is_pinned {
            self.rest.pin(&root, &name, &self.settings).await?;
            done.changes.push(format!("pinned {root} as `{name}`"));
        }
        if !self.failed.is_empty() {
            // Whether it helps is seen below.
            let _ = self.rest.recover(&root).await;
            let again = |peer: &String| format!("asked `{peer}` to try again");
            done.changes.extend(self.failed.iter().map(again));
        }
        let note = self.wait(&root, report).await?;
        done.changes.extend(note);
        Ok(done)
    }

    /// Waits until the peers have it; a line where some of those that should have it have not, and enough others do.
    async fn wait(&self, root: &Cid, report: Report<'_>) -> Result<Option<String>, TargetError> {
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
                .map(|peer| peer.shown())
                .collect();
            let words = left.join("; ");
            let is_hopeless = concerned
                .iter()
                .all(|peer| peer.status == "pinned" || peer.has_failed())
                && !concerned.is_empty();
            if is_hopeless || changed.elapsed() >= LONGEST_WAIT {
                if pinned >= enough {
                    return Ok(Some(format!(
                        "{pinned} of {} peers have it pinned, and not: {words}",
                        concerned.len()
                    )));
                }
                let reason = if is_hopeless {
                    String::new()
                } else {
                    format!(", and nothing has changed for {} s", LONGEST_WAIT.as_secs())
                };
                return Err(TargetError::world(format!(
                    "{pinned} of the {enough} peers that are needed have {root} pinned{reason}: {words}"
                ))
                .help("mend the peers; the cluster goes on by itself, and the same command tells how far it is"));
            }
            if words != before {
                before.clone_from(&words);
                changed = Instant::now();
                delay = DELAYS.0;
            }
            report(Step::Waiting(format!(
                "{pinned} of {enough} peers have it pinned"
            )));
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(longest);
        }
    }

    /// On how many peers the root has to be pinned; `None` for all.
    async fn enough(&self, root: &Cid) -> Result<Option<usize>, TargetError> {
        let pin = self.rest.pin_of(root).await?;
        Ok(usize::try_from(pin.replication_factor_min).ok())
    }

    async fn verify(&self, release: &Publication) -> Result<ReadBack, TargetError> {
        let root = release.root();
        let peers = self.rest.peers(&root).await?;
        let pinned: Vec<&str> = peers
            .iter()
            .filter(|peer| peer.status == "pinned")
            .map(|peer| peer.name.as_str())
            .collect();
        let mut back = ReadBack::default();
        back.notes.push(format!(
            "{} of {} peers say that they have it pinned: {}",
            pinned.len(),
            peers.len(),
            pinned.join(", ")
        ));
        match &self.settings.gateway {
            Some(gateway) => {
                let client = &self.context.client;
                back.read = read::through_gateway(client, gateway, &release.sample.blocks).await?;
            }
            None => back.notes.push(
                "nothing is read back, since no `gateway` of the cluster is named".to_owned(),
            ),
        }
        Ok(back)
    }
}

impl Target for Cluster {
    fn place(&self) -> String {
        self.rest.place()
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
