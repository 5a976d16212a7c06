//! The tree as lines of text.

use std::collections::BTreeSet;

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

use super::walk::{Visit, Walk};
use crate::command::context::Context;
use crate::command::exit::Failure;
use crate::command::scope::{Edge, constraint, with_extras};
use crate::python::ExtraName;

/// How many lines a tree may have; only `--no-dedupe` comes near it.
const MAXIMUM_LINES: usize = 1_000_000;
/// How much is gathered before it is written, in bytes.
const PIECE: usize = 64 * 1024;

/// What lines are drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Charset {
    Utf8,
    Ascii,
}

/// What of a tree is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// How many steps from the roots.
    pub(super) depth: usize,
    /// Whether a project's own part of the tree is shown once.
    pub(super) dedupe: bool,
    pub(super) charset: Charset,
}

/// Writes the tree below these roots.
pub(super) fn write<'r>(
    context: &Context<'_>,
    walk: &Walk<'_, 'r>,
    roots: &[Visit<'r>],
    shape: Shape,
) -> Result<(), Failure> {
    let mut page = Page {
        context,
        charset: shape.charset,
        text: String::new(),
        lines: 0,
    };
    let mut shown: BTreeSet<Visit<'r>> = BTreeSet::new();
    for root in roots {
        let mut title = root_title(walk, root);
        let branches = walk.branches(root);
        let mut is_open = shape.depth > 0 && !branches.is_empty();
        if is_open && shape.dedupe && !shown.insert(root.clone()) {
            title += " (*)";
            is_open = false;
        }
        page.line(&[], &title)?;
        let mut trail = Vec::new();
        if is_open {
            trail.push((root.clone(), branches.into_iter()));
        }
        while let Some((_, rest)) = trail.last_mut() {
            let Some((edge, next)) = rest.next() else {
                trail.pop();
                continue;
            };
            let has_more: Vec<bool> = trail.iter().map(|(_, rest)| rest.len() > 0).collect();
            let mut title = branch_title(walk, &edge, &page);
            let below = walk.branches(&next);
            let mut is_open = trail.len() < shape.depth && !below.is_empty();
            if trail.iter().any(|(visit, _)| visit.project == next.project) {
                title += " (cycle)";
                is_open = false;
            } else if is_open && shape.dedupe && !shown.insert(next.clone()) {
                title += " (*)";
                is_open = false;
            }
            page.line(&has_more, &title)?;
            if is_open {
                trail.push((next, below.into_iter()));
            }
        }
    }
    page.flush()
}

fn root_title(walk: &Walk<'_, '_>, root: &Visit<'_>) -> String {
    let mut title = root.project.to_string();
    if let Some(active) = root.active.as_ref().filter(|active| !active.is_empty()) {
        let extras: Vec<&str> = active.iter().map(ExtraName::as_str).collect();
        title += &format!("[{}]", extras.join(","));
    }
    let repository = walk.scope.repository;
    match repository.declarations.get(root.project) {
        Some(declaration) => title + &format!(" {}", declaration.version()),
        None if repository.unreadable.contains(root.project) => {
            title + " [its declaration cannot be read]"
        }
        None => title + " [not in the set]",
    }
}

fn branch_title(walk: &Walk<'_, '_>, edge: &Edge<'_, '_>, page: &Page<'_, '_>) -> String {
    let declarations = &walk.scope.repository.declarations;
    let mut title = if walk.inverted {
        let wanted = declarations
            .get(edge.from)
            .is_some_and(|from| !from.automatic);
        let wanted = if wanted { " (wanted)" } else { "" };
        format!("{}{wanted} ({})", walk.scope.title(edge.from), edge.words)
    } else {
        let mut title = with_extras(edge.requirement);
        if let Some(declaration) = declarations.get(&edge.requirement.name) {
            title += &format!(" {}", declaration.version());
        }
        let constraint = constraint(edge.requirement);
        if !constraint.is_empty() {
            title += &format!(" ({})", constraint.trim_start());
        }
        title
    };
    title += &page.paint(&edge.notes(walk.scope), Style::new().dimmed());
    if let Some(unmet) = edge.unmet() {
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        title += &page.paint(&unmet, red);
    }
    title
}

/// The lines of a tree on their way out.
struct Page<'c, 'e> {
    context: &'c Context<'e>,
    charset: Charset,
    text: String,
    lines: usize,
}

impl Page<'_, '_> {
    /// A line as deep below the root as there are marks, each of which says whether more is to come on
    /// its level.
    fn line(&mut self, has_more: &[bool], words: &str) -> Result<(), Failure> {
        self.lines += 1;
        if self.lines > MAXIMUM_LINES {
            self.flush()?;
            return Err(Failure::usage(format!(
                "the tree has more than {MAXIMUM_LINES} lines, and ends here"
            ))
            .help("leave `--no-dedupe` out, or add `--depth 5`"));
        }
        let [through, fork, end] = match self.charset {
            Charset::Utf8 => [
                "\u{2502}   ",
                "\u{251c}\u{2500}\u{2500} ",
                "\u{2514}\u{2500}\u{2500} ",
            ],
            Charset::Ascii => ["|   ", "|-- ", "`-- "],
        };
        if let Some((last, above)) = has_more.split_last() {
            for more in above {
                self.text += if *more { through } else { "    " };
            }
            self.text += if *last { fork } else { end };
        }
        match self.charset {
            Charset::Utf8 => self.text += words,
            // A range of interpreters has a dash.
            Charset::Ascii => self.text += &words.replace('\u{2013}', "-"),
        }
        self.text.push('\n');
        if self.text.len() > PIECE {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let text = std::mem::take(&mut self.text);
        match text.strip_suffix('\n') {
            Some(lines) => self.context.result(lines),
            None => Ok(()),
        }
    }

    fn paint(&self, words: &str, style: Style) -> String {
        if self.context.output_colour && !words.is_empty() {
            format!("{style}{words}{style:#}")
        } else {
            words.to_owned()
        }
    }
}
