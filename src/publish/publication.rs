//! A release on its way out, and what of it is read back.

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

/// How many wheels are read back.
const SAMPLED_WHEELS: usize = 3;
/// How many bytes of one wheel are read back, about.
const SAMPLED_BYTES: u64 = 8 << 20;
/// How a wheel's name ends.
const WHEEL: &str = ".whl";

/// A release that goes to targets: every block that is here verified, and vouched for unless it was
/// said that it need not be.
#[derive(Debug)]
pub struct Publication {
    /// The repository's name.
    pub name: String,
    /// The folder of the archive and the statement.
    pub folder: PathBuf,
    /// The full archive, or a delta.
    pub archive: Arc<CarReader<File>>,
    /// What a delta leaves out: the topmost blocks of it. A target that takes blocks has to have
    /// them already.
    pub left_out: Vec<Cid>,
    /// What vouches for it.
    pub signed: Option<SignedStatement>,
    /// Statements of earlier releases, which lead from the release that a target holds to this one.
    pub history: History,
    /// What is read back.
    pub sample: Sample,
    /// The command that makes the archive of a delta full, but for the places to look in.
    pub fill_command: String,
    /// The repository's own places where what a delta leaves out may be: gateways of its targets,
    /// and `mirrors`.
    pub fill_places: Vec<String>,
}

impl Publication {
    /// The root.
    pub fn root(&self) -> Cid {
        self.archive.root()
    }

    /// The sequence of the statement, where there is one.
    pub fn sequence(&self) -> Option<u64> {
        Some(self.signed.as_ref()?.statement.sequence)
    }

    /// When the statement expires, where it does.
    pub fn expires(&self) -> Option<Timestamp> {
        self.signed.as_ref()?.statement.expires
    }

    /// Refuses a delta, for a target that does not have what it leaves out.
    ///
    /// # Errors
    /// A refusal, with the way out.
    pub(super) fn require_left_out(&self, absent: &[Cid]) -> Result<(), Failure> {
        let Some(first) = absent.first() else {
            return Ok(());
        };
        Err(Failure::refused(format!(
            "it has not got what this delta leaves out: {} of {} blocks that the rest hangs from, {first} the first",
            absent.len(),
            self.left_out.len()
        ))
        .help(self.completion_help()))
    }

    /// What helps a target that lacks something that a delta leaves out.
    pub(super) fn completion_help(&self) -> String {
        let fill = &self.fill_command;
        let before = "publish the release before to it, or make the archive full:";
        if self.fill_places.is_empty() {
            return format!(
                "{before} `{fill} --from ARCHIVE`, where ARCHIVE is that of the release before"
            );
        }
        let places: Vec<String> = self
            .fill_places
            .iter()
            .map(|place| format!(" --from {}", shell_word(place)))
            .collect();
        format!("{before} `{fill}{}`", places.concat())
    }

    /// Blocks of it in parts of about so many bytes and at most so many blocks, each with its
    /// bytes.
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

    /// These blocks and their bytes.
    pub fn amount_of(&self, cids: &[Cid]) -> Amount {
        let mut amount = Amount::default();
        for cid in cids {
            amount.add(self.archive.length_of(cid).unwrap_or_default());
        }
        amount
    }
}

/// The part of a release that is read back from a target: the way from the root to some wheels, and
/// their blocks, of large wheels the first ones. Of a delta they are wheels that it has, and some
/// blocks that it leaves out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// The blocks, the root first.
    pub blocks: Vec<Cid>,
    /// The wheels, by their paths from the root.
    pub wheels: BTreeMap<String, Cid>,
}

impl Sample {
    /// Chooses a sample: by the release and a seed, so that runs with other seeds read other
    /// wheels.
    ///
    /// # Errors
    /// When the archive cannot be read.
    pub fn of(archive: &CarReader<File>, left_out: &[Cid], seed: u64) -> Result<Self, CarError> {
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
        let mut left_out = left_out.to_vec();
        left_out.sort_by_cached_key(lot);
        left_out.truncate(SAMPLED_WHEELS);
        let mut way = Way {
            archive,
            wheels: found.into_iter().collect(),
            left: BTreeMap::new(),
            seen: HashSet::new(),
            blocks: Vec::new(),
        };
        walk(archive.root(), &mut way)?;
        left_out.retain(|cid| !way.seen.contains(cid));
        way.blocks.extend(left_out);
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

/// Collects the blocks on the way to some wheels, and theirs.
struct Way<'a> {
    archive: &'a CarReader<File>,
    wheels: BTreeMap<String, Cid>,
    /// How many bytes of each wheel are still wanted.
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
