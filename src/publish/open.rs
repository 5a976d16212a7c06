//! Targets, made of what `ipwhl.toml` says.

use std::path::PathBuf;

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
}

/// The target that is configured so. Nothing is asked or opened yet.
///
/// # Errors
/// When it lacks what it needs.
pub fn open_target(
    configured: &PublishTarget,
    surroundings: Surroundings,
) -> Result<Box<dyn Target>, TargetError> {
    let _ = surroundings;
    match &configured.kind {
        PublishKind::Kubo(_)
        | PublishKind::Cluster(_)
        | PublishKind::PinningService(_)
        | PublishKind::Directory(_)
        | PublishKind::Ipns(_)
        | PublishKind::Git(_)
        | PublishKind::Dnslink(_) => Err(TargetError::world(format!(
            "targets of the kind `{}` are not made here yet",
            configured.kind.as_str()
        ))),
    }
}
