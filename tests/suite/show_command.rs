//! `ipwhl show`.

use ipwhl::command::ExitStatus;
use serde_json::{Value, json};

use crate::support::content_id;
use crate::support::declared_set::DeclaredSet;
use crate::support::loopback_index::{Hosted, LoopbackIndex};
use crate::support::program::{Program, Run};
use crate::support::repository_builder::{BuiltRepository, RepositoryBuilder};

fn show(repository: &BuiltRepository, arguments: &[&str]) -> Run {
    let line: Vec<&str> = ["show"].iter().chain(arguments).copied().collect();
    Program::new(repository.path()).run(&line)
}

fn fruit() -> DeclaredSet {
    DeclaredSet::new()
        .wanted(
            "apple 1.0 [juice]",
            &[
                "banana>=2",
                "damson; extra == 'juice'",
                "apple[juice]; extra == 'juice'",
            ],
        )
        .automatic(
            "banana 2.1",
            &["damson>=6; sys_platform == 'win32'", "elder"],
        )
        .automatic("damson 5.0.1", &[])
        .configuration(
            "\n[[waiver]]\ncode = \"unsatisfied-dependency\"\nproject = \"banana\"\n\
             requirement = \"damson>=6; sys_platform == 'win32'\"\n\
             reason = \"works with 5, see its changelog\"\nexpires = 2027-03-01\n",
        )
}

#[test]
fn everything_about_a_project_is_shown() {
    let repository = fruit().build();
    let run = show(&repository, &["banana", "damson", "banana"]).expect(ExitStatus::Clean);
    insta::assert_snapshot!(run.stdout);
    assert!(run.stderr.contains("the set has 1 error"), "{}", run.stderr);
    // What a project asks of itself is neither what it needs nor what needs it.
    let run = show(&repository, &["Apple", "-q"]).expect(ExitStatus::Clean);
    assert!(
        run.stdout.contains("damson -> 5.0.1 [extra: juice]"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.ends_with("  needed by nothing\n"),
        "{}",
        run.stdout
    );
    assert_eq!(run.stderr, "");
}

/// Each wheel with the platforms where it is the one that is taken.
#[test]
fn wheels_say_where_they_are_used() {
    let repository = RepositoryBuilder::sound()
        .platforms(
            &["cp311", "cp312", "cp313"],
            &["manylinux_2_28_x86_64", "win_amd64"],
        )
        .build();
    let run = show(&repository, &["banana"]).expect(ExitStatus::Clean);
    let used: Vec<&str> = run
        .stdout
        .lines()
        .filter_map(|line| line.trim().strip_prefix("used on "))
        .map(str::trim)
        .collect();
    assert_eq!(
        used,
        [
            "cp312, cp313 on win_amd64",
            "cp312 on manylinux_2_28_x86_64",
            "cp313 on manylinux_2_28_x86_64",
        ]
    );
    assert!(
        run.stdout.contains("requires-python  >=3.9\n"),
        "{}",
        run.stdout
    );
}

/// What wheels say differently is said of all, and each has its own addresses.
#[test]
fn each_wheel_is_shown_with_what_it_says() {
    let sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let wheel = |tag: &str, keys: &str| {
        format!(
            "[[wheel]]\nsource = [\"https://example.org/fig-1.0-{tag}.whl\", \
             \"https://example.com/fig-1.0-{tag}.whl\"]\n\
             content-id = \"bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku\"\n\
             dependencies = []\nsha256 = \"{sha256}\"\n{keys}\n"
        )
    };
    let repository = DeclaredSet::new()
        .file(
            "declarations/fig.toml",
            &(wheel(
                "py3-none-win_amd64",
                "extras = [\"jam\"]\nrequires-python = \">=3.9\"",
            ) + &wheel("py3-none-manylinux_2_17_x86_64", "extras = []")),
        )
        .build();
    let run = show(&repository, &["fig"]).expect(ExitStatus::Clean);
    for (words, count) in [
        ("  requires-python  any or >=3.9\n", 1),
        ("  extras           none or jam\n", 1),
        ("  declared in      declarations/fig.toml\n", 1),
        (sha256, 2),
        ("https://example.org/fig-1.0-", 2),
        ("https://example.com/fig-1.0-", 2),
    ] {
        assert_eq!(
            run.stdout.matches(words).count(),
            count,
            "{words}\n{}",
            run.stdout
        );
    }
    let run = show(&repository, &["fig", "--format", "json"]).expect(ExitStatus::Clean);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let wheel = &document["projects"][0]["wheels"][1];
    assert_eq!(wheel["sha256"], sha256);
    assert_eq!(wheel["requires_python"], ">=3.9");
    assert_eq!(wheel["extras"], json!(["jam"]));
    assert_eq!(wheel["sources"].as_array().unwrap().len(), 2);
}

#[test]
fn json_says_the_same() {
    let repository = fruit().build();
    let run = show(&repository, &["banana", "--format", "json"]).expect(ExitStatus::Clean);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let banana = &document["projects"][0];
    assert_eq!(banana["name"], "banana");
    assert_eq!(banana["wanted"], json!(false));
    assert_eq!(banana["file"], "declarations/banana.toml");
    assert_eq!(
        banana["wheels"][0],
        json!({
            "file_name": "banana-2.1-py3-none-any.whl",
            "file": "declarations/banana.toml",
            "size": 1000,
            "content_id": content_id("banana"),
            "sha256": null,
            "requires_python": null,
            "extras": [],
            "platforms": [
                "cp312-manylinux_2_28_x86_64", "cp312-win_amd64",
                "cp313-manylinux_2_28_x86_64", "cp313-win_amd64",
            ],
            "sources": ["pkg:pypi/banana@2.1?file_name=banana-2.1-py3-none-any.whl"],
        })
    );
    assert_eq!(
        banana["needs"][0],
        json!({
            "project": "damson",
            "requirement": "damson>=6; sys_platform == \"win32\"",
            "extra": null,
            "platforms": ["cp312-win_amd64", "cp313-win_amd64"],
            "unmet": "unsatisfied-dependency",
            "file": "declarations/banana.toml", "line": 4, "column": 17,
        })
    );
    assert_eq!(banana["needs"][1]["unmet"], "missing-dependency");
    assert_eq!(banana["needed_by"][0]["project"], "apple");
    assert_eq!(
        banana["waivers"],
        json!([{
            "code": "unsatisfied-dependency", "project": "banana",
            "requirement": "damson>=6; sys_platform == \"win32\"",
            "reason": "works with 5, see its changelog", "expires": "2027-03-01", "line": 9,
        }])
    );
    // It concerns the project that it is about as well.
    let run = show(&repository, &["damson", "--format", "json"]).expect(ExitStatus::Clean);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["projects"][0]["waivers"], banana["waivers"]);
    assert!(document["projects"][0].get("index").is_none());
}

