//! A service with the Pinning Service API, version 1:
//! <https://ipfs.github.io/pinning-services-api-spec/>.
//!
//! One pin is this repository's, known by its name. A new release gets another one, and the old one
//! goes when the new one is `pinned`: services do not replace a pin in one step.

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
use super::service::{RequestError, Service};
use super::target::{CheckOrder, Checked, Done, Plan, ReadBack, Report, Step, Target, Work};
use super::{Publication, check, read};
use crate::foundation::failure::Failure;
use crate::set::repository::PinningServiceTarget;

/// How the name of the pin begins.
const OURS: &str = "ipwhl";
/// The key of the sequence in `meta`.
const SEQUENCE: &str = "sequence";
/// The longest name that the API takes, in characters.
const LONGEST_NAME: usize = 255;
/// What a service says whose account is full.
const NO_FUNDS: &str = "INSUFFICIENT_FUNDS";
/// The most pins that are asked for at once: the API's own limit.
const PINS_A_PAGE: &str = "1000";
/// How long is waited while the service gets no further.
const LONGEST_WAIT: Duration = Duration::from_mins(30);
/// The delay between two looks at the pin: the first, and the longest that doubling leads to.
const DELAYS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));

/// A pinning service.
pub(super) struct PinningService {
    service: Service,
    settings: PinningServiceTarget,
    context: TargetContext,
    /// The pin of this repository that is the newest.
    there: Option<PinStatus>,
    /// Whether it is the one that is wanted.
    is_right: bool,
    /// Older ones, which runs that were cut have left.
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
    /// Whether it is to be fetched from these nodes, as far as the service says. One that waits for
    /// others will wait for ever.
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

    /// The pin that is wanted.
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
        // A service may take a name for a part of one.
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
                self.service.words(&old.pin.cid)
            ));
        }
        Ok(Plan {
            held,
            changes,
            ..Plan::default()
        })
    }

    /// Asks for the pin that is wanted. The one that is there stays until this one is `pinned`.
    async fn ask(&mut self, release: &Publication) -> Result<PinStatus, RequestError> {
        let body = serde_json::to_vec(&self.wanted(release)).unwrap_or_default();
        let request = self.service.request(Method::POST, &["pins"], []);
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        let status: PinStatus = self.service.ask(request).await?.json().await?;
        self.outdated.extend(self.there.take());
        // A service may have one pin for a CID, however often it is asked for.
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
                let status = asked.map_err(|trouble| match trouble.reason.as_deref() {
                    Some(NO_FUNDS) => RequestError {
                        help: Some(
                            "the account has no room for it: make room there, or have more of it"
                                .to_owned(),
                        ),
                        ..trouble
                    },
                    _ => trouble,
                })?;
                report(Step::Waiting(format!("asked for a pin of {root}")));
                done.changes.push(format!(
                    "asked for a pin of {root}, request {}",
                    self.service.words(&status.requestid)
                ));
                status
            }
        };
        let is_news = !self.is_right || status.status != "pinned";
        self.wait(&root, status, report).await?;
        if is_news {
            done.changes.push(format!("{root} is pinned"));
        }
        // What is older goes when what is newer is there.
        for old in std::mem::take(&mut self.outdated) {
            self.remove(&old).await?;
            done.changes.push(format!(
                "removed the older pin of {}",
                self.service.words(&old.pin.cid)
            ));
        }
        Ok(done)
    }

    async fn remove(&self, pin: &PinStatus) -> Result<(), RequestError> {
        let path = ["pins", pin.requestid.as_str()];
        let request = self.service.request(Method::DELETE, &path, []);
        match self.service.ask(request).await {
            Err(trouble) if !trouble.is_missing() => Err(trouble),
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
                    "the service answers with a pin of {}, and {root} was asked for",
                    self.service.words(&status.pin.cid)
                )));
            }
            let details = status
                .info
                .as_ref()
                .and_then(|info| info.get("status_details"));
            let details = details.and_then(|details| details.as_str());
            let details = details.map_or_else(String::new, |words| {
                format!(": {}", self.service.words(words))
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
                        "the service says that the pin is `{}`, which the API does not know",
                        self.service.words(other)
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
                    "the pin is `{before}` for {} s{details}",
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
            "name with `origins` where the service can fetch the blocks; a target of the kind `kubo` or `cluster` before this one brings them there"
        } else {
            "can the service reach the nodes of `origins`, and do they have the release? the same command goes on"
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
                "nothing is read back, since no `gateway` of the service is named".to_owned(),
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

    /// Reads through the service's gateway. Blocks are the service's own business, so nothing is
    /// mended.
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
