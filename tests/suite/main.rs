//! The whole test suite as one binary: a module per command and per format.

#![allow(
    clippy::assigning_clones,
    reason = "clippy lets tests off by itself, and knows only libtest's"
)]
#![allow(
    clippy::too_many_lines,
    clippy::unwrap_used,
    unreachable_pub,
    missing_docs,
    reason = "a test fails by panicking, a table of cases is as long as it is, helpers are \
              documented where that helps"
)]

// In every module `#[test]` is this crate's, before the compiler's own.
#[macro_use]
extern crate test_attribute;

mod add_command;
mod add_hostile;
mod add_transfer;
mod add_wheels;
mod advisories;
#[cfg(unix)]
mod agent;
mod arbitrary_equality;
mod audit_command;
mod audit_peer;
mod beneath;
mod blocks;
mod build;
mod bundle_command;
mod cache;
mod cache_command;
mod car;
mod check_command;
mod check_since;
mod cid_command;
mod circles;
mod completions_command;
mod conflicting_digest;
mod carry;
mod clients;
mod core_metadata;
mod dag;
mod declarations;
mod diff_command;
mod difference;
mod explain_command;
#[cfg(unix)]
mod fetch_command;
mod fill_command;
mod fill_gateways;
mod fill_places;
mod findings;
mod fixes;
mod fmt_command;
mod format_2;
mod fuzz_seeds;
mod gateway;
mod gather;
mod graph;
mod graph_queries;
mod growth;
mod harness;
mod help;
mod hidden_characters;
mod hidden;
mod hollow_command;
mod init;
mod init_command;
mod interruption;
mod ipns;
mod judgement;
mod key_command;
mod kubo;
mod kubo_release;
mod licences;
mod limits;
mod list_command;
mod lock;
mod lock_command;
mod long_tokens;
mod man_command;
mod markers;
mod message_formats;
mod migrate_command;
mod one_defect;
mod original;
mod original_release;
mod outdated_command;
mod own_folders;
mod packaging_library;
mod recorded_index;
mod release_archive;
mod release_comparison;
mod release_fill;
mod release_reuse;
mod release_verify;
mod remove_command;
mod pipes;
mod progress;
mod project_files;
mod properties;
mod provenance;
mod public_only;
mod publish;
mod publish_answers;
mod publish_build;
mod publish_check;
mod publish_cluster;
#[cfg(unix)]
mod publish_directory;
mod publish_dnslink;
mod publish_fetch;
#[cfg(unix)]
mod publish_git;
mod publish_history;
mod publish_holders;
mod publish_ipns;
mod publish_kubo;
mod publish_pinning;
mod publish_proof;
#[cfg(unix)]
mod publish_scenario;
mod publish_status;
mod publish_request;
#[cfg(unix)]
mod publish_site;
mod rendering;
mod repository;
mod resolve;
mod requested;
mod requirements;
mod reuse;
mod review;
mod schemas;

mod sbom_command;
mod serve_command;
mod show_command;
mod sign_command;
mod signature;
#[cfg(unix)]
mod site;
mod solver;
mod source;
mod source_credentials;
mod source_discovery;
mod source_metadata;
mod support;
mod tags;
mod terminal;
mod tidy;
#[cfg(unix)]
mod tree_locks;
mod trust;
mod trustless;
mod tutorial;
mod tree_command;
mod update_command;
mod update_reasons;
mod upload_times;
mod verify_command;
mod wheel;
mod why_command;
#[cfg(unix)]
mod workflows;

fn main() -> std::process::ExitCode {
    harness::main()
}
