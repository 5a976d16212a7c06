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
use crate::foundation::diagnostic::{brief, visible};
use crate::foundation::failure::Failure;
use crate::set::resolve::Update;
use crate::source::StatusMarker;

/// List projects with newer versions, and the reasons that hold them back
///
/// For each project with a newer version in the index, prints the version in the set, the one that
/// `ipwhl update` would take, the newest one, and the reason if these differ. Also lists projects
/// whose declared version was yanked, and those that the index calls archived, deprecated or
/// quarantined; the last column says so, with the reason. If standard output is not a terminal, the
/// columns are separated by tabs and have no header.
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

const HEADER: &[&str] = &[
    "NAME",
    "VERSION",
    "FITS",
    "NEWEST",
    "HELD BACK",
    "IN THE INDEX",
];

/// A project with a newer version, or with something to know in the index.
#[derive(Serialize)]
struct Entry<'p> {
    name: &'p ProjectName,
    version: String,
    /// `None` if only the declared version fits.
    newest_fitting: Option<String>,
    /// `None` if there is no newer version.
    newest: Option<String>,
    /// `None` if the newest version fits.
    reason: Option<String>,
    /// `None` if the project is active.
    status: Option<Status>,
    /// The reason of the yank, which may be empty; `None` if the declared version was not yanked.
    yanked: Option<String>,
}

#[derive(Serialize)]
struct Status {
    status: String,
    reason: Option<String>,
}

impl Entry<'_> {
    /// The last column.
    fn in_the_index(&self) -> String {
        let with = |word: &str, reason: &str| match reason {
            "" => word.to_owned(),
            reason => format!("{word}: {reason}"),
        };
        let status = self.status.iter();
        let status = status.map(|one| with(&one.status, one.reason.as_deref().unwrap_or_default()));
        let yanked = self
            .yanked
            .iter()
            .map(|reason| with("yanked", reason.trim()));
        let notes: Vec<String> = yanked.chain(status).collect();
        if notes.is_empty() {
            "-".to_owned()
        } else {
            // Texts of the index make no column and no line.
            visible(&notes.join("; "), &[])
        }
    }
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
    let mut projects = Vec::new();
    for declaration in repository.declarations.values() {
        let name = &declaration.project;
        if !listed(&name) {
            continue;
        }
        let now = declaration.version();
        let moved = plan.moves.get(name).map(|(_, new)| new);
        let fitting = moved.filter(|new| *new > now);
        let behind = plan.behind.get(name).map(|(newest, _)| newest);
        let newest = behind.or(fitting);
        let (status, yanked) = plan.standing(declaration).map_err(with_way_out)?;
        let status = (status.marker != StatusMarker::Active).then(|| Status {
            status: brief(&status.marker.to_string()),
            reason: status.reason.as_deref().map(brief),
        });
        if newest.is_none() && status.is_none() && yanked.is_none() {
            continue;
        }
        projects.push(Entry {
            name,
            version: now.to_string(),
            newest_fitting: fitting.map(ToString::to_string),
            newest: newest.map(ToString::to_string),
            reason: plan.reason(name),
            status,
            yanked: yanked.as_deref().map(brief),
        });
    }
    let count = |is: fn(&Entry<'_>) -> bool| projects.iter().filter(|one| is(one)).count();
    let newer = count(|one| one.newest.is_some());
    let noted = count(|one| one.status.is_some() || one.yanked.is_some());
    match arguments.format {
        ListFormat::Json => context.result(&to_json(&Document { projects })?)?,
        ListFormat::Text => {
            let rows = projects.into_iter().map(|entry| {
                let dash = || "-".to_owned();
                let in_the_index = entry.in_the_index();
                vec![
                    entry.name.to_string(),
                    entry.version,
                    entry.newest_fitting.unwrap_or_else(dash),
                    entry.newest.unwrap_or_else(dash),
                    entry.reason.unwrap_or_else(dash),
                    in_the_index,
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
    let have = if newer == 1 { "has" } else { "have" };
    context.say(&format!(
        "{newer} of {} {have} a newer version in the index",
        counted(all, "project")
    ));
    if noted > 0 {
        let is = if noted == 1 { "is" } else { "are" };
        context.say(&format!(
            "{} {is} yanked or not active in the index",
            counted(noted, "project")
        ));
    }
    Ok(ExitStatus::Clean)
}
