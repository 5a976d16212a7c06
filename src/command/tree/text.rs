//! The tree as lines of text.

use std::collections::BTreeSet;

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use ipwhl_packaging::ExtraName;

use crate::command::context::Context;
use crate::command::query::{notes, title, unmet_note};
use crate::foundation::diagnostic::Inert;
use crate::foundation::failure::Failure;
use crate::set::graph::{Direction, RelationGroup, Visit, Walk, constraint, with_extras};

/// The default maximum depth of a tree. Real sets are far less deep. Without a limit, the lines of
/// a long chain would be as wide as the chain is long.
pub(super) const DEFAULT_DEPTH: usize = 64;
/// The maximum number of lines of a tree. Only `--no-dedupe` comes near it.
const MAXIMUM_LINES: usize = 1_000_000;
/// The size of the output buffer, in bytes.
const PIECE: usize = 64 * 1024;

/// The characters that lines are drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Charset {
    Utf8,
    Ascii,
}

/// The limits and the look of a tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// The maximum depth, if given; [`DEFAULT_DEPTH`] otherwise.
    pub(super) depth: Option<usize>,
    /// Whether the subtree of a project is shown only once.
    pub(super) dedupe: bool,
    pub(super) charset: Charset,
}

/// Prints the tree below these roots. Returns the number of lines whose subtree was cut by the
/// depth.
pub(super) fn write<'r>(
    context: &Context<'_>,
    walk: &Walk<'_, 'r>,
    roots: &[Visit<'r>],
    shape: Shape,
) -> Result<usize, Failure> {
    let mut page = Page {
        context,
        charset: shape.charset,
        text: Inert::default(),
        margin: String::new(),
        lines: 0,
    };
    let mut shown: BTreeSet<Visit<'r>> = BTreeSet::new();
    let mut cut = 0;
    let depth_limit = shape.depth.unwrap_or(DEFAULT_DEPTH);
    for root in roots {
        let mut title = page.paint(&root_title(walk, root), None);
        let mut is_open = walk.has_branches(root);
        if is_open && depth_limit == 0 {
            cut += 1;
            is_open = false;
        } else if is_open && shape.dedupe && !shown.insert(root.clone()) {
            title += " (*)";
            is_open = false;
        }
        page.line(None, title)?;
        let mut trail = Vec::new();
        let mut on_trail = BTreeSet::new();
        if is_open {
            on_trail.insert(root.project);
            trail.push((
                root.project,
                page.margin.len(),
                walk.branches(root).into_iter(),
            ));
        }
        let mut depth = trail.len();
        while let Some((project, margin, rest)) = trail.last_mut() {
            page.margin.truncate(*margin);
            let Some((group, next)) = rest.next() else {
                on_trail.remove(project);
                trail.pop();
                depth -= 1;
                continue;
            };
            let has_more = rest.len() > 0;
            let mut title = branch_title(walk, &group, &page);
            let mut is_open = walk.has_branches(&next);
            if on_trail.contains(next.project) {
                title += " (cycle)";
                is_open = false;
            } else if is_open && depth >= depth_limit {
                // A cut by `--depth` is not marked: the user asked for it.
                if shape.depth.is_none() {
                    title += page.paint(" (\u{2026})", None);
                }
                cut += 1;
                is_open = false;
            } else if is_open && shape.dedupe && !shown.insert(next.clone()) {
                title += " (*)";
                is_open = false;
            }
            page.line(Some(has_more), title)?;
            if is_open {
                page.indent(has_more);
                on_trail.insert(next.project);
                let branches = walk.branches(&next).into_iter();
                trail.push((next.project, page.margin.len(), branches));
                depth += 1;
            }
        }
    }
    page.flush()?;
    Ok(cut)
}

fn root_title(walk: &Walk<'_, '_>, root: &Visit<'_>) -> String {
    let mut title = root.project.to_string();
    if let Some(active) = root.active.as_ref().filter(|active| !active.is_empty()) {
        let extras: Vec<&str> = active.iter().map(ExtraName::as_str).collect();
        title += &format!("[{}]", extras.join(","));
    }
    let repository = walk.query.repository;
    match repository.declarations.get(root.project) {
        Some(declaration) => title + &format!(" {}", declaration.version()),
        None if repository.unreadable.contains(root.project) => {
            title + " [declaration cannot be read]"
        }
        None => title + " [not in the set]",
    }
}

fn branch_title(walk: &Walk<'_, '_>, group: &RelationGroup<'_, '_>, page: &Page<'_, '_>) -> Inert {
    let repository = walk.query.repository;
    let declarations = &repository.declarations;
    let title = match walk.direction {
        Direction::Requirers => {
            let requested = declarations
                .get(group.from)
                .is_some_and(|from| !from.automatic);
            let wanted = if requested { " (wanted)" } else { "" };
            format!(
                "{}{wanted} ({})",
                title(repository, group.from),
                group.words
            )
        }
        Direction::Required => {
            let mut title = with_extras(group.requirement);
            if let Some(declaration) = declarations.get(&group.requirement.name) {
                title += &format!(" {}", declaration.version());
            }
            let constraint = constraint(group.requirement);
            if !constraint.is_empty() {
                title += &format!(" ({})", constraint.trim_start());
            }
            title
        }
    };
    let mut title = page.paint(&title, None);
    title += page.paint(&notes(walk.query, group), Some(Style::new().dimmed()));
    let unmet = unmet_note(group);
    if !unmet.is_empty() {
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        title += page.paint(&unmet, Some(red));
    }
    title
}

/// The buffered output of a tree.
struct Page<'c, 'e> {
    context: &'c Context<'e>,
    charset: Charset,
    text: Inert,
    /// The text before each line of the current level.
    margin: String,
    lines: usize,
}

impl Page<'_, '_> {
    /// Appends the line of a root (`None`), or a line of the current level; `has_more` says whether
    /// another line follows on that level.
    fn line(&mut self, has_more: Option<bool>, words: Inert) -> Result<(), Failure> {
        self.lines += 1;
        if self.lines > MAXIMUM_LINES {
            self.flush()?;
            return Err(Failure::usage(format!(
                "the tree has more than {MAXIMUM_LINES} lines and is cut here"
            ))
            .help("leave out `--no-dedupe`, or add `--depth 5`"));
        }
        match has_more {
            Some(has_more) => {
                self.text += &self.margin;
                self.text += match (self.charset, has_more) {
                    (Charset::Utf8, true) => "\u{251c}\u{2500}\u{2500} ",
                    (Charset::Utf8, false) => "\u{2514}\u{2500}\u{2500} ",
                    (Charset::Ascii, true) => "|-- ",
                    (Charset::Ascii, false) => "`-- ",
                };
            }
            None => self.margin.clear(),
        }
        self.text += words;
        self.text += "\n";
        if self.text.as_str().len() > PIECE {
            self.flush()?;
        }
        Ok(())
    }

    /// Begins the level below the last line.
    fn indent(&mut self, has_more: bool) {
        self.margin += match (self.charset, has_more) {
            (Charset::Utf8, true) => "\u{2502}   ",
            (Charset::Ascii, true) => "|   ",
            (_, false) => "    ",
        };
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.context.result_lines(std::mem::take(&mut self.text))
    }

    fn paint(&self, words: &str, style: Option<Style>) -> Inert {
        let style = style.filter(|_| self.context.output_colour);
        match self.charset {
            Charset::Utf8 => Inert::painted(words, style),
            // The text of a range of interpreters has an en dash.
            Charset::Ascii => {
                let words = words.replace('\u{2013}', "-").replace('\u{2026}', "...");
                Inert::painted(&words, style)
            }
        }
    }
}
