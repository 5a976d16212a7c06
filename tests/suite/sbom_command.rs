//! `ipwhl sbom`: its documents, its errors, and what validators say.

use std::fs;
use std::process::Command;

use ipwhl::command::ExitStatus;
use serde_json::{Value, json};

use crate::support::program::{Program, Run};
use crate::support::python;
use crate::support::repository_builder::{BuiltRepository, Project, RepositoryBuilder};
use crate::support::wheel_builder::WheelBuilder;

/// An SBOM as Rust's tools write it into wheels.
fn inner() -> Value {
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "metadata": { "component": { "type": "library", "name": "plum", "bom-ref": "own" } },
        "components": [
            {
                "type": "library",
                "bom-ref": "a",
                "name": "stone",
                "version": "0.3.1",
                "purl": "pkg:cargo/stone@0.3.1",
                "licenses": [{ "expression": "mit or apache-2.0" }],
                "hashes": [{ "alg": "SHA-256", "content": "AB".repeat(32) }],
                "components": [{ "type": "file", "bom-ref": "b", "name": "kernel.rs" }]
            },
            { "type": "library", "bom-ref": "c", "name": "peel", "supplier": { "name": "Ann" } }
        ],
        "dependencies": [
            { "ref": "own", "dependsOn": ["a"] },
            { "ref": "a", "dependsOn": ["c", "nowhere"] }
        ]
    })
}

/// `apple` needs `plum`, and with its extra `pie` `flour`, which has a file of strangers in it.
fn set() -> RepositoryBuilder {
    let apple = WheelBuilder::new("apple", "1.0+local")
        .requires("plum>=2")
        .requires("flour; extra == 'pie'")
        .extra("pie")
        .header("License-Expression", "mit")
        .header("Author", "Ann (a person)")
        .header("Author-email", "Ann <ann@example.org>")
        .member("apple.py", "");
    let plum = |tag: &str, licence: &str| {
        WheelBuilder::new("plum", "2.1")
            .tag(tag)
            .header("License-Expression", licence)
            .member("plum.bin", tag)
            .member(
                "plum-2.1.dist-info/sboms/plum.cdx.json",
                inner().to_string(),
            )
    };
    let flour = WheelBuilder::new("flour", "0.1")
        .header("License-Expression", "LicenseRef-Mill")
        .header("Maintainer", "The \u{202e}mill\u{1}")
        .member("flour.py", "");
    let other = WheelBuilder::new("other", "1.0")
        .header("Classifier", "License :: OSI Approved :: BSD License")
        .member("other.py", "");
    let times = "\n[[licenses.clarify]]\nproject = \"other\"\nexpression = \"BSD-3-Clause\"\n\
                 reason = \"its LICENSE\"\n";
    RepositoryBuilder::new()
        .format_2()
        .configuration(&format!("\n[licenses]\nunknown = \"allow\"\n{times}"))
        .project(Project::wanted(apple).set("uploaded", "2026-01-02T03:04:05.5Z"))
        .project(
            Project::automatic(plum("cp312-abi3-manylinux_2_17_x86_64", "ISC"))
                .wheel(plum("cp312-abi3-win_amd64", "ISC AND GPL-2.0-or-later"))
                .set("uploaded", "2026-03-02T03:04:05.25Z"),
        )
        .project(Project::automatic(flour))
        .project(Project::wanted(other))
}

fn sbom(repository: &BuiltRepository, arguments: &[&str]) -> Run {
    Program::new(repository.path()).run(&[&["sbom"], arguments].concat())
}

fn document(repository: &BuiltRepository, arguments: &[&str]) -> Value {
    let run = sbom(repository, arguments).expect(ExitStatus::Clean);
    serde_json::from_str(&run.stdout).unwrap()
}

const SPDX: &[&str] = &["--format", "spdx"];

/// The names of the components of a document.
fn names(document: &Value) -> Vec<&str> {
    let components = document["components"].as_array().unwrap().iter();
    components
        .map(|one| one["name"].as_str().unwrap())
        .collect()
}

