//! Targets, made of what `ipwhl.toml` says.

use super::cluster::Cluster;
use super::context::TargetContext;
use super::directory::Directory;
use super::dnslink::Dnslink;
use super::git::Git;
use super::ipns::Ipns;
use super::kubo::Kubo;
use super::pinning_service::PinningService;
use super::target::Target;
use crate::foundation::failure::Failure;
use crate::set::repository::{PublishKind, PublishTarget};

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
