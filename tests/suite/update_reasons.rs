//! What `ipwhl update`, `outdated` and `add` say of versions that are not taken.

use ipwhl::command::ExitStatus;
use serde_json::{Value, json};

use crate::support::bench::{Bench, native, pure};
use crate::support::program::Run;

fn update(bench: &Bench, arguments: &[&str]) -> Run {
    let line: Vec<&str> = ["update"].iter().chain(arguments).copied().collect();
    bench.program.run(&line)
}

#[track_caller]
fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no `{word}` in\n{text}");
    }
}

/// A set of these projects, each in version 1.0, with what they require.
fn set(projects: &[(&str, &str)]) -> Bench {
    let bench = Bench::new();
    for (project, requires) in projects {
        let wheel = pure(project, "1.0");
        let wheel = match *requires {
            "" => wheel,
            requires => wheel.requires(requires),
        };
        bench.offer(project, &wheel);
    }
    let names: Vec<&str> = projects.iter().map(|(project, _)| *project).collect();
    bench.add(&names).expect(ExitStatus::Clean);
    bench
}

/// A project that only may move is listed, too, with a middle version that fits; others are counted.
#[test]
fn projects_that_keep_their_version_without_need_are_listed() {
    let bench = set(&[("fig", ""), ("kiwi", ""), ("lime", ""), ("plum", "")]);
    bench.offer("fig", &pure("fig", "2.0"));
    bench.offer("kiwi", &pure("kiwi", "1.5"));
    bench.offer("kiwi", &native("kiwi", "2.0", "py3-none-win_amd64"));
    bench.offer("plum", &pure("plum", "1.1"));
    let expected = "major (1 project)\n  fig   1.0 -> 2.0\nbehind the index (2 projects)\n  \
                    kiwi  1.0, not 2.0: it has no wheel for cp312-manylinux_2_28_x86_64; 1.5 fits, \
                    and was not asked for\n  \
                    plum  1.0, not 1.1: it fits, and was not asked for\n";
    for line in [
        &["--latest", "fig", "-n"][..],
        &["fig", "--allow-update", "all", "-n"],
    ] {
        let run = update(&bench, line).expect(ExitStatus::Clean);
        assert_eq!(run.stdout, expected);
        assert!(!run.stderr.contains("help:"), "{}", run.stderr);
    }
    // Of those that may not move, the index is not asked.
    let run = update(&bench, &["fig", "-n"]).expect(ExitStatus::Clean);
    assert_eq!(run.stdout, "major (1 project)\n  fig  1.0 -> 2.0\n");
    let words = "help: 3 other projects stay as they are; `ipwhl outdated` lists newer versions";
    says(&run.stderr, &[words]);
}

/// The chain of reasons goes on with the version that is required, not with the newest.
#[test]
fn a_chain_of_reasons_is_about_the_version_that_is_required() {
    let bench = set(&[("apple", "fig"), ("fig", ""), ("plum", "fig!=2.0")]);
    bench.offer("apple", &pure("apple", "2.0").requires("fig==2.0"));
    bench.offer("fig", &pure("fig", "2.0"));
    bench.offer("fig", &native("fig", "3.0", "py3-none-win_amd64"));
    let run = bench.program.run(&["outdated"]).expect(ExitStatus::Clean);
    let no_wheel = "it has no wheel for cp312-manylinux_2_28_x86_64";
    assert_eq!(
        run.stdout,
        format!(
            "apple\t1.0\t-\t2.0\tit requires `fig==2.0`; fig 2.0: plum requires !=2.0\t-\n\
             fig\t1.0\t-\t3.0\t{no_wheel}\t-\n"
        )
    );
}

