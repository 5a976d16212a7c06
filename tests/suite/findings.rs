//! Every finding code: a fixture that raises exactly it, and how its message reads.
//!
//! What one declaration by itself can raise lies in `tests/declarations/invalid/<code>.toml`: the
//! file's name is the code that it must raise when it stands as `declarations/example.toml`. What
//! needs several files, wheels or an `ipwhl.toml` of its own is a function of the code's name
//! below. The snapshots beside this file are what a person reads in a log.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use ipwhl::command::ExitStatus;
use ipwhl::foundation::diagnostic::{Code, Severity, Stage};
use ipwhl_unixfs::Profile;

use crate::support::history::History;
use crate::support::loopback_index::{Hosted, LoopbackIndex};
use crate::support::program::{Program, Run};
use crate::support::repository_builder::{BuiltRepository, RepositoryBuilder};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/declarations/invalid")
}

/// The repository that raises this code and nothing else.
pub fn fixture(code: Code) -> Option<RepositoryBuilder> {
    if let Ok(text) = fs::read(folder().join(format!("{code}.toml"))) {
        return Some(RepositoryBuilder::new().file("declarations/example.toml", text));
    }
    Some(match code {
        Code::HiddenCharacter => hidden_character(),
        Code::TooLarge => too_large(),
        Code::IgnoredFile => ignored_file(),
        Code::Unreviewed => unreviewed(),
        Code::ContentIdMismatch => content_id_mismatch(),
        Code::Sha256Mismatch => sha256_mismatch(),
        Code::SizeMismatch => size_mismatch(),
        Code::MissingSource => missing_source(),
        Code::UploadedMismatch => uploaded_mismatch(),
        Code::Withdrawn => withdrawn(),
        Code::InvalidArchive => invalid_archive(),
        Code::InvalidMetadata => invalid_metadata(),
        Code::LegacyMetadata => legacy_metadata(),
        Code::NoncanonicalPlace => noncanonical_place(),
        Code::RecordMismatch => record_mismatch(),
        Code::NameMismatch => name_mismatch(),
        Code::VersionMismatch => version_mismatch(),
        Code::TagMismatch => tag_mismatch(),
        Code::RequiresPythonMismatch => requires_python_mismatch(),
        Code::DependenciesMismatch => dependencies_mismatch(),
        Code::ExtrasMismatch => extras_mismatch(),
        Code::DeniedLicense => denied_license(),
        Code::UnknownLicense => unknown_license(),
        Code::UnusedLicenseEntry => unused_license_entry(),
        Code::UnsatisfiedDependency => unsatisfied_dependency(),
        Code::MissingExtra => missing_extra(),
        Code::UnavailableDependency => unavailable_dependency(),
        Code::UndefinedMarker => undefined_marker(),
        Code::Cooldown => cooldown(),
        Code::VulnerableVersion => advised("PYSEC-2026-1", "2026-11-20", "damson", "5.1"),
        Code::MaliciousVersion => advised("MAL-2026-1", "2026-11-20", "damson", "5.1"),
        Code::BrokenAdvisory => advised("PYSEC-2026-1", "2026-11-20", "damson", "next"),
        Code::OldDatabase => advised("PYSEC-2026-1", "2026-11-05", "plum", "5.1"),
        Code::ChangedPublisher => changed_publisher(),
        Code::YankedWheel | Code::InactiveProject | Code::QuarantinedProject => in_the_index(),
        Code::ExpiredWaiver => expired_waiver(),
        Code::UnusedWaiver => unused_waiver(),
        _ => return None,
    })
}

/// The wheel's bytes are sound, and not those that were reviewed.
fn content_id_mismatch() -> RepositoryBuilder {
    RepositoryBuilder::sound().change("damson", |damson| {
        let damson = damson.set(
            "content-id",
            "\"bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku\"",
        );
        // Beside it, these would say that the slip is in the declaration.
        damson.unset("sha256").unset("size")
    })
}

/// A comment that is shown from right to left, as far as it is shown.
fn hidden_character() -> RepositoryBuilder {
    let text = pure_declaration("\"https://example.org/example-1.0-py3-none-any.whl\"");
    let text = format!("# reviewed \u{202e}yb desufer\n{text}");
    RepositoryBuilder::new().file("declarations/example.toml", text)
}

