//! `ipwhl migrate`: converts a repository from the layout `ipwhl-1` to the layout `package`, or
//! from format 1 to format 2.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::exit::ExitStatus;
use super::report::{MessageFormat, show};
use super::words::counted;
use crate::foundation::diagnostic::{SourceText, shell_word};
use crate::foundation::environment::AtomicFile;
use crate::foundation::failure::Failure;
use crate::set::declaration::{DeclaredWheel, FormatVersion, Layout, Source};
use crate::set::migration::{
    Conflict, Leftovers, Migration, blocking_findings, conflicts, leftovers, original_settings,
    remove_leftovers, settings_in_format, twins,
};
use crate::set::repository::{CONFIGURATION_FILE, LoadError, Repository};

/// Convert a repository from the layout `ipwhl-1` to the layout `package`
///
/// Writes one file for each project. Values that its wheels share are stated once; comments and
/// content-ids are kept. The old files are removed after all new ones are written. If a project has
/// several versions, they go into one file, and `ipwhl check` reports them. After an interruption,
/// run the same command again: it finishes the work.
///
/// With `--format`, only the format of a repository of the layout `package` changes: one line of
/// `ipwhl.toml`.
///
/// Example: ipwhl migrate --dry-run
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Write to this folder and do not change the repository
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Write nothing; print the names of the files that would be written
    #[arg(long)]
    dry_run: bool,
    /// The repository's name, if it has no `ipwhl.toml`
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Change `format` in `ipwhl.toml` to this version, and nothing else
    #[arg(long, value_name = "VERSION", value_parser = version, conflicts_with_all = ["output", "name"])]
    format: Option<FormatVersion>,
}

fn version(text: &str) -> Result<FormatVersion, String> {
    let version = text.parse().ok().and_then(FormatVersion::from_number);
    version.ok_or_else(|| format!("the newest format is {}", FormatVersion::NEWEST))
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let repository = load(context, arguments)?;
    if let Some(format) = arguments.format {
        return change_format(context, &repository, format, arguments.dry_run);
    }
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
            "{} the migration, and nothing is written",
            match blocking.len() {
                1 => "1 finding blocks".to_owned(),
                many => format!("{many} findings block"),
            }
        ))
        .help("fix the findings, then run `ipwhl migrate` again"));
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
            "note: `{}` has the same declaration in {} and `{}`; they become one",
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
            "would convert"
        } else {
            "converted"
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

/// Writes another version of the formats into `ipwhl.toml`.
fn change_format(
    context: &Context<'_>,
    repository: &Repository,
    format: FormatVersion,
    only_looks: bool,
) -> Result<ExitStatus, Failure> {
    let configuration = &repository.configuration;
    if configuration.layout != Layout::Package {
        return Err(Failure::usage("the layout `ipwhl-1` has one format only")
            .help("convert the repository first: `ipwhl migrate`, then run this command again"));
    }
    let text = repository.texts.get(&repository.configuration_file());
    let text = text.map_or("", SourceText::as_str);
    if configuration.format == format && !repository.has_configuration_errors() {
        context.say(&format!(
            "the repository already has the format {format}: there is nothing to do"
        ));
        return Ok(ExitStatus::Clean);
    }
    if configuration.format > format {
        return Err(Failure::usage(format!(
            "the repository has the format {}, and this command leads to newer formats only",
            configuration.format
        ))
        .help("to go back, remove the keys of the newer format, and change `format` by hand"));
    }
    let changed = settings_in_format(text, format).ok_or_else(|| {
        Failure::finding(format!(
            "`{CONFIGURATION_FILE}` does not state a known `format`, and nothing is written"
        ))
        .help("fix what `ipwhl check` reports, then run the same command again")
    })?;
    let shown = format!(
        "`{CONFIGURATION_FILE}` from format {} to format {format}",
        configuration.format
    );
    if only_looks {
        context.result(CONFIGURATION_FILE)?;
        context.say(&format!("would change {shown}"));
    } else {
        let path = repository.directory.join(CONFIGURATION_FILE);
        AtomicFile::write_whole(&path, changed.as_bytes()).map_err(|error| {
            Failure::world(format!("`{}` cannot be written: {error}", path.display()))
        })?;
        context.say(&format!("changed {shown}"));
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
            "`{}` is a repository of the layout `ipwhl-1` and has no name yet",
            directory.display()
        ))
        .help("name it: `ipwhl migrate --name NAME`; each signed statement contains the name")),
        (Ok(_), Some(_)) => Err(Failure::usage(format!(
            "`--name` is for a repository without `{CONFIGURATION_FILE}`, and this one has that file"
        ))),
        (found, _) => found.map_err(world),
    }
}

/// Refuses wheels that are declared in several ways, and names them. A person has to choose.
fn refuse_conflicts(context: &Context<'_>, conflicts: &[Conflict]) -> Result<(), Failure> {
    for conflict in conflicts {
        let keys: Vec<String> = conflict.keys.iter().map(|key| format!("`{key}`")).collect();
        let files: Vec<String> = conflict
            .files
            .iter()
            .map(|file| format!("`{file}`"))
            .collect();
        context.error(&format!(
            "`{}` is declared with different values of {} in {}",
            conflict.file_name,
            keys.join(", "),
            files.join(", ")
        ));
    }
    match conflicts.len() {
        0 => Ok(()),
        count => Err(Failure::finding(format!(
            "{} in several files that contradict each other, and nothing is written",
            match count {
                1 => "1 wheel is declared".to_owned(),
                many => format!("{many} wheels are declared"),
            }
        ))
        .help("keep one file for each wheel, then run `ipwhl migrate` again")),
    }
}

/// Removes the files that an interrupted run left, if they may be removed.
fn finish(context: &Context<'_>, repository: &Repository, only_looks: bool) -> Result<(), Failure> {
    let (names, files) = match leftovers(repository) {
        Leftovers::None => {
            context.say("the repository already has the layout `package`: there is nothing to do");
            return Ok(());
        }
        Leftovers::Kept(left, reason) => {
            let names = left.join("` and `");
            context.say(&format!(
                "the repository already has the layout `package`, which does not use `{names}`; \
                 they are kept, because {reason}"
            ));
            context.help(&format!(
                "to remove them if you do not need them: `rm -r {}`",
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
            "would remove `{shown}`, left by an earlier run: the new declarations contain all of it"
        ));
        return Ok(());
    }
    remove_leftovers(repository, &names, &files)?;
    context.say(&format!(
        "removed `{shown}` ({}), left by an earlier run: the new declarations contain all of it",
        counted(files.len(), "file")
    ));
    Ok(())
}

/// The files of these declarations, as `` `a`, `b` ``.
fn files(wheels: &[&DeclaredWheel]) -> String {
    let files: Vec<String> = wheels
        .iter()
        .map(|wheel| format!("`{}`", wheel.file))
        .collect();
    files.join(", ")
}

/// Warns of changes that a person should know. None of them loses data.
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
                "`{}` has the versions {}: they go into one file, and you have to choose one",
                declaration.project,
                versions.into_iter().collect::<Vec<_>>().join(", ")
            ));
        }
        for wheel in &declaration.wheels {
            if wheel.tags() != wheel.file_name.tags() {
                context.warning(&format!(
                    "`{}` was published with the tags of `{}`; from now on it has its own file name",
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
        context.warning(
            "`file:` sources are relative to the repository's folder: copy these wheels too",
        );
    }
}
