//! Declarations: from TOML with spans to a valid declaration and findings, and back.
//!
//! A declaration is one TOML file that describes one project in one version (FORMATS 2).

mod directive;
mod edit;
mod faithful;
mod format;
mod limits;
mod misplaced;
mod model;
mod parse;
pub(crate) mod reader;
mod schema;
mod source;
mod version;
mod write;

pub use directive::schema_directive;
pub(crate) use directive::without_directives;
pub use edit::{FileChange, change_files, made_automatic};
pub use faithful::{Unformatted, formatted};
pub use format::{canonical, canonical_in, declares_all_of, differing_keys, keep_comments, merged};
pub use limits::LARGEST_DECLARATION;
pub(crate) use limits::Tally;
pub(crate) use misplaced::misplaced;
pub use model::{Declaration, DeclaredWheel, Provenance, Spanned};
pub use parse::{Layout, Parsed, parse, parse_in};
pub use schema::{DECLARATION_SCHEMA_FILE, declaration_schema};
pub(crate) use source::is_git_folder;
pub use source::{PackageUrl, Source, SourceError};
pub use version::FormatVersion;
pub use write::write_declaration;
