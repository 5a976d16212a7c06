//! What is in a wheel: its metadata folder, RECORD, WHEEL, and the limits.

use std::io::Cursor;

use ipwhl_packaging::wheel::{Limits, inspect};
use sha2::{Digest, Sha384, Sha512};

use super::{click, facts, listed, problems};
use crate::support::wheel_builder::{WheelBuilder, record_hash};

const NONE: [&str; 0] = [];

/// Changes the row of `click/core.py`.
fn with_row(change: fn(&mut [String; 3])) -> WheelBuilder {
    click().edit_record(move |rows| {
        change(
            rows.iter_mut()
                .find(|row| row[0] == "click/core.py")
                .unwrap(),
        );
    })
}

#[test]
fn exactly_one_metadata_folder_at_the_top() {
    assert_eq!(
        problems(&WheelBuilder::new("click", "1").dist_info("deeper/click-1")),
        ["archive: has no `*.dist-info` folder at its top"]
    );
    assert_eq!(
        problems(&click().member("other-1.0.dist-info/METADATA", b"")),
        [
            "archive: has more than one metadata folder at its top: `click-8.1.7.dist-info` and `other-1.0.dist-info`"
        ]
    );
    assert_eq!(
        problems(&WheelBuilder::new("click", "1").dist_info("")),
        ["archive: has a metadata folder without a name, `.dist-info`"]
    );
    for (file, expected) in [
        (
            "METADATA",
            "metadata: `click-8.1.7.dist-info/METADATA` is missing",
        ),
        (
            "WHEEL",
            "metadata: `click-8.1.7.dist-info/WHEEL` is missing",
        ),
        (
            "RECORD",
            "record: `click-8.1.7.dist-info/RECORD` is missing",
        ),
    ] {
        assert_eq!(problems(&click().without(file)), [expected]);
    }
}

#[test]
fn rows_and_members_are_the_same_set() {
    assert_eq!(
        problems(&click().edit_record(|rows| rows.retain(|row| row[0] != "click/core.py"))),
        ["record: `click/core.py` has no row in RECORD"]
    );
    assert_eq!(
        problems(&click().edit_record(|rows| {
            rows.insert(0, ["gone.py".to_owned(), record_hash(b""), "0".to_owned()]);
        })),
        ["record: RECORD has a row for `gone.py` in line 1, which is not in the archive"]
    );
    assert_eq!(
        problems(&click().edit_record(|rows| {
            let row = rows[1].clone();
            rows.push(row);
        })),
        ["record: RECORD has `click/core.py` twice, in lines 2 and 7"]
    );
    // RECORD itself and its signatures need no row.
    assert_eq!(
        problems(
            &click()
                .member("click-8.1.7.dist-info/RECORD.jws", b"{}")
                .member("click-8.1.7.dist-info/RECORD.p7s", b"p7s")
                .edit_record(|rows| rows.retain(|row| !row[0].contains("/RECORD")))
        ),
        NONE
    );
    // But a signature elsewhere does, and a row of one is held to it.
    assert_eq!(
        problems(
            &click()
                .member("click/RECORD.jws", b"{}")
                .edit_record(|rows| {
                    rows.retain(|row| row[0] != "click/RECORD.jws");
                })
        ),
        ["record: `click/RECORD.jws` has no row in RECORD"]
    );
}

#[test]
fn each_row_is_held_against_its_member() {
    let other = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
    let found = problems(&with_row(|row| row[1] = record_hash(b"")));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("record: `click/core.py` has the hash "));
    assert!(
        found[0].ends_with(&format!(" and {other} by RECORD")),
        "{found:?}"
    );
    assert_eq!(
        problems(&with_row(|row| row[2] = "4999".to_owned())),
        ["record: `click/core.py` has 5000 bytes and 4999 by RECORD"]
    );
    assert_eq!(
        problems(&with_row(|row| row[2].clear())),
        ["record: `click/core.py` has no size in RECORD"]
    );
    assert_eq!(
        problems(&with_row(|row| row[1].clear())),
        ["record: `click/core.py` has no hash in RECORD"]
    );
    assert_eq!(
        problems(&with_row(|row| row[2] = "+5000".to_owned()))
            .first()
            .unwrap(),
        "record: `click/core.py` has the size `+5000` in RECORD, which is no number of bytes"
    );
    for weak in [
        "md5=1B2M2Y8AsgTpgAmY7PhCfg",
        "sha1=2jmj7l5rSw0yVb_vlWAYkK_YBwk",
        "x",
    ] {
        let found = problems(&click().edit_record(move |rows| weak.clone_into(&mut rows[1][1])));
        assert!(
            found[0].ends_with("which is not sha256, sha384 or sha512"),
            "{found:?}"
        );
    }
    let found = problems(&with_row(|row| row[1].push('=')));
    assert!(
        found[0].contains("urlsafe base64 without padding"),
        "{found:?}"
    );
}

