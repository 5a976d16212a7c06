//! `ipwhl update`: brings declared projects to the newest versions that fit together.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use ipwhl_packaging::{ProjectName, Version};

use super::add::{changeable, may_move, with_way_out};
use super::change::Before;
use super::context::Context;
use super::exit::ExitStatus;
use super::network::NetworkArguments;
use super::words::counted;
use crate::foundation::diagnostic::Inert;
use crate::foundation::failure::Failure;
use crate::set::repository::Repository;
use crate::set::resolve::{PassedOver, Projects, Step, Update};

/// Bring projects to the newest versions that fit together
///
/// Searches for the newest final versions with which every requirement of the set still holds on
/// all supported platforms. Without names, all projects may move. With names, only these and new
/// dependencies. No project gets an older version. Automatic projects that nothing needs any more
/// leave the set.
///
/// Prints the changes, the largest steps first, and what stays behind the index with the reason.
/// Then prints the new findings, as `ipwhl add` does.
///
/// Example: ipwhl update --minor
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The projects to update; without names, all
    #[arg(value_name = "NAME")]
    projects: Vec<String>,
    /// Only print what would change
    #[arg(long, short = 'n')]
    dry_run: bool,
    /// Take only versions with the same first two numbers, such as 1.4.2 for 1.4.1
    #[arg(long, conflicts_with = "minor")]
    patch: bool,
    /// Take only versions with the same first number, such as 1.5 for 1.4
    #[arg(long)]
    minor: bool,
    /// Other declared projects that may get a newer version if that is needed; `all` for every
    /// project
    #[arg(long, value_name = "NAME")]
    allow_update: Vec<String>,
    #[command(flatten)]
    network: NetworkArguments,
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
    let update = Update {
        session: &context.session,
        network: &network,
        projects: match arguments.projects.as_slice() {
            [] => Projects::All,
            names => may_move(&repository, names, "")?,
        },
        may_move: may_move(&repository, &arguments.allow_update, "--allow-update ")?,
        largest_step: match (arguments.patch, arguments.minor) {
            (true, _) => Step::Patch,
            (_, true) => Step::Minor,
            _ => Step::Major,
        },
    };
    let before = Before::of(context, &repository);
    let plan = update.plan(&repository).map_err(with_way_out)?;
    if !plan.unknown.is_empty() {
        let unknown: Vec<&str> = plan.unknown.iter().map(ProjectName::as_str).collect();
        context.warning(&format!(
            "the index does not have {}, so it is not known whether there are newer versions",
            unknown.join(", ")
        ));
    }
    let (moves, behind) = (plan.moves.clone(), plan.behind.clone());
    if arguments.dry_run {
        Report::of(&repository, &moves, &plan.removed, &behind).print(context)?;
        return Ok(ExitStatus::Clean);
    }
    let added = update
        .declare(&mut repository, plan)
        .map_err(with_way_out)?;
    before.write(context, &repository, &added)?;
    Report::of(&repository, &moves, &added.removed, &behind).print(context)?;
    before.compare(context, true)
}

/// The old version of each project that gets another one, and the new one.
type Moves = BTreeMap<ProjectName, (Option<Version>, Version)>;

/// The lines about a plan, in groups.
struct Report {
    /// The heading of each group, with its rows: a project, and what is said about it.
    groups: Vec<(&'static str, BTreeMap<ProjectName, String>)>,
    has_changes: bool,
}

impl Report {
    fn of(
        repository: &Repository,
        moves: &Moves,
        removed: &BTreeSet<ProjectName>,
        behind: &BTreeMap<ProjectName, (Version, PassedOver)>,
    ) -> Self {
        let mut steps: BTreeMap<Step, BTreeMap<ProjectName, String>> = BTreeMap::new();
        let mut added = BTreeMap::new();
        let mut rebuilt = BTreeMap::new();
        for (project, (old, new)) in moves {
            match old {
                None => {
                    added.insert(project.clone(), new.to_string());
                }
                Some(old) if old == new => {
                    rebuilt.insert(project.clone(), new.to_string());
                }
                Some(old) => {
                    let step = steps.entry(Step::between(old, new)).or_default();
                    step.insert(project.clone(), format!("{old} -> {new}"));
                }
            }
        }
        let has_changes = !moves.is_empty() || !removed.is_empty();
        let removed = removed.iter().map(|project| {
            let version = repository.declarations.get(project);
            let version = version.map_or_else(String::new, |one| one.version().to_string());
            (project.clone(), version)
        });
        let removed: BTreeMap<ProjectName, String> = removed.collect();
        let behind = behind.iter().map(|(project, (newest, reason))| {
            let now = moves.get(project).map(|(_, new)| new.clone());
            let now = now.or_else(|| Some(repository.declarations.get(project)?.version().clone()));
            let now = now.as_ref().map_or_else(String::new, Version::to_string);
            (project.clone(), format!("{now}, not {newest}: {reason}"))
        });
        let behind: BTreeMap<ProjectName, String> = behind.collect();
        let groups = [
            ("major", steps.remove(&Step::Major).unwrap_or_default()),
            ("minor", steps.remove(&Step::Minor).unwrap_or_default()),
            ("patch", steps.remove(&Step::Patch).unwrap_or_default()),
            ("other wheels", rebuilt),
            ("new dependencies", added),
            ("no longer needed", removed),
            ("behind the index", behind),
        ];
        let groups = groups.into_iter().filter(|(_, rows)| !rows.is_empty());
        Self {
            groups: groups.collect(),
            has_changes,
        }
    }

    fn print(&self, context: &Context<'_>) -> Result<(), Failure> {
        let names = self.groups.iter().flat_map(|(_, rows)| rows.keys());
        let width = names.map(|name| name.as_str().len()).max();
        for (heading, rows) in &self.groups {
            let mut line = context.heading(heading);
            line += &format!(" ({})", counted(rows.len(), "project"));
            context.result(line)?;
            for (project, words) in rows {
                let width = width.unwrap_or_default();
                let row = format!("  {:width$}  {words}", project.as_str());
                context.result(Inert::from(row.trim_end()))?;
            }
        }
        if !self.has_changes {
            context.say("nothing changes: no project has a newer version that fits");
        }
        Ok(())
    }
}
