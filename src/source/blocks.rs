//! Single blocks: stored by CID, and fetched from untrusted gateways.
//!
//! Specification: <https://specs.ipfs.tech/http-gateways/trustless-gateway/>.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ipwhl_unixfs::car::{CarError, Incoming, MAX_BLOCK};
use ipwhl_unixfs::{Cid, Codec, FileDag, Sha256Digest, decode};
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, CACHE_CONTROL, HeaderMap, HeaderValue};
use url::Url;

use super::address::Address;
use super::backoff::Backoff;
use super::cache::{BLOCKS, Cache, canonical, make_folder, put, rehash};
use super::cache_error::CacheError;
use super::client::Client;
use super::problem::{Mismatch, MismatchKind, SourceProblem};
use super::transport::{RequestError, wait};
use super::verify::mismatch;

/// The overhead of an archive for each block is less than this.
const FRAME: u64 = 64;
/// The smallest limit for an archive: its header does not shrink with its content.
const SMALLEST_ARCHIVE: u64 = 64 * 1024;

/// The maximum number of waits for one block if a gateway asks for time.
const MAXIMUM_WAITS: u32 = 3;

impl Cache {
    /// The cached block with this CID, if its bytes match; a damaged file is removed.
    pub fn block(&self, cid: &Cid) -> Option<Vec<u8>> {
        let path = self.block_path(cid);
        let file = File::open(&path).ok()?;
        self.note_use(path);
        let mut block = Vec::new();
        file.take(MAX_BLOCK as u64 + 1)
            .read_to_end(&mut block)
            .ok()?;
        if cid.matches(&block) {
            return Some(block);
        }
        self.forget_block(cid);
        None
    }

    /// Whether there is a block with this CID. Its bytes are not verified.
    pub fn has_block(&self, cid: &Cid) -> bool {
        let path = self.block_path(cid);
        let is_there = path.is_file();
        if is_there {
            self.note_use(path);
        }
        is_there
    }

    /// Stores a block, which has been hashed.
    pub fn keep_block(&self, cid: &Cid, block: &[u8]) -> Result<(), CacheError> {
        let mut file = self.partial()?;
        let path = file.path().to_owned();
        file.write_all(block)
            .map_err(CacheError::at(&path, "write"))?;
        make_folder(&self.root().join(BLOCKS))?;
        put(file, &self.block_path(cid))
    }

    /// Removes a block that is no longer needed.
    pub fn forget_block(&self, cid: &Cid) {
        // A leftover file is harmless.
        let _ = fs::remove_file(self.block_path(cid));
    }

    fn block_path(&self, cid: &Cid) -> PathBuf {
        self.root().join(BLOCKS).join(canonical(cid).to_string())
    }
}

/// The DAG of a file on this machine, under the profile that gives it this CID; `None` if none
/// does.
///
/// # Errors
/// When it cannot be read, or is not a regular file.
pub fn dag_of_file(path: &Path, cid: &Cid) -> io::Result<Option<FileDag>> {
    // Checked before the file is opened: opening a pipe would wait for a writer.
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        ));
    }
    Ok(rehash(path, cid, metadata.len())?.map(|(dag, _)| dag))
}

impl Client {
    /// One block from a gateway, hashed.
    pub async fn block(&self, gateway: &Url, cid: &Cid) -> Result<Vec<u8>, SourceProblem> {
        let address = address(gateway, cid, "format=raw");
        let headers = accepting("application/vnd.ipld.raw");
        let mut backoff = Backoff::new(&self.limits);
        let mut waits = 0;
        let page = loop {
            let error = match self.page_once(&address, &headers, MAX_BLOCK as u64).await {
                Ok(page) => break page,
                Err(error) => error,
            };
            match error {
                // A server that asks for time is reachable, but busy.
                RequestError::Passing(_, Some(delay))
                    if waits < MAXIMUM_WAITS && delay <= self.limits.longest_retry_after =>
                {
                    waits += 1;
                    tokio::time::sleep(delay).await;
                }
                other => wait(self, &address, other, &mut backoff, &|_, _| {})
                    .await
                    .map_err(|error| error.at(&address).at(printable_address(gateway, cid)))?,
            }
        };
        if cid.matches(&page.body) {
            return Ok(page.body);
        }
        let found = Cid::v1(Codec::Raw, Sha256Digest::of(&page.body));
        Err(SourceProblem::Mismatch {
            place: printable_address(gateway, cid),
            mismatches: vec![mismatch(MismatchKind::ContentId, cid, &found)],
        })
    }

