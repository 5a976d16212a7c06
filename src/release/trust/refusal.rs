//! Messages for refused statements.

use super::Verdict;
use crate::foundation::failure::{Failure, error_chain};
use crate::release::signature::{FoundKey, verify};
use crate::release::statement::{SignedStatement, Statement};

/// The help for a statement without signatures.
pub const BESIDE: &str = "keep `release.toml` and `release.toml.sig` together: get the signature \
                          from the place that the statement is from";

/// The failure for a statement without a signature that counts, if the repository trusts no key.
/// `own` is the reader's key; `None` if there is none to compare with.
pub fn stranger(what: &str, signed: &SignedStatement, own: Option<&FoundKey>) -> Failure {
    let by: Vec<String> = signed
        .signatures
        .iter()
        .filter_map(|file| verify(&file.text, signed.text.as_bytes()).ok())
        .map(|key| key.fingerprint())
        .collect();
    if by.is_empty() {
        return Failure::finding(format!("{what} has no valid signature beside it")).help(BESIDE);
    }
    let reason = match own {
        Some(own) => format!(
            "which is not your key {} from {}",
            own.public().0.fingerprint(),
            own.origin()
        ),
        None => "and there is no key of your own here to compare it with".to_owned(),
    };
    Failure::finding(format!(
        "{what} is signed by {}, {reason}; `ipwhl.toml` trusts no key",
        by.join(" and ")
    ))
}

/// The failure for an expired statement.
pub fn expired(place: &str, statement: &Statement) -> Failure {
    let at = statement.expires.map(|at| at.to_string());
    Failure::finding(format!(
        "`{place}` expired on {}",
        at.as_deref().unwrap_or_default()
    ))
}

/// The failure for too few trusted signatures, with the signers and the reason.
pub fn refusal(what: &str, signed: &SignedStatement, verdict: &Verdict) -> Failure {
    let mut reasons = Vec::new();
    for signer in &verdict.signers {
        reasons.push(format!(
            "{} ({}) has signed it",
            signer.name,
            signer.key.fingerprint()
        ));
    }
    for (index, error) in &verdict.refused {
        let suffix = signed.signatures.get(*index).map(|file| &file.suffix);
        reasons.push(format!(
            "the signature `…{}` is invalid: {}",
            suffix.map_or("", String::as_str),
            error_chain(error)
        ));
    }
    for key in &verdict.unknown {
        reasons.push(format!("the key {} is not trusted", key.fingerprint()));
    }
    for signer in &verdict.outside_validity {
        reasons.push(format!(
            "{} is not allowed to sign at this time",
            signer.name
        ));
    }
    if signed.signatures.is_empty() {
        reasons.push("it has no signature beside it".to_owned());
    } else if verdict.signers.len() == signed.signatures.len() {
        reasons.push("it has no other signature beside it".to_owned());
    }
    let failure = Failure::finding(format!(
        "{what} has {} of the {} trusted signatures that it needs: {}",
        verdict.signers.len(),
        verdict.threshold,
        reasons.join("; ")
    ));
    if signed.signatures.is_empty() {
        failure.help(BESIDE)
    } else {
        failure
    }
}
