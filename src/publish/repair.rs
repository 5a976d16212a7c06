//! Good blocks to repair a target with, from local archives and from gateways.

use std::fs::File;
use std::path::Path;

use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::{Blocks, CarError, CarReader};
use url::Url;

use super::opening::client;
use crate::foundation::failure::Failure;
use crate::release::archive::{ArchiveKind, car_name};
use crate::set::repository::{Configuration, PublishTarget};
use crate::source::{GatewayBlocks, Limits, Session};

/// The number of concurrent requests to gateways.
const JOBS: usize = 8;

/// Blocks from other places than the checked target.
pub struct RepairBlocks {
    archives: Vec<CarReader<File>>,
    gateways: Option<GatewayBlocks>,
}

impl RepairBlocks {
    /// Opens the places with blocks for a target: archives in the release's folder, gateways of
    /// other targets, and `[mirrors]`.
    ///
    /// # Errors
    /// When the HTTP client or the runtime cannot be created.
    pub fn for_target(
        session: &Session,
        configuration: &Configuration,
        target: &PublishTarget,
        folder: &Path,
    ) -> Result<Self, Failure> {
        let kinds = [ArchiveKind::Full, ArchiveKind::Delta, ArchiveKind::Hollow];
        let archives = kinds.into_iter().filter_map(|kind| {
            let file = File::open(folder.join(car_name(kind))).ok()?;
            CarReader::open(file).ok()
        });
        let gateways = gateways(configuration, target);
        let gateways = if gateways.is_empty() {
            None
        } else {
            let client = client(session, Limits::of_gateways())
                .map_err(|error| Failure::world(error.message))?;
            Some(GatewayBlocks::new(
                client,
                gateways,
                None,
                JOBS,
                session.runtime()?.clone(),
            ))
        };
        Ok(Self {
            archives: archives.collect(),
            gateways,
        })
    }
}

/// The gateways of other targets and of `[mirrors]`. The target's own gateway is left out: it
/// serves the same damaged blocks.
fn gateways(configuration: &Configuration, target: &PublishTarget) -> Vec<Url> {
    let others = configuration
        .publish
        .iter()
        .filter(|one| one.name != target.name);
    let mut gateways: Vec<Url> = others
        .filter_map(|one| one.kind.gateway())
        .cloned()
        .collect();
    let mirrors = configuration.gateways.iter();
    gateways.extend(mirrors.filter_map(|url| Url::parse(url).ok()));
    let own = target.kind.gateway();
    gateways.retain(|url| Some(url) != own);
    gateways.dedup();
    gateways
}

impl Blocks for RepairBlocks {
    fn block(&self, cid: &Cid) -> Result<Option<Vec<u8>>, CarError> {
        for archive in &self.archives {
            // After a damaged archive, the next place is tried.
            if let Ok(Some(block)) = archive.block(cid) {
                return Ok(Some(block));
            }
        }
        match &self.gateways {
            Some(gateways) => gateways.block(cid),
            None => Ok(None),
        }
    }

    fn contains(&self, cid: &Cid) -> bool {
        self.archives.iter().any(|archive| archive.contains(cid))
            || self
                .gateways
                .as_ref()
                .is_some_and(|some| some.contains(cid))
    }
}
