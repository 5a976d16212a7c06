//! The repository in a published release: its declarations, and the settings in `release.json`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use ipwhl_packaging::ProjectName;
use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::{CarError, Tree};
use toml_edit::Value;

use crate::release::names::{DECLARATION, JSON};
use crate::release::reader::{PublishedProject, ReleaseReader};
use crate::release::tree::{PlatformJson, ReleaseJson, ReleaseJsonError};
use crate::set::repository::{CONFIGURATION_FILE, Repository};

/// A published release, read completely except for its wheels.
#[derive(Debug)]
pub struct EmbeddedRepository {
    /// The folders of its projects.
    pub projects: BTreeMap<ProjectName, PublishedProject>,
    /// The repository that it was built from, as far as the release contains it; `None` in the
    /// layout `ipwhl-1`, whose releases have no declarations.
    pub repository: Option<Repository>,
}

impl ReleaseReader<'_> {
    /// Reads every project's folder, and makes a repository of their declarations, as if they were
    /// in the folder `declarations`; `file:` sources are in `directory`.
    ///
    /// # Errors
    /// When a block is missing, or this is not a release: a folder does not belong to a project, a
    /// page is invalid, or wheels are not those of the declaration beside them.
    pub fn embedded_repository(
        &self,
        directory: &Path,
        declarations: &str,
    ) -> Result<EmbeddedRepository, CarError> {
        self.prefetch()?;
        let mut projects = BTreeMap::new();
        let mut files = BTreeMap::new();
        for (name, link) in self.projects() {
            let refuse = |reason: String| CarError::Tree {
                cid: link.cid,
                reason: format!("is not part of a release: {reason}"),
            };
            let shown = name.escape_debug();
            let project: ProjectName = name
                .parse()
                .ok()
                .filter(|project: &ProjectName| project.as_str() == name)
                .ok_or_else(|| {
                    refuse(format!("`{shown}` is not a normalised name of a project"))
                })?;
            let folder = self.project(name)?.unwrap_or_default();
            if folder.wheels.is_empty() {
                return Err(refuse(format!("`{shown}` has no wheel")));
            }
            match (&folder.declaration, self.has_pages()) {
                (Some(text), true) => {
                    files.insert(
                        format!("{declarations}/{name}.toml"),
                        text.clone().into_bytes(),
                    );
                }
                (None, true) => {
                    return Err(refuse(format!("`{shown}` has no `{DECLARATION}`")));
                }
                (_, false) => {}
            }
            projects.insert(project, folder);
        }
        if !self.has_pages() {
            return Ok(EmbeddedRepository {
                projects,
                repository: None,
            });
        }
        let top = self.root();
        let refuse = |reason: String| CarError::Tree { cid: top, reason };
        let about = self
            .about()?
            .ok_or_else(|| refuse("is not a release: it has no `release.json`".to_owned()))?;
        let about = ReleaseJson::parse(&about).map_err(|error| {
            refuse(match error {
                ReleaseJsonError::Unreadable(reason) => {
                    format!("has an invalid `release.json`: {reason}")
                }
                ReleaseJsonError::UnknownFormat(format) => {
                    format!("has the format {format}, which is unknown")
                }
            })
        })?;
        files.insert(
            CONFIGURATION_FILE.to_owned(),
            settings(&about, declarations).into_bytes(),
        );
        let repository = Repository::load_texts(directory, files)
            .map_err(|error| refuse(format!("has an invalid repository: {error}")))?;
        for (name, folder) in &projects {
            agree(name, folder, &repository).map_err(refuse)?;
        }
        let declared = repository.declarations.keys();
        if let Some(name) = declared
            .into_iter()
            .find(|name| !projects.contains_key(*name))
        {
            return Err(refuse(format!(
                "was not made by a build: it declares `{name}` but has no folder of it"
            )));
        }
        Ok(EmbeddedRepository {
            projects,
            repository: Some(repository),
        })
    }

    /// Requests the blocks of all projects at once, because each takes time.
    fn prefetch(&self) -> Result<(), CarError> {
        let folders: Vec<Cid> = self.projects().values().map(|link| link.cid).collect();
        self.blocks().prefetch(&folders);
        let mut small = Vec::new();
        for folder in folders {
            for entry in self.blocks().list(&folder)?.unwrap_or_default() {
                if [DECLARATION, JSON].contains(&entry.name.as_str()) {
                    small.push(entry.link.cid);
                }
            }
        }
        self.blocks().prefetch(&small);
        Ok(())
    }
}

