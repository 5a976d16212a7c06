//! What those commands share that ask the set: who requires whom on the platforms that are looked at,
//! names as they are typed, and the words for an edge.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{Constraint, ExtraName, Platform, ProjectName, Requirement, specifiers_text};

use super::context::Context;
use super::exit::Failure;
use super::facts::Gathered;
use super::report::{count, judge};
use crate::foundation::diagnostic::nearest;
use crate::set::check::{self, fold};
use crate::set::graph::{Graph, Relation, Shortfall};
use crate::set::repository::{CONFIGURATION_FILE, Repository, covers_platform};

/// The set as it stands on some of the platforms.
pub(super) struct Scope<'r> {
    pub(super) repository: &'r Repository,
    pub(super) graph: Graph<'r>,
    /// The requirements that hold there, each on these platforms only.
    pub(super) relations: Vec<Relation<'r>>,
    /// The platforms, as indices into the repository's.
    pub(super) selected: BTreeSet<usize>,
    platforms: Vec<Platform>,
}

/// A project that was typed, with the extras behind its name.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) project: ProjectName,
    pub(super) extras: BTreeSet<ExtraName>,
}

impl<'r> Scope<'r> {
    /// The set on the platforms that these texts name as waivers do; on all where there is none.
    pub(super) fn new(repository: &'r Repository, platforms: &[String]) -> Result<Self, Failure> {
        let selected = selected(repository, platforms)?;
        let graph = Graph::new(repository);
        let all = &repository.configuration.platforms;
        Ok(Self {
            repository,
            relations: graph.relations(&selected),
            graph,
            platforms: selected.iter().map(|index| all[*index].clone()).collect(),
            selected,
        })
    }

    /// Platforms in few words; `None` for all that are looked at.
    pub(super) fn place(&self, platforms: &BTreeSet<usize>) -> Option<String> {
        if *platforms == self.selected {
            return None;
        }
        fold(&self.names(platforms), &self.platforms)
    }

    /// The names of platforms, in order.
    pub(super) fn names(&self, platforms: &BTreeSet<usize>) -> Vec<String> {
        platform_names(self.repository, platforms)
    }

    /// A project's name and version, as far as there is one.
    pub(super) fn title(&self, project: &ProjectName) -> String {
        match self.repository.declarations.get(project) {
            Some(declaration) => format!("{project} {}", declaration.version()),
            None => project.to_string(),
        }
    }

    /// The name of a project that is declared or required, as long as the set lives.
    pub(super) fn project(&self, project: &ProjectName) -> Option<&'r ProjectName> {
        let declared = self.repository.declarations.get_key_value(project);
        let required = || {
            let mut names = self.relations.iter().map(|one| &one.requirement.name);
            names.find(|name| *name == project)
        };
        declared
            .map(|(name, _)| name)
            .or_else(required)
            .or_else(|| self.repository.unreadable.get(project))
    }

    /// Reads `NAME` or `NAME[EXTRA,…]`. The project has to be declared or required.
    pub(super) fn named(&self, text: &str) -> Result<Named, Failure> {
        let named = named(text)?;
        let is_required = self
            .relations
            .iter()
            .any(|relation| relation.requirement.name == named.project);
        if !is_required {
            known(self.repository, &named.project)?;
        }
        if let Some(declaration) = self.repository.declarations.get(&named.project) {
            // What someone asks for in vain can be asked about, too.
            let has = |extra: &ExtraName| {
                declaration
                    .wheels
                    .iter()
                    .any(|wheel| wheel.has_extra(extra))
                    || self.relations.iter().any(|relation| {
                        relation.requirement.name == named.project
                            && relation.requirement.extras.contains(extra)
                    })
            };
            if let Some(extra) = named.extras.iter().find(|extra| !has(extra)) {
                let extras = declaration.wheels.iter().flat_map(|wheel| &wheel.extras);
                return Err(no_extra(
                    &format!("`{}` has no extra `{extra}`", named.project),
                    extra,
                    extras.map(|extra| extra.value.as_str()),
                ));
            }
        }
        Ok(named)
    }
}

