//! Fetching the archive of a release from a site, without the program.

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use ipwhl::foundation::failure::{Failure, FailureKind};
use ipwhl::publish::{
    FetchedArchive, SiteFetch, SiteFetchEvent, begin_archive, forget_wheels, has_release,
};
use ipwhl::release::names::{STATEMENT, WHEEL};
use ipwhl::release::statement::folder::add_signatures;
use ipwhl::release::statement::{OpenSite, SignedStatement, read_statement};
use ipwhl::set::gather::DEFAULT_JOBS;
use ipwhl::source::Session;
use tempfile::TempDir;

use crate::support::in_process::{BuiltRelease, put, session, statement_of, without};
use crate::support::workshop::installable_from;

/// A site with the files of a release, a folder for it, and its statement.
fn site() -> (BuiltRelease, TempDir, SignedStatement) {
    let release = BuiltRelease::of(&installable_from(None));
    let folder = tempfile::tempdir().unwrap();
    let statement = statement_of("set", release.root, None, &[1]);
    let site = folder.path().join("site");
    for (path, bytes) in &release.files {
        let path = site.join(release.root.to_string()).join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let beside = site.join("statements/1");
    fs::create_dir_all(&beside).unwrap();
    put(&beside, &statement);
    fs::write(beside.join("release.hollow.car"), &release.hollow).unwrap();
    fs::create_dir(folder.path().join("release")).unwrap();
    (release, folder, statement)
}

/// Fetches the release by its files or as a whole, and puts the archive into its place.
fn fetch(
    session: &Session,
    folder: &Path,
    statement: &SignedStatement,
    is_whole: bool,
) -> (Result<FetchedArchive, Failure>, Vec<SiteFetchEvent>) {
    let output = folder.join("release");
    let told: RefCell<Vec<SiteFetchEvent>> = RefCell::default();
    let fetch = SiteFetch {
        session,
        open: &OpenSite::folder(session, &folder.join("site")).unwrap(),
        statement: &statement.statement,
        folder: &output,
        jobs: DEFAULT_JOBS,
        tell: &|event| told.borrow_mut().push(event),
    };
    let car = begin_archive(&output).unwrap();
    let fetched = if is_whole {
        fetch.whole(car)
    } else {
        fetch.from_files(car)
    };
    (fetched, told.into_inner())
}

fn written(fetched: FetchedArchive, folder: &Path) -> Vec<u8> {
    fetched.car.commit().unwrap();
    fs::read(folder.join("release/release.car")).unwrap()
}

#[test]
fn from_files_what_is_here_does_not_come_again() {
    let (release, folder, statement) = site();
    let folder = folder.path();
    let session = session(folder);
    let (fetched, told) = fetch(&session, folder, &statement, false);
    let fetched = fetched.unwrap();
    assert_eq!((fetched.wheels.len(), told.len()), (2, 0));
    let wheels = fetched.wheels.clone();
    assert_eq!(written(fetched, folder), release.archive);
    let cache = session.cache().unwrap();
    assert!(cache.open_wheel(&wheels[0]).is_some());
    forget_wheels(&session, &wheels);
    assert!(cache.open_wheel(&wheels[0]).is_none());
    let (fetched, _) = fetch(&session, folder, &statement, false);
    assert!(fetched.unwrap().wheels.is_empty());

    // An archive that is said to have more than it has is not used at all.
    let path = folder.join("release/release.car");
    let mut damaged = release.archive.clone();
    let wheel = &release.files.iter().find(|(path, _)| path.ends_with(WHEEL));
    let wheel = wheel.unwrap().1;
    let start = damaged
        .windows(wheel.len())
        .position(|bytes| bytes == wheel);
    damaged[start.unwrap()] ^= 1;
    fs::write(&path, damaged).unwrap();
    let (fetched, told) = fetch(&session, folder, &statement, false);
    assert!(
        matches!(&told[..], [SiteFetchEvent::DamagedArchive(at, _)] if *at == path),
        "{told:?}"
    );
    assert_eq!(written(fetched.unwrap(), folder), release.archive);

    // Wheels that are not those of the release.
    fs::remove_file(&path).unwrap();
    fs::remove_dir_all(cache.root().join("wheels")).unwrap();
    let wheel = release
        .files
        .keys()
        .find(|path| path.ends_with(WHEEL))
        .unwrap();
    let site = folder.join("site").join(release.root.to_string());
    fs::write(site.join(wheel), "other bytes").unwrap();
    let (fetched, told) = fetch(&session, folder, &statement, false);
    let failure = fetched.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Finding, "{failure:?}");
    assert!(matches!(&told[..], [SiteFetchEvent::Failed(_)]), "{told:?}");
}

#[test]
fn a_whole_archive_has_to_be_full() {
    let (release, folder, statement) = site();
    let folder = folder.path();
    let session = session(folder);
    let failure = fetch(&session, folder, &statement, true).0.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Finding, "{failure:?}");
    let car = folder.join("site/release.car");
    let part = without(&release.archive, &|cid| *cid != release.root);
    fs::write(&car, part).unwrap();
    let failure = fetch(&session, folder, &statement, true).0.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Finding, "{failure:?}");
    fs::write(&car, &release.archive).unwrap();
    let fetched = fetch(&session, folder, &statement, true).0.unwrap();
    assert_eq!(written(fetched, folder), release.archive);
}

#[test]
fn a_release_that_is_here_only_gets_signatures() {
    let (release, folder, statement) = site();
    let output = folder.path().join("release");
    assert!(!has_release(&output, Some(&statement), &statement));
    fs::write(output.join("release.car"), &release.archive).unwrap();
    assert!(has_release(&output, Some(&statement), &statement));
    assert!(!has_release(&output, None, &statement));
    let next = statement_of("set", release.root, Some(&statement.statement), &[1]);
    assert!(!has_release(&output, Some(&statement), &next));

    put(&output, &statement);
    let both = statement_of("set", release.root, None, &[1, 2]);
    add_signatures(&output, &both).unwrap();
    let here = read_statement(&output.join(STATEMENT)).unwrap();
    assert_eq!(here.signatures.len(), 2);
}
