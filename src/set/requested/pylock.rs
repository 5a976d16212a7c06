//! Reads `pylock.toml` and `pylock.<name>.toml`, version 1.
//!
//! Specification: "pylock.toml", PEP 751. The file has no roots: every package that the selection
//! includes is requested.

use ipwhl_packaging::{ExtraName, GroupName, Marker};

use super::collector::{Collector, direct};
use super::ignored::IgnoredKind;
use super::place::Place;
use super::toml_file::{
    extras, format_version, locked_version, parsed, pin_files, project_name, requirement_for,
    table_place,
};
use crate::foundation::diagnostic::Code;
use crate::set::declaration::Spanned;
use crate::set::declaration::reader::{Reader, Table};

/// The keys of packages that are not from an index, and whether they are source trees.
const DIRECT: [&str; 3] = ["vcs", "directory", "archive"];

/// Reads a lock file of PEP 751.
pub(super) fn read_pylock(collector: &mut Collector<'_>, reader: &Reader, top: &Table<'_, '_>) {
    let Some(version) = top.string("lock-version") else {
        return top.missing("lock-version", "lock the project anew");
    };
    let place = Place::new(&reader.file, version.span);
    match format_version(version.value, (1, 0)) {
        Some(true) => {}
        Some(false) => {
            collector.ignore(IgnoredKind::NewerFormat(version.value.to_owned()), place);
        }
        None => {
            return collector.report(
                Code::InvalidValue,
                format!(
                    "version `{}` of `pylock.toml` is not supported",
                    version.value
                ),
                &place,
                "write a lock file of version 1.0",
            );
        }
    }
    let defined = extras(reader, top.strings("extras"));
    for extra in &defined {
        collector.define_extra(extra);
    }
    let mut groups = group_names(reader, top.strings("dependency-groups"));
    let default_groups = group_names(reader, top.strings("default-groups"));
    groups.extend(default_groups.iter().cloned());
    for group in &groups {
        collector.define_group(group);
    }
    let selection = collector.selection;
    let is_selected = |extra: &ExtraName| selection.has_extra(extra);
    let extras = defined.into_iter().filter(is_selected).collect();
    let is_default = |group: &GroupName| default_groups.contains(group);
    let is_selected = |group: &GroupName| selection.has_group(group) || is_default(group);
    let groups = groups.into_iter().filter(is_selected).collect();
    for package in top.tables("packages", "a `[[packages]]` table") {
        let Some(name) = project_name(reader, &package) else {
            continue;
        };
        let marker = parsed::<Marker>(reader, package.string("marker"));
        let marker = match marker.map(|marker| marker.select(&extras, &groups)) {
            None => None,
            Some(selected) => match selected.into_requirement_marker() {
                None => continue,
                Some(marker) => marker,
            },
        };
        let place = table_place(&reader.file, &package);
        if let Some(kind) = direct_origin(&package, &name) {
            collector.ignore(kind, place);
            continue;
        }
        let Some(requirement) = requirement_for(reader, name.clone(), [], None, marker) else {
            continue;
        };
        collector.add(requirement, place.clone(), false);
        if !package.has("version") {
            collector.ignore(IgnoredKind::Unversioned(name), place);
        } else if let Some(version) = locked_version(reader, &package) {
            collector.prefer(name, version, place);
        }
        pin_files(collector, reader, &package, "wheels");
    }
}

fn group_names(reader: &Reader, list: Option<Spanned<Vec<Spanned<&str>>>>) -> Vec<GroupName> {
    let list = list.map(|list| list.value).unwrap_or_default();
    list.into_iter()
        .filter_map(|text| parsed(reader, Some(text)))
        .collect()
}

/// The source of a package that is not from an index.
fn direct_origin(
    package: &Table<'_, '_>,
    name: &ipwhl_packaging::ProjectName,
) -> Option<IgnoredKind> {
    let key = DIRECT.into_iter().find(|key| package.has(key))?;
    let source = package.table(key, "the source of a package")?;
    let text = |key: &'static str| source.string(key).map(|text| text.value.to_owned());
    let named = text("url").or_else(|| text("path")).unwrap_or_default();
    Some(match key {
        "vcs" => {
            let kind = text("type").unwrap_or_else(|| "git".to_owned());
            direct(Some(name.clone()), &format!("{kind}+{named}"))
        }
        "archive" if source.has("url") => direct(Some(name.clone()), &named),
        _ => IgnoredKind::Path(named),
    })
}
