//! `ipwhl diff`: what differs between two states of the set.

mod entry;
mod json;
mod markdown;
mod outline;
mod report;
mod text;

use clap::{Args, ValueEnum};

use super::context::Context;
use super::exit::ExitStatus;
use super::network::NetworkArguments;
use crate::foundation::diagnostic::Inert;
use crate::foundation::failure::Failure;
use crate::release::archive::{OpenRelease, reach};
use crate::release::comparison::{
    MemberReport, MemberSearch, State, StateReader, compare_members, comparison_failure,
};
use crate::set::difference::{Transfer, difference, estimate, finding_changes, transfer};
use report::Report;

/// Show what differs between two releases, revisions or the working tree
///
/// Each is tried as a path (an archive, a folder with one, a repository), as a root CID that the
/// gateways of `[mirrors]` are asked for, and as a revision that git knows, in this order; `path:`,
/// `cid:` and `git:` before it decide. A name of both a path and a revision is refused. An address
/// `<gateway>/ipfs/<root CID>/` is a release, too.
///
/// Settings come first, since they decide over the rest: whom readers trust, how many have to sign,
/// where releases go. Then projects and wheels: what is added, removed, changed; in wheels with
/// other bytes the members, with those first that run by themselves or are no source text. Then
/// findings of the whole set that are new or gone.
///
/// Example: ipwhl diff v1.0 --members fetch
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The state before
    #[arg(value_name = "OLD")]
    old: String,
    /// The state after [default: the working tree]
    #[arg(value_name = "NEW")]
    new: Option<String>,
    /// Which wheels are looked into, of those that are new or have other bytes
    #[arg(long, value_name = "WHICH", default_value = "at-hand")]
    members: Members,
    /// How the difference is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: DiffFormat,
    /// End with 1 where something differs, as git does
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    network: NetworkArguments,
}

/// Which wheels are looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Members {
    /// None.
    None,
    /// Those in the archives of the releases, in the cache, or at a `file:` source.
    AtHand,
    /// All; those that are not at hand are fetched.
    Fetch,
}

/// How a difference is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DiffFormat {
    /// For people; `-v` leaves nothing out.
    Text,
    /// For programs: one object (`docs/formats.md`, 8).
    Json,
    /// For the comment of a pull request.
    Markdown,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let session = &context.session;
    let directory = context.repository_directory().ok();
    let reader = StateReader::new(session, arguments.network.network(), directory);
    let old = read(context, &reader, &arguments.old)?;
    let new = match &arguments.new {
        Some(name) => read(context, &reader, name)?,
        None => reader.working_tree(context.repository()?),
    };
    let states = [&old, &new];
    let difference = difference(&old.snapshot, &new.snapshot);
    let search = match arguments.members {
        Members::None => None,
        Members::AtHand => Some(MemberSearch::AtHand),
        Members::Fetch => Some(MemberSearch::Everywhere),
    };
    let members = match search {
        Some(search) => compare_members(&reader, states, &difference, search)?,
        None => MemberReport::default(),
    };
    let has_failed = members.has_failed;
    let repositories = old.repository.as_ref().zip(new.repository.as_ref());
    let report = Report {
        states,
        difference,
        members,
        findings: repositories.map(|(old, new)| finding_changes(old, new, session.today())),
        transfer: moved(&old, &new)?,
        in_full: context.verbose > 0,
    };
    let text = match arguments.format {
        DiffFormat::Json => Inert::from(&json::write(&report)?),
        DiffFormat::Text => text::write(context, &outline::outline(&report)),
        DiffFormat::Markdown => Inert::from(&markdown::write(&outline::outline(&report))),
    };
    context.result(text.trim_end())?;
    Ok(if has_failed {
        ExitStatus::World
    } else if arguments.exit_code && report.differs() {
        ExitStatus::Findings
    } else {
        ExitStatus::Clean
    })
}

/// Reads the state of this name. Warns of an archive that a change may have brought, since it would
/// be the state before the change.
fn read(context: &Context<'_>, reader: &StateReader<'_>, text: &str) -> Result<State, Failure> {
    let name = reader.name(text)?;
    if let Some(file) = name.tracked_archive(&context.session) {
        context.warning(&format!(
            "git tracks `{file}`, so a change may have brought it, or put another one in its place"
        ));
        context.help("a revision, as in `ipwhl diff git:main`, says what was there before");
    }
    reader.read(name)
}

/// What a mirror of the old state has to move: counted between two releases, estimated otherwise.
fn moved(old: &State, new: &State) -> Result<Transfer, Failure> {
    let (Some(before), Some(after)) = (&old.release, &new.release) else {
        return Ok(estimate(&old.snapshot, &new.snapshot));
    };
    let reached = |release: &OpenRelease| {
        reach(release.blocks(), release.root).map_err(|error| comparison_failure(release, &error))
    };
    Ok(transfer(&reached(before)?, &reached(after)?))
}
