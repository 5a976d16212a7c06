//! Passwords from the program `keyring`, which pip and uv can ask as well.

use std::ffi::OsStr;
use std::fmt;
use std::io::Read;
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant};

use super::pip;
use crate::foundation::environment::neutral_folder;

/// The longest time for an answer, in which a person may unlock the keyring.
const PATIENCE: Duration = Duration::from_mins(1);

/// The delay between two looks at whether the program has ended.
const STEP: Duration = Duration::from_millis(20);

/// The largest answer that is read, in bytes.
const LARGEST: u64 = 64 << 10;

/// The source of passwords beside the environment and netrc, named as in pip and uv.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyringProvider {
    /// None.
    #[default]
    Disabled,
    /// The program `keyring` on `PATH`.
    Subprocess,
}

impl FromStr for KeyringProvider {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "disabled" => Ok(Self::Disabled),
            "subprocess" => Ok(Self::Subprocess),
            _ => Err(format!(
                "`{}` is neither `disabled` nor `subprocess`",
                text.escape_debug()
            )),
        }
    }
}

impl fmt::Display for KeyringProvider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Disabled => "disabled",
            Self::Subprocess => "subprocess",
        })
    }
}

/// Asks the program for the password of a user at a service; `None` if it has none.
///
/// # Errors
/// When the program is missing or does not end: a clause.
pub(super) fn password(
    path: Option<&OsStr>,
    service: &str,
    user: &str,
) -> Result<Option<String>, String> {
    // The program would take it for an option.
    if service.starts_with('-') || user.starts_with('-') || user.is_empty() {
        return Ok(None);
    }
    let folders: Vec<_> = path
        .map(|path| std::env::split_paths(path).collect::<Vec<_>>())
        .unwrap_or_default()
        .into_iter()
        .filter(|folder| folder.is_absolute())
        .collect();
    let Some(program) = pip::find(&folders, &["keyring"]) else {
        return Err(
            "the program `keyring` is not on PATH, and `keyring-provider` is `subprocess`"
                .to_owned(),
        );
    };
    let started = Command::new(program)
        .args(["get", service, user])
        .env("PYTHONIOENCODING", "utf-8")
        .current_dir(neutral_folder())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = started.map_err(|error| format!("`keyring` cannot be started: {error}"))?;
    let output = child.stdout.take();
    // A separate thread reads, so that a long answer does not block the program.
    let reader = thread::spawn(move || {
        let mut text = String::new();
        let read = output.map(|output| output.take(LARGEST).read_to_string(&mut text));
        matches!(read, Some(Ok(_))).then_some(text)
    });
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < deadline => thread::sleep(STEP),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!(
                    "`keyring` has not answered within {} s",
                    PATIENCE.as_secs()
                ));
            }
        }
    };
    if !status.success() {
        return Ok(None);
    }
    let text = reader.join().ok().flatten();
    let password = text.map(|text| text.trim_end_matches(['\r', '\n']).to_owned());
    Ok(password.filter(|password| !password.is_empty()))
}
