//! Reads back blocks, and hashes each.

use std::fmt::Display;

use futures_util::{StreamExt, TryStreamExt, stream};
use ipwhl_unixfs::Cid;
use url::Url;

use super::amount::Amount;
use super::check::Read;
use super::published_release::PublishedRelease;
use super::target::Checked;
use crate::foundation::failure::Failure;
use crate::source::{Client, SourceProblem, redacted};

/// The number of concurrent reads.
const AT_ONCE: usize = 8;

/// Reads blocks through a gateway.
pub(super) async fn through_gateway(
    client: &Client,
    gateway: &Url,
    cids: &[Cid],
) -> Result<Amount, Failure> {
    let read = each(cids, |cid| async move { client.block(gateway, &cid).await }).await;
    read.map_err(|error| {
        let place = redacted(gateway);
        error.help(format!(
            "check that `{place}` is the target's own gateway, and that it answers; then `ipwhl \
             publish --check` lists missing and altered blocks"
        ))
    })
}

/// The blocks that a gateway lacks, as far as it answers without using its own network.
pub(super) async fn lacking(
    client: &Client,
    gateway: &Url,
    cids: Vec<Cid>,
) -> Result<Vec<Cid>, Failure> {
    let questions = stream::iter(cids)
        .map(|cid| async move { client.has_block(gateway, &cid).await.map(|has| (cid, has)) })
        .buffered(AT_ONCE);
    let answers: Result<Vec<(Cid, bool)>, SourceProblem> = questions.try_collect().await;
    let answers = answers.map_err(|problem| {
        Failure::world(format!("the gateway cannot be asked for blocks: {problem}")).help(
            "check that it is running at this address; without a `gateway` every block is \
                   sent, and nothing is read back",
        )
    })?;
    let lacking = answers.into_iter().filter(|(_, has)| !has);
    Ok(lacking.map(|(cid, _)| cid).collect())
}

/// Reads blocks with `block`, and hashes them.
pub(super) async fn each<E: Display, F: Future<Output = Result<Vec<u8>, E>>>(
    cids: &[Cid],
    block: impl Fn(Cid) -> F,
) -> Result<Amount, Failure> {
    let mut amount = Amount::default();
    let reads = stream::iter(cids.iter().copied()).map(|cid| {
        let read = block(cid);
        async move { (cid, read.await) }
    });
    let mut blocks = std::pin::pin!(reads.buffered(AT_ONCE));
    while let Some((cid, block)) = blocks.next().await {
        let block = block.map_err(|error| {
            Failure::world(format!("block {cid} cannot be read back: {error}"))
                .help("`ipwhl publish --check` lists missing and altered blocks, and `--repair` repairs them")
        })?;
        if !cid.matches(&block) {
            return Err(Failure::world(format!(
                "the target sends other bytes for block {cid}"
            )));
        }
        amount.add(block.len());
    }
    Ok(amount)
}

/// A block of a gateway, for a check.
pub(super) async fn read(client: &Client, gateway: &Url, cid: Cid) -> Result<Read, Failure> {
    match client.block(gateway, &cid).await {
        Ok(block) => Ok(Read::Block(block)),
        Err(SourceProblem::Missing { .. }) => Ok(Read::Missing),
        Err(SourceProblem::Mismatch { .. }) => Ok(Read::Altered),
        Err(problem) => Err(Failure::world(problem)),
    }
}

/// The result for a target whose blocks cannot be read.
pub(super) fn unread(releases: Vec<PublishedRelease>) -> Checked {
    Checked {
        releases,
        notes: vec!["nothing was read, because no `gateway` for its blocks is named".to_owned()],
        ..Checked::default()
    }
}

/// The address of a release's index at a gateway.
pub(super) fn index_address(gateway: &Url, root: &Cid) -> String {
    let gateway = redacted(gateway);
    format!("{}/ipfs/{root}/", gateway.trim_end_matches('/'))
}
