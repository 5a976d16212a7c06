//! The HTTP client: proxies and certificate roots from the environment, as in pip.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use reqwest::{NoProxy, Proxy, redirect};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use url::Url;

use super::accounts::{AccountSettings, Accounts};
use super::address::{Address, Lookup, is_loopback};
use super::client_error::{ClientError, innermost};
use super::discover::{IndexLocation, IndexOrigin};
use super::hosts::Hosts;
use super::keyring::KeyringProvider;
use super::limits::Limits;
use super::pace::Received;
use super::reach::{PublicOnly, PublicResolver};

/// The name of this program in requests.
const USER_AGENT: &str = concat!("ipwhl/", env!("CARGO_PKG_VERSION"));

/// The environment's settings for connections. Nothing is read or opened yet.
#[derive(Clone, Default)]
pub struct ClientSettings {
    roots: Option<Roots>,
    proxies: Vec<ProxySetting>,
    no_proxy: Option<String>,
    is_direct_on_loopback: bool,
    /// Whether only public addresses are contacted; the value tells whether the index of
    /// `ipwhl.toml` counts as configured.
    public_only: Option<bool>,
    accounts: AccountSettings,
    limits: Limits,
}

/// Certificates that replace those of the platform.
#[derive(Clone)]
struct Roots {
    variable: &'static str,
    paths: Vec<PathBuf>,
}

#[derive(Clone)]
struct ProxySetting {
    variable: String,
    scheme: Scheme,
    address: String,
}

#[derive(Clone, Copy)]
enum Scheme {
    Http,
    Https,
    Both,
}

impl ClientSettings {
    /// Reads the settings from environment variables.
    ///
    /// Certificates: `PIP_CERT`, else `REQUESTS_CA_BUNDLE`, else `CURL_CA_BUNDLE` (each a file or a
    /// folder), else `SSL_CERT_FILE` and `SSL_CERT_DIR`, else the platform's. Proxies: `PIP_PROXY`
    /// for everything, else `http_proxy`, `https_proxy`, `all_proxy`, in lower case before upper
    /// case; hosts in `no_proxy` are contacted directly. Accounts: `IPWHL_INDEX_USERNAME` and
    /// `IPWHL_INDEX_PASSWORD` for the index, else the file `NETRC` or the one in the home folder.
    pub fn from_variables(variables: &dyn Fn(&str) -> Option<OsString>, limits: Limits) -> Self {
        let filled = |name: &str| variables(name).filter(|value| !value.is_empty());
        let text = |name: &str| filled(name).map(|value| value.to_string_lossy().into_owned());
        let either = |name: &str| {
            let upper = name.to_uppercase();
            // A CGI server copies the header `Proxy` of any request into HTTP_PROXY.
            let forged = upper == "HTTP_PROXY" && filled("REQUEST_METHOD").is_some();
            text(name)
                .map(|value| (name.to_owned(), value))
                .or_else(|| text(&upper).filter(|_| !forged).map(|value| (upper, value)))
        };
        let mut proxies = Vec::new();
        if let Some(address) = text("PIP_PROXY") {
            proxies.push(ProxySetting {
                variable: "PIP_PROXY".to_owned(),
                scheme: Scheme::Both,
                address,
            });
        } else {
            for (name, scheme) in [
                ("http_proxy", Scheme::Http),
                ("https_proxy", Scheme::Https),
                ("all_proxy", Scheme::Both),
            ] {
                if let Some((variable, address)) = either(name) {
                    proxies.push(ProxySetting {
                        variable,
                        scheme,
                        address,
                    });
                }
            }
        }
        Self {
            roots: roots(&filled),
            proxies,
            // Off-pip: pip ignores NO_PROXY beside PIP_PROXY. Here it always applies, because a
            // proxy should not serve a gateway on the loopback address.
            no_proxy: either("no_proxy").map(|(_, value)| value),
            is_direct_on_loopback: false,
            public_only: None,
            accounts: AccountSettings::from_variables(variables),
            limits,
        }
    }

    /// The same settings, without a proxy for addresses of this machine: a proxy would connect to
    /// its own machine instead, and read along.
    #[must_use]
    pub fn direct_on_loopback(self) -> Self {
        Self {
            is_direct_on_loopback: true,
            ..self
        }
    }

    /// The same settings with a source of passwords beside the environment and netrc.
    #[must_use]
    pub fn with_keyring(mut self, provider: KeyringProvider) -> Self {
        self.accounts.keyring = provider;
        self
    }

