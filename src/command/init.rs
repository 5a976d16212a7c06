//! `ipwhl init`: creates a repository, or adds CI to an existing one.

mod carry;

use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::context::Context;
use super::exit::ExitStatus;
use crate::foundation::failure::Failure;
use crate::set::init::{
    Forge, INSTALL_VARIABLE, InitRequest, InstallCommand, NewFile, SortedFiles,
};

/// Create a repository, or add CI to an existing one
///
/// Writes the settings (`ipwhl.toml`), an empty folder of declarations (`declarations/.gitkeep`), a
/// README for users of the index (`README.md`), and JSON Schemas with which editors check the
/// settings and the declarations (`schemas/ipwhl.schema.json`, `schemas/declaration.schema.json`).
/// For git, writes `.gitignore`, and `.gitattributes`, which keeps the line endings of `*.toml`.
///
/// With `--ci`, also writes the CI files of a forge, which check changes and build and sign
/// releases. In an existing repository, `--ci` adds only these files. Existing files are never
/// replaced. Run `git init` yourself: the repository may be part of a larger one.
///
/// Each CI file has one line that installs ipwhl, and `--install` fills it in. COMMAND is a shell
/// command, `git+https://…@<commit>`, or `https://…/<file>#sha256=<hash>` for the program or a tar
/// archive with it. If the line is empty, CI jobs stop and explain what to write.
///
/// `--carry STATEMENT` makes a folder for publishing the releases of a set that others maintain. It
/// writes only two files: an `ipwhl.toml` with the name and the keys of that set, and a
/// `.gitignore`. It prints the fingerprints of the keys: compare them with those that the
/// maintainers publish elsewhere. Then add a target to `ipwhl.toml`, download a release with `ipwhl
/// fetch`, and publish it with `ipwhl publish`.
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
    /// Make a folder for publishing the releases of another set, without declarations. STATEMENT is
    /// the `release.toml` of that set, or the folder or site that has it: a path or a URL. Its
    /// signatures are beside it
    #[arg(long, value_name = "STATEMENT", conflicts_with_all = ["name", "python", "system", "ci"])]
    carry: Option<String>,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let mut forges = arguments.ci.clone();
    forges.sort();
    forges.dedup();
    let request = InitRequest {
        folders: context.folders(),
        directory: arguments.directory.as_deref(),
        name: arguments.name.as_deref(),
        pythons: &arguments.python,
        systems: &arguments.system,
        forges: &forges,
        is_carrying: arguments.carry.is_some(),
    };
    let place = request.place()?;
    let install = arguments
        .install
        .as_deref()
        .map(InstallCommand::parse)
        .transpose()?;
    let (name, files) = match &arguments.carry {
        Some(statement) if !place.is_repository => (None, carry::files(context, statement)?),
        _ => request.files(&place, install.as_ref())?,
    };
    let SortedFiles { kept, new } = request.sort(&place, files)?;
    place.write_all(&new)?;
    report(
        context,
        &place.directory,
        name.as_deref(),
        &forges,
        &kept,
        &new,
    );
    if install.is_none() {
        mention_install(context, &new);
    }
    if arguments.carry.is_some() {
        carry::hint(context);
    }
    Ok(ExitStatus::Clean)
}

impl ValueEnum for Forge {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Self::GitHub => ("github", "GitHub Actions"),
            Self::GitLab => ("gitlab", "GitLab CI"),
            Self::SourceHut => ("sourcehut", "builds of SourceHut"),
            Self::Forgejo => ("forgejo", "Forgejo Actions"),
        };
        Some(PossibleValue::new(name).help(help))
    }
}

/// Prints the result and the next steps.
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
            mention_ignored(context, &path, file);
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
        .filter(|file| file.has_install_line())
        .map(|file| format!("`{}`", file.path))
        .collect();
    if empty.is_empty() {
        return;
    }
    context.warning(&format!(
        "CI cannot install ipwhl yet: fill in the line `{INSTALL_VARIABLE}` in {}",
        empty.join(", ")
    ));
    context.hint(
        "the first lines of each file show commands for that line; `--install COMMAND` fills it in \
         for new files",
    );
}

/// Suggests the lines that an existing `.gitignore` does not have.
fn mention_ignored(context: &Context<'_>, path: &Path, wanted: &NewFile) {
    let there = fs::read_to_string(path).unwrap_or_default();
    let missing = wanted.lines_missing_in(&there);
    let missing: Vec<String> = missing.iter().map(|line| format!("`{line}`")).collect();
    if !missing.is_empty() {
        context.hint(&format!(
            "add {} to it: a release is large, and a key is secret",
            missing.join(", ")
        ));
    }
}
