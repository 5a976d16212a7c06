//! The crate `zip` as the other side: what it writes passes, and what passes it reads in the same
//! way.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write};

use ipwhl_packaging::wheel::{ArchiveFacts, Limits, ProblemKind, members};
use sha2::{Digest as _, Sha256};
use zip::result::ZipError;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::layout::odd_wheels;
use super::{click, facts, good_wheels, listed};

/// What the library refuses and passes here, each with its reason.
const DIFFERENCES: [&str; 3] = [
    // When a member was changed is no fact of a wheel: installers give files the time at which they
    // write them. pip and uv install wheels with a damaged field of times, in either header.
    "last modified time mismatch",
    "xtended timestamp",
    // Such a field has to repeat the name of its header here, so one in one of the headers only
    // says nothing new.
    "UnicodePath (0x7075) extra field mismatch",
];

/// The members of an archive by their names, as the library has them: headers that contradict each
/// other, overlap, or are not listed are errors. `None` if it does not open one for a reason that
/// is no fact here.
fn members_by_zip(bytes: &[u8]) -> zip::result::ZipResult<Option<BTreeMap<String, Vec<u8>>>> {
    let is_known = |error: &ZipError| {
        let reason = error.to_string();
        DIFFERENCES.iter().any(|known| reason.contains(known))
    };
    let mut archive = match ZipArchive::new(Cursor::new(bytes)) {
        Err(error) if is_known(&error) => return Ok(None),
        opened => opened?,
    };
    match archive.validate_header_consistency() {
        Err(error) if !is_known(&error) => return Err(error),
        _ => {}
    }
    let mut members = BTreeMap::new();
    for index in 0..archive.len() {
        let mut member = archive.by_index(index)?;
        let mut content = Vec::new();
        member.read_to_end(&mut content)?;
        assert!(
            members
                .insert(member.name()?.into_owned(), content)
                .is_none()
        );
    }
    Ok(Some(members))
}

/// Holds an archive with which nothing is wrong to the library, which has to read it, and the same
/// out of it. So whatever its strict checks refuse is refused here.
#[track_caller]
pub(super) fn agrees(bytes: &[u8], facts: &ArchiveFacts) {
    let is_refused = facts
        .problems
        .iter()
        .any(|problem| problem.kind == ProblemKind::InvalidArchive);
    if is_refused {
        return;
    }
    let Some(theirs) = members_by_zip(bytes).unwrap() else {
        return;
    };
    assert_eq!(theirs.len() as u64, facts.members);
    let ours = members(&mut Cursor::new(bytes), &Limits::default());
    let ours: BTreeMap<_, _> = ours
        .unwrap()
        .unwrap()
        .members
        .into_iter()
        .map(|member| (member.name, (member.size, member.sha256)))
        .collect();
    let theirs: BTreeMap<_, _> = theirs
        .into_iter()
        .filter(|(name, _)| !name.ends_with('/'))
        .map(|(name, content)| {
            let digest: [u8; 32] = Sha256::digest(&content).into();
            (name, (content.len() as u64, digest))
        })
        .collect();
    assert_eq!(ours, theirs);
}

#[test]
fn what_passes_is_read_in_the_same_way() {
    for builder in good_wheels().into_iter().chain(odd_wheels()) {
        let bytes = builder.build();
        agrees(&bytes, &facts(&bytes));
    }
}

fn write<W: Write + std::io::Seek>(
    mut archive: ZipWriter<W>,
    files: &[(String, Vec<u8>)],
    options: SimpleFileOptions,
) -> W {
    for (name, content) in files {
        if name.ends_with('/') {
            archive.add_directory(name, options).unwrap();
        } else {
            archive.start_file(name, options).unwrap();
            archive.write_all(content).unwrap();
        }
    }
    archive.finish().unwrap()
}

#[test]
fn wheels_that_it_writes_pass() {
    let plain = SimpleFileOptions::default();
    for builder in [
        click(),
        click().directory_entries(),
        click().member("click/naïve.py", b"x = 1\n"),
    ] {
        let expected = facts(&builder.build());
        let files = builder.files();
        for options in [
            plain,
            plain.compression_method(CompressionMethod::Stored),
            plain.compression_method(CompressionMethod::Deflated),
            plain.unix_permissions(0o755),
            plain.large_file(true),
        ] {
            let bytes = write(ZipWriter::new(Cursor::new(Vec::new())), &files, options);
            let found = facts(bytes.get_ref());
            assert_eq!(listed(&found), Vec::<String>::new(), "{options:?}");
            assert_eq!(found, expected);
            let stream = ZipWriter::new_stream(Vec::new());
            let bytes: StreamWriter<Vec<u8>> = write(stream, &files, options);
            let found = facts(&bytes.into_inner());
            assert_eq!(
                listed(&found),
                Vec::<String>::new(),
                "streamed, {options:?}"
            );
            assert_eq!(found, expected);
        }
    }
}
