//! `ipwhl migrate`: a repository of the layout `ipwhl-1` into the layout `package`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::exit::ExitStatus;
use super::report::{MessageFormat, show};
use super::words::counted;
use crate::foundation::diagnostic::shell_word;
use crate::foundation::failure::Failure;
use crate::set::declaration::{DeclaredWheel, Layout, Source};
use crate::set::migration::{
    Conflict, Leftovers, Migration, blocking_findings, conflicts, leftovers, original_settings,
    remove_leftovers, twins,
};
use crate::set::repository::{CONFIGURATION_FILE, LoadError, Repository};

/// Turn a repository of the layout `ipwhl-1` into one of today's
///
/// One file a project: what its wheels share is stated once, comments and content-ids stay. The
/// files of before go when all of the new ones are written. Several versions of a project come into
/// one file, where `ipwhl check` points at them. What a run that was ended has left to do, the next
/// one does.
///
/// Example: ipwhl migrate --dry-run
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Write to this folder, and leave the repository as it is
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Write nothing: print the names of the files that would be written
    #[arg(long)]
    dry_run: bool,
    /// The repository's name, where it has no `ipwhl.toml`
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let repository = load(context, arguments)?;
    if repository.configuration.layout == Layout::Package && !repository.has_configuration_errors()
    {
        let only_looks = arguments.dry_run || arguments.output.is_some();
        finish(context, &repository, only_looks)?;
        return Ok(ExitStatus::Clean);
    }
    let blocking = blocking_findings(&repository);
    if !blocking.is_empty() {
        show(context, &repository, &blocking, MessageFormat::Text)?;
        return Err(Failure::finding(format!(
            "{} in the way, and nothing is written",
            match blocking.len() {
                1 => "1 finding stands".to_owned(),
                many => format!("{many} findings stand"),
            }
        ))
        .help("mend what they say, then run `ipwhl migrate` again"));
    }
    let twins = twins(&repository);
    refuse_conflicts(context, &conflicts(&twins))?;
    let output = arguments.output.as_ref();
    let plan = Migration::plan(&repository, output.map(|output| context.absolute(output)))?;
    plan.check_unoccupied()?;
    warn(context, &repository, arguments);
    for twin in &twins {
        let (last, others) = (twin[twin.len() - 1], &twin[..twin.len() - 1]);
        context.say(&format!(
            "note: `{}` is declared alike in {} and `{}`, which become one",
            last.file_name,
            files(others),
            last.file
        ));
    }
    if arguments.dry_run {
        for name in plan.declarations.keys() {
            context.result(name)?;
        }
        context.result(CONFIGURATION_FILE)?;
    } else {
        plan.write()?;
    }
    context.say(&format!(
        "{} {} into {} in `{}`",
        if arguments.dry_run {
            "would turn"
        } else {
            "turned"
        },
        counted(plan.former.len(), "declaration"),
        counted(plan.declarations.len(), "file"),
        context.shown(&plan.directory.join(&plan.folder))
    ));
    if !arguments.dry_run {
        plan.remove_former(&repository)?;
    }
    Ok(ExitStatus::Clean)
}

fn load(context: &Context<'_>, arguments: &Arguments) -> Result<Repository, Failure> {
    let world = |error: LoadError| Failure::world(&error);
    let found = context
        .repository_directory()
        .and_then(|directory| Repository::load(&directory));
    match (found, &arguments.name) {
        (Err(LoadError::Original(directory)), Some(name)) => {
            Repository::load_with(&directory, &original_settings(name)).map_err(world)
        }
        (Err(LoadError::Original(directory)), None) => Err(Failure::usage(format!(
            "`{}` is a repository of the original, and has no name yet",
            directory.display()
        ))
        .help("give it one, which goes into each signed statement: `ipwhl migrate --name NAME`")),
        (Ok(_), Some(_)) => Err(Failure::usage(format!(
            "`--name` is for a repository without `{CONFIGURATION_FILE}`, and this one has a name"
        ))),
        (found, _) => found.map_err(world),
    }
}

/// Says which wheels are declared in ways that do not agree: a person has to choose.
fn refuse_conflicts(context: &Context<'_>, conflicts: &[Conflict]) -> Result<(), Failure> {
    for conflict in conflicts {
        let keys: Vec<String> = conflict.keys.iter().map(|key| format!("`{key}`")).collect();
        let files: Vec<String> = conflict
            .files
            .iter()
            .map(|file| format!("`{file}`"))
            .collect();
        context.error(&format!(
            "`{}` is declared with different {} in {}",
            conflict.file_name,
            keys.join(", "),
            files.join(", ")
        ));
    }
    match conflicts.len() {
        0 => Ok(()),
        count => Err(Failure::finding(format!(
            "{} declared in several files that do not agree, and nothing is written",
            match count {
                1 => "1 wheel is".to_owned(),
                many => format!("{many} wheels are"),
            }
        ))
        .help("keep one file of each, then run `ipwhl migrate` again")),
    }
}

/// Removes what an earlier run has left, if it may go, and says so.
fn finish(context: &Context<'_>, repository: &Repository, only_looks: bool) -> Result<(), Failure> {
    let (names, files) = match leftovers(repository) {
        Leftovers::None => {
            context.say("the repository has the layout `package` already: there is nothing to do");
            return Ok(());
        }
        Leftovers::Kept(left, reason) => {
            let names = left.join("` and `");
            context.say(&format!(
                "the repository has the layout `package` already, where `{names}` play no part; they stay, because {reason}"
            ));
            context.help(&format!(
                "where nothing of it is needed any more: `rm -r {}`",
                left.iter()
                    .map(|name| shell_word(&context.shown(&repository.directory.join(name))))
                    .collect::<Vec<_>>()
                    .join(" ")
            ));
            return Ok(());
        }
        Leftovers::Removable(left, files) => (left, files),
    };
    let shown = names.join("` and `");
    if only_looks {
        context.say(&format!(
            "would remove `{shown}`, which an earlier run has left: all that they say is in the layout `package`"
        ));
        return Ok(());
    }
    remove_leftovers(repository, &names, &files)?;
    context.say(&format!(
        "removed `{shown}` ({}), which an earlier run has left: all that they say is in the layout `package`",
        counted(files.len(), "file")
    ));
    Ok(())
}

/// The files of these declarations: `` `a`, `b` ``.
fn files(wheels: &[&DeclaredWheel]) -> String {
    let files: Vec<String> = wheels
        .iter()
        .map(|wheel| format!("`{}`", wheel.file))
        .collect();
    files.join(", ")
}

/// What a person should know, though nothing is lost by it.
fn warn(context: &Context<'_>, repository: &Repository, arguments: &Arguments) {
    let mut has_files = false;
    for declaration in repository.declarations.values() {
        let versions: BTreeSet<String> = declaration
            .wheels
            .iter()
            .map(|wheel| wheel.file_name.version().to_string())
            .collect();
        if versions.len() > 1 {
            context.warning(&format!(
                "`{}` has the versions {}: they come into one file, and one has to be chosen",
                declaration.project,
                versions.into_iter().collect::<Vec<_>>().join(", ")
            ));
        }
        for wheel in &declaration.wheels {
            if wheel.tags() != wheel.file_name.tags() {
                context.warning(&format!(
                    "`{}` was known by the tags of `{}`, and is known by its own name from now on",
                    wheel.file_name, wheel.file
                ));
            }
            has_files |= wheel
                .sources
                .iter()
                .any(|source| matches!(source.value, Source::File(_)));
        }
    }
    if has_files && arguments.output.is_some() {
        context.warning("`file:` sources lead into the repository's folder: copy these wheels too");
    }
}
