//! The attempts of a resolution, and their outcome.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use ipwhl_packaging::{ExtraName, Platform, ProjectName, Requirement, Version};

use super::candidate::{Candidate, Reason};
use super::catalogue::Catalogue;
use super::changes::Changes;
use super::explanation::explain;
use super::offered::OfferedVersion;
use super::offers::Offers;
use super::package::ProjectId;
use super::passed::PassedOver;
use super::policy::{Knowledge, Policy, Projects};
use super::polish::{Demands, polish, unmet};
use super::rejection::unusable;
use super::search::{Chosen, Found, Search, Stop};
use super::unfitting::passed_over;
use super::universe::Universe;
use super::unsolved::Unsolved;
use super::ways_out::{some_may_go_back, staying};
use crate::foundation::failure::Failure;
use crate::set::graph::Graph;
use crate::source::IndexFile;

/// The maximum number of steps of all searches of one resolution.
const MAXIMUM_STEPS: u64 = 2_000_000;
/// The maximum number of attempts; each has learned something that the one before did not know.
const MAXIMUM_ATTEMPTS: usize = 10_000;
/// Deep proofs are dropped recursively, so the search has a stack of its own.
const STACK: usize = 512 << 20;

/// The chosen projects.
#[derive(Debug, Default)]
pub struct Solution {
    /// Each project that must be declared anew, by name.
    pub changed: BTreeMap<ProjectName, SolvedProject>,
    /// Newer versions of these that were not chosen, the newest first, with reasons.
    pub passed_over: BTreeMap<ProjectName, Vec<(Version, PassedOver)>>,
    /// The projects that should move and that the index does not have.
    pub unknown: BTreeSet<ProjectName>,
    /// The automatic projects that no project needs any more.
    pub unneeded: BTreeSet<ProjectName>,
    /// For each project that changes or leaves, the others that must do so with it, or before.
    pub needed_changes: BTreeMap<ProjectName, BTreeSet<ProjectName>>,
}

/// A project that must be declared anew.
#[derive(Debug)]
pub struct SolvedProject {
    /// The chosen version.
    pub version: Version,
    /// The fewest wheels that cover its platforms.
    pub files: Vec<IndexFile>,
    /// The extras that must be declared.
    pub extras: BTreeSet<ExtraName>,
}

/// Solves what a policy asks of a set.
///
/// # Errors
/// When there is no answer, with the reasons; when the index cannot be asked, or the search takes
/// too many steps.
pub fn solve(
    graph: &Graph<'_>,
    catalogue: &(dyn Catalogue + Sync),
    policy: &Policy,
) -> Result<Solution, Unsolved> {
    solve_within(graph, catalogue, policy, MAXIMUM_STEPS)
}

/// As [`solve`], with at most so many steps.
fn solve_within(
    graph: &Graph<'_>,
    catalogue: &(dyn Catalogue + Sync),
    policy: &Policy,
    maximum_steps: u64,
) -> Result<Solution, Unsolved> {
    std::thread::scope(|scope| {
        let search = move || Resolution::new(graph, catalogue, policy, maximum_steps).run();
        let thread = std::thread::Builder::new()
            .name("solver".to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, search)
            .map_err(|error| Failure::world(format!("no thread for the search: {error}")))?;
        thread
            .join()
            .map_err(|_| Failure::world("the search for versions stopped; this is a bug"))?
    })
}

/// The newest final version of a project in an index that is old enough, whatever platforms it
/// covers.
///
/// # Errors
/// When the index cannot be asked.
pub(in crate::set::resolve) fn newest(
    platforms: &[Platform],
    catalogue: &dyn Catalogue,
    policy: &Policy,
    project: &ProjectName,
) -> Result<Option<Version>, Failure> {
    Offers::new(catalogue, platforms, policy).newest(project)
}

struct Resolution<'a, 'r> {
    graph: &'a Graph<'r>,
    offers: Offers<'a>,
    policy: &'a Policy,
    knowledge: RefCell<Knowledge>,
    maximum_steps: u64,
    /// The steps that are left.
    steps: Cell<u64>,
}

impl<'a, 'r> Resolution<'a, 'r> {
    fn new(
        graph: &'a Graph<'r>,
        catalogue: &'a dyn Catalogue,
        policy: &'a Policy,
        maximum_steps: u64,
    ) -> Self {
        Self {
            graph,
            offers: Offers::new(catalogue, &graph.repository.configuration.platforms, policy),
            policy,
            knowledge: RefCell::default(),
            maximum_steps,
            steps: Cell::new(maximum_steps),
        }
    }

