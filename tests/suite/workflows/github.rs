//! The workflows of GitHub Actions, run.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use super::actions::{self, Event, Job, Machine};
use super::site::{Change, NAME, Site, executable};
use super::yaml::read;

fn site() -> Site {
    let site = Site::new("github");
    add_gh(&site);
    site
}

/// Gives the machines of a site the program `gh`.
pub(super) fn add_gh(site: &Site) {
    let gh = site.path("bin/gh");
    fs::write(&gh, include_str!("gh")).unwrap();
    executable(&gh);
}

fn workflow(site: &Site, name: &str) -> Value {
    read(&site.read(&format!(".github/workflows/ipwhl-{name}.yml")))
}

/// A pull request from this branch, merged into the main one as GitHub does for the run.
fn pull_request(site: &Site, branch: &str) -> Event {
    let history = &site.history;
    history.run(&["checkout", "--quiet", "--detach", "main"]);
    history.run(&["merge", "--quiet", "--no-ff", "-m", "Merge", branch]);
    history.run(&[
        "push",
        "--quiet",
        "--force",
        "origin",
        "HEAD:refs/pull/1/merge",
    ]);
    history.run(&["checkout", "--quiet", "main"]);
    Event {
        contexts: json!({
            "github": {
                "repository": format!("owner/{NAME}"),
                "sha": history.run(&["rev-parse", branch]),
                "event": {"pull_request": {"number": 1}},
            },
            // A fork's run gets none, whatever it asks for.
            "secrets": {},
        }),
        reference: "refs/pull/1/merge".to_owned(),
        scope: "refs/pull/1/merge".to_owned(),
    }
}

/// A push to the main branch. Where nothing is kept yet, it is the run that somebody has to start
/// by hand.
pub(super) fn push(site: &Site) -> Event {
    let is_first = fs::read_dir(site.path("state/releases")).unwrap().count() == 0;
    Event {
        contexts: json!({
            "github": {
                "event_name": "push",
                "repository": format!("owner/{NAME}"),
                "ref_name": "main",
                "ref_type": "branch",
                "run_id": 8,
                "sha": site.history.run(&["rev-parse", "main"]),
                "event": {"repository": {"fork": false, "default_branch": "main"}},
            },
            "inputs": {"first-release": is_first},
            "secrets": {},
        }),
        reference: "refs/heads/main".to_owned(),
        scope: "main".to_owned(),
    }
}

pub(super) fn check(site: &Site, branch: &str) -> Job {
    let event = pull_request(site, branch);
    let machine = Machine::new(site, &event, "check");
    machine.run(&workflow(site, "check"), "check").unwrap()
}

/// Runs the release: the job that builds, and the one that keeps what it has built if that went
/// well. There is no target yet.
pub(super) fn release(site: &Site, secrets: &Value) -> (Job, Option<Job>) {
    let mut jobs = run(site, &push(site), &json!({"release": secrets}));
    assert!(jobs.remove("publish").unwrap().is_none());
    let keep = jobs.remove("keep").unwrap();
    (jobs.remove("build").unwrap().unwrap(), keep)
}

/// Runs the failed job `keep` of a run again, which had built this sequence.
pub(super) fn keep_again(site: &Site, sequence: u64) -> Job {
    let event = push(site);
    let needs =
        json!({"build": {"result": "success", "outputs": {"sequence": sequence.to_string()}}});
    let machine = Machine::new(site, &event, "keep").needing(needs);
    machine.run(&workflow(site, "release"), "keep").unwrap()
}

/// Runs all jobs of the release's workflow.
pub(super) fn run(
    site: &Site,
    event: &Event,
    environments: &Value,
) -> BTreeMap<String, Option<Job>> {
    actions::run(site, event, &workflow(site, "release"), environments)
}

const CHECK: &str = "What changed, and the set";

