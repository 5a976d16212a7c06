//! Thousands of damaged archives: none makes the program panic, and none that still says
//! something else than before passes.

use std::io::Cursor;

use ipwhl::wheel::{Limits, inspect};

use super::{facts, good_wheels};

/// A small generator with a fixed seed, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }
}

/// One to three damages.
fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(3) {
        if bytes.is_empty() {
            return;
        }
        let place = random.below(bytes.len());
        match random.below(6) {
            0 => bytes[place] ^= 1 << random.below(8),
            1 => bytes[place] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            2 => {
                bytes.remove(place);
            }
            3 => bytes.insert(place, 0),
            4 => {
                let end = (place + 4).min(bytes.len());
                bytes[place..end].fill(0xff);
            }
            _ => bytes.truncate(place),
        }
    }
}

#[test]
fn damaged_archives_never_panic_and_what_passes_is_the_same_wheel() {
    let mut random = Random(0x1234_5678_9abc_def1);
    let mut refused = 0;
    for builder in good_wheels() {
        let bytes = builder.build();
        let before = facts(&bytes);
        for _ in 0..600 {
            let mut damaged = bytes.clone();
            damage(&mut damaged, &mut random);
            let after = inspect(&mut Cursor::new(&damaged), &Limits::default()).unwrap();
            if after.problems.is_empty() {
                // Time stamps, versions and attributes may change; nothing that is a fact may.
                assert_eq!(after, before);
            } else {
                refused += 1;
            }
        }
    }
    assert!(refused > 9_000, "only {refused} of 12000 were refused");
}

#[test]
fn every_single_bit_and_every_cut_of_one_wheel() {
    let bytes = super::click()
        .data_descriptors()
        .directory_entries()
        .build();
    let before = facts(&bytes);
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            let after = facts(&damaged);
            assert!(
                !after.problems.is_empty() || after == before,
                "byte {place}, bit {bit}"
            );
        }
        assert!(
            !facts(&bytes[..place]).problems.is_empty(),
            "cut at {place}"
        );
    }
}
