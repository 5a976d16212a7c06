//! `ipwhl why`: the ways from what someone wants to a project.

use std::collections::BTreeSet;

use clap::Args;

use super::context::Context;
use super::draw::{Drawing, GraphFormat, Way, Ways};
use super::exit::{ExitStatus, Failure};
use super::report::counted;
use super::scope::{Scope, edges, tell_of_findings};
use crate::check::{Path, Paths, Relation, paths_to};
use crate::python::{ExtraName, ProjectName};

/// How many paths are shown.
const SHOWN: usize = 10;
/// How many are shown of all.
const MAXIMUM_SHOWN: usize = 100_000;

/// Show why a project is in the set
///
/// Every path from a wanted project to it that holds on some platform, with the requirement of each
/// step, the shortest first.
///
/// Example: ipwhl why markupsafe
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Projects: `NAME`, or `NAME[EXTRA,…]` for who asks for the extra
    #[arg(required = true, value_name = "NAME")]
    projects: Vec<String>,
    /// Show all paths, and not only the ten shortest
    #[arg(long)]
    all: bool,
    /// Look at these platforms only: an interpreter, a system or both
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',')]
    platform: Vec<String>,
    /// How the paths are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: GraphFormat,
}

/// A project that is asked about, and what leads to it.
struct Question<'r> {
    project: &'r ProjectName,
    extras: BTreeSet<ExtraName>,
    /// The relations without those that ask for less of it.
    relations: Vec<Relation<'r>>,
    paths: Paths<'r>,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let repository = context.repository()?;
    let scope = Scope::new(&repository, &arguments.platform)?;
    let limit = if arguments.all { MAXIMUM_SHOWN } else { SHOWN };
    let mut questions: Vec<Question<'_>> = Vec::new();
    for text in &arguments.projects {
        let named = scope.named(text)?;
        let Some(project) = scope.project(&named.project) else {
            continue;
        };
        let is_same =
            |other: &Question<'_>| other.project == project && other.extras == named.extras;
        if questions.iter().any(is_same) {
            continue;
        }
        let relations: Vec<Relation<'_>> = scope
            .relations
            .iter()
            .filter(|relation| {
                relation.requirement.name != *project
                    || relation.requirement.extras.is_superset(&named.extras)
            })
            .cloned()
            .collect();
        questions.push(Question {
            project,
            extras: named.extras,
            paths: paths_to(&relations, project, limit),
            relations,
        });
    }
    tell_of_findings(context, &repository);
    match arguments.format {
        GraphFormat::Text => {
            for (index, question) in questions.iter().enumerate() {
                if index > 0 {
                    context.result("")?;
                }
                context.result(&in_words(&scope, question))?;
                if question.paths.count > question.paths.shortest.len() as u64 && !arguments.all {
                    context.say("note: `--all` shows every path");
                }
            }
        }
        format => {
            let drawing = drawing(&questions);
            let ways = || questions.iter().map(|question| ways(&scope, question));
            context.result(&match format {
                GraphFormat::Dot => drawing.dot(&scope),
                GraphFormat::Mermaid => drawing.mermaid(&scope),
                GraphFormat::Text | GraphFormat::Json => {
                    drawing.json(&scope, Some(ways().collect()))?
                }
            })?;
        }
    }
    Ok(ExitStatus::Clean)
}

