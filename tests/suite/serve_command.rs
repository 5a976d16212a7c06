//! `ipwhl serve`: the line to paste, what it answers, how it ends.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::repository_builder::Project;
use crate::support::serving::Serving;
use crate::support::workshop::{Workshop, installable, installable_from, pure};

fn built() -> (Workshop, String) {
    let workshop = Workshop::with(&installable_from(None));
    let root = workshop.build(&["--unsigned", "--tree", "tree"]);
    (workshop, root)
}

#[test]
fn it_prints_the_line_to_paste_and_serves_the_tree() {
    let (workshop, root) = built();
    let serving = Serving::start(&workshop, &workshop.release("release.car"));
    assert_eq!(
        serving.line,
        format!("pip install --index-url {} NAME\n", serving.url)
    );
    assert!(
        serving.url.starts_with("http://127.0.0.1:"),
        "{}",
        serving.url
    );
    assert!(
        serving.url.ends_with(&format!("/ipfs/{root}/")),
        "{}",
        serving.url
    );
    let tree = crate::support::workshop::files(&workshop.repository().join("tree"));
    for (name, bytes) in &tree {
        let (head, body) = serving.get(name, "");
        assert!(head.starts_with("http/1.1 200"), "{name}: {head}");
        assert!(body == *bytes, "{name} differs");
    }
    let (head, body) = serving.get(
        "application/",
        "Accept: application/vnd.pypi.simple.v1+json\r\n",
    );
    assert!(
        head.contains("content-type: application/vnd.pypi.simple.v1+json"),
        "{head}"
    );
    assert!(body == tree["application/index.v1_json"]);
    let (head, _) = serving.get("nothing/", "");
    assert!(head.starts_with("http/1.1 404"), "{head}");
}

/// The command between two backquotes of a `help:` line, as the words of a shell.
fn proposed(said: &str, start: &str) -> Vec<String> {
    let command = said.split('`').find(|words| words.starts_with(start));
    let command = command.unwrap_or_else(|| panic!("no `{start}` in {said}"));
    command.split(' ').skip(1).map(ToOwned::to_owned).collect()
}

/// The index is served all the same: it can be looked at. What the help says makes it full, under
/// whichever name it is.
#[test]
fn a_hollow_archive_is_served_with_a_warning_and_the_way_out() {
    for name in ["release.hollow.car", "release.car"] {
        let (workshop, root) = built();
        let full = workshop.read("release.car");
        workshop.run(&["hollow", "release"]).line();
        fs::remove_file(workshop.release("release.car")).unwrap();
        if name == "release.car" {
            fs::rename(
                workshop.release("release.hollow.car"),
                workshop.release(name),
            )
            .unwrap();
        }
        let log = workshop.path("log");
        let place = format!("release/{name}");
        let mut command = workshop.command(&["serve", &place, "--listen", "127.0.0.1:0"]);
        let serving = Serving::spawn(command.stderr(fs::File::create(&log).unwrap()));
        // Said by the time that the line is there.
        let said = fs::read_to_string(&log).unwrap();
        let warning = format!("warning: `{place}` is hollow: ");
        assert!(said.starts_with(&warning), "{said}");
        assert!(serving.line.contains(&root), "{}", serving.line);
        assert!(
            serving
                .get("application/", "")
                .0
                .starts_with("http/1.1 200")
        );
        let [application, _] = installable();
        let wheel = format!("application/{}", application.file_name());
        assert!(!serving.get(&wheel, "").0.starts_with("http/1.1 200"));
        assert_eq!(serving.end("TERM"), Some(0));

        workshop.run(&proposed(&said, "ipwhl fill ")).line();
        let mut serve = proposed(&said, "ipwhl serve ");
        assert_eq!(
            fs::read(workshop.repository().join(&serve[1])).unwrap(),
            full
        );
        serve.extend(["--listen", "127.0.0.1:0"].map(ToOwned::to_owned));
        let mut command = workshop.command(&serve);
        let serving = Serving::spawn(command.stderr(fs::File::create(&log).unwrap()));
        assert!(serving.get(&wheel, "").0.starts_with("http/1.1 200"));
        let said = fs::read_to_string(&log).unwrap();
        assert!(said.starts_with("serving "), "{said}");
    }
}

