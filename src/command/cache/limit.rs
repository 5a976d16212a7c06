//! The maximum size of the cache. It is a setting of the machine, because all repositories share
//! the cache. An `ipwhl.toml` cannot set it: a repository must not decide about its reader's disk.

use std::io::ErrorKind;

use toml_edit::DocumentMut;

use super::super::context::Context;
use super::super::values::parse_size;
use crate::foundation::failure::Failure;

/// The variable that goes before the file.
pub(super) const LIMIT: &str = "IPWHL_CACHE_LIMIT";

/// The limit that is set, by the variable or in the user's own settings.
pub(super) fn configured(context: &Context<'_>) -> Result<Option<u64>, Failure> {
    if let Some(value) = context.environment.variable(LIMIT) {
        let text = value.to_string_lossy();
        let size = parse_size(&text).map_err(|error| Failure::usage(format!("`{LIMIT}`: {error}")));
        return size.map(Some);
    }
    let Some(home) = &context.environment.configuration_home else {
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
        let cache = cache.ok_or_else(|| format!("`{key}` is not a table of these settings"))?;
        for (key, item) in cache.iter() {
            let text = (key == "limit").then(|| item.as_str()).flatten();
            let text = text.ok_or_else(|| {
                format!("`cache.{key}`: the only setting here is `limit`, as in `\"5 GiB\"`")
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
