//! Releases by the names that people give them: an archive, a folder with one, a root CID, an address of a gateway.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use ipwhl_unixfs::Cid;
use url::{Host, Url};

use super::archives;
use super::context::Context;
use super::network::NetworkArguments;
use crate::foundation::failure::Failure;
use crate::release::archive::{BlockStore, car_name};
use crate::release::names::CAR;
use crate::set::repository::Configuration;
use crate::source::{Client, GatewayBlocks, Limits, Transferred, redacted};

/// How many blocks are asked for where one wheel would be fetched: they are small, and what takes long is the way.
const BLOCKS_PER_JOB: usize = 4;

/// A release whose blocks can be had, believed only as far as its root goes.
pub(super) struct OpenRelease {
    /// Its root.
    pub(super) root: Cid,
    /// What it is called in messages.
    pub(super) shown: String,
    /// Where it is.
    pub(super) place: Place,
}

/// Where a release's blocks are.
pub(super) enum Place {
    /// In an archive, full or hollow.
    Archive {
        /// The file.
        path: PathBuf,
        /// What reads it.
        reader: Box<ipwhl_unixfs::car::CarReader<std::fs::File>>,
    },
    /// Behind gateways.
    Gateways(Box<GatewayBlocks>),
}

impl OpenRelease {
    /// Its blocks.
    pub(super) fn blocks(&self) -> &BlockStore {
        match &self.place {
            Place::Archive { reader, .. } => &**reader,
            Place::Gateways(gateways) => &**gateways,
        }
    }

    /// What came over the network for it so far.
    pub(super) fn transferred(&self) -> Transferred {
        match &self.place {
            Place::Archive { .. } => Transferred::default(),
            Place::Gateways(gateways) => gateways.transferred(),
        }
    }
}

/// What a name is, before anything is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    /// An archive's path.
    Archive(PathBuf),
    /// A root, read through the configured gateways.
    Root(Cid),
    /// A root, read through this gateway.
    At(Url, Cid),
}

/// What a release's name is: a path that is there, a root CID, an address with a root CID in it; `None` where it is
/// none of them. A folder stands for the archive that a build writes there, full or hollow.
pub(super) fn name(context: &Context<'_>, text: &str) -> Result<Option<Name>, Failure> {
    if text.contains("://") {
        return address(text).map(Some);
    }
    let path = context.absolute(Path::new(text));
    if path.is_dir() {
        let archives =
            [CAR, car_name(crate::release::archive::Extent::Hollow)].map(|name| path.join(name));
        let found = archives.into_iter().find(|archive| archive.is_file());
        return Ok(found.map(Name::Archive));
    }
    if path.exists() {
        return Ok(Some(Name::Archive(path)));
    }
    Ok(Cid::from_str(text).ok().map(Name::Root))
}

/// `<gateway>/ipfs/<root>/`, or `<root>.ipfs.<gateway>/`.
fn address(text: &str) -> Result<Name, Failure> {
    let refused = || {
        // It may hold a password, so it is not repeated.
        Failure::usage("an address of a release is neither `<gateway>/ipfs/<root CID>/` nor `<root CID>.ipfs.<gateway>/`")
            .help("write the address of the index that pip is given")
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
        return Ok(Name::At(gateway, root));
    }
    if let Some(Host::Domain(host)) = url.host()
        && let Some((root, rest)) = host.split_once(".ipfs.")
        && let Ok(root) = root.parse()
    {
        gateway.set_path("");
        gateway.set_host(Some(rest)).map_err(|_| refused())?;
        return Ok(Name::At(gateway, root));
    }
    Err(refused())
}

/// Opens the release of this name.
pub(super) fn named(
    context: &Context<'_>,
    configuration: &Configuration,
    network: &NetworkArguments,
    text: &str,
) -> Result<OpenRelease, Failure> {
    let name = name(context, text)?.ok_or_else(|| {
        let path = context.absolute(Path::new(text));
        if path.is_dir() {
            Failure::usage(format!(
                "`{text}` is a folder without an archive of a release"
            ))
        } else {
            Failure::usage(format!(
                "`{text}` is neither a file that is there nor a root CID"
            ))
        }
        .help("name an archive, a root CID, or an address `<gateway>/ipfs/<root CID>/`")
    })?;
    open(context, configuration, network, name)
}

/// Opens a release. Of an archive the index is read, of gateways nothing.
pub(super) fn open(
    context: &Context<'_>,
    configuration: &Configuration,
    network: &NetworkArguments,
    name: Name,
) -> Result<OpenRelease, Failure> {
    let (gateways, root) = match name {
        Name::Archive(path) => {
            let reader = archives::open(&path)?;
            return Ok(OpenRelease {
                root: reader.root(),
                shown: context.shown(&path),
                place: Place::Archive {
                    path,
                    reader: Box::new(reader),
                },
            });
        }
        Name::Root(root) => {
            let gateways = configuration.gateways.iter();
            let gateways: Vec<Url> = gateways.filter_map(|url| Url::parse(url).ok()).collect();
            if gateways.is_empty() {
                return Err(Failure::usage(format!(
                    "no gateway is known to read the release {root} through"
                ))
                .help("name some in `ipwhl.toml` (`[mirrors]`, `gateways = [\"…\"]`), or give the address `<gateway>/ipfs/<root CID>/`"));
            }
            (gateways, root)
        }
        Name::At(gateway, root) => (vec![gateway], root),
    };
    if network.offline {
        return Err(Failure::usage(format!(
            "the release {root} is behind a gateway, and `--offline` leaves the network alone"
        )));
    }
    let shown = match &gateways[..] {
        [one] => format!("{root} at {}", redacted(one)),
        _ => root.to_string(),
    };
    let settings = context.session.client_settings(Limits::of_gateways());
    let client = Client::new(&settings).map_err(|error| Failure::caused(&error))?;
    let jobs = network.jobs().get() * BLOCKS_PER_JOB;
    let cache = context.session.cache().ok();
    let blocks = GatewayBlocks::new(
        client,
        gateways,
        cache,
        jobs,
        context.session.runtime()?.clone(),
    );
    Ok(OpenRelease {
        root,
        shown,
        place: Place::Gateways(Box::new(blocks)),
    })
}
