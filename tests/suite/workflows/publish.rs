//! What happens to a release that is kept: it is published to the targets, again where one was
//! down, and its statement is renewed before it expires.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use ipwhl::release::statement::Statement;
use serde_json::{Value, json};

use super::actions::Job;
use super::site::{Change, NAME, Site};
use super::yaml::entries;
use super::{forgejo, github, gitlab};
use crate::support::http;
use crate::support::nodes::Node;
use crate::support::workshop::{Ending, Ran};

/// Why a run begins.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Event {
    /// A push; the first release somebody starts by hand.
    Push,
    Schedule,
    /// Somebody starts it by hand, and sets this.
    ByHand(&'static str),
}

/// Somebody has the newest release published again.
const AGAIN: Event = Event::ByHand("publish-only");

/// How a part of a run ended; `None` where it was not wanted.
pub(super) type End = Option<bool>;

/// How a run ended: the building, signing and keeping of a release; its publication; the look at
/// its expiry.
pub(super) struct Run {
    pub(super) release: End,
    publish: End,
    expiry: End,
    /// What each has written.
    pub(super) said: [String; 3],
    /// The exit code of `ipwhl publish`.
    code: Option<i32>,
}

impl Run {
    pub(super) fn ends(&self) -> [End; 3] {
        [self.release, self.publish, self.expiry]
    }

    #[track_caller]
    pub(super) fn said(&self, part: usize, words: &str) {
        assert!(
            self.said[part].contains(words),
            "no {words} in {}",
            self.said[part]
        );
    }
}

pub(super) const WELL: End = Some(true);
pub(super) const FAILED: End = Some(false);
pub(super) const NONE: End = None;

/// A forge that is played, and a repository on it.
pub(super) struct Forge {
    pub(super) name: &'static str,
    pub(super) site: Site,
    address: String,
    _server: Ending,
}

/// All that some steps have written.
fn text<'r>(runs: impl IntoIterator<Item = &'r Ran>) -> String {
    let texts = runs.into_iter().map(|ran| ran.output.clone() + &ran.error);
    texts.collect()
}

fn of_job(job: Option<&Job>) -> (End, String) {
    let Some(job) = job else {
        return (None, String::new());
    };
    let runs = job.steps.iter().filter_map(|step| step.ran.as_ref());
    (Some(job.succeeded()), text(runs))
}

