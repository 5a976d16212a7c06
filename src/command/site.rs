//! Sites, as arguments name them.

use super::context::Context;
use crate::foundation::failure::Failure;
use crate::publish::HollowError;
use crate::release::archive::ReleaseName;
use crate::release::statement::unreachable;

/// The failure to read the hollow archive of a site's release.
pub(super) fn no_hollow(error: &HollowError) -> Failure {
    match error {
        HollowError::Source(problem) => unreachable(problem),
        HollowError::Refused { .. } => Failure::finding(error),
    }
}

/// Whether a text is a URL, but not that of a release on a gateway.
pub(super) fn is_address(context: &Context<'_>, text: &str) -> bool {
    text.contains("://") && !matches!(ReleaseName::parse(context.environment, text), Ok(Some(_)))
}
