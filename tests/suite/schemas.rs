//! The JSON Schemas in `schemas/`: they are those of the types, and say of every text what the
//! program says.
//!
//! `IPWHL_REGENERATE=1 cargo test --test suite schemas` writes them anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipwhl::command::ExitStatus;
use ipwhl::foundation::diagnostic::{Code, findings_schema};
use ipwhl::release::tree::{index_schema, release_schema};
use ipwhl::set::declaration::{
    DECLARATION_SCHEMA_FILE, Layout, canonical, declaration_schema, parse,
};
use ipwhl::set::repository::{CONFIGURATION_SCHEMA_FILE, Repository, configuration_schema};
use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::support::loopback_index::{Hosted, LoopbackIndex};
use crate::support::program::Program;
use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::wheel_builder::WheelBuilder;
use crate::support::words;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every schema: its file and its text.
fn schemas() -> [(&'static str, String); 5] {
    [
        (CONFIGURATION_SCHEMA_FILE, configuration_schema()),
        (DECLARATION_SCHEMA_FILE, declaration_schema()),
        ("schemas/release.schema.json", release_schema()),
        ("schemas/index.schema.json", index_schema()),
        ("schemas/findings.schema.json", findings_schema()),
    ]
}

#[test]
fn the_files_are_those_of_the_types() {
    let mut files = BTreeSet::new();
    for (file, text) in schemas() {
        let path = root().join(file);
        if std::env::var_os("IPWHL_REGENERATE").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &text).unwrap();
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == text,
            "{file} is not what the types say; IPWHL_REGENERATE=1 writes it anew"
        );
        files.insert(path);
    }
    for entry in fs::read_dir(root().join("schemas")).unwrap() {
        let path = entry.unwrap().path();
        assert!(files.contains(&path), "{} is of no type", path.display());
    }
}

fn validator(text: &str) -> Validator {
    let schema: Value = serde_json::from_str(text).unwrap();
    jsonschema::draft7::meta::validate(&schema).unwrap();
    jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap()
}

/// What a text of TOML says, as JSON: dates and times as text, as editors take them.
fn toml(text: &str) -> Option<Value> {
    fn item(item: &toml_edit::Item) -> Value {
        match item {
            toml_edit::Item::None => Value::Null,
            toml_edit::Item::Value(one) => value(one),
            toml_edit::Item::Table(inner) => table(inner),
            toml_edit::Item::ArrayOfTables(tables) => tables.iter().map(|one| table(one)).collect(),
        }
    }
    fn table(table: &dyn toml_edit::TableLike) -> Value {
        let entries = table
            .iter()
            .map(|(key, inner)| (key.to_owned(), item(inner)));
        Value::Object(entries.collect::<Map<_, _>>())
    }
    fn value(value_: &toml_edit::Value) -> Value {
        match value_ {
            toml_edit::Value::String(text) => json!(text.value()),
            toml_edit::Value::Integer(number) => json!(number.value()),
            toml_edit::Value::Float(number) => json!(number.value()),
            toml_edit::Value::Boolean(truth) => json!(truth.value()),
            toml_edit::Value::Datetime(time) => json!(time.value().to_string()),
            toml_edit::Value::Array(array) => array.iter().map(value).collect(),
            toml_edit::Value::InlineTable(inner) => table(inner),
        }
    }
    let document: toml_edit::DocumentMut = text.parse().ok()?;
    Some(table(document.as_table()))
}

