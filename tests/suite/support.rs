//! What several modules of the suite need: outside tools, wheels made to order, repositories made
//! to order, a loopback index.

#[cfg(unix)]
pub mod agent;
pub mod bench;
pub mod cluster;
pub mod cutting_proxy;
pub mod declared_set;
pub mod history;
pub mod http;
pub mod installers;
pub mod in_process;
pub mod loopback_index;
pub mod nodes;
pub mod pinning_service;
pub mod program;
pub mod python;
pub mod repository_builder;
pub mod serving;
pub mod source_code;
pub mod strategies;
pub mod throttling_proxy;
pub mod wheel_builder;
pub mod workshop;

use std::path::PathBuf;
use std::process::Command;

use ipwhl::foundation::diagnostic::Help;
use ipwhl_unixfs::{Cid, Codec, Sha256Digest};

use crate::harness::skip;

/// The path of an outside tool: the one that `IPWHL_TEST_<NAME>` names (upper case, `-` as `_`),
/// else of Python's tools the pinned one, of others the one on `PATH`. Without it the calling test
/// is skipped.
pub fn tool(name: &str) -> PathBuf {
    let variable = format!("IPWHL_TEST_{}", name.to_uppercase().replace('-', "_"));
    let given = std::env::var_os(&variable).map(PathBuf::from);
    let tool = match (given, name) {
        (Some(given), _) => given,
        (None, "python3" | "uv" | "check-jsonschema" | "zizmor") => {
            python::program("requirements.txt", name)
        }
        (None, "pdm" | "pipenv") => python::program("installers.txt", name),
        (None, "original") => python::program("original.txt", "python3"),
        (None, _) => PathBuf::from(name),
    };
    // `ssh-keygen` knows no `--version`; that it starts at all is what is asked here.
    let started = Command::new(&tool)
        .arg("--version")
        .stdin(std::process::Stdio::null())
        .output();
    if started.is_err() {
        skip(&format!(
            "`{name}` is not on PATH: install it, or set {variable} to what `ci/tool {name}` prints"
        ));
    }
    tool
}

/// The file that a variable names. Without it the calling test is skipped; `source` says in the
/// reason what the file is and what makes it.
pub fn given_file(variable: &str, source: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(path) => path.into(),
        None => skip(&format!("{variable} is not set: {source}")),
    }
}

/// A content-id as a wheel of one block has it, another one for each `seed`: no two wheels have the
/// same.
pub fn content_id(seed: &str) -> String {
    Cid::v1(Codec::Raw, Sha256Digest::of(seed.as_bytes())).to_string()
}

/// The ways out of a finding in one line, with the texts to paste left out.
pub fn words(help: &[Help]) -> String {
    let messages: Vec<String> = help.iter().map(ToString::to_string).collect();
    messages.join(" / ")
}
