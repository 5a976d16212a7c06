//! The files of a bundle.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use ipwhl_packaging::ProjectName;
use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::CarError;

use super::super::site::{ReleaseFile, release_files};
use super::description::BundleDescription;
use super::{DESCRIPTION, FIND_LINKS, SIMPLE};
use crate::release::archive::BlockStore;
use crate::release::names::{DECLARATION, HTML, LOCK, METADATA};
use crate::release::reader::ReleaseReader;
use crate::release::reuse::EmbeddedRepository;
use crate::set::declaration::{Declaration, DeclaredWheel};
use crate::set::graph::{Graph, GraphQuery, NamedProject, QueryError, member, select_platforms};
use crate::set::lock::{Closures, LockError, LockedProjects, Part, Places, Pylock, named};
use crate::set::repository::Repository;

/// The longest name of a file or a folder, in bytes: FAT, exFAT and the file systems of the usual
/// systems have this limit.
const LONGEST_NAME: usize = 255;
/// The beginning of a line of a page with a link.
const ANCHOR: &str = "<a href=\"";

/// The reason why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The release cannot be read.
    #[error(transparent)]
    Release(#[from] CarError),
    /// The release is of the layout `ipwhl-1`, without pages and declarations.
    #[error("the release has no declarations, so it does not say what a project needs")]
    Bare,
    /// A project or a platform is not in the release.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The declaration of this project cannot be read.
    #[error("the declaration of `{0}` in the release cannot be read")]
    Unreadable(ProjectName),
    /// The release does not offer this project on the platforms.
    #[error("the release does not have `{0}` on these platforms")]
    NotOffered(ProjectName),
    /// The lock cannot be written.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A file that the release must have is missing.
    #[error("the release has no file `{0}`")]
    Missing(String),
    /// Two files are one on disks that do not tell upper from lower case.
    #[error("`{0}` and `{1}` are one file on disks that ignore case, as USB sticks do")]
    SameName(String, String),
    /// A name is longer than disks allow.
    #[error("`{0}` has a name of more than {LONGEST_NAME} bytes, which no disk holds")]
    LongName(String),
}

/// A file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BundleFile {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A file of the release, unchanged.
    OfRelease(ReleaseFile),
}

/// The files of a bundle, without its statement and its hollow archive.
#[derive(Debug)]
pub struct BundlePlan {
    /// The root of the release.
    pub root: Cid,
    /// What was asked for, each name in its normal form.
    pub description: BundleDescription,
    /// The files by their paths in the bundle.
    pub files: BTreeMap<String, BundleFile>,
    /// The wheels by their paths in the bundle.
    pub wheels: BTreeMap<String, DeclaredWheel>,
    /// The number of projects.
    pub projects: usize,
    /// The declarations of the release, as far as they are for the platforms.
    pub repository: Repository,
}

impl BundlePlan {
    /// The files of a bundle of a release. The leaves of wheels are not read. `file:` sources of
    /// the declarations are in `directory`.
    ///
    /// # Errors
    /// When the release cannot be read, or does not have what is asked for.
    pub fn of(
        blocks: &BlockStore,
        root: Cid,
        asked: &BundleDescription,
        directory: &Path,
    ) -> Result<Self, BundleError> {
        let release = ReleaseReader::open(blocks, &root)?;
        let mut embedded = release.embedded_repository(directory, "declarations")?;
        let mut repository = embedded.repository.take().ok_or(BundleError::Bare)?;
        let asked_projects = asked_projects(&repository, &asked.projects)?;
        let platforms = restrict(&mut repository, &asked.platforms)?;
        let is_lost = |one: &&NamedProject| !repository.declarations.contains_key(&one.project);
        if let Some(lost) = asked_projects.iter().find(is_lost) {
            return Err(BundleError::NotOffered(lost.project.clone()));
        }
        let graph = Graph::new(&repository);
        let closures = Closures::of(&graph);
        let part = Part::of(&repository, &asked_projects);
        let description = BundleDescription {
            projects: named(&part.roots(&graph).unwrap_or_default()),
            platforms,
        };
        let declarations: Vec<&Declaration> = match &part {
            Part::Each => repository.declarations.values().collect(),
            part => {
                let locked = LockedProjects::of(&graph, &closures, part)?.projects;
                locked.iter().map(|one| one.declaration).collect()
            }
        };
        let mut files = Gathered::of(&release, blocks)?;
        for declaration in &declarations {
            files.add_project(declaration)?;
        }
        let lock = lock_text(&graph, &closures, part, &embedded)?;
        let name = &repository.configuration.name;
        files.finish(&declarations, lock, description.text(name, root))?;
        let Gathered { files, wheels, .. } = files;
        check_names(files.keys())?;
        Ok(Self {
            root,
            description,
            files,
            wheels,
            projects: declarations.len(),
            repository,
        })
    }
}

