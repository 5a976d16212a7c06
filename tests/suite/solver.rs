//! The solver against the checks: what it finds holds together, and where it finds nothing there is
//! nothing, as all combinations of small indexes show.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use ipwhl::foundation::failure::Failure;
use ipwhl::set::graph::Graph;
use ipwhl::set::repository::Repository;
use ipwhl::set::resolve::{
    Asked, COMMAND_LINE, Catalogue, ChangeKind, PlatformSet, Policy, Projects, Solution, Wish,
    one_by_one, solve,
};
use ipwhl::source::{CoreMetadataFile, IndexFile, ProjectPage};
use ipwhl_packaging::{CoreMetadata, ProjectName, Version, parse_specifiers};
use proptest::prelude::*;

const SETTINGS: &str = "[repository]\nname = \"oracle\"\nformat = 1\n\n[platforms]\npython = \
                        [\"cp312\", \"cp313\"]\nsystem = [\"manylinux_2_28_x86_64\", \
                        \"win_amd64\"]\n";

/// A version that an index offers.
#[derive(Debug, Clone)]
struct Release {
    version: &'static str,
    /// The tags of its wheels.
    tags: &'static [&'static str],
    requires_python: Option<&'static str>,
    requires: Vec<String>,
}

/// Releases by project.
#[derive(Debug, Clone, Default)]
struct Index(BTreeMap<String, Vec<Release>>);

fn name(text: &str) -> ProjectName {
    text.parse().unwrap()
}

impl Release {
    fn new(version: &'static str) -> Self {
        Self {
            version,
            tags: &["py3-none-any"],
            requires_python: None,
            requires: Vec::new(),
        }
    }

    fn requires(mut self, requirement: &str) -> Self {
        self.requires.push(requirement.to_owned());
        self
    }

    fn tags(mut self, tags: &'static [&'static str]) -> Self {
        self.tags = tags;
        self
    }

    fn metadata(&self, project: &str) -> String {
        let mut text = format!(
            "Metadata-Version: 2.1\nName: {project}\nVersion: {}\n",
            self.version
        );
        if let Some(specifiers) = self.requires_python {
            let _ = writeln!(text, "Requires-Python: {specifiers}");
        }
        text += "Provides-Extra: more\n";
        for requirement in &self.requires {
            let _ = writeln!(text, "Requires-Dist: {requirement}");
        }
        text
    }

    /// The text of a declaration of this release, with its extra or without it.
    fn declaration(&self, project: &str, has_extra: bool) -> String {
        let mut text = String::new();
        if let Some(specifiers) = self.requires_python {
            let _ = writeln!(text, "requires-python = \"{specifiers}\"");
        }
        let extras: &[&str] = if has_extra { &["more"] } else { &[] };
        let requires = self.requires.iter();
        let requires: Vec<&String> = requires
            .filter(|requirement| has_extra || !requirement.contains("extra =="))
            .collect();
        let _ = writeln!(text, "extras = {extras:?}\ndependencies = {requires:?}");
        for tag in self.tags {
            let file = format!("{project}-{}-{tag}.whl", self.version);
            let _ = writeln!(
                text,
                "[[wheel]]\nsource = \"pkg:pypi/{project}@{}?file_name={file}\"\ncontent-id = \
                 \"bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy\"",
                self.version
            );
        }
        text
    }
}

