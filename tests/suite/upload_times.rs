//! `check --wheels` compares the declared times of uploads with the index.

use ipwhl::command::ExitStatus;

use crate::support::bench::{Bench, native, pure};
use crate::support::history::History;
use crate::support::loopback_index::{Answer, Hosted, LoopbackIndex};
use crate::support::program::{Program, Run};
use crate::support::repository_builder::RepositoryBuilder;

const TIME: &str = "2026-11-01T10:00:00.250000Z";
const WHEELS: [&str; 2] = ["check", "--wheels"];

/// A set of format 2 with a project of two wheels and one of one wheel, from an index with times.
fn bench() -> Bench {
    let bench = Bench::of(&RepositoryBuilder::new().format_2());
    for tag in ["cp312-abi3-manylinux_2_17_x86_64", "cp312-abi3-win_amd64"] {
        bench.offer_as("plum", &native("plum", "1.0", tag), at(TIME));
    }
    bench.offer_as("fig", &pure("fig", "2.0"), at(TIME));
    bench.add(&["plum", "fig"]).expect(ExitStatus::Clean);
    assert_eq!(bench.text("plum").matches("uploaded = ").count(), 2);
    bench
}

fn at(time: &str) -> impl Fn(&mut Hosted) {
    move |file| file.uploaded = Some(time.to_owned())
}

/// Writes an older time for each wheel of a project.
fn back_date(bench: &Bench, project: &str) {
    let text = bench.text(project);
    let older = text.replace("2026-11-01T10:00:00.25Z", "2020-01-01T00:00:00Z");
    assert_ne!(text, older);
    let file = format!("declarations/{project}.toml");
    bench.repository.write(&file, older);
}

fn pages(index: &LoopbackIndex) -> Vec<String> {
    let mut pages = index.paths();
    pages.retain(|path| path.starts_with("/simple/"));
    pages.sort();
    pages
}

/// The program with the same cache and another index.
fn at_index(bench: &Bench, index: &LoopbackIndex) -> Program {
    Program::new(bench.repository.path())
        .index(&index.index_url())
        .variable("IPWHL_CACHE_DIR", bench.program.cache_directory())
}

#[test]
fn a_time_that_the_index_contradicts_is_a_finding() {
    let bench = bench();
    bench.program.run(&WHEELS).expect(ExitStatus::Clean);
    back_date(&bench, "fig");
    let run = bench.program.run(&WHEELS).expect(ExitStatus::Findings);
    let message = "error[uploaded-mismatch]: the index says that `fig-2.0-py3-none-any.whl` was \
                   uploaded at 2026-11-01T10:00:00.25Z, not at 2020-01-01T00:00:00Z";
    assert!(run.stderr.contains(message), "{}", run.stderr);
    let text = bench.text("fig");
    let line = text.lines().position(|line| line.starts_with("uploaded"));
    let place = format!("declarations/fig.toml:{}:12", line.unwrap() + 1);
    assert!(run.stderr.contains(&place), "{}", run.stderr);
    // Without reading wheels nothing is asked, and a build asks never.
    bench.index.forget();
    bench.program.run(&["check"]).expect(ExitStatus::Clean);
    let build = ["build", "--root-only"];
    bench.program.run(&build).expect(ExitStatus::Clean);
    assert_eq!(bench.index.paths(), [""; 0]);
    // `--sources` asks every source, the index about the time too.
    let sources = bench.program.run(&["check", "--sources"]);
    assert!(sources.stderr.contains(message), "{}", sources.stderr);
    // A waiver covers it, and is not unused where the index is not asked.
    let settings = bench.repository.read("ipwhl.toml");
    let waiver = "\n[[waiver]]\ncode = \"uploaded-mismatch\"\nproject = \"fig\"\n\
                  reason = \"a mirror\"\nexpires = 2027-01-01\n";
    bench.repository.write("ipwhl.toml", settings + waiver);
    for line in [&WHEELS[..], &["check"], &build] {
        bench.program.run(line).expect(ExitStatus::Clean);
    }
}

/// Also where the wheels themselves come from the index, and with pages in HTML.
#[test]
fn each_page_is_fetched_once() {
    let bench = bench();
    let fresh = Program::new(bench.repository.path()).index(&bench.index.index_url());
    for (program, line) in [
        (&bench.program, &WHEELS[..]),
        (&fresh, &WHEELS[..]),
        (&bench.program, &["check", "--sources", "--wheels"]),
    ] {
        bench.index.forget();
        program.run(line).expect(ExitStatus::Clean);
        assert_eq!(pages(&bench.index), ["/simple/fig/", "/simple/plum/"]);
    }
    back_date(&bench, "plum");
    bench.index.html_only();
    let json = ["--message-format", "json"];
    let run = bench.program.run(&[&WHEELS[..], &json].concat());
    assert_eq!(run.codes(), ["uploaded-mismatch"; 2]);
}

