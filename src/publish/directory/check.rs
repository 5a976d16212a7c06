//! Compares every file of every release in the folder with its hollow archive, and repairs it if
//! requested.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use ipwhl_unixfs::{Cid, Sha256Digest};

use super::folder::Folder;
use super::layout::{Directory, Store, is_folder};
use super::record::Record;
use super::{delta, files, record};
use crate::foundation::environment::open_beneath;
use crate::foundation::failure::Failure;
use crate::foundation::failure::unusable;
use crate::publish::amount::Amount;
use crate::publish::published_release::PublishedRelease;
use crate::publish::site::{AssembledBlocks, FileCheck, ListedFile, ReleaseFile, release_files};
use crate::publish::target::{CheckOrder, Checked, Damage, DamageKind, Report, Step};
use crate::release::archive::ArchiveKind;
use crate::release::archive::car_name;
use crate::release::names::FILE_LIST;
use crate::release::names::STATEMENT;
use crate::release::statement::SignedStatement;
use crate::release::statement::folder::{self as statements, statement_path};
use crate::source::Receiver as _;

/// The size of the read buffer, in bytes.
const BUFFER: usize = 256 << 10;

/// A file on the disk, independent of its names, and its expected CID.
type Identity = (u64, u64, Cid);

/// A check of the folder.
struct FolderCheck<'c> {
    directory: &'c Directory,
    order: &'c CheckOrder<'c>,
    report: Report<'c>,
    /// Every block that a repair may use; present if a repair was requested.
    blocks: Option<Arc<Store>>,
    /// The results of files that were read under another name.
    seen: HashMap<Identity, Result<Sha256Digest, DamageKind>>,
    checked: Checked,
}

impl Directory {
    /// Reads every file of the releases in the folder.
    pub(super) async fn check_all(
        &self,
        order: &CheckOrder<'_>,
        report: Report<'_>,
    ) -> Result<Checked, Failure> {
        let _lock = if order.is_repair {
            Some(Folder::open(&self.path, order.repository)?)
        } else {
            None
        };
        let statements = self.all_statements(order.repository)?;
        let mut check = FolderCheck {
            directory: self,
            order,
            report,
            blocks: None,
            seen: HashMap::new(),
            checked: Checked {
                read: Amount::of_files(),
                ..Checked::default()
            },
        };
        if order.is_repair {
            check.blocks = Some(self.repair_blocks(&statements, order)?);
        }
        let sequence_and_root =
            |signed: &SignedStatement| (signed.statement.sequence, signed.statement.root);
        // Of several statements with one root, the newest has the record.
        let mut recorded = BTreeSet::new();
        for (sequence, root) in statements.iter().map(sequence_and_root) {
            if self.has_record(sequence) {
                recorded.insert(root);
            }
        }
        for (place, signed) in statements.iter().enumerate() {
            let (sequence, root) = sequence_and_root(signed);
            let is_lacking = place == 0 || !recorded.contains(&root);
            // `keep` removes a record before its tree.
            if self.has_record(sequence) || is_lacking && is_folder(&self.tree(root))? {
                check.release(signed).await?;
            }
            recorded.insert(root);
        }
        if let Some(newest) = statements.first() {
            check.top(newest)?;
        }
        Ok(check.checked)
    }

    /// The blocks that a repair may use: those of the order, and the files of all trees here.
    fn repair_blocks(
        &self,
        statements: &[SignedStatement],
        order: &CheckOrder<'_>,
    ) -> Result<Arc<Store>, Failure> {
        let mut blocks = AssembledBlocks::default();
        let mut seen = BTreeSet::new();
        for signed in statements {
            let statement = &signed.statement;
            if seen.insert(statement.root)
                && let Some(hollow) = delta::hollow(&self.path, statement.sequence, statement.root)
            {
                self.add_wheels(&mut blocks, &hollow)?;
                blocks.add_archive(hollow);
            }
        }
        blocks.add_archive(order.blocks.clone());
        Ok(Arc::new(blocks))
    }
}

