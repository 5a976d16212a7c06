//! The comparison of two states.

use std::collections::BTreeSet;

use ipwhl_packaging::ProjectName;
use ipwhl_unixfs::Sha256Digest;
use serde::Serialize;

use super::Kind;
use super::pairs::{Named, pairs};
use super::settings::{SettingChange, SettingsExtent, changes};
use super::snapshot::{Declared, ProjectState, Snapshot};

/// The differences between two states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference<'s> {
    /// Settings that differ, by key: first the trusted keys and the publish targets.
    pub settings: Vec<SettingChange>,
    /// The known part of the settings, in the old state and the new one.
    pub settings_known: [SettingsExtent; 2],
    /// Projects that are added, removed or changed, by name.
    pub projects: Vec<ProjectChange<'s>>,
    /// Projects that cannot be read in the old state, or the new one, and so are not compared.
    pub unreadable: [Vec<&'s ProjectName>; 2],
    /// Projects that can be read only in part in the old state, or the new one; the rest is
    /// compared.
    pub partial: [Vec<&'s ProjectName>; 2],
    /// The number of unchanged projects.
    pub unchanged: usize,
}

/// A project that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectChange<'s> {
    /// Its name.
    pub name: &'s ProjectName,
    /// Its old state.
    pub old: Option<&'s ProjectState>,
    /// Its new state.
    pub new: Option<&'s ProjectState>,
    /// Its wheels that differ.
    pub wheels: Vec<WheelChange<'s>>,
    /// The number of its unchanged wheels.
    pub unchanged: usize,
}

/// A wheel that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WheelChange<'s> {
    /// Its old state, with its name.
    pub old: Option<Named<'s>>,
    /// Its new state, with its name.
    pub new: Option<Named<'s>>,
    /// The platforms of both sets.
    supported: [&'s [String]; 2],
}

/// The removed and the added values of a set.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SetChange {
    /// The removed values.
    pub removed: Vec<String>,
    /// The added values.
    pub added: Vec<String>,
}

impl SetChange {
    fn between(
        old: impl IntoIterator<Item = String>,
        new: impl IntoIterator<Item = String>,
    ) -> Self {
        let old: BTreeSet<String> = old.into_iter().collect();
        let new: BTreeSet<String> = new.into_iter().collect();
        Self {
            removed: old.difference(&new).cloned().collect(),
            added: new.difference(&old).cloned().collect(),
        }
    }

    /// Whether nothing has changed.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }
}

/// Compares two states.
pub fn difference<'s>(old: &'s Snapshot, new: &'s Snapshot) -> Difference<'s> {
    let names: BTreeSet<&ProjectName> = old.projects.keys().chain(new.projects.keys()).collect();
    let mut projects = Vec::new();
    let mut unchanged = 0;
    for name in names {
        if old.unreadable.contains(name) || new.unreadable.contains(name) {
            continue;
        }
        let supported = [&*old.platforms, &*new.platforms];
        let change = project(
            name,
            supported,
            old.projects.get(name),
            new.projects.get(name),
        );
        match change {
            Some(change) => projects.push(change),
            None => unchanged += 1,
        }
    }
    Difference {
        settings: changes(&old.settings, &new.settings),
        settings_known: [old, new].map(|state| state.settings.extent),
        projects,
        unreadable: [old, new].map(|state| state.unreadable.iter().collect()),
        partial: [old, new].map(|state| state.partial.iter().collect()),
        unchanged,
    }
}

