//! Thousands of damaged archives: none makes the program panic, and none that still says
//! something else than before passes.

use std::cell::Cell;

use super::{facts, good_wheels};
use crate::support::strategies::{damaged, hold};

#[test]
fn damaged_archives_never_panic_and_what_passes_is_the_same_wheel() {
    let (refused, tried) = (Cell::new(0), Cell::new(0));
    for builder in good_wheels() {
        let bytes = builder.build();
        let before = facts(&bytes);
        let head = bytes.len();
        hold(600, damaged(bytes, head), |damaged| {
            let after = facts(&damaged);
            tried.set(tried.get() + 1);
            if after.problems.is_empty() {
                // Time stamps, versions and attributes may change; nothing that is a fact may.
                assert_eq!(after, before);
            } else {
                refused.set(refused.get() + 1);
            }
        });
    }
    let (refused, tried) = (refused.get(), tried.get());
    assert!(
        tried < 6_000 || refused > tried / 2,
        "only {refused} of {tried} were refused"
    );
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
