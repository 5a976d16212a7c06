//! `ipwhl init`: creates a repository, or adds CI to an existing one.

mod carry;
mod files;
mod install;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use ipwhl_packaging::Platform;

use super::context::Context;
use super::exit::ExitStatus;
use crate::foundation::environment::AtomicFile;
use crate::foundation::failure::Failure;
use crate::set::repository::{CONFIGURATION_FILE, find};
use files::{Forge, INSTALL, NewFile, name_of, repository};
use install::InstallCommand;

/// Create a repository, or add CI to an existing one
///
/// Writes `ipwhl.toml`, an empty folder of declarations, a README for users of the index, and a
/// `.gitignore`. With `--ci`, also writes the CI files of a forge, which check changes and build
/// and sign releases. In an existing repository, `--ci` adds only these files. Existing files are
/// never replaced. Run `git init` yourself: the repository may be part of a larger one.
///
/// Each CI file has one line that installs ipwhl, and `--install` fills it in. COMMAND is a shell
/// command, `git+https://…@<commit>`, or `https://…/<file>#sha256=<hash>` for the program or a tar
/// archive with it. If the line is empty, CI jobs stop and explain what to write.
///
/// `--carry STATEMENT` is for publishing the releases of a set that others maintain. It writes only
/// an `ipwhl.toml` with the name and keys of the set, and a `.gitignore`. It prints the
/// fingerprints of the keys: compare them with those that the maintainers publish elsewhere.
///
/// Example: ipwhl init --ci github --install COMMAND my-wheels
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The repository's folder, created if needed [default: the current folder]
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
    /// The repository's name, which each signed statement contains [default: the name of the
    /// folder]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// An interpreter to support, as in `cp312` or `cp311>=3.11.5`; repeatable
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    python: Vec<String>,
    /// A system to support, as in `manylinux_2_28_x86_64`; repeatable
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    system: Vec<String>,
    /// The forge whose CI to set up; repeatable
    #[arg(long, value_name = "FORGE", value_delimiter = ',')]
    ci: Vec<Forge>,
    /// How CI installs ipwhl: a command, a git URL with a commit, or a file with its SHA-256
    #[arg(long, value_name = "COMMAND", requires = "ci")]
    install: Option<String>,
    /// Publish the set of this statement, a file or a URL; its signatures are beside it
    #[arg(long, value_name = "STATEMENT", conflicts_with_all = ["name", "python", "system", "ci"])]
    carry: Option<String>,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let directory = directory(context, arguments)?;
    let is_repository = is_there(&directory.join(CONFIGURATION_FILE))?;
    let mut forges = arguments.ci.clone();
    forges.sort();
    forges.dedup();
    let folder = fs::canonicalize(&directory)
        .unwrap_or_else(|_| directory.clone())
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let install = arguments
        .install
        .as_deref()
        .map(InstallCommand::parse)
        .transpose()?;
    let mut new: Vec<NewFile> = forges
        .iter()
        .flat_map(|forge| forge.files(&folder, install.as_ref()))
        .collect();
    let name = if is_repository {
        refuse_existing(context, arguments, &directory)?;
        None
    } else if let Some(statement) = &arguments.carry {
        new = carry::files(context, statement)?;
        None
    } else {
        validate_platforms(&arguments.python, &arguments.system)?;
        let name = match &arguments.name {
            Some(name) if name.trim().is_empty() || name.contains(char::is_control) => {
                return Err(Failure::usage(format!(
                    "{name:?} cannot name a repository: a name is one line of text and not empty"
                )));
            }
            Some(name) => name.clone(),
            None => name_of(&folder),
        };
        new.extend(repository(&name, &arguments.python, &arguments.system));
        Some(name)
    };
    let (kept, new) = sort_out(context, &directory, new)?;
    for file in &new {
        write(&directory, file)?;
    }
    report(context, &directory, name.as_deref(), &forges, &kept, &new);
    if install.is_none() {
        mention_install(context, &new);
    }
    if arguments.carry.is_some() {
        carry::hint(context);
    }
    Ok(ExitStatus::Clean)
}

/// The folder that is meant. Inside another repository it has to be named, since whoever forgets
/// where they are means that one.
fn directory(context: &Context<'_>, arguments: &Arguments) -> Result<PathBuf, Failure> {
    let directory = match (&arguments.directory, context.named_repository()) {
        (Some(_), Some(_)) => {
            return Err(Failure::usage(
                "the folder is named twice: by the argument and by `--repository`",
            ));
        }
        (Some(directory), None) => context.absolute(directory),
        (None, Some(directory)) => directory,
        (None, None) => {
            let current = context.environment.current_directory.clone();
            match find(&current) {
                Ok(around) if around != current => {
                    return Err(Failure::usage(format!(
                        "this folder is inside the repository `{}`",
                        around.display()
                    ))
                    .help("change to that folder, or name this one: `ipwhl init .`"));
                }
                _ => current,
            }
        }
    };
    match fs::metadata(&directory) {
        Ok(there) if !there.is_dir() => Err(Failure::usage(format!(
            "`{}` is a file, and a repository must be a folder",
            directory.display()
        ))),
        _ => Ok(directory),
    }
}

fn refuse_existing(
    context: &Context<'_>,
    arguments: &Arguments,
    directory: &Path,
) -> Result<(), Failure> {
    let place = context.shown(&directory.join(CONFIGURATION_FILE));
    if arguments.ci.is_empty() || arguments.carry.is_some() {
        return Err(
            Failure::usage(format!("this is already a repository: `{place}` exists"))
                .help("`ipwhl add NAME` declares a project, `ipwhl init --ci FORGE` adds CI"),
        );
    }
    let is_of_a_new_one =
        arguments.name.is_some() || !arguments.python.is_empty() || !arguments.system.is_empty();
    if is_of_a_new_one {
        return Err(Failure::usage(format!(
            "`--name`, `--python` and `--system` are for a new repository, and `{place}` exists"
        ))
        .help("change the values in that file; `ipwhl init --ci FORGE` alone adds CI"));
    }
    Ok(())
}

