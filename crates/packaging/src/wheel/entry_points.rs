//! `entry_points.txt`: the commands and plugins of a wheel, as far as all installers read them
//! alike.
//!
//! Specification: <https://packaging.python.org/en/latest/specifications/entry-points/>. It refers
//! to Python's `configparser`, which `installer` and uv follow since 2026. pip uses
//! `importlib.metadata` or `pkg_resources`, and then distlib; uv used a Rust library before. They
//! differ about line ends, comments, continued lines, headings and repeated names. Lines that all
//! of them read alike are read here, and every other line is reported. Of 275 such files, in 976
//! wheels of popular projects, none has one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::layout::is_interpreter;
use super::problems::{Problems, shown};
use super::{Limits, Problem};

/// An entry point.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntryPoint {
    /// Its group, such as `console_scripts`.
    pub group: String,
    /// Its name: of a script, the command.
    pub name: String,
}

impl EntryPoint {
    /// Whether an installer creates a command from it.
    pub fn is_script(&self) -> bool {
        matches!(self.group.as_str(), "console_scripts" | "gui_scripts")
    }
}

/// Entry points with their objects.
pub type EntryPoints = BTreeMap<EntryPoint, String>;

/// The entry points of a text, and its problems. Lines that installers read differently are read in
/// one of these ways, so that their contents can be shown.
pub fn entry_points(text: &str) -> (EntryPoints, Vec<Problem>) {
    let mut problems = Problems::new(Limits::default().problems);
    let found = read_entry_points(text.as_bytes(), &mut problems);
    (found, problems.finish())
}

/// The same for the bytes of a member.
pub(super) fn read_entry_points(bytes: &[u8], problems: &mut Problems) -> EntryPoints {
    let Ok(text) = str::from_utf8(bytes) else {
        problems.metadata("entry_points.txt is not UTF-8");
        return EntryPoints::new();
    };
    let mut reader = Reader::default();
    for (number, line) in (1_u64..).zip(text.split('\n')) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let mut complain = |clause: &str| {
            problems.metadata(format!(
                "line {number} of entry_points.txt {clause}: {}",
                shown(line)
            ));
        };
        if let Some(sign) = line.chars().find(|sign| is_ambiguous(*sign)) {
            complain(&format!(
                "has the character U+{:04X}, which installers read differently",
                u32::from(sign)
            ));
        }
        for piece in line.split(is_line_end) {
            if let Err(clause) = reader.read(piece) {
                complain(clause);
            }
        }
    }
    reader.found
}

