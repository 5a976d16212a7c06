//! What an addition has changed: a line for each project, and the findings that it brings.

use std::collections::BTreeMap;

use ipwhl_packaging::{ProjectName, Version, specifiers_contain, specifiers_text};

use super::super::context::Context;
use super::super::exit::ExitStatus;
use super::super::report::{MessageFormat, count, show};
use super::super::words::counted;
use crate::foundation::diagnostic::{Baseline, Code, Finding, Inert};
use crate::foundation::failure::Failure;
use crate::set::check;
use crate::set::declaration::Declaration;
use crate::set::gather::{all_wheels, known_wheels};
use crate::set::graph::Graph;
use crate::set::judgement::{compare, has_errors, judge};
use crate::set::repository::Repository;
use crate::set::resolve::{ProjectRequest, declared_extras};

/// How many projects are named as the reason for a change.
const MAXIMUM_REASONS: usize = 3;

/// The declarations before the change, and what was wrong with the set.
pub(super) struct Before {
    declarations: BTreeMap<ProjectName, Declaration>,
    findings: Vec<Finding>,
}

impl Before {
    pub(super) fn of(context: &Context<'_>, repository: &Repository) -> Self {
        Self {
            declarations: repository.declarations.clone(),
            findings: find(context, repository),
        }
    }

    /// The line about a project that was written: from what, to what, and for whom.
    pub(super) fn line(
        &self,
        context: &Context<'_>,
        graph: &Graph<'_>,
        now: &Declaration,
        request: Option<&ProjectRequest>,
    ) -> Inert {
        let before = self.declarations.get(&now.project);
        let mut details = vec![counted(now.wheels.len(), "wheel")];
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
                let extras = declared_extras(now);
                details.extend(
                    extras
                        .difference(&declared_extras(before))
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

    /// Shows the findings that the change brings, as `check` words them, and says how the run ends.
    /// A requirement that is left open fails it only where `closes` asked for a closed set.
    pub(super) fn compare(
        &self,
        context: &Context<'_>,
        closes: bool,
    ) -> Result<ExitStatus, Failure> {
        let now = context.repository()?;
        let mut findings = find(context, &now);
        compare(&self.findings, &mut findings, &now.configuration.platforms);
        findings.retain(|finding| finding.baseline != Some(Baseline::Unchanged));
        for finding in &mut findings {
            // There is nothing beside them that they would have to be told from.
            finding.baseline = None;
        }
        if findings.is_empty() {
            return Ok(ExitStatus::Clean);
        }
        show(context, &now, &findings, MessageFormat::Text)?;
        let words = count(&findings).unwrap_or_default();
        findings.retain(|finding| closes || !is_open_requirement(finding.code));
        if has_errors(&findings) {
            context.error(&format!("the change is written, and brings {words}"));
            return Ok(ExitStatus::Findings);
        }
        context.say(&format!("the change brings {words}"));
        Ok(ExitStatus::Clean)
    }
}

/// What `ipwhl check` finds: the set, and the wheels that are known, those of the change among
/// them.
fn find(context: &Context<'_>, repository: &Repository) -> Vec<Finding> {
    let mut findings = check::repository(repository);
    // Without a place for a cache nothing is known, which is no reason to fail.
    let cache = context.session.cache().ok();
    let wheels = all_wheels(repository);
    let known = known_wheels(cache.as_ref(), repository, &wheels);
    findings.extend(check::wheels(repository, &wheels, &known));
    judge(repository, findings, &known, context.session.today(), "")
}

/// What `--with-dependencies` would have closed.
fn is_open_requirement(code: Code) -> bool {
    matches!(
        code,
        Code::MissingDependency
            | Code::UnsatisfiedDependency
            | Code::MissingExtra
            | Code::UnavailableDependency
    )
}

/// Who needs a project as it is now: all who require it, or those whom the version before does not
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
    let typed = request.into_iter().flat_map(ProjectRequest::typed);
    if let Some(old) = before {
        for specifiers in typed.filter(|specifiers| !specifiers_contain(specifiers, old)) {
            let specifiers = specifiers_text(specifiers);
            reasons.push(format!("the command line requires {specifiers}"));
        }
    }
    reasons
}
