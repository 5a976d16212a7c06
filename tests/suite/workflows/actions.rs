//! Plays the runner of GitHub Actions and of Forgejo Actions: jobs, steps, expressions, and the
//! actions that the workflows use, as their documentation says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ipwhl_unixfs::Sha256Digest;
use serde_json::{Value, json};

use super::site::{Site, Variables, copy, shell, shown};
use super::yaml::{entries, text};
use crate::support::workshop::{Ran, files};

/// Why a workflow runs.
pub struct Event {
    /// The contexts of expressions: `github`, `secrets` and so on.
    pub contexts: Value,
    /// What the checkout gets.
    pub reference: String,
    /// Whose caches the run writes; it reads those of the main branch too.
    pub scope: String,
}

/// How a step ended.
pub struct Step {
    pub name: String,
    /// `success`, `failure` or `skipped`.
    pub outcome: &'static str,
    pub ran: Option<Ran>,
}

/// How a job ended.
pub struct Job {
    pub steps: Vec<Step>,
    /// What it has written to the run's summary.
    pub summary: String,
    /// What jobs that need it are told.
    pub outputs: Value,
}

impl Job {
    pub fn succeeded(&self) -> bool {
        self.steps.iter().all(|step| step.outcome != "failure")
    }

    /// The step of this name.
    #[track_caller]
    pub fn step(&self, name: &str) -> &Step {
        let found = self.steps.iter().find(|step| step.name == name);
        found.unwrap_or_else(|| panic!("no step `{name}`"))
    }

    /// The names of the steps that failed.
    pub fn failed(&self) -> Vec<&str> {
        let failed = self.steps.iter().filter(|step| step.outcome == "failure");
        failed.map(|step| step.name.as_str()).collect()
    }

    #[track_caller]
    pub fn expect_success(self) -> Self {
        for step in &self.steps {
            assert_ne!(step.outcome, "failure", "{}: {:#?}", step.name, step.ran);
        }
        self
    }
}

/// Runs all jobs of a workflow, each on a machine of its own after those that it needs; `None` for
/// one that is skipped. `environments` has the secrets of each environment: a job has those of the
/// one that it names, and those of the event.
pub fn run(
    site: &Site,
    event: &Event,
    workflow: &Value,
    environments: &Value,
) -> BTreeMap<String, Option<Job>> {
    let mut done: BTreeMap<String, Option<Job>> = BTreeMap::new();
    let jobs: Vec<&String> = entries(&workflow["jobs"]).map(|(name, _)| name).collect();
    while done.len() < jobs.len() {
        let name = jobs.iter().find(|name| {
            let needs = needs(&workflow["jobs"][**name]);
            !done.contains_key(**name) && needs.iter().all(|need| done.contains_key(need))
        });
        let name = *name.unwrap();
        let needed = needs(&workflow["jobs"][name]).into_iter().map(|need| {
            let told = match &done[&need] {
                None => json!({"result": "skipped", "outputs": {}}),
                Some(job) if job.succeeded() => {
                    json!({"result": "success", "outputs": job.outputs})
                }
                Some(_) => json!({"result": "failure", "outputs": {}}),
            };
            (need, told)
        });
        let mut machine = Machine::new(site, event, name).needing(needed.collect());
        let environment = text(&workflow["jobs"][name]["environment"]);
        for (secret, value) in entries(&environments[environment]) {
            machine.contexts["secrets"][secret] = value.clone();
        }
        let job = machine.run(workflow, name);
        done.insert(name.clone(), job);
    }
    done
}

/// The jobs that a job needs.
fn needs(job: &Value) -> Vec<String> {
    match &job["needs"] {
        Value::Array(names) => names.iter().map(text).collect(),
        Value::Null => Vec::new(),
        name => vec![text(name)],
    }
}

/// One machine that runs one job.
pub struct Machine<'s> {
    site: &'s Site,
    event: &'s Event,
    workspace: PathBuf,
    variables: Variables,
    contexts: Value,
    /// What is put into a cache when the job ends: the folder in the store, and the paths.
    caches: Vec<(PathBuf, Vec<PathBuf>)>,
}

