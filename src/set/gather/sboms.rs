//! The SBOMs inside cached wheels.

use std::fs::File;

use ipwhl_packaging::wheel::{Limits, SbomFile, read_sboms};

use crate::set::declaration::DeclaredWheel;
use crate::source::Cache;

/// Reads SBOMs of a wheel in the cache, in the order of these paths. The wheel is hashed first. Of an
/// SBOM with more bytes than `largest` only the digest is read.
///
/// # Errors
/// When the wheel is not in the cache, or cannot be read: the reason, as half a sentence.
pub fn sbom_files(
    cache: &Cache,
    wheel: &DeclaredWheel,
    paths: &[String],
    largest: u64,
) -> Result<Vec<SbomFile>, String> {
    let cached = cache
        .wheel(&wheel.content_id.value)
        .ok_or_else(|| "is no longer in the cache".to_owned())?;
    File::open(&cached.path)
        .and_then(|mut file| read_sboms(&mut file, paths, largest, &Limits::default()))
        .map_err(|error| format!("cannot be read: {error}"))?
}
