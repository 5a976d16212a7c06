//! A DAG over a made-up block store. Every block has the CID of its bytes, so what is wrong is what
//! nodes say of each other: sizes, slots, folders and files in each other's place, the same block a
//! million times.
#![no_main]

use std::collections::HashSet;
use std::io::{Read as _, Seek as _, SeekFrom};

use ipwhl::release::archive::{Place, Visitor, block_set, reach, walk};
use ipwhl::release::reader::ReleaseReader;
use ipwhl_fuzz::node::{RawData, RawLink, bitfield, block};
use ipwhl_fuzz::store::Store;
use ipwhl_unixfs::car::{
    Blocks, CarError, FileCursor, FileReader, Kind, MAX_DEPTH, Tree as _, file_dag,
};
use ipwhl_unixfs::{Cid, Codec, HASH_LENGTH, Profile, name_hash};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

/// The most bytes of a file that are read.
const ENOUGH: u64 = 1 << 16;
/// The largest size of a file that a page may say.
const LARGEST: u64 = 1 << 34;
/// The most blocks of one made-up store.
const BLOCKS: usize = 48;

const NAMES: [&str; 10] = [
    "",
    "a",
    "b",
    "index.html",
    "index.v1_json",
    "x-1-py3-none-any.whl",
    "x-1-py3-none-any.whl.metadata",
    "declaration.toml",
    "_ipwhl",
    "..",
];

/// A store, and the last block that was put into it. Blocks link to those before them.
fn store(input: &mut Unstructured<'_>) -> Result<(Store, Cid)> {
    let mut store = Store::default();
    let mut made: Vec<(Cid, u64, u64)> = Vec::new();
    while !input.is_empty() && made.len() < BLOCKS {
        let kind = input.int_in_range(0..=7)?;
        let (codec, bytes, size) = match kind {
            0 => {
                let length = input.int_in_range(0..=40)?;
                let bytes = input.bytes(length.min(input.len()))?.to_vec();
                let size = bytes.len() as u64;
                (Codec::Raw, bytes, size)
            }
            1 => (Codec::DagPb, input.bytes(input.len().min(60))?.to_vec(), 0),
            _ => {
                let (bytes, size) = node(kind, &made, input)?;
                (Codec::DagPb, bytes, size)
            }
        };
        let cumulative = bytes.len() as u64;
        let cid = store.insert(input.arbitrary()?, codec, bytes);
        made.push((cid, size, cumulative));
    }
    let (root, ..) = *made
        .last()
        .ok_or(libfuzzer_sys::arbitrary::Error::NotEnoughData)?;
    Ok((store, root))
}

/// A node that links to blocks that were made before it, and says the truth of them nearly always.
fn node(
    kind: u8,
    made: &[(Cid, u64, u64)],
    input: &mut Unstructured<'_>,
) -> Result<(Vec<u8>, u64)> {
    let mut links = Vec::new();
    let mut data = RawData::default();
    let count = if made.is_empty() {
        0
    } else {
        input.int_in_range(0..=20)?
    };
    let mut slots = Vec::new();
    let mut total = 0_u64;
    for _ in 0..count {
        let (cid, size, cumulative) = *input.choose(made)?;
        let name = name(input)?;
        let lie = if input.ratio(1, 16)? {
            input.arbitrary()?
        } else {
            0_u64
        };
        let size = size ^ lie;
        total = total.saturating_add(size);
        data.block_sizes.push(size);
        slots.push(if input.ratio(1, 4)? {
            input.arbitrary()?
        } else {
            name_hash(&name)[input.int_in_range(0..=2_usize)?]
        });
        links.push(RawLink {
            cid,
            name,
            cumulative_size: cumulative.wrapping_add(lie),
        });
    }
    match kind {
        2 | 3 => {
            data.kind = 2;
            for link in &mut links {
                link.name.clear();
            }
            if links.is_empty() {
                let length = input.int_in_range(0..=40)?;
                let bytes = input.bytes(length.min(input.len()))?.to_vec();
                total = bytes.len() as u64;
                data.bytes = (!bytes.is_empty()).then_some(bytes);
            }
            data.file_size = Some(total);
        }
        4 | 5 => {
            data.kind = 1;
            data.block_sizes.clear();
            links.sort_by(|one, other| one.name.cmp(&other.name));
            links.dedup_by(|one, other| one.name == other.name);
        }
        _ => {
            data.kind = 5;
            data.block_sizes.clear();
            let mut slotted: Vec<(u8, RawLink)> = slots.into_iter().zip(links).collect();
            slotted.sort_by_key(|(slot, _)| *slot);
            slotted.dedup_by_key(|(slot, _)| *slot);
            data.bytes = Some(bitfield(slotted.iter().map(|(slot, _)| *slot)));
            data.hash_type = Some(0x22);
            data.fanout = Some(256);
            links = slotted
                .into_iter()
                .map(|(slot, link)| RawLink {
                    name: format!("{slot:02X}{}", link.name),
                    ..link
                })
                .collect();
        }
    }
    Ok((block(&links, &data), total))
}

fn name(input: &mut Unstructured<'_>) -> Result<String> {
    Ok(match input.int_in_range(0..=2)? {
        0 => (*input.choose(&NAMES)?).to_owned(),
        1 => format!("n{}", input.arbitrary::<u8>()?),
        _ => String::new(),
    })
}

/// Counts what is shown, and reads from the store.
struct Shown<'s> {
    store: &'s Store,
    visits: u64,
    bytes: HashSet<Cid>,
}