/// The texts that validators print about two documents: none if they are valid.
fn validated(cyclonedx: &str, spdx: &str) -> String {
    const SCRIPT: &str = "
import json, sys
from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

text = open(sys.argv[1]).read()
for error in JsonStrictValidator(SchemaVersion.V1_6).validate_str(text, all_errors=True) or []:
    print('cyclonedx:', error.data.message)
try:
    Bom.from_json(json.loads(text)).validate()
except Exception as error:
    print('cyclonedx:', error)
try:
    for error in validate_full_spdx_document(parse_file(sys.argv[2])):
        print('spdx:', error.context.spdx_id, error.validation_message)
except Exception as error:
    print('spdx:', error.messages if hasattr(error, 'messages') else error)
";
    let folder = tempfile::tempdir().unwrap();
    let paths = [("a.cdx.json", cyclonedx), ("a.spdx.json", spdx)].map(|(name, text)| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    });
    let python = python::program("sbom.txt", "python");
    let output = Command::new(python)
        .args(["-I", "-c", SCRIPT])
        .args(paths)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// The official schema of CycloneDX 1.6, its Python library and the validator of SPDX 2.3 accept both
/// documents, of a whole set and of a part.
#[test]
fn validators_accept_the_documents() {
    let repository = set().build();
    for projects in [&[][..], &["apple[pie]"], &["other"]] {
        let cyclonedx = sbom(&repository, projects).stdout;
        let spdx = sbom(&repository, &[projects, SPDX].concat()).stdout;
        assert_eq!(validated(&cyclonedx, &spdx), "", "{projects:?}");
    }
    // They do find mistakes.
    let cyclonedx = sbom(&repository, &[]).stdout;
    let spdx = sbom(&repository, SPDX).stdout;
    let wrong = validated(
        &cyclonedx.replacen("\"library\"", "\"fruit\"", 1),
        &spdx.replacen("NOASSERTION", "a b", 1),
    );
    assert!(
        wrong.contains("cyclonedx: ") && wrong.contains("spdx: "),
        "{wrong}"
    );
}

#[test]
fn a_cyclonedx_document_lists_projects_wheels_and_their_contents() {
    let repository = set().build();
    let whole = document(&repository, &[]);
    assert_eq!(names(&whole), ["apple", "flour", "other", "plum"]);
    // The newest time of the wheels, and no clock.
    assert_eq!(whole["metadata"]["timestamp"], "2026-03-02T03:04:05.25Z");
    assert_eq!(
        whole["metadata"]["tools"]["components"],
        json!([{ "type": "application", "name": "ipwhl" }])
    );
    let apple = &whole["components"][0];
    assert_eq!(apple["purl"], "pkg:pypi/apple@1.0%2Blocal");
    assert_eq!(apple["version"], "1.0+local");
    assert_eq!(
        apple["supplier"],
        json!({ "name": "Ann (a person)", "contact": [{ "name": "Ann", "email": "ann@example.org" }] })
    );
    let declared = json!([{ "expression": "MIT", "acknowledgement": "declared" }]);
    assert_eq!(apple["licenses"], declared);
    let wheel = &apple["components"][0];
    let text = repository.read("declarations/apple.toml");
    assert_eq!(
        wheel["purl"],
        "pkg:pypi/apple@1.0%2Blocal?file_name=apple-1.0%2Blocal-py3-none-any.whl"
    );
    let sha256 = wheel["hashes"][0]["content"].as_str().unwrap();
    assert!(text.contains(&format!("sha256 = \"{sha256}\"")), "{text}");
    assert_eq!(
        wheel["externalReferences"],
        json!([{ "type": "distribution", "url": "file:wheels/apple-1.0+local-py3-none-any.whl" }])
    );
    assert_eq!(wheel.get("licenses"), None);
    // What a person found out is not what the wheel says.
    let concluded = json!([{ "expression": "BSD-3-Clause", "acknowledgement": "concluded" }]);
    assert_eq!(whole["components"][2]["licenses"], concluded);
    // Wheels with several licences have their own.
    let plum = &whole["components"][3];
    assert_eq!(plum.get("licenses"), None);
    assert_eq!(plum["components"][0]["licenses"][0]["expression"], "ISC");
    let other = &plum["components"][1]["licenses"][0]["expression"];
    assert_eq!(other, "ISC AND GPL-2.0-or-later");
    // The SBOM in a wheel.
    let path = "plum-2.1.dist-info/sboms/plum.cdx.json";
    assert_eq!(plum["components"][0]["externalReferences"][1]["url"], path);
    let stone = &plum["components"][0]["components"][0];
    assert_eq!(stone["name"], "stone");
    assert_eq!(
        stone["licenses"],
        json!([{ "expression": "MIT OR Apache-2.0" }])
    );
    assert_eq!(stone["hashes"][0]["content"], "ab".repeat(32));
    assert_eq!(stone["components"][0]["name"], "kernel.rs");
    // Who needs whom.
    let needs = |reference: &Value| {
        let all = whole["dependencies"].as_array().unwrap();
        let mut found = all.iter().filter(|one| one["ref"] == *reference);
        let one = found.next().unwrap_or_else(|| panic!("{reference}"));
        assert!(found.next().is_none(), "{reference}");
        one.get("dependsOn").cloned().unwrap_or_default()
    };
    assert_eq!(
        needs(&json!("set")),
        json!(["pkg:pypi/apple@1.0%2Blocal", "pkg:pypi/other@1.0"])
    );
    assert_eq!(
        needs(&apple["bom-ref"]),
        json!(["pkg:pypi/flour@0.1", "pkg:pypi/plum@2.1"])
    );
    assert_eq!(needs(&plum["bom-ref"]), Value::Null);
    assert_eq!(
        needs(&plum["components"][0]["bom-ref"]),
        json!([stone["bom-ref"]])
    );
    let peel = &plum["components"][0]["components"][1];
    assert_eq!(needs(&stone["bom-ref"]), json!([peel["bom-ref"]]));
}

