//! Sets of awkward shapes, large enough that work which grows faster than the set does not end. The
//! deadlines only say that it did.

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::time::Duration;

use ipwhl::command::ExitStatus;
use ipwhl::foundation::diagnostic::MessageFormat;
use ipwhl::set::graph::{Graph, Relation, Removals};
use ipwhl::set::repository::Repository;
use ipwhl_packaging::ProjectName;

use crate::dag::Seeded;
use crate::support::content_id;
use crate::support::declared_set::{DeclaredSet, ladder};
use crate::support::program::{Program, Run};
use crate::support::repository_builder::{BuiltRepository, RepositoryBuilder};

/// What a run of the program comes to, if it ends in a time in which the work is done many times
/// over.
#[track_caller]
fn run(repository: &BuiltRepository, line: &str) -> Run {
    let folder = repository.path().to_path_buf();
    let words: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let _ = sender.send(Program::new(&folder).run(&words));
    });
    receiver
        .recv_timeout(Duration::from_mins(3))
        .unwrap_or_else(|_| panic!("`ipwhl {line}` does not end"))
}

/// Each requires the next one; somebody wants the first.
fn chain(length: usize) -> DeclaredSet {
    (0..length).fold(DeclaredSet::new(), |set, number| {
        let next = format!("p{:05}", number + 1);
        let requires = if number + 1 < length {
            vec![next.as_str()]
        } else {
            Vec::new()
        };
        let project = format!("p{number:05} 1.0");
        if number == 0 {
            set.wanted(&project, &requires)
        } else {
            set.automatic(&project, &requires)
        }
    })
}

#[test]
fn a_long_chain_is_removed_from_either_end() {
    let repository = chain(8_000).build();
    let refused = run(&repository, "remove p07999").expect(ExitStatus::Findings);
    assert!(
        refused.stderr.ends_with(
            "help: 7999 more projects need it: `ipwhl tree --invert p07999` shows them\n"
        ),
        "{}",
        refused.stderr
    );
    // Those that someone wants are enough to be named where the others go by themselves.
    let refused =
        run(&repository, "remove --with-dependencies p07999").expect(ExitStatus::Findings);
    assert!(
        refused.stderr.ends_with(
            "help: to remove the projects that need it, too: `ipwhl remove p00000 p07999`\n"
        ),
        "{}",
        refused.stderr
    );
    let all = run(&repository, "remove --dry-run --with-dependencies p00000");
    assert_eq!(all.stderr.matches("would remove ").count(), 8_000);
    let kept = run(&repository, "remove --dry-run --keep-needed p00001 p07999");
    assert_eq!(
        kept.stderr,
        "kept p00001 1.0: needed by p00000\nkept p07999 1.0: needed by p07998\n"
    );
    let one = run(&repository, "remove --dry-run p00000").expect(ExitStatus::Clean);
    assert!(
        one.stderr
            .ends_with("p00008 and 7991 more: `ipwhl check` names each\n"),
        "{}",
        one.stderr
    );
}

#[test]
fn a_long_chain_is_walked_and_drawn() {
    let repository = chain(8_000).build();
    let tree = run(&repository, "tree").expect(ExitStatus::Clean);
    let lines: Vec<&str> = tree.stdout.lines().collect();
    assert_eq!(lines.len(), 65);
    assert!(lines[64].ends_with("-- p00064 1.0 (...)"), "{}", lines[64]);
    assert_eq!(
        tree.stderr,
        "note: the tree is cut at a depth of 64, below 1 line; `--depth N` shows more\n"
    );
    let deep = run(&repository, "tree --depth 100").expect(ExitStatus::Clean);
    assert_eq!(deep.stdout.lines().count(), 101);
    assert_eq!(deep.stderr, "");
    let json = run(&repository, "tree --format json").expect(ExitStatus::Clean);
    assert_eq!(json.stdout.matches("\"name\"").count(), 8_000);
    let why = run(&repository, "why p07999").expect(ExitStatus::Clean);
    assert!(
        why.stdout.starts_with(
            "p07999 1.0 is automatic; 1 path leads to it:\n  p00000 1.0 -> p00001 -> "
        ),
        "{:.200}",
        why.stdout
    );
    assert_eq!(why.stdout.matches(" -> ").count(), 7_999);
    run(&repository, "check").expect(ExitStatus::Clean);
    let list = run(&repository, "list").expect(ExitStatus::Clean);
    assert_eq!(list.stdout.lines().count(), 8_000);
}

