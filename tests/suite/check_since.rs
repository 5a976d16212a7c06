//! `ipwhl check --since REV`: what a change brings, apart from what was there before, by a real
//! git.

use std::fs;

use ipwhl::command::ExitStatus;
use ipwhl::foundation::diagnostic::MessageFormat;

use crate::support::history::History;
use crate::support::loopback_index::{Hosted, LoopbackIndex};
use crate::support::program::{Program, Run};
use crate::support::repository_builder::{BuiltRepository, Project, RepositoryBuilder, Wheel};
use crate::support::wheel_builder::WheelBuilder;

/// The program with the variables by which git is found and works.
fn program(repository: &BuiltRepository) -> Program {
    let path = |name: &str| std::env::var_os(name).unwrap_or_default();
    Program::new(repository.path())
        .variable("PATH", path("PATH"))
        .variable("GIT_CONFIG_GLOBAL", "/dev/null")
}

/// Takes a part of a file out for another.
fn edit(repository: &BuiltRepository, file: &str, from: &str, to: &str) {
    let text = fs::read_to_string(repository.join(file)).unwrap();
    assert!(text.contains(from), "{text}");
    repository.write(file, text.replace(from, to));
}

/// The baseline and the code of each finding, in their order.
fn told(run: &Run) -> Vec<String> {
    run.findings()
        .iter()
        .map(|finding| {
            let word = |key: &str| finding[key].as_str().unwrap().to_owned();
            format!("{} {}", word("baseline"), word("code"))
        })
        .collect()
}

/// What the last line on standard output counts: errors, warnings, new and unchanged ones.
fn counts(run: &Run) -> [serde_json::Value; 4] {
    let last = run.stdout.lines().last().unwrap();
    let summary: serde_json::Value = serde_json::from_str(last).unwrap();
    assert_eq!(summary["type"], "summary");
    ["errors", "warnings", "new", "unchanged"].map(|key| summary[key].clone())
}

fn last_line(run: &Run) -> &str {
    run.stderr.lines().last().unwrap()
}

const JSON: [&str; 3] = ["check", "--message-format", "json"];

fn since(program: &Program, revision: &str) -> Run {
    program.run(&[&JSON[..], &["--since", revision]].concat())
}

#[test]
fn what_was_broken_before_does_not_fail_a_change_and_what_it_breaks_does() {
    // `cherry[pit]` wants a damson that is missing.
    let repository = RepositoryBuilder::sound()
        .change("cherry", |cherry| {
            cherry.set("dependencies", "[\"damson>=6 ; extra == 'pit'\"]")
        })
        .build();
    let history = History::begin(repository.path());
    let start = history.run(&["rev-parse", "HEAD"]);
    let program = program(&repository);
    program.run(&["check"]).expect(ExitStatus::Findings);

    // Nothing has changed.
    let run = since(&program, "main").expect(ExitStatus::Clean);
    assert_eq!(told(&run), ["unchanged unsatisfied-dependency"]);
    assert_eq!(counts(&run), [1, 0, 0, 1]);
    let short = &start[..12];
    assert_eq!(
        last_line(&run),
        format!(
            "since {short}: 0 wheels of changed declarations, 0 new findings, 1 from before, 0 gone"
        )
    );

    // Another finding comes, and the first one moves a line down and stays the same.
    edit(
        &repository,
        "declarations/apple.toml",
        "banana>=2",
        "banana>=3",
    );
    edit(
        &repository,
        "declarations/cherry.toml",
        "source =",
        "# why\nsource =",
    );
    let run = since(&program, "main").expect(ExitStatus::Findings);
    // The wheel says `banana>=2`: what is declared and is not in it, and the other way round.
    assert_eq!(
        told(&run),
        [
            "new dependencies-mismatch",
            "new dependencies-mismatch",
            "new unsatisfied-dependency",
            "unchanged unsatisfied-dependency"
        ]
    );
    assert_eq!(counts(&run), [4, 0, 3, 1]);
    let warnings = program.run(&["check", "--since", "main", "--deny", "warnings"]);
    assert_eq!(warnings.status, ExitStatus::Findings);

    // The first one is mended, and with it goes.
    edit(
        &repository,
        "declarations/apple.toml",
        "banana>=3",
        "banana>=2",
    );
    edit(
        &repository,
        "declarations/cherry.toml",
        "damson>=6",
        "damson>=5",
    );
    let run = since(&program, "main").expect(ExitStatus::Findings);
    // The wheel says `damson>=5,<6`, which was left out before, too.
    assert_eq!(
        told(&run),
        [
            "new dependencies-mismatch",
            "unchanged dependencies-mismatch"
        ]
    );
    assert!(
        last_line(&run).ends_with("1 new finding, 1 from before, 2 gone"),
        "{run:?}"
    );
}

