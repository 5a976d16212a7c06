//! IPNS records: a name that is a key, and the value that its owner has signed for it
//! (<https://specs.ipfs.tech/ipns/ipns-record/>).
//!
//! New records have a signature of version 2 over all fields, and the fields and the signature of
//! version 1 for old readers. When a record is read, only version 2 counts; fields of version 1
//! must agree with it.

mod cbor;
mod content;
mod name;

use ed25519_dalek::{Signature, VerifyingKey};
use ipwhl_unixfs::protobuf::{Fields, Value, put_bytes, put_number};
use jiff::SignedDuration;
use thiserror::Error;

use super::{KeyError, SigningKey};

use content::END_OF_LIFE;
pub use content::IpnsContent;
use name::PUBLIC_KEY_PREFIX;
pub use name::{IpnsName, IpnsNameError};

/// The longest record that is read (IPNS Record, "Record Size Limit").
pub const MAXIMUM_RECORD_SIZE: usize = 10 * 1024;

/// The lifetime of the record of a statement without expiry, from the creation of the statement: a
/// year.
pub const DEFAULT_RECORD_LIFETIME: SignedDuration = SignedDuration::from_hours(365 * 24);

/// The time for which a resolver may cache a record: five minutes, as in Kubo.
pub const DEFAULT_RECORD_TTL: SignedDuration = SignedDuration::from_mins(5);

/// The prefix of data for a signature of version 2 (IPNS Record, "Record Creation").
const SIGNED_PREFIX: &[u8] = b"ipns-signature:";

/// The name of [`END_OF_LIFE`], as signatures of version 1 cover it.
const END_OF_LIFE_NAME: &[u8] = b"EOL";

// Fields of the record, each number times eight and its wire type.
const VALUE: u8 = 0x0a;
const SIGNATURE_V1: u8 = 0x12;
const VALIDITY_TYPE: u8 = 0x18;
const VALIDITY: u8 = 0x22;
const SEQUENCE: u8 = 0x28;
const TTL: u8 = 0x30;
const SIGNATURE_V2: u8 = 0x42;
const DATA: u8 = 0x4a;

/// The reason why a record is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IpnsError {
    /// It is longer than [`MAXIMUM_RECORD_SIZE`]; its length.
    #[error("the IPNS record has {0} bytes; at most {MAXIMUM_RECORD_SIZE} are allowed")]
    TooLarge(usize),
    /// It is not a record; the reason as the end of a sentence.
    #[error("the IPNS record {0}")]
    Malformed(String),
    /// It has no signature of version 2.
    #[error("the IPNS record has no signature of version 2; older signatures are not accepted")]
    OldSignature,
    /// It is signed by another key than the name's.
    #[error("the IPNS record is signed by another key than its name's")]
    OtherKey,
    /// Its signature does not match its contents.
    #[error("the signature of the IPNS record does not match: the record was changed")]
    Mismatch,
    /// A field of version 1 differs from the signed value; its name.
    #[error("`{0}` of the IPNS record differs from the signed value that new readers use")]
    Disagreement(&'static str),
}

/// A record with a verified signature, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpnsRecord {
    /// The name that it belongs to.
    pub name: IpnsName,
    /// Its contents.
    pub content: IpnsContent,
    bytes: Vec<u8>,
}

impl IpnsRecord {
    /// Signs a record. The same key and content give the same bytes.
    ///
    /// # Errors
    /// When the key is in hardware, which cannot make plain Ed25519 signatures, or its agent does
    /// not sign.
    pub fn sign(key: &SigningKey, content: IpnsContent) -> Result<Self, KeyError> {
        let name = IpnsName::of(&key.public()).ok_or(KeyError::NoBareSignature)?;
        let value = content.value.as_bytes();
        let validity = content.expires.to_string();
        let validity = validity.as_bytes();
        let data = cbor::data(&content, validity);
        let old = key.sign_ed25519(&[value, validity, END_OF_LIFE_NAME].concat())?;
        let new = key.sign_ed25519(&[SIGNED_PREFIX, &data].concat())?;
        let mut bytes = Vec::new();
        put_bytes(&mut bytes, VALUE, value);
        put_bytes(&mut bytes, SIGNATURE_V1, &old);
        put_number(&mut bytes, VALIDITY_TYPE, END_OF_LIFE);
        put_bytes(&mut bytes, VALIDITY, validity);
        put_number(&mut bytes, SEQUENCE, content.sequence);
        put_number(&mut bytes, TTL, content.ttl);
        put_bytes(&mut bytes, SIGNATURE_V2, &new);
        put_bytes(&mut bytes, DATA, &data);
        Ok(Self {
            name,
            content,
            bytes,
        })
    }

