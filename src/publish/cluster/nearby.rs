//! A cluster of the same configuration, as seen by a node.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_unixfs::Cid;
use url::Url;

use super::rest::{Allocation, Rest};
use crate::foundation::failure::Failure;
use crate::publish::pins::{newest_first, parse_name};
use crate::publish::published_release::PublishedRelease;
use crate::source::Client;
use crate::source::Secret;

/// A cluster of the same configuration, to which a node may belong.
#[derive(Debug)]
pub(in crate::publish) struct NearbyCluster {
    /// The name of its target.
    pub name: String,
    /// Its REST API.
    pub api: Url,
    /// Its secret, if the environment has one.
    pub secret: Option<Secret>,
    /// The environment variable for its token, for messages.
    pub variable: String,
    /// The HTTP client.
    pub client: Client,
}

impl NearbyCluster {
    fn rest(&self) -> Result<Rest, Failure> {
        let (secret, variable) = (self.secret.clone(), self.variable.clone());
        Rest::new(&self.api, self.client.clone(), secret, variable)
    }

    /// The peer IDs of its nodes.
    pub(in crate::publish) async fn nodes(&self) -> Result<BTreeSet<String>, Failure> {
        Ok(self.rest()?.nodes().await?)
    }

    /// The releases of a repository that it pins, the newest first.
    pub(in crate::publish) async fn holdings(
        &self,
        repository: &str,
    ) -> Result<Vec<PublishedRelease>, Failure> {
        Ok(newest_first(&ours(&self.rest()?.pins().await?, repository)))
    }
}

/// The pins of a repository: the root of each, and its sequence.
pub(super) fn ours(pins: &[Allocation], repository: &str) -> BTreeMap<Cid, Option<u64>> {
    let ours = pins.iter().filter_map(|pin| {
        let named = parse_name(repository, &pin.name)?;
        Some((pin.cid.parse().ok()?, named.sequence))
    });
    ours.collect()
}
