//! `ipwhl add` against an index on the loopback address.

use ipwhl::command::ExitStatus;
use ipwhl::set::declaration::keep_comments;

use crate::support::bench::{Bench, native, pure};
use crate::support::loopback_index::{Answer, Hosted};
use crate::support::program::{Program, Run};
use crate::support::repository_builder::RepositoryBuilder;

#[test]
fn a_declaration_is_written_whole() {
    let bench = Bench::new();
    bench.offer(
        "plum",
        &pure("plum", "1.0")
            .requires_python(">=3.8")
            .requires("fig>=1 ; sys_platform == 'darwin'")
            .requires("grape ; extra == 'Jam'")
            .requires("lemon ; extra == 'juice'")
            .extra("Jam")
            .extra("juice"),
    );
    bench.offer("grape", &pure("grape", "1.0"));
    bench.add(&["grape"]).expect(ExitStatus::Clean);
    let run = bench
        .add(&["Plum[jam]", "--quiet"])
        .expect(ExitStatus::Clean);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    insta::assert_snapshot!("a_pure_project", bench.text("plum"));
}

/// The newest version is not always the one to take.
#[test]
fn the_newest_final_version_that_fits_is_taken() {
    let bench = Bench::new();
    bench.offer("plum", &pure("plum", "1.0"));
    bench.offer("plum", &pure("plum", "1.10").requires_python(">=3.12"));
    // Only for some of the platforms.
    bench.offer("plum", &native("plum", "1.11", "py3-none-win_amd64"));
    // Not for all patch versions of all interpreters.
    bench.offer("plum", &pure("plum", "1.12").requires_python(">=3.12.2"));
    bench.offer_as("plum", &pure("plum", "1.13"), |file| {
        file.yanked = Some("broken".to_owned());
    });
    bench.offer("plum", &pure("plum", "2.0rc1"));
    bench.offer("plum", &pure("plum", "2.0.dev1"));
    bench
        .index
        .host(Hosted::new("plum", "plum-3.0.tar.gz", b"no wheel"));
    bench.index.host(Hosted::new(
        "plum",
        "plum-4.0-py3-none.whl",
        b"no wheel's name",
    ));
    bench.index.host(Hosted::new(
        "plum",
        "other-5.0-py3-none-any.whl",
        b"another's",
    ));
    let run = bench.add(&["plum", "-v"]).expect(ExitStatus::Clean);
    assert_eq!(bench.wheels("plum"), ["plum-1.10-py3-none-any.whl"]);
    bench.is_sound();
    for reason in [
        "plum 2.0rc1: it is not final",
        "plum 1.13: it was yanked",
        "plum 1.12: it needs Python >=3.12.2",
        "plum 1.11: it has no wheel for cp312-manylinux_2_28_x86_64",
    ] {
        assert!(run.stderr.contains(reason), "{reason}\n{}", run.stderr);
    }
    assert!(
        run.stderr.ends_with(
            "added plum 1.10 (1 wheel, 1.12 needs Python >=3.12.2, unlike \
             cp312-manylinux_2_28_x86_64)\n"
        ),
        "{}",
        run.stderr
    );
}

#[test]
fn a_version_that_is_named_is_taken() {
    let bench = Bench::new();
    for version in ["1.0", "1.1", "2.0", "3.0rc1"] {
        bench.offer("plum", &pure("plum", version));
    }
    for (wish, version, told) in [
        ("plum==1.0", "1.0", "added plum 1.0 "),
        ("plum<2", "1.1", "upgraded plum 1.0 -> 1.1 "),
        ("plum", "2.0", "upgraded plum 1.1 -> 2.0 "),
        (
            "plum==3.0rc1",
            "3.0rc1",
            "upgraded plum 2.0 -> 3.0rc1, the command line requires ==3.0rc1 ",
        ),
        (
            "plum<3,>=1,!=2.0",
            "1.1",
            "downgraded plum 3.0rc1 -> 1.1, the command line requires >=1,!=2.0,<3 ",
        ),
    ] {
        let run = bench.add(&[wish]).expect(ExitStatus::Clean);
        assert_eq!(
            bench.wheels("plum"),
            [format!("plum-{version}-py3-none-any.whl")],
            "{wish}"
        );
        assert!(
            run.stderr.contains(told) && run.stderr.ends_with("(1 wheel)\n"),
            "{told}\n{}",
            run.stderr
        );
    }
    bench.is_sound();
}

