//! Reads `uv.lock`, version 1.
//!
//! The format has no specification; uv 0.13 writes it. Each package has a `source`. One with
//! `editable` or `virtual` is a project of the workspace, whose requirements are in
//! `[package.metadata]` as they were written.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipwhl_packaging::{ExtraName, GroupName, Marker, ProjectName};

use super::collector::{Collector, direct};
use super::ignored::IgnoredKind;
use super::local::{LocalDependency, LocalProject, request_dependencies};
use super::place::Place;
use super::toml_file::{
    extras, locked_version, parsed, pin_files, project_name, requirement_for, table_place,
};
use crate::foundation::diagnostic::{Code, without_credentials};
use crate::set::declaration::reader::{Reader, Table};

/// The origin of a package.
enum Origin {
    /// An index.
    Index,
    /// The workspace itself.
    Workspace,
    /// Another place.
    Direct(IgnoredKind),
}

/// Reads a lock file of uv.
pub(super) fn read_uv_lock(collector: &mut Collector<'_>, reader: &Reader, top: &Table<'_, '_>) {
    match top.number("version") {
        Some(version) if version.value == 1 => {}
        Some(version) => {
            let message = format!("version {} of `uv.lock` is not supported", version.value);
            return unsupported(collector, &reader.file, version.span, message);
        }
        None => {
            let message = "`version` is missing: this is not a lock file of uv".to_owned();
            return unsupported(collector, &reader.file, 0..0, message);
        }
    }
    let mut projects: BTreeMap<Option<ProjectName>, LocalProject> = BTreeMap::new();
    for package in top.tables("package", "a `[[package]]` table") {
        let Some(name) = project_name(reader, &package) else {
            continue;
        };
        let place = table_place(&reader.file, &package);
        match origin(&package, &name) {
            Origin::Index => match locked_version(reader, &package) {
                Some(version) => {
                    collector.prefer(name, version, place);
                    pin_files(collector, reader, &package, "wheels");
                }
                None => collector.ignore(IgnoredKind::Unversioned(name), place),
            },
            Origin::Direct(kind) => collector.ignore(kind, place),
            Origin::Workspace => {
                let project = local_project(reader, &package);
                projects.insert(Some(name), project);
            }
        }
    }
    if let Some(manifest) = top.table("manifest", "`[manifest]`") {
        // The requirements of a script or of a workspace without a project.
        let mut root = LocalProject {
            dependencies: dependencies(reader, &manifest, "requirements"),
            ..LocalProject::default()
        };
        if let Some(groups) = manifest.table("dependency-groups", "`[manifest.dependency-groups]`")
        {
            root.groups = group_dependencies(reader, &groups);
        }
        projects.insert(None, root);
        for one in dependencies(reader, &manifest, "constraints") {
            match one.direct {
                Some(kind) => collector.ignore(kind, one.place),
                None => collector.add(one.requirement, one.place, true),
            }
        }
        for one in dependencies(reader, &manifest, "overrides") {
            collector.ignore(IgnoredKind::Override(one.requirement), one.place);
        }
    }
    request_dependencies(collector, &projects);
}

fn unsupported(
    collector: &mut Collector<'_>,
    file: &Arc<str>,
    span: std::ops::Range<usize>,
    message: String,
) {
    collector.report(
        Code::InvalidValue,
        message,
        &Place::new(file, span),
        "`uv export --format pylock.toml -o pylock.toml` writes a file that can be read",
    );
}

/// The origin of a package or of a requirement, which has the same keys.
fn origin_of(table: &Table<'_, '_>, name: &ProjectName) -> Origin {
    let text = |key: &'static str| {
        let (value, _) = table.value(key)?;
        Some(without_credentials(value.as_str().unwrap_or_default()))
    };
    if let Some(url) = text("git") {
        return Origin::Direct(direct(Some(name.clone()), &format!("git+{url}")));
    }
    if let Some(url) = text("url") {
        return Origin::Direct(direct(Some(name.clone()), &url));
    }
    if let Some(path) = text("path").or_else(|| text("directory")) {
        return Origin::Direct(IgnoredKind::Path(path));
    }
    if table.has("editable") || table.has("virtual") {
        return Origin::Workspace;
    }
    Origin::Index
}

