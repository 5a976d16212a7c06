//! METADATA of wheels in an index, without the wheels: each way to it, and each way in which a
//! server can lie on it.

use std::ffi::OsString;
use std::fs;
use std::io::Cursor;
use std::num::NonZeroUsize;
use std::time::Duration;

use futures_util::future::join_all;
use ipwhl::source::{
    Cache, ClientSettings, FetchSettings, Fetcher, IndexFile, IndexSearch, Limits, MetadataError,
    MetadataOrigin, MismatchKind, SourceProblem, WheelMetadata,
};
use ipwhl_packaging::wheel::{self, find_metadata, inspect};
use ipwhl_unixfs::{Profile, Sha256Digest};
use tempfile::TempDir;

use crate::support::loopback_index::{Answer, Hosted, LoopbackIndex, etag, message};
use crate::support::wheel_builder::{WheelBuilder, noise};

const PROJECT: &str = "alpha";
const FILE_NAME: &str = "alpha-1.0-py3-none-any.whl";
const PATH: &str = "/files/alpha-1.0-py3-none-any.whl";
const BESIDE: &str = "/files/alpha-1.0-py3-none-any.whl.metadata";
const PAGE: &str = "/simple/alpha/";

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

/// A wheel of some 300 KB, whose METADATA is near its end.
fn large() -> WheelBuilder {
    WheelBuilder::new(PROJECT, "1.0")
        .requires("beta>=2")
        .member("alpha/data.bin", noise(300_000))
}

struct Bench {
    server: LoopbackIndex,
    folder: TempDir,
    limits: Limits,
    variables: Vec<(&'static str, OsString)>,
    index_url: String,
    offline: bool,
}

impl Bench {
    fn new() -> Self {
        let server = LoopbackIndex::start();
        Self {
            index_url: server.index_url(),
            server,
            folder: tempfile::tempdir().unwrap(),
            limits: Limits {
                attempts: 2,
                first_delay: Duration::from_millis(1),
                longest_delay: Duration::from_millis(2),
                ..Limits::default()
            },
            variables: Vec::new(),
            offline: false,
        }
    }

    /// One that offers this wheel alone.
    fn with(wheel: &WheelBuilder) -> Self {
        let bench = Self::new();
        bench.host(wheel);
        bench
    }

    fn host(&self, wheel: &WheelBuilder) {
        let hosted = Hosted::new(PROJECT, &wheel.file_name(), &wheel.build());
        self.server.host(hosted);
    }

    fn cache(&self) -> Cache {
        Cache::new(self.folder.path().join("cache"))
    }

    fn fetcher(&self) -> Fetcher {
        let variables = |name: &str| {
            let found = self.variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.clone())
        };
        Fetcher::new(FetchSettings {
            cache: self.cache(),
            client: ClientSettings::from_variables(&variables, self.limits.clone()),
            index: IndexSearch::new(Some(self.index_url.clone()), None, &variables),
            gateways: Vec::new(),
            profile: Profile::UnixfsV1_2025,
            jobs: NonZeroUsize::new(8).unwrap(),
            offline: self.offline,
        })
    }

    /// All files of the page.
    fn files(&self) -> Vec<IndexFile> {
        let page = run(async { self.fetcher().project(PROJECT).await });
        page.unwrap().files.clone()
    }

    fn file(&self) -> IndexFile {
        self.files().remove(0)
    }

    /// METADATA of the first file, in a run of its own. The requests for it alone are recorded.
    fn metadata(&self) -> Result<WheelMetadata, MetadataError> {
        let file = self.file();
        self.metadata_of(&file)
    }

    fn metadata_of(&self, file: &IndexFile) -> Result<WheelMetadata, MetadataError> {
        self.server.forget();
        let found = run(async { self.fetcher().metadata(file).await });
        found.map(|found| (*found).clone())
    }

    /// The paths of the last requests, each with its range.
    fn asked(&self) -> Vec<(String, Option<String>)> {
        let requests = self.server.requests().into_iter();
        let asked = requests.map(|one| (one.path.clone(), one.headers.get("range").cloned()));
        asked.collect()
    }
}

#[track_caller]
fn assert_asked(bench: &Bench, wanted: &[(&str, Option<&str>)]) {
    let asked = bench.asked();
    let asked: Vec<(&str, Option<&str>)> = asked
        .iter()
        .map(|(path, range)| (path.as_str(), range.as_deref()))
        .collect();
    assert_eq!(asked, wanted);
}

