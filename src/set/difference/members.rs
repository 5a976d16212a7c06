//! The differences between the contents of two wheels, the riskiest first.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::wheel::{
    Installed, MemberFacts, WheelMembers, entry_points, installed, is_bytecode_name, module,
};
use serde::Serialize;

use super::Kind;
use super::entry_points::{EntryPointChange, entry_point_changes};
use super::names::{CommandConflict, PackageConflict};

/// The reason why a member needs review; the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// Python runs it at every start: `.pth` and `.start` files, `sitecustomize`, `usercustomize`.
    Startup,
    /// Compiled Python, by its name or its first bytes: no source text shows its behaviour.
    Bytecode,
    /// A package that Python imports instead of a module beside it: `m/__init__.py` and `m.py`.
    ImportedInstead,
    /// Not source text: a library or a program, by its name or its first bytes.
    NativeCode,
    /// A file that declares commands and plugins.
    EntryPoints,
    /// A file that an installer puts beside other programs.
    Script,
    /// A file in a place where the wheel had nothing before, or outside of the packages' folder.
    OutsidePackage,
    /// None of the reasons above.
    Other,
}

impl Risk {
    /// Whether many wheels have such members, so that a new wheel with some is no surprise.
    pub fn is_common(self) -> bool {
        matches!(self, Self::NativeCode | Self::EntryPoints | Self::Script)
    }
}

/// A member that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberChange {
    /// The reason for review.
    pub risk: Risk,
    /// Whether it is added, removed or changed.
    pub kind: Kind,
    /// Its path in the new wheel, or in the old one if it was removed.
    pub path: String,
    /// Its old size in bytes, inflated.
    pub old_size: Option<u64>,
    /// Its new size in bytes, inflated.
    pub new_size: Option<u64>,
}

/// The differences between the contents of two wheels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MemberChanges {
    /// Members, the riskiest first.
    pub members: Vec<MemberChange>,
    /// Entry points, commands first.
    pub entry_points: Vec<EntryPointChange>,
    /// Lines of the new `entry_points.txt` that installers read differently, a sentence each.
    pub unclear_entry_points: Vec<String>,
    /// New and changed commands with the name of another command; empty unless requested.
    pub command_conflicts: Vec<CommandConflict>,
    /// New packages and modules in the place of another one; empty unless requested.
    pub package_conflicts: Vec<PackageConflict>,
    /// The number of unchanged members.
    pub unchanged: usize,
}

impl MemberChanges {
    /// The changes of one risk.
    pub fn of(&self, risk: Risk) -> impl Iterator<Item = &MemberChange> {
        self.members
            .iter()
            .filter(move |change| change.risk == risk)
    }
}

/// The endings of the folder with METADATA and of the folder with files for other places. Both
/// names contain the version and are treated as the same place in the next version.
const VERSIONED: [(&str, &str); 2] = [(".dist-info", "*.dist-info"), (".data", "*.data")];

/// Files that Python imports at every start. The last two are imported only if the environment has
/// a `.pth` file for them, as most have.
const STARTUP: [&str; 4] = [
    "sitecustomize",
    "usercustomize",
    "_distutils_hack",
    "_virtualenv",
];

/// A wheel's members by place: the path, without the version in the folders that have it.
struct Places<'w> {
    by_place: BTreeMap<String, &'w MemberFacts>,
}

impl<'w> Places<'w> {
    fn of(wheel: &'w WheelMembers) -> Self {
        let tops: BTreeSet<&str> = wheel
            .members
            .iter()
            .map(|member| top(&member.name))
            .collect();
        // If there are two, their names distinguish them.
        let versioned = VERSIONED.map(|(ending, shown)| {
            let mut alike = tops.iter().filter(|top| top.ends_with(ending));
            let folder = alike.next().filter(|_| alike.next().is_none());
            folder.map(|folder| (*folder, shown))
        });
        let place = |name: &str| {
            for (folder, shown) in versioned.iter().flatten() {
                if let Some(rest) = name.strip_prefix(folder)
                    && rest.starts_with('/')
                {
                    return format!("{shown}{rest}");
                }
            }
            name.to_owned()
        };
        Self {
            by_place: wheel
                .members
                .iter()
                .map(|member| (place(&member.name), member))
                .collect(),
        }
    }
}

/// The first part of a path.
fn top(path: &str) -> &str {
    path.split('/').next().unwrap_or_default()
}

