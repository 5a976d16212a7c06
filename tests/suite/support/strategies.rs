//! Made-up inputs for property tests, which `proptest` makes smaller where one fails.
//!
//! The seed is another one in each run, in CI too, so every run tries what none has tried before. A
//! failure prints the smallest input that was found and a line for `tests/proptest-regressions`,
//! which are tried first; its input then becomes a named test. `PROPTEST_CASES` says how many
//! inputs there are, and `PROPTEST_RNG_SEED` fixes the seed.

use std::panic::Location;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, FileFailurePersistence, RngSeed, TestError, TestRunner};

/// How many inputs a property is held to: so many, unless `PROPTEST_CASES` says otherwise.
pub fn cases(count: u32) -> u32 {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => Config::default().cases,
        None => count,
    }
}

/// Holds a property to made-up values. It panics where it does not hold.
#[track_caller]
pub fn hold<S: Strategy>(count: u32, strategy: S, property: impl Fn(S::Value)) {
    let mut runner = TestRunner::new(Config {
        cases: cases(count),
        source_file: Some(Location::caller().file()),
        failure_persistence: Some(Box::new(FileFailurePersistence::SourceParallel(
            "proptest-regressions",
        ))),
        max_shrink_iters: 4_000,
        ..Config::default()
    });
    let result = runner.run(&strategy, |value| {
        property(value);
        Ok(())
    });
    match result {
        Ok(()) => {}
        Err(TestError::Abort(reason)) => panic!("no inputs: {reason}"),
        Err(TestError::Fail(reason, input)) => panic!("{reason}\nthe smallest input: {input:#?}"),
    }
}

/// Holds a property to many values at once, where asking for each costs a process. `differing`
/// gives those for which it does not hold, each in words; the shortest is shown.
#[track_caller]
pub fn hold_all<S: Strategy>(
    count: u32,
    strategy: S,
    differing: impl FnOnce(&[S::Value]) -> Vec<String>,
) {
    let seed = match Config::default().rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => TestRunner::default().rng().next_u64(),
    };
    let mut runner = TestRunner::new(Config {
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..Config::default()
    });
    let value = |_| strategy.new_tree(&mut runner).unwrap().current();
    let values: Vec<S::Value> = (0..cases(count)).map(value).collect();
    let differing = differing(&values);
    let shortest = differing.iter().min_by_key(|words| words.len());
    assert!(
        shortest.is_none(),
        "{} of {} differ, as with PROPTEST_RNG_SEED={seed}: {}",
        differing.len(),
        values.len(),
        shortest.map_or("", String::as_str)
    );
}

/// One change of a text.
#[derive(Debug, Clone)]
enum Edit {
    Remove {
        at: Index,
        length: usize,
    },
    Double {
        at: Index,
        length: usize,
    },
    Copy {
        at: Index,
        length: usize,
        to: Index,
    },
    Replace {
        at: Index,
        length: usize,
        word: Vec<char>,
    },
    Insert {
        at: Index,
        word: Vec<char>,
    },
}

impl Edit {
    fn apply(&self, characters: &mut Vec<char>) {
        let end = characters.len();
        let range = |at: &Index, length: usize| {
            let start = at.index(end + 1);
            start..start.saturating_add(length).min(end)
        };
        match self {
            Self::Remove { at, length } => drop(characters.drain(range(at, *length))),
            Self::Double { at, length } => {
                let range = range(at, *length);
                let piece = characters[range.clone()].to_vec();
                drop(characters.splice(range.end..range.end, piece));
            }
            Self::Copy { at, length, to } => {
                let piece = characters[range(at, *length)].to_vec();
                let to = to.index(end + 1);
                drop(characters.splice(to..to, piece));
            }
            Self::Replace { at, length, word } => {
                drop(characters.splice(range(at, *length), word.clone()));
            }
            Self::Insert { at, word } => {
                let at = at.index(end + 1);
                drop(characters.splice(at..at, word.clone()));
            }
        }
    }
}

/// A place and a length: short ones mostly, and now and then all the rest.
fn stretch() -> impl Strategy<Value = (Index, usize)> {
    let length = prop_oneof![3 => Just(1_usize), 6 => 0..12_usize, 1 => Just(usize::MAX)];
    (any::<Index>(), length)
}

