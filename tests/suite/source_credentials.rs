//! Accounts at indexes and hosts: where they come from, and where they never go.

use std::ffi::OsString;
use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use ipwhl::source::{
    Cache, ClientSettings, FetchSettings, Fetcher, IndexSearch, KeyringProvider, Limits,
    SourceLocation, SourceProblem, WheelRequest, configured_keyring,
};
use ipwhl_unixfs::{FileHasher, Profile};
use tempfile::TempDir;
use url::Url;

use crate::support::in_process::environment;
use crate::support::loopback_index::{Answer, Hosted, LoopbackIndex};

const PROJECT: &str = "alpha";
const FILE_NAME: &str = "alpha-1.0-py3-none-any.whl";
const PATH: &str = "/files/alpha-1.0-py3-none-any.whl";
const SECRET: &str = "s3cr3t";

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

/// An index that wants `me` and [`SECRET`], and a home folder.
struct Bench {
    server: LoopbackIndex,
    folder: TempDir,
    argument: Option<String>,
    repository: Option<String>,
    keyring: KeyringProvider,
    variables: Vec<(&'static str, OsString)>,
    is_public_only: bool,
}

impl Bench {
    fn new() -> Self {
        Self::on(LoopbackIndex::start())
    }

    fn on(server: LoopbackIndex) -> Self {
        server.require_credentials("me", SECRET);
        server.host(Hosted::new(PROJECT, FILE_NAME, b"wheel"));
        let folder = tempfile::tempdir().unwrap();
        Self {
            argument: Some(server.index_url()),
            repository: None,
            keyring: KeyringProvider::Disabled,
            variables: vec![("HOME", folder.path().into())],
            is_public_only: false,
            server,
            folder,
        }
    }

    fn set(&mut self, name: &'static str, value: impl Into<OsString>) {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.into()));
    }

    fn netrc(&self, text: &str) -> PathBuf {
        let path = self.folder.path().join(".netrc");
        fs::write(&path, text).unwrap();
        path
    }

    /// `127.0.0.1` and the port of the server.
    fn host(&self) -> String {
        let url = Url::parse(&self.server.url("/")).unwrap();
        format!("127.0.0.1:{}", url.port().unwrap())
    }

    fn fetcher(&self) -> Fetcher {
        let variables = |name: &str| {
            let found = self.variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.clone())
        };
        let limits = Limits {
            attempts: 1,
            first_delay: Duration::from_millis(1),
            ..Limits::default()
        };
        let mut client =
            ClientSettings::from_variables(&variables, limits).with_keyring(self.keyring);
        if self.is_public_only {
            client = client.public_only(false);
        }
        Fetcher::new(FetchSettings {
            cache: Cache::new(self.folder.path().join("cache")),
            client,
            index: IndexSearch::new(self.argument.clone(), self.repository.clone(), &variables),
            gateways: Vec::new(),
            profile: Profile::UnixfsV1_2025,
            jobs: NonZeroUsize::MIN,
            offline: false,
        })
    }

    /// Reads the page of the project.
    fn page(&self) -> Result<(), SourceProblem> {
        let page = run(async { self.fetcher().project(PROJECT).await });
        page.map(|page| assert_eq!(page.files.len(), 1))
    }

    #[track_caller]
    fn assert_in(&self) {
        self.page().unwrap();
    }

    #[track_caller]
    fn assert_out(&self) {
        let shown = self.page().unwrap_err().to_string();
        assert!(shown.contains("401"), "{shown}");
        assert!(!shown.contains(SECRET), "{shown}");
    }

