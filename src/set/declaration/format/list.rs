//! A list in canonical form: one element a line, where there are several, each with its comments.

use std::fmt::Write as _;

use toml_edit::{Array, Decor, RawString, Value};

use super::comments::{comments, end_of_line};
use super::spelling::spell;
use crate::set::declaration::Layout;

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
pub(super) struct List {
    /// Comment lines about the list as a whole.
    head: String,
    elements: Vec<Element>,
    /// Comment lines after the last element.
    rest: String,
}

impl List {
    /// What it says, without its comments.
    pub(super) fn texts(&self) -> Vec<&str> {
        self.elements
            .iter()
            .map(|element| element.text.as_str())
            .collect()
    }

    /// Takes the comments of a list that says the same, each to its element; those that it has are
    /// not taken again.
    pub(super) fn take_comments(&mut self, other: &Self) {
        take_lines(&mut self.head, &other.head);
        take_lines(&mut self.rest, &other.rest);
        for theirs in &other.elements {
            let Some(own) = self.elements.iter_mut().find(|own| own.text == theirs.text) else {
                continue;
            };
            let before = own.after.clone();
            let new = |line: &&str| **line != before;
            let above: Vec<&str> = theirs.above.lines().filter(new).collect();
            for line in above {
                take_lines(&mut own.above, line);
            }
            if !theirs.after.is_empty()
                && theirs.after != own.after
                && !own.above.lines().any(|line| line == theirs.after)
            {
                own.end_of_line(&theirs.after);
            }
        }
    }
}

/// Adds the lines that are not there yet.
pub(super) fn take_lines(lines: &mut String, others: &str) {
    for line in others.lines() {
        if !lines.lines().any(|known| known == line) {
            lines.push_str(line);
            lines.push('\n');
        }
    }
}

/// Lists are sets, but for `source`, which is in order of preference.
pub(super) fn format_array(key: &str, array: &mut Array, layout: Layout) {
    let list = read_list(key, array, layout);
    write_list(key, list, array);
}

/// Takes a list apart, its elements spelt as their key wants it.
pub(super) fn read_list(key: &str, array: &Array, layout: Layout) -> List {
    let mut elements: Vec<Element> = Vec::with_capacity(array.len());
    // What stands in the line of the bracket is about the list.
    let mut head = String::new();
    for value in array {
        let raw = |part: Option<&RawString>| {
            part.and_then(RawString::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let (before, within) = (raw(value.decor().prefix()), raw(value.decor().suffix()));
        // The comma ends an element, not its line.
        let (line, above) = before.split_once('\n').unwrap_or((&before, ""));
        match elements.last_mut() {
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
        elements.push(element);
    }
    let rest = array.trailing().as_str().unwrap_or_default().to_owned();
    let (line, rest) = rest.split_once('\n').unwrap_or((&rest, ""));
    match elements.last_mut() {
        Some(last) => last.end_of_line(line.trim()),
        None => head = comments(line),
    }
    List {
        head,
        elements,
        rest: comments(rest),
    }
}

/// Puts a list together, in place of what the array holds.
pub(super) fn write_list(key: &str, list: List, array: &mut Array) {
    let List {
        mut head,
        mut elements,
        rest,
    } = list;
    if matches!(key, "extras" | "dependencies") {
        elements.sort_by(|left, right| left.text.cmp(&right.text));
        elements.dedup_by(|later, earlier| {
            let is_twin = later.text == earlier.text;
            if is_twin {
                earlier.above.push_str(&later.above);
                earlier.end_of_line(&later.after);
            }
            is_twin
        });
    }
    let has_comments = !head.is_empty()
        || !rest.is_empty()
        || elements
            .iter()
            .any(|element| !element.above.is_empty() || !element.after.is_empty());
    let is_tall = has_comments || (elements.len() > 1 && key != "extras");
    array.clear();
    let mut after = String::new();
    for (index, element) in elements.into_iter().enumerate() {
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

/// Gives a list the comments of an earlier one: those about the list, and those about the elements
/// that both have.
pub(super) fn keep_comments(key: &str, before: &Array, array: &mut Array) {
    let mut list = read_list(key, array, Layout::Package);
    list.take_comments(&read_list(key, before, Layout::Package));
    write_list(key, list, array);
}
