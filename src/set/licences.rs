//! The licences of wheels: what their metadata says, as SPDX expressions, and what a set accepts.
//!
//! Specifications: SPDX 2.3, annex D, and PEP 639. Metadata without a valid expression is not guessed
//! about: such a licence is [`Licence::Unknown`], with the reason.

mod classifiers;
mod expression;
mod metadata;
mod policy;

pub use classifiers::{is_licence_classifier, spdx_id};
pub use expression::{ExpressionError, LicenceExpression, LicenceTerm};
pub use metadata::{Licence, LicenceOrigin, UnknownLicence};
pub use policy::{
    Clarification, LicenceException, LicencePolicy, Objection, Refusal, RefusedTerm,
    UnknownLicences, UsedEntries,
};
