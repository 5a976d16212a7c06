//! `ipwhl migrate`: a repository of the layout `ipwhl-1` into the layout `package`.

mod rest;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::context::Context;
use super::exit::ExitStatus;
use super::report::{MessageFormat, show};
use super::words::counted;
use crate::foundation::diagnostic::{Finding, Severity, sort};
use crate::foundation::environment::AtomicFile;
use crate::foundation::failure::Failure;
use crate::set::declaration::{
    Declaration, DeclaredWheel, Layout, Source, Unformatted, differing_keys, merged,
};
use crate::set::repository::{
    CONFIGURATION_FILE, LoadError, Repository, SUPPORTED_FILE, original_settings, package_settings,
};

/// Turn a repository of the layout `ipwhl-1` into one of today's
///
/// One file a project: what its wheels share is stated once, comments and content-ids stay. The
/// files of before go when all of the new ones are written. Several versions of a project come into one
/// file, where `ipwhl check` points at them. What a run that was ended has left to do, the next one does.
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

/// What there is to write and to take away.
struct Plan {
    /// Where the new repository is.
    directory: PathBuf,
    /// The folder of its declarations.
    folder: String,
    /// The new declarations, by their names from the repository's folder.
    declarations: BTreeMap<String, String>,
    settings: String,
    /// The files that the new ones stand for.
    former: Vec<PathBuf>,
    /// Whether the new repository takes the place of the old one.
    in_place: bool,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let repository = load(context, arguments)?;
    if repository.configuration.layout == Layout::Package && !repository.has_configuration_errors()
    {
        let only_looks = arguments.dry_run || arguments.output.is_some();
        rest::finish(context, &repository, only_looks)?;
        return Ok(ExitStatus::Clean);
    }
    let blocking = blocking(&repository);
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
    refuse_conflicts(context, &twins)?;
    let plan = plan(context, &repository, arguments)?;
    unoccupied(&plan)?;
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
        write(&plan)?;
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
    if !arguments.dry_run && plan.in_place {
        for path in &plan.former {
            remove(path, &repository.directory)?;
        }
        remove(
            &repository.directory.join(SUPPORTED_FILE),
            &repository.directory,
        )?;
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

/// The findings that leave it open what is declared, so that something could be lost.
fn blocking(repository: &Repository) -> Vec<Finding> {
    let understood: BTreeSet<&Arc<str>> = repository
        .declarations
        .values()
        .flat_map(|declaration| &declaration.wheels)
        .map(|wheel| &wheel.file)
        .collect();
    let mut blocking: Vec<Finding> = repository
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .filter(|finding| {
            let place = finding.labels.first();
            place.is_none_or(|label| !understood.contains(&label.file))
        })
        .cloned()
        .collect();
    sort(&mut blocking);
    blocking
}

/// The wheels that are declared more than once, each with its declarations.
fn twins(repository: &Repository) -> Vec<Vec<&DeclaredWheel>> {
    let mut twins = Vec::new();
    for declaration in repository.declarations.values() {
        let mut by_name: BTreeMap<&str, Vec<&DeclaredWheel>> = BTreeMap::new();
        for wheel in &declaration.wheels {
            let name = wheel.file_name.as_str();
            by_name.entry(name).or_default().push(wheel);
        }
        twins.extend(by_name.into_values().filter(|all| all.len() > 1));
    }
    twins
}

/// Tells of all wheels whose declarations say different things: a person has to choose.
fn refuse_conflicts(context: &Context<'_>, twins: &[Vec<&DeclaredWheel>]) -> Result<(), Failure> {
    let mut conflicts = 0;
    for twin in twins {
        let (first, others) = (twin[0], &twin[1..]);
        let keys: BTreeSet<&str> = others
            .iter()
            .flat_map(|other| differing_keys(first, other))
            .collect();
        if keys.is_empty() {
            continue;
        }
        conflicts += 1;
        let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
        context.error(&format!(
            "`{}` is declared with different {} in {}",
            first.file_name,
            keys.join(", "),
            files(twin)
        ));
    }
    match conflicts {
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

/// The files of these declarations: `` `a`, `b` ``.
fn files(wheels: &[&DeclaredWheel]) -> String {
    let files: Vec<String> = wheels
        .iter()
        .map(|wheel| format!("`{}`", wheel.file))
        .collect();
    files.join(", ")
}

fn plan(
    context: &Context<'_>,
    repository: &Repository,
    arguments: &Arguments,
) -> Result<Plan, Failure> {
    let configuration = &repository.configuration;
    // Beside the files of before, not among them.
    let is_taken = configuration.declarations.split('/').next() == Some("declarations");
    let folder = if is_taken { "packages" } else { "declarations" };
    let mut declarations = BTreeMap::new();
    let mut former = Vec::new();
    for (project, declaration) in &repository.declarations {
        declarations.insert(
            format!("{folder}/{project}.toml"),
            one_file(repository, declaration)?,
        );
        let files = declaration.wheels.iter();
        former.extend(files.map(|wheel| repository.directory.join(&*wheel.file)));
    }
    let text = &repository.texts[&repository.configuration_file()];
    let settings = package_settings(text.as_str(), configuration, folder).ok_or_else(|| {
        Failure::finding(format!("`{CONFIGURATION_FILE}` cannot be written again"))
    })?;
    let directory = match &arguments.output {
        Some(output) => context.absolute(output),
        None => repository.directory.clone(),
    };
    let in_place = directory == repository.directory
        || same_file::is_same_file(&directory, &repository.directory).unwrap_or(false);
    Ok(Plan {
        in_place,
        directory,
        folder: folder.to_owned(),
        declarations,
        settings,
        former,
    })
}

/// The declaration of a project's wheels in one file.
fn one_file(repository: &Repository, declaration: &Declaration) -> Result<String, Failure> {
    let texts: Vec<(Arc<str>, &str)> = declaration
        .wheels
        .iter()
        .map(|wheel| {
            let text = repository.texts[&wheel.file].as_str();
            (Arc::clone(&wheel.file), text)
        })
        .collect();
    merged(&texts).map_err(|error| match error {
        Unformatted::Syntax(findings) => Failure::finding(findings.first().map_or_else(
            || format!("`{}` cannot be read", declaration.project),
            |finding| format!("{}: {}", declaration.project, finding.message),
        )),
        Unformatted::Unfaithful(what) => Failure::world(format!(
            "the file of `{}` would lose {what}, and nothing is written: this is a mistake of ipwhl, please report it",
            declaration.project
        )),
    })
}

/// Refuses to write over, or beside, what another has written.
fn unoccupied(plan: &Plan) -> Result<(), Failure> {
    let folder = plan.directory.join(&plan.folder);
    let unreadable = |error: io::Error| Failure::world(format!("`{}`: {error}", folder.display()));
    // A link would decide where the files go.
    let entries = match fs::symlink_metadata(&folder) {
        Ok(there) if there.is_dir() => Some(fs::read_dir(&folder).map_err(unreadable)?),
        Ok(_) => {
            return Err(unreadable(io::Error::other("it is no folder")));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(unreadable(error)),
    };
    for entry in entries.into_iter().flatten() {
        let name = entry.map_err(unreadable)?.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        // What a run that was ended early has written is the same now.
        let name = format!("{}/{name}", plan.folder);
        let is_ours = plan.declarations.get(&name).is_some_and(|text| {
            fs::read(plan.directory.join(&name)).is_ok_and(|there| there == text.as_bytes())
        });
        if !is_ours {
            return Err(Failure::finding(format!(
                "`{}` is there already, and nothing is written",
                plan.directory.join(&name).display()
            ))
            .help("move it away, or write elsewhere with `--output DIR`"));
        }
    }
    let settings = plan.directory.join(CONFIGURATION_FILE);
    if !plan.in_place
        && fs::symlink_metadata(&settings).is_ok()
        && fs::read(&settings).ok().as_deref() != Some(plan.settings.as_bytes())
    {
        return Err(Failure::finding(format!(
            "`{}` is there already, and nothing is written",
            settings.display()
        ))
        .help("write to another folder"));
    }
    Ok(())
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

/// The declarations first: the settings make them the repository's.
fn write(plan: &Plan) -> Result<(), Failure> {
    let failed = |path: &Path, error: &io::Error| {
        Failure::world(format!("`{}` cannot be written: {error}", path.display()))
    };
    let folder = plan.directory.join(&plan.folder);
    fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
    for (name, text) in &plan.declarations {
        let path = plan.directory.join(name);
        AtomicFile::write_whole(&path, text.as_bytes()).map_err(|error| failed(&path, &error))?;
    }
    let path = plan.directory.join(CONFIGURATION_FILE);
    AtomicFile::write_whole(&path, plan.settings.as_bytes()).map_err(|error| failed(&path, &error))
}

/// Removes a file, and the folders above it that are empty then, up to the repository's.
fn remove(path: &Path, repository: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Failure::world(format!(
                "`{}` cannot be removed: {error}",
                path.display()
            )));
        }
        _ => {}
    }
    for folder in path.ancestors().skip(1) {
        let is_below = folder.starts_with(repository) && folder != repository;
        // One that is not empty stays, with all above it.
        if !is_below || fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}
