//! `ipwhl init`: a new repository, or CI for one that is there.

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

/// Make a new repository, or add CI to one
///
/// Writes `ipwhl.toml`, an empty folder of declarations, a README for those who install from it,
/// and a `.gitignore`; with `--ci` also what a forge runs to check changes and to build and sign
/// releases. In a repository that is there already, `--ci` adds that alone. No file is ever
/// replaced, and `git init` is left to you: not every repository is to be one of its own.
///
/// Each CI file has one line that installs ipwhl, and `--install` writes it. COMMAND is a shell
/// command, `git+https://…@<commit>`, or `https://…/<file>#sha256=<hash>` for the program or a tar
/// archive with it. Without that line a job stops and says what to write.
///
/// `--carry STATEMENT` is for somebody who publishes a set that others keep. It writes an
/// `ipwhl.toml` with the set's name and keys, and a `.gitignore`, and nothing else. It shows the
/// keys' fingerprints: compare them with those that the maintainers publish elsewhere.
///
/// Example: ipwhl init --ci github --install COMMAND my-wheels
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The repository's folder, made where there is none [default: this one]
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
    /// The name that goes into each signed statement [default: the folder's]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// An interpreter to support, as in `cp312` or `cp311>=3.11.5`; may be given several times
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    python: Vec<String>,
    /// A system to support, as in `manylinux_2_28_x86_64`; may be given several times
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    system: Vec<String>,
    /// Where CI is to run; may be given several times
    #[arg(long, value_name = "FORGE", value_delimiter = ',')]
    ci: Vec<Forge>,
    /// How CI installs ipwhl: a command, a git URL with a commit, or a file with its SHA-256
    #[arg(long, value_name = "COMMAND", requires = "ci")]
    install: Option<String>,
    /// Carry the set of this statement, a file or an address, with its signatures beside it
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
        context.say(&format!("left {} as it was", context.shown(&path)));
        if file.path == ".gitignore" {
            mention_ignored(context, &path, file);
        }
    }
    if new.is_empty() {
        context.say("there was nothing to write: all of it is there already");
    }
    let git = directory
        .ancestors()
        .find(|folder| folder.join(".git").exists());
    if let Some(git) = git
        && git != directory
        && !forges.is_empty()
    {
        context.warning(&format!(
            "a forge reads its CI files from the top of the git repository, which is `{}`",
            git.display()
        ));
    }
    if let Some(name) = name {
        context.say(&format!("{name:?} is a repository now"));
        if git.is_none() {
            context.hint("`git init` and a first commit let `ipwhl check --since` see what a change is about");
        }
        context.hint("`ipwhl add NAME` declares a project, `ipwhl build` makes a release");
    }
    for forge in forges {
        context.hint(&format!(
            "{}: the first lines of `{}` say what to set there: secrets, environments, the first release",
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
        "CI cannot install ipwhl yet: its jobs stop until the line `{INSTALL_VARIABLE}` says how in {}",
        empty.join(", ")
    ));
    context.hint(
        "write a command into that line; the first lines of each file show some, and `--install COMMAND` writes it into new files",
    );
}

/// The lines that somebody's own `.gitignore` does not have.
fn mention_ignored(context: &Context<'_>, path: &Path, wanted: &NewFile) {
    let there = fs::read_to_string(path).unwrap_or_default();
    let missing = wanted.lines_missing_in(&there);
    let missing: Vec<String> = missing.iter().map(|line| format!("`{line}`")).collect();
    if !missing.is_empty() {
        context.hint(&format!(
            "it does not have {}: a release is large, and a key is secret",
            missing.join(", ")
        ));
    }
}