    /// The same settings, but only public addresses are contacted, by https, besides the index that
    /// the user has configured. With `trusts_repository` the index of `ipwhl.toml` counts as
    /// configured.
    #[must_use]
    pub fn public_only(self, trusts_repository: bool) -> Self {
        Self {
            public_only: Some(trusts_repository),
            ..self
        }
    }

    /// The limits of the client.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether the environment names a proxy.
    pub fn has_proxies(&self) -> bool {
        !self.proxies.is_empty()
    }
}

fn roots(filled: &dyn Fn(&str) -> Option<OsString>) -> Option<Roots> {
    for variable in ["PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"] {
        if let Some(path) = filled(variable) {
            return Some(Roots {
                variable,
                paths: vec![path.into()],
            });
        }
    }
    let file = filled("SSL_CERT_FILE").map(PathBuf::from);
    let folders = filled("SSL_CERT_DIR")
        .map(|list| std::env::split_paths(&list).collect::<Vec<_>>())
        .unwrap_or_default();
    let variable = if file.is_some() {
        "SSL_CERT_FILE"
    } else {
        "SSL_CERT_DIR"
    };
    let paths: Vec<PathBuf> = file
        .into_iter()
        // Missing folders in the list are normal, but not if all are missing.
        .chain(folders.into_iter().filter(|folder| folder.is_dir()))
        .collect();
    let asked = filled("SSL_CERT_FILE").is_some() || filled("SSL_CERT_DIR").is_some();
    asked.then_some(Roots { variable, paths })
}

/// An HTTP client with its limits. Cheap to clone; all clones share their connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    /// For addresses of this machine, if no proxy is used for them.
    direct: Option<reqwest::Client>,
    /// The connections for addresses that are not configured, if only public ones are allowed.
    pub(super) public_only: Option<Arc<PublicOnly>>,
    pub(super) limits: Arc<Limits>,
    pub(super) hosts: Hosts,
    pub(super) accounts: Arc<Accounts>,
    /// Counts the bytes of bodies, if requested.
    pub(super) received: Option<Received>,
}

impl Client {
    /// The same client with a counter for the bytes of its requests. [`Limits::slowest`] then
    /// applies to the gateway as a whole, so that eight requests over a slow line do not fail
    /// because of each other.
    ///
    /// [`Limits::slowest`]: super::Limits::slowest
    #[must_use]
    pub fn counted(&self, received: &Received) -> Self {
        let mut client = self.clone();
        client.received = Some(received.clone());
        client
    }
}

impl Client {
    /// Makes the client: reads certificates, opens no connection.
    pub fn new(settings: &ClientSettings) -> Result<Self, ClientError> {
        let http = settings.connections(true, None)?;
        let direct = settings
            .is_direct_on_loopback
            .then(|| settings.connections(false, None))
            .transpose()?;
        let public_only = match settings.public_only {
            Some(trusts_repository) => {
                let proxies = settings.proxy_hosts();
                let resolver = PublicResolver {
                    proxies: Arc::new(proxies.clone()),
                };
                let http = settings.connections(true, Some(resolver))?;
                Some(Arc::new(PublicOnly {
                    http,
                    proxies,
                    trusts_repository,
                }))
            }
            None => None,
        };
        Ok(Self {
            http,
            direct,
            public_only,
            limits: Arc::new(settings.limits.clone()),
            hosts: Hosts::default(),
            accounts: Arc::new(Accounts::new(settings.accounts.clone())),
            received: None,
        })
    }

    /// The limits of this client.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The connections for a request to this address. They follow no redirects.
    pub(crate) fn http(&self, url: &Url) -> &reqwest::Client {
        let direct = self.direct.as_ref().filter(|_| is_loopback(url));
        direct.unwrap_or(&self.http)
    }

    /// The connections for a request to this address, or the reason why it is refused, as a clause.
    pub(super) fn connections(&self, address: &Address) -> Result<&reqwest::Client, String> {
        match &self.public_only {
            Some(public) if !address.is_configured() => match public.refusal(address) {
                Some(reason) => Err(reason),
                None => Ok(&public.http),
            },
            _ => Ok(self.http(address.url())),
        }
    }

