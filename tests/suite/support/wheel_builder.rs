//! Small wheels of any kind, made in memory: right by default, broken in a chosen way on demand.
//!
//! Every byte is a function of the calls, so two builds of one wheel are equal. What the methods
//! have no word for is reached through [`WheelBuilder::entry`] and [`WheelBuilder::archive`], which
//! hand out each field of the ZIP file before it is written.

pub mod archive;

use std::fmt::Write as _;
use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use self::archive::{RawArchive, RawEntry};

/// One row of RECORD: path, hash, size, as text.
pub type RecordRow = [String; 3];

type EntryChange = Arc<dyn Fn(&mut RawEntry) + Send + Sync>;
type ArchiveChange = Arc<dyn Fn(&mut RawArchive) + Send + Sync>;
type RecordChange = Arc<dyn Fn(&mut Vec<RecordRow>) + Send + Sync>;

/// How the data of members is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Method 0.
    Stored,
    /// Method 8.
    Deflate,
}

/// A wheel to be.
#[derive(Clone)]
pub struct WheelBuilder {
    name: String,
    version: String,
    build: Option<String>,
    tags: Vec<String>,
    headers: Vec<(String, String)>,
    description: String,
    metadata: Option<Vec<u8>>,
    wheel: Option<Vec<u8>>,
    record: Option<Vec<u8>>,
    dist_info: Option<String>,
    left_out: Vec<String>,
    members: Vec<(String, Vec<u8>)>,
    compression: Compression,
    directory_entries: bool,
    descriptors: bool,
    record_changes: Vec<RecordChange>,
    entry_changes: Vec<(String, EntryChange)>,
    archive_changes: Vec<ArchiveChange>,
}

