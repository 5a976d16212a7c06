//! Public keys: Ed25519, in a file or in hardware.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER};
use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256};
use ssh_key::public::{Ed25519PublicKey, KeyData, SkEd25519};
use ssh_key::{Algorithm, Signature};

use super::key_type::{HARDWARE, PLAIN, is_key_type};
use super::{KeyError, NAMESPACE, wire};

/// The longest name of a key.
const MAXIMUM_NAME_LENGTH: usize = 255;

/// The longest application of a hardware key; it is `ssh:` nearly always.
const MAXIMUM_APPLICATION_LENGTH: usize = 255;

/// The flag of a hardware key's signature that says that somebody was there and touched it
/// (PROTOCOL.u2f, "SSH U2F Signatures").
const USER_PRESENT: u8 = 0x01;

/// A public key that may vouch for a release.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PublicKey {
    /// `ssh-ed25519`: the 32 bytes of RFC 8032, section 5.1.5.
    Ed25519([u8; 32]),
    /// `sk-ssh-ed25519@openssh.com`: a key that a FIDO authenticator keeps.
    Hardware {
        /// The 32 bytes of the Ed25519 key.
        key: [u8; 32],
        /// What the key was made for; `ssh:` unless its owner chose something else.
        application: String,
    },
}

impl PublicKey {
    /// The key of this wire form (RFC 8709, section 4; PROTOCOL.u2f, "SSH U2F Key formats"); `None`
    /// where it is no key of these two kinds.
    pub fn from_blob(blob: &[u8]) -> Option<Self> {
        match wire::decoded(blob)? {
            KeyData::Ed25519(key) => Some(Self::Ed25519(key.0)),
            KeyData::SkEd25519(key) => {
                let application = key.application();
                let is_plain = application.bytes().all(|byte| byte.is_ascii_graphic());
                let fits = (1..=MAXIMUM_APPLICATION_LENGTH).contains(&application.len());
                (is_plain && fits).then(|| Self::Hardware {
                    key: key.public_key().0,
                    application: application.to_owned(),
                })
            }
            _ => None,
        }
    }

    /// The key's wire form, which fingerprints are made of.
    pub fn blob(&self) -> Vec<u8> {
        wire::encoded(&self.data())
    }

    /// The same key as the library has it.
    pub(super) fn data(&self) -> KeyData {
        match self {
            Self::Ed25519(key) => Ed25519PublicKey(*key).into(),
            Self::Hardware { key, application } => {
                SkEd25519::new(Ed25519PublicKey(*key), application).into()
            }
        }
    }

    /// The kind of key, as OpenSSH names it.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => PLAIN,
            Self::Hardware { .. } => HARDWARE,
        }
    }

    /// The 32 bytes of a key that makes bare Ed25519 signatures; `None` for one in hardware.
    pub fn ed25519(&self) -> Option<&[u8; 32]> {
        match self {
            Self::Ed25519(key) => Some(key),
            Self::Hardware { .. } => None,
        }
    }

    /// The line for `trusted` and for `.pub` files: `ssh-ed25519 AAAA… comment`. Control characters
    /// in the comment become spaces.
    pub fn line(&self, comment: &str) -> String {
        let comment = comment.replace(char::is_control, " ");
        let line = format!(
            "{} {} {}",
            self.algorithm(),
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
            "{quotation}{principal}{quotation} namespaces=\"{NAMESPACE}\" {}",
            self.line("")
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

    /// Holds a signature in its wire form (RFC 8709, section 6; PROTOCOL.u2f, "SSH U2F Signatures")
    /// to a message.
    pub(super) fn check(&self, message: &[u8], signature: &[u8]) -> Result<Signature, Unfit> {
        let kind = match self {
            Self::Ed25519(_) => Algorithm::Ed25519,
            Self::Hardware { .. } => Algorithm::SkEd25519,
        };
        let signature: Signature = wire::decoded(signature)
            .filter(|signature: &Signature| signature.algorithm() == kind)
            .ok_or(Unfit::Malformed)?;
        // After the signature itself come the flags and the counter of a key in hardware.
        let (bare, touch) = signature
            .as_bytes()
            .split_first_chunk()
            .ok_or(Unfit::Malformed)?;
        let (key, signed) = match self {
            Self::Ed25519(key) => (key, message.to_vec()),
            Self::Hardware { key, application } => {
                let application = Sha256::digest(application);
                let message = Sha256::digest(message);
                (key, [&application[..], touch, &message[..]].concat())
            }
        };
        // Strict: keys and signatures that fit more than one message are refused.
        VerifyingKey::from_bytes(key)
            .and_then(|key| key.verify_strict(&signed, &ed25519_dalek::Signature::from_bytes(bare)))
            .map_err(|_| Unfit::Mismatch)?;
        // Off-spec: `ssh-keygen -Y verify` leaves it open whether the key was touched; a release is
        // worth a touch.
        match touch {
            [flags, ..] if flags & USER_PRESENT == 0 => Err(Unfit::Untouched),
            _ => Ok(signature),
        }
    }
}

/// Why a signature is not one of a key over a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It is not a signature of this kind of key.
    Malformed,
    /// It is over something else, or by another key.
    Mismatch,
    /// It is by a hardware key that nobody touched.
    Untouched,
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
        if ![PLAIN, HARDWARE].contains(&algorithm) {
            return Err(if is_key_type(algorithm) {
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
        let key = PublicKey::from_blob(&blob)
            .filter(|key| key.algorithm() == algorithm)
            .ok_or_else(|| refuse("the base64 is not of an Ed25519 key"))?;
        let name = name.trim();
        if name.len() > MAXIMUM_NAME_LENGTH {
            return Err(refuse("the name is longer than 255 bytes"));
        }
        Ok(Self {
            key,
            name: name.to_owned(),
        })
    }
}
