//! The wheels of a project that differ.

use std::collections::BTreeSet;

use super::super::super::words::counted;
use super::super::entry::{Entry, Line, Mark, Piece, TOLD, joined, list, own, set, set_of, value};
use super::super::report::Report;
use crate::foundation::size::HumanBytes;
use crate::set::difference::{
    CommandConflict, EntryPointChange, Kind, MemberChange, MemberChanges, PackageConflict,
    ProjectChange, Risk, SetChange, WheelChange, origin,
};
use crate::set::repository::summarize_platforms;

/// The wheels of a project, with their common differences listed once.
pub(super) fn wheels(report: &Report<'_>, change: &ProjectChange<'_>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = change.wheels.iter().map(|one| wheel(report, one)).collect();
    let changed = change
        .wheels
        .iter()
        .filter(|one| one.kind() == Kind::Changed);
    let mut below = Vec::new();
    if changed.count() > 1 {
        let common = in_common(&mut entries);
        if !common.is_empty() {
            below.push(Entry::new(Mark::None, vec![own("in each changed wheel")]).with(common));
        }
    }
    let all = entries.len();
    if !report.in_full && all > TOLD {
        // Urgent entries are never left out.
        let mut room = TOLD;
        entries.retain(|entry| {
            let is_told = entry.is_urgent() || room > 0;
            room = room.saturating_sub(1);
            is_told
        });
    }
    let left_out = all - entries.len();
    below.extend(entries);
    if left_out > 0 {
        let words = format!("and {} more (`-v` shows them)", counted(left_out, "wheel"));
        below.push(Entry::new(Mark::None, vec![own(words)]));
    }
    below
}

/// Removes the subentries that all changed wheels share, and returns them.
fn in_common(entries: &mut [Entry]) -> Vec<Entry> {
    let mut changed = entries.iter().filter(|entry| entry.mark == Mark::Changed);
    let first = changed.next().map(|entry| entry.below.clone());
    let common: Vec<Entry> = first
        .unwrap_or_default()
        .into_iter()
        .filter(|one| changed.clone().all(|entry| entry.below.contains(one)))
        .collect();
    let changed = entries
        .iter_mut()
        .filter(|entry| entry.mark == Mark::Changed);
    for entry in changed {
        entry.below.retain(|one| !common.contains(one));
    }
    common
}

fn wheel(report: &Report<'_>, change: &WheelChange<'_>) -> Entry {
    let mut line = Line::new();
    match (change.name(), change.new.or(change.old)) {
        (Some((old, new)), _) => line.extend([value(old), own(" -> "), value(new)]),
        (None, Some((name, _))) => line.push(value(name)),
        (None, None) => {}
    }
    let [old, new] = [change.old, change.new].map(|named| named.map(|(_, wheel)| wheel));
    let [old_size, new_size] = [old, new].map(|wheel| wheel.and_then(|wheel| wheel.size));
    match (old_size, new_size) {
        (Some(old), Some(new)) if old != new => {
            line.push(own(format!(", {} -> {}", HumanBytes(old), HumanBytes(new))));
        }
        (None, Some(size)) if old.is_none() => line.push(own(format!(", {}", HumanBytes(size)))),
        _ => {}
    }
    if let (None, Some(declared)) = (old, new.and_then(|new| new.declared.as_ref())) {
        let sources: BTreeSet<String> = declared.sources.iter().map(|one| origin(one)).collect();
        line.push(own(", from "));
        line.extend(joined(
            sources.into_iter().map(Piece::Sentence).collect(),
            report.in_full,
        ));
        if let Some(words) = folded(report, 1, &declared.platforms) {
            line.extend([own(", for "), Piece::Sentence(words)]);
        }
    }
    let mut below = declared(report, change);
    match report.comparison.members_of(change) {
        Some(Ok(members)) => below.extend(inside(report, members, old.is_some())),
        _ if change.has_other_bytes() => below.push(Entry::new(
            Mark::Changed,
            vec![own("different bytes, not read")],
        )),
        _ => {}
    }
    Entry::new(change.kind(), line).with(below)
}

/// Platforms of the old state (`0`) or the new one in few words; `None` for none.
fn folded(report: &Report<'_>, side: usize, platforms: &[String]) -> Option<String> {
    let repository = report.comparison.states[side].repository.as_ref()?;
    summarize_platforms(platforms, &repository.configuration.platforms)
}

