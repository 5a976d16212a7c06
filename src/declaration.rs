//! Declarations: TOML with spans to a valid declaration and findings, and back.
//!
//! A declaration is one TOML file that describes one project in one version (FORMATS 2).

mod format;
mod model;
mod parse;
pub(crate) mod reader;
mod source;

pub use format::{canonical, write_declaration};
pub use model::{Declaration, DeclaredWheel, Spanned};
pub(crate) use parse::misplaced;
pub use parse::{Layout, Parsed, parse};
pub use source::{PackageUrl, Source, SourceError};