/// A failure about an extra that is not there, with the nearest one that is.
pub(super) fn no_extra<'a>(
    message: &str,
    extra: &ExtraName,
    known: impl Iterator<Item = &'a str>,
) -> Failure {
    let known: BTreeSet<&str> = known.collect();
    let failure = Failure::usage(message);
    match nearest(extra.as_str(), known.iter().copied()) {
        Some(word) => failure.help(format!("did you mean `{word}`?")),
        None if known.is_empty() => failure.help("no extra is declared"),
        None => {
            let known: Vec<&str> = known.into_iter().collect();
            failure.help(format!("the declared extras are {}", known.join(", ")))
        }
    }
}

/// Reads `NAME` or `NAME[EXTRA,…]`.
fn named(text: &str) -> Result<Named, Failure> {
    let requirement: Requirement = text.parse().map_err(|_| {
        Failure::usage(format!("`{text}` does not name a project"))
            .help("projects are written `NAME` or `NAME[EXTRA]`")
    })?;
    let is_bare = matches!(&requirement.constraint, Constraint::Specifiers(all) if all.is_empty());
    if !is_bare || requirement.marker.is_some() {
        return Err(Failure::usage(format!(
            "`{text}` names a version or a marker, and the set has one version of each project"
        ))
        .help(format!("write `{}`", requirement.name)));
    }
    Ok(Named {
        project: requirement.name,
        extras: requirement.extras,
    })
}

/// Reads the name of a project that is in the set, perhaps with a text that cannot be understood.
pub(super) fn member(repository: &Repository, text: &str) -> Result<ProjectName, Failure> {
    let named = named(text)?;
    if !named.extras.is_empty() {
        return Err(
            Failure::usage(format!("`{text}` names an extra of a project"))
                .help(format!("write `{}`", named.project)),
        );
    }
    known(repository, &named.project)?;
    Ok(named.project)
}

/// The set has a project, perhaps with a text that cannot be understood.
fn known(repository: &Repository, project: &ProjectName) -> Result<(), Failure> {
    let (declared, unreadable) = (&repository.declarations, &repository.unreadable);
    if declared.contains_key(project) || unreadable.contains(project) {
        return Ok(());
    }
    // What is declared, and where, is not known then.
    if repository.has_configuration_errors() {
        return Err(Failure::finding(format!(
            "`{CONFIGURATION_FILE}` cannot be understood, so it is not known whether `{project}` is in the set"
        ))
        .help("`ipwhl check` shows what is wrong with it"));
    }
    let failure = Failure::usage(format!("`{project}` is not in the set"));
    let names = declared.keys().chain(unreadable).map(ProjectName::as_str);
    Err(match nearest(project.as_str(), names) {
        Some(word) => failure.help(format!("did you mean `{word}`?")),
        None => failure.help(format!(
            "`ipwhl list` shows what is; `ipwhl add {project}` declares it"
        )),
    })
}

/// The platforms that these texts name, all of them where there is none.
pub(super) fn selected(
    repository: &Repository,
    texts: &[String],
) -> Result<BTreeSet<usize>, Failure> {
    let platforms = &repository.configuration.platforms;
    if texts.is_empty() {
        return Ok((0..platforms.len()).collect());
    }
    let mut selected = BTreeSet::new();
    for text in texts {
        let is_covered = |index: &usize| covers_platform(text, &platforms[*index]);
        let covered: Vec<usize> = (0..platforms.len()).filter(is_covered).collect();
        selected.extend(&covered);
        if covered.is_empty() {
            let words: BTreeSet<String> = platforms
                .iter()
                .flat_map(|platform| {
                    [
                        platform.to_string(),
                        platform.python_tag(),
                        platform.system().to_owned(),
                    ]
                })
                .collect();
            let failure = Failure::usage(format!("`{text}` names none of the supported platforms"));
            return Err(
                match nearest(text, words.iter().map(String::as_str)) {
                    Some(word) => failure.help(format!("did you mean `{word}`?")),
                    None => failure.help(
                        "name an interpreter, a system or both of `[platforms]`: `cp312`, `win_amd64`, `cp312-win_amd64`",
                    ),
                },
            );
        }
    }
    Ok(selected)
}

/// The names of platforms, in order.
pub(super) fn platform_names(repository: &Repository, platforms: &BTreeSet<usize>) -> Vec<String> {
    platforms
        .iter()
        .filter_map(|index| repository.configuration.platforms.get(*index))
        .map(ToString::to_string)
        .collect()
}

