//! Adds a signature to a statement, and determines the required keys and the keys that may sign.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{RepositoryAround, Trust, TrustFailure, expired, previous, repository_trust};
use crate::foundation::environment::AtomicFile;
use crate::foundation::failure::{Failure, error_chain};
use crate::release::signature::{FoundKey, OpenKey, PublicKey, TrustedKey, sign, verify};
use crate::release::statement::{SignatureFile, SignedStatement, Statement, read_statement};
use crate::set::repository::Configuration;
use crate::source::Session;

/// A statement that is about to get another signature.
#[derive(Debug)]
pub struct Countersigning {
    /// The statement's file.
    pub path: PathBuf,
    /// The statement and its signatures.
    pub signed: SignedStatement,
    trust: Trust,
    configuration: Configuration,
    before: Option<Statement>,
    now: Timestamp,
}

/// A set of keys, and the number of them that must sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// The keys.
    pub trusted: Vec<TrustedKey>,
    /// The required number of signatures by these keys.
    pub threshold: u32,
}

/// The numbers of present and required signatures of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureCount {
    /// The number of present signatures.
    pub count: usize,
    /// The number of required signatures.
    pub needed: u32,
    /// The keys that could add the missing ones; empty if there are enough.
    pub further: Vec<TrustedKey>,
}

impl SignatureCount {
    /// Whether there are enough.
    pub fn is_complete(&self) -> bool {
        self.count >= self.needed as usize
    }
}

impl Countersigning {
    /// Reads the statement, and the one in `previous` that it must follow.
    ///
    /// # Errors
    /// When one of them cannot be read, the statement has expired, or it does not fit the
    /// repository or the previous statement.
    pub fn prepare(
        session: &Session,
        around: &RepositoryAround,
        path: PathBuf,
        previous_location: Option<&str>,
    ) -> Result<Self, TrustFailure> {
        let place = session.environment().shown(&path);
        let signed = read_statement(&path)?;
        let now = session.now();
        if signed.statement.is_expired(now) {
            return Err(expired(&place, &signed.statement)
                .help(
                    "another signature would not help: `ipwhl build --previous STATEMENT \
                     --after-expiry` makes the next statement",
                )
                .into());
        }
        let directory = around.directory.as_deref();
        let (trust, configuration) = directory
            .map(repository_trust)
            .transpose()?
            .unwrap_or_default();
        trust.check_name(&place, &signed.statement)?;
        let before = previous_location
            .map(|location| previous(session, &configuration, location, false))
            .transpose()?
            .map(|before| before.statement);
        if let Some(before) = &before {
            signed
                .statement
                .check_successor_of(before)
                .map_err(|error| {
                    Failure::finding(format!("`{place}` does not follow `--previous`: {error}"))
                })?;
        }
        Ok(Self {
            path,
            signed,
            trust,
            configuration,
            before,
            now,
        })
    }

    /// The sets of keys that must sign, if this key may sign.
    ///
    /// # Errors
    /// When the repository does not trust the key, or the previous statement does not name it.
    pub fn quorums_of(&self, key: &FoundKey) -> Result<Vec<Quorum>, Failure> {
        may_sign(&self.trust, key, self.now)?;
        may_follow(self.before.as_ref(), key.public().0, self.now)?;
        quorums(
            &self.configuration,
            &self.signed.statement,
            self.before.as_ref(),
        )
    }

    /// The existing signature by a key, if any.
    pub fn signature_by(&self, key: &PublicKey) -> Option<&SignatureFile> {
        let text = self.signed.text.as_bytes();
        let mut signatures = self.signed.signatures.iter();
        signatures.find(|file| verify(&file.text, text).is_ok_and(|signer| signer == *key))
    }

    /// Signs the statement, and writes the signature beside the others.
    ///
    /// # Errors
    /// When the key cannot sign, or the file cannot be written.
    pub fn sign(&mut self, key: &OpenKey) -> Result<SignatureFile, Failure> {
        let file = add_signature(key, &self.signed)?;
        write(&self.path, &file)?;
        let signatures = &mut self.signed.signatures;
        signatures.retain(|other| other.suffix != file.suffix);
        signatures.push(file.clone());
        Ok(file)
    }
}

/// Refuses a key that the repository does not trust, if it names trusted keys.
pub(super) fn may_sign(trust: &Trust, key: &FoundKey, now: Timestamp) -> Result<(), Failure> {
    let (public, comment) = key.public();
    match &trust.policy {
        Some(policy) if !policy.trusts(public, now) => Err(Failure::finding(format!(
            "the key {} from {} is not one of the repository's `trusted` keys",
            public.fingerprint(),
            key.origin()
        ))
        .help(format!(
            "sign with a trusted key, or add to `trusted`: \"{}\"",
            public.line(comment)
        ))),
        _ => Ok(()),
    }
}

