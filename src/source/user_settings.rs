//! The user's own settings: `ipwhl/config.toml` in the platform's configuration folder. No
//! repository can set them.

use std::io::ErrorKind;

use toml_edit::DocumentMut;

use super::keyring::KeyringProvider;
use crate::foundation::environment::Environment;
use crate::foundation::failure::Failure;
use crate::foundation::size::parse_size;

/// The environment variable for the keyring. It overrides the user's settings.
pub const KEYRING_VARIABLE: &str = "IPWHL_KEYRING_PROVIDER";

/// The user's own settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct UserSettings {
    /// The limit of the cache in bytes.
    pub(super) cache_limit: Option<u64>,
    /// The source of passwords for indexes and hosts.
    pub(super) keyring_provider: Option<KeyringProvider>,
}

impl UserSettings {
    /// Reads them. Without the file, nothing is set.
    pub(super) fn read(environment: &Environment) -> Result<Self, Failure> {
        let Some(home) = &environment.configuration_home else {
            return Ok(Self::default());
        };
        let path = home.join("ipwhl").join("config.toml");
        let shown = path.display();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(Self::default());
            }
            Err(error) => {
                return Err(Failure::world(format!("`{shown}` cannot be read: {error}")));
            }
        };
        Self::parse(&text).map_err(|reason| Failure::usage(format!("`{shown}`: {reason}")))
    }

    /// Reads their text, which may have no other key.
    fn parse(text: &str) -> Result<Self, String> {
        let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
            let start = error.span().map_or(0, |span| span.start);
            let before = text.get(..start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            format!("line {line} is not TOML: {}", error.message())
        })?;
        let mut settings = Self::default();
        for (table, item) in document.iter() {
            let known = matches!(table, "cache" | "index").then(|| item.as_table_like());
            let Some(keys) = known.flatten() else {
                return Err(format!(
                    "`{table}` is unknown: the settings here are in the tables `[cache]` and \
                     `[index]`"
                ));
            };
            for (key, item) in keys.iter() {
                match (table, key, item.as_str()) {
                    ("cache", "limit", Some(text)) => {
                        settings.cache_limit = Some(parse_size(text)?);
                    }
                    ("index", "keyring-provider", Some(text)) => {
                        let provider = text.parse();
                        settings.keyring_provider =
                            Some(provider.map_err(|reason| format!("`{table}.{key}`: {reason}"))?);
                    }
                    ("cache", ..) => {
                        return Err(format!(
                            "`cache.{key}`: the only setting here is `limit`, as in `\"5 GiB\"`"
                        ));
                    }
                    _ => {
                        return Err(format!(
                            "`index.{key}`: the only setting here is `keyring-provider`, as in \
                             `\"subprocess\"`"
                        ));
                    }
                }
            }
        }
        Ok(settings)
    }
}

/// The source of passwords beside the environment and netrc, from the environment variable or from
/// the user's settings.
///
/// # Errors
/// When the value is unknown, or the settings cannot be read.
pub fn configured_keyring(environment: &Environment) -> Result<KeyringProvider, Failure> {
    if let Some(value) = environment.variable(KEYRING_VARIABLE) {
        let provider = value.to_string_lossy().parse();
        return provider
            .map_err(|reason| Failure::usage(format!("`{KEYRING_VARIABLE}`: {reason}")));
    }
    let settings = UserSettings::read(environment)?;
    Ok(settings.keyring_provider.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_these_keys_and_nothing_else() {
        let of_limit = |limit| UserSettings {
            cache_limit: Some(limit),
            ..UserSettings::default()
        };
        assert_eq!(UserSettings::parse(""), Ok(UserSettings::default()));
        assert_eq!(
            UserSettings::parse("[cache]\nlimit = \"2 KiB\"\n"),
            Ok(of_limit(2048))
        );
        assert_eq!(
            UserSettings::parse("[index]\nkeyring-provider = \"subprocess\"\n"),
            Ok(UserSettings {
                keyring_provider: Some(KeyringProvider::Subprocess),
                ..UserSettings::default()
            })
        );
        for text in [
            "[cach]\n",
            "cache = 1\n",
            "[cache]\nlimit = 5\n",
            "[cache]\nlimits = \"5GiB\"\n",
            "[cache]\nlimit = \"much\"\n",
            "[cache]\nkeyring-provider = \"subprocess\"\n",
            "[index]\nkeyring-provider = true\n",
            "[index]\nkeyring-provider = \"import\"\n",
            "[index]\nurl = \"https://example.org/simple\"\n",
            "[cache",
        ] {
            assert!(UserSettings::parse(text).is_err(), "{text}");
        }
    }
}
