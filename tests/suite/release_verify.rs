//! The verification of a release, without the program: each kind of contradiction is found, and has
//! its words.

use std::collections::BTreeMap;
use std::io::Cursor;

use ipwhl::foundation::diagnostic::Code;
use ipwhl::release::archive::ArchiveKind;
use ipwhl::release::tree::ReleaseJsonError;
use ipwhl::release::verify::{
    Contradiction, FileContradiction, PageFormat, ProjectFile, ReleaseJsonContradiction, Total,
    VerifyError, WheelFact, verify_archive,
};
use ipwhl_packaging::wheel::ProblemKind;
use ipwhl_unixfs::car::{CarError, CarReader};
use ipwhl_unixfs::{Profile, Sha256Digest};

use crate::dag::file_dag;
use crate::support::in_process::{BuiltRelease, open, tree_of_files, without};
use crate::support::workshop::{installable, installable_from};

type Files = BTreeMap<String, Vec<u8>>;

const PROFILE: Profile = Profile::UnixfsV1_2025;
const WHEEL: &str = "application-1.0-py3-none-any.whl";
const OTHER: &str = "library-2.1.post1-py3-none-any.whl";
const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const HTML: ProjectFile = ProjectFile::Page(PageFormat::Html);
const JSON: ProjectFile = ProjectFile::Page(PageFormat::Json);
const DECLARATION: ProjectFile = ProjectFile::Declaration;

/// The release of two projects that everything is changed in.
fn release() -> BuiltRelease {
    BuiltRelease::of(&installable_from(None))
}

fn verify(files: &Files, allowed: &[Code]) -> Vec<Contradiction> {
    let archive = tree_of_files(files).build(PROFILE).car();
    let reader = CarReader::open(Cursor::new(archive)).unwrap();
    verify_archive(&reader, allowed).unwrap().contradictions
}

fn replace(files: &mut Files, path: &str, from: &str, to: &str) {
    let text = String::from_utf8(files[path].clone()).unwrap();
    assert!(text.contains(from), "no `{from}` in {text}");
    files.insert(path.to_owned(), text.replace(from, to).into_bytes());
}

fn of_application(file: ProjectFile, contradiction: FileContradiction) -> Contradiction {
    Contradiction::File {
        project: "application".to_owned(),
        file,
        contradiction,
    }
}

fn other(file: ProjectFile, fact: WheelFact) -> Contradiction {
    let wheel = WHEEL.to_owned();
    of_application(file, FileContradiction::Other { fact, wheel })
}

/// The upload times on the pages are those of the declarations, in a release with and without them.
#[test]
fn upload_times_are_those_of_the_declarations() {
    let with_time = installable_from(None)
        .format_2()
        .change("application", |application| {
            application.set("uploaded", "2023-08-17T17:29:11Z")
        });
    let with_time = BuiltRelease::of(&with_time).files;
    assert_eq!(verify(&with_time, &[]), []);
    let without = release().files;
    let (html, json) = ("application/index.html", "application/index.v1_json");
    let time = "2023-08-17T17:29:11.000000Z";
    let attribute = format!(" data-upload-time=\"{time}\"");
    let key = format!("\"upload-time\": \"{time}\",");
    let later = |text: &str| text.replace(":11.", ":12.");
    let no_time = |text: &str| text.replace(time, "yesterday");
    for (files, page, from, to, is_read) in [
        (&with_time, html, attribute.as_str(), String::new(), true),
        (&with_time, html, &attribute, later(&attribute), true),
        (&with_time, html, &attribute, no_time(&attribute), true),
        (
            &without,
            html,
            " data-core",
            format!("{attribute} data-core"),
            true,
        ),
        (
            &without,
            html,
            " data-core",
            format!("{} data-core", no_time(&attribute)),
            false,
        ),
        (&with_time, json, &key, String::new(), true),
        (&with_time, json, &key, later(&key), true),
        (&with_time, json, &key, no_time(&key), true),
        (&without, json, "\"size\"", format!("{key} \"size\""), true),
        (
            &without,
            json,
            "\"size\"",
            format!("{} \"size\"", no_time(&key)),
            false,
        ),
    ] {
        let mut files = files.clone();
        replace(&mut files, page, from, &to);
        let found = verify(&files, &[]);
        let file = if page == html { HTML } else { JSON };
        let expected = if is_read {
            other(file, WheelFact::UploadTime)
        } else {
            of_application(file, FileContradiction::OtherUploadTimes)
        };
        assert!(found.contains(&expected), "{page}: {to}: {found:#?}");
        assert!(expected.to_string().contains("upload time"));
    }
}

/// One change of a release, and what it has to be found as, with the words for it.
type Case<'c> = (Box<dyn Fn(&mut Files) + 'c>, Contradiction, String);

