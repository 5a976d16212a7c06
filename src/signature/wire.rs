//! The little of OpenSSH's wire format that an error message needs: which algorithm a key has, also
//! where it is one that cannot be decoded here.

use data_encoding::BASE64;

/// What an OpenSSH private key starts with (PROTOCOL.key, section 1).
const PRIVATE_KEY_MAGIC: &[u8] = b"openssh-key-v1\0";

/// What a signature starts with (PROTOCOL.sshsig, section 2), and its version.
const SIGNATURE_MAGIC: &[u8] = b"SSHSIG\0\0\0\x01";

/// The algorithm of the public key within a private key's text.
pub(super) fn private_key_algorithm(text: &str) -> Option<String> {
    let bytes = unarmour(text)?;
    let rest = bytes.strip_prefix(PRIVATE_KEY_MAGIC)?;
    // Cipher, key derivation and its options; then the number of keys.
    let (_, rest) = string(rest)?;
    let (_, rest) = string(rest)?;
    let (_, rest) = string(rest)?;
    algorithm(rest.get(4..)?)
}

/// The algorithm of the public key within a signature's text.
pub(super) fn signature_algorithm(text: &str) -> Option<String> {
    algorithm(unarmour(text)?.strip_prefix(SIGNATURE_MAGIC)?)
}

fn algorithm(bytes: &[u8]) -> Option<String> {
    let (key, _) = string(bytes)?;
    let (name, _) = string(key)?;
    let plain = name.iter().all(u8::is_ascii_graphic);
    (plain && (1..=64).contains(&name.len())).then(|| String::from_utf8_lossy(name).into_owned())
}

/// A length of four bytes, big-endian, and as many bytes (RFC 4251, section 5, "string").
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

fn unarmour(text: &str) -> Option<Vec<u8>> {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("-----"));
    BASE64.decode(lines.collect::<String>().as_bytes()).ok()
}
