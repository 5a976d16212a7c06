//! The keys that a repository and its user trust.

use std::path::{Path, PathBuf};

use super::note::{TrustFailure, TrustNote};
use super::{TrustError, TrustPolicy};
use crate::foundation::diagnostic::shell_word;
use crate::foundation::failure::{Failure, error_chain};
use crate::release::signature::{TrustedKey, existing_key};
use crate::release::statement::Statement;
use crate::set::judgement;
use crate::set::repository::{CONFIGURATION_FILE, Configuration, Repository};
use crate::source::Session;

/// The trust policy of a repository; `None` if it trusts no key.
///
/// # Errors
/// When its keys or its threshold cannot be used.
pub fn policy(configuration: &Configuration) -> Result<Option<TrustPolicy>, Failure> {
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

/// The requirements for a statement.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The policy; `None` if no key is trusted.
    pub policy: Option<TrustPolicy>,
    /// The required name of the repository.
    pub name: Option<String>,
    /// The file that defines them; `None` if they come from the command line.
    pub file: Option<PathBuf>,
}

impl Trust {
    /// Refuses a statement of another repository.
    ///
    /// # Errors
    /// When it belongs to another repository.
    pub fn check_name(&self, place: &str, statement: &Statement) -> Result<(), Failure> {
        match &self.name {
            Some(name) if *name != statement.name => Err(Failure::finding(format!(
                "`{place}` is of {:?}, but this repository is {name:?}",
                statement.name
            ))),
            _ => Ok(()),
        }
    }
}

/// The repository around a reader, whose trust applies if no option names keys.
#[derive(Debug, Clone, Default)]
pub struct RepositoryAround {
    /// Its folder; `None` if there is none.
    pub directory: Option<PathBuf>,
    /// Whether it belongs to another user, in a folder above, and was not named explicitly.
    pub is_foreign: bool,
}

/// The trust of the repository in a folder, and its settings.
///
/// # Errors
/// When they cannot be read, or contain mistakes: then no key is trusted.
pub fn repository_trust(directory: &Path) -> Result<(Trust, Configuration), TrustFailure> {
    let repository =
        Repository::load_configuration(directory).map_err(|error| Failure::world(&error))?;
    // A mistake may hide the trusted keys.
    if repository.has_errors() {
        let findings = judgement::finish(&repository, repository.findings.clone());
        let failure = Failure::finding(format!(
            "`{CONFIGURATION_FILE}` contains mistakes, so the trusted keys of the repository are unknown"
        ));
        return Err(TrustFailure {
            notes: vec![TrustNote::Mistakes {
                repository: Box::new(repository),
                findings,
            }],
            failure,
        });
    }
    let configuration = repository.configuration;
    let policy = policy(&configuration)?;
    let name = policy.is_some().then(|| configuration.name.clone());
    let file = policy.is_some().then(|| directory.join(CONFIGURATION_FILE));
    Ok((Trust { policy, name, file }, configuration))
}

/// Refuses an `ipwhl.toml` of another user in a folder above.
pub(super) fn refuse_foreign_repository(
    session: &Session,
    around: &RepositoryAround,
) -> Result<(), Failure> {
    let Some(directory) = around.directory.as_deref().filter(|_| around.is_foreign) else {
        return Ok(());
    };
    let shown = |path: &Path| session.environment().shown(path);
    let file = directory.join(CONFIGURATION_FILE);
    Err(Failure::finding(format!(
        "`{}` belongs to another user, so its trusted keys do not apply to you",
        shown(&file)
    ))
    .help(format!(
        "name the keys that you trust with `--allowed-signers FILE`, or `--repository {}` if you \
         trust that repository",
        shell_word(&shown(directory))
    )))
}

/// The policy for people who work in a repository: its `trusted` keys, and if it names none, the
/// named key or the user's own. `None` if there is neither.
///
/// # Errors
/// When the keys, or the named one, cannot be used.
pub fn policy_or_own(
    session: &Session,
    configuration: &Configuration,
    key: Option<&Path>,
) -> Result<Option<TrustPolicy>, Failure> {
    if let Some(policy) = policy(configuration)? {
        return Ok(Some(policy));
    }
    let Some(own) = existing_key(session, key)? else {
        return Ok(None);
    };
    let (key, comment) = own.public();
    let own = TrustedKey {
        key: key.clone(),
        name: comment.to_owned(),
    };
    TrustPolicy::of_keys(&[own], 1)
        .map(Some)
        .map_err(|error: TrustError| Failure::caused(&error))
}
