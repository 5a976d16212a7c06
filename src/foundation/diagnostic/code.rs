//! The codes of findings (FORMATS 3).

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Reported; the exit code stays 0 unless warnings are denied.
    Warning,
    /// Reported; no release is built.
    Error,
}

impl Severity {
    /// The word for it, as in `[severity]`.
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
    /// Checks of one file.
    Text,
    /// Comparisons of wheels with each other, mostly of those of one project.
    Uniqueness,
    /// Comparisons of a wheel's bytes with its declaration.
    Wheel,
    /// Checks of the set on every platform.
    Graph,
    /// Comparisons of declared versions with a database of advisories.
    Advisories,
    /// What an index says about declared projects today, and what has changed since the last time.
    Index,
    /// Checks of the waivers.
    Waivers,
}

impl Stage {
    /// Whether its findings are about a release. What is known of a version changes from day to
    /// day, and no build asks for it.
    pub fn is_released(self) -> bool {
        !matches!(self, Self::Advisories | Self::Index)
    }

    /// The word for it, as in docs/formats.md, section 3.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Uniqueness => "uniqueness",
            Self::Wheel => "wheel",
            Self::Graph => "graph",
            Self::Advisories => "advisories",
            Self::Index => "index",
            Self::Waivers => "waivers",
        }
    }
}

macro_rules! codes {
    ($($variant:ident $text:literal $stage:ident $severity:ident $soft:literal $summary:literal,)+) => {
        /// The kind of a finding. The text form is stable: tools and waivers use it.
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

            /// Its severity, unless `[severity]` changes it.
            pub fn default_severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),+ }
            }

            /// Whether a waiver can cover it and `[severity]` can change it. This is not possible
            /// for findings that mean that bytes differ from the declaration, that an archive
            /// contradicts itself, that a file cannot be read, or that a wheel is withdrawn.
            pub fn may_be_overridden(self) -> bool {
                match self { $(Self::$variant => $soft),+ }
            }

            /// The rule in one sentence.
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary),+ }
            }

            /// The rule, its reason, an example that breaks it and the fix, as Markdown.
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("explain/", $text, ".md"))),+ }
            }
        }
    };
}

