//! Who vouches for a build: what is found out before anything takes long, and the statement.

use std::fs;
use std::path::Path;

use ipwhl_packaging::wheel::CHECKS_VERSION;
use ipwhl_unixfs::Cid;

use super::super::context::Context;
use super::super::keys::{Signer, signing_key};
use super::super::sign::{add_signature, asked, may_follow, may_sign, mention_signers};
use super::super::statement::{expired, previous_in_place, previous_of_build};
use super::super::trust::{Trust, policy};
use super::{Arguments, uncommitted};
use crate::foundation::diagnostic::{Finding, shell_word};
use crate::foundation::failure::{Failure, error_chain};
use crate::publish::{Recovery, recover};
use crate::release::names::STATEMENT;
use crate::release::signature::KeyError;
use crate::release::statement::folder::keep_statement;
use crate::release::statement::{
    Draft, SignedStatement, Statement, is_signature_of, parse_lifetime,
};
use crate::set::check::NEED_ARCHIVE;
use crate::set::repository::Repository;

/// What is needed to vouch for a release, found out before anything takes long.
pub(super) struct Preparation {
    signer: Signer,
    previous: Option<SignedStatement>,
    expires: Option<jiff::Timestamp>,
    renew_by: Option<jiff::Timestamp>,
    now: jiff::Timestamp,
    checks: Option<u32>,
}

impl Preparation {
    /// The statement before.
    pub(super) fn previous(&self) -> Option<&SignedStatement> {
        self.previous.as_ref()
    }

    /// Takes note of what was found in the wheels. What `--allow` let pass stands nowhere in the release, and only a wheel
    /// tells it again: then the statement does not say that the checks were passed, so that nobody reuses the release.
    pub(super) fn note(&mut self, repository: &Repository, findings: &[Finding]) {
        let allowed = &repository.configuration.allowed;
        let mut found = findings.iter().map(|finding| finding.code);
        if found.any(|code| allowed.contains(&code) && NEED_ARCHIVE.contains(&code)) {
            self.checks = None;
        }
    }
}

