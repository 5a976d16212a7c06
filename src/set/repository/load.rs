//! Reads a whole repository: its settings and its declarations.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipwhl_packaging::ProjectName;
use rayon::prelude::*;

use super::configuration::{self, Configuration, Role};
use super::files::{Files, Folder, Kind, WithSettings, decode, first_link};
use super::offered::undecided;
use super::texts::Texts;
use super::walk::walk;
use super::{CONFIGURATION_FILE, LoadError, ORIGINAL_FOLDER, Revision, SUPPORTED_FILE, supported};
use crate::foundation::diagnostic::{Code, Finding, Severity, SourceText, SourceTexts, shell_word};
use crate::set::declaration::{
    Declaration, FormatVersion, Layout, Parsed, Tally, misplaced, parse_in as parse_declaration,
};

/// `ipwhl.toml` and the declarations beside it.
#[derive(Debug)]
pub struct Repository {
    /// The repository's folder.
    pub directory: PathBuf,
    /// Its settings.
    pub configuration: Configuration,
    /// Its declarations by project.
    pub declarations: BTreeMap<ProjectName, Declaration>,
    /// The projects that are declared, but whose text could not be read.
    pub unreadable: BTreeSet<ProjectName>,
    /// The texts that findings point into.
    pub texts: SourceTexts,
    /// The findings about the texts.
    pub findings: Vec<Finding>,
}

/// The nearest folder, from `start` upwards, that is a repository.
///
/// # Errors
/// [`LoadError::NotFound`].
pub fn find(start: &Path) -> Result<PathBuf, LoadError> {
    start
        .ancestors()
        .find(|directory| directory.join(CONFIGURATION_FILE).is_file())
        .map(Path::to_path_buf)
        .ok_or_else(|| {
            let original = start
                .ancestors()
                .find(|directory| is_original(&Folder::new(directory)));
            match original {
                Some(directory) => LoadError::Original(directory.to_path_buf()),
                None => LoadError::NotFound(start.to_path_buf()),
            }
        })
}

/// Whether a folder looks like a repository of the original.
fn is_original(files: &impl Files) -> bool {
    files.kind(SUPPORTED_FILE).is_some() && files.kind(ORIGINAL_FOLDER) == Some(Kind::Folder)
}

impl Repository {
    /// Reads the repository in `directory`. Mistakes in its texts are in [`Repository::findings`].
    ///
    /// # Errors
    /// When there is no `ipwhl.toml`, or a file or folder cannot be read.
    pub fn load(directory: &Path) -> Result<Self, LoadError> {
        Self::load_from(directory, &Folder::new(directory))
    }

    /// Reads the repository in `directory` at a revision: the texts are from the revision; `file:`
    /// sources are in the folder as it is now.
    ///
    /// # Errors
    /// As [`Repository::load`].
    pub fn load_revision(directory: &Path, revision: &Revision) -> Result<Self, LoadError> {
        Self::load_from(directory, revision)
    }

    /// Reads the repository in `directory` with these settings instead of its own.
    ///
    /// # Errors
    /// As [`Repository::load`].
    pub fn load_with(directory: &Path, settings: &str) -> Result<Self, LoadError> {
        let folder = Folder::new(directory);
        Self::load_from(directory, &WithSettings { folder, settings })
    }

    /// Reads a repository from these files, by their paths with `/`; `file:` sources are in
    /// `directory`.
    ///
    /// # Errors
    /// As [`Repository::load`].
    pub fn load_texts(
        directory: &Path,
        files: BTreeMap<String, Vec<u8>>,
    ) -> Result<Self, LoadError> {
        Self::load_from(directory, &Texts { files })
    }

    fn load_from(directory: &Path, files: &impl Files) -> Result<Self, LoadError> {
        let mut repository = Self::load_configuration_from(directory, files, Role::Set)?;
        if repository.configuration.layout == Layout::Ipwhl1
            && repository.configuration.platforms.is_empty()
        {
            repository.load_supported(files)?;
        }
        repository.load_declarations(files)?;
        Ok(repository)
    }

    /// Reads only the `ipwhl.toml` in `directory`: the settings, without declarations. Without a
    /// set to check, no platforms are needed: a repository that only publishes releases of others
    /// has none.
    ///
    /// # Errors
    /// When there is no `ipwhl.toml`, or it cannot be read.
    pub fn load_configuration(directory: &Path) -> Result<Self, LoadError> {
        Self::load_configuration_from(directory, &Folder::new(directory), Role::Settings)
    }

    /// Reads only the settings, at a revision.
    ///
    /// # Errors
    /// As [`Repository::load_configuration`].
    pub fn load_revision_configuration(
        directory: &Path,
        revision: &Revision,
    ) -> Result<Self, LoadError> {
        Self::load_configuration_from(directory, revision, Role::Settings)
    }

