//! CIDs, files and folders under each profile, against vectors of other implementations.

use std::cell::Cell;
use std::io::{self, Cursor};
use std::num::NonZeroUsize;

use ipwhl_unixfs::{
    BlockSink, Cid, CidError, Codec, DirectoryDag, DirectoryEntry, DirectoryError, FileDag,
    FileHasher, LeafHasher, Link, Node, Profile, Sha256Digest, ShardEntry, Version, decode,
    hash_files, name_hash, symlink, symlink_target,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use crate::support::strategies::{cases, damaged, hold};

/// The bytes that Kubo's own tests use: the `ChaCha20` key stream whose key is the SHA-256 of a
/// seed and whose nonce is zero (kubo `test/cli/testutils/random_deterministic.go`).
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

/// What IPIP-499's own text has in place of the byte more: a whole chunk more than fits one level.
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

// ---- CIDs ----

/// Empty file and empty folder as every IPFS implementation knows them.
#[test]
fn well_known_cids() {
    let empty_file = |profile| file_dag(profile, b"").cid().to_string();
    let empty_folder = |profile| {
        let folder = DirectoryDag::build(profile, Vec::new()).unwrap();
        folder.cid().to_string()
    };
    let folder_v1 = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";
    let file_v1 = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";
    assert_eq!(empty_file(Profile::UnixfsV1_2025), file_v1);
    assert_eq!(empty_file(Profile::KuboCidV1), file_v1);
    assert_eq!(
        empty_file(Profile::UnixfsV0_2015),
        "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH"
    );
    assert_eq!(empty_folder(Profile::UnixfsV1_2025), folder_v1);
    assert_eq!(empty_folder(Profile::KuboCidV1), folder_v1);
    assert_eq!(
        empty_folder(Profile::UnixfsV0_2015),
        "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"
    );
}

#[test]
fn cids_are_read_and_written_in_one_way() {
    let digest = Sha256Digest::of(b"a block");
    for cid in [
        Cid::v0(digest),
        Cid::v1(Codec::Raw, digest),
        Cid::v1(Codec::DagPb, digest),
    ] {
        let text = cid.to_string();
        assert_eq!(text.parse(), Ok(cid));
        assert_eq!(Cid::from_bytes(&cid.to_bytes()), Ok(cid));
        assert_eq!(cid.to_bytes().len(), cid.byte_length());
        let json = serde_json::to_string(&cid).unwrap();
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<Cid>(&json).unwrap(), cid);
        let mut followed = cid.to_bytes();
        followed.extend(b"rest");
        assert_eq!(Cid::read(&followed), Ok((cid, &b"rest"[..])));
        assert_eq!(Cid::from_bytes(&followed), Err(CidError::Length));
        for length in 0..cid.byte_length() {
            assert!(Cid::from_bytes(&cid.to_bytes()[..length]).is_err());
            assert!(text[..length].parse::<Cid>().is_err());
        }
    }
    assert_eq!(Cid::v0(digest).version(), Version::V0);
    assert!(Cid::v0(digest).matches(b"a block"));
    assert!(!Cid::v0(digest).matches(b"another"));
}

