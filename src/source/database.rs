//! The files of a database of advisories: in a folder, in a ZIP archive, or in an archive at a web
//! address. Their contents are read elsewhere.

mod folder;

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ipwhl_packaging::wheel::{Limits as ArchiveLimits, PlainArchive, PlainBuffers};
use ipwhl_unixfs::Sha256Digest;
use jiff::Timestamp;
use rayon::prelude::*;
use reqwest::StatusCode;
use reqwest::header::{ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use sha2::{Digest, Sha256};
use thiserror::Error;
use url::Url;

use super::address::{Address, redacted};
use super::cache::FetchedDatabase;
use super::client::Client;
use super::limits::LARGEST_DATABASE;
use super::problem::SourceProblem;
use super::session::Session;
use super::transport::RequestError;
use folder::{FolderFiles, MOST_ENTRIES, NamedFile, is_entry, read_file, too_large};

/// The most bytes of all entries together.
const LARGEST_WHOLE: u64 = 4 << 30;

/// A file that was changed this shortly ago may change again without another time.
const UNSETTLED: Duration = Duration::from_secs(2);

/// The folder of the entries in the database of the Python Packaging Authority. Other files of such
/// a database are about the entries.
const ENTRIES_FOLDER: &str = "vulns";

/// The files of a database. Their state is known, and nothing of them was read, but for an archive.
#[derive(Debug)]
pub struct DatabaseFiles {
    place: Place,
    state: String,
    is_settled: bool,
}

#[derive(Debug)]
enum Place {
    Folder {
        files: Vec<NamedFile>,
        /// Files that cannot be entries, with the reasons.
        refused: Vec<(String, String)>,
    },
    Archive(Archive),
}

/// A ZIP archive.
#[derive(Debug)]
enum Archive {
    /// In a file that had this SHA-256. It is read only if its index is not in the cache.
    File(PathBuf, Sha256Digest),
    /// In memory.
    Bytes(Vec<u8>),
}

impl Archive {
    fn bytes(&self) -> Result<Cow<'_, [u8]>, String> {
        match self {
            Self::Bytes(bytes) => Ok(Cow::Borrowed(bytes)),
            Self::File(path, sha256) => {
                let mut bytes = Vec::new();
                File::open(path)
                    .and_then(|file| file.take(LARGEST_DATABASE).read_to_end(&mut bytes))
                    .map_err(|error| format!("cannot be read: {error}"))?;
                if Sha256Digest::of(&bytes) == *sha256 {
                    Ok(Cow::Owned(bytes))
                } else {
                    Err("has changed while it was read".to_owned())
                }
            }
        }
    }
}

/// The reason why a database cannot be used.
#[derive(Debug, Error)]
pub enum DatabaseError {
    /// There is nothing at its place.
    #[error("there is no advisory database at `{0}`")]
    Absent(String),
    /// It cannot be read.
    #[error("the advisory database `{0}` cannot be read: {1}")]
    Unreadable(String, String),
    /// It is too large.
    #[error("the advisory database `{0}` {1}")]
    Unfit(String, String),
    /// It cannot be fetched.
    #[error("the advisory database cannot be fetched: {0}")]
    Fetch(SourceProblem),
    /// It was not fetched yet, and the network is not used.
    #[error("the advisory database `{0}` is not in the cache")]
    NotCached(String),
}