    /// Reads a record and verifies it for the name. [`IpnsContent::is_expired`] tells whether it is
    /// still valid.
    ///
    /// # Errors
    /// When it is not a record, too long, not signed by the name's key, or contradicts itself.
    pub fn verify(name: &IpnsName, bytes: &[u8]) -> Result<Self, IpnsError> {
        // IPNS Record, "Record Verification", steps 1 to 7, in their order.
        if bytes.len() > MAXIMUM_RECORD_SIZE {
            return Err(IpnsError::TooLarge(bytes.len()));
        }
        let message = Message::read(bytes).map_err(IpnsError::Malformed)?;
        let (Some(signature), Some(data)) = (message.signature_v2, message.data) else {
            return Err(IpnsError::OldSignature);
        };
        if let Some(sent) = message.public_key
            && sent.strip_prefix(&PUBLIC_KEY_PREFIX) != Some(name.key())
        {
            return Err(IpnsError::OtherKey);
        }
        let signature = <[u8; 64]>::try_from(signature).map_err(|_| {
            IpnsError::Malformed("has a signature that is not Ed25519's".to_owned())
        })?;
        let (content, validity) = cbor::read(data).map_err(IpnsError::Malformed)?;
        VerifyingKey::from_bytes(name.key())
            .and_then(|key| {
                let signed = [SIGNED_PREFIX, data].concat();
                key.verify_strict(&signed, &Signature::from_bytes(&signature))
            })
            .map_err(|_| IpnsError::Mismatch)?;
        if message.signature_v1.is_some() || message.value.is_some() {
            let fields = [
                ("value", message.value == Some(content.value.as_bytes())),
                (
                    "validityType",
                    message.validity_type.unwrap_or_default() == END_OF_LIFE,
                ),
                ("validity", message.validity == Some(validity)),
                (
                    "sequence",
                    message.sequence.unwrap_or_default() == content.sequence,
                ),
                ("ttl", message.ttl.unwrap_or_default() == content.ttl),
            ];
            if let Some((field, _)) = fields.into_iter().find(|(_, agrees)| !agrees) {
                return Err(IpnsError::Disagreement(field));
            }
        }
        Ok(Self {
            name: name.clone(),
            content,
            bytes: bytes.to_vec(),
        })
    }

    /// The record as it is stored in a file or sent to a node.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The fields of the protobuf message `IpnsRecord`, each at most once. Unknown fields are ignored.
#[derive(Default)]
struct Message<'a> {
    value: Option<&'a [u8]>,
    signature_v1: Option<&'a [u8]>,
    validity_type: Option<u64>,
    validity: Option<&'a [u8]>,
    sequence: Option<u64>,
    ttl: Option<u64>,
    public_key: Option<&'a [u8]>,
    signature_v2: Option<&'a [u8]>,
    data: Option<&'a [u8]>,
}

impl<'a> Message<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, String> {
        let mut message = Self::default();
        let mut fields = Fields::of(bytes);
        while let Some((number, value)) = fields.next_field()? {
            let was_there = match (number, value) {
                (1, Value::Bytes(bytes)) => message.value.replace(bytes).is_some(),
                (2, Value::Bytes(bytes)) => message.signature_v1.replace(bytes).is_some(),
                (3, Value::Number(number)) => message.validity_type.replace(number).is_some(),
                (4, Value::Bytes(bytes)) => message.validity.replace(bytes).is_some(),
                (5, Value::Number(number)) => message.sequence.replace(number).is_some(),
                (6, Value::Number(number)) => message.ttl.replace(number).is_some(),
                (7, Value::Bytes(bytes)) => message.public_key.replace(bytes).is_some(),
                (8, Value::Bytes(bytes)) => message.signature_v2.replace(bytes).is_some(),
                (9, Value::Bytes(bytes)) => message.data.replace(bytes).is_some(),
                (1..=9, _) => return Err(format!("has field {number} of another type")),
                _ => false,
            };
            // Readers differ in which of two they use.
            if was_there {
                return Err(format!("has field {number} twice"));
            }
        }
        Ok(message)
    }
}