/// `ipfs cid format -b BASE` of each.
#[test]
fn a_cid_can_be_written_in_any_base() {
    let cid = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";
    let expected: Cid = cid.parse().unwrap();
    for text in [
        cid,
        "f0170122059948439065f29619ef41280cbb932be52c56d99c5966b65e0111239f098bbef",
        "F0170122059948439065F29619EF41280CBB932BE52C56D99C5966B65E0111239F098BBEF",
        "BAFYBEICZSSCDSBS7FFQZ55ASQDF3SMV6KLCW3GOFSZVWLYARCI47BGF354",
        "cafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354======",
        "CAFYBEICZSSCDSBS7FFQZ55ASQDF3SMV6KLCW3GOFSZVWLYARCI47BGF354======",
        "v05o1482pii23i1iv55gptt0ig35ricluab2mr6e5iplmbo0h28sv165rts",
        "V05O1482PII23I1IV55GPTT0IG35RICLUAB2MR6E5IPLMBO0H28SV165RTS",
        "t05o1482pii23i1iv55gptt0ig35ricluab2mr6e5iplmbo0h28sv165rts======",
        "k2jmtxtlhjl3fhmgndf92e48by79ryjuvqp3y2qgehpao6v3lurvnmcv",
        "K2JMTXTLHJL3FHMGNDF92E48BY79RYJUVQP3Y2QGEHPAO6V3LURVNMCV",
        "zdj7WbTaiJT1fgatdet9Ei9iDB5hdCxkbVyhyh8YTUnXMiwYi",
        "ZCJ7vAszHis1EFzTCDT9eH9Hdb5GCcXKAuYGYG8xstMwmHWxH",
        "mAXASIFmUhDkGXylhnvQSgMu5Mr5SxW2ZxZZrZeAREjnwmLvv",
        "MAXASIFmUhDkGXylhnvQSgMu5Mr5SxW2ZxZZrZeAREjnwmLvv",
        "uAXASIFmUhDkGXylhnvQSgMu5Mr5SxW2ZxZZrZeAREjnwmLvv",
        "UAXASIFmUhDkGXylhnvQSgMu5Mr5SxW2ZxZZrZeAREjnwmLvv",
    ] {
        assert_eq!(Cid::from_any_base(text), Ok(expected), "{text}");
        // Files hold one text for one CID.
        assert_eq!(text.parse::<Cid>().is_ok(), text == cid, "{text}");
        for length in 0..text.len() {
            let cut = Cid::from_any_base(&text[..length]);
            // What is cut may be padding only.
            assert!(
                cut.is_err() || text[length..].starts_with('='),
                "{text}: {length}"
            );
        }
    }
    let v0 = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn";
    for text in [v0, &format!("z{v0}")] {
        assert_eq!(Cid::from_any_base(text), Ok(Cid::v0(expected.digest())));
    }
    for (text, error) in [
        ("", CidError::Empty),
        ("é", CidError::Base('é')),
        ("0", CidError::Base('0')),
        ("k", CidError::Length),
        ("k-", CidError::Text),
        ("kz", CidError::Version(35)),
        ("f0", CidError::Text),
        ("f00", CidError::Version(0)),
        (&format!("k{}", "z".repeat(200)), CidError::Length),
    ] {
        assert_eq!(Cid::from_any_base(text), Err(error), "{text}");
    }
}

#[test]
fn what_is_no_cid_is_refused_with_its_reason() {
    let good = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
    for (text, expected) in [
        ("", CidError::Empty),
        ("zdj7W", CidError::Multibase('z')),
        ("é", CidError::Multibase('é')),
        ("Qm", CidError::Length),
        (
            "Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyf0",
            CidError::Text,
        ),
        (
            "Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyf",
            CidError::Length,
        ),
        (&good.to_uppercase().replacen('B', "b", 1), CidError::Text),
        (&format!("{good}="), CidError::Text),
        (&format!("{good}a"), CidError::Text),
        (
            "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5f",
            CidError::Text,
        ),
        // dag-cbor, and blake2b-256's first byte
        (
            "bafyreigaknpexyvxt76zgkitavbwx6ejgfheup5oybpm77f3pxzrvwpfdi",
            CidError::Codec(0x71),
        ),
        (
            "bafk2bzacea73ycjnxe2qov7cvnhx52lzfp6nf5jcblnfus6gqreh6ygganbws",
            CidError::Hash(0xa0),
        ),
        // version 2, and a bare multihash in base32
        ("baiaa", CidError::Version(2)),
        (&"b".repeat(10_000), CidError::Length),
    ] {
        assert_eq!(text.parse::<Cid>(), Err(expected), "{text}");
    }
    let bare = data_encoding::BASE32_NOPAD
        .encode(&Cid::v0(Sha256Digest::of(b"")).to_bytes())
        .to_lowercase();
    assert_eq!(
        format!("b{bare}").parse::<Cid>(),
        Err(CidError::Version(0x12))
    );
}