impl FolderCheck<'_> {
    async fn release(&mut self, signed: &SignedStatement) -> Result<(), Failure> {
        let statement = &signed.statement;
        let release = PublishedRelease {
            root: statement.root,
            sequence: Some(statement.sequence),
        };
        (self.report)(Step::Waiting(format!("reading {release}")));
        self.checked.releases.push(release);
        let Some(nodes) = self.nodes(&release).await? else {
            return Ok(());
        };
        let files = release_files(&*nodes, &release.root).map_err(Failure::world)?;
        let mut whole = BTreeMap::new();
        for file in &files {
            if let Some(sha256) = self.file(&nodes, file, &release).await? {
                let listed = ListedFile {
                    sha256,
                    size: file.size,
                };
                whole.insert(format!("{}/{}", release.root, file.path), listed);
            }
        }
        self.list(&nodes, &files, whole, signed, &release)
    }

    /// The nodes of a release: its hollow archive, or, if that is damaged, the blocks for a repair.
    async fn nodes(&mut self, release: &PublishedRelease) -> Result<Option<Arc<Store>>, Failure> {
        let sequence = release.sequence.unwrap_or_default();
        let directory = self.directory;
        if let Some(hollow) = delta::hollow(&directory.path, sequence, release.root) {
            return Ok(Some(hollow));
        }
        let path = statement_path(sequence, car_name(ArchiveKind::Hollow));
        let kind = kind_of(&directory.path.join(&path));
        let mut repaired = None;
        if let Some(blocks) = &self.blocks {
            let (blocks, root) = (Arc::clone(blocks), release.root);
            let place = directory.path.join(&path);
            // Blocks may come over a network, so another thread waits for them.
            let written =
                tokio::task::spawn_blocking(move || files::write_hollow(&*blocks, root, &place))
                    .await;
            if written.is_ok_and(|written| written.is_ok()) {
                repaired = delta::hollow(&directory.path, sequence, release.root);
            }
        }
        self.damaged(path, release, kind, repaired.is_some());
        if repaired.is_none() {
            self.checked.notes.push(format!(
                "the files of {release} were not read, because their digests are unknown without \
                 its hollow archive; publish the full archive again"
            ));
        }
        Ok(repaired.map(|hollow| hollow as Arc<Store>))
    }

    /// Reads one file; returns its SHA-256 if it is intact or was repaired.
    async fn file(
        &mut self,
        nodes: &Arc<Store>,
        file: &ReleaseFile,
        release: &PublishedRelease,
    ) -> Result<Option<Sha256Digest>, Failure> {
        let path = format!("{}/{}", release.root, file.path);
        let state = self.read(nodes, file, &path).await?;
        let kind = match state {
            Ok(sha256) => return Ok(Some(sha256)),
            Err(kind) => kind,
        };
        let mut repaired = None;
        if let Some(blocks) = &self.blocks {
            let (blocks, copy) = (Arc::clone(blocks), file.clone());
            let tree = self.directory.tree(release.root);
            let write = move || files::replace(&copy, &*blocks, &tree);
            let written = tokio::task::spawn_blocking(write).await;
            match written.map_err(Failure::world)? {
                Ok(()) => repaired = self.read(nodes, file, &path).await?.ok(),
                // No available source has its bytes.
                Err(error) if error.is_refusal() => {}
                Err(error) => return Err(error),
            }
        }
        self.damaged(path, release, kind, repaired.is_some());
        Ok(repaired)
    }

    /// Reads a file within the rate of the order; returns its SHA-256, or its damage.
    async fn read(
        &mut self,
        nodes: &Arc<Store>,
        file: &ReleaseFile,
        path: &str,
    ) -> Result<Result<Sha256Digest, DamageKind>, Failure> {
        let place = self.directory.path.join(path);
        let mut opened = match open_beneath(&self.directory.path, path) {
            Ok(opened) => opened,
            Err(error) if files::is_absence(&error) => return Ok(Err(DamageKind::Missing)),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Ok(Err(DamageKind::Altered));
            }
            Err(error) => return Err(unusable(&place, &error)),
        };
        let identity = identity(&opened, file.cid);
        if let Some(state) = identity.and_then(|identity| self.seen.get(&identity)) {
            return Ok(*state);
        }
        let mut check = FileCheck::new(&**nodes, file).map_err(Failure::world)?;
        let mut buffer = vec![0; BUFFER];
        loop {
            let count = opened
                .read(&mut buffer)
                .map_err(|error| unusable(&place, &error))?;
            self.order.rate.spend(count).await;
            (self.report)(Step::Bytes(count as u64));
            let is_wanted = check
                .take(&buffer[..count])
                .map_err(|error| unusable(&place, &error))?;
            if count == 0 || !is_wanted {
                break;
            }
        }
        self.checked.read.add_file(file.size);
        let state = check.finish().ok_or(DamageKind::Altered);
        if let Some(identity) = identity {
            self.seen.insert(identity, state);
        }
        Ok(state)
    }

    /// Compares the list of all files beside the statement with the hashes that were read.
    fn list(
        &mut self,
        nodes: &Arc<Store>,
        files: &[ReleaseFile],
        whole: BTreeMap<String, ListedFile>,
        signed: &SignedStatement,
        release: &PublishedRelease,
    ) -> Result<(), Failure> {
        let directory = self.directory;
        let sequence = signed.statement.sequence;
        let folder = directory.statement(sequence);
        let there = record::list(&folder);
        // A damaged file is reported elsewhere: its entry in the list is not compared.
        let mut known = there.clone().unwrap_or_default();
        known.files.extend(whole);
        let signed = &directory.united(signed)?;
        let record = Record {
            directory,
            blocks: &**nodes,
            files,
            signed,
        };
        let expected = match record.list(&folder, Some(&known)) {
            Ok(expected) => Some(expected),
            // Without a list the hash of a damaged wheel is unknown.
            Err(_) if there.is_none() => None,
            Err(error) => return Err(error),
        };
        if expected.is_some() && there == expected {
            return Ok(());
        }
        let path = folder.join(FILE_LIST);
        let kind = kind_of(&path);
        let mut is_repaired = false;
        if let Some(expected) = expected.filter(|_| self.order.is_repair) {
            record::write_list(&folder, &expected)?;
            is_repaired = true;
        }
        let what = statement_path(sequence, FILE_LIST);
        self.damaged(what, release, kind, is_repaired);
        Ok(())
    }

    /// The copy of the newest statement at the top.
    fn top(&mut self, newest: &SignedStatement) -> Result<(), Failure> {
        let folder = &self.directory.path;
        let signed = self.directory.united(newest)?;
        if statements::is_top(folder, &signed)? {
            return Ok(());
        }
        let kind = kind_of(&folder.join(STATEMENT));
        if self.order.is_repair {
            statements::write_top(folder, &signed)?;
        }
        let release = PublishedRelease {
            root: newest.statement.root,
            sequence: Some(newest.statement.sequence),
        };
        self.damaged(STATEMENT.to_owned(), &release, kind, self.order.is_repair);
        Ok(())
    }

    fn damaged(
        &mut self,
        what: String,
        release: &PublishedRelease,
        kind: DamageKind,
        is_repaired: bool,
    ) {
        self.checked.damages.push(Damage {
            what,
            release: *release,
            kind,
            is_repaired,
        });
    }
}

/// The kind of damage of a file.
fn kind_of(path: &Path) -> DamageKind {
    if path.exists() {
        DamageKind::Altered
    } else {
        DamageKind::Missing
    }
}

/// The identity of a file, independent of its names.
#[cfg(unix)]
fn identity(file: &fs::File, cid: Cid) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;

    let there = file.metadata().ok()?;
    Some((there.dev(), there.ino(), cid))
}

#[cfg(not(unix))]
fn identity(_: &fs::File, _: Cid) -> Option<Identity> {
    None
}
