//! `ipwhl show`: the details of a project in the set.

mod json;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use clap::Args;
use ipwhl_packaging::{ProjectName, specifiers_text};

use super::context::Context;
use super::draw::to_json;
use super::exit::ExitStatus;
use super::list::ListFormat;
use super::network::NetworkArguments;
use super::newer;
use super::query::{note_findings, notes, of_others, position, title, unmet_note, waivers};
use crate::foundation::failure::Failure;
use crate::foundation::size::HumanBytes;
use crate::set::declaration::{Declaration, DeclaredWheel};
use crate::set::graph::{GraphQuery, RelationGroup, group_relations, member};
use crate::set::repository::summarize_platforms;
use crate::set::resolve::Outdated;
use json::{Document, Index, shown};

/// Show the details of a project in the set
///
/// Shows its wheels with the platforms that use them, the projects that it needs, the projects that
/// need it, and its waivers.
///
/// Example: ipwhl show --outdated markupsafe
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The projects to show
    #[arg(required = true, value_name = "NAME")]
    projects: Vec<String>,
    /// Also show newer versions in the index: the newest one that fits the set, and the newest of
    /// all
    #[arg(long)]
    outdated: bool,
    /// The output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ListFormat,
    #[command(flatten)]
    network: NetworkArguments,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let repository = context.repository()?;
    let query = GraphQuery::new(&repository, &[])?;
    let mut declarations: Vec<&Declaration> = Vec::new();
    let mut unreadable: Vec<ProjectName> = Vec::new();
    for text in &arguments.projects {
        let project = member(&repository, text)?;
        match repository.declarations.get(&project) {
            Some(found) if !declarations.contains(&found) => declarations.push(found),
            None if !unreadable.contains(&project) => unreadable.push(project),
            _ => {}
        }
    }
    note_findings(context, &query);
    let mut outdated = Outdated::default();
    if arguments.outdated {
        outdated = newer::ask(context, &query, &declarations, &arguments.network)?;
    }
    match arguments.format {
        ListFormat::Json => {
            let projects = declarations
                .iter()
                .map(|declaration| {
                    let index = outdated.knows(declaration).then(|| Index {
                        newest: outdated.newest(declaration).map(ToString::to_string),
                        newest_fitting: outdated.fitting(declaration).map(ToString::to_string),
                    });
                    shown(&query, declaration, index)
                })
                .collect();
            context.result(&to_json(&Document { projects })?)?;
        }
        ListFormat::Text => {
            let texts: Vec<String> = declarations
                .iter()
                .map(|declaration| {
                    let asked = outdated.knows(declaration).then_some(&outdated);
                    in_words(&query, declaration, asked)
                })
                .collect();
            if !texts.is_empty() {
                context.result(&texts.join("\n\n"))?;
            }
        }
    }
    for project in &unreadable {
        context.error(&format!(
            "the declaration of `{project}` cannot be read; `ipwhl check` shows why"
        ));
    }
    Ok(if !outdated.failures.is_empty() {
        ExitStatus::World
    } else if unreadable.is_empty() {
        ExitStatus::Clean
    } else {
        ExitStatus::Findings
    })
}

