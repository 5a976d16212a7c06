//! `ipwhl build`: declarations to a signed release with one root CID.

mod vouch;

use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use ipwhl_unixfs::Profile;

use super::allow::{AllowArguments, tell_unrecorded};
use super::context::Context;
use super::exit::ExitStatus;
use super::network::NetworkArguments;
use super::report::{MessageFormat, count, show, show_failures, show_rejected};
use super::values::profiles;
use super::words::counted;
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
use crate::set::judgement::{has_errors, judge};
use crate::set::repository::Repository;
use vouch::{Preparation, prepare, vouch};

/// Build a signed release with one root CID
///
/// Fetches and verifies every declared wheel, checks the set, and writes `release.car`,
/// `release.toml` and `release.toml.sig`. The root CID is the only line on standard output. With
/// `--car`, `release.delta.car` or `release.hollow.car` takes the place of the full archive. With
/// `--reuse`, a wheel that a release before has under the same file name and content-id is not
/// looked at again.
///
/// A build follows the statement in its output folder, or that of `--previous`: the next one has
/// the next sequence. Where nothing has changed, nothing new is signed.
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
    /// How much of the release the archive has; `ipwhl fill` makes the others full
    #[arg(long, value_name = "EXTENT", default_value = "full")]
    car: ArchiveKind,
    /// The previous release, for `--car delta`: an archive, a root CID or an address [default: the
    /// archive beside the statement that is followed, else the `--reuse` one]
    #[arg(long, value_name = "RELEASE")]
    previous_car: Option<String>,
    #[command(flatten)]
    reuse: ReuseArguments,
    /// The UnixFS import parameters [default: the repository's]
    #[arg(long, value_name = "PROFILE", value_parser = profiles())]
    profile: Option<Profile>,
    /// The key to sign with: its file, or its public half where an agent has the private one
    /// [default: `IPWHL_SIGNING_KEY`, else your own]
    #[arg(long, value_name = "KEY", conflicts_with = "unsigned")]
    key: Option<PathBuf>,
    /// Write no statement; not into the folder of a signed release
    #[arg(long, conflicts_with_all = ["expires", "previous", "renew", "after_expiry"])]
    unsigned: bool,
    /// How long the statement holds, as in `180d`
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// Where nothing has changed, sign anew only if the previous statement expires within this
    /// time, as in `30d`
    #[arg(
        long,
        value_name = "TIME",
        requires = "expires",
        conflicts_with = "renew"
    )]
    renew_within: Option<String>,
    /// The statement that this one follows: a file or an address [default: `release.toml` in the
    /// output folder, which a trusted key, or your own, has to have signed]
    #[arg(long, value_name = "STATEMENT")]
    previous: Option<String>,
    /// Sign a new statement even if the root is unchanged
    #[arg(long)]
    renew: bool,
    /// Follow the previous statement though it has expired
    #[arg(long)]
    after_expiry: bool,
    /// Compute the root and write nothing
    #[arg(long, conflicts_with_all = ["tree", "car", "previous_car", "key", "unsigned", "expires", "previous", "renew", "after_expiry"])]
    root_only: bool,
    /// How findings are written; those for programs take standard output, and the root CID is said
    /// on standard error
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    message_format: MessageFormat,
    #[command(flatten)]
    allow: AllowArguments,
    #[command(flatten)]
    network: NetworkArguments,
}

/// Which releases are reused, and who vouches for them.
#[derive(Debug, Args)]
struct ReuseArguments {
    /// Take over what a release says of unchanged wheels, several times: an archive, a root CID, an
    /// address `<gateway>/ipfs/<root CID>/`
    #[arg(long = "reuse", value_name = "RELEASE")]
    releases: Vec<String>,
    /// A statement that vouches for such a release, several times: a file or an address [default:
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
    /// The statement that is asked for.
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
    // Mistakes in texts and in the graph are told before a byte is fetched.
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
        tell: &|event| tell(context, &event),
    };
    let gathered = build.gather()?;
    findings.extend(check::wheels(
        &repository,
        &all_wheels(&repository),
        &gathered,
    ));
    let findings = judged(findings, &gathered);
    show(context, &repository, &findings, arguments.message_format)?;
    show_failures(context, &gathered.failures);
    if !gathered.failures.is_empty() {
        return Ok(ExitStatus::World);
    }
    if has_errors(&findings) {
        return Ok(refuse(context, &findings));
    }
    tell_unrecorded(context, &repository, &findings);
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
    if arguments.message_format == MessageFormat::Text {
        context.result(&root.to_string())?;
    } else {
        context.tell(&format!("the root is {root}"));
    }
    Ok(ExitStatus::Clean)
}

/// The releases that are reused, and what of this one goes into its archive, with what is known of
/// the one before.
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
                "nothing vouches for {}: {reason}; whoever gave `--reuse-unsigned` answers for it",
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

fn refuse(
    context: &Context<'_>,
    findings: &[crate::foundation::diagnostic::Finding],
) -> ExitStatus {
    let words = count(findings).unwrap_or_default();
    context.error(&format!("nothing was built: {words}"));
    ExitStatus::Findings
}

/// Says what happens while the release is built.
fn tell(context: &Context<'_>, event: &BuildEvent<'_>) {
    match event {
        BuildEvent::NotReused(notice) => context.warning(&notice.to_string()),
        BuildEvent::Gathered(report) => show_rejected(context, report),
        BuildEvent::Damaged(damage) => context.warning(&format!("{damage}; it is fetched again")),
        BuildEvent::Failed(failures) => show_failures(context, failures),
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
}

impl ValueEnum for ArchiveKind {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Full => "every block",
            Self::Delta => "the blocks that the previous release lacks",
            Self::Hollow => "pages, metadata and nodes, without the leaves of wheels",
        };
        Some(PossibleValue::new(self.as_str()).help(help))
    }
}

/// Says what was reused, and what it cost.
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
        "reused {} of {}{network}",
        counted(reused.reused(), "wheel"),
        reused.release.shown
    ));
    if reused.copied() > 0 {
        context.say(&format!(
            "copied {} out of {}",
            counted(reused.copied(), "wheel"),
            reused.release.shown
        ));
    }
}
