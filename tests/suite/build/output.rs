//! What a build writes and where; what it leaves alone.

use std::fs;
use std::process::Stdio;

use ipwhl::release::archive::ReleaseArchive;
use ipwhl_unixfs::Profile;
use ipwhl_unixfs::car::CarReader;

use crate::support::loopback_index::{Answer, Hosted, LoopbackIndex};
use crate::support::repository_builder::{Project, RepositoryBuilder, Wheel};
use crate::support::workshop::{Ran, Workshop, files, installable, installable_from, pure, small};

fn names(workshop: &Workshop, folder: &str) -> Vec<String> {
    files(&workshop.repository().join(folder))
        .into_keys()
        .collect()
}

const ALL: [&str; 3] = ["release.car", "release.toml", "release.toml.sig"];

#[test]
fn the_release_is_three_files_and_the_root_is_the_only_line() {
    let workshop = Workshop::small();
    let ran = workshop.run(&["build"]);
    let root = ran.line();
    assert_eq!(names(&workshop, "release"), ALL);
    let reader = CarReader::open(fs::File::open(workshop.release("release.car")).unwrap()).unwrap();
    reader.verify().unwrap();
    assert_eq!(reader.root().to_string(), root);
    ran.said("4 projects");
    // A second build follows the statement that is there, and has nothing to add to it.
    workshop.run(&["build"]).said(
        "the previous statement, sequence 1, already has this root: no new statement was signed",
    );
    // With nothing to say, nothing is said.
    let quiet = workshop.run(&["build", "--quiet"]);
    assert_eq!(quiet.line(), root);
    assert_eq!(quiet.error, "");
}

#[test]
fn the_output_goes_where_it_is_told() {
    let workshop = Workshop::small();
    // Relative to where the user is, not to the repository.
    fs::create_dir(workshop.path("home")).unwrap();
    let ran = Ran::of(
        &workshop
            .command(&["build", "--repository", "../repository", "--output", "a/b"])
            .current_dir(workshop.path("home"))
            .output()
            .unwrap(),
    );
    ran.line();
    assert_eq!(
        files(&workshop.path("home/a/b"))
            .into_keys()
            .collect::<Vec<_>>(),
        ALL
    );
    assert!(!workshop.repository().join("release").exists());
}

#[test]
fn an_unsigned_build_takes_no_signed_release_away() {
    let workshop = Workshop::small();
    workshop.build(&[]);
    fs::write(workshop.release("notes.txt"), "mine").unwrap();
    let refused = |name: &str| {
        let before = files(&workshop.repository().join("release"));
        let words = [
            &format!("`release/{name}` is of a signed release"),
            "`--output`",
        ];
        workshop.run(&["build", "--unsigned"]).refused(2, &words);
        assert_eq!(files(&workshop.repository().join("release")), before);
    };
    refused("release.toml");
    // A damaged statement, and signatures that have lost theirs, may be all that is left of the
    // last sequence.
    fs::write(workshop.release("release.toml"), "nonsense").unwrap();
    refused("release.toml");
    fs::remove_file(workshop.release("release.toml")).unwrap();
    refused("release.toml.sig");
    let further = "release.toml.0123456789abcdef.sig";
    fs::rename(
        workshop.release("release.toml.sig"),
        workshop.release(further),
    )
    .unwrap();
    refused(further);
    // Neither the partial files of a killed run nor files with other names count.
    fs::remove_file(workshop.release(further)).unwrap();
    fs::write(workshop.release("release.toml.mine.sig"), "mine").unwrap();
    fs::write(workshop.release(".release.toml.partial"), "x").unwrap();
    fs::write(workshop.release(".release.toml.sig.partial"), "x").unwrap();
    workshop.build(&["--unsigned"]);
    assert_eq!(
        names(&workshop, "release"),
        ["notes.txt", "release.car", "release.toml.mine.sig"]
    );
}

#[test]
fn a_tree_is_the_release_as_files() {
    for profile in Profile::ALL {
        let workshop = Workshop::with(&small().profile(profile));
        let root = workshop.build(&["--tree", "tree"]);
        let profile = profile.to_string();
        let cid = workshop.run(&["cid", "tree", "--profile", &profile]);
        assert_eq!(cid.line(), root);
        let found = names(&workshop, "tree");
        for name in [
            "_ipwhl/release.json",
            "index.html",
            "index.v1_json",
            "native-thing/Native_Thing-2.0+local.1-cp312-cp312-win_amd64.whl",
            "native-thing/Native_Thing-2.0+local.1-cp312-cp312-win_amd64.whl.metadata",
            "native-thing/declaration.toml",
            "native-thing/index.html",
            "native-thing/index.v1_json",
        ] {
            assert!(found.iter().any(|one| one == name), "{name} in {found:?}");
        }
    }
}

