//! What holds of every marker, specifier, folder and archive: of made-up ones, and against
//! `packaging`, which is asked about many of them at once.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use ipwhl::release::archive::ArchiveKind;
use ipwhl::release::archive::ReleaseArchive;
use ipwhl_packaging::{
    Marker, MarkerEnvironment, Truth, Variable, Version, parse_specifiers, same_specifiers,
    specifiers_contain, specifiers_text,
};
use ipwhl_unixfs::car::{Blocks as _, CarReader, FileReader, Kind, Tree as _};
use ipwhl_unixfs::{
    Cid, DirectoryDag, DirectoryEntry, Link, Node, Profile, Sha256Digest, ShardEntry, decode,
    name_hash,
};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use crate::dag::Blocks;
use crate::kubo::Tree;
use crate::packaging_library;
use crate::support::strategies::{clause, hold, hold_all, marker, version};

// ---- markers ----

/// What one interpreter on one system says, by variable.
fn environment() -> impl Strategy<Value = BTreeMap<&'static str, &'static str>> {
    let choices: [(&str, &[&str]); 11] = [
        ("python_version", &["2.7", "3.9", "3.11", "3.12"]),
        (
            "python_full_version",
            &["2.7.18", "3.9.0", "3.11.5", "3.12.0rc1"],
        ),
        ("os_name", &["posix", "nt"]),
        ("sys_platform", &["linux", "win32", "darwin"]),
        (
            "platform_release",
            &["5.14", "5.14.0-362.el9.x86_64", "10", "20.9.0"],
        ),
        ("platform_system", &["Linux", "Windows", "Darwin"]),
        ("platform_version", &["#1 SMP", "10.0.19041", "3.11"]),
        ("platform_machine", &["x86_64", "AMD64", "arm64"]),
        ("platform_python_implementation", &["CPython", "PyPy"]),
        ("implementation_name", &["cpython", "pypy"]),
        ("implementation_version", &["3.11.5", "7.3.16"]),
    ];
    vec(any::<Index>(), choices.len()).prop_map(move |indices| {
        let pairs = choices.iter().zip(indices);
        pairs
            .map(|((name, values), index)| (*name, *index.get(values)))
            .collect()
    })
}

fn known(values: &BTreeMap<&str, &str>) -> MarkerEnvironment {
    values.iter().fold(
        MarkerEnvironment::unknown(),
        |environment, (name, value)| environment.with(Variable::from_name(name).unwrap(), *value),
    )
}

/// The canonical text is read as the same marker, which means the same; and what is true of
/// everything that a variable may be is true of each thing that it is.
#[test]
fn markers_keep_their_meaning() {
    let inputs = (marker(), environment(), any::<u16>(), any::<bool>());
    hold(20_000, inputs, |(text, values, known_of, has_extra)| {
        let marker: Marker = text
            .parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        let canonical = marker.to_string();
        let again: Marker = canonical.parse().unwrap();
        assert_eq!(again, marker, "{canonical}");
        assert_eq!(again.to_string(), canonical);
        assert_eq!(
            again.undefined_comparisons(),
            marker.undefined_comparisons()
        );
        let extra = "foo".parse().unwrap();
        let extra = has_extra.then_some(&extra);
        let whole = marker.evaluate(&known(&values), extra);
        assert_eq!(again.evaluate(&known(&values), extra), whole, "{canonical}");
        let mut some = values;
        let mut place = 0;
        some.retain(|_, _| {
            place += 1;
            known_of >> (place - 1) & 1 == 1
        });
        let part = marker.evaluate(&known(&some), extra);
        assert!(
            part == Truth::Unknown || part == whole,
            "{canonical} is {part:?} of {some:?}, and {whole:?} of more"
        );
    });
}

/// Both joints, on what two markers are by themselves.
#[test]
fn joined_markers_are_what_their_parts_are() {
    let inputs = (marker(), marker(), environment());
    hold(10_000, inputs, |(one, other, values)| {
        let truth = |text: &str| {
            let marker: Marker = text.parse().unwrap();
            marker.evaluate(&known(&values), None)
        };
        let (left, right) = (truth(&one), truth(&other));
        assert_eq!(truth(&format!("({one}) and ({other})")), left.and(right));
        assert_eq!(truth(&format!("({one}) or ({other})")), left.or(right));
    });
}

const MARKERS: &str = r"
markers = module('markers')
answers = []
for case in cases:
    try:
        answers.append(markers.Marker(case['marker']).evaluate(case['environment']))
    except markers.UndefinedComparison:
        answers.append(None)
";

