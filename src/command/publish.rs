//! `ipwhl publish`: a release to the targets that `ipwhl.toml` names.

mod release;
mod shown;
mod tally;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::Args;
use tokio::runtime::Runtime;

use super::context::Context;
use super::exit::{ExitStatus, Failure};
use super::keys::existing_key;
use super::network::runtime;
use super::report::{MessageFormat, show};
use crate::check;
use crate::diagnostic::nearest;
use crate::publish::{
    Plan, Publication, Secret, Target, TargetContext, TargetError, check_newer, open_target,
};
use crate::repository::{CONFIGURATION_FILE, PublishTarget, Repository};
use crate::signature::SigningKey;
use crate::source::{Client, ClientSettings, Limits};
use shown::Shown;
use tally::Tally;

/// How the program's own variables begin.
const OWN_VARIABLES: &str = "IPWHL_";

/// Publish a release
///
/// Verifies the archive, `release.car` or else `release.delta.car`, and its statement, then brings them to each TARGET: the tables `[publish.NAME]` of
/// `ipwhl.toml`, in their order there. What a target has already is not moved again, a run that was cut goes
/// on, and at the end the root and some wheels are read back through the target. Secrets come from the
/// environment: `IPWHL_PUBLISH_<NAME>_TOKEN`, or `IPWHL_PUBLISH_<NAME>_BASIC` with `user:password`.
///
/// Example: ipwhl publish --dry-run
#[derive(Debug, Args)]
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
    /// The key for tags and IPNS records: its file, or its public half where an agent has the private one [default:
    /// `IPWHL_SIGNING_KEY`, else your own]
    #[arg(long, value_name = "KEY")]
    key: Option<PathBuf>,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let directory = context.own_repository_directory()?;
    let repository =
        Repository::load_configuration(&directory).map_err(|error| Failure::world(&error))?;
    // A mistake may hide whom the repository trusts, or where its releases go.
    if repository.has_errors() {
        let findings = check::finish(&repository, repository.findings.clone());
        show(context, &repository, &findings, MessageFormat::Text)?;
        return Err(Failure::finding(format!(
            "`{CONFIGURATION_FILE}` has mistakes, and so nothing is published"
        )));
    }
    let targets = chosen(&repository.configuration.publish, &arguments.targets)?;
    let folder = match &arguments.release {
        Some(folder) => context.absolute(folder),
        None => directory.join("release"),
    };
    let named = arguments.key.as_deref();
    let release = release::read(context, &repository, &folder, arguments.unsigned, named)?;
    // A passphrase is asked for before anything takes long.
    let key = targets
        .iter()
        .any(|target| target.kind.needs_key())
        .then(|| signing_key(context, arguments.key.as_deref()));
    let runtime = runtime()?;
    let going = PublishRun {
        context,
        repository: &repository,
        release: &release,
        key: key.as_ref(),
        runtime: &runtime,
    };
    let mut tally = Tally::default();
    // Some targets cannot be undone, so every one is asked before the first is given anything.
    let mut ready = Vec::new();
    for configured in targets {
        let shown = Shown::new(context, &configured.name);
        let outcome = going.plan(configured, &shown);
        shown.clear();
        match outcome {
            Ok(planned) => ready.push((configured, shown, planned)),
            Err(error) => tally.failed(&configured.name, &shown, &error),
        }
    }
    if arguments.dry_run {
        for (_, shown, (target, plan)) in &ready {
            for line in shown.plan(&target.place(), plan) {
                context.result(&line)?;
            }
        }
        return Ok(tally.status());
    }
    for (configured, shown, planned) in ready {
        if tally.has_refused() {
            tally.left(&configured.name);
            continue;
        }
        shown.resume();
        // What an earlier target was given, this one may find, and lack no more.
        let planned = if tally.has_changed {
            going.plan(configured, &shown)
        } else {
            Ok(planned)
        };
        let mut results = Vec::new();
        let outcome = planned.and_then(|(target, _)| {
            tally.has_changed = true;
            going.carry_out(target, &shown, &mut results)
        });
        shown.clear();
        // What was done is a result even where it does not show yet.
        for line in results {
            context.result(&line)?;
        }
        if let Err(error) = outcome {
            tally.failed(&configured.name, &shown, &error);
        }
    }
    tally.tell(context, arguments);
    Ok(tally.status())
}

