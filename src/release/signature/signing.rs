//! Keys that can sign: in an OpenSSH file, with or without a passphrase, or in an agent.

use std::fmt;
use std::sync::Arc;

use ed25519_dalek::Signer as _;
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::rand_core::{OsRng, RngCore};
use ssh_key::{LineEnding, PrivateKey, Signature};

use super::agent::{self, Agent};
use super::key_type::{HARDWARE, PLAIN, is_key_type};
use super::wire::{self, MAXIMUM_ROUNDS};
use super::{AgentError, KeyError, NAMESPACE, PublicKey, sshsig};

/// The longest private key text that is read.
const MAXIMUM_PRIVATE_KEY_SIZE: usize = 64 * 1024;

/// The place of the private half.
#[derive(Clone)]
enum PrivateHalf {
    /// In memory.
    Here(Box<PrivateKey>),
    /// In an agent, which signs.
    Agent(Arc<dyn Agent>),
}

/// A key that can sign, with its private half in memory or in an agent.
#[derive(Clone)]
pub struct SigningKey {
    public: PublicKey,
    comment: String,
    private: PrivateHalf,
}

/// The readable parts of a private key's text without its passphrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateKeyText {
    /// The public half.
    pub public: PublicKey,
    /// Whether a passphrase protects the private half.
    pub is_protected: bool,
}

impl PrivateKeyText {
    /// Reads it from an OpenSSH private key, the text between `-----BEGIN OPENSSH PRIVATE KEY-----`
    /// and its end.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = tidied(text)?;
        let malformed = || KeyError::Malformed("its header is damaged".to_owned());
        let header = wire::PrivateKeyHeader::of_text(&text).ok_or_else(malformed)?;
        let algorithm = wire::algorithm(&header.blob).ok_or_else(malformed)?;
        if ![PLAIN, HARDWARE].contains(&algorithm.as_str()) {
            return Err(KeyError::Algorithm(algorithm));
        }
        Ok(Self {
            public: PublicKey::from_blob(&header.blob).ok_or_else(malformed)?,
            is_protected: header.rounds > 0,
        })
    }
}

impl SigningKey {
    /// Reads an OpenSSH private key without a passphrase, the text between `-----BEGIN OPENSSH
    /// PRIVATE KEY-----` and its end. Spaces around lines are accepted, because secrets of CI
    /// systems add them.
    pub fn from_openssh(text: &str) -> Result<Self, KeyError> {
        Self::read(text, None)
    }

    /// Reads an OpenSSH private key with a passphrase (PROTOCOL.key); a key without one is read as
    /// well.
    pub fn from_protected(text: &str, passphrase: &str) -> Result<Self, KeyError> {
        Self::read(text, Some(passphrase))
    }

    fn read(text: &str, passphrase: Option<&str>) -> Result<Self, KeyError> {
        let text = tidied(text)?;
        if let Some(header) = wire::PrivateKeyHeader::of_text(&text) {
            match wire::algorithm(&header.blob) {
                Some(name) if name == HARDWARE => return Err(KeyError::InHardware),
                Some(name) if name != PLAIN => return Err(KeyError::Algorithm(name)),
                _ => {}
            }
            if header.rounds > MAXIMUM_ROUNDS {
                return Err(KeyError::TooManyRounds(header.rounds));
            }
        }
        let key = PrivateKey::from_openssh(text).map_err(malformed)?;
        if !key.is_encrypted() {
            return Self::from_private_key(key);
        }
        let passphrase = passphrase.ok_or(KeyError::Protected)?;
        let open = key.decrypt(passphrase).map_err(|error| match error {
            ssh_key::Error::Crypto => KeyError::WrongPassphrase,
            error => malformed(error),
        })?;
        // The public half is outside of the encrypted part, where it could have been replaced.
        let pair = open.key_data().ed25519();
        if pair.is_none_or(|pair| Some(&pair.public) != key.public_key().key_data().ed25519()) {
            return Err(KeyError::Malformed("its halves do not match".to_owned()));
        }
        Self::from_private_key(open)
    }

