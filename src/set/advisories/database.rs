//! A database: its advisories by project, and the facts about it as a whole.

use std::collections::hash_map;
use std::collections::{BTreeMap, HashMap};

use ipwhl_packaging::ProjectName;
use ipwhl_unixfs::Sha256Digest;
use jiff::{SignedDuration, Timestamp};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::advisory::{Advisory, Content, Entry, MOST_NAMES};

/// The largest file of an entry, in bytes: a hundred times the largest seen in the database of the
/// Python Packaging Authority.
pub const LARGEST_ENTRY: u64 = 4 << 20;

/// The most broken entries that are named. The last one counts the others.
const MOST_BROKEN: usize = 1_000;

/// The longest time that an entry may be ahead of the clock and still say how old the database is.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// Facts about a database as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseFacts {
    /// The SHA-256 over the sorted SHA-256 digests of the entries' bytes: the same for a folder and
    /// an archive of the same files.
    pub digest: String,
    /// The newest time in `modified` of an entry.
    #[serde(with = "time_text")]
    pub newest: Option<Timestamp>,
    /// The number of files with an entry, sound or not.
    pub entries: usize,
    /// The number of entries about projects of Python, without withdrawn ones.
    pub advisories: usize,
    /// The number of withdrawn entries.
    pub withdrawn: usize,
    /// The entries that cannot be used, or only in part.
    pub broken: Vec<BrokenEntry>,
}

/// An entry that cannot be used, or only in part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BrokenEntry {
    /// The file's path in the database.
    pub file: String,
    /// The reason, as a clause.
    pub reason: String,
    /// The project that the broken part is about, and whether the rest of the entry is used.
    pub project: Option<ProjectName>,
    /// Whether nothing of the entry is used.
    pub is_skipped: bool,
}

/// The advisories of a database, by project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Database {
    /// Facts about the whole.
    pub facts: DatabaseFacts,
    /// The advisories about each project, by identifier.
    pub projects: BTreeMap<ProjectName, Vec<Advisory>>,
}

/// Collects entries.
#[derive(Debug)]
pub struct DatabaseBuilder {
    entries: Vec<Entry>,
    now: Timestamp,
}

impl DatabaseBuilder {
    /// No entries yet. `now` decides which times lie in the future and say nothing about the age.
    pub fn new(now: Timestamp) -> Self {
        Self {
            entries: Vec::new(),
            now,
        }
    }

    /// Adds entries.
    pub fn extend(&mut self, entries: impl IntoIterator<Item = Entry>) {
        self.entries.extend(entries);
    }

    /// The database of these entries, whatever their order. Of entries with one identifier the one
    /// that was modified last counts.
    pub fn build(self) -> Database {
        let Self { mut entries, now } = self;
        entries.sort_by(|one, other| one.file.cmp(&other.file));
        let mut facts = DatabaseFacts {
            entries: entries.len(),
            ..DatabaseFacts::default()
        };
        let mut digests: Vec<Sha256Digest> =
            entries.iter().filter_map(|entry| entry.digest).collect();
        let mut contents: Vec<Content> = Vec::with_capacity(entries.len());
        for entry in entries {
            let mut broken = |reason, project, is_skipped| {
                facts.broken.push(BrokenEntry {
                    file: entry.file.clone(),
                    reason,
                    project,
                    is_skipped,
                });
            };
            match entry.content {
                Ok(mut content) => {
                    for (project, reason) in std::mem::take(&mut content.problems) {
                        broken(reason, project, false);
                    }
                    contents.push(content);
                }
                Err(reason) => broken(reason, None, true),
            }
        }
        limit(&mut facts.broken);
        let times = contents.iter().filter_map(|content| content.modified);
        facts.newest = times.filter(|time| time.duration_since(now) <= AHEAD).max();
        let mut is_newest = newest_of_each(&contents).into_iter();
        contents.retain(|_| is_newest.next().unwrap_or(true));
        facts.withdrawn = contents.iter().filter(|one| one.is_withdrawn).count();
        contents.retain(|content| !content.is_withdrawn);
        facts.advisories = contents
            .iter()
            .filter(|content| !content.projects.is_empty())
            .count();
        let (digest, projects) = rayon::join(|| digest(&mut digests), || by_project(contents));
        facts.digest = digest;
        Database { facts, projects }
    }
}

fn digest(digests: &mut [Sha256Digest]) -> String {
    digests.sort_unstable();
    let bytes: Vec<u8> = digests
        .iter()
        .flat_map(|digest| *digest.as_bytes())
        .collect();
    Sha256Digest::of(&bytes).to_string()
}

