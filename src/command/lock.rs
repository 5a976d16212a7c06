//! `ipwhl lock`: lock files for installers.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use toml_edit::{DocumentMut, Item};
use url::Url;

use super::context::Context;
use super::exit::ExitStatus;
use super::part::{named, write_or_print};
use super::query::note_findings;
use super::words::counted;
use crate::foundation::diagnostic::Finding;
use crate::foundation::environment::is_device;
use crate::foundation::failure::{Failure, unusable};
use crate::set::declaration::DeclaredWheel;
use crate::set::graph::GraphQuery;
use crate::set::lock::{
    Closures, LockError, Part, Places, Pylock, Root, WheelDigest, ambiguous_extras, constraints,
    lock_changes, requirements, unmet, uv_settings,
};
use crate::set::sbom::part_wheels;

/// The largest lock file that is read.
const LARGEST_LOCK: u64 = 64 << 20;

/// The kinds of lock files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LockFormat {
    /// `pylock.toml` (PEP 751)
    Pylock,
    /// `requirements.txt` with the SHA-256 of each wheel
    Requirements,
    /// Every version of the set, as constraints of pip and uv
    Constraints,
    /// The index and the constraints, for `uv.toml`
    Uv,
}

/// Write a lock file that installs parts of the set
///
/// Without names, each project of the set is an extra of the lock file, and so is each extra of a
/// project: `project--extra`. One file installs exactly what any of them needs. With names, the file
/// installs these projects, without asking for extras.
///
/// Example: ipwhl lock 'httpx[http2]' --output pylock.toml
#[expect(
    rustdoc::broken_intra_doc_links,
    reason = "the brackets around an extra are no link, and clap shows the text as it stands"
)]
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The projects to lock: `NAME` or `NAME[EXTRA,…]`
    #[arg(value_name = "NAME")]
    projects: Vec<String>,
    /// The kind of the file
    #[arg(long, value_name = "FORMAT", default_value = "pylock")]
    format: LockFormat,
    /// The address of the release with the wheels; without it, paths relative to the lock file
    #[arg(long, value_name = "URL")]
    base: Option<Url>,
    /// Write the file here, instead of to standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Compare this `pylock.toml` with the set, and print what has changed. The exit code is 1 if
    /// something has
    #[arg(long, value_name = "FILE", conflicts_with_all = ["projects", "format", "output"])]
    check: Option<PathBuf>,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    refuse_unused(arguments)?;
    let repository = context.repository()?;
    let query = GraphQuery::new(&repository, &[])?;
    let findings = note_findings(context, &query);
    if let Some(file) = &arguments.check {
        return check(context, &query, &findings, file, arguments.base.as_ref());
    }
    let named = named(&query, &arguments.projects)?;
    let part = Part::of(&repository, &named);
    refuse_incomplete(&query, &part, &findings)?;
    let text = match arguments.format {
        LockFormat::Pylock => {
            let closures = Closures::of(&query.graph);
            if part == Part::Each {
                warn_ambiguous(context, &closures);
            }
            pylock(&query, &closures, part, arguments.base.as_ref())?
        }
        LockFormat::Requirements => {
            let part = match part {
                Part::Each => Part::Together(wanted(&query)),
                named => named,
            };
            let closures = Closures::of(&query.graph);
            requirements(&query.graph, &closures, &part, &digest)
                .map_err(|error| explained(&error))?
        }
        LockFormat::Constraints => constraints(&repository),
        LockFormat::Uv => {
            let base = arguments.base.as_ref().ok_or_else(|| {
                Failure::usage("the settings of uv name the index, so they need `--base`")
                    .help("as in `--base http://127.0.0.1:8080/ipfs/CID/`")
            })?;
            uv_settings(&repository, &slashed(base))
        }
    };
    write_or_print(context, arguments.output.as_deref(), &text)?;
    if let (LockFormat::Pylock, Some(file)) = (arguments.format, &arguments.output) {
        warn_name(context, file);
    }
    Ok(ExitStatus::Clean)
}

/// Refuses arguments that would change nothing, and an address with more than the place of a release.
fn refuse_unused(arguments: &Arguments) -> Result<(), Failure> {
    let format = arguments.format;
    if let (LockFormat::Constraints | LockFormat::Uv, Some(name)) =
        (format, arguments.projects.first())
    {
        return Err(Failure::usage(
            "constraints are about each project of the set, so they take no names",
        )
        .help(format!("leave `{name}` out, or use another `--format`")));
    }
    let Some(base) = &arguments.base else {
        return Ok(());
    };
    let unplaced = match format {
        LockFormat::Requirements => Some("requirements"),
        LockFormat::Constraints => Some("constraints"),
        LockFormat::Pylock | LockFormat::Uv => None,
    };
    if let Some(unplaced) = unplaced {
        return Err(Failure::usage(format!(
            "`--format {unplaced}` names no address of wheels, so it takes no `--base`"
        ))
        .help("give the address to the installer, as `--index-url`"));
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Err(Failure::usage(
            "a lock file is for others, so no user name and no password belong in `--base`",
        )
        .help("installers take them from a netrc file or from `keyring`"));
    }
    if base.cannot_be_a_base() || base.query().is_some() || base.fragment().is_some() {
        return Err(Failure::usage(format!(
            "`{base}` is no address of a folder, so no wheel is below it"
        ))
        .help("as in `--base http://127.0.0.1:8080/ipfs/CID/`"));
    }
    Ok(())
}

