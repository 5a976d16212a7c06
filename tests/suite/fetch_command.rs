//! `ipwhl fetch`: a stranger gets a release of a plain web server, held to whom it trusts, and goes
//! on from the one that it has.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use ipwhl::release::signature::sign;

use crate::clients::Pip;
use crate::publish_directory::serve_plainly;
use crate::publish_kubo::succeeded;
use crate::reuse::key;
use crate::site::{build, curated, put, reader, release, serve};
use crate::support::loopback_index::{Answer, LoopbackIndex};
use crate::support::serving::Serving;
use crate::support::tool;
use crate::support::workshop::{Ending, Ran, Workshop, files};

/// Files by their paths.
type Files = BTreeMap<String, Vec<u8>>;

/// What the reader has.
fn got(workshop: &Workshop) -> PathBuf {
    workshop.path("reader/release")
}

fn fetch(workshop: &Workshop, url: &str) -> Ran {
    reader(workshop, &["fetch", url])
}

/// Fetches by the statement in the output folder alone.
fn follow(workshop: &Workshop, url: &str) -> Ran {
    let mut command = workshop.command(&["fetch", url]);
    command.current_dir(workshop.path("reader"));
    Ran::of(&command.output().unwrap())
}

/// The release in the reader's folder is the one that was built, byte for byte.
#[track_caller]
fn assert_got(workshop: &Workshop, statements: &[&str]) {
    let mut there = files(&got(workshop));
    let kept: Vec<String> = there
        .keys()
        .filter(|name| name.starts_with("statements/"))
        .cloned()
        .collect();
    let expected: Vec<String> = statements
        .iter()
        .flat_map(|number| {
            ["release.toml", "release.toml.sig"].map(|name| format!("statements/{number}/{name}"))
        })
        .collect();
    assert_eq!(kept, expected);
    there.retain(|name, _| !name.starts_with("statements/"));
    let mut built = files(&workshop.repository().join("release"));
    built.retain(|name, _| !name.starts_with("statements/"));
    assert_eq!(
        there.keys().collect::<Vec<_>>(),
        built.keys().collect::<Vec<_>>()
    );
    assert!(there == built);
}

/// The wheels that were asked for.
fn wheels(server: &LoopbackIndex) -> Vec<String> {
    let mut paths = server.paths();
    paths.retain(|path| path.contains(".whl") && !path.contains(".metadata"));
    paths.sort();
    paths
        .iter()
        .map(|path| path.rsplit('/').next().unwrap().to_owned())
        .collect()
}

/// The reader's own cache: nothing of the build's is in it.
fn forget(workshop: &Workshop) {
    let _ = fs::remove_dir_all(workshop.path("cache"));
}

/// How many wheels are in the cache.
fn cached(workshop: &Workshop) -> usize {
    let cached = files(&workshop.path("cache"));
    cached.keys().filter(|name| name.ends_with("whl")).count()
}

#[test]
fn a_stranger_gets_a_release_of_a_plain_server_and_works_with_it() {
    let nginx = tool("nginx");
    let workshop = curated();
    let root = release(&workshop, "2.1.post1");
    forget(&workshop);
    let (_nginx, url) = serve_plainly(&nginx, &workshop.path("site"), &workshop.path("nginx"));
    let ran = fetch(&workshop, &format!("{url}/release.toml"));
    assert_eq!(ran.line(), root);
    ran.said("sequence 1, is vouched for by key-1");
    ran.said("3 wheels fetched");
    assert_got(&workshop, &[]);
    assert_eq!(cached(&workshop), 0, "the archive has them");
    let again = fetch(&workshop, &url);
    assert_eq!(again.line(), root);
    again.said("is up to date: sequence 1");
    // A statement between, and the next one.
    release(&workshop, "2.1.post2");
    let next = release(&workshop, "2.2");
    forget(&workshop);
    let ran = follow(&workshop, &format!("{url}/"));
    assert_eq!(ran.line(), next);
    ran.said("1 wheel fetched");
    assert_got(&workshop, &["1", "2"]);
    // It is verified, published to a folder, and served, as one that was built here.
    let statement = ["verify", "release", "--statement", "release/release.toml"];
    assert_eq!(reader(&workshop, &statement).line(), next);
    let release = got(&workshop);
    let elsewhere = workshop.path("site");
    let copy = workshop.path("before");
    fs::rename(&elsewhere, &copy).unwrap();
    succeeded(workshop.run(&["publish", "--release", release.to_str().unwrap()]));
    let pip = Pip::new();
    let serving = Serving::start(&workshop, &release);
    pip.install(&serving.url, &["application", "library"]);
    assert_eq!(pip.python("import library; print(library.version)"), "2.2");
}

