//! `ipwhl audit`: compares the declared versions with a database of advisories, and with the index.

use std::path::Path;

use clap::Args;
use ipwhl_packaging::ProjectName;
use jiff::Timestamp;

use super::context::Context;
use super::exit::ExitStatus;
use super::network::NetworkArguments;
use super::report::{
    Deny, MessageFormat, count, show_compared, show_waivers, status, tell_of_waivers,
};
use super::values::time;
use super::words::counted;
use crate::foundation::diagnostic::{JsonDatabase, JsonLine, json_line};
use crate::foundation::failure::Failure;
use crate::set::advisories::DatabaseFacts;
use crate::set::audit::{AuditOptions, audit};
use crate::set::repository::DatabasePlace;

/// Compare the declared versions with a database of advisories
///
/// The database is in the OSV format: a folder with an entry in each file, in JSON or in YAML, or a
/// ZIP archive of such files. An entry about a malicious version is an error, and any other one a
/// warning. `[audit]`, `[severity]` and waivers in `ipwhl.toml` change that.
///
/// For each vulnerability, asks the index for the newest version that fits the set and has none,
/// and prints the command that takes it. With `--offline`, nothing is asked.
///
/// With `--index`, also asks the index about each declared project: wheels that were yanked, and
/// projects that are archived, deprecated (warnings) or quarantined (an error). Then the database is
/// optional.
///
/// Example: ipwhl audit --database ../advisory-database
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The database: a folder, a ZIP archive, or the address of an archive [default: `database` in
    /// `[audit]`]
    #[arg(long, value_name = "PLACE", value_parser = DatabasePlace::parse)]
    database: Option<DatabasePlace>,
    /// Also ask the index for yanked wheels and for the status of each project
    #[arg(long, conflicts_with = "offline")]
    index: bool,
    /// The output format of findings
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    message_format: MessageFormat,
    /// Print waivers that cover the findings, with this reason. To add them: `ipwhl audit --waivers
    /// REASON >> ipwhl.toml`
    #[arg(long, value_name = "REASON")]
    waivers: Option<String>,
    /// Which findings besides errors set the exit code to 1
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
    /// Audit as of this time instead of now: the age of the database and the days of waivers
    #[arg(long, value_name = "TIME", value_parser = time)]
    now: Option<Timestamp>,
    #[command(flatten)]
    network: NetworkArguments,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let reason = arguments.waivers.as_deref();
    if reason.is_some_and(|reason| reason.trim().is_empty()) {
        return Err(Failure::usage("the reason of `--waivers` is empty")
            .help("say why the findings are acceptable: `--waivers 'REASON'`"));
    }
    let network = &arguments.network.network();
    let options = AuditOptions {
        database: arguments.database.as_ref(),
        folder: &context.absolute(Path::new("")),
        index: arguments.index,
        network,
        waiver_reason: reason.unwrap_or_default(),
        now: arguments.now,
    };
    let directory = context.own_repository_directory()?;
    let (repository, audit) = audit(&context.session, &directory, &options)?;
    let repository = &repository;
    let findings = &audit.findings;
    let format = arguments.message_format;
    if let (MessageFormat::Json, Some((place, facts))) = (format, &audit.database) {
        let line = JsonLine::Database(database(place, facts));
        let line = json_line(&line).map_err(|error| Failure::world(error.to_string()))?;
        context.result(&line)?;
    }
    show_compared(context, repository, findings, format, false)?;
    match &arguments.waivers {
        _ if format != MessageFormat::Text => {}
        Some(_) => show_waivers(context, findings)?,
        None => tell_of_waivers(context, findings, "`ipwhl audit --waivers REASON`"),
    }
    if !audit.unasked.is_empty() {
        context.say(&format!(
            "note: the index was not asked whether an update fits: {}",
            audit.unasked.join("; ")
        ));
    }
    if !audit.unknown.is_empty() {
        let unknown: Vec<&str> = audit.unknown.iter().map(ProjectName::as_str).collect();
        context.say(&format!(
            "note: the index does not have {}",
            unknown.join(", ")
        ));
    }
    if let Some((place, facts)) = &audit.database {
        let described = described(place, facts, audit.now);
        context.say(&format!("database: {described}"));
    }
    context.say(&format!(
        "audited {}: {}",
        counted(repository.declarations.len(), "project"),
        count(findings).unwrap_or_else(|| "no findings".to_owned())
    ));
    if !repository.unreadable.is_empty() {
        context.error(&format!(
            "{} cannot be read, and {} not audited: `ipwhl check` shows the mistakes",
            counted(repository.unreadable.len(), "declaration"),
            if repository.unreadable.len() == 1 {
                "was"
            } else {
                "were"
            }
        ));
        return Ok(ExitStatus::Findings);
    }
    Ok(status(findings, arguments.deny == Some(Deny::Warnings)))
}

/// The database in one line: its place, its age, its size and its digest.
fn described(place: &str, facts: &DatabaseFacts, now: Timestamp) -> String {
    let age = facts.newest.map_or_else(
        || "of unknown age".to_owned(),
        |newest| {
            let hours = now.duration_since(newest).as_hours().max(0);
            let days = usize::try_from(hours / 24).unwrap_or_default();
            let age = match days {
                0 => "less than a day".to_owned(),
                days => counted(days, "day"),
            };
            format!("{age} old (newest entry {})", newest.strftime("%Y-%m-%d"))
        },
    );
    let mut parts = vec![
        format!("`{place}`"),
        age,
        counted_advisories(facts.advisories),
    ];
    if facts.withdrawn > 0 {
        parts.push(format!("{} withdrawn", facts.withdrawn));
    }
    parts.push(format!("SHA-256 {}", facts.digest));
    parts.join(", ")
}

fn counted_advisories(count: usize) -> String {
    match count {
        1 => "1 advisory".to_owned(),
        count => format!("{count} advisories"),
    }
}

fn database(place: &str, facts: &DatabaseFacts) -> JsonDatabase {
    JsonDatabase {
        place: place.to_owned(),
        digest: facts.digest.clone(),
        newest: facts.newest.map(|newest| newest.to_string()),
        entries: facts.entries,
        advisories: facts.advisories,
        withdrawn: facts.withdrawn,
        broken: facts.broken.len(),
    }
}
