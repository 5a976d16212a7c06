//! Sources: each way in which one can fail, by a loopback server that misbehaves that way.

use std::ffi::OsString;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use futures_util::StreamExt;
use ipwhl::source::{
    Cache, ClientSettings, CoreMetadataFile, FetchError, FetchEvent, FetchSettings, FetchedWheel,
    Fetcher, IndexFile, IndexSearch, Limits, MismatchKind, SourceLocation, SourceOutcome,
    SourceProblem, WheelRequest,
};
use ipwhl_unixfs::{Cid, FileHasher, Profile, Sha256Digest};
use tempfile::TempDir;
use url::Url;

use crate::support::http;
use crate::support::loopback_index::{Answer, Hosted, LoopbackIndex, etag, message};

const PROJECT: &str = "click";
const FILE_NAME: &str = "click-8.1.7-py3-none-any.whl";
const PATH: &str = "/files/click-8.1.7-py3-none-any.whl";

/// Bytes that are no wheel, which this room does not care about.
fn bytes(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .collect()
}

fn cid(profile: Profile, bytes: &[u8]) -> Cid {
    let mut hasher = FileHasher::new(profile);
    hasher.update(bytes);
    hasher.finish().0.cid()
}

fn request(bytes: &[u8], sources: Vec<SourceLocation>) -> WheelRequest {
    WheelRequest {
        project: PROJECT.to_owned(),
        file_name: FILE_NAME.to_owned(),
        sources,
        content_id: cid(Profile::UnixfsV1_2025, bytes),
        sha256: None,
        size: None,
    }
}

fn package_url() -> SourceLocation {
    SourceLocation::PackageUrl {
        project: PROJECT.to_owned(),
        version: "8.1.7".to_owned(),
        file_name: FILE_NAME.to_owned(),
    }
}

fn web(url: &str) -> SourceLocation {
    SourceLocation::Web(Url::parse(url).unwrap())
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

/// A server and everything that fetches from it.
struct Bench {
    server: LoopbackIndex,
    folder: TempDir,
    limits: Limits,
    index_url: Option<String>,
    gateways: Vec<String>,
    variables: Vec<(&'static str, OsString)>,
    offline: bool,
    jobs: usize,
}

impl Bench {
    fn new() -> Self {
        Self::on(LoopbackIndex::start())
    }

    fn on(server: LoopbackIndex) -> Self {
        Self {
            index_url: Some(server.index_url()),
            server,
            folder: tempfile::tempdir().unwrap(),
            limits: Limits {
                attempts: 3,
                first_delay: Duration::from_millis(1),
                longest_delay: Duration::from_millis(2),
                ..Limits::default()
            },
            gateways: Vec::new(),
            variables: Vec::new(),
            offline: false,
            jobs: 8,
        }
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
            index: IndexSearch::new(self.index_url.clone(), None, &variables),
            gateways: self
                .gateways
                .iter()
                .map(|url| url.parse().unwrap())
                .collect(),
            profile: Profile::UnixfsV1_2025,
            jobs: NonZeroUsize::new(self.jobs).unwrap(),
            offline: self.offline,
        })
    }

    /// A request whose one source is [`PATH`] on the server.
    fn request(&self, bytes: &[u8]) -> WheelRequest {
        request(bytes, vec![web(&self.server.url(PATH))])
    }

    fn fetch_with_events(
        &self,
        request: &WheelRequest,
    ) -> (Result<FetchedWheel, FetchError>, Vec<FetchEvent>) {
        let events = Mutex::new(Vec::new());
        let note = |event| events.lock().unwrap().push(event);
        let result = run(async { self.fetcher().fetch(0, request, &note).await });
        (result, events.into_inner().unwrap())
    }

    fn fetch(&self, request: &WheelRequest) -> Result<FetchedWheel, FetchError> {
        self.fetch_with_events(request).0
    }

    /// Fetches a wheel that must come, and must be these bytes.
    fn fetched(&self, request: &WheelRequest, bytes: &[u8]) -> FetchedWheel {
        let wheel = self.fetch(request).unwrap();
        assert!(fs::read(&wheel.path).unwrap() == bytes, "other bytes");
        assert_eq!(wheel.sha256, Sha256Digest::of(bytes));
        assert_eq!(wheel.dag.cid(), request.content_id);
        assert_eq!(wheel.size, bytes.len() as u64);
        wheel
    }

    /// The problems of a wheel that must not come; nothing of it may be left in the cache.
    fn problems(&self, request: &WheelRequest) -> Vec<SourceProblem> {
        let error = self.fetch(request).unwrap_err();
        assert!(self.cache().wheel(&request.content_id).is_none());
        assert_eq!(partial_files(self.cache().root()), Vec::<PathBuf>::new());
        let FetchError::Sources { problems, .. } = error else {
            panic!("{error:?}");
        };
        problems
    }

    /// The one problem of a wheel that has one source.
    fn problem(&self, request: &WheelRequest) -> SourceProblem {
        let mut problems = self.problems(request);
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems.remove(0)
    }

    fn check(&self, request: &WheelRequest) -> Vec<SourceOutcome> {
        let requests = [request.clone()];
        run(async {
            let fetcher = self.fetcher();
            let mut checked = Box::pin(fetcher.check_sources(&requests, &|_| {}));
            let (position, outcomes) = checked.next().await.unwrap();
            assert_eq!(position, 0);
            outcomes.unwrap()
        })
    }

    fn index_file(&self) -> Result<IndexFile, SourceProblem> {
        run(async {
            let fetcher = self.fetcher();
            let index = fetcher.index().await?;
            index.file(PROJECT, FILE_NAME).await
        })
    }
}

fn partial_files(cache: &Path) -> Vec<PathBuf> {
    let Ok(folders) = fs::read_dir(cache.join("partial")) else {
        return Vec::new();
    };
    folders.map(|entry| entry.unwrap().path()).collect()
}

#[track_caller]
fn assert_failed(problem: &SourceProblem, words: &str) {
    let (SourceProblem::Failed { reason, .. } | SourceProblem::TooLarge { reason, .. }) = problem
    else {
        panic!("{problem:?}");
    };
    assert!(reason.contains(words), "{reason}");
    assert!(!problem.is_finding());
}

