//! `ipwhl.toml`: what it says, what is wrong with it, severities and waivers.

use ipwhl::command::ExitStatus;
use ipwhl::set::declaration::Layout;
use ipwhl::set::repository::{Repository, summarize_platforms};
use ipwhl_packaging::Platform;
use ipwhl_unixfs::Profile;

use crate::support::program::{Program, Run};
use crate::support::repository_builder::{BuiltRepository, Project, RepositoryBuilder};
use crate::support::wheel_builder::WheelBuilder;
use crate::support::words;

fn load(text: &str) -> Repository {
    let built = RepositoryBuilder::new().configuration_text(text).build();
    Repository::load(built.path()).unwrap()
}

/// Code, message, help of each finding of an `ipwhl.toml`, and the text that it points at.
fn findings(text: &str) -> Vec<String> {
    load(text)
        .findings
        .iter()
        .map(|finding| {
            let label = &finding.labels[0];
            assert_eq!(&*label.file, "ipwhl.toml");
            let pointed = &text[label.span.clone()];
            let help = words(&finding.help);
            format!("{}: {} <{pointed}> {help}", finding.code, finding.message)
        })
        .collect()
}

const LEAST: &str = "[repository]\nformat = 1\nname = \"example\"\n[platforms]\npython = \
                     [\"cp312\"]\nsystem = [\"win_amd64\"]\n";

#[test]
fn every_key_is_read() {
    let repository = load(
        r#"
[repository]
format = 1
name = "example"
declarations = "declarations"
layout = "package"
profile = "unixfs-v0-2015"

[platforms]
python = ["cp312", "cp311>=3.11.5"]
system = ["win_amd64"]
also = ["cp313t-manylinux_2_28_x86_64", "cp312-win_amd64"]

[index]
url = "https://index.example.org/simple/"

[mirrors]
gateways = ["https://gateway.example.org"]

[signing]
trusted = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG1hZGV1cA one", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG1hZGV1cB two"]
threshold = 2

[severity]
uncovered-platform = "off"
unused-wheel = "error"

[[waiver]]
code = "unsatisfied-dependency"
project = "Foo"
requirement = "bar>=2"
wheel = "foo-1.0-cp312-cp312-win_amd64.whl"
extra = "All"
platforms = ["win_amd64"]
reason = "foo works with bar 1.9"
expires = 2027-03-01
"#,
    );
    assert!(repository.findings.is_empty(), "{:#?}", repository.findings);
    let read = repository.configuration;
    assert_eq!(read.name, "example");
    assert_eq!(read.declarations, "declarations");
    assert_eq!(read.layout, Layout::Package);
    assert_eq!(read.profile, Profile::UnixfsV0_2015);
    let platforms: Vec<String> = read.platforms.iter().map(ToString::to_string).collect();
    assert_eq!(
        platforms,
        [
            "cp311-win_amd64",
            "cp312-win_amd64",
            "cp313t-manylinux_2_28_x86_64"
        ]
    );
    assert_eq!(
        read.index_url.as_deref(),
        Some("https://index.example.org/simple/")
    );
    assert_eq!(read.gateways, ["https://gateway.example.org"]);
    assert_eq!((read.trusted.len(), read.threshold), (2, 2));
    assert_eq!(read.severity.len(), 2);
    let [waiver] = read.waivers.as_slice() else {
        panic!("{:?}", read.waivers)
    };
    assert_eq!(waiver.project.as_str(), "foo");
    assert_eq!(waiver.extra.as_ref().unwrap().as_str(), "all");
    assert_eq!(waiver.requirement.as_ref().unwrap().to_string(), "bar>=2");
    assert_eq!(waiver.expires.value.to_string(), "2027-03-01");
}

