//! The pinner of a node: this program, or a cluster that the node belongs to. If both pinned and
//! unpinned there, each would undo the work of the other.

use super::rpc::Rpc;
use crate::publish::cluster::nearby::NearbyCluster;
use crate::publish::published_release::PublishedRelease;
use crate::set::repository::KuboTarget;

/// The pinner of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Pinner {
    /// This target.
    #[default]
    Us,
    /// A cluster, by the name of its target.
    Cluster {
        /// The target's name.
        name: String,
        /// The releases of the repository that it pins, the newest first; `None` if it could not be
        /// reached.
        releases: Option<Vec<PublishedRelease>>,
    },
    /// It is unknown whether a cluster pins, with the reason. Then nothing is unpinned.
    Unknown(String),
}

impl Pinner {
    /// Determines the pinner: from the settings, or else by asking the node and the clusters of the
    /// configuration. A cluster lists only peers that are up, so a missing node may still belong to
    /// it.
    pub(super) async fn of(
        settings: &KuboTarget,
        rpc: &Rpc,
        clusters: &[NearbyCluster],
        repository: &str,
    ) -> Self {
        let named = settings.pinned_by.as_deref();
        if clusters.is_empty() || named == Some("") {
            return Self::Us;
        }
        if let Some(name) = named {
            let cluster = clusters.iter().find(|cluster| cluster.name == name);
            return Self::by(name, cluster, repository).await;
        }
        let id = match rpc.id().await {
            Ok(id) => id,
            Err(error) => return Self::Unknown(error.message),
        };
        let mut reasons = Vec::new();
        for cluster in clusters {
            match cluster.nodes().await {
                Ok(nodes) if nodes.contains(&id) => {
                    return Self::by(&cluster.name, Some(cluster), repository).await;
                }
                Ok(_) => reasons.push(format!(
                    "it is not a node of the peers of `{}` that are up",
                    cluster.name
                )),
                Err(error) => reasons.push(error.message),
            }
        }
        Self::Unknown(reasons.join("; "))
    }

    async fn by(name: &str, cluster: Option<&NearbyCluster>, repository: &str) -> Self {
        let releases = match cluster {
            Some(cluster) => cluster.holdings(repository).await.ok(),
            None => None,
        };
        Self::Cluster {
            name: name.to_owned(),
            releases,
        }
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster { .. })
    }

    /// The releases of the repository that the cluster pins.
    pub(super) fn releases(&self) -> &[PublishedRelease] {
        match self {
            Self::Cluster { releases, .. } => releases.as_deref().unwrap_or_default(),
            _ => &[],
        }
    }

    /// Notes about it for the user.
    pub(super) fn notes(&self, settings: &KuboTarget) -> Vec<String> {
        match self {
            Self::Us => Vec::new(),
            Self::Cluster { name, .. } => {
                let mut notes = vec![format!(
                    "the node belongs to `{name}`, which pins and unpins there; here only blocks are sent"
                )];
                if settings.keep.is_some() {
                    notes.push(format!("`keep` is not used here; that of `{name}` applies"));
                }
                notes
            }
            Self::Unknown(reason) => vec![format!(
                "nothing is unpinned, because it is unknown whether a cluster pins on this node: \
                 {reason}; set `pinned-by` to the cluster's target, or to \"\" if there is none"
            )],
        }
    }
}
