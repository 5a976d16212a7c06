//! Reads the tables of Poetry in a `pyproject.toml`, as Poetry 1 needs them.
//!
//! Specification: Poetry, "Dependency specification". Of the version constraints, `||` cannot be
//! written as specifiers and is a finding.

use std::collections::BTreeSet;
use std::ops::Range;

use ipwhl_packaging::{ExtraName, GroupName, Marker, ProjectName, Version};
use toml::de::{DeTable, DeValue};

use super::collector::direct;
use super::ignored::IgnoredKind;
use super::local::{LocalDependency, LocalProject};
use super::model::Selection;
use super::place::Place;
use super::toml_file::{parsed, requirement_for};
use crate::foundation::diagnostic::{Code, Finding, without_credentials};
use crate::set::declaration::Spanned;
use crate::set::declaration::reader::{Reader, Table};

/// Whether the dependencies are in `[tool.poetry]`: `[project]` does not have them.
pub(super) fn is_poetry_project(
    project: Option<&Table<'_, '_>>,
    poetry: Option<&Table<'_, '_>>,
) -> bool {
    let has_own = project.is_some_and(|project| project.has("dependencies"));
    !has_own && poetry.is_some_and(|poetry| poetry.has("dependencies"))
}

/// Reads `[tool.poetry.dependencies]` and `[tool.poetry.extras]`.
pub(super) fn read_poetry_project(
    reader: &Reader,
    poetry: &Table<'_, '_>,
    local: &mut LocalProject,
) {
    let mut of_extras: Vec<(ExtraName, BTreeSet<ProjectName>)> = Vec::new();
    if let Some(extras) = poetry.table("extras", "`[tool.poetry.extras]`") {
        for (key, value, _) in extras.entries() {
            let Some(extra) = parsed::<ExtraName>(reader, Some(key)) else {
                continue;
            };
            let names = value.as_array().into_iter().flatten();
            let names = names.filter_map(|name| name.get_ref().as_str()?.parse().ok());
            of_extras.push((extra, names.collect()));
        }
    }
    local
        .extras
        .extend(of_extras.iter().map(|(extra, _)| extra.clone()));
    let Some(table) = poetry.table("dependencies", "`[tool.poetry.dependencies]`") else {
        return;
    };
    for (mut one, is_optional) in dependencies(reader, &table) {
        if is_optional {
            let name = &one.requirement.name;
            let extras = of_extras.iter().filter(|(_, names)| names.contains(name));
            let comparisons: Vec<String> = extras
                .map(|(extra, _)| format!("extra == '{extra}'"))
                .collect();
            // An optional dependency of no extra is never installed.
            let Ok(of_extras) = comparisons.join(" or ").parse::<Marker>() else {
                continue;
            };
            let marker = one.requirement.marker.take();
            one.requirement.marker = Some(match marker {
                Some(marker) => of_extras.and(&marker),
                None => of_extras,
            });
        }
        local.dependencies.push(one);
    }
}

/// Reads `[tool.poetry.group.<name>.dependencies]` and `[tool.poetry.dev-dependencies]`.
pub(super) fn read_poetry_groups(
    selection: &Selection,
    reader: &Reader,
    poetry: &Table<'_, '_>,
    local: &mut LocalProject,
) {
    let mut add = |group: GroupName, table: Option<Table<'_, '_>>| {
        let is_selected = selection.has_group(&group);
        let of_group = local.groups.entry(group).or_default();
        if let Some(table) = table.filter(|_| is_selected) {
            let found = dependencies(reader, &table).into_iter();
            of_group.extend(found.map(|(one, _)| one));
        }
    };
    if let Some(groups) = poetry.table("group", "`[tool.poetry.group]`") {
        for (key, value, span) in groups.entries() {
            let Some(group) = parsed::<GroupName>(reader, Some(key)) else {
                continue;
            };
            let table = value
                .as_table()
                .map(|table| Table::new(reader, table, span, "a group of `[tool.poetry.group]`"));
            let table = table.and_then(|table| table.table("dependencies", "a group"));
            add(group, table);
        }
    }
    let old = poetry.table("dev-dependencies", "`[tool.poetry.dev-dependencies]`");
    if let (Some(old), Ok(group)) = (old, "dev".parse()) {
        add(group, Some(old));
    }
}