fn origin(package: &Table<'_, '_>, name: &ProjectName) -> Origin {
    match package.table("source", "`source`") {
        Some(source) => origin_of(&source, name),
        None => Origin::Index,
    }
}

fn local_project(reader: &Reader, package: &Table<'_, '_>) -> LocalProject {
    let Some(metadata) = package.table("metadata", "`[package.metadata]`") else {
        return locked_project(reader, package);
    };
    let mut project = LocalProject {
        dependencies: dependencies(reader, &metadata, "requires-dist"),
        ..LocalProject::default()
    };
    project
        .extras
        .extend(extras(reader, metadata.strings("provides-extras")));
    // Older versions of uv do not write the list.
    if let Some(optional) = package.table("optional-dependencies", "`optional-dependencies`") {
        let names = optional.entries().into_iter();
        let names = names.filter_map(|(key, _, _)| key.value.parse::<ExtraName>().ok());
        project.extras.extend(names);
    }
    if let Some(groups) = metadata.table("requires-dev", "`[package.metadata.requires-dev]`") {
        project.groups = group_dependencies(reader, &groups);
    }
    project
}

/// A project of the workspace without metadata: its locked dependencies, without specifiers.
fn locked_project(reader: &Reader, package: &Table<'_, '_>) -> LocalProject {
    let mut project = LocalProject {
        dependencies: dependencies(reader, package, "dependencies"),
        ..LocalProject::default()
    };
    for one in &mut project.dependencies {
        // Markers of forks compare `extra` with names that are made up.
        let marker = one.requirement.marker.take();
        one.requirement.marker = marker.filter(|marker| {
            let named = marker.named_extras();
            named.is_some_and(|named| named.is_empty())
        });
    }
    if let Some(groups) = package.table("dev-dependencies", "`[package.dev-dependencies]`") {
        project.groups = group_dependencies(reader, &groups);
    }
    if let Some(optional) = package.table("optional-dependencies", "`optional-dependencies`") {
        for (key, _, _) in optional.entries() {
            let Some(extra) = parsed::<ExtraName>(reader, Some(key.clone())) else {
                continue;
            };
            let Ok(of_extra) = format!("extra == '{extra}'").parse::<Marker>() else {
                continue;
            };
            for mut one in list_of(reader, &optional, key.value) {
                one.requirement.marker = Some(of_extra.clone());
                project.dependencies.push(one);
            }
            project.extras.insert(extra);
        }
    }
    project
}

fn group_dependencies(
    reader: &Reader,
    groups: &Table<'_, '_>,
) -> BTreeMap<GroupName, Vec<LocalDependency>> {
    let mut found = BTreeMap::new();
    for (key, _, _) in groups.entries() {
        if let Some(group) = parsed::<GroupName>(reader, Some(key.clone())) {
            found.insert(group, list_of(reader, groups, key.value));
        }
    }
    found
}

/// The requirements in a list whose key is data.
fn list_of(reader: &Reader, table: &Table<'_, '_>, key: &str) -> Vec<LocalDependency> {
    let tables = table.tables_of(key, "a requirement");
    tables
        .iter()
        .filter_map(|one| dependency(reader, one))
        .collect()
}

fn dependencies(reader: &Reader, table: &Table<'_, '_>, key: &'static str) -> Vec<LocalDependency> {
    let tables = table.tables(key, "a requirement");
    tables
        .iter()
        .filter_map(|one| dependency(reader, one))
        .collect()
}

fn dependency(reader: &Reader, table: &Table<'_, '_>) -> Option<LocalDependency> {
    let name = project_name(reader, table)?;
    let direct = match origin_of(table, &name) {
        Origin::Index => None,
        Origin::Workspace => Some(IgnoredKind::Workspace(name.clone())),
        Origin::Direct(kind) => Some(kind),
    };
    // `extras` in metadata, `extra` in locked dependencies.
    let list = table.strings("extras").or_else(|| table.strings("extra"));
    let extras = extras(reader, list);
    let marker = parsed::<Marker>(reader, table.string("marker"));
    let specifier = table.string("specifier").filter(|text| text.value != "*");
    let requirement = requirement_for(reader, name, extras, specifier, marker)?;
    Some(LocalDependency {
        requirement,
        direct,
        has_index: table.has("index"),
        place: table_place(&reader.file, table),
    })
}
