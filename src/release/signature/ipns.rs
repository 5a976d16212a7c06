//! IPNS records: a name that is a key, and what its owner says that it stands for
//! (<https://specs.ipfs.tech/ipns/ipns-record/>).
//!
//! A record that is made here has a signature of version 2, which is over all that it says, and the
//! fields and the signature of version 1 for readers that know nothing else. Of a record that is
//! read only version 2 is believed; fields of version 1 must say the same.

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

/// How long the record of a statement that never expires holds, from when the statement was made: a
/// year.
pub const DEFAULT_RECORD_LIFETIME: SignedDuration = SignedDuration::from_hours(365 * 24);

/// For how long a resolver may go on without asking again: five minutes, as Kubo has it.
pub const DEFAULT_RECORD_TTL: SignedDuration = SignedDuration::from_mins(5);

/// What a signature of version 2 begins with (IPNS Record, "Record Creation").
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

/// Why a record is not believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IpnsError {
    /// It is longer than [`MAXIMUM_RECORD_SIZE`]; its length.
    #[error("the IPNS record has {0} bytes, more than the {MAXIMUM_RECORD_SIZE} that one can have")]
    TooLarge(usize),
    /// It is no record; what is wrong with it, as a sentence goes on.
    #[error("the IPNS record {0}")]
    Malformed(String),
    /// It has no signature of version 2.
    #[error("the IPNS record has no signature of version 2, and older ones are not believed")]
    OldSignature,
    /// It is by another key than the name's.
    #[error("the IPNS record is by another key than its name's")]
    OtherKey,
    /// Its signature is not over what it says.
    #[error("the signature of the IPNS record does not fit: it was changed")]
    Mismatch,
    /// A field of version 1 says something else than what was signed; its name.
    #[error("`{0}` of the IPNS record says something else for old readers than what was signed")]
    Disagreement(&'static str),
}

/// A record whose signature was verified, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpnsRecord {
    /// Whose it is.
    pub name: IpnsName,
    /// What it says.
    pub content: IpnsContent,
    bytes: Vec<u8>,
}

impl IpnsRecord {
    /// Signs a record. The same key and content give the same bytes.
    ///
    /// # Errors
    /// When the key is in hardware, which cannot make such a signature, or its agent does not sign.
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

    /// Reads a record and holds it to the name. Whether it still holds, [`IpnsContent::is_expired`]
    /// says.
    ///
    /// # Errors
    /// When it is no record, too long, not signed by the name's key, or contradicts itself.
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

    /// The record as it is kept in a file and given to a node.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The fields of the protobuf message `IpnsRecord`, each at most once. What is unknown is passed
/// over.
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
            // Readers differ in which of two they take.
            if was_there {
                return Err(format!("has field {number} twice"));
            }
        }
        Ok(message)
    }
}
