//! A session in a real terminal, by tmux: colours, width, progress that moves, Ctrl-C.

use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::bench::native;
use crate::support::loopback_index::{Answer, Hosted, LoopbackIndex};
use crate::support::repository_builder::{Project, RepositoryBuilder, Wheel};
use crate::support::tool;
use crate::support::wheel_builder::WheelBuilder;
use crate::support::workshop::Workshop;

/// How long something may take to appear before the test gives up: no bound on speed.
const PATIENCE: Duration = Duration::from_mins(1);

/// A shell in a window of a tmux server of its own.
struct Terminal {
    tmux: PathBuf,
    socket: PathBuf,
}

impl Terminal {
    /// A window of this size.
    fn open(workshop: &Workshop, columns: u16, lines: u16) -> Self {
        let terminal = Self {
            tmux: tool("tmux"),
            socket: workshop.path("terminal"),
        };
        let (columns, lines) = (columns.to_string(), lines.to_string());
        let program = std::path::Path::new(env!("CARGO_BIN_EXE_ipwhl"));
        let path = format!("PATH={}:/usr/bin:/bin", program.parent().unwrap().display());
        let home = format!("HOME={}", workshop.path("home").display());
        let cache = format!("IPWHL_CACHE_DIR={}", workshop.path("cache").display());
        std::fs::create_dir_all(workshop.path("home")).unwrap();
        let session = [
            &[
                "new-session",
                "-d",
                "-x",
                &columns,
                "-y",
                &lines,
                "env",
                "-i",
                &path,
            ][..],
            &[
                &home,
                &cache,
                "TERM=screen-256color",
                "LANG=C.UTF-8",
                "PS1=$ ",
            ],
            &["ENV=", "sh"],
        ];
        let output = terminal
            .command(&session.concat())
            .current_dir(workshop.repository())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        terminal.wait("$");
        terminal
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.tmux);
        command
            .arg("-S")
            .arg(&self.socket)
            .args(["-f", "/dev/null", "-u"])
            .args(arguments)
            .env_remove("TMUX");
        command
    }

    /// Presses keys, as tmux names them.
    fn press(&self, keys: &[&str]) {
        let output = self
            .command(&[&["send-keys"], keys].concat())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// Types a line.
    fn type_line(&self, line: &str) {
        self.press(&["-l", line]);
        self.press(&["Enter"]);
    }

    /// What stands in the window and above it; with the colours' escape sequences if wanted. Lines
    /// that the window has broken stay broken.
    fn screen(&self, with_colours: bool) -> String {
        let colours: &[&str] = if with_colours { &["-e"] } else { &[] };
        let output = self
            .command(&[&["capture-pane", "-p", "-S", "-"], colours].concat())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// The screen, once it shows this.
    #[track_caller]
    fn wait(&self, text: &str) -> String {
        self.wait_until(|screen| screen.contains(text))
    }

    #[track_caller]
    fn wait_until(&self, is_there: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen(false);
            if is_there(&screen) {
                return screen;
            }
            assert!(start.elapsed() < PATIENCE, "not to be seen:\n{screen}");
            sleep(Duration::from_millis(30));
        }
    }

    /// Runs a line in a window that is empty but for it.
    fn start(&self, line: &str) {
        // The end of an earlier run must not be taken for this one's.
        self.press(&["-R"]);
        assert!(self.command(&["clear-history"]).status().unwrap().success());
        // The line that clears is cleared with the rest.
        self.type_line(&format!(
            "printf '\\033[H\\033[2J\\033[3J'; {line}; echo \"end: $?\""
        ));
    }

    /// Runs a line and waits for its end; the screen, and the exit code.
    #[track_caller]
    fn run(&self, line: &str) -> (String, String) {
        self.start(line);
        self.end()
    }

    #[track_caller]
    fn end(&self) -> (String, String) {
        let ended = |screen: &str| screen.lines().any(|line| line.starts_with("end: "));
        let screen = self.wait_until(ended);
        let code = screen
            .lines()
            .find_map(|line| line.strip_prefix("end: "))
            .unwrap()
            .to_owned();
        (screen, code)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.command(&["kill-server"]).output();
    }
}

