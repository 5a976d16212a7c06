//! `ipwhl add` against an index, a project file or another process that means no good: each ends
//! with words and an exit code, and nothing is written.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ipwhl::command::ExitStatus;
use ipwhl::foundation::environment::AtomicFile;
use ipwhl_unixfs::Sha256Digest;
use serde_json::json;

use crate::support::bench::{Bench, native, pure};
use crate::support::loopback_index::{Answer, Hosted};
use crate::support::program::Run;
use crate::support::repository_builder::RepositoryBuilder;
use crate::support::workshop::{Ran, Workshop, files};

/// That a run says each of these, and that no project is declared besides `declared`.
#[track_caller]
fn refused(bench: &Bench, run: Run, status: ExitStatus, words: &[&str], declared: &[&str]) {
    let run = run.expect(status);
    for word in words {
        assert!(run.stderr.contains(word), "no `{word}` in\n{}", run.stderr);
    }
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    assert_eq!(bench.declared(), declared, "{}", run.stderr);
}

fn format_2() -> Bench {
    Bench::of(&RepositoryBuilder::new().format_2())
}

/// Serves a page of these files, whose bytes are nowhere.
fn page(bench: &Bench, project: &str, files: &[(String, &str)]) {
    let files: Vec<_> = files
        .iter()
        .map(|(name, python)| {
            json!({
                "filename": name,
                "url": format!("../../files/{name}"),
                "hashes": {"sha256": "0".repeat(64)},
                "requires-python": python,
            })
        })
        .collect();
    let body = json!({"meta": {"api-version": "1.1"}, "name": project, "files": files});
    let json = [("Content-Type", "application/vnd.pypi.simple.v1+json")];
    let answer = Answer::whole("200 OK", &json, body.to_string().as_bytes());
    bench.index.always(&format!("/simple/{project}/"), answer);
}

/// The file beside a wheel leaves a requirement out that the wheel has.
#[test]
fn metadata_unlike_the_wheel_is_refused() {
    let bench = Bench::new();
    bench.offer("fig", &pure("fig", "1.0"));
    bench.offer_as("plum", &pure("plum", "1.0").requires("fig"), |file| {
        file.metadata = Some(pure("plum", "1.0").metadata_bytes());
    });
    let other = "the index has other metadata of `plum-1.0-py3-none-any.whl` than the wheel";
    let words = [
        other,
        "help: the index has no other version; tell its maintainers",
    ];
    refused(
        &bench,
        bench.add(&["plum"]),
        ExitStatus::Findings,
        &words,
        &[],
    );
    // The proposed commands work.
    bench.offer("plum", &pure("plum", "0.9"));
    bench.offer("kiwi", &pure("kiwi", "1.0").requires("plum"));
    let words = [other, "take another version: `ipwhl add 'plum!=1.0'`"];
    let run = bench.add(&["plum"]);
    refused(&bench, run, ExitStatus::Findings, &words, &[]);
    let words = [
        other,
        "help: `ipwhl add --automatic 'plum!=1.0'` takes another version; then run the same command \
         again",
    ];
    let run = bench.add(&["kiwi"]);
    refused(&bench, run, ExitStatus::Findings, &words, &[]);
    bench
        .add(&["--automatic", "plum!=1.0"])
        .expect(ExitStatus::Clean);
    bench.add(&["kiwi"]).expect(ExitStatus::Clean);
    let words = [other, "help: `ipwhl update 'plum!=1.0'` takes another"];
    let declared = ["kiwi.toml", "plum.toml"];
    let run = bench.program.run(&["update"]);
    refused(&bench, run, ExitStatus::Findings, &words, &declared);
    let run = bench.program.run(&["update", "plum!=1.0"]);
    run.expect(ExitStatus::Clean);
    assert_eq!(bench.wheels("plum"), ["plum-0.9-py3-none-any.whl"]);
}

/// The file beside a wheel is about another project or version.
#[test]
fn metadata_of_another_project_is_refused() {
    for (name, version, reason) in [
        ("other", "1.0", "its metadata names the project `other`"),
        ("plum", "3.0", "its metadata names version 3.0"),
    ] {
        let bench = Bench::new();
        bench.offer_as("plum", &pure("plum", "1.0"), |file| {
            file.metadata = Some(pure(name, version).metadata_bytes());
        });
        let words = [
            "no version of `plum` in the index fits",
            &format!("1.0: {reason}"),
        ];
        refused(
            &bench,
            bench.add(&["plum"]),
            ExitStatus::Findings,
            &words,
            &[],
        );
    }
}

