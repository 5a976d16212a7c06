//! Opens releases by name: an archive, a folder with one, a root CID, an address of a gateway.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::{CarError, CarReader};
use url::{Host, Url};

use super::{ArchiveKind, BlockStore, archive_failure, block_set, car_name, open_archive};
use crate::foundation::environment::Environment;
use crate::foundation::failure::{Failure, error_chain};
use crate::release::names::CAR;
use crate::set::gather::Network;
use crate::source::{Client, GatewayBlocks, Limits, Session, Transferred, redacted};

/// The number of concurrent requests for blocks in place of one wheel. Blocks are small, so latency
/// dominates.
const BLOCKS_PER_JOB: usize = 4;

/// A release with readable blocks. Its contents are verified against the root; the root itself is
/// not vouched for.
pub struct OpenRelease {
    /// Its root.
    pub root: Cid,
    /// Its name in messages.
    pub shown: String,
    /// The location of its blocks.
    pub location: ReleaseLocation,
}

/// The location of a release's blocks.
pub enum ReleaseLocation {
    /// In an archive, full or hollow.
    Archive {
        /// The file.
        path: PathBuf,
        /// The reader of the file.
        reader: Box<CarReader<File>>,
    },
    /// Behind gateways.
    Gateways(Box<GatewayBlocks>),
}

impl OpenRelease {
    /// Its blocks.
    pub fn blocks(&self) -> &BlockStore {
        match &self.location {
            ReleaseLocation::Archive { reader, .. } => &**reader,
            ReleaseLocation::Gateways(gateways) => &**gateways,
        }
    }

    /// The data transferred for it over the network so far.
    pub fn transferred(&self) -> Transferred {
        match &self.location {
            ReleaseLocation::Archive { .. } => Transferred::default(),
            ReleaseLocation::Gateways(gateways) => gateways.transferred(),
        }
    }
}

/// A parsed name, before anything is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseName {
    /// The path of an archive.
    Archive(PathBuf),
    /// A root, read through the configured gateways.
    Root(Cid),
    /// A root, read through this gateway.
    At(Url, Cid),
}

impl ReleaseName {
    /// Parses the name of a release: an existing path, a root CID, or an address with a root CID in
    /// it; `None` if it is none of them. A folder means the archive that a build writes there, full
    /// or hollow.
    ///
    /// # Errors
    /// When it is an address, but not one of a release.
    pub fn parse(environment: &Environment, text: &str) -> Result<Option<Self>, Failure> {
        if text.contains("://") {
            return address(text).map(Some);
        }
        let path = environment.absolute(Path::new(text));
        if path.is_dir() {
            let archives = [CAR, car_name(ArchiveKind::Hollow)].map(|name| path.join(name));
            let found = archives.into_iter().find(|archive| archive.is_file());
            return Ok(found.map(Self::Archive));
        }
        if path.exists() {
            return Ok(Some(Self::Archive(path)));
        }
        Ok(Cid::from_str(text).ok().map(Self::Root))
    }
}

/// `<gateway>/ipfs/<root>/`, or `<root>.ipfs.<gateway>/`.
fn address(text: &str) -> Result<ReleaseName, Failure> {
    let refused = || {
        // It may contain a password, so it is not repeated.
        Failure::usage(
            "the address of a release must be `<gateway>/ipfs/<root CID>/` or `<root \
                        CID>.ipfs.<gateway>/`",
        )
        .help("write the index address that pip uses")
    };
    let url = Url::parse(text).map_err(|_| refused())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused());
    }
    let mut gateway = url.clone();
    gateway.set_query(None);
    gateway.set_fragment(None);
    let segments: Vec<&str> = url
        .path_segments()
        .map(Iterator::collect)
        .unwrap_or_default();
    if let Some(place) = segments.iter().position(|segment| *segment == "ipfs")
        && let Some(root) = segments.get(place + 1).and_then(|root| root.parse().ok())
    {
        if segments[place + 2..]
            .iter()
            .any(|segment| !segment.is_empty())
        {
            return Err(refused());
        }
        gateway.set_path(&segments[..place].join("/"));
        return Ok(ReleaseName::At(gateway, root));
    }
    if let Some(Host::Domain(host)) = url.host()
        && let Some((root, rest)) = host.split_once(".ipfs.")
        && let Ok(root) = root.parse()
    {
        gateway.set_path("");
        gateway.set_host(Some(rest)).map_err(|_| refused())?;
        return Ok(ReleaseName::At(gateway, root));
    }
    Err(refused())
}

