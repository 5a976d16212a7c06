//! What is asked of the graph: relations from both ends, some platforms, names as they are typed,
//! walks, paths, removals.

use std::collections::BTreeSet;

use ipwhl::set::graph::{
    Direction, Graph, GraphQuery, QueryError, Relation, Removals, UnsatisfiedReason, Visit, Walk,
    group_relations, member, paths_to, select_platforms,
};
use ipwhl::set::repository::Repository;
use ipwhl_packaging::{ExtraName, ProjectName};

use crate::support::declared_set::DeclaredSet;

/// A set with extras, markers, a circle, and what it does not satisfy.
fn loaded() -> Repository {
    let built = DeclaredSet::new()
        .wanted(
            "apple 1.0 [all, juice]",
            &[
                "apple[juice]; extra == 'all'",
                "banana>=2",
                "cherry[stone]; sys_platform == 'win32'",
                "damson; extra == 'juice'",
            ],
        )
        .automatic("banana 2.1", &["grape>=1.0", "grape>=1; extra == 'seed'"])
        .automatic("cherry 0.3 [stone]", &["damson>=6; extra == 'stone'"])
        .automatic("damson 5.0", &["elder"])
        .automatic("grape 1.1", &["banana", "quince[pip]<3"])
        .wanted("plum 3.0", &["banana; python_version < '3.13'"])
        .file("declarations/quince.toml", "wheel = 3\n")
        .build();
    Repository::load(built.path()).unwrap()
}

fn name(text: &str) -> ProjectName {
    text.parse().unwrap()
}

fn names(texts: &[&str]) -> BTreeSet<ProjectName> {
    texts.iter().map(|text| name(text)).collect()
}

fn extras(texts: &[&str]) -> BTreeSet<ExtraName> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn texts(projects: &BTreeSet<&ProjectName>) -> Vec<String> {
    projects.iter().map(ToString::to_string).collect()
}

/// `from -> requirement (extra)`, and why it is not satisfied.
fn words(relation: &Relation<'_>) -> String {
    let extra = relation.extra.map(|extra| format!(" ({extra})"));
    let reason = relation.unsatisfied.as_ref();
    let reason = reason.map(|reason| format!(": {reason}"));
    format!(
        "{} -> {}{}{}",
        relation.from.project,
        relation.requirement,
        extra.unwrap_or_default(),
        reason.unwrap_or_default()
    )
}

fn all<'a, 'r: 'a>(relations: impl IntoIterator<Item = &'a Relation<'r>>) -> Vec<String> {
    relations.into_iter().map(words).collect()
}

#[test]
fn a_relation_is_found_from_both_of_its_ends() {
    let repository = loaded();
    let graph = Graph::new(&repository);
    let relations = graph.relations();
    assert_eq!(
        all(relations.of(&name("apple"))),
        [
            "apple -> apple[juice]; extra == \"all\" (all)",
            "apple -> banana>=2",
            "apple -> cherry[stone]; sys_platform == \"win32\"",
            "apple -> damson; extra == \"juice\" (juice)",
        ]
    );
    assert_eq!(
        all(relations.naming(&name("damson"))),
        [
            "apple -> damson; extra == \"juice\" (juice)",
            "cherry -> damson>=6; extra == \"stone\" (stone): another version is in the set",
        ]
    );
    assert_eq!(
        all(relations.between(&name("grape"), &name("quince"))),
        ["grape -> quince[pip]<3: its declaration cannot be read"]
    );
    assert_eq!(
        all(relations.of(&name("damson"))),
        ["damson -> elder: not in the set"]
    );
    // From either end it is the same.
    for relation in relations {
        let is_same = |other: &Relation<'_>| std::ptr::eq(other, relation);
        assert!(relations.of(&relation.from.project).iter().any(is_same));
        assert!(relations.naming(relation.to()).any(is_same));
        let between = relations.between(&relation.from.project, relation.to());
        assert!(between.iter().any(is_same));
    }
    let neighbours =
        |project: &str, direction| texts(&relations.neighbours(&name(project), direction));
    let required = neighbours("apple", Direction::Required);
    assert_eq!(required, ["banana", "cherry", "damson"]);
    let requirers = neighbours("banana", Direction::Requirers);
    assert_eq!(requirers, ["apple", "grape", "plum"]);
    let from = name("grape");
    let reach = |direction| texts(&relations.reach([&from], direction, |_| true));
    assert_eq!(reach(Direction::Required), ["banana", "grape", "quince"]);
    assert_eq!(
        reach(Direction::Requirers),
        ["apple", "banana", "grape", "plum"]
    );
}

