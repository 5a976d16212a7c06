//! Checks the places of members after installation: each has one place, the same with every
//! installer.
//!
//! *Binary distribution format*, "The .data directory". Differences between pip and uv were
//! observed with pip 26.3 and uv 0.13.

use std::collections::BTreeSet;

use super::archive::Member;
use super::installed::{Installed, installed};
use super::places::{Place, clashes, name_conflicts};
use super::problems::{Problems, shown};
use super::{Limits, NameConflict};

/// The folders of `*.data` that installers support.
const SCHEMES: [&str; 5] = ["purelib", "platlib", "headers", "scripts", "data"];

/// The endings, in any case, by which `importlib.metadata` and pip recognise installed projects.
const METADATA_ENDINGS: [&str; 4] = [".dist-info", ".egg-info", ".egg-link", ".egg"];

/// Files of a project's metadata that installers read or write, in lower case.
const METADATA_FILES: [&str; 10] = [
    "direct_url.json",
    "entry_points.txt",
    "installer",
    "metadata",
    "provenance_url.json",
    "record",
    "requested",
    "uv_build.json",
    "uv_cache.json",
    "wheel",
];

/// Interpreters, whose names uv refuses for scripts; also `python3.12` and `python3.13t`.
const INTERPRETERS: [&str; 7] = [
    "python", "pythonw", "python3", "graalpy", "pypy", "pypy2", "pypy3",
];

/// Checks the places of the members of the wheel with the metadata folder `{stem}.dist-info`.
/// Returns the problems that exist on some systems only.
pub(super) fn check_layout(
    members: &[Member],
    stem: &str,
    limits: &Limits,
    problems: &mut Problems,
) -> Vec<NameConflict> {
    let data = format!("{stem}.data");
    let mut told: BTreeSet<String> = BTreeSet::new();
    // A defect of a folder is one problem, independent of the contents of the folder.
    let mut tell = |subject: &str, clause: &str| {
        if told.insert(subject.to_owned()) {
            problems.archive(format!("{} {clause}", shown(subject)));
        }
    };
    let dist_info = format!("{stem}.dist-info/");
    let mut places = Vec::new();
    for member in members {
        if let Some(path) = member.name.strip_prefix(&dist_info) {
            check_metadata_file(member, path, &mut tell);
        }
        let Some(place) = place(member, &data, &mut tell) else {
            continue;
        };
        if check_place(&place, stem, &mut tell) {
            places.push(place);
        }
    }
    for clash in clashes(&places, |path| path.into()) {
        // A conflict within one folder is a problem of the archive, which was reported already.
        if clash.one.scheme != clash.other.scheme {
            problems.archive(format!("{} after installation", clash.message()));
        }
    }
    check_target(&places, problems);
    name_conflicts(&places, limits.problems)
}

