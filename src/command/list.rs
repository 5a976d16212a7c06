//! `ipwhl list`: the set, sorted and filtered.

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};
use glob::Pattern;
use ipwhl_packaging::ProjectName;
use serde::Serialize;

use super::columns;
use super::context::Context;
use super::draw::to_json;
use super::exit::ExitStatus;
use super::network::NetworkArguments;
use super::newer;
use super::query::note_findings;
use super::words::counted;
use crate::foundation::failure::Failure;
use crate::foundation::size::HumanBytes;
use crate::set::declaration::Declaration;
use crate::set::graph::{Direction, GraphQuery, member, select_platforms};
use crate::set::repository::Repository;
use crate::set::repository::summarize_platforms;
use crate::set::resolve::Outdated;

/// List the projects of the set
///
/// Prints one line for each project. If standard output is not a terminal, the columns are
/// separated by tabs and have no header: name, version, number of wheels, size in bytes, kind,
/// number of required projects, number of projects that require it, platforms.
///
/// Example: ipwhl list --automatic --sort size 'jupyter*'
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The projects to list, with `*` and `?` as wildcards [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// List only wanted projects
    #[arg(long, conflicts_with = "automatic")]
    wanted: bool,
    /// List only automatic projects, which are in the set because other projects need them
    #[arg(long)]
    automatic: bool,
    /// List only projects that work on one of these platforms: an interpreter, a system or both
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',')]
    platform: Vec<String>,
    /// The sort key: names in alphabetical order, numbers from the largest
    #[arg(long, value_name = "KEY", default_value = "name")]
    sort: Key,
    /// Reverse the order
    #[arg(long)]
    reverse: bool,
    /// List only projects with a newer version in the index, with the newest version that fits the
    /// set and the newest of all
    #[arg(long)]
    outdated: bool,
    /// The output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ListFormat,
    #[command(flatten)]
    network: NetworkArguments,
}

/// The output format of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub(super) enum ListFormat {
    /// Columns.
    #[default]
    Text,
    /// One JSON object with a list `projects`.
    Json,
}

/// The sort key of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Key {
    Name,
    Wheels,
    Size,
    Needs,
    NeededBy,
    Platforms,
}

/// A project of the list.
#[derive(Serialize)]
struct Entry<'r> {
    name: &'r ProjectName,
    version: Option<String>,
    /// `None` if the declaration cannot be read.
    wanted: Option<bool>,
    wheels: usize,
    /// In bytes; `None` if the size of a wheel is not declared.
    size: Option<u64>,
    platforms: Vec<String>,
    needs: BTreeSet<&'r ProjectName>,
    needed_by: BTreeSet<&'r ProjectName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest_fitting: Option<String>,
}

#[derive(Serialize)]
struct Document<'d, 'r> {
    projects: &'d [Entry<'r>],
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let repository = context.repository()?;
    let query = GraphQuery::new(&repository, &[])?;
    let platforms = select_platforms(&repository, &arguments.platform)?;
    let names = matching(&repository, &arguments.names)?;
    note_findings(context, &query);
    let is_listed = |declaration: &&Declaration| {
        let is_of_kind = if declaration.automatic {
            !arguments.wanted
        } else {
            !arguments.automatic
        };
        is_of_kind
            && names.contains(&declaration.project)
            && (arguments.platform.is_empty()
                || !query
                    .graph
                    .covered(&declaration.project)
                    .is_disjoint(&platforms))
    };
    let mut declarations: Vec<&Declaration> =
        repository.declarations.values().filter(is_listed).collect();
    let mut outdated = Outdated::default();
    let asked = declarations.len();
    if arguments.outdated {
        if arguments.names.is_empty() {
            let not_asked: Vec<&Declaration> = declarations
                .extract_if(.., |declaration| !declaration.is_from_index())
                .collect();
            newer::note_not_asked(context, not_asked.iter().map(|one| &one.project));
        }
        outdated = newer::ask(context, &query, &declarations, &arguments.network)?;
        declarations.retain(|declaration| outdated.has(declaration));
    }
    let mut entries = entries(&query, &declarations, &outdated);
    let is_filtered = arguments.wanted
        || arguments.automatic
        || arguments.outdated
        || !arguments.platform.is_empty();
    if !is_filtered {
        let hidden = |name: &&ProjectName| !repository.declarations.contains_key(*name);
        let unreadable = repository.unreadable.iter().filter(hidden);
        entries.extend(
            unreadable
                .filter(|name| names.contains(name))
                .map(Entry::unreadable),
        );
    }
    sort(&mut entries, arguments.sort, arguments.reverse);
    match arguments.format {
        ListFormat::Json => context.result(&to_json(&Document { projects: &entries })?)?,
        ListFormat::Text => {
            let is_terminal = context.environment.output.is_terminal();
            let rows = entries
                .iter()
                .map(|entry| entry.row(&repository, is_terminal, arguments.outdated))
                .collect();
            let header = if arguments.outdated {
                OUTDATED_HEADER
            } else {
                HEADER
            };
            columns::print(context, header, rows)?;
        }
    }
    context.say(&if arguments.outdated {
        outdated_totals(entries.len(), asked, outdated.failures.len())
    } else {
        totals(&entries)
    });
    Ok(if outdated.failures.is_empty() {
        ExitStatus::Clean
    } else {
        ExitStatus::World
    })
}

