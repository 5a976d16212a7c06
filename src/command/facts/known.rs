//! What the cache knows of declared wheels, and what that says of them. Nothing is fetched and no
//! wheel is read.

use rayon::prelude::*;

use super::super::context::Context;
use super::{Gathered, facts_version, key, refuse, request};
use crate::check;
use crate::dag::{Cid, Codec};
use crate::declaration::DeclaredWheel;
use crate::repository::Repository;
use crate::source::{Cache, ContentFacts, FetchError, SourceProblem};
use crate::wheel::Facts;

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
    let cache = context.cache().ok();
    let known: Vec<(Option<Facts>, Option<SourceProblem>)> = wheels
        .par_iter()
        .map(|wheel| {
            let cid = &wheel.content_id.value;
            let facts = cache.as_ref().and_then(|cache| known_facts(cache, cid));
            let contradiction = content(wheel, facts.as_ref())
                .and_then(|content| request(&repository.directory, wheel).contradiction(content));
            (facts, contradiction)
        })
        .collect();
    let mut gathered = Gathered::default();
    for (wheel, (facts, contradiction)) in wheels.iter().zip(known) {
        if let Some(problem) = contradiction {
            let error = FetchError::Sources {
                file_name: wheel.file_name.as_str().to_owned(),
                problems: vec![problem],
            };
            refuse(wheel, &error, &mut gathered);
        } else if let Some(facts) = facts {
            gathered.facts.insert(wheel.content_id.value, facts);
        }
    }
    let layout = repository.configuration.layout;
    let found: Vec<_> = wheels
        .par_iter()
        .map(|wheel| {
            let facts = gathered.facts(wheel);
            facts.map_or_else(Vec::new, |facts| check::wheel(wheel, &facts.archive, layout))
        })
        .collect();
    gathered.findings.extend(found.into_iter().flatten());
    gathered
}

/// What is known of the bytes: by their facts, or by a CID that is their SHA-256.
fn content(wheel: &DeclaredWheel, facts: Option<&Facts>) -> Option<ContentFacts> {
    let cid = &wheel.content_id.value;
    match facts {
        Some(facts) => Some(ContentFacts {
            size: Some(facts.dag.size()),
            sha256: facts.sha256,
        }),
        None if cid.codec() == Codec::Raw => Some(ContentFacts {
            size: None,
            sha256: cid.digest(),
        }),
        None => None,
    }
}
