//! Uniqueness and the dependency graph, on every platform, with no extra and with each declared
//! one.

use ipwhl::foundation::diagnostic::{Code, Finding, Note};
use ipwhl::set::check;
use ipwhl::set::judgement;
use ipwhl::set::repository::Repository;
use ipwhl_packaging::WheelFileName;

use crate::support::content_id;
use crate::support::repository_builder::{BuiltRepository, RepositoryBuilder};

/// A declaration of wheels with these tags; `keys` is what they share.
fn declaration(name: &str, version: &str, tags: &[&str], keys: &str) -> (String, String) {
    let mut text = String::new();
    for default in ["extras", "dependencies"] {
        if !keys.contains(&format!("{default} =")) {
            text += &format!("{default} = []\n");
        }
    }
    text += &format!("{keys}\n");
    for tag in tags {
        let cid = content_id(&format!("{name}-{version}-{tag}"));
        text += &format!(
            "[[wheel]]\nsource = \"https://example.org/{name}-{version}-{tag}.whl\"\ncontent-id = \"{cid}\"\n"
        );
    }
    (name.to_owned(), text)
}

fn pure(name: &str, version: &str, keys: &str) -> (String, String) {
    declaration(name, version, &["py3-none-any"], keys)
}

fn built(declarations: &[(String, String)]) -> BuiltRepository {
    let mut builder = RepositoryBuilder::new().platforms(
        &["cp311>=3.11.5", "cp312"],
        &["manylinux_2_28_x86_64", "win_amd64"],
    );
    for (name, text) in declarations {
        builder = builder.file(&format!("declarations/{name}.toml"), text);
    }
    builder.build()
}

fn findings(declarations: &[(String, String)]) -> Vec<Finding> {
    let built = built(declarations);
    let repository = Repository::load(built.path()).unwrap();
    assert_eq!(repository.findings, [], "{declarations:?}");
    judgement::finish(&repository, check::set(&repository))
}

fn words(name: Option<impl ToString>) -> String {
    name.map_or_else(String::new, |name| name.to_string())
}

/// Code, project, what it is about, extra, platforms, of each finding.
fn told(declarations: &[(String, String)]) -> Vec<String> {
    findings(declarations)
        .into_iter()
        .map(|finding| {
            let subject = finding.subject;
            let place = finding
                .notes
                .iter()
                .find_map(|note| match note {
                    Note::Where { platforms, .. } => Some(platforms.as_str()),
                    _ => None,
                })
                .unwrap_or_default();
            format!(
                "{} {} [{}] {} ({place})",
                finding.code,
                words(subject.project),
                words(subject.requirement),
                words(subject.extra),
            )
        })
        .collect()
}

