//! `ipwhl publish`: publishes a release to the targets in `ipwhl.toml`.

// An import circle: the parts of publishing read its arguments, which stand beside its run.
mod check;
mod json;
mod release;
mod shown;
mod status;
mod tally;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::context::Context;
use super::exit::ExitStatus;
use super::keys::open;
use super::report::{MessageFormat, show};
use super::values::parse_size;
use crate::foundation::diagnostic::nearest;
use crate::foundation::failure::{Failure, FailureKind, error_chain};
use crate::publish::{NearbyCluster, PublishRun, Secret, Target, TargetContext, open_target};
use crate::release::signature::{
    PublicKey, SigningKey, TrustedKey, existing_key, named_key, own_key,
};
use crate::set::judgement::finish;
use crate::set::repository::{CONFIGURATION_FILE, PublishKind, PublishTarget, Repository};
use crate::source::{Client, Limits};
use shown::Shown;

/// How the program's own variables begin.
const OWN_VARIABLES: &str = "IPWHL_";

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

/// A number of bytes a second, and not none.
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
    // A mistake may hide whom the repository trusts, or where its releases go.
    if repository.has_errors() {
        let findings = finish(&repository, repository.findings.clone());
        show(context, &repository, &findings, MessageFormat::Text)?;
        return Err(Failure::finding(format!(
            "`{CONFIGURATION_FILE}` has mistakes, so nothing was published"
        )));
    }
    let targets = chosen(&repository.configuration.publish, &arguments.targets)?;
    let folder = match &arguments.release {
        Some(folder) => context.absolute(folder),
        None => directory.join("release"),
    };
    let mut opening = Opening {
        context,
        repository: &repository,
        key: None,
        named_key: arguments.key.clone(),
    };
    if arguments.status {
        return status::run(&opening, arguments, &targets, &folder);
    }
    if arguments.check {
        return check::run(&opening, arguments, &targets, &folder);
    }
    let mut release = release::read(context, &repository, &folder, arguments)?;
    // A passphrase is asked for before anything takes long.
    opening.key = targets
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

/// The targets of these names, in the order of the configuration; all of them for no name.
fn chosen<'c>(
    configured: &'c [PublishTarget],
    names: &[String],
) -> Result<Vec<&'c PublishTarget>, Failure> {
    if configured.is_empty() {
        return Err(Failure::usage(format!("`{CONFIGURATION_FILE}` has no targets"))
            .help("add a table `[publish.NAME]` with `kind = \"kubo\"` or another kind; see `docs/formats.md`, 9"));
    }
    for name in names {
        if configured.iter().any(|target| target.name == *name) {
            continue;
        }
        let known = configured.iter().map(|target| target.name.as_str());
        let failure = Failure::usage(format!("there is no target `{name}`"));
        return Err(match nearest(name, known.clone()) {
            Some(near) => failure.help(format!("did you mean `{near}`?")),
            None => {
                let known: Vec<String> = known.map(|name| format!("`{name}`")).collect();
                failure.help(format!("the targets are {}", known.join(", ")))
            }
        });
    }
    let is_named = |target: &&PublishTarget| names.is_empty() || names.contains(&target.name);
    Ok(configured.iter().filter(is_named).collect())
}

