//! How the jobs of CI get the program: by the one line of their file, and by nothing else.

use std::fs;
use std::path::Path;
use std::process::Command;

use ipwhl::command::ExitStatus;
use serde_json::json;

use super::actions::Job;
use super::site::{Change, NAME, Site, shown};
use super::yaml::read;
use super::{FORGES, forgejo, github, gitlab, sourcehut};
use crate::support::history::History;
use crate::support::program::Program;
use crate::support::tool;
use crate::support::workshop::Ran;

/// How a job went, and all that it wrote.
struct Outcome {
    succeeded: bool,
    text: String,
}

impl Outcome {
    fn of<'r>(succeeded: bool, runs: impl IntoIterator<Item = &'r Ran>) -> Self {
        let mut text = String::new();
        for ran in runs {
            text += &ran.output;
            text += &ran.error;
        }
        Self { succeeded, text }
    }

    fn of_job(job: &Job) -> Self {
        let runs = job.steps.iter().filter_map(|step| step.ran.as_ref());
        Self::of(job.succeeded(), runs)
    }

    fn of_tasks(tasks: &sourcehut::Tasks) -> Self {
        let runs = || tasks.iter().map(|(_, ran)| ran);
        Self::of(runs().all(|ran| ran.code == Some(0)), runs())
    }

    #[track_caller]
    fn expect(self, succeeded: bool, words: &str) {
        assert_eq!(self.succeeded, succeeded, "{}", self.text);
        assert!(self.text.contains(words), "{}", self.text);
    }
}

fn site(forge: &str, install: Option<&str>) -> Site {
    let site = Site::with(forge, install);
    if forge == "github" {
        github::add_gh(&site);
    }
    site
}

/// The check of a change.
fn check(site: &Site, forge: &str) -> Outcome {
    site.propose("clean", Change::Clean);
    match forge {
        "github" => Outcome::of_job(&github::check(site, "clean")),
        "forgejo" => Outcome::of_job(&forgejo::check(site, "clean")),
        "gitlab" => {
            let ran = gitlab::merge_request(site, "clean").ran;
            Outcome::of(ran.code == Some(0), [&ran])
        }
        _ => Outcome::of_tasks(&sourcehut::build(site, "check", "clean", None)),
    }
}

/// The job of the main branch that has the key.
fn release(site: &Site, forge: &str) -> Outcome {
    let secrets = json!({"IPWHL_SIGNING_KEY": site.key});
    match forge {
        "github" => Outcome::of_job(&github::release(site, &secrets).0),
        "forgejo" => {
            let (_ending, address) = site.forge();
            Outcome::of_job(&forgejo::release(site, &address, &secrets))
        }
        "gitlab" => {
            let (_ending, address) = site.forge();
            let key = json!({"IPWHL_SIGNING_KEY": shown(&site.path("key")), "IPWHL_FIRST_RELEASE": "true", "CI_PIPELINE_SOURCE": "web"});
            let ran = gitlab::push(site, &address, &key).ran;
            Outcome::of(ran.code == Some(0), [&ran])
        }
        _ => Outcome::of_tasks(&sourcehut::build(site, "release", "main", Some(&site.key))),
    }
}

/// The files of a forge that have the line: of the check, and of the release.
fn files(forge: &str) -> [&'static str; 2] {
    match forge {
        "github" => [
            ".github/workflows/ipwhl-check.yml",
            ".github/workflows/ipwhl-release.yml",
        ],
        "forgejo" => [
            ".forgejo/workflows/ipwhl-check.yml",
            ".forgejo/workflows/ipwhl-release.yml",
        ],
        "gitlab" => [".gitlab-ci.yml"; 2],
        _ => [".builds/ipwhl-check.yml", ".builds/ipwhl-release.yml"],
    }
}

