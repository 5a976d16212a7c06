//! Trust policies: the trusted keys, and whether a statement has enough of their signatures.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use thiserror::Error;

use super::allowed_signers::{self, AllowedSignersError};
use super::signer::{Entry, Signer};
use crate::release::signature::{KeyError, PublicKey, SignatureError, TrustedKey, verify};
use crate::release::statement::Statement;

/// The reason why there is no policy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TrustError {
    /// No key is named at all.
    #[error("no Ed25519 key is named that may sign a release")]
    NoKeys,
    /// The threshold is 0, or exceeds the number of different keys.
    #[error("the threshold is {threshold}, but the number of different trusted keys is {keys}")]
    Threshold {
        /// The threshold.
        threshold: u32,
        /// The number of different keys.
        keys: usize,
    },
    /// A line of `trusted` is not a public key.
    #[error("a line in `trusted` is not a key")]
    Key(#[source] KeyError),
    /// The `allowed_signers` file cannot be read.
    #[error("the allowed_signers file cannot be used")]
    AllowedSigners(#[source] AllowedSignersError),
}

/// The keys whose signatures count, and the number of required signers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustPolicy {
    entries: Vec<Entry>,
    threshold: u32,
}

/// The verdict of a [`TrustPolicy`] over a statement and its signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Trusted keys with a valid signature, each once, in the order of the signatures.
    pub signers: Vec<Signer>,
    /// Keys that are trusted, but not at this time, with a valid signature.
    pub outside_validity: Vec<Signer>,
    /// Untrusted keys with a valid signature.
    pub unknown: Vec<PublicKey>,
    /// Invalid signatures: the position in the given order, and the reason.
    pub refused: Vec<(usize, SignatureError)>,
    /// The number of required signers.
    pub threshold: u32,
}

impl Verdict {
    /// Whether enough trusted keys have signed.
    pub fn is_reached(&self) -> bool {
        self.threshold > 0 && self.signers.len() >= self.threshold as usize
    }
}

impl Statement {
    /// The policy for the next statement; `None` if this one names no key.
    pub fn successor_policy(&self) -> Result<Option<TrustPolicy>, TrustError> {
        if self.trusted.is_empty() {
            return Ok(None);
        }
        TrustPolicy::of_keys(&self.trusted, self.threshold).map(Some)
    }
}

impl TrustPolicy {
    /// A policy that trusts these keys.
    pub fn of_keys(keys: &[TrustedKey], threshold: u32) -> Result<Self, TrustError> {
        let entry = |trusted: &TrustedKey| Entry {
            signer: Signer {
                key: trusted.key.clone(),
                name: trusted.name.clone(),
            },
            valid_after: None,
            valid_before: None,
        };
        Self::new(keys.iter().map(entry).collect(), threshold)
    }

    /// A policy that trusts the keys of `trusted` lines, as in `ipwhl.toml`.
    pub fn from_lines<'a>(
        lines: impl IntoIterator<Item = &'a str>,
        threshold: u32,
    ) -> Result<Self, TrustError> {
        let keys: Result<Vec<TrustedKey>, KeyError> = lines.into_iter().map(str::parse).collect();
        Self::of_keys(&keys.map_err(TrustError::Key)?, threshold)
    }

    /// A policy that trusts the keys of an `allowed_signers` file (ssh-keygen(1), ALLOWED SIGNERS)
    /// that may sign in the namespace of releases, for any principal. Lines with keys of other
    /// algorithms are skipped: they cannot sign here.
    pub fn from_allowed_signers(text: &str, threshold: u32) -> Result<Self, TrustError> {
        let entries = allowed_signers::parse(text).map_err(TrustError::AllowedSigners)?;
        Self::new(entries, threshold)
    }

    fn new(entries: Vec<Entry>, threshold: u32) -> Result<Self, TrustError> {
        // A key that is listed twice is still one signer.
        let keys = entries
            .iter()
            .map(|entry| &entry.signer.key)
            .collect::<BTreeSet<_>>()
            .len();
        if keys == 0 {
            return Err(TrustError::NoKeys);
        }
        if threshold == 0 || threshold as usize > keys {
            return Err(TrustError::Threshold { threshold, keys });
        }
        Ok(Self { entries, threshold })
    }

    /// The keys that are listed under several names, with these names. Each is still one signer.
    pub fn keys_with_several_names(&self) -> Vec<(&PublicKey, BTreeSet<&str>)> {
        let mut names: BTreeMap<&PublicKey, BTreeSet<&str>> = BTreeMap::new();
        for Entry { signer, .. } in &self.entries {
            names.entry(&signer.key).or_default().insert(&signer.name);
        }
        names.retain(|_, names| names.len() > 1);
        names.into_iter().collect()
    }

    /// The trusted keys, including those that are valid only at other times.
    pub fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.entries.iter().map(|entry| &entry.signer.key)
    }

    /// The number of required signers.
    pub fn threshold(&self) -> u32 {
        self.threshold
    }

    /// Whether a signature by this key would count at that time; a build checks this before it
    /// signs.
    pub fn trusts(&self, key: &PublicKey, at: Timestamp) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.signer.key == *key && entry.holds(at))
    }

    /// Verifies each signature over the statement's bytes and counts the trusted keys among them,
    /// each once. The keys must be valid at the time `at`.
    pub fn evaluate<S: AsRef<str>>(
        &self,
        statement: &[u8],
        signatures: &[S],
        at: Timestamp,
    ) -> Verdict {
        let mut verdict = Verdict {
            signers: Vec::new(),
            outside_validity: Vec::new(),
            unknown: Vec::new(),
            refused: Vec::new(),
            threshold: self.threshold,
        };
        let mut seen = BTreeSet::new();
        for (index, signature) in signatures.iter().enumerate() {
            let key = match verify(signature.as_ref(), statement) {
                Ok(key) => key,
                Err(error) => {
                    verdict.refused.push((index, error));
                    continue;
                }
            };
            if !seen.insert(key.clone()) {
                continue;
            }
            let mut entries = self
                .entries
                .iter()
                .filter(|entry| entry.signer.key == key)
                .peekable();
            let first = entries.peek().copied();
            match (entries.find(|entry| entry.holds(at)), first) {
                (Some(entry), _) => verdict.signers.push(entry.signer.clone()),
                (None, Some(entry)) => verdict.outside_validity.push(entry.signer.clone()),
                (None, None) => verdict.unknown.push(key),
            }
        }
        verdict
    }
}
