//! The simple API of an index (PEP 503, 658, 691, 700, 714, 740, 792): JSON if the server offers it, HTML
//! otherwise.

mod file;
mod html;
mod json;
mod page;
mod status;

use std::fmt;
use std::sync::Arc;

use ipwhl_unixfs::Sha256Digest;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use url::Url;

use super::address::Address;
use super::client::Client;
use super::discover::IndexLocation;
use super::once::OnceMap;
use super::problem::{MismatchKind, SourceProblem};
use super::transport::{Page, RequestError};
use super::verify::mismatch;
pub use file::{CoreMetadataFile, IndexFile};
pub use page::ProjectPage;
pub use status::{ProjectStatus, StatusMarker};

/// PEP 691, "Version + Format Selection": the accepted types, best first.
const WANTED: &str = "application/vnd.pypi.simple.v1+json, \
    application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

/// The accepted types of provenance: that of the first index with an API for it, and any JSON.
const PROVENANCE: &str = "application/vnd.pypi.integrity.v1+json, application/json;q=0.5";

/// Reads one index. A project's page is fetched only once.
pub struct IndexClient {
    client: Client,
    base: Address,
    pages: OnceMap<String, Result<Arc<ProjectPage>, SourceProblem>>,
}

impl fmt::Debug for IndexClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "IndexClient({})", self.base)
    }
}

impl IndexClient {
    /// A client of the index at this location.
    pub fn new(client: Client, location: &IndexLocation) -> Self {
        Self {
            base: client.index_address(location),
            client,
            pages: OnceMap::default(),
        }
    }

    /// The page of a project, by its normalised name. If the index does not have the project:
    /// [`SourceProblem::Missing`].
    pub async fn project(&self, project: &str) -> Result<Arc<ProjectPage>, SourceProblem> {
        let page = self.fetch_project(project);
        self.pages.get(project.to_owned(), page).await
    }

    /// The file with this name on the page of a project. If it is missing:
    /// [`SourceProblem::Missing`].
    pub async fn file(&self, project: &str, file_name: &str) -> Result<IndexFile, SourceProblem> {
        let page = self.project(project).await?;
        page.file(file_name)
            .cloned()
            .ok_or_else(|| SourceProblem::Missing {
                place: self.project_address(project).to_string(),
                reason: format!("the index has no file `{file_name}` for {project}"),
            })
    }

    /// METADATA of a wheel from the file beside it in the index (PEP 658), verified with the hash
    /// on the page. `None` if the index does not serve it or states no hash.
    pub async fn metadata(&self, file: &IndexFile) -> Result<Option<Vec<u8>>, SourceProblem> {
        let CoreMetadataFile::Sha256(declared) = file.core_metadata else {
            return Ok(None);
        };
        let bytes = self.metadata_file(file).await;
        let bytes = bytes.map_err(|error| error.at(&self.metadata_address(file)))?;
        self.compare_metadata(file, &declared, &bytes)?;
        Ok(Some(bytes))
    }

    /// The file beside a wheel (PEP 658), not verified.
    pub(super) async fn metadata_file(&self, file: &IndexFile) -> Result<Vec<u8>, RequestError> {
        let address = self.metadata_address(file);
        let largest = self.client.limits().metadata_size;
        let headers = HeaderMap::new();
        let page = || self.client.page_once(&address, &headers, largest);
        Ok(self.client.attempts(&address, page).await?.body)
    }

    /// Compares the file beside a wheel with its hash on the page.
    pub(super) fn compare_metadata(
        &self,
        file: &IndexFile,
        declared: &Sha256Digest,
        bytes: &[u8],
    ) -> Result<(), SourceProblem> {
        let found = Sha256Digest::of(bytes);
        if found == *declared {
            return Ok(());
        }
        Err(SourceProblem::Mismatch {
            place: self.metadata_address(file).to_string(),
            mismatches: vec![mismatch(MismatchKind::Sha256, declared, &found)],
        })
    }

    /// The provenance of a file (PEP 740), not read yet. `None` if the index does not offer it.
    pub(super) async fn provenance(
        &self,
        file: &IndexFile,
    ) -> Option<Result<Vec<u8>, SourceProblem>> {
        let url = file.provenance.clone()?;
        let address = self.base.lend(url);
        let refused = if address.url().scheme() == "http" && self.base.url().scheme() == "https" {
            Some("the index leads from https to http, which is refused")
        } else if self.client.hosts.is_given_up(&address) {
            Some("its host could not be reached before")
        } else {
            None
        };
        if let Some(reason) = refused {
            return Some(Err(SourceProblem::Failed {
                place: address.to_string(),
                reason: reason.to_owned(),
            }));
        }
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(PROVENANCE));
        let largest = self.client.limits().provenance_size;
        let page = self.client.page(&address, &headers, largest).await;
        Some(page.map(|page| page.body))
    }

    fn metadata_address(&self, file: &IndexFile) -> Address {
        let mut url = file.url.clone();
        url.set_path(&format!("{}.metadata", file.url.path()));
        self.base.lend(url)
    }

    /// The address of a file, with the index's credentials if they apply to it.
    pub(super) fn address(&self, file: &IndexFile) -> Address {
        self.base.lend(file.url.clone())
    }

    /// The address of a project's page, in printable form.
    pub fn page_address(&self, project: &str) -> String {
        self.project_address(project).to_string()
    }

    fn project_address(&self, project: &str) -> Address {
        let mut url = self.base.url().clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(project).push("");
        }
        self.base.lend(url)
    }

    async fn fetch_project(&self, project: &str) -> Result<Arc<ProjectPage>, SourceProblem> {
        let address = self.project_address(project);
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(WANTED));
        let largest = self.client.limits().page_size;
        let page = self.client.page(&address, &headers, largest).await?;
        // Some pages have many megabytes; the connections must continue meanwhile.
        let parsed = tokio::task::spawn_blocking(move || parse(&page))
            .await
            .unwrap_or_else(|_| Err("its page cannot be read".to_owned()));
        match parsed {
            Ok(page) => Ok(Arc::new(page)),
            Err(reason) => Err(SourceProblem::Failed {
                place: address.to_string(),
                reason,
            }),
        }
    }
}

impl ProjectPage {
    /// Reads a project's page from `address`, as JSON or HTML according to `content_type`.
    ///
    /// # Errors
    /// When it is not such a page: a clause.
    pub fn parse(body: &[u8], content_type: &str, address: &Url) -> Result<Self, String> {
        parse_page(body, content_type, address)
    }
}

/// Reads a page according to its content type.
fn parse(page: &Page) -> Result<ProjectPage, String> {
    parse_page(&page.body, &page.content_type, page.address.url())
}

fn parse_page(body: &[u8], content_type: &str, address: &Url) -> Result<ProjectPage, String> {
    let content_type = content_type.split(';').next().unwrap_or_default();
    match content_type.trim().to_ascii_lowercase().as_str() {
        // Static servers use the last type for JSON.
        "application/vnd.pypi.simple.v1+json" | "application/json" => json::parse(body, address),
        "application/vnd.pypi.simple.v1+html" | "text/html" | "application/xhtml+xml" => {
            html::parse(body, address)
        }
        "" => Err("its answer has no content type".to_owned()),
        other => Err(format!(
            "its answer is `{other}`, which is not a page of an index"
        )),
    }
}
