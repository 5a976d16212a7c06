//! The software bills of materials in a wheel.
//!
//! Specification: PEP 770, and "Binary distribution format", "The .dist-info/sboms/ directory".

use std::io::{self, Read, Seek};

use super::Limits;
use super::archive::Member;
use super::content::Contents;
use super::input::Source;
use super::members::{digest, list};

/// An SBOM in a wheel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SbomFile {
    /// Its path in the wheel.
    pub path: String,
    /// Its size in bytes, inflated.
    pub size: u64,
    /// The SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Its bytes; `None` if there are more than the caller wants.
    pub bytes: Option<Vec<u8>>,
}

/// The paths of the files in the folder `sboms` of the metadata folder, sorted.
pub(super) fn sbom_paths(members: &[Member], stem: &str) -> Vec<String> {
    let folder = format!("{stem}.dist-info/sboms/");
    let files = members.iter().filter(|member| !member.is_folder());
    let mut paths: Vec<String> = files
        .filter(|member| member.name.starts_with(&folder))
        .map(|member| member.name.clone())
        .collect();
    paths.sort();
    paths
}

/// Reads SBOMs of a wheel, in the order of these paths. Each is hashed; of one with more bytes than
/// `largest` nothing is kept. The inner error is a clause for use after the wheel's name.
pub fn read_sboms<R: Read + Seek>(
    reader: &mut R,
    paths: &[String],
    largest: u64,
    limits: &Limits,
) -> io::Result<Result<Vec<SbomFile>, String>> {
    let members = match list(reader, limits)? {
        Ok(members) => members,
        Err(reason) => return Ok(Err(reason)),
    };
    let mut source = Source::new(reader)?;
    let mut contents = Contents::new();
    let mut read = Vec::new();
    for path in paths {
        let Some(member) = members.iter().find(|member| member.name == *path) else {
            return Ok(Err(format!("has no {path:?}")));
        };
        let is_small = member.size <= largest;
        let most = if is_small { usize::MAX } else { 0 };
        let mut bytes = Vec::new();
        match digest(&mut source, &mut contents, member, most, &mut bytes)? {
            Ok(sha256) => read.push(SbomFile {
                path: path.clone(),
                size: member.size,
                sha256,
                bytes: is_small.then_some(bytes),
            }),
            Err(reason) => return Ok(Err(reason)),
        }
    }
    Ok(Ok(read))
}
