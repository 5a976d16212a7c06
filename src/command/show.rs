//! `ipwhl show`: all that the set says of a project.

mod json;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use clap::Args;
use indicatif::HumanBytes;
use ipwhl_packaging::{ProjectName, specifiers_text};

use super::context::Context;
use super::draw::to_json;
use super::exit::{ExitStatus, Failure};
use super::list::ListFormat;
use super::network::NetworkArguments;
use super::outdated::Outdated;
use super::scope::{Edge, Scope, edges, member, platform_names, tell_of_findings};
use crate::set::check::fold;
use crate::set::declaration::{Declaration, DeclaredWheel};
use crate::set::graph::Relation;
use crate::set::repository::{Repository, Waiver};
use json::{Document, Index, shown};

/// Show all that the set says of a project
///
/// Its wheels and where each is used, what it needs, what needs it, and the waivers that concern it.
///
/// Example: ipwhl show --outdated markupsafe
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Projects of the set
    #[arg(required = true, value_name = "NAME")]
    projects: Vec<String>,
    /// Say whether the index has a newer version, and the newest that fits the set
    #[arg(long)]
    outdated: bool,
    /// How it is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ListFormat,
    #[command(flatten)]
    network: NetworkArguments,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let repository = context.repository()?;
    let scope = Scope::new(&repository, &[])?;
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
    tell_of_findings(context, &repository);
    let mut outdated = Outdated::default();
    if arguments.outdated {
        outdated = Outdated::ask(context, &scope, &declarations, &arguments.network)?;
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
                    shown(&scope, declaration, index)
                })
                .collect();
            context.result(&to_json(&Document { projects })?)?;
        }
        ListFormat::Text => {
            let texts: Vec<String> = declarations
                .iter()
                .map(|declaration| {
                    let asked = outdated.knows(declaration).then_some(&outdated);
                    in_words(&scope, declaration, asked)
                })
                .collect();
            if !texts.is_empty() {
                context.result(&texts.join("\n\n"))?;
            }
        }
    }
    for project in &unreadable {
        context.error(&format!(
            "the declaration of `{project}` cannot be read: `ipwhl check` shows why"
        ));
    }
    Ok(if outdated.failed {
        ExitStatus::World
    } else if unreadable.is_empty() {
        ExitStatus::Clean
    } else {
        ExitStatus::Findings
    })
}

/// The waivers of `ipwhl.toml` that name a project, or a requirement of it.
pub(super) fn waivers<'r>(repository: &'r Repository, project: &ProjectName) -> Vec<&'r Waiver> {
    let waivers = repository.configuration.waivers.iter();
    waivers
        .filter(|waiver| concerned(waiver).any(|name| name == project))
        .collect()
}

/// The projects that a waiver names, each once.
pub(super) fn concerned(waiver: &Waiver) -> impl Iterator<Item = &ProjectName> {
    let required = waiver.requirement.as_ref().map(|required| &required.name);
    let other = required.filter(|name| **name != waiver.project);
    std::iter::once(&waiver.project).chain(other)
}

/// The line and the column of a place in one of the repository's texts, from 1.
pub(super) fn position(repository: &Repository, file: &str, offset: usize) -> (usize, usize) {
    let text = repository.texts.get(file);
    text.map_or((1, 1), |text| text.position(offset))
}

fn of_others<'a, 'r>(
    scope: &'a Scope<'r>,
    is_meant: impl Fn(&Relation<'r>) -> bool,
) -> Vec<&'a Relation<'r>> {
    let is_own = |one: &Relation<'_>| one.from.project == one.requirement.name;
    let relations = scope.relations.iter();
    relations
        .filter(|relation| !is_own(relation) && is_meant(relation))
        .collect()
}

fn in_words(scope: &Scope<'_>, declaration: &Declaration, outdated: Option<&Outdated>) -> String {
    let repository = scope.repository;
    let project = &declaration.project;
    let mut text = scope.title(project);
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
            (None, None) => "nothing newer".to_owned(),
            (Some(fitting), Some(newest)) if fitting == newest => {
                format!("{newest} is newer, and fits the set")
            }
            (Some(fitting), Some(newest)) => {
                format!("{fitting} is newer and fits the set; the newest is {newest}")
            }
            (Some(fitting), None) => format!("{fitting} is newer, and fits the set"),
            (None, Some(newest)) => format!("{newest} is newer, and nothing newer fits the set"),
        };
        put("in the index", &words);
    }
    put(
        "platforms",
        &place(repository, &scope.graph.covered(project)),
    );
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
    text += &wheels(scope, declaration);
    let needs = edges(of_others(scope, |one| one.from.project == *project));
    list(
        &mut text,
        "needs",
        &needs,
        |edge| {
            let version = repository.declarations.get(&edge.requirement.name);
            let version = version.map_or_else(String::new, |one| format!(" -> {}", one.version()));
            format!("{}{version}", edge.words)
        },
        scope,
    );
    let needed_by = edges(of_others(scope, |one| one.requirement.name == *project));
    list(
        &mut text,
        "needed by",
        &needed_by,
        |edge| format!("{}: {}", scope.title(edge.from), edge.words),
        scope,
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

/// Platforms in few words.
fn place(repository: &Repository, platforms: &BTreeSet<usize>) -> String {
    let names = platform_names(repository, platforms);
    fold(&names, &repository.configuration.platforms)
        .unwrap_or_else(|| "no supported platform".to_owned())
}

/// The lines of the wheels.
fn wheels(scope: &Scope<'_>, declaration: &Declaration) -> String {
    let mut text = String::new();
    for (number, wheel) in declaration.wheels.iter().enumerate() {
        let _ = write!(text, "\n  wheel {}", wheel.file_name);
        let mut put = |name: &str, value: &str| {
            let _ = write!(text, "\n    {name:<14} {value}");
        };
        put(
            "used on",
            &place(
                scope.repository,
                &scope.graph.used_on(&declaration.project, number),
            ),
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
        for source in &wheel.sources {
            put("source", &source.value.to_string());
        }
    }
    text
}

/// What the wheels say, each value once.
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

/// Edges under a heading.
fn list<'a, 'r>(
    text: &mut String,
    heading: &str,
    edges: &[Edge<'a, 'r>],
    words: impl Fn(&Edge<'a, 'r>) -> String,
    scope: &Scope<'_>,
) {
    let _ = write!(text, "\n  {heading}");
    if edges.is_empty() {
        text.push_str(" nothing");
    }
    for edge in edges {
        let unmet = edge.unmet().unwrap_or_default();
        let _ = write!(text, "\n    {}{}{unmet}", words(edge), edge.notes(scope));
    }
}
