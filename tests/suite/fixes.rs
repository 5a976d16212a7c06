//! What findings propose does what it says: the commands are run, the waivers pasted, the extras
//! removed.

use ipwhl::command::ExitStatus;
use ipwhl::foundation::diagnostic::Code;
use ipwhl_unixfs::Profile;
use serde_json::Value;

use crate::findings::{command, fixture, program};
use crate::support::bench::{Bench, native, pure};
use crate::support::history::History;
use crate::support::loopback_index::{Answer, Hosted, LoopbackIndex};
use crate::support::program::{Program, Run};
use crate::support::repository_builder::{BuiltRepository, Project, RepositoryBuilder, Wheel};
use crate::support::wheel_builder::WheelBuilder;

fn json(program: &Program, arguments: &[&str]) -> Run {
    let line: Vec<&str> = ["check", "--message-format", "json"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    program.run(&line)
}

/// The texts to paste of a finding.
fn pasted(finding: &Value) -> Vec<String> {
    let help = finding["help"].as_array().unwrap();
    help.iter()
        .filter_map(|help| help["text"].as_str())
        .map(ToOwned::to_owned)
        .collect()
}

/// The commands that findings propose, each once, in their order.
fn commands(findings: &[Value]) -> Vec<String> {
    let mut all: Vec<String> = findings.iter().flat_map(pasted).collect();
    all.retain(|text| text.starts_with("ipwhl "));
    all.dedup();
    all
}

/// Runs a command as a shell would.
fn type_in(program: &Program, command: &str) -> Run {
    let words: Vec<String> = command
        .split(' ')
        .skip(1)
        .map(|word| word.trim_matches('\'').to_owned())
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    program.run(&words)
}

fn notes(finding: &Value) -> String {
    let notes = finding["notes"].as_array().unwrap();
    let notes: Vec<&str> = notes.iter().filter_map(Value::as_str).collect();
    notes.join("\n")
}

fn requirer(name: &str, requirement: &str) -> Project {
    Project::wanted(pure(name, "1.0").requires(requirement))
}

/// Three projects that want another `fig` than the one that is there, in ways that only one version
/// of the index suits.
fn wrong_fig() -> Bench {
    let bench = Bench::of(
        &RepositoryBuilder::new()
            .project(requirer("apple", "fig>=1.1,<2"))
            .project(requirer("pear", "fig!=1.0,!=1.6"))
            .project(requirer("quince", "fig>1 ; os_name == 'nt'"))
            .project(Project::automatic(pure("fig", "1.0"))),
    );
    for version in ["1.0", "1.1", "1.5"] {
        bench.offer("fig", &pure("fig", version));
    }
    // One of them does not accept it.
    bench.offer("fig", &pure("fig", "1.6"));
    bench.offer("fig", &pure("fig", "2.0"));
    // Not for all interpreters, not for all systems, not final, taken back.
    bench.offer("fig", &pure("fig", "1.7").requires_python(">=3.13"));
    bench.offer("fig", &native("fig", "1.8", "py3-none-win_amd64"));
    bench.offer("fig", &pure("fig", "1.9rc1"));
    bench.offer_as("fig", &pure("fig", "1.9"), |file| {
        file.yanked = Some("broken".to_owned());
    });
    bench
}

#[test]
fn the_version_is_proposed_that_all_who_ask_accept_on_all_platforms() {
    let bench = wrong_fig();
    let found = json(&bench.program, &[]).expect(ExitStatus::Findings);
    assert_eq!(found.codes(), ["unsatisfied-dependency"; 3]);
    assert_eq!(
        commands(&found.findings()),
        ["ipwhl add --automatic 'fig==1.5'"]
    );
    assert_eq!(bench.index.paths(), ["/simple/fig/"]);
    type_in(&bench.program, "ipwhl add --automatic 'fig==1.5'").expect(ExitStatus::Clean);
    bench.is_clean();
    assert!(bench.text("fig").contains("automatic = true"));
}

/// Who has to change comes first, who asks for what comes next, and the ways out come once.
#[test]
fn findings_that_one_change_ends_are_shown_as_one() {
    let bench = wrong_fig();
    let run = bench.program.run(&["check", "--quiet"]);
    insta::assert_snapshot!("three_requirers_of_one_version", run.stderr);
    let run = bench.program.run(&["check", "--quiet", "--waivers", "r"]);
    assert_eq!(
        run.stdout.matches("[[waiver]]").count(),
        3,
        "{}",
        run.stdout
    );
}

/// However many require it: a few places as text, each by name, one list of ways out; as JSON each
/// alone.
#[test]
fn many_requirers_stay_one_finding_that_can_be_read() {
    let mut builder = RepositoryBuilder::new().project(Project::automatic(pure("fig", "1.0")));
    for number in 0..10 {
        builder = builder.project(requirer(&format!("apple{number}"), "fig>=2"));
    }
    let repository = builder.build();
    let program = Program::new(repository.path());
    let text = program.run(&["check", "--offline"]).stderr;
    for (words, count) in [
        ("error[unsatisfied-dependency]", 1),
        (
            "the set has `fig` 1.0, but 10 projects require another version",
            1,
        ),
        ("::: ", 3),
        ("note: required by", 1),
        (": `fig>=2` at declarations/apple", 10),
        ("ipwhl add", 1),
        ("'fig>=2'", 1),
        ("[[waiver]]", 0),
        ("help: ", 2),
        ("10 errors", 1),
    ] {
        assert_eq!(text.matches(words).count(), count, "{words}\n{text}");
    }
    let found = json(&program, &["--offline"]).findings();
    assert_eq!(found.len(), 10);
    for finding in &found {
        waiver(finding);
    }
}

/// What was there before a change is not asked about, and does not count among what is new.
#[test]
fn what_was_there_before_a_change_is_shown_apart() {
    let bench = wrong_fig();
    let history = History::begin(bench.repository.path());
    history.commit("the set");
    let program = Program::new(bench.repository.path())
        .index(&bench.index.index_url())
        .variable("PATH", std::env::var_os("PATH").unwrap_or_default())
        .variable("GIT_CONFIG_GLOBAL", "/dev/null");
    let run = json(&program, &["--since", "main"]).expect(ExitStatus::Clean);
    assert_eq!(run.codes(), ["unsatisfied-dependency"; 3]);
    assert_eq!(bench.index.connections(), 0);
    let lime = requirer("lime", "fig>=1.1 ; os_name == 'nt'").text(Profile::UnixfsV1_2025);
    bench.repository.write("declarations/lime.toml", lime);
    let lime = pure("lime", "1.0").requires("fig>=1.1 ; os_name == 'nt'");
    let wheel = format!("wheels/{}", lime.file_name());
    bench.repository.write(&wheel, lime.build());
    let text = program.run(&["check", "--since", "main"]).stderr;
    for words in [
        "`lime` requires `fig>=1.1; os_name == \"nt\"`, but the set has fig 1.0",
        "the set has `fig` 1.0, but 3 projects require another version",
    ] {
        assert_eq!(text.matches(words).count(), 1, "{words}\n{text}");
    }
    assert_eq!(text.matches("use 1.5").count(), 2, "{text}");
}

/// One requirement for several extras, and with a way from a wanted project, missing on some
/// platforms.
#[test]
fn a_group_says_of_each_where_and_why() {
    let repository = RepositoryBuilder::new()
        .project(Project::wanted(
            pure("apple", "1.0")
                .requires("fig ; extra == 'jam' or extra == 'juice'")
                .requires("grape[seed]>=1 ; os_name == 'nt'")
                .extra("jam")
                .extra("juice"),
        ))
        .project(Project::automatic(
            pure("grape", "1.0")
                .requires("fig>=2 ; extra == 'seed'")
                .extra("seed"),
        ))
        .build();
    let run = Program::new(repository.path()).run(&["check", "--quiet", "--offline"]);
    insta::assert_snapshot!("one_missing_project", run.stderr);
}

/// What is needed on some platforms only may be declared for these.
#[test]
fn a_missing_project_is_proposed_for_where_it_is_needed() {
    let bench = Bench::of(
        &RepositoryBuilder::new().project(requirer("apple", "fig[seed]>=1 ; os_name == 'nt'")),
    );
    bench.offer("fig", &pure("fig", "0.9").extra("seed"));
    bench.offer(
        "fig",
        &native("fig", "2.0", "py3-none-win_amd64")
            .requires("grape ; extra == 'seed'")
            .extra("seed"),
    );
    bench.offer("grape", &pure("grape", "1.0"));
    let found = json(&bench.program, &[]).expect(ExitStatus::Findings);
    let command = "ipwhl add --automatic 'fig[seed]==2.0'";
    assert_eq!(commands(&found.findings()), [command]);
    type_in(&bench.program, command).expect(ExitStatus::Clean);
    assert_eq!(bench.declared(), ["apple.toml", "fig.toml", "grape.toml"]);
    let after = json(&bench.program, &["--wheels", "--offline"]).expect(ExitStatus::Clean);
    // It is there for `apple`, and where `apple` needs it.
    assert_eq!(after.codes(), [""; 0]);
}

/// The declared version is kept where only wheels of it are missing; a wanted project stays wanted.
#[test]
fn wheels_of_the_declared_version_are_proposed() {
    let windows = native("fig", "1.0", "py3-none-win_amd64");
    let bench = Bench::of(
        &RepositoryBuilder::new()
            .project(requirer("apple", "fig"))
            .project(Project::wanted(windows.clone())),
    );
    bench.offer("fig", &windows);
    bench.offer(
        "fig",
        &native("fig", "1.0", "py3-none-manylinux_2_17_x86_64"),
    );
    bench.offer("fig", &pure("fig", "1.1"));
    let found = json(&bench.program, &[]).expect(ExitStatus::Findings);
    assert_eq!(found.codes(), ["unavailable-dependency"]);
    assert_eq!(commands(&found.findings()), ["ipwhl add 'fig==1.0'"]);
    type_in(&bench.program, "ipwhl add 'fig==1.0'").expect(ExitStatus::Clean);
    let text = bench.text("fig");
    assert_eq!(text.matches("[[wheel]]").count(), 2, "{text}");
    assert!(!text.contains("automatic"), "{text}");
    bench.is_clean();
}

/// A Requires-Python that excludes an interpreter is ended by a version without it.
#[test]
fn a_version_for_these_interpreters_is_proposed() {
    let bench = Bench::of(
        &RepositoryBuilder::new()
            .project(requirer("apple", "fig"))
            .project(Project::automatic(
                pure("fig", "2.0").requires_python(">=3.13"),
            )),
    );
    bench.offer("fig", &pure("fig", "2.0").requires_python(">=3.13"));
    bench.offer("fig", &pure("fig", "1.9").requires_python(">=3.8"));
    let found = json(&bench.program, &[]).expect(ExitStatus::Findings);
    let command = "ipwhl add --automatic 'fig==1.9'";
    assert_eq!(commands(&found.findings()), [command]);
    type_in(&bench.program, command).expect(ExitStatus::Clean);
    bench.is_clean();
}

/// The extra of a project that the index has is declared by a command, and its version stays.
#[test]
fn an_extra_is_declared_with_what_it_needs() {
    let plain = pure("fig", "1.0").extra("seed");
    let bench = Bench::of(&RepositoryBuilder::new().project(requirer("apple", "fig[seed]")));
    offer_with_metadata(&bench, "fig", &plain.requires("grape ; extra == 'seed'"));
    offer_with_metadata(&bench, "fig", &pure("fig", "1.1").extra("seed"));
    bench.offer("grape", &pure("grape", "1.0"));
    bench.add(&["fig==1.0"]).expect(ExitStatus::Clean);
    let text = bench
        .text("fig")
        .replace("extras = [\"seed\"]", "extras = []");
    bench.repository.write("declarations/fig.toml", text);
    let found = json(&bench.program, &[]).expect(ExitStatus::Findings);
    assert_eq!(found.codes(), ["unneeded", "missing-extra"]);
    let command = "ipwhl add 'fig[seed]==1.0'";
    assert_eq!(commands(&found.findings()), [command]);
    // Without the index, nobody knows that the command does.
    let offline = json(&bench.program, &["--offline"]).expect(ExitStatus::Findings);
    assert_eq!(commands(&offline.findings()), [""; 0]);
    let by_hand = "if the wheels of `fig` have it, add `seed` to `extras`, and its requirements to \
                   `dependencies`";
    assert_eq!(offline.findings()[1]["help"][0]["message"], by_hand);
    type_in(&bench.program, command).expect(ExitStatus::Clean);
    bench.is_clean();
}

/// No command is proposed for an extra that no wheel has, or of which nobody knows whether one has
/// it.
#[test]
fn a_command_for_an_extra_does_not_fail() {
    let fig = Wheel::elsewhere(
        pure("fig", "1.0"),
        "pkg:pypi/fig@1.0?file_name=fig-1.0-py3-none-any.whl",
    );
    let bench = Bench::of(
        &RepositoryBuilder::new()
            .project(requirer("apple", "fig[seed]"))
            .project(Project::automatic(fig)),
    );
    offer_with_metadata(&bench, "fig", &pure("fig", "1.0"));
    let missing = || {
        let found = json(&bench.program, &[]).expect(ExitStatus::Findings);
        assert_eq!(found.codes(), ["missing-extra"]);
        found.findings().remove(0)
    };
    let finding = missing();
    assert_eq!(commands(std::slice::from_ref(&finding)), [""; 0]);
    assert!(
        notes(&finding).contains("fig 1.0: it has no extra `seed`"),
        "{finding}"
    );
    assert_eq!(
        finding["help"][0]["message"],
        "declare another version of the project that requires it"
    );
    // Another version that may have it says nothing of its extras.
    bench.offer("fig", &pure("fig", "2.0").extra("seed"));
    let finding = missing();
    assert_eq!(commands(std::slice::from_ref(&finding)), [""; 0]);
    assert!(
        notes(&finding).contains("fig 2.0: the index does not list its extras"),
        "{finding}"
    );
    // Another version has it.
    offer_with_metadata(&bench, "fig", &pure("fig", "1.5").extra("seed"));
    let finding = missing();
    let command = "ipwhl add --automatic 'fig[seed]==1.5'";
    assert_eq!(commands(std::slice::from_ref(&finding)), [command]);
    type_in(&bench.program, command).expect(ExitStatus::Clean);
    bench.is_clean();
}

/// Where no version does for all, the reasons are said and no command is.
#[test]
fn what_the_index_does_not_have_is_not_proposed() {
    let bench = Bench::of(
        &RepositoryBuilder::new()
            .project(requirer("apple", "fig<2"))
            .project(requirer("pear", "fig>=2"))
            .project(requirer("quince", "absent"))
            .project(requirer("sloe", "sourced"))
            .project(Project::automatic(pure("fig", "1.0"))),
    );
    bench.offer("fig", &pure("fig", "1.0"));
    bench.offer("fig", &pure("fig", "2.0"));
    bench
        .index
        .host(Hosted::new("sourced", "sourced-1.0.tar.gz", b"no wheel"));
    let found = json(&bench.program, &[]).expect(ExitStatus::Findings);
    let found = found.findings();
    assert_eq!(commands(&found), [""; 0]);
    let told: Vec<String> = found.iter().map(notes).collect();
    for words in [
        "the index has no project `absent`",
        "no version of `fig` in the index satisfies all projects that require it: fig 1.0: pear \
         requires >=2; fig 2.0: apple requires <2",
        "the index has no wheel of `sourced`",
    ] {
        assert!(
            told.iter().any(|note| note.contains(words)),
            "{words}\n{told:#?}"
        );
    }
}

/// Offers a wheel with its METADATA beside it.
fn offer_with_metadata(bench: &Bench, project: &str, wheel: &WheelBuilder) {
    let metadata = wheel.metadata_bytes();
    bench.offer_as(project, wheel, |file| {
        file.metadata = Some(metadata.clone());
    });
}

/// Where no version of what is required does for all, one of those who require it may.
#[test]
fn another_version_of_the_one_that_requires_is_proposed() {
    let bench = Bench::of(
        &RepositoryBuilder::new()
            .project(requirer("apple", "fig<2"))
            .project(Project::wanted(
                pure("pear", "1.0").requires("fig>=2").extra("jam"),
            ))
            .project(requirer("quince", "pear<4"))
            .project(Project::automatic(pure("fig", "1.0"))),
    );
    bench.offer("fig", &pure("fig", "2.0"));
    let pear = |version: &str| pure("pear", version).extra("jam");
    // Without METADATA, not accepted by who requires it, without the extra, with another
    // requirement.
    bench.offer("pear", &pear("3.9"));
    offer_with_metadata(&bench, "pear", &pear("4.0"));
    offer_with_metadata(&bench, "pear", &pure("pear", "3.0"));
    offer_with_metadata(&bench, "pear", &pear("2.0").requires("fig>=3"));
    offer_with_metadata(&bench, "pear", &pear("1.0").requires("fig"));
    offer_with_metadata(&bench, "pear", &pear("0.9").requires("fig>=0.5"));
    offer_with_metadata(&bench, "pear", &pear("0.8"));
    let found = json(&bench.program, &[]).expect(ExitStatus::Findings);
    assert_eq!(found.codes(), ["unsatisfied-dependency"]);
    assert_eq!(commands(&found.findings()), ["ipwhl add 'pear==0.9'"]);
    type_in(&bench.program, "ipwhl add 'pear==0.9'").expect(ExitStatus::Clean);
    bench.is_clean();
}

/// A version without an extra that is asked for does not do.
#[test]
fn a_version_without_the_extra_is_passed_over() {
    let bench = Bench::of(&RepositoryBuilder::new().project(requirer("apple", "fig[seed]")));
    offer_with_metadata(&bench, "fig", &pure("fig", "1.0").extra("seed"));
    offer_with_metadata(&bench, "fig", &pure("fig", "2.0"));
    let found = json(&bench.program, &[]).expect(ExitStatus::Findings);
    let command = "ipwhl add --automatic 'fig[seed]==1.0'";
    assert_eq!(commands(&found.findings()), [command]);
    type_in(&bench.program, command).expect(ExitStatus::Clean);
    bench.is_clean();
}

/// Nobody is asked where nothing could be found, and nobody may be with `--offline`.
#[test]
fn the_index_is_asked_only_for_what_it_could_mend() {
    let bench = wrong_fig();
    let offline = json(&bench.program, &["--offline"]).expect(ExitStatus::Findings);
    assert_eq!(
        commands(&offline.findings()),
        ["ipwhl add --automatic 'fig!=1.0,!=1.6,<2,>1,>=1.1'"]
    );
    assert!(!offline.stderr.contains("not asked"), "{}", offline.stderr);
    // A finding that somebody answers for is none.
    for code in [
        "missing-extra",
        "direct-reference",
        "unused-wheel",
        "unneeded",
    ] {
        let repository = fixture(code.parse().unwrap()).unwrap().build();
        let program = Program::new(repository.path()).index(&bench.index.index_url());
        assert_eq!(json(&program, &[]).codes(), [code]);
    }
    let repository = RepositoryBuilder::sound().build();
    let program = Program::new(repository.path()).index(&bench.index.index_url());
    program.run(&["check"]).expect(ExitStatus::Clean);
    assert_eq!(bench.index.connections(), 0);
}

/// An index that does not answer, or that nobody named, costs a line and no finding.
#[test]
fn an_index_that_does_not_answer_takes_nothing_away() {
    let bench = wrong_fig();
    let offline = json(&bench.program, &["--offline"]);
    bench
        .index
        .always("/simple/fig/", Answer::Stall(Vec::new()));
    let stalled = json(&bench.program, &[]).expect(ExitStatus::Findings);
    assert_eq!(stalled.stdout, offline.stdout);
    assert_eq!(
        stalled.stderr.lines().next(),
        Some("note: the index was not asked: it took longer than 3 seconds")
    );
    let without = json(&Program::new(bench.repository.path()), &[]);
    assert_eq!(without.stdout, offline.stdout);
    assert!(
        without
            .stderr
            .starts_with("note: the index was not asked: "),
        "{}",
        without.stderr
    );
    let quiet = json(&Program::new(bench.repository.path()), &["--quiet"]);
    assert_eq!(quiet.stderr, "");
}

/// The waiver that a finding proposes, with its reason filled in.
fn waiver(finding: &Value) -> String {
    let texts = pasted(finding);
    let waivers: Vec<&String> = texts
        .iter()
        .filter(|text| text.starts_with("[[waiver]]"))
        .collect();
    let [waiver] = waivers.as_slice() else {
        panic!("{finding:#}");
    };
    assert!(texts.last() == Some(*waiver), "{finding:#}");
    waiver.replace("reason = \"\"", "reason = \"a test answers for it\"")
}

fn paste(repository: &BuiltRepository, waivers: &[String]) {
    let settings = repository.read("ipwhl.toml");
    repository.write(
        "ipwhl.toml",
        format!("{settings}\n{}\n", waivers.join("\n\n")),
    );
}

/// Of every code that may be waived the proposed waiver ends the finding and is used; of the others
/// there is none.
#[test]
fn every_proposed_waiver_covers_its_finding() {
    for code in Code::ALL.iter().copied() {
        let repository = fixture(code).unwrap().build();
        let (program, _index) = program(code, &repository);
        let json = |program: &Program| {
            let format = ["--message-format", "json"];
            program.run(&[command(code), &format].concat())
        };
        let found = json(&program).findings();
        let [finding] = found.as_slice() else {
            panic!("{code}: {found:#?}")
        };
        // The age of a database is about no project.
        if !code.may_be_overridden() || code == Code::OldDatabase {
            assert!(!finding.to_string().contains("[[waiver]]"), "{finding:#}");
            continue;
        }
        paste(&repository, &[waiver(finding)]);
        let run = json(&program).expect(ExitStatus::Clean);
        assert_eq!(run.codes(), [""; 0], "{code}");
        // It holds for 90 days and no longer.
        let program = program.now("2027-02-18T23:00:00Z");
        assert_eq!(json(&program).codes(), [""; 0], "{code}");
        let program = program.now("2027-02-19T01:00:00Z");
        let codes = json(&program).codes();
        assert!(codes.contains(&"expired-waiver".to_owned()), "{codes:?}");
    }
}

/// Nobody answers for something without a reason.
#[test]
fn a_proposed_waiver_without_its_reason_is_refused() {
    let repository = fixture(Code::Unneeded).unwrap().build();
    let program = Program::new(repository.path());
    let found = json(&program, &[]).findings();
    let unfilled = waiver(&found[0]).replace("a test answers for it", "");
    paste(&repository, &[unfilled]);
    let run = json(&program, &[]).expect(ExitStatus::Findings);
    assert!(
        run.stdout.contains("a waiver needs a reason"),
        "{}",
        run.stdout
    );
}

/// A set with findings that are alike: by wheel, by extra, by platform, by requirement.
fn alike() -> RepositoryBuilder {
    let wheel = |tag: &str, requirement: &str| {
        native("plum", "1.0", tag)
            .requires(requirement)
            .requires("lime ; extra == 'jam' or extra == 'juice' or os_name == 'nt'")
            .extra("jam")
            .extra("juice")
    };
    RepositoryBuilder::new()
        .platforms(
            &["cp311", "cp312", "cp313"],
            &[
                "manylinux_2_28_x86_64",
                "manylinux_2_28_aarch64",
                "win_amd64",
            ],
        )
        .project(
            Project::wanted(wheel("py3-none-win_amd64", "fig"))
                .wheel(wheel("py3-none-manylinux_2_17_x86_64", "fig"))
                .wheel(wheel("py3-none-manylinux_2_17_aarch64", "fig>=1")),
        )
        .project(Project::wanted(
            pure("apple", "1.0")
                .requires("grape ; python_version < '3.13' and os_name == 'nt'")
                .requires("grape>1 ; python_version == '3.12' or os_name == 'nt'")
                .requires("grape[seed]>0"),
        ))
        .project(Project::automatic(
            native("grape", "1.0", "py3-none-manylinux_2_17_x86_64").requires_python(">=3.12"),
        ))
}

/// The platforms that the words of a waiver cover, of those of [`alike`].
fn covered(waiver: &str) -> Vec<String> {
    let list = waiver.lines().find(|line| line.starts_with("platforms"));
    let mut all = Vec::new();
    for python in ["cp311", "cp312", "cp313"] {
        for system in [
            "manylinux_2_28_aarch64",
            "manylinux_2_28_x86_64",
            "win_amd64",
        ] {
            let single = format!("{python}-{system}");
            let names = [python, system, single.as_str()].map(|name| format!("\"{name}\""));
            if list.is_none_or(|list| names.iter().any(|name| list.contains(name.as_str()))) {
                all.push(single);
            }
        }
    }
    all
}

/// A waiver covers its own finding, and none of those that are like it.
#[test]
fn a_proposed_waiver_covers_no_other_finding() {
    let found = json(&Program::new(alike().build().path()), &["--offline"]).findings();
    assert!(found.len() > 10, "{found:#?}");
    for (index, finding) in found.iter().enumerate() {
        let platforms: Vec<&str> = finding["platforms"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        if !platforms.is_empty() {
            assert_eq!(covered(&waiver(finding)), platforms, "{}", waiver(finding));
        }
        let repository = alike().build();
        paste(&repository, &[waiver(finding)]);
        let left = json(&Program::new(repository.path()), &["--offline"]).findings();
        let message = |finding: &Value| {
            let places = finding["places"].to_string();
            (
                finding["message"].to_string(),
                places,
                finding["platforms"].to_string(),
            )
        };
        let expected: Vec<_> = found
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != index)
            .map(|(_, finding)| message(finding))
            .collect();
        let left: Vec<_> = left.iter().map(message).collect();
        assert_eq!(left, expected, "{}", waiver(finding));
    }
    let repository = alike().build();
    let all: Vec<String> = found.iter().map(waiver).collect();
    paste(&repository, &all);
    let run = json(&Program::new(repository.path()), &["--offline"]);
    assert_eq!(run.codes(), [""; 0]);
}

/// All but one are not all.
#[test]
fn a_waiver_for_all_platforms_but_one_leaves_that_one_out() {
    let repository = RepositoryBuilder::sound()
        .change("banana", |banana| {
            banana.without_wheel("cp313").without_wheel("abi3")
        })
        .build();
    let found = json(&Program::new(repository.path()), &["--offline"]).findings();
    let finding = found
        .iter()
        .find(|finding| finding["code"] == "unavailable-dependency")
        .unwrap();
    let platforms: Vec<&str> = finding["platforms"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(platforms.len(), 3);
    let waiver = waiver(finding);
    assert!(
        waiver.contains("platforms = [\"win_amd64\", \"cp313\"]"),
        "{waiver}"
    );
}

/// What somebody answers for in one file is not answered for in the next version, where the wheel
/// is the only one.
#[test]
fn a_proposed_waiver_of_an_only_wheel_names_it() {
    let repository = RepositoryBuilder::sound()
        .change("apple", |apple| apple.set("requires-python", "\">=3.6\""))
        .build();
    let found = json(&Program::new(repository.path()), &["--offline", "--wheels"]).findings();
    assert_eq!(found[0]["code"], "requires-python-mismatch");
    let waiver = waiver(&found[0]);
    assert!(
        waiver.contains("wheel = \"apple-1.0-py3-none-any.whl\""),
        "{waiver}"
    );
}

/// What somebody answers for in one file is not answered for in the next.
#[test]
fn a_proposed_waiver_of_a_wheel_is_of_this_wheel() {
    let builder = RepositoryBuilder::sound().change("banana", |banana| {
        banana.set("requires-python", "\">=3.6\"")
    });
    let repository = builder.build();
    let program = Program::new(repository.path());
    let found = json(&program, &["--wheels"]).findings();
    assert_eq!(found.len(), 3, "{found:#?}");
    paste(&repository, &[waiver(&found[1])]);
    let left = json(&program, &["--wheels"]).findings();
    let messages = |findings: &[Value]| -> Vec<String> {
        findings
            .iter()
            .map(|finding| finding["message"].to_string())
            .collect()
    };
    assert_eq!(
        messages(&left),
        [&messages(&found)[..1], &messages(&found)[2..]].concat()
    );
}

/// The way out that leaves an extra out, in words, if the only finding has one.
fn leaving(apple: WheelBuilder, others: &[Project]) -> Option<String> {
    let mut builder = RepositoryBuilder::new().project(Project::wanted(apple));
    for other in others {
        builder = builder.project(other.clone());
    }
    let repository = builder.build();
    let found = json(&Program::new(repository.path()), &["--offline"]).findings();
    let [finding] = found.as_slice() else {
        panic!("{found:#?}")
    };
    let help = finding["help"].as_array().unwrap();
    let words = help
        .iter()
        .filter_map(|help| help["message"].as_str())
        .find(|words| words.starts_with("drop the extra"))?;
    // What it says is done.
    let file = repository.read("declarations/apple.toml");
    let line = file
        .lines()
        .position(|line| line.starts_with("extras"))
        .unwrap();
    assert!(
        words.ends_with(&format!("in declarations/apple.toml:{}", line + 1)),
        "{words}"
    );
    let mut extras: Vec<&str> = ["\"all\"", "\"jam\"", "\"juice\""].to_vec();
    extras.retain(|extra| file.lines().nth(line).unwrap().contains(extra));
    extras.retain(|extra| !words.contains(extra));
    let lines: Vec<String> = file
        .lines()
        .enumerate()
        .map(|(number, text)| {
            if number == line {
                format!("extras = [{}]", extras.join(", "))
            } else {
                text.to_owned()
            }
        })
        .collect();
    repository.write("declarations/apple.toml", lines.join("\n"));
    let after = json(&Program::new(repository.path()), &["--offline"]);
    assert_eq!(after.codes(), [""; 0]);
    Some(words.to_owned())
}

#[test]
fn the_extra_to_leave_out_is_named_where_that_helps() {
    let apple = || {
        pure("apple", "1.0")
            .requires("fig ; extra == 'jam'")
            .extra("jam")
            .extra("juice")
    };
    assert_eq!(
        leaving(apple(), &[]).as_deref(),
        Some(
            "drop the extra that needs it: remove `\"jam\"` from `extras` in declarations/apple.toml:3"
        )
    );
    // What asks for it within the project goes with it.
    assert_eq!(
        leaving(
            apple().requires("apple[jam] ; extra == 'all'").extra("all"),
            &[]
        )
        .as_deref(),
        Some(
            "drop the extra that needs it: remove `\"all\"` and `\"jam\"` from `extras` in \
             declarations/apple.toml:3"
        )
    );
    // Somebody asks for it; it is needed without it; the project always asks for it itself.
    assert_eq!(leaving(apple(), &[requirer("pear", "apple[jam]")]), None);
    assert_eq!(leaving(pure("apple", "1.0").requires("fig"), &[]), None);
    assert_eq!(leaving(apple().requires("apple[jam]"), &[]), None);
}

/// Another extra that needs the same project elsewhere, or in another way, stays.
#[test]
fn no_more_extras_are_left_out_than_need_it() {
    let apple = || pure("apple", "1.0").extra("jam").extra("juice");
    let only_jam = Some(
        "drop the extra that needs it: remove `\"jam\"` from `extras` in declarations/apple.toml:3"
            .to_owned(),
    );
    let seeds = native("fig", "1.0", "py3-none-manylinux_2_17_x86_64").extra("seed");
    let on_linux = Project::automatic(seeds).wheel(native("fig", "1.0", "py3-none-win_amd64"));
    let elsewhere =
        "fig[seed] ; extra == 'jam' and os_name == 'nt' or extra == 'juice' and os_name == 'posix'";
    assert_eq!(leaving(apple().requires(elsewhere), &[on_linux]), only_jam);
    let otherwise = apple()
        .requires("fig>=2 ; extra == 'jam'")
        .requires("fig ; extra == 'juice'");
    let fig = Project::automatic(pure("fig", "1.0"));
    assert_eq!(leaving(otherwise, &[fig]), only_jam);
}

/// What is needed in any case somewhere is not ended by leaving an extra out.
#[test]
fn an_extra_is_not_left_out_where_that_is_not_enough() {
    let repository = RepositoryBuilder::new()
        .project(Project::wanted(
            pure("apple", "1.0")
                .requires("fig ; os_name == 'nt' or extra == 'jam'")
                .extra("jam"),
        ))
        .build();
    let run = json(&Program::new(repository.path()), &["--offline"]);
    assert_eq!(run.codes(), ["missing-dependency"; 2]);
    assert!(!run.stdout.contains("leave out"), "{}", run.stdout);
}

/// A wheel that has been reviewed by nobody is not to be had from an index that is not asked.
#[test]
fn a_wheel_from_elsewhere_gets_words_in_place_of_a_command() {
    let fig = pure("fig", "1.0");
    let repository = RepositoryBuilder::new()
        .project(requirer("apple", "fig[seed]"))
        .project(Project::automatic(Wheel::elsewhere(
            fig,
            "https://example.org/fig-1.0-py3-none-any.whl",
        )))
        .build();
    let index = LoopbackIndex::start();
    let program = Program::new(repository.path()).index(&index.index_url());
    let found = json(&program, &[]).findings();
    assert_eq!(commands(&found), [""; 0]);
    let words = found[0]["help"][0]["message"].as_str().unwrap();
    assert_eq!(
        words,
        "if the wheels of `fig` have it, add `seed` to `extras`, and its requirements to `dependencies`"
    );
}