/// One sentence says what to write, and nothing else has run: no checkout, no package, no step that
/// has the key.
#[test]
fn without_the_line_each_job_stops() {
    for forge in FORGES {
        let site = site(forge, None);
        let [check_file, release_file] = files(forge);
        let sentence = |file: &str| {
            format!(
                "IPWHL_INSTALL in {file} is empty: write the command that installs ipwhl there\n"
            )
        };
        check(&site, forge).expect(false, &sentence(check_file));
        release(&site, forge).expect(false, &sentence(release_file));
        assert!(!site.path("state/cargo").exists());
        assert!(!site.path("state/artifacts/release").exists());
        let packages = fs::read_dir(site.path("state/packages")).unwrap();
        assert_eq!(packages.count(), 0);
        let secrets = json!({"IPWHL_SIGNING_KEY": site.key});
        let jobs = match forge {
            "github" => [
                github::check(&site, "clean"),
                github::release(&site, &secrets).0,
            ],
            "forgejo" => [
                forgejo::check(&site, "clean"),
                forgejo::release(&site, "", &secrets),
            ],
            _ => continue,
        };
        for job in jobs {
            let [first, rest @ ..] = &job.steps[..] else {
                panic!("no step");
            };
            assert_eq!(first.outcome, "failure");
            assert!(rest.iter().all(|step| step.outcome == "skipped"), "{forge}");
        }
    }
}

/// Whatever is in a command, each job runs that command. What it installs is this program.
#[test]
fn a_command_comes_out_as_it_was_given() {
    let odd = "printf '%s|' 'it'\\''s: a \"b\" #c' '${{ github.token }}' '${{ secrets.X }}${{' \
               '$CI' \"$CI\" %s \\\\ \
               '- [x]' '{y: *z}' '}}' ä '!' @ \\` >\"$FORGE_STATE/said\" || true;";
    let install = format!(
        "{odd} install -D '{}' \"$CARGO_INSTALL_ROOT/bin/ipwhl\" # done: 'x",
        env!("CARGO_BIN_EXE_ipwhl")
    );
    let folder = tempfile::tempdir().unwrap();
    let own = Command::new("/bin/bash")
        .args(["-euo", "pipefail", "-c", &install])
        .current_dir(&folder)
        .env("CI", "true")
        .env("FORGE_STATE", folder.path())
        .env("CARGO_INSTALL_ROOT", folder.path())
        .output()
        .unwrap();
    assert!(own.status.success(), "{own:?}");
    let expected = fs::read_to_string(folder.path().join("said")).unwrap();
    assert!(
        expected.contains("|${{ github.token }}|${{ secrets.X }}${{|$CI|true|"),
        "{expected}"
    );
    for forge in FORGES {
        let site = site(forge, Some(&install));
        for job in [check, release] {
            job(&site, forge).expect(true, concat!("ipwhl ", env!("CARGO_PKG_VERSION")));
            let said = site.path("state/said");
            assert_eq!(fs::read_to_string(&said).unwrap(), expected, "{forge}");
            fs::remove_file(said).unwrap();
        }
        lint(forge, &site.path(NAME));
    }
}

