//! What the index has of a project that is declared already.

use super::{Resolver, Wish, world};
use crate::check::Unmet;
use crate::command::exit::Failure;
use crate::command::select::Prefer;
use crate::python::{Platform, Version, WheelFileName};
use crate::source::{Fetcher, SourceProblem};

/// What the index has of a project that is declared.
#[derive(Debug, Default)]
pub(in crate::command) struct Newest {
    /// The newest final version with a wheel that was not yanked.
    pub(in crate::command) newest: Option<Version>,
    /// The newest version that `ipwhl add` would take: all who require the project accept it, and its
    /// wheels cover the platforms.
    pub(in crate::command) fitting: Option<Version>,
}

impl Resolver<'_> {
    /// What the index has of a project; `None` where it does not know the project.
    pub(in crate::command) async fn newest(
        fetcher: &Fetcher,
        platforms: &[Platform],
        needed: Unmet,
        everywhere: bool,
    ) -> Result<Option<Newest>, Failure> {
        let resolver = Resolver {
            fetcher,
            platforms,
            prefer: Prefer::Native,
            progress: &|_| {},
        };
        let wish = Wish {
            project: needed.project,
            extras: needed.extras,
            by: needed.by,
            constraints: needed
                .constraints
                .into_iter()
                .map(|(project, specifiers)| (project.to_string(), specifiers))
                .collect(),
            platforms: if everywhere {
                (0..platforms.len()).collect()
            } else {
                needed.platforms
            },
            automatic: false,
            keep: None,
        };
        let index = fetcher.index().await.map_err(|problem| world(&problem))?;
        let page = match index.project(wish.project.as_str()).await {
            Ok(page) => page,
            Err(SourceProblem::Missing { .. }) => return Ok(None),
            Err(problem) => return Err(world(&problem)),
        };
        let versions = page.files.iter().filter_map(|file| {
            let file_name = file.file_name.parse::<WheelFileName>().ok()?;
            let is_usable = *file_name.name() == wish.project
                && file.yanked.is_none()
                && !file_name.version().any_prerelease();
            is_usable.then(|| file_name.version().clone())
        });
        Ok(Some(Newest {
            newest: versions.max(),
            fitting: resolver
                .pick(&wish, &page.files)
                .ok()
                .map(|(version, _, _)| version),
        }))
    }
}
