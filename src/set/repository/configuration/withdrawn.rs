//! `[[withdrawn]]`: files and releases that the maintainers no longer stand behind (format 2).

use std::fmt;

use ipwhl_unixfs::{Cid, Codec, Sha256Digest};
use jiff::civil::Date;

use crate::foundation::diagnostic::{Code, Finding, is_hidden};
use crate::set::declaration::reader::{Reader, Table};

/// The longest reason, in bytes: each later statement carries it.
const MAXIMUM_REASON_LENGTH: usize = 255;

/// A file or a release that is withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// The withdrawn thing.
    pub subject: Withdrawn,
    /// The reason: one line of text.
    pub reason: String,
    /// The day.
    pub date: Date,
}

/// A withdrawn thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawn {
    /// A file, by its SHA-256.
    File(Sha256Digest),
    /// A whole release, by its root.
    Release(Cid),
}

impl fmt::Display for Withdrawn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(sha256) => write!(formatter, "the file with the SHA-256 {sha256}"),
            Self::Release(root) => write!(formatter, "the release {root}"),
        }
    }
}

impl Withdrawal {
    /// Whether a text can be the reason: one line of visible text.
    pub fn is_reason(text: &str) -> bool {
        !text.trim().is_empty() && text.len() <= MAXIMUM_REASON_LENGTH && !text.contains(is_hidden)
    }
}

/// Reads one `[[withdrawn]]` table.
pub(super) fn withdrawal(reader: &Reader, table: &Table<'_, '_>) -> Option<Withdrawal> {
    let file = table.string("sha256").and_then(|text| {
        let reason = match text.value.parse::<Sha256Digest>() {
            Ok(sha256) if sha256 != Sha256Digest::of(b"") => return Some(Withdrawn::File(sha256)),
            Ok(_) => "the SHA-256 of an empty file, which no wheel is",
            Err(_) => "not a SHA-256",
        };
        let message = format!("`{}` is {reason}", text.value);
        reader.report(Code::InvalidValue, message, &text.span);
        None
    });
    let release = table.string("root").and_then(|text| {
        // A release is a folder.
        let root = text.value.parse::<Cid>().ok();
        let root = root.filter(|root| root.codec() == Codec::DagPb);
        if root.is_none() {
            let message = format!("`{}` is not the CID of a release", text.value);
            reader.report(Code::InvalidValue, message, &text.span);
        }
        root.map(Withdrawn::Release)
    });
    match (table.has("sha256"), table.has("root")) {
        (false, false) => {
            table.missing("sha256", "name a file by `sha256`, or a release by `root`");
        }
        (true, true) => reader.push(
            Finding::new(
                Code::InvalidValue,
                "a `[[withdrawn]]` table names both a file and a release",
            )
            .at(&reader.file, table.span.clone(), "")
            .help("write one table for each"),
        ),
        _ => {}
    }
    let reason = table.string("reason");
    if !table.has("reason") {
        table.missing("reason", "say why it is withdrawn");
    }
    let reason = reason.filter(|reason| {
        let is_reason = Withdrawal::is_reason(reason.value);
        if !is_reason {
            let message = format!(
                "`reason` must be one line of visible text, of 1 to {MAXIMUM_REASON_LENGTH} bytes"
            );
            reader.report(Code::InvalidValue, message, &reason.span);
        }
        is_reason
    });
    let date = table.date("date");
    if !table.has("date") {
        table.missing("date", "write the day: `date = 2026-11-20`");
    }
    let subject = match (file, release) {
        (Some(one), None) | (None, Some(one)) => Some(one),
        _ => None,
    };
    Some(Withdrawal {
        subject: subject?,
        reason: reason?.value.to_owned(),
        date: date?.value,
    })
}
