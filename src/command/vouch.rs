//! Who vouches for a release: the statement, held to whom its reader trusts, over changes of keys.

use std::path::PathBuf;

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use super::context::Context;
use super::statement::{expired, read_statement, refusal};
use super::trust::{Trust, refuse_foreign_repository, repository_trust};
use crate::foundation::environment::read_small;
use crate::foundation::failure::{Failure, error_chain};
use crate::release::signature::{PublicKey, verify};
use crate::release::statement::{ChainError, SignedStatement, Statement};
use crate::release::trust::{TrustPolicy, Verdict};

/// How far the clocks of a maintainer and a reader may be apart.
const LARGEST_CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_hours(24);

/// The largest list of allowed signers, in bytes.
const LARGEST_ALLOWED_SIGNERS: u64 = 1 << 20;

/// Whose signatures count.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct TrustArguments {
    /// Whose signatures count [default: `trusted` of the repository]
    #[arg(long, value_name = "FILE")]
    allowed_signers: Option<PathBuf>,
    /// A statement that you verified before: whom it names may sign the next one, whoever else is trusted
    #[arg(long, value_name = "FILE", conflicts_with = "allowed_signers")]
    trusted_statement: Option<PathBuf>,
    /// Where no key is trusted, take a valid signature of any key for enough
    #[arg(long, conflicts_with_all = ["allowed_signers", "trusted_statement"])]
    any_signer: bool,
}

impl TrustArguments {
    /// An option that was given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let given = [
            ("--allowed-signers", self.allowed_signers.is_some()),
            ("--trusted-statement", self.trusted_statement.is_some()),
            ("--any-signer", self.any_signer),
        ];
        given
            .into_iter()
            .find_map(|(option, is_given)| is_given.then_some(option))
    }
}

/// Where trust begins.
pub(super) struct Start {
    /// The last statement that is believed.
    known: Option<SignedStatement>,
    trust: Trust,
    /// A statement that a newer one must not fall behind, whoever has signed it.
    held: Option<SignedStatement>,
    any_signer: bool,
    /// Whether keys that the repository trusts vouch where statements that follow `known` are missing.
    may_skip: bool,
}

impl Start {
    /// The keys that may have signed the next statement.
    pub(super) fn keys(&self) -> Vec<PublicKey> {
        let known = self.known.iter().flat_map(|known| &known.statement.trusted);
        let policy = self.trust.policy.iter().flat_map(TrustPolicy::keys);
        known
            .map(|trusted| trusted.key.clone())
            .chain(policy.cloned())
            .collect()
    }

    /// The same, but the statement that is in place already is gone on from: its keys may sign the next one, unless it names
    /// none or an option says whose signatures count.
    pub(super) fn following(
        context: &Context<'_>,
        arguments: &TrustArguments,
        held: Option<SignedStatement>,
    ) -> Result<Self, Failure> {
        let is_known = |held: &SignedStatement| successors(&held.statement).is_ok();
        if let Some(known) = &held
            && arguments.given().is_none()
            && is_known(known)
        {
            return Ok(Self {
                known: held,
                trust: Trust::default(),
                held: None,
                any_signer: false,
                may_skip: true,
            });
        }
        Ok(Self {
            held,
            ..start(context, arguments)?
        })
    }
}

/// A statement between the one that is believed and the one that is asked about.
pub(super) enum Next {
    /// The next one, and what it is called.
    Statement(String, Box<SignedStatement>),
    /// The next one is not at this place.
    Missing(String),
    /// There is none.
    Last,
}

/// The statements between the one that is believed, which is given, and the one that is asked about, one at a time.
pub(super) type Between<'b> = &'b mut dyn FnMut(Option<&Statement>) -> Result<Next, Failure>;

