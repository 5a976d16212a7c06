//! `ipwhl add`: declares a project from the index.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use ipwhl_packaging::{ExtraName, GroupName, Marker, ProjectName};

use super::change::Before;
use super::context::Context;
use super::exit::ExitStatus;
use super::network::NetworkArguments;
use super::report::show_texts;
use crate::foundation::failure::{Failure, FailureKind};
use crate::set::declaration::{Declaration, Layout};
use crate::set::graph::member;
use crate::set::repository::Repository;
use crate::set::requested::{Mistakes, RequestFileError, Selection, read_request_file};
use crate::set::resolve::{
    Addition, FileRequests, LocalWheel, Prefer, ProjectRequest, Projects, Unsolved, file_requests,
    join_requests, likely_slips, named_requests,
};

/// The number of newer versions of a project that are named with reasons.
const MOST_PASSED_OVER: usize = 5;

impl ValueEnum for Prefer {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Native, Self::Pure]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Native => {
                PossibleValue::new("native").help("Native wheels, if every platform has one")
            }
            Self::Pure => PossibleValue::new("pure").help("The pure wheel, if there is one"),
        })
    }
}

/// Declare projects from the index
///
/// Searches for versions of the projects and of all that they require, so that every requirement
/// of the set holds on all supported platforms. Prefers the newest final versions. Declared
/// projects keep theirs unless `--allow-update` names them. If there is no answer, prints the
/// requirements that conflict, and nothing is written.
///
/// Takes the fewest wheels that cover the platforms, downloads them and writes the declarations.
/// Then prints the new findings: those that `ipwhl check` reports with the change and did not
/// report without it. The exit code is 1 if one of them is an error. Unmet requirements do not
/// count with `--no-dependencies`.
///
/// Example: ipwhl add 'httpx[http2]' flask==3.1.0
#[expect(
    rustdoc::broken_intra_doc_links,
    reason = "the brackets around an extra are no link, and clap shows the text as it stands"
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The projects to declare: `NAME`, `NAME[EXTRA,…]`, `NAME==VERSION`, or other version
    /// specifiers; or wheel files of the repository, which get `file:` sources. `NAME; MARKER` offers
    /// a project only where the marker holds (format 2)
    #[arg(required_unless_present = "requirement", value_name = "NAME")]
    projects: Vec<String>,
    /// Also declare what a project file asks for: `requirements.txt`, `pyproject.toml`, `uv.lock`,
    /// `poetry.lock` or `pylock.toml`. Locked versions are taken if possible
    #[arg(long, short = 'r', value_name = "FILE")]
    requirement: Vec<PathBuf>,
    /// An extra of a project file to declare the requirements of
    #[arg(long, value_name = "NAME", requires = "requirement")]
    extra: Vec<ExtraName>,
    /// A dependency group of a project file to declare, too
    #[arg(long, value_name = "NAME", requires = "requirement")]
    group: Vec<GroupName>,
    /// Declare only the projects themselves, not what they require
    #[arg(long, conflicts_with = "with_dependencies")]
    no_dependencies: bool,
    /// The default since dependencies are declared without being asked for
    #[arg(long, hide = true)]
    with_dependencies: bool,
    #[command(flatten)]
    movement: MovementArguments,
    /// Do not ask about names that are similar to declared ones
    #[arg(long, short)]
    yes: bool,
    /// Mark the projects as `automatic`: in the set only because other projects need them
    #[arg(long)]
    automatic: bool,
    /// Which wheels to use if a version has native wheels and a pure one. The default is the kind
    /// that is declared, and `native` for new projects
    #[arg(long, value_name = "KIND")]
    prefer: Option<Prefer>,
    /// Offer the projects only where this marker holds, as in `sys_platform != 'win32'`: on other
    /// platforms they need no wheel (format 2). A project without wheels for all platforms is asked
    /// about in a terminal
    #[arg(long, value_name = "MARKER")]
    only: Option<Marker>,
    #[command(flatten)]
    network: NetworkArguments,
}

/// Which declared projects may move.
#[derive(Debug, Args)]
pub(super) struct MovementArguments {
    /// Declared projects that may get a newer version if that is needed; `all` for every project
    #[arg(long, value_name = "NAME")]
    allow_update: Vec<String>,
    /// Let projects that may move get an older version, too
    #[arg(long)]
    pub(super) allow_downgrade: bool,
}