/// The forges' own linters accept what was written.
fn lint(forge: &str, repository: &Path) {
    let mut command = match forge {
        "github" | "forgejo" => {
            let actionlint = tool("actionlint");
            let mut command = Command::new(actionlint);
            let labels = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci/forgejo/actionlint.yaml");
            command.arg("-no-color").arg("-config-file").arg(labels);
            command.args(files(forge));
            command
        }
        "gitlab" => {
            let check = tool("check-jsonschema");
            let mut command = Command::new(check);
            command.args(["--builtin-schema", "vendor.gitlab-ci", ".gitlab-ci.yml"]);
            command
        }
        _ => return,
    };
    let output = command.current_dir(repository).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn sha256(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text[..64].to_owned()
}

/// A file is the program or an archive that has it, and is held to its SHA-256 before it is looked
/// into.
#[test]
fn a_file_is_held_to_its_hash() {
    let folder = tempfile::tempdir().unwrap();
    // This program, in an archive beside files and folders of the same name.
    let inside = folder.path().join("ipwhl-1.0");
    fs::create_dir_all(inside.join("completions")).unwrap();
    fs::create_dir_all(inside.join("ipwhl")).unwrap();
    fs::write(inside.join("completions/ipwhl"), "complete\n").unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_ipwhl"));
    super::site::copy(program, &inside.join("bin/ipwhl"));
    let archive = folder.path().join("ipwhl-1.0.tar");
    let packed = Command::new("tar")
        .arg("--create")
        .arg("--file")
        .arg(&archive)
        .arg("--directory")
        .arg(folder.path())
        .arg("ipwhl-1.0")
        .output()
        .unwrap();
    assert!(packed.status.success(), "{packed:?}");
    let wrong = folder.path().join("another");
    fs::write(&wrong, "#!/bin/sh\ntouch \"$FORGE_STATE/touched\"\n").unwrap();
    for (forge, file) in FORGES
        .into_iter()
        .zip([program, &archive].into_iter().cycle())
    {
        let address = |path: &Path, hash: &str| format!("file://{}#sha256={hash}", shown(path));
        let right = address(file, &sha256(file).to_ascii_uppercase());
        let right = site(forge, Some(&right));
        check(&right, forge).expect(true, concat!("ipwhl ", env!("CARGO_PKG_VERSION")));
        release(&right, forge).expect(true, "");
        let other = address(&wrong, &sha256(file));
        let other = site(forge, Some(&other));
        for job in [check, release] {
            job(&other, forge).expect(false, "WARNING: 1 computed checksum did NOT match");
        }
        assert!(!other.path("state/touched").exists());
        assert!(!other.path("state/artifacts/release").exists());
        let packages = fs::read_dir(other.path("state/packages")).unwrap();
        assert_eq!(packages.count(), 0);
    }
}

/// The real cargo builds the commit that the line names, whatever the branch has by now. A small
/// program stands in for this one, which takes minutes to build.
#[test]
fn cargo_builds_the_commit_of_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    fs::create_dir_all(source.join("src")).unwrap();
    let package = "name = \"ipwhl\"\nversion = \"0.0.1\"\n";
    let manifest = format!("[package]\n{package}edition = \"2024\"\n");
    fs::write(source.join("Cargo.toml"), manifest).unwrap();
    let lock = format!("version = 4\n\n[[package]]\n{package}");
    fs::write(source.join("Cargo.lock"), lock).unwrap();
    let main = |text: &str| format!("fn main() {{\n    println!(\"{text}\");\n}}\n");
    fs::write(source.join("src/main.rs"), main("reviewed")).unwrap();
    let history = History::begin(&source);
    let reviewed = history.run(&["rev-parse", "HEAD"]);
    fs::write(source.join("src/main.rs"), main("another")).unwrap();
    history.commit("another");
    let around = folder.path().join("repository");
    fs::create_dir(&around).unwrap();
    let install = format!("git+file://{}@{reviewed}", shown(&source));
    Program::new(&around)
        .run(&["init", "--ci", "gitlab", "--install", &install])
        .expect(ExitStatus::Clean);
    let pipeline = read(&fs::read_to_string(around.join(".gitlab-ci.yml")).unwrap());
    let cargo = Path::new(env!("CARGO")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let output = Command::new("/bin/bash")
        .args(["-euo", "pipefail", "-c"])
        .arg(
            pipeline["variables"]["IPWHL_INSTALL"]["value"]
                .as_str()
                .unwrap(),
        )
        .current_dir(&folder)
        .env("PATH", format!("{}:{path}", shown(cargo)))
        .env("CARGO_HOME", folder.path().join("cargo"))
        .env("CARGO_INSTALL_ROOT", folder.path().join("program"))
        .env("CARGO_TARGET_DIR", folder.path().join("target"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let program = folder.path().join("program/bin/ipwhl");
    let output = Command::new(program).output().unwrap();
    assert_eq!(output.stdout, b"reviewed\n");
}

/// In each job cargo is asked for one commit of one repository; it is played here.
#[test]
fn a_git_repository_is_built_at_one_commit() {
    let commit = "0123456789abcdef0123456789ABCDEF01234567";
    let install = format!("git+https://git.example.org/~some one's/ipwhl@{commit}");
    let spaced = ipwhl_init(&["--install", &install]);
    assert!(spaced.contains("is not a URL"), "{spaced}");
    let install = install.replace(' ', "%20");
    for forge in FORGES {
        let site = site(forge, Some(&install));
        for job in [check, release] {
            job(&site, forge).expect(true, "");
            let asked = fs::read_to_string(site.path("state/cargo")).unwrap();
            let asked: Vec<&str> = asked.lines().collect();
            assert_eq!(
                asked,
                [
                    "install",
                    "--locked",
                    "--git",
                    "https://git.example.org/~some%20one's/ipwhl",
                    "--rev",
                    &commit.to_ascii_lowercase(),
                    "ipwhl"
                ]
            );
            fs::remove_file(site.path("state/cargo")).unwrap();
        }
    }
}

/// What `ipwhl init --ci github` says with these arguments, in a folder of its own.
fn ipwhl_init(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut all = vec!["init", "--ci", "github"];
    all.extend(arguments);
    Program::new(folder.path()).run(&all).stderr
}

/// The program of an earlier run is taken for the same line only.
#[test]
fn a_changed_line_is_run() {
    for forge in ["github", "forgejo", "gitlab"] {
        let site = site(forge, None);
        let mut expected = 0;
        for word in ["installed", "installed-again"] {
            let path = site.path(NAME).join(files(forge)[0]);
            let command = format!(
                "echo {word} >>\"$FORGE_STATE/installed\" && install \
                 -D \"{}\" \"$CARGO_INSTALL_ROOT/bin/ipwhl\"",
                env!("CARGO_BIN_EXE_ipwhl")
            );
            let text = fs::read_to_string(&path).unwrap();
            let lines: Vec<String> = text
                .lines()
                .map(|line| match (line.starts_with("  IPWHL_INSTALL:"), forge) {
                    (true, "gitlab") => {
                        format!("  IPWHL_INSTALL: {{ value: '{command}', expand: false }}")
                    }
                    (true, _) => format!("  IPWHL_INSTALL: '{command}'"),
                    (false, _) => line.to_owned(),
                })
                .collect();
            fs::write(&path, lines.join("\n") + "\n").unwrap();
            site.history.commit("how to install");
            site.history.run(&["push", "--quiet", "origin", "main"]);
            for run in 0..2 {
                // GitLab could keep a program in the checkout only, so it keeps none.
                if run == 0 || forge == "gitlab" {
                    expected += 1;
                }
                check(&site, forge).expect(true, "");
                assert_eq!(site.installations(), expected, "{forge}: {word}");
            }
        }
    }
}

/// GitLab keeps caches inside the checkout. What a change has put there, files or a link, is
/// neither run nor believed.
#[test]
fn a_change_cannot_bring_the_cache_of_gitlab_along() {
    let attacks: [&dyn Fn(&Path); 3] = [
        &|cache| {
            fs::create_dir_all(cache.join("facts")).unwrap();
            fs::write(cache.join("facts/forged"), "").unwrap();
        },
        &|cache| {
            fs::create_dir_all(cache.join("program/bin")).unwrap();
            fs::copy("/bin/true", cache.join("program/bin/ipwhl")).unwrap();
        },
        &|cache| std::os::unix::fs::symlink("/tmp", cache).unwrap(),
    ];
    for attack in attacks {
        let site = Site::new("gitlab");
        attack(&site.path(NAME).join(".ipwhl-cache"));
        site.history.run(&["add", "--force", ".ipwhl-cache"]);
        site.history.commit("what CI keeps");
        site.history.run(&["push", "--quiet", "origin", "main"]);
        for job in [check, release] {
            job(&site, "gitlab").expect(false, "the repository has .ipwhl-cache");
        }
        assert_eq!(site.installations(), 0);
    }
}