impl<'s> Machine<'s> {
    /// A new machine for a job of this workflow.
    pub fn new(site: &'s Site, event: &'s Event, name: &str) -> Self {
        let (folder, mut variables) = site.machine(name);
        let (workspace, temporary) = (folder.join("workspace"), folder.join("temporary"));
        for folder in [&workspace, &temporary] {
            fs::create_dir(folder).unwrap();
        }
        let mut contexts = event.contexts.clone();
        contexts["runner"] = json!({"os": "Linux", "arch": "X64", "temp": shown(&temporary)});
        contexts["steps"] = json!({});
        contexts["needs"] = json!({});
        let github = &contexts["github"];
        for (name, value) in [
            ("GITHUB_SHA", text(&github["sha"])),
            ("GITHUB_REPOSITORY", text(&github["repository"])),
            ("GITHUB_RUN_ID", text(&github["run_id"])),
            ("RUNNER_ENVIRONMENT", "github-hosted".to_owned()),
            ("RUNNER_TEMP", shown(&temporary)),
        ] {
            variables.insert(name.to_owned(), value);
        }
        Self {
            site,
            event,
            workspace,
            variables,
            contexts,
            caches: Vec::new(),
        }
    }

    /// What the jobs have told that this one needs.
    pub fn needing(mut self, needs: Value) -> Self {
        self.contexts["needs"] = needs;
        self
    }

    /// Runs a job; `None` where its condition does not hold.
    pub fn run(mut self, workflow: &Value, name: &str) -> Option<Job> {
        let job = &workflow["jobs"][name];
        let permissions = [&job["permissions"], &workflow["permissions"]];
        let permissions = permissions.into_iter().find(|one| !one.is_null());
        if self.contexts["github"]["token"].is_null() {
            let granted: Vec<String> = entries(permissions.unwrap_or(&Value::Null))
                .map(|(what, how)| format!("{what}:{}", text(how)))
                .collect();
            self.contexts["github"]["token"] = Value::from(granted.join(","));
        }
        let mut variables = self.variables.clone();
        self.contexts["env"] = json!({});
        for layer in [&workflow["env"], &job["env"]] {
            for (name, value) in entries(layer) {
                let value = self.filled(&text(value));
                self.contexts["env"][name] = Value::from(value.as_str());
                variables.insert(name.clone(), value);
            }
        }
        let is_well = entries(&self.contexts["needs"]).all(|(_, need)| need["result"] == "success");
        let condition = job["if"].as_str().unwrap_or("success()");
        if !is_true(&self.condition(condition, is_well)) {
            return None;
        }
        let shells = [
            &job["defaults"]["run"]["shell"],
            &workflow["defaults"]["run"]["shell"],
        ];
        let is_bash = shells.into_iter().any(|shell| shell == "bash");
        assert!(is_bash, "`{name}` leaves the shell to the runner");
        let temporary = text(&self.contexts["runner"]["temp"]);
        let summary = Path::new(&temporary).join("summary");
        let path = Path::new(&temporary).join("path");
        let outputs = Path::new(&temporary).join("outputs");
        fs::write(&summary, "").unwrap();
        fs::write(&path, "").unwrap();
        variables.insert("GITHUB_STEP_SUMMARY".to_owned(), shown(&summary));
        variables.insert("GITHUB_PATH".to_owned(), shown(&path));
        variables.insert("GITHUB_OUTPUT".to_owned(), shown(&outputs));
        let mut steps: Vec<Step> = Vec::new();
        for step in job["steps"].as_array().unwrap() {
            let is_well = steps.iter().all(|step| step.outcome != "failure");
            let condition = step["if"].as_str().unwrap_or("success()");
            let mut ran = None;
            fs::write(&outputs, "").unwrap();
            let outcome = if !is_true(&self.condition(condition, is_well)) {
                "skipped"
            } else if let Some(action) = step["uses"].as_str() {
                self.action(action, &step["with"]);
                "success"
            } else {
                let script = step["run"].as_str().unwrap();
                let mut variables = variables.clone();
                for (name, value) in entries(&step["env"]) {
                    variables.insert(name.clone(), self.filled(&text(value)));
                }
                let way = ["--noprofile", "--norc", "-eo", "pipefail"];
                let one = shell(&self.workspace, &way, script, &variables);
                let is_success = one.code == Some(0);
                ran = Some(one);
                if is_success { "success" } else { "failure" }
            };
            for folder in fs::read_to_string(&path).unwrap().lines() {
                let path = variables.get_mut("PATH").unwrap();
                if !path.starts_with(folder) {
                    *path = format!("{folder}:{path}");
                }
            }
            if let Some(id) = step["id"].as_str() {
                let written = fs::read_to_string(&outputs).unwrap();
                let written: BTreeMap<&str, &str> = written
                    .lines()
                    .map(|line| line.split_once('=').unwrap())
                    .collect();
                self.contexts["steps"][id] = json!({"outcome": outcome, "outputs": written});
            }
            let name = [&step["name"], &step["uses"], &step["run"]];
            let name = name.into_iter().find_map(Value::as_str).unwrap();
            steps.push(Step {
                name: name.to_owned(),
                outcome,
                ran,
            });
        }
        let outputs = entries(&job["outputs"]);
        let job = Job {
            steps,
            summary: fs::read_to_string(summary).unwrap(),
            outputs: outputs
                .map(|(name, value)| (name.clone(), Value::from(self.filled(&text(value)))))
                .collect(),
        };
        // As the actions do: what a failed job has is not kept.
        if job.succeeded() {
            for (place, paths) in &self.caches {
                for (number, path) in paths.iter().enumerate() {
                    if path.exists() && !place.join(number.to_string()).exists() {
                        copy(path, &place.join(number.to_string()));
                    }
                }
            }
        }
        Some(job)
    }

