//! Filling archives without the program: from another archive, from wheels, from a gateway.

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use ipwhl::foundation::failure::FailureKind;
use ipwhl::release::archive::fill::{FillEvent, FillOptions, FillOutcome, FillReport, fill};
use ipwhl::release::names::WHEEL;
use ipwhl::set::gather::Network;
use ipwhl::source::Session;
use ipwhl_unixfs::Cid;
use tempfile::TempDir;

use crate::dag::file_dag;
use crate::release_archive::environment;
use crate::reuse::serving;
use crate::support::in_process::{BuiltRelease, without};
use crate::support::workshop::{installable, small};

/// A release, and a folder with its hollow archive.
fn hollow() -> (BuiltRelease, TempDir) {
    let release = BuiltRelease::of(&small());
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("release.hollow.car"), &release.hollow).unwrap();
    (release, folder)
}

/// Fills the hollow archive in a folder from these places; what was told goes to `told`.
fn fill_from(
    folder: &Path,
    from: &[&str],
    told: &RefCell<Vec<FillEvent>>,
) -> Result<FillReport, ipwhl::foundation::failure::Failure> {
    let session = Session::new(environment(folder));
    fill(
        &session,
        &FillOptions {
            archive: folder.join("release.hollow.car"),
            output: None,
            from: from.iter().map(|&place| place.to_owned()).collect(),
            network: Network::default(),
            repository: None,
            tell: &|event| told.borrow_mut().push(event),
        },
    )
}

#[track_caller]
fn assert_full(report: &FillReport, release: &BuiltRelease, folder: &Path) {
    let FillOutcome::Written { output, summary } = &report.outcome else {
        panic!("{report:?}");
    };
    assert_eq!(*output, folder.join("release.car"));
    assert_eq!(fs::read(output).unwrap(), release.archive);
    assert_eq!(summary.bytes, release.archive.len() as u64);
    assert_eq!(report.root, release.root);
}

#[test]
fn from_an_archive_and_from_wheels() {
    let (release, folder) = hollow();
    let told = RefCell::default();
    fs::write(folder.path().join("other.car"), &release.archive).unwrap();
    let report = fill_from(folder.path(), &["other.car"], &told).unwrap();
    assert_full(&report, &release, folder.path());
    let (release, folder) = hollow();
    let wheels = folder.path().join("wheels");
    fs::create_dir(&wheels).unwrap();
    for (path, bytes) in &release.files {
        if path.ends_with(WHEEL) {
            fs::write(wheels.join(path.rsplit('/').next().unwrap()), bytes).unwrap();
        }
    }
    let report = fill_from(folder.path(), &["wheels"], &told).unwrap();
    assert_full(&report, &release, folder.path());
    assert!(report.damage.is_empty() && report.gateways.is_empty());
    assert!(told.borrow().is_empty());
}

/// Two halves are a whole, and a byte that changed is told and had elsewhere.
#[test]
fn from_a_damaged_archive_and_another() {
    let (release, folder) = hollow();
    let mut damaged = release.archive.clone();
    let at = damaged.windows(9).position(|part| part == b"name = \"l");
    damaged[at.unwrap()] ^= 1;
    fs::write(folder.path().join("damaged.car"), damaged).unwrap();
    fs::write(folder.path().join("whole.car"), &release.archive).unwrap();
    let told = RefCell::default();
    let report = fill_from(folder.path(), &["damaged.car", "whole.car"], &told).unwrap();
    assert_full(&report, &release, folder.path());
    let [damage] = &report.damage[..] else {
        panic!("{:?}", report.damage);
    };
    assert!(damage.contains("damaged.car"), "{damage}");
}

/// What no place has is listed, the file and the reasons with it; what came is kept, and the next
/// run goes on with it.
#[test]
fn from_a_gateway_that_lacks_a_block() {
    let (release, folder) = hollow();
    let profile = release.repository.configuration.profile;
    let [_, library] = installable();
    let lost: Cid = file_dag(profile, &library.build()).cid();
    let gateway = serving(&without(&release.archive, &|cid| *cid == lost));
    let told = RefCell::default();
    let report = fill_from(folder.path(), &[&gateway.url("")], &told).unwrap();
    let FillOutcome::Missing {
        blocks, attempts, ..
    } = &report.outcome
    else {
        panic!("{report:?}");
    };
    let [missing] = &blocks[..] else {
        panic!("{blocks:?}");
    };
    assert_eq!((missing.cid, missing.wheel), (lost, Some(lost)));
    assert_eq!(missing.path, "library/library-2.1.post1-py3-none-any.whl");
    assert_eq!(attempts.keys().copied().collect::<Vec<_>>(), [lost]);
    assert_eq!(attempts[&lost].len(), 1);
    assert!(!folder.path().join("release.car").exists());
    assert!(matches!(
        &told.borrow()[..],
        [FillEvent::Asking { blocks, .. }, ..] if *blocks > 1
    ));
    drop(gateway);
    let name = "library-2.1.post1-py3-none-any.whl";
    fs::write(folder.path().join(name), library.build()).unwrap();
    let report = fill_from(folder.path(), &[name], &told).unwrap();
    assert_full(&report, &release, folder.path());
}

#[test]
fn what_cannot_be_filled() {
    let (release, folder) = hollow();
    let told = RefCell::default();
    let kind = |from: &[&str]| fill_from(folder.path(), from, &told).unwrap_err().kind;
    assert_eq!(kind(&["ftp://example.org/"]), FailureKind::Usage);
    assert_eq!(kind(&["nowhere.car"]), FailureKind::World);
    // A file of that name that is no archive of this release is not replaced.
    fs::write(folder.path().join("other.car"), &release.archive).unwrap();
    fs::write(folder.path().join("release.car"), "something else").unwrap();
    assert_eq!(kind(&["other.car"]), FailureKind::Usage);
    fs::write(folder.path().join("release.hollow.car"), "no archive").unwrap();
    assert_eq!(kind(&["other.car"]), FailureKind::Finding);
}
