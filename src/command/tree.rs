//! `ipwhl tree`: what the wanted projects need, and what these need in turn.

mod text;
mod walk;

use std::collections::BTreeSet;

use clap::Args;
use ipwhl_packaging::{ExtraName, ProjectName};

use super::context::Context;
use super::draw::{Drawing, GraphFormat};
use super::exit::ExitStatus;
use super::scope::{Named, Scope, no_extra, tell_of_findings};
use super::words::counted;
use crate::foundation::failure::Failure;
use text::{Charset, DEFAULT_DEPTH, Shape};
use walk::{Visit, Walk};

/// Show who requires what as a tree
///
/// Begins with the wanted projects, or with those that are named, and shows all that may be required
/// of them: on every platform and for every declared extra. `(*)` stands where a project's own part of
/// the tree was shown before.
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
    /// As an installation with this extra of the first projects: below them only the extras that are
    /// asked for
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
    let scope = Scope::new(&repository, &arguments.platform)?;
    let roots = roots(&scope, arguments)?;
    tell_of_findings(context, &repository);
    let walk = Walk::new(&scope, arguments.invert);
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
            let drawing = drawing(&walk, &roots, depth);
            context.result(&match format {
                GraphFormat::Dot => drawing.dot(&scope),
                GraphFormat::Mermaid => drawing.mermaid(&scope),
                GraphFormat::Text | GraphFormat::Json => drawing.json(&scope, None)?,
            })?;
        }
    }
    Ok(ExitStatus::Clean)
}

/// Where the tree begins.
fn roots<'r>(scope: &Scope<'r>, arguments: &Arguments) -> Result<Vec<Visit<'r>>, Failure> {
    let declarations = &scope.repository.declarations;
    let named: Vec<Named> = if arguments.projects.is_empty() {
        declarations
            .values()
            .filter(|declaration| !declaration.automatic)
            .map(|declaration| Named {
                project: declaration.project.clone(),
                extras: BTreeSet::new(),
            })
            .collect()
    } else {
        let mut named: Vec<Named> = Vec::new();
        for text in &arguments.projects {
            let one = scope.named(text)?;
            let twin = named.iter_mut().find(|other| other.project == one.project);
            match twin {
                Some(twin) => twin.extras.extend(one.extras),
                None => named.push(one),
            }
        }
        named
    };
    for extra in &arguments.extra {
        let extras = || {
            named
                .iter()
                .filter_map(|one| declarations.get(&one.project))
                .flat_map(|declaration| &declaration.wheels)
                .flat_map(|wheel| &wheel.extras)
        };
        if !extras().any(|known| known.value == *extra) {
            return Err(no_extra(
                &format!("none of these projects has an extra `{extra}`"),
                extra,
                extras().map(|known| known.value.as_str()),
            ));
        }
    }
    let is_installation = arguments.no_extras || !arguments.extra.is_empty();
    Ok(named
        .into_iter()
        .filter_map(|one| {
            let (project, has): (&'r ProjectName, BTreeSet<&ExtraName>) =
                match declarations.get_key_value(&one.project) {
                    Some((project, declaration)) => {
                        let extras = declaration.wheels.iter().flat_map(|wheel| &wheel.extras);
                        (project, extras.map(|extra| &extra.value).collect())
                    }
                    None => (scope.project(&one.project)?, BTreeSet::new()),
                };
            let asked = one.extras.iter().chain(&arguments.extra);
            let asked: BTreeSet<ExtraName> = asked
                .filter(|extra| arguments.invert || has.contains(extra))
                .cloned()
                .collect();
            let active = if arguments.invert {
                (!asked.is_empty()).then_some(asked)
            } else {
                (is_installation || !asked.is_empty()).then_some(asked)
            };
            Some(Visit { project, active })
        })
        .collect())
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

/// What the walk comes by, each project once.
fn drawing<'a, 'r>(walk: &'a Walk<'a, 'r>, roots: &[Visit<'r>], depth: usize) -> Drawing<'a, 'r> {
    let mut seen: BTreeSet<Visit<'r>> = BTreeSet::new();
    let mut level: Vec<Visit<'r>> = roots.to_vec();
    let mut projects = BTreeSet::new();
    let mut picked = BTreeSet::new();
    for distance in 0.. {
        let mut next = Vec::new();
        for visit in level {
            projects.insert(visit.project);
            if distance >= depth || !seen.insert(visit.clone()) {
                continue;
            }
            picked.extend(walk.steps(&visit));
            next.extend(walk.branches(&visit).into_iter().map(|(_, next)| next));
        }
        if next.is_empty() {
            break;
        }
        level = next;
    }
    Drawing {
        roots: roots.iter().map(|visit| visit.project).collect(),
        projects,
        relations: picked
            .into_iter()
            .map(|index| walk.relation(index))
            .collect(),
    }
}