#[track_caller]
fn assert_missing(problem: &SourceProblem, words: &str) {
    let SourceProblem::Missing { reason, .. } = problem else {
        panic!("{problem:?}");
    };
    assert!(reason.contains(words), "{reason}");
    assert!(problem.is_finding());
}

#[track_caller]
fn assert_mismatch(problem: &SourceProblem, kinds: &[MismatchKind]) {
    let SourceProblem::Mismatch { mismatches, .. } = problem else {
        panic!("{problem:?}");
    };
    let found: Vec<MismatchKind> = mismatches.iter().map(|one| one.kind).collect();
    assert_eq!(found, kinds);
    assert!(problem.is_finding());
}

/// The `Range` header of each request for [`PATH`].
fn ranges(server: &LoopbackIndex) -> Vec<Option<String>> {
    let requests = server.requests();
    let wanted = requests.iter().filter(|request| request.path == PATH);
    wanted
        .map(|request| request.headers.get("range").cloned())
        .collect()
}

fn retries(events: &[FetchEvent]) -> Vec<(String, Duration)> {
    let retry = |event: &FetchEvent| match event {
        FetchEvent::Retrying { reason, delay, .. } => Some((reason.clone(), *delay)),
        _ => None,
    };
    events.iter().filter_map(retry).collect()
}

// What goes well.

#[test]
fn a_wheel_comes_through_a_json_index() {
    let bench = Bench::new();
    let bytes = bytes(300_000);
    bench.server.host(Hosted::new(PROJECT, FILE_NAME, &bytes));
    let wheel = bench.fetched(&request(&bytes, vec![package_url()]), &bytes);
    assert_eq!(
        wheel.from.as_deref(),
        Some("pkg:pypi/click@8.1.7?file_name=click-8.1.7-py3-none-any.whl")
    );
    let requests = bench.server.requests();
    assert_eq!(bench.server.paths(), ["/simple/click/", PATH]);
    assert!(requests[0].headers["accept"].starts_with("application/vnd.pypi.simple.v1+json, "));
    for request in &requests {
        assert_eq!(request.headers["accept-encoding"], "identity");
        assert!(request.headers["user-agent"].starts_with("ipwhl/"));
    }
}

/// A time that is none hides neither the file nor the others.
#[test]
fn an_invalid_time_of_an_upload_is_unknown() {
    for is_html in [false, true] {
        let bench = Bench::new();
        let mut hosted = Hosted::new(PROJECT, FILE_NAME, b"wheel");
        hosted.uploaded = Some("yesterday".to_owned());
        bench.server.host(hosted);
        if is_html {
            bench.server.html_only();
        }
        assert_eq!(bench.index_file().unwrap().uploaded, None);
    }
}

#[test]
fn json_and_html_pages_say_the_same() {
    let bench = Bench::new();
    let mut hosted = Hosted::new(PROJECT, FILE_NAME, b"wheel");
    hosted.requires_python = Some(">=3.7,<4 & more".to_owned());
    hosted.yanked = Some("broken <badly>".to_owned());
    hosted.metadata = Some(b"Metadata-Version: 2.1\n".to_vec());
    hosted.uploaded = Some("2023-08-17T17:29:11.500000Z".to_owned());
    bench.server.host(hosted);
    let json = bench.index_file().unwrap();
    bench.server.html_only();
    let html = bench.index_file().unwrap();
    assert_eq!(html.requires_python.as_deref(), Some(">=3.7,<4 & more"));
    assert_eq!(html.yanked.as_deref(), Some("broken <badly>"));
    let metadata = Sha256Digest::of(b"Metadata-Version: 2.1\n");
    assert_eq!(html.core_metadata, CoreMetadataFile::Sha256(metadata));
    assert_eq!(html.sha256, Some(Sha256Digest::of(b"wheel")));
    assert_eq!(html.url.as_str(), bench.server.url(PATH));
    assert_eq!(html.uploaded, "2023-08-17T17:29:11.5Z".parse().ok());
    // HTML cannot say the size (PEP 700).
    assert_eq!((html.size, json.size), (None, Some(5)));
    let without_size = IndexFile { size: None, ..json };
    assert!(without_size == html, "{without_size:?} {html:?}");
}

#[test]
fn a_wheel_comes_through_an_index_that_has_html_only() {
    let bench = Bench::new();
    bench.server.html_only();
    bench.server.host(Hosted::new(PROJECT, FILE_NAME, b"wheel"));
    bench.fetched(&request(b"wheel", vec![package_url()]), b"wheel");
}

#[test]
fn html_pages_of_the_wild_are_read() {
    let bench = Bench::new();
    let page = "<HTML><head><BASE HREF='/else/where/'><meta name=pypi:repository-version content=1.9>\
        <script>\"<a href='no-1.0-py3-none-any.whl'>\"</script></head><body>\
        <!-- <a href='no-2.0-py3-none-any.whl'>no</a> --><a>no address</a><a href='/'>home</a>\
        <A HREF=../my%2Bwheel-1.0%2Blocal-py3-none-any.whl?token=1&amp;b=2#md5=1&amp;sha256=E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855 \
        data-dist-info-metadata=true data-yanked data-requires-python='&gt;=3.8'>x</A>";
    let answer = Answer::whole(
        "200 OK",
        &[("Content-Type", "text/html; charset=utf-8")],
        page.as_bytes(),
    );
    bench.server.always("/simple/click/", answer);
    let files = run(async {
        let fetcher = bench.fetcher();
        let page = fetcher.index().await.unwrap().project(PROJECT).await;
        page.unwrap().files.clone()
    });
    assert_eq!(files.len(), 1, "{files:?}");
    let file = &files[0];
    assert_eq!(file.file_name, "my+wheel-1.0+local-py3-none-any.whl");
    assert_eq!(
        file.url.as_str(),
        bench
            .server
            .url("/else/my%2Bwheel-1.0%2Blocal-py3-none-any.whl?token=1&b=2")
    );
    assert_eq!(file.sha256, Some(Sha256Digest::of(b"")));
    assert_eq!(file.yanked.as_deref(), Some(""));
    assert_eq!(file.requires_python.as_deref(), Some(">=3.8"));
    assert_eq!(file.core_metadata, CoreMetadataFile::Unverifiable);
}