#[test]
fn no_interpreter_may_accept_two_wheels() {
    let ambiguous = [
        ("py3-none-any", "cp312-cp312-win_amd64"),
        ("py3-none-any", "py2.py3-none-any"),
        ("py3-none-any", "py3-none-manylinux_2_17_x86_64"),
        (
            "cp312-cp312-manylinux_2_17_x86_64",
            "cp312-cp312-manylinux_2_28_x86_64",
        ),
        (
            "cp312-cp312-manylinux2014_x86_64",
            "cp312-cp312-manylinux_2_34_x86_64",
        ),
        (
            "cp312-cp312-linux_x86_64",
            "cp312-cp312-manylinux_2_17_x86_64",
        ),
        (
            "cp312-cp312-musllinux_1_1_x86_64",
            "cp312-cp312-musllinux_1_2_x86_64",
        ),
        ("cp39-abi3-win_amd64", "cp312-cp312-win_amd64"),
        ("cp39-abi3-win_amd64", "cp311-abi3-win_amd64"),
        (
            "cp312-cp312-macosx_11_0_arm64",
            "cp312-cp312-macosx_14_0_arm64",
        ),
        (
            "cp312-cp312-macosx_11_0_arm64",
            "cp312-cp312-macosx_10_9_universal2",
        ),
        (
            "cp312-cp312-macosx_10_9_x86_64",
            "cp312-cp312-macosx_11_0_universal2",
        ),
        ("cp312-none-win_amd64", "cp312-cp312-win_amd64"),
        ("py3-none-win_amd64", "cp312-abi3-win_amd64"),
        // On platforms that this repository does not even support.
        ("cp38-cp38-win32", "py3-none-win32"),
    ];
    let unique = [
        ("py2-none-any", "py3-none-any"),
        ("cp312-cp312-win_amd64", "cp312-cp312-win32"),
        ("cp312-cp312-win_amd64", "cp311-cp311-win_amd64"),
        ("cp313-cp313-win_amd64", "cp313-cp313t-win_amd64"),
        ("cp313-abi3-win_amd64", "cp312-cp312-win_amd64"),
        (
            "cp312-cp312-musllinux_1_2_x86_64",
            "cp312-cp312-manylinux_2_17_x86_64",
        ),
        (
            "cp312-cp312-manylinux_2_17_x86_64",
            "cp312-cp312-manylinux_2_17_aarch64",
        ),
        (
            "cp312-cp312-macosx_10_9_x86_64",
            "cp312-cp312-macosx_11_0_arm64",
        ),
        ("pp311-pypy311_pp73-win_amd64", "cp311-cp311-win_amd64"),
        ("cp39-abi3-win_amd64", "cp313-cp313t-win_amd64"),
    ];
    let cases = ambiguous
        .iter()
        .map(|pair| (pair, true))
        .chain(unique.iter().map(|pair| (pair, false)));
    for ((one, other), expected) in cases {
        for tags in [[*one, *other], [*other, *one]] {
            let found = findings(&[declaration("plum", "1.0", &tags, "")]);
            let is_told = found
                .iter()
                .any(|finding| finding.code.as_str() == "ambiguous-wheels");
            assert_eq!(is_told, expected, "{one} {other}");
        }
    }
}

#[test]
fn wheels_of_two_builds_are_two_wheels() {
    let (name, text) = declaration("plum", "1.0", &["py3-none-any", "1-py3-none-any"], "");
    assert_eq!(told(&[(name, text)]), ["ambiguous-wheels plum []  ()"]);
}

/// Three wheels of which each two are ambiguous are one finding; of two versions, two.
#[test]
fn wheels_that_overlap_are_told_together() {
    let tags = [
        "cp312-cp312-win_amd64",
        "cp312-none-win_amd64",
        "py3-none-any",
    ];
    let told_of_group = told(&[declaration("plum", "1.0", &tags, "")]);
    assert_eq!(told_of_group, ["ambiguous-wheels plum []  ()"]);
    let found = findings(&[declaration("plum", "1.0", &tags, "")]);
    let group = found
        .iter()
        .find(|finding| finding.code == Code::AmbiguousWheels);
    let group = group.unwrap();
    assert_eq!(group.labels.len(), 3);
    assert_eq!(
        group.message,
        "CPython 3.12 on Windows (win_amd64) accepts both `plum-1.0-cp312-cp312-win_amd64.whl` and \
         `plum-1.0-cp312-none-win_amd64.whl`, and 1 more wheel of `plum` overlaps with them"
    );
    // Two pairs that have nothing to do with each other are two.
    let pairs = [
        "cp312-cp312-win_amd64",
        "cp312-none-win_amd64",
        "cp313-cp313-win_amd64",
        "cp313-none-win_amd64",
    ];
    let mut told_of_pairs = told(&[declaration("plum", "1.0", &pairs, "")]);
    told_of_pairs.retain(|finding| finding.starts_with("ambiguous-wheels"));
    assert_eq!(told_of_pairs, ["ambiguous-wheels plum []  ()"; 2]);
    let (name, mut text) = declaration("plum", "1.0", &["py3-none-any"], "");
    for version in ["1.1", "1.2"] {
        text += &declaration(
            "plum",
            version,
            &["py3-none-any"],
            "extras = []\ndependencies = []",
        )
        .1["extras = []\ndependencies = []\n".len()..];
    }
    assert_eq!(told(&[(name, text)]), ["several-versions plum []  ()"; 2]);
}

