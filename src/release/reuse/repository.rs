//! The repository that a published release carries: its declarations, and what `release.json` says
//! of its settings.

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

/// A published release, read whole but for its wheels.
#[derive(Debug)]
pub struct EmbeddedRepository {
    /// The folders of its projects.
    pub projects: BTreeMap<ProjectName, PublishedProject>,
    /// The repository that it was built from, as far as the release says; `None` in the layout
    /// `ipwhl-1`, whose releases carry no declarations.
    pub repository: Option<Repository>,
}

impl ReleaseReader<'_> {
    /// Reads every project's folder, and makes a repository of the declarations in them, as if they
    /// lay in the folder `declarations`; `file:` sources are in `directory`.
    ///
    /// # Errors
    /// When a block cannot be had, or this is no release: a folder that is no project's, a page
    /// that is none, wheels that are not those of the declaration beside them.
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
                reason: format!("is of no release: {reason}"),
            };
            let shown = name.escape_debug();
            let project: ProjectName = name
                .parse()
                .ok()
                .filter(|project: &ProjectName| project.as_str() == name)
                .ok_or_else(|| refuse(format!("`{shown}` is no normalised name of a project")))?;
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
            .ok_or_else(|| refuse("is no release: it does not say what it is".to_owned()))?;
        let about = ReleaseJson::parse(&about).map_err(|error| {
            refuse(match error {
                ReleaseJsonError::Unreadable(reason) => {
                    format!("has a `release.json` that is none: {reason}")
                }
                ReleaseJsonError::UnknownFormat(format) => {
                    format!("has the format {format}, which is not known here")
                }
            })
        })?;
        files.insert(
            CONFIGURATION_FILE.to_owned(),
            settings(&about, declarations).into_bytes(),
        );
        let repository = Repository::load_texts(directory, files)
            .map_err(|error| refuse(format!("carries no repository: {error}")))?;
        for (name, folder) in &projects {
            agree(name, folder, &repository).map_err(refuse)?;
        }
        let declared = repository.declarations.keys();
        if let Some(name) = declared
            .into_iter()
            .find(|name| !projects.contains_key(*name))
        {
            return Err(refuse(format!(
                "is no release that a build makes: it declares `{name}` and has no folder of it"
            )));
        }
        Ok(EmbeddedRepository {
            projects,
            repository: Some(repository),
        })
    }

    /// Asks for the blocks of all projects at once, which take their time one by one.
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

/// The `ipwhl.toml` that says the same as a `release.json`. Findings about settings and waivers
/// point into it.
fn settings(about: &ReleaseJson, declarations: &str) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    let list = |texts: &mut dyn Iterator<Item = String>| {
        let texts: Vec<String> = texts.map(|text| quoted(&text)).collect();
        format!("[{}]", texts.join(", "))
    };
    let mut text = format!(
        "[repository]\nformat = 1\nname = {}\nprofile = {}\ndeclarations = {}\n\n[platforms]\nalso = {}\n",
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
        // A day stands without quotes; anything else is refused as what it is.
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

/// Whether a project's folder has the wheels that its declaration names, and no other: what is
/// compared is what is declared, and what is installed is what lies there.
fn agree(
    name: &ProjectName,
    folder: &PublishedProject,
    repository: &Repository,
) -> Result<(), String> {
    let Some(declaration) = repository.declarations.get(name) else {
        // One that cannot be read is told as that.
        return if repository.unreadable.contains(name) {
            Ok(())
        } else {
            Err(format!(
                "is no release that a build makes: the declaration in `{name}` is of another project"
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
        "is no release that a build makes: in `{name}`, `{}` is not what the declaration beside it says",
        differing.map_or("", |file_name| *file_name).escape_debug()
    ))
}
