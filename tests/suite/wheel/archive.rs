//! Archives that contradict themselves: one wrong thing each, and exactly that is said.

use super::{click, facts, listed, problems};
use crate::support::wheel_builder::archive::{
    RawArchive, RawEnd64, RawEntry, extra_field, raw_deflate,
};
use crate::support::wheel_builder::{Compression, WheelBuilder};

const CORE: &str = "click/core.py";

/// Changes one entry; `expected` are the beginnings of all problems, in order.
#[track_caller]
fn entry_case(change: impl Fn(&mut RawEntry) + Send + Sync + 'static, expected: &[&str]) {
    case(&click().entry(CORE, change), expected);
}

#[track_caller]
fn case(builder: &WheelBuilder, expected: &[&str]) {
    let found = problems(builder);
    let matches = found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(found, expected)| found.starts_with(expected));
    assert!(matches, "found {found:#?}, expected {expected:#?}");
}

#[test]
fn headers_that_differ() {
    entry_case(
        |entry| entry.local.name = b"click/evil.py".to_vec(),
        &["archive: `click/core.py` is named `click/evil.py` in its local header"],
    );
    entry_case(
        |entry| entry.local.method = 0,
        &[
            "archive: `click/core.py` has the method 0 in its local header and 8 in the central directory",
        ],
    );
    entry_case(
        |entry| entry.local.flags = 2,
        &[
            "archive: `click/core.py` has the flags 2 in its local header and 0 in the central directory",
        ],
    );
    entry_case(
        |entry| entry.local.crc ^= 1,
        &["archive: `click/core.py` has the CRC "],
    );
    entry_case(
        |entry| entry.local.crc = 0,
        &["archive: `click/core.py` has the CRC 0 in its local header"],
    );
    entry_case(
        |entry| entry.local.size += 1,
        &[
            "archive: `click/core.py` has the size 5001 in its local header and 5000 in the central directory",
        ],
    );
    entry_case(
        |entry| entry.local.compressed_size += 1,
        &["archive: `click/core.py` has the compressed size "],
    );
    entry_case(
        |entry| {
            entry.use_local_zip64();
            entry.local.extra[4] ^= 1;
        },
        &[
            "archive: `click/core.py` has the size 5001 in its local header and 5000 in the central directory",
        ],
    );
}

#[test]
fn extra_fields_that_contradict_or_are_cut() {
    entry_case(
        |entry| entry.local.extra = vec![1, 0, 9, 0, 1],
        &[
            "archive: `click/core.py` has extra fields whose lengths do not add up to that of the extra area, in its local header",
        ],
    );
    entry_case(
        |entry| entry.central.extra = vec![0],
        &[
            "archive: `click/core.py` has extra fields whose lengths do not add up to that of the extra area, in the central directory",
        ],
    );
    entry_case(
        |entry| entry.local.extra = extra_field(1, &[0; 16]),
        &[
            "archive: `click/core.py` has a ZIP64 field that contradicts its 32-bit fields, in its local header",
        ],
    );
    entry_case(
        |entry| entry.local.extra = extra_field(1, &[0; 7]),
        &[
            "archive: `click/core.py` has a ZIP64 field of 7 bytes where 0 are asked for, in its local header",
        ],
    );
    entry_case(
        |entry| {
            entry.use_central_zip64();
            let twice = entry.central.extra.clone();
            entry.central.extra.extend(twice);
        },
        &[
            "archive: `click/core.py` has two ZIP64 fields, in the central directory",
            // The sizes stay unknown, so what uses them is wrong too.
            "archive: `click/core.py` has 4294967295 bytes, more than the limit of ",
            "archive: `click/core.py` has 4294967295 bytes of data, which reach into what follows at ",
        ],
    );
    entry_case(
        |entry| entry.local.size = u32::MAX,
        &[
            "archive: `click/core.py` leaves its sizes to a ZIP64 field that is not there, in its local header",
        ],
    );
    let unicode_path = |name: &[u8], crc_of: &[u8]| {
        let content = [&[1], &crc32fast::hash(crc_of).to_le_bytes()[..], name].concat();
        extra_field(0x7075, &content)
    };
    let same = unicode_path(CORE.as_bytes(), CORE.as_bytes());
    entry_case(move |entry| entry.local.extra = same.clone(), &[]);
    let other = unicode_path(b"click/evil.py", CORE.as_bytes());
    entry_case(
        move |entry| entry.local.extra = other.clone(),
        &[
            "archive: `click/core.py` has a Unicode path field with another name, in its local header",
        ],
    );
    let stale = unicode_path(CORE.as_bytes(), b"old name");
    entry_case(
        move |entry| entry.central.extra = stale.clone(),
        &[
            "archive: `click/core.py` has a Unicode path field with another name, in the central directory",
        ],
    );
}

