//! Building a release, and where it may go, without the program.

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use ipwhl::foundation::environment::AtomicFile;
use ipwhl::foundation::failure::{Failure, FailureKind};
use ipwhl::publish::{
    ArchiveContents, Build, BuildEvent, ContentsRequest, Writer, WrittenRelease, build_folder,
    check_kind, fetch_folder, statement_in,
};
use ipwhl::release::archive::{ArchiveKind, OpenRelease};
use ipwhl::release::names::STATEMENT;
use ipwhl::release::reuse::ReusableRelease;
use ipwhl::release::statement::SignedStatement;
use ipwhl::release::trust::{ReuseRequest, UnvouchedReason};
use ipwhl::set::gather::Network;
use ipwhl::set::repository::{Folders, Repository};
use ipwhl::source::Session;
use ipwhl_unixfs::Cid;

use crate::reuse::trusted;
use crate::support::in_process::{BuiltRelease, environment, put, session, statement_of};
use crate::support::repository_builder::BuiltRepository;
use crate::support::workshop::{installable_from, small};

const BUILD: Writer = Writer::Build {
    names_previous: false,
};

fn set() -> (BuiltRepository, Repository) {
    let folder = installable_from(None).configuration(&trusted()).build();
    let repository = Repository::load(folder.path()).unwrap();
    (folder, repository)
}

/// Builds into a folder; `sign` gives the statement, and `damage` is done before it is written.
fn build(
    session: &Session,
    repository: &Repository,
    folder: &Path,
    contents: ArchiveContents,
    sign: impl FnOnce(Cid) -> Option<SignedStatement>,
    damage: impl FnOnce(),
) -> (Result<WrittenRelease, Failure>, Vec<String>) {
    let told: RefCell<Vec<String>> = RefCell::default();
    let build = Build {
        session,
        repository,
        network: Network::default(),
        profile: repository.configuration.profile,
        is_root_only: false,
        contents,
        reusable: Vec::new(),
        folder: folder.to_path_buf(),
        writer: BUILD,
        before: statement_in(folder),
        tree: None,
        tell: &|event| {
            if let BuildEvent::Damaged(damage) = event {
                told.borrow_mut().push(damage.to_string());
            }
        },
    };
    let gathered = build.gather().unwrap();
    assert!(gathered.failures.is_empty());
    let root = build.root(&gathered).unwrap();
    damage();
    let written = build.write(gathered, |of| {
        assert_eq!(of, root);
        Ok(sign(of))
    });
    drop(build);
    (written, told.into_inner())
}

#[test]
fn a_release_is_the_same_from_a_damaged_cache() {
    let (folder, repository) = set();
    let expected = BuiltRelease::of(&installable_from(None).configuration(&trusted()));
    let output = folder.join("release");
    let name = repository.configuration.name.clone();
    let session = session(folder.path());
    let cached = session.cache().unwrap().root().join("wheels");
    let (written, told) = build(
        &session,
        &repository,
        &output,
        ArchiveContents::Full,
        |root| Some(statement_of(&name, root, None, &[1])),
        || {
            let wheel = fs::read_dir(cached).unwrap().flatten();
            let mut wheel = wheel
                .map(|entry| entry.path())
                .filter(|path| path.extension().unwrap() == "whl");
            fs::write(wheel.next().unwrap(), "other bytes").unwrap();
        },
    );
    let written = written.unwrap();
    assert_eq!(
        (written.root, written.kind),
        (expected.root, ArchiveKind::Full)
    );
    assert_eq!(
        fs::read(output.join("release.car")).unwrap(),
        expected.archive
    );
    assert!(output.join(STATEMENT).is_file());
    let [told] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(told.contains("is damaged"), "{told}");
    // A part of another release does not go beside a full archive.
    check_kind(&repository, ArchiveKind::Hollow, &output, BUILD).unwrap();
    let other = BuiltRelease::of(&small()).repository;
    let failure = check_kind(&other, ArchiveKind::Hollow, &output, BUILD).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Usage, "{failure:?}");
    check_kind(&other, ArchiveKind::Full, &output, BUILD).unwrap();
}

#[test]
fn what_goes_into_an_archive() {
    let release = BuiltRelease::of(&installable_from(None));
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path());
    let network = Network::default();
    let contents = |request: &ContentsRequest<'_>, reusable: &[ReusableRelease]| {
        request.contents(&session, &release.repository, &network, reusable)
    };
    let mut request = ContentsRequest {
        kind: ArchiveKind::Full,
        folder: folder.path(),
        previous_car: None,
        previous: None,
        previous_root: Some(release.root),
    };
    assert!(matches!(contents(&request, &[]), Ok(ArchiveContents::Full)));
    request.previous_car = Some("release.hollow.car");
    assert_eq!(
        contents(&request, &[]).unwrap_err().kind,
        FailureKind::Usage
    );
    request.kind = ArchiveKind::Delta;
    assert!(contents(&request, &[]).is_err());
    request.previous_car = None;
    let failure = contents(&request, &[]).unwrap_err();
    assert!(
        failure.message.contains("what the previous release has"),
        "{failure:?}"
    );
    // Beside the statement that is followed, or one that is reused.
    let path = folder.path().join("release.hollow.car");
    fs::write(&path, &release.hollow).unwrap();
    let Ok(ArchiveContents::Delta(known)) = contents(&request, &[]) else {
        panic!("no delta");
    };
    assert!(known.contains(&release.root));
    request.previous = Some("https://example.org/release.toml");
    assert!(contents(&request, &[]).is_err());
    let name = path.to_str().unwrap();
    let open = || OpenRelease::named(&session, &network, &[], name).unwrap();
    assert!(contents(&request, &[ReusableRelease::new(open())]).is_ok());
    request.previous_root = Some(Cid::v1(
        release.root.codec(),
        ipwhl_unixfs::Sha256Digest::of(b""),
    ));
    request.previous_car = Some(name);
    let failure = contents(&request, &[]).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Finding, "{failure:?}");
}