#[track_caller]
fn assert_failed(error: &MetadataError, words: &str) {
    let MetadataError::Source(SourceProblem::Failed { place, reason }) = error else {
        panic!("{error:?}");
    };
    let shown = format!("{place}: {reason}");
    assert!(shown.contains(words), "{shown}");
}

const TAIL: Option<&str> = Some("bytes=-65557");

// The ways to METADATA.

#[test]
fn the_file_beside_a_wheel_is_enough_and_is_verified() {
    let bench = Bench::new();
    let wheel = large();
    let mut hosted = Hosted::new(PROJECT, FILE_NAME, &wheel.build());
    hosted.metadata = Some(wheel.metadata_bytes());
    bench.server.host(hosted);
    let found = bench.metadata().unwrap();
    assert_eq!(found.bytes, wheel.metadata_bytes());
    assert_eq!(found.origin, MetadataOrigin::Verified);
    assert_asked(&bench, &[(BESIDE, None)]);
    // The next run has it in the cache.
    assert_eq!(bench.metadata().unwrap(), found);
    assert_asked(&bench, &[]);
}

#[test]
fn a_file_beside_a_wheel_without_a_digest_is_claimed() {
    let bench = Bench::new();
    let wheel = large();
    let mut hosted = Hosted::new(PROJECT, FILE_NAME, &wheel.build());
    hosted.metadata = Some(wheel.metadata_bytes());
    hosted.metadata_digest = false;
    bench.server.host(hosted);
    let found = bench.metadata().unwrap();
    assert_eq!(found.bytes, wheel.metadata_bytes());
    assert_eq!(found.origin, MetadataOrigin::Claimed);
    assert_asked(&bench, &[(BESIDE, None)]);
    // From the cache it is no better.
    assert_eq!(bench.metadata().unwrap(), found);
    assert_asked(&bench, &[]);
}

#[test]
fn the_end_of_a_wheel_is_enough_and_is_claimed() {
    let wheel = large();
    let bench = Bench::with(&wheel);
    let found = bench.metadata().unwrap();
    assert_eq!(found.bytes, wheel.metadata_bytes());
    assert_eq!(found.origin, MetadataOrigin::Claimed);
    assert_asked(&bench, &[(PATH, TAIL)]);
    let request = &bench.server.requests()[0];
    assert_eq!(
        (request.method.as_str(), request.header("accept-encoding")),
        ("GET", "identity")
    );
    assert_eq!(bench.metadata().unwrap(), found);
    assert_asked(&bench, &[]);
}

#[test]
fn a_small_wheel_is_its_own_end() {
    let wheel = WheelBuilder::new(PROJECT, "1.0");
    let bench = Bench::with(&wheel);
    let found = bench.metadata().unwrap();
    assert_eq!(found.bytes, wheel.metadata_bytes());
    let range = format!("bytes=-{}", wheel.build().len());
    assert_asked(&bench, &[(PATH, Some(range.as_str()))]);
}

#[test]
fn the_rest_of_the_central_directory_and_metadata_take_a_request_each() {
    let mut wheel = WheelBuilder::new(PROJECT, "1.0");
    for number in 0..1_500 {
        wheel = wheel.member(&format!("alpha/a_module_{number:05}.py"), b"");
    }
    // METADATA goes first in the archive, with two thirds of the file between it and its entry.
    let wheel = wheel
        .member("alpha/data.bin", noise(100_000))
        .archive(|archive| {
            let is_metadata = |name: &[u8]| name.ends_with(b"/METADATA");
            let place = archive
                .entries
                .iter()
                .position(|entry| is_metadata(&entry.local.name));
            let metadata = archive.entries.remove(place.unwrap());
            archive.entries.insert(0, metadata);
        });
    let bench = Bench::with(&wheel);
    let bytes = wheel.build();
    let found = bench.metadata().unwrap();
    assert_eq!(found.bytes, wheel.metadata_bytes());
    let asked = bench.asked();
    assert_eq!(asked.len(), 3, "{asked:?}");
    let ranges: Vec<&str> = asked
        .iter()
        .filter_map(|(_, range)| range.as_deref())
        .collect();
    assert_eq!(ranges[0], "bytes=-65557");
    assert!(ranges[1].ends_with(&format!("-{}", bytes.len() - 65_557 - 1)));
    assert!(ranges[2].starts_with("bytes=0-"), "{ranges:?}");
    // Each further range is of the same file.
    for request in &bench.server.requests()[1..] {
        assert_eq!(request.headers["if-range"], etag(&bytes));
    }

    // With less room or fewer requests, the wheel itself is fetched.
    for limits in [
        Limits {
            range_bytes: 66_000,
            ..bench.limits.clone()
        },
        Limits {
            range_requests: 2,
            ..bench.limits.clone()
        },
    ] {
        let bench = Bench {
            limits,
            ..Bench::with(&wheel)
        };
        let found = bench.metadata().unwrap();
        assert_eq!(found.bytes, wheel.metadata_bytes());
        assert_eq!(found.origin, MetadataOrigin::Verified);
        assert_eq!(bench.asked().last(), Some(&(PATH.to_owned(), None)));
    }
}