impl Visitor for Shown<'_> {
    fn block(&mut self, place: &Place) -> std::result::Result<Option<Vec<u8>>, CarError> {
        self.store.require(&place.cid).map(Some)
    }

    fn visit(&mut self, place: &Place, block: &[u8], _: bool) -> std::result::Result<(), CarError> {
        assert!(place.cid.matches(block));
        self.visits += 1;
        self.bytes.insert(place.cid);
        Ok(())
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok((store, root)) = store(&mut Unstructured::new(bytes)) else {
        return;
    };
    let blocks = store.len() as u64;

    // A node is shown once for each depth of folders that matters, of a wheel and not: not once for
    // each way to it.
    let mut shown = Shown {
        store: &store,
        visits: 0,
        bytes: HashSet::new(),
    };
    let walked = walk(root, &mut shown);
    assert!(
        shown.visits <= 8 * blocks,
        "{} visits of {blocks} blocks",
        shown.visits
    );
    let walked = walked.is_ok().then_some(shown.bytes);
    store.reads();

    let known = block_set(&store, &root);
    assert!(store.reads() <= 4 * blocks, "block_set reads too much");
    let reached = reach(&store, root);
    assert!(store.reads() <= 2 * blocks, "reach reads too much");
    if let (Some(walked), Ok(known)) = (&walked, &known) {
        // Below a small node of a wheel, which may be a leaf, nothing is looked for.
        assert!(known.cids.is_subset(walked));
    }
    if let (Some(walked), Ok(reached)) = (&walked, &reached) {
        assert!(reached.len() <= walked.len());
    }

    let found = store.found(&root);
    store.reads();
    match found.map(|found| found.kind) {
        Ok(Kind::File { size }) => file(&store, &root, size, bytes),
        Ok(Kind::Directory) => folder(&store, &root),
        Err(_) => {}
    }
});

fn file(store: &Store, cid: &Cid, size: u64, bytes: &[u8]) {
    let blocks = store.len() as u64;
    let whole = FileReader::read_whole(store, cid, ENOUGH);
    // Each byte that is given costs its leaf and the nodes above it, at worst.
    let given = whole.as_ref().map_or(ENOUGH, |whole| whole.len() as u64);
    let most = (given.min(ENOUGH) + 2) * blocks.min(MAX_DEPTH as u64) + 2;
    assert!(store.reads() <= most, "a file reads too much");
    if let Ok(whole) = &whole {
        assert_eq!(whole.len() as u64, size);
    }

    // A range is a part of the whole, wherever it begins.
    let at = bytes
        .iter()
        .fold(0_u64, |sum, byte| sum * 31 % 65_521 + u64::from(*byte));
    let (start, end) = (
        at % size.saturating_add(2),
        at % size.saturating_add(2) + at % 97,
    );
    let mut cursor = FileCursor::new(*cid, size, start..end);
    let mut part = Vec::new();
    while part.len() < 1 << 16 {
        let left = cursor.left();
        match cursor.next_chunk(store) {
            Ok(Some(chunk)) => {
                assert!(!chunk.is_empty());
                assert_eq!(left - cursor.left(), chunk.len() as u64);
                part.extend(chunk);
            }
            Ok(None) => {
                assert_eq!(cursor.left(), 0, "a range ends early");
                break;
            }
            Err(_) => break,
        }
    }
    if let (Ok(whole), 0) = (&whole, cursor.left()) {
        let clamp = |place: u64| usize::try_from(place.min(size)).expect("a small file");
        assert!(part == whole[clamp(start)..clamp(end).max(clamp(start))]);
        let mut stream = FileReader::open(store, cid).expect("it was read");
        stream
            .seek(SeekFrom::Start(start))
            .expect("any place is one");
        let mut again = vec![0; part.len()];
        stream.read_exact(&mut again).expect("it was read");
        assert!(again == part);
    }
    store.reads();

    for profile in Profile::ALL {
        // The size is the caller's word, and may be any that a page says.
        for size in [size, at, size.saturating_add(at << 30)] {
            if let Ok(Some(dag)) = file_dag(store, cid, size.min(LARGEST), profile) {
                assert_eq!(dag.cid(), *cid);
                assert_eq!(dag.size(), size.min(LARGEST));
            }
        }
    }
}

fn folder(store: &Store, cid: &Cid) {
    let blocks = store.len() as u64;
    let listed = store.list(cid);
    // No inner shard can be gathered twice without an error, which comes at the first name below
    // it.
    assert!(
        store.reads() <= blocks + HASH_LENGTH as u64 + 2,
        "a folder reads too much"
    );
    if let Ok(Some(entries)) = &listed {
        assert!(entries.is_sorted_by(|one, other| one.name <= other.name));
        for entry in entries {
            assert_eq!(
                store.entry(cid, &entry.name).expect("it was listed"),
                Some(entry.link.cid)
            );
            assert!(store.reads() <= 8, "a name reads too much");
            assert!(!entry.name.is_empty() && !entry.name.contains('/'));
        }
        let _ = store.resolve(cid, "a/../b/index.html");
    }
    for name in NAMES {
        let found = store.entry(cid, name);
        if let (Ok(Some(entries)), Ok(found)) = (&listed, found) {
            let entry = entries.iter().find(|entry| entry.name == name);
            assert_eq!(entry.map(|entry| entry.link.cid), found);
        }
    }
    store.reads();

    let Ok(release) = ReleaseReader::open(store, cid) else {
        return;
    };
    let _ = release.about();
    for name in release.projects().keys() {
        let _ = release.project(name);
    }
    let _ = release.embedded_repository(std::path::Path::new("/nowhere"), "declarations");
}
