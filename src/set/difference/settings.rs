//! Changes of the settings of a set, in the order of importance for a reviewer.

mod target;

use std::collections::BTreeSet;

use ipwhl_packaging::Platform;
use serde::Serialize;

use crate::foundation::diagnostic::{Code, without_credentials};
use crate::set::declaration::Layout;
use crate::set::licences::LicencePolicy;
use crate::set::repository::{Configuration, DatabasePlace, Waiver, Withdrawal};
use target::target;

/// The keys that a release contains; the others exist in the repository only.
const RELEASED: [&str; 5] = ["name", "profile", "platforms", "severity", "waiver"];

/// The known part of a state's settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum SettingsExtent {
    /// Nothing: a release of the layout `ipwhl-1` contains no settings.
    #[default]
    Nothing,
    /// The settings that a release contains.
    Released,
    /// Some settings, because `ipwhl.toml` has errors.
    Partial,
    /// All settings.
    Whole,
}

/// The settings of a state: every key in its order, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settings {
    values: Vec<(&'static str, Values)>,
    pub(super) extent: SettingsExtent,
}

/// The value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Values {
    /// Values without an order.
    Set(BTreeSet<String>),
    /// Values in an order.
    List(Vec<String>),
}

/// A key of the settings with a changed value. Values are without credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingChange {
    /// The key, as in `ipwhl.toml`; `index`, `publish` and `audit` for these tables.
    pub key: &'static str,
    /// The removed values. If only the order changed, all values in one text.
    pub removed: Vec<String>,
    /// The added values, in the same form.
    pub added: Vec<String>,
}

/// All settings in `ipwhl.toml`, in canonical spelling: first the trusted keys and the publish
/// targets, then the sources of bytes, then the contents of a release and its findings.
pub(super) fn settings(configuration: &Configuration) -> Settings {
    // The pattern names every field, so that a new key must be handled here.
    let Configuration {
        format,
        name,
        declarations,
        layout,
        profile,
        platforms,
        platform_origins: _,
        index_url,
        cooldown,
        licences,
        gateways,
        trusted,
        threshold,
        publish,
        severity,
        allowed: _,
        waivers,
        withdrawn,
        audit,
    } = configuration;
    let one = |text: String| Values::Set(BTreeSet::from([text]));
    let layout = match layout {
        Layout::Package => "package",
        Layout::Ipwhl1 => "ipwhl-1",
    };
    let severities = |is_of_audit: bool| -> BTreeSet<String> {
        let rules = severity.iter();
        rules
            .filter(|(code, _)| code.stage().is_released() != is_of_audit)
            .map(|(code, rule)| format!("{} = {}", Code::as_str(*code), rule.as_str()))
            .collect()
    };
    let waivers = |is_of_audit: bool| -> BTreeSet<String> {
        let waivers = waivers.iter();
        waivers
            .filter(|waiver| waiver.code.stage().is_released() != is_of_audit)
            .map(waiver)
            .collect()
    };
    let rules = [
        audit.maximum_age.map(|age| format!("maximum-age = {age}")),
        audit.error_from.map(|word| format!("error-from = {word}")),
    ];
    let database = audit.database.iter();
    let database = database.map(|database| match &database.value {
        DatabasePlace::Web(url) => url.to_string(),
        place @ DatabasePlace::Path(_) => place.to_string(),
    });
    let values = vec![
        ("trusted", Values::Set(trusted.iter().cloned().collect())),
        ("threshold", one(threshold.to_string())),
        (
            "publish",
            Values::List(publish.iter().map(target).collect()),
        ),
        ("index", Values::Set(index_url.iter().cloned().collect())),
        (
            "cooldown",
            Values::Set(cooldown.iter().map(ToString::to_string).collect()),
        ),
        (
            "licenses",
            Values::Set(licences.iter().flat_map(LicencePolicy::rules).collect()),
        ),
        ("gateways", Values::List(gateways.clone())),
        ("name", one(name.clone())),
        ("declarations", one(declarations.clone())),
        ("format", one(format.to_string())),
        ("layout", one(layout.to_owned())),
        ("profile", one(profile.to_string())),
        (
            "platforms",
            Values::Set(platforms.iter().map(platform).collect()),
        ),
        ("severity", Values::Set(severities(false))),
        ("waiver", Values::Set(waivers(false))),
        ("advisory waiver", Values::Set(waivers(true))),
        (
            "audit",
            Values::Set(
                severities(true)
                    .into_iter()
                    .chain(rules.into_iter().flatten())
                    .collect(),
            ),
        ),
        ("database of advisories", Values::Set(database.collect())),
        (
            "withdrawn",
            Values::Set(withdrawn.iter().map(withdrawal).collect()),
        ),
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

fn withdrawal(one: &Withdrawal) -> String {
    format!("{}, on {}: {}", one.subject, one.date, one.reason)
}

fn waiver(waiver: &Waiver) -> String {
    let mut words = format!("{} of {}", waiver.code, waiver.project);
    if let Some(requirement) = &waiver.requirement {
        words += &format!(", requirement {requirement}");
    }
    if let Some(wheel) = &waiver.wheel {
        // This can be any text, so it is quoted to be distinct from the words around it.
        words += &format!(", wheel {wheel:?}");
    }
    if let Some(advisory) = &waiver.advisory {
        words += &format!(", advisory {advisory:?}");
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
    /// Only the settings that a release contains.
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

/// The keys of `ipwhl.toml` with changed values.
pub(super) fn setting_changes(new: &Configuration, old: &Configuration) -> Vec<SettingChange> {
    changes(&settings(old), &settings(new))
}

/// The keys with changed values, among those known in both states.
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