#[test]
fn a_tree_replaces_an_earlier_one_and_nothing_else() {
    let workshop = Workshop::small();
    workshop.build(&["--unsigned", "--tree", "tree"]);
    // A project less, and nothing of it is left.
    fs::remove_file(workshop.repository().join("declarations/large.toml")).unwrap();
    let root = workshop.build(&["--unsigned", "--tree", "tree"]);
    assert!(!workshop.repository().join("tree/large").exists());
    assert_eq!(workshop.run(&["cid", "tree"]).line(), root);
    // Nothing stands beside it.
    let beside: Vec<String> = fs::read_dir(workshop.repository())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("tree"))
        .collect();
    assert_eq!(beside, ["tree"]);
    // An empty folder is as good as none.
    fs::create_dir(workshop.repository().join("empty")).unwrap();
    workshop.build(&["--unsigned", "--tree", "empty"]);
    // Somebody's folder stays, and nothing is built before that is told.
    fs::remove_dir_all(workshop.repository().join("release")).unwrap();
    let place = workshop.repository().join("thesis");
    fs::create_dir(&place).unwrap();
    fs::write(place.join("chapter-1.txt"), "years of work").unwrap();
    let ran = workshop.run(&["build", "--tree", "thesis"]);
    ran.refused(
        2,
        &["thesis` is a folder that was not made by a build", "help: "],
    );
    assert_eq!(names(&workshop, "thesis"), ["chapter-1.txt"]);
    assert!(!workshop.repository().join("release").exists());
    // A file is no folder.
    let ran = workshop.run(&["build", "--tree", "ipwhl.toml"]);
    assert_ne!(ran.code, Some(0));
    assert!(ran.error.contains("ipwhl.toml"), "{}", ran.error);
    assert!(workshop.repository().join("ipwhl.toml").is_file());
}

/// A tree that a build put around the repository, or around its own release, would take it away.
#[test]
fn a_tree_that_holds_the_repository_is_refused() {
    let workshop = Workshop::small();
    fs::create_dir(workshop.repository().join("release")).unwrap();
    for place in [".", "..", "release/..", "release/../..", "declarations"] {
        let before = files(&workshop.repository());
        let ran = workshop.run(&["build", "--unsigned", "--tree", place]);
        assert_eq!(ran.code, Some(2), "{place}: {}", ran.error);
        assert_eq!(files(&workshop.repository()), before, "{place}");
    }
}

#[test]
fn a_tree_of_the_layout_ipwhl_1_is_the_originals_and_never_replaced() {
    let workshop = Workshop::empty();
    let repository = workshop.repository();
    let wheel = pure("library", "2.1.post1");
    let bytes = wheel.build();
    fs::create_dir_all(repository.join("wheels")).unwrap();
    fs::create_dir_all(repository.join("pkgs/f5/library")).unwrap();
    fs::write(repository.join("wheels").join(wheel.file_name()), &bytes).unwrap();
    fs::write(
        repository.join("SUPPORTED"),
        "cp312 manylinux_2_28_x86_64\n",
    )
    .unwrap();
    fs::write(
        repository.join("ipwhl.toml"),
        "[repository]\nformat = 1\nname = \"old\"\nlayout = \"ipwhl-1\"\ndeclarations = \"pkgs\"\n",
    )
    .unwrap();
    let cid = crate::dag::file_dag(Profile::UnixfsV0_2015, &bytes).cid();
    fs::write(
        repository.join("pkgs/f5/library/library-2.1.post1-py3-none-any.toml"),
        format!(
            "source = \"file:wheels/{}\"\ncontent-id = \"{cid}\"\nextras = []\ndependencies = []\n",
            wheel.file_name()
        ),
    )
    .unwrap();
    let root = workshop.build(&["--unsigned", "--tree", "tree"]);
    assert!(root.starts_with("Qm"), "{root}");
    let tree = ["library/library-2.1.post1-py3-none-any.whl"];
    assert_eq!(names(&workshop, "tree"), tree);
    // It says nothing of itself: such folders of wheels could be anybody's.
    workshop
        .run(&["build", "--unsigned", "--tree", "tree"])
        .refused(2, &["a folder that was not made by a build"]);
    assert_eq!(names(&workshop, "tree"), tree);
    // It says nothing of its wheels that could be wrong.
    let ran = workshop.run(&["verify", "release/release.car"]);
    assert_eq!(ran.line(), root);
    ran.said("1 projects, 1 wheels");
    assert_eq!(workshop.run(&["cid", "tree"]).line(), root);
}

