//! An archive: what is read of it has been hashed, and one that is verified is written again byte
//! for byte.
#![no_main]

use std::collections::{HashMap, HashSet};
use std::io::{Cursor, Read as _};

use ipwhl::release::archive::ReleaseArchive;
use ipwhl::release::archive::{ArchiveKind, Place, Visitor, block_set, reach, walk};
use ipwhl_unixfs::car::{Blocks as _, CarReader, CarWriter, FileReader, Incoming, Kind, Tree as _};
use ipwhl_unixfs::{BlockSink as _, Cid};
use libfuzzer_sys::fuzz_target;

type Reader<'a> = CarReader<Cursor<&'a [u8]>>;

/// The most bytes of a file that are read.
const ENOUGH: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let streamed = in_pieces(bytes);
    let Ok(reader) = CarReader::open(Cursor::new(bytes)) else {
        return;
    };
    assert_eq!(
        CarReader::root_of(Cursor::new(bytes)).ok(),
        Some(reader.root())
    );
    assert_eq!(reader.byte_length(), bytes.len() as u64);
    let cids = reader.cids();
    assert_eq!(cids.len(), reader.len());

    let mut believed = HashMap::new();
    for cid in &cids {
        if let Ok(block) = reader.require(cid) {
            assert!(cid.matches(&block), "a block that was not hashed");
            assert_eq!(reader.length_of(cid), Some(block.len()));
            believed.insert(*cid, block);
        }
    }
    // As the same archive comes in pieces, it has the same blocks in the same order, as far as they
    // are whole.
    let whole = cids.iter().take_while(|cid| believed.contains_key(cid));
    assert!(streamed.iter().map(|(cid, _)| cid).eq(whole));
    for (cid, block) in &streamed {
        assert_eq!(believed.get(cid), Some(block));
    }

    let survey = reader.survey();
    let verified = reader.verify();
    if let Ok(summary) = &verified {
        let survey = survey.as_ref().expect("what is verified can be surveyed");
        assert_eq!(survey.kind, ArchiveKind::Full);
        assert_eq!(survey.summary, *summary);
        assert_eq!(believed.len(), cids.len());
        rewrite(&reader, bytes);
    }
    if let Ok(survey) = &survey {
        assert_eq!(survey.lacking.is_empty(), verified.is_ok());
        // Nothing that is lacking is a block that the archive has in its place, and none is listed
        // twice.
        let lacking: HashSet<Cid> = survey.lacking.iter().map(|one| one.cid).collect();
        assert_eq!(lacking.len(), survey.lacking.len());
        if survey.kind == ArchiveKind::Hollow {
            hollow_again(&reader, bytes);
        }
        reader.known().expect("what is surveyed can be known");
    }
    if let (Ok(_), Ok(reached)) = (&verified, reach(&reader, reader.root())) {
        let set = block_set(&reader, &reader.root()).expect("verified");
        assert!(set.lacking.is_empty());
        // Below a small node of a wheel, which may be a leaf, nothing is looked for.
        assert!(set.cids.iter().all(|cid| reached.contains_key(cid)));
        for (cid, length) in reached {
            assert_eq!(
                reader.length_of(&cid).map(|length| length as u64),
                Some(length)
            );
        }
    }
    browse(&reader, verified.is_ok());
});

/// The blocks of an archive that comes in pieces, up to the first that is refused.
fn in_pieces(bytes: &[u8]) -> Vec<(Cid, Vec<u8>)> {
    let mut incoming = Incoming::default();
    let mut blocks: Vec<(Cid, Vec<u8>)> = Vec::new();
    let size = usize::from(bytes.last().copied().unwrap_or(1)).max(1);
    for piece in bytes.chunks(size) {
        incoming.push(piece);
        loop {
            match incoming.next_block() {
                Ok(Some((cid, block))) => {
                    assert!(cid.matches(&block), "a block that was not hashed");
                    blocks.push((cid, block));
                }
                Ok(None) => break,
                Err(_) => return blocks,
            }
        }
    }
    blocks
}

/// Writes what a walk shows, and what a hollow archive keeps.
fn rewrite(reader: &Reader<'_>, bytes: &[u8]) {
    struct Copy<'r, 'a>(&'r Reader<'a>, CarWriter<Vec<u8>>);
    impl Visitor for Copy<'_, '_> {
        fn block(&mut self, place: &Place) -> Result<Option<Vec<u8>>, ipwhl_unixfs::car::CarError> {
            self.0.require(&place.cid).map(Some)
        }
        fn visit(
            &mut self,
            place: &Place,
            block: &[u8],
            _: bool,
        ) -> Result<(), ipwhl_unixfs::car::CarError> {
            Ok(self.1.put(&place.cid, block)?)
        }
    }
    let writer = CarWriter::new(Vec::new(), reader.root()).expect("memory takes all");
    let mut copy = Copy(reader, writer);
    walk(reader.root(), &mut copy).expect("what is verified can be walked");
    let (written, summary) = copy.1.finish().expect("the root was put");
    assert_eq!(summary.blocks, reader.len() as u64);
    assert!(written == bytes, "an archive that is written otherwise");

    let (hollow, _) = reader.hollow(Vec::new()).expect("what is verified has all");
    let of_hollow = CarReader::open(Cursor::new(&hollow[..])).expect("it was written here");
    let survey = of_hollow.survey().expect("it was written here");
    // Without a wheel's leaf in it, a hollow archive is the full one.
    assert!(survey.kind == ArchiveKind::Hollow || hollow == bytes);
    assert_eq!(of_hollow.known().ok(), reader.known().ok());
}

/// A hollow archive's own hollow archive is itself.
fn hollow_again(reader: &Reader<'_>, bytes: &[u8]) {
    let (hollow, _) = reader.hollow(Vec::new()).expect("it lacks nothing else");
    assert!(
        hollow == bytes,
        "a hollow archive that is written otherwise"
    );
}

/// Lists folders and reads files, from the root down, as a server would.
fn browse(reader: &Reader<'_>, is_verified: bool) {
    let mut pending = vec![(reader.root(), 0)];
    let mut seen = HashSet::new();
    while let Some((cid, depth)) = pending.pop() {
        if depth == 4 || !seen.insert(cid) || seen.len() > 64 {
            continue;
        }
        let Ok(found) = reader.found(&cid) else {
            assert!(!is_verified);
            continue;
        };
        match found.kind {
            Kind::File { size } => {
                let whole = FileReader::read_whole(reader, &cid, ENOUGH);
                assert!(whole.is_ok() || !is_verified || size > ENOUGH);
                let mut by_stream = Vec::new();
                if let Ok(file) = FileReader::open(reader, &cid) {
                    assert_eq!(file.size(), size);
                    let read = file.take(ENOUGH).read_to_end(&mut by_stream);
                    if let Ok(whole) = whole {
                        assert!(read.is_ok());
                        assert_eq!(whole.len() as u64, size);
                        assert!(by_stream == whole);
                    }
                }
            }
            Kind::Directory => {
                // A shard that is reached by its own CID is no folder's root.
                let Ok(Some(entries)) = reader.list(&cid) else {
                    continue;
                };
                assert!(entries.is_sorted_by(|one, other| one.name < other.name));
                for entry in entries {
                    let found = reader.entry(&cid, &entry.name).expect("it was listed");
                    assert_eq!(found, Some(entry.link.cid));
                    pending.push((entry.link.cid, depth + 1));
                }
            }
        }
    }
}
