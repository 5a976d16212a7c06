//! Who vouches for a release: the statement, held to whom its reader trusts, over changes of keys.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::super::context::Context;
use super::super::exit::{Failure, chain};
use super::super::statement::{expired, read_statement, refusal};
use super::super::trust::{Trust, refuse_foreign_repository, repository_trust};
use super::Arguments;
use crate::dag::Cid;
use crate::environment::read_small;
use crate::signature::{
    ChainError, PublicKey, SignedStatement, Statement, TrustPolicy, Verdict, verify,
};

/// How far the clocks of a maintainer and a reader may be apart.
const LARGEST_CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_hours(24);

/// The largest list of allowed signers, in bytes.
const LARGEST_ALLOWED_SIGNERS: u64 = 1 << 20;

/// Who vouches for the root; a failure where nobody who may does.
pub(super) fn vouch(
    context: &Context<'_>,
    path: &Path,
    arguments: &Arguments,
    root: Cid,
) -> Result<(), Failure> {
    let signed = read_statement(path)?;
    let statement = &signed.statement;
    let place = path.display().to_string();
    if statement.root != root {
        return Err(Failure::finding(format!(
            "`{place}` vouches for {}, and the release is {root}",
            statement.root
        )));
    }
    let now = context.environment.clock.now();
    if statement.is_expired(now) {
        return Err(expired(&place, statement).help("get the maintainers' newer statement"));
    }
    let (start, trust) = start(context, arguments)?;
    trust.check_name(&place, statement).map_err(|failure| {
        failure
            .help("name whom you trust for another repository's release: `--allowed-signers FILE`")
    })?;
    if statement.created.duration_since(now) > LARGEST_CLOCK_DIFFERENCE {
        context.warning(&format!(
            "`{place}` says that it was made on {}, and by this machine's clock it is {}",
            at_second(statement.created),
            at_second(now)
        ));
        context.help(
            "one of the two is wrong, and until it is right nobody can tell whether a statement has expired: \
             set the clock of this machine, or ask the maintainers",
        );
    }
    let mut chain = Chain {
        now,
        known: start,
        policy: trust.policy.clone(),
    };
    let has_start = chain.known.is_some() || chain.policy.is_some();
    if !has_start && !arguments.follow.is_empty() {
        return Err(
            Failure::finding("`--follow` has nothing to begin with: nobody is trusted here").help(
                "name a statement that you verified before, `--trusted-statement FILE`, or the first keys, \
                 `--allowed-signers FILE`",
            ),
        );
    }
    if !has_start {
        return strangers(context, &place, &signed, arguments.any_signer);
    }
    for between in &arguments.follow {
        let between = context.absolute(between);
        chain.follow(&between.display().to_string(), read_statement(&between)?)?;
    }
    let (name, sequence) = (statement.name.clone(), statement.sequence);
    let by = match chain.follow(&place, signed)? {
        Some(verdict) => words(&verdict),
        None => "the statement that you trust, which is this one".to_owned(),
    };
    let trusted = match &trust.file {
        Some(file) => format!(", trusted in `{}`", context.shown(file)),
        None => String::new(),
    };
    context.say(&format!(
        "{name}, sequence {sequence}, is vouched for by {by}{trusted}"
    ));
    Ok(())
}

/// A time without parts of a second.
fn at_second(time: Timestamp) -> Timestamp {
    time.round(jiff::Unit::Second).unwrap_or(time)
}

fn words(verdict: &Verdict) -> String {
    let names: Vec<String> = verdict
        .signers
        .iter()
        .map(|signer| match signer.name.as_str() {
            // A key in `trusted` need not have a comment.
            "" => signer.key.fingerprint(),
            name => format!("{name} ({})", signer.key.fingerprint()),
        })
        .collect();
    names.join(" and ")
}

