//! Blocks read back, each hashed.

use std::fmt::Display;

use futures_util::{StreamExt, stream};
use url::Url;

use super::target::{Amount, TargetError};
use crate::dag::Cid;
use crate::source::Client;

/// How many blocks are under way at once.
const AT_ONCE: usize = 8;

/// Reads blocks through a gateway.
pub(super) async fn through_gateway(
    client: &Client,
    gateway: &Url,
    cids: &[Cid],
) -> Result<Amount, TargetError> {
    each(cids, |cid| async move { client.block(gateway, &cid).await }).await
}

/// Reads blocks as `block` has them, and hashes them.
pub(super) async fn each<E: Display, F: Future<Output = Result<Vec<u8>, E>>>(
    cids: &[Cid],
    block: impl Fn(Cid) -> F,
) -> Result<Amount, TargetError> {
    let mut amount = Amount::default();
    let reads = stream::iter(cids.iter().copied()).map(|cid| {
        let read = block(cid);
        async move { (cid, read.await) }
    });
    let mut blocks = std::pin::pin!(reads.buffered(AT_ONCE));
    while let Some((cid, block)) = blocks.next().await {
        let block = block.map_err(|error| {
            TargetError::world(format!("block {cid} cannot be read back: {error}"))
                .help("the release is there as far as the target says; run the same command again")
        })?;
        if !cid.matches(&block) {
            return Err(TargetError::world(format!(
                "what is read back for {cid} is not that block"
            )));
        }
        amount.add(block.len());
    }
    Ok(amount)
}
