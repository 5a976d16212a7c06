//! The next statement of a repository: what is found out before anything takes long, its text, and
//! its signature.

use std::fs;
use std::path::{Path, PathBuf};

use ipwhl_packaging::wheel::CHECKS_VERSION;
use ipwhl_unixfs::Cid;
use jiff::Timestamp;

use super::countersign::{add_signature, may_follow, may_sign};
use super::{Quorum, Trust, expired, policy, previous_in_place, previous_of_build, quorums};
use crate::foundation::diagnostic::{Finding, shell_word};
use crate::foundation::failure::{Failure, error_chain};
use crate::release::names::STATEMENT;
use crate::release::signature::{FoundKey, KeyError, OpenKey};
use crate::release::statement::folder::keep_statement;
use crate::release::statement::{
    Draft, SignedStatement, Statement, is_signature_of, parse_lifetime,
};
use crate::set::check::NEED_ARCHIVE;
use crate::set::repository::{Configuration, Repository};
use crate::source::Session;

/// What is asked of the next statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NextRequest {
    /// How long it holds, as in `180d`.
    pub expires: Option<String>,
    /// Where nothing has changed, it is made only if the one before expires within this time.
    pub renew_within: Option<String>,
    /// Sign a new one even if the root is unchanged.
    pub renew: bool,
    /// Follow the one before though it has expired.
    pub after_expiry: bool,
    /// The one before, a file or an address; `None` for the one where this one goes.
    pub previous: Option<String>,
    /// The web is left alone.
    pub offline: bool,
    /// The key that is named.
    pub key: Option<PathBuf>,
}

/// What is known of the next statement before there is a root to sign.
#[derive(Debug)]
pub struct NextStatement {
    previous: Option<SignedStatement>,
    expires: Option<Timestamp>,
    renew_by: Option<Timestamp>,
    renew: bool,
    now: Timestamp,
    checks: Option<u32>,
}

/// What came of the next statement.
#[derive(Debug)]
pub enum SignedNext {
    /// It is signed.
    New {
        /// The statement and its signature.
        signed: SignedStatement,
        /// Who asks for signatures of it.
        quorums: Vec<Quorum>,
    },
    /// The one before says the same already.
    Unchanged(SignedStatement),
}

impl NextStatement {
    /// Finds the statement before, and whether a next one may follow it.
    ///
    /// # Errors
    /// When a time cannot be meant, or the statement before cannot be followed.
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
        .help("give a part of that time, as in `--expires 90d --renew-within 30d`"));
        }
        let previous = found_previous(session, configuration, request, folder)?;
        if previous.is_none() && (request.renew || request.after_expiry) {
            let option = if request.renew {
                "--renew"
            } else {
                "--after-expiry"
            };
            return Err(Failure::usage(format!(
                "`{option}` is about the statement that is followed, and there is none"
            ))
            .help("name it with `--previous STATEMENT`"));
        }
        if let Some((previous, place)) = &previous
            && previous.statement.is_expired(now)
            && !request.after_expiry
        {
            return Err(expired(place, &previous.statement).help(
            "make sure that it is the last one that was made, and not one that somebody held on to; then follow it with \
             `--after-expiry`",
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

    /// Whether this key may sign it.
    ///
    /// # Errors
    /// When the repository does not trust the key, or the statement before does not name it.
    pub fn check_key(&self, configuration: &Configuration, key: &FoundKey) -> Result<(), Failure> {
        let trust = Trust {
            policy: policy(configuration)?,
            ..Trust::default()
        };
        may_sign(&trust, key, self.now)?;
        let before = self.previous().map(|signed| &signed.statement);
        may_follow(before, key.public().0, self.now)
    }

    /// The statement before.
    pub fn previous(&self) -> Option<&SignedStatement> {
        self.previous.as_ref()
    }

    /// Takes note of what was found in the wheels. What `--allow` let pass stands nowhere in the
    /// release, and only a wheel tells it again: then the statement does not say that the checks
    /// were passed, so that nobody reuses the release.
    pub fn note(&mut self, repository: &Repository, findings: &[Finding]) {
        let allowed = &repository.configuration.allowed;
        let mut found = findings.iter().map(|finding| finding.code);
        if found.any(|code| allowed.contains(&code) && NEED_ARCHIVE.contains(&code)) {
            self.checks = None;
        }
    }

    /// The statement of this root, signed by a key. The one before is kept beside it: it shows
    /// targets which hold an older release that this one follows it.
    ///
    /// # Errors
    /// When it cannot be made or signed, or the one before cannot be kept.
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
            renew: self.renew,
            renew_by: self.renew_by,
        };
        let before = self.previous.as_ref().map(|signed| &signed.statement);
        let following = Statement::following(before, draft)
            .map_err(|error| Failure::finding(error_chain(&error)))?;
        match (following, self.previous) {
            (Some(statement), before) => {
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

/// The end of a time that an option gives, from now on.
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
        .map_err(|_| Failure::usage(format!("`{option} {text}` is too far away")))
}

/// The statement that the next one follows, and what it is called: the one that is named, else the
/// one where this build writes its own. A second line of sequences is never begun by mistake.
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
            "the previous statement is of {:?}, and this repository is {:?}",
            previous.statement.name, configuration.name
        ))
        .help("name this repository's own last statement"));
    }
    Ok(Some((previous, location.clone())))
}

/// The name of a statement's signature in a folder, the first one of several.
fn signature_in(folder: &Path) -> Option<String> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| is_signature_of(name, STATEMENT))
        .min()
}

/// Why a build does not begin at sequence 1 where a signature has lost its statement.
fn lone_signature(session: &Session, folder: &Path) -> Option<Failure> {
    let signature = session
        .environment()
        .shown(&folder.join(signature_in(folder)?));
    let message = format!("`{signature}` is there, but the statement that it signs is missing");
    let help = format!(
        "`--previous STATEMENT` names the statement to follow; with {} moved away, a build begins at sequence 1",
        shell_word(&signature)
    );
    Some(Failure::finding(message).help(help))
}

/// An unsigned build takes no signed release's place: what the next signed build follows would be
/// lost.
///
/// # Errors
/// When a statement, or a signature of one, is in the folder.
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
        "`{shown}` is of a signed release, and an unsigned build would take it away"
    ))
    .help("name another folder with `--output`, or move the signed release away"))
}
