//! Why there is no answer: the reasons in a proof, and the fewest of them that still conflict.

use std::collections::BTreeSet;
use std::sync::Arc;

use ipwhl_packaging::ProjectName;
use pubgrub::{DerivationTree, External};

use super::candidate::Reason;
use super::package::Package;
use super::package::ProjectId;
use super::positions::Positions;
use super::universe::Universe;

type Proof = DerivationTree<Package, Positions, String>;

/// The reasons in a proof that there is no answer.
pub(super) fn reasons(universe: &Universe<'_, '_>, proof: &Proof) -> BTreeSet<Reason> {
    let mut reasons = BTreeSet::new();
    let mut open: Vec<&Proof> = vec![proof];
    let mut known: BTreeSet<*const Proof> = BTreeSet::new();
    while let Some(tree) = open.pop() {
        match tree {
            DerivationTree::Derived(derived) => {
                for cause in [&derived.cause1, &derived.cause2] {
                    if known.insert(Arc::as_ptr(cause)) {
                        open.push(cause);
                    }
                }
            }
            DerivationTree::External(External::FromDependencyOf(from, _, to, _)) => {
                let Some(to) = project(to) else { continue };
                let to = universe.project(to).name.clone();
                match project(from) {
                    None if universe.policy.asked.contains_key(&to) => {
                        reasons.insert(Reason::Asked(to));
                    }
                    None => {
                        reasons.insert(Reason::Wanted(to));
                    }
                    Some(from) => {
                        let from = universe.project(from).name.clone();
                        if from != to {
                            reasons.insert(Reason::Requires(from, to));
                        }
                    }
                }
            }
            DerivationTree::External(_) => {}
        }
    }
    // Declarations that do not move limit the candidates of a project from the start.
    let limited: BTreeSet<ProjectName> = reasons
        .iter()
        .map(|reason| reason.project().clone())
        .collect();
    for project in limited {
        reasons.extend(universe.fixed_reasons(&project));
    }
    reasons
}

fn project(package: &Package) -> Option<ProjectId> {
    match package {
        Package::Root => None,
        Package::Project(id) | Package::Extra(id, _) => Some(*id),
    }
}
