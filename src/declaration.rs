//! Declarations: TOML with spans to a valid declaration and findings, and back.
//!
//! A declaration is one TOML file that describes one project in one version (FORMATS 2).

mod format;
mod misplaced;
mod model;
mod parse;
pub(crate) mod reader;
mod source;
mod write;

pub use format::{canonical, keep_comments};
pub(crate) use misplaced::misplaced;
pub use model::{Declaration, DeclaredWheel, Spanned};
pub use parse::{Layout, Parsed, parse};
pub use source::{PackageUrl, Source, SourceError};
pub use write::write_declaration;
