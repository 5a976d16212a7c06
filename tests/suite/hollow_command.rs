//! Archives that have a part of a release: what `build --car` and `hollow` write.

use std::collections::HashSet;
use std::fs;
use std::io::Cursor;

use ipwhl::release::archive::ArchiveKind;
use ipwhl::release::archive::ReleaseArchive;
use ipwhl_unixfs::car::CarReader;
use ipwhl_unixfs::{Cid, Profile};

use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::workshop::{Workshop, native, pure, small, stored};

fn open(bytes: &[u8]) -> CarReader<Cursor<Vec<u8>>> {
    CarReader::open(Cursor::new(bytes.to_vec())).unwrap()
}

/// [`small`] with another version of `library`; everything else is the same.
pub fn small_with_newer_library(profile: Profile) -> RepositoryBuilder {
    let mut native = native().into_iter();
    let first = Project::automatic(native.next().unwrap());
    let large = stored("large", "1.0")
        .member("large.py", "size = 2500000\n")
        .member("large.bin", crate::dag::Seeded::bytes("large", 2_500_000));
    RepositoryBuilder::new()
        .platforms(&["cp312"], &["manylinux_2_28_x86_64", "win_amd64"])
        .profile(profile)
        .project(Project::wanted(
            pure("application", "1.0")
                .requires_python(">=3.8")
                .requires("library>=2")
                .requires("native-thing"),
        ))
        .project(Project::automatic(pure("library", "2.2")))
        .project(native.fold(first, Project::wheel))
        .project(Project::wanted(large))
}