/// The targets of these names, in the order of the configuration; all of them for no name.
fn chosen<'c>(
    configured: &'c [PublishTarget],
    names: &[String],
) -> Result<Vec<&'c PublishTarget>, Failure> {
    if configured.is_empty() {
        return Err(Failure::usage(format!("`{CONFIGURATION_FILE}` names no target"))
            .help("write `[publish.NAME]` and below it `kind = \"kubo\"`, or another kind; see `docs/formats.md`, 9"));
    }
    for name in names {
        if configured.iter().any(|target| target.name == *name) {
            continue;
        }
        let known = configured.iter().map(|target| target.name.as_str());
        let failure = Failure::usage(format!("no target is called `{name}`"));
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
fn signing_key(context: &Context<'_>, argument: Option<&Path>) -> Result<SigningKey, TargetError> {
    let found = existing_key(context, argument).map_err(TargetError::from)?;
    let found = found.ok_or_else(|| {
        TargetError::world("there is no key to sign with")
            .help("give the key that signs releases with `--key FILE` or in `IPWHL_SIGNING_KEY`")
    })?;
    let public = found.public().0.clone();
    found
        .open(context)
        .map(|signer| signer.key)
        .map_err(|failure| {
            let mut error = TargetError::from(failure);
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

impl From<Failure> for TargetError {
    fn from(failure: Failure) -> Self {
        Self {
            is_refusal: failure.status == ExitStatus::Findings,
            message: failure.message,
            help: failure.help,
        }
    }
}

/// A release on its way to targets.
struct PublishRun<'g, 'e> {
    context: &'g Context<'e>,
    repository: &'g Repository,
    release: &'g Publication,
    key: Option<&'g Result<SigningKey, TargetError>>,
    runtime: &'g Runtime,
}

impl PublishRun<'_, '_> {
    /// A target, and what would be done there; a refusal where it holds something that the release does not follow.
    fn plan(
        &self,
        configured: &PublishTarget,
        shown: &Shown<'_, '_>,
    ) -> Result<(Box<dyn Target>, Plan), TargetError> {
        let context = target_context(self.context, self.repository, configured, self.key)?;
        let mut target = open_target(configured, context)?;
        let report = |step| shown.step(step);
        let plan = self.runtime.block_on(target.plan(self.release, &report))?;
        if let Some(held) = &plan.held {
            check_newer(self.release, held)?;
        }
        Ok((target, plan))
    }

    /// Does what is planned. `results` gets lines of the result, also where it fails after them.
    fn carry_out(
        &self,
        mut target: Box<dyn Target>,
        shown: &Shown<'_, '_>,
        results: &mut Vec<String>,
    ) -> Result<(), TargetError> {
        let report = |step| shown.step(step);
        let done = self
            .runtime
            .block_on(target.carry_out(self.release, &report))?;
        shown.done(&target.place(), &done);
        results.extend(done.results);
        let back = self
            .runtime
            .block_on(target.read_back(self.release, &report))?;
        shown.read_back(self.release, &back);
        Ok(())
    }
}

/// What a target is given: its client, its secret out of the environment, the key where it needs one.
fn target_context(
    context: &Context<'_>,
    repository: &Repository,
    target: &PublishTarget,
    key: Option<&Result<SigningKey, TargetError>>,
) -> Result<TargetContext, TargetError> {
    let signing_key = key
        .filter(|_| target.kind.needs_key())
        .cloned()
        .transpose()?;
    let is_own = |name: &OsStr| name.to_string_lossy().starts_with(OWN_VARIABLES);
    let variables = |name: &str| context.environment.variable(name).map(ToOwned::to_owned);
    let settings =
        ClientSettings::from_variables(&variables, Limits::default()).direct_on_loopback();
    let client =
        Client::new(&settings).map_err(|error| TargetError::world(super::exit::chain(&error)))?;
    Ok(TargetContext {
        client,
        folder: repository.directory.clone(),
        secret: secret(context, target)?,
        variable: target.variable("TOKEN"),
        now: context.environment.clock.now(),
        variables: context
            .environment
            .variables
            .iter()
            .filter(|(name, _)| !is_own(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        signing_key,
    })
}

fn secret(context: &Context<'_>, target: &PublishTarget) -> Result<Option<Secret>, TargetError> {
    let (token, basic) = (target.variable("TOKEN"), target.variable("BASIC"));
    let value = |name: &str| context.environment.variable(name);
    let made = match (value(&token), value(&basic)) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            return Err(
                TargetError::refused(format!("both `{token}` and `{basic}` are set"))
                    .help("set the one that the target asks for"),
            );
        }
        (Some(text), None) => text.to_str().map(|text| (&token, Secret::bearer(text))),
        (None, Some(text)) => text.to_str().map(|text| (&basic, Secret::basic(text))),
    };
    match made {
        Some((_, Ok(secret))) => Ok(Some(secret)),
        // What it holds is not said.
        Some((name, Err(_))) if *name == basic => Err(TargetError::refused(format!(
            "`{basic}` is not of the form `user:password`, or has a control character in it"
        ))),
        _ => Err(TargetError::refused(format!(
            "`{token}` or `{basic}` is no text for a header: is there a line feed in it?"
        ))),
    }
}
