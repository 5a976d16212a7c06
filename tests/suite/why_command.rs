//! `ipwhl why`.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use ipwhl::command::ExitStatus;
use ipwhl::set::graph::{Graph, paths_to};
use ipwhl::set::repository::Repository;
use ipwhl_packaging::ProjectName;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::support::declared_set::{DeclaredSet, ladder};
use crate::support::program::{Program, Run};
use crate::support::repository_builder::BuiltRepository;
use crate::support::strategies::{cases, hold};

fn why(repository: &BuiltRepository, arguments: &[&str]) -> Run {
    let line: Vec<&str> = ["why"].iter().chain(arguments).copied().collect();
    Program::new(repository.path()).run(&line)
}

#[track_caller]
fn text(repository: &BuiltRepository, arguments: &[&str]) -> String {
    why(repository, arguments).expect(ExitStatus::Clean).stdout
}

fn answer(repository: &BuiltRepository, arguments: &[&str]) -> Value {
    let line: Vec<&str> = arguments
        .iter()
        .chain(&["--format", "json"])
        .copied()
        .collect();
    serde_json::from_str(&text(repository, &line)).unwrap()
}

fn fruit() -> DeclaredSet {
    DeclaredSet::new()
        .wanted(
            "apple 1.0 [juice]",
            &[
                "banana>=2",
                "damson; extra == 'juice'",
                "cherry[stone]; sys_platform == 'win32'",
            ],
        )
        .wanted("plum 3.0", &["apple", "grape<2; python_version < '3.13'"])
        .automatic("banana 2.1", &["cherry"])
        .automatic(
            "cherry 0.3 [stone]",
            &["damson>=5; extra == 'stone'", "grape>=1"],
        )
        .automatic("damson 5.0.1", &["elder>=7; sys_platform == 'linux'"])
        .automatic("grape 1.1", &["banana"])
        .automatic("fig 1.0", &["lemon"])
        .automatic("lemon 1.0", &[])
}

