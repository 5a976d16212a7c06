//! The `packaging` library for Python as a second opinion: a script, cases in, answers out.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support;

/// What each script begins with.
const PROLOGUE: &str = "
import importlib, json, sys
def module(name):
    return importlib.import_module('packaging.' + name)
cases = json.load(sys.stdin)
";

/// Runs `script`, which finds the value as `cases` and puts its answers into `answers`.
pub fn ask(script: &str, cases: &serde_json::Value) -> serde_json::Value {
    let python = support::tool("python3");
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
    assert!(output.status.success(), "the script failed");
    written.unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}
