//! OpenSSH's wire format (RFC 4251, section 5): what keys, signatures and an agent's messages are made of.

use data_encoding::BASE64;

/// What an OpenSSH private key starts with (PROTOCOL.key, section 1).
const PRIVATE_KEY_MAGIC: &[u8] = b"openssh-key-v1\0";

/// Adds a "string": a length of four bytes, big-endian, and as many bytes.
pub(super) fn put_string(to: &mut Vec<u8>, bytes: &[u8]) {
    // What is put here is far from the four gigabytes that a length can say.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    to.extend_from_slice(&length.to_be_bytes());
    to.extend_from_slice(bytes);
}

/// Reads values one after another. `None` is an end before the value's own.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    /// As many bytes as that.
    pub(super) fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (found, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(found)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.bytes(1).map(|bytes| bytes[0])
    }

    /// A "uint32", big-endian.
    pub(super) fn number(&mut self) -> Option<u32> {
        let bytes = self.bytes(4)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes))
    }

    /// A "string", which need not be text.
    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.bytes(usize::try_from(length).ok()?)
    }

    /// Whether nothing is left.
    pub(super) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }
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
        let mut reader = Reader(bytes.strip_prefix(PRIVATE_KEY_MAGIC)?);
        let _cipher = reader.string()?;
        let derivation = reader.string()?;
        let mut options = Reader(reader.string()?);
        let rounds = if derivation == b"bcrypt" {
            let _salt = options.string()?;
            options.number()?
        } else {
            0
        };
        let _count = reader.number()?;
        let blob = reader.string()?.to_vec();
        Some(Self { rounds, blob })
    }
}

/// The algorithm that the wire form of a key begins with, where it can be shown.
pub(super) fn algorithm(blob: &[u8]) -> Option<String> {
    let name = Reader(blob).string()?;
    let is_plain = name.iter().all(u8::is_ascii_graphic);
    (is_plain && (1..=64).contains(&name.len())).then(|| String::from_utf8_lossy(name).into_owned())
}
