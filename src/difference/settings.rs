//! What a change does to the settings: a set may be clean because of that.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::diagnostic::Code;
use crate::repository::Configuration;

/// What settings say, by key, each key a set of values.
pub(super) type Settings = BTreeMap<&'static str, BTreeSet<String>>;

/// What a key of the settings says otherwise than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingChange {
    /// The key, as `ipwhl.toml` has it.
    pub key: &'static str,
    /// What it does not say any more.
    pub removed: Vec<String>,
    /// What it says now.
    pub added: Vec<String>,
}

/// The settings that decide what a release holds, what is found wrong with it and whom its readers trust. Where wheels
/// are fetched from is no part of them: each is verified, wherever it comes from.
pub(super) fn settings(configuration: &Configuration) -> Settings {
    let platforms = configuration.platforms.iter().map(|platform| {
        let floor = match platform.floor() {
            0 => String::new(),
            floor => format!(" (from patch version {floor} on)"),
        };
        format!("{platform}{floor}")
    });
    let severity = configuration
        .severity
        .iter()
        .map(|(code, rule)| format!("{} = {}", Code::as_str(*code), rule.as_str()));
    let waivers = configuration.waivers.iter().map(|waiver| {
        let mut words = format!("{} of {}", waiver.code, waiver.project);
        if let Some(requirement) = &waiver.requirement {
            words += &format!(", requirement {requirement}");
        }
        if let Some(wheel) = &waiver.wheel {
            words += &format!(", wheel {wheel}");
        }
        if let Some(extra) = &waiver.extra {
            words += &format!(", extra {extra}");
        }
        for platform in &waiver.platforms {
            words += &format!(", {}", platform.value);
        }
        format!("{words}, until {}: {}", waiver.expires.value, waiver.reason)
    });
    let mut settings = Settings::from([
        ("name", BTreeSet::from([configuration.name.clone()])),
        (
            "profile",
            BTreeSet::from([configuration.profile.to_string()]),
        ),
        ("platforms", platforms.collect()),
        ("severity", severity.collect()),
        ("waiver", waivers.collect()),
    ]);
    settings.retain(|_, values| !values.is_empty());
    settings
}

/// The keys that say something else.
pub(super) fn changes(old: &Settings, new: &Settings) -> Vec<SettingChange> {
    let nothing = BTreeSet::new();
    let keys: BTreeSet<&'static str> = old.keys().chain(new.keys()).copied().collect();
    keys.into_iter()
        .filter_map(|key| {
            let (old, new) = (
                old.get(key).unwrap_or(&nothing),
                new.get(key).unwrap_or(&nothing),
            );
            (old != new).then(|| SettingChange {
                key,
                removed: old.difference(new).cloned().collect(),
                added: new.difference(old).cloned().collect(),
            })
        })
        .collect()
}
