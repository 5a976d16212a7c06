//! Reads the requirements of people's project files: `requirements.txt`, `pyproject.toml`,
//! `uv.lock`, `poetry.lock` and `pylock.toml`.
//!
//! The room is pure. Files are read through [`ProjectFiles`]. Mistakes are findings with places, and
//! each entry without effect is listed with its reason.

mod collector;
mod files;
mod format;
mod ignored;
mod limits;
mod lines;
mod local;
mod model;
mod options;
mod place;
mod poetry_lock;
mod poetry_tables;
mod pylock;
mod pyproject;
mod requirements;
mod toml_file;
mod uv_lock;

use std::path::Path;
use std::sync::Arc;

pub use files::ProjectFiles;
pub use format::RequestFormat;
pub use ignored::{Ignored, IgnoredKind};
pub use limits::LARGEST_PROJECT_FILE;
pub use model::{Mistakes, Pin, Pinned, RequestFile, RequestFileError, Selection};
pub use place::Place;

use collector::{Collector, Unusable};
use files::{decode_toml, shown};

use crate::foundation::diagnostic::Code;
use crate::foundation::failure::Failure;
use crate::set::declaration::reader::{Reader, Table};

/// Reads a project file and the files that it includes. Its name decides the format, or else its
/// content.
///
/// # Errors
/// When the file cannot be read or is of no known format, when it has mistakes, or when it lacks a
/// selected extra or group.
pub fn read_request_file(
    files: &dyn ProjectFiles,
    path: &Path,
    selection: &Selection,
) -> Result<RequestFile, RequestFileError> {
    let mut collector = Collector::new(files, selection);
    let name = shown(path);
    let bytes = collector.read(path).map_err(|error| match error {
        Unusable::Io(error) => Failure::world(format!("`{name}` cannot be read: {error}")),
        Unusable::TooLarge(reason) => Failure::usage(format!("`{name}` is not read: {reason}"))
            .help("split the file, and add its parts one after the other"),
    })?;
    match format::format_of(path, &bytes)? {
        RequestFormat::Requirements => {
            requirements::read_requirements(&mut collector, path, bytes);
        }
        format => read_toml(&mut collector, format, path, bytes),
    }
    collector.finish(&name)
}

fn read_toml(collector: &mut Collector<'_>, format: RequestFormat, path: &Path, bytes: Vec<u8>) {
    let file: Arc<str> = Arc::from(shown(path));
    let text = match decode_toml(bytes) {
        Ok(text) => text,
        Err(error) => {
            collector.keep_text(&file, "");
            let message = format!("the file is not TOML: {}", error.message);
            let place = Place::new(&file, 0..0);
            return collector.report(Code::Syntax, message, &place, error.help);
        }
    };
    if format == RequestFormat::Pyproject {
        return pyproject::read_pyproject_text(collector, &file, &text);
    }
    collector.keep_text(&file, &text);
    let reader = Reader::new(&file);
    let (document, is_toml) = reader.parse_foreign(&text);
    if is_toml {
        let top = Table::new(&reader, document.get_ref(), 0..0, "a lock file");
        match format {
            RequestFormat::UvLock => uv_lock::read_uv_lock(collector, &reader, &top),
            RequestFormat::PoetryLock => {
                poetry_lock::read_poetry_lock(collector, &reader, &top, path);
            }
            _ => pylock::read_pylock(collector, &reader, &top),
        }
    }
    toml_file::take_findings(collector, reader);
}