/// One source more than a wheel may have.
fn too_large() -> RepositoryBuilder {
    let sources: Vec<String> = (0..101)
        .map(|number| format!("https://example.org/{number}/example-1.0-py3-none-any.whl"))
        .collect();
    let text = pure_declaration(&format!("{sources:?}"));
    RepositoryBuilder::new().file("declarations/example.toml", text)
}

fn pure_declaration(source: &str) -> String {
    let content_id = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";
    format!("source = {source}\ncontent-id = \"{content_id}\"\nextras = []\ndependencies = []\n")
}

/// A slip of the pen in the ending of a name.
fn ignored_file() -> RepositoryBuilder {
    let text = "dependencies = []";
    RepositoryBuilder::sound().file("declarations/plum.tml", text)
}

/// A machine took it in.
fn unreviewed() -> RepositoryBuilder {
    RepositoryBuilder::sound()
        .change("damson", |damson| damson.set("reviewed", "false"))
        .format_2()
}

/// The content-ids are of dag-pb nodes, which say nothing of the file's SHA-256.
fn sha256_mismatch() -> RepositoryBuilder {
    let set = RepositoryBuilder::sound().profile(Profile::UnixfsV0_2015);
    set.change("damson", |damson| {
        damson.set("sha256", &format!("\"{}\"", "0123456789abcdef".repeat(4)))
    })
}

fn size_mismatch() -> RepositoryBuilder {
    RepositoryBuilder::sound().change("damson", |damson| damson.set("size", "97941"))
}

/// The index of [`program`] says another time.
fn uploaded_mismatch() -> RepositoryBuilder {
    let source = "[\"file:wheels/damson-5.0.1-py3-none-any.whl\", \
                  \"pkg:pypi/damson@5.0.1?file_name=damson-5.0.1-py3-none-any.whl\"]";
    RepositoryBuilder::sound()
        .change("damson", |damson| {
            let damson = damson.set("source", source);
            damson.set("uploaded", "2020-01-01T00:00:00Z")
        })
        .format_2()
}

/// The wheel is withdrawn, and still declared.
fn withdrawn() -> RepositoryBuilder {
    RepositoryBuilder::sound().format_2().configuration(
        r#"
[[withdrawn]]
sha256 = "92beae6f8d8b647d6f40279c6762f6506d336052c396d31a44261500c4ce4327"
reason = "the wheel sends data to a stranger"
date = 2026-11-20
"#,
    )
}

/// The file was moved away.
fn missing_source() -> RepositoryBuilder {
    RepositoryBuilder::sound().change("damson", |damson| {
        damson.set("source", "\"file:elsewhere/damson-5.0.1-py3-none-any.whl\"")
    })
}

/// The two headers of a member name two files.
fn invalid_archive() -> RepositoryBuilder {
    RepositoryBuilder::sound().change("damson", |damson| {
        damson.rebuild(|wheel| {
            wheel.entry("damson.py", |entry| entry.local.name = b"plum.py".to_vec())
        })
    })
}

/// METADATA without a version.
fn invalid_metadata() -> RepositoryBuilder {
    RepositoryBuilder::sound().change("damson", |damson| {
        damson.rebuild(|wheel| wheel.metadata("Metadata-Version: 2.1\nName: damson\n\n"))
    })
}

/// METADATA with a requirement as older tools took it.
fn legacy_metadata() -> RepositoryBuilder {
    RepositoryBuilder::sound().change("damson", |damson| {
        damson.rebuild(|wheel| {
            wheel.metadata(
                "Metadata-Version: 2.1\nName: damson\nVersion: 5.0.1\nRequires-Dist: stone>=2.*\n\n",
            )
        })
    })
}

/// The stem has the tags in another order.
fn noncanonical_place() -> RepositoryBuilder {
    RepositoryBuilder::new()
        .configuration_text(
            "[repository]\nformat = 1\nname = \"old\"\nlayout = \"ipwhl-1\"\n\n\
             [platforms]\npython = [\"cp312\"]\nsystem = [\"win_amd64\"]\n",
        )
        .file(
            "pkgs/45/yak/yak-1.0-py3.py2-none-any.toml",
            "source = 'https://example.org/yak-1.0-py3.py2-none-any.whl'\n\
             content-id = 'QmSnuWmxptJZdLJpKRarxBMS2Ju2oANVrgbr2xWbie9b2D'\n\
             extras = []\ndependencies = []\n",
        )
}

