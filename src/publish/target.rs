//! A place that releases go to, and what it says of a release.

use std::fmt;
use std::pin::Pin;

use indicatif::HumanBytes;

use super::Publication;
use crate::dag::Cid;

/// What a target does with a release, which may take its time.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, TargetError>> + 'a>>;

/// Who is told of the steps while they are done.
pub type Report<'a> = &'a dyn Fn(Step);

/// A place that releases go to. [`plan`](Self::plan) comes first and changes nothing; what it has found out is there for
/// [`carry_out`](Self::carry_out), and at last [`read_back`](Self::read_back) asks the place for what it has now. Each may be
/// cut at any moment: the next run goes on.
pub trait Target {
    /// Where it is, as it may be shown.
    fn place(&self) -> String;

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
}

/// Blocks, or files where a target has files, and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub blocks: u64,
    /// How many bytes, without framing.
    pub bytes: u64,
    /// Whether files are counted, not blocks.
    pub is_of_files: bool,
}

impl Amount {
    /// No file.
    pub fn of_files() -> Self {
        Self {
            is_of_files: true,
            ..Self::default()
        }
    }

    /// One more block of so many bytes.
    pub fn add(&mut self, bytes: usize) {
        self.blocks += 1;
        self.bytes += bytes as u64;
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match (self.is_of_files, self.blocks) {
            (false, 1) => "block",
            (false, _) => "blocks",
            (true, 1) => "file",
            (true, _) => "files",
        };
        write!(
            formatter,
            "{} {word}, {}",
            self.blocks,
            HumanBytes(self.bytes)
        )
    }
}

/// A release of this repository that a target holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedRelease {
    /// Its root.
    pub root: Cid,
    /// The sequence of its statement; `None` for one that was published without.
    pub sequence: Option<u64>,
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
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// What was moved.
    pub moved: Amount,
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

/// Why a target did not take a release. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetError {
    /// Whether the release is refused, and nothing in the world failed.
    pub is_refusal: bool,
    /// A sentence.
    pub message: String,
    /// The way out.
    pub help: Option<String>,
}

impl TargetError {
    /// The world failed.
    pub fn world(message: impl fmt::Display) -> Self {
        Self {
            is_refusal: false,
            message: message.to_string(),
            help: None,
        }
    }

    /// The release must not go there.
    pub fn refused(message: impl fmt::Display) -> Self {
        Self {
            is_refusal: true,
            ..Self::world(message)
        }
    }

    /// The same error with a way out.
    #[must_use]
    pub fn help(mut self, help: impl fmt::Display) -> Self {
        self.help = Some(help.to_string());
        self
    }
}

impl fmt::Display for TargetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for TargetError {}

/// Holds a release to what a target holds: what is published is newer, or the very same again.
///
/// # Errors
/// A refusal, with the way out.
pub fn check_newer(release: &Publication, held: &PublishedRelease) -> Result<(), TargetError> {
    let root = release.root();
    let Some(sequence) = release.sequence() else {
        return match held.sequence {
            None => Ok(()),
            Some(held) => Err(TargetError::refused(format!(
                "it holds sequence {held}, which is signed, and this release has no statement"
            ))
            .help("build with a key, and with `--previous` the statement of the release that is there")),
        };
    };
    match held.sequence {
        Some(newer) if newer > sequence => Err(TargetError::refused(format!(
            "it holds sequence {newer} ({}), and this statement has the sequence {sequence}",
            held.root
        ))
        .help("build on top of the release that is there: `ipwhl build --previous` its statement")),
        Some(same) if same == sequence && held.root != root => Err(TargetError::refused(format!(
            "it holds another release with the sequence {sequence}, {}, and this one is {root}",
            held.root
        ))
        .help("two releases follow the same one: build on top of the one that is there, with `--previous` its statement")),
        _ => Ok(()),
    }
}
