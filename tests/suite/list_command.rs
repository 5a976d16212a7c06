//! `ipwhl list`, and what `--outdated` asks the index.

use ipwhl::command::ExitStatus;
use serde_json::{Value, json};

use crate::support::content_id;
use crate::support::declared_set::DeclaredSet;
use crate::support::loopback_index::{Answer, Hosted, LoopbackIndex};
use crate::support::program::{Program, Run};
use crate::support::repository_builder::{BuiltRepository, RepositoryBuilder};

fn list(repository: &BuiltRepository, arguments: &[&str]) -> Run {
    let line: Vec<&str> = ["list"].iter().chain(arguments).copied().collect();
    Program::new(repository.path()).run(&line)
}

/// The first columns of the lines.
#[track_caller]
fn names(repository: &BuiltRepository, arguments: &[&str]) -> Vec<String> {
    let run = list(repository, arguments).expect(ExitStatus::Clean);
    let first = |line: &str| line.split('\t').next().unwrap().to_owned();
    run.stdout.lines().map(first).collect()
}

/// As tools read it, and as people do.
#[test]
fn columns_are_plain_where_they_are_piped_and_aligned_on_a_terminal() {
    let repository = RepositoryBuilder::sound()
        .change("banana", |banana| banana.without_wheel("win_amd64"))
        .change("damson", |damson| damson.set("size", "123456789"))
        .build();
    let run = list(&repository, &[]).expect(ExitStatus::Clean);
    let sizes: Vec<&str> = run
        .stdout
        .lines()
        .map(|line| line.split('\t').nth(3).unwrap())
        .collect();
    let plain = run
        .stdout
        .replace(&format!("\t{}\t", sizes[0]), "\tAPPLE\t");
    let plain = plain.replace(&format!("\t{}\t", sizes[1]), "\tBANANA\t");
    let plain = plain.replace(&format!("\t{}\t", sizes[2]), "\tCHERRY\t");
    assert_eq!(
        plain,
        "apple\t1.0\t1\tAPPLE\twanted\t3\t0\tall 4 platforms\n\
         banana\t2.1\t2\tBANANA\tautomatic\t0\t1\tcp312, cp313 on manylinux_2_28_x86_64\n\
         cherry\t0.3\t1\tCHERRY\tautomatic\t1\t1\tall 4 platforms\n\
         damson\t5.0.1\t1\t123456789\tautomatic\t0\t2\tall 4 platforms\n"
    );
    let totals: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(totals.len(), 2, "{}", run.stderr);
    assert!(totals[0].contains("the set has"), "{}", run.stderr);
    assert!(
        totals[1].starts_with("4 projects (1 wanted), 5 wheels, "),
        "{}",
        run.stderr
    );
    let run = Program::new(repository.path())
        .on_terminal()
        .run(&["list", "damson", "banana"])
        .expect(ExitStatus::Clean);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(
        lines[0],
        "NAME    VERSION  WHEELS  SIZE        KIND       NEEDS  NEEDED BY  PLATFORMS"
    );
    assert_eq!(
        lines[2],
        "damson  5.0.1    1       117.74 MiB  automatic  0      2          all 4 platforms"
    );
    assert_eq!(lines.len(), 3);
}

fn fruit() -> DeclaredSet {
    let native = |tag: &str| {
        let cid = content_id(tag);
        format!(
            "[[wheel]]\nsource = \"https://example.org/fig-1.0-{tag}.whl\"\n\
             content-id = \"{cid}\"\n\
             extras = []\ndependencies = []\nsize = 5000\n"
        )
    };
    DeclaredSet::new()
        .wanted(
            "apple-tree 1.0",
            &["apple-seed>=1", "fig; sys_platform == 'linux'"],
        )
        .automatic("apple-seed 1.5", &["fig"])
        .wanted("banana 2.0", &[])
        .file(
            "declarations/fig.toml",
            &format!(
                "automatic = true\n{}{}",
                native("cp312-cp312-manylinux_2_17_x86_64"),
                native("cp313-cp313-manylinux_2_17_x86_64")
            ),
        )
}

