//! What `ipwhl init` writes: the texts, and the few places in them that differ from one repository
//! to the next.

use clap::ValueEnum;
use ipwhl_packaging::{Platform, requires_python};
use toml_edit::{Array, DocumentMut, Value};

use super::install::InstallCommand;
use crate::set::declaration::DECLARATION_SCHEMA_FILE;
use crate::set::repository::{CONFIGURATION_FILE, CONFIGURATION_SCHEMA_FILE};

/// The name that the embedded texts have in the place of the repository's.
const EXAMPLE: &str = "my-wheels";
/// The variable of the CI files with the command that installs ipwhl; `''` in the embedded texts.
pub(super) const INSTALL: &str = "IPWHL_INSTALL";

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewFile {
    /// From the repository's folder, with `/`.
    pub(super) path: &'static str,
    pub(super) text: String,
    /// Whether one that is there already may stay in its place.
    pub(super) may_stay: bool,
}

/// Where a repository's CI runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Forge {
    /// GitHub Actions
    #[value(name = "github")]
    GitHub,
    /// GitLab CI
    #[value(name = "gitlab")]
    GitLab,
    /// builds of SourceHut
    #[value(name = "sourcehut")]
    SourceHut,
    /// Forgejo Actions
    #[value(name = "forgejo")]
    Forgejo,
}

impl Forge {
    /// Its name, as it writes it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
            Self::SourceHut => "SourceHut",
            Self::Forgejo => "Forgejo",
        }
    }

    /// Its files: where each belongs, and the text that the project's `ci` folder has.
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
            // An expression with the value `${{`.
            Self::GitHub | Self::Forgejo => command.as_str().replace("${{", "${{ '${{' }}"),
            Self::GitLab | Self::SourceHut => command.as_str().to_owned(),
        };
        format!("'{}'", text.replace('\'', "''"))
    }

    /// The file whose first lines tell a maintainer what to set.
    pub(super) fn release_file(self) -> &'static str {
        self.texts().last().map_or("", |(path, _)| path)
    }

    /// The files that its CI reads in a repository whose folder has this name.
    pub(super) fn files(
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

/// What a new repository holds beside its CI; `ipwhl.toml` comes last, since it makes a folder one.
pub(super) fn repository(name: &str, pythons: &[String], systems: &[String]) -> Vec<NewFile> {
    let file = |path, text: &str, may_stay| NewFile {
        path,
        text: text.to_owned(),
        may_stay,
    };
    let mut configuration = include_str!("ipwhl.toml").replacen(
        &format!("name = \"{EXAMPLE}\"\n"),
        &format!("name = {}\n", quoted(name)),
        1,
    );
    replace_list(&mut configuration, "python", pythons);
    replace_list(&mut configuration, "system", systems);
    vec![
        file("declarations/.gitkeep", include_str!("gitkeep"), true),
        file(".gitignore", include_str!("gitignore"), true),
        // `ipwhl fmt --check` sees the bytes of the checkout.
        file(".gitattributes", "*.toml text eol=lf\n", true),
        file("README.md", &readme(name, &configuration), true),
        // What editors read; the first line of `ipwhl.toml`, and of what `ipwhl add` writes, leads
        // there.
        file(
            CONFIGURATION_SCHEMA_FILE,
            include_str!("../../../schemas/ipwhl.schema.json"),
            true,
        ),
        file(
            DECLARATION_SCHEMA_FILE,
            include_str!("../../../schemas/declaration.schema.json"),
            true,
        ),
        NewFile {
            path: CONFIGURATION_FILE,
            text: configuration,
            may_stay: false,
        },
    ]
}

/// The README under the repository's name; in what is to be typed it is one that every tool takes.
fn readme(name: &str, configuration: &str) -> String {
    let mut text = include_str!("README.md").replacen(&format!("# {EXAMPLE}\n"), "", 1);
    if let Some(requires_python) = supported_pythons(configuration) {
        text = text.replacen(
            "requires-python = \"\"",
            &format!("requires-python = \"{requires_python}\""),
            1,
        );
    }
    format!("# {name}\n{}", text.replace(EXAMPLE, &file_name(name)))
}

/// The text of a CI file with this YAML scalar in its install line.
fn with_install(text: &str, scalar: &str) -> String {
    let key = format!("  {INSTALL}: ");
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

/// The Requires-Python that follows from the interpreters of an `ipwhl.toml`.
fn supported_pythons(configuration: &str) -> Option<String> {
    let document: DocumentMut = configuration.parse().ok()?;
    let tags = document.get("platforms")?.get("python")?.as_array()?;
    // Any system will do: the versions are the interpreter's.
    let platforms: Vec<Platform> = tags
        .iter()
        .filter_map(|tag| Platform::parse(tag.as_str()?, "win_amd64").ok())
        .collect();
    requires_python(&platforms)
}

/// Puts these values in the place of a list of one line; without values it stays as it is.
fn replace_list(text: &mut String, key: &str, values: &[String]) {
    if values.is_empty() {
        return;
    }
    let start = format!("{key} = [");
    let list: Array = values.iter().map(String::as_str).collect();
    *text = text
        .lines()
        .map(|line| {
            if line.starts_with(&start) {
                format!("{key} = {list}\n")
            } else {
                format!("{line}\n")
            }
        })
        .collect();
}

/// As TOML writes a string.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The name of a folder as one that every forge takes for a repository.
fn file_name(folder: &str) -> String {
    let name: String = folder
        .chars()
        .map(|c| match c {
            'A'..='Z' | 'a'..='z' | '0'..='9' | '.' | '_' | '-' => c,
            _ => '-',
        })
        .collect();
    match name.trim_matches(['.', '-']) {
        "" => EXAMPLE.to_owned(),
        name => name.to_owned(),
    }
}

/// The name of a folder as a repository's, where nobody has given it one.
pub(super) fn name_of(folder: &str) -> String {
    let name: String = folder.chars().filter(|c| !c.is_control()).collect();
    match name.trim() {
        "" => EXAMPLE.to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_texts_have_the_places_that_are_filled_in() {
        let files = repository("a \"b\"", &["cp314".to_owned()], &["win_arm64".to_owned()]);
        let text = &files.last().expect("a file").text;
        for line in [
            "name = 'a \"b\"'",
            "python = [\"cp314\"]",
            "system = [\"win_arm64\"]",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        for file in files {
            assert!(!file.text.contains(EXAMPLE), "{}", file.path);
            if file.path == "README.md" {
                let line = "\nrequires-python = \">=3.14,<3.15\"\n";
                assert!(file.text.contains(line), "{}", file.text);
            }
        }
        for forge in Forge::value_variants() {
            let changed: Vec<bool> = forge
                .files("some folder", None)
                .zip(forge.texts())
                .map(|(file, (_, text))| file.text != *text)
                .collect();
            assert_eq!(
                changed.contains(&true),
                *forge == Forge::SourceHut,
                "{forge:?}"
            );
        }
    }

    #[test]
    fn a_folder_gives_a_name_that_can_be_used() {
        for (folder, name, file) in [
            ("wheels", "wheels", "wheels"),
            (" our wheels\n", "our wheels", "our-wheels"),
            ("our\twheels", "ourwheels", "our-wheels"),
            ("räder", "räder", "r-der"),
            ("", EXAMPLE, EXAMPLE),
            ("..", "..", EXAMPLE),
        ] {
            assert_eq!(
                (name_of(folder).as_str(), file_name(folder).as_str()),
                (name, file)
            );
        }
    }
}
