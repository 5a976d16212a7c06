//! The workflows of Forgejo Actions, run.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use super::actions::{self, Event, Job, Machine};
use super::site::{Change, NAME, Site};
use super::yaml::read;

fn workflow(site: &Site, name: &str) -> Value {
    read(&site.read(&format!(".forgejo/workflows/ipwhl-{name}.yml")))
}

/// Forgejo runs the pull request's own commit, not a merge.
pub(super) fn check(site: &Site, branch: &str) -> Job {
    let event = Event {
        contexts: json!({
            "github": {
                "repository": format!("owner/{NAME}"),
                "sha": site.history.run(&["rev-parse", branch]),
                "token": "",
                "event": {"pull_request": {"number": 1, "base": {"sha": site.history.run(&["rev-parse", "main"])}}},
            },
            "secrets": {},
        }),
        reference: format!("refs/heads/{branch}"),
        scope: "refs/pull/1".to_owned(),
    };
    let machine = Machine::new(site, &event, "check");
    machine.run(&workflow(site, "check"), "check").unwrap()
}

/// Why the release's workflow runs for a branch. Where nothing is kept yet, somebody has to start
/// it by hand.
pub(super) fn event(site: &Site, branch: &str, forge: &str, secrets: &Value) -> Event {
    let is_first = fs::read_dir(site.path("state/releases")).unwrap().count() == 0;
    Event {
        contexts: json!({
            "github": {
                "repository": format!("owner/{NAME}"),
                "ref": format!("refs/heads/{branch}"),
                "ref_name": branch,
                "sha": site.history.run(&["rev-parse", branch]),
                "token": "forge-token",
                "api_url": format!("{forge}/api/v1"),
                "event": {},
            },
            "inputs": {"first-release": is_first},
            "secrets": secrets,
        }),
        reference: format!("refs/heads/{branch}"),
        scope: branch.to_owned(),
    }
}

fn release_of(site: &Site, branch: &str, forge: &str, secrets: &Value) -> Option<Job> {
    let mut jobs = run(site, &event(site, branch, forge, secrets));
    // Without a target it looks for one, and ends.
    if let Some(publish) = jobs.remove("publish").unwrap() {
        assert_eq!(publish.step("Publish").outcome, "skipped");
    }
    jobs.remove("build").unwrap()
}

/// Runs all jobs of the release's workflow.
pub(super) fn run(site: &Site, event: &Event) -> BTreeMap<String, Option<Job>> {
    actions::run(site, event, &workflow(site, "release"), &Value::Null)
}

/// The release of the main branch.
pub(super) fn release(site: &Site, forge: &str, secrets: &Value) -> Job {
    release_of(site, "main", forge, secrets).unwrap()
}

const CHECK: &str = "What changed, and the set";

#[test]
fn a_clean_pull_request_passes_and_a_breaking_one_fails() {
    let site = Site::new("forgejo");
    site.propose("clean", Change::Clean);
    // The main branch goes on: the pull request is compared with where it began.
    let job = check(&site, "clean").expect_success();
    job.step(CHECK)
        .ran
        .as_ref()
        .unwrap()
        .said("1 wheel of changed declarations");
    check(&site, "clean").expect_success();
    assert_eq!(site.installations(), 1);
    site.propose("change", Change::Breaking);
    let job = check(&site, "change");
    assert_eq!(job.failed(), [CHECK]);
    let ran = job.step(CHECK).ran.as_ref().unwrap();
    assert_eq!(ran.code, Some(1), "{}", ran.error);
    ran.said("error[missing-dependency]");
    ran.said("--> declarations/application.toml:");
    site.propose("form", Change::Unformatted);
    assert_eq!(check(&site, "form").failed(), ["The form of the files"]);
}

#[test]
fn a_release_is_published_and_the_next_one_follows_it() {
    let site = Site::new("forgejo");
    let (_ending, forge) = site.forge();
    let secrets = json!({"IPWHL_SIGNING_KEY": site.key});
    release(&site, &forge, &secrets).expect_success();
    let published = |number: u64| {
        let folder = site.path(&format!("state/releases/{number}"));
        let text = fs::read_to_string(folder.join("release.json")).unwrap();
        let release: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(release["draft"], false);
        assert_eq!(release["tag_name"], format!("release-{number}"));
        let copy = site.path(&format!("published-{number}"));
        super::site::copy(&folder, &copy);
        fs::remove_file(copy.join("release.json")).unwrap();
        let statement = site.assert_release(&copy, number);
        assert_eq!(
            release["body"],
            format!("The root CID is {}.", statement.root)
        );
        statement
    };
    let first = published(1);
    // Nothing has changed: no second release.
    let job = release(&site, &forge, &secrets).expect_success();
    let said = &job.step("Keep").ran.as_ref().unwrap().output;
    assert_eq!(said, "release-1 is there already\n");
    site.land(Change::Clean);
    release(&site, &forge, &secrets).expect_success();
    assert_eq!(published(2).previous, Some(first.root));
    assert_eq!(
        fs::read_dir(site.path("state/releases")).unwrap().count(),
        2
    );
}

/// A forge that is out of order is not one that has no release yet.
#[test]
fn a_release_without_the_secret_or_the_one_before_fails() {
    let site = Site::new("forgejo");
    let (_ending, forge) = site.forge();
    let job = release(&site, &forge, &json!({}));
    assert_eq!(job.failed(), ["Build and sign"]);
    job.step("Build and sign")
        .ran
        .as_ref()
        .unwrap()
        .said("the secret IPWHL_SIGNING_KEY is not set");
    site.keep("broken", "/releases");
    let job = release(&site, &forge, &json!({"IPWHL_SIGNING_KEY": site.key}));
    assert_eq!(job.failed(), ["The statement of the release before"]);
    let releases = fs::read_dir(site.path("state/releases")).unwrap();
    assert_eq!(releases.count(), 0);
}

/// `workflow_dispatch` runs the workflow of whatever branch somebody names.
#[test]
fn another_branch_is_not_signed() {
    let site = Site::new("forgejo");
    let (_ending, forge) = site.forge();
    site.propose("other", Change::Clean);
    let secrets = json!({"IPWHL_SIGNING_KEY": site.key});
    assert!(release_of(&site, "other", &forge, &secrets).is_none());
}