#[test]
fn the_list_is_filtered_and_sorted() {
    let repository = fruit().build();
    for (arguments, expected) in [
        (&[][..], "apple-seed apple-tree banana fig"),
        (&["--wanted"], "apple-tree banana"),
        (&["--automatic"], "apple-seed fig"),
        (&["apple*"], "apple-seed apple-tree"),
        (&["Apple_?ree", "fig"], "apple-tree fig"),
        (&["*[dg]", "--automatic"], "apple-seed fig"),
        (&["--platform", "win_amd64"], "apple-seed apple-tree banana"),
        (&["--platform", "cp312"], "apple-seed apple-tree banana fig"),
        (&["--sort", "size"], "fig apple-seed apple-tree banana"),
        (&["--sort", "wheels"], "fig apple-seed apple-tree banana"),
        (&["--sort", "needs"], "apple-tree apple-seed banana fig"),
        (&["--sort", "needed-by"], "fig apple-seed apple-tree banana"),
        (&["--sort", "platforms"], "apple-seed apple-tree banana fig"),
        (&["--reverse"], "fig banana apple-tree apple-seed"),
    ] {
        assert_eq!(
            names(&repository, arguments).join(" "),
            expected,
            "{arguments:?}"
        );
    }
    for (arguments, words) in [
        (&["banan"][..], "did you mean `banana`?"),
        (&["x*"], "no project in the set matches `x*`"),
        (&["[a"], "is not a valid pattern"),
        (&["--platform", "cp31"], "did you mean `cp31"),
        (&["--sort", "sise"], "'size'"),
        (&["--wanted", "--automatic"], "cannot be used with"),
        (
            &["--outdated", "--offline"],
            "`--offline` does not use the network",
        ),
    ] {
        let run = list(&repository, arguments).expect(ExitStatus::Usage);
        assert!(run.stderr.contains(words), "{arguments:?}: {}", run.stderr);
        assert_eq!(run.stdout, "");
    }
}

/// What a project asks of itself is no need; a size that one wheel does not tell is not known.
#[test]
fn numbers_are_those_of_others_and_of_all_wheels() {
    let repository = fruit()
        .wanted("cherry 1.0 [pit]", &["cherry[pit]; extra == 'pit'"])
        .build();
    let fig = repository.read("declarations/fig.toml");
    repository.write(
        "declarations/fig.toml",
        fig.replacen("size = 5000\n", "", 1),
    );
    let run = list(&repository, &["cherry", "fig"]).expect(ExitStatus::Clean);
    assert_eq!(
        run.stdout,
        "cherry\t1.0\t1\t1000\twanted\t0\t0\tall 4 platforms\n\
         fig\t1.0\t2\t-\tautomatic\t0\t2\tcp312, cp313 on manylinux_2_28_x86_64\n"
    );
}

/// In the layout of a file for each wheel a project can be read in part: it is listed once, as far
/// as it is.
#[test]
fn what_can_be_read_in_part_is_listed_once() {
    let wheel = "source = \"https://example.org/fig-1.0-py3-none-any.whl\"\n\
         content-id = \"QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH\"\n\
         extras = []\ndependencies = []\n";
    let repository = RepositoryBuilder::new()
        .configuration_text("[repository]\nformat = 1\nname = \"example\"\nlayout = \"ipwhl-1\"\n")
        .file("SUPPORTED", "cp312 win_amd64\n")
        .file("pkgs/36/fig/fig-1.0-py3-none-any.toml", wheel)
        .file("pkgs/36/fig/fig-1.0-cp312-cp312-win_amd64.toml", "=")
        .build();
    assert_eq!(names(&repository, &[]), ["fig"]);
    assert_eq!(names(&repository, &["f*"]), ["fig"]);
}

#[test]
fn json_has_what_the_columns_have_and_who_it_is() {
    let repository = fruit().file("declarations/kiwi.toml", "=").build();
    let run = list(&repository, &["--format", "json", "-q"]).expect(ExitStatus::Clean);
    assert_eq!(run.stderr, "");
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let projects = document["projects"].as_array().unwrap();
    assert_eq!(projects.len(), 5);
    assert_eq!(
        projects[3],
        json!({
            "name": "fig", "version": "1.0", "wanted": false, "wheels": 2, "size": 10000,
            "platforms": ["cp312-manylinux_2_28_x86_64", "cp313-manylinux_2_28_x86_64"],
            "needs": [], "needed_by": ["apple-seed", "apple-tree"],
        })
    );
    assert_eq!(
        projects[4],
        json!({
            "name": "kiwi", "version": null, "wanted": null, "wheels": 0, "size": null,
            "platforms": [], "needs": [], "needed_by": [],
        })
    );
}

