//! The network, as the command line and the repository want it used.

use std::num::NonZeroUsize;

use clap::Args;
use ipwhl_unixfs::Profile;
use tokio::runtime::{Builder, Runtime};
use url::Url;

use super::context::Context;
use crate::foundation::failure::Failure;
use crate::set::repository::Configuration;
use crate::source::{ClientSettings, FetchSettings, Fetcher, IndexSearch, Limits};

/// How many wheels are fetched at once.
pub(super) const DEFAULT_JOBS: NonZeroUsize = NonZeroUsize::new(8).expect("eight is not zero");

/// Where wheels come from.
#[derive(Debug, Clone, Args)]
pub(super) struct NetworkArguments {
    /// The index that package URLs are resolved through [default: see `docs/formats.md`, 1]
    #[arg(long, value_name = "URL")]
    index_url: Option<String>,
    /// Use the cache and `file:` sources only
    #[arg(long)]
    pub(super) offline: bool,
    /// Whether public addresses are asked only, beside a configured index.
    #[arg(skip)]
    public_only: bool,
    /// Whether the index that the repository names is one that its maintainers have reviewed.
    #[arg(skip)]
    trusts_repository: bool,
    /// How many wheels are fetched and verified at once [default: 8]
    #[arg(long, value_name = "N")]
    pub(super) jobs: Option<NonZeroUsize>,
}

impl NetworkArguments {
    /// The same for a repository that may be a stranger's: whether public addresses are asked only,
    /// and whether maintainers have reviewed the places of the repository.
    pub(super) fn for_change(&self, public_only: bool, trusts_repository: bool) -> Self {
        Self {
            public_only,
            trusts_repository,
            ..self.clone()
        }
    }

    pub(super) fn jobs(&self) -> NonZeroUsize {
        self.jobs.unwrap_or(DEFAULT_JOBS)
    }
}

/// What fetches wheels for this run. Nothing is opened before it is needed.
pub(super) fn fetcher(
    context: &Context<'_>,
    configuration: &Configuration,
    arguments: &NetworkArguments,
    profile: Profile,
) -> Result<Fetcher, Failure> {
    let environment = context.environment;
    let variables = |name: &str| environment.variable(name).map(ToOwned::to_owned);
    let mut client = ClientSettings::from_variables(&variables, Limits::default());
    if arguments.public_only {
        client = client.public_only(arguments.trusts_repository);
    }
    Ok(Fetcher::new(FetchSettings {
        cache: context.cache()?,
        client,
        index: IndexSearch::new(
            arguments.index_url.clone(),
            configuration.index_url.clone(),
            &variables,
        ),
        gateways: configuration
            .gateways
            .iter()
            .filter_map(|gateway| Url::parse(gateway).ok())
            .collect(),
        profile,
        jobs: arguments.jobs(),
        offline: arguments.offline,
    }))
}

/// Says what `--public-only` cannot hold where proxies look names up.
pub(super) fn tell_of_proxies(context: &Context<'_>) {
    let variables = |name: &str| context.environment.variable(name).map(ToOwned::to_owned);
    let client = ClientSettings::from_variables(&variables, Limits::default());
    if client.has_proxies() {
        context.say(
            "note: a proxy of the environment looks names up, so `--public-only` cannot tell where they lead: the proxy has to",
        );
    }
}

/// What runs the network's tasks.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::world(format!("no threads for the network: {error}")))
}

/// How many threads compute.
pub(super) fn processors() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
