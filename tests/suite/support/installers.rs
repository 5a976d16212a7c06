//! pip and uv put one wheel into a folder of its own.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use super::tool;

/// The installers, by the names of their tools.
pub const INSTALLERS: [&str; 2] = ["python3", "uv"];

/// Installs a wheel into a folder, from no index and without what it requires. `more` is for pip
/// alone.
pub fn install(installer: &str, wheel: &Path, target: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(tool(installer));
    if installer == "uv" {
        command.args(["--no-config", "--offline", "pip", "install", "--no-cache"]);
        // Without a Python of its own it has to know of one.
        command.arg("--python").arg(tool("python3"));
    } else {
        let pip = ["-m", "pip", "--isolated", "--disable-pip-version-check"];
        command.args(pip).arg("install").args(more);
    }
    command
        .args(["--no-index", "--no-deps", "--target"])
        .arg(target)
        .arg(wheel)
        .output()
        .unwrap()
}

/// The names of the commands that an installation made.
pub fn commands(target: &Path) -> BTreeSet<String> {
    let folder = target.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .map(|name| name.trim_end_matches(".exe").to_owned())
        .collect()
}