fn assert_found(cases: Vec<Case<'_>>) {
    let whole = release().files;
    assert_eq!(verify(&whole, &[]), []);
    for (change, expected, words) in cases {
        let mut files = whole.clone();
        change(&mut files);
        let found = verify(&files, &[]);
        assert!(found.contains(&expected), "no {expected:?} in {found:#?}");
        assert_eq!(expected.to_string(), words);
    }
}

fn remove<'c>(path: &'c str) -> Box<dyn Fn(&mut Files) + 'c> {
    Box::new(move |files| files.retain(|name, _| !name.starts_with(path)))
}

fn write<'c>(path: &'c str, bytes: &'c [u8]) -> Box<dyn Fn(&mut Files) + 'c> {
    Box::new(move |files| {
        files.insert(path.to_owned(), bytes.to_vec());
    })
}

fn change<'c>(path: &'c str, from: &'c str, to: &'c str) -> Box<dyn Fn(&mut Files) + 'c> {
    Box::new(move |files| replace(files, path, from, to))
}

#[test]
fn the_top() {
    let stated = |total, stated, found| {
        Contradiction::ReleaseJson(ReleaseJsonContradiction::OtherTotal {
            total,
            stated,
            found,
        })
    };
    let about = "_ipwhl/release.json";
    assert_found(vec![
        (
            remove("index.html"),
            Contradiction::MissingRootPage(PageFormat::Html),
            "the release has no `index.html`".to_owned(),
        ),
        (
            remove("library/"),
            Contradiction::OtherProjects(PageFormat::Json),
            "`index.v1_json` does not list the projects of the release".to_owned(),
        ),
        (
            remove("_ipwhl/"),
            Contradiction::MissingReleaseFolder,
            "the release has no folder `_ipwhl`".to_owned(),
        ),
        (
            Box::new(|files| {
                let body = files.remove("_ipwhl/release.json").unwrap();
                files.insert("_ipwhl/stray".to_owned(), body);
            }),
            Contradiction::MissingReleaseJson,
            "_ipwhl/release.json is missing".to_owned(),
        ),
        (
            write("_ipwhl/stray", b"x"),
            Contradiction::UnknownFile {
                folder: "_ipwhl".to_owned(),
                file: "stray".to_owned(),
            },
            "_ipwhl/stray is not a file of a release".to_owned(),
        ),
        (
            write("stray", b"x"),
            Contradiction::ProjectIsFile {
                project: "stray".to_owned(),
            },
            "`stray` is a file, not a project's folder".to_owned(),
        ),
        (
            change(about, "\"wheels\": 2", "\"wheels\": 3"),
            stated(Total::Wheels, 3, 2),
            "_ipwhl/release.json: it has 3 wheels, but the release has 2".to_owned(),
        ),
        (
            change(about, "\"projects\": 2", "\"projects\": 1"),
            stated(Total::Projects, 1, 2),
            "_ipwhl/release.json: it has 1 projects, but the release has 2".to_owned(),
        ),
        (
            change(about, "\"format\": 1", "\"format\": 3, \"new\": 1"),
            Contradiction::ReleaseJson(ReleaseJsonContradiction::Unknown(
                ReleaseJsonError::UnknownFormat("3".to_owned()),
            )),
            "_ipwhl/release.json: its format is 3, but this program reads 2 and older ones".to_owned(),
        ),
        (
            write(about, b"{"),
            Contradiction::ReleaseJson(ReleaseJsonContradiction::Unknown(
                ReleaseJsonError::Unreadable(
                    "EOF while parsing an object at line 1 column 1".to_owned(),
                ),
            )),
            "_ipwhl/release.json: it cannot be read: EOF while parsing an object at line 1 column 1"
                .to_owned(),
        ),
    ]);
    let file = tree_of_files(&Files::new());
    assert!(matches!(
        verify_archive(&open(&file.build(PROFILE).car()), &[]),
        Ok(report) if !report.contradictions.contains(&Contradiction::RootIsFile)
    ));
    let file = crate::kubo::file("no tree").build(PROFILE).car();
    let report = verify_archive(&open(&file), &[]).unwrap();
    assert_eq!(report.contradictions, [Contradiction::RootIsFile]);
    assert_eq!(
        Contradiction::RootIsFile.to_string(),
        "the release is a file, not a tree"
    );
}

