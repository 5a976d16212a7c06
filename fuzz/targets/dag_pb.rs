//! One dag-pb block: it is refused, or it is the one way to write its node.
#![no_main]

use ipwhl_fuzz::node::encoded;
use ipwhl_unixfs::{
    BlockSink, Cid, Codec, DirectoryDag, MAX_LINKS, Node, Profile, Sha256Digest, ShardEntry, decode,
};
use libfuzzer_sys::fuzz_target;

struct Emitted(Vec<Vec<u8>>);

impl BlockSink for Emitted {
    fn put(&mut self, _: &Cid, bytes: &[u8]) -> std::io::Result<()> {
        self.0.push(bytes.to_vec());
        Ok(())
    }
}

fuzz_target!(|block: &[u8]| {
    let digest = Sha256Digest::of(block);
    let raw = Cid::v1(Codec::Raw, digest);
    assert_eq!(decode(&raw, block), Ok(Node::Raw(block)));

    let cid = Cid::v1(Codec::DagPb, digest);
    let Ok(node) = decode(&cid, block) else {
        return;
    };
    // The version of the CID says nothing about the block.
    assert_eq!(decode(&Cid::v0(digest), block).as_ref(), Ok(&node));
    let links = node.links();
    assert!(links.len() <= MAX_LINKS);

    let again = encoded(&node).expect("a dag-pb block is no raw leaf");
    assert_eq!(
        decode(&cid, &again).as_ref(),
        Ok(&node),
        "another node when written again"
    );
    assert_eq!(again, block, "two blocks are one node");

    match node {
        Node::Raw(_) => unreachable!("a dag-pb block is no raw leaf"),
        Node::File { size, data, parts } => {
            assert!(data.is_empty() || parts.is_empty());
            let parts: u64 = parts.iter().map(|part| part.size).sum();
            assert_eq!(parts + data.len() as u64, size);
        }
        Node::Directory { entries } => {
            assert!(entries.windows(2).all(|pair| pair[0].name < pair[1].name));
            for profile in Profile::ALL {
                let Ok(dag) = DirectoryDag::build(profile, entries.clone()) else {
                    panic!("a folder that was read cannot be made");
                };
                let mut out = Emitted(Vec::new());
                dag.emit(&mut out, &mut |_, _| Ok(()))
                    .expect("memory takes all");
                assert!(dag.is_sharded() || out.0 == [block]);
            }
        }
        Node::Shard { entries } => {
            assert!(
                entries
                    .windows(2)
                    .all(|pair| pair[0].slot() < pair[1].slot())
            );
            for entry in entries {
                if let ShardEntry::Entry { entry, .. } = entry {
                    assert!(!entry.name.is_empty() && !entry.name.contains(['/', '\0']));
                }
            }
        }
    }
});