/// Finds the key and the statement before, and whether the one may follow the other.
pub(super) fn prepare(
    context: &Context<'_>,
    repository: &Repository,
    arguments: &Arguments,
    folder: &Path,
) -> Result<Preparation, Failure> {
    let now = context.session.now();
    let expires = from_now("--expires", arguments.expires.as_deref(), now)?;
    let renew_by = from_now("--renew-within", arguments.renew_within.as_deref(), now)?;
    if let (Some(expires), Some(renew_by)) = (expires, renew_by)
        && renew_by >= expires
    {
        return Err(Failure::usage(
            "`--renew-within` is not shorter than `--expires`: each build would sign a new statement",
        )
        .help("give a part of that time, as in `--expires 90d --renew-within 30d`"));
    }
    let configuration = &repository.configuration;
    let previous = found_previous(context, repository, arguments, folder)?;
    if previous.is_none() && (arguments.renew || arguments.after_expiry) {
        let option = if arguments.renew {
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
        && !arguments.after_expiry
    {
        return Err(expired(place, &previous.statement).help(
            "make sure that it is the last one that was made, and not one that somebody held on to; then follow it with \
             `--after-expiry`",
        ));
    }
    let previous = previous.map(|(previous, _)| previous);
    let found = signing_key(context, arguments.key.as_deref())?;
    let (public, comment) = found.public();
    let trust = Trust {
        policy: policy(configuration)?,
        file: None,
        name: None,
    };
    may_sign(&trust, public, comment, found.origin(), now)?;
    may_follow(
        previous.as_ref().map(|previous| &previous.statement),
        public,
        now,
    )?;
    // A passphrase is asked for, and an agent whether it has the key, before anything takes long.
    let signer = found.open(context)?;
    Ok(Preparation {
        signer,
        previous,
        expires,
        renew_by,
        now,
        checks: Some(CHECKS_VERSION),
    })
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

/// The statement that the next one follows, and what it is called: the one that is named, else the one where this build
/// writes its own. A second line of sequences is never begun by mistake.
fn found_previous(
    context: &Context<'_>,
    repository: &Repository,
    arguments: &Arguments,
    folder: &Path,
) -> Result<Option<(SignedStatement, String)>, Failure> {
    let configuration = &repository.configuration;
    let key = arguments.key.as_deref();
    let Some(location) = &arguments.previous else {
        let path = folder.join(STATEMENT);
        if !path.exists() {
            return lone_signature(context, folder).map_or(Ok(None), Err);
        }
        let found = previous_in_place(context, configuration, &path, key)?;
        return Ok(Some((found, context.shown(&path))));
    };
    let offline = arguments.network.offline;
    let previous = previous_of_build(context, configuration, location, offline, key)?;
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
fn lone_signature(context: &Context<'_>, folder: &Path) -> Option<Failure> {
    let signature = context.shown(&folder.join(signature_in(folder)?));
    let message = format!("`{signature}` is there, but the statement that it signs is missing");
    let help = format!(
        "`--previous STATEMENT` names the statement to follow; with {} moved away, a build begins at sequence 1",
        shell_word(&signature)
    );
    Some(Failure::finding(message).help(help))
}

/// Finishes an interrupted build in the output folder, so that its sequence is not lost.
pub(super) fn finish_cut_run(
    context: &Context<'_>,
    arguments: &Arguments,
    folder: &Path,
) -> Result<(), Failure> {
    match recover(folder).map_err(|error| uncommitted(&error, folder))? {
        Recovery::Finished(statement) => context.say(&format!(
            "finished the interrupted build: {}, sequence {}",
            context.shown(&folder.join(STATEMENT)),
            statement.sequence
        )),
        // Nothing is lost with a first statement, nor where the user names the one to follow.
        Recovery::Incomplete(statement)
            if statement.sequence > 1 && arguments.previous.is_none() =>
        {
            let partial = context.shown(&folder.join(format!(".{STATEMENT}.partial")));
            return Err(Failure::finding(format!(
                "the interrupted build of `{partial}`, sequence {}, cannot be finished: its archive or its signature is \
                 missing or damaged",
                statement.sequence
            ))
            .help(format!(
                "`--previous STATEMENT` names the statement to follow; with {} moved away, a build begins at sequence 1",
                shell_word(&partial)
            )));
        }
        Recovery::Nothing | Recovery::Incomplete(_) => {}
    }
    Ok(())
}

/// An unsigned build takes no signed release's place: what the next signed build follows would be lost.
pub(super) fn check_unsigned(context: &Context<'_>, folder: &Path) -> Result<(), Failure> {
    let statement = folder.join(STATEMENT);
    let name = if fs::symlink_metadata(&statement).is_ok() {
        STATEMENT.to_owned()
    } else if let Some(signature) = signature_in(folder) {
        signature
    } else {
        return Ok(());
    };
    let shown = context.shown(&folder.join(name));
    Err(Failure::usage(format!(
        "`{shown}` is of a signed release, and an unsigned build would take it away"
    ))
    .help("name another folder with `--output`, or move the signed release away"))
}

/// The statement of this root and its signatures.
pub(super) fn vouch(
    context: &Context<'_>,
    repository: &Repository,
    preparation: Preparation,
    root: Cid,
    arguments: &Arguments,
    folder: &Path,
) -> Result<Option<SignedStatement>, Failure> {
    let configuration = &repository.configuration;
    let trusted = configuration
        .trusted
        .iter()
        .map(|line| line.parse())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error: KeyError| Failure::caused(&error))?;
    let draft = Draft {
        name: configuration.name.clone(),
        root,
        created: preparation.now,
        expires: preparation.expires,
        checks: preparation.checks,
        trusted,
        threshold: u32::try_from(configuration.threshold).unwrap_or(u32::MAX),
        renew: arguments.renew,
        renew_by: preparation.renew_by,
    };
    let before = preparation
        .previous
        .as_ref()
        .map(|signed| &signed.statement);
    let following = Statement::following(before, draft)
        .map_err(|error| Failure::finding(error_chain(&error)))?;
    match (following, preparation.previous) {
        (Some(statement), before) => {
            // It shows targets which hold an older release that this one follows it.
            if let Some(before) = &before {
                keep_statement(folder, before).map_err(|error| Failure::world(error.message))?;
            }
            let before = before.map(|signed| signed.statement);
            let asked = asked(configuration, &statement, before.as_ref())?;
            let by = &preparation.signer;
            let mut signed = SignedStatement {
                text: statement.to_toml(),
                statement,
                signatures: Vec::new(),
            };
            let file = add_signature(by, &signed)?;
            signed.signatures.push(file);
            context.say(&format!(
                "signed {STATEMENT}: sequence {}, by {}",
                signed.statement.sequence,
                by.key.public().fingerprint()
            ));
            let place = context.shown(&folder.join(STATEMENT));
            mention_signers(context, &place, &signed, &asked, false);
            Ok(Some(signed))
        }
        (None, Some(previous)) => {
            let holds = match previous.statement.expires {
                Some(expires) => format!(" and holds until {expires}"),
                None => String::new(),
            };
            context.say(&format!(
                "the previous statement, sequence {}, says the same already{holds}: nothing new is signed (`--renew` would)",
                previous.statement.sequence
            ));
            Ok(Some(previous))
        }
        (None, None) => Ok(None),
    }
}
