//! Verifies the newest release of a site: every file as a web server sends it.

use std::collections::BTreeMap;
use std::fmt;

use futures_util::{StreamExt, stream};
use ipwhl_unixfs::Sha256Digest;
use ipwhl_unixfs::car::CarError;
use tokio::runtime::Handle;

use super::{
    ALTERED, FileCheck, FileList, HollowArchive, LARGEST_FILE_LIST, ListError, ListedFile,
    ReleaseFile, check_file, release_files,
};
use crate::foundation::diagnostic::Code;
use crate::foundation::failure::{Failure, error_chain};
use crate::release::names::{FILE_LIST, STATEMENT};
use crate::release::signature::MAXIMUM_SIGNATURE_SIZE;
use crate::release::statement::folder::{STATEMENTS, statement_path};
use crate::release::statement::{MAXIMUM_STATEMENT_SIZE, SignedStatement, is_signature_of};
use crate::release::verify::{self, Contradiction};
use crate::source::{Session, Site, SourceProblem, Work};

/// The number of concurrent reads.
const AT_ONCE: usize = 8;

/// The result of verifying a site.
#[derive(Debug, Default)]
pub struct SiteReport {
    /// The number of files in the release.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Differences from the statement.
    pub differing: Vec<SiteContradiction>,
    /// Files that could not be read.
    pub unreachable: Vec<SourceProblem>,
}

/// A contradiction between a site and its newest statement. Each place is in printable form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteContradiction {
    /// The release contradicts itself.
    Release(Contradiction),
    /// A file differs from the release.
    OtherBytes {
        /// Its place.
        place: String,
    },
    /// A file is missing.
    Missing {
        /// Its place.
        place: String,
    },
    /// The list of files is invalid.
    UnreadableList {
        /// Its place.
        place: String,
        /// The reason.
        error: ListError,
    },
    /// The list of files differs from the release.
    OtherList {
        /// Its place.
        place: String,
        /// The difference, as a sentence.
        difference: String,
    },
}

impl fmt::Display for SiteContradiction {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Release(contradiction) => contradiction.fmt(out),
            Self::OtherBytes { place } => {
                write!(out, "`{place}` has other bytes than the release's")
            }
            Self::Missing { place } => write!(out, "`{place}` is missing"),
            Self::UnreadableList { place, error } => write!(out, "`{place}`: {error}"),
            Self::OtherList { place, difference } => write!(out, "`{place}`: {difference}"),
        }
    }
}

/// Verifies the release of this statement, which has a folder for it on the site: the release
/// itself, by its hollow archive, every file of its tree, and the list of files. Contradictions of
/// the codes `allowed` pass. Signatures are not verified here.
///
/// # Errors
/// When the hollow archive is damaged, or there are no threads for the network.
pub fn verify_site(
    session: &Session,
    site: &Site,
    signed: &SignedStatement,
    hollow: &HollowArchive,
    allowed: &[Code],
) -> Result<SiteReport, Failure> {
    let root = signed.statement.root;
    let mut check = SiteCheck {
        session,
        runtime: session.runtime()?,
        site,
        signed,
        hollow,
        report: SiteReport::default(),
        not_whole: Vec::new(),
        expected: FileList::default(),
    };
    let (_, contradictions) = verify::check(&hollow.archive, root, true, allowed)
        .map_err(|error| damaged(site, hollow, &error))?;
    let contradictions = contradictions.into_iter();
    check
        .report
        .differing
        .extend(contradictions.map(SiteContradiction::Release));
    let files =
        release_files(&hollow.archive, &root).map_err(|error| damaged(site, hollow, &error))?;
    check.tree(&files)?;
    check.list();
    check.report.files = files.len();
    check.report.bytes = files.iter().map(|file| file.size).sum();
    Ok(check.report)
}

fn damaged(site: &Site, hollow: &HollowArchive, error: &CarError) -> Failure {
    let place = site.shown(&hollow.path);
    Failure::finding(format!("`{place}`: {}", error_chain(error))).help(ALTERED)
}

struct SiteCheck<'c> {
    session: &'c Session,
    runtime: &'c Handle,
    site: &'c Site,
    signed: &'c SignedStatement,
    hollow: &'c HollowArchive,
    report: SiteReport,
    /// The paths of damaged and of missing files.
    not_whole: Vec<String>,
    /// The expected list, as far as it is known.
    expected: FileList,
}