#[test]
fn offline_needs_nothing_but_files_and_the_cache() {
    let index = LoopbackIndex::start();
    let mut repository = RepositoryBuilder::new();
    for wheel in installable() {
        let name = wheel.file_name();
        let (project, rest) = name.split_once('-').unwrap();
        let (version, _) = rest.split_once('-').unwrap();
        index.host(Hosted::new(project, &name, &wheel.build()));
        let source = format!("pkg:pypi/{project}@{version}?file_name={name}");
        repository = repository.project(Project::wanted(Wheel::elsewhere(wheel, &source)));
    }
    let workshop = Workshop::with(&repository);
    let ran = workshop.run(&["build", "--offline"]);
    ran.refused(
        3,
        &[
            "application-1.0-py3-none-any.whl",
            "declarations/application.toml",
        ],
    );
    assert!(!workshop.repository().join("release").exists());
    let root = workshop.build(&["--index-url", &index.index_url()]);
    assert!(index.paths().contains(&"/simple/library/".to_owned()));
    let asked = index.paths().len();
    assert_eq!(workshop.build(&["--offline"]), root);
    assert_eq!(index.paths().len(), asked);
    // `file:` needs no cache, and gives the same root but for the source in the declaration.
    let from_files = Workshop::with(&installable_from(None));
    assert_ne!(from_files.build(&["--offline"]), root);
    // Asked for again without an index: what is in the cache is not asked for.
    assert_eq!(
        workshop.build(&["--index-url", "http://127.0.0.1:1/simple/"]),
        root
    );
}

#[test]
fn an_index_that_is_down_is_the_world_and_what_came_is_kept() {
    let index = LoopbackIndex::start();
    let [application, library] = installable().map(|wheel| {
        let path = format!("/files/{}", wheel.file_name());
        index.put(&path, &wheel.build());
        path
    });
    // Addresses without TLS are findings; here they are the way to a server of this test.
    let workshop = Workshop::with(
        &installable_from(Some(&index.url("/files/{}")))
            .configuration("\n[severity]\ninsecure-source = \"off\"\n"),
    );
    index.always(&application, Answer::status("403 Forbidden"));
    let ran = workshop.run(&["build"]);
    ran.refused(
        3,
        &[
            "declarations/application.toml",
            "403",
            "verified wheels stay in the cache",
        ],
    );
    let count = |path: &str| index.paths().iter().filter(|one| *one == path).count();
    assert_eq!(count(&library), 1);
    index.queue(&application, [Answer::Proper]);
    workshop.build(&[]);
    assert_eq!(count(&library), 1);
}

/// Changes a byte of each wheel in the cache.
fn damage_cache(workshop: &Workshop) {
    for entry in fs::read_dir(workshop.path("cache/wheels")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "whl") {
            let mut bytes = fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&path, bytes).unwrap();
        }
    }
}

#[test]
fn a_damaged_wheel_in_the_cache_is_fetched_again() {
    let workshop = Workshop::small();
    let root = workshop.build(&[]);
    let archive = workshop.read("release.car");
    damage_cache(&workshop);
    let ran = workshop.run(&["build", "--tree", "tree"]);
    assert_eq!(ran.line(), root);
    ran.said("is damaged; fetching it again");
    assert!(
        workshop.read("release.car") == archive,
        "the archives differ"
    );
    assert_eq!(workshop.run(&["cid", "tree"]).line(), root);
}

/// A finding that the repository accepts does not stop the repair.
#[test]
fn a_damaged_wheel_is_fetched_again_in_a_set_with_warnings() {
    let set = small()
        .configuration("\n[severity]\nrequires-python-mismatch = \"warning\"\n")
        .change("library", |library| {
            library.set("requires-python", "\">=3.8.1\"")
        });
    let workshop = Workshop::with(&set);
    let root = workshop.build(&[]);
    damage_cache(&workshop);
    let ran = workshop.run(&["build"]);
    ran.said("warning[requires-python-mismatch]");
    ran.said("is damaged; fetching it again");
    assert_eq!(ran.line(), root);
}