    /// Fetches the wheel from an address, as a declaration names one.
    fn fetch(&self, url: &str) -> Result<(), String> {
        let mut hasher = FileHasher::new(Profile::UnixfsV1_2025);
        hasher.update(b"wheel");
        let request = WheelRequest {
            project: PROJECT.to_owned(),
            file_name: FILE_NAME.to_owned(),
            sources: vec![SourceLocation::Web(url.parse().unwrap())],
            content_id: hasher.finish().0.cid(),
            sha256: None,
            size: None,
        };
        let _ = fs::remove_dir_all(self.folder.path().join("cache"));
        let fetched = run(async { self.fetcher().fetch(0, &request, &|_| {}).await });
        let shown = format!("{fetched:?}");
        assert!(!shown.contains(SECRET), "{shown}");
        match fetched {
            Ok(wheel) => {
                assert!(!wheel.from.unwrap().contains(SECRET));
                Ok(())
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Whether each request to a server had credentials.
fn authorized(server: &LoopbackIndex) -> Vec<bool> {
    let requests = server.requests();
    requests
        .iter()
        .map(|one| one.headers.contains_key("authorization"))
        .collect()
}

#[test]
fn the_variables_are_for_the_index_that_the_user_has_named() {
    let mut bench = Bench::new();
    bench.assert_out();
    bench.set("IPWHL_INDEX_USERNAME", "me");
    bench.set("IPWHL_INDEX_PASSWORD", SECRET);
    bench.assert_in();

    // The name may be in the address; a different one is another account.
    let index = bench.server.index_url();
    bench.argument = Some(index.replace("http://", "http://me@"));
    bench.assert_in();
    bench.argument = Some(index.replace("http://", "http://you@"));
    bench.assert_out();
    bench.argument = Some(index.replace("http://", "http://me:wrong@"));
    bench.assert_out();

    bench.argument = None;
    bench.set("IPWHL_INDEX_URL", index.clone());
    bench.assert_in();
    bench
        .variables
        .retain(|(name, _)| *name != "IPWHL_INDEX_URL");
    // A repository does not decide where a password goes.
    bench.repository = Some(index);
    bench.server.forget();
    bench.assert_out();
    assert_eq!(authorized(&bench.server), [false]);

    // Nor does a page, or a declaration.
    let stranger = LoopbackIndex::start();
    stranger.put(PATH, b"wheel");
    bench.argument = Some(bench.server.index_url());
    bench.assert_in();
    bench.fetch(&stranger.url(PATH)).unwrap();
    assert_eq!(authorized(&stranger), [false]);
}

#[test]
fn a_netrc_file_is_for_its_hosts() {
    let mut bench = Bench::new();
    let host = bench.host();
    let account = format!("login me password {SECRET}\n");
    // For the index that the user has named, the port does not matter.
    for machine in ["127.0.0.1", host.as_str()] {
        bench.netrc(&format!("machine {machine} {account}"));
        bench.assert_in();
    }
    for text in [
        format!("machine 127.0.0.2 {account}"),
        format!("default {account}"),
        format!("machine 127.0.0.1 login me password {SECRET}x"),
    ] {
        bench.netrc(&text);
        bench.assert_out();
    }
    // The file without a name in the environment is optional.
    fs::remove_file(bench.folder.path().join(".netrc")).unwrap();
    bench.assert_out();
    let other = bench.folder.path().join("accounts");
    fs::write(&other, format!("machine 127.0.0.1 {account}")).unwrap();
    bench.set("NETRC", other.clone());
    bench.assert_in();
    bench.set("NETRC", bench.folder.path().join("nowhere"));
    let shown = bench.page().unwrap_err().to_string();
    assert!(
        shown.contains("NETRC") && shown.contains("nowhere"),
        "{shown}"
    );

    // The variables go first, and the address before them.
    bench.set("NETRC", other);
    bench.set("IPWHL_INDEX_PASSWORD", "wrong");
    bench.assert_out();
    let index = bench.server.index_url();
    bench.argument = Some(index.replace("http://", &format!("http://me:{SECRET}@")));
    bench.assert_in();
}

#[test]
fn an_index_of_the_repository_and_sources_need_the_port_in_the_netrc_file() {
    let mut bench = Bench::new();
    bench.repository = bench.argument.take();
    let source = bench.server.url(PATH);
    let account = format!("login me password {SECRET}\n");
    bench.netrc(&format!("machine 127.0.0.1 {account}"));
    bench.assert_out();
    let error = bench.fetch(&source).unwrap_err();
    assert!(error.contains("401"), "{error}");
    bench.netrc(&format!("machine {} {account}", bench.host()));
    bench.assert_in();
    bench.fetch(&source).unwrap();
    // Changes of strangers get no account.
    bench.is_public_only = true;
    bench.server.forget();
    assert!(bench.page().is_err());
    assert!(bench.fetch(&source).is_err());
    assert!(!authorized(&bench.server).contains(&true));
}

#[test]
fn no_redirect_takes_an_account_to_another_origin() {
    let stranger = LoopbackIndex::start();
    let secure = LoopbackIndex::start_tls();
    for path in [PATH, "/simple/alpha/"] {
        let mut bench = Bench::on(LoopbackIndex::start());
        bench.set("PIP_CERT", LoopbackIndex::certificate());
        // The hosts of all three have an account, and so has the index.
        bench.netrc(&format!("machine 127.0.0.1 login me password {SECRET}\n"));
        bench.set("IPWHL_INDEX_USERNAME", "me");
        bench.set("IPWHL_INDEX_PASSWORD", SECRET);
        for target in [
            stranger.url(path),
            secure.url(path),
            stranger.url(path).replace("http://", "http://me@"),
        ] {
            bench.server.always(path, Answer::redirect(&target));
            bench.server.forget();
            let _ = bench.page();
            run(async {
                let fetcher = bench.fetcher();
                if let Ok(page) = fetcher.project(PROJECT).await {
                    let _ = fetcher.metadata(&page.files[0]).await;
                    let _ = fetcher.fetch_listed(0, &page.files[0], &|_| {}).await;
                }
            });
            assert!(authorized(&bench.server).iter().all(|has| *has));
        }
        // https to http is refused at once.
        let mut down = Bench::on(LoopbackIndex::start_tls());
        down.set("PIP_CERT", LoopbackIndex::certificate());
        down.netrc(&format!("machine 127.0.0.1 login me password {SECRET}\n"));
        down.server
            .always("/simple/alpha/", Answer::redirect(&stranger.url("/down")));
        let shown = down.page().unwrap_err().to_string();
        assert!(shown.contains("from https to http"), "{shown}");
        assert_eq!(authorized(&down.server), [true]);
    }
    for server in [&stranger, &secure] {
        assert!(!server.requests().is_empty());
        for request in server.requests() {
            let sent = request.headers.get("authorization");
            // A name in the redirect itself is the server's own word, without a password.
            assert!(sent.is_none_or(|sent| sent == "Basic bWU6"), "{request:?}");
            assert!(!format!("{request:?}").contains(SECRET));
        }
        assert!(!server.paths().iter().any(|path| path == "/down"));
    }
}

#[test]
fn a_redirect_within_the_origin_keeps_the_account() {
    let mut bench = Bench::new();
    bench.set("IPWHL_INDEX_USERNAME", "me");
    bench.set("IPWHL_INDEX_PASSWORD", SECRET);
    bench
        .server
        .queue("/simple/alpha/", [Answer::redirect("/else/alpha/")]);
    bench
        .server
        .queue("/else/alpha/", [Answer::redirect("/simple/alpha/")]);
    bench.assert_in();
    assert_eq!(authorized(&bench.server), [true; 3]);
}

#[cfg(unix)]
mod keyring {
    use std::os::unix::fs::PermissionsExt as _;

    use super::{Bench, KeyringProvider, PATH, PROJECT, PathBuf, SECRET, fs, run};

    /// Puts a `keyring` on `PATH` that knows the password of `me` at one service.
    fn install(bench: &mut Bench, service: &str) -> PathBuf {
        let folder = bench.folder.path().join("bin");
        let _ = fs::create_dir(&folder);
        let log = folder.join("log");
        let script = format!(
            "#!/bin/sh\necho \"$@\" >> '{}'\nif [ \"$1 $2 $3\" = 'get {service} me' ]; then\n  \
             echo {SECRET}\nelse\n  echo no >&2\n  exit 1\nfi\n",
            log.display()
        );
        let program = folder.join("keyring");
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        bench.set("PATH", folder);
        log
    }

    #[test]
    fn the_program_is_asked_only_if_the_user_wants_it() {
        let mut bench = Bench::new();
        let index = bench.server.index_url();
        let log = install(&mut bench, &index);
        bench.argument = Some(index.replace("http://", "http://me@"));
        bench.assert_out();
        assert!(!log.exists());
        bench.keyring = KeyringProvider::Subprocess;
        bench.assert_in();
        assert_eq!(
            fs::read_to_string(&log).unwrap(),
            format!("get {index} me\n")
        );

        // `keyring` needs a user name. The variable or netrc can give one.
        bench.argument = Some(index.clone());
        bench.assert_out();
        bench.set("IPWHL_INDEX_USERNAME", "me");
        bench.assert_in();
        bench
            .variables
            .retain(|(name, _)| *name != "IPWHL_INDEX_USERNAME");
        bench.netrc("machine 127.0.0.1 login me");
        bench.assert_in();
    }

    #[test]
    fn the_program_is_asked_by_host_after_the_index_and_once_in_a_run() {
        let mut bench = Bench::new();
        let host = bench.host();
        let log = install(&mut bench, &host);
        bench.keyring = KeyringProvider::Subprocess;
        let index = bench.server.index_url();
        bench.argument = Some(index.replace("http://", "http://me@"));
        run(async {
            let fetcher = bench.fetcher();
            let page = fetcher.project(PROJECT).await.unwrap();
            fetcher
                .fetch_listed(0, &page.files[0], &|_| {})
                .await
                .unwrap();
        });
        assert_eq!(
            fs::read_to_string(&log).unwrap(),
            format!("get {index} me\nget {host} me\n")
        );
        // A source of a declaration has its own host and port.
        let source = bench.server.url(PATH).replace("http://", "http://me@");
        bench.fetch(&source).unwrap();
        let other = Bench::new();
        let other = other.server.url(PATH).replace("http://", "http://me@");
        assert!(bench.fetch(&other).is_err());
    }

    #[test]
    fn options_and_missing_programs() {
        let mut bench = Bench::new();
        let host = bench.host();
        let log = install(&mut bench, &host);
        bench.keyring = KeyringProvider::Subprocess;
        let index = bench.server.index_url();
        bench.argument = Some(index.replace("http://", "http://--version@"));
        bench.assert_out();
        assert!(!log.exists());
        bench.argument = Some(index.replace("http://", "http://me@"));
        bench.set("PATH", bench.folder.path().join("nowhere"));
        let shown = bench.page().unwrap_err().to_string();
        assert!(shown.contains("`keyring` is not on PATH"), "{shown}");
        // A relative folder on `PATH` could be one of a repository.
        bench.set("PATH", "bin");
        assert!(bench.page().is_err());
    }
}

#[test]
fn the_keyring_is_chosen_by_the_variable_or_the_user() {
    let folder = tempfile::tempdir().unwrap();
    let mut environment = environment(folder.path());
    assert_eq!(
        configured_keyring(&environment),
        Ok(KeyringProvider::Disabled)
    );
    let settings = environment.configuration_home.clone().unwrap();
    let settings = settings.join("ipwhl");
    fs::create_dir_all(&settings).unwrap();
    let text = "[cache]\nlimit = \"2 KiB\"\n[index]\nkeyring-provider = \"subprocess\"\n";
    fs::write(settings.join("config.toml"), text).unwrap();
    assert_eq!(
        configured_keyring(&environment),
        Ok(KeyringProvider::Subprocess)
    );
    let variables = &mut environment.variables;
    variables.insert("IPWHL_KEYRING_PROVIDER".into(), "disabled".into());
    assert_eq!(
        configured_keyring(&environment),
        Ok(KeyringProvider::Disabled)
    );
    let variables = &mut environment.variables;
    variables.insert("IPWHL_KEYRING_PROVIDER".into(), "import".into());
    let failure = configured_keyring(&environment).unwrap_err();
    assert!(
        failure.message.contains("IPWHL_KEYRING_PROVIDER"),
        "{failure:?}"
    );
}
