//! `_ipwhl/release.json`: what the release is.

use std::collections::BTreeMap;

use ipwhl_unixfs::Profile;
use schemars::JsonSchema;
use serde::Serialize;

use super::ReleaseInput;
use crate::foundation::schema;
use crate::set::repository::{SeverityRules, WaivableCode};

/// What a release of `ipwhl` is: its name, how its CIDs come about, what it was checked for.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "`_ipwhl/release.json`")]
pub(super) struct ReleaseJson<'r> {
    /// The version of this format.
    #[schemars(extend("const" = 1))]
    format: u32,
    /// The repository's name, as in the signed statement.
    #[schemars(example = "floating-cheeses")]
    name: &'r str,
    /// The UnixFS import parameters of the release.
    #[schemars(extend("enum" = Profile::ALL.map(Profile::as_str)))]
    profile: String,
    /// The supported platforms, sorted.
    platforms: Vec<PlatformJson>,
    /// What codes weigh in the repository, where not what they weigh by themselves.
    #[schemars(with = "SeverityRules")]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    severity: BTreeMap<&'static str, &'static str>,
    /// The findings that someone answers for.
    waivers: Vec<WaiverJson<'r>>,
    /// How large the release is.
    totals: Totals,
}

/// A supported platform.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct PlatformJson {
    /// `<python tag>-<platform tag>`.
    #[schemars(example = "cp312-manylinux_2_28_x86_64")]
    platform: String,
    /// The oldest patch version of the interpreter that is supported.
    minimum_patch: u64,
}

/// A finding that someone answers for, until a day.
#[derive(Serialize, JsonSchema)]
struct WaiverJson<'r> {
    /// The code of the findings that it covers.
    #[schemars(with = "WaivableCode")]
    code: &'static str,
    /// The project that would have to change, normalised.
    #[schemars(regex(pattern = schema::NAME))]
    project: &'r str,
    /// Only findings about this requirement.
    #[serde(skip_serializing_if = "Option::is_none")]
    requirement: Option<String>,
    /// Only findings about this wheel: its file name.
    #[serde(skip_serializing_if = "Option::is_none")]
    wheel: Option<&'r str>,
    /// Only findings under this extra.
    #[serde(skip_serializing_if = "Option::is_none")]
    extra: Option<&'r str>,
    /// Only findings on these platforms: whole ones, interpreters or systems.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    platforms: Vec<&'r str>,
    /// Why.
    reason: &'r str,
    /// The last day on which it holds.
    #[schemars(regex(pattern = schema::DAY), extend("format" = "date"))]
    expires: String,
}

/// How large a release is.
#[derive(Serialize, JsonSchema)]
struct Totals {
    /// How many projects it has.
    projects: usize,
    /// How many wheels it has.
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
                extra: waiver
                    .extra
                    .as_ref()
                    .map(ipwhl_packaging::ExtraName::as_str),
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
