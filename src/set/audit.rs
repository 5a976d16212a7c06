//! The audit of a set: the database is read, or its index in the cache, and the declared versions
//! are compared with it.

mod fixes;
mod index;
mod mended;

use std::fs::File;
use std::panic::resume_unwind;
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use fixes::Question;
use index::about_index;
use ipwhl_packaging::ProjectName;

use crate::foundation::diagnostic::Finding;
use crate::foundation::failure::Failure;
use crate::foundation::time::Cooldown;
use crate::set::advisories::{
    AuditRules, Database, DatabaseBuilder, DatabaseFacts, Entry, LARGEST_ENTRY, Rating,
    StoredIndex, about_database, about_versions, write_index,
};
use crate::set::gather::Network;
use crate::set::judgement::{Audited, judge_audit};
use crate::set::repository::{DatabasePlace, LoadError, Repository};
use crate::source::{Client, DatabaseError, DatabaseFiles, Limits, Session};

/// The age from which on a database is reported as old, unless the repository sets another one.
const MAXIMUM_AGE: Cooldown = Cooldown::days(14);

/// The options of an audit.
#[derive(Clone, Copy)]
pub struct AuditOptions<'o> {
    /// The database; `None` for the one that the repository names.
    pub database: Option<&'o DatabasePlace>,
    /// The folder that a path of `database` is relative to.
    pub folder: &'o Path,
    /// Whether the index is asked about the declared projects. Then a database is not required.
    pub index: bool,
    /// The network settings.
    pub network: &'o Network,
    /// The reason in proposed waivers.
    pub waiver_reason: &'o str,
    /// The time that decides about the age of the database and the days of waivers; `None` for the
    /// session's clock.
    pub now: Option<Timestamp>,
}

/// The result of an audit.
#[derive(Debug)]
pub struct Audit {
    /// All findings, in order.
    pub findings: Vec<Finding>,
    /// The reasons why the index was not asked whether an update fits.
    pub unasked: Vec<String>,
    /// The place of the database, as given, without credentials, and facts about it; `None` if only
    /// the index was asked.
    pub database: Option<(String, DatabaseFacts)>,
    /// The projects that the index was asked about and does not have.
    pub unknown: Vec<ProjectName>,
    /// The time of the audit.
    pub now: Timestamp,
}

/// A database for a set: only the advisories about its projects are certain to be there.
#[derive(Debug)]
pub struct OpenDatabase {
    database: Database,
    rules: AuditRules,
    is_configured: bool,
}

impl OpenDatabase {
    /// Opens the database that a repository names, without the network.
    ///
    /// # Errors
    /// When it is absent, or cannot be read.
    pub fn configured(
        session: &Session,
        repository: &Repository,
        now: Timestamp,
    ) -> Option<Result<Self, Failure>> {
        let place = &repository.configuration.audit.database.as_ref()?.value;
        let files = match place {
            DatabasePlace::Path(path) => {
                DatabaseFiles::at(&repository.directory.join(path), session.now())
            }
            DatabasePlace::Web(url) => DatabaseFiles::web(session, None, url),
        };
        let database = files
            .map_err(|error| Failure::world(&error))
            .and_then(|files| Opened::new(session, &repository.directory, place, files, now))
            .and_then(|opened| opened.database(session, repository, now));
        Some(database.map(|database| Self {
            database,
            rules: rules(repository),
            is_configured: true,
        }))
    }

    /// Frees the memory beside other work: a whole database consists of many small parts.
    pub fn discard(self) {
        rayon::spawn(move || drop(self));
    }

    /// Findings about a state of the set, and about the database at this time.
    pub fn findings(&self, repository: &Repository, now: Timestamp) -> Vec<Finding> {
        let Self {
            database,
            rules,
            is_configured,
        } = self;
        let mut findings = about_versions(repository, database, rules);
        let facts = &database.facts;
        findings.extend(about_database(
            repository,
            facts,
            rules,
            now,
            *is_configured,
        ));
        findings
    }
}

/// Reads the repository in a folder, and audits its set.
///
/// # Errors
/// When the repository cannot be read, no database is named, or it cannot be read.
pub fn audit(
    session: &Session,
    directory: &Path,
    options: &AuditOptions<'_>,
) -> Result<(Repository, Audit), Failure> {
    let now = options.now.unwrap_or_else(|| session.now());
    let load_error = |error: LoadError| Failure::world(&error);
    let settings = Repository::load_configuration(directory).map_err(load_error)?;
    let configured = settings.configuration.audit.database.as_ref();
    let place = match (options.database, configured) {
        (Some(place), _) => Some((place, options.folder)),
        (None, Some(place)) => Some((&place.value, directory)),
        (None, None) if options.index => None,
        (None, None) => {
            return Err(Failure::usage("no advisory database is named").help(
                "name one with `--database`, or `database` under `[audit]` in `ipwhl.toml`: a \
                 folder, a ZIP archive or the address of one; `--index` asks the index instead",
            ));
        }
    };
    // The database is opened while the declarations are read.
    let (opened, repository) = std::thread::scope(|scope| {
        let opened = place.map(|(place, folder)| {
            scope.spawn(move || {
                let files = files(session, place, folder, options.network)?;
                Opened::new(session, directory, place, files, now)
            })
        });
        let repository = Repository::load(directory);
        let opened =
            opened.map(|opened| opened.join().unwrap_or_else(|panic| resume_unwind(panic)));
        (opened, repository)
    });
    let repository = repository.map_err(load_error)?;
    let open = match opened {
        Some(opened) => Some(OpenDatabase {
            database: opened?.database(session, &repository, now)?,
            rules: rules(&repository),
            is_configured: options.database.is_none(),
        }),
        None => None,
    };
    let today = now.to_zoned(TimeZone::UTC).date();
    // A setting that cannot be read, such as `error-from`, would change the result without a word.
    let file = repository.configuration_file();
    let is_of_settings = |finding: &&Finding| {
        let place = finding.labels.first();
        place.is_some_and(|label| label.file == file)
    };
    let of_settings = repository.findings.iter().filter(is_of_settings);
    let mut findings: Vec<Finding> = of_settings.cloned().collect();
    findings.extend(open.iter().flat_map(|open| open.findings(&repository, now)));
    let mut unknown = Vec::new();
    if options.index {
        let (of_index, absent) = about_index(session, options.network, &repository)?;
        findings.extend(of_index);
        unknown = absent;
    }
    let audited = Audited {
        advisories: open.is_some(),
        index: options.index,
    };
    let mut findings = judge_audit(&repository, findings, today, options.waiver_reason, audited);
    let mut unasked = Vec::new();
    if let Some(open) = &open {
        let question = Question {
            session,
            network: options.network,
            repository: &repository,
            advisories: &open.database.projects,
        };
        unasked = question.answer(&mut findings);
    }
    let place = place.map(|(place, _)| place.to_string());
    let audit = Audit {
        findings,
        unasked,
        database: place.zip(open.as_ref().map(|open| open.database.facts.clone())),
        unknown,
        now,
    };
    if let Some(open) = open {
        open.discard();
    }
    Ok((repository, audit))
}

