//! Signatures in OpenSSH's format (PROTOCOL.sshsig).

use data_encoding::BASE64;
use ssh_encoding::Decode;
use ssh_key::{HashAlg, LineEnding, Signature, SshSig};
use thiserror::Error;

use super::key::SignatureCheckError;
use super::key_type::{HARDWARE, PLAIN};
use super::{NAMESPACE, PublicKey, wire};

/// The longest signature text that is read. One of an Ed25519 key has about 300 bytes.
pub const MAXIMUM_SIGNATURE_SIZE: usize = 16 * 1024;

/// The first bytes of a signature.
const MAGIC: &[u8] = b"SSHSIG";

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";

/// The reason why a signature is invalid.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// The text is longer than [`MAXIMUM_SIGNATURE_SIZE`]; its length.
    #[error("the signature has {0} bytes; at most {MAXIMUM_SIGNATURE_SIZE} are allowed")]
    TooLarge(usize),
    /// The text is not an SSHSIG signature; the reason.
    #[error("the signature is not an OpenSSH signature: {0}")]
    Malformed(&'static str),
    /// The signature is of another version of the format.
    #[error(
        "the signature is of version {0} of the format, not {version}",
        version = SshSig::VERSION
    )]
    Version(u32),
    /// The signature was made for another purpose.
    #[error("the signature was made for {found:?}, not for {wanted:?}")]
    Namespace {
        /// Its namespace.
        found: String,
        /// The required one.
        wanted: String,
    },
    /// The signature is by a key of another algorithm; its OpenSSH name.
    #[error(
        "the signature is by a key of the type {0:?}; only ssh-ed25519 and \
         sk-ssh-ed25519@openssh.com are accepted"
    )]
    Algorithm(String),
    /// The signature is not over these bytes, or not by the key that it names.
    #[error(
        "the signature by the key {} does not match: the statement or the signature was changed",
        .0.fingerprint()
    )]
    Mismatch(PublicKey),
    /// The signature was made by a hardware key without a touch.
    #[error(
        "the signature by the hardware key {} was made without a touch",
        .0.fingerprint()
    )]
    Untouched(PublicKey),
}

/// Verifies the text of a `.sig` file over a statement's bytes and returns the key that made it.
/// Whether that key is trusted is decided by a [`crate::release::trust::TrustPolicy`].
pub fn verify(text: &str, bytes: &[u8]) -> Result<PublicKey, SignatureError> {
    verify_for(NAMESPACE, text, bytes)
}

/// Verifies a signature for another purpose than a statement, such as `git`.
pub fn verify_for(namespace: &str, text: &str, bytes: &[u8]) -> Result<PublicKey, SignatureError> {
    if text.len() > MAXIMUM_SIGNATURE_SIZE {
        return Err(SignatureError::TooLarge(text.len()));
    }
    let blob = unarmour(text).ok_or(SignatureError::Malformed(
        "its text between the marker lines is not base64",
    ))?;
    let parts = Parts::read(&blob)?;
    if parts.namespace != namespace.as_bytes() {
        return Err(SignatureError::Namespace {
            found: String::from_utf8_lossy(&parts.namespace).into_owned(),
            wanted: namespace.to_owned(),
        });
    }
    let damaged = SignatureError::Malformed("its public key is damaged");
    let algorithm = wire::algorithm(&parts.key).ok_or(damaged.clone())?;
    if ![PLAIN, HARDWARE].contains(&algorithm.as_str()) {
        return Err(SignatureError::Algorithm(algorithm));
    }
    let key = PublicKey::from_blob(&parts.key).ok_or(damaged)?;
    let hash = match &parts.hash[..] {
        b"sha512" => HashAlg::Sha512,
        b"sha256" => HashAlg::Sha256,
        _ => {
            return Err(SignatureError::Malformed(
                "its hash is neither sha512 nor sha256",
            ));
        }
    };
    let message = SshSig::signed_data(namespace, hash, bytes)
        .map_err(|_| SignatureError::Malformed("it has no namespace"))?;
    match key.check(&message, &parts.signature) {
        Ok(_) => Ok(key),
        Err(SignatureCheckError::Malformed) => Err(SignatureError::Malformed(
            "its signature data does not fit its type of key",
        )),
        Err(SignatureCheckError::Mismatch) => Err(SignatureError::Mismatch(key)),
        Err(SignatureCheckError::Untouched) => Err(SignatureError::Untouched(key)),
    }
}

/// The signed data for these bytes (PROTOCOL.sshsig, section 3), with SHA-512 as in ssh-keygen.
pub(super) fn signed_data(namespace: &str, bytes: &[u8]) -> ssh_key::Result<Vec<u8>> {
    SshSig::signed_data(namespace, HashAlg::Sha512, bytes)
}

/// The text of a signature over [`signed_data`] (PROTOCOL.sshsig, sections 1 and 2).
pub(super) fn text(
    key: &PublicKey,
    namespace: &str,
    signature: Signature,
) -> ssh_key::Result<String> {
    SshSig::new(key.data(), namespace, HashAlg::Sha512, signature)?.to_pem(LineEnding::LF)
}

fn unarmour(text: &str) -> Option<Vec<u8>> {
    let mut lines = text.trim_end_matches(['\r', '\n', ' ']).lines();
    if lines.next() != Some(BEGIN) || lines.next_back() != Some(END) {
        return None;
    }
    BASE64.decode(lines.collect::<String>().as_bytes()).ok()
}

/// The parts of a signature. The library reads it too, but accepts more than is accepted here, and
/// does not report the type of an unknown key.
struct Parts {
    key: Vec<u8>,
    namespace: Vec<u8>,
    hash: Vec<u8>,
    signature: Vec<u8>,
}

impl Parts {
    fn read(blob: &[u8]) -> Result<Self, SignatureError> {
        let cut = || SignatureError::Malformed("its lengths do not match its content");
        let mut reader = blob
            .strip_prefix(MAGIC)
            .ok_or(SignatureError::Malformed("it does not begin with SSHSIG"))?;
        // PROTOCOL.sshsig 2: "Verifiers MUST reject signatures with versions greater than those
        // they support". Version 0 never existed.
        let version = u32::decode(&mut reader).map_err(|_| cut())?;
        if version != SshSig::VERSION {
            return Err(SignatureError::Version(version));
        }
        let mut string = || wire::string(&mut reader).ok_or_else(cut);
        let (key, namespace, reserved, hash, signature) =
            (string()?, string()?, string()?, string()?, string()?);
        if !reader.is_empty() {
            return Err(cut());
        }
        // Off-spec: it should be ignored, and ssh-keygen leaves it out of verification. No known
        // program writes it.
        if !reserved.is_empty() {
            return Err(SignatureError::Malformed("it has data of a later format"));
        }
        Ok(Self {
            key,
            namespace,
            hash,
            signature,
        })
    }
}