#[test]
fn what_is_wrong_is_said_with_the_way_out() {
    let cases: &[(&str, &[&str])] = &[
        (
            "",
            &[
                "missing-key: `repository` is missing, but `ipwhl.toml` needs it <> it begins with \
                 `[repository]`, `format = 1` and `name = \"…\"`",
                "missing-key: `platforms` is missing, but `ipwhl.toml` needs it <> name the \
                 supported platforms: `[platforms]`, `python = [\"cp312\"]`, `system = \
                 [\"manylinux_2_28_x86_64\"]`",
            ],
        ),
        (
            "[repository]\nformat = 3\nname = \"\"\n[platforms]\npython = [\"cp312\"]\nsystem = []\n",
            &[
                "invalid-value: the format 3 is unknown <3> write `format = 1` or `format = 2`, or use a newer ipwhl",
                "invalid-value: the repository's name must be one line of text, and not empty <\"\"> ",
                "missing-key: `system` is missing, but `[platforms]` needs it <[platforms]> name \
                 the systems of these interpreters: `system = [\"manylinux_2_28_x86_64\"]`",
            ],
        ),
        (
            "[repository]\nformat = 1\nname = \"example\"\n[platforms]\n",
            &[
                "missing-key: `[platforms]` names no platform <[platforms]> `python = [\"cp312\"]` \
                 and `system = [\"manylinux_2_28_x86_64\"]` make one platform",
            ],
        ),
        (
            "[repository]\nformat = \"1\"\nname = 1\nlayout = \"flat\"\nprofile \
             = \"kubo\"\ndeclarations = \"../other\"\n[platforms]\npython = [\"py312\"]\nsystem = \
             [\"win_amd46\"]\nalso = [\"cp312\"]\n",
            &[
                "invalid-value: `format` must be a whole number, not a string <\"1\"> ",
                "invalid-value: `name` must be a string, not an integer <1> ",
                "invalid-value: `../other` is not a folder inside the repository <\"../other\"> ",
                "invalid-value: `flat` is not a layout <\"flat\"> the layouts are `package` and `ipwhl-1`",
                "invalid-value: `kubo` is not a profile <\"kubo\"> the profiles are \
                 `unixfs-v1-2025`, `unixfs-v0-2015`, `kubo-cidv1`",
            ],
        ),
        (
            "[repository]\nformat = 1\nname = \"example\"\ndeclarations \
             = \"deep/.GIT\"\n[platforms]\npython = [\"cp312\"]\nsystem = [\"win_amd64\"]\n",
            &["invalid-value: `deep/.GIT` is git's own folder, or in it <\"deep/.GIT\"> "],
        ),
    ];
    for (text, expected) in cases {
        let found = findings(text);
        // The words about platforms are the vocabulary's.
        let found: Vec<&String> = found
            .iter()
            .filter(|line| {
                !line.contains("Python tag")
                    && !line.contains("platform tag")
                    && !line.contains("\"cp312\" ")
            })
            .collect();
        assert_eq!(found, *expected);
    }
}

#[test]
fn keys_and_words_that_nobody_knows_get_the_nearest_one() {
    let cases = [
        (
            "[repositry]\n",
            "`repositry` is not a key of `ipwhl.toml`",
            "did you mean `repository`?",
        ),
        (
            "[index]\nurls = \"\"\n",
            "`urls` is not a key of `[index]`",
            "did you mean `url`?",
        ),
        (
            "[severity]\nuncovered-platforms = \"off\"\n",
            "`uncovered-platforms` is not the code of a finding",
            "did you mean `uncovered-platform`?",
        ),
        (
            "[severity]\nunneeded = \"of\"\n",
            "a severity is `error`, `warning` or `off`",
            "",
        ),
        (
            "[severity]\nsha256-mismatch = \"warning\"\n",
            "the severity of `sha256-mismatch` cannot be changed",
            "",
        ),
        (
            "[signing]\nthreshold = 0\n",
            "the threshold must be at least 1",
            "",
        ),
        (
            "[signing]\ntrusted = [\"ssh-rsa AAAA\"]\n",
            "`ssh-rsa AAAA` is not an Ed25519 key in OpenSSH format",
            "`ipwhl key show` prints the line to write",
        ),
        (
            "[mirrors]\ngateways = [\"gateway.example.org\"]\n",
            "`gateway.example.org` is not the address of a gateway",
            "",
        ),
        (
            "[index]\nurl = \"ftp://example.org/simple\"\n",
            "`ftp://example.org/simple` is not the address of an index",
            "",
        ),
    ];
    for (text, message, help) in cases {
        let found = load(&format!("{LEAST}{text}")).findings;
        let [finding] = found.as_slice() else {
            panic!("{text}: {found:#?}")
        };
        assert_eq!(
            (finding.message.as_str(), words(&finding.help).as_str()),
            (message, help)
        );
    }
}

