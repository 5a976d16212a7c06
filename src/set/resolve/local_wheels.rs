//! Wheel files of the repository that are to be declared.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use ipwhl_packaging::{CoreMetadata, ProjectName, WheelFileName};
use url::Url;

use super::fetched::{read_facts, unavailable};
use crate::foundation::environment::open_beneath;
use crate::foundation::failure::Failure;
use crate::set::declaration::Source;
use crate::set::gather::Facts;
use crate::set::repository::Repository;
use crate::source::{CoreMetadataFile, Fetcher, IndexFile, ProjectPage, SourceLocation};

/// A wheel file of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalWheel {
    /// The name of the file.
    pub file_name: WheelFileName,
    /// Its path from the repository's folder, with `/`.
    pub path: String,
}

impl LocalWheel {
    /// The wheel at an absolute path.
    ///
    /// # Errors
    /// When its name is not that of a wheel, or it is not in the repository.
    pub fn at(repository: &Repository, path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let name = path.file_name().and_then(|name| name.to_str());
        let file_name = name.unwrap_or_default().parse().map_err(|error| {
            Failure::usage(format!(
                "`{shown}` does not have the name of a wheel: {error}"
            ))
        })?;
        // The folders may be links; what is below the repository may not be.
        let directory = repository.directory.canonicalize();
        let folder = path.parent().map(Path::canonicalize);
        let inside = match (directory, folder) {
            (Ok(directory), Some(Ok(folder))) => {
                folder.strip_prefix(&directory).ok().map(Path::to_path_buf)
            }
            _ => None,
        };
        let parts = inside.map(|folder| folder.join(name.unwrap_or_default()));
        let parts: Option<Vec<&str>> = parts
            .iter()
            .flat_map(|path| path.components())
            .map(|part| part.as_os_str().to_str())
            .collect();
        let parts = parts.filter(|parts| !parts.is_empty()).ok_or_else(|| {
            Failure::usage(format!("`{shown}` is not a file of the repository"))
                .help("copy it to a folder of the repository, such as `wheels`, and name it there")
        })?;
        let path = parts.join("/");
        if let Err(error) = Source::parse(&format!("file:{path}")) {
            return Err(Failure::usage(error));
        }
        if let Err(error) = open_beneath(&repository.directory, &path) {
            return Err(Failure::world(format!("`{shown}` cannot be read: {error}")));
        }
        Ok(Self { file_name, path })
    }
}

/// Wheel files that have been read, as an index would offer them.
#[derive(Debug, Default)]
pub(super) struct LocalWheels {
    pages: BTreeMap<ProjectName, Arc<ProjectPage>>,
    files: HashMap<String, ReadWheel>,
}

/// A wheel file that has been read.
#[derive(Debug, Clone)]
pub(super) struct ReadWheel {
    pub(super) path: String,
    pub(super) facts: Arc<Facts>,
    pub(super) metadata: Result<Arc<CoreMetadata>, String>,
}

impl LocalWheels {
    /// Reads wheel files, and keeps them in the cache.
    ///
    /// # Errors
    /// When one cannot be read, or two have the same name.
    pub(super) async fn read(
        fetcher: &Fetcher,
        directory: &Path,
        wheels: &[LocalWheel],
    ) -> Result<Self, Failure> {
        let mut pages: BTreeMap<ProjectName, Vec<IndexFile>> = BTreeMap::new();
        let mut files = HashMap::new();
        // No address is asked.
        let placeless = Url::parse("file:///").map_err(Failure::world)?;
        for wheel in wheels {
            let source = SourceLocation::File {
                directory: directory.to_path_buf(),
                path: wheel.path.clone(),
            };
            let name = wheel.file_name.as_str();
            let copied = fetcher.fetch_source(name, &source).await;
            let copied = copied.map_err(|error| unavailable(&error))?;
            let facts = read_facts(fetcher.cache(), copied, name).await?;
            if let Some(problem) = facts.archive.problems.first() {
                let path = &wheel.path;
                let message = format!("`{path}` is not a valid wheel: {}", problem.message);
                return Err(Failure::finding(message).help("build the wheel again"));
            }
            let metadata = CoreMetadata::parse(&facts.archive.metadata);
            let metadata = metadata
                .map(Arc::new)
                .map_err(|reasons| format!("its metadata is invalid: {}", reasons.join(", ")));
            let file = IndexFile {
                file_name: name.to_owned(),
                url: placeless.clone(),
                sha256: Some(facts.sha256),
                size: Some(facts.dag.size()),
                uploaded: None,
                requires_python: None,
                yanked: None,
                core_metadata: CoreMetadataFile::Absent,
                provenance: None,
            };
            let read = ReadWheel {
                path: wheel.path.clone(),
                facts: Arc::new(facts),
                metadata,
            };
            if files.insert(name.to_owned(), read).is_some() {
                return Err(Failure::usage(format!("`{name}` is named twice")));
            }
            let project = wheel.file_name.name().clone();
            pages.entry(project).or_default().push(file);
        }
        let pages = pages.into_iter();
        let pages = pages.map(|(project, files)| {
            (
                project,
                Arc::new(ProjectPage {
                    files,
                    ..ProjectPage::default()
                }),
            )
        });
        Ok(Self {
            pages: pages.collect(),
            files,
        })
    }

    /// The page of a project, if files of it have been read.
    pub(super) fn page(&self, project: &ProjectName) -> Option<Arc<ProjectPage>> {
        self.pages.get(project).cloned()
    }

    /// The wheel of this name, if it has been read.
    pub(super) fn file(&self, file_name: &str) -> Option<&ReadWheel> {
        self.files.get(file_name)
    }
}
