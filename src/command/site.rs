//! Sites named by arguments.

use super::context::Context;
use crate::release::archive::ReleaseName;

/// Whether a text is a URL, but not the URL of a release on a gateway.
pub(super) fn is_address(context: &Context<'_>, text: &str) -> bool {
    text.contains("://") && !matches!(ReleaseName::parse(context.environment, text), Ok(Some(_)))
}
