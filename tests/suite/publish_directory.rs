//! `ipwhl publish` to a folder that a web server serves: what it looks like at every moment, and
//! that pip installs from it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ipwhl::release::signature::SigningKey;
use ipwhl_unixfs::Sha256Digest;

use crate::clients::Pip;
use crate::publish_kubo::{installable_with, second, settings, succeeded};
use crate::support::tool;
use crate::support::workshop::{Ending, Workshop, files};

const TARGET: &str = "[publish.site]\nkind = \"directory\"\npath = \"../site\"\n";

/// A first release, built, with the settings of a target.
fn first() -> (Workshop, String) {
    let workshop = Workshop::with(&installable_with("2.1.post1"));
    settings(&workshop, TARGET);
    let root = workshop.build(&[]);
    (workshop, root)
}

fn link(workshop: &Workshop, path: &str) -> String {
    let target = fs::read_link(workshop.path("site").join(path)).unwrap();
    target.to_str().unwrap().to_owned()
}

/// The tree of the release in the repository, as the build writes it.
fn tree(workshop: &Workshop) -> std::collections::BTreeMap<String, Vec<u8>> {
    let place = workshop.path("tree");
    let _ = fs::remove_dir_all(&place);
    let previous = workshop.path("tree.toml");
    fs::copy(workshop.release("release.toml"), &previous).unwrap();
    fs::copy(
        workshop.release("release.toml.sig"),
        workshop.path("tree.toml.sig"),
    )
    .unwrap();
    workshop.build(&[
        "--tree",
        place.to_str().unwrap(),
        "--previous",
        previous.to_str().unwrap(),
    ]);
    files(&place)
}

fn inode(workshop: &Workshop, root: &str, file: &str) -> u64 {
    let path = workshop.path("site").join(root).join(file);
    fs::metadata(path).unwrap().ino()
}

/// Everything in a folder: files with their bytes, links with their targets.
fn snapshot(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            let kind = fs::symlink_metadata(&path).unwrap();
            let bytes = if kind.is_symlink() {
                let target = fs::read_link(&path).unwrap();
                target.into_os_string().into_encoded_bytes()
            } else if kind.is_dir() {
                folders.push(path.clone());
                Vec::new()
            } else {
                fs::read(&path).unwrap()
            };
            found.push((path, bytes));
        }
    }
    found.sort();
    found
}

/// What a complete folder has at its top and among its statements.
#[track_caller]
fn assert_complete(workshop: &Workshop, roots: &[&str], sequence: u64) {
    let site = workshop.path("site");
    let newest = *roots.last().unwrap();
    assert_eq!(link(workshop, "latest"), newest);
    assert_eq!(link(workshop, "statements/latest"), sequence.to_string());
    let mut expected: Vec<&str> = roots.to_vec();
    expected.extend([
        ".ipwhl",
        "latest",
        "statements",
        "release.toml",
        "release.toml.sig",
    ]);
    expected.sort_unstable();
    expected.dedup();
    let mut names: Vec<String> = fs::read_dir(&site)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, expected);
    let served = files(&site.join("statements/latest"));
    for name in ["release.toml", "release.toml.sig"] {
        assert_eq!(served[name], workshop.read(name), "{name}");
        assert_eq!(fs::read(site.join(name)).unwrap(), workshop.read(name));
    }
    assert_eq!(served.len(), 4);
    let list = String::from_utf8(served["release.files"].clone()).unwrap();
    for line in list.lines() {
        let mut parts = line.split("  ");
        let (sha256, length) = (parts.next().unwrap(), parts.next().unwrap());
        let bytes = fs::read(site.join(parts.next().unwrap())).unwrap();
        assert_eq!(Sha256Digest::of(&bytes).to_string(), sha256, "{line}");
        assert_eq!(bytes.len().to_string(), length, "{line}");
    }
    let listed = list.lines().map(|line| line.rsplit("  ").next().unwrap());
    let of_tree = listed.filter(|path| path.starts_with(newest));
    assert_eq!(of_tree.count(), files(&site.join("latest")).len());
    assert_eq!(files(&site.join("latest")), tree(workshop));
}

