//! A bundle: whether each of its files belongs to the release in it.

use std::path::Path;

use ipwhl_unixfs::Cid;

use super::super::context::Context;
use super::super::words::counted;
use crate::foundation::diagnostic::Code;
use crate::foundation::failure::Failure;
use crate::foundation::size::HumanBytes;
use crate::publish::{BundleReport, verify_bundle};

/// The number of wrong files that are listed without `-v`.
const NAMED: usize = 20;

/// Compares every file of a bundle with the release in it, and prints the result. Returns the root of
/// this release; `None` if the bundle contradicts it.
pub(super) fn compare(
    context: &Context<'_>,
    allow: &[Code],
    folder: &Path,
) -> Result<Option<Cid>, Failure> {
    let report = verify_bundle(folder, allow)?;
    if !report.contradictions.is_empty() {
        refuse(context, &report);
        return Ok(None);
    }
    context.say(&format!(
        "{}: {}: {}, {}, {}, {}: all belong to the release {}",
        context.shown(folder),
        subject(&report),
        counted(report.projects, "project"),
        counted(report.wheels, "wheel"),
        counted(report.files, "file"),
        HumanBytes(report.bytes),
        report.root
    ));
    Ok(Some(report.root))
}

fn refuse(context: &Context<'_>, report: &BundleReport) {
    let wrong = &report.contradictions;
    let named = if context.verbose > 0 {
        wrong.len()
    } else {
        NAMED
    };
    for contradiction in wrong.iter().take(named) {
        context.error(&contradiction.to_string());
    }
    if wrong.len() > named {
        context.error(&format!(
            "{} failed, too (`-v` lists them)",
            counted(wrong.len() - named, "more file")
        ));
    }
    context.help(
        "do not install from this bundle: it is damaged or altered; remove files that do not \
         belong to it, or get it again",
    );
}

/// What the bundle is for.
fn subject(report: &BundleReport) -> String {
    let list = |texts: &[String]| {
        let texts: Vec<String> = texts.iter().map(|text| format!("`{text}`")).collect();
        texts.join(", ")
    };
    let asked = &report.description;
    let projects = match asked.projects.as_slice() {
        [] => "the whole set".to_owned(),
        projects => list(projects),
    };
    match asked.platforms.as_slice() {
        [] => projects,
        platforms => format!("{projects} for {}", list(platforms)),
    }
}
