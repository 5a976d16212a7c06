//! The typed contents of a declaration.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use ipwhl_packaging::{
    ExtraName, Marker, MarkerEnvironment, Platform, ProjectName, Requirement, Tag, Truth, Version,
    VersionSpecifiers, WheelFileName,
};
use ipwhl_unixfs::{Cid, Sha256Digest};

use super::{FormatVersion, Source};
use crate::foundation::time::UtcTime;

/// A value and its place in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Bytes from the start of the text.
    pub span: Range<usize>,
}

impl<T> Spanned<T> {
    /// A value with its place.
    pub fn new(value: T, span: Range<usize>) -> Self {
        Self { value, span }
    }
}

/// One project in one version, read from any layout and form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// The project, normalised.
    pub project: ProjectName,
    /// The file that declares it: its path from the repository's folder, with `/`. In the layout
    /// `ipwhl-1`, which has a file for each wheel, the first of them.
    pub file: Arc<str>,
    /// Whether the project is in the set only because another project needs it.
    pub automatic: bool,
    /// The place of `automatic`, if the key is present.
    pub automatic_span: Option<Range<usize>>,
    /// The publisher, and whether a person has reviewed the project.
    pub provenance: Provenance,
    /// The wheels, sorted by file name; never empty.
    pub wheels: Vec<DeclaredWheel>,
}

/// The origin of a project's wheels and the review of its declaration (format 2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Provenance {
    /// The publisher of the wheels, such as the identity of a trusted publisher: one line of text.
    pub publisher: Option<Spanned<String>>,
    /// The place of `reviewed = false`. `None` if a person has reviewed the declaration.
    pub unreviewed: Option<Range<usize>>,
}

impl Declaration {
    /// The extras that its wheels declare.
    pub fn extras(&self) -> BTreeSet<ExtraName> {
        let extras = self.wheels.iter().flat_map(|wheel| &wheel.extras);
        extras.map(|extra| extra.value.clone()).collect()
    }

    /// Whether the index is a source of one of its wheels.
    pub fn is_from_index(&self) -> bool {
        let mut sources = self.wheels.iter().flat_map(|wheel| &wheel.sources);
        sources.any(|source| matches!(source.value, Source::Package(_)))
    }

    /// The version of the first wheel; all wheels have it, unless `several-versions` was found.
    pub fn version(&self) -> &Version {
        self.wheels[0].file_name.version()
    }

    /// The oldest format that has all keys of the declaration.
    pub fn format(&self) -> FormatVersion {
        let is_newer = self.provenance != Provenance::default()
            || self
                .wheels
                .iter()
                .any(|wheel| wheel.uploaded.is_some() || wheel.only.is_some());
        if is_newer {
            FormatVersion::V2
        } else {
            FormatVersion::V1
        }
    }
}

/// One wheel as declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredWheel {
    /// The file that declares it.
    pub file: Arc<str>,
    /// The wheel's own file name.
    pub file_name: WheelFileName,
    /// The sources of its bytes, in order of preference; never empty.
    pub sources: Vec<Spanned<Source>>,
    /// The CID of its UnixFS file.
    pub content_id: Spanned<Cid>,
    /// Its Requires-Python; absent exactly if the wheel has none.
    pub requires_python: Option<Spanned<VersionSpecifiers>>,
    /// The declared extras.
    pub extras: Vec<Spanned<ExtraName>>,
    /// The place of the list of extras.
    pub extras_span: Range<usize>,
    /// The declared dependencies.
    pub dependencies: Vec<Spanned<Requirement>>,
    /// The place of the list of dependencies.
    pub dependencies_span: Range<usize>,
    /// The SHA-256 of the file.
    pub sha256: Option<Spanned<Sha256Digest>>,
    /// The size of the file in bytes.
    pub size: Option<Spanned<u64>>,
    /// The time of the file's upload to the index.
    pub uploaded: Option<Spanned<UtcTime>>,
    /// The platforms on which the set offers the wheel, as a marker; `None` for all.
    pub only: Option<Spanned<Marker>>,
    /// In the layout `ipwhl-1` the wheel's name in the release, without `.whl`.
    pub stem: Option<String>,
    /// That name as a wheel name, which installers see; `None` if it is not a wheel name, and in
    /// the layout `package`.
    pub released: Option<WheelFileName>,
    /// Whether some of its requirements could not be read. Then missing requirements are not
    /// reported.
    pub is_partial: bool,
}