/// As few native wheels as cover the platforms, never two for one interpreter.
#[test]
fn native_wheels_cover_the_platforms_and_are_unique() {
    let bench = Bench::new();
    for tag in [
        "py3-none-any",
        "cp312-cp312-win_amd64",
        "cp313-cp313-win_amd64",
        "cp312-abi3-win_amd64",
        "cp312-cp312-win32",
        "cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64",
        "cp312-cp312-manylinux_2_28_x86_64",
        "cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64",
        "cp313-cp313t-manylinux_2_17_x86_64.manylinux2014_x86_64",
        "cp313-cp313-manylinux_2_34_x86_64",
        "cp312-cp312-musllinux_1_2_x86_64",
        "cp312-cp312-macosx_11_0_arm64",
    ] {
        bench.offer("plum", &native("plum", "1.0", tag));
    }
    bench.add(&["plum"]).expect(ExitStatus::Clean);
    let wheels = bench.wheels("plum");
    assert_eq!(wheels.len(), 3, "{wheels:?}");
    assert_eq!(wheels[0], "plum-1.0-cp312-abi3-win_amd64.whl");
    assert!(
        wheels[1].starts_with("plum-1.0-cp312-cp312-manylinux_2_"),
        "{wheels:?}"
    );
    assert_eq!(
        wheels[2],
        "plum-1.0-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    );
    bench.is_sound();
    bench
        .add(&["plum", "--prefer", "pure"])
        .expect(ExitStatus::Clean);
    assert_eq!(bench.wheels("plum"), ["plum-1.0-py3-none-any.whl"]);
    bench.is_sound();
}

/// Two wheels that one interpreter accepts are not taken, though they would be the fewest bytes.
#[test]
fn wheels_that_overlap_are_not_taken_together() {
    let systems = &["win_amd64"];
    let builder = RepositoryBuilder::new().platforms(&["cp312", "cp313", "cp314"], systems);
    let bench = Bench::of(&builder);
    let [early, late] = ["cp312.cp313-none-win_amd64", "cp313.cp314-none-win_amd64"];
    bench.offer("plum", &native("plum", "1.0", early));
    bench.offer("plum", &native("plum", "1.0", late));
    let run = bench.add(&["plum", "--quiet"]).expect(ExitStatus::Findings);
    assert!(
        run.stderr.contains(
            "every choice of its wheels that covers the platforms has overlapping wheels"
        ),
        "{}",
        run.stderr
    );
    let large = native("plum", "1.0", "cp314-cp314-win_amd64").member("large.bin", vec![7; 9000]);
    bench.offer("plum", &large);
    bench.add(&["plum"]).expect(ExitStatus::Clean);
    assert_eq!(
        bench.wheels("plum"),
        [
            "plum-1.0-cp312.cp313-none-win_amd64.whl",
            "plum-1.0-cp314-cp314-win_amd64.whl"
        ]
    );
    bench.is_sound();
}

/// Where native wheels leave a platform bare, the pure one is taken for all: together they would
/// overlap.
#[test]
fn the_pure_wheel_is_taken_where_native_ones_do_not_cover() {
    let bench = Bench::new();
    bench.offer("plum", &native("plum", "1.0", "cp312-cp312-win_amd64"));
    bench.offer("plum", &pure("plum", "1.0"));
    bench.add(&["plum"]).expect(ExitStatus::Clean);
    assert_eq!(bench.wheels("plum"), ["plum-1.0-py3-none-any.whl"]);
    bench.offer("lime", &native("lime", "1.0", "cp312-abi3-win_amd64"));
    bench.offer(
        "lime",
        &native("lime", "1.0", "cp312-abi3-manylinux_2_17_x86_64"),
    );
    bench
        .add(&["lime", "--prefer", "pure"])
        .expect(ExitStatus::Clean);
    assert_eq!(bench.wheels("lime").len(), 2);
    bench.is_sound();
}

/// What wheels share is written once, what one has otherwise with it.
#[test]
fn wheels_that_differ_say_so() {
    let bench = Bench::new();
    let wheel = |tag: &str| native("plum", "1.0", tag).requires_python(">=3.9");
    bench.offer("plum", &wheel("cp312-cp312-manylinux_2_17_x86_64"));
    bench.offer("plum", &wheel("cp313-cp313-manylinux_2_17_x86_64"));
    bench.offer("fig", &pure("fig", "2.0"));
    bench.offer("plum", &wheel("cp312-abi3-win_amd64").requires("fig>=1"));
    bench.add(&["plum"]).expect(ExitStatus::Clean);
    insta::assert_snapshot!("a_native_project", bench.text("plum"));
    bench.is_sound();
}

#[test]
fn dependencies_are_added_until_the_set_is_closed() {
    let bench = Bench::new();
    bench.offer(
        "apple",
        &pure("apple", "1.0")
            .requires("fig[seed]<2")
            .requires("absent ; sys_platform == 'darwin'")
            .requires("lemon ; extra == 'all'")
            .extra("all"),
    );
    bench.offer("fig", &pure("fig", "2.0").extra("seed"));
    bench.offer(
        "fig",
        &pure("fig", "1.5")
            .requires("grape ; extra == 'seed'")
            .extra("seed"),
    );
    // Needed on Windows only, and to be had only there.
    bench.offer(
        "grape",
        &pure("grape", "1.0").requires("lime ; os_name == 'nt'"),
    );
    bench.offer("lime", &native("lime", "1.0", "py3-none-win_amd64"));
    let run = bench.add(&["apple"]).expect(ExitStatus::Clean);
    assert_eq!(
        bench.declared(),
        ["apple.toml", "fig.toml", "grape.toml", "lime.toml"]
    );
    assert_eq!(bench.wheels("fig"), ["fig-1.5-py3-none-any.whl"]);
    assert!(bench.text("fig").contains("extras = [\"seed\"]"));
    assert!(!bench.text("apple").contains("automatic"));
    for name in ["fig", "grape", "lime"] {
        assert!(bench.text(name).contains("automatic = true"), "{name}");
    }
    let told: Vec<&str> = run
        .stderr
        .lines()
        .filter(|line| line.starts_with("added"))
        .collect();
    assert_eq!(
        told,
        [
            "added apple 1.0 (1 wheel)",
            "added fig 1.5, apple needs <2 (1 wheel, automatic)",
            "added grape 1.0, fig needs it (1 wheel, automatic)",
            "added lime 1.0, grape needs it (1 wheel, automatic)",
        ]
    );
    // Nothing there needs lime on Linux, which is a warning.
    bench
        .program
        .run(&["check", "--wheels", "--offline"])
        .expect(ExitStatus::Clean);
}

/// What the set needs of a project holds for what is added, and what is added for others is said.
#[test]
fn the_set_decides_with_the_command_line() {
    let bench = Bench::new();
    bench.offer("apple", &pure("apple", "1.0").requires("fig<2"));
    bench.offer("fig", &pure("fig", "1.0"));
    bench.offer("fig", &pure("fig", "2.0"));
    bench.add(&["apple"]).expect(ExitStatus::Clean);
    bench.add(&["fig"]).expect(ExitStatus::Clean);
    assert_eq!(bench.wheels("fig"), ["fig-1.0-py3-none-any.whl"]);
    let run = bench
        .add(&["fig==2.0", "--quiet"])
        .expect(ExitStatus::Findings);
    assert_eq!(
        run.stderr,
        "error: no version of `fig` in the index fits: apple requires <2, the command line requires ==2.0\n\
         help: its versions were rejected: 2.0: apple requires <2; 1.0: the command line requires ==2.0\n"
    );
    assert_eq!(bench.wheels("fig"), ["fig-1.0-py3-none-any.whl"]);
}

/// An automatic project that is asked for by name is wanted from then on, and stays so.
#[test]
fn who_is_asked_for_is_wanted() {
    let bench = Bench::new();
    bench.offer("apple", &pure("apple", "1.0").requires("fig"));
    bench.offer("fig", &pure("fig", "1.0"));
    bench.add(&["apple"]).expect(ExitStatus::Clean);
    assert!(bench.text("fig").contains("automatic = true"));
    bench.add(&["fig"]).expect(ExitStatus::Clean);
    assert!(!bench.text("fig").contains("automatic"));
    bench.add(&["apple"]).expect(ExitStatus::Clean);
    assert!(!bench.text("fig").contains("automatic"));
    bench.is_sound();
}

#[test]
fn extras_are_closed_and_kept() {
    let bench = Bench::new();
    bench.offer(
        "plum",
        &pure("plum", "1.0")
            .requires("plum[Jam_Jar] ; extra == 'all'")
            .requires("fig ; extra == 'jam-jar'")
            .extra("all")
            .extra("Jam_Jar")
            .extra("juice"),
    );
    bench.offer("fig", &pure("fig", "1.0"));
    bench.add(&["plum[ALL]"]).expect(ExitStatus::Clean);
    assert!(
        bench
            .text("plum")
            .contains("extras = [\"all\", \"jam-jar\"]"),
        "{}",
        bench.text("plum")
    );
    // A later run does not take back what was vouched for.
    bench.add(&["plum[juice]"]).expect(ExitStatus::Clean);
    assert!(
        bench
            .text("plum")
            .contains("extras = [\"all\", \"jam-jar\", \"juice\"]"),
        "{}",
        bench.text("plum")
    );
    bench.is_sound();
}

#[test]
fn comments_at_the_top_outlive_a_new_version() {
    let bench = Bench::new();
    bench.offer("plum", &pure("plum", "1.0"));
    bench.add(&["plum"]).expect(ExitStatus::Clean);
    let text = bench.text("plum");
    bench.repository.write(
        "declarations/plum.toml",
        format!("# Reviewed by two of us.\r\n# \u{6885}\r\n\r\n{text}"),
    );
    bench.offer("plum", &pure("plum", "1.1"));
    let run = bench.add(&["plum"]).expect(ExitStatus::Clean);
    assert!(
        run.stderr.ends_with("upgraded plum 1.0 -> 1.1 (1 wheel)\n"),
        "{}",
        run.stderr
    );
    let text = bench.text("plum");
    assert!(
        text.starts_with("# Reviewed by two of us.\n# \u{6885}\n\nsource = "),
        "{text}"
    );
    bench.is_sound();
}

/// A comment stays with what it is about, and goes with it.
#[test]
fn comments_below_the_top_stay_with_what_stays() {
    let bench = Bench::new();
    let plum = |version: &str, tag: &str| {
        native("plum", version, tag)
            .requires_python(">=3.8")
            .requires("fig>=1")
            .requires("grape")
            .requires("lime ; extra == 'jam'")
            .extra("jam")
    };
    bench.offer("plum", &plum("1.0", "py3-none-win_amd64"));
    bench.offer("plum", &plum("1.0", "py3-none-manylinux_2_17_x86_64"));
    for name in ["fig", "grape", "kiwi", "lime"] {
        bench.offer(name, &pure(name, "1.0"));
    }
    bench.add(&["plum[jam]"]).expect(ExitStatus::Clean);
    let commented: Vec<String> = bench
        .text("plum")
        .lines()
        .map(|line| match line.split_once(" = ") {
            Some((key, _)) => format!("# above {key}\n{line}  # after {key}"),
            None if line.starts_with("    ") => {
                format!("    # above {0}\n{line}  # after {0}", line.trim())
            }
            None if line.starts_with("[[") => format!("# above a wheel\n{line}  # after its head"),
            None => line.to_owned(),
        })
        .collect();
    let commented = format!("# The file.\n\n{}\n# The end.\n", commented.join("\n"));
    bench.repository.write("declarations/plum.toml", &commented);
    // Nothing has changed: nothing is lost.
    let canonical_form = ipwhl::set::declaration::canonical(&commented).unwrap();
    bench.add(&["plum"]).expect(ExitStatus::Clean);
    assert_eq!(bench.text("plum"), canonical_form);
    assert_eq!(
        canonical_form.matches("# above").count() + canonical_form.matches("# after").count(),
        commented.matches("# above").count() + commented.matches("# after").count(),
    );
    // A new version of one wheel for all, without `grape`: what was said of the old bytes is gone.
    bench.offer(
        "plum",
        &pure("plum", "1.1")
            .requires_python(">=3.8")
            .requires("fig>=1")
            .requires("kiwi")
            .requires("lime ; extra == 'jam'")
            .extra("jam"),
    );
    bench.add(&["plum"]).expect(ExitStatus::Clean);
    insta::assert_snapshot!("comments_that_stay", bench.text("plum"));
    // And back, to a wheel for each platform.
    bench.add(&["plum==1.0"]).expect(ExitStatus::Clean);
    let text = bench.text("plum");
    assert_eq!(text.matches("# above \"fig>=1\"").count(), 1, "{text}");
    assert_eq!(text.matches("[[wheel]]").count(), 2, "{text}");
}

/// What was said of a value is not said of another one, and nothing is said twice.
#[test]
fn comments_go_with_what_they_are_about() {
    let before = "source = \"file:plum-1.0-py3-none-any.whl\"  # reviewed\n\
        # computed twice\ncontent-id = \"bafkreia\"\n# see its changelog\nrequires-python = \">=3.8\"\n\
        extras = []\ndependencies = [\n    # pinned upstream\n    \"fig\",\n]\nsize = 3  # small\n";
    let after = "source = \"file:plum-1.1-py3-none-any.whl\"\ncontent-id = \"bafkreib\"\n\
        requires-python = \">=3.9\"\nextras = []\ndependencies = [\"fig\"]\nsize = 3\n";
    assert_eq!(
        keep_comments(before, after),
        "source = \"file:plum-1.1-py3-none-any.whl\"\ncontent-id = \"bafkreib\"\n\
         requires-python = \">=3.9\"\nextras = []\ndependencies = [\n    # pinned upstream\n    \"fig\",\n]\n\
         size = 3  # small\n"
    );
    let wheel = |tag: &str| {
        format!(
            "\n[[wheel]]\nsource = \"file:plum-1.1-{tag}.whl\"\ncontent-id \
             = \"bafkreib\"\ndependencies = [\"fig\"]\n"
        )
    };
    let several = format!(
        "extras = []\n{}{}",
        wheel("py3-none-any"),
        wheel("py2-none-any")
    );
    let kept = keep_comments(before, &several);
    assert_eq!(kept.matches("# pinned upstream").count(), 1, "{kept}");
    // A text that nobody can read keeps what stands at its top.
    assert_eq!(
        keep_comments("# Ours.\n\nsource = \n", "extras = []\n"),
        "# Ours.\n\nextras = []\n"
    );
}

/// What is not read through a link is not written through one.
#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link() {
    let bench = Bench::new();
    bench.offer("plum", &pure("plum", "1.0"));
    let elsewhere = tempfile::tempdir().unwrap();
    let folder = bench.repository.join("declarations");
    std::fs::remove_dir(&folder).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), &folder).unwrap();
    let run = bench.add(&["plum", "--quiet"]).expect(ExitStatus::Findings);
    assert_eq!(
        run.stderr,
        "error: `declarations`, on the path to the declarations, is a symbolic link\n\
         help: replace the link with the folder itself: links are not followed\n"
    );
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    assert_eq!(bench.index.connections(), 0);
}