#[test]
fn a_folder_is_as_good_as_an_address() {
    let workshop = curated();
    let root = release(&workshop, "2.1.post1");
    forget(&workshop);
    let site = workshop.path("site");
    let ran = reader(&workshop, &["fetch", site.to_str().unwrap(), "--offline"]);
    assert_eq!(ran.line(), root);
    assert_got(&workshop, &[]);
    let server = serve(&site);
    reader(&workshop, &["fetch", &server.url("/"), "--offline"])
        .refused(2, &["`--offline` forbids the network"]);
    assert_eq!(server.connections(), 0);
    // Where there is nobody's key, a signature of any key proves nothing.
    fs::remove_dir_all(workshop.path("reader")).unwrap();
    fs::create_dir(workshop.path("reader")).unwrap();
    follow(&workshop, site.to_str().unwrap()).refused(1, &["no key is trusted here"]);
    assert!(files(&got(&workshop)).is_empty());
}

#[test]
fn a_release_beside_its_statement_is_one_file() {
    let workshop = curated();
    let root = build(&workshop, "2.1.post1", &[]);
    let server = LoopbackIndex::start();
    for name in ["release.car", "release.toml", "release.toml.sig"] {
        server.put(&format!("/download/{name}"), &workshop.read(name));
    }
    let url = server.url("/download/release.toml");
    // Cut, and gone on with where it was cut.
    let archive = workshop.read("release.car");
    let half = archive.len() / 2;
    let cut = Answer::cut(&archive, half, &[]);
    server.queue("/download/release.car", vec![cut; 1]);
    server.queue("/download/release.car", [Answer::status("403 Forbidden")]);
    fetch(&workshop, &url).refused(3, &["403 Forbidden"]);
    assert!(!got(&workshop).join("release.car").exists());
    let kept = fs::read(got(&workshop).join(".release.car.partial")).unwrap();
    assert!(kept == archive[..half]);
    server.forget();
    server.queue(
        "/download/release.car",
        [Answer::whole(
            "206 Partial Content",
            &[(
                "Content-Range",
                &format!("bytes {half}-{}/{}", archive.len() - 1, archive.len()),
            )],
            &archive[half..],
        )],
    );
    assert_eq!(fetch(&workshop, &url).line(), root);
    let asked = server.requests();
    let asked = asked
        .iter()
        .find(|one| one.path == "/download/release.car")
        .unwrap();
    assert_eq!(asked.headers["range"], format!("bytes={half}-"));
    assert_got(&workshop, &[]);
    // What is left may be of something else: then it comes anew.
    fs::remove_dir_all(got(&workshop)).unwrap();
    fs::create_dir(got(&workshop)).unwrap();
    let mut other = archive[..half].to_vec();
    other[half - 10] ^= 1;
    fs::write(got(&workshop).join(".release.car.partial"), other).unwrap();
    server.queue(
        "/download/release.car",
        [Answer::whole(
            "206 Partial Content",
            &[(
                "Content-Range",
                &format!("bytes {half}-{}/{}", archive.len() - 1, archive.len()),
            )],
            &archive[half..],
        )],
    );
    assert_eq!(fetch(&workshop, &url).line(), root);
    assert_got(&workshop, &[]);
}