/// The crate `cid` reads all of these.
#[test]
fn what_the_library_takes_for_a_cid_is_held_to_more() {
    let good = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
    for around in ["/ipfs/", "https://example.org/ipfs/", "ipfs://ipfs/"] {
        let text = format!("{around}{good}");
        assert!(text.parse::<Cid>().is_err(), "{text}");
        assert!(Cid::from_any_base(&text).is_err(), "{text}");
    }
    let bytes = good.parse::<Cid>().unwrap().to_bytes();
    let followed = data_encoding::BASE32_NOPAD
        .encode(&[&bytes[..], b"rest"].concat())
        .to_lowercase();
    assert_eq!(format!("b{followed}").parse::<Cid>(), Err(CidError::Length));
    let digest = &bytes[4..];
    for (start, length, expected) in [
        // Another hash function of 32 bytes, and none at all.
        (&[1, 0x55, 0x16, 0x20][..], 32, CidError::Hash(0x16)),
        (&[1, 0x55, 0x00, 0x20], 32, CidError::Hash(0)),
        // A digest that is cut, and says so.
        (&[1, 0x55, 0x12, 0x1f], 31, CidError::Hash(0x12)),
        (&[1, 0x55, 0x12, 0x00], 0, CidError::Hash(0x12)),
        // Another codec, in one byte and in two.
        (&[1, 0x72, 0x12, 0x20], 32, CidError::Codec(0x72)),
        (&[1, 0x81, 0x01, 0x12, 0x20], 32, CidError::Codec(0x81)),
    ] {
        let bytes = [start, &digest[..length]].concat();
        assert!(cid::Cid::try_from(&bytes[..]).is_ok());
        assert_eq!(Cid::from_bytes(&bytes), Err(expected), "{start:?}");
    }
    // Varints that are not in their shortest form: of version, codec, function and length.
    for (start, expected) in [
        (&[0x81, 0x00, 0x55, 0x12, 0x20][..], CidError::Version(0x81)),
        (&[1, 0xd5, 0x00, 0x12, 0x20], CidError::Codec(0xd5)),
        (&[1, 0x55, 0x92, 0x00, 0x20], CidError::Hash(0x92)),
        (&[1, 0x55, 0x12, 0xa0, 0x00], CidError::Hash(0x12)),
        (&[0x92, 0x00, 0x20], CidError::Version(0x92)),
        (&[0x12, 0xa0, 0x00], CidError::Version(0x12)),
    ] {
        let bytes = [start, digest].concat();
        assert_eq!(Cid::from_bytes(&bytes), Err(expected), "{start:?}");
    }
}

#[test]
fn profiles_and_digests_have_one_text() {
    for profile in Profile::ALL {
        assert_eq!(profile.to_string().parse(), Ok(profile));
        let json = serde_json::to_string(&profile).unwrap();
        assert_eq!(serde_json::from_str::<Profile>(&json).unwrap(), profile);
    }
    assert!("unixfs-v2".parse::<Profile>().is_err());
    let digest = Sha256Digest::of(b"");
    let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(digest.to_string(), hex);
    assert_eq!(hex.to_uppercase().parse(), Ok(digest));
    for bad in ["", &hex[1..], &format!("{hex}00"), &hex.replace('e', "g")] {
        assert!(bad.parse::<Sha256Digest>().is_err(), "{bad}");
    }
}

// ---- files ----

