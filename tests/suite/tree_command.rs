//! `ipwhl tree`.

use ipwhl::command::ExitStatus;
use serde_json::{Value, json};

use crate::support::content_id;
use crate::support::declared_set::{DeclaredSet, ladder};
use crate::support::program::{Program, Run};
use crate::support::repository_builder::{BuiltRepository, RepositoryBuilder};

fn tree(repository: &BuiltRepository, arguments: &[&str]) -> Run {
    let line: Vec<&str> = ["tree"].iter().chain(arguments).copied().collect();
    Program::new(repository.path()).run(&line)
}

#[track_caller]
fn text(repository: &BuiltRepository, arguments: &[&str]) -> String {
    tree(repository, arguments).expect(ExitStatus::Clean).stdout
}

/// Everything that a line can say.
fn rich() -> DeclaredSet {
    DeclaredSet::new()
        .wanted(
            "apple 1.0 [all, juice, pit]",
            &[
                "apple[juice,pit]; extra == 'all'",
                "banana>=2,<3",
                "cherry[stone]",
                "damson; extra == 'juice'",
                "elder>=5; sys_platform == 'win32'",
                "fig; extra == 'pit' and python_version < '3.13'",
            ],
        )
        .automatic("banana 2.1", &["grape"])
        .automatic(
            "cherry 0.3 [stone]",
            &["grape>=1", "damson>=6; extra == 'stone'"],
        )
        .automatic("damson 5.0.1", &[])
        .automatic("fig 1.0", &["grape[seed]"])
        .automatic(
            "grape 1.1",
            &["cherry", "lemon @ https://example.org/lemon.whl"],
        )
        .wanted("plum 3.0", &["banana"])
}

#[test]
fn the_tree_says_versions_requirements_extras_platforms_and_what_is_wrong() {
    let repository = rich().build();
    let run = tree(&repository, &[]).expect(ExitStatus::Clean);
    insta::assert_snapshot!(run.stdout);
    insta::assert_snapshot!(run.stderr, @"note: the set has 4 errors; `ipwhl check` shows the findings");
}

#[test]
fn the_lines_are_unicode_where_that_can_be_shown() {
    let repository = RepositoryBuilder::sound().build();
    let ascii = text(&repository, &[]);
    assert!(ascii.is_ascii(), "{ascii}");
    let unicode = Program::new(repository.path())
        .variable("LC_CTYPE", "C.UTF-8")
        .run(&["tree"])
        .expect(ExitStatus::Clean)
        .stdout;
    insta::assert_snapshot!(unicode);
    assert_eq!(text(&repository, &["--charset", "utf8"]), unicode);
    let german = Program::new(repository.path()).variable("LANG", "de_DE.utf8");
    assert_eq!(german.run(&["tree"]).stdout, unicode);
    assert_eq!(german.run(&["tree", "--charset", "ascii"]).stdout, ascii);
    // The first of them that is set decides.
    let plain = german.variable("LC_ALL", "C");
    assert_eq!(plain.run(&["tree"]).stdout, ascii);
    let terminal = Program::new(repository.path()).on_terminal();
    assert_eq!(terminal.run(&["tree", "--color", "never"]).stdout, unicode);
    assert!(terminal.run(&["tree"]).stdout.contains("\u{1b}["));
}