#[test]
fn two_builds_at_once_leave_one_whole_release() {
    let workshop = Workshop::small();
    workshop.build(&["--unsigned"]);
    let root = workshop.build(&["--root-only"]);
    for _ in 0..5 {
        let children: Vec<_> = (0..3)
            .map(|_| {
                workshop
                    .command(&["build"])
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .unwrap()
            })
            .collect();
        let mut successes = 0;
        for child in children {
            let ran = Ran::of(&child.wait_with_output().unwrap());
            match ran.code {
                Some(0) => {
                    assert_eq!(ran.line(), root);
                    successes += 1;
                }
                _ => ran.refused(3, &["another process is writing"]),
            }
        }
        assert!(successes > 0);
        assert_eq!(names(&workshop, "release"), ALL);
        let arguments = [
            "verify",
            "release/release.car",
            "--statement",
            "release/release.toml",
            "--any-signer",
        ];
        assert_eq!(workshop.run(&arguments).line(), root);
    }
}

/// Whoever can put a link into a folder must not decide where a build writes.
#[test]
#[cfg(unix)]
fn a_link_in_the_place_of_a_partial_file_is_not_followed() {
    let workshop = Workshop::small();
    let victim = workshop.path("victim");
    fs::write(&victim, "mine").unwrap();
    fs::create_dir_all(workshop.path("repository/release")).unwrap();
    for name in [".release.car.partial", ".release.toml.partial"] {
        std::os::unix::fs::symlink(&victim, workshop.release(name)).unwrap();
    }
    workshop.build(&[]);
    assert_eq!(fs::read_to_string(&victim).unwrap(), "mine");
    assert_eq!(names(&workshop, "release"), ALL);
    // Nor does one that leads nowhere stay behind.
    for name in ["release.toml", "release.toml.sig"] {
        fs::remove_file(workshop.release(name)).unwrap();
    }
    std::os::unix::fs::symlink("nowhere", workshop.release(".release.toml.partial")).unwrap();
    workshop.build(&["--unsigned"]);
    assert_eq!(names(&workshop, "release"), ["release.car"]);
    workshop.build(&[]);
    for name in ALL {
        assert!(
            fs::symlink_metadata(workshop.release(name))
                .unwrap()
                .is_file()
        );
    }
}

#[test]
fn no_release_goes_where_declarations_are() {
    let workshop = Workshop::small();
    for output in ["declarations", "declarations/deep", "./declarations"] {
        workshop
            .run(&["build", "--unsigned", "--output", output])
            .refused(
                2,
                &[
                    "cannot write a release into the declarations folder",
                    "`--output`",
                ],
            );
    }
    fs::create_dir_all(workshop.release("release.toml")).unwrap();
    workshop
        .run(&["build", "--unsigned"])
        .refused(2, &["release.toml` is a folder"]);
}

/// Two builds that put their trees into one place at the same time.
#[test]
fn one_tree_is_written_by_one_build_at_a_time() {
    let workshop = Workshop::small();
    let root = workshop.build(&["--unsigned"]);
    let builds: Vec<_> = (0..4)
        .map(|number| {
            workshop
                .command(&["build", "--unsigned", "--tree", "tree", "--output"])
                .arg(format!("release-{number}"))
                .stderr(std::process::Stdio::piped())
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut done = 0;
    for build in builds {
        let output = build.wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            Some(0) => done += 1,
            code => {
                assert_eq!(code, Some(3), "{error}");
                assert!(error.contains("another process is writing"), "{error}");
            }
        }
    }
    assert!(done > 0);
    assert_eq!(workshop.run(&["cid", "tree"]).line(), root);
}

/// What happens to be named like something half done belongs to whoever made it.
#[test]
fn a_tree_leaves_its_neighbours_alone() {
    let workshop = Workshop::small();
    for name in [".site.old", ".site.partial"] {
        fs::create_dir(workshop.path("repository").join(name)).unwrap();
        fs::write(workshop.path("repository").join(name).join("mine"), "x").unwrap();
    }
    workshop.build(&["--unsigned", "--tree", "site"]);
    workshop.build(&["--unsigned", "--tree", "site"]);
    for name in [".site.old/mine", ".site.partial/mine"] {
        assert!(workshop.path("repository").join(name).is_file(), "{name}");
    }
}
