//! What the index has that is newer than the set.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use ipwhl_packaging::{ProjectName, Version};

use super::context::Context;
use super::exit::Failure;
use super::network::{NetworkArguments, fetcher, runtime};
use super::progress::Progress;
use super::select::{Newest, newest};
use super::words::counted;
use crate::set::declaration::Declaration;
use crate::set::graph::GraphQuery;
use crate::source::SourceProblem;

/// How many projects that could not be asked about are told of, unless `-v` wants all.
const FULL_FAILURES: usize = 3;

/// What the index said of some projects.
#[derive(Default)]
pub(super) struct Outdated {
    known: BTreeMap<ProjectName, Newest>,
    /// Whether some could not be asked about.
    pub(super) failed: bool,
}

impl Outdated {
    /// Asks the index about these projects, and says which it could not be asked about.
    pub(super) fn ask(
        context: &Context<'_>,
        query: &GraphQuery<'_>,
        declarations: &[&Declaration],
        arguments: &NetworkArguments,
    ) -> Result<Self, Failure> {
        if arguments.offline {
            return Err(Failure::usage(
                "`--outdated` asks the index, and `--offline` asks nobody",
            ));
        }
        let configuration = &query.repository.configuration;
        let fetcher = fetcher(context, configuration, arguments, configuration.profile)?;
        let names = declarations.iter().map(|one| one.project.to_string());
        let progress = Progress::new(context, names.collect(), "project");
        let answers: Vec<(usize, Result<Option<Newest>, SourceProblem>)> = runtime()?.block_on(
            stream::iter(declarations.iter().enumerate())
                .map(|(number, declaration)| {
                    let needed = query.graph.needed(&declaration.project);
                    let (fetcher, platforms) = (&fetcher, &configuration.platforms);
                    async move {
                        let everywhere = !declaration.automatic;
                        let newest = newest(fetcher, platforms, needed, everywhere);
                        (number, newest.await)
                    }
                })
                .buffer_unordered(arguments.jobs().get())
                .inspect(|_| progress.verified())
                .collect(),
        );
        progress.clear();
        let mut outdated = Self::default();
        let mut failures: BTreeMap<&ProjectName, SourceProblem> = BTreeMap::new();
        for (number, answer) in answers {
            let project = &declarations[number].project;
            match answer {
                Ok(Some(newest)) => {
                    outdated.known.insert(project.clone(), newest);
                }
                Ok(None) => {}
                Err(failure) => {
                    failures.insert(project, failure);
                }
            }
        }
        let unknown: Vec<&str> = declarations
            .iter()
            .map(|declaration| &declaration.project)
            .filter(|name| !outdated.known.contains_key(*name) && !failures.contains_key(*name))
            .map(ProjectName::as_str)
            .collect();
        if !unknown.is_empty() {
            context.say(&format!(
                "note: the index does not have {}",
                unknown.join(", ")
            ));
        }
        let in_full = if context.verbose > 0 {
            failures.len()
        } else {
            FULL_FAILURES
        };
        for (project, failure) in failures.iter().take(in_full) {
            context.error(&format!("{project}: {failure}"));
        }
        if failures.len() > in_full {
            context.error(&format!(
                "the index could not be asked about {} either (`-v` names them)",
                counted(failures.len() - in_full, "more project")
            ));
        }
        outdated.failed = !failures.is_empty();
        Ok(outdated)
    }

    /// Whether the index has said something of a project.
    pub(super) fn knows(&self, declaration: &Declaration) -> bool {
        self.known.contains_key(&declaration.project)
    }

    /// The newest version in the index, where it is newer than the declared one.
    pub(super) fn newest(&self, declaration: &Declaration) -> Option<&Version> {
        let newest = self.known.get(&declaration.project)?.newest.as_ref();
        newest.filter(|version| *version > declaration.version())
    }

    /// The newest version that fits, where it is newer than the declared one.
    pub(super) fn fitting(&self, declaration: &Declaration) -> Option<&Version> {
        let fitting = self.known.get(&declaration.project)?.fitting.as_ref();
        fitting.filter(|version| *version > declaration.version())
    }

    /// Whether the index has something newer.
    pub(super) fn has(&self, declaration: &Declaration) -> bool {
        self.newest(declaration).is_some() || self.fitting(declaration).is_some()
    }
}