#[test]
fn platforms_are_folded_into_few_words() {
    let platform = |python: &str, system: &str| Platform::parse(python, system).unwrap();
    let mut all: Vec<Platform> = Vec::new();
    for python in ["cp311>=3.11.5", "cp312", "cp313", "cp314"] {
        for system in ["manylinux_2_28_x86_64", "macosx_12_0_arm64", "win_amd64"] {
            all.push(platform(python, system));
        }
    }
    all.sort();
    let fold = |names: &[&str]| {
        let some: Vec<String> = all
            .iter()
            .map(ToString::to_string)
            .filter(|name| names.iter().any(|part| name.contains(part)))
            .collect();
        summarize_platforms(&some, &all)
    };
    let cases: &[(&[&str], Option<&str>)] = &[
        (&[], None),
        (&["cp"], Some("all 12 platforms")),
        (&["win"], Some("cp311\u{2013}cp314 on win_amd64")),
        (&["cp312-win"], Some("cp312 on win_amd64")),
        (
            &["cp311-win", "cp312-win"],
            Some("cp311, cp312 on win_amd64"),
        ),
        (
            &["cp311-win", "cp313-win"],
            Some("cp311, cp313 on win_amd64"),
        ),
        (
            &["cp311-win", "cp312-win", "cp313-win"],
            Some("cp311\u{2013}cp313 on win_amd64"),
        ),
        (
            &["win", "macosx"],
            Some("cp311\u{2013}cp314 on macosx_12_0_arm64, win_amd64"),
        ),
        (
            &["cp314", "cp311-win"],
            Some("cp311, cp314 on win_amd64; cp314 on macosx_12_0_arm64, manylinux_2_28_x86_64"),
        ),
    ];
    for (names, expected) in cases {
        assert_eq!(fold(names).as_deref(), *expected, "{names:?}");
    }
    // A repository of one platform has no "all".
    let one = [platform("cp312", "win_amd64")];
    let words = summarize_platforms(&[one[0].to_string()], &one);
    assert_eq!(words.as_deref(), Some("cp312 on win_amd64"));
}

/// `cherry[pit]` wants a damson that the set does not have: everywhere, under one extra.
fn unsatisfied() -> RepositoryBuilder {
    RepositoryBuilder::sound().change("cherry", |cherry| {
        cherry.set("dependencies", "[\"damson>=6.0 ; extra == 'pit'\"]")
    })
}

fn waiver(code: &str, project: &str, more: &str) -> String {
    format!(
        "\n[[waiver]]\ncode = \"{code}\"\nproject = \"{project}\"\n{more}\nreason \
         = \"seen\"\nexpires = 2026-11-20\n"
    )
}

fn check(repository: &BuiltRepository, more: &[&str]) -> Run {
    let mut arguments = vec!["check", "--message-format", "json"];
    arguments.extend(more);
    Program::new(repository.path()).run(&arguments)
}