#[test]
fn a_release_is_a_tree_with_its_statement_and_the_next_one_links_to_what_stays() {
    let (workshop, root) = first();
    let dry = succeeded(workshop.run(&["publish", "--dry-run"]));
    for words in [
        "has no release of this repository".to_owned(),
        "would make the folder".to_owned(),
        "would write `statements/1`".to_owned(),
        format!("would point `latest` at {root}"),
        " files, ".to_owned(),
    ] {
        assert!(dry.output.contains(&words), "no {words} in {}", dry.output);
    }
    assert!(!workshop.path("site").exists());

    let ran = succeeded(workshop.run(&["publish"]));
    ran.said("read back the root and 3 wheels");
    ran.said(&format!("`latest` is {root}"));
    assert_complete(&workshop, &[&root], 1);
    // Whoever has the folder can tell its root.
    let tree = format!("../site/{root}");
    assert_eq!(workshop.run(&["cid", &tree]).line(), root);

    // The same again changes nothing, and says so.
    let before = snapshot(&workshop.path("site"));
    succeeded(workshop.run(&["publish"])).said("already has the whole release");
    let dry = succeeded(workshop.run(&["publish", "--dry-run"]));
    assert!(dry.output.contains("nothing to do"), "{dry:?}");
    assert_eq!(snapshot(&workshop.path("site")), before);

    let old_tree = files(&workshop.path("site").join(&root));
    let next = second(&workshop, TARGET);
    let dry = succeeded(workshop.run(&["publish", "--dry-run"]));
    assert!(dry.output.contains("would link "), "{dry:?}");
    assert_eq!(snapshot(&workshop.path("site")), before);
    succeeded(workshop.run(&["publish"])).said("that existed already");
    assert_complete(&workshop, &[&root, &next], 2);
    assert_eq!(files(&workshop.path("site").join(&root)), old_tree);
    let large = "large/large-1.0-py3-none-any.whl";
    assert_eq!(
        inode(&workshop, &root, large),
        inode(&workshop, &next, large)
    );
    assert_ne!(
        inode(&workshop, &root, "library/index.html"),
        inode(&workshop, &next, "library/index.html")
    );
    // Each release has its own statement.
    let text = fs::read_to_string(workshop.path("site/statements/1/release.toml")).unwrap();
    assert!(text.contains(&root), "{text}");
}

#[test]
fn pip_installs_from_it_behind_ordinary_web_servers() {
    let pip = Pip::new();
    let python = tool("python3");
    let (workshop, root) = first();
    succeeded(workshop.run(&["publish"]));
    let site = workshop.path("site");
    let mut server = Command::new(python);
    server
        .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1"])
        .arg("--directory")
        .arg(&site)
        .stderr(Stdio::null());
    let (_server, lines) = Ending::start(&mut server, |_| true);
    let port = lines[0]
        .split("port ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    pip.install(
        &format!("http://127.0.0.1:{port}/{root}/"),
        &["application"],
    );
    assert_eq!(
        pip.python("import library; print(library.version)"),
        "2.1.post1"
    );

    let nginx = tool("nginx");
    second(&workshop, TARGET);
    succeeded(workshop.run(&["publish"]));
    let (_nginx, url) = serve_with_nginx(&nginx, &site, &workshop.path("nginx"));
    pip.install(
        &format!("{url}/latest/"),
        &["--upgrade", "application", "library", "large"],
    );
    assert_eq!(pip.python("import library; print(library.version)"), "2.2");
    pip.check();
}

/// nginx as its package has it: nothing but a root.
pub fn serve_with_nginx(program: &Path, site: &Path, folder: &Path) -> (Ending, String) {
    nginx(program, site, folder, "")
}

/// nginx as an object store: files by their names, no page for a folder, no links.
pub fn serve_plainly(program: &Path, site: &Path, folder: &Path) -> (Ending, String) {
    let plain = "disable_symlinks on; location / { try_files $uri =404; }";
    nginx(program, site, folder, plain)
}

