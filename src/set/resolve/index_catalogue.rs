//! The index of a repository as a [`Catalogue`]: pages and metadata, each asked for once.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ipwhl_packaging::{CoreMetadata, ProjectName, WheelFileName};
use ipwhl_unixfs::Sha256Digest;
use tokio::runtime::Handle;
use tokio::sync::{OnceCell, Semaphore};

use super::local_wheels::{LocalWheel, LocalWheels};
use super::pins::PlacedPin;
use super::solver::Catalogue;
use crate::foundation::failure::Failure;
use crate::set::gather::Network;
use crate::set::repository::Configuration;
use crate::source::{
    CoreMetadataFile, Fetcher, IndexClient, IndexFile, Progress, ProjectPage, Session,
    SourceProblem, Work,
};

type Metadata = Result<Arc<CoreMetadata>, String>;
type MetadataCell = Arc<OnceCell<Result<Metadata, Failure>>>;
type PageCell = Arc<OnceCell<Result<Arc<ProjectPage>, SourceProblem>>>;

/// Wheels of one version whose page states the same METADATA share one answer: the names of project
/// and version, and the digest. Another wheel has its file name alone.
type MetadataKey = (String, Option<Sha256Digest>);

fn metadata_key(file: &IndexFile) -> MetadataKey {
    match file.core_metadata {
        CoreMetadataFile::Sha256(digest) => {
            let release: Vec<&str> = file.file_name.splitn(3, '-').take(2).collect();
            (release.join("-"), Some(digest))
        }
        CoreMetadataFile::Absent | CoreMetadataFile::Unverifiable => (file.file_name.clone(), None),
    }
}

/// The index of a repository.
pub(super) struct IndexCatalogue {
    shared: Arc<Shared>,
    runtime: Handle,
    local: LocalWheels,
    pins: Vec<PlacedPin>,
}

struct Shared {
    fetcher: Fetcher,
    /// The number of concurrent requests.
    requests: Semaphore,
    metadata: Mutex<HashMap<MetadataKey, MetadataCell>>,
    pages: Mutex<HashMap<ProjectName, PageCell>>,
}

impl IndexCatalogue {
    /// The index of a repository. The runtime of the session runs the requests, so no call may come
    /// from one of its tasks.
    ///
    /// # Errors
    /// When there is no cache, or no thread for the network.
    pub(super) fn of(
        session: &Session,
        network: &Network,
        configuration: &Configuration,
    ) -> Result<Self, Failure> {
        let shared = Shared {
            fetcher: network.fetcher(session, configuration, configuration.profile)?,
            requests: Semaphore::new(network.jobs.get()),
            metadata: Mutex::default(),
            pages: Mutex::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
            runtime: session.runtime()?.clone(),
            local: LocalWheels::default(),
            pins: Vec::new(),
        })
    }

    /// The same index, which offers these wheel files and nothing else of their projects.
    pub(super) fn with_files(
        self,
        directory: &Path,
        wheels: &[LocalWheel],
    ) -> Result<Self, Failure> {
        let read = LocalWheels::read(&self.shared.fetcher, directory, wheels);
        let local = self.runtime.block_on(read)?;
        Ok(Self { local, ..self })
    }

    /// The wheel files that it offers.
    pub(super) fn local(&self) -> &LocalWheels {
        &self.local
    }

    /// The same index, of which only wheels with these digests are declared.
    pub(super) fn pinned(self, pins: Vec<PlacedPin>) -> Self {
        Self { pins, ..self }
    }

    /// The digests that wheels must have.
    pub(super) fn pins(&self) -> &[PlacedPin] {
        &self.pins
    }

    /// The fetcher of its wheels.
    pub(super) fn fetcher(&self) -> &Fetcher {
        &self.shared.fetcher
    }
}

impl IndexCatalogue {
    /// The page of a project, for a task of the runtime.
    pub(super) async fn page_now(
        &self,
        project: &ProjectName,
    ) -> Result<Arc<ProjectPage>, SourceProblem> {
        match self.local.page(project) {
            Some(page) => Ok(page),
            None => self.shared.page(project).await,
        }
    }

    /// The metadata of a wheel, for a task of the runtime.
    pub(super) async fn metadata_now(&self, file: &IndexFile) -> Result<Metadata, Failure> {
        if let Some(local) = self.local.file(&file.file_name) {
            return Ok(local.metadata.clone());
        }
        self.shared.metadata(file).await
    }
}

impl Catalogue for IndexCatalogue {
    fn page(&self, project: &ProjectName) -> Result<Option<Arc<ProjectPage>>, Failure> {
        if let Some(page) = self.local.page(project) {
            return Ok(Some(page));
        }
        self.runtime.block_on(self.shared.index())?;
        match self.runtime.block_on(self.shared.page(project)) {
            Ok(page) => Ok(Some(page)),
            Err(SourceProblem::Missing { .. }) => Ok(None),
            Err(problem) => Err(Failure::world(problem)),
        }
    }

