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
        run.stderr.contains("help: did you mean `apple`?"),
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
    // A time that is still to come makes nothing older.
    let run = update(&bench, &["kiwi", "-n", "--before", "2100-01-01"]).expect(ExitStatus::Clean);
    assert!(run.stdout.contains("kiwi  1.0 -> 1.1\n"), "{}", run.stdout);
    let run = update(&bench, &["kiwi", "-n"]).expect(ExitStatus::Clean);
    assert_eq!(
        run.stdout,
        "minor (1 project)\n  kiwi  1.0 -> 1.1\nbehind the index (1 project)\n  \
         kiwi  1.1, not 1.2: it is younger than the cooldown of 7 days, or its age is unknown\n"
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

/// Ends at which several changes are possible: fig needs grape from now on, apple needs the new fig,
/// and lime leaves.
fn moved_set() -> Bench {
    let bench = set();
    bench.offer("apple", &pure("apple", "1.0.1").requires("fig>=1.1"));
    bench.offer("fig", &pure("fig", "1.1").requires("grape"));
    bench.offer("grape", &pure("grape", "3.0"));
    bench.offer("kiwi", &pure("kiwi", "1.5"));
    bench
}

/// After each change, the set holds.
#[test]
fn the_smallest_changes_are_made_one_after_the_other() {
    let bench = moved_set();
    bench.offer("plum", &pure("plum", "2.0").requires("fig<2"));
    bench.offer("fig", &pure("fig", "2.0"));
    let before = (bench.text("fig"), bench.declared());
    let run = update(&bench, &["--one-by-one"]).expect(ExitStatus::Clean);
    assert_eq!(
        run.stdout,
        concat!(
            "  1. fig    1.0 -> 1.1 (minor)\n",
            "     grape  3.0 (new)\n",
            "     lime   1.0 (no longer needed)\n",
            "  2. apple  1.0 -> 1.0.1 (patch), after 1\n",
            "  3. kiwi  1.0 -> 1.5 (minor)\n",
            "  4. plum  1.0 -> 2.0 (major)\n",
            "behind the index\n",
            "  fig  1.1, not 2.0: plum requires <2\n",
        )
    );
    assert!(
        run.stderr.contains(
            "the same command with `--make NAME` makes the change that contains this project"
        ),
        "{}",
        run.stderr
    );
    assert_eq!((bench.text("fig"), bench.declared()), before);

    let run = update(&bench, &["--one-by-one", "--json"]).expect(ExitStatus::Clean);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let changes = document["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 4);
    assert_eq!(
        changes[0],
        serde_json::json!({
            "number": 1,
            "projects": [
                {"project": "fig", "from": "1.0", "to": "1.1", "change": "minor"},
                {"project": "grape", "from": null, "to": "3.0", "change": "new"},
                {"project": "lime", "from": "1.0", "to": null, "change": "no longer needed"},
            ],
            "after": [],
            "mends": [],
        })
    );
    assert_eq!(
        document["behind"],
        serde_json::json!([{
            "project": "fig", "version": "1.1", "newest": "2.0", "reason": "plum requires <2",
        }])
    );
    for (name, words) in [
        (
            "apple",
            "the change of `apple` needs the change of `fig`, which is not made yet",
        ),
        ("pear", "no change contains `pear`"),
        ("--", "invalid value '--'"),
    ] {
        let run =
            update(&bench, &["--one-by-one", &format!("--make={name}")]).expect(ExitStatus::Usage);
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    for change in changes {
        let name = change["projects"][0]["project"].as_str().unwrap();
        update(&bench, &["--one-by-one", "--make", name]).expect(ExitStatus::Clean);
        bench.is_sound();
    }
    let run = update(&bench, &["--one-by-one"]).expect(ExitStatus::Clean);
    assert_eq!(
        run.stdout,
        "behind the index\n  fig  1.1, not 2.0: plum requires <2\n"
    );
    assert!(run.stderr.contains("nothing changes"), "{}", run.stderr);
}

/// What leaves is listed before anything is written, also if only some projects move.
#[test]
fn a_dry_run_lists_what_leaves() {
    let bench = moved_set();
    let expected = "minor (1 project)\n  \
                    fig    1.0 -> 1.1\n\
                    new dependencies (1 project)\n  \
                    grape  3.0\n\
                    no longer needed (1 project)\n  \
                    lime   1.0\n";
    let run = update(&bench, &["fig", "-n"]).expect(ExitStatus::Clean);
    assert_eq!(run.stdout, expected);
    let run = update(&bench, &["fig"]).expect(ExitStatus::Clean);
    assert_eq!(run.stdout, expected);
    assert!(!bench.declared().contains(&"lime.toml".to_owned()));
}

#[test]
fn names_have_limits() {
    let bench = set();
    for version in ["1.5", "2.0", "3.0"] {
        bench.offer("kiwi", &pure("kiwi", version));
    }
    let run = update(&bench, &["kiwi<3", "-n"]).expect(ExitStatus::Clean);
    assert!(run.stdout.contains("kiwi  1.0 -> 2.0\n"), "{}", run.stdout);
    assert!(
        run.stdout
            .contains("kiwi  2.0, not 3.0: the command line requires <3"),
        "{}",
        run.stdout
    );
    update(&bench, &["kiwi==1.5"]).expect(ExitStatus::Clean);
    assert_eq!(bench.wheels("kiwi"), ["kiwi-1.5-py3-none-any.whl"]);
    // Back only if that is allowed.
    let run = update(&bench, &["kiwi<1.5"]).expect(ExitStatus::Findings);
    assert!(run.stderr.contains("--allow-downgrade"), "{}", run.stderr);
    let run = update(&bench, &["kiwi<1.5", "--allow-downgrade"]).expect(ExitStatus::Clean);
    assert!(run.stdout.contains("kiwi  1.5 -> 1.0"), "{}", run.stdout);
    for (name, words) in [
        ("kiwi[more]", "it has extras"),
        ("kiwi; os_name == 'nt'", "it has a marker"),
        ("kiwi @ https://example.org/kiwi.whl", "it has an address"),
        ("kiwi<<1", "names no project to update"),
        ("pear", "`pear` is not in the set"),
        (
            "pear==1",
            "`pear` is not in the set, and the update does not need it",
        ),
    ] {
        let run = update(&bench, &[name]).expect(ExitStatus::Usage);
        assert!(run.stderr.contains(words), "{name}: {}", run.stderr);
    }
}

/// The set as it would have become at some time.
#[test]
fn an_update_as_of_a_time_ignores_what_came_later() {
    let bench = set();
    for (version, uploaded) in [
        ("1.1", "2024-01-01T00:00:00Z"),
        ("1.2", "2024-06-01T00:00:00Z"),
    ] {
        bench.offer_as("kiwi", &pure("kiwi", version), |file| {
            file.uploaded = Some(uploaded.to_owned());
        });
    }
    bench.offer("kiwi", &pure("kiwi", "1.3"));
    for (before, now, newest) in [
        ("2024-06-01", "1.1", "1.3"),
        ("2024-06-01T00:00:01Z", "1.2", "1.3"),
    ] {
        let run = update(&bench, &["kiwi", "-n", "--before", before]).expect(ExitStatus::Clean);
        assert!(
            run.stdout.contains(&format!("kiwi  1.0 -> {now}\n")),
            "{}",
            run.stdout
        );
        let time = before.get(..19).unwrap_or("2024-06-01T00:00:00");
        let reason = format!(
            "kiwi  {now}, not {newest}: it was not uploaded before {time}Z, or its age is unknown\n"
        );
        assert!(run.stdout.ends_with(&reason), "{}", run.stdout);
    }
    for text in ["yesterday", "2026-03-01T12:00", "2026-3-1"] {
        let run = update(&bench, &["--before", text]).expect(ExitStatus::Usage);
        assert!(run.stderr.contains("`2026-03-01`"), "{}", run.stderr);
    }
}

/// The newest version at any price, except that nothing gets older without being asked.
#[test]
fn the_latest_version_of_a_project_moves_others() {
    let bench = set();
    bench.offer("fig", &pure("fig", "2.0"));
    bench.offer("plum", &pure("plum", "1.1").requires("fig"));
    bench.offer("kiwi", &pure("kiwi", "1.5"));
    let run = update(&bench, &["--latest", "fig", "-n"]).expect(ExitStatus::Clean);
    assert_eq!(
        run.stdout,
        "major (1 project)\n  fig   1.0 -> 2.0\nminor (1 project)\n  plum  1.0 -> 1.1\n\
         no longer needed (1 project)\n  lime  1.0\nbehind the index (1 project)\n  \
         kiwi  1.0, not 1.5: it fits, and was not asked for\n"
    );
    // It is the newest already.
    update(&bench, &["--latest", "fig"]).expect(ExitStatus::Clean);
    let run = update(&bench, &["--latest", "fig", "--latest", "apple"]).expect(ExitStatus::Clean);
    assert_eq!(
        run.stdout,
        "behind the index (1 project)\n  kiwi  1.0, not 1.5: it fits, and was not asked for\n"
    );
    // The reason why it cannot be.
    bench.offer("fig", &pure("fig", "3.0"));
    bench.offer("plum", &pure("plum", "1.2").requires("fig<3"));
    update(&bench, &["plum"]).expect(ExitStatus::Clean);
    let run = update(&bench, &["--latest", "fig"]).expect(ExitStatus::Findings);
    assert!(run.stderr.contains("`plum`"), "{}", run.stderr);
    update(&bench, &["--latest", "pear"]).expect(ExitStatus::Usage);
}

/// What a command with versions could not say: a project that is unneeded in between, an extra that
/// only a later change needs, and one that leaves and holds back what stays.
#[test]
fn each_small_change_is_made_exactly() {
    for releases in [
        vec![
            pure("a", "1.0").requires("f==1.0"),
            pure("f", "1.0"),
            pure("b", "1.0"),
            pure("a", "2.0"),
            pure("b", "2.0").requires("f>=2"),
            pure("f", "2.0"),
        ],
        vec![
            pure("a", "1.0"),
            pure("b", "1.0"),
            pure("d", "1.0"),
            pure("a", "2.0").requires("d[x]>=2"),
            pure("d", "2.0").extra("x").requires("n; extra == 'x'"),
            pure("n", "1.0"),
        ],
        vec![
            pure("a", "1.0").requires("plugin"),
            pure("plugin", "1.0").requires("a<2"),
            pure("b", "1.0"),
            pure("a", "2.0"),
        ],
    ] {
        let [together, apart] = [Bench::new(), Bench::new()];
        for bench in [&together, &apart] {
            for release in &releases {
                let name = release.file_name();
                bench.offer(name.split('-').next().unwrap(), release);
            }
            let mut wanted = vec!["a<2", "b<2"];
            if releases.iter().any(|one| one.file_name().starts_with("d-")) {
                wanted.push("d<2");
            }
            bench.add(&wanted).expect(ExitStatus::Clean);
        }
        update(&together, &[]).expect(ExitStatus::Clean);
        for round in 0.. {
            assert!(round < 5);
            let list = update(&apart, &["--one-by-one"]).expect(ExitStatus::Clean);
            let Some(first) = list.stdout.strip_prefix("  1. ") else {
                break;
            };
            let name = first.split(' ').next().unwrap();
            update(&apart, &["--one-by-one", "--make", name]).expect(ExitStatus::Clean);
            // A project may be unneeded in between, which is a warning.
            apart.program.run(&["check"]).expect(ExitStatus::Clean);
        }
        assert_eq!(apart.declared(), together.declared());
        for name in apart.declared() {
            let name = name.trim_end_matches(".toml");
            assert_eq!(apart.text(name), together.text(name));
        }
    }
}

/// A set that came from format 1 has no times of upload. An update writes those that the index
/// states, of the projects that it is about, and nothing else about them.
#[test]
fn missing_times_of_upload_are_written() {
    let bench = Bench::new();
    let offer = |name: &str, version: &str, uploaded: &str| {
        bench.offer_as(name, &pure(name, version), |file| {
            file.uploaded = Some(uploaded.to_owned());
        });
    };
    offer("apple", "1.0", "2020-01-01T00:00:00Z");
    offer("kiwi", "1.0", "2020-02-02T00:00:00Z");
    bench.offer("plum", &pure("plum", "1.0"));
    bench
        .add(&["apple", "kiwi", "plum"])
        .expect(ExitStatus::Clean);
    let commented = |name: &str| format!("# about {name}\n\n{}", bench.text(name));
    for name in ["apple", "kiwi", "plum"] {
        let text = commented(name);
        bench
            .repository
            .write(&format!("declarations/{name}.toml"), text);
    }
    let before = |name: &str| bench.text(name);
    let (apple, kiwi, plum) = (before("apple"), before("kiwi"), before("plum"));
    // Format 1 has no place for them.
    let run = update(&bench, &[]).expect(ExitStatus::Clean);
    assert!(run.stderr.contains("nothing changes"), "{}", run.stderr);
    assert_eq!(bench.text("apple"), apple);
    bench
        .program
        .run(&["migrate", "--format", "2"])
        .expect(ExitStatus::Clean);
    let run = update(&bench, &["-n"]).expect(ExitStatus::Clean);
    assert_eq!(run.stdout, "only times of upload (2 projects)\n");
    assert_eq!(bench.text("apple"), apple);
    let run = update(&bench, &["kiwi"]).expect(ExitStatus::Clean);
    assert_eq!(run.stdout, "only times of upload (1 project)\n");
    assert_eq!(
        bench.text("kiwi"),
        kiwi.clone() + "uploaded = 2020-02-02T00:00:00Z\n"
    );
    assert_eq!(bench.text("apple"), apple);
    update(&bench, &[]).expect(ExitStatus::Clean);
    assert_eq!(
        bench.text("apple"),
        apple + "uploaded = 2020-01-01T00:00:00Z\n"
    );
    assert_eq!(bench.text("plum"), plum);
    bench.is_sound();
    // The time of another file of the same name is not taken.
    let digest = kiwi.split("sha256 = \"").nth(1).unwrap();
    let other = kiwi.replace(&digest[..64], &"0".repeat(64));
    bench.repository.write("declarations/kiwi.toml", &other);
    update(&bench, &[]).expect(ExitStatus::Clean);
    assert_eq!(bench.text("kiwi"), other);
}
