//! Targets, made of what `ipwhl.toml` says.

use std::path::PathBuf;

use super::cluster::Cluster;
use super::directory::Directory;
use super::kubo::Kubo;
use super::pinning_service::PinningService;
use super::secret::Secret;
use super::target::{Target, TargetError};
use crate::repository::{PublishKind, PublishTarget};
use crate::source::Client;

/// What targets are given besides their settings.
#[derive(Debug)]
pub struct Surroundings {
    /// What asks the network.
    pub client: Client,
    /// The repository's folder, where relative paths begin.
    pub folder: PathBuf,
    /// What lets us in, where the environment has it.
    pub secret: Option<Secret>,
    /// The environment variable that a token would come from, for messages.
    pub variable: String,
}

/// The target that is configured so. Nothing is asked or opened yet.
///
/// # Errors
/// When it lacks what it needs.
pub fn open_target(
    configured: &PublishTarget,
    surroundings: Surroundings,
) -> Result<Box<dyn Target>, TargetError> {
    match &configured.kind {
        PublishKind::Kubo(settings) => Ok(Box::new(Kubo::new(settings, surroundings)?)),
        PublishKind::Cluster(settings) => Ok(Box::new(Cluster::new(settings, surroundings)?)),
        PublishKind::PinningService(settings) => {
            Ok(Box::new(PinningService::new(settings, surroundings)?))
        }
        PublishKind::Directory(settings) => Ok(Box::new(Directory::new(settings, &surroundings)?)),
        PublishKind::Ipns(_) | PublishKind::Git(_) | PublishKind::Dnslink(_) => {
            Err(TargetError::world(format!(
                "targets of the kind `{}` are not made here yet",
                configured.kind.as_str()
            )))
        }
    }
}
