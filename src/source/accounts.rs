//! The user's accounts at indexes and hosts: from the environment, a netrc file, and the program
//! `keyring`. An account is for one origin, and nothing here is printed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use url::{Position, Url};

use super::address::{Address, Login, Lookup, is_loopback};
use super::keyring::{self, KeyringProvider};
use super::netrc::Netrc;
use super::once::OnceMap;
use crate::foundation::environment::read_small;

/// The largest netrc file, in bytes.
const LARGEST_NETRC: u64 = 1 << 20;

/// The port of https.
const HTTPS: u16 = 443;

/// The environment's settings for accounts. Nothing is read or started yet.
#[derive(Clone, Default)]
pub(super) struct AccountSettings {
    index_user: Option<String>,
    index_password: Option<String>,
    /// The netrc files to try. One that `NETRC` names must be readable.
    netrc: Vec<PathBuf>,
    must_have_netrc: bool,
    pub(super) keyring: KeyringProvider,
    /// `PATH`, to find the program.
    path: Option<OsString>,
}

impl AccountSettings {
    /// Reads the settings from environment variables: `IPWHL_INDEX_USERNAME` and
    /// `IPWHL_INDEX_PASSWORD`, `NETRC`, the home folder, `PATH`.
    pub(super) fn from_variables(variables: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let filled = |name: &str| variables(name).filter(|value| !value.is_empty());
        let text = |name: &str| filled(name).map(|value| value.to_string_lossy().into_owned());
        let named = filled("NETRC").map(PathBuf::from);
        let home = filled(if cfg!(windows) { "USERPROFILE" } else { "HOME" });
        let must_have_netrc = named.is_some();
        let netrc = match (named, home.map(PathBuf::from)) {
            (Some(file), _) => vec![file],
            // As in Python, which looks for both names on every system.
            (None, Some(home)) => vec![home.join(".netrc"), home.join("_netrc")],
            (None, None) => Vec::new(),
        };
        Self {
            index_user: text("IPWHL_INDEX_USERNAME"),
            index_password: text("IPWHL_INDEX_PASSWORD"),
            netrc,
            must_have_netrc,
            keyring: KeyringProvider::default(),
            path: filled("PATH"),
        }
    }
}

/// The accounts of a run. Each is looked up once.
#[derive(Default)]
pub(super) struct Accounts {
    store: Arc<Store>,
    found: OnceMap<Key, Result<Option<Login>, String>>,
}

/// An origin, the user name in the address, and whether it is that of the index.
type Key = (String, Option<String>, bool);

impl Accounts {
    pub(super) fn new(settings: AccountSettings) -> Self {
        let store = Arc::new(Store {
            settings,
            netrc: OnceLock::new(),
        });
        Self {
            store,
            found: OnceMap::default(),
        }
    }

    /// The account for an address.
    ///
    /// # Errors
    /// When a file or program that the user has named does not work: a clause.
    pub(super) async fn login(&self, address: &Address) -> Result<Option<Login>, String> {
        let key = (
            address.url().origin().ascii_serialization(),
            address.user().map(ToOwned::to_owned),
            matches!(address.lookup(), Lookup::Index { .. }),
        );
        let find = async {
            let (store, address) = (Arc::clone(&self.store), address.clone());
            let found = tokio::task::spawn_blocking(move || store.find(&address)).await;
            found.unwrap_or_else(|_| Err("the search for its account stopped".to_owned()))
        };
        self.found.get(key, find).await
    }
}

#[derive(Default)]
struct Store {
    settings: AccountSettings,
    netrc: OnceLock<Result<Netrc, String>>,
}

impl Store {
    fn find(&self, address: &Address) -> Result<Option<Login>, String> {
        let settings = &self.settings;
        let url = address.url();
        let mut user = address.user().map(ToOwned::to_owned);
        let is_named = match address.lookup() {
            Lookup::None => return Ok(None),
            Lookup::Host => false,
            Lookup::Index { is_named, .. } => *is_named,
        };
        if is_named {
            // A user name in the address and another one in the environment are two accounts.
            if settings.index_user.is_none() || user.is_none() || user == settings.index_user {
                user = user.or_else(|| settings.index_user.clone());
                if let Some(password) = &settings.index_password {
                    return Ok(Some(Login {
                        user: user.unwrap_or_default(),
                        password: password.clone(),
                    }));
                }
            }
        }
        let netrc = self.netrc.get_or_init(|| settings.read_netrc());
        let netrc = netrc.as_ref().map_err(Clone::clone)?;
        let machines = machines(url, is_named);
        let entries = machines.iter().filter_map(|machine| {
            let entry = netrc.entry(machine, user.as_deref())?;
            Some((entry.login.clone(), entry.password.clone()))
        });
        for (login, password) in entries.collect::<Vec<_>>() {
            user = user.or(login);
            if let Some(password) = password {
                let user = user.unwrap_or_default();
                return Ok(Some(Login { user, password }));
            }
        }
        let Some(user) = user else {
            return Ok(None);
        };
        // A password is not sent without encryption, unless the user has named the index.
        let is_safe = is_named || url.scheme() == "https" || is_loopback(url);
        if settings.keyring == KeyringProvider::Disabled || !is_safe {
            return Ok(None);
        }
        let host = url[Position::BeforeHost..Position::AfterPort].to_owned();
        let service = match address.lookup() {
            Lookup::Index { service, .. } => Some(service.to_string()),
            Lookup::None | Lookup::Host => None,
        };
        for service in service.into_iter().chain([host]) {
            let path = settings.path.as_deref();
            if let Some(password) = keyring::password(path, &service, &user)? {
                return Ok(Some(Login { user, password }));
            }
        }
        Ok(None)
    }
}

impl AccountSettings {
    fn read_netrc(&self) -> Result<Netrc, String> {
        for path in &self.netrc {
            match read_small(path, LARGEST_NETRC) {
                Ok(text) => return Ok(Netrc::parse(&text)),
                Err(error) if self.must_have_netrc => {
                    return Err(format!(
                        "the file that NETRC names cannot be read: `{}`: {error}",
                        path.display()
                    ));
                }
                // Other programs have their own files there, perhaps for themselves only.
                Err(_) => {}
            }
        }
        Ok(Netrc::default())
    }
}

/// The names of a host in a netrc file, best first. A file without ports is meant for https on its
/// own port, and for the index that the user has named.
fn machines(url: &Url, is_named: bool) -> Vec<String> {
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Vec::new();
    };
    let is_safe = url.scheme() == "https" || is_loopback(url);
    let mut machines = Vec::new();
    if is_safe || is_named {
        machines.push(format!("{host}:{port}"));
    }
    if is_named || (url.scheme() == "https" && port == HTTPS) {
        machines.push(host.trim_matches(['[', ']']).to_owned());
    }
    machines
}