#[test]
fn names_that_are_no_plain_relative_paths() {
    for (name, reason) in [
        ("/etc/passwd", "is an absolute path"),
        ("../up.py", "has a `..` in its path"),
        ("click/../../up.py", "has a `..` in its path"),
        ("click/./a.py", "has a `.` in its path"),
        ("click//a.py", "has an empty component in its path"),
        ("click/sub//", "has an empty component in its path"),
        ("click\\a.py", "has a backslash in its name"),
        ("C:a.py", "has a drive letter in its name"),
        ("click/a\0.py", "has a control character in its name"),
        ("click/a\u{1b}[2J.py", "has a control character in its name"),
        ("", "is an empty name"),
    ] {
        let found = problems(&click().member(name, b""));
        assert_eq!(found.len(), 1, "{name:?}: {found:?}");
        assert!(found[0].ends_with(reason), "{name:?}: {found:?}");
        assert!(!found[0].chars().any(char::is_control), "{found:?}");
    }
    case(
        &click()
            .member("click/naïve.py", b"")
            .entry("click/naïve.py", |entry| {
                entry.both(|header| header.flags = 0);
            }),
        &["archive: `click/naïve.py` has a name that is not ASCII, without the flag for UTF-8"],
    );
    case(
        &click()
            .member("click/naïve.py", b"")
            .entry("click/naïve.py", |entry| {
                entry.both(|header| header.name = b"click/na\xefve.py".to_vec());
            }),
        &[
            "archive: `click/na\u{fffd}ve.py` has a name that is not UTF-8, though its flag says so",
            "record: `click/na\u{fffd}ve.py` has no row in RECORD",
            "record: RECORD has a row for `click/naïve.py`",
        ],
    );
}

#[test]
fn names_that_are_the_same_place() {
    case(
        &click().archive(|archive| {
            let copy = archive.entry_mut(CORE).clone();
            archive.entries.push(copy);
        }),
        &["archive: `click/core.py` is there 2 times"],
    );
    case(
        &click().member("click/core.py/inside.py", b""),
        &["archive: `click/core.py` is both a file and a folder"],
    );
    case(
        &click().member("click/core.py/", b""),
        &["archive: `click/core.py` is both a file and a folder"],
    );
    // Neighbours in byte order are not what decides.
    case(
        &click()
            .member("click/core.py-x", b"")
            .member("click/core.py.d/x", b""),
        &[],
    );
}

#[test]
fn members_that_no_wheel_has() {
    entry_case(
        |entry| entry.both(|header| header.flags |= 1),
        &["archive: `click/core.py` is encrypted"],
    );
    entry_case(
        |entry| entry.both(|header| header.flags |= 1 << 5),
        &["archive: `click/core.py` has flags that no wheel needs: 0x0020"],
    );
    entry_case(
        |entry| entry.both(|header| header.method = 14),
        &["archive: `click/core.py` is compressed by method 14; "],
    );
    entry_case(
        |entry| entry.external_attributes = 0o120_777 << 16,
        &["archive: `click/core.py` is a symbolic link"],
    );
    entry_case(
        |entry| entry.external_attributes = 0o010_644 << 16,
        &["archive: `click/core.py` is a special file, of Unix type 0o10000"],
    );
    case(
        &click().member("click/sub/", b"data in a folder"),
        &["archive: `click/sub/` is a folder, with 16 bytes of data"],
    );
    entry_case(
        |entry| entry.disk = 1,
        &["archive: `click/core.py` begins on disk 1 of an archive that has one"],
    );
}

