//! `ipwhl update`: a set is brought to the newest versions that fit together.

use ipwhl::command::ExitStatus;

use crate::support::bench::{Bench, native, pure};
use crate::support::program::Run;

fn update(bench: &Bench, arguments: &[&str]) -> Run {
    let line: Vec<&str> = ["update"].iter().chain(arguments).copied().collect();
    bench.program.run(&line)
}

/// A set of apple and plum, which both need fig; kiwi stands alone.
fn set() -> Bench {
    let bench = Bench::new();
    bench.offer("apple", &pure("apple", "1.0").requires("fig"));
    bench.offer("plum", &pure("plum", "1.0").requires("fig<2"));
    bench.offer("fig", &pure("fig", "1.0").requires("lime"));
    bench.offer("lime", &pure("lime", "1.0"));
    bench.offer("kiwi", &pure("kiwi", "1.0"));
    bench
        .add(&["apple", "plum", "kiwi"])
        .expect(ExitStatus::Clean);
    bench
}

#[test]
fn everything_moves_as_far_as_it_fits_and_the_rest_says_why() {
    let bench = set();
    let text = |name: &str| bench.text(name);
    bench.offer("apple", &pure("apple", "1.0.1").requires("fig>=1.1"));
    bench.offer("fig", &pure("fig", "1.1").requires("grape"));
    bench.offer("fig", &pure("fig", "2.0"));
    bench.offer("grape", &pure("grape", "3.0"));
    bench.offer("kiwi", &native("kiwi", "2.0", "py3-none-win_amd64"));
    bench.offer("kiwi", &pure("kiwi", "1.5"));
    let before = (text("apple"), bench.declared());
    let report = "minor (2 projects)\n  \
                  fig    1.0 -> 1.1\n  \
                  kiwi   1.0 -> 1.5\n\
                  patch (1 project)\n  \
                  apple  1.0 -> 1.0.1\n\
                  new dependencies (1 project)\n  \
                  grape  3.0\n\
                  no longer needed (1 project)\n  \
                  lime   1.0\n\
                  behind the index (2 projects)\n  \
                  fig    1.1, not 2.0: plum requires <2\n  \
                  kiwi   1.5, not 2.0: it has no wheel for cp312-manylinux_2_28_x86_64\n";
    let run = update(&bench, &["--dry-run"]).expect(ExitStatus::Clean);
    assert_eq!(run.stdout, report);
    assert_eq!((text("apple"), bench.declared()), before);
    let run = update(&bench, &[]).expect(ExitStatus::Clean);
    assert_eq!(run.stdout, report);
    assert_eq!(
        bench.declared(),
        [
            "apple.toml",
            "fig.toml",
            "grape.toml",
            "kiwi.toml",
            "plum.toml"
        ]
    );
    assert_eq!(bench.wheels("fig"), ["fig-1.1-py3-none-any.whl"]);
    assert!(text("grape").contains("automatic = true"));
    bench.is_sound();
    // Nothing is left to do, and nothing is written.
    let written = text("fig");
    let run = update(&bench, &[]).expect(ExitStatus::Clean);
    assert!(
        run.stderr
            .contains("nothing changes: no project has a newer version that fits"),
        "{}",
        run.stderr
    );
    assert_eq!(text("fig"), written);
}

#[test]
fn named_projects_move_alone_and_steps_can_be_limited() {
    let bench = set();
    bench.offer("kiwi", &pure("kiwi", "1.0.2"));
    bench.offer("kiwi", &pure("kiwi", "1.4"));
    bench.offer("kiwi", &pure("kiwi", "3.0"));
    bench.offer("lime", &pure("lime", "1.1"));
    let row = |arguments: &[&str]| {
        let run = update(&bench, arguments).expect(ExitStatus::Clean);
        let mut rows = run.stdout.lines().filter(|line| line.contains("->"));
        rows.next().map(ToOwned::to_owned)
    };
    let rows = |words: &str| Some(words.to_owned());
    assert_eq!(
        row(&["kiwi", "--patch", "-n"]),
        rows("  kiwi  1.0 -> 1.0.2")
    );
    assert_eq!(row(&["kiwi", "--minor", "-n"]), rows("  kiwi  1.0 -> 1.4"));
    assert_eq!(row(&["kiwi"]), rows("  kiwi  1.0 -> 3.0"));
    assert_eq!(bench.wheels("lime"), ["lime-1.0-py3-none-any.whl"]);
    // Another project moves only if it may.
    bench.offer("apple", &pure("apple", "2.0").requires("fig>=1.2"));
    bench.offer("fig", &pure("fig", "1.2").requires("lime"));
    assert_eq!(row(&["apple"]), None);
    let run = update(&bench, &["apple", "--allow-update", "fig"]).expect(ExitStatus::Clean);
    assert!(run.stdout.contains("apple  1.0 -> 2.0"), "{}", run.stdout);
    assert!(run.stdout.contains("fig    1.0 -> 1.2"), "{}", run.stdout);
    bench.is_sound();
    // What lime was needed for is gone, so it leaves the set.
    bench.offer("fig", &pure("fig", "1.3"));
    let run = update(&bench, &["fig"]).expect(ExitStatus::Clean);
    assert!(
        run.stdout.contains("no longer needed (1 project)\n  lime"),
        "{}",
        run.stdout
    );
    bench.is_sound();
    let run = update(&bench, &["aple"]).expect(ExitStatus::Usage);
    assert!(
        run.stderr.contains("the set has no `aple`"),
        "{}",
        run.stderr
    );
    update(&bench, &["--offline"]).expect(ExitStatus::Usage);
}

/// With a cooldown, versions that are too young or of unknown age are no candidates.
#[test]
fn a_cooldown_holds_back_young_versions() {
    let bench = set();
    let settings = std::fs::read_to_string(bench.repository.path().join("ipwhl.toml")).unwrap();
    let settings =
        settings.replace("format = 1", "format = 2") + "\n[index]\ncooldown = \"7 days\"\n";
    bench.repository.write("ipwhl.toml", &settings);
    bench.offer_as("kiwi", &pure("kiwi", "1.1"), |file| {
        file.uploaded = Some("2020-01-01T00:00:00Z".to_owned());
    });
    bench.offer("kiwi", &pure("kiwi", "1.2"));
    let run = update(&bench, &["kiwi", "-n"]).expect(ExitStatus::Clean);
    assert_eq!(
        run.stdout,
        "minor (1 project)\n  kiwi  1.0 -> 1.1\nbehind the index (1 project)\n  \
         kiwi  1.1, not 1.2: it is younger than the cooldown, or its age is unknown\n"
    );
}

/// An index without the projects is no sign that nothing is newer.
#[test]
fn projects_that_the_index_lacks_are_named() {
    let bench = set();
    let other = Bench::new();
    let run = update(&bench, &["--index-url", &other.index.index_url()]).expect(ExitStatus::Clean);
    assert!(
        run.stderr.contains(
            "warning: the index does not have apple, fig, kiwi, lime, plum, so it is not known"
        ),
        "{}",
        run.stderr
    );
}
