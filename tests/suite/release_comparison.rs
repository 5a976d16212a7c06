//! Two states compared without the program.

use std::fs;

use ipwhl::foundation::failure::{Failure, FailureKind};
use ipwhl::release::comparison::{
    Comparison, MemberSearch, State, StateKind, StateReader, UnreadReason, compare_members,
};
use ipwhl::set::difference::{difference, finding_changes};
use ipwhl::set::gather::Network;
use ipwhl::set::repository::Repository;
use ipwhl::source::Session;

use crate::release_archive::environment;
use crate::support::history::History;
use crate::support::in_process::BuiltRelease;
use crate::support::repository_builder::{BuiltRepository, RepositoryBuilder};
use crate::support::workshop::small;

/// A repository with a git history and, in `old`, the hollow and the full archive of its release.
fn published() -> (BuiltRelease, BuiltRepository) {
    let release = BuiltRelease::of(&small());
    let folder = small().build();
    History::begin(folder.path());
    fs::create_dir(folder.join("old")).unwrap();
    fs::write(folder.join("old/release.car"), &release.archive).unwrap();
    fs::write(folder.join("hollow.car"), &release.hollow).unwrap();
    (release, folder)
}

fn reader<'s>(session: &'s Session, folder: &BuiltRepository) -> StateReader<'s> {
    let network = Network {
        offline: true,
        ..Network::default()
    };
    StateReader::new(session, network, Some(folder.path().to_path_buf()))
}

fn read(reader: &StateReader<'_>, text: &str) -> Result<State, Failure> {
    reader.read(reader.name(text)?)
}

#[test]
fn a_name_is_a_path_a_root_or_a_revision() {
    let (release, folder) = published();
    let session = Session::new(environment(folder.path()));
    let reader = reader(&session, &folder);
    let kind = |text: &str| read(&reader, text).map(|state| state.description.kind);
    for text in ["old", "path:old", "old/release.car", "hollow.car"] {
        assert_eq!(kind(text), Ok(StateKind::Release), "{text}");
    }
    for text in ["main", "git:main", "HEAD"] {
        assert_eq!(kind(text), Ok(StateKind::Revision), "{text}");
    }
    assert_eq!(kind("."), Ok(StateKind::WorkingTree));
    let root = release.root.to_string();
    for (text, words) in [
        (root.as_str(), "no gateway is configured"),
        ("cid:main", "`main` is not a CID"),
        ("path:main", "`main` is neither an archive"),
        ("git:old", "no revision `old`"),
        (
            "wheels",
            "`wheels` must be an archive, a folder with one, a repository, a root CID or a \
             revision, but there is no revision `wheels`",
        ),
        (
            "nothing",
            "`nothing` must be an existing path, a root CID or a revision, but there is no \
             revision `nothing`",
        ),
    ] {
        let failure = kind(text).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Usage, "{failure}");
        assert!(failure.message.contains(words), "{failure}");
    }
}

/// A change may bring an archive, and a path with the name of a revision.
#[test]
fn what_a_change_may_have_brought_is_told() {
    let (_, folder) = published();
    let session = Session::new(environment(folder.path()));
    let reader = reader(&session, &folder);
    let tracked = |text: &str| reader.name(text).unwrap().tracked_archive(&session);
    assert_eq!(tracked("old"), None);
    let history = History::begin(folder.path());
    history.run(&["branch", "old"]);
    assert_eq!(tracked("old"), Some("old/release.car".to_owned()));
    assert_eq!(tracked("git:old"), None);
    let failure = read(&reader, "old").err().unwrap();
    assert!(
        failure.message.contains("both a path here and a revision"),
        "{failure}"
    );
    assert!(read(&reader, "path:old").is_ok());
}

#[test]
fn members_are_read_from_archives_and_sources() {
    let (_, folder) = published();
    let session = Session::new(environment(folder.path()));
    let other = small().change("library", |library| {
        library.rebuild(|wheel| wheel.member("library/new.py", "print()\n"))
    });
    other.write_to(folder.path());
    let reader = reader(&session, &folder);
    let new = reader.working_tree(Repository::load(folder.path()).unwrap());
    let compared = |old: &State| {
        let difference = difference(&old.snapshot, &new.snapshot);
        assert_eq!(difference.projects.len(), 1);
        let report =
            compare_members(&reader, [old, &new], &difference, MemberSearch::AtHand).unwrap();
        assert!(!report.has_failed);
        report.members.into_values().next().unwrap()
    };
    // The hollow archive has no wheels, and the sources now have others.
    let unread = compared(&read(&reader, "hollow.car").unwrap()).unwrap_err();
    assert!(unread.is_old, "{unread}");
    assert!(
        !matches!(unread.reason, UnreadReason::Refused(_)),
        "{unread}"
    );
    let changes = compared(&read(&reader, "old").unwrap()).unwrap();
    let paths: Vec<&str> = changes
        .members
        .iter()
        .map(|one| one.path.as_str())
        .collect();
    assert!(paths.contains(&"library/new.py"), "{paths:?}");
}

#[test]
fn a_comparison_counts_between_releases_and_estimates_otherwise() {
    let (_, folder) = published();
    let session = Session::new(environment(folder.path()));
    let reader = reader(&session, &folder);
    let read = |text: &str| read(&reader, text).unwrap();
    let (full, hollow, before) = (read("old"), read("hollow.car"), read("main"));
    let compare = |old, new, search| Comparison::new(&reader, [old, new], search).unwrap();

    let same = compare(&full, &hollow, Some(MemberSearch::AtHand));
    assert!(same.is_one_release() && !same.differs());
    assert!(same.transfer.exact);
    assert_eq!((same.transfer.blocks, same.transfer.bytes), (Some(0), 0));

    let change = small().change("library", |library| {
        library.rebuild(|wheel| wheel.member("library/new.py", "print()\n"))
    });
    change.write_to(folder.path());
    let now = reader.working_tree(Repository::load(folder.path()).unwrap());
    let unsearched = compare(&before, &now, None);
    assert!(unsearched.differs() && !unsearched.is_one_release());
    assert!(!unsearched.transfer.exact);
    assert_eq!(unsearched.unsearched(), 1);
    assert_eq!(
        unsearched.findings.map(|findings| findings.new),
        Some(Vec::new())
    );
    let searched = compare(&full, &now, Some(MemberSearch::AtHand));
    assert_eq!(searched.unsearched(), 0);
    let wheel = &searched.difference.projects[0].wheels[0];
    assert!(searched.members_of(wheel).unwrap().is_ok());
}

#[test]
fn findings_are_new_gone_or_unchanged() {
    let load = |builder: &RepositoryBuilder| Repository::load(builder.build().path()).unwrap();
    let sound = load(&small());
    let broken = load(&small().change("library", |library| {
        library.set("dependencies", "[\"missing>=1\"]")
    }));
    let today = jiff::civil::date(2026, 1, 1);
    let changes = finding_changes(&sound, &broken, today);
    assert_eq!(
        (changes.new.len(), changes.gone.len()),
        (1, 0),
        "{changes:?}"
    );
    let changes = finding_changes(&broken, &sound, today);
    assert_eq!(
        (changes.new.len(), changes.gone.len()),
        (0, 1),
        "{changes:?}"
    );
    let changes = finding_changes(&broken, &broken, today);
    assert_eq!(
        (changes.new.len(), changes.gone.len(), changes.unchanged),
        (0, 0, 1)
    );
}