impl OpenRelease {
    /// Opens the release with this name. Roots are read through `gateways`.
    ///
    /// # Errors
    /// When the name is not that of a release, or the release cannot be opened.
    pub fn named(
        session: &Session,
        network: &Network,
        gateways: &[String],
        text: &str,
    ) -> Result<Self, Failure> {
        let environment = session.environment();
        let name = ReleaseName::parse(environment, text)?.ok_or_else(|| {
            let path = environment.absolute(Path::new(text));
            if path.is_dir() {
                Failure::usage(format!(
                    "`{text}` is a folder without an archive of a release"
                ))
            } else {
                Failure::usage(format!(
                    "`{text}` is neither an existing file nor a root CID"
                ))
            }
            .help("name an archive, a root CID, or an address `<gateway>/ipfs/<root CID>/`")
        })?;
        Self::open(session, network, gateways, name)
    }

    /// Opens a release. Of an archive only the index is read, from gateways nothing.
    ///
    /// # Errors
    /// When the archive cannot be read, or no gateway is configured.
    pub fn open(
        session: &Session,
        network: &Network,
        gateways: &[String],
        name: ReleaseName,
    ) -> Result<Self, Failure> {
        let (gateways, root) = match name {
            ReleaseName::Archive(path) => {
                let reader = open_archive(&path)?;
                return Ok(Self {
                    root: reader.root(),
                    shown: session.environment().shown(&path),
                    location: ReleaseLocation::Archive {
                        path,
                        reader: Box::new(reader),
                    },
                });
            }
            ReleaseName::Root(root) => {
                let gateways = gateways.iter();
                let gateways: Vec<Url> = gateways.filter_map(|url| Url::parse(url).ok()).collect();
                if gateways.is_empty() {
                    return Err(Failure::usage(format!(
                        "no gateway is configured for reading the release {root}"
                    ))
                    .help(
                        "name gateways in `ipwhl.toml` (`[mirrors]`, `gateways = [\"…\"]`), or \
                           give the address `<gateway>/ipfs/<root CID>/`",
                    ));
                }
                (gateways, root)
            }
            ReleaseName::At(gateway, root) => (vec![gateway], root),
        };
        if network.offline {
            return Err(Failure::usage(format!(
                "the release {root} is behind a gateway, but `--offline` forbids the network"
            ))
            .help("leave out `--offline`, or name an archive"));
        }
        let shown = match &gateways[..] {
            [one] => format!("{root} at {}", redacted(one)),
            _ => root.to_string(),
        };
        let settings = session.client_settings(Limits::of_gateways());
        let client = Client::new(&settings).map_err(|error| Failure::caused(&error))?;
        let jobs = network.jobs.get() * BLOCKS_PER_JOB;
        let cache = session.cache().ok();
        let blocks = GatewayBlocks::new(client, gateways, cache, jobs, session.runtime()?.clone());
        Ok(Self {
            root,
            shown,
            location: ReleaseLocation::Gateways(Box::new(blocks)),
        })
    }

    /// Every CID reachable from its root: the blocks that a delta to the next release leaves out.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn block_set(&self) -> Result<HashSet<Cid>, Failure> {
        let found =
            block_set(self.blocks(), &self.root).map_err(|error| self.unreadable(&error))?;
        // An archive may be incomplete. A gateway that lacks a block has failed.
        if let (ReleaseLocation::Gateways(_), Some(lacking)) =
            (&self.location, found.lacking.first())
        {
            return Err(self.unreadable(&CarError::Missing(*lacking)));
        }
        Ok(found.cids)
    }

    /// The failure for an unreadable release.
    pub fn unreadable(&self, error: &CarError) -> Failure {
        match &self.location {
            ReleaseLocation::Archive { path, .. } => archive_failure(path, error),
            ReleaseLocation::Gateways(_) => Failure::world(format!(
                "{} cannot be read: {}",
                self.shown,
                block_reason(error)
            ))
            .help("run the same command again, or name an archive"),
        }
    }
}

/// The reason why a block cannot be read, in words that fit archives and gateways.
pub(in crate::release) fn block_reason(error: &CarError) -> String {
    match error {
        CarError::Missing(cid) => format!("block {cid} is missing"),
        other => error_chain(other),
    }
}