/// It takes no port of its own choice.
pub fn nginx(program: &Path, site: &Path, folder: &Path, more: &str) -> (Ending, String) {
    fs::create_dir(folder).unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let base = folder.display();
        let configuration = format!(
            "daemon off; master_process off; pid {base}/pid; error_log stderr;\n\
             events {{}}\n\
             http {{ access_log off; client_body_temp_path {base}/body; proxy_temp_path {base}/proxy;\n\
             fastcgi_temp_path {base}/fastcgi; uwsgi_temp_path {base}/uwsgi; scgi_temp_path {base}/scgi;\n\
             server {{ listen {address}; root {}; {more} }} }}\n",
            site.display()
        );
        let file = folder.join("nginx.conf");
        fs::write(&file, configuration).unwrap();
        let mut command = Command::new(program);
        command.arg("-p").arg(folder).arg("-c").arg(&file);
        command.stderr(Stdio::null());
        let mut child = Ending(command.spawn().unwrap());
        while child.0.try_wait().unwrap().is_none() {
            if TcpStream::connect(address).is_ok() {
                return (child, format!("http://{address}"));
            }
            thread::sleep(Duration::from_millis(5));
        }
        // Somebody else has taken the port.
        assert!(Instant::now() < deadline, "nginx does not start");
    }
}

#[test]
fn a_run_that_is_killed_leaves_the_old_release_and_is_completed_by_the_next_one() {
    let (workshop, root) = first();
    succeeded(workshop.run(&["publish"]));
    let old = files(&workshop.path("site/latest"));
    let statement = files(&workshop.path("site/statements/latest"));
    // Everything is written anew.
    let next = second(&workshop, &format!("{TARGET}links = false\n"));
    let before = workshop.path("before");
    copy(&workshop.path("site"), &before);
    let mut kept = 0;
    // A process that makes a file longer than it may is killed there and then: at one file after
    // another.
    let mut sizes: Vec<usize> = tree(&workshop)
        .values()
        .map(|bytes| bytes.len().saturating_sub(1) / 512)
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    assert!(sizes.len() > 2, "{sizes:?}");
    for limit in sizes {
        copy(&before, &workshop.path("site"));
        let publish = workshop.command(&["publish"]);
        let mut limited = Command::new("sh");
        limited
            .arg("-c")
            .arg(format!(
                "ulimit -c 0; ulimit -f {limit}; exec \"$0\" publish"
            ))
            .arg(publish.get_program())
            .current_dir(workshop.repository())
            .env_clear();
        for (name, value) in publish.get_envs() {
            limited.env(name, value.unwrap());
        }
        let output = limited.output().unwrap();
        assert!(output.status.signal().is_some(), "{limit}: {output:?}");
        assert_eq!(link(&workshop, "latest"), root, "{limit}");
        assert_eq!(files(&workshop.path("site/latest")), old, "{limit}");
        assert_eq!(files(&workshop.path("site/statements/latest")), statement);
        assert!(!workshop.path("site").join(&next).exists());
        let partial = workshop.path("site").join(format!(".{next}.partial"));
        kept += files(&partial).len();
        succeeded(workshop.run(&["publish"]));
        assert_complete(&workshop, &[&root, &next], 2);
    }
    assert!(kept > 5, "{kept}");
}

/// Copies a folder with its links, over what is there.
fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(status.unwrap().success());
}

/// Reads as fast as it can while a release is published: the link leads to a whole tree, and the
/// statement's to a tree that is there, at every moment that is met.
struct Watch {
    is_over: Arc<AtomicBool>,
    reader: thread::JoinHandle<()>,
}

impl Watch {
    fn start(site: &Path, roots: &[&str]) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let stop = is_over.clone();
        let site = site.to_path_buf();
        let roots: Vec<String> = roots.iter().map(|root| (*root).to_owned()).collect();
        let reader = thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                for _ in 0..500 {
                    fs::read_link(site.join("latest")).unwrap();
                    fs::read_link(site.join("statements/latest")).unwrap();
                }
                let latest = fs::read_link(site.join("latest")).unwrap();
                assert!(roots.iter().any(|root| latest.ends_with(root)));
                assert!(site.join("latest/index.html").is_file());
                let text = fs::read_to_string(site.join("statements/latest/release.toml")).unwrap();
                let root = roots
                    .iter()
                    .rfind(|root| text.contains(&format!("root = \"{root}\"")));
                assert!(site.join(root.unwrap()).join("index.html").is_file());
            }
        });
        Self { is_over, reader }
    }

    #[track_caller]
    fn end(self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.reader.join().unwrap();
    }
}