/// The page has a version whose wheel is gone after its metadata was there.
#[test]
fn a_version_that_vanishes_ends_the_run() {
    let bench = Bench::new();
    bench.offer("plum", &pure("plum", "1.0").requires("fig"));
    bench.offer_as("fig", &pure("fig", "1.0"), |file| {
        file.metadata = Some(pure("fig", "1.0").metadata_bytes());
    });
    // Only the next request fails. A retry would succeed.
    let gone = Answer::status("404 Not Found");
    bench.index.queue("/files/fig-1.0-py3-none-any.whl", [gone]);
    let words = [
        "cannot get `fig-1.0-py3-none-any.whl`: ",
        "is gone: the server answered 404",
        "help: the index has no other version",
    ];
    refused(&bench, bench.add(&["plum"]), ExitStatus::World, &words, &[]);
}

/// The wheel is another one than the page states: nothing is declared yet, and the message says so.
#[test]
fn a_wheel_unlike_its_page_ends_the_run() {
    let bench = Bench::new();
    let wheel = pure("plum", "1.0");
    bench.offer_as("plum", &wheel, |file| {
        file.metadata = Some(wheel.metadata_bytes());
    });
    let mut other = wheel.build();
    other[0] ^= 1;
    let words = [
        "cannot get `plum-1.0-py3-none-any.whl`: ",
        &format!(
            "has other bytes than the index states: sha256 {} instead of {}",
            Sha256Digest::of(&other),
            Sha256Digest::of(&wheel.build())
        ),
    ];
    let answer = Answer::whole("200 OK", &[], &other);
    bench
        .index
        .always("/files/plum-1.0-py3-none-any.whl", answer);
    let run = bench.add(&["plum"]);
    assert!(!run.stderr.contains("declared bytes"), "{}", run.stderr);
    refused(&bench, run, ExitStatus::World, &words, &[]);
}

/// A change of a wheel that the index lists.
type Defect = fn(&Bench, &str);

/// What can be wrong with the newest version, and the reason that is shown.
const DEFECTS: [(Defect, &str); 8] = [
    (
        |bench, path| bench.index.always(path, Answer::status("404 Not Found")),
        "`plum-2.0-py3-none-any.whl` is gone: the server answered 404 Not Found",
    ),
    (
        |bench, path| bench.index.always(path, Answer::status("410 Gone")),
        "`plum-2.0-py3-none-any.whl` is gone: the server answered 410 Gone",
    ),
    (
        |bench, path| {
            let other = pure("plum", "2.0").member("more.py", "").build();
            bench
                .index
                .always(path, Answer::whole("200 OK", &[], &other));
        },
        "`plum-2.0-py3-none-any.whl` has another size than the index states",
    ),
    (
        |bench, path| {
            let mut other = pure("plum", "2.0").build();
            other[0] ^= 1;
            bench
                .index
                .always(path, Answer::whole("200 OK", &[], &other));
        },
        "`plum-2.0-py3-none-any.whl` has another sha256 than the index states",
    ),
    (
        |bench, path| {
            let other = pure("plum", "2.0").requires("fig").metadata_bytes();
            let other = Answer::whole("200 OK", &[], &other);
            bench.index.always(&format!("{path}.metadata"), other);
        },
        "the metadata of `plum-2.0-py3-none-any.whl` has another sha256 than the index states",
    ),
    (
        |bench, _| state_sizes(bench, Some(99_999_999_999)),
        "`plum-2.0-py3-none-any.whl` has another size than the index states",
    ),
    (
        |bench, path| {
            state_sizes(bench, None);
            let large = [("Content-Length", "99999999999")];
            bench.index.always(path, Answer::raw("200 OK", &large, b""));
        },
        "`plum-2.0-py3-none-any.whl` is too large: it has 99999999999 bytes; at most",
    ),
    (
        |bench, path| {
            let page = format!("{path}.metadata");
            let other = pure("plum", "2.1").metadata_bytes();
            // Without a digest on the page.
            bench.offer_as("plum", &pure("plum", "2.0"), |file| {
                file.metadata = Some(other.clone());
                file.metadata_digest = false;
            });
            bench.index.put(&page, &other);
        },
        "its metadata names version 2.1",
    ),
];

