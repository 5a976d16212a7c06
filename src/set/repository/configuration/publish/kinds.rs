//! The kinds of targets and what each is told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use url::Url;

/// What a target is.
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
    /// The words for the kinds.
    pub const WORDS: [&'static str; 7] = [
        "kubo",
        "cluster",
        "pinning-service",
        "directory",
        "ipns",
        "git",
        "dnslink",
    ];

    /// The words for those that need a release to be held by another target before: they lead to
    /// it, or fetch it by themselves.
    pub const NEEDING_HOLDERS: [&'static str; 4] = ["pinning-service", "ipns", "git", "dnslink"];

    /// The word for it.
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

    /// Whether it has blocks or files of a release, and does not merely lead to one.
    pub fn holds_releases(&self) -> bool {
        matches!(
            self,
            Self::Kubo(_) | Self::Cluster(_) | Self::PinningService(_) | Self::Directory(_)
        )
    }

    /// Whether it needs a release to be held by another target before.
    pub fn needs_holder(&self) -> bool {
        Self::NEEDING_HOLDERS.contains(&self.as_str())
    }

    /// Whether a target of this kind is enough for one of the other kind, where `holders` is not
    /// set.
    pub fn is_holder_for(&self, other: &Self) -> bool {
        match other {
            Self::PinningService(_) => matches!(self, Self::Kubo(_) | Self::Cluster(_)),
            // What these lead to are blocks.
            Self::Ipns(_) | Self::Dnslink(_) => {
                self.holds_releases() && !matches!(self, Self::Directory(_))
            }
            Self::Kubo(_) | Self::Cluster(_) | Self::Directory(_) | Self::Git(_) => {
                self.holds_releases()
            }
        }
    }

    /// The gateway that what it holds is read through, where one is named.
    pub fn gateway(&self) -> Option<&Url> {
        match self {
            Self::Kubo(settings) => settings.gateway.as_ref(),
            Self::Cluster(settings) => settings.gateway.as_ref(),
            Self::PinningService(settings) => settings.gateway.as_ref(),
            Self::Directory(_) | Self::Ipns(_) | Self::Git(_) | Self::Dnslink(_) => None,
        }
    }

    /// Whether something of it is signed with the key of releases.
    pub fn needs_key(&self) -> bool {
        matches!(self, Self::Ipns(_) | Self::Git(_))
    }
}

/// `kind = "kubo"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KuboTarget {
    /// Its RPC API, without `/api/v0`.
    pub api: Url,
    /// What is read back through; without one, the RPC API.
    pub gateway: Option<Url>,
    /// How many releases stay pinned; all of them where none is said.
    pub keep: Option<u64>,
    /// The target of the cluster that pins on this node, empty for none; found out where nothing is
    /// said.
    pub pinned_by: Option<String>,
    /// The path in the node's MFS that shows the newest release.
    pub mfs: Option<String>,
}

/// `kind = "cluster"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterTarget {
    /// Its REST API.
    pub api: Url,
    /// What is read back through; without one, only the peers' word is there.
    pub gateway: Option<Url>,
    /// On how many peers the release must be at least; -1 for all, 0 for the cluster's own setting.
    pub replication_min: i64,
    /// On how many it should be; -1 for all, 0 for the cluster's own setting.
    pub replication_max: i64,
    /// How many releases stay pinned; all of them where none is said.
    pub keep: Option<u64>,
    /// What the pin is given besides.
    pub metadata: BTreeMap<String, String>,
}

/// `kind = "pinning-service"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinningServiceTarget {
    /// The service's address, without `/pins`.
    pub endpoint: Url,
    /// Multiaddresses of nodes that have the blocks.
    pub origins: Vec<String>,
    /// What is read back through; without one, only the service's word is there.
    pub gateway: Option<Url>,
}

/// `kind = "directory"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryTarget {
    /// The folder; a relative one begins at the repository's.
    pub path: String,
    /// Whether files that are the same in two releases are one file with hard links.
    pub links: bool,
    /// The address that a web server serves the folder at.
    pub url: Option<Url>,
    /// The name in `path` that leads to the newest release; `None` for no such name.
    pub latest: Option<String>,
    /// How many releases' trees stay; all where none is said.
    pub keep: Option<u64>,
}

/// `kind = "ipns"`. It has a file, an API, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpnsTarget {
    /// The file that the record goes to; a relative path begins at the repository's folder.
    pub file: Option<String>,
    /// The RPC API of a Kubo that the record is put to, without `/api/v0`.
    pub api: Option<Url>,
    /// How long the record holds where the statement does not expire.
    pub lifetime: Option<Duration>,
    /// How long a resolver may keep it.
    pub ttl: Option<Duration>,
}

/// `kind = "git"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitTarget {
    /// The git repository, a path from the repository's folder; the one around that folder where
    /// none is named.
    pub repository: Option<String>,
    /// The branch that statements are committed to.
    pub branch: Option<String>,
    /// The name of the tag of a release, with `{sequence}`.
    pub tag: Option<String>,
    /// The remote that both are pushed to.
    pub remote: Option<String>,
}

/// `kind = "dnslink"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnslinkTarget {
    /// The domain in lower case, without `_dnslink.` and without a dot at its end.
    pub domain: String,
    /// The IPNS name that the record leads to, without `/ipns/`; without one it leads to
    /// `/ipfs/<root>`.
    pub name: Option<String>,
    /// The server that is asked for the record; without one, the system's.
    pub resolver: Option<SocketAddr>,
}