/// What the schema has against a value; nothing, when it validates.
fn complaints(validator: &Validator, value: &Value) -> Vec<String> {
    validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[track_caller]
fn validates(validator: &Validator, value: &Value, what: &str) {
    assert_eq!(complaints(validator, value), [""; 0], "{what}");
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// Validates the settings and every declaration of a repository; how many declarations it has.
fn validate_repository(folder: &Path) -> usize {
    let read = |path: &Path| toml(&fs::read_to_string(path).unwrap()).unwrap();
    let settings = folder.join("ipwhl.toml");
    validates(
        &validator(&configuration_schema()),
        &read(&settings),
        "ipwhl.toml",
    );
    let validator = validator(&declaration_schema());
    let declarations = files_in(&folder.join("declarations"));
    for file in &declarations {
        validates(&validator, &read(file), &file.display().to_string());
    }
    declarations.len()
}

#[test]
fn every_sound_repository_validates() {
    assert!(validate_repository(&root()) > 80);
    let extras = "\n[index]\nurl = \"https://example.org/simple/\"\n\n[mirrors]\ngateways = [\"http://127.0.0.1:8080\"]\n\n\
                  [signing]\ntrusted = [\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me\"]\nthreshold = 1\n\n\
                  [severity]\nuncovered-platform = \"off\"\nsyntax = \"error\"\n\n\
                  [[waiver]]\ncode = \"unsatisfied-dependency\"\nproject = \"foo\"\nrequirement = \"bar>=2\"\n\
                  wheel = \"foo-1.0-cp312-cp312-win_amd64.whl\"\nextra = \"all\"\nplatforms = [\"win_amd64\"]\n\
                  reason = \"foo works with bar 1.9\"\nexpires = 2027-03-01\n";
    let repository = RepositoryBuilder::sound().configuration(extras).build();
    assert_eq!(validate_repository(repository.path()), 4);
    let large = crate::support::workshop::small().build();
    assert_eq!(validate_repository(large.path()), 4);
}

/// The examples of docs/formats.md: each block of TOML that is a whole text of its kind.
#[test]
fn the_documented_settings_validate() {
    let formats = fs::read_to_string(root().join("docs/formats.md")).unwrap();
    let settings = formats
        .split("```toml\n")
        .skip(1)
        .filter_map(|block| block.split("```").next())
        .find(|block| block.starts_with("[repository]"))
        .unwrap();
    // The address is left out there.
    let settings = settings.replace("url = \"…\"", "url = \"https://example.org/\"");
    validates(
        &validator(&configuration_schema()),
        &toml(&settings).unwrap(),
        &settings,
    );
}

/// What a schema cannot know of a declaration.
const BEYOND_A_SCHEMA: [(&str, &str); 11] = [
    (
        "ambiguous-wheels",
        "which wheels an interpreter accepts follows from their tags",
    ),
    (
        "conflicting-digest",
        "a schema does not compare two values with each other",
    ),
    ("direct-reference", "a set may answer for it with a waiver"),
    ("insecure-source", "a set may answer for it with a waiver"),
    (
        "misplaced-declaration",
        "the name of the file is not in the text",
    ),
    (
        "missing-dependency",
        "other declarations are not in the text",
    ),
    ("several-versions", "versions are compared with each other"),
    ("syntax", "what is not TOML has no value"),
    (
        "uncovered-platform",
        "the supported platforms are not in the text",
    ),
    ("unneeded", "other declarations are not in the text"),
    (
        "unused-wheel",
        "the supported platforms are not in the text",
    ),
];

#[test]
fn an_invalid_declaration_does_not_validate_where_a_schema_can_tell() {
    let beyond: BTreeMap<&str, &str> = BEYOND_A_SCHEMA.into();
    let validator = validator(&declaration_schema());
    let mut seen = BTreeSet::new();
    let mut caught = 0;
    for file in files_in(&root().join("tests/declarations/invalid")) {
        let code = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&file).unwrap();
        let is_valid = toml(&text).is_none_or(|value| validator.is_valid(&value));
        let reason = beyond.get(code.as_str());
        assert_eq!(is_valid, reason.is_some(), "{code}: {reason:?}");
        caught += usize::from(!is_valid);
        seen.insert(code);
    }
    assert!(beyond.keys().all(|code| seen.contains(*code)), "{seen:?}");
    assert!(caught >= 7, "{caught}");
}

const ONE: &str = r#"source = "pkg:pypi/click@8.1.7?file_name=click-8.1.7-py3-none-any.whl"
content-id = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
requires-python = ">=3.7"
extras = ["http2"]
dependencies = ["colorama>=1.0; platform_system == \"Windows\""]
sha256 = "ae74fb96c20a0277a1d615f1e4d73c8414f5a98db8b799a7931d1582f3390c28"
size = 97941
automatic = true
"#;

const SEVERAL: &str = r#"extras = []

[[wheel]]
source = ["https://example.org/a_b-1.0-1-py3-none-any.whl", "file:wheels/..x/a_b-1.0-1-py3-none-any.whl"]
content-id = "QmPZ9gcCEpqKTo6aq61g2nXGUhM4iCL3ewB6LDXZCtioEB"
dependencies = []

[[wheel]]
source = "pkg:pypi/A.b@1.0?file_name=a%5Fb-1.0-py3-none-win32.whl"
content-id = "bafybeiawhb2p343a2xzpmpk2p7g3mc7lh7zkq7bm6aaqhzntdd4efavesq"
dependencies = ["x[y,z] (>=1,<2)", "d @ https://example.org/d-1-py3-none-any.whl ; extra == 'e'"]
"#;

/// Whether the program takes a declaration by itself: nothing in it that nobody may answer for.
fn is_taken(text: &str) -> bool {
    let parsed = parse(&Arc::from("declarations/x.toml"), text, Layout::Package);
    parsed.findings.iter().all(|finding| {
        // What is let pass on demand only is no part of the format.
        let code = finding.code;
        code.may_be_overridden() && !code.hides_requirements() && code != Code::InvalidExtra
    })
}

/// A false alarm in an editor is worse than none: with any character of a text left out, doubled or
/// another one, what the program takes validates.
#[test]
fn the_schema_of_a_declaration_refuses_nothing_that_the_program_takes() {
    let validator = validator(&declaration_schema());
    let (mut taken, mut refused) = (0, 0);
    let mut judge = |text: &str| {
        let Some(value) = toml(text) else { return };
        if is_taken(text) {
            taken += 1;
            validates(&validator, &value, text);
        } else {
            refused += usize::from(!validator.is_valid(&value));
        }
    };
    for text in [ONE, SEVERAL] {
        judge(text);
        for (at, character) in text.char_indices() {
            let (before, after) = (&text[..at], &text[at + character.len_utf8()..]);
            judge(&format!("{before}{after}"));
            for other in " \tA0.-_,;:=<>!~*+%/?@#[]()é".chars() {
                judge(&format!("{before}{other}{after}"));
                judge(&format!("{before}{other}{character}{after}"));
            }
        }
    }
    // Both happen, often.
    assert!(taken > 4_000 && refused > 4_000, "{taken} {refused}");
}

/// The whole of a file, with a key that no table has; what the program names as the keys of that
/// table.
fn keys_named(text: &str, read: &dyn Fn(&str) -> Vec<String>) -> BTreeSet<String> {
    let help = read(text);
    let named = help
        .iter()
        .find_map(|help| help.strip_prefix("its keys are "))
        .unwrap_or_else(|| panic!("{text}: {help:?}"));
    named
        .split(", ")
        .map(|key| key.trim_matches('`').to_owned())
        .collect()
}

fn keys_of(schema: &Value, pointer: &str) -> BTreeSet<String> {
    let object = schema.pointer(pointer).unwrap();
    assert_eq!(object["additionalProperties"], false, "{pointer}");
    object["properties"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect()
}

#[test]
fn the_keys_of_a_declaration_are_those_that_are_read_and_ordered() {
    let schema: Value = serde_json::from_str(&declaration_schema()).unwrap();
    let read = |text: &str| -> Vec<String> {
        let parsed = parse(&Arc::from("declarations/x.toml"), text, Layout::Package);
        parsed.findings.iter().map(|one| words(&one.help)).collect()
    };
    let top = keys_of(&schema, "");
    assert_eq!(top, keys_named(&format!("zzzzzz = 1\n{ONE}"), &read));
    assert_eq!(top, keys_named(&format!("zzzzzz = 1\n{SEVERAL}"), &read));
    let wheel = keys_of(&schema, "/properties/wheel/items");
    assert_eq!(wheel, keys_named(&format!("{SEVERAL}zzzzzz = 1\n"), &read));
    // In the canonical form a key that is not known stands behind all that are.
    let lines: Vec<String> = top
        .iter()
        .filter(|key| *key != "wheel")
        .map(|key| format!("{key} = 1\n"))
        .collect();
    let text = canonical(&format!("aaa = 1\n{}wheel = 1\n", lines.concat())).unwrap();
    assert!(text.ends_with("aaa = 1\n"), "{text}");
}

#[test]
fn the_keys_of_the_settings_are_those_that_are_read() {
    const NEWEST: &str = "[repository]\nformat = 2\nname = \"x\"\n";
    let schema: Value = serde_json::from_str(&configuration_schema()).unwrap();
    let read = |text: &str| -> Vec<String> {
        let repository = RepositoryBuilder::new().configuration_text(text).build();
        let repository = Repository::load(repository.path()).unwrap();
        repository
            .findings
            .iter()
            .map(|one| words(&one.help))
            .collect()
    };
    assert_eq!(
        keys_of(&schema, ""),
        keys_named(&format!("zzzzzz = 1\n{NEWEST}"), &read)
    );
    let tables = schema["properties"].as_object().unwrap();
    for (name, table) in tables {
        if name == "publish" {
            // Each target has the keys of its kind.
            let kinds = "/properties/publish/additionalProperties/oneOf";
            for (place, kind) in schema
                .pointer(kinds)
                .unwrap()
                .as_array()
                .unwrap()
                .iter()
                .enumerate()
            {
                let word = &kind["properties"]["kind"]["const"];
                let text = format!("[publish.x]\nkind = {word}\nzzzzzz = 1\n");
                assert_eq!(
                    keys_of(&schema, &format!("{kinds}/{place}")),
                    keys_named(&text, &read),
                    "{word}"
                );
            }
            continue;
        }
        let (pointer, header) = match table["type"].as_str() {
            Some("array") => (format!("/properties/{name}/items"), format!("[[{name}]]")),
            _ => (format!("/properties/{name}"), format!("[{name}]")),
        };
        let keys = keys_of(&schema, &pointer);
        if name == "severity" {
            let codes: BTreeSet<String> = Code::ALL.iter().map(ToString::to_string).collect();
            assert_eq!(keys, codes);
        } else {
            // The schema has the keys of the newest format.
            let newest = if name == "repository" { "" } else { NEWEST };
            let text = format!("{newest}{header}\nzzzzzz = 1\n");
            assert_eq!(keys, keys_named(&text, &read), "{name}");
        }
    }
}

/// What the program says of settings that stand under `[repository]` and the like; nothing, when it
/// takes them.
fn said_of(settings: &str) -> Vec<String> {
    let repository = RepositoryBuilder::new()
        .configuration_text(settings)
        .build();
    let repository = Repository::load(repository.path()).unwrap();
    let messages = repository.findings.iter().map(|one| one.message.clone());
    // What a folder holds is not in the text.
    messages
        .filter(|message| !message.ends_with("does not exist"))
        .collect()
}

/// Settings with one line more at the end of a table, or in place of its line.
fn settings(table: &str, line: &str) -> String {
    let all = [
        ("repository", "format = 1\nname = \"example\"\n"),
        (
            "platforms",
            "python = [\"cp312\"]\nsystem = [\"win_amd64\"]\n",
        ),
    ];
    let key = line.split(" =").next().unwrap();
    let mut text = String::new();
    for (name, lines) in all {
        text += &format!("[{name}]\n");
        for kept in lines.lines() {
            if name != table || !kept.starts_with(&format!("{key} =")) {
                text += &format!("{kept}\n");
            }
        }
        if name == table {
            text += &format!("{line}\n");
        }
    }
    if !all.iter().any(|(name, _)| *name == table) {
        text += &format!("[{table}]\n{line}\n");
    }
    text
}

#[test]
fn settings_that_the_program_takes_validate() {
    let validator = validator(&configuration_schema());
    for (table, line) in [
        ("repository", "name = \"käse\""),
        ("repository", "declarations = \"a/b c/...\""),
        ("repository", "declarations = \"..a/.b\""),
        ("repository", "layout = \"ipwhl-1\""),
        ("repository", "profile = \"kubo-cidv1\""),
        (
            "platforms",
            "python = [\"cp311 >= 3.11.5\", \"pp311\", \"cp313t\"]",
        ),
        (
            "platforms",
            "system = [\"manylinux2014_x86_64\", \"musllinux_1_2_aarch64\", \"linux_armv7l\", \"win32\"]",
        ),
        ("platforms", "also = [\"cp311>=3.11.5-macosx_12_0_arm64\"]"),
        ("index", "url = \"HTTP://example.org\""),
        ("index", "url = \"http:example.org\""),
        ("mirrors", "gateways = []"),
        ("signing", "trusted = [\" ssh-ed25519  AAAA\"]"),
        ("signing", "trusted = []\nthreshold = 1"),
        ("severity", "syntax = \"error\""),
        ("severity", "unneeded = \"error\""),
        ("publish.a", "kind = \"kubo\""),
        (
            "publish.a-1",
            "kind = \"kubo\"\napi = \"http://[::1]:5001\"\nkeep = 1\nmfs = \"/a/b\"",
        ),
        (
            "publish.a",
            "kind = \"cluster\"\nreplication-min = 2\nreplication-max = 3\nmetadata = { a = \"b\" }",
        ),
        ("publish.a", "kind = \"cluster\"\nreplication-min = \"all\""),
        (
            "publish.a",
            "kind = \"pinning-service\"\nendpoint = \"https://example.org/psa\"\norigins = [\"/ip4/203.0.113.7/tcp/4001\"]",
        ),
        (
            "publish.a",
            "kind = \"directory\"\npath = \"../x\"\nlinks = false\nlatest = \"\"\nkeep = 3",
        ),
        (
            "publish.a",
            "kind = \"ipns\"\nfile = \"x\"\nlifetime = \"36h\"\nttl = \"5m\"",
        ),
        (
            "publish.a",
            "kind = \"git\"\ntag = \"v{sequence}\"\nremote = \"git@example.org:x\"",
        ),
        (
            "publish.a",
            "kind = \"dnslink\"\ndomain = \"example.org\"\nresolver = \"[::1]:53\"",
        ),
    ] {
        let text = settings(table, line);
        assert_eq!(said_of(&text), [""; 0], "{text}");
        validates(&validator, &toml(&text).unwrap(), &text);
    }
    for text in [
        "[repository]\nformat = 1\nname = \"x\"\n[platforms]\nalso = [\"cp312-win_amd64\"]\n",
        "[repository]\nformat = 1\nname = \"x\"\n[platforms]\npython = []\nalso = [\"cp312-win_amd64\"]\n",
    ] {
        assert_eq!(said_of(text), [""; 0], "{text}");
        validates(&validator, &toml(text).unwrap(), text);
    }
    // The layout `ipwhl-1` has its platforms in a file, and who carries somebody else's set needs
    // none.
    let text = "[repository]\nformat = 1\nname = \"x\"\n";
    validates(&validator, &toml(text).unwrap(), text);
}

#[test]
fn settings_with_a_mistake_do_not_validate() {
    let validator = validator(&configuration_schema());
    let waiver = "project = \"foo\"\nreason = \"because\"\nexpires = 2027-03-01";
    for (table, line) in [
        ("repository", "format = 3"),
        ("repository", "format = \"1\""),
        ("repository", "name = \" \""),
        ("repository", "name = \"a\\nb\""),
        ("repository", "nam = \"x\""),
        ("repository", "declarations = \"../x\""),
        ("repository", "declarations = \"a//b\""),
        ("repository", "layout = \"packages\""),
        ("repository", "profile = \"unixfs\""),
        ("platforms", "python = [\"3.12\"]"),
        ("platforms", "python = []"),
        ("platforms", "system = [\"manylinux_2_28\"]"),
        ("platforms", "system = [\"macosx_12_0_universal2\"]"),
        ("platforms", "system = [\"any\"]"),
        ("platforms", "also = [\"cp312\"]"),
        ("index", "url = \"example.org\""),
        ("mirrors", "gateways = [\"ipfs://x\"]"),
        ("signing", "trusted = [\"ssh-rsa AAAA\"]"),
        ("signing", "threshold = 1"),
        ("signing", "trusted = [\"ssh-ed25519 AAAA\"]\nthreshold = 0"),
        ("severity", "syntax = \"off\""),
        ("severity", "unneded = \"off\""),
        ("severity", "unneeded = \"of\""),
        ("[waiver]", &format!("code = \"syntax\"\n{waiver}")),
        ("[waiver]", waiver),
        ("publish.a", "api = \"http://127.0.0.1\""),
        ("publish.a", "kind = \"kube\""),
        ("publish.A", "kind = \"kubo\""),
        ("publish.a", "kind = \"kubo\"\nkeep = 0"),
        ("publish.a", "kind = \"kubo\"\nmfs = \"a\""),
        (
            "publish.a",
            "kind = \"kubo\"\napi = \"https://me:word@example.org\"",
        ),
        (
            "publish.a",
            "kind = \"kubo\"\napi = \"https://example.org/?key=word\"",
        ),
        (
            "publish.a",
            "kind = \"kubo\"\nendpoint = \"https://example.org/\"",
        ),
        ("publish.a", "kind = \"cluster\"\nreplication-min = 0"),
        ("publish.a", "kind = \"pinning-service\""),
        ("publish.a", "kind = \"directory\""),
        ("publish.a", "kind = \"ipns\"\nttl = \"5m\""),
        ("publish.a", "kind = \"git\"\ntag = \"release\""),
        ("publish.a", "kind = \"dnslink\""),
        (
            "[waiver]",
            "code = \"unneeded\"\nproject = \"foo\"\nreason = \" \"\nexpires = 2027-03-01",
        ),
        (
            "[waiver]",
            "code = \"unneeded\"\nproject = \"foo\"\nreason = \"because\"\nexpires = 2027",
        ),
    ] {
        let text = settings(table, line);
        assert!(!said_of(&text).is_empty(), "{text}");
        let value = toml(&text).unwrap();
        assert!(!validator.is_valid(&value), "{text}");
    }
}

/// A release with everything in it that a schema names.
#[test]
fn what_a_release_says_in_json_validates() {
    let repository = RepositoryBuilder::sound()
        .project(Project::wanted(
            WheelBuilder::new("elder", "1.0").requires("apple>=2"),
        ))
        .configuration(
            "\n[severity]\nuncovered-platform = \"off\"\n\n[[waiver]]\ncode = \"unsatisfied-dependency\"\n\
             project = \"elder\"\nrequirement = \"apple>=2\"\nplatforms = [\"win_amd64\", \"manylinux_2_28_x86_64\"]\n\
             reason = \"works\"\nexpires = 2027-03-01\n",
        )
        .build();
    let tree = repository.join("tree");
    Program::new(repository.path())
        .run(&["build", "--unsigned", "--tree", tree.to_str().unwrap()])
        .expect(ExitStatus::Clean);
    let read = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(tree.join(name)).unwrap()).unwrap()
    };
    let (release, index) = (validator(&release_schema()), validator(&index_schema()));
    let summary = read("_ipwhl/release.json");
    validates(&release, &summary, "release.json");
    for pointer in [
        "/waivers/0/platforms/0",
        "/severity/uncovered-platform",
        "/totals/bytes",
    ] {
        assert!(summary.pointer(pointer).is_some(), "{pointer}");
    }
    validates(&index, &read("index.v1_json"), "the index");
    for project in ["apple", "banana", "cherry", "damson", "elder"] {
        let page = read(&format!("{project}/index.v1_json"));
        validates(&index, &page, project);
        // Each of these is what a reader relies on.
        for pointer in [
            "/name",
            "/files/0/hashes/sha256",
            "/files/0/_ipwhl/content-id",
        ] {
            let mut broken = page.clone();
            *broken.pointer_mut(pointer).unwrap() = json!(1);
            assert!(!index.is_valid(&broken), "{project} {pointer}");
        }
    }
    for pointer in [
        "/format",
        "/profile",
        "/waivers/0/code",
        "/severity/uncovered-platform",
    ] {
        let mut broken = summary.clone();
        *broken.pointer_mut(pointer).unwrap() = json!("x");
        assert!(!release.is_valid(&broken), "{pointer}");
    }
}

