//! The sources of declarations: of the surrounding repository, and of the release, which contains
//! its own.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use ipwhl_unixfs::Cid;

use super::attempts::{Attempts, record};
use super::context::FillContext;
use super::pass::Missing;
use super::store::Store;
use crate::foundation::failure::{Failure, error_chain};
use crate::release::names::DECLARATION;
use crate::set::declaration::LARGEST_DECLARATION;
use crate::set::declaration::{DeclaredWheel, Layout, parse};
use crate::set::gather::wheel_request;
use crate::set::repository::Configuration;
use crate::source::{SourceLocation, WheelRequest};

/// The sources of the declarations, and the wheels already requested.
#[derive(Default)]
pub(super) struct DeclaredSources {
    tried: BTreeSet<Cid>,
}

impl DeclaredSources {
    /// Fetches the wheels whose blocks are missing; true if one was verified.
    pub(super) fn request(
        &mut self,
        fill: &FillContext<'_>,
        store: &mut Store,
        missing: &[&Missing],
        attempts: &mut Attempts,
    ) -> Result<bool, Failure> {
        let mut wheels: BTreeMap<Cid, Vec<&Missing>> = BTreeMap::new();
        for one in missing {
            match one.wheel {
                Some(wheel) => wheels.entry(wheel).or_default().push(one),
                None => record(
                    attempts,
                    one.cid,
                    "the sources of the declarations have only wheels".to_owned(),
                ),
            }
        }
        let mut requests = Vec::new();
        for (wheel, blocks) in &wheels {
            if !self.tried.insert(*wheel) {
                continue;
            }
            match find(fill, store, wheel, &blocks[0].path) {
                Ok(request) => requests.push(request),
                Err(reason) => blocks
                    .iter()
                    .for_each(|one| record(attempts, one.cid, reason.to_owned())),
            }
        }
        if requests.is_empty() {
            return Ok(false);
        }
        // Mirrors are a separate place.
        let configuration = Configuration {
            gateways: Vec::new(),
            ..fill.configuration()
        };
        let profile = configuration.profile;
        let fetcher = fill
            .options
            .network
            .fetcher(fill.session, &configuration, profile)?;
        let progress = fill.session.begin_wheels(&requests);
        let report = |event| progress.fetch(event);
        let mut is_new = false;
        fill.session.runtime()?.block_on(async {
            let mut outcomes = std::pin::pin!(fetcher.fetch_all(&requests, &report));
            while let Some((index, outcome)) = outcomes.next().await {
                match outcome {
                    Ok(wheel) => {
                        progress.verified();
                        store.add_wheel(&wheel.path, wheel.dag);
                        is_new = true;
                    }
                    Err(error) => {
                        let blocks = wheels.get(&requests[index].content_id);
                        for one in blocks.into_iter().flatten() {
                            record(attempts, one.cid, error_chain(&error));
                        }
                    }
                }
            }
        });
        progress.finish();
        Ok(is_new)
    }
}

/// The declaration of a wheel as a request, or the reason why there is none, as a clause.
fn find(
    fill: &FillContext<'_>,
    store: &mut Store,
    wheel: &Cid,
    path: &str,
) -> Result<WheelRequest, &'static str> {
    let repository = fill.repository();
    let of_repository = repository.and_then(|repository| {
        let mut wheels = repository
            .declarations
            .values()
            .flat_map(|declaration| &declaration.wheels);
        wheels.find(|declared| declared.content_id.value == *wheel)
    });
    let of_release = of_release(store, wheel, path);
    let declared = of_repository.or(of_release.as_ref());
    let declared = declared.ok_or("no available declaration has its content-id")?;
    let directory = repository.map(|repository| repository.directory.as_path());
    let mut request = wheel_request(directory.unwrap_or("".as_ref()), declared);
    if directory.is_none() {
        request
            .sources
            .retain(|source| !matches!(source, SourceLocation::File { .. }));
    }
    if request.sources.is_empty() {
        return Err("its declaration has only `file:` sources, and there is no repository here");
    }
    Ok(request)
}

/// The declaration of the wheel in the `declaration.toml` beside it.
fn of_release(store: &mut Store, wheel: &Cid, path: &str) -> Option<DeclaredWheel> {
    let (project, _) = path.split_once('/')?;
    let file = format!("{project}/{DECLARATION}");
    let text = store.file(&file)?;
    if text.len() as u64 > LARGEST_DECLARATION {
        return None;
    }
    let text = String::from_utf8(text).ok()?;
    parse(&file.as_str().into(), &text, Layout::Package)
        .wheels
        .into_iter()
        .find(|declared| declared.content_id.value == *wheel)
}
