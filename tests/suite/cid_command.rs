//! `ipwhl cid`: what `ipfs add -n` prints, for files and folders, under each profile.

use std::fs;
use std::path::Path;

use ipwhl_unixfs::Profile;

use crate::dag::Seeded;
use crate::kubo::{Kubo, file, folder, sharded_folder};
use crate::support::workshop::{Workshop, small};

/// What Kubo says of the same path.
fn expected(kubo: &Kubo, path: &Path, more: &[&str]) -> String {
    let arguments = ["add", "-r", "-n", "-Q", "--progress=false"];
    kubo.text(&[&arguments[..], more, &[path.to_str().unwrap()]].concat())
}

#[test]
fn files_and_folders_have_the_cid_that_kubo_gives_them() {
    let workshop = Workshop::empty();
    let top = workshop.path("things");
    folder([
        ("empty", file("")),
        ("one", file("x")),
        ("large", file(Seeded::bytes("cid", 3_000_001))),
        ("none", folder::<&str>([])),
        ("é and spaces", file("y")),
        (".hidden", file("h")),
        (
            "deep",
            folder([("er", folder([("still", file("z")), (".not", file("n"))]))]),
        ),
        ("many", sharded_folder(1300)),
    ])
    .write(&top);
    #[cfg(unix)]
    for (name, target) in [
        ("link", "one"),
        ("dangling", "no/where"),
        ("to-folder", "deep"),
    ] {
        std::os::unix::fs::symlink(target, top.join(name)).unwrap();
    }
    let names = [
        "", "empty", "one", "large", "none", "deep", "many", ".hidden",
    ];
    let mut all = String::new();
    for profile in Profile::ALL {
        let kubo = Kubo::new(profile);
        for name in names {
            let path = top.join(name);
            let ours = workshop.run(&[
                "cid".as_ref(),
                "--profile".as_ref(),
                profile.to_string().as_ref(),
                path.as_os_str(),
            ]);
            assert_eq!(
                ours.line(),
                expected(&kubo, &path, &[]),
                "{profile}: `{name}`"
            );
        }
        all += &format!("{profile} {}\n", expected(&kubo, &top, &[]));
    }
    assert_eq!(
        workshop.run(&["cid", "--all-profiles", "things"]).output,
        all
    );
}

#[cfg(unix)]
#[test]
fn a_link_that_is_named_is_what_kubo_takes_it_for() {
    let workshop = Workshop::empty();
    fs::write(workshop.path("file"), "bytes").unwrap();
    std::os::unix::fs::symlink("file", workshop.path("link")).unwrap();
    let profile = Profile::UnixfsV1_2025;
    let kubo = Kubo::new(profile);
    let ours = workshop.run(&["cid", "link"]);
    assert_eq!(ours.line(), expected(&kubo, &workshop.path("link"), &[]));
}

#[test]
fn several_paths_are_told_apart() {
    let workshop = Workshop::empty();
    fs::write(workshop.path("a"), "a").unwrap();
    fs::write(workshop.path("b"), "b").unwrap();
    let of = |name: &str| workshop.run(&["cid", name]).line().to_owned();
    let both = workshop.run(&["cid", "b", "a"]);
    assert_eq!(both.output, format!("{} b\n{} a\n", of("b"), of("a")));
    let all = workshop.run(&["cid", "--all-profiles", "a", "b"]).output;
    assert_eq!(all.lines().count(), 2 * Profile::ALL.len());
    assert!(
        all.starts_with(&format!("unixfs-v1-2025 {} a\n", of("a"))),
        "{all}"
    );
}

#[test]
fn the_repository_around_has_its_say() {
    let workshop = Workshop::with(&small().profile(Profile::UnixfsV0_2015));
    let own = workshop.run(&["cid", "ipwhl.toml"]);
    assert!(own.line().starts_with("Qm"), "{own:?}");
    let other = workshop.run(&["cid", "ipwhl.toml", "--profile", "unixfs-v1-2025"]);
    assert!(other.line().starts_with("baf"), "{other:?}");
    let both = [
        "cid",
        "ipwhl.toml",
        "--profile",
        "unixfs-v1-2025",
        "--all-profiles",
    ];
    workshop.run(&both).refused(2, &[]);
    workshop.run(&["cid"]).refused(2, &[]);
}

#[test]
fn what_cannot_be_read_is_named() {
    let workshop = Workshop::empty();
    workshop
        .run(&["cid", "nothing"])
        .refused(3, &["nothing` cannot be read"]);
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;

        let socket = workshop.path("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        workshop
            .run(&["cid", "socket"])
            .refused(3, &["socket` is neither a file nor a folder"]);
        // A target that is no text has a CID of its own, which must not be that of a similar text.
        fs::create_dir(workshop.path("links")).unwrap();
        let target = std::ffi::OsStr::from_bytes(b"caf\xe9");
        std::os::unix::fs::symlink(target, workshop.path("links/link")).unwrap();
        workshop.run(&["cid", "links"]).refused(3, &["links/link"]);
        // One name is no text.
        fs::create_dir(workshop.path("names")).unwrap();
        fs::write(workshop.path("names").join(target), "x").unwrap();
        workshop
            .run(&["cid", "names"])
            .refused(3, &["is not UTF-8"]);
    }
}
