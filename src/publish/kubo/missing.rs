//! Which blocks of a release a node lacks.
//!
//! Kubo answers for one block (`block/stat`), or lists all that it has (`refs/local`). The list
//! costs by the size of the node and the questions by that of the release, so the list is read as
//! far as it is worth it, and what has not been seen by then is asked for.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use ipwhl_unixfs::{Cid, Sha256Digest};

use super::rpc::Rpc;
use crate::publish::Publication;
use crate::publish::service::RequestError;

/// So many blocks are asked for one by one where there are no more.
const FEW: usize = 64;
/// A line of the list costs about so many times less than a question.
const LINES_A_QUESTION: usize = 40;
/// How many questions are under way at once.
const AT_ONCE: usize = 16;
/// How long the node may be silent before it lists.
const LONGEST_SILENCE: Duration = Duration::from_mins(2);

/// What a node lacks.
pub(super) struct Missing {
    /// Blocks that the archive has, in its order.
    pub(super) carried: Vec<Cid>,
    /// Blocks that a delta leaves out.
    pub(super) left_out: Vec<Cid>,
}

/// The blocks that the node lacks.
pub(super) async fn missing(rpc: &Rpc, release: &Publication) -> Result<Missing, RequestError> {
    let carried = release.archive.cids();
    let all: Vec<Cid> = carried.iter().chain(&release.left_out).copied().collect();
    let missing = are_missing(rpc, &all).await?;
    let of = |cids: &[Cid]| {
        let missing = cids.iter().filter(|cid| missing.contains(cid));
        missing.copied().collect()
    };
    Ok(Missing {
        carried: of(&carried),
        left_out: of(&release.left_out),
    })
}

/// Those of the blocks that the node lacks.
async fn are_missing(rpc: &Rpc, cids: &[Cid]) -> Result<HashSet<Cid>, RequestError> {
    // Blocks are kept by their hashes, whatever CID they are asked for by.
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

/// Those of these blocks that the node does not have, each asked for. A node remembers for some
/// time what it once had; that it reads a block and does not find it is what makes it take the
/// block again.
pub(super) async fn absent(rpc: &Rpc, cids: Vec<Cid>) -> Result<Vec<Cid>, RequestError> {
    let questions = stream::iter(cids)
        .map(|cid| async move { rpc.has(&cid).await.map(|has| (cid, has)) })
        .buffered(AT_ONCE);
    let answers: Vec<(Cid, bool)> = questions.try_collect().await?;
    let absent = answers.into_iter().filter(|(_, has)| !has);
    Ok(absent.map(|(cid, _)| cid).collect())
}
