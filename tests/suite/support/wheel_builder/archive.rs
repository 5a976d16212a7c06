//! A ZIP writer without opinions: every field can be set to a wrong value.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;

const LOCAL_SIGNATURE: u32 = 0x0403_4b50;
const CENTRAL_SIGNATURE: u32 = 0x0201_4b50;
const DESCRIPTOR_SIGNATURE: u32 = 0x0807_4b50;
const END_SIGNATURE: u32 = 0x0605_4b50;
const END64_SIGNATURE: u32 = 0x0606_4b50;
const LOCATOR_SIGNATURE: u32 = 0x0706_4b50;

/// What a local header and a central directory header have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawHeader {
    pub name: Vec<u8>,
    pub version_needed: u16,
    pub flags: u16,
    pub method: u16,
    pub time: u16,
    pub date: u16,
    pub crc: u32,
    pub compressed_size: u32,
    pub size: u32,
    pub extra: Vec<u8>,
}

/// What follows the data where bit 3 is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawDescriptor {
    pub signature: bool,
    /// Sizes of eight bytes each, as with ZIP64.
    pub wide: bool,
    pub crc: u32,
    pub compressed_size: u64,
    pub size: u64,
}

/// One member, with both of its headers.
#[derive(Clone, Debug)]
pub struct RawEntry {
    pub local: RawHeader,
    pub central: RawHeader,
    pub version_made_by: u16,
    pub disk: u16,
    pub internal_attributes: u16,
    pub external_attributes: u32,
    pub comment: Vec<u8>,
    /// Bytes that no entry owns, before the local header.
    pub before: Vec<u8>,
    /// The data as stored.
    pub data: Vec<u8>,
    pub descriptor: Option<RawDescriptor>,
    /// Bytes that no entry owns, after the data and the descriptor.
    pub after: Vec<u8>,
    /// Added to the offset of the central header, for lies.
    pub offset_lie: i64,
    /// Says `ffff_ffff` as the offset and puts the true one at the end of the central ZIP64 field.
    pub wide_offset: bool,
    /// Has no local part: the central header points at that of the entry with this index.
    pub shares_local_of: Option<usize>,
    /// Is missing from the central directory.
    pub hidden: bool,
}

impl RawEntry {
    /// A correct entry.
    pub fn new(name: &str, bytes: &[u8], deflate: bool) -> Self {
        let data = if deflate {
            raw_deflate(bytes)
        } else {
            bytes.to_vec()
        };
        let header = RawHeader {
            name: name.as_bytes().to_vec(),
            version_needed: 20,
            flags: if name.is_ascii() { 0 } else { 1 << 11 },
            method: if deflate { 8 } else { 0 },
            time: 0,
            date: 0x21, // 1980-01-01
            crc: crc32fast::hash(bytes),
            compressed_size: u32::try_from(data.len()).unwrap(),
            size: u32::try_from(bytes.len()).unwrap(),
            extra: Vec::new(),
        };
        Self {
            local: header.clone(),
            central: header,
            version_made_by: 0x0314, // Unix, 2.0
            disk: 0,
            internal_attributes: 0,
            external_attributes: if name.ends_with('/') {
                (0o040_755 << 16) | 0x10
            } else {
                0o100_644 << 16
            },
            comment: Vec::new(),
            before: Vec::new(),
            data,
            descriptor: None,
            after: Vec::new(),
            offset_lie: 0,
            wide_offset: false,
            shares_local_of: None,
            hidden: false,
        }
    }

    /// Changes both headers alike.
    pub fn both(&mut self, change: impl Fn(&mut RawHeader)) {
        change(&mut self.local);
        change(&mut self.central);
    }

    /// Moves CRC and sizes behind the data, with a signature.
    pub fn use_descriptor(&mut self) {
        self.descriptor = Some(RawDescriptor {
            signature: true,
            wide: false,
            crc: self.central.crc,
            compressed_size: self.central.compressed_size.into(),
            size: self.central.size.into(),
        });
        self.both(|header| header.flags |= 1 << 3);
        self.local.crc = 0;
        self.local.compressed_size = 0;
        self.local.size = 0;
    }

    /// Moves the sizes of the local header into a ZIP64 field.
    pub fn use_local_zip64(&mut self) {
        widen(&mut self.local);
    }

