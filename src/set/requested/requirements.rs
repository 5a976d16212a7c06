//! Reads `requirements.txt` and the files that it includes.
//!
//! Specification: pip, "Requirements File Format". Departures: everything in a constraints file is a
//! constraint, as for uv, also in files that it includes; environment variables are not replaced;
//! files are not fetched from the network; all options of a line count, not only the first.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipwhl_packaging::{Constraint, Requirement};
use ipwhl_unixfs::Sha256Digest;

use super::collector::{Collector, Unusable, direct, invalid_requirement, sha256};
use super::files::{decode_requirements, included_path, normalised, shown};
use super::ignored::IgnoredKind;
use super::limits::{DEEPEST_INCLUDE, LONGEST_REQUIREMENT};
use super::lines::{Line, lines};
use super::model::Pinned;
use super::options::{LineOption, OptionMistake, option_names, options, options_start};
use super::place::Place;
use crate::foundation::diagnostic::{Code, Finding, Help, nearest, without_credentials};

/// The endings of archives and wheels, which pip reads as paths.
const ARCHIVES: [&str; 11] = [
    ".whl",
    ".zip",
    ".tar",
    ".tar.gz",
    ".tgz",
    ".tar.bz2",
    ".tbz",
    ".tar.xz",
    ".txz",
    ".tlz",
    ".tar.lzma",
];

/// A file that is being read, and those that include it.
struct Included<'a> {
    file: &'a Arc<str>,
    path: &'a Path,
    /// The normalised paths of the file and of those that include it, the outermost first.
    stack: &'a [PathBuf],
    is_constraint: bool,
}

/// Reads the text of a `requirements.txt`.
pub(super) fn read_requirements(collector: &mut Collector<'_>, path: &Path, bytes: Vec<u8>) {
    let file = Arc::from(shown(path));
    let stack = [normalised(path)];
    let included = Included {
        file: &file,
        path,
        stack: &stack,
        is_constraint: false,
    };
    read_file(collector, &included, bytes);
}

fn read_file(collector: &mut Collector<'_>, included: &Included<'_>, bytes: Vec<u8>) {
    let text = match decode_requirements(bytes) {
        Ok(text) => text,
        Err(error) => {
            collector.keep_text(included.file, "");
            let place = Place::new(included.file, 0..0);
            let message = format!("the file cannot be decoded: {}", error.message);
            return collector.report(Code::Syntax, message, &place, error.help);
        }
    };
    collector.keep_text(included.file, &text);
    for line in lines(&text) {
        read_line(collector, included, &line);
    }
}

fn read_line(collector: &mut Collector<'_>, included: &Included<'_>, line: &Line) {
    let file = included.file;
    let start = options_start(&line.text);
    let options = match options(&line.text, start) {
        Ok(options) => options,
        Err(mistake) => return collector.push(invalid_option(file, line, &mistake)),
    };
    let requirement = line.text[..start].trim_end();
    let (hashes, options): (Vec<LineOption>, Vec<LineOption>) = options
        .into_iter()
        .partition(|option| option.name == "--hash" && option.value.starts_with("sha256:"));
    if !requirement.is_empty() {
        if let Some(wrong) = hashes.iter().find(|option| sha256(&option.value).is_none()) {
            collector.report(
                Code::InvalidValue,
                format!("`{}` is no SHA-256", wrong.value),
                &Place::new(file, line.place(&wrong.span)),
                "write its 64 hexadecimal digits",
            );
        }
        let hashes = hashes.iter().filter_map(|option| sha256(&option.value));
        read_requirement(collector, included, line, (requirement, hashes.collect()));
    }
    let is_editable = options.iter().any(|option| option.name == "--editable");
    for option in options {
        let place = Place::new(file, line.place(&option.span));
        let ignored_by_pip = match option.name {
            "--requirement" | "--constraint" | "--editable" if !requirement.is_empty() => {
                Some("after a requirement")
            }
            "--requirement" | "--constraint" if is_editable => Some("beside an editable project"),
            _ => None,
        };
        if let Some(position) = ignored_by_pip {
            collector.report(
                Code::InvalidValue,
                format!("`{}` is {position}, where pip ignores it", option.name),
                &place,
                "write it in a line of its own",
            );
            continue;
        }
        match option.name {
            "--requirement" | "--constraint" => {
                include(collector, included, &option, &place);
            }
            "--editable" => collector.ignore(editable(&option.value), place),
            name => collector.ignore_option(name, place),
        }
    }
}

fn invalid_option(file: &Arc<str>, line: &Line, mistake: &OptionMistake) -> Finding {
    let finding = Finding::new(Code::InvalidValue, &mistake.message);
    let finding = finding.at(file, line.place(&mistake.span), "");
    let word = &line.text[mistake.span.clone()];
    let written = word.split('=').next().unwrap_or_default();
    match nearest(written, option_names()) {
        Some(name) if mistake.message.contains("is not an option") => {
            finding.help(Help::DidYouMean(name.to_owned()))
        }
        _ => finding.help("see \"Requirements File Format\" in the documentation of pip"),
    }
}