#[test]
fn a_waiver_covers_what_it_names_and_nothing_else() {
    let cases: &[(&str, &[&str])] = &[
        ("", &[]),
        ("extra = \"pit\"", &[]),
        (
            "extra = \"stone\"",
            &["unsatisfied-dependency", "unused-waiver"],
        ),
        // Compared as requirements, not as texts.
        ("requirement = \"damson >= 6 ; extra == 'pit'\"", &[]),
        (
            "requirement = \"damson>=6\"",
            &["unsatisfied-dependency", "unused-waiver"],
        ),
        (
            "platforms = [\"win_amd64\", \"manylinux_2_28_x86_64\"]",
            &[],
        ),
        (
            "platforms = [\"cp312\", \"cp313-win_amd64\", \"cp313-manylinux_2_28_x86_64\"]",
            &[],
        ),
        ("platforms = [\"win_amd64\"]", &["unsatisfied-dependency"]),
        ("wheel = \"cherry-0.3-py3-none-any.whl\"", &[]),
        (
            "wheel = \"cherry-0.4-py3-none-any.whl\"",
            &["unsatisfied-dependency", "unused-waiver"],
        ),
    ];
    for (more, expected) in cases {
        let repository = unsatisfied()
            .configuration(&waiver("unsatisfied-dependency", "cherry", more))
            .build();
        let mut codes = check(&repository, &[]).codes();
        codes.sort();
        assert_eq!(codes, *expected, "{more}");
    }
}

#[test]
fn a_finding_loses_the_platforms_that_are_waived() {
    let repository = unsatisfied()
        .configuration(&waiver(
            "unsatisfied-dependency",
            "cherry",
            "platforms = [\"win_amd64\"]",
        ))
        .build();
    let run = check(&repository, &[]).expect(ExitStatus::Findings);
    let [finding] = run.findings().try_into().unwrap();
    assert_eq!(
        finding["platforms"],
        serde_json::json!(["cp312-manylinux_2_28_x86_64", "cp313-manylinux_2_28_x86_64"])
    );
    assert_eq!(
        finding["notes"][0],
        "where: cp312, cp313 on manylinux_2_28_x86_64"
    );
    // A second one covers the rest.
    let more = waiver(
        "unsatisfied-dependency",
        "cherry",
        "platforms = [\"manylinux_2_28_x86_64\"]",
    );
    repository.write("ipwhl.toml", repository.read("ipwhl.toml") + &more);
    check(&repository, &[]).expect(ExitStatus::Clean);
}

/// A waiver holds on its last day, in UTC, and not on the next one.
#[test]
fn a_waiver_ends_with_its_day() {
    let repository = unsatisfied()
        .configuration(&waiver("unsatisfied-dependency", "cherry", ""))
        .build();
    let at = |instant: &str| {
        Program::new(repository.path())
            .now(instant)
            .run(&["check", "--message-format", "json"])
    };
    at("2026-11-20T23:59:59Z").expect(ExitStatus::Clean);
    let run = at("2026-11-21T00:00:00Z").expect(ExitStatus::Findings);
    assert_eq!(run.codes(), ["expired-waiver", "unsatisfied-dependency"]);
    assert_eq!(
        run.findings()[0]["help"][0]["message"],
        "fix the finding that it covered and remove it, or set a later day"
    );
}

/// A waiver that misses says what it would have to name.
#[test]
fn an_unused_waiver_names_what_is_like_it() {
    let repository = unsatisfied()
        .configuration(&waiver(
            "unsatisfied-dependency",
            "cherry",
            "extra = \"stone\"",
        ))
        .build();
    let run = check(&repository, &[]);
    let unused = &run.findings()[0];
    assert_eq!(unused["code"], "unused-waiver");
    assert_eq!(
        unused["notes"][0],
        "a similar finding is about the requirement `damson>=6.0; extra == \"pit\"`, the wheel \
         `cherry-0.3-py3-none-any.whl`, the extra `pit`, the platforms \
         cp312-manylinux_2_28_x86_64, cp312-win_amd64, cp313-manylinux_2_28_x86_64, cp313-win_amd64"
    );
}

#[test]
fn what_was_not_looked_at_makes_no_waiver_unused() {
    let of_wheel = waiver("tag-mismatch", "damson", "");
    let repository = RepositoryBuilder::sound().configuration(&of_wheel).build();
    // No wheel was looked at.
    check(&repository, &[]).expect(ExitStatus::Clean);
    assert_eq!(check(&repository, &["--wheels"]).codes(), ["unused-waiver"]);
    // This wheel was not to be had.
    repository.remove("wheels/damson-5.0.1-py3-none-any.whl");
    assert_eq!(
        check(&repository, &["--wheels"]).codes(),
        ["missing-source"]
    );
    // A text was not understood: what the waiver is for may stand in it.
    let repository = unsatisfied()
        .configuration(&waiver("unsatisfied-dependency", "cherry", ""))
        .build();
    repository.write("declarations/damson.toml", "source = 1\n");
    let codes = check(&repository, &[]).codes();
    assert!(!codes.contains(&"unused-waiver".to_owned()), "{codes:?}");
}