#[test]
fn addresses_on_a_page_are_relative_to_where_it_was_found() {
    let bench = Bench::new();
    bench.server.host(Hosted::new(PROJECT, FILE_NAME, b"wheel"));
    let page = format!("<a href='{FILE_NAME}'>x</a>");
    let answer = Answer::whole("200 OK", &[("Content-Type", "text/html")], page.as_bytes());
    bench
        .server
        .queue("/simple/click/", [Answer::redirect("/files/")]);
    bench.server.queue("/files/", [answer]);
    assert_eq!(
        bench.index_file().unwrap().url.as_str(),
        bench.server.url(PATH)
    );
}

#[test]
fn metadata_beside_a_wheel_is_verified() {
    let bench = Bench::new();
    let mut hosted = Hosted::new(PROJECT, FILE_NAME, b"wheel");
    hosted.metadata = Some(b"Metadata-Version: 2.1\n".to_vec());
    bench.server.host(hosted);
    let metadata = || {
        run(async {
            let fetcher = bench.fetcher();
            let index = fetcher.index().await.unwrap();
            let file = index.file(PROJECT, FILE_NAME).await.unwrap();
            index.metadata(&file).await
        })
    };
    assert_eq!(
        metadata().unwrap().as_deref(),
        Some(b"Metadata-Version: 2.1\n".as_slice())
    );
    let changed = Answer::whole("200 OK", &[], b"Metadata-Version: 2.2\n");
    bench.server.queue(&format!("{PATH}.metadata"), [changed]);
    assert_mismatch(&metadata().unwrap_err(), &[MismatchKind::Sha256]);
}

#[test]
fn a_listed_file_is_verified_with_what_the_index_says_and_kept() {
    let bench = Bench::new();
    let bytes = bytes(10_000);
    bench.server.host(Hosted::new(PROJECT, FILE_NAME, &bytes));
    let fetch = || {
        run(async {
            let fetcher = bench.fetcher();
            let file = fetcher
                .index()
                .await
                .unwrap()
                .file(PROJECT, FILE_NAME)
                .await;
            fetcher.fetch_listed(0, &file.unwrap(), &|_| {}).await
        })
    };
    bench
        .server
        .queue(PATH, [Answer::whole("200 OK", &[], &[0; 10_000])]);
    let FetchError::Sources { problems, .. } = fetch().unwrap_err() else {
        panic!("not a problem of the source");
    };
    assert_mismatch(&problems[0], &[MismatchKind::Sha256]);
    let wheel = fetch().unwrap();
    assert_eq!(wheel.dag.cid(), cid(Profile::UnixfsV1_2025, &bytes));
    assert!(wheel.from.is_some());
    // The third time, the cache knows the SHA-256.
    assert_eq!(fetch().unwrap().from, None);
}

#[test]
fn many_wheels_share_a_few_connections_and_one_page() {
    let mut bench = Bench::new();
    bench.jobs = 2;
    let names: Vec<String> = (0..20)
        .map(|n| format!("click-{n}-py3-none-any.whl"))
        .collect();
    let mut requests = Vec::new();
    for (n, name) in names.iter().enumerate() {
        let bytes = bytes(1000 + n);
        bench.server.host(Hosted::new(PROJECT, name, &bytes));
        let source = SourceLocation::PackageUrl {
            project: PROJECT.to_owned(),
            version: n.to_string(),
            file_name: name.clone(),
        };
        requests.push(request(&bytes, vec![source]));
    }
    let mut results = run(async {
        let fetcher = bench.fetcher();
        let results: Vec<_> = fetcher.fetch_all(&requests, &|_| {}).collect().await;
        results
    });
    results.sort_by_key(|(position, _)| *position);
    for (position, result) in results {
        assert_eq!(result.unwrap().dag.cid(), requests[position].content_id);
    }
    let paths = bench.server.paths();
    assert_eq!(paths.len(), 21, "one page and twenty files");
    assert!(
        bench.server.connections() <= 4,
        "{} connections",
        bench.server.connections()
    );
}

#[test]
fn the_declared_cid_may_be_of_any_profile() {
    let bench = Bench::new();
    let bytes = bytes(1_500_000);
    bench.server.put(PATH, &bytes);
    for profile in Profile::ALL {
        let mut request = bench.request(&bytes);
        request.content_id = cid(profile, &bytes);
        assert_eq!(bench.fetched(&request, &bytes).dag.profile(), profile);
        // And again from the cache.
        let requests = bench.server.requests().len();
        let cached = bench.fetched(&request, &bytes);
        assert_eq!((cached.from, cached.dag.profile()), (None, profile));
        assert_eq!(bench.server.requests().len(), requests);
    }
}

#[test]
fn a_local_file_is_hashed_too() {
    let bench = Bench::new();
    let path = bench.folder.path().join(FILE_NAME);
    let file = |path: &str| SourceLocation::File {
        directory: bench.folder.path().to_owned(),
        path: path.to_owned(),
    };
    let request = request(b"wheel", vec![file(FILE_NAME)]);
    assert_missing(&bench.problem(&request), "there is no such file");
    fs::write(&path, b"other").unwrap();
    assert_mismatch(&bench.problem(&request), &[MismatchKind::ContentId]);
    fs::write(&path, b"wheel").unwrap();
    bench.fetched(&request, b"wheel");
    fs::create_dir(bench.folder.path().join("folder")).unwrap();
    let request = self::request(b"x", vec![file("folder")]);
    assert_missing(&bench.problem(&request), "not a regular file");
    assert_eq!(bench.server.connections(), 0);
}

// What fails.

#[test]
fn down() {
    let bench = Bench::new();
    let free = http::closed();
    let request = request(b"wheel", vec![web(&format!("{free}{PATH}"))]);
    let (result, events) = bench.fetch_with_events(&request);
    assert!(!result.unwrap_err().is_finding());
    assert_eq!(retries(&events).len(), 2, "three attempts");
    assert_failed(&bench.problem(&request), "no connection");
}

#[test]
fn a_host_that_let_nobody_connect_is_asked_once_for_each_further_file() {
    let bench = Bench::new();
    let free = http::closed();
    let fetcher = bench.fetcher();
    let request = |name: &str| request(b"wheel", vec![web(&format!("{free}/{name}"))]);
    let events = Mutex::new(Vec::new());
    let note = |event| events.lock().unwrap().push(event);
    let result = run(async {
        fetcher
            .fetch(0, &request(FILE_NAME), &note)
            .await
            .unwrap_err();
        fetcher.fetch(1, &request(FILE_NAME), &note).await
    });
    assert!(!result.unwrap_err().is_finding());
    let events = events.into_inner().unwrap();
    assert_eq!(
        retries(&events).len(),
        2,
        "three attempts, then one: {events:?}"
    );
}