fn project<'s>(
    name: &'s ProjectName,
    supported: [&'s [String]; 2],
    old: Option<&'s ProjectState>,
    new: Option<&'s ProjectState>,
) -> Option<ProjectChange<'s>> {
    let wheels = |state: Option<&'s ProjectState>| state.map(|state| &state.wheels);
    let wheels: Vec<WheelChange<'s>> = match (wheels(old), wheels(new)) {
        (Some(old), Some(new)) => pairs(old, new),
        (Some(old), None) => old.iter().map(|wheel| (Some(wheel), None)).collect(),
        (None, new) => new
            .into_iter()
            .flatten()
            .map(|wheel| (None, Some(wheel)))
            .collect(),
    }
    .into_iter()
    .map(|(old, new)| WheelChange {
        old,
        new,
        supported,
    })
    .collect();
    let all = wheels.len();
    let wheels: Vec<WheelChange<'s>> = wheels
        .into_iter()
        .filter(|wheel| !wheel.is_the_same())
        .collect();
    let change = ProjectChange {
        name,
        old,
        new,
        unchanged: all - wheels.len(),
        wheels,
    };
    let is_the_same = change.kind() == Kind::Changed
        && change.wheels.is_empty()
        && change.wanted().is_none()
        && change.reviewed().is_none()
        && change.publisher().is_none()
        && change.versions().is_empty();
    (!is_the_same).then_some(change)
}

impl Difference<'_> {
    /// Whether everything in both states was compared.
    pub fn is_complete(&self) -> bool {
        self.settings_known == [SettingsExtent::Whole; 2]
            && [&self.unreadable, &self.partial]
                .iter()
                .all(|sides| sides.iter().all(Vec::is_empty))
    }
}

impl ProjectChange<'_> {
    /// Whether it is added, removed or changed.
    pub fn kind(&self) -> Kind {
        Kind::of(self.old.is_some(), self.new.is_some())
    }

    /// The removed and added versions; none for a project that is itself added or removed.
    pub fn versions(&self) -> SetChange {
        let texts = |state: &ProjectState| -> Vec<String> {
            state.versions.iter().map(ToString::to_string).collect()
        };
        match (self.old, self.new) {
            (Some(old), Some(new)) => SetChange::between(texts(old), texts(new)),
            _ => SetChange::default(),
        }
    }

    /// Whether the project is wanted in the new state, if that has changed.
    pub fn wanted(&self) -> Option<bool> {
        let (old, new) = (self.old?.wanted?, self.new?.wanted?);
        (old != new).then_some(new)
    }

    /// Whether a person has reviewed the new state, if that has changed.
    pub fn reviewed(&self) -> Option<bool> {
        let (old, new) = self.declarations()?;
        (old.unreviewed != new.unreviewed).then_some(!new.unreviewed)
    }

    /// The declared publishers, if they differ.
    pub fn publisher(&self) -> Option<(Option<&str>, Option<&str>)> {
        let (old, new) = self.declarations()?;
        let pair = (old.publisher.as_deref(), new.publisher.as_deref());
        (pair.0 != pair.1).then_some(pair)
    }

    /// Both states, if the declarations of both are known.
    fn declarations(&self) -> Option<(&ProjectState, &ProjectState)> {
        let old = self.old.filter(|state| state.wanted.is_some())?;
        Some((old, self.new.filter(|state| state.wanted.is_some())?))
    }
}

