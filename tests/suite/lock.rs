//! Lock files: what they install, compared with the requirements themselves.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl::set::graph::Graph;
use ipwhl::set::lock::{Closures, Part, Places, Pylock, Root, ambiguous_extras};
use ipwhl::set::repository::Repository;
use ipwhl_packaging::{
    ExtraName, Marker, MarkerEnvironment, Platform, Requirement, SelectedMarker, Truth,
};
use ipwhl_unixfs::Sha256Digest;
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::declared_set::DeclaredSet;
use crate::support::strategies::hold;

const PROJECTS: usize = 6;
const EXTRAS: [&str; 2] = ["x", "y"];
const MARKERS: [&str; 5] = [
    "sys_platform == 'win32'",
    "sys_platform != 'win32'",
    "python_version >= '3.13'",
    "python_version < '3.13' and sys_platform == 'linux'",
    "python_version < '3.13' or sys_platform == 'linux'",
];

/// A requirement: of which project, with which of its extras, under which extra, where.
type Made = (
    usize,
    BTreeSet<&'static str>,
    Option<&'static str>,
    Option<&'static str>,
);

fn made() -> impl Strategy<Value = Made> {
    (
        0..PROJECTS,
        btree_set(select(&EXTRAS[..]), 0..2),
        option::of(select(&EXTRAS[..])),
        option::of(select(&MARKERS[..])),
    )
}

fn text((project, extras, under, marker): &Made) -> String {
    let mut text = format!("p{project}");
    if !extras.is_empty() {
        let extras: Vec<&str> = extras.iter().copied().collect();
        text += &format!("[{}]", extras.join(","));
    }
    let under = under.map(|extra| format!("extra == '{extra}'"));
    let marker = marker.map(|marker| format!("({marker})"));
    let parts: Vec<String> = marker.into_iter().chain(under).collect();
    if !parts.is_empty() {
        text += &format!("; {}", parts.join(" and "));
    }
    text
}

fn set(requirements: &[Vec<Made>]) -> Repository {
    let mut set = DeclaredSet::new();
    for (number, requirements) in requirements.iter().enumerate() {
        let texts: Vec<String> = requirements.iter().map(text).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        set = set.wanted(&format!("p{number} 1.0 [x, y]"), &texts);
    }
    let built = set.build();
    Repository::load(built.path()).unwrap()
}

/// What an installer takes for a project and perhaps an extra of it, by following requirements.
fn installed(repository: &Repository, root: Root<'_>, platform: &Platform) -> BTreeSet<String> {
    let environment = MarkerEnvironment::for_platform(platform);
    let mut known: BTreeSet<(String, Option<ExtraName>)> = BTreeSet::new();
    let mut open = vec![(root.project.to_string(), None)];
    open.extend(
        root.extra
            .map(|extra| (root.project.to_string(), Some(extra.clone()))),
    );
    while let Some(node) = open.pop() {
        if !known.insert(node.clone()) {
            continue;
        }
        let declaration = &repository.declarations[&node.0.parse().unwrap()];
        let requirements = declaration.wheels[0].dependencies.iter();
        for requirement in requirements.map(|one| -> &Requirement { &one.value }) {
            let holds = requirement
                .marker
                .as_ref()
                .is_none_or(|marker| marker.evaluate(&environment, node.1.as_ref()) == Truth::True);
            if holds {
                let name = requirement.name.to_string();
                open.push((name.clone(), None));
                let extras = requirement.extras.iter().cloned();
                open.extend(extras.map(|extra| (name.clone(), Some(extra))));
            }
        }
    }
    known.into_iter().map(|(project, _)| project).collect()
}

/// The text of a lock, and of each package in it the marker.
fn packages(repository: &Repository, part: Part<'_>) -> BTreeMap<String, Option<Marker>> {
    let graph = Graph::new(repository);
    let pylock = Pylock {
        graph: &graph,
        closures: &Closures::of(&graph),
        part,
        places: Places::Relative(""),
        digest: &|_| Some((1, Sha256Digest::of(b""))),
    };
    let text = pylock.text().unwrap();
    let document: toml_edit::DocumentMut = text.parse().unwrap();
    let packages = document
        .get("packages")
        .and_then(toml_edit::Item::as_array_of_tables);
    let each = packages.into_iter().flatten().map(|package| {
        let text = |key: &str| package.get(key).map(|value| value.as_str().unwrap());
        let marker = text("marker").map(|marker| marker.parse().unwrap());
        (text("name").unwrap().to_owned(), marker)
    });
    each.collect()
}

/// What a lock installs on a platform, with this extra of the file.
fn locked(
    packages: &BTreeMap<String, Option<Marker>>,
    extra: Option<&str>,
    platform: &Platform,
) -> BTreeSet<String> {
    let environment = MarkerEnvironment::for_platform(platform);
    let extras: BTreeSet<ExtraName> = extra.iter().map(|extra| extra.parse().unwrap()).collect();
    let taken = packages.iter().filter(|(_, marker)| {
        let Some(marker) = marker else { return true };
        match marker.select(&extras, &BTreeSet::new()) {
            SelectedMarker::Always => true,
            SelectedMarker::Never => false,
            SelectedMarker::Where(rest) => rest.evaluate(&environment, None) == Truth::True,
        }
    });
    taken.map(|(name, _)| name.clone()).collect()
}

