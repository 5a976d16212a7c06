//! METADATA of wheels in an index, without the wheels where the index or the host of the file allow
//! it.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use ipwhl_packaging::wheel::{Limits, find_metadata};
use ipwhl_unixfs::Sha256Digest;

use super::{Fetcher, blocking};
use crate::source::address::Address;
use crate::source::cache::StoredMetadata;
use crate::source::cache_error::CacheError;
use crate::source::index::{CoreMetadataFile, IndexFile, ProjectPage};
use crate::source::metadata::{Facility, MetadataError, MetadataOrigin, WheelMetadata};
use crate::source::problem::{FetchError, SourceProblem};
use crate::source::ranges::{self, Ranged};
use crate::source::transport::RequestError;

/// A facility of a host that was not there, or whose answer is of no use.
enum Answer<T> {
    /// The facility works.
    Works(T),
    /// The host does not have it.
    Lacks,
    /// The answer says nothing about other files.
    Unsuited,
}

/// The reason why the first request to a host decides nothing about its facility.
enum Undecided {
    Unsuited,
    Failed(RequestError),
}

impl Fetcher {
    /// The page of a project in the index, by its normalised name. It is fetched once in a run.
    ///
    /// # Errors
    /// As [`IndexClient::project`]. Offline there are no pages, and the problem names the project.
    ///
    /// [`IndexClient::project`]: crate::source::IndexClient::project
    pub async fn project(&self, project: &str) -> Result<Arc<ProjectPage>, SourceProblem> {
        if self.settings.offline {
            return Err(SourceProblem::Failed {
                place: format!("the index page of {project}"),
                reason: "pages are not cached, and --offline forbids the network".to_owned(),
            });
        }
        self.index().await?.project(project).await
    }

    /// METADATA of a wheel on a page of the index. Calls for the same file share one result.
    ///
    /// These are tried in order: the cache, the file beside the wheel (PEP 658), ranges of the
    /// wheel, the wheel. A host that lacks the file or ranges is asked once in a run.
    pub async fn metadata(&self, file: &IndexFile) -> Result<Arc<WheelMetadata>, MetadataError> {
        let key = (file.url.to_string(), file.sha256, stated_digest(file));
        let found = Box::pin(async { self.find_metadata(file).await.map(Arc::new) });
        self.metadata.files.get(key, found).await
    }

    async fn find_metadata(&self, file: &IndexFile) -> Result<WheelMetadata, MetadataError> {
        if let Some(found) = self.cached_metadata(file).await? {
            return Ok(found);
        }
        if self.settings.offline {
            return Err(MetadataError::Source(SourceProblem::Failed {
                place: format!("METADATA of {}", file.file_name),
                reason: "it is not in the cache, and --offline forbids the network".to_owned(),
            }));
        }
        let found = match self.metadata_beside(file).await? {
            Some(found) => Some(found),
            None => self.metadata_in_ranges(file).await?,
        };
        match found {
            Some(found) => {
                self.store_metadata(file.sha256, &found, false).await;
                Ok(found)
            }
            None => self.metadata_in_wheel(file).await,
        }
    }

    /// METADATA from the cache: stored METADATA if the wheel or this index vouches for it, else
    /// from the stored wheel, else stored METADATA that was claimed.
    async fn cached_metadata(
        &self,
        file: &IndexFile,
    ) -> Result<Option<WheelMetadata>, MetadataError> {
        let Some(sha256) = file.sha256 else {
            return Ok(None);
        };
        let cache = self.settings.cache.clone();
        let profile = self.settings.profile;
        let stated = stated_digest(file);
        let is_vouched_for = move |stored: &StoredMetadata| {
            stored.is_from_wheel || stated == Some(Sha256Digest::of(&stored.bytes))
        };
        let find = move || match cache.metadata(&sha256) {
            Some(stored) if is_vouched_for(&stored) => (Some(stored), None, true),
            stored => {
                let wheel = || cache.wheel(&cache.cid_of(&sha256, profile)?);
                (
                    stored,
                    wheel().filter(|wheel| wheel.sha256 == sha256),
                    false,
                )
            }
        };
        let (stored, wheel, is_verified) = blocking(find).await.unwrap_or_default();
        if let Some(wheel) = wheel {
            let bytes = self.read_wheel(file, &wheel.path).await?;
            let found = WheelMetadata {
                bytes,
                origin: MetadataOrigin::Verified,
            };
            self.store_metadata(Some(sha256), &found, true).await;
            return Ok(Some(found));
        }
        let stored = stored.filter(|_| is_verified || stated.is_none());
        Ok(stored.map(|stored| WheelMetadata {
            bytes: stored.bytes,
            origin: if is_verified {
                MetadataOrigin::Verified
            } else {
                MetadataOrigin::Claimed
            },
        }))
    }