#[test]
fn an_index_that_is_down_names_the_package_and_the_address() {
    let mut bench = Bench::new();
    let free = http::closed();
    bench.index_url = Some(format!("{free}/simple"));
    let problem = bench.problem(&request(b"wheel", vec![package_url()]));
    assert_failed(&problem, "no connection");
    assert_eq!(
        problem.place(),
        format!("{} ({free}/simple/click/)", package_url())
    );
}

#[test]
fn not_found_404() {
    let bench = Bench::new();
    assert_missing(&bench.problem(&bench.request(b"wheel")), "404 Not Found");
    assert_eq!(
        bench.server.requests().len(),
        1,
        "asking again does not help"
    );
}

#[test]
fn gone_410() {
    let bench = Bench::new();
    bench.server.always(PATH, Answer::status("410 Gone"));
    assert_missing(&bench.problem(&bench.request(b"wheel")), "410 Gone");
}

#[test]
fn a_file_or_a_project_that_the_index_does_not_have() {
    let bench = Bench::new();
    let request = request(b"wheel", vec![package_url()]);
    assert_missing(&bench.problem(&request), "404 Not Found");
    bench
        .server
        .host(Hosted::new(PROJECT, "click-9-py3-none-any.whl", b"wheel"));
    assert_missing(
        &bench.problem(&request),
        "the index has no file `click-8.1.7-py3-none-any.whl`",
    );
}

#[test]
fn credentials_are_missing() {
    let bench = Bench::new();
    bench.server.put(PATH, b"wheel");
    bench.server.require_credentials("me", "secret");
    assert_failed(&bench.problem(&bench.request(b"wheel")), "credentials");
}

#[test]
fn a_server_error_500_then_ok() {
    let bench = Bench::new();
    bench.server.put(PATH, b"wheel");
    bench.server.queue(
        PATH,
        [
            Answer::status("500 Internal Server Error"),
            Answer::status("503 Service Unavailable"),
        ],
    );
    bench.fetched(&bench.request(b"wheel"), b"wheel");
    assert_eq!(bench.server.requests().len(), 3);
}

#[test]
fn a_server_error_that_stays() {
    let bench = Bench::new();
    bench.server.always(PATH, Answer::status("502 Bad Gateway"));
    assert_failed(&bench.problem(&bench.request(b"wheel")), "502 Bad Gateway");
    assert_eq!(bench.server.requests().len(), 3);
}

#[test]
fn an_index_page_500_then_ok() {
    let bench = Bench::new();
    bench.server.host(Hosted::new(PROJECT, FILE_NAME, b"wheel"));
    bench.server.queue(
        "/simple/click/",
        [Answer::status("500 Internal Server Error")],
    );
    bench.fetched(&request(b"wheel", vec![package_url()]), b"wheel");
}

#[test]
fn too_many_requests_429_is_waited_for_as_long_as_asked() {
    let bench = Bench::new();
    bench.server.put(PATH, b"wheel");
    let answer = Answer::whole("429 Too Many Requests", &[("Retry-After", "1")], b"");
    bench.server.queue(PATH, [answer]);
    let (result, events) = bench.fetch_with_events(&bench.request(b"wheel"));
    assert!(result.is_ok());
    assert_eq!(retries(&events)[0].1, Duration::from_secs(1));
}

#[test]
fn too_many_requests_429_is_not_waited_for_at_any_length() {
    let bench = Bench::new();
    let answer = Answer::whole("429 Too Many Requests", &[("Retry-After", "7200")], b"");
    bench.server.always(PATH, answer);
    assert_failed(
        &bench.problem(&bench.request(b"wheel")),
        "asks to wait 7200 s",
    );
    assert_eq!(bench.server.requests().len(), 1);
}

#[test]
fn a_body_that_is_cut_is_continued() {
    let bench = Bench::new();
    let bytes = bytes(500_000);
    bench.server.put(PATH, &bytes);
    let tag = etag(&bytes);
    bench
        .server
        .queue(PATH, [Answer::cut(&bytes, 200_000, &[("ETag", &tag)])]);
    bench.fetched(&bench.request(&bytes), &bytes);
    assert_eq!(
        ranges(&bench.server),
        [None, Some("bytes=200000-".to_owned())]
    );
    assert_eq!(bench.server.requests()[1].headers["if-range"], tag);
}

#[test]
fn a_body_that_is_cut_again_and_again_gets_through_while_it_comes_further() {
    let mut bench = Bench::new();
    bench.limits.progress = 1000;
    let bytes = bytes(20_000);
    bench.server.put(PATH, &bytes);
    let tag = etag(&bytes);
    let rest = |start: usize, end: usize| {
        let range = format!("bytes {start}-19999/20000");
        let length = (20_000 - start).to_string();
        let headers = [
            ("ETag", &*tag),
            ("Content-Range", &range),
            ("Content-Length", &length),
        ];
        Answer::raw("206 Partial Content", &headers, &bytes[start..end])
    };
    bench
        .server
        .queue(PATH, [Answer::cut(&bytes, 2000, &[("ETag", &tag)])]);
    bench
        .server
        .queue(PATH, (1..9).map(|n| rest(n * 2000, n * 2000 + 2000)));
    // Ten requests, though three in a row without progress would be the end.
    bench.fetched(&bench.request(&bytes), &bytes);
    assert_eq!(bench.server.requests().len(), 10);
}

#[test]
fn a_body_that_is_always_cut_at_one_place_is_given_up() {
    let bench = Bench::new();
    let bytes = bytes(20_000);
    bench.server.always(PATH, Answer::cut(&bytes, 5000, &[]));
    assert_failed(&bench.problem(&bench.request(&bytes)), "cut");
    assert_eq!(ranges(&bench.server), [None, None, None]);
}

