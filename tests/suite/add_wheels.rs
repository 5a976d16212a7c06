//! `ipwhl add WHEEL`: wheel files of the repository.

use std::fs;

use ipwhl::command::ExitStatus;

use crate::support::bench::{Bench, native, pure};
use crate::support::wheel_builder::WheelBuilder;

/// Writes a wheel below the folder of the repository, and returns its path from there.
fn write(bench: &Bench, folder: &str, wheel: &WheelBuilder) -> String {
    let path = format!("{folder}/{}", wheel.file_name());
    fs::create_dir_all(bench.repository.join(folder)).unwrap();
    fs::write(bench.repository.join(&path), wheel.build()).unwrap();
    path
}

/// The wheel is taken from the file, and what it requires from the index; also if the index has the
/// name.
#[test]
fn a_wheel_file_is_declared_with_what_it_requires() {
    let bench = Bench::new();
    bench.offer("apple", &pure("apple", "1.0"));
    bench.offer("apple", &pure("apple", "9.0").requires("never"));
    bench.offer("fig", &pure("fig", "1.0"));
    bench.offer("fig", &pure("fig", "2.0"));
    let path = write(&bench, "wheels", &pure("apple", "1.0").requires("fig<2"));
    let run = bench.add(&[&path]).expect(ExitStatus::Clean);
    assert!(
        run.stderr.contains("added apple 1.0 (1 wheel)"),
        "{}",
        run.stderr
    );
    let text = bench.text("apple");
    assert!(
        text.contains(&format!("source = \"file:{path}\"")),
        "{text}"
    );
    assert!(text.contains("\"fig<2\""), "{text}");
    assert_eq!(bench.wheels("fig"), ["fig-1.0-py3-none-any.whl"]);
    bench.is_clean();
    // A stranger may have taken the name in the index, so nothing replaces it unasked.
    let run = bench.program.run(&["update"]).expect(ExitStatus::Clean);
    assert!(!run.stdout.contains("apple  1.0"), "{}", run.stdout);
    assert_eq!(bench.text("apple"), text);
    let run = bench.program.run(&["outdated"]).expect(ExitStatus::Clean);
    assert!(
        run.stderr
            .contains("note: no `pkg:` source, so not looked up in the index: apple"),
        "{}",
        run.stderr
    );
    bench.offer("plum", &pure("plum", "1.0").requires("apple>=2"));
    let run = bench
        .add(&["plum", "--allow-update", "all"])
        .expect(ExitStatus::Findings);
    assert!(
        run.stderr.contains("`apple` stays at 1.0"),
        "{}",
        run.stderr
    );
    // The next version of the file.
    let path = write(&bench, "wheels", &pure("apple", "2.0"));
    bench.add(&[&path]).expect(ExitStatus::Clean);
    assert!(!bench.declared().contains(&"fig.toml".to_owned()));
    bench.is_clean();
    // Named, it is replaced, which is said.
    bench.offer("apple", &pure("apple", "9.1"));
    let run = bench.add(&["apple==9.1"]).expect(ExitStatus::Clean);
    assert!(
        run.stderr.contains("from the index, unlike before"),
        "{}",
        run.stderr
    );
}

/// Several files of one version, as few as cover the platforms; from any folder.
#[test]
fn the_wheels_of_a_version_come_together() {
    let bench = Bench::new();
    let paths = [
        native("apple", "1.0", "cp312-cp312-win_amd64"),
        native("apple", "1.0", "cp313-cp313-win_amd64"),
        native("apple", "1.0", "py3-none-manylinux_2_17_x86_64"),
        pure("apple", "1.0"),
    ]
    .map(|wheel| {
        let path = write(&bench, "dist/new", &wheel);
        bench.repository.join(&path).to_str().unwrap().to_owned()
    });
    let mut line: Vec<&str> = paths.iter().map(String::as_str).collect();
    bench.add(&line).expect(ExitStatus::Clean);
    let text = bench.text("apple");
    assert_eq!(text.matches("file:dist/new/").count(), 3, "{text}");
    bench.is_clean();
    // Without some of them, platforms are not covered.
    line.truncate(2);
    let run = bench.add(&line).expect(ExitStatus::Clean);
    assert_eq!(run.stderr, "apple 1.0 stays as it is declared\n");
    let newer = native("apple", "1.1", "py3-none-win_amd64");
    let run = bench
        .add(&[&write(&bench, "dist", &newer)])
        .expect(ExitStatus::Findings);
    assert!(
        run.stderr
            .contains("1.1: it has no wheel for cp312-manylinux_2_28_x86_64"),
        "{}",
        run.stderr
    );
    assert_eq!(bench.text("apple"), text);
}

/// What is no wheel of the repository.
#[test]
fn other_files_are_refused_with_the_way_out() {
    let bench = Bench::new();
    let outside = tempfile::TempDir::new().unwrap();
    let wheel = pure("apple", "1.0");
    let elsewhere = outside.path().join(wheel.file_name());
    fs::write(&elsewhere, wheel.build()).unwrap();
    let broken = bench.repository.join("broken-1.0-py3-none-any.whl");
    fs::write(&broken, b"not a wheel").unwrap();
    let other = bench.repository.join("plum-1.0-py3-none-any.whl");
    fs::write(other, wheel.build()).unwrap();
    fs::create_dir(bench.repository.join("folder-1.0-py3-none-any.whl")).unwrap();
    fs::create_dir_all(bench.repository.join("one")).unwrap();
    fs::create_dir_all(bench.repository.join("two")).unwrap();
    let twice = ["one", "two"].map(|folder| write(&bench, folder, &wheel));
    for (arguments, status, words) in [
        (
            vec![elsewhere.to_str().unwrap()],
            ExitStatus::Usage,
            "is not a file of the repository\nhelp: copy it to a folder of the repository",
        ),
        (
            vec!["apple.whl"],
            ExitStatus::Usage,
            "does not have the name of a wheel",
        ),
        (
            vec!["missing-1.0-py3-none-any.whl"],
            ExitStatus::World,
            "missing-1.0-py3-none-any.whl` cannot be read",
        ),
        (
            vec!["broken-1.0-py3-none-any.whl"],
            ExitStatus::Findings,
            "`broken-1.0-py3-none-any.whl` is not a valid wheel",
        ),
        (
            vec!["plum-1.0-py3-none-any.whl"],
            ExitStatus::Findings,
            "`plum-1.0-py3-none-any.whl` names `apple`\nhelp: build the wheel again",
        ),
        (
            vec!["folder-1.0-py3-none-any.whl"],
            ExitStatus::World,
            "folder-1.0-py3-none-any.whl` cannot be read",
        ),
        (
            vec![twice[0].as_str(), twice[1].as_str()],
            ExitStatus::Usage,
            "`apple-1.0-py3-none-any.whl` is named twice",
        ),
    ] {
        let run = bench.add(&arguments).expect(status);
        assert!(run.stderr.contains(words), "{arguments:?}: {}", run.stderr);
    }
    assert!(bench.declared().is_empty());
}
