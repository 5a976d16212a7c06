//! The small files of a wheel: WHEEL up to a zero byte, then entry_points.txt.
#![no_main]

use std::io::Cursor;

use ipwhl::set::difference::member_changes;
use ipwhl_fuzz::zip;
use ipwhl_packaging::Tag;
use ipwhl_packaging::wheel::{EntryPoint, Limits, ProblemKind, inspect, members};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut halves = bytes.splitn(2, |byte| *byte == 0);
    let wheel_file = halves.next().unwrap_or_default();
    let entry_points = halves.next().unwrap_or_default();
    let limits = Limits {
        wheel_tags: 30,
        ..Limits::default()
    };
    let wheel = |entry_points: &[u8]| {
        zip::stored(&[
            (
                "x-1.dist-info/METADATA",
                b"Metadata-Version: 2.1\nName: x\nVersion: 1\n",
            ),
            ("x-1.dist-info/WHEEL", wheel_file),
            ("x-1.dist-info/entry_points.txt", entry_points),
        ])
    };
    let one = wheel(entry_points);
    let facts = inspect(&mut Cursor::new(&one), &limits).expect("memory can be read");
    assert!(facts.wheel_tags.len() <= limits.wheel_tags);
    assert!(facts.wheel_tags.is_sorted_by(|one, other| one < other));
    // RECORD is missing; of what is left, the two can be wrong.
    let mut is_clean = true;
    for problem in &facts.problems {
        assert_ne!(problem.kind, ProblemKind::InvalidArchive);
        assert!(
            !problem.message.chars().any(char::is_control),
            "{:?}",
            problem.message
        );
        is_clean &= problem.kind == ProblemKind::RecordMismatch;
    }
    if is_clean {
        for name in &facts.names.commands {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
            assert!(
                name.bytes().all(is_plain) && !name.starts_with('.'),
                "{name}"
            );
        }
        for tag in &facts.wheel_tags {
            // A Python tag that begins with a digit is refused where file names are read.
            let is_odd = tag.starts_with(|first: char| first.is_ascii_digit());
            assert!(
                is_odd
                    || tag
                        .parse::<Tag>()
                        .is_ok_and(|parsed| parsed.to_string() == *tag),
                "{tag}"
            );
        }
    }

    let read = |bytes: &[u8]| {
        members(&mut Cursor::new(bytes), &limits)
            .expect("memory can be read")
            .expect("it is sound")
    };
    let (new, old) = (read(&one), read(&wheel(b"")));
    let changes = member_changes(Some(&old), &new);
    assert_eq!(member_changes(Some(&new), &new).entry_points, []);
    let points: Vec<&EntryPoint> = changes
        .entry_points
        .iter()
        .map(|change| &change.entry_point)
        .collect();
    let back = member_changes(Some(&new), &old);
    assert!(
        points
            .iter()
            .copied()
            .eq(back.entry_points.iter().map(|change| &change.entry_point))
    );
    for change in &changes.entry_points {
        assert!(change.old.is_none() && change.new.is_some());
    }
});
