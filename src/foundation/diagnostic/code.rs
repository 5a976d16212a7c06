//! The codes that findings carry (FORMATS 3).

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Reported; the exit code stays 0 unless warnings are denied.
    Warning,
    /// Reported; nothing is published.
    Error,
}

impl Severity {
    /// Its word, as in `[severity]`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The stage that a code belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The text of a file, by itself.
    Text,
    /// The wheels against each other, above all those of one project.
    Uniqueness,
    /// A wheel's bytes against its declaration.
    Wheel,
    /// The set on every platform.
    Graph,
    /// The waivers themselves.
    Waivers,
}

impl Stage {
    /// Its word, as in docs/formats.md, section 3.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Uniqueness => "uniqueness",
            Self::Wheel => "wheel",
            Self::Graph => "graph",
            Self::Waivers => "waivers",
        }
    }
}

macro_rules! codes {
    ($($variant:ident $text:literal $stage:ident $severity:ident $soft:literal $summary:literal,)+) => {
        /// What kind of thing is wrong. The text form is stable: tools and waivers name it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Code {
            $(#[doc = $summary] $variant,)+
        }

        impl Code {
            /// Every code, in the order of the stages.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The text form, as in `unknown-key`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The stage that raises it.
            pub fn stage(self) -> Stage {
                match self { $(Self::$variant => Stage::$stage),+ }
            }

            /// Its weight, unless `[severity]` says otherwise.
            pub fn default_severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),+ }
            }

            /// Whether a waiver or `[severity]` may change what it means. Findings that say that
            /// bytes are not what was declared, that an archive contradicts itself, or that a text
            /// cannot be read may be neither waived nor softened.
            pub fn may_be_overridden(self) -> bool {
                match self { $(Self::$variant => $soft),+ }
            }

            /// The rule in one sentence.
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary),+ }
            }

            /// The rule, why it exists, an example that raises it and the way out, as markdown.
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("explain/", $text, ".md"))),+ }
            }
        }
    };
}

codes! {
    Syntax "syntax" Text Error false "The file is not TOML, or not UTF-8.",
    HiddenCharacter "hidden-character" Text Error true "A character that cannot be seen, or that changes the order of others.",
    TooLarge "too-large" Text Error false "A file holds more of something than is read or shown of one file.",
    UnknownKey "unknown-key" Text Error false "A key that the format does not have.",
    MissingKey "missing-key" Text Error false "A key that the format requires is absent.",
    InvalidValue "invalid-value" Text Error false "A value of the wrong type or out of its range.",
    InvalidWheelName "invalid-wheel-name" Text Error false "A file name that is not a wheel's, or sources that name different wheels.",
    InvalidContentId "invalid-content-id" Text Error false "A content-id that is no CID of a supported kind.",
    InvalidRequirement "invalid-requirement" Text Error true "A dependency that is not a dependency specifier.",
    InvalidSpecifier "invalid-specifier" Text Error true "A requires-python that is not a set of version specifiers.",
    InvalidExtra "invalid-extra" Text Error true "An extra that is no name, or that is listed twice.",
    InsecureSource "insecure-source" Text Error true "A source that is fetched without transport security.",
    MisplacedDeclaration "misplaced-declaration" Text Error false "A declaration whose file is not named for its project.",
    IgnoredFile "ignored-file" Text Warning true "A file among the declarations that is not read, since its name does not end with `.toml`.",
    NoncanonicalPlace "noncanonical-place" Text Error true "A path of the layout `ipwhl-1` that says what it should, written otherwise.",
    AmbiguousWheels "ambiguous-wheels" Uniqueness Error true "Some interpreter on some system would accept several wheels of the project.",
    SeveralVersions "several-versions" Uniqueness Error true "The wheels of a project have more than one version.",
    ConflictingDigest "conflicting-digest" Uniqueness Error false "A content-id that contradicts `sha256` or `size` beside it, or a digest that two wheels have.",
    ContentIdMismatch "content-id-mismatch" Wheel Error false "The bytes do not have the declared CID.",
    Sha256Mismatch "sha256-mismatch" Wheel Error false "The bytes do not have the declared SHA-256.",
    SizeMismatch "size-mismatch" Wheel Error false "The file does not have the declared size.",
    MissingSource "missing-source" Wheel Error false "The source says that the wheel is not there.",
    InvalidArchive "invalid-archive" Wheel Error false "The archive contradicts itself or is no wheel.",
    InvalidMetadata "invalid-metadata" Wheel Error false "METADATA, WHEEL or the entry points break their specification.",
    LegacyMetadata "legacy-metadata" Wheel Error true "METADATA has a requirement, a Requires-Python or an extra that today's rules refuse.",
    RecordMismatch "record-mismatch" Wheel Error false "RECORD and the members disagree.",
    NameMismatch "name-mismatch" Wheel Error false "The wheel's metadata names another project than its file name.",
    VersionMismatch "version-mismatch" Wheel Error false "The wheel's metadata has another version than its file name.",
    TagMismatch "tag-mismatch" Wheel Error true "The tags in WHEEL are not those of the file name.",
    RequiresPythonMismatch "requires-python-mismatch" Wheel Error true "The declared requires-python is not the wheel's.",
    DependenciesMismatch "dependencies-mismatch" Wheel Error true "The declared dependencies are not the wheel's.",
    ExtrasMismatch "extras-mismatch" Wheel Error true "A declared extra is not one of the wheel's, or needs one that is not declared.",
    MissingDependency "missing-dependency" Graph Error true "A requirement names a project that is not in the set.",
    UnsatisfiedDependency "unsatisfied-dependency" Graph Error true "A requirement excludes the version that is in the set.",
    MissingExtra "missing-extra" Graph Error true "A requirement asks for an extra that its project does not declare.",
    UnavailableDependency "unavailable-dependency" Graph Error true "A required project has no usable wheel on a platform.",
    DirectReference "direct-reference" Graph Error true "A requirement names an address instead of a project in the set.",
    UndefinedMarker "undefined-marker" Graph Error true "A marker makes a comparison that has no meaning.",
    UncoveredPlatform "uncovered-platform" Graph Warning true "A wanted project has no wheel for a supported platform, though nothing there needs it.",
    UnusedWheel "unused-wheel" Graph Warning true "A wheel fits no supported platform.",
    Unneeded "unneeded" Graph Warning true "An automatic project that nothing needs.",
    ExpiredWaiver "expired-waiver" Waivers Error false "A waiver whose day has passed.",
    UnusedWaiver "unused-waiver" Waivers Error false "A waiver that covers no finding.",
}

impl Code {
    /// Whether a part of what a declaration requires is left out where this is found, and the rest
    /// is checked as if it were not there.
    pub fn hides_requirements(self) -> bool {
        matches!(self, Self::InvalidRequirement | Self::InvalidSpecifier)
    }

    /// The code, if its findings may count for less than errors.
    ///
    /// # Errors
    /// Where nobody may decide that.
    pub fn allow_override(self) -> Result<Self, HardCode> {
        if self.may_be_overridden() {
            Ok(self)
        } else {
            Err(HardCode(self))
        }
    }
}

/// A code that nobody may soften.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be softened")]
pub struct HardCode(pub Code);

impl HardCode {
    /// Why not, in half a sentence.
    pub fn reason(self) -> &'static str {
        "such a finding says that a text cannot be understood, that bytes are not what was declared, or that an archive contradicts itself"
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == text)
            .ok_or_else(|| UnknownCode(text.to_owned()))
    }
}

/// A word that is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the code of a finding")]
pub struct UnknownCode(pub String);
