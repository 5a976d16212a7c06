//! Separates the findings that a change causes from those that existed before.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ipwhl_packaging::{ExtraName, Platform, ProjectName, WheelFileName};

use crate::foundation::diagnostic::{Baseline, Code, Finding, Note};
use crate::set::repository::summarize_platforms;

/// The identity of a finding in two states of a set. An unsatisfied requirement stays the same
/// finding if the version in the set changes or its line moves.
#[derive(PartialEq, Eq, Hash)]
struct Identity<'f> {
    code: Code,
    project: Option<&'f ProjectName>,
    /// As written: the versions of equal requirements may differ in trailing zeros.
    requirement: Option<String>,
    extra: Option<&'f ExtraName>,
    /// A vulnerability stays the same finding if another version has it, too.
    advisory: Option<&'f str>,
    /// Identifies the finding if neither a requirement nor a vulnerability does.
    otherwise: Option<Otherwise<'f>>,
}

#[derive(PartialEq, Eq, Hash)]
struct Otherwise<'f> {
    wheel: Option<&'f WheelFileName>,
    file: Option<&'f Arc<str>>,
    message: &'f str,
}

impl<'f> Identity<'f> {
    fn of(finding: &'f Finding) -> Self {
        let subject = &finding.subject;
        let requirement = subject.requirement.as_ref().map(ToString::to_string);
        let file = finding.labels.first().map(|label| &label.file);
        let advisory = subject.advisory.as_ref().map(|advisory| &*advisory.id);
        Self {
            code: finding.code,
            project: subject.project.as_ref(),
            extra: subject.extra.as_ref(),
            advisory,
            otherwise: (requirement.is_none() && advisory.is_none()).then_some(Otherwise {
                wheel: subject.wheel.as_ref(),
                file,
                message: &finding.message,
            }),
            requirement,
        }
    }
}

/// Marks each finding of `now` as known or new, by comparison with `before`, and returns the
/// indices of those in `before` that are gone. A finding on more platforms than before is new; a
/// note names the earlier ones.
pub fn compare(before: &[Finding], now: &mut [Finding], all: &[Platform]) -> Vec<usize> {
    let mut is_open = vec![true; before.len()];
    let mut numbers: HashMap<Identity<'_>, usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, finding) in before.iter().enumerate() {
        let number = *numbers.entry(Identity::of(finding)).or_insert(groups.len());
        if number == groups.len() {
            groups.push(Vec::new());
        }
        groups[number].push(index);
    }
    let of_now = now
        .iter()
        .map(|finding| numbers.get(&Identity::of(finding)).copied());
    let of_now: Vec<Option<usize>> = of_now.collect();
    for (finding, number) in now.iter_mut().zip(of_now) {
        let platforms = names(finding);
        let shown = |index: usize| names(&before[index]);
        let found = number.and_then(|number| {
            let alike = &mut groups[number];
            let first = *alike.first()?;
            let whole = alike
                .iter()
                .position(|index| shown(*index).is_superset(&platforms));
            is_open[alike.remove(whole.unwrap_or(0))] = false;
            Some((first, whole.is_some()))
        });
        let Some((first, is_whole)) = found else {
            finding.baseline = Some(Baseline::New);
            continue;
        };
        let was: Vec<String> = shown(first).intersection(&platforms).cloned().collect();
        finding.baseline = Some(if is_whole {
            Baseline::Unchanged
        } else {
            Baseline::New
        });
        if !is_whole && let Some(place) = summarize_platforms(&was, all) {
            finding.notes.push(Note::WasBefore(place));
        }
    }
    (0..before.len()).filter(|index| is_open[*index]).collect()
}

/// The names of its platforms; another minimum patch version does not make another platform.
fn names(finding: &Finding) -> BTreeSet<String> {
    let platforms = finding.subject.platforms.iter();
    platforms.map(ToString::to_string).collect()
}
