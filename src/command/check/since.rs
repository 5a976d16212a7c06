//! What a change brings: the set as it is against the set that the change began from.

use std::collections::BTreeSet;

use super::super::context::Context;
use super::super::report::judge;
use super::super::words::counted;
use crate::foundation::diagnostic::{Baseline, Code, Finding, Stage};
use crate::foundation::failure::Failure;
use crate::set::check;
use crate::set::declaration::{Declaration, DeclaredWheel, Source};
use crate::set::difference::setting_changes;
use crate::set::gather::WheelReport;
use crate::set::repository::{
    CONFIGURATION_FILE, Changes, Configuration, LoadError, Repository, Revision, RevisionError,
    SeverityRule, disguises,
};

/// How many digits of a commit are shown.
const SHOWN_DIGITS: usize = 12;

/// The set before the change.
pub(super) struct Before {
    commit: String,
    /// `None` where there was none: then everything is new.
    repository: Option<Repository>,
    /// Which files are not as they were.
    changes: Changes,
    /// The settings of the revision itself. Where the work began may be long ago, and its index
    /// another one's by now.
    reviewed: Configuration,
}

impl Before {
    /// Reads the state that the work on `now` began from.
    pub(super) fn load(
        context: &Context<'_>,
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
        let environment = context.environment;
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

    /// Puts the places that the maintainers have reviewed in the place of the change's own, and
    /// says so: the index, the gateways and the targets.
    pub(super) fn lend_places(&self, context: &Context<'_>, now: &mut Repository, revision: &str) {
        let reviewed = &self.reviewed;
        let changed: Vec<&str> = setting_changes(&now.configuration, reviewed)
            .into_iter()
            .filter_map(|change| match change.key {
                "index" => Some("`[index]`"),
                "gateways" => Some("`[mirrors]`"),
                "publish" => Some("`[publish]`"),
                _ => None,
            })
            .collect();
        if !changed.is_empty() {
            context.say(&format!(
                "note: this change has another {}; the check uses what `{revision}` has",
                changed.join(" and another "),
            ));
        }
        let configuration = &mut now.configuration;
        configuration.index_url.clone_from(&reviewed.index_url);
        configuration.gateways.clone_from(&reviewed.gateways);
        configuration.publish.clone_from(&reviewed.publish);
    }

    fn declaration(&self, now: &Declaration) -> Option<&Declaration> {
        self.repository.as_ref()?.declarations.get(&now.project)
    }

    /// Whether a wheel is a file of the repository that is not what it was.
    fn has_other_file(&self, wheel: &DeclaredWheel) -> bool {
        wheel.sources.iter().any(|source| match &source.value {
            Source::File(path) => self.changes.has(path),
            Source::Package(_) | Source::Web(_) => false,
        })
    }

    /// The wheels of the declarations that say something else than before, or whose files are others.
    pub(super) fn changed<'n>(&self, now: &'n Repository) -> Vec<&'n DeclaredWheel> {
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

    /// Says of each finding whether it is new, puts the new ones first, and gives how many are gone.
    pub(super) fn compare(
        &self,
        context: &Context<'_>,
        now: &Repository,
        found: &WheelReport,
        findings: &mut [Finding],
    ) -> usize {
        let platforms = &now.configuration.platforms;
        let Some(repository) = &self.repository else {
            return check::compare(&[], findings, platforms).len();
        };
        let mut before = repository.findings.clone();
        before.extend(check::set(repository));
        before.extend(self.of_wheels(repository, now, found));
        let before = judge(context, repository, before, found);
        let gone = check::compare(&before, findings, platforms).len();
        for finding in findings.iter_mut() {
            if hides_a_change(repository, now, finding) {
                finding.baseline = Some(Baseline::New);
            }
        }
        findings.sort_by_key(|finding| finding.baseline);
        gone
    }

    /// What would have been said of the wheels that were looked at, as they were declared before.
    fn of_wheels(
        &self,
        before: &Repository,
        now: &Repository,
        found: &WheelReport,
    ) -> Vec<Finding> {
        let layout = before.configuration.layout;
        let platforms = &before.configuration.platforms;
        let of_sources = check::sources(&found.problems);
        let mut findings = Vec::new();
        for declaration in now.declarations.values() {
            let Some(before) = self.declaration(declaration) else {
                continue;
            };
            for wheel in &before.wheels {
                if let Some(facts) = found.facts(wheel) {
                    findings.extend(check::wheel(wheel, &facts.archive, layout, platforms));
                }
                // The bytes and the places of a wheel that is declared as it was are what they were,
                // but for a file of the repository.
                let is_as_it_was = !self.has_other_file(wheel)
                    && declaration
                        .wheels
                        .iter()
                        .any(|now| now.has_the_same_bytes(wheel));
                if is_as_it_was {
                    let of_source = of_sources.iter().filter(|finding| {
                        finding.subject.wheel.as_deref() == Some(wheel.file_name.as_str())
                    });
                    findings.extend(of_source.cloned());
                }
            }
        }
        findings
    }

