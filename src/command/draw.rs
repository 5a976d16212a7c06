//! A part of the set as nodes and edges, in JSON, Graphviz or Mermaid.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::ValueEnum;
use ipwhl_packaging::{ExtraName, ProjectName};
use serde::Serialize;

use super::query::{notes, title, unmet_note};
use crate::foundation::diagnostic::json_line;
use crate::foundation::failure::Failure;
use crate::set::graph::{GraphQuery, RelationGroup, Subgraph, UnsatisfiedReason, group_relations};

/// The output format of a part of the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub(super) enum GraphFormat {
    /// Text for people.
    #[default]
    Text,
    /// One JSON object: `nodes` are projects, `edges` are requirements.
    Json,
    /// A graph in the language of Graphviz.
    Dot,
    /// A flowchart of Mermaid.
    Mermaid,
}

/// The paths to one project, as JSON.
#[derive(Serialize)]
pub(super) struct Ways<'d> {
    pub(super) project: &'d ProjectName,
    /// The number of paths; the least one if `is_at_least`.
    pub(super) count: u64,
    pub(super) is_at_least: bool,
    pub(super) paths: Vec<Way<'d>>,
}

/// A path, as JSON.
#[derive(Serialize)]
pub(super) struct Way<'d> {
    pub(super) projects: Vec<&'d ProjectName>,
    pub(super) platforms: Vec<String>,
}

#[derive(Serialize)]
struct Document<'d> {
    roots: &'d [&'d ProjectName],
    nodes: Vec<Node<'d>>,
    edges: Vec<Line<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ways: Option<Vec<Ways<'d>>>,
}

#[derive(Serialize)]
struct Node<'d> {
    name: &'d ProjectName,
    version: Option<String>,
    wanted: bool,
}

#[derive(Serialize)]
struct Line<'d> {
    from: &'d ProjectName,
    to: &'d ProjectName,
    requirement: String,
    extra: Option<&'d str>,
    platforms: Vec<String>,
    unmet: Option<&'static str>,
}

/// A part of the set as one line of JSON, with the requested paths.
pub(super) fn json(
    query: &GraphQuery<'_>,
    part: &Subgraph<'_, '_>,
    ways: Option<Vec<Ways<'_>>>,
) -> Result<String, Failure> {
    let declarations = &query.repository.declarations;
    let document = Document {
        roots: &part.roots,
        nodes: part
            .projects
            .iter()
            .map(|name| {
                let declaration = declarations.get(*name);
                Node {
                    name,
                    version: declaration.map(|found| found.version().to_string()),
                    wanted: declaration.is_some_and(|found| !found.automatic),
                }
            })
            .collect(),
        edges: part
            .relations
            .iter()
            .map(|relation| Line {
                from: &relation.from.project,
                to: &relation.requirement.name,
                requirement: relation.requirement.to_string(),
                extra: relation.extra.map(ExtraName::as_str),
                platforms: query.graph.platform_names(&relation.platforms),
                unmet: relation.unsatisfied.as_ref().map(UnsatisfiedReason::as_str),
            })
            .collect(),
        ways,
    };
    to_json(&document)
}

/// A part of the set in the language of Graphviz. It does not end with a line feed.
pub(super) fn dot(query: &GraphQuery<'_>, part: &Subgraph<'_, '_>) -> String {
    let mut text = "digraph ipwhl {\n    rankdir=LR;\n    node [shape=box];\n".to_owned();
    for project in &part.projects {
        let mut style = String::new();
        match query.repository.declarations.get(*project) {
            Some(declaration) if !declaration.automatic => style += ", style=bold",
            Some(_) => {}
            None => style += ", style=dashed, color=red",
        }
        let title = quoted(&title(query.repository, project));
        let _ = writeln!(
            text,
            "    {} [label={title}{style}];",
            quoted(project.as_str())
        );
    }
    for group in groups(part) {
        let mut style = String::new();
        if group.unsatisfied.is_some() {
            style += ", color=red, fontcolor=red";
        }
        if !group.extras.is_empty() {
            style += ", style=dashed";
        }
        let _ = writeln!(
            text,
            "    {} -> {} [label={}{style}];",
            quoted(group.from.as_str()),
            quoted(group.requirement.name.as_str()),
            quoted(&label(query, &group)),
        );
    }
    text + "}"
}

/// A part of the set as a flowchart of Mermaid. It does not end with a line feed.
pub(super) fn mermaid(query: &GraphQuery<'_>, part: &Subgraph<'_, '_>) -> String {
    let mut text = "flowchart LR".to_owned();
    let mut numbers: BTreeMap<&ProjectName, usize> = BTreeMap::new();
    for (number, project) in part.projects.iter().enumerate() {
        numbers.insert(project, number);
        let title = entities(&title(query.repository, project));
        let (open, close) = match query.repository.declarations.get(*project) {
            Some(declaration) if !declaration.automatic => ("([", "])"),
            Some(_) => ("[", "]"),
            None => ("{{", "}}"),
        };
        let _ = write!(text, "\n    p{number}{open}\"{title}\"{close}");
    }
    for group in groups(part) {
        let (Some(from), Some(to)) = (
            numbers.get(group.from),
            numbers.get(&group.requirement.name),
        ) else {
            continue;
        };
        let arrow = if group.extras.is_empty() {
            "-->"
        } else {
            "-.->"
        };
        let words = entities(&label(query, &group));
        let _ = write!(text, "\n    p{from} {arrow}|\"{words}\"| p{to}");
    }
    text
}

fn groups<'a, 'r>(part: &Subgraph<'a, 'r>) -> Vec<RelationGroup<'a, 'r>> {
    group_relations(part.relations.iter().copied())
}

fn label(query: &GraphQuery<'_>, group: &RelationGroup<'_, '_>) -> String {
    format!(
        "{}{}{}",
        group.words,
        notes(query, group),
        unmet_note(group)
    )
}

/// One line of JSON.
pub(super) fn to_json(value: &impl Serialize) -> Result<String, Failure> {
    json_line(value)
        .map_err(|error| Failure::world(format!("the result cannot be written as JSON: {error}")))
}

/// A quoted text of Graphviz, where a backslash begins an escape and an ampersand an entity.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace('&', "&amp;"))
}

/// A text for quotes of Mermaid, which has no escapes other than its entities.
fn entities(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_alphanumeric() || " .,-_=!:/@+".contains(character) {
            escaped.push(character);
        } else {
            let _ = write!(escaped, "#{};", u32::from(character));
        }
    }
    escaped
}