/// Everyone requires everyone else: each requirement is a line, and each project is opened once.
#[test]
fn a_clique_has_a_line_for_each_requirement() {
    let names: Vec<String> = (0..300).map(|number| format!("p{number:03}")).collect();
    let set = names.iter().fold(DeclaredSet::new(), |set, name| {
        let others: Vec<&str> = names
            .iter()
            .map(String::as_str)
            .filter(|other| other != name)
            .collect();
        let project = format!("{name} 1.0");
        if name == "p000" {
            set.wanted(&project, &others)
        } else {
            set.automatic(&project, &others)
        }
    });
    let repository = set.build();
    let tree = run(&repository, "tree").expect(ExitStatus::Clean);
    assert_eq!(tree.stdout.lines().count(), 1 + 300 * 299);
    let widest = tree.stdout.lines().map(str::len).max().unwrap();
    assert!(widest < 64 * 4 + 40, "{widest}");
    let why = run(&repository, "why p299").expect(ExitStatus::Clean);
    assert!(
        why.stdout.contains("\n  p000 1.0 -> p299\n"),
        "{}",
        why.stdout
    );
    assert!(why.stdout.contains("at least"), "{}", why.stdout);
    run(&repository, "remove p001").expect(ExitStatus::Findings);
}

/// As many paths as nobody could walk: they are counted, and of all the first are shown.
#[test]
fn all_paths_of_a_layered_set_are_the_first_and_a_number() {
    const WIDTH: usize = 12;
    let layer = |number: usize| -> Vec<String> {
        if number == WIDTH {
            return vec!["end".to_owned()];
        }
        (0..WIDTH)
            .map(|one| format!("l{number:02}-{one:02}"))
            .collect()
    };
    let requires = |number: usize| layer(number);
    let mut set = DeclaredSet::new().automatic("end 1.0", &[]);
    for number in 0..WIDTH {
        let next = requires(number + 1);
        let next: Vec<&str> = next.iter().map(String::as_str).collect();
        for name in layer(number) {
            set = set.automatic(&format!("{name} 1.0"), &next);
        }
    }
    let first = layer(0);
    let first: Vec<&str> = first.iter().map(String::as_str).collect();
    let repository = set.wanted("start 1.0", &first).build();
    let all = run(&repository, "why --all end").expect(ExitStatus::Clean);
    let lines: Vec<&str> = all.stdout.lines().collect();
    // A path has 14 projects, and all that are shown together no more than a million.
    let shown = 1_000_000 / 14;
    assert_eq!(
        lines[0],
        "end 1.0 is automatic; 8916100448256 paths lead to it:"
    );
    assert_eq!(lines.len(), 1 + shown + 1);
    assert!(
        lines[1].starts_with("  start 1.0 -> l00-00 -> l01-00 -> "),
        "{}",
        lines[1]
    );
    assert!(
        lines[2].ends_with("-> l10-00 -> l11-01 -> end"),
        "{}",
        lines[2]
    );
    assert_eq!(
        lines[1 + shown],
        format!("  and {} more", 8_916_100_448_256 - shown as u64)
    );
    assert_eq!(
        all.stderr,
        format!("note: only the first {shown} paths are shown\n")
    );
    let tree = run(&repository, "tree").expect(ExitStatus::Clean);
    assert_eq!(
        tree.stdout.lines().count(),
        1 + WIDTH + WIDTH * WIDTH * (WIDTH - 1) + WIDTH
    );
}

/// Long paths are found, the shortest first, though no list of lengths is short.
#[test]
fn long_paths_of_several_lengths_are_found() {
    let repository = ladder(1_500)
        .wanted("other 1.0", &["left-1499", "right-1499"])
        .build();
    let why = run(&repository, "why end").expect(ExitStatus::Clean);
    let lines: Vec<&str> = why.stdout.lines().collect();
    assert_eq!(lines[1], "  other 1.0 -> left-1499 -> end");
    assert_eq!(lines[2], "  other 1.0 -> right-1499 -> end");
    assert!(
        lines[3].starts_with("  start 1.0 -> left-000 -> "),
        "{:.80}",
        lines[3]
    );
    assert_eq!(lines.len(), 1 + 10 + 1);
}

