//! The forges that can run a repository's CI, and the files for each.

use super::files::{EXAMPLE, INSTALL_VARIABLE, NewFile, file_name};
use super::install::InstallCommand;

/// A forge that runs a repository's CI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Forge {
    /// GitHub Actions.
    GitHub,
    /// GitLab CI.
    GitLab,
    /// SourceHut builds.
    SourceHut,
    /// Forgejo Actions.
    Forgejo,
}

impl Forge {
    /// All forges.
    pub const ALL: [Self; 4] = [Self::GitHub, Self::GitLab, Self::SourceHut, Self::Forgejo];

    /// Its name, in its own spelling.
    pub fn name(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
            Self::SourceHut => "SourceHut",
            Self::Forgejo => "Forgejo",
        }
    }

    /// Its files: the path of each, and the embedded text from the project's `ci` folder.
    fn texts(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::GitHub => &[
                (
                    ".github/workflows/ipwhl-check.yml",
                    include_str!("../../../ci/github/ipwhl-check.yml"),
                ),
                (
                    ".github/workflows/ipwhl-comment.yml",
                    include_str!("../../../ci/github/ipwhl-comment.yml"),
                ),
                (
                    ".github/workflows/ipwhl-release.yml",
                    include_str!("../../../ci/github/ipwhl-release.yml"),
                ),
            ],
            Self::GitLab => &[(
                ".gitlab-ci.yml",
                include_str!("../../../ci/gitlab/gitlab-ci.yml"),
            )],
            Self::SourceHut => &[
                (
                    ".builds/ipwhl-check.yml",
                    include_str!("../../../ci/sourcehut/ipwhl-check.yml"),
                ),
                (
                    ".builds/ipwhl-release.yml",
                    include_str!("../../../ci/sourcehut/ipwhl-release.yml"),
                ),
            ],
            Self::Forgejo => &[
                (
                    ".forgejo/workflows/ipwhl-check.yml",
                    include_str!("../../../ci/forgejo/ipwhl-check.yml"),
                ),
                (
                    ".forgejo/workflows/ipwhl-release.yml",
                    include_str!("../../../ci/forgejo/ipwhl-release.yml"),
                ),
            ],
        }
    }

    /// A command as a YAML scalar that the forge's runner reads back as the same text.
    fn scalar(self, command: &InstallCommand) -> String {
        let text = match self {
            // The replacement is an expression with the value `${{`.
            Self::GitHub | Self::Forgejo => command.as_str().replace("${{", "${{ '${{' }}"),
            Self::GitLab | Self::SourceHut => command.as_str().to_owned(),
        };
        format!("'{}'", text.replace('\'', "''"))
    }

    /// The file whose first lines list the settings that a maintainer must make.
    pub fn release_file(self) -> &'static str {
        self.texts().last().map_or("", |(path, _)| path)
    }

    /// The CI files for a repository whose folder has this name.
    pub fn files(
        self,
        folder: &str,
        install: Option<&InstallCommand>,
    ) -> impl Iterator<Item = NewFile> {
        let folder = file_name(folder);
        self.texts().iter().map(move |(path, text)| {
            let text = match self {
                Self::SourceHut => text.replace(EXAMPLE, &folder),
                _ => (*text).to_owned(),
            };
            NewFile {
                path,
                text: match install {
                    Some(command) => with_install(&text, &self.scalar(command)),
                    None => text,
                },
                may_stay: false,
            }
        })
    }
}

/// The text of a CI file with this YAML scalar in its install line.
fn with_install(text: &str, scalar: &str) -> String {
    let key = format!("  {INSTALL_VARIABLE}: ");
    text.split_inclusive('\n')
        .map(|line| {
            if line.starts_with(&key) {
                line.replacen("''", scalar, 1)
            } else {
                line.to_owned()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_forge_names_the_folder() {
        for forge in Forge::ALL {
            let is_changed = forge
                .files("some folder", None)
                .zip(forge.texts())
                .any(|(file, (_, text))| file.text != *text);
            assert_eq!(is_changed, forge == Forge::SourceHut, "{forge:?}");
        }
    }

    #[test]
    fn a_command_is_in_every_file_that_installs() {
        let install = InstallCommand::parse("cargo install --git 'x' ipwhl").expect("a command");
        for forge in Forge::ALL {
            let mut installing = 0;
            for file in forge.files("some folder", Some(&install)) {
                // The workflow that comments on a change only posts the results of another one.
                if file.text.contains(INSTALL_VARIABLE) {
                    let scalar = "'cargo install --git ''x'' ipwhl'";
                    assert!(file.text.contains(scalar), "{}", file.path);
                    installing += 1;
                }
            }
            assert!(installing > 0, "{forge:?}");
        }
    }
}