    fn page_address(&self, project: &ProjectName) -> Option<String> {
        let index = self.runtime.block_on(self.shared.index()).ok()?;
        Some(index.page_address(project.as_str()))
    }

    fn metadata(&self, file: &IndexFile) -> Result<Metadata, Failure> {
        self.runtime.block_on(self.metadata_now(file))
    }

    fn announce(&self, projects: &[ProjectName]) {
        let in_index = |project: &&ProjectName| self.local.page(project).is_none();
        for project in projects.iter().filter(in_index) {
            let (shared, project) = (Arc::clone(&self.shared), project.clone());
            self.runtime.spawn(async move {
                // A failure is reported when the page is needed.
                let _ = shared.page(&project).await;
            });
        }
    }

    fn announce_metadata(&self, file: &IndexFile) {
        if self.local.file(&file.file_name).is_some() {
            return;
        }
        let (shared, file) = (Arc::clone(&self.shared), file.clone());
        self.runtime.spawn(async move {
            let _ = shared.metadata(&file).await;
        });
    }
}

impl Shared {
    /// The client of the index.
    async fn index(&self) -> Result<&IndexClient, Failure> {
        self.fetcher.index().await.map_err(|problem| {
            Failure::world(problem).help(
                "name a simple index, as in `--index-url https://example.org/simple/`, or correct \
                 the setting that the message names",
            )
        })
    }

    /// The page of a project. A call for one that was announced waits for that request alone, not
    /// behind all others that were announced.
    async fn page(&self, project: &ProjectName) -> Result<Arc<ProjectPage>, SourceProblem> {
        let cell = cell(&self.pages, project.clone());
        cell.get_or_init(|| self.read_page(project)).await.clone()
    }

    async fn read_page(&self, project: &ProjectName) -> Result<Arc<ProjectPage>, SourceProblem> {
        let _permit = self.requests.acquire().await;
        let index = self.fetcher.index().await?;
        index.project(project.as_str()).await
    }

    async fn metadata(&self, file: &IndexFile) -> Result<Metadata, Failure> {
        let cell = cell(&self.metadata, metadata_key(file));
        cell.get_or_init(|| self.read_metadata(file)).await.clone()
    }

    async fn read_metadata(&self, file: &IndexFile) -> Result<Metadata, Failure> {
        let _permit = self.requests.acquire().await;
        self.index().await?;
        match self.fetcher.metadata(file).await {
            Ok(metadata) => Ok(parse(file, &metadata.bytes)),
            // A file that is wrong today is wrong tomorrow, so the version is none. A host that
            // fails may answer tomorrow, and must not make the choice meanwhile.
            Err(error) => match error.defect(&file.file_name) {
                Some(reason) => Ok(Err(reason)),
                None => Err(Failure::caused(&error)),
            },
        }
    }
}

/// The metadata of a wheel, if it is about the version that the wheel's name says.
fn parse(file: &IndexFile, bytes: &[u8]) -> Metadata {
    let metadata = CoreMetadata::parse(bytes)
        .map_err(|reasons| format!("its metadata is invalid: {}", reasons.join(", ")))?;
    let name = file.file_name.parse::<WheelFileName>();
    let name = name.map_err(|error| format!("`{}` is no wheel: {error}", file.file_name))?;
    if *name.name() != metadata.project {
        return Err(format!(
            "its metadata names the project `{}`",
            metadata.name
        ));
    }
    if *name.version() != metadata.version {
        return Err(format!("its metadata names version {}", metadata.version));
    }
    Ok(Arc::new(metadata))
}

/// The place of an answer, which the first task that asks fills in.
fn cell<K: Eq + Hash, V: Default>(cells: &Mutex<HashMap<K, Arc<V>>>, key: K) -> Arc<V> {
    let mut cells = cells.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(cells.entry(key).or_default())
}

/// A catalogue that reports each answer to the observer of a session.
pub(super) struct Observed<'a> {
    catalogue: &'a IndexCatalogue,
    progress: Progress<'a>,
}

impl<'a> Observed<'a> {
    /// Begins a search.
    pub(super) fn begin(session: &'a Session, catalogue: &'a IndexCatalogue) -> Self {
        Self {
            catalogue,
            progress: session.begin(Work::Search, Vec::new()),
        }
    }
}

impl Drop for Observed<'_> {
    fn drop(&mut self) {
        self.progress.clear();
    }
}

impl Catalogue for Observed<'_> {
    fn page(&self, project: &ProjectName) -> Result<Option<Arc<ProjectPage>>, Failure> {
        let page = self.catalogue.page(project);
        self.progress.verified();
        page
    }

    fn page_address(&self, project: &ProjectName) -> Option<String> {
        self.catalogue.page_address(project)
    }

    fn metadata(&self, file: &IndexFile) -> Result<Metadata, Failure> {
        let metadata = self.catalogue.metadata(file);
        self.progress.verified();
        metadata
    }

    fn announce(&self, projects: &[ProjectName]) {
        self.catalogue.announce(projects);
    }

    fn announce_metadata(&self, file: &IndexFile) {
        self.catalogue.announce_metadata(file);
    }
}