/// Refuses a key that the previous statement does not name, if it names any.
pub(super) fn may_follow(
    before: Option<&Statement>,
    key: &PublicKey,
    now: jiff::Timestamp,
) -> Result<(), Failure> {
    let policy = before
        .map(Statement::successor_policy)
        .transpose()
        .map_err(|error| Failure::caused(&error))?
        .flatten();
    match policy {
        Some(policy) if !policy.trusts(key, now) => Err(Failure::finding(format!(
            "the previous statement does not allow the key {} to sign the next one",
            key.fingerprint()
        ))
        .help("sign with one of the keys in its `trusted`")),
        _ => Ok(()),
    }
}

/// A signature of a statement, with a file name that fits the existing ones.
pub(super) fn add_signature(
    by: &OpenKey,
    signed: &SignedStatement,
) -> Result<SignatureFile, Failure> {
    let text = sign(&by.key, signed.text.as_bytes()).map_err(|error| by.failure(&error))?;
    let is_first = signed.signatures.iter().all(|file| file.suffix != ".sig");
    let suffix = if is_first {
        ".sig".to_owned()
    } else {
        format!(".{}.sig", by.key.public().file_digits())
    };
    Ok(SignatureFile { suffix, text })
}

/// Writes a signature beside its statement, atomically.
fn write(statement: &Path, file: &SignatureFile) -> Result<(), Failure> {
    let mut name = statement.as_os_str().to_owned();
    name.push(&file.suffix);
    let path = PathBuf::from(name);
    let failed = |reason: &dyn std::fmt::Display| {
        Failure::world(format!("`{}` cannot be written: {reason}", path.display()))
    };
    let mut beside = AtomicFile::create(&path).map_err(|error| failed(&error))?;
    // Another signer may have been faster before the lock was taken.
    if file.suffix == ".sig" && path.exists() {
        return Err(
            failed(&"another signature was written at the same moment").help("run it again")
        );
    }
    beside
        .write_all(file.text.as_bytes())
        .and_then(|()| beside.commit())
        .map_err(|error| failed(&error))
}

/// The sets of keys that must sign: the repository's own keys, and those that the previous
/// statement names. If neither names any, the keys of the statement itself, because its readers
/// know them.
///
/// # Errors
/// When a line of the repository's `trusted` is not a key.
pub fn quorums(
    configuration: &Configuration,
    statement: &Statement,
    before: Option<&Statement>,
) -> Result<Vec<Quorum>, Failure> {
    let trusted = configuration
        .trusted
        .iter()
        .map(|line| line.parse())
        .collect::<Result<Vec<TrustedKey>, _>>()
        .map_err(|error| {
            Failure::finding(format!(
                "`trusted` in `ipwhl.toml`: {}",
                error_chain(&error)
            ))
        })?;
    let threshold = u32::try_from(configuration.threshold).unwrap_or(u32::MAX);
    let named = |statement: &Statement| Quorum {
        trusted: statement.trusted.clone(),
        threshold: statement.threshold,
    };
    let mut asked = vec![Quorum { trusted, threshold }];
    asked.extend(before.map(named));
    asked.retain(|quorum| !quorum.trusted.is_empty());
    if asked.is_empty() && !statement.trusted.is_empty() {
        asked.push(named(statement));
    }
    Ok(asked)
}

/// The number of the required signatures that are present, and the keys that could add missing
/// ones. `None` if none are required.
pub fn count_signatures(signed: &SignedStatement, quorums: &[Quorum]) -> Option<SignatureCount> {
    let by = signed.signers();
    let there = |quorum: &Quorum| {
        let trusted = quorum.trusted.iter();
        trusted.filter(|one| by.contains(&one.key)).count()
    };
    let lacking = |quorum: &Quorum| (quorum.threshold as usize).saturating_sub(there(quorum));
    // The set of keys with the most missing signatures decides.
    let most = quorums
        .iter()
        .max_by_key(|quorum| (lacking(quorum), quorum.threshold))?;
    let mut further: Vec<TrustedKey> = Vec::new();
    if lacking(most) > 0 {
        for other in quorums.iter().flat_map(|quorum| &quorum.trusted) {
            let is_known = |key| by.contains(key) || further.iter().any(|one| one.key == *key);
            if !is_known(&other.key) {
                further.push(other.clone());
            }
        }
    }
    Some(SignatureCount {
        count: there(most),
        needed: most.threshold,
        further,
    })
}
