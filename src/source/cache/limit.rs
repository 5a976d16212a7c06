//! The maximum size of the cache. It is a setting of the machine, because all repositories share
//! the cache. An `ipwhl.toml` cannot set it: a repository must not decide about its reader's disk.

use std::io;

use super::{Cache, Removed};
use crate::foundation::environment::Environment;
use crate::foundation::failure::Failure;
use crate::foundation::size::parse_size;
use crate::source::user_settings::UserSettings;

/// The environment variable for the limit. It overrides the user's settings.
pub const CACHE_LIMIT_VARIABLE: &str = "IPWHL_CACHE_LIMIT";

/// The result of pruning a cache to a limit.
#[derive(Debug)]
pub enum Pruned {
    /// The cache does not exceed the limit.
    Small,
    /// Another run uses the cache, so nothing was removed.
    InUse,
    /// Parts of it were removed.
    Removed(Removed),
}

impl Cache {
    /// Prunes the cache to a limit in bytes, without waiting for other runs. Files that this run
    /// used stay. If another run uses the cache, everything stays. Facts of other versions than
    /// these are removed.
    ///
    /// # Errors
    /// When the cache cannot be read or locked.
    pub fn keep_to(&self, limit: u64, versions: &[String]) -> Result<Pruned, Failure> {
        let bytes = |parts: &[super::CachePart]| parts.iter().map(|part| part.bytes).sum::<u64>();
        if self.parts().is_ok_and(|parts| bytes(&parts) <= limit) {
            return Ok(Pruned::Small);
        }
        let claimed = self
            .claim(&|| false)
            .map_err(|error| Failure::caused(&error))?;
        let Some(claimed) = claimed else {
            return Ok(Pruned::InUse);
        };
        let removed = claimed.prune(Some(limit), versions);
        removed
            .map(Pruned::Removed)
            .map_err(|error| self.unreadable(&error))
    }

    /// The failure for a cache that cannot be read.
    pub fn unreadable(&self, error: &io::Error) -> Failure {
        let root = self.root().display();
        Failure::world(format!("the cache `{root}` cannot be read: {error}"))
    }
}

/// The limit in bytes, from the environment variable or from the user's settings.
///
/// # Errors
/// When the value is not a size, or the settings cannot be read.
pub fn configured_limit(environment: &Environment) -> Result<Option<u64>, Failure> {
    const LIMIT: &str = CACHE_LIMIT_VARIABLE;
    if let Some(value) = environment.variable(LIMIT) {
        let text = value.to_string_lossy();
        let size = parse_size(&text).map_err(|error| Failure::usage(format!("`{LIMIT}`: {error}")));
        return size.map(Some);
    }
    Ok(UserSettings::read(environment)?.cache_limit)
}
