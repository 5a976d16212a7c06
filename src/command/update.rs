//! `ipwhl update`: brings declared projects to the newest versions that fit together.

mod changes;
mod one_by_one;
mod report;

use std::collections::{BTreeMap, BTreeSet};

use clap::{ArgGroup, Args};
use ipwhl_packaging::ProjectName;
use jiff::Timestamp;

use super::add::{MovementArguments, changeable, members, with_way_out};
use super::change::Before;
use super::context::Context;
use super::exit::ExitStatus;
use super::network::NetworkArguments;
use super::values::start_of_day;
use super::words::counted;
use crate::foundation::failure::{Failure, FailureKind};
use crate::set::audit::OpenDatabase;
use crate::set::graph::member;
use crate::set::repository::Repository;
use crate::set::resolve::{NamedUpdates, Projects, Step, Update, UpdatePlan, named_updates};

use report::Report;

/// Bring projects to the newest versions that fit together
///
/// Searches for the newest final versions with which every requirement of the set still holds on
/// all supported platforms. Without names, all projects may move. With names, only these and new
/// dependencies. No project gets an older version. Automatic projects that nothing needs any more
/// leave the set. In format 2, wheels that stay get the times of upload that they lack.
///
/// Prints the changes, the largest steps first, and what stays behind the index with the reason.
/// Then prints the new findings, as `ipwhl add` does.
///
/// Example: ipwhl update --minor
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("plan").multiple(true)))]
pub(super) struct Arguments {
    /// The projects to update: `NAME`, or with version specifiers `NAME<5` or `NAME==4.2`; without
    /// names, all
    #[arg(value_name = "NAME")]
    projects: Vec<String>,
    /// Only print what would change
    #[arg(long, short = 'n', group = "plan")]
    dry_run: bool,
    /// Only print the smallest changes that each keep the set true, in an order in which they can
    /// be made one after the other. With a database of advisories in `[audit]`, what mends
    /// vulnerabilities comes first
    #[arg(long, group = "plan")]
    one_by_one: bool,
    /// With `--dry-run` or `--one-by-one`: print the changes as JSON
    #[arg(long, requires = "plan")]
    json: bool,
    /// Make the smallest change that contains this project
    #[arg(long, value_name = "NAME", requires = "one_by_one", conflicts_with_all = ["json", "dry_run"])]
    make: Option<ProjectName>,
    #[command(flatten)]
    steps: StepArguments,
    /// Ignore files uploaded on or after this date or time. A date begins at midnight UTC
    #[arg(long, value_name = "DATE", value_parser = start_of_day)]
    before: Option<Timestamp>,
    /// A project that must get the newest version in the index. Other projects may move for it
    #[arg(long, value_name = "NAME")]
    latest: Vec<String>,
    #[command(flatten)]
    movement: MovementArguments,
    #[command(flatten)]
    network: NetworkArguments,
}

/// How far versions may move.
#[derive(Debug, Args)]
struct StepArguments {
    /// Take only versions with the same first two numbers, such as 1.4.2 for 1.4.1
    #[arg(long, conflicts_with = "minor")]
    patch: bool,
    /// Take only versions with the same first number, such as 1.5 for 1.4
    #[arg(long)]
    minor: bool,
}

