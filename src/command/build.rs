//! `ipwhl build`: makes a signed release with one root CID from declarations.

mod vouch;

use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use ipwhl_unixfs::{Cid, Profile};

use super::allow::{AllowArguments, warn_unrecorded};
use super::context::Context;
use super::exit::ExitStatus;
use super::network::NetworkArguments;
use super::report::{MessageFormat, count, show, show_failures, show_rejected};
use super::values::profiles;
use super::words::counted;
use crate::foundation::diagnostic::Finding;
use crate::foundation::failure::Failure;
use crate::foundation::size::HumanBytes;
use crate::publish::{
    ArchiveContents, Build, BuildEvent, ContentsRequest, Writer, WrittenRelease, build_folder,
    check_kind, statement_in, tree_place,
};
use crate::release::archive::{ArchiveKind, ReleaseLocation, car_name};
use crate::release::names::STATEMENT;
use crate::release::reuse::ReusableRelease;
use crate::release::statement::SignedStatement;
use crate::release::trust::{NextRequest, ReuseRequest, check_unsigned};
use crate::set::check;
use crate::set::gather::{Network, WheelReport, all_wheels};
use crate::set::judgement::{has_errors, judge, merge_licences};
use crate::set::repository::Repository;
use vouch::{Preparation, prepare, vouch};

/// Build a signed release with one root CID
///
/// Fetches and verifies every declared wheel, checks the set, and writes `release.car`,
/// `release.toml` and `release.toml.sig`. The root CID is the only line on standard output. `--car
/// delta` and `--car hollow` write `release.delta.car` or `release.hollow.car` instead of the full
/// archive. `--reuse` skips wheels that an earlier release has with the same file name and
/// content-id.
///
/// The new statement follows the one in the output folder, or that of `--previous`, and has the
/// next sequence number. If the root is unchanged, no new statement is signed.
///
/// Example: ipwhl build --expires 180d
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder to write the release to
    #[arg(long, value_name = "DIR", default_value = "release")]
    output: PathBuf,
    /// Also write the tree as files
    #[arg(long, value_name = "DIR")]
    tree: Option<PathBuf>,
    /// Which blocks the archive contains; `ipwhl fill` completes a delta or a hollow archive
    #[arg(long, value_name = "EXTENT", default_value = "full")]
    car: ArchiveKind,
    /// The previous release, for `--car delta`: an archive, a root CID or a URL [default: the
    /// archive beside the previous statement, else the release of `--reuse`]
    #[arg(long, value_name = "RELEASE")]
    previous_car: Option<String>,
    #[command(flatten)]
    reuse: ReuseArguments,
    /// The UnixFS import parameters [default: the repository's]
    #[arg(long, value_name = "PROFILE", value_parser = profiles())]
    profile: Option<Profile>,
    /// The key to sign with: its file, or its public key if an agent has the private key [default:
    /// `IPWHL_SIGNING_KEY`, else your own key]
    #[arg(long, value_name = "KEY", conflicts_with = "unsigned")]
    key: Option<PathBuf>,
    /// Write no statement; refused in the folder of a signed release
    #[arg(long, conflicts_with_all = ["expires", "previous", "renew", "after_expiry"])]
    unsigned: bool,
    /// How long the statement is valid, as in `180d`
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// If the root is unchanged, sign a new statement only if the previous one expires within this
    /// time, as in `30d`
    #[arg(
        long,
        value_name = "TIME",
        requires = "expires",
        conflicts_with = "renew"
    )]
    renew_within: Option<String>,
    /// The previous statement: a file or a URL [default: `release.toml` in the output folder, which
    /// must be signed with a trusted key or your own]
    #[arg(long, value_name = "STATEMENT")]
    previous: Option<String>,
    /// Sign a new statement even if the root is unchanged
    #[arg(long)]
    renew: bool,
    /// Follow the previous statement even if it has expired
    #[arg(long)]
    after_expiry: bool,
    /// Print the root CID and write nothing
    #[arg(long, conflicts_with_all = ["tree", "car", "previous_car", "key", "unsigned", "expires", "previous", "renew", "after_expiry"])]
    root_only: bool,
    /// The output format of findings; formats for programs use standard output, and the root CID
    /// then goes to standard error
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    message_format: MessageFormat,
    #[command(flatten)]
    allow: AllowArguments,
    #[command(flatten)]
    network: NetworkArguments,
}