impl MovementArguments {
    /// The declared projects that may move.
    pub(super) fn may_move(&self, repository: &Repository) -> Result<Projects, Failure> {
        if self.allow_update.iter().any(|name| name == ALL) {
            return Ok(Projects::All);
        }
        members(repository, &self.allow_update).map(Projects::Named)
    }
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let mut repository = changeable(context)?;
    let mut named = Vec::new();
    let mut wheels = Vec::new();
    for text in &arguments.projects {
        if is_wheel(text) {
            let wheel = LocalWheel::at(&repository, &context.absolute(Path::new(text)))?;
            let (name, version) = (wheel.file_name.name(), wheel.file_name.version());
            named.push(format!("{name}=={version}"));
            wheels.push(wheel);
        } else {
            named.push(text.clone());
        }
    }
    let mut requests = named_requests(&repository, &named, arguments.automatic)?;
    let mut asked = FileRequests::default();
    for path in &arguments.requirement {
        let Some(more) = requested(context, &repository, arguments, path)? else {
            return Ok(ExitStatus::Findings);
        };
        for (project, wishes) in more.constraints {
            asked.constraints.entry(project).or_default().extend(wishes);
        }
        asked.preferred.extend(more.preferred);
        asked.pins.extend(more.pins);
        join_requests(&repository, &mut requests, more.requests);
    }
    if requests.is_empty() {
        context.say("the files ask for no project on the platforms of the set");
        return Ok(ExitStatus::Clean);
    }
    if !arguments.yes {
        ask_about_slips(context, &repository, &requests)?;
    }
    if let Some(only) = &arguments.only {
        for request in &mut requests {
            request.only = Some(only.clone());
        }
    }
    let before = Before::of(context, &repository);
    let network = arguments.network.network();
    let may_move = arguments.movement.may_move(&repository)?;
    let addition = Addition {
        session: &context.session,
        network: &network,
        prefer: arguments.prefer,
        with_dependencies: !arguments.no_dependencies,
        may_move,
        may_downgrade: arguments.movement.allow_downgrade,
        constraints: asked.constraints,
        preferred: asked.preferred.clone(),
        wheels,
        pins: asked.pins,
    };
    let added = loop {
        match addition.add(&mut repository, requests.clone()) {
            Ok(added) => break added,
            Err(unsolved) => offer_elsewhere(context, &mut requests, unsolved)?,
        }
    };
    for (project, locked) in &asked.preferred {
        let declared = repository.declarations.get(project);
        if let Some(other) = declared
            .map(Declaration::version)
            .filter(|one| *one != locked)
        {
            context.say(&format!(
                "note: {project} {other}, not {locked} as locked in the file"
            ));
        }
    }
    for (project, versions) in &added.passed_over {
        for (version, reason) in versions.iter().take(MOST_PASSED_OVER) {
            context.detail(&format!("{project} {version}: {reason}"));
        }
        let more = versions.len().saturating_sub(MOST_PASSED_OVER);
        if more > 0 {
            context.detail(&format!("{project}: and {more} more"));
        }
    }
    for line in before.write(context, &repository, &added)? {
        context.say(line);
    }
    Before::tell_publishers(context, &added);
    before.compare(context, !arguments.no_dependencies)
}

/// Asks about new projects whose names differ from declared ones by a slip of the keyboard. A
/// stranger may have taken such a name.
fn ask_about_slips(
    context: &Context<'_>,
    repository: &Repository,
    requests: &[ProjectRequest],
) -> Result<(), Failure> {
    for (name, meant) in likely_slips(repository, requests) {
        let similar = format!("`{name}` is new, and the set has `{meant}`");
        let question = format!("{similar}. Do you mean `{name}`?");
        if answer(context, &question)? != Some(true) {
            return Err(Failure::usage(similar).help(format!(
                "if you mean `{name}`, add `--yes`; nothing was changed"
            )));
        }
    }
    Ok(())
}

