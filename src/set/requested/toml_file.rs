//! Parts of TOML files that several readers share.

use std::ops::Range;
use std::sync::Arc;

use ipwhl_packaging::{
    Constraint, ExtraName, Marker, ProjectName, Requirement, Version, parse_specifiers,
};

use super::collector::{Collector, invalid_requirement, sha256};
use super::model::Pinned;
use super::place::Place;
use crate::foundation::diagnostic::{Code, Finding};
use crate::set::declaration::Spanned;
use crate::set::declaration::reader::{Reader, Table};

/// A requirement that a string gives.
pub(super) fn requirement(reader: &Reader, text: &Spanned<&str>) -> Option<Requirement> {
    match text.value.parse::<Requirement>() {
        Ok(requirement) => Some(requirement),
        Err(error) => {
            let span = inside(text, &error.span);
            reader.push(invalid_requirement(&reader.file, text.value, &error, span));
            None
        }
    }
}

/// The place of a part of a string: the part itself if the string has no escapes.
fn inside(text: &Spanned<&str>, part: &Range<usize>) -> Range<usize> {
    let start = text.span.start + 1;
    if text.span.len() == text.value.len() + 2 && !part.is_empty() {
        start + part.start..start + part.end
    } else {
        text.span.clone()
    }
}

/// A value that a string gives. An invalid one is a finding.
pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    reader: &Reader,
    text: Option<Spanned<&str>>,
) -> Option<T> {
    let text = text?;
    match text.value.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            let message = format!("`{}`: {error}", text.value);
            reader.report(Code::InvalidValue, message, &text.span);
            None
        }
    }
}

/// The project that a table of a lock file is about.
pub(super) fn project_name(reader: &Reader, table: &Table<'_, '_>) -> Option<ProjectName> {
    if !table.has("name") {
        table.missing(
            "name",
            "lock the project anew with the tool that wrote the file",
        );
    }
    parsed(reader, table.string("name"))
}

/// The locked version in a table of a lock file.
pub(super) fn locked_version(reader: &Reader, table: &Table<'_, '_>) -> Option<Version> {
    parsed(reader, table.string("version"))
}

/// A requirement for a project, from its parts.
pub(super) fn requirement_for(
    reader: &Reader,
    name: ProjectName,
    extras: impl IntoIterator<Item = ExtraName>,
    specifiers: Option<Spanned<&str>>,
    marker: Option<Marker>,
) -> Option<Requirement> {
    let text = specifiers.as_ref().map_or("", |text| text.value);
    let specifiers = match parse_specifiers(text) {
        Ok(specifiers) => specifiers,
        Err(error) => {
            let span = specifiers.map_or(0..0, |text| inside(&text, &error.span));
            let message = format!(
                "`{text}` is not a set of version specifiers: {}",
                error.message
            );
            let finding = Finding::new(Code::InvalidRequirement, message);
            reader.push(finding.at(&reader.file, span, ""));
            return None;
        }
    };
    Some(Requirement {
        name,
        extras: extras.into_iter().collect(),
        constraint: Constraint::Specifiers(specifiers),
        marker,
    })
}

/// The distributions in a list of a lock file: tables with a name, a path or an address, and a
/// SHA-256.
pub(super) fn pin_files(
    collector: &mut Collector<'_>,
    reader: &Reader,
    table: &Table<'_, '_>,
    key: &str,
) {
    for file in table.tables_of(key, "a distribution") {
        let text = |key: &'static str| {
            let (value, span) = file.value(key)?;
            Some((value.as_str()?.to_owned(), span))
        };
        let named = ["file", "name", "filename", "url", "path"];
        let Some((named, span)) = named.into_iter().find_map(text) else {
            continue;
        };
        let digest = match text("hash") {
            Some((hash, _)) => sha256(&hash),
            None => file
                .table("hashes", "`hashes`")
                .and_then(|hashes| hashes.string("sha256")?.value.parse().ok()),
        };
        let name = named.split(['#', '?']).next().unwrap_or_default();
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
        // The sign before a local version.
        let name = name.replace("%2B", "+").replace("%2b", "+");
        let place = Place::new(&reader.file, span);
        collector.pin(Pinned::File(name), digest, place);
    }
}

/// The extras that a list names.
pub(super) fn extras(reader: &Reader, list: Option<Spanned<Vec<Spanned<&str>>>>) -> Vec<ExtraName> {
    let list = list.map(|list| list.value).unwrap_or_default();
    list.into_iter()
        .filter_map(|text| parsed(reader, Some(text)))
        .collect()
}

/// Moves the findings of a TOML file to the collector.
pub(super) fn take_findings(collector: &mut Collector<'_>, reader: Reader) {
    for finding in reader.into_findings() {
        collector.push(finding);
    }
}

/// The place of a table: its name, if it has one, so that a message shows one line.
pub(super) fn table_place(file: &Arc<str>, table: &Table<'_, '_>) -> Place {
    let span = match table.value("name") {
        Some((_, span)) => span,
        None => table.span.clone(),
    };
    Place::new(file, span)
}

/// Whether the version of a lock file's format is known: of the known major version, and of a minor
/// one that is at most the known. `None` if another major version is given.
pub(super) fn format_version(text: &str, known: (u64, u64)) -> Option<bool> {
    let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
    let minor = minor.split('.').next()?;
    let major: u64 = major.parse().ok()?;
    let minor: u64 = minor.parse().ok()?;
    (major == known.0).then_some(minor <= known.1)
}