/// Finds members with one place if `pip install --target` or uv unpacks `data` among the packages.
fn check_target(places: &[Place<'_>], problems: &mut Problems) {
    if !places.iter().any(|place| place.path.starts_with("data/")) {
        return;
    }
    let in_target: Vec<Place<'_>> = places
        .iter()
        .filter_map(|place| {
            let (tree, path) = place.path.split_once('/')?;
            let path = path.to_owned();
            ["lib", "data"]
                .contains(&tree)
                .then_some(Place { path, ..*place })
        })
        .collect();
    for clash in clashes(&in_target, |path| path.into()) {
        let tree = |place: &Place<'_>| place.scheme == "data";
        if tree(clash.one) != tree(clash.other) {
            problems.archive(format!(
                "{} where `pip install --target` puts it",
                clash.message()
            ));
        }
    }
}

/// Checks a member of the wheel's own metadata folder, with this path in it.
fn check_metadata_file(member: &Member, path: &str, tell: &mut impl FnMut(&str, &str)) {
    let (name, is_folder) = match path.split_once('/') {
        Some((name, _)) => (name, true),
        None => (path, false),
    };
    // Some file systems ignore case.
    let lower = name.to_ascii_lowercase();
    if is_folder && METADATA_FILES.contains(&lower.as_str()) {
        // At least one of them cannot read or write the file.
        let end = member.name.len() - path.len() + name.len();
        let folder = member.name.get(..end).unwrap_or(&member.name);
        tell(
            folder,
            "is a folder, and a file of that name is read or written there",
        );
    } else if lower == "direct_url.json" {
        // Both keep it for a wheel from an index, and `freeze` prints its address as the project's
        // source.
        tell(
            &member.name,
            "says where a project was installed from, which is for installers to say",
        );
    }
}

/// The place of a member; `None` if it was refused, or if it is just the folder of a scheme.
fn place<'m>(
    member: &'m Member,
    data: &str,
    tell: &mut impl FnMut(&str, &str),
) -> Option<Place<'m>> {
    let is_folder = member.is_folder();
    let name = member.name.trim_end_matches('/');
    let (top, inside) = match name.split_once('/') {
        Some((top, inside)) => (top, Some(inside)),
        None => (name, None),
    };
    let in_root = || Place {
        member: &member.name,
        scheme: "",
        path: format!("lib/{name}"),
        is_folder,
    };
    if !top.to_ascii_lowercase().ends_with(".data") {
        return Some(in_root());
    }
    if top != data {
        // pip: installs it under any name. uv: leaves it among the packages. If it is in upper
        // case, it is the other way round on file systems that ignore case.
        let clause = format!("is not the data folder of this wheel, {}", shown(data));
        tell(top, &clause);
        return None;
    }
    let Some(inside) = inside else {
        if !is_folder {
            // pip: refuses the wheel. uv: leaves the file among the packages.
            tell(top, "is a file, and no data folder");
        }
        return None;
    };
    let (scheme, rest) = match inside.split_once('/') {
        Some((scheme, rest)) => (scheme, Some(rest)),
        None => (inside, None),
    };
    if !SCHEMES.contains(&scheme) {
        // Both refuse the wheel. A folder without files only uv refuses.
        let clause = format!("lies in none of the folders {}", SCHEMES.join(", "));
        tell(&format!("{top}/{scheme}"), &clause);
        return None;
    }
    let Some(rest) = rest else {
        if !is_folder {
            // Both refuse the wheel.
            tell(name, "is a file, and no folder of data");
        }
        return None;
    };
    if scheme == "scripts" && (is_folder || rest.contains('/')) {
        // pip: installs it. uv: refuses the wheel.
        tell(name, "lies in a folder below the scripts, or is one");
    }
    let path = match installed(name) {
        Installed::Packages(path) => format!("lib/{path}"),
        Installed::Scripts(path) => format!("scripts/{path}"),
        Installed::Headers(path) => format!("headers/{path}"),
        Installed::Elsewhere(path) => format!("{scheme}/{path}"),
    };
    Some(Place {
        member: &member.name,
        scheme,
        path,
        is_folder,
    })
}

/// Whether a member may be at its place.
fn check_place(place: &Place<'_>, stem: &str, tell: &mut impl FnMut(&str, &str)) -> bool {
    let (tree, rest) = place.path.split_once('/').unwrap_or_default();
    let first = rest.split('/').next().unwrap_or_default();
    let lower = first.to_ascii_lowercase();
    if tree == "scripts" && rest == first && !place.is_folder && is_interpreter(&lower) {
        // pip: replaces the interpreter of the environment. uv: refuses the wheel.
        tell(place.member, "has the name of an interpreter");
        return false;
    }
    if tree == "data" && !place.is_folder && is_folder_of_environment(rest) {
        // Both fail if the folder exists, and it does in nearly every environment.
        tell(
            place.member,
            "is a file in the place of a folder that environments have",
        );
        return false;
    }
    if tree == "lib" && lower.strip_suffix(".data").is_some() {
        // uv: unpacks it as another data folder, or not, by the order of the files. pip: leaves it
        // among the packages.
        tell(
            place.member,
            "lies in a data folder that is installed itself",
        );
        return false;
    }
    let is_own = place.scheme.is_empty() && first.strip_suffix(".dist-info") == Some(stem);
    if tree == "lib" && !is_own && METADATA_ENDINGS.iter().any(|end| lower.ends_with(end)) {
        // Both install it, and then list an undeclared project, or another version of this one.
        let depth = place.member.trim_end_matches('/').len() - rest.len() + first.len();
        let folder = place.member.get(..depth).unwrap_or(place.member);
        tell(folder, "is taken for the metadata of an installed project");
        return false;
    }
    true
}

/// Whether environments have a folder at this path: `bin`, `lib/python3.12`, `Lib/site-packages`.
fn is_folder_of_environment(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        [folder] => ["bin", "scripts", "lib", "lib64", "include"].contains(folder),
        ["lib" | "lib64", version] => version.starts_with("python") || *version == "site-packages",
        ["lib" | "lib64", version, packages] => {
            version.starts_with("python") && ["site-packages", "dist-packages"].contains(packages)
        }
        _ => false,
    }
}

/// Whether uv refuses a command with this name, which is in lower case.
pub(super) fn is_interpreter(name: &str) -> bool {
    let name = name.strip_suffix(".exe").unwrap_or(name);
    let name = name.strip_suffix(".py").unwrap_or(name);
    let is_minor = |text: &str| {
        let text = text.strip_suffix('t').unwrap_or(text);
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let minor = name
        .strip_prefix("python3.")
        .or_else(|| name.strip_prefix("pythonw3."));
    INTERPRETERS.contains(&name) || minor.is_some_and(is_minor)
}