impl DeclaredWheel {
    /// The place of the wheel in messages: its first source.
    pub fn span(&self) -> Range<usize> {
        self.sources
            .first()
            .map_or(0..0, |source| source.span.clone())
    }

    /// The tags that installers see: those of the wheel's name in the release.
    pub fn tags(&self) -> &[Tag] {
        self.released.as_ref().unwrap_or(&self.file_name).tags()
    }

    /// Whether an installer on this platform accepts one of its tags.
    pub fn has_tag_for(&self, platform: &Platform) -> bool {
        self.tags().iter().any(|tag| platform.accepts(tag))
    }

    /// Whether its Requires-Python holds on every patch version of this platform's interpreter.
    pub fn allows_python_of(&self, platform: &Platform) -> bool {
        self.requires_python
            .as_ref()
            .is_none_or(|specifiers| platform.satisfies(&specifiers.value))
    }

    /// Whether an installer may take the wheel on this platform.
    pub fn fits(&self, platform: &Platform) -> bool {
        self.has_tag_for(platform) && self.allows_python_of(platform)
    }

    /// Whether the set offers the wheel in this environment. A marker that is not decided there is
    /// a finding, and hides no wheel.
    pub fn is_offered_in(&self, environment: &MarkerEnvironment) -> bool {
        self.only
            .as_ref()
            .is_none_or(|only| only.value.evaluate(environment, None) != Truth::False)
    }

    /// Whether two wheels have equal declarations, even in different files and layouts.
    pub fn says_the_same(&self, other: &Self) -> bool {
        // Their order does not matter.
        fn values<T: ToString>(all: &[Spanned<T>]) -> BTreeSet<String> {
            let values = all.iter();
            values.map(|spanned| spanned.value.to_string()).collect()
        }
        let requires_python = |wheel: &Self| {
            wheel
                .requires_python
                .as_ref()
                .map(|specifiers| specifiers.value.to_string())
        };
        self.has_the_same_bytes(other)
            && requires_python(self) == requires_python(other)
            && values(&self.extras) == values(&other.extras)
            && values(&self.dependencies) == values(&other.dependencies)
            && self.uploaded.as_ref().map(|uploaded| uploaded.value)
                == other.uploaded.as_ref().map(|uploaded| uploaded.value)
            && self.only.as_ref().map(|only| &only.value)
                == other.only.as_ref().map(|only| &only.value)
            && (self.stem == other.stem || self.stem.is_none() || other.stem.is_none())
    }

    /// Whether two wheels are declared with the same bytes and the same sources.
    pub fn has_the_same_bytes(&self, other: &Self) -> bool {
        let sources = |wheel: &Self| -> Vec<String> {
            let sources = wheel.sources.iter();
            sources.map(|source| source.value.to_string()).collect()
        };
        self.file_name.as_str() == other.file_name.as_str()
            && sources(self) == sources(other)
            && self.content_id.value == other.content_id.value
            && self.sha256.as_ref().map(|sha256| sha256.value)
                == other.sha256.as_ref().map(|sha256| sha256.value)
            && self.size.as_ref().map(|size| size.value)
                == other.size.as_ref().map(|size| size.value)
    }

    /// Whether the declaration has this extra.
    pub fn has_extra(&self, extra: &ExtraName) -> bool {
        self.extras.iter().any(|declared| declared.value == *extra)
    }
}