/// Wheels that state the same are one relation, on the platforms of all of them.
#[test]
fn what_several_wheels_state_is_one_relation() {
    let wheel = |tag: &str, requires: &str| {
        let cid = crate::support::content_id(tag);
        format!(
            "[[wheel]]\nsource = \"https://example.org/p-1.0-{tag}.whl\"\ncontent-id = \"{cid}\"\n\
             extras = []\ndependencies = [{requires}]\n"
        )
    };
    let text = wheel("py3-none-manylinux_2_28_x86_64", "\"banana>=2\", \"elder\"")
        + &wheel("py3-none-win_amd64", "\"elder\", \"banana >= 2\"");
    let built = DeclaredSet::new()
        .automatic("banana 2.1", &[])
        .file("declarations/p.toml", &text)
        .build();
    let repository = Repository::load(built.path()).unwrap();
    let graph = Graph::new(&repository);
    let relations = graph.relations();
    assert_eq!(
        all(relations),
        ["p -> banana>=2", "p -> elder: not in the set"]
    );
    for relation in relations {
        assert_eq!(relation.platforms, (0..4).collect());
    }
    // On one platform it is what the wheel says that is used there.
    let windows = select_platforms(&repository, &["win_amd64".to_owned()]).unwrap();
    let narrowed = graph.relations_on(&windows);
    assert_eq!(all(&narrowed), all(relations));
    let (wide, narrow) = (&relations.of(&name("p"))[1], &narrowed.of(&name("p"))[1]);
    assert!(narrow.span().start > wide.span().start);
    assert_eq!(narrow.platforms, windows);
}

#[test]
fn a_query_looks_at_some_platforms() {
    let repository = loaded();
    let linux = ["manylinux_2_28_x86_64".to_owned()];
    let query = GraphQuery::new(&repository, &linux).unwrap();
    assert_eq!(
        query.graph.platform_names(&query.selected),
        ["cp312-manylinux_2_28_x86_64", "cp313-manylinux_2_28_x86_64"]
    );
    assert!(
        query
            .relations()
            .between(&name("apple"), &name("cherry"))
            .is_empty()
    );
    // Of a relation that holds in part elsewhere, the part that holds here is left.
    let plum = &query.relations().of(&name("plum"))[0];
    assert_eq!(
        query.graph.platform_names(&plum.platforms),
        ["cp312-manylinux_2_28_x86_64"]
    );
    assert_eq!(
        query.project(&name("elder")).map(ProjectName::as_str),
        Some("elder")
    );
    assert_eq!(
        query.project(&name("quince")).map(ProjectName::as_str),
        Some("quince")
    );
    assert_eq!(query.project(&name("nobody")), None);
    let everywhere = GraphQuery::new(&repository, &[]).unwrap();
    assert_eq!(
        all(everywhere.relations()),
        all(everywhere.graph.relations())
    );
}

#[test]
fn names_are_read_as_they_are_typed() {
    let repository = loaded();
    let query = GraphQuery::new(&repository, &[]).unwrap();
    let named = query.parse_project("Apple[ALL,juice]").unwrap();
    assert_eq!(
        (named.project, named.extras),
        (name("apple"), extras(&["all", "juice"]))
    );
    // What is asked for in vain, and what is not declared, can be asked about, too.
    for text in ["quince[pip]", "elder", "elder[any]"] {
        assert!(query.parse_project(text).is_ok(), "{text}");
    }
    assert!(matches!(
        query.parse_project("apple and more"),
        Err(QueryError::NotAProject { text }) if text == "apple and more"
    ));
    for text in ["apple>=1", "apple; python_version < '3'"] {
        assert!(matches!(
            query.parse_project(text),
            Err(QueryError::VersionOrMarker { project, .. }) if project == name("apple")
        ));
    }
    assert_eq!(
        query.parse_project("aple").unwrap_err(),
        QueryError::NotInSet {
            project: name("aple"),
            similar: Some("apple".to_owned())
        }
    );
    assert_eq!(
        query.parse_project("apple[pit]").unwrap_err(),
        QueryError::NoExtra {
            project: name("apple"),
            extra: "pit".parse().unwrap(),
            declared: extras(&["all", "juice"])
        }
    );
    assert_eq!(member(&repository, "quince"), Ok(name("quince")));
    assert!(matches!(
        member(&repository, "apple[all]"),
        Err(QueryError::NamesExtra { project, .. }) if project == name("apple")
    ));
    // A member is declared; to be required is not enough.
    assert!(matches!(
        member(&repository, "elder"),
        Err(QueryError::NotInSet { .. })
    ));
    assert_eq!(
        select_platforms(&repository, &["win_amd46".to_owned()]).unwrap_err(),
        QueryError::NoSuchPlatform {
            text: "win_amd46".to_owned(),
            similar: Some("win_amd64".to_owned())
        }
    );
}