impl WheelChange<'_> {
    /// Whether it is added, removed or changed.
    pub fn kind(&self) -> Kind {
        Kind::of(self.old.is_some(), self.new.is_some())
    }

    fn is_the_same(&self) -> bool {
        self.kind() == Kind::Changed
            && self.name().is_none()
            && !self.has_other_bytes()
            && self.requires_python().is_none()
            && [
                self.extras(),
                self.requirements(),
                self.platforms(),
                self.sources(),
            ]
            .iter()
            .all(SetChange::is_empty)
            && !self.reorders_sources()
            && self.stated_sha256().is_none()
            && self.stated_size().is_none()
            && self.only().is_none()
            && self.uploaded().is_none()
    }

    /// Both names, if they differ.
    pub fn name(&self) -> Option<(&str, &str)> {
        let (old, new) = (self.old?.0, self.new?.0);
        (old != new).then_some((old.as_str(), new.as_str()))
    }

    /// Whether both states have the wheel with different bytes. The same bytes may have two CIDs;
    /// then the SHA-256 decides, if it is known in both.
    pub fn has_other_bytes(&self) -> bool {
        let (Some((_, old)), Some((_, new))) = (self.old, self.new) else {
            return false;
        };
        old.content_id != new.content_id
    }

    /// The sizes in bytes, if both are known and differ.
    pub fn sizes(&self) -> Option<(u64, u64)> {
        let (old, new) = (self.old?.1.size?, self.new?.1.size?);
        (old != new).then_some((old, new))
    }

    fn declared(&self) -> Option<(&Declared, &Declared)> {
        let old = self.old?.1.declared.as_ref()?;
        Some((old, self.new?.1.declared.as_ref()?))
    }

    fn sets(&self, values: impl Fn(&Declared) -> Vec<String>) -> SetChange {
        self.declared()
            .map(|(old, new)| SetChange::between(values(old), values(new)))
            .unwrap_or_default()
    }

    /// The Requires-Python, if it differs.
    pub fn requires_python(&self) -> Option<(Option<&str>, Option<&str>)> {
        let (old, new) = self.declared()?;
        let pair = (
            old.requires_python.as_deref(),
            new.requires_python.as_deref(),
        );
        (pair.0 != pair.1).then_some(pair)
    }

    /// The SHA-256 in both declarations, if they differ.
    pub fn stated_sha256(&self) -> Option<(Option<Sha256Digest>, Option<Sha256Digest>)> {
        let (old, new) = self.declared()?;
        let pair = (old.stated.0, new.stated.0);
        (pair.0 != pair.1).then_some(pair)
    }

    /// The sizes in bytes in both declarations, if they differ.
    pub fn stated_size(&self) -> Option<(Option<u64>, Option<u64>)> {
        let (old, new) = self.declared()?;
        let pair = (old.stated.1, new.stated.1);
        (pair.0 != pair.1).then_some(pair)
    }

    /// The markers of the platforms on which the set offers the wheel, if they differ.
    pub fn only(&self) -> Option<(Option<&str>, Option<&str>)> {
        self.texts(|declared| declared.only.as_deref())
    }

    /// The declared times of the upload, if they differ.
    pub fn uploaded(&self) -> Option<(Option<&str>, Option<&str>)> {
        self.texts(|declared| declared.uploaded.as_deref())
    }

    fn texts(
        &self,
        text: impl Fn(&Declared) -> Option<&str>,
    ) -> Option<(Option<&str>, Option<&str>)> {
        let (old, new) = self.declared()?;
        let pair = (text(old), text(new));
        (pair.0 != pair.1).then_some(pair)
    }

    /// The removed and the added extras.
    pub fn extras(&self) -> SetChange {
        self.sets(|declared| declared.extras.iter().cloned().collect())
    }

    /// The removed and the added requirements.
    pub fn requirements(&self) -> SetChange {
        self.sets(|declared| declared.requirements.iter().cloned().collect())
    }

    /// The removed and the added platforms, among those that both sets support. Changes of the
    /// supported platforms are reported with the settings, not again for each wheel.
    pub fn platforms(&self) -> SetChange {
        let mut change = self.sets(|declared| declared.platforms.clone());
        let is_known = |supported: &[String], platform: &String| {
            supported.is_empty() || supported.contains(platform)
        };
        let [old, new] = self.supported;
        change.removed.retain(|platform| is_known(new, platform));
        change.added.retain(|platform| is_known(old, platform));
        change
    }

    /// The removed and the added sources.
    pub fn sources(&self) -> SetChange {
        self.sets(|declared| declared.sources.clone())
    }

    /// Whether the sources are the same in another order.
    pub fn reorders_sources(&self) -> bool {
        self.sources().is_empty()
            && self
                .declared()
                .is_some_and(|(old, new)| old.sources != new.sources)
    }

    /// The removed and the added origins: `the index`, `https://example.org`, `the repository`. A
    /// new version always has new addresses, so origins are compared separately.
    pub fn origins(&self) -> SetChange {
        self.sets(|declared| {
            declared
                .sources
                .iter()
                .map(|source| origin(source))
                .collect()
        })
    }
}

/// The origin of a source, without the parts that change with the version: `the index`,
/// `https://example.org`, `the repository's folder`.
pub fn origin(source: &str) -> String {
    if source.starts_with("pkg:") {
        return "the index".to_owned();
    }
    if source.starts_with("file:") {
        return "the repository's folder".to_owned();
    }
    match source.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.split('/').next().unwrap_or_default();
            format!("{scheme}://{host}")
        }
        None => source.to_owned(),
    }
}
