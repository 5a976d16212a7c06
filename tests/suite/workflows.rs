//! The ready files for CI in `ci`: linted as their forges would, and their commands run on machines
//! that are played, with the real program, a real git and a loopback index.

mod actions;
mod chain;
mod forgejo;
mod github;
mod gitlab;
mod install;
mod lint;
mod publish;
mod site;
mod sourcehut;
mod yaml;

use std::fs;
use std::path::Path;

const FORGES: [&str; 4] = ["github", "gitlab", "sourcehut", "forgejo"];

/// The files of a forge in the project's own folder, by name, and their texts.
fn sources(forge: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci").join(forge);
    let mut found: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    found.sort();
    found
}
