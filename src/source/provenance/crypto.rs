//! Digests and signatures for the library that verifies attestations: those that TLS and CIDs use
//! here. It cannot sign.

use rustls::crypto::ring;
use rustls::pki_types::{AlgorithmIdentifier, alg_id};
use sha2::{Digest, Sha256, Sha384, Sha512};
use sigstore_verify::crypto::{CryptoProvider, Error, HashContext, Result, SigningScheme};
use sigstore_verify::types::HashAlgorithm;

/// The digests of `sha2` and the signatures of `ring`.
#[derive(Debug)]
pub(super) struct RingProvider;

struct Context<D>(D);

impl<D: Digest + Send> HashContext for Context<D> {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finalize(self: Box<Self>) -> Vec<u8> {
        self.0.finalize().to_vec()
    }
}

impl CryptoProvider for RingProvider {
    fn hash(&self, algorithm: HashAlgorithm) -> Result<Box<dyn HashContext>> {
        match algorithm {
            HashAlgorithm::Sha2256 => Ok(Box::new(Context(Sha256::new()))),
            HashAlgorithm::Sha2384 => Ok(Box::new(Context(Sha384::new()))),
            HashAlgorithm::Sha2512 => Ok(Box::new(Context(Sha512::new()))),
            other => Err(Error::UnsupportedAlgorithm(other.to_string())),
        }
    }

    fn verify_raw(
        &self,
        scheme: SigningScheme,
        key: &[u8],
        data: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        let found = identifiers(scheme).and_then(|(of_key, of_signature)| {
            let mut all = algorithms.all.iter();
            all.find(|one| {
                one.public_key_alg_id() == of_key && one.signature_alg_id() == of_signature
            })
        });
        let Some(algorithm) = found else {
            return Err(Error::UnsupportedAlgorithm(scheme.name().to_owned()));
        };
        algorithm
            .verify_signature(key, data, signature)
            .map_err(|_| Error::Verification(format!("{} signature invalid", scheme.name())))
    }

    /// Never needed: a statement is signed, and not its digest.
    fn verify_prehashed(&self, scheme: SigningScheme, _: &[u8], _: &[u8], _: &[u8]) -> Result<()> {
        Err(Error::UnsupportedAlgorithm(format!(
            "{} of a digest",
            scheme.name()
        )))
    }
}

/// The identifiers of the key and of the signature in X.509.
fn identifiers(scheme: SigningScheme) -> Option<(AlgorithmIdentifier, AlgorithmIdentifier)> {
    Some(match scheme {
        SigningScheme::EcdsaP256Sha256 => (alg_id::ECDSA_P256, alg_id::ECDSA_SHA256),
        SigningScheme::EcdsaP256Sha384 => (alg_id::ECDSA_P256, alg_id::ECDSA_SHA384),
        SigningScheme::EcdsaP384Sha256 => (alg_id::ECDSA_P384, alg_id::ECDSA_SHA256),
        SigningScheme::EcdsaP384Sha384 => (alg_id::ECDSA_P384, alg_id::ECDSA_SHA384),
        SigningScheme::Ed25519 => (alg_id::ED25519, alg_id::ED25519),
        SigningScheme::RsaPkcs1Sha256 => (alg_id::RSA_ENCRYPTION, alg_id::RSA_PKCS1_SHA256),
        SigningScheme::RsaPkcs1Sha384 => (alg_id::RSA_ENCRYPTION, alg_id::RSA_PKCS1_SHA384),
        SigningScheme::RsaPkcs1Sha512 => (alg_id::RSA_ENCRYPTION, alg_id::RSA_PKCS1_SHA512),
        _ => return None,
    })
}
