//! Opens an archive and reads its blocks.

use std::collections::HashMap;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

use super::{
    Blocks, CarError, HEADER_END, HEADER_START, MAX_BLOCK, MAX_BLOCKS, MAX_HEADER, MAX_VARINT,
    header,
};
use crate::Cid;
use crate::protobuf::read_varint;

/// The read size of the index, in bytes; the data of larger blocks is skipped.
const SCAN_BUFFER: usize = 8 * 1024;
/// The length of the longest CID in bytes.
const LONGEST_CID: usize = 36;

/// An archive with its index in memory. Blocks are read and hashed on request. Threads can share
/// it: a lock is held while bytes are read, not while they are hashed.
#[derive(Debug)]
pub struct CarReader<R> {
    source: Mutex<R>,
    root: Cid,
    byte_length: u64,
    places: HashMap<Cid, Place>,
}

/// The position of a block's bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) length: usize,
}

impl<R: Read + Seek> CarReader<R> {
    /// The root in an archive's header; nothing else is read.
    pub fn root_of(source: R) -> Result<Cid, CarError> {
        Scan::of(source)?.header()
    }

    /// Reads the header and the sections' heads. The blocks' bytes are not verified.
    pub fn open(source: R) -> Result<Self, CarError> {
        let mut scan = Scan::of(source)?;
        let root = scan.header()?;
        let mut places = HashMap::new();
        while let Some((cid, place)) = scan.section()? {
            if places.len() == MAX_BLOCKS {
                return Err(CarError::TooManyBlocks);
            }
            if places.insert(cid, place).is_some() {
                return Err(CarError::Duplicate(cid));
            }
        }
        if !places.contains_key(&root) {
            return Err(CarError::Missing(root));
        }
        Ok(Self {
            root,
            byte_length: scan.end,
            source: Mutex::new(scan.source.into_inner()),
            places,
        })
    }
}

impl<R: Read + Seek> Blocks for CarReader<R> {
    fn block(&self, cid: &Cid) -> Result<Option<Vec<u8>>, CarError> {
        let Some(place) = self.place(cid) else {
            return Ok(None);
        };
        let mut block = vec![0; place.length];
        {
            // A reader that panicked has left only a position, which is set here.
            let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
            source.seek(SeekFrom::Start(place.offset))?;
            source.read_exact(&mut block)?;
        }
        if cid.matches(&block) {
            Ok(Some(block))
        } else {
            Err(CarError::Mismatch(*cid))
        }
    }

    fn contains(&self, cid: &Cid) -> bool {
        self.places.contains_key(cid)
    }
}

impl<R> CarReader<R> {
    /// The root.
    pub fn root(&self) -> Cid {
        self.root
    }

    /// The number of blocks in the index; at least one.
    #[expect(clippy::len_without_is_empty, reason = "the root always exists")]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// The length of the archive in bytes.
    pub fn byte_length(&self) -> u64 {
        self.byte_length
    }

    /// The length of a block in bytes, from the index; `None` if it is not here.
    pub fn length_of(&self, cid: &Cid) -> Option<usize> {
        self.place(cid).map(|place| place.length)
    }

    /// The CIDs in the archive's order.
    pub fn cids(&self) -> Vec<Cid> {
        let mut placed: Vec<(u64, Cid)> = self
            .places
            .iter()
            .map(|(cid, place)| (place.offset, *cid))
            .collect();
        placed.sort_unstable();
        placed.into_iter().map(|(_, cid)| cid).collect()
    }

    pub(super) fn place(&self, cid: &Cid) -> Option<Place> {
        self.places.get(cid).copied()
    }
}

/// Scans an archive from its start. Every length is compared with the rest of the file before
/// anything is read or skipped.
struct Scan<R> {
    source: BufReader<R>,
    offset: u64,
    end: u64,
}

impl<R: Read + Seek> Scan<R> {
    fn of(mut source: R) -> Result<Self, CarError> {
        let end = source.seek(SeekFrom::End(0))?;
        source.seek(SeekFrom::Start(0))?;
        Ok(Self {
            source: BufReader::with_capacity(SCAN_BUFFER, source),
            offset: 0,
            end,
        })
    }

