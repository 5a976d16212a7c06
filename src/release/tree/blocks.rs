//! The tree as a DAG.

use std::io::{self, Read};

use ipwhl_unixfs::{
    BlockSink, Cid, DirectoryDag, DirectoryEntry, FileDag, LeafHasher, Link, Profile,
};

use super::entries::{self, Content, NamedContent};
use super::input::ReleaseInput;
use super::locks::{LockBytes, TreeLocks};
use crate::release::names::RELEASE_FOLDER;
use crate::set::declaration::{Declaration, DeclaredWheel};

/// The reason why a set has no release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// The facts of a wheel of this project are unknown.
    #[error("a wheel of `{0}` has not been read yet")]
    UnknownFacts(String),
    /// A name is not allowed in a folder.
    #[error("{0}")]
    Name(String),
}

/// The entries at the top of the tree.
enum Top<'r> {
    File(NamedContent<'r>),
    Project(&'r Declaration),
    About,
}

/// A release: its root, and the emission of its blocks.
pub struct Release<'r> {
    input: ReleaseInput<'r>,
    locks: TreeLocks,
    root: DirectoryDag,
    top: Vec<Top<'r>>,
}

impl<'r> Release<'r> {
    /// Computes the DAG of the tree without its bytes.
    ///
    /// # Errors
    /// When the facts of a wheel are missing, or a name is not allowed in a folder.
    pub fn new(input: ReleaseInput<'r>) -> Result<Self, ReleaseError> {
        let locks = TreeLocks::of(input.repository, &|wheel| {
            let facts = (input.facts)(wheel)?;
            Some((facts.dag.size(), facts.sha256))
        });
        let files = entries::top(&input, &locks);
        let mut top: Vec<Top<'r>> = files.into_iter().map(Top::File).collect();
        if !entries::about(&input).is_empty() {
            top.push(Top::About);
        }
        top.extend(input.repository.declarations.values().map(Top::Project));
        let mut entries = Vec::with_capacity(top.len());
        for one in &top {
            entries.push(match one {
                Top::File(file) => DirectoryEntry {
                    name: file.name.clone(),
                    link: link(input.profile, &file.content),
                },
                Top::Project(declaration) => DirectoryEntry {
                    name: declaration.project.to_string(),
                    link: folder(input.profile, &project(&input, &locks, declaration)?)?.link(),
                },
                Top::About => DirectoryEntry {
                    name: RELEASE_FOLDER.to_owned(),
                    link: folder(input.profile, &entries::about(&input))?.link(),
                },
            });
        }
        let root = build(input.profile, entries)?;
        Ok(Self {
            input,
            locks,
            root,
            top,
        })
    }

    /// Its lock files.
    pub fn locks(&self) -> &TreeLocks {
        &self.locks
    }

    /// The size of its lock files. `is_known` says which blocks the previous release has.
    ///
    /// # Errors
    /// When a block cannot be made.
    pub fn lock_bytes(&self, is_known: Option<&dyn Fn(&Cid) -> bool>) -> io::Result<LockBytes> {
        let mut sizes = LockBytes::default();
        let mut new = is_known.map(|is_known| NewBytes { is_known, bytes: 0 });
        for (_, text) in self.locks.files() {
            sizes.files += 1;
            sizes.bytes += text.len() as u64;
            if let Some(new) = &mut new {
                emit_page(self.input.profile, text, new)?;
            }
        }
        sizes.changed = new.map(|new| new.bytes);
        Ok(sizes)
    }

    /// The root.
    pub fn link(&self) -> Link {
        self.root.link()
    }

    /// Emits every block, depth first. `open` opens a wheel that the sink does not have yet; its
    /// bytes are hashed while they are read, and refused if they are not the declared ones.
    ///
    /// # Errors
    /// When the sink or a wheel fails.
    pub fn emit(
        &self,
        sink: &mut dyn BlockSink,
        open: &mut dyn FnMut(&DeclaredWheel) -> io::Result<Box<dyn Read>>,
    ) -> io::Result<()> {
        self.emit_files(sink, &mut |sink, content| match content {
            Content::Bytes(bytes) => emit_page(self.input.profile, bytes, sink),
            // A wheel that the sink has or does not need is not opened.
            Content::Wheel(_, facts) if sink.contains(&facts.dag.cid()) => Ok(()),
            Content::Wheel(wheel, facts) => facts.dag.emit(sink, &mut open(wheel)?),
        })
    }

