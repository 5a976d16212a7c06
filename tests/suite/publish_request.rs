//! The release that is published and the targets that are opened, without the program.

use std::fs;
use std::path::Path;

use ipwhl::foundation::failure::{Failure, FailureKind};
use ipwhl::publish::{
    Opening, Publication, PublicationNotice, PublicationRequest, RepairBlocks, TargetPlace,
    chosen_targets,
};
use ipwhl::set::repository::Repository;
use ipwhl_unixfs::car::Blocks as _;
use ipwhl_unixfs::{Cid, Codec, Sha256Digest};
use tempfile::TempDir;

use crate::reuse::{key, trusted};
use crate::support::in_process::{BuiltRelease, environment, put, session, statement_of, without};
use crate::support::workshop::installable_from;

const TARGETS: &str = "\
[publish.site]
kind = \"directory\"
path = \"site\"

[publish.history]
kind = \"git\"
repository = \"history\"

[publish.node]
kind = \"kubo\"
api = \"http://127.0.0.1:5001\"
";

/// A release with its archive in a folder of its own.
fn release(settings: &str) -> (BuiltRelease, TempDir) {
    let release = BuiltRelease::of(&installable_from(None).configuration(settings));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("release.car"), &release.archive).unwrap();
    (release, folder)
}

fn request<'r>(repository: &'r Repository, folder: &'r Path) -> PublicationRequest<'r> {
    PublicationRequest {
        repository,
        folder,
        key: None,
        is_unsigned: false,
        follow: &[],
        named_repository: None,
    }
}

fn read(
    request: &PublicationRequest<'_>,
) -> (Result<Publication, Failure>, Vec<PublicationNotice>) {
    let mut notices = Vec::new();
    let read = request.read(&session(request.folder), &mut |notice| notices.push(notice));
    (read, notices)
}

#[track_caller]
fn refused<T>(result: Result<T, Failure>, kind: FailureKind, words: &str) -> String {
    let Err(failure) = result else {
        panic!("nothing is refused: {words}");
    };
    assert_eq!(failure.kind, kind, "{failure:?}");
    assert!(failure.message.contains(words), "{failure:?}");
    failure.help.unwrap_or_default()
}

#[test]
fn a_statement_has_to_be_of_the_release_and_signed() {
    let (release, folder) = release(&trusted());
    let repository = &release.repository;
    let folder = folder.path();
    let name = &repository.configuration.name;
    let request = request(repository, folder);
    let help = refused(
        read(&request).0,
        FailureKind::Finding,
        "no statement vouches",
    );
    assert!(help.contains("--unsigned"), "{help}");
    let another = Cid::v1(Codec::Raw, Sha256Digest::of(b"another"));
    let other = statement_of(name, another, None, &[1]);
    put(folder, &other);
    refused(read(&request).0, FailureKind::Finding, "vouches for");
    put(
        folder,
        &statement_of("another set", release.root, None, &[1]),
    );
    refused(read(&request).0, FailureKind::Finding, "\"another set\"");
    put(folder, &statement_of(name, release.root, None, &[2]));
    refused(
        read(&request).0,
        FailureKind::Finding,
        "0 of the 1 trusted signatures",
    );
    let good = statement_of(name, release.root, None, &[1]);
    put(folder, &good);
    let (publication, notices) = read(&request);
    let publication = publication.unwrap();
    assert_eq!(publication.signed, Some(good));
    assert_eq!(
        (publication.root(), publication.sequence()),
        (release.root, Some(1))
    );
    assert_eq!(notices, []);
    assert!(publication.left_out.is_empty() && !publication.sample.wheels.is_empty());
}

#[test]
fn signatures_that_do_not_hold_are_left_out() {
    let (release, folder) = release(&trusted());
    let repository = &release.repository;
    let name = &repository.configuration.name;
    let good = statement_of(name, release.root, None, &[1]);
    put(folder.path(), &good);
    let path = folder.path().join(format!(
        "release.toml.{}.sig",
        key(2).public().file_digits()
    ));
    let foreign = statement_of("another set", release.root, None, &[2]);
    fs::write(&path, &foreign.signatures[0].text).unwrap();
    let (publication, notices) = read(&request(repository, folder.path()));
    assert_eq!(publication.unwrap().signed, Some(good));
    let [PublicationNotice::InvalidSignature { file, .. }] = &notices[..] else {
        panic!("{notices:?}");
    };
    assert_eq!(Path::new(file), path);
}

#[test]
fn the_own_key_is_enough_where_none_is_trusted() {
    let (release, folder) = release("");
    let repository = &release.repository;
    let name = &repository.configuration.name;
    put(folder.path(), &statement_of(name, release.root, None, &[1]));
    let mut request = request(repository, folder.path());
    let help = refused(read(&request).0, FailureKind::Finding, "is signed by");
    assert!(help.contains("--unsigned"), "{help}");
    let path = folder.path().join("key");
    fs::write(&path, key(1).to_openssh().unwrap()).unwrap();
    request.key = Some(&path);
    let (publication, notices) = read(&request);
    assert!(publication.is_ok());
    assert_eq!(notices, [PublicationNotice::NobodyTrusted]);
}