    fn load_configuration_from(
        directory: &Path,
        files: &impl Files,
        role: Role,
    ) -> Result<Self, LoadError> {
        let mut texts = SourceTexts::new();
        let file: Arc<str> = CONFIGURATION_FILE.into();
        let bytes = files.read(&file).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound if is_original(files) => {
                LoadError::Original(directory.to_path_buf())
            }
            io::ErrorKind::NotFound => LoadError::NoConfiguration(directory.to_path_buf()),
            _ => LoadError::Unreadable(files.path(&file), error),
        })?;
        let (text, mut findings) = decode(&file, bytes);
        let (configuration, found) = configuration::parse(&file, &text, role);
        // Replacement characters for invalid bytes are not a second mistake.
        let is_text = findings.is_empty();
        findings.extend(
            found
                .into_iter()
                .filter(|finding| is_text || finding.code != Code::Syntax),
        );
        texts.insert(file, SourceText::new(text));
        Ok(Self {
            directory: directory.to_path_buf(),
            configuration,
            declarations: BTreeMap::new(),
            unreadable: BTreeSet::new(),
            texts,
            findings,
        })
    }

    /// Reads the platforms of the layout `ipwhl-1` if `[platforms]` names none.
    fn load_supported(&mut self, files: &impl Files) -> Result<(), LoadError> {
        let file: Arc<str> = SUPPORTED_FILE.into();
        let nowhere = format!("neither `[platforms]` nor `{SUPPORTED_FILE}` names the platforms");
        let found = match files.kind(&file) {
            Some(Kind::File) => None,
            None => Some((Code::MissingKey, self.configuration_file(), nowhere)),
            Some(kind) => {
                let what = if kind == Kind::Link {
                    "a symbolic link, which is not read"
                } else {
                    "not a regular file"
                };
                let message = format!("`{SUPPORTED_FILE}` is {what}");
                Some((Code::InvalidValue, Arc::clone(&file), message))
            }
        };
        if let Some((code, place, message)) = found {
            let finding = Finding::new(code, message).at(&place, 0..0, "");
            self.findings.push(finding.help(format!(
                "write a file `{SUPPORTED_FILE}` with a line for each platform: `cp39 win_amd64`"
            )));
            return Ok(());
        }
        let bytes = files
            .read(&file)
            .map_err(|error| LoadError::Unreadable(files.path(&file), error))?;
        let (text, mut findings) = decode(&file, bytes);
        if findings.is_empty() {
            let (platforms, found) = supported::parse(&file, &text);
            self.configuration.platforms = platforms.keys().cloned().collect();
            let origins = platforms.into_iter();
            self.configuration.platform_origins = origins
                .map(|(platform, span)| (platform, (Arc::clone(&file), span)))
                .collect();
            findings = found;
        }
        self.findings.append(&mut findings);
        self.texts.insert(file, SourceText::new(text));
        Ok(())
    }

    /// The name of `ipwhl.toml` in findings.
    pub fn configuration_file(&self) -> Arc<str> {
        CONFIGURATION_FILE.into()
    }

    /// Whether the texts have findings of severity error; then the set is not checked as a whole.
    pub fn has_errors(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.severity == Severity::Error)
    }

    /// Whether the settings could not be read completely.
    pub fn has_configuration_errors(&self) -> bool {
        self.findings.iter().any(|finding| {
            finding.severity == Severity::Error
                && finding
                    .labels
                    .first()
                    .is_some_and(|label| &*label.file == CONFIGURATION_FILE)
        })
    }

    /// The first symbolic link on the path to the declarations. Files are neither read nor written
    /// through it.
    pub fn link_to_declarations(&self) -> Option<String> {
        let files = Folder::new(&self.directory);
        first_link(&files, &self.configuration.declarations)
    }

    fn load_declarations<F: Files>(&mut self, files: &F) -> Result<(), LoadError> {
        let folder = self.configuration.declarations.clone();
        if let Some(link) = first_link(files, &folder) {
            let finding = Finding::new(
                Code::InvalidValue,
                format!("`{link}`, on the path to the declarations, is a symbolic link"),
            )
            .at(&self.configuration_file(), 0..0, "")
            .help("replace it with the folder itself; links are not followed");
            self.findings.push(finding);
            return Ok(());
        }
        if files.kind(&folder) != Some(Kind::Folder) {
            if !F::HAS_EMPTY_FOLDERS {
                return Ok(());
            }
            // The name of the folder may be in the part that could not be read.
            if self.has_errors() {
                return Ok(());
            }
            let finding = Finding::new(
                Code::MissingKey,
                format!("the folder of the declarations, `{folder}`, does not exist"),
            )
            .at(&self.configuration_file(), 0..0, "")
            .help(format!(
                "create it: `mkdir {}`, then `ipwhl add NAME`",
                shell_word(&folder)
            ));
            self.findings.push(finding);
            return Ok(());
        }
        let (mut names, mut strays) = walk(files, &folder, 0, self.configuration.layout)?;
        // The contents of this file are unknown, so its project does not count as unneeded.
        for label in strays.iter().flat_map(|finding| &finding.labels) {
            let project = presumed_project(&label.file, self.configuration.layout);
            self.unreadable.extend(project);
        }
        self.findings.append(&mut strays);
        names.sort();
        let layout = self.configuration.layout;
        let format = self.configuration.format;
        // One task for each text, on all processors; the results stay in order.
        let mut taken: BTreeSet<String> = names.iter().cloned().collect();
        let texts: Vec<Result<Understood, LoadError>> = names
            .into_par_iter()
            .map(|name| {
                let unreadable = |error| LoadError::Unreadable(files.path(&name), error);
                let bytes = files.read(&name).map_err(unreadable)?;
                Ok(understand(name.into(), bytes, layout, format))
            })
            .collect();
        for text in texts {
            let text = text?;
            // The right path may already have another declaration, or be proposed for another one.
            let misplaced = misplaced(&text.file, &folder, &text.parsed.wheels, layout, &mut taken);
            self.findings.extend(misplaced);
            self.take(text);
        }
        self.leave_out_too_large();
        let undecided = undecided(self.declarations.values(), &self.configuration.platforms);
        self.findings.extend(undecided);
        for declaration in self.declarations.values_mut() {
            declaration
                .wheels
                .sort_by(|left, right| left.file_name.as_str().cmp(right.file_name.as_str()));
        }
        Ok(())
    }

    /// The wheels of one project may be in many files. For a project beyond the limits no other
    /// findings are reported.
    fn leave_out_too_large(&mut self) {
        let findings = self.declarations.values().filter_map(|declaration| {
            let mut tally = Tally::default();
            declaration.wheels.iter().find_map(|wheel| tally.add(wheel))
        });
        let findings: Vec<Finding> = findings.collect();
        for finding in &findings {
            if let Some(project) = &finding.subject.project {
                self.declarations.remove(project);
                self.unreadable.insert(project.clone());
            }
        }
        self.findings.extend(findings);
    }

    fn take(&mut self, understood: Understood) {
        let Understood {
            file,
            text,
            parsed,
            mut findings,
            project,
        } = understood;
        self.texts.insert(Arc::clone(&file), SourceText::new(text));
        if parsed.wheels.is_empty() {
            self.unreadable.extend(project);
        }
        for wheel in parsed.wheels {
            let project = wheel.file_name.name().clone();
            let declaration =
                self.declarations
                    .entry(project.clone())
                    .or_insert_with(|| Declaration {
                        project,
                        file: Arc::clone(&file),
                        automatic: parsed.automatic,
                        automatic_span: parsed.automatic_span.clone(),
                        provenance: parsed.provenance.clone(),
                        wheels: Vec::new(),
                    });
            declaration.wheels.push(wheel);
        }
        self.findings.append(&mut findings);
    }
}