/// The line that leads an editor from a declaration to its schema.
const DIRECTIVE: &str = "#:schema ../schemas/declaration.schema.json\n";

#[test]
fn the_line_for_editors_stays_first() {
    let canonical = |text: &str| {
        let once = canonical(text).unwrap();
        assert_eq!(ipwhl::set::declaration::canonical(&once).unwrap(), once);
        once
    };
    // In a block of its own, before other comments about the file.
    let text = format!("{DIRECTIVE}\n{ONE}");
    assert!(canonical(&text).starts_with(&format!("{DIRECTIVE}\nsource")));
    // Also where it stands before the key that comes last, and among other comments.
    let last = format!("# about the file\n\n{DIRECTIVE}# about the key\nautomatic = true\n");
    let text = canonical(&format!("{last}{}", ONE.replace("automatic = true\n", "")));
    let first = format!("{DIRECTIVE}# about the file\n\nsource");
    assert!(text.starts_with(&first), "{text}");
    assert!(
        text.ends_with("\n# about the key\nautomatic = true\n"),
        "{text}"
    );
    let several = SEVERAL.split_once("\n\n").unwrap().1;
    let text = canonical(&format!("{DIRECTIVE}{several}"));
    assert!(
        text.starts_with(&format!("{DIRECTIVE}\n[[wheel]]")),
        "{text}"
    );
}

