//! Advisories in the OSV format: entries, ranges, aliases, databases.

use std::collections::BTreeMap;

use ipwhl::set::advisories::{
    Database, DatabaseBuilder, Entry, Range, Rating, Score, StoredIndex, vulnerabilities,
    write_index,
};
use ipwhl_packaging::{ProjectName, Version};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::program::NOW;

/// The database of entries in JSON, each under its own name.
fn database(entries: &[Value]) -> Database {
    let texts = entries.iter().map(ToString::to_string);
    let named = texts
        .enumerate()
        .map(|(number, text)| (format!("{number}.json"), text));
    of_files(&named.collect::<Vec<_>>())
}

fn of_files<N: AsRef<str>, B: AsRef<[u8]>>(files: &[(N, B)]) -> Database {
    let mut builder = DatabaseBuilder::new(NOW.parse().unwrap());
    let files = files.iter();
    builder.extend(files.map(|(name, bytes)| Entry::read(name.as_ref(), bytes.as_ref())));
    builder.build()
}

fn entry(id: &str, name: &str, events: &Value) -> Value {
    json!({
        "id": id,
        "modified": "2026-11-01T00:00:00Z",
        "affected": [{
            "package": {"ecosystem": "PyPI", "name": name},
            "ranges": [{"type": "ECOSYSTEM", "events": events}],
        }],
    })
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

/// The identifiers of the vulnerabilities that a version has.
fn ids(database: &Database, project: &str, of: &str) -> Vec<String> {
    let project: ProjectName = project.parse().unwrap();
    let Some(advisories) = database.projects.get(&project) else {
        return Vec::new();
    };
    let known = vulnerabilities(advisories, &version(of));
    known.into_iter().map(|one| one.id).collect()
}

fn range(events: &Value) -> Range {
    let record = json!({"type": "ECOSYSTEM", "events": events});
    Range::of(&serde_json::from_value(record).unwrap()).unwrap()
}

fn refused(events: &Value) -> String {
    let record = json!({"type": "ECOSYSTEM", "events": events});
    let range = Range::of(&serde_json::from_value(record).unwrap());
    range.unwrap_err().to_string()
}

/// The examples of the specification, and what its text says of each.
#[test]
fn the_examples_of_the_specification() {
    type Case = (Value, &'static [&'static str], &'static [&'static str]);
    let cases: &[Case] = &[
        (
            json!([{"introduced": "0"}]),
            &["0a0", "0", "1.0", "99!9"],
            &[],
        ),
        (
            json!([{"introduced": "0"}, {"fixed": "1.0.2"}]),
            &["0.dev0", "0.9", "1.0.1", "1.0.2rc1"],
            &["1.0.2", "1.0.2.0", "1.0.2.post1", "2"],
        ),
        (
            json!([
                {"introduced": "1.0.0"}, {"fixed": "1.0.2"},
                {"introduced": "3.0.0"}, {"fixed": "3.2.5"},
            ]),
            &["1.0.0", "1.0.1", "3.0.0", "3.2.4"],
            &["0.9", "1.0.0rc1", "1.0.2", "2.0", "3.2.5", "4"],
        ),
        (
            json!([{"introduced": "0"}, {"last_affected": "2.1.214"}]),
            &["1", "2.1.213", "2.1.214", "2.1.214.0"],
            &["2.1.214.post1", "2.1.215"],
        ),
        (
            json!([{"introduced": "0"}, {"fixed": "2.1.214"}]),
            &["2.1.213"],
            &["2.1.214"],
        ),
        // What lies behind a limit is not spoken of; several limits are as good as the last.
        (
            json!([{"introduced": "1"}, {"limit": "2"}]),
            &["1", "1.9"],
            &["0.9", "2", "3"],
        ),
        (
            json!([{"introduced": "1"}, {"limit": "2"}, {"limit": "3"}]),
            &["1", "2.5"],
            &["3"],
        ),
        (
            json!([{"introduced": "1"}, {"limit": "2"}, {"limit": "*"}]),
            &["1", "2", "9"],
            &["0"],
        ),
        // The order in the text does not matter.
        (json!([{"fixed": "2"}, {"introduced": "0"}]), &["1"], &["2"]),
        // An empty range.
        (
            json!([{"introduced": "1"}, {"fixed": "1"}]),
            &[],
            &["0", "1", "2"],
        ),
    ];
    for (events, affected, others) in cases {
        let range = range(events);
        for one in *affected {
            assert!(range.contains(&version(one)), "{events}: {one}");
        }
        for one in *others {
            assert!(!range.contains(&version(one)), "{events}: {one}");
        }
    }
}