#[test]
fn a_cached_wheel_is_read() {
    let wheel = large();
    let bench = Bench::with(&wheel);
    let file = bench.file();
    let fetched = run(async { bench.fetcher().fetch_listed(0, &file, &|_| {}).await });
    assert_eq!(fetched.unwrap().size, wheel.build().len() as u64);
    for _ in 0..2 {
        let found = bench.metadata_of(&file).unwrap();
        assert_eq!(found.bytes, wheel.metadata_bytes());
        assert_eq!(found.origin, MetadataOrigin::Verified);
        assert_asked(&bench, &[]);
    }
}

#[test]
fn the_reader_of_parts_and_the_reader_of_wheels_agree() {
    for wheel in [
        large(),
        large().data_descriptors().directory_entries(),
        large().metadata(b"Metadata-Version: 2.1\r\nName: \xff\r\n".to_vec()),
    ] {
        let bytes = wheel.build();
        let mut reader = Cursor::new(&bytes);
        let limits = wheel::Limits::default();
        let member = find_metadata(&mut reader, &limits).unwrap().unwrap();
        let found = member.read(&mut reader).unwrap().unwrap();
        assert_eq!(found, inspect(&mut reader, &limits).unwrap().metadata);
        assert_eq!(found, wheel.metadata_bytes());
    }
}

#[test]
fn calls_for_one_file_share_one_request() {
    let bench = Bench::with(&large());
    let file = bench.file();
    bench.server.forget();
    let found = run(async {
        let fetcher = bench.fetcher();
        join_all((0..20).map(|_| fetcher.metadata(&file))).await
    });
    assert_eq!(found.len(), 20);
    for one in found {
        assert_eq!(one.unwrap().bytes, large().metadata_bytes());
    }
    assert_asked(&bench, &[(PATH, TAIL)]);
}

// What hosts lack.

#[test]
fn a_host_without_ranges_is_asked_for_one_once() {
    for lack in [
        None,
        Some(Answer::status("416 Range Not Satisfiable")),
        Some(Answer::status("501 Not Implemented")),
        Some(Answer::status("403 Forbidden")),
        Some(Answer::status("405 Method Not Allowed")),
        Some(Answer::whole("206 Partial Content", &[], &noise(65_557))),
    ] {
        let bench = Bench::new();
        let wheels: Vec<WheelBuilder> = ["1.0", "1.1", "1.2"]
            .map(|version| {
                WheelBuilder::new(PROJECT, version).member("alpha/data.bin", noise(100_000))
            })
            .to_vec();
        for wheel in &wheels {
            bench.host(wheel);
            match &lack {
                Some(answer) => {
                    let path = format!("/files/{}", wheel.file_name());
                    bench.server.queue(&path, [answer.clone()]);
                }
                None => bench.server.no_ranges(),
            }
        }
        let files = bench.files();
        bench.server.forget();
        let found = run(async {
            let fetcher = bench.fetcher();
            join_all(files.iter().map(|file| fetcher.metadata(file))).await
        });
        let is_decided =
            !matches!(&lack, Some(Answer::Whole(bytes)) if bytes.starts_with(b"HTTP/1.1 206"));
        let ranges = bench
            .asked()
            .iter()
            .filter(|(_, range)| range.is_some())
            .count();
        if is_decided {
            assert_eq!(ranges, 1, "{lack:?}");
            // The other two took their queued answers for the whole wheel.
            let read = found.iter().filter(|found| found.is_ok()).count();
            assert_eq!(read, if lack.is_some() { 1 } else { 3 });
        } else {
            // A wrong range says nothing about the ranges of other files.
            assert_eq!(ranges, 3, "{lack:?}");
            assert!(found.iter().all(Result::is_ok));
        }
        for (found, wheel) in found.iter().zip(&wheels) {
            if let Ok(found) = found {
                assert_eq!(found.bytes, wheel.metadata_bytes());
                assert_eq!(found.origin, MetadataOrigin::Verified);
            }
        }
    }
}