/// A requirement that the set does not satisfy, with a name that no line of 60 columns holds.
fn broken() -> RepositoryBuilder {
    RepositoryBuilder::sound().change("cherry", |cherry| {
        cherry.set("dependencies", "[\"damson>=6 ; extra == 'pit'\"]")
    })
}

#[test]
fn findings_are_coloured_on_a_terminal_and_fit_its_width() {
    let workshop = Workshop::with(&broken());
    let terminal = Terminal::open(&workshop, 60, 70);
    let (screen, code) = terminal.run("ipwhl check");
    assert_eq!(code, "1", "{screen}");
    let coloured = terminal.screen(true);
    // What tmux makes of bold and red.
    assert!(
        coloured.contains("\u{1b}[1m\u{1b}[91merror[unsatisfied-dependency]"),
        "{coloured}"
    );
    // The program broke its lines itself: where a terminal would have to, a word is cut.
    let joined = terminal
        .command(&["capture-pane", "-p", "-J", "-S", "-"])
        .output()
        .unwrap();
    let joined = String::from_utf8(joined.stdout).unwrap();
    let prose = joined.lines().filter(|line| !line.contains(" | "));
    for line in prose {
        let width = line.trim_end().chars().count();
        assert!(width <= 60, "{width} columns: {line}");
    }

    for quiet in ["NO_COLOR=1 ipwhl check", "ipwhl check --color never"] {
        let (_, code) = terminal.run(quiet);
        assert_eq!(code, "1");
        assert!(
            !terminal.screen(true).contains("\u{1b}["),
            "{}",
            terminal.screen(true)
        );
    }
    // What goes into a pipe has no colours either, unless they are asked for.
    let (screen, _) = terminal.run("ipwhl check 2>&1 | cat -v");
    assert!(!screen.contains("^["), "{screen}");
    let (screen, _) = terminal.run("ipwhl check --color always 2>&1 | cat -v");
    assert!(screen.contains("^[["), "{screen}");
}

/// Wheels on an index that is slow with the last of them.
fn slow() -> (LoopbackIndex, RepositoryBuilder, String, usize) {
    let index = LoopbackIndex::start();
    let mut repository = RepositoryBuilder::new();
    let (mut last, mut size) = (String::new(), 0);
    for name in ["elder", "fig", "grape"] {
        let wheel = WheelBuilder::new(name, "1.0");
        let file_name = wheel.file_name();
        let bytes = wheel.build();
        size = bytes.len();
        index.host(Hosted::new(name, &file_name, &bytes));
        let source = format!("pkg:pypi/{name}@1.0?file_name={file_name}");
        repository = repository.project(Project::wanted(Wheel::elsewhere(wheel, &source)));
        last = format!("/files/{file_name}");
    }
    (index, repository, last, size)
}

#[test]
fn progress_moves_and_leaves_one_line_and_an_interrupted_run_goes_on() {
    let (index, repository, last, size) = slow();
    let workshop = Workshop::with(&repository);
    let terminal = Terminal::open(&workshop, 80, 20);
    let command = format!("ipwhl check --wheels --index-url {}", index.index_url());
    // The head of an answer, and then nothing more.
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n");
    index.queue(&last, [Answer::Stall(head.into_bytes())]);
    terminal.start(&command);
    // What is waited for is named, after the count has moved.
    let is_moving = |line: &str| line.contains("2/3 verified") && line.contains("grape");
    let screen = terminal.wait_until(|screen| screen.lines().any(is_moving));
    let moving = screen.lines().find(|line| is_moving(line)).unwrap();
    assert!(moving.contains("KiB, "), "{screen}");
    assert!(moving.chars().count() <= 80, "{screen}");
    terminal.press(&["C-c"]);
    // What is typed before the shell is back stands before its prompt.
    terminal.wait_until(|screen| {
        let last = screen.lines().rfind(|line| !line.trim().is_empty());
        screen.contains("^C") && last.is_some_and(|line| line.trim_end() == "$")
    });
    terminal.type_line("echo \"end: $?\"");
    let (screen, code) = terminal.end();
    assert_eq!(code, "130", "{screen}");
    // The shell goes on, with a cursor, in a line of its own.
    terminal.type_line("echo still $((40 + 2))");
    let screen = terminal.wait("still 42");
    assert!(screen.lines().any(|line| line == "still 42"), "{screen}");
    let cursor = terminal
        .command(&["display-message", "-p", "#{cursor_flag}"])
        .output()
        .unwrap();
    assert_eq!(cursor.stdout, b"1\n");

    // What was verified is not fetched again, and of the moving line nothing is left.
    index.forget();
    let (screen, code) = terminal.run(&command);
    assert_eq!(code, "0", "{screen}");
    let files: Vec<String> = index.paths();
    assert!(
        files
            .iter()
            .all(|path| !path.contains("elder") && !path.contains("fig")),
        "{files:?}"
    );
    let lines: Vec<&str> = screen
        .lines()
        .filter(|line| line.contains("verified"))
        .collect();
    let [line] = lines.as_slice() else {
        panic!("{screen}");
    };
    assert!(
        line.starts_with("verified 1 wheel, fetched 1 file ("),
        "{screen}"
    );
    assert!(
        screen.contains("checked 3 projects, 3 wheels on"),
        "{screen}"
    );
}

