//! What stands beside a statement: the hollow archive of its release, and the list of all files
//! that belong to it.

use std::fs;
use std::io;
use std::path::Path;

use ipwhl_unixfs::car::FileReader;
use ipwhl_unixfs::{Cid, Codec, Sha256Digest};

use super::layout::{Directory, Store};
use super::{delta, files};
use crate::foundation::environment::{AtomicFile, read_small};
use crate::foundation::failure::Failure;
use crate::foundation::failure::unusable;
use crate::publish::site::{FileList, LARGEST_FILE_LIST, ListedFile, ReleaseFile};
use crate::release::archive::ArchiveKind;
use crate::release::archive::car_name;
use crate::release::names::FILE_LIST;
use crate::release::names::STATEMENT;
use crate::release::statement::SignedStatement;
use crate::release::statement::folder::{self as statements, statement_path};

/// A release that is recorded beside its statement.
pub(super) struct Record<'r> {
    pub(super) directory: &'r Directory,
    pub(super) blocks: &'r Store,
    pub(super) files: &'r [ReleaseFile],
    /// The statement, with every signature that the folder is to have.
    pub(super) signed: &'r SignedStatement,
}

impl Record<'_> {
    fn sequence(&self) -> u64 {
        self.signed.statement.sequence
    }

    fn root(&self) -> Cid {
        self.signed.statement.root
    }

    /// Whether the hollow archive and the list are there. Of wheels of several blocks the listed
    /// hash is believed.
    pub(super) fn is_there(&self) -> Result<bool, Failure> {
        let path = &self.directory.path;
        if delta::hollow(path, self.sequence(), self.root()).is_none() {
            return Ok(false);
        }
        let folder = self.directory.statement(self.sequence());
        let Some(there) = list(&folder) else {
            return Ok(false);
        };
        Ok(self.list(&folder, Some(&there))? == there)
    }

    /// Puts the hollow archive and the list into the statement's folder, which may not have its
    /// name yet; whether one of them was not there.
    pub(super) fn complete(&self, folder: &Path) -> Result<bool, Failure> {
        let is_new = self.write_hollow(folder)?;
        let there = list(folder);
        let list = self.list(folder, there.as_ref())?;
        if there.as_ref() == Some(&list) {
            return Ok(is_new);
        }
        write_list(folder, &list)?;
        Ok(true)
    }

    fn write_hollow(&self, folder: &Path) -> Result<bool, Failure> {
        let name = car_name(ArchiveKind::Hollow);
        let path = folder.join(name);
        let site = &self.directory.path;
        let is_placed = folder == self.directory.statement(self.sequence());
        if is_placed && delta::hollow(site, self.sequence(), self.root()).is_some() {
            return Ok(false);
        }
        // A renewed statement is of the same release.
        let others = self.directory.all_statements(&self.signed.statement.name)?;
        let mut others = others
            .iter()
            .map(|other| &other.statement)
            .filter(|other| other.root == self.root() && other.sequence != self.sequence());
        if self.directory.links
            && let Some(other) =
                others.find(|other| delta::hollow(site, other.sequence, other.root).is_some())
            && remove(&path).is_ok()
            && fs::hard_link(self.directory.statement(other.sequence).join(name), &path).is_ok()
        {
            return Ok(true);
        }
        files::write_hollow(self.blocks, self.root(), &path)?;
        Ok(true)
    }

    /// The list of all files. A hash that is `known` of a wheel is taken over.
    pub(super) fn list(
        &self,
        folder: &Path,
        known: Option<&FileList>,
    ) -> Result<FileList, Failure> {
        let mut list = FileList::default();
        let root = self.root();
        for file in self.files {
            let path = format!("{root}/{}", file.path);
            let there = known.and_then(|known| known.files.get(&path));
            let sha256 = match there.filter(|there| there.size == file.size) {
                _ if file.cid.codec() == Codec::Raw => file.cid.digest(),
                Some(there) if file.is_wheel() => there.sha256,
                _ => self.sha256(file)?,
            };
            let size = file.size;
            list.files.insert(path, ListedFile { sha256, size });
        }
        // Who follows the chain of statements needs those before it.
        let sequence = self.sequence();
        let statements = self.directory.all_statements(&self.signed.statement.name)?;
        let before = statements
            .iter()
            .filter(|other| other.statement.sequence < sequence);
        for signed in before.chain([self.signed]) {
            for (name, text) in signed.files(STATEMENT) {
                let path = statement_path(signed.statement.sequence, &name);
                list.files.insert(path, ListedFile::of(text.as_bytes()));
            }
        }
        let hollow = folder.join(car_name(ArchiveKind::Hollow));
        let listed = fs::File::open(&hollow)
            .and_then(|mut file| ListedFile::read(&mut file))
            .map_err(|error| unusable(&hollow, &error))?;
        let path = statement_path(sequence, car_name(ArchiveKind::Hollow));
        list.files.insert(path, listed);
        Ok(list)
    }

    fn sha256(&self, file: &ReleaseFile) -> Result<Sha256Digest, Failure> {
        let hash = || -> io::Result<Sha256Digest> {
            Ok(ListedFile::read(&mut FileReader::open(self.blocks, &file.cid)?)?.sha256)
        };
        hash().map_err(|error| unusable(Path::new(&file.path), &error))
    }
}

/// Writes the list into a statement's folder.
pub(super) fn write_list(folder: &Path, list: &FileList) -> Result<(), Failure> {
    let path = folder.join(FILE_LIST);
    AtomicFile::write_whole(&path, list.to_text().as_bytes())
        .map_err(|error| unusable(&path, &error))
}

/// The list in a statement's folder, where it is one.
pub(super) fn list(folder: &Path) -> Option<FileList> {
    let text = read_small(&folder.join(FILE_LIST), LARGEST_FILE_LIST).ok()?;
    FileList::parse(&text).ok()
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl Directory {
    /// The release's record, with the signatures that the folder has besides.
    pub(super) fn united(&self, signed: &SignedStatement) -> Result<SignedStatement, Failure> {
        statements::united(&self.statement(signed.statement.sequence), signed)
    }
}
