//! How far long work is, where standard error is no terminal.

use std::time::Duration;

use ipwhl::command::ExitStatus;

use crate::support::bench::{Bench, pure};
use crate::support::program::Program;

const NOW: Duration = Duration::ZERO;
const NEVER: Duration = Duration::from_hours(24);

fn bench() -> Bench {
    let bench = Bench::new();
    for name in ["apple", "fig", "plum"] {
        bench.offer(name, &pure(name, "1.0"));
        bench.add(&[name]).expect(ExitStatus::Clean);
    }
    bench
}

/// Reads the wheels of a set into an empty cache, and gives the lines about how far that is.
fn lines(bench: &Bench, first: Duration, then: Duration, more: &[&str]) -> Vec<String> {
    let program = Program::new(bench.repository.path())
        .index(&bench.index.index_url())
        .pace(first, then);
    let run = program
        .run(&[&["check", "--wheels", "--jobs", "1"], more].concat())
        .expect(ExitStatus::Clean);
    let lines = run.stderr.lines();
    lines
        .filter(|line| line.contains(" of 3 wheels"))
        .map(ToOwned::to_owned)
        .collect()
}

#[test]
fn long_work_says_how_far_it_is_at_intervals() {
    let bench = bench();
    let often = lines(&bench, NOW, NOW, &[]);
    assert!(often.len() >= 3, "{often:?}");
    for name in ["fetched 1 of 3 wheels, ", "fetched 2 of 3 wheels, "] {
        assert!(
            often
                .iter()
                .any(|line| line.starts_with(name) && line.ends_with('B')),
            "{name} {often:?}"
        );
    }
    // The next line is one interval after the last one, however much happens meanwhile.
    let once = lines(&bench, NOW, NEVER, &[]);
    assert_eq!(once.len(), 1, "{once:?}");
    // Short work says nothing, and neither does `--quiet`.
    assert_eq!(lines(&bench, NEVER, NOW, &[]), [""; 0]);
    assert_eq!(lines(&bench, NOW, NOW, &["--quiet"]), [""; 0]);
}
