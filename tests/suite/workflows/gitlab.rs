//! The pipeline of GitLab CI, run.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::site::{Change, Site, Variables, copy, shell, shown};
use super::yaml::{entries, read, text};
use crate::support::workshop::Ran;

/// A job that ran, and how it ended.
pub(super) struct Job {
    pub(super) name: String,
    pub(super) ran: Ran,
}

/// Whether a rule's condition holds: comparisons of variables and texts, joined by `&&`.
fn holds(condition: &str, variables: &Variables) -> bool {
    let value = |word: &str| match word.strip_prefix('$') {
        Some(name) => variables.get(name).cloned(),
        None => Some(word.trim_matches('"').to_owned()),
    };
    condition.split(" && ").all(|part| {
        let (left, right, is_equal) = match (part.split_once(" == "), part.split_once(" != ")) {
            (Some((left, right)), _) => (left, right, true),
            (_, Some((left, right))) => (left, right, false),
            _ => panic!("{part} is not played here"),
        };
        (value(left) == value(right)) == is_equal
    })
}

/// When a job runs, as the first of its rules that holds says; `None` for never.
fn wanted<'r>(rules: &'r Value, variables: &Variables) -> Option<&'r str> {
    let mut rules = rules.as_array().unwrap().iter();
    let rule = rules.find(|rule| holds(rule["if"].as_str().unwrap(), variables))?;
    let when = rule["when"].as_str().unwrap_or("on_success");
    (when != "never").then_some(when)
}

/// Runs the pipeline of an event: those of its jobs whose rules hold, in the order of their stages.
/// `environments` has the variables of each environment.
pub(super) fn pipeline(
    site: &Site,
    reference: &str,
    event: &Value,
    environments: &Value,
) -> Vec<Job> {
    let file = read(&site.read(".gitlab-ci.yml"));
    let mut jobs: Vec<Job> = Vec::new();
    let stages = file["stages"].as_array().unwrap().iter();
    let names = stages.flat_map(|stage| {
        let named = entries(&file).filter(move |(_, job)| job["stage"] == *stage);
        named.map(|(name, _)| name.as_str())
    });
    for name in names {
        let job = &file[name];
        let (folder, mut variables) = site.machine(&format!("gitlab-{name}"));
        let project = folder.join("project");
        for (name, value) in entries(event) {
            variables.insert(name.clone(), text(value));
        }
        variables.insert("CI_JOB_NAME".to_owned(), name.to_owned());
        variables.insert("CI_PROJECT_DIR".to_owned(), shown(&project));
        variables.insert("CI_DEFAULT_BRANCH".to_owned(), "release/main".to_owned());
        let add = |variables: &mut Variables, layer: &Value| {
            for (name, value) in entries(layer) {
                let value = match value["expand"] {
                    Value::Bool(false) => text(&value["value"]),
                    _ => text(value).replace("$CI_PROJECT_DIR", &shown(&project)),
                };
                variables.insert(name.clone(), value);
            }
        };
        add(&mut variables, &file["variables"]);
        assert_eq!(variables["GIT_DEPTH"], "0");
        if wanted(&file["workflow"]["rules"], &variables).is_none() {
            return Vec::new();
        }
        let has_failed = jobs.iter().any(|job| job.ran.code != Some(0));
        match wanted(&job["rules"], &variables) {
            None => continue,
            Some("on_success") if has_failed => continue,
            Some(_) => {}
        }
        if let Some(environment) = job["environment"]["name"].as_str() {
            add(&mut variables, &environments[environment]);
        }
        let git = |arguments: &[&str]| {
            let output = Command::new(site.path("bin/git"))
                .args(arguments)
                .env("GIT_CONFIG_GLOBAL", "/dev/null")
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
        };
        git(&["clone", "--quiet", &site.origin(), &shown(&project)]);
        git(&[
            "-C",
            &shown(&project),
            "checkout",
            "--quiet",
            "--detach",
            reference,
        ]);
        // Caches are kept apart by what GitLab adds to their keys.
        let is_protected = event["CI_COMMIT_REF_PROTECTED"] == "true";
        let key = text(&job["cache"]["key"]);
        assert!(!key.contains('$'), "{key}");
        let has_cache = !job["cache"].is_null();
        let ending = if is_protected {
            "protected"
        } else {
            "non_protected"
        };
        let cache = site.path("state/caches").join(format!("{key}-{ending}"));
        let cached = project.join(text(&job["cache"]["paths"][0]));
        if has_cache && cache.exists() {
            copy(&cache, &cached);
        }
        let before = match &job["before_script"] {
            Value::Null => &file["default"]["before_script"],
            own => own,
        };
        let lines = [before, &job["script"]];
        let lines: Vec<&str> = lines
            .into_iter()
            .flat_map(|lines| lines.as_array().unwrap())
            .map(|line| line.as_str().unwrap())
            .collect();
        let mut variables = variables.clone();
        add(&mut variables, &job["variables"]);
        let ran = shell(
            &project,
            &["-eo", "pipefail"],
            &lines.join("\n"),
            &variables,
        );
        let is_success = ran.code == Some(0);
        if has_cache && cached.exists() && (is_success || job["cache"]["when"] == "always") {
            let _ = fs::remove_dir_all(&cache);
            copy(&cached, &cache);
        }
        let artifacts = &job["artifacts"];
        if is_success || artifacts["when"] == "always" {
            let store = site.path("state/artifacts").join(name);
            let _ = fs::remove_dir_all(&store);
            let reports = entries(&artifacts["reports"]).map(|(_, path)| path);
            let paths = artifacts["paths"].as_array().into_iter().flatten();
            for path in paths.chain(reports) {
                let path = path.as_str().unwrap();
                let found = project.join(path);
                if is_success || found.exists() {
                    copy(&found, &store.join(path.trim_end_matches('/')));
                }
            }
        }
        jobs.push(Job {
            name: name.to_owned(),
            ran,
        });
    }
    jobs
}