#[test]
fn pieces_of_any_length_give_the_same_file() {
    for profile in Profile::ALL {
        let bytes = Seeded::bytes("pieces", 2 * profile.chunk_size() + 5);
        for length in [
            0,
            1,
            1000,
            profile.chunk_size(),
            profile.chunk_size() + 1,
            bytes.len(),
        ] {
            let bytes = &bytes[..length];
            let expected = file_dag(profile, bytes);
            assert_eq!(expected.size(), length as u64);
            assert_eq!(
                expected.leaves().len() as u64,
                profile.leaf_count(length as u64)
            );
            for piece in [333, 65_536, profile.chunk_size(), length.max(1)] {
                let (mut both, mut leaves) = (FileHasher::new(profile), LeafHasher::new(profile));
                for part in bytes.chunks(piece) {
                    both.update(part);
                    both.update(b"");
                    leaves.update(part);
                }
                assert_eq!(both.size(), length as u64);
                assert_eq!(both.finish(), (expected.clone(), Sha256Digest::of(bytes)));
                assert_eq!(leaves.finish(), expected);
            }
        }
    }
}

#[test]
fn stored_facts_of_a_file_come_back_or_are_refused() {
    let profile = Profile::UnixfsV1_2025;
    let bytes = Seeded::bytes("stored", 3 * profile.chunk_size());
    let dag = file_dag(profile, &bytes);
    let json = serde_json::to_string(&dag).unwrap();
    assert_eq!(serde_json::from_str::<FileDag>(&json).unwrap(), dag);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let leaves = value["leaves"].as_str().unwrap();
    for (key, bad) in [
        ("size", serde_json::json!(profile.chunk_size() * 3 + 1)),
        ("size", serde_json::json!(0)),
        ("size", serde_json::json!(u64::MAX)),
        ("size", serde_json::json!(-1)),
        ("leaves", serde_json::json!(&leaves[4..])),
        ("leaves", serde_json::json!("")),
        ("leaves", serde_json::json!("é")),
        ("profile", serde_json::json!("unixfs-v0-2015")),
        ("profile", serde_json::json!("other")),
        ("root", serde_json::json!("other")),
    ] {
        let mut changed = value.clone();
        changed[key] = bad;
        assert!(
            serde_json::from_value::<FileDag>(changed.clone()).is_err(),
            "{changed}"
        );
    }
}

#[test]
fn a_file_emits_its_nodes_before_its_leaves() {
    // 174 leaves and one more: two inner nodes.
    let profile = Profile::KuboCidV1;
    let mut bytes = vec![0; profile.chunk_size() * 174 + 1];
    Seeded::new("emit").fill(&mut bytes[..1000]);
    let dag = file_dag(profile, &bytes);
    let mut blocks = Blocks::default();
    dag.emit(&mut blocks, &mut &bytes[..]).unwrap();
    let codecs: Vec<Codec> = blocks.0.iter().map(|(cid, _)| cid.codec()).collect();
    let nodes: Vec<usize> = (0..codecs.len())
        .filter(|place| codecs[*place] == Codec::DagPb)
        .collect();
    assert_eq!(nodes, [0, 1, 176]);
    assert_eq!(codecs.len(), 178);
    assert_eq!(blocks.0[0].0, dag.cid());
    let total: usize = blocks.0.iter().map(|(_, block)| block.len()).sum();
    assert_eq!(dag.link().cumulative_size, total as u64);

    let mut hollow = Blocks::default();
    dag.emit_hollow(&mut hollow).unwrap();
    let expected: Vec<Cid> = nodes.iter().map(|place| blocks.0[*place].0).collect();
    assert_eq!(
        hollow.0.iter().map(|(cid, _)| *cid).collect::<Vec<_>>(),
        expected
    );
}

#[test]
fn bytes_that_are_not_the_files_are_never_emitted() {
    for profile in Profile::ALL {
        let bytes = Seeded::bytes("other bytes", 2 * profile.chunk_size() + 9);
        let dag = file_dag(profile, &bytes);
        let emit = |bytes: &[u8]| {
            let mut blocks = Blocks::default();
            let result = dag.emit(&mut blocks, &mut &bytes[..]);
            (result.map_err(|error| error.kind()), blocks.0)
        };
        let (result, whole) = emit(&bytes);
        assert_eq!(result, Ok(()));
        for place in [0, profile.chunk_size(), bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            let (result, blocks) = emit(&changed);
            assert_eq!(
                result,
                Err(io::ErrorKind::InvalidData),
                "{profile}, {place}"
            );
            assert!(whole.starts_with(&blocks) && blocks.len() < whole.len());
        }
        for length in [0, 1, profile.chunk_size(), bytes.len() - 1] {
            let (result, _) = emit(&bytes[..length]);
            assert_eq!(
                result,
                Err(io::ErrorKind::InvalidData),
                "{profile}, {length}"
            );
        }
        let (result, _) = emit(&[&bytes[..], b"x"].concat());
        assert_eq!(result, Err(io::ErrorKind::InvalidData));
    }
}

