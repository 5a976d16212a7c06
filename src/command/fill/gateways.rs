//! Gateways: asked for DAGs and blocks, and believed nothing.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use futures_util::StreamExt;
use futures_util::stream;
use url::Url;

use super::super::exit::Failure;
use super::super::network::runtime;
use super::Attempts;
use super::pass::Missing;
use super::places::{FillContext, record};
use super::store::Store;
use crate::car::{LARGEST_WHEEL, MAX_BLOCK};
use crate::dag::{Cid, Codec};
use crate::source::{CacheError, Client, ClientSettings, Limits, SourceProblem, redacted};

/// After so many blocks in a row that it did not answer for, a gateway is left alone.
const MAXIMUM_FAILURES: usize = 2;

/// A gateway.
pub(super) struct Gateway {
    url: Url,
    /// The DAGs that it was asked for as a whole.
    asked: RefCell<BTreeSet<Cid>>,
    failures: Cell<usize>,
    /// How many archives in a row were none, or broke off: a gateway need not make them, and not all do it well.
    bad_archives: Cell<usize>,
    /// Whether it has lied: whoever does it once is not asked again.
    has_lied: Cell<bool>,
}

impl Gateway {
    pub(super) fn new(url: Url) -> Self {
        Self {
            url,
            asked: RefCell::default(),
            failures: Cell::new(0),
            bad_archives: Cell::new(0),
            has_lied: Cell::new(false),
        }
    }

    fn is_left_alone(&self) -> bool {
        self.has_lied.get() || self.failures.get() >= MAXIMUM_FAILURES
    }

    /// Asks for what is missing; whether something was had. What was is in the cache.
    pub(super) fn request(
        &self,
        fill: &FillContext<'_>,
        store: &mut Store,
        missing: &[&Missing],
        attempts: &mut Attempts,
    ) -> Result<bool, Failure> {
        let place = redacted(&self.url);
        if fill.network.offline {
            for one in missing {
                record(
                    attempts,
                    one.cid,
                    format!("{place} is left alone (--offline)"),
                );
            }
            return Ok(false);
        }
        let variables = |name: &str| fill.context.environment.variable(name).map(Into::into);
        let settings = ClientSettings::from_variables(&variables, Limits::of_gateways());
        let client = Client::new(&settings).map_err(|error| Failure::caused(&error))?;
        let (dags, blocks): (Vec<&Missing>, Vec<&Missing>) = missing
            .iter()
            .partition(|one| self.is_dag(one) && self.asked.borrow_mut().insert(one.cid));
        fill.context
            .say(&format!("asking {place} for {} blocks", missing.len()));
        let jobs = fill.network.jobs().get();
        let mut is_new = false;
        let mut broken: Option<CacheError> = None;
        runtime()?.block_on(async {
            let store = &*store;
            let dags = stream::iter(dags).map(|one| self.dag(&client, store, one));
            let dags = dags.buffer_unordered(jobs).collect::<Vec<_>>().await;
            let blocks = stream::iter(blocks).map(|one| self.block(&client, store, one));
            let blocks = blocks.buffer_unordered(jobs).collect::<Vec<_>>().await;
            for (one, outcome) in dags.into_iter().chain(blocks) {
                match outcome {
                    Ok(had) => is_new |= had,
                    Err(RequestError::Place(reason)) => record(attempts, one.cid, reason),
                    Err(RequestError::Cache(error)) => broken = Some(error),
                }
            }
        });
        match broken {
            Some(error) => Err(Failure::caused(&error)),
            None => Ok(is_new),
        }
    }

    /// Whether a missing node has, or may have, others below it.
    fn is_dag(&self, missing: &Missing) -> bool {
        missing.cid.codec() == Codec::DagPb && !self.asked.borrow().contains(&missing.cid)
    }

    async fn dag<'m>(
        &self,
        client: &Client,
        store: &Store,
        missing: &'m Missing,
    ) -> (&'m Missing, Result<bool, RequestError>) {
        if self.is_left_alone() || self.bad_archives.get() >= MAXIMUM_FAILURES {
            return self.block(client, store, missing).await;
        }
        let mut failed = None;
        let size = missing.cumulative_size.unwrap_or(MAX_BLOCK as u64);
        // A link may say anything; no DAG of a release has nodes of more than a small part of its file.
        let size = size.min(LARGEST_WHEEL + LARGEST_WHEEL / 64);
        let mut kept = 0;
        let mut keep = |cid: &Cid, block: Vec<u8>| {
            kept += 1;
            if let Err(error) = store.keep(cid, &block) {
                failed = Some(error);
            }
        };
        let outcome = client.dag(&self.url, &missing.cid, size, &mut keep).await;
        if let Some(error) = failed {
            return (missing, Err(RequestError::Cache(error)));
        }
        match outcome {
            Ok(_) if kept > 0 => self.bad_archives.set(0),
            Err(SourceProblem::Missing { .. }) => {}
            Ok(_) | Err(_) => self.bad_archives.set(self.bad_archives.get() + 1),
        }
        if kept > 0 {
            // Whatever is lacking still is asked for in the next round.
            return (missing, Ok(true));
        }
        self.block(client, store, missing).await
    }

    async fn block<'m>(
        &self,
        client: &Client,
        store: &Store,
        missing: &'m Missing,
    ) -> (&'m Missing, Result<bool, RequestError>) {
        if self.is_left_alone() {
            let place = redacted(&self.url);
            let reason = if self.has_lied.get() {
                format!("{place} has sent wrong bytes, and is not asked again")
            } else {
                format!("{place} did not answer {MAXIMUM_FAILURES} times, and is not asked again")
            };
            return (missing, Err(RequestError::Place(reason)));
        }
        let outcome = match client.block(&self.url, &missing.cid).await {
            Ok(block) => {
                self.failures.set(0);
                store
                    .keep(&missing.cid, &block)
                    .map(|()| true)
                    .map_err(RequestError::Cache)
            }
            Err(problem) => {
                match &problem {
                    SourceProblem::Mismatch { .. } => self.has_lied.set(true),
                    SourceProblem::Failed { .. } => self.failures.set(self.failures.get() + 1),
                    SourceProblem::Missing { .. } | SourceProblem::NotAsked { .. } => {}
                }
                Err(RequestError::Place(problem.to_string()))
            }
        };
        (missing, outcome)
    }
}

/// Why a block was not had.
enum RequestError {
    /// The gateway, as half a sentence.
    Place(String),
    /// The own disk.
    Cache(CacheError),
}