/// The differences between both declarations.
fn declared(report: &Report<'_>, change: &WheelChange<'_>) -> Vec<Entry> {
    let mut entries = Vec::new();
    if let Some((old, new)) = change.requires_python() {
        let text = |specifiers: Option<&str>| value(specifiers.unwrap_or("any"));
        let line = vec![own("requires-python: "), text(old), own(" -> "), text(new)];
        entries.push(Entry::new(Mark::Changed, line));
    }
    // Other bytes have another digest and size.
    if !change.has_other_bytes() {
        let sha256 = change.stated_sha256();
        entries.extend(sha256.map(|(old, new)| stated("sha256", old, new)));
        let size = change.stated_size();
        entries.extend(size.map(|(old, new)| stated("size", old, new)));
        let uploaded = change.uploaded();
        entries.extend(uploaded.map(|(old, new)| stated("uploaded", old, new)));
    }
    let only = change.only();
    entries.extend(only.map(|(old, new)| stated("only", old, new)));
    let sources = change.sources();
    let origins = change.origins();
    entries.extend(set("requirements", &change.requirements(), report.in_full));
    entries.extend(set("extras", &change.extras(), report.in_full));
    let platforms = change.platforms();
    if !platforms.is_empty() {
        let words = |side, some: &[String]| folded(report, side, some).into_iter().collect();
        let words = SetChange {
            removed: words(0, &platforms.removed),
            added: words(1, &platforms.added),
        };
        entries.extend(set_of("platforms", &words, Piece::Sentence, report.in_full));
    }
    if report.in_full && !sources.is_empty() {
        entries.extend(set("sources", &sources, true));
    } else if !origins.is_empty() {
        let mut entry = set_of("comes from", &origins, Piece::Sentence, report.in_full);
        // A new version has new addresses, but a new origin needs attention.
        for one in entry.iter_mut().flat_map(|entry| &mut entry.below) {
            if one.mark == Mark::Added {
                one.mark = Mark::Urgent;
                one.line.insert(0, own("now "));
            }
        }
        entries.extend(entry);
    } else if !sources.is_empty() && !change.has_other_bytes() {
        let words = "different addresses on the same hosts (`-v` shows them)";
        entries.push(Entry::new(Mark::Changed, vec![own(words)]));
    }
    if change.reorders_sources() {
        let words = "the same sources in a different order";
        entries.push(Entry::new(Mark::Changed, vec![own(words)]));
    }
    entries
}

/// A difference in a value that both declarations state about the same bytes.
pub(super) fn stated<T: ToString>(key: &str, old: Option<T>, new: Option<T>) -> Entry {
    let text = |stated: Option<T>| stated.map_or_else(|| own("not stated"), |one| value(&one));
    let line = vec![own(format!("{key}: ")), text(old), own(" -> "), text(new)];
    Entry::new(Mark::Changed, line)
}

const RISKS: [(Risk, &str); 7] = [
    (Risk::Startup, "runs at every start of Python"),
    (Risk::Bytecode, "bytecode"),
    (Risk::ImportedInstead, "imported instead of a module"),
    (Risk::NativeCode, "native code"),
    (Risk::EntryPoints, "entry points"),
    (Risk::Script, "scripts"),
    (Risk::OutsidePackage, "outside the package"),
];