/// Nothing beside a release's copy is what the line leads to.
#[test]
fn a_release_has_no_line_for_editors() {
    let repository = RepositoryBuilder::sound().build();
    let program = Program::new(repository.path());
    let root = |more: &[&str]| {
        let arguments = [&["build", "--root-only"], more].concat();
        program.run(&arguments).expect(ExitStatus::Clean).stdout
    };
    let before = root(&[]);
    for project in ["apple", "banana"] {
        let file = format!("declarations/{project}.toml");
        let text = repository.read(&file);
        repository.write(&file, format!("{DIRECTIVE}\n{text}"));
    }
    assert_eq!(root(&[]), before);
    // A comment that is none stays.
    let text = repository.read("declarations/apple.toml");
    repository.write("declarations/apple.toml", format!("# why\n\n{text}"));
    assert_ne!(root(&[]), before);
}

#[test]
fn a_new_declaration_begins_with_the_line_where_the_schema_is() {
    let index = LoopbackIndex::start();
    for (name, version) in [("fig", "1.0"), ("grape", "2.0"), ("grape", "3.0")] {
        let wheel = WheelBuilder::new(name, version);
        index.host(Hosted::new(name, &wheel.file_name(), &wheel.build()));
    }
    let settings = "[repository]\nformat = 1\nname = \"x\"\ndeclarations = \"the/set\"\n\n\
                    [platforms]\npython = [\"cp312\"]\nsystem = [\"win_amd64\"]\n";
    let repository = RepositoryBuilder::new()
        .configuration_text(settings)
        .build();
    fs::create_dir_all(repository.join("the/set")).unwrap();
    let program = Program::new(repository.path()).index(&index.index_url());
    let add = |name: &str| {
        program.run(&["add", name]).expect(ExitStatus::Clean);
    };
    add("grape==2.0");
    assert!(repository.read("the/set/grape.toml").starts_with("source"));
    repository.write(DECLARATION_SCHEMA_FILE, declaration_schema());
    add("fig");
    let text = repository.read("the/set/fig.toml");
    let line = "#:schema ../../schemas/declaration.schema.json\n";
    assert!(text.starts_with(&format!("{line}\nsource")), "{text}");
    let schema = Path::new("the/set").join(line.trim().split_once(' ').unwrap().1);
    assert!(repository.join(schema.to_str().unwrap()).is_file());
    assert_eq!(canonical(&text).unwrap(), text);
    // What people have without it stays without it.
    add("grape==3.0");
    assert!(repository.read("the/set/grape.toml").starts_with("source"));
}

/// The lines of `check --message-format json` for the fixture of every code.
#[test]
fn findings_as_json_validate() {
    let validator = validator(&findings_schema());
    let mut lines = 0;
    for code in Code::ALL {
        let repository = crate::findings::fixture(*code).unwrap().build();
        let run = crate::findings::check(*code, &repository, &["--message-format", "json"]);
        for line in run.stdout.lines() {
            let value: Value = serde_json::from_str(line).unwrap();
            validates(&validator, &value, line);
            lines += 1;
            // What a reader relies on, and no line has of another kind.
            let relied_on = match value["type"].as_str() {
                Some("finding") => vec!["/code", "/severity", "/places", "/help", "/platforms"],
                _ => vec!["/errors", "/warnings"],
            };
            for pointer in relied_on {
                let mut broken = value.clone();
                *broken.pointer_mut(pointer).unwrap() = json!("x");
                assert!(!validator.is_valid(&broken), "{pointer}: {line}");
            }
        }
    }
    assert!(lines >= 2 * Code::ALL.len(), "{lines}");
}