#[test]
fn a_whole_body_instead_of_a_range_is_not_read() {
    let wheel = large();
    let bench = Bench::with(&wheel);
    let file = bench.file();
    let head = message("200 OK", &[], b"");
    bench.server.queue(PATH, [Answer::Endless(head)]);
    let found = bench.metadata_of(&file).unwrap();
    assert_eq!(found.bytes, wheel.metadata_bytes());
    assert_asked(&bench, &[(PATH, TAIL), (PATH, None)]);
}

#[test]
fn a_host_without_the_files_beside_wheels_is_asked_for_one_once() {
    let head = message("200 OK", &[("Content-Type", "text/plain")], b"");
    let html = b"<html>\nThere is no such file.\n";
    for (lack, has_digest) in [
        (Answer::status("404 Not Found"), true),
        (Answer::status("403 Forbidden"), true),
        (Answer::status("501 Not Implemented"), true),
        (Answer::Endless(head), true),
        (
            Answer::whole("200 OK", &[("Content-Encoding", "gzip")], b"?"),
            true,
        ),
        (Answer::status("404 Not Found"), false),
        (Answer::whole("200 OK", &[], html), false),
    ] {
        let bench = Bench::new();
        let wheels =
            ["1.0", "1.1", "1.2"].map(|version| large_of(version).requires("gamma; extra == 'x'"));
        for wheel in &wheels {
            let mut hosted = Hosted::new(PROJECT, &wheel.file_name(), &wheel.build());
            hosted.metadata = Some(wheel.metadata_bytes());
            hosted.metadata_digest = has_digest;
            bench.server.host(hosted);
            let path = format!("/files/{}.metadata", wheel.file_name());
            bench.server.always(&path, lack.clone());
        }
        let files = bench.files();
        bench.server.forget();
        let found = run(async {
            let fetcher = bench.fetcher();
            join_all(files.iter().map(|file| fetcher.metadata(file))).await
        });
        for (found, wheel) in found.iter().zip(&wheels) {
            let found = found.as_ref().unwrap();
            assert_eq!(found.bytes, wheel.metadata_bytes());
            assert_eq!(found.origin, MetadataOrigin::Claimed);
        }
        let (ranges, others): (Vec<_>, Vec<_>) = bench
            .asked()
            .into_iter()
            .partition(|(_, range)| range.is_some());
        assert_eq!((ranges.len(), others.len()), (3, 1), "{lack:?}");
    }
}

fn large_of(version: &str) -> WheelBuilder {
    WheelBuilder::new(PROJECT, version).member("alpha/data.bin", noise(100_000))
}

// Hostile servers.

/// The answer to a request for the end of these bytes, with changed headers.
fn tail_of(bytes: &[u8], range: Option<&str>, headers: &[(&str, &str)]) -> Answer {
    let tail = &bytes[bytes.len().saturating_sub(65_557)..];
    let proper = format!(
        "bytes {}-{}/{}",
        bytes.len() - tail.len(),
        bytes.len() - 1,
        bytes.len()
    );
    let range = [("Content-Range", range.unwrap_or(&proper))];
    Answer::whole("206 Partial Content", &[&range, headers].concat(), tail)
}

