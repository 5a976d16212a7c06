//! Characters that a terminal obeys, or that nobody sees: a stranger's texts hold them, and no
//! output does.

use std::fs;

use ipwhl::foundation::diagnostic::MessageFormat;

use crate::support::history::History;
use crate::support::loopback_index::{Answer, Hosted, LoopbackIndex};
use crate::support::program::Program;
use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::workshop::pure;

/// All that is hostile in one text: a colour that hides text, the 8-bit form of a control sequence,
/// DEL, a line feed of C1, a bell; then directions, spaces without width, separators, tags,
/// selectors.
const HOSTILE: &str = "\u{1b}[8m\u{9b}2J\u{7f}\u{85}\u{7}\u{202e}\u{61c}\u{2066}\u{200b}\u{2028}\u{e0041}\u{fe0f}\u{3164}\u{ad}";

fn is_hidden(sign: char) -> bool {
    sign != '\n'
        && sign != '\t'
        && (sign.is_control() || HOSTILE.contains(sign) && !sign.is_ascii())
}

#[track_caller]
fn shows_nothing(program: &Program, arguments: &[&str]) {
    let run = program.run(arguments);
    for output in [&run.stdout, &run.stderr] {
        // A carriage return before a line feed moves nothing.
        let output = output.replace("\r\n", "\n");
        let hidden = output.find(is_hidden);
        let context = hidden.map(|at| {
            let from = output.floor_char_boundary(at.saturating_sub(80));
            output[from..].chars().take(120).collect::<String>()
        });
        assert_eq!(context, None, "{arguments:?}");
    }
}

/// Every command that shows the set, in every format.
fn all_of_it(program: &Program) {
    for format in MessageFormat::ALL {
        shows_nothing(program, &["check", "--message-format", format.as_str()]);
    }
    shows_nothing(program, &["check", "--wheels"]);
    shows_nothing(
        program,
        &["check", "--since", "main", "--message-format", "json"],
    );
    for format in ["text", "json", "markdown"] {
        shows_nothing(
            program,
            &[
                "diff",
                "main",
                "--members",
                "fetch",
                "-v",
                "--format",
                format,
            ],
        );
    }
    for arguments in [
        &["fmt", "--diff"][..],
        &["fmt", "--check"],
        &["check", "--waivers", "because"],
        &["list"],
        &["list", "--format", "json"],
        &["list", "--outdated"],
        &["show", "cherry"],
        &["show", "cherry", "--outdated", "--format", "json"],
        &["tree"],
        &["tree", "--format", "json"],
        &["tree", "--format", "dot"],
        &["tree", "--format", "mermaid"],
        &["why", "cherry"],
        &["why", "cherry", "--format", "json"],
        &["add", "cherry"],
        &["remove", "cherry", "--dry-run"],
        &["build", "--unsigned", "-v"],
        &["publish", "--dry-run"],
    ] {
        shows_nothing(program, arguments);
    }
}

/// What a person, or a script that takes names from elsewhere, writes on the command line.
#[test]
fn no_argument_reaches_a_terminal_as_it_stands() {
    let sign = HOSTILE;
    let repository = RepositoryBuilder::sound().build();
    History::begin(repository.path());
    let program = program(repository.path());
    for hostile in [
        format!("a{sign}b"),
        format!("path:{sign}"),
        format!("git:{sign}"),
    ] {
        for arguments in [
            &["show", &hostile][..],
            &["why", &hostile],
            &["explain", &hostile],
            &["diff", &hostile],
            &["add", &hostile],
            &["cid", &hostile],
            &["verify", &hostile],
            &["serve", &hostile],
            &["check", "--since", &hostile],
            &["build", "--previous", &hostile],
            &[&hostile],
        ] {
            shows_nothing(&program, arguments);
        }
    }
}

fn program(folder: &std::path::Path) -> Program {
    let path = |name: &str| std::env::var_os(name).unwrap_or_default();
    Program::new(folder)
        .variable("PATH", path("PATH"))
        .variable("GIT_CONFIG_GLOBAL", "/dev/null")
}

