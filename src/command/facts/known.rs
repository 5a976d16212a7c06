//! What the cache knows of declared wheels, and what that says of them. Nothing is fetched and no
//! wheel is read.

use ipwhl_unixfs::Cid;
use rayon::prelude::*;

use super::super::context::Context;
use super::{Gathered, facts_version, fits, key, refuse, request};
use crate::set::check;
use crate::set::declaration::DeclaredWheel;
use crate::set::gather::Facts;
use crate::set::repository::Repository;
use crate::source::{Cache, FetchError};

/// The facts of the wheel of this CID, if the cache has them.
pub(in crate::command) fn known_facts(cache: &Cache, cid: &Cid) -> Option<Facts> {
    cache.facts(&facts_version(), &key(cid))
}

/// The facts and findings of those of these wheels that an earlier run has verified. Facts are
/// believed by their content-id, as a build believes them.
pub(in crate::command) fn recall_verified(
    context: &Context<'_>,
    repository: &Repository,
    wheels: &[&DeclaredWheel],
) -> Gathered {
    // Without a place for a cache nothing is known, which is no reason to fail.
    let cache = context.session.cache().ok();
    let known: Vec<Option<Facts>> = wheels
        .par_iter()
        .map(|wheel| known_facts(cache.as_ref()?, &wheel.content_id.value))
        .collect();
    let layout = repository.configuration.layout;
    let platforms = &repository.configuration.platforms;
    let found: Vec<Gathered> = wheels
        .par_iter()
        .zip(&known)
        .map(|(wheel, facts)| {
            let mut found = Gathered::default();
            let Some(facts) = facts else {
                return found;
            };
            let request = request(&repository.directory, wheel);
            match request.contradiction(facts.dag.size(), &facts.sha256) {
                Some(problem) => {
                    let (file_name, problems) = (request.file_name, vec![problem]);
                    let error = FetchError::Sources {
                        file_name,
                        problems,
                    };
                    refuse(wheel, &error, &mut found);
                }
                None => {
                    found.findings = check::wheel(wheel, &facts.archive, layout, platforms);
                }
            }
            found
        })
        .collect();
    let mut gathered = Gathered::default();
    for ((wheel, facts), found) in wheels.iter().zip(known).zip(found) {
        if let Some(facts) = facts.filter(|facts| fits(wheel, facts)) {
            gathered.facts.insert(wheel.content_id.value, facts);
        }
        gathered.findings.extend(found.findings);
    }
    gathered
}
