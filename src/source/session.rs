//! The shared context of a run: the environment, the cache, the only runtime, the observer of
//! progress.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::runtime::{Builder, Handle, Runtime};

use super::cache::Cache;
use super::client::ClientSettings;
use super::event::{Event, FetchEvent, Observer, Work};
use super::limits::Limits;
use super::request::WheelRequest;
use crate::foundation::environment::Environment;
use crate::foundation::failure::Failure;

/// Checks whether a folder may be the cache.
type CacheCheck = dyn Fn(&Path) -> Result<(), Failure> + Send + Sync;

/// The shared context of a run. Nothing is opened or started before it is needed.
pub struct Session {
    environment: Environment,
    check_cache: Box<CacheCheck>,
    cache: OnceLock<Cache>,
    runtime: OnceLock<Runtime>,
    leaves_work: AtomicBool,
    observer: Box<dyn Observer>,
}

impl Session {
    /// A session in this environment. Its cache may be any folder that the environment names, and
    /// it has no observer.
    pub fn new(environment: Environment) -> Self {
        Self {
            environment,
            check_cache: Box::new(|_| Ok(())),
            cache: OnceLock::new(),
            runtime: OnceLock::new(),
            leaves_work: AtomicBool::new(false),
            observer: Box::new(Silent),
        }
    }

    /// The same session, which calls `check` before it uses the folder of its cache.
    #[must_use]
    pub fn with_cache_check(
        mut self,
        check: impl Fn(&Path) -> Result<(), Failure> + Send + Sync + 'static,
    ) -> Self {
        self.check_cache = Box::new(check);
        self
    }

    /// The same session with an observer of progress.
    #[must_use]
    pub fn with_observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Box::new(observer);
        self
    }

    /// The environment.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// A variable of the environment, unless it is empty.
    pub fn variable(&self, name: &str) -> Option<OsString> {
        self.environment.variable(name).map(ToOwned::to_owned)
    }

    /// The current time, in whole seconds.
    pub fn now(&self) -> Timestamp {
        self.environment.clock.now()
    }

    /// The present day, in UTC.
    pub fn today(&self) -> Date {
        self.now().to_zoned(TimeZone::UTC).date()
    }

    /// The cache: one for the whole session, so that files in use are known until its end.
    ///
    /// # Errors
    /// When there is no folder for it, or the folder must not be used.
    pub fn cache(&self) -> Result<Cache, Failure> {
        if let Some(cache) = self.cache.get() {
            return Ok(cache.clone());
        }
        let folder = self.environment.cache_directory().ok_or_else(|| {
            Failure::world("there is no home folder to keep a cache in")
                .help("name a folder for the cache with `IPWHL_CACHE_DIR`")
        })?;
        (self.check_cache)(&folder)?;
        Ok(self.cache.get_or_init(|| Cache::new(folder)).clone())
    }

    /// The cache, if this session has used it.
    pub fn used_cache(&self) -> Option<Cache> {
        self.cache.get().cloned()
    }

    /// The settings of connections from the environment, with these limits.
    pub fn client_settings(&self, limits: Limits) -> ClientSettings {
        ClientSettings::from_variables(&|name| self.variable(name), limits)
    }

    /// The runtime of the network's tasks: one for the whole session.
    ///
    /// # Errors
    /// When the system cannot start threads for it.
    pub fn runtime(&self) -> Result<&Handle, Failure> {
        if self.runtime.get().is_none() {
            let runtime = Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .map_err(|error| Failure::world(format!("no threads for the network: {error}")))?;
            // Another thread may have been faster; its runtime is as good.
            let _ = self.runtime.set(runtime);
        }
        self.runtime
            .get()
            .map(Runtime::handle)
            .ok_or_else(|| Failure::world("no threads for the network"))
    }

    /// Lets the end of the session abandon unfinished tasks: a search may no longer be needed.
    pub fn leave_work_behind(&self) {
        self.leaves_work.store(true, Ordering::Relaxed);
    }

    /// Begins work on items with these names, and reports it.
    pub fn begin(&self, work: Work, names: Vec<String>) -> Progress<'_> {
        self.observer.observe(Event::Begun { work, names });
        Progress { session: self }
    }

    /// Begins to fetch these wheels, and reports it.
    pub fn begin_wheels(&self, requests: &[WheelRequest]) -> Progress<'_> {
        let names = requests.iter().map(|request| request.file_name.clone());
        self.begin(Work::Wheels, names.collect())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take()
            && self.leaves_work.load(Ordering::Relaxed)
        {
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Session")
            .field("environment", &self.environment)
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

/// Running work of a session.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'s> {
    session: &'s Session,
}

impl Progress<'_> {
    /// Reports a step of a download.
    pub fn fetch(&self, event: FetchEvent) {
        self.session.observer.observe(Event::Fetch(event));
    }

    /// One of the items was verified.
    pub fn verified(&self) {
        self.session.observer.observe(Event::Verified);
    }

    /// The work is done, and should be reported.
    pub fn finish(self) {
        self.session.observer.observe(Event::Finished);
    }

    /// The work is done; its caller reports the result.
    pub fn clear(self) {
        self.session.observer.observe(Event::Cleared);
    }
}

/// An observer that ignores all events.
struct Silent;

impl Observer for Silent {
    fn observe(&self, _: Event) {}
}

/// The number of threads for computation.
pub fn processors() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