/// Where no key is trusted: a failure, since anybody can sign, unless `--any-signer` asks for no more than that.
fn strangers(
    context: &Context<'_>,
    place: &str,
    signed: &SignedStatement,
    is_enough: bool,
) -> Result<(), Failure> {
    let mut keys = Vec::new();
    for signature in &signed.signatures {
        let key = verify(&signature.text, signed.text.as_bytes()).map_err(|error| {
            Failure::finding(format!(
                "a signature of `{place}` does not hold: {}",
                chain(&error)
            ))
        })?;
        keys.push(key);
    }
    if keys.is_empty() {
        return Err(Failure::finding(format!(
            "`{place}` has no signature beside it"
        )));
    }
    let fingerprints: Vec<String> = keys.iter().map(PublicKey::fingerprint).collect();
    let fingerprints = fingerprints.join(" and ");
    if is_enough {
        context.warning(&format!(
            "sequence {} is signed with {fingerprints}, and no key is trusted here: with `--any-signer` anybody's key would do",
            signed.statement.sequence
        ));
        return Ok(());
    }
    let failure = Failure::finding(format!(
        "`{place}` is signed with the key {fingerprints}, and no key is trusted here: anybody can make a key and sign with it"
    ));
    // A repository can be told whose signatures count; a reader without one has to ask the maintainers.
    Err(failure.help(if context.repository_directory().is_ok() {
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

/// The way from whom a reader trusts to a statement, one statement after another (FORMATS 6).
struct Chain {
    now: Timestamp,
    /// The last statement that is believed; `None` before the first one.
    known: Option<SignedStatement>,
    /// Who may sign the first one, where no statement says it.
    policy: Option<TrustPolicy>,
}

impl Chain {
    /// Believes the next statement, or says why not. `None` stands for the verdict over one that is
    /// believed already. That statements between have expired is no matter: their successors came.
    fn follow(&mut self, place: &str, next: SignedStatement) -> Result<Option<Verdict>, Failure> {
        let policy = match &self.known {
            None => self.policy.clone(),
            Some(known) if known.text == next.text => return Ok(None),
            Some(known) => {
                next.statement
                    .check_successor_of(&known.statement)
                    .map_err(|error| unchained(place, &error))?;
                Some(successors(&known.statement).map_err(|error| unchained(place, &error))?)
            }
        };
        let Some(policy) = policy else {
            return Err(Failure::finding(format!(
                "nobody is trusted to sign `{place}`"
            )));
        };
        let verdict = policy.evaluate(next.text.as_bytes(), &next.signatures, self.now);
        if !verdict.is_reached() {
            return Err(refusal(&format!("`{place}`"), &next, &verdict));
        }
        self.known = Some(next);
        Ok(Some(verdict))
    }
}

fn successors(statement: &Statement) -> Result<TrustPolicy, ChainError> {
    // Keys and threshold of a statement that could be read make a policy.
    statement
        .successor_policy()
        .ok()
        .flatten()
        .ok_or(ChainError::NoSuccessor {
            known: statement.sequence,
        })
}

/// Why a statement does not go on from the ones before it, with the way out.
fn unchained(place: &str, error: &ChainError) -> Failure {
    let failure = Failure::finding(format!("`{place}` cannot be followed: {error}"));
    match error {
        ChainError::Gap { .. } => {
            failure.help("name the statements between, the oldest first: `--follow FILE`")
        }
        ChainError::Rollback { .. } => failure.help(
            "get the maintainers' newest statement; somebody may hold an old one out to you",
        ),
        ChainError::Fork { .. } | ChainError::Detached { .. } => failure
            .help("ask the maintainers which one is theirs, and keep the one that you verified until then"),
        ChainError::NoSuccessor { .. } => {
            failure.help("name whom you trust yourself: `--allowed-signers FILE`")
        }
        ChainError::Name { .. } => failure,
    }
}

/// Where trust begins: a statement that the reader has verified before, or keys: those of the file that was named, else
/// of the repository around.
fn start(
    context: &Context<'_>,
    arguments: &Arguments,
) -> Result<(Option<SignedStatement>, Trust), Failure> {
    if let Some(file) = &arguments.trusted_statement {
        let path = context.absolute(file);
        let trusted = read_statement(&path)?;
        // Whoever keeps it vouches for it; that it is whole can be seen all the same.
        let is_signed = trusted
            .signatures
            .iter()
            .any(|file| verify(&file.text, trusted.text.as_bytes()).is_ok());
        if !is_signed {
            return Err(Failure::finding(format!(
                "`{}` has no valid signature beside it",
                path.display()
            ))
            .help(
                "keep a statement and its signatures together, as they were when you verified them",
            ));
        }
        return Ok((Some(trusted), Trust::default()));
    }
    if let Some(file) = &arguments.allowed_signers {
        let path = context.absolute(file);
        let text = read_small(&path, LARGEST_ALLOWED_SIGNERS).map_err(|error| {
            Failure::world(format!("`{}` cannot be read: {error}", path.display()))
        })?;
        let policy = TrustPolicy::from_allowed_signers(&text, 1).map_err(|error| {
            Failure::finding(format!(
                "`{}` cannot be used: {}",
                path.display(),
                chain(&error)
            ))
        })?;
        for (key, names) in policy.keys_with_several_names() {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            context.warning(&format!(
                "`{}` lists one key, {}, under the names {}: whoever has it is one signer, and not several",
                path.display(),
                key.fingerprint(),
                names.join(" and ")
            ));
        }
        let trust = Trust {
            policy: Some(policy),
            name: None,
            file: None,
        };
        return Ok((None, trust));
    }
    refuse_foreign_repository(context)?;
    // A release can be verified where there is no repository.
    let trust = repository_trust(context).map_err(|failure| match failure.help {
        None => failure.help("mend it, or name whom you trust: `--allowed-signers FILE`"),
        Some(_) => failure,
    })?;
    Ok((None, trust.map(|(trust, _)| trust).unwrap_or_default()))
}