#[test]
fn a_rest_that_is_not_the_rest_is_not_believed() {
    let bytes = bytes(50_000);
    let tag = etag(&bytes);
    let other = etag(b"other");
    let (tag, other) = (tag.as_str(), other.as_str());
    for (headers, start) in [
        (
            vec![("Content-Range", "bytes 19999-49999/50000"), ("ETag", tag)],
            19_999,
        ),
        (
            vec![("Content-Range", "bytes 20000-49998/50000"), ("ETag", tag)],
            20_000,
        ),
        (
            vec![("Content-Range", "bytes 20000-49999/*"), ("ETag", tag)],
            20_000,
        ),
        (
            vec![("Content-Range", "bytes 20000-50000/50001"), ("ETag", tag)],
            20_000,
        ),
        (
            vec![
                ("Content-Range", "bytes 20000-49999/50000"),
                ("ETag", other),
            ],
            20_000,
        ),
        (vec![("ETag", tag)], 20_000),
    ] {
        let bench = Bench::new();
        bench.server.put(PATH, &bytes);
        let wrong = Answer::whole("206 Partial Content", &headers, &bytes[start..]);
        bench
            .server
            .queue(PATH, [Answer::cut(&bytes, 20_000, &[("ETag", tag)]), wrong]);
        bench.fetched(&bench.request(&bytes), &bytes);
        let rest = Some("bytes=20000-".to_owned());
        assert_eq!(ranges(&bench.server), [None, rest, None], "{headers:?}");
    }
}

#[test]
fn a_range_that_is_refused_with_416_starts_anew() {
    let bench = Bench::new();
    let bytes = bytes(50_000);
    bench.server.put(PATH, &bytes);
    let cut = Answer::cut(&bytes, 20_000, &[("ETag", "\"1\"")]);
    bench
        .server
        .queue(PATH, [cut, Answer::status("416 Range Not Satisfiable")]);
    bench.fetched(&bench.request(&bytes), &bytes);
    assert_eq!(bench.server.requests().len(), 3);
}

#[test]
fn a_file_that_changed_meanwhile_starts_anew_with_a_new_hash() {
    let bench = Bench::new();
    let bytes = bytes(50_000);
    bench.server.put(PATH, &bytes);
    // The first half of another file: the server answers 200 since the ETag is another.
    let old = vec![7; 50_000];
    bench
        .server
        .queue(PATH, [Answer::cut(&old, 20_000, &[("ETag", "\"old\"")])]);
    let (result, events) = bench.fetch_with_events(&bench.request(&bytes));
    assert!(fs::read(result.unwrap().path).unwrap() == bytes);
    assert_eq!(
        ranges(&bench.server),
        [None, Some("bytes=20000-".to_owned())]
    );
    assert!(events.contains(&FetchEvent::Discarded {
        wheel: 0,
        count: 20_000
    }));
}

#[test]
fn without_a_strong_etag_nothing_is_continued() {
    let bytes = bytes(50_000);
    for headers in [
        vec![],
        vec![("ETag", "W/\"weak\"")],
        vec![("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")],
    ] {
        let bench = Bench::new();
        bench.server.put(PATH, &bytes);
        bench
            .server
            .queue(PATH, [Answer::cut(&bytes, 20_000, &headers)]);
        bench.fetched(&bench.request(&bytes), &bytes);
        assert_eq!(ranges(&bench.server), [None, None], "{headers:?}");
    }
}

#[test]
fn a_body_that_stalls_is_continued_after_the_idle_time() {
    let mut bench = Bench::new();
    bench.limits.idle_timeout = Duration::from_millis(100);
    let bytes = bytes(50_000);
    bench.server.put(PATH, &bytes);
    let tag = etag(&bytes);
    let headers = [("Content-Length", "50000"), ("ETag", tag.as_str())];
    let start = message("200 OK", &headers, &bytes[..20_000]);
    bench.server.queue(PATH, [Answer::Stall(start.clone())]);
    let (result, events) = bench.fetch_with_events(&bench.request(&bytes));
    assert!(fs::read(result.unwrap().path).unwrap() == bytes);
    assert_eq!(retries(&events)[0].0, "no byte came within 100 ms");

    // One that always stalls is given up.
    let bench = Bench {
        limits: bench.limits.clone(),
        ..Bench::new()
    };
    bench.server.always(PATH, Answer::Stall(start));
    assert_failed(&bench.problem(&bench.request(&bytes)), "no byte came");
}

#[test]
fn a_server_that_never_answers() {
    let mut bench = Bench::new();
    bench.limits.response_timeout = Duration::from_millis(100);
    bench.server.always(PATH, Answer::Stall(Vec::new()));
    assert_failed(
        &bench.problem(&bench.request(b"wheel")),
        "no answer within 100 ms",
    );
}

#[test]
fn too_large_by_its_own_words() {
    let mut bench = Bench::new();
    bench.limits.wheel_size = 1000;
    bench.server.put(PATH, &bytes(1001));
    assert_failed(&bench.problem(&bench.request(&bytes(1001))), "1001 bytes");
    let request = WheelRequest {
        size: Some(900),
        ..bench.request(b"wheel")
    };
    assert_mismatch(&bench.problem(&request), &[MismatchKind::Size]);
}

#[test]
fn endless() {
    let mut bench = Bench::new();
    bench.limits.wheel_size = 100_000;
    // Without a length, the end of the connection is the end of the body, and it never comes.
    let head = message("200 OK", &[], b"");
    bench.server.always(PATH, Answer::Endless(head));
    let (result, events) = bench.fetch_with_events(&bench.request(b"wheel"));
    assert!(result.is_err());
    let taken = |event: &FetchEvent| match event {
        FetchEvent::Bytes { count, .. } => *count,
        _ => 0,
    };
    assert!(events.iter().map(taken).sum::<u64>() <= 100_000);
    let problem = bench.problem(&bench.request(b"wheel"));
    assert_failed(&problem, "more than 100000 bytes");
    let request = WheelRequest {
        size: Some(5),
        ..bench.request(b"wheel")
    };
    assert_mismatch(&bench.problem(&request), &[MismatchKind::Size]);
}

#[test]
fn an_endless_index_page() {
    let mut bench = Bench::new();
    bench.limits.page_size = 100_000;
    let head = message("200 OK", &[("Content-Type", "text/html")], b"");
    bench.server.always("/simple/click/", Answer::Endless(head));
    assert_failed(&bench.index_file().unwrap_err(), "larger than 100000 bytes");
    assert_eq!(bench.server.requests().len(), 1);
}

