//! METADATA from parts of a wheel: requests for ranges of its bytes (RFC 9110, section 14), read as
//! an archive with holes.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use ipwhl_packaging::wheel::{self, MetadataMember, find_metadata};
use reqwest::Response;
use reqwest::header::{
    CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_RANGE, RANGE,
};

use super::address::Address;
use super::client::Client;
use super::transport::RequestError;

/// The result of reading METADATA from parts of a wheel.
#[derive(Debug)]
pub(super) enum Ranged {
    /// METADATA, as the server claims it.
    Metadata(Vec<u8>),
    /// The host does not send the requested ranges. The whole wheel may be fetched.
    Unsupported,
    /// The host sends ranges, but METADATA is not in what they may fetch, or is not readable there.
    Unsuited,
}

/// Reads METADATA of a wheel from its end and, if needed, one or two further ranges. `size` is that
/// of the wheel, if the index states it.
pub(super) async fn metadata(
    client: &Client,
    address: &Address,
    size: Option<u64>,
) -> Result<Ranged, RequestError> {
    let limits = client.limits();
    let tail = limits
        .range_tail
        .min(limits.range_bytes)
        .min(size.unwrap_or(u64::MAX));
    if tail == 0 {
        return Ok(Ranged::Unsuited);
    }
    let first = Wanted::Tail { length: tail, size };
    let mut file = match request(client, address, &first).await? {
        Answered::Part(part) => PartialFile::new(part),
        Answered::Whole => return Ok(Ranged::Unsupported),
        // A server may refuse to send more than everything.
        Answered::WholeIsSmaller | Answered::Other => return Ok(Ranged::Unsuited),
    };
    let limits_of_wheels = wheel::Limits {
        central_directory: limits.range_bytes,
        ..wheel::Limits::default()
    };
    for _ in 1..limits.range_requests {
        let missing = match file.metadata(&limits_of_wheels) {
            Step::Read(bytes) => return Ok(Ranged::Metadata(bytes)),
            Step::Missing(missing) => missing,
            // The whole wheel shows what is wrong with it.
            Step::Unreadable => return Ok(Ranged::Unsuited),
        };
        let length = missing.end - missing.start;
        if file.received() + length > limits.range_bytes {
            return Ok(Ranged::Unsuited);
        }
        let next = Wanted::Exactly {
            range: missing,
            total: file.total,
            validator: file.validator.clone(),
        };
        match request(client, address, &next).await? {
            Answered::Part(part) => file.add(part),
            _ => return Ok(Ranged::Unsuited),
        }
    }
    Ok(match file.metadata(&limits_of_wheels) {
        Step::Read(bytes) => Ranged::Metadata(bytes),
        Step::Missing(_) | Step::Unreadable => Ranged::Unsuited,
    })
}

/// The requested bytes.
enum Wanted {
    /// The last ones. `size` is that of the file, if known.
    Tail { length: u64, size: Option<u64> },
    /// A range of the file that earlier ranges are from.
    Exactly {
        range: Range<u64>,
        total: u64,
        /// The strong `ETag` of the earlier ranges.
        validator: Option<HeaderValue>,
    },
}

enum Answered {
    /// The requested range.
    Part(Part),
    /// The whole file from its beginning, or a refusal of all ranges.
    Whole,
    /// The same, but the file is not larger than the requested range.
    WholeIsSmaller,
    /// Another range, or another file.
    Other,
}

/// A range of a file.
struct Part {
    start: u64,
    bytes: Vec<u8>,
    total: u64,
    validator: Option<HeaderValue>,
}

async fn request(
    client: &Client,
    address: &Address,
    wanted: &Wanted,
) -> Result<Answered, RequestError> {
    client
        .attempts(address, || request_once(client, address, wanted))
        .await
}

async fn request_once(
    client: &Client,
    address: &Address,
    wanted: &Wanted,
) -> Result<Answered, RequestError> {
    let (mut response, _) = client.get(address, &wanted.headers()).await?;
    match response.status().as_u16() {
        206 => {}
        // The body is not read, and the connection is closed.
        _ if wanted.is_everything(&response) => return Ok(Answered::WholeIsSmaller),
        _ => return Ok(Answered::Whole),
    }
    let Some((range, total)) = wanted.accepted(&response) else {
        return Ok(Answered::Other);
    };
    let length = range.end - range.start;
    let mut bytes = Vec::new();
    let mut pace = client.pace();
    while let Some(more) = client.chunk(&mut response).await? {
        bytes.extend_from_slice(&more);
        if bytes.len() as u64 > length {
            return Ok(Answered::Other);
        }
        client.check_pace(&mut pace, bytes.len() as u64)?;
    }
    if (bytes.len() as u64) < length {
        return Err(RequestError::passing(format!(
            "its answer was cut after {} of {length} bytes",
            bytes.len()
        )));
    }
    Ok(Answered::Part(Part {
        start: range.start,
        bytes,
        total,
        validator: strong_etag(&response),
    }))
}

