//! Wheels that were fetched to be declared: their facts, and the failures to get them.

use crate::foundation::failure::Failure;
use crate::set::gather::{Facts, keep_facts_of};
use crate::source::{Cache, FetchError, FetchedWheel, SourceProblem};

/// Reads a fetched wheel, and keeps its facts.
pub(super) async fn read_facts(
    cache: &Cache,
    fetched: FetchedWheel,
    file_name: &str,
) -> Result<Facts, Failure> {
    let cache = cache.clone();
    let read = tokio::task::spawn_blocking(move || {
        let cid = fetched.dag.cid();
        keep_facts_of(&cache, &cid, fetched)
    });
    read.await
        .map_err(|_| Failure::world(format!("the thread that read `{file_name}` stopped")))?
        .map_err(|error| Failure::world(format!("`{file_name}` cannot be read: {error}")))
}

/// The failure to fetch a wheel that is not declared yet: the index alone says what it should be.
pub(super) fn unavailable(error: &FetchError) -> Failure {
    match error {
        FetchError::Cache(_) => Failure::caused(error).help(
            "set `IPWHL_CACHE_DIR` to a folder that you can write and that has free space; no \
             declaration was changed",
        ),
        FetchError::Sources {
            file_name,
            problems,
        } => {
            let reasons: Vec<String> = problems.iter().map(unlike_the_page).collect();
            Failure::world(format!("cannot get `{file_name}`: {}", reasons.join("; ")))
        }
    }
}

fn unlike_the_page(problem: &SourceProblem) -> String {
    let SourceProblem::Mismatch { place, mismatches } = problem else {
        return problem.to_string();
    };
    let each = mismatches.iter();
    let each = each.map(|one| format!("{} {} instead of {}", one.kind, one.found, one.declared));
    let each: Vec<String> = each.collect();
    format!(
        "{place} has other bytes than the index states: {}",
        each.join(", ")
    )
}
