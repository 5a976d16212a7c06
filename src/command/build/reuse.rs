//! The releases to reuse, and the statements that vouch for them.

use std::path::Path;

use clap::Args;
use ipwhl_packaging::wheel::CHECKS_VERSION;

use super::super::context::Context;
use super::super::network::NetworkArguments;
use super::super::words::counted;
use crate::foundation::failure::Failure;
use crate::foundation::size::HumanBytes;
use crate::release::archive::{ArchiveKind, OpenRelease, ReleaseLocation, car_name};
use crate::release::names::STATEMENT;
use crate::release::reuse::ReusableRelease;
use crate::release::statement::{SignedStatement, located, read_statement};
use crate::release::trust::{policy, refusal};
use crate::set::declaration::Layout;
use crate::set::repository::Repository;

/// Options for releases to reuse.
#[derive(Debug, Args)]
pub(super) struct ReuseArguments {
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

/// Opens the releases that are to be reused, and finds out who vouches for each.
pub(super) fn reusable(
    context: &Context<'_>,
    repository: &Repository,
    arguments: &ReuseArguments,
    network: &NetworkArguments,
    previous: Option<&SignedStatement>,
) -> Result<Vec<ReusableRelease>, Failure> {
    if arguments.releases.is_empty() {
        return Ok(Vec::new());
    }
    let configuration = &repository.configuration;
    if configuration.layout == Layout::Ipwhl1 {
        return Err(Failure::usage(
            "a release of the layout `ipwhl-1` has no index pages, so it cannot be reused",
        )
        .help(
            "leave out `--reuse`; `ipwhl migrate` converts the repository to a layout with pages",
        ));
    }
    let named = arguments
        .statements
        .iter()
        .map(|location| {
            let option = "--reuse-statement";
            located(
                &context.session,
                configuration,
                option,
                location,
                network.offline,
            )
        })
        .collect::<Result<Vec<SignedStatement>, Failure>>()?;
    let known: Vec<&SignedStatement> = previous.into_iter().chain(&named).collect();
    let open = |text: &String| {
        let release = OpenRelease::named(
            &context.session,
            &network.network(),
            &configuration.gateways,
            text,
        )?;
        match vouched(context, repository, &release, &known) {
            Ok(()) => {}
            Err(reason) if arguments.reuse_unsigned => context.warning(&format!(
                "no statement vouches for {}: {reason}; it is reused because of `--reuse-unsigned`",
                release.shown
            )),
            Err(reason) => {
                return Err(Failure::finding(format!(
                    "{} is not reused, because no statement vouches for it: {reason}",
                    release.shown
                ))
                .help("name a statement that is signed with `trusted` keys: `--reuse-statement STATEMENT`; `--reuse-unsigned` accepts the release without one"));
            }
        }
        Ok(ReusableRelease::new(release))
    };
    arguments.releases.iter().map(open).collect()
}

/// Whether a statement vouches for a release: one of `known`, or the one beside its archive. If
/// not, why, as half a sentence.
fn vouched(
    context: &Context<'_>,
    repository: &Repository,
    release: &OpenRelease,
    known: &[&SignedStatement],
) -> Result<(), String> {
    let beside = match &release.location {
        ReleaseLocation::Archive { path, .. } => Some(path.with_file_name(STATEMENT)),
        ReleaseLocation::Gateways(_) => None,
    };
    let beside = beside.filter(|path| path.is_file());
    let beside = beside
        .map(|path| read_statement(&path))
        .transpose()
        .map_err(|failure| failure.message)?;
    let mut reason = None;
    let statements = known.iter().copied().chain(&beside);
    for signed in statements.filter(|signed| signed.statement.root == release.root) {
        match holds(context, repository, signed) {
            Ok(()) => return Ok(()),
            Err(other) => reason = reason.or(Some(other)),
        }
    }
    Err(reason.unwrap_or_else(|| format!("there is no statement of the root {}", release.root)))
}

/// Whether the repository's keys stand behind a statement, now, and its checks are as strict as
/// those of today.
fn holds(
    context: &Context<'_>,
    repository: &Repository,
    signed: &SignedStatement,
) -> Result<(), String> {
    let now = context.session.now();
    let statement = &signed.statement;
    let what = format!("its statement, sequence {},", statement.sequence);
    let policy = policy(&repository.configuration).map_err(|failure| failure.message)?;
    let policy = policy.ok_or("`[signing]` of `ipwhl.toml` names no `trusted` key")?;
    let verdict = policy.evaluate(signed.text.as_bytes(), &signed.signatures, now);
    if !verdict.is_reached() {
        return Err(refusal(&what, signed, &verdict).message);
    }
    if statement.is_expired(now) {
        return Err(format!("{what} has expired"));
    }
    match statement.checks {
        Some(checks) if checks >= CHECKS_VERSION => Ok(()),
        Some(checks) => Err(format!(
            "its wheels have passed version {checks} of the checks, and this program has version {CHECKS_VERSION}"
        )),
        None => Err(format!(
            "{what} does not record which checks its wheels have passed: an older program made it, or `--allow` accepted some findings"
        )),
    }
}

/// Says what was reused, and what it cost.
pub(super) fn tell(context: &Context<'_>, reused: &ReusableRelease) {
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

/// The archive of a release beside a file, if there is one.
pub(super) fn archive_beside(file: &Path) -> Option<std::path::PathBuf> {
    let kinds = [ArchiveKind::Full, ArchiveKind::Hollow].into_iter();
    kinds
        .map(|kind| file.with_file_name(car_name(kind)))
        .find(|path| path.is_file())
}
