//! `ipwhl outdated`: newer versions, and what holds them back.

use ipwhl::command::ExitStatus;

use crate::support::bench::{Bench, pure};

/// What fits together, what does not, and why; down to the project that is the cause.
#[test]
fn what_is_newer_what_fits_and_what_holds_it_back() {
    let bench = Bench::new();
    bench.offer("apple", &pure("apple", "1.0").requires("fig"));
    bench.offer("plum", &pure("plum", "1.0").requires("fig<2"));
    bench.offer("fig", &pure("fig", "1.0"));
    bench.offer("kiwi", &pure("kiwi", "1.0"));
    bench
        .add(&["apple", "plum", "kiwi"])
        .expect(ExitStatus::Clean);
    let outdated = |arguments: &[&str]| {
        let line: Vec<&str> = ["outdated"].iter().chain(arguments).copied().collect();
        bench.program.run(&line)
    };
    let run = outdated(&[]).expect(ExitStatus::Clean);
    assert_eq!(run.stdout, "");
    assert!(
        run.stderr
            .contains("0 of 4 projects have a newer version in the index"),
        "{}",
        run.stderr
    );
    bench.offer("apple", &pure("apple", "2.0").requires("fig>=2"));
    bench.offer("fig", &pure("fig", "1.5"));
    bench.offer("fig", &pure("fig", "2.0"));
    bench.offer("kiwi", &pure("kiwi", "1.1"));
    let run = outdated(&[]).expect(ExitStatus::Clean);
    assert_eq!(
        run.stdout,
        "apple\t1.0\t-\t2.0\tit requires `fig>=2`; fig 2.0: plum requires <2\t-\n\
         fig\t1.0\t1.5\t2.0\tplum requires <2\t-\n\
         kiwi\t1.0\t1.1\t1.1\t-\t-\n"
    );
    let run = outdated(&["fig", "--format", "json"]).expect(ExitStatus::Clean);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        document,
        serde_json::json!({"projects": [{
            "name": "fig", "version": "1.0", "newest_fitting": "1.5", "newest": "2.0",
            "reason": "plum requires <2", "status": null, "yanked": null,
        }]})
    );
    let run = outdated(&["pear"]).expect(ExitStatus::Usage);
    assert!(
        run.stderr.contains("error: `pear` is not in the set"),
        "{}",
        run.stderr
    );
    outdated(&["--offline"]).expect(ExitStatus::Usage);
    // What it says fits is what an update takes.
    bench.program.run(&["update"]).expect(ExitStatus::Clean);
    assert_eq!(bench.wheels("fig"), ["fig-1.5-py3-none-any.whl"]);
    assert_eq!(bench.wheels("kiwi"), ["kiwi-1.1-py3-none-any.whl"]);
    bench.is_sound();
}

/// A yank of the declared version and a status are told even if there is no newer version. Their
/// reasons make no column, no line and no colour.
#[test]
fn yanks_and_statuses_of_the_index_are_told() {
    for html_only in [false, true] {
        let bench = Bench::new();
        if html_only {
            bench.index.html_only();
        }
        for name in ["apple", "fig", "kiwi", "lime", "plum"] {
            bench.offer(name, &pure(name, "1.0"));
        }
        let all = ["apple", "fig", "kiwi", "lime", "plum"];
        bench.add(&all).expect(ExitStatus::Clean);
        bench.index.set_status("apple", "active", "");
        bench
            .index
            .set_status("fig", "archived", "use\tdate\n\u{1b}[31mnow");
        bench.index.set_status("kiwi", "quarantined", "");
        bench.index.set_status("lime", "on hold", "  for a while ");
        bench.index.yank("plum", "it deletes files");
        bench.offer("plum", &pure("plum", "1.1"));
        bench.index.forget();
        let run = bench.program.run(&["outdated"]).expect(ExitStatus::Clean);
        assert_eq!(
            run.stdout,
            "fig\t1.0\t-\t-\t-\tarchived: use\\tdate\\n\\u{1b}[31mnow\n\
             kiwi\t1.0\t-\t-\t-\tquarantined\n\
             lime\t1.0\t-\t-\t-\ton hold: for a while\n\
             plum\t1.0\t1.1\t1.1\t-\tyanked: it deletes files\n"
        );
        for line in [
            "1 of 5 projects has a newer version in the index",
            "4 projects are yanked or not active in the index",
        ] {
            assert!(run.stderr.contains(line), "{}", run.stderr);
        }
        // A page is asked for once.
        let paths = bench.index.paths();
        let pages = paths.iter().filter(|path| path.starts_with("/simple/"));
        assert_eq!(pages.count(), 5, "{paths:?}");
        let json = ["outdated", "fig", "plum", "--format", "json"];
        let run = bench.program.run(&json).expect(ExitStatus::Clean);
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(
            document,
            serde_json::json!({"projects": [
                {
                    "name": "fig", "version": "1.0", "newest_fitting": null, "newest": null,
                    "reason": null, "yanked": null,
                    "status": {"status": "archived", "reason": "use\tdate\n\u{1b}[31mnow"},
                },
                {
                    "name": "plum", "version": "1.0", "newest_fitting": "1.1", "newest": "1.1",
                    "reason": null, "status": null, "yanked": "it deletes files",
                },
            ]})
        );
    }
}
