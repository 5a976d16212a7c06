//! Finds every declaration below a folder.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use ipwhl_packaging::ProjectName;
use rayon::prelude::*;

use super::LoadError;
use super::files::{Files, Kind};
use crate::foundation::diagnostic::{Code, Finding, visible};
use crate::set::declaration::Layout;

/// The maximum nesting depth of folders with declarations; `ipwhl-1` needs three.
const MAXIMUM_DEPTH: usize = 8;

/// Files for people beside declarations, by the start of the name or its ending.
const FOR_PEOPLE: [&[&str]; 2] = [
    &[
        "README",
        "LICENSE",
        "LICENCE",
        "COPYING",
        "NOTICE",
        "CODEOWNERS",
        "OWNERS",
    ],
    &["md", "rst", "txt", "adoc"],
];

/// Whether a file is for people, and not a declaration to whose name an editor added an ending.
fn is_for_people(entry: &str) -> bool {
    let [names, endings] = FOR_PEOPLE;
    let upper = entry.to_ascii_uppercase();
    let stem = upper.split('.').next().unwrap_or_default();
    let ending = Path::new(entry)
        .extension()
        .and_then(|ending| ending.to_str());
    names.contains(&stem)
        || (!upper.contains(".TOML")
            && ending.is_some_and(|ending| endings.contains(&ending.to_ascii_lowercase().as_str())))
}

/// Whether a file is the copy of a declaration beside it, as left by an editor or a merge:
/// `plum.toml~`, `plum.toml.orig`, `#plum.toml#`.
fn is_copy(entry: &str, beside: &BTreeSet<&str>) -> bool {
    let name = entry.trim_start_matches('#');
    let of = name.find(".toml").map(|end| &name[..end + ".toml".len()]);
    of.is_some_and(|of| of != entry && beside.contains(of))
}

/// `ignored-file`: a name that does not end with `.toml`.
fn ignored(folder: &str, entry: &str, beside: &BTreeSet<&str>) -> Finding {
    let stem = entry.split('.').next().unwrap_or_default();
    let right = format!("{stem}.toml");
    let project = stem.parse::<ProjectName>();
    let help = match &project {
        Ok(_) if !beside.contains(right.as_str()) => format!(
            "if it is a declaration, rename it to `{folder}/{right}`; if not, move it out of `{folder}`"
        ),
        Ok(_) => format!("`{folder}/{right}` exists: move this file out of `{folder}`"),
        Err(_) => format!(
            "if it is a declaration, rename it to `{folder}/PROJECT.toml`; if not, move it out of `{folder}`"
        ),
    };
    let file = format!("{folder}/{entry}");
    let message = format!("`{file}` is not read: its name does not end with `.toml`");
    let finding = Finding::new(Code::IgnoredFile, message)
        .at(&Arc::from(file), 0..0, "")
        .help(help);
    match project {
        Ok(project) => finding.project(&project),
        Err(_) => finding,
    }
}

/// Every `.toml` file below `folder`, named from the repository's folder. Hidden files are skipped,
/// because editors and this program keep half-written files under such names. Any other file is a
/// finding, unless its purpose is clear: it may be a declaration with a misspelled name. In the
/// layout `ipwhl-1` every other file is an error, as in the original's tools.
pub(super) fn walk(
    files: &impl Files,
    folder: &str,
    depth: usize,
    layout: Layout,
) -> Result<(Vec<String>, Vec<Finding>), LoadError> {
    if depth > MAXIMUM_DEPTH {
        return Err(LoadError::Unreadable(
            files.path(folder),
            io::Error::other(format!(
                "declarations may be at most {MAXIMUM_DEPTH} folders deep"
            )),
        ));
    }
    let (mut names, mut findings, mut folders) = (Vec::new(), Vec::new(), Vec::new());
    let entries = files.entries(folder)?;
    let beside: BTreeSet<&str> = entries.iter().map(|(entry, _)| entry.as_str()).collect();
    for (entry, kind) in &entries {
        let (entry, kind) = (entry.as_str(), *kind);
        if entry.starts_with('.') {
            continue;
        }
        let below = format!("{folder}/{entry}");
        // A terminal or a log would interpret some characters, and two names could look alike.
        let shown = visible(&below, &[]);
        if kind == Kind::Nameless || shown != below {
            let finding = Finding::new(
                Code::MisplacedDeclaration,
                format!("the name of `{shown}` has invisible characters or is not UTF-8"),
            )
            .at(&Arc::from(shown), 0..0, "")
            .help("rename it; it is not read");
            findings.push(finding);
            continue;
        }
        match kind {
            Kind::Folder => folders.push(below),
            Kind::File => {
                if Path::new(entry).extension() == Some("toml".as_ref()) {
                    names.push(below);
                } else if layout == Layout::Ipwhl1 {
                    let finding = Finding::new(
                        Code::MisplacedDeclaration,
                        format!(
                            "`{below}` is not a declaration: its name does not end with `.toml`"
                        ),
                    );
                    let finding = finding.at(&Arc::from(below), 0..0, "").help(format!(
                        "rename it to `NAME.toml`, or move it out of `{}`",
                        folder.split('/').next().unwrap_or(folder)
                    ));
                    findings.push(finding);
                } else if !is_for_people(entry) && !is_copy(entry, &beside) {
                    findings.push(ignored(folder, entry, &beside));
                }
            }
            Kind::Link | Kind::Other | Kind::Nameless => {
                let what = if kind == Kind::Link {
                    "a symbolic link"
                } else {
                    "not a regular file"
                };
                let finding = Finding::new(
                    Code::MisplacedDeclaration,
                    format!("`{below}` is {what}, but a declaration must be a file"),
                )
                .at(&Arc::from(below), 0..0, "")
                .help("replace it with the declaration itself; links are not followed");
                findings.push(finding);
            }
        }
    }
    let below: Vec<_> = folders
        .par_iter()
        .map(|folder| walk(files, folder, depth + 1, layout))
        .collect();
    for found in below {
        let (mut more_names, mut more_findings) = found?;
        names.append(&mut more_names);
        findings.append(&mut more_findings);
    }
    Ok((names, findings))
}
