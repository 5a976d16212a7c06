//! `set::resolve` as a library: versions and wheels of an index, chosen for a set.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl::foundation::failure::FailureKind;
use ipwhl::set::gather::Network;
use ipwhl::set::graph::Graph;
use ipwhl::set::repository::Repository;
use ipwhl::set::resolve::{Addition, COMMAND_LINE, Origin, Outdated, ProjectRequest, Projects};
use ipwhl_packaging::{ProjectName, parse_specifiers};

use crate::support::bench::{Bench, pure};

fn name(text: &str) -> ProjectName {
    text.parse().unwrap()
}

/// A request for a project on all platforms of a repository, for its own sake.
fn request(repository: &Repository, project: &str, specifiers: &str) -> ProjectRequest {
    ProjectRequest {
        project: name(project),
        extras: BTreeSet::new(),
        by: BTreeSet::new(),
        constraints: match specifiers {
            "" => Vec::new(),
            text => {
                let origin = Origin::Caller(COMMAND_LINE.into());
                vec![(origin, parse_specifiers(text).unwrap())]
            }
        },
        platforms: (0..repository.configuration.platforms.len()).collect(),
        automatic: false,
        keep: None,
        only: None,
    }
}

fn offer() -> Bench {
    let bench = Bench::new();
    bench.offer("plum", &pure("plum", "1.0").requires("fig<3"));
    bench.offer("plum", &pure("plum", "2.0").requires("fig>=2"));
    bench.offer("fig", &pure("fig", "1.0"));
    bench.offer("fig", &pure("fig", "2.5"));
    bench
}

#[test]
fn an_addition_closes_the_set_in_memory() {
    let bench = offer();
    let mut repository = Repository::load(bench.repository.path()).unwrap();
    let requests = vec![request(&repository, "plum", "")];
    let addition = Addition {
        session: &bench.program.session(),
        network: &Network::default(),
        prefer: None,
        with_dependencies: true,
        may_move: Projects::none(),
        may_downgrade: false,
        constraints: BTreeMap::new(),
        preferred: BTreeMap::new(),
        wheels: Vec::new(),
        pins: Vec::new(),
    };
    let added = addition.add(&mut repository, requests).unwrap();
    assert_eq!(added.written, [name("fig"), name("plum")].into());
    let version = |project: &str| {
        repository.declarations[&name(project)]
            .version()
            .to_string()
    };
    assert_eq!(
        (version("plum"), version("fig")),
        ("2.0".into(), "2.5".into())
    );
    assert!(repository.declarations[&name("fig")].automatic);
    // Nothing is written before somebody writes it.
    assert_eq!(bench.declared(), [""; 0]);
}

#[test]
fn what_nothing_fits_is_a_finding_with_its_reasons() {
    let bench = offer();
    let mut repository = Repository::load(bench.repository.path()).unwrap();
    let requests = vec![request(&repository, "plum", ">=3")];
    let addition = Addition {
        session: &bench.program.session(),
        network: &Network::default(),
        prefer: None,
        with_dependencies: false,
        may_move: Projects::none(),
        may_downgrade: false,
        constraints: BTreeMap::new(),
        preferred: BTreeMap::new(),
        wheels: Vec::new(),
        pins: Vec::new(),
    };
    let unsolved = addition.add(&mut repository, requests).unwrap_err();
    let failure = unsolved.failure;
    assert_eq!(failure.kind, FailureKind::Finding);
    assert!(
        failure
            .help
            .unwrap()
            .contains("2.0 and 1 more: the command line requires >=3")
    );
    assert!(repository.declarations.is_empty());
}

#[test]
fn the_index_says_what_is_newer_and_what_would_fit() {
    let bench = offer();
    bench.add(&["plum==1.0", "fig==1.0"]);
    bench.offer("fig", &pure("fig", "3.0"));
    let repository = Repository::load(bench.repository.path()).unwrap();
    let graph = Graph::new(&repository);
    let declarations: Vec<_> = repository.declarations.values().collect();
    let session = bench.program.session();
    let outdated = Outdated::ask(
        &session,
        &Network::default(),
        &repository,
        &graph,
        &declarations,
    )
    .unwrap();
    assert!(outdated.failures.is_empty() && outdated.unknown.is_empty());
    let fig = &repository.declarations[&name("fig")];
    assert_eq!(outdated.newest(fig).unwrap().to_string(), "3.0");
    assert_eq!(outdated.fitting(fig).unwrap().to_string(), "2.5");
}
