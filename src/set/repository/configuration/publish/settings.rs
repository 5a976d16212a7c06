//! Reads the settings of a target by its kind.

use std::collections::BTreeMap;

use super::kinds::{
    ClusterTarget, DirectoryTarget, DnslinkTarget, GitTarget, IpnsTarget, KuboTarget,
    PinningServiceTarget, PublishKind,
};
use super::values::{
    Settings, has_password, is_domain, is_ipns_name, is_multiaddress, is_name, is_reference,
    server, without_namespace,
};
use crate::set::declaration::Spanned;

/// The default address of Kubo's RPC API.
const DEFAULT_KUBO_API: &str = "http://127.0.0.1:5001";
/// The default address of IPFS Cluster's REST API.
const DEFAULT_CLUSTER_API: &str = "http://127.0.0.1:9094";
/// The placeholder for the sequence in the name of a tag.
const SEQUENCE: &str = "{sequence}";
/// The most origins that the Pinning Service API accepts.
const MAXIMUM_ORIGINS: usize = 20;
/// The most entries of `metadata`.
const MAXIMUM_METADATA: usize = 100;
/// The most bytes of a key or a value of `metadata`.
const LONGEST_METADATA: usize = 1024;
/// The largest replication factor.
const MAXIMUM_PEERS: u64 = 1_000_000;

