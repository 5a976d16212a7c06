//! The text of a `pylock.toml`.
//!
//! Specification: PEP 751, version 1.0.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use ipwhl_packaging::{
    ExtraName, Marker, Platform, ProjectName, SelectedMarker, requires_python, specifiers_text,
};
use ipwhl_unixfs::Sha256Digest;
use toml_edit::Value;

use super::closures::{Closures, Platforms, Root};
use crate::set::declaration::{Declaration, DeclaredWheel};
use crate::set::graph::Graph;

/// The places of the wheels that a lock names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Places {
    /// `PROJECT/FILE`, relative to the folder of the lock file: the tree of a release.
    Beside,
    /// The same below an address that ends with a slash.
    Below(String),
}

/// What a lock file is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<'r> {
    /// Each project and each extra is an extra of the lock file.
    Each,
    /// These roots together, without extras.
    Together(Vec<Root<'r>>),
}

/// The size and the digest of a wheel.
pub type WheelDigest = (u64, Sha256Digest);

/// The reason why a lock file cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Two roots have the same normalised name, so an installer could not tell which is meant.
    #[error("`{one}` and `{other}` would both be the extra `{extra}` of the lock file")]
    SameExtra {
        /// The name.
        extra: ExtraName,
        /// The first root.
        one: String,
        /// The second one.
        other: String,
    },
    /// The SHA-256 or the size of this wheel is not known.
    #[error("the SHA-256 or the size of `{0}` is not known")]
    UnknownDigest(String),
    /// Where this project is needed cannot be said with markers.
    #[error("no marker tells the platforms where `{0}` is needed from the others")]
    NoMarker(ProjectName),
}

/// Writes a lock file.
pub struct Pylock<'a, 'r> {
    /// The set.
    pub graph: &'a Graph<'r>,
    /// What the file is about.
    pub part: Part<'r>,
    /// Where its wheels are.
    pub places: Places,
    /// The digests of wheels.
    pub digest: &'a dyn Fn(&DeclaredWheel) -> Option<WheelDigest>,
}

