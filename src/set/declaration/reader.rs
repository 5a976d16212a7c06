//! Reads typed values from a TOML table. Mistakes become findings with spans, and reading
//! continues.

mod hidden;
mod syntax;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;
use toml::de::{DeTable, DeValue};

use crate::foundation::diagnostic::{Code, Finding, Help, MOST_FINDINGS, more, nearest};

use super::Spanned;
use super::limits::{LONGEST_LIST, LONGEST_TEXT};
use syntax::{Mistake, mistakes};

/// Collects the findings of one file.
#[derive(Debug)]
pub(crate) struct Reader {
    /// The file's name.
    pub(crate) file: Arc<str>,
    findings: RefCell<Vec<Finding>>,
    /// The number of dropped findings.
    more: Cell<usize>,
}

impl Reader {
    pub(crate) fn new(file: &Arc<str>) -> Self {
        Self {
            file: Arc::clone(file),
            findings: RefCell::default(),
            more: Cell::default(),
        }
    }

    /// Adds a finding at a place of the file.
    pub(crate) fn report(&self, code: Code, message: impl Into<String>, span: &Range<usize>) {
        self.push(Finding::new(code, message).at(&self.file, span.clone(), ""));
    }

    pub(crate) fn push(&self, finding: Finding) {
        let mut findings = self.findings.borrow_mut();
        if findings.len() < MOST_FINDINGS {
            findings.push(finding);
        } else {
            self.more.set(self.more.get() + 1);
        }
    }

    /// The number of findings so far.
    pub(crate) fn count(&self) -> usize {
        self.findings.borrow().len() + self.more.get()
    }

    /// The findings. Those beyond [`MOST_FINDINGS`] are replaced by one that counts them.
    pub(crate) fn into_findings(self) -> Vec<Finding> {
        let mut findings = self.findings.into_inner();
        if self.more.get() > 0 {
            findings.push(more(Some(&self.file), self.more.get()));
        }
        findings
    }

    /// Reports that a limit was exceeded.
    pub(crate) fn too_large(&self, message: String, span: &Range<usize>, help: &str) {
        let finding = Finding::new(Code::TooLarge, message).at(&self.file, span.clone(), "");
        self.push(finding.help(help));
    }

    /// Whether a list has at most the allowed number of elements; reports a finding if not.
    fn is_small(&self, key: &str, count: usize, span: &Range<usize>) -> bool {
        let is_small = count <= LONGEST_LIST;
        if !is_small {
            let message = format!("`{key}` has {count} entries; a list has at most {LONGEST_LIST}");
            self.too_large(message, span, "remove the entries that are not needed");
        }
        is_small
    }

    /// The text of a value, unless it is longer than allowed.
    fn short<'t>(&self, text: &'t str, span: Range<usize>) -> Option<Spanned<&'t str>> {
        if text.len() <= LONGEST_TEXT {
            return Some(Spanned::new(text, span));
        }
        let message = format!(
            "this text has {} bytes; one value has at most {LONGEST_TEXT}",
            text.len()
        );
        self.too_large(
            message,
            &span,
            "use shorter names, requirements and addresses",
        );
        None
    }

    /// Parses the whole text, and reports hidden characters. Each mistake is a `syntax` finding,
    /// except those that follow from another.
    pub(crate) fn parse_document<'t>(&self, text: &'t str) -> (toml::Spanned<DeTable<'t>>, bool) {
        self.report_hidden(text);
        self.parse_foreign(text)
    }

    /// Parses the whole text of a file that is not a part of the set.
    pub(crate) fn parse_foreign<'t>(&self, text: &'t str) -> (toml::Spanned<DeTable<'t>>, bool) {
        let (document, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            return (document, true);
        }
        for Mistake { message, span, end } in mistakes(text) {
            // At the end of a line or of the text there is no character to point at, only a place.
            let is_end = text[..span.end.min(text.len())]
                .get(span.start..)
                .is_none_or(|pointed| pointed.trim_matches(['\r', '\n']).is_empty());
            let span = if is_end { span.start..span.start } else { span };
            let opened = if end.is_some() { "opened here" } else { "" };
            let mut finding =
                Finding::new(Code::Syntax, format!("the file is not TOML: {message}"))
                    .at(&self.file, span, opened);
            if let Some(end) = end {
                finding = finding.at(&self.file, end..end, "not closed by here");
            }
            self.push(finding);
        }
        (document, false)
    }
}

