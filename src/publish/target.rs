//! The interface of publish targets.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use ipwhl_unixfs::car::Blocks;

use super::Publication;
use super::amount::Amount;
use super::place::TargetPlace;
use super::published_release::PublishedRelease;
use super::rate_limit::RateLimit;
use crate::foundation::failure::Failure;
use crate::release::statement::SignedStatement;

/// The result of an operation of a target, which may take long.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + 'a>>;

/// Receives the steps while they are done.
pub type Report<'a> = &'a dyn Fn(Step);

/// A publish target. [`plan`](Self::plan) comes first and changes nothing.
/// [`carry_out`](Self::carry_out) uses its results, and [`read_back`](Self::read_back) reads from
/// the target afterwards. Each may be interrupted at any moment: the next run continues.
pub trait Target {
    /// The place of the target.
    fn place(&self) -> TargetPlace;

    /// Determines the release that it holds, and plans the blocks to transfer and the changes.
    fn plan<'a>(&'a mut self, release: &'a Publication, report: Report<'a>) -> Work<'a, Plan>;

    /// Carries out the plan.
    fn carry_out<'a>(&'a mut self, release: &'a Publication, report: Report<'a>) -> Work<'a, Done>;

    /// Reads the root and a sample of wheels from the target itself, and hashes them.
    fn read_back<'a>(
        &'a mut self,
        release: &'a Publication,
        report: Report<'a>,
    ) -> Work<'a, ReadBack>;

    /// The releases of this repository that it holds, or refers to, the newest first.
    fn holdings<'a>(&'a mut self, repository: &'a str) -> Work<'a, Vec<PublishedRelease>>;

    /// The statements that it keeps, the newest first. They are not verified.
    fn statements<'a>(&'a mut self, _: &'a str) -> Work<'a, Vec<SignedStatement>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Reads and hashes every byte of the releases that it claims to hold, and repairs them if
    /// requested. Targets that only refer to a release have no bytes of it.
    fn check<'a>(&'a mut self, order: &'a CheckOrder<'a>, _: Report<'a>) -> Work<'a, Checked> {
        Box::pin(async move {
            let releases = self.holdings(order.repository).await?;
            Ok(Checked {
                releases,
                notes: vec!["it refers to a release and has no bytes of it".to_owned()],
                ..Checked::default()
            })
        })
    }
}

/// The options of a check.
pub struct CheckOrder<'a> {
    /// The repository's name.
    pub repository: &'a str,
    /// Whether to repair damage.
    pub is_repair: bool,
    /// Blocks for repairs, from available archives.
    pub blocks: Arc<dyn Blocks + Send + Sync>,
    /// The limit for the rate of reading.
    pub rate: &'a RateLimit,
}

/// The result of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// The releases that were read.
    pub releases: Vec<PublishedRelease>,
    /// The amount read and hashed.
    pub read: Amount,
    /// The damage.
    pub damages: Vec<Damage>,
    /// Notes, a sentence each.
    pub notes: Vec<String>,
}

impl Checked {
    /// Whether any damage was not repaired.
    pub fn is_damaged(&self) -> bool {
        self.damages.iter().any(|one| !one.is_repaired)
    }
}

/// A block or a file that is damaged at a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// A CID, or a path in the target.
    pub what: String,
    /// Its release.
    pub release: PublishedRelease,
    /// The kind of damage.
    pub kind: DamageKind,
    /// Whether it was repaired.
    pub is_repaired: bool,
}

/// The kind of damage of a block or a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DamageKind {
    /// It is missing.
    Missing,
    /// It has other bytes.
    Altered,
    /// The target has it but cannot read it.
    Unreadable,
}

impl fmt::Display for DamageKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Missing => "missing",
            Self::Altered => "altered",
            Self::Unreadable => "unreadable",
        })
    }
}

/// The planned changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The newest release of this repository that the target holds.
    pub held: Option<PublishedRelease>,
    /// The amount to move.
    pub moved: Amount,
    /// The changes, each as in `pins … as …`.
    pub changes: Vec<String>,
    /// Notes, a sentence each.
    pub notes: Vec<String>,
}

/// The changes made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// The amount moved.
    pub moved: Amount,
    /// Whether the target's earlier contents are only known from its report: its blocks could not
    /// be queried.
    pub is_word_only: bool,
    /// The changes, each as in `pinned … as …`.
    pub changes: Vec<String>,
    /// Lines for standard output that the user must put elsewhere.
    pub results: Vec<String>,
}

/// The result of reading back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadBack {
    /// The amount read and hashed.
    pub read: Amount,
    /// Reports of the target, a sentence each.
    pub notes: Vec<String>,
    /// Whether the target itself keeps these blocks. A node whose pins are managed by a cluster
    /// does not.
    pub is_kept: bool,
    /// Index addresses for pip at this target, with `/` at the end.
    pub addresses: Vec<String>,
}

/// A step of the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The step that begins now, as in `pinning`, and its size in bytes if known.
    Begun {
        /// Its description.
        what: String,
        /// Its size in bytes.
        bytes: u64,
    },
    /// The number of further bytes that are done.
    Bytes(u64),
    /// The step waits, for the given reason.
    Waiting(String),
}
