//! `ipwhl hollow`: a release without the leaves of its wheels.

use std::path::PathBuf;

use clap::Args;
use ipwhl_unixfs::car::CarError;

use super::archives::{Target, broken, named_after, open};
use super::context::Context;
use super::exit::ExitStatus;
use crate::foundation::failure::Failure;
use crate::foundation::size::HumanBytes;
use crate::release::archive::Extent;
use crate::release::archive::ReleaseArchive;
use crate::release::names::CAR;

/// Take the wheels out of a release's archive
///
/// Writes what `ipwhl build --car hollow` writes: pages, metadata and nodes, which hold the hash of every
/// block of every wheel. `ipwhl fill` puts the wheels back.
///
/// Example: ipwhl hollow release/release.car
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The release's full archive, or a folder that holds a `release.car`
    #[arg(value_name = "RELEASE")]
    release: PathBuf,
    /// Where to write [default: beside the archive, ending in `.hollow.car`]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let mut path = context.absolute(&arguments.release);
    if path.is_dir() {
        path.push(CAR);
    }
    let output = match &arguments.output {
        Some(output) => context.absolute(output),
        None => named_after(&path, Extent::Hollow).ok_or_else(|| {
            Failure::usage(format!("`{}` is not named `….car`", path.display()))
                .help("say where to write: `--output FILE`")
        })?,
    };
    let reader = open(&path)?;
    if same_file::is_same_file(&path, &output).unwrap_or(false) {
        return Err(Failure::usage(format!(
            "`{}` would be replaced by what is left of it",
            path.display()
        ))
        .help("name another file with `--output`"));
    }
    let (target, file) = Target::create(output)?;
    let hollowed = reader.hollow(file);
    let (file, summary) = hollowed.map_err(|error| match &error {
        CarError::Missing(_) => {
            broken(&path, &error).help("where it is a delta, `ipwhl fill` makes it full")
        }
        _ => target.failed(&path, &error),
    })?;
    let shown = context.shown(target.path());
    target.commit(file)?;
    context.say(&format!(
        "wrote {shown}: {} blocks, {} of {}",
        summary.blocks,
        HumanBytes(summary.bytes),
        HumanBytes(reader.byte_length())
    ));
    context.result(&reader.root().to_string())?;
    Ok(ExitStatus::Clean)
}
