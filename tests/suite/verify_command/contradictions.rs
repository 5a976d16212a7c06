//! Releases whose every hash is right, and one thing is not as the rest says.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use ipwhl::release::archive::ReleaseArchive;
use ipwhl_unixfs::car::CarReader;
use ipwhl_unixfs::{Profile, Sha256Digest};

use crate::dag::file_dag;
use crate::kubo::Tree;
use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::workshop::{Workshop, files, installable, installable_from, pure};

const PROFILE: Profile = Profile::UnixfsV1_2025;

/// A folder as a tree that can be changed and archived, hashes and all.
pub fn tree_of(folder: &Path) -> Tree {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let tree = if entry.file_type().unwrap().is_dir() {
            tree_of(&entry.path())
        } else {
            Tree::File(fs::read(entry.path()).unwrap())
        };
        entries.push((name, tree));
    }
    Tree::Folder(entries)
}

/// What is changed in the tree, and what `verify` has to say of it.
struct Case {
    path: &'static str,
    change: Change,
    words: String,
}

enum Change {
    /// This part of a text, which is there, becomes another one.
    Replace(String, String),
    Write(Vec<u8>),
    Remove,
}

impl Case {
    fn apply(&self, tree: &Path) {
        let path = tree.join(self.path);
        match &self.change {
            Change::Replace(from, to) => {
                let text = fs::read_to_string(&path).unwrap();
                assert!(text.contains(from), "no `{from}` in {text}");
                fs::write(path, text.replace(from, to)).unwrap();
            }
            Change::Write(bytes) => {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, bytes).unwrap();
            }
            Change::Remove if path.is_dir() => fs::remove_dir_all(path).unwrap(),
            Change::Remove => fs::remove_file(path).unwrap(),
        }
    }
}

fn replace(path: &'static str, from: &str, to: &str, words: &str) -> Case {
    Case {
        path,
        change: Change::Replace(from.to_owned(), to.to_owned()),
        words: words.to_owned(),
    }
}

/// As [`replace`], of a page of a project; the words are said of that page.
fn on_page(path: &'static str, from: &str, to: &str, words: &str) -> Case {
    replace(path, from, to, &format!("{path}: {words}"))
}

fn write(path: &'static str, bytes: impl AsRef<[u8]>, words: &str) -> Case {
    Case {
        path,
        change: Change::Write(bytes.as_ref().to_vec()),
        words: words.to_owned(),
    }
}

fn remove(path: &'static str, words: &str) -> Case {
    Case {
        path,
        change: Change::Remove,
        words: words.to_owned(),
    }
}

