//! `ipwhl fetch`: downloads and verifies the newest release of a site, and writes it as a build
//! would.

use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::exit::ExitStatus;
use super::values::jobs;
use super::vouch::{TrustArguments, following, vouch};
use super::words::counted;
use crate::foundation::environment::make_own_folder;
use crate::foundation::failure::Failure;
use crate::foundation::size::HumanBytes;
use crate::publish::{
    FetchedArchive, SiteFetch, SiteFetchEvent, Writer, begin_archive, commit, fetch_folder,
    forget_wheels, has_release, statement_in,
};
use crate::release::archive::ArchiveKind;
use crate::release::names::{CAR, STATEMENT};
use crate::release::statement::folder::{add_signatures, keep_statement};
use crate::release::statement::{Next, OpenSite, read_statement};
use crate::set::gather::DEFAULT_JOBS;

/// Fetch the newest release of a site
///
/// Downloads the statement with its signatures, the statements since the one in the output folder,
/// and the archive. From a site that a target of the kind `directory` writes, it fetches the pages
/// and the wheels that are not here yet; from other sites, the `release.car` beside the statement.
/// Every byte is verified against the root CID. Data in an older `release.car` in the output folder
/// is not fetched again. An interrupted run is continued.
///
/// The new statement must follow the one in the output folder. If there is none, it needs
/// signatures of trusted keys. Keys are trusted by the repository that you are in, by
/// `--allowed-signers`, or by the `--trusted-statement` that you verified before.
///
#[cfg_attr(
    not(doc),
    doc = " Example: ipwhl fetch https://index.example.org/",
    expect(clippy::doc_markdown, reason = "the example is typed as it stands")
)]
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The site: its URL, the URL of its `release.toml`, or a folder
    #[arg(value_name = "LOCATION")]
    location: String,
    /// The folder to write the release to
    /// [default: `release` in the repository, else in the current folder]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustArguments,
    /// Use only folders, not the network
    #[arg(long)]
    offline: bool,
    /// The number of parallel downloads and verifications [default: 8]
    #[arg(long, value_name = "N", value_parser = jobs)]
    jobs: Option<std::num::NonZeroUsize>,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let mut open = OpenSite::named(&context.session, &arguments.location, arguments.offline)?;
    let folder = fetch_folder(context.folders(), arguments.output.as_deref())?;
    make_own_folder(&folder).map_err(|error| {
        Failure::world(format!("`{}` cannot be created: {error}", folder.display()))
            .help("name a folder that you can write with `--output`")
    })?;
    if let Some(statement) = Writer::Fetch.finish_cut_run(context.environment, &folder)? {
        context.say(&format!(
            "finished the interrupted run: {}, sequence {}",
            context.shown(&folder.join(STATEMENT)),
            statement.sequence
        ));
    }
    // The archive is locked first, so that two runs do not fetch the same data.
    let car = begin_archive(&folder)?;
    let before = statement_in(&folder);
    let held = match &before {
        Some(_) => Some(read_statement(&folder.join(STATEMENT))?),
        None => None,
    };
    let start = following(context, &arguments.trust, held.clone())?;
    let newest = open.newest(&start.keys())?;
    let last = newest.signed.statement.clone();
    let mut between = Vec::new();
    vouch(
        context,
        &newest.place,
        newest.signed.clone(),
        start,
        &mut |known| {
            let next = open.after(known, &last)?;
            if let Next::Statement(_, signed) = &next {
                between.push((**signed).clone());
            }
            Ok(next)
        },
    )?;
    // Invalid signatures are not passed on.
    let signed = newest.signed.united_with(Vec::new());
    let root = last.root;
    if has_release(&folder, held.as_ref(), &signed) {
        add_signatures(&folder, &signed)?;
        context.say(&format!(
            "{} is up to date: sequence {}",
            context.shown(&folder.join(STATEMENT)),
            last.sequence
        ));
        context.result(&root.to_string())?;
        return Ok(ExitStatus::Clean);
    }
    let fetch = SiteFetch {
        session: &context.session,
        open: &open,
        statement: &last,
        folder: &folder,
        jobs: arguments.jobs.unwrap_or(DEFAULT_JOBS),
        tell: &|event| tell(context, &event),
    };
    let FetchedArchive {
        car,
        summary,
        wheels,
    } = if newest.has_folders {
        fetch.from_files(car)?
    } else {
        fetch.whole(car)?
    };
    // These statements prove to a target with an older release that this one follows it.
    for statement in held.iter().chain(&between) {
        keep_statement(&folder, statement).map_err(Failure::world)?;
    }
    let committed = commit(
        car,
        ArchiveKind::Full,
        root,
        &folder,
        before.as_deref(),
        Some(&signed),
    );
    committed.map_err(|error| Writer::Fetch.uncommitted(&error, &folder))?;
    forget_wheels(&context.session, &wheels);
    context.say(&format!(
        "wrote {}: sequence {}, {} blocks, {}, {} fetched",
        context.shown(&folder.join(CAR)),
        last.sequence,
        summary.blocks,
        HumanBytes(summary.bytes),
        counted(wheels.len(), "wheel")
    ));
    context.result(&root.to_string())?;
    Ok(ExitStatus::Clean)
}

/// Prints the events while the archive is fetched.
fn tell(context: &Context<'_>, event: &SiteFetchEvent) {
    match event {
        SiteFetchEvent::DamagedArchive(path, cid) => context.warning(&format!(
            "`{}` is damaged (block {cid}): it is not used",
            context.shown(path)
        )),
        SiteFetchEvent::UnfitRemains(path) => context.warning(&format!(
            "the partial `{}` of an earlier run does not match: fetching it from the start",
            context.shown(path)
        )),
        SiteFetchEvent::Failed(reason) => context.error(reason),
    }
}