#[test]
fn a_wrong_content_length() {
    // Longer than the body: the connection ends too early.
    let bench = Bench::new();
    let headers = [("Content-Length", "100")];
    bench
        .server
        .always(PATH, Answer::raw("200 OK", &headers, b"wheel"));
    assert_failed(&bench.problem(&bench.request(b"wheel")), "cut");
    // Shorter: what is said to be the file is not.
    let bench = Bench::new();
    let headers = [("Content-Length", "3")];
    bench
        .server
        .always(PATH, Answer::raw("200 OK", &headers, b"wheel"));
    assert_mismatch(
        &bench.problem(&bench.request(b"wheel")),
        &[MismatchKind::ContentId],
    );
}

#[test]
fn a_body_without_a_length_that_ends_early_is_cut_and_not_wrong() {
    let bench = Bench::new();
    bench
        .server
        .always(PATH, Answer::raw("200 OK", &[], b"whe"));
    let request = WheelRequest {
        size: Some(5),
        ..bench.request(b"wheel")
    };
    assert_failed(&bench.problem(&request), "cut after 3 of 5 bytes");
}

#[test]
fn a_body_that_is_encoded_though_nobody_asked() {
    let bench = Bench::new();
    bench.server.always(
        PATH,
        Answer::whole("200 OK", &[("Content-Encoding", "gzip")], b"\x1f\x8b"),
    );
    assert_failed(&bench.problem(&bench.request(b"wheel")), "`gzip`");
    bench.server.always(
        "/simple/click/",
        Answer::whole(
            "200 OK",
            &[("Content-Encoding", "gzip"), ("Content-Type", "text/html")],
            b"\x1f\x8b",
        ),
    );
    assert_failed(&bench.index_file().unwrap_err(), "`gzip`");
}

#[test]
fn a_page_that_is_no_page_of_an_index() {
    let bench = Bench::new();
    let json = "application/vnd.pypi.simple.v1+json";
    let digest = "{\"meta\":{\"api-version\":\"1.0\"},\"files\":[{\"filename\":\"a\",\"url\":\"a\",\
        \"hashes\":{\"sha256\":\"zz\"}}]}";
    for (content_type, body, words) in [
        ("image/png", "", "`image/png`"),
        (json, "{", "cannot be read"),
        (json, "{\"meta\":{\"api-version\":\"2.0\"}}", "version 2.0"),
        (json, digest, "no valid sha256 of a"),
        (
            "text/html",
            "<meta name='pypi:repository-version' content='2.0'>",
            "version 2.0",
        ),
    ] {
        let answer = Answer::whole("200 OK", &[("Content-Type", content_type)], body.as_bytes());
        bench.server.queue("/simple/click/", [answer]);
        assert_failed(&bench.index_file().unwrap_err(), words);
    }
}

#[test]
fn wrong_bytes_and_the_next_source_has_the_right_ones() {
    let bench = Bench::new();
    bench.server.put("/wrong", b"other");
    bench.server.put("/right", b"wheel");
    let sources = ["/wrong", "/gone", "/right"].map(|path| web(&bench.server.url(path)));
    let wheel = bench.fetched(&request(b"wheel", sources.to_vec()), b"wheel");
    assert_eq!(wheel.from, Some(bench.server.url("/right")));
    assert_mismatch(&wheel.rejected[0], &[MismatchKind::ContentId]);
    assert_missing(&wheel.rejected[1], "404");
}

#[test]
fn all_sources_fail_and_all_are_named() {
    let bench = Bench::new();
    bench.server.put("/wrong", b"other");
    bench
        .server
        .always("/down", Answer::status("503 Service Unavailable"));
    let sources = ["/wrong", "/gone", "/down"].map(|path| web(&bench.server.url(path)));
    let request = request(b"wheel", sources.to_vec());
    let error = bench.fetch(&request).unwrap_err();
    assert!(!error.is_finding(), "one of them may have it");
    let message = error.to_string();
    for path in ["/wrong", "/gone", "/down"] {
        assert!(message.contains(&bench.server.url(path)), "{message}");
    }
    let problems = bench.problems(&request);
    assert_mismatch(&problems[0], &[MismatchKind::ContentId]);
    assert_missing(&problems[1], "404");
    assert_failed(&problems[2], "503");
}

#[test]
fn a_declaration_that_contradicts_itself() {
    let bench = Bench::new();
    bench.server.put(PATH, b"wheel");
    let elsewhere = web(&bench.server.url("/elsewhere"));
    let request = WheelRequest {
        sha256: Some(Sha256Digest::of(b"other")),
        sources: vec![web(&bench.server.url(PATH)), elsewhere],
        ..bench.request(b"wheel")
    };
    for _ in 0..2 {
        let FetchError::Sources { problems, .. } = bench.fetch(&request).unwrap_err() else {
            panic!("not a problem of the source");
        };
        assert_mismatch(&problems[0], &[MismatchKind::Sha256]);
    }
    // The bytes have the declared content: they were kept and not fetched twice, and no other
    // source was asked, as it could only give the same.
    assert_eq!(bench.server.requests().len(), 1);
}

#[test]
fn redirects_lead_to_the_file_or_in_a_circle() {
    let bench = Bench::new();
    bench.server.put(PATH, b"wheel");
    bench.server.queue(
        "/start",
        [Answer::redirect("/second"), Answer::redirect("/circle")],
    );
    bench.server.queue("/second", [Answer::redirect(PATH)]);
    bench.server.always("/circle", Answer::redirect("/circle"));
    let request = request(b"wheel", vec![web(&bench.server.url("/start"))]);
    bench.fetched(&request, b"wheel");
    bench.cache().forget(&request.content_id);
    assert_failed(&bench.problem(&request), "redirects more than 10 times");
    assert_eq!(bench.server.requests().len(), 3 + 11);
}

#[test]
fn a_redirect_to_another_scheme_is_refused() {
    let bench = Bench::new();
    bench
        .server
        .always(PATH, Answer::redirect("file:///etc/passwd"));
    assert_failed(&bench.problem(&bench.request(b"wheel")), "scheme `file`");
}