/// A choice: the version of each chosen project, and whether its extra is declared.
type Choice<'a> = BTreeMap<&'a str, (&'a str, bool)>;

impl Index {
    fn offer(mut self, project: &str, release: Release) -> Self {
        self.0.entry(project.to_owned()).or_default().push(release);
        self
    }

    fn release(&self, project: &str, version: &str) -> &Release {
        let releases = &self.0[project];
        releases.iter().find(|one| one.version == version).unwrap()
    }
}

impl Catalogue for Index {
    fn page(&self, project: &ProjectName) -> Result<Option<Arc<ProjectPage>>, Failure> {
        let Some(releases) = self.0.get(project.as_str()) else {
            return Ok(None);
        };
        let files = releases.iter().flat_map(|release| {
            release.tags.iter().map(move |tag| {
                let file_name = format!("{project}-{}-{tag}.whl", release.version);
                IndexFile {
                    url: format!("https://example.org/{file_name}").parse().unwrap(),
                    file_name,
                    sha256: None,
                    size: None,
                    requires_python: release.requires_python.map(ToOwned::to_owned),
                    yanked: None,
                    uploaded: None,
                    core_metadata: CoreMetadataFile::Absent,
                    provenance: None,
                }
            })
        });
        let files = files.collect();
        Ok(Some(Arc::new(ProjectPage {
            files,
            ..ProjectPage::default()
        })))
    }

    fn metadata(&self, file: &IndexFile) -> Result<Result<Arc<CoreMetadata>, String>, Failure> {
        let mut parts = file.file_name.split('-');
        let (project, version) = (parts.next().unwrap(), parts.next().unwrap());
        let text = self.release(project, version).metadata(project);
        Ok(CoreMetadata::parse(text.as_bytes())
            .map(Arc::new)
            .map_err(|reasons| reasons.join(", ")))
    }
}

/// A repository that declares these releases of an index.
fn repository(index: &Index, declared: &Choice<'_>) -> Repository {
    repository_of(index, declared, |_| true)
}

/// A repository that declares these releases of an index; those are automatic that are not wanted.
fn repository_of(
    index: &Index,
    declared: &Choice<'_>,
    is_wanted: impl Fn(&str) -> bool,
) -> Repository {
    let mut files = BTreeMap::from([("ipwhl.toml".to_owned(), SETTINGS.as_bytes().to_vec())]);
    for (project, (version, has_extra)) in declared {
        let release = index.release(project, version);
        let automatic = if is_wanted(project) {
            ""
        } else {
            "automatic = true\n"
        };
        let text = automatic.to_owned() + &release.declaration(project, *has_extra);
        files.insert(format!("declarations/{project}.toml"), text.into_bytes());
    }
    let repository = Repository::load_texts(Path::new("/nowhere"), files).unwrap();
    assert!(!repository.has_errors(), "{:?}", repository.findings);
    repository
}

fn policy(asked: &[(&str, &str)]) -> Policy {
    let asked = asked.iter().map(|(project, specifiers)| {
        let asked = Asked {
            wishes: match *specifiers {
                "" => Vec::new(),
                text => vec![Wish::new(COMMAND_LINE, parse_specifiers(text).unwrap())],
            },
            extras: BTreeSet::new(),
            platforms: PlatformSet::first(4),
        };
        (name(project), asked)
    });
    Policy {
        asked: asked.collect(),
        ..Policy::default()
    }
}

fn versions(solution: &Solution) -> BTreeMap<String, String> {
    let changed = solution.changed.iter();
    changed
        .map(|(project, solved)| (project.to_string(), solved.version.to_string()))
        .collect()
}

fn solved(index: &Index, declared: &[(&str, &str)], policy: &Policy) -> Result<String, Failure> {
    let declared = declared.iter();
    let declared = declared.map(|(project, version)| (*project, (*version, false)));
    let repository = repository(index, &declared.collect::<Choice<'_>>());
    let solution = solve(&Graph::new(&repository), index, policy)?;
    let versions = versions(&solution).into_iter();
    let versions = versions.map(|(project, version)| format!("{project} {version}"));
    Ok(versions.collect::<Vec<_>>().join(", "))
}

fn conflict(index: &Index, declared: &[(&str, &str)], policy: &Policy) -> String {
    let failure = solved(index, declared, policy).unwrap_err();
    format!("{}\nhelp: {}", failure.message, failure.help.unwrap())
}

#[test]
fn an_older_version_is_taken_where_the_newest_do_not_fit_together() {
    let index = Index::default()
        .offer("apple", Release::new("1.0").requires("fig"))
        .offer("apple", Release::new("2.0").requires("fig>=2"))
        .offer("plum", Release::new("1.0").requires("fig<2"))
        .offer("fig", Release::new("1.0"))
        .offer("fig", Release::new("2.0"));
    assert_eq!(
        solved(&index, &[], &policy(&[("apple", ""), ("plum", "")])).unwrap(),
        "apple 1.0, fig 1.0, plum 1.0"
    );
    // What is declared stays.
    assert_eq!(
        solved(&index, &[("fig", "1.0")], &policy(&[("apple", "")])).unwrap(),
        "apple 1.0"
    );
    let mut moving = policy(&[("apple", "==2.0")]);
    moving.moving = Projects::Named([name("fig")].into());
    assert_eq!(
        solved(&index, &[("fig", "1.0")], &moving).unwrap(),
        "apple 2.0, fig 2.0"
    );
}

#[test]
fn a_conflict_names_who_requires_what_and_the_way_out() {
    let index = Index::default()
        .offer("apple", Release::new("2.0").requires("fig>=2"))
        .offer("plum", Release::new("1.0").requires("fig<2"))
        .offer("other", Release::new("1.0"))
        .offer("fig", Release::new("1.0"))
        .offer("fig", Release::new("2.0"));
    let text = conflict(
        &index,
        &[],
        &policy(&[("apple", ""), ("plum", ""), ("other", "")]),
    );
    assert_eq!(
        text,
        "no versions satisfy all of these requirements:\n  \
         the command line asks for `apple`\n  \
         the command line asks for `plum`\n  \
         `apple` requires `fig>=2` (2.0)\n  \
         `plum` requires `fig<2` (1.0)\n  \
         no version of `fig` fits: 2.0: plum requires <2; 1.0: apple requires >=2\n\
         help: leave a project or an extra out, or choose another version of a requirer: `ipwhl add \
         NAME==VERSION`"
    );
    let text = conflict(&index, &[("fig", "1.0")], &policy(&[("apple", "")]));
    assert_eq!(
        text,
        "no versions satisfy all of these requirements:\n  \
         the command line asks for `apple`\n  \
         `apple` requires `fig>=2` (2.0)\n  \
         `fig` stays at 1.0, declared in `declarations/fig.toml`\n\
         help: let fig move: add `--allow-update fig`"
    );
}

#[test]
fn a_version_must_cover_the_platforms_where_it_is_needed() {
    let index = Index::default()
        .offer("apple", Release::new("1.0").requires("fig"))
        .offer(
            "plum",
            Release::new("1.0").requires("fig ; os_name == 'nt'"),
        )
        .offer(
            "fig",
            Release::new("1.0").tags(&["py3-none-win_amd64", "py3-none-manylinux_2_17_x86_64"]),
        )
        .offer("fig", Release::new("2.0").tags(&["py3-none-win_amd64"]));
    assert_eq!(
        solved(&index, &[], &policy(&[("apple", "")])).unwrap(),
        "apple 1.0, fig 1.0"
    );
    assert_eq!(
        solved(&index, &[], &policy(&[("plum", "")])).unwrap(),
        "fig 2.0, plum 1.0"
    );
    // The reason of an old version is known.
    let repository = repository(&index, &Choice::new());
    let solution = solve(&Graph::new(&repository), &index, &policy(&[("apple", "")])).unwrap();
    let (version, reason) = &solution.passed_over[&name("fig")][0];
    assert_eq!(version.to_string(), "2.0");
    assert_eq!(
        reason.to_string(),
        "it has no wheel for cp312-manylinux_2_28_x86_64"
    );
}

/// An index may not tell which Python a wheel needs; its metadata does.
#[test]
fn what_metadata_says_of_python_counts() {
    let mut old = Release::new("2.0");
    old.requires_python = Some("<3.13");
    let silent = Silent(
        Index::default()
            .offer("apple", Release::new("1.0").requires("fig"))
            .offer("fig", Release::new("1.0"))
            .offer("fig", old),
    );
    let repository = repository(&silent.0, &Choice::new());
    let policy = policy(&[("apple", "")]);
    let solution = solve(&Graph::new(&repository), &silent, &policy).unwrap();
    assert_eq!(versions(&solution)["fig"], "1.0");
}

/// An index whose pages do not state Requires-Python.
struct Silent(Index);

impl Catalogue for Silent {
    fn page(&self, project: &ProjectName) -> Result<Option<Arc<ProjectPage>>, Failure> {
        let page = self.0.page(project)?;
        Ok(page.map(|page| {
            let mut files = page.files.clone();
            for file in &mut files {
                file.requires_python = None;
            }
            Arc::new(ProjectPage {
                files,
                ..ProjectPage::default()
            })
        }))
    }

    fn metadata(&self, file: &IndexFile) -> Result<Result<Arc<CoreMetadata>, String>, Failure> {
        self.0.metadata(file)
    }
}

/// A project that stays and gets an extra still requires what it did.
#[test]
fn a_project_that_grows_keeps_its_requirements() {
    let index = Index::default()
        .offer("apple", Release::new("1.0").requires("plum[more]"))
        .offer("plum", Release::new("1.0").requires("fig<2"))
        .offer("fig", Release::new("1.0"))
        .offer("fig", Release::new("2.0"));
    let mut moving = policy(&[("apple", "")]);
    moving.moving = Projects::Named([name("fig")].into());
    moving.newest = moving.moving.clone();
    assert_eq!(
        solved(&index, &[("fig", "1.0"), ("plum", "1.0")], &moving).unwrap(),
        "apple 1.0, plum 1.0"
    );
}

/// An extra that a declared project lacks is added to it, rather than an old version taken that does
/// not ask for it; and a project that needs nothing more is left alone.
#[test]
fn a_declared_project_gets_an_extra_before_others_get_old() {
    let index = Index::default()
        .offer("apple", Release::new("1.0").requires("fig"))
        .offer("apple", Release::new("2.0").requires("fig[more]"))
        .offer("plum", Release::new("1.0").requires("fig<2"))
        .offer("fig", Release::new("1.0"))
        .offer("fig", Release::new("2.0"));
    let asked = policy(&[("apple", ""), ("plum", "")]);
    assert_eq!(
        solved(&index, &[("fig", "1.0")], &asked).unwrap(),
        "apple 2.0, fig 1.0, plum 1.0"
    );
    let old = policy(&[("apple", "<2"), ("plum", "")]);
    assert_eq!(
        solved(&index, &[("fig", "1.0")], &old).unwrap(),
        "apple 1.0, plum 1.0"
    );
}

#[test]
fn pre_releases_are_taken_only_where_something_names_them() {
    let index = Index::default()
        .offer("apple", Release::new("1.0").requires("fig"))
        .offer("plum", Release::new("1.0").requires("fig==2.0rc1"))
        .offer("fig", Release::new("1.0"))
        .offer("fig", Release::new("2.0rc1"));
    assert_eq!(
        solved(&index, &[], &policy(&[("apple", "")])).unwrap(),
        "apple 1.0, fig 1.0"
    );
    assert_eq!(
        solved(&index, &[], &policy(&[("apple", ""), ("plum", "")])).unwrap(),
        "apple 1.0, fig 2.0rc1, plum 1.0"
    );
}

/// A version that was given up permits nothing.
#[test]
fn a_pre_release_that_only_a_rejected_version_names_is_not_taken() {
    let index = Index::default()
        .offer("apple", Release::new("1.0").requires("fig>1"))
        .offer(
            "apple",
            Release::new("2.0").requires("fig==2.0rc1").requires("none"),
        )
        .offer("fig", Release::new("1.0"))
        .offer("fig", Release::new("2.0rc1"));
    let text = conflict(&index, &[], &policy(&[("apple", "")]));
    assert!(text.contains("`fig>1` (1.0)"), "{text}");
}

const PROJECTS: [&str; 4] = ["apple", "fig", "lime", "plum"];
const VERSIONS: [&str; 3] = ["1.0", "1.5", "2.0"];
const TAGS: [&[&str]; 4] = [
    &["py3-none-any"],
    &["py3-none-any"],
    &["py3-none-win_amd64"],
    &["py3-none-win_amd64", "py3-none-manylinux_2_17_x86_64"],
];
const SPECIFIERS: [&str; 6] = ["", "<2", ">=1.5", "==1.0", "!=1.5", "==1.*"];
const MARKERS: [&str; 5] = [
    "",
    "",
    " ; os_name == 'nt'",
    " ; python_version < '3.13'",
    " ; extra == 'more'",
];

/// Positions in the lists above: a project, specifiers and a marker; and whether the extra is asked
/// for.
type MadeRequirement = (usize, usize, usize, bool);

/// The position of the tags, whether the newest Python is excluded, and the requirements.
fn release() -> impl Strategy<Value = (usize, bool, Vec<MadeRequirement>)> {
    let requirement = (
        0..PROJECTS.len(),
        0..SPECIFIERS.len(),
        0..MARKERS.len(),
        any::<bool>(),
    );
    (
        0..TAGS.len(),
        proptest::bool::weighted(0.2),
        proptest::collection::vec(requirement, 0..3),
    )
}

fn index() -> impl Strategy<Value = Index> {
    let releases = proptest::collection::vec(release(), PROJECTS.len() * VERSIONS.len());
    releases.prop_map(|releases| {
        let mut index = Index::default();
        let places = PROJECTS
            .iter()
            .flat_map(|project| VERSIONS.iter().map(move |version| (*project, *version)));
        for ((project, version), (tags, is_old, requires)) in places.zip(releases) {
            let requires = requires.into_iter();
            let requires = requires.filter(|(to, ..)| PROJECTS[*to] != project).map(
                |(to, specifiers, marker, has_extra)| {
                    let extra = if has_extra { "[more]" } else { "" };
                    format!(
                        "{}{extra}{}{}",
                        PROJECTS[to], SPECIFIERS[specifiers], MARKERS[marker]
                    )
                },
            );
            let release = Release {
                version,
                tags: TAGS[tags],
                requires_python: is_old.then_some("<3.13"),
                requires: requires.collect(),
            };
            index = index.offer(project, release);
        }
        index
    })
}

/// Whether a set holds, and has no project that none of the wanted ones and these others need.
fn is_true(index: &Index, choice: &Choice<'_>, wanted: &[&str], others: &[&ProjectName]) -> bool {
    if !holds(index, choice, wanted) {
        return false;
    }
    let repository = repository(index, choice);
    let graph = Graph::new(&repository);
    let wanted = wanted.iter().map(|project| name(project));
    let others = others.iter().map(|project| (*project).clone());
    let mut needed: BTreeSet<ProjectName> = wanted.chain(others).collect();
    let mut open: Vec<ProjectName> = needed.iter().cloned().collect();
    while let Some(project) = open.pop() {
        for relation in graph.relations().of(&project) {
            if needed.insert(relation.to().clone()) {
                open.push(relation.to().clone());
            }
        }
    }
    let mut names = choice.keys().map(|project| name(project));
    names.all(|project| needed.contains(&project))
}

/// A choice with some of the changes of a solution.
fn changed<'c>(
    before: &Choice<'c>,
    solution: &'c Solution,
    versions: &'c BTreeMap<String, String>,
    projects: impl IntoIterator<Item = &'c ProjectName>,
) -> Choice<'c> {
    let mut choice = before.clone();
    for project in projects {
        match solution.changed.get(project) {
            None => choice.remove(project.as_str()),
            Some(solved) => {
                let version = versions[project.as_str()].as_str();
                let now = (version, !solved.extras.is_empty());
                choice.insert(project.as_str(), now)
            }
        };
    }
    choice
}

