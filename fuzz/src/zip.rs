//! A ZIP reader that goes by local headers alone, and a reader of RECORD: written a second time,
//! for archives with which nothing was found wrong.

use std::collections::BTreeMap;
use std::io::Read as _;

use data_encoding::BASE64URL_NOPAD;
use ipwhl_unixfs::Sha256Digest;

fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + length)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    )
}

/// The members in their order, each with its bytes; `None` where they do not follow on each other
/// up to the central directory.
pub fn members_by_local_headers(bytes: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let mut members = Vec::new();
    let mut at = 0;
    while bytes.get(at..at + 4)? == b"PK\x03\x04" {
        let flags = number(bytes, at + 6, 2)?;
        let method = number(bytes, at + 8, 2)?;
        let crc = number(bytes, at + 14, 4)?;
        let name_length = usize::try_from(number(bytes, at + 26, 2)?).ok()?;
        let extra_length = usize::try_from(number(bytes, at + 28, 2)?).ok()?;
        let start = at + 30;
        let name = String::from_utf8(bytes.get(start..start + name_length)?.to_vec()).ok()?;
        let extra = bytes.get(start + name_length..start + name_length + extra_length)?;
        let wide = zip64(extra);
        let size = |at: usize, wide: Option<u64>| match number(bytes, at, 4)? {
            0xffff_ffff if wide.is_some() => wide,
            short => Some(short),
        };
        let compressed = size(at + 18, wide.map(|(_, compressed)| compressed))?;
        let is_deferred = flags & 8 != 0;
        let rest = bytes.get(start + name_length + extra_length..)?;
        let (content, used) = match method {
            // What is stored does not tell where it ends, so its size has to be in the header, or
            // be looked for.
            0 if is_deferred && compressed == 0 => stored_until_descriptor(rest)?,
            0 => {
                let length = usize::try_from(compressed).ok()?;
                (rest.get(..length)?.to_vec(), length)
            }
            8 => inflate(rest)?,
            _ => return None,
        };
        let mut hasher = Crc::new();
        hasher.update(&content);
        let found = u64::from(hasher.0 ^ u32::MAX);
        at = start + name_length + extra_length + used;
        if is_deferred {
            let signed = usize::from(bytes.get(at..at + 4)? == b"PK\x07\x08") * 4;
            let wide = if wide.is_some() { 8 } else { 4 };
            if number(bytes, at + signed, 4)? != found
                || number(bytes, at + signed + 4, wide)? != used as u64
                || number(bytes, at + signed + 4 + wide, wide)? != content.len() as u64
            {
                return None;
            }
            at += signed + 4 + 2 * wide;
        } else if crc != found {
            return None;
        }
        members.push((name, content));
    }
    let is_end = [&b"PK\x01\x02"[..], b"PK\x05\x06", b"PK\x06\x06"];
    is_end.contains(&bytes.get(at..at + 4)?).then_some(members)
}

/// The sizes of a ZIP64 field: inflated, compressed.
fn zip64(mut extra: &[u8]) -> Option<(u64, u64)> {
    while extra.len() >= 4 {
        let length = usize::try_from(number(extra, 2, 2)?).ok()?;
        if number(extra, 0, 2)? == 1 {
            return Some((number(extra, 4, 8)?, number(extra, 12, 8)?));
        }
        extra = extra.get(4 + length..)?;
    }
    None
}

/// Bytes up to the first data descriptor that fits them.
fn stored_until_descriptor(rest: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut crc = Crc::new();
    for length in 0..=rest.len() {
        let found = u64::from(crc.0 ^ u32::MAX);
        for (signed, wide) in [(4, 4), (4, 8), (0, 4), (0, 8)] {
            let is_signed = signed == 0 || rest.get(length..length + 4) == Some(b"PK\x07\x08");
            if is_signed
                && number(rest, length + signed, 4) == Some(found)
                && number(rest, length + signed + 4, wide) == Some(length as u64)
                && number(rest, length + signed + 4 + wide, wide) == Some(length as u64)
            {
                return Some((rest[..length].to_vec(), length));
            }
        }
        crc.update(rest.get(length..length + 1)?);
    }
    None
}

