//! The effect of a change: the current set compared with the set at its base revision.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::settings::setting_changes;
use crate::foundation::diagnostic::{Baseline, Code, Finding, Stage};
use crate::foundation::environment::Environment;
use crate::foundation::failure::Failure;
use crate::foundation::time::Cooldown;
use crate::set::audit::OpenDatabase;
use crate::set::check::{self, WheelRules};
use crate::set::declaration::{Declaration, DeclaredWheel, Source, Spanned};
use crate::set::gather::WheelReport;
use crate::set::judgement::{compare, judge, judge_audited};
use crate::set::licences::LicencePolicy;
use crate::set::repository::{
    CONFIGURATION_FILE, Changes, Configuration, LoadError, Repository, Revision, RevisionError,
    SeverityRule, disguises,
};

/// The number of digits of a commit to show.
const SHOWN_DIGITS: usize = 12;

/// The set before the change.
pub struct EarlierState {
    commit: String,
    /// `None` if the set did not exist: then everything is new.
    repository: Option<Repository>,
    /// The files that changed.
    changes: Changes,
    /// The settings of the revision itself. The base of the work may be old, and its index may have
    /// another owner now.
    reviewed: Configuration,
}

impl EarlierState {
    /// Reads the state at the base of the work on `now`.
    ///
    /// # Errors
    /// When git cannot show that state, or the repository cannot be read in it.
    pub fn load(
        environment: &Environment,
        now: &Repository,
        revision: &str,
    ) -> Result<Self, Failure> {
        let failed = |error: RevisionError| {
            let failure = Failure::world(format!(
                "the set cannot be compared with `{revision}`: {error}"
            ));
            match error.help() {
                Some(help) => failure.help(help),
                None => failure,
            }
        };
        let tip = Revision::at(environment, &now.directory, revision).map_err(&failed)?;
        let reviewed = match Repository::load_revision_configuration(&now.directory, &tip) {
            Ok(repository) => repository.configuration,
            Err(LoadError::NoConfiguration(_) | LoadError::Original(_)) => Configuration::default(),
            Err(error) => return Err(Failure::world(&error)),
        };
        let revision = Revision::before(environment, &now.directory, revision).map_err(&failed)?;
        let changes = revision
            .changes(environment, &now.directory)
            .map_err(&failed)?;
        let repository = match Repository::load_revision(&now.directory, &revision) {
            Ok(repository) => Some(repository),
            Err(LoadError::NoConfiguration(_) | LoadError::Original(_)) => None,
            Err(error) => return Err(Failure::world(&error)),
        };
        Ok(Self {
            commit: revision.commit().chars().take(SHOWN_DIGITS).collect(),
            repository,
            changes,
            reviewed,
        })
    }