/// Options for releases to reuse.
#[derive(Debug, Args)]
struct ReuseArguments {
    /// Reuse the facts of unchanged wheels from a release: an archive, a root CID, or a URL
    /// `<gateway>/ipfs/<root CID>/`; repeatable
    #[arg(long = "reuse", value_name = "RELEASE")]
    releases: Vec<String>,
    /// A statement that vouches for a reused release: a file or a URL; repeatable [default:
    /// `--previous`, or the one beside the archive]
    #[arg(
        long = "reuse-statement",
        value_name = "STATEMENT",
        requires = "releases"
    )]
    statements: Vec<String>,
    /// Accept releases that no trusted key has signed
    #[arg(long, requires = "releases")]
    reuse_unsigned: bool,
}

impl Arguments {
    /// The request for the next statement.
    fn next(&self) -> NextRequest {
        NextRequest {
            expires: self.expires.clone(),
            renew_within: self.renew_within.clone(),
            renew: self.renew,
            after_expiry: self.after_expiry,
            previous: self.previous.clone(),
            offline: self.network.offline,
            key: self.key.clone(),
        }
    }
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let mut repository = context.repository()?;
    arguments.allow.apply(&mut repository);
    let folder = build_folder(context.folders(), &repository, &arguments.output)?;
    let tree = arguments
        .tree
        .as_ref()
        .map(|tree| tree_place(&context.absolute(tree), &[&repository.directory, &folder]))
        .transpose()
        .map_err(|error| error.failure())?;
    // Findings of the texts and the graph are reported before any byte is fetched.
    let mut findings = check::repository(&repository);
    let today = context.session.today();
    let judged = |findings, report: &_| judge(&repository, findings, report, today, "");
    let early = judged(findings.clone(), &WheelReport::default());
    if has_errors(&early) {
        show(context, &repository, &early, arguments.message_format)?;
        return Ok(refuse(context, &early));
    }
    let writer = Writer::Build {
        names_previous: arguments.previous.is_some(),
    };
    if !arguments.root_only {
        if let Some(cut) = writer.finish_cut_run(context.environment, &folder)? {
            let place = context.shown(&folder.join(STATEMENT));
            let sequence = cut.sequence;
            context.say(&format!(
                "finished the interrupted build: {place}, sequence {sequence}"
            ));
        }
        check_kind(&repository, arguments.car, &folder, writer)?;
    }
    let before = statement_in(&folder);
    if arguments.unsigned {
        check_unsigned(&context.session, &folder)?;
    }
    let mut preparation = if arguments.unsigned || arguments.root_only {
        None
    } else {
        Some(prepare(context, &repository, &arguments.next(), &folder)?)
    };
    let previous = preparation.as_ref().and_then(Preparation::previous);
    let network = arguments.network.network();
    let (reusable, contents) =
        open_before(context, &repository, arguments, &network, &folder, previous)?;
    let build = Build {
        session: &context.session,
        repository: &repository,
        network,
        profile: arguments
            .profile
            .unwrap_or(repository.configuration.profile),
        is_root_only: arguments.root_only,
        contents,
        reusable,
        folder,
        writer,
        before,
        tree,
        tell: &|event| tell(context, &event, arguments.network.offline),
    };
    let gathered = build.gather()?;
    findings.extend(check::wheels(
        &repository,
        &all_wheels(&repository),
        &gathered,
    ));
    findings.extend(check::licence_entries(&repository, &gathered));
    if let Some(previous) = preparation.as_ref().and_then(Preparation::previous) {
        findings.extend(withdrawn_before(&repository, previous, &gathered));
    }
    let mut findings = judged(findings, &gathered);
    merge_licences(&repository, &mut findings, today, "");
    show(context, &repository, &findings, arguments.message_format)?;
    show_failures(context, &gathered.failures, arguments.network.offline);
    if !gathered.failures.is_empty() {
        return Ok(ExitStatus::World);
    }
    if has_errors(&findings) {
        return Ok(refuse(context, &findings));
    }
    warn_unrecorded(context, &repository, &findings);
    if let Some(preparation) = &mut preparation {
        preparation.note(&repository, &findings);
    }
    let root = if arguments.root_only {
        build.root(&gathered)?
    } else {
        let written = build.write(gathered, |root| match preparation {
            Some(preparation) => vouch(context, &repository, preparation, root, &build.folder),
            None => Ok(None),
        })?;
        tell_written(context, &build, &written);
        written.root
    };
    for release in &build.reusable {
        tell_reused(context, release);
    }
    tell_root(context, arguments.message_format, root)?;
    Ok(ExitStatus::Clean)
}

/// Prints the root. In other formats than text, standard output is for findings.
fn tell_root(context: &Context<'_>, format: MessageFormat, root: Cid) -> Result<(), Failure> {
    if format == MessageFormat::Text {
        return context.result(&root.to_string());
    }
    context.tell(&format!("the root CID is {root}"));
    Ok(())
}

