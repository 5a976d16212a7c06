//! The blocks and bytes that a mirror of the old state needs for the new one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasher;

use ipwhl_unixfs::Cid;
use serde::Serialize;

use super::snapshot::Snapshot;

/// Blocks and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Transfer {
    /// Whether it was counted block by block. Otherwise it is the declared size of the wheels with
    /// other content-ids; pages, and blocks that wheels share, are not considered.
    pub exact: bool,
    /// The number of new blocks; `None` in an estimate.
    pub blocks: Option<u64>,
    /// Their bytes.
    pub bytes: u64,
    /// The number of blocks in the new release; `None` in an estimate.
    pub all_blocks: Option<u64>,
    /// The bytes of all of them, or of all wheels.
    pub all_bytes: u64,
    /// The number of wheels that an estimate lacks because their size is unknown.
    pub unknown: usize,
}

/// The blocks of a new release that an old one lacks, both as [`crate::release::archive::reach`]
/// returns them.
pub fn transfer<S: BuildHasher>(
    known: &HashMap<Cid, u64, S>,
    all: &HashMap<Cid, u64, S>,
) -> Transfer {
    let sum = |lengths: &mut dyn Iterator<Item = u64>| {
        lengths.fold((0_u64, 0_u64), |(count, bytes), length| {
            (count + 1, bytes.saturating_add(length))
        })
    };
    let lacking = all.iter().filter(|(cid, _)| !known.contains_key(cid));
    let (blocks, bytes) = sum(&mut lacking.map(|(_, length)| *length));
    let (all_blocks, all_bytes) = sum(&mut all.values().copied());
    Transfer {
        exact: true,
        blocks: Some(blocks),
        bytes,
        all_blocks: Some(all_blocks),
        all_bytes,
        unknown: 0,
    }
}

/// An estimate of the transfer if one of the states is not a release: the wheels with other
/// content-ids.
pub fn estimate(old: &Snapshot, new: &Snapshot) -> Transfer {
    let known: BTreeSet<Cid> = old.wheels().map(|(_, _, wheel)| wheel.content_id).collect();
    let all: BTreeMap<Cid, Option<u64>> = new
        .wheels()
        .map(|(_, _, wheel)| (wheel.content_id, wheel.size))
        .collect();
    let mut transfer = Transfer {
        exact: false,
        blocks: None,
        bytes: 0,
        all_blocks: None,
        all_bytes: 0,
        unknown: 0,
    };
    for (content_id, size) in all {
        let bytes = size.unwrap_or_default();
        transfer.all_bytes = transfer.all_bytes.saturating_add(bytes);
        if !known.contains(&content_id) {
            transfer.bytes = transfer.bytes.saturating_add(bytes);
            transfer.unknown += usize::from(size.is_none());
        }
    }
    transfer
}
