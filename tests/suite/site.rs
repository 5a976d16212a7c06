//! A site that any web server serves: mirrors of it are complete, and `ipwhl verify` of an address
//! or a folder reads every file.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::clients::Pip;
use crate::publish_directory::{nginx, serve_plainly, serve_with_nginx};
use crate::publish_kubo::{installable_with, settings, succeeded};
use crate::reuse::{key, trusted};
use crate::support::http;
use crate::support::loopback_index::LoopbackIndex;
use crate::support::tool;
use crate::support::workshop::{Ran, Workshop, files};

/// Without links, so that every name in the folder is a file.
pub const TARGET: &str =
    "[publish.site]\nkind = \"directory\"\npath = \"../site\"\nlatest = \"\"\n";

/// A repository whose releases its key signs, and readers trust.
pub fn curated() -> Workshop {
    let workshop = Workshop::empty();
    fs::write(workshop.path("key"), key(1).to_openssh().unwrap()).unwrap();
    let line = key(1).public().allowed_signers_line("key-1").unwrap();
    fs::write(workshop.path("signers"), format!("{line}\n")).unwrap();
    workshop
}

/// Builds the next release with this version of the library, and publishes it to the site.
#[track_caller]
pub fn release(workshop: &Workshop, library: &str) -> String {
    let root = build(workshop, library, &[]);
    succeeded(workshop.run(&["publish"]));
    root
}

/// Builds the next release with this version of the library.
#[track_caller]
pub fn build(workshop: &Workshop, library: &str, arguments: &[&str]) -> String {
    workshop.write_over(&installable_with(library).configuration(&trusted()));
    settings(workshop, TARGET);
    workshop.build(&[&["--key", "../key"], arguments].concat())
}

/// Serves every file of a folder as it is now.
pub fn serve(folder: &Path) -> LoopbackIndex {
    let server = LoopbackIndex::start();
    put(&server, folder);
    server
}

pub fn put(server: &LoopbackIndex, folder: &Path) {
    for (path, bytes) in files(folder) {
        server.put(&format!("/{path}"), &bytes);
    }
}

/// Runs the program as a reader, who has no repository, only the maintainers' keys.
pub fn reader(workshop: &Workshop, arguments: &[&str]) -> Ran {
    let place = workshop.path("reader");
    fs::create_dir_all(&place).unwrap();
    let signers = workshop.path("signers");
    let mut command = workshop.command(arguments);
    command.current_dir(place);
    command.args(["--allowed-signers", signers.to_str().unwrap()]);
    Ran::of(&command.output().unwrap())
}

/// The lines of the documentation with these words, as they stand there.
fn documented(words: &str) -> &'static str {
    let page = include_str!("../../docs/formats.md");
    let mut blocks = page.split("```sh\n").skip(1);
    let block = blocks.find(|block| block.split("```").next().unwrap().contains(words));
    block.unwrap().split("```").next().unwrap()
}

/// Runs lines in a folder, as somebody who has copied them.
fn shell(lines: &str, place: &Path) -> Ran {
    fs::create_dir_all(place).unwrap();
    let ran = Command::new("sh")
        .args(["-c", lines])
        .current_dir(place)
        .output();
    Ran::of(&ran.unwrap())
}

/// Mirrors the site at an address.
fn mirror(url: &str, place: &Path) -> Ran {
    let lines = documented("release.files");
    assert!(lines.contains("https://index.example.org\n"), "{lines}");
    shell(&lines.replace("https://index.example.org", url), place)
}

/// What a mirror has of a site, without the link for pip.
fn mirrored(place: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let latest = place.join("latest");
    let newest = fs::read_link(&latest).unwrap();
    fs::remove_file(&latest).unwrap();
    let all = files(place);
    symlink(newest, latest).unwrap();
    all
}

