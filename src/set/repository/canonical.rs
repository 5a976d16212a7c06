//! Files of declarations and their canonical form.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::read_text;
use super::load::Repository;
use super::load_error::LoadError;
use super::names::CONFIGURATION_FILE;
use crate::foundation::diagnostic::Finding;
use crate::foundation::environment::{AtomicFile, Environment};
use crate::foundation::failure::Failure;
use crate::set::declaration::{Layout, Unformatted, formatted};

/// The file of a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclarationFile {
    /// Its path.
    pub path: PathBuf,
    /// Its name for findings: from the repository's folder, with `/`, if it is inside.
    pub name: Arc<str>,
}

/// The canonical form of a declaration.
#[derive(Debug)]
pub enum CanonicalForm {
    /// The text is canonical.
    Same,
    /// The text has another canonical form.
    Differs {
        /// The text.
        text: String,
        /// Its canonical form.
        canonical: String,
    },
    /// The text is not TOML, or not UTF-8.
    Syntax {
        /// The text.
        text: String,
        /// Its findings.
        findings: Vec<Finding>,
    },
    /// The canonical form would lose this: `a comment` or `a value`. This is a bug.
    Unfaithful(&'static str),
}

impl DeclarationFile {
    /// Every declaration of a repository.
    pub fn all(repository: &Repository) -> Vec<Self> {
        let folder = format!("{}/", repository.configuration.declarations);
        let declared = repository
            .texts
            .keys()
            .filter(|name| name.starts_with(&folder));
        declared
            .map(|name| Self {
                path: repository.directory.join(&**name),
                name: Arc::clone(name),
            })
            .collect()
    }

    /// The files that these paths name, each once. A folder means the declarations below it.
    ///
    /// # Errors
    /// When a folder cannot be listed or has no declaration, or a path names the settings.
    pub fn named(
        environment: &Environment,
        repository: Option<&Repository>,
        named: &[PathBuf],
    ) -> Result<Vec<Self>, Failure> {
        let mut paths = Vec::new();
        for argument in named {
            let path = environment.absolute(argument);
            if path.is_dir() {
                let before = paths.len();
                list(&path, &mut paths).map_err(|error| {
                    Failure::world(format!("`{}`: {error}", argument.display()))
                })?;
                if paths.len() == before {
                    return Err(Failure::usage(format!(
                        "`{}` has no declarations: no file in it ends with `.toml`",
                        argument.display()
                    )));
                }
            } else if path.file_name() == Some(CONFIGURATION_FILE.as_ref()) {
                return Err(Failure::usage(format!(
                    "`{}` is not a declaration: `ipwhl fmt` does not format the settings",
                    argument.display()
                )));
            } else {
                paths.push(path);
            }
        }
        paths.sort();
        paths.dedup();
        let name = |path: &Path| {
            let inside =
                repository.and_then(|repository| path.strip_prefix(&repository.directory).ok());
            match inside {
                Some(inside) => inside
                    .components()
                    .map(|part| part.as_os_str().to_string_lossy())
                    .collect::<Vec<_>>()
                    .join("/"),
                None => environment.shown(path),
            }
        };
        Ok(paths
            .into_iter()
            .map(|path| Self {
                name: Arc::from(name(&path)),
                path,
            })
            .collect())
    }

    /// Reads the file and computes its canonical form.
    ///
    /// # Errors
    /// When it cannot be read, or is not a regular file.
    pub fn canonical_form(&self, layout: Layout) -> Result<CanonicalForm, LoadError> {
        let (text, findings) = read_text(&self.path, &self.name)?;
        if !findings.is_empty() {
            return Ok(CanonicalForm::Syntax { text, findings });
        }
        Ok(match formatted(&self.name, &text, layout) {
            Ok(canonical) if canonical == text => CanonicalForm::Same,
            Ok(canonical) => CanonicalForm::Differs { text, canonical },
            Err(Unformatted::Syntax(findings)) => CanonicalForm::Syntax { text, findings },
            Err(Unformatted::Unfaithful(what)) => CanonicalForm::Unfaithful(what),
        })
    }

    /// Replaces the text atomically, and keeps the permissions of the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, text: &str) -> io::Result<()> {
        let permissions = fs::metadata(&self.path)?.permissions();
        let mut new = AtomicFile::create(&self.path)?;
        new.write_all(text.as_bytes())?;
        new.set_permissions(permissions);
        new.commit()
    }
}

/// Lists the `.toml` files below a folder. Hidden files, links and `ipwhl.toml` are left out.
fn list(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if name.to_string_lossy().starts_with('.') || name == CONFIGURATION_FILE {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            list(&path, paths)?;
        } else if kind.is_file() && path.extension() == Some("toml".as_ref()) {
            paths.push(path);
        }
    }
    Ok(())
}