/// The states between two steps, as a killed run leaves them.
#[test]
fn every_state_between_two_releases_is_completed() {
    let (workshop, root) = first();
    succeeded(workshop.run(&["publish"]));
    let before = workshop.path("before");
    copy(&workshop.path("site"), &before);
    let next = second(&workshop, TARGET);
    succeeded(workshop.run(&["publish"]));
    let after = workshop.path("after");
    copy(&workshop.path("site"), &after);
    let site = workshop.path("site");
    let partial = site.join(format!(".{next}.partial"));
    let half = |path: &Path| {
        let bytes = fs::read(path).unwrap();
        fs::remove_file(path).unwrap();
        fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    };
    let the_tree = || copy(&after.join(&next), &site.join(&next));
    let the_statement = || copy(&after.join("statements/2"), &site.join("statements/2"));
    let states: [(&str, &dyn Fn()); 10] = [
        ("a lock", &|| {
            fs::write(site.join("..ipwhl.partial"), "").unwrap();
        }),
        ("an empty tree", &|| fs::create_dir(&partial).unwrap()),
        ("half a file", &|| {
            copy(&after.join(&next), &partial);
            half(&partial.join("library/index.html"));
            fs::remove_file(partial.join("index.html")).unwrap();
        }),
        ("wrong bytes", &|| {
            copy(&after.join(&next), &partial);
            let path = partial.join("large/large-1.0-py3-none-any.whl");
            let mut bytes = fs::read(&path).unwrap();
            bytes[1000] ^= 1;
            fs::write(&path, bytes).unwrap();
        }),
        ("a file that was begun", &|| {
            fs::create_dir_all(partial.join("large")).unwrap();
            fs::write(
                partial.join("large/.large-1.0-py3-none-any.whl.partial"),
                "x",
            )
            .unwrap();
        }),
        ("the tree", &the_tree),
        ("half a statement", &|| {
            the_tree();
            fs::create_dir(site.join("statements/.2.partial")).unwrap();
            fs::write(site.join("statements/.2.partial/release.toml"), "format").unwrap();
        }),
        ("the statement", &|| {
            the_tree();
            the_statement();
        }),
        ("a link that was begun", &|| {
            the_tree();
            the_statement();
            symlink("2", site.join("statements/.latest.partial")).unwrap();
        }),
        ("the statement's link", &|| {
            the_tree();
            the_statement();
            fs::remove_file(site.join("statements/latest")).unwrap();
            symlink("2", site.join("statements/latest")).unwrap();
            symlink("elsewhere", site.join(".latest.partial")).unwrap();
        }),
    ];
    for (name, make) in states {
        copy(&before, &site);
        make();
        assert_eq!(link(&workshop, "latest"), root, "{name}");
        let watch = Watch::start(&site, &[&root, &next]);
        let ran = workshop.run(&["publish"]);
        watch.end();
        assert_eq!(ran.code, Some(0), "{name}: {}", ran.error);
        assert_complete(&workshop, &[&root, &next], 2);
        assert_eq!(snapshot(&site).len(), snapshot(&after).len(), "{name}");
    }
    // What another release has begun goes with the next one.
    copy(&before, &site);
    fs::create_dir_all(site.join(format!(".{root}.partial/library"))).unwrap();
    succeeded(workshop.run(&["publish"]));
    assert_complete(&workshop, &[&root, &next], 2);
    // Files that somebody took away come back; the others stay what they are.
    let gone = site.join(&next).join("library/index.html");
    fs::remove_file(&gone).unwrap();
    succeeded(workshop.run(&["publish"])).said("transferred 1 file,");
    assert_complete(&workshop, &[&root, &next], 2);
}

/// The order of the steps: none is done when the one before it has failed, and nobody is led to
/// what is missing.
#[test]
fn a_step_that_fails_is_the_last_one() {
    let (workshop, root) = first();
    succeeded(workshop.run(&["publish"]));
    let next = second(&workshop, TARGET);
    let site = workshop.path("site");
    let tree = site.join(&next);
    let fails = |obstacle: &str, make: &dyn Fn(&Path)| {
        let path = site.join(obstacle);
        make(&path);
        workshop.run(&["publish"]).refused(3, &["site"]);
        assert_eq!(link(&workshop, "latest"), root, "{obstacle}");
        assert!(path.exists());
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
    };
    let file = |path: &Path| fs::write(path, "an obstacle").unwrap();
    let folder = |path: &Path| fs::create_dir_all(path.join("an obstacle")).unwrap();
    fails(&format!(".{next}.partial"), &file);
    assert!(!tree.exists());
    fails("statements/.2.partial", &file);
    assert!(tree.exists() && !site.join("statements/2").exists());
    fails("statements/.latest.partial", &folder);
    assert_eq!(link(&workshop, "statements/latest"), "1");
    assert!(site.join("statements/2/release.toml").exists());
    fails(".latest.partial", &folder);
    assert_eq!(link(&workshop, "statements/latest"), "2");
    succeeded(workshop.run(&["publish"]));
    assert_complete(&workshop, &[&root, &next], 2);
}