#[test]
fn what_is_needed_must_be_there_where_it_is_needed() {
    let of = |dependency: &str| {
        told(&[pure(
            "apple",
            "1.0",
            &format!("dependencies = [{dependency:?}]"),
        )])
    };
    let cases = [
        ("fig", "all 4 platforms"),
        ("fig ; sys_platform == 'win32'", "cp311, cp312 on win_amd64"),
        (
            "fig ; platform_system != 'Windows'",
            "cp311, cp312 on manylinux_2_28_x86_64",
        ),
        (
            "fig ; python_version < '3.12' and os_name == 'nt'",
            "cp311 on win_amd64",
        ),
        ("fig ; python_version >= '3.13'", ""),
        ("fig ; extra == 'juice'", ""),
        ("fig ; implementation_name == 'pypy'", ""),
        // Decided by the floor of 3.11.5, and not decided by it.
        ("fig ; python_full_version < '3.11'", ""),
        ("fig ; python_full_version < '3.11.5'", ""),
        (
            "fig ; python_full_version < '3.11.6'",
            "cp311 on manylinux_2_28_x86_64, win_amd64",
        ),
        // What nobody knows must be satisfied too, whichever way it is asked.
        ("fig ; platform_release == 'x'", "all 4 platforms"),
        ("fig ; platform_release != 'x'", "all 4 platforms"),
        (
            "fig ; platform_version in 'x' and os_name == 'nt'",
            "cp311, cp312 on win_amd64",
        ),
        ("fig ; platform_release == 'x' and python_version < '3'", ""),
    ];
    for (dependency, place) in cases {
        let requirement: ipwhl_packaging::Requirement = dependency.parse().unwrap();
        let expected: Vec<String> = if place.is_empty() {
            Vec::new()
        } else {
            vec![format!(
                "missing-dependency apple [{requirement}]  ({place})"
            )]
        };
        assert_eq!(of(dependency), expected, "{dependency}");
    }
}

/// What an extra needs is needed under it, once for each extra, and not where it is needed anyway.
#[test]
fn each_declared_extra_is_looked_at() {
    let of = |extras: &str, dependencies: &str| {
        told(&[pure(
            "apple",
            "1.0",
            &format!("extras = {extras}\ndependencies = {dependencies}"),
        )])
    };
    let fig = "[\"fig ; extra == 'Fresh_Juice'\"]";
    assert_eq!(of("[]", fig), [""; 0]);
    assert_eq!(
        of("[\"fresh-juice\", \"jam\"]", fig),
        ["missing-dependency apple [fig; extra == \"fresh-juice\"] fresh-juice (all 4 platforms)"]
    );
    assert_eq!(
        of(
            "[\"jam\", \"juice\"]",
            "[\"fig ; extra == 'juice' or extra == 'jam'\"]"
        )
        .len(),
        2
    );
    assert_eq!(
        of(
            "[\"juice\"]",
            "[\"fig ; os_name == 'nt' or extra == 'juice'\"]"
        ),
        [
            "missing-dependency apple [fig; os_name == \"nt\" or extra == \"juice\"]  (cp311, \
             cp312 on win_amd64)",
            "missing-dependency apple [fig; os_name == \"nt\" or extra == \"juice\"] juice (cp311, \
             cp312 on manylinux_2_28_x86_64)",
        ]
    );
}

