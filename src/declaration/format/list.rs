//! A list in canonical form: one element a line, where there are several, each with its comments.

use std::fmt::Write as _;

use toml_edit::{Array, Decor, RawString, Value};

use super::{comments, end_of_line, spell};
use crate::declaration::Layout;

/// An element of a list with the comments that are about it.
struct Element {
    /// What it is sorted by.
    text: String,
    /// Comment lines before it.
    above: String,
    /// The comment at the end of its line.
    after: String,
    value: Value,
}

impl Element {
    /// Takes a comment from the end of its line. Only one has room there.
    fn end_of_line(&mut self, comment: &str) {
        if comment.is_empty() {
            return;
        }
        if self.after.is_empty() {
            comment.clone_into(&mut self.after);
        } else {
            self.above += comment;
            self.above.push('\n');
        }
    }
}

/// A list, taken apart.
struct Elements {
    /// What stands in the line of the bracket, which is about the list.
    head: String,
    all: Vec<Element>,
    /// Comment lines after the last element.
    rest: String,
}

fn raw(part: Option<&RawString>) -> String {
    part.and_then(RawString::as_str)
        .unwrap_or_default()
        .to_owned()
}

impl Elements {
    fn read(key: &str, array: &Array, layout: Layout) -> Self {
        let mut all: Vec<Element> = Vec::with_capacity(array.len());
        let mut head = String::new();
        for value in array.iter() {
            let (before, within) = (raw(value.decor().prefix()), raw(value.decor().suffix()));
            // The comma ends an element, not its line.
            let (line, above) = before.split_once('\n').unwrap_or((&before, ""));
            match all.last_mut() {
                Some(previous) => previous.end_of_line(line.trim()),
                None => head = comments(line),
            }
            let mut spelt = match value.as_str() {
                Some(text) => Value::from(spell(key, text, layout)),
                None => value.clone(),
            };
            spelt.decor_mut().clear();
            let mut element = Element {
                text: spelt
                    .as_str()
                    .map_or_else(|| spelt.to_string(), ToOwned::to_owned),
                above: comments(above),
                after: String::new(),
                value: spelt,
            };
            for comment in comments(&within).lines() {
                element.end_of_line(comment);
            }
            all.push(element);
        }
        let rest = raw(Some(array.trailing()));
        let (line, rest) = rest.split_once('\n').unwrap_or((&rest, ""));
        match all.last_mut() {
            Some(last) => last.end_of_line(line.trim()),
            None => head = comments(line),
        }
        let rest = comments(rest);
        Self { head, all, rest }
    }

    /// Writes the list anew, an element a line where there are several or comments.
    fn write(self, key: &str, array: &mut Array) {
        let Self {
            mut head,
            all,
            rest,
        } = self;
        let has_comments = !head.is_empty()
            || !rest.is_empty()
            || all
                .iter()
                .any(|element| !element.above.is_empty() || !element.after.is_empty());
        let is_tall = has_comments || (all.len() > 1 && key != "extras");
        array.clear();
        let mut after = String::new();
        for (index, element) in all.into_iter().enumerate() {
            let mut value = element.value;
            let before = match (is_tall, index) {
                (true, _) => {
                    let above = std::mem::take(&mut head) + &element.above;
                    let mut before = format!("{}\n    ", end_of_line(&after));
                    for line in above.lines() {
                        let _ = write!(before, "{line}\n    ");
                    }
                    before
                }
                (false, 0) => String::new(),
                (false, _) => String::from(" "),
            };
            *value.decor_mut() = Decor::new(before, "");
            array.push_formatted(value);
            after = element.after;
        }
        array.set_trailing_comma(is_tall && !array.is_empty());
        let mut trailing = end_of_line(&after);
        for line in head.lines().chain(rest.lines()) {
            let _ = write!(trailing, "\n    {line}");
        }
        if is_tall {
            trailing.push('\n');
        }
        array.set_trailing(trailing);
    }
}

/// Lists are sets, but for `source`, which is in order of preference.
pub(super) fn format_array(key: &str, array: &mut Array, layout: Layout) {
    let mut elements = Elements::read(key, array, layout);
    if matches!(key, "extras" | "dependencies") {
        let all = &mut elements.all;
        all.sort_by(|left, right| left.text.cmp(&right.text));
        all.dedup_by(|later, earlier| {
            let is_twin = later.text == earlier.text;
            if is_twin {
                earlier.above.push_str(&later.above);
                earlier.end_of_line(&later.after);
            }
            is_twin
        });
    }
    elements.write(key, array);
}

/// Gives a list the comments of an earlier one: those about the list, and those about the elements that
/// both have.
pub(super) fn keep_comments(key: &str, before: &Array, array: &mut Array) {
    let before = Elements::read(key, before, Layout::Package);
    let mut elements = Elements::read(key, array, Layout::Package);
    elements.head += &before.head;
    elements.rest += &before.rest;
    for old in before.all {
        if let Some(element) = elements.all.iter_mut().find(|new| new.text == old.text) {
            element.above += &old.above;
            element.end_of_line(&old.after);
        }
    }
    elements.write(key, array);
}
