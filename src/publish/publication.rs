//! A release to publish, and the sample that is read back from a target.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use ipwhl_unixfs::car::{Blocks, CarError, CarReader};
use ipwhl_unixfs::{Cid, Codec, Sha256Digest};
use jiff::Timestamp;

use super::History;
use super::amount::Amount;
use crate::foundation::diagnostic::shell_word;
use crate::foundation::failure::Failure;
use crate::release::archive::{Place, Visitor, walk};
use crate::release::statement::SignedStatement;

/// The maximum number of wheels to read back.
const SAMPLED_WHEELS: usize = 3;
/// The approximate number of bytes to read back of each wheel.
const SAMPLED_BYTES: u64 = 8 << 20;
/// The ending of a wheel's name.
const WHEEL: &str = ".whl";

/// A release to publish. Its available blocks are verified, and its signatures too, unless that was
/// switched off.
#[derive(Debug)]
pub struct Publication {
    /// The repository's name.
    pub name: String,
    /// The folder of the archive and the statement.
    pub folder: PathBuf,
    /// The full archive, or a delta.
    pub archive: Arc<CarReader<File>>,
    /// The topmost blocks that a delta leaves out. A target for blocks must have them already.
    pub excluded_roots: Vec<Cid>,
    /// Its statement.
    pub signed: Option<SignedStatement>,
    /// Statements of earlier releases, which lead from the release that a target holds to this one.
    pub history: History,
    /// The sample to read back.
    pub sample: Sample,
    /// The command that makes the archive of a delta full, without the places to search.
    pub fill_command: String,
    /// The repository's own places for blocks that a delta leaves out: gateways of its targets, and
    /// `mirrors`.
    pub fill_places: Vec<String>,
}

impl Publication {
    /// The root.
    pub fn root(&self) -> Cid {
        self.archive.root()
    }

    /// The sequence of the statement, if there is one.
    pub fn sequence(&self) -> Option<u64> {
        Some(self.signed.as_ref()?.statement.sequence)
    }

    /// The expiry of the statement, if it has one.
    pub fn expires(&self) -> Option<Timestamp> {
        self.signed.as_ref()?.statement.expires
    }

    /// Refuses a delta for a target without the blocks that the delta leaves out.
    ///
    /// # Errors
    /// The refusal, with help.
    pub(super) fn require_excluded_roots(&self, absent: &[Cid]) -> Result<(), Failure> {
        let Some(first) = absent.first() else {
            return Ok(());
        };
        Err(Failure::refused(format!(
            "the target is missing {} of the {} blocks that this delta depends on, {first} the first",
            absent.len(),
            self.excluded_roots.len()
        ))
        .help(self.completion_help()))
    }

    /// The help for a target without the blocks that a delta leaves out.
    pub(super) fn completion_help(&self) -> String {
        let fill = &self.fill_command;
        let before = "publish the previous release to it, or make the archive full:";
        if self.fill_places.is_empty() {
            return format!(
                "{before} `{fill} --from ARCHIVE`, where ARCHIVE is that of the previous release"
            );
        }
        let places: Vec<String> = self
            .fill_places
            .iter()
            .map(|place| format!(" --from {}", shell_word(place)))
            .collect();
        format!("{before} `{fill}{}`", places.concat())
    }

    /// Splits blocks into parts of about this size and at most this number of blocks, each with its
    /// size.
    pub(super) fn parts(&self, cids: &[Cid], bytes: u64, blocks: usize) -> Vec<(Vec<Cid>, u64)> {
        let mut parts = Vec::new();
        let (mut part, mut size) = (Vec::new(), 0);
        for cid in cids {
            part.push(*cid);
            size += self.archive.length_of(cid).unwrap_or_default() as u64;
            if size >= bytes || part.len() >= blocks {
                parts.push((std::mem::take(&mut part), std::mem::take(&mut size)));
            }
        }
        if !part.is_empty() {
            parts.push((part, size));
        }
        parts
    }