/// One of these texts, with some of its parts moved, lost, doubled or replaced by one of the words.
pub fn mutated(
    texts: Vec<String>,
    words: Vec<&'static str>,
) -> impl Strategy<Value = String> + use<> {
    let words: Vec<Vec<char>> = words
        .into_iter()
        .map(|word| word.chars().collect())
        .collect();
    let word = select(words);
    let edit = prop_oneof![
        stretch().prop_map(|(at, length)| Edit::Remove { at, length }),
        stretch().prop_map(|(at, length)| Edit::Double { at, length }),
        (stretch(), any::<Index>()).prop_map(|((at, length), to)| Edit::Copy { at, length, to }),
        (stretch(), word.clone()).prop_map(|((at, length), word)| Edit::Replace {
            at,
            length,
            word
        }),
        (any::<Index>(), word).prop_map(|(at, word)| Edit::Insert { at, word }),
    ];
    (select(texts), vec(edit, 1..=5)).prop_map(|(text, edits)| {
        let mut characters: Vec<char> = text.chars().collect();
        for edit in edits {
            edit.apply(&mut characters);
        }
        characters.into_iter().collect()
    })
}

/// These bytes with one to three damages. The first `head` bytes, which have the most meaning, are
/// met as often as all the others.
pub fn damaged(bytes: Vec<u8>, head: usize) -> impl Strategy<Value = Vec<u8>> + use<> {
    let length = bytes.len();
    let place = prop_oneof![0..length.max(1), 0..head.clamp(1, length.max(1))];
    let odd = select(vec![0, 1, 0x7f, 0x80, 0xff]);
    let damage = prop_oneof![
        (place.clone(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, 1 << bit)),
        (place.clone(), prop_oneof![odd, any::<u8>()]).prop_map(|(at, byte)| Damage::Set(at, byte)),
        (
            place.clone(),
            prop_oneof![2 => Just(1_usize), 1 => 0..1000_usize]
        )
            .prop_map(|(at, count)| Damage::Remove(at, count)),
        (place.clone(), prop_oneof![Just(0), any::<u8>()])
            .prop_map(|(at, byte)| Damage::Insert(at, byte)),
        place.clone().prop_map(Damage::Fill),
        place.prop_map(Damage::Cut),
    ];
    vec(damage, 1..=3).prop_map(move |damages| {
        let mut damaged = bytes.clone();
        for damage in damages {
            damage.apply(&mut damaged);
        }
        damaged
    })
}

/// One damage of bytes; a place beyond their end is the end.
#[derive(Debug, Clone)]
enum Damage {
    Flip(usize, u8),
    Set(usize, u8),
    Remove(usize, usize),
    Insert(usize, u8),
    /// Four bytes of ones, as in lengths that are too large.
    Fill(usize),
    Cut(usize),
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let end = bytes.len();
        match *self {
            Self::Flip(at, bit) => bytes
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|byte| *byte ^= bit),
            Self::Set(at, to) => bytes
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|byte| *byte = to),
            Self::Remove(at, count) => drop(bytes.drain(at.min(end)..(at + count).min(end))),
            Self::Insert(at, byte) => bytes.insert(at.min(end), byte),
            Self::Fill(at) => bytes
                .iter_mut()
                .skip(at)
                .take(4)
                .for_each(|byte| *byte = 0xff),
            Self::Cut(at) => bytes.truncate(at),
        }
    }
}

/// A version in its normal form.
pub fn version() -> impl Strategy<Value = String> {
    let number = prop_oneof![6 => 0..4_u32, 1 => 9..12_u32, 1 => Just(2024)];
    let release = vec(number.clone(), 1..=4);
    let maybe = |weight: u32, strategy: BoxedStrategy<String>| prop_oneof![6 => Just(String::new()), weight => strategy];
    let numbered = |word: &'static str| number.clone().prop_map(move |n| format!("{word}{n}"));
    let pre = prop_oneof![numbered("a"), numbered("b"), numbered("rc")].boxed();
    let local = select(vec!["+local", "+local.2", "+1", "+1.a", "+abc.10"]);
    (
        maybe(1, select(vec!["1!", "2!"]).prop_map(str::to_owned).boxed()),
        release,
        maybe(2, pre),
        maybe(2, numbered(".post").boxed()),
        maybe(2, numbered(".dev").boxed()),
        maybe(1, local.prop_map(str::to_owned).boxed()),
    )
        .prop_map(|(epoch, release, pre, post, dev, local)| {
            let release: Vec<String> = release.iter().map(ToString::to_string).collect();
            format!("{epoch}{}{pre}{post}{dev}{local}", release.join("."))
        })
}