    /// Emits every block except the leaves of wheels, depth first.
    ///
    /// # Errors
    /// When the sink fails.
    pub fn emit_hollow(&self, sink: &mut dyn BlockSink) -> io::Result<()> {
        self.emit_files(sink, &mut |sink, content| match content {
            Content::Bytes(bytes) => emit_page(self.input.profile, bytes, sink),
            Content::Wheel(_, facts) => facts.dag.emit_hollow(sink),
        })
    }

    /// Emits the folders, and calls `emit` for each file.
    fn emit_files(
        &self,
        sink: &mut dyn BlockSink,
        emit: &mut dyn FnMut(&mut dyn BlockSink, &Content<'r>) -> io::Result<()>,
    ) -> io::Result<()> {
        self.root
            .emit(sink, &mut |sink, index| match &self.top[index] {
                Top::File(file) => emit(sink, &file.content),
                Top::Project(declaration) => {
                    let files = project(&self.input, &self.locks, declaration);
                    let files = files.map_err(io::Error::other)?;
                    self.emit_folder(&files, sink, emit)
                }
                Top::About => self.emit_folder(&entries::about(&self.input), sink, emit),
            })
    }

    fn emit_folder(
        &self,
        files: &[NamedContent<'r>],
        sink: &mut dyn BlockSink,
        emit: &mut dyn FnMut(&mut dyn BlockSink, &Content<'r>) -> io::Result<()>,
    ) -> io::Result<()> {
        let directory = folder(self.input.profile, files).map_err(io::Error::other)?;
        directory.emit(sink, &mut |sink, index| emit(sink, &files[index].content))
    }

    /// Visits every file of the tree: its folder at the top (empty for the top itself) and the
    /// file.
    ///
    /// # Errors
    /// When `visit` fails.
    pub fn each_file(
        &self,
        visit: &mut dyn FnMut(&str, &NamedContent<'r>) -> io::Result<()>,
    ) -> io::Result<()> {
        for one in &self.top {
            match one {
                Top::File(file) => visit("", file)?,
                Top::Project(declaration) => {
                    let files = project(&self.input, &self.locks, declaration);
                    for file in files.map_err(io::Error::other)? {
                        visit(declaration.project.as_str(), &file)?;
                    }
                }
                Top::About => {
                    for file in entries::about(&self.input) {
                        visit(RELEASE_FOLDER, &file)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Counts the bytes of unknown blocks.
struct NewBytes<'k> {
    is_known: &'k dyn Fn(&Cid) -> bool,
    bytes: u64,
}

impl BlockSink for NewBytes<'_> {
    fn put(&mut self, cid: &Cid, bytes: &[u8]) -> io::Result<()> {
        if !(self.is_known)(cid) {
            self.bytes += bytes.len() as u64;
        }
        Ok(())
    }
}

fn project<'r>(
    input: &ReleaseInput<'r>,
    locks: &TreeLocks,
    declaration: &'r Declaration,
) -> Result<Vec<NamedContent<'r>>, ReleaseError> {
    entries::project(input, locks, declaration)
        .ok_or_else(|| ReleaseError::UnknownFacts(declaration.project.to_string()))
}

fn folder(profile: Profile, files: &[NamedContent<'_>]) -> Result<DirectoryDag, ReleaseError> {
    let entries = files
        .iter()
        .map(|file| DirectoryEntry {
            name: file.name.clone(),
            link: link(profile, &file.content),
        })
        .collect();
    build(profile, entries)
}

fn build(profile: Profile, entries: Vec<DirectoryEntry>) -> Result<DirectoryDag, ReleaseError> {
    DirectoryDag::build(profile, entries).map_err(|error| ReleaseError::Name(error.to_string()))
}

fn page(profile: Profile, bytes: &[u8]) -> FileDag {
    let mut hasher = LeafHasher::new(profile);
    hasher.update(bytes);
    hasher.finish()
}

/// The link to a file in its folder. The link to a wheel has its declared CID, which equals that of
/// its DAG.
fn link(profile: Profile, content: &Content<'_>) -> Link {
    match content {
        Content::Bytes(bytes) => page(profile, bytes).link(),
        Content::Wheel(_, facts) => facts.dag.link(),
    }
}

fn emit_page(profile: Profile, bytes: &[u8], sink: &mut dyn BlockSink) -> io::Result<()> {
    page(profile, bytes).emit(sink, &mut &*bytes)
}