pub(super) fn merge_request(site: &Site, branch: &str) -> Job {
    let event = json!({
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": site.history.run(&["merge-base", "main", branch]),
        "CI_COMMIT_REF_PROTECTED": "false",
    });
    let mut jobs = pipeline(site, &format!("origin/{branch}"), &event, &Value::Null);
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].name, "check");
    jobs.remove(0)
}

/// Why the pipeline of the default branch runs, with more variables.
pub(super) fn event(site: &Site, forge: &str, more: &Value) -> Value {
    let mut event = json!({
        "CI_PIPELINE_SOURCE": "push",
        "CI_COMMIT_BRANCH": "release/main",
        "CI_COMMIT_REF_PROTECTED": "true",
        "CI_API_V4_URL": format!("{forge}/api/v4"),
        "CI_PROJECT_ID": "7",
        "CI_JOB_TOKEN": "job-token",
    });
    // It has the same commits, and a name that is no part of an address.
    let branch = "main:refs/heads/release/main";
    site.history.run(&["push", "--quiet", "origin", branch]);
    event["CI_COMMIT_SHA"] = Value::from(site.history.run(&["rev-parse", "main"]));
    for (name, value) in entries(more) {
        event[name] = value.clone();
    }
    event
}

/// The job that releases. There is no target yet, and nothing that is about to expire.
pub(super) fn push(site: &Site, forge: &str, more: &Value) -> Job {
    let event = event(site, forge, more);
    let mut jobs = pipeline(site, "origin/main", &event, &Value::Null);
    let names: Vec<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["release", "expiry", "publish"]);
    jobs.remove(0)
}

#[test]
fn a_merge_request_is_checked() {
    let site = Site::new("gitlab");
    site.propose("clean", Change::Clean);
    let job = merge_request(&site, "clean");
    assert_eq!(job.ran.code, Some(0), "{:?}", job.ran);
    job.ran.said("1 wheel of changed declarations");
    let report = || {
        let text =
            fs::read_to_string(site.path("state/artifacts/check/gl-code-quality-report.json"));
        serde_json::from_str::<Value>(&text.unwrap()).unwrap()
    };
    assert_eq!(report(), json!([]));
    assert!(site.path("state/artifacts/check/ipwhl-check.md").exists());
    // No cache decides what is run.
    merge_request(&site, "clean");
    assert_eq!(site.installations(), 2);

    site.propose("change", Change::Breaking);
    let job = merge_request(&site, "change");
    assert_eq!(job.ran.code, Some(1), "{}", job.ran.error);
    let report = report();
    assert_eq!(report.as_array().unwrap().len(), 1, "{report}");
    assert_eq!(report[0]["check_name"], "missing-dependency");
    assert_eq!(
        report[0]["location"]["path"],
        "declarations/application.toml"
    );
    let application = site.read("declarations/application.toml");
    let line = application
        .lines()
        .position(|line| line.contains("library>=2"))
        .unwrap()
        + 1;
    assert_eq!(report[0]["location"]["lines"]["begin"], line);

    site.propose("form", Change::Unformatted);
    assert_eq!(merge_request(&site, "form").ran.code, Some(1));
}