#[test]
fn a_hostile_range_leads_to_the_wheel_itself() {
    let wheel = large();
    let bytes = wheel.build();
    let length = bytes.len();
    let first = length - 65_557;
    let mut cut = bytes.clone();
    cut.truncate(length - 10);
    cut.extend([0; 10]);
    // The end record names a central directory that lies elsewhere.
    let pointing = |offset: u32| {
        let mut bytes = bytes.clone();
        bytes[length - 6..length - 2].copy_from_slice(&offset.to_le_bytes());
        bytes
    };
    let sized = |size: u32| {
        let mut bytes = bytes.clone();
        bytes[length - 10..length - 6].copy_from_slice(&size.to_le_bytes());
        bytes
    };
    // METADATA of another size than its data has.
    let bomb = large()
        .metadata(vec![b'a'; 1_500_000])
        .archive(|archive| {
            for entry in &mut archive.entries {
                if entry.central.name.ends_with(b"/METADATA") {
                    entry.central.size = 1_000;
                    entry.local.size = 1_000;
                }
            }
        })
        .build();
    let much = large().metadata(vec![b'a'; 1_500_000]).build();
    let twice = large()
        .archive(|archive| {
            let mut entries = archive.entries.iter();
            let metadata = entries.find(|entry| entry.central.name.ends_with(b"/METADATA"));
            let metadata = metadata.cloned();
            archive.entries.extend(metadata);
        })
        .build();
    let far = format!("bytes {first}-{}/{}", length - 1, u64::MAX);
    let shifted = format!("bytes {}-{}/{length}", first - 1, length - 2);
    let short = format!("bytes {}-{}/{length}", length - 10, length - 1);
    let endless = format!("bytes {first}-{}/{length}", length - 1);
    let endless = message("206 Partial Content", &[("Content-Range", &endless)], b"");
    let other_size = {
        let mut longer = noise(10);
        longer.extend(&bytes);
        longer
    };
    for (name, answer) in [
        ("far", tail_of(&bytes, Some(&far), &[])),
        ("shifted", tail_of(&bytes, Some(&shifted), &[])),
        ("short", tail_of(&bytes, Some(&short), &[])),
        ("backwards", tail_of(&bytes, Some("bytes 9-1/10"), &[])),
        (
            "overflow",
            tail_of(&bytes, Some("bytes 0-18446744073709551615/1"), &[]),
        ),
        ("star", tail_of(&bytes, Some("bytes */10"), &[])),
        ("unit", tail_of(&bytes, Some("lines 1-2/3"), &[])),
        ("unreadable", tail_of(&bytes, Some("\u{fffd}"), &[])),
        ("other size", tail_of(&other_size, None, &[])),
        (
            "gzip",
            tail_of(&bytes, None, &[("Content-Encoding", "gzip")]),
        ),
        (
            "parts",
            Answer::whole(
                "206 Partial Content",
                &[("Content-Type", "multipart/byteranges; boundary=x")],
                b"--x\r\n",
            ),
        ),
        ("endless", Answer::Endless(endless)),
        ("no end record", tail_of(&cut, None, &[])),
        ("noise", tail_of(&noise(length), None, &[])),
        ("outside", tail_of(&pointing(u32::MAX - 1), None, &[])),
        ("at nought", tail_of(&pointing(0), None, &[])),
        ("large directory", tail_of(&sized(u32::MAX - 1), None, &[])),
        ("bomb", tail_of(&bomb, None, &[])),
        ("much", tail_of(&much, None, &[])),
        ("twice", tail_of(&twice, None, &[])),
    ] {
        let bench = Bench::new();
        bench.server.host(Hosted::new(PROJECT, FILE_NAME, &bytes));
        let mut file = bench.file();
        if name != "other size" {
            // The page need not state the size, and then any is believed.
            file.size = None;
        }
        bench.server.queue(PATH, [answer]);
        let found = bench.metadata_of(&file);
        let found = found.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(found.bytes, wheel.metadata_bytes(), "{name}");
        assert_eq!(found.origin, MetadataOrigin::Verified, "{name}");
        assert_asked(&bench, &[(PATH, TAIL), (PATH, None)]);
    }
}

#[test]
fn a_range_of_another_wheel_is_found_out_when_the_wheel_is_there() {
    let wheel = large();
    let bench = Bench::with(&wheel);
    let mut file = bench.file();
    file.size = None;
    let other = large().requires("evil").build();
    bench.server.queue(PATH, [tail_of(&other, None, &[])]);
    let found = bench.metadata_of(&file).unwrap();
    assert_eq!(found.origin, MetadataOrigin::Claimed);
    assert_ne!(found.bytes, wheel.metadata_bytes());
    let error = found
        .compare(FILE_NAME, &wheel.metadata_bytes())
        .unwrap_err();
    assert_eq!(error.found, Sha256Digest::of(&wheel.metadata_bytes()));
    let shown = error.to_string();
    assert!(
        shown.contains(FILE_NAME) && shown.contains(&error.served.to_string()),
        "{shown}"
    );
    // With the wheel in the cache, the claim counts no more.
    run(async { bench.fetcher().fetch_listed(0, &file, &|_| {}).await }).unwrap();
    let found = bench.metadata_of(&file).unwrap();
    assert_eq!(found.origin, MetadataOrigin::Verified);
    assert!(found.compare(FILE_NAME, &wheel.metadata_bytes()).is_ok());
}

