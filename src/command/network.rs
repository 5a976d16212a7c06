//! The network, as the command line and the repository want it used.

use std::num::NonZeroUsize;

use super::context::Context;
use crate::set::gather::{DEFAULT_JOBS, Network};
use crate::source::Limits;
use clap::Args;

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

    /// The same, as the library takes it.
    pub(super) fn network(&self) -> Network {
        Network {
            index_url: self.index_url.clone(),
            offline: self.offline,
            public_only: self.public_only,
            trusts_repository: self.trusts_repository,
            jobs: self.jobs(),
        }
    }

    pub(super) fn jobs(&self) -> NonZeroUsize {
        self.jobs.unwrap_or(DEFAULT_JOBS)
    }
}

/// Says what `--public-only` cannot hold where proxies look names up.
pub(super) fn tell_of_proxies(context: &Context<'_>) {
    let client = context.session.client_settings(Limits::default());
    if client.has_proxies() {
        context.say(
            "note: a proxy of the environment looks names up, so `--public-only` cannot tell where they lead: the proxy has to",
        );
    }
}