#[test]
fn more_platforms_make_a_finding_a_new_one() {
    let only_linux = "\n[[waiver]]\ncode = \"unavailable-dependency\"\nproject = \"apple\"\n\
        platforms = [\"win_amd64\"]\nreason = \"not on Windows\"\nexpires = 2027-03-01\n";
    let repository = RepositoryBuilder::sound()
        .change("banana", |banana| {
            banana.without_wheel("cp313").without_wheel("abi3")
        })
        .configuration(only_linux)
        .build();
    let _history = History::begin(repository.path());
    let text = fs::read_to_string(repository.join("ipwhl.toml")).unwrap();
    repository.write("ipwhl.toml", text.replace(only_linux, ""));
    let run = since(&program(&repository), "HEAD").expect(ExitStatus::Findings);
    assert_eq!(told(&run), ["new unavailable-dependency"]);
    let notes = run.findings()[0]["notes"].to_string();
    assert!(notes.contains("it already existed on cp313 on "), "{notes}");
}

/// Only what is changed is fetched: every listed source of it, and nothing else.
#[test]
fn wheels_of_changed_declarations_are_looked_at_and_no_others() {
    let repository = RepositoryBuilder::sound().build();
    // Broken bytes of a wheel whose declaration does not change are not seen …
    let wheels = repository.join("wheels");
    let banana = fs::read_dir(&wheels)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_str().unwrap().contains("banana"))
        .unwrap();
    fs::write(&banana, b"no wheel").unwrap();
    let _history = History::begin(repository.path());
    edit(
        &repository,
        "declarations/damson.toml",
        "source = ",
        "# why\nsource = ",
    );
    let program = program(&repository);
    let run = since(&program, "HEAD").expect(ExitStatus::Clean);
    assert!(
        last_line(&run).contains(": 0 wheels of"),
        "a comment changes nothing: {run:?}"
    );
    assert_eq!(counts(&run), [0, 0, 0, 0]);

    // … and of one that does, each source is: the second one here is nowhere.
    let text = fs::read_to_string(repository.join("declarations/damson.toml")).unwrap();
    let source = text
        .lines()
        .find(|line| line.starts_with("source"))
        .unwrap();
    let first = source.split('"').nth(1).unwrap();
    let both = format!("source = [\"{first}\", \"file:elsewhere/damson-5.0.1-py3-none-any.whl\"]");
    repository.write("declarations/damson.toml", text.replace(source, &both));
    let run = since(&program, "HEAD").expect(ExitStatus::Findings);
    assert_eq!(told(&run), ["new missing-source"]);
    assert!(last_line(&run).contains(": 1 wheel of"), "{run:?}");
    // Without the network's help, the cache knows the wheel now.
    let offline = [&JSON[..], &["--since", "HEAD", "--offline"]].concat();
    program.run(&offline).expect(ExitStatus::Clean);
    // With `--wheels` the broken one is seen, as something that was there before.
    let all = [&JSON[..], &["--since", "HEAD", "--wheels"]].concat();
    let run = program.run(&all).expect(ExitStatus::Findings);
    assert_eq!(
        told(&run),
        ["new missing-source", "unchanged size-mismatch"]
    );
}

