//! `ipwhl fmt`, and that the canonical form is faithful whatever the text.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;

use ipwhl::command::ExitStatus;
use ipwhl::set::declaration::{Layout, Unformatted, canonical, formatted};
use ipwhl::set::repository::{CanonicalForm, DeclarationFile, Repository};
use proptest::prelude::*;

use crate::declarations::{WORDS, shapes};
use crate::release_archive::environment;
use crate::support::program::Program;
use crate::support::repository_builder::{BuiltRepository, RepositoryBuilder};
use crate::support::strategies::{cases, hold, mutated};
use crate::support::tool;

/// Words of TOML that the other mutations seldom make.
const SIGNS: &[&str] = &[
    "# note\n",
    " # end\n",
    "\n\n",
    ",",
    "\n#\n",
    "[ # a\n",
    "# b\n]",
    "\n[other] # c\n",
    "\na.b = 1 # d\n",
    "{ x = [1, # e\n 2] }",
    "\n[[wheel]] # f\n",
    "\n[wheel.inner]\n",
    "# g\r\n",
    "\n#:schema x\n",
    "''",
    "\"\"\"\n# no comment\n\"\"\"",
    "\nextras.a = 1\n",
    "\n[[other]]\n# h\nx = 1\n",
    "\"dependencies\"",
    "\u{feff}",
    "{ # i\n}",
    "\n'wheel' = 3\n",
];

#[test]
fn files_and_their_canonical_forms_without_the_program() {
    let folder = RepositoryBuilder::sound().build();
    let environment = environment(folder.path());
    let repository = Repository::load(folder.path()).unwrap();
    let all = DeclarationFile::all(&repository);
    assert!(
        all.iter()
            .any(|file| &*file.name == "declarations/apple.toml")
    );
    let named = |paths: &[&str]| {
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        DeclarationFile::named(&environment, Some(&repository), &paths)
    };
    // A folder stands for what is below it, without hidden files and settings; each file once.
    folder.write("declarations/.hidden.toml", "");
    assert_eq!(
        named(&["declarations", "declarations/apple.toml", "."]),
        Ok(all)
    );
    assert!(
        named(&["ipwhl.toml"])
            .unwrap_err()
            .message
            .contains("is not a declaration")
    );
    assert!(
        named(&["wheels"])
            .unwrap_err()
            .message
            .contains("has no declarations")
    );

    let form = |text: &str| {
        folder.write("declarations/apple.toml", text);
        let file = named(&["declarations/apple.toml"]).unwrap().remove(0);
        (file.canonical_form(Layout::Package), file)
    };
    let (found, file) = form("size = 1\nsource = \"pkg:pypi/apple@1\"\n");
    let Ok(CanonicalForm::Differs { canonical, .. }) = found else {
        panic!("{found:?}");
    };
    file.write(&canonical).unwrap();
    assert!(matches!(
        file.canonical_form(Layout::Package),
        Ok(CanonicalForm::Same)
    ));
    assert!(matches!(form("=").0, Ok(CanonicalForm::Syntax { .. })));
    assert!(
        named(&["none.toml"]).unwrap()[0]
            .canonical_form(Layout::Package)
            .is_err()
    );
}

/// A directive above the first key that is written goes to the top, also where a table has a key that
/// is sorted before it.
#[test]
fn a_directive_goes_to_the_top_at_once() {
    let text = "zeta = 1\n# why\n#:schema x\nalpha = 2\n[wheel.inner]\nsource = \"y\"\n";
    let form = canonical(text).unwrap();
    assert!(form.starts_with("#:schema x\n\n# why\n"), "{form}");
    assert_eq!(canonical(&form), Some(form));
}

/// No text makes it panic, and none loses a comment or a value on the way to its canonical form,
/// which is its own.
#[test]
fn no_text_is_formatted_into_something_else() {
    let words: Vec<&str> = WORDS.iter().chain(SIGNS).copied().collect();
    let texts = prop_oneof![mutated(shapes(), SIGNS.to_vec()), mutated(shapes(), words)];
    let file: Arc<str> = Arc::from("declarations/plum.toml");
    let (done, refused) = (Cell::new(0), Cell::new(0));
    hold(20_000, texts, |text| {
        for layout in [Layout::Package, Layout::Ipwhl1] {
            match formatted(&file, &text, layout) {
                Ok(once) => {
                    done.set(done.get() + 1);
                    let twice = formatted(&file, &once, layout);
                    assert_eq!(twice.ok(), Some(once), "from {text:?}");
                }
                Err(Unformatted::Syntax(findings)) => {
                    refused.set(refused.get() + 1);
                    assert!(!findings.is_empty(), "{text:?}");
                }
                Err(Unformatted::Unfaithful(what)) => panic!("{what} of {text:?} in {layout:?}"),
            }
        }
    });
    let (done, refused, all) = (done.get(), refused.get(), cases(20_000));
    assert!(
        all < 10_000 || done > all / 5 && refused > all / 5,
        "{done} {refused}"
    );
}