/// The variables of the pipeline with which somebody begins.
fn first(variables: &Value) -> Value {
    let mut variables = variables.clone();
    variables["IPWHL_FIRST_RELEASE"] = Value::from("true");
    variables["CI_PIPELINE_SOURCE"] = Value::from("web");
    variables
}

#[test]
fn a_release_is_built_signed_and_verified_and_the_next_one_follows_it() {
    let site = Site::new("gitlab");
    let (_ending, forge) = site.forge();
    // A variable of the type File is the path of one.
    let key = json!({"IPWHL_SIGNING_KEY": shown(&site.path("key"))});
    let job = push(&site, &forge, &first(&key));
    assert_eq!(job.ran.code, Some(0), "{:?}", job.ran);
    let kept = |sequence: u64| {
        let folder = site.path(&format!("state/packages/{sequence}"));
        site.assert_release(&folder, sequence)
    };
    let first = kept(1);
    let job = push(&site, &forge, &key);
    assert_eq!(job.ran.code, Some(0), "{:?}", job.ran);
    job.ran.said("already has this root");
    assert_eq!(
        job.ran.output.lines().last(),
        Some("release 1 is kept already")
    );
    assert_eq!(kept(1), first);
    site.land(Change::Clean);
    // A run that was cut has brought a part of the next one.
    let cut = site.path("state/packages/2");
    fs::create_dir(&cut).unwrap();
    fs::write(cut.join("release.car"), "a part").unwrap();
    let job = push(&site, &forge, &key);
    assert_eq!(job.ran.code, Some(0), "{:?}", job.ran);
    assert_eq!(kept(2).previous, Some(first.root));
}

#[test]
fn a_release_that_cannot_be_right_fails_and_says_so() {
    let site = Site::new("gitlab");
    let (_ending, forge) = site.forge();
    let key = json!({"IPWHL_SIGNING_KEY": shown(&site.path("key"))});
    let job = push(&site, &forge, &json!({}));
    assert_eq!(job.ran.code, Some(1), "{}", job.ran.error);
    job.ran.said("the variable IPWHL_SIGNING_KEY is not set");
    let mut unprotected = key.clone();
    unprotected["CI_COMMIT_REF_PROTECTED"] = Value::from("false");
    let job = push(&site, &forge, &unprotected);
    assert_eq!(job.ran.code, Some(1), "{}", job.ran.error);
    job.ran.said("is not protected");
    // Without its artifacts nobody knows whether there was a release before.
    let job = push(&site, &forge, &key);
    assert_eq!(job.ran.code, Some(1), "{}", job.ran.error);
    job.ran.said("GitLab has no release to follow");
    // Pipelines that wait for each other may run in another order.
    let mut late = first(&key);
    late["CI_COMMIT_SHA"] = Value::from(site.history.run(&["rev-parse", "main"]));
    site.land(Change::Clean);
    let job = push(&site, &forge, &late);
    assert_eq!(job.ran.code, Some(0), "{}", job.ran.error);
    assert!(job.ran.output.contains("is not released"), "{:?}", job.ran);
    // As a setting of the project it would hold for ever.
    let mut settings = first(&key);
    settings["CI_PIPELINE_SOURCE"] = Value::from("push");
    let job = push(&site, &forge, &settings);
    assert_eq!(job.ran.code, Some(1), "{}", job.ran.error);
    job.ran.said("remove them from the settings");
    // A forge that is out of order is not one that has no release yet.
    site.keep("broken", "");
    let job = push(&site, &forge, &key);
    assert_eq!(job.ran.code, Some(1), "{}", job.ran.error);
    job.ran.said("HTTP Error 500");
    assert!(
        fs::read_dir(site.path("state/packages"))
            .unwrap()
            .next()
            .is_none()
    );
}

#[test]
fn other_branches_have_no_pipeline_and_caches_are_kept_apart() {
    let site = Site::new("gitlab");
    let event = json!({"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "other"});
    assert!(pipeline(&site, "origin/main", &event, &Value::Null).is_empty());
    site.propose("clean", Change::Clean);
    merge_request(&site, "clean");
    let (_ending, forge) = site.forge();
    push(
        &site,
        &forge,
        &json!({"IPWHL_SIGNING_KEY": shown(&site.path("key"))}),
    );
    assert_eq!(site.installations(), 2);
}