codes! {
    Syntax "syntax" Text Error false "The file is not TOML, or not UTF-8.",
    HiddenCharacter "hidden-character" Text Error true "A character is invisible or changes the order of other characters.",
    TooLarge "too-large" Text Error false "A file has more entries or bytes than a limit allows, or more findings than are shown.",
    UnknownKey "unknown-key" Text Error false "A key does not exist in the format.",
    MissingKey "missing-key" Text Error false "A required key is missing.",
    InvalidValue "invalid-value" Text Error false "A value has the wrong type or is not allowed.",
    InvalidWheelName "invalid-wheel-name" Text Error false "A file name is not that of a wheel, or sources name different wheels.",
    InvalidContentId "invalid-content-id" Text Error false "A content-id is not a CID of a supported kind.",
    InvalidRequirement "invalid-requirement" Text Error true "A dependency is not a valid dependency specifier.",
    InvalidSpecifier "invalid-specifier" Text Error true "A requires-python is not a valid set of version specifiers.",
    InvalidExtra "invalid-extra" Text Error true "An extra is not a valid name, or is listed twice.",
    InsecureSource "insecure-source" Text Error true "A source uses HTTP without TLS.",
    MisplacedDeclaration "misplaced-declaration" Text Error false "The file name of a declaration does not match its project.",
    IgnoredFile "ignored-file" Text Warning true "A file among the declarations is ignored, because its name does not end with `.toml`.",
    Unreviewed "unreviewed" Text Warning true "A machine took a declaration in, and no person has reviewed it.",
    NoncanonicalPlace "noncanonical-place" Text Error true "A path of the layout `ipwhl-1` is correct, but not in its canonical spelling.",
    AmbiguousWheels "ambiguous-wheels" Uniqueness Error true "An interpreter on some system accepts several wheels of the project.",
    SeveralVersions "several-versions" Uniqueness Error true "The wheels of a project have more than one version.",
    ConflictingDigest "conflicting-digest" Uniqueness Error false "A content-id contradicts its `sha256` or `size`, or two wheels have the same digest.",
    Withdrawn "withdrawn" Uniqueness Error false "The repository has withdrawn a declared wheel.",
    ContentIdMismatch "content-id-mismatch" Wheel Error false "The bytes do not have the declared CID.",
    Sha256Mismatch "sha256-mismatch" Wheel Error false "The bytes do not have the declared SHA-256.",
    SizeMismatch "size-mismatch" Wheel Error false "The file does not have the declared size.",
    UploadedMismatch "uploaded-mismatch" Wheel Error true "The index states another time of the upload than the declared one.",
    MissingSource "missing-source" Wheel Error false "A source does not have the wheel.",
    InvalidArchive "invalid-archive" Wheel Error false "The archive contradicts itself or is not a wheel.",
    InvalidMetadata "invalid-metadata" Wheel Error false "METADATA, WHEEL or the entry points break their specification.",
    LegacyMetadata "legacy-metadata" Wheel Error true "METADATA has a requirement, a Requires-Python or an extra that current rules refuse.",
    RecordMismatch "record-mismatch" Wheel Error false "RECORD does not match the members.",
    NameMismatch "name-mismatch" Wheel Error false "The project in the wheel's metadata differs from the file name.",
    VersionMismatch "version-mismatch" Wheel Error false "The version in the wheel's metadata differs from the file name.",
    TagMismatch "tag-mismatch" Wheel Error true "The tags in WHEEL differ from the file name.",
    RequiresPythonMismatch "requires-python-mismatch" Wheel Error true "The declared requires-python differs from the wheel's.",
    DependenciesMismatch "dependencies-mismatch" Wheel Error true "The declared dependencies differ from the wheel's.",
    ExtrasMismatch "extras-mismatch" Wheel Error true "A declared extra does not exist in the wheel, or needs an extra that is not declared.",
    DeniedLicense "denied-license" Wheel Error true "The licence of a wheel is not one that the set accepts.",
    UnknownLicense "unknown-license" Wheel Error true "The licence of a wheel is not known, and the set has a policy for licences.",
    UnusedLicenseEntry "unused-license-entry" Wheel Warning true "No wheel of the set uses an exception or a clarification in `[licenses]`.",
    MissingDependency "missing-dependency" Graph Error true "A requirement names a project that is not in the set.",
    UnsatisfiedDependency "unsatisfied-dependency" Graph Error true "A requirement excludes the version that is in the set.",
    MissingExtra "missing-extra" Graph Error true "A requirement requests an extra that its project does not declare.",
    UnavailableDependency "unavailable-dependency" Graph Error true "A required project has no usable wheel on a platform.",
    DirectReference "direct-reference" Graph Error true "A requirement names a URL instead of a project in the set.",
    UndefinedMarker "undefined-marker" Graph Error true "A marker makes a comparison that has no meaning.",
    UncoveredPlatform "uncovered-platform" Graph Warning true "A wanted project has no wheel for a supported platform, and no project needs it there.",
    UnusedWheel "unused-wheel" Graph Warning true "A wheel fits no supported platform on which the set offers it.",
    Unneeded "unneeded" Graph Warning true "No project needs an automatic project.",
    Cooldown "cooldown" Graph Error true "A wheel is younger than the repository's cooldown, or its age is unknown.",
    VulnerableVersion "vulnerable-version" Advisories Warning true "A declared version has a known vulnerability.",
    MaliciousVersion "malicious-version" Advisories Error true "A declared version was made to do harm.",
    BrokenAdvisory "broken-advisory" Advisories Warning true "An entry of the advisory database cannot be used, or only in part.",
    OldDatabase "old-database" Advisories Warning true "The advisory database is older than the repository allows.",
    ChangedPublisher "changed-publisher" Index Warning true "The wheels of another version have another publisher, or none.",
    YankedWheel "yanked-wheel" Index Warning true "A declared wheel was yanked from the index.",
    InactiveProject "inactive-project" Index Warning true "The index says that a declared project is archived or deprecated.",
    QuarantinedProject "quarantined-project" Index Error true "The index says that a declared project is quarantined.",
    ExpiredWaiver "expired-waiver" Waivers Error false "A waiver has expired.",
    UnusedWaiver "unused-waiver" Waivers Error false "A waiver covers no finding.",
}

impl Code {
    /// Whether a finding of this code makes the checks ignore a part of the declared requirements.
    pub fn hides_requirements(self) -> bool {
        matches!(self, Self::InvalidRequirement | Self::InvalidSpecifier)
    }

    /// Whether a finding of this code is about a requirement that the set does not meet.
    pub fn is_open_requirement(self) -> bool {
        matches!(
            self,
            Self::MissingDependency
                | Self::UnsatisfiedDependency
                | Self::MissingExtra
                | Self::UnavailableDependency
        )
    }

    /// The code, if its severity can be changed.
    ///
    /// # Errors
    /// If it cannot be changed.
    pub fn allow_override(self) -> Result<Self, HardCode> {
        if self.may_be_overridden() {
            Ok(self)
        } else {
            Err(HardCode(self))
        }
    }
}

/// A code whose severity cannot be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the severity of `{0}` cannot be changed")]
pub struct HardCode(pub Code);

impl HardCode {
    /// The reason, as half a sentence.
    pub fn reason(self) -> &'static str {
        "it means that a file cannot be read, that bytes differ from the declaration, that an archive contradicts itself, or that the set has withdrawn a wheel"
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

/// A word that is not a code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the code of a finding")]
pub struct UnknownCode(pub String);