/// A member that is not the one that RECORD vouches for.
fn record_mismatch() -> RepositoryBuilder {
    RepositoryBuilder::sound().change("damson", |damson| {
        damson.rebuild(|wheel| {
            wheel.edit_record(|rows| rows[0][1] = format!("sha256={}", "A".repeat(43)))
        })
    })
}

fn name_mismatch() -> RepositoryBuilder {
    RepositoryBuilder::sound().change("damson", |damson| {
        damson.rebuild(|wheel| {
            wheel.metadata("Metadata-Version: 2.1\nName: plum\nVersion: 5.0.1\n\n")
        })
    })
}

fn version_mismatch() -> RepositoryBuilder {
    RepositoryBuilder::sound().change("damson", |damson| {
        damson.rebuild(|wheel| {
            wheel.metadata("Metadata-Version: 2.1\nName: damson\nVersion: 5.0.2\n\n")
        })
    })
}

/// WHEEL says that it is for one Python only, its name that it is for all.
fn tag_mismatch() -> RepositoryBuilder {
    RepositoryBuilder::sound().change("damson", |damson| {
        damson.rebuild(|wheel| {
            wheel.wheel_file("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: cp312-none-any\n")
        })
    })
}

fn requires_python_mismatch() -> RepositoryBuilder {
    RepositoryBuilder::sound().change("cherry", |cherry| {
        cherry.set("requires-python", "\">=3.6\"")
    })
}

/// `damson ; extra == 'juice'` is left out, though the extra is declared.
fn dependencies_mismatch() -> RepositoryBuilder {
    RepositoryBuilder::sound().change("apple", |apple| {
        apple.set(
            "dependencies",
            "[\"banana>=2\", \"cherry[pit] ; python_version >= '3.8'\"]",
        )
    })
}

/// A slip of the pen in an extra's name.
fn extras_mismatch() -> RepositoryBuilder {
    RepositoryBuilder::sound().change("apple", |apple| {
        apple.set("extras", "[\"juice\", \"jucie\"]")
    })
}

/// One wheel states another licence than the allowed one; the others state none.
fn denied_license() -> RepositoryBuilder {
    RepositoryBuilder::sound()
        .change("damson", |damson| {
            damson.rebuild(|wheel| wheel.header("License-Expression", "GPL-3.0-only"))
        })
        .format_2()
        .configuration("\n[licenses]\nallow = [\"MIT\"]\nunknown = \"allow\"\n")
}

/// All but one state a licence.
fn unknown_license() -> RepositoryBuilder {
    let set =
        ["apple", "banana", "cherry"]
            .into_iter()
            .fold(RepositoryBuilder::sound(), |set, name| {
                set.change(name, |project| {
                    project.rebuild(|wheel| wheel.header("License-Expression", "MIT"))
                })
            });
    set.change("damson", |damson| {
        let bsd = "License :: OSI Approved :: BSD License";
        damson.rebuild(|wheel| wheel.header("Classifier", bsd))
    })
    .format_2()
    .configuration("\n[licenses]\nallow = [\"MIT\"]\n")
}

/// The exception is for a project of another name.
fn unused_license_entry() -> RepositoryBuilder {
    RepositoryBuilder::sound().format_2().configuration(
        "\n[licenses]\nunknown = \"allow\"\n\n[[licenses.exception]]\nproject = \"damsons\"\n\
         allow = [\"GPL-3.0-only\"]\nreason = \"a program of its own\"\n",
    )
}

/// `cherry[pit]` wants `damson>=5,<6`.
fn unsatisfied_dependency() -> RepositoryBuilder {
    RepositoryBuilder::sound().change("cherry", |cherry| {
        cherry.set("dependencies", "[\"damson>=6 ; extra == 'pit'\"]")
    })
}

/// `apple` asks for `cherry[pit]`.
fn missing_extra() -> RepositoryBuilder {
    RepositoryBuilder::sound().change("cherry", |cherry| {
        cherry.set("extras", "[]").set("dependencies", "[]")
    })
}

/// `apple` is for every platform and needs `banana` there.
fn unavailable_dependency() -> RepositoryBuilder {
    RepositoryBuilder::sound().change("banana", |banana| banana.without_wheel("cp313"))
}

