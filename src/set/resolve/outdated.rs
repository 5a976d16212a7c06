//! Versions in the index that are newer than those in the set.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use ipwhl_packaging::{ProjectName, Version};

use super::{Newest, Selector, newest, offered_platforms};
use crate::foundation::failure::Failure;
use crate::set::declaration::Declaration;
use crate::set::gather::Network;
use crate::set::graph::Graph;
use crate::set::repository::Repository;
use crate::source::{Session, SourceProblem, Work};

/// The index's answers for some projects.
#[derive(Debug, Default)]
pub struct Outdated {
    known: BTreeMap<ProjectName, Newest>,
    /// The projects that the index does not have, in the order of the request.
    pub unknown: Vec<ProjectName>,
    /// The projects whose request failed, with the reason.
    pub failures: BTreeMap<ProjectName, SourceProblem>,
}

impl Outdated {
    /// Asks the index about these projects.
    ///
    /// # Errors
    /// When there is no cache, or no thread for the network.
    pub fn ask(
        session: &Session,
        network: &Network,
        repository: &Repository,
        graph: &Graph<'_>,
        declarations: &[&Declaration],
    ) -> Result<Self, Failure> {
        let configuration = &repository.configuration;
        let fetcher = network.fetcher(session, configuration, configuration.profile)?;
        let selector = Selector::of(configuration, session.now());
        let offered = offered_platforms(repository);
        let everywhere = 0..configuration.platforms.len();
        let names = declarations.iter().map(|one| one.project.to_string());
        let progress = session.begin(Work::Projects, names.collect());
        let answers: Vec<(usize, Result<Option<Newest>, SourceProblem>)> =
            session.runtime()?.block_on(
                stream::iter(declarations.iter().enumerate())
                    .map(|(number, declaration)| {
                        let needed = graph.needed(&declaration.project);
                        let wanted_on = (!declaration.automatic).then(|| {
                            match offered.get(&declaration.project) {
                                Some(on) => on.iter().collect(),
                                None => everywhere.clone().collect(),
                            }
                        });
                        let newest = newest(&fetcher, selector, needed, wanted_on);
                        async move { (number, newest.await) }
                    })
                    .buffer_unordered(network.jobs.get())
                    .inspect(|_| progress.verified())
                    .collect(),
            );
        progress.clear();
        let mut outdated = Self::default();
        for (number, answer) in answers {
            let project = declarations[number].project.clone();
            match answer {
                Ok(Some(newest)) => {
                    outdated.known.insert(project, newest);
                }
                Ok(None) => {}
                Err(failure) => {
                    outdated.failures.insert(project, failure);
                }
            }
        }
        outdated.unknown = declarations
            .iter()
            .map(|declaration| &declaration.project)
            .filter(|name| {
                !outdated.known.contains_key(*name) && !outdated.failures.contains_key(*name)
            })
            .cloned()
            .collect();
        Ok(outdated)
    }

    /// Whether the index has answered for a project.
    pub fn knows(&self, declaration: &Declaration) -> bool {
        self.known.contains_key(&declaration.project)
    }

    /// The newest version in the index, if it is newer than the declared one.
    pub fn newest(&self, declaration: &Declaration) -> Option<&Version> {
        let newest = self.known.get(&declaration.project)?.newest.as_ref();
        newest.filter(|version| *version > declaration.version())
    }

    /// The newest version that fits, if it is newer than the declared one.
    pub fn fitting(&self, declaration: &Declaration) -> Option<&Version> {
        let fitting = self.known.get(&declaration.project)?.fitting.as_ref();
        fitting.filter(|version| *version > declaration.version())
    }

    /// Whether the index has a newer version.
    pub fn has(&self, declaration: &Declaration) -> bool {
        self.newest(declaration).is_some() || self.fitting(declaration).is_some()
    }
}
