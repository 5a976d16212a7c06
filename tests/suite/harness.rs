//! The suite's own harness: the command line and the output of libtest, and a count of the tests
//! that skipped themselves, with their reasons.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, resume_unwind};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Mutex;

use libtest_mimic::{Arguments, Completion, Failed, FormatSetting, Trial};

use crate::support::workshop::files;

/// A test, as `#[test]` registers it.
pub struct Test {
    module: &'static str,
    name: &'static str,
    function: fn(),
}

inventory::collect!(Test);

impl Test {
    pub const fn new(module: &'static str, name: &'static str, function: fn()) -> Self {
        Self {
            module,
            name,
            function,
        }
    }

    /// The path without the crate's name, as libtest has it.
    fn path(&self) -> String {
        match self.module.split_once("::") {
            Some((_, module)) => format!("{module}::{}", self.name),
            None => self.name.to_owned(),
        }
    }
}

/// What unwinds a test that cannot run on this machine: the reason.
struct Skip(String);

/// The tests that skipped themselves, by their reason.
static SKIPPED: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

thread_local! {
    /// What the test that runs on this thread said in its panics.
    static PANICS: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The paths of all tests.
pub fn paths() -> impl Iterator<Item = String> {
    inventory::iter::<Test>().map(Test::path)
}

/// Ends the test that calls it, as skipped. Under `CI` every test has to run, so there it fails.
///
/// The reason says what is missing and how to get it; equal ones are counted together. Call it on
/// the test's own thread.
#[track_caller]
pub fn skip(reason: &str) -> ! {
    assert!(
        std::env::var_os("CI").is_none_or(|value| value.is_empty()),
        "{reason}; under CI no test may be skipped"
    );
    resume_unwind(Box::new(Skip(reason.to_owned())))
}

/// Runs the tests that the command line asks for.
pub fn main() -> ExitCode {
    // libtest has two spellings of it, and the library knows the older one.
    let words = std::env::args().map(|word| word.replace("--no-capture", "--nocapture"));
    let mut arguments = Arguments::from_iter(words);
    let threads = std::env::var("RUST_TEST_THREADS").ok();
    let threads = threads.and_then(|number| number.parse().ok());
    arguments.test_threads = arguments.test_threads.or(threads);
    if !arguments.nocapture {
        keep_panics();
    }
    let mut tests: Vec<&Test> = inventory::iter::<Test>().collect();
    tests.sort_by_key(|test| test.path());
    let trials = tests.into_iter().map(trial).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !arguments.list && arguments.format != Some(FormatSetting::Json) {
        let ran = conclusion.num_passed + conclusion.num_failed;
        print_summary(ran, conclusion.num_failed);
    }
    conclusion.exit_code()
}

fn trial(test: &'static Test) -> Trial {
    Trial::ignorable_test(test.path(), || {
        PANICS.set(Some(String::new()));
        let outcome = catch_unwind(AssertUnwindSafe(test.function));
        let said = PANICS.take().unwrap_or_default();
        let Err(payload) = outcome else {
            return Ok(Completion::Completed);
        };
        match payload.downcast::<Skip>() {
            Ok(skip) => {
                *SKIPPED.lock().unwrap().entry(skip.0.clone()).or_default() += 1;
                Ok(Completion::ignored_with(skip.0))
            }
            Err(_) => Err(Failed::from(said.trim_end())),
        }
    })
}

/// Keeps what panics of tests say for the end, where it stands under the test's name. Panics on
/// threads that a test started are shown at once.
fn keep_panics() {
    let show = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic: &PanicHookInfo| {
        let is_kept = PANICS.with_borrow_mut(|said| {
            if let Some(said) = said {
                *said += &format!("{panic}\n");
                let backtrace = std::backtrace::Backtrace::capture();
                if backtrace.status() == std::backtrace::BacktraceStatus::Captured {
                    *said += &format!("{backtrace}\n");
                }
            }
            said.is_some()
        });
        if !is_kept {
            show(panic);
        }
    }));
}

#[expect(clippy::print_stdout, reason = "the end of a run's output")]
fn print_summary(ran: u64, failed: u64) {
    let skipped = SKIPPED.lock().unwrap();
    let mut reasons: Vec<(&String, &usize)> = skipped.iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    if !reasons.is_empty() {
        println!("skipped:");
    }
    for (reason, count) in reasons {
        println!("{count:>5}  {reason}");
    }
    let failed = match failed {
        0 => String::new(),
        failed => format!(" ({failed} failed)"),
    };
    let tests = if ran == 1 { "test" } else { "tests" };
    println!(
        "{ran} {tests} run{failed}, {} skipped",
        skipped.values().sum::<usize>()
    );
}

/// A module that `main.rs` does not name would lose its tests without a word.
#[cfg(target_os = "linux")]
#[test]
fn every_test_of_the_files_is_in_the_list() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite");
    let written: usize = files(&folder)
        .into_iter()
        .filter(|(name, _)| Path::new(name).extension().is_some_and(|end| end == "rs"))
        .map(|(_, bytes)| {
            let text = String::from_utf8(bytes).unwrap();
            text.lines().filter(|line| line.trim() == "#[test]").count()
        })
        .sum();
    assert_eq!(inventory::iter::<Test>().count(), written);
}

#[test]
fn a_test_without_its_tool_is_skipped_and_under_ci_it_fails() {
    let empty = tempfile::tempdir().unwrap();
    let run = |variables: &[(&str, &str)]| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "man_command::the_page_of_the_program_goes_to_standard_output",
            ])
            .env_clear()
            .env("PATH", empty.path())
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let reason = "`groff` is not on PATH: install it, or set IPWHL_TEST_GROFF to what `ci/tool groff` prints";
    // Without a value it is not set.
    let (code, output) = run(&[("CI", "")]);
    assert_eq!(code, Some(0), "{output}");
    assert!(
        output.contains(&format!(" ... ignored ({reason})\n")),
        "{output}"
    );
    assert!(
        output.contains("test result: ok. 0 passed; 0 failed; 1 ignored;"),
        "{output}"
    );
    let end = format!("\nskipped:\n    1  {reason}\n0 tests run, 1 skipped\n");
    assert!(output.ends_with(&end), "{output}");
    let (code, output) = run(&[("CI", "true")]);
    assert_eq!(code, Some(101), "{output}");
    assert!(
        output.contains(&format!("{reason}; under CI no test may be skipped")),
        "{output}"
    );
    assert!(
        output.ends_with("\n1 test run (1 failed), 0 skipped\n"),
        "{output}"
    );
}
