//! Output that is piped: plain, the same in every window; a reader that leaves is no error, a full
//! disk is one.

use std::collections::BTreeSet;
use std::io::pipe;
use std::process::{Command, Output, Stdio};

use ipwhl::command::definition;

use crate::support::repository_builder::RepositoryBuilder;
use crate::support::tool;
use crate::support::workshop::{Ran, Workshop};

/// Command lines that print much, and whether what is printed goes to standard output.
const LINES: &[(&[&str], bool)] = &[
    (&["--help"], true),
    (&["build", "--help"], true),
    (&["check"], false),
    (&["check", "--message-format", "json"], true),
    (&["check", "--message-format", "sarif"], true),
    (&["check", "--message-format", "markdown"], true),
    (&["build", "--unsigned"], false),
    (
        &[
            "cid",
            "--all-profiles",
            "declarations",
            "wheels",
            "ipwhl.toml",
        ],
        true,
    ),
    (&["key", "show", "--key", "key"], true),
    (&["list"], true),
    (&["list", "--format", "json"], true),
    (&["show", "apple", "banana"], true),
    (&["tree"], true),
    (&["lock", "apple"], true),
    (&["lock", "apple", "--format", "requirements"], true),
    (&["sbom", "apple"], true),
    (&["sbom", "apple", "--format", "spdx"], true),
    (&["tree", "--format", "mermaid"], true),
    (&["why", "damson"], true),
    (&["diff", "path:."], true),
    (&["fmt", "--check"], false),
    (&["explain"], true),
    (&["explain", "unsatisfied-dependency"], true),
    (&["completions", "bash"], true),
    (&["man"], true),
    (&["no-such-command"], false),
];

/// A repository with many findings, and a key.
fn workshop() -> Workshop {
    let mut repository = RepositoryBuilder::sound();
    for number in 0..20 {
        let text = "# Nothing of what a declaration has.\nautomatic = \"yes\"\n";
        repository = repository.file(&format!("declarations/bad-{number}.toml"), text);
    }
    let workshop = Workshop::with(&repository);
    // Later runs know the wheels, and say no more that they were fetched.
    workshop.run(&["sbom", "apple"]);
    let made = workshop.run(&["key", "new", "--key", "key"]);
    assert_eq!(made.code, Some(0), "{}", made.error);
    workshop
}

/// A pipe whose reader has left.
fn closed() -> Stdio {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    writer.into()
}

fn ran(command: &mut Command) -> Ran {
    let output: Output = command.stderr(Stdio::piped()).output().unwrap();
    Ran::of(&output)
}

#[test]
fn every_command_is_tried_or_prints_little() {
    // Each of these prints a line or two, and `serve` its address.
    let little = [
        "add", "audit", "bundle", "cache", "fetch", "fill", "hollow", "init", "migrate",
        "outdated", "publish", "remove", "serve", "sign", "update", "verify",
    ];
    let tried: BTreeSet<&str> = LINES.iter().map(|(line, _)| line[0]).collect();
    for command in definition().get_subcommands() {
        let name = command.get_name();
        assert!(
            tried.contains(name) || little.contains(&name),
            "`ipwhl {name}` is not in the table"
        );
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let workshop = workshop();
    for (line, on_output) in LINES {
        let whole = workshop.run(line);
        let is_there = if *on_output {
            &whole.output
        } else {
            &whole.error
        };
        assert!(!is_there.is_empty(), "{line:?}");
        // Nobody reads the results: all else is as before.
        let without_output = ran(workshop.command(line).stdout(closed()));
        assert_eq!(
            without_output.code, whole.code,
            "{line:?} {without_output:?}"
        );
        assert_eq!(without_output.error, whole.error, "{line:?}");
        // Nobody reads the words.
        let output = workshop.command(line).stderr(closed()).output().unwrap();
        assert_eq!(output.status.code(), whole.code, "{line:?}");
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            whole.output,
            "{line:?}"
        );
        // Nobody reads anything.
        let mut command = workshop.command(line);
        let status = command.stdout(closed()).stderr(closed()).status().unwrap();
        assert_eq!(status.code(), whole.code, "{line:?}");
    }
}

/// As people do it: the first line is enough.
#[test]
fn head_takes_the_first_line() {
    let bash = tool("bash");
    let workshop = workshop();
    for (line, on_output) in LINES.iter().filter(|(_, on_output)| *on_output) {
        let whole = workshop.run(line);
        let script = format!(
            "\"$0\" \"$@\" {} head -n 1; echo \"${{PIPESTATUS[0]}}\"",
            if *on_output { "|" } else { "2>&1 |" }
        );
        let program = workshop.command(line);
        let mut command = Command::new(&bash);
        command
            .args(["-c", &script])
            .arg(program.get_program())
            .args(program.get_args())
            .current_dir(program.get_current_dir().unwrap())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs(
                program
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            );
        let ran = ran(&mut command);
        let first = whole.output.lines().next().unwrap();
        let code = whole.code.unwrap();
        assert_eq!(ran.output, format!("{first}\n{code}\n"), "{line:?}");
        assert_eq!(ran.error, whole.error, "{line:?}");
    }
}

/// Neither colours nor the width of a window: what a script reads is the same wherever it runs.
#[test]
fn piped_output_is_plain_and_the_same_everywhere() {
    let workshop = workshop();
    for (line, _) in LINES {
        let before = workshop.run(line);
        assert!(!before.output.contains('\u{1b}'), "{line:?}");
        assert!(!before.error.contains('\u{1b}'), "{line:?}");
        let narrow = ran(workshop
            .command(line)
            // Prose keeps to the width that its reader asks for by this variable, as findings do.
            .env("COLUMNS", if line[0] == "explain" { "" } else { "40" })
            .env("TERM", "xterm-256color")
            .env("COLORTERM", "truecolor"));
        assert_eq!(narrow.output, before.output, "{line:?}");
        assert!(!narrow.error.contains('\u{1b}'), "{line:?}");
    }
}

/// A result that is lost is not a result.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    let workshop = workshop();
    for (line, _) in LINES.iter().filter(|(_, on_output)| *on_output) {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
        let ran = ran(workshop.command(line).stdout(full.unwrap()));
        assert_eq!(ran.code, Some(3), "{line:?} {ran:?}");
        let words = "error: standard output cannot be written: ";
        assert!(ran.error.contains(words), "{line:?} {ran:?}");
    }
}