    /// A varint, `None` at the end of the file.
    fn varint(&mut self) -> Result<Option<u64>, CarError> {
        let start = self.offset;
        let mut bytes = Vec::with_capacity(MAX_VARINT);
        while self.offset < self.end {
            let mut byte = [0];
            self.fill(&mut byte, start)?;
            bytes.push(byte[0]);
            if byte[0] & 0x80 == 0 {
                let value = read_varint(&bytes).map(|(value, _)| value);
                return value.map(Some).ok_or_else(|| CarError::Section {
                    offset: start,
                    reason: "has a length that is not in its shortest form".to_owned(),
                });
            }
            if bytes.len() == MAX_VARINT {
                return Err(CarError::Section {
                    offset: start,
                    reason: format!("has a length of more than {MAX_VARINT} bytes"),
                });
            }
        }
        if bytes.is_empty() {
            Ok(None)
        } else {
            Err(CarError::Truncated { offset: start })
        }
    }

    fn fill(&mut self, bytes: &mut [u8], start: u64) -> Result<(), CarError> {
        if self.end - self.offset < bytes.len() as u64 {
            return Err(CarError::Truncated { offset: start });
        }
        self.source.read_exact(bytes)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    fn header(&mut self) -> Result<Cid, CarError> {
        let length = match self.varint() {
            Ok(length) => length.unwrap_or_default(),
            Err(CarError::Section { .. }) => MAX_HEADER + 1,
            Err(error) => return Err(error),
        };
        if length == 0 || length > MAX_HEADER {
            return Err(CarError::Header("has no header; it is not a CAR file"));
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most MAX_HEADER")]
        let mut bytes = vec![0; length as usize];
        self.fill(&mut bytes, 0)?;
        root(&bytes).map_err(CarError::Header)
    }

    fn section(&mut self) -> Result<Option<(Cid, Place)>, CarError> {
        let start = self.offset;
        let Some(length) = self.varint()? else {
            return Ok(None);
        };
        let refuse = |reason: String| CarError::Section {
            offset: start,
            reason,
        };
        check_length(length, start)?;
        if length > self.end - self.offset {
            return Err(CarError::Truncated { offset: start });
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "at most MAX_BLOCK and a CID"
        )]
        let length = length as usize;
        let mut name = [0; LONGEST_CID];
        // A CIDv0 begins with its multihash and has 34 bytes.
        self.fill(&mut name[..1], start)?;
        let expected = if name[0] == 0x12 { 34 } else { LONGEST_CID };
        if length < expected {
            return Err(refuse("is too short for a CID".to_owned()));
        }
        self.fill(&mut name[1..expected], start)?;
        let cid = Cid::from_bytes(&name[..expected])
            .map_err(|error| refuse(format!("is refused: {error}")))?;
        let place = Place {
            offset: self.offset,
            length: length - expected,
        };
        if place.length > MAX_BLOCK {
            return Err(refuse(format!(
                "has a block of {} bytes, more than {MAX_BLOCK}",
                place.length
            )));
        }
        self.skip(place.length)?;
        Ok(Some((cid, place)))
    }

    fn skip(&mut self, length: usize) -> Result<(), CarError> {
        // `length` is at most MAX_BLOCK.
        self.source
            .seek_relative(i64::try_from(length).unwrap_or_default())?;
        self.offset += length as u64;
        Ok(())
    }
}

/// Whether a section can have this length.
pub(super) fn check_length(length: u64, offset: u64) -> Result<(), CarError> {
    let reason = if length == 0 {
        "is empty; padding is not accepted".to_owned()
    } else if length > (MAX_BLOCK + LONGEST_CID) as u64 {
        format!("has {length} bytes, more than a block of {MAX_BLOCK}")
    } else {
        return Ok(());
    };
    Err(CarError::Section { offset, reason })
}

/// The root of a header, which has only one canonical form.
pub(super) fn root(bytes: &[u8]) -> Result<Cid, &'static str> {
    if bytes == b"\xa1\x67version\x02" {
        return Err("is a CAR of version 2; only version 1 is read");
    }
    if bytes == b"\xa2\x65roots\x80\x67version\x01" {
        return Err("has no root");
    }
    let cid = bytes
        .strip_prefix(HEADER_START)
        .and_then(|rest| rest.strip_suffix(HEADER_END))
        .and_then(|rest| rest.get(5..))
        .and_then(|cid| Cid::from_bytes(cid).ok())
        .filter(|cid| header(cid) == bytes);
    cid.ok_or("has a header that is not that of a version 1 CAR with one UnixFS root")
}