#[test]
fn a_part_of_a_set_has_what_its_extras_need() {
    let repository = set().build();
    let plain = document(&repository, &["apple"]);
    assert_eq!(names(&plain), ["apple", "plum"]);
    let with_extra = document(&repository, &["Apple[PIE]"]);
    assert_eq!(names(&with_extra), ["apple", "flour", "plum"]);
    // Without the extra, its requirement is none of the project.
    let both = document(&repository, &["apple", "flour"]);
    assert_eq!(names(&both), ["apple", "flour", "plum"]);
    assert_eq!(
        both["dependencies"][1]["dependsOn"],
        json!(["pkg:pypi/plum@2.1"])
    );
}

#[test]
fn an_spdx_document_has_a_package_for_each_project_and_wheel() {
    let repository = set().build();
    let whole = document(&repository, SPDX);
    assert_eq!(whole["creationInfo"]["created"], "2026-03-02T03:04:05Z");
    assert_eq!(whole["creationInfo"]["creators"], json!(["Tool: ipwhl"]));
    let packages = whole["packages"].as_array().unwrap();
    let package = |name: &str| packages.iter().find(|one| one["name"] == name).unwrap();
    let apple = package("apple");
    assert_eq!(apple["supplier"], "Person: Ann  a person (ann@example.org)");
    assert_eq!(apple["licenseDeclared"], "MIT");
    assert_eq!(apple["licenseConcluded"], "NOASSERTION");
    let other = package("other");
    assert_eq!(other["licenseDeclared"], "NOASSERTION");
    assert_eq!(other["licenseConcluded"], "BSD-3-Clause");
    assert_eq!(
        package("flour")["supplier"],
        "Person: The \\u{202e}mill\\u{1}"
    );
    let wheel = package("plum-2.1-cp312-abi3-win_amd64.whl");
    assert_eq!(wheel["checksums"][0]["algorithm"], "SHA256");
    assert_eq!(wheel["packageFileName"], wheel["name"]);
    let embedded = wheel["externalRefs"][1]["referenceLocator"]
        .as_str()
        .unwrap();
    assert!(embedded.starts_with("plum-2.1.dist-info/sboms/plum.cdx.json#sha256="));
    assert_eq!(
        whole["hasExtractedLicensingInfos"],
        json!([{
            "licenseId": "LicenseRef-Mill",
            "extractedText": "Named in the metadata of flour, flour-0.1-py3-none-any.whl."
        }])
    );
    let relations = whole["relationships"].as_array().unwrap();
    let has = |from: &Value, kind: &str, to: &Value| {
        relations.iter().any(|one| {
            one["spdxElementId"] == *from
                && one["relationshipType"] == kind
                && one["relatedSpdxElement"] == *to
        })
    };
    let plum = package("plum");
    assert!(has(&apple["SPDXID"], "DEPENDS_ON", &plum["SPDXID"]));
    assert!(!has(&plum["SPDXID"], "DEPENDS_ON", &apple["SPDXID"]));
    assert!(has(&plum["SPDXID"], "CONTAINS", &wheel["SPDXID"]));
    assert!(has(
        &json!("SPDXRef-DOCUMENT"),
        "DESCRIBES",
        &json!("SPDXRef-Set")
    ));
    let inner = packages.iter().filter(|one| one["name"] == "stone");
    assert_eq!(inner.count(), 2);
}