/// The local part of a declared version is its builder's, as in version specifiers.
#[test]
fn a_local_version_is_affected_as_its_public_one() {
    let events = json!([{"introduced": "1.0"}, {"last_affected": "1.0"}]);
    assert!(range(&events).contains(&version("1.0+cu118")));
    let fixed = range(&json!([{"introduced": "0"}, {"fixed": "1.0+patched"}]));
    assert!(fixed.contains(&version("1.0")));
    assert!(!fixed.contains(&version("1.0+patched")));
    let mut listed = entry("A-1", "plum", &json!([{"introduced": "9"}]));
    listed["affected"][0]["versions"] = json!(["1.0"]);
    let database = database(&[listed]);
    assert_eq!(ids(&database, "plum", "1.0+cu118"), ["A-1"]);
    assert_eq!(ids(&database, "plum", "1.0.0"), ["A-1"]);
    assert_eq!(ids(&database, "plum", "1.1"), [""; 0]);
}

/// A text in `versions` is the declared version exactly if PEP 440 says so.
#[test]
fn listed_versions_are_compared_as_versions() {
    let texts = [
        "1",
        "1.0",
        "1.0.0",
        "01.0",
        "1.00",
        "0.1",
        "1.0.1",
        "10",
        "1!1",
        "0!1",
        "1rc1",
        "1.dev0",
        "1.post1",
        "1.post0",
        "v1",
        "1.0.0.0.2",
        "1.",
        ".1",
        "",
        "1..0",
        "99999999999999999999",
        "1-1",
        "2026.11",
    ];
    for listed in texts {
        let mut one = entry("A-1", "plum", &json!([{"introduced": "9!9"}]));
        one["affected"][0]["versions"] = json!([listed]);
        let database = database(&[one]);
        for declared in texts.iter().filter(|text| text.parse::<Version>().is_ok()) {
            let is_same = listed.parse() == Ok(version(declared));
            assert_eq!(
                ids(&database, "plum", declared).len(),
                usize::from(is_same),
                "{listed} {declared}"
            );
        }
    }
}

#[test]
fn a_range_that_is_not_understood_is_never_passed_over() {
    for (events, reason) in [
        (
            json!([{"introduced": "0"}, {"fixed": "next"}]),
            "`next` in `fixed` is not a version",
        ),
        (
            json!([{"introduced": "x"}]),
            "`x` in `introduced` is not a version",
        ),
        (
            json!([{"introduced": "0"}, {"last_affected": ""}]),
            "`` in `last_affected` is not a version",
        ),
        (
            json!([{"introduced": "0"}, {"limit": "1 2"}]),
            "`1 2` in `limit` is not a version",
        ),
        (
            json!([{"introduced": "0", "fixed": "1"}]),
            "an event must have exactly one of `introduced`, `fixed`, `last_affected` and `limit`",
        ),
        (
            json!([{"introduced": "0"}, {}]),
            "an event must have exactly one of `introduced`, `fixed`, `last_affected` and `limit`",
        ),
        (json!([{"fixed": "1"}]), "no event has `introduced`"),
        (json!([]), "no event has `introduced`"),
    ] {
        assert_eq!(refused(&events), reason, "{events}");
        // The rest of the entry counts.
        let mut broken = entry("A-1", "plum", &events);
        broken["affected"][0]["versions"] = json!(["1.5", "not a version"]);
        let database = database(&[broken]);
        assert_eq!(ids(&database, "plum", "1.5"), ["A-1"]);
        let [one] = database.facts.broken.as_slice() else {
            panic!("{:?}", database.facts.broken);
        };
        assert_eq!(one.reason, format!("a range cannot be read: {reason}"));
        assert_eq!(one.project, Some("plum".parse().unwrap()));
        assert!(!one.is_skipped);
    }
}