#[test]
fn a_redirect_from_https_to_http_is_refused_and_certificates_are_those_of_the_environment() {
    let plain = LoopbackIndex::start();
    plain.put(PATH, b"wheel");
    for variable in [
        "PIP_CERT",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "SSL_CERT_FILE",
    ] {
        let mut bench = Bench::on(LoopbackIndex::start_tls());
        bench.variables = vec![(variable, LoopbackIndex::certificate().into())];
        bench.server.put(PATH, b"wheel");
        bench
            .server
            .always("/down", Answer::redirect(&plain.url(PATH)));
        let downgraded = request(b"wheel", vec![web(&bench.server.url("/down"))]);
        assert_failed(&bench.problem(&downgraded), "from https to http");
        bench.fetched(&bench.request(b"wheel"), b"wheel");
    }
    assert_eq!(plain.connections(), 0);
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused_at_once() {
    let bench = Bench::on(LoopbackIndex::start_tls());
    bench.server.put(PATH, b"wheel");
    let (result, events) = bench.fetch_with_events(&bench.request(b"wheel"));
    assert!(result.is_err());
    assert_eq!(retries(&events), []);
    assert_failed(
        &bench.problem(&bench.request(b"wheel")),
        "its certificate is refused",
    );
}

#[test]
fn certificates_that_cannot_be_read_are_named() {
    let mut bench = Bench::new();
    bench.variables = vec![("PIP_CERT", "/nowhere/bundle.pem".into())];
    let problem = bench.problem(&bench.request(b"wheel"));
    assert_failed(&problem, "PIP_CERT");
    assert_failed(&problem, "/nowhere/bundle.pem");
}

#[test]
fn a_proxy_of_the_environment_is_used_unless_the_host_is_excepted() {
    let proxy = LoopbackIndex::start();
    let target = "http://files.example.org/click-8.1.7-py3-none-any.whl";
    // A proxy is asked for the whole address.
    proxy.put(target, b"wheel");
    for variable in ["PIP_PROXY", "http_proxy", "HTTP_PROXY", "ALL_PROXY"] {
        let mut bench = Bench::new();
        bench.variables = vec![(variable, proxy.url("").into())];
        bench.fetched(&request(b"wheel", vec![web(target)]), b"wheel");
    }
    let mut bench = Bench::new();
    bench.server.put(PATH, b"wheel");
    bench.variables = vec![
        ("http_proxy", proxy.url("").into()),
        ("NO_PROXY", "127.0.0.1".into()),
    ];
    bench.fetched(&bench.request(b"wheel"), b"wheel");
    assert_eq!(proxy.paths(), [target; 4]);
}

#[test]
fn credentials_go_to_the_index_and_its_files_and_never_into_a_message() {
    let secret = "s3cr3t";
    let with = |url: String| url.replace("http://", &format!("http://me:{secret}@"));
    let mut bench = Bench::new();
    bench.index_url = Some(with(bench.server.index_url()));
    bench.server.require_credentials("me", secret);
    bench.server.host(Hosted::new(PROJECT, FILE_NAME, b"wheel"));
    let request = request(
        b"wheel",
        vec![package_url(), web(&with(bench.server.url("/x?k=s3cr3t")))],
    );
    let mut shown = vec![format!("{:?}", bench.fetched(&request, b"wheel"))];
    bench.cache().forget(&request.content_id);

    // Every kind of problem, of the file and of the page.
    let stranger = LoopbackIndex::start();
    for answer in [
        Answer::status("404 Not Found"),
        Answer::status("403 Forbidden"),
        Answer::status("500 Internal Server Error"),
        Answer::whole("200 OK", &[], b"other"),
        Answer::cut(b"wheel", 2, &[]),
        Answer::Raw(b"nonsense\r\n\r\n".to_vec()),
        Answer::redirect("ftp://me:s3cr3t@example.org/"),
        Answer::redirect(&with(stranger.url("/gone"))),
        Answer::redirect(&stranger.url("/gone")),
    ] {
        for path in [PATH, "/simple/click/"] {
            let bench = Bench {
                index_url: bench.index_url.clone(),
                ..Bench::new()
            };
            bench.server.host(Hosted::new(PROJECT, FILE_NAME, b"wheel"));
            bench.server.always(path, answer.clone());
            let own = with(bench.server.url(path));
            let index = Bench {
                index_url: Some(with(bench.server.index_url())),
                ..bench
            };
            let request = WheelRequest {
                sources: vec![package_url(), web(&own)],
                ..request.clone()
            };
            let (result, events) = index.fetch_with_events(&request);
            let error = result.unwrap_err();
            shown.push(format!("{error} {error:?} {events:?} {request:?}"));
        }
    }
    bench.index_url = Some(format!("me:{secret}@example.org/simple"));
    shown.push(bench.index_file().unwrap_err().to_string());
    bench.index_url = Some(with(bench.server.index_url()));
    bench.variables = vec![("HTTP_PROXY", format!("http://me:{secret}@[broken").into())];
    shown.push(bench.index_file().unwrap_err().to_string());
    for text in shown {
        assert!(!text.contains(secret), "{text}");
        assert!(!text.contains("czNjcjN0"), "{text}");
    }
    // A redirect to another origin takes no credentials with it, unless it has its own.
    let sent = stranger.requests();
    let with = |has: bool| {
        let count = sent
            .iter()
            .filter(|one| one.headers.contains_key("authorization") == has);
        count.count()
    };
    assert!(
        with(true) > 0 && with(true) == with(false),
        "{} {}",
        with(true),
        with(false)
    );
}

#[test]
fn offline_takes_the_cache_and_local_files_and_nothing_else() {
    let mut bench = Bench::new();
    bench.server.host(Hosted::new(PROJECT, FILE_NAME, b"wheel"));
    bench.gateways = vec![bench.server.url("")];
    let path = bench.folder.path().join(FILE_NAME);
    let both = request(
        b"wheel",
        vec![
            package_url(),
            SourceLocation::File {
                directory: bench.folder.path().to_owned(),
                path: FILE_NAME.to_owned(),
            },
        ],
    );
    bench.offline = true;
    for problem in bench.problems(&request(b"wheel", vec![package_url()])) {
        assert_failed(&problem, "--offline");
    }
    fs::write(&path, b"wheel").unwrap();
    bench.fetched(&both, b"wheel");
    // From now on it is in the cache.
    bench.fetched(&request(b"wheel", vec![package_url()]), b"wheel");
    assert_eq!(bench.server.connections(), 0);
}

#[test]
fn a_cached_wheel_asks_nobody() {
    let bench = Bench::new();
    bench.server.put(PATH, b"wheel");
    bench.fetched(&bench.request(b"wheel"), b"wheel");
    let connections = bench.server.connections();
    let (result, events) = bench.fetch_with_events(&bench.request(b"wheel"));
    assert_eq!(result.unwrap().from, None);
    assert_eq!(
        events,
        [FetchEvent::Finished {
            wheel: 0,
            cached: true,
            verified: true
        }]
    );
    assert_eq!(bench.server.connections(), connections);
}

#[test]
fn a_cached_wheel_that_has_changed_is_fetched_again() {
    let bench = Bench::new();
    let bytes = bytes(10_000);
    bench.server.put(PATH, &bytes);
    let request = bench.request(&bytes);
    let path = bench.fetched(&request, &bytes).path;
    // After a power failure, a file may have its size and its time, and not its bytes.
    for change in [&b"cut"[..], &[0; 10_000], b""] {
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        fs::write(&path, change).unwrap();
        let file = fs::File::options().append(true).open(&path).unwrap();
        file.set_modified(modified).unwrap();
        assert!(bench.fetched(&request, &bytes).from.is_some());
    }
    assert_eq!(bench.fetched(&request, &bytes).from, None);
    assert_eq!(bench.server.requests().len(), 4);
}

#[test]
fn facts_are_kept_by_version_and_key_and_only_whole() {
    let bench = Bench::new();
    let cache = bench.cache();
    let facts = vec![1_u64, 2, 3];
    assert_eq!(cache.facts::<Vec<u64>>("7", "bafy"), None);
    cache.keep_facts("7", "bafy", &facts).unwrap();
    cache.keep_facts("../../7", "a/../b c", &facts).unwrap();
    assert_eq!(cache.facts("7", "bafy"), Some(facts.clone()));
    assert_eq!(cache.facts("../../7", "a/../b c"), Some(facts.clone()));
    assert_eq!(cache.facts::<Vec<u64>>("8", "bafy"), None);
    assert_eq!(cache.facts::<String>("7", "bafy"), None, "of another type");

    let path = cache.root().join("facts/7.json/bafy.json");
    let whole = fs::read(&path).unwrap();
    for damage in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[damage] ^= 1;
        fs::write(&path, damaged).unwrap();
        assert_eq!(cache.facts::<Vec<u64>>("7", "bafy"), None, "byte {damage}");
        fs::write(&path, &whole[..damage]).unwrap();
        assert_eq!(
            cache.facts::<Vec<u64>>("7", "bafy"),
            None,
            "cut at {damage}"
        );
    }
    // Facts under another's name are not believed either.
    fs::write(cache.root().join("facts/7.json/other.json"), &whole).unwrap();
    assert_eq!(cache.facts::<Vec<u64>>("7", "other"), None);
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let bench = Bench::new();
    bench.server.put(PATH, b"wheel");
    fs::write(bench.folder.path().join("cache"), "a file, no folder").unwrap();
    let error = bench.fetch(&bench.request(b"wheel")).unwrap_err();
    let FetchError::Cache(error) = error else {
        panic!("{error:?}");
    };
    assert!(error.path().starts_with(bench.folder.path()), "{error}");
}