#[test]
fn a_set_that_is_not_known_has_no_members() {
    let built = DeclaredSet::new().configuration("what = 3\n[[").build();
    let repository = Repository::load(built.path()).unwrap();
    assert_eq!(
        member(&repository, "apple").unwrap_err(),
        QueryError::UnknownSet {
            project: name("apple")
        }
    );
}

/// The projects that the branches of one lead to.
fn branches(walk: &Walk<'_, '_>, visit: &Visit<'_>) -> Vec<String> {
    let query = walk.query;
    let visit = Visit {
        project: query.project(visit.project).unwrap(),
        active: visit.active.clone(),
    };
    let branches = walk.branches(&visit);
    assert_eq!(walk.has_branches(&visit), !branches.is_empty());
    let branches = branches.into_iter();
    branches.map(|(_, next)| next.project.to_string()).collect()
}

#[test]
fn a_walk_goes_down_by_the_extras_that_count() {
    let repository = loaded();
    let query = GraphQuery::new(&repository, &[]).unwrap();
    let walk = Walk::new(&query, Direction::Required);
    let roots = walk.roots(&[], None).unwrap();
    let starts: Vec<&str> = roots.iter().map(|root| root.project.as_str()).collect();
    assert_eq!(starts, ["apple", "plum"]);
    // With all extras, without any, and with one that asks for another of its own project.
    assert_eq!(branches(&walk, &roots[0]), ["banana", "cherry", "damson"]);
    let apple = ["apple".to_owned()];
    let plain = walk.roots(&apple, Some(&[])).unwrap();
    assert_eq!(branches(&walk, &plain[0]), ["banana", "cherry"]);
    let with_all = walk.roots(&apple, Some(&["all".parse().unwrap()])).unwrap();
    assert_eq!(
        branches(&walk, &with_all[0]),
        ["banana", "cherry", "damson"]
    );
    let named = walk.roots(&["apple[all]".to_owned()], None).unwrap();
    assert_eq!(named, with_all);
    // Below, only what is asked for counts.
    let cherry = walk.branches(&with_all[0])[1].1.clone();
    assert_eq!(cherry.active, Some(extras(&["stone"])));
    assert_eq!(branches(&walk, &cherry), ["damson"]);
    assert_eq!(
        walk.roots(&apple, Some(&["pit".parse().unwrap()]))
            .unwrap_err(),
        QueryError::NoExtraOfAny {
            extra: "pit".parse().unwrap(),
            declared: extras(&["all", "juice"])
        }
    );
    // A circle is gone through once.
    let part = walk.reached(&roots, usize::MAX);
    let whole = [
        "apple", "banana", "cherry", "damson", "elder", "grape", "plum", "quince",
    ];
    assert_eq!(texts(&part.projects), whole);
    assert_eq!(part.relations.len(), query.relations().iter().count() - 1);
    let near = walk.reached(&plain, 1);
    assert_eq!(texts(&near.projects), ["apple", "banana", "cherry"]);
    assert_eq!(
        all(near.relations),
        [
            "apple -> banana>=2",
            "apple -> cherry[stone]; sys_platform == \"win32\""
        ]
    );
}

#[test]
fn a_walk_goes_up_to_who_requires() {
    let repository = loaded();
    let query = GraphQuery::new(&repository, &[]).unwrap();
    let walk = Walk::new(&query, Direction::Requirers);
    let roots = walk
        .roots(&["banana".to_owned(), "cherry[stone]".to_owned()], None)
        .unwrap();
    assert_eq!(branches(&walk, &roots[0]), ["apple", "grape", "plum"]);
    assert_eq!(branches(&walk, &roots[1]), ["apple"]);
    let part = walk.reached(&roots, usize::MAX);
    assert_eq!(
        texts(&part.projects),
        ["apple", "banana", "cherry", "grape", "plum"]
    );
    // Who asks for less than the extras does not require it.
    let roots = walk.roots(&["quince[pip]".to_owned()], None).unwrap();
    assert_eq!(branches(&walk, &roots[0]), ["grape"]);
    let elsewhere = GraphQuery::new(&repository, &["manylinux_2_28_x86_64".to_owned()]).unwrap();
    let walk = Walk::new(&elsewhere, Direction::Requirers);
    let roots = walk.roots(&["cherry".to_owned()], None).unwrap();
    assert_eq!(branches(&walk, &roots[0]), [""; 0]);
}

