//! The settings of pip, and its built-in default.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::foundation::environment::neutral_folder;

/// The name of pip's configuration file.
const FILE_NAME: &str = if cfg!(windows) { "pip.ini" } else { "pip.conf" };

/// The program for pip's Python: prints the prefix of its site configuration, and its index.
const QUESTION: &str = "import sys; sys.path[:] = sys.argv[1:] + [p for p in sys.path if p]; \
    from pip._internal.models.index import PyPI; print(sys.prefix); print(PyPI.simple_url)";

/// The number of bytes to read of a script to find its interpreter.
const SHEBANG: u64 = 512;

/// The built-in values of a pip.
pub(super) struct BuiltIn {
    pub(super) prefix: PathBuf,
    pub(super) index: String,
}

/// Variables of the environment.
pub(super) type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The configuration file below a prefix of Python.
pub(super) fn site_file(prefix: &Path) -> PathBuf {
    prefix.join(FILE_NAME)
}

/// The user's configuration files, then those of the machine: earlier ones take precedence.
pub(super) fn configuration_files(variables: Variables<'_>) -> Vec<PathBuf> {
    let path = |name: &str| {
        variables(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let mut folders = Vec::new();
    if cfg!(windows) {
        folders.extend(path("APPDATA").map(|data| data.join("pip")));
        folders.extend(path("USERPROFILE").map(|home| home.join("pip")));
        folders.extend(path("ProgramData").map(|data| data.join("pip")));
    } else {
        let home = path("HOME");
        if cfg!(target_os = "macos") {
            let own = home
                .as_ref()
                .map(|home| home.join("Library/Application Support/pip"));
            folders.extend(own.filter(|folder| folder.is_dir()));
        }
        let config = path("XDG_CONFIG_HOME").or_else(|| Some(home.as_ref()?.join(".config")));
        folders.extend(config.map(|config| config.join("pip")));
        folders.extend(home.map(|home| home.join(".pip")));
        if cfg!(target_os = "macos") {
            folders.push("/Library/Application Support/pip".into());
        }
        folders.push("/etc".into());
        let shared = variables("XDG_CONFIG_DIRS")
            .filter(|value| !value.is_empty())
            .unwrap_or_else(|| "/etc/xdg".into());
        let shared: Vec<_> = std::env::split_paths(&shared)
            .map(|folder| folder.join("pip"))
            .collect();
        folders.extend(shared.into_iter().rev());
    }
    folders
        .into_iter()
        .map(|folder| folder.join(FILE_NAME))
        .collect()
}

/// `index-url` of the section `global` in a configuration file; `None` if it is absent, or the file
/// is.
pub(super) fn index_url(file: &Path) -> Option<String> {
    let text = fs::read(file).ok()?;
    index_url_in(&String::from_utf8_lossy(&text))
}

/// Reads the subset of Python's `configparser` syntax that this key needs: sections, keys before
/// `=` or `:`, comment lines, and values that continue in indented lines.
fn index_url_in(text: &str) -> Option<String> {
    let mut in_global = false;
    let mut found: Option<String> = None;
    let mut continues = false;
    for line in text.trim_start_matches('\u{feff}').lines() {
        let content = line.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with([' ', '\t']) {
            if let Some(value) = found.as_mut().filter(|_| continues) {
                value.push_str(content);
            }
            // An indented line continues the value before it.
            continue;
        }
        continues = false;
        if let Some(section) = content.strip_prefix('[') {
            in_global = section.split(']').next() == Some("global");
            continue;
        }
        let Some((key, value)) = content.split_once(['=', ':']) else {
            continue;
        };
        let key = key.trim().to_ascii_lowercase().replace('_', "-");
        if in_global && key.trim_start_matches("--") == "index-url" {
            found = Some(value.trim().to_owned());
            continues = true;
        }
    }
    found.filter(|value| !value.is_empty())
}

/// Asks the pip on `PATH`, through its Python.
pub(super) fn ask(variables: Variables<'_>) -> Option<BuiltIn> {
    let path = variables("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .collect();
    let pip = find(&folders, &["pip", "pip3"]);
    if let Some(python) = pip.as_deref().and_then(interpreter)
        && let Some(answer) = question(&python, None)
    {
        return Some(answer);
    }
    let python = find(&folders, &["python3", "python"])?;
    // A pip that is a shell script or an executable prints its own path.
    let library = pip.as_deref().and_then(library);
    question(&python, library.as_deref()).or_else(|| question(&python, None))
}

/// The first program with one of these names in these folders.
pub(super) fn find(folders: &[PathBuf], names: &[&str]) -> Option<PathBuf> {
    let file = |folder: &PathBuf, name: &str| {
        let path = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        path.is_file().then_some(path)
    };
    names
        .iter()
        .find_map(|name| folders.iter().find_map(|folder| file(folder, name)))
}

/// The Python in the first line of a script.
fn interpreter(script: &Path) -> Option<PathBuf> {
    let mut start = Vec::new();
    File::open(script)
        .ok()?
        .take(SHEBANG)
        .read_to_end(&mut start)
        .ok()?;
    let line = start.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?.strip_prefix("#!")?.trim();
    let python = PathBuf::from(line);
    let name = python.file_name()?.to_str()?;
    (python.is_file() && name.starts_with("python")).then_some(python)
}

/// The folder of a pip: `pip 25.0 from <folder>/pip (python 3.13)`.
fn library(pip: &Path) -> Option<PathBuf> {
    let text = output(Command::new(pip).arg("--version"))?;
    let (_, rest) = text.split_once(" from ")?;
    let (package, _) = rest.rsplit_once(" (python ")?;
    Path::new(package).parent().map(Path::to_owned)
}

fn question(python: &Path, library: Option<&Path>) -> Option<BuiltIn> {
    let text = output(Command::new(python).args(["-c", QUESTION]).args(library))?;
    let mut lines = text.lines();
    let prefix = PathBuf::from(lines.next()?.trim());
    let index = lines.next()?.trim().to_owned();
    Some(BuiltIn { prefix, index })
}

fn output(command: &mut Command) -> Option<String> {
    let output = command
        .current_dir(neutral_folder())
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    String::from_utf8(output.stdout).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_file_is_read_as_configparser_reads_it() {
        for (text, wanted) in [
            (
                "[global]\nindex-url = https://example.org/simple\n",
                Some("https://example.org/simple"),
            ),
            (
                "# comment\r\n[GLOBAL]\r\nindex-url=no\r\n[global]\r\nIndex_URL : \
                 https://example.org/s ; kept\r\n",
                Some("https://example.org/s ; kept"),
            ),
            (
                "[install]\nindex-url = https://example.org/no\n[global]\ntimeout = 9\n",
                None,
            ),
            (
                "[global]\nfind-links =\n    https://example.org/a\n    index-url = no\nindex-url \
                 =\n    https://example.org/b\n",
                Some("https://example.org/b"),
            ),
            ("[global]\nextra-index-url = https://example.org/no\n", None),
            ("[global]\nindex-url =\n", None),
            ("", None),
        ] {
            assert_eq!(index_url_in(text).as_deref(), wanted, "{text}");
        }
    }
}
