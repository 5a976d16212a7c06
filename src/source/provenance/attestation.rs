//! An attestation: a signed statement about a file.

use data_encoding::BASE64;
use ipwhl_packaging::WheelFileName;
use ipwhl_unixfs::Sha256Digest;
use serde::Deserialize;
use serde_json::Value;

/// The type of a statement about a file.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// A signed statement. It names the file and its SHA-256.
#[derive(Debug)]
pub(super) struct Attestation {
    pub(super) predicate_type: String,
    /// The statement, its signature and the certificate, in base64.
    pub(super) statement: String,
    pub(super) signature: String,
    pub(super) certificate: String,
    /// The entries of the transparency log, as the log writes them.
    pub(super) entries: Value,
}

#[derive(Deserialize)]
pub(super) struct RawAttestation {
    version: u64,
    envelope: RawEnvelope,
    verification_material: RawMaterial,
}

#[derive(Deserialize)]
struct RawEnvelope {
    statement: String,
    signature: String,
}

#[derive(Deserialize)]
struct RawMaterial {
    certificate: String,
    transparency_entries: Value,
}

#[derive(Deserialize)]
struct RawStatement {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<RawSubject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
}

#[derive(Deserialize)]
struct RawSubject {
    name: String,
    digest: RawDigest,
}

#[derive(Deserialize)]
struct RawDigest {
    sha256: String,
}

/// Checks the version of a format.
pub(super) fn check_version(version: u64) -> Result<(), String> {
    match version {
        1 => Ok(()),
        other => Err(format!("it is of version {other}, and only 1 is supported")),
    }
}

impl Attestation {
    /// Reads an attestation, and checks that it is about this file.
    pub(super) fn read(
        raw: RawAttestation,
        file_name: &str,
        sha256: &Sha256Digest,
    ) -> Result<Self, String> {
        check_version(raw.version)?;
        let statement = BASE64
            .decode(raw.envelope.statement.as_bytes())
            .map_err(|_| "a statement is not base64".to_owned())?;
        let stated: RawStatement = serde_json::from_slice(&statement)
            .map_err(|error| format!("a statement cannot be read: {error}"))?;
        if stated.statement_type != STATEMENT {
            return Err(format!("a statement is no `{STATEMENT}`"));
        }
        let [subject] = stated.subject.as_slice() else {
            return Err("a statement is not about exactly one file".to_owned());
        };
        let digest = subject.digest.sha256.to_ascii_lowercase();
        if !is_same_name(&subject.name, file_name) || digest != sha256.to_string() {
            return Err("an attestation is about another file".to_owned());
        }
        Ok(Self {
            predicate_type: stated.predicate_type,
            statement: raw.envelope.statement,
            signature: raw.envelope.signature,
            certificate: raw.verification_material.certificate,
            entries: raw.verification_material.transparency_entries,
        })
    }
}

/// Whether two names are of one file. Publishers may write a name before it is normalised.
fn is_same_name(one: &str, other: &str) -> bool {
    let parts = |text: &str| {
        let name: WheelFileName = text.parse().ok()?;
        let build = name.build().map(ToOwned::to_owned);
        Some((
            name.name().clone(),
            name.version().clone(),
            build,
            name.tags().to_vec(),
        ))
    };
    one == other || parts(one).is_some_and(|one| Some(one) == parts(other))
}
