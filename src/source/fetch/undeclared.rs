//! Fetches files that are not declared yet: their CIDs are computed under the repository's profile.
//! Also their provenance.

use ipwhl_unixfs::Sha256Digest;

use super::place::Place;
use super::{Fetcher, Progress, blocking, fetched};
use crate::source::address::redacted;
use crate::source::download::{DownloadError, download};
use crate::source::event::Reporter;
use crate::source::index::IndexFile;
use crate::source::problem::{FetchError, SourceProblem};
use crate::source::provenance::Provenance;
use crate::source::request::{FetchedWheel, SourceLocation};
use crate::source::sink::Received;
use crate::source::verify::Expectation;

impl Fetcher {
    /// Fetches a file from the index that is not declared yet. It is verified with the index's
    /// digests, and its CID is computed under the repository's profile.
    pub async fn fetch_listed(
        &self,
        wheel: usize,
        file: &IndexFile,
        progress: Progress<'_>,
    ) -> Result<FetchedWheel, FetchError> {
        let reporter = Reporter { wheel, progress };
        let result = self.fetch_listed_quietly(file, &reporter).await;
        let cached = result.as_ref().is_ok_and(|wheel| wheel.from.is_none());
        reporter.finished(cached, result.is_ok());
        result
    }

    /// Fetches a file from a source, under the repository's profile. Nothing is known of its bytes.
    pub async fn fetch_source(
        &self,
        file_name: &str,
        source: &SourceLocation,
    ) -> Result<FetchedWheel, FetchError> {
        let expectation = Expectation {
            content_id: None,
            sha256: None,
            size: None,
            profile: self.settings.profile,
        };
        let reporter = Reporter {
            wheel: 0,
            progress: &|_| {},
        };
        let place = Place::Source(source);
        match self.receive(&place, &expectation, &reporter).await {
            Ok(Received { file, compared }) => {
                let cached = self.keep(file, compared).await?;
                Ok(fetched(cached, Some(place.to_string()), Vec::new()))
            }
            Err(DownloadError::Source(problem)) => Err(FetchError::Sources {
                file_name: file_name.to_owned(),
                problems: vec![problem],
            }),
            Err(DownloadError::Cache(error)) => Err(error.into()),
        }
    }

    /// The provenance of a file in the index whose bytes have this SHA-256; `None` if the index
    /// offers none. Only [`Provenance::verify`] verifies it.
    pub async fn provenance(
        &self,
        file: &IndexFile,
        sha256: &Sha256Digest,
    ) -> Result<Option<Provenance>, SourceProblem> {
        let Some(body) = self.index().await?.provenance(file).await else {
            return Ok(None);
        };
        let provenance = Provenance::parse(&body?, &file.file_name, sha256);
        provenance
            .map(Some)
            .map_err(|reason| SourceProblem::Failed {
                place: file.provenance.as_ref().map_or_else(String::new, redacted),
                reason,
            })
    }

    async fn fetch_listed_quietly(
        &self,
        file: &IndexFile,
        reporter: &Reporter<'_>,
    ) -> Result<FetchedWheel, FetchError> {
        let profile = self.settings.profile;
        let failed = |problem: SourceProblem| FetchError::Sources {
            file_name: file.file_name.clone(),
            problems: vec![problem],
        };
        if let Some(sha256) = file.sha256 {
            let cache = self.settings.cache.clone();
            let find = move || cache.wheel(&cache.cid_of(&sha256, profile)?);
            if let Some(cached) = blocking(find).await.flatten()
                && cached.sha256 == sha256
            {
                return Ok(fetched(cached, None, Vec::new()));
            }
        }
        let address = self.index().await.map_err(failed)?.address(file);
        let client = self.client_for(&address).map_err(failed)?;
        let expectation = Expectation {
            content_id: None,
            sha256: file.sha256,
            size: file.size,
            profile,
        };
        let cache = &self.settings.cache;
        let received = match download(client, cache, &address, &expectation, reporter).await {
            Ok(received) => received,
            Err(DownloadError::Source(problem)) => return Err(failed(problem)),
            Err(DownloadError::Cache(error)) => return Err(error.into()),
        };
        let Received {
            file: bytes,
            compared,
        } = received;
        if !compared.content_fits {
            return Err(failed(SourceProblem::Mismatch {
                place: address.to_string(),
                mismatches: compared.mismatches,
            }));
        }
        let cached = self.keep(bytes, compared).await?;
        cache.keep_cid_of(&cached.sha256, profile, &cached.dag.cid())?;
        Ok(fetched(cached, Some(address.to_string()), Vec::new()))
    }
}
