//! Ways out of findings about a requirement: what to type, and which extra to leave out.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ipwhl_packaging::{ExtraName, ProjectName, Version};

use super::graph::{Graph, Need};
use crate::foundation::diagnostic::{Finding, Help, shell_word};
use crate::set::declaration::Declaration;
use crate::set::repository::is_waiver;

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

/// Whether a way out is a waiver.
pub(super) fn proposes_waiver(help: &Help) -> bool {
    help.text.as_deref().is_some_and(is_waiver)
}

impl<'r> Graph<'r> {
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

    /// Adds to a finding the extras whose absence ends it, where all of the requirer's need comes under
    /// extras and nothing in the set asks for them.
    pub(super) fn or_leave_extra_out(&self, need: &Need<'r>, finding: Finding) -> Finding {
        match self.removal(need) {
            Some(words) => finding.help(words),
            None => finding,
        }
    }

    fn removal(&self, need: &Need<'r>) -> Option<String> {
        let requirer = self.requirer(need.declaration)?;
        let requirement = &need.dependency.value;
        if requirer.plain.contains(&requirement.name) {
            return None;
        }
        need.extra?;
        // The other extras that need the same there, and what asks for them within the project.
        let alike = requirer.under_extras.get(&requirement.name);
        let own = self.needs_by(&need.declaration.project);
        let mut extras: BTreeSet<&ExtraName> = alike
            .into_iter()
            .flatten()
            .map(|index| &own[*index])
            .filter(|other| other.dependency.value == *requirement)
            .filter(|other| !other.platforms.is_disjoint(&need.platforms))
            .filter_map(|other| other.extra)
            .collect();
        let mut open: Vec<&ExtraName> = extras.iter().copied().collect();
        while let Some(extra) = open.pop() {
            for caller in requirer.callers.get(extra).into_iter().flatten() {
                // Without an extra of its own the project always asks for this one.
                let caller = (*caller)?;
                if extras.insert(caller) {
                    open.push(caller);
                }
            }
        }
        if extras
            .iter()
            .any(|extra| requirer.asked_for.contains(extra))
        {
            return None;
        }
        let places: BTreeSet<&(Arc<str>, usize)> = extras
            .iter()
            .filter_map(|extra| requirer.places.get(extra))
            .flatten()
            .collect();
        let names = extras.iter().map(|extra| format!("`\"{extra}\"`"));
        let places = places
            .into_iter()
            .map(|(file, line)| format!("{file}:{line}"));
        Some(format!(
            "leave out what needs it: remove {} from `extras` in {}",
            first_few(names, " and "),
            first_few(places, ", ")
        ))
    }

    /// What a project asks of itself and is asked for: found out once, since each finding about it
    /// asks.
    fn requirer(&self, declaration: &'r Declaration) -> Option<&Requirer<'r>> {
        let known = self.requirers.get(&declaration.project)?;
        Some(known.get_or_init(|| {
            let project = &declaration.project;
            let mut requirer = Requirer::default();
            for (index, need) in self.needs_by(project).iter().enumerate() {
                let requirement = &need.dependency.value;
                if need.extra.is_none() {
                    requirer.plain.insert(&requirement.name);
                } else {
                    let alike = requirer.under_extras.entry(&requirement.name);
                    alike.or_default().push(index);
                }
                if requirement.name == *project {
                    for extra in &requirement.extras {
                        requirer.callers.entry(extra).or_default().push(need.extra);
                    }
                }
            }
            let others = self.needs_of(project);
            let others = others.filter(|need| need.declaration.project != *project);
            requirer.asked_for = others
                .flat_map(|need| &need.dependency.value.extras)
                .collect();
            for wheel in &declaration.wheels {
                let text = self.repository.texts.get(&wheel.file);
                for extra in &wheel.extras {
                    let line = text.map_or(1, |text| text.line(extra.span.start));
                    let places = requirer.places.entry(&extra.value).or_default();
                    places.insert((Arc::clone(&wheel.file), line));
                }
            }
            requirer
        }))
    }
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

/// What a project asks of itself and is asked for.
#[derive(Default)]
pub(super) struct Requirer<'r> {
    /// The projects that it requires whatever is asked for.
    plain: BTreeSet<&'r ProjectName>,
    /// The needs that it has under extras by what they require, as indices into its own.
    under_extras: HashMap<&'r ProjectName, Vec<usize>>,
    /// The extras that it asks of itself, each with those under which it does.
    callers: HashMap<&'r ExtraName, Vec<Option<&'r ExtraName>>>,
    /// The extras that others ask of it.
    asked_for: BTreeSet<&'r ExtraName>,
    /// The lines where it declares an extra.
    places: HashMap<&'r ExtraName, BTreeSet<(Arc<str>, usize)>>,
}
