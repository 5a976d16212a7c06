//! Targets, made of what `ipwhl.toml` says.

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

/// What targets are given besides their settings.
#[derive(Debug)]
pub struct TargetContext {
    /// What asks the network.
    pub client: Client,
    /// The same for gateways, which are left sooner.
    pub gateway_client: Client,
    /// The repository's folder, where relative paths begin.
    pub folder: PathBuf,
    /// Credentials for the target, if set in the environment.
    pub secret: Option<Secret>,
    /// The environment variable that a token would come from, for messages.
    pub variable: String,
    /// The present instant.
    pub now: Timestamp,
    /// What child processes may know: the environment's variables without this program's own, which
    /// may be secrets.
    pub variables: BTreeMap<OsString, OsString>,
    /// The clusters of the configuration, for a node that may belong to one.
    pub clusters: Vec<NearbyCluster>,
    /// The key whose IPNS name is meant, where one is known without its private half.
    pub public_key: Option<PublicKey>,
    /// The key that signs what a target has signed; there for the kinds that ask for one.
    pub signing_key: Option<SigningKey>,
}

/// The target that is configured so. Nothing is asked or opened yet.
///
/// # Errors
/// When it lacks what it needs.
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