#[test]
fn paths_lead_from_requested_projects() {
    let repository = loaded();
    let graph = Graph::new(&repository);
    let paths = |target: &str, asked: &[&str]| {
        let target = name(target);
        let target = graph.relations().name(&target).unwrap();
        let paths = paths_to(graph.relations(), target, &extras(asked), 10);
        let shortest = paths.shortest.iter().map(|path| {
            let projects: Vec<&str> = path.projects.iter().map(|name| name.as_str()).collect();
            format!("{} on {}", projects.join(" "), path.platforms.len())
        });
        (shortest.collect::<Vec<String>>(), texts(&paths.through))
    };
    assert_eq!(
        paths("damson", &[]).0,
        ["apple damson on 4", "apple cherry damson on 2"]
    );
    let (shortest, through) = paths("quince", &["pip"]);
    assert_eq!(
        shortest,
        [
            "apple banana grape quince on 4",
            "plum banana grape quince on 2"
        ]
    );
    assert_eq!(through, ["apple", "banana", "grape", "plum", "quince"]);
    // Nothing asks for that much.
    assert_eq!(paths("quince", &["core"]), (Vec::new(), Vec::new()));
}

#[test]
fn the_path_to_a_requirement_is_the_shortest() {
    let repository = loaded();
    let graph = Graph::new(&repository);
    let path_to = |from: &str, to: &str| {
        let relation = &graph.relations().between(&name(from), &name(to))[0];
        let path = graph.requirer_path(relation, &relation.platforms)?;
        let requirements = path.requirements.iter().map(ToString::to_string);
        Some((
            path.requested.to_string(),
            requirements.collect::<Vec<String>>(),
        ))
    };
    assert_eq!(
        path_to("grape", "quince"),
        Some((
            "apple".to_owned(),
            vec!["banana>=2".to_owned(), "grape>=1.0".to_owned()]
        ))
    );
    // Someone asked for the one that requires.
    assert_eq!(path_to("apple", "banana"), None);
}

#[test]
fn a_removal_leaves_over_what_nothing_else_needs() {
    let repository = loaded();
    let graph = Graph::new(&repository);
    let removals = Removals::new(&repository, graph.relations());
    let outcome = removals.removal(&names(&["apple"]), false);
    assert_eq!(texts(&outcome.left_over), ["cherry", "damson"]);
    assert_eq!(all(outcome.broken), [""; 0]);
    let outcome = removals.removal(&names(&["apple", "plum"]), true);
    assert_eq!(
        texts(&outcome.left_over),
        ["banana", "cherry", "damson", "grape"]
    );
    let broken = removals.removal(&names(&["damson"]), false).broken;
    assert_eq!(
        all(broken),
        [
            "apple -> damson; extra == \"juice\" (juice)",
            "cherry -> damson>=6; extra == \"stone\" (stone): another version is in the set",
        ]
    );
    assert_eq!(
        removals.still_needed(&names(&["apple", "banana"]), false),
        names(&["banana"])
    );
    assert_eq!(
        removals.with_requirers(&names(&["damson"]), false),
        names(&["apple", "cherry", "damson"])
    );
    // What only they needed goes by itself then.
    assert_eq!(
        removals.with_requirers(&names(&["damson"]), true),
        names(&["apple", "damson"])
    );
}

#[test]
fn relations_that_read_the_same_are_one_group() {
    let built = DeclaredSet::new()
        .wanted(
            "apple 1.0 [all, juice, pit]",
            &[
                "banana>=2; sys_platform == 'win32'",
                "banana>=2; sys_platform == 'linux'",
                "cherry<1; extra == 'juice'",
                "cherry<1; extra == 'pit'",
                "cherry<1; extra == 'all' and python_version < '3.13'",
            ],
        )
        .automatic("banana 1.0", &[])
        .build();
    let repository = Repository::load(built.path()).unwrap();
    let graph = Graph::new(&repository);
    let groups = group_relations(graph.relations());
    let told: Vec<String> = groups
        .iter()
        .map(|group| {
            let extras: Vec<&str> = group.extras.iter().map(|extra| extra.as_str()).collect();
            let places = group.platforms.len();
            format!("{} ({}) on {places}", group.words, extras.join(", "))
        })
        .collect();
    assert_eq!(
        told,
        [
            "banana>=2 () on 4",
            "cherry<1 (all) on 2",
            "cherry<1 (juice, pit) on 4"
        ]
    );
    assert_eq!(
        groups[0].unsatisfied,
        Some(&UnsatisfiedReason::OtherVersion)
    );
    assert_eq!(groups[1].unsatisfied, Some(&UnsatisfiedReason::Missing));
    let needs = graph.unsatisfied_needs();
    let needed: Vec<&str> = needs.iter().map(|need| need.project.as_str()).collect();
    assert_eq!(needed, ["banana", "cherry"]);
}
