//! Every declaration's file below a folder.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::LoadError;
use super::files::{Files, Kind};
use crate::declaration::Layout;
use crate::diagnostic::{Code, Finding, visible};

/// How many folders deep declarations may lie; `ipwhl-1` needs three.
const MAXIMUM_DEPTH: usize = 8;

/// Every `.toml` file below `folder`, named from the repository's folder. Hidden ones are left
/// alone: editors and this program keep half-written files under such names. In the layout `ipwhl-1` any other
/// file is a finding, as it was to the original's tools: it may be a wheel whose name is misspelt.
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
    for (entry, kind) in files.entries(folder)? {
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
                if Path::new(&entry).extension() == Some("toml".as_ref()) {
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
