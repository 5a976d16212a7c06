//! `ipwhl lock`: lock files for installers.

use clap::Args;

use super::context::Context;
use super::exit::ExitStatus;
use super::query::note_findings;
use crate::foundation::failure::Failure;
use crate::set::declaration::DeclaredWheel;
use crate::set::graph::GraphQuery;
use crate::set::lock::{Part, Places, Pylock, Root};

/// Write a lock file that installs parts of the set
///
/// Example: ipwhl lock flask
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The projects to lock: `NAME` or `NAME[EXTRA,…]`; without names, each project is an extra of
    /// the lock file
    #[arg(value_name = "NAME")]
    projects: Vec<String>,
    /// The address of the release, below which the wheels are; without it, paths relative to the
    /// lock file
    #[arg(long, value_name = "URL")]
    base: Option<String>,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let repository = context.repository()?;
    let query = GraphQuery::new(&repository, &[])?;
    note_findings(context, &query);
    let mut named = Vec::new();
    for text in &arguments.projects {
        named.push(query.parse_project(text)?);
    }
    let mut roots = Vec::new();
    for one in &named {
        if let Some(project) = query.project(&one.project) {
            let extras = one.extras.iter().map(Some);
            roots.extend(
                std::iter::once(None)
                    .chain(extras)
                    .map(|extra| Root { project, extra }),
            );
        }
    }
    let digest = |wheel: &DeclaredWheel| {
        let size = wheel.size.as_ref()?.value;
        Some((size, wheel.sha256.as_ref()?.value))
    };
    let pylock = Pylock {
        graph: &query.graph,
        part: if roots.is_empty() {
            Part::Each
        } else {
            Part::Together(roots)
        },
        places: match &arguments.base {
            None => Places::Beside,
            Some(base) => Places::Below(format!("{}/", base.trim_end_matches('/'))),
        },
        digest: &digest,
    };
    let text = pylock.text().map_err(Failure::finding)?;
    context.result(text.trim_end())?;
    Ok(ExitStatus::Clean)
}