#[test]
fn a_file_that_changes_between_two_ranges_is_not_put_together() {
    let wheel = large_of("1.0").archive(|archive| {
        let place = archive
            .entries
            .iter()
            .position(|entry| entry.local.name.ends_with(b"/METADATA"));
        let metadata = archive.entries.remove(place.unwrap());
        archive.entries.insert(0, metadata);
    });
    let bytes = wheel.build();
    for (name, second) in [
        (
            "another tag",
            Answer::whole(
                "206 Partial Content",
                &[
                    ("ETag", "\"other\""),
                    ("Content-Range", &format!("bytes 0-9/{}", bytes.len())),
                ],
                &noise(10),
            ),
        ),
        ("whole", Answer::whole("200 OK", &[], &bytes)),
        ("refused", Answer::status("416 Range Not Satisfiable")),
    ] {
        let bench = Bench::with(&wheel);
        let file = bench.file();
        bench.server.queue(PATH, [Answer::Proper, second]);
        let found = bench.metadata_of(&file).unwrap();
        assert_eq!(found.bytes, wheel.metadata_bytes(), "{name}");
        assert_eq!(found.origin, MetadataOrigin::Verified, "{name}");
        assert_eq!(bench.asked().len(), 3, "{name}");
    }
}

#[test]
fn a_range_that_is_cut_is_requested_again() {
    let wheel = large();
    let bench = Bench::with(&wheel);
    let file = bench.file();
    let bytes = wheel.build();
    let range = format!(
        "bytes {}-{}/{}",
        bytes.len() - 65_557,
        bytes.len() - 1,
        bytes.len()
    );
    let headers = [
        ("Content-Range", range.as_str()),
        ("Content-Length", "65557"),
    ];
    bench.server.queue(
        PATH,
        [
            Answer::raw("206 Partial Content", &headers, &bytes[..100]),
            Answer::status("503 Service Unavailable"),
        ],
    );
    let mut limits = bench.limits.clone();
    limits.attempts = 3;
    let bench = Bench { limits, ..bench };
    let found = bench.metadata_of(&file).unwrap();
    assert_eq!(found.bytes, wheel.metadata_bytes());
    assert_eq!(found.origin, MetadataOrigin::Claimed);
    assert_asked(&bench, &[(PATH, TAIL), (PATH, TAIL), (PATH, TAIL)]);
}

#[test]
fn another_file_beside_the_wheel_than_the_page_says_is_a_mismatch() {
    let bench = Bench::new();
    let wheel = large();
    let mut hosted = Hosted::new(PROJECT, FILE_NAME, &wheel.build());
    hosted.metadata = Some(wheel.metadata_bytes());
    bench.server.host(hosted);
    let other = Answer::whole("200 OK", &[], b"Metadata-Version: 2.1\n");
    bench.server.always(BESIDE, other);
    let error = bench.metadata().unwrap_err();
    let MetadataError::Beside(SourceProblem::Mismatch { place, mismatches }) = &error else {
        panic!("{error:?}");
    };
    assert!(place.ends_with(BESIDE), "{place}");
    assert_eq!(mismatches[0].kind, MismatchKind::Sha256);
}

#[test]
fn a_wheel_without_readable_metadata_says_why() {
    for (wheel, words) in [
        (
            large().without("METADATA"),
            "has no `alpha-1.0.dist-info/METADATA`",
        ),
        (
            large().metadata(vec![b'a'; 1_500_000]),
            "more than the limit of 1420000",
        ),
        (
            large().member("other-1.0.dist-info/METADATA", b"?"),
            "more than one metadata folder",
        ),
        (
            large().member("../evil.py", b"?"),
            "`../evil.py` has a `..` in its path",
        ),
    ] {
        let bench = Bench::with(&wheel);
        let error = bench.metadata().unwrap_err();
        let MetadataError::Archive { file_name, reason } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(file_name, FILE_NAME);
        assert!(reason.contains(words), "{reason}");
    }
}

#[test]
fn a_version_that_vanishes_after_its_page_is_missing() {
    let bench = Bench::with(&large());
    let file = bench.file();
    bench.server.always(PATH, Answer::status("410 Gone"));
    let error = bench.metadata_of(&file).unwrap_err();
    let MetadataError::Source(problem @ SourceProblem::Missing { place, reason }) = &error else {
        panic!("{error:?}");
    };
    assert!(problem.is_finding());
    assert!(
        place.ends_with(FILE_NAME) && reason.contains("410"),
        "{error}"
    );
    assert_asked(&bench, &[(PATH, TAIL)]);
}