/// The new contents of a wheel; `has_old` if it replaces another wheel.
fn inside(report: &Report<'_>, changes: &MemberChanges, has_old: bool) -> Vec<Entry> {
    let mut entries = Vec::new();
    if !changes.command_conflicts.is_empty() {
        let conflicts = changes.command_conflicts.iter();
        let mut below = conflicts.map(|one| conflict(report, one)).collect();
        shorten(report, &mut below);
        let words = "commands whose names are already in use";
        entries.push(Entry::new(Mark::None, vec![own(words)]).with(below));
    }
    if !changes.package_conflicts.is_empty() {
        let conflicts = changes.package_conflicts.iter();
        let mut below = conflicts.map(|one| package_conflict(report, one)).collect();
        shorten(report, &mut below);
        let words = "packages whose names are already in use";
        entries.push(Entry::new(Mark::None, vec![own(words)]).with(below));
    }
    for (risk, words) in RISKS {
        let mut below = Vec::new();
        if risk == Risk::EntryPoints {
            below.extend(
                changes
                    .unclear_entry_points
                    .iter()
                    .map(|words| Entry::new(Mark::Urgent, vec![Piece::Sentence(words.clone())])),
            );
            below.extend(changes.entry_points.iter().map(|change| {
                let is_urgent = has_old && change.entry_point.is_script();
                entry_point(change, is_urgent)
            }));
        }
        if below.is_empty() {
            let is_urgent = has_old || !risk.is_common();
            below.extend(changes.of(risk).map(|one| member(one, is_urgent)));
        }
        if !below.is_empty() {
            let all = below.len();
            shorten(report, &mut below);
            let words = format!("{words}: {all}");
            entries.push(Entry::new(Mark::None, vec![own(words)]).with(below));
        }
    }
    let rest: Vec<&MemberChange> = changes.of(Risk::Other).collect();
    let kinds = [
        (Kind::Added, "added"),
        (Kind::Changed, "changed"),
        (Kind::Removed, "removed"),
    ];
    let mut words: Vec<String> = kinds
        .into_iter()
        .map(|(kind, word)| (rest.iter().filter(|one| one.kind == kind).count(), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if has_old {
        words.push(format!("{} unchanged", changes.unchanged));
    }
    if !words.is_empty() {
        let noun = if entries.is_empty() {
            "members"
        } else {
            "other members"
        };
        let mut entry = Entry::new(
            Mark::None,
            vec![own(format!("{noun}: {}", words.join(", ")))],
        );
        if report.in_full {
            entry.below = rest.into_iter().map(|one| member(one, false)).collect();
        }
        entries.push(entry);
    }
    entries
}

/// Keeps only the first entries, urgent ones first, unless `-v` is given.
fn shorten(report: &Report<'_>, entries: &mut Vec<Entry>) {
    let all = entries.len();
    if report.in_full || all <= TOLD + 1 {
        return;
    }
    entries.sort_by_key(|entry| !entry.is_urgent());
    entries.truncate(TOLD);
    let words = format!("and {} more (`-v` shows them)", all - TOLD);
    entries.push(Entry::new(Mark::None, vec![own(words)]));
}

/// The mark of a change. A removal is never urgent.
fn mark(kind: Kind, is_urgent: bool) -> Mark {
    if is_urgent && kind != Kind::Removed {
        Mark::Urgent
    } else {
        kind.into()
    }
}

fn word(mark: Mark, kind: Kind) -> &'static str {
    match (mark, kind) {
        (Mark::Urgent, Kind::Added) => "added ",
        (Mark::Urgent, Kind::Changed) => "changed ",
        // The mark shows the kind.
        _ => "",
    }
}

fn member(change: &MemberChange, is_urgent: bool) -> Entry {
    let mark = mark(change.kind, is_urgent);
    let sizes = match (change.old_size, change.new_size) {
        (Some(old), Some(new)) if old != new => {
            format!(", {} -> {}", HumanBytes(old), HumanBytes(new))
        }
        (_, Some(size)) | (Some(size), None) => format!(", {}", HumanBytes(size)),
        (None, None) => String::new(),
    };
    let line = vec![
        own(word(mark, change.kind)),
        value(&change.path),
        own(sizes),
    ];
    Entry::new(mark, line)
}

fn conflict(report: &Report<'_>, conflict: &CommandConflict) -> Entry {
    let mut line = vec![value(&conflict.name)];
    if conflict.in_environment {
        line.push(own(", a command of Python environments or shells"));
    }
    let projects: Vec<_> = conflict.projects.iter().collect();
    if !projects.is_empty() {
        line.push(own(", also installed by "));
        line.extend(list(&projects, report.in_full));
    }
    Entry::new(Mark::Urgent, line)
}

fn package_conflict(report: &Report<'_>, conflict: &PackageConflict) -> Entry {
    let mut line = vec![value(&conflict.name)];
    if conflict.in_environment {
        line.push(own(", a package of Python environments"));
    }
    let projects: Vec<_> = conflict.projects.iter().collect();
    if !projects.is_empty() {
        line.push(own(", also in "));
        line.extend(list(&projects, report.in_full));
    }
    Entry::new(Mark::Urgent, line)
}

fn entry_point(change: &EntryPointChange, is_urgent: bool) -> Entry {
    let mark = mark(change.kind, is_urgent);
    let mut line = vec![
        own(word(mark, change.kind)),
        value(&format!(
            "[{}] {}",
            change.entry_point.group, change.entry_point.name
        )),
        own(" = "),
    ];
    match (&change.old, &change.new) {
        (Some(old), Some(new)) => line.extend([value(old), own(" -> "), value(new)]),
        (Some(one), None) | (None, Some(one)) => line.push(value(one)),
        (None, None) => {}
    }
    Entry::new(mark, line)
}
