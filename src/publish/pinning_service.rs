//! A service with the Pinning Service API, version 1:
//! <https://ipfs.github.io/pinning-services-api-spec/>.
//!
//! This repository has one pin, identified by its name. A new release gets a new pin, and the old
//! one is removed when the new one is `pinned`: services do not replace a pin in one step.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ipwhl_unixfs::Cid;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};

use super::context::TargetContext;
use super::place::TargetPlace;
use super::published_release::PublishedRelease;
use super::target::{CheckOrder, Checked, Done, Plan, ReadBack, Report, Step, Target, Work};
use super::{Publication, check, read};
use crate::foundation::failure::Failure;
use crate::set::repository::PinningServiceTarget;
use crate::source::service::{RequestError, Service};

/// The start of the pin's name.
const OURS: &str = "ipwhl";
/// The key of the sequence in `meta`.
const SEQUENCE: &str = "sequence";
/// The longest name that the API accepts, in characters.
const LONGEST_NAME: usize = 255;
/// The error of a service if the account is full.
const NO_FUNDS: &str = "INSUFFICIENT_FUNDS";
/// The most pins in one request: the API's own limit.
const PINS_A_PAGE: &str = "1000";
/// The maximum time to wait while the service makes no progress.
const LONGEST_WAIT: Duration = Duration::from_mins(30);
/// The delay between two polls of the pin: the first, and the longest after doubling.
const DELAYS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));

/// A pinning service.
pub(super) struct PinningService {
    service: Service,
    settings: PinningServiceTarget,
    context: TargetContext,
    /// The newest pin of this repository.
    there: Option<PinStatus>,
    /// Whether it is the requested one.
    is_right: bool,
    /// Older ones, left by interrupted runs.
    outdated: Vec<PinStatus>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(expecting = "an object")]
struct PinStatus {
    requestid: String,
    status: String,
    #[serde(default)]
    created: String,
    pin: Pin,
    #[serde(default)]
    info: Option<BTreeMap<String, serde_json::Value>>,
}

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(expecting = "an object")]
struct Pin {
    cid: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    origins: Option<Vec<String>>,
    #[serde(default)]
    meta: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct PinResults {
    results: Vec<PinStatus>,
}

impl PinStatus {
    /// The release that is pinned.
    fn release(&self) -> Option<PublishedRelease> {
        Some(PublishedRelease {
            root: self.pin.cid.parse().ok()?,
            sequence: self.sequence(),
        })
    }

    fn sequence(&self) -> Option<u64> {
        self.pin.meta.as_ref()?.get(SEQUENCE)?.parse().ok()
    }
}

impl Pin {
    /// Whether the service fetches the pin from these nodes, according to its answer. A pin with
    /// other origins would wait forever.
    fn is_from(&self, origins: &[String]) -> bool {
        let asked = self.origins.as_ref();
        asked.is_none_or(|asked| asked == origins)
    }
}

impl PinningService {
    pub(super) fn new(
        settings: &PinningServiceTarget,
        context: TargetContext,
    ) -> Result<Self, Failure> {
        let service = Service::new(
            context.client.clone(),
            settings.endpoint.clone(),
            context.secret.clone(),
            context.variable.clone(),
        )?;
        Ok(Self {
            service,
            settings: settings.clone(),
            context,
            there: None,
            is_right: false,
            outdated: Vec::new(),
        })
    }

    /// The requested pin.
    fn wanted(&self, release: &Publication) -> Pin {
        let sequence = release.sequence();
        let meta = sequence.map(|number| (SEQUENCE.to_owned(), number.to_string()));
        Pin {
            cid: release.root().to_string(),
            name: Some(name(&release.name)),
            origins: Some(self.settings.origins.clone()),
            meta: Some(meta.into_iter().collect()),
        }
    }

