//! Fetches wheels: from the cache, the sources in order of preference, and the mirrors by
//! content-id. Every byte is verified, from any source.

mod metadata;
mod place;
mod undeclared;

use std::io;
use std::num::NonZeroUsize;
use std::sync::OnceLock;

use futures_util::stream::{self, Stream, StreamExt};
use ipwhl_unixfs::Profile;
use tokio::sync::OnceCell;
use url::Url;

use super::address::{Address, Lookup};
use super::cache::{Cache, CachedWheel};
use super::cache_error::CacheError;
use super::client::{Client, ClientSettings};
use super::client_error::ClientError;
use super::discover::IndexSearch;
use super::download::{DownloadError, download};
use super::event::{FetchEvent, Reporter};
use super::index::IndexClient;
use super::local;
use super::metadata::MetadataState;
use super::problem::{FetchError, SourceProblem};
use super::request::{FetchedWheel, SourceLocation, SourceOutcome, WheelRequest};
use super::sink::Received;
use super::verify::{Compared, Expectation};
use crate::foundation::environment::open_beneath;
use place::Place;

/// The settings of a [`Fetcher`].
#[derive(Clone)]
pub struct FetchSettings {
    /// The cache for wheels.
    pub cache: Cache,
    /// Proxies, certificates and limits.
    pub client: ClientSettings,
    /// The possible settings of the index.
    pub index: IndexSearch,
    /// Gateways that are used by content-id after every source has failed.
    pub gateways: Vec<Url>,
    /// The repository's profile.
    pub profile: Profile,
    /// The number of wheels that are fetched concurrently.
    pub jobs: NonZeroUsize,
    /// Whether the network is forbidden.
    pub offline: bool,
}

/// Fetches wheels. The network, and the search for an index, start on first use.
pub struct Fetcher {
    settings: FetchSettings,
    client: OnceLock<Result<Client, ClientError>>,
    index: OnceCell<Result<IndexClient, SourceProblem>>,
    metadata: MetadataState,
}

type Progress<'a> = &'a (dyn Fn(FetchEvent) + Sync);

impl Fetcher {
    /// A fetcher with these settings.
    pub fn new(settings: FetchSettings) -> Self {
        Self {
            settings,
            client: OnceLock::new(),
            index: OnceCell::new(),
            metadata: MetadataState::default(),
        }
    }

    /// The cache for the wheels.
    pub fn cache(&self) -> &Cache {
        &self.settings.cache
    }

