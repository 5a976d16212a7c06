//! Concurrent requests to gateways, for DAGs and for blocks. Each block is hashed.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::{AbortHandle, abortable};
use futures_util::stream::FuturesUnordered;
use ipwhl_unixfs::car::MAX_BLOCK;
use ipwhl_unixfs::{Cid, Codec};
use url::Url;

use super::attempts::{Attempts, record};
use super::context::{FillContext, FillEvent};
use super::gateway::{Gateway, GatewayWarning};
use super::pass::Missing;
use super::schedule::{End, Schedule};
use super::store::Store;
use crate::foundation::failure::Failure;
use crate::source::LARGEST_WHEEL;
use crate::source::{CacheError, Client, Limits, SourceProblem};

/// The interval at which running requests are compared with their minimum rates.
const LOOK: Duration = Duration::from_millis(500);

/// Consecutive gateways in the list of places.
#[derive(Default)]
pub(super) struct Gateways(Vec<Gateway>);

impl Gateways {
    /// Adds a gateway, once.
    pub(super) fn add(&mut self, url: Url) {
        if self.0.iter().all(|gateway| gateway.url != url) {
            self.0.push(Gateway::new(url));
        }
    }

    /// The warnings about gateways with problems.
    pub(super) fn warnings(&self) -> impl Iterator<Item = GatewayWarning> {
        self.0.iter().filter_map(Gateway::warning)
    }

    /// Requests missing blocks; true if some arrived. They are in the cache then.
    pub(super) fn request(
        &mut self,
        fill: &FillContext<'_>,
        store: &Store,
        missing: &[&Missing],
        attempts: &mut Attempts,
    ) -> Result<bool, Failure> {
        let places: Vec<String> = self.0.iter().map(Gateway::place).collect();
        if fill.options.network.offline {
            for one in missing {
                for place in &places {
                    record(
                        attempts,
                        one.cid,
                        format!("{place} is not used (--offline)"),
                    );
                }
            }
            return Ok(false);
        }
        let settings = fill.session.client_settings(Limits::of_gateways());
        let client = Client::new(&settings).map_err(|error| Failure::caused(&error))?;
        (fill.options.tell)(FillEvent::Asking {
            gateways: places,
            blocks: missing.len(),
        });
        // The largest first, so that the last ones are small.
        let mut missing = missing.to_vec();
        missing.sort_by_key(|one| Reverse(size(one)));
        let round = Round {
            client,
            store,
            schedule: Schedule::new(
                &mut self.0,
                missing.iter().map(|one| size(one)),
                fill.options.network.jobs.get(),
            ),
            missing: &missing,
            attempts,
            is_new: false,
        };
        let outcome = fill.session.runtime()?.block_on(round.run());
        outcome.map_err(|error| Failure::caused(&error))
    }
}

/// The size of a missing DAG. A link may state any number; the nodes of a release's DAG are only a
/// small part of its files.
fn size(missing: &Missing) -> u64 {
    let size = missing.cumulative_size.unwrap_or(MAX_BLOCK as u64);
    size.min(LARGEST_WHEEL + LARGEST_WHEEL / 64)
}

/// One round of requests.
struct Round<'r> {
    client: Client,
    store: &'r Store,
    schedule: Schedule<'r>,
    missing: &'r [&'r Missing],
    attempts: &'r mut Attempts,
    is_new: bool,
}

impl Round<'_> {
    /// Runs until every block has arrived or every gateway has been asked; true if some block has
    /// arrived.
    async fn run(mut self) -> Result<bool, CacheError> {
        let mut requests = FuturesUnordered::new();
        let mut handles: BTreeMap<usize, AbortHandle> = BTreeMap::new();
        loop {
            while let Some(next) = self.schedule.next(Instant::now()) {
                let missing = self.missing[next.item];
                let gateway = &mut self.schedule.gateways[next.gateway];
                let is_dag = missing.cid.codec() == Codec::DagPb;
                let request = Request {
                    client: self.client.counted(&next.received),
                    url: gateway.url.clone(),
                    store: self.store,
                    missing,
                    is_archive: is_dag && gateway.asks_for_archive(&missing.cid),
                };
                let (request, handle) = abortable(request.send());
                handles.insert(next.run, handle);
                requests.push(async move { (next.run, next.item, next.gateway, request.await) });
            }
            tokio::select! {
                biased;
                ended = requests.next() => match ended {
                    Some((run, item, gateway, Ok(answer))) => {
                        handles.remove(&run);
                        let end = self.record(item, gateway, answer?);
                        for loser in self.schedule.finish(run, end, Instant::now()) {
                            handles.remove(&loser).inspect(AbortHandle::abort);
                        }
                    }
                    // The request was cancelled.
                    Some((.., Err(_))) => {}
                    None => break,
                },
                () = tokio::time::sleep(LOOK) => self.schedule.observe(Instant::now()),
            }
        }
        for (item, missing) in self.missing.iter().enumerate() {
            if !self.schedule.is_done(item) {
                for gateway in self.schedule.not_asked(item) {
                    record(self.attempts, missing.cid, gateway.refusal());
                }
            }
        }
        Ok(self.is_new)
    }

    /// Records an answer of a gateway.
    fn record(&mut self, item: usize, gateway: usize, answer: Answer) -> End {
        let cid = self.missing[item].cid;
        let gateway = &mut self.schedule.gateways[gateway];
        let mut end = End::Nothing;
        if let Some((blocks, problem)) = answer.archive {
            gateway.record_archive(blocks, problem.as_ref());
            end = match problem {
                _ if blocks == 0 => End::Nothing,
                None => End::Whole,
                Some(_) => End::Part,
            };
        }
        if let Some(outcome) = answer.block {
            gateway.record_block(outcome.as_ref().err());
            match outcome {
                Ok(()) => end = End::Whole,
                Err(problem) => record(self.attempts, cid, problem.to_string()),
            }
        }
        self.is_new |= end != End::Nothing;
        end
    }
}

/// One request to one gateway: for an archive, and for the block alone if there is none.
struct Request<'r> {
    client: Client,
    url: Url,
    store: &'r Store,
    missing: &'r Missing,
    is_archive: bool,
}

/// The result of a request. Its blocks are in the cache.
#[derive(Default)]
struct Answer {
    /// The number of blocks of the archive and the problem that ended it, if an archive was
    /// requested.
    archive: Option<(usize, Option<SourceProblem>)>,
    /// The result for the single block, if it was requested.
    block: Option<Result<(), SourceProblem>>,
}

impl Request<'_> {
    async fn send(self) -> Result<Answer, CacheError> {
        let cid = &self.missing.cid;
        let mut answer = Answer::default();
        if self.is_archive {
            let (mut blocks, mut failed) = (0, None);
            let mut keep = |cid: &Cid, block: Vec<u8>| match self.store.keep(cid, &block) {
                Ok(()) => blocks += 1,
                Err(error) => failed = Some(error),
            };
            let size = size(self.missing);
            let outcome = self.client.dag(&self.url, cid, size, &mut keep).await;
            if let Some(error) = failed {
                return Err(error);
            }
            answer.archive = Some((blocks, outcome.err()));
            if blocks > 0 {
                return Ok(answer);
            }
        }
        let outcome = self.client.block(&self.url, cid).await;
        if let Ok(block) = &outcome {
            self.store.keep(cid, block)?;
        }
        answer.block = Some(outcome.map(drop));
        Ok(answer)
    }
}