#[test]
fn who_vouches_for_a_release_that_is_reused() {
    let release = BuiltRelease::of(&installable_from(None).configuration(&trusted()));
    let configuration = &release.repository.configuration;
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path());
    fs::write(folder.path().join("release.car"), &release.archive).unwrap();
    let releases = ["release.car".to_owned()];
    let reasons = |previous: Option<&SignedStatement>| {
        let mut reasons = Vec::new();
        let request = ReuseRequest {
            releases: &releases,
            statements: &[],
            accepts_unsigned: true,
        };
        let network = Network::default();
        let opened = request.open(
            &session,
            configuration,
            &network,
            previous,
            &mut |_, reason| {
                reasons.push(reason);
            },
        );
        assert_eq!(opened.unwrap().len(), 1);
        let request = ReuseRequest {
            accepts_unsigned: false,
            ..request
        };
        let opened = request.open(&session, configuration, &network, previous, &mut |_, _| {});
        assert_eq!(opened.is_err(), !reasons.is_empty());
        reasons.pop()
    };
    let root = release.root;
    assert_eq!(reasons(None), Some(UnvouchedReason::NoStatement(root)));
    let name = &configuration.name;
    let stranger = statement_of(name, root, None, &[2]);
    assert!(matches!(
        reasons(Some(&stranger)),
        Some(UnvouchedReason::Distrusted(_))
    ));
    // One that says nothing of checks is not enough, wherever it is.
    put(folder.path(), &statement_of(name, root, None, &[1]));
    assert_eq!(reasons(None), Some(UnvouchedReason::UnknownChecks(1)));
}

#[test]
fn a_run_that_was_cut_is_finished_or_stops_the_next_one() {
    let release = BuiltRelease::of(&installable_from(None));
    let name = &release.repository.configuration.name;
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path();
    let environment = environment(output);
    let first = statement_of(name, release.root, None, &[1]);
    let second = statement_of(name, release.root, Some(&first.statement), &[1]);
    let begin = |signed: &SignedStatement| {
        let mut file = AtomicFile::create(&output.join(STATEMENT)).unwrap();
        std::io::Write::write_all(&mut file, signed.text.as_bytes()).unwrap();
        file.keep();
    };
    let finish = |writer: Writer| writer.finish_cut_run(&environment, output);
    assert!(finish(BUILD).unwrap().is_none());
    // Its archive is missing.
    begin(&first);
    assert!(finish(BUILD).unwrap().is_none());
    assert_eq!(
        finish(Writer::Fetch).unwrap_err().kind,
        FailureKind::Finding
    );
    begin(&second);
    let failure = finish(BUILD).unwrap_err();
    assert!(failure.message.contains("sequence 2"), "{failure:?}");
    let named = Writer::Build {
        names_previous: true,
    };
    assert!(finish(named).unwrap().is_none());
    fs::write(output.join("release.car"), &release.archive).unwrap();
    fs::write(
        output.join(format!("{STATEMENT}.sig")),
        &second.signatures[0].text,
    )
    .unwrap();
    assert_eq!(finish(Writer::Fetch).unwrap(), Some(second.statement));
    assert!(output.join(STATEMENT).is_file());
}

#[test]
fn where_releases_go() {
    let (folder, repository) = set();
    let folders = |current: &Path| Folders::new(environment(current), None);
    let here = folders(folder.path());
    let release = Path::new("release");
    assert_eq!(
        build_folder(&here, &repository, release).unwrap(),
        folder.join("release")
    );
    assert_eq!(fetch_folder(&here, None).unwrap(), folder.join("release"));
    // `release` is the repository's, another name that of whoever gave it.
    let below = folders(&folder.join("wheels"));
    assert_eq!(
        build_folder(&below, &repository, release).unwrap(),
        folder.join("release")
    );
    assert_eq!(fetch_folder(&below, None).unwrap(), folder.join("release"));
    let named = fetch_folder(&below, Some(Path::new("out"))).unwrap();
    assert_eq!(named, folder.join("wheels/out"));
    let declarations = &repository.configuration.declarations;
    for refused in [Path::new(declarations), Path::new("blocked")] {
        fs::create_dir_all(folder.join("blocked/release.car")).unwrap();
        let failure = build_folder(&here, &repository, refused).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Usage, "{failure:?}");
    }
    let outside = tempfile::tempdir().unwrap();
    let nowhere = folders(outside.path());
    assert!(nowhere.own_repository().is_err() && nowhere.foreign_repository().is_none());
    assert_eq!(
        fetch_folder(&nowhere, None).unwrap(),
        outside.path().join("release")
    );
    assert_eq!(here.own_repository().unwrap(), folder.path());
}
