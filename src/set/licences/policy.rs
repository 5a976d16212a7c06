//! The licences that a set accepts: `[licenses]` in `ipwhl.toml`.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use ipwhl_packaging::{ProjectName, Version};

use super::expression::{LicenceExpression, LicenceTerm};
use super::metadata::{Licence, UnknownLicence};

/// The licences that a set accepts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LicencePolicy {
    /// The allowed licences; `None` if each one is that `deny` does not name.
    pub allow: Option<Vec<LicenceTerm>>,
    /// The forbidden licences.
    pub deny: Vec<LicenceTerm>,
    /// Whether the licence of a wheel may be unknown.
    pub unknown: UnknownLicences,
    /// The licences that are allowed for single projects.
    pub exceptions: Vec<LicenceException>,
    /// The licences of projects whose metadata does not state them.
    pub clarifications: Vec<Clarification>,
    /// Whether a part of it could not be read. No wheel is judged by such a policy.
    pub is_broken: bool,
}

/// Whether the licence of a wheel may be unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UnknownLicences {
    /// It is a finding.
    #[default]
    Deny,
    /// It is accepted.
    Allow,
}

/// Licences that are allowed for one project, even if `deny` names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenceException {
    /// The project.
    pub project: ProjectName,
    /// The licences.
    pub allow: Vec<LicenceTerm>,
    /// The reason.
    pub reason: String,
    /// The place of the entry in `ipwhl.toml`.
    pub span: Range<usize>,
}

/// The licence of a project whose metadata does not state one, as a person found it out.
#[derive(Debug, Clone, PartialEq)]
pub struct Clarification {
    /// The project.
    pub project: ProjectName,
    /// The version that the person looked at; `None` for all.
    pub version: Option<Version>,
    /// The licence.
    pub expression: LicenceExpression,
    /// The reason: where it is stated.
    pub reason: String,
    /// The place of the entry in `ipwhl.toml`.
    pub span: Range<usize>,
}

/// The entries of a policy that wheels need, by their positions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsedEntries {
    /// The exceptions without which a licence would be refused.
    pub exceptions: BTreeSet<usize>,
    /// The clarifications of licences that wheels do not state.
    pub clarifications: BTreeSet<usize>,
}

/// The reason why a set does not accept the licence of a wheel.
#[derive(Debug, Clone, PartialEq)]
pub enum Objection<'l> {
    /// It is unknown.
    Unknown(&'l UnknownLicence),
    /// It is not allowed.
    Denied(Refusal<'l>),
}

/// An expression that is not accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal<'l> {
    /// The expression.
    pub expression: &'l LicenceExpression,
    /// The licences in it that are not allowed, sorted, each once.
    pub terms: Vec<RefusedTerm>,
}

/// A licence that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedTerm {
    /// The licence.
    pub term: LicenceTerm,
    /// Whether `deny` names it; otherwise `allow` does not.
    pub is_denied: bool,
}

impl LicencePolicy {
    /// The licence that a person found out for a version of a project.
    pub fn clarified(&self, project: &ProjectName, version: &Version) -> Option<&Clarification> {
        let position = self.clarification(project, version)?;
        self.clarifications.get(position)
    }

    fn clarification(&self, project: &ProjectName, version: &Version) -> Option<usize> {
        let mut clarifications = self.clarifications.iter();
        clarifications.position(|one| {
            one.project == *project && one.version.as_ref().is_none_or(|only| only == version)
        })
    }

    /// Adds the entries that the licence of a wheel needs. If several exceptions allow a licence, the
    /// first one is used.
    pub fn note_used(
        &self,
        project: &ProjectName,
        version: &Version,
        licence: &Licence,
        used: &mut UsedEntries,
    ) {
        let expression = match licence {
            Licence::Known(expression, _) => expression,
            Licence::Unknown(_) => {
                let Some(position) = self.clarification(project, version) else {
                    return;
                };
                used.clarifications.insert(position);
                &self.clarifications[position].expression
            }
        };
        if expression.is_satisfied(|term| self.refusal_by_lists(term).is_none()) {
            return;
        }
        let terms = expression.terms().into_iter();
        let refused = terms.filter(|term| self.refusal_by_lists(term).is_some());
        used.exceptions
            .extend(refused.filter_map(|term| self.exception(project, &term)));
    }

