//! A release's blocks, fetched one by one from untrusted gateways.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::{StreamExt, stream};
use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::{Blocks, CarError};
use tokio::runtime::Handle;
use url::Url;

use super::address::redacted;
use super::cache::Cache;
use super::client::Client;
use super::problem::SourceProblem;

/// After this number of unanswered requests in a row, a gateway is no longer used.
const MAXIMUM_FAILURES: usize = 2;
/// The maximum number of bytes of blocks in memory. Pages are read repeatedly.
const REMEMBERED: usize = 64 << 20;

/// The blocks received from gateways.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Transferred {
    /// The number of blocks.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The blocks of gateways. Each is hashed. A gateway that sends wrong bytes once, or does not
/// answer several times in a row, is no longer used. The cache is tried first, and not written.
pub struct GatewayBlocks {
    client: Client,
    gateways: Vec<Gateway>,
    cache: Option<Cache>,
    /// The number of concurrent requests.
    jobs: usize,
    runtime: Handle,
    remembered: Mutex<Remembered>,
    blocks: AtomicU64,
    bytes: AtomicU64,
}

struct Gateway {
    url: Url,
    has_lied: AtomicBool,
    failures: AtomicUsize,
}

impl Gateway {
    fn is_left_alone(&self) -> bool {
        self.has_lied.load(Ordering::Relaxed)
            || self.failures.load(Ordering::Relaxed) >= MAXIMUM_FAILURES
    }
}

#[derive(Default)]
struct Remembered {
    blocks: HashMap<Cid, Vec<u8>>,
    order: VecDeque<Cid>,
    bytes: usize,
}

impl Remembered {
    fn insert(&mut self, cid: Cid, block: Vec<u8>) {
        self.bytes += block.len();
        if let Some(before) = self.blocks.insert(cid, block) {
            self.bytes -= before.len();
        } else {
            self.order.push_back(cid);
        }
        while self.bytes > REMEMBERED {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            if let Some(block) = self.blocks.remove(&oldest) {
                self.bytes -= block.len();
            }
        }
    }
}

impl GatewayBlocks {
    /// A store of the blocks at these gateways, in this order; `runtime` runs the requests, so no
    /// call may come from one of its own tasks.
    pub fn new(
        client: Client,
        gateways: Vec<Url>,
        cache: Option<Cache>,
        jobs: usize,
        runtime: Handle,
    ) -> Self {
        let gateways = gateways.into_iter().map(|url| Gateway {
            url,
            has_lied: AtomicBool::new(false),
            failures: AtomicUsize::new(0),
        });
        Self {
            client,
            gateways: gateways.collect(),
            cache,
            jobs: jobs.max(1),
            runtime,
            remembered: Mutex::default(),
            blocks: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    /// The blocks received from the gateways so far.
    pub fn transferred(&self) -> Transferred {
        Transferred {
            blocks: self.blocks.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn at_hand(&self, cid: &Cid) -> Option<Vec<u8>> {
        let block = self.remembered().blocks.get(cid).cloned();
        block.or_else(|| self.cache.as_ref()?.block(cid))
    }

    /// The block from the first gateway that has it; `None` if all gateways answer that they lack
    /// it.
    async fn ask(&self, cid: &Cid) -> Result<Option<Vec<u8>>, SourceProblem> {
        let mut problem = None;
        for gateway in &self.gateways {
            if gateway.is_left_alone() {
                let place = redacted(&gateway.url);
                let reason = "it has failed before, and is no longer used".to_owned();
                problem = problem.or(Some(SourceProblem::Failed { place, reason }));
                continue;
            }
            match self.client.block(&gateway.url, cid).await {
                Ok(block) => {
                    gateway.failures.store(0, Ordering::Relaxed);
                    self.blocks.fetch_add(1, Ordering::Relaxed);
                    self.bytes.fetch_add(block.len() as u64, Ordering::Relaxed);
                    return Ok(Some(block));
                }
                Err(SourceProblem::Missing { .. }) => {}
                Err(other) => {
                    match &other {
                        SourceProblem::Mismatch { .. } => {
                            gateway.has_lied.store(true, Ordering::Relaxed);
                        }
                        _ => drop(gateway.failures.fetch_add(1, Ordering::Relaxed)),
                    }
                    problem = Some(other);
                }
            }
        }
        problem.map_or(Ok(None), Err)
    }
}

impl Blocks for GatewayBlocks {
    fn block(&self, cid: &Cid) -> Result<Option<Vec<u8>>, CarError> {
        if let Some(block) = self.at_hand(cid) {
            return Ok(Some(block));
        }
        let block = self
            .runtime
            .block_on(self.ask(cid))
            .map_err(|problem| CarError::Io(io::Error::other(problem)))?;
        if let Some(block) = &block {
            self.remembered().insert(*cid, block.clone());
        }
        Ok(block)
    }

    /// Whether it is available without a request to the gateways.
    fn contains(&self, cid: &Cid) -> bool {
        self.remembered().blocks.contains_key(cid)
            || self
                .cache
                .as_ref()
                .is_some_and(|cache| cache.has_block(cid))
    }

    fn prefetch(&self, cids: &[Cid]) {
        let mut seen = HashSet::new();
        let lacking = cids
            .iter()
            .filter(|cid| seen.insert(**cid) && !self.contains(cid));
        self.runtime.block_on(async {
            let asked = stream::iter(lacking).map(|cid| async move { (cid, self.ask(cid).await) });
            let mut answers = std::pin::pin!(asked.buffer_unordered(self.jobs));
            while let Some((cid, answer)) = answers.next().await {
                // A failed block is requested again when it is needed, and reported then.
                if let Ok(Some(block)) = answer {
                    self.remembered().insert(*cid, block);
                }
            }
        });
    }
}

impl fmt::Debug for GatewayBlocks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gateways = self.gateways.iter().map(|gateway| redacted(&gateway.url));
        formatter.debug_list().entries(gateways).finish()
    }
}