/// Neither the order of arguments, nor the folder, the cache or the time reaches a document.
#[test]
fn the_same_set_gives_the_same_bytes() {
    let (one, other) = (set().build(), set().build());
    for format in [&[][..], SPDX] {
        let first = sbom(&one, &[&["apple[pie]", "other", "plum"], format].concat());
        let first = first.expect(ExitStatus::Clean);
        let again = Program::new(other.path()).now("2031-01-01T00:00:00Z");
        let again =
            again.run(&[&["sbom", "plum", "other", "apple[pie]", "apple"], format].concat());
        assert_eq!(again.expect(ExitStatus::Clean).stdout, first.stdout);
        let output = [&["-o", "out.json", "plum", "apple[pie]", "other"], format].concat();
        let run = sbom(&other, &output).expect(ExitStatus::Clean);
        assert_eq!(run.stdout, "");
        assert_eq!(other.read("out.json"), first.stdout);
        // Other contents have another identifier.
        let part: Value =
            serde_json::from_str(&sbom(&one, &[&["plum"], format].concat()).stdout).unwrap();
        let whole: Value = serde_json::from_str(&first.stdout).unwrap();
        let key = if format.is_empty() {
            "serialNumber"
        } else {
            "documentNamespace"
        };
        let identifier = whole[key].as_str().unwrap();
        assert!(identifier.starts_with("urn:uuid:") && part[key] != identifier);
    }
}

/// Without times CycloneDX has none, and SPDX the beginning of 1970, because it needs one.
#[test]
fn a_set_without_times_has_no_made_up_time() {
    let repository = RepositoryBuilder::sound().build();
    let cyclonedx = document(&repository, &[]);
    assert_eq!(cyclonedx["metadata"].get("timestamp"), None);
    let spdx = document(&repository, SPDX);
    assert_eq!(spdx["creationInfo"]["created"], "1970-01-01T00:00:00Z");
}

#[test]
fn bad_input_is_answered_with_the_nearest_name() {
    let repository = set().build();
    for (argument, error, help) in [
        (
            "aple",
            "error: `aple` is not in the set",
            "did you mean `apple`?",
        ),
        (
            "apple[pi]",
            "error: `apple` has no extra `pi`",
            "did you mean `pie`?",
        ),
        (
            "apple==1.0",
            "error: `apple==1.0` names a version or a marker",
            "write `apple`",
        ),
    ] {
        let run = sbom(&repository, &[argument]).expect(ExitStatus::Usage);
        assert_eq!(run.stdout, "");
        assert!(
            run.stderr.contains(error) && run.stderr.contains(help),
            "{}",
            run.stderr
        );
    }
    // A list that lacks a project would look complete.
    repository.write("declarations/plum.toml", "source = [");
    sbom(&repository, &["other"]).expect(ExitStatus::Clean);
    sbom(&repository, &["apple"]).expect(ExitStatus::Findings);
    let run = sbom(&repository, &[]).expect(ExitStatus::Findings);
    let error = "error: the declaration of `plum` cannot be read";
    assert!(run.stderr.contains(error), "{}", run.stderr);
}

/// A wheel that is not what was declared is not listed as if it were.
#[test]
fn a_wrong_wheel_is_refused() {
    let repository = set().build();
    let file = "wheels/other-1.0-py3-none-any.whl";
    repository.write(file, b"other bytes");
    let run = sbom(&repository, &[]).expect(ExitStatus::Findings);
    assert_eq!(run.stdout, "");
    assert!(
        run.stderr.contains("has 11 bytes, not the declared"),
        "{}",
        run.stderr
    );
}

/// A set of one wheel with this file among its SBOMs.
fn with_sbom(name: &str, bytes: &[u8]) -> BuiltRepository {
    let wheel = WheelBuilder::new("plum", "1.0")
        .member(&format!("plum-1.0.dist-info/sboms/{name}"), bytes)
        .member("plum.py", "");
    RepositoryBuilder::new()
        .project(Project::wanted(wheel))
        .build()
}