/// The key that is named, or the user's own, open. None is made: nobody would know it.
fn signing_key(context: &Context<'_>, argument: Option<&Path>) -> Result<SigningKey, Failure> {
    let found = existing_key(&context.session, argument).map_err(as_refusal)?;
    let found = found.ok_or_else(|| {
        Failure::world("there is no key to sign with")
            .help("name the key that signs releases with `--key FILE` or in `IPWHL_SIGNING_KEY`")
    })?;
    let public = found.public().0.clone();
    open(context, found)
        .map(|signer| signer.key)
        .map_err(|failure| {
            let mut error = as_refusal(failure);
            // Whoever has the key at hand would be told so only then.
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

/// What a target is told of a failure: what is wrong with what was given refuses the release.
fn as_refusal(failure: Failure) -> Failure {
    match failure.kind {
        FailureKind::Finding => Failure {
            kind: FailureKind::Refused,
            ..failure
        },
        _ => failure,
    }
}

/// What targets are opened with.
struct Opening<'o, 'e> {
    context: &'o Context<'e>,
    repository: &'o Repository,
    /// The key that signs what a target has signed, where one of the chosen ones needs it.
    key: Option<Result<SigningKey, Failure>>,
    /// The key of `--key`.
    named_key: Option<PathBuf>,
}

impl Opening<'_, '_> {
    /// Opens a target. Nothing is asked by that.
    fn open(&self, target: &PublishTarget) -> Result<Box<dyn Target>, Failure> {
        let key = self.key.as_ref();
        let mut context = target_context(self.context, self.repository, target, key)?;
        if let PublishKind::Ipns(_) = target.kind
            && context.signing_key.is_none()
        {
            context.public_key = self.public_key().map_err(as_refusal)?;
        }
        open_target(target, context)
    }

    /// The key that is named, or the only one that the repository trusts, or the user's own.
    /// Looking needs no private half.
    fn public_key(&self) -> Result<Option<PublicKey>, Failure> {
        if let Some(found) = named_key(&self.context.session, self.named_key.as_deref())? {
            return Ok(Some(found.public().0.clone()));
        }
        if let [line] = &self.repository.configuration.trusted[..]
            && let Ok(TrustedKey { key, .. }) = line.parse()
        {
            return Ok(Some(key));
        }
        Ok(own_key(&self.context.session)?.map(|found| found.public().0.clone()))
    }
}

/// What a target is given: its client, its secret out of the environment, the key where it needs
/// one.
fn target_context(
    context: &Context<'_>,
    repository: &Repository,
    target: &PublishTarget,
    key: Option<&Result<SigningKey, Failure>>,
) -> Result<TargetContext, Failure> {
    let signing_key = key
        .filter(|_| target.kind.needs_key())
        .cloned()
        .transpose()?;
    let is_own = |name: &OsStr| name.to_string_lossy().starts_with(OWN_VARIABLES);
    let client = client(context, Limits::default())?;
    // A node may belong to one of the clusters.
    let mut clusters = Vec::new();
    if let PublishKind::Kubo(_) = target.kind {
        for other in &repository.configuration.publish {
            if let PublishKind::Cluster(settings) = &other.kind {
                clusters.push(NearbyCluster {
                    name: other.name.clone(),
                    api: settings.api.clone(),
                    secret: secret(context, other)?,
                    variable: other.variable("TOKEN"),
                    client: client.clone(),
                });
            }
        }
    }
    Ok(TargetContext {
        client,
        gateway_client: self::client(context, Limits::of_gateways())?,
        clusters,
        folder: repository.directory.clone(),
        secret: secret(context, target)?,
        variable: target.variable("TOKEN"),
        now: context.session.now(),
        variables: context
            .environment
            .variables
            .iter()
            .filter(|(name, _)| !is_own(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        public_key: None,
        signing_key,
    })
}

/// What asks the network.
fn client(context: &Context<'_>, limits: Limits) -> Result<Client, Failure> {
    let settings = context.session.client_settings(limits).direct_on_loopback();
    Client::new(&settings).map_err(|error| Failure::world(error_chain(&error)))
}

fn secret(context: &Context<'_>, target: &PublishTarget) -> Result<Option<Secret>, Failure> {
    let (token, basic) = (target.variable("TOKEN"), target.variable("BASIC"));
    let value = |name: &str| context.environment.variable(name);
    let made = match (value(&token), value(&basic)) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            return Err(
                Failure::usage(format!("both `{token}` and `{basic}` are set"))
                    .help("set only the one that the target needs"),
            );
        }
        (Some(text), None) => text.to_str().map(|text| (&token, Secret::bearer(text))),
        (None, Some(text)) => text.to_str().map(|text| (&basic, Secret::basic(text))),
    };
    match made {
        Some((_, Ok(secret))) => Ok(Some(secret)),
        // What it holds is not said.
        Some((name, Err(_))) if *name == basic => Err(Failure::usage(format!(
            "`{basic}` does not have the form `user:password`, or it has a control character"
        ))),
        _ => Err(Failure::usage(format!(
            "`{token}` or `{basic}` cannot be sent in an HTTP header: does it contain a line feed?"
        ))),
    }
}