#[test]
fn many_threads_give_what_one_gives() {
    let lengths = |profile: Profile| {
        let chunk = profile.chunk_size();
        [
            0,
            1,
            chunk - 1,
            chunk,
            8 * chunk,
            8 * chunk + 1,
            17 * chunk + 3,
        ]
    };
    for profile in Profile::ALL {
        let bytes = Seeded::bytes("threads", 17 * profile.chunk_size() + 3);
        let sizes = lengths(profile).map(|length| length as u64);
        let expected: Vec<FileDag> = lengths(profile)
            .iter()
            .map(|length| file_dag(profile, &bytes[..*length]))
            .collect();
        for threads in [1, 2, 7] {
            let threads = NonZeroUsize::new(threads).unwrap();
            let open = |index: usize| Ok(Cursor::new(&bytes[..lengths(profile)[index]]));
            assert_eq!(
                hash_files(profile, &sizes, threads, open).unwrap(),
                expected
            );
        }
    }
}

#[test]
fn a_file_that_changes_while_it_is_hashed_is_an_error() {
    let threads = NonZeroUsize::new(2).unwrap();
    let sizes = [3, 20 << 20, 3];
    for actual in [0, 3, (20 << 20) - 1, (20 << 20) + 1] {
        let open = |index: usize| {
            let length = if index == 1 { actual } else { 3 };
            Ok(Cursor::new(vec![0; length]))
        };
        let error = hash_files(Profile::UnixfsV1_2025, &sizes, threads, open).unwrap_err();
        assert_eq!(error.index, 1);
        assert_eq!(error.error.kind(), io::ErrorKind::InvalidData);
    }
    let open = |index: usize| {
        if index == 0 {
            Ok(Cursor::new(vec![0; 3]))
        } else {
            Err(io::Error::from(io::ErrorKind::NotFound))
        }
    };
    let error = hash_files(Profile::UnixfsV1_2025, &sizes, threads, open).unwrap_err();
    assert_eq!(
        (error.index, error.error.kind()),
        (1, io::ErrorKind::NotFound)
    );
}

// ---- folders ----

fn entry(name: &str) -> DirectoryEntry {
    DirectoryEntry {
        name: name.to_owned(),
        link: file_dag(Profile::UnixfsV1_2025, name.as_bytes()).link(),
    }
}

#[test]
fn a_folder_does_not_depend_on_the_order_of_its_entries() {
    let profile = Profile::UnixfsV1_2025;
    for count in [10, 6000] {
        let entries: Vec<_> = (0..count)
            .map(|number| entry(&format!("{number}")))
            .collect();
        let mut reversed = entries.clone();
        reversed.reverse();
        let one = DirectoryDag::build(profile, entries).unwrap();
        let other = DirectoryDag::build(profile, reversed).unwrap();
        assert_eq!(one.link(), other.link());
        assert_eq!(one.is_sharded(), count == 6000);
        let order = |dag: &DirectoryDag| {
            let (mut blocks, mut order) = (Blocks::default(), Vec::new());
            dag.emit(&mut blocks, &mut |_, index| {
                order.push(index);
                Ok(())
            })
            .unwrap();
            order
        };
        let expected: Vec<usize> = order(&other)
            .iter()
            .map(|index| count - 1 - index)
            .collect();
        assert_eq!(order(&one), expected);
    }
}