    fn run(&self) -> Result<Solution, Unsolved> {
        let reasons = match self.attempts(None)? {
            Attempt::Solved(solution) => return Ok(solution),
            Attempt::Conflict(reasons) => reasons,
            Attempt::Stopped => {
                return Err(Failure::finding(format!(
                    "no answer after {} steps of the search",
                    self.maximum_steps - self.steps.get()
                ))
                .help("ask for fewer projects at once, or name versions: `NAME==VERSION`")
                .into());
            }
        };
        self.steps.set(self.maximum_steps);
        // Fewer requirements may permit what all of them together do not.
        self.knowledge.take();
        let (reasons, are_fewest) = self.fewest(&reasons)?;
        let universe = self.universe(Some(&reasons));
        let ways_out = self.ways_out(&universe, &reasons);
        let mut unsolved = explain(&universe, &reasons, &ways_out)?;
        if !are_fewest {
            unsolved.failure.message += "\n  (the search for fewer of them stopped early)";
        }
        Err(unsolved)
    }

    fn universe<'u>(&'u self, only: Option<&BTreeSet<Reason>>) -> Universe<'u, 'r> {
        Universe::new(
            &self.offers,
            self.graph,
            self.policy,
            &self.knowledge,
            only.cloned(),
        )
    }

    /// The commands that would succeed: with one staying project that may move, or with older
    /// versions.
    fn ways_out(&self, universe: &Universe<'_, 'r>, reasons: &BTreeSet<Reason>) -> Vec<String> {
        let mut ways = Vec::new();
        if some_may_go_back(universe, reasons) {
            let mut policy = self.policy.clone();
            policy.may_downgrade = true;
            if self.succeeds(&policy) {
                ways.push("permit older versions: add `--allow-downgrade`".to_owned());
            }
        }
        for project in staying(universe, reasons) {
            for may_downgrade in [false, true] {
                let mut policy = self.policy.clone();
                if policy.may_downgrade && !may_downgrade {
                    continue;
                }
                if let Projects::Named(names) = &mut policy.moving {
                    names.insert(project.clone());
                }
                policy.may_downgrade = may_downgrade;
                if self.succeeds(&policy) {
                    let flag = if may_downgrade {
                        " --allow-downgrade"
                    } else {
                        ""
                    };
                    ways.push(format!(
                        "let {project} move: add `--allow-update {project}{flag}`"
                    ));
                    break;
                }
            }
        }
        ways
    }

    /// Whether there is an answer under another policy, within fewer steps.
    fn succeeds(&self, policy: &Policy) -> bool {
        let steps = self.maximum_steps / 10;
        let other = Resolution::new(self.graph, self.offers.catalogue(), policy, steps);
        matches!(other.attempts(None), Ok(Attempt::Solved(_)))
    }

    /// Leaves out one reason after another, as long as the others still conflict. Also returns
    /// whether each was tried: the steps are limited.
    fn fewest(&self, reasons: &BTreeSet<Reason>) -> Result<(BTreeSet<Reason>, bool), Failure> {
        let mut fewest = reasons.clone();
        for reason in reasons {
            let mut without = fewest.clone();
            without.remove(reason);
            match self.attempts(Some(&without))? {
                Attempt::Conflict(_) => fewest = without,
                Attempt::Solved(_) => {}
                Attempt::Stopped => return Ok((fewest, false)),
            }
        }
        Ok((fewest, true))
    }

    fn attempts(&self, only: Option<&BTreeSet<Reason>>) -> Result<Attempt, Failure> {
        for _ in 0..MAXIMUM_ATTEMPTS {
            let permitted = self.knowledge.borrow().prereleases.clone();
            match self.attempt(only) {
                // A pre-release may be the way out.
                Ok(Attempt::Conflict(_)) if self.knowledge.borrow().prereleases != permitted => {}
                Ok(attempt) => return Ok(attempt),
                Err(Stop::Restart) => {}
                Err(Stop::Failed(failure)) => return Err(failure),
                Err(Stop::Steps) => break,
            }
        }
        Ok(Attempt::Stopped)
    }

    fn attempt(&self, only: Option<&BTreeSet<Reason>>) -> Result<Attempt, Stop> {
        let universe = self.universe(only);
        let search = Search::new(&universe, &self.steps);
        let chosen = match search.run()? {
            Found::Conflict(reasons) => return Ok(Attempt::Conflict(reasons)),
            Found::Solution(_) if only.is_some() => {
                return Ok(Attempt::Solved(Solution::default()));
            }
            Found::Solution(chosen) => chosen,
        };
        let chosen = polish(&universe, &search, chosen)?;
        if universe.is_outdated.get() {
            return Err(Stop::Restart);
        }
        self.leave_out_prereleases(&universe, &chosen)?;
        self.compare_metadata(&universe, &chosen)?;
        self.solution(&universe, &chosen).map(Attempt::Solved)
    }

    /// The newer versions of a chosen project, the newest first, with the reasons why each was
    /// passed over.
    fn newer(
        &self,
        universe: &Universe<'_, 'r>,
        (chosen, demands): (&Chosen, &Demands),
        id: ProjectId,
        version: &Version,
    ) -> Result<Vec<(Version, PassedOver)>, Failure> {
        let name = &universe.project(id).name;
        let offers = self.offers.project(name)?.unwrap_or_default();
        let is_newest = offers
            .versions
            .last()
            .is_none_or(|last| last.version == *version)
            && offers.yanked.last().is_none_or(|last| last <= version)
            && offers.young.last().is_none_or(|last| last <= version);
        if is_newest {
            return Ok(Vec::new());
        }
        let demands = demands.on(universe, name);
        let mut passed = passed_over(universe, name, &offers, &demands)?;
        passed.retain(|(other, _)| other > version);
        // The others would fit, but for their own requirements, or because the project may stay.
        let project = universe.project(id);
        let declared = universe.graph.version(name);
        let kept = self.policy.preferred.get(name).or(declared);
        let may_stay = kept == Some(version) && !self.policy.wants_newest(name);
        for (position, candidate) in (0..).zip(&project.candidates) {
            let other = candidate.version();
            let Candidate::Offered(offered) = candidate else {
                continue;
            };
            if other <= version || passed.iter().any(|(passed, _)| passed == other) {
                continue;
            }
            let reason = match unmet(universe, chosen, id, position)? {
                Some(unmet) => {
                    let on = unmet.on.clone();
                    let is_declared = universe.graph.version(&on).is_some();
                    let is_known = is_declared || self.offers.project(&on)?.is_some();
                    let requirement: Requirement = unmet.into();
                    Some(if is_known {
                        PassedOver::Requires(Box::new(requirement))
                    } else {
                        PassedOver::Defective(format!(
                            "it requires `{requirement}`, which the index does not have"
                        ))
                    })
                }
                None => {
                    let unusable = unusable(universe, name, offered, &demands)?;
                    unusable.or(may_stay.then_some(PassedOver::NotAsked))
                }
            };
            passed.extend(reason.map(|reason| (other.clone(), reason)));
        }
        passed.sort_by(|(one, _), (other, _)| other.cmp(one));
        Ok(passed)
    }

    /// A requirement of a version that was given up may have permitted a pre-release. If no chosen
    /// one names it, another attempt does without.
    fn leave_out_prereleases(
        &self,
        universe: &Universe<'_, 'r>,
        chosen: &Chosen,
    ) -> Result<(), Stop> {
        let demands = Demands::new(universe, &Search::root_demands(universe)?, chosen)?;
        let mut has_changed = false;
        for (id, (position, _)) in chosen {
            let project = universe.project(*id);
            let Candidate::Offered(offered) = &project.candidates[*position as usize] else {
                continue;
            };
            let mut demands = demands.on(universe, &project.name).into_iter();
            if offered.version.any_prerelease()
                && !demands.any(|(_, demand)| demand.names_prerelease())
            {
                let mut knowledge = self.knowledge.borrow_mut();
                knowledge.prereleases.remove(&project.name);
                has_changed |= knowledge.finals_only.insert(project.name.clone());
            }
        }
        if has_changed {
            return Err(Stop::Restart);
        }
        Ok(())
    }

    /// If the wheels of a chosen version have different metadata, another attempt uses all of them.
    fn compare_metadata(&self, universe: &Universe<'_, 'r>, chosen: &Chosen) -> Result<(), Stop> {
        let mut chosen_needs = Vec::new();
        for (id, (position, _)) in chosen {
            let project = universe.project(*id);
            if let Candidate::Offered(offered) = &project.candidates[*position as usize]
                && let Ok(needs) = universe.needs(&project.name, offered)?
            {
                self.offers.announce_wheels(offered, &needs);
                chosen_needs.push((Rc::clone(offered), needs));
            }
        }
        let mut has_changed = false;
        for (offered, needs) in chosen_needs {
            if self.offers.differ(&offered, &needs)? {
                has_changed |= offered.make_exact();
            }
        }
        if has_changed {
            return Err(Stop::Restart);
        }
        Ok(())
    }

    fn solution(&self, universe: &Universe<'_, 'r>, chosen: &Chosen) -> Result<Solution, Stop> {
        let changes = Changes::new(universe, chosen)?;
        let mut solution = Solution {
            needed_changes: changes.needed()?,
            unneeded: changes.leaving,
            ..Solution::default()
        };
        let demands = Demands::new(universe, &Search::root_demands(universe)?, chosen)?;
        for (id, (position, extras)) in chosen {
            let project = universe.project(*id);
            let candidate = &project.candidates[*position as usize];
            if !project.movement.stays() && self.offers.project(&project.name)?.is_none() {
                solution.unknown.insert(project.name.clone());
            }
            if !project.movement.stays() {
                let newer = self.newer(universe, (chosen, &demands), *id, candidate.version())?;
                if !newer.is_empty() {
                    solution.passed_over.insert(project.name.clone(), newer);
                }
            }
            let Candidate::Offered(offered) = candidate else {
                continue;
            };
            let Ok(needs) = universe.needs(&project.name, offered)? else {
                continue;
            };
            solution.changed.insert(
                project.name.clone(),
                SolvedProject {
                    version: offered.version.clone(),
                    files: files(offered, &needs.wheels),
                    extras: extras.clone(),
                },
            );
        }
        Ok(solution)
    }
}

