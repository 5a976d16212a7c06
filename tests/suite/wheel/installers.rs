//! What real installers make of accepted wheels: pip and uv put the same files into the same
//! places, and those are the files that `ipwhl_packaging::wheel::members` says are inside.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use data_encoding::HEXLOWER;
use ipwhl_packaging::wheel::{Limits, WheelMembers, members};
use ipwhl_unixfs::Sha256Digest;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::layout::odd_wheels;
use super::{facts, good_wheels};
use crate::support::http::{respond, whole};
use crate::support::tool;
use crate::support::wheel_builder::WheelBuilder;
use crate::support::workshop::files;

/// pip for each wheel in a process of its own, forked after what takes long: importing it.
const PIP: &str = "\
import json, os, sys, sysconfig
from pip._internal.cli.main import main
import pip._internal.commands.install

OPTIONS = ['--isolated', '--no-deps', '--no-compile', '--no-cache-dir', '--ignore-installed',
           '--no-warn-script-location', '--disable-pip-version-check', '--quiet']
failed = []
for index, prefix in json.load(sys.stdin):
    child = os.fork()
    if child == 0:
        os._exit(main(['install', *OPTIONS, '--index-url', index, '--prefix', prefix, 'click']))
    if os.waitpid(child, 0)[1]:
        failed.append(index)
paths = {key: '.' for key in ('base', 'platbase', 'installed_base')}
print(json.dumps({'failed': failed, 'lib': sysconfig.get_path('purelib', 'posix_prefix', paths)}))
";

/// What installers write beside a wheel's own files.
const WRITTEN: [&str; 5] = [
    "RECORD",
    "INSTALLER",
    "REQUESTED",
    "direct_url.json",
    "uv_cache.json",
];

/// A tree as it was installed or must be: paths, and the bytes' digest.
type Tree = BTreeMap<String, String>;

fn digest(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// What is in a prefix, without what installers add.
fn installed(prefix: &Path, lib: &str) -> Tree {
    files(prefix)
        .into_iter()
        .filter(|(path, _)| {
            let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
            // uv locks the folder that it installs into.
            path != ".lock"
                && !(folder.ends_with(".dist-info")
                    && folder.starts_with(lib)
                    && WRITTEN.contains(&file))
        })
        .map(|(path, bytes)| {
            let digest = digest(&shebang_as_it_was(&path, bytes));
            (path, digest)
        })
        .collect()
}

/// A script with `#!python` where an installer has put its interpreter.
fn shebang_as_it_was(path: &str, bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    match end {
        Some(end) if path.starts_with("bin/") && bytes.starts_with(b"#!/") => {
            let line = String::from_utf8_lossy(&bytes[..end]);
            if line.contains("python") {
                [b"#!python", &bytes[end..]].concat()
            } else {
                bytes
            }
        }
        _ => bytes,
    }
}

/// The scripts that installers make themselves.
fn entry_points(inside: &WheelMembers) -> BTreeSet<String> {
    let text = inside.entry_points.as_deref().unwrap_or_default();
    let names = text.lines().filter_map(|line| line.split_once(" = "));
    names.map(|(name, _)| name.to_owned()).collect()
}

/// Where the members come to lie, by the specification.
fn expected(wheel: &[u8], stem: &str, project: &str, lib: &str) -> Tree {
    let inside = members(&mut Cursor::new(wheel), &Limits::default())
        .unwrap()
        .unwrap();
    let include = lib.replace("lib/", "include/site/");
    let include = include.trim_end_matches("/site-packages");
    let made = entry_points(&inside);
    let mut tree = Tree::new();
    for member in &inside.members {
        let name = member.name.as_str();
        let data = format!("{stem}.data/");
        let place = match name.strip_prefix(&data).map(|rest| rest.split_once('/')) {
            None => format!("{lib}/{name}"),
            Some(Some(("purelib" | "platlib", rest))) => format!("{lib}/{rest}"),
            Some(Some(("headers", rest))) => format!("{include}/{project}/{rest}"),
            Some(Some(("data", rest))) => rest.to_owned(),
            // What an entry point replaces.
            Some(Some(("scripts", rest))) if made.contains(rest.trim_end_matches("-script.py")) => {
                continue;
            }
            Some(Some(("scripts", rest))) => format!("bin/{rest}"),
            other => panic!("{other:?}"),
        };
        let is_written = name
            .strip_prefix(&format!("{stem}.dist-info/"))
            .is_some_and(|file| WRITTEN.contains(&file));
        if !is_written {
            tree.insert(place, Sha256Digest::from(member.sha256).to_string());
        }
    }
    tree
}

/// A wheel of the corpora, in a folder and an index of its own: all are of one project.
struct Sample {
    number: usize,
    path: PathBuf,
    bytes: Vec<u8>,
    index: String,
}

/// An index of one wheel, with METADATA beside it, as a release has it.
fn index(builder: &WheelBuilder) -> String {
    let (file, bytes) = (builder.file_name(), builder.build());
    let metadata = builder.metadata_bytes();
    let page = format!(
        "<!DOCTYPE html><a href=\"{file}#sha256={}\" data-core-metadata=\"sha256={}\">{file}</a>",
        digest(&bytes),
        digest(&metadata)
    );
    let url = respond(move |request| {
        let (kind, body) = match request.path.trim_start_matches("/click/") {
            "" => ("text/html", page.as_bytes()),
            path if path == file => ("application/octet-stream", &bytes[..]),
            path if path == format!("{file}.metadata") => {
                ("application/octet-stream", &metadata[..])
            }
            _ => return whole("404 Not Found", &[], b""),
        };
        whole("200 OK", &[("Content-Type", kind)], body)
    });
    format!("{url}/")
}

impl Sample {
    fn prefix(&self, home: &Path, installer: &str) -> PathBuf {
        home.join(format!("{installer}-{}", self.number))
    }
}

fn uv(home: &Path, sample: &Sample, installer: &str, wheel: &[&str]) {
    let output = Command::new(tool("uv"))
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("HOME", home)
        .current_dir(home)
        .args(["pip", "install", "--quiet", "--no-config"])
        .args(["--no-deps", "--link-mode", "copy", "--python"])
        .arg(tool("python3"))
        .arg("--cache-dir")
        .arg(home.join("cache"))
        .arg("--prefix")
        .arg(sample.prefix(home, installer))
        .args(wheel)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "wheel {}: {error}", sample.number);
}