/// A lock that lacks a project would be installed as if it were whole.
fn refuse_incomplete<'r>(
    query: &GraphQuery<'r>,
    part: &Part<'r>,
    findings: &[Finding],
) -> Result<(), Failure> {
    if let Err(unreadable) = part_wheels(&query.graph, part) {
        return Err(Failure::finding(&unreadable).help("`ipwhl check` shows the mistake"));
    }
    match unmet(&query.graph, part, findings) {
        None => Ok(()),
        Some(finding) => Err(Failure::finding(format!(
            "the set does not hold: {}",
            finding.message
        ))
        .help("`ipwhl check` shows the mistake, and what can be done; a waiver lets it pass")),
    }
}

/// Warns of a file that installers do not take for a lock file because of its name.
fn warn_name(context: &Context<'_>, file: &Path) {
    let name = file.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let middle = name
        .strip_prefix("pylock.")
        .and_then(|rest| rest.strip_suffix("toml"));
    // `pylock.toml`, or `pylock.NAME.toml` with one word as the name.
    let is_lock = middle.is_some_and(|middle| {
        let word = middle.strip_suffix('.');
        middle.is_empty() || word.is_some_and(|word| !word.is_empty() && !word.contains('.'))
    });
    if !is_lock && !is_device(&context.absolute(file)) {
        context.warning(&format!(
            "installers do not take `{}` for a lock file: its name is neither `pylock.toml` nor \
             `pylock.NAME.toml`",
            file.display()
        ));
    }
}

/// Compares a lock file with one of the same part of the set.
fn check(
    context: &Context<'_>,
    query: &GraphQuery<'_>,
    findings: &[Finding],
    file: &Path,
    base: Option<&Url>,
) -> Result<ExitStatus, Failure> {
    let shown = file.display();
    let mut before = String::new();
    File::open(context.absolute(file))
        .and_then(|opened| opened.take(LARGEST_LOCK + 1).read_to_string(&mut before))
        .map_err(|error| unusable(file, &error))?;
    if before.len() as u64 > LARGEST_LOCK {
        return Err(Failure::finding(format!(
            "`{shown}` is not read: it has more than {LARGEST_LOCK} bytes"
        )));
    }
    let unreadable = |error: toml_edit::TomlError| {
        Failure::finding(format!("`{shown}` is no TOML: {}", error.message()))
    };
    let document: DocumentMut = before.parse().map_err(unreadable)?;
    let own = document.get("tool").and_then(|tool| tool.get("ipwhl"));
    let repository = own.and_then(|own| own.get("repository")?.as_str());
    let name = &query.repository.configuration.name;
    if repository != Some(name) {
        return Err(Failure::finding(match repository {
            Some(other) => format!("`{shown}` is a lock of the repository `{other}`, not `{name}`"),
            None => format!("`{shown}` is not from `ipwhl lock`: it names no repository"),
        }));
    }
    let projects = own.and_then(|own| own.get("projects"));
    let projects = projects.and_then(Item::as_array).into_iter().flatten();
    let projects: Vec<String> = projects
        .filter_map(|one| Some(one.as_str()?.to_owned()))
        .collect();
    let named = named(query, &projects)?;
    let declared = named.first();
    let declared =
        declared.and_then(|one| query.repository.declarations.get_key_value(&one.project));
    let part = match declared {
        // As the tree of a large release has it.
        Some((project, _)) if document.contains_key("extras") => Part::Project(project),
        _ => Part::of(query.repository, &named),
    };
    refuse_incomplete(query, &part, findings)?;
    let closures = Closures::of(&query.graph);
    let after = pylock(query, &closures, part, base)?;
    let changes = lock_changes(&before, &after).map_err(unreadable)?;
    for change in &changes {
        context.result(&change.to_string())?;
    }
    if changes.is_empty() {
        context.say(&format!("`{shown}` is what the set says"));
        return Ok(ExitStatus::Clean);
    }
    context.say(&format!(
        "`{shown}` is out of date: {}",
        counted(changes.len(), "change")
    ));
    Ok(ExitStatus::Findings)
}

/// The wanted projects.
fn wanted<'r>(query: &GraphQuery<'r>) -> Vec<Root<'r>> {
    let declarations = query.repository.declarations.values();
    let wanted = declarations.filter(|one| !one.automatic);
    let roots = wanted.map(|one| Root {
        project: &one.project,
        extra: None,
    });
    roots.collect()
}

/// Says which extras a file of the whole set cannot have.
fn warn_ambiguous(context: &Context<'_>, closures: &Closures<'_>) {
    for root in ambiguous_extras(closures) {
        context.warning(&format!(
            "the file has no extra for `{root}`: another project or extra has its name; \
             `ipwhl lock '{root}'` locks it alone"
        ));
    }
}

fn pylock<'r>(
    query: &GraphQuery<'r>,
    closures: &Closures<'r>,
    part: Part<'r>,
    base: Option<&Url>,
) -> Result<String, Failure> {
    let pylock = Pylock {
        graph: &query.graph,
        closures,
        part,
        places: base.map_or(Places::Relative(""), |base| Places::Below(slashed(base))),
        digest: &digest,
    };
    pylock.text().map_err(|error| explained(&error))
}

fn slashed(base: &Url) -> String {
    format!("{}/", base.as_str().trim_end_matches('/'))
}

/// The declared size and SHA-256 of a wheel.
fn digest(wheel: &DeclaredWheel) -> Option<WheelDigest> {
    let size = wheel.size.as_ref()?.value;
    Some((size, wheel.sha256.as_ref()?.value))
}

fn explained(error: &LockError) -> Failure {
    let failure = Failure::finding(error);
    match error {
        LockError::UnknownDigest(_) => {
            failure.help("declare `sha256` and `size`; `ipwhl add NAME==VERSION` writes them")
        }
        LockError::NoMarker(_) => failure.help(
            "markers cannot name the machine of a 32-bit system; `--format constraints` needs none",
        ),
    }
}
