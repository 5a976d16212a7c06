//! Changes of several files: either all of them are made, or none, as far as the system allows.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item};

use super::canonical;
use crate::foundation::environment::{AtomicFile, sync_directory};
use crate::foundation::failure::{Failure, way_out};

/// A change of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    path: PathBuf,
    /// The new contents; `None` to remove the file.
    bytes: Option<Vec<u8>>,
}

impl FileChange {
    /// The removal of the file at `path`.
    pub fn remove(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
            bytes: None,
        }
    }

    /// The replacement of the bytes of the file at `path`.
    pub fn write(path: &Path, bytes: Vec<u8>) -> Self {
        Self {
            path: path.to_path_buf(),
            bytes: Some(bytes),
        }
    }

    /// Writes and flushes the new contents beside the file; `None` for a removal.
    fn stage(&self) -> io::Result<Option<AtomicFile>> {
        let Some(bytes) = &self.bytes else {
            return Ok(None);
        };
        let mut file = AtomicFile::create(&self.path)?;
        file.write_all(bytes)?;
        file.file().sync_all()?;
        Ok(Some(file))
    }

    /// Gives the staged contents their name, or removes the file.
    fn make(&self, staged: Option<AtomicFile>) -> io::Result<()> {
        match staged {
            Some(file) => {
                file.switch()?;
                sync_directory(&self.path)
            }
            None => fs::remove_file(&self.path),
        }
    }

    /// The bytes and permissions of the file now; `None` if it is to be created.
    fn state(&self) -> io::Result<Option<(Vec<u8>, Permissions)>> {
        let state = fs::read(&self.path)
            .and_then(|bytes| Ok((bytes, fs::metadata(&self.path)?.permissions())));
        match state {
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.bytes.is_some() => {
                Ok(None)
            }
            state => state.map(Some),
        }
    }

    /// Puts back a state of the file.
    fn restore(&self, state: Option<&(Vec<u8>, Permissions)>) -> io::Result<()> {
        match state {
            None => fs::remove_file(&self.path),
            Some((bytes, permissions)) => AtomicFile::write_whole(&self.path, bytes)
                .and_then(|()| fs::set_permissions(&self.path, permissions.clone())),
        }
    }
}

/// The name whose partial file, in the folder of declarations, is the lock of changes.
const LOCK: &str = "declarations";

/// Makes all changes. New contents are written beside all files before the first gets its name. If
/// a change fails, the changes before it are undone. Folders below `top` that become empty are
/// removed too.
///
/// Other changes of the files below `top` are locked out meanwhile. With the lock, `is_current`
/// says whether the files are still as they were when the changes were planned.
///
/// # Errors
/// When a file cannot be read or changed, when another process is changing files, or when
/// `is_current` fails.
pub fn change_files(
    changes: &[FileChange],
    top: &Path,
    is_current: &dyn Fn() -> Result<(), Failure>,
) -> Result<(), Failure> {
    if changes.is_empty() {
        return Ok(());
    }
    // Held until the end.
    let _lock = AtomicFile::create(&top.join(LOCK)).map_err(|error| unlocked(top, &error))?;
    is_current()?;
    forget_partial_files(top);
    make_all(changes, &mut FileChange::make)?;
    let mut synced: BTreeSet<Option<&Path>> = BTreeSet::new();
    for change in changes.iter().filter(|change| change.bytes.is_none()) {
        // Failures are harmless: an empty folder declares nothing, nor does a partial file.
        let _ = AtomicFile::forget(&change.path);
        if synced.insert(change.path.parent()) {
            let _ = sync_directory(&change.path);
        }
        let folders = change.path.ancestors().skip(1);
        for folder in folders.take_while(|folder| *folder != top && folder.starts_with(top)) {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }
    Ok(())
}

/// The failure to lock a folder.
fn unlocked(top: &Path, error: &io::Error) -> Failure {
    let top = top.display();
    let failure = if error.kind() == io::ErrorKind::WouldBlock {
        Failure::world(format!("another process is changing the files in `{top}`"))
    } else {
        Failure::world(format!("the files in `{top}` cannot be changed: {error}"))
    };
    failure.help(nothing_changed(error))
}

/// The help if no change was made.
fn nothing_changed(error: &io::Error) -> String {
    let way_out = way_out(error).unwrap_or("run the same command again when the cause is fixed");
    format!("no file was changed or removed; {way_out}")
}

/// Removes what killed runs have left. Failures are harmless: partial files declare nothing.
fn forget_partial_files(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_str().and_then(|name| name.strip_prefix('.'));
        let place = name.and_then(|name| name.strip_suffix(".toml.partial"));
        if let Some(place) = place {
            let _ = AtomicFile::forget(&folder.join(format!("{place}.toml")));
        }
    }
}