#[test]
fn bytes_that_no_entry_owns() {
    case(
        &click().archive(|archive| archive.prefix = b"#!/bin/sh".to_vec()),
        &["archive: has 9 bytes before its first entry"],
    );
    case(
        &click().archive(|archive| archive.uncounted_prefix = b"#!/bin/sh".to_vec()),
        &["archive: has a central directory of "],
    );
    entry_case(
        |entry| entry.after = b"hidden".to_vec(),
        &["archive: `click/core.py` is followed by 6 bytes that no entry owns"],
    );
    entry_case(
        |entry| entry.before = b"hidden".to_vec(),
        &["archive: `click/__init__.py` is followed by 6 bytes that no entry owns"],
    );
    // A whole entry that the central directory does not have.
    entry_case(
        |entry| entry.hidden = true,
        &[
            "archive: `click/__init__.py` is followed by ",
            "record: RECORD has a row for `click/core.py`",
        ],
    );
    case(
        &click().archive(|archive| archive.before_central = b"hidden".to_vec()),
        &["archive: `click-8.1.7.dist-info/RECORD` is followed by 6 bytes that no entry owns"],
    );
    case(
        &click().archive(|archive| archive.after_central = b"hidden".to_vec()),
        &["archive: has a central directory of "],
    );
    case(
        &click().archive(|archive| archive.suffix = b"hidden".to_vec()),
        &["archive: has 6 bytes after its end record, which speaks of a comment of 0"],
    );
    case(
        &click().archive(|archive| archive.comment = b"a comment".to_vec()),
        &[],
    );
    case(
        &click().archive(|archive| archive.comment = b"PK\x05\x06".to_vec()),
        &[
            "archive: has an archive comment of 4 bytes with the signature of a record in it, `PK\\x05\\x06`",
        ],
    );
    case(
        &click().entry("click/core.py", |entry| {
            entry.external_attributes = 0o040_755 << 16;
        }),
        &["archive: `click/core.py` is a file, and a folder by its mode"],
    );
    case(
        &click().entry("click/core.py", |entry| {
            let time = b"UT\x05\0\x01\0\0\0\0";
            entry.both(|header| header.extra = [&time[..], time].concat());
        }),
        &[
            "archive: `click/core.py` has two extra fields of the kind 0x5455, in the central directory",
            "archive: `click/core.py` has two extra fields of the kind 0x5455, in its local header",
        ],
    );
    // uv takes one in a member's comment for an archive in the archive.
    case(
        &click().entry("click/core.py", |entry| {
            entry.comment = b"a comment".to_vec();
        }),
        &[],
    );
    case(
        &click().entry("click/core.py", |entry| {
            entry.comment = b"PK\x05\x06".to_vec();
        }),
        &[
            "archive: `click/core.py` has a comment with the signature of a record in it, `PK\\x05\\x06`",
        ],
    );
    // A signature that begins in the length of the comment, which is two bytes before it: other
    // readers take what follows for the end record of another archive.
    for (length, start) in [(0x4b50, &b"\x05\x06"[..]), (0x5001, b"K\x05\x06")] {
        let comment = [start, &vec![0; length - start.len()]].concat();
        let problem = format!(
            "archive: has an archive comment of {length} bytes with the signature of a record in it, `PK\\x05\\x06`"
        );
        case(
            &click().archive(move |archive| archive.comment = comment.clone()),
            &[&problem],
        );
    }
    // A whole end record inside the comment, of an archive that is empty.
    case(
        &click().archive(|archive| {
            archive.comment = [&b"PK\x05\x06"[..], &[0; 18]].concat();
        }),
        &["archive: has a central directory of 0 bytes at 0 by its end record"],
    );
    case(
        &click().archive(|archive| archive.comment_length_lie = 4),
        &["archive: has 0 bytes after its end record, which speaks of a comment of 4"],
    );
}

#[test]
fn data_descriptors_that_lie() {
    let with = |change: fn(&mut RawEntry)| {
        move |entry: &mut RawEntry| {
            entry.use_descriptor();
            change(entry);
        }
    };
    let contradicts =
        "archive: `click/core.py` has a data descriptor that contradicts the central directory";
    entry_case(
        with(|entry| entry.descriptor.as_mut().unwrap().crc ^= 1),
        &[contradicts],
    );
    entry_case(
        with(|entry| entry.descriptor.as_mut().unwrap().size += 1),
        &[contradicts],
    );
    entry_case(
        with(|entry| entry.descriptor.as_mut().unwrap().compressed_size += 1),
        &[contradicts],
    );
    entry_case(
        with(|entry| entry.descriptor = None),
        &["archive: `click/core.py` is followed by 0 bytes, which are not a data descriptor"],
    );
    entry_case(
        with(|entry| entry.after = vec![0; 3]),
        &["archive: `click/core.py` is followed by 19 bytes, which are not a data descriptor"],
    );
    entry_case(
        with(|entry| entry.descriptor.as_mut().unwrap().wide = true),
        &["archive: `click/core.py` has a data descriptor of 24 bytes, without a ZIP64 field"],
    );
    entry_case(
        with(RawEntry::use_local_zip64),
        &["archive: `click/core.py` has a data descriptor of 16 bytes, with a ZIP64 field"],
    );
    // Without bit 3 it is nobody's.
    entry_case(
        |entry| {
            let headers = (entry.local.clone(), entry.central.clone());
            entry.use_descriptor();
            (entry.local, entry.central) = headers;
        },
        &["archive: `click/core.py` is followed by 16 bytes that no entry owns"],
    );
}

