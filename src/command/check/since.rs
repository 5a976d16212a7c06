//! The messages about a change since a revision.

use super::super::context::Context;
use super::super::words::counted;
use crate::foundation::diagnostic::{Baseline, Finding};
use crate::set::difference::{EarlierState, Weakening};
use crate::set::repository::Repository;

/// Replaces the places in the change by those that the maintainers have reviewed, and prints a
/// note.
pub(super) fn lend_places(
    context: &Context<'_>,
    before: &EarlierState,
    now: &mut Repository,
    revision: &str,
) {
    let changed = before.lend_places(now);
    if !changed.is_empty() {
        let changed: Vec<String> = changed.iter().map(|one| format!("`{one}`")).collect();
        context.say(&format!(
            "note: this change has a different {}; the check uses the one of `{revision}`",
            changed.join(" and a different "),
        ));
    }
}

/// Prints the result for the change.
pub(super) fn say(
    context: &Context<'_>,
    before: &EarlierState,
    now: &Repository,
    wheels: usize,
    findings: &[Finding],
    gone: usize,
) {
    if before.repository().is_none() {
        context.say(&format!(
            "note: {} has no repository here, so all findings are new",
            before.commit()
        ));
    }
    for weakening in before.weakenings(now) {
        context.warning(&words(&weakening));
    }
    say_disguised(context, before, now);
    let of = |baseline| {
        findings
            .iter()
            .filter(|finding| finding.baseline == Some(baseline))
            .count()
    };
    context.say(&format!(
        "since {}: {} of changed declarations, {}, {} from before, {gone} gone",
        before.commit(),
        counted(wheels, "wheel"),
        counted(of(Baseline::New), "new finding"),
        of(Baseline::Unchanged),
    ));
}

fn words(weakening: &Weakening) -> String {
    let quoted = |words: &mut dyn Iterator<Item = String>| -> Vec<String> {
        words.map(|word| format!("`{word}`")).collect()
    };
    match weakening {
        Weakening::Rules(codes) => {
            let codes = quoted(&mut codes.iter().map(ToString::to_string)).join(", ");
            format!("this change relaxes rules in `[severity]`: {codes}")
        }
        Weakening::Trust(keys) => {
            let keys = quoted(&mut keys.iter().map(ToString::to_string)).join(" and ");
            format!(
                "this change sets who may sign releases: {keys} in `[signing]`; `ipwhl diff` shows the values"
            )
        }
        Weakening::Identity(keys) => {
            let keys = quoted(&mut keys.iter().map(ToString::to_string)).join(" and ");
            format!("this change sets {keys} in `[repository]`; `ipwhl diff` shows the values")
        }
        Weakening::Waivers(values) => {
            format!("this change adds or changes waivers: {}", values.join("; "))
        }
        Weakening::Licences(rules) => {
            format!(
                "this change accepts more in `[licenses]`: {}",
                rules.join("; ")
            )
        }
        Weakening::Cooldown(before, now) => {
            format!("this change lowers the cooldown in `[index]` from {before} to {now}")
        }
        Weakening::Platforms(values) => {
            format!(
                "this change removes supported platforms: {}",
                values.join("; ")
            )
        }
    }
}

/// Warns of texts that reviewers may see differently from the checked ones.
fn say_disguised(context: &Context<'_>, before: &EarlierState, now: &Repository) {
    match before.disguised(context.environment, now) {
        Err(error) => context.warning(&format!(
            "git cannot read the attributes of the files in this change: {error}"
        )),
        Ok(found) => {
            for disguise in found {
                let what = match disguise.files.as_slice() {
                    [] => "new declarations".to_owned(),
                    [file] => format!("`{file}`"),
                    [file, more @ ..] => format!("`{file}` and {} more", more.len()),
                };
                context.warning(&format!(
                    "reviewers may see a different text of {what}, or none: `{}` in `.gitattributes`",
                    disguise.attribute
                ));
            }
        }
    }
}