/// Makes a change with its staged contents.
type Make<'m> = dyn FnMut(&FileChange, Option<AtomicFile>) -> io::Result<()> + 'm;

fn make_all(changes: &[FileChange], make: &mut Make<'_>) -> Result<(), Failure> {
    let mut before = Vec::new();
    let mut staged = Vec::new();
    for change in changes {
        let not_begun = |error: io::Error| failed(change, &error, &[]);
        before.push(change.state().map_err(not_begun)?);
        staged.push(change.stage().map_err(not_begun)?);
    }
    for (made, (change, staged)) in changes.iter().zip(staged).enumerate() {
        let Err(error) = make(change, staged) else {
            continue;
        };
        let mut lost = Vec::new();
        for (change, state) in changes[..made].iter().zip(&before) {
            if change.restore(state.as_ref()).is_err() {
                lost.push(change.path.display().to_string());
            }
        }
        return Err(failed(change, &error, &lost));
    }
    Ok(())
}

fn failed(change: &FileChange, error: &io::Error, lost: &[String]) -> Failure {
    let verb = match change.bytes {
        Some(_) => "changed",
        None => "removed",
    };
    let failure = Failure::world(format!(
        "`{}` cannot be {verb}: {error}",
        change.path.display()
    ));
    if lost.is_empty() {
        failure.help(nothing_changed(error))
    } else {
        failure.help(format!(
            "these files were changed already and could not be restored: {}",
            lost.join(", ")
        ))
    }
}

/// The text of a declaration with `automatic = true`; canonical if it was. `None` if it is not
/// TOML.
pub fn made_automatic(text: &str) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let changed = if document.iter().all(|(_, item)| item.is_array_of_tables()) {
        before_first_table(text)
    } else {
        let mut value = toml_edit::Value::from(true);
        // A comment at the end of the line stays.
        if let Some(before) = document.get("automatic").and_then(Item::as_value) {
            *value.decor_mut() = before.decor().clone();
        }
        document["automatic"] = Item::Value(value);
        document.to_string()
    };
    if canonical(text).as_deref() == Some(text) {
        return canonical(&changed);
    }
    Some(changed)
}