/// Serves a page with this size of plum 2.0, without digests.
fn state_sizes(bench: &Bench, size: Option<u64>) {
    let file = |version: &str, size: Option<u64>| {
        let name = format!("plum-{version}-py3-none-any.whl");
        let url = format!("../../files/{name}");
        json!({"filename": name, "url": url, "hashes": {}, "size": size})
    };
    let files = [file("1.0", None), file("2.0", size)];
    let body = json!({"meta": {"api-version": "1.1"}, "name": "plum", "files": files});
    let json = [("Content-Type", "application/vnd.pypi.simple.v1+json")];
    let body = Answer::whole("200 OK", &json, body.to_string().as_bytes());
    bench.index.always("/simple/plum/", body);
}

/// A version with a defect is passed over, and the reason is shown. One that is asked for is refused
/// for exactly this reason.
#[test]
fn a_defective_version_is_passed_over_with_its_reason() {
    for (defect, reason) in DEFECTS {
        let bench = Bench::new();
        bench.offer("plum", &pure("plum", "1.0"));
        bench.add(&["plum"]).expect(ExitStatus::Clean);
        if !reason.contains("names version") {
            let with_metadata = reason.starts_with("the metadata");
            bench.offer_as("plum", &pure("plum", "2.0"), |file| {
                let metadata = pure("plum", "2.0").metadata_bytes();
                file.metadata = with_metadata.then_some(metadata);
            });
        }
        defect(&bench, "/files/plum-2.0-py3-none-any.whl");
        let run = bench.program.run(&["update", "-n"]);
        let run = run.expect(ExitStatus::Clean);
        let words = format!("plum  1.0, not 2.0: {reason}");
        assert!(run.stdout.contains(&words), "{words}\n{}", run.stdout);
        let run = bench.program.run(&["outdated"]).expect(ExitStatus::Clean);
        let words = format!("plum\t1.0\t-\t2.0\t{reason}");
        assert!(run.stdout.contains(&words), "{words}\n{}", run.stdout);
        for (command, message) in [
            (
                "add",
                format!("error: `plum` 2.0 cannot be declared: {reason}"),
            ),
            (
                "update",
                format!("error: `plum` 2.0 cannot be declared: {reason}"),
            ),
        ] {
            let words = [&*message, "help: take another version: ask for `plum<2.0`"];
            let run = bench.program.run(&[command, "plum==2.0"]);
            refused(&bench, run, ExitStatus::Findings, &words, &["plum.toml"]);
        }
        bench
            .program
            .run(&["remove", "plum"])
            .expect(ExitStatus::Clean);
        let run = bench.add(&["plum"]).expect(ExitStatus::Clean);
        let words = format!("added plum 1.0 (1 wheel, 2.0: {reason}");
        assert!(run.stderr.contains(&words), "{words}\n{}", run.stderr);
        bench.add(&["plum<2.0"]).expect(ExitStatus::Clean);
        let words = format!("plum 2.0: {reason}");
        let run = bench.add(&["plum", "-v"]).expect(ExitStatus::Clean);
        assert!(run.stderr.contains(&words), "{words}\n{}", run.stderr);
    }
}

/// A version of which only the second wheel is gone.
#[test]
fn each_wheel_of_a_version_must_be_there() {
    let bench = Bench::new();
    bench.offer("plum", &pure("plum", "1.0"));
    for tag in ["py3-none-manylinux_2_28_x86_64", "py3-none-win_amd64"] {
        bench.offer("plum", &native("plum", "2.0", tag));
    }
    for system in ["manylinux_2_28_x86_64", "win_amd64"] {
        let name = format!("plum-2.0-py3-none-{system}.whl");
        let path = format!("/files/{name}");
        bench.index.always(&path, Answer::status("404 Not Found"));
        let run = bench.add(&["plum"]).expect(ExitStatus::Clean);
        let words = format!("plum 1.0 (1 wheel, 2.0: `{name}` is gone");
        assert!(run.stderr.contains(&words), "{words}\n{}", run.stderr);
        bench.index.always(&path, Answer::Proper);
        bench
            .program
            .run(&["remove", "plum"])
            .expect(ExitStatus::Clean);
    }
}

