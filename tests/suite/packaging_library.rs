//! The `packaging` library for Python as a second opinion: a script, cases in, answers out.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support;

/// What each script begins with: `packaging`, or the copy that pip carries, in a version whose rules are
/// those of the present specification.
const PROLOGUE: &str = r"
import json, sys
try:
    import packaging
    prefix = 'packaging'
except ImportError:
    try:
        import pip._vendor.packaging as packaging
        prefix = 'pip._vendor.packaging'
    except ImportError:
        sys.exit(42)
if tuple(map(int, packaging.__version__.split('.')[:2])) < (26, 3):
    sys.exit(42)
import importlib
def module(name):
    return importlib.import_module(prefix + '.' + name)
cases = json.load(sys.stdin)
";

/// Runs `script`, which finds the value as `cases` and puts its answers into `answers`.
///
/// `None` means that the calling test skips itself; the reason has been printed. Under `CI` that is a
/// failure.
pub fn ask(script: &str, cases: &serde_json::Value) -> Option<serde_json::Value> {
    let python = support::tool("python3")?;
    let mut child = Command::new(python)
        .arg("-c")
        .arg(format!(
            "{PROLOGUE}{script}\njson.dump(answers, sys.stdout)"
        ))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = serde_json::to_vec(cases).unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    let written = writer.join().unwrap();
    if output.status.code() == Some(42) {
        assert!(
            std::env::var_os("CI").is_none(),
            "python3 has no `packaging` of version 26.3 or newer; in CI no test may be skipped"
        );
        eprintln!("skipped: python3 has no `packaging` of version 26.3 or newer");
        return None;
    }
    assert!(output.status.success(), "the script failed");
    written.unwrap();
    Some(serde_json::from_slice(&output.stdout).unwrap())
}