/// Where the last section of an archive begins: a varint, the CID and the block.
fn archive_without_its_last_block(
    archive: &ipwhl_unixfs::car::CarReader<fs::File>,
    size: usize,
) -> usize {
    let cids = archive.cids();
    let last = cids.last().unwrap();
    let section = last.to_bytes().len() + archive.length_of(last).unwrap();
    let varint =
        std::iter::successors(Some(section), |left| (*left >= 128).then_some(left >> 7)).count();
    size - section - varint
}

#[test]
fn what_is_not_its_own_is_not_written_to() {
    let (workshop, root) = first();
    let site = workshop.path("site");
    let refused = |words: &[&str]| {
        let before = snapshot(&site);
        for run in [&["publish", "--dry-run"][..], &["publish"]] {
            workshop.run(run).refused(1, words);
        }
        assert_eq!(snapshot(&site), before);
    };
    fs::create_dir(&site).unwrap();
    // A delta has no files to show.
    let full = workshop.release("release.car");
    let delta = workshop.release("release.delta.car");
    let mut bytes = fs::read(&full).unwrap();
    let archive = ipwhl_unixfs::car::CarReader::open(fs::File::open(&full).unwrap()).unwrap();
    bytes.truncate(archive_without_its_last_block(&archive, bytes.len()));
    fs::write(&delta, bytes).unwrap();
    fs::rename(&full, workshop.path("kept.car")).unwrap();
    refused(&[
        "it has no release that could complete this delta",
        "`ipwhl fill release/release.delta.car --from ARCHIVE`",
    ]);
    fs::rename(workshop.path("kept.car"), &full).unwrap();
    fs::write(site.join("mine.html"), "mine").unwrap();
    refused(&["is not empty", "name an empty folder"]);
    fs::remove_file(site.join("mine.html")).unwrap();
    fs::write(
        site.join(".ipwhl"),
        "releases of another, written by `ipwhl publish`\n",
    )
    .unwrap();
    refused(&["of another repository", "releases of another"]);
    fs::remove_file(site.join(".ipwhl")).unwrap();
    succeeded(workshop.run(&["publish"]));

    fs::remove_file(site.join("latest")).unwrap();
    fs::create_dir(site.join("latest")).unwrap();
    refused(&["is not a link", "not replaced"]);
    fs::remove_dir(site.join("latest")).unwrap();
    symlink("../elsewhere", site.join("latest")).unwrap();
    refused(&["refers to `../elsewhere`, which is not a release"]);
    fs::remove_file(site.join("latest")).unwrap();
    symlink(&root, site.join("latest")).unwrap();

    fs::write(site.join("statements/1/release.toml"), "format = 1\n").unwrap();
    refused(&["is not a statement", "restore it"]);
    fs::remove_dir_all(site.join("statements/1")).unwrap();
    succeeded(workshop.run(&["publish"]));
    assert_complete(&workshop, &[&root], 1);

    // An older release, another one of the same sequence, and one without a statement.
    let release = workshop.path("old");
    fs::create_dir(&release).unwrap();
    for name in ["release.car", "release.toml", "release.toml.sig"] {
        fs::copy(workshop.release(name), release.join(name)).unwrap();
    }
    let next = second(&workshop, TARGET);
    succeeded(workshop.run(&["publish"]));
    let old = ["publish", "--release", release.to_str().unwrap()];
    workshop
        .run(&old)
        .refused(1, &["it has sequence 2", "has the sequence 1"]);
    workshop
        .run(&["publish", "--unsigned"])
        .refused(1, &["which is signed", "has no statement"]);
    fs::remove_dir_all(workshop.repository().join("release")).unwrap();
    workshop.write_over(&installable_with("2.3"));
    settings(&workshop, TARGET);
    let first = release.join("release.toml");
    workshop.build(&["--previous", first.to_str().unwrap()]);
    workshop
        .run(&["publish"])
        .refused(1, &["another release with the sequence 2", &next]);
    assert_eq!(link(&workshop, "latest"), next);

    // Another statement of the same release under the same sequence: a reader has one of them, and
    // would not believe the other.
    workshop.write_over(&installable_with("2.2"));
    settings(&workshop, TARGET);
    for expires in ["30d", "31d"] {
        fs::remove_dir_all(workshop.repository().join("release")).unwrap();
        let previous = first.to_str().unwrap();
        let again = workshop.build(&["--previous", previous, "--renew", "--expires", expires]);
        assert_eq!(again, next);
        refused(&[
            "another statement with the sequence 2, of the same release",
            "a sequence is used only once",
        ]);
    }
}