    /// Replaces the places in `now` (the index, the gateways, the targets and the database of
    /// advisories) by those that the
    /// maintainers have reviewed. Returns the sections in which the change differs.
    pub fn lend_places(&self, now: &mut Repository) -> Vec<&'static str> {
        let reviewed = &self.reviewed;
        let changed = setting_changes(&now.configuration, reviewed)
            .into_iter()
            .filter_map(|change| match change.key {
                "index" => Some("[index]"),
                "gateways" => Some("[mirrors]"),
                "publish" => Some("[publish]"),
                "database of advisories" => Some("[audit]"),
                _ => None,
            })
            .collect();
        let configuration = &mut now.configuration;
        configuration.index_url.clone_from(&reviewed.index_url);
        configuration.gateways.clone_from(&reviewed.gateways);
        configuration.publish.clone_from(&reviewed.publish);
        let database = &mut configuration.audit.database;
        let span = database.take().map_or(0..0, |own| own.span);
        let reviewed = reviewed.audit.database.as_ref();
        *database = reviewed.map(|reviewed| Spanned::new(reviewed.value.clone(), span));
        changed
    }

    /// The first digits of the commit.
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// The repository in its earlier state; `None` if it did not exist, and everything is new.
    pub fn repository(&self) -> Option<&Repository> {
        self.repository.as_ref()
    }

    fn declaration(&self, now: &Declaration) -> Option<&Declaration> {
        self.repository.as_ref()?.declarations.get(&now.project)
    }

    /// Whether the wheel is a file of the repository that changed.
    fn has_other_file(&self, wheel: &DeclaredWheel) -> bool {
        wheel.sources.iter().any(|source| match &source.value {
            Source::File(path) => self.changes.has(path),
            Source::Package(_) | Source::Web(_) => false,
        })
    }

    /// The wheels whose declarations or files changed.
    pub fn changed<'n>(&self, now: &'n Repository) -> Vec<&'n DeclaredWheel> {
        let is_changed = |declaration: &&Declaration| {
            let Some(before) = self.declaration(declaration) else {
                return true;
            };
            declaration
                .wheels
                .iter()
                .any(|wheel| self.has_other_file(wheel))
                || before.wheels.len() != declaration.wheels.len()
                || before
                    .wheels
                    .iter()
                    .zip(&declaration.wheels)
                    .any(|(before, now)| !before.says_the_same(now))
        };
        now.declarations
            .values()
            .filter(is_changed)
            .flat_map(|declaration| &declaration.wheels)
            .collect()
    }

    /// Marks the new findings, puts them first, and returns the number of those that are gone. The
    /// advisories of `database` are known to both states.
    pub fn compare(
        &self,
        now: &Repository,
        found: &WheelReport,
        time: Timestamp,
        database: Option<&OpenDatabase>,
        findings: &mut [Finding],
    ) -> usize {
        let platforms = &now.configuration.platforms;
        let Some(repository) = &self.repository else {
            return compare(&[], findings, platforms).len();
        };
        let mut before = check::repository(repository);
        before.extend(check::age(repository, now.configuration.cooldown, time));
        let today = time.to_zoned(TimeZone::UTC).date();
        before.extend(self.of_wheels(repository, now, found));
        before.extend(check::licence_entries(repository, found));
        let before = match database {
            Some(database) => {
                before.extend(database.findings(repository, time));
                judge_audited(repository, before, found, today, "")
            }
            None => judge(repository, before, found, today, ""),
        };
        let gone = compare(&before, findings, platforms).len();
        for finding in findings.iter_mut() {
            if hides_a_change(repository, now, finding) {
                finding.baseline = Some(Baseline::New);
            }
        }
        findings.sort_by_key(|finding| finding.baseline);
        gone
    }

    /// The findings that the verified wheels would have had with their earlier declarations.
    fn of_wheels(
        &self,
        before: &Repository,
        now: &Repository,
        found: &WheelReport,
    ) -> Vec<Finding> {
        let rules = WheelRules::of(&before.configuration);
        let of_sources = check::sources(&found.problems);
        let mut findings = Vec::new();
        for declaration in now.declarations.values() {
            let Some(earlier) = self.declaration(declaration) else {
                continue;
            };
            for wheel in &earlier.wheels {
                findings.extend(check::times(&[wheel], found));
                findings.extend(check::withdrawn_by_facts(before, &[wheel], found));
                if let Some(facts) = found.facts(wheel) {
                    findings.extend(check::wheel(wheel, &facts.archive, &rules));
                }
                // The bytes and sources of a wheel with an unchanged declaration are unchanged,
                // except for a file of the repository.
                let is_as_it_was = !self.has_other_file(wheel)
                    && declaration
                        .wheels
                        .iter()
                        .any(|now| now.has_the_same_bytes(wheel));
                if is_as_it_was {
                    let of_source = of_sources
                        .iter()
                        .filter(|finding| finding.subject.wheel.as_ref() == Some(&wheel.file_name));
                    findings.extend(of_source.cloned());
                }
            }
        }
        findings
    }

    /// Relaxed rules and new decisions in the change. A reviewer must know them, because the check
    /// may pass only because of them.
    pub fn weakenings(&self, now: &Repository) -> Vec<Weakening> {
        let repository = self.repository.as_ref();
        repository.map_or_else(Vec::new, |before| weakenings(before, now))
    }

    /// Texts that reviewers may see differently from the checked ones, by the git attribute that
    /// hides them. Only texts that the change touches count. If it touches attributes, all texts
    /// count, and future declarations too.
    ///
    /// # Errors
    /// When git cannot report the attributes.
    pub fn disguised(
        &self,
        environment: &Environment,
        now: &Repository,
    ) -> Result<Vec<Disguise>, RevisionError> {
        let is_text = |file: &&str| {
            let endings = [".toml", ".yml", ".yaml", ".gitattributes"];
            endings.iter().any(|ending| file.ends_with(ending))
        };
        let changes = &self.changes;
        let touched = changes.files.iter().map(String::as_str).filter(is_text);
        let mut files: BTreeSet<&str> = touched.collect();
        let any = format!("{}/any.toml", now.configuration.declarations);
        if changes.attributes {
            let declarations = now.declarations.values().flat_map(|one| &one.wheels);
            files.extend(declarations.map(|wheel| &*wheel.file));
            files.extend([CONFIGURATION_FILE, &any]);
        }
        let found = disguises(environment, &now.directory, files.into_iter())?;
        Ok(found
            .into_iter()
            .map(|(attribute, files)| Disguise {
                attribute,
                files: files.into_iter().filter(|file| *file != any).collect(),
            })
            .collect())
    }
}

