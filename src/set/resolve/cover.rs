//! Selects the wheels of a version that cover the platforms: as few as possible, and never two for
//! one platform.

use std::collections::BTreeSet;

use ipwhl_packaging::{Platform, WheelFileName, common_installer};

/// The preference if a version has native wheels and a pure one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefer {
    /// Native wheels, if each platform has one.
    Native,
    /// The pure wheel, if there is one.
    Pure,
}

/// A candidate wheel.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) file_name: WheelFileName,
    /// In bytes; 0 if the index does not state it.
    pub(super) size: u64,
}

/// The maximum number of combinations to try. Real versions need some hundreds.
const MAXIMUM_STEPS: usize = 200_000;

/// The positions of the chosen wheels, in the candidates' order; `None` if no choice covers all
/// platforms without two wheels for one interpreter.
pub(super) fn choose(
    candidates: &[Candidate],
    platforms: &[&Platform],
    prefer: Prefer,
) -> Option<Vec<usize>> {
    let pure = || {
        (0..candidates.len())
            .filter(|index| {
                is_pure(&candidates[*index].file_name)
                    && platforms
                        .iter()
                        .all(|platform| accepts(platform, &candidates[*index]))
            })
            .min_by_key(|index| {
                (
                    candidates[*index].size,
                    candidates[*index].file_name.as_str(),
                )
            })
            .map(|index| vec![index])
    };
    let native = || {
        let native: Vec<usize> = (0..candidates.len())
            .filter(|index| !is_pure(&candidates[*index].file_name))
            .collect();
        cover(candidates, &native, platforms)
    };
    match prefer {
        Prefer::Native => native().or_else(pure),
        Prefer::Pure => pure().or_else(native),
    }
}

/// Whether a wheel runs on any system.
pub(super) fn is_pure(file_name: &WheelFileName) -> bool {
    file_name.tags().iter().all(|tag| tag.platform == "any")
}

fn accepts(platform: &Platform, candidate: &Candidate) -> bool {
    candidate
        .file_name
        .tags()
        .iter()
        .any(|tag| platform.accepts(tag))
}

struct Search<'c> {
    candidates: &'c [Candidate],
    /// The usable candidates of each platform.
    usable: Vec<Vec<usize>>,
    /// Pairs of candidates that some installer accepts both.
    ambiguous: BTreeSet<(usize, usize)>,
    best: Option<(usize, u64, Vec<usize>)>,
    steps: usize,
}

fn cover(
    candidates: &[Candidate],
    native: &[usize],
    platforms: &[&Platform],
) -> Option<Vec<usize>> {
    let usable: Vec<Vec<usize>> = platforms
        .iter()
        .map(|platform| {
            native
                .iter()
                .copied()
                .filter(|index| accepts(platform, &candidates[*index]))
                .collect()
        })
        .collect();
    if usable.is_empty() || usable.iter().any(Vec::is_empty) {
        return None;
    }
    let used: BTreeSet<usize> = usable.iter().flatten().copied().collect();
    let mut ambiguous = BTreeSet::new();
    for one in &used {
        for other in used.range(one + 1..) {
            if are_ambiguous(&candidates[*one], &candidates[*other]) {
                ambiguous.insert((*one, *other));
            }
        }
    }
    let mut search = Search {
        candidates,
        usable,
        ambiguous,
        best: None,
        steps: 0,
    };
    search.extend(&mut Vec::new(), 0);
    let (_, _, mut chosen) = search.best?;
    chosen.sort_unstable();
    Some(chosen)
}

fn are_ambiguous(one: &Candidate, other: &Candidate) -> bool {
    one.file_name.tags().iter().any(|tag| {
        other
            .file_name
            .tags()
            .iter()
            .any(|second| common_installer(tag, second).is_some())
    })
}

impl Search<'_> {
    fn extend(&mut self, chosen: &mut Vec<usize>, size: u64) {
        self.steps += 1;
        if self.steps > MAXIMUM_STEPS {
            return;
        }
        let open = self
            .usable
            .iter()
            .position(|usable| !usable.iter().any(|index| chosen.contains(index)));
        let Some(open) = open else {
            let mut sorted = chosen.clone();
            sorted.sort_by_key(|index| self.candidates[*index].file_name.as_str());
            let found = (chosen.len(), size, sorted);
            let names = |found: &(usize, u64, Vec<usize>)| -> Vec<&str> {
                found
                    .2
                    .iter()
                    .map(|index| self.candidates[*index].file_name.as_str())
                    .collect()
            };
            let is_better = self.best.as_ref().is_none_or(|best| {
                (found.0, found.1, names(&found)) < (best.0, best.1, names(best))
            });
            if is_better {
                self.best = Some(found);
            }
            return;
        };
        if self
            .best
            .as_ref()
            .is_some_and(|best| chosen.len() >= best.0)
        {
            return;
        }
        for index in self.usable[open].clone() {
            let clashes = chosen.iter().any(|other| {
                let pair = (index.min(*other), index.max(*other));
                self.ambiguous.contains(&pair)
            });
            if !clashes {
                chosen.push(index);
                self.extend(chosen, size.saturating_add(self.candidates[index].size));
                chosen.pop();
            }
        }
    }
}
