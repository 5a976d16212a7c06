//! One of the two states: what its name means, and how it is read.

use std::path::{Path, PathBuf};

use ipwhl_unixfs::car::CarError;
use serde::Serialize;
use url::Url;

use super::super::context::Context;
use super::super::network::NetworkArguments;
use crate::foundation::diagnostic::{visible, without_credentials};
use crate::foundation::failure::{Failure, error_chain};
use crate::release::archive::{OpenRelease, ReleaseLocation, ReleaseName, archive_failure};
use crate::release::reader::ReleaseReader;
use crate::set::difference::Snapshot;
use crate::set::gather::known_facts;
use crate::set::repository::{
    CONFIGURATION_FILE, Configuration, LoadError, Repository, Revision, tracked,
};

/// How many digits of a commit are shown.
const SHOWN_DIGITS: usize = 12;

/// A state, read.
pub(super) struct Side {
    pub(super) about: About,
    /// `None` for a release of the layout `ipwhl-1`.
    pub(super) repository: Option<Repository>,
    pub(super) release: Option<OpenRelease>,
    /// The gateway that was named with a release.
    pub(super) gateway: Option<Url>,
    pub(super) snapshot: Snapshot,
}

/// What a state is.
#[derive(Debug, Clone, Serialize)]
pub(super) struct About {
    /// `release`, `revision` or `working-tree`.
    pub(super) kind: &'static str,
    /// What it is called in words.
    pub(super) name: String,
    /// The root of a release.
    pub(super) root: Option<String>,
    /// The commit of a revision.
    pub(super) commit: Option<String>,
}

/// What is around: the repository's folder, and its settings.
pub(super) struct Around {
    pub(super) directory: Option<PathBuf>,
    pub(super) configuration: Configuration,
}

impl Around {
    pub(super) fn new(context: &Context<'_>) -> Self {
        let directory = context.repository_directory().ok();
        let configuration = directory
            .as_deref()
            .and_then(|directory| Repository::load_configuration(directory).ok())
            .map(|repository| repository.configuration)
            .unwrap_or_default();
        Self {
            directory,
            configuration,
        }
    }
}

/// The repository's folder as it is now.
pub(super) fn working_tree(context: &Context<'_>) -> Result<Side, Failure> {
    let repository = context.repository()?;
    let name = "the working tree".to_owned();
    Ok(of_repository(context, repository, name, None))
}

/// The state that declarations describe. What they leave out is taken from what is known of the
/// wheels here.
fn of_repository(
    context: &Context<'_>,
    repository: Repository,
    name: String,
    commit: Option<String>,
) -> Side {
    let cache = context.session.cache().ok();
    let snapshot = Snapshot::of(&repository, &|wheel| {
        if wheel.size.is_some() && wheel.sha256.is_some() {
            return None;
        }
        let facts = known_facts(cache.as_ref()?, &wheel.content_id.value)?;
        Some((facts.sha256, facts.dag.size()))
    });
    Side {
        about: About {
            kind: if commit.is_some() {
                "revision"
            } else {
                "working-tree"
            },
            name,
            root: None,
            commit,
        },
        snapshot,
        repository: Some(repository),
        release: None,
        gateway: None,
    }
}

/// Reads the state of this name: a path, a root CID, a revision, in this order; `path:`, `cid:` and
/// `git:` decide.
pub(super) fn read(
    context: &Context<'_>,
    around: &Around,
    network: &NetworkArguments,
    text: &str,
) -> Result<Side, Failure> {
    if let Some(revision) = text.strip_prefix("git:") {
        return of_revision(context, around, revision);
    }
    if let Some(path) = text.strip_prefix("path:") {
        let found = of_path(context, around, network, path)?;
        return found.ok_or_else(|| {
            Failure::usage(format!(
                "`{path}` is neither an archive, nor a folder with one, nor a repository"
            ))
        });
    }
    if let Some(cid) = text.strip_prefix("cid:") {
        let root = cid
            .parse()
            .map_err(|error| Failure::usage(format!("`{cid}` is not a CID: {error}")))?;
        return of_release(context, around, network, ReleaseName::Root(root));
    }
    if text.contains("://") {
        let name = ReleaseName::parse(context.environment, text)?;
        let name = name.ok_or_else(|| {
            Failure::usage(format!(
                "`{}` is not the URL of a release",
                without_credentials(&visible(text, &[]))
            ))
            .help("the URL of a release is `<gateway>/ipfs/<root CID>/`")
        })?;
        return of_release(context, around, network, name);
    }
    if let Some(side) = of_path(context, around, network, text)? {
        if let Some(directory) = &around.directory
            && Revision::at(context.environment, directory, text).is_ok()
        {
            // A change could bring a folder with the name of the revision that it is compared with.
            let shown = visible(text, &[]);
            return Err(
                Failure::usage(format!("`{shown}` is both a path and a git revision"))
                    .help(format!("write `git:{shown}` or `path:{shown}`")),
            );
        }
        return Ok(side);
    }
    if let Ok(root) = text.parse() {
        return of_release(context, around, network, ReleaseName::Root(root));
    }
    of_revision(context, around, text).map_err(|failure| {
        let there = if context.absolute(Path::new(text)).exists() {
            "neither an archive, nor a folder with one, nor a repository"
        } else {
            "not an existing path"
        };
        Failure {
            kind: failure.kind,
            message: format!("`{text}` is {there}, not a CID, and {}", failure.message),
            help: failure.help,
        }
    })
}

