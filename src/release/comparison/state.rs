//! Reads a state by its name: a release, a revision or a folder.

use std::path::{Path, PathBuf};

use ipwhl_unixfs::car::CarError;
use serde::Serialize;
use url::Url;

use crate::foundation::diagnostic::visible;
use crate::foundation::failure::{Failure, error_chain};
use crate::release::archive::{OpenRelease, ReleaseLocation, ReleaseName, archive_failure};
use crate::release::reader::ReleaseReader;
use crate::set::difference::Snapshot;
use crate::set::gather::{Network, known_facts};
use crate::set::repository::{
    CONFIGURATION_FILE, Configuration, LoadError, Repository, Revision, tracked,
};
use crate::source::Session;

/// The number of digits of a commit to show.
const SHOWN_DIGITS: usize = 12;

/// A state that was read.
pub struct State {
    /// Its description.
    pub description: StateDescription,
    /// Its declarations; `None` for a release of the layout `ipwhl-1`.
    pub repository: Option<Repository>,
    /// Its release.
    pub release: Option<OpenRelease>,
    /// The gateway in the name of a release.
    pub gateway: Option<Url>,
    /// Its projects and wheels.
    pub snapshot: Snapshot,
}

/// The description of a state.
#[derive(Debug, Clone, Serialize)]
pub struct StateDescription {
    /// The kind of state.
    pub kind: StateKind,
    /// Its name in messages.
    pub name: String,
    /// The root of a release.
    pub root: Option<String>,
    /// The commit of a revision.
    pub commit: Option<String>,
}

/// The kinds of states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateKind {
    /// A published set.
    Release,
    /// A commit of a repository.
    Revision,
    /// The files of a repository as they are now.
    WorkingTree,
}

/// Reads states. The repository, if there is one, provides revisions and settings.
pub struct StateReader<'s> {
    /// The cache, the clock, the network.
    pub session: &'s Session,
    /// The network for releases behind gateways.
    pub network: Network,
    /// The folder of the repository with the revisions that a name can select.
    pub directory: Option<PathBuf>,
    /// The settings of that repository.
    pub configuration: Configuration,
}

/// The parsed name of a state, before the state is read.
#[derive(Debug)]
pub struct StateName {
    meaning: Meaning,
    /// The name, if it has no prefix and so may also select a revision.
    undecided: Option<String>,
}

#[derive(Debug)]
enum Meaning {
    Release(ReleaseName),
    /// The folder of a repository.
    Folder(PathBuf),
    Revision(String),
}

impl StateName {
    /// The path of the named archive as git prints it, if git tracks it. A change may have added or
    /// replaced a tracked archive.
    pub fn tracked_archive(&self, session: &Session) -> Option<String> {
        match &self.meaning {
            Meaning::Release(ReleaseName::Archive(path)) => {
                tracked(session.environment(), path).ok().flatten()
            }
            _ => None,
        }
    }
}

impl<'s> StateReader<'s> {
    /// A reader for the repository in this folder.
    pub fn new(session: &'s Session, network: Network, directory: Option<PathBuf>) -> Self {
        let configuration = directory
            .as_deref()
            .and_then(|directory| Repository::load_configuration(directory).ok())
            .map(|repository| repository.configuration)
            .unwrap_or_default();
        Self {
            session,
            network,
            directory,
            configuration,
        }
    }

    /// Parses a name: a path, a root CID or a revision, in this order. The prefixes `path:`, `cid:`
    /// and `git:` select one of them.
    ///
    /// # Errors
    /// When the name is none of them.
    pub fn name(&self, text: &str) -> Result<StateName, Failure> {
        let decided = |meaning| StateName {
            meaning,
            undecided: None,
        };
        if let Some(revision) = text.strip_prefix("git:") {
            return Ok(decided(Meaning::Revision(revision.to_owned())));
        }
        if let Some(path) = text.strip_prefix("path:") {
            let found = self.meaning_of_path(path)?.map(decided);
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
            return Ok(decided(Meaning::Release(ReleaseName::Root(root))));
        }
        if text.contains("://") {
            let name = ReleaseName::parse(self.session.environment(), text)?;
            let name =
                name.ok_or_else(|| Failure::usage("this is not the address of a release"))?;
            return Ok(decided(Meaning::Release(name)));
        }
        let meaning = match self.meaning_of_path(text)? {
            Some(meaning) => meaning,
            None => match text.parse() {
                Ok(root) => return Ok(decided(Meaning::Release(ReleaseName::Root(root)))),
                Err(_) => Meaning::Revision(text.to_owned()),
            },
        };
        Ok(StateName {
            meaning,
            undecided: Some(text.to_owned()),
        })
    }

    fn meaning_of_path(&self, text: &str) -> Result<Option<Meaning>, Failure> {
        let environment = self.session.environment();
        let path = environment.absolute(Path::new(text));
        if path.is_file() {
            return Ok(Some(Meaning::Release(ReleaseName::Archive(path))));
        }
        if !path.is_dir() {
            return Ok(None);
        }
        if let Some(name) = ReleaseName::parse(environment, text)? {
            return Ok(Some(Meaning::Release(name)));
        }
        let is_repository = path.join(CONFIGURATION_FILE).is_file();
        Ok(is_repository.then_some(Meaning::Folder(path)))
    }

