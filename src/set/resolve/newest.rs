//! Newer versions of a declared project in the index.

use std::collections::BTreeMap;

use ipwhl_packaging::{Platform, Version, WheelFileName};

use super::{Prefer, ProjectRequest, Selector};
use crate::set::graph::ProjectNeed;
use crate::source::{Fetcher, SourceProblem};

/// The newest versions of a declared project in the index.
#[derive(Debug, Default)]
pub struct Newest {
    /// The newest final version with a wheel that was not yanked.
    pub newest: Option<Version>,
    /// The newest version that `ipwhl add` would take: all requirers accept it, and its wheels
    /// cover the platforms.
    pub fitting: Option<Version>,
}

/// The newest versions of a project in the index; `None` if the index does not have the project.
pub async fn newest(
    fetcher: &Fetcher,
    platforms: &[Platform],
    needed: ProjectNeed,
    everywhere: bool,
) -> Result<Option<Newest>, SourceProblem> {
    let mut request = ProjectRequest::automatic(needed);
    if everywhere {
        request.automatic = false;
        request.platforms = (0..platforms.len()).collect();
    }
    let page = match fetcher
        .index()
        .await?
        .project(request.project.as_str())
        .await
    {
        Ok(page) => page,
        Err(SourceProblem::Missing { .. }) => return Ok(None),
        Err(problem) => return Err(problem),
    };
    let versions = page.files.iter().filter_map(|file| {
        let file_name = file.file_name.parse::<WheelFileName>().ok()?;
        let is_usable = *file_name.name() == request.project
            && file.yanked.is_none()
            && !file_name.version().any_prerelease();
        is_usable.then(|| file_name.version().clone())
    });
    let selector = Selector {
        platforms,
        prefer: Prefer::Native,
        refused: &BTreeMap::new(),
    };
    let fitting = selector.select(&request, &page.files).ok();
    Ok(Some(Newest {
        newest: versions.max(),
        fitting: fitting.map(|selection| selection.version),
    }))
}