/// Found by fuzzing: a line for editors above a key that becomes the first one.
#[test]
fn a_line_for_editors_above_a_later_key_is_of_the_file() {
    let text = "# why\n\nextras = []\n#:schema x\n# where\nsource = \"x\"\n";
    let once = canonical(text).unwrap();
    assert_eq!(
        once,
        "#:schema x\n# why\n\n# where\nsource = \"x\"\nextras = []\n"
    );
    assert_eq!(canonical(&once), Some(once));
}

const UNTIDY: &str = "\u{feff}# why it is here\r\n\r\ndependencies = [\"Zebra >= 2\", # \
                      striped\r\n  \"ant\"]\r\nextras = []\r\n\
    content-id = 'bafkreibwlz5j2cw3ilsb5kbsucqs4awejqdzujstnxxgrajf5ombj6lsoq' # the CID\r\n\
    source = \"file:wheels/yak-1.0-py3-none-any.whl\"\r\n";

const TIDY: &str = "# why it is here\n\nsource = \"file:wheels/yak-1.0-py3-none-any.whl\"\n\
    content-id = \"bafkreibwlz5j2cw3ilsb5kbsucqs4awejqdzujstnxxgrajf5ombj6lsoq\"  # the CID\nextras = []\n\
    dependencies = [\n    \"ant\",\n    \"zebra>=2\",  # striped\n]\n";

fn with_yak(text: &str) -> BuiltRepository {
    RepositoryBuilder::sound()
        .file("declarations/yak.toml", text)
        .build()
}

/// Five declarations, each as `fmt` writes it.
fn canonical_set() -> BuiltRepository {
    let repository = with_yak(UNTIDY);
    Program::new(repository.path())
        .run(&["fmt"])
        .expect(ExitStatus::Clean);
    repository
}

#[test]
fn what_is_not_canonical_is_named_shown_and_written() {
    let repository = canonical_set();
    assert_eq!(repository.read("declarations/yak.toml"), TIDY);
    let program = Program::new(repository.path());
    let run = program.run(&["fmt", "--check"]).expect(ExitStatus::Clean);
    assert_eq!(
        (run.stdout.as_str(), run.stderr.as_str()),
        ("", "5 declarations: all formatted\n")
    );
    repository.write("declarations/yak.toml", UNTIDY);
    let run = program
        .run(&["fmt", "--check"])
        .expect(ExitStatus::Findings);
    assert_eq!(run.stdout, "declarations/yak.toml\n");
    insta::assert_snapshot!("fmt-check", run.stderr);
    repository.write(
        "declarations/yak.toml",
        TIDY.replace("[\n    \"ant\",\n", "[\n    \"ant\",\n    \"Ant\",\n"),
    );
    let run = program.run(&["fmt", "--diff"]).expect(ExitStatus::Findings);
    insta::assert_snapshot!("fmt-diff", run.stdout);
    assert_ne!(repository.read("declarations/yak.toml"), TIDY);
    let run = program.run(&["fmt"]).expect(ExitStatus::Clean);
    assert_eq!(run.stderr, "formatted 1 of 5 declarations\n");
    assert_eq!(repository.read("declarations/yak.toml"), TIDY);
    // What `git apply` makes of the difference is what `fmt` writes, but for characters that are
    // escaped.
    repository.write(
        "declarations/yak.toml",
        UNTIDY.replace(['\r', '\u{feff}'], ""),
    );
    let patch = program.run(&["fmt", "--diff"]).stdout;
    repository.write("patch", patch);
    let git = tool("git");
    let applied = std::process::Command::new(git)
        .args(["apply", "patch"])
        .current_dir(repository.path())
        .status()
        .unwrap();
    assert!(applied.success());
    assert_eq!(repository.read("declarations/yak.toml"), TIDY);
}

/// A text that is wrong in what it says is still written well; one that is no TOML is a finding at
/// the character, and the others do not wait for it.
#[test]
fn what_has_findings_is_formatted_too() {
    let repository = canonical_set();
    repository.write(
        "declarations/yak.toml",
        "surplus = 1\ndependencies = [\"not a requirement at all\"]\nsource = \"nowhere\"\n",
    );
    repository.write("declarations/apple.toml", "source = \nextras = [] # kept\n");
    repository.write("declarations/banana.toml", b"# \xff\n");
    let run = Program::new(repository.path())
        .run(&["fmt"])
        .expect(ExitStatus::Findings);
    insta::assert_snapshot!("fmt-findings", run.stderr);
    assert_eq!(
        repository.read("declarations/yak.toml"),
        "source = \"nowhere\"\ndependencies = [\"not a requirement at all\"]\nsurplus = 1\n"
    );
    assert_eq!(
        repository.read("declarations/apple.toml"),
        "source = \nextras = [] # kept\n"
    );
}