/// Says once that the set has findings, since what is asked of such a set may be half an answer.
pub(super) fn tell_of_findings(context: &Context<'_>, repository: &Repository) {
    if repository.configuration.platforms.is_empty() {
        context.say("note: no supported platform is known, so no requirement is looked at");
    }
    let mut findings = repository.findings.clone();
    findings.extend(check::set(repository));
    let findings = judge(context, repository, findings, &Gathered::default());
    if let Some(count) = count(&findings) {
        context.say(&format!(
            "note: the set has {count}; `ipwhl check` shows what is wrong"
        ));
    }
}

/// What one project requires of another, told in one line: the same words under several extras or
/// markers are one edge.
#[derive(Debug, Clone)]
pub(super) struct Edge<'a, 'r> {
    pub(super) from: &'r ProjectName,
    pub(super) requirement: &'r Requirement,
    /// The requirement without its marker.
    pub(super) words: String,
    /// The extras under which alone it holds; empty where it holds without one.
    pub(super) extras: BTreeSet<&'r ExtraName>,
    pub(super) platforms: BTreeSet<usize>,
    pub(super) shortfall: Option<&'a Shortfall>,
}

/// These relations as edges, by who requires, then by what is required.
pub(super) fn edges<'a, 'r: 'a>(
    relations: impl IntoIterator<Item = &'a Relation<'r>>,
) -> Vec<Edge<'a, 'r>> {
    let mut by_extra: BTreeMap<_, Edge<'a, 'r>> = BTreeMap::new();
    for relation in relations {
        let (from, requirement) = (&relation.from.project, relation.requirement);
        let words = bare(requirement);
        let key = (from, &requirement.name, relation.extra, words.clone());
        let edge = by_extra.entry(key).or_insert_with(|| Edge {
            from,
            requirement,
            words,
            extras: relation.extra.into_iter().collect(),
            platforms: BTreeSet::new(),
            shortfall: None,
        });
        edge.platforms.extend(&relation.platforms);
        edge.shortfall = edge.shortfall.or(relation.shortfall.as_ref());
    }
    let mut edges: Vec<Edge<'a, 'r>> = Vec::new();
    let mut known: BTreeMap<_, usize> = BTreeMap::new();
    for edge in by_extra.into_values() {
        let projects = (edge.from, &edge.requirement.name);
        let (words, platforms) = (edge.words.clone(), edge.platforms.clone());
        let identity = (projects, words, platforms, edge.extras.is_empty());
        let index = *known.entry(identity).or_insert(edges.len());
        match edges.get_mut(index) {
            // The same words on the same platforms have the same shortfall.
            Some(twin) => twin.extras.extend(&edge.extras),
            None => edges.push(edge),
        }
    }
    edges
}

impl Edge<'_, '_> {
    /// What is to be said of it beside the requirement: ` [extra: pit] [only: cp312 on win_amd64]`.
    pub(super) fn notes(&self, scope: &Scope<'_>) -> String {
        let mut notes = String::new();
        if !self.extras.is_empty() {
            let extras: Vec<&str> = self.extras.iter().map(|extra| extra.as_str()).collect();
            notes += &format!(" [extra: {}]", extras.join(", "));
        }
        if let Some(place) = scope.place(&self.platforms) {
            notes += &format!(" [only: {place}]");
        }
        notes
    }

    /// ` [unmet: not in the set]`, where it is not satisfied.
    pub(super) fn unmet(&self) -> Option<String> {
        Some(format!(" [unmet: {}]", self.shortfall?))
    }
}

/// A requirement without its marker.
pub(super) fn bare(requirement: &Requirement) -> String {
    format!("{}{}", with_extras(requirement), constraint(requirement))
}

/// `name[extra]` of a requirement.
pub(super) fn with_extras(requirement: &Requirement) -> String {
    let extras: Vec<&str> = requirement.extras.iter().map(ExtraName::as_str).collect();
    if extras.is_empty() {
        requirement.name.to_string()
    } else {
        format!("{}[{}]", requirement.name, extras.join(","))
    }
}

/// What a requirement says of the version: `>=2`, or ` @ URL`.
pub(super) fn constraint(requirement: &Requirement) -> String {
    match &requirement.constraint {
        Constraint::Specifiers(specifiers) => specifiers_text(specifiers),
        Constraint::Url(url) => format!(" @ {url}"),
    }
}
