//! The repository that a published release carries: its declarations, and what `release.json` says of its settings.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use ipwhl_packaging::{Platform, ProjectName};
use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::{CarError, Tree};
use serde::Deserialize;
use toml_edit::Value;

use crate::release::names::{DECLARATION, JSON};
use crate::release::reader::{Published, PublishedProject};
use crate::set::repository::{CONFIGURATION_FILE, Repository};

/// A published release, read whole but for its wheels.
#[derive(Debug)]
pub struct Carried {
    /// The folders of its projects.
    pub projects: BTreeMap<ProjectName, PublishedProject>,
    /// The repository that it was built from, as far as the release says; `None` in the layout `ipwhl-1`, whose
    /// releases carry no declarations.
    pub repository: Option<Repository>,
}

/// What `release.json` says of the settings.
#[derive(Deserialize)]
struct About {
    format: u32,
    name: String,
    profile: String,
    platforms: Vec<PlatformEntry>,
    #[serde(default)]
    severity: BTreeMap<String, String>,
    waivers: Vec<WaiverEntry>,
}

/// A platform as `release.json` lists it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlatformEntry {
    platform: String,
    minimum_patch: u64,
}

#[derive(Deserialize)]
struct WaiverEntry {
    code: String,
    project: String,
    requirement: Option<String>,
    wheel: Option<String>,
    extra: Option<String>,
    #[serde(default)]
    platforms: Vec<String>,
    reason: String,
    expires: String,
}

impl Published<'_> {
    /// Reads every project's folder, and makes a repository of the declarations in them, as if they lay in the folder
    /// `declarations`; `file:` sources are in `directory`.
    ///
    /// # Errors
    /// When a block cannot be had, or this is no release: a folder that is no project's, a page that is none, wheels
    /// that are not those of the declaration beside them.
    pub fn carried(&self, directory: &Path, declarations: &str) -> Result<Carried, CarError> {
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
            return Ok(Carried {
                projects,
                repository: None,
            });
        }
        let top = self.root();
        let refuse = |reason: String| CarError::Tree { cid: top, reason };
        let about = self
            .about()?
            .ok_or_else(|| refuse("is no release: it does not say what it is".to_owned()))?;
        let about: About = serde_json::from_slice(&about)
            .map_err(|error| refuse(format!("has a `release.json` that is none: {error}")))?;
        if about.format != 1 {
            let format = about.format;
            return Err(refuse(format!(
                "has the format {format}, which is not known here"
            )));
        }
        files.insert(
            CONFIGURATION_FILE.to_owned(),
            about.settings(declarations).into_bytes(),
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
        Ok(Carried {
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

impl About {
    /// The `ipwhl.toml` that says the same.
    fn settings(&self, declarations: &str) -> String {
        let quoted = |text: &str| Value::from(text).to_string();
        let list = |texts: &mut dyn Iterator<Item = String>| {
            let texts: Vec<String> = texts.map(|text| quoted(&text)).collect();
            format!("[{}]", texts.join(", "))
        };
        let mut text = format!(
            "[repository]\nformat = 1\nname = {}\nprofile = {}\ndeclarations = {}\n\n[platforms]\nalso = {}\n",
            quoted(&self.name),
            quoted(&self.profile),
            quoted(declarations),
            list(&mut self.platforms.iter().map(PlatformEntry::with_floor)),
        );
        if !self.severity.is_empty() {
            text += "\n[severity]\n";
            for (code, weight) in &self.severity {
                let _ = writeln!(text, "{} = {}", quoted(code), quoted(weight));
            }
        }
        for waiver in &self.waivers {
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
}

impl PlatformEntry {
    /// The platform, if it is one that can be supported.
    pub fn platform(&self) -> Option<Platform> {
        self.with_floor().parse().ok()
    }

    /// As `[platforms]` writes it: `cp311>=3.11.5-win_amd64`.
    fn with_floor(&self) -> String {
        let whole = &self.platform;
        let parts = whole.split_once('-').and_then(|(tag, system)| {
            let digits = tag.get(2..)?.trim_end_matches('t');
            let (major, minor) = digits.split_at_checked(1)?;
            Some((tag, system, major, minor))
        });
        match parts {
            Some((tag, system, major, minor)) if self.minimum_patch > 0 => {
                format!("{tag}>={major}.{minor}.{}-{system}", self.minimum_patch)
            }
            _ => whole.clone(),
        }
    }
}

/// Whether a project's folder has the wheels that its declaration names, and no other: what is compared is what is
/// declared, and what is installed is what lies there.
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
