//! One gateway, its record in this run, and the warning that follows from it.

use std::collections::BTreeSet;
use std::time::Duration;

use ipwhl_unixfs::Cid;
use url::Url;

use super::super::words::counted;
use crate::foundation::size::HumanBytes;
use crate::source::{Mismatch, SourceProblem, redacted};

/// After so many failed requests in a row, a gateway is not asked again.
const MAXIMUM_FAILURES: usize = 2;

/// A gateway, and its record in this run.
pub(super) struct Gateway {
    pub(super) url: Url,
    /// The DAGs that it was asked for as archives.
    archives: BTreeSet<Cid>,
    /// How many archives in a row were none, or broke off: a gateway need not make them, and not
    /// all do it well.
    bad_archives: usize,
    /// How many requests for blocks in a row failed.
    failures: usize,
    /// Whether it has sent a wrong block: it is not asked again.
    has_lied: bool,
    /// Whether a request fell below its minimum rate, and none has ended well since.
    pub(super) is_slow: bool,
    /// The blocks that came with wrong bytes.
    wrong: BTreeSet<String>,
    /// How many requests failed, and why the last one did.
    failed: (usize, String),
    overtaken: Overtaken,
}

/// The requests that were dropped because another gateway was faster.
#[derive(Default)]
struct Overtaken {
    requests: usize,
    bytes: u64,
    time: Duration,
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

    /// The address as it may be shown.
    pub(super) fn place(&self) -> String {
        redacted(&self.url)
    }

    pub(super) fn is_left_alone(&self) -> bool {
        self.has_lied || self.failures >= MAXIMUM_FAILURES
    }

    /// Why it is not asked, as half a sentence.
    pub(super) fn refusal(&self) -> String {
        let place = self.place();
        if self.has_lied {
            format!("{place} has sent wrong bytes, and is not asked again")
        } else {
            format!("{place} did not answer {MAXIMUM_FAILURES} times, and is not asked again")
        }
    }

    /// Whether it is to be asked for this DAG as an archive. It is at most once.
    pub(super) fn asks_for_archive(&mut self, cid: &Cid) -> bool {
        self.bad_archives < MAXIMUM_FAILURES && self.archives.insert(*cid)
    }

    /// Records the end of an archive of which so many blocks came. One without a block counts for
    /// nothing else: the gateway may not make archives.
    pub(super) fn record_archive(&mut self, blocks: usize, problem: Option<&SourceProblem>) {
        match problem {
            None if blocks > 0 => self.bad_archives = 0,
            Some(SourceProblem::Missing { .. }) => {}
            _ => self.bad_archives += 1,
        }
        match problem {
            Some(SourceProblem::Mismatch { mismatches, .. }) => self.record_wrong(mismatches),
            Some(SourceProblem::Failed { reason, .. }) if blocks > 0 => self.record_failed(reason),
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
            Some(SourceProblem::Failed { reason, .. }) => {
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

    /// Records a request that was dropped because another gateway was faster.
    pub(super) fn record_overtaken(&mut self, bytes: u64, time: Duration) {
        self.overtaken.requests += 1;
        self.overtaken.bytes += bytes;
        self.overtaken.time += time;
    }

    /// A warning for the end of a run, in one sentence: wrong bytes, overtaken requests, failures.
    /// `None` without any.
    pub(super) fn warning(&self) -> Option<String> {
        let mut clauses = Vec::new();
        if let Some(first) = self.wrong.first() {
            let more = match self.wrong.len() - 1 {
                0 => String::new(),
                more => format!(" and {}", counted(more, "other block")),
            };
            clauses.push(format!("sent wrong bytes for {first}{more}"));
        }
        let Overtaken {
            requests,
            bytes,
            time,
        } = &self.overtaken;
        if *requests > 0 {
            let rate = u128::from(*bytes) * 1000 / time.as_millis().max(1);
            let rate = HumanBytes(u64::try_from(rate).unwrap_or(u64::MAX));
            let amount = match bytes {
                0 => "without a single byte".to_owned(),
                _ => format!("at {rate}/s for each request"),
            };
            clauses.push(format!(
                "was overtaken by other gateways {}, {amount}",
                counted(*requests, "time")
            ));
        }
        let (times, reason) = &self.failed;
        if *times > 0 {
            clauses.push(format!("failed {} ({reason})", counted(*times, "time")));
        }
        if clauses.is_empty() {
            return None;
        }
        let end = if self.is_left_alone() {
            ", and was not asked again"
        } else {
            ""
        };
        Some(format!(
            "gateway {} {}{end}",
            self.place(),
            clauses.join("; it ")
        ))
    }
}
