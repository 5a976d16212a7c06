//! A comparison as an outline, independent of the output format.

mod wheels;

use super::super::words::counted;
use super::entry::{Entry, Line, Mark, Outline, Piece, Section, list, own, value};
use super::report::Report;
use crate::foundation::diagnostic::{Finding, Severity};
use crate::foundation::size::HumanBytes;
use crate::release::comparison::{State, StateKind, UnreadMembers};
use crate::set::difference::{FindingChanges, Kind, ProjectChange, SettingsExtent};
use crate::set::judgement::group_related;

/// The outline of a comparison.
pub(super) fn outline(report: &Report<'_>) -> Outline {
    let [old, new] = report.comparison.states;
    let title = [("from ", old), ("to ", new)].map(|(word, state)| {
        let mut line = vec![own(word)];
        line.extend(name(state));
        line
    });
    let projects = report.comparison.difference.projects.iter();
    let projects: Vec<Entry> = projects.map(|one| project(report, one)).collect();
    let mut summary = vec![vec![own(counts(report))]];
    let findings = &report.comparison.findings;
    summary.push(vec![own(match findings {
        None => {
            "findings: not compared, because a release of the layout `ipwhl-1` has no declarations"
                .to_owned()
        }
        Some(changes) => format!(
            "findings: {} new, {} gone, {} unchanged",
            changes.new.len(),
            changes.gone.len(),
            changes.unchanged
        ),
    })]);
    summary.push(vec![own(moved(report))]);
    summary.extend(not_known(report));
    let of = |state: &State, select: fn(&FindingChanges) -> &Vec<Finding>| {
        let changes = findings.as_ref().map(select);
        changes.map_or_else(Vec::new, |findings| entries(report, state, findings))
    };
    let all = [
        ("projects", projects),
        ("new findings", of(new, |changes| &changes.new)),
        ("resolved findings", of(old, |changes| &changes.gone)),
    ];
    let section = |(heading, entries): (&'static str, Vec<Entry>)| {
        (!entries.is_empty()).then_some(Section { heading, entries })
    };
    Outline {
        title,
        settings: section(("settings", settings(report))),
        summary,
        sections: all.into_iter().filter_map(section).collect(),
    }
}

fn name(state: &State) -> Line {
    let description = &state.description;
    let mut line = vec![if description.kind == StateKind::WorkingTree {
        Piece::Sentence(description.name.clone())
    } else {
        value(&description.name)
    }];
    if let Some(root) = description
        .root
        .as_ref()
        .filter(|root| !description.name.contains(*root))
    {
        line.extend([own(" ("), value(root), own(")")]);
    }
    line
}

/// A sentence with the numbers of differences.
fn counts(report: &Report<'_>) -> String {
    let comparison = report.comparison;
    let difference = &comparison.difference;
    if !comparison.differs() {
        let is_known = difference.is_complete() || comparison.is_one_release();
        let words = if is_known {
            "no difference"
        } else {
            "no difference in the compared parts"
        };
        return words.to_owned();
    }
    let words = |of: &dyn Fn(Kind) -> usize, unchanged: usize, noun: &str| {
        let kinds = [
            (Kind::Added, "added"),
            (Kind::Changed, "changed"),
            (Kind::Removed, "removed"),
        ];
        let parts: Vec<String> = kinds
            .into_iter()
            .filter(|(kind, _)| of(*kind) > 0)
            .map(|(kind, word)| format!("{} {word}", of(kind)))
            .chain([format!("{unchanged} unchanged")])
            .collect();
        format!("{noun}: {}", parts.join(", "))
    };
    let projects = words(
        &|kind| {
            let all = difference.projects.iter();
            all.filter(|one| one.kind() == kind).count()
        },
        difference.unchanged,
        "projects",
    );
    let all = comparison.states[1].snapshot.wheels().count();
    let wheels = |kind| {
        let changes = difference.projects.iter().flat_map(|one| &one.wheels);
        changes.filter(|one| one.kind() == kind).count()
    };
    let differing = wheels(Kind::Added) + wheels(Kind::Changed);
    let wheels = words(&wheels, all.saturating_sub(differing), "wheels");
    let same_names = difference.unreadable[0] == difference.unreadable[1];
    if difference.projects.is_empty() && difference.settings.is_empty() && same_names {
        return format!(
            "the roots differ, but no difference in the compared parts; {projects}; {wheels}"
        );
    }
    format!("{projects}; {wheels}")
}

