//! Who vouches for a release: the statement, held to whom its reader trusts, over changes of keys.

use std::path::PathBuf;

use jiff::SignedDuration;

use super::chain::{Chain, unchained};
use super::{
    Gap, RepositoryAround, Signer, Start, Trust, TrustBasis, TrustFailure, TrustNote, expired,
    start,
};
use crate::foundation::failure::{Failure, error_chain};
use crate::release::signature::{PublicKey, verify};
use crate::release::statement::{Next, SignedStatement, Statement};
use crate::source::Session;

/// How far the clocks of a maintainer and a reader may be apart.
const LARGEST_CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_hours(24);

/// Who vouches for a release, and what is told before.
#[derive(Debug)]
pub struct TrustOutcome {
    /// What is told before.
    pub notes: Vec<TrustNote>,
    /// The name of the repository.
    pub name: String,
    /// The statement's sequence.
    pub sequence: u64,
    /// Who vouches for it.
    pub by: VouchedBy,
    /// The file that says whom the reader trusts, where one does.
    pub file: Option<PathBuf>,
}

/// Who vouches for a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VouchedBy {
    /// Keys that are trusted.
    Signers(Vec<Signer>),
    /// It is the very statement that the reader trusts.
    Itself,
    /// A key that nobody trusts, which is enough for the reader.
    Anybody,
}

/// The statements between the one that is believed, which is given, and the one that is asked
/// about, one at a time.
pub type Between<'b> = &'b mut dyn FnMut(Option<&Statement>) -> Result<Next, Failure>;

/// Who vouches for a release; a failure where nobody who may does.
///
/// # Errors
/// When it has expired, is another repository's, falls behind one that is held, or too few keys that
/// are trusted have signed it or a statement on the way to it.
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

/// The way to the statement, and what its end is.
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
            .help("name whom you trust for another repository's release: `--allowed-signers FILE`")
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
                Failure::finding("`--follow` has nothing to begin with: nobody is trusted here").help(
                    "name a statement that you verified before, `--trusted-statement FILE`, or the first keys, \
                     `--allowed-signers FILE`",
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

/// Where missing statements may be.
const ELSEWHERE: &str = "fetch from a site that has the statements in between";

/// Whom the repository trusts, where a statement on the way to `statement` is missing, and which
/// are. Only that nothing goes back can be seen then.
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
            "{ELSEWHERE}, or name the keys that you trust in the place of a statement: `--allowed-signers FILE`"
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

/// Where no key is trusted: a failure, since anybody can sign, unless `--any-signer` asks for no
/// more than that. The keys that have signed.
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
                "a signature of `{place}` does not hold: {}",
                error_chain(&error)
            ))
        })?;
        keys.push(key);
    }
    if keys.is_empty() {
        return Err(Failure::finding(format!(
            "`{place}` has no signature beside it"
        )));
    }
    if is_enough {
        return Ok(keys);
    }
    let fingerprints: Vec<String> = keys.iter().map(PublicKey::fingerprint).collect();
    let fingerprints = fingerprints.join(" and ");
    let failure = Failure::finding(format!(
        "`{place}` is signed with the key {fingerprints}, and no key is trusted here: anybody can make a key and sign with it"
    ));
    // A repository can be told whose signatures count; a reader without one has to ask the
    // maintainers.
    Err(failure.help(if around.directory.is_some() {
        let lines: Vec<String> = keys
            .iter()
            .map(|key| format!("\"{}\"", key.line("")))
            .collect();
        format!(
            "if that is the fingerprint of your release key, write this below `[signing]` in `ipwhl.toml`: \
             `trusted = [{}]`; or name the keys that you trust with `--allowed-signers FILE`; `--any-signer` accepts every key",
            lines.join(",\n    ")
        )
    } else {
        "ask the maintainers for their keys, and name them with `--allowed-signers FILE`; `--any-signer` accepts every key"
            .to_owned()
    }))
}
