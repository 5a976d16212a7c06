//! `ipwhl diff`: the differences between two states of the set.

mod findings;
mod json;
mod markdown;
mod members;
mod outline;
mod side;
mod text;

use clap::{Args, ValueEnum};

use super::context::Context;
use super::exit::ExitStatus;
use super::network::NetworkArguments;
use crate::foundation::diagnostic::Inert;
use crate::foundation::failure::Failure;
use crate::release::archive::OpenRelease;
use crate::release::archive::reach;
use crate::set::difference::{Difference, Transfer, WheelChange, difference, estimate, transfer};
use findings::Findings;
use members::{AllMembers, Looked};
use side::{Around, Side, failure};

/// Show the differences between two releases, revisions or the working tree Each argument is a path
/// (an archive, a folder with an archive, a repository), a root CID that the gateways of
/// `[mirrors]` provide, or a git revision. They are tried in this order; `path:`, `cid:` or `git:`
/// before the name selects one of them. A name of both a path and a revision is refused. The URL of
/// a release on a gateway, `<gateway>/ipfs/<root CID>/`, works, too. The output begins with the
/// settings, which control everything else: the trusted keys, the number of needed signatures, the
/// targets. Then come added, removed and changed projects and wheels. For wheels with different
/// bytes, it lists the members; those that run automatically or are not source text come first. The
/// last part lists the findings that are new or gone in the whole set.
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
    /// Which wheels to read, of those that are new or have different bytes
    #[arg(long, value_name = "WHICH", default_value = "at-hand")]
    members: Members,
    /// The output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: DiffFormat,
    /// Exit with 1 if there are differences, as git does
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
    /// Wheels in the archives of the releases, in the cache, or at a `file:` source.
    AtHand,
    /// All wheels; missing ones are fetched.
    Fetch,
}

/// How a difference is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DiffFormat {
    /// Text for people; `-v` shows everything.
    Text,
    /// One JSON object (`docs/formats.md`, 8).
    Json,
    /// Markdown for a comment on a pull request.
    Markdown,
}

/// All that is known of the difference.
struct Report<'r> {
    /// The state before, and the one after.
    sides: [&'r Side; 2],
    difference: Difference<'r>,
    members: AllMembers,
    /// Of how many wheels nothing is known that new commands could be compared with.
    unknown_names: usize,
    findings: Findings,
    transfer: Transfer,
    /// Whether nothing is to be left out for the sake of brevity.
    in_full: bool,
}

impl Report<'_> {
    /// What is known of what is in a wheel that differs; `None` where nobody looked.
    fn members_of(&self, wheel: &WheelChange<'_>) -> Option<&Looked> {
        self.members.get(&members::key(wheel)?)
    }

    /// Whether both states are one release: nothing of it can differ.
    fn is_one_release(&self) -> bool {
        let roots = self.sides.map(|side| &side.about.root);
        matches!(roots, [Some(old), Some(new)] if old == new)
    }

    /// Whether the two states are not the same.
    fn differs(&self) -> bool {
        let [old, new] = &self.difference.unreadable;
        let roots = self.sides.map(|side| &side.about.root);
        !self.difference.settings.is_empty()
            || !self.difference.projects.is_empty()
            || old != new
            || matches!(roots, [Some(old), Some(new)] if old != new)
    }
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let around = Around::new(context);
    let network = &arguments.network;
    let old = side::read(context, &around, network, &arguments.old)?;
    let new = match &arguments.new {
        Some(name) => side::read(context, &around, network, name)?,
        None => side::working_tree(context)?,
    };
    let sides = [&old, &new];
    let difference = difference(&old.snapshot, &new.snapshot);
    let looked = members::look(
        context,
        &around,
        network,
        sides,
        &difference,
        arguments.members,
    )?;
    let report = Report {
        sides,
        difference,
        members: looked.members,
        unknown_names: looked.unknown_names,
        findings: findings::compare(context, &old, &new),
        transfer: moved(&old, &new)?,
        in_full: context.verbose > 0,
    };
    let text = match arguments.format {
        DiffFormat::Json => Inert::from(&json::write(&report)?),
        DiffFormat::Text => text::write(context, &outline::outline(&report)),
        DiffFormat::Markdown => Inert::from(&markdown::write(&outline::outline(&report))),
    };
    context.result(text.trim_end())?;
    Ok(if looked.has_failed {
        ExitStatus::World
    } else if arguments.exit_code && report.differs() {
        ExitStatus::Findings
    } else {
        ExitStatus::Clean
    })
}

/// What a mirror of the old state has to move: counted between two releases, estimated otherwise.
fn moved(old: &Side, new: &Side) -> Result<Transfer, Failure> {
    let (Some(before), Some(after)) = (&old.release, &new.release) else {
        return Ok(estimate(&old.snapshot, &new.snapshot));
    };
    let reached = |release: &OpenRelease| {
        reach(release.blocks(), release.root).map_err(|error| failure(release, &error))
    };
    Ok(transfer(&reached(before)?, &reached(after)?))
}
