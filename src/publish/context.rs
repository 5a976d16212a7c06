//! Opens targets from the settings in `ipwhl.toml`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use jiff::Timestamp;

use super::cluster::{Cluster, NearbyCluster};
use super::directory::Directory;
use super::dnslink::Dnslink;
use super::git::Git;
use super::ipns::Ipns;
use super::kubo::Kubo;
use super::pinning_service::PinningService;
use super::secret::Secret;
use super::target::Target;
use crate::foundation::failure::Failure;
use crate::release::signature::{PublicKey, SigningKey};
use crate::set::repository::{PublishKind, PublishTarget};
use crate::source::Client;

/// The context of a target, besides its settings.
#[derive(Debug)]
pub struct TargetContext {
    /// The HTTP client.
    pub client: Client,
    /// The HTTP client for gateways, with shorter limits.
    pub gateway_client: Client,
    /// The repository's folder; relative paths begin there.
    pub folder: PathBuf,
    /// Credentials for the target, if set in the environment.
    pub secret: Option<Secret>,
    /// The environment variable for a token, for messages.
    pub variable: String,
    /// The present instant.
    pub now: Timestamp,
    /// The variables for child processes: the environment's, without those of this program, which
    /// may be secrets.
    pub variables: BTreeMap<OsString, OsString>,
    /// The clusters of the configuration; a node may belong to one.
    pub clusters: Vec<NearbyCluster>,
    /// The key of the IPNS name, if it is known without its private half.
    pub public_key: Option<PublicKey>,
    /// The key for signatures that a target needs; present for the kinds that need one.
    pub signing_key: Option<SigningKey>,
}

/// The target with these settings. Nothing is requested or opened yet.
/// # Errors
/// When a required setting or key is missing.
pub fn open_target(
    configured: &PublishTarget,
    context: TargetContext,
) -> Result<Box<dyn Target>, Failure> {
    match &configured.kind {
        PublishKind::Kubo(settings) => Ok(Box::new(Kubo::new(settings, context)?)),
        PublishKind::Cluster(settings) => Ok(Box::new(Cluster::new(settings, context)?)),
        PublishKind::PinningService(settings) => {
            Ok(Box::new(PinningService::new(settings, context)?))
        }
        PublishKind::Directory(settings) => Ok(Box::new(Directory::new(settings, &context)?)),
        PublishKind::Ipns(settings) => Ok(Box::new(Ipns::new(settings, &context)?)),
        PublishKind::Git(settings) => Ok(Box::new(Git::new(settings, context))),
        PublishKind::Dnslink(settings) => Ok(Box::new(Dnslink::new(settings, &context))),
    }
}