#[test]
fn a_version_is_inside_or_outside() {
    let of = |specifiers: &str, version: &str| {
        told(&[
            pure(
                "apple",
                "1.0",
                &format!("dependencies = [\"fig{specifiers}\"]"),
            ),
            pure("fig", version, ""),
        ])
        .len()
    };
    for (specifiers, version, count) in [
        ("", "1.0", 0),
        (">=1", "1.0", 0),
        (">1", "1.0", 1),
        ("==1.*", "1.9", 0),
        ("~=1.4", "2.0", 1),
        ("!=1.0", "1.0.0", 1),
        (">=1", "1.0rc1", 1),
        ("<2", "2.0rc1", 1),
        (">=2.0rc1", "2.0rc1", 0),
        ("==1.0", "1.0+local", 0),
    ] {
        assert_eq!(of(specifiers, version), count, "{specifiers} {version}");
    }
}

/// An interpreter of the floor and the newest one both have to be allowed.
#[test]
fn requires_python_holds_on_the_whole_interval() {
    let of = |specifiers: &str| {
        told(&[
            pure("apple", "1.0", "dependencies = [\"fig\"]"),
            pure(
                "fig",
                "1.0",
                &format!("requires-python = {specifiers:?}\nautomatic = true"),
            ),
        ])
    };
    let unavailable = |place: &str| vec![format!("unavailable-dependency apple [fig]  ({place})")];
    assert_eq!(of(">=3.8"), [""; 0]);
    assert_eq!(of(">=3.11.5"), [""; 0]);
    assert_eq!(
        of(">=3.11.6"),
        unavailable("cp311 on manylinux_2_28_x86_64, win_amd64")
    );
    assert_eq!(
        of(">=3.12"),
        unavailable("cp311 on manylinux_2_28_x86_64, win_amd64")
    );
    assert_eq!(
        of(">=3.11,<3.12"),
        unavailable("cp312 on manylinux_2_28_x86_64, win_amd64")
    );
    assert_eq!(
        of("!=3.12.4"),
        unavailable("cp312 on manylinux_2_28_x86_64, win_amd64")
    );
    assert_eq!(of("!=3.11.2"), [""; 0]);
    assert_eq!(of("<3"), unavailable("all 4 platforms"));
}

/// A wheel that is missing and a Requires-Python that does not hold are mended differently.
#[test]
fn what_is_unavailable_in_two_ways_is_told_twice() {
    let found = findings(&[
        pure("apple", "1.0", "dependencies = [\"fig\"]"),
        declaration(
            "fig",
            "1.0",
            &["py3-none-win_amd64"],
            "requires-python = \">=3.12\"",
        ),
    ]);
    let messages: Vec<&str> = found
        .iter()
        .map(|finding| finding.message.as_str())
        .collect();
    assert_eq!(
        messages,
        [
            "`apple` requires `fig`, which has no wheel for these platforms",
            "`apple` requires `fig`, whose requires-python `>=3.12` excludes some patch version of \
             these platforms",
        ]
    );
    assert_eq!(found[1].labels[1].text, "does not hold");
}

/// A project that others brought along has to be where they need it, and nowhere else.
#[test]
fn an_automatic_project_covers_those_that_need_it() {
    let fig = declaration("fig", "1.0", &["py3-none-win_amd64"], "automatic = true");
    let apple = |marker: &str| {
        pure(
            "apple",
            "1.0",
            &format!("dependencies = [\"fig ; {marker}\"]"),
        )
    };
    assert_eq!(told(&[apple("os_name == 'nt'"), fig.clone()]), [""; 0]);
    assert_eq!(
        told(&[apple("python_version >= '3.12'"), fig]),
        [
            "unavailable-dependency apple [fig; python_version >= \"3.12\"]  (cp312 on manylinux_2_28_x86_64)"
        ]
    );
}

