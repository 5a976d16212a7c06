//! The kinds of targets and their settings.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use url::Url;

/// The kind of a target.
#[derive(Debug, Clone)]
pub enum PublishKind {
    /// A Kubo node, by its RPC API.
    Kubo(KuboTarget),
    /// An IPFS Cluster, by its REST API.
    Cluster(ClusterTarget),
    /// A service with the Pinning Service API.
    PinningService(PinningServiceTarget),
    /// A folder that a static web server serves.
    Directory(DirectoryTarget),
    /// A signed IPNS record.
    Ipns(IpnsTarget),
    /// A branch and tags of a git repository.
    Git(GitTarget),
    /// A TXT record of a domain.
    Dnslink(DnslinkTarget),
}

impl PublishKind {
    /// The names of the kinds.
    pub const WORDS: [&'static str; 7] = [
        "kubo",
        "cluster",
        "pinning-service",
        "directory",
        "ipns",
        "git",
        "dnslink",
    ];

    /// The kinds that need another target to hold the release first, because they refer to it or
    /// fetch it.
    pub const NEEDING_HOLDERS: [&'static str; 4] = ["pinning-service", "ipns", "git", "dnslink"];

    /// The name of the kind.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Kubo(_) => "kubo",
            Self::Cluster(_) => "cluster",
            Self::PinningService(_) => "pinning-service",
            Self::Directory(_) => "directory",
            Self::Ipns(_) => "ipns",
            Self::Git(_) => "git",
            Self::Dnslink(_) => "dnslink",
        }
    }

    /// Whether it stores blocks or files of a release, instead of only referring to one.
    pub fn holds_releases(&self) -> bool {
        match self {
            Self::Kubo(_) | Self::Cluster(_) | Self::PinningService(_) | Self::Directory(_) => true,
            Self::Ipns(_) | Self::Git(_) | Self::Dnslink(_) => false,
        }
    }

    /// Whether another target must hold a release first.
    pub fn needs_holder(&self) -> bool {
        Self::NEEDING_HOLDERS.contains(&self.as_str())
    }

    /// Whether a target of this kind can hold releases for the other kind, if `holders` is not set.
    pub fn is_holder_for(&self, other: &Self) -> bool {
        match other {
            Self::PinningService(_) => matches!(self, Self::Kubo(_) | Self::Cluster(_)),
            // These refer to blocks.
            Self::Ipns(_) | Self::Dnslink(_) => {
                self.holds_releases() && !matches!(self, Self::Directory(_))
            }
            Self::Kubo(_) | Self::Cluster(_) | Self::Directory(_) | Self::Git(_) => {
                self.holds_releases()
            }
        }
    }

    /// The gateway through which its contents are read, if one is set.
    pub fn gateway(&self) -> Option<&Url> {
        match self {
            Self::Kubo(settings) => settings.gateway.as_ref(),
            Self::Cluster(settings) => settings.gateway.as_ref(),
            Self::PinningService(settings) => settings.gateway.as_ref(),
            Self::Directory(_) | Self::Ipns(_) | Self::Git(_) | Self::Dnslink(_) => None,
        }
    }

    /// Whether it signs something with the key of releases.
    pub fn needs_key(&self) -> bool {
        match self {
            Self::Ipns(_) | Self::Git(_) => true,
            Self::Kubo(_)
            | Self::Cluster(_)
            | Self::PinningService(_)
            | Self::Directory(_)
            | Self::Dnslink(_) => false,
        }
    }
}

/// `kind = "kubo"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KuboTarget {
    /// Its RPC API, without `/api/v0`.
    pub api: Url,
    /// The gateway for reading back; the RPC API if none is set.
    pub gateway: Option<Url>,
    /// The number of releases that stay pinned; all if not set.
    pub keep: Option<u64>,
    /// The cluster target that pins on this node; empty for none. If not set, the program asks the
    /// node.
    pub pinned_by: Option<String>,
    /// The path in the node's MFS that shows the newest release.
    pub mfs: Option<String>,
}

/// `kind = "cluster"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterTarget {
    /// Its REST API.
    pub api: Url,
    /// The gateway for reading back; without one, only the peers' reports are available.
    pub gateway: Option<Url>,
    /// The least number of peers with the release; -1 for all, 0 for the cluster's own setting.
    pub replication_min: i64,
    /// The desired number of peers with the release; -1 for all, 0 for the cluster's own setting.
    pub replication_max: i64,
    /// The number of releases that stay pinned; all if not set.
    pub keep: Option<u64>,
    /// Additional metadata of the pin.
    pub metadata: BTreeMap<String, String>,
}

/// `kind = "pinning-service"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinningServiceTarget {
    /// The service's address, without `/pins`.
    pub endpoint: Url,
    /// Multiaddresses of nodes that have the blocks.
    pub origins: Vec<String>,
    /// The gateway for reading back; without one, only the service's report is available.
    pub gateway: Option<Url>,
}

/// `kind = "directory"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryTarget {
    /// The folder; relative to the repository's folder.
    pub path: String,
    /// Whether equal files of two releases share their storage by hard links.
    pub links: bool,
    /// The address at which a web server serves the folder.
    pub url: Option<Url>,
    /// The name in `path` that refers to the newest release; `None` for no name.
    pub latest: Option<String>,
    /// The number of releases whose trees stay; all if not set.
    pub keep: Option<u64>,
}

/// `kind = "ipns"`. It has a file, an API, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpnsTarget {
    /// The file for the record; relative to the repository's folder.
    pub file: Option<String>,
    /// The RPC API of a Kubo node that receives the record, without `/api/v0`.
    pub api: Option<Url>,
    /// The lifetime of the record if the statement does not expire.
    pub lifetime: Option<Duration>,
    /// The time for which a resolver may cache it.
    pub ttl: Option<Duration>,
}

/// `kind = "git"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitTarget {
    /// The git repository, relative to the repository's folder; if not set, the one that contains
    /// that folder.
    pub repository: Option<String>,
    /// The branch for commits of statements.
    pub branch: Option<String>,
    /// The name of a release's tag, with `{sequence}`.
    pub tag: Option<String>,
    /// The remote that both are pushed to.
    pub remote: Option<String>,
}

/// `kind = "dnslink"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnslinkTarget {
    /// The domain in lower case, without `_dnslink.` and without a dot at its end.
    pub domain: String,
    /// The IPNS name that the record refers to, without `/ipns/`; if not set, it refers to
    /// `/ipfs/<root>`.
    pub name: Option<String>,
    /// The DNS server to query; the system's if not set.
    pub resolver: Option<SocketAddr>,
}
