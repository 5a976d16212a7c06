//! The results of publishing as JSON (FORMATS 8).

use serde_json::{Value, json};

use crate::foundation::failure::Failure;
use crate::publish::{
    Amount, Checked, Publication, PublishedRelease, ReleaseStatus, TargetOutcome, TargetPlace,
    TargetStatus,
};

/// The addresses at which pip finds the release, each once.
pub(super) fn addresses(outcomes: &[TargetOutcome]) -> Vec<String> {
    let back = outcomes.iter().filter_map(|one| one.read_back.as_ref());
    let mut addresses = Vec::new();
    for address in back.flat_map(|back| &back.addresses) {
        if !addresses.contains(address) {
            addresses.push(address.clone());
        }
    }
    addresses
}

/// The outcome of a run.
pub(super) fn run(release: &Publication, outcomes: &[TargetOutcome]) -> String {
    let targets: Vec<Value> = outcomes.iter().map(outcome).collect();
    let object = json!({
        "root": release.root().to_string(),
        "sequence": release.sequence(),
        "expires": release.expires().map(|at| at.to_string()),
        "targets": targets,
        "addresses": addresses(outcomes),
    });
    object.to_string()
}

fn outcome(outcome: &TargetOutcome) -> Value {
    let (plan, done, back) = (&outcome.plan, &outcome.done, &outcome.read_back);
    let plan = plan.as_ref();
    let moved = done.as_ref().map(|done| done.moved);
    let changes = done.as_ref().map(|done| &done.changes);
    let notes: Vec<&String> = plan
        .into_iter()
        .flat_map(|plan| &plan.notes)
        .chain(back.iter().flat_map(|back| &back.notes))
        .collect();
    json!({
        "name": outcome.name,
        "kind": outcome.kind,
        "place": outcome.place.as_ref().map(place),
        "state": outcome.state.as_str(),
        "held": plan.and_then(|plan| plan.held).map(release),
        "planned": plan.map(|plan| json!({ "moved": amount(&plan.moved), "changes": plan.changes })),
        "moved": moved.as_ref().map(amount),
        "changes": changes,
        "results": done.as_ref().map(|done| &done.results),
        "read_back": back.as_ref().map(|back| amount(&back.read)),
        "notes": notes,
        "error": outcome.error.as_ref().map(error),
    })
}

/// A place without the marks that paths have in sentences.
fn place(place: &TargetPlace) -> String {
    match place {
        TargetPlace::Folder(path) => path.display().to_string(),
        // Programs may compare it with the output of earlier versions, so this mark stays.
        TargetPlace::GitRepository(path) => format!("the git repository `{}", path.display()),
        TargetPlace::Address(text) | TargetPlace::Name(text) => text.clone(),
    }
}

fn error(error: &Failure) -> Value {
    json!({ "message": error.message, "help": error.help })
}

fn release(release: PublishedRelease) -> Value {
    json!({ "root": release.root.to_string(), "sequence": release.sequence })
}

fn amount(amount: &Amount) -> Value {
    let count = if amount.is_of_files {
        "files"
    } else {
        "blocks"
    };
    json!({ count: amount.blocks, "bytes": amount.bytes })
}

/// The releases of targets.
pub(super) fn status(targets: &[TargetStatus]) -> String {
    let targets: Vec<Value> = targets
        .iter()
        .map(|target| {
            let releases = target.releases.as_ref();
            json!({
                "name": target.name,
                "kind": target.kind,
                "place": target.place.as_ref().map(place),
                "state": target.state.as_str(),
                "releases": releases.map_or(Value::Null, |releases| releases.iter().map(held).collect()),
                "error": target.error.as_ref().map(error),
            })
        })
        .collect();
    json!({ "targets": targets }).to_string()
}

fn held(status: &ReleaseStatus) -> Value {
    json!({
        "root": status.release.root.to_string(),
        "sequence": status.release.sequence,
        "created": status.created.map(|at| at.to_string()),
        "expires": status.expires.map(|at| at.to_string()),
    })
}

/// The results of a check.
pub(super) fn check(targets: &[(&str, &str, Result<Checked, Failure>)]) -> String {
    let targets: Vec<Value> = targets
        .iter()
        .map(|(name, kind, checked)| {
            let found = checked.as_ref().ok();
            let damages: Option<Vec<Value>> = found.map(|found| {
                let damages = found.damages.iter();
                damages
                    .map(|damage| {
                        json!({
                            "what": damage.what,
                            "kind": damage.kind.to_string(),
                            "release": release(damage.release),
                            "repaired": damage.is_repaired,
                        })
                    })
                    .collect()
            });
            json!({
                "name": name,
                "kind": kind,
                "releases": found.map(|found| found.releases.iter().copied().map(release).collect::<Vec<_>>()),
                "read": found.map(|found| amount(&found.read)),
                "damages": damages,
                "notes": found.map(|found| &found.notes),
                "error": checked.as_ref().err().map(error),
            })
        })
        .collect();
    json!({ "targets": targets }).to_string()
}