/// A table whose keys are being read. Keys left unread are unknown keys.
pub(crate) struct Table<'r, 't> {
    reader: &'r Reader,
    entries: &'t DeTable<'t>,
    /// The place of the table: its header, or the whole text for the top.
    pub(crate) span: Range<usize>,
    known: RefCell<BTreeSet<&'static str>>,
    /// Its name in messages.
    place: &'static str,
}

impl<'r, 't> Table<'r, 't> {
    pub(crate) fn new(
        reader: &'r Reader,
        table: &'t DeTable<'t>,
        span: Range<usize>,
        place: &'static str,
    ) -> Self {
        Self {
            reader,
            entries: table,
            span,
            known: RefCell::default(),
            place,
        }
    }

    /// The raw value of a key, with its place.
    pub(crate) fn value(&self, key: &'static str) -> Option<(&'t DeValue<'t>, Range<usize>)> {
        self.known.borrow_mut().insert(key);
        let value = self.entries.get(key)?;
        Some((value.get_ref(), value.span()))
    }

    /// Whether the key has an empty list. This does not mark the key as read.
    pub(crate) fn is_empty_list(&self, key: &str) -> bool {
        self.entries
            .get(key)
            .and_then(|value| value.get_ref().as_array())
            .is_some_and(|array| array.is_empty())
    }

    /// Whether the key is present. This does not mark the key as read.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// The place of the key itself.
    pub(crate) fn key_span(&self, key: &str) -> Option<Range<usize>> {
        self.entries.get_key_value(key).map(|(key, _)| key.span())
    }

    fn wrong_type(&self, key: &str, wanted: &str, value: &DeValue<'_>, span: &Range<usize>) {
        self.reader.report(
            Code::InvalidValue,
            format!(
                "`{key}` must be {wanted}, not {}",
                with_article(value.type_str())
            ),
            span,
        );
    }