fn editable(value: &str) -> IgnoredKind {
    if is_url(value) && !value.to_ascii_lowercase().starts_with("file:") {
        direct(None, value)
    } else {
        IgnoredKind::Editable(without_credentials(value))
    }
}

/// Reads a file that a line names.
fn include(
    collector: &mut Collector<'_>,
    included: &Included<'_>,
    option: &LineOption,
    place: &Place,
) {
    let named = option.value.as_str();
    if is_url(named) {
        return collector.report(
            Code::InvalidValue,
            format!(
                "`{}` names a URL: included files are read from the disk only",
                option.name
            ),
            place,
            "download the file, and name it by its path",
        );
    }
    let path = included_path(included.path, named);
    let key = normalised(&path);
    let name = shown(&path);
    if included.stack.contains(&key) {
        let files: Vec<String> = included.stack.iter().map(|one| shown(one)).collect();
        return collector.report(
            Code::InvalidValue,
            format!(
                "`{name}` includes itself: {} -> {}",
                files.join(" -> "),
                shown(&key)
            ),
            place,
            "remove one of these lines",
        );
    }
    if included.stack.len() > DEEPEST_INCLUDE {
        return collector.report(
            Code::TooLarge,
            format!("files include one another more than {DEEPEST_INCLUDE} levels deep"),
            place,
            "include the files from the first one",
        );
    }
    let bytes = match collector.read(&path) {
        Ok(bytes) => bytes,
        Err(Unusable::Io(error)) => {
            let help = if named.contains("${") {
                "write the value instead of the environment variable"
            } else {
                "a path is relative to the folder of the file that names it"
            };
            let message = format!("`{name}` cannot be read: {error}");
            return collector.report(Code::InvalidValue, message, place, help);
        }
        Err(Unusable::TooLarge(reason)) => {
            let message = format!("`{name}` is not read: {reason}");
            let help = "include fewer or smaller files";
            return collector.report(Code::TooLarge, message, place, help);
        }
    };
    let stack = [included.stack, &[key]].concat();
    let next = Included {
        file: &Arc::from(name),
        path: &path,
        stack: &stack,
        is_constraint: included.is_constraint || option.name == "--constraint",
    };
    read_file(collector, &next, bytes);
}

/// Reads the requirement at the start of a line.
fn read_requirement(
    collector: &mut Collector<'_>,
    included: &Included<'_>,
    line: &Line,
    (text, hashes): (&str, Vec<Sha256Digest>),
) {
    let file = included.file;
    let place = Place::new(file, line.place(&(0..text.len())));
    if text.len() > LONGEST_REQUIREMENT {
        return collector.report(
            Code::TooLarge,
            format!("a requirement has at most {LONGEST_REQUIREMENT} bytes"),
            &place,
            "use shorter names, specifiers and markers",
        );
    }
    if is_url(text) {
        let url = text.split_whitespace().next().unwrap_or_default();
        return collector.ignore(direct(None, url), place);
    }
    // pip accepts an empty marker.
    let written = text.strip_suffix(';').unwrap_or(text);
    match written.parse::<Requirement>() {
        Ok(requirement) if !is_archive(written) => {
            if let Constraint::Specifiers(specifiers) = &requirement.constraint {
                let pinned = Pinned::Version(requirement.name.clone(), specifiers.clone());
                collector.pin(pinned, hashes, place.clone());
            }
            collector.add(requirement, place, included.is_constraint);
        }
        _ if is_path(written) => {
            let path = before_marker(written).to_owned();
            collector.ignore(IgnoredKind::Path(path), place);
        }
        Ok(requirement) => collector.add(requirement, place, included.is_constraint),
        Err(error) => {
            let span = line.place(&error.span);
            collector.push(invalid_requirement(file, written, &error, span));
        }
    }
}

fn is_url(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once(':') else {
        return false;
    };
    let scheme = scheme.to_ascii_lowercase();
    let is_tree = ["git+", "hg+", "bzr+", "svn+"]
        .iter()
        .any(|one| scheme.starts_with(one));
    is_tree || ["http", "https", "file", "ftp"].contains(&scheme.as_str())
}

fn before_marker(text: &str) -> &str {
    text.split(';').next().unwrap_or_default().trim_end()
}

/// Whether the text before the marker and extras ends as archives do.
fn is_archive(text: &str) -> bool {
    if text.contains('@') {
        return false;
    }
    let path = before_marker(text);
    let path = match path.rfind('[') {
        Some(at) if path.ends_with(']') => &path[..at],
        _ => path,
    };
    let path = path.trim_end().to_ascii_lowercase();
    ARCHIVES.iter().any(|ending| path.ends_with(ending))
}

/// Whether a text that is not a requirement is a path: it begins with a dot, has a folder first, or
/// ends as archives do.
fn is_path(text: &str) -> bool {
    let path = before_marker(text);
    let folder = path.find(['/', '\\']).map(|at| &path[..at]);
    path.starts_with('.')
        || folder.is_some_and(|folder| !folder.contains(['@', '=', '<', '>', '!', '~']))
        || is_archive(text)
}
