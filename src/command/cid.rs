//! `ipwhl cid`: the CID of files and folders, as `ipfs add -n` prints it.

use std::path::PathBuf;

use clap::Args;
use ipwhl_unixfs::Profile;

use super::context::Context;
use super::exit::ExitStatus;
use super::values::profiles;
use crate::foundation::failure::Failure;
use crate::set::repository::Repository;
use crate::source::LocalFiles;

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

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let profiles: Vec<Profile> = if arguments.all_profiles {
        Profile::ALL.to_vec()
    } else {
        vec![profile(context, arguments)]
    };
    let paths: Vec<PathBuf> = arguments
        .paths
        .iter()
        .map(|path| context.absolute(path))
        .collect();
    let files = LocalFiles::read(&paths)?;
    for profile in profiles {
        for (path, cid) in arguments.paths.iter().zip(files.cids(profile)?) {
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

/// The requested profile; by default, that of the surrounding repository.
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