/// Through a circle of three, and only where each step holds.
#[test]
fn every_path_is_told_the_shortest_first() {
    let repository = fruit().build();
    insta::assert_snapshot!(text(&repository, &["damson"]));
    insta::assert_snapshot!(text(&repository, &["elder"]));
    // Each requirement of a step that has several.
    insta::assert_snapshot!(text(
        &repository,
        &["--platform", "cp313-win_amd64", "cherry"]
    ));
    // Who asks for an extra.
    insta::assert_snapshot!(text(&repository, &["cherry[stone]"]), @r"
    cherry[stone] 0.3 is automatic; 2 paths lead to it:
      apple 1.0 -> cherry[stone] [only: cp312, cp313 on win_amd64]
      plum 3.0 -> apple -> cherry[stone] [only: cp312, cp313 on win_amd64]
    ");
}

/// A path whose steps hold on different platforms only is none.
#[test]
fn a_path_holds_on_a_platform_as_a_whole() {
    let repository = DeclaredSet::new()
        .wanted("apple 1.0", &["banana; sys_platform == 'linux'", "cherry"])
        .automatic("banana 1.0", &["damson; sys_platform == 'win32'"])
        .automatic("cherry 1.0", &["damson; sys_platform == 'win32'"])
        .automatic("damson 1.0", &[])
        .build();
    insta::assert_snapshot!(text(&repository, &["damson"]), @r"
    damson 1.0 is automatic; 1 path leads to it:
      apple 1.0 -> cherry -> damson [only: cp312, cp313 on win_amd64]
    ");
    let none = text(
        &repository,
        &["damson", "--platform", "manylinux_2_28_x86_64"],
    );
    assert_eq!(none, "damson 1.0 is automatic, and nothing requires it\n");
}

#[test]
fn what_no_path_leads_to_is_said_so() {
    let repository = fruit().file("declarations/kiwi.toml", "=").build();
    for (name, words) in [
        ("plum", "plum 3.0 is wanted, and nothing else requires it\n"),
        ("fig", "fig 1.0 is automatic, and nothing requires it\n"),
        (
            "lemon",
            "lemon 1.0 is automatic, and no wanted project leads to it, only fig\n",
        ),
        (
            "kiwi",
            "kiwi is declared, but its declaration cannot be read, and nothing requires it\n",
        ),
        (
            "apple",
            "apple 1.0 is wanted; 1 path leads to it:\n  plum 3.0 -> apple\n",
        ),
    ] {
        assert_eq!(text(&repository, &[name]), words, "{name}");
    }
    let elder = text(&repository, &["elder", "lemon"]);
    assert!(elder.starts_with("elder is not in the set; "), "{elder}");
    assert!(
        elder.contains("elder>=7 [unmet: not in the set]"),
        "{elder}"
    );
    assert!(elder.contains("\n\nlemon 1.0 is automatic"), "{elder}");
    let run = why(&repository, &["aple"]).expect(ExitStatus::Usage);
    assert!(
        run.stderr.contains("did you mean `apple`?"),
        "{}",
        run.stderr
    );
    assert_eq!(run.stdout, "");
}

/// A number that nobody could walk, told exactly and at once.
#[test]
fn a_ladder_is_counted_and_not_walked() {
    let repository = ladder(60).build();
    let run = why(&repository, &["end"]).expect(ExitStatus::Clean);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(
        lines[0],
        format!("end 1.0 is automatic; {} paths lead to it:", 1_u64 << 60)
    );
    assert_eq!(lines.len(), 1 + 10 + 1);
    assert_eq!(lines[11], format!("  and {} more", (1_u64 << 60) - 10));
    assert!(
        lines[1].ends_with("-> left-058 -> left-059 -> end"),
        "{}",
        lines[1]
    );
    assert!(
        lines[2].ends_with("-> left-058 -> right-059 -> end"),
        "{}",
        lines[2]
    );
    assert!(run.stderr.contains("`--all`"), "{}", run.stderr);
    let answer = answer(&repository, &["end"]);
    assert_eq!(answer["ways"][0]["count"], json!(1_u64 << 60));
    assert_eq!(answer["ways"][0]["is_at_least"], json!(false));
    assert_eq!(answer["ways"][0]["paths"].as_array().unwrap().len(), 10);
    assert_eq!(answer["nodes"].as_array().unwrap().len(), 122);
    assert_eq!(answer["edges"].as_array().unwrap().len(), 2 + 59 * 4 + 2);
}

/// More paths than a number holds, and a circle among them: what was counted is said to be less
/// than all.
#[test]
fn what_cannot_be_counted_is_said_to_be_more() {
    let high = ladder(70).build();
    let first = text(&high, &["end"]);
    let words = format!("at least {} paths lead to it:", u64::MAX);
    assert!(first.contains(&words), "{first}");
    let round = ladder(40)
        .automatic("right-039 1.0", &["end", "left-000"])
        .build();
    let answer = answer(&round, &["end"]);
    assert_eq!(answer["ways"][0]["is_at_least"], json!(true));
    let paths = answer["ways"][0]["paths"].as_array().unwrap();
    assert_eq!(paths.len(), 10);
    assert_eq!(paths[0]["projects"].as_array().unwrap().len(), 42);
}

#[test]
fn all_shows_every_path() {
    let repository = ladder(5).build();
    let some = text(&repository, &["end"]);
    assert!(some.ends_with("\n  and 22 more\n"), "{some}");
    let run = why(&repository, &["end", "--all"]).expect(ExitStatus::Clean);
    let lines: BTreeSet<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 33);
    assert!(!run.stdout.contains("more"));
    assert_eq!(run.stderr.matches("--all").count(), 0, "{}", run.stderr);
}

/// Two questions about one project, both of two extras, and an extra of what is wanted by itself.
#[test]
fn extras_make_questions_of_their_own() {
    let repository = DeclaredSet::new()
        .wanted("apple 1.0", &["cherry[pit]", "plum[jam]"])
        .wanted(
            "banana 1.0",
            &[
                "cherry[pit,stone]; sys_platform == 'linux'",
                "cherry>=1; sys_platform == 'win32'",
            ],
        )
        .automatic("cherry 1.0 [pit, stone]", &["banana"])
        .wanted("plum 1.0 [jam]", &["plum[jam]; extra == 'jam'"])
        .build();
    insta::assert_snapshot!(
        text(&repository, &["cherry[pit,stone]", "cherry", "plum[jam]", "plum"]),
        @r"
    cherry[pit,stone] 1.0 is automatic; 1 path leads to it:
      banana 1.0 -> cherry[pit,stone] [only: cp312, cp313 on manylinux_2_28_x86_64]

    cherry 1.0 is automatic; 2 paths lead to it:
      apple 1.0 -> cherry[pit]
      banana 1.0 -> cherry>=1 or cherry[pit,stone]

    plum[jam] 1.0 is wanted, without extras; 1 path leads to it:
      apple 1.0 -> plum[jam]

    plum 1.0 is wanted; 1 path leads to it:
      apple 1.0 -> plum[jam]
    "
    );
    // An edge once, however many questions it answers, and none from where a path ends.
    let drawn = answer(&repository, &["cherry[pit,stone]", "cherry"]);
    let edges = drawn["edges"].as_array().unwrap();
    let edges: Vec<String> = edges
        .iter()
        .map(|edge| format!("{} {}", edge["from"], edge["requirement"]).replace(['"', '\\'], ""))
        .collect();
    assert_eq!(
        edges,
        [
            "banana cherry[pit,stone]; sys_platform == linux",
            "apple cherry[pit]",
            "banana cherry>=1; sys_platform == win32",
        ]
    );
}

/// Of several requirements of a step those are told that hold where the path does.
#[test]
fn a_step_is_told_as_it_holds_on_the_path() {
    let repository = DeclaredSet::new()
        .wanted("apple 1.0", &["banana; sys_platform == 'linux'"])
        .automatic(
            "banana 1.0",
            &[
                "cherry>=1; sys_platform == 'win32'",
                "cherry<2; sys_platform == 'linux'",
            ],
        )
        .automatic("cherry 1.0", &[])
        .build();
    insta::assert_snapshot!(text(&repository, &["cherry"]), @r"
    cherry 1.0 is automatic; 1 path leads to it:
      apple 1.0 -> banana -> cherry<2 [only: cp312, cp313 on manylinux_2_28_x86_64]
    ");
}

/// A wanted project to which only something leads that nobody wants.
#[test]
fn what_is_wanted_and_led_to_by_nobody_says_so() {
    let repository = DeclaredSet::new()
        .wanted("apple 1.0", &["banana; sys_platform == 'linux'"])
        .automatic("banana 1.0", &[])
        .automatic("fig 1.0", &["apple", "banana"])
        .build();
    assert_eq!(
        text(&repository, &["apple"]),
        "apple 1.0 is wanted, and no other wanted project leads to it, only fig\n"
    );
    // Nor does a requirement of its own make it needed.
    let alone = DeclaredSet::new()
        .wanted("plum 1.0 [jam]", &["plum[jam]; extra == 'jam'"])
        .build();
    assert_eq!(
        text(&alone, &["plum"]),
        "plum 1.0 is wanted, and nothing else requires it\n"
    );
    // It is no part of a drawing either, nor on platforms where the step does not hold.
    let drawn = answer(&repository, &["banana"]);
    assert_eq!(drawn["edges"].as_array().unwrap().len(), 1);
    assert_eq!(drawn["nodes"].as_array().unwrap().len(), 2);
}

#[test]
fn drawings_hold_the_part_that_the_paths_lie_in() {
    let repository = fruit().build();
    insta::assert_snapshot!(
        "damson_mermaid",
        text(&repository, &["damson", "--format", "mermaid"])
    );
    let dot = text(&repository, &["damson", "--format", "dot"]);
    assert!(!dot.contains("lemon") && !dot.contains("elder"), "{dot}");
    let answer = answer(&repository, &["damson", "lemon"]);
    assert_eq!(answer["roots"], json!(["damson", "lemon"]));
    assert_eq!(
        answer["ways"][1],
        json!({"project": "lemon", "count": 0, "is_at_least": false, "paths": []})
    );
    assert_eq!(
        answer["ways"][0]["paths"][0],
        json!({"projects": ["apple", "damson"], "platforms": [
            "cp312-manylinux_2_28_x86_64", "cp312-win_amd64",
            "cp313-manylinux_2_28_x86_64", "cp313-win_amd64",
        ]})
    );
}

/// Against the simplest program that could be right, on made-up sets: with and without circles,
/// requirements on all platforms and on some.
#[test]
fn paths_are_those_that_a_plain_search_finds() {
    const NAMES: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];
    const PLACES: [(&str, &[usize]); 3] = [
        ("", &[0, 1, 2, 3]),
        ("; sys_platform == 'linux'", &[0, 2]),
        ("; python_version < '3.13'", &[0, 1]),
    ];
    type Edges = BTreeMap<(usize, usize), BTreeSet<usize>>;
    fn search(
        edges: &Edges,
        target: usize,
        trail: &mut Vec<usize>,
        platforms: &BTreeSet<usize>,
        found: &mut Vec<(Vec<usize>, BTreeSet<usize>)>,
    ) {
        let here = trail[trail.len() - 1];
        if here == target {
            found.push((trail.clone(), platforms.clone()));
            return;
        }
        for ((from, to), holds) in edges {
            let common: BTreeSet<usize> = platforms.intersection(holds).copied().collect();
            if *from == here && !trail.contains(to) && !common.is_empty() {
                trail.push(*to);
                search(edges, target, trail, &common, found);
                trail.pop();
            }
        }
    }
    let (with_circles, many) = (Cell::new(0), Cell::new(0));
    let edge = option::weighted(0.4, select(&PLACES[..]));
    let edges = vec(vec(edge, NAMES.len()), NAMES.len());
    let wanted = vec(proptest::bool::weighted(1.0 / 3.0), NAMES.len());
    hold(
        60,
        (any::<bool>(), edges, wanted),
        |(allows_circles, made, wanted)| {
            let mut edges = Edges::new();
            let mut requires: Vec<Vec<String>> = vec![Vec::new(); NAMES.len()];
            for (from, requires) in requires.iter_mut().enumerate() {
                for (to, name) in NAMES.iter().enumerate() {
                    let Some((marker, place)) = made[from][to] else {
                        continue;
                    };
                    if from == to || (to < from && !allows_circles) {
                        continue;
                    }
                    requires.push(format!("{name}{marker}"));
                    edges.insert((from, to), place.iter().copied().collect());
                }
            }
            let mut set = DeclaredSet::new();
            for (index, name) in NAMES.iter().enumerate() {
                let requires: Vec<&str> = requires[index].iter().map(String::as_str).collect();
                let project = format!("{name} 1.0");
                set = if wanted[index] {
                    set.wanted(&project, &requires)
                } else {
                    set.automatic(&project, &requires)
                };
            }
            let built = set.build();
            let repository = Repository::load(built.path()).unwrap();
            let graph = Graph::new(&repository);
            let relations = graph.relations();
            for (target, name) in NAMES.iter().enumerate() {
                let mut expected = Vec::new();
                for start in (0..NAMES.len()).filter(|start| wanted[*start] && *start != target) {
                    let everywhere = (0..4).collect();
                    search(&edges, target, &mut vec![start], &everywhere, &mut expected);
                }
                // Names are in the order of their numbers.
                expected.sort_by_key(|(trail, _)| (trail.len(), trail.clone()));
                let name: ProjectName = name.parse().unwrap();
                let paths = paths_to(relations, &name, &BTreeSet::new(), usize::MAX);
                let found: Vec<(Vec<usize>, BTreeSet<usize>)> = paths
                    .shortest
                    .iter()
                    .map(|path| {
                        let trail = path.projects.iter().map(|project| {
                            NAMES
                                .iter()
                                .position(|name| *name == project.as_str())
                                .unwrap()
                        });
                        (trail.collect(), path.platforms.clone())
                    })
                    .collect();
                assert_eq!(found, expected, "{name}");
                assert_eq!(
                    (paths.count, paths.is_at_least),
                    (expected.len() as u64, false)
                );
                let two = paths_to(relations, &name, &BTreeSet::new(), 2);
                assert_eq!(two.shortest, paths.shortest[..paths.shortest.len().min(2)]);
                assert_eq!((two.count, two.is_at_least), (paths.count, false));
                many.set(many.get() + u32::from(paths.count > 5));
            }
            let has_circle = edges
                .keys()
                .any(|(from, to)| edges.contains_key(&(*to, *from)));
            with_circles.set(with_circles.get() + u32::from(has_circle));
        },
    );
    let (with_circles, many) = (with_circles.get(), many.get());
    assert!(
        cases(60) < 60 || with_circles > 3 && many > 6,
        "{with_circles} {many}"
    );
}