/// The projects that match the patterns.
fn matching<'r>(
    repository: &'r Repository,
    texts: &[String],
) -> Result<BTreeSet<&'r ProjectName>, Failure> {
    let known = || repository.declarations.keys().chain(&repository.unreadable);
    if texts.is_empty() {
        return Ok(known().collect());
    }
    let mut names = BTreeSet::new();
    for text in texts {
        if !text.contains(['*', '?', '[']) {
            let project = member(repository, text)?;
            names.extend(known().filter(|name| **name == project));
            continue;
        }
        // Patterns are normalised like names.
        let pattern = text.to_lowercase().replace(['_', '.'], "-");
        let pattern = Pattern::new(&pattern).map_err(|error| {
            Failure::usage(format!("`{text}` is not a valid pattern: {}", error.msg))
        })?;
        let mut found = known()
            .filter(|name| pattern.matches(name.as_str()))
            .peekable();
        if found.peek().is_none() {
            return Err(Failure::usage(format!(
                "no project in the set matches `{text}`"
            )));
        }
        names.extend(found);
    }
    Ok(names)
}

fn entries<'r>(
    query: &GraphQuery<'r>,
    declarations: &[&'r Declaration],
    outdated: &Outdated,
) -> Vec<Entry<'r>> {
    let neighbours = |name: &ProjectName, direction| query.relations().neighbours(name, direction);
    declarations
        .iter()
        .map(|declaration| {
            let name = &declaration.project;
            let sizes = declaration.wheels.iter().map(|wheel| wheel.size.as_ref());
            Entry {
                name,
                version: Some(declaration.version().to_string()),
                wanted: Some(!declaration.automatic),
                wheels: declaration.wheels.len(),
                size: sizes
                    .map(|size| Some(size?.value))
                    .try_fold(0_u64, |sum, size| Some(sum.saturating_add(size?))),
                platforms: query.graph.platform_names(&query.graph.covered(name)),
                needs: neighbours(name, Direction::Required),
                needed_by: neighbours(name, Direction::Requirers),
                newest: outdated.newest(declaration).map(ToString::to_string),
                newest_fitting: outdated.fitting(declaration).map(ToString::to_string),
            }
        })
        .collect()
}

fn sort(entries: &mut [Entry<'_>], key: Key, reverse: bool) {
    entries.sort_by(|left, right| {
        let number = |entry: &Entry<'_>| match key {
            Key::Name => 0,
            Key::Wheels => entry.wheels as u64,
            Key::Size => entry.size.unwrap_or(0),
            Key::Needs => entry.needs.len() as u64,
            Key::NeededBy => entry.needed_by.len() as u64,
            Key::Platforms => entry.platforms.len() as u64,
        };
        number(right)
            .cmp(&number(left))
            .then_with(|| left.name.cmp(right.name))
    });
    if reverse {
        entries.reverse();
    }
}

const HEADER: &[&str] = &[
    "NAME",
    "VERSION",
    "WHEELS",
    "SIZE",
    "KIND",
    "NEEDS",
    "NEEDED BY",
    "PLATFORMS",
];
const OUTDATED_HEADER: &[&str] = &["NAME", "VERSION", "FITS", "NEWEST"];

impl<'r> Entry<'r> {
    fn unreadable(name: &'r ProjectName) -> Self {
        Self {
            name,
            version: None,
            wanted: None,
            wheels: 0,
            size: None,
            platforms: Vec::new(),
            needs: BTreeSet::new(),
            needed_by: BTreeSet::new(),
            newest: None,
            newest_fitting: None,
        }
    }

    /// The columns of its line.
    fn row(&self, repository: &Repository, is_terminal: bool, outdated: bool) -> Vec<String> {
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let mut row = vec![self.name.to_string(), or_dash(&self.version)];
        if outdated {
            row.extend([or_dash(&self.newest_fitting), or_dash(&self.newest)]);
            return row;
        }
        let size = self.size.map(|bytes| {
            if is_terminal {
                HumanBytes(bytes).to_string()
            } else {
                bytes.to_string()
            }
        });
        let kind = match self.wanted {
            Some(true) => "wanted",
            Some(false) => "automatic",
            None => "unreadable",
        };
        row.extend([
            self.wheels.to_string(),
            or_dash(&size),
            kind.to_owned(),
            self.needs.len().to_string(),
            self.needed_by.len().to_string(),
            or_dash(&summarize_platforms(
                &self.platforms,
                &repository.configuration.platforms,
            )),
        ]);
        row
    }
}

/// The result for all projects: `newer` of the `asked` ones have a newer version, and the request
/// for `failed` ones failed.
fn outdated_totals(newer: usize, asked: usize, failed: usize) -> String {
    let of = counted(asked, "project");
    if failed == asked && failed > 0 {
        return format!("newer versions are unknown: the index did not answer for {of}");
    }
    let have = if newer == 1 { "has" } else { "have" };
    let unknown = match failed {
        0 => String::new(),
        failed => format!("; unknown for {failed}, because the index did not answer"),
    };
    format!("{newer} of {of} {have} a newer version in the index{unknown}")
}

fn totals(entries: &[Entry<'_>]) -> String {
    let wheels = entries.iter().map(|entry| entry.wheels).sum();
    let bytes = entries.iter().filter_map(|entry| entry.size).sum();
    let wanted = entries
        .iter()
        .filter(|entry| entry.wanted == Some(true))
        .count();
    format!(
        "{} ({wanted} wanted), {}, {}",
        counted(entries.len(), "project"),
        counted(wheels, "wheel"),
        HumanBytes(bytes)
    )
}
