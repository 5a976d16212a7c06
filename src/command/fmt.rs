//! `ipwhl fmt`: formats declarations.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use similar::TextDiff;

use super::context::Context;
use super::exit::ExitStatus;
use super::words::counted;
use crate::foundation::diagnostic::{Finding, SourceText, SourceTexts, render, sort};
use crate::foundation::failure::{Failure, unwritable, way_out};
use crate::set::declaration::Layout;
use crate::set::repository::{
    CONFIGURATION_FILE, CanonicalForm, DeclarationFile, LoadError, Repository,
};

/// Format declarations
///
/// Writes the canonical form: keys in one order, wheels sorted by file name, requirements in one
/// spelling. Comments are kept, and the meaning does not change. A file that is not valid TOML is
/// reported as a finding; the other files are still formatted.
///
/// Example: ipwhl fmt --check
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Declarations or folders with declarations [default: all declarations of the repository]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write nothing; print the names of files that are not formatted, and exit with 1 if there are
    /// any
    #[arg(long)]
    check: bool,
    /// Like `--check`, but print the changes as a diff
    #[arg(long)]
    diff: bool,
}

/// The outcome of a run.
#[derive(Default)]
struct Outcome {
    texts: SourceTexts,
    findings: Vec<Finding>,
    /// Files that are canonical now, or would be.
    changed: usize,
    /// Files that were canonical already.
    canonical: usize,
    /// Files that cannot be read or written.
    failures: Vec<String>,
    /// What would let files be written.
    ways_out: BTreeSet<&'static str>,
    /// Files whose canonical form would have another meaning.
    unfaithful: Vec<String>,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let repository = match context.repository_directory() {
        Ok(directory) if arguments.files.is_empty() => Some(Repository::load(&directory)),
        Ok(directory) => Some(Repository::load_configuration(&directory)),
        // Named files need no repository.
        Err(LoadError::NotFound(_)) if !arguments.files.is_empty() => None,
        Err(error) => return Err(Failure::world(&error)),
    }
    .transpose()
    .map_err(|error| Failure::world(&error))?;
    if repository
        .as_ref()
        .is_some_and(Repository::has_configuration_errors)
    {
        return Err(Failure::finding(format!(
            "`{CONFIGURATION_FILE}` has mistakes, so the layout of the declarations is unknown"
        ))
        .help("`ipwhl check` shows the mistakes"));
    }
    let layout = repository.as_ref().map_or(Layout::Package, |repository| {
        repository.configuration.layout
    });
    let files = match &repository {
        Some(repository) if arguments.files.is_empty() => DeclarationFile::all(repository),
        _ => DeclarationFile::named(context.environment, repository.as_ref(), &arguments.files)?,
    };
    let mut outcome = Outcome::default();
    for file in &files {
        format(context, arguments, layout, file, &mut outcome)?;
    }
    Ok(tell(context, arguments, files.len(), outcome))
}

fn format(
    context: &Context<'_>,
    arguments: &Arguments,
    layout: Layout,
    file: &DeclarationFile,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    match file.canonical_form(layout) {
        Err(error) => outcome.failures.push(error.to_string()),
        Ok(CanonicalForm::Same) => outcome.canonical += 1,
        Ok(CanonicalForm::Differs { text, canonical }) => {
            outcome.changed += 1;
            if arguments.diff {
                context.result(diff(&file.name, &text, &canonical).trim_end_matches('\n'))?;
            } else if arguments.check {
                context.result(&context.shown(&file.path))?;
            } else if let Err(error) = file.write(&canonical) {
                outcome.changed -= 1;
                outcome.failures.push(unwritable(&file.path, &error).message);
                outcome.ways_out.insert(
                    way_out(&error).unwrap_or("run the same command again when the cause is fixed"),
                );
            } else {
                context.detail(&format!("formatted {}", context.shown(&file.path)));
            }
        }
        Ok(CanonicalForm::Syntax { text, findings }) => {
            outcome.findings.extend(findings);
            outcome
                .texts
                .insert(Arc::clone(&file.name), SourceText::new(text));
        }
        Ok(CanonicalForm::Unfaithful(what)) => outcome.unfaithful.push(format!(
            "`{}` was not changed, because formatting it would lose {what}: this is a bug in ipwhl, \
             please report it",
            file.path.display()
        )),
    }
    Ok(())
}

/// The maximum number of differing lines for a comparison line by line, whose cost grows with the
/// number of pairs.
const MOST_COMPARED: usize = 2_000;

/// The changes as `git apply` reads them, except hidden characters. In a long text, everything
/// between the first and the last changed line is replaced.
fn diff(name: &str, old: &str, new: &str) -> String {
    let (before, after): (Vec<&str>, Vec<&str>) = (
        old.split_inclusive('\n').collect(),
        new.split_inclusive('\n').collect(),
    );
    let pairs = before.iter().zip(&after);
    let start = pairs.take_while(|(old, new)| old == new).count();
    let pairs = before[start..]
        .iter()
        .rev()
        .zip(after[start..].iter().rev());
    let end = pairs.take_while(|(old, new)| old == new).count();
    let (removed, added) = (
        &before[start..before.len() - end],
        &after[start..after.len() - end],
    );
    if removed.len().max(added.len()) <= MOST_COMPARED {
        return TextDiff::from_lines(old, new)
            .unified_diff()
            .header(&format!("a/{name}"), &format!("b/{name}"))
            .to_string();
    }
    let place = |lines: &[&str]| {
        // For an empty range, a diff names the line before it.
        format!("{},{}", start + usize::from(!lines.is_empty()), lines.len())
    };
    let mut text = format!(
        "--- a/{name}\n+++ b/{name}\n@@ -{} +{} @@\n",
        place(removed),
        place(added)
    );
    for (sign, lines) in [('-', removed), ('+', added)] {
        for line in lines {
            text.push(sign);
            text += line;
            if !line.ends_with('\n') {
                text += "\n\\ No newline at end of file\n";
            }
        }
    }
    text
}

fn tell(
    context: &Context<'_>,
    arguments: &Arguments,
    files: usize,
    mut outcome: Outcome,
) -> ExitStatus {
    sort(&mut outcome.findings);
    let style = context.style(false);
    for finding in &outcome.findings {
        context.tell(render(finding, &outcome.texts, style).line());
    }
    for message in outcome.unfaithful.iter().chain(&outcome.failures) {
        context.error(message);
    }
    for way_out in &outcome.ways_out {
        context.help(&format!("the files named above are unchanged; {way_out}"));
    }
    let only_looks = arguments.check || arguments.diff;
    let changed = outcome.changed;
    let is = if changed == 1 { "is" } else { "are" };
    let declarations = counted(files, "declaration");
    context.say(&match (only_looks, changed) {
        (_, 0) if outcome.canonical == files => format!("{declarations}: all formatted"),
        (true, _) => format!("{changed} of {declarations} {is} not formatted"),
        (false, _) => format!("formatted {changed} of {declarations}"),
    });
    if only_looks && changed > 0 {
        context.help("`ipwhl fmt` formats them");
    }
    if !outcome.failures.is_empty() || !outcome.unfaithful.is_empty() {
        ExitStatus::World
    } else if !outcome.findings.is_empty() || (only_looks && changed > 0) {
        ExitStatus::Findings
    } else {
        ExitStatus::Clean
    }
}
