//! The complete check of a set: its texts, its graph, its wheels and their sources, compared with
//! an earlier state, and the versions that would end findings.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;

use ipwhl_packaging::ProjectName;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::foundation::diagnostic::{Finding, brief};
use crate::foundation::failure::Failure;
use crate::set::advisories::not_audited;
use crate::set::audit::OpenDatabase;
use crate::set::check;
use crate::set::declaration::{Declaration, DeclaredWheel};
use crate::set::difference::EarlierState;
use crate::set::gather::{Gathering, Network, WheelReport, all_wheels, known_wheels, timed_wheels};
use crate::set::judgement::{judge, judge_audited, merge_licences};
use crate::set::repository::Repository;
use crate::set::resolve::propose;
use crate::source::Session;

/// The options of a check, besides texts, graph and wheels that an earlier run has verified.
#[derive(Clone, Copy)]
pub struct ReviewOptions<'r> {
    /// The state to compare with. Wheels of declarations that have changed since are read, and
    /// their sources checked.
    pub before: Option<&'r EarlierState>,
    /// The network settings.
    pub network: &'r Network,
    /// Whether to check every source.
    pub sources: bool,
    /// Whether to read every wheel.
    pub wheels: bool,
    /// The reason in proposed waivers.
    pub waiver_reason: &'r str,
    /// The time that decides about the age of wheels and the days of waivers; `None` for the
    /// session's clock.
    pub now: Option<Timestamp>,
}

/// The result of a check.
#[derive(Debug)]
pub struct Review {
    /// All findings, in order.
    pub findings: Vec<Finding>,
    /// The report about wheels.
    pub report: WheelReport,
    /// The number of declared projects, with those whose declarations cannot be read.
    pub projects: usize,
    /// The number of declared wheels.
    pub wheels: usize,
    /// The number of wheels in declarations that have changed.
    pub changed: usize,
    /// The number of wheels that were not read, because an earlier run has verified them.
    pub verified_earlier: usize,
    /// The number of wheels that were verified neither now nor earlier.
    pub unverified: usize,
    /// The number of wheels whose declared times were not compared with the index, because the
    /// network is forbidden.
    pub times_not_compared: usize,
    /// The number of findings of the earlier state that are gone; `None` without an earlier state.
    pub gone: Option<usize>,
    /// The reasons why the index was not asked for versions that would end findings.
    pub unasked: Vec<String>,
}

/// Checks a set.
///
/// # Errors
/// When there is no cache for wheels that must be read, or the network cannot be used at all.
pub fn review(
    session: &Session,
    repository: &Repository,
    options: &ReviewOptions<'_>,
) -> Result<Review, Failure> {
    let now = options.now.unwrap_or_else(|| session.now());
    // The files of the database are read while the set is checked.
    let (mut findings, audited) = std::thread::scope(|scope| {
        let audited = scope.spawn(|| audited(session, repository, now));
        let mut findings = check::repository(repository);
        findings.extend(check::age(
            repository,
            repository.configuration.cooldown,
            now,
        ));
        let audited = audited.join().unwrap_or_else(|panic| resume_unwind(panic));
        (findings, audited)
    });
    if let Some(before) = options.before.and_then(EarlierState::repository) {
        findings.extend(check::publishers(&before.declarations, repository));
    }
    let (database, of_audit) = audited;
    findings.extend(of_audit);
    let all = all_wheels(repository);
    let changed = options
        .before
        .map_or_else(Vec::new, |before| before.changed(repository));
    let asked = if options.sources {
        &all
    } else if options.network.offline {
        &Vec::new()
    } else {
        &changed
    };
    let read = if options.wheels { &all } else { &changed };
    let gathering = Gathering {
        session,
        repository,
        network: options.network,
        profile: repository.configuration.profile,
        reuse: None,
    };
    let mut timed = timed_wheels(if options.sources { &all } else { read });
    let mut times_not_compared = 0;
    if options.network.offline {
        times_not_compared = timed.len();
        timed.clear();
    }
    let mut report = gathering.examine(asked, read, &timed)?;
    findings.extend(check::wheels(repository, read, &report));
    findings.extend(check::times(&timed, &report));
    let others: Vec<&DeclaredWheel> = all
        .iter()
        .copied()
        .filter(|wheel| !options.wheels && !read.iter().any(|read| std::ptr::eq(*read, *wheel)))
        .collect();
    let known = known_among(session, repository, &others);
    let verified_earlier = known.verified(&others);
    findings.extend(check::wheels(repository, &others, &known));
    report.extend(known);
    findings.extend(check::licence_entries(repository, &report));
    let today = now.to_zoned(TimeZone::UTC).date();
    let judge = if database.is_some() {
        judge_audited
    } else {
        judge
    };
    let mut findings = judge(repository, findings, &report, today, options.waiver_reason);
    let gone = options
        .before
        .map(|before| before.compare(repository, &report, now, database.as_ref(), &mut findings));
    merge_licences(repository, &mut findings, today, options.waiver_reason);
    if let Some(database) = database {
        database.discard();
    }
    let unasked = propose(session, repository, options.network, &mut findings);
    // In the layout `ipwhl-1`, a project can have both readable and unreadable files.
    let projects: BTreeSet<&ProjectName> = repository
        .declarations
        .keys()
        .chain(&repository.unreadable)
        .collect();
    Ok(Review {
        findings,
        projects: projects.len(),
        wheels: all.len(),
        changed: changed.len(),
        verified_earlier,
        unverified: all.len() - report.verified(&all),
        report,
        times_not_compared,
        gone,
        unasked,
    })
}

/// The configured database, if it can be read, and the findings about it and about declared
/// versions.
type Audited = (Option<OpenDatabase>, Vec<Finding>);

fn audited(session: &Session, repository: &Repository, now: Timestamp) -> Audited {
    match OpenDatabase::configured(session, repository, now) {
        None => Audited::default(),
        Some(Ok(database)) => {
            let findings = database.findings(repository, now);
            (Some(database), findings)
        }
        Some(Err(failure)) => (
            None,
            vec![not_audited(repository, &brief(&failure.message))],
        ),
    }
}

/// The findings of a set and of those wheels that an earlier run has verified. With the declarations
/// of an earlier state, also those about publishers that have changed since.
pub fn known_findings(
    session: &Session,
    repository: &Repository,
    before: Option<&BTreeMap<ProjectName, Declaration>>,
) -> Vec<Finding> {
    let mut findings = check::repository(repository);
    if let Some(before) = before {
        findings.extend(check::publishers(before, repository));
    }
    findings.extend(check::age(
        repository,
        repository.configuration.cooldown,
        session.now(),
    ));
    let wheels = all_wheels(repository);
    let known = known_among(session, repository, &wheels);
    findings.extend(check::wheels(repository, &wheels, &known));
    findings.extend(check::licence_entries(repository, &known));
    judge(repository, findings, &known, session.today(), "")
}

/// The known facts of wheels. Without a cache there are none, which is no reason to fail.
fn known_among(
    session: &Session,
    repository: &Repository,
    wheels: &[&DeclaredWheel],
) -> WheelReport {
    let cache = session.cache().ok();
    known_wheels(cache.as_ref(), repository, wheels)
}