/// The `ipwhl.toml` that is equivalent to a `release.json`. Findings about settings and waivers
/// point into it.
fn settings(about: &ReleaseJson, declarations: &str) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    let list = |texts: &mut dyn Iterator<Item = String>| {
        let texts: Vec<String> = texts.map(|text| quoted(&text)).collect();
        format!("[{}]", texts.join(", "))
    };
    let mut text = format!(
        "[repository]\nformat = {}\nname = {}\nprofile = {}\ndeclarations = {}\n\n[platforms]\nalso = {}\n",
        about.format,
        quoted(&about.name),
        quoted(&about.profile),
        quoted(declarations),
        list(&mut about.platforms.iter().map(PlatformJson::with_floor)),
    );
    if !about.severity.is_empty() {
        text += "\n[severity]\n";
        for (code, weight) in &about.severity {
            let _ = writeln!(text, "{} = {}", quoted(code), quoted(weight));
        }
    }
    for waiver in &about.waivers {
        let _ = write!(
            text,
            "\n[[waiver]]\ncode = {}\nproject = {}\nreason = {}\n",
            quoted(&waiver.code),
            quoted(&waiver.project),
            quoted(&waiver.reason)
        );
        let optional = [
            ("requirement", &waiver.requirement),
            ("wheel", &waiver.wheel),
            ("extra", &waiver.extra),
        ];
        for (key, value) in optional {
            if let Some(value) = value {
                let _ = writeln!(text, "{key} = {}", quoted(value));
            }
        }
        if !waiver.platforms.is_empty() {
            let platforms = list(&mut waiver.platforms.iter().cloned());
            let _ = writeln!(text, "platforms = {platforms}");
        }
        // A date is written without quotes; any other text stays in quotes and is refused.
        let is_day = waiver
            .expires
            .chars()
            .all(|sign| sign.is_ascii_digit() || sign == '-');
        let expires = if is_day && !waiver.expires.is_empty() {
            waiver.expires.clone()
        } else {
            quoted(&waiver.expires)
        };
        let _ = writeln!(text, "expires = {expires}");
    }
    text
}

/// Whether a project's folder has exactly the declared wheels: declarations are compared, but files
/// are installed.
fn agree(
    name: &ProjectName,
    folder: &PublishedProject,
    repository: &Repository,
) -> Result<(), String> {
    let Some(declaration) = repository.declarations.get(name) else {
        // An unreadable declaration is reported as such.
        return if repository.unreadable.contains(name) {
            Ok(())
        } else {
            Err(format!(
                "was not made by a build: the declaration in `{name}` is of another project"
            ))
        };
    };
    let declared: BTreeMap<&str, Cid> = declaration
        .wheels
        .iter()
        .map(|wheel| (wheel.file_name.as_str(), wheel.content_id.value))
        .collect();
    let there: BTreeMap<&str, Cid> = folder
        .wheels
        .iter()
        .map(|(file_name, wheel)| (file_name.as_str(), wheel.link.cid))
        .collect();
    if declared == there {
        return Ok(());
    }
    let differing = declared
        .keys()
        .chain(there.keys())
        .find(|file_name| declared.get(*file_name) != there.get(*file_name));
    Err(format!(
        "was not made by a build: in `{name}`, `{}` differs from the declaration beside it",
        differing.map_or("", |file_name| *file_name).escape_debug()
    ))
}
