//! Warnings of one kind are one block, and the waivers for what is found are printed when asked
//! for.

use ipwhl::command::ExitStatus;
use ipwhl::foundation::diagnostic::Code;

use crate::findings::{command, fixture, program};
use crate::support::bench::{native, pure};
use crate::support::program::Program;
use crate::support::repository_builder::{BuiltRepository, Project, RepositoryBuilder};

/// Projects without a wheel for Windows; of some the interpreters differ, too.
fn of_linux_only(number: usize) -> RepositoryBuilder {
    (0..number).fold(RepositoryBuilder::new(), |builder, number| {
        let wheel = native(
            &format!("plum{number:02}"),
            "1.0",
            "py3-none-manylinux_2_17_x86_64",
        );
        let wheel = if number % 6 == 5 {
            wheel.requires_python(">=3.13")
        } else {
            wheel
        };
        builder.project(Project::wanted(wheel))
    })
}

#[test]
fn warnings_that_say_the_same_are_one_block() {
    let repository = of_linux_only(18).build();
    let program = Program::new(repository.path());
    let run = program
        .run(&["check", "--offline"])
        .expect(ExitStatus::Clean);
    insta::assert_snapshot!("eighteen_of_one_kind", run.stderr);
    // Each whole, but without the waivers.
    let whole = program.run(&["check", "--offline", "-v"]).stderr;
    assert_eq!(whole.matches("warning[uncovered-platform]").count(), 18);
    assert_eq!(whole.matches("[[waiver]]").count(), 0, "{whole}");
    // For programs each is a finding of its own, with its waiver.
    for (format, word) in [
        ("json", "\"type\":\"finding\""),
        ("github", "::warning "),
        ("gitlab", "\"fingerprint\""),
        ("sarif", "\"ruleId\""),
    ] {
        let run = program.run(&["check", "--offline", "--message-format", format]);
        let count = run.stdout.lines().map(|line| line.matches(word).count());
        let count: usize = count.sum();
        assert!(
            count == 18 || format == "github" && count == 10,
            "{format} {count}"
        );
    }
    let json = program.run(&["check", "--offline", "--message-format", "json"]);
    assert_eq!(json.stdout.matches("[[waiver]]").count(), 18);
}

/// What differs in the advice but for names is not put together, and errors are not.
#[test]
fn only_what_says_the_same_is_put_together() {
    let repository = RepositoryBuilder::new()
        .project(Project::automatic(pure("fig", "1.0")))
        .project(Project::automatic(pure("plum", "1.0")))
        .project(Project::wanted(native(
            "pear",
            "1.0",
            "py3-none-manylinux_2_17_x86_64",
        )))
        .configuration("\n[severity]\nunneeded = \"warning\"\n")
        .build();
    let program = Program::new(repository.path());
    let text = program.run(&["check", "--offline", "--quiet"]).stderr;
    insta::assert_snapshot!("two_unneeded_and_another", text);
    let settings = repository.read("ipwhl.toml");
    repository.write("ipwhl.toml", settings.replace("\"warning\"", "\"error\""));
    let text = program.run(&["check", "--offline", "--quiet"]).stderr;
    assert_eq!(text.matches("error[unneeded]").count(), 2, "{text}");
}

/// Very many have lines for the first fifty.
#[test]
fn a_block_ends() {
    let repository = of_linux_only(60).build();
    let program = Program::new(repository.path());
    let text = program.run(&["check", "--offline", "--quiet"]).stderr;
    assert!(text.contains("(and 59 more)"), "{text}");
    assert!(text.contains("and 9 more: `-v` shows each"), "{text}");
    assert!(
        text.contains("`plum50`") && !text.contains("`plum51`"),
        "{text}"
    );
}

fn append(repository: &BuiltRepository, text: &str) {
    let settings = repository.read("ipwhl.toml");
    // Whether the file ends its last line or not.
    let settings = settings.trim_end().to_owned();
    repository.write("ipwhl.toml", settings + text);
}

/// Of every code that may be waived: what is printed goes to the end of `ipwhl.toml` as it stands,
/// and the finding is gone.
#[test]
fn printed_waivers_hold_as_they_are_printed() {
    for code in Code::ALL.iter().copied() {
        // The age of a database is about no project.
        let is_waivable = code.may_be_overridden() && code != Code::OldDatabase;
        let repository = fixture(code).unwrap().build();
        let (program, _index) = program(code, &repository);
        let line = command(code);
        let before = program.run(line);
        let proposal = "reason = \"\"";
        assert!(!before.stderr.contains(proposal), "{}", before.stderr);
        let asked = [line, &["--waivers", "we \"know\" why\\"]].concat();
        let run = program.run(&asked);
        assert_eq!(run.stdout.is_empty(), !is_waivable, "{code}");
        assert_eq!(
            before.stderr.contains(" --waivers REASON`"),
            is_waivable,
            "{}",
            before.stderr
        );
        if !is_waivable {
            assert!(
                run.stderr.contains("no finding can be waived"),
                "{}",
                run.stderr
            );
            continue;
        }
        append(&repository, &run.stdout);
        let after = program.run(line).expect(ExitStatus::Clean);
        assert!(
            after.stderr.contains(": no findings\n"),
            "{code}: {}",
            after.stderr
        );
        // There is nothing left to answer for.
        let run = program.run(&asked).expect(ExitStatus::Clean);
        assert_eq!(run.stdout, "", "{code}");
    }
}

/// One run prints those of all findings, each once.
#[test]
fn one_paste_covers_all_that_is_shown() {
    let repository = of_linux_only(18)
        .project(Project::automatic(pure("fig", "1.0")))
        .project(Project::wanted(pure("apple", "1.0").requires("absent")))
        .project(Project::wanted(pure("cherry", "1.0").requires("absent>2")))
        .build();
    let program = Program::new(repository.path());
    let run = program.run(&["check", "--offline", "--waivers", "not needed there"]);
    assert_eq!(
        run.stdout.matches("[[waiver]]").count(),
        21,
        "{}",
        run.stdout
    );
    append(&repository, &run.stdout);
    let run = program.run(&["check", "--offline", "--deny", "warnings"]);
    assert!(run.stderr.contains(": no findings\n"), "{}", run.stderr);
    // For programs the reason is in the texts to paste.
    let repository = of_linux_only(1).build();
    let run = Program::new(repository.path()).run(&[
        "check",
        "--message-format",
        "json",
        "--waivers",
        "not needed there",
    ]);
    assert!(
        run.stdout.contains("reason = \\\"not needed there\\\""),
        "{}",
        run.stdout
    );
    assert_eq!(run.findings().len(), 1);
}

#[test]
fn a_reason_is_not_left_out() {
    let repository = of_linux_only(1).build();
    let run = Program::new(repository.path())
        .run(&["check", "--waivers", " "])
        .expect(ExitStatus::Usage);
    assert!(
        run.stderr.contains("the reason of `--waivers` is empty"),
        "{}",
        run.stderr
    );
}