#[test]
fn a_host_that_does_not_answer_is_not_asked_for_something_else() {
    let bench = Bench::with(&large());
    let mut file = bench.file();
    file.url = crate::support::http::closed().parse().unwrap();
    file.url.set_path(PATH);
    let error = bench.metadata_of(&file).unwrap_err();
    assert_failed(&error, "no connection");
}

#[test]
fn credentials_stay_with_the_index() {
    let bench = Bench::new();
    let stranger = LoopbackIndex::start();
    let wheel = large();
    let mut hosted = Hosted::new(PROJECT, FILE_NAME, &wheel.build());
    hosted.metadata = Some(wheel.metadata_bytes());
    bench.server.host(hosted);
    bench.server.require_credentials("me", "s3cr3t");
    let index_url = bench
        .server
        .index_url()
        .replace("http://", "http://me:s3cr3t@");
    let bench = Bench { index_url, ..bench };
    for path in [BESIDE, PATH] {
        let elsewhere = Answer::redirect(&stranger.url(path));
        bench.server.always(path, elsewhere);
    }
    stranger.put(PATH, &wheel.build());
    let found = bench.metadata().unwrap();
    assert_eq!(found.bytes, wheel.metadata_bytes());
    let here = bench.server.requests();
    assert_eq!(here.len(), 2);
    assert!(
        here.iter()
            .all(|one| one.headers.contains_key("authorization"))
    );
    let there = stranger.requests();
    assert_eq!(there.len(), 2, "{there:?}");
    for request in there {
        assert!(
            !request.headers.contains_key("authorization"),
            "{request:?}"
        );
    }
}

// The cache, and no network.

#[test]
fn offline_there_is_the_cache_and_a_clear_problem() {
    let mut bench = Bench::with(&large());
    let file = bench.file();
    bench.offline = true;
    let connections = bench.server.connections();
    let error = bench.metadata_of(&file).unwrap_err();
    assert_failed(
        &error,
        "METADATA of alpha-1.0-py3-none-any.whl: it is not in the cache, and --offline",
    );
    let problem = run(async { bench.fetcher().project(PROJECT).await }).unwrap_err();
    assert!(
        problem.to_string().contains("alpha") && problem.to_string().contains("--offline"),
        "{problem}"
    );
    assert_eq!(bench.server.connections(), connections);
    bench.offline = false;
    let found = bench.metadata_of(&file).unwrap();
    bench.offline = true;
    assert_eq!(bench.metadata_of(&file).unwrap(), found);
    assert_asked(&bench, &[]);
}

#[test]
fn a_damaged_entry_of_the_cache_counts_as_absent() {
    let bench = Bench::with(&large());
    let file = bench.file();
    let found = bench.metadata_of(&file).unwrap();
    let digest = Sha256Digest::of(&large().build());
    let path = bench.cache().root().join(format!("metadata/{digest}"));
    let whole = fs::read(&path).unwrap();
    for place in [0, 70, whole.len() - 3] {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        fs::write(&path, damaged).unwrap();
        assert_eq!(bench.metadata_of(&file).unwrap(), found);
        assert_asked(&bench, &[(PATH, TAIL)]);
    }
    // Nor does one of another wheel.
    let other = WheelBuilder::new(PROJECT, "2.0").member("alpha/data.bin", noise(70_000));
    let bench = Bench {
        folder: bench.folder,
        ..Bench::with(&other)
    };
    let digest = Sha256Digest::of(&other.build());
    let path = bench.cache().root().join(format!("metadata/{digest}"));
    fs::write(&path, &whole).unwrap();
    assert_eq!(bench.metadata().unwrap().bytes, other.metadata_bytes());
}

#[test]
fn what_one_index_has_said_does_not_count_for_another() {
    let wheel = large();
    let lie = b"Metadata-Version: 2.1\nName: alpha\nVersion: 1.0\n".to_vec();
    let hosted = |metadata: Vec<u8>| Hosted {
        metadata: Some(metadata),
        ..Hosted::new(PROJECT, FILE_NAME, &wheel.build())
    };
    let liar = Bench::new();
    liar.server.host(hosted(lie.clone()));
    assert_eq!(liar.metadata().unwrap().bytes, lie);
    let folder = liar.folder;
    let honest = Bench {
        folder,
        ..Bench::new()
    };
    honest.server.host(hosted(wheel.metadata_bytes()));
    let found = honest.metadata().unwrap();
    assert_eq!(found.bytes, wheel.metadata_bytes());
    assert_eq!(found.origin, MetadataOrigin::Verified);
    // Without a digest on the page it is a claim, whoever has made it.
    let silent = Bench {
        folder: honest.folder,
        ..Bench::with(&wheel)
    };
    let found = silent.metadata().unwrap();
    assert_eq!(found.bytes, wheel.metadata_bytes());
    assert_eq!(found.origin, MetadataOrigin::Claimed);
}