/// A project that stays needs an extra of its version, whose wheel has left the index.
#[test]
fn a_version_that_stays_and_has_left_the_index_says_so() {
    let bench = Bench::new();
    bench.offer("plum", &pure("plum", "2.0").extra("cool"));
    bench.add(&["plum"]).expect(ExitStatus::Clean);
    bench.offer("kiwi", &pure("kiwi", "1.0").requires("plum[cool]"));
    // Without a digest, what the cache has is not used.
    state_sizes(&bench, None);
    let path = "/files/plum-2.0-py3-none-any.whl";
    bench.index.always(path, Answer::status("404 Not Found"));
    let words = [
        "`plum` stays at 2.0, declared in `declarations/plum.toml`, and that of the index cannot be \
         declared: `plum-2.0-py3-none-any.whl` is gone: the server answered 404 Not Found",
    ];
    let run = bench.add(&["kiwi"]);
    refused(&bench, run, ExitStatus::Findings, &words, &["plum.toml"]);
}

/// A host that fails says nothing about the versions: no older one is taken, and nothing written.
#[test]
fn a_host_that_fails_chooses_no_older_version() {
    let statuses = [
        "401 Unauthorized",
        "403 Forbidden",
        "429 Too Many Requests",
        "500 Internal Server Error",
        "503 Service Unavailable",
    ];
    for status in statuses {
        let answer = Answer::whole(status, &[("Retry-After", "0")], b"");
        let bench = Bench::new();
        bench.offer("plum", &pure("plum", "1.0"));
        bench.offer_as("plum", &pure("plum", "2.0"), |file| {
            file.metadata = Some(pure("plum", "2.0").metadata_bytes());
        });
        for path in ["", ".metadata"] {
            let path = format!("/files/plum-2.0-py3-none-any.whl{path}");
            bench.index.always(&path, answer.clone());
        }
        let words = ["plum-2.0-py3-none-any.whl failed: "];
        refused(&bench, bench.add(&["plum"]), ExitStatus::World, &words, &[]);
        bench.add(&["plum<2"]).expect(ExitStatus::Clean);
        for command in ["update", "outdated"] {
            let run = bench.program.run(&[command]);
            refused(&bench, run, ExitStatus::World, &words, &["plum.toml"]);
        }
        assert_eq!(bench.wheels("plum"), ["plum-1.0-py3-none-any.whl"]);
    }
}

#[test]
fn a_page_without_end_ends_the_run() {
    let bench = Bench::new();
    bench.offer("plum", &pure("plum", "1.0").requires("fig"));
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n".to_vec();
    bench.index.always("/simple/fig/", Answer::Endless(head));
    let words = ["/simple/fig/", "bytes"];
    refused(&bench, bench.add(&["plum"]), ExitStatus::World, &words, &[]);
}

#[test]
fn requirements_in_a_circle_have_an_end() {
    let bench = Bench::new();
    bench.offer("plum", &pure("plum", "1.0").requires("fig"));
    bench.offer("fig", &pure("fig", "1.0").requires("plum"));
    bench.add(&["plum"]).expect(ExitStatus::Clean);
    assert_eq!(bench.declared(), ["fig.toml", "plum.toml"]);
    // Each version asks for the next one of the other, and the last for one that is not there.
    for number in 1..60 {
        let version = number.to_string();
        let next = (number + 1).to_string();
        let kiwi = pure("kiwi", &version).requires(&format!("lime=={version}"));
        let lime = pure("lime", &version).requires(&format!("kiwi=={next}"));
        bench.offer("kiwi", &kiwi);
        bench.offer("lime", &lime);
    }
    let words = ["no versions satisfy", "`kiwi` requires `lime", "help: "];
    let declared = ["fig.toml", "plum.toml"];
    let run = bench.add(&["kiwi"]);
    refused(&bench, run, ExitStatus::Findings, &words, &declared);
}

/// None of ten thousand versions fits; the message is short, and no wheel is asked for.
#[test]
fn ten_thousand_versions_that_do_not_fit_are_summed_up() {
    let bench = Bench::new();
    let files = (0..10_000).map(|number| (format!("plum-{number}-py3-none-any.whl"), ">=4"));
    page(&bench, "plum", &files.collect::<Vec<_>>());
    let run = bench.add(&["plum"]);
    assert!(run.stderr.len() < 1_000, "{}", run.stderr);
    let words = ["9999 and 9999 more: it needs Python >=4"];
    refused(&bench, run, ExitStatus::Findings, &words, &[]);
    let paths = bench.index.paths();
    assert!(!paths.iter().any(|path| path.starts_with("/files/")));
}