/// A wheel in the repository is a part of it, whatever its declaration says.
#[test]
fn a_wheel_of_the_repository_that_is_another_one_is_looked_at() {
    let repository = RepositoryBuilder::sound().build();
    let _history = History::begin(repository.path());
    let program = program(&repository);
    let banana = fs::read_dir(repository.join("wheels"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_str().unwrap().contains("banana"))
        .unwrap();
    fs::write(&banana, b"no wheel").unwrap();
    let run = since(&program, "HEAD").expect(ExitStatus::Findings);
    assert_eq!(told(&run), ["new size-mismatch"]);
    assert!(last_line(&run).contains(": 3 wheels of"), "{run:?}");
    fs::remove_file(&banana).unwrap();
    let run = since(&program, "HEAD").expect(ExitStatus::Findings);
    assert_eq!(told(&run), ["new missing-source"]);
}

/// A forge shows what git has, and a checkout may have another text by these.
#[test]
fn attributes_that_hide_a_text_from_reviewers_are_named() {
    let repository = RepositoryBuilder::sound().build();
    let history = History::begin(repository.path());
    let program = program(&repository);
    let said = |attributes: &str| {
        repository.write(".gitattributes", attributes);
        history.run(&["add", ".gitattributes"]);
        let run = since(&program, "HEAD").expect(ExitStatus::Clean);
        let lines = run.stderr.lines();
        let warnings = lines.filter_map(|line| line.strip_prefix("warning: reviewers may see "));
        warnings.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(said("*.toml text eol=lf\n*.png -diff\n"), [""; 0]);
    let words = |files: &str, attribute: &str| {
        format!("a different text of {files}, or none: `{attribute}` in `.gitattributes`")
    };
    assert_eq!(
        said(
            "declarations/apple.toml working-tree-encoding=UTF-16LE\n*.toml linguist-generated -diff\n"
        ),
        [
            words("`declarations/apple.toml` and 4 more", "diff"),
            words("`declarations/apple.toml` and 4 more", "linguist-generated"),
            words("`declarations/apple.toml`", "working-tree-encoding"),
        ]
    );
    // What is missing yet, and what was reviewed before.
    assert_eq!(
        said("declarations/*.toml gitlab-generated\n"),
        [words(
            "`declarations/apple.toml` and 3 more",
            "gitlab-generated"
        )]
    );
    history.commit("reviewed");
    let apple = repository.read("declarations/apple.toml");
    repository.write("declarations/apple.toml", format!("{apple}\n"));
    let run = since(&program, "HEAD").expect(ExitStatus::Clean);
    let expected = words("`declarations/apple.toml`", "gitlab-generated");
    assert!(run.stderr.contains(&expected), "{}", run.stderr);
    repository.write("declarations/apple.toml", apple);
    assert_eq!(
        said("*.toml linguist-generated -diff\n*.toml filter=x\n").len(),
        3
    );
    history.commit("reviewed, too");
    let run = since(&program, "HEAD").expect(ExitStatus::Clean);
    assert!(!run.stderr.contains("reviewers"), "{}", run.stderr);
}

/// What a wheel says otherwise than its declaration was so before where the declaration said the
/// same.
#[test]
fn a_wheel_that_disagreed_before_is_told_apart_from_one_that_disagrees_now() {
    let repository = RepositoryBuilder::sound()
        .change("cherry", |cherry| {
            cherry.set("requires-python", "\">=3.6\"")
        })
        .build();
    let _history = History::begin(repository.path());
    edit(
        &repository,
        "declarations/cherry.toml",
        "extras = [",
        "# why\nextras = [\"stone\", ",
    );
    let run = since(&program(&repository), "HEAD").expect(ExitStatus::Findings);
    assert_eq!(
        told(&run),
        ["new extras-mismatch", "unchanged requires-python-mismatch"]
    );
}

/// The work on a branch is held against where it began, not against where others have gone on to.
#[test]
fn a_branch_is_compared_with_where_it_began() {
    let repository = RepositoryBuilder::sound().build();
    let history = History::begin(repository.path());
    let start = history.run(&["rev-parse", "HEAD"]);
    history.run(&["switch", "--quiet", "--create", "change"]);
    edit(
        &repository,
        "declarations/apple.toml",
        "source = ",
        "# why\nsource = ",
    );
    history.commit("a change");
    history.run(&["switch", "--quiet", "main"]);
    edit(
        &repository,
        "declarations/damson.toml",
        "size = ",
        "# size\nsize = ",
    );
    repository.write("declarations/broken.toml", "nothing");
    history.commit("what others do");
    history.run(&["switch", "--quiet", "change"]);
    let program = program(&repository);
    let run = since(&program, "main").expect(ExitStatus::Clean);
    assert!(
        last_line(&run).starts_with(&format!("since {}", &start[..12])),
        "{run:?}"
    );
    assert!(
        last_line(&run).ends_with("0 new findings, 0 from before, 0 gone"),
        "{run:?}"
    );
    // Tags and shortened names will do; what git would take for an option will not.
    history.run(&["tag", "begun", &start]);
    for name in ["begun", &start[..9], "HEAD~1", "main~1"] {
        since(&program, name).expect(ExitStatus::Clean);
    }
}

#[test]
fn a_repository_that_was_not_there_before_is_new_as_a_whole() {
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("README"), "a project").unwrap();
    let _history = History::begin(elsewhere.path());
    // It lies in a folder of a larger one, with a space in its name.
    let folder = elsewhere.path().join("our wheels");
    fs::create_dir(&folder).unwrap();
    RepositoryBuilder::sound()
        .change("damson", |damson| damson.set("size", "97941"))
        .write_to(&folder);
    let path = std::env::var_os("PATH").unwrap();
    let program = Program::new(&folder).variable("PATH", path);
    let run = since(&program, "HEAD").expect(ExitStatus::Findings);
    assert!(last_line(&run).contains("6 wheels of changed"), "{run:?}");
    // Once it is committed, nothing is new.
    let history = History::begin(elsewhere.path());
    let run = since(&program, "HEAD").expect(ExitStatus::Clean);
    assert!(last_line(&run).contains(": 0 wheels of"), "{run:?}");
    assert!(
        told(&run).iter().all(|told| told.starts_with("unchanged ")),
        "{run:?}"
    );
    drop(history);
}

/// A folder that git does not keep, since it is empty, was there before all the same.
#[test]
fn the_first_declaration_is_new_and_nothing_is_gone() {
    let repository = RepositoryBuilder::new().build();
    fs::create_dir_all(repository.join("declarations")).unwrap();
    let _history = History::begin(repository.path());
    RepositoryBuilder::sound().write_to(repository.path());
    let run = since(&program(&repository), "HEAD").expect(ExitStatus::Clean);
    assert!(
        last_line(&run).ends_with("0 new findings, 0 from before, 0 gone"),
        "{run:?}"
    );
}

#[test]
fn a_revision_that_cannot_be_had_is_said_with_the_way_out() {
    let repository = RepositoryBuilder::sound().build();
    let program = program(&repository);
    let refused = |revision: &str, message: &str| {
        let run = program
            .run(&["check", "--since", revision])
            .expect(ExitStatus::World);
        assert!(run.stderr.contains(message), "{}", run.stderr);
        run.stderr
    };
    refused("main", "git cannot read the history of this folder: ");
    let history = History::begin(repository.path());
    let stderr = refused(
        "origin/main",
        "git does not know a commit `origin/main` here",
    );
    assert!(
        stderr.contains("help: `git log` lists the available commits"),
        "{stderr}"
    );
    let run = program
        .run(&["check", "--since=--output=x"])
        .expect(ExitStatus::World);
    assert!(
        run.stderr
            .contains("git does not know a commit `--output=x`"),
        "{}",
        run.stderr
    );
    history.run(&["switch", "--quiet", "--orphan", "other"]);
    RepositoryBuilder::sound().write_to(repository.path());
    history.commit("another beginning");
    refused(
        "main",
        "`main` and the present commit have no common ancestor",
    );
    // Without git there is nobody to ask.
    let run = Program::new(repository.path())
        .variable("PATH", "/nowhere")
        .run(&["check", "--since", "main"])
        .expect(ExitStatus::World);
    assert!(
        run.stderr
            .contains("git, which reads revisions, cannot be run"),
        "{}",
        run.stderr
    );
}

/// A revision's declaration that is a link, too large or not UTF-8 is what it would be in the
/// folder.
#[cfg(unix)]
#[test]
fn what_a_revision_holds_is_read_as_a_folder_is() {
    let repository = RepositoryBuilder::sound().build();
    std::os::unix::fs::symlink("damson.toml", repository.join("declarations/linked.toml")).unwrap();
    fs::write(repository.join("declarations/elder.toml"), b"\xff\xfe").unwrap();
    let _history = History::begin(repository.path());
    let run = since(&program(&repository), "HEAD").expect(ExitStatus::Clean);
    assert_eq!(
        told(&run),
        ["unchanged syntax", "unchanged misplaced-declaration"]
    );
    let large = "# a line that is long enough\n".repeat(40_000);
    repository.write("declarations/large.toml", &large);
    let _history = History::begin(repository.path());
    fs::remove_file(repository.join("declarations/large.toml")).unwrap();
    let run = since(&program(&repository), "HEAD").expect(ExitStatus::World);
    assert!(
        run.stderr.contains("declarations/large.toml"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("exceeds the limit of 1048576 bytes"),
        "{}",
        run.stderr
    );
}

/// A warning that was there before is none of the change's, also where warnings fail it; and what
/// git would take for an option is no revision.
#[test]
fn warnings_from_before_do_not_fail_a_change_and_options_are_no_revisions() {
    let repository = RepositoryBuilder::sound()
        .project(Project::automatic(WheelBuilder::new("elder", "1.0")))
        .build();
    let _history = History::begin(repository.path());
    let program = program(&repository);
    let deny = ["--deny", "warnings"];
    program
        .run(&[&JSON[..], &deny].concat())
        .expect(ExitStatus::Findings);
    let run = program.run(&[&JSON[..], &deny, &["--since", "HEAD"]].concat());
    assert_eq!(counts(&run), [0, 1, 0, 1]);
    run.expect(ExitStatus::Clean);
    for name in [
        "--since=",
        "--since=--all",
        "--since=--path-format=absolute",
    ] {
        let run = program.run(&["check", name]).expect(ExitStatus::World);
        assert!(
            run.stderr.contains("git does not know a commit"),
            "{}",
            run.stderr
        );
    }
}

/// A hook's variables name the repository that the hook runs in, which need not be this one.
#[test]
fn the_variables_of_a_hook_do_not_mislead() {
    let repository = RepositoryBuilder::sound().build();
    let _history = History::begin(repository.path());
    let program = program(&repository)
        .variable("GIT_DIR", "elsewhere/.git")
        .variable("GIT_INDEX_FILE", "elsewhere/index");
    since(&program, "HEAD").expect(ExitStatus::Clean);
}

/// An index is asked for the changed project alone.
#[test]
fn an_index_hears_of_the_changed_project_alone() {
    let wheels = ["elder", "fig"].map(|name| (name, WheelBuilder::new(name, "1.0")));
    let index = LoopbackIndex::start();
    let [elder, fig] = wheels.map(|(name, wheel)| {
        let file_name = wheel.file_name();
        index.host(Hosted::new(name, &file_name, &wheel.build()));
        let source = format!("pkg:pypi/{name}@1.0?file_name={file_name}");
        Project::wanted(Wheel::elsewhere(wheel, &source))
    });
    let repository = RepositoryBuilder::new().project(elder).project(fig).build();
    let _history = History::begin(repository.path());
    edit(
        &repository,
        "declarations/fig.toml",
        "dependencies = []",
        "dependencies = [\"elder\"]",
    );
    let program = program(&repository).index(&index.index_url());
    let run = since(&program, "HEAD").expect(ExitStatus::Findings);
    assert_eq!(told(&run), ["new dependencies-mismatch"]);
    let asked = index.paths();
    assert!(
        asked.iter().all(|path| !path.contains("elder")),
        "{asked:?}"
    );
    // The page and the file, once each: what the source gave is what is read.
    assert_eq!(
        asked.iter().filter(|path| path.contains("fig")).count(),
        2,
        "{asked:?}"
    );
}

/// What cannot be read hides what has changed in it, so it is no finding from before.
#[test]
fn a_change_behind_an_earlier_mistake_is_new() {
    let repository = RepositoryBuilder::sound()
        .change("damson", |damson| damson.set("note", "\"x\""))
        .build();
    let _history = History::begin(repository.path());
    let program = program(&repository);
    let run = since(&program, "HEAD").expect(ExitStatus::Clean);
    assert_eq!(told(&run), ["unchanged unknown-key"]);
    // Other bytes, behind the same mistake.
    let cid = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";
    let text = repository.read("declarations/damson.toml");
    let line = text
        .lines()
        .find(|line| line.starts_with("content-id"))
        .unwrap();
    let other = text.replace(line, &format!("content-id = \"{cid}\""));
    repository.write("declarations/damson.toml", other);
    let run = since(&program, "HEAD").expect(ExitStatus::Findings);
    assert_eq!(told(&run), ["new unknown-key"]);
}

/// A link on the way to the declarations hides all of them.
#[cfg(unix)]
#[test]
fn a_set_that_cannot_be_seen_is_never_as_before() {
    let repository = RepositoryBuilder::sound().build();
    fs::rename(
        repository.join("declarations"),
        repository.join("elsewhere"),
    )
    .unwrap();
    std::os::unix::fs::symlink("elsewhere", repository.join("declarations")).unwrap();
    let _history = History::begin(repository.path());
    let run = since(&program(&repository), "HEAD").expect(ExitStatus::Findings);
    assert_eq!(told(&run), ["new invalid-value"]);
}

/// A change that is clean because it turns rules off says so.
#[test]
fn relaxed_rules_and_new_waivers_are_named() {
    let repository = RepositoryBuilder::sound().build();
    let _history = History::begin(repository.path());
    let text = repository.read("ipwhl.toml");
    repository.write(
        "ipwhl.toml",
        format!(
            "{text}\n[severity]\nunsatisfied-dependency = \"off\"\nuncovered-platform = \"error\"\n\
             [[waiver]]\ncode = \"unavailable-dependency\"\nproject = \"apple\"\n\
             reason = \"not needed\"\nexpires = 2027-03-01\n"
        ),
    );
    let run = since(&program(&repository), "HEAD");
    for words in [
        "warning: this change relaxes rules in `[severity]`: `unsatisfied-dependency`\n",
        "warning: this change adds or changes waivers: unavailable-dependency of apple, until \
         2027-03-01: not needed\n",
    ] {
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
}

/// A waiver that covers more than before, and a platform that is not looked at any more, make a set
/// clean, too.
#[test]
fn a_wider_waiver_and_a_platform_less_are_named() {
    let waiver = |more: &str| {
        format!(
            "\n[[waiver]]\ncode = \"unneeded\"\nproject = \"damson\"\n{more}reason \
             = \"kept\"\nexpires = 2027-03-01\n"
        )
    };
    let repository = RepositoryBuilder::sound()
        .configuration(&waiver("platforms = [\"win_amd64\"]\n"))
        .build();
    let _history = History::begin(repository.path());
    let text = repository.read("ipwhl.toml");
    repository.write(
        "ipwhl.toml",
        text.replace("platforms = [\"win_amd64\"]\n", ""),
    );
    let run = since(&program(&repository), "HEAD");
    let words = "warning: this change adds or changes waivers: unneeded of damson, until 2027-03-01: kept\n";
    assert!(run.stderr.contains(words), "{}", run.stderr);
    repository.write("ipwhl.toml", text.replace("\"cp312\", ", ""));
    let run = since(&program(&repository), "HEAD");
    let words = "warning: this change removes supported platforms: cp312-manylinux_2_28_x86_64; \
                 cp312-win_amd64\n";
    assert!(run.stderr.contains(words), "{}", run.stderr);
    repository.write("ipwhl.toml", text.replace("name = \"", "name = \"another "));
    let run = since(&program(&repository), "HEAD");
    let words =
        "warning: this change sets `name` in `[repository]`; `ipwhl diff` shows the values\n";
    assert!(run.stderr.contains(words), "{}", run.stderr);
}

/// A name that a log would obey, or that is no text, is told by signs that can be seen.
#[cfg(unix)]
#[test]
fn names_of_files_do_not_reach_a_log_as_they_are() {
    use std::os::unix::ffi::OsStrExt;
    let repository = RepositoryBuilder::sound().build();
    let folder = repository.join("declarations");
    for name in [
        &b"z\n::error title=forged::forged\n.toml"[..],
        b"esc\x1b[31m.toml",
        b"\xff.toml",
    ] {
        fs::write(folder.join(std::ffi::OsStr::from_bytes(name)), "").unwrap();
    }
    for format in MessageFormat::ALL {
        let run = program(&repository)
            .run(&["check", "--message-format", format.as_str()])
            .expect(ExitStatus::Findings);
        let said = run.stdout + &run.stderr;
        assert!(!said.contains('\u{1b}'), "{said}");
        assert!(!said.contains("\n::error title=forged"), "{said}");
        assert!(said.contains("misplaced-declaration"), "{said}");
    }
}

/// What an advisory says of versions that did not change is no matter of the change, and the change
/// does not choose the database.
#[test]
fn advisories_about_what_was_there_do_not_fail_a_change() {
    let advisory = |id: &str, project: &str| {
        format!(
            "{{\"id\": \"{id}\", \"modified\": \"2026-11-20T00:00:00Z\", \"affected\": [{{\"package\": \
             {{\"ecosystem\": \"PyPI\", \"name\": \"{project}\"}}, \"ranges\": [{{\"type\": \"ECOSYSTEM\", \
             \"events\": [{{\"introduced\": \"0\"}}]}}]}}]}}"
        )
    };
    let repository = RepositoryBuilder::sound()
        .format_2()
        .configuration("\n[audit]\ndatabase = \"advisories\"\n")
        .file("advisories/MAL-1.json", advisory("MAL-1", "damson"))
        .file("advisories/MAL-2.json", advisory("MAL-2", "plum"))
        .build();
    History::begin(repository.path());
    let program = program(&repository);
    let run = since(&program, "main").expect(ExitStatus::Clean);
    assert_eq!(told(&run), ["unchanged malicious-version"]);
    // A project that the change brings, and another database that would not know it.
    let damson = fs::read_to_string(repository.join("declarations/damson.toml")).unwrap();
    let plum = damson
        .replace("damson", "plum")
        .replace("automatic = true\n", "");
    let sources: Vec<&str> = plum
        .lines()
        .filter(|line| !line.starts_with("sha256"))
        .collect();
    repository.write("declarations/plum.toml", sources.join("\n") + "\n");
    edit(&repository, "ipwhl.toml", "\"advisories\"", "\"none\"");
    let run = since(&program, "main");
    assert!(
        told(&run).contains(&"new malicious-version".to_owned()),
        "{:?}",
        told(&run)
    );
    assert!(
        told(&run).contains(&"unchanged malicious-version".to_owned()),
        "{:?}",
        told(&run)
    );
    assert!(
        run.stderr.contains("this change has a different `[audit]`"),
        "{}",
        run.stderr
    );
}
