//! `ipwhl why`: the ways from what someone wants to a project.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use ipwhl_packaging::{ExtraName, ProjectName};

use super::context::Context;
use super::draw::{Drawing, GraphFormat, Way, Ways};
use super::exit::{ExitStatus, Failure};
use super::scope::{Scope, edges, tell_of_findings};
use super::words::counted;
use crate::set::graph::{Path, Paths, Relation, paths_to};

/// How many paths are shown.
const SHOWN: usize = 10;
/// How many `--all` shows at most; fewer where they are long, so that all of them together have no more
/// than a million steps.
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
    /// Show all paths, and not only the ten shortest; of very many the first 100,000, or as many as
    /// have a million steps together
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
                let shown = question.paths.shortest.len();
                if question.paths.count > shown as u64 {
                    context.say(&if arguments.all {
                        format!("note: these are the first {shown} paths; more are not shown")
                    } else {
                        "note: `--all` shows every path".to_owned()
                    });
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

fn in_words<'r>(scope: &Scope<'r>, question: &Question<'r>) -> String {
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
    let mut steps = Steps::new(scope, &question.relations);
    for path in &paths.shortest {
        text += "\n  ";
        steps.write(path, &mut text);
    }
    let more = paths.count - paths.shortest.len() as u64;
    if more > 0 || paths.is_at_least {
        text += &format!("\n  and {at_least}{more} more");
    }
    text
}

/// The words of the steps of paths, each found out once.
struct Steps<'a, 'r> {
    scope: &'a Scope<'r>,
    relations: BTreeMap<Step<'r>, Vec<&'a Relation<'r>>>,
    /// By the platforms that they hold on.
    words: BTreeMap<Step<'r>, Vec<(BTreeSet<usize>, String)>>,
}

/// Who requires, and what is required.
type Step<'r> = (&'r ProjectName, &'r ProjectName);

impl<'a, 'r> Steps<'a, 'r> {
    fn new(scope: &'a Scope<'r>, relations: &'a [Relation<'r>]) -> Self {
        let mut steps = Self {
            scope,
            relations: BTreeMap::new(),
            words: BTreeMap::new(),
        };
        for relation in relations {
            let step = (&relation.from.project, &relation.requirement.name);
            steps.relations.entry(step).or_default().push(relation);
        }
        steps
    }

    /// Writes a path in one line:
    /// `flask 3.1 -> werkzeug>=3.1 -> markupsafe>=2.1.1 [only: cp312 on win_amd64]`.
    fn write(&mut self, path: &Path<'r>, text: &mut String) {
        if let Some(first) = path.projects.first() {
            *text += &self.scope.title(first);
        }
        for step in path.projects.windows(2) {
            let [from, to] = *step else { continue };
            let known = self.words.entry((from, to)).or_default();
            let at = known
                .iter()
                .position(|(platforms, _)| *platforms == path.platforms)
                .unwrap_or_else(|| {
                    let all = self.relations.get(&(from, to)).into_iter().flatten();
                    let holding =
                        all.filter(|relation| !relation.platforms.is_disjoint(&path.platforms));
                    let words = step_words(holding.copied());
                    known.push((path.platforms.clone(), words));
                    known.len() - 1
                });
            *text += " -> ";
            *text += &known[at].1;
        }
        if let Some(place) = self.scope.place(&path.platforms) {
            *text += &format!(" [only: {place}]");
        }
    }
}

/// The requirements of a step: `werkzeug>=3.1 or werkzeug[watchdog] [extra: dev]`.
fn step_words<'a, 'r: 'a>(holding: impl Iterator<Item = &'a Relation<'r>>) -> String {
    let ways = edges(holding).into_iter().map(|edge| {
        let mut words = edge.words.clone();
        if !edge.extras.is_empty() {
            let extras: Vec<&str> = edge.extras.iter().map(|extra| extra.as_str()).collect();
            words += &format!(" [extra: {}]", extras.join(", "));
        }
        words + &edge.unmet().unwrap_or_default()
    });
    ways.collect::<Vec<String>>().join(" or ")
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
