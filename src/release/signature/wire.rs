//! OpenSSH's wire format (RFC 4251, section 5) of keys, signatures and agents' messages. The crate
//! `ssh-encoding` implements it; this room adds stricter checks.

use data_encoding::BASE64;
use ssh_encoding::{Decode, Encode};

/// The first bytes of an OpenSSH private key (PROTOCOL.key, section 1).
const PRIVATE_KEY_MAGIC: &[u8] = b"openssh-key-v1\0";

/// The most rounds of bcrypt for a passphrase: a minute or two. `ssh-keygen` uses 16 or 24.
pub(super) const MAXIMUM_ROUNDS: u32 = 10_000;

/// The bytes of a value.
pub(super) fn encoded(value: &impl Encode) -> Vec<u8> {
    let mut bytes = Vec::new();
    value
        .encode(&mut bytes)
        .expect("memory accepts any bytes, and nothing here has four gigabytes");
    bytes
}

/// Decodes a value. The library checks neither that a length matches its contents nor that all
/// bytes are used, so the bytes are compared with the encoded value.
pub(super) fn decoded<T: Decode + Encode>(bytes: &[u8]) -> Option<T> {
    let value = T::decode(&mut &*bytes).ok()?;
    let mut again = Vec::new();
    value.encode(&mut again).ok()?;
    (again == bytes).then_some(value)
}

/// The next "string", which need not be text; `None` if the bytes end before it does.
pub(super) fn string(reader: &mut &[u8]) -> Option<Vec<u8>> {
    Vec::decode(reader).ok()
}

/// The unencrypted part of an OpenSSH private key (PROTOCOL.key, section 1).
pub(super) struct PrivateKeyHeader {
    /// The number of hash rounds of the passphrase; 0 for a key without one.
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

/// The algorithm at the start of a key's wire form, if it is printable.
pub(super) fn algorithm(mut blob: &[u8]) -> Option<String> {
    let name = string(&mut blob)?;
    let is_plain = name.iter().all(u8::is_ascii_graphic);
    (is_plain && (1..=64).contains(&name.len()))
        .then(|| String::from_utf8_lossy(&name).into_owned())
}
