//! The maximum size of the cache. It is a setting of the machine, because all repositories share
//! the cache. An `ipwhl.toml` cannot set it: a repository must not decide about its reader's disk.

use std::io::{self, ErrorKind};

use toml_edit::DocumentMut;

use super::{Cache, Removed};
use crate::foundation::environment::Environment;
use crate::foundation::failure::Failure;
use crate::foundation::size::parse_size;

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
    let Some(home) = &environment.configuration_home else {
        return Ok(None);
    };
    let path = home.join("ipwhl").join("config.toml");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => {
            return Err(Failure::world(format!(
                "`{}` cannot be read: {error}",
                path.display()
            )));
        }
    };
    of_settings(&text).map_err(|reason| Failure::usage(format!("`{}`: {reason}", path.display())))
}

/// The limit in the text of the user's settings, which may have no other key.
fn of_settings(text: &str) -> Result<Option<u64>, String> {
    let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.as_bytes().get(..start).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("line {line} is not TOML: {}", error.message())
    })?;
    let mut limit = None;
    for (key, item) in document.iter() {
        let cache = (key == "cache").then(|| item.as_table_like()).flatten();
        let cache = cache.ok_or_else(|| {
            format!("`{key}` is unknown: the only setting here is `limit` in the table `[cache]`")
        })?;
        for (key, item) in cache.iter() {
            let text = (key == "limit").then(|| item.as_str()).flatten();
            let text = text.ok_or_else(|| {
                format!("`cache.{key}`: the only setting here is `limit = \"5 GiB\"`")
            })?;
            limit = Some(parse_size(text)?);
        }
    }
    Ok(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_a_limit_and_nothing_else() {
        assert_eq!(of_settings(""), Ok(None));
        assert_eq!(of_settings("[cache]\nlimit = \"2 KiB\"\n"), Ok(Some(2048)));
        for text in [
            "[cach]\n",
            "cache = 1\n",
            "[cache]\nlimit = 5\n",
            "[cache]\nlimits = \"5GiB\"\n",
            "[cache]\nlimit = \"much\"\n",
            "[cache",
        ] {
            assert!(of_settings(text).is_err(), "{text}");
        }
    }
}