fn in_words(scope: &Scope<'_>, question: &Question<'_>) -> String {
    let Question { project, paths, .. } = question;
    let repository = scope.repository;
    let extras: Vec<&str> = question.extras.iter().map(ExtraName::as_str).collect();
    let extras = match extras.as_slice() {
        [] => String::new(),
        extras => format!("[{}]", extras.join(",")),
    };
    let declaration = repository.declarations.get(*project);
    let what = match declaration {
        Some(found) if !found.automatic && extras.is_empty() => {
            format!("{project} {} is wanted", found.version())
        }
        Some(found) => {
            let kind = if found.automatic {
                "automatic"
            } else {
                "wanted, without extras"
            };
            format!("{project}{extras} {} is {kind}", found.version())
        }
        None if repository.unreadable.contains(*project) => {
            format!("{project}{extras} is declared, and its declaration cannot be read")
        }
        None => format!("{project}{extras} is not in the set"),
    };
    let is_wanted = declaration.is_some_and(|found| !found.automatic);
    if paths.shortest.is_empty() {
        let mut by: Vec<&str> = question
            .relations
            .iter()
            .filter(|relation| relation.requirement.name == **project)
            .map(|relation| relation.from.project.as_str())
            .filter(|from| *from != project.as_str())
            .collect();
        by.dedup();
        let other = if is_wanted { "other " } else { "" };
        return match by.as_slice() {
            [] if is_wanted => format!("{what}, and nothing else requires it"),
            [] => format!("{what}, and nothing requires it"),
            by => format!(
                "{what}, and no {other}wanted project leads to it, only {}",
                by.join(", ")
            ),
        };
    }
    let at_least = if paths.is_at_least { "at least " } else { "" };
    let number = usize::try_from(paths.count).unwrap_or(usize::MAX);
    let verb = if paths.count == 1 && !paths.is_at_least {
        "leads"
    } else {
        "lead"
    };
    let mut text = format!(
        "{what}; {at_least}{} {verb} to it:",
        counted(number, "path")
    );
    for path in &paths.shortest {
        text += "\n  ";
        text += &line(scope, &question.relations, path);
    }
    let more = paths.count - paths.shortest.len() as u64;
    if more > 0 || paths.is_at_least {
        text += &format!("\n  and {at_least}{more} more");
    }
    text
}

/// A path in one line: `flask 3.1 -> werkzeug>=3.1 -> markupsafe>=2.1.1 [only: cp312 on win_amd64]`.
fn line(scope: &Scope<'_>, relations: &[Relation<'_>], path: &Path<'_>) -> String {
    let mut text = path
        .projects
        .first()
        .map_or_else(String::new, |project| scope.title(project));
    for step in path.projects.windows(2) {
        let [from, to] = step else { continue };
        let holding = relations
            .iter()
            .filter(|relation| relation.from.project == **from && relation.requirement.name == **to)
            .filter(|relation| !relation.platforms.is_disjoint(&path.platforms));
        let ways = edges(holding).into_iter().map(|edge| {
            let mut words = edge.words.clone();
            if !edge.extras.is_empty() {
                let extras: Vec<&str> = edge.extras.iter().map(|extra| extra.as_str()).collect();
                words += &format!(" [extra: {}]", extras.join(", "));
            }
            words + &edge.unmet().unwrap_or_default()
        });
        let ways: Vec<String> = ways.collect();
        text += &format!(" -> {}", ways.join(" or "));
    }
    if let Some(place) = scope.place(&path.platforms) {
        text += &format!(" [only: {place}]");
    }
    text
}

fn ways<'d>(scope: &Scope<'_>, question: &'d Question<'_>) -> Ways<'d> {
    Ways {
        project: question.project,
        count: question.paths.count,
        is_at_least: question.paths.is_at_least,
        paths: question
            .paths
            .shortest
            .iter()
            .map(|path| Way {
                projects: path.projects.clone(),
                platforms: scope.names(&path.platforms),
            })
            .collect(),
    }
}

/// The part of the set that the paths lie in.
fn drawing<'a, 'r>(questions: &'a [Question<'r>]) -> Drawing<'a, 'r> {
    let mut drawing = Drawing {
        roots: questions.iter().map(|question| question.project).collect(),
        projects: BTreeSet::new(),
        relations: Vec::new(),
    };
    let mut seen = BTreeSet::new();
    for question in questions {
        let through = &question.paths.through;
        drawing.projects.insert(question.project);
        drawing.projects.extend(through);
        for relation in &question.relations {
            let (from, to) = (&relation.from.project, &relation.requirement.name);
            let is_on_the_way = from != to
                && from != question.project
                && through.contains(from)
                && through.contains(to);
            let key = (from, relation.requirement.to_string(), relation.extra);
            if is_on_the_way && seen.insert(key) {
                drawing.relations.push(relation);
            }
        }
    }
    drawing
}