impl DatabaseFiles {
    /// The files at a path: a folder, or a ZIP archive. Links below a folder are not followed. `now`
    /// decides whether a file may still change.
    ///
    /// # Errors
    /// When it is absent, cannot be read, or has too many files.
    pub fn at(path: &Path, now: Timestamp) -> Result<Self, DatabaseError> {
        let shown = || path.display().to_string();
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                DatabaseError::Absent(shown())
            }
            _ => DatabaseError::Unreadable(shown(), error.to_string()),
        };
        let metadata = fs::metadata(path).map_err(&unreadable)?;
        if metadata.is_dir() {
            return Self::folder(path, now).map_err(|error| match error.kind() {
                io::ErrorKind::FileTooLarge => DatabaseError::Unfit(shown(), error.to_string()),
                _ => unreadable(error),
            });
        }
        if !metadata.is_file() {
            let reason = "is neither a folder nor a file".to_owned();
            return Err(DatabaseError::Unfit(shown(), reason));
        }
        let sha256 = hash_file(path).map_err(&unreadable)?;
        let Some(sha256) = sha256 else {
            let reason = format!("is larger than {LARGEST_DATABASE} bytes");
            return Err(DatabaseError::Unfit(shown(), reason));
        };
        Ok(Self::archive(
            Archive::File(path.to_path_buf(), sha256),
            sha256,
        ))
    }

    fn archive(archive: Archive, sha256: Sha256Digest) -> Self {
        Self {
            state: format!("archive {sha256}"),
            place: Place::Archive(archive),
            is_settled: true,
        }
    }

    /// The archive at an address. If the server has the one that was fetched before, it is not sent
    /// again. Without a `client` the one that was fetched before is used.
    ///
    /// # Errors
    /// When it cannot be fetched or stored.
    pub fn web(
        session: &Session,
        client: Option<&Client>,
        url: &Url,
    ) -> Result<Self, DatabaseError> {
        let cache = session.cache().ok();
        let known = cache
            .as_ref()
            .and_then(|cache| cache.fetched_database(url.as_str()));
        let Some(client) = client else {
            let known = known.ok_or_else(|| DatabaseError::NotCached(redacted(url)))?;
            return Ok(Self::archive(Archive::Bytes(known.1), known.0.sha256));
        };
        let entity_tag = known
            .as_ref()
            .and_then(|(about, _)| about.entity_tag.clone());
        let failed = |reason: String| {
            DatabaseError::Fetch(SourceProblem::Failed {
                place: redacted(url),
                reason,
            })
        };
        let runtime = session
            .runtime()
            .map_err(|failure| failed(failure.message))?;
        let fetched = runtime
            .block_on(client.changed_file(url, entity_tag.as_deref(), LARGEST_DATABASE))
            .map_err(DatabaseError::Fetch)?;
        match (fetched, known) {
            (None, Some((about, bytes))) => Ok(Self::archive(Archive::Bytes(bytes), about.sha256)),
            (None, None) => Err(failed("it sent nothing".to_owned())),
            (Some((bytes, entity_tag)), _) => {
                let about = FetchedDatabase {
                    sha256: Sha256Digest::of(&bytes),
                    entity_tag,
                };
                // An answer that is no archive, as the page of a portal, does not take the place of
                // the database that was fetched before.
                if let Some(cache) = cache
                    && open_archive(&bytes).is_ok()
                {
                    // Without a copy it is fetched again next time.
                    let _ = cache.keep_fetched_database(url.as_str(), &about, &bytes);
                }
                Ok(Self::archive(Archive::Bytes(bytes), about.sha256))
            }
        }
    }

    /// A text that differs after each change of the files.
    pub fn state(&self) -> &str {
        &self.state
    }

    /// Whether every later change makes another state.
    pub fn is_settled(&self) -> bool {
        self.is_settled
    }

    fn folder(path: &Path, now: Timestamp) -> io::Result<Self> {
        let entries = path.join(ENTRIES_FOLDER);
        let found = if fs::symlink_metadata(&entries).is_ok_and(|entries| entries.is_dir()) {
            FolderFiles::below(&entries, ENTRIES_FOLDER)?
        } else {
            FolderFiles::below(path, "")?
        };
        let now = SystemTime::from(now);
        let is_settled = found.newest.is_none_or(|newest| {
            let age = now.duration_since(newest);
            age.is_ok_and(|age| age > UNSETTLED)
        });
        let [a, b, c, d] = found.state;
        Ok(Self {
            state: format!("folder {a:016x}{b:016x}{c:016x}{d:016x}"),
            place: Place::Folder {
                files: found.files,
                refused: found.refused,
            },
            is_settled,
        })
    }

    /// Reads every file and passes it to `read`, which gets its name and its bytes; a file that
    /// cannot be read is passed to `refuse`, with the reason. `largest` is the size of the largest
    /// entry, in bytes. Files are read on all processors.
    ///
    /// # Errors
    /// When an archive is not sound, or has too much in it: a clause.
    pub fn read<T: Send>(
        &self,
        largest: u64,
        read: impl Fn(&str, &[u8]) -> T + Sync,
        refuse: impl Fn(&str, String) -> T + Sync,
    ) -> Result<Vec<T>, String> {
        let one = |name: &str, bytes: Result<&[u8], String>| match bytes {
            Ok(bytes) => read(name, bytes),
            Err(reason) => refuse(name, reason),
        };
        match &self.place {
            Place::Folder { files, refused } => {
                let mut files: Vec<&NamedFile> = files.iter().collect();
                files.par_sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
                let entries = files.par_iter().with_min_len(64).map_init(
                    Vec::new,
                    |buffer, (name, entry)| {
                        let outcome = read_file(&entry.path(), largest, buffer);
                        one(name, outcome.map(|()| &buffer[..]))
                    },
                );
                let mut entries: Vec<T> = entries.collect();
                let refused = refused.iter();
                entries.extend(refused.map(|(name, reason)| refuse(name, reason.clone())));
                Ok(entries)
            }
            Place::Archive(archive) => {
                let bytes = &archive.bytes()?;
                let archive = open_archive(bytes)?;
                let mut members: Vec<(usize, &str)> = archive.files().collect();
                members.retain(|(_, name)| {
                    is_entry(name) && !name.split('/').any(|part| part.starts_with('.'))
                });
                if members.iter().any(|(_, name)| is_in_entries_folder(name)) {
                    members.retain(|(_, name)| is_in_entries_folder(name));
                }
                let entries = members.par_iter().with_min_len(64).map_init(
                    PlainBuffers::default,
                    |buffers, (number, name)| {
                        if archive.size(*number) > largest {
                            return refuse(name, too_large(largest));
                        }
                        let bytes = archive.read(*number, buffers);
                        one(name, bytes.as_deref().map_err(Clone::clone))
                    },
                );
                Ok(entries.collect())
            }
        }
    }
}