impl WheelBuilder {
    /// A wheel of this project and version, tagged `py3-none-any` until [`tag`](Self::tag) is
    /// called.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            build: None,
            tags: Vec::new(),
            headers: Vec::new(),
            description: String::new(),
            metadata: None,
            wheel: None,
            record: None,
            dist_info: None,
            left_out: Vec::new(),
            members: Vec::new(),
            compression: Compression::Deflate,
            directory_entries: false,
            descriptors: false,
            record_changes: Vec::new(),
            entry_changes: Vec::new(),
            archive_changes: Vec::new(),
        }
    }

    /// Adds a tag, compressed (`py2.py3-none-any`) or not; each call adds to the file name too.
    pub fn tag(mut self, tag: &str) -> Self {
        self.tags.push(tag.to_owned());
        self
    }

    /// Sets the build number of the file name and of WHEEL.
    pub fn build_number(mut self, build: &str) -> Self {
        self.build = Some(build.to_owned());
        self
    }

    /// Adds a `Requires-Dist` header.
    pub fn requires(self, requirement: &str) -> Self {
        self.header("Requires-Dist", requirement)
    }

    /// Adds a `Requires-Python` header.
    pub fn requires_python(self, specifiers: &str) -> Self {
        self.header("Requires-Python", specifiers)
    }

    /// Adds a `Provides-Extra` header.
    pub fn extra(self, extra: &str) -> Self {
        self.header("Provides-Extra", extra)
    }

    /// Adds any header to METADATA.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body of METADATA.
    pub fn description(mut self, text: &str) -> Self {
        text.clone_into(&mut self.description);
        self
    }

    /// Replaces the whole of METADATA.
    pub fn metadata(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.metadata = Some(bytes.into());
        self
    }

    /// Replaces the whole of WHEEL.
    pub fn wheel_file(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.wheel = Some(bytes.into());
        self
    }

    /// Replaces the whole of RECORD.
    pub fn record(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.record = Some(bytes.into());
        self
    }

    /// Changes the rows of RECORD before they are written; the row of RECORD itself is the last.
    pub fn edit_record(
        mut self,
        change: impl Fn(&mut Vec<RecordRow>) + Send + Sync + 'static,
    ) -> Self {
        self.record_changes.push(Arc::new(change));
        self
    }

    /// Names the metadata folder otherwise, for example `other-1.0` (without `.dist-info`).
    pub fn dist_info(mut self, stem: &str) -> Self {
        self.dist_info = Some(stem.to_owned());
        self
    }

    /// Leaves `METADATA`, `WHEEL` or `RECORD` out.
    pub fn without(mut self, file: &str) -> Self {
        self.left_out.push(file.to_owned());
        self
    }

    /// Adds a member; a path that ends in `/` makes a directory entry.
    pub fn member(mut self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.members
            .push((path.to_owned(), bytes.as_ref().to_vec()));
        self
    }

    /// How members are compressed; [`Compression::Deflate`] by default.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Writes an entry for each folder too, as a third of real wheels do.
    pub fn directory_entries(mut self) -> Self {
        self.directory_entries = true;
        self
    }

    /// Writes sizes and CRC after the data of each member (bit 3), as streaming writers do.
    pub fn data_descriptors(mut self) -> Self {
        self.descriptors = true;
        self
    }

    /// Changes any field of the entries of this name before the archive is written.
    pub fn entry(
        mut self,
        path: &str,
        change: impl Fn(&mut RawEntry) + Send + Sync + 'static,
    ) -> Self {
        self.entry_changes.push((path.to_owned(), Arc::new(change)));
        self
    }

    /// Changes anything about the archive before it is written, after the entries were changed.
    pub fn archive(mut self, change: impl Fn(&mut RawArchive) + Send + Sync + 'static) -> Self {
        self.archive_changes.push(Arc::new(change));
        self
    }

    /// The wheel's file name, `click-8.1.7-py3-none-any.whl`.
    pub fn file_name(&self) -> String {
        let mut parts = vec![escape(&self.name), escape(&self.version)];
        parts.extend(self.build.clone());
        let tags = self.tags_or_default();
        for position in 0..3 {
            let mut seen: Vec<&str> = Vec::new();
            for tag in &tags {
                for part in tag.split('-').nth(position).unwrap_or("none").split('.') {
                    if !seen.contains(&part) {
                        seen.push(part);
                    }
                }
            }
            parts.push(seen.join("."));
        }
        format!("{}.whl", parts.join("-"))
    }

    /// The bytes of METADATA.
    pub fn metadata_bytes(&self) -> Vec<u8> {
        if let Some(bytes) = &self.metadata {
            return bytes.clone();
        }
        let mut text = format!(
            "Metadata-Version: 2.1\nName: {}\nVersion: {}\n",
            self.name, self.version
        );
        for (name, value) in &self.headers {
            writeln!(text, "{name}: {value}").unwrap();
        }
        text.push('\n');
        text.push_str(&self.description);
        text.into_bytes()
    }

    /// The path of a file in the metadata folder, `click-8.1.7.dist-info/RECORD`.
    pub fn dist_info_path(&self, file: &str) -> String {
        let stem = self
            .dist_info
            .clone()
            .unwrap_or_else(|| format!("{}-{}", escape(&self.name), escape(&self.version)));
        format!("{stem}.dist-info/{file}")
    }

    /// The wheel's bytes.
    pub fn build(&self) -> Vec<u8> {
        self.raw_archive().to_bytes()
    }

    /// The members by their paths, RECORD the last; those of folders end with `/`.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = self.members.clone();
        for (file, bytes) in [
            ("METADATA", self.metadata_bytes()),
            ("WHEEL", self.wheel_bytes()),
        ] {
            if !self.left_out.iter().any(|name| name == file) {
                files.push((self.dist_info_path(file), bytes));
            }
        }
        if !self.left_out.iter().any(|name| name == "RECORD") {
            let record = self.record_bytes(&files);
            files.push((self.dist_info_path("RECORD"), record));
        }
        if self.directory_entries {
            files = with_directories(files);
        }
        files
    }

    /// The archive with all changes made, not yet written.
    pub fn raw_archive(&self) -> RawArchive {
        let mut archive = RawArchive::default();
        for (path, bytes) in self.files() {
            let mut entry = RawEntry::new(
                &path,
                &bytes,
                self.compression == Compression::Deflate && !path.ends_with('/'),
            );
            if self.descriptors && !path.ends_with('/') {
                entry.use_descriptor();
            }
            for (name, change) in &self.entry_changes {
                if *name == path {
                    change(&mut entry);
                }
            }
            archive.entries.push(entry);
        }
        for change in &self.archive_changes {
            change(&mut archive);
        }
        archive
    }

    fn tags_or_default(&self) -> Vec<String> {
        if self.tags.is_empty() {
            vec!["py3-none-any".to_owned()]
        } else {
            self.tags.clone()
        }
    }

    fn wheel_bytes(&self) -> Vec<u8> {
        if let Some(bytes) = &self.wheel {
            return bytes.clone();
        }
        let tags = self.tags_or_default();
        let pure = tags.iter().all(|tag| tag.ends_with("-none-any"));
        let mut text =
            format!("Wheel-Version: 1.0\nGenerator: ipwhl-suite\nRoot-Is-Purelib: {pure}\n");
        for tag in &tags {
            let parts: Vec<Vec<&str>> = tag
                .split('-')
                .map(|part| part.split('.').collect())
                .collect();
            let [pythons, abis, platforms] = parts.as_slice() else {
                panic!("a tag has three parts: {tag}")
            };
            for python in pythons {
                for abi in abis {
                    for platform in platforms {
                        writeln!(text, "Tag: {python}-{abi}-{platform}").unwrap();
                    }
                }
            }
        }
        if let Some(build) = &self.build {
            writeln!(text, "Build: {build}").unwrap();
        }
        text.into_bytes()
    }

    fn record_bytes(&self, files: &[(String, Vec<u8>)]) -> Vec<u8> {
        if let Some(bytes) = &self.record {
            return bytes.clone();
        }
        let mut rows: Vec<RecordRow> = files
            .iter()
            .filter(|(path, _)| !path.ends_with('/'))
            .map(|(path, bytes)| [path.clone(), record_hash(bytes), bytes.len().to_string()])
            .collect();
        rows.push([self.dist_info_path("RECORD"), String::new(), String::new()]);
        for change in &self.record_changes {
            change(&mut rows);
        }
        let mut text = String::new();
        for row in rows {
            let cells: Vec<String> = row.iter().map(|cell| quote(cell)).collect();
            text.push_str(&cells.join(","));
            text.push('\n');
        }
        text.into_bytes()
    }
}

/// Bytes that cannot be compressed.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

/// The hash cell of RECORD for these bytes.
pub fn record_hash(bytes: &[u8]) -> String {
    format!("sha256={}", BASE64URL_NOPAD.encode(&Sha256::digest(bytes)))
}

/// A name or version as the file name has it: runs of `-`, `_` and `.` in a name are one `_`.
fn escape(part: &str) -> String {
    if part.starts_with(|first: char| first.is_ascii_digit()) && !part.contains('-') {
        return part.to_owned();
    }
    let mut escaped = String::new();
    for character in part.chars() {
        if !matches!(character, '-' | '_' | '.') {
            escaped.push(character);
        } else if !escaped.ends_with('_') {
            escaped.push('_');
        }
    }
    escaped
}

fn quote(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// The same files with an entry for each folder before the first file in it.
fn with_directories(files: Vec<(String, Vec<u8>)>) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    for (path, bytes) in files {
        for (position, _) in path.match_indices('/') {
            let folder = &path[..=position];
            if folder != path && !all.iter().any(|(known, _)| known == folder) {
                all.push((folder.to_owned(), Vec::new()));
            }
        }
        all.push((path, bytes));
    }
    all
}
