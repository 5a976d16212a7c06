//! What several modules of the suite need: outside tools, wheels made to order, repositories made
//! to order, a loopback index.

#[cfg(unix)]
pub mod agent;
pub mod bench;
pub mod cluster;
pub mod cutting_proxy;
pub mod declared_set;
pub mod history;
pub mod loopback_index;
pub mod nodes;
pub mod pinning_service;
pub mod program;
pub mod repository_builder;
pub mod serving;
pub mod wheel_builder;
pub mod workshop;

use std::path::PathBuf;
use std::process::Command;

use ipwhl::dag::{Cid, Codec, Sha256Digest};
use ipwhl::diagnostic::Help;

/// The path of an outside tool: `IPWHL_TEST_<NAME>` (upper case, `-` as `_`) or the one on `PATH`.
///
/// `None` means that the calling test skips itself; the reason has been printed. Under `CI` nothing
/// may be skipped, so there a missing tool is a failure.
pub fn tool(name: &str) -> Option<PathBuf> {
    let variable = format!("IPWHL_TEST_{}", name.to_uppercase().replace('-', "_"));
    let candidate = std::env::var_os(&variable).map_or_else(|| PathBuf::from(name), PathBuf::from);
    // `ssh-keygen` knows no `--version`; that it starts at all is what is asked here.
    let started = Command::new(&candidate)
        .arg("--version")
        .stdin(std::process::Stdio::null())
        .output()
        .is_ok();
    if started {
        return Some(candidate);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "`{name}` is missing (set {variable} or install it); in CI no test may be skipped"
    );
    eprintln!("skipped: `{name}` is not on PATH and {variable} is not set");
    None
}

/// A content-id as a wheel of one block has it, another one for each `seed`: no two wheels have the same.
pub fn content_id(seed: &str) -> String {
    Cid::v1(Codec::Raw, Sha256Digest::of(seed.as_bytes())).to_string()
}

/// The ways out of a finding in one line, with the texts to paste left out.
pub fn words(help: &[Help]) -> String {
    let messages: Vec<&str> = help.iter().map(|help| help.message.as_str()).collect();
    messages.join(" / ")
}