/// To pip, a project whose page a delta leaves out does not exist.
#[test]
fn a_delta_is_refused_with_the_way_out() {
    let (workshop, _) = built();
    fs::rename(
        workshop.repository().join("release"),
        workshop.path("first"),
    )
    .unwrap();
    let more = installable_from(None).project(Project::wanted(pure("another", "1.0")));
    workshop.write_over(&more);
    let delta = ["--unsigned", "--car", "delta", "--previous-car", "../first"];
    workshop.build(&delta);
    // It is looked at before anything listens.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = workshop.run(&["serve", "release/release.delta.car", "--listen", &address]);
    ran.refused(
        1,
        &["is a delta: pip would not find the projects that it leaves out"],
    );
    let fill = proposed(&ran.error, "ipwhl fill ");
    assert_eq!(fill, ["fill", "release/release.delta.car"]);
    workshop
        .run(
            &[
                &fill[..],
                &["--from".to_owned(), "../first/release.car".to_owned()],
                &["--from".to_owned(), "sources".to_owned()],
            ]
            .concat(),
        )
        .line();
    let serving = Serving::start(&workshop, &workshop.release("release.car"));
    assert!(serving.get("another/", "").0.starts_with("http/1.1 200"));
}

#[test]
fn it_takes_the_folder_that_verify_takes() {
    let (workshop, root) = built();
    assert_eq!(workshop.run(&["verify", "release"]).line(), root);
    let serving = Serving::start(&workshop, &workshop.repository().join("release"));
    let (head, _) = serving.get("application/", "");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    workshop.run(&["serve", "declarations"]).refused(
        3,
        &[
            "`declarations` has no `release.car`",
            "or a folder with a `release.car`",
        ],
    );
    for part in ["delta", "hollow"] {
        let part = format!("release.{part}.car");
        fs::rename(workshop.release("release.car"), workshop.release(&part)).unwrap();
        for command in ["serve", "verify"] {
            let only = format!("`release` has no `release.car`, only `release/{part}`");
            let fill = format!("`ipwhl fill release/{part}` completes it");
            workshop
                .run(&[command, "release"])
                .refused(3, &[&only, &fill]);
        }
        fs::rename(workshop.release(&part), workshop.release("release.car")).unwrap();
    }
}

#[test]
fn proxies_are_addresses_and_networks() {
    let (workshop, _) = built();
    let mut command = workshop.command(&["serve", "--listen", "127.0.0.1:0"]);
    for proxy in ["192.0.2.7", "198.51.100.0/24", "2001:db8::/32", "::1"] {
        command.args(["--trusted-proxy", proxy]);
    }
    command
        .arg(workshop.release("release.car"))
        .stderr(Stdio::null());
    let serving = Serving::spawn(&mut command);
    assert_eq!(serving.get("", "").0[..12], *"http/1.1 200");
    for wrong in ["proxy.example.org", "192.0.2.0/33", "192.0.2.7:80", ""] {
        workshop
            .run(&["serve", "release", "--trusted-proxy", wrong])
            .refused(2, &["--trusted-proxy", "192.0.2.0/24"]);
    }
}

/// A real client whose name for this machine is not known, and then is.
#[test]
fn names_that_it_answers_to_are_given() {
    let (workshop, _) = built();
    let mut command = workshop.command(&["serve", "release", "--listen", "127.0.0.1:0"]);
    let said = workshop.path("said");
    command
        .args(["--host", "Mirror.example.org", "--host", "backend"])
        .stderr(fs::File::create(&said).unwrap());
    let serving = Serving::spawn(&mut command);
    let place = serving.url.split('/').nth(2).unwrap();
    let port = place.rsplit(':').next().unwrap();
    let path = &serving.url[serving.url.find("/ipfs/").unwrap()..];
    let fetched = |name: &str| {
        let ran = std::process::Command::new("curl")
            .args(["--silent", "--noproxy", "*", "--output", "/dev/null"])
            .args(["--write-out", "%{http_code}"])
            .args(["--resolve", &format!("{name}:{port}:127.0.0.1")])
            .arg(format!("http://{name}:{port}{path}"))
            .output()
            .unwrap();
        String::from_utf8(ran.stdout).unwrap()
    };
    assert_eq!(fetched("mirror.example.org"), "200");
    assert_eq!(fetched("backend"), "200");
    assert_eq!(fetched("rebound.example.net"), "421");
    for _ in 0..2 {
        assert_eq!(fetched("again.example.net"), "421");
    }
    let said = fs::read_to_string(said).unwrap();
    let notes: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("--host"))
        .collect();
    // Each name once.
    let expected = ["rebound", "again"].map(|name| {
        format!(
            "note: refused a request for the host name `{name}.example.net`; if this name \
                 belongs to this server, start it with `--host {name}.example.net`"
        )
    });
    assert_eq!(notes, expected, "{said}");
    for wrong in [
        "http://mirror.example.org",
        "mirror.example.org:80",
        "*",
        "",
    ] {
        workshop
            .run(&["serve", "release", "--host", wrong])
            .refused(2, &["--host", "mirror.example.org"]);
    }
}

