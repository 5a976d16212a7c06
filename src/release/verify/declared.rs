//! Verifies the declarations and the totals of a release.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{
    ExtraName, Platform, Requirement, VersionSpecifiers, WheelFileName, same_specifiers,
};

use super::bytes::{Files, Wheels};
use super::contradiction::{FileContradiction, ReleaseJsonContradiction, Total, WheelFact};
use super::count::Count;
use crate::foundation::diagnostic::{Code, Finding, Severity};
use crate::foundation::time::UtcTime;
use crate::release::names::DECLARATION;
use crate::release::tree::{PlatformJson, ReleaseJson, WaiverJson};
use crate::set::check;
use crate::set::declaration::{Layout, Parsed, parse};

/// What the pages of a project state as its declaration does.
#[derive(Default)]
pub(super) struct Stated {
    /// The Requires-Python.
    pub(super) requires_python: Option<VersionSpecifiers>,
    /// The time of the upload.
    pub(super) uploaded: Option<UtcTime>,
}

/// The stated values of a release's wheels, by file name.
pub(super) type StatedValues = BTreeMap<String, Stated>;

/// A `declaration.toml`, parsed once for all checks.
pub(super) struct Declared {
    is_text: bool,
    parsed: Parsed,
}

impl Declared {
    pub(super) fn of(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        Self {
            is_text: matches!(text, Cow::Borrowed(_)),
            parsed: parse(&DECLARATION.into(), &text, Layout::Package),
        }
    }

    /// The values of its wheels that pages state.
    pub(super) fn stated(&self) -> StatedValues {
        let wheels = self.parsed.wheels.iter();
        wheels
            .map(|wheel| {
                let specifiers = wheel.requires_python.as_ref();
                let stated = Stated {
                    requires_python: specifiers.map(|specifiers| specifiers.value.clone()),
                    uploaded: wheel.uploaded.as_ref().map(|uploaded| uploaded.value),
                };
                (wheel.file_name.to_string(), stated)
            })
            .collect()
    }

    /// The sizes of its wheels, by file name.
    pub(super) fn sizes(&self) -> Vec<(String, u64)> {
        let wheels = self.parsed.wheels.iter();
        wheels
            .filter_map(|wheel| Some((wheel.file_name.to_string(), wheel.size.as_ref()?.value)))
            .collect()
    }
}

/// Whether two Requires-Python are equal; an absent one equals an empty one.
pub(super) fn same(one: Option<&VersionSpecifiers>, other: Option<&VersionSpecifiers>) -> bool {
    match (one, other.filter(|specifiers| !specifiers.is_empty())) {
        (None, None) => true,
        (Some(one), Some(other)) => same_specifiers(one, other),
        _ => false,
    }
}

/// The accepted findings: the waivers of the release, the codes that it does not count as errors,
/// and the codes that the reader allows, because options of a build are not recorded. Also the
/// platforms, which decide about other findings.
pub(super) struct WaivedProjects {
    platforms: Vec<Platform>,
    waivers: Vec<WaiverJson>,
    softened: BTreeSet<String>,
}

impl WaivedProjects {
    /// From a `release.json`, if it can be read, and the `allowed` codes.
    pub(super) fn of(release: Option<ReleaseJson>, allowed: &[Code]) -> Self {
        let (severity, waivers, platforms) = release
            .map(|release| (release.severity, release.waivers, release.platforms))
            .unwrap_or_default();
        let softened = severity
            .iter()
            .filter(|(_, severity)| *severity != "error")
            .map(|(code, _)| code.as_str())
            .chain(allowed.iter().map(|code| code.as_str()))
            // Codes that may not be softened stay errors, even if a release lowers their severity.
            .filter(|code| code.parse().is_ok_and(Code::may_be_overridden))
            .map(ToOwned::to_owned)
            .collect();
        Self {
            platforms: platforms
                .iter()
                .filter_map(PlatformJson::platform)
                .collect(),
            waivers,
            softened,
        }
    }

    /// Whether a release may contain a finding about a project. Waivers that have expired since
    /// then still count.
    fn has(&self, project: &str, finding: &Finding) -> bool {
        let code = finding.code.as_str();
        let subject = &finding.subject;
        let says = |asked: &Option<String>, value: Option<&str>| {
            asked.is_none() || asked.as_deref() == value
        };
        let requirement = |asked: &Option<String>| {
            let parsed = |text: &String| text.parse::<Requirement>().ok();
            asked.is_none() || asked.as_ref().and_then(parsed) == subject.requirement
        };
        self.softened.contains(code)
            || (finding.code.may_be_overridden()
                && self.waivers.iter().any(|waiver| {
                    waiver.code == code
                        && waiver.project == project
                        && requirement(&waiver.requirement)
                        && says(
                            &waiver.wheel,
                            subject.wheel.as_ref().map(WheelFileName::as_str),
                        )
                        && says(&waiver.extra, subject.extra.as_ref().map(ExtraName::as_str))
                }))
    }
}

