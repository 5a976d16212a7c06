//! Wheels: what `ipwhl_packaging::wheel::inspect` finds in good and in broken archives.

mod archive;
mod bytecode;
mod contents;
mod installers;
pub(crate) mod layout;
mod entry_points;
mod mutation;
mod second_opinion;
mod systems;

use std::io::Cursor;

use ipwhl_packaging::wheel::{ArchiveFacts, Limits, ProblemKind, inspect};

use crate::support::wheel_builder::archive::{RawEnd64, RawEntry, extra_field};
use crate::support::wheel_builder::{Compression, WheelBuilder, record_hash};

/// A small wheel that nothing is wrong with.
fn click() -> WheelBuilder {
    WheelBuilder::new("click", "8.1.7")
        .requires("colorama; platform_system == 'Windows'")
        .requires_python(">=3.7")
        .member("click/__init__.py", b"print('hello')\n")
        .member("click/core.py", vec![b'x'; 5000])
        .member("click/py.typed", b"")
}

/// What is found in a wheel. Each that passes is held to another reader, too.
fn facts(bytes: &[u8]) -> ArchiveFacts {
    let facts = inspect(&mut Cursor::new(bytes), &Limits::default()).unwrap();
    second_opinion::agrees(bytes, &facts);
    facts
}

/// The problems of a wheel, as `code: message`.
fn problems(builder: &WheelBuilder) -> Vec<String> {
    listed(&facts(&builder.build()))
}

fn listed(facts: &ArchiveFacts) -> Vec<String> {
    facts
        .problems
        .iter()
        .map(|problem| {
            let kind = match problem.kind {
                ProblemKind::InvalidArchive => "archive",
                ProblemKind::InvalidMetadata => "metadata",
                ProblemKind::RecordMismatch => "record",
            };
            format!("{kind}: {}", problem.message)
        })
        .collect()
}

#[test]
fn the_builder_is_deterministic_and_an_outside_reader_accepts_its_wheels() {
    for builder in good_wheels() {
        assert_eq!(builder.build(), builder.build());
        assert_eq!(builder.file_name(), "click-8.1.7-py3-none-any.whl");
        let python = crate::support::tool("python3");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(builder.file_name());
        std::fs::write(&path, builder.build()).unwrap();
        let program =
            "import sys, zipfile; sys.exit(zipfile.ZipFile(sys.argv[1]).testzip() is not None)";
        let status = std::process::Command::new(python)
            .args(["-I", "-c", program])
            .arg(&path)
            .status()
            .unwrap();
        assert!(status.success());
    }
}

/// The same small wheel as different writers would write it.
pub(crate) fn good_wheels() -> Vec<WheelBuilder> {
    let narrow_without_signature = |entry: &mut RawEntry| {
        entry.use_descriptor();
        entry.descriptor.as_mut().unwrap().signature = false;
    };
    let wide = |signature| {
        move |entry: &mut RawEntry| {
            entry.use_descriptor();
            let descriptor = entry.descriptor.as_mut().unwrap();
            descriptor.wide = true;
            descriptor.signature = signature;
            entry.use_local_zip64();
        }
    };
    vec![
        click(),
        click().directory_entries(),
        click().compression(Compression::Stored),
        click().data_descriptors(),
        click().data_descriptors().compression(Compression::Stored),
        click().entry("click/core.py", narrow_without_signature),
        click().entry("click/core.py", wide(true)),
        click().entry("click/core.py", wide(false)),
        click().entry("click/core.py", |entry| {
            entry.use_descriptor();
            entry.local.crc = entry.central.crc;
            entry.local.size = entry.central.size;
            entry.local.compressed_size = entry.central.compressed_size;
        }),
        click().entry("click/core.py", RawEntry::use_local_zip64),
        click().entry("click/core.py", RawEntry::use_central_zip64),
        click().entry("click/core.py", |entry| entry.wide_offset = true),
        click().entry("click/core.py", |entry| {
            entry.use_central_zip64();
            entry.wide_offset = true;
        }),
        click().archive(|archive| archive.end64 = Some(RawEnd64::default())),
        click().archive(|archive| {
            archive.end64 = Some(RawEnd64 {
                needed: true,
                ..RawEnd64::default()
            });
        }),
        click().archive(|archive| archive.reversed_central = true),
        click().member("click/naïve.py", b"x = 1\n"),
        click().entry("click/core.py", |entry| {
            // The time stamps of Info-ZIP, only in one of the headers.
            entry.local.extra = extra_field(0x5455, &[1, 0, 0, 0, 0]);
        }),
        click().member(
            "click/_vendor/tomli-2.0.dist-info/METADATA",
            b"Name: tomli\n",
        ),
        click().member("click/a,\"b\".txt", b"quoted"),
    ]
}

