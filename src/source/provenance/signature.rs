//! Signatures of attestations, verified with Sigstore's keys and log.
//!
//! The keys of Sigstore are those that the library was published with: nothing is fetched for a
//! verification. A key that is newer than the program is not known to it, and its attestations are
//! not verified.

use std::sync::OnceLock;

use ipwhl_unixfs::Sha256Digest;
use serde_json::json;
use sigstore_verify::crypto::{FulcioCiClaims, install_default_provider};
use sigstore_verify::trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot};
use sigstore_verify::types::{Bundle as SigstoreBundle, Sha256Hash};
use sigstore_verify::{IdentityMatcher, VerificationPolicy, Verifier};

use super::attestation::Attestation;
use super::crypto::RingProvider;
use super::publisher::Publisher;

/// The library that verifies attestations, with its version.
pub const VERIFIER: &str = "sigstore-verify 0.15.1";

/// The ends of the types of statements that say who made or published a file: the publish
/// attestation, whose type is an address at the index that defines it, and the provenance of SLSA.
const PREDICATES: [&str; 2] = ["/attestations/publish/v1", "//slsa.dev/provenance/v1"];

/// Verifies that a publisher has signed an attestation about the file with this SHA-256.
pub(super) fn verify_signature(
    sha256: &Sha256Digest,
    publisher: &Publisher,
    attestation: &Attestation,
) -> Result<(), String> {
    // The keys are constant, and reading them is most of the work.
    static KEYS: OnceLock<Result<Verifier, String>> = OnceLock::new();
    let keys = KEYS.get_or_init(|| {
        // An earlier provider of this process is as good.
        let _ = install_default_provider(&RingProvider);
        let root = TrustedRoot::from_json(SIGSTORE_PRODUCTION_TRUSTED_ROOT)
            .map_err(|error| error.to_string())?;
        Verifier::new(&root).map_err(|error| error.to_string())
    });
    let keys = keys
        .as_ref()
        .map_err(|error| format!("the keys of Sigstore cannot be used: {error}"))?;
    let predicate = attestation.predicate_type.as_str();
    if !PREDICATES.iter().any(|end| predicate.ends_with(end)) {
        return Err("an attestation does not say who published the file".to_owned());
    }
    let policy = VerificationPolicy::any_identity();
    let policy = match publisher {
        Publisher::GitHub { .. } => {
            policy.require_issuer("https://token.actions.githubusercontent.com")
        }
        Publisher::GitLab { .. } => policy.require_issuer("https://gitlab.com"),
        Publisher::CircleCi { .. } => policy.require_issuer("https://oidc.circleci.com"),
        Publisher::Google { email } => policy
            .require_issuer("https://accounts.google.com")
            .require_identity(IdentityMatcher::Email(email.clone())),
        Publisher::Other { .. } => {
            return Err("publishers of this kind cannot be verified".to_owned());
        }
    };
    let bundle = SigstoreBundle::from_json(&sigstore_bundle(attestation))
        .map_err(|error| format!("an attestation cannot be read: {error}"))?;
    let digest = Sha256Hash::from_hex(&sha256.to_string()).map_err(|error| error.to_string())?;
    let result = keys
        .verify(digest, &bundle, &policy)
        .map_err(|error| format!("an attestation is refused: {error}"))?;
    let is_whole = result.certificate_verified() && result.sct_verified() && result.tlog_verified();
    let claims = result
        .certificate()
        .map(|certificate| &certificate.ci_claims);
    let is_of = claims.is_some_and(|claims| is_made_by(publisher, claims));
    if is_whole && is_of {
        Ok(())
    } else {
        Err("an attestation was signed by another publisher".to_owned())
    }
}

/// The attestation as a bundle of Sigstore, version 0.3.
fn sigstore_bundle(attestation: &Attestation) -> String {
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "certificate": { "rawBytes": attestation.certificate },
            "tlogEntries": attestation.entries,
        },
        "dsseEnvelope": {
            "payload": attestation.statement,
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{ "sig": attestation.signature }],
        },
    })
    .to_string()
}

/// Whether the verified claims of a certificate are those of a publisher. The commit or the ref of
/// the workflow is not part of a publisher, and is that of the source.
fn is_made_by(publisher: &Publisher, claims: &FulcioCiClaims) -> bool {
    let (source, build) = match publisher {
        Publisher::GitHub {
            repository,
            workflow,
            ..
        } => {
            let source = format!("https://github.com/{repository}");
            let build = format!("{source}/.github/workflows/{workflow}");
            (source, build)
        }
        Publisher::GitLab {
            repository,
            workflow,
            ..
        } => {
            let source = format!("https://gitlab.com/{repository}");
            let build = format!("{source}//{workflow}");
            (source, build)
        }
        Publisher::CircleCi {
            project,
            pipeline,
            origin,
        } => {
            let signer = format!(
                "https://circleci.com/api/v2/projects/{project}/pipeline-definitions/{pipeline}"
            );
            let is_of_origin = origin.is_none() || claims.source_repository_uri == *origin;
            return is_of_origin && claims.build_signer_uri.as_ref() == Some(&signer);
        }
        // The policy has required the address of the account.
        Publisher::Google { .. } => return true,
        Publisher::Other { .. } => return false,
    };
    let of_source = [
        &claims.source_repository_digest,
        &claims.source_repository_ref,
    ];
    let mut builds = of_source
        .into_iter()
        .flatten()
        .map(|version| format!("{build}@{version}"));
    claims.source_repository_uri.as_ref() == Some(&source)
        && builds.any(|build| claims.build_config_uri.as_ref() == Some(&build))
}
