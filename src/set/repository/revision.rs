//! A repository at a revision, read through git.

mod changes;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use super::LoadError;
use super::files::{Files, Kind, MAXIMUM_TEXT, too_large};
use crate::foundation::environment::{
    Environment, LOCAL_VARIABLES, NO_BARE_REPOSITORY, neutral_folder,
};

pub use changes::{Changes, disguises};

/// The texts of a repository's folder at one commit.
#[derive(Debug)]
pub struct Revision {
    commit: String,
    /// Every file and link below the repository's folder, named from it.
    entries: BTreeMap<String, Entry>,
    objects: Mutex<Objects>,
}

#[derive(Debug)]
struct Entry {
    kind: Kind,
    object: String,
}

/// A git process that prints objects on request.
#[derive(Debug)]
struct Objects {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// The reason why a revision cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RevisionError {
    /// git is not installed.
    #[error("git, which reads revisions, cannot be run: {0}")]
    NoGit(io::Error),
    /// The folder is in no git repository, or git refuses to read it; with git's message.
    #[error("git cannot read the history of this folder: {0}")]
    NoRepository(String),
    /// git knows no commit of this name.
    #[error("git does not know a commit `{0}` here")]
    Unknown(String),
    /// The revision and the present commit have no common ancestor in the available history.
    #[error("`{0}` and the present commit have no common ancestor in the available history")]
    Unrelated(String),
    /// git failed; with its message.
    #[error("git failed: {0}")]
    Failed(String),
}

impl RevisionError {
    /// The help, if any.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::NoGit(_) => Some("install git, or check without a revision"),
            Self::NoRepository(_) | Self::Failed(_) => None,
            Self::Unknown(_) => Some(
                "`git log` lists the available commits; fetch one from elsewhere with `git fetch \
                 origin BRANCH`, then name it `FETCH_HEAD`; a shallow clone lacks older commits \
                 until `git fetch --unshallow`",
            ),
            Self::Unrelated(_) => {
                Some("a shallow clone lacks the common ancestor: run `git fetch --unshallow`")
            }
        }
    }
}

impl Revision {
    /// The state at the base of the work in `directory`: the newest common ancestor of `revision`
    /// and the present commit.
    ///
    /// # Errors
    /// When git is missing, fails, or knows no such revision.
    pub fn before(
        environment: &Environment,
        directory: &Path,
        revision: &str,
    ) -> Result<Self, RevisionError> {
        let git = Git {
            environment,
            directory,
        };
        let (prefix, tip) = git.find(revision)?;
        let commit = git
            .text(&["merge-base", &tip, "HEAD"])?
            .map_err(|_| RevisionError::Unrelated(revision.to_owned()))?;
        git.revision(commit, &prefix)
    }

    /// The state at a commit, by any name that git knows.
    ///
    /// # Errors
    /// When git is missing, fails, or knows no such commit.
    pub fn at(
        environment: &Environment,
        directory: &Path,
        revision: &str,
    ) -> Result<Self, RevisionError> {
        let git = Git {
            environment,
            directory,
        };
        let (prefix, commit) = git.find(revision)?;
        git.revision(commit, &prefix)
    }

    /// The commit, in hexadecimal.
    pub fn commit(&self) -> &str {
        &self.commit
    }
}

/// The first file that git tracks in a folder, or at a path; `None` if it tracks none, or the path
/// is in no checkout.
///
/// # Errors
/// When git is missing, or fails in a checkout.
pub fn tracked(environment: &Environment, path: &Path) -> Result<Option<String>, RevisionError> {
    let file = path.file_name().filter(|_| !path.is_dir());
    let directory = match (file, path.parent()) {
        (Some(_), Some(parent)) => parent,
        _ => path,
    };
    let is_checkout = directory.ancestors().any(|one| one.join(".git").exists());
    if !is_checkout {
        return Ok(None);
    }
    let git = Git {
        environment,
        directory,
    };
    let mut arguments = vec!["ls-files", "-z", "--full-name"];
    let file = file.map(|name| format!(":(literal){}", name.to_string_lossy()));
    if let Some(file) = &file {
        arguments.extend(["--", file]);
    }
    let listing = git.output(&arguments)?.map_err(RevisionError::Failed)?;
    let first = listing.split(|byte| *byte == 0).next();
    let first = first.map(|name| String::from_utf8_lossy(name).into_owned());
    Ok(first.filter(|name| !name.is_empty()))
}

struct Git<'e> {
    environment: &'e Environment,
    directory: &'e Path,
}

