//! `ipwhl publish --check`: verifies every block of the releases that each target claims to have.

use std::path::Path;
use std::sync::Arc;

use super::super::context::Context;
use super::super::exit::ExitStatus;
use super::super::words::counted;
use super::arguments::{Arguments, Format};
use super::json;
use super::shown::Shown;
use super::tally::exit_status;
use crate::foundation::failure::Failure;
use crate::publish::{
    CheckOrder, Checked, DamageKind, Observer as _, Opening, RateLimit, RepairBlocks,
};
use crate::set::repository::PublishTarget;

/// The maximum number of damaged blocks to list for each target.
const NAMED: usize = 5;

/// The result of one target: its name, its kind and its check.
type Found<'t> = (&'t str, &'t str, Result<Checked, Failure>);

pub(super) fn run(
    context: &Context<'_>,
    opening: &Opening<'_>,
    arguments: &Arguments,
    targets: &[&PublishTarget],
    folder: &Path,
) -> Result<ExitStatus, Failure> {
    let configuration = &opening.repository.configuration;
    let rate = RateLimit::new(arguments.rate);
    let shown = Shown::new(context, 0);
    let runtime = context.session.runtime()?;
    let mut found: Vec<Found<'_>> = Vec::new();
    for target in targets {
        let order = CheckOrder {
            repository: &configuration.name,
            is_repair: arguments.repair,
            blocks: Arc::new(RepairBlocks::for_target(
                &context.session,
                configuration,
                target,
                folder,
            )?),
            rate: &rate,
        };
        let report = |step| shown.step(&target.name, step);
        let checked = opening
            .open(target)
            .and_then(|mut opened| runtime.block_on(opened.check(&order, &report)));
        shown.clear();
        match &checked {
            Ok(checked) => tell(context, &target.name, checked),
            Err(error) => {
                context.error(&format!("{}: {}", target.name, error.message));
                if let Some(help) = &error.help {
                    context.help(help);
                }
            }
        }
        found.push((&target.name, target.kind.as_str(), checked));
    }
    match arguments.format {
        Format::Json => context.result(&json::check(&found))?,
        Format::Text => {
            for (name, _, checked) in &found {
                if let Ok(checked) = checked {
                    context.result(&line(name, checked))?;
                }
            }
        }
    }
    let is_damaged = |one: &Found<'_>| one.2.as_ref().is_ok_and(Checked::is_damaged);
    let has_damage = found.iter().any(is_damaged);
    if has_damage && arguments.repair {
        context.help(
            "there was no good copy of the other blocks: put an archive with them into the \
             release's folder, or add a gateway to `[mirrors]`",
        );
    } else if has_damage {
        context.hint("`ipwhl publish --check --repair` repairs blocks of which a good copy exists");
    }
    let errors = found.iter().filter_map(|one| one.2.as_ref().err());
    Ok(if has_damage {
        ExitStatus::Findings
    } else {
        exit_status(errors)
    })
}

fn line(name: &str, checked: &Checked) -> String {
    let count = checked.releases.len();
    let releases = counted(count, "release");
    if checked.read.blocks == 0 && checked.damages.is_empty() {
        return format!("{name}: {releases}, nothing read");
    }
    let mut line = format!("{name}: {releases}, {} read", checked.read);
    for kind in [
        DamageKind::Missing,
        DamageKind::Altered,
        DamageKind::Unreadable,
    ] {
        let number = checked
            .damages
            .iter()
            .filter(|one| one.kind == kind)
            .count();
        if number > 0 {
            line += &format!(", {number} {kind}");
        }
    }
    let repaired = checked.damages.iter().filter(|one| one.is_repaired).count();
    match (checked.damages.len(), repaired) {
        (0, _) => line + ", all match their CIDs",
        (_, 0) => line,
        (_, repaired) => line + &format!(", {repaired} repaired"),
    }
}

fn tell(context: &Context<'_>, name: &str, checked: &Checked) {
    let shown = if context.verbose > 0 {
        checked.damages.len()
    } else {
        NAMED
    };
    for damage in checked.damages.iter().take(shown) {
        let words = format!(
            "{name}: {} of {} is {}",
            damage.what, damage.release, damage.kind
        );
        if damage.is_repaired {
            context.warning(&format!("{words}, and was repaired"));
        } else {
            context.error(&words);
        }
    }
    if checked.damages.len() > shown {
        context.say(&format!(
            "{name}: and {} more (`-v` lists them)",
            checked.damages.len() - shown
        ));
    }
    for note in &checked.notes {
        context.say(&format!("{name}: {note}"));
    }
}