/// Versions in one text, as the index had them once, are no list.
#[test]
fn versions_are_a_list() {
    let mut one = entry("A-1", "plum", &json!([{"introduced": "0"}]));
    one["affected"][0]["versions"] = json!("1.0\n2.0 ");
    let database = database(&[one]);
    assert!(database.projects.is_empty());
    let [broken] = database.facts.broken.as_slice() else {
        panic!("{:?}", database.facts.broken);
    };
    assert!(broken.is_skipped);
    let reason = "expected a list of texts";
    assert!(broken.reason.contains(reason), "{}", broken.reason);
}

/// What counts of an entry: the ecosystem, the type of the range, the spelling of the name.
#[test]
fn other_ecosystems_and_commits_do_not_count() {
    let all = json!([{"introduced": "0"}]);
    let with = |change: &dyn Fn(&mut Value)| {
        let mut one = entry("A-1", "Plum_Tree", &all);
        change(&mut one["affected"][0]);
        database(&[one])
    };
    assert_eq!(ids(&with(&|_| ()), "plum-tree", "1"), ["A-1"]);
    let semver = with(&|affected| affected["ranges"][0]["type"] = json!("SEMVER"));
    assert_eq!(ids(&semver, "plum-tree", "1"), ["A-1"]);
    for other in ["npm", "pypi", "", "PyPI2"] {
        let database = with(&|affected| affected["package"]["ecosystem"] = json!(other));
        assert_eq!(ids(&database, "plum-tree", "1"), [""; 0], "{other}");
        assert!(database.facts.broken.is_empty());
        assert_eq!((database.facts.entries, database.facts.advisories), (1, 0));
    }
    let commits = with(&|affected| {
        affected["ranges"][0] = json!({"type": "GIT", "events": [{"introduced": "0"}]});
    });
    assert_eq!(ids(&commits, "plum-tree", "1"), [""; 0]);
    let without = with(&|affected| affected["package"] = Value::Null);
    assert_eq!(ids(&without, "plum-tree", "1"), [""; 0]);
    let no_name = with(&|affected| affected["package"]["name"] = json!("a b"));
    assert_eq!(
        no_name.facts.broken[0].reason,
        "`a b` is not the name of a project"
    );
}

#[test]
fn withdrawn_entries_are_left_out_and_the_newest_of_an_identifier_counts() {
    let all = json!([{"introduced": "0"}]);
    let mut withdrawn = entry("A-1", "plum", &all);
    withdrawn["withdrawn"] = json!("2026-10-01T00:00:00Z");
    let database_1 = database(&[withdrawn.clone()]);
    assert_eq!(ids(&database_1, "plum", "1"), [""; 0]);
    assert_eq!(
        (database_1.facts.withdrawn, database_1.facts.advisories),
        (1, 0)
    );
    // Two entries claim one identifier: the later one counts, in either order.
    let mut older = entry("A-1", "plum", &all);
    older["modified"] = json!("2026-10-31T00:00:00Z");
    for entries in [[older.clone(), withdrawn.clone()], [withdrawn, older]] {
        assert_eq!(ids(&database(&entries), "plum", "1"), [""; 0]);
    }
    // `null` is no withdrawal.
    let mut null = entry("A-1", "plum", &all);
    null["withdrawn"] = Value::Null;
    assert_eq!(ids(&database(&[null]), "plum", "1"), ["A-1"]);
    // At the same time both count.
    let other = entry("A-1", "plum", &json!([{"introduced": "5"}]));
    let one = entry("A-1", "plum", &json!([{"introduced": "0"}, {"fixed": "1"}]));
    let both = database(&[one, other]);
    assert_eq!(ids(&both, "plum", "0.5"), ["A-1"]);
    assert_eq!(ids(&both, "plum", "6"), ["A-1"]);
}

