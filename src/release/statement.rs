//! The statement: the small text that vouches for a release, and sequences of statements.
//!
//! It contains the name of the repository, the release's root CID, its place in the sequence of
//! releases and the keys that may sign the next one. Signatures are in files beside it.

mod chain;
pub mod folder;
mod lifetime;
mod read;
mod record;
mod signed;
mod site;
mod text;
mod toml;

pub use chain::{ChainError, Newness, Next};
pub use lifetime::{LifetimeError, parse_lifetime};
pub use read::{located, read_statement, unfinished_build_help};
pub use signed::{SignatureFile, SignedStatement, is_signature_of};
pub use site::{Newest, OpenSite, absent, is_site, unreachable};
pub use text::{Draft, MAXIMUM_STATEMENT_SIZE, MAXIMUM_TRUSTED, Statement, StatementError};
