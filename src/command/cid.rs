//! `ipwhl cid`: the CID of files and folders, as `ipfs add -n` prints it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use ipwhl_unixfs::{DirectoryDag, DirectoryEntry, FileDag, Link, Profile, hash_files, symlink};

use super::context::Context;
use super::exit::ExitStatus;
use super::values::profiles;
use crate::foundation::failure::Failure;
use crate::set::repository::Repository;
use crate::source::processors;

/// How many folders deep a path may lead.
const MAXIMUM_DEPTH: usize = 256;

/// Print the CID of files and folders
///
/// The result is the CID that `ipfs add -r -n` prints with the same profile. Hidden files in
/// folders are left out. Symbolic links are kept as links.
///
/// Example: ipwhl cid click-8.1.7-py3-none-any.whl
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The UnixFS import parameters [default: the repository's, else `unixfs-v1-2025`]
    #[arg(long, value_name = "PROFILE", value_parser = profiles(), conflicts_with = "all_profiles")]
    profile: Option<Profile>,
    /// Print a line for each profile
    #[arg(long)]
    all_profiles: bool,
}

/// A path and what is below it.
enum Entry {
    /// The index of a file among all files.
    File(usize),
    Symlink(String),
    Directory(BTreeMap<String, Entry>),
}

#[derive(Default)]
struct Files {
    paths: Vec<PathBuf>,
    sizes: Vec<u64>,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let profiles: Vec<Profile> = if arguments.all_profiles {
        Profile::ALL.to_vec()
    } else {
        vec![profile(context, arguments)]
    };
    let mut files = Files::default();
    let mut entries = Vec::with_capacity(arguments.paths.len());
    for path in &arguments.paths {
        entries.push(walk(&context.absolute(path), 0, &mut files)?);
    }
    for profile in profiles {
        let dags = hash_files(profile, &files.sizes, processors(), |index| {
            fs::File::open(&files.paths[index])
        })
        .map_err(|error| unreadable(&files.paths[error.index], &error.error))?;
        for (path, entry) in arguments.paths.iter().zip(&entries) {
            let cid = link(profile, entry, &dags)?.cid;
            let name = path.display();
            let line = match (arguments.all_profiles, arguments.paths.len()) {
                (false, 1) => cid.to_string(),
                (false, _) => format!("{cid} {name}"),
                (true, 1) => format!("{profile} {cid}"),
                (true, _) => format!("{profile} {cid} {name}"),
            };
            context.result(&line)?;
        }
    }
    Ok(ExitStatus::Clean)
}

/// The profile that is asked for; a repository around the current folder has its say.
fn profile(context: &Context<'_>, arguments: &Arguments) -> Profile {
    arguments.profile.unwrap_or_else(|| {
        context
            .repository_directory()
            .ok()
            .and_then(|directory| Repository::load_configuration(&directory).ok())
            .map_or(Profile::UnixfsV1_2025, |repository| {
                repository.configuration.profile
            })
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::world(format!("`{}` cannot be read: {error}", path.display()))
}

fn walk(path: &Path, depth: usize, files: &mut Files) -> Result<Entry, Failure> {
    let failed = |error| unreadable(path, &error);
    if depth > MAXIMUM_DEPTH {
        return Err(Failure::world(format!(
            "`{}` is more than {MAXIMUM_DEPTH} folders deep",
            path.display()
        )));
    }
    let metadata = fs::symlink_metadata(path).map_err(failed)?;
    // A link is kept as one, also where it is what was named: so has it `ipfs add`.
    if metadata.is_symlink() {
        let target = fs::read_link(path).map_err(failed)?;
        let target = target.into_os_string().into_string().map_err(|target| {
            Failure::world(format!(
                "the target `{1}` of the link `{0}` is not UTF-8",
                path.display(),
                target.to_string_lossy()
            ))
        })?;
        return Ok(Entry::Symlink(target));
    }
    if metadata.is_file() {
        files.paths.push(path.to_path_buf());
        files.sizes.push(metadata.len());
        return Ok(Entry::File(files.paths.len() - 1));
    }
    if !metadata.is_dir() {
        return Err(Failure::world(format!(
            "`{}` is neither a file nor a folder",
            path.display()
        )));
    }
    let mut entries = BTreeMap::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().into_string().map_err(|name| {
            Failure::world(format!(
                "the name `{}` in `{}` is not UTF-8",
                name.to_string_lossy(),
                path.display()
            ))
        })?;
        if name.starts_with('.') {
            continue;
        }
        entries.insert(name, walk(&entry.path(), depth + 1, files)?);
    }
    Ok(Entry::Directory(entries))
}

fn link(profile: Profile, entry: &Entry, dags: &[FileDag]) -> Result<Link, Failure> {
    match entry {
        Entry::File(index) => Ok(dags[*index].link()),
        Entry::Symlink(target) => Ok(symlink(profile, target).0),
        Entry::Directory(entries) => {
            let mut links = Vec::with_capacity(entries.len());
            for (name, entry) in entries {
                links.push(DirectoryEntry {
                    name: name.clone(),
                    link: link(profile, entry, dags)?,
                });
            }
            let directory =
                DirectoryDag::build(profile, links).map_err(|error| Failure::caused(&error))?;
            Ok(directory.link())
        }
    }
}
