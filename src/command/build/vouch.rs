//! The signature of a build: the key, the previous statement, and the messages about the next one.

use std::path::Path;

use ipwhl_unixfs::Cid;

use super::super::context::Context;
use super::super::keys::{open, signing_key};
use super::super::sign::mention_signers;
use super::{Arguments, uncommitted};
use crate::foundation::diagnostic::{Finding, shell_word};
use crate::foundation::failure::Failure;
use crate::publish::{Recovery, recover};
use crate::release::names::STATEMENT;
use crate::release::signature::OpenKey;
use crate::release::statement::SignedStatement;
use crate::release::trust::{NextRequest, NextStatement, SignedNext};
use crate::set::repository::Repository;

/// What is needed to vouch for a release, found out before anything takes long.
pub(super) struct Preparation {
    key: OpenKey,
    next: NextStatement,
}

impl Preparation {
    /// The statement before.
    pub(super) fn previous(&self) -> Option<&SignedStatement> {
        self.next.previous()
    }

    /// Notes the findings of the wheels.
    pub(super) fn note(&mut self, repository: &Repository, findings: &[Finding]) {
        self.next.note(repository, findings);
    }
}

/// Finds the key and the statement before, and whether the one may follow the other.
pub(super) fn prepare(
    context: &Context<'_>,
    repository: &Repository,
    arguments: &Arguments,
    folder: &Path,
) -> Result<Preparation, Failure> {
    let request = NextRequest {
        expires: arguments.expires.clone(),
        renew_within: arguments.renew_within.clone(),
        renew: arguments.renew,
        after_expiry: arguments.after_expiry,
        previous: arguments.previous.clone(),
        offline: arguments.network.offline,
        key: arguments.key.clone(),
    };
    let configuration = &repository.configuration;
    let next = NextStatement::prepare(&context.session, configuration, &request, folder)?;
    let found = signing_key(context, arguments.key.as_deref())?;
    next.check_key(configuration, &found)?;
    // A passphrase is asked for, and an agent whether it has the key, before anything takes long.
    let key = open(context, found)?;
    Ok(Preparation { key, next })
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
                "name the previous statement with `--previous STATEMENT`; if you move {} away, a build begins at sequence 1",
                shell_word(&partial)
            )));
        }
        Recovery::Nothing | Recovery::Incomplete(_) => {}
    }
    Ok(())
}

/// The statement of this root and its signatures.
pub(super) fn vouch(
    context: &Context<'_>,
    repository: &Repository,
    preparation: Preparation,
    root: Cid,
    folder: &Path,
) -> Result<Option<SignedStatement>, Failure> {
    let Preparation { key, next } = preparation;
    match next.sign(&repository.configuration, root, &key, folder)? {
        Some(SignedNext::New { signed, quorums }) => {
            context.say(&format!(
                "signed {STATEMENT}: sequence {}, with {}",
                signed.statement.sequence,
                key.key.public().fingerprint()
            ));
            let place = context.shown(&folder.join(STATEMENT));
            mention_signers(context, &place, &signed, &quorums, false);
            Ok(Some(signed))
        }
        Some(SignedNext::Unchanged(previous)) => {
            let holds = match previous.statement.expires {
                Some(expires) => format!(" and is valid until {expires}"),
                None => String::new(),
            };
            context.say(&format!(
                "the previous statement, sequence {}, already has this root{holds}: no new statement was signed (`--renew` signs one)",
                previous.statement.sequence
            ));
            Ok(Some(previous))
        }
        None => Ok(None),
    }
}
