//! `ipwhl add`: writes the declaration of a project that the index has.

mod outcome;

use std::collections::{BTreeMap, BTreeSet};

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use ipwhl_packaging::{Constraint, ProjectName, Requirement};

use super::context::Context;
use super::exit::ExitStatus;
use super::network::NetworkArguments;
use crate::foundation::environment::AtomicFile;
use crate::foundation::failure::Failure;
use crate::set::declaration::Layout;
use crate::set::graph::Graph;
use crate::set::repository::Repository;
use crate::set::resolve::{
    Added, Addition, COMMAND_LINE, Prefer, ProjectRequest, declaration_file, declared_extras,
};
use outcome::Before;

impl ValueEnum for Prefer {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Native, Self::Pure]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Native => {
                PossibleValue::new("native").help("Native wheels, where each platform has one")
            }
            Self::Pure => PossibleValue::new("pure").help("The pure wheel, where there is one"),
        })
    }
}

/// Declare projects from the index
///
/// Picks the newest final version that all supported platforms can use, and as few of its wheels as
/// cover them, downloads these, and writes the declaration. Then says what the change brings: the
/// findings that `ipwhl check` has of the set with it and did not have without. With errors the
/// exit code is 1; requirements that are left open count only with `--with-dependencies`.
///
/// Example: ipwhl add --with-dependencies 'httpx[http2]' flask==3.1.0
#[expect(
    rustdoc::broken_intra_doc_links,
    reason = "the brackets around an extra are no link, and clap shows the text as it stands"
)]
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Projects: `NAME`, `NAME[EXTRA,…]`, `NAME==VERSION`, or with other version specifiers
    #[arg(required = true, value_name = "NAME")]
    projects: Vec<String>,
    /// Go on with what they need until the set is closed
    #[arg(long)]
    with_dependencies: bool,
    /// Declare them as being there only because others need them
    #[arg(long)]
    automatic: bool,
    /// Which wheels to take where a version has native ones and a pure one
    #[arg(long, value_name = "KIND", default_value = "native")]
    prefer: Prefer,
    #[command(flatten)]
    network: NetworkArguments,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let mut repository = context.repository()?;
    if repository.configuration.layout != Layout::Package {
        return Err(Failure::usage(
            "`ipwhl add` writes the layout `package`; this repository has `ipwhl-1`",
        ));
    }
    if let Some(link) = repository.link_to_declarations() {
        return Err(Failure::finding(format!(
            "`{link}`, on the path to the declarations, is a symbolic link"
        ))
        .help("put the folder itself there: nothing is read or written through a link"));
    }
    if repository.configuration.platforms.is_empty() {
        return Err(Failure::finding(
            "`ipwhl.toml` names no platform, so nobody can say which wheels are needed",
        )
        .help("`ipwhl check` shows what is wrong with it"));
    }
    let requests = requested(&repository, arguments)?;
    let before = Before::of(context, &repository);
    let network = arguments.network.network();
    let addition = Addition {
        session: &context.session,
        network: &network,
        prefer: arguments.prefer,
        with_dependencies: arguments.with_dependencies,
    };
    let added = addition.add(&mut repository, requests)?;
    write(context, &repository, &added, &before)?;
    before.compare(context, arguments.with_dependencies)
}

/// What the command line asks for.
fn requested(
    repository: &Repository,
    arguments: &Arguments,
) -> Result<Vec<ProjectRequest>, Failure> {
    let graph = Graph::new(repository);
    let mut requests: BTreeMap<ProjectName, ProjectRequest> = BTreeMap::new();
    for text in &arguments.projects {
        let requirement: Requirement =
            text.parse()
                .map_err(|error: ipwhl_packaging::RequirementError| {
                    Failure::usage(format!(
                        "`{text}` does not name a project: {}",
                        error.message
                    ))
                    .help("projects are written `NAME`, `NAME[EXTRA]`, `NAME==VERSION`")
                })?;
        let Constraint::Specifiers(specifiers) = requirement.constraint else {
            return Err(Failure::usage(format!(
                "`{text}` names an address; `ipwhl add` asks the index"
            )));
        };
        if requirement.marker.is_some() {
            return Err(Failure::usage(format!(
                "`{text}` has a marker; a project is declared for all platforms"
            )));
        }
        let needed = graph.needed(&requirement.name);
        let declared = repository.declarations.get(&requirement.name);
        let mut extras = declared.map_or_else(BTreeSet::new, declared_extras);
        extras.extend(needed.extras.iter().cloned());
        extras.extend(requirement.extras);
        let request = requests.entry(requirement.name.clone()).or_insert_with(|| {
            let mut request = ProjectRequest::automatic(needed);
            // What nothing needs yet is for all platforms, too.
            if !arguments.automatic || request.platforms.is_empty() {
                request.platforms = (0..repository.configuration.platforms.len()).collect();
            }
            request.automatic = arguments.automatic;
            request
        });
        request.extras.extend(extras);
        if !specifiers.is_empty() {
            request
                .constraints
                .push((COMMAND_LINE.to_owned(), specifiers));
        }
    }
    Ok(requests.into_values().collect())
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
    let failed = |path: &std::path::Path, error: &std::io::Error| {
        Failure::world(format!("`{}` cannot be written: {error}", path.display()))
    };
    std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
    let graph = Graph::new(repository);
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
                "{project} {} is declared like that already",
                declaration.version()
            ));
            continue;
        }
        AtomicFile::write_whole(&path, text.as_str().as_bytes())
            .map_err(|error| failed(&path, &error))?;
        context.say(before.line(context, &graph, declaration, added.granted.get(project)));
    }
    Ok(())
}