    /// Fetches wheels, several at once, and yields each as soon as it is available, with the
    /// position of its request.
    pub fn fetch_all<'a>(
        &'a self,
        requests: &'a [WheelRequest],
        progress: Progress<'a>,
    ) -> impl Stream<Item = (usize, Result<FetchedWheel, FetchError>)> + 'a {
        stream::iter(requests.iter().enumerate())
            .map(move |(wheel, request)| async move {
                (wheel, self.fetch(wheel, request, progress).await)
            })
            .buffer_unordered(self.settings.jobs.get())
    }

    /// Reads each listed source of each wheel again, without the cache. Yields the results of a
    /// wheel as soon as all of its sources are read, with the position of its request.
    pub fn check_sources<'a>(
        &'a self,
        requests: &'a [WheelRequest],
        progress: Progress<'a>,
    ) -> impl Stream<Item = (usize, Result<Vec<SourceOutcome>, CacheError>)> + 'a {
        stream::iter(requests.iter().enumerate())
            .map(move |(wheel, request)| async move {
                (wheel, self.check_wheel(wheel, request, progress).await)
            })
            .buffer_unordered(self.settings.jobs.get())
    }

    /// Fetches one wheel; `wheel` is its number in the events.
    pub async fn fetch(
        &self,
        wheel: usize,
        request: &WheelRequest,
        progress: Progress<'_>,
    ) -> Result<FetchedWheel, FetchError> {
        let reporter = Reporter { wheel, progress };
        let result = self.fetch_quietly(request, &reporter).await;
        let cached = result.as_ref().is_ok_and(|wheel| wheel.from.is_none());
        reporter.finished(cached, result.is_ok());
        result
    }

    /// The client of the index. The first call determines the index.
    pub async fn index(&self) -> Result<&IndexClient, SourceProblem> {
        let index = self.index.get_or_init(|| async {
            let failed = |reason: String| SourceProblem::Failed {
                place: "the index".to_owned(),
                reason,
            };
            if self.settings.offline {
                return Err(offline("the index".to_owned()));
            }
            let search = self.settings.index.clone();
            // The search may read files and start Python.
            let location = tokio::task::spawn_blocking(move || search.find())
                .await
                .map_err(|_| failed("the search for it stopped".to_owned()))?
                .map_err(|error| failed(error.to_string()))?;
            let client = self.client().map_err(|error| failed(error.to_string()))?;
            Ok(IndexClient::new(client.clone(), &location))
        });
        index.await.as_ref().map_err(Clone::clone)
    }

    fn client(&self) -> Result<&Client, ClientError> {
        self.client
            .get_or_init(|| Client::new(&self.settings.client))
            .as_ref()
            .map_err(Clone::clone)
    }

    fn client_for(&self, place: &dyn ToString) -> Result<&Client, SourceProblem> {
        if self.settings.offline {
            return Err(offline(place.to_string()));
        }
        self.client().map_err(|error| SourceProblem::Failed {
            place: place.to_string(),
            reason: error.to_string(),
        })
    }

    async fn fetch_quietly(
        &self,
        request: &WheelRequest,
        reporter: &Reporter<'_>,
    ) -> Result<FetchedWheel, FetchError> {
        let expectation = self.expectation(request);
        let cid = request.content_id;
        let cache = self.settings.cache.clone();
        if let Some(cached) = blocking(move || cache.wheel(&cid)).await.flatten() {
            return match request.contradiction(cached.dag.size(), &cached.sha256) {
                None => Ok(fetched(cached, None, Vec::new())),
                Some(problem) => Err(FetchError::Sources {
                    file_name: request.file_name.clone(),
                    problems: vec![problem],
                }),
            };
        }
        let mut problems = Vec::new();
        for place in self.places(request) {
            let received = match self.receive(&place, &expectation, reporter).await {
                Ok(received) => received,
                Err(DownloadError::Source(problem)) => {
                    problems.push(problem);
                    continue;
                }
                Err(DownloadError::Cache(error)) => return Err(error.into()),
            };
            let Received { file, compared } = received;
            let fits = compared.content_fits;
            let mismatches = compared.mismatches.clone();
            if fits {
                // Even if the declaration contradicts itself, these bytes are verified.
                let cached = self.keep(file, compared).await?;
                if mismatches.is_empty() {
                    return Ok(fetched(cached, Some(place.to_string()), problems));
                }
            }
            let place = place.to_string();
            problems.push(SourceProblem::Mismatch { place, mismatches });
            if fits {
                // The same content from another source would be the same.
                break;
            }
        }
        Err(FetchError::Sources {
            file_name: request.file_name.clone(),
            problems,
        })
    }

    async fn check_wheel(
        &self,
        wheel: usize,
        request: &WheelRequest,
        progress: Progress<'_>,
    ) -> Result<Vec<SourceOutcome>, CacheError> {
        let reporter = Reporter { wheel, progress };
        let expectation = self.expectation(request);
        let mut outcomes = Vec::new();
        let mut is_kept = false;
        for source in &request.sources {
            let place = Place::Source(source);
            let problem = match self.receive(&place, &expectation, &reporter).await {
                Ok(Received { file, compared }) => {
                    let mismatches = compared.mismatches.clone();
                    // A later reader of the wheel need not fetch it again.
                    if compared.content_fits && !is_kept {
                        self.keep(file, compared).await?;
                        is_kept = true;
                    }
                    let place = place.to_string();
                    (!mismatches.is_empty())
                        .then_some(SourceProblem::Mismatch { place, mismatches })
                }
                Err(DownloadError::Source(problem)) => Some(problem),
                Err(DownloadError::Cache(error)) => {
                    reporter.finished(false, false);
                    return Err(error);
                }
            };
            outcomes.push(SourceOutcome {
                source: source.clone(),
                problem,
            });
        }
        let verified = outcomes.iter().all(|outcome| outcome.problem.is_none());
        reporter.finished(false, verified);
        Ok(outcomes)
    }

    fn expectation(&self, request: &WheelRequest) -> Expectation {
        Expectation {
            content_id: Some(request.content_id),
            sha256: request.sha256,
            size: request.size,
            profile: self.settings.profile,
        }
    }

    /// The places to try, in order.
    fn places<'a>(&self, request: &'a WheelRequest) -> Vec<Place<'a>> {
        let gateways = self.settings.gateways.iter().filter_map(|gateway| {
            let mut url = gateway.clone();
            url.path_segments_mut()
                .ok()?
                .pop_if_empty()
                .push("ipfs")
                .push(&request.content_id.to_string());
            Some(Place::Mirror(Address::new(url)))
        });
        let sources = request.sources.iter().map(Place::Source);
        sources.chain(gateways).collect()
    }

    async fn receive(
        &self,
        place: &Place<'_>,
        expectation: &Expectation,
        reporter: &Reporter<'_>,
    ) -> Result<Received, DownloadError> {
        let cache = &self.settings.cache;
        let address = match place {
            Place::Source(SourceLocation::File { directory, path }) => {
                let (cache, expectation) = (cache.clone(), expectation.clone());
                let opened = open_beneath(directory, path);
                let size = opened.as_ref().ok().and_then(|file| file.metadata().ok());
                reporter.started(place, size.map(|file| file.len()));
                let shown = place.to_string();
                let largest = self.settings.client.limits().wheel_size;
                let copy = move || local::copy(opened, &shown, &cache, &expectation, largest);
                let copied = blocking(copy).await.ok_or_else(|| stopped(place))??;
                reporter.bytes(copied.compared.dag.size());
                return Ok(copied);
            }
            Place::Source(SourceLocation::Web(url)) => {
                Address::new(url.clone()).with_lookup(Lookup::Host)
            }
            Place::Source(SourceLocation::Insecure(_)) => {
                let place = place.to_string();
                return Err(SourceProblem::NotAsked { place }.into());
            }
            Place::Mirror(address) => address.clone(),
            Place::Source(SourceLocation::PackageUrl {
                project, file_name, ..
            }) => {
                self.client_for(place)?;
                let index = self.index().await?;
                let shown = place.to_string();
                let file = index
                    .file(project, file_name)
                    .await
                    .map_err(|problem| problem.via(&shown))?;
                let address = index.address(&file);
                let client = self.client_for(place)?;
                return download(client, cache, &address, expectation, reporter)
                    .await
                    .map_err(|error| match error {
                        DownloadError::Source(problem) => problem.via(&shown).into(),
                        DownloadError::Cache(error) => error.into(),
                    });
            }
        };
        let client = self.client_for(place)?;
        download(client, cache, &address, expectation, reporter).await
    }

    async fn keep(
        &self,
        file: tempfile::NamedTempFile,
        compared: Compared,
    ) -> Result<CachedWheel, CacheError> {
        let cache = self.settings.cache.clone();
        blocking(move || cache.keep_wheel(file, compared.dag, compared.sha256))
            .await
            .unwrap_or_else(|| {
                Err(CacheError::new(
                    self.settings.cache.root(),
                    "write to",
                    io::Error::other("the thread that writes stopped"),
                ))
            })
    }
}

fn offline(place: String) -> SourceProblem {
    SourceProblem::Failed {
        place,
        reason: "it is not in the cache, and --offline forbids the network".to_owned(),
    }
}

fn stopped(place: &Place<'_>) -> SourceProblem {
    SourceProblem::Failed {
        place: place.to_string(),
        reason: "the thread that reads it stopped".to_owned(),
    }
}

fn fetched(
    cached: CachedWheel,
    from: Option<String>,
    rejected: Vec<SourceProblem>,
) -> FetchedWheel {
    FetchedWheel {
        size: cached.dag.size(),
        path: cached.path,
        dag: cached.dag,
        sha256: cached.sha256,
        from,
        rejected,
    }
}

/// Runs file operations on a separate thread; `None` if that thread panicked.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
