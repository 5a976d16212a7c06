//! `ipwhl audit` beside `osv-scanner`, with a made-up database.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Cursor, Write};
use std::process::Command;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::declared_set::DeclaredSet;
use crate::support::program::Program;
use crate::support::tool;

/// Versions of every kind, in order.
const VERSIONS: [&str; 16] = [
    "0.9",
    "1.0.dev1",
    "1.0a1",
    "1.0b2",
    "1.0rc1",
    "1.0",
    "1.0.post1",
    "1.0.1",
    "1.2",
    "1.10",
    "2.0.dev3",
    "2.0",
    "2.0.0.1",
    "3.0",
    "2020.1",
    "1!0.1",
];

const PROJECTS: usize = 40;
const ENTRIES: usize = 400;

/// What a generator yields, the same in every run.
fn numbers(count: usize, below: usize) -> Vec<usize> {
    let mut runner = TestRunner::deterministic();
    let numbers = proptest::collection::vec(0..below, count);
    numbers.new_tree(&mut runner).unwrap().current()
}

/// Entries with ranges, single versions, aliases, withdrawals; no two events of one version, which
/// programs order in their own ways, and no `limit`, which the peer does not know.
fn entries() -> Vec<Value> {
    let random = numbers(ENTRIES * 16, 1 << 20);
    random
        .chunks(16)
        .enumerate()
        .map(|(number, random)| {
            let mut places: Vec<usize> = random[..4].iter().map(|one| one % VERSIONS.len()).collect();
            places.sort_unstable();
            places.dedup();
            let closing = if random[4] % 2 == 0 { "fixed" } else { "last_affected" };
            let mut events = vec![json!({"introduced": "0"})];
            if random[5] % 2 == 0 {
                events = vec![json!({"introduced": VERSIONS[places.remove(0)]})];
            }
            for (position, place) in places.into_iter().enumerate() {
                let field = if position % 2 == 0 { closing } else { "introduced" };
                events.push(json!({field: VERSIONS[place]}));
            }
            if random[6] % 3 == 0 {
                events.reverse();
            }
            let versions: Vec<&str> = random[7..9].iter().map(|one| VERSIONS[one % VERSIONS.len()]).collect();
            let prefix = ["PYSEC", "GHSA", "MAL"][random[9] % 3];
            let mut affected = json!({
                "package": {"ecosystem": "PyPI", "name": format!("project-{}", random[10] % PROJECTS)},
            });
            if random[11] % 4 > 0 {
                affected["ranges"] = json!([{"type": "ECOSYSTEM", "events": events}]);
            }
            if random[12] % 4 == 0 {
                affected["versions"] = json!(versions);
            }
            let mut entry = json!({
                "schema_version": "1.6.0",
                "id": format!("{prefix}-2026-{number}"),
                "modified": "2026-11-19T00:00:00Z",
                "aliases": [format!("CVE-2026-{}", number / 3)],
                "affected": [affected],
            });
            if random[13] % 10 == 0 {
                entry["withdrawn"] = json!("2026-11-19T00:00:00Z");
            }
            entry
        })
        .collect()
}

/// The vulnerabilities of each project, each as the identifiers of its entries that affect it.
type Found = BTreeMap<String, BTreeSet<BTreeSet<String>>>;

fn peer(folder: &std::path::Path) -> Found {
    let output = Command::new(tool("osv-scanner"))
        .args(["scan", "source", "--offline", "--format", "json", "-L"])
        .arg(format!(
            "requirements.txt:{}",
            folder.join("requirements.txt").display()
        ))
        .env("OSV_SCALIBR_LOCAL_DB_CACHE_DIRECTORY", folder)
        .env("HOME", folder)
        .output()
        .unwrap();
    // 1 says that there are vulnerabilities.
    assert_eq!(
        output.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = document["results"][0]["packages"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    packages
        .iter()
        .map(|package| {
            let groups = package["groups"].as_array().unwrap().iter();
            let groups = groups.map(|group| {
                let ids = group["ids"].as_array().unwrap().iter();
                ids.map(text).collect()
            });
            (text(&package["package"]["name"]), groups.collect())
        })
        .collect()
}

#[test]
fn the_peer_finds_the_same() {
    let entries = entries();
    let picks = numbers(PROJECTS, VERSIONS.len());
    let mut set = DeclaredSet::new();
    let mut requirements = String::new();
    for (number, pick) in picks.into_iter().enumerate() {
        let version = VERSIONS[pick];
        set = set.wanted(&format!("project-{number} {version}"), &[]);
        requirements += &format!("project-{number}=={version}\n");
    }
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for entry in &entries {
        let name = format!("{}.json", entry["id"].as_str().unwrap());
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(name, options).unwrap();
        writer.write_all(entry.to_string().as_bytes()).unwrap();
    }
    let archive = writer.finish().unwrap().into_inner();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("requirements.txt"), requirements).unwrap();
    let place = folder.path().join("osv-scalibr/PyPI/all.zip");
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(&place, archive).unwrap();
    let repository = set.build();
    let line = [
        "audit",
        "--offline",
        "--message-format",
        "json",
        "--database",
    ];
    let run =
        Program::new(repository.path()).run(&[&line[..], &[place.to_str().unwrap()]].concat());
    let theirs = peer(folder.path());
    let mut ours: BTreeMap<String, Vec<BTreeSet<String>>> = BTreeMap::new();
    for finding in run.findings() {
        let advisory = &finding["advisory"];
        let aliases = advisory["aliases"].as_array().unwrap().iter();
        let names = aliases
            .chain([&advisory["id"]])
            .map(|one| one.as_str().unwrap().to_owned());
        let project = finding["project"].as_str().unwrap().to_owned();
        ours.entry(project).or_default().push(names.collect());
    }
    let count: usize = theirs.values().map(BTreeSet::len).sum();
    assert!(count > 100, "{count}");
    let projects =
        |names: Vec<&String>| -> BTreeSet<String> { names.into_iter().cloned().collect() };
    assert_eq!(
        projects(ours.keys().collect()),
        projects(theirs.keys().collect())
    );
    for (project, groups) in &theirs {
        let mine = &ours[project];
        assert_eq!(mine.len(), groups.len(), "{project}: {mine:?} {groups:?}");
        for group in groups {
            // Ours names those that do not affect the version, too.
            let same = mine.iter().filter(|names| names.is_superset(group));
            assert_eq!(same.count(), 1, "{project}: {group:?} in {mine:?}");
        }
    }
}
