//! `ipwhl outdated`: newer versions in the index, and what holds each project back.

use clap::Args;
use ipwhl_packaging::ProjectName;
use serde::Serialize;

use super::add::{changeable, members, with_way_out};
use super::columns;
use super::context::Context;
use super::draw::to_json;
use super::exit::ExitStatus;
use super::list::ListFormat;
use super::network::NetworkArguments;
use super::newer::note_not_asked;
use super::update::warn_of_unknown;
use super::words::counted;
use crate::foundation::failure::Failure;
use crate::set::resolve::Update;

/// List projects with newer versions, and the reasons that hold them back
///
/// For each project with a newer version in the index, prints the version in the set, the one that
/// `ipwhl update` would take, the newest one, and the reason if these differ. If standard output is
/// not a terminal, the columns are separated by tabs and have no header.
///
/// The versions fit together: all of them can be taken at once. `ipwhl list --outdated` asks for
/// each project alone instead, with all others as they are.
///
/// Example: ipwhl outdated --format json
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// List only these projects
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// The output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ListFormat,
    #[command(flatten)]
    network: NetworkArguments,
}

const HEADER: &[&str] = &["NAME", "VERSION", "FITS", "NEWEST", "HELD BACK"];

/// A project with a newer version.
#[derive(Serialize)]
struct Entry<'p> {
    name: &'p ProjectName,
    version: String,
    /// `None` if only the declared version fits.
    newest_fitting: Option<String>,
    newest: String,
    /// `None` if the newest version fits.
    reason: Option<String>,
}

#[derive(Serialize)]
struct Document<'p> {
    projects: Vec<Entry<'p>>,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let repository = changeable(context)?;
    if arguments.network.offline {
        return Err(Failure::usage(
            "newer versions are in the index, and `--offline` does not use the network",
        )
        .help("run the same command without `--offline`"));
    }
    let names = members(&repository, &arguments.names)?;
    let network = arguments.network.network();
    let plan = Update::all(&context.session, &network)
        .plan(&repository)
        .map_err(with_way_out)?;
    warn_of_unknown(context, &plan);
    let listed = |name: &&ProjectName| names.is_empty() || names.contains(*name);
    let entries = repository.declarations.values().filter_map(|declaration| {
        let name = Some(&declaration.project).filter(listed)?;
        let now = declaration.version();
        let moved = plan.moves.get(name).map(|(_, new)| new);
        let fitting = moved.filter(|new| *new > now);
        let behind = plan.behind.get(name).map(|(newest, _)| newest);
        Some(Entry {
            name,
            version: now.to_string(),
            newest_fitting: fitting.map(ToString::to_string),
            newest: behind.or(fitting)?.to_string(),
            reason: plan.reason(name),
        })
    });
    let projects: Vec<Entry<'_>> = entries.collect();
    let count = projects.len();
    match arguments.format {
        ListFormat::Json => context.result(&to_json(&Document { projects })?)?,
        ListFormat::Text => {
            let rows = projects.into_iter().map(|entry| {
                let dash = || "-".to_owned();
                vec![
                    entry.name.to_string(),
                    entry.version,
                    entry.newest_fitting.unwrap_or_else(dash),
                    entry.newest,
                    entry.reason.unwrap_or_else(dash),
                ]
            });
            columns::print(context, HEADER, rows.collect())?;
        }
    }
    let all = if names.is_empty() {
        repository.declarations.len()
    } else {
        names.len()
    };
    note_not_asked(context, plan.not_asked(&repository).filter(listed));
    let have = if count == 1 { "has" } else { "have" };
    context.say(&format!(
        "{count} of {} {have} a newer version in the index",
        counted(all, "project")
    ));
    Ok(ExitStatus::Clean)
}
