//! Codes, findings, source texts with spans, and the output of findings.
//!
//! A *finding* is a mistake in a declaration or another file that a person wrote. It is a value:
//! stages collect findings, [`render()`] formats them for people, and a [`Report`] formats them for
//! programs.

mod brief;
mod code;
mod explain;
mod finding;
mod github;
mod gitlab;
mod help;
mod inert;
mod json;
mod markdown;
mod message_format;
mod most;
mod nearest;
mod note;
mod public;
mod render;
mod report;
mod sarif;
mod schema;
mod shell_word;
mod wrap;

pub use brief::brief;
pub use code::{Code, HardCode, Severity, Stage};
pub use explain::{Explanation, findings_page};
pub use finding::{
    AdvisorySeverity, AdvisorySubject, Baseline, Finding, Label, SourceText, SourceTexts, Subject,
    UpdateAnswer, sort,
};
pub use help::{AddCommand, AddPurpose, Help};
pub use inert::{Inert, is_hidden};
pub use inert::{json_line, json_pretty, visible};
pub use json::{
    JsonAdvisory, JsonDatabase, JsonFinding, JsonHelp, JsonLine, JsonPlace, JsonSeverity,
    JsonSummary, JsonUpdate, json_lines,
};
pub use markdown::{code_span, sentence};
pub use message_format::MessageFormat;
pub(crate) use most::more;
pub use most::{MOST_FINDINGS, most};
pub use nearest::nearest;
pub use note::{Note, RequirerChain, SharedCause};
pub(crate) use public::without_credentials;
pub use render::{Style, render};
pub use report::Report;
pub use schema::findings_schema;
pub(crate) use shell_word::shell_word;
pub use wrap::wrap;
