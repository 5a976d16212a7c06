//! The outcome of a change of declarations: the files, a line for each project, and the new findings.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{ProjectName, Version, specifiers_contain, specifiers_text};

use super::context::Context;
use super::exit::ExitStatus;
use super::report::{MessageFormat, count, show};
use super::words::counted;
use crate::foundation::diagnostic::{Baseline, Finding, Inert, SourceTexts, brief};
use crate::foundation::failure::{Failure, unwritable};
use crate::set::declaration::{Declaration, FileChange, change_files};
use crate::set::graph::Graph;
use crate::set::judgement::{compare, has_errors, merge_licences};
use crate::set::repository::Repository;
use crate::set::resolve::{Added, ProjectRequest, RemovalPlan, StatedPublisher, declaration_file};
use crate::set::review::known_findings;
use crate::source::{NO_PUBLISHER, VERIFIER};

/// The number of projects that are named as reasons for a change.
const MAXIMUM_REASONS: usize = 3;

/// The declarations, their texts and the findings before the change.
pub(super) struct Before {
    texts: SourceTexts,
    declarations: BTreeMap<ProjectName, Declaration>,
    findings: Vec<Finding>,
}

impl Before {
    /// Says how many findings there are already.
    pub(super) fn of(context: &Context<'_>, repository: &Repository) -> Self {
        let findings = known_findings(&context.session, repository, None);
        if let Some(words) = count(&findings) {
            context.say(&format!("the set had {words} before this command"));
            context.hint("`ipwhl check` shows the findings");
        }
        Self {
            texts: repository.texts.clone(),
            declarations: repository.declarations.clone(),
            findings,
        }
    }

    /// Writes the declarations of a change, and removes those of projects that nothing needs any
    /// more: all of them, or none. Returns a line for each.
    pub(super) fn write(
        &self,
        context: &Context<'_>,
        repository: &Repository,
        added: &Added,
    ) -> Result<Vec<Inert>, Failure> {
        let folder = repository
            .directory
            .join(&repository.configuration.declarations);
        std::fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
        let graph = Graph::new(repository);
        let removal = RemovalPlan {
            removed: added.removed.clone(),
            ..RemovalPlan::default()
        };
        let mut changes = Vec::new();
        let mut lines = BTreeMap::new();
        // A killed run leaves no project without what it needs.
        for project in dependencies_first(&graph, &added.written) {
            let name = declaration_file(repository, project);
            let path = repository.directory.join(&name);
            let Some(text) = repository.texts.get(name.as_str()) else {
                continue;
            };
            let declaration = &repository.declarations[project];
            let bytes = text.as_str().as_bytes();
            if std::fs::read(&path).is_ok_and(|there| there == bytes) {
                let version = declaration.version();
                let line = format!("{project} {version} is already declared like this");
                lines.insert(project, Inert::from(&line));
                continue;
            }
            changes.push(FileChange::write(&path, bytes.to_vec()));
            lines.insert(project, self.line(context, &graph, declaration, added));
        }
        for project in added.granted.keys() {
            if let (false, Some(declaration)) = (
                added.written.contains(project),
                repository.declarations.get(project),
            ) {
                let line = format!(
                    "{project} {} stays as it is declared",
                    declaration.version()
                );
                lines.insert(project, Inert::from(&line));
            }
        }
        for project in &added.removed {
            let line = format!("removed {project}, which nothing needs any more");
            lines.insert(project, Inert::from(&line));
        }
        changes.extend(removal.changes(repository)?);
        change_files(&changes, &folder, &|| check_unchanged(context, &self.texts))?;
        Ok(lines.into_values().collect())
    }

    /// Tells the publishers of written declarations: which library has verified them, or that the
    /// index alone states them.
    pub(super) fn tell_publishers(context: &Context<'_>, added: &Added) {
        for (project, stated) in &added.publishers {
            match publisher_sentence(project, stated) {
                Ok(verified) => context.say(&verified),
                Err(unverified) => context.warning(&unverified),
            }
            for other in stated.unverified.iter().skip(1) {
                context.detail(&brief(other));
            }
        }
    }