/// Requirements at the edge of their grammar, which other readers refuse, misread or panic at.
#[test]
fn strange_requirements_are_refused_or_declared() {
    let deep = format!(
        "fig; {}os_name == 'nt'{}",
        "(".repeat(5_000),
        ")".repeat(5_000)
    );
    let long = format!("fig>={}", "9".repeat(5_000));
    let many = format!("fig{}", ",!=1".repeat(3_000).replacen(',', "", 1));
    for requirement in [
        "fig (>=1,)",
        "fig===*",
        "fig==1.*.*",
        "fig>=18446744073709551616.0",
        "fig~=1",
        "fig; python_version > '1e999'",
        "fig; python_version in ''",
        "fig; 'nt' == 'nt'",
        "fig[a,,b]",
        "fig[] ; extra == ''",
        "fig @ https://example.org/x.whl",
        "fig; platform_release ~= '3.9'",
        "plum",
        "plum==2",
        "ﬁg",
        "fig>=1!0",
        &deep,
        &long,
        &many,
    ] {
        let bench = Bench::new();
        bench.offer("fig", &pure("fig", "1.0"));
        bench.offer("plum", &pure("plum", "1.0").requires(requirement));
        let run = bench.add(&["plum"]);
        assert!(
            !run.stderr.contains("panicked"),
            "{requirement}: {}",
            run.stderr
        );
        match run.status {
            // Warnings may be there, but the declaration is one.
            ExitStatus::Clean => assert!(bench.declared().contains(&"plum.toml".to_owned())),
            ExitStatus::Findings if bench.declared().is_empty() => {
                assert!(run.stderr.contains("plum"), "{requirement}: {}", run.stderr);
            }
            // A finding of the new declaration, which can get a waiver.
            ExitStatus::Findings => assert!(
                run.stderr.contains("the change was written and adds"),
                "{requirement}: {}",
                run.stderr
            ),
            _ => panic!("{requirement}: {run:?}"),
        }
    }
}

/// A version that requires another one of itself says so.
#[test]
fn a_version_that_excludes_itself_says_so() {
    let bench = Bench::new();
    bench.offer("plum", &pure("plum", "2.0").requires("plum<2"));
    let words = [
        "no version of `plum` in the index fits",
        "2.0: it requires `plum<2`, and so excludes itself",
    ];
    refused(
        &bench,
        bench.add(&["plum"]),
        ExitStatus::Findings,
        &words,
        &[],
    );
    // With an older one, `-v` says why the newest was not taken.
    bench.offer("plum", &pure("plum", "1.0"));
    let run = bench.add(&["plum", "-v"]).expect(ExitStatus::Clean);
    assert!(
        run.stderr
            .contains("plum 2.0: it requires `plum<2`, and so excludes itself"),
        "{}",
        run.stderr
    );
}

/// A project that stays, and would be needed where its version has no wheel.
#[test]
fn a_project_that_stays_says_which_platform_it_lacks() {
    let bench = Bench::new();
    bench.offer("lime", &native("lime", "1.0", "py3-none-win_amd64"));
    bench.offer(
        "kiwi",
        &pure("kiwi", "1.0").requires("lime ; os_name == 'nt'"),
    );
    bench.add(&["kiwi"]).expect(ExitStatus::Clean);
    bench.offer("plum", &pure("plum", "1.0").requires("lime"));
    let words = [
        "`plum` requires `lime` (1.0)",
        "`lime` stays at 1.0, declared in `declarations/lime.toml`, and 1.0 has no wheel for \
         cp312-manylinux_2_28_x86_64",
    ];
    let declared = ["kiwi.toml", "lime.toml"];
    refused(
        &bench,
        bench.add(&["plum"]),
        ExitStatus::Findings,
        &words,
        &declared,
    );
    bench.offer(
        "fig",
        &pure("fig", "1.0").requires("lime[cool] ; os_name == 'nt'"),
    );
    let words = [", and 1.0 has no extra `cool`"];
    refused(
        &bench,
        bench.add(&["fig"]),
        ExitStatus::Findings,
        &words,
        &declared,
    );
}

/// `-v` names the newest versions that were passed over, and counts the others.
#[test]
fn details_of_passed_versions_are_limited() {
    let bench = Bench::new();
    for number in 1..30 {
        bench.offer("plum", &pure("plum", &number.to_string()));
    }
    let run = bench.add(&["plum==1", "-v"]).expect(ExitStatus::Clean);
    let lines = run
        .stderr
        .lines()
        .filter(|line| line.contains("the command line requires ==1"));
    assert_eq!(lines.count(), 5, "{}", run.stderr);
    assert!(run.stderr.contains("plum 29: "), "{}", run.stderr);
    assert!(run.stderr.contains("plum: and 23 more"), "{}", run.stderr);
}