    /// Moves the sizes of the central header into a ZIP64 field.
    pub fn use_central_zip64(&mut self) {
        widen(&mut self.central);
    }
}

/// One extra field: identifier, length, bytes.
pub fn extra_field(identifier: u16, bytes: &[u8]) -> Vec<u8> {
    let mut field = identifier.to_le_bytes().to_vec();
    field.extend(u16::try_from(bytes.len()).unwrap().to_le_bytes());
    field.extend(bytes);
    field
}

/// The bytes as a raw deflate stream.
pub fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn widen(header: &mut RawHeader) {
    let mut sizes = u64::from(header.size).to_le_bytes().to_vec();
    sizes.extend(u64::from(header.compressed_size).to_le_bytes());
    header.extra.extend(extra_field(1, &sizes));
    header.size = u32::MAX;
    header.compressed_size = u32::MAX;
    header.version_needed = 45;
}

/// The ZIP64 end records, with what they say.
#[derive(Clone, Debug, Default)]
pub struct RawEnd64 {
    /// Added to each number, for lies.
    pub entries_lie: i64,
    pub size_lie: i64,
    pub offset_lie: i64,
    pub locator_lie: i64,
    pub disk: u32,
    pub disks: u32,
    /// The 32-bit record says all ones, so that only this one knows.
    pub needed: bool,
    /// Bytes at the end of the ZIP64 record.
    pub extensible: Vec<u8>,
}

/// A whole archive.
#[derive(Clone, Debug, Default)]
pub struct RawArchive {
    pub entries: Vec<RawEntry>,
    /// Bytes before the first entry, which offsets count.
    pub prefix: Vec<u8>,
    /// Bytes before the first entry, which offsets do not count, as a self-extracting archive.
    pub uncounted_prefix: Vec<u8>,
    pub before_central: Vec<u8>,
    pub after_central: Vec<u8>,
    pub end64: Option<RawEnd64>,
    pub disk: u16,
    pub central_disk: u16,
    pub disk_entries_lie: i32,
    pub entries_lie: i32,
    pub central_size_lie: i64,
    pub central_offset_lie: i64,
    pub comment: Vec<u8>,
    /// Added to the length of the comment, for lies.
    pub comment_length_lie: i32,
    pub suffix: Vec<u8>,
    /// Writes the central directory in the opposite order of the entries.
    pub reversed_central: bool,
}

impl RawArchive {
    /// The entry of this name.
    pub fn entry_mut(&mut self, name: &str) -> &mut RawEntry {
        self.entries
            .iter_mut()
            .find(|entry| entry.central.name == name.as_bytes())
            .unwrap()
    }

    /// The archive's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.prefix.clone();
        let mut offsets = Vec::new();
        for entry in &self.entries {
            if let Some(other) = entry.shares_local_of {
                offsets.push(offsets[other]);
                continue;
            }
            out.extend(&entry.before);
            offsets.push(out.len());
            push32(&mut out, LOCAL_SIGNATURE);
            push_header(&mut out, &entry.local);
            out.extend(&entry.local.name);
            out.extend(&entry.local.extra);
            out.extend(&entry.data);
            if let Some(descriptor) = &entry.descriptor {
                push_descriptor(&mut out, descriptor);
            }
            out.extend(&entry.after);
        }
        out.extend(&self.before_central);
        let central_offset = out.len();
        let mut central: Vec<Vec<u8>> = self
            .entries
            .iter()
            .zip(offsets)
            .filter(|(entry, _)| !entry.hidden)
            .map(|(entry, offset)| central_header(entry, offset))
            .collect();
        if self.reversed_central {
            central.reverse();
        }
        let count = central.len();
        out.extend(central.concat());
        let central_size = out.len() - central_offset;
        out.extend(&self.after_central);
        let size = lie(central_size, self.central_size_lie);
        let offset = lie(central_offset, self.central_offset_lie);
        if let Some(end64) = &self.end64 {
            push_end64(&mut out, end64, count, central_size, central_offset);
        }
        let needed = self.end64.as_ref().is_some_and(|end64| end64.needed);
        push32(&mut out, END_SIGNATURE);
        push16(&mut out, self.disk);
        push16(&mut out, self.central_disk);
        for count_lie in [self.disk_entries_lie, self.entries_lie] {
            let told = lie(count, count_lie.into());
            push16(
                &mut out,
                if needed {
                    u16::MAX
                } else {
                    u16::try_from(told).unwrap()
                },
            );
        }
        for told in [size, offset] {
            push32(
                &mut out,
                if needed {
                    u32::MAX
                } else {
                    u32::try_from(told).unwrap()
                },
            );
        }
        let comment_length = lie(self.comment.len(), self.comment_length_lie.into());
        push16(&mut out, u16::try_from(comment_length).unwrap());
        out.extend(&self.comment);
        out.extend(&self.suffix);
        [self.uncounted_prefix.clone(), out].concat()
    }
}