/// Whether a choice satisfies every requirement, and has these projects with their extra on all
/// platforms: by the graph that checks use.
fn holds(index: &Index, choice: &Choice<'_>, asked: &[&str]) -> bool {
    let has_asked = asked
        .iter()
        .all(|project| choice.get(project).is_some_and(|(_, has_extra)| *has_extra));
    if !has_asked {
        return false;
    }
    let repository = repository(index, choice);
    let graph = Graph::new(&repository);
    let mut relations = graph.relations().iter();
    relations.all(|relation| relation.unsatisfied.is_none())
        && asked
            .iter()
            .all(|project| graph.covered(&name(project)).len() == 4)
}

/// All choices.
fn choices() -> Vec<Choice<'static>> {
    let mut choices = vec![Choice::new()];
    for project in PROJECTS {
        let mut more = choices.clone();
        for version in VERSIONS {
            for has_extra in [false, true] {
                more.extend(choices.iter().map(|choice| {
                    let mut choice = choice.clone();
                    choice.insert(project, (version, has_extra));
                    choice
                }));
            }
        }
        choices = more;
    }
    choices
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn small_indexes_are_solved_exactly(index in index(), second in 0_usize..3) {
        let asked = ["apple", PROJECTS[second]];
        let mut policy = policy(&asked.map(|project| (project, "")));
        for asked in policy.asked.values_mut() {
            asked.extras.insert("more".parse().unwrap());
        }
        let empty = repository(&index, &Choice::new());
        match solve(&Graph::new(&empty), &index, &policy) {
            Ok(solution) => {
                let chosen = versions(&solution);
                let choice: Choice<'_> = chosen
                    .iter()
                    .map(|(project, version)| {
                        let has_extra = !solution.changed[&name(project)].extras.is_empty();
                        (project.as_str(), (version.as_str(), has_extra))
                    })
                    .collect();
                prop_assert!(holds(&index, &choice, &asked), "{choice:?} does not hold");
                // No project alone can be raised.
                for (project, (version, has_extra)) in &choice {
                    let now: Version = version.parse().unwrap();
                    for newer in VERSIONS {
                        if newer.parse::<Version>().unwrap() > now {
                            let mut raised = choice.clone();
                            raised.insert(project, (newer, *has_extra));
                            prop_assert!(
                                !holds(&index, &raised, &asked),
                                "{project} {newer} would hold in {choice:?}"
                            );
                        }
                    }
                }
            }
            Err(failure) => {
                for choice in choices() {
                    prop_assert!(
                        !holds(&index, &choice, &asked),
                        "{choice:?} holds, but: {failure:?}"
                    );
                }
            }
        }
    }

    /// A set of the older releases moves to the newest: all at once, and in the smallest changes,
    /// each of which leaves a true set.
    #[test]
    fn declared_sets_move_at_once_and_one_by_one(index in index(), second in 0_usize..4) {
        let wanted = ["apple", PROJECTS[second]];
        let mut old = index.clone();
        for releases in old.0.values_mut() {
            releases.truncate(2);
        }
        let mut asked = policy(&wanted.map(|project| (project, "")));
        for asked in asked.asked.values_mut() {
            asked.extras.insert("more".parse().unwrap());
        }
        let empty = repository(&index, &Choice::new());
        let Ok(first) = solve(&Graph::new(&empty), &old, &asked) else {
            return Ok(());
        };
        let first_versions = versions(&first);
        let start = changed(&Choice::new(), &first, &first_versions, first.changed.keys());
        prop_assert!(is_true(&index, &start, &wanted, &[]), "{start:?}");

        let repository = repository_of(&index, &start, |project| wanted.contains(&project));
        let mut moving = policy(&[]);
        moving.moving = Projects::All;
        moving.newest = Projects::All;
        let solution = solve(&Graph::new(&repository), &index, &moving).unwrap();
        let versions = versions(&solution);
        let all: BTreeSet<&ProjectName> =
            solution.changed.keys().chain(&solution.unneeded).collect();
        let end = changed(&start, &solution, &versions, all.iter().copied());
        prop_assert!(is_true(&index, &end, &wanted, &[]), "{start:?} became {end:?}");
        for (project, (version, has_extra)) in &end {
            let now: Version = version.parse().unwrap();
            for newer in VERSIONS {
                let mut raised = end.clone();
                raised.insert(project, (newer, *has_extra));
                prop_assert!(
                    newer.parse::<Version>().unwrap() <= now || !holds(&index, &raised, &wanted),
                    "{project} {newer} would hold in {end:?}"
                );
            }
        }

        let kinds = all.iter().map(|project| {
            let is_declared = start.contains_key(project.as_str());
            let kind = match (solution.changed.contains_key(*project), is_declared) {
                (false, _) => ChangeKind::Leave,
                (true, false) => ChangeKind::Join,
                (true, true) => ChangeKind::Move,
            };
            ((*project).clone(), kind)
        });
        let list = one_by_one(&kinds.collect(), &solution.needed_changes);
        let mut made = BTreeSet::new();
        let mut now = start.clone();
        // These stay, so it does no harm if nothing needs them in between.
        let staying: Vec<ProjectName> = end.keys().map(|project| name(project)).collect();
        let staying: Vec<&ProjectName> =
            staying.iter().filter(|project| start.contains_key(project.as_str())).collect();
        for (number, change) in list.iter().enumerate() {
            prop_assert!(change.after.iter().all(|before| *before < number));
            // Nothing less is a change.
            let projects: Vec<&ProjectName> = change.projects.iter().collect();
            for part in 1..(1_usize << projects.len()) - 1 {
                let numbered = projects.iter().enumerate();
                let part = numbered.filter(|(place, _)| part >> place & 1 == 1);
                let part: Vec<&ProjectName> = part.map(|(_, project)| *project).collect();
                let less = changed(&now, &solution, &versions, part);
                prop_assert!(!is_true(&index, &less, &wanted, &staying), "{list:?}: {now:?} to {less:?}");
            }
            // Only what it names must come before.
            let mut before = change.after.clone();
            for earlier in (0..number).rev() {
                if before.contains(&earlier) {
                    before.extend(&list[earlier].after);
                }
            }
            let before = before.iter().flat_map(|before| &list[*before].projects);
            let alone = changed(&start, &solution, &versions, before.chain(projects.clone()));
            prop_assert!(holds(&index, &alone, &wanted), "{list:?}: {start:?} to {alone:?}");
            now = changed(&now, &solution, &versions, projects);
            prop_assert!(is_true(&index, &now, &wanted, &staying), "{list:?} in {now:?}");
            made.extend(&change.projects);
        }
        prop_assert_eq!(made, all);
    }
}