/// A rule that a change relaxes, or a decision that it makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weakening {
    /// Rules whose severity `[severity]` lowers.
    Rules(Vec<Code>),
    /// Keys of `[signing]` that define who may sign releases.
    Trust(Vec<&'static str>),
    /// Keys of `[repository]` that define the set.
    Identity(Vec<&'static str>),
    /// Waivers that are added or changed, as text.
    Waivers(Vec<String>),
    /// Platforms that are no longer supported.
    Platforms(Vec<String>),
    /// The policy for licences accepts more: the new rules.
    Licences(Vec<String>),
    /// The cooldown is shorter than before, or gone: both values.
    Cooldown(String, String),
}

/// Texts that reviewers may see differently from the checked ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disguise {
    /// The attribute of git that hides them.
    pub attribute: String,
    /// The files; empty if only future declarations are hidden.
    pub files: Vec<String>,
}

fn weakenings(before: &Repository, now: &Repository) -> Vec<Weakening> {
    let weight =
        |repository: &Repository, code: &Code| match repository.configuration.severity.get(code) {
            Some(SeverityRule::Off) => None,
            Some(SeverityRule::Weighs(severity)) => Some(*severity),
            None => Some(code.default_severity()),
        };
    let mut weakenings = Vec::new();
    let relaxed: Vec<Code> = Code::ALL
        .iter()
        .copied()
        .filter(|code| weight(now, code) < weight(before, code))
        .collect();
    if !relaxed.is_empty() {
        weakenings.push(Weakening::Rules(relaxed));
    }
    let changes = setting_changes(&now.configuration, &before.configuration);
    let keys = |of: &[&str]| -> Vec<&'static str> {
        let keys = changes.iter().map(|change| change.key);
        keys.filter(|key| of.contains(key)).collect()
    };
    let trust = keys(&["trusted", "threshold"]);
    if !trust.is_empty() {
        weakenings.push(Weakening::Trust(trust));
    }
    let hours = |repository: &Repository| {
        let cooldown = repository.configuration.cooldown;
        cooldown.map_or(0, Cooldown::hours)
    };
    if hours(now) < hours(before) {
        let text = |repository: &Repository| {
            let cooldown = repository.configuration.cooldown;
            cooldown.map_or_else(|| "none".to_owned(), |cooldown| cooldown.to_string())
        };
        weakenings.push(Weakening::Cooldown(text(before), text(now)));
    }
    let relaxed = LicencePolicy::relaxations(
        before.configuration.licences.as_ref(),
        now.configuration.licences.as_ref(),
    );
    if !relaxed.is_empty() {
        weakenings.push(Weakening::Licences(relaxed));
    }
    let identity = keys(&["name", "declarations", "layout", "profile"]);
    if !identity.is_empty() {
        weakenings.push(Weakening::Identity(identity));
    }
    for change in changes {
        let weakening = match change.key {
            "waiver" | "advisory waiver" if !change.added.is_empty() => {
                Weakening::Waivers(change.added)
            }
            "platforms" if !change.removed.is_empty() => Weakening::Platforms(change.removed),
            _ => continue,
        };
        weakenings.push(weakening);
    }
    weakenings
}

/// Whether the change behind a finding is unknown: the declaration has changed and cannot be read,
/// or no declaration can be.
fn hides_a_change(before: &Repository, now: &Repository, finding: &Finding) -> bool {
    if finding.code.stage() != Stage::Text || finding.code.may_be_overridden() {
        return false;
    }
    let Some(label) = finding.labels.first() else {
        return true;
    };
    if *label.file == *now.configuration_file() {
        return now.configuration.platforms.is_empty() || now.link_to_declarations().is_some();
    }
    let text = |repository: &Repository| repository.texts.get(&label.file).cloned();
    let project = finding.subject.project.as_ref();
    project.is_some_and(|project| now.unreadable.contains(project)) && text(before) != text(now)
}