/// Who vouches for a release; a failure where nobody who may does.
pub(super) fn vouch(
    context: &Context<'_>,
    place: &str,
    signed: SignedStatement,
    start: Start,
    between: Between<'_>,
) -> Result<(), Failure> {
    let statement = &signed.statement;
    let now = context.session.now();
    if statement.is_expired(now) {
        return Err(expired(place, statement).help("get the maintainers' newer statement"));
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
        known: start.known,
        policy: trust.policy.clone(),
    };
    if chain.known.is_none() && chain.policy.is_none() {
        if matches!(between(None)?, Next::Statement(..)) {
            return Err(
                Failure::finding("`--follow` has nothing to begin with: nobody is trusted here").help(
                    "name a statement that you verified before, `--trusted-statement FILE`, or the first keys, \
                     `--allowed-signers FILE`",
                ),
            );
        }
        return strangers(context, place, &signed, start.any_signer);
    }
    let mut gap = None;
    loop {
        match between(chain.known.as_ref().map(|known| &known.statement))? {
            Next::Statement(place, next) => chain.follow(&place, *next)?,
            Next::Missing(missing) => {
                let skipped;
                (trust, skipped) =
                    skip(context, place, statement, &chain, &missing, start.may_skip)?;
                gap = Some(skipped);
                (chain.known, chain.policy) = (None, trust.policy.clone());
                break;
            }
            Next::Last => break,
        };
    }
    let (name, sequence) = (statement.name.clone(), statement.sequence);
    let followed = chain.follow(place, signed);
    let followed = followed.map_err(|failure| match &gap {
        Some(gap) => failure.help(format!("{gap}: {ELSEWHERE}")),
        None => failure,
    })?;
    let by = match followed {
        Some(verdict) => words(&verdict),
        None => "the statement that you trust, which is this one".to_owned(),
    };
    if let Some(gap) = gap {
        context.warning(&format!(
            "{gap}; it is newer than the one here, and taken because keys that you trust have signed it"
        ));
    }
    let trusted = match &trust.file {
        Some(file) => format!(", trusted in `{}`", context.shown(file)),
        None => String::new(),
    };
    context.say(&format!(
        "{name}, sequence {sequence}, is vouched for by {by}{trusted}"
    ));
    Ok(())
}

/// Where missing statements may be.
const ELSEWHERE: &str = "fetch from a site that has the statements in between";

/// Whom the repository trusts, where a statement on the way to `statement` is missing, and which are, as a sentence. Only
/// that nothing goes back can be seen then.
fn skip(
    context: &Context<'_>,
    place: &str,
    statement: &Statement,
    chain: &Chain,
    missing: &str,
    may_skip: bool,
) -> Result<(Trust, String), Failure> {
    let known = chain.known.as_ref().map(|known| &known.statement);
    let from = known.map_or(0, |known| known.sequence);
    let sequence = statement.sequence;
    let gap = match (from + 1, sequence - 1) {
        (first, last) if first == last => format!("sequence {first} is missing"),
        (first, last) => format!("of sequences {first} to {last} not all are there"),
    };
    let gap = format!(
        "sequence {from} cannot be followed to {sequence}, since {gap}: `{missing}` is not there"
    );
    let failure = Failure::finding(&gap);
    if !may_skip {
        return Err(failure.help(format!(
            "{ELSEWHERE}, or name the keys that you trust in the place of a statement: `--allowed-signers FILE`"
        )));
    }
    let trust = start(context, &TrustArguments::default())?.trust;
    if trust.policy.is_none() {
        return Err(failure.help(format!(
            "{ELSEWHERE}, or name the keys that you trust: `--allowed-signers FILE`"
        )));
    }
    trust.check_name(place, statement)?;
    if let Some(known) = known {
        statement
            .check_newer_than(known)
            .map_err(|error| unchained(place, &error))?;
    }
    Ok((trust, gap))
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
            "get the maintainers' newest statement; this may be a rollback attack",
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
pub(super) fn start(context: &Context<'_>, arguments: &TrustArguments) -> Result<Start, Failure> {
    let begin = |known, trust| Start {
        known,
        trust,
        held: None,
        any_signer: arguments.any_signer,
        may_skip: false,
    };
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
        return Ok(begin(Some(trusted), Trust::default()));
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
                error_chain(&error)
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
        return Ok(begin(None, trust));
    }
    refuse_foreign_repository(context)?;
    // A release can be verified where there is no repository.
    let trust = repository_trust(context).map_err(|failure| match failure.help {
        None => failure.help("mend it, or name whom you trust: `--allowed-signers FILE`"),
        Some(_) => failure,
    })?;
    let trust = trust.map(|(trust, _)| trust).unwrap_or_default();
    Ok(begin(None, trust))
}
