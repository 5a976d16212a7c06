//! What targets are given besides their settings.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use jiff::Timestamp;

use super::cluster::nearby::NearbyCluster;
use super::secret::Secret;
use crate::release::signature::{PublicKey, SigningKey};
use crate::source::Client;

/// What targets are given besides their settings.
#[derive(Debug)]
pub struct TargetContext {
    /// What asks the network.
    pub client: Client,
    /// The same for gateways, which are left sooner.
    pub gateway_client: Client,
    /// The repository's folder, where relative paths begin.
    pub folder: PathBuf,
    /// Credentials for the target, if set in the environment.
    pub secret: Option<Secret>,
    /// The environment variable that a token would come from, for messages.
    pub variable: String,
    /// The present instant.
    pub now: Timestamp,
    /// What child processes may know: the environment's variables without this program's own, which
    /// may be secrets.
    pub variables: BTreeMap<OsString, OsString>,
    /// The clusters of the configuration, for a node that may belong to one.
    pub clusters: Vec<NearbyCluster>,
    /// The key whose IPNS name is meant, where one is known without its private half.
    pub public_key: Option<PublicKey>,
    /// The key that signs what a target has signed; there for the kinds that ask for one.
    pub signing_key: Option<SigningKey>,
}
