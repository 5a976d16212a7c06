//! The types of keys, as OpenSSH names them.

/// An Ed25519 key, as OpenSSH names it (RFC 8709).
pub(super) const PLAIN: &str = "ssh-ed25519";

/// An Ed25519 key that a FIDO authenticator keeps, as OpenSSH names it (PROTOCOL.u2f).
pub(super) const HARDWARE: &str = "sk-ssh-ed25519@openssh.com";

/// Whether a word looks like the type that a public key's line begins with, known here or not.
pub(in crate::release) fn is_key_type(word: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-"]
        .iter()
        .any(|start| word.starts_with(start))
}
