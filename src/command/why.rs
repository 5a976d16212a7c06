//! `ipwhl why`: the paths from wanted projects to a project.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use ipwhl_packaging::{ExtraName, ProjectName};

use super::context::Context;
use super::draw::{GraphFormat, Way, Ways, dot, json, mermaid};
use super::exit::ExitStatus;
use super::query::{extras_note, note_findings, only_platforms, title, unmet_note};
use super::words::counted;
use crate::foundation::failure::Failure;
use crate::set::graph::{GraphQuery, Path, Paths, Relation, Subgraph, group_relations, paths_to};

/// The number of paths that are shown without `--all`.
const SHOWN: usize = 10;
/// The number of paths that `--all` shows at most. Fewer are shown if they are long: all of them
/// together have at most a million steps.
const MAXIMUM_SHOWN: usize = 100_000;

/// Show why a project is in the set
///
/// Prints paths from wanted projects to it, with the requirement of each step: at most ten of the
/// shortest, the shortest first, and the number of the others. `--all` prints the others, too. A
/// path counts if all of it holds on some platform.
///
/// Example: ipwhl why markupsafe
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The projects to explain: `NAME`, or `NAME[EXTRA,…]` to show which projects request the extra
    #[arg(required = true, value_name = "NAME")]
    projects: Vec<String>,
    /// Show all paths instead of the ten shortest ones, but at most 100,000 paths or a million steps
    /// in total
    #[arg(long)]
    all: bool,
    /// Show only paths that hold on these platforms: an interpreter, a system or both
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',')]
    platform: Vec<String>,
    /// The output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: GraphFormat,
}

/// A requested project, and the paths to it.
struct Question<'r> {
    project: &'r ProjectName,
    extras: BTreeSet<ExtraName>,
    paths: Paths<'r>,
}

impl Question<'_> {
    /// Whether a relation requests the extras in question, or is about another project.
    fn counts(&self, relation: &Relation<'_>) -> bool {
        relation.to() != self.project || relation.asks_for(&self.extras)
    }
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let repository = context.repository()?;
    let query = GraphQuery::new(&repository, &arguments.platform)?;
    let limit = if arguments.all { MAXIMUM_SHOWN } else { SHOWN };
    let mut questions: Vec<Question<'_>> = Vec::new();
    for text in &arguments.projects {
        let named = query.parse_project(text)?;
        let Some(project) = query.project(&named.project) else {
            continue;
        };
        let is_same =
            |other: &Question<'_>| other.project == project && other.extras == named.extras;
        if questions.iter().any(is_same) {
            continue;
        }
        questions.push(Question {
            project,
            paths: paths_to(query.relations(), project, &named.extras, limit),
            extras: named.extras,
        });
    }
    note_findings(context, &query);
    match arguments.format {
        GraphFormat::Text => {
            for (index, question) in questions.iter().enumerate() {
                if index > 0 {
                    context.result("")?;
                }
                context.result(&in_words(&query, question))?;
                let shown = question.paths.shortest.len();
                if question.paths.count > shown as u64 {
                    context.say(&if arguments.all {
                        format!("note: only the first {shown} paths are shown")
                    } else {
                        "note: `--all` shows every path".to_owned()
                    });
                }
            }
        }
        format => {
            let part = part(&query, &questions);
            let ways = || questions.iter().map(|question| ways(&query, question));
            context.result(&match format {
                GraphFormat::Dot => dot(&query, &part),
                GraphFormat::Mermaid => mermaid(&query, &part),
                GraphFormat::Text | GraphFormat::Json => {
                    json(&query, &part, Some(ways().collect()))?
                }
            })?;
        }
    }
    Ok(ExitStatus::Clean)
}

fn in_words<'r>(query: &GraphQuery<'r>, question: &Question<'r>) -> String {
    let Question { project, paths, .. } = question;
    let repository = query.repository;
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
            format!("{project}{extras} is declared, but its declaration cannot be read")
        }
        None => format!("{project}{extras} is not in the set"),
    };
    let is_wanted = declaration.is_some_and(|found| !found.automatic);
    if paths.shortest.is_empty() {
        let mut by: Vec<&str> = query
            .relations()
            .naming(project)
            .filter(|relation| relation.asks_for(&question.extras))
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
    let mut steps = Steps::new(query, question);
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

/// The texts of the steps of paths, each made once.
struct Steps<'a, 'r> {
    query: &'a GraphQuery<'r>,
    question: &'a Question<'r>,
    /// For each step, its text on each set of platforms.
    words: BTreeMap<Step<'r>, Vec<(BTreeSet<usize>, String)>>,
}

/// The requiring and the required project.
type Step<'r> = (&'r ProjectName, &'r ProjectName);

impl<'a, 'r> Steps<'a, 'r> {
    fn new(query: &'a GraphQuery<'r>, question: &'a Question<'r>) -> Self {
        Self {
            query,
            question,
            words: BTreeMap::new(),
        }
    }

    /// Writes a path in one line:
    /// `flask 3.1 -> werkzeug>=3.1 -> markupsafe>=2.1.1 [only: cp312 on win_amd64]`.
    fn write(&mut self, path: &Path<'r>, text: &mut String) {
        if let Some(first) = path.projects.first() {
            *text += &title(self.query.repository, first);
        }
        for step in path.projects.windows(2) {
            let [from, to] = *step else { continue };
            let known = self.words.entry((from, to)).or_default();
            let at = known
                .iter()
                .position(|(platforms, _)| *platforms == path.platforms)
                .unwrap_or_else(|| {
                    let all = self.query.relations().between(from, to).iter();
                    let holding = all.filter(|relation| {
                        self.question.counts(relation)
                            && !relation.platforms.is_disjoint(&path.platforms)
                    });
                    let words = step_words(holding);
                    known.push((path.platforms.clone(), words));
                    known.len() - 1
                });
            *text += " -> ";
            *text += &known[at].1;
        }
        if let Some(platforms) = only_platforms(self.query, &path.platforms) {
            *text += &format!(" [only: {platforms}]");
        }
    }
}

/// The requirements of a step: `werkzeug>=3.1 or werkzeug[watchdog] [extra: dev]`.
fn step_words<'a, 'r: 'a>(holding: impl Iterator<Item = &'a Relation<'r>>) -> String {
    let ways = group_relations(holding).into_iter().map(|group| {
        format!(
            "{}{}{}",
            group.words,
            extras_note(&group),
            unmet_note(&group)
        )
    });
    ways.collect::<Vec<String>>().join(" or ")
}

fn ways<'d>(query: &GraphQuery<'_>, question: &'d Question<'_>) -> Ways<'d> {
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
                platforms: query.graph.platform_names(&path.platforms),
            })
            .collect(),
    }
}

/// The part of the set that the paths go through.
fn part<'a, 'r>(query: &'a GraphQuery<'r>, questions: &[Question<'r>]) -> Subgraph<'a, 'r> {
    let mut part = Subgraph {
        roots: questions.iter().map(|question| question.project).collect(),
        projects: BTreeSet::new(),
        relations: Vec::new(),
    };
    let mut seen = BTreeSet::new();
    for question in questions {
        let through = &question.paths.through;
        part.projects.insert(question.project);
        part.projects.extend(through);
        for (index, relation) in query.relations().iter().enumerate() {
            let (from, to) = (&relation.from.project, relation.to());
            let is_on_the_way = from != to
                && from != question.project
                && through.contains(from)
                && through.contains(to)
                && question.counts(relation);
            if is_on_the_way && seen.insert(index) {
                part.relations.push(relation);
            }
        }
    }
    part
}