/// The contents of one file.
struct Understood {
    file: Arc<str>,
    text: String,
    parsed: Parsed,
    findings: Vec<Finding>,
    /// Its project.
    project: Option<ProjectName>,
}

fn understand(file: Arc<str>, bytes: Vec<u8>, layout: Layout, format: FormatVersion) -> Understood {
    let (text, mut findings) = decode(&file, bytes);
    let mut parsed = Parsed::default();
    if findings.is_empty() {
        parsed = parse_declaration(&file, &text, layout, format);
        findings.append(&mut parsed.findings);
    }
    // The project that a waiver would name; the name of an unreadable file is presumed right.
    let project = match parsed.wheels.first() {
        Some(wheel) => Some(wheel.file_name.name().clone()),
        None => presumed_project(&file, layout),
    };
    for finding in &mut findings {
        if finding.subject.project.is_none() {
            finding.subject.project.clone_from(&project);
        }
    }
    Understood {
        file,
        text,
        parsed,
        findings,
        project,
    }
}

/// The presumed project of a file that cannot be read.
pub fn presumed_project(file: &str, layout: Layout) -> Option<ProjectName> {
    let mut parts = file.rsplit('/');
    let name = parts.next()?.strip_suffix(".toml")?;
    match layout {
        Layout::Package => name.parse().ok(),
        Layout::Ipwhl1 => parts.next()?.parse().ok(),
    }
}