/// What stands in the files of a change.
#[test]
fn no_text_of_a_change_reaches_a_terminal_as_it_stands() {
    let sign = HOSTILE;
    let repository = RepositoryBuilder::sound().build();
    History::begin(repository.path());
    let program = program(repository.path());
    let escapes: Vec<String> = sign
        .chars()
        .map(|one| format!("\\U{:08x}", u32::from(one)))
        .collect();
    let toml = escapes.concat();
    let declaration = repository.read("declarations/cherry.toml");
    for (file, text) in [
        (
            "ipwhl.toml",
            repository
                .read("ipwhl.toml")
                .replace("example", &format!("ex{toml}ample")),
        ),
        (
            "declarations/cherry.toml",
            format!("# {sign}\n{declaration}\n# a {sign} comment\nunknown-{sign} = 1\n"),
        ),
        (
            "declarations/cherry.toml",
            format!("{declaration}\n\"{toml}\" = \"{sign}\"\n"),
        ),
        (
            "declarations/cherry.toml",
            declaration.replace(
                "requires-python = \"",
                &format!("requires-python = \"{toml}"),
            ),
        ),
        (
            "declarations/cherry.toml",
            declaration.replace("damson>=5", &format!("damson{toml}>=5")),
        ),
        (
            "declarations/cherry.toml",
            declaration.replace(
                "source = \"",
                &format!("source = \"https://example.org/{toml}/"),
            ),
        ),
        (
            "declarations/cherry.toml",
            declaration.replace(
                "source = \"",
                &format!("source = \"https://{toml}example.org/"),
            ),
        ),
        (
            "declarations/cherry.toml",
            declaration.replace("source = \"file:", &format!("source = \"file:{toml}/")),
        ),
        (
            "declarations/cherry.toml",
            declaration.replace("content-id = \"", &format!("content-id = \"{toml}")),
        ),
        (
            "declarations/cherry.toml",
            declaration.replace("extras = [", &format!("extras = [\"{toml}\", ")),
        ),
        (
            "declarations/cherry.toml",
            declaration.replace('\n', "\r\n"),
        ),
        (&format!("declarations/{sign}.toml"), declaration.clone()),
        (
            &format!("declarations/x{sign}/cherry.toml"),
            declaration.clone(),
        ),
    ] {
        let old = fs::read(repository.join(file)).ok();
        repository.write(file, &text);
        all_of_it(&program);
        match old {
            Some(old) => repository.write(file, old),
            None => repository.remove(file),
        }
    }
    let settings = repository.read("ipwhl.toml");
    for more in [
        format!("[index]\nurl = \"https://{toml}.example.org/\"\n"),
        format!("[mirrors]\ngateways = [\"http://127.0.0.1:1/{toml}\"]\n"),
        format!("[signing]\ntrusted = [\"ssh-ed25519 AAAA a{toml}b\"]\n"),
        format!("[publish.node]\nkind = \"{toml}\"\n"),
        format!("[publish.\"{toml}\"]\nkind = \"kubo\"\n"),
        format!("[publish.node]\nkind = \"directory\"\npath = \"{toml}\"\n"),
        format!("[publish.node]\nkind = \"git\"\nbranch = \"{toml}\"\n"),
        format!(
            "[[waiver]]\ncode = \"unneeded\"\nproject = \"cherry\"\nwheel = \"{toml}\"\nreason \
             = \"a{toml}b\"\nexpires = 2999-01-01\n"
        ),
        format!(
            "[[waiver]]\ncode = \"{toml}\"\nproject = \"{toml}\"\nreason = \"a{toml}b\"\nexpires = \
             2999-01-01\n"
        ),
    ] {
        repository.write("ipwhl.toml", format!("{settings}\n{more}"));
        all_of_it(&program);
    }
}

/// What stands in a wheel, and what its index says of it.
#[test]
fn no_text_of_a_wheel_or_a_server_reaches_a_terminal_as_it_stands() {
    let sign = HOSTILE;
    let index = LoopbackIndex::start();
    let wheel = pure("cherry", "0.3")
        .requires_python(&format!(">=3{sign}"))
        .requires(&format!("damson{sign}>=1"))
        .member(&format!("cherry/a{sign}b.py"), "")
        .member(&format!("{sign}.pth"), "")
        .member(
            "cherry-0.3.dist-info/entry_points.txt",
            format!("[console_scripts]\na{sign}b = a:b{sign}\n"),
        );
    let source = index.url("/cherry-0.3-py3-none-any.whl");
    let repository = RepositoryBuilder::new()
        .project(
            Project::wanted(wheel.clone())
                .set("source", &format!("{source:?}"))
                .unset("requires-python")
                .set("dependencies", "[]"),
        )
        .build();
    History::begin(repository.path());
    let program = program(repository.path()).index(&index.index_url());
    let path = "/cherry-0.3-py3-none-any.whl";
    index.put(path, &wheel.build());
    all_of_it(&program);
    let mut hosted = Hosted::new("cherry", "cherry-0.4-py3-none-any.whl", &wheel.build());
    hosted.requires_python = Some(format!(">=3{sign}"));
    hosted.yanked = Some(format!("bad {sign}"));
    index.host(hosted);
    for location in [
        format!("https://example.org/{sign}"),
        format!("{sign}://example.org"),
    ] {
        index.always(path, Answer::redirect(&location));
        shows_nothing(&program, &["check", "--sources"]);
        shows_nothing(&program, &["add", "cherry"]);
        shows_nothing(&program, &["list", "--outdated"]);
    }
}
