//! `ipwhl add`: declares a project from the index.

mod outcome;

use std::io;
use std::path::Path;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::context::Context;
use super::exit::ExitStatus;
use super::network::NetworkArguments;
use crate::foundation::environment::AtomicFile;
use crate::foundation::failure::{Failure, FailureKind, unwritable, way_out};
use crate::set::declaration::Layout;
use crate::set::graph::Graph;
use crate::set::repository::Repository;
use crate::set::resolve::{Added, Addition, Prefer, declaration_file, named_requests};
use outcome::Before;

impl ValueEnum for Prefer {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Native, Self::Pure]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Native => {
                PossibleValue::new("native").help("Native wheels, if every platform has one")
            }
            Self::Pure => PossibleValue::new("pure").help("The pure wheel, if there is one"),
        })
    }
}

/// Declare projects from the index
///
/// Selects the newest final version that works on all supported platforms, and the fewest wheels
/// that cover them. Downloads these wheels and writes the declaration. Then prints the new
/// findings: those that `ipwhl check` reports with the change and did not report without it. The
/// exit code is 1 if one of them is an error. Unmet requirements count only with
/// `--with-dependencies`.
///
/// Example: ipwhl add --with-dependencies 'httpx[http2]' flask==3.1.0
#[expect(
    rustdoc::broken_intra_doc_links,
    reason = "the brackets around an extra are no link, and clap shows the text as it stands"
)]
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The projects to declare: `NAME`, `NAME[EXTRA,…]`, `NAME==VERSION`, or other version
    /// specifiers
    #[arg(required = true, value_name = "NAME")]
    projects: Vec<String>,
    /// Also declare their dependencies, until every requirement is met
    #[arg(long)]
    with_dependencies: bool,
    /// Mark the projects as `automatic`: in the set only because other projects need them
    #[arg(long)]
    automatic: bool,
    /// Which wheels to use if a version has native wheels and a pure one
    #[arg(long, value_name = "KIND", default_value = "native")]
    prefer: Prefer,
    #[command(flatten)]
    network: NetworkArguments,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let mut repository = context.repository()?;
    if repository.configuration.layout != Layout::Package {
        return Err(Failure::usage(
            "`ipwhl add` writes the layout `package`, and this repository has the layout `ipwhl-1`",
        )
        .help("`ipwhl migrate` converts the repository"));
    }
    if let Some(link) = repository.link_to_declarations() {
        return Err(Failure::finding(format!(
            "`{link}`, on the path to the declarations, is a symbolic link"
        ))
        .help("replace the link with the folder itself: links are not followed"));
    }
    if repository.configuration.platforms.is_empty() {
        return Err(Failure::finding(
            "`ipwhl.toml` names no platform, so the wheels to declare are unknown",
        )
        .help("`ipwhl check` shows the mistake"));
    }
    let requests = named_requests(&repository, &arguments.projects, arguments.automatic)?;
    let before = Before::of(context, &repository);
    let network = arguments.network.network();
    let addition = Addition {
        session: &context.session,
        network: &network,
        prefer: arguments.prefer,
        with_dependencies: arguments.with_dependencies,
    };
    let added = addition
        .add(&mut repository, requests)
        .map_err(with_way_out)?;
    write(context, &repository, &added, &before)?;
    before.compare(context, arguments.with_dependencies)
}

/// Adds help to a failure of the network or the disk that has none.
fn with_way_out(failure: Failure) -> Failure {
    if failure.kind != FailureKind::World || failure.help.is_some() {
        return failure;
    }
    failure.help("run the same command again; `--index-url URL` uses another index")
}

/// The failure to write a declaration after `written` others.
fn unwritten(path: &Path, error: &io::Error, written: usize) -> Failure {
    let way_out = way_out(error).unwrap_or("run the same command again when the cause is fixed");
    unwritable(path, error).help(match written {
        0 => format!("no declaration was changed; {way_out}"),
        1 => format!("1 declaration was written before, and stays; {way_out}"),
        count => format!("{count} declarations were written before, and stay; {way_out}"),
    })
}

fn write(
    context: &Context<'_>,
    repository: &Repository,
    added: &Added,
    before: &Before,
) -> Result<(), Failure> {
    let folder = repository
        .directory
        .join(&repository.configuration.declarations);
    std::fs::create_dir_all(&folder).map_err(|error| unwritten(&folder, &error, 0))?;
    let graph = Graph::new(repository);
    let mut written = 0;
    for project in &added.written {
        let name = declaration_file(repository, project);
        let path = repository.directory.join(&name);
        let Some(text) = repository.texts.get(name.as_str()) else {
            continue;
        };
        let declaration = &repository.declarations[project];
        let is_same = std::fs::read(&path).is_ok_and(|there| there == text.as_str().as_bytes());
        if is_same {
            context.say(&format!(
                "{project} {} is already declared like this",
                declaration.version()
            ));
            continue;
        }
        AtomicFile::write_whole(&path, text.as_str().as_bytes())
            .map_err(|error| unwritten(&path, &error, written))?;
        written += 1;
        context.say(before.line(context, &graph, declaration, added.granted.get(project)));
    }
    Ok(())
}
