//! Reads `poetry.lock`, versions 1 and 2.
//!
//! The format has no specification; Poetry 2.1 writes version 2.1. The file has no roots: those are
//! in the `pyproject.toml` beside it. Without that file every package is requested that the
//! selection includes.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use ipwhl_packaging::{ExtraName, GroupName, ProjectName};

use super::collector::{Collector, Unusable, direct};
use super::files::{decode_toml, included_path, shown};
use super::ignored::IgnoredKind;
use super::place::Place;
use super::pyproject::{PYPROJECT, read_pyproject_text};
use super::toml_file::{
    format_version, locked_version, parsed, pin_files, project_name, requirement_for, table_place,
};
use crate::foundation::diagnostic::Code;
use crate::set::declaration::reader::{Reader, Table};

/// The group of the dependencies that are in no other group.
const MAIN: &str = "main";

/// Reads a lock file of Poetry.
pub(super) fn read_poetry_lock(
    collector: &mut Collector<'_>,
    reader: &Reader,
    top: &Table<'_, '_>,
    path: &Path,
) {
    let metadata = top.table("metadata", "`[metadata]`");
    let version = metadata
        .as_ref()
        .and_then(|metadata| metadata.string("lock-version"));
    if let Some(version) = version {
        let is_known = ["1", "2"].iter().any(|major| {
            let major = major.parse().unwrap_or_default();
            format_version(version.value, (major, u64::MAX)).is_some()
        });
        if !is_known {
            let place = Place::new(&reader.file, version.span);
            return collector.report(
                Code::InvalidValue,
                format!(
                    "version `{}` of `poetry.lock` is not supported",
                    version.value
                ),
                &place,
                "`poetry export -o requirements.txt` writes a file that can be read",
            );
        }
    }
    let has_roots = read_roots(collector, path);
    let mut optional = BTreeSet::new();
    if let Some(extras) = top.table("extras", "`[extras]`") {
        for (key, value, _) in extras.entries() {
            let Some(extra) = parsed::<ExtraName>(reader, Some(key)) else {
                continue;
            };
            if !has_roots {
                collector.define_extra(&extra);
            }
            if collector.selection.has_extra(&extra) {
                let names = value.as_array().into_iter().flatten();
                optional.extend(names.filter_map(|name| {
                    // An entry may be a whole requirement.
                    let name = name.get_ref().as_str()?;
                    let end = name.find([' ', '(', '[', ';', '<', '>', '=', '!', '~']);
                    name[..end.unwrap_or(name.len())]
                        .parse::<ProjectName>()
                        .ok()
                }));
            }
        }
    }
    for package in top.tables("package", "a `[[package]]` table") {
        let Some(name) = project_name(reader, &package) else {
            continue;
        };
        let place = table_place(&reader.file, &package);
        if let Some(kind) = direct_source(&package, &name) {
            collector.ignore(kind, place);
            continue;
        }
        let Some(version) = locked_version(reader, &package) else {
            continue;
        };
        if !has_roots && is_requested(collector, reader, &package, &name, &optional) {
            let requirement = requirement_for(reader, name.clone(), [], None, None);
            if let Some(requirement) = requirement {
                collector.add(requirement, place.clone(), false);
            }
        }
        collector.prefer(name, version, place);
        pin_files(collector, reader, &package, "files");
    }
    // Version 1 had the files in one place.
    let files = metadata.and_then(|metadata| metadata.table("files", "`[metadata.files]`"));
    if let Some(files) = files {
        for (key, _, _) in files.entries() {
            pin_files(collector, reader, &files, key.value);
        }
    }
}

/// Reads the `pyproject.toml` beside the lock file. Whether there is one.
fn read_roots(collector: &mut Collector<'_>, lock: &Path) -> bool {
    let path = included_path(lock, PYPROJECT);
    let file = Arc::from(shown(&path));
    let problem = match collector.read(&path) {
        Ok(bytes) => match decode_toml(bytes) {
            Ok(text) => {
                read_pyproject_text(collector, &file, &text);
                return true;
            }
            Err(error) => error.message,
        },
        Err(Unusable::Io(error)) if error.kind() == io::ErrorKind::NotFound => return false,
        Err(Unusable::Io(error)) => error.to_string(),
        Err(Unusable::TooLarge(reason)) => reason,
    };
    collector.keep_text(&file, "");
    let message = format!("`{file}`, beside the lock file, cannot be read: {problem}");
    let help = "it says which locked packages are requested";
    collector.report(Code::InvalidValue, message, &Place::new(&file, 0..0), help);
    true
}

/// Whether the selection includes a package: its groups, and for an optional one its extras.
fn is_requested(
    collector: &mut Collector<'_>,
    reader: &Reader,
    package: &Table<'_, '_>,
    name: &ProjectName,
    optional: &BTreeSet<ProjectName>,
) -> bool {
    // Version 2.1 has a list of groups, version 1 had one category.
    let groups = package.one_or_several(if package.has("groups") {
        "groups"
    } else {
        "category"
    });
    let mut is_selected = groups.is_none();
    for text in groups.map(|groups| groups.value).unwrap_or_default() {
        let Some(group) = parsed::<GroupName>(reader, Some(text)) else {
            continue;
        };
        if group.as_str() == MAIN {
            is_selected = true;
        } else {
            collector.define_group(&group);
            is_selected |= collector.selection.has_group(&group);
        }
    }
    let is_optional = package.boolean("optional").is_some_and(|one| one.value);
    is_selected && (!is_optional || collector.selection.all || optional.contains(name))
}

/// The source of a package that is not from an index.
fn direct_source(package: &Table<'_, '_>, name: &ProjectName) -> Option<IgnoredKind> {
    let source = package.table("source", "`[package.source]`")?;
    let kind = source.string("type")?.value;
    let url = source
        .string("url")
        .map(|url| url.value)
        .unwrap_or_default();
    match kind {
        "directory" | "file" => Some(IgnoredKind::Path(url.to_owned())),
        "url" => Some(direct(Some(name.clone()), url)),
        "git" | "hg" | "svn" | "bzr" => Some(direct(Some(name.clone()), &format!("{kind}+{url}"))),
        // An index: the newest name is `legacy`.
        _ => None,
    }
}