/// The dependencies of a table, each with whether it is optional.
fn dependencies(reader: &Reader, table: &Table<'_, '_>) -> Vec<(LocalDependency, bool)> {
    let mut found = Vec::new();
    for (key, value, span) in table.entries() {
        if key.value == "python" {
            continue;
        }
        let Some(name) = parsed::<ProjectName>(reader, Some(key)) else {
            continue;
        };
        // A list has several constraints for different markers.
        match value.as_array() {
            Some(array) => found.extend(
                array
                    .iter()
                    .filter_map(|one| dependency(reader, &name, one.get_ref(), &one.span())),
            ),
            None => found.extend(dependency(reader, &name, value, &span)),
        }
    }
    found
}

fn dependency(
    reader: &Reader,
    name: &ProjectName,
    value: &DeValue<'_>,
    span: &Range<usize>,
) -> Option<(LocalDependency, bool)> {
    let place = Place::new(&reader.file, span.clone());
    if let Some(text) = value.as_str() {
        let text = Spanned::new(text, span.clone());
        let specifiers = specifiers(reader, &text)?;
        let specifiers = Spanned::new(specifiers.as_str(), span.clone());
        let requirement = requirement_for(reader, name.clone(), [], Some(specifiers), None)?;
        let dependency = LocalDependency {
            requirement,
            direct: None,
            has_index: false,
            place,
        };
        return Some((dependency, false));
    }
    let Some(table) = value.as_table() else {
        let message = format!("the constraint on `{name}` must be a string or a table");
        reader.report(Code::InvalidValue, message, span);
        return None;
    };
    let text = |key: &str| {
        let value = table.get(key)?;
        Some(Spanned::new(value.get_ref().as_str()?, value.span()))
    };
    let mut marker = parsed::<Marker>(reader, text("markers"));
    let platform = text("platform").map(|text| format!("sys_platform == '{}'", text.value));
    let python = match text("python") {
        None => None,
        Some(text) => Some(python_marker(&specifiers(reader, &text)?)),
    };
    for more in [platform, python].into_iter().flatten() {
        if let Ok(more) = more.parse::<Marker>() {
            marker = Some(marker.map_or_else(|| more.clone(), |marker| marker.and(&more)));
        }
    }
    let version = match text("version") {
        None => None,
        Some(text) => Some(Spanned::new(specifiers(reader, &text)?, text.span)),
    };
    let version = version
        .as_ref()
        .map(|text| Spanned::new(text.value.as_str(), text.span.clone()));
    let extras = table
        .get("extras")
        .and_then(|list| list.get_ref().as_array());
    let extras = extras.into_iter().flatten().filter_map(|one| {
        let text = Spanned::new(one.get_ref().as_str()?, one.span());
        parsed::<ExtraName>(reader, Some(text))
    });
    let extras: Vec<ExtraName> = extras.collect();
    let requirement = requirement_for(reader, name.clone(), extras, version, marker)?;
    let optional = table
        .get("optional")
        .and_then(|one| one.get_ref().as_bool());
    let dependency = LocalDependency {
        requirement,
        direct: direct_source(name, table),
        has_index: table.contains_key("source"),
        place,
    };
    Some((dependency, optional == Some(true)))
}

fn direct_source(name: &ProjectName, table: &DeTable<'_>) -> Option<IgnoredKind> {
    let text = |key: &str| {
        let value = table.get(key)?;
        Some(without_credentials(value.get_ref().as_str()?))
    };
    if let Some(url) = text("git") {
        Some(direct(Some(name.clone()), &format!("git+{url}")))
    } else if let Some(url) = text("url") {
        Some(direct(Some(name.clone()), &url))
    } else {
        text("path").or_else(|| text("file")).map(IgnoredKind::Path)
    }
}

/// The marker for a Python constraint in the form of specifiers.
fn python_marker(specifiers: &str) -> String {
    let clauses = specifiers.split(',').filter(|clause| !clause.is_empty());
    let comparisons: Vec<String> = clauses
        .map(|clause| {
            let length = clause
                .find(|sign: char| !"<>=!~".contains(sign))
                .unwrap_or(clause.len());
            let (operator, version) = clause.split_at(length);
            format!("python_full_version {operator} '{version}'")
        })
        .collect();
    comparisons.join(" and ")
}