/// The parts that were not compared, with the reasons. Nothing is left out silently.
fn not_known(report: &Report<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    let comparison = report.comparison;
    let difference = &comparison.difference;
    let extents = difference.settings_known;
    if extents.contains(&SettingsExtent::Nothing) {
        lines.push(vec![own(
            "not compared: settings and declarations, because a release of the layout `ipwhl-1` has none",
        )]);
    } else if extents.contains(&SettingsExtent::Released) && !comparison.is_one_release() {
        lines.push(vec![own(
            "not compared: trusted, threshold, publish, index, cooldown, gateways, declarations, \
             format, layout and withdrawn, because a release does not contain them",
        )]);
    }
    for (state, extent) in comparison.states.into_iter().zip(extents) {
        if extent == SettingsExtent::Partial {
            lines.push(vec![
                own("not compared in full: the settings of "),
                value(&state.description.name),
                own(", because its `ipwhl.toml` has errors"),
            ]);
        }
    }
    for (state, names) in comparison.states.into_iter().zip(&difference.partial) {
        if !names.is_empty() {
            let mut line = vec![own("not compared in full: declarations with errors in ")];
            line.extend([value(&state.description.name), own(": ")]);
            line.extend(list(names, report.in_full));
            lines.push(line);
        }
    }
    for (state, names) in comparison.states.into_iter().zip(&difference.unreadable) {
        if !names.is_empty() {
            let mut line = vec![own("not compared: unreadable declarations in ")];
            line.extend([value(&state.description.name), own(": ")]);
            line.extend(list(names, report.in_full));
            lines.push(line);
        }
    }
    // Reasons are long and shared by many wheels, so each is printed once.
    let mut reasons: Vec<(&UnreadMembers, usize)> = Vec::new();
    for reason in comparison
        .members
        .members
        .values()
        .filter_map(|one| one.as_ref().err())
    {
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => reasons.push((reason, 1)),
        }
    }
    for (reason, count) in reasons {
        let of = counted(count, "wheel");
        lines.push(vec![
            own(format!("not read: {of}, because ")),
            Piece::Sentence(reason.to_string()),
        ]);
    }
    if comparison.members.unknown_names > 0 {
        let of = counted(comparison.members.unknown_names, "wheel");
        lines.push(vec![own(format!(
            "names of new commands and packages not compared with those of {of}: `ipwhl check \
             --wheels` has not read them here"
        ))]);
    }
    let unsearched = comparison.unsearched();
    if unsearched > 0 {
        let words = counted(unsearched, "wheel");
        lines.push(vec![own(format!(
            "not read: {words}, because of `--members none`"
        ))]);
    }
    lines
}

/// The amount that a mirror has to transfer.
fn moved(report: &Report<'_>) -> String {
    let transfer = &report.comparison.transfer;
    let bytes = HumanBytes(transfer.bytes);
    let all = HumanBytes(transfer.all_bytes);
    match (transfer.blocks, transfer.all_blocks) {
        (Some(blocks), Some(all_blocks)) => {
            format!("a mirror transfers {blocks} of {all_blocks} blocks, {bytes} of {all}")
        }
        _ => {
            let unknown = match transfer.unknown {
                0 => String::new(),
                count => format!(", and {} of unknown size", counted(count, "wheel")),
            };
            format!(
                "a mirror transfers about {bytes} of {all}{unknown}: the declared sizes of wheels \
                 with new content-ids"
            )
        }
    }
}

/// Every setting that differs, each value in full, because any part of a value may be important.
fn settings(report: &Report<'_>) -> Vec<Entry> {
    let settings = report.comparison.difference.settings.iter();
    settings
        .map(|setting| {
            let sides = [
                (Mark::Removed, &setting.removed),
                (Mark::Added, &setting.added),
            ];
            let below = sides.into_iter().flat_map(|(mark, values)| {
                let values = values.iter();
                values.map(move |text| Entry::new(mark, vec![value(text)]))
            });
            Entry::new(Mark::Urgent, vec![own(setting.key)]).with(below.collect())
        })
        .collect()
}

fn project(report: &Report<'_>, change: &ProjectChange<'_>) -> Entry {
    let mut line = vec![value(change.name)];
    let version = |versions: Vec<String>| {
        let mut line = vec![own(" ")];
        line.extend(list(&versions, true));
        line
    };
    let texts = |state: &crate::set::difference::ProjectState| -> Vec<String> {
        state.versions.iter().map(ToString::to_string).collect()
    };
    let [old, new] = [change.old, change.new].map(|state| state.map(texts));
    match (old, new) {
        (Some(old), Some(new)) if old != new => {
            line.extend(version(old));
            line.push(own(" ->"));
            line.extend(version(new));
        }
        (_, Some(one)) | (Some(one), None) => line.extend(version(one)),
        (None, None) => {}
    }
    let mut below = Vec::new();
    match change.wanted() {
        Some(true) => below.push(Entry::new(
            Mark::Changed,
            vec![own("now wanted; it was automatic")],
        )),
        Some(false) => below.push(Entry::new(
            Mark::Changed,
            vec![own("now automatic; it was wanted")],
        )),
        None => {}
    }
    if let Some((old, new)) = change.publisher() {
        let mut entry = wheels::stated("publisher", old, new);
        entry.mark = Mark::Urgent;
        below.push(entry);
    }
    if let Some(reviewed) = change.reviewed() {
        let words = if reviewed {
            "now reviewed"
        } else {
            "no longer reviewed: a machine has taken it in"
        };
        below.push(Entry::new(Mark::Changed, vec![own(words)]));
    }
    if let Some(state) = change.new.filter(|_| change.old.is_none())
        && state.wanted == Some(false)
    {
        line.push(own(", automatic"));
    }
    if change
        .new
        .is_some_and(|new| change.old.is_none() && new.unreviewed)
    {
        line.push(own(", not reviewed"));
    }
    below.extend(wheels::wheels(report, change));
    Entry::new(change.kind(), line).with(below)
}

fn entries(report: &Report<'_>, state: &State, findings: &[Finding]) -> Vec<Entry> {
    let Some(repository) = &state.repository else {
        return Vec::new();
    };
    let told = group_related(repository, findings, report.in_full);
    let entry = |finding: &Finding| {
        let mark = match finding.severity {
            Severity::Error => Mark::Urgent,
            Severity::Warning => Mark::None,
        };
        let line = vec![
            own(format!("{}[{}]: ", finding.severity, finding.code)),
            Piece::Sentence(finding.message.clone()),
        ];
        let below = finding
            .requirers
            .iter()
            .chain(&finding.alike)
            .map(|requirer| Entry::new(Mark::None, vec![Piece::Sentence(requirer.clone())]));
        Entry::new(mark, line).with(below.collect())
    };
    told.iter().map(entry).collect()
}