#[test]
fn names_that_no_folder_has_are_refused() {
    let profile = Profile::UnixfsV1_2025;
    for name in ["", ".", "..", "a/b", "/", "a\0b"] {
        let result = DirectoryDag::build(profile, vec![entry("fine"), entry(name)]);
        assert_eq!(result.unwrap_err(), DirectoryError::Name(name.to_owned()));
    }
    let result = DirectoryDag::build(profile, vec![entry("b"), entry("a"), entry("b")]);
    assert_eq!(
        result.unwrap_err(),
        DirectoryError::Duplicate("b".to_owned())
    );
}

/// The first half of `MurmurHash3` x64-128: the values that `github.com/spaolacci/murmur3`, Kubo's
/// own implementation, is tested with.
#[test]
fn hashes_of_names() {
    for (name, expected) in [
        ("", 0),
        ("hello", 0xcbd8_a7b3_41bd_9b02),
        ("hello, world", 0x342f_ac62_3a5e_bc8e),
        ("19 Jan 2038 at 3:14:07 AM", 0xb89e_5988_b737_affc),
        (
            "The quick brown fox jumps over the lazy dog.",
            0xcd99_481f_9ee9_02c9_u64,
        ),
    ] {
        assert_eq!(name_hash(name), expected.to_be_bytes(), "{name}");
    }
}

// ---- decoding ----

/// Blocks of every kind, as the encoder writes them.
fn blocks_of_every_kind() -> Vec<(Cid, Vec<u8>)> {
    let mut blocks = Blocks::default();
    for profile in Profile::ALL {
        let bytes = Seeded::bytes("kinds", profile.chunk_size() + 1);
        let dag = file_dag(profile, &bytes);
        dag.emit(&mut blocks, &mut &bytes[..]).unwrap();
        file_dag(profile, b"")
            .emit(&mut blocks, &mut &b""[..])
            .unwrap();
        for count in [0, 3, 6000] {
            let entries = (0..count).map(|number| DirectoryEntry {
                name: format!("name {number}"),
                link: dag.link(),
            });
            let folder = DirectoryDag::build(profile, entries.collect()).unwrap();
            folder.emit(&mut blocks, &mut |_, _| Ok(())).unwrap();
        }
    }
    blocks.0
}

#[test]
fn what_is_encoded_is_decoded() {
    let profile = Profile::UnixfsV0_2015;
    let bytes = Seeded::bytes("decoded", profile.chunk_size() + 7);
    let dag = file_dag(profile, &bytes);
    let mut blocks = Blocks::default();
    dag.emit(&mut blocks, &mut &bytes[..]).unwrap();
    let decoded = |place: usize| decode(&blocks.0[place].0, &blocks.0[place].1).unwrap();
    let Node::File { size, data, parts } = decoded(0) else {
        panic!()
    };
    assert_eq!((size, data.len(), parts.len()), (dag.size(), 0, 2));
    assert_eq!(
        (parts[0].size, parts[1].size),
        (profile.chunk_size() as u64, 7)
    );
    assert_eq!(parts[1].link.cid, blocks.0[2].0);
    assert_eq!(parts[1].link.cumulative_size, blocks.0[2].1.len() as u64);
    let Node::File { data, .. } = decoded(2) else {
        panic!()
    };
    assert_eq!(data, &bytes[profile.chunk_size()..]);

    let folder = DirectoryDag::build(profile, vec![entry("b"), entry("a")]).unwrap();
    let mut blocks = Blocks::default();
    folder.emit(&mut blocks, &mut |_, _| Ok(())).unwrap();
    let node = decode(&folder.cid(), &blocks.0[0].1).unwrap();
    assert_eq!(node.links(), [entry("a").link, entry("b").link]);
    assert_eq!(
        node,
        Node::Directory {
            entries: vec![entry("a"), entry("b")]
        }
    );

    for (cid, block) in blocks_of_every_kind() {
        let node = decode(&cid, &block).unwrap();
        if let Node::Shard { entries } = &node {
            for slot in entries {
                if let ShardEntry::Entry { slot, entry } = slot {
                    assert!(name_hash(&entry.name).contains(slot));
                }
            }
        }
    }
}

