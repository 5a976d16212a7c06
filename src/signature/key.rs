//! OpenSSH Ed25519 keys, private and public.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER};
use sha2::{Digest, Sha256};
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::rand_core::{OsRng, RngCore};
use ssh_key::{LineEnding, PrivateKey};

use super::{NAMESPACE, wire};

/// The one algorithm, as OpenSSH names it.
const ALGORITHM: &str = "ssh-ed25519";

/// What the wire form of an Ed25519 public key starts with (RFC 8709, section 4): the algorithm's
/// name and the length of the key, both with their lengths in front.
const BLOB_PREFIX: [u8; 19] = *b"\0\0\0\x0bssh-ed25519\0\0\0\x20";

/// The longest private key text that is read.
const MAXIMUM_PRIVATE_KEY_SIZE: usize = 64 * 1024;

/// The longest name of a key.
const MAXIMUM_NAME_LENGTH: usize = 255;

/// What is wrong with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyError {
    /// The text is not an OpenSSH private key; what it looks like instead.
    NotAPrivateKey(String),
    /// The private key is protected by a passphrase.
    Protected,
    /// The key is of another algorithm, by its OpenSSH name.
    Algorithm(String),
    /// The private key cannot be decoded; what the decoder says.
    Malformed(String),
    /// The text is not a line `ssh-ed25519 AAAA… comment`; why.
    NotAPublicKey {
        /// The text that was given.
        line: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A principal that `allowed_signers` cannot hold.
    InvalidPrincipal(String),
    /// The system gave no random bytes; what it said.
    NoRandomness(String),
}

impl fmt::Display for KeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAPrivateKey(what) => {
                write!(
                    formatter,
                    "the signing key is not an OpenSSH private key, but {what}"
                )
            }
            Self::Protected => formatter.write_str(
                "the signing key is protected by a passphrase, which is not supported yet: use a \
                 key without one, as `ipwhl key new` makes it",
            ),
            Self::Algorithm(name) => write!(
                formatter,
                "the key is of the type {name:?}, and only {ALGORITHM} keys can sign a release"
            ),
            Self::Malformed(reason) => {
                write!(formatter, "the signing key cannot be decoded: {reason}")
            }
            Self::NotAPublicKey { line, reason } => write!(
                formatter,
                "{line:?} is not a public key of the form \"{ALGORITHM} AAAA… name\": {reason}"
            ),
            Self::InvalidPrincipal(principal) => write!(
                formatter,
                "{principal:?} cannot be a principal in an allowed_signers file: it is empty, or \
                 has a quotation mark, a comma, a wildcard or a control character"
            ),
            Self::NoRandomness(reason) => {
                write!(
                    formatter,
                    "the system gave no random bytes for a new key: {reason}"
                )
            }
        }
    }
}

impl std::error::Error for KeyError {}

/// An Ed25519 public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    pub(super) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key's wire form (RFC 8709, section 4), which fingerprints are made of.
    pub fn blob(&self) -> Vec<u8> {
        [&BLOB_PREFIX[..], &self.0].concat()
    }

    /// The line for `trusted` and for `.pub` files: `ssh-ed25519 AAAA… comment`. Control characters
    /// in the comment become spaces.
    pub fn line(&self, comment: &str) -> String {
        let comment = comment.replace(char::is_control, " ");
        let line = format!(
            "{ALGORITHM} {} {}",
            BASE64.encode(&self.blob()),
            comment.trim()
        );
        line.trim_end().to_owned()
    }

    /// The line for an `allowed_signers` file (ssh-keygen(1), ALLOWED SIGNERS) that lets this key
    /// sign releases and nothing else.
    pub fn allowed_signers_line(&self, principal: &str) -> Result<String, KeyError> {
        let forbidden = |c: char| c.is_control() || "\"*?!,".contains(c);
        if principal.trim().is_empty() || principal.contains(forbidden) {
            return Err(KeyError::InvalidPrincipal(principal.to_owned()));
        }
        let quotation = if principal.contains(' ') || principal.starts_with('#') {
            "\""
        } else {
            ""
        };
        Ok(format!(
            "{quotation}{principal}{quotation} namespaces=\"{NAMESPACE}\" {ALGORITHM} {}",
            BASE64.encode(&self.blob())
        ))
    }

    /// The fingerprint as OpenSSH prints it: `SHA256:` and unpadded base64.
    pub fn fingerprint(&self) -> String {
        format!(
            "SHA256:{}",
            BASE64_NOPAD.encode(&Sha256::digest(self.blob()))
        )
    }

    /// The first 16 hexadecimal digits of the key's SHA-256: what names the signature file of a
    /// further signer, `release.toml.<digits>.sig`.
    pub fn file_digits(&self) -> String {
        HEXLOWER.encode(&Sha256::digest(self.blob())[..8])
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({})", self.fingerprint())
    }
}

/// A public key and the name that someone gave it: a line of `trusted`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey {
    /// The key.
    pub key: PublicKey,
    /// The comment of the line; may be empty.
    pub name: String,
}

impl fmt::Display for TrustedKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.key.line(&self.name))
    }
}

impl FromStr for TrustedKey {
    type Err = KeyError;