/// Inflates up to the end of the stream, and says how much of the input it took.
fn inflate(rest: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut decoder = flate2::bufread::DeflateDecoder::new(rest);
    let mut content = Vec::new();
    decoder
        .by_ref()
        .take(1 << 20)
        .read_to_end(&mut content)
        .ok()?;
    let used = usize::try_from(decoder.total_in()).ok()?;
    Some((content, used))
}

struct Crc(u32);

impl Crc {
    fn new() -> Self {
        Self(u32::MAX)
    }

    fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 ^= u32::from(*byte);
            for _ in 0..8 {
                self.0 = self.0 >> 1 ^ (0xedb8_8320 & (self.0 & 1).wrapping_neg());
            }
        }
    }
}

/// Holds a RECORD to the files: each has one row, with its size and its hash.
///
/// # Panics
/// Where it does not hold.
pub fn check_record(record: &[u8], files: &BTreeMap<String, Vec<u8>>, dist_info: &str) {
    let text = std::str::from_utf8(record).expect("a RECORD is UTF-8");
    let mut rows = BTreeMap::new();
    for row in csv(text) {
        let [path, hash, size] = &row[..] else {
            panic!("a row of {} cells", row.len())
        };
        assert_eq!(
            rows.insert(path.clone(), (hash.clone(), size.clone())),
            None,
            "{path} twice"
        );
    }
    let without = ["RECORD.jws", "RECORD.p7s"].map(|file| format!("{dist_info}.dist-info/{file}"));
    for (path, bytes) in files {
        let Some((hash, size)) = rows.remove(path) else {
            assert!(without.contains(path), "{path} has no row");
            continue;
        };
        if *path == format!("{dist_info}.dist-info/RECORD") && hash.is_empty() {
            continue;
        }
        let digest = BASE64URL_NOPAD.encode(Sha256Digest::of(bytes).as_bytes());
        assert!(
            hash == format!("sha256={digest}") || !hash.starts_with("sha256="),
            "{path}: {hash}"
        );
        assert!(!hash.is_empty());
        assert!(
            size.is_empty() || size.parse() == Ok(bytes.len()),
            "{path}: {size}"
        );
    }
    assert!(rows.is_empty(), "{rows:?} are of no file");
}

/// The rows of a CSV text (RFC 4180): cells in quotation marks may have anything in them.
fn csv(text: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let mut is_quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let row = rows.last_mut().expect("there is one");
        let cell = row.last_mut().expect("there is one");
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                cell.push('"');
                characters.next();
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(String::new()),
            '\r' | '\n' if !is_quoted => rows.push(vec![String::new()]),
            other => cell.push(other),
        }
    }
    rows.retain(|row| *row != [""]);
    rows
}

/// An archive of these members, stored: a sound one.
pub fn stored(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut central = Vec::new();
    for (name, bytes) in members {
        let mut crc = Crc::new();
        crc.update(bytes);
        let length = u32::try_from(bytes.len())
            .expect("a small member")
            .to_le_bytes();
        let name_length = u16::try_from(name.len())
            .expect("a short name")
            .to_le_bytes();
        let common = [
            &[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0][..],
            &(crc.0 ^ u32::MAX).to_le_bytes(),
            &length,
            &length,
            &name_length,
            &[0, 0],
        ]
        .concat();
        let offset = u32::try_from(out.len())
            .expect("a small archive")
            .to_le_bytes();
        central.extend(
            [
                b"PK\x01\x02\x14\x03",
                &common[..],
                &[0; 6],
                &[0, 0, 0xa4, 0x81][..],
                &offset,
                name.as_bytes(),
            ]
            .concat(),
        );
        out.extend([b"PK\x03\x04", &common[..], name.as_bytes(), bytes].concat());
    }
    let count = u16::try_from(members.len())
        .expect("few members")
        .to_le_bytes();
    let size = u32::try_from(central.len())
        .expect("few members")
        .to_le_bytes();
    let offset = u32::try_from(out.len())
        .expect("a small archive")
        .to_le_bytes();
    out.extend(
        [
            &central[..],
            b"PK\x05\x06\0\0\0\0",
            &count,
            &count,
            &size,
            &offset,
            &[0, 0],
        ]
        .concat(),
    );
    out
}