/// A marker says where a project is wanted: typed, or in a file.
#[test]
fn a_marker_says_where_a_project_is_wanted() {
    let bench = format_2();
    for name in ["lime", "plum", "kiwi"] {
        bench.offer(name, &native(name, "1.0", "py3-none-win_amd64"));
    }
    bench.offer("fig", &pure("fig", "1.0"));
    let only = "only = 'sys_platform == \"win32\"'";
    bench
        .add(&["lime; sys_platform == 'win32'"])
        .expect(ExitStatus::Clean);
    assert!(bench.text("lime").contains(only), "{}", bench.text("lime"));
    bench.repository.write(
        "requirements.txt",
        "plum ; sys_platform == 'win32'\nfig ; python_version >= '3'\n",
    );
    bench
        .add(&["-r", "requirements.txt"])
        .expect(ExitStatus::Clean);
    assert!(bench.text("plum").contains(only), "{}", bench.text("plum"));
    // One that holds everywhere says nothing.
    assert!(!bench.text("fig").contains("only"), "{}", bench.text("fig"));
    bench.repository.write(
        "pylock.toml",
        "lock-version = '1.0'\n[[packages]]\nname = 'kiwi'\nversion = '1.0'\nmarker = \
         \"sys_platform == 'win32'\"\n",
    );
    bench.add(&["-r", "pylock.toml"]).expect(ExitStatus::Clean);
    assert!(bench.text("kiwi").contains(only), "{}", bench.text("kiwi"));
    bench.is_clean();
    // Markers of several lines are joined; without a marker, a project is for all platforms.
    bench.offer("date", &pure("date", "1.0"));
    bench.repository.write(
        "requirements.txt",
        "date ; sys_platform == 'win32'\ndate ; sys_platform == 'linux'\n",
    );
    bench
        .add(&["-r", "requirements.txt"])
        .expect(ExitStatus::Clean);
    assert!(
        !bench.text("date").contains("only"),
        "{}",
        bench.text("date")
    );
    let words = ["the marker of `fig; os_name == 'java'` holds on no platform of the set"];
    let run = bench.add(&["fig; os_name == 'java'"]);
    let declared = [
        "date.toml",
        "fig.toml",
        "kiwi.toml",
        "lime.toml",
        "plum.toml",
    ];
    refused(&bench, run, ExitStatus::Usage, &words, &declared);
}

/// Format 1 has no `only`: the refusal names the line, and the way out leads on.
#[test]
fn a_marker_needs_format_2() {
    let bench = Bench::new();
    bench.offer("lime", &pure("lime", "1.0"));
    bench
        .repository
        .write("requirements.txt", "\nlime ; sys_platform == 'win32'\n");
    for (arguments, place) in [
        (&["lime; sys_platform == 'win32'"][..], "the command line"),
        (&["-r", "requirements.txt"], "requirements.txt:2"),
    ] {
        let words = [
            &*format!(
                "`lime` is wanted only where `sys_platform == \"win32\"` holds ({place}), and a \
                 repository with `format = 1` cannot say that"
            ),
            "help: `ipwhl migrate --format 2`",
        ];
        refused(&bench, bench.add(arguments), ExitStatus::Usage, &words, &[]);
    }
    bench
        .program
        .run(&["migrate", "--format", "2"])
        .expect(ExitStatus::Clean);
    bench
        .add(&["-r", "requirements.txt"])
        .expect(ExitStatus::Clean);
}

/// A project that the set needs elsewhere is not limited by the marker of a line.
#[test]
fn a_marker_does_not_take_away_what_the_set_needs() {
    let bench = format_2();
    bench.offer("lime", &pure("lime", "1.0"));
    bench.offer("plum", &pure("plum", "1.0").requires("lime"));
    bench.add(&["plum"]).expect(ExitStatus::Clean);
    bench
        .add(&["lime; sys_platform == 'win32'"])
        .expect(ExitStatus::Clean);
    assert!(
        !bench.text("lime").contains("only"),
        "{}",
        bench.text("lime")
    );
    // With `--only` it is asked for, and refused.
    let words = ["`only` does not offer the project on cp312-manylinux_2_28_x86_64"];
    let run = bench.add(&["lime", "--only", "sys_platform == 'win32'"]);
    refused(
        &bench,
        run,
        ExitStatus::Findings,
        &words,
        &["lime.toml", "plum.toml"],
    );
}

