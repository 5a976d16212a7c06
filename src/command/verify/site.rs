//! The newest release of a site: its signatures and every file that the web server provides.

use super::super::context::Context;
use super::super::exit::ExitStatus;
use super::super::vouch::{TrustArguments, start, vouch};
use super::super::words::counted;
use crate::foundation::diagnostic::Code;
use crate::foundation::failure::Failure;
use crate::foundation::size::HumanBytes;
use crate::publish::{ALTERED, SiteReport, verify_site};
use crate::release::names::{FILE_LIST, STATEMENT};
use crate::release::statement::folder::statement_path;
use crate::release::statement::{OpenSite, Statement};

/// The number of wrong files and of unreachable files that are listed without `-v`.
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
            "`{}` does not exist: this site was not written by a target of the kind `directory`",
            open.site.shown(&statement_path(sequence, STATEMENT))
        ))
        .help("download the release with `ipwhl fetch`, then verify its archive"));
    }
    let hollow = open
        .runtime
        .block_on(crate::publish::read_hollow(&open.site, sequence, &root));
    let hollow = hollow.map_err(|error| error.failure())?;
    let report = verify_site(&context.session, &open.site, &newest.signed, &hollow, allow)?;
    finish(context, open, &statement, &report)
}

/// Prints the result.
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
                "{} failed, too (`-v` lists them)",
                counted(wrong.len() - named, "more file")
            ));
        }
    }
    if !differing.is_empty() {
        context.help(ALTERED);
        return Ok(ExitStatus::Findings);
    }
    if !unreachable.is_empty() {
        context.help("run the same command again when the site answers");
        return Ok(ExitStatus::World);
    }
    context.say(&format!(
        "{}: sequence {}, {}, {}: all files and `{FILE_LIST}` match the signed root",
        open.site.shown(""),
        statement.sequence,
        counted(report.files, "file"),
        HumanBytes(report.bytes)
    ));
    context.result(&statement.root.to_string())?;
    Ok(ExitStatus::Clean)
}
