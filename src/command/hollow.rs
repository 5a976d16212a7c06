//! `ipwhl hollow`: a release without the leaf blocks of its wheels.

use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::exit::ExitStatus;
use crate::foundation::failure::Failure;
use crate::foundation::size::HumanBytes;
use crate::release::archive::{ArchiveKind, hollow_archive, sibling_archive};
use crate::release::names::CAR;

/// Write a copy of an archive without the contents of its wheels
///
/// The result is the archive that `ipwhl build --car hollow` writes: pages, metadata, and the DAG
/// nodes with the hash of every block of every wheel. `ipwhl fill` puts the wheels back.
///
/// Example: ipwhl hollow release/release.car
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The release's full archive, or a folder with a `release.car`
    #[arg(value_name = "RELEASE")]
    release: PathBuf,
    /// The file to write [default: beside the archive, ending in `.hollow.car`]
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
        None => sibling_archive(&path, ArchiveKind::Hollow).ok_or_else(|| {
            Failure::usage(format!(
                "the name of `{}` does not end in `.car`",
                path.display()
            ))
            .help("name the file to write: `--output FILE`")
        })?,
    };
    let shown = context.shown(&output);
    let report = hollow_archive(&path, output)?;
    context.say(&format!(
        "wrote {shown}: {} blocks, {} of {}",
        report.summary.blocks,
        HumanBytes(report.summary.bytes),
        HumanBytes(report.length)
    ));
    context.result(&report.root.to_string())?;
    Ok(ExitStatus::Clean)
}