/// The text of the lock of a part of the release.
fn lock_text<'r>(
    graph: &Graph<'r>,
    closures: &Closures<'r>,
    part: Part<'r>,
    embedded: &EmbeddedRepository,
) -> Result<String, LockError> {
    let projects = embedded.projects.values();
    let wheels = projects.flat_map(|project| &project.wheels);
    let digests: BTreeMap<&str, _> = wheels
        .filter_map(|(name, wheel)| {
            let entry = wheel.entry.as_ref()?;
            Some((name.as_str(), (entry.size, entry.sha256)))
        })
        .collect();
    let lock = Pylock {
        graph,
        closures,
        part,
        places: Places::Relative("simple/"),
        digest: &|wheel: &DeclaredWheel| digests.get(wheel.file_name.as_str()).copied(),
    };
    lock.text()
}

/// The files of a bundle while they are gathered.
struct Gathered<'r> {
    release: &'r ReleaseReader<'r>,
    of_release: BTreeMap<String, ReleaseFile>,
    files: BTreeMap<String, BundleFile>,
    wheels: BTreeMap<String, DeclaredWheel>,
    /// The links of the page with all wheels.
    links: String,
}

impl<'r> Gathered<'r> {
    fn of(release: &'r ReleaseReader<'r>, blocks: &BlockStore) -> Result<Self, BundleError> {
        let of_release = release_files(blocks, &release.root())?;
        let by_path = of_release.into_iter().map(|file| (file.path.clone(), file));
        Ok(Self {
            release,
            of_release: by_path.collect(),
            files: BTreeMap::new(),
            wheels: BTreeMap::new(),
            links: String::new(),
        })
    }

    /// Adds the folder of a project.
    fn add_project(&mut self, declaration: &Declaration) -> Result<(), BundleError> {
        let project = declaration.project.as_str();
        let mut names = BTreeSet::new();
        for wheel in &declaration.wheels {
            let name = wheel.file_name.as_str();
            names.insert(name);
            let place = self.take(&format!("{project}/{name}"))?;
            self.wheels.insert(place, wheel.clone());
            self.take(&format!("{project}/{name}{METADATA}"))?;
        }
        self.take(&format!("{project}/{DECLARATION}"))?;
        let page = self.page(&format!("{project}/{HTML}"), &names)?;
        for link in page.lines().filter_map(|line| line.strip_prefix(ANCHOR)) {
            let _ = writeln!(self.links, "{ANCHOR}{SIMPLE}/{project}/{link}");
        }
        Ok(())
    }

    /// Adds the files that are about all projects.
    fn finish(
        &mut self,
        declarations: &[&Declaration],
        lock: String,
        description: String,
    ) -> Result<(), BundleError> {
        let projects = declarations.iter().map(|one| one.project.as_str());
        self.page(HTML, &projects.collect())?;
        let links = std::mem::take(&mut self.links);
        let links = format!(
            "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n</head>\n<body>\n{links}</body>\n</html>\n"
        );
        self.write(FIND_LINKS, links);
        self.write(LOCK, lock);
        self.write(DESCRIPTION, description);
        Ok(())
    }