    /// Creates a new key from 32 random bytes of the system.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        OsRng
            .try_fill_bytes(&mut seed)
            .map_err(|error| KeyError::NoRandomness(error.to_string()))?;
        Self::from_seed(&seed)
    }

    /// The key of this seed (RFC 8032, section 5.1.5). The seed is as secret as the key.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        let pair = KeypairData::from(Ed25519Keypair::from_seed(seed));
        let key = PrivateKey::try_from(pair).map_err(malformed)?;
        Self::from_private_key(key)
    }

    /// A key with its private half in an agent. The agent is asked immediately for the key, so that
    /// a missing key is reported before a long build. An empty comment is replaced by the agent's
    /// comment for the key.
    pub fn of_agent(
        public: PublicKey,
        comment: &str,
        agent: Arc<dyn Agent>,
    ) -> Result<Self, KeyError> {
        let known_as = agent::find(&*agent, &public)?;
        let key = Self {
            public,
            comment: known_as,
            private: PrivateHalf::Agent(agent),
        };
        Ok(match comment.trim() {
            "" => key,
            comment => key.with_comment(comment),
        })
    }

    fn from_private_key(key: PrivateKey) -> Result<Self, KeyError> {
        match key.public_key().key_data().ed25519() {
            Some(public) => Ok(Self {
                public: PublicKey::Ed25519(public.0),
                comment: key.comment().to_owned(),
                private: PrivateHalf::Here(Box::new(key)),
            }),
            None => Err(KeyError::Algorithm(key.algorithm().as_str().to_owned())),
        }
    }

    /// The same key with another comment. Control characters in it become spaces.
    #[must_use]
    pub fn with_comment(mut self, comment: &str) -> Self {
        self.comment = comment.replace(char::is_control, " ");
        if let PrivateHalf::Here(key) = &mut self.private {
            key.set_comment(self.comment.clone());
        }
        self
    }

    /// The comment in the private key's file or in the agent; may be empty.
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        self.public.clone()
    }

    /// Whether an agent signs instead of this program.
    pub fn is_kept_by_agent(&self) -> bool {
        matches!(self.private, PrivateHalf::Agent(_))
    }

    /// Signs bytes in OpenSSH's format (PROTOCOL.sshsig): the text of a `.sig` file, or the
    /// signature of a Git object in the namespace `git`. The signature has been verified. Ed25519
    /// is deterministic, so a key in a file gives the same text for the same bytes; a hardware key
    /// counts its signatures, so it does not.
    pub fn sign(&self, namespace: &str, bytes: &[u8]) -> Result<String, KeyError> {
        let message = sshsig::signed_data(namespace, bytes).map_err(malformed)?;
        let signature = self.signature(&message)?;
        sshsig::text(&self.public, namespace, signature).map_err(malformed)
    }

    /// Signs bytes directly (RFC 8032, section 5.1.6): 64 bytes, as in IPNS records. A hardware key
    /// refuses, because it cannot make such a signature.
    pub fn sign_ed25519(&self, bytes: &[u8]) -> Result<[u8; 64], KeyError> {
        if self.public.ed25519().is_none() {
            return Err(KeyError::NoBareSignature);
        }
        let signature = self.signature(bytes)?;
        signature
            .as_bytes()
            .try_into()
            .map_err(|_| KeyError::Agent(AgentError::WrongSignature))
    }

    /// The signature of a message.
    fn signature(&self, message: &[u8]) -> Result<Signature, KeyError> {
        match &self.private {
            PrivateHalf::Here(key) => key
                .try_sign(message)
                .map_err(|error| KeyError::Malformed(error.to_string())),
            PrivateHalf::Agent(agent) => Ok(agent::sign(&**agent, &self.public, message)?),
        }
    }

    /// The key in OpenSSH format, unencrypted, with a line feed at the end. Store it only in a file
    /// that its owner alone can read.
    pub fn to_openssh(&self) -> Result<String, KeyError> {
        self.write(None)
    }

    /// The key in OpenSSH format, encrypted with AES-256 in counter mode under a passphrase hashed
    /// by bcrypt (PROTOCOL.key), with a line feed at the end.
    pub fn to_protected(&self, passphrase: &str) -> Result<String, KeyError> {
        self.write(Some(passphrase))
    }

    fn write(&self, passphrase: Option<&str>) -> Result<String, KeyError> {
        let PrivateHalf::Here(key) = &self.private else {
            return Err(KeyError::KeptByAgent);
        };
        let key = match passphrase {
            None => (**key).clone(),
            Some(passphrase) => key.encrypt(&mut OsRng, passphrase).map_err(malformed)?,
        };
        key.to_openssh(LineEnding::LF)
            .map(|text| text.to_string())
            .map_err(malformed)
    }
}

/// Signs a statement's bytes: the text of a `.sig` file.
pub fn sign(key: &SigningKey, bytes: &[u8]) -> Result<String, KeyError> {
    key.sign(NAMESPACE, bytes)
}

impl fmt::Debug for SigningKey {
    /// The public half only: a private key must not end up in a log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({})", self.public.fingerprint())
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature that `map_err` requires"
)]
fn malformed(error: ssh_key::Error) -> KeyError {
    KeyError::Malformed(error.to_string())
}

/// The text of a private key, with trimmed lines.
fn tidied(text: &str) -> Result<String, KeyError> {
    if text.len() > MAXIMUM_PRIVATE_KEY_SIZE {
        return Err(KeyError::NotAPrivateKey(format!(
            "a text of {} bytes",
            text.len()
        )));
    }
    let lines: Vec<&str> = text.trim().lines().map(str::trim).collect();
    if lines.first() != Some(&"-----BEGIN OPENSSH PRIVATE KEY-----") {
        return Err(KeyError::NotAPrivateKey(describe(&lines)));
    }
    Ok(lines.join("\n") + "\n")
}

/// The likely kind of a text that is not an OpenSSH private key. Never quotes it: it may be a
/// secret.
fn describe(lines: &[&str]) -> String {
    let first = lines.first().copied().unwrap_or_default();
    if first.is_empty() {
        "an empty text".to_owned()
    } else if is_key_type(first) {
        "a public key: the private key is in the file without `.pub`".to_owned()
    } else if first.starts_with("-----BEGIN ") && first.contains("PRIVATE KEY") {
        "a private key in another format: `ssh-keygen -t ed25519` makes one that fits".to_owned()
    } else {
        "something else: it does not start with `-----BEGIN OPENSSH PRIVATE KEY-----`".to_owned()
    }
}
