//! Checks of the cache and output folders: only this user may write to them. A change could commit
//! a file or a link there, and another user of the machine could write to a folder that is open to
//! all.

use std::fs;
use std::path::{Path, PathBuf};

use super::folders::Folders;
use super::revision::{RevisionError, tracked};
use crate::foundation::diagnostic::shell_word;
use crate::foundation::failure::Failure;

/// A folder that only this user may write, with words for messages.
#[derive(Debug, Clone, Copy)]
pub struct OwnFolder<'f> {
    /// The folder.
    pub path: &'f Path,
    /// Its role in a sentence, such as `the cache`.
    pub role: &'static str,
    /// The harm that a file of another user could do.
    pub danger: &'static str,
    /// The help on how to choose another folder.
    pub elsewhere: &'static str,
}

impl<'f> OwnFolder<'f> {
    /// The folder of the cache.
    pub fn cache(path: &'f Path) -> Self {
        Self {
            path,
            role: "the cache",
            danger: "the facts about wheels in it are trusted",
            elsewhere: "set `IPWHL_CACHE_DIR` to a folder of your own outside the repository",
        }
    }

    /// Refuses the folder if a change of the repository may have added a file or a link to it, or
    /// if other users can write it.
    ///
    /// # Errors
    /// The refusal.
    pub fn check(&self, folders: &Folders, repository: Option<&Path>) -> Result<(), Failure> {
        self.check_repository(folders)?;
        self.check_owner(folders, repository)
    }

    /// Refuses the folder if git tracks a file in it, or if its path in the repository has a
    /// symbolic link.
    fn check_repository(&self, folders: &Folders) -> Result<(), Failure> {
        if let Ok(repository) = folders.repository()
            && let Ok(inside) = self.path.strip_prefix(&repository)
            && let Some(link) = first_link(&repository, inside)
        {
            let link = folders.shown(&link);
            let reason = format!("`{link}` is a symbolic link, which a change may have added");
            return Err(self.refused(&reason, None));
        }
        // A folder that does not exist has no tracked files.
        let Ok(real) = fs::canonicalize(self.path) else {
            return Ok(());
        };
        match tracked(folders.environment(), &real) {
            Ok(None) => Ok(()),
            Ok(Some(file)) => {
                let reason = format!("git tracks `{file}`, which a change may have added");
                let words = shell_word(&folders.shown(self.path));
                let mend = format!("`git rm -r --cached {words}` removes it from git");
                Err(self.refused(&reason, Some(&mend)))
            }
            Err(error) => {
                let reason = format!("git failed to list the files that it tracks there: {error}");
                let mend = matches!(error, RevisionError::NoGit(_))
                    .then_some("install git, which knows the files of a change");
                Err(self.refused(&reason, mend))
            }
        }
    }

    /// Refuses the folder if it or an entry of it belongs to another user, or can be written by
    /// other users. The owner of the repository decides what is built, and so may own the output as
    /// well.
    #[cfg(unix)]
    fn check_owner(&self, folders: &Folders, repository: Option<&Path>) -> Result<(), Failure> {
        use std::os::unix::fs::MetadataExt as _;

        let own = rustix::process::geteuid().as_raw();
        let owner = repository.and_then(|folder| fs::metadata(folder).ok());
        let owners = [Some(own), Some(0), owner.map(|there| there.uid())];
        let group = rustix::process::getegid().as_raw();
        let inner: Vec<PathBuf> = entries(self.path).map(|entry| entry.path()).collect();
        // Two levels, as deep as the folders of the cache. On the second level only folders are
        // checked, because the cache has many files.
        let is_folder = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
        let deeper = inner.iter().flat_map(|folder| entries(folder));
        let deeper = deeper.filter(is_folder).map(|entry| entry.path());
        let own_path = [self.path.to_path_buf()].into_iter();
        for folder in own_path.chain(inner.clone()).chain(deeper) {
            let Ok(there) = fs::metadata(&folder) else {
                continue;
            };
            // The user's primary group is accepted: on many systems the user is its only member.
            let by_group = there.mode() & 0o020 != 0 && there.gid() != group;
            let shown = folders.shown(&folder);
            if !owners.contains(&Some(there.uid())) {
                let reason = format!("`{shown}` belongs to another user");
                return Err(self.refused(&reason, None));
            }
            if there.is_dir() && (there.mode() & 0o002 != 0 || by_group) {
                let reason = format!("`{shown}` can be written by other users");
                let mend = format!(
                    "`chmod go-w {}` removes that permission",
                    shell_word(&shown)
                );
                return Err(self.refused(&reason, Some(&mend)));
            }
        }
        Ok(())
    }

    #[cfg(not(unix))]
    fn check_owner(&self, _: &Folders, _: Option<&Path>) -> Result<(), Failure> {
        Ok(())
    }

    fn refused(&self, reason: &str, mend: Option<&str>) -> Failure {
        let Self {
            role,
            danger,
            elsewhere,
            ..
        } = self;
        Failure::usage(format!("{role} is not used: {reason}; {danger}")).help(match mend {
            Some(mend) => format!("{mend}; or {elsewhere}"),
            None => (*elsewhere).to_owned(),
        })
    }
}

#[cfg(unix)]
fn entries(folder: &Path) -> impl Iterator<Item = fs::DirEntry> {
    fs::read_dir(folder).into_iter().flatten().flatten()
}

/// The first symbolic link on a path below a folder.
fn first_link(folder: &Path, below: &Path) -> Option<PathBuf> {
    let mut place = folder.to_path_buf();
    below.components().find_map(|part| {
        place.push(part);
        let is_link = fs::symlink_metadata(&place).is_ok_and(|there| there.is_symlink());
        is_link.then(|| place.clone())
    })
}
