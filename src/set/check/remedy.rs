//! Ways out of findings about a requirement: what to type, and which extra to leave out.

use std::collections::BTreeSet;

use ipwhl_packaging::{ExtraName, ProjectName, Version};

use crate::foundation::diagnostic::{Finding, shell_word};
use crate::set::graph::{Graph, Relation, Statement};

/// The longest wish that a command has, in bytes: no version is what thousands of specifiers ask
/// for together.
const LONGEST_WISH: usize = 1_000;

/// What always ends an unsatisfied dependency, where nobody knows the version.
pub const OTHER_REQUIRER: &str = "declare another version of what requires it";

/// The one project's version that the set is asked to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin<'v> {
    /// Whichever all who require the project accept.
    Accepted,
    /// This one.
    Version(&'v Version),
}

impl Graph<'_> {
    /// The command that declares a project as the set needs it, as a shell understands it. It stays
    /// automatic, or becomes it, unless it is wanted. `extras` are named beside those that it has.
    pub fn add_command(
        &self,
        project: &ProjectName,
        extras: &BTreeSet<ExtraName>,
        pin: Pin<'_>,
        with_dependencies: bool,
    ) -> String {
        let mut wish = project.to_string();
        if !extras.is_empty() {
            let extras: Vec<&str> = extras.iter().map(ExtraName::as_str).collect();
            wish += &format!("[{}]", extras.join(","));
        }
        match pin {
            Pin::Version(version) => wish += &format!("=={version}"),
            Pin::Accepted => {
                wish += self
                    .demand(project)
                    .map_or("", |demand| demand.specifiers.as_str());
            }
        }
        if wish.len() > LONGEST_WISH {
            wish = project.to_string();
        }
        let is_wanted = self
            .repository
            .declarations
            .get(project)
            .is_some_and(|declaration| !declaration.automatic);
        let mut command = String::from("ipwhl add ");
        if !is_wanted {
            command += "--automatic ";
        }
        if with_dependencies {
            command += "--with-dependencies ";
        }
        command + &shell_word(&wish)
    }
}

/// Adds to a finding the extras whose absence ends it, where all of the requirer's need comes under
/// extras and nothing in the set asks for them.
pub(super) fn or_leave_extra_out<'r>(
    graph: &Graph<'r>,
    relation: &Relation<'r>,
    statement: &Statement<'r>,
    finding: Finding,
) -> Finding {
    let Some(unasked) = graph.unasked_extras(relation, statement) else {
        return finding;
    };
    let names = unasked.extras.iter().map(|extra| format!("`\"{extra}\"`"));
    let places = unasked
        .places
        .into_iter()
        .map(|(file, line)| format!("{file}:{line}"));
    finding.help(format!(
        "leave out what needs it: remove {} from `extras` in {}",
        first_few(names, " and "),
        first_few(places, ", ")
    ))
}

/// How many extras, and places, a way out names.
const MOST_NAMED: usize = 8;

/// The first few words, and how many there are beside them.
fn first_few(words: impl ExactSizeIterator<Item = String>, between: &str) -> String {
    let more = words.len().saturating_sub(MOST_NAMED);
    let words: Vec<String> = words.take(MOST_NAMED).collect();
    let words = words.join(between);
    if more > 0 {
        format!("{words}{between}{more} more")
    } else {
        words
    }
}
