//! `ipwhl tree`: the requirements of projects as a tree.

mod text;

use clap::Args;
use ipwhl_packaging::ExtraName;

use super::context::Context;
use super::draw::{GraphFormat, dot, json, mermaid};
use super::exit::ExitStatus;
use super::query::note_findings;
use super::words::counted;
use crate::foundation::failure::Failure;
use crate::set::graph::{Direction, GraphQuery, Walk};
use text::{Charset, DEFAULT_DEPTH, Shape};

/// Show the requirements of projects as a tree
///
/// The tree begins with the wanted projects or with the named ones. It shows every requirement that
/// can apply, on any platform and with any declared extra. `(*)` means that the subtree of a
/// project was already shown above.
///
/// Example: ipwhl tree --platform cp313 flask
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The projects to begin with: `NAME` or `NAME[EXTRA,…]` [default: every wanted project]
    #[arg(value_name = "NAME")]
    projects: Vec<String>,
    /// Invert the tree: show the projects that require the named ones, directly and indirectly
    #[arg(short, long, requires = "projects")]
    invert: bool,
    /// The maximum depth of the tree [default: 64 as text, else unlimited]
    #[arg(long, value_name = "N")]
    depth: Option<usize>,
    /// Show the subtree of a project each time it occurs
    #[arg(long)]
    no_dedupe: bool,
    /// Show only requirements that apply on these platforms: an interpreter, a system or both
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',')]
    platform: Vec<String>,
    /// Show the tree of an installation with this extra of the first projects; below them, only
    /// requested extras count
    #[arg(
        long,
        value_name = "EXTRA",
        value_delimiter = ',',
        conflicts_with = "invert"
    )]
    extra: Vec<ExtraName>,
    /// Show the tree of an installation without extras of the first projects
    #[arg(long, conflicts_with_all = ["invert", "extra"])]
    no_extras: bool,
    /// The output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: GraphFormat,
    /// The characters for the lines of the tree [default: utf8 on a terminal or in a UTF-8 locale]
    #[arg(long, value_name = "CHARSET")]
    charset: Option<Charset>,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let repository = context.repository()?;
    let query = GraphQuery::new(&repository, &arguments.platform)?;
    let direction = if arguments.invert {
        Direction::Requirers
    } else {
        Direction::Required
    };
    let walk = Walk::new(&query, direction);
    let is_installation = arguments.no_extras || !arguments.extra.is_empty();
    let extras = is_installation.then_some(arguments.extra.as_slice());
    let roots = walk.roots(&arguments.projects, extras)?;
    note_findings(context, &query);
    match arguments.format {
        GraphFormat::Text => {
            if roots.is_empty() {
                context.say("note: the set has no wanted project; name a project to begin with");
            }
            let shape = Shape {
                depth: arguments.depth,
                dedupe: !arguments.no_dedupe,
                charset: arguments
                    .charset
                    .unwrap_or_else(|| default_charset(context)),
            };
            let cut = text::write(context, &walk, &roots, shape)?;
            if cut > 0 && arguments.depth.is_none() {
                let lines = counted(cut, "line");
                context.say(&format!(
                    "note: the tree is cut at a depth of {DEFAULT_DEPTH}, below {lines}; `--depth \
                     N` shows more"
                ));
            }
        }
        format => {
            let depth = arguments.depth.unwrap_or(usize::MAX);
            let part = walk.reached(&roots, depth);
            context.result(&match format {
                GraphFormat::Dot => dot(&query, &part),
                GraphFormat::Mermaid => mermaid(&query, &part),
                GraphFormat::Text | GraphFormat::Json => json(&query, &part, None)?,
            })?;
        }
    }
    Ok(ExitStatus::Clean)
}

/// UTF-8 if the terminal or the locale is likely to show it.
fn default_charset(context: &Context<'_>) -> Charset {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| context.environment.variable(name));
    let is_utf8 = locale.is_some_and(|locale| {
        let locale = locale.to_string_lossy().to_lowercase().replace('-', "");
        locale.contains("utf8")
    });
    if is_utf8 || context.environment.output.is_terminal() {
        Charset::Utf8
    } else {
        Charset::Ascii
    }
}