    /// The number and the size of these blocks.
    pub fn amount_of(&self, cids: &[Cid]) -> Amount {
        let mut amount = Amount::default();
        for cid in cids {
            amount.add(self.archive.length_of(cid).unwrap_or_default());
        }
        amount
    }
}

/// The part of a release that is read back from a target: the path from the root to some wheels,
/// and their blocks, of large wheels only the first ones. Of a delta it has wheels in the archive,
/// and some blocks that the delta leaves out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// The blocks, the root first.
    pub blocks: Vec<Cid>,
    /// The wheels, by their paths from the root.
    pub wheels: BTreeMap<String, Cid>,
}

impl Sample {
    /// Chooses a sample by the release and a seed, so that runs with other seeds read other wheels.
    ///
    /// # Errors
    /// When the archive cannot be read.
    pub fn of(
        archive: &CarReader<File>,
        excluded_roots: &[Cid],
        seed: u64,
    ) -> Result<Self, CarError> {
        let mut wheels = Wheels {
            archive,
            found: Vec::new(),
        };
        walk(archive.root(), &mut wheels)?;
        let seed = seed.to_le_bytes();
        let lot = |cid: &Cid| *Sha256Digest::of(&[&seed[..], &cid.to_bytes()].concat()).as_bytes();
        let mut found = wheels.found;
        found.sort_by_cached_key(|(path, cid)| (lot(cid), path.clone()));
        found.truncate(SAMPLED_WHEELS);
        let mut excluded_roots = excluded_roots.to_vec();
        excluded_roots.sort_by_cached_key(lot);
        excluded_roots.truncate(SAMPLED_WHEELS);
        let mut way = Way {
            archive,
            wheels: found.into_iter().collect(),
            left: BTreeMap::new(),
            seen: HashSet::new(),
            blocks: Vec::new(),
        };
        walk(archive.root(), &mut way)?;
        excluded_roots.retain(|cid| !way.seen.contains(cid));
        way.blocks.extend(excluded_roots);
        Ok(Self {
            blocks: way.blocks,
            wheels: way.wheels,
        })
    }
}

/// Collects the wheels; no file is read.
struct Wheels<'a> {
    archive: &'a CarReader<File>,
    found: Vec<(String, Cid)>,
}

impl Visitor for Wheels<'_> {
    fn block(&mut self, place: &Place) -> Result<Option<Vec<u8>>, CarError> {
        if place.wheel == Some(place.cid) {
            if self.archive.length_of(&place.cid).is_some() {
                self.found.push((place.path.clone(), place.cid));
            }
            return Ok(None);
        }
        if place.cid.codec() == Codec::Raw || place.path.ends_with(WHEEL) {
            return Ok(None);
        }
        self.archive.block(&place.cid)
    }

    fn visit(&mut self, _: &Place, _: &[u8], _: bool) -> Result<(), CarError> {
        Ok(())
    }
}

/// Collects the blocks on the path to some wheels, and those of the wheels.
struct Way<'a> {
    archive: &'a CarReader<File>,
    wheels: BTreeMap<String, Cid>,
    /// The remaining number of bytes to read of each wheel.
    left: BTreeMap<String, u64>,
    seen: HashSet<Cid>,
    blocks: Vec<Cid>,
}

impl Visitor for Way<'_> {
    fn block(&mut self, place: &Place) -> Result<Option<Vec<u8>>, CarError> {
        let is_wheel = self.wheels.contains_key(&place.path);
        let is_above = |wheel: &String| {
            place.path.is_empty()
                || wheel
                    .strip_prefix(&place.path)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        if is_wheel {
            let length = self.archive.length_of(&place.cid).unwrap_or_default() as u64;
            let left = self.left.entry(place.path.clone()).or_insert(SAMPLED_BYTES);
            if *left == 0 {
                return Ok(None);
            }
            *left = left.saturating_sub(length);
        } else if !self.wheels.keys().any(is_above) {
            return Ok(None);
        }
        if self.seen.insert(place.cid) {
            self.blocks.push(place.cid);
        }
        self.archive.block(&place.cid)
    }

    fn visit(&mut self, _: &Place, _: &[u8], _: bool) -> Result<(), CarError> {
        Ok(())
    }
}
