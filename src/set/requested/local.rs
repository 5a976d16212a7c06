//! Projects that are not from an index: the one of a `pyproject.toml`, and those of a workspace.
//! Their requirements are the requests.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ipwhl_packaging::{ExtraName, GroupName, Marker, ProjectName, Requirement};

use super::collector::Collector;
use super::ignored::IgnoredKind;
use super::limits::MOST_FOLLOWED_EXTRAS;
use super::place::Place;
use crate::foundation::diagnostic::Code;

/// A project on this machine.
#[derive(Debug, Default)]
pub(super) struct LocalProject {
    /// Its requirements. The marker of one that an extra needs compares `extra`.
    pub(super) dependencies: Vec<LocalDependency>,
    /// Its extras.
    pub(super) extras: BTreeSet<ExtraName>,
    /// Its dependency groups, without those that are not selected.
    pub(super) groups: BTreeMap<GroupName, Vec<LocalDependency>>,
}

/// A requirement of a local project.
#[derive(Debug, Clone)]
pub(super) struct LocalDependency {
    /// The requirement.
    pub(super) requirement: Requirement,
    /// Its source, if that is not an index.
    pub(super) direct: Option<IgnoredKind>,
    /// Whether it names the index to take the project from.
    pub(super) has_index: bool,
    /// Its place.
    pub(super) place: Place,
}

/// The dependencies of a project that are followed next.
struct Step<'p> {
    project: &'p LocalProject,
    extras: BTreeSet<ExtraName>,
    /// Whether the dependencies without extras are already requested.
    is_extra_only: bool,
    condition: Option<Marker>,
}

/// Requests what the projects require, with the selected extras and groups. A requirement for a
/// project of the list itself, as in `all = ["example[a,b]"]`, stands for what that one requires.
pub(super) fn request_dependencies(
    collector: &mut Collector<'_>,
    projects: &BTreeMap<Option<ProjectName>, LocalProject>,
) {
    let selection = collector.selection;
    let mut follower = Follower {
        collector,
        projects,
        steps: VecDeque::new(),
        seen: BTreeSet::new(),
        limit: 0,
    };
    let mut starts = Vec::new();
    for (name, project) in projects {
        for extra in &project.extras {
            follower.collector.define_extra(extra);
        }
        for group in project.groups.keys() {
            follower.collector.define_group(group);
        }
        let is_selected = |extra: &&ExtraName| selection.has_extra(extra);
        let extras = project.extras.iter().filter(is_selected).cloned();
        let extras: BTreeSet<ExtraName> = extras.collect();
        if let Some(name) = name {
            let seen = extras.iter().map(|one| (name.clone(), one.clone(), None));
            follower.seen.extend(seen);
        }
        starts.push((project, extras));
    }
    // The selected extras are not followed again.
    follower.limit = follower.seen.len() + MOST_FOLLOWED_EXTRAS;
    for (project, extras) in starts {
        follower.steps.push_back(Step {
            project,
            extras,
            is_extra_only: false,
            condition: None,
        });
        follower.follow();
        for (group, dependencies) in &project.groups {
            if selection.has_group(group) {
                for dependency in dependencies {
                    let marker = dependency.requirement.marker.clone();
                    follower.dependency(dependency, marker);
                }
                follower.follow();
            }
        }
    }
}

struct Follower<'c, 'f, 'p> {
    collector: &'c mut Collector<'f>,
    projects: &'p BTreeMap<Option<ProjectName>, LocalProject>,
    steps: VecDeque<Step<'p>>,
    /// The followed extras with their conditions.
    seen: BTreeSet<(ProjectName, ExtraName, Option<Marker>)>,
    /// The most elements of `seen`.
    limit: usize,
}

impl<'p> Follower<'_, '_, 'p> {
    fn follow(&mut self) {
        let none = (BTreeSet::new(), BTreeSet::new());
        while let Some(step) = self.steps.pop_front() {
            for dependency in &step.project.dependencies {
                let marker = match &dependency.requirement.marker {
                    None if step.is_extra_only => continue,
                    None => None,
                    Some(marker) => {
                        let selected = marker.select(&step.extras, &none.1);
                        if step.is_extra_only && selected == marker.select(&none.0, &none.1) {
                            continue;
                        }
                        match selected.into_requirement_marker() {
                            None => continue,
                            Some(marker) => marker,
                        }
                    }
                };
                let marker = match (marker, &step.condition) {
                    (Some(marker), Some(condition)) => Some(condition.and(&marker)),
                    (marker, condition) => marker.or_else(|| condition.clone()),
                };
                self.dependency(dependency, marker);
            }
        }
    }

    /// Requests a dependency under a marker, or follows its extras if it is local.
    fn dependency(&mut self, dependency: &LocalDependency, marker: Option<Marker>) {
        let LocalDependency {
            requirement,
            direct,
            has_index,
            place,
        } = dependency;
        if let Some(project) = self.projects.get(&Some(requirement.name.clone())) {
            self.extras(project, requirement, marker, place);
        } else if let Some(kind) = direct {
            self.collector.ignore(kind.clone(), place.clone());
        } else {
            if *has_index {
                let kind = IgnoredKind::Index(requirement.name.clone());
                self.collector.ignore(kind, place.clone());
            }
            let mut requirement = requirement.clone();
            requirement.marker = marker;
            self.collector.add(requirement, place.clone(), false);
        }
    }

    fn extras(
        &mut self,
        project: &'p LocalProject,
        requirement: &Requirement,
        condition: Option<Marker>,
        place: &Place,
    ) {
        let mut extras = BTreeSet::new();
        for extra in &requirement.extras {
            let key = |condition| (requirement.name.clone(), extra.clone(), condition);
            if self.seen.contains(&key(None)) || !self.seen.insert(key(condition.clone())) {
                continue;
            }
            if self.seen.len() == self.limit + 1 {
                self.collector.report(
                    Code::TooLarge,
                    format!("more than {MOST_FOLLOWED_EXTRAS} extras require one another"),
                    place,
                    "require the extras without different markers",
                );
            }
            if self.seen.len() > self.limit {
                return;
            }
            extras.insert(extra.clone());
        }
        if !extras.is_empty() {
            self.steps.push_back(Step {
                project,
                extras,
                is_extra_only: true,
                condition,
            });
        }
    }
}