    /// Says what the change comes to.
    pub(super) fn say(
        &self,
        context: &Context<'_>,
        now: &Repository,
        wheels: usize,
        findings: &[Finding],
        gone: usize,
    ) {
        match &self.repository {
            None => context.say(&format!(
                "note: {} has no repository here, so everything is new",
                self.commit
            )),
            Some(before) => say_weakened(context, before, now),
        }
        say_disguised(context, now, &self.changes);
        let of = |baseline| {
            findings
                .iter()
                .filter(|finding| finding.baseline == Some(baseline))
                .count()
        };
        context.say(&format!(
            "since {}: {} of changed declarations, {} new, {} from before, {gone} gone",
            self.commit,
            counted(wheels, "wheel"),
            counted(of(Baseline::New), "finding"),
            of(Baseline::Unchanged),
        ));
    }
}

/// Names the rules that a change relaxes: whoever reviews it should know that it is clean because of that.
fn say_weakened(context: &Context<'_>, before: &Repository, now: &Repository) {
    let weight =
        |repository: &Repository, code: &Code| match repository.configuration.severity.get(code) {
            Some(SeverityRule::Off) => None,
            Some(SeverityRule::Weighs(severity)) => Some(*severity),
            None => Some(code.default_severity()),
        };
    let relaxed: Vec<String> = Code::ALL
        .iter()
        .filter(|code| weight(now, code) < weight(before, code))
        .map(|code| format!("`{code}`"))
        .collect();
    if !relaxed.is_empty() {
        let words = relaxed.join(", ");
        context.warning(&format!(
            "this change relaxes rules in `[severity]`: {words}"
        ));
    }
    let changes = setting_changes(&now.configuration, &before.configuration);
    let trust: Vec<String> = changes
        .iter()
        .filter(|change| matches!(change.key, "trusted" | "threshold"))
        .map(|change| format!("`{}`", change.key))
        .collect();
    if !trust.is_empty() {
        let words = trust.join(" and ");
        context.warning(&format!(
            "this change decides who may sign releases: {words} in `[signing]`; `ipwhl diff` shows how"
        ));
    }
    let identity: Vec<String> = changes
        .iter()
        .filter(|change| ["name", "declarations", "layout", "profile"].contains(&change.key))
        .map(|change| format!("`{}`", change.key))
        .collect();
    if !identity.is_empty() {
        let words = identity.join(" and ");
        context.warning(&format!(
            "this change sets another {words} in `[repository]`; `ipwhl diff` shows which"
        ));
    }
    for change in &changes {
        let (words, values) = match change.key {
            "waiver" => ("adds or changes waivers", &change.added),
            "platforms" => ("supports platforms no more", &change.removed),
            _ => continue,
        };
        if !values.is_empty() {
            context.warning(&format!("this change {words}: {}", values.join("; ")));
        }
    }
}

/// Names the texts that reviewers may not see as they are checked: those that the change touches.
/// If it touches attributes, all texts count, and declarations that may still come.
fn say_disguised(context: &Context<'_>, now: &Repository, changes: &Changes) {
    let is_text = |file: &&str| {
        let endings = [".toml", ".yml", ".yaml", ".gitattributes"];
        endings.iter().any(|ending| file.ends_with(ending))
    };
    let touched = changes.files.iter().map(String::as_str).filter(is_text);
    let mut files: BTreeSet<&str> = touched.collect();
    let any = format!("{}/any.toml", now.configuration.declarations);
    if changes.attributes {
        let declarations = now.declarations.values().flat_map(|one| &one.wheels);
        files.extend(declarations.map(|wheel| &*wheel.file));
        files.extend([CONFIGURATION_FILE, &any]);
    }
    match disguises(context.environment, &now.directory, files.into_iter()) {
        Err(error) => context.warning(&format!(
            "git cannot tell the attributes of the files in this change: {error}"
        )),
        Ok(found) => {
            for (attribute, files) in found {
                let there: Vec<&String> = files.iter().filter(|file| **file != any).collect();
                let what = match there.as_slice() {
                    [] => "new declarations".to_owned(),
                    [file] => format!("`{file}`"),
                    [file, more @ ..] => format!("`{file}` and {} more", more.len()),
                };
                context.warning(&format!(
                    "reviewers may see another text of {what}, or none: `{attribute}` in `.gitattributes`"
                ));
            }
        }
    }
}

/// Whether nobody can say what has changed behind a finding: the declaration is not what it was and cannot
/// be read, or nothing can be.
fn hides_a_change(before: &Repository, now: &Repository, finding: &Finding) -> bool {
    if finding.code.stage() != Stage::Text || finding.code.may_be_softened() {
        return false;
    }
    let Some(label) = finding.labels.first() else {
        return true;
    };
    if *label.file == *now.configuration_file() {
        return now.configuration.platforms.is_empty() || now.link_to_declarations().is_some();
    }
    let text = |repository: &Repository| repository.texts.get(&label.file).cloned();
    let project = finding.subject.project.as_deref();
    now.unreadable
        .iter()
        .any(|unreadable| Some(unreadable.as_str()) == project)
        && text(before) != text(now)
}
