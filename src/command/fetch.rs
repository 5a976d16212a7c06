//! `ipwhl fetch`: downloads and verifies the newest release of a site, and writes it as a build
//! would.

mod archive;

use std::path::{Path, PathBuf};

use clap::Args;
use ipwhl_unixfs::Cid;

use super::context::Context;
use super::exit::ExitStatus;
use super::own_folder::OwnFolder;
use super::vouch::{TrustArguments, following, vouch};
use super::words::counted;
use crate::foundation::diagnostic::shell_word;
use crate::foundation::environment::{AtomicFile, make_own_folder};
use crate::foundation::failure::Failure;
use crate::foundation::size::HumanBytes;
use crate::publish::{PublishError, Recovery, commit, recover, statement_in};
use crate::release::archive::{ArchiveKind, may_replace};
use crate::release::names::{CAR, STATEMENT};
use crate::release::statement::folder::keep_statement;
use crate::release::statement::{Next, OpenSite, SignedStatement, read_statement};
use crate::set::gather::DEFAULT_JOBS;
use archive::Fetched;

/// The default output folder.
const DEFAULT_OUTPUT: &str = "release";

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
    #[arg(long, value_name = "N")]
    jobs: Option<std::num::NonZeroUsize>,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let mut open = OpenSite::named(&context.session, &arguments.location, arguments.offline)?;
    let folder = output_folder(context, arguments)?;
    make_own_folder(&folder).map_err(|error| {
        Failure::world(format!("`{}` cannot be created: {error}", folder.display()))
    })?;
    finish_cut_run(context, &folder)?;
    // Two runs would fetch the same for one place.
    let car = archive::begin(&folder)?;
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
    let is_here = held.as_ref().is_some_and(|held| held.text == signed.text)
        && may_replace(&folder.join(CAR), root)
        && folder.join(CAR).is_file();
    if is_here {
        add_signatures(&folder, &signed)?;
        context.say(&format!(
            "{} is up to date: sequence {}",
            context.shown(&folder.join(STATEMENT)),
            last.sequence
        ));
        context.result(&root.to_string())?;
        return Ok(ExitStatus::Clean);
    }
    let fetched = if newest.has_folders {
        archive::of_files(
            context,
            &open,
            &last,
            car,
            &folder,
            arguments.jobs.unwrap_or(DEFAULT_JOBS),
        )?
    } else {
        archive::whole(context, &open, &last, car, &folder)?
    };
    let Fetched {
        car,
        summary,
        wheels,
    } = fetched;
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
    committed.map_err(|error| uncommitted(&error))?;
    forget(context, &wheels);
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

/// Finishes a run that was killed between the old statement and the new one.
fn finish_cut_run(context: &Context<'_>, folder: &Path) -> Result<(), Failure> {
    match recover(folder).map_err(|error| uncommitted(&error))? {
        Recovery::Nothing => Ok(()),
        Recovery::Finished(statement) => {
            context.say(&format!(
                "finished the interrupted run: {}, sequence {}",
                context.shown(&folder.join(STATEMENT)),
                statement.sequence
            ));
            Ok(())
        }
        // Without it an older release could be taken for a newer one.
        Recovery::Incomplete(statement) => {
            let partial = context.shown(&folder.join(format!(".{STATEMENT}.partial")));
            Err(Failure::finding(format!(
                "the interrupted run of `{partial}`, sequence {}, cannot be finished: its archive or its signature is \
                 missing or damaged",
                statement.sequence
            ))
            .help(format!(
                "move {} away: then the release only needs signatures of keys that you trust",
                shell_word(&partial)
            )))
        }
    }
}

/// Takes wheels that this run has fetched out of the cache: the archive has them. Another run may
/// use them.
fn forget(context: &Context<'_>, wheels: &[Cid]) {
    if let Some(cache) = context.session.used_cache()
        && let Ok(Some(claimed)) = cache.claim(&|| false)
    {
        claimed.clean_wheels(wheels, &[]);
    }
}

fn output_folder(context: &Context<'_>, arguments: &Arguments) -> Result<PathBuf, Failure> {
    let repository = context.repository_directory().ok();
    let folder = match (&arguments.output, &repository) {
        (Some(output), _) => context.absolute(output),
        (None, Some(repository)) => repository.join(DEFAULT_OUTPUT),
        (None, None) => context.absolute(Path::new(DEFAULT_OUTPUT)),
    };
    let own = OwnFolder {
        path: &folder,
        role: "the output folder",
        danger: "the statement in this folder decides which release is accepted",
        elsewhere: "name another folder with `--output`",
    };
    own.check_repository(context.folders())?;
    own.check_owner(context.folders(), repository.as_deref())?;
    Ok(folder)
}

/// Why a release does not get its name.
fn uncommitted(error: &PublishError) -> Failure {
    match error {
        PublishError::Occupied(..) => Failure::usage(error)
            .help("name another folder with `--output`, or move that archive away"),
        PublishError::Changed(_) => Failure::caused(error).help("run the same command again"),
        _ if error.is_full_disk() => {
            Failure::caused(error).help("make room and run the same command again")
        }
        _ => Failure::caused(error),
    }
}

/// Puts signatures that are new beside the statement that is here.
fn add_signatures(folder: &Path, signed: &SignedStatement) -> Result<(), Failure> {
    let here = read_statement(&folder.join(STATEMENT))?;
    let united = signed.united_with(here.signatures.clone());
    for signature in &united.signatures {
        if here.signatures.contains(signature) {
            continue;
        }
        let path = folder.join(format!("{STATEMENT}{}", signature.suffix));
        AtomicFile::write_whole(&path, signature.text.as_bytes()).map_err(|error| {
            Failure::world(format!(
                "{} cannot be written: {error}",
                shell_word(&path.to_string_lossy())
            ))
        })?;
    }
    Ok(())
}