    /// METADATA from the file beside the wheel, if the page lists one and it is there.
    async fn metadata_beside(
        &self,
        file: &IndexFile,
    ) -> Result<Option<WheelMetadata>, MetadataError> {
        if file.core_metadata == CoreMetadataFile::Absent {
            return Ok(None);
        }
        let index = self.index().await?;
        let address = index.address(file);
        let request = async {
            match index.metadata_file(file).await {
                Ok(bytes) => Ok(match stated_digest(file) {
                    // Some servers answer 200 and a page that says that there is no file.
                    None if !is_like_metadata(&bytes) => Answer::Lacks,
                    _ => Answer::Works(bytes),
                }),
                Err(error @ RequestError::Unreachable(_)) => Err(error),
                Err(_) => Ok(Answer::Lacks),
            }
        };
        let answer = self.with_facility(&address, Facility::MetadataFiles, request);
        let Some(bytes) = answer.await? else {
            return Ok(None);
        };
        let origin = match stated_digest(file) {
            Some(declared) => {
                let compared = index.compare_metadata(file, &declared, &bytes);
                compared.map_err(MetadataError::Beside)?;
                MetadataOrigin::Verified
            }
            None => MetadataOrigin::Claimed,
        };
        Ok(Some(WheelMetadata { bytes, origin }))
    }

    /// METADATA from parts of the wheel, if its host sends them.
    async fn metadata_in_ranges(
        &self,
        file: &IndexFile,
    ) -> Result<Option<WheelMetadata>, MetadataError> {
        let address = self.index().await?.address(file);
        let client = self.client_for(&address)?;
        let request = async {
            match ranges::metadata(client, &address, file.size).await {
                Ok(Ranged::Metadata(bytes)) => Ok(Answer::Works(bytes)),
                Ok(Ranged::Unsuited) => Ok(Answer::Unsuited),
                // The wheel itself is gone, or nothing at all answers.
                Err(error @ (RequestError::Missing(_) | RequestError::Unreachable(_))) => {
                    Err(error)
                }
                Ok(Ranged::Unsupported) | Err(_) => Ok(Answer::Lacks),
            }
        };
        let answer = self.with_facility(&address, Facility::Ranges, request);
        let origin = MetadataOrigin::Claimed;
        Ok(answer.await?.map(|bytes| WheelMetadata { bytes, origin }))
    }

    /// METADATA from the wheel, which is fetched.
    async fn metadata_in_wheel(&self, file: &IndexFile) -> Result<WheelMetadata, MetadataError> {
        let wheel = match self.fetch_listed(0, file, &|_| {}).await {
            Ok(wheel) => wheel,
            Err(FetchError::Cache(error)) => return Err(error.into()),
            Err(FetchError::Sources { mut problems, .. }) => {
                return Err(MetadataError::Source(match problems.pop() {
                    Some(problem) => problem,
                    None => SourceProblem::Missing {
                        place: file.file_name.clone(),
                        reason: "it has no source".to_owned(),
                    },
                }));
            }
        };
        let found = WheelMetadata {
            bytes: self.read_wheel(file, &wheel.path).await?,
            // Without a digest, the next request may bring another wheel.
            origin: match file.sha256 {
                Some(_) => MetadataOrigin::Verified,
                None => MetadataOrigin::Claimed,
            },
        };
        self.store_metadata(Some(wheel.sha256), &found, true).await;
        Ok(found)
    }

