//! How large the cache may become. It is this machine's matter, and all repositories share it, so
//! no `ipwhl.toml` says it: a set that somebody looks at does not decide about their disk.

use std::io::{self, ErrorKind};

use toml_edit::DocumentMut;

use super::{Cache, Removed};
use crate::foundation::environment::Environment;
use crate::foundation::failure::Failure;
use crate::foundation::size::parse_size;

/// The variable that goes before the file.
pub const CACHE_LIMIT_VARIABLE: &str = "IPWHL_CACHE_LIMIT";

/// What came of keeping a cache to a limit.
#[derive(Debug)]
pub enum Pruned {
    /// It is no larger than that.
    Small,
    /// Another run uses it, so it is left as it is.
    InUse,
    /// Some of it was removed.
    Removed(Removed),
}

impl Cache {
    /// Keeps it to so many bytes, without waiting for other runs. What this run used stays, and
    /// where another run uses the cache, everything does. Facts of other versions than these go.
    ///
    /// # Errors
    /// When it cannot be read or locked.
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

    /// That it cannot be read.
    pub fn unreadable(&self, error: &io::Error) -> Failure {
        let root = self.root().display();
        Failure::world(format!("the cache `{root}` cannot be read: {error}"))
    }
}

/// The limit that is set, by the variable or in the user's own settings.
///
/// # Errors
/// When either is no size, or the settings cannot be read.
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

/// The limit in the text of the user's settings, which have nothing else.
fn of_settings(text: &str) -> Result<Option<u64>, String> {
    let document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| error.message().to_owned())?;
    let mut limit = None;
    for (key, item) in document.iter() {
        let cache = (key == "cache").then(|| item.as_table_like()).flatten();
        let cache = cache.ok_or_else(|| format!("`{key}` is no table of these settings"))?;
        for (key, item) in cache.iter() {
            let text = (key == "limit").then(|| item.as_str()).flatten();
            let text = text.ok_or_else(|| {
                format!("`cache.{key}`: these settings have `limit` alone, as in `\"5 GiB\"`")
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
