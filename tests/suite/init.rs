//! What a folder gets that becomes a repository, without the program.

use std::fs;
use std::path::Path;

use ipwhl::foundation::failure::{Failure, FailureKind};
use ipwhl::set::init::{
    Forge, InitPlace, InitRequest, InstallCommand, NewFile, SortedFiles, carrying_files,
};
use ipwhl::set::repository::{Folders, Repository};

use crate::support::in_process::environment;

fn folders(current: &Path) -> Folders {
    Folders::new(environment(current), None)
}

fn request(folders: &Folders) -> InitRequest<'_> {
    InitRequest {
        folders,
        directory: None,
        name: None,
        pythons: &[],
        systems: &[],
        forges: &[],
        is_carrying: false,
    }
}

/// Does all that is asked for; the name that was chosen, and what was done.
fn run(request: &InitRequest<'_>) -> Result<(Option<String>, InitPlace, SortedFiles), Failure> {
    let place = request.place()?;
    let (name, files) = request.files(&place, None)?;
    let sorted = request.sort(&place, files)?;
    place.write_all(&sorted.new)?;
    Ok((name, place, sorted))
}

fn paths(files: &[NewFile]) -> Vec<&'static str> {
    files.iter().map(|file| file.path).collect()
}

#[test]
fn a_repository_and_later_its_ci() {
    let folder = tempfile::tempdir().unwrap();
    let folders = folders(folder.path());
    let named = InitRequest {
        directory: Some(Path::new("our wheels")),
        ..request(&folders)
    };
    let (name, place, done) = run(&named).unwrap();
    assert_eq!(name.as_deref(), Some("our wheels"));
    assert!(!place.is_repository && done.kept.is_empty());
    assert_eq!(paths(&done.new).last(), Some(&"ipwhl.toml"));
    let repository = Repository::load(&place.directory).unwrap();
    assert!(!repository.has_errors());
    assert_eq!(repository.configuration.name, "our wheels");

    let failure = run(&named).unwrap_err();
    assert!(
        failure.message.contains("is a repository already"),
        "{failure:?}"
    );
    let mut ci = InitRequest {
        forges: &[Forge::GitLab],
        ..named
    };
    let (name, place, done) = run(&ci).unwrap();
    assert!(name.is_none() && place.is_repository);
    assert_eq!(paths(&done.new), [".gitlab-ci.yml"]);
    assert!(done.new[0].has_install_line());
    // Written already; then in the way.
    assert_eq!(
        run(&ci).unwrap().2,
        SortedFiles {
            kept: vec![],
            new: vec![]
        }
    );
    fs::write(place.directory.join(".gitlab-ci.yml"), "mine").unwrap();
    let failure = run(&ci).unwrap_err();
    assert!(
        failure
            .message
            .contains("`our wheels/.gitlab-ci.yml` is there already"),
        "{failure:?}"
    );
    ci.name = Some("another");
    let failure = run(&ci).unwrap_err();
    assert!(
        failure.message.contains("are for a new repository"),
        "{failure:?}"
    );
}

#[test]
fn files_of_somebody_else_stay() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".gitignore"), "mine").unwrap();
    let folders = folders(folder.path());
    let (_, place, done) = run(&request(&folders)).unwrap();
    assert_eq!(paths(&done.kept), [".gitignore"]);
    assert_eq!(
        fs::read(place.directory.join(".gitignore")).unwrap(),
        b"mine"
    );
}

#[test]
fn what_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let here = folders(folder.path());
    let usage = |request: &InitRequest<'_>, words: &str| {
        let failure = run(request).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Usage, "{failure:?}");
        assert!(failure.message.contains(words), "{failure:?}");
    };
    let mut wrong = request(&here);
    wrong.name = Some(" ");
    usage(&wrong, "cannot name a repository");
    let tags = ["cp3".to_owned(), "windows".to_owned()];
    let mut wrong = request(&here);
    wrong.pythons = &tags[..1];
    usage(&wrong, "cp3");
    let mut wrong = request(&here);
    wrong.systems = &tags[1..];
    usage(&wrong, "windows");
    fs::write(folder.path().join("file"), "").unwrap();
    let mut wrong = request(&here);
    wrong.directory = Some(Path::new("file"));
    usage(&wrong, "is a file");
    let named = Folders::new(environment(folder.path()), Some(Path::new("one")));
    let mut wrong = request(&named);
    wrong.directory = Some(Path::new("two"));
    usage(&wrong, "is named twice");
    // Nothing of it is there.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    run(&request(&here)).unwrap();
    let inside = folders(&folder.path().join("declarations"));
    usage(&request(&inside), "inside the repository");
}

#[test]
fn a_folder_that_carries_a_set() {
    let files = carrying_files("settings".to_owned());
    assert_eq!(paths(&files), [".gitignore", "ipwhl.toml"]);
    assert_eq!(files[1].text, "settings");
    assert!(!files[1].may_stay);
}

#[test]
fn how_ci_installs_the_program() {
    let hash = "0".repeat(64);
    let commit = "A".repeat(40);
    for (text, part) in [
        (
            "pip install ./ipwhl.whl",
            "pip install ./ipwhl.whl".to_owned(),
        ),
        (
            &format!("git+https://example.org/ipwhl@{commit}"),
            format!("--rev {} ipwhl", commit.to_ascii_lowercase()),
        ),
        (
            &format!("https://example.org/ipwhl.tar.gz#sha256={hash}"),
            format!("echo \"{hash}  download\" | sha256sum --check"),
        ),
    ] {
        let command = InstallCommand::parse(text).unwrap();
        assert!(command.as_str().contains(&part), "{}", command.as_str());
    }
    for text in [
        "",
        "cargo install ipwhl",
        "a\nb",
        "git+https://example.org/ipwhl@main",
        "git+https://user:secret@example.org/ipwhl",
        "https://example.org/ipwhl",
        &format!("https://example.org/ipwhl.zip#sha256={hash}"),
    ] {
        let failure = InstallCommand::parse(text).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Usage, "{text}: {failure:?}");
    }
}
