//! Finds the blocks of a release that a node lacks.
//!
//! Kubo answers for one block (`block/stat`), or lists all of its blocks (`refs/local`). The cost
//! of the list depends on the size of the node, that of single queries on the size of the release.
//! So the list is read while it is cheaper, and the remaining blocks are queried.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use ipwhl_unixfs::{Cid, Sha256Digest};

use super::rpc::Rpc;
use crate::publish::Publication;
use crate::source::service::RequestError;

/// The maximum number of blocks that are queried one by one.
const FEW: usize = 64;
/// The approximate cost of a query, in lines of the list.
const LINES_A_QUESTION: usize = 40;
/// The number of concurrent queries.
const AT_ONCE: usize = 16;
/// The maximum silence of the node before its list begins.
const LONGEST_SILENCE: Duration = Duration::from_mins(2);

/// The blocks that a node lacks.
pub(super) struct Missing {
    /// Blocks in the archive, in its order.
    pub(super) carried: Vec<Cid>,
    /// Blocks that a delta leaves out.
    pub(super) excluded_roots: Vec<Cid>,
}

/// The blocks that the node lacks.
pub(super) async fn missing(rpc: &Rpc, release: &Publication) -> Result<Missing, RequestError> {
    let carried = release.archive.cids();
    let all: Vec<Cid> = carried
        .iter()
        .chain(&release.excluded_roots)
        .copied()
        .collect();
    let missing = are_missing(rpc, &all).await?;
    let of = |cids: &[Cid]| {
        let missing = cids.iter().filter(|cid| missing.contains(cid));
        missing.copied().collect()
    };
    Ok(Missing {
        carried: of(&carried),
        excluded_roots: of(&release.excluded_roots),
    })
}

/// The blocks among these that the node lacks.
async fn are_missing(rpc: &Rpc, cids: &[Cid]) -> Result<HashSet<Cid>, RequestError> {
    // Blocks are stored by their hashes, so any CID with the hash finds a block.
    let mut unseen: HashSet<Sha256Digest> = cids.iter().map(Cid::digest).collect();
    let mut has_ended = false;
    if unseen.len() > FEW {
        let mut left = unseen.len().saturating_mul(LINES_A_QUESTION);
        has_ended = true;
        rpc.local(LONGEST_SILENCE, |cid| {
            unseen.remove(&cid.digest());
            left -= 1;
            has_ended = left > 0;
            left > 0 && !unseen.is_empty()
        })
        .await?;
    }
    let unseen_cids = cids.iter().filter(|cid| unseen.contains(&cid.digest()));
    if has_ended {
        return Ok(unseen_cids.copied().collect());
    }
    let lacking = absent(rpc, unseen_cids.copied().collect()).await?;
    Ok(lacking.into_iter().collect())
}

/// The blocks among these that the node lacks, by a query for each. A node remembers for some time
/// which blocks it had; a failed read makes it accept the block again.
pub(super) async fn absent(rpc: &Rpc, cids: Vec<Cid>) -> Result<Vec<Cid>, RequestError> {
    let questions = stream::iter(cids)
        .map(|cid| async move { rpc.has(&cid).await.map(|has| (cid, has)) })
        .buffered(AT_ONCE);
    let answers: Vec<(Cid, bool)> = questions.try_collect().await?;
    let absent = answers.into_iter().filter(|(_, has)| !has);
    Ok(absent.map(|(cid, _)| cid).collect())
}
