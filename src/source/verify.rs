//! Compares bytes with their declaration: their number, their SHA-256, their CID.

use std::fs::File;
use std::io::{self, Read};

use ipwhl_unixfs::{Cid, FileDag, FileHasher, LeafHasher, Profile, Sha256Digest};

use super::problem::{Mismatch, MismatchKind};

/// The size of reads of a file, in bytes.
const STEP: usize = 256 << 10;

/// The declared properties of a file.
#[derive(Clone, Debug)]
pub(super) struct Expectation {
    /// The CID; `None` if it is still to be computed.
    pub(super) content_id: Option<Cid>,
    pub(super) sha256: Option<Sha256Digest>,
    pub(super) size: Option<u64>,
    /// The repository's profile.
    pub(super) profile: Profile,
}

/// The result of comparing a file with its declaration.
#[derive(Debug)]
pub(super) struct Compared {
    pub(super) dag: FileDag,
    pub(super) sha256: Sha256Digest,
    /// Whether the CID is the declared one. Then the bytes are right, and other differences are
    /// contradictions within the declaration.
    pub(super) content_fits: bool,
    pub(super) mismatches: Vec<Mismatch>,
}

impl Expectation {
    /// The profile for hashing the bytes as they arrive.
    pub(super) fn first_profile(&self) -> Profile {
        self.content_id
            .and_then(|cid| {
                Profile::fitting(&cid, self.profile, self.size)
                    .first()
                    .copied()
            })
            .unwrap_or(self.profile)
    }

    /// Compares a file that has been hashed once; it is read again if its CID may be of another
    /// profile.
    pub(super) fn compare(
        &self,
        dag: FileDag,
        sha256: Sha256Digest,
        again: &mut dyn FnMut() -> io::Result<File>,
    ) -> io::Result<Compared> {
        let size = dag.size();
        let mut mismatches = contradictions(self.size, self.sha256, size, &sha256);
        let Some(declared) = self.content_id else {
            // For a file without a declaration only the index's hash is compared, if any.
            return Ok(Compared {
                content_fits: mismatches.is_empty(),
                dag,
                sha256,
                mismatches,
            });
        };
        let found = dag.cid();
        if found == declared {
            return Ok(Compared {
                dag,
                sha256,
                content_fits: true,
                mismatches,
            });
        }
        for profile in Profile::fitting(&declared, self.profile, Some(size)) {
            if profile == dag.profile() {
                continue;
            }
            let other = hash_leaves(profile, &mut again()?)?;
            if other.cid() == declared {
                return Ok(Compared {
                    dag: other,
                    sha256,
                    content_fits: true,
                    mismatches,
                });
            }
        }
        mismatches.push(mismatch(MismatchKind::ContentId, &declared, &found));
        Ok(Compared {
            dag,
            sha256,
            content_fits: false,
            mismatches,
        })
    }
}

/// The declared values besides the CID that differ.
pub(super) fn contradictions(
    declared_size: Option<u64>,
    declared_sha256: Option<Sha256Digest>,
    size: u64,
    sha256: &Sha256Digest,
) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    if let Some(declared) = declared_size.filter(|declared| *declared != size) {
        mismatches.push(mismatch(MismatchKind::Size, &declared, &size));
    }
    if let Some(declared) = declared_sha256.filter(|declared| declared != sha256) {
        mismatches.push(mismatch(MismatchKind::Sha256, &declared, sha256));
    }
    mismatches
}

pub(super) fn mismatch(
    kind: MismatchKind,
    declared: &dyn ToString,
    found: &dyn ToString,
) -> Mismatch {
    Mismatch {
        kind,
        declared: declared.to_string(),
        found: found.to_string(),
    }
}

/// Hashes a complete file: its SHA-256 and its leaves.
pub(super) fn hash(profile: Profile, reader: &mut dyn Read) -> io::Result<(FileDag, Sha256Digest)> {
    let mut hasher = FileHasher::new(profile);
    each_step(reader, &mut |bytes| hasher.update(bytes))?;
    Ok(hasher.finish())
}

fn hash_leaves(profile: Profile, reader: &mut dyn Read) -> io::Result<FileDag> {
    let mut hasher = LeafHasher::new(profile);
    each_step(reader, &mut |bytes| hasher.update(bytes))?;
    Ok(hasher.finish())
}

fn each_step(reader: &mut dyn Read, step: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; STEP];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => step(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