    /// The address of an index, marked as configured if the user has named it.
    pub(super) fn index_address(&self, location: &IndexLocation) -> Address {
        let address = Address::new(location.url().clone());
        let lookup = Lookup::Index {
            service: address.url().as_str().into(),
            is_named: *location.origin() != IndexOrigin::Repository,
        };
        let address = address.with_lookup(lookup);
        let Some(public) = &self.public_only else {
            return address;
        };
        if *location.origin() == IndexOrigin::Repository && !public.trusts_repository {
            return address;
        }
        address.configured()
    }

    /// Whether a request to this address stays on this machine, even without encryption.
    pub(crate) fn stays_here(&self, url: &Url) -> bool {
        self.direct.is_some() && is_loopback(url)
    }
}

impl ClientSettings {
    /// The connections, with the proxies or without.
    fn connections(
        &self,
        with_proxies: bool,
        resolver: Option<PublicResolver>,
    ) -> Result<reqwest::Client, ClientError> {
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(self.limits.connect_timeout)
            // `transport` follows redirects one by one, and checks each.
            .redirect(redirect::Policy::none())
            .referer(false);
        let asks_system =
            self.proxies.is_empty() && cfg!(any(target_os = "macos", target_os = "windows"));
        if !with_proxies || !asks_system {
            // The environment was read above; some systems have further settings, which are not
            // used.
            builder = builder.no_proxy();
        }
        for proxy in self.proxies.iter().filter(|_| with_proxies) {
            builder = builder.proxy(proxy.build(self.no_proxy.as_deref())?);
        }
        if let Some(resolver) = resolver {
            builder = builder.dns_resolver(resolver);
        }
        let provider = Arc::new(ring::default_provider());
        match &self.roots {
            Some(roots) => {
                let mut config = ClientConfig::builder_with_provider(provider)
                    .with_safe_default_protocol_versions()
                    .map_err(|error| ClientError::Build(error.to_string()))?
                    .with_root_certificates(roots.load()?)
                    .with_no_client_auth();
                config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
                builder = builder.tls_backend_preconfigured(config);
            }
            None => {
                // reqwest uses the process's provider. A provider that is already set is as good.
                let _ = ring::default_provider().install_default();
            }
        }
        builder
            .build()
            .map_err(|error| ClientError::Build(innermost(&error)))
    }

    /// The names of the proxies' hosts.
    fn proxy_hosts(&self) -> BTreeSet<String> {
        let addresses = self.proxies.iter().filter_map(|proxy| {
            // Without a scheme it is http, as in reqwest.
            let address = Url::parse(&proxy.address).ok().filter(Url::has_host);
            address.or_else(|| Url::parse(&format!("http://{}", proxy.address)).ok())
        });
        let hosts = addresses.filter_map(|address| Some(address.host_str()?.to_owned()));
        hosts.collect()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Client")
    }
}

impl ProxySetting {
    fn build(&self, no_proxy: Option<&str>) -> Result<Proxy, ClientError> {
        let proxy = match self.scheme {
            Scheme::Http => Proxy::http(&self.address),
            Scheme::Https => Proxy::https(&self.address),
            Scheme::Both => Proxy::all(&self.address),
        };
        let proxy = proxy.map_err(|_| ClientError::Proxy {
            variable: self.variable.clone(),
        })?;
        Ok(proxy.no_proxy(no_proxy.and_then(NoProxy::from_string)))
    }
}

impl Roots {
    fn load(&self) -> Result<RootCertStore, ClientError> {
        let mut seen = HashSet::new();
        for path in &self.paths {
            let failed = |error: &dyn std::error::Error| ClientError::Roots {
                variable: self.variable,
                path: path.clone(),
                reason: error.to_string(),
            };
            if path.is_dir() {
                for entry in fs::read_dir(path).map_err(|error| failed(&error))? {
                    let file = entry.map_err(|error| failed(&error))?.path();
                    // A folder of certificates may contain other files too.
                    if let Ok(certificates) = certificates(&file) {
                        seen.extend(certificates);
                    }
                }
            } else {
                seen.extend(certificates(path).map_err(|error| failed(&error))?);
            }
        }
        let mut store = RootCertStore::empty();
        let (usable, _) = store.add_parsable_certificates(seen);
        if usable == 0 {
            return Err(ClientError::Roots {
                variable: self.variable,
                path: self.paths.first().cloned().unwrap_or_default(),
                reason: "there is no usable certificate".to_owned(),
            });
        }
        Ok(store)
    }
}

fn certificates(
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, rustls::pki_types::pem::Error> {
    CertificateDer::pem_file_iter(path)?.collect()
}