/// One whose text cannot be understood is listed as what it is.
#[test]
fn what_cannot_be_read_is_listed() {
    let repository = fruit().file("declarations/fig.toml", "=").build();
    let run = list(&repository, &["fig"]).expect(ExitStatus::Clean);
    assert_eq!(run.stdout, "fig\t-\t0\t-\tunreadable\t0\t0\t-\n");
    assert_eq!(names(&repository, &["--wanted"]), ["apple-tree", "banana"]);
    assert_eq!(names(&repository, &["b*"]), ["banana"]);
}

fn offer(index: &LoopbackIndex, project: &str, file_name: &str) {
    index.host(Hosted::new(project, file_name, b"never fetched"));
}

/// The newest that can be had, and the newest that is.
#[test]
fn outdated_says_what_fits_and_what_is_newest() {
    let index = LoopbackIndex::start();
    let repository = DeclaredSet::new()
        .wanted("apple 1.0", &["banana<3", "cherry"])
        .automatic("banana 2.0", &[])
        .automatic("cherry 1.0", &["fig!=1.1; sys_platform == 'linux'"])
        .automatic("fig 1.0", &[])
        .wanted("grape 1.0", &[])
        .wanted("lemon 1.0", &[])
        .wanted("own 1.0", &[])
        .build();
    // Not from an index: there, the name may be a stranger's.
    let own = repository.read("declarations/own.toml");
    let own = own.replace("pkg:pypi/own@1.0?file_name=", "https://example.org/");
    repository.write("declarations/own.toml", own);
    offer(&index, "own", "own-2.0-py3-none-any.whl");
    // Nothing newer: an older one, one that was yanked, one that is not final, no wheel, another's.
    for name in ["apple-0.9", "apple-1.0", "apple-2.0rc1"] {
        offer(&index, "apple", &format!("{name}-py3-none-any.whl"));
    }
    offer(&index, "apple", "apple-4.0.tar.gz");
    offer(&index, "apple", "pear-5.0-py3-none-any.whl");
    let mut yanked = Hosted::new("apple", "apple-3.0-py3-none-any.whl", b"");
    yanked.yanked = Some("broken".to_owned());
    index.host(yanked);
    // Newer, and not all of it is accepted.
    for name in ["banana-2.5", "banana-3.0"] {
        offer(&index, "banana", &format!("{name}-py3-none-any.whl"));
    }
    // Newer, and only for some of the platforms: that is enough where it is needed on these only.
    offer(&index, "cherry", "cherry-2.0-cp312-cp312-win_amd64.whl");
    offer(&index, "fig", "fig-1.1-py3-none-any.whl");
    offer(&index, "fig", "fig-1.2-py3-none-manylinux_2_17_x86_64.whl");
    // Not for every patch version of the interpreters.
    let mut python = Hosted::new("grape", "grape-2.0-py3-none-any.whl", b"");
    python.requires_python = Some(">=3.13".to_owned());
    index.host(python);
    let program = Program::new(repository.path()).index(&index.index_url());
    let run = program
        .run(&["list", "--outdated"])
        .expect(ExitStatus::Clean);
    assert_eq!(
        run.stdout,
        "banana\t2.0\t2.5\t3.0\n\
         cherry\t1.0\t-\t2.0\n\
         fig\t1.0\t1.2\t1.2\n\
         grape\t1.0\t-\t2.0\n"
    );
    assert!(
        run.stderr.contains("the index does not have lemon"),
        "{}",
        run.stderr
    );
    let note = "note: no `pkg:` source, so not looked up in the index: own\n";
    assert!(run.stderr.contains(note), "{}", run.stderr);
    assert!(!index.paths().contains(&"/simple/own/".to_owned()));
    let run = program
        .run(&["list", "--outdated", "own"])
        .expect(ExitStatus::Clean);
    assert_eq!(run.stdout, "own\t1.0\t2.0\t2.0\n");
    // Pages are enough: no wheel is fetched.
    assert!(
        index
            .paths()
            .iter()
            .all(|path| path.starts_with("/simple/"))
    );
    let run = program
        .run(&["list", "--outdated", "--format", "json", "banana", "apple"])
        .expect(ExitStatus::Clean);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["projects"].as_array().unwrap().len(), 1);
    assert_eq!(document["projects"][0]["newest"], "3.0");
    assert_eq!(document["projects"][0]["newest_fitting"], "2.5");
    let run = program
        .on_terminal()
        .run(&["list", "--outdated", "fig"])
        .expect(ExitStatus::Clean);
    assert_eq!(
        run.stdout,
        "NAME  VERSION  FITS  NEWEST\nfig   1.0      1.2   1.2\n"
    );
}

