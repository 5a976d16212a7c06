//! `ipwhl add`: writes the declaration of a project that the index has.

mod outcome;
mod resolve;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use clap::Args;
use futures_util::{StreamExt, stream};
use ipwhl_packaging::{Constraint, ExtraName, ProjectName, Requirement};

use super::context::Context;
use super::exit::{ExitStatus, Failure};
use super::network::{NetworkArguments, fetcher, runtime};
use super::progress::Progress;
use super::select::{COMMAND_LINE, Prefer, Wish};
use crate::foundation::diagnostic::{Finding, SourceText};
use crate::foundation::environment::AtomicFile;
use crate::set::declaration::{
    DECLARATION_SCHEMA_FILE, Declaration, Layout, keep_comments, parse, schema_directive,
    write_declaration,
};
use crate::set::graph::Graph;
use crate::set::repository::Repository;
use outcome::Before;
use resolve::{Resolved, Resolver};

/// How often the set is looked at anew for what is still needed.
const MAXIMUM_ROUNDS: usize = 100;

/// Declare projects from the index
///
/// Picks the newest final version that all supported platforms can use, and as few of its wheels as
/// cover them, downloads these, and writes the declaration. Then says what the change brings: the
/// findings that `ipwhl check` has of the set with it and did not have without. With errors the exit
/// code is 1; requirements that are left open count only with `--with-dependencies`.
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
            "`{link}`, on the way to the declarations, is a symbolic link"
        ))
        .help("put the folder itself there: nothing is read or written through a link"));
    }
    if repository.configuration.platforms.is_empty() {
        return Err(Failure::finding(
            "`ipwhl.toml` names no platform, so nobody can say which wheels are needed",
        )
        .help("`ipwhl check` shows what is wrong with it"));
    }
    let mut wishes = requested(&repository, arguments)?;
    let profile = repository.configuration.profile;
    let fetcher = fetcher(
        context,
        &repository.configuration,
        &arguments.network,
        profile,
    )?;
    let runtime = runtime()?;
    let mut granted: BTreeMap<ProjectName, Wish> = BTreeMap::new();
    let mut written: BTreeSet<ProjectName> = BTreeSet::new();
    let before = Before::of(context, &repository);
    let mut rounds = 0;
    while !wishes.is_empty() {
        rounds += 1;
        if rounds > MAXIMUM_ROUNDS {
            return Err(Failure::finding(
                "the set does not close: what is needed changes with each choice",
            )
            .help("name the versions that are to be taken: `ipwhl add NAME==VERSION`"));
        }
        for wish in &wishes {
            if granted.insert(wish.project.clone(), wish.clone()).as_ref() == Some(wish) {
                return Err(unsatisfiable(&repository, wish));
            }
        }
        let progress = Progress::new(
            context,
            wishes.iter().map(|wish| wish.project.to_string()).collect(),
            "project",
        );
        let report = |event| progress.fetch(event);
        let resolver = Resolver {
            fetcher: &fetcher,
            platforms: &repository.configuration.platforms,
            prefer: arguments.prefer,
            progress: &report,
        };
        let mut answers: Vec<(usize, Result<Resolved, Failure>)> = runtime.block_on(
            stream::iter(wishes.iter().enumerate())
                .map(|(index, wish)| {
                    let resolver = &resolver;
                    async move { (index, resolver.resolve(index, wish).await) }
                })
                .buffer_unordered(arguments.network.jobs().get())
                .inspect(|_| progress.verified())
                .collect(),
        );
        progress.clear();
        answers.sort_by_key(|(index, _)| *index);
        for (_, outcome) in answers {
            let Resolved {
                declaration,
                passed_over,
            } = outcome?;
            for line in passed_over {
                context.detail(&line);
            }
            let project = declaration.project.clone();
            insert(&mut repository, declaration)?;
            written.insert(project);
        }
        wishes = if arguments.with_dependencies {
            needed(&repository, &granted)
        } else {
            Vec::new()
        };
    }
    write(context, &repository, &written, &before, &granted)?;
    before.compare(context, arguments.with_dependencies)
}

/// What the command line asks for.
fn requested(repository: &Repository, arguments: &Arguments) -> Result<Vec<Wish>, Failure> {
    let graph = Graph::new(repository);
    let mut wishes: BTreeMap<ProjectName, Wish> = BTreeMap::new();
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
        let wish = wishes.entry(requirement.name.clone()).or_insert_with(|| {
            let mut wish = Wish::automatic(needed);
            // What nothing needs yet is for all platforms, too.
            if !arguments.automatic || wish.platforms.is_empty() {
                wish.platforms = (0..repository.configuration.platforms.len()).collect();
            }
            wish.automatic = arguments.automatic;
            wish
        });
        wish.extras.extend(extras);
        if !specifiers.is_empty() {
            wish.constraints.push((COMMAND_LINE.to_owned(), specifiers));
        }
    }
    Ok(wishes.into_values().collect())
}

