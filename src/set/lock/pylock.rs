//! The text of a `pylock.toml`.
//!
//! Specification: PEP 751, version 1.0.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ipwhl_packaging::{ExtraName, Marker, ProjectName, requires_python, specifiers_text};
use ipwhl_unixfs::Sha256Digest;
use toml_edit::Value;

use super::closures::{Closures, Root};
use super::packages::{LockError, LockedProject, LockedProjects, Part};
use crate::set::declaration::DeclaredWheel;
use crate::set::graph::Graph;

/// The places of the wheels that a lock names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Places {
    /// `PROJECT/FILE` after this path with a slash at its end, relative to the folder of the lock
    /// file; the path is empty at the top of a release.
    Relative(&'static str),
    /// `PROJECT/FILE` below an address that ends with a slash.
    Below(String),
}

/// The size and the digest of a wheel.
pub type WheelDigest = (u64, Sha256Digest);

/// Writes a lock file.
pub struct Pylock<'a, 'r> {
    /// The set.
    pub graph: &'a Graph<'r>,
    /// The closures of the set.
    pub closures: &'a Closures<'r>,
    /// What the file is about.
    pub part: Part<'r>,
    /// Where its wheels are.
    pub places: Places,
    /// The digests of wheels.
    pub digest: &'a dyn Fn(&DeclaredWheel) -> Option<WheelDigest>,
}

impl Pylock<'_, '_> {
    /// The text of the file.
    ///
    /// # Errors
    /// When what the file must say is not known.
    pub fn text(&self) -> Result<String, LockError> {
        let locked = LockedProjects::of(self.graph, self.closures, &self.part)?;
        let platforms = self.graph.platforms;
        let mut text = self.head();
        text += "lock-version = \"1.0\"\n";
        let environments = Marker::of_environments(platforms);
        write_list(
            &mut text,
            "environments",
            environments.iter().map(ToString::to_string),
        );
        if let Some(python) = requires_python(platforms) {
            let _ = writeln!(text, "requires-python = {}", quoted(&python));
        }
        if !matches!(self.part, Part::Together(_)) {
            write_list(
                &mut text,
                "extras",
                locked.extras.iter().map(ToString::to_string),
            );
        }
        text += "created-by = \"ipwhl\"\n";
        if locked.projects.is_empty() {
            // The key is required.
            text += "packages = []\n";
        }
        let repository = quoted(&self.graph.repository.configuration.name);
        let _ = writeln!(text, "\n[tool.ipwhl]\nrepository = {repository}");
        match &self.part {
            Part::Each => {}
            Part::Project(project) => {
                write_list(&mut text, "projects", std::iter::once(project.to_string()));
            }
            Part::Together(roots) => write_list(&mut text, "projects", named(roots).into_iter()),
        }
        for project in &locked.projects {
            self.write_package(&mut text, project)?;
        }
        Ok(text)
    }

    /// The comment at the top, for people.
    fn head(&self) -> String {
        let name = &self.graph.repository.configuration.name;
        let mut text = format!("# From the repository `{name}`, by `ipwhl lock`.\n");
        match self.part {
            Part::Each => {
                text += "# Each project of the set is an extra of this file, and so is each extra of a project:\n\
                         # `project--extra`. Without one, pip installs nothing.\n\
                         #\n\
                         #     pip install -r 'pylock.toml[PROJECT]'\n\
                         #     uv pip install -r pylock.toml --extra PROJECT\n";
            }
            Part::Project(project) => {
                let _ = writeln!(
                    text,
                    "# It installs `{project}`; its extras are those of `{project}`."
                );
            }
            Part::Together(_) => {}
        }
        if let Some(python) = requires_python(self.graph.platforms) {
            let _ = writeln!(text, "# It needs Python {python}.");
        }
        text + "\n"
    }

    fn write_package(
        &self,
        text: &mut String,
        locked: &LockedProject<'_>,
    ) -> Result<(), LockError> {
        let declaration = locked.declaration;
        let project = &declaration.project;
        let _ = write!(
            text,
            "\n[[packages]]\nname = {}\nversion = {}\n",
            quoted(project.as_str()),
            quoted(&declaration.version().to_string())
        );
        if let Some(marker) = &locked.marker {
            let _ = writeln!(text, "marker = {}", quoted(marker));
        }
        let mut pythons = declaration.wheels.iter().map(|wheel| {
            let specifiers = wheel.requires_python.as_ref();
            specifiers.map(|specifiers| specifiers_text(&specifiers.value))
        });
        if let Some(Some(python)) = pythons.next()
            && pythons.all(|other| other.as_ref() == Some(&python))
        {
            let _ = writeln!(text, "requires-python = {}", quoted(&python));
        }
        *text += "wheels = [\n";
        for wheel in &declaration.wheels {
            let name = wheel.file_name.as_str();
            let (size, sha256) =
                (self.digest)(wheel).ok_or_else(|| LockError::UnknownDigest(name.to_owned()))?;
            let place = match &self.places {
                Places::Relative(folder) => {
                    format!("path = {}", quoted(&format!("{folder}{project}/{name}")))
                }
                Places::Below(base) => {
                    format!("url = {}", quoted(&format!("{base}{project}/{name}")))
                }
            };
            let _ = write!(text, "    {{ name = {}, ", quoted(name));
            if let Some(uploaded) = &wheel.uploaded {
                let _ = write!(text, "upload-time = {}, ", uploaded.value);
            }
            let _ = writeln!(
                text,
                "{place}, size = {size}, hashes = {{ sha256 = \"{sha256}\" }} }},"
            );
        }
        *text += "]\n";
        Ok(())
    }
}

/// The roots as people write them: each project once, with its extras.
pub fn named(roots: &[Root<'_>]) -> Vec<String> {
    let mut extras: BTreeMap<&ProjectName, BTreeSet<&str>> = BTreeMap::new();
    for root in roots {
        let names = extras.entry(root.project).or_default();
        names.extend(root.extra.map(ExtraName::as_str));
    }
    let named = extras.into_iter().map(|(project, extras)| {
        let extras: Vec<&str> = extras.into_iter().collect();
        match extras.as_slice() {
            [] => project.to_string(),
            extras => format!("{project}[{}]", extras.join(",")),
        }
    });
    named.collect()
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn write_list(text: &mut String, key: &str, values: impl Iterator<Item = String>) {
    let _ = writeln!(text, "{key} = [");
    for value in values {
        let _ = writeln!(text, "    {},", quoted(&value));
    }
    *text += "]\n";
}
