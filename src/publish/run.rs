//! Publishes one release to several targets: their order, their dependencies, and the effect of a
//! refusal (FORMATS 9).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::follow::check_follows;
use super::place::TargetPlace;
use super::target::{Done, Plan, ReadBack, Step, Target};
use super::{History, Publication};
use crate::foundation::failure::{Failure, FailureKind};
use crate::set::repository::{PublishKind, PublishTarget};

/// Opens a target, without a request to it.
pub type Open<'a> = &'a dyn Fn(&PublishTarget) -> Result<Box<dyn Target>, Failure>;

/// Receives the events of a run with the name of the target.
pub trait Observer {
    /// A step of the work.
    fn step(&self, name: &str, step: Step);

    /// The result of a part of the work.
    fn event(&self, name: &str, event: Event<'_>);
}

/// The result of a part of the work on a target.
#[derive(Debug)]
pub enum Event<'a> {
    /// The target was inspected. With notes.
    Planned(&'a [String]),
    /// The release was uploaded. With the target's place.
    Done(&'a TargetPlace, &'a Done),
    /// The sample was read back.
    ReadBack(&'a ReadBack),
    /// It failed.
    Failed(&'a Failure),
}

/// The outcome for a target.
#[derive(Debug)]
pub struct TargetOutcome {
    /// Its name.
    pub name: String,
    /// The name of its kind.
    pub kind: &'static str,
    /// Its place, if it is known.
    pub place: Option<TargetPlace>,
    /// The release that it held, and the planned changes.
    pub plan: Option<Plan>,
    /// The changes made.
    pub done: Option<Done>,
    /// The result of reading back.
    pub read_back: Option<ReadBack>,
    /// Its final state.
    pub state: TargetState,
    /// The reason why it failed or refused the release.
    pub error: Option<Failure>,
}

/// The final state of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetState {
    /// Only a plan was made.
    Planned,
    /// It has the release, and some of it was new.
    Published,
    /// It had the whole release already.
    Unchanged,
    /// It must not have the release.
    Refused,
    /// The upload failed.
    Failed,
    /// It was not changed, because another target refused the release.
    Left,
}

impl TargetState {
    /// The name of the state.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Published => "published",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Left => "left",
        }
    }
}

/// The input of a run.
pub struct PublishRun<'a> {
    /// The release.
    pub release: &'a mut Publication,
    /// Every target of the repository.
    pub configured: &'a [PublishTarget],
    /// The function that opens targets.
    pub open: Open<'a>,
    /// Receives the events.
    pub observer: &'a dyn Observer,
}

/// The order of targets: those that hold releases come before those that refer to them.
fn turn(kind: &PublishKind) -> u8 {
    match kind {
        PublishKind::Kubo(_) | PublishKind::Cluster(_) | PublishKind::Directory(_) => 0,
        PublishKind::Git(_) | PublishKind::Ipns(_) | PublishKind::Dnslink(_) => 1,
        // A pinning service may take half an hour.
        PublishKind::PinningService(_) => 2,
    }
}

/// The targets that `target` depends on: one of them must hold a release before `target` gets it.
fn holders<'c>(target: &PublishTarget, configured: &'c [PublishTarget]) -> Vec<&'c PublishTarget> {
    let is_one = |other: &&PublishTarget| match &target.holders {
        Some(names) => names.contains(&other.name),
        None => other.kind.is_holder_for(&target.kind),
    };
    configured
        .iter()
        .filter(|other| other.name != target.name)
        .filter(is_one)
        .collect()
}

/// Refuses a target that needs a holder if no target of the repository could be one.
fn check_holders(target: &PublishTarget, configured: &[PublishTarget]) -> Result<(), Failure> {
    let is_elsewhere = target.holders.as_ref().is_some_and(Vec::is_empty);
    if !target.kind.needs_holder() || is_elsewhere || !holders(target, configured).is_empty() {
        return Ok(());
    }
    Err(Failure::refused(format!(
        "no target of this repository could hold the release for a `{}` target, so it is unknown \
         whether readers would find it",
        target.kind.as_str()
    ))
    .help(
        "add a target of the kind `kubo` or `cluster`, or name a holder with `holders = \
         [\"NAME\"]`; `holders = []` means that the release is held elsewhere",
    ))
}

/// The state of a target after its plan.
struct Prepared<'a> {
    configured: &'a PublishTarget,
    target: Option<Box<dyn Target>>,
    outcome: TargetOutcome,
}

impl<'a> Prepared<'a> {
    fn new(
        configured: &'a PublishTarget,
        mut outcome: TargetOutcome,
        target: Result<Box<dyn Target>, Failure>,
    ) -> Self {
        let target = target.map_err(|error| fail(&mut outcome, error)).ok();
        Self {
            configured,
            target,
            outcome,
        }
    }
}