#[test]
fn outdated_compares_with_the_index() {
    let index = LoopbackIndex::start();
    let repository = DeclaredSet::new()
        .wanted("apple 1.0", &["banana<2", "cherry<2"])
        .automatic("banana 1.0", &[])
        .automatic("cherry 1.0", &[])
        .wanted("damson 1.0", &[])
        .build();
    for name in [
        "apple-1.1",
        "banana-1.1",
        "banana-2.0",
        "cherry-2.0",
        "damson-1.0",
    ] {
        let project = name.split('-').next().unwrap();
        index.host(Hosted::new(
            project,
            &format!("{name}-py3-none-any.whl"),
            b"",
        ));
    }
    let program = Program::new(repository.path()).index(&index.index_url());
    let words = |project: &str| {
        let run = program
            .run(&["show", "--outdated", project])
            .expect(ExitStatus::Clean);
        let line = run
            .stdout
            .lines()
            .find(|line| line.contains("in the index"));
        line.unwrap().replace("  in the index     ", "")
    };
    assert_eq!(words("apple"), "1.1 is newer and fits the set");
    assert_eq!(
        words("banana"),
        "1.1 is newer and fits the set; 2.0 is the newest"
    );
    assert_eq!(
        words("cherry"),
        "2.0 is newer; no newer version fits the set"
    );
    assert_eq!(words("damson"), "no newer version");
    let run = program
        .run(&["show", "--outdated", "cherry", "--format", "json"])
        .expect(ExitStatus::Clean);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        document["projects"][0]["index"],
        json!({"newest": "2.0", "newest_fitting": null})
    );
}

#[test]
fn names_that_are_not_there_and_texts_that_cannot_be_read() {
    let repository = fruit().file("declarations/kiwi.toml", "=").build();
    let run = show(&repository, &["bananna"]).expect(ExitStatus::Usage);
    assert!(
        run.stderr.contains("did you mean `banana`?"),
        "{}",
        run.stderr
    );
    let run = show(&repository, &["apple[juice]"]).expect(ExitStatus::Usage);
    assert!(run.stderr.contains("write `apple`"), "{}", run.stderr);
    let run = show(&repository, &["kiwi", "apple", "Kiwi"]).expect(ExitStatus::Findings);
    assert_eq!(run.stderr.matches("`kiwi` cannot be read").count(), 1);
    assert!(run.stdout.starts_with("apple 1.0\n"), "{}", run.stdout);
    assert!(
        run.stderr.contains("`kiwi` cannot be read"),
        "{}",
        run.stderr
    );
}

/// The keys of format 2 are shown where they are declared.
#[test]
fn keys_of_format_2_are_shown() {
    let repository = DeclaredSet::new().wanted("apple 1.0", &[]).build();
    let settings = repository.read("ipwhl.toml");
    repository.write("ipwhl.toml", settings.replace("format = 1", "format = 2"));
    let run = show(&repository, &["apple"]).expect(ExitStatus::Clean);
    for key in ["uploaded", "only", "publisher", "reviewed"] {
        assert!(!run.stdout.contains(key), "{}", run.stdout);
    }
    let text = repository.read("declarations/apple.toml");
    let text = text.replace(
        "size = 1000\n",
        "size = 1000\nuploaded = 2023-08-17T17:29:11Z\nonly = 'sys_platform == \"win32\"'\n\
         publisher = \"someone at example.org\"\nreviewed = false\n",
    );
    repository.write("declarations/apple.toml", text);
    let run = show(&repository, &["apple"]).expect(ExitStatus::Clean);
    for line in [
        "\n    uploaded       2023-08-17T17:29:11Z\n",
        "\n    only           sys_platform == \"win32\"\n",
        "publisher",
        "someone at example.org",
        "reviewed",
    ] {
        assert!(run.stdout.contains(line), "{line}: {}", run.stdout);
    }
    let run = show(&repository, &["--format", "json", "apple"]).expect(ExitStatus::Clean);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let project = &document["projects"][0];
    assert_eq!(project["publisher"], "someone at example.org");
    assert_eq!(project["reviewed"], false);
    assert_eq!(project["wheels"][0]["uploaded"], "2023-08-17T17:29:11Z");
    assert_eq!(project["wheels"][0]["only"], "sys_platform == \"win32\"");
}