#[test]
fn the_files_of_a_project() {
    let [_, library] = installable();
    let library = library.build();
    let (project, wheel) = ("application".to_owned(), WHEEL.to_owned());
    let metadata = format!("application/{WHEEL}.metadata");
    let second = format!("application/{OTHER}");
    let missing = |file: ProjectFile| {
        let words = format!("application/{} is missing", file.file_name());
        let project = project.clone();
        (Contradiction::MissingFile { project, file }, words)
    };
    let paths = ProjectFile::ALL.map(|file| format!("application/{}", file.file_name()));
    let mut cases: Vec<Case<'_>> = Vec::new();
    for (file, path) in ProjectFile::ALL.into_iter().zip(&paths) {
        let (contradiction, words) = missing(file);
        cases.push((remove(path), contradiction, words));
    }
    cases.extend([
        (
            remove(&metadata),
            Contradiction::MissingMetadata {
                project: project.clone(),
                wheel: wheel.clone(),
            },
            format!("{metadata} is missing"),
        ),
        (
            write(&metadata, b"Metadata-Version: 2.1\n"),
            Contradiction::OtherMetadata { project, wheel },
            format!("{metadata} differs from METADATA of the wheel"),
        ),
        (
            write(&second, &library),
            of_application(HTML, FileContradiction::NotListed(OTHER.to_owned())),
            format!("application/index.html: it does not list `{OTHER}`"),
        ),
        (
            write(&second, &library),
            of_application(
                DECLARATION,
                FileContradiction::NotDeclared(OTHER.to_owned()),
            ),
            format!("application/declaration.toml: it does not declare `{OTHER}`"),
        ),
    ]);
    assert_found(cases);
    // What is wrong with an archive is for the reader of archives to say.
    let mut files = release().files;
    let whole = files[&format!("application/{WHEEL}")].clone();
    let at = whole
        .windows(7)
        .position(|part| part == b"version")
        .unwrap();
    let mut damaged = whole;
    damaged[at] = b'V';
    files.insert(format!("application/{WHEEL}"), damaged);
    let found = verify(&files, &[]);
    let is_damage = |one: &&Contradiction| {
        matches!(one, Contradiction::InvalidWheel { project, wheel, problem }
            if project == "application" && wheel == WHEEL && problem.kind == ProblemKind::InvalidArchive)
    };
    let damage = found.iter().find(is_damage).expect("a damaged archive");
    assert!(
        damage
            .to_string()
            .starts_with(&format!("application/{WHEEL}: ")),
        "{damage}"
    );
}

#[test]
fn a_page() {
    let bytes = installable()[0].build();
    let sha256 = Sha256Digest::of(&bytes).to_string();
    let metadata = Sha256Digest::of(&installable()[0].metadata_bytes()).to_string();
    let core = format!("data-core-metadata=\"sha256={metadata}\"");
    let dist_info = format!("data-dist-info-metadata=\"sha256={metadata}\"");
    let (no_core, no_dist_info) = (
        core.replace(&metadata, ZEROS),
        dist_info.replace(&metadata, ZEROS),
    );
    let size = format!("\"size\": {}", bytes.len());
    let content_id = file_dag(PROFILE, &bytes).cid().to_string();
    let another = file_dag(PROFILE, b"other").cid().to_string();
    let (html, json) = ("application/index.html", "application/index.v1_json");
    let wheel = || WHEEL.to_owned();
    let said =
        |file: ProjectFile, words: &str| format!("application/{}: {words}", file.file_name());
    assert_found(vec![
        (
            change(html, &sha256, ZEROS),
            other(HTML, WheelFact::Sha256),
            said(HTML, &format!("it has another SHA-256 of `{WHEEL}`")),
        ),
        (
            change(html, &core, &no_core),
            other(HTML, WheelFact::MetadataSha256),
            said(
                HTML,
                &format!("it has another SHA-256 of the metadata of `{WHEEL}`"),
            ),
        ),
        (
            change(html, &dist_info, &no_dist_info),
            of_application(HTML, FileContradiction::OtherDistInfoMetadata),
            said(
                HTML,
                "it has another SHA-256 of metadata in `data-dist-info-metadata`",
            ),
        ),
        (
            change(html, "&gt;=3.8", "&gt;=3.9"),
            other(HTML, WheelFact::RequiresPython),
            said(
                HTML,
                &format!("it has another Requires-Python of `{WHEEL}`"),
            ),
        ),
        (
            change(html, "href=\"app", "href=\"../library/app"),
            of_application(HTML, FileContradiction::LeadsElsewhere(wheel())),
            said(
                HTML,
                &format!("its address of `{WHEEL}` refers to another place"),
            ),
        ),
        (
            change(html, "<a ", "<a data-yanked=\"\" "),
            of_application(HTML, FileContradiction::Yanked(wheel())),
            said(HTML, &format!("it says that `{WHEEL}` was yanked")),
        ),
        (
            change(html, "</body>", "<textarea></textarea></body>"),
            of_application(HTML, FileContradiction::UnknownTags),
            said(
                HTML,
                "it has tags that pages of this format do not have, and readers may interpret them \
                 differently",
            ),
        ),
        (
            change(json, &size, "\"size\": 1"),
            other(JSON, WheelFact::Size),
            said(JSON, &format!("it has another size of `{WHEEL}`")),
        ),
        (
            change(json, &content_id, &another),
            other(JSON, WheelFact::ContentId),
            said(JSON, &format!("it has another content-id of `{WHEEL}`")),
        ),
        (
            change(
                json,
                "\"filename\": \"application-1.0",
                "\"filename\": \"application-1.1",
            ),
            of_application(
                JSON,
                FileContradiction::ListsMissing("application-1.1-py3-none-any.whl".to_owned()),
            ),
            said(
                JSON,
                "it lists `application-1.1-py3-none-any.whl`, which is missing",
            ),
        ),
        (
            change(json, "\"name\": \"application\"", "\"name\": \"other\""),
            of_application(
                JSON,
                FileContradiction::OtherProject("\"other\"".to_owned()),
            ),
            said(JSON, "it is of the project \"other\""),
        ),
        (
            change(json, "\"1.0\"", "\"2.0\""),
            of_application(JSON, FileContradiction::OtherVersions),
            said(JSON, "it lists other versions than those of the wheels"),
        ),
    ]);
    let mut files = release().files;
    files.insert(json.to_owned(), b"[".to_vec());
    assert!(verify(&files, &[]).iter().any(|one| matches!(
        one,
        Contradiction::File {
            file: JSON,
            contradiction: FileContradiction::UnreadablePage(_),
            ..
        }
    )));
}