/// A window that is too small for anything is no reason to fail.
#[test]
fn a_window_of_a_few_columns_is_no_error() {
    let workshop = Workshop::with(&broken());
    let terminal = Terminal::open(&workshop, 12, 70);
    let (screen, code) = terminal.run("ipwhl check");
    assert_eq!(code, "1", "{screen}");
    let (screen, code) = terminal.run("ipwhl --help");
    assert_eq!(code, "0", "{screen}");
}

/// What is piped is not read in the window that it was asked for in.
#[test]
fn help_fits_the_window_and_is_as_wide_as_ever_in_a_pipe() {
    let workshop = Workshop::with(&RepositoryBuilder::new());
    let terminal = Terminal::open(&workshop, 60, 200);
    let longest = |text: &str| text.lines().map(|line| line.chars().count()).max();
    let (screen, code) = terminal.run("ipwhl build --help | cat >piped; ipwhl build --help");
    assert_eq!(code, "0", "{screen}");
    assert!(longest(&screen) <= Some(60), "{screen}");
    // No line was broken by the window.
    assert!(screen.contains("Example: ipwhl build"), "{screen}");
    let piped = std::fs::read_to_string(workshop.repository().join("piped")).unwrap();
    assert!(longest(&piped) > Some(80), "{piped}");
    assert!(!piped.contains('\u{1b}'), "{piped}");
    assert_eq!(piped, workshop.run(&["build", "--help"]).output);
}

/// A repository of fig, which stays behind for a long reason, and an index.
fn behind() -> (LoopbackIndex, RepositoryBuilder) {
    let index = LoopbackIndex::start();
    let host = |wheel: &WheelBuilder, project: &str| {
        index.host(Hosted::new(project, &wheel.file_name(), &wheel.build()));
    };
    let long = format!("fig-{}", "of-a-very-long-name-".repeat(2) + "indeed");
    let requirer = WheelBuilder::new(&long, "1.0").requires("fig<2,!=1.1,!=1.2,!=1.3,!=1.4");
    let fig = WheelBuilder::new("fig", "1.0");
    host(&requirer, &long);
    host(&fig, "fig");
    let place = |wheel: &WheelBuilder, project: &str| {
        format!("pkg:pypi/{project}@1.0?file_name={}", wheel.file_name())
    };
    let mut repository = RepositoryBuilder::new();
    for (wheel, project) in [(requirer, long.as_str()), (fig, "fig")] {
        let source = place(&wheel, project);
        repository = repository.project(Project::wanted(Wheel::elsewhere(wheel, &source)));
    }
    for version in ["1.0.1", "3.0"] {
        host(&WheelBuilder::new("fig", version), "fig");
    }
    (index, repository)
}