/// Findings about wheels that the previous statement withdraws, and `ipwhl.toml` does not any more.
fn withdrawn_before(
    repository: &Repository,
    previous: &SignedStatement,
    gathered: &WheelReport,
) -> Vec<Finding> {
    let listed = &repository.configuration.withdrawn;
    let mut withdrawals = previous.statement.withdrawn.clone();
    withdrawals.retain(|one| listed.iter().all(|listed| listed.subject != one.subject));
    check::withdrawn(&all_wheels(repository), &withdrawals, gathered)
}

/// Opens the releases to reuse, and determines the contents of the new archive.
fn open_before(
    context: &Context<'_>,
    repository: &Repository,
    arguments: &Arguments,
    network: &Network,
    folder: &Path,
    previous: Option<&SignedStatement>,
) -> Result<(Vec<ReusableRelease>, ArchiveContents), Failure> {
    let reuse = ReuseRequest {
        releases: &arguments.reuse.releases,
        statements: &arguments.reuse.statements,
        accepts_unsigned: arguments.reuse.reuse_unsigned,
    };
    let reusable = reuse.open(
        &context.session,
        &repository.configuration,
        network,
        previous,
        &mut |release, reason| {
            context.warning(&format!(
                "no statement vouches for {}: {reason}; it is reused because of `--reuse-unsigned`",
                release.shown
            ));
        },
    )?;
    let contents = ContentsRequest {
        kind: arguments.car,
        folder,
        previous_car: arguments.previous_car.as_deref(),
        previous: arguments.previous.as_deref(),
        previous_root: previous.map(|signed| signed.statement.root),
    }
    .contents(&context.session, repository, network, &reusable)?;
    Ok((reusable, contents))
}

fn refuse(context: &Context<'_>, findings: &[Finding]) -> ExitStatus {
    let words = count(findings).unwrap_or_default();
    context.error(&format!("nothing was built: {words}"));
    ExitStatus::Findings
}

/// Prints the events of the build.
fn tell(context: &Context<'_>, event: &BuildEvent<'_>, offline: bool) {
    match event {
        BuildEvent::NotReused(notice) => context.warning(&notice.to_string()),
        BuildEvent::Gathered(report) => show_rejected(context, report),
        BuildEvent::Damaged(damage) => context.warning(&format!(
            "{damage}; {}",
            if offline {
                "it was removed, and `--offline` forbids fetching it again"
            } else {
                "fetching it again"
            }
        )),
        BuildEvent::Failed(failures) => show_failures(context, failures, offline),
    }
}

fn tell_written(context: &Context<'_>, build: &Build<'_>, written: &WrittenRelease) {
    context.say(&format!(
        "wrote {}: {}, {} blocks, {}",
        context.shown(&build.folder.join(car_name(written.kind))),
        counted(build.repository.declarations.len(), "project"),
        written.summary.blocks,
        HumanBytes(written.summary.bytes)
    ));
    if let Some(reason) = &written.without_whole {
        context.say(&format!(
            "the release has no lock of the whole set: {reason}"
        ));
    }
    let locks = &written.locks;
    if locks.files > 0 {
        let changed = match locks.changed {
            Some(bytes) => format!(", {} of them in changed blocks", HumanBytes(bytes)),
            None => String::new(),
        };
        context.say(&format!(
            "locks: {}, {}{changed}",
            counted(locks.files, "file"),
            HumanBytes(locks.bytes)
        ));
    }
}

impl ValueEnum for ArchiveKind {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Full => "every block",
            Self::Delta => "blocks that the previous release does not have",
            Self::Hollow => "pages, metadata and DAG nodes, without the contents of wheels",
        };
        Some(PossibleValue::new(self.as_str()).help(help))
    }
}

/// Prints the number of reused wheels, and the bytes that were transferred for them.
fn tell_reused(context: &Context<'_>, reused: &ReusableRelease) {
    let transferred = reused.release.transferred();
    let network = match &reused.release.location {
        ReleaseLocation::Archive { .. } => String::new(),
        ReleaseLocation::Gateways(_) => format!(
            ": {}, {} over the network",
            counted(
                usize::try_from(transferred.blocks).unwrap_or(usize::MAX),
                "block"
            ),
            HumanBytes(transferred.bytes)
        ),
    };
    context.say(&format!(
        "reused {} from {}{network}",
        counted(reused.reused(), "wheel"),
        reused.release.shown
    ));
    if reused.copied() > 0 {
        context.say(&format!(
            "copied {} from {}",
            counted(reused.copied(), "wheel"),
            reused.release.shown
        ));
    }
}
