//! The statement as TOML, written and read (FORMATS 6).

use std::fmt::Write as _;

use ipwhl_unixfs::Cid;
use jiff::Timestamp;
use toml_edit::{Datetime, Document, Item, Table, Value};

use crate::set::repository::{Withdrawal, Withdrawn};

use super::text::{
    FORMAT, FORMAT_WITHDRAWN, MAXIMUM_STATEMENT_SIZE, Statement, StatementError, invalid,
};

/// The keys of a statement. A signature over a text that a reader does not understand is worthless,
/// so any other key is an error: a later format has a later number.
const KEYS: [&str; 10] = [
    "format",
    "name",
    "root",
    "sequence",
    "previous",
    "created",
    "expires",
    "checks",
    "trusted",
    "threshold",
];

impl Statement {
    /// The text of `release.toml` (FORMATS 6): the same statement always gives the same bytes.
    pub fn to_toml(&self) -> String {
        let mut text = format!(
            "format = {}\nname = {}\nroot = {}\nsequence = {}\n",
            if self.withdrawn.is_empty() {
                FORMAT
            } else {
                FORMAT_WITHDRAWN
            },
            quoted(&self.name),
            quoted(&self.root.to_string()),
            self.sequence
        );
        // Writing to a string cannot fail.
        if let Some(previous) = self.previous {
            let _ = writeln!(text, "previous = {}", quoted(&previous.to_string()));
        }
        let _ = writeln!(text, "created = {}", self.created);
        if let Some(expires) = self.expires {
            let _ = writeln!(text, "expires = {expires}");
        }
        if let Some(checks) = self.checks {
            let _ = writeln!(text, "checks = {checks}");
        }
        let trusted: Vec<String> = self
            .trusted
            .iter()
            .map(|key| quoted(&key.to_string()))
            .collect();
        match trusted.as_slice() {
            [] => text.push_str("trusted = []\n"),
            [one] => {
                let _ = writeln!(text, "trusted = [{one}]");
            }
            several => {
                let _ = writeln!(text, "trusted = [\n    {},\n]", several.join(",\n    "));
            }
        }
        let _ = writeln!(text, "threshold = {}", self.threshold);
        for one in &self.withdrawn {
            let subject = match one.subject {
                Withdrawn::File(sha256) => format!("sha256 = {}", quoted(&sha256.to_string())),
                Withdrawn::Release(root) => format!("root = {}", quoted(&root.to_string())),
            };
            let _ = write!(
                text,
                "\n[[withdrawn]]\n{subject}\nreason = {}\ndate = {}\n",
                quoted(&one.reason),
                one.date
            );
        }
        text
    }

    /// Parses a statement. Trust it only after the signatures over these exact bytes have been
    /// verified.
    pub fn parse(text: &str) -> Result<Self, StatementError> {
        if text.len() > MAXIMUM_STATEMENT_SIZE {
            return Err(StatementError::TooLarge(text.len()));
        }
        let document = Document::parse(text)
            .map_err(|error| StatementError::Syntax(error.message().to_owned()))?;
        let table = document.as_table();
        // The format is checked first, because a later format may have any keys.
        let format = integer(table, "format")?;
        if ![FORMAT, FORMAT_WITHDRAWN].contains(&format) {
            return Err(invalid(
                "format",
                format!("is {format}, but this program reads {FORMAT} and {FORMAT_WITHDRAWN}"),
            ));
        }
        let is_known =
            |key: &str| KEYS.contains(&key) || (key == "withdrawn" && format == FORMAT_WITHDRAWN);
        if let Some((key, _)) = table.iter().find(|(key, _)| !is_known(key)) {
            return Err(StatementError::UnknownKey(key.to_owned()));
        }
        let trusted = required(table, "trusted")?
            .as_array()
            .ok_or_else(|| invalid("trusted", "is not an array"))?
            .iter()
            .map(|line| {
                let line = line
                    .as_str()
                    .ok_or_else(|| invalid("trusted", "has a value that is not a string"))?;
                line.parse().map_err(StatementError::Key)
            })
            .collect::<Result<_, _>>()?;
        let sequence = integer(table, "sequence")?;
        let threshold = integer(table, "threshold")?;
        let statement = Self {
            name: string(table, "name")?.to_owned(),
            root: cid(table, "root")?,
            sequence: u64::try_from(sequence)
                .map_err(|_| invalid("sequence", format!("is {sequence}, but the first is 1")))?,
            previous: table
                .contains_key("previous")
                .then(|| cid(table, "previous"))
                .transpose()?,
            created: timestamp(table, "created")?,
            expires: table
                .contains_key("expires")
                .then(|| timestamp(table, "expires"))
                .transpose()?,
            checks: table
                .contains_key("checks")
                .then(|| small(table, "checks"))
                .transpose()?,
            trusted,
            threshold: u32::try_from(threshold).map_err(|_| {
                invalid(
                    "threshold",
                    format!("is {threshold}, but must be at least 1"),
                )
            })?,
            withdrawn: match format {
                FORMAT => Vec::new(),
                _ => withdrawals(table)?,
            },
        };
        statement.check()?;
        Ok(statement)
    }
}

