//! The format of a project file: by its name, or else by its content.

use std::path::Path;

use toml::de::DeTable;

use super::files::decode_requirements;
use super::lines::lines;
use super::options::{options, options_start};
use crate::foundation::failure::Failure;

/// A format of project files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestFormat {
    /// `requirements.txt`.
    Requirements,
    /// `pyproject.toml`.
    Pyproject,
    /// `uv.lock`.
    UvLock,
    /// `poetry.lock`.
    PoetryLock,
    /// `pylock.toml`, `pylock.<name>.toml`.
    Pylock,
}

/// The supported formats, as help.
const SUPPORTED: &str = "supported are `requirements.txt`, `pyproject.toml`, `uv.lock`, \
                         `poetry.lock` and `pylock.toml`";

/// Known files that are not supported, each with a command that writes a supported one.
const UNSUPPORTED: [(&str, &str); 8] = [
    ("Pipfile", "`pipenv requirements > requirements.txt`"),
    ("Pipfile.lock", "`pipenv requirements > requirements.txt`"),
    ("pdm.lock", "`pdm export -o requirements.txt`"),
    ("setup.py", "`pip-compile -o requirements.txt`"),
    ("setup.cfg", "`pip-compile -o requirements.txt`"),
    (
        "environment.yml",
        "`pip list --format freeze > requirements.txt`",
    ),
    (
        "environment.yaml",
        "`pip list --format freeze > requirements.txt`",
    ),
    ("pixi.lock", "`pip list --format freeze > requirements.txt`"),
];

/// The format of a file.
///
/// # Errors
/// When the format is not known.
pub(super) fn format_of(path: &Path, bytes: &[u8]) -> Result<RequestFormat, Failure> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match by_name(&name) {
        Some(format) => Ok(format),
        None => by_content(path, &name, bytes),
    }
}

fn by_name(name: &str) -> Option<RequestFormat> {
    let is_pylock = name.strip_prefix("pylock.").is_some_and(|rest| {
        let middle = rest.strip_suffix(".toml");
        rest == "toml" || middle.is_some_and(|one| !one.is_empty() && !one.contains('.'))
    });
    let extension = Path::new(name).extension().and_then(|one| one.to_str());
    match name {
        "uv.lock" => Some(RequestFormat::UvLock),
        "poetry.lock" => Some(RequestFormat::PoetryLock),
        "pyproject.toml" => Some(RequestFormat::Pyproject),
        _ if is_pylock => Some(RequestFormat::Pylock),
        _ if matches!(extension, Some("txt" | "in")) => Some(RequestFormat::Requirements),
        _ => None,
    }
}

fn by_content(path: &Path, name: &str, bytes: &[u8]) -> Result<RequestFormat, Failure> {
    let unknown = || Failure::usage(format!("`{}` is no known project file", path.display()));
    if let Some((_, way)) = UNSUPPORTED.iter().find(|(one, _)| *one == name) {
        return Err(unknown().help(format!("{way} writes a file that can be read; {SUPPORTED}")));
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let (document, errors) = DeTable::parse_recoverable(text)
        && errors.is_empty()
        && !document.get_ref().is_empty()
    {
        return by_keys(document.get_ref()).ok_or_else(|| unknown().help(SUPPORTED));
    }
    if looks_like_requirements(bytes) {
        return Ok(RequestFormat::Requirements);
    }
    Err(unknown().help(SUPPORTED))
}

fn by_keys(table: &DeTable<'_>) -> Option<RequestFormat> {
    let has = |key: &str| table.contains_key(key);
    if has("lock-version") && has("packages") {
        return Some(RequestFormat::Pylock);
    }
    if has("project") || has("dependency-groups") || has("build-system") {
        return Some(RequestFormat::Pyproject);
    }
    let metadata = table
        .get("metadata")
        .and_then(|one| one.get_ref().as_table());
    if has("package") && metadata.is_some_and(|one| one.contains_key("content-hash")) {
        return Some(RequestFormat::PoetryLock);
    }
    // Lock files of other languages also have `version` and `package`.
    let is_uv = has("version") && (has("requires-python") || has("manifest"));
    is_uv.then_some(RequestFormat::UvLock)
}

/// Whether the first line of a text is a requirement or an option.
fn looks_like_requirements(bytes: &[u8]) -> bool {
    let Ok(text) = decode_requirements(bytes.to_vec()) else {
        return false;
    };
    let lines = lines(&text);
    let Some(line) = lines.first() else {
        return false;
    };
    let start = options_start(&line.text);
    let requirement = line.text[..start].trim_end();
    let is_requirement = requirement.parse::<ipwhl_packaging::Requirement>().is_ok();
    let has_options = start < line.text.len();
    (is_requirement || requirement.is_empty() && has_options) && options(&line.text, start).is_ok()
}