/// The page and the metadata of a wheel state different versions of Python.
#[test]
fn the_python_that_is_meant_is_shown() {
    let bench = set(&[("kiwi", ""), ("lime", "")]);
    bench.offer_as(
        "kiwi",
        &pure("kiwi", "2.0").requires_python(">=3.14"),
        |file| {
            file.requires_python = Some(">=3.8".to_owned());
        },
    );
    bench.offer_as(
        "lime",
        &pure("lime", "2.0").requires_python(">=3.8"),
        |file| {
            file.requires_python = Some(">=3.14".to_owned());
        },
    );
    let run = update(&bench, &["-n"]).expect(ExitStatus::Clean);
    let words = [
        "kiwi  1.0, not 2.0: it needs Python >=3.14\n",
        "lime  1.0, not 2.0: it needs Python >=3.14\n",
    ];
    says(&run.stdout, &words);
}

/// A requirement that the set meets is no reason, though only the newer version has it.
#[test]
fn a_requirement_that_is_met_is_no_reason() {
    let bench = set(&[("zz", ""), ("mm", ""), ("kiwi", "zz")]);
    bench.offer(
        "kiwi",
        &pure("kiwi", "2.0").requires("mm>=1").requires("zz>=2"),
    );
    bench.offer("zz", &pure("zz", "2.0"));
    let run = update(&bench, &["kiwi", "-n"]).expect(ExitStatus::Clean);
    says(&run.stdout, &["kiwi  1.0, not 2.0: it requires `zz>=2`"]);
}

/// Of two limits, the tighter one is the reason.
#[test]
fn the_limit_that_holds_a_version_back_is_named() {
    let bench = set(&[("kiwi", "")]);
    for version in ["1.0.5", "1.0.9", "1.2", "2.0"] {
        bench.offer("kiwi", &pure("kiwi", version));
    }
    for (line, now, reason) in [
        (&["--patch", "kiwi<2"], "1.0.9", "it is more than a patch"),
        (
            &["--patch", "kiwi<1.0.9"],
            "1.0.5",
            "the command line requires <1.0.9",
        ),
        (
            &["--minor", "kiwi<2"],
            "1.2",
            "the command line requires <2",
        ),
        (&["--minor", "kiwi<3"], "1.2", "it is a major step"),
    ] {
        let mut line = line.to_vec();
        line.push("-n");
        let run = update(&bench, &line).expect(ExitStatus::Clean);
        says(&run.stdout, &[&format!("kiwi  {now}, not 2.0: {reason}\n")]);
    }
}

#[test]
fn a_newest_version_that_cannot_be_says_which_one_can() {
    let bench = set(&[("plum", "fig<3"), ("fig", ""), ("kiwi", "fig<2")]);
    bench.offer("kiwi", &pure("kiwi", "1.1").requires("fig<3"));
    for version in ["2.0", "3.0"] {
        bench.offer("fig", &pure("fig", version));
    }
    let run = update(&bench, &["--latest", "fig"]).expect(ExitStatus::Findings);
    let words = [
        "`--latest` requires ==3.0",
        "the newest possible version of `fig` is 2.0: `ipwhl update --allow-update all 'fig'`",
    ];
    says(&run.stderr, &words);
    assert!(!run.stderr.contains("command line"), "{}", run.stderr);
    let run = update(&bench, &["--allow-update", "all", "fig", "-n"]).expect(ExitStatus::Clean);
    says(&run.stdout, &["fig   1.0 -> 2.0\n"]);
    // As it is declared.
    bench.offer("lime", &pure("lime", "1.0"));
    bench.add(&["lime"]).expect(ExitStatus::Clean);
    bench.offer("lime", &pure("lime", "2.0").requires("fig>=4"));
    let run = update(&bench, &["--latest", "lime"]).expect(ExitStatus::Findings);
    says(&run.stderr, &["`lime` can only stay at 1.0"]);
}