#[test]
fn sizes_and_sums_that_lie_on_both_sides() {
    for compression in [Compression::Stored, Compression::Deflate] {
        case(
            &click()
                .compression(compression)
                .entry(CORE, |entry| entry.both(|header| header.crc ^= 1)),
            &["archive: `click/core.py` has the CRC "],
        );
    }
    entry_case(
        |entry| entry.both(|header| header.size -= 1),
        &["archive: `click/core.py` inflates to more than the 4999 bytes that it declares"],
    );
    entry_case(
        |entry| entry.both(|header| header.size += 1),
        &["archive: `click/core.py` inflates to 5000 bytes and declares 5001"],
    );
    entry_case(
        |entry| {
            entry.data.pop();
            entry.both(|header| header.compressed_size -= 1);
        },
        &["archive: `click/core.py` has compressed data that is cut short"],
    );
    entry_case(
        |entry| {
            entry.data[0] |= 0b110; // a block type that does not exist
        },
        &["archive: `click/core.py` has data that is not valid deflate"],
    );
    case(
        &click()
            .compression(Compression::Stored)
            .entry(CORE, |entry| {
                entry.both(|header| header.size -= 1);
            }),
        &["archive: `click/core.py` is stored, with 4999 bytes as 5000"],
    );
    entry_case(
        |entry| entry.both(|header| header.compressed_size += 1),
        &["archive: `click/core.py` has "],
    );
}

#[test]
fn bytes_hidden_behind_the_end_of_compressed_data() {
    let hide = |hidden: Vec<u8>| {
        move |entry: &mut RawEntry| {
            entry.data.extend(&hidden);
            let length = u32::try_from(entry.data.len()).unwrap();
            entry.both(|header| header.compressed_size = length);
        }
    };
    entry_case(
        hide(vec![0]),
        &["archive: `click/core.py` has 1 bytes after the end of its compressed data"],
    );
    // What the fast path would look for, planted where it would look.
    let footer = [
        crc32fast::hash(&[b'x'; 5000]).to_le_bytes(),
        5000_u32.to_le_bytes(),
    ]
    .concat();
    entry_case(
        hide(footer.clone()),
        &["archive: `click/core.py` has 8 bytes after the end of its compressed data"],
    );
    entry_case(
        hide([footer.clone(), b"and a payload".to_vec()].concat()),
        &["archive: `click/core.py` has 21 bytes after the end of its compressed data"],
    );
    // The footer partly in the data and partly in the true one.
    for length in 1..8 {
        entry_case(
            hide(footer[..length].to_vec()),
            &["archive: `click/core.py` has "],
        );
    }
    // A member whose CRC repeats itself, so that planted and true footer overlap: all zeros.
    entry_case(
        |entry| {
            entry.data = [raw_deflate(b""), vec![0; 5]].concat();
            let length = u32::try_from(entry.data.len()).unwrap();
            entry.both(|header| {
                (header.crc, header.size, header.compressed_size) = (0, 0, length);
            });
        },
        &["archive: `click/core.py` has 5 bytes after the end of its compressed data"],
    );
    // Honest data that happens to hold its own footer: stored blocks show their content.
    let mut text = b"some text ".to_vec();
    let crc_then_size = |text: &[u8]| {
        [
            crc32fast::hash(text).to_le_bytes(),
            u32::try_from(text.len()).unwrap().to_le_bytes(),
        ]
        .concat()
    };
    text.extend(crc_then_size(b"x"));
    let data = [&[1, 18, 0, !18, 0xff][..], &text].concat();
    let crc = crc32fast::hash(&text);
    let found = problems(&click().entry(CORE, move |entry| {
        entry.data = data.clone();
        let length = u32::try_from(data.len()).unwrap();
        entry.both(|header| {
            (header.crc, header.size, header.compressed_size) = (crc, 18, length);
        });
    }));
    assert_eq!(found.len(), 1, "only RECORD can disagree: {found:?}");
    assert!(
        found.iter().all(|found| found.starts_with("record: ")),
        "{found:?}"
    );
}

