//! Signatures in OpenSSH's format (PROTOCOL.sshsig), in the namespace of release statements.

use std::fmt;

use ssh_key::{HashAlg, LineEnding, SshSig};

use super::{KeyError, NAMESPACE, PublicKey, SigningKey, wire};

/// The longest signature text that is read. One of an Ed25519 key has about 300 bytes.
pub const MAXIMUM_SIGNATURE_SIZE: usize = 16 * 1024;

/// The version of the format that PROTOCOL.sshsig defines.
const VERSION: u32 = 1;

/// Why a signature does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureError {
    /// The text is longer than [`MAXIMUM_SIGNATURE_SIZE`]; its length.
    TooLarge(usize),
    /// The text is not an SSHSIG signature; what the decoder says.
    Malformed(String),
    /// The signature is of another version of the format.
    Version(u32),
    /// The signature was made for another purpose; its namespace.
    Namespace(String),
    /// The signature is by a key of another algorithm; its OpenSSH name.
    Algorithm(String),
    /// The signature is not over these bytes, or not by the key that it names.
    Mismatch(PublicKey),
}

impl fmt::Display for SignatureError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(size) => write!(
                formatter,
                "the signature has {size} bytes, more than the {MAXIMUM_SIGNATURE_SIZE} that one can have"
            ),
            Self::Malformed(reason) => {
                write!(
                    formatter,
                    "the signature is not an OpenSSH signature: {reason}"
                )
            }
            Self::Version(version) => {
                write!(
                    formatter,
                    "the signature is of version {version} of the format, not {VERSION}"
                )
            }
            Self::Namespace(namespace) => write!(
                formatter,
                "the signature was made for {namespace:?}, not for {NAMESPACE:?}"
            ),
            Self::Algorithm(name) => write!(
                formatter,
                "the signature is by a key of the type {name:?}, and only ssh-ed25519 is accepted"
            ),
            Self::Mismatch(key) => write!(
                formatter,
                "the signature by the key {} does not fit: the statement was changed, or the signature was",
                key.fingerprint()
            ),
        }
    }
}

impl std::error::Error for SignatureError {}

/// Signs bytes: the text of a `.sig` file. Ed25519 is deterministic, so the same key and bytes give
/// the same text.
pub fn sign(key: &SigningKey, bytes: &[u8]) -> Result<String, KeyError> {
    key.key
        .sign(NAMESPACE, HashAlg::Sha512, bytes)
        .and_then(|signature| signature.to_pem(LineEnding::LF))
        .map_err(|error| KeyError::Malformed(error.to_string()))
}

/// Verifies the text of a `.sig` file over bytes and names the key that made it. Whether anyone
/// trusts that key is for a [`super::TrustPolicy`] to say.
pub fn verify(text: &str, bytes: &[u8]) -> Result<PublicKey, SignatureError> {
    if text.len() > MAXIMUM_SIGNATURE_SIZE {
        return Err(SignatureError::TooLarge(text.len()));
    }
    match wire::signature_algorithm(text) {
        Some(name) if name != "ssh-ed25519" => return Err(SignatureError::Algorithm(name)),
        _ => {}
    }
    let malformed = |error: ssh_key::Error| SignatureError::Malformed(error.to_string());
    let signature = SshSig::from_pem(text).map_err(malformed)?;
    // The decoder forgives lengths that disagree with what they enclose; OpenSSH does not. What it
    // read has to be all that there is.
    let visible = |text: &str| text.split_whitespace().collect::<String>();
    if visible(&signature.to_pem(LineEnding::LF).map_err(malformed)?) != visible(text) {
        let reason = "its lengths do not fit its content".to_owned();
        return Err(SignatureError::Malformed(reason));
    }
    // PROTOCOL.sshsig 2: "Verifiers MUST reject signatures with versions greater than those they
    // support". Version 0 never was.
    if signature.version() != VERSION {
        return Err(SignatureError::Version(signature.version()));
    }
    if signature.namespace() != NAMESPACE {
        return Err(SignatureError::Namespace(signature.namespace().to_owned()));
    }
    let Some(public) = signature.public_key().ed25519() else {
        let algorithm = signature.public_key().algorithm();
        return Err(SignatureError::Algorithm(algorithm.as_str().to_owned()));
    };
    let key = PublicKey::from_bytes(public.0);
    ssh_key::PublicKey::from(signature.public_key().clone())
        .verify(NAMESPACE, bytes, &signature)
        .map_err(|_| SignatureError::Mismatch(key))?;
    Ok(key)
}