impl Forge {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        ["github", "forgejo", "gitlab"].into_iter().map(|name| {
            let site = Site::new(name);
            github::add_gh(&site);
            let (server, address) = site.forge();
            Self {
                name,
                site,
                address,
                _server: server,
            }
        })
    }

    pub(super) fn run(&self, event: Event, has_key: bool) -> Run {
        self.run_of(
            &self.site.history.run(&["rev-parse", "main"]),
            event,
            has_key,
        )
    }

    /// The run of a commit, which may be an old one.
    pub(super) fn run_of(&self, commit: &str, event: Event, has_key: bool) -> Run {
        match self.name {
            "github" => self.on_github(commit, event, has_key),
            "forgejo" => self.on_forgejo(commit, event, has_key),
            _ => self.on_gitlab(commit, event, has_key),
        }
    }

    /// The secrets of the job that publishes.
    fn target_secrets() -> Value {
        json!({"IPWHL_PUBLISH_NODE_TOKEN": "target-secret"})
    }

    /// The secrets of the job that signs.
    fn secrets(&self, has_key: bool) -> Value {
        match (has_key, self.name) {
            (false, _) => json!({}),
            (true, "gitlab") => json!({"IPWHL_SIGNING_KEY": self.site.path("key")}),
            (true, _) => json!({"IPWHL_SIGNING_KEY": self.site.key}),
        }
    }

    fn on_github(&self, commit: &str, event: Event, has_key: bool) -> Run {
        let mut push = github::push(&self.site);
        commit.clone_into(&mut push.reference);
        push.contexts["github"]["sha"] = Value::from(commit);
        match event {
            Event::Push => {}
            Event::Schedule => {
                push.contexts["github"]["event_name"] = Value::from("schedule");
                push.contexts["github"]["event"] = json!({"schedule": "41 4 * * *"});
                push.contexts["inputs"] = json!({});
            }
            Event::ByHand(input) => push.contexts["inputs"] = json!({input: true}),
        }
        let environments =
            json!({"release": self.secrets(has_key), "publish": Self::target_secrets()});
        let jobs = github::run(&self.site, &push, &environments);
        let (build, said) = of_job(jobs["build"].as_ref());
        let (keep, kept) = of_job(jobs["keep"].as_ref());
        let (publish, published) = of_job(jobs["publish"].as_ref());
        let (expiry, expires) = of_job(jobs["expiry"].as_ref());
        let step = jobs["publish"].as_ref().map(|job| job.step("Publish"));
        Run {
            release: build.map(|build| build && keep != FAILED),
            publish,
            expiry,
            said: [said + &kept, published, expires],
            code: step.and_then(|step| step.ran.as_ref()?.code),
        }
    }

    fn on_forgejo(&self, commit: &str, event: Event, has_key: bool) -> Run {
        let mut secrets = self.secrets(has_key);
        for (name, value) in entries(&Self::target_secrets()) {
            secrets[name] = value.clone();
        }
        let mut push = forgejo::event(&self.site, "main", &self.address, &secrets);
        commit.clone_into(&mut push.reference);
        push.contexts["github"]["sha"] = Value::from(commit);
        match event {
            Event::Push => {}
            Event::Schedule => push.contexts["inputs"] = json!({}),
            Event::ByHand(input) => push.contexts["inputs"] = json!({input: true}),
        }
        let jobs = forgejo::run(&self.site, &push);
        let job = jobs["publish"].as_ref().unwrap();
        let step = job.step("Publish");
        let (publish, published) = of_job(Some(job));
        let publish = publish.filter(|_| step.outcome != "skipped");
        let code = step.ran.as_ref().and_then(|ran| ran.code);
        let Some(build) = jobs["build"].as_ref() else {
            return Run {
                release: None,
                publish,
                expiry: None,
                said: [String::new(), published, String::new()],
                code,
            };
        };
        let (_, said) = of_job(Some(build));
        let expiry = build.step("Expiry");
        Run {
            release: Some(build.failed().is_empty() || build.failed() == ["Expiry"]),
            publish,
            expiry: Some(expiry.outcome == "success"),
            said: [said, published, text(&expiry.ran)],
            code,
        }
    }

    fn on_gitlab(&self, commit: &str, event: Event, has_key: bool) -> Run {
        let by_hand = |input: &str| {
            let variable = format!("IPWHL_{}", input.replace('-', "_").to_uppercase());
            json!({"CI_PIPELINE_SOURCE": "web", variable: "true"})
        };
        let mut more = match event {
            Event::Push if self.count() == 0 => by_hand("first-release"),
            Event::Push => json!({}),
            Event::Schedule => json!({"CI_PIPELINE_SOURCE": "schedule"}),
            Event::ByHand(input) => by_hand(input),
        };
        more["CI_COMMIT_SHA"] = Value::from(commit);
        let environments =
            json!({"release": self.secrets(has_key), "publish": Self::target_secrets()});
        let event = gitlab::event(&self.site, &self.address, &more);
        let jobs = gitlab::pipeline(&self.site, commit, &event, &environments);
        let of = |name: &str| {
            let job = jobs.iter().find(|job| job.name == name);
            let end = job.map(|job| job.ran.code == Some(0));
            (end, text(job.map(|job| &job.ran)), job)
        };
        let (release, said, _) = of("release");
        let (publish, published, job) = of("publish");
        let (expiry, expires, _) = of("expiry");
        let is_off = published.contains("nothing is published");
        Run {
            release,
            publish: publish.filter(|_| !is_off),
            expiry,
            said: [said, published, expires],
            code: job.and_then(|job| job.ran.code),
        }
    }

    /// How a run ends that somebody has started for publication alone. On Forgejo the job that
    /// builds looks at the expiry.
    fn again(&self) -> [End; 3] {
        match self.name {
            "forgejo" => [NONE, WELL, NONE],
            _ => [NONE, WELL, WELL],
        }
    }

    /// Where the forge keeps the release of a sequence.
    pub(super) fn kept(&self, sequence: u64) -> PathBuf {
        self.site.path(&match self.name {
            "github" => format!("state/releases/release-{sequence}"),
            "forgejo" => format!("state/releases/{sequence}"),
            _ => format!("state/packages/{sequence}"),
        })
    }

    pub(super) fn statement(&self, sequence: u64) -> Statement {
        statement(&self.kept(sequence))
    }

    /// How many releases are kept.
    pub(super) fn count(&self) -> usize {
        fs::read_dir(self.kept(1).parent().unwrap())
            .unwrap()
            .count()
    }

    /// Keeps a first release whose statement holds for so long.
    pub(super) fn keep_first(&self, lifetime: &str) {
        let folder = self.kept(1);
        let _ = fs::remove_dir_all(&folder);
        self.site.made(&folder, lifetime);
        if self.name == "forgejo" {
            let release = json!({"tag_name": "release-1", "draft": false, "id": 1});
            fs::write(folder.join("release.json"), release.to_string()).unwrap();
        }
    }
}

