//! `ipwhl.toml` (FORMATS 1).

mod judgement;
mod platforms;
mod publish;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use ipwhl_packaging::{ExtraName, Platform, ProjectName, Requirement};
use ipwhl_unixfs::Profile;
use jiff::civil::Date;

use super::load::ORIGINAL_FOLDER;
use crate::foundation::diagnostic::{Code, Finding, Severity};
use crate::set::declaration::reader::{Reader, Table};
use crate::set::declaration::{Layout, Spanned, is_git_folder};
use judgement::{severities, waived_platforms, waiver};
use platforms::platforms;
pub use publish::{
    ClusterTarget, DirectoryTarget, DnslinkTarget, GitTarget, IpnsTarget, KuboTarget,
    PinningServiceTarget, PublishKind, PublishTarget,
};

/// The most waivers of a repository.
const MOST_WAIVERS: usize = 5_000;

/// The settings in `ipwhl.toml`.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// The repository's name, which each statement contains.
    pub name: String,
    /// The folder of the declarations, from the repository's folder, with `/`.
    pub declarations: String,
    /// How the declarations are laid out.
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
    /// Gateways that may have the wheels by content-id.
    pub gateways: Vec<String>,
    /// The keys that may sign a statement: `ssh-ed25519 AAAA… comment`, or the line of a hardware
    /// key.
    pub trusted: Vec<String>,
    /// How many of them must sign.
    pub threshold: u64,
    /// The publish targets, in the order of the text.
    pub publish: Vec<PublishTarget>,
    /// The severity of codes in this repository.
    pub severity: BTreeMap<Code, SeverityRule>,
    /// Codes whose errors count as warnings in this run only; releases do not record them.
    pub allowed: BTreeSet<Code>,
    /// Waived findings.
    pub waivers: Vec<Waiver>,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            name: String::new(),
            declarations: "declarations".to_owned(),
            layout: Layout::Package,
            profile: Profile::UnixfsV1_2025,
            platforms: Vec::new(),
            platform_origins: BTreeMap::new(),
            index_url: None,
            gateways: Vec::new(),
            trusted: Vec::new(),
            threshold: 1,
            publish: Vec::new(),
            severity: BTreeMap::new(),
            allowed: BTreeSet::new(),
            waivers: Vec::new(),
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
    /// Only on these platforms: system tags, interpreter tags or whole platforms.
    pub platforms: Vec<Spanned<String>>,
    /// The reason.
    pub reason: String,
    /// The last day on which it holds.
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

/// Reads the text of `ipwhl.toml`.
pub(super) fn parse(file: &Arc<str>, text: &str, role: Role) -> (Configuration, Vec<Finding>) {
    let reader = Reader::new(file);
    let (document, is_toml) = reader.parse_document(text);
    let mut configuration = Configuration::default();
    if is_toml {
        let top = Table::new(&reader, document.get_ref(), 0..0, "`ipwhl.toml`");
        repository(&reader, &top, &mut configuration);
        platforms(&reader, &top, &mut configuration, role);
        if let Some(index) = top.table("index", "`[index]`") {
            if let Some(url) = index.string("url")
                && is_web_address(&reader, &url, "an index")
            {
                configuration.index_url = Some(url.value.to_owned());
            }
            index.finish();
        }
        if let Some(mirrors) = top.table("mirrors", "`[mirrors]`") {
            gateways(&reader, &mirrors, &mut configuration);
            mirrors.finish();
        }
        if let Some(signing) = top.table("signing", "`[signing]`") {
            signing_keys(&reader, &signing, &mut configuration);
            signing.finish();
        }
        configuration.publish = publish::targets(&reader, &top);
        if let Some(severity) = top.table("severity", "`[severity]`") {
            severities(&reader, &severity, &mut configuration);
        }
        let mut tables = top.tables("waiver", "a `[[waiver]]` table");
        if let Some(first) = tables.get(MOST_WAIVERS) {
            reader.too_large(
                format!(
                    "the repository has {} waivers; at most {MOST_WAIVERS} are allowed",
                    tables.len()
                ),
                &first.span,
                "one waiver without `requirement` or `wheel` covers all of its project",
            );
            tables.clear();
        }
        for table in tables {
            let waiver = waiver(&reader, &table);
            table.finish();
            if let Some(waiver) = &waiver {
                waived_platforms(&reader, waiver, &configuration.platforms);
            }
            configuration.waivers.extend(waiver);
        }
        top.finish();
    }
    (configuration, reader.into_findings())
}

