//! Every declaration's file below a folder.

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

/// How many folders deep declarations may lie; `ipwhl-1` needs three.
const MAXIMUM_DEPTH: usize = 8;

/// What stands beside declarations for people to read, by the start of its name or its ending.
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

/// Whether a file is one for people, and no declaration whose name an editor gave a further ending.
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

/// Whether a file is the copy of a declaration beside it, as editors and merges leave them:
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
            "if it is a declaration, name it `{folder}/{right}`; if not, move it out of `{folder}`"
        ),
        Ok(_) => format!("`{folder}/{right}` is there: move this file out of `{folder}`"),
        Err(_) => format!(
            "if it is a declaration, name it `{folder}/PROJECT.toml`; if not, move it out of `{folder}`"
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

/// Every `.toml` file below `folder`, named from the repository's folder. Hidden ones are left
/// alone: editors and this program keep half-written files under such names. Any other file is a
/// finding, unless it is plain what it is: it may be a declaration whose name is misspelt. In the
/// layout `ipwhl-1` each is one, and an error, as it was to the original's tools.
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
                "declarations lie at most {MAXIMUM_DEPTH} folders deep"
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
        // A terminal and a log would obey some signs, and two names could look alike.
        let shown = visible(&below, &[]);
        if kind == Kind::Nameless || shown != below {
            let finding = Finding::new(
                Code::MisplacedDeclaration,
                format!(
                    "`{shown}` has a name with signs that cannot be seen, or that is not UTF-8"
                ),
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
                        format!("`{below}` is no declaration: its name does not end with `.toml`"),
                    );
                    let finding = finding.at(&Arc::from(below), 0..0, "").help(format!(
                        "name it as a declaration, or move it out of `{}`",
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
                    "no regular file"
                };
                let finding = Finding::new(
                    Code::MisplacedDeclaration,
                    format!("`{below}` is {what}, and a declaration is a file"),
                )
                .at(&Arc::from(below), 0..0, "")
                .help("put the declaration itself there; what a link leads to is not read");
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