/// Hostile SBOMs in wheels are referred to, and named if they are broken. The documents stay valid.
#[test]
fn hostile_inner_documents_are_only_referred_to() {
    let deep = |depth: usize| {
        let mut inner = json!({ "name": "x" });
        for _ in 0..depth {
            inner = json!({ "name": "x", "components": [inner] });
        }
        json!({ "bomFormat": "CycloneDX", "components": [inner] }).to_string()
    };
    let many: Vec<Value> = (0..10_001).map(|_| json!({ "name": "x" })).collect();
    let many = json!({ "bomFormat": "CycloneDX", "components": many }).to_string();
    let twice = json!({ "name": "x", "bom-ref": "a" });
    let twice = json!({ "bomFormat": "CycloneDX", "components": [twice, twice] }).to_string();
    let nameless = json!({ "bomFormat": "CycloneDX", "components": [{ "name": 7 }] }).to_string();
    let brackets = "[".repeat(1_000_000);
    let large = format!(
        "{{\"bomFormat\": \"CycloneDX\", \"x\": \"{}\"}}",
        "x".repeat(10_000_000)
    );
    for (name, bytes, reason) in [
        ("a.json", "{", "is not JSON: EOF"),
        ("a.json", &brackets, "is not JSON: recursion limit exceeded"),
        (
            "a.json",
            &deep(17),
            "has more than 16 components inside one another",
        ),
        (
            "a.json",
            &deep(200),
            "is not JSON: recursion limit exceeded",
        ),
        ("a.json", &many, "has more than 10000 components"),
        (
            "a.json",
            &twice,
            "has two components with the same `bom-ref`",
        ),
        ("a.json", &nameless, "has a component without a name"),
        (
            "a.json",
            &large,
            "has 10000035 bytes; at most 10000000 are read",
        ),
        // Other formats are not read.
        ("a.spdx", "SPDXVersion: SPDX-2.3", ""),
        ("a.json", "{\"spdxVersion\": \"SPDX-2.3\"}", ""),
        ("a.json", "null", ""),
    ] {
        let repository = with_sbom(name, bytes.as_bytes());
        let run = sbom(&repository, &[]).expect(ExitStatus::Clean);
        let warning = format!(
            "warning: `plum-1.0.dist-info/sboms/{name}` in `plum-1.0-py3-none-any.whl` {reason}"
        );
        assert_eq!(
            run.stderr.contains("warning"),
            !reason.is_empty(),
            "{}",
            run.stderr
        );
        assert!(
            reason.is_empty() || run.stderr.contains(&warning),
            "{}",
            run.stderr
        );
        let document: Value = serde_json::from_str(&run.stdout).unwrap();
        let wheel = &document["components"][0]["components"][0];
        let reference = &wheel["externalReferences"][1];
        assert_eq!(reference["url"], format!("plum-1.0.dist-info/sboms/{name}"));
        assert_eq!(reference["hashes"][0]["alg"], "SHA-256");
        assert_eq!(wheel.get("components"), None);
    }
    assert_eq!(
        names(&document(&with_sbom("a.json", deep(16).as_bytes()), &[])),
        ["plum"]
    );
}