/// Whatever a block holds, it is decoded or refused; and what is decoded has one form only, so two
/// different blocks never mean the same.
#[test]
fn damaged_blocks_are_refused_or_mean_something_else() {
    let refused = Cell::new(0);
    for (cid, block) in blocks_of_every_kind() {
        if cid.codec() == Codec::Raw {
            continue;
        }
        let before = decode(&cid, &block).unwrap();
        hold(10, damaged(block.clone(), 200), |damaged| {
            match decode(&cid, &damaged) {
                Ok(after) => assert!(after != before || damaged == block),
                Err(_) => refused.set(refused.get() + 1),
            }
        });
    }
    let refused = refused.get();
    assert!(
        cases(10) < 10 || refused > 1000,
        "only {refused} were refused"
    );
}

#[test]
fn every_short_block_is_survived() {
    let cid = Cid::v0(Sha256Digest::of(b""));
    for first in 0..=255 {
        for second in 0..=255 {
            for rest in [
                &[][..],
                &[0],
                &[8, 1],
                &[255; 12],
                &[8, 2, 24, 0],
                &[8, 5, 18, 0],
            ] {
                let _ = decode(&cid, &[&[first, second], rest].concat());
            }
        }
    }
}

#[expect(clippy::too_many_lines, reason = "a table")]
#[test]
fn nodes_that_lie_are_refused() {
    let cid = Cid::v0(Sha256Digest::of(b""));
    // A PBLink with this name and size, in its node's field.
    let link = |name: &str, size: u8| {
        let mut body = vec![0x0a, 34];
        body.extend(cid.to_bytes());
        body.extend([0x12, u8::try_from(name.len()).unwrap()]);
        body.extend(name.as_bytes());
        body.extend([0x18, size]);
        [&[0x12, u8::try_from(body.len()).unwrap()], &body[..]].concat()
    };
    let data = |bytes: &[u8]| [&[0x0a, u8::try_from(bytes.len()).unwrap()], bytes].concat();
    let refused = |parts: &[Vec<u8>]| {
        decode(&cid, &parts.concat())
            .unwrap_err()
            .to_string()
            .replacen(&cid.to_string(), "X", 1)
    };
    assert!(decode(&cid, &[link("a", 1), data(&[8, 1])].concat()).is_ok());
    assert!(decode(&cid, &[link("", 1), data(&[8, 2, 24, 9, 32, 9])].concat()).is_ok());
    for (parts, expected) in [
        (vec![], "block X has no UnixFS data"),
        (
            vec![data(&[8, 1]), link("a", 1)],
            "block X has a field after its data",
        ),
        (
            vec![data(&[8, 1]), data(&[8, 1])],
            "block X has a field after its data",
        ),
        (
            vec![link("b", 1), link("a", 1), data(&[8, 1])],
            "block X is a folder with `a` twice or out of order",
        ),
        (
            vec![link("a", 1), link("a", 1), data(&[8, 1])],
            "block X is a folder with `a` twice or out of order",
        ),
        (
            vec![link("..", 1), data(&[8, 1])],
            "block X is a folder with the name `..`, which no entry can have",
        ),
        (
            vec![link("a/b", 1), data(&[8, 1])],
            "block X is a folder with the name `a/b`, which no entry can have",
        ),
        (
            vec![link("", 1), data(&[8, 2, 24, 9, 32, 8])],
            "block X is a file whose size is not the sum of its parts",
        ),
        (
            vec![link("", 1), data(&[8, 2, 24, 9])],
            "block X is a file with 1 links and 0 sizes",
        ),
        (
            vec![link("n", 1), data(&[8, 2, 24, 9, 32, 9])],
            "block X is a file whose links have names",
        ),
        (
            vec![data(&[8, 2, 18, 1, 65, 24, 2])],
            "block X is a file whose size is not the sum of its parts",
        ),
        (
            vec![data(&[8, 2])],
            "block X is a file whose size is not the sum of its parts",
        ),
        (
            vec![data(&[8, 2, 24, 0, 24, 0])],
            "block X has UnixFS field 3 twice or out of order",
        ),
        (
            vec![data(&[8, 0, 18, 1, 65, 24, 1])],
            "block X is of the UnixFS type raw, which no profile writes",
        ),
        (
            vec![data(&[8, 2, 18, 0, 24, 0])],
            "block X is a file with an empty field of bytes",
        ),
        (
            vec![data(&[8, 5, 40, 34, 48, 128, 2])],
            "block X is a sharded folder whose bitfield is not that of its links",
        ),
        (
            vec![data(&[8, 0x81, 0])],
            "block X has a number that is cut, too long or not in its shortest form",
        ),
        (
            vec![data(&[8, 4, 18, 1, 65])],
            "block X is a symbolic link, which is not supported",
        ),
        (
            vec![data(&[8, 3])],
            "block X is UnixFS metadata, which is not supported",
        ),
        (
            vec![data(&[8, 9])],
            "block X is of the unknown UnixFS type 9",
        ),
        (
            vec![data(&[8, 1, 56, 1])],
            "block X has a mode or a time, which no profile writes",
        ),
        (
            vec![data(&[8, 5, 40, 34, 48, 16])],
            "block X is a sharded folder with another hash function or fanout",
        ),
        (
            vec![link("0Aa", 1), data(&[8, 5, 18, 1, 4, 40, 34, 48, 128, 2])],
            "block X is a sharded folder whose bitfield is not that of its links",
        ),
        (
            vec![
                link("0aa", 1),
                data(&[8, 5, 18, 2, 4, 0, 40, 34, 48, 128, 2]),
            ],
            "block X is a sharded folder with a link that names no slot",
        ),
        (
            vec![
                link("0Aa", 1),
                link("0Ab", 1),
                data(&[8, 5, 18, 2, 4, 0, 40, 34, 48, 128, 2]),
            ],
            "block X is a sharded folder with a slot twice or out of order",
        ),
        (vec![vec![0x1a, 0]], "block X has an unknown field 3"),
        (
            vec![vec![0x0d, 0, 0, 0, 0]],
            "block X has a field of wire type 5",
        ),
    ] {
        assert_eq!(refused(&parts), expected);
    }
    let good = [
        link("0Aa", 1),
        data(&[8, 5, 18, 2, 4, 0, 40, 34, 48, 128, 2]),
    ]
    .concat();
    assert!(decode(&cid, &good).is_ok());
}