    /// The pins of this repository, the newest first.
    async fn ours(&self, repository: &str) -> Result<Vec<PinStatus>, RequestError> {
        let query = [
            ("name", name(repository)),
            ("status", "queued,pinning,pinned,failed".to_owned()),
            ("limit", PINS_A_PAGE.to_owned()),
        ];
        let request = self.service.request(Method::GET, &["pins"], query);
        let found: PinResults = self.service.ask(request).await?.json().await?;
        let name = name(repository);
        // A service may match a part of a name.
        let mut ours = found.results;
        ours.retain(|one| one.pin.name.as_ref() == Some(&name));
        ours.sort_by_key(|one| Reverse((one.sequence(), one.created.clone())));
        Ok(ours)
    }

    async fn inspect(&mut self, release: &Publication) -> Result<Plan, Failure> {
        let root = release.root();
        let mut ours = self.ours(&release.name).await?.into_iter();
        self.there = ours.next();
        self.outdated = ours.collect();
        let there = self.there.as_ref();
        let held = there.and_then(PinStatus::release);
        self.is_right = there.is_some_and(|there| {
            there.status != "failed"
                && there.pin.cid == root.to_string()
                && there.sequence() == release.sequence()
                && (there.status == "pinned" || there.pin.is_from(&self.settings.origins))
        });
        let mut changes = Vec::new();
        if !self.is_right {
            changes.push(format!("ask for a pin of {root}"));
        }
        let replaced = there.filter(|_| !self.is_right).into_iter();
        for old in replaced.chain(&self.outdated) {
            changes.push(format!(
                "remove the older pin of {}",
                self.service.printable(&old.pin.cid)
            ));
        }
        Ok(Plan {
            held,
            changes,
            ..Plan::default()
        })
    }

    /// Requests the pin. The existing one stays until this one is `pinned`.
    async fn ask(&mut self, release: &Publication) -> Result<PinStatus, RequestError> {
        let body = serde_json::to_vec(&self.wanted(release)).unwrap_or_default();
        let request = self.service.request(Method::POST, &["pins"], []);
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        let status: PinStatus = self.service.ask(request).await?.json().await?;
        self.outdated.extend(self.there.take());
        // A service may have only one pin for a CID, even after several requests.
        self.outdated
            .retain(|old| old.requestid != status.requestid);
        Ok(status)
    }

    async fn upload(&mut self, release: &Publication, report: Report<'_>) -> Result<Done, Failure> {
        let root = release.root();
        let mut done = Done {
            is_word_only: true,
            ..Done::default()
        };
        let status = match self.there.clone().filter(|_| self.is_right) {
            Some(status) => status,
            None => {
                let asked = self.ask(release).await;
                let status = asked.map_err(|error| match error.reason.as_deref() {
                    Some(NO_FUNDS) => RequestError {
                        help: Some(
                            "the account is full: free some space there, or buy more".to_owned(),
                        ),
                        ..error
                    },
                    _ => error,
                })?;
                report(Step::Waiting(format!("asked for a pin of {root}")));
                done.changes.push(format!(
                    "asked for a pin of {root}, request {}",
                    self.service.printable(&status.requestid)
                ));
                status
            }
        };
        let is_news = !self.is_right || status.status != "pinned";
        self.wait(&root, status, report).await?;
        if is_news {
            done.changes.push(format!("{root} is pinned"));
        }
        // The older pin is removed after the new one exists.
        for old in std::mem::take(&mut self.outdated) {
            self.remove(&old).await?;
            done.changes.push(format!(
                "removed the older pin of {}",
                self.service.printable(&old.pin.cid)
            ));
        }
        Ok(done)
    }

    async fn remove(&self, pin: &PinStatus) -> Result<(), RequestError> {
        let path = ["pins", pin.requestid.as_str()];
        let request = self.service.request(Method::DELETE, &path, []);
        match self.service.ask(request).await {
            Err(error) if !error.is_missing() => Err(error),
            _ => Ok(()),
        }
    }

