//! Whom a repository trusts to sign its releases.

use std::path::PathBuf;

use super::context::Context;
use super::report::{MessageFormat, show};
use crate::foundation::diagnostic::shell_word;
use crate::foundation::failure::{Failure, error_chain};
use crate::release::statement::Statement;
use crate::release::trust::TrustPolicy;
use crate::set::check;
use crate::set::repository::{CONFIGURATION_FILE, Configuration, Repository};

/// The trust policy of a repository; `None` where it trusts no key.
pub(super) fn policy(configuration: &Configuration) -> Result<Option<TrustPolicy>, Failure> {
    if configuration.trusted.is_empty() {
        return Ok(None);
    }
    let threshold = u32::try_from(configuration.threshold).unwrap_or(u32::MAX);
    TrustPolicy::from_lines(configuration.trusted.iter().map(String::as_str), threshold)
        .map(Some)
        .map_err(|error| {
            Failure::finding(format!(
                "`trusted` in `ipwhl.toml` cannot be used: {}",
                error_chain(&error)
            ))
        })
}

/// Whom a statement is held to.
#[derive(Debug, Default)]
pub(super) struct Trust {
    /// Whose signatures count; `None` where nobody's do.
    pub(super) policy: Option<TrustPolicy>,
    /// The name that the statement has to have.
    pub(super) name: Option<String>,
    /// The file that says so; `None` where it was named on the command line.
    pub(super) file: Option<PathBuf>,
}

impl Trust {
    /// Refuses a statement of another repository.
    pub(super) fn check_name(&self, place: &str, statement: &Statement) -> Result<(), Failure> {
        match &self.name {
            Some(name) if *name != statement.name => Err(Failure::finding(format!(
                "`{place}` is of {:?}, and this repository is {name:?}",
                statement.name
            ))),
            _ => Ok(()),
        }
    }
}

/// Whom the repository around trusts; `None` where there is no repository.
pub(super) fn repository_trust(
    context: &Context<'_>,
) -> Result<Option<(Trust, Configuration)>, Failure> {
    let Ok(directory) = context.repository_directory() else {
        return Ok(None);
    };
    let repository =
        Repository::load_configuration(&directory).map_err(|error| Failure::world(&error))?;
    // A mistake may hide whom the repository trusts: then nobody is, and nothing is waved through.
    if repository.has_errors() {
        let findings = check::finish(&repository, repository.findings.clone());
        show(context, &repository, &findings, MessageFormat::Text)?;
        return Err(Failure::finding(format!(
            "`{CONFIGURATION_FILE}` has mistakes, and so nobody can tell whom the repository trusts"
        )));
    }
    let configuration = repository.configuration;
    let policy = policy(&configuration)?;
    let name = policy.is_some().then(|| configuration.name.clone());
    let file = policy.is_some().then(|| directory.join(CONFIGURATION_FILE));
    let trust = Trust { policy, name, file };
    Ok(Some((trust, configuration)))
}

/// Refuses an `ipwhl.toml` of another user in a folder above.
pub(super) fn refuse_foreign_repository(context: &Context<'_>) -> Result<(), Failure> {
    let Some(directory) = context.foreign_repository() else {
        return Ok(());
    };
    let file = directory.join(CONFIGURATION_FILE);
    Err(Failure::finding(format!(
        "`{}` belongs to another user, so it does not say whom you trust",
        context.shown(&file)
    ))
    .help(format!(
        "name the keys that you trust with `--allowed-signers FILE`, or `--repository {}` if you trust that repository",
        shell_word(&context.shown(&directory))
    )))
}