impl Forge {
    /// Makes the statement of the first release one that has expired.
    pub(super) fn expire(&self) {
        let file = self.kept(1).join("release.toml");
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().map(|line| match line.split_once(" = ") {
            Some(("created", _)) => "created = 2001-02-03T04:05:06Z\n".to_owned(),
            Some(("expires", _)) => "expires = 2001-05-03T04:05:06Z\n".to_owned(),
            _ => format!("{line}\n"),
        });
        fs::write(&file, lines.collect::<String>()).unwrap();
        let _ = fs::remove_file(self.kept(1).join("release.toml.sig"));
        let signed = Command::new(self.site.path("bin/ssh-keygen"))
            .args(["-Y", "sign", "-n", "ipwhl-release", "-f"])
            .arg(self.site.path("key"))
            .arg(&file)
            .output()
            .unwrap();
        assert!(signed.status.success(), "{signed:?}");
    }

    /// What the server of the forge was asked for.
    pub(super) fn requests(&self) -> Vec<String> {
        let text = fs::read_to_string(self.site.path("state/requests")).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

fn statement(folder: &Path) -> Statement {
    Statement::parse(&fs::read_to_string(folder.join("release.toml")).unwrap()).unwrap()
}

/// The root that a folder of the kind `directory` shows as its newest.
fn latest(folder: &Path) -> String {
    let link = fs::read_link(folder.join("latest")).unwrap();
    link.to_str().unwrap().to_owned()
}

#[test]
fn a_release_is_published_once_a_target_exists() {
    for forge in Forge::all() {
        let site = &forge.site;
        // The file that `init` writes has targets in comments.
        assert!(site.read("ipwhl.toml").contains("# [publish.node]"));
        let run = forge.run(Event::Push, true);
        assert_eq!(run.ends(), [WELL, NONE, WELL], "{}", forge.name);

        let folder = site.publish_to_a_folder();
        let run = forge.run(Event::Push, true);
        assert_eq!(run.ends(), [WELL; 3], "{}: {:#?}", forge.name, run.said);
        run.said(1, "read back");
        let first = forge.statement(1);
        assert_eq!(forge.count(), 1);
        assert_eq!(latest(&folder), first.root.to_string());

        // For a while there is no target. Then the folder gets what is newest, by way of the
        // statements in between.
        let settings = site.read("ipwhl.toml");
        let (before, target) = settings.split_once("[publish.site]").unwrap();
        site.settings(before);
        site.land(Change::Clean);
        let run = forge.run(Event::Push, true);
        assert_eq!(run.ends(), [WELL, NONE, WELL], "{}", forge.name);
        let target = format!("[publish.site]{target}\n[severity]\nunneeded = \"off\"\n");
        site.settings(&(before.to_owned() + &target));
        let run = forge.run(Event::Push, true);
        assert_eq!(run.ends(), [WELL; 3], "{}: {:#?}", forge.name, run.said);
        let third = forge.statement(3);
        forge.statement(2).check_successor_of(&first).unwrap();
        third.check_successor_of(&forge.statement(2)).unwrap();
        assert_eq!(latest(&folder), third.root.to_string());
        assert_eq!(statement(&folder.join("statements/latest")), third);

        // Again: nothing changes, here or there.
        let run = forge.run(AGAIN, true);
        assert_eq!(run.ends(), forge.again(), "{}: {:#?}", forge.name, run.said);
        run.said(1, "already has the whole release");
        assert_eq!(forge.count(), 3);
    }
}

/// The node is down when the release is made. Later it is up, at another address, and the release
/// goes there: the same one.
#[test]
fn a_target_that_was_down_is_given_the_same_release_later() {
    let node = Node::start();
    for forge in Forge::all() {
        let site = &forge.site;
        let folder = site.publish_to_a_folder();
        let down = http::closed();
        site.configure(&format!(
            "[publish.node]\nkind = \"kubo\"\napi = \"{down}\"\n"
        ));
        let run = forge.run(Event::Push, true);
        assert_eq!(
            run.ends(),
            [WELL, FAILED, WELL],
            "{}: {:#?}",
            forge.name,
            run.said
        );
        assert_eq!(run.code, Some(3), "{}", forge.name);
        let first = forge.statement(1);
        // The others have it.
        assert_eq!(latest(&folder), first.root.to_string());
        let run = forge.run(AGAIN, true);
        assert_eq!((run.publish, run.code), (FAILED, Some(3)), "{}", forge.name);

        site.settings(&site.read("ipwhl.toml").replace(&down, &node.api));
        let run = forge.run(AGAIN, true);
        assert_eq!(run.ends(), forge.again(), "{}: {:#?}", forge.name, run.said);
        let pin = (first.root.to_string(), format!("ipwhl/{NAME}/1"));
        assert!(node.pins().contains(&pin), "{:?}", node.pins());
        node.text(&["pin", "rm", &pin.0]);
        assert_eq!(forge.count(), 1);
        assert_eq!(forge.statement(1), first);
    }
}

/// As the first lines of each file say: by a line of the file, or by a variable of the environment
/// alone.
#[test]
fn a_target_is_given_its_secret() {
    for forge in Forge::all() {
        let site = &forge.site;
        let file = site.path(NAME).join(match forge.name {
            "github" => ".github/workflows/ipwhl-release.yml",
            "forgejo" => ".forgejo/workflows/ipwhl-release.yml",
            _ => ".gitlab-ci.yml",
        });
        let text = fs::read_to_string(&file).unwrap();
        let line = "# IPWHL_PUBLISH_NODE_TOKEN: ";
        assert_eq!(text.contains(line), forge.name != "gitlab");
        fs::write(&file, text.replace(line, &line[2..])).unwrap();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let by_server = Arc::clone(&asked);
        let node = http::respond(move |request| {
            let header = request.header("authorization").to_owned();
            by_server.lock().unwrap().push(header);
            http::whole("500 Internal Server Error", &[], b"")
        });
        site.configure(&format!(
            "[publish.node]\nkind = \"kubo\"\napi = \"{node}\"\n"
        ));
        let run = forge.run(Event::Push, true);
        assert_eq!(
            run.ends(),
            [WELL, FAILED, WELL],
            "{}: {:#?}",
            forge.name,
            run.said
        );
        let asked = asked.lock().unwrap();
        assert!(!asked.is_empty());
        for header in asked.iter() {
            assert_eq!(header, "Bearer target-secret", "{}", forge.name);
        }
        // No log has it.
        assert!(!run.said.concat().contains("target-secret"));
    }
}

#[test]
fn a_schedule_renews_what_is_due_and_nothing_else() {
    for forge in Forge::all() {
        let folder = forge.site.publish_to_a_folder();
        forge.keep_first("61d");
        let run = forge.run(Event::Schedule, true);
        assert_eq!(run.ends(), [WELL; 3], "{}: {:#?}", forge.name, run.said);
        run.said(0, "no new statement was signed");
        assert_eq!(forge.count(), 1);
        assert_eq!(latest(&folder), forge.statement(1).root.to_string());

        fs::remove_dir_all(&folder).unwrap();
        forge.keep_first("59d");
        let first = forge.statement(1);
        let run = forge.run(Event::Schedule, true);
        assert_eq!(run.ends(), [WELL; 3], "{}: {:#?}", forge.name, run.said);
        assert_eq!(forge.count(), 2);
        let renewed = forge.statement(2);
        renewed.check_successor_of(&first).unwrap();
        assert_eq!(renewed.root, first.root);
        let lifetime = renewed.expires.unwrap().duration_since(renewed.created);
        assert_eq!(lifetime.as_hours(), 90 * 24);
        assert_eq!(statement(&folder.join("statements/latest")), renewed);
    }
}

/// Nothing can be signed here. What is kept is published all the same, and its end is announced in
/// time.
#[test]
fn a_statement_that_cannot_be_renewed_is_warned_about() {
    for forge in Forge::all() {
        let folder = forge.site.publish_to_a_folder();
        for (lifetime, end) in [("15d", WELL), ("13d", FAILED)] {
            let _ = fs::remove_dir_all(&folder);
            forge.keep_first(lifetime);
            let run = forge.run(Event::Schedule, false);
            let ends = [FAILED, WELL, end];
            assert_eq!(run.ends(), ends, "{}: {:#?}", forge.name, run.said);
            run.said(0, "IPWHL_SIGNING_KEY is not set");
            let is_warned = run.said[2].contains("was not renewed");
            assert_eq!(is_warned, end == FAILED, "{}", run.said[2]);
            assert_eq!(latest(&folder), forge.statement(1).root.to_string());
        }
        assert_eq!(forge.count(), 1);
    }
}
