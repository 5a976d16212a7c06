//! What `lock` and `sbom` share: the projects that they are about, and where their document goes.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use super::context::Context;
use crate::foundation::environment::{AtomicFile, is_device, link_target};
use crate::foundation::failure::{Failure, unwritable};
use crate::set::graph::{GraphQuery, NamedProject, member};

/// Reads `NAME` or `NAME[EXTRA,…]`. Each project must be declared, and its declaration readable.
pub(super) fn named(
    query: &GraphQuery<'_>,
    texts: &[String],
) -> Result<Vec<NamedProject>, Failure> {
    let mut named = Vec::new();
    for text in texts {
        let one = query.parse_project(text)?;
        let project = member(query.repository, one.project.as_str())?;
        if !query.repository.declarations.contains_key(&project) {
            let message = format!("the declaration of `{project}` cannot be read");
            return Err(Failure::finding(message).help("`ipwhl check` shows the mistake"));
        }
        named.push(one);
    }
    Ok(named)
}

/// Writes a document to the file, or to standard output without one. A device or a pipe gets its
/// bytes, and a symbolic link stays: the file that it names is written.
pub(super) fn write_or_print(
    context: &Context<'_>,
    output: Option<&Path>,
    text: &str,
) -> Result<(), Failure> {
    let Some(file) = output else {
        return context.result(text.trim_end());
    };
    let text = format!("{}\n", text.trim_end());
    let place = context.absolute(file);
    let written = if is_device(&place) {
        let device = OpenOptions::new().write(true).open(&place);
        device.and_then(|mut device| device.write_all(text.as_bytes()))
    } else {
        link_target(&place).and_then(|place| AtomicFile::write_whole(&place, text.as_bytes()))
    };
    written.map_err(|error| unwritable(file, &error))
}