fn files(offered: &Rc<OfferedVersion>, wheels: &[usize]) -> Vec<IndexFile> {
    let files = wheels.iter();
    files
        .map(|wheel| offered.files[*wheel].file().clone())
        .collect()
}

enum Attempt {
    Solved(Solution),
    Conflict(BTreeSet<Reason>),
    /// The limit of steps or attempts is reached.
    Stopped,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use ipwhl_packaging::CoreMetadata;

    use super::*;
    use crate::set::repository::Repository;
    use crate::set::resolve::{Asked, PlatformSet};
    use crate::source::{CoreMetadataFile, ProjectPage};

    /// Pigeons and holes: so many projects, each with one version less than there are projects, and
    /// no two of them may have the same. There is no answer, and each order of decisions fails late.
    struct Pigeons(usize);

    impl Catalogue for Pigeons {
        fn page(&self, project: &ProjectName) -> Result<Option<Arc<ProjectPage>>, Failure> {
            let files = (1..self.0).map(|version| {
                let file_name = format!("{project}-{version}-py3-none-any.whl");
                IndexFile {
                    url: format!("https://example.org/{file_name}").parse().unwrap(),
                    file_name,
                    sha256: None,
                    size: None,
                    requires_python: None,
                    yanked: None,
                    uploaded: None,
                    core_metadata: CoreMetadataFile::Absent,
                    provenance: None,
                }
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
            let mut text = format!("Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n");
            for other in (0..self.0).map(|number| format!("p{number}")) {
                if other != project {
                    text += &format!("Requires-Dist: {other}!={version}\n");
                }
            }
            let metadata = CoreMetadata::parse(text.as_bytes());
            Ok(metadata.map(Arc::new).map_err(|reasons| reasons.join(", ")))
        }
    }

    /// A search that would go on for ever ends at the limit, and says so.
    #[test]
    fn a_search_is_bounded() {
        let settings = "[repository]\nname = \"pigeons\"\nformat = 1\n[platforms]\npython = \
                        [\"cp312\"]\nsystem = [\"win_amd64\"]\n";
        let files = BTreeMap::from([("ipwhl.toml".to_owned(), settings.as_bytes().to_vec())]);
        let repository = Repository::load_texts(Path::new("/nowhere"), files).unwrap();
        let solve = |pigeons: usize, steps: u64| {
            let asked = (0..pigeons).map(|number| {
                let asked = Asked {
                    platforms: PlatformSet::first(1),
                    ..Asked::default()
                };
                (format!("p{number}").parse().unwrap(), asked)
            });
            let policy = Policy {
                asked: asked.collect(),
                ..Policy::default()
            };
            let graph = Graph::new(&repository);
            let unsolved = solve_within(&graph, &Pigeons(pigeons), &policy, steps).unwrap_err();
            unsolved.failure
        };
        let failure = solve(12, 500);
        assert_eq!(failure.message, "no answer after 500 steps of the search");
        assert_eq!(
            failure.help.unwrap(),
            "ask for fewer projects at once, or name versions: `NAME==VERSION`"
        );
        // A smaller one has the answer that there is none.
        let failure = solve(4, 2_000_000);
        assert!(
            failure.message.starts_with("no versions satisfy"),
            "{failure}"
        );
    }
}
