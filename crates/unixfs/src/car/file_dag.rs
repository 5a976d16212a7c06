//! The DAG of a file from its inner nodes alone.

use super::{Blocks, CarError};
use crate::{Cid, Codec, FileDag, Node, Profile, Sha256Digest, decode};

/// The DAG of the file `cid` of `size` bytes, from its inner nodes: they contain the hash of every
/// leaf, so no leaf is read. `None` if no profile gives a file of this size this CID. The profile
/// `preferred` is tried first.
///
/// # Errors
/// When a node is missing or invalid.
pub fn file_dag(
    blocks: &(dyn Blocks + Send + Sync),
    cid: &Cid,
    size: u64,
    preferred: Profile,
) -> Result<Option<FileDag>, CarError> {
    for profile in Profile::fitting(cid, preferred, Some(size)) {
        let Some(leaves) = leaves(blocks, cid, size, profile)? else {
            continue;
        };
        // All nodes follow from the leaves, so the CID shows whether these are the leaves.
        if let Ok(dag) = FileDag::from_leaves(profile, size, leaves)
            && dag.cid() == *cid
        {
            return Ok(Some(dag));
        }
    }
    Ok(None)
}

/// The digests of the leaves, level by level; `None` if the DAG has another form.
fn leaves(
    blocks: &(dyn Blocks + Send + Sync),
    cid: &Cid,
    size: u64,
    profile: Profile,
) -> Result<Option<Vec<Sha256Digest>>, CarError> {
    let count = profile.leaf_count(size);
    let mut level = vec![*cid];
    let mut reach = 1;
    while reach < count {
        reach = reach.saturating_mul(profile.width() as u64);
        if level.iter().any(|cid| cid.codec() == Codec::Raw) {
            return Ok(None);
        }
        blocks.prefetch(&level);
        let mut next = Vec::new();
        for cid in &level {
            let block = blocks.require(cid)?;
            match decode(cid, &block)? {
                Node::File { parts, .. } if !parts.is_empty() => {
                    next.extend(parts.into_iter().map(|part| part.link.cid));
                }
                _ => return Ok(None),
            }
            if next.len() as u64 > count {
                return Ok(None);
            }
        }
        level = next;
    }
    let leaves = level.iter().map(Cid::digest).collect();
    Ok((level.len() as u64 == count).then_some(leaves))
}