    /// Reads the state with this name.
    ///
    /// # Errors
    /// When the state cannot be read, or the name is both a path and a revision.
    pub fn read(&self, name: StateName) -> Result<State, Failure> {
        let environment = self.session.environment();
        let state = match name.meaning {
            Meaning::Revision(revision) => {
                let state = self.revision(&revision);
                let Some(text) = name.undecided else {
                    return state;
                };
                return state.map_err(|failure| {
                    let there = if environment.absolute(Path::new(&text)).exists() {
                        "an archive, a folder with one, a repository"
                    } else {
                        "an existing path"
                    };
                    Failure {
                        kind: failure.kind,
                        message: format!(
                            "`{text}` must be {there}, a root CID or a revision, but there is {}",
                            failure.message
                        ),
                        help: failure.help,
                    }
                });
            }
            Meaning::Release(release) => self.release(release)?,
            Meaning::Folder(path) => {
                let repository = Repository::load(&path).map_err(|error| Failure::world(&error))?;
                let name = format!("the working tree of {}", environment.shown(&path));
                self.repository(repository, name, None)
            }
        };
        if let Some(text) = name.undecided
            && let Some(directory) = &self.directory
            && Revision::at(environment, directory, &text).is_ok()
        {
            // A change could add a folder with the name of the revision to compare with.
            let shown = visible(&text, &[]);
            return Err(Failure::usage(format!(
                "`{shown}` is both a path here and a revision of git"
            ))
            .help(format!("write `git:{shown}` or `path:{shown}`")));
        }
        Ok(state)
    }

    /// The files of the repository as they are now.
    pub fn working_tree(&self, repository: Repository) -> State {
        self.repository(repository, "the working tree".to_owned(), None)
    }

    /// The state of a repository. Facts that declarations do not contain come from the cache.
    fn repository(&self, repository: Repository, name: String, commit: Option<String>) -> State {
        let cache = self.session.cache().ok();
        let snapshot = Snapshot::of(&repository, &|wheel| {
            if wheel.size.is_some() && wheel.sha256.is_some() {
                return None;
            }
            let facts = known_facts(cache.as_ref()?, &wheel.content_id.value)?;
            Some((facts.sha256, facts.dag.size()))
        });
        State {
            description: StateDescription {
                kind: if commit.is_some() {
                    StateKind::Revision
                } else {
                    StateKind::WorkingTree
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

    fn revision(&self, name: &str) -> Result<State, Failure> {
        let Some(directory) = &self.directory else {
            return Err(Failure::usage(format!(
                "no revision `{name}`, because there is no repository here"
            ))
            .help("change into a repository, or name one with `--repository`"));
        };
        let revision =
            Revision::at(self.session.environment(), directory, name).map_err(|error| {
                let failure = Failure::usage(format!("no revision `{name}`: {error}"));
                match error.help() {
                    Some(help) => failure.help(help),
                    None => failure,
                }
            })?;
        let commit = revision.commit().to_owned();
        let repository =
            Repository::load_revision(directory, &revision).map_err(|error| match error {
                LoadError::NoConfiguration(_) | LoadError::Original(_) => Failure::usage(format!(
                    "the revision `{name}` has no `{CONFIGURATION_FILE}` here, so it is not a \
                     state of this repository"
                )),
                error => Failure::world(&error),
            })?;
        let short: String = commit.chars().take(SHOWN_DIGITS).collect();
        let shown = if commit.starts_with(name) {
            short
        } else {
            format!("{name} ({short})")
        };
        Ok(self.repository(repository, shown, Some(commit)))
    }

    fn release(&self, name: ReleaseName) -> Result<State, Failure> {
        let gateway = match &name {
            ReleaseName::At(gateway, _) => Some(gateway.clone()),
            ReleaseName::Archive(_) | ReleaseName::Root(_) => None,
        };
        let gateways = &self.configuration.gateways;
        let release = OpenRelease::open(self.session, &self.network, gateways, name)?;
        let directory = self
            .directory
            .clone()
            .unwrap_or_else(|| self.session.environment().current_directory.clone());
        let carried = ReleaseReader::open(release.blocks(), &release.root)
            .and_then(|published| {
                published.embedded_repository(&directory, &self.configuration.declarations)
            })
            .map_err(|error| comparison_failure(&release, &error))?;
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
        Ok(State {
            description: StateDescription {
                kind: StateKind::Release,
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
}

/// The failure of comparing a damaged release.
pub(super) fn comparison_failure(release: &OpenRelease, error: &CarError) -> Failure {
    match (&release.location, error) {
        (ReleaseLocation::Archive { .. }, CarError::Missing(cid)) => Failure::finding(format!(
            "{} lacks the block {cid}, so it cannot be compared",
            release.shown
        ))
        .help("if it is a delta, `ipwhl fill` makes it full"),
        (ReleaseLocation::Archive { path, .. }, error) => archive_failure(path, error),
        (ReleaseLocation::Gateways(_), CarError::Io(_) | CarError::Missing(_)) => {
            Failure::world(format!("{}: {}", release.shown, error_chain(error)))
        }
        (ReleaseLocation::Gateways(_), _) => {
            Failure::finding(format!("{}: {}", release.shown, error_chain(error)))
        }
    }
}