fn in_words(
    query: &GraphQuery<'_>,
    declaration: &Declaration,
    outdated: Option<&Outdated>,
) -> String {
    let repository = query.repository;
    let project = &declaration.project;
    let mut text = title(repository, project);
    let mut put = |name: &str, value: &str| {
        let _ = write!(text, "\n  {name:<16} {value}");
    };
    put(
        "kind",
        if declaration.automatic {
            "automatic"
        } else {
            "wanted"
        },
    );
    if let Some(outdated) = outdated {
        let words = match (outdated.fitting(declaration), outdated.newest(declaration)) {
            (None, None) => "no newer version".to_owned(),
            (Some(fitting), Some(newest)) if fitting == newest => {
                format!("{newest} is newer and fits the set")
            }
            (Some(fitting), Some(newest)) => {
                format!("{fitting} is newer and fits the set; {newest} is the newest")
            }
            (Some(fitting), None) => format!("{fitting} is newer and fits the set"),
            (None, Some(newest)) => format!("{newest} is newer; no newer version fits the set"),
        };
        put("in the index", &words);
    }
    let covered = platform_summary(query, &query.graph.covered(project));
    put("platforms", &covered);
    for (name, values) in [
        (
            "declared in",
            per_wheel(declaration, |wheel| wheel.file.to_string()),
        ),
        (
            "requires-python",
            per_wheel(declaration, |wheel| {
                let specifiers = wheel.requires_python.as_ref();
                specifiers.map_or_else(|| "any".to_owned(), |one| specifiers_text(&one.value))
            }),
        ),
        (
            "extras",
            per_wheel(declaration, |wheel| {
                let extras: Vec<&str> = wheel.extras.iter().map(|one| one.value.as_str()).collect();
                if extras.is_empty() {
                    "none".to_owned()
                } else {
                    extras.join(", ")
                }
            }),
        ),
    ] {
        put(name, &values.join(" or "));
    }
    if let Some(publisher) = &declaration.provenance.publisher {
        put("publisher", &publisher.value);
    }
    if declaration.provenance.unreviewed.is_some() {
        put("reviewed", "no");
    }
    text += &wheels(query, declaration);
    let needs = group_relations(of_others(query.relations().of(project)));
    list(
        &mut text,
        "needs",
        &needs,
        |group| {
            let version = repository.declarations.get(&group.requirement.name);
            let version = version.map_or_else(String::new, |one| format!(" -> {}", one.version()));
            format!("{}{version}", group.words)
        },
        query,
    );
    let needed_by = group_relations(of_others(query.relations().naming(project)));
    list(
        &mut text,
        "needed by",
        &needed_by,
        |group| format!("{}: {}", title(repository, group.from), group.words),
        query,
    );
    for waiver in waivers(repository, project) {
        let file = repository.configuration_file();
        let (line, _) = position(repository, &file, waiver.span.start);
        let _ = write!(
            text,
            "\n  waiver of {} for {} until {} ({file}:{line}): {}",
            waiver.code, waiver.project, waiver.expires.value, waiver.reason
        );
    }
    text
}

/// A short text for platforms.
fn platform_summary(query: &GraphQuery<'_>, platforms: &BTreeSet<usize>) -> String {
    let names = query.graph.platform_names(platforms);
    summarize_platforms(&names, &query.repository.configuration.platforms)
        .unwrap_or_else(|| "no supported platform".to_owned())
}

/// The lines of the wheels.
fn wheels(query: &GraphQuery<'_>, declaration: &Declaration) -> String {
    let mut text = String::new();
    for (number, wheel) in declaration.wheels.iter().enumerate() {
        let _ = write!(text, "\n  wheel {}", wheel.file_name);
        let mut put = |name: &str, value: &str| {
            let _ = write!(text, "\n    {name:<14} {value}");
        };
        put(
            "used on",
            &platform_summary(query, &query.graph.used_on(&declaration.project, number)),
        );
        if let Some(size) = &wheel.size {
            let mut words = format!("{} bytes", size.value);
            if size.value >= 1024 {
                words += &format!(" ({})", HumanBytes(size.value));
            }
            put("size", &words);
        }
        put("content-id", &wheel.content_id.value.to_string());
        if let Some(digest) = &wheel.sha256 {
            put("sha256", &digest.value.to_string());
        }
        if let Some(uploaded) = &wheel.uploaded {
            put("uploaded", &uploaded.value.to_string());
        }
        if let Some(only) = &wheel.only {
            put("only", &only.value.to_string());
        }
        for source in &wheel.sources {
            put("source", &source.value.to_string());
        }
    }
    text
}

/// The values of a key in the wheels, each value once.
fn per_wheel(declaration: &Declaration, value: impl Fn(&DeclaredWheel) -> String) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    for wheel in &declaration.wheels {
        let value = value(wheel);
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

/// Appends relations under a heading.
fn list<'a, 'r>(
    text: &mut String,
    heading: &str,
    groups: &[RelationGroup<'a, 'r>],
    words: impl Fn(&RelationGroup<'a, 'r>) -> String,
    query: &GraphQuery<'_>,
) {
    let _ = write!(text, "\n  {heading}");
    if groups.is_empty() {
        text.push_str(" nothing");
    }
    for group in groups {
        let (words, notes) = (words(group), notes(query, group));
        let _ = write!(text, "\n    {words}{notes}{}", unmet_note(group));
    }
}