/// All require a version of one project that the set does not have.
#[test]
fn a_hub_that_all_require_wrongly_is_one_finding() {
    let set = (0..3_000).fold(
        DeclaredSet::new().automatic("hub 1.0", &[]),
        |set, number| set.wanted(&format!("p{number:04} 1.0"), &["hub>=2"]),
    );
    let repository = set.build();
    let check = run(&repository, "check --offline").expect(ExitStatus::Findings);
    assert_eq!(check.stderr.matches("error[").count(), 1);
    assert!(
        check
            .stderr
            .contains("but 3000 projects require another version")
    );
    assert!(
        check.stderr.contains("3000 errors"),
        "{:.2000}",
        check.stderr
    );
}

/// Where each of a chain misses something, the way to it is said in a few words.
#[test]
fn a_long_way_is_said_in_a_few_words() {
    let length = 1_500;
    let set = (0..length).fold(DeclaredSet::new(), |set, number| {
        let (next, missing) = (format!("p{:05}", number + 1), format!("m{number:05}"));
        let mut requires = vec![missing.as_str()];
        if number + 1 < length {
            requires.push(&next);
        }
        let project = format!("p{number:05} 1.0");
        if number == 0 {
            set.wanted(&project, &requires)
        } else {
            set.automatic(&project, &requires)
        }
    });
    let repository = set.build();
    let json = run(&repository, "check --offline --message-format json");
    let findings = json.findings();
    assert_eq!(findings.len(), length);
    let note = |number: usize| findings[number]["notes"].to_string();
    assert!(
        note(20).contains(
            "dependency path: p00000 (wanted) -> p00001 -> p00002 -> p00003 -> p00004 -> p00005 -> \
             p00006 -> (8 more) -> p00015 "
        ),
        "{}",
        note(20)
    );
    assert!(note(12).contains("-> p00006 -> p00007 -> "), "{}", note(12));
    assert!(!note(1_400).contains("dependency path"), "{}", note(1_400));
}

/// Removals of all kinds from sets made by chance: what is found at once is what taking one step
/// after the other comes to.
#[test]
fn removals_are_those_that_single_steps_come_to() {
    const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let (mut with_kept, mut with_requirers, mut with_left_over) = (0, 0, 0);
    for seed in 0..60 {
        let chance = Seeded::bytes(&format!("removals {seed}"), 400);
        let mut chance = chance.iter().map(|byte| usize::from(*byte));
        let mut chance = |below: usize| chance.next().unwrap() % below;
        let set = NAMES.iter().fold(DeclaredSet::new(), |set, name| {
            let requires: Vec<&str> = NAMES
                .iter()
                .copied()
                .filter(|other| other != name && chance(5) == 0)
                .collect();
            let project = format!("{name} 1.0");
            if chance(3) == 0 {
                set.wanted(&project, &requires)
            } else {
                set.automatic(&project, &requires)
            }
        });
        let built = set.build();
        let repository = Repository::load(built.path()).unwrap();
        let graph = Graph::new(&repository);
        let removals = Removals::new(&repository, graph.relations());
        for _ in 0..10 {
            let named: BTreeSet<ProjectName> = NAMES
                .iter()
                .filter(|_| chance(3) == 0)
                .map(|name| name.parse().unwrap())
                .collect();
            for with_dependencies in [false, true] {
                let broken = |named: &BTreeSet<ProjectName>| -> Vec<&Relation<'_>> {
                    removals.removal(named, with_dependencies).broken
                };
                let (mut left, mut kept) = (named.clone(), BTreeSet::new());
                while let Some(relation) = broken(&left).first() {
                    let name = &relation.requirement.name;
                    left.remove(name);
                    kept.insert(name.clone());
                }
                let found = removals.still_needed(&named, with_dependencies);
                assert_eq!(found, kept, "{seed} {named:?} {with_dependencies}");
                let mut all = named.clone();
                while let Some(relation) = broken(&all).first() {
                    all.insert(relation.from.project.clone());
                }
                let found = removals.with_requirers(&named, with_dependencies);
                assert!(broken(&found).is_empty(), "{seed} {named:?}");
                assert!(found.is_superset(&named));
                if !with_dependencies {
                    assert_eq!(found, all, "{seed} {named:?}");
                }
                with_kept += usize::from(!kept.is_empty());
                with_requirers += usize::from(all.len() > named.len());
                let outcome = removals.removal(&named, with_dependencies);
                with_left_over += usize::from(!outcome.left_over.is_empty());
            }
        }
    }
    assert!(
        with_kept > 100 && with_requirers > 100 && with_left_over > 100,
        "{with_kept} {with_requirers} {with_left_over}"
    );
}

