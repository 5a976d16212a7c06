//! `ipwhl publish`: a release to the targets that `ipwhl.toml` names.

// An import circle: the parts of publishing read its arguments, which stand beside its run.
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
/// Verifies the archive, `release.car` or else `release.delta.car`, and its statement, then brings
/// them to each TARGET: the tables `[publish.NAME]` of `ipwhl.toml`. Targets that hold releases
/// come first; those that lead to one follow when one of them holds it. What a target has already
/// is not moved again, a run that was cut goes on, and at the end the root and some wheels are read
/// back through the target. Secrets come from the environment: `IPWHL_PUBLISH_<NAME>_TOKEN`, or
/// `IPWHL_PUBLISH_<NAME>_BASIC` with `user:password`.
///
/// A release has to follow the one that a target holds. Statements between the two are looked for
/// in `statements` beside the archive, in targets of the kinds `directory` and `git`, and in the
/// files of `--follow`.
///
/// `--status` says what each target holds, and ends with exit code 1 where one is behind or a
/// statement has expired. `--check` reads every block of what each target claims to hold, and ends
/// with exit code 1 where one is damaged.
///
/// Example: ipwhl publish --dry-run
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(super) struct Arguments {
    /// The targets [default: all]
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// The folder with `release.car` and `release.toml` [default: `release` in the repository]
    #[arg(long, value_name = "DIR")]
    release: Option<PathBuf>,
    /// Say what would be moved and changed, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Publish without a statement that vouches for the release
    #[arg(long)]
    unsigned: bool,
    /// A statement between the release that a target holds and this one, signatures beside it;
    /// several
    #[arg(long, value_name = "STATEMENT", conflicts_with = "unsigned")]
    follow: Vec<PathBuf>,
    /// The key for tags and IPNS records: its file, or its public half where an agent has the
    /// private one [default: `IPWHL_SIGNING_KEY`, else your own]
    #[arg(long, value_name = "KEY")]
    key: Option<PathBuf>,
    /// Say what each target holds, and publish nothing
    #[arg(long, conflicts_with_all = ["dry_run", "unsigned", "check"])]
    status: bool,
    /// Read every block of what each target claims to hold, and publish nothing
    #[arg(long, conflicts_with_all = ["dry_run", "unsigned", "follow"])]
    check: bool,
    /// Mend what `--check` finds damaged, with blocks of the archives in the release's folder, of
    /// the gateways of other targets and of `[mirrors]`
    #[arg(long, requires = "check")]
    repair: bool,
    /// How many bytes a second `--check` reads
    #[arg(long, value_name = "SIZE", requires = "check", default_value = "32MiB", value_parser = rate)]
    rate: u64,
    /// How the result is printed
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    format: Format,
}

/// How the result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs: one object (`docs/formats.md`, 8).
    Json,
}

/// A number of bytes a second, and not none.
fn rate(text: &str) -> Result<u64, String> {
    match parse_size(text)? {
        0 => Err("nothing would ever be read".to_owned()),
        rate => Ok(rate),
    }
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let directory = context.own_repository_directory()?;
    let repository =
        Repository::load_configuration(&directory).map_err(|error| Failure::world(&error))?;
    // A mistake may hide whom the repository trusts, or where its releases go.
    if repository.has_errors() {
        let findings = finish(&repository, repository.findings.clone());
        show(context, &repository, &findings, MessageFormat::Text)?;
        return Err(Failure::finding(format!(
            "`{CONFIGURATION_FILE}` has mistakes, and so nothing is published"
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
    // A passphrase is asked for before anything takes long.
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

/// The key that is named, or the user's own, open. None is made: nobody would know it.
fn signing_key(context: &Context<'_>, argument: Option<&Path>) -> Result<SigningKey, Failure> {
    let found = existing_key(&context.session, argument).map_err(Failure::into_refusal)?;
    let found = found.ok_or_else(|| {
        Failure::world("there is no key to sign with")
            .help("give the key that signs releases with `--key FILE` or in `IPWHL_SIGNING_KEY`")
    })?;
    let public = found.public().0.clone();
    open(context, found)
        .map(|signer| signer.key)
        .map_err(|failure| {
            let mut error = failure.into_refusal();
            // Whoever has the key at hand would be told so only then.
            if public.ed25519().is_none() {
                error.message = format!(
                    "the key {} is in hardware, which cannot sign IPNS records; and for tags, {}",
                    public.fingerprint(),
                    error.message
                );
            }
            error
        })
}