#[test]
fn a_clean_pull_request_passes() {
    let site = site();
    site.propose("change", Change::Clean);
    let job = check(&site, "change").expect_success();
    let ran = job.step(CHECK).ran.as_ref().unwrap();
    assert_eq!(ran.output, "", "{}", ran.error);
    ran.said("1 wheel of changed declarations");
    let kept = fs::read_to_string(site.path("state/artifacts/ipwhl-comment/comment.txt")).unwrap();
    let indented: Vec<String> = kept.lines().map(|line| format!("    {line}\n")).collect();
    assert_eq!(job.summary, format!("\n{}", indented.concat()));
    assert!(!kept.is_empty());
    // The second run has the program, and the wheel that the first one fetched.
    assert_eq!(site.installations(), 1);
    check(&site, "change").expect_success();
    assert_eq!(site.installations(), 1);
}

#[test]
fn a_pull_request_that_breaks_something_fails_at_the_line() {
    let site = site();
    site.propose("change", Change::Breaking);
    let job = check(&site, "change");
    assert_eq!(job.failed(), [CHECK]);
    let ran = job.step(CHECK).ran.as_ref().unwrap();
    assert_eq!(ran.code, Some(1), "{}", ran.error);
    let text = site.read("declarations/application.toml");
    let line = text
        .lines()
        .position(|line| line.contains("library>=2"))
        .unwrap()
        + 1;
    let annotation = format!("::error file=declarations/application.toml,line={line},");
    assert!(ran.output.starts_with(&annotation), "{}", ran.output);
    assert!(
        job.summary.contains("missing-dependency"),
        "{}",
        job.summary
    );
    assert_eq!(job.step("Keep the text").outcome, "success");
}

#[test]
fn what_is_not_in_its_form_fails_and_the_rest_is_looked_at_all_the_same() {
    let site = site();
    site.propose("change", Change::Unformatted);
    let job = check(&site, "change");
    assert_eq!(job.failed(), ["The form of the files"]);
    let ran = job.step("The form of the files").ran.as_ref().unwrap();
    assert_eq!(ran.code, Some(1), "{}", ran.error);
    assert_eq!(job.step(CHECK).outcome, "success");
}

#[test]
fn a_release_is_built_signed_verified_and_published_and_the_next_one_follows_it() {
    let site = site();
    let secrets = json!({"IPWHL_SIGNING_KEY": site.key});
    let (build, publish) = release(&site, &secrets);
    build.expect_success();
    publish.unwrap().expect_success();
    let artifact = site.path("state/artifacts/release-1");
    let first = site.assert_release(&artifact, 1);
    site.assert_release(&site.path("state/releases/release-1"), 1);
    let created = fs::read_to_string(site.path("state/created-release-1")).unwrap();
    assert!(
        created.contains(&format!("The root CID is `{}`.", first.root)),
        "{created}"
    );

    // Nothing has changed: the same statement, and no second release.
    let (build, publish) = release(&site, &secrets);
    build.expect_success();
    let publish = publish.unwrap().expect_success();
    let said = &publish.step("Keep").ran.as_ref().unwrap().output;
    assert_eq!(said, "release-1 is there already\n");
    site.assert_release(&artifact, 1);

    // Ten is after nine, and follows it.
    site.land(Change::Clean);
    let (build, publish) = release(&site, &secrets);
    build.expect_success();
    publish.unwrap().expect_success();
    let second = site.assert_release(&site.path("state/releases/release-2"), 2);
    assert_eq!(second.previous, Some(first.root));
    // No cache decides what runs beside the key.
    assert_eq!(site.installations(), 3);
}

#[test]
fn a_release_without_the_secret_fails_and_says_so() {
    let site = site();
    let (build, publish) = release(&site, &json!({}));
    assert_eq!(build.failed(), ["Build and sign"]);
    let ran = build.step("Build and sign").ran.as_ref().unwrap();
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.output
            .contains("::error::the secret IPWHL_SIGNING_KEY is not set"),
        "{}",
        ran.output
    );
    assert!(publish.is_none());
    assert!(!site.path("state/artifacts/release-1").exists());
}

/// A set with an error is not released, whatever was merged.
#[test]
fn a_broken_set_is_not_released() {
    let site = site();
    site.land(Change::Breaking);
    let (build, _) = release(&site, &json!({"IPWHL_SIGNING_KEY": site.key}));
    assert_eq!(build.failed(), ["Build and sign"]);
    let ran = build.step("Build and sign").ran.as_ref().unwrap();
    ran.said("nothing was built: 1 error");
    assert!(!site.path("state/artifacts/release-1").exists());
}