fn outcome_of(configured: &PublishTarget) -> TargetOutcome {
    TargetOutcome {
        name: configured.name.clone(),
        kind: configured.kind.as_str(),
        place: None,
        plan: None,
        done: None,
        read_back: None,
        state: TargetState::Planned,
        error: None,
    }
}

impl<'a> PublishRun<'a> {
    /// Inspects each of these targets. If one refuses the release, none is changed; otherwise each
    /// gets the blocks that it lacks. With `is_dry` nothing is changed. The outcomes are in the
    /// order of the targets' turns.
    pub async fn publish(
        &mut self,
        chosen: &[&'a PublishTarget],
        is_dry: bool,
    ) -> Vec<TargetOutcome> {
        let mut turns = chosen.to_vec();
        turns.sort_by_key(|target| turn(&target.kind));
        let mut prepared = Vec::new();
        for configured in turns {
            prepared.push(self.prepare(configured).await);
        }
        let is_gap = |one: &Prepared<'_>| {
            let error = one.outcome.error.as_ref();
            error.is_some_and(|error| error.kind == FailureKind::Gap)
        };
        if prepared.iter().any(is_gap) {
            self.gather_history().await;
            for one in &mut prepared {
                if is_gap(one) {
                    *one = self.prepare(one.configured).await;
                }
            }
        }
        for one in &prepared {
            if let Some(error) = &one.outcome.error {
                self.observer.event(&one.outcome.name, Event::Failed(error));
            }
        }
        if !is_dry {
            self.upload(&mut prepared).await;
        }
        prepared.into_iter().map(|one| one.outcome).collect()
    }

