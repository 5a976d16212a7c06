//! One pass over the release: writes it until a block is missing.

use std::io;

use ipwhl_unixfs::car::{CarError, CarSummary, CarWriter};
use ipwhl_unixfs::{BlockSink, Cid, Codec};

use super::store::{Origin, Store};
use crate::release::archive::{ArchiveOutputFile, Place, Visitor, walk};

/// A block that is not in the store, along with all blocks below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Its CID.
    pub cid: Cid,
    /// The total size of the blocks from it down, from the link to it.
    pub cumulative_size: Option<u64>,
    /// The path of its file or folder in the tree.
    pub path: String,
    /// The root of its wheel.
    pub wheel: Option<Cid>,
}

/// The result of one pass.
pub(super) enum Outcome {
    /// The whole release is written.
    Full(ArchiveOutputFile, CarSummary),
    /// These blocks are missing, depth first; never empty.
    Missing(Vec<Missing>),
}

/// Writes the release to `file`. After the first missing block it only lists the missing ones.
pub(super) fn pass(
    root: Cid,
    store: &mut Store,
    file: ArchiveOutputFile,
) -> Result<Outcome, CarError> {
    let mut pass = Pass {
        store,
        writer: Some(CarWriter::new(file, root)?),
        missing: Vec::new(),
    };
    walk(root, &mut pass)?;
    match pass.writer {
        Some(writer) => {
            let (file, summary) = writer.finish()?;
            Ok(Outcome::Full(file, summary))
        }
        None => Ok(Outcome::Missing(pass.missing)),
    }
}

struct Pass<'s> {
    store: &'s mut Store,
    writer: Option<CarWriter<ArchiveOutputFile>>,
    missing: Vec<Missing>,
}

impl Visitor for Pass<'_> {
    fn block(&mut self, place: &Place) -> Result<Option<Vec<u8>>, CarError> {
        let cid = &place.cid;
        let only_lists = self.writer.is_none() && cid.codec() == Codec::Raw;
        if only_lists && self.store.has(cid) {
            return Ok(None);
        }
        if let Some((block, _)) = self.store.block(cid) {
            return Ok(Some(block));
        }
        self.writer = None;
        self.missing.push(Missing {
            cid: *cid,
            cumulative_size: place.cumulative_size,
            path: place.path.clone(),
            wheel: place.wheel,
        });
        Ok(None)
    }

    fn visit(&mut self, place: &Place, block: &[u8], _: bool) -> Result<(), CarError> {
        match &mut self.writer {
            Some(writer) => Ok(writer.put(&place.cid, block)?),
            None => Ok(()),
        }
    }
}

/// Keeps blocks in the cache if their place may be missing from the command line of the next run.
/// Returns whether there was one.
pub(super) fn keep(root: Cid, store: &mut Store) -> Result<bool, CarError> {
    let mut keep = Keep {
        store,
        has_kept: false,
    };
    walk(root, &mut keep)?;
    Ok(keep.has_kept)
}

struct Keep<'s> {
    store: &'s mut Store,
    has_kept: bool,
}

impl Visitor for Keep<'_> {
    fn block(&mut self, place: &Place) -> Result<Option<Vec<u8>>, CarError> {
        let Some((block, origin)) = self.store.block(&place.cid) else {
            return Ok(None);
        };
        if origin == Origin::Named {
            self.store
                .keep(&place.cid, &block)
                .map_err(io::Error::other)?;
            self.has_kept = true;
        }
        Ok(Some(block))
    }

    fn visit(&mut self, _: &Place, _: &[u8], _: bool) -> Result<(), CarError> {
        Ok(())
    }
}