/// Of a wanted project's neighbours none is told twice.
#[test]
fn a_project_that_is_kept_names_each_that_needs_it_once() {
    let repository = DeclaredSet::new()
        .wanted("apple 1.0", &["base>=0; sys_platform == 'linux'", "base<9"])
        .wanted("pear 1.0", &["base"])
        .automatic("base 1.0", &[])
        .build();
    let kept = run(&repository, "remove --dry-run --keep-needed base").expect(ExitStatus::Clean);
    assert_eq!(kept.stderr, "kept base 1.0: needed by apple, pear\n");
}

/// A file that somebody wrote to keep the program busy, as `declarations/p.toml`.
fn hostile(text: &str) -> BuiltRepository {
    assert!(text.len() <= 1 << 20, "{}", text.len());
    RepositoryBuilder::new()
        .file("declarations/p.toml", text)
        .build()
}

/// Numbered words as a list of TOML.
fn list(count: usize, word: impl Fn(usize) -> String) -> String {
    let words: Vec<String> = (0..count)
        .map(|number| format!("{:?}", word(number)))
        .collect();
    format!("[{}]", words.join(","))
}

fn declared(source: &str, extras: &str, dependencies: &str) -> String {
    let content_id = content_id(source);
    format!(
        "source = \"https://example.org/{source}\"\ncontent-id = \"{content_id}\"\n\
         extras = {extras}\ndependencies = {dependencies}\n"
    )
}

/// A declaration of wheels that share what stands at the top.
fn several(shared: &str, names: impl Iterator<Item = String>) -> String {
    let wheel = |name: String| {
        let content_id = content_id(&name);
        format!(
            "[[wheel]]\nsource = \"https://example.org/{name}\"\ncontent-id = \"{content_id}\"\n"
        )
    };
    shared.to_owned() + &names.map(wheel).collect::<String>()
}

const PURE: &str = "p-1.0-py3-none-any.whl";
const NOTHING: &str = "extras = []\ndependencies = []\n";

/// What is above a limit is one finding, which says the limit, in every format; nothing else is
/// said of the file.
#[test]
fn a_file_that_holds_too_much_is_one_finding() {
    let pure = |count: usize| (0..count).map(|build| format!("p-1.0-{build}a-py3-none-any.whl"));
    let numbered = |count, word: &str| list(count, |number| format!("{word}{number}"));
    for (text, message) in [
        (
            several(NOTHING, pure(1_999)),
            "the project has 1999 wheels; at most 500 are allowed",
        ),
        (
            declared(PURE, &numbered(80_000, "e"), "[]"),
            "`extras` has 80000 entries; a list has at most 10000",
        ),
        (
            declared(PURE, &numbered(9_000, "e"), "[]"),
            "the wheel has 9000 extras; at most 1000 are allowed",
        ),
        (
            declared(PURE, "[]", &numbered(80_000, "d")),
            "`dependencies` has 80000 entries; a list has at most 10000",
        ),
        (
            declared(PURE, "[]", &format!("[\"d{}\"]", ",>=1".repeat(100_000))),
            "this text has 400001 bytes; one value has at most 16384",
        ),
        (
            several(
                &format!("extras = []\ndependencies = {}\n", numbered(9_000, "d")),
                pure(400),
            ),
            "`p` has more than 20000 extras and dependencies, counting shared ones for each wheel",
        ),
        (
            declared(
                PURE,
                &numbered(400, "e"),
                &list(100, |number| format!("d{number}; extra != ''")),
            ),
            "`p` has more than 5000 extras with markers that compare `extra` by another operator than `==`",
        ),
    ] {
        let repository = hostile(&text);
        let json = run(&repository, "check --offline --message-format json");
        let findings = json.expect(ExitStatus::Findings).findings();
        assert_eq!(findings.len(), 1, "{message}");
        assert_eq!(findings[0]["code"], "too-large");
        assert_eq!(findings[0]["message"], message);
        for line in [
            "check --offline",
            "fmt --check",
            "fmt --diff",
            "list",
            "tree",
        ] {
            run(&repository, line);
        }
    }
}