    /// Opens a target and inspects it.
    async fn prepare(&self, configured: &'a PublishTarget) -> Prepared<'a> {
        let mut outcome = outcome_of(configured);
        let target = self.plan(configured, &mut outcome).await;
        if let Some(plan) = &outcome.plan {
            self.observer
                .event(&configured.name, Event::Planned(&plan.notes));
        }
        Prepared::new(configured, outcome, target)
    }

    async fn plan(
        &self,
        configured: &PublishTarget,
        outcome: &mut TargetOutcome,
    ) -> Result<Box<dyn Target>, Failure> {
        check_holders(configured, self.configured)?;
        let mut target = (self.open)(configured)?;
        outcome.place = Some(target.place());
        let report = |step| self.observer.step(&configured.name, step);
        let plan = target.plan(self.release, &report).await?;
        let held = plan.held;
        outcome.plan = Some(plan);
        if let Some(held) = held {
            check_follows(self.release, &held)?;
        }
        Ok(target)
    }

    /// Collects the statements that the repository's targets keep.
    async fn gather_history(&mut self) {
        gather_history(
            &mut self.release.history,
            self.configured,
            self.open,
            &self.release.name,
        )
        .await;
    }

    /// Uploads the release to every target, in their order.
    async fn upload(&self, prepared: &mut [Prepared<'a>]) {
        let has_refused = |prepared: &[Prepared<'_>]| {
            let mut outcomes = prepared.iter().map(|one| one.outcome.state);
            outcomes.any(|state| state == TargetState::Refused)
        };
        let mut has_changed = false;
        // The releases found at targets outside of this run.
        let mut asked = BTreeMap::new();
        let mut turns: VecDeque<usize> = (0..prepared.len()).collect();
        let mut postponed = BTreeSet::new();
        while let Some(index) = turns.pop_front() {
            if prepared[index].outcome.state != TargetState::Planned {
                continue;
            }
            if has_refused(prepared) {
                prepared[index].outcome.state = TargetState::Left;
                continue;
            }
            let configured = prepared[index].configured;
            if let Err(error) = self.wait_for(configured, prepared, &mut asked).await {
                // A later holder may be enough.
                let holders = holders(configured, self.configured);
                let is_pending = |at: &usize| {
                    let name = &prepared[*at].configured.name;
                    holders.iter().any(|holder| holder.name == *name)
                };
                if turns.iter().any(is_pending) && postponed.insert(index) {
                    turns.push_back(index);
                    continue;
                }
                self.observer.event(&configured.name, Event::Failed(&error));
                fail(&mut prepared[index].outcome, error);
                continue;
            }
            // An earlier target may have provided blocks that this one lacked.
            if has_changed {
                let mut outcome = outcome_of(configured);
                let target = self.plan(configured, &mut outcome).await;
                prepared[index] = Prepared::new(configured, outcome, target);
            }
            let Prepared {
                target, outcome, ..
            } = &mut prepared[index];
            let done = match target {
                Some(target) => {
                    has_changed = true;
                    self.carry_out(&mut **target, outcome).await
                }
                None => Ok(()),
            };
            if let Err(error) = done {
                fail(outcome, error);
            }
            if let Some(error) = &outcome.error {
                self.observer.event(&configured.name, Event::Failed(error));
            }
        }
    }

    async fn carry_out(
        &self,
        target: &mut dyn Target,
        outcome: &mut TargetOutcome,
    ) -> Result<(), Failure> {
        let name = outcome.name.clone();
        let report = |step| self.observer.step(&name, step);
        let done = target.carry_out(self.release, &report).await?;
        self.observer
            .event(&name, Event::Done(&target.place(), &done));
        outcome.state = if done.moved.blocks == 0 && done.changes.is_empty() {
            TargetState::Unchanged
        } else {
            TargetState::Published
        };
        outcome.done = Some(done);
        let back = target.read_back(self.release, &report).await?;
        self.observer.event(&name, Event::ReadBack(&back));
        outcome.read_back = Some(back);
        Ok(())
    }

    /// Checks that another target holds the release and has proved it before a target gets its
    /// turn.
    async fn wait_for(
        &self,
        configured: &PublishTarget,
        prepared: &[Prepared<'_>],
        asked: &mut BTreeMap<String, Result<ReadBack, Failure>>,
    ) -> Result<(), Failure> {
        let is_elsewhere = configured.holders.as_ref().is_some_and(Vec::is_empty);
        if !configured.kind.needs_holder() || is_elsewhere {
            return Ok(());
        }
        let is_named = configured.holders.is_some();
        // An unverified report is enough if the settings name the holder.
        let is_enough = |back: &ReadBack| is_named || (back.is_kept && back.read.blocks > 0);
        let mut reasons = Vec::new();
        for holder in holders(configured, self.configured) {
            let in_run = prepared
                .iter()
                .find(|one| one.configured.name == holder.name);
            let back = match in_run {
                Some(one) => one.outcome.read_back.as_ref(),
                None => None,
            };
            if back.is_some_and(is_enough) {
                return Ok(());
            }
            reasons.push(match (in_run.map(|one| &one.outcome), back) {
                (_, Some(back)) => format!("`{}` {}", holder.name, insufficient(back)),
                (Some(outcome), None) if outcome.error.is_some() => {
                    format!("`{}` has failed", holder.name)
                }
                (Some(_), None) => format!("`{}` comes later", holder.name),
                (None, None) => {
                    if !asked.contains_key(&holder.name) {
                        asked.insert(holder.name.clone(), self.ask(holder).await);
                    }
                    match asked.get(&holder.name) {
                        Some(Ok(back)) if is_enough(back) => return Ok(()),
                        Some(Ok(back)) => format!("`{}` {}", holder.name, insufficient(back)),
                        Some(Err(error)) => format!("`{}`: {error}", holder.name),
                        None => continue,
                    }
                }
            });
        }
        Err(Failure::world(format!(
            "it is not changed, because no other target is proved to hold the release: {}",
            reasons.join("; ")
        ))
        .help("publish to one of these targets first; `holders` names the targets that count"))
    }

    /// Reads back the release from a target outside of this run.
    async fn ask(&self, holder: &PublishTarget) -> Result<ReadBack, Failure> {
        let mut target = (self.open)(holder)?;
        let report = |step| self.observer.step(&holder.name, step);
        let plan = target.plan(self.release, &report).await?;
        let root = self.release.root();
        let is_there = plan.held.is_some_and(|held| held.root == root) && plan.moved.blocks == 0;
        if !is_there {
            return Err(Failure::world("it does not have the release yet"));
        }
        target.read_back(self.release, &report).await
    }
}

/// The reason why reading back from a target does not prove that it holds the release.
fn insufficient(back: &ReadBack) -> &'static str {
    if back.is_kept {
        "reports that it has the release, but it cannot be read back"
    } else {
        "has blocks that it does not keep itself"
    }
}

fn fail(outcome: &mut TargetOutcome, error: Failure) {
    outcome.state = if error.is_refusal() {
        TargetState::Refused
    } else {
        TargetState::Failed
    };
    outcome.error = Some(error);
}

/// Collects the statements that folders and branches of the repository keep. Unreadable ones are
/// skipped.
pub async fn gather_history(
    history: &mut History,
    configured: &[PublishTarget],
    open: Open<'_>,
    repository: &str,
) {
    for one in configured {
        if let PublishKind::Directory(_) | PublishKind::Git(_) = one.kind
            && let Ok(mut target) = open(one)
            && let Ok(statements) = target.statements(repository).await
        {
            for one in statements {
                history.add(one);
            }
        }
    }
}