/// One clause of a set of specifiers, of which some are none: `~=1`, `<1.*`.
pub fn clause() -> impl Strategy<Value = String> {
    let operator = select(vec!["==", "!=", "<", "<=", ">", ">=", "~="]);
    let suffix = prop_oneof![4 => Just(""), 1 => Just(".*")];
    let ordered = (operator, version(), suffix)
        .prop_map(|(operator, version, suffix)| format!("{operator}{version}{suffix}"));
    let identical = version().prop_map(|version| format!("==={version}"));
    prop_oneof![7 => ordered, 1 => identical]
}

/// The variables of markers, legacy spellings among them.
const VARIABLES: [&str; 17] = [
    "python_version",
    "python_full_version",
    "os_name",
    "sys_platform",
    "platform_release",
    "platform_system",
    "platform_version",
    "platform_machine",
    "platform_python_implementation",
    "implementation_name",
    "implementation_version",
    "extra",
    "os.name",
    "sys.platform",
    "platform.version",
    "platform.machine",
    "python_implementation",
];

/// What markers compare with.
const LITERALS: [&str; 18] = [
    "3",
    "3.9",
    "3.11",
    "3.11.5",
    "3.10.*",
    "2.7",
    "3.12rc1",
    "5.14",
    "linux",
    "win32",
    "posix",
    "x86_64",
    "CPython",
    "Foo_bar",
    "foo",
    "3.8 3.9",
    "",
    "linux darwin",
];

/// A marker: comparisons joined by `and` and `or`, with the parentheses that they need and others.
pub fn marker() -> impl Strategy<Value = String> {
    let operators = vec![
        "==", "!=", "<", "<=", ">", ">=", "~=", "===", "in", "not in",
    ];
    // Most have a meaning: versions in their order, texts as they are.
    let parts = prop_oneof![
        3 => (select(&VARIABLES[..2]), select(operators[..7].to_vec()), select(&LITERALS[..8])),
        2 => (select(&VARIABLES[2..]), select(vec!["==", "!=", "in"]), select(&LITERALS[8..])),
        1 => (select(&VARIABLES[..]), select(operators), select(&LITERALS[..])),
    ];
    let quote = select(vec!["'", "\""]);
    let comparison = (parts, any::<bool>(), quote).prop_map(
        |((variable, operator, literal), is_swapped, quote)| {
            let literal = format!("{quote}{literal}{quote}");
            if is_swapped {
                format!("{literal} {operator} {variable}")
            } else {
                format!("{variable} {operator} {literal}")
            }
        },
    );
    comparison.prop_recursive(4, 12, 3, |inner| {
        let part =
            prop_oneof![2 => inner.clone(), 1 => inner.prop_map(|inner| format!("({inner})"))];
        (vec(part, 2..=3), select(vec![" and ", " or "]))
            .prop_map(|(parts, joint)| parts.join(joint))
    })
}

/// A requirement in one of its spellings.
pub fn requirement() -> impl Strategy<Value = String> {
    let name = select(vec!["foo", "Foo.Bar", "a", "zope__interface", "x-1", "B2"]);
    let extras = vec(select(vec!["a", "B", "c_D", "a-a", "A"]), 0..=3);
    let blank = select(vec!["", " ", "\t", "  "]);
    let constraint = prop_oneof![
        4 => (vec(clause(), 0..=3), blank.clone(), any::<bool>()).prop_map(
            |(clauses, blank, in_parentheses)| {
                let clauses = clauses.join(&format!("{blank},{blank}"));
                if in_parentheses { format!("({clauses})") } else { clauses }
            }
        ),
        1 => select(vec!["@https://example.org/a.whl", " @ file:///a;b", "@ git+ssh://x@y/z#e=1"])
            .prop_map(str::to_owned),
    ];
    let marker = prop_oneof![1 => Just(String::new()), 2 => marker()];
    (name, extras, blank, constraint, marker).prop_map(
        |(name, extras, blank, constraint, marker)| {
            let extras = match extras.len() {
                0 => String::new(),
                _ => format!("[{}]", extras.join(&format!("{blank},"))),
            };
            let marker = match marker.as_str() {
                "" => marker,
                _ => format!(" ;{blank}{marker}"),
            };
            format!("{blank}{name}{blank}{extras}{constraint}{marker}")
        },
    )
}
