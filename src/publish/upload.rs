//! Uploads: an archive of blocks that is made while it is sent.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::{CarError, archive_start, section_start};
use reqwest::multipart::{Form, Part};
use reqwest::{Body, RequestBuilder};

use crate::publish::check::SharedBlocks;
use crate::publish::target::{Report, Step};
use crate::source::service::{Reply, RequestError, Service};

/// The interval between checks of the progress of an upload.
const TICK: Duration = Duration::from_millis(200);
/// The maximum time for a server to process an upload after its last byte.
const LONGEST_WORK: Duration = Duration::from_mins(10);

/// Some blocks as an archive.
pub(super) struct Upload {
    blocks: SharedBlocks,
    root: Cid,
    cids: Vec<Cid>,
    /// The total size of the blocks, in bytes.
    bytes: u64,
    sent: Arc<AtomicU64>,
}

impl Upload {
    /// These blocks, `bytes` in total, in an archive with this root.
    pub(super) fn new(blocks: SharedBlocks, root: Cid, cids: Vec<Cid>, bytes: u64) -> Self {
        Self {
            blocks,
            root,
            cids,
            bytes,
            sent: Arc::default(),
        }
    }

    /// The number of blocks.
    pub(super) fn count(&self) -> u64 {
        self.cids.len() as u64
    }

    /// The body: a file in a form, as Kubo and IPFS Cluster require. Each block is read and hashed
    /// when it is sent.
    fn form(&self) -> Form {
        let start = Bytes::from(archive_start(&self.root));
        let blocks = Arc::clone(&self.blocks);
        let sent = Arc::clone(&self.sent);
        let sections = stream::iter(self.cids.clone()).map(move |cid| {
            let block = blocks.require(&cid).map_err(|error| match error {
                CarError::Io(error) => error,
                other => io::Error::other(other),
            })?;
            let mut section = section_start(&cid, block.len());
            section.extend_from_slice(&block);
            sent.fetch_add(block.len() as u64, Ordering::Relaxed);
            Ok::<Bytes, io::Error>(section.into())
        });
        let body = Body::wrap_stream(stream::iter([Ok(start)]).chain(sections));
        Form::new().part("file", Part::stream(body).file_name("release.car"))
    }

    /// Sends it to a service. It may take any time while it makes progress.
    pub(super) async fn send<'s>(
        &self,
        service: &'s Service,
        request: RequestBuilder,
        report: Report<'_>,
    ) -> Result<Reply<'s>, RequestError> {
        let mut answer = std::pin::pin!(request.multipart(self.form()).send());
        let (mut told, mut still) = (0, Duration::ZERO);
        loop {
            if let Ok(answer) = tokio::time::timeout(TICK, &mut answer).await {
                report(Step::Bytes(self.sent.load(Ordering::Relaxed) - told));
                return Ok(service.reply(answer).await?.patient(LONGEST_WORK));
            }
            let sent = self.sent.load(Ordering::Relaxed);
            if sent > told {
                report(Step::Bytes(sent - told));
                told = sent;
                still = Duration::ZERO;
                continue;
            }
            still += TICK;
            let limit = if sent == self.bytes {
                LONGEST_WORK
            } else {
                service.idle_timeout()
            };
            if still >= limit {
                return Err(RequestError::new(format!(
                    "{} accepted no byte for {} s",
                    service.place(),
                    limit.as_secs()
                )));
            }
        }
    }
}