/// Aliases are symmetric and transitive, also by way of an identifier that has no entry.
#[test]
fn aliases_are_one_vulnerability() {
    let named = |id: &str, aliases: &[&str], fixed: &str| {
        let mut one = entry(id, "plum", &json!([{"introduced": "0"}, {"fixed": fixed}]));
        one["aliases"] = json!(aliases);
        one
    };
    let database = database(&[
        named("GHSA-1", &["CVE-1"], "2.0"),
        named("PYSEC-1", &["CVE-1", "BIT-1"], "1.5"),
        named("PYSEC-2", &[], "3.0"),
        named("CVE-9", &["GHSA-1"], "1.0"),
    ]);
    let project: ProjectName = "plum".parse().unwrap();
    let known = vulnerabilities(&database.projects[&project], &version("1.2"));
    let [first, second] = known.as_slice() else {
        panic!("{known:?}");
    };
    assert_eq!(first.id, "PYSEC-1");
    assert_eq!(first.aliases, ["BIT-1", "CVE-1", "CVE-9", "GHSA-1"]);
    // 1.5 is what one of them calls fixed, and the other does not.
    assert_eq!(first.fixed, [version("2.0")]);
    assert_eq!(second.id, "PYSEC-2");
    // Only one of them affects 1.7.
    assert_eq!(ids(&database, "plum", "1.7"), ["GHSA-1", "PYSEC-2"]);
    assert_eq!(ids(&database, "plum", "2.0"), ["PYSEC-2"]);
}