#[test]
fn files_and_folders_are_taken_as_they_are_named() {
    let repository = canonical_set();
    let program = Program::new(repository.path());
    for file in ["declarations/yak.toml", "elsewhere.toml"] {
        repository.write(file, UNTIDY);
    }
    // Only the one that is named, of the repository or not.
    let run = program
        .run(&["fmt", "elsewhere.toml", "./elsewhere.toml"])
        .expect(ExitStatus::Clean);
    assert_eq!(run.stderr, "formatted 1 of 1 declaration\n");
    assert_eq!(repository.read("elsewhere.toml"), TIDY);
    assert_eq!(repository.read("declarations/yak.toml"), UNTIDY);
    let run = program.run(&["fmt", "--check", "declarations"]);
    assert_eq!(run.stdout, "declarations/yak.toml\n");
    // Without a repository around, a file is enough.
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("yak.toml"), UNTIDY).unwrap();
    let alone = Program::new(folder.path());
    alone.run(&["fmt", "yak.toml"]).expect(ExitStatus::Clean);
    let text = std::fs::read_to_string(folder.path().join("yak.toml")).unwrap();
    assert_eq!(text, TIDY);
    alone.run(&["fmt"]).expect(ExitStatus::World);
    // Settings are no declaration, and what is missing is said so; the others are still written.
    let settings = repository.read("ipwhl.toml");
    program
        .run(&["fmt", "ipwhl.toml"])
        .expect(ExitStatus::Usage);
    assert_eq!(repository.read("ipwhl.toml"), settings);
    let run = program
        .run(&["fmt", "absent.toml", "declarations/yak.toml"])
        .expect(ExitStatus::World);
    assert!(run.stderr.contains("absent.toml"), "{}", run.stderr);
    assert_eq!(repository.read("declarations/yak.toml"), TIDY);
    // How the declarations are laid out is said in the settings.
    repository.write("ipwhl.toml", settings.replace("format", "fromat"));
    program.run(&["fmt"]).expect(ExitStatus::Findings);
}

#[test]
#[cfg(unix)]
fn nothing_is_written_through_a_link_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let repository = canonical_set();
    let program = Program::new(repository.path());
    repository.write("outside.txt", UNTIDY);
    symlink(
        repository.join("outside.txt"),
        repository.join("declarations/linked.toml"),
    )
    .unwrap();
    program.run(&["fmt"]).expect(ExitStatus::Clean);
    let named = program.run(&["fmt", "declarations/linked.toml"]);
    named.expect(ExitStatus::World);
    assert_eq!(repository.read("outside.txt"), UNTIDY);
    assert!(repository.join("declarations/linked.toml").is_symlink());
    let yak = repository.join("declarations/yak.toml");
    repository.write("declarations/yak.toml", UNTIDY);
    std::fs::set_permissions(&yak, std::fs::Permissions::from_mode(0o640)).unwrap();
    program.run(&["fmt"]).expect(ExitStatus::Clean);
    assert_eq!(
        std::fs::metadata(&yak).unwrap().permissions().mode() & 0o777,
        0o640
    );
    let left = std::fs::read_dir(repository.join("declarations")).unwrap();
    let hidden = left
        .filter(|entry| {
            entry
                .as_ref()
                .unwrap()
                .file_name()
                .to_string_lossy()
                .starts_with('.')
        })
        .count();
    assert_eq!(hidden, 0);
}

/// In the layout of the original five keys get their order, and no text another spelling.
#[test]
fn the_original_layout_keeps_its_spelling() {
    let repository = RepositoryBuilder::new()
        .configuration_text("[repository]\nformat = 1\nname = \"old\"\nlayout = \"ipwhl-1\"\n")
        .file("SUPPORTED", "cp39 win_amd64\n")
        .file(
            "pkgs/48/Yak/yak-1.0-py3-none-any.toml",
            UNTIDY.replace("extras = []", "extras = ['Test_All']"),
        )
        .build();
    Program::new(repository.path())
        .run(&["fmt"])
        .expect(ExitStatus::Clean);
    insta::assert_snapshot!(
        "fmt-original",
        repository.read("pkgs/48/Yak/yak-1.0-py3-none-any.toml")
    );
}