#[test]
fn what_cannot_be_waived_says_so_and_stays() {
    for code in [
        "size-mismatch",
        "invalid-archive",
        "syntax",
        "unused-waiver",
    ] {
        let repository = RepositoryBuilder::sound()
            .configuration(&waiver(code, "damson", ""))
            .change("damson", |damson| damson.set("size", "1"))
            .build();
        let run = check(&repository, &["--wheels"]);
        assert_eq!(run.codes(), ["size-mismatch", "invalid-value"], "{code}");
        let message = format!("`{code}` cannot be waived");
        assert_eq!(run.findings()[1]["message"], message);
    }
}

#[test]
fn a_waivers_platforms_are_supported_ones() {
    let repository = unsatisfied()
        .configuration(&waiver(
            "unsatisfied-dependency",
            "cherry",
            "platforms = [\"win_amd46\"]",
        ))
        .build();
    let run = check(&repository, &[]).expect(ExitStatus::Findings);
    let finding = &run.findings()[0];
    assert_eq!(
        finding["message"],
        "`win_amd46` does not name a supported platform"
    );
    assert_eq!(finding["help"][0]["message"], "did you mean `win_amd64`?");
}

/// The softest of the text codes: a curator may answer for a source without TLS.
#[test]
fn an_insecure_source_can_be_waived() {
    let plum = WheelBuilder::new("plum", "1.0");
    let builder = RepositoryBuilder::new().project(
        Project::wanted(plum).set("source", "\"http://example.org/plum-1.0-py3-none-any.whl\""),
    );
    let repository = builder.build();
    assert_eq!(check(&repository, &[]).codes(), ["insecure-source"]);
    let repository = builder
        .configuration(&waiver("insecure-source", "plum", ""))
        .build();
    check(&repository, &[]).expect(ExitStatus::Clean);
}

#[test]
fn a_code_weighs_what_the_repository_says() {
    let cases = [
        ("unsatisfied-dependency = \"warning\"", ExitStatus::Clean, 1),
        ("unsatisfied-dependency = \"off\"", ExitStatus::Clean, 0),
        (
            "unsatisfied-dependency = \"error\"",
            ExitStatus::Findings,
            1,
        ),
    ];
    for (line, status, count) in cases {
        let repository = unsatisfied()
            .configuration(&format!("\n[severity]\n{line}\n"))
            .build();
        let run = check(&repository, &[]).expect(status);
        assert_eq!(run.findings().len(), count, "{line}");
    }
    let repository = RepositoryBuilder::sound()
        .change("apple", |apple| apple.set("automatic", "true"))
        .configuration("\n[severity]\nunneeded = \"error\"\n")
        .build();
    let run = check(&repository, &[]).expect(ExitStatus::Findings);
    assert_eq!(run.codes(), ["unneeded"; 4]);
}