    /// The reason why the set does not accept the licence of a wheel, if it does not. A clarification
    /// counts only if the wheel states no licence: what it states may change.
    pub fn objection<'l>(
        &'l self,
        project: &ProjectName,
        version: &Version,
        licence: &'l Licence,
    ) -> Option<Objection<'l>> {
        let expression = match licence {
            Licence::Known(expression, _) => expression,
            Licence::Unknown(reason) => match self.clarified(project, version) {
                Some(clarification) => &clarification.expression,
                None => {
                    let is_allowed = self.unknown == UnknownLicences::Allow;
                    return (!is_allowed).then_some(Objection::Unknown(reason));
                }
            },
        };
        if expression.is_satisfied(|term| self.refusal(project, term).is_none()) {
            return None;
        }
        let terms = expression.terms().into_iter();
        let refused = terms.filter_map(|term| {
            let is_denied = self.refusal(project, &term)?;
            Some(RefusedTerm { term, is_denied })
        });
        Some(Objection::Denied(Refusal {
            expression,
            terms: refused.collect(),
        }))
    }

    /// Whether `deny` names a licence of a project; `None` if it is allowed.
    fn refusal(&self, project: &ProjectName, term: &LicenceTerm) -> Option<bool> {
        match self.exception(project, term) {
            Some(_) => None,
            None => self.refusal_by_lists(term),
        }
    }

    /// The position of the first exception that allows a licence of a project.
    fn exception(&self, project: &ProjectName, term: &LicenceTerm) -> Option<usize> {
        let mut exceptions = self.exceptions.iter();
        exceptions.position(|one| {
            one.project == *project && one.allow.iter().any(|entry| entry.allows(term))
        })
    }

    /// As [`Self::refusal`], without the exceptions.
    fn refusal_by_lists(&self, term: &LicenceTerm) -> Option<bool> {
        if self.deny.iter().any(|entry| entry.names(term)) {
            return Some(true);
        }
        let is_allowed = self
            .allow
            .as_ref()
            .is_none_or(|allow| allow.iter().any(|entry| entry.allows(term)));
        (!is_allowed).then_some(false)
    }

    /// The rules of a policy as texts, sorted: what a reviewer compares.
    pub fn rules(&self) -> Vec<String> {
        let allow = self.allow.iter().flatten();
        let mut rules: Vec<String> = allow.map(|term| format!("allow {term}")).collect();
        if self.allow.is_none() {
            rules.push("allow all others".to_owned());
        }
        rules.extend(self.deny.iter().map(|term| format!("deny {term}")));
        rules.push(format!("unknown = {}", self.unknown));
        rules.extend(self.exceptions.iter().map(ToString::to_string));
        rules.extend(self.clarifications.iter().map(ToString::to_string));
        rules.sort();
        rules
    }

    /// The rules that accept more wheels than those of an earlier policy, as texts.
    pub fn relaxations(before: Option<&Self>, now: Option<&Self>) -> Vec<String> {
        let (before, now) = match (before, now) {
            (None, _) => return Vec::new(),
            (Some(_), None) => return vec!["there is no policy".to_owned()],
            // The mistake fails the check.
            (Some(_), Some(now)) if now.is_broken => return Vec::new(),
            (Some(before), Some(now)) => (before, now),
        };
        let mut relaxed = Vec::new();
        if let Some(allowed) = &before.allow {
            match &now.allow {
                Some(allow) => {
                    let new = allow.iter().filter(|term| !allowed.contains(term));
                    relaxed.extend(new.map(|term| format!("allow {term}")));
                }
                None => relaxed.push("allow all others".to_owned()),
            }
        }
        let gone = before.deny.iter().filter(|term| !now.deny.contains(term));
        relaxed.extend(gone.map(|term| format!("no longer deny {term}")));
        if now.unknown == UnknownLicences::Allow && before.unknown == UnknownLicences::Deny {
            relaxed.push(format!("unknown = {}", now.unknown));
        }
        let new = now.exceptions.iter();
        let new = new.filter(|one| !before.exceptions.iter().any(|old| old.is_same(one)));
        relaxed.extend(new.map(ToString::to_string));
        let new = now.clarifications.iter();
        let new = new.filter(|one| !before.clarifications.iter().any(|old| old.is_same(one)));
        relaxed.extend(new.map(ToString::to_string));
        relaxed
    }
}

impl LicenceException {
    /// Whether another entry says the same, perhaps in another place.
    fn is_same(&self, other: &Self) -> bool {
        (&self.project, &self.allow, &self.reason) == (&other.project, &other.allow, &other.reason)
    }
}

impl Clarification {
    /// Whether another entry says the same, perhaps in another place.
    fn is_same(&self, other: &Self) -> bool {
        let all = |one: &Self| (one.project.clone(), one.version.clone(), one.reason.clone());
        all(self) == all(other) && self.expression == other.expression
    }
}

impl fmt::Display for UnknownLicences {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Deny => "deny",
            Self::Allow => "allow",
        })
    }
}

impl fmt::Display for LicenceException {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let allow: Vec<String> = self.allow.iter().map(ToString::to_string).collect();
        let allow = allow.join(", ");
        write!(
            formatter,
            "exception for {}: {allow}: {}",
            self.project, self.reason
        )
    }
}

impl fmt::Display for Clarification {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "clarification of {}", self.project)?;
        if let Some(version) = &self.version {
            write!(formatter, " {version}")?;
        }
        write!(formatter, ": {}: {}", self.expression, self.reason)
    }
}
