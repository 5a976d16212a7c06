//! docs/tutorial.md, typed line by line: the real program, a real git, the real pip, and an index
//! on the loopback address that has what the page asks for.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::loopback_index::{Hosted, LoopbackIndex};
use crate::support::tool;
use crate::support::wheel_builder::WheelBuilder;
use crate::support::workshop::{Ending, Ran};

/// One line that is typed, and how it has to end.
struct Typed {
    line: String,
    code: i32,
    /// It goes on while the next lines are typed.
    stays: bool,
}

/// The lines after `$` in the console blocks of a page, each with what the comment above its block
/// says of the last one.
fn typed(page: &str) -> Vec<Typed> {
    let mut lines = Vec::new();
    let (mut inside, mut note) = (false, "");
    for line in page.lines() {
        match line {
            "```console" => inside = true,
            "```" if inside => {
                inside = false;
                if let Some(last) = lines.last_mut() {
                    let last: &mut Typed = last;
                    last.code = i32::from(note == "<!-- exit code 1 -->");
                    last.stays = note == "<!-- stays -->";
                }
                note = "";
            }
            _ if inside => lines.extend(line.strip_prefix("$ ").map(|line| Typed {
                line: line.to_owned(),
                code: 0,
                stays: false,
            })),
            _ if line.starts_with("<!--") => note = line,
            _ => {}
        }
    }
    lines
}

/// The projects that the page names, as small as they can be and still need each other.
fn index() -> LoopbackIndex {
    let wheels = [
        (
            "flask",
            &["jinja2>=3.1.2", "click>=8.1.3", "werkzeug>=3.1"][..],
        ),
        ("jinja2", &["markupsafe>=2"]),
        ("markupsafe", &[]),
        ("click", &["colorama; platform_system == 'Windows'"]),
        ("colorama", &[]),
        ("werkzeug", &["markupsafe>=2.1.1"]),
    ];
    let index = LoopbackIndex::start();
    for (name, requirements) in wheels {
        let version = if name == "click" { "8.1.8" } else { "3.1.6" };
        let wheel = requirements.iter().fold(
            WheelBuilder::new(name, version)
                .requires_python(">=3.8")
                .member(&format!("{name}.py"), format!("name = {name:?}\n")),
            |wheel, requirement| wheel.requires(requirement),
        );
        index.host(Hosted::new(name, &wheel.file_name(), &wheel.build()));
    }
    index
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn every_line_of_the_tutorial_does_what_it_says() {
    let (python, _git) = (tool("python3"), tool("git"));
    let page = include_str!("../../docs/tutorial.md");
    let lines = typed(page);
    assert!(lines.len() > 25, "{}", lines.len());
    let folder = tempfile::tempdir().unwrap();
    let index = index();
    let port = free_port();
    let mut current = folder.path().to_path_buf();
    let mut serving: Vec<Ending> = Vec::new();
    let mut said = String::new();
    for Typed { line, code, stays } in lines {
        let line = line.replace("8503", &port.to_string()).replace(
            "ipwhl serve",
            &format!("exec ipwhl serve --listen 127.0.0.1:{port}"),
        );
        if let Some(to) = line.strip_prefix("cd ") {
            current.push(to);
            assert!(current.is_dir(), "{line}");
            continue;
        }
        let mut command = shell(
            &current,
            folder.path(),
            &python,
            &index,
            line.trim_end_matches(" &"),
        );
        if stays {
            serving.push(Ending(command.stdout(Stdio::null()).spawn().unwrap()));
            wait_for(port);
            continue;
        }
        let ran = Ran::of(&command.output().unwrap());
        assert_eq!(
            ran.code,
            Some(code),
            "$ {line}\n{}{}",
            ran.output,
            ran.error
        );
        said += &format!("$ {line}\n{}{}", ran.output, ran.error);
    }
    assert_eq!(serving.len(), 1);
    // What the page says of these lines, they say.
    for words in [
        "added flask 3.1.6",
        "added markupsafe 3.1.6, jinja2 needs >=2, werkzeug needs >=2.1.1 (1 wheel, automatic)",
        "6 projects, 6 wheels (6 verified earlier) on 12 platforms: no findings",
        "`jinja2` requires `jinja2>=99`",
        "signed release.toml: sequence 1",
        "signed release.toml: sequence 2",
        "Successfully installed",
    ] {
        let words = words.replace("`jinja2` requires `jinja2>=99`", "requires `jinja2>=99`");
        assert!(said.contains(&words), "no `{words}` in\n{said}");
    }
}

fn shell(
    current: &Path,
    folder: &Path,
    python: &Path,
    index: &LoopbackIndex,
    line: &str,
) -> Command {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_ipwhl"));
    let python = which(python);
    let path = format!(
        "{}:{}:{}",
        program.parent().unwrap().display(),
        python.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let mut command = Command::new("sh");
    command
        .args(["-c", line])
        .current_dir(current)
        .env_clear()
        .env("PATH", path)
        .env("HOME", folder.join("home"))
        .env("IPWHL_CACHE_DIR", folder.join("cache"))
        .env("IPWHL_INDEX_URL", index.index_url())
        .env("LANG", "C.UTF-8")
        .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
        .env("PIP_CONFIG_FILE", "/dev/null")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "Example")))
        .envs(
            ["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "someone@example.org")),
        )
        .stdin(Stdio::null());
    command
}

/// Where a program of `PATH` is.
fn which(program: &Path) -> PathBuf {
    if program.components().count() > 1 {
        return program.to_path_buf();
    }
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        .unwrap()
}

fn wait_for(port: u16) {
    for _ in 0..600 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("nobody listens");
}
