//! Completes a delta from the folder: nodes from the hollow archives of its releases, leaves from
//! their wheels.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use ipwhl_unixfs::car::{Blocks, CarError, CarReader, file_dag};
use ipwhl_unixfs::{Cid, Codec, Profile};

use super::files;
use super::layout::{Directory, Store};
use crate::foundation::diagnostic::shell_word;
use crate::foundation::environment::open_beneath;
use crate::foundation::failure::Failure;
use crate::publish::publication::Publication;
use crate::publish::site::{AssembledBlocks, FoundWheel, release_files};
use crate::release::archive::ReleaseArchive;
use crate::release::archive::car_name;
use crate::release::archive::{ArchiveKind, Place, Visitor, walk};
use crate::release::statement::folder::statement_path;

impl Directory {
    /// The blocks of a release; those that a delta leaves out are looked for in the folder.
    pub(super) fn blocks(&self, release: &Publication) -> Result<Arc<Store>, Failure> {
        if release.excluded_roots.is_empty() {
            return Ok(release.archive.clone());
        }
        let root = release.root();
        let mut blocks = AssembledBlocks::default();
        blocks.add_archive(release.archive.clone());
        let mut missing = missing(&blocks, root)?;
        let mut seen = BTreeSet::new();
        let mut has_hollow = false;
        let statements = self.all_statements(&release.name)?;
        for held in &statements {
            let held = &held.statement;
            if missing.is_empty() {
                break;
            }
            if seen.insert(held.root)
                && let Some(hollow) = hollow(&self.path, held.sequence, held.root)
            {
                has_hollow = true;
                self.add_wheels(&mut blocks, &hollow)?;
                blocks.add_archive(hollow);
                missing = self::missing(&blocks, root)?;
            }
        }
        let Some(first) = missing.first() else {
            return Ok(Arc::new(blocks));
        };
        let message = if statements.is_empty() {
            "it has no release that could complete this delta".to_owned()
        } else if !has_hollow {
            "this delta leaves out files, but the releases here have no hollow archives to \
             complete it from: an older version wrote them"
                .to_owned()
        } else {
            format!(
                "it is missing {} of the files that this delta leaves out, `{first}` the first",
                missing.len()
            )
        };
        Err(self.fillable(release, Failure::refused(message)))
    }

    /// Adds the command that makes a delta full. A delta also leaves out pages and nodes, which the
    /// sources of declarations do not have.
    pub(super) fn fillable(&self, release: &Publication, error: Failure) -> Failure {
        let fill = &release.fill_command;
        let statements = self.all_statements(&release.name).unwrap_or_default();
        let hollow = statements
            .iter()
            .map(|held| &held.statement)
            .find(|held| self::hollow(&self.path, held.sequence, held.root).is_some());
        let Some(held) = hollow else {
            return error.help(format!(
                "make the archive full: `{fill} --from ARCHIVE`, where ARCHIVE is that of the \
                 previous release"
            ));
        };
        let hollow = self
            .statement(held.sequence)
            .join(car_name(ArchiveKind::Hollow));
        error.help(format!(
            "make the archive full: `{fill} --from {} --from sources --from mirrors`",
            shell_word(&hollow.to_string_lossy())
        ))
    }

    /// Adds the wheels of a release in the folder. They are hashed when they are read.
    pub(super) fn add_wheels(
        &self,
        blocks: &mut AssembledBlocks,
        hollow: &Arc<CarReader<std::fs::File>>,
    ) -> Result<(), Failure> {
        let tree = self.tree(hollow.root());
        let all = release_files(&**hollow, &hollow.root()).map_err(Failure::world)?;
        for file in all.iter().filter(|file| file.is_wheel()) {
            if !files::is_at(file, &tree)? {
                continue;
            }
            let dag = file_dag(&**hollow, &file.cid, file.size, Profile::default());
            if let Some(dag) = dag.map_err(Failure::world)? {
                let path = tree.join(&file.path);
                blocks.add_wheel(FoundWheel { path, dag });
            }
        }
        Ok(())
    }
}

/// The hollow archive of a release in the folder, if it exists and has this root.
pub(super) fn hollow(
    folder: &Path,
    sequence: u64,
    root: Cid,
) -> Option<Arc<CarReader<std::fs::File>>> {
    let path = statement_path(sequence, car_name(ArchiveKind::Hollow));
    let archive = CarReader::open(open_beneath(folder, &path).ok()?).ok()?;
    let survey = archive.survey().ok()?;
    let is_whole = archive.root() == root && survey.kind != ArchiveKind::Delta;
    is_whole.then(|| Arc::new(archive))
}

/// The files and folders of a release with missing blocks.
fn missing(blocks: &AssembledBlocks, root: Cid) -> Result<BTreeSet<String>, Failure> {
    let mut missing = Missing {
        blocks,
        paths: BTreeSet::new(),
    };
    walk(root, &mut missing).map_err(Failure::world)?;
    Ok(missing.paths)
}

struct Missing<'b> {
    blocks: &'b AssembledBlocks,
    paths: BTreeSet<String>,
}

impl Visitor for Missing<'_> {
    fn block(&mut self, place: &Place) -> Result<Option<Vec<u8>>, CarError> {
        let block = match place.cid.codec() {
            Codec::Raw if self.blocks.contains(&place.cid) => return Ok(None),
            Codec::Raw => None,
            Codec::DagPb => self.blocks.block(&place.cid)?,
        };
        if block.is_none() {
            self.paths.insert(place.path.clone());
        }
        Ok(block)
    }

    fn visit(&mut self, _: &Place, _: &[u8], _: bool) -> Result<(), CarError> {
        Ok(())
    }
}
