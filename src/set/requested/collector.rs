//! Collects what the readers find, within the limits.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use ipwhl_packaging::{
    Constraint, ExtraName, GroupName, ProjectName, Requirement, RequirementError, Version,
};
use ipwhl_unixfs::Sha256Digest;

use super::files::ProjectFiles;
use super::ignored::{Ignored, IgnoredKind};
use super::limits::{
    LARGEST_PROJECT_FILE, MOST_BYTES, MOST_IGNORED, MOST_INCLUDED_FILES, MOST_REQUESTS,
};
use super::model::{Mistakes, Pin, Pinned, RequestFile, RequestFileError, Selection};
use super::place::Place;
use crate::foundation::diagnostic::{
    Code, Finding, MOST_FINDINGS, SourceText, more, nearest, without_credentials,
};
use crate::foundation::failure::Failure;

/// The reason why a file cannot be used, as a clause.
pub(super) enum Unusable {
    /// It cannot be read.
    Io(io::Error),
    /// It is too large, or too many are read.
    TooLarge(String),
}

/// Collects requests and findings.
pub(super) struct Collector<'f> {
    files: &'f dyn ProjectFiles,
    /// The selected extras and groups.
    pub(super) selection: &'f Selection,
    request: RequestFile,
    findings: Vec<Finding>,
    /// The number of dropped findings.
    more: usize,
    /// The places of options in `request.ignored`, by file and name.
    options: BTreeMap<(Arc<str>, String), usize>,
    /// The extras and groups that the files define, if their format has any.
    extras: BTreeSet<ExtraName>,
    groups: BTreeSet<GroupName>,
    files_read: usize,
    bytes_read: u64,
    requests: usize,
    ignored: usize,
}

impl<'f> Collector<'f> {
    pub(super) fn new(files: &'f dyn ProjectFiles, selection: &'f Selection) -> Self {
        Self {
            files,
            selection,
            request: RequestFile::default(),
            findings: Vec::new(),
            more: 0,
            options: BTreeMap::new(),
            extras: BTreeSet::new(),
            groups: BTreeSet::new(),
            files_read: 0,
            bytes_read: 0,
            requests: 0,
            ignored: 0,
        }
    }

    /// The bytes of a file.
    pub(super) fn read(&mut self, path: &Path) -> Result<Vec<u8>, Unusable> {
        if self.files_read > MOST_INCLUDED_FILES {
            return Err(Unusable::TooLarge(format!(
                "a file may include at most {MOST_INCLUDED_FILES} files"
            )));
        }
        self.files_read += 1;
        let bytes = self.files.read(path, LARGEST_PROJECT_FILE + 1);
        let bytes = bytes.map_err(Unusable::Io)?;
        let size = bytes.len() as u64;
        if size > LARGEST_PROJECT_FILE {
            return Err(Unusable::TooLarge(format!(
                "it has more than {LARGEST_PROJECT_FILE} bytes"
            )));
        }
        self.bytes_read += size;
        if self.bytes_read > MOST_BYTES {
            return Err(Unusable::TooLarge(format!(
                "a file and those that it includes may have at most {MOST_BYTES} bytes"
            )));
        }
        Ok(bytes)
    }

    /// Keeps the text of a file for messages.
    pub(super) fn keep_text(&mut self, file: &Arc<str>, text: &str) {
        let text = SourceText::new(text.to_owned());
        self.request.texts.insert(Arc::clone(file), text);
    }

