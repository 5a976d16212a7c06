//! The findings about declared versions with known vulnerabilities, and about a database itself.

use std::collections::BTreeMap;

use ipwhl_packaging::Version;
use jiff::{SignedDuration, Timestamp};
use rayon::prelude::*;

use super::advisory::Advisory;
use super::database::{BrokenEntry, Database, DatabaseFacts};
use super::merged::{KnownVulnerability, fixed_version, vulnerabilities};
use super::severity::{Rating, Score};
use crate::foundation::diagnostic::{
    AdvisorySeverity, AdvisorySubject, Code, Finding, Help, Severity, shell_word,
};
use crate::foundation::time::Cooldown;
use crate::set::declaration::{Declaration, DeclaredWheel};
use crate::set::repository::{DatabasePlace, Repository};

/// The most fixed versions that a finding names.
const MOST_FIXED: usize = 8;

/// The rules of an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditRules {
    /// The severity from which on a vulnerability is an error.
    pub error_from: Option<Rating>,
    /// The age from which on a database is reported as old.
    pub maximum_age: Cooldown,
}

/// Findings about the declared versions that these advisories affect.
pub fn about_versions(
    repository: &Repository,
    database: &Database,
    rules: &AuditRules,
) -> Vec<Finding> {
    let declarations: Vec<&Declaration> = repository
        .declarations
        .values()
        .filter(|declaration| database.projects.contains_key(&declaration.project))
        .collect();
    let found: Vec<Vec<Finding>> = declarations
        .into_par_iter()
        .map(
            |declaration| match database.projects.get(&declaration.project) {
                Some(advisories) => of_project(declaration, advisories, rules),
                None => Vec::new(),
            },
        )
        .collect();
    found.into_iter().flatten().collect()
}

fn of_project(
    declaration: &Declaration,
    advisories: &[Advisory],
    rules: &AuditRules,
) -> Vec<Finding> {
    // All wheels have the same version, unless `several-versions` was found.
    let mut versions: BTreeMap<&Version, &DeclaredWheel> = BTreeMap::new();
    for wheel in &declaration.wheels {
        versions.entry(wheel.file_name.version()).or_insert(wheel);
    }
    let mut findings = Vec::new();
    for (version, wheel) in versions {
        let known = vulnerabilities(advisories, version);
        let target = fixed_version(advisories, &known);
        for vulnerability in known {
            findings.push(finding(
                declaration,
                wheel,
                vulnerability,
                target.as_ref(),
                rules,
            ));
        }
    }
    findings
}

fn finding(
    declaration: &Declaration,
    wheel: &DeclaredWheel,
    known: KnownVulnerability,
    target: Option<&Version>,
    rules: &AuditRules,
) -> Finding {
    let project = &declaration.project;
    let version = wheel.file_name.version();
    let code = if known.is_malicious {
        Code::MaliciousVersion
    } else {
        Code::VulnerableVersion
    };
    let what = match code {
        Code::MaliciousVersion => "is malicious",
        _ => "has a known vulnerability",
    };
    let message = format!("`{project}` {version} {what}: `{}`", known.id);
    let mut finding = Finding::new(code, message)
        .at(&wheel.file, wheel.span(), "this version")
        .project(project);
    if let Some(summary) = &known.summary {
        finding = finding.note(summary.as_str());
    }
    finding = finding.note(severity_note(&known));
    if !known.aliases.is_empty() {
        finding = finding.note(format!("also known as {}", known.aliases.join(", ")));
    }
    finding = finding.note(fixed_note(&known.fixed));
    finding = finding.help(match (code, target) {
        (Code::MaliciousVersion, _) => {
            Help::from("remove the project, or declare a version that is not malicious")
        }
        (_, Some(target)) => Help::Run {
            message: format!("if the set accepts it, update to {target} or newer"),
            command: update_command(project.as_str(), target),
        },
        (_, None) => Help::from(
            "no fixed version is known: find another project, or waive the finding with the \
             reason why the vulnerability does no harm here",
        ),
    });
    let is_raised = known.rating >= rules.error_from && rules.error_from.is_some();
    if is_raised {
        finding.severity = Severity::Error;
    }
    finding.subject.advisory = Some(Box::new(AdvisorySubject {
        id: known.id,
        aliases: known.aliases,
        version: version.clone(),
        severity: known.rating.map(|rating| AdvisorySeverity {
            rating: rating.as_str(),
            score: known.score.as_ref().map(Score::to_string),
            vector: known.score.map(|score| score.vector),
        }),
        fixed: known.fixed,
        is_raised,
        update: None,
    }));
    finding
}

