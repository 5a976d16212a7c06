//! Ways through the graph: from what someone wants to what is there for its sake.

use std::collections::{BTreeSet, VecDeque};

use ipwhl_packaging::{ExtraName, ProjectName, Requirement};
use petgraph::graph::NodeIndex;

use super::{Graph, Need};
use crate::set::declaration::Declaration;

/// How many projects are looked at in search of a way.
const MAXIMUM_STEPS: usize = 200;
/// How many steps of a way are written: the first ones, and the last.
const MAXIMUM_WRITTEN: usize = 12;

impl<'r> Graph<'r> {
    /// The projects that someone wants and all that these need.
    pub(in crate::set) fn reachable(&self) -> BTreeSet<&'r ProjectName> {
        let mut reached: BTreeSet<&'r ProjectName> = BTreeSet::new();
        let mut queue: VecDeque<NodeIndex> = self.wanted().collect();
        while let Some(node) = queue.pop_front() {
            if reached.insert(self.projects[node]) {
                queue.extend(self.projects.neighbors(node));
            }
        }
        reached
    }

    fn wanted(&self) -> impl Iterator<Item = NodeIndex> {
        self.repository
            .declarations
            .values()
            .filter(|declaration| !declaration.automatic)
            .map(|declaration| self.nodes[&declaration.project])
    }

    /// The shortest way from a wanted project to the one that has this need, on one of these
    /// platforms, as in `flask (wanted) -> werkzeug>=3.1 -> markupsafe>=2.1.1`. `None` where a
    /// wanted project has the need itself, and where no way leads there, or more projects lie
    /// before it than are looked at.
    pub(in crate::set) fn chain(
        &self,
        need: &Need<'r>,
        platforms: &BTreeSet<usize>,
    ) -> Option<String> {
        if !need.declaration.automatic {
            return None;
        }
        // An extra that nobody asks for is declared all the same: then whoever needs the project.
        [true, false]
            .into_iter()
            .find_map(|asks_extra| self.way(need, platforms, asks_extra))
    }

    /// The way, where `asks_extra` only by requirements that ask for the extra that the next one needs.
    fn way(
        &self,
        need: &Need<'r>,
        platforms: &BTreeSet<usize>,
        asks_extra: bool,
    ) -> Option<String> {
        let mut steps = vec![Step {
            declaration: need.declaration,
            extra: need.extra,
            platforms: platforms.clone(),
            onward: None,
        }];
        let mut seen = BTreeSet::from([(&need.declaration.project, need.extra)]);
        let mut at = 0;
        while let Some(step) = steps.get(at) {
            if !step.declaration.automatic {
                let mut requirements = Vec::new();
                let mut onward = step.onward;
                while let Some((requirement, next)) = onward {
                    requirements.push(requirement);
                    onward = steps[next].onward;
                }
                return Some(words(&step.declaration.project, &requirements));
            }
            if at == MAXIMUM_STEPS {
                return None;
            }
            let mut callers: Vec<(&Need<'r>, BTreeSet<usize>)> = self
                .needs_of(&step.declaration.project)
                .filter(|caller| {
                    let asked = &caller.dependency.value.extras;
                    !asks_extra || step.extra.is_none_or(|extra| asked.contains(extra))
                })
                .map(|caller| {
                    let shared = caller.platforms.intersection(&step.platforms);
                    (caller, shared.copied().collect())
                })
                .filter(|(_, shared): &(_, BTreeSet<usize>)| !shared.is_empty())
                .collect();
            callers.sort_by_key(|(caller, _)| {
                let project = &caller.declaration.project;
                (project, caller.extra, &caller.dependency.value)
            });
            for (caller, platforms) in callers {
                if seen.insert((&caller.declaration.project, caller.extra)) {
                    steps.push(Step {
                        declaration: caller.declaration,
                        extra: caller.extra,
                        platforms,
                        onward: Some((&caller.dependency.value, at)),
                    });
                }
            }
            at += 1;
        }
        None
    }
}

/// A way in words; of a long one what stands in the middle is counted.
fn words(wanted: &ProjectName, requirements: &[&Requirement]) -> String {
    let mut words = format!("{wanted} (wanted)");
    let half = MAXIMUM_WRITTEN / 2;
    let more = requirements.len().saturating_sub(MAXIMUM_WRITTEN);
    for (index, requirement) in requirements.iter().enumerate() {
        if more == 0 || index < half || index >= half + more {
            words += &format!(" -> {requirement}");
        } else if index == half {
            words += &format!(" -> ({more} more)");
        }
    }
    words
}

/// A project on the way to a need, as it is needed there.
struct Step<'r> {
    declaration: &'r Declaration,
    extra: Option<&'r ExtraName>,
    platforms: BTreeSet<usize>,
    /// What it requires for that, and the step that does.
    onward: Option<(&'r Requirement, usize)>,
}