    /// The line about a written declaration: the old and the new version, and the reasons.
    fn line(
        &self,
        context: &Context<'_>,
        graph: &Graph<'_>,
        now: &Declaration,
        added: &Added,
    ) -> Inert {
        let request = added.granted.get(&now.project);
        let before = self.declarations.get(&now.project);
        let mut details = vec![counted(now.wheels.len(), "wheel")];
        let passed = added.passed_over.get(&now.project);
        let mut newer = passed.into_iter().flatten();
        let because = newer.find_map(|(version, reason)| reason.of_wheels(version));
        let mut reasons = Vec::new();
        let version = now.version();
        let (mut line, versions) = match before.map(Declaration::version) {
            None => (Inert::from("added"), version.to_string()),
            Some(old) if old == version => (Inert::from("changed"), version.to_string()),
            Some(old) => {
                let verb = if old < version {
                    Inert::from("upgraded")
                } else {
                    context.attention("downgraded")
                };
                (verb, format!("{old} -> {version}"))
            }
        };
        match before {
            None if now.automatic => reasons = requirers(graph, now, None, request),
            None => {}
            Some(before) => {
                if before.version() != version {
                    reasons = requirers(graph, now, Some(before.version()), request);
                }
                if before.wheels.len() != now.wheels.len() {
                    details[0] += &format!(" instead of {}", before.wheels.len());
                }
                if now.is_from_index() && !before.is_from_index() {
                    details.push("from the index, unlike before".to_owned());
                }
                let extras = now.extras();
                details.extend(
                    extras
                        .difference(&before.extras())
                        .map(|extra| format!("with the extra `{extra}`")),
                );
            }
        }
        match (before.map(|before| before.automatic), now.automatic) {
            (None | Some(true), true) => details.push("automatic".to_owned()),
            (Some(false), true) => details.push("automatic from now on".to_owned()),
            (Some(true), false) => details.push("wanted from now on".to_owned()),
            (None | Some(false), false) => {}
        }
        details.extend(because);
        let unnamed = reasons.len().saturating_sub(MAXIMUM_REASONS);
        reasons.truncate(MAXIMUM_REASONS);
        if unnamed > 0 {
            reasons.push(format!("and {unnamed} more"));
        }
        let mut words = vec![format!("{} {versions}", now.project)];
        words.extend(reasons);
        line += &format!(" {} ({})", words.join(", "), details.join(", "));
        line
    }

    /// Prints the new findings as `check` does, and returns the exit code. Unmet requirements count
    /// as errors only if `closes` is set.
    pub(super) fn compare(
        &self,
        context: &Context<'_>,
        closes: bool,
    ) -> Result<ExitStatus, Failure> {
        let now = context.repository()?;
        let mut findings = known_findings(&context.session, &now, Some(&self.declarations));
        compare(&self.findings, &mut findings, &now.configuration.platforms);
        findings.retain(|finding| finding.baseline != Some(Baseline::Unchanged));
        for finding in &mut findings {
            // All of them are new, so the mark is not printed.
            finding.baseline = None;
        }
        merge_licences(&now, &mut findings, context.session.today(), "");
        if findings.is_empty() {
            return Ok(ExitStatus::Clean);
        }
        show(context, &now, &findings, MessageFormat::Text)?;
        let words = count(&findings).unwrap_or_default();
        findings.retain(|finding| closes || !finding.code.is_open_requirement());
        if has_errors(&findings) {
            context.error(&format!("the change was written and adds {words}"));
            return Ok(ExitStatus::Findings);
        }
        context.say(&format!("the change adds {words}"));
        Ok(ExitStatus::Clean)
    }
}

