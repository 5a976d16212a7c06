//! Commands, packages and modules of a wheel whose names conflict with others. If two projects have
//! the same file, the one installed last replaces the other; for commands, the first on the path
//! runs.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use ipwhl_packaging::ProjectName;
use ipwhl_packaging::wheel::{InstalledNames, WheelMembers};
use serde::Serialize;

use super::commands::{folded, is_of_environment};

/// A new or changed command with the name of another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommandConflict {
    /// Its name.
    pub name: String,
    /// Whether environments, shells or builds call a command of this name.
    pub in_environment: bool,
    /// Other projects of the set that install it too, on a platform that the wheel is for.
    pub projects: BTreeSet<ProjectName>,
}

/// A new package or module in the place of another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackageConflict {
    /// Its name, with `/` between a package and its contents.
    pub name: String,
    /// Whether environments have a package of this name that does not come from the set.
    pub in_environment: bool,
    /// Other projects of the set that have the same package, one around it or one inside it, on a
    /// platform of the wheel.
    pub projects: BTreeSet<ProjectName>,
}

/// Packages that environments contain by default, each with its project. The first two run at every
/// start of Python through a `.pth` file.
const ENVIRONMENT_PACKAGES: [(&str, &str); 7] = [
    ("_distutils_hack", "setuptools"),
    ("_virtualenv", "virtualenv"),
    ("pip", "pip"),
    ("pkg_resources", "setuptools"),
    ("setuptools", "setuptools"),
    ("uv", "uv"),
    ("wheel", "wheel"),
];

/// The owner of a name: a project and the platforms of its wheel; without platforms it may be any.
#[derive(Debug, Clone)]
pub struct Owner {
    /// The project.
    pub project: ProjectName,
    /// The names of the platforms.
    pub platforms: Option<Vec<String>>,
}

impl Owner {
    fn is_in_the_way_of(&self, other: &Self) -> bool {
        self.project != other.project
            && match (&self.platforms, &other.platforms) {
                (Some(one), Some(other)) => one.iter().any(|platform| other.contains(platform)),
                _ => true,
            }
    }
}

/// The owners of all names.
#[derive(Debug, Clone, Default)]
pub struct NameOwners {
    commands: Names,
    packages: Names,
}

/// Owners by name, with names folded as on file systems without case.
type Names = BTreeMap<String, Vec<Owner>>;

impl NameOwners {
    /// Adds the names of a wheel.
    pub fn add(&mut self, owner: &Owner, names: &InstalledNames) {
        let commands = names.commands.iter().map(|name| folded(name));
        for name in commands {
            self.commands.entry(name).or_default().push(owner.clone());
        }
        let packages = names.packages.iter().map(|name| name.to_lowercase());
        for name in packages {
            self.packages.entry(name).or_default().push(owner.clone());
        }
    }

    fn of_command(&self, name: &str, asking: &Owner) -> BTreeSet<ProjectName> {
        let owners = self.commands.get(&folded(name)).into_iter();
        others(owners, asking)
    }

    fn of_package(&self, name: &str, asking: &Owner) -> BTreeSet<ProjectName> {
        let name = name.to_lowercase();
        let around = name.match_indices('/').map(|(end, _)| &name[..end]);
        let around = around.chain([name.as_str()]);
        let around = around.filter_map(|package| self.packages.get(package));
        let below = format!("{name}/");
        let from = (Bound::Included(below.as_str()), Bound::Unbounded);
        let inside = self.packages.range::<str, _>(from);
        let inside = inside.take_while(|(name, _)| name.starts_with(&below));
        others(around.chain(inside.map(|(_, owners)| owners)), asking)
    }
}

fn others<'o>(
    owners: impl Iterator<Item = &'o Vec<Owner>>,
    asking: &Owner,
) -> BTreeSet<ProjectName> {
    let owners = owners.flatten();
    owners
        .filter(|owner| owner.is_in_the_way_of(asking))
        .map(|owner| owner.project.clone())
        .collect()
}

/// The commands that are new or changed in the new wheel and have the name of another command; also
/// those that conflict only on platforms where the old wheel was not installed.
pub fn command_conflicts(
    old: Option<(&WheelMembers, &Owner)>,
    new: &WheelMembers,
    owner: &Owner,
    owners: &NameOwners,
) -> Vec<CommandConflict> {
    let before = old.map(|(members, _)| members.commands());
    let after = new.commands().into_iter();
    after
        .filter_map(|(name, identity)| {
            let mut projects = owners.of_command(&name, owner);
            let mut in_environment = is_of_environment(&name);
            if let (Some(before), Some((_, old))) = (&before, old)
                && before.get(&name) == Some(&identity)
            {
                in_environment = false;
                projects = &projects - &owners.of_command(&name, old);
            }
            (in_environment || !projects.is_empty()).then_some(CommandConflict {
                name,
                in_environment,
                projects,
            })
        })
        .collect()
}

/// The packages and modules that are new in the new wheel and in the place of another one; also
/// those that conflict only on platforms where the old wheel was not installed.
pub fn package_conflicts(
    old: Option<(&WheelMembers, &Owner)>,
    new: &WheelMembers,
    owner: &Owner,
    owners: &NameOwners,
) -> Vec<PackageConflict> {
    let before = old.map(|(members, _)| members.packages());
    let after = new.packages().into_iter();
    after
        .filter_map(|name| {
            let mut projects = owners.of_package(&name, owner);
            let mut in_environment = is_of_another(&name, &owner.project);
            if let (Some(before), Some((_, old))) = (&before, old)
                && before.contains(&name)
            {
                in_environment = false;
                projects = &projects - &owners.of_package(&name, old);
            }
            (in_environment || !projects.is_empty()).then_some(PackageConflict {
                name,
                in_environment,
                projects,
            })
        })
        .collect()
}

/// Whether a package is, or is inside, one that environments contain by default and that does not
/// belong to this project.
fn is_of_another(name: &str, project: &ProjectName) -> bool {
    let top = name.split('/').next().unwrap_or_default().to_lowercase();
    ENVIRONMENT_PACKAGES
        .iter()
        .any(|(package, owner)| top == *package && project.to_string() != *owner)
}
