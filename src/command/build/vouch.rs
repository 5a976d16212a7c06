//! The signature of a build: the key, the previous statement, and the messages about the next one.

use std::path::Path;

use ipwhl_unixfs::Cid;

use super::super::context::Context;
use super::super::keys::{open, signing_key};
use super::super::sign::mention_signers;
use crate::foundation::diagnostic::Finding;
use crate::foundation::failure::Failure;
use crate::release::names::STATEMENT;
use crate::release::signature::OpenKey;
use crate::release::statement::SignedStatement;
use crate::release::trust::{NextRequest, NextStatement, SignedNext};
use crate::set::repository::Repository;

/// The key and the request for the next statement. They are prepared before any long work.
pub(super) struct Preparation {
    key: OpenKey,
    next: NextStatement,
}

impl Preparation {
    /// The previous statement.
    pub(super) fn previous(&self) -> Option<&SignedStatement> {
        self.next.previous()
    }

    /// Notes the findings of the wheels.
    pub(super) fn note(&mut self, repository: &Repository, findings: &[Finding]) {
        self.next.note(repository, findings);
    }
}

/// Finds the key and the previous statement, and checks that the key may sign the next statement.
pub(super) fn prepare(
    context: &Context<'_>,
    repository: &Repository,
    request: &NextRequest,
    folder: &Path,
) -> Result<Preparation, Failure> {
    let configuration = &repository.configuration;
    let next = NextStatement::prepare(&context.session, configuration, request, folder)?;
    let found = signing_key(context, request.key.as_deref())?;
    next.check_key(configuration, &found)?;
    // Prompts for the passphrase, and asks an agent for the key, before any long work.
    let key = open(context, found)?;
    Ok(Preparation { key, next })
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
            if let Some(withdrawal) = signed.statement.own_withdrawal() {
                context.warning(&format!(
                    "this statement withdraws its own release: {}",
                    withdrawal.reason
                ));
            }
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
                "the previous statement, sequence {}, already has this root{holds}: no new \
                 statement was signed (`--renew` signs one)",
                previous.statement.sequence
            ));
            Ok(Some(previous))
        }
        None => Ok(None),
    }
}
