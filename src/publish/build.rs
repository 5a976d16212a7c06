//! Builds a release from declarations: the facts of its wheels, its root, and its files.

use std::collections::BTreeSet;
use std::path::PathBuf;

use ipwhl_unixfs::car::CarSummary;
use ipwhl_unixfs::{Cid, Profile};

use super::commit::{check_place, commit};
use super::cut_run::Writer;
use super::error::PublishError;
use super::files::{ArchiveContents, write_car};
use super::tree::write_tree;
use crate::foundation::failure::Failure;
use crate::release::archive::{ArchiveKind, car_name, open_archive};
use crate::release::reuse::{ReusableRelease, ReuseNotice, reuse};
use crate::release::statement::SignedStatement;
use crate::release::tree::{LockBytes, Release, ReleaseInput, WithoutWhole};
use crate::set::check;
use crate::set::declaration::DeclaredWheel;
use crate::set::gather::{
    Gathering, Network, ReleaseFacts, Want, WheelFailure, WheelReport, all_wheels,
};
use crate::set::judgement::{has_errors, judge};
use crate::set::repository::Repository;
use crate::source::{Cache, Session};

/// Looks up the facts of a declared wheel.
type Known<'f> = dyn Fn(&DeclaredWheel) -> Option<ReleaseFacts<'f>> + Sync + 'f;

/// Whether a block is one of the previous release.
type KnownBlocks<'k> = Box<dyn Fn(&Cid) -> bool + 'k>;

/// A build: its inputs and options.
pub struct Build<'b> {
    /// The session.
    pub session: &'b Session,
    /// The repository.
    pub repository: &'b Repository,
    /// The sources that wheels are fetched from.
    pub network: Network,
    /// The UnixFS import parameters.
    pub profile: Profile,
    /// Whether only the root is computed.
    pub is_root_only: bool,
    /// The parts of the release in its archive.
    pub contents: ArchiveContents,
    /// The releases whose facts are reused.
    pub reusable: Vec<ReusableRelease>,
    /// The output folder.
    pub folder: PathBuf,
    /// The kind of run, for error messages.
    pub writer: Writer,
    /// The bytes of the statement in the output folder when this build began.
    pub before: Option<Vec<u8>>,
    /// The folder for the tree of files, if requested.
    pub tree: Option<PathBuf>,
    /// Receives the events of the build.
    pub tell: &'b dyn Fn(BuildEvent<'_>),
}