#[test]
fn a_fork_and_a_tag_release_nothing() {
    let site = site();
    site.publish_to_a_folder();
    let secrets = json!({"release": {"IPWHL_SIGNING_KEY": site.key}, "publish": {"SECRET": "x"}});
    let changes: [(&str, Value); 4] = [
        ("/github/event/repository/fork", Value::from(true)),
        // A tag with the branch's name, for which somebody starts it.
        ("/github/ref_type", Value::from("tag")),
        ("/github/ref_name", Value::from("another")),
        ("/github/event/repository/default_branch", Value::Null),
    ];
    for (place, value) in changes {
        let mut event = push(&site);
        *event.contexts.pointer_mut(place).unwrap() = value;
        let jobs = run(&site, &event, &secrets);
        assert!(jobs.values().all(Option::is_none), "{place}");
        assert_eq!(jobs.len(), 5);
    }
}

/// What a pull request puts into the cache, the build that signs does not get.
#[test]
fn the_cache_of_a_pull_request_is_out_of_the_releases_reach() {
    let site = site();
    site.propose("change", Change::Clean);
    check(&site, "change").expect_success();
    assert_eq!(site.installations(), 1);
    let (build, _) = release(&site, &json!({"IPWHL_SIGNING_KEY": site.key}));
    build.expect_success();
    assert_eq!(site.installations(), 2);
    // The other way round it is: a new pull request has the program and the wheels of the main
    // branch.
    fs::remove_dir_all(site.path("state/caches/refs-pull-1-merge")).unwrap();
    check(&site, "change").expect_success();
    assert_eq!(site.installations(), 2);
}

/// The run of the comment's workflow after a check of this commit.
fn comment(site: &Site, commit: &str) -> Option<Job> {
    let event = Event {
        contexts: json!({
            "github": {
                "repository": format!("owner/{NAME}"),
                "event": {"workflow_run": {
                    "id": 99,
                    "event": "pull_request",
                    "head_sha": commit,
                    "head_branch": "change",
                    "head_repository": {"id": 5, "owner": {"login": "stranger"}},
                }},
            },
            // This workflow is the main branch's: it could name secrets, and does not.
            "secrets": {},
        }),
        reference: "nothing is checked out".to_owned(),
        scope: "main".to_owned(),
    };
    let machine = Machine::new(site, &event, "comment");
    machine.run(&workflow(site, "comment"), "comment")
}