/// Makes each change in a release of its own, and asks `verify`.
fn assert_named(cases: &[Case]) {
    let workshop = Workshop::with(&installable_from(None));
    workshop.build(&["--unsigned", "--tree", "tree"]);
    let whole = files(&workshop.repository().join("tree"));
    let mut missed = Vec::new();
    for case in cases {
        let other = Workshop::empty();
        let tree = other.path("tree");
        for (name, bytes) in &whole {
            let path = tree.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        case.apply(&tree);
        let car = tree_of(&tree).build(PROFILE).car();
        // The archive itself is sound.
        let reader = CarReader::open(Cursor::new(&car)).unwrap();
        reader.verify().unwrap();
        fs::write(other.path("changed.car"), car).unwrap();
        let ran = other.run(&["verify", "changed.car"]);
        if ran.code != Some(1) || !ran.error.contains(&case.words) || !ran.output.is_empty() {
            missed.push(format!("no `{}`: {:?} {}", case.words, ran.code, ran.error));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

const NAME: &str = "application-1.0-py3-none-any.whl";
const WHEEL: &str = "application/application-1.0-py3-none-any.whl";
const METADATA: &str = "application/application-1.0-py3-none-any.whl.metadata";
const HTML: &str = "application/index.html";
const JSON: &str = "application/index.v1_json";
const DECLARATION: &str = "application/declaration.toml";
const ABOUT: &str = "_ipwhl/release.json";
const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

fn wheel_bytes() -> Vec<u8> {
    installable()[0].build()
}

fn sha256() -> String {
    Sha256Digest::of(&wheel_bytes()).to_string()
}

fn metadata_sha256() -> String {
    Sha256Digest::of(&installable()[0].metadata_bytes()).to_string()
}

fn content_id(bytes: &[u8]) -> String {
    file_dag(PROFILE, bytes).cid().to_string()
}

#[test]
fn a_project_page_in_html() {
    let (sha256, metadata) = (sha256(), metadata_sha256());
    let core = format!("data-core-metadata=\"sha256={metadata}\"");
    let dist_info = format!("data-dist-info-metadata=\"sha256={metadata}\"");
    let requires = " data-requires-python=\"&gt;=3.8\"";
    let of_wheel = format!("it has another SHA-256 of `{NAME}`");
    let of_metadata = format!("it has another SHA-256 of the metadata of `{NAME}`");
    let of_python = format!("it has another Requires-Python of `{NAME}`");
    let elsewhere = format!("its address of `{NAME}` refers to another place");
    let hidden = beyond_title("title");
    let area = beyond_title("textarea");
    let strange = "it has tags that pages of this format do not have";
    let beyond = "<a href=\"https://example.org/application-9-py3-none-any.whl\">x</a></body>";
    assert_named(&[
        on_page(HTML, &sha256, ZEROS, &of_wheel),
        on_page(HTML, &format!("#sha256={sha256}"), "", &of_wheel),
        on_page(HTML, &core, &core.replace(&metadata, ZEROS), &of_metadata),
        on_page(HTML, &core, "data-core-metadata=\"true\"", &of_metadata),
        on_page(
            HTML,
            &dist_info,
            &dist_info.replace(&metadata, ZEROS),
            "it has another SHA-256 of metadata in `data-dist-info-metadata`",
        ),
        on_page(HTML, "&gt;=3.8", "&gt;=3.9", &of_python),
        on_page(HTML, requires, "", &of_python),
        on_page(HTML, "href=\"app", "href=\"../library/app", &elsewhere),
        on_page(
            HTML,
            "href=\"app",
            "href=\"https://example.org/app",
            &elsewhere,
        ),
        on_page(
            HTML,
            "<title>",
            "<base href=\"https://example.org/\"><title>",
            &elsewhere,
        ),
        on_page(
            HTML,
            "<a ",
            "<a data-yanked=\"\" ",
            &format!("it says that `{NAME}` was yanked"),
        ),
        on_page(
            HTML,
            "</body>",
            beyond,
            "it lists `application-9-py3-none-any.whl`, which is missing",
        ),
        // Text to a browser, a link to pip.
        on_page(HTML, "</body>", &hidden, strange),
        on_page(HTML, "</body>", &area, strange),
        on_page(
            HTML,
            "</body>",
            "<base href=\"https://example.org/\"></body>",
            strange,
        ),
        remove(HTML, "application/index.html is missing"),
    ]);
}

fn beyond_title(tag: &str) -> String {
    format!(
        "<{tag}><a href=\"https://example.org/application-9-py3-none-any.whl\">x</a></{tag}></body>"
    )
}

#[test]
fn a_project_page_in_json() {
    let size = format!("\"size\": {}", wheel_bytes().len());
    let named = |what: &str| format!("it has another {what} of `{NAME}`");
    assert_named(&[
        on_page(JSON, &sha256(), ZEROS, &named("SHA-256")),
        on_page(
            JSON,
            &metadata_sha256(),
            ZEROS,
            &named("SHA-256 of the metadata"),
        ),
        on_page(JSON, &size, "\"size\": 1", &named("size")),
        on_page(
            JSON,
            &content_id(&wheel_bytes()),
            &content_id(b"other"),
            &named("content-id"),
        ),
        on_page(JSON, ">=3.8", ">=3.9", &named("Requires-Python")),
        on_page(
            JSON,
            "\"url\": \"app",
            "\"url\": \"https://example.org/app",
            &format!("its address of `{NAME}` refers to another place"),
        ),
        on_page(
            JSON,
            "\"filename\": \"application-1.0",
            "\"filename\": \"application-1.1",
            "it lists `application-1.1-py3-none-any.whl`, which is missing",
        ),
        on_page(
            JSON,
            "\"name\": \"application\"",
            "\"name\": \"other\"",
            "it is of the project \"other\"",
        ),
        on_page(JSON, "\"1.0\"", "\"2.0\"", "it lists other versions"),
        on_page(JSON, "{", "[", "its JSON page cannot be read"),
        remove(JSON, "application/index.v1_json is missing"),
    ]);
}

#[test]
fn the_files_of_a_project() {
    let [application, library] = installable();
    // A letter of the module, which is stored as it is.
    let mut swapped = application.build();
    let at = swapped.windows(7).position(|part| part == b"version");
    swapped[at.unwrap()] = b'V';
    let own = format!("{WHEEL}: ");
    let stray = |path: &str| format!("{path} is not a file of a release");
    let additional = "application/library-2.1.post1-py3-none-any.whl";
    let unnamed = "index.html: it does not list `library-2.1.post1-py3-none-any.whl`";
    let undeclared = "declaration.toml: it does not declare `library-2.1.post1-py3-none-any.whl`";
    assert_named(&[
        write(WHEEL, swapped, &own),
        write(WHEEL, "no wheel at all", &own),
        remove(WHEEL, &format!("it lists `{NAME}`, which is missing")),
        remove(WHEEL, &format!("it declares `{NAME}`, which is missing")),
        write(additional, library.build(), unnamed),
        write(additional, library.build(), undeclared),
        write(
            METADATA,
            "Metadata-Version: 2.1\n",
            "differs from METADATA of the wheel",
        ),
        remove(METADATA, &format!("{METADATA} is missing")),
        write(
            "application/stray-1.0-py3-none-any.whl.metadata",
            "x",
            &stray("application/stray-1.0-py3-none-any.whl.metadata"),
        ),
        write(
            "application/stray.txt",
            "x",
            &stray("application/stray.txt"),
        ),
    ]);
}

#[test]
fn a_declaration() {
    let other = content_id(b"other");
    let named = |what: &str| format!("it has another {what} of `{NAME}`");
    let size = format!("size = {}", wheel_bytes().len());
    let path = DECLARATION;
    assert_named(&[
        on_page(path, &sha256(), ZEROS, &named("SHA-256")),
        on_page(
            path,
            &content_id(&wheel_bytes()),
            &other,
            &named("content-id"),
        ),
        on_page(path, &size, "size = 1", &named("size")),
        on_page(
            path,
            "application-1.0-py3",
            "application-1.1-py3",
            &format!("it does not declare `{NAME}`"),
        ),
        on_page(
            path,
            "requires-python = \">=3.8\"",
            "requires-python = \">=3.9\"",
            &format!("`{NAME}` has the Requires-Python `>=3.8`, but `>=3.9` is declared"),
        ),
        on_page(
            path,
            "\"library>=2\"",
            "\"library>=3\"",
            &format!("`{NAME}` requires `library>=2`, which is not declared"),
        ),
        on_page(
            path,
            "\"library>=2\"",
            "\"library>=3\"",
            &format!("`library>=3` is declared, but `{NAME}` does not require it"),
        ),
        on_page(
            path,
            "extras = []",
            "extras = [\"all\"]",
            &format!("`{NAME}` has no extra `all`"),
        ),
        on_page(path, "extras = []", "", "`extras`"),
        on_page(
            path,
            "\"library>=2\"",
            "\"library>==2\"",
            "`library>==2` is not a requirement",
        ),
        on_page(path, "extras = []", "extras = []\nextra = 1", "`extra`"),
        on_page(path, "source = ", "sauce = ", "`sauce` is not a key"),
        write(path, "automatic = true\n", &format!("{path}: ")),
        write(path, "[", &format!("{path}: ")),
        write(path, b"\xff", &format!("{path}: it is not text")),
        remove(path, &format!("{path} is missing")),
    ]);
}

#[test]
fn the_top_and_the_folder_about_the_release() {
    let listed = |page: &str| format!("`{page}` does not list the projects of the release");
    assert_named(&[
        remove("index.html", "the release has no `index.html`"),
        remove("index.v1_json", "the release has no `index.v1_json`"),
        remove("library", &listed("index.html")),
        remove("library", &listed("index.v1_json")),
        replace(
            "index.v1_json",
            "\"library\"",
            "\"libraries\"",
            &listed("index.v1_json"),
        ),
        replace(
            "index.html",
            "\"library/\"",
            "\"https://example.org/library/\"",
            &listed("index.html"),
        ),
        replace(
            "index.html",
            "<body>",
            "<body><A HREF=\"https://example.org/more/\">more</A>",
            &listed("index.html"),
        ),
        write("stray/index.html", "<html></html>", &listed("index.html")),
        write(
            "stray.txt",
            "x",
            "`stray.txt` is a file, not a project's folder",
        ),
        remove("_ipwhl", "the release has no folder `_ipwhl`"),
        write(
            "_ipwhl/stray.txt",
            "x",
            "_ipwhl/stray.txt is not a file of a release",
        ),
        on_page(
            ABOUT,
            "\"wheels\": 2",
            "\"wheels\": 3",
            "it has 3 wheels, but the release has 2",
        ),
        on_page(
            ABOUT,
            "\"format\": 1",
            "\"format\": 3",
            "its format is 3, but this program reads 2 and older ones",
        ),
        write(ABOUT, "{", "_ipwhl/release.json: it cannot be read"),
    ]);
}

/// Without the wheels' bytes there is less to compare, and what there is, is compared.
#[test]
fn a_hollow_archive() {
    let workshop = Workshop::with(&installable_from(None));
    workshop.build(&["--unsigned", "--tree", "tree"]);
    let whole = files(&workshop.repository().join("tree"));
    let other = content_id(b"other");
    let size = format!("size = {}", wheel_bytes().len());
    for case in [
        on_page(JSON, &sha256(), ZEROS, "it has another SHA-256"),
        on_page(
            HTML,
            "&gt;=3.8",
            "&gt;=3.9",
            "it has another Requires-Python",
        ),
        on_page(
            DECLARATION,
            &content_id(&wheel_bytes()),
            &other,
            "it has another content-id",
        ),
        on_page(DECLARATION, &size, "size = 1", "it has another size"),
        replace(
            DECLARATION,
            "library>=2",
            "library>=3",
            "which is not declared",
        ),
        write(
            METADATA,
            "Metadata-Version: 2.1\n",
            "it has another SHA-256 of the metadata",
        ),
        remove(METADATA, "is missing"),
        write(ABOUT, "{", "_ipwhl/release.json: it cannot be read"),
    ] {
        let other = Workshop::empty();
        let tree = other.path("tree");
        for (name, bytes) in &whole {
            let path = tree.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        case.apply(&tree);
        fs::write(
            other.path("changed.car"),
            tree_of(&tree).build(PROFILE).car(),
        )
        .unwrap();
        other.run(&["hollow", "changed.car"]).line();
        let ran = other.run(&["verify", "changed.hollow.car"]);
        ran.refused(1, &[&case.words]);
    }
}

/// What `--allow` let pass stands nowhere in the release, so a reader repeats it; a waiver stands
/// there.
#[test]
fn a_declaration_that_somebody_answers_for() {
    let workshop = Workshop::with(&installable_from(None));
    let declaration = workshop.repository().join("declarations/application.toml");
    let text = fs::read_to_string(&declaration).unwrap();
    let changed = text.replace("library>=2", "library>=1");
    assert_ne!(text, changed);
    fs::write(&declaration, changed).unwrap();
    let code = ["--allow", "dependencies-mismatch"];
    let verify = ["verify", "release/release.car"];
    workshop.build(&[&["--unsigned"], &code[..]].concat());
    workshop
        .run(&verify)
        .refused(1, &["`library>=1` is declared, but"]);
    workshop.run(&[&verify[..], &code[..]].concat()).line();
    let settings = workshop.repository().join("ipwhl.toml");
    let plain = fs::read_to_string(&settings).unwrap();
    let waiver = "\n[[waiver]]\ncode = \"dependencies-mismatch\"\nproject \
                  = \"application\"\nreason = \"tried\"\nexpires = 2999-01-01\n";
    fs::write(&settings, format!("{plain}{waiver}")).unwrap();
    workshop.build(&["--unsigned"]);
    workshop.run(&verify).line();
    // One requirement waived, and not the other.
    let narrow = format!("{waiver}requirement = \"library>=1\"\n");
    let both = format!("{narrow}{}", narrow.replace("library>=1", "library>=2"));
    fs::write(&settings, format!("{plain}{both}")).unwrap();
    workshop.build(&["--unsigned"]);
    workshop.run(&verify).line();
}

/// Whoever built it did not look at the names: on the platforms that the release is for, two
/// members are one file.
#[test]
fn names_that_are_one_place_on_a_platform_of_the_release() {
    let wheel = pure("plum", "1.0")
        .member("A.py", b"1")
        .member("a.py", b"2");
    let set = RepositoryBuilder::new()
        .platforms(&["cp312"], &["manylinux_2_28_x86_64"])
        .project(Project::wanted(wheel));
    let workshop = Workshop::with(&set);
    workshop.build(&["--unsigned", "--tree", "tree"]);
    workshop.run(&["verify", "release/release.car"]).line();
    let tree = workshop.repository().join("tree");
    replace(ABOUT, "manylinux_2_28_x86_64", "win_amd64", "").apply(&tree);
    let car = tree_of(&tree).build(PROFILE).car();
    fs::write(workshop.repository().join("changed.car"), car).unwrap();
    workshop.run(&["verify", "changed.car"]).refused(
        1,
        &["plum/declaration.toml: `plum-1.0-py3-none-any.whl`: `A.py` and `a.py` are one file on Windows"],
    );
}
