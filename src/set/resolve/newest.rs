//! Newer versions of a declared project in the index.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{Version, WheelFileName};

use super::{ProjectRequest, Selector};
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
/// `wanted_on` are the platforms where the set offers it, if it is wanted for itself.
pub async fn newest(
    fetcher: &Fetcher,
    selector: Selector<'_>,
    needed: ProjectNeed,
    wanted_on: Option<BTreeSet<usize>>,
) -> Result<Option<Newest>, SourceProblem> {
    let mut request = ProjectRequest::automatic(needed);
    if let Some(platforms) = wanted_on {
        request.automatic = false;
        request.platforms = platforms;
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
    let fitting = selector.select(&request, &page.files, &BTreeMap::new());
    Ok(Some(Newest {
        newest: versions.max(),
        fitting: fitting.ok().map(|selection| selection.version),
    }))
}