#[test]
fn entries_that_overlap() {
    case(
        &click().archive(|archive| {
            let mut copy = archive.entry_mut(CORE).clone();
            copy.central.name = b"click/more.py".to_vec();
            copy.shares_local_of = Some(1);
            archive.entries.push(copy);
        }),
        &[
            "archive: `click/core.py` begins at ",
            "archive: `click/core.py` has 0 bytes, too few for its header",
            "archive: `click/more.py` is named `click/core.py` in its local header",
            "record: `click/more.py` has no row in RECORD",
        ],
    );
    // The data of one reaches into the next.
    entry_case(
        |entry| {
            entry.both(|header| {
                header.compressed_size += 20;
                header.method = 0;
                header.size = header.compressed_size;
            });
        },
        &["archive: `click/core.py` has "],
    );
    entry_case(
        |entry| entry.offset_lie = -10,
        &[
            "archive: `click/__init__.py` has ",
            "archive: `click/core.py` has no local header at ",
        ],
    );
    case(
        &click().entry(CORE, |entry| entry.offset_lie = 100_000),
        &[
            "archive: `click/core.py` begins at ",
            "archive: `click/__init__.py` is followed by ",
            "archive: `click/core.py` has 0 bytes, too few for its header",
        ],
    );
}

#[test]
fn end_records_that_lie() {
    for change in [
        (|archive| archive.disk = 1) as fn(&mut RawArchive),
        |archive| archive.central_disk = 1,
        |archive| archive.disk_entries_lie = 1,
        |archive| archive.entries_lie = 1,
        |archive| {
            archive.disk_entries_lie = -1;
            archive.entries_lie = -1;
        },
        |archive| archive.central_size_lie = 1,
        |archive| archive.central_size_lie = -1,
        |archive| archive.central_offset_lie = 1,
        |archive| archive.central_offset_lie = -1,
        |archive| {
            archive.central_offset_lie = 1;
            archive.central_size_lie = -1;
        },
    ] {
        let found = problems(&click().archive(change));
        assert!(!found.is_empty());
        assert!(
            found.iter().all(|found| found.starts_with("archive: ")),
            "{found:?}"
        );
        // With ZIP64 records beside it that tell the truth, the 32-bit one still may not lie.
        let found = problems(&click().archive(change).archive(|archive| {
            archive.end64 = Some(RawEnd64::default());
        }));
        assert!(!found.is_empty());
    }
    // All ones leave a number to the ZIP64 record. Readers look for that record only where the number
    // of entries or the place of the directory is left to it.
    for leaves in [
        (|archive| archive.disk = u16::MAX) as fn(&mut RawArchive),
        |archive| archive.central_disk = u16::MAX,
    ] {
        for needed in [false, true] {
            let end64 = RawEnd64 {
                needed,
                ..RawEnd64::default()
            };
            let found = problems(&click().archive(leaves).archive(move |archive| {
                archive.end64 = Some(end64.clone());
            }));
            assert_eq!(found.is_empty(), needed, "{found:?}");
        }
    }
    for end64 in [
        RawEnd64 {
            entries_lie: 1,
            ..RawEnd64::default()
        },
        RawEnd64 {
            size_lie: 1,
            ..RawEnd64::default()
        },
        RawEnd64 {
            offset_lie: 1,
            ..RawEnd64::default()
        },
        RawEnd64 {
            locator_lie: 1,
            ..RawEnd64::default()
        },
        RawEnd64 {
            disk: 1,
            ..RawEnd64::default()
        },
        RawEnd64 {
            disks: 2,
            ..RawEnd64::default()
        },
        RawEnd64 {
            extensible: vec![0; 8],
            ..RawEnd64::default()
        },
    ] {
        for needed in [false, true] {
            let end64 = RawEnd64 {
                needed,
                ..end64.clone()
            };
            let found =
                problems(&click().archive(move |archive| archive.end64 = Some(end64.clone())));
            assert!(!found.is_empty());
        }
    }
    for (bytes, message) in [
        (
            &b""[..],
            "archive: is 0 bytes long, too short for a ZIP archive",
        ),
        (
            &[0; 100],
            "archive: has no end record: it is cut short, or not a ZIP archive",
        ),
    ] {
        assert_eq!(listed(&facts(bytes)), [message]);
    }
    let empty = [&b"PK\x05\x06"[..], &[0; 18]].concat();
    assert_eq!(
        listed(&facts(&empty)),
        ["archive: has no `*.dist-info` folder at its top"]
    );
}