    fn from_str(line: &str) -> Result<Self, KeyError> {
        let refuse = |reason| KeyError::NotAPublicKey {
            line: line.to_owned(),
            reason,
        };
        if line.chars().any(char::is_control) {
            return Err(refuse("it has a control character"));
        }
        let (algorithm, rest) = line
            .trim()
            .split_once(' ')
            .ok_or_else(|| refuse("it has one word"))?;
        if algorithm != ALGORITHM {
            let known = ["ssh-", "ecdsa-", "sk-"]
                .iter()
                .any(|start| algorithm.starts_with(start));
            return Err(if known {
                KeyError::Algorithm(algorithm.to_owned())
            } else {
                refuse("it starts with something else")
            });
        }
        let rest = rest.trim_start();
        let (encoded, name) = rest.split_once(' ').unwrap_or((rest, ""));
        let blob = BASE64
            .decode(encoded.as_bytes())
            .map_err(|_| refuse("the key is not base64"))?;
        let key = blob
            .strip_prefix(&BLOB_PREFIX)
            .and_then(|key| <[u8; 32]>::try_from(key).ok())
            .ok_or_else(|| refuse("the base64 is not of an Ed25519 key"))?;
        let name = name.trim();
        if name.len() > MAXIMUM_NAME_LENGTH {
            return Err(refuse("the name is longer than 255 bytes"));
        }
        Ok(Self {
            key: PublicKey(key),
            name: name.to_owned(),
        })
    }
}

/// An Ed25519 private key that can sign.
#[derive(Clone)]
pub struct SigningKey {
    pub(super) key: PrivateKey,
    public: PublicKey,
}

impl SigningKey {
    /// Reads an OpenSSH private key, the text between `-----BEGIN OPENSSH PRIVATE KEY-----` and its
    /// end. Space around lines is forgiven: keys travel through secrets of CI systems.
    pub fn from_openssh(text: &str) -> Result<Self, KeyError> {
        let lines: Vec<&str> = text.trim().lines().map(str::trim).collect();
        if text.len() > MAXIMUM_PRIVATE_KEY_SIZE {
            return Err(KeyError::NotAPrivateKey(format!(
                "a text of {} bytes",
                text.len()
            )));
        }
        if lines.first() != Some(&"-----BEGIN OPENSSH PRIVATE KEY-----") {
            return Err(KeyError::NotAPrivateKey(describe(&lines)));
        }
        let text = lines.join("\n") + "\n";
        match wire::private_key_algorithm(&text) {
            Some(name) if name != ALGORITHM => return Err(KeyError::Algorithm(name)),
            _ => {}
        }
        let key = PrivateKey::from_openssh(text)
            .map_err(|error| KeyError::Malformed(error.to_string()))?;
        if key.is_encrypted() {
            return Err(KeyError::Protected);
        }
        Self::from_private_key(key)
    }

    /// Makes a new key of 32 random bytes of the system.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        OsRng
            .try_fill_bytes(&mut seed)
            .map_err(|error| KeyError::NoRandomness(error.to_string()))?;
        Self::from_seed(&seed)
    }

    /// The key of this seed (RFC 8032, section 5.1.5). Whoever knows the seed can sign.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        let pair = KeypairData::from(Ed25519Keypair::from_seed(seed));
        let key =
            PrivateKey::try_from(pair).map_err(|error| KeyError::Malformed(error.to_string()))?;
        Self::from_private_key(key)
    }

    fn from_private_key(key: PrivateKey) -> Result<Self, KeyError> {
        match key.public_key().key_data().ed25519() {
            Some(public) => Ok(Self {
                public: PublicKey(public.0),
                key,
            }),
            None => Err(KeyError::Algorithm(key.algorithm().as_str().to_owned())),
        }
    }

    /// The same key under another comment. Control characters in it become spaces.
    #[must_use]
    pub fn with_comment(mut self, comment: &str) -> Self {
        self.key.set_comment(comment.replace(char::is_control, " "));
        self
    }

    /// The comment that the private key's file carries; may be empty.
    pub fn comment(&self) -> &str {
        self.key.comment()
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// The key as OpenSSH writes it, unencrypted, with a line feed at the end. Belongs into a file
    /// that only its owner can read.
    pub fn to_openssh(&self) -> Result<String, KeyError> {
        self.key
            .to_openssh(LineEnding::LF)
            .map(|text| text.to_string())
            .map_err(|error| KeyError::Malformed(error.to_string()))
    }
}

impl fmt::Debug for SigningKey {
    /// The public half only: a private key must not end up in a log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({})", self.public.fingerprint())
    }
}

/// What a text that is no OpenSSH private key seems to be. Never quotes it: it may be a secret.
fn describe(lines: &[&str]) -> String {
    let first = lines.first().copied().unwrap_or_default();
    if first.is_empty() {
        "an empty text".to_owned()
    } else if first.starts_with("ssh-") || first.starts_with("ecdsa-") {
        "a public key: the private one is in the file without `.pub`".to_owned()
    } else if first.starts_with("-----BEGIN ") && first.contains("PRIVATE KEY") {
        "a private key in another format: `ssh-keygen -t ed25519` makes one that fits".to_owned()
    } else {
        "something else: it does not start with `-----BEGIN OPENSSH PRIVATE KEY-----`".to_owned()
    }
}
