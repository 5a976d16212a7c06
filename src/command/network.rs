//! Network options.

use std::num::NonZeroUsize;

use super::context::Context;
use super::values::jobs;
use crate::set::gather::{DEFAULT_JOBS, Network};
use crate::source::{KeyringProvider, Limits};
use clap::Args;

/// Options for the sources of wheels.
#[derive(Debug, Clone, Args)]
pub(super) struct NetworkArguments {
    /// The index to look up projects and `pkg:` sources in [default: `IPWHL_INDEX_URL`, else `url`
    /// in `[index]`, else `UV_DEFAULT_INDEX`, else the index of pip]
    #[arg(long, value_name = "URL")]
    index_url: Option<String>,
    /// Where to look for passwords of indexes and hosts: `disabled`, or `subprocess` for the
    /// program `keyring` [default:
    /// `IPWHL_KEYRING_PROVIDER`, else `keyring-provider` under `[index]` in your own `config.toml`,
    /// else `disabled`]
    #[arg(long, value_name = "PROVIDER")]
    keyring_provider: Option<KeyringProvider>,
    /// Use only the cache and `file:` sources
    #[arg(long)]
    pub(super) offline: bool,
    /// Whether only public addresses are used, apart from a configured index.
    #[arg(skip)]
    public_only: bool,
    /// Whether maintainers have reviewed the index that the repository names.
    #[arg(skip)]
    trusts_repository: bool,
    /// The number of parallel downloads and verifications [default: 8]
    #[arg(long, value_name = "N", value_parser = jobs)]
    pub(super) jobs: Option<NonZeroUsize>,
}

impl NetworkArguments {
    /// The same options for a repository that may come from a stranger: whether only public
    /// addresses are used, and whether maintainers have reviewed the repository's index.
    pub(super) fn for_change(&self, public_only: bool, trusts_repository: bool) -> Self {
        Self {
            public_only,
            trusts_repository,
            ..self.clone()
        }
    }

    /// The options as a library type.
    pub(super) fn network(&self) -> Network {
        Network {
            index_url: self.index_url.clone(),
            keyring_provider: self.keyring_provider,
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

/// Notes that a proxy which resolves names limits `--public-only`.
pub(super) fn note_proxies(context: &Context<'_>) {
    let client = context.session.client_settings(Limits::default());
    if client.has_proxies() {
        context.say(
            "note: a proxy from the environment resolves host names, so `--public-only` cannot \
             check their addresses: the proxy has to",
        );
    }
}