#[test]
fn which_archive_is_published() {
    let (release, folder) = release("\n[mirrors]\ngateways = [\"https://example.org\"]\n");
    let folder = folder.path();
    let mut request = request(&release.repository, folder);
    request.is_unsigned = true;
    assert_eq!(read(&request).0.unwrap().signed, None);
    // Only a delta may lack blocks.
    let car = folder.join("release.car");
    let part = without(&release.archive, &|cid| *cid != release.root);
    fs::write(&car, &part).unwrap();
    let help = refused(read(&request).0, FailureKind::Finding, "of its blocks");
    assert!(help.contains("`ipwhl fill release.car`"), "{help}");
    fs::rename(&car, folder.join("release.delta.car")).unwrap();
    let publication = read(&request).0.unwrap();
    assert!(!publication.left_out.is_empty());
    assert_eq!(publication.fill_command, "ipwhl fill release.delta.car");
    assert_eq!(publication.fill_places, ["mirrors"]);
    request.named_repository = Some(Path::new("/my set"));
    let publication = read(&request).0.unwrap();
    let command = "ipwhl --repository '/my set' fill release.delta.car";
    assert_eq!(publication.fill_command, command);
    fs::remove_file(folder.join("release.delta.car")).unwrap();
    let help = refused(read(&request).0, FailureKind::World, "has no `release.car`");
    assert!(help.contains("ipwhl build"), "{help}");
    fs::write(folder.join("release.hollow.car"), &release.hollow).unwrap();
    let help = refused(read(&request).0, FailureKind::World, "has no `release.car`");
    assert!(help.contains("a hollow archive has no wheels"), "{help}");
}

#[test]
fn targets_are_chosen_by_name_and_opened() {
    let (release, folder) = release(TARGETS);
    let configuration = &release.repository.configuration;
    let names = |names: &[&str]| -> Result<Vec<String>, Failure> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let chosen = chosen_targets(&configuration.publish, &names)?;
        Ok(chosen.iter().map(|target| target.name.clone()).collect())
    };
    let all = names(&[]).unwrap();
    assert_eq!(all.len(), 3);
    assert_eq!(names(&["site"]).unwrap(), ["site"]);
    let help = refused(names(&["sit"]), FailureKind::Usage, "`sit`");
    assert_eq!(help, "did you mean `site`?");
    refused(
        chosen_targets(&[], &[]),
        FailureKind::Usage,
        "names no target",
    );

    let mut environment = environment(folder.path());
    let place = |environment: &ipwhl::foundation::environment::Environment, name: &str| {
        let session = ipwhl::source::Session::new(environment.clone());
        let opening = Opening {
            session: &session,
            repository: &release.repository,
            signing_key: None,
            named_key: None,
        };
        let target = configuration
            .publish
            .iter()
            .find(|target| target.name == name);
        Ok::<_, Failure>(opening.open(target.unwrap())?.place())
    };
    let directory = &release.repository.directory;
    for (name, expected) in [
        ("site", TargetPlace::Folder(directory.join("site"))),
        (
            "history",
            TargetPlace::GitRepository(directory.join("history")),
        ),
        (
            "node",
            TargetPlace::Address("http://127.0.0.1:5001".to_owned()),
        ),
    ] {
        assert_eq!(place(&environment, name).unwrap(), expected);
    }
    for variable in ["IPWHL_PUBLISH_NODE_TOKEN", "IPWHL_PUBLISH_NODE_BASIC"] {
        environment
            .variables
            .insert(variable.into(), "no colon".into());
    }
    refused(place(&environment, "node"), FailureKind::Usage, "both");
    environment
        .variables
        .remove(std::ffi::OsStr::new("IPWHL_PUBLISH_NODE_TOKEN"));
    refused(
        place(&environment, "node"),
        FailureKind::Usage,
        "`user:password`",
    );
}

#[test]
fn blocks_that_mend_come_from_archives_at_hand() {
    let (release, folder) = release(TARGETS);
    let configuration = &release.repository.configuration;
    let session = session(folder.path());
    let blocks = |folder: &Path| {
        RepairBlocks::for_target(&session, configuration, &configuration.publish[0], folder)
    };
    let here = blocks(folder.path()).unwrap();
    assert!(here.contains(&release.root));
    let block = here.block(&release.root).unwrap().unwrap();
    assert!(release.root.matches(&block));
    let nowhere = blocks(&folder.path().join("elsewhere")).unwrap();
    assert!(!nowhere.contains(&release.root));
    assert_eq!(nowhere.block(&release.root).unwrap(), None);
}