/// More connections than files may be open: idle ones make room all the same.
#[cfg(unix)]
#[test]
fn places_are_fewer_where_few_files_may_be_open() {
    let (workshop, _) = built();
    let mut command = std::process::Command::new("sh");
    let script = "ulimit -n 100; exec \"$0\" serve release --listen 127.0.0.1:0";
    let program = workshop.command::<&str>(&[]);
    command
        .args(["-c", script])
        .arg(program.get_program())
        .current_dir(workshop.repository())
        .stderr(Stdio::null());
    let serving = Serving::spawn(&mut command);
    let host = serving.url.split('/').nth(2).unwrap();
    let half_open: Vec<TcpStream> = (0..300)
        .map(|_| TcpStream::connect(host).unwrap())
        .collect();
    let started = Instant::now();
    let (head, _) = serving.get("application/", "");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(started.elapsed() < Duration::from_secs(15));
    drop(half_open);
}

#[test]
fn a_range_of_a_wheel_is_that_range() {
    let (workshop, _) = built();
    let serving = Serving::start(&workshop, &workshop.release("release.car"));
    let [_, library] = installable();
    let bytes = library.build();
    let path = format!("library/{}", library.file_name());
    let (head, body) = serving.get(&path, "Range: bytes=7-106\r\n");
    assert!(head.starts_with("http/1.1 206"), "{head}");
    assert!(
        head.contains(&format!("content-range: bytes 7-106/{}", bytes.len())),
        "{head}"
    );
    assert_eq!(body, bytes[7..107]);
    // The end of an archive, as a reader of ZIP files asks for it.
    let (_, body) = serving.get(&path, "Range: bytes=-22\r\n");
    assert_eq!(body, bytes[bytes.len() - 22..]);
    let (head, _) = serving.get(&path, &format!("Range: bytes={}-\r\n", bytes.len()));
    assert!(head.starts_with("http/1.1 416"), "{head}");
}

#[cfg(unix)]
#[test]
fn it_ends_well_when_it_is_told_to() {
    let (workshop, _) = built();
    for signal in ["TERM", "INT"] {
        let serving = Serving::start(&workshop, &workshop.release("release.car"));
        let (head, _) = serving.get("", "");
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert_eq!(serving.end(signal), Some(0), "{signal}");
    }
}

#[test]
fn requests_are_told_only_when_that_is_wanted() {
    let (workshop, root) = built();
    for (option, told) in [("-v", true), ("-q", false)] {
        let log = workshop.path("log");
        let mut command = workshop.command(&["serve", option, "--listen", "127.0.0.1:0"]);
        let serving = Serving::spawn(
            command
                .arg(workshop.release("release.car"))
                .stderr(Stdio::from(fs::File::create(&log).unwrap())),
        );
        serving.get("application/", "");
        drop(serving);
        let text = fs::read_to_string(&log).unwrap();
        let line = format!("GET /ipfs/{root}/application/ 200\n");
        assert_eq!(text.contains(&line), told, "{option}: {text}");
        assert_eq!(text.is_empty(), !told, "{option}: {text}");
    }
}

#[test]
fn what_cannot_be_served_is_said() {
    let (workshop, _) = built();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = workshop.run(&["serve", "release/release.car", "--listen", &address]);
    ran.refused(3, &["cannot listen on", &address, "--listen 127.0.0.1:0"]);
    workshop
        .run(&["serve", "nothing.car"])
        .refused(3, &["nothing.car` cannot be read"]);
    workshop.run(&["serve", "ipwhl.toml"]).refused(
        1,
        &["ipwhl.toml` cannot be served: the archive has a header"],
    );
    let whole = workshop.read("release.car");
    fs::write(workshop.release("release.car"), &whole[..whole.len() - 1]).unwrap();
    workshop.run(&["serve", "release/release.car"]).refused(
        1,
        &["release.car` cannot be served: the archive ends in the middle"],
    );
    workshop
        .run(&["serve", "release/release.car", "--listen", "8503"])
        .refused(2, &["--listen", "such as `127.0.0.1:8503`"]);
}