    /// Whether a gateway has a block in its own store: a request for the head only, which forbids
    /// looking elsewhere (`only-if-cached`). Any answer but a plain yes is a no.
    pub async fn has_block(&self, gateway: &Url, cid: &Cid) -> Result<bool, SourceProblem> {
        let address = address(gateway, cid, "format=raw");
        let mut headers = accepting("application/vnd.ipld.raw");
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("only-if-cached"));
        let http = self.connections(&address);
        let http = http.map_err(|reason| SourceProblem::Failed {
            place: printable_address(gateway, cid),
            reason,
        })?;
        let request = http.head(address.url().clone()).headers(headers);
        let limit = self.limits.response_timeout;
        match tokio::time::timeout(limit, request.send()).await {
            // Other errors do not say whether it has the block. 412 and 504 mean that it is not
            // cached.
            Ok(Ok(response)) => match response.status().as_u16() {
                401 | 403 | 429 | 500 | 502 | 503 => Err(SourceProblem::Failed {
                    place: printable_address(gateway, cid),
                    reason: response.status().to_string(),
                }),
                status => Ok(status == StatusCode::OK.as_u16()),
            },
            Ok(Err(error)) => {
                let problem = self.explain(error).at(&address);
                Err(problem.at(printable_address(gateway, cid)))
            }
            Err(_) => Err(SourceProblem::Failed {
                place: printable_address(gateway, cid),
                reason: format!("no answer within {} s", limit.as_secs()),
            }),
        }
    }

    /// Fetches the DAG below a CID from a gateway, as one archive of about `cumulative_size` bytes,
    /// in any order of its blocks. Each block is hashed, and passed to `keep` if a block received
    /// before links to it. Returns the number of blocks. There is one attempt: missing blocks are
    /// better requested one by one.
    ///
    /// # Errors
    /// When the answer is not such an archive, breaks off, or is longer than expected.
    pub async fn dag(
        &self,
        gateway: &Url,
        root: &Cid,
        cumulative_size: u64,
        keep: &mut (dyn FnMut(&Cid, Vec<u8>) + Send),
    ) -> Result<usize, SourceProblem> {
        let address = address(gateway, root, "format=car&dag-scope=all");
        self.dag_once(&address, root, cumulative_size, keep)
            .await
            .map_err(|error| error.at(&address).at(printable_address(gateway, root)))
    }

    async fn dag_once(
        &self,
        address: &Address,
        root: &Cid,
        cumulative_size: u64,
        keep: &mut (dyn FnMut(&Cid, Vec<u8>) + Send),
    ) -> Result<usize, RequestError> {
        let headers = accepting("application/vnd.ipld.car; version=1; order=dfs; dups=n");
        let (mut response, _) = self.get(address, &headers).await?;
        let mut incoming = Incoming::default();
        let mut wanted = HashSet::from([*root]);
        let (mut kept, mut bytes, mut blocks) = (0, 0_u64, 0_u64);
        let mut pace = self.pace();
        while let Some(piece) = self.chunk(&mut response).await? {
            bytes += piece.len() as u64;
            self.check_pace(&mut pace, bytes)?;
            let largest = cumulative_size.max(SMALLEST_ARCHIVE) + FRAME * (blocks + 1);
            // Only complete blocks are counted, so one more may be in transit.
            if bytes > largest.saturating_add(MAX_BLOCK as u64) {
                return Err(RequestError::Lasting(format!(
                    "its answer is larger than the {cumulative_size} bytes that were requested"
                )));
            }
            incoming.push(&piece);
            while let Some((cid, block)) = incoming
                .next_block()
                .map_err(|error| refused(address, error))?
            {
                blocks += 1;
                // A block that was not requested is dropped, but its bytes count.
                if !wanted.remove(&cid) {
                    continue;
                }
                if let Ok(node) = decode(&cid, &block) {
                    wanted.extend(node.links().into_iter().map(|link| link.cid));
                }
                keep(&cid, block);
                kept += 1;
            }
        }
        incoming.finish().map_err(|error| refused(address, error))?;
        Ok(kept)
    }
}

/// The error for a refused archive: a block has other bytes, or it is not an archive.
fn refused(address: &Address, error: CarError) -> RequestError {
    match error {
        CarError::Mismatch(cid) => RequestError::Problem(SourceProblem::Mismatch {
            place: address.to_string(),
            mismatches: vec![Mismatch {
                kind: MismatchKind::ContentId,
                declared: cid.to_string(),
                found: "of other bytes".to_owned(),
            }],
        }),
        error => RequestError::Lasting(format!("its answer is refused: {error}")),
    }
}

fn accepting(media: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(media))])
}

/// `<gateway>/ipfs/<cid>?<query>`; the query repeats the header for gateways behind a proxy that
/// drops headers.
fn address(gateway: &Url, cid: &Cid, query: &str) -> Address {
    let mut url = gateway.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().push("ipfs").push(&cid.to_string());
    }
    url.set_query(Some(query));
    Address::new(url)
}

/// The same in printable form, without the query, which adds nothing.
fn printable_address(gateway: &Url, cid: &Cid) -> String {
    let mut url = address(gateway, cid, "").url().clone();
    url.set_query(None);
    url.to_string()
}