#[test]
fn a_good_wheel_of_any_writer_has_no_problem_and_its_facts_are_exact() {
    for (position, builder) in good_wheels().into_iter().enumerate() {
        let facts = facts(&builder.build());
        assert_eq!(listed(&facts), Vec::<String>::new(), "wheel {position}");
        assert_eq!(facts.dist_info, "click-8.1.7");
        assert_eq!(facts.metadata, builder.metadata_bytes());
        assert_eq!(facts.wheel_tags, ["py3-none-any"]);
    }
    let facts = facts(&click().build());
    assert_eq!(facts.members, 6);
    let raw = click().raw_archive();
    let sizes = raw
        .entries
        .iter()
        .map(|entry| u64::from(entry.central.size));
    assert_eq!(facts.unpacked_size, sizes.sum::<u64>());
}

#[test]
fn the_builder_names_a_wheel_as_its_tags_say() {
    let builder = WheelBuilder::new("Zope.Interface", "7.0")
        .build_number("1")
        .tag("cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64")
        .extra("docs")
        .description("Interfaces.\n");
    assert_eq!(
        builder.file_name(),
        "Zope_Interface-7.0-1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    );
    assert_eq!(
        String::from_utf8(builder.metadata_bytes()).unwrap(),
        "Metadata-Version: 2.1\nName: Zope.Interface\nVersion: 7.0\nProvides-Extra: docs\n\nInterfaces.\n"
    );
    let facts = facts(&builder.build());
    assert_eq!(listed(&facts), Vec::<String>::new());
    assert_eq!(facts.dist_info, "Zope_Interface-7.0");
    assert_eq!(
        facts.wheel_tags,
        [
            "cp312-cp312-manylinux2014_x86_64",
            "cp312-cp312-manylinux_2_17_x86_64"
        ]
    );
}

#[test]
fn facts_survive_json_with_metadata_of_any_bytes() {
    let builder = click().metadata(b"Name: click\n\n\xff\xfe\x00 not utf-8".to_vec());
    let before = facts(&builder.build());
    let text = serde_json::to_string(&before).unwrap();
    assert_eq!(serde_json::from_str::<ArchiveFacts>(&text).unwrap(), before);
    let dirty = text.replace("\"metadata\":\"", "\"metadata\":\"!");
    assert_ne!(dirty, text);
    let error = serde_json::from_str::<ArchiveFacts>(&dirty).unwrap_err();
    assert!(
        error.to_string().contains("`metadata` is not base64"),
        "{error}"
    );
}

#[test]
fn big_members_stored_and_deflated_are_read_in_pieces() {
    // Not compressible, so that the compressed data is in several pieces too.
    let mut state = 1_u64;
    let noise: Vec<u8> = (0..5_000_000)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        })
        .collect();
    for compression in [Compression::Stored, Compression::Deflate] {
        let builder = click()
            .compression(compression)
            .member("click/noise.bin", &noise)
            .member("click/zeros.bin", vec![0; 9_000_000]);
        assert_eq!(problems(&builder), Vec::<String>::new());
        let wrong = builder.edit_record(|rows| {
            for row in rows {
                if row[0] == "click/noise.bin" {
                    row[1] = record_hash(b"");
                }
            }
        });
        let found = problems(&wrong);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("record: `click/noise.bin` has the hash "),
            "{found:?}"
        );
    }
}

#[test]
fn a_reader_that_fails_is_an_error_and_not_a_problem() {
    struct Failing(Cursor<Vec<u8>>, u64);
    impl std::io::Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.1 == 0 {
                return Err(std::io::Error::other("the disk is gone"));
            }
            self.1 -= 1;
            self.0.read(buffer)
        }
    }
    impl std::io::Seek for Failing {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
            self.0.seek(to)
        }
    }
    let bytes = click().build();
    for reads in 0..4 {
        let mut reader = Failing(Cursor::new(bytes.clone()), reads);
        let error = inspect(&mut reader, &Limits::default()).unwrap_err();
        assert_eq!(error.to_string(), "the disk is gone");
    }
    let mut reader = Failing(Cursor::new(bytes), 100);
    assert!(
        inspect(&mut reader, &Limits::default())
            .unwrap()
            .problems
            .is_empty()
    );
}