/// A machine is no version, so `>=` says nothing about it.
fn undefined_marker() -> RepositoryBuilder {
    RepositoryBuilder::sound().change("cherry", |cherry| {
        cherry.set(
            "dependencies",
            "[\"damson ; extra == 'pit' and platform_machine >= 'x86'\"]",
        )
    })
}

/// One wheel is a day younger than it may be.
fn cooldown() -> RepositoryBuilder {
    let projects = ["apple", "banana", "cherry", "damson"];
    let set = projects
        .into_iter()
        .fold(RepositoryBuilder::sound(), |set, name| {
            let day = if name == "damson" { "14" } else { "13" };
            let uploaded = format!("2026-11-{day}T12:00:00Z");
            set.change(name, |project| project.set("uploaded", &uploaded))
        });
    set.format_2()
        .configuration("\n[index]\ncooldown = \"7 days\"\n")
}

/// A database of one advisory about versions before another one.
fn advised(id: &str, day: &str, project: &str, fixed: &str) -> RepositoryBuilder {
    let advisory = serde_json::json!({
        "id": id,
        "modified": format!("{day}T00:00:00Z"),
        "summary": "it can be made to stop",
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],
        "affected": [{
            "package": {"ecosystem": "PyPI", "name": project},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
        }],
    });
    // No database grows old here but the one that is.
    let age = if project == "plum" {
        "14 days"
    } else {
        "99 weeks"
    };
    RepositoryBuilder::sound()
        .format_2()
        .configuration(&format!(
            "\n[audit]\ndatabase = \"advisories\"\nmaximum-age = \"{age}\"\n"
        ))
        .file(&format!("advisories/{id}.json"), advisory.to_string())
}

/// [`program`] commits it with another publisher.
fn changed_publisher() -> RepositoryBuilder {
    RepositoryBuilder::sound()
        .change("damson", |damson| {
            damson.set("publisher", "\"GitHub plum-dev/damson release.yaml\"")
        })
        .format_2()
}

/// The index of [`program`] says something about it.
fn in_the_index() -> RepositoryBuilder {
    let source = "[\"file:wheels/damson-5.0.1-py3-none-any.whl\", \
                  \"pkg:pypi/damson@5.0.1?file_name=damson-5.0.1-py3-none-any.whl\"]";
    RepositoryBuilder::sound().change("damson", |damson| damson.set("source", source))
}

/// The day of the waiver was yesterday; what it covered was mended.
fn expired_waiver() -> RepositoryBuilder {
    RepositoryBuilder::sound().configuration(
        r#"
[[waiver]]
code = "unsatisfied-dependency"
project = "cherry"
requirement = "damson>=6"
reason = "cherry works with damson 5, see its changelog"
expires = 2026-11-19
"#,
    )
}

/// The waiver covers another platform than the one where something is wrong: here, none is.
fn unused_waiver() -> RepositoryBuilder {
    RepositoryBuilder::sound().configuration(
        r#"
[[waiver]]
code = "unavailable-dependency"
project = "apple"
platforms = ["win_amd64"]
reason = "banana is not needed on Windows"
expires = 2027-03-01
"#,
    )
}

/// The command that reports the code.
pub fn command(code: Code) -> &'static [&'static str] {
    match code.stage() {
        Stage::Wheel => &["check", "--wheels"],
        Stage::Index if code == Code::ChangedPublisher => &["check", "--since", "HEAD"],
        Stage::Index => &["audit", "--index"],
        _ => &["check"],
    }
}

/// Runs the command of the code with everything that it needs.
pub fn check(code: Code, repository: &BuiltRepository, more: &[&str]) -> Run {
    let mut arguments = command(code).to_vec();
    arguments.extend(more);
    let (program, _index) = program(code, repository);
    program.run(&arguments)
}

/// The program for the fixture of this code, and the index that it needs for it.
pub fn program(code: Code, repository: &BuiltRepository) -> (Program, Option<LoopbackIndex>) {
    let program = Program::new(repository.path());
    if code == Code::ChangedPublisher && !repository.join(".git").exists() {
        publish_before(repository);
    }
    if code != Code::UploadedMismatch && command(code)[0] != "audit" {
        return (program, None);
    }
    let index = LoopbackIndex::start();
    // The second is in the examples of explanations.
    for (project, version) in [("damson", "5.0.1"), ("plum", "1.0")] {
        let name = format!("{project}-{version}-py3-none-any.whl");
        let mut file = Hosted::new(project, &name, b"");
        file.uploaded = Some("2026-11-19T08:30:00Z".to_owned());
        file.digest = false;
        match code {
            Code::YankedWheel => file.yanked = Some("it deletes files".to_owned()),
            Code::InactiveProject => index.set_status(project, "archived", "use quince"),
            Code::QuarantinedProject => index.set_status(project, "quarantined", "malware"),
            _ => {}
        }
        index.host(file);
    }
    (program.index(&index.index_url()), Some(index))
}

