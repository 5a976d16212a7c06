//! The files of a new repository: embedded texts, and the values that are inserted into them.

use ipwhl_packaging::{Platform, requires_python};
use toml_edit::{Array, Value};

use crate::set::declaration::DECLARATION_SCHEMA_FILE;
use crate::set::repository::{CONFIGURATION_FILE, CONFIGURATION_SCHEMA_FILE};

/// The placeholder for the repository's name in the embedded texts.
pub(super) const EXAMPLE: &str = "my-wheels";
/// The interpreters in the embedded `ipwhl.toml`.
const DEFAULT_PYTHONS: [&str; 3] = ["cp312", "cp313", "cp314"];
/// The variable in the CI files with the command that installs ipwhl; `''` in the embedded texts.
pub const INSTALL_VARIABLE: &str = "IPWHL_INSTALL";

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its path relative to the repository's folder, with `/`.
    pub path: &'static str,
    /// Its text.
    pub text: String,
    /// Whether an existing file with this path may stay.
    pub may_stay: bool,
}

impl NewFile {
    /// Whether it has the line with the command that installs ipwhl in CI.
    pub fn has_install_line(&self) -> bool {
        self.text.contains(INSTALL_VARIABLE)
    }

    /// Its lines that another text lacks, without comments.
    pub fn lines_missing_in(&self, there: &str) -> Vec<&str> {
        self.text
            .lines()
            .filter(|line| !line.starts_with('#') && !there.lines().any(|found| found == *line))
            .collect()
    }
}

/// The files of a folder that carries the set of another repository, with these settings.
pub fn carrying_files(settings: String) -> Vec<NewFile> {
    vec![
        NewFile {
            path: ".gitignore",
            text: "# The fetched releases.\n/release\n".to_owned(),
            may_stay: true,
        },
        NewFile {
            path: CONFIGURATION_FILE,
            text: settings,
            may_stay: false,
        },
    ]
}

/// The files of a new repository, without CI. `ipwhl.toml` is last, because it makes the folder a
/// repository.
pub(super) fn new_repository(name: &str, pythons: &[String], systems: &[String]) -> Vec<NewFile> {
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
        // `ipwhl fmt --check` reads the bytes of the checkout, so git must not convert line
        // endings.
        file(".gitattributes", "*.toml text eol=lf\n", true),
        file("README.md", &readme(name, pythons), true),
        // Schemas for editors. The first line of `ipwhl.toml`, and of each declaration that
        // `ipwhl add` writes, names its schema.
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

/// The README with the repository's name. Its commands use a form of the name that every tool
/// accepts.
fn readme(name: &str, pythons: &[String]) -> String {
    let mut text = include_str!("README.md").replacen(&format!("# {EXAMPLE}\n"), "", 1);
    if let Some(requires_python) = supported_pythons(pythons) {
        text = text.replacen(
            "requires-python = \"\"",
            &format!("requires-python = \"{requires_python}\""),
            1,
        );
    }
    format!("# {name}\n{}", text.replace(EXAMPLE, &file_name(name)))
}

/// The Requires-Python of a set for these interpreters.
fn supported_pythons(tags: &[String]) -> Option<String> {
    let tags: Vec<&str> = if tags.is_empty() {
        DEFAULT_PYTHONS.to_vec()
    } else {
        tags.iter().map(String::as_str).collect()
    };
    // The system does not matter: the versions depend on the interpreter only.
    let platforms: Vec<Platform> = tags
        .iter()
        .filter_map(|tag| Platform::parse(tag, "win_amd64").ok())
        .collect();
    requires_python(&platforms)
}

/// Replaces a list on one line by these values. Without values, the text does not change.
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

/// A text as a TOML string.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The name of a folder in a form that every forge accepts for a repository.
pub(super) fn file_name(folder: &str) -> String {
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

/// The default name of a repository: the name of its folder.
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
        let files = new_repository("a \"b\"", &["cp314".to_owned()], &["win_arm64".to_owned()]);
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
    }

    #[test]
    fn the_readme_has_the_interpreters_of_the_settings() {
        let files = new_repository("wheels", &[], &[]);
        let configuration = &files.last().expect("a file").text;
        let list: Array = DEFAULT_PYTHONS.into_iter().collect();
        let line = format!("\npython = {list}\n");
        assert!(configuration.contains(&line), "{configuration}");
        let readme = files.iter().find(|file| file.path == "README.md");
        let text = &readme.expect("a README").text;
        assert!(
            text.contains("\nrequires-python = \">=3.12,<3.15\"\n"),
            "{text}"
        );
    }

    #[test]
    fn the_lines_that_a_file_of_somebody_else_lacks() {
        let file = NewFile {
            path: ".gitignore",
            text: "# Releases.\n/release\n/key\n".to_owned(),
            may_stay: true,
        };
        assert_eq!(file.lines_missing_in("/key\n"), ["/release"]);
        assert!(file.lines_missing_in("/release\n/key\n").is_empty());
        assert!(!file.has_install_line());
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