fn limit(broken: &mut Vec<BrokenEntry>) {
    if broken.len() > MOST_BROKEN {
        let more = broken.len() - MOST_BROKEN + 1;
        broken.truncate(MOST_BROKEN - 1);
        let file = broken.last().map(|last| last.file.clone());
        broken.push(BrokenEntry {
            file: file.unwrap_or_default(),
            reason: format!("and {more} more entries are broken"),
            project: None,
            is_skipped: true,
        });
    }
}

/// Whether each content is the newest one of its identifier.
fn newest_of_each(contents: &[Content]) -> Vec<bool> {
    let mut newest = HashMap::with_capacity(contents.len());
    for content in contents {
        let time = newest.entry(&*content.id).or_insert(content.modified);
        *time = (*time).max(content.modified);
    }
    let times = contents
        .iter()
        .map(|one| newest.get(&*one.id) == Some(&one.modified));
    times.collect()
}

/// Divides the contents by project, and gives each all names of its vulnerability.
fn by_project(contents: Vec<Content>) -> BTreeMap<ProjectName, Vec<Advisory>> {
    let mut groups = Groups::default();
    groups.numbers.reserve(2 * contents.len());
    for content in &contents {
        groups.number(&content.id);
        for alias in &content.aliases {
            groups.join(&content.id, alias);
        }
    }
    let names = groups.names();
    let of_each = contents.par_iter().map(|content| names.of(&content.id));
    let of_each: Vec<(usize, Vec<String>)> = of_each.collect();
    // Most projects have one advisory. Those of one project stay in the order of their files.
    let mut projects: HashMap<ProjectName, Vec<Advisory>> = HashMap::with_capacity(contents.len());
    for (content, (group, names)) in contents.into_iter().zip(of_each) {
        for (project, affected, scores) in content.projects {
            let advisory = Advisory {
                id: content.id.clone(),
                group,
                names: names.clone(),
                summary: content.summary.clone(),
                scores,
                rating: content.rating,
                affected,
            };
            match projects.entry(project) {
                hash_map::Entry::Occupied(mut all) => all.get_mut().push(advisory),
                hash_map::Entry::Vacant(none) => {
                    none.insert(vec![advisory]);
                }
            }
        }
    }
    projects.into_iter().collect()
}

/// Identifiers of the same vulnerability: aliases are symmetric and transitive.
#[derive(Default)]
struct Groups<'c> {
    numbers: HashMap<&'c str, usize>,
    parents: Vec<usize>,
}

/// The names of each group.
struct GroupNames<'c> {
    groups: Vec<Vec<&'c str>>,
    numbers: HashMap<&'c str, usize>,
    parents: Vec<usize>,
}

impl<'c> Groups<'c> {
    fn number(&mut self, name: &'c str) -> usize {
        let next = self.parents.len();
        let number = *self.numbers.entry(name).or_insert(next);
        if number == next {
            self.parents.push(number);
        }
        number
    }

    fn root(&mut self, mut number: usize) -> usize {
        while self.parents[number] != number {
            self.parents[number] = self.parents[self.parents[number]];
            number = self.parents[number];
        }
        number
    }

    fn join(&mut self, one: &'c str, other: &'c str) {
        let (one, other) = (self.number(one), self.number(other));
        let (one, other) = (self.root(one), self.root(other));
        self.parents[one.max(other)] = one.min(other);
    }

    fn names(mut self) -> GroupNames<'c> {
        for number in 0..self.parents.len() {
            self.parents[number] = self.root(number);
        }
        let mut groups = vec![Vec::new(); self.parents.len()];
        for (name, number) in &self.numbers {
            groups[self.parents[*number]].push(*name);
        }
        for group in &mut groups {
            group.sort_unstable();
            group.truncate(MOST_NAMES);
        }
        GroupNames {
            groups,
            numbers: self.numbers,
            parents: self.parents,
        }
    }
}

impl GroupNames<'_> {
    /// The number of the vulnerability, and its names with this one.
    fn of(&self, name: &str) -> (usize, Vec<String>) {
        let number = self.numbers.get(name).copied().unwrap_or_default();
        let group = self.parents.get(number).copied().unwrap_or_default();
        let known = self.groups.get(group).into_iter().flatten();
        let mut names: Vec<String> = known.map(|name| (*name).to_owned()).collect();
        if !names.iter().any(|one| one == name) {
            names.push(name.to_owned());
        }
        (group, names)
    }
}

/// A time as text.
mod time_text {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    #[expect(clippy::ref_option, reason = "serde passes the field as it is")]
    pub(super) fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(|time| time.to_string()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let time = text.map(|text| text.parse()).transpose();
        time.map_err(de::Error::custom)
    }
}
