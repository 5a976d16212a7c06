//! The room of judgement without the program: what becomes of findings by severities and waivers,
//! which are proposed, which findings are new, and which are shown as one.

use std::sync::Arc;

use ipwhl::foundation::diagnostic::{Baseline, Code, Finding, Help, Note, Severity};
use ipwhl::set::check;
use ipwhl::set::gather::WheelReport;
use ipwhl::set::judgement::{self, compare, group_related, has_errors};
use ipwhl::set::repository::Repository;
use ipwhl_packaging::Platform;

use crate::support::bench::pure;
use crate::support::declared_set::DeclaredSet;
use crate::support::repository_builder::{Project, RepositoryBuilder};

fn load(set: &DeclaredSet) -> Repository {
    Repository::load(set.build().path()).unwrap()
}

/// Judges what the checks of the set find, on one day and with one reason.
fn judge(repository: &Repository) -> Vec<Finding> {
    judge_these(repository, check::set(repository))
}

fn judge_these(repository: &Repository, findings: Vec<Finding>) -> Vec<Finding> {
    let today = "2026-11-20".parse().unwrap();
    let report = WheelReport::default();
    judgement::judge(repository, findings, &report, today, "it is \"known\"")
}

fn waiver(code: &str, project: &str, more: &str) -> String {
    format!(
        "\n[[waiver]]\ncode = \"{code}\"\nproject = \"{project}\"\n{more}\nreason \
         = \"seen\"\nexpires = 2026-11-20\n"
    )
}

/// `apple` and `pear` need what the set does not have, one of them on Windows only.
fn open() -> DeclaredSet {
    DeclaredSet::new()
        .wanted("apple 1.0", &["absent>=2"])
        .wanted("pear 1.0", &["absent ; os_name == 'nt'"])
}

/// Severity, code, project and platforms of each finding.
fn told(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|finding| {
            let subject = &finding.subject;
            let project = subject.project.as_ref().map(ToString::to_string);
            format!(
                "{} {} {} {}",
                finding.severity,
                finding.code,
                project.unwrap_or_default(),
                subject.platforms.len()
            )
        })
        .collect()
}

#[test]
fn severities_and_waivers_are_heard() {
    let cases: &[(&str, &[&str])] = &[
        (
            "",
            &[
                "error missing-dependency apple 4",
                "error missing-dependency pear 2",
            ],
        ),
        (
            "[severity]\nmissing-dependency = \"warning\"\n",
            &[
                "warning missing-dependency apple 4",
                "warning missing-dependency pear 2",
            ],
        ),
        ("[severity]\nmissing-dependency = \"off\"\n", &[]),
        (
            &waiver("missing-dependency", "apple", ""),
            &["error missing-dependency pear 2"],
        ),
        (
            &waiver("missing-dependency", "apple", "platforms = [\"win_amd64\"]"),
            &[
                "error missing-dependency apple 2",
                "error missing-dependency pear 2",
            ],
        ),
        (
            &waiver("missing-dependency", "apple", "requirement = \"absent>=3\""),
            &[
                "error unused-waiver apple 0",
                "error missing-dependency apple 4",
                "error missing-dependency pear 2",
            ],
        ),
        (
            &waiver("missing-dependency", "apple", "").replace("11-20", "11-19"),
            &[
                "error expired-waiver apple 0",
                "error missing-dependency apple 4",
                "error missing-dependency pear 2",
            ],
        ),
    ];
    for (configuration, expected) in cases {
        let repository = load(&open().configuration(configuration));
        assert_eq!(repository.findings, [], "{configuration}");
        let findings = judge(&repository);
        assert_eq!(told(&findings), *expected, "{configuration}");
        let is_bad = expected.iter().any(|line| line.starts_with("error"));
        assert_eq!(has_errors(&findings), is_bad, "{configuration}");
    }
    // For one run alone.
    let mut repository = load(&open());
    repository.configuration.allowed = [Code::MissingDependency].into();
    assert!(!has_errors(&judge(&repository)));
}