/// What a file asks for is called by its file and line.
#[test]
fn requirements_of_files_are_named_by_their_lines() {
    let bench = Bench::new();
    for version in ["1.0", "2.0"] {
        bench.offer("plum", &pure("plum", version));
    }
    bench
        .repository
        .write("requirements.txt", "# comment\nplum<2\n-c limits.txt\n");
    bench.repository.write("limits.txt", "plum>=2\n");
    let words = [
        "requirements.txt:2 requires <2",
        "limits.txt:1 requires >=2",
    ];
    let run = bench.add(&["-r", "requirements.txt"]);
    refused(&bench, run, ExitStatus::Findings, &words, &[]);
    bench.repository.write("limits.txt", "");
    let run = bench
        .add(&["-r", "requirements.txt", "-v"])
        .expect(ExitStatus::Clean);
    let words = "plum 2.0: requirements.txt:2 requires <2";
    assert!(run.stderr.contains(words), "{}", run.stderr);
    bench.repository.write("requirements.txt", "plum>=2\n");
    let run = bench
        .add(&["-r", "requirements.txt"])
        .expect(ExitStatus::Clean);
    let words = "upgraded plum 1.0 -> 2.0, requirements.txt:1 requires >=2";
    assert!(run.stderr.contains(words), "{}", run.stderr);
    // In a conflict of several projects, too.
    bench.offer("kiwi", &pure("kiwi", "1.0").requires("lime<1"));
    bench.offer("lime", &pure("lime", "1.0"));
    bench.offer("lime", &pure("lime", "0.5"));
    bench
        .repository
        .write("requirements.txt", "kiwi\nlime>=1\n");
    let words = [
        "requirements.txt:1 asks for `kiwi`",
        "requirements.txt:2 asks for `lime>=1`",
        "`kiwi` requires `lime<1` (1.0)",
    ];
    let run = bench.add(&["-r", "requirements.txt"]);
    refused(&bench, run, ExitStatus::Findings, &words, &["plum.toml"]);
}

/// The text of a project file with this digest.
type Lock<'a> = &'a dyn Fn(&str) -> String;

