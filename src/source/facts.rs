//! Small JSON files with a checksum.
//!
//! Each file has two lines: the SHA-256 of its name and of the second line, and the JSON. A file
//! that was truncated, changed or renamed counts as absent.

use std::io::{self, Read, Write};
use std::path::Path;

use ipwhl_unixfs::Sha256Digest;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::touch::touch;

/// The largest file of facts that is read; the facts of one wheel, with its leaves, are far
/// smaller.
const LARGEST: u64 = 64 << 20;

/// Reads facts that were written under `name`; damaged facts count as absent.
pub(super) fn read<T: DeserializeOwned>(path: &Path, name: &str) -> Option<T> {
    let file = std::fs::File::open(path).ok()?;
    // One read instead of many growing ones: a build opens a file for every wheel.
    let metadata = file.metadata().ok()?;
    let size = metadata.len().min(LARGEST);
    let mut bytes = Vec::with_capacity(usize::try_from(size).ok()? + 1);
    touch(&file, metadata.modified());
    file.take(LARGEST).read_to_end(&mut bytes).ok()?;
    let (head, rest) = bytes.split_at_checked(64)?;
    let json = rest.strip_prefix(b"\n")?.strip_suffix(b"\n")?;
    let declared: Sha256Digest = std::str::from_utf8(head).ok()?.parse().ok()?;
    if declared != checksum(name, json) {
        return None;
    }
    serde_json::from_slice(json).ok()
}

/// Writes facts to a file that the caller then renames.
pub(super) fn write<T: Serialize>(out: &mut dyn Write, name: &str, facts: &T) -> io::Result<()> {
    let json = serde_json::to_vec(facts)?;
    let mut bytes = checksum(name, &json).to_string().into_bytes();
    bytes.push(b'\n');
    bytes.extend_from_slice(&json);
    bytes.push(b'\n');
    out.write_all(&bytes)
}

fn checksum(name: &str, json: &[u8]) -> Sha256Digest {
    let mut hasher = Sha256::new();
    hasher.update(name);
    hasher.update([0]);
    hasher.update(json);
    let digest: [u8; 32] = hasher.finalize().into();
    Sha256Digest::from(digest)
}
