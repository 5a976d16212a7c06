//! The newest release of a site: who vouches for it, and every file of it as a web server gives it.

use super::super::context::Context;
use super::super::exit::ExitStatus;
use super::super::vouch::{TrustArguments, start, vouch};
use super::super::words::counted;
use crate::foundation::diagnostic::Code;
use crate::foundation::failure::Failure;
use crate::foundation::size::HumanBytes;
use crate::publish::{SiteReport, verify_site};
use crate::release::names::{FILE_LIST, STATEMENT};
use crate::release::statement::folder::statement_path;
use crate::release::statement::{OpenSite, Statement};

/// How many things that are wrong are named, each kind by itself.
const NAMED: usize = 20;

/// Verifies the newest release of a site. No file is kept.
pub(super) fn run(
    context: &Context<'_>,
    trust: &TrustArguments,
    allow: &[Code],
    open: &mut OpenSite,
) -> Result<ExitStatus, Failure> {
    let start = start(context, trust)?;
    let newest = open.newest(&start.keys())?;
    let open = &*open;
    let statement = newest.signed.statement.clone();
    let (root, sequence) = (statement.root, statement.sequence);
    vouch(
        context,
        &newest.place,
        newest.signed.clone(),
        start,
        &mut |known| open.after(known, &statement),
    )?;
    if !newest.has_folders {
        return Err(Failure::finding(format!(
            "`{}` is not there: this is no site of a target of the kind `directory`",
            open.site.shown(&statement_path(sequence, STATEMENT))
        ))
        .help("`ipwhl fetch` brings the release here, and then its archive can be verified"));
    }
    let hollow = open
        .runtime
        .block_on(crate::publish::read_hollow(&open.site, sequence, &root));
    let hollow = hollow.map_err(|error| error.failure())?;
    let report = verify_site(&context.session, &open.site, &newest.signed, &hollow, allow)?;
    finish(context, open, &statement, &report)
}

/// Says what was found.
fn finish(
    context: &Context<'_>,
    open: &OpenSite,
    statement: &Statement,
    report: &SiteReport,
) -> Result<ExitStatus, Failure> {
    let differing: Vec<String> = report.differing.iter().map(ToString::to_string).collect();
    let unreachable: Vec<String> = report.unreachable.iter().map(ToString::to_string).collect();
    for wrong in [&differing, &unreachable] {
        let named = if context.verbose > 0 {
            wrong.len()
        } else {
            NAMED
        };
        for line in wrong.iter().take(named) {
            context.error(line);
        }
        if wrong.len() > named {
            context.error(&format!(
                "{} more are not as they should be (`-v` names them)",
                counted(wrong.len() - named, "file")
            ));
        }
    }
    if !differing.is_empty() {
        return Ok(ExitStatus::Findings);
    }
    if !unreachable.is_empty() {
        return Ok(ExitStatus::World);
    }
    context.say(&format!(
        "{}: sequence {}, {}, {}: all as the signed root says, and so is `{FILE_LIST}`",
        open.site.shown(""),
        statement.sequence,
        counted(report.files, "file"),
        HumanBytes(report.bytes)
    ));
    context.result(&statement.root.to_string())?;
    Ok(ExitStatus::Clean)
}