#[test]
fn metadata_in_the_cache_is_counted_and_removed() {
    let bench = Bench::with(&large());
    bench.metadata().unwrap();
    let cache = bench.cache();
    let of_metadata = |cache: &Cache| {
        let parts = cache.parts().unwrap();
        let part = parts.iter().find(|part| part.name == "metadata");
        part.map(|part| part.files)
    };
    assert_eq!(of_metadata(&cache), Some(1));
    // A file with another name is none of the cache's.
    fs::write(cache.root().join("metadata/notes.txt"), "mine").unwrap();
    assert_eq!(of_metadata(&cache), Some(1));
    let claimed = cache.claim(&|| false).unwrap().unwrap();
    assert_eq!(claimed.prune(None, &[]).unwrap().files, 0);
    assert_eq!(claimed.prune(Some(0), &[]).unwrap().files, 1);
    assert_eq!(of_metadata(&cache), Some(0));
    assert!(cache.root().join("metadata/notes.txt").is_file());
    drop(cache);

    // It goes with the wheel.
    let file = bench.file();
    let cache = bench.cache();
    let wheel = run(async { bench.fetcher().fetch_listed(0, &file, &|_| {}).await }).unwrap();
    bench.metadata_of(&file).unwrap();
    let claimed = cache.claim(&|| false).unwrap().unwrap();
    claimed.clean_wheels(&[wheel.dag.cid()], &[]);
    assert_eq!(of_metadata(&cache), Some(0));
}

#[test]
fn a_wheel_without_a_digest_on_its_page_is_never_verified() {
    let bench = Bench::new();
    let wheel = large();
    let mut hosted = Hosted::new(PROJECT, FILE_NAME, &wheel.build());
    hosted.digest = false;
    bench.server.host(hosted);
    bench.server.no_ranges();
    let found = bench.metadata().unwrap();
    assert_eq!(found.bytes, wheel.metadata_bytes());
    assert_eq!(found.origin, MetadataOrigin::Claimed);
    assert_asked(&bench, &[(PATH, TAIL), (PATH, None)]);
}

// Pages.

#[test]
fn a_page_with_ten_thousand_versions_is_read_once() {
    let bench = Bench::new();
    for version in 0..10_000 {
        let name = format!("alpha-{version}.0-py3-none-any.whl");
        bench.server.host(Hosted::new(PROJECT, &name, b""));
    }
    for is_html in [false, true] {
        if is_html {
            bench.server.html_only();
        }
        bench.server.forget();
        run(async {
            let fetcher = bench.fetcher();
            let pages = join_all((0..3).map(|_| fetcher.project(PROJECT))).await;
            for page in pages {
                let page = page.unwrap();
                assert_eq!(page.files.len(), 10_000);
                assert!(page.file("alpha-9999.0-py3-none-any.whl").is_some());
            }
        });
        assert_asked(&bench, &[(PAGE, None)]);
    }
}

#[test]
fn a_page_without_end_is_bounded_in_both_formats() {
    for content_type in ["text/html", "application/vnd.pypi.simple.v1+json"] {
        let mut bench = Bench::new();
        bench.limits.page_size = 1 << 20;
        let start = b"{\"meta\":{\"api-version\":\"1.1\"},\"files\":[";
        let head = message("200 OK", &[("Content-Type", content_type)], start);
        bench.server.always(PAGE, Answer::Endless(head));
        let problem = run(async { bench.fetcher().project(PROJECT).await }).unwrap_err();
        let shown = problem.to_string();
        assert!(shown.contains("larger than 1048576 bytes"), "{shown}");
        assert_asked(&bench, &[(PAGE, None)]);
    }
}

#[test]
fn a_project_that_vanishes_between_two_runs_is_missing() {
    let bench = Bench::with(&large());
    bench.files();
    bench.server.always(PAGE, Answer::status("404 Not Found"));
    let problem = run(async { bench.fetcher().project(PROJECT).await }).unwrap_err();
    assert!(
        matches!(problem, SourceProblem::Missing { .. }),
        "{problem:?}"
    );
}
