//! `ipwhl tree`: what the wanted projects need, and what these need in turn.

mod text;

use clap::Args;
use ipwhl_packaging::ExtraName;

use super::context::Context;
use super::draw::{GraphFormat, dot, json, mermaid};
use super::exit::ExitStatus;
use super::query::tell_of_findings;
use super::words::counted;
use crate::foundation::failure::Failure;
use crate::set::graph::{Direction, GraphQuery, Walk};
use text::{Charset, DEFAULT_DEPTH, Shape};

/// Show who requires what as a tree
///
/// Begins with the wanted projects, or with those that are named, and shows all that may be
/// required of them: on every platform and for every declared extra. `(*)` stands where a project's
/// own part of the tree was shown before.
///
/// Example: ipwhl tree --platform cp313 flask
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where to begin: `NAME` or `NAME[EXTRA,…]` [default: every wanted project]
    #[arg(value_name = "NAME")]
    projects: Vec<String>,
    /// Upside down: what requires the project, and what requires that
    #[arg(short, long, requires = "projects")]
    invert: bool,
    /// How many steps to go from where the tree begins [default: 64 as text, else all]
    #[arg(long, value_name = "N")]
    depth: Option<usize>,
    /// Show a project's part of the tree wherever it occurs
    #[arg(long)]
    no_dedupe: bool,
    /// Look at these platforms only: an interpreter, a system or both
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',')]
    platform: Vec<String>,
    /// As an installation with this extra of the first projects: below them only the extras that
    /// are asked for
    #[arg(
        long,
        value_name = "EXTRA",
        value_delimiter = ',',
        conflicts_with = "invert"
    )]
    extra: Vec<ExtraName>,
    /// As an installation without any extra of the first projects
    #[arg(long, conflicts_with_all = ["invert", "extra"])]
    no_extras: bool,
    /// How the tree is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: GraphFormat,
    /// What the lines of the tree are drawn with [default: utf8 on a terminal or in such a locale]
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
    tell_of_findings(context, &query);
    match arguments.format {
        GraphFormat::Text => {
            if roots.is_empty() {
                context.say("note: nobody wants a project of the set; name one to begin with");
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
                    "note: the tree ends after {DEFAULT_DEPTH} steps, with more below {lines}: `--depth N` goes further"
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

/// Whether a reader's window shows more than ASCII.
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