/// What an inner document says is taken over as far as the formats allow it.
#[test]
fn odd_values_of_inner_documents_leave_the_document_valid() {
    let odd = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "9.9",
        "metadata": "none",
        "components": [
            {
                "type": "spaceship",
                "name": "\u{202e}\u{0} x",
                "version": "",
                "purl": "pkg:no name",
                "licenses": [{ "license": { "id": "No-Such" } }, { "license": { "name": "Mine" } }],
                "hashes": [
                    { "alg": "SHA-256", "content": "zz" },
                    { "alg": "CRC", "content": "00" },
                    { "alg": "SHA-1", "content": "0".repeat(40) },
                    7
                ],
                "supplier": { "name": ["x"] },
                "bom-ref": 3
            },
            { "name": "y", "purl": "pkg:cargo/y@1", "licenses": [{ "expression": "LicenseRef-y" }] },
            { "name": "z", "version": "x".repeat(2_000), "purl": "pkg:/", "licenses": "MIT" }
        ],
        "dependencies": [{ "ref": 1 }, "x", { "ref": "y", "dependsOn": "y" }]
    });
    let repository = with_sbom("ä b.json", odd.to_string().as_bytes());
    let cyclonedx = sbom(&repository, &[]).expect(ExitStatus::Clean);
    let spdx = sbom(&repository, SPDX).expect(ExitStatus::Clean);
    assert!(!cyclonedx.stdout.contains('\u{202e}'), "a hidden character");
    let document: Value = serde_json::from_str(&cyclonedx.stdout).unwrap();
    let wheel = &document["components"][0]["components"][0];
    let path = "plum-1.0.dist-info/sboms/%C3%A4%20b.json";
    assert_eq!(wheel["externalReferences"][1]["url"], path);
    let component = &wheel["components"][0];
    assert_eq!(component["type"], "library");
    assert_eq!(component["name"], "\u{202e}\u{0} x");
    assert_eq!(component["hashes"].as_array().unwrap().len(), 1);
    assert_eq!(component.get("purl"), None);
    assert_eq!(wheel["components"][1]["purl"], "pkg:cargo/y@1");
    assert_eq!(validated(&cyclonedx.stdout, &spdx.stdout), "");
}

/// Metadata of strangers: control characters, a licence text of a megabyte, a deep expression.
#[test]
fn hostile_metadata_leaves_the_document_valid() {
    let text = "all rights reserved ".repeat(50_000);
    let deep = format!("{}MIT{}", "(".repeat(10_000), ")".repeat(10_000));
    let wheel = |name: &str| WheelBuilder::new(name, "1.0").member(&format!("{name}.py"), "");
    let repository = RepositoryBuilder::new()
        .project(Project::wanted(wheel("a").header("License", &text)))
        .project(Project::wanted(
            wheel("b").header("License-Expression", &deep),
        ))
        .project(Project::wanted(
            wheel("c")
                .header("Author", "x\u{1b}[31m\u{202e}\u{7f}<")
                .header("Author-email", "\"<,> ,\" <c@example.org>, <<>>, @, a@b@c"),
        ))
        .build();
    let cyclonedx = sbom(&repository, &[]).expect(ExitStatus::Clean);
    let spdx = sbom(&repository, SPDX).expect(ExitStatus::Clean);
    for text in [&cyclonedx.stdout, &spdx.stdout] {
        assert!(
            text.len() < 20_000 && !text.contains(['\u{1b}', '\u{202e}']),
            "{text}"
        );
    }
    let document: Value = serde_json::from_str(&cyclonedx.stdout).unwrap();
    for component in document["components"].as_array().unwrap() {
        assert_eq!(component.get("licenses"), None);
    }
    assert_eq!(validated(&cyclonedx.stdout, &spdx.stdout), "");
}

/// The set without what a release does not contain: the policy.
fn unclarified() -> RepositoryBuilder {
    let apple = WheelBuilder::new("apple", "1.0")
        .requires("plum")
        .header("License-Expression", "MIT")
        .member("apple.py", "");
    let plum = WheelBuilder::new("plum", "2.1")
        .header("Classifier", "License :: OSI Approved :: BSD License")
        .member("plum.py", "")
        .member(
            "plum-2.1.dist-info/sboms/plum.cdx.json",
            inner().to_string(),
        );
    RepositoryBuilder::new()
        .format_2()
        .project(Project::wanted(apple).set("uploaded", "2026-01-02T03:04:05.5Z"))
        .project(Project::automatic(plum))
}

/// A release of a set, in its folder `release`.
fn built(set: &RepositoryBuilder, more: &[&str]) -> BuiltRepository {
    let repository = set.build();
    let line = [&["build", "--unsigned"], more].concat();
    let run = Program::new(repository.path()).run(&line);
    run.expect(ExitStatus::Clean);
    repository
}

