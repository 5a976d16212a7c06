//! `set::gather` as a library: facts of declared wheels, from the cache, a release and the wheels.

use std::fs;
use std::sync::{Arc, Mutex};

use ipwhl::foundation::diagnostic::Code;
use ipwhl::set::check;
use ipwhl::set::declaration::DeclaredWheel;
use ipwhl::set::gather::{Gathering, Network, ReusedFacts, Want, all_wheels, known_wheels};
use ipwhl::set::repository::Repository;
use ipwhl::source::{Event, Observer, Session, SourceProblem, Work};
use ipwhl_unixfs::Profile;

use crate::support::program::Program;
use crate::support::workshop::small;

fn gathering<'a>(
    session: &'a Session,
    repository: &'a Repository,
    network: &'a Network,
) -> Gathering<'a> {
    Gathering {
        session,
        repository,
        network,
        profile: Profile::default(),
        reuse: None,
    }
}

fn offline() -> Network {
    Network {
        offline: true,
        ..Network::default()
    }
}

/// What a session tells.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Event>>>);

impl Observer for Told {
    fn observe(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

#[test]
fn wheels_are_read_once_and_known_from_then_on() {
    let folder = small().build();
    let program = Program::new(folder.path());
    let repository = Repository::load(folder.path()).unwrap();
    let (wheels, network) = (all_wheels(&repository), offline());
    let told = Told::default();
    let session = program.session().with_observer(told.clone());
    let cache = session.cache().unwrap();
    let known = || known_wheels(Some(&cache), &repository, &wheels).verified(&wheels);
    assert_eq!(known(), 0);

    let report = gathering(&session, &repository, &network)
        .gather(&wheels, Want::Facts)
        .unwrap();
    assert_eq!(report.verified(&wheels), wheels.len());
    assert!(report.problems.is_empty() && report.failures.is_empty());
    for wheel in &wheels {
        let facts = report.facts(wheel).unwrap();
        assert_eq!(facts.dag.cid(), wheel.content_id.value);
        assert!(!report.release_facts(wheel).unwrap().metadata.is_empty());
    }
    let events = std::mem::take(&mut *told.0.lock().unwrap());
    let verified = events.iter().filter(|event| **event == Event::Verified);
    assert_eq!(verified.count(), wheels.len());
    let Event::Begun { work, names } = &events[0] else {
        panic!("{events:?}");
    };
    assert_eq!((*work, names.len()), (Work::Wheels, wheels.len()));
    assert_eq!(events.last(), Some(&Event::Finished));

    // With the sources gone nothing is asked for: the cache knows.
    fs::remove_dir_all(folder.path().join("wheels")).unwrap();
    let again = gathering(&session, &repository, &network)
        .gather(&wheels, Want::Facts)
        .unwrap();
    assert_eq!(again.verified(&wheels), wheels.len());
    assert_eq!(*told.0.lock().unwrap(), []);
    assert_eq!(known(), wheels.len());
    let without_cache = known_wheels(None, &repository, &wheels);
    assert_eq!(without_cache.verified(&wheels), 0);
}

/// What is wrong with a source is a typed problem, and the checks say what that means.
#[test]
fn other_bytes_are_a_problem_of_the_source() {
    let folder = small()
        .change("large", |project| {
            project.set("sha256", &format!("\"{}\"", "0".repeat(64)))
        })
        .build();
    let session = Program::new(folder.path()).session();
    let repository = Repository::load(folder.path()).unwrap();
    let (wheels, network) = (all_wheels(&repository), offline());
    let report = gathering(&session, &repository, &network)
        .gather(&wheels, Want::Facts)
        .unwrap();
    assert_eq!(report.verified(&wheels), wheels.len() - 1);
    let [problem] = &report.problems[..] else {
        panic!("{:?}", report.problems);
    };
    assert_eq!(problem.wheel.file_name.name().as_str(), "large");
    assert!(matches!(problem.problem, SourceProblem::Mismatch { .. }));
    let findings = check::wheels(&repository, &wheels, &report);
    let codes: Vec<Code> = findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::Sha256Mismatch]);
}

/// A release that is reused answers for wheels whose facts are wanted, and only where what it says
/// is what is declared.
#[test]
fn reused_facts_spare_the_wheels() {
    let folder = small().build();
    let repository = Repository::load(folder.path()).unwrap();
    let (wheels, network) = (all_wheels(&repository), offline());
    let program = Program::new(folder.path());
    let session = program.session();
    let report = gathering(&session, &repository, &network)
        .gather(&wheels, Want::Facts)
        .unwrap();
    let first = report.facts(wheels[0]).unwrap();
    let said = ReusedFacts::new(
        first.sha256,
        first.dag.clone(),
        first.archive.metadata.clone(),
    );

    let elsewhere = Program::new(folder.path());
    let fresh = elsewhere.session();
    // The facts of the first wheel are said of each: of one they are true.
    let reuse = |asked: &[&DeclaredWheel]| Ok(vec![Some(said.clone()); asked.len()]);
    let gathering = Gathering {
        reuse: Some(&reuse),
        ..gathering(&fresh, &repository, &network)
    };
    let report = gathering.gather(&wheels, Want::Facts).unwrap();
    assert!(report.reused(wheels[0]).is_some() && report.facts(wheels[0]).is_none());
    for wheel in &wheels[1..] {
        assert!(report.reused(wheel).is_none() && report.facts(wheel).is_some());
    }
    assert_eq!(check::wheels(&repository, &wheels, &report), []);
    // Whoever wants the bytes gets them.
    let report = gathering.gather(&wheels, Want::Bytes).unwrap();
    assert_eq!(report.verified(&wheels), wheels.len());
}
