//! The simple API of an index (PEP 503, 658, 691, 700, 714): JSON where the server offers it,
//! HTML otherwise.

mod html;
mod json;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use ipwhl_unixfs::Sha256Digest;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use tokio::sync::OnceCell;
use url::Url;

use super::address::{Address, redacted};
use super::client::Client;
use super::discover::IndexLocation;
use super::problem::{MismatchKind, SourceProblem};
use super::transport::Page;
use super::verify::mismatch;

/// PEP 691, "Version + Format Selection": the accepted types, best first.
const WANTED: &str = "application/vnd.pypi.simple.v1+json, \
    application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

/// The supported major version of the API (PEP 629).
const MAJOR_VERSION: &str = "1";

/// A file that an index offers.
#[derive(Clone, PartialEq, Eq)]
pub struct IndexFile {
    /// Its name.
    pub file_name: String,
    /// Its address, without a fragment. It may contain credentials; show it by [`redacted`].
    pub url: Url,
    /// Its SHA-256, if the index states it.
    pub sha256: Option<Sha256Digest>,
    /// Its size in bytes, if the index states it (PEP 700).
    pub size: Option<u64>,
    /// Its Requires-Python in the index (PEP 503).
    pub requires_python: Option<String>,
    /// Why it was yanked (PEP 592), if it was; may be empty.
    pub yanked: Option<String>,
    /// Whether its METADATA is available as a separate file.
    pub core_metadata: CoreMetadataFile,
}

impl fmt::Debug for IndexFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "IndexFile({} at {})",
            self.file_name,
            redacted(&self.url)
        )
    }
}

/// Whether an index serves METADATA beside a wheel (PEP 658 and 714).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoreMetadataFile {
    /// No.
    Absent,
    /// Yes, but without a digest to verify it with.
    Unverifiable,
    /// Yes, with this SHA-256.
    Sha256(Sha256Digest),
}

/// The page of one project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectPage {
    /// Every file, in the index's order.
    pub files: Vec<IndexFile>,
}

impl ProjectPage {
    /// Reads a project's page from `address`, as JSON or HTML according to `content_type`.
    /// # Errors
    /// When it is not such a page: a clause.
    pub fn parse(body: &[u8], content_type: &str, address: &Url) -> Result<Self, String> {
        parse_page(body, content_type, address).map(|files| Self { files })
    }

    /// The file with this name.
    pub fn file(&self, file_name: &str) -> Option<&IndexFile> {
        self.files.iter().find(|file| file.file_name == file_name)
    }
}

/// Reads one index. A project's page is fetched once, however often it is needed.
pub struct IndexClient {
    client: Client,
    base: Address,
    pages: Mutex<HashMap<String, PageCell>>,
}

type PageCell = Arc<OnceCell<Result<Arc<ProjectPage>, SourceProblem>>>;

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
            pages: Mutex::default(),
        }
    }

    /// The page of a project, by its normalised name. If the index does not have the project:
    /// [`SourceProblem::Missing`].
    pub async fn project(&self, project: &str) -> Result<Arc<ProjectPage>, SourceProblem> {
        let cell = {
            let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(pages.entry(project.to_owned()).or_default())
        };
        cell.get_or_init(|| self.fetch_project(project))
            .await
            .clone()
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
        let mut url = file.url.clone();
        url.set_path(&format!("{}.metadata", file.url.path()));
        let address = self.base.lend(url);
        let largest = self.client.limits().metadata_size;
        let page = self
            .client
            .page(&address, &HeaderMap::new(), largest)
            .await?;
        let found = Sha256Digest::of(&page.body);
        if found == declared {
            return Ok(Some(page.body));
        }
        Err(SourceProblem::Mismatch {
            place: address.to_string(),
            mismatches: vec![mismatch(MismatchKind::Sha256, &declared, &found)],
        })
    }

    /// The address of a file, with the index's credentials if they apply to it.
    pub(super) fn address(&self, file: &IndexFile) -> Address {
        self.base.lend(file.url.clone())
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
            Ok(files) => Ok(Arc::new(ProjectPage { files })),
            Err(reason) => Err(SourceProblem::Failed {
                place: address.to_string(),
                reason,
            }),
        }
    }
}

/// Reads a page according to its content type.
fn parse(page: &Page) -> Result<Vec<IndexFile>, String> {
    parse_page(&page.body, &page.content_type, page.address.url())
}

fn parse_page(body: &[u8], content_type: &str, address: &Url) -> Result<Vec<IndexFile>, String> {
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

/// PEP 629: another major version may be incompatible.
fn check_api_version(version: &str) -> Result<(), String> {
    let major = version.trim().split('.').next().unwrap_or_default();
    if major == MAJOR_VERSION {
        Ok(())
    } else {
        Err(format!(
            "its page is of version {version} of the API, but only {MAJOR_VERSION}.x is supported"
        ))
    }
}

/// An address on a page, relative to the page's own, and its fragment separately.
fn resolve(base: &Url, href: &str) -> Option<(Url, Option<String>)> {
    let mut url = base.join(href.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let fragment = url.fragment().map(str::to_owned);
    url.set_fragment(None);
    Some((url, fragment))
}