fn of_path(
    context: &Context<'_>,
    around: &Around,
    network: &NetworkArguments,
    text: &str,
) -> Result<Option<Side>, Failure> {
    let path = context.absolute(Path::new(text));
    if path.is_file() {
        warn_of_tracked(context, &path);
        return of_release(context, around, network, ReleaseName::Archive(path)).map(Some);
    }
    if !path.is_dir() {
        return Ok(None);
    }
    if let Some(name) = ReleaseName::parse(context.environment, text)? {
        if let ReleaseName::Archive(archive) = &name {
            warn_of_tracked(context, archive);
        }
        return of_release(context, around, network, name).map(Some);
    }
    if !path.join(CONFIGURATION_FILE).is_file() {
        return Ok(None);
    }
    let repository = Repository::load(&path).map_err(|error| Failure::world(&error))?;
    let name = format!("the working tree of {}", context.shown(&path));
    Ok(Some(of_repository(context, repository, name, None)))
}

/// Warns of an archive that a change may have brought, where it would be the state before the
/// change.
fn warn_of_tracked(context: &Context<'_>, archive: &Path) {
    if let Ok(Some(file)) = tracked(context.environment, archive) {
        context.warning(&format!(
            "git tracks `{file}`, so a change may have added or replaced it"
        ));
        context.help(
            "to compare with the state before the change, name a revision: `ipwhl diff git:main`",
        );
    }
}

fn of_revision(context: &Context<'_>, around: &Around, name: &str) -> Result<Side, Failure> {
    let Some(directory) = &around.directory else {
        return Err(Failure::usage(format!(
            "no revision `{name}`, because there is no repository here"
        ))
        .help("run it in a repository, or name one with `--repository`"));
    };
    let revision = Revision::at(context.environment, directory, name).map_err(|error| {
        let failure = Failure::usage(format!("no revision `{name}`: {error}"));
        match error.help() {
            Some(help) => failure.help(help),
            None => failure,
        }
    })?;
    let commit = revision.commit().to_owned();
    let repository = Repository::load_revision(directory, &revision).map_err(|error| match error {
        LoadError::NoConfiguration(_) | LoadError::Original(_) => Failure::usage(format!(
            "the revision `{name}` has no `{CONFIGURATION_FILE}` here, so it is not a state of this repository"
        )),
        error => Failure::world(&error),
    })?;
    let short: String = commit.chars().take(SHOWN_DIGITS).collect();
    let shown = if commit.starts_with(name) {
        short
    } else {
        format!("{name} ({short})")
    };
    Ok(of_repository(context, repository, shown, Some(commit)))
}

fn of_release(
    context: &Context<'_>,
    around: &Around,
    network: &NetworkArguments,
    name: ReleaseName,
) -> Result<Side, Failure> {
    let gateway = match &name {
        ReleaseName::At(gateway, _) => Some(gateway.clone()),
        ReleaseName::Archive(_) | ReleaseName::Root(_) => None,
    };
    let gateways = &around.configuration.gateways;
    let release = OpenRelease::open(&context.session, &network.network(), gateways, name)?;
    let directory = around
        .directory
        .clone()
        .unwrap_or_else(|| context.environment.current_directory.clone());
    let carried = ReleaseReader::open(release.blocks(), &release.root)
        .and_then(|published| {
            published.embedded_repository(&directory, &around.configuration.declarations)
        })
        .map_err(|error| failure(&release, &error))?;
    let snapshot = match &carried.repository {
        Some(repository) => Snapshot::of(repository, &|wheel| {
            let folder = carried.projects.get(wheel.file_name.name())?;
            let entry = folder
                .wheels
                .get(wheel.file_name.as_str())?
                .entry
                .as_ref()?;
            Some((entry.sha256, entry.size))
        })
        .into_released(),
        None => Snapshot::of_wheels(carried.projects.values().flat_map(|folder| {
            let wheels = folder.wheels.iter();
            wheels.map(|(name, wheel)| (name.clone(), wheel.link))
        }))
        .map_err(|name| {
            Failure::finding(format!(
                "{}: `{}` is not the name of a wheel, so this is not a release",
                release.shown,
                name.escape_debug()
            ))
        })?,
    };
    Ok(Side {
        about: About {
            kind: "release",
            name: release.shown.clone(),
            root: Some(release.root.to_string()),
            commit: None,
        },
        repository: carried.repository,
        release: Some(release),
        gateway,
        snapshot,
    })
}

/// What is wrong with a release.
pub(super) fn failure(release: &OpenRelease, error: &CarError) -> Failure {
    match (&release.location, error) {
        (ReleaseLocation::Archive { .. }, CarError::Missing(cid)) => Failure::finding(format!(
            "{} lacks the block {cid}, so it cannot be compared",
            release.shown
        ))
        .help("`ipwhl fill` completes a delta"),
        (ReleaseLocation::Archive { path, .. }, error) => archive_failure(path, error),
        (ReleaseLocation::Gateways(_), CarError::Io(_) | CarError::Missing(_)) => {
            Failure::world(format!("{}: {}", release.shown, error_chain(error)))
        }
        (ReleaseLocation::Gateways(_), _) => {
            Failure::finding(format!("{}: {}", release.shown, error_chain(error)))
        }
    }
}
