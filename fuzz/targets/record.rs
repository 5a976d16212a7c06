//! RECORD, in a wheel that is sound otherwise.
#![no_main]

use ipwhl_fuzz::zip;
use ipwhl_packaging::wheel::{Limits, ProblemKind, inspect};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|record: &[u8]| {
    let wheel = zip::stored(&[
        ("x.py", b"x = 1\n"),
        (
            "x-1.dist-info/METADATA",
            b"Metadata-Version: 2.1\nName: x\nVersion: 1\n",
        ),
        (
            "x-1.dist-info/WHEEL",
            b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        ),
        ("x-1.dist-info/RECORD", record),
    ]);
    let facts =
        inspect(&mut std::io::Cursor::new(&wheel), &Limits::default()).expect("memory can be read");
    assert!(
        facts
            .problems
            .iter()
            .all(|problem| problem.kind == ProblemKind::RecordMismatch)
    );
    if facts.problems.is_empty() {
        let files = zip::members_by_local_headers(&wheel).expect("it was written here");
        zip::check_record(record, &files.into_iter().collect(), "x-1");
    }
    for problem in &facts.problems {
        assert!(
            !problem.message.chars().any(char::is_control),
            "{:?}",
            problem.message
        );
    }
});