#[test]
fn a_cut_fetch_goes_on_without_what_came_and_what_is_here() {
    let workshop = curated();
    release(&workshop, "2.1.post1");
    forget(&workshop);
    let server = serve(&workshop.path("site"));
    let url = server.url("/");
    let broken = workshop.read("release.toml");
    let text = String::from_utf8(broken).unwrap();
    let root = text
        .split("root = \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let large = format!("/{root}/large/large-1.0-py3-none-any.whl");
    server.always(&large, Answer::status("403 Forbidden"));
    fetch(&workshop, &url).refused(
        3,
        &[
            "large-1.0-py3-none-any.whl",
            "1 of 3 wheels could not be fetched",
        ],
    );
    assert!(files(&got(&workshop)).is_empty());
    assert_eq!(wheels(&server).len(), 3);
    assert_eq!(cached(&workshop), 2);
    server.forget();
    server.always(&large, Answer::Proper);
    assert_eq!(fetch(&workshop, &url).line(), root);
    assert_eq!(wheels(&server), ["large-1.0-py3-none-any.whl"]);
    assert_eq!(cached(&workshop), 2);
    // The archive here has the wheels that the next release has too.
    let next = release(&workshop, "2.2");
    forget(&workshop);
    put(&server, &workshop.path("site"));
    server.forget();
    assert_eq!(fetch(&workshop, &url).line(), next);
    assert_eq!(wheels(&server), ["library-2.2-py3-none-any.whl"]);
    assert_got(&workshop, &["1"]);
    // A damaged one is not believed.
    let next = release(&workshop, "2.3");
    forget(&workshop);
    put(&server, &workshop.path("site"));
    server.forget();
    let archive = got(&workshop).join("release.car");
    let mut bytes = fs::read(&archive).unwrap();
    let wheel = fs::read(
        workshop
            .path("site")
            .join(&next)
            .join("large/large-1.0-py3-none-any.whl"),
    )
    .unwrap();
    let at = bytes
        .windows(64)
        .position(|part| *part == wheel[1000..1064])
        .unwrap();
    bytes[at] ^= 1;
    fs::write(&archive, bytes).unwrap();
    let ran = fetch(&workshop, &url);
    assert_eq!(ran.line(), next);
    ran.said("is damaged");
    assert!(wheels(&server).contains(&"large-1.0-py3-none-any.whl".to_owned()));
    assert_got(&workshop, &["1", "2"]);
}

/// The site, changed: nothing of it is taken, and the old release stays as it is.
#[test]
fn what_does_not_follow_is_refused_and_the_old_release_stays() {
    let workshop = curated();
    release(&workshop, "2.1.post1");
    let older = files(&workshop.path("site"));
    release(&workshop, "2.2");
    let newer = files(&workshop.path("site"));
    let fetched = serve(&workshop.path("site"));
    succeeded(fetch(&workshop, &fetched.url("/")));
    let before = files(&got(&workshop));
    release(&workshop, "2.3");
    release(&workshop, "2.4");
    let site = files(&workshop.path("site"));
    let refuses = |change: &dyn Fn(&mut Files), code: i32, words: &[&str]| {
        let mut changed = site.clone();
        change(&mut changed);
        let server = LoopbackIndex::start();
        for (path, bytes) in changed {
            server.put(&format!("/{path}"), &bytes);
        }
        follow(&workshop, &server.url("/")).refused(code, words);
        assert!(files(&got(&workshop)) == before, "{words:?}");
    };
    let statement = |site: &Files, number: u64| {
        String::from_utf8(site[&format!("statements/{number}/release.toml")].clone()).unwrap()
    };
    // A statement under other words, signed by this key.
    let sign_as = |site: &mut Files, number: u64, text: &str, seed: u8| {
        let signature = sign(&key(seed), text.as_bytes()).unwrap();
        let mut folders = vec![format!("statements/{number}/")];
        if number == 4 {
            folders.push(String::new());
        }
        for folder in folders {
            site.insert(format!("{folder}release.toml"), text.into());
            site.insert(
                format!("{folder}release.toml.sig"),
                signature.clone().into(),
            );
        }
    };
    refuses(
        &|site| *site = older.clone(),
        1,
        &["is known", "it is older"],
    );
    let fork = |site: &mut Files| {
        *site = newer.clone();
        let text =
            statement(site, 2).replace("checks = ", "expires = 2036-01-01T00:00:00Z\nchecks = ");
        let signature = sign(&key(1), text.as_bytes()).unwrap();
        for folder in ["", "statements/2/"] {
            site.insert(format!("{folder}release.toml"), text.clone().into());
            site.insert(
                format!("{folder}release.toml.sig"),
                signature.clone().into(),
            );
        }
    };
    refuses(
        &fork,
        1,
        &["differs from the known one of the same sequence 2"],
    );
    let strange = |site: &mut Files| {
        let text = statement(site, 4);
        sign_as(site, 4, &text, 2);
    };
    refuses(&strange, 1, &["has 0 of the 1 trusted signatures"]);
    let between = |site: &mut Files| {
        let text = statement(site, 3);
        sign_as(site, 3, &text, 2);
    };
    refuses(
        &between,
        1,
        &["statements/3/release.toml", "has 0 of the 1 trusted"],
    );
    let gap = |site: &mut Files| {
        site.remove("statements/3/release.toml");
    };
    refuses(
        &gap,
        1,
        &[
            "the statements cannot be followed from sequence 2 to 4",
            "statements/3/release.toml`)",
        ],
    );
    let detached = |site: &mut Files| {
        let text = statement(site, 3);
        let (root, other) = (before_root(&newer), root_of(&statement(site, 4)));
        sign_as(site, 3, &text.replace(&root, &other), 1);
    };
    refuses(&detached, 1, &["follows the root"]);
    // The copy at the top and the folder's own.
    let parted = |site: &mut Files| {
        let text =
            statement(site, 4).replace("checks = ", "expires = 2036-01-01T00:00:00Z\nchecks = ");
        site.insert("release.toml".to_owned(), text.into());
    };
    refuses(&parted, 1, &["which has the same sequence"]);
    let huge = |site: &mut Files| {
        site.insert("release.toml".to_owned(), vec![b'#'; 1 << 20]);
    };
    refuses(&huge, 3, &["its answer is larger than 65536 bytes"]);
    // The archive of another release, a damaged one, and none.
    let hollow = "statements/4/release.hollow.car";
    let other = |site: &mut Files| {
        let of_other = site["statements/3/release.hollow.car"].clone();
        site.insert(hollow.to_owned(), of_other);
    };
    refuses(&other, 1, &["is not an archive of the root"]);
    let damaged = |site: &mut Files| {
        let bytes = site.get_mut(hollow).unwrap();
        let last = bytes.len() - 10;
        bytes[last] ^= 1;
    };
    refuses(&damaged, 1, &["is damaged"]);
    let absent = |site: &mut Files| {
        site.remove(hollow);
    };
    refuses(
        &absent,
        1,
        &[
            "release.hollow.car` is missing",
            "run the same command again",
        ],
    );
    // Wheels of other bytes, too short, too long, gone.
    let wheel = |site: &Files| {
        let root = root_of(&statement(site, 4));
        format!("{root}/library/library-2.4-py3-none-any.whl")
    };
    forget(&workshop);
    refuses(
        &|site| {
            let path = wheel(site);
            site.get_mut(&path).unwrap()[40] ^= 1;
        },
        1,
        &["library-2.4-py3-none-any.whl has other bytes: content-id"],
    );
    refuses(
        &|site| {
            let path = wheel(site);
            site.get_mut(&path).unwrap().extend([0; 100]);
        },
        1,
        &["library-2.4-py3-none-any.whl has other bytes: size"],
    );
    refuses(
        &|site| {
            let path = wheel(site);
            site.remove(&path);
        },
        1,
        &[
            "library-2.4-py3-none-any.whl is gone",
            "1 of 1 wheels could not be fetched",
        ],
    );
    // As it is, it follows.
    let server = serve(&workshop.path("site"));
    succeeded(follow(&workshop, &server.url("/")));
    assert_got(&workshop, &["2", "3"]);
}

fn root_of(statement: &str) -> String {
    let rest = statement.split("root = \"").nth(1).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

fn before_root(site: &Files) -> String {
    root_of(std::str::from_utf8(&site["release.toml"]).unwrap())
}

/// An endless answer ends when it is longer than it may be.
#[test]
fn an_endless_archive_is_not_taken() {
    let workshop = curated();
    release(&workshop, "2.1.post1");
    let server = serve(&workshop.path("site"));
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    let path = "/statements/1/release.hollow.car";
    server.always(path, Answer::Endless(head.as_bytes().to_vec()));
    fetch(&workshop, &server.url("/")).refused(1, &["is not an archive of the root"]);
    assert!(files(&got(&workshop)).is_empty());
}

/// The files of a release as a forge keeps them, and nothing of the releases before.
fn put_on_a_forge(server: &LoopbackIndex, folder: &Path) {
    for name in ["release.car", "release.toml", "release.toml.sig"] {
        let bytes = fs::read(folder.join(name)).unwrap();
        server.put(&format!("/download/{name}"), &bytes);
    }
}

/// Where statements in between cannot be had, keys that the carrier trusts vouch for a newer one,
/// and a statement does not.
#[test]
fn a_missed_release_is_no_end_for_whom_keys_are_trusted() {
    let maintainer = curated();
    build(&maintainer, "2.1.post1", &[]);
    let release = maintainer.repository().join("release");
    let first = maintainer.path("first");
    let keep = |place: &Path| {
        fs::create_dir(place).unwrap();
        for (name, bytes) in files(&release) {
            if !name.contains('/') {
                fs::write(place.join(name), bytes).unwrap();
            }
        }
    };
    keep(&first);
    let server = LoopbackIndex::start();
    put_on_a_forge(&server, &first);
    let url = server.url("/download/");
    let carrier = Workshop::empty();
    succeeded(carrier.run(&["init", "--carry", &url, "repository"]));
    succeeded(carrier.run(&["fetch", &url]));
    let stranger = Workshop::empty();
    let signers = maintainer.path("signers");
    let signers = ["--allowed-signers", signers.to_str().unwrap()];
    succeeded(stranger.run(&[&["fetch", &url], &signers[..]].concat()));

    build(&maintainer, "2.2", &[]);
    let root = build(&maintainer, "2.3", &[]);
    let third = maintainer.path("third");
    keep(&third);
    put_on_a_forge(&server, &third);
    // The last statement does not vouch over a gap.
    let gap = "the statements cannot be followed from sequence 1 to 3: sequence 2 is missing (no `";
    let elsewhere = "fetch from a site that has the statements in between";
    let refused = |ran: Ran, words: &[&str]| ran.refused(1, &[&[gap, elsewhere], words].concat());
    let before = files(&stranger.path("release"));
    let allowed = ["name the keys that you trust", "`--allowed-signers FILE`"];
    refused(stranger.run(&["fetch", &url]), &allowed);
    assert!(files(&stranger.path("release")) == before);
    let before = files(&carrier.repository().join("release"));
    let known = first.join("release.toml");
    let known = ["--trusted-statement", known.to_str().unwrap()];
    refused(
        carrier.run(&[&["fetch", &url], &known[..]].concat()),
        &allowed,
    );
    // Nor do keys of strangers, and nobody goes back or aside.
    let text = fs::read(third.join("release.toml")).unwrap();
    let strange = sign(&key(2), &text).unwrap();
    server.put("/download/release.toml.sig", strange.as_bytes());
    refused(
        carrier.run(&["fetch", &url]),
        &["has 0 of the 1 trusted signatures"],
    );
    assert!(files(&carrier.repository().join("release")) == before);
    put_on_a_forge(&server, &third);
    let ran = carrier.run(&["fetch", &url]);
    assert_eq!(ran.line(), root);
    ran.said(&format!("warning: {gap}"));
    ran.said(
        "it is accepted because it is newer than the one here and signed with keys that you trust",
    );
    ran.said("trusted in `ipwhl.toml`");
    let got = files(&carrier.repository().join("release"));
    assert!(got["release.car"] == maintainer.read("release.car"));
    assert!(got.contains_key("statements/1/release.toml"));

    put_on_a_forge(&server, &first);
    carrier
        .run(&["fetch", &url])
        .refused(1, &["is known", "it is older"]);
    let fork = String::from_utf8(text).unwrap();
    let fork = fork.replace("checks = ", "expires = 2036-01-01T00:00:00Z\nchecks = ");
    let signature = sign(&key(1), fork.as_bytes()).unwrap();
    server.put("/download/release.toml", fork.as_bytes());
    server.put("/download/release.toml.sig", signature.as_bytes());
    carrier
        .run(&["fetch", &url])
        .refused(1, &["differs from the known one of the same sequence 3"]);
    assert!(files(&carrier.repository().join("release")) == got);
}

#[test]
fn addresses_for_pip_lead_to_their_site() {
    let workshop = curated();
    let first = release(&workshop, "2.1.post1");
    let root = release(&workshop, "2.2");
    let site = workshop.path("site");
    let server = serve(&site);
    symlink(&root, site.join("latest")).unwrap();
    let site = site.to_str().unwrap();
    for base in [server.url(""), site.to_owned()] {
        for name in ["latest/", "latest", &root, &format!("{root}/")] {
            let location = format!("{base}/{name}");
            assert_eq!(reader(&workshop, &["verify", &location]).line(), root);
            assert_eq!(reader(&workshop, &["fetch", &location]).line(), root);
        }
        let older = format!("{base}/{first}/");
        for command in ["verify", "fetch"] {
            reader(&workshop, &[command, &older]).refused(
                2,
                &[
                    "is not the newest release of its site, which is sequence 2",
                    "name the site for the newest one",
                ],
            );
        }
    }
    // A folder of that name may be a site itself, or none.
    for path in ["/other/latest/", "/other/"] {
        reader(&workshop, &["verify", &server.url(path)]).refused(
            1,
            &["/release.toml` is missing", "name the folder that has"],
        );
    }
}

#[test]
fn what_is_no_site_is_answered_with_a_way_out() {
    let workshop = curated();
    let root = release(&workshop, "2.1.post1");
    fs::create_dir_all(workshop.path("reader/empty")).unwrap();
    let no_scheme = "begins with `https://` or `http://`";
    for name in [
        "127.0.0.1:18441",
        "127.0.0.1:18441/latest/",
        "index.example.org/",
    ] {
        for command in ["fetch", "verify"] {
            reader(&workshop, &[command, name])
                .refused(2, &[no_scheme, &format!("write `https://{name}")]);
        }
    }
    // Nothing that may be a password is said again.
    let ran = reader(&workshop, &["fetch", "user:secret@index.example.org:443/"]);
    ran.refused(2, &[no_scheme]);
    assert!(!ran.error.contains("secret"), "{ran:?}");
    reader(&workshop, &["fetch", "missing"]).refused(
        3,
        &[
            "there is no folder `missing`",
            "name the folder that has `release.toml`",
        ],
    );
    reader(&workshop, &["verify", "missing"]).refused(3, &["missing` cannot be read"]);
    reader(&workshop, &["verify", "empty"]).refused(
        3,
        &[
            "`empty` has no `release.car`",
            "`ipwhl fetch` downloads the release of a site",
        ],
    );
    let gateway = format!("https://gateway.example.org/ipfs/{root}/");
    reader(&workshop, &["verify", &gateway]).refused(
        2,
        &[
            "this is a release on a gateway",
            "`curl --fail -o release.car",
        ],
    );
}

/// The second of two runs for one folder ends before it has asked for anything.
#[test]
fn two_runs_do_not_fetch_for_one_folder() {
    let workshop = curated();
    let root = release(&workshop, "2.1.post1");
    forget(&workshop);
    let (slow, other) = (serve(&workshop.path("site")), serve(&workshop.path("site")));
    let hollow = "/statements/1/release.hollow.car";
    slow.always(hollow, Answer::Stall(Vec::new()));
    fs::create_dir(workshop.path("reader")).unwrap();
    let mut command = workshop.command(&["fetch", &slow.url("/"), "--any-signer"]);
    command.current_dir(workshop.path("reader"));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let first = Ending(command.spawn().unwrap());
    while !slow.paths().iter().any(|path| path == hollow) {
        std::thread::sleep(Duration::from_millis(5));
    }
    fetch(&workshop, &other.url("/")).refused(3, &["another process is writing `"]);
    assert_eq!(other.connections(), 0);
    drop(first);
    assert_eq!(fetch(&workshop, &other.url("/")).line(), root);
}