/// What people have added to a wheel that stays is theirs; what is right already is left alone.
#[test]
fn sources_that_were_added_by_hand_are_kept() {
    let bench = Bench::new();
    bench.offer("plum", &pure("plum", "1.0").extra("jam"));
    bench.add(&["plum"]).expect(ExitStatus::Clean);
    let written = bench.text("plum");
    let run = bench.add(&["plum"]).expect(ExitStatus::Clean);
    assert!(
        run.stderr
            .ends_with("plum 1.0 is already declared like this\n"),
        "{}",
        run.stderr
    );
    assert_eq!(bench.text("plum"), written);
    let mirror = "https://example.org/plum-1.0-py3-none-any.whl";
    let (first, rest) = written.split_once('\n').unwrap();
    let package = first.strip_prefix("source = ").unwrap();
    bench.repository.write(
        "declarations/plum.toml",
        format!("source = [{package}, \"{mirror}\"]\n{rest}"),
    );
    bench.add(&["plum[jam]"]).expect(ExitStatus::Clean);
    let text = bench.text("plum");
    assert!(text.contains(mirror), "{text}");
    assert!(text.contains("extras = [\"jam\"]"), "{text}");
    bench.is_sound();
}

/// A mistake says what is wrong and the way out, ends with 1, and nothing at all is written.
#[test]
fn what_cannot_be_added_is_said_and_nothing_is_written() {
    let bench = Bench::new();
    bench.offer("fig", &pure("fig", "1.0"));
    bench.offer("plum", &pure("plum", "1.0").extra("juice").extra("jam"));
    bench.offer("lime", &pure("lime", "1.0"));
    bench.offer("kiwi", &pure("kiwi", "1.0").requires_python(">=3.13"));
    bench.offer("kiwi", &native("kiwi", "0.9", "py3-none-win_amd64"));
    bench.offer_as("kiwi", &pure("kiwi", "0.8"), |file| {
        file.yanked = Some(String::new());
    });
    bench.offer("kiwi", &pure("kiwi", "0.7rc1"));
    bench.offer("kiwi", &pure("kiwi", "0.6").requires_python("<3.12"));
    bench
        .index
        .host(Hosted::new("sloe", "sloe-1.0.tar.gz", b"no wheel"));
    bench.offer(
        "pear",
        &pure("pear", "1.0").edit_record(|rows| rows[0][2] = "1".to_owned()),
    );
    let page = bench.index.url("/simple/figg/");
    let unknown = format!("the index has no project `figg` ({page} does not exist)");
    let cases = [
        (
            "figg",
            unknown.as_str(),
            "check the spelling of its name, and the address of the index",
        ),
        (
            "plum[juce]",
            "`plum-1.0-py3-none-any.whl` has no extra `juce`",
            "did you mean `juice`?",
        ),
        (
            "plum[x]",
            "`plum-1.0-py3-none-any.whl` has no extra `x`",
            "its extras are jam, juice",
        ),
        (
            "lime[x]",
            "`lime-1.0-py3-none-any.whl` has no extra `x`",
            "it has no extras at all",
        ),
        (
            "lime==2",
            "no version of `lime` in the index fits: the command line requires ==2",
            "its versions were rejected: 1.0: the command line requires ==2",
        ),
        (
            "kiwi",
            "no version of `kiwi` in the index fits",
            "its versions were rejected: 1.0: it needs Python >=3.13; 0.9: it has no wheel for \
             cp312-manylinux_2_28_x86_64; 0.8: it was yanked; 0.7rc1: it is not final; and 1 other",
        ),
        (
            "kiwi==0.8",
            "no version of `kiwi` in the index fits: the command line requires ==0.8",
            "its versions were rejected: 0.8: it was yanked; 1.0 and 2 more: the command line \
             requires ==0.8; 0.7rc1: it is not final",
        ),
        (
            "sloe",
            "no version of `sloe` in the index fits",
            "the index has no wheel of it",
        ),
        (
            "pear",
            "`pear-1.0-py3-none-any.whl` is not a valid wheel: `pear.py` has 10 bytes and 1 by RECORD",
            "the index has no other version; tell its maintainers",
        ),
    ];
    for (wish, message, help) in cases {
        // The first of them would be sound.
        let run = bench
            .add(&["fig", wish, "--quiet"])
            .expect(ExitStatus::Findings);
        assert_eq!(
            run.stderr,
            format!("error: {message}\nhelp: {help}\n"),
            "{wish}"
        );
        assert_eq!(bench.declared(), [""; 0], "{wish}");
    }
    let usage = [
        ("plum @ https://example.org/plum.whl", "names an address"),
        (
            "plum ; os_name == 'nt'",
            "with `format = 1` cannot say that",
        ),
        ("plum==", "does not name a project"),
        ("", "does not name a project"),
    ];
    for (wish, words) in usage {
        let run = bench.add(&["fig", wish]).expect(ExitStatus::Usage);
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    bench.add(&[]).expect(ExitStatus::Usage);
    assert_eq!(bench.declared(), [""; 0]);
}

/// A dependency that cannot be had leaves nothing of what needs it.
#[test]
fn a_set_that_does_not_close_is_not_written() {
    let bench = Bench::new();
    bench.offer("apple", &pure("apple", "1.0").requires("fig"));
    let run = bench
        .add(&["apple", "--quiet"])
        .expect(ExitStatus::Findings);
    assert_eq!(
        run.stderr,
        format!(
            "error: the index has no project `fig`, which apple requires ({} does not exist)\n\
             help: remove the requiring project or extra, or declare it by hand\n",
            bench.index.url("/simple/fig/")
        )
    );
    bench.offer("fig", &pure("fig", "1.0").requires("grape<1"));
    bench.offer(
        "apple",
        &pure("apple", "1.1").requires("fig").requires("grape>=1"),
    );
    bench.offer("grape", &pure("grape", "1.0"));
    let run = bench
        .add(&["apple", "--quiet"])
        .expect(ExitStatus::Findings);
    assert!(
        run.stderr.contains("`fig` requires `grape<1` (1.0)")
            && run
                .stderr
                .contains("no version of `grape` fits: 1.0: fig requires <1"),
        "{}",
        run.stderr
    );
    assert_eq!(bench.declared(), [""; 0]);
}

#[test]
fn a_world_that_fails_is_no_finding() {
    let bench = Bench::new();
    bench.offer("plum", &pure("plum", "1.0"));
    // Bytes that are not what the index says.
    let path = "/files/plum-1.0-py3-none-any.whl";
    bench
        .index
        .always(path, Answer::whole("200 OK", &[], b"something else"));
    let run = bench.add(&["plum", "--quiet"]);
    assert!(
        run.stderr.contains("plum-1.0-py3-none-any.whl"),
        "{}",
        run.stderr
    );
    assert_ne!(run.status, ExitStatus::Clean);
    assert_eq!(bench.declared(), [""; 0]);
    // No index at all.
    let without = Program::new(bench.repository.path());
    let run = without.run(&["add", "plum"]).expect(ExitStatus::World);
    assert!(run.stderr.contains("index"), "{}", run.stderr);
    // Nobody may be asked.
    let run = bench.add(&["plum", "--offline"]).expect(ExitStatus::World);
    assert!(
        run.stderr
            .contains("cannot declare `plum`: the index is needed, and `--offline` forbids"),
        "{}",
        run.stderr
    );
}

#[test]
fn nothing_is_added_under_settings_that_are_wrong() {
    let bench = Bench::of(&RepositoryBuilder::new().configuration_text("[repository]\n"));
    bench.offer("plum", &pure("plum", "1.0"));
    let run = bench.add(&["plum"]).expect(ExitStatus::Findings);
    assert!(run.stderr.contains("ipwhl check"), "{}", run.stderr);
    assert_eq!(bench.index.connections(), 0);
}

/// The lines about what was written.
fn told(run: &Run) -> Vec<&str> {
    let verbs = ["added ", "changed ", "upgraded ", "downgraded "];
    let lines = run.stderr.lines();
    lines
        .filter(|line| verbs.iter().any(|verb| line.starts_with(verb)))
        .collect()
}

/// A version that gives way to another one is named with the one who asked for that.
#[test]
fn what_changes_is_said_with_who_needs_it() {
    let bench = Bench::new();
    let dateutil = |version: &str| pure("python-dateutil", version);
    bench.offer("python-dateutil", &dateutil("4.0.0"));
    bench.add(&["python-dateutil"]).expect(ExitStatus::Clean);
    bench.offer("python-dateutil", &dateutil("2.9.0.post0").extra("tz"));
    bench.offer("jmespath", &pure("jmespath", "1.1"));
    let needy = |name: &str| pure(name, "1.0").requires("python-dateutil<3");
    bench.offer("botocore", &needy("botocore").requires("jmespath"));
    let run = bench.add(&["botocore"]).expect(ExitStatus::Findings);
    assert!(
        run.stderr
            .ends_with("add `--allow-update python-dateutil --allow-downgrade`\n"),
        "{}",
        run.stderr
    );
    let run = bench
        .add(&[
            "botocore",
            "--allow-update",
            "python-dateutil",
            "--allow-downgrade",
        ])
        .expect(ExitStatus::Clean);
    assert_eq!(
        told(&run),
        [
            "added botocore 1.0 (1 wheel)",
            "added jmespath 1.1, botocore needs it (1 wheel, automatic)",
            "downgraded python-dateutil 4.0.0 -> 2.9.0.post0, botocore needs <3 (1 wheel)",
        ]
    );
    bench.is_sound();
    // Of the same version it is said what else is otherwise now.
    let run = bench
        .add(&["python-dateutil[tz]"])
        .expect(ExitStatus::Clean);
    assert_eq!(
        told(&run),
        ["changed python-dateutil 2.9.0.post0 (1 wheel, with the extra `tz`)"]
    );
    let run = bench.add(&["jmespath"]).expect(ExitStatus::Clean);
    assert_eq!(
        told(&run),
        ["changed jmespath 1.1 (1 wheel, wanted from now on)"]
    );
    let native = |tag: &str| native("jmespath", "1.1", tag);
    bench.offer("jmespath", &native("cp312-abi3-win_amd64"));
    bench.offer("jmespath", &native("cp312-abi3-manylinux_2_17_x86_64"));
    // A pure project stays pure.
    let run = bench.add(&["jmespath"]).expect(ExitStatus::Clean);
    assert_eq!(told(&run), [""; 0]);
    let run = bench
        .add(&["jmespath", "--prefer", "native"])
        .expect(ExitStatus::Clean);
    assert_eq!(told(&run), ["changed jmespath 1.1 (2 wheels instead of 1)"]);
    // Of many who need it the first few are named.
    bench.offer("python-dateutil", &dateutil("3.5"));
    bench
        .add(&["python-dateutil==2.9.0.post0"])
        .expect(ExitStatus::Clean);
    for name in ["apple", "fig", "plum", "sloe"] {
        bench.offer(name, &pure(name, "1.0").requires("lime<2"));
        bench
            .add(&[name, "--no-dependencies"])
            .expect(ExitStatus::Clean);
    }
    bench.offer("lime", &pure("lime", "1.0"));
    let run = bench
        .add(&["lime", "--automatic"])
        .expect(ExitStatus::Clean);
    assert_eq!(
        told(&run),
        [
            "added lime 1.0, apple needs <2, fig needs <2, plum needs <2, and 1 more (1 wheel, automatic)"
        ]
    );
}

/// What `check` would find is said at once: what somebody can answer for is written, the rest is
/// not.
#[test]
fn findings_that_a_change_brings_are_reported() {
    let bench = Bench::new();
    let tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py2-none-any\n";
    bench.offer("plum", &pure("plum", "1.0").wheel_file(tags));
    let run = bench.add(&["plum"]).expect(ExitStatus::Findings);
    for words in [
        "added plum 1.0 (1 wheel)\n",
        "error[tag-mismatch]: WHEEL of `plum-1.0-py3-none-any.whl` has other tags than its file name\n \
         --> declarations/plum.toml:1:",
        "ipwhl explain tag-mismatch",
    ] {
        assert!(run.stderr.contains(words), "{words}\n{}", run.stderr);
    }
    assert!(
        run.stderr
            .ends_with("error: the change was written and adds 1 error\n"),
        "{}",
        run.stderr
    );
    assert_eq!(bench.declared(), ["plum.toml"]);
    // What was there before is not said again, and does not fail another change.
    bench.offer("fig", &pure("fig", "1.0"));
    let run = bench.add(&["fig"]).expect(ExitStatus::Clean);
    assert!(
        run.stderr.contains("the set had 1 error before") && !run.stderr.contains("error["),
        "{}",
        run.stderr
    );
    // With `--no-dependencies` an open requirement is what was asked for; it is reported all the
    // same.
    bench.offer("apple", &pure("apple", "1.0").requires("grape"));
    let run = bench
        .add(&["apple", "--no-dependencies"])
        .expect(ExitStatus::Clean);
    assert!(
        run.stderr.contains("error[missing-dependency]")
            && run.stderr.ends_with("the change adds 1 error\n"),
        "{}",
        run.stderr
    );
    // No waiver could answer for this one.
    bench.offer(
        "lime",
        &pure("lime", "1.0").metadata("Metadata-Version: 2.1\nName: lemon\nVersion: 1.0\n"),
    );
    let run = bench.add(&["lime", "--quiet"]).expect(ExitStatus::Findings);
    assert!(
        run.stderr
            .contains("its metadata names the project `lemon`"),
        "{}",
        run.stderr
    );
    assert_eq!(bench.declared(), ["apple.toml", "fig.toml", "plum.toml"]);
}

/// `-r` declares what a project file asks for, with the locked versions, and says what it ignores.
#[test]
fn a_project_file_is_declared() {
    let bench = Bench::of(&RepositoryBuilder::new().format_2());
    for version in ["1.0", "1.1", "2.0"] {
        bench.offer("plum", &pure("plum", version).requires("fig"));
        bench.offer("fig", &pure("fig", version));
    }
    bench.offer("lime", &native("lime", "1.0", "py3-none-win_amd64"));
    let file =
        "-c limits.txt\nplum<2\nlime ; os_name == 'nt'\nkiwi ; os_name == 'java'\n-e ./own\n";
    bench.repository.write("requirements.txt", file);
    bench.repository.write("limits.txt", "fig!=2.0\n");
    let run = bench
        .add(&["-r", "requirements.txt"])
        .expect(ExitStatus::Clean);
    assert!(
        run.stderr.contains("note: the editable project `./own`"),
        "{}",
        run.stderr
    );
    assert_eq!(bench.declared(), ["fig.toml", "lime.toml", "plum.toml"]);
    assert_eq!(bench.wheels("plum"), ["plum-1.1-py3-none-any.whl"]);
    assert_eq!(bench.wheels("fig"), ["fig-1.1-py3-none-any.whl"]);
    // What is declared already stays.
    bench.offer("plum", &pure("plum", "1.2").requires("fig"));
    let written = bench.text("plum");
    bench
        .add(&["-r", "requirements.txt"])
        .expect(ExitStatus::Clean);
    assert_eq!(bench.text("plum"), written);
    // A mistake is shown at its line, and nothing is changed.
    bench.repository.write("requirements.txt", "plum\nfig=>1\n");
    let run = bench
        .add(&["-r", "requirements.txt", "lime"])
        .expect(ExitStatus::Findings);
    assert!(run.stderr.contains("requirements.txt:2:"), "{}", run.stderr);
    assert!(
        run.stderr.ends_with("nothing was changed\n"),
        "{}",
        run.stderr
    );
    let run = bench.add(&["-r", "none.txt"]);
    assert!(
        run.stderr.contains("`none.txt` cannot be read"),
        "{}",
        run.stderr
    );
}

/// A project without wheels for some system is offered where it has them, by the option that the
/// refusal proposes.
#[test]
fn a_project_can_be_offered_on_some_platforms_only() {
    let bench = Bench::new();
    bench.offer(
        "uvloop",
        &native("uvloop", "1.0", "py3-none-manylinux_2_17_x86_64"),
    );
    let arguments = ["uvloop", "--only", "sys_platform != 'win32'"];
    let run = bench.add(&arguments).expect(ExitStatus::Usage);
    assert!(
        run.stderr.contains("`ipwhl migrate --format 2`"),
        "{}",
        run.stderr
    );
    bench
        .program
        .run(&["migrate", "--format", "2"])
        .expect(ExitStatus::Clean);
    let run = bench.add(&["uvloop"]).expect(ExitStatus::Findings);
    assert!(
        run.stderr.ends_with(
            "offer it only where it has wheels: add `--only \"sys_platform != 'win32'\"`\n"
        ),
        "{}",
        run.stderr
    );
    bench.add(&arguments).expect(ExitStatus::Clean);
    assert!(
        bench
            .text("uvloop")
            .contains("only = 'sys_platform != \"win32\"'"),
        "{}",
        bench.text("uvloop")
    );
    bench.is_clean();
    // It stays so in the next version.
    bench.offer(
        "uvloop",
        &native("uvloop", "1.1", "py3-none-manylinux_2_17_x86_64"),
    );
    bench.program.run(&["update"]).expect(ExitStatus::Clean);
    assert!(bench.text("uvloop").contains("only = "));
    assert_eq!(
        bench.wheels("uvloop"),
        ["uvloop-1.1-py3-none-manylinux_2_17_x86_64.whl"]
    );
    bench.is_clean();
    for marker in [
        "extra == 'x'",
        "sys_platform == 'darwin'",
        "platform_release > '5'",
    ] {
        let run = bench
            .add(&["uvloop", "--only", marker])
            .expect(ExitStatus::Usage);
        assert!(
            run.stderr.contains("does not say where to offer a project"),
            "{}",
            run.stderr
        );
    }
}

/// What a change makes superfluous leaves the set with it; what was superfluous before stays.
#[test]
fn what_nothing_needs_any_more_leaves_the_set() {
    let bench = Bench::new();
    bench.offer("plum", &pure("plum", "1.0").requires("fig"));
    bench.offer("fig", &pure("fig", "1.0"));
    bench.offer("lime", &pure("lime", "1.0"));
    bench
        .add(&["lime", "--automatic"])
        .expect(ExitStatus::Clean);
    bench.add(&["plum"]).expect(ExitStatus::Clean);
    bench.offer("plum", &pure("plum", "2.0"));
    let run = bench.add(&["plum"]).expect(ExitStatus::Clean);
    assert!(
        run.stderr
            .contains("removed fig, which nothing needs any more"),
        "{}",
        run.stderr
    );
    assert_eq!(bench.declared(), ["lime.toml", "plum.toml"]);
}

/// An unreadable declaration is said at once, and nothing leaves the set for it.
#[test]
fn a_declaration_that_cannot_be_read_is_said() {
    let bench = Bench::new();
    bench.offer("plum", &pure("plum", "1.0"));
    bench.repository.write("declarations/fig.toml", "x = = 1\n");
    let run = bench.add(&["plum"]).expect(ExitStatus::Clean);
    assert!(
        run.stderr.starts_with(
            "warning: a declaration cannot be read, so what it requires is not known: fig\n"
        ),
        "{}",
        run.stderr
    );
    assert_eq!(bench.declared(), ["fig.toml", "plum.toml"]);
}

/// Without a terminal, a name that is nearly that of a declared project needs a word.
#[test]
fn a_name_one_slip_away_from_a_declared_one_is_confirmed() {
    let bench = Bench::new();
    for name in ["requests", "reqests", "h11", "h12", "apples"] {
        bench.offer(name, &pure(name, "1.0"));
    }
    bench.add(&["requests", "h11"]).expect(ExitStatus::Clean);
    let run = bench.add(&["reqests", "apples"]).expect(ExitStatus::Usage);
    assert_eq!(
        run.stderr,
        "error: `reqests` is new, and the set has `requests`\n\
         help: if you mean `reqests`, add `--yes`; nothing was changed\n"
    );
    assert_eq!(bench.declared(), ["h11.toml", "requests.toml"]);
    // Short names are similar anyway, and a declared one is no slip.
    bench.add(&["h12", "requests"]).expect(ExitStatus::Clean);
    bench.add(&["reqests", "--yes"]).expect(ExitStatus::Clean);
    bench.is_sound();
}