#[test]
fn older_versions_are_no_steps() {
    let bench = set(&[("fig", ""), ("kiwi", "")]);
    bench.offer("kiwi", &pure("kiwi", "1.1"));
    update(&bench, &[]).expect(ExitStatus::Clean);
    bench.offer("fig", &pure("fig", "1.1"));
    let line = ["kiwi<1.1", "fig", "--allow-downgrade", "-n"];
    let run = update(&bench, &line).expect(ExitStatus::Clean);
    assert!(
        run.stdout.starts_with(
            "minor (1 project)\n  fig   1.0 -> 1.1\nolder (1 project)\n  kiwi  1.1 -> 1.0\nbehind"
        ),
        "{}",
        run.stdout
    );
    let run = update(&bench, &["kiwi<1.1", "--allow-downgrade", "--one-by-one"]);
    says(&run.stdout, &["kiwi  1.1 -> 1.0 (older)\n"]);
}

#[test]
fn a_dry_run_is_also_json() {
    let bench = set(&[("fig", "lime"), ("lime", ""), ("plum", "fig<2")]);
    bench.program.run(&["remove", "lime"]);
    bench
        .add(&["--automatic", "lime"])
        .expect(ExitStatus::Clean);
    bench.offer("fig", &pure("fig", "1.0.1").requires("grape"));
    bench.offer("fig", &pure("fig", "2.0"));
    bench.offer("grape", &pure("grape", "3.0"));
    let before = bench.declared();
    let run = update(&bench, &["-n", "--json"]).expect(ExitStatus::Clean);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        document,
        json!({
            "projects": [
                {"project": "fig", "from": "1.0", "to": "1.0.1", "change": "patch"},
                {"project": "grape", "from": null, "to": "3.0", "change": "new"},
                {"project": "lime", "from": "1.0", "to": null, "change": "no longer needed"},
            ],
            "behind": [{
                "project": "fig", "version": "1.0.1", "newest": "2.0",
                "reason": "plum requires <2",
            }],
        })
    );
    assert_eq!(bench.declared(), before);
    // Nothing else is written to standard output; without a plan to print, there is no JSON.
    let run = update(&bench, &["-n", "--one-by-one", "--json"]).expect(ExitStatus::Clean);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["changes"][0]["number"], 1);
    let run = update(&bench, &["--json"]).expect(ExitStatus::Usage);
    says(&run.stderr, &["--dry-run"]);
}

/// A change tells of findings that the set had before.
#[test]
fn a_set_that_was_broken_before_is_mentioned() {
    let bench = set(&[("fig", "lime"), ("lime", "")]);
    bench.offer("kiwi", &pure("kiwi", "1.0"));
    let words = "the set had 1 error before this command";
    let run = update(&bench, &[]).expect(ExitStatus::Clean);
    assert!(
        !run.stderr.contains("before this command"),
        "{}",
        run.stderr
    );
    bench.repository.remove("declarations/lime.toml");
    for line in [&["update"][..], &["add", "kiwi"], &["add", "lemon"]] {
        let run = bench.program.run(line);
        says(
            &run.stderr,
            &[words, "help: `ipwhl check` shows the findings"],
        );
    }
}

/// A project whose only source is a file.
#[test]
fn a_named_project_with_a_file_moves_beside_the_latest() {
    let bench = set(&[("fig", "")]);
    let wheel = pure("kiwi", "1.0");
    bench
        .repository
        .write("wheels/kiwi-1.0-py3-none-any.whl", wheel.build());
    let file = "wheels/kiwi-1.0-py3-none-any.whl";
    bench.add(&[file]).expect(ExitStatus::Clean);
    bench.offer("kiwi", &pure("kiwi", "1.5"));
    bench.offer("fig", &pure("fig", "2.0"));
    for line in [&["kiwi", "-n"][..], &["--latest", "fig", "kiwi", "-n"]] {
        let run = update(&bench, line).expect(ExitStatus::Clean);
        says(&run.stdout, &["kiwi  1.0 -> 1.5\n"]);
    }
    // One that is not named stays, and says why.
    bench.offer("fig", &pure("fig", "3.0").requires("kiwi>=1.5"));
    let run = update(&bench, &["--latest", "fig"]).expect(ExitStatus::Findings);
    let words = "`kiwi` stays at 1.0, declared in `declarations/kiwi.toml` without a `pkg:` source";
    says(&run.stderr, &[words]);
}
