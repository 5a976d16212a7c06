//! `ipwhl publish`: publishes a release to the targets in `ipwhl.toml`.

mod arguments;
mod check;
mod json;
mod shown;
mod status;
mod tally;

use std::path::Path;

use super::context::Context;
use super::exit::ExitStatus;
use super::keys::open;
use super::report::{MessageFormat, show};
use crate::foundation::failure::Failure;
use crate::publish::{Opening, PublicationRequest, PublishRun, chosen_targets};
use crate::release::signature::{SigningKey, existing_key};
use crate::set::judgement::finish;
use crate::set::repository::{CONFIGURATION_FILE, Repository};
use shown::Shown;

pub(super) use arguments::Arguments;

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