/// The files of a database, fetched if needed.
fn files(
    session: &Session,
    place: &DatabasePlace,
    folder: &Path,
    network: &Network,
) -> Result<DatabaseFiles, Failure> {
    let files = match place {
        DatabasePlace::Path(path) => DatabaseFiles::at(&folder.join(path), session.now()),
        DatabasePlace::Web(url) if network.offline => DatabaseFiles::web(session, None, url),
        DatabasePlace::Web(url) => {
            let client = Client::new(&session.client_settings(Limits::default()))
                .map_err(|error| Failure::caused(&error))?;
            DatabaseFiles::web(session, Some(&client), url)
        }
    };
    files.map_err(|error| unavailable(&error))
}

fn unavailable(error: &DatabaseError) -> Failure {
    let failure = Failure::world(error);
    match error {
        DatabaseError::Absent(_) => failure.help(
            "the path is that of a folder with OSV entries, or of a ZIP archive of one: clone the \
             database, or download it",
        ),
        DatabaseError::Fetch(_) => {
            failure.help("`--offline` uses the copy that was fetched last, if there is one")
        }
        DatabaseError::NotCached(_) => failure.help(
            "run `ipwhl audit` once without `--offline`: the database then stays in \
                          the cache",
        ),
        DatabaseError::Unreadable(..) | DatabaseError::Unfit(..) => failure,
    }
}

fn rules(repository: &Repository) -> AuditRules {
    let settings = &repository.configuration.audit;
    AuditRules {
        error_from: settings.error_from.and_then(Rating::of_word),
        maximum_age: settings.maximum_age.unwrap_or(MAXIMUM_AGE),
    }
}

/// A database that was opened, before the projects of the set are known.
struct Opened {
    files: DatabaseFiles,
    key: String,
    place: String,
    content: Content,
}

/// What was read of a database.
enum Content {
    /// The table of its index in the cache.
    Index(StoredIndex<File>),
    /// All of it.
    Whole(Database),
}

impl Opened {
    /// Opens the index in the cache, or reads each file and stores an index.
    fn new(
        session: &Session,
        directory: &Path,
        place: &DatabasePlace,
        files: DatabaseFiles,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let key = format!("{}\0{place}", directory.display());
        let place = place.to_string();
        let stored = session
            .cache()
            .ok()
            .and_then(|cache| cache.advisory_index(&key));
        // An index that cannot be used is made anew.
        let stored = stored.and_then(|file| StoredIndex::open(file, files.state()).ok());
        let content = match stored {
            Some(index) => Content::Index(index),
            None => Content::Whole(read_all(session, &files, &key, &place, now)?),
        };
        Ok(Self {
            files,
            key,
            place,
            content,
        })
    }

    /// The database, with at least the advisories about the projects of a set.
    fn database(
        self,
        session: &Session,
        repository: &Repository,
        now: Timestamp,
    ) -> Result<Database, Failure> {
        match self.content {
            Content::Whole(database) => Ok(database),
            Content::Index(index) => match index.database(repository.declarations.keys()) {
                Ok(database) => Ok(database),
                Err(_) => read_all(session, &self.files, &self.key, &self.place, now),
            },
        }
    }
}

/// Reads each file of a database, and stores its index.
fn read_all(
    session: &Session,
    files: &DatabaseFiles,
    key: &str,
    place: &str,
    now: Timestamp,
) -> Result<Database, Failure> {
    let entries = files.read(LARGEST_ENTRY, Entry::read, Entry::unreadable);
    let entries = entries.map_err(|reason| {
        Failure::world(format!(
            "the advisory database `{place}` cannot be used: it {reason}"
        ))
    })?;
    let mut builder = DatabaseBuilder::new(now);
    builder.extend(entries);
    let database = builder.build();
    if database.facts.entries == 0 {
        return Err(Failure::world(format!(
            "the advisory database `{place}` has no entries: a set is not audited by comparing it \
             with nothing"
        ))
        .help("check the path: a database has a file in JSON or YAML for each advisory"));
    }
    if let Ok(cache) = session.cache()
        && files.is_settled()
    {
        // Without an index the files are read again next time.
        let _ = cache.keep_advisory_index(key, |out| write_index(&database, files.state(), out));
    }
    Ok(database)
}