/// An archive of entries, within the limits of a database.
fn open_archive(bytes: &[u8]) -> Result<PlainArchive<'_>, String> {
    let limits = ArchiveLimits {
        members: MOST_ENTRIES as u64,
        member_size: LARGEST_WHOLE,
        unpacked_size: LARGEST_WHOLE,
        ..ArchiveLimits::default()
    };
    PlainArchive::open(bytes, &limits)
}

/// The SHA-256 of a file; `None` if it is too large for a database.
fn hash_file(path: &Path) -> io::Result<Option<Sha256Digest>> {
    let mut file = File::open(path)?.take(LARGEST_DATABASE + 1);
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    let mut length = 0;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        length += count as u64;
        hasher.update(&buffer[..count]);
    }
    let digest: [u8; 32] = hasher.finalize().into();
    Ok((length <= LARGEST_DATABASE).then(|| digest.into()))
}

/// Whether a member is in the folder of the entries, which an archive of a forge has below one that
/// is named for the commit.
fn is_in_entries_folder(name: &str) -> bool {
    let mut parts = name.split('/');
    let (first, second) = (parts.next(), parts.next());
    first == Some(ENTRIES_FOLDER) || second == Some(ENTRIES_FOLDER) && parts.next().is_some()
}

impl Client {
    /// The bytes of a file on the web and its entity tag; `None` if it is still the one with the
    /// given tag.
    async fn changed_file(
        &self,
        url: &Url,
        entity_tag: Option<&str>,
        largest: u64,
    ) -> Result<Option<(Vec<u8>, Option<String>)>, SourceProblem> {
        let address = Address::new(url.clone());
        let mut headers = HeaderMap::new();
        if let Some(tag) = entity_tag.and_then(|tag| HeaderValue::from_str(tag).ok()) {
            headers.insert(IF_NONE_MATCH, tag);
        }
        let attempt = || async {
            let (mut response, _) = self.get(&address, &headers).await?;
            if response.status() == StatusCode::NOT_MODIFIED {
                return Ok(None);
            }
            let tag = response.headers().get(ETAG);
            let tag = tag.and_then(|tag| tag.to_str().ok()).map(ToOwned::to_owned);
            let mut body = Vec::new();
            let mut pace = self.pace();
            while let Some(bytes) = self.chunk(&mut response).await? {
                if body.len() as u64 + bytes.len() as u64 > largest {
                    let reason = format!("its answer is larger than {largest} bytes");
                    return Err(RequestError::Lasting(reason));
                }
                body.extend_from_slice(&bytes);
                self.check_pace(&mut pace, body.len() as u64)?;
            }
            Ok(Some((body, tag)))
        };
        self.attempts(&address, attempt)
            .await
            .map_err(|error| error.at(&address))
    }
}