/// An event of a build.
#[derive(Debug)]
pub enum BuildEvent<'e> {
    /// A part of a release was not reused.
    NotReused(ReuseNotice),
    /// Wheels were gathered, perhaps with failures.
    Gathered(&'e WheelReport),
    /// A wheel in the cache is damaged. It is fetched again.
    Damaged(&'e PublishError),
    /// Damaged wheels could not be fetched again.
    Failed(&'e [WheelFailure]),
}

/// A release that was written.
#[derive(Debug)]
pub struct WrittenRelease {
    /// Its root.
    pub root: Cid,
    /// The kind of its archive.
    pub kind: ArchiveKind,
    /// The number of blocks in the archive, and its size in bytes.
    pub summary: CarSummary,
    /// The size of its lock files.
    pub locks: LockBytes,
    /// The reason why it has no lock file of the whole set.
    pub without_whole: Option<WithoutWhole>,
}

impl Build<'_> {
    /// Gathers the facts of all wheels, and the bytes of wheels whose leaves go into the archive or
    /// the tree.
    ///
    /// # Errors
    /// When there is no cache, or a reused release contradicts itself.
    pub fn gather(&self) -> Result<WheelReport, Failure> {
        let (written, others): (Vec<_>, Vec<_>) = all_wheels(self.repository)
            .into_iter()
            .partition(|wheel| self.needs_bytes(wheel));
        let platforms = &self.repository.configuration.platforms;
        let reused = |wheels: &[&DeclaredWheel]| {
            reuse(
                &self.reusable,
                wheels,
                self.profile,
                platforms,
                &mut |notice| (self.tell)(BuildEvent::NotReused(notice)),
            )
        };
        let gathering = Gathering {
            session: self.session,
            repository: self.repository,
            network: &self.network,
            profile: self.profile,
            reuse: Some(&reused),
        };
        let gather = |wheels: &[&DeclaredWheel], want| {
            let report = gathering.gather(wheels, want)?;
            (self.tell)(BuildEvent::Gathered(&report));
            Ok::<_, Failure>(report)
        };
        for release in &self.reusable {
            release.supply(&self.session.cache()?, &written)?;
        }
        let mut gathered = gather(&written, Want::Bytes)?;
        if !others.is_empty() {
            gathered.extend(gather(&others, Want::Facts)?);
        }
        Ok(gathered)
    }

    fn needs_bytes(&self, wheel: &DeclaredWheel) -> bool {
        if self.is_root_only {
            return false;
        }
        self.tree.is_some()
            || match &self.contents {
                ArchiveContents::Full => true,
                ArchiveContents::Delta(known) => !known.contains(&wheel.content_id.value),
                ArchiveContents::Hollow => false,
            }
    }

    /// The root of the release with these facts.
    ///
    /// # Errors
    /// When the facts do not make a release.
    pub fn root(&self, gathered: &WheelReport) -> Result<Cid, Failure> {
        let facts = |wheel: &DeclaredWheel| gathered.release_facts(wheel);
        Ok(self.release(&facts)?.link().cid)
    }

    fn release<'f>(&'f self, facts: &'f Known<'f>) -> Result<Release<'f>, Failure> {
        Release::new(ReleaseInput {
            repository: self.repository,
            profile: self.profile,
            facts,
        })
        .map_err(|error| Failure::caused(&error))
    }

    /// Writes the release. Wheels that turn out to be damaged in the cache are fetched again.
    /// `sign` is called once, after all other files are written, and returns the statement for the
    /// root.
    ///
    /// # Errors
    /// When the release cannot be written, `sign` fails, or a damaged wheel cannot be fetched
    /// again.
    pub fn write(
        &self,
        mut gathered: WheelReport,
        sign: impl FnOnce(Cid) -> Result<Option<SignedStatement>, Failure>,
    ) -> Result<WrittenRelease, Failure> {
        let cache = self.session.cache()?;
        let uncommitted = |error: PublishError| self.writer.uncommitted(&error, &self.folder);
        let mut damaged = BTreeSet::new();
        loop {
            let facts = |wheel: &DeclaredWheel| gathered.release_facts(wheel);
            let release = self.release(&facts)?;
            let written =
                write_car(&release, &self.contents, &cache, &self.folder).and_then(|car| {
                    if let Some(tree) = &self.tree {
                        write_tree(&release, &cache, tree)?;
                    }
                    Ok(car)
                });
            match written {
                Ok((car, summary)) => {
                    let root = release.link().cid;
                    let kind = self.contents.kind();
                    let before = self.before.as_deref();
                    // A release that could not be committed must not be signed.
                    check_place(kind, root, &self.folder, before).map_err(uncommitted)?;
                    let known = self.known_blocks();
                    let locks = release.lock_bytes(known.as_deref());
                    let locks = locks.map_err(|error| Failure::caused(&error))?;
                    let signed = sign(root)?;
                    commit(car, kind, root, &self.folder, before, signed.as_ref())
                        .map_err(uncommitted)?;
                    return Ok(WrittenRelease {
                        root,
                        kind,
                        summary,
                        locks,
                        without_whole: release.locks().without_whole.clone(),
                    });
                }
                Err(PublishError::DamagedWheel(wheel)) => {
                    let damage = PublishError::DamagedWheel(wheel.clone());
                    cache.forget(&wheel.content_id.value);
                    if !damaged.insert(wheel.content_id.value) {
                        return Err(Failure::caused(&damage).help("run the same command again"));
                    }
                    (self.tell)(BuildEvent::Damaged(&damage));
                    gathered = self.gather_again(&cache)?;
                }
                Err(error) => return Err(error.failure()),
            }
        }
    }

    /// Whether a block is one of the previous release: that of a delta, or the one in the output
    /// folder. `None` if there is none.
    fn known_blocks(&self) -> Option<KnownBlocks<'_>> {
        if let ArchiveContents::Delta(known) = &self.contents {
            return Some(Box::new(|cid| known.contains(cid)));
        }
        let kinds = [ArchiveKind::Full, ArchiveKind::Hollow];
        let mut archives = kinds.iter().map(|kind| self.folder.join(car_name(*kind)));
        let archive = archives.find_map(|path| open_archive(&path).ok())?;
        Some(Box::new(move |cid| archive.length_of(cid).is_some()))
    }

    /// Gathers again after damage. A damaged file is seldom alone, so every cached file that has
    /// changed is hashed again, and removed if it no longer has the bytes of the wheel.
    fn gather_again(&self, cache: &Cache) -> Result<WheelReport, Failure> {
        let wheels = self.repository.declarations.values();
        for declared in wheels.flat_map(|declaration| &declaration.wheels) {
            cache.wheel(&declared.content_id.value);
        }
        let gathered = self.gather()?;
        (self.tell)(BuildEvent::Failed(&gathered.failures));
        let wheels = all_wheels(self.repository);
        let findings = check::wheels(self.repository, &wheels, &gathered);
        let today = self.session.today();
        let findings = judge(self.repository, findings, &gathered, today, "");
        if gathered.failures.is_empty() && !has_errors(&findings) {
            Ok(gathered)
        } else {
            let offline = self.network.offline;
            let reason = if offline {
                "were not fetched again, because `--offline` forbids it"
            } else {
                "could not be fetched again"
            };
            let failure = Failure::world(format!(
                "nothing was built: wheels that were damaged in the cache {reason}"
            ));
            // The way out of a failed download was told with it.
            Err(if gathered.failures.is_empty() {
                failure.help("`ipwhl check --wheels` shows the reasons")
            } else {
                failure
            })
        }
    }
}
