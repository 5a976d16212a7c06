//! The releases that targets hold, for their maintainers and for monitoring.

use jiff::{SignedDuration, Timestamp};

use super::History;
use super::place::TargetPlace;
use super::published_release::PublishedRelease;
use super::run::Open;
use crate::foundation::failure::Failure;
use crate::set::repository::PublishTarget;

/// The releases of a target.
#[derive(Debug)]
pub struct TargetStatus {
    /// Its name.
    pub name: String,
    /// The name of its kind.
    pub kind: &'static str,
    /// Its place, if it is known.
    pub place: Option<TargetPlace>,
    /// Its state.
    pub state: HoldingState,
    /// The releases that it holds or refers to, the newest first; `None` if it could not be
    /// reached.
    pub releases: Option<Vec<ReleaseStatus>>,
    /// The reason why it could not be reached.
    pub error: Option<Failure>,
}

/// A release that a target holds, with facts from its statement if that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReleaseStatus {
    /// The release.
    pub release: PublishedRelease,
    /// The creation time of its statement.
    pub created: Option<Timestamp>,
    /// The expiry of its statement, if it has one.
    pub expires: Option<Timestamp>,
}

/// The remaining lifetime below which a statement expires soon.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

impl ReleaseStatus {
    /// The expiry of its statement, if it is soon.
    pub fn expires_soon(&self, now: Timestamp) -> Option<Timestamp> {
        let is_soon = |expires: &Timestamp| *expires > now && expires.duration_since(now) < SOON;
        self.expires.filter(is_soon)
    }
}

/// The state of a target compared with the newest known release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldingState {
    /// It has the newest one.
    Current,
    /// It has the newest one, whose statement has expired.
    Expired,
    /// It has an older one.
    Behind,
    /// It has a release that differs from another target's with the same sequence.
    Forked,
    /// It has none.
    Empty,
    /// It could not be reached.
    Unknown,
}

impl HoldingState {
    /// The name of the state.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Expired => "expired",
            Self::Behind => "behind",
            Self::Forked => "forked",
            Self::Empty => "empty",
            Self::Unknown => "unknown",
        }
    }
}

/// Inspects these targets. The newest release is the newest of all targets and known statements.
pub async fn status(
    chosen: &[&PublishTarget],
    open: Open<'_>,
    repository: &str,
    history: &History,
    now: Timestamp,
) -> Vec<TargetStatus> {
    let mut targets = Vec::new();
    for configured in chosen {
        targets.push(ask(configured, open, repository, history).await);
    }
    let newest = targets
        .iter()
        .filter_map(|target| target.newest())
        .filter_map(|held| held.release.sequence)
        .chain(history.newest_sequence())
        .max();
    let held: Vec<PublishedRelease> = targets
        .iter()
        .filter_map(|target| Some(target.newest()?.release))
        .collect();
    let is_forked = |one: &PublishedRelease| {
        let mut others = held.iter();
        one.sequence.is_some()
            && others.any(|other| other.sequence == one.sequence && other.root != one.root)
    };
    for target in &mut targets {
        target.state = match target.newest() {
            _ if target.error.is_some() => HoldingState::Unknown,
            None => HoldingState::Empty,
            Some(held) if is_forked(&held.release) => HoldingState::Forked,
            // Releases without a sequence are not compared.
            Some(held) if held.release.sequence.is_some() && held.release.sequence < newest => {
                HoldingState::Behind
            }
            Some(held) if held.expires.is_some_and(|at| at <= now) => HoldingState::Expired,
            Some(_) => HoldingState::Current,
        };
    }
    targets
}

async fn ask(
    configured: &PublishTarget,
    open: Open<'_>,
    repository: &str,
    history: &History,
) -> TargetStatus {
    let mut status = TargetStatus {
        name: configured.name.clone(),
        kind: configured.kind.as_str(),
        place: None,
        state: HoldingState::Unknown,
        releases: None,
        error: None,
    };
    let held = match open(configured) {
        Ok(mut target) => {
            status.place = Some(target.place());
            target.holdings(repository).await
        }
        Err(error) => Err(error),
    };
    match held {
        Ok(held) => {
            let held = held.into_iter().map(|release| {
                let statement = history.statement_of(&release).map(|one| &one.statement);
                ReleaseStatus {
                    release,
                    created: statement.map(|one| one.created),
                    expires: statement.and_then(|one| one.expires),
                }
            });
            status.releases = Some(held.collect());
        }
        Err(error) => status.error = Some(error),
    }
    status
}

impl TargetStatus {
    /// The newest release that it holds.
    pub fn newest(&self) -> Option<&ReleaseStatus> {
        self.releases.as_ref()?.first()
    }
}
