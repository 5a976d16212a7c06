//! Names: `k51…`, a key written as a CID (IPNS Record, "IPNS Name").

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::release::signature::PublicKey;

/// What the CID of an Ed25519 key begins with: version 1, libp2p-key, the identity hash, its
/// length.
const CID_PREFIX: [u8; 4] = [0x01, 0x72, 0x00, 0x24];

/// What the key that is sent along begins with: Ed25519, 32 bytes (libp2p's `PublicKey`).
pub(super) const PUBLIC_KEY_PREFIX: [u8; 4] = [0x08, 0x01, 0x12, 0x20];

/// The bytes of the CID: its prefix, the key's, the key.
const CID_LENGTH: usize = CID_PREFIX.len() + PUBLIC_KEY_PREFIX.len() + 32;

/// Multibase's letter for base 36, and its digits.
const MULTIBASE: char = 'k';
const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// How many characters a name of an Ed25519 key has, the first one included.
const TEXT_LENGTH: usize = 62;

/// The IPNS name of an Ed25519 key. The name is the key: whoever knows it can verify its records.
#[derive(Clone, PartialEq, Eq)]
pub struct IpnsName([u8; 32]);

impl IpnsName {
    /// The name of a key; `None` where it is in hardware, which cannot sign IPNS records.
    pub fn of(key: &PublicKey) -> Option<Self> {
        key.ed25519().map(|key| Self(*key))
    }

    /// The name as a path: `/ipns/k51…`.
    pub fn path(&self) -> String {
        format!("/ipns/{self}")
    }

    pub(super) fn key(&self) -> &[u8; 32] {
        &self.0
    }

    /// The binary form of the name's CID.
    fn cid(&self) -> [u8; CID_LENGTH] {
        let mut cid = [0; CID_LENGTH];
        cid[..4].copy_from_slice(&CID_PREFIX);
        cid[4..8].copy_from_slice(&PUBLIC_KEY_PREFIX);
        cid[8..].copy_from_slice(&self.0);
        cid
    }
}

impl fmt::Display for IpnsName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The CID as one large number. Its first byte is 1, so no digit is lost at its start.
        let mut number = self.cid();
        let mut text = Vec::with_capacity(TEXT_LENGTH);
        while number.iter().any(|byte| *byte != 0) {
            let mut remainder = 0_u16;
            for byte in &mut number {
                let value = remainder << 8 | u16::from(*byte);
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "the remainder was below 36"
                )]
                let quotient = (value / 36) as u8;
                *byte = quotient;
                remainder = value % 36;
            }
            text.push(DIGITS[usize::from(remainder)]);
        }
        text.push(MULTIBASE as u8);
        text.reverse();
        formatter.pad(&String::from_utf8_lossy(&text))
    }
}

impl fmt::Debug for IpnsName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "IpnsName({self})")
    }
}

/// A text that is no name of an Ed25519 key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text:?} is not an IPNS name such as `k51qzi5uqu5d…`: {reason}")]
pub struct IpnsNameError {
    text: String,
    reason: &'static str,
}

impl FromStr for IpnsName {
    type Err = IpnsNameError;

    /// Takes what `Display` writes, with or without `/ipns/` in front.
    fn from_str(text: &str) -> Result<Self, IpnsNameError> {
        let refuse = |reason| IpnsNameError {
            text: text.chars().take(2 * TEXT_LENGTH).collect(),
            reason,
        };
        let name = text.strip_prefix("/ipns/").unwrap_or(text);
        let digits = name
            .strip_prefix(MULTIBASE)
            .ok_or_else(|| refuse("it does not begin with `k`"))?;
        if name.len() != TEXT_LENGTH {
            return Err(refuse("it has another length"));
        }
        let mut cid = [0_u8; CID_LENGTH];
        for digit in digits.bytes() {
            let digit = DIGITS.iter().position(|known| *known == digit);
            let digit = digit.ok_or_else(|| refuse("it has a character that is not of base 36"))?;
            let mut carry = u16::try_from(digit).unwrap_or_default();
            for byte in cid.iter_mut().rev() {
                let value = u16::from(*byte) * 36 + carry;
                *byte = value.to_be_bytes()[1];
                carry = value >> 8;
            }
            if carry != 0 {
                return Err(refuse("it is of another kind of key"));
            }
        }
        cid.strip_prefix(&CID_PREFIX)
            .and_then(|key| key.strip_prefix(&PUBLIC_KEY_PREFIX))
            .and_then(|key| key.try_into().ok())
            .map(Self)
            .ok_or_else(|| refuse("it is of another kind of key"))
    }
}