/// In format 2, what is too young does not fit, and a project needs wheels only where it is offered.
#[test]
fn outdated_minds_the_cooldown_and_where_a_project_is_offered() {
    let index = LoopbackIndex::start();
    let repository = DeclaredSet::new()
        .configuration("[index]\ncooldown = \"7 days\"\n")
        .wanted("apple 1.0", &[])
        .wanted("fig 1.0", &[])
        .build();
    for (path, before, after) in [
        ("ipwhl.toml", "format = 1", "format = 2"),
        (
            "declarations/fig.toml",
            "size = 1000\n",
            "size = 1000\nonly = 'sys_platform == \"win32\"'\n",
        ),
    ] {
        let text = repository.read(path);
        assert!(text.contains(before), "{text}");
        repository.write(path, text.replace(before, after));
    }
    let aged = |name: &str, file_name: &str, time: &str| {
        let mut hosted = Hosted::new(name, file_name, b"never fetched");
        hosted.uploaded = Some(time.to_owned());
        index.host(hosted);
    };
    aged(
        "apple",
        "apple-1.1-py3-none-any.whl",
        "2020-01-01T00:00:00Z",
    );
    aged(
        "apple",
        "apple-1.2-py3-none-any.whl",
        "2090-01-01T00:00:00Z",
    );
    aged(
        "fig",
        "fig-1.1-py3-none-win_amd64.whl",
        "2020-01-01T00:00:00Z",
    );
    let program = Program::new(repository.path()).index(&index.index_url());
    let run = program
        .run(&["list", "--outdated"])
        .expect(ExitStatus::Clean);
    assert_eq!(run.stdout, "apple\t1.0\t1.1\t1.2\nfig\t1.0\t1.1\t1.1\n");
}

/// A project that the index cannot be asked about hides none of the others.
#[test]
fn a_failing_index_is_told_per_project_and_makes_the_exit_code_three() {
    let index = LoopbackIndex::start();
    let mut set = DeclaredSet::new().wanted("apple 1.0", &[]);
    for name in ["banana", "cherry", "damson", "elder", "fig"] {
        set = set.wanted(&format!("{name} 1.0"), &[]);
        index.always(&format!("/simple/{name}/"), Answer::status("403 Forbidden"));
    }
    offer(&index, "apple", "apple-1.1-py3-none-any.whl");
    let repository = set.build();
    let program = Program::new(repository.path()).index(&index.index_url());
    let run = program
        .run(&["list", "--outdated"])
        .expect(ExitStatus::World);
    assert_eq!(run.stdout, "apple\t1.0\t1.1\t1.1\n");
    assert_eq!(run.stderr.matches("error: ").count(), 4, "{}", run.stderr);
    for words in [
        "error: banana: ",
        "403",
        "the requests for 2 more projects failed, too",
    ] {
        assert!(run.stderr.contains(words), "{words}\n{}", run.stderr);
    }
    let run = program
        .run(&["list", "--outdated", "-v"])
        .expect(ExitStatus::World);
    assert_eq!(run.stderr.matches("error: ").count(), 5, "{}", run.stderr);
    let run = program
        .run(&["show", "--outdated", "apple", "fig"])
        .expect(ExitStatus::World);
    assert!(run.stdout.contains("\nfig 1.0\n"), "{}", run.stdout);
    assert!(
        run.stdout.contains("1.1 is newer and fits the set"),
        "{}",
        run.stdout
    );
}
