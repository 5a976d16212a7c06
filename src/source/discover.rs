//! Which index is meant (FORMATS 1, `[index]`).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use thiserror::Error;
use url::Url;

use super::address::{redacted, redacted_text};
use super::pip;

/// Every variable that has a say in which index is meant.
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

/// Who named an index.
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
    /// The pip on `PATH`, by what it has built in.
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
    /// Takes an address that somebody named. A slash at its end makes no difference.
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

    /// The address, credentials included. Show it by [`redacted`].
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Who named it.
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

/// Everything that may name an index. Nothing is read or started before [`IndexSearch::find`].
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
    /// Notes what was typed (`--index-url`), what `ipwhl.toml` says, and the variables.
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

    /// The index that is meant. May read pip's configuration files and start pip's Python.
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
        // uv lets an index have a name: `name=https://…`.
        let text = match text.split_once('=') {
            Some((label, rest)) if name == "UV_DEFAULT_INDEX" && !label.contains([':', '/']) => {
                rest
            }
            _ => &text,
        };
        Some(IndexLocation::new(text, IndexOrigin::Variable(name)))
    }

    /// As pip looks: the file that `PIP_CONFIG_FILE` names, those of the environment that pip lives
    /// in, of the user and of the machine; then what is built in.
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

/// Why it is not known which index is meant.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DiscoverError {
    /// Nobody names one, and there is no pip to ask.
    #[error(
        "no index is configured; give --index-url, set IPWHL_INDEX_URL, or write `url` under \
         `[index]` in ipwhl.toml"
    )]
    Unknown,
    /// What somebody named is no address of an index.
    #[error("{origin} names `{shown}` as the index, which is no http or https address")]
    Invalid {
        /// What was named, as it may be shown.
        shown: String,
        /// Who named it.
        origin: IndexOrigin,
    },
}