/// Each project and each extra brings what its requirements say, on each platform: as an extra of
/// the whole lock, and in a lock of its own.
#[test]
fn a_lock_installs_what_requirements_say() {
    hold(150, vec(vec(made(), 0..4), PROJECTS), |requirements| {
        let repository = set(&requirements);
        let whole = packages(&repository, Part::Each);
        for declaration in repository.declarations.values() {
            let extras: Vec<ExtraName> = declaration.extras().into_iter().collect();
            for extra in std::iter::once(None).chain(extras.iter().map(Some)) {
                let project = &declaration.project;
                let root = Root { project, extra };
                let mut roots = vec![Root {
                    project,
                    extra: None,
                }];
                roots.extend(extra.map(|_| root));
                let alone = packages(&repository, Part::Together(roots));
                let of_project = packages(&repository, Part::Project(project));
                let name =
                    extra.map_or_else(|| project.to_string(), |extra| format!("{project}-{extra}"));
                for platform in &repository.configuration.platforms {
                    let expected = installed(&repository, root, platform);
                    assert_eq!(
                        locked(&whole, Some(&name), platform),
                        expected,
                        "{root} {platform}"
                    );
                    assert_eq!(
                        locked(&alone, None, platform),
                        expected,
                        "{root} {platform}"
                    );
                    assert_eq!(
                        locked(&of_project, extra.map(ExtraName::as_str), platform),
                        expected,
                        "{root} {platform}"
                    );
                }
            }
        }
    });
}

/// An extra with the name of another project or extra is not in the file: an installer could not
/// tell them apart.
#[test]
fn extras_with_the_name_of_another_are_left_out() {
    let set = DeclaredSet::new()
        .wanted("apple 1.0 [pie, jam]", &["fig; extra == 'pie'"])
        .wanted("apple-pie 1.0", &[])
        .wanted("a 1.0 [b-c]", &[])
        .wanted("a-b 1.0 [c]", &[])
        .wanted("fig 1.0", &[])
        .build();
    let repository = Repository::load(set.path()).unwrap();
    let graph = Graph::new(&repository);
    let closures = Closures::of(&graph);
    let left_out: Vec<String> = ambiguous_extras(&closures)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(left_out, ["a[b-c]", "a-b[c]", "apple[pie]"]);
    let whole = packages(&repository, Part::Each);
    let platform = &repository.configuration.platforms[0];
    let taken = |extra: &str| -> Vec<String> {
        locked(&whole, Some(extra), platform).into_iter().collect()
    };
    assert_eq!(taken("apple-pie"), ["apple-pie"]);
    assert_eq!(taken("apple--jam"), ["apple"]);
    assert_eq!(taken("a-b-c"), [""; 0]);
    let project = "apple".parse().unwrap();
    let of_apple = packages(&repository, Part::Project(&project));
    let taken = |extra: Option<&str>| -> Vec<String> {
        locked(&of_apple, extra, platform).into_iter().collect()
    };
    assert_eq!(taken(None), ["apple"]);
    assert_eq!(taken(Some("pie")), ["apple", "fig"]);
}

/// Platforms that no marker tells apart get what one of them needs.
#[test]
fn platforms_that_are_alike_are_joined() {
    let set = DeclaredSet::new()
        .wanted("apple 1.0", &["fig; sys_platform == 'win32'"])
        .wanted("fig 1.0", &[])
        .build();
    let text = set.read("ipwhl.toml");
    let systems = "system = [\"manylinux_2_28_x86_64\", \"musllinux_1_2_x86_64\"]";
    let start = text.find("system = ").unwrap();
    let end = start + text[start..].find(']').unwrap() + 1;
    set.write("ipwhl.toml", text.replace(&text[start..end], systems));
    // For one C library there is another wheel, which needs fig.
    let apple = set
        .read("declarations/apple.toml")
        .replace("py3-none-any", "py3-none-TAG");
    let apple = apple.replace("[\"fig; sys_platform == 'win32'\"]", "NEEDS");
    let wheel = |tag: &str, needs: &str| {
        let lines = apple.replace("TAG", tag).replace("NEEDS", needs);
        format!("[[wheel]]\n{lines}\n")
    };
    let text = wheel("manylinux_2_17_x86_64", "[\"fig\"]") + &wheel("musllinux_1_1_x86_64", "[]");
    set.write("declarations/apple.toml", text);
    let repository = Repository::load(set.path()).unwrap();
    assert_eq!(repository.declarations.len(), 2);
    let whole = packages(&repository, Part::Each);
    for platform in &repository.configuration.platforms {
        let locked = locked(&whole, Some("apple"), platform);
        assert_eq!(
            locked,
            BTreeSet::from(["apple".to_owned(), "fig".to_owned()])
        );
    }
}
