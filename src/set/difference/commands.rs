//! Names of commands that environments, shells and builds call.

/// Commands that an environment, a shell or a build calls by name, sorted. An activated environment
/// puts its commands first on the path, so a wheel's command of this name runs instead of the
/// original: with credentials (`git`, `ssh`, `curl`), as another user (`sudo`), or in every build
/// (`cc`, `make`, `tar`).
const ENVIRONMENT: [&str; 127] = [
    "activate",
    "activate_this",
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
    "cut",
    "dash",
    "date",
    "deactivate",
    "dnf",
    "doas",
    "docker",
    "easy_install",
    "echo",
    "ed",
    "egrep",
    "emacs",
    "env",
    "false",
    "fgrep",
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
    "helm",
    "id",
    "install",
    "java",
    "jq",
    "kill",
    "kubectl",
    "ld",
    "ldd",
    "less",
    "ln",
    "ls",
    "make",
    "mamba",
    "mkdir",
    "more",
    "mv",
    "nano",
    "ninja",
    "nm",
    "node",
    "npm",
    "npx",
    "objdump",
    "openssl",
    "patch",
    "perl",
    "pip",
    "pkg-config",
    "pnpm",
    "podman",
    "powershell",
    "ps",
    "pwsh",
    "py",
    "pydoc",
    "pypy",
    "python",
    "pythonw",
    "rm",
    "rsync",
    "ruby",
    "rustc",
    "rustup",
    "scp",
    "sed",
    "sh",
    "sort",
    "ssh",
    "ssh-add",
    "ssh-agent",
    "ssh-keygen",
    "strip",
    "su",
    "sudo",
    "systemctl",
    "tail",
    "tar",
    "tee",
    "terraform",
    "test",
    "touch",
    "tr",
    "true",
    "uname",
    "unzip",
    "uv",
    "uvx",
    "vi",
    "vim",
    "wget",
    "which",
    "xargs",
    "yarn",
    "zsh",
];

/// The commands of [`ENVIRONMENT`] that also exist with a version in their names, as `python3.12`
/// and `pip3`.
const VERSIONED: [&str; 5] = ["clang", "gcc", "pip", "pypy", "python"];

/// File name endings that Windows adds itself or launchers omit, and those of scripts for other
/// shells, as `activate.fish`.
const ENDINGS: [&str; 11] = [
    ".bat", ".cmd", ".com", ".csh", ".exe", ".fish", ".nu", ".ps1", ".py", ".pyw", ".xsh",
];

/// The name as Windows and macOS compare it.
pub(super) fn folded(name: &str) -> String {
    let name = name.to_lowercase();
    let stem = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
    stem.unwrap_or(&name).to_owned()
}

/// Whether environments, shells or builds call a command of this name.
pub(super) fn is_of_environment(name: &str) -> bool {
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
            "Activate.ps1",
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