    /// Text with the values of its expressions.
    fn filled(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${{") {
            let (expression, after) = after.split_once("}}").unwrap();
            filled += before;
            filled += &super::yaml::text(&self.value(expression.trim()));
            rest = after;
        }
        filled + rest
    }

    /// What a condition says; without a word about how things went so far they have to be well.
    fn condition(&self, condition: &str, is_well: bool) -> Value {
        let condition = condition.trim();
        let inner = condition
            .strip_prefix("${{")
            .and_then(|rest| rest.strip_suffix("}}"));
        let expression = inner.unwrap_or(condition).trim();
        let asks = ["success()", "cancelled()", "always()", "failure()"];
        let asks = asks.iter().any(|word| expression.contains(word));
        let holds = is_true(&self.value(&expression.replace("success()", "true")));
        let needs_well = !asks || expression.contains("success()");
        Value::from(holds && (is_well || !needs_well))
    }

    fn value(&self, expression: &str) -> Value {
        let expression = expression.trim();
        for (operator, decides) in [(" || ", true), (" && ", false)] {
            let parts = split(expression, operator);
            if parts.len() > 1 {
                let mut parts = parts.into_iter();
                let decided = parts.any(|part| is_true(&self.value(part)) == decides);
                return Value::from(decided == decides);
            }
        }
        if let Some(inner) = expression.strip_prefix('(') {
            return self.value(inner.strip_suffix(')').unwrap());
        }
        if let Some((left, right)) = expression.split_once(" == ") {
            return Value::from(text(&self.value(left)) == text(&self.value(right)));
        }
        if let Some(rest) = expression.strip_prefix('!') {
            return Value::from(!is_true(&self.value(rest)));
        }
        if let Some(literal) = expression.strip_prefix('\'') {
            return Value::from(literal.strip_suffix('\'').unwrap());
        }
        match expression {
            "true" | "always()" => return Value::from(true),
            "cancelled()" => return Value::from(false),
            "hashFiles('ipwhl.toml', 'declarations/**')" => {
                let found: Vec<u8> = files(&self.workspace)
                    .into_iter()
                    .filter(|(name, _)| name == "ipwhl.toml" || name.starts_with("declarations/"))
                    .flat_map(|(_, bytes)| bytes)
                    .collect();
                return Value::from(Sha256Digest::of(&found).to_string());
            }
            _ => {}
        }
        let mut value = &self.contexts;
        for (depth, key) in expression.split('.').enumerate() {
            let is_known = depth > 0 || value.get(key).is_some();
            assert!(
                is_known,
                "`{expression}` is of no context that is played here"
            );
            value = value.get(key).unwrap_or(&Value::Null);
        }
        value.clone()
    }

    /// Does what an action is documented to do.
    fn action(&mut self, action: &str, with: &Value) {
        let (name, version) = action.split_once('@').unwrap();
        let is_commit = version.len() == 40 && version.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(is_commit, "{action}");
        let with: BTreeMap<&str, String> = entries(with)
            .map(|(key, value)| (key.as_str(), self.filled(&text(value))))
            .collect();
        match name {
            "actions/checkout" => self.checkout(&with),
            "actions/cache" => self.cache(&with, true),
            "actions/cache/save" => self.cache(&with, false),
            "actions/upload-artifact" => self.upload(&with),
            "actions/download-artifact" => {
                let artifact = self.site.path("state/artifacts").join(&with["name"]);
                assert!(artifact.is_dir(), "{}", artifact.display());
                copy(&artifact, &self.workspace.join(&with["path"]));
            }
            _ => panic!("{action} is not played here"),
        }
    }

    fn checkout(&self, with: &BTreeMap<&str, String>) {
        assert_eq!(with["persist-credentials"], "false");
        let git = |arguments: &[&str]| {
            let output = Command::new(self.site.path("bin/git"))
                .args(arguments)
                .current_dir(&self.workspace)
                .envs([
                    ("GIT_CONFIG_GLOBAL", "/dev/null"),
                    ("GIT_CONFIG_SYSTEM", "/dev/null"),
                ])
                .output()
                .unwrap();
            assert!(output.status.success(), "{arguments:?}: {output:?}");
        };
        git(&["init", "--quiet"]);
        git(&["remote", "add", "origin", &self.site.origin()]);
        let depth = with.get("fetch-depth").map_or("1", String::as_str);
        if depth == "0" {
            git(&[
                "fetch",
                "--quiet",
                "origin",
                "+refs/heads/*:refs/remotes/origin/*",
            ]);
            git(&["fetch", "--quiet", "origin", &self.event.reference]);
        } else {
            git(&[
                "fetch",
                "--quiet",
                "--depth",
                depth,
                "origin",
                &self.event.reference,
            ]);
        }
        git(&["checkout", "--quiet", "--detach", "FETCH_HEAD"]);
    }

    /// The caches of the run's own scope, then those of the main branch: by the key, then the
    /// newest one whose key begins as a restore key does. An action that only saves restores none.
    fn cache(&mut self, with: &BTreeMap<&str, String>, restores: bool) {
        let store = self.site.path("state/caches");
        let paths: Vec<PathBuf> = with["path"]
            .lines()
            .map(|path| match path.strip_prefix("~/") {
                Some(rest) => Path::new(&self.variables["HOME"]).join(rest),
                None => self.workspace.join(path),
            })
            .collect();
        let own = self.event.scope.replace('/', "-");
        let prefixes = with.get("restore-keys").map_or("", String::as_str);
        let mut scopes = [own.clone(), "main".to_owned()]
            .into_iter()
            .filter(|_| restores);
        let found = scopes.find_map(|scope| {
            let names: Vec<String> = fs::read_dir(store.join(&scope))
                .into_iter()
                .flatten()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            let begins = |name: &&String| prefixes.lines().any(|prefix| name.starts_with(prefix));
            let exact = names.iter().find(|name| **name == with["key"]);
            let name = exact.or_else(|| names.iter().find(begins))?;
            Some(store.join(&scope).join(name))
        });
        if let Some(found) = &found {
            for (number, path) in paths.iter().enumerate() {
                copy(&found.join(number.to_string()), path);
            }
        }
        self.caches
            .push((store.join(own).join(&with["key"]), paths));
    }

    fn upload(&self, with: &BTreeMap<&str, String>) {
        let path = self.workspace.join(&with["path"]);
        assert_eq!(with["if-no-files-found"], "error");
        assert!(path.exists(), "{} is not there", path.display());
        let place = self.site.path("state/artifacts").join(&with["name"]);
        let _ = fs::remove_dir_all(&place);
        if path.is_dir() {
            copy(&path, &place);
        } else {
            copy(&path, &place.join(path.file_name().unwrap()));
        }
    }
}

/// The parts of an expression between these operators, but for those in parentheses.
fn split<'e>(expression: &'e str, operator: &str) -> Vec<&'e str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0);
    for (at, sign) in expression.char_indices() {
        match sign {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth == 0 && expression[at..].starts_with(operator) => {
                parts.push(&expression[start..at]);
                start = at + operator.len();
            }
            _ => {}
        }
    }
    parts.push(&expression[start..]);
    parts
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::String(text) => !text.is_empty(),
        other => panic!("{other}"),
    }
}