/// Each tag is tried with a good partner, so that the one that is wrong is named.
fn validate_platforms(pythons: &[String], systems: &[String]) -> Result<(), Failure> {
    let pythons = pythons.iter().map(|python| (python.as_str(), "win_amd64"));
    let systems = systems.iter().map(|system| ("cp312", system.as_str()));
    for (python, system) in pythons.chain(systems) {
        Platform::parse(python, system).map_err(|error| {
            Failure::usage(&error).help(
                "write interpreters as `cp312` or `cp311>=3.11.5`, systems as `manylinux_2_28_x86_64`, `macosx_14_0_arm64`, `win_amd64`",
            )
        })?;
    }
    Ok(())
}

fn is_there(path: &Path) -> Result<bool, Failure> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::world(format!("`{}` cannot be read: {error}", path.display()))
}

/// The files that stay as they are, and those to write. One that is there and may not be replaced
/// ends the run before anything is written.
fn sort_out(
    context: &Context<'_>,
    directory: &Path,
    files: Vec<NewFile>,
) -> Result<(Vec<NewFile>, Vec<NewFile>), Failure> {
    let (mut kept, mut new, mut in_the_way) = (Vec::new(), Vec::new(), Vec::new());
    let mut help = "move it away, run the same command again, and compare the files".to_owned();
    let help_for_ci =
        format!("{help}; to change only how CI installs ipwhl, edit the line `{INSTALL}` in it");
    for file in files {
        let path = directory.join(file.path);
        if !is_there(&path)? {
            new.push(file);
        } else if file.may_stay {
            kept.push(file);
        } else if fs::read(&path).is_ok_and(|bytes| bytes == file.text.as_bytes()) {
            // An earlier run, perhaps one that was killed, has written it.
        } else {
            in_the_way.push(format!("`{}`", context.shown(&path)));
            if file.text.contains(INSTALL) {
                help.clone_from(&help_for_ci);
            }
        }
    }
    let (exist, have) = match in_the_way.len() {
        1 => ("exists", "has"),
        _ => ("exist", "have"),
    };
    if in_the_way.is_empty() {
        Ok((kept, new))
    } else {
        Err(Failure::usage(format!(
            "{} already {exist} and {have} different content: nothing was written",
            in_the_way.join(", ")
        ))
        .help(help))
    }
}

fn write(directory: &Path, file: &NewFile) -> Result<(), Failure> {
    let path = directory.join(file.path);
    let folder = path.parent().unwrap_or(directory);
    fs::create_dir_all(folder)
        .and_then(|()| AtomicFile::write_whole(&path, file.text.as_bytes()))
        .map_err(|error| {
            Failure::world(format!("`{}` cannot be written: {error}", path.display()))
                .help("run the same command again: it writes only the files that are missing")
        })
}

/// Says what was done, and what is left for a person to do.
fn report(
    context: &Context<'_>,
    directory: &Path,
    name: Option<&str>,
    forges: &[Forge],
    kept: &[NewFile],
    new: &[NewFile],
) {
    for file in new {
        context.say(&format!(
            "wrote {}",
            context.shown(&directory.join(file.path))
        ));
    }
    for file in kept {
        let path = directory.join(file.path);
        context.say(&format!("kept {}", context.shown(&path)));
        if file.path == ".gitignore" {
            mention_ignored(context, &path, &file.text);
        }
    }
    if new.is_empty() {
        context.say("there was nothing to write: all files exist already");
    }
    let git = directory
        .ancestors()
        .find(|folder| folder.join(".git").exists());
    if let Some(git) = git
        && git != directory
        && !forges.is_empty()
    {
        context.warning(&format!(
            "a forge reads CI files only from the top folder of the git repository, `{}`",
            git.display()
        ));
    }
    if let Some(name) = name {
        context.say(&format!("created the repository {name:?}"));
        if git.is_none() {
            context.hint("`ipwhl check --since` needs git: run `git init` and make a first commit");
        }
        context.hint("`ipwhl add NAME` declares a project, `ipwhl build` builds a release");
    }
    for forge in forges {
        context.hint(&format!(
            "{}: the first lines of `{}` explain the setup: secrets, environments, the first release",
            forge.name(),
            forge.release_file()
        ));
    }
}

/// Names the files whose install line is still empty.
fn mention_install(context: &Context<'_>, new: &[NewFile]) {
    let empty: Vec<String> = new
        .iter()
        .filter(|file| file.text.contains(INSTALL))
        .map(|file| format!("`{}`", file.path))
        .collect();
    if empty.is_empty() {
        return;
    }
    context.warning(&format!(
        "CI cannot install ipwhl yet: fill in the line `{INSTALL}` in {}",
        empty.join(", ")
    ));
    context.hint(
        "the first lines of each file show commands for that line; `--install COMMAND` fills it in for new files",
    );
}

/// The lines that somebody's own `.gitignore` does not have.
fn mention_ignored(context: &Context<'_>, path: &Path, wanted: &str) {
    let there = fs::read_to_string(path).unwrap_or_default();
    let missing: Vec<String> = wanted
        .lines()
        .filter(|line| !line.starts_with('#') && !there.lines().any(|found| found == *line))
        .map(|line| format!("`{line}`"))
        .collect();
    if !missing.is_empty() {
        context.hint(&format!(
            "add {} to it: a release is large, and a key is secret",
            missing.join(", ")
        ));
    }
}