/// The node alone; kubo.rs asks Kubo about folders with links in them.
#[test]
fn symbolic_links_are_nodes() {
    let (link, block) = symlink(Profile::UnixfsV0_2015, "foo");
    assert_eq!(block, b"\x0a\x07\x08\x04\x12\x03foo");
    assert_eq!(
        link,
        Link {
            cid: Cid::v0(Sha256Digest::of(&block)),
            cumulative_size: 9
        }
    );
    assert_eq!(symlink_target(&link.cid, &block), Some(&b"foo"[..]));
    let (link, _) = symlink(Profile::UnixfsV1_2025, "foo");
    assert_eq!(link.cid, Cid::v1(Codec::DagPb, Sha256Digest::of(&block)));
    assert_eq!(symlink_target(&link.cid, &block), Some(&b"foo"[..]));
    let raw = Cid::v1(Codec::Raw, link.cid.digest());
    assert_eq!(symlink_target(&raw, &block), None);
    for other in [
        &b"\x0a\x07\x08\x02\x12\x03foo"[..],
        b"\x0a\x09\x08\x04\x12\x03foo\x18\x03",
        b"\x0a\x07\x08\x04\x12\x03fo",
        b"",
    ] {
        assert_eq!(symlink_target(&link.cid, other), None, "{other:?}");
    }
}