impl StepArguments {
    fn largest(&self) -> Step {
        match (self.patch, self.minor) {
            (true, _) => Step::Patch,
            (_, true) => Step::Minor,
            _ => Step::Major,
        }
    }
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let mut repository = changeable(context)?;
    if arguments.network.offline {
        return Err(Failure::usage(
            "an update needs the index, and `--offline` does not use the network",
        )
        .help("run the same command without `--offline`"));
    }
    let network = arguments.network.network();
    let NamedUpdates { projects, limits } = named_updates(&repository, &arguments.projects)?;
    for project in &projects {
        member(&repository, project.as_str())?;
    }
    let latest = members(&repository, &arguments.latest)?;
    let is_for_all = arguments.projects.is_empty() && latest.is_empty();
    let update = Update {
        projects: if is_for_all {
            Projects::All
        } else {
            Projects::Named(projects)
        },
        may_move: if latest.is_empty() {
            arguments.movement.may_move(&repository)?
        } else {
            Projects::All
        },
        may_downgrade: arguments.movement.allow_downgrade,
        latest,
        limits,
        largest_step: arguments.steps.largest(),
        before: arguments.before,
        ..Update::all(&context.session, &network)
    };
    let plan = update.plan(&repository).map_err(|failure| {
        if failure.kind == FailureKind::Finding {
            // What was wrong before may be the reason.
            Before::of(context, &repository);
        }
        with_way_out(failure)
    })?;
    warn_of_unknown(context, &plan);
    if arguments.one_by_one {
        let mended = mended(context, &repository, &plan);
        let changes = plan.one_by_one(&mended.keys().cloned().collect());
        let Some(project) = &arguments.make else {
            one_by_one::print(
                context,
                &repository,
                &plan,
                &changes,
                &mended,
                arguments.json,
            )?;
            return Ok(ExitStatus::Clean);
        };
        let change = one_by_one::chosen(&changes, project)?;
        let before = Before::of(context, &repository);
        let added = update.declare(&mut repository, plan, Some(change));
        let added = added.map_err(with_way_out)?;
        for line in before.write(context, &repository, &added)? {
            context.say(line);
        }
        Before::tell_publishers(context, &added);
        return before.compare(context, true);
    }
    let report = Report::of(&repository, &plan);
    if arguments.dry_run {
        if arguments.json {
            report::print_json(context, &repository, &plan)?;
        } else {
            report.print(context)?;
        }
        hint_of_others(context, &repository, &update);
        return Ok(ExitStatus::Clean);
    }
    let before = Before::of(context, &repository);
    let added = update
        .declare(&mut repository, plan, None)
        .map_err(with_way_out)?;
    before.write(context, &repository, &added)?;
    report.print(context)?;
    Before::tell_publishers(context, &added);
    hint_of_others(context, &repository, &update);
    before.compare(context, true)
}

/// Tells of projects that may not move: the index was not asked for their versions.
fn hint_of_others(context: &Context<'_>, repository: &Repository, update: &Update<'_>) {
    let (Projects::Named(updated), Projects::Named(may_move)) =
        (&update.projects, &update.may_move)
    else {
        return;
    };
    let names = repository.declarations.keys();
    let others = names.filter(|name| !updated.contains(*name) && !may_move.contains(*name));
    let count = others.count();
    if count > 0 {
        let stay = if count == 1 {
            "stays as it is"
        } else {
            "stay as they are"
        };
        context.hint(&format!(
            "{} {stay}; `ipwhl outdated` lists newer versions",
            counted(count, "other project")
        ));
    }
}

/// Warns about projects whose newer versions are not known.
pub(super) fn warn_of_unknown(context: &Context<'_>, plan: &UpdatePlan) {
    let unknown: Vec<&str> = plan.unknown().iter().map(ProjectName::as_str).collect();
    if !unknown.is_empty() {
        context.warning(&format!(
            "the index does not have {}, so it is not known whether there are newer versions",
            unknown.join(", ")
        ));
    }
}

/// The vulnerabilities that a plan mends, if the repository names a database of advisories.
fn mended(
    context: &Context<'_>,
    repository: &Repository,
    plan: &UpdatePlan,
) -> BTreeMap<ProjectName, BTreeSet<String>> {
    let session = &context.session;
    match OpenDatabase::configured(session, repository, session.now()) {
        None => BTreeMap::new(),
        Some(Ok(database)) => database.mended(repository, plan),
        Some(Err(failure)) => {
            context.warning(&format!(
                "changes that mend vulnerabilities do not come first: {}",
                failure.message
            ));
            BTreeMap::new()
        }
    }
}