impl<'r> Pylock<'_, 'r> {
    /// The text of the file.
    ///
    /// # Errors
    /// When two roots have one name, or what a file must say is not known.
    pub fn text(&self) -> Result<String, LockError> {
        let closures = match &self.part {
            Part::Each => Closures::of(self.graph, |_| true),
            Part::Together(roots) => Closures::of(self.graph, |root| roots.contains(root)),
        };
        let extras = match self.part {
            Part::Each => extra_names(&closures.roots)?,
            Part::Together(_) => HashMap::new(),
        };
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
        if self.part == Part::Each {
            let names = closures.roots.iter().filter_map(|root| extras.get(root));
            write_list(&mut text, "extras", names.map(ToString::to_string));
        }
        text += "created-by = \"ipwhl\"\n";
        let repository = quoted(&self.graph.repository.configuration.name);
        let _ = writeln!(text, "\n[tool.ipwhl]\nrepository = {repository}");
        if let Part::Together(roots) = &self.part {
            write_list(&mut text, "projects", roots.iter().map(ToString::to_string));
        }
        // Few of the many sets of platforms are different.
        let mut conditions: HashMap<Platforms, Option<SelectedMarker>> = HashMap::new();
        for (project, groups) in &closures.bringing {
            let Some(declaration) = self.graph.repository.declarations.get(*project) else {
                continue;
            };
            let mut alternatives = Vec::new();
            for (on, roots) in self.joined(groups) {
                let condition = conditions
                    .entry(on.clone())
                    .or_insert_with(|| condition(platforms, &on));
                let condition = condition.clone();
                let condition = condition.ok_or_else(|| LockError::NoMarker((*project).clone()))?;
                let names = roots.iter().filter_map(|root| extras.get(root));
                alternatives.extend(alternative(&condition, names));
            }
            if !alternatives.is_empty() {
                self.write_package(&mut text, declaration, &alternatives)?;
            }
        }
        Ok(text)
    }

    /// The comment at the top, for people.
    fn head(&self) -> String {
        let name = &self.graph.repository.configuration.name;
        let mut text = format!("# From the repository `{name}`, by `ipwhl lock`.\n");
        if self.part == Part::Each {
            text += "# Each project of the set is an extra of this file, and so is each extra of a project:\n\
                     # `project--extra`. Without one, pip installs nothing.\n\
                     #\n\
                     #     pip install -r 'pylock.toml[PROJECT]'\n\
                     #     uv pip install -r pylock.toml --extra PROJECT\n";
        }
        if let Some(python) = requires_python(self.graph.platforms) {
            let _ = writeln!(text, "# It needs Python {python}.");
        }
        text + "\n"
    }

    /// The groups of roots by platforms; if the file has no extras, one group.
    fn joined(
        &self,
        groups: &BTreeMap<Platforms, Vec<Root<'r>>>,
    ) -> Vec<(Platforms, Vec<Root<'r>>)> {
        match self.part {
            Part::Each => groups
                .iter()
                .map(|(on, roots)| (on.clone(), roots.clone()))
                .collect(),
            Part::Together(_) => vec![(groups.keys().flatten().copied().collect(), Vec::new())],
        }
    }

    fn write_package(
        &self,
        text: &mut String,
        declaration: &Declaration,
        alternatives: &[String],
    ) -> Result<(), LockError> {
        let project = &declaration.project;
        let _ = write!(
            text,
            "\n[[packages]]\nname = {}\nversion = {}\n",
            quoted(project.as_str()),
            quoted(&declaration.version().to_string())
        );
        let marker = alternatives.join(" or ");
        if marker != ALWAYS {
            let _ = writeln!(text, "marker = {}", quoted(&marker));
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
                Places::Beside => format!("path = {}", quoted(&format!("{project}/{name}"))),
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

/// A part of a marker that always holds.
const ALWAYS: &str = "";

/// The part of a package's marker for roots that bring it on some platforms; `None` if it never
/// holds.
fn alternative<'e>(
    condition: &SelectedMarker,
    extras: impl Iterator<Item = &'e ExtraName>,
) -> Option<String> {
    let extras: Vec<String> = extras
        .map(|extra| format!("\"{extra}\" in extras"))
        .collect();
    let asked = extras.join(" or ");
    match condition {
        SelectedMarker::Never => None,
        SelectedMarker::Always => Some(asked),
        SelectedMarker::Where(marker) => {
            let marker = marker.to_string();
            Some(match extras.len() {
                0 => marker,
                1 => format!("{asked} and {}", grouped(&marker)),
                _ => format!("({asked}) and {}", grouped(&marker)),
            })
        }
    }
}

/// A marker as an operand of `and`.
fn grouped(marker: &str) -> String {
    if marker.contains(" or ") {
        format!("({marker})")
    } else {
        marker.to_owned()
    }
}

/// The marker of some platforms; `None` if there is none.
fn condition(platforms: &[Platform], on: &Platforms) -> Option<SelectedMarker> {
    let numbered = platforms.iter().enumerate();
    SelectedMarker::of_platforms(numbered.map(|(index, platform)| (platform, on.contains(&index))))
}

/// The name of each root as an extra of the lock file.
fn extra_names<'r>(roots: &[Root<'r>]) -> Result<HashMap<Root<'r>, ExtraName>, LockError> {
    let mut names = HashMap::new();
    let mut known: HashMap<ExtraName, Root<'r>> = HashMap::new();
    for root in roots {
        let text = match root.extra {
            None => root.project.to_string(),
            Some(extra) => format!("{}--{extra}", root.project),
        };
        // The names of projects and extras consist of the same characters.
        let Ok(name) = text.parse::<ExtraName>() else {
            continue;
        };
        if let Some(one) = known.insert(name.clone(), *root) {
            return Err(LockError::SameExtra {
                extra: name,
                one: one.to_string(),
                other: root.to_string(),
            });
        }
        names.insert(*root, name);
    }
    Ok(names)
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