#[cfg(unix)]
#[test]
fn pip_and_uv_install_what_is_inside_every_accepted_wheel() {
    let python = tool("python3");
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let samples: Vec<Sample> = good_wheels()
        .into_iter()
        .chain(odd_wheels())
        // Some names are one place elsewhere, and then no two files.
        .filter(|builder| {
            cfg!(target_os = "linux") || facts(&builder.build()).name_conflicts.is_empty()
        })
        .enumerate()
        .map(|(number, builder)| {
            let folder = home.join(number.to_string());
            fs::create_dir(&folder).unwrap();
            let bytes = builder.build();
            let path = folder.join(builder.file_name());
            fs::write(&path, &bytes).unwrap();
            Sample {
                number,
                path,
                bytes,
                index: index(&builder),
            }
        })
        .collect();
    // All of pip's in one process.
    let pairs: Vec<_> = samples
        .iter()
        .map(|sample| json!([sample.index, sample.prefix(home, "pip")]))
        .collect();
    let mut pip = Command::new(&python)
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("HOME", home)
        .env("PIP_CONFIG_FILE", "/dev/null")
        .current_dir(home)
        .args(["-c", PIP])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let text = json!(pairs).to_string();
    let mut input = pip.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    for sample in &samples {
        // From a file uv goes by the central directory, from the network by the local headers.
        let network = ["--index-url", &sample.index, "click"];
        uv(home, sample, "uv-network", &network);
        let file = ["--no-index", sample.path.to_str().unwrap()];
        uv(home, sample, "uv-file", &file);
    }
    let output = pip.wait_with_output().unwrap();
    assert!(output.status.success());
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["failed"], json!([]));
    let lib = told["lib"].as_str().unwrap().trim_start_matches("./");
    for sample in &samples {
        let stem = facts(&sample.bytes).dist_info;
        let project = stem.split('-').next().unwrap();
        let inside = members(&mut Cursor::new(&sample.bytes), &Limits::default())
            .unwrap()
            .unwrap();
        let expected = expected(&sample.bytes, &stem, project, lib);
        for installer in ["pip", "uv-network", "uv-file"] {
            let mut tree = installed(&sample.prefix(home, installer), lib);
            for script in entry_points(&inside) {
                let made = tree.remove(&format!("bin/{script}"));
                assert!(made.is_some(), "wheel {}: {script}", sample.number);
            }
            assert_eq!(tree, expected, "wheel {}, {installer}", sample.number);
        }
    }
}
