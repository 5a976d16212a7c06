//! The signatures of a statement: whose they are, and those of two places together.

use super::files::{SignatureFile, Vouching};
use crate::signature::{PublicKey, verify};

/// Who has signed a statement.
pub(super) fn signers(files: &Vouching) -> Vec<PublicKey> {
    let signatures = files.signatures.iter();
    signatures
        .filter_map(|signature| verify(&signature.text, files.statement.as_bytes()).ok())
        .collect()
}

/// The statement with the signatures that a place holds already, and those that come: one that holds is never lost, each
/// key's is taken once, and one whose name is another key's there gets the name of its own key. What does not verify is left out.
pub(super) fn united(held: Vec<SignatureFile>, coming: &Vouching) -> Vouching {
    let signer = |file: &SignatureFile| verify(&file.text, coming.statement.as_bytes()).ok();
    let mut united: Vec<(PublicKey, SignatureFile)> = held
        .into_iter()
        .filter_map(|file| Some((signer(&file)?, file)))
        .collect();
    for file in &coming.signatures {
        let Some(key) = signer(file) else { continue };
        if united.iter().any(|(other, _)| *other == key) {
            continue;
        }
        let mut file = file.clone();
        if united.iter().any(|(_, other)| other.suffix == file.suffix) {
            file.suffix = format!(".{}.sig", key.file_digits());
            // Nobody else's is called so.
            united.retain(|(_, other)| other.suffix != file.suffix);
        }
        united.push((key, file));
    }
    let mut signatures: Vec<SignatureFile> = united.into_iter().map(|(_, file)| file).collect();
    signatures.sort_by(|one, other| one.suffix.cmp(&other.suffix));
    Vouching {
        statement: coming.statement.clone(),
        signatures,
    }
}
