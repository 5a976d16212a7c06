//! `_ipwhl/release.json`: the description of the release. It is written and read by one type.

use std::collections::BTreeMap;

use ipwhl_packaging::Platform;
use ipwhl_unixfs::Profile;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::input::ReleaseInput;
use super::locks::format;
use crate::foundation::diagnostic::Code;
use crate::foundation::schema;
use crate::set::declaration::FormatVersion;
use crate::set::repository::{SeverityRules, WaivableCode, Waiver};

/// The description of a release of `ipwhl`: its name, the parameters of its CIDs, and the platforms
/// and exceptions of its checks.
// A release may come from elsewhere, so values are read as text and parsed where they are used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "`_ipwhl/release.json`")]
pub struct ReleaseJson {
    /// The oldest version of the formats that has all keys of the declarations.
    #[schemars(extend("enum" = FormatVersion::ALL.map(FormatVersion::number)))]
    pub format: u32,
    /// The repository's name, as in the signed statement.
    #[schemars(example = "floating-cheeses")]
    pub name: String,
    /// The UnixFS import parameters of the release.
    #[schemars(extend("enum" = Profile::ALL.map(Profile::as_str)))]
    pub profile: String,
    /// The supported platforms, sorted.
    pub platforms: Vec<PlatformJson>,
    /// The severity of codes in the repository, if it differs from the default.
    #[schemars(with = "SeverityRules", !default)]
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub severity: BTreeMap<String, String>,
    /// The accepted findings.
    pub waivers: Vec<WaiverJson>,
    /// The size of the release.
    pub totals: Totals,
}

/// A supported platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PlatformJson {
    /// `<python tag>-<platform tag>`.
    #[schemars(example = "cp312-manylinux_2_28_x86_64")]
    pub platform: String,
    /// The oldest patch version of the interpreter that is supported.
    pub minimum_patch: u64,
}

/// A finding that is accepted until a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaiverJson {
    /// The code of the findings that it covers.
    #[schemars(with = "WaivableCode")]
    pub code: String,
    /// The project that would have to change, normalised.
    #[schemars(regex(pattern = schema::NAME))]
    pub project: String,
    /// Only findings about this requirement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requirement: Option<String>,
    /// Only findings about this wheel: its file name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wheel: Option<String>,
    /// Only findings under this extra.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra: Option<String>,
    /// Only findings on these platforms: whole ones, interpreters or systems.
    #[schemars(!default)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
    /// The reason.
    pub reason: String,
    /// The last day on which it is valid.
    #[schemars(regex(pattern = schema::DAY), extend("format" = "date"))]
    pub expires: String,
}

/// The size of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// The number of projects.
    pub projects: u64,
    /// The number of wheels.
    pub wheels: u64,
    /// Bytes of all wheels.
    pub bytes: u64,
}

/// The reason why a `release.json` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseJsonError {
    /// It is not JSON, or lacks a required value.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// It is of another version of the format: the value, as JSON.
    #[error("its format is {0}, but this program reads {newest} and older ones", newest = FormatVersion::NEWEST)]
    UnknownFormat(String),
}

impl ReleaseJson {
    /// Reads the file.
    ///
    /// # Errors
    /// When it is of another version of the format, or lacks a required value.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReleaseJsonError> {
        let unreadable = |error: serde_json::Error| ReleaseJsonError::Unreadable(error.to_string());
        // Another version may have other keys, so the version is checked first.
        let any: Value = serde_json::from_slice(bytes).map_err(unreadable)?;
        let format = any["format"].as_u64().and_then(FormatVersion::from_number);
        if format.is_none() {
            return Err(ReleaseJsonError::UnknownFormat(any["format"].to_string()));
        }
        serde_json::from_slice(bytes).map_err(unreadable)
    }

    /// The description of a release with this input.
    pub(super) fn of(input: &ReleaseInput<'_>) -> Self {
        let configuration = &input.repository.configuration;
        let wheels = || {
            input
                .repository
                .declarations
                .values()
                .flat_map(|declaration| &declaration.wheels)
        };
        Self {
            format: format(input.repository).number(),
            name: configuration.name.clone(),
            profile: input.profile.to_string(),
            platforms: configuration
                .platforms
                .iter()
                .map(PlatformJson::of)
                .collect(),
            severity: configuration
                .severity
                .iter()
                .map(|(code, rule)| (code.to_string(), rule.as_str().to_owned()))
                .collect(),
            waivers: configuration
                .waivers
                .iter()
                .filter(|waiver| is_released(waiver.code))
                .map(WaiverJson::of)
                .collect(),
            totals: Totals {
                projects: input.repository.declarations.len() as u64,
                wheels: wheels().count() as u64,
                bytes: wheels()
                    .filter_map(|wheel| (input.facts)(wheel))
                    .map(|facts| facts.dag.size())
                    .sum(),
            },
        }
    }

    /// The file.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        super::pages::json(self)
    }
}

impl PlatformJson {
    fn of(platform: &Platform) -> Self {
        Self {
            platform: platform.to_string(),
            minimum_patch: platform.floor(),
        }
    }

    /// The platform, if it can be supported.
    pub fn platform(&self) -> Option<Platform> {
        self.with_floor().parse().ok()
    }

    /// As `[platforms]` writes it: `cp311>=3.11.5-win_amd64`.
    pub fn with_floor(&self) -> String {
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

/// Whether findings of this code are about a release.
fn is_released(code: Code) -> bool {
    code.stage().is_released()
}

impl WaiverJson {
    fn of(waiver: &Waiver) -> Self {
        Self {
            code: waiver.code.to_string(),
            project: waiver.project.to_string(),
            requirement: waiver.requirement.as_ref().map(ToString::to_string),
            wheel: waiver.wheel.clone(),
            extra: waiver.extra.as_ref().map(ToString::to_string),
            platforms: waiver
                .platforms
                .iter()
                .map(|platform| platform.value.clone())
                .collect(),
            reason: waiver.reason.clone(),
            expires: waiver.expires.value.to_string(),
        }
    }
}