/// What nothing needs there is a warning, what something needs is not told a second time.
#[test]
fn a_platform_without_a_wheel_is_uncovered_or_unavailable() {
    let fig = declaration("fig", "1.0", &["py3-none-win_amd64"], "");
    assert_eq!(
        told(&[
            pure("apple", "1.0", "dependencies = [\"fig ; os_name == 'nt'\"]"),
            fig.clone()
        ]),
        ["uncovered-platform fig []  (cp311, cp312 on manylinux_2_28_x86_64)"]
    );
    assert_eq!(
        told(&[
            pure(
                "apple",
                "1.0",
                "dependencies = [\"fig ; python_version >= '3.12'\"]"
            ),
            fig
        ]),
        [
            "uncovered-platform fig []  (cp311 on manylinux_2_28_x86_64)",
            "unavailable-dependency apple [fig; python_version >= \"3.12\"]  (cp312 on \
             manylinux_2_28_x86_64)",
        ]
    );
}

#[test]
fn extras_are_vouched_for_on_the_wheel_that_is_used() {
    let (name, text) = declaration(
        "fig",
        "1.0",
        &["py3-none-win_amd64", "py3-none-manylinux_2_17_x86_64"],
        "extras = [\"jam\"]",
    );
    let text = text + "extras = []\n";
    assert_eq!(
        told(&[
            pure("apple", "1.0", "dependencies = [\"fig[jam]\"]"),
            (name, text)
        ]),
        ["missing-extra apple [fig[jam]]  (cp311, cp312 on manylinux_2_28_x86_64)"]
    );
}

/// An extra may ask for another extra of its own project.
#[test]
fn a_project_may_require_itself_with_an_extra() {
    let of = |extras: &str| {
        told(&[pure(
            "apple",
            "1.0",
            &format!(
                "extras = {extras}\ndependencies = [\"apple[juice] ; extra == 'all'\", \"fig ; \
                 extra == 'juice'\"]"
            ),
        )])
    };
    assert_eq!(
        of("[\"all\"]"),
        ["missing-extra apple [apple[juice]; extra == \"all\"] all (all 4 platforms)"]
    );
    assert_eq!(
        of("[\"all\", \"juice\"]"),
        ["missing-dependency apple [fig; extra == \"juice\"] juice (all 4 platforms)"]
    );
}

#[test]
fn what_no_wanted_project_reaches_is_unneeded() {
    let automatic = |name: &str, needs: &str| {
        pure(
            name,
            "1.0",
            &format!("automatic = true\ndependencies = [{needs}]"),
        )
    };
    // In a circle, too.
    assert_eq!(
        told(&[
            pure(
                "apple",
                "1.0",
                "extras = [\"juice\"]\ndependencies = [\"fig ; extra == 'juice'\"]"
            ),
            automatic("fig", "\"grape\""),
            automatic("grape", "\"fig\""),
            automatic("lemon", "\"lime\""),
            automatic("lime", "\"lemon\""),
        ]),
        ["unneeded lemon []  ()", "unneeded lime []  ()"]
    );
    // What is needed on no supported platform is not needed.
    assert_eq!(
        told(&[
            pure(
                "apple",
                "1.0",
                "dependencies = [\"fig ; sys_platform == 'darwin'\"]"
            ),
            automatic("fig", ""),
        ]),
        ["unneeded fig []  ()"]
    );
}

/// The way from a wanted project, the shortest one, with what each asks for.
#[test]
fn the_chain_leads_from_a_wanted_project() {
    let automatic = |name: &str, needs: &str| {
        pure(
            name,
            "1.0",
            &format!("automatic = true\ndependencies = [{needs}]"),
        )
    };
    let note = |declarations: &[(String, String)]| {
        let found = findings(declarations);
        let finding = found
            .iter()
            .find(|finding| finding.code.as_str() == "missing-dependency")
            .unwrap();
        finding
            .notes
            .iter()
            .find(|note| matches!(note, Note::ComesFrom(_)))
            .map(ToString::to_string)
    };
    let wanted = pure("apple", "1.0", "dependencies = [\"fig>=1\"]");
    let fig = automatic("fig", "\"grape[seed]; os_name == 'nt'\"");
    let grape = pure(
        "grape",
        "1.0",
        "automatic = true\nextras = [\"seed\"]\ndependencies = [\"absent\", \"fig\"]",
    );
    assert_eq!(
        note(&[wanted.clone(), fig.clone(), grape.clone()]).unwrap(),
        "dependency path: apple (wanted) -> fig>=1 -> grape[seed]; os_name == \"nt\""
    );
    let shorter = pure("zest", "1.0", "dependencies = [\"grape[seed]<2\"]");
    assert_eq!(
        note(&[wanted, fig, grape, shorter]).unwrap(),
        "dependency path: zest (wanted) -> grape[seed]<2"
    );
    // A wanted project needs no chain.
    assert_eq!(
        note(&[pure("apple", "1.0", "dependencies = [\"absent\"]")]),
        None
    );
}