/// The search shows what it has asked for, and the table of an update fits the window.
#[test]
fn an_update_shows_its_search_and_fits_the_window() {
    let (index, repository) = behind();
    let workshop = Workshop::with(&repository);
    let terminal = Terminal::open(&workshop, 80, 40);
    let url = index.index_url();
    index.queue(
        "/simple/fig/",
        [Answer::Stall(b"HTTP/1.1 200 OK\r\n".to_vec())],
    );
    terminal.start(&format!("ipwhl update -n --index-url {url}"));
    terminal.wait_until(|screen| screen.contains("answers of the index"));
    drop(terminal);
    // It may have ended before it asked.
    index.forget_queued();

    let terminal = Terminal::open(&workshop, 80, 40);
    let (screen, code) = terminal.run(&format!("ipwhl update --dry-run --index-url {url}"));
    assert_eq!(code, "0", "{screen}");
    assert!(screen.contains("  fig  1.0 -> 1.0.1"), "{screen}");
    assert!(!screen.contains("answers of the index"), "{screen}");
    let (_, reason) = screen.split_once("not 3.0:").unwrap();
    // The second line of the reason stands below the first.
    let lines: Vec<&str> = reason.lines().take(2).collect();
    assert!(lines[1].starts_with("       "), "{screen}");
    assert!(lines[1].trim_start().starts_with("requires"), "{screen}");
}

/// A name that is nearly that of a declared project is asked about.
#[test]
fn a_slip_of_the_keyboard_is_asked_about() {
    let (index, repository) = behind();
    let wheel = WheelBuilder::new("cherri", "1.0");
    index.host(Hosted::new("cherri", &wheel.file_name(), &wheel.build()));
    let cherry = WheelBuilder::new("cherry", "1.0");
    let source = format!("pkg:pypi/cherry@1.0?file_name={}", cherry.file_name());
    let repository = repository.project(Project::wanted(Wheel::elsewhere(cherry, &source)));
    let workshop = Workshop::with(&repository);
    let terminal = Terminal::open(&workshop, 80, 40);
    let add = format!("ipwhl add cherri --index-url {}", index.index_url());
    let question = "`cherri` is new, and the set has `cherry`. Do you mean `cherri`? [y/N]";
    let declared = workshop.repository().join("declarations/cherri.toml");
    for (answer, expected) in [("n", "2"), ("", "2"), ("y", "0")] {
        terminal.start(&add);
        terminal.wait(question);
        assert!(!declared.exists());
        terminal.type_line(answer);
        let (screen, code) = terminal.end();
        assert_eq!(code, expected, "{screen}");
    }
    assert!(declared.exists());
}

/// A project without wheels for some platforms is offered on the others, after a question for each
/// such project.
#[test]
fn offering_a_project_on_some_platforms_only_is_asked_about() {
    let index = LoopbackIndex::start();
    for (name, tag) in [
        ("uvloop", "py3-none-manylinux_2_17_x86_64"),
        ("pywin32", "py3-none-win_amd64"),
    ] {
        let wheel = native(name, "1.0", tag);
        index.host(Hosted::new(name, &wheel.file_name(), &wheel.build()));
    }
    let platforms = ["manylinux_2_28_x86_64", "win_amd64"];
    let repository = RepositoryBuilder::new().platforms(&["cp312"], &platforms);
    let workshop = Workshop::with(&repository.format_2());
    let terminal = Terminal::open(&workshop, 80, 40);
    let add = format!("ipwhl add uvloop pywin32 --index-url {}", index.index_url());
    let declared = |name: &str| {
        workshop
            .repository()
            .join(format!("declarations/{name}.toml"))
    };
    for (second, expected) in [("n", "1"), ("y", "0")] {
        terminal.start(&add);
        // The window breaks the line.
        let screen = terminal.wait("[y/N]").replace('\n', " ");
        assert!(
            screen.contains("lacks wheels for some platforms. Offer it only where `sys_platform "),
            "{screen}"
        );
        terminal.type_line("y");
        terminal.wait_until(|screen| screen.matches("[y/N]").count() == 2);
        assert!(!declared("uvloop").exists() && !declared("pywin32").exists());
        terminal.type_line(second);
        let (screen, code) = terminal.end();
        assert_eq!(code, expected, "{screen}");
    }
    let text = |name: &str| std::fs::read_to_string(declared(name)).unwrap();
    assert!(text("uvloop").contains("only = 'sys_platform != \"win32\"'"));
    assert!(text("pywin32").contains("only = 'sys_platform == \"win32\"'"));
}