impl Git<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .args(NO_BARE_REPOSITORY)
            .args(["-c", "core.fsmonitor=false"])
            .args(["-c", "core.hooksPath=/dev/null"])
            .arg("-C")
            .arg(self.directory)
            .args(arguments)
            .current_dir(neutral_folder())
            .env_clear()
            .envs(self.environment.variables.iter().filter(|(name, _)| {
                LOCAL_VARIABLES
                    .iter()
                    .all(|local| name.as_os_str() != OsStr::new(local))
            }))
            // Nothing is written to the index.
            .env("GIT_OPTIONAL_LOCKS", "0")
            // Missing objects are not fetched.
            .env("GIT_NO_LAZY_FETCH", "1")
            .stdin(Stdio::null());
        command
    }

    /// The output of git without the last line feed; its error message if it fails.
    fn output(&self, arguments: &[&str]) -> Result<Result<Vec<u8>, String>, RevisionError> {
        let output = self
            .command(arguments)
            .output()
            .map_err(RevisionError::NoGit)?;
        Ok(if output.status.success() {
            Ok(output.stdout)
        } else {
            let words = String::from_utf8_lossy(&output.stderr);
            let words: Vec<&str> = words.lines().map(str::trim).collect();
            Err(words.join(" ").trim_start_matches("fatal: ").to_owned())
        })
    }

    fn text(&self, arguments: &[&str]) -> Result<Result<String, String>, RevisionError> {
        Ok(self.output(arguments)?.map(|bytes| {
            let text = String::from_utf8_lossy(&bytes);
            text.trim_end_matches('\n').to_owned()
        }))
    }

    /// The path of the folder in its checkout: empty, or with `/` at its end.
    fn prefix(&self) -> Result<String, RevisionError> {
        self.text(&["rev-parse", "--show-prefix"])?
            .map_err(RevisionError::NoRepository)
    }

    /// The path of the folder in its checkout, and the commit of this name.
    fn find(&self, revision: &str) -> Result<(String, String), RevisionError> {
        let prefix = self.prefix()?;
        let unknown = || RevisionError::Unknown(revision.to_owned());
        // git would read it as an option.
        if revision.is_empty() || revision.starts_with('-') {
            return Err(unknown());
        }
        let named = format!("{revision}^{{commit}}");
        let commit = self
            .text(&["rev-parse", "--verify", "--quiet", &named])?
            .map_err(|_| unknown())?;
        Ok((prefix, commit))
    }

    fn revision(&self, commit: String, prefix: &str) -> Result<Revision, RevisionError> {
        let mut arguments = vec!["ls-tree", "-r", "-z", "--full-tree", &commit];
        if !prefix.is_empty() {
            arguments.extend(["--", prefix]);
        }
        let listing = self.output(&arguments)?.map_err(RevisionError::Failed)?;
        let mut entries = BTreeMap::new();
        for line in listing.split(|byte| *byte == 0) {
            // `<mode> <type> <object>TAB<path>`; a path that is not UTF-8 is not that of a
            // declaration.
            let Ok(line) = std::str::from_utf8(line) else {
                continue;
            };
            let Some((about, path)) = line.split_once('\t') else {
                continue;
            };
            let mut words = about.split(' ');
            let (Some(mode), Some(_), Some(object)) = (words.next(), words.next(), words.next())
            else {
                continue;
            };
            let kind = match mode {
                "100644" | "100755" | "100664" => Kind::File,
                "120000" => Kind::Link,
                _ => Kind::Other,
            };
            if let Some(name) = path.strip_prefix(prefix) {
                let object = object.to_owned();
                entries.insert(name.to_owned(), Entry { kind, object });
            }
        }
        let mut child = self
            .command(&["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(RevisionError::NoGit)?;
        let (Some(questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(RevisionError::Failed("it has no pipes".to_owned()));
        };
        Ok(Revision {
            commit,
            entries,
            objects: Mutex::new(Objects {
                child,
                questions,
                answers: BufReader::new(answers),
            }),
        })
    }
}

impl Objects {
    /// The bytes of a blob.
    fn blob(&mut self, object: &str) -> io::Result<Vec<u8>> {
        writeln!(self.questions, "{object}")?;
        self.questions.flush()?;
        // `<object> blob <size>LF<bytes>LF`, or `<object> missing`.
        let mut head = String::new();
        self.answers.read_line(&mut head)?;
        let size = head
            .trim_end()
            .strip_prefix(object)
            .and_then(|rest| rest.strip_prefix(" blob "))
            .and_then(|size| size.parse::<u64>().ok())
            .ok_or_else(|| {
                io::Error::other(format!(
                    "git lacks the blob {object}, as in a partial clone: fetch missing blobs with \
                     `git fetch --refetch --no-filter`"
                ))
            })?;
        if size > MAXIMUM_TEXT {
            // The next answer begins after the end of this one.
            io::copy(&mut (&mut self.answers).take(size + 1), &mut io::sink())?;
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        (&mut self.answers).take(size + 1).read_to_end(&mut bytes)?;
        match bytes.pop() {
            Some(b'\n') if bytes.len() as u64 == size => Ok(bytes),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // The process has nothing to save, and may wait for input or for a reader.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Files for Revision {
    const HAS_EMPTY_FOLDERS: bool = false;

    fn kind(&self, name: &str) -> Option<Kind> {
        if let Some(entry) = self.entries.get(name) {
            return Some(entry.kind);
        }
        let below = format!("{name}/");
        let next = self.entries.range(below.clone()..).next();
        next.is_some_and(|(path, _)| path.starts_with(&below))
            .then_some(Kind::Folder)
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        match self.entries.get(name) {
            None => Err(io::ErrorKind::NotFound.into()),
            Some(entry) if entry.kind != Kind::File => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "it is not a regular file",
            )),
            Some(entry) => {
                let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
                objects.blob(&entry.object)
            }
        }
    }

    fn entries(&self, folder: &str) -> Result<Vec<(String, Kind)>, LoadError> {
        let below = format!("{folder}/");
        let mut found: BTreeMap<String, Kind> = BTreeMap::new();
        let inside = self
            .entries
            .range(below.clone()..)
            .take_while(|(path, _)| path.starts_with(&below));
        for (path, entry) in inside {
            let rest = &path[below.len()..];
            match rest.split_once('/') {
                Some((inner, _)) => found.insert(inner.to_owned(), Kind::Folder),
                None => found.insert(rest.to_owned(), entry.kind),
            };
        }
        Ok(found.into_iter().collect())
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("{}:{name}", self.commit))
    }
}