impl Settings<'_, '_, '_> {
    /// The settings of this kind. `None` if the kind does not exist, or if a required setting is
    /// missing, which is reported.
    pub(super) fn read(&self, word: &str) -> Option<PublishKind> {
        match word {
            "kubo" => self.kubo().map(PublishKind::Kubo),
            "cluster" => self.cluster().map(PublishKind::Cluster),
            "pinning-service" => self.pinning_service().map(PublishKind::PinningService),
            "directory" => self.directory().map(PublishKind::Directory),
            "ipns" => self.ipns().map(PublishKind::Ipns),
            "git" => Some(PublishKind::Git(self.git())),
            "dnslink" => self.dnslink().map(PublishKind::Dnslink),
            _ => None,
        }
    }

    fn kubo(&self) -> Option<KuboTarget> {
        let api = self.address_or("api", DEFAULT_KUBO_API);
        let gateway = self.address("gateway");
        let keep = self.keep();
        let mfs = self.text_that(
            "mfs",
            |path| {
                path.strip_prefix('/')
                    .is_some_and(|path| path.split('/').all(is_name))
            },
            "write a path that begins with `/`, as in `/releases/latest`",
        );
        Some(KuboTarget {
            api: api?,
            gateway,
            keep,
            // An empty text in the file means that no cluster pins.
            pinned_by: self
                .table
                .string("pinned-by")
                .map(|name| name.value.to_owned()),
            mfs,
        })
    }

    /// The number of releases that stay.
    fn keep(&self) -> Option<u64> {
        let keep = self.table.number("keep")?;
        if keep.value == 0 {
            self.refuse(
                &keep,
                "`keep` must be at least 1: the published release",
                "remove `keep` to keep all releases",
            );
            return None;
        }
        Some(keep.value)
    }

    fn cluster(&self) -> Option<ClusterTarget> {
        let api = self.address_or("api", DEFAULT_CLUSTER_API);
        let gateway = self.address("gateway");
        let min = self.replication("replication-min");
        let max = self.replication("replication-max");
        if let (Some(min), Some(max)) = (&min, &max)
            && max.value > 0
            && (min.value > max.value || min.value < 0)
        {
            self.refuse(
                min,
                "`replication-min` is more than `replication-max`",
                "a cluster keeps at least `replication-min` and at most `replication-max` copies",
            );
        }
        Some(ClusterTarget {
            api: api?,
            gateway,
            // A cluster accepts one without the other only if it fits the cluster's own setting.
            replication_min: min.as_ref().or(max.as_ref()).map_or(0, |count| count.value),
            replication_max: max.as_ref().or(min.as_ref()).map_or(0, |count| count.value),
            keep: self.keep(),
            metadata: self.metadata(),
        })
    }

    fn metadata(&self) -> BTreeMap<String, String> {
        let Some(table) = self.table.table("metadata", "`metadata`") else {
            return BTreeMap::new();
        };
        let mut metadata = BTreeMap::new();
        for (key, value, span) in table.entries() {
            let is_short = |text: &&str| text.len() <= LONGEST_METADATA;
            match value.as_str().filter(is_short) {
                Some(text) if is_short(&key.value) && metadata.len() < MAXIMUM_METADATA => {
                    metadata.insert(key.value.to_owned(), text.to_owned());
                }
                _ => self.refuse(
                    &Spanned::new((), span),
                    "this cannot be metadata of a pin",
                    &format!(
                        "metadata has at most {MAXIMUM_METADATA} strings of at most {LONGEST_METADATA} bytes"
                    ),
                ),
            }
        }
        metadata
    }

    /// A number of peers, or `"all"`.
    fn replication(&self, key: &'static str) -> Option<Spanned<i64>> {
        let (value, span) = self.table.value(key)?;
        let number = match value.as_str() {
            Some("all") => return Some(Spanned::new(-1, span)),
            Some(_) => None,
            None => Some(self.table.number(key)?.value),
        };
        let number = number.filter(|count| (1..=MAXIMUM_PEERS).contains(count));
        let number = number.and_then(|count| i64::try_from(count).ok());
        if number.is_none() {
            self.refuse(
                &Spanned::new((), span.clone()),
                &format!("`{key}` must be a number of peers, or \"all\""),
                "remove it to use the cluster's own setting",
            );
        }
        Some(Spanned::new(number?, span))
    }

    fn pinning_service(&self) -> Option<PinningServiceTarget> {
        if !self.table.has("endpoint") {
            self.table.missing(
                "endpoint",
                "write the service's address: `endpoint = \"https://…\"`",
            );
        }
        let endpoint = self.address("endpoint");
        let gateway = self.address("gateway");
        let mut origins = Vec::new();
        if let Some(list) = self.table.strings("origins") {
            if list.value.len() > MAXIMUM_ORIGINS {
                self.refuse(
                    &list,
                    &format!("there are {} origins", list.value.len()),
                    &format!("the Pinning Service API accepts at most {MAXIMUM_ORIGINS}"),
                );
            }
            for origin in list.value {
                if is_multiaddress(origin.value) {
                    origins.push(origin.value.to_owned());
                } else {
                    self.refuse(
                        &origin,
                        &format!("`{}` is not a multiaddress", origin.value),
                        "write an origin as `/ip4/203.0.113.7/tcp/4001/p2p/<peer ID>`",
                    );
                }
            }
        }
        Some(PinningServiceTarget {
            endpoint: endpoint?,
            origins,
            gateway,
        })
    }

    fn directory(&self) -> Option<DirectoryTarget> {
        if !self.table.has("path") {
            self.table
                .missing("path", "name the folder to serve: `path = \"…\"`");
        }
        let path = self.text("path");
        let links = self.table.boolean("links");
        let url = self.address("url");
        let latest = match self.table.string("latest") {
            None => Some("latest".to_owned()),
            // An empty text in the file means no name.
            Some(name) if name.value.is_empty() => None,
            Some(_) => self.text_that("latest", is_name, "write one name, or \"\" for none"),
        };
        let keep = self.keep();
        Some(DirectoryTarget {
            path: path?,
            links: links.is_none_or(|links| links.value),
            url,
            latest,
            keep,
        })
    }

    fn ipns(&self) -> Option<IpnsTarget> {
        let target = IpnsTarget {
            file: self.text("file"),
            api: self.address("api"),
            lifetime: self.duration("lifetime"),
            ttl: self.duration("ttl"),
        };
        if !self.table.has("file") && !self.table.has("api") {
            self.table.missing(
                "file",
                "name the file for the record with `file`, or the node that receives it with `api`",
            );
        }
        (target.file.is_some() || target.api.is_some()).then_some(target)
    }

    fn git(&self) -> GitTarget {
        GitTarget {
            repository: self.text("repository"),
            branch: self.text_that(
                "branch",
                is_reference,
                "write a branch's name, without `refs/heads/`",
            ),
            tag: self.text_that(
                "tag",
                |tag| tag.contains(SEQUENCE) && is_reference(&tag.replace(SEQUENCE, "1")),
                "write a pattern such as `statement-{sequence}`",
            ),
            remote: self.text_that(
                "remote",
                |remote| !remote.starts_with('-') && !has_password(remote),
                "write a remote's name, or an address without a password",
            ),
        }
    }

    fn dnslink(&self) -> Option<DnslinkTarget> {
        if !self.table.has("domain") {
            self.table
                .missing("domain", "write `domain = \"example.org\"`");
        }
        let help = "write it without `_dnslink.`, as in `index.example.org`";
        let domain = self.text_that("domain", is_domain, help);
        let name = self.text_that(
            "name",
            |name| is_ipns_name(without_namespace(name)),
            "write a name as `ipwhl publish` shows it, `k51…`, or a domain",
        );
        let resolver = self.text_that(
            "resolver",
            |text| server(text).is_some(),
            "write the server's address, as in `192.0.2.53` or `[2001:db8::53]:5353`",
        );
        let domain = domain?;
        Some(DnslinkTarget {
            name: name.map(|name| without_namespace(&name).to_owned()),
            resolver: resolver.as_deref().and_then(server),
            domain: domain.trim_end_matches('.').to_ascii_lowercase(),
        })
    }
}
