//! What a published release says of wheels: enough to make another release with them.

use std::collections::BTreeMap;

use ipwhl_packaging::wheel::Limits;
use ipwhl_unixfs::car::{CarError, FileReader, Tree, file_dag};
use ipwhl_unixfs::{Cid, Codec, Link, Profile, Sha256Digest};

use crate::release::archive::may_be_leaf;
use crate::release::names::{JSON, METADATA};
use crate::release::reader::{ReleaseReader, page_entries};
use crate::set::gather::ReusedFacts;
use crate::source::LARGEST_WHEEL;

/// How many wheels are looked for at once: what is read on the way is kept in memory.
const TOGETHER: usize = 128;

/// A wheel that is looked for in a release.
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
    /// Looks for wheels by project, file name and content-id, and gives `found` the positions of
    /// those that the release has, with what it says of them. The DAG is held to the content-id,
    /// and all that the release says twice has to be the same; for the rest it has to be believed.
    /// No leaf of a wheel is read. The profile `preferred` is tried first for each wheel.
    ///
    /// # Errors
    /// When a block cannot be had, or the release contradicts itself. What was found before stays
    /// found.
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
                places.extend(self.place(position, one)?);
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
                        "has another SHA-256 of a METADATA than that of the file beside it",
                    ));
                }
                if entry.size > LARGEST_WHEEL {
                    return Err(contradiction(page, "has a wheel that is larger than any"));
                }
                let dag = file_dag(self.blocks(), &place.link.cid, entry.size, preferred)?;
                let dag = dag.filter(|dag| dag.link() == place.link).ok_or_else(|| {
                    contradiction(page, "has another size of a wheel than its DAG")
                })?;
                if place.link.cid.codec() == Codec::Raw && place.link.cid.digest() != entry.sha256 {
                    return Err(contradiction(
                        page,
                        "has another SHA-256 of a wheel than its CID",
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

    /// Where a wheel is; `None` where the release does not have it.
    fn place(&self, position: usize, sought: &WheelKey<'_>) -> Result<Option<Place>, CarError> {
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

/// The blocks that are going to be read: pages, METADATA, and the roots of wheels that are no
/// leaves.
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
