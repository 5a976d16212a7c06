//! One gateway, its record in this run, and the resulting warning.

use std::collections::BTreeSet;
use std::time::Duration;

use ipwhl_unixfs::Cid;
use url::Url;

use crate::source::{Mismatch, SourceProblem, redacted};

/// The number of consecutive failed requests after which a gateway is no longer used.
const MAXIMUM_FAILURES: usize = 2;

/// A gateway, and its record in this run.
pub(super) struct Gateway {
    pub(super) url: Url,
    /// The DAGs that were requested from it as archives.
    archives: BTreeSet<Cid>,
    /// The number of archives in a row that were invalid or incomplete. Gateways need not serve
    /// archives, and some do it badly.
    bad_archives: usize,
    /// The number of requests for blocks that failed in a row.
    failures: usize,
    /// Whether it has sent a wrong block: then it is no longer used.
    has_lied: bool,
    /// Whether a request fell below its minimum rate, and none has succeeded since.
    pub(super) is_slow: bool,
    /// The blocks that arrived with wrong bytes.
    wrong: BTreeSet<String>,
    /// The number of failed requests, and the reason of the last failure.
    failed: (usize, String),
    overtaken: Overtaken,
}

impl Gateway {
    pub(super) fn new(url: Url) -> Self {
        Self {
            url,
            archives: BTreeSet::new(),
            bad_archives: 0,
            failures: 0,
            has_lied: false,
            is_slow: false,
            wrong: BTreeSet::new(),
            failed: (0, String::new()),
            overtaken: Overtaken::default(),
        }
    }

    /// The address in printable form.
    pub(super) fn place(&self) -> String {
        redacted(&self.url)
    }

    pub(super) fn is_left_alone(&self) -> bool {
        self.has_lied || self.failures >= MAXIMUM_FAILURES
    }

    /// The reason why it is not used, as a clause.
    pub(super) fn refusal(&self) -> String {
        let place = self.place();
        if self.has_lied {
            format!("{place} sent wrong bytes and is no longer used")
        } else {
            format!("{place} failed to answer {MAXIMUM_FAILURES} times and is no longer used")
        }
    }

    /// Whether to request this DAG from it as an archive; at most once.
    pub(super) fn asks_for_archive(&mut self, cid: &Cid) -> bool {
        self.bad_archives < MAXIMUM_FAILURES && self.archives.insert(*cid)
    }

    /// Records the end of an archive that contained this many blocks. An archive without a block
    /// has no other effect: the gateway may not serve archives.
    pub(super) fn record_archive(&mut self, blocks: usize, problem: Option<&SourceProblem>) {
        match problem {
            None if blocks > 0 => self.bad_archives = 0,
            Some(SourceProblem::Missing { .. }) => {}
            _ => self.bad_archives += 1,
        }
        match problem {
            Some(SourceProblem::Mismatch { mismatches, .. }) => self.record_wrong(mismatches),
            Some(SourceProblem::Failed { reason, .. } | SourceProblem::TooLarge { reason, .. })
                if blocks > 0 =>
            {
                self.record_failed(reason);
            }
            _ => {}
        }
    }

    /// Records the end of a request for one block.
    pub(super) fn record_block(&mut self, problem: Option<&SourceProblem>) {
        match problem {
            None => self.failures = 0,
            Some(SourceProblem::Mismatch { mismatches, .. }) => {
                self.has_lied = true;
                self.record_wrong(mismatches);
            }
            Some(SourceProblem::Failed { reason, .. } | SourceProblem::TooLarge { reason, .. }) => {
                self.failures += 1;
                self.record_failed(reason);
            }
            Some(SourceProblem::Missing { .. } | SourceProblem::NotAsked { .. }) => {}
        }
    }

    fn record_wrong(&mut self, mismatches: &[Mismatch]) {
        let blocks = mismatches.iter().map(|one| one.declared.clone());
        self.wrong.extend(blocks);
    }

    fn record_failed(&mut self, reason: &str) {
        self.failed = (self.failed.0 + 1, reason.to_owned());
    }

    /// Records a request that was cancelled because another gateway was faster.
    pub(super) fn record_overtaken(&mut self, bytes: u64, time: Duration) {
        self.overtaken.requests += 1;
        self.overtaken.bytes += bytes;
        self.overtaken.time += time;
    }

    /// The warning about it at the end of a run; `None` without problems.
    pub(super) fn warning(&self) -> Option<GatewayWarning> {
        let wrong = self.wrong.first().map(|first| WrongBlocks {
            first: first.clone(),
            others: self.wrong.len() - 1,
        });
        let (times, reason) = &self.failed;
        let failed = (*times > 0).then(|| FailedRequests {
            times: *times,
            last: reason.clone(),
        });
        let overtaken = (self.overtaken.requests > 0).then_some(self.overtaken);
        if wrong.is_none() && overtaken.is_none() && failed.is_none() {
            return None;
        }
        Some(GatewayWarning {
            place: self.place(),
            wrong,
            overtaken,
            failed,
            is_left_alone: self.is_left_alone(),
        })
    }
}

/// A warning about a gateway at the end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayWarning {
    /// Its address, in printable form.
    pub place: String,
    /// The blocks that arrived with wrong bytes.
    pub wrong: Option<WrongBlocks>,
    /// The requests that were cancelled because another gateway was faster.
    pub overtaken: Option<Overtaken>,
    /// The requests that failed.
    pub failed: Option<FailedRequests>,
    /// Whether the run stopped using it.
    pub is_left_alone: bool,
}

/// Blocks that arrived with wrong bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongBlocks {
    /// The CID of the first one.
    pub first: String,
    /// The number of other blocks.
    pub others: usize,
}

/// Requests that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedRequests {
    /// The number of requests.
    pub times: usize,
    /// The reason of the last failure.
    pub last: String,
}

/// Requests that were cancelled because another gateway was faster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overtaken {
    /// The number of requests.
    pub requests: usize,
    /// The bytes that they had received.
    pub bytes: u64,
    /// Their total time.
    pub time: Duration,
}