/// Bytes that have changed under the same name and size.
#[test]
fn what_is_damaged_is_replaced() {
    let (workshop, root) = first();
    succeeded(workshop.run(&["publish"]));
    let site = workshop.path("site");
    let whole = snapshot(&site);
    let damage = |path: &str| {
        let path = site.join(&root).join(path);
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 2;
        bytes[last] ^= 1;
        fs::write(&path, bytes).unwrap();
    };
    let wheel = "library/library-2.1.post1-py3-none-any.whl";
    let paths = ["index.html", "library/index.html", "_ipwhl/release.json"];
    for path in paths.into_iter().chain([wheel]) {
        damage(path);
        let dry = succeeded(workshop.run(&["publish", "--dry-run"]));
        for words in ["would transfer 1 file,", "would replace 1 file,"] {
            assert!(dry.output.contains(words), "{path}: {dry:?}");
        }
        assert_ne!(snapshot(&site), whole, "{path}");
        succeeded(workshop.run(&["publish"])).said("replaced 1 file,");
        assert_eq!(snapshot(&site), whole, "{path}");
    }
    // One that is not noticed by itself goes with one that is, and what is linked to is looked at
    // first.
    damage(wheel);
    damage("large/large-1.0-py3-none-any.whl");
    damage("index.html");
    let next = second(&workshop, TARGET);
    succeeded(workshop.run(&["publish"]));
    assert_complete(&workshop, &[&root, &next], 2);
}

/// What a dry run says of links is what happens: pages of one size with other bytes are not taken
/// for the same.
#[test]
fn a_dry_run_counts_by_bytes() {
    let (workshop, _) = first();
    succeeded(workshop.run(&["publish"]));
    for name in ["release.toml", "release.toml.sig"] {
        fs::copy(workshop.release(name), workshop.path(name)).unwrap();
    }
    workshop.write_over(&installable_with("2.1.post2"));
    settings(&workshop, TARGET);
    let previous = workshop.path("release.toml");
    workshop.build(&["--previous", previous.to_str().unwrap()]);
    let dry = succeeded(workshop.run(&["publish", "--dry-run"])).output;
    let ran = succeeded(workshop.run(&["publish"])).error;
    let amount = |words: &str, before: &str, after: &str| {
        let words = words
            .split(before)
            .nth(1)
            .unwrap_or_else(|| panic!("no {before}: {words}"));
        words.split(after).next().unwrap().to_owned()
    };
    assert_eq!(
        amount(&dry, "would transfer ", "\n"),
        amount(&ran, "transferred ", " to `")
    );
    assert_eq!(
        amount(&dry, "would link ", " to those"),
        amount(&ran, "linked ", " that existed already")
    );
}

#[test]
fn without_links_and_without_a_name_for_the_newest() {
    let workshop = Workshop::with(&installable_with("2.1.post1"));
    let target = format!("{TARGET}links = false\nlatest = \"\"\n");
    settings(&workshop, &target);
    let root = workshop.build(&[]);
    succeeded(workshop.run(&["publish"]));
    let next = second(&workshop, &target);
    succeeded(workshop.run(&["publish"]));
    let large = "large/large-1.0-py3-none-any.whl";
    assert_ne!(
        inode(&workshop, &root, large),
        inode(&workshop, &next, large)
    );
    let links = snapshot(&workshop.path("site"));
    let is_link = |path: &PathBuf| fs::symlink_metadata(path).unwrap().is_symlink();
    assert!(links.iter().all(|(path, _)| !is_link(path)));

    // A name that is in use.
    workshop.write_over(&installable_with("2.2"));
    for name in ["statements", &root] {
        let target = format!("{TARGET}latest = \"{name}\"\n");
        workshop.write_over(&installable_with("2.2"));
        settings(&workshop, &target);
        workshop
            .run(&["publish"])
            .refused(1, &["that name is used already"]);
    }
}

