//! `ipwhl publish --check`: verifies every block of the releases that each target claims to have.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::{Blocks, CarError, CarReader};
use url::Url;

use super::super::context::Context;
use super::super::exit::ExitStatus;
use super::super::words::counted;
use super::shown::Shown;
use super::tally::exit_status;
use super::{Arguments, Format, Opening, client, json};
use crate::foundation::failure::Failure;
use crate::publish::{CheckOrder, Checked, DamageKind, Observer as _, RateLimit};
use crate::release::archive::ArchiveKind;
use crate::release::archive::car_name;
use crate::set::repository::PublishTarget;
use crate::source::{GatewayBlocks, Limits};

/// How many damaged blocks of a target are named.
const NAMED: usize = 5;
/// How many blocks are asked of gateways at once.
const JOBS: usize = 8;

/// What one target came to: its name, its kind, and what was found.
type Found<'t> = (&'t str, &'t str, Result<Checked, Failure>);

pub(super) fn run(
    opening: &Opening<'_, '_>,
    arguments: &Arguments,
    targets: &[&PublishTarget],
    folder: &Path,
) -> Result<ExitStatus, Failure> {
    let context = opening.context;
    let configuration = &opening.repository.configuration;
    let rate = RateLimit::new(arguments.rate);
    let shown = Shown::new(context, 0);
    let runtime = context.session.runtime()?;
    let mut found: Vec<Found<'_>> = Vec::new();
    for target in targets {
        let order = CheckOrder {
            repository: &configuration.name,
            is_repair: arguments.repair,
            blocks: Arc::new(elsewhere(opening, target, folder)?),
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
    let is_damaged = |one: &Found<'_>| {
        let checked = one.2.as_ref();
        checked.is_ok_and(|checked| checked.damages.iter().any(|one| !one.is_repaired))
    };
    let has_damage = found.iter().any(is_damaged);
    if has_damage && arguments.repair {
        context.help(
            "there was no good copy of the other blocks: put an archive with them into the release's folder, or add a gateway to `[mirrors]`",
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

/// Blocks that may mend a target: of the archives in the release's folder, and of the gateways of
/// others.
fn elsewhere(
    opening: &Opening<'_, '_>,
    target: &PublishTarget,
    folder: &Path,
) -> Result<Elsewhere, Failure> {
    let kinds = [ArchiveKind::Full, ArchiveKind::Delta, ArchiveKind::Hollow];
    let archives = kinds.into_iter().filter_map(|kind| {
        let file = File::open(folder.join(car_name(kind))).ok()?;
        CarReader::open(file).ok()
    });
    let configuration = &opening.repository.configuration;
    let others = configuration
        .publish
        .iter()
        .filter(|one| one.name != target.name);
    let mut gateways: Vec<Url> = others
        .filter_map(|one| one.kind.gateway())
        .cloned()
        .collect();
    let mirrors = configuration.gateways.iter();
    gateways.extend(mirrors.filter_map(|url| Url::parse(url).ok()));
    let own = target.kind.gateway();
    gateways.retain(|url| Some(url) != own);
    gateways.dedup();
    let gateways = if gateways.is_empty() {
        None
    } else {
        let client = client(opening.context, Limits::of_gateways())
            .map_err(|error| Failure::world(error.message))?;
        Some(GatewayBlocks::new(
            client,
            gateways,
            None,
            JOBS,
            opening.context.session.runtime()?.clone(),
        ))
    };
    Ok(Elsewhere {
        archives: archives.collect(),
        gateways,
    })
}

/// Blocks from other places than the target that is checked.
struct Elsewhere {
    archives: Vec<CarReader<File>>,
    gateways: Option<GatewayBlocks>,
}

impl Blocks for Elsewhere {
    fn block(&self, cid: &Cid) -> Result<Option<Vec<u8>>, CarError> {
        for archive in &self.archives {
            // A damaged archive is no reason not to ask the next place.
            if let Ok(Some(block)) = archive.block(cid) {
                return Ok(Some(block));
            }
        }
        match &self.gateways {
            Some(gateways) => gateways.block(cid),
            None => Ok(None),
        }
    }

    fn contains(&self, cid: &Cid) -> bool {
        self.archives.iter().any(|archive| archive.contains(cid))
            || self
                .gateways
                .as_ref()
                .is_some_and(|some| some.contains(cid))
    }
}
