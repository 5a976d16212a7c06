//! A real git over a repository made to order.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::tool;

/// The history of a folder, by the git on this machine and nobody's settings.
pub struct History {
    folder: PathBuf,
    git: PathBuf,
}

impl History {
    /// A new history on the branch `main`, whose first commit is what the folder holds.
    pub fn begin(folder: &Path) -> Self {
        let history = Self {
            folder: folder.to_path_buf(),
            git: tool("git"),
        };
        history.run(&["init", "--quiet", "--initial-branch=main"]);
        history.commit("the beginning");
        history
    }

    /// Commits all that the folder holds.
    pub fn commit(&self, message: &str) -> String {
        self.run(&["add", "--all"]);
        self.run(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.run(&["rev-parse", "HEAD"])
    }

    /// What a git command prints; it has to succeed.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = Command::new(&self.git)
            .current_dir(&self.folder)
            .args([
                "-c",
                "user.name=Example",
                "-c",
                "user.email=someone@example.org",
            ])
            .args([
                "-c",
                "commit.gpgsign=false",
                "-c",
                "core.hooksPath=/dev/null",
            ])
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}