/// Whoever makes a waiver without reading it from a text is not believed either.
#[test]
fn no_waiver_covers_bytes_that_are_not_the_declared_ones() {
    let mut repository =
        load(&DeclaredSet::new().configuration(&waiver("tag-mismatch", "damson", "")));
    for code in Code::ALL.iter().copied() {
        repository.configuration.waivers[0].code = code;
        let finding = Finding::new(code, "made up").project(&"damson".parse().unwrap());
        let left = judge_these(&repository, vec![finding]);
        let is_covered = !left.iter().any(|finding| finding.code == code);
        assert_eq!(is_covered, code.may_be_overridden(), "{code}: {left:?}");
    }
}

/// A proposed waiver names what the finding is about, and covers it where it is pasted.
#[test]
fn the_proposed_waivers_cover_what_was_found() {
    let repository = load(&open());
    let findings = judge(&repository);
    let waivers = judgement::waivers(&findings);
    let head = "[[waiver]]\ncode = \"missing-dependency\"\n";
    let end = "reason = 'it is \"known\"'\nexpires = 2027-02-18";
    assert_eq!(
        waivers,
        [
            format!("{head}project = \"apple\"\nrequirement = \"absent>=2\"\n{end}"),
            format!(
                "{head}project = \"pear\"\nrequirement = 'absent; os_name == \"nt\"'\n\
                 platforms = [\"win_amd64\"]\n{end}"
            ),
        ]
    );
    let pasted = format!("\n{}\n", waivers.join("\n\n"));
    assert_eq!(judge(&load(&open().configuration(&pasted))), []);
    // They come last, and what is shown as one has none.
    for finding in &findings {
        let [Help::Add(..), Help::Waiver(_)] = finding.help.as_slice() else {
            panic!("{:?}", finding.help)
        };
    }
    let grouped = group_related(&repository, &findings, false);
    assert_eq!(judgement::waivers(&grouped), [""; 0]);
}

/// Requirements of one file each have their place; extras are told together where all else is the
/// same; and what is said of one requirement only is not said of all.
#[test]
fn a_group_tells_its_requirements_apart() {
    let repository = RepositoryBuilder::new()
        .project(Project::wanted(
            pure("apple", "1.0")
                .requires("fig>=1 ; extra == 'jam' or extra == 'juice' and os_name == 'nt'")
                .requires("fig<3")
                .extra("jam")
                .extra("juice"),
        ))
        .build();
    let repository = Repository::load(repository.path()).unwrap();
    let mut findings = judgement::finish(&repository, check::set(&repository));
    assert_eq!(findings.len(), 3, "{findings:#?}");
    for finding in &mut findings {
        finding.notes.push("said of all".into());
    }
    findings[0].notes.push("said of one".into());
    let together = group_related(&repository, &findings, false);
    let [one] = together.as_slice() else {
        panic!("{together:#?}")
    };
    let plain = "apple: `fig<3` at declarations/apple.toml:4:";
    let extra = "apple: `fig>=1; extra == \"jam\" or extra == \"juice\" and os_name == \"nt\"` at \
                 declarations/apple.toml:4:";
    let ends = |end: &str, start: &str| {
        one.requirers
            .iter()
            .filter(|line| line.starts_with(start) && line.ends_with(end))
            .count()
    };
    assert_eq!(one.requirers.len(), 3, "{:#?}", one.requirers);
    assert_eq!(ends(" (all 4 platforms)", plain), 1, "{:#?}", one.requirers);
    assert_eq!(
        ends(" (for the extra `jam`; all 4 platforms)", extra),
        1,
        "{:#?}",
        one.requirers
    );
    assert_eq!(
        ends(" (for the extra `juice`; cp312, cp313 on win_amd64)", extra),
        1,
        "{:#?}",
        one.requirers
    );
    assert_eq!(one.labels.len(), 2, "{:#?}", one.labels);
    assert_eq!(one.notes, [Note::from("said of all")]);
}