/// Whole markers as `packaging` decides them. Where a comparison is undefined, by the marker or by
/// what the variables are (a `platform_release` that is no version), it takes sides in ways that
/// `markers.rs` lists, so those are left out.
#[test]
fn packaging_decides_markers_alike() {
    let case = (marker(), environment(), select(vec!["", "foo", "foo-bar"]));
    hold_all(3_000, case, |batch| {
        let cases: Vec<Value> = batch
            .iter()
            .map(|(text, values, extra)| {
                let values = values.iter();
                let mut environment: Map<String, Value> = values
                    .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
                    .collect();
                environment.insert("extra".to_owned(), Value::from(*extra));
                json!({"marker": text, "environment": environment})
            })
            .collect();
        let answers = packaging_library::ask(MARKERS, &Value::from(cases));
        let mut differing = Vec::new();
        for ((text, values, extra), theirs) in batch.iter().zip(answers.as_array().unwrap()) {
            let marker: Marker = text.parse().unwrap();
            let Some(theirs) = theirs.as_bool() else {
                continue;
            };
            if !marker.undefined_comparisons().is_empty() {
                continue;
            }
            // Of a release that is no version `packaging` says that it does not differ from one.
            if text.contains("platform_release") && text.contains("!=") {
                continue;
            }
            let extra = (!extra.is_empty()).then(|| extra.parse().unwrap());
            let ours = marker.evaluate(&known(values), extra.as_ref());
            // All variables are known, so nothing else makes it unknown.
            if ours != Truth::Unknown && ours != Truth::from(theirs) {
                differing.push(format!(
                    "{text} is {ours:?}, theirs {theirs}, in {values:?} with {extra:?}"
                ));
            }
        }
        differing
    });
}

// ---- versions and specifiers ----

#[test]
fn specifiers_keep_their_meaning() {
    let inputs = (vec(clause(), 0..=4), vec(version(), 1..=4));
    hold(20_000, inputs, |(clauses, versions)| {
        let Ok(specifiers) = parse_specifiers(&clauses.join(" , ")) else {
            return;
        };
        let canonical = specifiers_text(&specifiers);
        let again = parse_specifiers(&canonical).unwrap();
        assert!(same_specifiers(&specifiers, &again), "{canonical}");
        assert_eq!(specifiers_text(&again), canonical);
        for version in &versions {
            let version: Version = version.parse().unwrap();
            let contained = specifiers_contain(&specifiers, &version);
            assert_eq!(specifiers_contain(&again, &version), contained);
            let each = clauses
                .iter()
                .all(|clause| specifiers_contain(&parse_specifiers(clause).unwrap(), &version));
            assert_eq!(contained, each, "{version} in {canonical}");
        }
    });
}

const SPECIFIERS: &str = r"
specifiers = module('specifiers')
version = module('version')
answers = []
for text, one, other in cases:
    try:
        contains = specifiers.SpecifierSet(text, prereleases=True).contains(one)
    except specifiers.InvalidSpecifier:
        contains = None
    one, other = version.Version(one), version.Version(other)
    answers.append([contains, (one > other) - (one < other)])
";

#[test]
fn packaging_decides_specifiers_alike() {
    let case = (vec(clause(), 1..=2), version(), version());
    hold_all(8_000, case, |batch| {
        let cases: Vec<Value> = batch
            .iter()
            .map(|(clauses, one, other)| json!([clauses.join(","), one, other]))
            .collect();
        let answers = packaging_library::ask(SPECIFIERS, &Value::from(cases));
        let mut differing = Vec::new();
        for ((clauses, one, other), theirs) in batch.iter().zip(answers.as_array().unwrap()) {
            let text = clauses.join(",");
            let [version, other]: [Version; 2] = [one, other].map(|text| text.parse().unwrap());
            let specifiers = parse_specifiers(&text).ok();
            let contained = specifiers.map(|specifiers| specifiers_contain(&specifiers, &version));
            let ours = json!([contained, version.cmp(&other) as i8]);
            if ours != *theirs || version.to_string() != *one {
                differing.push(format!(
                    "{version} in {text}, and beside {other}: ours {ours}, theirs {theirs}"
                ));
            }
        }
        differing
    });
}

// ---- folders ----

/// The nodes of a folder, and which entry each place between them is of.
fn emitted(dag: &DirectoryDag) -> (Blocks, Vec<usize>) {
    let (mut blocks, mut order) = (Blocks::default(), Vec::new());
    dag.emit(&mut blocks, &mut |_, index| {
        order.push(index);
        Ok(())
    })
    .unwrap();
    (blocks, order)
}

/// Names of one length, so that some hundred of them make a HAMT.
fn names(count: std::ops::Range<usize>) -> impl Strategy<Value = BTreeSet<String>> {
    btree_set(any::<u32>(), count).prop_map(|numbers| {
        let numbers = numbers.into_iter();
        numbers
            .map(|number| format!("{number:08x}-{}", "é".repeat(150)))
            .collect()
    })
}