impl Wanted {
    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let range = match self {
            Self::Tail { length, .. } => format!("bytes=-{length}"),
            Self::Exactly {
                range, validator, ..
            } => {
                if let Some(validator) = validator {
                    // RFC 9110, section 13.1.5: another file is sent whole.
                    headers.insert(IF_RANGE, validator.clone());
                }
                format!("bytes={}-{}", range.start, range.end - 1)
            }
        };
        if let Ok(range) = HeaderValue::from_str(&range) {
            headers.insert(RANGE, range);
        }
        headers
    }

    /// Whether the file, of which the response is the whole or a refusal, is not larger than the
    /// requested end.
    fn is_everything(&self, response: &Response) -> bool {
        let Self::Tail { length, size } = self else {
            return false;
        };
        let told = match response.status().as_u16() {
            200 => header(response, &CONTENT_LENGTH).and_then(|length| length.parse().ok()),
            416 => header(response, &CONTENT_RANGE)
                .and_then(|range| range.strip_prefix("bytes */")?.parse().ok()),
            _ => None,
        };
        size.or(told).is_some_and(|size| size <= *length)
    }

    /// The range of the response, and the size of the file; `None` if it is not exactly the
    /// requested range of the same file (RFC 9110, sections 14.4 and 15.3.7).
    fn accepted(&self, response: &Response) -> Option<(Range<u64>, u64)> {
        let (range, total) = header(response, &CONTENT_RANGE)?
            .strip_prefix("bytes ")?
            .split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        let total: u64 = total.parse().ok()?;
        let range = first..last.checked_add(1)?;
        let length = range.end.checked_sub(range.start)?;
        let told = header(response, &CONTENT_LENGTH);
        if told.is_some_and(|told| told.parse() != Ok(length)) {
            return None;
        }
        let is_requested = match self {
            Self::Tail { length, size } => {
                range == (total.saturating_sub(*length)..total)
                    && size.is_none_or(|size| size == total)
            }
            Self::Exactly {
                range: requested,
                total: known,
                validator,
            } => {
                let is_same = validator.is_none() || strong_etag(response) == *validator;
                range == *requested && total == *known && is_same
            }
        };
        is_requested.then_some((range, total))
    }
}

fn header<'r>(response: &'r Response, name: &HeaderName) -> Option<&'r str> {
    response.headers().get(name)?.to_str().ok().map(str::trim)
}

/// Only a strong validator guarantees that two answers are of the same file (RFC 9110, section
/// 8.8.1).
pub(super) fn strong_etag(response: &Response) -> Option<HeaderValue> {
    let tag = response.headers().get(ETAG)?;
    let text = tag.to_str().ok()?;
    (text.len() > 2 && text.starts_with('"') && text.ends_with('"')).then(|| tag.clone())
}

/// The result of reading a file with holes.
enum Step {
    Read(Vec<u8>),
    /// These bytes are needed next. The range is not empty.
    Missing(Range<u64>),
    /// It is not an archive with METADATA.
    Unreadable,
}

/// A file with holes, as a reader.
struct PartialFile {
    /// Ranges that were received, by position. They do not overlap.
    parts: Vec<(u64, Vec<u8>)>,
    total: u64,
    validator: Option<HeaderValue>,
    position: u64,
    /// The position of the last read in a hole.
    hole: Option<u64>,
}

impl PartialFile {
    fn new(part: Part) -> Self {
        Self {
            parts: vec![(part.start, part.bytes)],
            total: part.total,
            validator: part.validator,
            position: 0,
            hole: None,
        }
    }

    fn add(&mut self, part: Part) {
        self.parts.push((part.start, part.bytes));
        self.parts.sort_by_key(|(start, _)| *start);
    }

    fn received(&self) -> u64 {
        let lengths = self.parts.iter().map(|(_, bytes)| bytes.len() as u64);
        lengths.sum()
    }

    /// METADATA, or the bytes that are missing for it.
    fn metadata(&mut self, limits: &wheel::Limits) -> Step {
        self.hole = None;
        let member: MetadataMember = match find_metadata(self, limits) {
            Ok(Ok(member)) => member,
            Ok(Err(_)) => return Step::Unreadable,
            Err(_) => return self.missing(self.total),
        };
        match member.read(self) {
            Ok(Ok(bytes)) => Step::Read(bytes),
            Ok(Err(_)) => Step::Unreadable,
            Err(_) => self.missing(member.span().end),
        }
    }

    /// The hole of the last read, up to the next received byte or to `end`.
    fn missing(&self, end: u64) -> Step {
        let Some(start) = self.hole else {
            // The archive needs bytes after its end.
            return Step::Unreadable;
        };
        let next = self.parts.iter().map(|(next, _)| *next);
        let next = next.filter(|next| *next > start).min();
        let end = next.unwrap_or(self.total).min(end).min(self.total);
        if start < end {
            Step::Missing(start..end)
        } else {
            Step::Unreadable
        }
    }
}

impl Read for PartialFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.total || buffer.is_empty() {
            return Ok(0);
        }
        let position = self.position;
        let rest = self.parts.iter().find_map(|(start, bytes)| {
            let skipped = usize::try_from(position.checked_sub(*start)?).ok()?;
            bytes.get(skipped..).filter(|rest| !rest.is_empty())
        });
        let Some(rest) = rest else {
            self.hole = Some(position);
            return Err(io::Error::other("these bytes were not requested"));
        };
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for PartialFile {
    fn seek(&mut self, place: SeekFrom) -> io::Result<u64> {
        let position = match place {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(distance) => self.total.checked_add_signed(distance),
            SeekFrom::Current(distance) => self.position.checked_add_signed(distance),
        };
        self.position =
            position.ok_or_else(|| io::Error::other("a position before the beginning"))?;
        Ok(self.position)
    }
}
