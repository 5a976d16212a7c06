//! `ipwhl publish`: publishes a release to the targets in `ipwhl.toml`.

// An import cycle: the submodules read the arguments, which are defined beside `run`.
mod check;
mod json;
mod shown;
mod status;
mod tally;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::context::Context;
use super::exit::ExitStatus;
use super::keys::open;
use super::report::{MessageFormat, show};
use crate::foundation::failure::Failure;
use crate::foundation::size::parse_size;
use crate::publish::{Opening, PublicationRequest, PublishRun, chosen_targets};
use crate::release::signature::{SigningKey, existing_key};
use crate::set::judgement::finish;
use crate::set::repository::{CONFIGURATION_FILE, Repository};
use shown::Shown;

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
pub(super) struct Arguments {
    /// The targets to publish to [default: all]
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// The folder with `release.car` and `release.toml` [default: `release` in the repository]
    #[arg(long, value_name = "DIR")]
    release: Option<PathBuf>,
    /// Print the planned transfers and changes without making them
    #[arg(long)]
    dry_run: bool,
    /// Publish the release without a statement
    #[arg(long)]
    unsigned: bool,
    /// A statement between the release of a target and this one; its signatures are beside it;
    /// repeatable
    #[arg(long, value_name = "STATEMENT", conflicts_with = "unsigned")]
    follow: Vec<PathBuf>,
    /// The key for tags and IPNS records: its file, or its public key if an agent has the private
    /// key [default: `IPWHL_SIGNING_KEY`, else your own key]
    #[arg(long, value_name = "KEY")]
    key: Option<PathBuf>,
    /// Show the releases of each target and publish nothing
    #[arg(long, conflicts_with_all = ["dry_run", "unsigned", "check"])]
    status: bool,
    /// Verify every block of the releases that each target claims to have, and publish nothing
    #[arg(long, conflicts_with_all = ["dry_run", "unsigned", "follow"])]
    check: bool,
    /// Repair damage that `--check` finds, with blocks from the archives in the release's folder,
    /// from the gateways of other targets and from `[mirrors]`
    #[arg(long, requires = "check")]
    repair: bool,
    /// The maximum rate of `--check`, in bytes per second
    #[arg(long, value_name = "SIZE", requires = "check", default_value = "32MiB", value_parser = rate)]
    rate: u64,
    /// The output format
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    format: Format,
}

/// The output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text for people.
    Text,
    /// One JSON object (`docs/formats.md`, 8).
    Json,
}

/// A number of bytes per second, greater than zero.
fn rate(text: &str) -> Result<u64, String> {
    match parse_size(text)? {
        0 => Err("the rate must be larger than 0".to_owned()),
        rate => Ok(rate),
    }
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let directory = context.own_repository_directory()?;
    let repository =
        Repository::load_configuration(&directory).map_err(|error| Failure::world(&error))?;
    // A mistake may hide trusted keys or targets.
    if repository.has_errors() {
        let findings = finish(&repository, repository.findings.clone());
        show(context, &repository, &findings, MessageFormat::Text)?;
        return Err(Failure::finding(format!(
            "`{CONFIGURATION_FILE}` has mistakes, so nothing was published"
        )));
    }
    let targets = chosen_targets(&repository.configuration.publish, &arguments.targets)?;
    let folder = match &arguments.release {
        Some(folder) => context.absolute(folder),
        None => directory.join("release"),
    };
    let mut opening = Opening {
        session: &context.session,
        repository: &repository,
        signing_key: None,
        named_key: arguments.key.clone(),
    };
    let named_repository = context.named_repository();
    let request = PublicationRequest {
        repository: &repository,
        folder: &folder,
        key: arguments.key.as_deref(),
        is_unsigned: arguments.unsigned,
        follow: &arguments.follow,
        named_repository: named_repository.as_deref(),
    };
    if arguments.status {
        return status::run(context, &opening, arguments, &targets, &request);
    }
    if arguments.check {
        return check::run(context, &opening, arguments, &targets, &folder);
    }
    let mut release = request.read(&context.session, &mut |notice| {
        context.warning(&notice.to_string());
    })?;
    // Prompts for the passphrase before any long work.
    opening.signing_key = targets
        .iter()
        .any(|target| target.kind.needs_key())
        .then(|| signing_key(context, arguments.key.as_deref()));
    let shown = Shown::new(context, release.sample.wheels.len());
    let mut run = PublishRun {
        release: &mut release,
        configured: &repository.configuration.publish,
        open: &|target| opening.open(target),
        observer: &shown,
    };
    let outcomes = context
        .session
        .runtime()?
        .block_on(run.publish(&targets, arguments.dry_run));
    shown.clear();
    tally::tell(context, arguments, &release, &outcomes)
}

/// The named key or the user's own key, opened. No key is created, because no reader would know it.
fn signing_key(context: &Context<'_>, argument: Option<&Path>) -> Result<SigningKey, Failure> {
    let found = existing_key(&context.session, argument).map_err(Failure::into_refusal)?;
    let found = found.ok_or_else(|| {
        Failure::world("there is no key to sign with")
            .help("name the key that signs releases with `--key FILE` or in `IPWHL_SIGNING_KEY`")
    })?;
    let public = found.public().0.clone();
    open(context, found)
        .map(|signer| signer.key)
        .map_err(|failure| {
            let mut error = failure.into_refusal();
            // Without this note, a user with the right key would learn the reason only later.
            if public.ed25519().is_none() {
                error.message = format!(
                    "the key {} is in hardware, which cannot sign IPNS records; for tags: {}",
                    public.fingerprint(),
                    error.message
                );
            }
            error
        })
}