/// One mistake raises one finding, not one for all that hangs on it.
#[test]
fn what_was_not_understood_raises_nothing_further() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("declarations/apple.toml", "source = \n", &["syntax"]),
        (
            "declarations/damson.toml",
            "wheels = 1\n",
            &[
                "missing-key",
                "missing-key",
                "missing-key",
                "missing-key",
                "unknown-key",
            ],
        ),
        ("ipwhl.toml", "[repository\n", &["syntax"]),
        (
            "ipwhl.toml",
            "[repository]\nformat = 1\nname = \"example\"\n[platforms]\npython = \
             [\"cp312\"]\nsystem = [\"manylinux_x86_64\"]\n",
            &["invalid-value"],
        ),
        (
            "ipwhl.toml",
            "[repository]\nformat = 1\nname = \"example\"\n[platforms]\npython = \
             [\"cp312\"]\nsystem = [\"win_amd64\", \"manylinux_2_x86_64\"]\n",
            &["invalid-value"],
        ),
    ];
    for (file, text, expected) in cases {
        let repository = RepositoryBuilder::sound().build();
        repository.write(file, text);
        let run = check(&repository, &[]);
        let mut codes = run.codes();
        codes.sort();
        assert_eq!(codes, *expected, "{file}: {text}\n{}", run.stdout);
    }
    // Where the declarations are cannot be known from an `ipwhl.toml` that cannot be read.
    let repository = RepositoryBuilder::new()
        .configuration_text("[repository")
        .build();
    std::fs::remove_dir(repository.join("declarations")).unwrap();
    assert_eq!(check(&repository, &[]).codes(), ["syntax"]);
}

#[test]
fn bytes_that_are_no_text_are_told_once() {
    let repository = RepositoryBuilder::sound().build();
    repository.write("declarations/apple.toml", b"# caf\xe9\nsource = \xff\n");
    let run = check(&repository, &[]).expect(ExitStatus::Findings);
    assert_eq!(run.codes(), ["syntax"]);
    let finding = &run.findings()[0];
    assert_eq!(
        finding["message"],
        "the file is not UTF-8: byte 5 does not begin a character"
    );
    let place = &finding["places"][0];
    assert_eq!((&place["line"], &place["column"]), (&1.into(), &6.into()));
}

#[test]
fn a_repository_without_declarations_says_how_to_make_one() {
    let repository = RepositoryBuilder::new().build();
    check(&repository, &[]).expect(ExitStatus::Clean);
    std::fs::remove_dir(repository.join("declarations")).unwrap();
    let run = check(&repository, &[]).expect(ExitStatus::Findings);
    assert_eq!(
        run.findings()[0]["message"],
        "the folder of the declarations, `declarations`, does not exist"
    );
}

#[test]
fn what_a_reviewer_compares_with_may_be_left_out() {
    let repository = RepositoryBuilder::sound()
        .change("banana", |banana| banana.unset("sha256").unset("size"))
        .build();
    check(&repository, &["--wheels", "--deny", "warnings"]).expect(ExitStatus::Clean);
    let repository = RepositoryBuilder::sound()
        .change("cherry", |cherry| cherry.unset("requires-python"))
        .build();
    let run = check(&repository, &["--wheels"]).expect(ExitStatus::Findings);
    let [finding] = run.findings().try_into().unwrap();
    assert_eq!(
        finding["message"],
        "`cherry-0.3-py3-none-any.whl` has the Requires-Python `>=3.7`, but none is declared"
    );
    assert_eq!(
        finding["help"][0]["message"],
        "write `requires-python = \">=3.7\"`"
    );
}

/// A project has one file, whose name says which.
#[test]
fn a_declaration_has_one_place() {
    for file in ["declarations/a/apple.toml", "declarations/Apple.toml"] {
        let repository = RepositoryBuilder::sound()
            .change("apple", |apple| apple.in_file(file))
            .build();
        let run = check(&repository, &[]).expect(ExitStatus::Findings);
        let [finding] = run.findings().try_into().unwrap();
        assert_eq!(finding["code"], "misplaced-declaration");
        assert_eq!(
            finding["message"],
            format!("`apple` is declared in `{file}`")
        );
        assert_eq!(
            finding["help"][0]["message"],
            "move the file to `declarations/apple.toml`"
        );
    }
    // Beside the one that is there, it would declare each wheel twice.
    let repository = RepositoryBuilder::sound().build();
    let text = repository.read("declarations/apple.toml");
    repository.write("declarations/pear.toml", text);
    let run = check(&repository, &[]).expect(ExitStatus::Findings);
    assert_eq!(run.codes(), ["misplaced-declaration"]);
    let instead = "`declarations/apple.toml` has another declaration: move the needed parts of \
                   this one into it, and remove this file";
    assert_eq!(run.findings()[0]["help"][0]["message"], instead);
    // Nor are two files moved to one place.
    let text = repository.read("declarations/apple.toml");
    repository.write("declarations/quince.toml", text);
    std::fs::remove_file(repository.join("declarations/apple.toml")).unwrap();
    let run = check(&repository, &[]).expect(ExitStatus::Findings);
    assert_eq!(run.codes(), ["misplaced-declaration"; 2]);
    let helps = run
        .findings()
        .iter()
        .map(|finding| finding["help"][0]["message"].clone())
        .collect::<Vec<_>>();
    assert_eq!(
        helps,
        ["move the file to `declarations/apple.toml`", instead]
    );
    // What editors leave behind is not looked at.
    let repository = RepositoryBuilder::sound().build();
    for name in [
        ".apple.toml.swp",
        ".#apple.toml",
        "#apple.toml#",
        "apple.toml~",
        "apple.toml.orig",
        ".gitattributes",
        "notes.md",
        "README",
        "CODEOWNERS",
        "LICENSE.Apache",
    ] {
        repository.write(&format!("declarations/{name}"), "nothing");
    }
    let run = check(&repository, &[]).expect(ExitStatus::Clean);
    assert_eq!(run.codes(), [""; 0]);
}