#[test]
fn a_mirror_made_of_the_list_is_complete() {
    let nginx = tool("nginx");
    tool("wget");
    let workshop = curated();
    let first = release(&workshop, "2.1.post1");
    let site = workshop.path("site");
    // A server that shows no folder and no page for one.
    let (_nginx, url) = serve_plainly(&nginx, &site, &workshop.path("nginx"));
    let place = workshop.path("mirror");
    succeeded(mirror(&url, &place));
    let mirrors = |expected: &str| {
        let mut all = files(&site);
        all.remove(".ipwhl");
        let there = mirrored(&place);
        assert_eq!(
            there.keys().collect::<Vec<_>>(),
            all.keys().collect::<Vec<_>>()
        );
        assert!(there == all);
        assert_eq!(
            fs::read_link(place.join("latest")).unwrap(),
            Path::new(expected)
        );
        let ran = reader(&workshop, &["verify", place.to_str().unwrap()]);
        assert_eq!(ran.line(), expected);
    };
    mirrors(&first);
    let ran = reader(&workshop, &["verify", &url]);
    assert_eq!(ran.line(), first);
    ran.said("sequence 1, is vouched for by key-1");
    ran.said("match the signed root");
    // The next release goes over the first one.
    let next = release(&workshop, "2.2");
    succeeded(mirror(&url, &place));
    mirrors(&next);
    // Once more changes nothing.
    succeeded(mirror(&url, &place));
    mirrors(&next);
    // One that begins with it has the statements before it, which its readers follow.
    let young = workshop.path("young");
    succeeded(mirror(&url, &young));
    let mut expected = files(&site);
    expected.retain(|path, _| {
        let is_of_first = path.starts_with(&first) || path.starts_with("statements/1/");
        path != ".ipwhl" && (!is_of_first || path.starts_with("statements/1/release.toml"))
    });
    assert!(mirrored(&young) == expected);
    let ran = reader(&workshop, &["verify", young.to_str().unwrap()]);
    assert_eq!(ran.line(), next);
    let (_mirror, url) = serve_plainly(&nginx, &place, &workshop.path("mirroring"));
    assert_eq!(
        reader(&workshop, &["verify", &format!("{url}/release.toml")]).line(),
        next
    );
    // pip installs from the mirror, where a server shows a folder's page.
    let pip = Pip::new();
    let (_server, url) = serve_with_nginx(&nginx, &place, &workshop.path("serving"));
    pip.install(&format!("{url}/latest/"), &["application", "library"]);
    assert_eq!(pip.python("import library; print(library.version)"), "2.2");
    // Old trees go when somebody says so, and the newest never does.
    let remove = documented("-mtime");
    let trees = || [&first, &next].map(|root| place.join(root).is_dir());
    succeeded(shell(remove, &place));
    assert_eq!(trees(), [true, true]);
    let age = format!("touch -d '40 days ago' {first} {next}");
    succeeded(shell(&age, &place));
    succeeded(shell(remove, &place));
    assert_eq!(trees(), [false, true]);
}

/// Where one file cannot be had or is another, the mirror leads to the release that it has.
#[test]
fn a_mirror_leads_to_whole_releases_only() {
    let nginx = tool("nginx");
    tool("wget");
    let workshop = curated();
    let first = release(&workshop, "2.1.post1");
    let site = workshop.path("site");
    let (_nginx, url) = serve_plainly(&nginx, &site, &workshop.path("nginx"));
    let place = workshop.path("mirror");
    succeeded(mirror(&url, &place));
    let next = release(&workshop, "2.2");
    let fails = |words: &str| {
        let before = fs::read(place.join("release.toml")).unwrap();
        let ran = mirror(&url, &place);
        assert_ne!(ran.code, Some(0), "{ran:?}");
        assert!(
            format!("{}{}", ran.output, ran.error).contains(words),
            "{words}: {ran:?}"
        );
        assert_eq!(fs::read(place.join("release.toml")).unwrap(), before);
        assert_eq!(
            fs::read_link(place.join("latest")).unwrap(),
            Path::new(&first)
        );
        let ran = reader(&workshop, &["verify", place.to_str().unwrap()]);
        assert_eq!(ran.line(), first);
    };
    let wheel = format!("{next}/library/library-2.2-py3-none-any.whl");
    for absent in [&wheel, "release.toml", "statements/2/release.files"] {
        let (there, aside) = (site.join(absent), workshop.path("aside"));
        fs::rename(&there, &aside).unwrap();
        fails("404");
        fs::rename(&aside, &there).unwrap();
    }
    // Other bytes stay until somebody looks.
    let bytes = fs::read(site.join(&wheel)).unwrap();
    let mut other = bytes.clone();
    other[40] ^= 1;
    fs::create_dir_all(place.join(&wheel).parent().unwrap()).unwrap();
    fs::write(place.join(&wheel), &other).unwrap();
    fails(&format!("{wheel}: FAILED"));
    // A part of a file is gone on with.
    fs::write(place.join(&wheel), &bytes[..100]).unwrap();
    succeeded(mirror(&url, &place));
    let ran = reader(&workshop, &["verify", place.to_str().unwrap()]);
    assert_eq!(ran.line(), next);
}

