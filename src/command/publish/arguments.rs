//! The arguments of `ipwhl publish`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::foundation::size::parse_size;

/// Publish a release
///
/// Verifies the archive (`release.car`, or else `release.delta.car`) and its statement, then
/// publishes them to each TARGET, which is a table `[publish.NAME]` in `ipwhl.toml`. Targets that
/// store releases come first. Targets that point to a release follow after one of these has stored
/// it. Blocks that a target already has are not transferred again, and an interrupted run is
/// continued. At the end, the root and some wheels are read back from the target. Secrets come from
/// the environment: `IPWHL_PUBLISH_<NAME>_TOKEN`, or `IPWHL_PUBLISH_<NAME>_BASIC` with
/// `user:password`.
///
/// The release must follow the one that a target has. Statements between the two are read from
/// `statements` beside the archive, from targets of the kinds `directory` and `git`, and from the
/// files of `--follow`.
///
/// `--status` shows the releases of each target. The exit code is 1 if a target is behind or a
/// statement has expired. `--check` verifies every block of the releases that each target claims to
/// have. The exit code is 1 if one is damaged.
///
/// Example: ipwhl publish --dry-run
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(in crate::command) struct Arguments {
    /// The targets to publish to [default: all]
    #[arg(value_name = "TARGET")]
    pub(super) targets: Vec<String>,
    /// The folder with `release.car` and `release.toml` [default: `release` in the repository]
    #[arg(long, value_name = "DIR")]
    pub(super) release: Option<PathBuf>,
    /// Print the planned transfers and changes without making them
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Publish the release without a statement
    #[arg(long)]
    pub(super) unsigned: bool,
    /// A statement between the release of a target and this one; its signatures are beside it;
    /// repeatable
    #[arg(long, value_name = "STATEMENT", conflicts_with = "unsigned")]
    pub(super) follow: Vec<PathBuf>,
    /// The key for tags and IPNS records: its file, or its public key if an agent has the private
    /// key [default: `IPWHL_SIGNING_KEY`, else your own key]
    #[arg(long, value_name = "KEY")]
    pub(super) key: Option<PathBuf>,
    /// Show the releases of each target and publish nothing
    #[arg(long, conflicts_with_all = ["dry_run", "unsigned", "check"])]
    pub(super) status: bool,
    /// Verify every block of the releases that each target claims to have, and publish nothing
    #[arg(long, conflicts_with_all = ["dry_run", "unsigned", "follow"])]
    pub(super) check: bool,
    /// Repair damage that `--check` finds, with blocks from the archives in the release's folder,
    /// from the gateways of other targets and from `[mirrors]`
    #[arg(long, requires = "check")]
    pub(super) repair: bool,
    /// The maximum rate of `--check`, in bytes per second
    #[arg(long, value_name = "SIZE", requires = "check", default_value = "32MiB", value_parser = rate)]
    pub(super) rate: u64,
    /// The output format
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(super) format: Format,
}

/// The output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Text for people.
    Text,
    /// One JSON object with a list `targets`.
    Json,
}

/// A number of bytes per second, greater than zero.
fn rate(text: &str) -> Result<u64, String> {
    match parse_size(text)? {
        0 => Err("the rate must be larger than 0".to_owned()),
        rate => Ok(rate),
    }
}
