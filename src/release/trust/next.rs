//! The next statement of a repository: early checks before a long build, its text, and its
//! signature.

use std::fs;
use std::path::{Path, PathBuf};

use ipwhl_packaging::wheel::CHECKS_VERSION;
use ipwhl_unixfs::Cid;
use jiff::Timestamp;

use super::countersign::{add_signature, may_follow, may_sign};
use super::previous::{previous_in_place, previous_of_build};
use super::{Quorum, Trust, expired, policy, quorums};
use crate::foundation::diagnostic::{Finding, shell_word};
use crate::foundation::failure::{Failure, error_chain};
use crate::release::names::STATEMENT;
use crate::release::signature::{FoundKey, KeyError, OpenKey};
use crate::release::statement::folder::keep_statement;
use crate::release::statement::{
    Draft, SignedStatement, Statement, is_signature_of, parse_lifetime,
};
use crate::set::check::NEED_ARCHIVE;
use crate::set::repository::{Configuration, Repository, Withdrawal};
use crate::source::Session;

/// The options for the next statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NextRequest {
    /// Its lifetime, as in `180d`.
    pub expires: Option<String>,
    /// If nothing has changed, it is made only if the previous one expires within this time.
    pub renew_within: Option<String>,
    /// Sign a new one even if the root is unchanged.
    pub renew: bool,
    /// Follow the previous one even if it has expired.
    pub after_expiry: bool,
    /// The previous one, a file or an address; `None` for the one at the output path.
    pub previous: Option<String>,
    /// Whether the network is forbidden.
    pub offline: bool,
    /// The named key.
    pub key: Option<PathBuf>,
}

/// The known parts of the next statement before there is a root to sign.
#[derive(Debug)]
pub struct NextStatement {
    previous: Option<SignedStatement>,
    expires: Option<Timestamp>,
    renew_by: Option<Timestamp>,
    renew: bool,
    now: Timestamp,
    checks: Option<u32>,
}

/// The result for the next statement.
#[derive(Debug)]
pub enum SignedNext {
    /// A new statement was signed.
    New {
        /// The statement and its signature.
        signed: SignedStatement,
        /// The sets of keys that must sign it.
        quorums: Vec<Quorum>,
    },
    /// The previous one has the same contents already.
    Unchanged(SignedStatement),
}

impl NextStatement {
    /// Finds the previous statement, and checks whether it may be followed.
    ///
    /// # Errors
    /// When a time is invalid, or the previous statement cannot be followed.
    pub fn prepare(
        session: &Session,
        configuration: &Configuration,
        request: &NextRequest,
        folder: &Path,
    ) -> Result<Self, Failure> {
        let now = session.now();
        let expires = from_now("--expires", request.expires.as_deref(), now)?;
        let renew_by = from_now("--renew-within", request.renew_within.as_deref(), now)?;
        if let (Some(expires), Some(renew_by)) = (expires, renew_by)
            && renew_by >= expires
        {
            return Err(Failure::usage(
            "`--renew-within` is not shorter than `--expires`: each build would sign a new statement",
        )
        .help("use a part of that time, as in `--expires 90d --renew-within 30d`"));
        }
        let previous = found_previous(session, configuration, request, folder)?;
        if previous.is_none() && (request.renew || request.after_expiry) {
            let option = if request.renew {
                "--renew"
            } else {
                "--after-expiry"
            };
            let folder = session.environment().shown(folder);
            return Err(Failure::usage(format!(
                "`{option}` needs a previous statement, and `{folder}` has none"
            ))
            .help(format!(
                "leave out `{option}` for the first release, or name the previous statement with \
                 `--previous STATEMENT`"
            )));
        }
        if let Some((previous, place)) = &previous
            && previous.statement.is_expired(now)
            && !request.after_expiry
        {
            return Err(expired(place, &previous.statement).help(
            "make sure that it is the newest statement, and not an old one from an attacker; then \
             follow it with `--after-expiry`",
        ));
        }
        Ok(Self {
            previous: previous.map(|(previous, _)| previous),
            expires,
            renew_by,
            renew: request.renew,
            now,
            checks: Some(CHECKS_VERSION),
        })
    }

    /// Checks whether this key may sign it.
    ///
    /// # Errors
    /// When the repository does not trust the key, or the previous statement does not name it.
    pub fn check_key(&self, configuration: &Configuration, key: &FoundKey) -> Result<(), Failure> {
        let trust = Trust {
            policy: policy(configuration)?,
            ..Trust::default()
        };
        may_sign(&trust, key, self.now)?;
        let before = self.previous().map(|signed| &signed.statement);
        may_follow(before, key.public().0, self.now)
    }

    /// The previous statement.
    pub fn previous(&self) -> Option<&SignedStatement> {
        self.previous.as_ref()
    }

    /// Records the findings about wheels. A release does not record findings that `--allow`
    /// permitted, and only a wheel shows them again: then the statement does not claim the checks,
    /// so that the release is not reused.
    pub fn note(&mut self, repository: &Repository, findings: &[Finding]) {
        let allowed = &repository.configuration.allowed;
        let mut found = findings.iter().map(|finding| finding.code);
        if found.any(|code| allowed.contains(&code) && NEED_ARCHIVE.contains(&code)) {
            self.checks = None;
        }
    }