/// The index has another file than the one that a lock or a requirement names.
#[test]
fn a_digest_in_a_project_file_must_be_that_of_the_wheel() {
    let bench = Bench::new();
    let wheel = pure("plum", "1.0");
    bench.offer("plum", &wheel);
    let name = wheel.file_name();
    let right = Sha256Digest::of(&wheel.build()).to_string();
    let wrong = "5".repeat(64);
    let uv = |digest: &str| {
        format!(
            "version = 1\nrequires-python = '>=3.12'\n[manifest]\nrequirements = [{{ name = \
             'plum' }}]\n[[package]]\nname = 'plum'\nversion = '1.0'\nsource = {{ registry = 'x' \
             }}\nwheels = [{{ url = 'https://example.org/{name}', hash = 'sha256:{digest}' }}]\n"
        )
    };
    let poetry = |digest: &str| {
        format!(
            "[metadata]\nlock-version = '2.1'\n[[package]]\nname = 'plum'\nversion = '1.0'\nfiles \
             = [{{ file = '{name}', hash = 'sha256:{digest}' }}]\n"
        )
    };
    let old_poetry = |digest: &str| {
        format!(
            "[metadata]\nlock-version = '1.1'\n[[package]]\nname = 'plum'\nversion = \
             '1.0'\n[metadata.files]\nplum = [{{ file = '{name}', hash = 'sha256:{digest}' }}]\n"
        )
    };
    let pylock = |digest: &str| {
        format!(
            "lock-version = '1.0'\n[[packages]]\nname = 'plum'\nversion = '1.0'\nwheels = [{{ name \
             = '{name}', url = 'https://example.org/x', hashes = {{ sha256 = '{digest}' }} }}]\n"
        )
    };
    let requirements = |digest: &str| format!("plum==1.0 --hash=sha256:{digest}\n");
    let formats: [(&str, Lock<'_>, &str); 5] = [
        ("uv.lock", &uv, "uv.lock:9"),
        ("poetry.lock", &poetry, "poetry.lock:6"),
        ("poetry.lock", &old_poetry, "poetry.lock:7"),
        ("pylock.toml", &pylock, "pylock.toml:5"),
        ("requirements.txt", &requirements, "requirements.txt:1"),
    ];
    for (file, text, place) in formats {
        bench.repository.write(file, text(&wrong));
        let words = [
            &*format!(
                "`{name}` of the index has the SHA-256 `{right}`, and {place} permits only \
                 `{wrong}`"
            ),
            "help: one of the two files may be forged",
        ];
        refused(
            &bench,
            bench.add(&["-r", file]),
            ExitStatus::Findings,
            &words,
            &[],
        );
    }
    for (file, text, _) in formats {
        bench.repository.write(file, text(&right));
        bench.add(&["-r", file]).expect(ExitStatus::Clean);
        // Files that are not named are fine.
        if file != "requirements.txt" {
            let other = text(&wrong).replace(&name, "plum-1.0-py3-none-win32.whl");
            bench.repository.write(file, other);
            bench.add(&["-r", file]).expect(ExitStatus::Clean);
        }
    }
}

/// A pipe has no end until someone writes: it is refused, and not opened.
#[cfg(unix)]
#[test]
fn a_pipe_is_no_project_file() {
    let bench = Bench::new();
    let pipe = bench.repository.join("pipe.txt");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for line in ["-r pipe.txt\n", "-c pipe.txt\n"] {
        bench.repository.write("requirements.txt", line);
        let words = ["requirements.txt:1:", "it is not a regular file"];
        let run = bench.add(&["-r", "requirements.txt"]);
        refused(&bench, run, ExitStatus::Findings, &words, &[]);
    }
    let words = ["`pipe.txt` cannot be read: it is not a regular file"];
    refused(
        &bench,
        bench.add(&["-r", "pipe.txt"]),
        ExitStatus::World,
        &words,
        &[],
    );
}

/// A repository of real processes: each waits where the index holds it.
fn two(names: &[&str]) -> (Bench, Workshop) {
    let bench = Bench::new();
    for name in names {
        let wheel = pure(name, "1.0");
        bench
            .index
            .host(Hosted::new(name, &wheel.file_name(), &wheel.build()));
    }
    (bench, Workshop::with(&RepositoryBuilder::new()))
}

/// Of two changes at once, the one that has read the older declarations is refused.
#[test]
fn of_two_changes_at_once_the_slower_one_is_refused() {
    let (bench, workshop) = two(&["plum", "lime"]);
    let command = |arguments: &[&str]| {
        let mut command = workshop.command(arguments);
        command.env("IPWHL_INDEX_URL", bench.index.index_url());
        command
    };
    let folder = workshop.repository().join("declarations");
    for (quick, changed) in [("add", "lime"), ("remove", "lime")] {
        let gate = Arc::new(AtomicBool::new(false));
        let page = "/simple/plum/";
        bench.index.forget();
        bench.index.queue(page, [Answer::Held(Arc::clone(&gate))]);
        let slow = command(&["add", "plum"])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        while !bench.index.paths().iter().any(|path| path == page) {
            std::thread::yield_now();
        }
        let ran = Ran::of(&command(&[quick, "lime"]).output().unwrap());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        gate.store(true, Ordering::SeqCst);
        let ran = Ran::of(&slow.wait_with_output().unwrap());
        ran.refused(
            3,
            &[
                &format!(
                    "another process has changed `declarations/{changed}.toml` since this run read \
                     it"
                ),
                "help: no file was changed or removed; run the same command again",
            ],
        );
        let expected: &[&str] = if quick == "add" { &["lime.toml"] } else { &[] };
        let there: Vec<String> = files(&folder).into_keys().collect();
        assert_eq!(there, expected, "{quick}");
    }
    let ran = Ran::of(&command(&["add", "plum"]).output().unwrap());
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

/// While one process writes, another does not.
#[test]
fn a_change_waits_for_no_other() {
    let (bench, workshop) = two(&["plum"]);
    let folder = workshop.repository().join("declarations");
    fs::create_dir_all(&folder).unwrap();
    let lock = AtomicFile::create(&folder.join("declarations")).unwrap();
    let mut command = workshop.command(&["add", "plum"]);
    command.env("IPWHL_INDEX_URL", bench.index.index_url());
    let ran = Ran::of(&command.output().unwrap());
    ran.refused(
        3,
        &[
            "another process is changing the files in `",
            "help: no file was changed or removed; wait until the other run has ended",
        ],
    );
    drop(lock);
    let ran = Ran::of(&command.output().unwrap());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let there: Vec<String> = files(&folder).into_keys().collect();
    assert_eq!(there, ["plum.toml"]);
}