/// Asks whether a requested project that lacks wheels for some platforms is to be offered only on
/// the others.
fn offer_elsewhere(
    context: &Context<'_>,
    requests: &mut [ProjectRequest],
    unsolved: Unsolved,
) -> Result<(), Failure> {
    let Unsolved { failure, only } = unsolved;
    let failure = with_way_out(failure);
    let Some((project, marker)) = only.map(|only| *only) else {
        return Err(failure);
    };
    let mut requests = requests.iter_mut();
    let request = requests.find(|request| request.project == project && request.only.is_none());
    let Some(request) = request else {
        return Err(failure);
    };
    let question = format!(
        "`{project}` lacks wheels for some platforms. Offer it only where `{marker}` holds?"
    );
    if answer(context, &question)? != Some(true) {
        return Err(failure);
    }
    request.only = Some(marker);
    Ok(())
}

/// The answer to a question on the terminal; `None` if it cannot be asked.
fn answer(context: &Context<'_>, question: &str) -> Result<Option<bool>, Failure> {
    context.environment.ask(question).map_err(|error| {
        Failure::world(format!(
            "the answer cannot be read from the terminal: {error}"
        ))
    })
}

/// Whether an argument names a wheel file.
fn is_wheel(text: &str) -> bool {
    let extension = Path::new(text).extension();
    let is_whl = extension.is_some_and(|extension| extension.eq_ignore_ascii_case("whl"));
    is_whl && !text.contains("://")
}

/// The requests of a project file; `None` if it has mistakes, which are printed.
fn requested(
    context: &Context<'_>,
    repository: &Repository,
    arguments: &Arguments,
    path: &Path,
) -> Result<Option<FileRequests>, Failure> {
    let selection = Selection {
        extras: arguments.extra.iter().cloned().collect(),
        groups: arguments.group.iter().cloned().collect(),
        all: false,
    };
    let read = |path: &Path, limit: u64| {
        let path = context.absolute(path);
        // Checked before the file is opened: opening a pipe would wait for a writer.
        if !std::fs::metadata(&path)?.is_file() {
            return Err(std::io::Error::new(
                std::io::ErrorKind::InvalidInput,
                "it is not a regular file",
            ));
        }
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path)?;
        file.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read_request_file(&read, path, &selection) {
        Ok(file) => {
            for ignored in &file.ignored {
                context.say(&format!("note: {ignored}"));
            }
            Ok(Some(file_requests(repository, file, arguments.automatic)))
        }
        Err(RequestFileError::Failed(failure)) => Err(failure),
        Err(RequestFileError::Mistakes(Mistakes { findings, texts })) => {
            show_texts(context, &findings, &texts);
            Ok(None)
        }
    }
}

/// The repository, if projects of its index can be declared in it.
pub(super) fn changeable(context: &Context<'_>) -> Result<Repository, Failure> {
    let repository = context.repository()?;
    if repository.configuration.layout != Layout::Package {
        return Err(Failure::usage(
            "projects of an index are declared in the layout `package`, and this repository has the layout `ipwhl-1`",
        )
        .help("`ipwhl migrate` converts the repository"));
    }
    if let Some(link) = repository.link_to_declarations() {
        return Err(Failure::finding(format!(
            "`{link}`, on the path to the declarations, is a symbolic link"
        ))
        .help("replace the link with the folder itself: links are not followed"));
    }
    // A cooldown that cannot be read must not be taken for none.
    if repository.has_configuration_errors() {
        let message = "`ipwhl.toml` has an error, so the rules of the set are unknown";
        return Err(Failure::finding(message).help("`ipwhl check` shows the mistake"));
    }
    if !repository.unreadable.is_empty() {
        let names = repository.unreadable.iter();
        let names: Vec<&str> = names.map(ProjectName::as_str).collect();
        context.warning(&format!(
            "a declaration cannot be read, so what it requires is not known: {}",
            names.join(", ")
        ));
        context.hint("`ipwhl check` shows the mistake");
    }
    Ok(repository)
}

/// The word for every declared project.
const ALL: &str = "all";

/// The projects of the set with these names.
pub(super) fn members(
    repository: &Repository,
    names: &[String],
) -> Result<BTreeSet<ProjectName>, Failure> {
    let names = names.iter();
    names.map(|name| Ok(member(repository, name)?)).collect()
}

/// Adds help to a failure of the network or the disk that has none.
pub(super) fn with_way_out(failure: Failure) -> Failure {
    if failure.kind != FailureKind::World || failure.help.is_some() {
        return failure;
    }
    failure.help("run the same command again; `--index-url URL` uses another index")
}
