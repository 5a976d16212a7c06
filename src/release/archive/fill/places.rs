//! The places in `--from`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ipwhl_unixfs::Cid;
use url::Url;

use super::attempts::{Attempts, record};
use super::context::FillContext;
use super::declarations::DeclaredSources;
use super::gateway::GatewayWarning;
use super::gateways::Gateways;
use super::pass::Missing;
use super::store::Store;
use crate::foundation::failure::Failure;
use crate::release::archive::open_archive;
use crate::source::dag_of_file;

/// The maximum depth of folders to search for wheels.
const MAXIMUM_DEPTH: usize = 16;
/// The maximum number of files to list in a folder.
const MAXIMUM_FILES: usize = 200_000;

/// A place to ask for blocks. The blocks of archives are in the store already.
pub(super) enum BlockSource {
    /// A folder of wheels, or one wheel.
    Folder {
        /// Its name in messages.
        shown: String,
        /// Its files by name, with their sizes.
        files: BTreeMap<String, Vec<(PathBuf, u64)>>,
        /// The wheels that were searched for.
        tried: BTreeSet<Cid>,
    },
    /// The sources of the declarations.
    Sources(DeclaredSources),
    /// Gateways, used concurrently.
    Gateways(Gateways),
}

/// The places in `--from`, or the default ones. Archives go into the store.
pub(super) fn block_sources(
    fill: &FillContext<'_>,
    store: &mut Store,
) -> Result<Vec<BlockSource>, Failure> {
    let usual = ["sources".to_owned(), "mirrors".to_owned()];
    let named = match &fill.options.from[..] {
        [] => &usual[..],
        named => named,
    };
    let mut places = Vec::new();
    for name in named {
        match name.as_str() {
            "sources" => places.push(BlockSource::Sources(DeclaredSources::default())),
            "mirrors" => {
                let gateways = fill.configuration().gateways;
                let urls = gateways.iter().filter_map(|url| Url::parse(url).ok());
                urls.for_each(|url| add_gateway(&mut places, url));
            }
            address if address.contains("://") => {
                // It may contain a password, so it is not repeated.
                let url = Url::parse(address).ok();
                let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
                let url = url.ok_or_else(|| {
                    Failure::usage(
                        "a place in `--from` is neither a file nor an address that begins with `https://`",
                    )
                })?;
                add_gateway(&mut places, url);
            }
            path => {
                let path = fill.session.environment().absolute(Path::new(path));
                if path.is_dir() || is_wheel(&path) {
                    places.push(scan_folder(&path)?);
                } else {
                    let archive = open_archive(&path)?;
                    store.add_archive(path, archive);
                }
            }
        }
    }
    Ok(places)
}

/// Adds a gateway to the preceding group of gateways, or as a new place.
fn add_gateway(places: &mut Vec<BlockSource>, url: Url) {
    if let Some(BlockSource::Gateways(gateways)) = places.last_mut() {
        gateways.add(url);
    } else {
        let mut gateways = Gateways::default();
        gateways.add(url);
        places.push(BlockSource::Gateways(gateways));
    }
}

fn is_wheel(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "whl")
}

fn scan_folder(path: &Path) -> Result<BlockSource, Failure> {
    let mut files = BTreeMap::new();
    let mut left = MAXIMUM_FILES;
    collect_wheels(path, 0, &mut left, &mut files)
        .map_err(|error| Failure::world(format!("`{}` cannot be read: {error}", path.display())))?;
    Ok(BlockSource::Folder {
        shown: path.display().to_string(),
        files,
        tried: BTreeSet::new(),
    })
}

fn collect_wheels(
    path: &Path,
    depth: usize,
    left: &mut usize,
    files: &mut BTreeMap<String, Vec<(PathBuf, u64)>>,
) -> std::io::Result<()> {
    let metadata = fs::metadata(path)?;
    if metadata.is_file() && *left > 0 {
        *left -= 1;
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(name) = name.filter(|name| is_wheel(Path::new(name))) {
            let found: &mut Vec<_> = files.entry(name.to_owned()).or_default();
            found.push((path.to_path_buf(), metadata.len()));
        }
    } else if metadata.is_dir() && depth < MAXIMUM_DEPTH {
        let mut inner: Vec<PathBuf> = fs::read_dir(path)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        inner.sort();
        for path in inner {
            // A broken link is no reason to stop.
            let _ = collect_wheels(&path, depth + 1, left, files);
        }
    }
    Ok(())
}

impl BlockSource {
    /// The warnings about gateways with problems.
    pub(super) fn warnings(&self) -> Vec<GatewayWarning> {
        match self {
            Self::Gateways(gateways) => gateways.warnings().collect(),
            Self::Folder { .. } | Self::Sources(_) => Vec::new(),
        }
    }

    /// Requests missing blocks; true if the store has new ones afterwards.
    pub(super) fn request(
        &mut self,
        fill: &FillContext<'_>,
        store: &mut Store,
        missing: &[&Missing],
        attempts: &mut Attempts,
    ) -> Result<bool, Failure> {
        match self {
            Self::Sources(declared) => declared.request(fill, store, missing, attempts),
            Self::Gateways(gateways) => gateways.request(fill, store, missing, attempts),
            Self::Folder {
                shown,
                files,
                tried,
            } => {
                let mut is_new = false;
                for one in missing {
                    if store.has(&one.cid) {
                        continue;
                    }
                    if let Some(wheel) = one.wheel
                        && tried.insert(wheel)
                        && let Some(path) = find_in_folder(files, one, &wheel, store)
                    {
                        store.add_wheel(&path.0, path.1);
                        is_new = true;
                    }
                    if !store.has(&one.cid) {
                        let reason = match one.wheel {
                            Some(_) => format!("`{shown}` does not have this wheel"),
                            None => format!("`{shown}` has only wheels"),
                        };
                        record(attempts, one.cid, reason);
                    }
                }
                Ok(is_new)
            }
        }
    }
}

/// The file of a folder that is this wheel: first one of the same name, then one of a possible
/// size.
fn find_in_folder(
    files: &BTreeMap<String, Vec<(PathBuf, u64)>>,
    missing: &Missing,
    wheel: &Cid,
    store: &mut Store,
) -> Option<(PathBuf, ipwhl_unixfs::FileDag)> {
    let name = missing.path.rsplit('/').next().unwrap_or_default();
    let size = store.file_size(wheel).or(missing.cumulative_size)?;
    // The frames of 256 KiB leaves and their links take less than a hundredth, and a few bytes at
    // least.
    let may_be = |length: u64| length <= size && size - length <= 64 + length / 100;
    let same_name = files.get(name).into_iter().flatten();
    let others = files
        .iter()
        .filter(|(other, _)| *other != name)
        .flat_map(|(_, files)| files)
        .filter(|(_, length)| may_be(*length));
    same_name.chain(others).find_map(|(path, _)| {
        let dag = dag_of_file(path, wheel).ok()??;
        Some((path.clone(), dag))
    })
}
