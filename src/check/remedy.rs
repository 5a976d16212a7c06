//! Ways out of findings about a requirement: what to type, and which extra to leave out.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::graph::{Graph, Need};
use crate::diagnostic::{Finding, Help, shell_word};
use crate::python::{ExtraName, ProjectName, Version};
use crate::repository::is_waiver;

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
    pub(super) fn or_leave_extra_out(&self, need: &Need<'_>, finding: Finding) -> Finding {
        match self.removal(need) {
            Some(words) => finding.help(words),
            None => finding,
        }
    }

    fn removal(&self, need: &Need<'_>) -> Option<String> {
        let requirer = &need.declaration.project;
        let own = self.needs_by(requirer);
        let is_plain = own.iter().any(|other| {
            other.dependency.value.name == need.dependency.value.name && other.extra.is_none()
        });
        if is_plain {
            return None;
        }
        need.extra?;
        // The other extras that need the same there, and what asks for them within the project.
        let mut extras: BTreeSet<&ExtraName> = own
            .iter()
            .filter(|other| other.dependency.value == need.dependency.value)
            .filter(|other| !other.platforms.is_disjoint(&need.platforms))
            .filter_map(|other| other.extra)
            .collect();
        loop {
            let callers: Vec<&ExtraName> = own
                .iter()
                .filter(|other| other.dependency.value.name == *requirer)
                .filter(|other| {
                    let asked = &other.dependency.value.extras;
                    extras.iter().any(|extra| asked.contains(*extra))
                })
                .map(|other| other.extra)
                .collect::<Option<_>>()?;
            let before = extras.len();
            extras.extend(callers);
            if extras.len() == before {
                break;
            }
        }
        let is_asked_for = self.needs_of(requirer).any(|other| {
            let asked = &other.dependency.value.extras;
            other.declaration.project != *requirer
                && extras.iter().any(|extra| asked.contains(*extra))
        });
        if is_asked_for {
            return None;
        }
        let mut places: BTreeSet<(Arc<str>, usize)> = BTreeSet::new();
        for wheel in &need.declaration.wheels {
            for extra in wheel
                .extras
                .iter()
                .filter(|extra| extras.contains(&extra.value))
            {
                let line = self
                    .repository
                    .texts
                    .get(&wheel.file)
                    .map_or(1, |text| text.position(extra.span.start).0);
                places.insert((Arc::clone(&wheel.file), line));
            }
        }
        let names: Vec<String> = extras
            .iter()
            .map(|extra| format!("`\"{extra}\"`"))
            .collect();
        let places: Vec<String> = places
            .into_iter()
            .map(|(file, line)| format!("{file}:{line}"))
            .collect();
        Some(format!(
            "leave out what needs it: remove {} from `extras` in {}",
            names.join(" and "),
            places.join(", ")
        ))
    }
}