/// The document of a release is that of the repository, byte by byte, though neither the repository
/// nor a cache is there; validators accept it.
#[test]
fn a_release_has_the_document_of_its_repository() {
    let repository = built(&unclarified(), &[]);
    let elsewhere = tempfile::tempdir().unwrap();
    let folder = repository.path().join("release");
    let archive = folder.join("release.car");
    let of_release = |path: &std::path::Path, more: &[&str]| {
        let line = [&["sbom", "--release", path.to_str().unwrap()], more].concat();
        let run = Program::new(elsewhere.path()).run(&line);
        run.expect(ExitStatus::Clean).stdout
    };
    for part in [&[][..], &["plum"]] {
        for format in [&[][..], SPDX] {
            let arguments = [part, format].concat();
            let own = sbom(&repository, &arguments).expect(ExitStatus::Clean);
            assert!(own.stdout.contains("stone"), "{}", own.stdout);
            for path in [&folder, &archive] {
                assert_eq!(of_release(path, &arguments), own.stdout, "{arguments:?}");
            }
        }
    }
    let texts = (of_release(&archive, &[]), of_release(&archive, SPDX));
    assert_eq!(validated(&texts.0, &texts.1), "");
    // Later changes of the repository are not in the release.
    repository.write("declarations/plum.toml", "source = [");
    let run = sbom(&repository, &["--release", "release"]).expect(ExitStatus::Clean);
    assert_eq!(run.stdout, texts.0);

    let named = |name: &str| {
        let line = ["sbom", name, "--release", archive.to_str().unwrap()];
        Program::new(elsewhere.path()).run(&line)
    };
    let run = named("aple").expect(ExitStatus::Usage);
    assert!(
        run.stderr.contains("did you mean `apple`?"),
        "{}",
        run.stderr
    );
    let run = sbom(&repository, &["--release", "nowhere"]).expect(ExitStatus::Usage);
    assert!(
        run.stderr
            .contains("`nowhere` is neither an existing file nor a root CID"),
        "{}",
        run.stderr
    );
}

/// The policy is not in a release, so what it clarifies is unknown there.
#[test]
fn clarifications_do_not_apply_to_a_release() {
    let repository = built(&set(), &[]);
    let own = document(&repository, &["other"]);
    let release = document(&repository, &["other", "--release", "release"]);
    assert_eq!(
        own["components"][0]["licenses"][0]["acknowledgement"],
        "concluded"
    );
    assert_eq!(release["components"][0].get("licenses"), None);
}

/// The wheels of a hollow archive come from their sources; if these do not have them, the error says
/// how to go on.
#[test]
fn a_hollow_release_takes_its_wheels_from_their_sources() {
    let repository = built(&unclarified(), &["--car", "hollow"]);
    let own = sbom(&repository, &[]).expect(ExitStatus::Clean);
    let run = sbom(&repository, &["--release", "release"]).expect(ExitStatus::Clean);
    assert_eq!(run.stdout, own.stdout);
    fs::remove_dir_all(repository.path().join("wheels")).unwrap();
    let run = sbom(&repository, &["--release", "release"]);
    assert_ne!(run.status, ExitStatus::Clean);
    assert_eq!(run.stdout, "");
    for words in [".whl", "`ipwhl fill`"] {
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
}

/// A symbolic link stays, and the file that it names is written, even if it is not there yet.
#[cfg(unix)]
#[test]
fn a_document_is_written_through_a_link() {
    use std::os::unix::fs::symlink;
    let repository = unclarified().build();
    let path = |name: &str| repository.path().join(name);
    fs::create_dir(path("out")).unwrap();
    fs::write(path("out/old.json"), "old").unwrap();
    symlink("out/old.json", path("one")).unwrap();
    symlink("one", path("two")).unwrap();
    symlink("out/new.json", path("three")).unwrap();
    for (command, link, target) in [
        ("sbom", "two", "out/old.json"),
        ("lock", "three", "out/new.json"),
        ("lock", "two", "out/old.json"),
    ] {
        let program = Program::new(repository.path());
        let run = program.run(&[command, "-o", link]);
        run.expect(ExitStatus::Clean);
        let is_link = fs::symlink_metadata(path(link)).unwrap().is_symlink();
        assert!(is_link, "{command} {link}");
        let written = program.run(&[command]).stdout;
        assert_eq!(repository.read(target).trim_end(), written.trim_end());
    }
    assert!(fs::symlink_metadata(path("one")).unwrap().is_symlink());
    symlink("four", path("four")).unwrap();
    let run = Program::new(repository.path()).run(&["sbom", "-o", "four"]);
    assert_ne!(run.status, ExitStatus::Clean);
    assert!(run.stderr.contains("leads in a circle"), "{}", run.stderr);
}