/// Commits the declarations with other publishers than they have.
fn publish_before(repository: &BuiltRepository) {
    let folder = repository.join("declarations");
    let paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let texts: Vec<String> = paths
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for (path, text) in paths.iter().zip(&texts) {
        let before = text.replace(
            "publisher = \"GitHub plum-dev/",
            "publisher = \"GitHub plum/",
        );
        fs::write(path, before).unwrap();
    }
    History::begin(repository.path());
    for (path, text) in paths.iter().zip(&texts) {
        fs::write(path, text).unwrap();
    }
}

#[test]
fn every_code_has_a_fixture_that_raises_it_once_and_nothing_else() {
    let mut wrong = Vec::new();
    for code in Code::ALL.iter().copied() {
        let Some(builder) = fixture(code) else {
            wrong.push(format!("{code}: no fixture"));
            continue;
        };
        let run = check(code, &builder.build(), &["--message-format", "json"]);
        let codes = run.codes();
        let status = match code.default_severity() {
            Severity::Error => ExitStatus::Findings,
            Severity::Warning => ExitStatus::Clean,
        };
        if codes != [code.as_str()] || run.status != status {
            wrong.push(format!("{code}: {codes:?} {:?}", run.status));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A file that is named for no code would be tested by nothing.
#[test]
fn every_invalid_declaration_is_named_for_a_code() {
    let codes: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let code = name.strip_suffix(".toml").unwrap_or(&name);
        assert!(codes.contains(code), "{name}");
    }
}

#[test]
fn messages_read_well() {
    for code in Code::ALL.iter().copied() {
        let repository = fixture(code).unwrap().build();
        let run = check(code, &repository, &["--quiet"]);
        insta::assert_snapshot!(code.as_str(), shown(&run.stderr, &repository));
    }
}

/// What was said, without the name of the temporary folder.
pub fn shown(text: &str, repository: &BuiltRepository) -> String {
    text.replace(repository.path().to_str().unwrap(), "[repository]")
}

/// A plain check finds what a build refuses, of wheels that were looked at once; what only bytes or
/// a source can tell, `--wheels` does. The table in docs/formats.md, section 3, is held by this.
#[test]
fn what_a_build_refuses_a_check_finds() {
    let only_bytes_tell = [
        Code::ContentIdMismatch,
        Code::MissingSource,
        // A wheel that is not what is declared has no facts, unless another declaration had it
        // right.
        Code::Sha256Mismatch,
    ];
    let codes = |program: &Program, arguments: &[&str]| {
        let json = ["--offline", "--message-format", "json"];
        program.run(&[arguments, &json].concat()).codes()
    };
    let mut wrong = Vec::new();
    for code in Code::ALL.iter().copied() {
        let repository = fixture(code).unwrap().build();
        let mut program = Program::new(repository.path());
        // The sound wheels of the fixtures, then those of this one. Its home has to outlive the
        // cache.
        let sound = RepositoryBuilder::sound().build();
        let first = Program::new(sound.path());
        let mut check = vec!["check"];
        if only_bytes_tell.contains(&code) {
            check.push("--wheels");
        } else {
            codes(&first, &["check", "--wheels"]);
            program = program.variable("IPWHL_CACHE_DIR", first.cache_directory());
        }
        let whole = codes(&program, &["check", "--wheels"]);
        let checked = codes(&program, &check);
        // A build stops before it looks at wheels where the set has errors.
        let built = codes(&program, &["build", "--root-only"]);
        let is_found = built.iter().all(|code| checked.contains(code));
        // No clock and no time of the index reaches a build, except by the days of waivers.
        let is_refused =
            !matches!(code, Code::Cooldown | Code::UploadedMismatch) && code.stage().is_released();
        let is_told = built.contains(&code.as_str().to_owned());
        if checked != whole || !is_found || is_told != is_refused {
            wrong.push(format!(
                "{code}: {checked:?}, all {whole:?}, a build {built:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
