//! What happens to a release that is kept: it is published to the targets, again where one was down, and its statement is
//! renewed before it expires.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ipwhl::signature::Statement;
use serde_json::{Value, json};

use super::actions::Job;
use super::github;
use super::site::{Change, Site};
use crate::support::http;
use crate::support::nodes::Node;
use crate::support::workshop::Ran;

fn statement(folder: &Path) -> Statement {
    Statement::parse(&fs::read_to_string(folder.join("release.toml")).unwrap()).unwrap()
}

/// The root that a folder of the kind `directory` shows as its newest.
fn latest(folder: &Path) -> String {
    let link = fs::read_link(folder.join("latest")).unwrap();
    link.to_str().unwrap().to_owned()
}

/// A target that nobody answers at, and a folder besides.
fn closed(site: &Site) -> String {
    let api = http::closed();
    site.configure(&format!(
        "[publish.node]\nkind = \"kubo\"\napi = \"{api}\"\n"
    ));
    api
}

/// The file of the site that names targets, with another address in it.
fn correct(site: &Site, from: &str, to: &str) {
    let path = site.path(super::site::NAME).join("ipwhl.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from));
    fs::write(&path, text.replace(from, to)).unwrap();
    site.history.commit("where the node is");
    site.history.run(&["push", "--quiet", "origin", "main"]);
}

/// The lifetime of a statement, in days.
fn days(statement: &Statement) -> i64 {
    let lifetime = statement.expires.unwrap().duration_since(statement.created);
    lifetime.as_hours() / 24
}

mod on_github {
    use super::*;

    /// A run of the release's workflow for an event of this name.
    struct Run(BTreeMap<String, Option<Job>>);

    impl Run {
        fn of(site: &Site, event: &str, inputs: &Value, has_key: bool) -> Self {
            let mut push = github::push(site);
            push.contexts["github"]["event_name"] = Value::from(event);
            push.contexts["inputs"] = inputs.clone();
            if event == "schedule" {
                push.contexts["github"]["event"] = json!({"schedule": "41 4 * * *"});
            }
            let mut environments =
                json!({"release": {}, "publish": {"IPWHL_PUBLISH_NODE_TOKEN": "x"}});
            if has_key {
                environments["release"]["IPWHL_SIGNING_KEY"] = Value::from(site.key.as_str());
            }
            Self(github::run(site, &push, &environments))
        }

        /// How each job ended, in the order of their names.
        fn ends(&self) -> Vec<(&str, &str)> {
            let jobs = self.0.iter();
            jobs.map(|(name, job)| {
                let end = match job {
                    None => "skipped",
                    Some(job) if job.succeeded() => "success",
                    Some(_) => "failure",
                };
                (name.as_str(), end)
            })
            .collect()
        }

        fn step(&self, job: &str, step: &str) -> &Ran {
            let job = self.0[job].as_ref().unwrap();
            job.step(step).ran.as_ref().unwrap()
        }
    }

    fn site() -> Site {
        let site = Site::new("github");
        github::add_gh(&site);
        site
    }

    const ALL: [(&str, &str); 5] = [
        ("build", "success"),
        ("expiry", "success"),
        ("keep", "success"),
        ("publish", "success"),
        ("targets", "success"),
    ];
    /// With `publish-only`.
    const AGAIN: [(&str, &str); 5] = [
        ("build", "skipped"),
        ("expiry", "success"),
        ("keep", "skipped"),
        ("publish", "success"),
        ("targets", "success"),
    ];

    fn push(site: &Site) -> Run {
        Run::of(site, "push", &json!({}), true)
    }

    fn again(site: &Site) -> Run {
        Run::of(
            site,
            "workflow_dispatch",
            &json!({"publish-only": true}),
            true,
        )
    }

    fn kept(site: &Site) -> usize {
        fs::read_dir(site.path("state/releases")).unwrap().count()
    }

    #[test]
    fn a_release_is_published_once_a_target_exists() {
        let site = site();
        // The file that `init` writes has targets in comments.
        assert!(site.read("ipwhl.toml").contains("# [publish.node]"));
        let run = push(&site);
        assert_eq!(
            run.ends()[3..],
            [("publish", "skipped"), ("targets", "success")]
        );
        let said = &run.step("targets", "The targets in ipwhl.toml").output;
        assert!(said.contains("nothing is published"), "{said}");

        let folder = site.publish_to_a_folder();
        let run = push(&site);
        assert_eq!(run.ends(), ALL);
        let first = statement(&site.path("state/releases/release-1"));
        assert_eq!(latest(&folder), first.root.to_string());
        run.step("publish", "Publish").said("read back");

        // What is published is what is kept, with the statements that lead there.
        site.land(Change::Clean);
        let run = push(&site);
        assert_eq!(run.ends(), ALL);
        let second = statement(&site.path("state/releases/release-2"));
        assert_eq!(latest(&folder), second.root.to_string());
        assert_eq!(statement(&folder.join("statements/2")), second);
        let beside = site.path("machine-publish/temporary/release/statements/1");
        assert_eq!(statement(&beside), first);
        assert!(beside.join("release.toml.sig").exists());

        // Again: nothing changes, here or there.
        let run = again(&site);
        assert_eq!(run.ends(), AGAIN);
        run.step("publish", "Publish").said("had all of it");
        assert_eq!(kept(&site), 2);
    }

    /// The node is down when the release is made; then its address is corrected.
    #[test]
    fn a_target_that_was_down_is_given_the_same_release_later() {
        let site = site();
        let folder = site.publish_to_a_folder();
        let down = closed(&site);
        let run = push(&site);
        assert_eq!(
            run.ends()[2..4],
            [("keep", "success"), ("publish", "failure")]
        );
        assert_eq!(run.step("publish", "Publish").code, Some(3));
        let first = statement(&site.path("state/releases/release-1"));
        // The others have it.
        assert_eq!(latest(&folder), first.root.to_string());
        let run = again(&site);
        assert_eq!(run.ends()[3], ("publish", "failure"));

        let node = Node::start();
        correct(&site, &down, &node.api);
        let run = again(&site);
        assert_eq!(run.ends(), AGAIN);
        let pin = (first.root.to_string(), "ipwhl/my-wheels/1".to_owned());
        assert!(node.pins().contains(&pin), "{:?}", node.pins());
        assert_eq!(kept(&site), 1);
        assert_eq!(statement(&site.path("state/releases/release-1")), first);
    }

    #[test]
    fn a_schedule_renews_what_is_due_and_nothing_else() {
        let site = site();
        let folder = site.publish_to_a_folder();
        let first = site.path("state/releases/release-1");
        site.made(&first, "31d", &[]);
        let schedule = |has_key| Run::of(&site, "schedule", &json!({}), has_key);
        let run = schedule(true);
        assert_eq!(run.ends(), ALL);
        run.step("build", "Build and sign")
            .said("nothing new is signed");
        assert_eq!(kept(&site), 1);
        assert_eq!(latest(&folder), statement(&first).root.to_string());

        fs::remove_dir_all(&first).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        site.made(&first, "29d", &[]);
        assert_eq!(schedule(true).ends(), ALL);
        assert_eq!(kept(&site), 2);
        let renewed = statement(&site.path("state/releases/release-2"));
        renewed.check_successor_of(&statement(&first)).unwrap();
        assert_eq!(renewed.root, statement(&first).root);
        assert_eq!(days(&renewed), 90);
        assert_eq!(statement(&folder.join("statements/latest")), renewed);
    }

    /// Nothing can be signed here; what is kept is published all the same, and the end is announced in time.
    #[test]
    fn a_statement_that_cannot_be_renewed_is_warned_about() {
        let site = site();
        let folder = site.publish_to_a_folder();
        let first = site.path("state/releases/release-1");
        for (lifetime, end) in [("15d", "success"), ("14d", "failure")] {
            let _ = fs::remove_dir_all(&first);
            let _ = fs::remove_dir_all(&folder);
            site.made(&first, lifetime, &[]);
            let run = Run::of(&site, "schedule", &json!({}), false);
            assert_eq!(
                run.ends(),
                [
                    ("build", "failure"),
                    ("expiry", end),
                    ("keep", "skipped"),
                    ("publish", "success"),
                    ("targets", "success"),
                ]
            );
            let said = &run.step("expiry", "The time that is left").output;
            let warning = "::error::the statement of sequence 1 expires in 13 days";
            assert_eq!(said.contains(warning), end == "failure", "{said}");
            assert_eq!(latest(&folder), statement(&first).root.to_string());
        }
        assert_eq!(kept(&site), 1);
    }
}
