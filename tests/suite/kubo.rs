//! A real Kubo as the judge of CIDs and archives.

use std::fs;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use std::process::Command;

use ipwhl::release::archive::ReleaseArchive;
use ipwhl_unixfs::car::{CarReader, CarWriter};
use ipwhl_unixfs::{
    BlockSink, Cid, Codec, DirectoryDag, DirectoryEntry, FileDag, Link, Profile, Version, symlink,
};
use tempfile::TempDir;

use crate::dag::{Blocks, Seeded, file_dag};
use crate::support;

/// A Kubo with a repository of its own, offline.
pub struct Kubo {
    program: PathBuf,
    home: TempDir,
}

impl Kubo {
    /// One whose import settings are the profile's.
    pub fn new(profile: Profile) -> Self {
        let program = support::tool("ipfs");
        let home = TempDir::new().unwrap();
        let kubo = Self { program, home };
        let name = match profile {
            Profile::UnixfsV1_2025 => "unixfs-v1-2025",
            Profile::UnixfsV0_2015 | Profile::KuboCidV1 => "unixfs-v0-2015",
        };
        kubo.text(&["init", "--empty-repo", "--profile", name]);
        if profile == Profile::KuboCidV1 {
            // The default import settings with nothing but another CID version.
            kubo.text(&["config", "--json", "Import", r#"{"CidVersion": 1}"#]);
        }
        kubo
    }

    /// The folder of its repository.
    pub fn repository(&self) -> PathBuf {
        self.home.path().join("repository")
    }

    /// The program, offline, with the repository of this value.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.online(&[&["--offline"], arguments].concat())
    }

    /// The program, as its daemon has it, with the repository of this value.
    pub fn online(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env("IPFS_PATH", self.repository())
            .env("HOME", self.home.path())
            .env("IPFS_TELEMETRY", "off");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Vec<u8> {
        Self::succeeded(arguments, &mut self.command(arguments))
    }

    /// What a command says that its daemon answers.
    pub fn asked(&self, arguments: &[&str]) -> Vec<u8> {
        Self::succeeded(arguments, &mut self.online(arguments))
    }

    fn succeeded(arguments: &[&str], command: &mut Command) -> Vec<u8> {
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "ipfs {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    pub fn text(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.run(arguments))
            .unwrap()
            .trim()
            .to_owned()
    }

    /// Imports an archive and gives back the root that was pinned. Kubo answers success when a pin
    /// fails, with the error in its output.
    pub fn import(&self, car: &[u8]) -> Cid {
        let path = self.home.path().join("import.car");
        fs::write(&path, car).unwrap();
        let answer = self.text(&["dag", "import", path.to_str().unwrap()]);
        let words: Vec<&str> = answer.split_whitespace().collect();
        let ["Pinned", "root", root, "success"] = words[..] else {
            panic!("dag import answered `{answer}`");
        };
        root.parse().unwrap()
    }

    pub fn export(&self, root: &Cid) -> Vec<u8> {
        self.run(&["dag", "export", "--progress=false", &root.to_string()])
    }
}

/// A tree to be written to disk and to be built here.
#[derive(Debug)]
pub enum Tree {
    File(Vec<u8>),
    Folder(Vec<(String, Tree)>),
    Symlink(String),
}

impl Tree {
    pub fn write(&self, path: &Path) {
        match self {
            Self::File(bytes) => fs::write(path, bytes).unwrap(),
            Self::Folder(entries) => {
                fs::create_dir(path).unwrap();
                for (name, tree) in entries {
                    tree.write(&path.join(name));
                }
            }
            #[cfg(unix)]
            Self::Symlink(target) => std::os::unix::fs::symlink(target, path).unwrap(),
            #[cfg(not(unix))]
            Self::Symlink(_) => panic!("no symbolic links on this platform"),
        }
    }

    pub fn build(&self, profile: Profile) -> Built<'_> {
        match self {
            Self::File(bytes) => Built::File(file_dag(profile, bytes), bytes),
            Self::Folder(entries) => {
                let built: Vec<_> = entries
                    .iter()
                    .map(|(name, tree)| (name, tree.build(profile)))
                    .collect();
                let entries = built
                    .iter()
                    .map(|(name, built)| DirectoryEntry {
                        name: (*name).clone(),
                        link: built.link(),
                    })
                    .collect();
                let dag = DirectoryDag::build(profile, entries).unwrap();
                Built::Folder(dag, built.into_iter().map(|(_, built)| built).collect())
            }
            Self::Symlink(target) => {
                let (link, block) = symlink(profile, target);
                Built::Symlink(link, block)
            }
        }
    }
}

pub enum Built<'a> {
    File(FileDag, &'a [u8]),
    Folder(DirectoryDag, Vec<Built<'a>>),
    Symlink(Link, Vec<u8>),
}

impl Built<'_> {
    pub fn link(&self) -> Link {
        match self {
            Self::File(dag, _) => dag.link(),
            Self::Folder(dag, _) => dag.link(),
            Self::Symlink(link, _) => *link,
        }
    }

    /// Whether the entry of this name is a HAMT.
    pub fn is_sharded(&self, name: &str, tree: &Tree) -> bool {
        let (Self::Folder(_, children), Tree::Folder(entries)) = (self, tree) else {
            return false;
        };
        let place = entries.iter().position(|(entry, _)| entry == name).unwrap();
        matches!(&children[place], Self::Folder(dag, _) if dag.is_sharded())
    }

    pub fn emit(&self, sink: &mut dyn BlockSink) -> io::Result<()> {
        match self {
            Self::File(dag, bytes) => dag.emit(sink, &mut &bytes[..]),
            Self::Folder(dag, children) => {
                dag.emit(sink, &mut |sink, index| children[index].emit(sink))
            }
            Self::Symlink(link, block) => sink.put(&link.cid, block),
        }
    }

    pub fn car(&self) -> Vec<u8> {
        let mut writer = CarWriter::new(Vec::new(), self.link().cid).unwrap();
        self.emit(&mut writer).unwrap();
        let (car, summary) = writer.finish().unwrap();
        assert_eq!(summary.bytes, car.len() as u64);
        car
    }
}

pub fn file(bytes: impl AsRef<[u8]>) -> Tree {
    Tree::File(bytes.as_ref().to_vec())
}

pub fn folder<N: Into<String>>(entries: impl IntoIterator<Item = (N, Tree)>) -> Tree {
    Tree::Folder(
        entries
            .into_iter()
            .map(|(name, tree)| (name.into(), tree))
            .collect(),
    )
}

/// A folder of so many small files with long names; from 1 200 on every profile shards it.
pub fn sharded_folder(count: usize) -> Tree {
    folder((0..count).map(|number| (sharded_name(number), file(format!("{}\n", number % 7)))))
}

/// The name of an entry of [`sharded_folder`]: 205 bytes.
pub fn sharded_name(number: usize) -> String {
    format!("entry-{number:05}-é-{}.txt", "long".repeat(46))
}

/// Everything that a release can have: plain and nested folders, an empty one, a HAMT, files of
/// none, one, several and many chunks, files and folders that occur twice, names in another order
/// than that of their links.
pub fn varied_tree(profile: Profile) -> Tree {
    let chunk = profile.chunk_size();
    let several = Seeded::bytes("several", 3 * chunk + 17);
    let twins = || folder([("z", file("one")), ("a", file("two")), ("Z", file("one"))]);
    folder([
        ("empty-file", file("")),
        ("empty-folder", folder::<&str>([])),
        ("zeros", file(vec![0; 2 * chunk])),
        ("several", file(&several)),
        ("again", file(&several)),
        (
            "nested",
            folder([("b", twins()), ("a", folder([("deep", twins())]))]),
        ),
        ("sharded", sharded_folder(1400)),
        ("sharded-but-one", sharded_folder(1399)),
        ("é", file("not ASCII")),
        ("B", file("one")),
    ])
}

/// Adds a tree and gives back its root.
fn add(kubo: &Kubo, tree: &Tree, options: &[&str]) -> String {
    let place = kubo.home.path().join("tree");
    tree.write(&place);
    let path = place.to_str().unwrap();
    kubo.text(&[&["add", "-r", "-Q", "--progress=false"], options, &[path]].concat())
}

#[test]
fn file_sizes_around_every_edge() {
    for profile in Profile::ALL {
        let kubo = Kubo::new(profile);
        let chunk = profile.chunk_size();
        let mut sizes = vec![0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 2 * chunk + 1];
        if profile != Profile::UnixfsV1_2025 {
            let level = profile.width() * chunk;
            sizes.extend([level - 1, level, level + 1, level + chunk + 1]);
        }
        let bytes = Seeded::bytes("edges", *sizes.iter().max().unwrap());
        for size in sizes {
            let path = kubo.home.path().join("file");
            fs::write(&path, &bytes[..size]).unwrap();
            let expected = kubo.text(&[
                "add",
                "-n",
                "-Q",
                "--progress=false",
                path.to_str().unwrap(),
            ]);
            let found = file_dag(profile, &bytes[..size]).cid().to_string();
            assert_eq!(found, expected, "{profile}, {size} bytes");
        }
    }
}

#[test]
fn folders_around_the_threshold() {
    for profile in Profile::ALL {
        let kubo = Kubo::new(profile);
        let link = file_dag(profile, b"x").link();
        // Names of 200 bytes, as many of 201 as it takes.
        let one = match profile {
            // Hash, name and size with their tags and lengths, and the link's own.
            Profile::UnixfsV1_2025 => 36 + 200 + 10,
            Profile::UnixfsV0_2015 => 34 + 200,
            Profile::KuboCidV1 => 36 + 200,
        };
        let fixed = if profile == Profile::UnixfsV1_2025 {
            4
        } else {
            0
        };
        let threshold = 256 * 1024;
        let count = (threshold - fixed) / one;
        let longer = (threshold - fixed) % one;
        for (longer, sharded) in [(longer, false), (longer + 1, true)] {
            let names: Vec<String> = (0..count)
                .map(|number| {
                    format!(
                        "{number:0width$}",
                        width = 200 + usize::from(number < longer)
                    )
                })
                .collect();
            let entries = names.iter().map(|name| DirectoryEntry {
                name: name.clone(),
                link,
            });
            let ours = DirectoryDag::build(profile, entries.collect()).unwrap();
            assert_eq!(ours.is_sharded(), sharded, "{profile}");
            let tree = folder(names.iter().map(|name| (name.as_str(), file("x"))));
            assert_eq!(
                ours.cid().to_string(),
                add(&kubo, &tree, &["-n"]),
                "{profile}"
            );
            fs::remove_dir_all(kubo.home.path().join("tree")).unwrap();
        }
    }
}

#[test]
fn archives_are_byte_for_byte_what_dag_export_writes() {
    for profile in Profile::ALL {
        let kubo = Kubo::new(profile);
        let tree = varied_tree(profile);
        let built = tree.build(profile);
        assert!(built.is_sharded("sharded", &tree));
        let root = built.link().cid;
        assert_eq!(add(&kubo, &tree, &[]), root.to_string(), "{profile}");
        let ours = built.car();
        let theirs = kubo.export(&root);
        assert!(ours == theirs, "{profile}: the archives differ");
        let other = Kubo::new(profile);
        assert_eq!(other.import(&ours), root, "{profile}");
        let summary = CarReader::open(Cursor::new(ours))
            .unwrap()
            .verify()
            .unwrap();
        assert_eq!(summary.bytes, theirs.len() as u64);
    }
}

/// A release whose declared CIDs are of several profiles, one file under two CIDs of one block.
#[test]
fn a_tree_of_several_profiles() {
    let profile = Profile::UnixfsV1_2025;
    let kubo = Kubo::new(profile);
    let bytes = Seeded::bytes("mixed", 700_000);
    let old = file_dag(Profile::UnixfsV0_2015, &bytes);
    // The root of `old` under its other CID: one block, two names.
    let other_name = Link {
        cid: Cid::v1(Codec::DagPb, old.cid().digest()),
        ..old.link()
    };
    let dags = [
        (old.link(), old.clone()),
        (other_name, old.clone()),
        (
            file_dag(Profile::KuboCidV1, &bytes).link(),
            file_dag(Profile::KuboCidV1, &bytes),
        ),
        (file_dag(profile, &bytes).link(), file_dag(profile, &bytes)),
        (old.link(), old),
    ];
    let names = ["d", "e", "b", "c", "a"];
    let entries = names
        .iter()
        .zip(&dags)
        .map(|(name, (link, _))| DirectoryEntry {
            name: (*name).to_owned(),
            link: *link,
        });
    let folder = DirectoryDag::build(profile, entries.collect()).unwrap();
    let mut writer = CarWriter::new(Vec::new(), folder.cid()).unwrap();
    folder
        .emit(&mut writer, &mut |sink, index| {
            let (link, dag) = &dags[index];
            if *link == dag.link() {
                return dag.emit(sink, &mut &bytes[..]);
            }
            let mut blocks = Blocks::default();
            dag.emit(&mut blocks, &mut &bytes[..])?;
            sink.put(&link.cid, &blocks.0[0].1)?;
            blocks.0[1..]
                .iter()
                .try_for_each(|(cid, block)| sink.put(cid, block))
        })
        .unwrap();
    let (car, _) = writer.finish().unwrap();
    assert_eq!(kubo.import(&car), folder.cid());
    assert!(kubo.export(&folder.cid()) == car, "the archives differ");
    assert_eq!(
        kubo.run(&["cat", &format!("/ipfs/{}/a", folder.cid())]),
        bytes
    );
}

/// `-r` leaves hidden names out and keeps symbolic links as they are; `-H` takes the hidden ones
/// in.
#[cfg(unix)]
#[test]
fn hidden_names_links_and_empty_folders() {
    for profile in Profile::ALL {
        let kubo = Kubo::new(profile);
        let seen = || {
            vec![
                ("link", Tree::Symlink("../some/where".to_owned())),
                ("dangling", Tree::Symlink("nothing".to_owned())),
                ("empty", folder::<&str>([])),
                ("file", file("bytes")),
            ]
        };
        let plain = folder(seen()).build(profile).link().cid.to_string();
        let all = folder(seen().into_iter().chain([
            (".hidden", file("h")),
            (".folder", folder([("inside", file("i"))])),
        ]));
        assert_eq!(add(&kubo, &all, &["-n"]), plain, "{profile}");
        fs::remove_dir_all(kubo.home.path().join("tree")).unwrap();
        let with_hidden = all.build(profile).link().cid.to_string();
        assert_eq!(add(&kubo, &all, &["-n", "-H"]), with_hidden, "{profile}");
        assert_ne!(plain, with_hidden);
    }
}

/// An archive with a root of either version is one that Kubo takes.
#[test]
fn roots_of_both_versions() {
    for profile in [Profile::UnixfsV0_2015, Profile::UnixfsV1_2025] {
        let kubo = Kubo::new(profile);
        let tree = file(Seeded::bytes("root", 3_000_000));
        let built = tree.build(profile);
        let expected = match profile {
            Profile::UnixfsV0_2015 => Version::V0,
            _ => Version::V1,
        };
        assert_eq!(built.link().cid.version(), expected);
        let car = built.car();
        assert_eq!(kubo.import(&car), built.link().cid);
        assert!(kubo.export(&built.link().cid) == car, "the archives differ");
    }
}

/// What Kubo refuses we refuse: one byte of a block changed.
#[test]
fn an_archive_with_a_changed_byte_is_refused_by_both() {
    let profile = Profile::UnixfsV1_2025;
    let kubo = Kubo::new(profile);
    let mut car = file("some bytes of a file").build(profile).car();
    *car.last_mut().unwrap() ^= 1;
    assert!(
        CarReader::open(Cursor::new(car.clone()))
            .unwrap()
            .verify()
            .is_err()
    );
    let path = kubo.home.path().join("changed.car");
    fs::write(&path, car).unwrap();
    let import = ["dag", "import", path.to_str().unwrap()];
    let output = kubo.command(&import).output().unwrap();
    assert!(!output.status.success());
}