/// A declaration whose name is misspelt is not read, which is a warning; no file is overwritten.
#[test]
fn a_file_that_is_not_read_is_a_warning() {
    let repository = RepositoryBuilder::sound().build();
    for (name, help) in [
        (
            "plum.tml",
            "if it is a declaration, rename it to `declarations/plum.toml`; if not, move it out of \
             `declarations`",
        ),
        (
            "plum",
            "if it is a declaration, rename it to `declarations/plum.toml`; if not, move it out of \
             `declarations`",
        ),
        (
            "plum.toml.txt",
            "if it is a declaration, rename it to `declarations/plum.toml`; if not, move it out of \
             `declarations`",
        ),
        (
            "plum.toml~",
            "if it is a declaration, rename it to `declarations/plum.toml`; if not, move it out of \
             `declarations`",
        ),
        (
            "apple.TOML",
            "`declarations/apple.toml` exists: move this file out of `declarations`",
        ),
        (
            "-.whl",
            "if it is a declaration, rename it to `declarations/PROJECT.toml`; if not, move it out \
             of `declarations`",
        ),
    ] {
        let file = format!("declarations/{name}");
        repository.write(&file, "nothing");
        let run = check(&repository, &[]).expect(ExitStatus::Clean);
        assert_eq!(run.codes(), ["ignored-file"], "{name}");
        let finding = &run.findings()[0];
        assert_eq!(finding["severity"], "warning");
        assert_eq!(finding["places"][0]["file"], file.as_str());
        assert_eq!(finding["help"][0]["message"], help);
        check(&repository, &["--deny", "warnings"]).expect(ExitStatus::Findings);
        std::fs::remove_file(repository.join(&file)).unwrap();
    }
    // A folder below is looked at too, and a code that may be softened is.
    repository.write("declarations/more/plum.tml", "nothing");
    assert_eq!(check(&repository, &[]).codes(), ["ignored-file"]);
    let settings = repository.read("ipwhl.toml") + "\n[severity]\nignored-file = \"off\"\n";
    repository.write("ipwhl.toml", settings);
    assert_eq!(check(&repository, &[]).codes(), [""; 0]);
}

