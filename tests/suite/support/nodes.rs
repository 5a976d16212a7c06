//! Kubo nodes as daemons on loopback ports of their own choice, and what their RPC says.

use std::process::{Command, Stdio};

use ipwhl_unixfs::Profile;

use super::workshop::Ending;
use crate::kubo::Kubo;

/// A running node. It asks nobody for blocks but the nodes that it is connected to.
pub struct Node {
    process: Ending,
    /// Its program and repository.
    pub kubo: Kubo,
    /// Its RPC, `http://127.0.0.1:<port>`.
    pub api: String,
    /// Its gateway.
    pub gateway: String,
}

impl Node {
    /// Starts one with an empty repository.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with these settings besides.
    pub fn start_with(settings: &[(&str, &str)]) -> Self {
        Self::over(Kubo::new(Profile::UnixfsV1_2025), settings)
    }

    /// Starts one over a repository, which keeps what it has.
    pub fn over(kubo: Kubo, settings: &[(&str, &str)]) -> Self {
        for (key, value) in [
            ("Addresses.API", "\"/ip4/127.0.0.1/tcp/0\""),
            ("Addresses.Gateway", "\"/ip4/127.0.0.1/tcp/0\""),
            ("Addresses.Swarm", "[\"/ip4/127.0.0.1/tcp/0\"]"),
            ("Bootstrap", "[]"),
            ("Discovery.MDNS.Enabled", "false"),
            ("Routing.Type", "\"none\""),
            ("AutoTLS.Enabled", "false"),
            ("AutoConf.Enabled", "false"),
            ("DNS.Resolvers", "{}"),
            ("Ipns.DelegatedPublishers", "[]"),
            ("Routing.DelegatedRouters", "[]"),
            ("Provide.Enabled", "false"),
            ("Swarm.DisableNatPortMap", "true"),
            ("Swarm.RelayClient.Enabled", "false"),
            ("Gateway.NoFetch", "true"),
        ] {
            kubo.text(&["config", "--json", key, value]);
        }
        for (key, value) in settings {
            kubo.text(&["config", "--json", key, value]);
        }
        let (mut api, mut gateway) = (None, None);
        let mut daemon = kubo.online(&["daemon"]);
        daemon.stdin(Stdio::null()).stderr(Stdio::null());
        let (process, _) = Ending::start(&mut daemon, |line| {
            let port = line.rsplit('/').next().unwrap_or_default().trim();
            if line.contains("RPC API server listening on ") {
                api = Some(format!("http://127.0.0.1:{port}"));
            } else if line.contains("Gateway server listening on ") {
                gateway = Some(format!("http://127.0.0.1:{port}"));
            }
            line.contains("Daemon is ready")
        });
        Self {
            process,
            kubo,
            api: api.expect("an RPC API"),
            gateway: gateway.expect("a gateway"),
        }
    }

    /// A command of the running node.
    pub fn text(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(
            output.status.success(),
            "ipfs {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        self.kubo.online(arguments)
    }

    /// Connects this node with another one.
    pub fn connect(&self, other: &Self) {
        let addresses = other.text(&["id", "-f", "<addrs>"]);
        let address = addresses
            .lines()
            .find(|address| address.contains("/tcp/"))
            .unwrap();
        self.text(&["swarm", "connect", address]);
    }

    /// The recursive pins: CID and name.
    pub fn pins(&self) -> Vec<(String, String)> {
        let pins = self.text(&["pin", "ls", "--type", "recursive", "--names"]);
        let mut pins: Vec<(String, String)> = pins
            .lines()
            .map(|line| {
                let mut words = line.splitn(3, ' ');
                let cid = words.next().unwrap().to_owned();
                let name = words.nth(1).unwrap_or_default().to_owned();
                (cid, name)
            })
            .collect();
        pins.sort();
        pins
    }

    /// How many blocks it has.
    pub fn blocks(&self) -> usize {
        self.text(&["refs", "local"]).lines().count()
    }

    /// Ends it, and gives back its repository.
    pub fn stopped(mut self) -> Kubo {
        self.stop();
        self.kubo
    }

    /// Ends it.
    pub fn stop(&mut self) {
        self.process.0.kill().unwrap();
        self.process.0.wait().unwrap();
    }

    /// The multiaddress of its RPC, as IPFS Cluster wants it.
    pub fn api_multiaddress(&self) -> String {
        let port = self.api.rsplit(':').next().unwrap();
        format!("/ip4/127.0.0.1/tcp/{port}")
    }
}
