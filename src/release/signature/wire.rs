//! OpenSSH's wire format (RFC 4251, section 5): what keys, signatures and an agent's messages are
//! made of. The crate `ssh-encoding` knows it; this adds what it leaves open.

use data_encoding::BASE64;
use ssh_encoding::{Decode, Encode};

/// What an OpenSSH private key starts with (PROTOCOL.key, section 1).
const PRIVATE_KEY_MAGIC: &[u8] = b"openssh-key-v1\0";

/// The most rounds of bcrypt that a passphrase is hashed with: a minute or two. `ssh-keygen` takes
/// 16 or 24.
pub(super) const MAXIMUM_ROUNDS: u32 = 10_000;

/// The bytes of a value.
pub(super) fn encoded(value: &impl Encode) -> Vec<u8> {
    let mut bytes = Vec::new();
    value
        .encode(&mut bytes)
        .expect("memory takes any bytes, and nothing here has four gigabytes");
    bytes
}

/// The value that these bytes are. The library does not hold a length to what it encloses, nor the
/// bytes to their end, so they are compared with what the value is written as.
pub(super) fn decoded<T: Decode + Encode>(bytes: &[u8]) -> Option<T> {
    let value = T::decode(&mut &*bytes).ok()?;
    let mut again = Vec::new();
    value.encode(&mut again).ok()?;
    (again == bytes).then_some(value)
}

/// The next "string", which need not be text; `None` where the bytes end before it does.
pub(super) fn string(reader: &mut &[u8]) -> Option<Vec<u8>> {
    Vec::decode(reader).ok()
}

/// What the unencrypted part of an OpenSSH private key says (PROTOCOL.key, section 1).
pub(super) struct PrivateKeyHeader {
    /// How often the passphrase is hashed; 0 for a key without one.
    pub(super) rounds: u32,
    /// The public half in its wire form.
    pub(super) blob: Vec<u8>,
}

impl PrivateKeyHeader {
    /// Reads it from the text of a private key.
    pub(super) fn of_text(text: &str) -> Option<Self> {
        let lines = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with("-----"));
        let bytes = BASE64.decode(lines.collect::<String>().as_bytes()).ok()?;
        let reader = &mut bytes.strip_prefix(PRIVATE_KEY_MAGIC)?;
        let _cipher = string(reader)?;
        let derivation = string(reader)?;
        let options = string(reader)?;
        let rounds = if derivation == b"bcrypt" {
            let options = &mut &*options;
            let _salt = string(options)?;
            u32::decode(options).ok()?
        } else {
            0
        };
        let _count = u32::decode(reader).ok()?;
        let blob = string(reader)?;
        Some(Self { rounds, blob })
    }
}

/// The algorithm that the wire form of a key begins with, where it can be shown.
pub(super) fn algorithm(mut blob: &[u8]) -> Option<String> {
    let name = string(&mut blob)?;
    let is_plain = name.iter().all(u8::is_ascii_graphic);
    (is_plain && (1..=64).contains(&name.len()))
        .then(|| String::from_utf8_lossy(&name).into_owned())
}
