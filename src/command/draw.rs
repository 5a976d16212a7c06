//! A part of the set as nodes and edges: JSON, Graphviz, Mermaid.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use clap::ValueEnum;
use ipwhl_packaging::{ExtraName, ProjectName};
use serde::Serialize;

use super::exit::Failure;
use super::scope::{Edge, Scope, edges};
use crate::foundation::diagnostic::json_line;
use crate::set::graph::{Relation, Shortfall};

/// How a part of the set is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub(super) enum GraphFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: one object with nodes and edges (`docs/formats.md`, 8).
    Json,
    /// For Graphviz.
    Dot,
    /// For Mermaid: a flowchart.
    Mermaid,
}

/// Some projects, and what they require of each other.
pub(super) struct Drawing<'a, 'r> {
    pub(super) roots: Vec<&'r ProjectName>,
    pub(super) projects: BTreeSet<&'r ProjectName>,
    pub(super) relations: Vec<&'a Relation<'r>>,
}

/// The paths to one project, for programs.
#[derive(Serialize)]
pub(super) struct Ways<'d> {
    pub(super) project: &'d ProjectName,
    /// How many paths there are, and whether there may be more.
    pub(super) count: u64,
    pub(super) is_at_least: bool,
    pub(super) paths: Vec<Way<'d>>,
}

/// A path, for programs.
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

impl Drawing<'_, '_> {
    /// The drawing as one line of JSON, with the paths that were asked about.
    pub(super) fn json(
        &self,
        scope: &Scope<'_>,
        ways: Option<Vec<Ways<'_>>>,
    ) -> Result<String, Failure> {
        let declarations = &scope.repository.declarations;
        let document = Document {
            roots: &self.roots,
            nodes: self
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
            edges: self
                .relations
                .iter()
                .map(|relation| Line {
                    from: &relation.from.project,
                    to: &relation.requirement.name,
                    requirement: relation.requirement.to_string(),
                    extra: relation.extra.map(ExtraName::as_str),
                    platforms: scope.names(&relation.platforms),
                    unmet: relation.shortfall.as_ref().map(Shortfall::as_str),
                })
                .collect(),
            ways,
        };
        to_json(&document)
    }

    /// The drawing in the language of Graphviz, without a final line feed.
    pub(super) fn dot(&self, scope: &Scope<'_>) -> String {
        let mut text = "digraph ipwhl {\n    rankdir=LR;\n    node [shape=box];\n".to_owned();
        for project in &self.projects {
            let mut style = String::new();
            match scope.repository.declarations.get(*project) {
                Some(declaration) if !declaration.automatic => style += ", style=bold",
                Some(_) => {}
                None => style += ", style=dashed, color=red",
            }
            let title = quoted(&scope.title(project));
            let _ = writeln!(
                text,
                "    {} [label={title}{style}];",
                quoted(project.as_str())
            );
        }
        for edge in self.edges() {
            let mut style = String::new();
            if edge.shortfall.is_some() {
                style += ", color=red, fontcolor=red";
            }
            if !edge.extras.is_empty() {
                style += ", style=dashed";
            }
            let _ = writeln!(
                text,
                "    {} -> {} [label={}{style}];",
                quoted(edge.from.as_str()),
                quoted(edge.requirement.name.as_str()),
                quoted(&label(&edge, scope)),
            );
        }
        text + "}"
    }

    /// The drawing as a flowchart of Mermaid, without a final line feed.
    pub(super) fn mermaid(&self, scope: &Scope<'_>) -> String {
        let mut text = "flowchart LR".to_owned();
        let mut numbers: BTreeMap<&ProjectName, usize> = BTreeMap::new();
        for (number, project) in self.projects.iter().enumerate() {
            numbers.insert(project, number);
            let title = entities(&scope.title(project));
            let (open, close) = match scope.repository.declarations.get(*project) {
                Some(declaration) if !declaration.automatic => ("([", "])"),
                Some(_) => ("[", "]"),
                None => ("{{", "}}"),
            };
            let _ = write!(text, "\n    p{number}{open}\"{title}\"{close}");
        }
        for edge in self.edges() {
            let (Some(from), Some(to)) =
                (numbers.get(edge.from), numbers.get(&edge.requirement.name))
            else {
                continue;
            };
            let arrow = if edge.extras.is_empty() {
                "-->"
            } else {
                "-.->"
            };
            let words = entities(&label(&edge, scope));
            let _ = write!(text, "\n    p{from} {arrow}|\"{words}\"| p{to}");
        }
        text
    }

    fn edges(&self) -> Vec<Edge<'_, '_>> {
        edges(self.relations.iter().copied())
    }
}

fn label(edge: &Edge<'_, '_>, scope: &Scope<'_>) -> String {
    let unmet = edge.unmet().unwrap_or_default();
    format!("{}{}{unmet}", edge.words, edge.notes(scope))
}

/// One line of JSON.
pub(super) fn to_json(value: &impl Serialize) -> Result<String, Failure> {
    json_line(value)
        .map_err(|error| Failure::world(format!("this cannot be written as JSON: {error}")))
}

/// A text in quotes as Graphviz reads it: a backslash begins an escape there, an ampersand an entity.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace('&', "&amp;"))
}

/// A text inside the quotes of Mermaid, which knows no escape but its entities.
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
