//! Reads `pyproject.toml`: `[project]`, `[dependency-groups]`, and what uv and Poetry add.
//!
//! Specifications: "pyproject.toml", "Dependency Groups" (PEP 735).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ipwhl_packaging::{ExtraName, GroupName, Marker, ProjectName, Requirement};
use toml::de::DeValue;

use super::collector::{Collector, direct};
use super::ignored::IgnoredKind;
use super::local::{LocalDependency, LocalProject, request_dependencies};
use super::model::Selection;
use super::place::Place;
use super::poetry_tables::{is_poetry_project, read_poetry_groups, read_poetry_project};
use super::toml_file::{parsed, requirement};
use crate::foundation::diagnostic::{Code, Finding, nearest};
use crate::set::declaration::Spanned;
use crate::set::declaration::reader::{Reader, Table};

/// Requests what a `pyproject.toml` requires.
pub(super) fn read_pyproject(collector: &mut Collector<'_>, reader: &Reader, top: &Table<'_, '_>) {
    let projects = BTreeMap::from([local_project(collector, reader, top)]);
    request_dependencies(collector, &projects);
}

/// The project of a `pyproject.toml`, with its name if it has one.
fn local_project(
    collector: &mut Collector<'_>,
    reader: &Reader,
    top: &Table<'_, '_>,
) -> (Option<ProjectName>, LocalProject) {
    let mut local = LocalProject::default();
    let mut name = None;
    let tool = top.table("tool", "`[tool]`");
    let poetry = tool
        .as_ref()
        .and_then(|tool| tool.table("poetry", "`[tool.poetry]`"));
    let project = top.table("project", "`[project]`");
    let is_poetry = is_poetry_project(project.as_ref(), poetry.as_ref());
    if let Some(project) = &project {
        name = parsed(reader, project.string("name"));
        if !is_poetry {
            read_project(collector, reader, project, &mut local);
        }
    }
    if let Some(poetry) = &poetry {
        if is_poetry {
            name = name.or_else(|| parsed(reader, poetry.string("name")));
            read_poetry_project(reader, poetry, &mut local);
        }
        read_poetry_groups(collector.selection, reader, poetry, &mut local);
    }
    if let Some(groups) = top.table("dependency-groups", "`[dependency-groups]`") {
        read_groups(collector.selection, reader, &groups, &mut local);
    }
    if let Some(uv) = tool.and_then(|tool| tool.table("uv", "`[tool.uv]`")) {
        read_uv(collector, reader, &uv, &mut local);
    }
    (name, local)
}

fn dependency(reader: &Reader, text: &Spanned<&str>) -> Option<LocalDependency> {
    Some(LocalDependency {
        requirement: requirement(reader, text)?,
        direct: None,
        has_index: false,
        place: Place::new(&reader.file, text.span.clone()),
    })
}

fn read_project(
    collector: &mut Collector<'_>,
    reader: &Reader,
    project: &Table<'_, '_>,
    local: &mut LocalProject,
) {
    let dynamic = project.strings("dynamic").map(|list| list.value);
    for key in ["dependencies", "optional-dependencies"] {
        let mut keys = dynamic.iter().flatten();
        if let Some(text) = keys.find(|text| text.value == key) {
            let place = Place::new(&reader.file, text.span.clone());
            collector.ignore(IgnoredKind::Dynamic(key), place);
        }
    }
    let list = project.strings("dependencies").map(|list| list.value);
    for text in list.iter().flatten() {
        local.dependencies.extend(dependency(reader, text));
    }
    let Some(optional) = project.table("optional-dependencies", "`optional-dependencies`") else {
        return;
    };
    for (key, value, span) in optional.entries() {
        let Some(extra) = parsed::<ExtraName>(reader, Some(key)) else {
            continue;
        };
        for text in strings(reader, value, span) {
            let mut one = dependency(reader, &text);
            if let Some(one) = &mut one {
                one.requirement = for_extra(one.requirement.clone(), &extra);
            }
            local.dependencies.extend(one);
        }
        local.extras.insert(extra);
    }
}

/// The requirement with a marker for an extra.
fn for_extra(mut requirement: Requirement, extra: &ExtraName) -> Requirement {
    if let Ok(of_extra) = format!("extra == '{extra}'").parse::<Marker>() {
        // A comparison with `extra` has no meaning in the list of an extra.
        let marker = requirement.marker.take();
        requirement.marker = Some(match marker {
            Some(marker) => of_extra.and(&marker),
            None => of_extra,
        });
    }
    requirement
}