/// The way keeps to the platforms and to the extra of what it leads to, though another is shorter.
#[test]
fn the_chain_is_one_by_which_the_need_arises() {
    let chain = |declarations: &[(String, String)], requirement: &str| {
        let found = findings(declarations);
        let finding = found
            .iter()
            .find(|finding| words(finding.subject.requirement.as_ref()) == requirement)
            .unwrap();
        finding.chain.as_ref().unwrap().to_string()
    };
    let of_platforms = [
        // The first by name leads elsewhere.
        pure(
            "apple",
            "1.0",
            "dependencies = [\"grape ; os_name == 'nt'\"]",
        ),
        pure(
            "zest",
            "1.0",
            "dependencies = [\"grape>=1 ; os_name == 'posix'\"]",
        ),
        pure(
            "grape",
            "1.0",
            "automatic = true\ndependencies = [\"absent ; os_name == 'posix'\"]",
        ),
    ];
    assert_eq!(
        chain(&of_platforms, "absent; os_name == \"posix\""),
        "zest (wanted) -> grape>=1; os_name == \"posix\""
    );
    let of_extras = [
        pure("apple", "1.0", "dependencies = [\"grape\", \"grape>=0\"]"),
        pure("zest", "1.0", "dependencies = [\"grape[all]\"]"),
        pure(
            "grape",
            "1.0",
            "automatic = true\nextras = [\"all\", \"lone\", \"seed\"]\ndependencies = [\"absent ; \
             extra == 'seed'\", \"grape[seed] ; extra == 'all'\", \"other ; extra == \
             'lone'\", \"third\"]",
        ),
    ];
    assert_eq!(
        chain(&of_extras, "absent; extra == \"seed\""),
        "zest (wanted) -> grape[all] -> grape[seed]; extra == \"all\""
    );
    // Nobody asks for this one: whoever needs the project.
    assert_eq!(
        chain(&of_extras, "other; extra == \"lone\""),
        "apple (wanted) -> grape"
    );
    assert_eq!(chain(&of_extras, "third"), "apple (wanted) -> grape");
}

/// Wheels that share a requirement in the text share the finding; a wheel that nobody uses has no
/// needs.
#[test]
fn needs_are_those_of_the_wheels_that_are_used() {
    let tags = ["py3-none-win_amd64", "py3-none-manylinux_2_17_x86_64"];
    let (name, text) = declaration("plum", "1.0", &tags, "dependencies = [\"fig\"]");
    let found = findings(&[(name.clone(), text.clone())]);
    let [finding] = found.as_slice() else {
        panic!("{found:#?}")
    };
    assert_eq!(finding.subject.wheel, None);
    let notes: Vec<String> = finding.notes.iter().map(ToString::to_string).collect();
    assert_eq!(notes, ["where: all 4 platforms"]);
    // The one for Linux has its own.
    let text = text + "dependencies = []\n";
    let found = findings(&[(name.clone(), text)]);
    let [finding] = found.as_slice() else {
        panic!("{found:#?}")
    };
    assert_eq!(
        finding.subject.wheel.as_ref().map(WheelFileName::as_str),
        Some("plum-1.0-py3-none-win_amd64.whl")
    );
    let tags = [
        "py3-none-win_amd64",
        "py3-none-manylinux_2_17_x86_64",
        "py3-none-macosx_11_0_arm64",
    ];
    let (name, text) = declaration("plum", "1.0", &tags, "");
    let text = text + "dependencies = [\"fig\"]\n";
    assert_eq!(told(&[(name, text)]), ["unused-wheel plum []  ()"]);
}

