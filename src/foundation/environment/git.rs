//! Runs git.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use super::neutral_folder;
use crate::foundation::failure::Failure;

/// Variables that git sets for its hooks; they would override the folder.
pub const LOCAL_VARIABLES: [&str; 7] = [
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
];

/// Arguments of git. A change can commit the files of a bare repository into a folder, whose
/// `config` names programs that git runs: with these arguments only a `.git` counts as a
/// repository.
pub const NO_BARE_REPOSITORY: [&str; 2] = ["-c", "safe.bareRepository=explicit"];

/// The longest output of git that is read, in bytes: the listing of a folder.
const LONGEST_ANSWER: u64 = 64 << 20;
/// The longest error output that is read, in bytes.
const LONGEST_COMPLAINT: u64 = 64 << 10;
/// The maximum number of its characters to show.
const LONGEST_WORDS: usize = 800;

/// A git process in a folder.
#[derive(Debug)]
pub(crate) struct GitProgram {
    pub(crate) folder: PathBuf,
    /// Whether `repository` names the folder; then it may be a bare repository.
    pub(crate) is_named: bool,
    pub(crate) variables: BTreeMap<OsString, OsString>,
}

impl GitProgram {
    /// The output of git; its error message if it fails.
    pub(crate) fn ask(
        &self,
        arguments: &[&str],
        input: &[u8],
    ) -> Result<Result<Vec<u8>, String>, Failure> {
        let mut command = Command::new("git");
        if !self.is_named {
            command.args(NO_BARE_REPOSITORY);
        }
        command
            .arg("-C")
            .arg(&self.folder)
            .args(arguments)
            .current_dir(neutral_folder())
            .env_clear()
            .envs(self.variables.iter().filter(|(name, _)| {
                LOCAL_VARIABLES
                    .iter()
                    .all(|local| name.as_os_str() != OsStr::new(local))
            }))
            // git must not prompt, because there may be no person to answer.
            .env("GIT_TERMINAL_PROMPT", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let failed = |error: io::Error| {
            Failure::world(format!(
                "git cannot be run in `{}`: {error}",
                self.folder.display()
            ))
            .help("install git; `repository` names the folder of another git repository")
        };
        let mut child = command.spawn().map_err(failed)?;
        let (Some(mut to), Some(from), Some(complaints)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Failure::world("git has no pipes"));
        };
        let (output, words) = thread::scope(|scope| {
            // If git closes its input, its error output says why.
            scope.spawn(move || to.write_all(input));
            let words = scope.spawn(move || {
                let mut words = Vec::new();
                let mut complaints = complaints;
                let read = (&mut complaints)
                    .take(LONGEST_COMPLAINT)
                    .read_to_end(&mut words);
                // git must not wait for a reader.
                read.and_then(|_| io::copy(&mut complaints, &mut io::sink()))
                    .map(|_| words)
            });
            let mut output = Vec::new();
            let read = from.take(LONGEST_ANSWER).read_to_end(&mut output);
            (read.map(|_| output), words.join())
        });
        let output = output.map_err(failed)?;
        let is_success = child.wait().map_err(failed)?.success();
        if output.len() as u64 == LONGEST_ANSWER {
            return Err(Failure::world(format!(
                "git {} printed more than {LONGEST_ANSWER} bytes",
                arguments.first().unwrap_or(&"")
            )));
        }
        if is_success {
            return Ok(Ok(output));
        }
        let words = words.ok().and_then(Result::ok).unwrap_or_default();
        Ok(Err(printable(&String::from_utf8_lossy(&words))))
    }

    /// The output of git; a failure of git is an error.
    pub(crate) fn bytes(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, Failure> {
        self.ask(arguments, input)?.map_err(|words| {
            Failure::world(format!(
                "git {} failed: {words}",
                arguments.first().unwrap_or(&"")
            ))
        })
    }

    /// The same as text, without the last line feed.
    pub(crate) fn text(&self, arguments: &[&str], input: &[u8]) -> Result<String, Failure> {
        let text = String::from_utf8_lossy(&self.bytes(arguments, input)?).into_owned();
        Ok(text.trim_end_matches('\n').to_owned())
    }

    /// The object with a name; `None` if it does not exist.
    pub(crate) fn object(&self, name: &str) -> Result<Option<String>, Failure> {
        let asked = self.ask(
            &["rev-parse", "--verify", "--quiet", "--end-of-options", name],
            b"",
        )?;
        let text = asked
            .ok()
            .map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// Whether an object is available here.
    pub(crate) fn has(&self, object: &str) -> Result<bool, Failure> {
        Ok(self.ask(&["cat-file", "-e", object], b"")?.is_ok())
    }

    /// An object of this type; `None` if it does not exist.
    pub(crate) fn content(&self, kind: &str, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.ask(&["cat-file", kind, name], b"")?.ok())
    }
}

/// git's message in one line, shortened, and without the passwords of addresses.
fn printable(words: &str) -> String {
    let words: Vec<String> = words.split_whitespace().map(without_password).collect();
    let line = words.join(" ");
    let line = line
        .trim_start_matches("fatal: ")
        .trim_start_matches("error: ");
    match line.char_indices().nth(LONGEST_WORDS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// A word without the text between `://` and `@`.
fn without_password(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else {
        return word.to_owned();
    };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://***{}", &rest[at..]),
        None => word.to_owned(),
    }
}
