//! A comparison as JSON.

use serde_json::{Value, json};

use super::super::draw::to_json;
use crate::foundation::diagnostic::{Finding, JsonFinding, SourceTexts};
use crate::foundation::failure::Failure;
use crate::release::comparison::{Comparison, State};
use crate::set::difference::{SettingsExtent, WheelChange, WheelState};

/// One object on one line (`docs/formats.md`, 8).
pub(super) fn write(comparison: &Comparison<'_>) -> Result<String, Failure> {
    let no_texts = SourceTexts::new();
    let [old, new] = comparison.states;
    let findings = |all: &[Finding], state: &State| -> Vec<JsonFinding> {
        let texts = state
            .repository
            .as_ref()
            .map_or(&no_texts, |one| &one.texts);
        all.iter()
            .map(|finding| JsonFinding::new(finding, texts))
            .collect()
    };
    let projects: Vec<Value> = comparison
        .difference
        .projects
        .iter()
        .map(|project| {
            let wheels: Vec<Value> = project
                .wheels
                .iter()
                .map(|one| wheel(comparison, one))
                .collect();
            json!({
                "name": project.name,
                "change": project.kind(),
                "old": project.old,
                "new": project.new,
                "wheels": wheels,
                "unchanged_wheels": project.unchanged,
            })
        })
        .collect();
    let [old_unreadable, new_unreadable] = &comparison.difference.unreadable;
    let [old_partial, new_partial] = &comparison.difference.partial;
    let known = comparison.difference.settings_known;
    to_json(&json!({
        "old": old.description,
        "new": new.description,
        "settings": (!known.contains(&SettingsExtent::Nothing)).then_some(&comparison.difference.settings),
        "settings_known": known.map(|extent| match extent {
            SettingsExtent::Nothing => "nothing",
            SettingsExtent::Released => "released",
            SettingsExtent::Partial => "partial",
            SettingsExtent::Whole => "whole",
        }),
        "projects": projects,
        "unchanged_projects": comparison.difference.unchanged,
        "unreadable": { "old": old_unreadable, "new": new_unreadable },
        "partial": { "old": old_partial, "new": new_partial },
        "findings": comparison.findings.as_ref().map(|changes| json!({
            "new": findings(&changes.new, new),
            "gone": findings(&changes.gone, old),
            "unchanged": changes.unchanged,
        })),
        "transfer": comparison.transfer,
        "unknown_names": comparison.members.unknown_names,
    }))
}

fn wheel(comparison: &Comparison<'_>, change: &WheelChange<'_>) -> Value {
    let state = |named: Option<(&String, &WheelState)>| {
        let (name, wheel) = named?;
        let mut value = serde_json::to_value(wheel).ok()?;
        value["file_name"] = json!(name);
        Some(value)
    };
    let members = comparison.members_of(change);
    json!({
        "change": change.kind(),
        "old": state(change.old),
        "new": state(change.new),
        "members": members.and_then(|members| members.as_ref().ok()),
        "members_unknown": members.and_then(|members| Some(members.as_ref().err()?.to_string())),
    })
}