    /// The statement of this root, signed by a key. The previous one is kept beside it: it proves
    /// to targets with an older release that this one follows.
    ///
    /// # Errors
    /// When it cannot be made or signed, or the previous one cannot be kept.
    pub fn sign(
        self,
        configuration: &Configuration,
        root: Cid,
        key: &OpenKey,
        folder: &Path,
    ) -> Result<Option<SignedNext>, Failure> {
        let trusted = configuration
            .trusted
            .iter()
            .map(|line| line.parse())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error: KeyError| Failure::caused(&error))?;
        let draft = Draft {
            name: configuration.name.clone(),
            root,
            created: self.now,
            expires: self.expires,
            checks: self.checks,
            trusted,
            threshold: u32::try_from(configuration.threshold).unwrap_or(u32::MAX),
            withdrawn: configuration.withdrawn.clone(),
            renew: self.renew,
            renew_by: self.renew_by,
        };
        let before = self.previous.as_ref().map(|signed| &signed.statement);
        let following = Statement::following(before, draft)
            .map_err(|error| Failure::finding(error_chain(&error)))?;
        match (following, self.previous) {
            (Some(statement), before) => {
                if before
                    .as_ref()
                    .is_none_or(|before| before.statement.root != root)
                {
                    refuse_withdrawn(&statement)?;
                }
                if let Some(before) = &before {
                    keep_statement(folder, before)
                        .map_err(|error| Failure::world(error.message))?;
                }
                let before = before.map(|signed| signed.statement);
                let quorums = quorums(configuration, &statement, before.as_ref())?;
                let mut signed = SignedStatement {
                    text: statement.to_toml(),
                    statement,
                    signatures: Vec::new(),
                };
                let file = add_signature(key, &signed)?;
                signed.signatures.push(file);
                Ok(Some(SignedNext::New { signed, quorums }))
            }
            (None, previous) => Ok(previous.map(SignedNext::Unchanged)),
        }
    }
}

/// A withdrawn release does not come back. The current one can be withdrawn, because that takes a
/// statement of its root.
fn refuse_withdrawn(statement: &Statement) -> Result<(), Failure> {
    let Some(withdrawal) = statement.own_withdrawal() else {
        return Ok(());
    };
    let Withdrawal { reason, date, .. } = withdrawal;
    Err(Failure::finding(format!(
        "{} is withdrawn since {date}: {reason}",
        withdrawal.subject
    ))
    .help("a withdrawal is for good: change the set"))
}

/// The instant after the duration in an option, counted from now.
fn from_now(
    option: &str,
    text: Option<&str>,
    now: jiff::Timestamp,
) -> Result<Option<jiff::Timestamp>, Failure> {
    let Some(text) = text else {
        return Ok(None);
    };
    let time = parse_lifetime(text).map_err(|error| Failure::usage(&error))?;
    now.checked_add(time)
        .map(Some)
        .map_err(|_| Failure::usage(format!("`{option} {text}` is too far in the future")))
}

/// The statement that the next one follows, and its name in messages: the named one, or else the
/// one at the output path. A second sequence is never started by mistake.
fn found_previous(
    session: &Session,
    configuration: &Configuration,
    request: &NextRequest,
    folder: &Path,
) -> Result<Option<(SignedStatement, String)>, Failure> {
    let key = request.key.as_deref();
    let Some(location) = &request.previous else {
        let path = folder.join(STATEMENT);
        if !path.exists() {
            return lone_signature(session, folder).map_or(Ok(None), Err);
        }
        let found = previous_in_place(session, configuration, &path, key)?;
        return Ok(Some((found, session.environment().shown(&path))));
    };
    let previous = previous_of_build(session, configuration, location, request.offline, key)?;
    if previous.statement.name != configuration.name {
        return Err(Failure::finding(format!(
            "the previous statement is of {:?}, but this repository is {:?}",
            previous.statement.name, configuration.name
        ))
        .help("name the newest statement of this repository"));
    }
    Ok(Some((previous, location.clone())))
}

/// The name of the first signature of a statement in a folder.
fn signature_in(folder: &Path) -> Option<String> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| is_signature_of(name, STATEMENT))
        .min()
}

/// The refusal to begin at sequence 1 if a signature exists without its statement.
fn lone_signature(session: &Session, folder: &Path) -> Option<Failure> {
    let signature = session
        .environment()
        .shown(&folder.join(signature_in(folder)?));
    let message = format!("`{signature}` exists, but the statement that it signs is missing");
    let help = format!(
        "name the previous statement with `--previous STATEMENT`; if you move {} away, a build \
         begins at sequence 1",
        shell_word(&signature)
    );
    Some(Failure::finding(message).help(help))
}

/// Checks that an unsigned build does not replace a signed release: the next signed build must be
/// able to follow it.
///
/// # Errors
/// When the folder has a statement, or a signature of one.
pub fn check_unsigned(session: &Session, folder: &Path) -> Result<(), Failure> {
    let statement = folder.join(STATEMENT);
    let name = if fs::symlink_metadata(&statement).is_ok() {
        STATEMENT.to_owned()
    } else if let Some(signature) = signature_in(folder) {
        signature
    } else {
        return Ok(());
    };
    let shown = session.environment().shown(&folder.join(name));
    Err(Failure::usage(format!(
        "`{shown}` is of a signed release, which an unsigned build would replace"
    ))
    .help("name another folder with `--output`, or move the signed release away"))
}