/// The strings of a list whose key is data.
fn strings<'t>(
    reader: &Reader,
    value: &'t DeValue<'t>,
    span: std::ops::Range<usize>,
) -> Vec<Spanned<&'t str>> {
    let Some(array) = value.as_array() else {
        reader.report(Code::InvalidValue, "this must be a list of strings", &span);
        return Vec::new();
    };
    let mut strings = Vec::new();
    for element in array {
        match element.get_ref().as_str() {
            Some(text) => strings.push(Spanned::new(text, element.span())),
            None => reader.report(Code::InvalidValue, "this must be a string", &element.span()),
        }
    }
    strings
}

/// A dependency group as written: its name and its list.
struct Group<'t> {
    name: Spanned<&'t str>,
    value: &'t DeValue<'t>,
    span: std::ops::Range<usize>,
}

/// Reads the selected groups. The specification advises against a check of all of them.
fn read_groups(
    selection: &Selection,
    reader: &Reader,
    table: &Table<'_, '_>,
    local: &mut LocalProject,
) {
    let mut groups: BTreeMap<GroupName, Group<'_>> = BTreeMap::new();
    for (key, value, span) in table.entries() {
        let Some(name) = parsed::<GroupName>(reader, Some(key.clone())) else {
            continue;
        };
        let group = Group {
            name: key,
            value,
            span,
        };
        if let Some(other) = groups.get(&name) {
            let message = format!(
                "`{}` and `{}` are names of the same group",
                other.name.value, group.name.value
            );
            let finding = Finding::new(Code::InvalidValue, message)
                .at(&reader.file, group.name.span.clone(), "")
                .at(&reader.file, other.name.span.clone(), "the other one");
            reader.push(finding.help("join the two lists"));
            continue;
        }
        groups.insert(name, group);
    }
    for name in groups.keys() {
        let mut dependencies = Vec::new();
        if selection.has_group(name) {
            let mut included = Included {
                reader,
                groups: &groups,
                done: BTreeSet::new(),
                stack: Vec::new(),
            };
            included.read(name, &mut dependencies);
        }
        local
            .groups
            .entry(name.clone())
            .or_default()
            .append(&mut dependencies);
    }
}

/// Reads a group with the groups that it includes, each once.
struct Included<'a, 't> {
    reader: &'a Reader,
    groups: &'a BTreeMap<GroupName, Group<'t>>,
    done: BTreeSet<GroupName>,
    stack: Vec<GroupName>,
}

/// The deepest nesting of groups that include one another.
const DEEPEST_GROUP: usize = 64;

impl Included<'_, '_> {
    fn read(&mut self, name: &GroupName, dependencies: &mut Vec<LocalDependency>) {
        let Some(group) = self.groups.get(name) else {
            return;
        };
        if !self.done.insert(name.clone()) {
            return;
        }
        let Some(array) = group.value.as_array() else {
            let message = format!("the group `{name}` must be a list");
            return self.reader.report(Code::InvalidValue, message, &group.span);
        };
        self.stack.push(name.clone());
        for element in array {
            let span = element.span();
            if let Some(text) = element.get_ref().as_str() {
                let text = Spanned::new(text, span);
                dependencies.extend(dependency(self.reader, &text));
            } else if let Some(name) = self.included_name(element.get_ref(), &span) {
                self.include(&name, dependencies);
            }
        }
        self.stack.pop();
    }