impl SiteCheck<'_> {
    /// Reads every file of the tree.
    fn tree(&mut self, files: &[ReleaseFile]) -> Result<(), Failure> {
        let site = self.site;
        let root = self.signed.statement.root;
        let mut checks = Vec::new();
        for file in files {
            let check = FileCheck::new(&self.hollow.archive, file)
                .map_err(|error| damaged(site, self.hollow, &error))?;
            checks.push((format!("{root}/{}", file.path), file.size, check));
        }
        let names = checks.iter().map(|(path, ..)| path.clone()).collect();
        let progress = self.session.begin(Work::Files, names);
        let outcomes: Vec<(String, u64, Result<Option<Sha256Digest>, SourceProblem>)> =
            self.runtime.block_on(async {
                let reads = stream::iter(checks).map(|(path, size, check)| {
                    let progress = &progress;
                    async move {
                        let state = check_file(site, &path, check).await;
                        progress.verified();
                        (path, size, state)
                    }
                });
                reads.buffered(AT_ONCE).collect().await
            });
        progress.clear();
        for (path, size, outcome) in outcomes {
            match outcome {
                Ok(Some(sha256)) => {
                    let listed = ListedFile { sha256, size };
                    self.expected.files.insert(path, listed);
                }
                Ok(None) => {
                    let place = site.shown(&path);
                    self.differs(SiteContradiction::OtherBytes { place });
                    self.not_whole.push(path);
                }
                Err(problem) => self.not_had(path, problem),
            }
        }
        Ok(())
    }

    /// Reads the list, and the statements that it names.
    fn list(&mut self) {
        let site = self.site;
        let signed = self.signed;
        let sequence = signed.statement.sequence;
        for (name, text) in signed.files(STATEMENT) {
            let listed = ListedFile::of(text.as_bytes());
            let path = statement_path(sequence, &name);
            self.expected.files.insert(path, listed);
        }
        let hollow = self.hollow;
        self.expected
            .files
            .insert(hollow.path.clone(), hollow.listed);
        let path = statement_path(sequence, FILE_LIST);
        let place = site.shown(&path);
        let read = self.runtime.block_on(site.small(&path, LARGEST_FILE_LIST));
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(problem) => return self.not_had(path, problem),
        };
        let list = match FileList::parse(&String::from_utf8_lossy(&bytes)) {
            Ok(list) => list,
            Err(error) => return self.differs(SiteContradiction::UnreadableList { place, error }),
        };
        self.statements(&list);
        // Damaged and missing files are reported elsewhere.
        for path in std::mem::take(&mut self.not_whole) {
            if let Some(listed) = list.files.get(&path) {
                self.expected.files.insert(path, *listed);
            }
        }
        for difference in list.differences(&self.expected) {
            self.differs(SiteContradiction::OtherList {
                place: place.clone(),
                difference,
            });
        }
    }

    /// Reads the additional statements and signatures in the list.
    fn statements(&mut self, list: &FileList) {
        let site = self.site;
        let largest = MAXIMUM_STATEMENT_SIZE.max(MAXIMUM_SIGNATURE_SIZE) as u64;
        let known = &self.expected.files;
        let named = list.files.keys().filter(|path| !known.contains_key(*path));
        let sequence = self.signed.statement.sequence;
        let paths: Vec<&String> = named.filter(|path| is_of_chain(path, sequence)).collect();
        let read: BTreeMap<String, Result<Vec<u8>, SourceProblem>> = self.runtime.block_on(async {
            let reads = stream::iter(paths)
                .map(|path| async move { (path.clone(), site.small(path, largest).await) });
            reads.buffered(AT_ONCE).collect().await
        });
        for (path, outcome) in read {
            match outcome {
                Ok(bytes) => {
                    let listed = ListedFile::of(&bytes);
                    self.expected.files.insert(path, listed);
                }
                Err(problem) => self.not_had(path, problem),
            }
        }
    }

    fn differs(&mut self, contradiction: SiteContradiction) {
        self.report.differing.push(contradiction);
    }

    fn not_had(&mut self, path: String, problem: SourceProblem) {
        match problem {
            SourceProblem::Missing { .. } => {
                let place = self.site.shown(&path);
                self.differs(SiteContradiction::Missing { place });
            }
            _ => self.report.unreachable.push(problem),
        }
        self.not_whole.push(path);
    }
}

/// Whether a path belongs to a statement up to this one, or to its signature.
fn is_of_chain(path: &str, last: u64) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let [STATEMENTS, number, name] = parts[..] else {
        return false;
    };
    let sequence = number.parse::<u64>().ok();
    let is_canonical =
        sequence.is_some_and(|sequence| sequence <= last && sequence.to_string() == number);
    is_canonical && (name == STATEMENT || is_signature_of(name, STATEMENT))
}