/// Of more findings than are shown the others are one, and count: in the summary, in each format,
/// for the exit code.
#[test]
fn findings_beyond_the_limit_are_counted() {
    let missing = list(10_000, |number| format!("d{number}"));
    let unknown: Vec<String> = (0..9_000)
        .map(|number| format!("k{number} = 1\n"))
        .collect();
    let unknown = unknown.concat();
    let pure = declared(PURE, "[]", "[]");
    for (text, code, count) in [
        (declared(PURE, "[]", &missing), "missing-dependency", 10_000),
        (format!("{pure}{unknown}"), "unknown-key", 9_000),
        (
            declared(PURE, "[]", &"[1,2]".replace("1,2", &"1,".repeat(9_000))),
            "invalid-value",
            9_000,
        ),
    ] {
        let repository = hostile(&text);
        let json = run(&repository, "check --offline --message-format json");
        let json = json.expect(ExitStatus::Findings);
        let findings = json.findings();
        assert_eq!(findings.len(), 1_001, "{code}");
        assert!(
            findings[..1_000]
                .iter()
                .all(|finding| finding["code"] == code),
            "{code}"
        );
        assert_eq!(findings[1_000]["code"], "too-large");
        assert_eq!(findings[1_000]["count"], count - 1_000);
        assert!(
            json.stdout.contains(&format!("\"errors\":{count}")),
            "{code}"
        );
        let text = run(&repository, "check --offline");
        assert!(
            text.stderr.ends_with(&format!("{count} errors\n")),
            "{code}"
        );
        let more = format!("{} more findings of this file", count - 1_000);
        assert!(text.stderr.contains(&more), "{code}");
        for format in MessageFormat::ALL {
            let format = match format {
                // Seen above.
                MessageFormat::Text | MessageFormat::Json => continue,
                other => other.as_str(),
            };
            let run = run(
                &repository,
                &format!("check --offline --message-format {format}"),
            );
            let run = run.expect(ExitStatus::Findings);
            assert!(run.stdout.len() < 4_000_000, "{code} {format}");
            assert!(
                run.stdout.contains(&more) || run.stdout.contains("more do not fit"),
                "{code} {format}"
            );
        }
        for line in [
            "fmt --check",
            "fmt --diff",
            "list",
            "tree",
            "why p",
            "remove --dry-run p",
        ] {
            run(&repository, line);
        }
    }
}

/// What is just within the limits ends, in every shape that a file may have.
#[test]
fn a_file_within_the_limits_ends() {
    let native =
        |count: usize| (0..count).map(|number| format!("p-1.0-cp312-cp312-plat{number}.whl"));
    let pure = |count: usize| (0..count).map(|build| format!("p-1.0-{build}a-py3-none-any.whl"));
    let under = |count: usize| list(count, |number| format!("d{number}; extra == 'e{number}'"));
    let extras = |count: usize| list(count, |number| format!("e{number}"));
    let commented: Vec<String> = (0..9_000)
        .map(|number| format!("# c{number}\n\"d{number}\", # x\n"))
        .collect();
    let commented = commented.concat();
    let circle = list(1_000, |number| {
        format!("p[e{}]; extra == 'e{number}'", (number + 1) % 1_000)
    });
    for text in [
        several(NOTHING, pure(500)),
        several(NOTHING, native(500)),
        several(
            &format!(
                "extras = []\ndependencies = {}\n",
                list(40, |number| format!("p[e{number}]>={number}"))
            ),
            pure(500),
        ),
        declared(PURE, &extras(1_000), &under(1_000)),
        declared(PURE, &extras(1_000), &circle),
        declared(
            PURE,
            "[\"e\"]",
            &list(9_000, |number| format!("d{number}; extra == 'e'")),
        ),
        declared(PURE, "[]", &list(9_000, |number| format!("d>={number}"))),
        declared(PURE, "[]", &format!("[\n{commented}]")),
        format!("{}{}", "# c\n".repeat(200_000), declared(PURE, "[]", "[]")),
        "a = [\n".repeat(100_000),
        "extras = []\n".repeat(80_000),
    ] {
        let repository = hostile(&text);
        for line in ["check --offline", "fmt --diff", "list", "tree", "why p"] {
            run(&repository, line);
        }
    }
}

/// Each of a chain requires another version of the next: as many ways to a finding as projects.
#[test]
fn a_chain_of_wrong_requirements_ends() {
    let set = (0..5_000).fold(DeclaredSet::new(), |set, number| {
        let next = format!("p{:05}>=2", number + 1);
        let project = format!("p{number:05} 1.0");
        if number == 0 {
            set.wanted(&project, &[&next])
        } else {
            set.automatic(&project, &[&next])
        }
    });
    let repository = set.build();
    let json = run(&repository, "check --offline --message-format json");
    assert_eq!(json.expect(ExitStatus::Findings).findings().len(), 5_000);
}
