//! `ipwhl.toml` (FORMATS 1).

mod audit;
mod judgement;
mod licences;
mod parse;
mod platforms;
mod publish;
mod withdrawn;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use ipwhl_packaging::{ExtraName, Platform, ProjectName, Requirement};
use ipwhl_unixfs::Profile;
use jiff::civil::Date;

use crate::foundation::diagnostic::{Code, Severity};
use crate::foundation::time::Cooldown;
use crate::set::declaration::{FormatVersion, Layout, Spanned};
use crate::set::licences::LicencePolicy;
pub use audit::{AuditSettings, DatabasePlace};
pub(super) use parse::parse;
pub use publish::{
    ClusterTarget, DirectoryTarget, DnslinkTarget, GitTarget, IpnsTarget, KuboTarget,
    PinningServiceTarget, PublishKind, PublishTarget,
};
pub use withdrawn::{Withdrawal, Withdrawn};

/// The settings in `ipwhl.toml`.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// The version of the formats of the settings and the declarations.
    pub format: FormatVersion,
    /// The repository's name, which each statement contains.
    pub name: String,
    /// The folder of the declarations, from the repository's folder, with `/`.
    pub declarations: String,
    /// The layout of the declarations.
    pub layout: Layout,
    /// The UnixFS import parameters of the release.
    pub profile: Profile,
    /// The supported platforms, sorted, each once.
    pub platforms: Vec<Platform>,
    /// The place where each platform is named, by its system or as a whole: the text's name and the
    /// entry.
    pub platform_origins: BTreeMap<Platform, (Arc<str>, Range<usize>)>,
    /// The index for package URLs, if the repository names one.
    pub index_url: Option<String>,
    /// The age that each wheel needs, if the repository asks for one (format 2).
    pub cooldown: Option<Cooldown>,
    /// The licences that the set accepts, if it has a policy (format 2).
    pub licences: Option<LicencePolicy>,
    /// Gateways that may have the wheels by content-id.
    pub gateways: Vec<String>,
    /// The keys that may sign a statement: `ssh-ed25519 AAAA… comment`, or the line of a hardware
    /// key.
    pub trusted: Vec<String>,
    /// The number of them that must sign.
    pub threshold: u64,
    /// The publish targets, in the order of the text.
    pub publish: Vec<PublishTarget>,
    /// The severity of codes in this repository.
    pub severity: BTreeMap<Code, SeverityRule>,
    /// Codes whose errors count as warnings in this run only; releases do not record them.
    pub allowed: BTreeSet<Code>,
    /// Waived findings.
    pub waivers: Vec<Waiver>,
    /// Withdrawn files and releases, which the next statement names (format 2).
    pub withdrawn: Vec<Withdrawal>,
    /// The comparison with a database of advisories (format 2).
    pub audit: AuditSettings,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            format: FormatVersion::V1,
            name: String::new(),
            declarations: "declarations".to_owned(),
            layout: Layout::Package,
            profile: Profile::UnixfsV1_2025,
            platforms: Vec::new(),
            platform_origins: BTreeMap::new(),
            index_url: None,
            cooldown: None,
            licences: None,
            gateways: Vec::new(),
            trusted: Vec::new(),
            threshold: 1,
            publish: Vec::new(),
            severity: BTreeMap::new(),
            allowed: BTreeSet::new(),
            waivers: Vec::new(),
            withdrawn: Vec::new(),
            audit: AuditSettings::default(),
        }
    }
}

/// The severity of a code in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeverityRule {
    /// Reported with this severity.
    Weighs(Severity),
    /// Not reported.
    Off,
}

impl SeverityRule {
    /// The word in `[severity]`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Weighs(Severity::Error) => "error",
            Self::Weighs(Severity::Warning) => "warning",
            Self::Off => "off",
        }
    }
}

/// A finding that is accepted until a day.
#[derive(Debug, Clone)]
pub struct Waiver {
    /// Its place.
    pub span: Range<usize>,
    /// The code of the findings that it covers.
    pub code: Code,
    /// The project that would have to change.
    pub project: ProjectName,
    /// Only findings about this requirement.
    pub requirement: Option<Requirement>,
    /// Only findings about this wheel.
    pub wheel: Option<String>,
    /// Only findings under this extra.
    pub extra: Option<ExtraName>,
    /// Only findings about this vulnerability, by one of its identifiers (format 2).
    pub advisory: Option<String>,
    /// Only on these platforms: system tags, interpreter tags or whole platforms.
    pub platforms: Vec<Spanned<String>>,
    /// The reason.
    pub reason: String,
    /// The last day on which it is valid.
    pub expires: Spanned<Date>,
}

/// The purpose for which an `ipwhl.toml` is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A set of declarations, which is checked on platforms.
    Set,
    /// Trusted keys and publish targets, without declarations.
    Settings,
}
