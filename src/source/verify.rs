//! Whether bytes are what was declared: their number, their SHA-256, their CID.

use std::fs::File;
use std::io::{self, Read};

use ipwhl_unixfs::{Cid, FileDag, FileHasher, LeafHasher, Profile, Sha256Digest};

use super::problem::{Mismatch, MismatchKind};

/// How much of a file is read at once.
const STEP: usize = 256 << 10;

/// What is declared of a file.
#[derive(Clone, Debug)]
pub(super) struct Expectation {
    /// The CID; nothing when the file is only now being looked at, and the CID is to be found.
    pub(super) content_id: Option<Cid>,
    pub(super) sha256: Option<Sha256Digest>,
    pub(super) size: Option<u64>,
    /// The repository's profile.
    pub(super) profile: Profile,
}

/// What the bytes of a file say, compared with what was declared.
#[derive(Debug)]
pub(super) struct Compared {
    pub(super) dag: FileDag,
    pub(super) sha256: Sha256Digest,
    /// Whether the CID is the declared one. Then the bytes are, and whatever differs besides is a
    /// contradiction within the declaration.
    pub(super) content_fits: bool,
    pub(super) mismatches: Vec<Mismatch>,
}

impl Expectation {
    /// The profile that the bytes are hashed under on their way in.
    pub(super) fn first_profile(&self) -> Profile {
        self.content_id
            .and_then(|cid| {
                Profile::fitting(&cid, self.profile, self.size)
                    .first()
                    .copied()
            })
            .unwrap_or(self.profile)
    }

    /// Compares a file that has been hashed once; it is read again where its CID may be of another
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
            // Whoever looks at a file for the first time believes the index's hash, or nothing.
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

/// What is declared besides the CID, and differs.
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

/// Hashes a whole file: its SHA-256 and its leaves.
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
