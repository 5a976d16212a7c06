//! Identifiers that come from the content of a document.
//!
//! Specification: RFC 9562, version 8: 122 bits that mean what the application says. Here they are the
//! beginning of a SHA-256.

use data_encoding::HEXLOWER;
use ipwhl_unixfs::Sha256Digest;

/// The identifier of a document with this content, as `urn:uuid:…`.
pub(super) fn urn(content: &[u8]) -> String {
    let digest = Sha256Digest::of(content);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_bytes()[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = HEXLOWER.encode(&bytes);
    let (head, rest) = hex.split_at(8);
    let parts = [head, &rest[..4], &rest[4..8], &rest[8..12], &rest[12..]];
    format!("urn:uuid:{}", parts.join("-"))
}

#[cfg(test)]
mod tests {
    use super::urn;

    #[test]
    fn an_identifier_is_a_uuid_of_version_8() {
        // `printf x | sha256sum`: 2d711642b726b044 01627ca9fbac32f5…
        assert_eq!(urn(b"x"), "urn:uuid:2d711642-b726-8044-8162-7ca9fbac32f5");
    }
}