/// Ranges of interpreters have a dash, which is no ASCII.
#[test]
fn ascii_is_ascii_in_ranges_too() {
    let repository = DeclaredSet::new()
        .wanted("apple 1.0", &["banana; python_version < '3.14'"])
        .automatic("banana 1.0", &[])
        .build();
    let configuration = repository
        .read("ipwhl.toml")
        .replace("\"cp313\"]", "\"cp313\", \"cp311\", \"cp314\"]");
    repository.write("ipwhl.toml", configuration);
    insta::assert_snapshot!(text(&repository, &["--charset", "ascii"]), @r"
    apple 1.0
    `-- banana 1.0 [only: cp311-cp313 on manylinux_2_28_x86_64, win_amd64]
    ");
}

#[test]
fn what_was_shown_is_not_shown_again_unless_it_is_asked_for() {
    let repository = rich().build();
    let all = text(&repository, &["--no-dedupe"]);
    assert!(!all.contains("(*)"), "{all}");
    assert!(all.contains("(cycle)"), "{all}");
    assert!(all.lines().count() > text(&repository, &[]).lines().count());
    // What has nothing below it is no repetition.
    let repository = DeclaredSet::new()
        .wanted("apple 1.0", &["cherry"])
        .wanted("banana 1.0", &["cherry", "apple"])
        .automatic("cherry 1.0", &[])
        .build();
    insta::assert_snapshot!(text(&repository, &[]), @r"
    apple 1.0
    `-- cherry 1.0
    banana 1.0
    |-- apple 1.0 (*)
    `-- cherry 1.0
    ");
}

/// What was cut off by the depth is shown where there is room for it.
#[test]
fn depth_ends_the_tree() {
    let repository = DeclaredSet::new()
        .wanted("apple 1.0", &["banana"])
        .wanted("cherry 1.0", &["damson"])
        .automatic("banana 1.0", &["cherry"])
        .automatic("damson 1.0", &["elder"])
        .automatic("elder 1.0", &[])
        .build();
    insta::assert_snapshot!(text(&repository, &["--depth", "2"]), @r"
    apple 1.0
    `-- banana 1.0
        `-- cherry 1.0
    cherry 1.0
    `-- damson 1.0
        `-- elder 1.0
    ");
    insta::assert_snapshot!(text(&repository, &["--depth", "0"]), @r"
    apple 1.0
    cherry 1.0
    ");
    let drawn = drawing(&repository, &["--depth", "1", "apple"]);
    assert_eq!(edges(&drawn), ["apple banana"]);
}

#[test]
fn upside_down_it_shows_who_requires() {
    let repository = rich().build();
    insta::assert_snapshot!(text(&repository, &["--invert", "grape"]));
    // An extra is asked for by some only.
    insta::assert_snapshot!(text(&repository, &["-i", "grape[seed]", "--depth", "1"]), @r"
    grape[seed] 1.1
    `-- fig 1.0 (grape[seed]) [unmet: no extra `seed` in the set]
    ");
    insta::assert_snapshot!(text(&repository, &["-i", "cherry[stone]"]), @r"
    cherry[stone] 0.3
    `-- apple 1.0 (wanted) (cherry[stone])
    ");
    // What is required and not there can be asked about, too.
    insta::assert_snapshot!(text(&repository, &["-i", "elder"]), @r"
    elder [not in the set]
    `-- apple 1.0 (wanted) (elder>=5) [only: cp312, cp313 on win_amd64] [unmet: not in the set]
    ");
    let run = tree(&repository, &["-i"]).expect(ExitStatus::Usage);
    assert!(run.stderr.contains("<NAME>"), "{}", run.stderr);
}

/// With extras named, the tree is what an installation would bring: below the roots only what is
/// asked for.
#[test]
fn with_extras_it_is_an_installation() {
    let repository = rich().build();
    insta::assert_snapshot!(text(&repository, &["--no-extras", "apple", "grape"]));
    insta::assert_snapshot!(text(&repository, &["apple[pit]", "--platform", "cp312"]));
    // `all` asks the project itself for the other two.
    let all = text(&repository, &["--extra", "all", "apple"]);
    assert!(all.starts_with("apple[all] 1.0\n"), "{all}");
    assert!(all.contains("damson 5.0.1 [extra: juice]"), "{all}");
    let run = tree(&repository, &["--extra", "juic"]).expect(ExitStatus::Usage);
    assert!(
        run.stderr.contains("did you mean `juice`?"),
        "{}",
        run.stderr
    );
    let run = tree(&repository, &["banana[x]"]).expect(ExitStatus::Usage);
    assert!(run.stderr.contains("no extra `x`"), "{}", run.stderr);
}

/// Extras that bring extras, which bring others; and a circle that comes back with another extra.
#[test]
fn extras_bring_all_that_they_ask_for() {
    let repository = DeclaredSet::new()
        .wanted(
            "apple 1.0 [all, jam, juice, pit]",
            &[
                "apple[jam]; extra == 'juice'",
                "apple[juice]; extra == 'all'",
                "banana",
                "cherry; extra == 'jam'",
                "damson; extra == 'pit'",
            ],
        )
        .automatic("banana 1.0", &["apple[pit]"])
        .automatic("cherry 1.0", &[])
        .automatic("damson 1.0", &[])
        .build();
    insta::assert_snapshot!(text(&repository, &["apple[all]"]), @r"
    apple[all] 1.0
    |-- banana 1.0
    |   `-- apple[pit] 1.0 (cycle)
    `-- cherry 1.0 [extra: jam]
    ");
    // A project that is named twice is one.
    insta::assert_snapshot!(text(&repository, &["apple[juice]", "apple[pit]"]), @r"
    apple[juice,pit] 1.0
    |-- banana 1.0
    |   `-- apple[pit] 1.0 (cycle)
    |-- cherry 1.0 [extra: jam]
    `-- damson 1.0 [extra: pit]
    ");
    // Whoever asks for one of two extras does not ask for both.
    assert_eq!(
        text(&repository, &["-i", "apple[jam,pit]"]),
        "apple[jam,pit] 1.0\n"
    );
}

#[test]
fn platforms_are_named_as_waivers_name_them() {
    let repository = rich().build();
    for linux in ["manylinux_2_28_x86_64", "cp312-manylinux_2_28_x86_64"] {
        let text = text(&repository, &["--platform", linux]);
        assert!(!text.contains("elder"), "{text}");
    }
    let one = text(&repository, &["--platform", "cp312-manylinux_2_28_x86_64"]);
    assert!(one.contains("fig 1.0 [extra: pit]\n"), "{one}");
    let both = text(&repository, &["--platform", "win_amd64,cp313"]);
    assert!(
        both.contains("elder (>=5) [only: cp312, cp313 on win_amd64]"),
        "{both}"
    );
    let newest = text(&repository, &["--platform", "cp313"]);
    assert!(!newest.contains("fig"), "{newest}");
    let run = tree(&repository, &["--platform", "win_amd46"]).expect(ExitStatus::Usage);
    assert!(
        run.stderr.contains("did you mean `win_amd64`?"),
        "{}",
        run.stderr
    );
}

/// A wheel of this project for one system, with keys of its own.
fn wheel(project: &str, system: &str, keys: &str) -> String {
    let cid = content_id(&format!("{project}-{system}"));
    format!(
        "[[wheel]]\nsource = \"https://example.org/{project}-py3-none-{system}.whl\"\n\
         content-id = \"{cid}\"\n{keys}\n"
    )
}

/// Wheels that differ in what they state or have: a requirement is told once, on all platforms of
/// those that state it, and what is wrong with it on one of them is told, though the others have
/// what it asks for.
#[test]
fn what_wheels_say_each_for_itself_is_put_together() {
    let (linux, windows) = ("manylinux_2_17_x86_64", "win_amd64");
    let bare = "extras = []\ndependencies = []";
    let needs = |more: &str| {
        format!("extras = []\ndependencies = [\"banana\", \"damson\", \"elder[pit]\"{more}]")
    };
    let pits = "extras = [\"pit\"]\ndependencies = []";
    let repository = DeclaredSet::new()
        .file(
            "declarations/apple.toml",
            &(wheel("apple-1.0", linux, &needs(", \"fig\""))
                + &wheel("apple-1.0", windows, &needs(""))),
        )
        .automatic("banana 2.0", &[])
        .file(
            "declarations/damson.toml",
            &wheel("damson-1.0", windows, bare),
        )
        .file(
            "declarations/elder.toml",
            &(wheel("elder-1.0", linux, pits) + &wheel("elder-1.0", windows, bare)),
        )
        .automatic("fig 1.0", &[])
        .build();
    insta::assert_snapshot!(text(&repository, &["apple"]), @r"
    apple 1.0
    |-- banana 2.0
    |-- damson 1.0 [unmet: no usable wheel]
    |-- elder[pit] 1.0 [unmet: no extra `pit` in the set]
    `-- fig 1.0 [only: cp312, cp313 on manylinux_2_28_x86_64]
    ");
    // What is wrong elsewhere is not wrong on the platforms that are looked at.
    insta::assert_snapshot!(text(&repository, &["apple", "--platform", "win_amd64"]), @r"
    apple 1.0
    |-- banana 2.0
    |-- damson 1.0
    `-- elder[pit] 1.0 [unmet: no extra `pit` in the set]
    ");
    insta::assert_snapshot!(text(&repository, &["apple", "--platform", "manylinux_2_28_x86_64"]), @r"
    apple 1.0
    |-- banana 2.0
    |-- damson 1.0 [unmet: no usable wheel]
    |-- elder[pit] 1.0
    `-- fig 1.0
    ");
}

/// Several requirements of one project, and one under several extras.
#[test]
fn requirements_of_one_project_are_told_apart() {
    let (linux, windows) = ("manylinux_2_17_x86_64", "win_amd64");
    let bare = "extras = []\ndependencies = []";
    let seeds = "extras = [\"seed\"]\ndependencies = []";
    let repository = DeclaredSet::new()
        .wanted(
            "apple 1.0 [jam, juice, pit]",
            &[
                "banana>=1",
                "banana<3; sys_platform == 'win32'",
                "cherry; extra == 'jam' or extra == 'juice'",
                "cherry; extra == 'pit' and sys_platform == 'win32'",
                "damson>=2; sys_platform == 'linux'",
                "damson>=2; extra == 'pit'",
                "elder; python_version < '3.13'",
                "elder; sys_platform == 'win32'",
                "fig[seed]",
                "lemon; sys_platform == 'win32'",
                "lemon; extra == 'pit' and sys_platform == 'win32'",
                "mango; os_name == 'nt'",
                "mango; sys_platform == 'linux'",
            ],
        )
        .automatic("banana 2.0", &[])
        .automatic("cherry 1.0", &[])
        .file(
            "declarations/damson.toml",
            &wheel("damson-1.0", windows, bare),
        )
        .automatic("elder 1.0", &[])
        .file(
            "declarations/fig.toml",
            &(wheel("fig-1.0", linux, seeds) + &wheel("fig-1.0", windows, bare)),
        )
        .automatic("lemon 1.0", &[])
        .file(
            "declarations/mango.toml",
            &wheel("mango-1.0", windows, bare),
        )
        .build();
    insta::assert_snapshot!(text(&repository, &["apple"]), @r"
    apple 1.0
    |-- banana 2.0 (<3) [only: cp312, cp313 on win_amd64]
    |-- banana 2.0 (>=1)
    |-- cherry 1.0 [extra: jam, juice]
    |-- cherry 1.0 [extra: pit] [only: cp312, cp313 on win_amd64]
    |-- damson 1.0 (>=2) [only: cp312, cp313 on manylinux_2_28_x86_64] [unmet: another version is in the set]
    |-- damson 1.0 (>=2) [extra: pit] [unmet: another version is in the set]
    |-- elder 1.0 [only: cp312 on manylinux_2_28_x86_64; cp312, cp313 on win_amd64]
    |-- fig[seed] 1.0 [unmet: no extra `seed` in the set]
    |-- lemon 1.0 [only: cp312, cp313 on win_amd64]
    |-- lemon 1.0 [extra: pit] [only: cp312, cp313 on win_amd64]
    `-- mango 1.0 [unmet: no usable wheel]
    ");
}

#[test]
fn a_mistyped_name_is_answered_with_the_nearest() {
    let repository = rich().build();
    let run = tree(&repository, &["aple"]).expect(ExitStatus::Usage);
    assert_eq!(run.stdout, "");
    insta::assert_snapshot!(run.stderr, @r"
    error: `aple` is not in the set
    help: did you mean `apple`?
    ");
    for (name, words) in [
        ("apple>1", "write `apple`"),
        ("apple; os_name == 'nt'", "write `apple`"),
        ("zzz", "`ipwhl add zzz`"),
        ("-x-", "tip"),
        ("a b", "does not name a project"),
    ] {
        let run = tree(&repository, &[name]).expect(ExitStatus::Usage);
        assert!(run.stderr.contains(words), "{name}: {}", run.stderr);
    }
}

/// What can be read is shown, what cannot is named.
#[test]
fn a_declaration_that_cannot_be_read_does_not_hide_the_others() {
    let repository = DeclaredSet::new()
        .wanted("apple 1.0", &["banana", "cherry"])
        .automatic("banana 1.0", &[])
        .file("declarations/cherry.toml", "= = =\n")
        .build();
    let run = tree(&repository, &[]).expect(ExitStatus::Clean);
    insta::assert_snapshot!(run.stdout, @r"
    apple 1.0
    |-- banana 1.0
    `-- cherry [unmet: its declaration cannot be read]
    ");
    assert!(
        run.stderr.contains("the set has 1 error; `ipwhl check`"),
        "{}",
        run.stderr
    );
    let quiet = tree(&repository, &["--quiet", "cherry"]).expect(ExitStatus::Clean);
    assert_eq!(quiet.stderr, "");
    assert_eq!(quiet.stdout, "cherry [declaration cannot be read]\n");
    // Without a platform nothing is required anywhere, which is said.
    repository.write("ipwhl.toml", "[repository]\nformat = 1\nname = \"x\"\n");
    let run = tree(&repository, &["apple"]).expect(ExitStatus::Clean);
    assert_eq!(run.stdout, "apple 1.0\n");
    assert!(
        run.stderr.contains("no supported platform"),
        "{}",
        run.stderr
    );
}

fn drawing(repository: &BuiltRepository, arguments: &[&str]) -> Value {
    let line: Vec<&str> = arguments
        .iter()
        .chain(&["--format", "json"])
        .copied()
        .collect();
    serde_json::from_str(&text(repository, &line)).unwrap()
}

fn edges(drawing: &Value) -> Vec<String> {
    let edges = drawing["edges"].as_array().unwrap();
    edges
        .iter()
        .map(|edge| {
            format!(
                "{} {}",
                edge["from"].as_str().unwrap(),
                edge["to"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn json_has_nodes_and_edges() {
    let repository = rich().build();
    let drawn = drawing(&repository, &["apple[juice]", "--platform", "cp313"]);
    assert_eq!(drawn["roots"], json!(["apple"]));
    assert_eq!(
        drawn["nodes"][0],
        json!({"name": "apple", "version": "1.0", "wanted": true})
    );
    let names = drawn["nodes"].as_array().unwrap().iter();
    let names: Vec<&str> = names.map(|node| node["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "apple", "banana", "cherry", "damson", "elder", "grape", "lemon"
        ]
    );
    assert_eq!(
        drawn["nodes"][4],
        json!({"name": "elder", "version": null, "wanted": false})
    );
    assert_eq!(
        drawn["edges"][2],
        json!({
            "from": "apple", "to": "damson", "requirement": "damson; extra == \"juice\"",
            "extra": "juice", "unmet": null,
            "platforms": ["cp313-manylinux_2_28_x86_64", "cp313-win_amd64"],
        })
    );
    let elder = &drawn["edges"][3];
    assert_eq!(elder["unmet"], "missing-dependency");
    assert_eq!(elder["platforms"], json!(["cp313-win_amd64"]));
    assert_eq!(
        edges(&drawn),
        [
            "apple banana",
            "apple cherry",
            "apple damson",
            "apple elder",
            "banana grape",
            "cherry damson",
            "cherry grape",
            "grape cherry",
            "grape lemon",
        ]
    );
}

/// Signs that mean something in these languages.
fn awkward() -> BuiltRepository {
    DeclaredSet::new()
        .wanted(
            "apple 1.0+a.1",
            &[
                "banana!=1,<2",
                "cherry @ https://example.org/a\"b#c\\d|e;f%5D-->{g}`<h>&x.whl",
            ],
        )
        .automatic("banana 1!0.5", &[])
        .build()
}

#[test]
fn dot_and_mermaid_escape_what_they_must() {
    let repository = awkward();
    insta::assert_snapshot!("awkward_dot", text(&repository, &["--format", "dot"]));
    insta::assert_snapshot!(
        "awkward_mermaid",
        text(&repository, &["--format", "mermaid"])
    );
    let repository = rich().build();
    insta::assert_snapshot!("rich_dot", text(&repository, &["--format", "dot"]));
    insta::assert_snapshot!("rich_mermaid", text(&repository, &["--format", "mermaid"]));
}

/// What Graphviz documents of its language, as far as it is used: each line is a statement whose
/// strings are closed and hold no bare quote.
#[test]
fn dot_is_of_its_grammar() {
    fn string(rest: &str) -> Option<&str> {
        let mut signs = rest.strip_prefix('"')?.char_indices();
        loop {
            match signs.next()? {
                (_, '\\') => {
                    signs.next()?;
                }
                (at, '"') => return Some(&rest[at + 2..]),
                _ => {}
            }
        }
    }
    fn statement(line: &str) -> Option<()> {
        let mut rest = string(line)?;
        if let Some(target) = rest.strip_prefix(" -> ") {
            rest = string(target)?;
        }
        rest = string(rest.strip_prefix(" [label=")?)?;
        while let Some(attribute) = rest.strip_prefix(", ") {
            let end = attribute.find([',', ']'])?;
            let (name, value) = attribute[..end].split_once('=')?;
            let is_word = |word: &str| word.chars().all(|sign| sign.is_ascii_lowercase());
            (is_word(name) && is_word(value)).then_some(())?;
            rest = &attribute[end..];
        }
        (rest == "];").then_some(())
    }
    for repository in [awkward(), rich().build()] {
        let text = text(&repository, &["--format", "dot"]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "digraph ipwhl {");
        assert_eq!(lines[lines.len() - 1], "}");
        assert!(lines.len() > 5);
        for line in &lines[3..lines.len() - 1] {
            assert!(statement(line.trim()).is_some(), "{line}");
        }
    }
}

/// Two to the power of sixty ways, and a line for each requirement.
#[test]
fn a_ladder_is_as_long_as_it_has_requirements() {
    let repository = ladder(60).build();
    let text = text(&repository, &[]);
    assert_eq!(text.lines().count(), 1 + 2 + 59 * 4 + 2);
    let drawn = drawing(&repository, &[]);
    assert_eq!(edges(&drawn).len(), 2 + 59 * 4 + 2);
}