    pub(crate) fn string(&self, key: &'static str) -> Option<Spanned<&'t str>> {
        let (value, span) = self.value(key)?;
        let Some(text) = value.as_str() else {
            self.wrong_type(key, "a string", value, &span);
            return None;
        };
        self.reader.short(text, span)
    }

    pub(crate) fn boolean(&self, key: &'static str) -> Option<Spanned<bool>> {
        let (value, span) = self.value(key)?;
        let Some(truth) = value.as_bool() else {
            self.wrong_type(key, "true or false", value, &span);
            return None;
        };
        Some(Spanned::new(truth, span))
    }

    /// A whole number of at least 0.
    pub(crate) fn number(&self, key: &'static str) -> Option<Spanned<u64>> {
        let (value, span) = self.value(key)?;
        let Some(integer) = value.as_integer() else {
            self.wrong_type(key, "a whole number", value, &span);
            return None;
        };
        // An integer that does not fit is available as text only.
        let Ok(number) = u64::from_str_radix(integer.as_str(), integer.radix()) else {
            let wrong = if integer.as_str().starts_with('-') {
                "is below 0"
            } else {
                "is too large"
            };
            self.reader
                .report(Code::InvalidValue, format!("`{key}` {wrong}"), &span);
            return None;
        };
        Some(Spanned::new(number, span))
    }

    /// A day.
    pub(crate) fn date(&self, key: &'static str) -> Option<Spanned<Date>> {
        let (value, span) = self.value(key)?;
        let date = value
            .as_datetime()
            .filter(|datetime| datetime.time.is_none())
            .and_then(|datetime| datetime.date)
            .and_then(|date| {
                let month = i8::try_from(date.month).ok()?;
                let day = i8::try_from(date.day).ok()?;
                Date::new(i16::try_from(date.year).ok()?, month, day).ok()
            });
        if date.is_none() {
            self.wrong_type(key, "a day as in `2027-03-01`", value, &span);
        }
        Some(Spanned::new(date?, span))
    }

    /// A list of strings.
    pub(crate) fn strings(&self, key: &'static str) -> Option<Spanned<Vec<Spanned<&'t str>>>> {
        let (value, span) = self.value(key)?;
        let Some(array) = value.as_array() else {
            self.wrong_type(key, "a list of strings", value, &span);
            return None;
        };
        if !self.reader.is_small(key, array.len(), &span) {
            return None;
        }
        let mut strings = Vec::with_capacity(array.len());
        for element in array {
            match element.get_ref().as_str() {
                Some(text) => strings.extend(self.reader.short(text, element.span())),
                None => self.reader.report(
                    Code::InvalidValue,
                    format!(
                        "`{key}` must be a list of strings, but this is {}",
                        with_article(element.get_ref().type_str())
                    ),
                    &element.span(),
                ),
            }
        }
        Some(Spanned::new(strings, span))
    }

    /// One string or a list of them.
    pub(crate) fn one_or_several(
        &self,
        key: &'static str,
    ) -> Option<Spanned<Vec<Spanned<&'t str>>>> {
        let (value, span) = self.value(key)?;
        match value.as_str() {
            Some(text) => {
                let text = self.reader.short(text, span.clone())?;
                Some(Spanned::new(vec![text], span))
            }
            None => self.strings(key),
        }
    }

    /// A table under this one.
    pub(crate) fn table(&self, key: &'static str, place: &'static str) -> Option<Table<'r, 't>> {
        let (value, span) = self.value(key)?;
        let Some(table) = value.as_table() else {
            self.wrong_type(key, "a table", value, &span);
            return None;
        };
        Some(Table::new(self.reader, table, span, place))
    }

    /// An array of tables under this one.
    pub(crate) fn tables(&self, key: &'static str, place: &'static str) -> Vec<Table<'r, 't>> {
        self.known.borrow_mut().insert(key);
        self.tables_of(key, place)
    }

    /// An array of tables under a key that is data. This does not mark the key as read.
    pub(crate) fn tables_of(&self, key: &str, place: &'static str) -> Vec<Table<'r, 't>> {
        let Some(value) = self.entries.get(key) else {
            return Vec::new();
        };
        let (value, span) = (value.get_ref(), value.span());
        let Some(array) = value.as_array() else {
            self.wrong_type(key, "an array of tables", value, &span);
            return Vec::new();
        };
        if !self.reader.is_small(key, array.len(), &span) {
            return Vec::new();
        }
        let mut tables = Vec::with_capacity(array.len());
        for element in array {
            match element.get_ref().as_table() {
                Some(table) => tables.push(Table::new(self.reader, table, element.span(), place)),
                None => self.wrong_type(key, "an array of tables", value, &element.span()),
            }
        }
        tables
    }

    /// Every key with its value, for tables whose keys are data. All keys count as read.
    pub(crate) fn entries(&self) -> Vec<(Spanned<&'t str>, &'t DeValue<'t>, Range<usize>)> {
        self.entries
            .iter()
            .map(|(key, value)| {
                let key = Spanned::new(key.get_ref().as_ref(), key.span());
                (key, value.get_ref(), value.span())
            })
            .collect()
    }

    /// Reports an absent required key.
    pub(crate) fn missing(&self, key: &str, help: &str) {
        self.reader.push(
            Finding::new(
                Code::MissingKey,
                format!("`{key}` is missing, but {} needs it", self.place),
            )
            .at(&self.reader.file, self.span.clone(), "")
            .help(help),
        );
    }

    /// Reports keys that only format 2 has. Each counts as read.
    pub(crate) fn refuse_later(&self, keys: &[&'static str]) {
        for key in keys {
            // A key that is absent does not belong to the keys that a message lists.
            let Some(span) = self.key_span(key) else {
                continue;
            };
            if !self.known.borrow_mut().insert(key) {
                continue;
            }
            self.reader.push(
                Finding::new(
                    Code::UnknownKey,
                    format!("`{key}` is a key of {} in format 2 only", self.place),
                )
                .at(&self.reader.file, span, "")
                .help(
                    "`format = 2` in `ipwhl.toml` allows the key; `ipwhl migrate --format 2` \
                     writes it",
                ),
            );
        }
    }

    /// Reports the unknown keys, each with the most similar known one.
    pub(crate) fn finish(&self) {
        let known = self.known.borrow();
        for (key, _) in self.entries {
            let name: &str = key.get_ref();
            if known.contains(name) {
                continue;
            }
            let mut finding = Finding::new(
                Code::UnknownKey,
                format!("`{name}` is not a key of {}", self.place),
            )
            .at(&self.reader.file, key.span(), "");
            finding = if let Some(word) = nearest(name, known.iter().copied()) {
                finding.help(Help::DidYouMean(word.to_owned()))
            } else {
                let all: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
                finding.help(format!("its keys are {}", all.join(", ")))
            };
            self.reader.push(finding);
        }
    }
}

fn with_article(kind: &str) -> String {
    match kind {
        "array" | "integer" => format!("an {kind}"),
        _ => format!("a {kind}"),
    }
}
