//! Archives and releases by name, without the program.

use std::fs;

use ipwhl::foundation::environment::Environment;
use ipwhl::foundation::failure::FailureKind;
use ipwhl::release::archive::{
    ArchiveKind, ArchiveOutput, OpenRelease, ReleaseLocation, ReleaseName, hollow_archive,
    may_replace, sibling_archive,
};
use ipwhl::set::gather::Network;
use ipwhl::source::Session;

use crate::support::in_process::{BuiltRelease, without};
use crate::support::workshop::installable_from;

/// An environment whose current folder is this one.
pub fn environment(folder: &std::path::Path) -> Environment {
    Environment {
        current_directory: folder.to_path_buf(),
        cache_home: Some(folder.join("cache")),
        ..Environment::of_process()
    }
}

#[test]
fn what_a_name_is() {
    let folder = tempfile::tempdir().unwrap();
    let release = BuiltRelease::of(&installable_from(None));
    let environment = environment(folder.path());
    let parse = |text: &str| ReleaseName::parse(&environment, text);
    let root = release.root;
    assert_eq!(parse("release"), Ok(None));
    assert_eq!(parse(&root.to_string()), Ok(Some(ReleaseName::Root(root))));
    fs::create_dir(folder.path().join("release")).unwrap();
    assert_eq!(parse("release"), Ok(None));
    // A folder stands for the archive in it, the full one first.
    for name in ["release.hollow.car", "release.car"] {
        let path = folder.path().join("release").join(name);
        fs::write(&path, "").unwrap();
        assert_eq!(parse("release"), Ok(Some(ReleaseName::Archive(path))));
    }
    let gateway = "https://user:secret@example.org/sub".parse().unwrap();
    assert_eq!(
        parse(&format!(
            "https://user:secret@example.org/sub/ipfs/{root}/?x#y"
        )),
        Ok(Some(ReleaseName::At(gateway, root)))
    );
    let gateway = "https://example.org/".parse().unwrap();
    assert_eq!(
        parse(&format!("https://{root}.ipfs.example.org/")),
        Ok(Some(ReleaseName::At(gateway, root)))
    );
    for address in [
        "ftp://example.org/",
        "https://example.org/ipfs/x/",
        "https://",
    ] {
        let failure = parse(address).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Usage);
        assert!(!failure.message.contains("example"), "{failure}");
    }
}

#[test]
fn a_release_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let release = BuiltRelease::of(&installable_from(None));
    fs::write(folder.path().join("release.car"), &release.archive).unwrap();
    let session = Session::new(environment(folder.path()));
    let open = |network: &Network, gateways: &[String], text: &str| {
        OpenRelease::named(&session, network, gateways, text)
    };
    let network = Network::default();
    let opened = open(&network, &[], "release.car").unwrap();
    assert_eq!((opened.root, &*opened.shown), (release.root, "release.car"));
    assert!(opened.blocks().contains(&release.root));
    assert!(matches!(opened.location, ReleaseLocation::Archive { .. }));
    assert_eq!(
        opened.block_set().unwrap().len(),
        crate::support::in_process::open(&release.archive)
            .cids()
            .len()
    );
    let root = release.root.to_string();
    let gateways = ["https://example.org/".to_owned()];
    let opened = open(&network, &gateways, &root).unwrap();
    assert_eq!(opened.shown, format!("{root} at https://example.org/"));
    assert!(matches!(opened.location, ReleaseLocation::Gateways(_)));
    let offline = Network {
        offline: true,
        ..network.clone()
    };
    for (network, gateways, text) in [
        (&network, &[][..], &*root),
        (&offline, &gateways, &*root),
        (&network, &gateways, "nowhere"),
    ] {
        let Err(failure) = open(network, gateways, text) else {
            panic!("{text} was opened");
        };
        assert_eq!(failure.kind, FailureKind::Usage, "{failure}");
    }
    fs::write(folder.path().join("none.car"), "no archive").unwrap();
    let Err(failure) = open(&network, &[], "none.car") else {
        panic!("no archive was opened");
    };
    assert_eq!(failure.kind, FailureKind::Finding);
}

#[test]
fn an_archive_is_made_hollow_and_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let release = BuiltRelease::of(&installable_from(None));
    let path = folder.path().join("release.car");
    fs::write(&path, &release.archive).unwrap();
    let failure = hollow_archive(&path, path.clone()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Usage);
    let output = sibling_archive(&path, ArchiveKind::Hollow).unwrap();
    assert!(may_replace(&output, release.root));
    let report = hollow_archive(&path, output.clone()).unwrap();
    assert_eq!(report.root, release.root);
    assert_eq!(report.length, release.archive.len() as u64);
    assert_eq!(fs::read(&output).unwrap(), release.hollow);
    assert!(may_replace(&output, release.root));
    let another = installable_from(None).profile(ipwhl_unixfs::Profile::UnixfsV0_2015);
    let another = BuiltRelease::of(&another);
    assert!(!may_replace(&output, another.root));
    assert_eq!(
        sibling_archive(&output, ArchiveKind::Full),
        Some(path.clone())
    );
    assert_eq!(sibling_archive(&path, ArchiveKind::Full), None);
    // What lacks more than leaves of wheels is told, and what is not committed leaves nothing.
    let page = crate::dag::file_dag(
        release.repository.configuration.profile,
        &release.files["index.html"],
    );
    fs::write(&path, without(&release.archive, &|cid| *cid == page.cid())).unwrap();
    let failure = hollow_archive(&path, output.clone()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Finding);
    assert_eq!(fs::read(&output).unwrap(), release.hollow);
    let other = folder.path().join("other.car");
    drop(ArchiveOutput::create(other.clone()).unwrap());
    assert!(!other.exists());
}