/// Inserts the key before the first table. Comments above it stay at the head of the file, and
/// comments right before the table stay with the table.
fn before_first_table(text: &str) -> String {
    let mut place = 0;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        // A directive for editors stays first.
        let is_comment = line.starts_with('#') && !line.starts_with("#:");
        if !is_comment && !line.trim().is_empty() && !line.starts_with("#:") {
            break;
        }
        start += line.len();
        if !is_comment {
            place = start;
        }
    }
    format!("{}automatic = true\n\n{}", &text[..place], &text[place..])
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// The third removal fails: the files removed before it are restored.
    #[test]
    fn what_was_changed_is_put_back_when_a_later_change_fails() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["a", "b", "c"] {
            fs::write(path(name), format!("text of {name}")).unwrap();
        }
        let changes = [
            FileChange::write(&path("a"), b"new".to_vec()),
            FileChange::remove(&path("b")),
            FileChange::remove(&path("c")),
        ];
        let mut made = 0;
        let failure = make_all(&changes, &mut |change, staged| {
            made += 1;
            if made == 3 {
                assert!(!path("b").exists());
                return Err(io::Error::other("the disk is gone"));
            }
            change.make(staged)
        })
        .unwrap_err();
        assert!(failure.message.contains("the disk is gone"));
        assert!(
            failure
                .help
                .unwrap()
                .starts_with("no file was changed or removed")
        );
        for name in ["a", "b", "c"] {
            let text = fs::read_to_string(path(name)).unwrap();
            assert_eq!(text, format!("text of {name}"));
        }
    }

    /// Permissions are restored too; files that cannot be restored are named.
    #[cfg(unix)]
    #[test]
    fn what_is_put_back_is_as_it_was_or_is_named() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["a", "below"] {
            fs::create_dir(path(name)).unwrap();
            fs::write(path(name).join("file"), "text").unwrap();
        }
        let (kept, lost) = (path("a").join("file"), path("below").join("file"));
        fs::set_permissions(&kept, Permissions::from_mode(0o640)).unwrap();
        let changes = [
            FileChange::remove(&kept),
            FileChange::remove(&lost),
            FileChange::remove(&path("a").join("file")),
        ];
        let failure = make_all(&changes, &mut |change, staged| {
            change.make(staged)?;
            if change.path == lost {
                // The folder of this file no longer exists.
                fs::remove_dir(path("below"))?;
                fs::write(path("below"), "")?;
            }
            Ok(())
        })
        .unwrap_err();
        let help = failure.help.unwrap();
        assert!(
            help.ends_with(&format!("could not be restored: {}", lost.display())),
            "{help}"
        );
        let mode = fs::metadata(&kept).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }

    #[test]
    fn comments_stay_where_they_belong() {
        let key = "automatic = true\n";
        for (before, after) in [
            (
                "#:schema x\n# of the wheel\n[[wheel]]\n",
                format!("#:schema x\n{key}\n# of the wheel\n[[wheel]]\n"),
            ),
            ("[[wheel]]\na = 1\n", format!("{key}\n[[wheel]]\na = 1\n")),
            (
                "# head\n\n# of the wheel\n[[wheel]]\n",
                format!("# head\n\n{key}\n# of the wheel\n[[wheel]]\n"),
            ),
            (
                "# head\nextras = []\n",
                format!("# head\nextras = []\n{key}"),
            ),
            (
                "automatic = false # why\n[[wheel]]\n",
                "automatic = true # why\n[[wheel]]\n".to_owned(),
            ),
        ] {
            let changed = made_automatic(before).unwrap();
            assert_eq!(changed, after);
            let document: DocumentMut = changed.parse().unwrap();
            assert_eq!(document["automatic"].as_bool(), Some(true));
        }
        assert_eq!(made_automatic("= = ="), None);
    }

    /// A file that was created by a change that then failed is gone again.
    #[test]
    fn a_new_file_is_taken_back_when_a_later_change_fails() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("b"), "text").unwrap();
        let changes = [
            FileChange::write(&path("a"), b"new".to_vec()),
            FileChange::write(&path("b"), b"new".to_vec()),
        ];
        make_all(&changes, &mut |change, staged| {
            if change.path == path("b") {
                assert!(path("a").exists());
                return Err(io::Error::other("the disk is gone"));
            }
            change.make(staged)
        })
        .unwrap_err();
        assert!(!path("a").exists());
        assert_eq!(fs::read_to_string(path("b")).unwrap(), "text");
        // Where one cannot even be staged, none is made.
        let absent = path("absent").join("c");
        let changes = [
            FileChange::write(&path("a"), b"new".to_vec()),
            FileChange::write(&absent, b"new".to_vec()),
        ];
        change_files(&changes, folder.path(), &|| Ok(())).unwrap_err();
        assert!(!path("a").exists());
    }

    #[test]
    fn nothing_is_changed_where_one_file_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let there = folder.path().join("there");
        fs::write(&there, "text").unwrap();
        let changes = [
            FileChange::remove(&there),
            FileChange::remove(&folder.path().join("absent")),
        ];
        change_files(&changes, folder.path(), &|| Ok(())).unwrap_err();
        assert_eq!(fs::read_to_string(&there).unwrap(), "text");
    }
}