/// The specifiers that mean the same as a constraint of Poetry; empty for any version.
fn specifiers(reader: &Reader, text: &Spanned<&str>) -> Option<String> {
    let translated = translate(text.value);
    if translated.is_none() {
        let message = format!("`{}` cannot be written as version specifiers", text.value);
        let finding = Finding::new(Code::InvalidRequirement, message);
        reader.push(finding.at(&reader.file, text.span.clone(), "").help(
            "write a constraint such as `^1.2` or `>=1.2,<2`, or write the requirements in \
             `[project]`",
        ));
    }
    translated
}

/// The specifiers of a constraint, without spaces; `None` if there are none.
fn translate(text: &str) -> Option<String> {
    let mut clauses = Vec::new();
    let text = text.trim();
    if text.contains('|') {
        return None;
    }
    // Both commas and spaces separate clauses; a space may follow an operator.
    let mut words = text
        .split([',', ' ', '\t'])
        .filter(|word| !word.is_empty())
        .peekable();
    while let Some(word) = words.next() {
        let is_operator = word.chars().all(|sign| "<>=!~^".contains(sign));
        let clause = if is_operator {
            format!("{word}{}", words.next()?)
        } else {
            word.to_owned()
        };
        clauses.push(clause_of(&clause)?);
    }
    if clauses.is_empty() {
        return None;
    }
    clauses.retain(|clause| !clause.is_empty());
    Some(clauses.join(","))
}

fn clause_of(clause: &str) -> Option<String> {
    if clause == "*" {
        return Some(String::new());
    }
    if let Some(version) = clause.strip_prefix('^') {
        return bounded(version, |release| {
            let first = release.iter().position(|part| *part != 0);
            first.unwrap_or(release.len() - 1)
        });
    }
    let is_tilde = clause.starts_with('~') && !clause.starts_with("~=");
    if let Some(version) = clause.strip_prefix('~').filter(|_| is_tilde) {
        return bounded(version, |release| usize::from(release.len() > 1));
    }
    if clause.starts_with(|sign: char| sign.is_ascii_digit()) {
        return Some(format!("=={clause}"));
    }
    match clause.strip_prefix('=') {
        Some(version) if !version.starts_with('=') => Some(format!("=={version}")),
        _ => clause
            .starts_with(['<', '>', '=', '!', '~'])
            .then(|| clause.to_owned()),
    }
}

/// From a version to the next one that changes the part of the release that `part` gives.
fn bounded(version: &str, part: impl Fn(&[u64]) -> usize) -> Option<String> {
    let parsed: Version = version.parse().ok()?;
    let release = parsed.release();
    let part = part(release);
    let mut next: Vec<String> = release[..part].iter().map(ToString::to_string).collect();
    next.push(release.get(part)?.checked_add(1)?.to_string());
    let epoch = match parsed.epoch() {
        0 => String::new(),
        epoch => format!("{epoch}!"),
    };
    Some(format!(">={version},<{epoch}{}", next.join(".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_are_translated_as_the_documentation_has_them() {
        for (constraint, specifiers) in [
            ("^1.2.3", ">=1.2.3,<2"),
            ("^1.2", ">=1.2,<2"),
            ("^1", ">=1,<2"),
            ("^0.2.3", ">=0.2.3,<0.3"),
            ("^0.0.3", ">=0.0.3,<0.0.4"),
            ("^0.0", ">=0.0,<0.1"),
            ("^0", ">=0,<1"),
            ("~1.2.3", ">=1.2.3,<1.3"),
            ("~1.2", ">=1.2,<1.3"),
            ("~1", ">=1,<2"),
            ("*", ""),
            ("1.2.*", "==1.2.*"),
            ("1.2", "==1.2"),
            ("=1.2", "==1.2"),
            (">= 1.2, <2", ">=1.2,<2"),
            (">=1.2 <2", ">=1.2,<2"),
            ("~=1.2", "~=1.2"),
            ("!=1.2", "!=1.2"),
        ] {
            assert_eq!(
                translate(constraint).as_deref(),
                Some(specifiers),
                "{constraint}"
            );
        }
        for constraint in ["^1 || ^2", "", "x", "^x", ">=", "^"] {
            assert_eq!(translate(constraint), None, "{constraint}");
        }
    }

    #[test]
    fn a_python_constraint_is_a_marker() {
        assert_eq!(
            python_marker(">=3.8,<4"),
            "python_full_version >= '3.8' and python_full_version < '4'"
        );
    }
}