#[test]
fn a_mirror_is_asked_by_content_id_when_every_source_has_failed() {
    let mut bench = Bench::new();
    let request = bench.request(b"wheel");
    let path = format!("/ipfs/{}", request.content_id);
    bench.gateways = vec![bench.server.url(""), bench.server.url("/gateway/")];
    // What a mirror gives is verified like anything else.
    bench.server.put(&path, b"other");
    bench.server.put(&format!("/gateway{path}"), b"wheel");
    let wheel = bench.fetched(&request, b"wheel");
    assert_eq!(
        wheel.from,
        Some(bench.server.url(&format!("/gateway{path}")))
    );
    assert_missing(&wheel.rejected[0], "404");
    assert_mismatch(&wheel.rejected[1], &[MismatchKind::ContentId]);
    assert_eq!(bench.server.paths().len(), 3);
}

#[test]
fn each_source_is_asked_afresh_whatever_the_cache_and_the_others_have() {
    let mut bench = Bench::new();
    bench.server.put(PATH, b"wheel");
    bench.server.put("/wrong", b"other");
    bench.gateways = vec![bench.server.url("")];
    bench.fetched(&bench.request(b"wheel"), b"wheel");
    let sources = [PATH, "/wrong", "/gone", PATH].map(|path| web(&bench.server.url(path)));
    let request = request(b"wheel", sources.to_vec());
    let outcomes = bench.check(&request);
    let shown: Vec<_> = outcomes
        .iter()
        .map(|outcome| outcome.source.clone())
        .collect();
    assert_eq!(shown, sources);
    assert_eq!(outcomes[0].problem, None);
    assert_mismatch(
        outcomes[1].problem.as_ref().unwrap(),
        &[MismatchKind::ContentId],
    );
    assert_missing(outcomes[2].problem.as_ref().unwrap(), "404");
    assert_eq!(outcomes[3].problem, None);
    assert_eq!(bench.server.requests().len(), 5);
}

#[test]
fn a_fetch_that_is_given_up_leaves_nothing_behind() {
    let bench = Bench::new();
    let bytes = bytes(50_000);
    let headers = [("Content-Length", "50000")];
    let start = message("200 OK", &headers, &bytes[..20_000]);
    bench.server.always(PATH, Answer::Stall(start));
    let request = bench.request(&bytes);
    run(async {
        let fetcher = bench.fetcher();
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let note = |event| {
            let _ = sender.send(event);
        };
        tokio::select! {
            result = fetcher.fetch(0, &request, &note) => panic!("{result:?}"),
            // Until bytes have come.
            () = async { while !matches!(receiver.recv().await, Some(FetchEvent::Bytes { .. })) {} } => {}
        }
    });
    assert!(bench.cache().root().join("partial").is_dir());
    assert_eq!(partial_files(bench.cache().root()), Vec::<PathBuf>::new());
    assert!(bench.cache().open_wheel(&request.content_id).is_none());
}

#[test]
fn several_runs_share_one_cache() {
    let bench = Bench::new();
    let bytes = bytes(200_000);
    bench.server.put(PATH, &bytes);
    let request = bench.request(&bytes);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| bench.fetched(&request, &bytes));
        }
    });
    assert_eq!(bench.fetched(&request, &bytes).from, None);
    assert_eq!(partial_files(bench.cache().root()), Vec::<PathBuf>::new());
}