/// The publisher of a project: what was verified, or else the word of the index and the reason why it
/// is not verified.
fn publisher_sentence(project: &ProjectName, stated: &StatedPublisher) -> Result<String, String> {
    let Some((first, others)) = stated.unverified.split_first() else {
        let line = stated.line.as_deref().unwrap_or(NO_PUBLISHER);
        return Ok(format!(
            "{project}: published by {line}, verified by {VERIFIER}"
        ));
    };
    let mut reason = brief(first);
    if !others.is_empty() {
        reason += &format!("; and {}", counted(others.len(), "more reason"));
    }
    Err(match &stated.line {
        Some(line) => format!(
            "the index says that {project} is published by {line}, and that is not verified: \
             {reason}"
        ),
        None => format!("the publisher of {project} is not known: {reason}"),
    })
}

/// Compares the files of the repository with their texts when a change was planned.
///
/// # Errors
/// When another process has changed one.
pub(super) fn check_unchanged(context: &Context<'_>, planned: &SourceTexts) -> Result<(), Failure> {
    let now = context.repository()?.texts;
    let mut names = now.keys().chain(planned.keys());
    match names.find(|name| now.get(*name) != planned.get(*name)) {
        None => Ok(()),
        Some(name) => Err(Failure::world(format!(
            "another process has changed `{name}` since this run read it"
        ))
        .help("no file was changed or removed; run the same command again")),
    }
}

/// Projects in an order in which each comes after those that it requires, as far as there is one.
fn dependencies_first<'a>(
    graph: &Graph<'_>,
    projects: &'a BTreeSet<ProjectName>,
) -> Vec<&'a ProjectName> {
    let mut order = Vec::new();
    let mut known: BTreeSet<&ProjectName> = BTreeSet::new();
    for project in projects {
        // Each step is a project, and whether those that it requires have been added.
        let mut open = vec![(project, false)];
        while let Some((project, is_left)) = open.pop() {
            if is_left {
                order.push(project);
                continue;
            }
            if !known.insert(project) {
                continue;
            }
            open.push((project, true));
            let required = graph.relations().of(project).iter();
            open.extend(
                required.filter_map(|relation| Some((projects.get(relation.to())?, false))),
            );
        }
    }
    order
}

/// The projects that require a project: all of them, or those that the old version does not
/// satisfy.
fn requirers(
    graph: &Graph<'_>,
    now: &Declaration,
    before: Option<&Version>,
    request: Option<&ProjectRequest>,
) -> Vec<String> {
    let needed = graph.needed(&now.project);
    let mut reasons = Vec::new();
    for project in &needed.by {
        let mut specifiers = needed
            .constraints
            .iter()
            .filter(|(by, _)| by == project)
            .map(|(_, specifiers)| specifiers)
            .filter(|specifiers| before.is_none_or(|old| !specifiers_contain(specifiers, old)))
            .map(specifiers_text)
            .peekable();
        if specifiers.peek().is_some() {
            let specifiers: Vec<String> = specifiers.collect();
            reasons.push(format!("{project} needs {}", specifiers.join(" and ")));
        } else if before.is_none() {
            reasons.push(format!("{project} needs it"));
        }
    }
    let wishes = request.into_iter().flat_map(ProjectRequest::wishes);
    if let Some(old) = before {
        for wish in wishes.filter(|wish| !specifiers_contain(&wish.specifiers, old)) {
            let specifiers = specifiers_text(&wish.specifiers);
            reasons.push(format!("{} requires {specifiers}", wish.place));
        }
    }
    reasons
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// Without one reason against it, and only then.
    #[test]
    fn what_was_verified_is_called_so() {
        let project = "plum".parse().unwrap();
        let mut stated = StatedPublisher {
            line: Some("Google us@example.org".to_owned()),
            unverified: Vec::new(),
            is_offered: true,
        };
        assert_eq!(
            publisher_sentence(&project, &stated),
            Ok(format!(
                "plum: published by Google us@example.org, verified by {VERIFIER}"
            ))
        );
        stated.unverified = vec!["`a.whl` has no provenance".to_owned(); 3];
        assert_eq!(
            publisher_sentence(&project, &stated).unwrap_err(),
            "the index says that plum is published by Google us@example.org, and that is not \
             verified: `a.whl` has no provenance; and 2 more reasons"
        );
    }
}
