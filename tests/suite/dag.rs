//! CIDs, files and folders under each profile, against vectors of other implementations.

use std::io::{self, Cursor, Read};
use std::num::NonZeroUsize;

use ipwhl::dag::{
    BlockSink, Cid, CidError, Codec, DirectoryDag, DirectoryEntry, DirectoryError, FileDag,
    FileHasher, LeafHasher, Link, Node, Profile, Sha256Digest, ShardEntry, Version, decode,
    hash_files, name_hash, symlink,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// The bytes that Kubo's own tests use: the `ChaCha20` key stream whose key is the SHA-256 of a seed
/// and whose nonce is zero (kubo `test/cli/testutils/random_deterministic.go`).
pub struct Seeded {
    generator: ChaCha20Rng,
    /// The generator throws away what is left of a word.
    word: Vec<u8>,
}

impl Seeded {
    pub fn new(seed: &str) -> Self {
        Self {
            generator: ChaCha20Rng::from_seed(*Sha256Digest::of(seed.as_bytes()).as_bytes()),
            word: Vec::new(),
        }
    }

    pub fn fill(&mut self, buffer: &mut [u8]) {
        let (left, buffer) = buffer.split_at_mut(self.word.len().min(buffer.len()));
        let later = self.word.split_off(left.len());
        left.copy_from_slice(&self.word);
        self.word = later;
        let (words, rest) = buffer.split_at_mut(buffer.len() / 4 * 4);
        self.generator.fill_bytes(words);
        if !rest.is_empty() {
            let word = self.generator.next_u32().to_le_bytes();
            let (now, later) = word.split_at(rest.len());
            rest.copy_from_slice(now);
            self.word = later.to_vec();
        }
    }

    pub fn bytes(seed: &str, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        Self::new(seed).fill(&mut bytes);
        bytes
    }
}

/// Every block that was put, in order.
#[derive(Default)]
pub struct Blocks(pub Vec<(Cid, Vec<u8>)>);

impl BlockSink for Blocks {
    fn put(&mut self, cid: &Cid, bytes: &[u8]) -> io::Result<()> {
        assert!(cid.matches(bytes), "{cid} is not the CID of its block");
        self.0.push((*cid, bytes.to_vec()));
        Ok(())
    }
}

pub fn file_dag(profile: Profile, bytes: &[u8]) -> FileDag {
    let mut hasher = FileHasher::new(profile);
    // Pieces that fit no boundary.
    for piece in bytes.chunks(100_003) {
        hasher.update(piece);
    }
    let (dag, digest) = hasher.finish();
    assert_eq!(digest, Sha256Digest::of(bytes));
    dag
}

fn cid(text: &str) -> Cid {
    text.parse().unwrap()
}

// ---- IPIP-499's vectors. The recipes are those of kubo v0.43.0, test/cli/cid_profiles_test.go. ----

#[test]
fn ipip_499_small_file() {
    for (profile, expected) in [
        (
            Profile::UnixfsV0_2015,
            "Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD",
        ),
        (
            Profile::UnixfsV1_2025,
            "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e",
        ),
    ] {
        assert_eq!(
            file_dag(profile, b"hello world").cid().to_string(),
            expected
        );
    }
}

#[test]
fn ipip_499_file_at_and_over_the_chunk_size() {
    for (profile, seed, at, over) in [
        (
            Profile::UnixfsV0_2015,
            "chunk-v0-seed",
            "QmWmRj3dFDZdb6ABvbmKhEL6TmPbAfBZ1t5BxsEyJrcZhE",
            "QmYyLxtzZyW22zpoVAtKANLRHpDjZtNeDjQdJrcQNWoRkJ",
        ),
        (
            Profile::UnixfsV1_2025,
            "chunk-v1-seed",
            "bafkreiacndfy443ter6qr2tmbbdhadvxxheowwf75s6zehscklu6ezxmta",
            "bafybeigmix7t42i6jacydtquhet7srwvgpizfg7gjbq7627d35mjomtu64",
        ),
    ] {
        let bytes = Seeded::bytes(seed, profile.chunk_size() + 1);
        let full = &bytes[..profile.chunk_size()];
        assert_eq!(file_dag(profile, full).cid().to_string(), at);
        assert_eq!(file_dag(profile, &bytes).cid().to_string(), over);
    }
}

/// 44 544 KiB and a byte under the one, 1 GiB and a byte under the other.
#[test]
fn ipip_499_file_at_and_over_the_most_links() {
    for (profile, seed, at, over) in [
        (
            Profile::UnixfsV0_2015,
            "v0-seed",
            "QmUbBALi174SnogsUzLpYbD4xPiBSFANF4iztWCsHbMKh2",
            "QmV81WL765sC8DXsRhE5fJv2rwhS4icHRaf3J9Zk5FdRnW",
        ),
        (
            Profile::UnixfsV1_2025,
            "v1-2025-seed",
            "bafybeihmf37wcuvtx4hpu7he5zl5qaf2ineo2lqlfrapokkm5zzw7zyhvm",
            "bafybeibdsi225ugbkmpbdohnxioyab6jsqrmkts3twhpvfnzp77xtzpyhe",
        ),
    ] {
        let mut stream = Seeded::new(seed);
        let mut hasher = LeafHasher::new(profile);
        let mut buffer = vec![0; profile.chunk_size()];
        for _ in 0..profile.width() {
            stream.fill(&mut buffer);
            hasher.update(&buffer);
        }
        let full = hasher.clone().finish();
        assert_eq!(full.cid().to_string(), at);
        stream.fill(&mut buffer[..1]);
        hasher.update(&buffer[..1]);
        assert_eq!(hasher.finish().cid().to_string(), over);
    }
}

/// What the text lists beside them: a whole chunk more than fits one level.
#[test]
fn ipip_499_file_of_a_whole_chunk_more() {
    let profile = Profile::UnixfsV0_2015;
    let bytes = Seeded::bytes("v0-seed", 44_800 * 1024);
    let dag = file_dag(profile, &bytes);
    assert_eq!(
        dag.cid().to_string(),
        "QmepeWtdmS1hHXx1oZXsPUv6bMrfRRKfZcoPPU4eEfjnbf"
    );
}

/// Names of letters that are easy to read, from the seeded stream; each file is `x`.
fn vector_directory(
    profile: Profile,
    seed: &str,
    count: usize,
    name: usize,
    last: usize,
) -> DirectoryDag {
    const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz01234567890-_";
    let link = file_dag(profile, b"x").link();
    let mut stream = Seeded::new(seed);
    let entries = (0..count)
        .map(|index| {
            let mut letters = vec![0; if index + 1 == count { last } else { name }];
            stream.fill(&mut letters);
            let name = letters
                .iter()
                .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
                .collect();
            DirectoryEntry { name, link }
        })
        .collect();
    DirectoryDag::build(profile, entries).unwrap()
}

#[test]
fn ipip_499_directory_at_and_over_the_threshold() {
    for (profile, seed, at, over) in [
        (
            Profile::UnixfsV0_2015,
            "hamt-unixfs-v0-2015",
            (
                4096,
                30,
                30,
                "QmX5GtRk3TSSEHtdrykgqm4eqMEn3n2XhfkFAis5fjyZmN",
            ),
            (
                4033,
                31,
                31,
                "QmeMiJzmhpJAUgynAcxTQYek5PPKgdv3qEvFsdV3XpVnvP",
            ),
        ),
        (
            Profile::UnixfsV1_2025,
            "hamt-unixfs-v1-2025",
            (
                4766,
                11,
                21,
                "bafybeic3h7rwruealwxkacabdy45jivq2crwz6bufb5ljwupn36gicplx4",
            ),
            (
                4766,
                11,
                22,
                "bafybeiegvuterwurhdtkikfhbxcldohmxp566vpjdofhzmnhv6o4freidu",
            ),
        ),
    ] {
        let (count, name, last, expected) = at;
        let plain = vector_directory(profile, seed, count, name, last);
        assert_eq!(plain.cid().to_string(), expected);
        assert!(!plain.is_sharded());
        let (count, name, last, expected) = over;
        let sharded = vector_directory(profile, seed, count, name, last);
        assert_eq!(sharded.cid().to_string(), expected);
        assert!(sharded.is_sharded());
    }
}
