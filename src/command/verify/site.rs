//! The newest release of a site: who vouches for it, and every file of it as a web server gives it.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use indicatif::HumanBytes;
use ipwhl_unixfs::Sha256Digest;

use super::super::context::Context;
use super::super::exit::ExitStatus;
use super::super::site::no_hollow;
use super::super::vouch::{start, vouch};
use super::super::words::counted;
use super::{Arguments, pages};
use crate::foundation::failure::{Failure, error_chain};
use crate::publish::{
    FileCheck, FileList, HollowArchive, LARGEST_FILE_LIST, ListedFile, ReleaseFile, check_file,
    release_files,
};
use crate::release::names::{FILE_LIST, STATEMENT};
use crate::release::signature::MAXIMUM_SIGNATURE_SIZE;
use crate::release::statement::folder::{STATEMENTS, statement_path};
use crate::release::statement::{MAXIMUM_STATEMENT_SIZE, is_signature_of};
use crate::release::statement::{Newest, OpenSite};
use crate::source::SourceProblem;
use crate::source::Work;

/// How many files are read at once.
const AT_ONCE: usize = 8;
/// How many things that are wrong are named, each kind by itself.
const NAMED: usize = 20;

/// Verifies the newest release of a site. No file is kept.
pub(super) fn run(
    context: &Context<'_>,
    arguments: &Arguments,
    open: &mut OpenSite,
) -> Result<ExitStatus, Failure> {
    let start = start(context, &arguments.trust)?;
    let newest = open.newest(&start.keys())?;
    let open = &*open;
    let statement = newest.signed.statement.clone();
    let (root, sequence) = (statement.root, statement.sequence);
    vouch(
        context,
        &newest.place,
        newest.signed.clone(),
        start,
        &mut |known| open.after(known, &statement),
    )?;
    if !newest.has_folders {
        return Err(Failure::finding(format!(
            "`{}` is not there: this is no site of a target of the kind `directory`",
            open.site.shown(&statement_path(sequence, STATEMENT))
        ))
        .help("`ipwhl fetch` brings the release here, and then its archive can be verified"));
    }
    let hollow = open
        .runtime
        .block_on(crate::publish::read_hollow(&open.site, sequence, &root));
    let hollow = hollow.map_err(|error| no_hollow(&error))?;
    let mut check = SiteCheck {
        context,
        open,
        newest: &newest,
        hollow: &hollow,
        differing: Vec::new(),
        unreachable: Vec::new(),
        not_whole: Vec::new(),
        expected: FileList::default(),
    };
    let (_, mismatches) = pages::check(&hollow.archive, root, true, &arguments.allow)
        .map_err(|error| damaged(&error))?;
    check.differing.extend(mismatches);
    let files = release_files(&hollow.archive, &root).map_err(|error| damaged(&error))?;
    check.tree(&files)?;
    check.list();
    check.finish(&files)
}

fn damaged(error: &ipwhl_unixfs::car::CarError) -> Failure {
    Failure::finding(error_chain(error))
}

struct SiteCheck<'c, 'e> {
    context: &'c Context<'e>,
    open: &'c OpenSite,
    newest: &'c Newest,
    hollow: &'c HollowArchive,
    /// What is not as the statement says, a sentence each.
    differing: Vec<String>,
    /// What could not be read.
    unreachable: Vec<String>,
    /// The paths of both.
    not_whole: Vec<String>,
    /// What the list should say, as far as it is known.
    expected: FileList,
}

impl SiteCheck<'_, '_> {
    /// Reads every file of the tree.
    fn tree(&mut self, files: &[ReleaseFile]) -> Result<(), Failure> {
        let site = &self.open.site;
        let root = self.newest.signed.statement.root;
        let mut checks = Vec::new();
        for file in files {
            let check =
                FileCheck::new(&self.hollow.archive, file).map_err(|error| damaged(&error))?;
            checks.push((format!("{root}/{}", file.path), file.size, check));
        }
        let names = checks.iter().map(|(path, ..)| path.clone()).collect();
        let progress = self.context.session.begin(Work::Files, names);
        let outcomes: Vec<(String, u64, Result<Option<Sha256Digest>, SourceProblem>)> =
            self.open.runtime.block_on(async {
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
                    let shown = site.shown(&path);
                    self.differing
                        .push(format!("`{shown}` has other bytes than the release's"));
                    self.not_whole.push(path);
                }
                Err(problem) => self.not_had(path, &problem),
            }
        }
        Ok(())
    }

    /// Reads the list, and the statements that it names.
    fn list(&mut self) {
        let site = &self.open.site;
        let signed = &self.newest.signed;
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
        let shown = site.shown(&path);
        let read = self
            .open
            .runtime
            .block_on(site.small(&path, LARGEST_FILE_LIST));
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(problem) => return self.not_had(path, &problem),
        };
        let list = match FileList::parse(&String::from_utf8_lossy(&bytes)) {
            Ok(list) => list,
            Err(error) => return self.differing.push(format!("`{shown}`: {error}")),
        };
        self.statements(&list);
        // Of a file that is not whole enough has been said.
        for path in std::mem::take(&mut self.not_whole) {
            if let Some(listed) = list.files.get(&path) {
                self.expected.files.insert(path, *listed);
            }
        }
        for difference in list.differences(&self.expected) {
            self.differing.push(format!("`{shown}`: {difference}"));
        }
    }

    /// Reads the statements and signatures that the list names besides.
    fn statements(&mut self, list: &FileList) {
        let site = &self.open.site;
        let largest = MAXIMUM_STATEMENT_SIZE.max(MAXIMUM_SIGNATURE_SIZE) as u64;
        let known = &self.expected.files;
        let named = list.files.keys().filter(|path| !known.contains_key(*path));
        let sequence = self.newest.signed.statement.sequence;
        let paths: Vec<&String> = named.filter(|path| is_of_chain(path, sequence)).collect();
        let read: BTreeMap<String, Result<Vec<u8>, SourceProblem>> =
            self.open.runtime.block_on(async {
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
                Err(problem) => self.not_had(path, &problem),
            }
        }
    }

    fn not_had(&mut self, path: String, problem: &SourceProblem) {
        match problem {
            SourceProblem::Missing { .. } => {
                let shown = self.open.site.shown(&path);
                self.differing.push(format!("`{shown}` is missing"));
            }
            _ => self.unreachable.push(problem.to_string()),
        }
        self.not_whole.push(path);
    }

    fn finish(self, files: &[ReleaseFile]) -> Result<ExitStatus, Failure> {
        for wrong in [&self.differing, &self.unreachable] {
            let named = if self.context.verbose > 0 {
                wrong.len()
            } else {
                NAMED
            };
            for line in wrong.iter().take(named) {
                self.context.error(line);
            }
            if wrong.len() > named {
                self.context.error(&format!(
                    "{} more are not as they should be (`-v` names them)",
                    counted(wrong.len() - named, "file")
                ));
            }
        }
        if !self.differing.is_empty() {
            return Ok(ExitStatus::Findings);
        }
        if !self.unreachable.is_empty() {
            return Ok(ExitStatus::World);
        }
        let statement = &self.newest.signed.statement;
        let bytes = files.iter().map(|file| file.size).sum();
        self.context.say(&format!(
            "{}: sequence {}, {}, {}: all as the signed root says, and so is `{FILE_LIST}`",
            self.open.site.shown(""),
            statement.sequence,
            counted(files.len(), "file"),
            HumanBytes(bytes)
        ));
        self.context.result(&statement.root.to_string())?;
        Ok(ExitStatus::Clean)
    }
}

/// Whether a path is that of a statement up to this one, or of a signature of it.
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
