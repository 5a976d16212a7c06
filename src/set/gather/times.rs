//! Times of uploads, as the index states them.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use ipwhl_packaging::ProjectName;

use super::wheels::{Gathering, SharedFetcher};
use super::{WheelFailure, WheelReport};
use crate::foundation::failure::Failure;
use crate::set::declaration::{DeclaredWheel, PackageUrl, Source};
use crate::source::{SourceProblem, Work};

/// The package URL by which the index can confirm the time of a wheel: it declares a time, and the
/// index has the file.
fn package(wheel: &DeclaredWheel) -> Option<&PackageUrl> {
    wheel.uploaded.as_ref()?;
    wheel.sources.iter().find_map(|source| match &source.value {
        Source::Package(package) => Some(package),
        Source::Web(_) | Source::File(_) => None,
    })
}

/// The wheels whose declared times can be compared with the index: those with a package URL.
pub fn timed_wheels<'w>(wheels: &[&'w DeclaredWheel]) -> Vec<&'w DeclaredWheel> {
    let wheels = wheels.iter().copied();
    wheels.filter(|wheel| package(wheel).is_some()).collect()
}

impl Gathering<'_> {
    /// The times that the index states of these wheels. A page is fetched once for all wheels of
    /// its project. A project, file or time that the index does not have leaves the time unknown.
    pub(super) fn ask_times(
        &self,
        fetcher: &SharedFetcher<'_>,
        wheels: &[&DeclaredWheel],
    ) -> Result<WheelReport, Failure> {
        let mut report = WheelReport::default();
        let mut projects: BTreeMap<&ProjectName, Vec<(&DeclaredWheel, &PackageUrl)>> =
            BTreeMap::new();
        for wheel in wheels {
            if let Some(package) = package(wheel) {
                let wheels = projects.entry(&package.project).or_default();
                wheels.push((wheel, package));
            }
        }
        let fetcher = fetcher.get()?;
        let names = projects.keys().map(ToString::to_string).collect();
        let progress = self.session.begin(Work::Projects, names);
        let mut pages: Vec<_> = self.session.runtime()?.block_on(
            stream::iter(projects.keys().enumerate())
                .map(|(number, project)| async move {
                    let page = match fetcher.index().await {
                        Ok(index) => index.project(project.as_str()).await,
                        Err(problem) => Err(problem),
                    };
                    (number, page)
                })
                .buffer_unordered(self.network.jobs.get())
                .inspect(|_| progress.verified())
                .collect(),
        );
        progress.clear();
        pages.sort_by_key(|(number, _)| *number);
        for ((_, page), wheels) in pages.into_iter().zip(projects.into_values()) {
            match page {
                Ok(page) => {
                    for (wheel, package) in wheels {
                        let file = page.file(&package.file_name);
                        if let Some(time) = file.and_then(|file| file.uploaded) {
                            let file_name = wheel.file_name.as_str().to_owned();
                            report.times.insert(file_name, time);
                        }
                    }
                }
                Err(SourceProblem::Failed { place, reason }) => {
                    let failures = wheels.into_iter().map(|(wheel, _)| WheelFailure {
                        place: Some(place.clone()),
                        ..WheelFailure::new(wheel, &reason)
                    });
                    report.failures.extend(failures);
                }
                // The index has no such project, so it states no times.
                Err(_) => {}
            }
        }
        Ok(report)
    }
}