fn comments(site: &Site) -> Vec<Value> {
    let text = fs::read_to_string(site.path("state/comments.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_comment_says_what_the_check_found_and_stays_one() {
    let site = site();
    let commit = site.propose("change", Change::Breaking);
    check(&site, "change");
    let pulls = json!([
        {"label": "stranger:change", "number": 1, "head": {"sha": commit}},
        {"label": "other:change", "number": 2, "head": {"sha": commit}},
    ]);
    site.keep("pulls.json", &pulls.to_string());
    site.keep("comments.json", "[]");
    comment(&site, &commit).unwrap().expect_success();
    comment(&site, &commit).unwrap().expect_success();
    let written = comments(&site);
    assert_eq!(written.len(), 1, "{written:?}");
    let body = written[0]["body"].as_str().unwrap();
    let start = format!(
        "<!-- ipwhl -->\n`ipwhl check` of {}, as the pull request's own run wrote it:\n\n",
        &commit[..12]
    );
    assert!(body.starts_with(&start), "{body}");
    assert!(body.contains("missing-dependency"), "{body}");

    // A commit that the pull request has left behind says nothing any more.
    let job = comment(&site, &"0".repeat(40)).unwrap().expect_success();
    assert!(
        job.step("Comment")
            .ran
            .as_ref()
            .unwrap()
            .output
            .contains("no open pull request")
    );
    assert_eq!(comments(&site), written);
}

/// The artifact is a stranger's: however it looks, nothing but text of a comment's size is written.
#[test]
fn what_a_check_has_left_is_data() {
    let site = site();
    let commit = site.propose("change", Change::Clean);
    let pulls = json!([{"label": "stranger:change", "number": 1, "head": {"sha": commit}}]);
    site.keep("pulls.json", &pulls.to_string());
    site.keep("comments.json", "[]");
    // Nothing at all.
    comment(&site, &commit).unwrap().expect_success();
    assert_eq!(comments(&site).len(), 0);
    // A link to what only this job can read.
    let artifact = site.path("state/artifacts/ipwhl-comment");
    fs::create_dir(&artifact).unwrap();
    std::os::unix::fs::symlink("/proc/self/environ", artifact.join("comment.txt")).unwrap();
    let job = comment(&site, &commit).unwrap();
    assert_eq!(job.failed(), ["Comment"]);
    assert_eq!(comments(&site).len(), 0);
    // Words for a shell, bytes that are no text, and far too many of them.
    fs::remove_file(artifact.join("comment.txt")).unwrap();
    let mut bytes = b"$(touch \"$FORGE_STATE/touched\") `touch $FORGE_STATE/touched` ${{ github.token }}\n\xff\xfe".to_vec();
    bytes.extend("ä".repeat(100_000).into_bytes());
    fs::write(artifact.join("comment.txt"), bytes).unwrap();
    comment(&site, &commit).unwrap().expect_success();
    let written = comments(&site);
    let body = written[0]["body"].as_str().unwrap();
    assert!(
        body.contains("$(touch ") && body.contains("${{ github.token }}"),
        "{}",
        &body[..300]
    );
    assert!(body.chars().count() < 65_536);
    assert!(!site.path("state/touched").exists());
}

/// A comment shows what a stranger has written as it stands: every line of it is code, whatever it
/// holds.
#[test]
fn nothing_of_a_stranger_is_live_in_the_comment() {
    let site = site();
    let commit = site.propose("change", Change::Clean);
    let pulls = json!([{"label": "stranger:change", "number": 1, "head": {"sha": commit}}]);
    site.keep("pulls.json", &pulls.to_string());
    let artifact = site.path("state/artifacts/ipwhl-comment");
    fs::create_dir(&artifact).unwrap();
    let hostile = "@team #1 https://example.org ![x](https://example.org/x.png) [a](javascript:b)\n\
        ```\n@team\n~~~~\n</code></pre><img src=x onerror=y>\n<!-- ipwhl -->\n--> <details>\n\
        \n\n# heading\n\r@after a carriage return\n\u{b}@vertical\u{c}@feed\n\0@nul\n\
        \u{202e}turned\u{2066}\u{200b}\u{2028}@separator\u{85}@next\u{61c}\u{feff}\u{e0041}\u{ad}\u{9b}31m\u{1b}[8m\n\
        | a | b |\n|---|---|\n1. list\n> quote\nGH-1 owner/name#1 the last line without an end @team";
    // What is no text must not leave halves that come together as a character.
    let halves = b"\xe2\x80\xe2\x80\xae\xae \xc2\xc2\x9b\x9b \xe2\x80\xe2\x80\x8b\x8b\n".to_vec();
    let texts = [
        hostile.to_owned(),
        hostile.repeat(2000),
        "`".repeat(70_000),
        "\n".repeat(70_000),
    ];
    for text in texts.map(String::into_bytes).into_iter().chain([halves]) {
        site.keep("comments.json", "[]");
        fs::write(artifact.join("comment.txt"), &text).unwrap();
        comment(&site, &commit).unwrap().expect_success();
        let written = comments(&site);
        let body = written[0]["body"].as_str().unwrap();
        assert!(body.chars().count() < 65_536);
        // CommonMark 4.4: after a blank line, each line with four spaces before it is code. A line
        // ends with a line feed or a carriage return, and with nothing else.
        let (head, code) = body.split_once(":\n\n").unwrap();
        assert_eq!(head.lines().count(), 2, "{head}");
        assert!(!code.contains('\r'));
        for line in code.split('\n') {
            assert!(line.is_empty() || line.starts_with("    "), "{line:?}");
        }
        let hidden = code
            .chars()
            .find(|sign| ipwhl::foundation::diagnostic::is_hidden(*sign) && *sign != '\n');
        assert_eq!(hidden, None);
    }
}
