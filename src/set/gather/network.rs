//! The network settings: sources of wheels, from the options of the caller and the settings of the
//! repository.

use std::num::NonZeroUsize;

use ipwhl_unixfs::Profile;
use url::Url;

use crate::foundation::failure::Failure;
use crate::set::repository::Configuration;
use crate::source::{
    FetchSettings, Fetcher, IndexSearch, KeyringProvider, Limits, Session, configured_keyring,
};

/// The default number of wheels that are fetched concurrently.
pub const DEFAULT_JOBS: NonZeroUsize = NonZeroUsize::new(8).expect("eight is not zero");

/// The network settings.
#[derive(Debug, Clone)]
pub struct Network {
    /// The index to use; it takes precedence over the environment and the repository.
    pub index_url: Option<String>,
    /// The source of passwords beside the environment and netrc; it takes precedence over the
    /// environment and the user's settings.
    pub keyring_provider: Option<KeyringProvider>,
    /// Whether only the cache and `file:` sources are used.
    pub offline: bool,
    /// Whether only public addresses are contacted, besides a configured index.
    pub public_only: bool,
    /// Whether the maintainers have reviewed the index that the repository names.
    pub trusts_repository: bool,
    /// The number of wheels that are fetched and verified concurrently.
    pub jobs: NonZeroUsize,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            index_url: None,
            keyring_provider: None,
            offline: false,
            public_only: false,
            trusts_repository: false,
            jobs: DEFAULT_JOBS,
        }
    }
}

impl Network {
    /// The fetcher for a repository. It opens nothing before it is needed.
    ///
    /// # Errors
    /// When there is no cache to store wheels in, or the user's settings cannot be read.
    pub fn fetcher(
        &self,
        session: &Session,
        configuration: &Configuration,
        profile: Profile,
    ) -> Result<Fetcher, Failure> {
        let mut client = session.client_settings(Limits::default());
        if !self.offline {
            client = client.with_keyring(match self.keyring_provider {
                Some(provider) => provider,
                None => configured_keyring(session.environment())?,
            });
        }
        if self.public_only {
            client = client.public_only(self.trusts_repository);
        }
        Ok(Fetcher::new(FetchSettings {
            cache: session.cache()?,
            client,
            index: IndexSearch::new(
                self.index_url.clone(),
                configuration.index_url.clone(),
                &|name| session.variable(name),
            ),
            gateways: configuration
                .gateways
                .iter()
                .filter_map(|gateway| Url::parse(gateway).ok())
                .collect(),
            profile,
            jobs: self.jobs,
            offline: self.offline,
        }))
    }
}