/// A statement and its signatures in a folder, without what stands beside them.
fn signed_files(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut found = files(folder);
    found.retain(|name, _| name.starts_with("release.toml"));
    found
}

/// Signatures are added, and none is lost: whichever of them is published, and under whichever
/// name.
#[test]
fn signatures_of_the_same_statement_come_together() {
    let (workshop, _) = first();
    succeeded(workshop.run(&["publish"]));
    let own = workshop.read("release.toml.sig");
    let statement = String::from_utf8(workshop.read("release.toml")).unwrap();
    let place = workshop.path("site/statements/1");
    let named = |key: &SigningKey| format!("release.toml.{}.sig", key.public().file_digits());
    let keys = [7, 8].map(|seed| SigningKey::from_seed(&[seed; 32]).unwrap());
    let [two, three] = keys
        .each_ref()
        .map(|key| ipwhl::release::signature::sign(key, statement.as_bytes()).unwrap());
    let expected = |signatures: &[(&str, &[u8])]| {
        let mut expected = vec![("release.toml".to_owned(), statement.clone().into_bytes())];
        expected.extend(
            signatures
                .iter()
                .map(|(name, text)| ((*name).to_owned(), text.to_vec())),
        );
        expected.into_iter().collect()
    };
    let (second, third) = (named(&keys[0]), named(&keys[1]));
    fs::write(workshop.release(&second), &two).unwrap();
    succeeded(workshop.run(&["publish"]));
    let both = expected(&[("release.toml.sig", &own), (&second, two.as_bytes())]);
    assert_eq!(signed_files(&place), both);
    // The first alone, the second alone under the first's name: nothing is new.
    fs::remove_file(workshop.release(&second)).unwrap();
    succeeded(workshop.run(&["publish"])).said("already has the whole release");
    for (name, key) in ["two", "three"].into_iter().zip(&keys) {
        fs::write(workshop.path(name), key.to_openssh().unwrap()).unwrap();
    }
    let with = |key: &str, more: &[&str]| {
        succeeded(workshop.run(&[&["publish", "--key", key], more].concat()))
    };
    fs::write(workshop.release("release.toml.sig"), &two).unwrap();
    let dry = with("../two", &["--dry-run"]);
    assert!(dry.output.contains("nothing to do"), "{dry:?}");
    with("../two", &[]).said("already has the whole release");
    assert_eq!(signed_files(&place), both);
    // A third one under the first's name gets its own; one that is damaged there is replaced.
    fs::write(workshop.release("release.toml.sig"), &three).unwrap();
    fs::write(place.join(&third), "damaged").unwrap();
    with("../three", &[]);
    let signatures: [(&str, &[u8]); 3] = [
        ("release.toml.sig", &own),
        (&second, two.as_bytes()),
        (&third, three.as_bytes()),
    ];
    assert_eq!(signed_files(&place), expected(&signatures));
    let list = fs::read_to_string(place.join("release.files")).unwrap();
    for name in ["release.toml.sig", &second, &third] {
        assert!(list.contains(&format!("  statements/1/{name}\n")), "{list}");
        assert_eq!(
            fs::read(workshop.path("site").join(name)).unwrap(),
            fs::read(place.join(name)).unwrap()
        );
    }
}

#[test]
fn a_signature_that_does_not_hold_goes_nowhere() {
    let key = SigningKey::from_seed(&[1; 32]).unwrap();
    let signing = format!(
        "\n[signing]\ntrusted = [{:?}]\n",
        key.public().line("key-1")
    );
    let workshop = Workshop::with(&installable_with("2.1.post1").configuration(&signing));
    settings(&workshop, TARGET);
    fs::write(workshop.path("key"), key.to_openssh().unwrap()).unwrap();
    workshop.build(&["--key", "../key"]);
    let stray = "release.toml.0000000000000000.sig";
    let other = ipwhl::release::signature::sign(&key, b"another statement").unwrap();
    for text in ["mine", &other] {
        fs::write(workshop.release(stray), text).unwrap();
        succeeded(workshop.run(&["publish"])).said(&format!("{stray}` is invalid and is left out"));
        let names: Vec<String> = signed_files(&workshop.path("site/statements/1"))
            .into_keys()
            .collect();
        assert_eq!(names, ["release.toml", "release.toml.sig"]);
    }
}
