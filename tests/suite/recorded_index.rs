//! Sets that people want, solved with what an index said on one day. `ci/record-index` makes the
//! recording; `tests/recorded_index/README.md` describes it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use flate2::read::GzDecoder;
use ipwhl::foundation::failure::Failure;
use ipwhl::set::graph::Graph;
use ipwhl::set::repository::Repository;
use ipwhl::set::resolve::{
    Asked, COMMAND_LINE, Catalogue, PlatformSet, Policy, SolvedProject, Wish, solve,
};
use ipwhl::source::{CoreMetadataFile, IndexFile, ProjectPage};
use ipwhl_packaging::{
    CoreMetadata, ExtraName, MarkerEnvironment, ProjectName, Requirement, Truth, WheelFileName,
    specifiers_contain,
};
use serde::Deserialize;

use crate::support::content_id;

const RECORDING: &str = "tests/recorded_index/six_sets.json.gz";

/// A wheel of a page: its name, Requires-Python, whether it was yanked, its size, and the time of its
/// upload to the minute.
type RecordedFile = (String, Option<String>, bool, Option<u64>, String);

/// What an index said.
#[derive(Deserialize)]
struct Recording {
    platforms: BTreeMap<String, Vec<String>>,
    sets: Vec<Vec<String>>,
    pages: BTreeMap<String, Option<Vec<RecordedFile>>>,
    /// By file name.
    metadata: BTreeMap<String, String>,
}

/// The recording, read once for all tests.
struct Recorded {
    platforms: BTreeMap<String, Vec<String>>,
    sets: Vec<Vec<String>>,
    pages: HashMap<String, Option<Arc<ProjectPage>>>,
    metadata: HashMap<String, String>,
    /// By project and version, a wheel whose metadata stands for that of the others.
    standing: HashMap<(String, String), String>,
}

static RECORDED: LazyLock<Recorded> = LazyLock::new(Recorded::read);

/// Project and version as a file name has them.
fn release(file_name: &str) -> (String, String) {
    let mut parts = file_name.split('-').map(ToOwned::to_owned);
    (parts.next().unwrap(), parts.next().unwrap())
}

impl Recorded {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(RECORDING);
        let mut text = String::new();
        let mut file = GzDecoder::new(std::fs::File::open(path).unwrap());
        file.read_to_string(&mut text).unwrap();
        let recording: Recording = serde_json::from_str(&text).unwrap();
        let pages = recording.pages.into_iter().map(|(project, files)| {
            let files = files.map(|files| files.into_iter().map(listed).collect());
            (
                project,
                files.map(|files| {
                    Arc::new(ProjectPage {
                        files,
                        ..ProjectPage::default()
                    })
                }),
            )
        });
        let names = recording.metadata.keys();
        let standing = names.map(|name| (release(name), name.clone())).collect();
        Self {
            platforms: recording.platforms,
            sets: recording.sets,
            pages: pages.collect(),
            metadata: recording.metadata.into_iter().collect(),
            standing,
        }
    }

    /// METADATA of a wheel, or of another one of the same version.
    fn text(&self, file_name: &str) -> Option<&str> {
        let other = || self.metadata.get(self.standing.get(&release(file_name))?);
        let text = self.metadata.get(file_name).or_else(other);
        text.map(String::as_str)
    }

    fn metadata(&self, file_name: &str) -> Result<Arc<CoreMetadata>, String> {
        let text = self.text(file_name).unwrap();
        CoreMetadata::parse(text.as_bytes())
            .map(Arc::new)
            .map_err(|reasons| reasons.join(", "))
    }
}

fn listed((file_name, requires_python, is_yanked, size, uploaded): RecordedFile) -> IndexFile {
    IndexFile {
        url: format!("https://example.org/{file_name}").parse().unwrap(),
        file_name,
        sha256: None,
        size,
        requires_python,
        yanked: is_yanked.then(String::new),
        uploaded: format!("{uploaded}:00Z").parse().ok(),
        core_metadata: CoreMetadataFile::Unverifiable,
        provenance: None,
    }
}

fn not_recorded(what: &str) -> Failure {
    Failure::world(format!(
        "the search asked for {what}, which is not recorded"
    ))
    .help("make the recording anew: `ci/record-index`")
}

impl Catalogue for Recorded {
    fn page(&self, project: &ProjectName) -> Result<Option<Arc<ProjectPage>>, Failure> {
        let page = self.pages.get(project.as_str()).cloned();
        page.ok_or_else(|| not_recorded(&format!("the page of {project}")))
    }

    fn metadata(&self, file: &IndexFile) -> Result<Result<Arc<CoreMetadata>, String>, Failure> {
        let name = &file.file_name;
        match self.text(name) {
            Some(_) => Ok(Recorded::metadata(self, name)),
            None => Err(not_recorded(&format!("METADATA of {name}"))),
        }
    }
}

/// A repository for the platforms of the recording, with these declarations.
fn repository(declarations: impl IntoIterator<Item = (ProjectName, String)>) -> Repository {
    let platforms = RECORDED.platforms.iter();
    let platforms: Vec<String> = platforms
        .map(|(key, values)| format!("{key} = {values:?}\n"))
        .collect();
    let settings = format!(
        "[repository]\nname = \"recorded\"\nformat = 1\n\n[platforms]\n{}",
        platforms.concat()
    );
    let declarations = declarations.into_iter();
    let files = declarations
        .map(|(project, text)| (format!("declarations/{project}.toml"), text.into_bytes()));
    let files = files.chain([("ipwhl.toml".to_owned(), settings.into_bytes())]);
    let repository = Repository::load_texts(Path::new("/nowhere"), files.collect()).unwrap();
    assert!(!repository.has_errors(), "{:?}", repository.findings);
    repository
}

