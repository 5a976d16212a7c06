//! `ipwhl fetch`: the newest release of a site, held to whom its reader trusts, as a build would
//! have written it here.

use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::exit::ExitStatus;
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
/// Reads the statement and its signatures, the statements since the one that is in the output
/// folder, and the archive: of a site that a target of the kind `directory` writes, the pages and
/// those wheels that are not here yet, else the `release.car` beside the statement. Every byte is
/// hashed. What an older `release.car` in the output folder has is not fetched again, and a run
/// that was cut is gone on with.
///
/// The new statement has to follow the one in the output folder. Where there is none, it needs the
/// signatures of the keys that are trusted: by the repository around, by `--allowed-signers`, or by
/// the `--trusted-statement` that you verified before.
///
#[cfg_attr(
    not(doc),
    doc = " Example: ipwhl fetch https://index.example.org/",
    expect(clippy::doc_markdown, reason = "the example is typed as it stands")
)]
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The address of the site, or of the `release.toml` there; or a folder
    #[arg(value_name = "LOCATION")]
    location: String,
    /// The folder to write the release to
    /// [default: `release` in the repository, else in the current folder]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustArguments,
    /// Fetch from folders only
    #[arg(long)]
    offline: bool,
    /// How many wheels are fetched and verified at once [default: 8]
    #[arg(long, value_name = "N")]
    jobs: Option<std::num::NonZeroUsize>,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let mut open = OpenSite::named(&context.session, &arguments.location, arguments.offline)?;
    let folder = fetch_folder(context.folders(), arguments.output.as_deref())?;
    make_own_folder(&folder).map_err(|error| {
        Failure::world(format!("`{}` cannot be made: {error}", folder.display()))
    })?;
    if let Some(statement) = Writer::Fetch.finish_cut_run(context.environment, &folder)? {
        context.say(&format!(
            "finished the interrupted run: {}, sequence {}",
            context.shown(&folder.join(STATEMENT)),
            statement.sequence
        ));
    }
    // Two runs would fetch the same for one place.
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
    // Nobody is given signatures that do not hold.
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
    // A target that holds an older release is shown by them that this one follows.
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

/// Says what happens while the archive is fetched.
fn tell(context: &Context<'_>, event: &SiteFetchEvent) {
    match event {
        SiteFetchEvent::DamagedArchive(path, cid) => context.warning(&format!(
            "`{}` is damaged, as block {cid} shows: nothing of it is used",
            context.shown(path)
        )),
        SiteFetchEvent::UnfitRemains(path) => context.warning(&format!(
            "what a run before this one has left of `{}` does not fit: it is fetched anew",
            context.shown(path)
        )),
        SiteFetchEvent::Failed(reason) => context.error(reason),
    }
}