#[test]
fn a_declaration() {
    let path = "application/declaration.toml";
    let said = |words: &str| format!("{path}: {words}");
    let renamed = "application-1.1-py3-none-any.whl";
    assert_found(vec![
        (
            change(path, "application-1.0-py3", "application-1.1-py3"),
            of_application(
                DECLARATION,
                FileContradiction::DeclaresMissing(renamed.to_owned()),
            ),
            said(&format!("it declares `{renamed}`, which is missing")),
        ),
        (
            write(path, b"\xff"),
            of_application(DECLARATION, FileContradiction::NotText),
            said("it is not text"),
        ),
    ]);
    let library = release().files["library/declaration.toml"].clone();
    assert_found(vec![(
        write(path, &library),
        of_application(
            DECLARATION,
            FileContradiction::DeclaresForeign(OTHER.to_owned()),
        ),
        said(&format!(
            "it declares `{OTHER}`, a wheel of another project"
        )),
    )]);
}

/// Findings keep their codes, and those that a reader allows pass.
#[test]
fn a_finding_has_its_code_and_may_be_allowed() {
    let mut files = release().files;
    let path = "application/declaration.toml";
    replace(&mut files, path, "\"library>=2\"", "\"library>=3\"");
    let codes = |found: &[Contradiction]| -> Vec<Code> {
        let of = |one: &Contradiction| match one {
            Contradiction::File {
                contradiction: FileContradiction::Finding(finding),
                ..
            } => finding.code,
            other => panic!("{other}"),
        };
        found.iter().map(of).collect()
    };
    let found = verify(&files, &[]);
    assert_eq!(codes(&found), [Code::DependenciesMismatch; 2]);
    assert_eq!(
        found[0].to_string(),
        format!("{path}: `{WHEEL}` requires `library>=2`, which is not declared")
    );
    assert_eq!(verify(&files, &[Code::DependenciesMismatch]), []);
}

#[test]
fn a_part_of_a_release() {
    let release = release();
    let report = verify_archive(&open(&release.hollow), &[]).unwrap();
    assert_eq!(report.survey.kind, ArchiveKind::Hollow);
    assert_eq!((report.count.projects, report.count.wheels), (2, 2));
    assert_eq!(report.contradictions, []);
    let report = verify_archive(&open(&release.archive), &[]).unwrap();
    assert_eq!(report.survey.kind, ArchiveKind::Full);
    let bytes = installable().map(|wheel| wheel.build().len() as u64);
    assert_eq!(report.count.bytes, Some(bytes.iter().sum()));
    let page = file_dag(PROFILE, &release.files["application/index.html"]).cid();
    let delta = without(&release.archive, &|cid| *cid == page);
    let error = verify_archive(&open(&delta), &[]).unwrap_err();
    assert!(matches!(error, VerifyError::Incomplete(survey) if survey.lacking[0].cid == page));
    // A byte that is not as its CID says.
    let mut damaged = release.archive;
    let at = damaged.windows(9).position(|part| part == b"name = \"l");
    damaged[at.unwrap()] ^= 1;
    let error = verify_archive(&open(&damaged), &[]).unwrap_err();
    assert!(
        matches!(error, VerifyError::Archive(CarError::Mismatch(_))),
        "{error:?}"
    );
}