    /// Adds a finding.
    pub(super) fn push(&mut self, finding: Finding) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }

    /// Adds a finding at a place.
    pub(super) fn report(&mut self, code: Code, message: String, place: &Place, help: &str) {
        let finding = Finding::new(code, message).at(&place.file, place.span.clone(), "");
        self.push(finding.help(help));
    }

    /// Whether one more request is within the limit. Reports the first that is not.
    fn has_room(&mut self, place: &Place) -> bool {
        self.requests += 1;
        if self.requests == MOST_REQUESTS + 1 {
            self.report(
                Code::TooLarge,
                format!("there are more than {MOST_REQUESTS} requirements and locked versions"),
                place,
                "split the file, and add its parts one after the other",
            );
        }
        self.requests <= MOST_REQUESTS
    }

    /// Requests a project, or limits its versions. A requirement with a URL is ignored.
    pub(super) fn add(&mut self, requirement: Requirement, place: Place, is_constraint: bool) {
        if !self.has_room(&place) {
            return;
        }
        if let Constraint::Url(url) = &requirement.constraint {
            let kind = direct(Some(requirement.name.clone()), url);
            self.ignore(kind, place);
        } else if is_constraint {
            let mut requirement = requirement;
            if !requirement.extras.is_empty() {
                let kind = IgnoredKind::ConstraintExtras(requirement.name.clone());
                self.ignore(kind, place.clone());
                requirement.extras.clear();
            }
            self.request.constraints.push((requirement, place));
        } else {
            self.request.requested.push((requirement, place));
        }
    }

    /// Notes the digests of a distribution.
    pub(super) fn pin(
        &mut self,
        pinned: Pinned,
        sha256: impl IntoIterator<Item = Sha256Digest>,
        place: Place,
    ) {
        let sha256: BTreeSet<Sha256Digest> = sha256.into_iter().collect();
        if !sha256.is_empty() {
            self.request.pins.push(Pin {
                pinned,
                sha256,
                place,
            });
        }
    }

    /// Prefers a locked version. Of several, the newest is preferred.
    pub(super) fn prefer(&mut self, project: ProjectName, version: Version, place: Place) {
        if !self.has_room(&place) {
            return;
        }
        let other = match self.request.preferred.get(&project) {
            Some(known) if *known == version => return,
            Some(known) if *known > version => version,
            _ => match self
                .request
                .preferred
                .insert(project.clone(), version.clone())
            {
                Some(older) => older,
                None => return,
            },
        };
        self.ignore(IgnoredKind::OtherVersion(project, other), place);
    }

    /// Notes an entry that has no effect.
    pub(super) fn ignore(&mut self, kind: IgnoredKind, place: Place) {
        self.ignored += 1;
        if self.ignored <= MOST_IGNORED {
            self.request.ignored.push(Ignored { kind, place });
        } else if self.ignored == MOST_IGNORED + 1 {
            self.report(
                Code::TooLarge,
                format!("more than {MOST_IGNORED} entries would be ignored"),
                &place,
                "split the file, and add its parts one after the other",
            );
        }
    }

    /// Notes an option that has no effect. Its uses in one file are counted.
    pub(super) fn ignore_option(&mut self, name: &str, place: Place) {
        let key = (Arc::clone(&place.file), name.to_owned());
        if let Some(index) = self.options.get(&key) {
            if let IgnoredKind::Option(_, count) = &mut self.request.ignored[*index].kind {
                *count += 1;
            }
            return;
        }
        let index = self.request.ignored.len();
        self.ignore(IgnoredKind::Option(name.to_owned(), 1), place);
        if index < self.request.ignored.len() {
            self.options.insert(key, index);
        }
    }

    /// Notes that the file defines an extra.
    pub(super) fn define_extra(&mut self, extra: &ExtraName) {
        self.extras.insert(extra.clone());
    }

    /// Notes that the file defines a dependency group.
    pub(super) fn define_group(&mut self, group: &GroupName) {
        self.groups.insert(group.clone());
    }

    /// The requests, unless there are findings or the selection does not fit `file`.
    pub(super) fn finish(mut self, file: &str) -> Result<RequestFile, RequestFileError> {
        if self.more > 0 {
            self.findings.push(more(None, self.more));
        }
        if !self.findings.is_empty() {
            return Err(RequestFileError::Mistakes(Mistakes {
                findings: self.findings,
                texts: self.request.texts,
            }));
        }
        let extras = self.selection.extras.iter().map(ExtraName::as_str);
        let defined = self.extras.iter().map(ExtraName::as_str);
        undefined(file, "extra", extras, &defined.collect::<Vec<_>>())?;
        let groups = self.selection.groups.iter().map(GroupName::as_str);
        let defined = self.groups.iter().map(GroupName::as_str);
        undefined(
            file,
            "dependency group",
            groups,
            &defined.collect::<Vec<_>>(),
        )?;
        Ok(self.request)
    }
}

/// The digest in a text such as `sha256:…`; `None` for other hash functions.
pub(super) fn sha256(text: &str) -> Option<Sha256Digest> {
    text.strip_prefix("sha256:")?.parse().ok()
}

/// The kind of a requirement that names a URL.
pub(super) fn direct(project: Option<ProjectName>, url: &str) -> IgnoredKind {
    let shown = without_credentials(url);
    let scheme = url.split(':').next().unwrap_or_default();
    let scheme = scheme.to_ascii_lowercase();
    let is_tree = ["git", "hg", "bzr", "svn"]
        .iter()
        .any(|one| scheme == *one || scheme.starts_with(&format!("{one}+")));
    if is_tree {
        IgnoredKind::VersionControl(project, shown)
    } else {
        IgnoredKind::Url(project, shown)
    }
}

/// A failure if a selected name is not defined.
fn undefined<'n>(
    file: &str,
    kind: &str,
    mut selected: impl Iterator<Item = &'n str>,
    defined: &[&str],
) -> Result<(), Failure> {
    let Some(name) = selected.find(|name| !defined.contains(name)) else {
        return Ok(());
    };
    let failure = Failure::usage(format!("`{file}` has no {kind} `{name}`"));
    Err(if let Some(word) = nearest(name, defined.iter().copied()) {
        failure.help(format!("did you mean `{word}`?"))
    } else if defined.is_empty() {
        failure.help(format!("it has no {kind}s"))
    } else {
        let names: Vec<String> = defined.iter().map(|name| format!("`{name}`")).collect();
        failure.help(format!("its {kind}s are {}", names.join(", ")))
    })
}

/// The finding about a text that is not a requirement; `span` is the place of the mistake.
pub(super) fn invalid_requirement(
    file: &Arc<str>,
    text: &str,
    error: &RequirementError,
    span: Range<usize>,
) -> Finding {
    let message = format!("`{text}` is not a requirement: {}", error.message);
    let finding = Finding::new(Code::InvalidRequirement, message).at(file, span, "");
    if text.contains("${") {
        finding.help("write the value instead of the environment variable")
    } else {
        finding.help("write a requirement as in `name[extra]>=1.2,<2; python_version < \"3.12\"`")
    }
}
