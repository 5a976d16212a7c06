//! `ipwhl cache`: shows the contents of the cache and removes files from it.

use clap::{Args, Subcommand, ValueEnum};
use ipwhl_packaging::ProjectName;
use serde::Serialize;

use super::context::Context;
use super::draw::to_json;
use super::exit::ExitStatus;
use super::words::counted;
use crate::foundation::failure::{Failure, error_chain};
use crate::foundation::size::{HumanBytes, parse_size};
use crate::set::gather::{kept_versions, wheels_of_projects};
use crate::source::{
    CACHE_LIMIT_VARIABLE, Cache, ClaimError, ClaimedCache, Pruned, Removed, configured_limit,
};

/// Show the size of the cache, or remove files from it
///
/// The cache is the folder `IPWHL_CACHE_DIR`, or else a folder in the platform's cache folder.
/// Removed files are fetched again when they are needed. The commands that remove files wait for
/// other runs that use the cache.
///
/// Example: ipwhl cache size
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print the size of the cache and of its parts
    ///
    /// Example: ipwhl cache size
    Size {
        /// The output format
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: Format,
    },
    /// Remove useless files, then the least recently used ones, down to a limit
    ///
    /// Useless files are unfinished files of killed runs and facts from other versions of the
    /// checks. The limit is `--limit`, else `IPWHL_CACHE_LIMIT`, else `limit` under `[cache]` in
    /// your own `ipwhl/config.toml`. If a limit is configured, each run that fetches wheels also
    /// keeps the cache below it.
    ///
    /// Example: ipwhl cache prune --limit 5GiB
    Prune {
        /// The maximum size of the cache, as in `500MB` or `5GiB`
        #[arg(long, value_name = "SIZE", value_parser = parse_size)]
        limit: Option<u64>,
    },
    /// Remove everything, or all files of these projects
    ///
    /// Example: ipwhl cache clean numpy
    Clean {
        /// The projects whose wheels to remove, in all versions
        #[arg(value_name = "NAME")]
        projects: Vec<ProjectName>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text for people.
    Text,
    /// One JSON object with the folder, the bytes, the limit and the parts.
    Json,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let cache = context.session.cache()?;
    match &arguments.action {
        Action::Size { format } => size(context, &cache, *format),
        Action::Prune { limit } => {
            let limit = match limit {
                Some(limit) => Some(*limit),
                None => configured_limit(context.environment)?,
            };
            if limit.is_none() {
                context.hint(&format!(
                    "no limit is set: use `--limit SIZE`, or set `{CACHE_LIMIT_VARIABLE}`"
                ));
            }
            remove(context, &cache, &|claimed| {
                claimed
                    .prune(limit, &kept_versions())
                    .map_err(|error| cache.unreadable(&error))
            })
        }
        Action::Clean { projects } if projects.is_empty() => remove(context, &cache, &|claimed| {
            claimed.clean().map_err(|error| cache.unreadable(&error))
        }),
        Action::Clean { projects } => remove(context, &cache, &|claimed| {
            clean(context, &cache, claimed, projects)
        }),
    }
}

/// Prunes the cache to the configured limit after a run that has added wheels to it. Files that the
/// run used stay. If another run uses the cache, everything stays.
pub(super) fn keep_to_limit(context: &Context<'_>) {
    let Some(cache) = context.session.used_cache().filter(Cache::has_kept_wheel) else {
        return;
    };
    let limit = match configured_limit(context.environment) {
        Ok(Some(limit)) => limit,
        Ok(None) => return,
        Err(failure) => return context.warning(&failure.message),
    };
    match cache.keep_to(limit, &kept_versions()) {
        Ok(Pruned::Small) => {}
        Ok(Pruned::InUse) => context.detail("the cache was not pruned: another run uses it"),
        Ok(Pruned::Removed(removed)) => {
            if removed.files > 0 {
                say_removed(context, &removed);
            }
            if let Some(error) = &removed.failure {
                context.warning(&error_chain(error));
            }
        }
        Err(failure) => context.warning(&failure.message),
    }
}

#[derive(Serialize)]
struct Document<'d> {
    directory: &'d str,
    bytes: u64,
    limit: Option<u64>,
    parts: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    name: &'static str,
    files: u64,
    bytes: u64,
}

fn size(context: &Context<'_>, cache: &Cache, format: Format) -> Result<ExitStatus, Failure> {
    let parts = cache.parts().map_err(|error| cache.unreadable(&error))?;
    let limit = configured_limit(context.environment)?;
    let bytes = parts.iter().map(|part| part.bytes).sum();
    let directory = cache.root().display().to_string();
    if format == Format::Json {
        let parts = parts.iter().map(|part| Part {
            name: part.name,
            files: part.files,
            bytes: part.bytes,
        });
        let document = Document {
            directory: &directory,
            bytes,
            limit,
            parts: parts.collect(),
        };
        let text = to_json(&document)?;
        context.result(&text)?;
        return Ok(ExitStatus::Clean);
    }
    for part in &parts {
        let size = HumanBytes(part.bytes).to_string();
        let files = counted(usize::try_from(part.files).unwrap_or(usize::MAX), "file");
        context.result(&format!("{:<10} {size:>12}  {files}", part.name))?;
    }
    let of_limit = limit.map_or_else(String::new, |limit| format!("  of {}", HumanBytes(limit)));
    let size = HumanBytes(bytes).to_string();
    context.result(&format!("{:<10} {size:>12}{of_limit}", "in all"))?;
    context.say(&format!("the cache is `{directory}`"));
    Ok(ExitStatus::Clean)
}

type Removal<'r> = dyn Fn(&ClaimedCache<'_>) -> Result<Removed, Failure> + 'r;

/// Removes files from the cache when no other run uses it, and prints their number.
fn remove(
    context: &Context<'_>,
    cache: &Cache,
    removal: &Removal<'_>,
) -> Result<ExitStatus, Failure> {
    if !cache.root().exists() {
        context.say(&format!(
            "there is no cache at `{}`",
            cache.root().display()
        ));
        return Ok(ExitStatus::Clean);
    }
    let wait = || {
        context.say("waiting for another run that uses the cache");
        true
    };
    let claimed = cache.claim(&wait).map_err(|error| match &error {
        ClaimError::Foreign { .. } => Failure::usage(&error)
            .help("set `IPWHL_CACHE_DIR` to the folder of a cache; this folder was not changed"),
        ClaimError::Cache(_) => Failure::caused(&error),
    })?;
    let removed = match &claimed {
        Some(claimed) => removal(claimed)?,
        None => Removed::default(),
    };
    say_removed(context, &removed);
    match &removed.failure {
        Some(error) => Err(Failure::caused(error)),
        None => Ok(ExitStatus::Clean),
    }
}

fn say_removed(context: &Context<'_>, removed: &Removed) {
    let files = usize::try_from(removed.files).unwrap_or(usize::MAX);
    context.say(&match files {
        0 => "removed nothing from the cache".to_owned(),
        files => format!(
            "removed {} ({}) from the cache",
            counted(files, "file"),
            HumanBytes(removed.bytes)
        ),
    });
}

/// Removes the wheels of projects.
fn clean(
    context: &Context<'_>,
    cache: &Cache,
    claimed: &ClaimedCache<'_>,
    projects: &[ProjectName],
) -> Result<Removed, Failure> {
    let (chosen, unknown) =
        wheels_of_projects(cache, claimed, projects).map_err(|error| cache.unreadable(&error))?;
    for name in unknown {
        context.warning(&format!("the cache has no wheel of `{name}`"));
    }
    Ok(claimed.clean_wheels(&chosen, &kept_versions()))
}