fn declared_extras(declaration: &Declaration) -> BTreeSet<ExtraName> {
    declaration
        .wheels
        .iter()
        .flat_map(|wheel| wheel.extras.iter().map(|extra| extra.value.clone()))
        .collect()
}

/// What has to be added or changed before the set is closed.
fn needed(repository: &Repository, granted: &BTreeMap<ProjectName, Wish>) -> Vec<Wish> {
    Graph::new(repository)
        .unsatisfied_needs()
        .into_iter()
        .map(|need| {
            let declared = repository.declarations.get(&need.project);
            let mut wish = Wish::automatic(need);
            // What was typed holds in later rounds, too.
            if let Some(earlier) = granted.get(&wish.project) {
                let typed = earlier.typed().cloned();
                wish.constraints
                    .extend(typed.map(|specifiers| (COMMAND_LINE.to_owned(), specifiers)));
            }
            wish.extras
                .extend(declared.into_iter().flat_map(declared_extras));
            if declared.is_some_and(|declaration| !declaration.automatic) {
                wish.automatic = false;
                wish.platforms = (0..repository.configuration.platforms.len()).collect();
            }
            wish.keep = declared.map(|declaration| declaration.version().clone());
            wish
        })
        .collect()
}

fn unsatisfiable(repository: &Repository, wish: &Wish) -> Failure {
    let has = repository
        .declarations
        .get(&wish.project)
        .map_or_else(String::new, |declaration| {
            format!(", though {} was taken", declaration.version())
        });
    Failure::finding(format!(
        "what the set needs of `{}` cannot be satisfied{has}: {}",
        wish.project,
        wish.asked()
    ))
    .help("leave an extra out, or name another version of one that asks: `ipwhl add NAME==VERSION`")
}

fn file_of(repository: &Repository, project: &ProjectName) -> String {
    format!("{}/{project}.toml", repository.configuration.declarations)
}

/// Takes a declaration into the repository as if it had been read from its file.
fn insert(repository: &mut Repository, mut declaration: Declaration) -> Result<(), Failure> {
    keep_sources(repository, &mut declaration);
    let name = file_of(repository, &declaration.project);
    let file: Arc<str> = Arc::from(name.as_str());
    let text = write_declaration(&declaration);
    let text = match repository.texts.get(&file) {
        Some(before) => keep_comments(before.as_str(), &text),
        None => schema_line(repository) + &text,
    };
    let parsed = parse(&file, &text, Layout::Package);
    let is_fatal =
        |finding: &&Finding| !finding.code.may_be_softened() || finding.code.hides_requirements();
    if let Some(finding) = parsed.findings.iter().find(is_fatal) {
        return Err(Failure::finding(format!(
            "the index's data of `{}` makes no sound declaration: {}",
            declaration.project, finding.message
        )));
    }
    repository
        .texts
        .insert(Arc::clone(&file), SourceText::new(text));
    repository.unreadable.remove(&declaration.project);
    repository.declarations.insert(
        declaration.project.clone(),
        Declaration {
            file,
            automatic: parsed.automatic,
            automatic_span: parsed.automatic_span,
            wheels: parsed.wheels,
            project: declaration.project,
        },
    );
    Ok(())
}

/// A wheel that stays keeps the sources that people have given it.
fn keep_sources(repository: &Repository, declaration: &mut Declaration) {
    let Some(before) = repository.declarations.get(&declaration.project) else {
        return;
    };
    for wheel in &mut declaration.wheels {
        let same = before.wheels.iter().find(|other| {
            other.file_name.as_str() == wheel.file_name.as_str()
                && other.content_id.value == wheel.content_id.value
        });
        if let Some(same) = same {
            wheel.sources.clone_from(&same.sources);
        }
    }
}

/// What a new declaration begins with where the repository keeps the schema: a line for editors.
fn schema_line(repository: &Repository) -> String {
    if repository.directory.join(DECLARATION_SCHEMA_FILE).is_file() {
        schema_directive(&repository.configuration.declarations) + "\n\n"
    } else {
        String::new()
    }
}

fn write(
    context: &Context<'_>,
    repository: &Repository,
    written: &BTreeSet<ProjectName>,
    before: &Before,
    granted: &BTreeMap<ProjectName, Wish>,
) -> Result<(), Failure> {
    let folder = repository
        .directory
        .join(&repository.configuration.declarations);
    let failed = |path: &std::path::Path, error: &std::io::Error| {
        Failure::world(format!("`{}` cannot be written: {error}", path.display()))
    };
    std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
    let graph = Graph::new(repository);
    for project in written {
        let name = file_of(repository, project);
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
        context.say(before.line(context, &graph, declaration, granted.get(project)));
    }
    Ok(())
}