/// The layout of the original: a file a wheel, platforms in SUPPORTED, tags by the file's stem.
#[test]
fn the_original_layout_is_read_as_it_stands() {
    let wheel = WheelBuilder::new("apple", "1.0").requires_python(">=3.8");
    let text = Project::wanted(wheel.clone())
        .unset("sha256")
        .unset("size")
        .text(Profile::UnixfsV0_2015);
    let configuration = "[repository]\nformat = 1\nname = \"example\"\nlayout = \"ipwhl-1\"\n";
    let build = |file: &str, supported: &str| {
        RepositoryBuilder::new()
            .configuration_text(configuration)
            .file("SUPPORTED", supported)
            .file(file, &text)
            .file("wheels/apple-1.0-py3-none-any.whl", wheel.build())
            .build()
    };
    // 0x12 is the low byte of the sum of the name's code points.
    let stem = "pkgs/12/apple/apple-1.0-py3-none-any.toml";
    let run = check(
        &build(stem, "cp312 win_amd64\n\ncp313 win_amd64\n"),
        &["--wheels"],
    )
    .expect(ExitStatus::Clean);
    assert!(
        run.stderr.contains("1 wheel on 2 platforms"),
        "{}",
        run.stderr
    );
    // The release would give the wheel a name that its tags contradict.
    let other = "pkgs/12/apple/apple-1.0-py2.py3-none-any.toml";
    let run = check(&build(other, "cp312 win_amd64\n"), &["--wheels"]);
    assert_eq!(run.codes(), ["tag-mismatch"]);
    let wrong = "pkgs/13/apple/apple-1.0-py3-none-any.toml";
    let run = check(&build(wrong, "cp312 win_amd64\n"), &[]);
    assert_eq!(run.codes(), ["noncanonical-place"]);
    assert_eq!(
        run.findings()[0]["help"][0]["message"],
        format!("move the file to `{stem}`")
    );
    let run = check(&build(stem, "cp312 win_amd64\n  cp312\n"), &[]);
    assert_eq!(run.codes(), ["invalid-value"]);
    let place = &run.findings()[0]["places"][0];
    assert_eq!(
        (&place["file"], &place["line"]),
        (&"SUPPORTED".into(), &2.into())
    );
}

/// A link could lead to any file of whoever runs the program, and findings show what a text holds.
#[test]
#[cfg(unix)]
fn links_among_the_declarations_are_not_read() {
    let repository = RepositoryBuilder::sound().build();
    let secret = repository.join("secret");
    std::fs::write(&secret, "key = sekret\n").unwrap();
    let folder = repository.join("declarations");
    std::os::unix::fs::symlink(&secret, folder.join("evil.toml")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.join("endless.toml")).unwrap();
    std::os::unix::fs::symlink(".", folder.join("loop")).unwrap();
    let run = check(&repository, &[]).expect(ExitStatus::Findings);
    assert_eq!(run.codes(), ["misplaced-declaration"; 3]);
    assert!(!run.stdout.contains("sekret"), "{}", run.stdout);
    // A project whose declaration is a link is not missing to those who need it.
    let damson = folder.join("damson.toml");
    std::fs::rename(&damson, repository.join("damson.toml")).unwrap();
    std::os::unix::fs::symlink("../damson.toml", &damson).unwrap();
    assert_eq!(
        check(&repository, &[]).codes(),
        ["misplaced-declaration"; 4]
    );
    // No folder on the way to the declarations is a link.
    std::fs::create_dir(repository.join("outside")).unwrap();
    std::fs::rename(&folder, repository.join("outside/declarations")).unwrap();
    std::fs::write(
        repository.join("outside/declarations/open.toml"),
        "key = sekret\n",
    )
    .unwrap();
    std::os::unix::fs::symlink("outside", repository.join("way")).unwrap();
    let text = std::fs::read_to_string(repository.join("ipwhl.toml")).unwrap();
    let nested = text.replacen(
        "format = 1\n",
        "format = 1\ndeclarations = \"way/declarations\"\n",
        1,
    );
    assert_ne!(nested, text);
    std::fs::write(repository.join("ipwhl.toml"), nested).unwrap();
    let run = check(&repository, &[]).expect(ExitStatus::Findings);
    assert_eq!(run.codes(), ["invalid-value"]);
    assert!(run.stdout.contains("`way`, on the path"), "{}", run.stdout);
    assert!(!run.stdout.contains("sekret"), "{}", run.stdout);
    // Settings are no link either.
    let settings = repository.join("ipwhl.toml");
    std::fs::rename(&settings, repository.join("elsewhere.toml")).unwrap();
    std::os::unix::fs::symlink("elsewhere.toml", &settings).unwrap();
    check(&repository, &[]).expect(ExitStatus::World);
}