    /// Waits until the service has pinned it.
    async fn wait(
        &self,
        root: &Cid,
        mut status: PinStatus,
        report: Report<'_>,
    ) -> Result<(), Failure> {
        let (mut delay, longest) = DELAYS;
        let mut before = status.status.clone();
        let mut changed = Instant::now();
        let request = status.requestid.clone();
        loop {
            if status.pin.cid != root.to_string() {
                return Err(Failure::world(format!(
                    "the service answered with a pin of {}, but {root} was requested",
                    self.service.printable(&status.pin.cid)
                )));
            }
            let details = status
                .info
                .as_ref()
                .and_then(|info| info.get("status_details"));
            let details = details.and_then(|details| details.as_str());
            let details = details.map_or_else(String::new, |words| {
                format!(": {}", self.service.printable(words))
            });
            match status.status.as_str() {
                "pinned" => return Ok(()),
                "failed" => {
                    return Err(Failure::world(format!(
                        "the service has given up pinning {root}{details}"
                    ))
                    .help(self.advice()));
                }
                "queued" | "pinning" => {}
                other => {
                    return Err(Failure::world(format!(
                        "the service reports the status `{}`, which is not in the API",
                        self.service.printable(other)
                    )));
                }
            }
            if status.status != before {
                before.clone_from(&status.status);
                changed = Instant::now();
                delay = DELAYS.0;
            }
            if changed.elapsed() >= LONGEST_WAIT {
                return Err(Failure::world(format!(
                    "the pin has been `{before}` for {} s{details}",
                    LONGEST_WAIT.as_secs()
                ))
                .help(self.advice()));
            }
            report(Step::Waiting(format!("the pin is {before}{details}")));
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(longest);
            let path = ["pins", request.as_str()];
            let again = self.service.request(Method::GET, &path, []);
            status = self.service.ask(again).await?.json().await?;
        }
    }

    fn advice(&self) -> &'static str {
        if self.settings.origins.is_empty() {
            "name the nodes with the blocks in `origins`; a target of the kind `kubo` or `cluster` \
             before this one can provide them"
        } else {
            "check that the service can reach the nodes in `origins`, and that they have the \
             release; the same command continues"
        }
    }

    async fn verify(&self, release: &Publication) -> Result<ReadBack, Failure> {
        let mut back = ReadBack {
            is_kept: true,
            ..ReadBack::default()
        };
        match &self.settings.gateway {
            Some(gateway) => {
                let client = &self.context.gateway_client;
                back.addresses
                    .push(read::index_address(gateway, &release.root()));
                back.read = read::through_gateway(client, gateway, &release.sample.blocks).await?;
            }
            None => back.notes.push(
                "nothing is read back, because no `gateway` of the service is named".to_owned(),
            ),
        }
        Ok(back)
    }
}

impl PinningService {
    async fn holdings(&self, repository: &str) -> Result<Vec<PublishedRelease>, Failure> {
        let ours = self.ours(repository).await?;
        let pinned = ours.iter().filter(|one| one.status == "pinned");
        Ok(pinned.filter_map(PinStatus::release).collect())
    }

    /// Reads through the service's gateway. The service manages its own blocks, so nothing is
    /// repaired.
    async fn check(&self, order: &CheckOrder<'_>, report: Report<'_>) -> Result<Checked, Failure> {
        let releases = self.holdings(order.repository).await?;
        let Some(gateway) = &self.settings.gateway else {
            return Ok(read::unread(releases));
        };
        let block = |cid| read::read(&self.context.gateway_client, gateway, cid);
        let walk = check::walk(&releases, order, report, block).await?;
        Ok(walk.found(releases))
    }
}

impl Target for PinningService {
    fn place(&self) -> TargetPlace {
        TargetPlace::Address(self.service.place())
    }

    fn plan<'a>(&'a mut self, release: &'a Publication, _: Report<'a>) -> Work<'a, Plan> {
        Box::pin(self.inspect(release))
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

/// The name of the repository's pin.
fn name(repository: &str) -> String {
    let name = format!("{OURS}/{repository}");
    name.chars().take(LONGEST_NAME).collect()
}
