//! The facts that a published release has of wheels: enough to build another release with them.

use std::collections::BTreeMap;

use ipwhl_packaging::wheel::Limits;
use ipwhl_unixfs::car::{CarError, FileReader, Tree, file_dag};
use ipwhl_unixfs::{Cid, Codec, Link, Profile, Sha256Digest};

use crate::release::archive::may_be_leaf;
use crate::release::names::{JSON, METADATA};
use crate::release::reader::{ReleaseReader, page_entries};
use crate::set::gather::ReusedFacts;
use crate::source::LARGEST_WHEEL;

/// The number of wheels that are looked up together. Their blocks stay in memory.
const TOGETHER: usize = 128;

/// A wheel to look up in a release.
#[derive(Debug, Clone, Copy)]
pub struct WheelKey<'s> {
    /// Its project, normalised.
    pub project: &'s str,
    /// Its file name.
    pub file_name: &'s str,
    /// Its content-id.
    pub content_id: Cid,
}

/// A wheel's place in the release.
struct Place {
    position: usize,
    link: Link,
    metadata: Cid,
    page: Cid,
}

impl ReleaseReader<'_> {
    /// Looks up wheels by project, file name and content-id, and passes to `found` the positions of
    /// those that the release has, with their facts. The DAG is checked against the content-id, and
    /// repeated facts must agree; the rest is trusted. No leaf of a wheel is read. The profile
    /// `preferred` is tried first for each wheel.
    ///
    /// # Errors
    /// When a block is missing, or the release contradicts itself. Wheels passed to `found` before
    /// stay valid.
    pub fn reuse(
        &self,
        sought: &[WheelKey<'_>],
        preferred: Profile,
        found: &mut dyn FnMut(usize, ReusedFacts),
    ) -> Result<(), CarError> {
        for (batch, some) in sought.chunks(TOGETHER).enumerate() {
            let mut folders: Vec<Cid> = some
                .iter()
                .filter_map(|one| Some(self.projects().get(one.project)?.cid))
                .collect();
            folders.dedup();
            self.blocks().prefetch(&folders);
            let mut places = Vec::new();
            for (index, one) in some.iter().enumerate() {
                let position = batch * TOGETHER + index;
                places.extend(self.locate(position, one)?);
            }
            self.blocks().prefetch(&needed(&places));
            let mut pages = BTreeMap::new();
            for place in &places {
                let page = &place.page;
                if !pages.contains_key(page) {
                    pages.insert(*page, page_entries(page, &self.read(page)?)?);
                }
                let entry = pages[page].get(sought[place.position].file_name);
                let entry = entry
                    .ok_or_else(|| contradiction(page, "does not name a wheel of its folder"))?;
                let metadata = FileReader::read_whole(
                    self.blocks(),
                    &place.metadata,
                    Limits::default().metadata,
                )?;
                if Sha256Digest::of(&metadata) != entry.metadata_sha256 {
                    return Err(contradiction(
                        page,
                        "has a SHA-256 of METADATA that differs from the file beside it",
                    ));
                }
                if entry.size > LARGEST_WHEEL {
                    return Err(contradiction(
                        page,
                        "has a wheel that exceeds the size limit",
                    ));
                }
                let dag = file_dag(self.blocks(), &place.link.cid, entry.size, preferred)?;
                let dag = dag.filter(|dag| dag.link() == place.link).ok_or_else(|| {
                    contradiction(page, "has a size of a wheel that differs from its DAG")
                })?;
                if place.link.cid.codec() == Codec::Raw && place.link.cid.digest() != entry.sha256 {
                    return Err(contradiction(
                        page,
                        "has a SHA-256 of a wheel that differs from its CID",
                    ));
                }
                found(
                    place.position,
                    ReusedFacts::new(entry.sha256, dag, metadata),
                );
            }
        }
        Ok(())
    }

    /// The place of a wheel; `None` if the release does not have it.
    fn locate(&self, position: usize, sought: &WheelKey<'_>) -> Result<Option<Place>, CarError> {
        let Some(folder) = self.projects().get(sought.project) else {
            return Ok(None);
        };
        let entries = self.blocks().list(&folder.cid)?.unwrap_or_default();
        let entry = |name: &str| {
            let place = entries.binary_search_by(|entry| entry.name.as_str().cmp(name));
            place.ok().map(|place| entries[place].link)
        };
        let Some(link) = entry(sought.file_name).filter(|link| link.cid == sought.content_id)
        else {
            return Ok(None);
        };
        let beside = (
            entry(&format!("{}{METADATA}", sought.file_name)),
            entry(JSON),
        );
        let (Some(metadata), Some(page)) = beside else {
            return Err(contradiction(
                &folder.cid,
                "has a wheel without its page or its METADATA",
            ));
        };
        Ok(Some(Place {
            position,
            link,
            metadata: metadata.cid,
            page: page.cid,
        }))
    }
}

/// The blocks to be read: pages, METADATA, and roots of wheels that are not leaves.
fn needed(places: &[Place]) -> Vec<Cid> {
    let mut needed: Vec<Cid> = places.iter().map(|place| place.page).collect();
    needed.dedup();
    for place in places {
        needed.push(place.metadata);
        if !may_be_leaf(&place.link.cid, place.link.cumulative_size) {
            needed.push(place.link.cid);
        }
    }
    needed
}

fn contradiction(cid: &Cid, reason: &str) -> CarError {
    CarError::Tree {
        cid: *cid,
        reason: reason.to_owned(),
    }
}