/// The command that updates a project to a version or a newer one.
pub(crate) fn update_command(project: &str, version: &Version) -> String {
    format!(
        "ipwhl update {}",
        shell_word(&format!("{project}>={version}"))
    )
}

fn severity_note(known: &KnownVulnerability) -> String {
    match (&known.score, known.rating) {
        (Some(score), _) => {
            format!(
                "severity: {}, CVSS {score} ({})",
                score.rating(),
                score.vector
            )
        }
        (None, Some(rating)) => format!("severity: {rating}"),
        (None, None) => "severity: unknown".to_owned(),
    }
}

fn fixed_note(fixed: &[Version]) -> String {
    if fixed.is_empty() {
        return "no newer version is named as fixed".to_owned();
    }
    let shown = fixed.iter().take(MOST_FIXED).map(ToString::to_string);
    let mut text = format!("fixed in {}", shown.collect::<Vec<_>>().join(", "));
    if fixed.len() > MOST_FIXED {
        text += &format!(" and {} more", fixed.len() - MOST_FIXED);
    }
    text
}

/// Findings about a database: entries that cannot be used, and its age at this time. They point to
/// the setting that names it, unless the command line does.
pub fn about_database(
    repository: &Repository,
    facts: &DatabaseFacts,
    rules: &AuditRules,
    now: Timestamp,
    is_configured: bool,
) -> Vec<Finding> {
    let place = repository.configuration.audit.database.as_ref();
    let place = place
        .filter(|_| is_configured)
        .map(|place| place.span.clone());
    let file = repository.configuration_file();
    let placed = |finding: Finding| match &place {
        Some(span) => finding.at(&file, span.clone(), "this database"),
        None => finding,
    };
    let mut findings: Vec<Finding> = facts
        .broken
        .iter()
        .map(|broken| {
            let project = broken.project.as_ref();
            let declared = project.and_then(|project| repository.declarations.get(project));
            match declared {
                Some(declaration) => of_declared(broken, declaration),
                None => placed(broken_entry(broken)),
            }
        })
        .collect();
    let limit = SignedDuration::from_hours(i64::from(rules.maximum_age.hours()));
    let old = match facts.newest {
        Some(newest) if now.duration_since(newest) > limit => Some(format!(
            "the advisory database is old: its newest entry is of {}, more than {} ago",
            newest.strftime("%Y-%m-%d"),
            rules.maximum_age
        )),
        Some(_) => None,
        None => Some("the advisory database has no entry that says how old it is".to_owned()),
    };
    if let Some(message) = old {
        let finding = Finding::new(Code::OldDatabase, message)
            .help("fetch a newer copy: vulnerabilities that became known since are not in it");
        findings.push(placed(finding));
    }
    findings
}

/// The finding about a configured database that cannot be read.
pub fn not_audited(repository: &Repository, reason: &str) -> Finding {
    let finding = Finding::new(
        Code::OldDatabase,
        format!("the set was not audited: {reason}"),
    );
    let Some(place) = &repository.configuration.audit.database else {
        return finding;
    };
    let help = match place.value {
        DatabasePlace::Path(_) => {
            "the path begins in the repository's folder: copy the database there, or correct the path"
        }
        DatabasePlace::Web(_) => {
            "run `ipwhl audit`: it fetches the database and keeps it in the cache"
        }
    };
    let file = repository.configuration_file();
    finding
        .at(&file, place.span.clone(), "this database")
        .help(help)
}

/// The finding about a broken entry. Only that of a declared project names the project, which can
/// then be waived.
fn broken_entry(broken: &BrokenEntry) -> Finding {
    let BrokenEntry { file, reason, .. } = broken;
    let message = if broken.is_skipped {
        format!("the advisory `{file}` is skipped: {reason}")
    } else {
        format!("the advisory `{file}` is used in part only: {reason}")
    };
    Finding::new(Code::BrokenAdvisory, message)
        .help("read the advisory yourself, and report it to the database")
}

fn of_declared(broken: &BrokenEntry, declaration: &Declaration) -> Finding {
    let wheel = &declaration.wheels[0];
    broken_entry(broken)
        .at(&wheel.file, wheel.span(), "this version may be affected")
        .project(&declaration.project)
}
