//! `_ipwhl/release.json`: what the release is.

use std::collections::BTreeMap;

use serde::Serialize;

use super::tree::ReleaseInput;

#[derive(Serialize)]
struct ReleaseJson<'r> {
    format: u32,
    name: &'r str,
    profile: String,
    platforms: Vec<PlatformJson>,
    /// What codes weigh in the repository, where not what they weigh by themselves.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    severity: BTreeMap<&'static str, &'static str>,
    waivers: Vec<WaiverJson<'r>>,
    totals: Totals,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct PlatformJson {
    platform: String,
    /// The oldest patch version of the interpreter that is supported.
    minimum_patch: u64,
}

#[derive(Serialize)]
struct WaiverJson<'r> {
    code: &'static str,
    project: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    requirement: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wheel: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra: Option<&'r str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    platforms: Vec<&'r str>,
    reason: &'r str,
    expires: String,
}

#[derive(Serialize)]
struct Totals {
    projects: usize,
    wheels: usize,
    /// Bytes of all wheels.
    bytes: u64,
}

pub(super) fn release_json(input: &ReleaseInput<'_>) -> Vec<u8> {
    let configuration = &input.repository.configuration;
    let wheels = || {
        input
            .repository
            .declarations
            .values()
            .flat_map(|declaration| &declaration.wheels)
    };
    let release = ReleaseJson {
        format: 1,
        name: &configuration.name,
        profile: input.profile.to_string(),
        platforms: configuration
            .platforms
            .iter()
            .map(|platform| PlatformJson {
                platform: platform.to_string(),
                minimum_patch: platform.floor(),
            })
            .collect(),
        severity: configuration
            .severity
            .iter()
            .map(|(code, rule)| (code.as_str(), rule.as_str()))
            .collect(),
        waivers: configuration
            .waivers
            .iter()
            .map(|waiver| WaiverJson {
                code: waiver.code.as_str(),
                project: waiver.project.as_str(),
                requirement: waiver.requirement.as_ref().map(ToString::to_string),
                wheel: waiver.wheel.as_deref(),
                extra: waiver.extra.as_ref().map(crate::python::ExtraName::as_str),
                platforms: waiver
                    .platforms
                    .iter()
                    .map(|platform| platform.value.as_str())
                    .collect(),
                reason: &waiver.reason,
                expires: waiver.expires.value.to_string(),
            })
            .collect(),
        totals: Totals {
            projects: input.repository.declarations.len(),
            wheels: wheels().count(),
            bytes: wheels()
                .filter_map(|wheel| (input.facts)(wheel))
                .map(|facts| facts.dag.size())
                .sum(),
        },
    };
    super::pages::json(&release)
}
