//! Provenance of a file in an index (PEP 740): the publishers that the index states, each with
//! attestations about the file.
//!
//! A provenance is accepted only if each of its attestations names the file and its SHA-256. That
//! says nothing about signatures: the publisher is the word of the index until [`Provenance::verify`]
//! has succeeded.
//!
//! Specification: "Index hosted attestations".

mod attestation;
mod crypto;
mod publisher;
mod signature;

use ipwhl_unixfs::Sha256Digest;
use serde::Deserialize;
use serde_json::Value;

use attestation::{Attestation, RawAttestation, check_version};
pub use publisher::{NO_PUBLISHER, Publisher};
pub use signature::VERIFIER;
use signature::verify_signature;

/// The most publishers, and the most attestations of each, in one provenance.
const MOST: usize = 16;

/// The provenance of a file.
#[derive(Debug)]
pub struct Provenance {
    sha256: Sha256Digest,
    bundles: Vec<Bundle>,
}

#[derive(Debug)]
struct Bundle {
    publisher: Publisher,
    attestations: Vec<Attestation>,
}

#[derive(Deserialize)]
struct RawProvenance {
    version: u64,
    attestation_bundles: Vec<RawBundle>,
}

#[derive(Deserialize)]
struct RawBundle {
    publisher: Value,
    attestations: Vec<RawAttestation>,
}

impl Provenance {
    /// Reads the provenance of the file with this name and SHA-256.
    ///
    /// # Errors
    /// When it is not a provenance, or not of this file: a clause.
    pub fn parse(body: &[u8], file_name: &str, sha256: &Sha256Digest) -> Result<Self, String> {
        let raw: RawProvenance =
            serde_json::from_slice(body).map_err(|error| format!("it cannot be read: {error}"))?;
        check_version(raw.version)?;
        if raw.attestation_bundles.is_empty() {
            return Err("it names no publisher".to_owned());
        }
        check_number("publishers", raw.attestation_bundles.len())?;
        let bundles = raw.attestation_bundles.into_iter();
        let bundles = bundles.map(|raw| {
            if raw.attestations.is_empty() {
                return Err("a publisher has no attestation".to_owned());
            }
            check_number("attestations", raw.attestations.len())?;
            let attestations = raw.attestations.into_iter();
            Ok(Bundle {
                publisher: Publisher::read(&raw.publisher)?,
                attestations: attestations
                    .map(|raw| Attestation::read(raw, file_name, sha256))
                    .collect::<Result<_, _>>()?,
            })
        });
        Ok(Self {
            sha256: *sha256,
            bundles: bundles.collect::<Result<_, String>>()?,
        })
    }

    /// The publishers, in the order of the index.
    pub fn publishers(&self) -> impl Iterator<Item = &Publisher> {
        self.bundles.iter().map(|bundle| &bundle.publisher)
    }

    /// Verifies every signature, and that each publisher made those under its name. The environment
    /// of a publisher is not verified: certificates need not state it.
    ///
    /// # Errors
    /// When one of them is not verified: a clause.
    pub fn verify(&self) -> Result<(), String> {
        for bundle in &self.bundles {
            for attestation in &bundle.attestations {
                verify_signature(&self.sha256, &bundle.publisher, attestation)?;
            }
        }
        Ok(())
    }
}

fn check_number(what: &str, number: usize) -> Result<(), String> {
    if number > MOST {
        return Err(format!("it has {number} {what}, and {MOST} are the most"));
    }
    Ok(())
}
