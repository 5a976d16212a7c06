//! Who pins on a node: this program, or a cluster that the node belongs to. Two that pin and unpin
//! there would undo each other's work.

use super::rpc::Rpc;
use crate::publish::cluster::nearby::NearbyCluster;
use crate::publish::published_release::PublishedRelease;
use crate::set::repository::KuboTarget;

/// Who pins on the node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Pinner {
    /// This target.
    #[default]
    Us,
    /// A cluster, by the name of its target.
    Cluster {
        /// The target's name.
        name: String,
        /// The releases of the repository that it pins, the newest first; `None` where it could not
        /// be asked.
        releases: Option<Vec<PublishedRelease>>,
    },
    /// It cannot be told whether a cluster does, and why. Then nothing is unpinned.
    Unknown(String),
}

impl Pinner {
    /// Finds out: by the settings, else by asking the node and the clusters of the configuration. A
    /// cluster tells only of peers that are up, so that a node is none of theirs does not say that
    /// it is in none.
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
                    "it is no node of the peers of `{}` that are up",
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

    /// What the cluster pins of the repository.
    pub(super) fn releases(&self) -> &[PublishedRelease] {
        match self {
            Self::Cluster { releases, .. } => releases.as_deref().unwrap_or_default(),
            _ => &[],
        }
    }

    /// What there is to say about it.
    pub(super) fn notes(&self, settings: &KuboTarget) -> Vec<String> {
        match self {
            Self::Us => Vec::new(),
            Self::Cluster { name, .. } => {
                let mut notes = vec![format!(
                    "the node belongs to `{name}`, which pins and unpins there; here blocks are brought alone"
                )];
                if settings.keep.is_some() {
                    notes.push(format!("`keep` is not used here: that of `{name}` counts"));
                }
                notes
            }
            Self::Unknown(reason) => vec![format!(
                "nothing is unpinned, since it is not known whether a cluster pins on this node: {reason}; `pinned-by` names the \
                 cluster's target, and \"\" says that there is none"
            )],
        }
    }
}