/// The documented copy is a site at every moment, and no larger than what it copies.
#[test]
fn a_copy_keeps_files_that_releases_share_one() {
    tool("rsync");
    let workshop = curated();
    let site = workshop.path("site");
    let next = |library: &str| {
        workshop.write_over(&installable_with(library).configuration(&trusted()));
        settings(
            &workshop,
            "[publish.site]\nkind = \"directory\"\npath = \"../site\"\n",
        );
        let root = workshop.build(&["--key", "../key"]);
        succeeded(workshop.run(&["publish"]));
        root
    };
    let copy = workshop.path("mirror");
    let lines = documented("rsync");
    let here = workshop.path("");
    let verified = || reader(&workshop, &["verify", copy.to_str().unwrap()]);
    let first = next("2.1.post1");
    succeeded(shell(lines, &here));
    assert_eq!(verified().line(), first);
    let second = next("2.2");
    let (before, after) = lines.split_once('\n').unwrap();
    succeeded(shell(before, &here));
    assert_eq!(verified().line(), first);
    assert_eq!(
        fs::read_link(copy.join("latest")).unwrap(),
        Path::new(&first)
    );
    succeeded(shell(after, &here));
    assert_eq!(verified().line(), second);
    assert_eq!(
        fs::read_link(copy.join("latest")).unwrap(),
        Path::new(&second)
    );
    let large = "large/large-1.0-py3-none-any.whl";
    for folder in [&site, &copy] {
        let of = |root: &str| fs::metadata(folder.join(root).join(large)).unwrap();
        let (one, two) = (of(&first), of(&second));
        assert_eq!((one.nlink(), two.nlink()), (2, 2), "{}", folder.display());
        assert_eq!(one.ino(), two.ino());
    }
}

#[test]
fn a_copy_with_the_newest_statement_last_is_a_site_at_every_moment() {
    let workshop = curated();
    let first = release(&workshop, "2.1.post1");
    let (site, copy) = (workshop.path("site"), workshop.path("copy"));
    let verified = || reader(&workshop, &["verify", copy.to_str().unwrap()]);
    let is_last = |path: &str| path.starts_with("release.toml");
    let copied = |wanted: &dyn Fn(&str) -> bool| {
        for (path, bytes) in files(&site) {
            if wanted(&path) {
                let place = copy.join(&path);
                fs::create_dir_all(place.parent().unwrap()).unwrap();
                fs::write(place, bytes).unwrap();
            }
        }
    };
    copied(&|path| !is_last(path));
    copied(&is_last);
    assert_eq!(verified().line(), first);
    let next = release(&workshop, "2.2");
    copied(&|path| !is_last(path));
    assert_eq!(verified().line(), first);
    copied(&is_last);
    assert_eq!(verified().line(), next);
}

#[test]
fn every_file_that_is_not_the_releases_is_named() {
    let nginx = tool("nginx");
    let workshop = curated();
    release(&workshop, "2.1.post1");
    let root = release(&workshop, "2.2");
    let site = workshop.path("site");
    let (_nginx, url) = serve_plainly(&nginx, &site, &workshop.path("nginx"));
    let verified = || {
        let over_http = reader(&workshop, &["verify", &url]);
        let in_folder = reader(&workshop, &["verify", site.to_str().unwrap()]);
        assert_eq!(
            over_http.code, in_folder.code,
            "{over_http:?} {in_folder:?}"
        );
        over_http
    };
    assert_eq!(verified().line(), root);
    let list = "statements/2/release.files";
    for (path, words) in [
        (
            format!("{root}/index.html"),
            "has other bytes than the release's",
        ),
        (format!("{root}/library/index.v1_json"), "has other bytes"),
        (
            format!("{root}/large/large-1.0-py3-none-any.whl"),
            "has other bytes",
        ),
        (
            format!("{root}/library/library-2.2-py3-none-any.whl"),
            "has other bytes",
        ),
        (
            format!("{root}/library/library-2.2-py3-none-any.whl.metadata"),
            "has other bytes",
        ),
        (format!("{root}/_ipwhl/release.json"), "has other bytes"),
        ("statements/2/release.hollow.car".to_owned(), "is damaged"),
        (list.to_owned(), ""),
        ("release.toml".to_owned(), ""),
        (
            "statements/1/release.toml".to_owned(),
            "with another size or SHA-256",
        ),
    ] {
        let place = site.join(&path);
        let whole = fs::read(&place).unwrap();
        let mut bytes = whole.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::remove_file(&place).unwrap();
        fs::write(&place, &bytes).unwrap();
        let ran = verified();
        ran.refused(1, &[&format!("{url}/"), words]);
        let named = if path == "statements/1/release.toml" {
            list
        } else {
            &path
        };
        ran.said(named);
        fs::remove_file(&place).unwrap();
        verified().refused(1, &[&path]);
        fs::write(&place, &whole).unwrap();
        assert_eq!(verified().line(), root, "{path}");
    }
    // A longer file, a line too many, a line too few.
    let change = |path: &str, change: &dyn Fn(String) -> String, words: &str| {
        let place = site.join(path);
        let text = fs::read_to_string(&place).unwrap();
        fs::remove_file(&place).unwrap();
        fs::write(&place, change(text.clone())).unwrap();
        verified().refused(1, &[words]);
        fs::write(&place, text).unwrap();
    };
    let page = format!("{root}/index.html");
    change(&page, &|text| text + "<a>", "has other bytes");
    let stray = format!("{}  1  zebra\n", "0".repeat(64));
    change(
        list,
        &|text| text + &stray,
        "`zebra`, which is not a file of this release",
    );
    let without = |text: String| text.split_inclusive('\n').skip(1).collect();
    change(list, &without, "it does not list `");
    change(list, &|text| text.replace("  ", " "), "line 1 is not");
    assert_eq!(verified().line(), root);
}

