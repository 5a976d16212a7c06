//! A place that releases go to, and what it says of a release.

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

/// What a target does with a release, which may take its time.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + 'a>>;

/// Who is told of the steps while they are done.
pub type Report<'a> = &'a dyn Fn(Step);

/// A place that releases go to. [`plan`](Self::plan) comes first and changes nothing; what it has
/// found out is there for [`carry_out`](Self::carry_out), and at last
/// [`read_back`](Self::read_back) asks the place for what it has now. Each may be cut at any
/// moment: the next run goes on.
pub trait Target {
    /// Where it is.
    fn place(&self) -> TargetPlace;

    /// What it holds, what would be moved and changed.
    fn plan<'a>(&'a mut self, release: &'a Publication, report: Report<'a>) -> Work<'a, Plan>;

    /// Moves and changes what is planned.
    fn carry_out<'a>(&'a mut self, release: &'a Publication, report: Report<'a>) -> Work<'a, Done>;

    /// Reads the root and a sample of wheels from the place itself, hashed.
    fn read_back<'a>(
        &'a mut self,
        release: &'a Publication,
        report: Report<'a>,
    ) -> Work<'a, ReadBack>;

    /// The releases of this repository that it holds, or leads to, the newest first.
    fn holdings<'a>(&'a mut self, repository: &'a str) -> Work<'a, Vec<PublishedRelease>>;

    /// The statements that it keeps, the newest first. They are not verified.
    fn statements<'a>(&'a mut self, _: &'a str) -> Work<'a, Vec<SignedStatement>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Reads every byte of the releases that it claims to hold, hashed, and mends it where that is
    /// asked for. Targets that only lead to a release have no bytes of it.
    fn check<'a>(&'a mut self, order: &'a CheckOrder<'a>, _: Report<'a>) -> Work<'a, Checked> {
        Box::pin(async move {
            let releases = self.holdings(order.repository).await?;
            Ok(Checked {
                releases,
                notes: vec!["it leads to a release and has no bytes of it".to_owned()],
                ..Checked::default()
            })
        })
    }
}

/// What a check is about.
pub struct CheckOrder<'a> {
    /// The repository's name.
    pub repository: &'a str,
    /// Whether damage is mended.
    pub is_repair: bool,
    /// Where blocks for that are: archives at hand.
    pub blocks: Arc<dyn Blocks + Send + Sync>,
    /// How fast is read.
    pub rate: &'a RateLimit,
}

/// What a check has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// The releases that were read.
    pub releases: Vec<PublishedRelease>,
    /// What was read and hashed.
    pub read: Amount,
    /// What is wrong.
    pub damages: Vec<Damage>,
    /// What else there is to say, each a sentence.
    pub notes: Vec<String>,
}

impl Checked {
    /// Whether something is wrong and was not mended.
    pub fn is_damaged(&self) -> bool {
        self.damages.iter().any(|one| !one.is_repaired)
    }
}

/// A block or a file that a target does not have as it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// A CID, or a path in the target.
    pub what: String,
    /// The release that it is of.
    pub release: PublishedRelease,
    /// What is wrong with it.
    pub kind: DamageKind,
    /// Whether it was mended.
    pub is_repaired: bool,
}

/// What is wrong with a block or a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DamageKind {
    /// It is not there.
    Missing,
    /// It has other bytes.
    Altered,
    /// The target has it and cannot read it.
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

/// What would be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The newest release of this repository that the target holds.
    pub held: Option<PublishedRelease>,
    /// What would be moved.
    pub moved: Amount,
    /// What would be changed, each as in `pins … as …`.
    pub changes: Vec<String>,
    /// What else there is to say, each a sentence.
    pub notes: Vec<String>,
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// What was moved.
    pub moved: Amount,
    /// Whether the target only claims what it had already: its blocks could not be asked for.
    pub is_word_only: bool,
    /// What was changed, each as in `pinned … as …`.
    pub changes: Vec<String>,
    /// Lines of the result, for standard output: what someone has to put elsewhere.
    pub results: Vec<String>,
}

/// What was read back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadBack {
    /// What was read and hashed.
    pub read: Amount,
    /// What the target says or shows besides, each a sentence.
    pub notes: Vec<String>,
    /// Whether the target itself keeps what was read: a node whose pins are a cluster's does not.
    pub is_kept: bool,
    /// Index addresses for pip that this target answers at, with `/` at the end.
    pub addresses: Vec<String>,
}

/// A step of the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// What is begun now, as in `pinning`, and how many bytes it is about, if it is.
    Begun {
        /// The words.
        what: String,
        /// The bytes.
        bytes: u64,
    },
    /// So many more bytes of it are through.
    Bytes(u64),
    /// What is waited for.
    Waiting(String),
}
