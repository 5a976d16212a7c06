//! What `check`, `remove` and `cid` compute, without the program.

use std::collections::BTreeSet;
use std::fs;

use ipwhl::foundation::diagnostic::{Baseline, Code};
use ipwhl::set::declaration::change_files;
use ipwhl::set::difference::EarlierState;
use ipwhl::set::gather::Network;
use ipwhl::set::graph::{GraphQuery, Removals};
use ipwhl::set::repository::Repository;
use ipwhl::set::resolve::{RemovalOptions, RemovalPlan};
use ipwhl::set::review::{Review, ReviewOptions, review};
use ipwhl::source::{LocalFiles, Session};
use ipwhl_packaging::ProjectName;
use ipwhl_unixfs::{Profile, Sha256Digest, symlink};

use crate::release_archive::environment;
use crate::support::history::History;
use crate::support::repository_builder::{BuiltRepository, RepositoryBuilder};

fn reviewed(folder: &BuiltRepository, since: Option<&str>, wheels: bool) -> Review {
    let session = Session::new(environment(folder.path()));
    let repository = Repository::load(folder.path()).unwrap();
    let before = since
        .map(|revision| EarlierState::load(session.environment(), &repository, revision).unwrap());
    let options = ReviewOptions {
        before: before.as_ref(),
        network: &Network {
            offline: true,
            ..Network::default()
        },
        sources: false,
        wheels,
        waiver_reason: "",
        now: None,
    };
    review(&session, &repository, &options).unwrap()
}

#[test]
fn a_review_says_what_it_has_read() {
    let folder = RepositoryBuilder::sound().build();
    let review = reviewed(&folder, None, false);
    assert_eq!(
        (review.projects, review.wheels, review.unverified),
        (4, 6, 6)
    );
    assert_eq!(review.findings, []);
    let review = reviewed(&folder, None, true);
    assert_eq!((review.unverified, review.verified_earlier), (0, 0));
    // What was read once is known.
    let review = reviewed(&folder, None, false);
    assert_eq!((review.unverified, review.verified_earlier), (0, 6));
}

#[test]
fn a_review_compares_with_an_earlier_state() {
    let sound = RepositoryBuilder::sound();
    let folder = sound
        .clone()
        .change("cherry", |cherry| cherry.set("dependencies", "[\"fig\"]"))
        .build();
    History::begin(folder.path());
    sound
        .change("apple", |apple| apple.set("dependencies", "[\"grape\"]"))
        .write_to(folder.path());
    let review = reviewed(&folder, Some("HEAD"), false);
    // Both declarations changed, and their wheels were read.
    assert_eq!(review.changed, 2);
    assert_eq!(review.unverified, review.wheels - 2);
    let new: Vec<Code> = review.findings.iter().map(|finding| finding.code).collect();
    assert!(new.contains(&Code::MissingDependency), "{new:?}");
    let is_new = |finding: &&_| {
        matches!(
            finding,
            ipwhl::foundation::diagnostic::Finding {
                baseline: Some(Baseline::New),
                ..
            }
        )
    };
    assert_eq!(
        review.findings.iter().filter(is_new).count(),
        review.findings.len()
    );
    assert!(review.gone.unwrap() > 0);
}

fn names(names: &[&str]) -> BTreeSet<ProjectName> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

#[test]
fn a_removal_is_planned_and_made() {
    let folder = RepositoryBuilder::sound().build();
    let repository = Repository::load(folder.path()).unwrap();
    let query = GraphQuery::new(&repository, &[]).unwrap();
    let removals = Removals::new(&repository, query.relations());
    let plan = |project: &str, with_dependencies, keep_needed| {
        let options = RemovalOptions {
            with_dependencies,
            keep_needed,
        };
        RemovalPlan::new(&repository, &removals, names(&[project]), options)
    };
    let refused = plan("cherry", false, false).unwrap_err();
    assert_eq!(refused.named, names(&["cherry"]));
    assert_eq!(refused.broken[0].from.project.as_str(), "apple");
    let kept = plan("cherry", false, true).unwrap();
    assert_eq!((kept.removed, kept.kept), (names(&[]), names(&["cherry"])));
    let alone = plan("apple", false, false).unwrap();
    assert_eq!(alone.left_over, names(&["banana", "cherry", "damson"]));
    let all = plan("apple", true, false).unwrap();
    assert_eq!(all.removed, names(&["apple", "banana", "cherry", "damson"]));
    let changes = alone.changes(&repository).unwrap();
    change_files(&changes, folder.path(), &|| Ok(())).unwrap();
    assert!(!folder.join("declarations/apple.toml").exists());
    assert!(folder.join("declarations/cherry.toml").exists());
}

#[test]
fn files_folders_and_links_have_the_cids_of_their_dags() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("below")).unwrap();
    fs::write(path("below/file"), "text").unwrap();
    fs::write(path("file"), "text").unwrap();
    let cids = |paths: &[&str], profile| {
        let paths: Vec<_> = paths.iter().map(|name| path(name)).collect();
        LocalFiles::read(&paths).unwrap().cids(profile).unwrap()
    };
    let profile = Profile::default();
    let raw = ipwhl_unixfs::Cid::v1(ipwhl_unixfs::Codec::Raw, Sha256Digest::of(b"text"));
    let found = cids(&["file", "below"], profile);
    assert_eq!(found[0], raw);
    assert_ne!(found[0], found[1]);
    // A hidden file changes nothing.
    fs::write(path("below/.hidden"), "text").unwrap();
    assert_eq!(cids(&["below"], profile), found[1..]);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("file", path("link")).unwrap();
        assert_eq!(cids(&["link"], profile), [symlink(profile, "file").0.cid]);
    }
    let failure = LocalFiles::read(&[path("none")]).err().unwrap();
    assert!(failure.message.contains("none"), "{failure}");
}
