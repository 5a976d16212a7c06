//! The tests' own Python environments: pinned packages of the lock files in `tests/python`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::harness::skip;

/// A program of the environment that a lock file describes, which the first call makes. Where it
/// cannot be made the calling test is skipped.
pub fn program(lock: &str, name: &str) -> PathBuf {
    static PINNED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    static INSTALLERS: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    static SBOM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    static ORIGINAL: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let environment = match lock {
        "installers.txt" => &INSTALLERS,
        "original.txt" => &ORIGINAL,
        "sbom.txt" => &SBOM,
        _ => &PINNED,
    };
    match environment.get_or_init(|| make(lock)) {
        Ok(programs) => programs.join(name),
        Err(reason) => skip(reason),
    }
}

/// The folder of the environment's programs, or why there is none.
fn make(lock: &str) -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python");
    let made = Command::new("python3")
        .arg(folder.join("environment.py"))
        .arg(folder.join(lock))
        .arg(env!("CARGO_TARGET_TMPDIR"))
        .stdin(Stdio::null())
        .output()
        .map_err(|_| "`python3` is not on PATH: install it with its `venv` and `pip`".to_owned())?;
    let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
    if made.status.success() {
        return Ok(PathBuf::from(text(&made.stdout)));
    }
    let errors = text(&made.stderr);
    let last = errors.lines().last().unwrap_or_default();
    Err(format!(
        "pip cannot install tests/python/{lock}, is its index reachable? {last}"
    ))
}