/// Compares the members of two wheels. Without an old wheel every member is added, and none counts
/// as outside of its package.
pub fn member_changes(old: Option<&WheelMembers>, new: &WheelMembers) -> MemberChanges {
    let nothing = WheelMembers::default();
    let before = Places::of(old.unwrap_or(&nothing));
    let after = Places::of(new);
    let known: Option<BTreeSet<&str>> = old.map(|_| {
        let places = before.by_place.keys();
        places
            .filter_map(|place| match installed(place) {
                Installed::Packages(path) => Some(top(path)),
                Installed::Scripts(_) | Installed::Headers(_) | Installed::Elsewhere(_) => None,
            })
            .collect()
    });
    let places: BTreeSet<&String> = before
        .by_place
        .keys()
        .chain(after.by_place.keys())
        .collect();
    let text = |wheel: &WheelMembers| wheel.entry_points.clone().unwrap_or_default();
    let (old_points, _) = entry_points(&old.map(text).unwrap_or_default());
    let (new_points, unclear) = entry_points(&text(new));
    let mut changes = MemberChanges {
        entry_points: entry_point_changes(&old_points, &new_points),
        unclear_entry_points: unclear.into_iter().map(|one| one.message).collect(),
        ..MemberChanges::default()
    };
    let modules: BTreeSet<&str> = after.by_place.keys().filter_map(|one| alone(one)).collect();
    for place in places {
        let (old, new) = (before.by_place.get(place), after.by_place.get(place));
        let Some(member) = new.or(old) else {
            continue;
        };
        let contents = |member: &&&MemberFacts| (member.size, member.sha256);
        if old.as_ref().map(contents) == new.as_ref().map(contents) {
            changes.unchanged += 1;
            continue;
        }
        let any =
            |is: fn(&MemberFacts) -> bool| [old, new].into_iter().flatten().any(|one| is(one));
        let starts = Starts {
            native: any(|one| one.is_native),
            bytecode: any(|one| one.is_bytecode),
        };
        let is_instead = package(place).is_some_and(|name| modules.contains(name));
        changes.members.push(MemberChange {
            risk: match risk(place, starts, known.as_ref()) {
                risk if is_instead => risk.min(Risk::ImportedInstead),
                risk => risk,
            },
            kind: Kind::of(old.is_some(), new.is_some()),
            path: member.name.clone(),
            old_size: old.map(|member| member.size),
            new_size: new.map(|member| member.size),
        });
    }
    changes.members.sort_by(|one, other| {
        (one.risk, one.kind, &one.path).cmp(&(other.risk, other.kind, &other.path))
    });
    changes
}

/// The name of a member that is a module, not a package.
fn alone(place: &str) -> Option<&str> {
    let Installed::Packages(path) = installed(place) else {
        return None;
    };
    let name = module(path);
    (name != path && !name.ends_with("/__init__")).then_some(name)
}

/// The name of the package that a member makes of its folder.
fn package(place: &str) -> Option<&str> {
    let Installed::Packages(path) = installed(place) else {
        return None;
    };
    module(path).strip_suffix("/__init__")
}

/// The kind of a member by its first bytes.
#[derive(Clone, Copy)]
struct Starts {
    native: bool,
    bytecode: bool,
}

fn risk(place: &str, starts: Starts, known: Option<&BTreeSet<&str>>) -> Risk {
    let file = place.rsplit('/').next().unwrap_or_default().to_lowercase();
    // `.start` files exist since Python 3.15 (PEP 829).
    let is_startup_file = [".pth", ".start"].iter().any(|end| file.ends_with(end));
    let runs_at_start = match installed(place) {
        // Python looks for them in the packages' folder itself, not below it.
        Installed::Packages(path) => {
            !path.contains('/') && is_startup_file || STARTUP.contains(&stem(top(path)))
        }
        Installed::Elsewhere(path) => is_startup_file || is_of_python(path),
        // Windows: Python reads this file beside its program.
        Installed::Scripts(path) => is_of_python(path),
        Installed::Headers(_) => false,
    };
    if runs_at_start {
        Risk::Startup
    } else if starts.bytecode || is_bytecode_name(&file) {
        Risk::Bytecode
    } else if starts.native || is_native_name(&file) {
        Risk::NativeCode
    } else if is_entry_points(place) {
        Risk::EntryPoints
    } else {
        match installed(place) {
            Installed::Scripts(_) => Risk::Script,
            Installed::Elsewhere(_) | Installed::Headers(_) => Risk::OutsidePackage,
            Installed::Packages(path) => {
                if known.is_some_and(|known| !known.contains(top(path))) {
                    Risk::OutsidePackage
                } else {
                    Risk::Other
                }
            }
        }
    }
}

/// Whether Python or pip reads this path below the prefix of an environment at every start: the
/// standard library, and the files that configure its place.
fn is_of_python(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let has_ending = |ending: &str| path.rsplit_once('.').is_some_and(|(_, one)| one == ending);
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["lib" | "lib64", version, _, ..] if version.starts_with("python") => true,
        // `python312.zip` precedes the standard library on the path.
        ["lib" | "lib64", file] if file.starts_with("python") => true,
        // The standard library on Windows.
        ["lib", _] => has_ending("py"),
        ["pyvenv.cfg" | "pip.conf" | "pip.ini"] => true,
        _ => has_ending("_pth"),
    }
}

/// Whether Python reads entry points from it: in the metadata of this project or of another one.
fn is_entry_points(place: &str) -> bool {
    let Installed::Packages(path) = installed(place) else {
        return false;
    };
    path.split_once('/').is_some_and(|(folder, file)| {
        (folder.ends_with(".dist-info") || folder.ends_with(".egg-info"))
            && file == "entry_points.txt"
    })
}

/// A module's name up to its first dot.
fn stem(name: &str) -> &str {
    name.split('.').next().unwrap_or_default()
}

/// Whether a file of this lower-case name is native code: `x.so`, `x.so.1`, `x.pyd`.
fn is_native_name(file: &str) -> bool {
    let endings = [".so", ".pyd", ".dll", ".dylib", ".exe"];
    endings.iter().any(|ending| file.ends_with(ending)) || file.contains(".so.")
}