/// Whether Python's `str.splitlines` ends a line here.
pub(super) fn is_line_end(sign: char) -> bool {
    matches!(
        sign,
        '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Whether some reader ends a line at this character, drops it or strips it, and another one does
/// not.
fn is_ambiguous(sign: char) -> bool {
    match sign {
        ' ' | '\t' => false,
        // A byte order mark, and the replacement for bytes that are not text.
        '\u{feff}' | '\u{fffd}' => true,
        _ => sign.is_control() || sign.is_whitespace(),
    }
}

const BLANKS: [char; 2] = [' ', '\t'];

#[derive(Default)]
struct Reader {
    found: EntryPoints,
    groups: BTreeSet<String>,
    group: Option<String>,
    /// The names of commands in lower case.
    commands: BTreeSet<String>,
    /// The objects of commands that pip creates in several versions.
    versioned: BTreeMap<&'static str, String>,
    /// The indentation of the previous entry in the same group.
    indentation: Option<usize>,
}

impl Reader {
    /// Reads a line; the error is a clause for use after its name.
    fn read(&mut self, line: &str) -> Result<(), &'static str> {
        let text = line.trim_matches(BLANKS);
        if text.is_empty() || text.starts_with('#') {
            return Ok(());
        }
        if text.starts_with(';') {
            return Err("is a comment for some installers only");
        }
        let indentation = line.len() - line.trim_start_matches(BLANKS).len();
        let is_continued = self.indentation.is_some_and(|before| indentation > before);
        let is_read = match text.strip_prefix('[') {
            Some(heading) => self.read_heading(heading),
            None => self.read_entry(text, indentation),
        };
        if is_continued {
            return Err(
                "is indented more than the line before, which it continues for some installers",
            );
        }
        if text.contains([';', '#']) {
            return Err("has a comment for some installers only");
        }
        is_read
    }

    fn read_heading(&mut self, heading: &str) -> Result<(), &'static str> {
        self.indentation = None;
        let end = heading.rfind(']').unwrap_or(heading.len());
        let (name, rest) = heading.split_at(end);
        let group = name.trim_matches(BLANKS);
        self.group = Some(group.to_owned());
        let is_new = self.groups.insert(group.to_owned());
        // `configparser` adds the entries of DEFAULT to every group.
        if rest != "]"
            || group != name
            || group.is_empty()
            || group.contains(['[', ']'])
            || group.eq_ignore_ascii_case("default")
        {
            return Err("is a heading that installers read differently");
        }
        if is_new {
            Ok(())
        } else {
            Err("repeats the heading of a group")
        }
    }

    fn read_entry(&mut self, text: &str, indentation: usize) -> Result<(), &'static str> {
        self.indentation = Some(indentation);
        let Some((name, object)) = text.split_once('=') else {
            return Err("is neither a heading nor an entry point");
        };
        let (name, object) = (name.trim_matches(BLANKS), object.trim_matches(BLANKS));
        let Some(group) = &self.group else {
            return Err("stands before the first heading");
        };
        let entry_point = EntryPoint {
            group: group.clone(),
            name: name.to_owned(),
        };
        let is_script = entry_point.is_script();
        if self.found.insert(entry_point, object.to_owned()).is_some() {
            return Err("repeats the name of an entry point");
        }
        if name.is_empty() {
            return Err("has no name");
        }
        if !is_script {
            return Ok(());
        }
        if !is_command(name) {
            return Err("has a command whose name is no plain file name on every platform");
        }
        if is_interpreter(&name.to_lowercase()) {
            // pip: replaces the interpreter of the environment. uv: refuses the wheel.
            return Err("has a command with the name of an interpreter");
        }
        if let Some(base) = versioned_base(name) {
            // pip: creates its own commands with these names, all with one object.
            let first = self.versioned.entry(base).or_insert(object.to_owned());
            if first != object {
                return Err("has a command that pip makes of another one, with another object");
            }
        }
        if !self.commands.insert(name.to_lowercase()) {
            return Err("has a command that is the same file as another one");
        }
        if !is_callable(object) {
            return Err(
                "has a command whose object is not `module:attribute`, as installers write it into a script",
            );
        }
        Ok(())
    }
}

/// The command that pip creates in several versions: `pip` for `pip3` and `pip3.12`.
fn versioned_base(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    ["pip", "easy_install"].into_iter().find(|base| {
        let rest = name.strip_prefix(base);
        let is_version = |sign: char| sign.is_ascii_digit() || matches!(sign, '.' | '-');
        rest.is_some_and(|rest| rest.chars().all(is_version))
    })
}

/// Whether a command can have this name: distlib searches for these characters, and uses the first
/// match.
fn is_command(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let is_device = ["aux", "con", "nul", "prn"]
        .iter()
        .any(|device| stem.eq_ignore_ascii_case(device))
        || ["com", "lpt"].iter().any(|port| {
            let number = stem.to_ascii_lowercase();
            let number = number.strip_prefix(port).map(str::as_bytes);
            matches!(number, Some([b'0'..=b'9']))
        });
    name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte))
        && !name.ends_with('.')
        && !is_device
}

/// Whether it is `module:attribute`, both dotted, with or without extras.
fn is_callable(object: &str) -> bool {
    let is_dotted = |path: &str| path.split('.').all(is_identifier);
    let (path, extras) = match object.split_once('[') {
        Some((path, extras)) => (path.trim_end_matches(BLANKS), Some(extras)),
        None => (object, None),
    };
    path.split_once(':')
        .is_some_and(|(module, attribute)| is_dotted(module) && is_dotted(attribute))
        && extras.is_none_or(|extras| extras.strip_suffix(']').is_some_and(are_extras))
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether these are names of extras that distlib reads: with blanks after a comma and not before,
/// and with `-` in the first only.
fn are_extras(names: &str) -> bool {
    let names = names.trim_matches(BLANKS).split(',').enumerate();
    names
        .map(|(index, name)| match index {
            0 => (name, &b"_-"[..]),
            _ => (name.trim_start_matches(BLANKS), &b"_"[..]),
        })
        .all(|(name, signs)| {
            let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || signs.contains(&byte);
            !name.is_empty() && name.bytes().all(is_of_name)
        })
}
