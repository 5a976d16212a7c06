//! The files of a release.

use ipwhl_unixfs::car::{Blocks, CarError, Kind, Tree};
use ipwhl_unixfs::{Cid, Link, leaf_content};

/// The ending of a wheel's name.
const WHEEL: &str = ".whl";
/// The maximum depth of folders in a tree.
const DEEPEST: usize = 16;

/// A file of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseFile {
    /// Its path from the root, with `/`.
    pub path: String,
    /// Its CID.
    pub cid: Cid,
    /// In bytes.
    pub size: u64,
}

impl ReleaseFile {
    /// Whether it is a wheel; all others are pages and metadata.
    pub fn is_wheel(&self) -> bool {
        self.path.ends_with(WHEEL)
    }
}

/// Every file of the release `root`, in the order of their paths' parts. The leaves of wheels may
/// be missing.
///
/// # Errors
/// When another block is missing, or an entry has a name that some system would treat as a path.
pub fn release_files<B: Blocks + ?Sized>(
    blocks: &B,
    root: &Cid,
) -> Result<Vec<ReleaseFile>, CarError> {
    let mut files = Vec::new();
    gather(blocks, root, "", 0, &mut files)?;
    Ok(files)
}

fn gather<B: Blocks + ?Sized>(
    blocks: &B,
    folder: &Cid,
    prefix: &str,
    depth: usize,
    files: &mut Vec<ReleaseFile>,
) -> Result<(), CarError> {
    let refuse = |reason: String| CarError::Tree {
        cid: *folder,
        reason,
    };
    if depth == DEEPEST {
        return Err(refuse(format!("is nested deeper than {DEEPEST} folders")));
    }
    for entry in blocks.list(folder)?.unwrap_or_default() {
        // Names that another system would treat as a path out of the folder, or as another name.
        if entry.name.contains(['\\', ':']) || entry.name.chars().any(char::is_control) {
            return Err(refuse(format!(
                "has the entry `{}`, which is not a file name on every system",
                entry.name.escape_debug()
            )));
        }
        let path = format!("{prefix}{}", entry.name);
        let cid = entry.link.cid;
        match kind(blocks, &entry.link)? {
            Kind::File { size } => files.push(ReleaseFile { path, cid, size }),
            Kind::Directory => gather(blocks, &cid, &format!("{path}/"), depth + 1, files)?,
        }
    }
    Ok(())
}

/// The kind of a link's target. A leaf may be missing: the link gives its size.
fn kind<B: Blocks + ?Sized>(blocks: &B, link: &Link) -> Result<Kind, CarError> {
    if !blocks.contains(&link.cid)
        && let Some(size) = leaf_content(link)
    {
        return Ok(Kind::File { size });
    }
    Ok(blocks.found(&link.cid)?.kind)
}
