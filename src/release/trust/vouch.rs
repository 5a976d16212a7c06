//! Determines the signers of a release: compares the statement with the reader's trust, across
//! changes of keys.

use std::path::PathBuf;

use jiff::SignedDuration;

use super::chain::{Chain, unchained};
use super::{
    BESIDE, Gap, RepositoryAround, Signer, Start, Trust, TrustBasis, TrustFailure, TrustNote,
    expired, start,
};
use crate::foundation::failure::{Failure, error_chain};
use crate::release::signature::{PublicKey, verify};
use crate::release::statement::{Next, SignedStatement, Statement};
use crate::source::Session;

/// The maximum difference between the clocks of a maintainer and a reader.
const LARGEST_CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_hours(24);

/// The signers of a release, and notes.
#[derive(Debug)]
pub struct TrustOutcome {
    /// The notes.
    pub notes: Vec<TrustNote>,
    /// The name of the repository.
    pub name: String,
    /// The statement's sequence.
    pub sequence: u64,
    /// The signers.
    pub by: VouchedBy,
    /// The file that defines the reader's trust, if any.
    pub file: Option<PathBuf>,
}

/// The signers of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VouchedBy {
    /// Trusted keys.
    Signers(Vec<Signer>),
    /// No signer is needed: the reader trusts this statement already.
    Itself,
    /// Untrusted keys, which the reader accepts.
    Anybody,
}

/// Returns the statements between the trusted one, which is the argument, and the requested one,
/// one at a time.
pub type Between<'b> = &'b mut dyn FnMut(Option<&Statement>) -> Result<Next, Failure>;

/// Determines the signers of a release; fails if too few trusted keys have signed it.
///
/// # Errors
/// When it has expired, is another repository's, is older than a known one, or too few trusted keys
/// have signed it or a statement in between.
pub fn vouch(
    session: &Session,
    around: &RepositoryAround,
    place: &str,
    signed: SignedStatement,
    start: Start,
    between: Between<'_>,
) -> Result<TrustOutcome, TrustFailure> {
    let mut notes = Vec::new();
    match follow(session, around, place, signed, start, between, &mut notes) {
        Ok((name, sequence, by, file)) => Ok(TrustOutcome {
            notes,
            name,
            sequence,
            by,
            file,
        }),
        Err(mut error) => {
            error.notes.splice(0..0, notes);
            Err(error)
        }
    }
}

/// Follows the statements to the requested one.
fn follow(
    session: &Session,
    around: &RepositoryAround,
    place: &str,
    signed: SignedStatement,
    start: Start,
    between: Between<'_>,
    notes: &mut Vec<TrustNote>,
) -> Result<(String, u64, VouchedBy, Option<PathBuf>), TrustFailure> {
    let statement = &signed.statement;
    let now = session.now();
    if statement.is_expired(now) {
        return Err(expired(place, statement)
            .help("get the maintainers' newer statement")
            .into());
    }
    let mut trust = start.trust;
    trust.check_name(place, statement).map_err(|failure| {
        failure
            .help("name the keys that you trust for another repository's release: `--allowed-signers FILE`")
    })?;
    if let Some(held) = &start.held {
        statement
            .check_newer_than(&held.statement)
            .map_err(|error| unchained(place, &error))?;
    }
    if statement.created.duration_since(now) > LARGEST_CLOCK_DIFFERENCE {
        notes.push(TrustNote::FromTheFuture {
            place: place.to_owned(),
            created: statement.created,
            now,
        });
    }
    let mut chain = Chain {
        now,
        known: start.known,
        policy: trust.policy.clone(),
    };
    if chain.known.is_none() && chain.policy.is_none() {
        if matches!(between(None)?, Next::Statement(..)) {
            return Err(
                Failure::finding("`--follow` has no start: no key is trusted here").help(
                    "name a statement that you verified before, `--trusted-statement FILE`, or the \
                     first keys, `--allowed-signers FILE`",
                )
                .into(),
            );
        }
        let keys = strangers(around, place, &signed, start.any_signer)?;
        let sequence = statement.sequence;
        notes.push(TrustNote::AnySigner { sequence, keys });
        return Ok((statement.name.clone(), sequence, VouchedBy::Anybody, None));
    }
    let mut gap = None;
    loop {
        match between(chain.known.as_ref().map(|known| &known.statement))? {
            Next::Statement(place, next) => drop(chain.follow(&place, *next)?),
            Next::Missing(missing) => {
                let skipped;
                let may_skip = start.may_skip;
                (trust, skipped) =
                    skip(session, around, place, statement, &chain, missing, may_skip)?;
                gap = Some(skipped);
                (chain.known, chain.policy) = (None, trust.policy.clone());
                break;
            }
            Next::Last => break,
        }
    }
    let (name, sequence) = (statement.name.clone(), statement.sequence);
    let followed = chain.follow(place, signed);
    let followed = followed.map_err(|failure| match &gap {
        Some(gap) => failure.help(format!("{gap}: {ELSEWHERE}")),
        None => failure,
    })?;
    let by = match followed {
        Some(verdict) => VouchedBy::Signers(verdict.signers),
        None => VouchedBy::Itself,
    };
    notes.extend(gap.map(TrustNote::Skipped));
    Ok((name, sequence, by, trust.file))
}