    /// The group that a table `{include-group = "name"}` names.
    fn included_name<'v>(
        &self,
        value: &'v DeValue<'v>,
        span: &std::ops::Range<usize>,
    ) -> Option<Spanned<&'v str>> {
        let table = value.as_table().filter(|table| table.len() == 1);
        let name = table.and_then(|table| table.get("include-group"));
        let text = name.and_then(|name| Some(Spanned::new(name.get_ref().as_str()?, name.span())));
        if text.is_none() {
            let message = "this is neither a requirement nor a table with `include-group`";
            let finding = Finding::new(Code::InvalidValue, message);
            let finding = finding.at(&self.reader.file, span.clone(), "");
            self.reader
                .push(finding.help("write a string, or `{ include-group = \"NAME\" }`"));
        }
        text
    }

    fn include(&mut self, text: &Spanned<&str>, dependencies: &mut Vec<LocalDependency>) {
        let Some(name) = parsed::<GroupName>(self.reader, Some(text.clone())) else {
            return;
        };
        let report = |message: String, help: String| {
            let finding = Finding::new(Code::InvalidValue, message);
            let finding = finding.at(&self.reader.file, text.span.clone(), "");
            self.reader.push(finding.help(help));
        };
        if let Some(at) = self.stack.iter().position(|one| *one == name) {
            let path: Vec<&str> = self.stack[at..].iter().map(GroupName::as_str).collect();
            report(
                format!(
                    "the group `{name}` includes itself: {} -> {name}",
                    path.join(" -> ")
                ),
                "remove one of these entries".to_owned(),
            );
        } else if self.stack.len() >= DEEPEST_GROUP {
            report(
                format!("groups include one another more than {DEEPEST_GROUP} levels deep"),
                "include the groups from the first one".to_owned(),
            );
        } else if self.groups.contains_key(&name) {
            self.read(&name, dependencies);
        } else {
            let names = self.groups.keys().map(GroupName::as_str);
            let help = match nearest(name.as_str(), names) {
                Some(word) => format!("did you mean `{word}`?"),
                None => "define the group in `[dependency-groups]`".to_owned(),
            };
            report(format!("there is no group `{name}`"), help);
        }
    }
}

/// Reads what uv adds: constraints, an older list of development dependencies, and sources that are
/// not indexes.
fn read_uv(
    collector: &mut Collector<'_>,
    reader: &Reader,
    uv: &Table<'_, '_>,
    local: &mut LocalProject,
) {
    let list = uv.strings("constraint-dependencies").map(|list| list.value);
    for one in list
        .iter()
        .flatten()
        .filter_map(|text| dependency(reader, text))
    {
        collector.add(one.requirement, one.place, true);
    }
    let list = uv.strings("override-dependencies").map(|list| list.value);
    for one in list
        .iter()
        .flatten()
        .filter_map(|text| dependency(reader, text))
    {
        collector.ignore(IgnoredKind::Override(one.requirement), one.place);
    }
    if let (Some(list), Ok(group)) = (uv.strings("dev-dependencies"), "dev".parse::<GroupName>()) {
        let dependencies = list
            .value
            .iter()
            .filter_map(|text| dependency(reader, text));
        local.groups.entry(group).or_default().extend(dependencies);
    }
    let Some(sources) = uv.table("sources", "`[tool.uv.sources]`") else {
        return;
    };
    let mut kinds = BTreeMap::new();
    for (key, value, _) in sources.entries() {
        if let Ok(project) = key.value.parse::<ProjectName>() {
            // A list has several sources for different markers.
            let first = value.as_array().and_then(|array| array.first());
            let value = first.map_or(value, |first| first.get_ref());
            kinds.insert(project.clone(), source_kind(&project, value));
        }
    }
    let groups = local.groups.values_mut().flatten();
    for one in local.dependencies.iter_mut().chain(groups) {
        match kinds.get(&one.requirement.name) {
            None => {}
            Some(IgnoredKind::Index(_)) => one.has_index = true,
            Some(kind) => one.direct = Some(kind.clone()),
        }
    }
}

fn source_kind(project: &ProjectName, value: &DeValue<'_>) -> IgnoredKind {
    let text = |key: &str| {
        let value = value.as_table()?.get(key)?;
        value.get_ref().as_str().map(ToOwned::to_owned)
    };
    let is_workspace = value
        .as_table()
        .is_some_and(|table| table.contains_key("workspace"));
    if let Some(url) = text("git") {
        direct(Some(project.clone()), &format!("git+{url}"))
    } else if let Some(url) = text("url") {
        direct(Some(project.clone()), &url)
    } else if let Some(path) = text("path") {
        IgnoredKind::Path(path)
    } else if is_workspace {
        IgnoredKind::Workspace(project.clone())
    } else {
        IgnoredKind::Index(project.clone())
    }
}

/// The file beside a lock file.
pub(super) const PYPROJECT: &str = "pyproject.toml";

/// Parses a `pyproject.toml` and requests what it requires. Findings go to the collector.
pub(super) fn read_pyproject_text(collector: &mut Collector<'_>, file: &Arc<str>, text: &str) {
    collector.keep_text(file, text);
    let reader = Reader::new(file);
    let (document, is_toml) = reader.parse_foreign(text);
    if is_toml {
        let top = Table::new(&reader, document.get_ref(), 0..0, "a `pyproject.toml`");
        read_pyproject(collector, &reader, &top);
    }
    super::toml_file::take_findings(collector, reader);
}
