//! A statement with its text and its signatures.

use super::{Statement, StatementError};
use crate::release::signature::{PublicKey, verify};

/// A signature of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureFile {
    /// The ending that its file's name adds to the statement's: `.sig`, or `.<16 hex digits>.sig`.
    pub suffix: String,
    /// Its text.
    pub text: String,
}

impl AsRef<str> for SignatureFile {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

/// A statement, its bytes and the signatures beside it. Signatures are not verified here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedStatement {
    /// Its text, byte for byte: signatures are over it.
    pub text: String,
    /// Its contents.
    pub statement: Statement,
    /// Its signatures, in the order of their files' names.
    pub signatures: Vec<SignatureFile>,
}

impl SignedStatement {
    /// Parses the text of a statement.
    ///
    /// # Errors
    /// When the text is not a statement.
    pub fn parse(text: String, signatures: Vec<SignatureFile>) -> Result<Self, StatementError> {
        Ok(Self {
            statement: Statement::parse(&text)?,
            text,
            signatures,
        })
    }

    /// The keys with valid signatures, in the order of the signatures.
    pub fn signers(&self) -> Vec<PublicKey> {
        let signatures = self.signatures.iter();
        signatures
            .filter_map(|signature| verify(&signature.text, self.text.as_bytes()).ok())
            .collect()
    }

    /// The same statement with the signatures of a place and the new ones. No valid signature is
    /// lost, each key has one, and a signature whose file name belongs to another key gets the name
    /// of its own key. Invalid signatures are left out.
    #[must_use]
    pub fn united_with(&self, held: Vec<SignatureFile>) -> Self {
        let signer = |file: &SignatureFile| verify(&file.text, self.text.as_bytes()).ok();
        let mut united: Vec<(PublicKey, SignatureFile)> = held
            .into_iter()
            .filter_map(|file| Some((signer(&file)?, file)))
            .collect();
        for file in &self.signatures {
            let Some(key) = signer(file) else { continue };
            if united.iter().any(|(other, _)| *other == key) {
                continue;
            }
            let mut file = file.clone();
            if united.iter().any(|(_, other)| other.suffix == file.suffix) {
                file.suffix = format!(".{}.sig", key.file_digits());
                // No other key's file may keep that name.
                united.retain(|(_, other)| other.suffix != file.suffix);
            }
            united.push((key, file));
        }
        let mut signatures: Vec<SignatureFile> = united.into_iter().map(|(_, file)| file).collect();
        signatures.sort_by(|one, other| one.suffix.cmp(&other.suffix));
        Self {
            signatures,
            ..self.clone()
        }
    }

    /// The files by their names, with `name` for the statement. The statement is last, because it
    /// is valid only with its signatures.
    pub fn files(&self, name: &str) -> Vec<(String, &str)> {
        let signatures = self.signatures.iter();
        signatures
            .map(|file| (format!("{name}{}", file.suffix), file.text.as_str()))
            .chain([(name.to_owned(), self.text.as_str())])
            .collect()
    }
}

/// Whether `other` is a signature of the statement `name`: `<name>.sig` or
/// `<name>.<16 hexadecimal digits>.sig`.
pub fn is_signature_of(other: &str, name: &str) -> bool {
    let Some(middle) = other
        .strip_prefix(name)
        .and_then(|rest| rest.strip_suffix(".sig"))
    else {
        return false;
    };
    let is_digits =
        |digits: &str| digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    middle.is_empty() || middle.strip_prefix('.').is_some_and(is_digits)
}
