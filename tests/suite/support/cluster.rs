//! Peers of IPFS Cluster on loopback ports of their own choice, each over a node.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::http::get;
use super::nodes::Node;
use super::tool;
use super::workshop::Ending;

/// The secret that peers of one cluster share.
const SECRET: &str = "0101010101010101010101010101010101010101010101010101010101010101";

/// How long peers may take to find each other.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running peer.
pub struct Peer {
    _process: Ending,
    _home: TempDir,
    /// Its REST API, `http://127.0.0.1:<port>`.
    pub api: String,
    /// Its Pinning Service API.
    pub pinning_service: String,
    /// Where other peers find it.
    address: String,
}

impl Peer {
    /// Starts one over a node, in the cluster of another one if there is one.
    pub fn start(name: &str, node: &Node, other: Option<&Self>, settings: &[(&str, &str)]) -> Self {
        let program = tool("ipfs-cluster-service");
        let home = TempDir::new().unwrap();
        let command = |arguments: &[&str]| {
            let mut command = Command::new(&program);
            let anywhere = "/ip4/127.0.0.1/tcp/0";
            command
                .args(arguments)
                .env_clear()
                .env("HOME", home.path())
                .env("IPFS_CLUSTER_PATH", home.path().join("cluster"))
                .env("CLUSTER_SECRET", SECRET)
                .env("CLUSTER_PEERNAME", name)
                .env("CLUSTER_MDNSINTERVAL", "0")
                .env("CLUSTER_MONITORPINGINTERVAL", "1s")
                // A peer says twice in this time what its disk and its tags are, and nobody hears
                // it before it has joined.
                .env("CLUSTER_DISK_METRICTTL", "2s")
                .env("CLUSTER_TAGS_METRICTTL", "2s")
                .env("CLUSTER_IPFSHTTP_CONNECTSWARMSDELAY", "1s")
                .env("CLUSTER_CRDT_TRUSTEDPEERS", "*")
                .env("CLUSTER_IPFSHTTP_NODEMULTIADDRESS", node.api_multiaddress())
                .env("CLUSTER_LISTENMULTIADDRESS", anywhere)
                .env("CLUSTER_RESTAPI_HTTPLISTENMULTIADDRESS", anywhere)
                .env("CLUSTER_PINSVCAPI_HTTPLISTENMULTIADDRESS", anywhere)
                .env("CLUSTER_IPFSPROXY_LISTENMULTIADDRESS", anywhere)
                .envs(settings.iter().copied())
                .stdin(Stdio::null())
                .stdout(Stdio::null());
            command
        };
        let made = command(&["init", "--consensus", "crdt"]).output().unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let mut arguments = vec!["daemon"];
        if let Some(other) = other {
            arguments.extend(["--bootstrap", &other.address]);
        }
        let (mut api, mut pinning_service, mut address) = (None, None, None);
        let mut is_ready = false;
        // One that joins says so after it is ready.
        let last = if other.is_some() {
            ": joined "
        } else {
            "IPFS Cluster is READY"
        };
        let (process, _) = Ending::start_on_stderr(&mut command(&arguments), |line| {
            let port = || {
                line.rsplit('/')
                    .next()
                    .unwrap_or_default()
                    .trim()
                    .to_owned()
            };
            // With a password it says ` - authenticated` as well.
            if line.contains("RESTAPI (HTTP") {
                api = Some(format!("http://127.0.0.1:{}", port()));
            } else if line.contains("PINSVCAPI (HTTP") {
                pinning_service = Some(format!("http://127.0.0.1:{}", port()));
            } else if line.trim().starts_with("/ip4/127.0.0.1/") && line.contains("/p2p/") {
                address = Some(line.trim().to_owned());
            }
            is_ready |= line.contains(last);
            is_ready && api.is_some() && pinning_service.is_some()
        });
        let peer = Self {
            _process: process,
            _home: home,
            api: api.expect("a REST API"),
            pinning_service: pinning_service.expect("a Pinning Service API"),
            address: address.expect("an address"),
        };
        if let Some(other) = other {
            other.knows(2);
        }
        peer
    }

    /// Waits until it counts on so many peers. It says so nowhere, and is asked until it does.
    fn knows(&self, count: usize) {
        for metric in ["ping", "freespace"] {
            let deadline = Instant::now() + PATIENCE;
            loop {
                let (_, body) = get(&format!("{}/monitor/metrics/{metric}", self.api), "");
                let metrics: Vec<Value> = serde_json::from_slice(&body).unwrap();
                if metrics.len() >= count {
                    break;
                }
                assert!(
                    Instant::now() < deadline,
                    "{metric} of {} peers",
                    metrics.len()
                );
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}
