//! `ipwhl completions`: scripts that shells take, and what bash really completes with one.

use std::process::Command;

use ipwhl::command::{ExitStatus, definition};

use crate::support::program::Program;
use crate::support::tool;
use crate::support::workshop::{Ran, feed};

fn script(shell: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let run = Program::new(folder.path()).run(&["completions", shell]);
    let run = run.expect(ExitStatus::Clean);
    assert_eq!(run.stderr, "");
    run.stdout
}

/// The names of the commands, without `help`.
fn commands() -> Vec<String> {
    let definition = definition();
    let commands = definition.get_subcommands();
    commands.map(|one| one.get_name().to_owned()).collect()
}

#[test]
fn every_shell_completes_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = script(shell);
        for command in commands() {
            let is_there = script
                .split(|character: char| !character.is_alphanumeric() && character != '-')
                .any(|word| word == command);
            assert!(is_there, "{shell}: {command}");
        }
        assert!(script.contains("message-format"), "{shell}");
    }
}

/// What bash completes after these words, the last of them begun.
fn completed(bash: &std::path::Path, words: &[&str]) -> Vec<String> {
    let place = words.len() - 1;
    let current = words[place];
    let previous = words[place - 1];
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let ask = format!(
        "{}\nCOMP_WORDS=({})\nCOMP_CWORD={place}\n\
         function=$(complete -p ipwhl | sed 's/.* -F \\([^ ]*\\) .*/\\1/')\n\
         \"$function\" ipwhl '{current}' '{previous}'\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
        script("bash"),
        quoted.join(" "),
    );
    let mut command = Command::new(bash);
    command.args(["--norc", "--noprofile", "-u"]);
    let ran = Ran::of(&feed(&mut command, ask.as_bytes()));
    assert_eq!((ran.code, ran.error.as_str()), (Some(0), ""), "{words:?}");
    let mut words: Vec<String> = ran.output.lines().map(ToOwned::to_owned).collect();
    words.sort();
    words
}

#[test]
fn bash_takes_the_script_and_completes() {
    let bash = tool("bash");
    let mut check = Command::new(&bash);
    check.arg("-n");
    let ran = Ran::of(&feed(&mut check, script("bash").as_bytes()));
    assert_eq!((ran.code, ran.error.as_str()), (Some(0), ""));
    assert_eq!(completed(&bash, &["ipwhl", "che"]), ["check"]);
    let all = completed(&bash, &["ipwhl", ""]);
    for command in commands() {
        assert!(all.contains(&command), "{command}: {all:?}");
    }
    assert_eq!(completed(&bash, &["ipwhl", "key", "s"]), ["show"]);
    assert_eq!(completed(&bash, &["ipwhl", "check", "--wh"]), ["--wheels"]);
    let formats = completed(&bash, &["ipwhl", "check", "--message-format", ""]);
    assert!(formats.contains(&"json".to_owned()), "{formats:?}");
    let profiles = completed(&bash, &["ipwhl", "build", "--profile", "k"]);
    assert_eq!(profiles, ["kubo-cidv1"]);
    let shells = completed(&bash, &["ipwhl", "completions", "f"]);
    assert_eq!(shells, ["fish"]);
}
