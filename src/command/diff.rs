//! `ipwhl diff`: the differences between two states of the set.

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
use crate::release::comparison::{Comparison, MemberSearch, State, StateReader};
use report::Report;

/// Show the differences between two releases, revisions or the working tree
///
/// Each argument is a path (an archive, a folder with an archive, a repository), a root CID that
/// the gateways of `[mirrors]` provide, or a git revision. They are tried in this order; `path:`,
/// `cid:` or `git:` before the name selects one of them. A name of both a path and a revision is
/// refused. The URL of a release on a gateway, `<gateway>/ipfs/<root CID>/`, works, too.
///
/// The output begins with the settings, which control everything else: the trusted keys, the number
/// of needed signatures, the targets. Then come added, removed and changed projects and wheels. For
/// wheels with different bytes, it lists the members; those that run automatically or are not
/// source text come first. The last part lists the findings that are new or gone in the whole set.
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

/// The wheels whose members are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Members {
    /// None.
    None,
    /// Wheels in the archives of the releases, in the cache, or at a `file:` source.
    AtHand,
    /// All wheels; missing ones are fetched.
    Fetch,
}

/// The output format of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DiffFormat {
    /// Text for people; `-v` shows everything.
    Text,
    /// One JSON object with every difference.
    Json,
    /// Markdown for a comment on a pull request.
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
    let search = match arguments.members {
        Members::None => None,
        Members::AtHand => Some(MemberSearch::AtHand),
        Members::Fetch => Some(MemberSearch::Everywhere),
    };
    let comparison = Comparison::new(&reader, [&old, &new], search)?;
    let report = Report {
        comparison: &comparison,
        in_full: context.verbose > 0,
    };
    let text = match arguments.format {
        DiffFormat::Json => Inert::from(&json::write(&comparison)?),
        DiffFormat::Text => text::write(context, &outline::outline(&report)),
        DiffFormat::Markdown => Inert::from(&markdown::write(&outline::outline(&report))),
    };
    context.result(text.trim_end())?;
    Ok(if comparison.members.has_failed {
        ExitStatus::World
    } else if arguments.exit_code && comparison.differs() {
        ExitStatus::Findings
    } else {
        ExitStatus::Clean
    })
}

/// Reads the state with this name. Warns of an archive that a change may have replaced: it may not
/// be the state before the change.
fn read(context: &Context<'_>, reader: &StateReader<'_>, text: &str) -> Result<State, Failure> {
    let name = reader.name(text)?;
    if let Some(file) = name.tracked_archive(&context.session) {
        context.warning(&format!(
            "git tracks `{file}`, so a change may have added or replaced it"
        ));
        context.help(
            "to compare with the state before the change, name a revision: `ipwhl diff git:main`",
        );
    }
    reader.read(name)
}