#[test]
fn severities_are_scored() {
    for (vector, score, rating) in [
        (
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "9.8",
            Rating::Critical,
        ),
        (
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N",
            "6.1",
            Rating::Medium,
        ),
        (
            "CVSS:3.0/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N",
            "1.8",
            Rating::Low,
        ),
        (
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N",
            "0.0",
            Rating::None,
        ),
        (
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
            "9.3",
            Rating::Critical,
        ),
        ("AV:N/AC:L/Au:N/C:N/I:P/A:C", "8.5", Rating::High),
    ] {
        let of = Score::of(vector).unwrap_or_else(|| panic!("{vector}"));
        assert_eq!((of.to_string(), of.rating()), (score.to_owned(), rating));
    }
    for wrong in [
        "",
        "9.8",
        "CVSS:3.1",
        "CVSS:5.0/AV:N",
        "CVSS:3.1/AV:X/AC:L",
        "high",
    ] {
        assert_eq!(Score::of(wrong), None, "{wrong}");
    }
    // The highest counts, and a word only without a score.
    let mut one = entry("A-1", "plum", &json!([{"introduced": "0"}]));
    one["database_specific"] = json!({"severity": "MODERATE"});
    let known = |one: &Value| {
        let database = database(std::slice::from_ref(one));
        let advisories = database.projects.values().next().unwrap();
        vulnerabilities(advisories, &version("1")).remove(0)
    };
    assert_eq!(
        (known(&one).rating, known(&one).score),
        (Some(Rating::Medium), None)
    );
    one["severity"] =
        json!([{"type": "CVSS_V3", "score": "CVSS:3.0/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"}]);
    one["affected"][0]["severity"] = json!([
        {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
        {"type": "Ubuntu", "score": "low"}, {"type": "CVSS_V3"},
    ]);
    assert_eq!(known(&one).score.unwrap().to_string(), "9.8");
    assert_eq!(known(&one).rating, Some(Rating::Critical));
}

/// An entry as the database of the Python Packaging Authority has it.
pub const YAML: &str = "id: PYSEC-2026-1
modified: 2026-11-01T00:00:00.5Z
summary: 'a summary of
  two lines'
details: |
  ### A title
  - introduced: \"not an event\"
aliases: [CVE-1]
affected:
- package: {ecosystem: PyPI, name: Plum}
  ranges:
  - type: GIT
    repo: https://example.org/
    events:
    - introduced: '0'
  - type: ECOSYSTEM
    events:
    - introduced: \"0\"
    - fixed: 1.10
  versions:
  - 2.0
  - '3.0'
severity:
- type: CVSS_V3
  score: CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H
withdrawn: null
";

/// YAML and JSON of the same entry say the same; `1.10` stays a text.
#[test]
fn yaml_is_read_as_json_is() {
    let database = of_files(&[("a.yaml", YAML)]);
    assert_eq!(database.facts.broken, []);
    for affected in ["1.9", "1.9.9", "2", "3.0"] {
        assert_eq!(
            ids(&database, "plum", affected),
            ["PYSEC-2026-1"],
            "{affected}"
        );
    }
    assert_eq!(ids(&database, "plum", "1.10"), [""; 0]);
    assert_eq!(
        database.facts.newest,
        Some("2026-11-01T00:00:00.5Z".parse().unwrap())
    );
    let advisory = &database.projects.values().next().unwrap()[0];
    assert_eq!(advisory.summary.as_deref(), Some("a summary of two lines"));
    assert_eq!(advisory.names, ["CVE-1", "PYSEC-2026-1"]);
}

/// Broken entries are named, and take nothing else with them.
#[test]
fn broken_entries_are_named_and_skipped() {
    let deep = format!("{{\"id\": \"A-1\", \"x\": {}", "[".repeat(200_000));
    let deep_yaml = format!("id: A-1\nx: {}", "[".repeat(100_000));
    let bomb = "id: A-1\na: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n";
    let long = format!("{{\"id\": \"{}\"}}", "A".repeat(200));
    let broken: &[(&str, &str, &str)] = &[
        ("empty.json", "", "it is not an entry in JSON: EOF"),
        ("empty.yaml", "", "it is not an entry in YAML: it is empty"),
        ("list.json", "[]", "it is not an entry in JSON:"),
        (
            "no-id.json",
            "{}",
            "it is not an entry in JSON: missing field `id`",
        ),
        (
            "number.json",
            "{\"id\": 1}",
            "it is not an entry in JSON: invalid type",
        ),
        (
            "spaces.json",
            "{\"id\": \"a b\"}",
            "its `id` is empty, too long",
        ),
        (
            "escape.json",
            "{\"id\": \"\\u001b[31m\"}",
            "its `id` is empty, too long",
        ),
        ("long.json", &long, "its `id` is empty, too long"),
        (
            "deep.json",
            &deep,
            "it is not an entry in JSON: EOF while parsing a list",
        ),
        ("deep.yaml", &deep_yaml, "it is not an entry in YAML: "),
        (
            "bomb.yaml",
            bomb,
            "it is not an entry in YAML: line 3 refers to an anchor",
        ),
        (
            "two.yaml",
            "id: A-1\n---\nid: A-2\n",
            "it is not an entry in YAML: it has more than one document",
        ),
        (
            "twice.yaml",
            "id: A-1\nid: A-2\n",
            "it is not an entry in YAML: line 2 repeats a key",
        ),
        (
            "twice.json",
            "{\"id\": \"A-1\", \"id\": \"A-2\"}",
            "it is not an entry in JSON: duplicate field",
        ),
        ("tabs.yaml", "id:\t- [\n", "it is not an entry in YAML: "),
        (
            "events.json",
            "{\"id\": \"A-1\", \"affected\": [{\"ranges\": [{\"events\": {}}]}]}",
            "it is not an entry in JSON: invalid type",
        ),
    ];
    let good = entry("B-1", "plum", &json!([{"introduced": "0"}])).to_string();
    let files = broken.iter().map(|(name, text, _)| (*name, *text));
    let files: Vec<(&str, &str)> = files.chain([("good.json", &*good)]).collect();
    let database = of_files(&files);
    assert_eq!(ids(&database, "plum", "1"), ["B-1"]);
    let found: BTreeMap<&str, &str> = database
        .facts
        .broken
        .iter()
        .map(|one| {
            assert!(one.is_skipped && one.project.is_none(), "{one:?}");
            (&*one.file, &*one.reason)
        })
        .collect();
    for (name, _, reason) in broken {
        let found = found[name];
        assert!(found.starts_with(reason), "{name}: {found}");
        assert!(found.len() < 500, "{name}: {found}");
    }
    assert_eq!(found.len(), broken.len());
    // Not UTF-8.
    let bytes: [(&str, &[u8]); 2] = [("a.json", b"{\"id\": \"\xff\"}"), ("a.yaml", b"id: \xff")];
    assert_eq!(of_files(&bytes).facts.broken.len(), 2);
    // Without a time the entry counts, and is named.
    let database = of_files(&[("a.json", "{\"id\": \"A-1\"}")]);
    assert_eq!(
        database.facts.broken[0].reason,
        "it does not say when it was modified"
    );
    assert_eq!(database.facts.newest, None);
}

/// Thousands of names of one vulnerability, and thousands of broken entries, stay bounded.
#[test]
fn a_hostile_database_stays_small() {
    let entries: Vec<Value> = (0..3_000)
        .map(|number| {
            let mut one = entry(
                &format!("A-{number}"),
                "plum",
                &json!([{"introduced": "0"}]),
            );
            one["aliases"] = json!([format!("A-{}", number + 1)]);
            one
        })
        .collect();
    let whole = database(&entries);
    let mut bytes = Vec::new();
    write_index(&whole, "x", &mut bytes).unwrap();
    assert!(bytes.len() < 3_000_000, "{}", bytes.len());
    assert_eq!(ids(&whole, "plum", "1"), ["A-0"]);
    let broken: Vec<(String, &str)> = (0..5_000)
        .map(|number| (format!("{number:04}.json"), "{"))
        .collect();
    let broken = of_files(&broken).facts.broken;
    assert_eq!(broken.len(), 1_000);
    assert_eq!(broken[999].reason, "and 4001 more entries are broken");
}

/// An entry of the future does not make an old database young.
#[test]
fn a_time_in_the_future_says_nothing() {
    let mut future = entry("A-1", "plum", &json!([{"introduced": "0"}]));
    future["modified"] = json!("2999-01-01T00:00:00Z");
    let past = entry("A-2", "plum", &json!([{"introduced": "0"}]));
    let facts = database(&[future, past]).facts;
    assert_eq!(
        facts.newest,
        Some("2026-11-01T00:00:00Z".parse::<Timestamp>().unwrap())
    );
}

/// The digest is that of the contents: neither names nor order change it.
#[test]
fn the_digest_is_that_of_the_contents() {
    let [one, other] = ["A-1", "A-2"].map(|id| entry(id, "plum", &json!([])).to_string());
    let digest = |files: &[(&str, &String)]| of_files(files).facts.digest;
    let first = digest(&[("a.json", &one), ("b.json", &other)]);
    assert_eq!(first, digest(&[("x/b.json", &one), ("a.json", &other)]));
    assert_ne!(first, digest(&[("a.json", &one)]));
    assert_ne!(first, digest(&[("a.json", &one), ("b.json", &one)]));
    // Computed by hand: `sha256sum` of each, sorted, as bytes, and again.
    let empty = of_files::<&str, &str>(&[]).facts.digest;
    assert_eq!(
        empty,
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

/// What is stored is what was read; what was changed is not believed.
#[test]
fn a_stored_index_is_the_database_or_nothing() {
    let mut entries: Vec<Value> = ["plum", "fig", "apple"]
        .iter()
        .enumerate()
        .map(|(number, name)| {
            let events = json!([{"introduced": "0"}, {"fixed": "2.0"}, {"limit": "9"}]);
            let mut one = entry(&format!("A-{number}"), name, &events);
            one["affected"][0]["versions"] = json!(["5.0", "5.1", "5\n0"]);
            one["summary"] = json!("words\nof two lines");
            one
        })
        .collect();
    entries.push(entry("A-3", "fig", &json!([{"introduced": "7"}])));
    let whole = database(&entries);
    let mut bytes = Vec::new();
    write_index(&whole, "now", &mut bytes).unwrap();
    let open = |bytes: &[u8], state: &str| {
        let names: Vec<ProjectName> = ["plum", "fig", "apple", "kiwi"]
            .map(|name| name.parse().unwrap())
            .to_vec();
        StoredIndex::open(std::io::Cursor::new(bytes.to_vec()), state)
            .and_then(|index| index.database(&names))
    };
    assert_eq!(open(&bytes, "now").unwrap(), whole);
    assert!(open(&bytes, "then").is_err());
    let mut unharmed = 0;
    for place in 0..bytes.len() {
        let mut other = bytes.clone();
        other[place] ^= 1;
        // The line feed after the table means nothing.
        if let Ok(database) = open(&other, "now") {
            assert_eq!(database, whole);
            unharmed += 1;
        }
        assert!(place + 1 == bytes.len() || open(&bytes[..place], "now").is_err());
    }
    assert_eq!(unharmed, 1);
}

/// Evaluates a range event by event, as the algorithm in the specification does.
fn naive(events: &[(usize, u64)], at: u64) -> bool {
    let limits: Vec<u64> = events
        .iter()
        .filter(|(kind, _)| *kind == 3)
        .map(|(_, version)| *version)
        .collect();
    if !limits.is_empty() && limits.iter().all(|limit| at >= *limit) {
        return false;
    }
    // The last event at or before the version decides. `0` comes before everything.
    let key = |(kind, version): &(usize, u64)| {
        if (*kind, *version) == (0, 0) {
            0
        } else {
            version + 1
        }
    };
    let mut decided: Option<(u64, bool)> = None;
    for event @ (kind, version) in events {
        let (applies, affected) = match kind {
            0 => (at >= *version, true),
            1 => (at >= *version, false),
            2 => (at > *version, false),
            _ => continue,
        };
        if applies && decided.is_none_or(|(best, _)| key(event) >= best) {
            decided = Some((key(event), affected));
        }
    }
    decided.is_some_and(|(_, affected)| affected)
}

proptest! {
    #[test]
    fn ranges_are_what_the_specification_evaluates(
        mut events in prop::collection::vec((0_usize..4, 0_u64..12), 0..8),
        introduced in 0_u64..12,
    ) {
        events.push((0, introduced));
        let fields = ["introduced", "fixed", "last_affected", "limit"];
        let record: Vec<Value> = events
            .iter()
            .map(|(kind, version)| json!({fields[*kind]: version.to_string()}))
            .collect();
        let range = range(&json!(record));
        for at in 0..13 {
            let declared = version(&at.to_string());
            prop_assert_eq!(range.contains(&declared), naive(&events, at), "{:?} at {}", events, at);
        }
    }

    /// No text makes the reader fail otherwise than with a reason.
    #[test]
    fn any_text_is_read_or_named(text in "[-\\[\\]{}:,&*!|>'\"%@` \na-z0-9]{0,60}", is_yaml: bool) {
        let name = if is_yaml { "a.yaml" } else { "a.json" };
        let database = of_files(&[(name, format!("id: A-1\n{text}"))]);
        for broken in &database.facts.broken {
            prop_assert!(!broken.reason.is_empty() && broken.reason.len() < 600);
        }
    }
}