#[test]
fn better_hashes_than_sha256_are_verified_too() {
    let encode = |name: &str, digest: &[u8]| {
        format!("{name}={}", data_encoding::BASE64URL_NOPAD.encode(digest))
    };
    let data = vec![b'x'; 5000];
    for (right, wrong) in [
        (
            encode("sha384", &Sha384::digest(&data)),
            encode("sha384", &Sha384::digest(b"")),
        ),
        (
            encode("sha512", &Sha512::digest(&data)),
            encode("sha512", &Sha512::digest(b"")),
        ),
    ] {
        assert_eq!(
            problems(&click().edit_record(move |rows| right.clone_into(&mut rows[1][1]))),
            NONE
        );
        let found = problems(&click().edit_record(move |rows| wrong.clone_into(&mut rows[1][1])));
        assert!(
            found[0].starts_with("record: `click/core.py` has the hash "),
            "{found:?}"
        );
    }
}

#[test]
fn record_is_csv_as_python_writes_it() {
    let record = String::from_utf8(
        click()
            .raw_archive()
            .entries
            .last()
            .map(|entry| {
                let mut text = Vec::new();
                let mut decoder = flate2::read::DeflateDecoder::new(entry.data.as_slice());
                std::io::Read::read_to_end(&mut decoder, &mut text).unwrap();
                text
            })
            .unwrap(),
    )
    .unwrap();
    for good in [
        record.clone(),
        record.replace('\n', "\r\n"),
        record.replace('\n', "\r"),
        record.trim_end().to_owned(),
        record.replace("click/core.py", "\"click/core.py\""),
    ] {
        assert_eq!(problems(&click().record(good)), NONE);
    }
    for (bad, expected) in [
        (
            record.replacen('\n', "\n\n", 1),
            "record: RECORD has an empty line 2",
        ),
        (
            record.replacen('\n', "\r\r\n", 1),
            "record: RECORD has an empty line 2",
        ),
        (
            format!("{record}\"\"\n"),
            "record: RECORD has an empty line 7",
        ),
        (
            record.replacen("click/core.py", "click/core\u{2028}.py", 1),
            "record: RECORD has the character U+2028, at which pip begins another row",
        ),
        (
            format!("{record}other/,,\n"),
            "record: RECORD has a row for the folder `other/` in line 7, which pip removes whole",
        ),
        (
            record.replace("click/core.py", "\"click/core.py"),
            "record: RECORD is not CSV in line 2: a quote is not closed",
        ),
        (
            record.replace("click/core.py", "\"click\"/core.py"),
            "record: RECORD is not CSV in line 2: there is text after a closing quote",
        ),
        (
            record.replace(",5000", ""),
            "record: RECORD has fewer columns in line 2 than the three of a row",
        ),
        (
            record.replace(",5000", ",5000,,,,"),
            "record: RECORD has more columns in line 2 than the three of a row",
        ),
    ] {
        assert_eq!(problems(&click().record(bad)).first().unwrap(), expected);
    }
    assert_eq!(
        problems(&click().record(b"\xff,,\n".to_vec())),
        ["record: RECORD is not UTF-8"]
    );
}