#[test]
fn an_index_without_times_contradicts_nothing() {
    let bench = bench();
    back_date(&bench, "fig");
    let (without, odd, empty) = (
        LoopbackIndex::start(),
        LoopbackIndex::start(),
        LoopbackIndex::start(),
    );
    for (index, time) in [(&without, None), (&odd, Some("yesterday".to_owned()))] {
        let wheel = pure("fig", "2.0");
        let mut hosted = Hosted::new("fig", &wheel.file_name(), &wheel.build());
        hosted.uploaded = time;
        index.host(hosted);
    }
    for index in [&without, &odd, &empty] {
        at_index(&bench, index)
            .run(&WHEELS)
            .expect(ExitStatus::Clean);
        assert_eq!(pages(index), ["/simple/fig/", "/simple/plum/"]);
    }
    // A wheel without a time, or from no index, is not asked about.
    let text = bench
        .text("fig")
        .replace("uploaded = 2020-01-01T00:00:00Z\n", "");
    bench.repository.write("declarations/fig.toml", text);
    bench.index.forget();
    bench.program.run(&WHEELS).expect(ExitStatus::Clean);
    assert_eq!(pages(&bench.index), ["/simple/plum/"]);
}

#[test]
fn what_could_not_be_compared_is_told() {
    let bench = bench();
    back_date(&bench, "fig");
    bench.index.forget();
    let run = bench.program.run(&[&WHEELS[..], &["--offline"]].concat());
    let run = run.expect(ExitStatus::Clean);
    let note = "note: `--offline` forbids asking the index, so `uploaded` of 3 wheels was not \
                compared";
    assert!(run.stderr.contains(note), "{}", run.stderr);
    assert_eq!(bench.index.paths(), [""; 0]);
    let plain = bench.program.run(&["check", "--offline"]);
    assert!(!plain.stderr.contains("not compared"), "{}", plain.stderr);
    // An index that answers nonsense makes the check incomplete, and hides no other finding.
    let answer = Answer::whole("200 OK", &[("Content-Type", "image/png")], b"no page");
    bench.index.always("/simple/plum/", answer);
    let run = bench.program.run(&WHEELS).expect(ExitStatus::World);
    for words in ["error[uploaded-mismatch]", "`image/png`", "incomplete"] {
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
}

/// A change cannot make a file older than it is.
#[test]
fn a_change_is_compared_and_an_old_mistake_does_not_fail_it() {
    let bench = bench();
    back_date(&bench, "plum");
    let history = History::begin(bench.repository.path());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let program = at_index(&bench, &bench.index)
        .variable("PATH", path)
        .variable("GIT_CONFIG_GLOBAL", "/dev/null");
    let since = || -> Run {
        let line = ["check", "--since", "main", "--message-format", "json"];
        program.run(&line)
    };
    assert_eq!(since().expect(ExitStatus::Clean).codes(), [""; 0]);
    back_date(&bench, "fig");
    let run = since().expect(ExitStatus::Findings);
    assert_eq!(run.codes(), ["uploaded-mismatch"]);
    assert_eq!(run.findings()[0]["baseline"], "new");
    // Another change of a declaration does not make its old mistake a new one.
    let text = bench.text("fig");
    let newer = text.replace("2020-01-01T00:00:00Z", "2026-11-01T10:00:00.25Z");
    bench.repository.write("declarations/fig.toml", newer);
    let edited = |from: &str, to: &str| {
        let text = bench.text("plum");
        assert!(text.contains(from), "{text}");
        bench
            .repository
            .write("declarations/plum.toml", text.replacen(from, to, 1));
        let run = since();
        let findings = run.findings().into_iter();
        let baselines: Vec<String> = findings
            .map(|finding| finding["baseline"].as_str().unwrap_or_default().to_owned())
            .collect();
        (run.status, baselines)
    };
    let (status, baselines) = edited("2020-01-01T", "2020-01-02T");
    assert_eq!(status, ExitStatus::Findings);
    assert_eq!(baselines, ["new", "unchanged"]);
    let (status, baselines) = edited("2020-01-02T00:00:00Z", "2026-11-01T10:00:00.25Z");
    assert_eq!(status, ExitStatus::Clean);
    assert_eq!(baselines, ["unchanged"]);
    drop(history);
}
