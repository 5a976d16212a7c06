//! Wheels that were fetched to be declared: their facts, and the failures to get them.

use crate::foundation::failure::Failure;
use crate::set::gather::{Facts, keep_facts_of};
use crate::source::{Cache, FetchError, FetchedWheel};

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

/// The failure to fetch a wheel.
pub(super) fn unavailable(error: &FetchError) -> Failure {
    let failure = Failure::caused(error);
    match error {
        FetchError::Cache(_) => failure.help(
            "set `IPWHL_CACHE_DIR` to a folder that you can write and that has free space; no \
             declaration was changed",
        ),
        FetchError::Sources { .. } => failure,
    }
}