#[test]
fn wheel_has_its_version_and_tags() {
    let wheel = |text: &str| click().wheel_file(text);
    let good = "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    assert_eq!(problems(&wheel(good)), NONE);
    assert_eq!(problems(&wheel(&good.replace('\n', "\r\n"))), NONE);
    assert_eq!(problems(&wheel(&format!("{good}\n\n"))), NONE);
    assert_eq!(problems(&wheel(&good.replace("1.0", "1.9"))), NONE);
    assert_eq!(problems(&wheel(&good.replace("1.0", "0.1"))), NONE);
    assert_eq!(
        problems(&wheel(&good.replace("Tag: py3-none-any\n", ""))),
        NONE
    );
    assert_eq!(
        facts(&wheel("Wheel-Version: 1.0\nRoot-Is-Purelib: FALSE\ntag: py2.py3-NONE-any\nTag: cp312-abi3.cp312-a.b\n").build()).wheel_tags,
        ["cp312-abi3-a", "cp312-abi3-b", "cp312-cp312-a", "cp312-cp312-b", "py2-none-any", "py3-none-any"]
    );
    for (bad, expected) in [
        (
            good.replace("1.0", "2.0"),
            "WHEEL has the Wheel-Version `2.0`; 1.x and 0.1 are understood",
        ),
        (
            good.replace("1.0", "1."),
            "WHEEL has the Wheel-Version `1.`; 1.x and 0.1 are understood",
        ),
        (
            good.replace("Wheel-Version: 1.0\n", ""),
            "WHEEL has no Wheel-Version",
        ),
        (
            format!("Wheel-Version: 1.1\n{good}"),
            "WHEEL has more than one Wheel-Version",
        ),
        (
            good.replace("true", "yes"),
            "WHEEL has the Root-Is-Purelib `yes`, which is neither `true` nor `false`",
        ),
        (
            good.replace("Root-Is-Purelib: true\n", ""),
            "WHEEL has no Root-Is-Purelib",
        ),
        (
            good.replace("1.0", "0.2"),
            "WHEEL has the Wheel-Version `0.2`; 1.x and 0.1 are understood",
        ),
        (
            good.replace("py3-none-any", "py3-none"),
            "WHEEL has the tag `py3-none`, which has not three parts",
        ),
        (
            good.replace("py3-none-any", "py3.-none-any"),
            "WHEEL has the tag `py3.-none-any`, which has an empty or an odd part",
        ),
        (
            format!("{good}nonsense\n"),
            "WHEEL has a line that is no header: `nonsense`",
        ),
        (
            format!("{good}\nTag: py2-none-any\n"),
            "WHEEL goes on after an empty line: `Tag: py2-none-any`",
        ),
    ] {
        assert_eq!(problems(&wheel(&bad)), [format!("metadata: {expected}")]);
    }
    assert_eq!(
        problems(&click().wheel_file(b"\xff".to_vec())),
        ["metadata: WHEEL is not UTF-8"]
    );
}

#[test]
fn every_limit_is_held() {
    let many = (0..50)
        .map(|number| number.to_string())
        .collect::<Vec<_>>()
        .join(".");
    let builder = click().wheel_file(format!(
        "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {many}-{many}-{many}\n"
    ));
    let bytes = builder.build();
    let with = |change: fn(&mut Limits)| {
        let mut limits = Limits {
            wheel_tags: 125_000,
            ..Limits::default()
        };
        change(&mut limits);
        listed(&inspect(&mut Cursor::new(&bytes), &limits).unwrap())
    };
    assert_eq!(with(|_| {}), NONE);
    for (change, expected) in [
        (
            (|limits| limits.members = 5) as fn(&mut Limits),
            "archive: has 6 members, more than the limit of 5",
        ),
        (
            |limits| limits.central_directory = 50,
            "archive: has a central directory of ",
        ),
        (
            |limits| limits.member_size = 4999,
            "archive: `click/core.py` has 5000 bytes, more than the limit of 4999",
        ),
        (|limits| limits.unpacked_size = 5000, "archive: unpacks to "),
        (
            |limits| limits.compression_ratio = 100,
            "archive: `click/core.py` has 5000 bytes in ",
        ),
        (
            |limits| limits.metadata = 10,
            "archive: `click-8.1.7.dist-info/METADATA` has ",
        ),
        (
            |limits| limits.wheel_file = 10,
            "archive: `click-8.1.7.dist-info/WHEEL` has ",
        ),
        (
            |limits| limits.record = 10,
            "archive: `click-8.1.7.dist-info/RECORD` has ",
        ),
        (
            |limits| limits.wheel_tags = 124_999,
            "metadata: WHEEL has the tag ",
        ),
    ] {
        let found = with(change);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(expected), "{found:?}");
    }
    let broken = click().edit_record(|rows| rows.truncate(1)).build();
    let limits = Limits {
        problems: 1,
        ..Limits::default()
    };
    assert_eq!(
        listed(&inspect(&mut Cursor::new(&broken), &limits).unwrap()),
        [
            "record: `click/core.py` has no row in RECORD",
            "archive: 3 more problems are not listed"
        ]
    );
}