/// A folder, sharded or not, has the same root in whatever order its entries are given; each name
/// is found where its hash leads, all of them are listed, and no other.
#[test]
fn folders_hold_what_they_were_given() {
    // The profiles make a HAMT of 737 and of 760 such names.
    let names = prop_oneof![1 => names(0..20), 2 => names(720..800)];
    hold(6, (names, any::<Index>()), |(names, at)| {
        for profile in Profile::ALL {
            folder_holds(profile, &names, at);
        }
    });
}

fn folder_holds(profile: Profile, names: &BTreeSet<String>, at: Index) {
    let entry = |name: &String| DirectoryEntry {
        name: name.clone(),
        link: Link {
            cid: Cid::v1(ipwhl_unixfs::Codec::Raw, Sha256Digest::of(name.as_bytes())),
            cumulative_size: name.len() as u64,
        },
    };
    let entries: Vec<DirectoryEntry> = names.iter().map(entry).collect();
    let dag = DirectoryDag::build(profile, entries.clone()).unwrap();
    let mut turned = entries.clone();
    turned.rotate_left(at.index(entries.len().max(1)).min(entries.len()));
    let other = DirectoryDag::build(profile, turned).unwrap();
    assert_eq!(other.link(), dag.link());
    // As IPIP-499 counts: the block that it would be, or names and CIDs alone.
    let size: usize = match profile {
        // 309 bytes of name, 36 of CID, two of size, each with its tag and length, and the link's
        // own.
        Profile::UnixfsV1_2025 => entries.len() * (3 + 38 + 312 + 3) + 4,
        _ => entries.len() * (309 + 36),
    };
    assert_eq!(
        dag.is_sharded(),
        size > 256 * 1024,
        "{} entries",
        entries.len()
    );

    let (blocks, order) = emitted(&dag);
    let each: BTreeSet<usize> = order.iter().copied().collect();
    assert_eq!((each.len(), order.len()), (entries.len(), entries.len()));
    let own: u64 = blocks.0.iter().map(|(_, block)| block.len() as u64).sum();
    let below: u64 = entries.iter().map(|entry| entry.link.cumulative_size).sum();
    assert_eq!(dag.link().cumulative_size, own + below);
    for (cid, block) in &blocks.0 {
        if let Node::Shard { entries } = decode(cid, block).unwrap() {
            for slot in entries {
                if let ShardEntry::Entry { slot, entry } = slot {
                    assert!(name_hash(&entry.name).contains(&slot));
                }
            }
        }
    }
    let store = Store(blocks.0.into_iter().collect());
    assert_eq!(store.list(&dag.cid()).unwrap(), Some(entries.clone()));
    for entry in entries.iter().step_by(7) {
        let found = store.entry(&dag.cid(), &entry.name).unwrap();
        assert_eq!(found, Some(entry.link.cid));
        assert_eq!(store.entry(&dag.cid(), &entry.name[1..]).unwrap(), None);
    }
}

/// Blocks in memory.
struct Store(BTreeMap<Cid, Vec<u8>>);

impl ipwhl_unixfs::car::Blocks for Store {
    fn block(&self, cid: &Cid) -> Result<Option<Vec<u8>>, ipwhl_unixfs::car::CarError> {
        Ok(self.0.get(cid).cloned())
    }

    fn contains(&self, cid: &Cid) -> bool {
        self.0.contains_key(cid)
    }
}

// ---- archives ----

/// A tree of some files and folders. Some of the files are the same, and some are wheels by their
/// names.
fn tree() -> impl Strategy<Value = Tree> {
    let small = prop_oneof![
        Just(Vec::new()),
        Just(b"same".to_vec()),
        vec(any::<u8>(), 0..40)
    ];
    // More than one leaf under each profile.
    let large = (
        any::<u8>(),
        select(vec![256 * 1024 + 1, 1024 * 1024 + 1, 3 * 1024 * 1024]),
    );
    let large = large.prop_map(|(byte, size)| vec![byte; size]);
    let file = prop_oneof![9 => small, 1 => large].prop_map(Tree::File);
    folder_of(
        file.prop_recursive(3, 20, 5, |inner| folder_of(inner.boxed()))
            .boxed(),
    )
}

fn folder_of(inner: BoxedStrategy<Tree>) -> impl Strategy<Value = Tree> {
    let name = prop_oneof![
        "[a-c]{1,2}",
        Just("é ?.txt".to_owned()),
        Just("x-1-py3-none-any.whl".to_owned())
    ];
    let entries = btree_map(name, inner, 0..5);
    entries.prop_map(|entries| Tree::Folder(entries.into_iter().collect()))
}

