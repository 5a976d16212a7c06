//! Licences: what metadata states, and what `[licenses]` in `ipwhl.toml` accepts.

use ipwhl::command::ExitStatus;
use ipwhl::set::licences::{Licence, LicenceExpression, LicenceOrigin, LicenceTerm};
use ipwhl_packaging::{AboutFields, CoreMetadata};
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::history::History;
use crate::support::program::{Program, Run};
use crate::support::python;
use crate::support::repository_builder::{BuiltRepository, Project, RepositoryBuilder};
use crate::support::strategies::hold;
use crate::support::wheel_builder::WheelBuilder;

fn canonical(text: &str) -> String {
    match LicenceExpression::parse(text) {
        Ok(expression) => expression.to_string(),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn expressions_are_spelled_as_the_spdx_list_spells_them() {
    for (written, read) in [
        ("mit", "MIT"),
        ("apache-2.0 or mit", "Apache-2.0 OR MIT"),
        ("(MIT) And (bsd-3-clause)", "MIT AND BSD-3-Clause"),
        (
            "MIT AND (Apache-2.0 OR BSD-2-Clause)",
            "MIT AND (Apache-2.0 OR BSD-2-Clause)",
        ),
        (
            "(MIT AND Apache-2.0) OR BSD-2-Clause",
            "MIT AND Apache-2.0 OR BSD-2-Clause",
        ),
        (
            "apache-2.0 with llvm-EXCEPTION",
            "Apache-2.0 WITH LLVM-exception",
        ),
        ("licenseref-Public-Domain", "LicenseRef-Public-Domain"),
        // Identifiers of older lists still have one meaning.
        ("GPL-3.0", "GPL-3.0-only"),
        ("gpl-2.0+", "GPL-2.0-or-later"),
        ("Apache-2.0+", "Apache-2.0+"),
    ] {
        assert_eq!(canonical(written), read, "{written}");
    }
    for (written, error) in [
        ("MIT License", "`License` is not an SPDX licence identifier"),
        ("BSD", "`BSD` is not an SPDX licence identifier"),
        (
            "LicenseRef-",
            "`LicenseRef-` is not an SPDX licence identifier",
        ),
        (
            "LicenseRef-a_b",
            "`LicenseRef-a_b` is not an SPDX licence identifier",
        ),
        // A wheel has no other document that it could refer to.
        (
            "DocumentRef-a:LicenseRef-b",
            "`DocumentRef-a:LicenseRef-b` is not an SPDX licence identifier",
        ),
        (
            "MIT/Apache-2.0",
            "`MIT/Apache-2.0` is not an SPDX licence identifier",
        ),
        ("", "it is not an SPDX licence expression: empty expression"),
        (
            "(MIT",
            "it is not an SPDX licence expression: unclosed parens",
        ),
        (
            "MIT)",
            "it is not an SPDX licence expression: unopened parens",
        ),
    ] {
        assert_eq!(canonical(written), format!("error: {error}"), "{written}");
    }
    for wrong in [
        "MIT Apache-2.0",
        "MIT OR",
        "AND MIT",
        "MIT WITH MIT",
        "Apache-2.0 +",
        "()",
    ] {
        assert!(canonical(wrong).starts_with("error: "), "{wrong}");
    }
}

/// An expression, as a tree of at most this depth.
fn made() -> impl Strategy<Value = String> {
    let leaf = select(
        &[
            "MIT",
            "apache-2.0",
            "GPL-2.0-or-later",
            "LicenseRef-x",
            "Apache-2.0 WITH LLVM-exception",
        ][..],
    );
    leaf.prop_map(str::to_owned)
        .prop_recursive(6, 32, 2, |inner| {
            (inner.clone(), select(&["AND", "or"][..]), inner)
                .prop_map(|(left, operator, right)| format!("({left} {operator} {right})"))
        })
}

/// The canonical text means the same, whatever is accepted, and is its own canonical text.
#[test]
fn the_canonical_text_of_an_expression_means_the_same() {
    hold(256, (made(), any::<u8>()), |(text, accepted)| {
        let expression = LicenceExpression::parse(&text).unwrap();
        let written = expression.to_string();
        let again = LicenceExpression::parse(&written).unwrap();
        assert_eq!(again.to_string(), written);
        assert_eq!(again.terms(), expression.terms());
        let terms = expression.terms();
        let accepts = |term: &LicenceTerm| {
            let place = terms.iter().position(|one| one == term).unwrap();
            accepted & (1 << place) != 0
        };
        assert_eq!(
            again.is_satisfied(accepts),
            expression.is_satisfied(accepts),
            "{text}"
        );
    });
}

#[test]
fn any_text_is_an_expression_or_an_error() {
    hold(512, "\\PC{0,60}|[()+ A-Za-z.-]{0,80}", |text: String| {
        if let Ok(expression) = LicenceExpression::parse(&text) {
            LicenceExpression::parse(&expression.to_string()).unwrap();
        }
    });
}

/// Neither a deep expression nor a long text overflows a stack or takes long.
#[test]
fn hostile_expressions_are_refused() {
    let deep = format!("{}MIT{}", "(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(
        canonical(&deep),
        "error: it has 20003 bytes; at most 4096 are read"
    );
    // The longest that is read, as deep as it can be.
    let deep = format!("{}MIT{}", "(".repeat(2_040), ")".repeat(2_040));
    assert_eq!(canonical(&deep), "MIT");
    let deep = "MIT OR (MIT AND (".repeat(200) + "MIT" + &"))".repeat(200);
    let written = canonical(&deep);
    assert_eq!(canonical(&written), written);
    assert!(written.len() > 2_000, "{written}");
    let long = "MIT OR ".repeat(200_000) + "MIT";
    assert!(canonical(&long).starts_with("error: it has 1400003 bytes"));
}

/// `packaging` reads License-Expression for indexes; it agrees about what an expression is, and about its
/// meaning.
#[test]
fn packaging_agrees_about_expressions() {
    let texts = [
        "mit",
        "MIT OR Apache-2.0",
        "(mit and apache-2.0) or bsd-3-clause",
        "GPL-3.0",
        "gpl-2.0+",
        "Apache-2.0 with LLVM-exception",
        "LicenseRef-Proprietary",
        "licenseref-public-domain",
        "LicenseRef-a.b-c",
        "LicenseRef-",
        "LicenseRef-a_b",
        "DocumentRef-a:LicenseRef-b",
        "MIT License",
        "BSD",
        "MIT/Apache-2.0",
        "",
        "(MIT",
        "MIT)",
        "()",
        "MIT AND",
        "MIT WITH MIT",
        "MIT MIT",
        "mit\tor\tisc",
        "0BSD",
        "Unlicense",
        "MIT OR (ISC AND (Zlib OR 0BSD))",
    ];
    let script = [
        "import json, sys",
        "from packaging.licenses import canonicalize_license_expression as read",
        "def one(text):",
        "    try:",
        "        return read(text)",
        "    except Exception:",
        "        return None",
        "print(json.dumps([one(text) for text in json.load(sys.stdin)]))",
    ]
    .join("\n");
    let mut command = std::process::Command::new(python::program("requirements.txt", "python"));
    command.args(["-I", "-c", script.as_str()]);
    let output = crate::support::workshop::feed(&mut command, &serde_json::to_vec(&texts).unwrap());
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let answers: Vec<Option<String>> = serde_json::from_slice(&output.stdout).unwrap();
    for (text, answer) in texts.into_iter().zip(answers) {
        let own = LicenceExpression::parse(text).ok();
        assert_eq!(own.is_some(), answer.is_some(), "{text}: {answer:?}");
        if let (Some(own), Some(answer)) = (own, answer) {
            assert_eq!(own.to_string(), canonical(&answer), "{text}");
        }
    }
}

fn fields(text: &str) -> AboutFields {
    let text = format!("Metadata-Version: 2.4\nName: a\nVersion: 1\n{text}\n\nDescription\n");
    CoreMetadata::parse(text.as_bytes()).unwrap().about
}

fn stated(text: &str) -> String {
    match Licence::of(&fields(text)) {
        Licence::Known(expression, origin) => format!(
            "{expression} by {}",
            match origin {
                LicenceOrigin::Expression => "expression",
                LicenceOrigin::Classifier => "classifier",
                LicenceOrigin::LegacyField => "license",
            }
        ),
        Licence::Unknown(reason) => format!("unknown: {reason}"),
    }
}

#[test]
fn metadata_states_a_licence_or_the_reason_why_it_is_unknown() {
    const MIT: &str = "Classifier: License :: OSI Approved :: MIT License";
    const BSD: &str = "Classifier: License :: OSI Approved :: BSD License";
    const ISC: &str = "Classifier: License :: OSI Approved :: ISC License (ISCL)";
    const PARENT: &str = "Classifier: License :: OSI Approved";
    for (text, licence) in [
        ("License-Expression: mit", "MIT by expression"),
        // The newer field wins, even if it is broken.
        (
            &format!("License-Expression: ISC\nLicense: MIT\n{MIT}"),
            "ISC by expression",
        ),
        (
            &format!("License-Expression: Foo\nLicense: MIT\n{MIT}"),
            "unknown: License-Expression is `Foo`: `Foo` is not an SPDX licence identifier",
        ),
        (MIT, "MIT by classifier"),
        (&format!("{MIT}\n{MIT}\nLicense: ISC"), "MIT by classifier"),
        (&format!("{PARENT}\n{MIT}"), "MIT by classifier"),
        (
            BSD,
            "unknown: the classifier `License :: OSI Approved :: BSD License` does not mean one licence",
        ),
        (
            &format!("{BSD}\nLicense: BSD-3-Clause"),
            "BSD-3-Clause by license",
        ),
        (
            &format!("{MIT}\n{ISC}"),
            "unknown: the classifiers do not say how they belong together: \
             `License :: OSI Approved :: ISC License (ISCL)`, `License :: OSI Approved :: MIT License`",
        ),
        ("License: Apache-2.0", "Apache-2.0 by license"),
        (
            "License: Apache 2.0",
            "unknown: License is a text for people, not an expression: `Apache 2.0`",
        ),
        ("License: UNKNOWN", "unknown: METADATA states no licence"),
        (
            "Classifier: Topic :: Software Development",
            "unknown: METADATA states no licence",
        ),
    ] {
        assert_eq!(stated(text), licence, "{text}");
    }
    // A whole licence in one field.
    let text = format!(
        "License: Copyright {}",
        "all rights reserved ".repeat(50_000)
    );
    let read = stated(&text);
    assert!(read.starts_with("unknown: ") && read.len() < 300, "{read}");
}

/// A set of one project with this METADATA field, under this policy.
fn set(field: (&str, &str), policy: &str) -> RepositoryBuilder {
    let plum = WheelBuilder::new("plum", "1.0").header(field.0, field.1);
    RepositoryBuilder::new()
        .format_2()
        .configuration(policy)
        .project(Project::wanted(plum.member("plum.py", "")))
}

fn checked(repository: &BuiltRepository) -> Run {
    let arguments = ["check", "--wheels", "--message-format", "json"];
    Program::new(repository.path()).run(&arguments)
}

fn codes(field: (&str, &str), policy: &str) -> Vec<String> {
    checked(&set(field, policy).build()).codes()
}

#[test]
fn a_policy_accepts_expressions() {
    let denied = vec!["denied-license".to_owned()];
    let unknown = vec!["unknown-license".to_owned()];
    let none = Vec::<String>::new();
    for (expression, policy, expected) in [
        ("MIT", "allow = ['MIT']", &none),
        ("MIT", "allow = ['ISC']", &denied),
        ("MIT", "allow = []", &denied),
        ("MIT", "deny = ['ISC']", &none),
        ("MIT", "deny = ['MIT']", &denied),
        ("MIT OR GPL-3.0-only", "allow = ['MIT']", &none),
        ("MIT AND GPL-3.0-only", "allow = ['MIT']", &denied),
        (
            "MIT AND (ISC OR GPL-3.0-only)",
            "allow = ['MIT', 'ISC']",
            &none,
        ),
        ("GPL-3.0-only OR MIT", "deny = ['GPL-3.0-only']", &none),
        // The author of the wheel lets its user choose a later version.
        ("GPL-2.0-or-later", "allow = ['GPL-3.0-only']", &none),
        ("GPL-2.0-only", "allow = ['GPL-3.0-only']", &denied),
        ("GPL-2.0-only", "allow = ['GPL-2.0-or-later']", &none),
        ("GPL-3.0-only", "allow = ['GPL-2.0-or-later']", &denied),
        ("GPL-2.0-or-later", "deny = ['GPL-2.0']", &denied),
        ("MPL-1.1+", "allow = ['MPL-2.0']", &none),
        ("BSD-2-Clause", "allow = ['BSD-3-Clause']", &denied),
        ("LGPL-3.0-only", "allow = ['GPL-3.0-only']", &denied),
        // A licence with an exception is another licence.
        (
            "Apache-2.0 WITH LLVM-exception",
            "allow = ['Apache-2.0']",
            &denied,
        ),
        (
            "Apache-2.0 WITH LLVM-exception",
            "allow = ['apache-2.0 with llvm-exception']",
            &none,
        ),
        ("LicenseRef-Ours", "allow = ['LicenseRef-Ours']", &none),
        ("not one", "allow = ['MIT']", &unknown),
        ("not one", "unknown = 'allow'", &none),
        ("not one", "", &unknown),
    ] {
        let policy = format!("\n[licenses]\n{policy}\n");
        let found = codes(("License-Expression", expression), &policy);
        assert_eq!(found, *expected, "{expression} under {policy}");
    }
    // Without a policy no licence matters.
    assert_eq!(codes(("License-Expression", "AGPL-3.0-only"), ""), none);
}

#[test]
fn exceptions_and_clarifications_are_for_one_project() {
    let gpl = ("License-Expression", "GPL-3.0-only");
    let exception = |project: &str| {
        format!(
            "\n[licenses]\ndeny = ['GPL-3.0-only']\n\n[[licenses.exception]]\n\
             project = '{project}'\nallow = ['GPL-3.0-only']\nreason = 'a program of its own'\n"
        )
    };
    assert!(codes(gpl, &exception("plum")).is_empty());
    assert_eq!(
        codes(gpl, &exception("plums")),
        ["denied-license", "unused-license-entry"]
    );
    let clarify = |more: &str| {
        format!(
            "\n[licenses]\nallow = ['BSD-3-Clause']\n\n[[licenses.clarify]]\nproject = 'plum'\n\
             reason = 'its LICENSE'\n{more}\n"
        )
    };
    let bsd = ("Classifier", "License :: OSI Approved :: BSD License");
    assert!(codes(bsd, &clarify("expression = 'BSD-3-Clause'")).is_empty());
    assert!(
        codes(
            bsd,
            &clarify("expression = 'BSD-3-Clause'\nversion = '1.0'")
        )
        .is_empty()
    );
    assert_eq!(
        codes(
            bsd,
            &clarify("expression = 'BSD-3-Clause'\nversion = '2.0'")
        ),
        ["unknown-license", "unused-license-entry"]
    );
    assert_eq!(
        codes(bsd, &clarify("expression = 'BSD-2-Clause'")),
        ["denied-license"]
    );
    // What the wheel states is not overruled.
    assert_eq!(
        codes(gpl, &clarify("expression = 'BSD-3-Clause'")),
        ["denied-license", "unused-license-entry"]
    );
}

/// Two wheels of one project differ; the finding names the one that is not accepted, and the term.
#[test]
fn a_finding_names_the_wheel_and_the_licence() {
    let wheel = |tag: &str, licence: &str| {
        WheelBuilder::new("plum", "1.0")
            .tag(tag)
            .header("License-Expression", licence)
            .member("plum.bin", tag)
    };
    let plum = Project::wanted(wheel("cp312-abi3-manylinux_2_17_x86_64", "MIT"))
        .wheel(wheel("cp312-abi3-win_amd64", "MIT AND LGPL-2.1-only"));
    let policy = "\n[licenses]\nallow = ['MIT']\n";
    let repository = RepositoryBuilder::new()
        .format_2()
        .configuration(policy)
        .project(plum);
    let repository = repository.build();
    let run = Program::new(repository.path()).run(&["check", "--wheels"]);
    let run = run.expect(ExitStatus::Findings);
    for words in [
        "error[denied-license]: the set does not accept the licence of \
         `plum-1.0-cp312-abi3-win_amd64.whl`: `MIT AND LGPL-2.1-only`",
        "declarations/plum.toml:",
        "`LGPL-2.1-only` is not in `allow`",
        "1 error",
    ] {
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
    assert!(!run.stderr.contains("`MIT` is not"), "{}", run.stderr);
    // A later check knows it from the stored facts.
    let run = Program::new(repository.path());
    run.run(&["check"]).expect(ExitStatus::Clean);
}

#[test]
fn waivers_and_severities_cover_findings_about_licences() {
    let gpl = ("License-Expression", "GPL-3.0-only");
    let policy = "\n[licenses]\nallow = ['MIT']\n";
    let waiver = "\n[[waiver]]\ncode = 'denied-license'\nproject = 'plum'\n\
                  reason = 'until 2.0'\nexpires = 2027-03-01\n";
    assert!(codes(gpl, &format!("{policy}{waiver}")).is_empty());
    // Without the policy the waiver covers nothing.
    assert_eq!(codes(gpl, waiver), ["unused-waiver"]);
    let off = "\n[severity]\ndenied-license = 'off'\n";
    assert!(codes(gpl, &format!("{policy}{off}")).is_empty());
    let warning = "\n[severity]\ndenied-license = 'warning'\n";
    let run = checked(&set(gpl, &format!("{policy}{warning}")).build());
    assert_eq!(run.codes(), ["denied-license"]);
    assert_eq!(run.status, ExitStatus::Clean);
}

/// A build refuses what a check refuses.
#[test]
fn a_build_refuses_denied_licences() {
    let repository = set(
        ("License-Expression", "ISC"),
        "\n[licenses]\nallow = ['MIT']\n",
    )
    .build();
    let run = Program::new(repository.path()).run(&["build", "--root-only"]);
    let run = run.expect(ExitStatus::Findings);
    assert!(
        run.stderr.contains("error[denied-license]"),
        "{}",
        run.stderr
    );
}

#[test]
fn mistakes_in_the_policy_are_findings() {
    for (policy, message) in [
        ("allow = ['MTI']", "`MTI` is not an SPDX licence identifier"),
        (
            "allow = ['MIT OR ISC']",
            "`MIT OR ISC`: it is not a single licence",
        ),
        (
            "deny = ['Apache-2.0+']",
            "`Apache-2.0+`: it is not a single licence",
        ),
        ("allow = ['MIT', 'mit']", "`MIT` is listed twice"),
        (
            "allow = ['MIT']\ndeny = ['MIT']",
            "`MIT` is both allowed and denied",
        ),
        ("unknown = 'warn'", "`unknown` is `deny` or `allow`"),
        ("alow = ['MIT']", "`alow` is not a key of `[licenses]`"),
        (
            "[[licenses.exception]]\nproject = 'a'\nallow = ['MIT']",
            "`reason` is missing",
        ),
        (
            "[[licenses.exception]]\nproject = 'a'\nreason = 'b'",
            "`allow` is missing",
        ),
        (
            "[[licenses.clarify]]\nproject = 'a'\nreason = 'b'",
            "`expression` is missing",
        ),
        (
            "[[licenses.clarify]]\nproject = 'a'\nreason = 'b'\nexpression = 'MIT'\n\
             [[licenses.clarify]]\nproject = 'A'\nreason = 'b'\nexpression = 'ISC'",
            "`a` is clarified twice",
        ),
        (
            "[[licenses.clarify]]\nproject = 'a'\nreason = 'b'\nexpression = 'MIT'\nversion = '?'",
            "`?` is not a version",
        ),
    ] {
        let text = format!("\n[licenses]\n{policy}\n");
        let repository = set(("License-Expression", "MIT"), &text).build();
        let run = Program::new(repository.path()).run(&["check"]);
        let run = run.expect(ExitStatus::Findings);
        assert!(run.stderr.contains(message), "{policy}: {}", run.stderr);
    }
    let repository = set(
        ("License-Expression", "MIT"),
        "\n[licenses]\nallow = ['Apache2.0']\n",
    )
    .build();
    let run = Program::new(repository.path()).run(&["check"]);
    assert!(
        run.stderr.contains("did you mean `Apache-2.0`?"),
        "{}",
        run.stderr
    );
    // Format 1 has no policy.
    let old = RepositoryBuilder::sound()
        .configuration("\n[licenses]\nallow = ['MIT']\n")
        .build();
    let run = Program::new(old.path())
        .run(&["check"])
        .expect(ExitStatus::Findings);
    let message = "`licenses` is a key of `ipwhl.toml` in format 2 only";
    assert!(run.stderr.contains(message), "{}", run.stderr);
}

/// A change that only accepts more passes its own check, so the check says so.
#[test]
fn a_change_that_accepts_more_licences_is_named() {
    let policy = "\n[licenses]\nallow = ['MIT']\ndeny = ['GPL-3.0-only']\n";
    let repository = set(("License-Expression", "MIT"), policy).build();
    let history = History::begin(repository.path());
    let text = repository.read("ipwhl.toml");
    let more = text
        .replace("['MIT']", "['MIT', 'ISC']")
        .replace("deny = ['GPL-3.0-only']", "unknown = 'allow'");
    repository.write("ipwhl.toml", more);
    history.commit("accept more");
    let path = |name: &str| std::env::var_os(name).unwrap_or_default();
    let program = Program::new(repository.path())
        .variable("PATH", path("PATH"))
        .variable("GIT_CONFIG_GLOBAL", "/dev/null");
    let run = program.run(&["check", "--since", "HEAD~1"]);
    let run = run.expect(ExitStatus::Clean);
    let message = "this change accepts more in `[licenses]`: allow ISC; no longer deny \
                   GPL-3.0-only; unknown = allow";
    assert!(run.stderr.contains(message), "{}", run.stderr);
    // A stricter policy is no weakening.
    repository.write("ipwhl.toml", text);
    history.commit("accept less");
    let run = program.run(&["check", "--since", "HEAD~1"]);
    let run = run.expect(ExitStatus::Clean);
    assert!(!run.stderr.contains("accepts more"), "{}", run.stderr);
}

/// A wheel of `plum` for a system, with a licence.
fn system_wheel(system: &str, licence: &str) -> WheelBuilder {
    WheelBuilder::new("plum", "1.0")
        .tag(&format!("cp312-abi3-{system}"))
        .header("License-Expression", licence)
        .member("plum.bin", system)
}

const LINUX: &str = "manylinux_2_17_x86_64";

/// A set of `plum` with a wheel for each licence.
fn several(licences: &[&str], policy: &str) -> RepositoryBuilder {
    let systems = [LINUX, "win_amd64", "win_arm64"];
    let mut wheels = systems.iter().zip(licences);
    let (system, licence) = wheels.next().unwrap();
    let plum = Project::wanted(system_wheel(system, licence));
    let plum = wheels.fold(plum, |plum, (system, licence)| {
        plum.wheel(system_wheel(system, licence))
    });
    RepositoryBuilder::new()
        .format_2()
        .configuration(policy)
        .configuration("\n[severity]\nunused-wheel = 'off'\nuncovered-platform = 'off'\n")
        .project(plum)
}

/// The findings of a run in JSON.
fn findings(run: &Run) -> Vec<serde_json::Value> {
    let lines = run.stdout.lines();
    let values = lines.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    values.filter(|value| value["type"] == "finding").collect()
}

/// Wheels with the same licence are one finding, at the first of them, and one waiver.
#[test]
fn wheels_of_a_project_with_the_same_licence_are_one_finding() {
    let policy = "\n[licenses]\nallow = ['MIT']\n";
    let gpl = "GPL-3.0-only";
    let repository = several(&[gpl, gpl, gpl], policy).build();
    let run = checked(&repository);
    let found = findings(&run);
    assert_eq!(found.len(), 1, "{}", run.stdout);
    assert_eq!(
        found[0]["message"],
        "the set does not accept the licence of the 3 wheels of `plum`: `GPL-3.0-only`"
    );
    let text = repository.read("declarations/plum.toml");
    let first = text.lines().position(|line| line == "[[wheel]]").unwrap();
    let places = found[0]["places"].as_array().unwrap();
    assert_eq!(places.len(), 1, "{}", found[0]);
    let line = places[0]["line"].as_u64().unwrap();
    assert!(
        (first as u64..first as u64 + 4).contains(&line),
        "{line}: {first}"
    );
    let run = Program::new(repository.path()).run(&["check", "--wheels", "--waivers", "seen"]);
    assert_eq!(
        run.stdout.matches("[[waiver]]").count(),
        1,
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("wheel = "), "{}", run.stdout);
    // A build says the same.
    let run = Program::new(repository.path()).run(&["build", "--root-only"]);
    let run = run.expect(ExitStatus::Findings);
    assert_eq!(
        run.stderr.matches("[denied-license]").count(),
        1,
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("the 3 wheels of `plum`"),
        "{}",
        run.stderr
    );

    // Wheels that differ are named.
    let repository = several(&[gpl, "ISC", gpl], policy).build();
    let found = findings(&checked(&repository));
    let messages: Vec<&str> = found
        .iter()
        .map(|one| one["message"].as_str().unwrap())
        .collect();
    assert_eq!(
        messages,
        [
            "the set does not accept the licence of 2 of 3 wheels of `plum`: `GPL-3.0-only`",
            "the set does not accept the licence of `plum-1.0-cp312-abi3-win_amd64.whl`: `ISC`",
        ]
    );
    let notes = found[0]["notes"].to_string();
    for system in [LINUX, "win_arm64"] {
        let name = format!("`plum-1.0-cp312-abi3-{system}.whl`");
        assert!(notes.contains(&name), "{notes}");
    }
    // A waiver of one wheel leaves the others.
    let waiver = "\n[[waiver]]\ncode = 'denied-license'\nproject = 'plum'\n\
                  wheel = 'plum-1.0-cp312-abi3-win_amd64.whl'\nreason = 'seen'\n\
                  expires = 2027-03-01\n";
    let repository = several(&[gpl, gpl, gpl], &format!("{policy}{waiver}")).build();
    let found = findings(&checked(&repository));
    assert_eq!(found.len(), 1);
    let message = found[0]["message"].as_str().unwrap();
    assert!(message.contains("2 of 3 wheels"), "{message}");
    // Licences that are unknown for the same reason.
    let repository = several(&["odd", "odd"], policy).build();
    let found = findings(&checked(&repository));
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0]["message"],
        "the licence of the 2 wheels of `plum` is unknown"
    );
}

#[test]
fn entries_that_no_wheel_uses_are_named() {
    let exception = |allow: &str| {
        format!("\n[[licenses.exception]]\nproject = 'plum'\nallow = [{allow}]\nreason = 'seen'\n")
    };
    let clarify = |more: &str| {
        format!(
            "\n[[licenses.clarify]]\nproject = 'plum'\nexpression = 'MIT'\nreason = 'seen'\n{more}\n"
        )
    };
    let mit = "\n[licenses]\nallow = ['MIT']\n";
    let unused = |licences: &[&str], policy: &str| -> Vec<String> {
        let run = checked(&several(licences, policy).build());
        assert_eq!(run.status, ExitStatus::Clean, "{}", run.stdout);
        let found = findings(&run).into_iter();
        found
            .map(|one| {
                assert_eq!(one["code"], "unused-license-entry");
                assert_eq!(one["severity"], "warning");
                format!("{} {}", one["message"].as_str().unwrap(), one["notes"])
            })
            .collect()
    };
    let gpl = exception("'GPL-3.0-only'");
    // Used, if only by one wheel.
    let policy = format!("{mit}{gpl}");
    assert!(unused(&["MIT", "GPL-3.0-only"], &policy).is_empty());
    assert!(unused(&["odd"], &format!("{mit}{}", clarify(""))).is_empty());
    // The licence is allowed anyway, or by the other side of `OR`, or by an earlier exception.
    for licence in ["MIT", "MIT OR GPL-3.0-only"] {
        let found = unused(&[licence], &policy);
        let expected = format!(
            "no wheel needs the exception for `plum` [\"the licence of its wheels: `{licence}`\"]"
        );
        assert_eq!(found, [expected]);
    }
    assert_eq!(
        unused(&["GPL-3.0-only"], &format!("{mit}{gpl}{gpl}")).len(),
        1
    );
    // The wheel states its licence, or another version is declared.
    for (licence, more, note) in [
        ("MIT", "", "the licence of its wheels: `MIT`"),
        (
            "MIT",
            "version = '2.0'",
            "it is about `2.0`; the set has `1.0`",
        ),
    ] {
        let found = unused(&[licence], &format!("{mit}{}", clarify(more)));
        let expected = format!("no wheel needs the clarification of `plum` [\"{note}\"]");
        assert_eq!(found, [expected]);
    }
    // The place is the entry; a name that is nearly right is proposed.
    let policy = format!("{mit}{}", gpl.replace("plum", "plums"));
    let repository = several(&["MIT"], &policy).build();
    let run = Program::new(repository.path()).run(&["check", "--wheels"]);
    let line = repository.read("ipwhl.toml");
    let line = line
        .lines()
        .position(|line| line == "[[licenses.exception]]");
    for words in [
        "warning[unused-license-entry]: no wheel needs the exception for `plums`",
        &format!("ipwhl.toml:{}", line.unwrap() + 1),
        "did you mean `plum`?",
    ] {
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
    // While a wheel is unread, any entry may be needed; a waiver of the finding, too.
    let waiver = "\n[[waiver]]\ncode = 'unused-license-entry'\nproject = 'plums'\n\
                  reason = 'soon'\nexpires = 2027-03-01\n";
    for policy in [policy.clone(), format!("{policy}{waiver}")] {
        let repository = several(&["MIT"], &policy).build();
        let run = Program::new(repository.path()).run(&["check", "--message-format", "json"]);
        assert_eq!(run.codes(), Vec::<String>::new());
    }
    let repository = several(&["MIT"], &format!("{policy}{waiver}")).build();
    assert!(checked(&repository).codes().is_empty());
}

/// A mistake in the policy comes alone: no wheel is judged by what remains.
#[test]
fn a_broken_policy_judges_no_wheel() {
    for policy in [
        "allow = ['MITT']",
        "allow = ['MITT', 'ISC']",
        "alow = ['MIT']\nallow = []",
        "allow = ['ISC']\n[[licenses.exception]]\nproject = 'plum'\nallow = ['MTI']\nreason = 'a'",
    ] {
        let found = codes(
            ("License-Expression", "MIT"),
            &format!("\n[licenses]\n{policy}\n"),
        );
        assert!(!found.is_empty(), "{policy}");
        let is_text = |code: &String| ["invalid-value", "unknown-key"].contains(&code.as_str());
        assert!(found.iter().all(is_text), "{policy}: {found:?}");
    }
}
