//! The program: one file for each subcommand, with its arguments, its run and its output.
//!
//! Only this box writes to the terminal. The boxes before it return values.

mod add;
mod allow;
mod archives;
mod audit;
mod build;
mod bundle;
mod cache;
mod change;
mod check;
mod cid;
mod columns;
mod completions;
mod context;
mod diff;
mod draw;
mod exit;
mod explain;
mod fetch;
mod fill;
mod fmt;
mod global;
mod hollow;
mod init;
mod key;
mod keys;
mod list;
mod lock;
mod man;
mod migrate;
mod network;
mod newer;
mod outdated;
mod part;
mod progress;
mod publish;
mod query;
mod remove;
mod report;
mod sbom;
mod serve;
mod show;
mod sign;
mod site;
mod tree;
mod update;
mod values;
mod verify;
mod voice;
mod vouch;
mod why;
mod words;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::foundation::diagnostic::Inert;
use crate::foundation::environment::Environment;

use context::Context;
pub use exit::ExitStatus;
use global::Global;

/// The maximum width of help texts, in columns.
const HELP_WIDTH: usize = 100;

/// Turn declarations of Python wheels into one signed, content-addressed package index
///
/// Run it in the folder of a repository, or in a folder below it.
///
/// Example: ipwhl build
#[derive(Debug, Parser)]
#[command(
    name = "ipwhl",
    version,
    propagate_version = true,
    max_term_width = HELP_WIDTH
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Arguments),
    Build(build::Arguments),
    Check(check::Arguments),
    Audit(audit::Arguments),
    Explain(explain::Arguments),
    Add(add::Arguments),
    Update(update::Arguments),
    Outdated(outdated::Arguments),
    Remove(remove::Arguments),
    List(list::Arguments),
    Show(show::Arguments),
    Tree(tree::Arguments),
    Why(why::Arguments),
    Lock(lock::Arguments),
    Sbom(sbom::Arguments),
    Diff(diff::Arguments),
    Fmt(fmt::Arguments),
    Migrate(migrate::Arguments),
    Cid(cid::Arguments),
    Verify(verify::Arguments),
    Fetch(fetch::Arguments),
    Bundle(bundle::Arguments),
    Hollow(hollow::Arguments),
    Fill(fill::Arguments),
    Publish(publish::Arguments),
    Serve(serve::Arguments),
    Sign(sign::Arguments),
    Key(key::Arguments),
    Cache(cache::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// The definition of every command and option. Completions, manual pages and help texts are made
/// from it.
pub fn definition() -> clap::Command {
    Cli::command()
}

fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &Environment,
) -> Result<Cli, clap::Error> {
    let mut definition = definition();
    // Piped help does not depend on the width of the terminal.
    if !environment.output.is_terminal() {
        definition = definition.term_width(HELP_WIDTH);
    }
    let mut matches = definition.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut definition))
}

/// Runs the program with these arguments, the program's name first.
pub fn run(arguments: impl IntoIterator<Item = OsString>, environment: &Environment) -> ExitStatus {
    let cli = match parse(arguments, environment) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, environment),
    };
    let context = Context::new(&cli.global, environment);
    let outcome = match cli.command {
        Command::Init(arguments) => init::run(&context, &arguments),
        Command::Build(arguments) => build::run(&context, &arguments),
        Command::Check(arguments) => check::run(&context, &arguments),
        Command::Audit(arguments) => audit::run(&context, &arguments),
        Command::Explain(arguments) => explain::run(&context, &arguments),
        Command::Add(arguments) => add::run(&context, &arguments),
        Command::Update(arguments) => update::run(&context, &arguments),
        Command::Outdated(arguments) => outdated::run(&context, &arguments),
        Command::List(arguments) => list::run(&context, &arguments),
        Command::Show(arguments) => show::run(&context, &arguments),
        Command::Tree(arguments) => tree::run(&context, &arguments),
        Command::Why(arguments) => why::run(&context, &arguments),
        Command::Lock(arguments) => lock::run(&context, &arguments),
        Command::Sbom(arguments) => sbom::run(&context, &arguments),
        Command::Diff(arguments) => diff::run(&context, &arguments),
        Command::Remove(arguments) => remove::run(&context, &arguments),
        Command::Fmt(arguments) => fmt::run(&context, &arguments),
        Command::Migrate(arguments) => migrate::run(&context, &arguments),
        Command::Cid(arguments) => cid::run(&context, &arguments),
        Command::Verify(arguments) => verify::run(&context, &arguments),
        Command::Fetch(arguments) => fetch::run(&context, &arguments),
        Command::Bundle(arguments) => bundle::run(&context, &arguments),
        Command::Hollow(arguments) => hollow::run(&context, &arguments),
        Command::Fill(arguments) => fill::run(&context, &arguments),
        Command::Publish(arguments) => publish::run(&context, &arguments),
        Command::Serve(arguments) => serve::run(&context, &arguments),
        Command::Sign(arguments) => sign::run(&context, &arguments),
        Command::Key(arguments) => key::run(&context, &arguments),
        Command::Cache(arguments) => cache::run(&context, &arguments),
        Command::Completions(arguments) => completions::run(&context, &arguments, definition()),
        Command::Man(arguments) => man::run(&context, &arguments, definition()),
    };
    cache::keep_to_limit(&context);
    match outcome {
        Ok(status) => status,
        Err(failure) => {
            context.failure(&failure);
            ExitStatus::from(&failure)
        }
    }
}

/// Prints help and version on standard output, and a mistake in the command line on standard error.
fn usage(error: &clap::Error, environment: &Environment) -> ExitStatus {
    let is_terminal = if error.use_stderr() {
        environment.error.is_terminal()
    } else {
        environment.output.is_terminal()
    };
    let text = error.render();
    let plain = Inert::from(&text.to_string());
    // The error quotes the arguments, which may hold text from strangers.
    let is_plain = plain.as_str() != text.to_string();
    let text = if is_terminal && !is_plain && environment.variable("NO_COLOR").is_none() {
        Inert::drawn(&text.ansi().to_string())
    } else {
        plain
    };
    let written = if error.use_stderr() {
        environment.error.write(text)
    } else {
        environment.output.write(text)
    };
    match (error.use_stderr(), written) {
        (true, _) => ExitStatus::Usage,
        (false, Ok(())) => ExitStatus::Clean,
        (false, Err(error)) => {
            let message = context::unwritable_output(&error).message;
            let _ = environment.error.line(&format!("error: {message}"));
            ExitStatus::World
        }
    }
}