/// Findings that mean that a declaration and METADATA contradict each other.
const CONTRADICTIONS: [Code; 6] = [
    Code::InvalidMetadata,
    Code::NameMismatch,
    Code::VersionMismatch,
    Code::RequiresPythonMismatch,
    Code::DependenciesMismatch,
    Code::ExtrasMismatch,
];

/// Compares a project's `declaration.toml` with the wheels beside it and their METADATA.
pub(super) fn declaration(
    project: &str,
    declared: &Declared,
    files: &Files<'_>,
    wheels: &Wheels<'_>,
    waived: &WaivedProjects,
) -> Vec<FileContradiction> {
    if !declared.is_text {
        return vec![FileContradiction::NotText];
    }
    let of_finding = |finding: Finding| FileContradiction::Finding(Box::new(finding));
    let parsed = &declared.parsed;
    let counts =
        |finding: &Finding| finding.severity == Severity::Error && !waived.has(project, finding);
    let mut contradictions: Vec<FileContradiction> = parsed
        .findings
        .iter()
        .filter(|finding| counts(finding))
        .cloned()
        .map(of_finding)
        .collect();
    if parsed.wheels.is_empty() {
        if contradictions.is_empty() {
            contradictions.push(FileContradiction::DeclaresNothing);
        }
        return contradictions;
    }
    let mut declared: BTreeSet<&str> = BTreeSet::new();
    for wheel in &parsed.wheels {
        let name = wheel.file_name.as_str();
        if !declared.insert(name) {
            contradictions.push(FileContradiction::DeclaresTwice(name.to_owned()));
        }
        if wheel.file_name.name().as_str() != project {
            contradictions.push(FileContradiction::DeclaresForeign(name.to_owned()));
        }
        let (Some(facts), Some(link)) = (wheels.get(name), files.get(name)) else {
            contradictions.push(FileContradiction::DeclaresMissing(name.to_owned()));
            continue;
        };
        let sha256 = wheel.sha256.as_ref().map(|sha256| sha256.value);
        let size = wheel.size.as_ref().map(|size| size.value);
        for (is_right, fact) in [
            (wheel.content_id.value == link.cid, WheelFact::ContentId),
            (agree(sha256, facts.sha256), WheelFact::Sha256),
            (agree(size, facts.size), WheelFact::Size),
        ] {
            if !is_right {
                contradictions.push(FileContradiction::Other {
                    fact,
                    wheel: name.to_owned(),
                });
            }
        }
        let conflicts = check::name_conflicts(wheel, &facts.name_conflicts, &waived.platforms);
        contradictions.extend(conflicts.into_iter().map(of_finding));
        // Without METADATA the wheel's own problem is reported instead.
        if !facts.metadata.is_empty() {
            contradictions.extend(
                check::metadata(wheel, &facts.metadata, None)
                    .into_iter()
                    .filter(|finding| CONTRADICTIONS.contains(&finding.code) && counts(finding))
                    .map(of_finding),
            );
        }
    }
    for name in wheels.keys().filter(|name| !declared.contains(*name)) {
        contradictions.push(FileContradiction::NotDeclared((*name).to_owned()));
    }
    contradictions
}

/// Whether two values are equal, if both are known.
fn agree<T: PartialEq>(declared: Option<T>, found: Option<T>) -> bool {
    declared.zip(found).is_none_or(|(one, other)| one == other)
}

/// Compares `release.json` with the counted totals.
pub(super) fn release(body: &[u8], count: &Count) -> Vec<ReleaseJsonContradiction> {
    let totals = match ReleaseJson::parse(body) {
        Ok(release) => release.totals,
        Err(error) => return vec![ReleaseJsonContradiction::Unknown(error)],
    };
    [
        (
            Total::Projects,
            totals.projects,
            Some(count.projects as u64),
        ),
        (Total::Wheels, totals.wheels, Some(count.wheels as u64)),
        (Total::Bytes, totals.bytes, count.bytes),
    ]
    .into_iter()
    .filter_map(|(total, stated, found)| Some((total, stated, found?)))
    .filter(|(_, stated, found)| stated != found)
    .map(
        |(total, stated, found)| ReleaseJsonContradiction::OtherTotal {
            total,
            stated,
            found,
        },
    )
    .collect()
}
