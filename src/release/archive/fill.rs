//! Completes a hollow archive or a delta with blocks from other places. `source` fetches the
//! blocks; this room finds the missing blocks and selects the places to search.

mod attempts;
mod context;
mod declarations;
mod gateway;
mod gateways;
mod pass;
mod places;
mod schedule;
mod store;

use std::collections::BTreeSet;
use std::path::PathBuf;

use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::CarSummary;

use super::{ArchiveKind, ArchiveOutput, may_replace, open_archive, sibling_archive};
use crate::foundation::failure::Failure;
use crate::source::Session;
pub use attempts::Attempts;
use context::FillContext;
pub use context::{FillEvent, FillOptions};
pub use gateway::{FailedRequests, GatewayWarning, Overtaken, WrongBlocks};
pub use pass::Missing;
use pass::{Outcome, keep, pass};
use places::{BlockSource, block_sources};
use store::Store;

/// The result.
#[derive(Debug)]
pub struct FillReport {
    /// The root of the release.
    pub root: Cid,
    /// Whether the full archive was written.
    pub outcome: FillOutcome,
    /// Damage in archives, a sentence each.
    pub damage: Vec<String>,
    /// Warnings about gateways.
    pub gateways: Vec<GatewayWarning>,
}

/// The outcome of filling an archive.
#[derive(Debug)]
pub enum FillOutcome {
    /// The full archive was written.
    Written {
        /// Its path.
        output: PathBuf,
        /// Its contents.
        summary: CarSummary,
    },
    /// Some blocks were not found; the others are in the cache.
    Missing {
        /// The missing blocks, depth first.
        blocks: Vec<Missing>,
        /// The reasons why no place had them.
        attempts: Attempts,
        /// Whether this run has found other blocks.
        has_found: bool,
    },
}

/// Fills an archive. Each block is hashed: the result is byte for byte the archive that a build
/// writes. If blocks are missing at the end, the others stay in the cache, and the next run
/// continues from there.
///
/// # Errors
/// When the archive cannot be read, a place is invalid, or the disk fails.
pub fn fill(session: &Session, options: &FillOptions<'_>) -> Result<FillReport, Failure> {
    let path = &options.archive;
    let own = open_archive(path)?;
    let root = own.root();
    let output = output(options, root)?;
    let mut store = Store::new(own, session.cache()?);
    let context = FillContext::new(session, options);
    let mut places = block_sources(&context, &mut store)?;
    let mut attempts = Attempts::new();
    let mut before = BTreeSet::new();
    let mut has_found = false;
    let report = |outcome, store: &Store, places: &[BlockSource]| FillReport {
        root,
        outcome,
        damage: store.damage().map(ToOwned::to_owned).collect(),
        gateways: places.iter().flat_map(BlockSource::warnings).collect(),
    };
    loop {
        let (target, file) = ArchiveOutput::create(output.clone())?;
        let outcome = pass(root, &mut store, file).map_err(|error| target.failed(path, &error))?;
        let missing = match outcome {
            Outcome::Full(file, summary) => {
                target.commit(file)?;
                store.forget_used_blocks();
                let outcome = FillOutcome::Written { output, summary };
                return Ok(report(outcome, &store, &places));
            }
            Outcome::Missing(missing) => missing,
        };
        // The unfinished file is removed before the slow part.
        drop(target);
        // Blocks that arrived but are missing again are not requested once more: the disk may not
        // store them.
        let lacking: BTreeSet<Cid> = missing.iter().map(|one| one.cid).collect();
        let is_stuck = lacking == before;
        before = lacking;
        let is_new =
            !is_stuck && acquire(&context, &mut places, &mut store, &missing, &mut attempts)?;
        has_found |= is_new;
        if !is_new {
            has_found |= keep(root, &mut store).map_err(|error| Failure::caused(&error))?;
            let outcome = FillOutcome::Missing {
                blocks: missing,
                attempts,
                has_found,
            };
            return Ok(report(outcome, &store, &places));
        }
    }
}

/// The path of the full archive. An archive of another release is replaced only if its path was
/// given explicitly.
fn output(options: &FillOptions<'_>, root: Cid) -> Result<PathBuf, Failure> {
    if let Some(output) = &options.output {
        return Ok(output.clone());
    }
    let help = "name the full archive, as in `--output release.car`";
    let Some(output) = sibling_archive(&options.archive, ArchiveKind::Full) else {
        return Err(Failure::usage(format!(
            "`{}` does not end in `.hollow.car` or `.delta.car`, so the name of the full archive \
             is unknown",
            options.archive.display()
        ))
        .help(help));
    };
    if may_replace(&output, root) {
        Ok(output)
    } else {
        Err(Failure::usage(format!(
            "`{}` exists, and it is not an archive of {root}",
            output.display()
        ))
        .help(help))
    }
}

/// Asks one place after another for the missing blocks; true if the store has new blocks
/// afterwards.
fn acquire(
    fill: &FillContext<'_>,
    places: &mut [BlockSource],
    store: &mut Store,
    missing: &[Missing],
    attempts: &mut Attempts,
) -> Result<bool, Failure> {
    let mut is_new = false;
    for one in missing {
        if let Some(wheel) = one.wheel {
            is_new |= store.take_cached_wheel(&wheel);
        }
    }
    for place in places {
        let left: Vec<&Missing> = missing.iter().filter(|one| !store.has(&one.cid)).collect();
        if left.is_empty() {
            break;
        }
        is_new |= place.request(fill, store, &left, attempts)?;
    }
    Ok(is_new)
}