    /// The result of a request that uses a facility of a host; `None` if the host lacks it, or it
    /// is of no use for this file. The first request to a host decides, and the others wait for it.
    async fn with_facility<T>(
        &self,
        address: &Address,
        facility: Facility,
        request: impl Future<Output = Result<Answer<T>, RequestError>>,
    ) -> Result<Option<T>, MetadataError> {
        let host = address.url().origin().ascii_serialization();
        let mut request = Some(request);
        let mut result = None;
        let first = async {
            let answer = match request.take() {
                Some(request) => request.await.map_err(Undecided::Failed)?,
                None => Answer::Unsuited,
            };
            match answer {
                Answer::Works(value) => {
                    result = Some(value);
                    Ok(true)
                }
                Answer::Lacks => Ok(false),
                Answer::Unsuited => Err(Undecided::Unsuited),
            }
        };
        let works = self
            .metadata
            .facilities
            .try_get((host, facility), first)
            .await;
        let failed = |error: RequestError| MetadataError::Source(error.at(address));
        match works {
            Ok(false) | Err(Undecided::Unsuited) => Ok(None),
            Err(Undecided::Failed(error)) => Err(failed(error)),
            Ok(true) => match request {
                None => Ok(result),
                Some(request) => match request.await.map_err(failed)? {
                    Answer::Works(value) => Ok(Some(value)),
                    Answer::Lacks | Answer::Unsuited => Ok(None),
                },
            },
        }
    }

    /// METADATA of a wheel in the cache.
    async fn read_wheel(&self, file: &IndexFile, path: &Path) -> Result<Vec<u8>, MetadataError> {
        let opened = path.to_owned();
        let read = move || {
            let mut wheel = File::open(opened)?;
            match find_metadata(&mut wheel, &Limits::default())? {
                Ok(member) => member.read(&mut wheel),
                Err(reason) => Ok(Err(reason)),
            }
        };
        let failed = |reason: String| MetadataError::Archive {
            file_name: file.file_name.clone(),
            reason,
        };
        match blocking(read).await {
            Some(Ok(Ok(bytes))) => Ok(bytes),
            Some(Ok(Err(reason))) => Err(failed(reason)),
            // An archive that is cut. Other errors are those of the disk.
            Some(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(failed(format!("cannot be read: {error}")))
            }
            Some(Err(error)) => Err(CacheError::new(path, "read", error).into()),
            None => {
                let stopped = io::Error::other("the thread that reads it stopped");
                Err(CacheError::new(path, "read", stopped).into())
            }
        }
    }

    /// Stores METADATA under the SHA-256 of its wheel.
    async fn store_metadata(
        &self,
        wheel: Option<Sha256Digest>,
        found: &WheelMetadata,
        is_from_wheel: bool,
    ) {
        let Some(wheel) = wheel else {
            return;
        };
        let cache = self.settings.cache.clone();
        let bytes = found.bytes.clone();
        let stored = StoredMetadata {
            is_from_wheel,
            bytes,
        };
        // Without this, the next run asks again.
        let _ = blocking(move || cache.keep_metadata(&wheel, &stored)).await;
    }
}

/// The SHA-256 of METADATA on the page.
fn stated_digest(file: &IndexFile) -> Option<Sha256Digest> {
    match file.core_metadata {
        CoreMetadataFile::Sha256(digest) => Some(digest),
        CoreMetadataFile::Absent | CoreMetadataFile::Unverifiable => None,
    }
}

/// Whether the headers contain the one that METADATA must have.
fn is_like_metadata(bytes: &[u8]) -> bool {
    const HEADER: &[u8] = b"metadata-version:";
    let headers = bytes
        .split(|byte| *byte == b'\n')
        .take_while(|line| !line.trim_ascii().is_empty());
    headers.into_iter().any(|line| {
        let start = line.get(..HEADER.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(HEADER))
    })
}