/// Nothing of a wheel goes to the disk: a process that makes a longer file than it may is killed
/// there and then.
#[test]
fn no_wheel_is_kept_while_a_site_is_verified() {
    let workshop = curated();
    let root = release(&workshop, "2.1.post1");
    let server = serve(&workshop.path("site"));
    let verify = workshop.command(&["verify", &server.url("/")]);
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "ulimit -c 0; ulimit -f 512; exec \"$0\" \"$@\""])
        .arg(verify.get_program())
        .args(verify.get_args())
        .current_dir(workshop.repository())
        .env_clear();
    for (name, value) in verify.get_envs() {
        limited.env(name, value.unwrap());
    }
    let ran = Ran::of(&limited.output().unwrap());
    assert_eq!(ran.line(), root);
    assert!(
        server
            .paths()
            .iter()
            .any(|path| path.contains("/large-1.0"))
    );
}

#[test]
fn a_site_is_held_to_whom_its_reader_trusts() {
    let workshop = curated();
    release(&workshop, "2.1.post1");
    let root = release(&workshop, "2.2");
    let server = serve(&workshop.path("site"));
    let url = server.url("/");
    // The repository around says whom.
    assert_eq!(workshop.run(&["verify", &url]).line(), root);
    let alone = |arguments: &[&str]| {
        let mut command = workshop.command(&[&["verify", &url], arguments].concat());
        command.current_dir(workshop.path("home"));
        Ran::of(&command.output().unwrap())
    };
    alone(&[]).refused(1, &["no key is trusted here"]);
    assert_eq!(alone(&["--any-signer"]).line(), root);
    let first = workshop.path("site/statements/1/release.toml");
    let first = first.to_str().unwrap();
    assert_eq!(alone(&["--trusted-statement", first]).line(), root);
    alone(&["--statement", first]).refused(2, &["a site has its own statement"]);
    workshop
        .run(&["verify", "release", "--any-signer"])
        .refused(2, &["`--any-signer` needs a statement, and none is named"]);
    // Somebody else's signature.
    let text = fs::read(workshop.path("site/release.toml")).unwrap();
    let other = ipwhl::release::signature::sign(&key(2), &text).unwrap();
    server.put("/statements/2/release.toml.sig", other.as_bytes());
    reader(&workshop, &["verify", &url]).refused(1, &["has 0 of the 1 trusted signatures"]);
    // What cannot be reached, and what is no site.
    reader(&workshop, &["verify", &http::closed()]).refused(3, &["no connection"]);
    reader(&workshop, &["verify", &server.url("/elsewhere/")]).refused(
        1,
        &[
            "/elsewhere/release.toml` is missing",
            "name the folder that has",
        ],
    );
    let cid = format!("https://gateway.example.org/ipfs/{root}");
    reader(&workshop, &["verify", &cid, "--statement", first])
        .refused(2, &["this is a release on a gateway"]);
}

/// A server that has a page for everything that it does not have.
#[test]
fn a_page_in_the_place_of_a_signature_is_none() {
    let workshop = curated();
    let root = release(&workshop, "2.1.post1");
    let site = workshop.path("site");
    fs::write(
        site.join("spa.html"),
        "<!doctype html>\n<p>Nothing is here.\n",
    )
    .unwrap();
    let always = "location / { try_files $uri /spa.html; }";
    let (_nginx, url) = nginx(&tool("nginx"), &site, &workshop.path("nginx"), always);
    for command in ["verify", "fetch"] {
        let ran = reader(&workshop, &[command, &format!("{url}/")]);
        assert_eq!(ran.line(), root, "{command}");
    }
}