fn repository(reader: &Reader, top: &Table<'_, '_>, configuration: &mut Configuration) {
    let Some(table) = top.table("repository", "`[repository]`") else {
        if !top.has("repository") {
            top.missing(
                "repository",
                "it begins with `[repository]`, `format = 1` and `name = \"…\"`",
            );
        }
        return;
    };
    match table.number("format") {
        Some(format) if format.value == 1 => {}
        Some(format) => reader.push(
            Finding::new(
                Code::InvalidValue,
                format!("the format {} is unknown", format.value),
            )
            .at(&reader.file, format.span, "")
            .help("write `format = 1`, or use a newer ipwhl"),
        ),
        None if table.has("format") => {}
        None => table.missing("format", "write `format = 1`"),
    }
    match table.string("name") {
        Some(name) if !name.value.trim().is_empty() && !name.value.contains(char::is_control) => {
            name.value.clone_into(&mut configuration.name);
        }
        Some(name) => reader.report(
            Code::InvalidValue,
            "the repository's name must be one line of text, and not empty",
            &name.span,
        ),
        None if table.has("name") => {}
        None => table.missing(
            "name",
            "write `name = \"…\"`; each signed statement contains it",
        ),
    }
    if let Some(folder) = table.string("declarations") {
        let is_inside = !folder.value.is_empty()
            && !folder.value.contains(['\\', '\0'])
            && folder
                .value
                .split('/')
                .all(|part| !part.is_empty() && part != "." && part != "..");
        if folder.value.split('/').any(is_git_folder) {
            reader.report(
                Code::InvalidValue,
                format!("`{}` is git's own folder, or in it", folder.value),
                &folder.span,
            );
        } else if is_inside {
            folder.value.clone_into(&mut configuration.declarations);
        } else {
            reader.report(
                Code::InvalidValue,
                format!("`{}` is not a folder inside the repository", folder.value),
                &folder.span,
            );
        }
    } else if table
        .string("layout")
        .is_some_and(|layout| layout.value == "ipwhl-1")
    {
        ORIGINAL_FOLDER.clone_into(&mut configuration.declarations);
    }
    if let Some(layout) = table.string("layout") {
        match layout.value {
            "package" => configuration.layout = Layout::Package,
            "ipwhl-1" => configuration.layout = Layout::Ipwhl1,
            other => reader.push(
                Finding::new(Code::InvalidValue, format!("`{other}` is not a layout"))
                    .at(&reader.file, layout.span, "")
                    .help("the layouts are `package` and `ipwhl-1`"),
            ),
        }
    }
    if configuration.layout == Layout::Ipwhl1 {
        // The original uses CIDs of version 0 only.
        configuration.profile = Profile::UnixfsV0_2015;
    }
    if let Some(profile) = table.string("profile") {
        if let Ok(profile) = profile.value.parse() {
            configuration.profile = profile;
        } else {
            let names: Vec<String> = Profile::ALL
                .iter()
                .map(|profile| format!("`{profile}`"))
                .collect();
            reader.push(
                Finding::new(
                    Code::InvalidValue,
                    format!("`{}` is not a profile", profile.value),
                )
                .at(&reader.file, profile.span, "")
                .help(format!("the profiles are {}", names.join(", "))),
            );
        }
    }
    table.finish();
}

fn gateways(reader: &Reader, table: &Table<'_, '_>, configuration: &mut Configuration) {
    let Some(gateways) = table.strings("gateways") else {
        return;
    };
    for gateway in gateways.value {
        if is_web_address(reader, &gateway, "a gateway") {
            configuration.gateways.push(gateway.value.to_owned());
        }
    }
}

/// Whether a text is a usable address; reports a finding if not.
fn is_web_address(reader: &Reader, text: &Spanned<&str>, of: &str) -> bool {
    let is_web = url::Url::parse(text.value)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if !is_web {
        reader.report(
            Code::InvalidValue,
            format!("`{}` is not the address of {of}", text.value),
            &text.span,
        );
    }
    is_web
}

/// The name that an entry of `trusted` gives to its key.
fn comment(entry: &str) -> String {
    let words: Vec<&str> = entry.split_whitespace().skip(2).collect();
    if words.is_empty() {
        "a key without a name".to_owned()
    } else {
        format!("`{}`", words.join(" "))
    }
}

/// The types of keys that may sign: Ed25519, in a file or in hardware.
const KEY_TYPES: [&str; 2] = ["ssh-ed25519", "sk-ssh-ed25519@openssh.com"];

fn signing_keys(reader: &Reader, table: &Table<'_, '_>, configuration: &mut Configuration) {
    // Each key with the first entry that names it.
    let mut keys: BTreeMap<&str, Spanned<&str>> = BTreeMap::new();
    if let Some(trusted) = table.strings("trusted") {
        for key in trusted.value {
            // The key itself is read when it is used; here only its form is checked.
            let mut words = key.value.split_whitespace();
            let is_known = words.next().is_some_and(|kind| KEY_TYPES.contains(&kind));
            if let Some(bytes) = words.next()
                && is_known
            {
                configuration.trusted.push(key.value.to_owned());
                let Some(first) = keys.insert(bytes, key.clone()) else {
                    continue;
                };
                reader.push(
                    Finding::new(
                        Code::InvalidValue,
                        format!(
                            "one key is listed twice in `trusted`, as {} and as {}",
                            comment(first.value),
                            comment(key.value)
                        ),
                    )
                    .at(&reader.file, key.span, "the same key")
                    .at(&reader.file, first.span, "listed here before")
                    .note("`threshold` counts keys, and one key is one signer, whatever its names")
                    .help("remove one of the two entries, or write the intended key"),
                );
            } else {
                reader.push(
                    Finding::new(
                        Code::InvalidValue,
                        format!("`{}` is not an Ed25519 key in OpenSSH format", key.value),
                    )
                    .at(&reader.file, key.span, "")
                    .help("`ipwhl key show` prints the line to write"),
                );
            }
        }
    }
    if let Some(threshold) = table.number("threshold") {
        let keys = keys.len() as u64;
        let wrong = if threshold.value == 0 {
            Some("the threshold must be at least 1".to_owned())
        } else if keys > 0 && threshold.value > keys {
            Some(format!(
                "the threshold {} cannot be met: the trusted keys are {keys}",
                threshold.value
            ))
        } else if !table.has("trusted") {
            Some("the threshold counts trusted keys, but there is no `trusted`".to_owned())
        } else {
            None
        };
        if let Some(message) = wrong {
            let mut finding =
                Finding::new(Code::InvalidValue, message).at(&reader.file, threshold.span, "");
            if let Some((_, span)) = table.value("trusted") {
                finding = finding.at(&reader.file, span, "the trusted keys");
            }
            reader.push(finding);
        }
        configuration.threshold = threshold.value.max(1);
    }
}