/// Warnings of one code with the same way out are one, whatever their projects and files are.
#[test]
fn warnings_with_the_same_way_out_are_one() {
    let repository = load(
        &DeclaredSet::new()
            .automatic("apple 1.0", &[])
            .automatic("fig 1.0", &[])
            .automatic("pear 1.0", &[]),
    );
    let findings = judge(&repository);
    assert_eq!(told(&findings).len(), 3, "{findings:#?}");
    let grouped = group_related(&repository, &findings, false);
    let [one] = grouped.as_slice() else {
        panic!("{grouped:#?}")
    };
    assert_eq!(one.severity, Severity::Warning);
    assert_eq!(
        one.message,
        "`apple` is automatic, but no wanted project needs it (and 2 more)"
    );
    assert_eq!(one.alike.len(), 2, "{:?}", one.alike);
    let words: Vec<String> = one.help.iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        ["run `ipwhl remove NAME`, or remove `automatic` from FILE if the project is wanted"]
    );
    // In full each has its own.
    let each = group_related(&repository, &findings, true);
    let words: Vec<String> = each.iter().map(|one| one.help[0].to_string()).collect();
    assert_eq!(
        words[2],
        "run `ipwhl remove pear`, or remove `automatic` from declarations/pear.toml if the project is wanted"
    );
}

/// What makes two findings the same one: not the words where a requirement says what is meant; the
/// extra, the wheel and the file always.
#[test]
fn findings_of_two_states_are_the_same_by_what_they_are_about() {
    let file: Arc<str> = "declarations/apple.toml".into();
    let of_requirement = |message: &str| {
        let mut finding = Finding::new(Code::UnsatisfiedDependency, message)
            .at(&file, 5..9, "")
            .project(&"apple".parse().unwrap());
        finding.subject.requirement = Some("fig>=2".parse().unwrap());
        finding
    };
    let of_wheel = || {
        Finding::new(Code::SizeMismatch, "the size is 1")
            .wheel(&"apple-1.0-py3-none-any.whl".parse().unwrap())
    };
    let before = of_requirement("the set has fig 1.0").at(&file, 1..2, "");
    let is_the_same = |before: &Finding, now: Finding| {
        let mut now = [now];
        let gone = compare(std::slice::from_ref(before), &mut now, &[]).len();
        let is_the_same = now[0].baseline == Some(Baseline::Unchanged);
        assert_eq!(gone, usize::from(!is_the_same));
        is_the_same
    };
    assert!(is_the_same(&before, of_requirement("the set has fig 1.1")));
    let mut under_an_extra = of_requirement("the set has fig 1.0");
    under_an_extra.subject.extra = Some("jam".parse().unwrap());
    assert!(!is_the_same(&before, under_an_extra));
    assert!(is_the_same(&of_wheel(), of_wheel()));
    assert!(!is_the_same(
        &of_wheel(),
        of_wheel().wheel(&"apple-1.0-1-py3-none-any.whl".parse().unwrap())
    ));
    assert!(!is_the_same(
        &of_wheel(),
        of_wheel().at(&file, 5..9, "in a file")
    ));
}

/// Of several that are alike the one that covers all platforms is meant; where none does, the note
/// names the platforms that both have.
#[test]
fn platforms_of_findings_that_are_alike_are_compared() {
    let systems = ["manylinux_2_28_x86_64", "win_amd64", "macosx_12_0_arm64"];
    let all: Vec<Platform> = systems
        .iter()
        .map(|system| Platform::parse("cp312", system).unwrap())
        .collect();
    let on = |indices: &[usize]| {
        let mut finding = Finding::new(Code::UnavailableDependency, "no wheel");
        finding.subject.platforms = indices.iter().map(|index| all[*index].clone()).collect();
        finding
    };
    let mut now = [on(&[0, 1])];
    assert_eq!(compare(&[on(&[0]), on(&[0, 1])], &mut now, &all), [0]);
    assert_eq!(now[0].baseline, Some(Baseline::Unchanged));
    assert_eq!(now[0].notes, []);
    let mut now = [on(&[1, 2])];
    assert_eq!(compare(&[on(&[0, 1])], &mut now, &all), [0; 0]);
    assert_eq!(now[0].baseline, Some(Baseline::New));
    let place = "cp312 on win_amd64".to_owned();
    assert_eq!(now[0].notes, [Note::WasBefore(place.clone())]);
    assert_eq!(
        now[0].notes[0].to_string(),
        format!("it already existed on {place}")
    );
}
