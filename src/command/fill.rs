//! `ipwhl fill`: completes a hollow archive or a delta with blocks from other places.

mod declarations;
mod gateway;
mod gateways;
mod pass;
mod places;
mod schedule;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;
use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::CarSummary;

use super::context::Context;
use super::exit::ExitStatus;
use super::network::NetworkArguments;
use super::words::counted;
use crate::foundation::failure::Failure;
use crate::foundation::size::HumanBytes;
use crate::release::archive::{ArchiveOutput, Extent, may_replace, open_archive, sibling_archive};
use pass::{Missing, Outcome, keep, pass};
use places::{BlockSource, FillContext, block_sources};
use store::Store;

/// How many missing blocks of one file are listed without `-v`.
const NAMED_BLOCKS: usize = 3;

/// Make a hollow archive or a delta full
///
/// Takes missing blocks from the cache, then from the places of `--from` in their order, or else
/// from the sources of the declarations and the `[mirrors]`. Gateways that follow each other are
/// asked at once, `--jobs` requests each, and a fast one takes over requests of a slow one. Every
/// block is hashed: the result is byte for byte what `ipwhl build` writes. Blocks that no place has
/// are listed; the others stay in the cache, and the next run goes on.
///
/// Example: ipwhl fill release/release.hollow.car --from wheels
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The archive to fill
    #[arg(value_name = "ARCHIVE")]
    archive: PathBuf,
    /// Where to look, several times: an archive, a folder of wheels, a gateway's address, `sources`,
    /// `mirrors` [default: `sources`, then `mirrors`]
    #[arg(long, value_name = "PLACE")]
    from: Vec<String>,
    /// Where to write [default: beside the archive, ending in `.car`]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    network: NetworkArguments,
}

/// Why each place did not have a block, as half a sentence each.
type Attempts = BTreeMap<Cid, Vec<String>>;

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let path = context.absolute(&arguments.archive);
    let own = open_archive(&path)?;
    let root = own.root();
    let output = output(context, arguments, &path, root)?;
    let mut store = Store::new(own, context.session.cache()?);
    let fill_context = FillContext::new(context, &arguments.network);
    let mut places = block_sources(context, &fill_context, &arguments.from, &mut store)?;
    let mut attempts = Attempts::new();
    let mut before = BTreeSet::new();
    loop {
        let (target, file) = ArchiveOutput::create(output.clone())?;
        let outcome = pass(root, &mut store, file).map_err(|error| target.failed(&path, &error))?;
        let missing = match outcome {
            Outcome::Full(file, summary) => {
                target.commit(file)?;
                store.forget_used_blocks();
                report_places(context, &store, &places);
                return report_written(context, &output, root, summary);
            }
            Outcome::Missing(missing) => missing,
        };
        // The unfinished file goes before anything takes long.
        drop(target);
        // Blocks that came and are missing again are not asked for once more: the disk may not keep
        // them.
        let lacking: BTreeSet<Cid> = missing.iter().map(|one| one.cid).collect();
        let is_stuck = lacking == before;
        before = lacking;
        if is_stuck
            || !acquire(
                &fill_context,
                &mut places,
                &mut store,
                &missing,
                &mut attempts,
            )?
        {
            keep(root, &mut store).map_err(|error| Failure::caused(&error))?;
            report_places(context, &store, &places);
            return Ok(report_missing(context, &missing, &attempts));
        }
    }
}

/// Where the full archive goes. An archive of another release is replaced only if `--output` names
/// it.
fn output(
    context: &Context<'_>,
    arguments: &Arguments,
    path: &Path,
    root: Cid,
) -> Result<PathBuf, Failure> {
    if let Some(output) = &arguments.output {
        return Ok(context.absolute(output));
    }
    let help = "say where to write: `--output FILE`";
    let Some(output) = sibling_archive(path, Extent::Full) else {
        return Err(Failure::usage(format!(
            "the name `{}` does not tell what its full archive is called",
            path.display()
        ))
        .help(help));
    };
    if may_replace(&output, root) {
        Ok(output)
    } else {
        Err(Failure::usage(format!(
            "`{}` is there, and it is not an archive of {root}",
            output.display()
        ))
        .help(help))
    }
}

/// Warns of damaged files, and of gateways that have sent wrong bytes, were overtaken or have
/// failed.
fn report_places(context: &Context<'_>, store: &Store, places: &[BlockSource]) {
    for damage in store.damage() {
        context.warning(damage);
    }
    if !context.quiet {
        for warning in places.iter().flat_map(BlockSource::warnings) {
            context.warning(&warning);
        }
    }
}

fn report_written(
    context: &Context<'_>,
    output: &Path,
    root: Cid,
    summary: CarSummary,
) -> Result<ExitStatus, Failure> {
    context.say(&format!(
        "wrote {}: {} blocks, {}",
        context.shown(output),
        summary.blocks,
        HumanBytes(summary.bytes)
    ));
    context.result(&root.to_string())?;
    Ok(ExitStatus::Clean)
}

/// Asks place after place for the blocks that are still missing; true if the store has new blocks
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

/// Reports the missing blocks, some of each file, and why no place had them.
fn report_missing(context: &Context<'_>, missing: &[Missing], attempts: &Attempts) -> ExitStatus {
    let mut files: BTreeMap<&str, Vec<&Missing>> = BTreeMap::new();
    for one in missing {
        files.entry(&one.path).or_default().push(one);
    }
    for (path, blocks) in files {
        let file = if path.is_empty() { "the tree" } else { path };
        let shown = if context.verbose > 0 {
            blocks.len()
        } else {
            NAMED_BLOCKS
        };
        for one in blocks.iter().take(shown) {
            let reasons = match attempts.get(&one.cid) {
                Some(reasons) => reasons.join("; "),
                None => "there is nowhere to look for it".to_owned(),
            };
            context.error(&format!(
                "`{file}`: block {} was not found: {reasons}",
                one.cid
            ));
        }
        if blocks.len() > shown {
            context.error(&format!(
                "`{file}`: nor were {} more (`-v` names them)",
                counted(blocks.len() - shown, "block")
            ));
        }
    }
    let bytes = missing.iter().filter_map(|one| one.cumulative_size).sum();
    context.error(&format!(
        "nothing was written: {} of {} cannot be had",
        counted(missing.len(), "block"),
        HumanBytes(bytes)
    ));
    context.help(
        "what was had stays in the cache: run the same command again, or name more places with `--from`",
    );
    ExitStatus::World
}
