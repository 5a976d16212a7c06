//! Advisories about versions of projects, in the OSV format: reading, ranges, aliases, the index by
//! project, and the findings about declared versions.
//!
//! The specification is the OSV schema 1.7. Advisories are JSON, or YAML as in the database of the
//! Python Packaging Authority. Only the ecosystem `PyPI` counts, and its versions are those of
//! PEP 440. Everything here is computed from bytes that the caller has read.

mod advisory;
mod database;
mod findings;
mod merged;
mod range;
mod record;
mod severity;
mod stored;
mod yaml;

pub use advisory::{Advisory, Affected, Entry};
pub use database::{BrokenEntry, Database, DatabaseBuilder, DatabaseFacts, LARGEST_ENTRY};
pub use findings::{AuditRules, about_database, about_versions, not_audited};
pub use merged::{KnownVulnerability, vulnerabilities};
pub use range::{Range, RangeError};
pub use record::{EntryFormat, Record, RecordError, VersionList};
pub use severity::{Rating, Score};
pub use stored::{INDEX_VERSION, StoredError, StoredIndex, write_index};
