//! What a change does to the settings of a set, in the order in which a reviewer has to see it.

mod target;

use std::collections::BTreeSet;

use ipwhl_packaging::Platform;
use serde::Serialize;

use crate::foundation::diagnostic::{Code, without_credentials};
use crate::set::declaration::Layout;
use crate::set::repository::{Configuration, Waiver};
use target::target;

/// The keys that a release says something of; the others are of the repository alone.
const RELEASED: [&str; 5] = ["name", "profile", "platforms", "severity", "waiver"];

/// How much is known of the settings of a state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum SettingsExtent {
    /// Nothing: a release of the layout `ipwhl-1` says nothing of them.
    #[default]
    Nothing,
    /// Those that a release says.
    Released,
    /// Not all, since `ipwhl.toml` has errors.
    Partial,
    /// All of them.
    Whole,
}

/// The settings of a state: every key in its order, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settings {
    values: Vec<(&'static str, Values)>,
    pub(super) extent: SettingsExtent,
}

/// What a key says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Values {
    /// Values whose order means nothing.
    Set(BTreeSet<String>),
    /// Values that come one after another.
    List(Vec<String>),
}

/// A key of the settings that says something else than before. Values are without credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingChange {
    /// The key, as `ipwhl.toml` has it; `index` and `publish` for these tables.
    pub key: &'static str,
    /// The values that it has lost. Where others have changed places, all of them in one text.
    pub removed: Vec<String>,
    /// The values that it has gained, likewise.
    pub added: Vec<String>,
}

/// All that `ipwhl.toml` says, in canonical spelling: whom readers trust and where releases go
/// first, then where bytes come from, then what a release holds and what is found wrong with it.
pub(super) fn settings(configuration: &Configuration) -> Settings {
    // A key that is added has to be thought of here.
    let Configuration {
        name,
        declarations,
        layout,
        profile,
        platforms,
        platform_origins: _,
        index_url,
        gateways,
        trusted,
        threshold,
        publish,
        severity,
        allowed: _,
        waivers,
    } = configuration;
    let one = |text: String| Values::Set(BTreeSet::from([text]));
    let layout = match layout {
        Layout::Package => "package",
        Layout::Ipwhl1 => "ipwhl-1",
    };
    let severity = severity
        .iter()
        .map(|(code, rule)| format!("{} = {}", Code::as_str(*code), rule.as_str()));
    let values = vec![
        ("trusted", Values::Set(trusted.iter().cloned().collect())),
        ("threshold", one(threshold.to_string())),
        (
            "publish",
            Values::List(publish.iter().map(target).collect()),
        ),
        ("index", Values::Set(index_url.iter().cloned().collect())),
        ("gateways", Values::List(gateways.clone())),
        ("name", one(name.clone())),
        ("declarations", one(declarations.clone())),
        ("layout", one(layout.to_owned())),
        ("profile", one(profile.to_string())),
        (
            "platforms",
            Values::Set(platforms.iter().map(platform).collect()),
        ),
        ("severity", Values::Set(severity.collect())),
        ("waiver", Values::Set(waivers.iter().map(waiver).collect())),
    ];
    Settings {
        values,
        extent: SettingsExtent::Whole,
    }
}

fn platform(platform: &Platform) -> String {
    match platform.floor() {
        0 => platform.to_string(),
        floor => format!("{platform} (from patch version {floor} on)"),
    }
}

fn waiver(waiver: &Waiver) -> String {
    let mut words = format!("{} of {}", waiver.code, waiver.project);
    if let Some(requirement) = &waiver.requirement {
        words += &format!(", requirement {requirement}");
    }
    if let Some(wheel) = &waiver.wheel {
        // It is any text, and must not look like the words around it.
        words += &format!(", wheel {wheel:?}");
    }
    if let Some(extra) = &waiver.extra {
        words += &format!(", extra {extra}");
    }
    for platform in &waiver.platforms {
        words += &format!(", {}", platform.value);
    }
    format!("{words}, until {}: {}", waiver.expires.value, waiver.reason)
}

impl Settings {
    /// Those of them that a release says.
    pub(super) fn into_released(mut self) -> Self {
        self.values.retain(|(key, _)| RELEASED.contains(key));
        self.extent = self.extent.min(SettingsExtent::Released);
        self
    }

    fn of(&self, key: &str) -> Option<&Values> {
        let mut values = self.values.iter();
        values.find_map(|(one, values)| (*one == key).then_some(values))
    }
}

impl Values {
    fn each(&self) -> Vec<&String> {
        match self {
            Self::Set(values) => values.iter().collect(),
            Self::List(values) => values.iter().collect(),
        }
    }
}

/// The keys of `ipwhl.toml` that say something else than before.
pub fn setting_changes(new: &Configuration, old: &Configuration) -> Vec<SettingChange> {
    changes(&settings(old), &settings(new))
}

/// The keys that say something else, of those that are known of both.
pub(super) fn changes(old: &Settings, new: &Settings) -> Vec<SettingChange> {
    let known = new.values.iter();
    known
        .filter_map(|(key, new)| {
            let old = old.of(key)?;
            (old != new).then(|| change(key, &old.each(), &new.each()))
        })
        .collect()
}

fn change(key: &'static str, old: &[&String], new: &[&String]) -> SettingChange {
    let shown = |values: Vec<&String>| -> Vec<String> {
        let values = values.into_iter();
        values.map(|value| without_credentials(value)).collect()
    };
    let [(kept_old, removed), (kept_new, added)] = [(old, new), (new, old)].map(|(all, others)| {
        let others: BTreeSet<&String> = others.iter().copied().collect();
        let all = all.iter().copied();
        all.partition::<Vec<&String>, _>(|value| others.contains(value))
    });
    let (mut removed, mut added) = (shown(removed), shown(added));
    if kept_old != kept_new {
        let all = |values: &[&String]| vec![shown(values.to_vec()).join(", then ")];
        (removed, added) = (all(old), all(new));
    } else if removed == added {
        for value in &mut added {
            value.push_str(" (with other credentials)");
        }
    }
    SettingChange {
        key,
        removed,
        added,
    }
}
