//! Finds the index to use (FORMATS 1, `[index]`).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use thiserror::Error;
use url::Url;

use super::address::{redacted, redacted_text};
use super::pip;

/// Every variable that affects the choice of the index.
const VARIABLES: [&str; 12] = [
    "IPWHL_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "PIP_INDEX_URL",
    "PIP_CONFIG_FILE",
    "VIRTUAL_ENV",
    "HOME",
    "XDG_CONFIG_HOME",
    "XDG_CONFIG_DIRS",
    "APPDATA",
    "ProgramData",
    "USERPROFILE",
    "PATH",
];

/// The origin of an index setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexOrigin {
    /// The argument `--index-url`.
    Argument,
    /// A variable of the environment.
    Variable(&'static str),
    /// `ipwhl.toml`.
    Repository,
    /// A configuration file of pip.
    PipConfiguration(PathBuf),
    /// The pip on `PATH`, by its built-in default.
    Pip,
}

impl fmt::Display for IndexOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument => formatter.write_str("--index-url"),
            Self::Variable(name) => formatter.write_str(name),
            Self::Repository => formatter.write_str("ipwhl.toml"),
            Self::PipConfiguration(path) => write!(formatter, "{}", path.display()),
            Self::Pip => formatter.write_str("the pip on PATH"),
        }
    }
}

/// The address of an index, perhaps with credentials, which are not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct IndexLocation {
    url: Url,
    origin: IndexOrigin,
}

impl IndexLocation {
    /// Reads a configured address. A slash at its end makes no difference.
    pub fn new(text: &str, origin: IndexOrigin) -> Result<Self, DiscoverError> {
        let invalid = || DiscoverError::Invalid {
            shown: redacted_text(text),
            origin: origin.clone(),
        };
        let url = Url::parse(text.trim()).map_err(|_| invalid())?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(invalid());
        }
        Ok(Self { url, origin })
    }

    /// The address, including credentials. Show it by [`redacted`].
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Its origin.
    pub fn origin(&self) -> &IndexOrigin {
        &self.origin
    }
}

impl fmt::Display for IndexLocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&redacted(&self.url))
    }
}

impl fmt::Debug for IndexLocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "IndexLocation({self} from {})", self.origin)
    }
}

/// All possible settings of an index. Nothing is read or started before [`IndexSearch::find`].
#[derive(Clone, Default)]
pub struct IndexSearch {
    argument: Option<String>,
    repository: Option<String>,
    variables: BTreeMap<&'static str, OsString>,
}

impl fmt::Debug for IndexSearch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("IndexSearch")
    }
}

impl IndexSearch {
    /// The search with the option `--index-url`, the setting in `ipwhl.toml`, and the variables.
    pub fn new(
        argument: Option<String>,
        repository: Option<String>,
        variables: &dyn Fn(&str) -> Option<OsString>,
    ) -> Self {
        let variables = VARIABLES
            .into_iter()
            .filter_map(|name| Some((name, variables(name)?)))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        Self {
            argument,
            repository,
            variables,
        }
    }

    /// The index to use. May read pip's configuration files and start pip's Python.
    pub fn find(&self) -> Result<IndexLocation, DiscoverError> {
        if let Some(text) = &self.argument {
            return IndexLocation::new(text, IndexOrigin::Argument);
        }
        if let Some(found) = self.in_variable("IPWHL_INDEX_URL") {
            return found;
        }
        if let Some(text) = &self.repository {
            return IndexLocation::new(text, IndexOrigin::Repository);
        }
        for name in ["UV_DEFAULT_INDEX", "PIP_INDEX_URL"] {
            if let Some(found) = self.in_variable(name) {
                return found;
            }
        }
        self.in_pip()
    }

    fn in_variable(&self, name: &'static str) -> Option<Result<IndexLocation, DiscoverError>> {
        let text = self.variables.get(name)?.to_string_lossy();
        // uv allows a name for an index: `name=https://…`.
        let text = match text.split_once('=') {
            Some((label, rest)) if name == "UV_DEFAULT_INDEX" && !label.contains([':', '/']) => {
                rest
            }
            _ => &text,
        };
        Some(IndexLocation::new(text, IndexOrigin::Variable(name)))
    }

    /// The search of pip: the file in `PIP_CONFIG_FILE`, those of pip's environment, of the user
    /// and of the machine; then the built-in default.
    fn in_pip(&self) -> Result<IndexLocation, DiscoverError> {
        let variables = |name: &str| self.variables.get(name).cloned();
        let path = |name: &str| self.variables.get(name).map(PathBuf::from);
        let named = path("PIP_CONFIG_FILE");
        // pip: the null device as PIP_CONFIG_FILE switches all configuration files off.
        let null = if cfg!(windows) { "nul" } else { "/dev/null" };
        let files = named.as_ref().is_none_or(|path| path.as_os_str() != null);
        let configured = |file: PathBuf| {
            let text = pip::index_url(&file).filter(|_| files)?;
            Some(IndexLocation::new(
                &text,
                IndexOrigin::PipConfiguration(file),
            ))
        };
        if let Some(found) = named.clone().and_then(configured) {
            return found;
        }
        let environment = path("VIRTUAL_ENV");
        let mut built_in = None;
        let prefix = environment.or_else(|| {
            built_in = pip::ask(&variables);
            built_in.as_ref().map(|built_in| built_in.prefix.clone())
        });
        let site = prefix.map(|prefix| pip::site_file(&prefix));
        for file in site.into_iter().chain(pip::configuration_files(&variables)) {
            if let Some(found) = configured(file) {
                return found;
            }
        }
        match built_in.or_else(|| pip::ask(&variables)) {
            Some(built_in) => IndexLocation::new(&built_in.index, IndexOrigin::Pip),
            None => Err(DiscoverError::Unknown),
        }
    }
}

/// The reason why no index was found.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DiscoverError {
    /// No index is configured, and there is no pip on `PATH`.
    #[error(
        "no index is configured; give --index-url, set IPWHL_INDEX_URL, or write `url` under \
         `[index]` in ipwhl.toml"
    )]
    Unknown,
    /// The configured text is not the address of an index.
    #[error(
        "{origin} names `{shown}` as the index, but it must be an address that begins with \
         `https://` or `http://`"
    )]
    Invalid {
        /// The text, in printable form.
        shown: String,
        /// Its origin.
        origin: IndexOrigin,
    },
}