/// The help for missing statements.
const ELSEWHERE: &str = "fetch from a site that has the statements in between";

/// The repository's own policy if a statement before `statement` is missing, with the missing ones.
/// Then only a rollback can be detected.
fn skip(
    session: &Session,
    around: &RepositoryAround,
    place: &str,
    statement: &Statement,
    chain: &Chain,
    missing: String,
    may_skip: bool,
) -> Result<(Trust, Gap), TrustFailure> {
    let known = chain.known.as_ref().map(|known| &known.statement);
    let gap = Gap {
        known: known.map_or(0, |known| known.sequence),
        sequence: statement.sequence,
        missing,
    };
    let failure = Failure::finding(&gap);
    if !may_skip {
        return Err(failure.help(format!(
            "{ELSEWHERE}, or name the keys that you trust instead of a statement: `--allowed-signers FILE`"
        ))
        .into());
    }
    let trust = start(
        session,
        &TrustBasis::Repository { any_signer: false },
        around,
    )?
    .trust;
    if trust.policy.is_none() {
        return Err(failure
            .help(format!(
                "{ELSEWHERE}, or name the keys that you trust: `--allowed-signers FILE`"
            ))
            .into());
    }
    trust.check_name(place, statement)?;
    if let Some(known) = known {
        statement
            .check_newer_than(known)
            .map_err(|error| unchained(place, &error))?;
    }
    Ok((trust, gap))
}

/// If no key is trusted: a failure, because anyone can sign, unless `--any-signer` accepts every
/// key. Returns the keys that have signed.
fn strangers(
    around: &RepositoryAround,
    place: &str,
    signed: &SignedStatement,
    is_enough: bool,
) -> Result<Vec<PublicKey>, Failure> {
    let mut keys = Vec::new();
    for signature in &signed.signatures {
        let key = verify(&signature.text, signed.text.as_bytes()).map_err(|error| {
            Failure::finding(format!(
                "a signature of `{place}` is invalid: {}",
                error_chain(&error)
            ))
        })?;
        keys.push(key);
    }
    if keys.is_empty() {
        return Err(Failure::finding(format!("`{place}` has no signature beside it")).help(BESIDE));
    }
    if is_enough {
        return Ok(keys);
    }
    let fingerprints: Vec<String> = keys.iter().map(PublicKey::fingerprint).collect();
    let fingerprints = fingerprints.join(" and ");
    let failure = Failure::finding(format!(
        "`{place}` is signed with the key {fingerprints}, but no key is trusted here, and anyone \
         can make a key and sign with it"
    ));
    // In a repository the help can name its settings; without one the reader must ask the
    // maintainers.
    Err(failure.help(if around.directory.is_some() {
        let lines: Vec<String> = keys
            .iter()
            .map(|key| format!("\"{}\"", key.line("")))
            .collect();
        format!(
            "if that is the fingerprint of your release key, write this below `[signing]` in `ipwhl.toml`: \
             `trusted = [{}]`; or name the keys that you trust with `--allowed-signers FILE`; \
             `--any-signer` accepts every key",
            lines.join(",\n    ")
        )
    } else {
        "ask the maintainers for their keys, and name them with `--allowed-signers FILE`; \
         `--any-signer` accepts every key"
            .to_owned()
    }))
}
