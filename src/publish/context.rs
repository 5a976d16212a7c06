//! The context of a target, besides its settings.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use jiff::Timestamp;

use super::cluster::nearby::NearbyCluster;
use crate::release::signature::{PublicKey, SigningKey};
use crate::source::Client;
use crate::source::Secret;

/// The context of a target, besides its settings.
#[derive(Debug)]
pub(super) struct TargetContext {
    /// The HTTP client.
    pub client: Client,
    /// The HTTP client for gateways, with shorter limits.
    pub gateway_client: Client,
    /// The repository's folder; relative paths begin there.
    pub folder: PathBuf,
    /// Credentials for the target, if set in the environment.
    pub secret: Option<Secret>,
    /// The environment variable for a token, for messages.
    pub variable: String,
    /// The present instant.
    pub now: Timestamp,
    /// The variables for child processes: the environment's, without those of this program, which
    /// may be secrets.
    pub variables: BTreeMap<OsString, OsString>,
    /// The clusters of the configuration; a node may belong to one.
    pub clusters: Vec<NearbyCluster>,
    /// The key of the IPNS name, if it is known without its private half.
    pub public_key: Option<PublicKey>,
    /// The key for signatures that a target needs; present for the kinds that need one.
    pub signing_key: Option<SigningKey>,
}
