//! A release that this process makes, without the program.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use ipwhl::foundation::environment::{Clock, Environment};
use ipwhl::release::names::STATEMENT;
use ipwhl::release::statement::{Draft, SignedStatement, Statement};
use ipwhl::release::tree::{Content, Release, ReleaseInput};
use ipwhl::set::declaration::DeclaredWheel;
use ipwhl::set::gather::Facts;
use ipwhl::set::repository::Repository;
use ipwhl::source::Session;
use ipwhl_packaging::wheel::{Limits, inspect};
use ipwhl_unixfs::car::{CarReader, CarWriter};
use ipwhl_unixfs::{BlockSink as _, Cid, Sha256Digest};

use super::repository_builder::RepositoryBuilder;
use crate::dag::file_dag;
use crate::kubo::Tree;
use crate::trust::signed;

/// The time of a [`session`].
const NOW: &str = "2026-11-20T12:00:00Z";

/// A release, with the repository that it is of.
pub struct BuiltRelease {
    pub root: Cid,
    /// The full archive.
    pub archive: Vec<u8>,
    /// The archive without the leaves of wheels.
    pub hollow: Vec<u8>,
    /// Its files by their paths.
    pub files: BTreeMap<String, Vec<u8>>,
    pub repository: Repository,
}

impl BuiltRelease {
    /// Makes the release of a repository, all of whose wheels are in its folder.
    pub fn of(builder: &RepositoryBuilder) -> Self {
        let folder = builder.build();
        let repository = Repository::load(folder.path()).unwrap();
        let profile = repository.configuration.profile;
        let wheels = repository.declarations.values();
        let wheels: BTreeMap<String, (Vec<u8>, Facts)> = wheels
            .flat_map(|declaration| &declaration.wheels)
            .map(|wheel| {
                let name = wheel.file_name.to_string();
                let bytes = std::fs::read(folder.join("wheels").join(&name)).unwrap();
                let facts = Facts {
                    sha256: Sha256Digest::of(&bytes),
                    dag: file_dag(profile, &bytes),
                    archive: inspect(&mut Cursor::new(&bytes), &Limits::default()).unwrap(),
                };
                (name, (bytes, facts))
            })
            .collect();
        let bytes = |name: &str| wheels[name].0.clone();
        let facts =
            |wheel: &DeclaredWheel| Some(wheels[wheel.file_name.as_str()].1.release_facts());
        let release = Release::new(ReleaseInput {
            repository: &repository,
            profile,
            facts: &facts,
        })
        .unwrap();
        let root = release.link().cid;
        let mut writer = CarWriter::new(Vec::new(), root).unwrap();
        release
            .emit(&mut writer, &mut |wheel| {
                Ok(Box::new(Cursor::new(bytes(wheel.file_name.as_str()))))
            })
            .unwrap();
        let (archive, _) = writer.finish().unwrap();
        let mut writer = CarWriter::new(Vec::new(), root).unwrap();
        release.emit_hollow(&mut writer).unwrap();
        let (hollow, _) = writer.finish().unwrap();
        let mut files = BTreeMap::new();
        release
            .each_file(&mut |folder, file| {
                let path = format!("{folder}/{}", file.name);
                let body = match &file.content {
                    Content::Bytes(body) => body.clone(),
                    Content::Wheel(wheel, _) => bytes(wheel.file_name.as_str()),
                };
                files.insert(path.trim_start_matches('/').to_owned(), body);
                Ok(())
            })
            .unwrap();
        drop(release);
        Self {
            root,
            archive,
            hollow,
            files,
            repository,
        }
    }
}

/// A session in a folder, without the variables of this process; time is [`NOW`].
pub fn session(folder: &Path) -> Session {
    Session::new(environment(folder))
}

/// What [`session`] has.
pub fn environment(folder: &Path) -> Environment {
    let mut environment = Environment::of_process();
    environment.current_directory = folder.to_owned();
    environment.variables.clear();
    environment.cache_home = Some(folder.join("caches"));
    environment.configuration_home = Some(folder.join("settings"));
    environment.home = Some(folder.to_owned());
    environment.clock = Clock::Fixed(NOW.parse().unwrap());
    environment
}

/// The statement of a release, signed by these keys, after another one.
pub fn statement_of(
    name: &str,
    root: Cid,
    previous: Option<&Statement>,
    by: &[u8],
) -> SignedStatement {
    let draft = Draft {
        name: name.to_owned(),
        root,
        created: "2026-11-20T00:00:00Z".parse().unwrap(),
        expires: None,
        checks: None,
        trusted: Vec::new(),
        threshold: 1,
        withdrawn: Vec::new(),
        renew: previous.is_some(),
        renew_by: None,
    };
    signed(Statement::following(previous, draft).unwrap().unwrap(), by)
}

/// Writes a statement and its signatures into a folder.
pub fn put(folder: &Path, statement: &SignedStatement) {
    for (name, text) in statement.files(STATEMENT) {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

/// An archive in memory, opened.
pub fn open(archive: &[u8]) -> CarReader<Cursor<Vec<u8>>> {
    CarReader::open(Cursor::new(archive.to_vec())).unwrap()
}

/// The archive without these blocks, whatever leads to them.
pub fn without(archive: &[u8], lacks: &dyn Fn(&Cid) -> bool) -> Vec<u8> {
    use ipwhl_unixfs::car::Blocks as _;
    let reader = open(archive);
    let mut writer = CarWriter::new(Vec::new(), reader.root()).unwrap();
    for cid in reader.cids().into_iter().filter(|cid| !lacks(cid)) {
        writer.put(&cid, &reader.require(&cid).unwrap()).unwrap();
    }
    writer.finish().unwrap().0
}

/// Files by their paths, as a tree.
pub fn tree_of_files(files: &BTreeMap<String, Vec<u8>>) -> Tree {
    let mut folders: BTreeMap<String, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
    let mut entries = Vec::new();
    for (path, bytes) in files {
        match path.split_once('/') {
            None => entries.push((path.clone(), Tree::File(bytes.clone()))),
            Some((folder, rest)) => {
                let below = folders.entry(folder.to_owned()).or_default();
                below.insert(rest.to_owned(), bytes.clone());
            }
        }
    }
    let folders = folders.into_iter();
    entries.extend(folders.map(|(name, files)| (name, tree_of_files(&files))));
    Tree::Folder(entries)
}
