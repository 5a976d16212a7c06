//! Reads a published release from its blocks.

use std::collections::BTreeMap;

use ipwhl_unixfs::car::{Blocks, CarError, FileReader, Tree};
use ipwhl_unixfs::{Cid, Link, Sha256Digest};
use serde::Deserialize;

use crate::release::names::{
    DECLARATION, HTML, JSON, LOCK, METADATA, RELEASE_FILE, RELEASE_FOLDER, WHEEL,
};
use crate::set::declaration::LARGEST_DECLARATION;
use crate::source::LARGEST_PAGE;

/// A release with a given root. Its contents are verified against the root by hashes; whether the
/// root is trusted is decided elsewhere.
pub struct ReleaseReader<'b> {
    blocks: &'b (dyn Blocks + Send + Sync),
    root: Cid,
    /// The folders of the projects, by normalised name.
    projects: BTreeMap<String, Link>,
    about: Option<Link>,
    lock: Option<Link>,
    /// Whether it has pages; a release in the layout `ipwhl-1` has none.
    has_pages: bool,
}

/// A project's folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublishedProject {
    /// Its declaration, in canonical form; `None` in the layout `ipwhl-1`.
    pub declaration: Option<String>,
    /// Its lock file, if it has one of its own.
    pub lock: Option<Cid>,
    /// Its wheels, by their names in the release.
    pub wheels: BTreeMap<String, PublishedWheel>,
}

/// A wheel of a project's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedWheel {
    /// Its DAG.
    pub link: Link,
    /// Its METADATA, the file beside it.
    pub metadata: Option<Cid>,
    /// The entry for it on the page.
    pub entry: Option<PublishedEntry>,
}

/// The entry of a wheel on a project's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedEntry {
    /// The SHA-256 of the file.
    pub sha256: Sha256Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Its Requires-Python, as text.
    pub requires_python: Option<String>,
    /// The SHA-256 of its METADATA.
    pub metadata_sha256: Sha256Digest,
}

#[derive(Deserialize)]
struct Page {
    files: Vec<PageFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct PageFile {
    filename: String,
    hashes: PageHashes,
    size: u64,
    requires_python: Option<String>,
    core_metadata: PageHashes,
}

#[derive(Deserialize)]
struct PageHashes {
    sha256: String,
}

impl<'b> ReleaseReader<'b> {
    /// Reads the top folder.
    pub fn open(blocks: &'b (dyn Blocks + Send + Sync), root: &Cid) -> Result<Self, CarError> {
        let entries = blocks.list(root)?.ok_or_else(|| CarError::Tree {
            cid: *root,
            reason: "is a file, not a release's tree".to_owned(),
        })?;
        let mut all: BTreeMap<String, Link> = entries
            .into_iter()
            .map(|entry| (entry.name, entry.link))
            .collect();
        let about = all.remove(RELEASE_FOLDER);
        let pages = [HTML, JSON].map(|name| all.remove(name));
        let lock = all.remove(LOCK);
        Ok(Self {
            blocks,
            root: *root,
            projects: all,
            has_pages: about.is_some() || pages.iter().any(Option::is_some),
            about,
            lock,
        })
    }

    /// Its root.
    pub fn root(&self) -> Cid {
        self.root
    }

    /// The store of its blocks.
    pub(super) fn blocks(&self) -> &'b (dyn Blocks + Send + Sync) {
        self.blocks
    }

    /// Whether it has pages and declarations; a release in the layout `ipwhl-1` has only wheels.
    pub fn has_pages(&self) -> bool {
        self.has_pages
    }

    /// The folders of the projects, by normalised name.
    pub fn projects(&self) -> &BTreeMap<String, Link> {
        &self.projects
    }

    /// The bytes of `_ipwhl/release.json`; `None` in the layout `ipwhl-1`.
    pub fn about(&self) -> Result<Option<Vec<u8>>, CarError> {
        let Some(folder) = &self.about else {
            return Ok(None);
        };
        match self.blocks.entry(&folder.cid, RELEASE_FILE)? {
            Some(file) => self.read(&file).map(Some),
            None => Ok(None),
        }
    }

    /// The lock file of the whole set, if it has one.
    pub fn lock(&self) -> Option<Cid> {
        self.lock.map(|link| link.cid)
    }

    /// A small file of the release.
    pub fn read(&self, cid: &Cid) -> Result<Vec<u8>, CarError> {
        FileReader::read_whole(self.blocks, cid, LARGEST_PAGE)
    }

    /// A project's folder; `None` if it does not exist.
    pub fn project(&self, name: &str) -> Result<Option<PublishedProject>, CarError> {
        let Some(folder) = self.projects.get(name) else {
            return Ok(None);
        };
        let entries = self
            .blocks
            .list(&folder.cid)?
            .ok_or_else(|| CarError::Tree {
                cid: folder.cid,
                reason: format!(
                    "is a file where the folder of `{}` should be",
                    name.escape_debug()
                ),
            })?;
        let files: BTreeMap<String, Link> = entries
            .into_iter()
            .map(|entry| (entry.name, entry.link))
            .collect();
        let mut project = PublishedProject {
            lock: files.get(LOCK).map(|link| link.cid),
            ..PublishedProject::default()
        };
        let small = [DECLARATION, JSON].map(|name| files.get(name));
        let small = small.into_iter().flatten().map(|link| link.cid);
        self.blocks.prefetch(&small.collect::<Vec<_>>());
        if let Some(declaration) = files.get(DECLARATION) {
            let text = FileReader::read_whole(self.blocks, &declaration.cid, LARGEST_DECLARATION)?;
            let text = String::from_utf8(text);
            project.declaration = Some(text.map_err(|_| not_a_page(declaration.cid, "not text"))?);
        }
        let entries = match files.get(JSON) {
            Some(page) => page_entries(&page.cid, &self.read(&page.cid)?)?,
            None => BTreeMap::new(),
        };
        for (name, link) in &files {
            if name.ends_with(WHEEL) {
                let wheel = PublishedWheel {
                    link: *link,
                    metadata: files.get(&format!("{name}{METADATA}")).map(|link| link.cid),
                    entry: entries.get(name).cloned(),
                };
                project.wheels.insert(name.clone(), wheel);
            }
        }
        Ok(Some(project))
    }
}

pub(super) fn page_entries(
    cid: &Cid,
    page: &[u8],
) -> Result<BTreeMap<String, PublishedEntry>, CarError> {
    let page: Page =
        serde_json::from_slice(page).map_err(|error| not_a_page(*cid, &error.to_string()))?;
    let entry = |file: PageFile| {
        let digest = |text: &str| text.parse().map_err(|_| not_a_page(*cid, "not a SHA-256"));
        let entry = PublishedEntry {
            sha256: digest(&file.hashes.sha256)?,
            size: file.size,
            requires_python: file.requires_python,
            metadata_sha256: digest(&file.core_metadata.sha256)?,
        };
        Ok((file.filename, entry))
    };
    page.files.into_iter().map(entry).collect()
}

fn not_a_page(cid: Cid, reason: &str) -> CarError {
    CarError::Tree {
        cid,
        reason: format!("is not a page of a release: {reason}"),
    }
}
