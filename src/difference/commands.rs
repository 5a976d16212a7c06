//! Commands of a wheel with a name that another program has: whichever is installed last, or found
//! first, runs.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::python::ProjectName;
use crate::wheel::WheelMembers;

/// Commands that an environment, a shell or a build calls by name, sorted. The folder of an
/// environment's commands comes first on the path of whoever activates it, so a wheel's command of
/// this name runs in their place: with credentials (`git`, `ssh`, `curl`), as another user
/// (`sudo`), or in every build (`cc`, `make`, `tar`).
const ENVIRONMENT: [&str; 87] = [
    "activate",
    "apk",
    "apt",
    "apt-get",
    "awk",
    "aws",
    "az",
    "bash",
    "brew",
    "buildah",
    "bunzip2",
    "c++",
    "cargo",
    "cat",
    "cc",
    "chmod",
    "chown",
    "clang",
    "cmake",
    "cmd",
    "conda",
    "cp",
    "curl",
    "dash",
    "deactivate",
    "dnf",
    "docker",
    "easy_install",
    "env",
    "find",
    "fish",
    "g++",
    "gcc",
    "gcloud",
    "gh",
    "git",
    "go",
    "gpg",
    "grep",
    "gunzip",
    "gzip",
    "head",
    "install",
    "java",
    "kubectl",
    "ld",
    "ln",
    "ls",
    "make",
    "mamba",
    "mkdir",
    "mv",
    "node",
    "npm",
    "npx",
    "openssl",
    "perl",
    "pip",
    "podman",
    "powershell",
    "ps",
    "pwsh",
    "py",
    "pypy",
    "python",
    "pythonw",
    "rm",
    "rsync",
    "ruby",
    "rustc",
    "scp",
    "sed",
    "sh",
    "ssh",
    "ssh-add",
    "ssh-agent",
    "ssh-keygen",
    "su",
    "sudo",
    "tar",
    "unzip",
    "uv",
    "uvx",
    "wget",
    "which",
    "xargs",
    "zsh",
];

/// The commands of [`ENVIRONMENT`] that are there with a version in their names, as `python3.12`
/// and `pip3`.
const VERSIONED: [&str; 5] = ["clang", "gcc", "pip", "pypy", "python"];

/// Endings that Windows adds by itself, or launchers there leave out.
const ENDINGS: [&str; 6] = [".bat", ".cmd", ".com", ".exe", ".py", ".pyw"];

/// A new or changed command with a name that others have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommandConflict {
    /// Its name.
    pub name: String,
    /// Whether environments, shells or builds call a command of this name.
    pub in_environment: bool,
    /// Other projects of the set that install it too, on a platform that the wheel is for.
    pub projects: BTreeSet<ProjectName>,
}

/// Which projects install a command.
#[derive(Debug, Clone, Default)]
pub struct CommandOwners {
    /// By the names of commands as file systems without case see them.
    by_name: BTreeMap<String, Vec<Owner>>,
}

/// A project, and the platforms of a wheel of it.
#[derive(Debug, Clone)]
struct Owner {
    project: ProjectName,
    platforms: Option<Vec<String>>,
}

impl CommandOwners {
    /// Adds the commands of a wheel; without platforms it may be for any.
    pub fn add<'c>(
        &mut self,
        project: &ProjectName,
        platforms: Option<&[String]>,
        commands: impl IntoIterator<Item = &'c String>,
    ) {
        for name in commands {
            let owners = self.by_name.entry(folded(name)).or_default();
            owners.push(Owner {
                project: project.clone(),
                platforms: platforms.map(<[_]>::to_vec),
            });
        }
    }

    fn others(
        &self,
        name: &str,
        project: &ProjectName,
        platforms: Option<&[String]>,
    ) -> BTreeSet<ProjectName> {
        let meets = |owner: &&Owner| match (platforms, &owner.platforms) {
            (Some(one), Some(other)) => one.iter().any(|platform| other.contains(platform)),
            _ => true,
        };
        let owners = self.by_name.get(&folded(name)).into_iter().flatten();
        owners
            .filter(|owner| owner.project != *project)
            .filter(meets)
            .map(|owner| owner.project.clone())
            .collect()
    }
}

/// The commands of the new wheel that the old one does not have, or has otherwise, and whose names
/// others have.
pub fn command_conflicts(
    old: Option<&WheelMembers>,
    new: &WheelMembers,
    project: &ProjectName,
    platforms: Option<&[String]>,
    owners: &CommandOwners,
) -> Vec<CommandConflict> {
    let before = old.map(WheelMembers::commands).unwrap_or_default();
    let after = new.commands().into_iter();
    after
        .filter(|(name, identity)| before.get(name) != Some(identity))
        .map(|(name, _)| CommandConflict {
            in_environment: is_of_environment(&name),
            projects: owners.others(&name, project, platforms),
            name,
        })
        .filter(|conflict| conflict.in_environment || !conflict.projects.is_empty())
        .collect()
}

/// The name as Windows and macOS see it.
fn folded(name: &str) -> String {
    let name = name.to_lowercase();
    let stem = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
    stem.unwrap_or(&name).to_owned()
}

fn is_of_environment(name: &str) -> bool {
    let name = folded(name);
    // `python3.13t` has no global lock.
    let version = |sign: char| sign.is_ascii_digit() || matches!(sign, '.' | '-');
    let base = name
        .strip_suffix('t')
        .filter(|base| base.ends_with(version));
    let base = base.unwrap_or(&name).trim_end_matches(version);
    ENVIRONMENT.binary_search(&name.as_str()).is_ok() || VERSIONED.contains(&base)
}

#[cfg(test)]
mod tests {
    use super::{ENVIRONMENT, VERSIONED, is_of_environment};

    #[test]
    fn commands_of_environments_are_known_by_every_name() {
        assert!(ENVIRONMENT.is_sorted());
        assert!(VERSIONED.iter().all(|name| ENVIRONMENT.contains(name)));
        for name in [
            "python",
            "Python3",
            "python3.13t",
            "pip3.12",
            "git",
            "GIT.EXE",
            "ssh.cmd",
            "gcc-14",
            "sh",
        ] {
            assert!(is_of_environment(name), "{name}");
        }
        for name in [
            "pipx",
            "git-filter-repo",
            "sh2",
            "pytest",
            "pythonista",
            "t",
            "2",
        ] {
            assert!(!is_of_environment(name), "{name}");
        }
    }
}