/// Takes away every wheel that a build could read.
pub fn lose_the_wheels(workshop: &Workshop) {
    for folder in [
        workshop.path("cache/wheels"),
        workshop.repository().join("wheels"),
    ] {
        fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn a_hollow_build_needs_no_wheel_and_is_what_hollow_makes_of_the_full_one() {
    for profile in Profile::ALL {
        let workshop = Workshop::with(&small().profile(profile));
        let root = workshop.build(&["--unsigned"]);
        let full = workshop.read("release.car");
        assert_eq!(workshop.run(&["hollow", "release"]).line(), root);
        let hollow = workshop.read("release.hollow.car");
        fs::remove_file(workshop.release("release.hollow.car")).unwrap();
        lose_the_wheels(&workshop);
        let again = workshop.build(&["--unsigned", "--car", "hollow"]);
        assert_eq!(again, root, "{profile}");
        assert!(
            workshop.read("release.hollow.car") == hollow,
            "{profile}: the archives differ"
        );
        // The full one of the same root stays.
        assert!(workshop.read("release.car") == full);

        let (full, hollow) = (open(&full), open(&hollow));
        let survey = hollow.survey().unwrap();
        assert_eq!(survey.kind, ArchiveKind::Hollow, "{profile}");
        assert_eq!(full.survey().unwrap().kind, ArchiveKind::Full);
        assert!(hollow.verify().is_err(), "{profile}: a hollow one is whole");
        // Nothing is there but what the full one has, in its order; nothing is lacking but leaves.
        let had: HashSet<Cid> = hollow.cids().into_iter().collect();
        let kept: Vec<Cid> = full
            .cids()
            .into_iter()
            .filter(|cid| had.contains(cid))
            .collect();
        assert_eq!(hollow.cids(), kept, "{profile}");
        let lacking: HashSet<Cid> = survey.lacking.iter().map(|one| one.cid).collect();
        assert_eq!(lacking.len() + had.len(), full.len(), "{profile}");
        assert_eq!(hollow.known().unwrap(), full.cids().into_iter().collect());
        // 2.5 MB are the wheels'.
        assert!(hollow.byte_length() < 20_000, "{}", hollow.byte_length());
        // What is hollow already stays as it is.
        let copy = workshop.path("copy.car");
        let copied = workshop.run(&[
            "hollow",
            "release/release.hollow.car",
            "--output",
            copy.to_str().unwrap(),
        ]);
        assert_eq!(copied.line(), root);
        assert!(fs::read(copy).unwrap() == workshop.read("release.hollow.car"));
    }
}

#[test]
fn a_delta_is_the_full_archive_without_what_the_previous_release_has() {
    for profile in Profile::ALL {
        let workshop = Workshop::with(&small().profile(profile));
        workshop.build(&["--output", "first"]);
        let first = fs::read(workshop.repository().join("first/release.car")).unwrap();
        workshop.write_over(&small_with_newer_library(profile));
        let previous = ["--previous", "first/release.toml"];
        let root = workshop.build(&[&["--output", "full"], &previous[..]].concat());
        let full = fs::read(workshop.repository().join("full/release.car")).unwrap();
        // Only the wheel that is new is read.
        let large = workshop
            .repository()
            .join("wheels/large-1.0-py3-none-any.whl");
        fs::remove_file(&large).unwrap_or_else(|error| panic!("{}: {error}", large.display()));
        fs::remove_dir_all(workshop.path("cache/wheels")).unwrap();
        let delta_of = |arguments: &[&str]| {
            let arguments = [&["--output", "delta", "--car", "delta"], arguments].concat();
            assert_eq!(workshop.build(&arguments), root, "{profile}");
            let folder = workshop.repository().join("delta");
            let bytes = fs::read(folder.join("release.delta.car")).unwrap();
            fs::remove_dir_all(folder).unwrap();
            bytes
        };
        let delta = delta_of(&previous);
        let known: HashSet<Cid> = open(&first).cids().into_iter().collect();
        let full = open(&full);
        let new: Vec<Cid> = full
            .cids()
            .into_iter()
            .filter(|cid| !known.contains(cid))
            .collect();
        assert_eq!(open(&delta).cids(), new, "{profile}");
        assert!(new.len() > 5 && new.len() < full.len() / 2, "{}", new.len());
        let survey = open(&delta).survey().unwrap();
        assert_eq!(survey.kind, ArchiveKind::Delta, "{profile}");
        // A hollow archive of the previous release says as much of it.
        workshop.run(&["hollow", "first/release.car"]).line();
        fs::remove_file(workshop.repository().join("first/release.car")).unwrap();
        assert!(delta_of(&previous) == delta, "{profile}: by the hollow one");
        let named = ["--unsigned", "--previous-car", "first/release.hollow.car"];
        assert!(delta_of(&named) == delta, "{profile}: by the named one");
    }
}

#[test]
fn a_delta_to_the_same_release_is_its_root() {
    let workshop = Workshop::small();
    workshop.build(&["--output", "first"]);
    let root = workshop.build(&["--car", "delta", "--previous", "first/release.toml"]);
    let delta = open(&workshop.read("release.delta.car"));
    assert_eq!(delta.cids(), [root.parse().unwrap()]);
}

#[test]
fn a_delta_without_its_previous_release_is_refused() {
    let workshop = Workshop::small();
    let help = "`--previous-car RELEASE`";
    workshop
        .run(&["build", "--unsigned", "--car", "delta"])
        .refused(2, &["a delta needs the previous release", help]);
    workshop
        .run(&["build", "--unsigned", "--previous-car", "x.car"])
        .refused(2, &["`--previous-car` needs `--car delta`"]);
    workshop.build(&["--output", "first"]);
    workshop.write_over(&small_with_newer_library(Profile::default()));
    workshop.build(&["--output", "other"]);
    let ran = workshop.run(&[
        "build",
        "--car",
        "delta",
        "--previous",
        "first/release.toml",
        "--previous-car",
        "other/release.car",
    ]);
    ran.refused(
        1,
        &["is an archive of ", "the previous statement vouches for "],
    );
    // The full archive that the delta builds on is not thrown away, and nothing is beside another's
    // statement.
    fs::rename(
        workshop.repository().join("first"),
        workshop.repository().join("release"),
    )
    .unwrap();
    let before = workshop.read("release.car");
    // Nothing is fetched for it.
    lose_the_wheels(&workshop);
    let ran = workshop.run(&[
        "build",
        "--car",
        "delta",
        "--previous",
        "release/release.toml",
    ]);
    ran.refused(
        2,
        &[
            "release.car` is the full archive of another release",
            "`--output`",
        ],
    );
    assert!(workshop.read("release.car") == before);
    assert!(!workshop.release("release.delta.car").exists());
    // Where the archive has all wheels of the new release and one more, that shows at the end, and
    // still nothing is signed.
    workshop.write_over(&small());
    fs::remove_file(workshop.repository().join("declarations/large.toml")).unwrap();
    let ran = workshop.run(&[
        "build",
        "--car",
        "hollow",
        "--previous",
        "release/release.toml",
    ]);
    ran.refused(2, &["release.car` is the full archive of another release"]);
    assert!(!ran.error.contains("signed"), "{ran:?}");
    assert!(workshop.read("release.car") == before);
    workshop.write_over(&small_with_newer_library(Profile::default()));
    // A full build takes the place of all of them.
    workshop.run(&["hollow", "release"]).line();
    workshop.build(&[]);
    assert!(!workshop.release("release.hollow.car").exists());
}

#[test]
fn what_is_no_full_archive_is_not_hollowed() {
    let workshop = Workshop::small();
    workshop.build(&["--output", "first"]);
    workshop.write_over(&small_with_newer_library(Profile::default()));
    workshop.build(&["--car", "delta", "--previous", "first/release.toml"]);
    workshop
        .run(&["hollow", "release/release.delta.car"])
        .refused(1, &["does not have block ", "`ipwhl fill`"]);
    assert!(!workshop.release("release.hollow.car").exists());
    let own = [
        "hollow",
        "first/release.car",
        "--output",
        "first/release.car",
    ];
    workshop.run(&own).refused(2, &["would be overwritten"]);
    workshop
        .run(&["hollow", "nowhere.car"])
        .refused(3, &["nowhere.car` cannot be read"]);
    // A page that was changed is not passed on.
    let path = workshop.repository().join("first/release.car");
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes
        .windows(15)
        .position(|part| part == b"<!DOCTYPE html>")
        .unwrap();
    bytes[at + 2] ^= 1;
    fs::write(&path, bytes).unwrap();
    workshop
        .run(&["hollow", "first"])
        .refused(1, &["do not match its CID"]);
    assert!(
        !workshop
            .repository()
            .join("first/release.hollow.car")
            .exists()
    );
}

#[test]
fn verify_says_what_a_part_is_and_what_it_lacks() {
    for profile in Profile::ALL {
        let workshop = Workshop::with(&small().profile(profile));
        let root = workshop.build(&["--output", "first"]);
        workshop.run(&["hollow", "first"]).line();
        let lacking =
            open(&fs::read(workshop.repository().join("first/release.hollow.car")).unwrap())
                .survey()
                .unwrap()
                .lacking
                .len();
        let hollow = ["verify", "first/release.hollow.car"];
        let ran = workshop.run(
            &[
                &hollow[..],
                &["--statement", "first/release.toml", "--any-signer"],
            ]
            .concat(),
        );
        assert_eq!(ran.line(), root, "{profile}");
        ran.said("warning: `first/release.hollow.car` is hollow: its ");
        ran.said(&format!(" the {lacking} leaf blocks of its wheels (2."));
        ran.said("sequence 1 is signed with ");
        workshop.write_over(&small_with_newer_library(profile));
        workshop.build(&["--car", "delta", "--previous", "first/release.toml"]);
        workshop
            .run(&["verify", "release/release.delta.car"])
            .refused(
                1,
                &[
                    "release.delta.car` is a delta or has lost blocks: its ",
                    "it lacks ",
                    "`ipwhl fill ARCHIVE --from PREVIOUS`",
                ],
            );
        // What is there is looked at all the same.
        for name in ["first/release.hollow.car", "release/release.delta.car"] {
            let path = workshop.repository().join(name);
            let mut bytes = fs::read(&path).unwrap();
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            fs::write(&path, bytes).unwrap();
            workshop
                .run(&["verify", name])
                .refused(1, &["do not match its CID", "fetch the release again"]);
        }
    }
}
