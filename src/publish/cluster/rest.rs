//! The part of IPFS Cluster's REST API that publishing needs.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_unixfs::Cid;
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::foundation::failure::Failure;
use crate::publish::target::Report;
use crate::publish::upload::Upload;
use crate::set::repository::ClusterTarget;
use crate::source::Client;
use crate::source::Secret;
use crate::source::service::{RequestError, Service};

/// The most pins of a cluster that are read.
const MAXIMUM_PINS: usize = 2_000_000;

pub(super) struct Rest {
    service: Service,
}

/// A pin that the cluster was told to keep.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Allocation {
    #[serde(default)]
    pub(super) name: String,
    pub(super) cid: String,
    #[serde(default)]
    pub(super) replication_factor_min: i64,
    #[serde(default)]
    pub(super) replication_factor_max: i64,
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
}

impl Allocation {
    pub(super) fn metadata(&self) -> BTreeMap<String, String> {
        self.metadata.clone().unwrap_or_default()
    }
}

/// The status of a pin on a peer.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) name: String,
    pub(super) status: String,
    error: String,
}

impl Peer {
    /// Whether the peer should have the pin.
    pub(super) fn is_concerned(&self) -> bool {
        self.status != "remote"
    }

    /// Whether the peer has paused its attempts, so that only a request makes it try again.
    pub(super) fn has_given_up(&self) -> bool {
        self.status == "pin_error"
    }

    pub(super) fn has_failed(&self) -> bool {
        self.status.ends_with("error")
    }

    pub(super) fn description(&self) -> String {
        if self.error.is_empty() {
            format!("`{}` ({})", self.name, self.status)
        } else {
            format!("`{}` ({}: {})", self.name, self.status, self.error)
        }
    }
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Status {
    #[serde(default)]
    peer_map: Option<BTreeMap<String, PeerStatus>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct PeerStatus {
    #[serde(default)]
    peername: String,
    status: String,
    #[serde(default)]
    error: String,
}

/// A peer of the cluster, and the node that it pins on.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Member {
    #[serde(default)]
    ipfs: Option<MemberNode>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct MemberNode {
    #[serde(default)]
    id: String,
}

impl Rest {
    pub(super) fn new(
        api: &Url,
        client: Client,
        secret: Option<Secret>,
        variable: String,
    ) -> Result<Self, Failure> {
        let service = Service::new(client, api.clone(), secret, variable)?;
        Ok(Self { service })
    }

    pub(super) fn place(&self) -> String {
        self.service.place()
    }

    /// All pins of the cluster.
    pub(super) async fn pins(&self) -> Result<Vec<Allocation>, RequestError> {
        let query = [("filter", "pin".to_owned())];
        let request = self.service.request(Method::GET, &["allocations"], query);
        let mut reply = match self.service.ask(request).await {
            Ok(reply) => reply,
            // The cluster answers so if it has no pins.
            Err(error) if error.is_missing() => {
                // A server of another kind at this address answers so, too.
                let identity = self.service.request(Method::GET, &["id"], []);
                let _: Member = self.service.ask(identity).await?.json().await?;
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let mut pins = Vec::new();
        while let Some(pin) = reply.line::<Allocation>().await? {
            if pins.len() < MAXIMUM_PINS {
                pins.push(pin);
            }
        }
        Ok(pins)
    }

    /// The pin of one root.
    pub(super) async fn pin_of(&self, root: &Cid) -> Result<Allocation, RequestError> {
        let path = ["allocations", &root.to_string()];
        let request = self.service.request(Method::GET, &path, []);
        self.service.ask(request).await?.json().await
    }

    /// The status of a root on the peers, by their names.
    pub(super) async fn peers(&self, root: &Cid) -> Result<Vec<Peer>, RequestError> {
        let path = ["pins", &root.to_string()];
        let request = self.service.request(Method::GET, &path, []);
        let status: Status = self.service.ask(request).await?.json().await?;
        let peers = status.peer_map.unwrap_or_default();
        let mut peers: Vec<Peer> = peers
            .into_iter()
            .map(|(id, peer)| Peer {
                name: self.service.printable(if peer.peername.is_empty() {
                    &id
                } else {
                    &peer.peername
                }),
                status: self.service.printable(&peer.status),
                error: self.service.printable(&peer.error),
            })
            .collect();
        peers.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(peers)
    }

    pub(super) async fn pin(
        &self,
        root: &Cid,
        name: &str,
        settings: &ClusterTarget,
    ) -> Result<(), RequestError> {
        let metadata: Vec<(String, String)> = settings
            .metadata
            .iter()
            .map(|(key, value)| (format!("meta-{key}"), value.clone()))
            .collect();
        let query = [
            ("name", name.to_owned()),
            ("mode", "recursive".to_owned()),
            ("replication-min", settings.replication_min.to_string()),
            ("replication-max", settings.replication_max.to_string()),
        ];
        let metadata = metadata.iter();
        let metadata = metadata.map(|(key, value)| (key.as_str(), value.clone()));
        let path = ["pins", "ipfs", &root.to_string()];
        let query = query.into_iter().chain(metadata);
        let request = self.service.request(Method::POST, &path, query);
        let _: Value = self.service.ask(request).await?.json().await?;
        Ok(())
    }

    /// Tells the peers that have given up on a pin to try again.
    pub(super) async fn recover(&self, root: &Cid) -> Result<(), RequestError> {
        let path = ["pins", &root.to_string(), "recover"];
        let request = self.service.request(Method::POST, &path, []);
        self.service.ask(request).await?.finish().await
    }

    /// Removes a pin; returns whether it still existed, because another run may remove it too.
    pub(super) async fn unpin(&self, root: &Cid) -> Result<bool, RequestError> {
        let path = ["pins", &root.to_string()];
        let request = self.service.request(Method::DELETE, &path, []);
        match self.service.ask(request).await {
            Ok(reply) => reply.finish().await.map(|()| true),
            Err(error) if error.is_missing() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The peer IDs of the nodes of all peers.
    pub(super) async fn nodes(&self) -> Result<BTreeSet<String>, RequestError> {
        let request = self.service.request(Method::GET, &["peers"], []);
        let mut reply = self.service.ask(request).await?;
        let mut nodes = BTreeSet::new();
        while let Some(member) = reply.line::<Member>().await? {
            nodes.extend(member.ipfs.map(|node| node.id).filter(|id| !id.is_empty()));
        }
        Ok(nodes)
    }

    /// Sends blocks to the peers that the cluster chooses, and pins nothing.
    pub(super) async fn add(
        &self,
        upload: &Upload,
        report: Report<'_>,
    ) -> Result<(), RequestError> {
        let query = [
            ("format", "car"),
            ("no-pin", "true"),
            ("stream-channels", "true"),
        ];
        let query = query.map(|(key, value)| (key, value.to_owned()));
        let request = self.service.request(Method::POST, &["add"], query);
        let reply = upload.send(&self.service, request, report).await?;
        reply.finish().await
    }
}
