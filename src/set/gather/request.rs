//! Declared wheels as requests for the `source` box.

use std::path::Path;

use crate::foundation::diagnostic::{Code, Severity};
use crate::set::declaration::{DeclaredWheel, Source};
use crate::set::repository::{Configuration, Repository, SeverityRule};
use crate::source::{SourceLocation, WheelRequest};

/// Every wheel of the repository.
pub fn all_wheels(repository: &Repository) -> Vec<&DeclaredWheel> {
    repository
        .declarations
        .values()
        .flat_map(|declaration| &declaration.wheels)
        .collect()
}

/// Requests for declared wheels of a repository, without addresses that must not be used.
pub(super) fn wheel_requests(
    repository: &Repository,
    wheels: &[&DeclaredWheel],
) -> Vec<WheelRequest> {
    wheels
        .iter()
        .map(|wheel| {
            let mut request = wheel_request(&repository.directory, wheel);
            if !allows_insecure(&repository.configuration, wheel) {
                for (location, source) in request.sources.iter_mut().zip(&wheel.sources) {
                    if let Source::Web(url) = &source.value
                        && source.value.is_insecure()
                    {
                        *location = SourceLocation::Insecure(url.clone());
                    }
                }
            }
            request
        })
        .collect()
}

/// Whether a waiver or a severity allows addresses without transport security; otherwise they are
/// errors and are not used.
fn allows_insecure(configuration: &Configuration, wheel: &DeclaredWheel) -> bool {
    let code = Code::InsecureSource;
    let is_softened = match configuration.severity.get(&code) {
        Some(SeverityRule::Off | SeverityRule::Weighs(Severity::Warning)) => true,
        Some(SeverityRule::Weighs(Severity::Error)) | None => false,
    };
    let mut waivers = configuration.waivers.iter();
    is_softened
        || configuration.allowed.contains(&code)
        || waivers.any(|waiver| waiver.code == code && waiver.project == *wheel.file_name.name())
}

/// A declared wheel as a request; `file:` is relative to this folder.
pub fn wheel_request(directory: &Path, wheel: &DeclaredWheel) -> WheelRequest {
    let sources = wheel
        .sources
        .iter()
        .map(|source| match &source.value {
            Source::Package(package) => SourceLocation::PackageUrl {
                project: package.project.to_string(),
                version: package.version.to_string(),
                file_name: package.file_name.clone(),
            },
            Source::Web(url) => SourceLocation::Web(url.clone()),
            Source::File(path) => SourceLocation::File {
                directory: directory.to_path_buf(),
                path: path.clone(),
            },
        })
        .collect();
    WheelRequest {
        project: wheel.file_name.name().to_string(),
        file_name: wheel.file_name.as_str().to_owned(),
        sources,
        content_id: wheel.content_id.value,
        sha256: wheel.sha256.as_ref().map(|sha256| sha256.value),
        size: wheel.size.as_ref().map(|size| size.value),
    }
}