#[test]
fn an_address_is_told_as_that_and_only_once() {
    assert_eq!(
        told(&[pure(
            "apple",
            "1.0",
            "dependencies = [\"fig @ https://example.org/fig.whl\"]"
        )]),
        ["direct-reference apple [fig @ https://example.org/fig.whl]  (all 4 platforms)"]
    );
}

/// A project whose text could not be understood is there: what requires it is not wrong.
#[test]
fn an_unreadable_project_is_not_missing() {
    let built = built(&[pure("apple", "1.0", "dependencies = [\"fig>=1\"]")]);
    built.write("declarations/fig.toml", "source = \n");
    let repository = Repository::load(built.path()).unwrap();
    assert_eq!(check::set(&repository), []);
    assert_eq!(repository.unreadable.len(), 1);
}

#[test]
fn a_mistyped_project_has_the_nearest_one_beside_it() {
    let found = findings(&[
        pure("apple", "1.0", "dependencies = [\"colorma\"]"),
        pure("colorama", "0.4.6", ""),
    ]);
    let [finding] = found.as_slice() else {
        panic!("{found:#?}")
    };
    assert!(
        finding
            .notes
            .iter()
            .any(|note| note.to_string() == "the set has a project with a similar name: `colorama`"),
        "{finding:#?}"
    );
}

/// A comparison without meaning is told once, though three wheels share it.
#[test]
fn an_undefined_comparison_is_told_once() {
    let tags = ["py3-none-win_amd64", "py3-none-manylinux_2_17_x86_64"];
    let found = told(&[
        declaration(
            "plum",
            "1.0",
            &tags,
            "dependencies = [\"fig ; sys_platform > 'linux'\"]",
        ),
        pure("fig", "1.0", ""),
    ]);
    assert_eq!(
        found,
        ["undefined-marker plum [fig; sys_platform > \"linux\"]  ()"]
    );
}

/// Where somebody answers for two wheels that one installer accepts, it may take either: what each
/// needs has to be there, and each version has to do.
#[test]
fn each_wheel_counts_that_an_installer_may_take() {
    let wheel = |version: &str, tag: &str, dependencies: &str| {
        let cid = content_id(&format!("{version}-{tag}"));
        format!(
            "[[wheel]]\nsource = \"https://example.org/native-{version}-{tag}.whl\"\ncontent-id \
             = \"{cid}\"\nextras = []\ndependencies = [{dependencies}]\n"
        )
    };
    let two = |second: &str, dependencies: &str| {
        let text = wheel("1.10", "cp311-abi3-win_amd64", "")
            + &wheel("1.10", "cp311-abi3-manylinux_2_17_x86_64", "")
            + &wheel(second, "cp312-cp312-win_amd64", dependencies);
        ("native".to_owned(), text)
    };
    let codes = |declarations: &[(String, String)]| -> Vec<String> {
        let all = findings(declarations).into_iter();
        all.map(|finding| finding.code.to_string()).collect()
    };
    assert_eq!(codes(&[two("1.10", "")]), ["ambiguous-wheels"]);
    assert_eq!(
        codes(&[two("1.10", "\"absent\"")]),
        ["ambiguous-wheels", "missing-dependency"]
    );
    let caller = pure("caller", "1.0", "dependencies = [\"native>=1.10\"]");
    assert_eq!(
        codes(&[two("1.10", ""), caller.clone()]),
        ["ambiguous-wheels"]
    );
    assert_eq!(
        codes(&[two("1.9", ""), caller]),
        ["several-versions", "unsatisfied-dependency"]
    );
}