/// The withdrawals of a statement of format 2, which has at least one.
fn withdrawals(table: &Table) -> Result<Vec<Withdrawal>, StatementError> {
    let wrong = |reason: &str| invalid("withdrawn", reason);
    let tables = table.get("withdrawn").and_then(Item::as_array_of_tables);
    let tables = tables.ok_or_else(|| wrong("is missing or no array of tables, in format 2"))?;
    let withdrawal = |table: &Table| {
        const KEYS: [&str; 4] = ["sha256", "root", "reason", "date"];
        if table.iter().any(|(key, _)| !KEYS.contains(&key)) {
            return Err(wrong("has a key that its format does not know"));
        }
        let subject = match (table.contains_key("sha256"), table.contains_key("root")) {
            (true, false) => string(table, "sha256")?
                .parse()
                .map(Withdrawn::File)
                .map_err(|_| wrong("has a `sha256` that is none"))?,
            (false, true) => Withdrawn::Release(cid(table, "root")?),
            _ => return Err(wrong("names not exactly one of a file and a release")),
        };
        let date = required(table, "date")?.as_datetime();
        let date = date.filter(|date| date.time.is_none() && date.offset.is_none());
        let date = date.and_then(|date| date.to_string().parse().ok());
        Ok(Withdrawal {
            subject,
            reason: string(table, "reason")?.to_owned(),
            date: date.ok_or_else(|| wrong("has a `date` that is not a day"))?,
        })
    };
    tables.iter().map(withdrawal).collect()
}

fn required<'a>(table: &'a Table, key: &'static str) -> Result<&'a Value, StatementError> {
    match table.get(key) {
        None | Some(Item::None) => Err(StatementError::MissingKey(key)),
        Some(item) => item.as_value().ok_or_else(|| invalid(key, "is a table")),
    }
}

fn string<'a>(table: &'a Table, key: &'static str) -> Result<&'a str, StatementError> {
    required(table, key)?
        .as_str()
        .ok_or_else(|| invalid(key, "is not a string"))
}

fn integer(table: &Table, key: &'static str) -> Result<i64, StatementError> {
    required(table, key)?
        .as_integer()
        .ok_or_else(|| invalid(key, "is not a whole number"))
}

fn small(table: &Table, key: &'static str) -> Result<u32, StatementError> {
    let number = integer(table, key)?;
    u32::try_from(number).map_err(|_| invalid(key, format!("is {number}, out of its range")))
}

fn cid(table: &Table, key: &'static str) -> Result<Cid, StatementError> {
    let text = string(table, key)?;
    text.parse::<Cid>()
        .map_err(|error| invalid(key, format!("is {text:?}, which is not a CID: {error}")))
}

fn timestamp(table: &Table, key: &'static str) -> Result<Timestamp, StatementError> {
    let value = required(table, key)?.as_datetime();
    let value: &Datetime = value.ok_or_else(|| invalid(key, "is not a date and time"))?;
    // Only TOML's offset date-time identifies an instant; its other three kinds do not.
    if value.date.is_none() || value.time.is_none() || value.offset.is_none() {
        return Err(invalid(
            key,
            format!("is {value}, which is not an instant: write 2026-11-20T00:00:00Z"),
        ));
    }
    value
        .to_string()
        .parse()
        .map_err(|_| invalid(key, format!("is {value}, which is not an instant")))
}

/// A TOML basic string (TOML 1.0, "String"). Written here so that a new version of a library cannot
/// change the signed bytes.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(character);
            }
            character if character.is_control() => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(character));
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}