/// A choice as a declaration: each wheel with the requirements of its own metadata.
fn declaration(project: &ProjectName, solved: &SolvedProject) -> String {
    let mut text = String::new();
    for file in &solved.files {
        let name = &file.file_name;
        let metadata = RECORDED.metadata(name).unwrap();
        let requires = metadata.requires_dist.iter();
        let requires: Vec<String> = requires
            .filter(|requirement| can_apply(requirement, &solved.extras))
            .map(ToString::to_string)
            .collect();
        let extras = solved.extras.iter();
        let extras: Vec<&str> = extras.map(ExtraName::as_str).collect();
        let _ = writeln!(
            text,
            "[[wheel]]\nsource = \"pkg:pypi/{project}@{}?file_name={name}\"\ncontent-id = \
             \"{}\"\nextras = {extras:?}\ndependencies = {requires:?}",
            solved.version,
            content_id(name)
        );
        if let Some(specifiers) = &metadata.requires_python {
            let _ = writeln!(text, "requires-python = \"{specifiers}\"");
        }
    }
    text
}

fn can_apply(requirement: &Requirement, extras: &BTreeSet<ExtraName>) -> bool {
    let unknown = MarkerEnvironment::unknown();
    let applies = |extra| {
        let marker = requirement.marker.as_ref();
        marker.is_none_or(|marker| marker.evaluate(&unknown, extra) != Truth::False)
    };
    applies(None) || extras.iter().any(|extra| applies(Some(extra)))
}

fn policy(set: &[String], platforms: usize) -> Policy {
    let asked = set.iter().map(|text| {
        let requirement: Requirement = text.parse().unwrap();
        let wishes = match requirement.constraint {
            ipwhl_packaging::Constraint::Specifiers(specifiers) => {
                vec![Wish::new(COMMAND_LINE, specifiers)]
            }
            ipwhl_packaging::Constraint::Url(_) => panic!("{text}"),
        };
        let asked = Asked {
            wishes,
            extras: requirement.extras,
            platforms: PlatformSet::first(platforms),
        };
        (requirement.name, asked)
    });
    Policy {
        asked: asked.collect(),
        ..Policy::default()
    }
}

/// Solves the set that begins with this project. The answer has so many projects, and holds in the
/// graph that checks use.
#[track_caller]
fn assert_solved(first: &str, projects: usize) {
    let set = RECORDED.sets.iter().find(|set| set[0] == first).unwrap();
    let empty = repository([]);
    let platforms = empty.configuration.platforms.len();
    assert_eq!(platforms, 12);
    let policy = policy(set, platforms);
    let solution = solve(&Graph::new(&empty), &*RECORDED, &policy);
    let solution = solution.unwrap_or_else(|failure| panic!("{set:?}: {failure:?}"));

    let changed = solution.changed.iter();
    let chosen = repository(
        changed.map(|(project, solved)| (project.clone(), declaration(project, solved))),
    );
    let graph = Graph::new(&chosen);
    let relations = graph.relations().iter();
    let unmet = relations.filter(|relation| relation.unsatisfied.is_some());
    let unmet = unmet.map(|one| format!("{}: {}", one.from.project, one.requirement));
    assert_eq!(unmet.collect::<Vec<_>>(), [""; 0]);
    for (project, asked) in &policy.asked {
        assert_eq!(graph.covered(project).len(), platforms, "{project}");
        let version = &solution.changed[project].version;
        let mut wishes = asked.wishes.iter();
        let fits = |wish: &Wish| specifiers_contain(&wish.specifiers, version);
        assert!(wishes.all(fits), "{project} {version}");
        assert!(asked.extras.is_subset(&solution.changed[project].extras));
    }
    // Each project has the wheels of one version, once.
    for (project, solved) in &solution.changed {
        let names = solved.files.iter().map(|file| &file.file_name);
        let unique: BTreeSet<&String> = names.collect();
        assert_eq!(unique.len(), solved.files.len(), "{project}");
        for name in unique {
            let name: WheelFileName = name.parse().unwrap();
            assert_eq!((name.name(), name.version()), (project, &solved.version));
        }
    }
    let names: Vec<&str> = solution.changed.keys().map(ProjectName::as_str).collect();
    assert_eq!(names.len(), projects, "{}", names.join(" "));
}

#[test]
fn kubernetes_and_selenium() {
    assert_solved("kubernetes", 38);
}

#[test]
fn apache_airflow() {
    assert_solved("apache-airflow", 132);
}

#[test]
fn langchain_openai_and_anthropic() {
    assert_solved("langchain", 44);
}

#[test]
fn dbt_core() {
    assert_solved("dbt-core", 59);
}

#[test]
fn apache_beam_and_dagster() {
    assert_solved("apache-beam", 72);
}

#[test]
fn an_older_sphinx_with_its_theme() {
    assert_solved("sphinx<8", 29);
}

/// The recording has nothing that tells where it was made.
#[test]
fn a_recording_has_no_address() {
    for (name, text) in &RECORDED.metadata {
        for line in text.lines() {
            let (field, value) = line.split_once(": ").unwrap();
            let is_known = ["Metadata-Version", "Name", "Version", "Requires-Python"];
            let is_known = is_known.contains(&field) || field == "Provides-Extra";
            assert!(is_known || field == "Requires-Dist", "{name}: {line}");
            assert!(!value.contains("://"), "{name}: {line}");
        }
    }
}