fn lie(truth: usize, difference: i64) -> u64 {
    u64::try_from(i64::try_from(truth).unwrap() + difference).unwrap()
}

fn push16(out: &mut Vec<u8>, value: u16) {
    out.extend(value.to_le_bytes());
}

fn push32(out: &mut Vec<u8>, value: u32) {
    out.extend(value.to_le_bytes());
}

fn push64(out: &mut Vec<u8>, value: u64) {
    out.extend(value.to_le_bytes());
}

fn push_header(out: &mut Vec<u8>, header: &RawHeader) {
    for value in [
        header.version_needed,
        header.flags,
        header.method,
        header.time,
        header.date,
    ] {
        push16(out, value);
    }
    for value in [header.crc, header.compressed_size, header.size] {
        push32(out, value);
    }
    push16(out, u16::try_from(header.name.len()).unwrap());
    push16(out, u16::try_from(header.extra.len()).unwrap());
}

fn push_descriptor(out: &mut Vec<u8>, descriptor: &RawDescriptor) {
    if descriptor.signature {
        push32(out, DESCRIPTOR_SIGNATURE);
    }
    push32(out, descriptor.crc);
    for size in [descriptor.compressed_size, descriptor.size] {
        if descriptor.wide {
            push64(out, size);
        } else {
            push32(out, u32::try_from(size).unwrap());
        }
    }
}

fn central_header(entry: &RawEntry, offset: usize) -> Vec<u8> {
    let offset = lie(offset, entry.offset_lie);
    let mut header = entry.central.clone();
    if entry.wide_offset {
        if header.extra.is_empty() {
            header.extra = extra_field(1, &offset.to_le_bytes());
        } else {
            // The field of `use_central_zip64` is the only one: 16 bytes of sizes, then the offset.
            assert_eq!(
                header.extra.len(),
                20,
                "only a ZIP64 field can be continued"
            );
            header.extra[2] = 24;
            header.extra.extend(offset.to_le_bytes());
        }
    }
    let mut out = Vec::new();
    push32(&mut out, CENTRAL_SIGNATURE);
    push16(&mut out, entry.version_made_by);
    push_header(&mut out, &header);
    push16(&mut out, u16::try_from(entry.comment.len()).unwrap());
    push16(&mut out, entry.disk);
    push16(&mut out, entry.internal_attributes);
    push32(&mut out, entry.external_attributes);
    push32(
        &mut out,
        if entry.wide_offset {
            u32::MAX
        } else {
            u32::try_from(offset).unwrap()
        },
    );
    out.extend(&header.name);
    out.extend(&header.extra);
    out.extend(&entry.comment);
    out
}

fn push_end64(out: &mut Vec<u8>, end64: &RawEnd64, count: usize, size: usize, offset: usize) {
    let place = out.len();
    push32(out, END64_SIGNATURE);
    push64(out, 44 + u64::try_from(end64.extensible.len()).unwrap());
    push16(out, 45);
    push16(out, 45);
    push32(out, end64.disk);
    push32(out, end64.disk);
    push64(out, lie(count, end64.entries_lie));
    push64(out, lie(count, end64.entries_lie));
    push64(out, lie(size, end64.size_lie));
    push64(out, lie(offset, end64.offset_lie));
    out.extend(&end64.extensible);
    push32(out, LOCATOR_SIGNATURE);
    push32(out, end64.disk);
    push64(out, lie(place, end64.locator_lie));
    push32(out, if end64.disks == 0 { 1 } else { end64.disks });
}
