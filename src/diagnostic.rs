//! Codes, findings, and source text with spans; and how findings are shown.
//!
//! A *finding* is something wrong with what a person wrote or declared. It is a value: stages
//! collect findings, [`render()`] shows them.

mod code;
mod finding;
mod json;
mod nearest;
mod render;

pub use code::{Code, Severity, Stage};
pub use finding::{Baseline, Finding, Help, Label, SourceText, SourceTexts, Subject, sort};
pub use json::json_lines;
pub use nearest::nearest;
pub use render::{Style, render};