/// Each file of a tree, by its path.
fn files<'t>(tree: &'t Tree, path: &str, found: &mut BTreeMap<String, &'t [u8]>) {
    match tree {
        Tree::File(bytes) => drop(found.insert(path.to_owned(), bytes)),
        Tree::Folder(entries) => {
            for (name, tree) in entries {
                files(tree, &format!("{path}/{name}"), found);
            }
        }
        Tree::Symlink(_) => panic!("the strategy makes none"),
    }
}

/// What is written is verified, and every file is read back; a hollow archive lacks leaves of
/// wheels and nothing else, and knows as much as the full one.
#[test]
fn archives_hold_what_they_were_given() {
    let profile = select(Profile::ALL.to_vec());
    hold(100, (profile, tree()), |(profile, tree)| {
        let built = tree.build(profile);
        let car = built.car();
        let reader = CarReader::open(Cursor::new(&car[..])).unwrap();
        let summary = reader.verify().unwrap();
        assert_eq!(reader.root(), built.link().cid);
        let cids = reader.cids();
        let bytes: u64 = cids
            .iter()
            .map(|cid| reader.require(cid).unwrap().len() as u64)
            .sum();
        assert!(bytes < summary.bytes);
        let mut expected = BTreeMap::new();
        files(&tree, "", &mut expected);
        for (path, bytes) in &expected {
            let found = reader.resolve(&reader.root(), path).unwrap().unwrap();
            assert_eq!(
                found.kind,
                Kind::File {
                    size: bytes.len() as u64
                }
            );
            let read = FileReader::read_whole(&reader, &found.cid, u64::MAX).unwrap();
            assert!(read == *bytes, "{path}");
        }

        let (wheels, others): (Vec<_>, Vec<_>) = expected
            .iter()
            .partition(|(path, _)| path.matches('/').count() == 2 && path.ends_with("-any.whl"));
        // No real wheel is also a page or a text, so a hollow archive need not hold a leaf of both.
        // Large files are one byte many times, so that two of a byte have leaves in common.
        let shares = |one: &[u8], other: &[u8]| {
            one == other || one.len() > 100 && other.len() > 100 && one[0] == other[0]
        };
        let is_shared = |bytes: &[u8]| others.iter().any(|(_, other)| shares(bytes, other));
        if wheels.iter().any(|(_, bytes)| is_shared(bytes)) {
            return;
        }
        let (hollow, _) = reader.hollow(Vec::new()).unwrap();
        let hollow = CarReader::open(Cursor::new(hollow)).unwrap();
        let survey = hollow.survey().unwrap();
        assert!(survey.lacking.iter().all(|lacking| lacking.is_wheel_leaf));
        let kind = if wheels.is_empty() {
            ArchiveKind::Full
        } else {
            ArchiveKind::Hollow
        };
        assert_eq!(survey.kind, kind);
        assert_eq!(hollow.known().unwrap(), reader.known().unwrap());
        let kept: BTreeSet<Cid> = hollow.cids().into_iter().collect();
        let left_out: BTreeSet<Cid> = survey.lacking.iter().map(|lacking| lacking.cid).collect();
        let all: BTreeSet<Cid> = cids.into_iter().collect();
        assert_eq!(kept.union(&left_out).copied().collect::<BTreeSet<_>>(), all);
    });
}

/// A writer that leaves out what another archive has: with both, nothing is missing.
#[test]
fn a_delta_and_what_it_builds_on_are_the_whole() {
    let profile = Profile::UnixfsV1_2025;
    hold(60, (tree(), tree()), |(old, new)| {
        let (old, new) = (old.build(profile), new.build(profile));
        let (old_car, new_car) = (old.car(), new.car());
        let old_reader = CarReader::open(Cursor::new(&old_car[..])).unwrap();
        let full = CarReader::open(Cursor::new(&new_car[..])).unwrap();
        let known = old_reader.known().unwrap();
        let writer = ipwhl_unixfs::car::CarWriter::new(Vec::new(), full.root()).unwrap();
        let mut writer = writer.without(known.clone());
        new.emit(&mut writer).unwrap();
        let (delta, _) = writer.finish().unwrap();
        let delta = CarReader::open(Cursor::new(delta)).unwrap();
        let survey = delta.survey().unwrap();
        for lacking in &survey.lacking {
            assert!(old_reader.contains(&lacking.cid), "{}", lacking.cid);
        }
        for cid in full.cids() {
            // Below a folder inside the folder of a project, which no release has, not everything is
            // known by name.
            assert!(delta.contains(&cid) || old_reader.contains(&cid), "{cid}");
            assert!(!(delta.contains(&cid) && known.contains(&cid)) || cid == full.root());
        }
    });
}