    /// Adds a file of the release, and returns its path in the bundle.
    fn take(&mut self, path: &str) -> Result<String, BundleError> {
        let file = BundleFile::OfRelease(self.find(path)?.clone());
        let place = format!("{SIMPLE}/{path}");
        self.files.insert(place.clone(), file);
        Ok(place)
    }

    /// Adds a page of the release with the links to these names only, and returns its text.
    fn page(&mut self, path: &str, names: &BTreeSet<&str>) -> Result<String, BundleError> {
        let page = self.release.read(&self.find(path)?.cid)?;
        let page = only(&String::from_utf8_lossy(&page), names);
        self.write(&format!("{SIMPLE}/{path}"), page.clone());
        Ok(page)
    }

    fn find(&self, path: &str) -> Result<&ReleaseFile, BundleError> {
        let found = self.of_release.get(path);
        found.ok_or_else(|| BundleError::Missing(path.to_owned()))
    }

    fn write(&mut self, path: &str, text: String) {
        let file = BundleFile::Bytes(text.into_bytes());
        self.files.insert(path.to_owned(), file);
    }
}

/// A page with the links to these names only. Each link of a page of a release is a line.
fn only(page: &str, names: &BTreeSet<&str>) -> String {
    let is_kept = |line: &&str| {
        let Some(link) = line.strip_prefix(ANCHOR) else {
            return true;
        };
        let text = link.split_once('>').map(|(_, rest)| rest);
        let name = text.and_then(|text| text.split_once("</a>"));
        name.is_some_and(|(name, _)| names.contains(name))
    };
    let mut kept = String::new();
    for line in page.lines().filter(is_kept) {
        kept += line;
        kept.push('\n');
    }
    kept
}

/// Refuses names that a disk cannot hold, or holds once for two files.
fn check_names<'f>(paths: impl Iterator<Item = &'f String>) -> Result<(), BundleError> {
    let mut folded: BTreeMap<String, &str> = BTreeMap::new();
    for path in paths {
        if path.split('/').any(|name| name.len() > LONGEST_NAME) {
            return Err(BundleError::LongName(path.clone()));
        }
        if let Some(other) = folded.insert(path.to_lowercase(), path) {
            return Err(BundleError::SameName(other.to_owned(), path.clone()));
        }
    }
    Ok(())
}

/// Reads the names of projects.
fn asked_projects(
    repository: &Repository,
    texts: &[String],
) -> Result<Vec<NamedProject>, BundleError> {
    let query = GraphQuery::new(repository, &[])?;
    let mut named = Vec::new();
    for text in texts {
        let one = query.parse_project(text)?;
        let project = member(repository, one.project.as_str())?;
        if !repository.declarations.contains_key(&project) {
            return Err(BundleError::Unreadable(project));
        }
        named.push(one);
    }
    Ok(named)
}

/// Leaves out all platforms but these, and the wheels that no installer takes on them. Returns the
/// full names of these platforms; none if all are meant.
fn restrict(repository: &mut Repository, texts: &[String]) -> Result<Vec<String>, QueryError> {
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    let selected = select_platforms(repository, texts)?;
    let graph = Graph::new(repository);
    let names = graph.platform_names(&selected);
    let of_project = |(project, declaration): (&ProjectName, &Declaration)| {
        let numbers = 0..declaration.wheels.len();
        let is_used = numbers.map(|number| !graph.used_on(project, number).is_disjoint(&selected));
        (project.clone(), is_used.collect())
    };
    let used: BTreeMap<ProjectName, Vec<bool>> =
        repository.declarations.iter().map(of_project).collect();
    repository.declarations.retain(|project, declaration| {
        let mut is_used = used.get(project).into_iter().flatten();
        declaration
            .wheels
            .retain(|_| is_used.next().is_some_and(|is_used| *is_used));
        !declaration.wheels.is_empty()
    });
    let mut number = 0..;
    let platforms = &mut repository.configuration.platforms;
    platforms.retain(|_| {
        number
            .next()
            .is_some_and(|number| selected.contains(&number))
    });
    Ok(names)
}
