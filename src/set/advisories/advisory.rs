//! An entry of a database, read and checked: what it says about each project.

use ipwhl_packaging::{ProjectName, Version};
use ipwhl_unixfs::Sha256Digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::range::{Range, compare};
use super::record::{
    AffectedRecord, EntryFormat, Record, SeverityRecord, VersionList, is_identifier,
};
use super::severity::Rating;

/// The only ecosystem that counts.
const ECOSYSTEM: &str = "PyPI";

/// The longest summary that is kept, in characters.
const LONGEST_SUMMARY: usize = 200;

/// The longest text of a database in a message, in characters.
const LONGEST_QUOTED: usize = 80;

/// The most scores of one entry that are kept.
const MOST_SCORES: usize = 10;

/// The most identifiers of one vulnerability that are kept.
pub(super) const MOST_NAMES: usize = 20;

/// The affected versions of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// Single versions, as written. Texts that are no versions are of no declared wheel. The index
    /// has them beside its JSON, for they are most of it.
    #[serde(skip)]
    pub versions: VersionList,
    /// Ranges of versions.
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<Range>,
}

impl Affected {
    /// Whether a version is affected: it is listed, or is in a range.
    pub fn contains(&self, version: &Version) -> bool {
        self.ranges.iter().any(|range| range.contains(version))
            || self.versions.iter().any(|text| is_listed(text, version))
    }
}

/// Whether a text of an entry is a declared version. Most texts are numbers and dots, and are not
/// parsed.
fn is_listed(text: &str, declared: &Version) -> bool {
    if !text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        let listed = text.parse::<Version>();
        return listed.is_ok_and(|listed| compare(declared, &listed).is_eq());
    }
    let is_plain = declared.epoch() == 0
        && !declared.any_prerelease()
        && declared.post().is_none()
        && !declared.is_dev();
    let mut own = declared.release().iter().copied();
    let mut listed = text.split('.').map(str::parse::<u64>);
    is_plain
        && loop {
            match (own.next(), listed.next()) {
                (None, None) => break true,
                (Some(0), None) | (None, Some(Ok(0))) => {}
                (Some(one), Some(Ok(other))) if one == other => {}
                _ => break false,
            }
        }
}

/// An advisory about one project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// Its identifier.
    pub id: String,
    /// The number of the vulnerability in the database: aliases have the same.
    pub group: usize,
    /// The first identifiers of the vulnerability, in order: its own, its aliases, and theirs.
    pub names: Vec<String>,
    /// One line of text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The vectors of its severities, as written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<String>,
    /// The severity in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<Rating>,
    /// The affected versions.
    pub affected: Affected,
}

/// A file of a database.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The file's path in the database.
    pub(super) file: String,
    /// The SHA-256 of its bytes; `None` if it could not be read.
    pub(super) digest: Option<Sha256Digest>,
    /// The content, or the reason why there is none.
    pub(super) content: Result<Content, String>,
}

/// The content of an entry.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    pub(super) id: String,
    pub(super) modified: Option<Timestamp>,
    pub(super) is_withdrawn: bool,
    pub(super) aliases: Vec<String>,
    pub(super) summary: Option<String>,
    pub(super) rating: Option<Rating>,
    pub(super) projects: Vec<(ProjectName, Affected, Vec<String>)>,
    /// Parts that cannot be used, with the project that they are about.
    pub(super) problems: Vec<(Option<ProjectName>, String)>,
}

impl Entry {
    /// Reads the bytes of a file. The format follows from its name.
    pub fn read(file: &str, bytes: &[u8]) -> Self {
        let content = match EntryFormat::of(file) {
            Some(format) => Record::parse(bytes, format)
                .map(Content::of)
                .map_err(|error| quoted(&error.to_string())),
            None => Err("its name ends neither with `.json` nor with `.yaml`".to_owned()),
        };
        Self {
            file: file.to_owned(),
            digest: Some(Sha256Digest::of(bytes)),
            content,
        }
    }

    /// A file that could not be read, with the reason as a clause.
    pub fn unreadable(file: &str, reason: String) -> Self {
        Self {
            file: file.to_owned(),
            digest: None,
            content: Err(reason),
        }
    }
}

impl Content {
    fn of(record: Record) -> Self {
        let mut content = Self {
            modified: record
                .modified
                .as_deref()
                .and_then(|text| text.parse().ok()),
            is_withdrawn: record.withdrawn.is_some(),
            summary: record.summary.as_deref().and_then(one_line),
            rating: record
                .database_specific
                .and_then(|specific| Rating::of_word(specific.severity?.as_str()?)),
            id: record.id,
            ..Self::default()
        };
        if content.modified.is_none() {
            let problem = "it does not say when it was modified".to_owned();
            content.problems.push((None, problem));
        }
        let aliases = record.aliases.into_iter().flatten();
        content.aliases = aliases.filter(|alias| is_identifier(alias)).collect();
        let severity = record.severity.unwrap_or_default();
        for affected in record.affected.into_iter().flatten() {
            content.add(affected, &severity);
        }
        content
    }

    /// Takes in one affected package.
    fn add(&mut self, record: AffectedRecord, severity: &[SeverityRecord]) {
        let Some(package) = &record.package else {
            return;
        };
        if package.ecosystem.split(':').next() != Some(ECOSYSTEM) {
            return;
        }
        let project: ProjectName = match package.name.parse() {
            Ok(project) => project,
            Err(_) => {
                let name = quoted(&package.name);
                let problem = format!("`{name}` is not the name of a project");
                return self.problems.push((None, problem));
            }
        };
        let mut ranges = Vec::new();
        for range in record.ranges.iter().flatten() {
            if !Range::is_of_versions(range) {
                continue;
            }
            match Range::of(range) {
                Ok(range) => ranges.push(range),
                Err(error) => {
                    let problem = format!("a range cannot be read: {error}");
                    self.problems
                        .push((Some(project.clone()), quoted(&problem)));
                }
            }
        }
        let position = self.projects.iter().position(|(name, ..)| *name == project);
        let position = position.unwrap_or_else(|| {
            self.projects
                .push((project, Affected::default(), Vec::new()));
            self.projects.len() - 1
        });
        let (_, affected, scores) = &mut self.projects[position];
        affected
            .versions
            .extend(record.versions.unwrap_or_default());
        affected.ranges.extend(ranges);
        let all = severity.iter().chain(record.severity.iter().flatten());
        for score in all.filter_map(|one| one.score.as_ref()) {
            if scores.len() < MOST_SCORES && !scores.contains(score) && score.len() < 300 {
                scores.push(score.clone());
            }
        }
    }
}

/// A text of a database for a message, shortened.
fn quoted(text: &str) -> String {
    shortened(text, LONGEST_QUOTED + 60)
}

fn shortened(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The text in one line, shortened; `None` if there is none.
fn one_line(text: &str) -> Option<String> {
    // A text of any length is cut before its words are joined.
    let start = shortened(text, 4 * LONGEST_SUMMARY);
    let words: Vec<&str> = start.split_whitespace().collect();
    (!words.is_empty()).then(|| shortened(&words.join(" "), LONGEST_SUMMARY))
}
