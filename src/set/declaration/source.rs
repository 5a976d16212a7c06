//! The sources of a wheel's bytes, as a declaration writes them.

use std::fmt;

use ipwhl_packaging::{ProjectName, Version};
use percent_encoding::percent_decode_str;
use url::Url;

/// A source of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `pkg:pypi/…`: resolved through the configured index.
    Package(PackageUrl),
    /// `https://…`, and `http://…` with a finding.
    Web(Url),
    /// `file:…`: a path with `/`, relative to the repository's folder.
    File(String),
}

/// A package URL of the type `pypi` that names one wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageUrl {
    /// The project.
    pub project: ProjectName,
    /// The version.
    pub version: Version,
    /// The wheel's file name (`file_name`).
    pub file_name: String,
}

/// The reason why a text is not a source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SourceError(String);

impl Source {
    /// Reads a source as a declaration writes it.
    ///
    /// # Errors
    /// When the scheme is none of the three, or the rest is not of its form.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        if let Some(rest) = text.strip_prefix("pkg:") {
            return PackageUrl::parse(rest).map(Self::Package);
        }
        if let Some(path) = text.strip_prefix("file:") {
            return parse_path(path).map(Self::File);
        }
        if text.starts_with("https://") || text.starts_with("http://") {
            let url = Url::parse(text)
                .map_err(|error| SourceError(format!("`{text}` is not an address: {error}")))?;
            if !url.username().is_empty() || url.password().is_some() {
                return Err(SourceError(
                    "a declaration is public, so its addresses must not contain credentials"
                        .to_owned(),
                ));
            }
            return Ok(Self::Web(url));
        }
        Err(SourceError(format!(
            "`{text}` is not a source: it must begin with `pkg:pypi/`, `https://` or `file:`"
        )))
    }

    /// The file name of the wheel: `file_name`, or the last segment of the path.
    pub fn file_name(&self) -> String {
        match self {
            Self::Package(package) => package.file_name.clone(),
            Self::Web(url) => {
                let segment = url
                    .path_segments()
                    .and_then(|mut segments| segments.next_back())
                    .unwrap_or_default();
                percent_decode_str(segment).decode_utf8_lossy().into_owned()
            }
            Self::File(path) => path.rsplit('/').next().unwrap_or_default().to_owned(),
        }
    }

    /// Whether another host on the network could read and change bytes from this source. Traffic to
    /// a loopback address does not leave the machine.
    pub fn is_insecure(&self) -> bool {
        let Self::Web(url) = self else { return false };
        let is_loopback = match url.host() {
            Some(url::Host::Domain(domain)) => domain == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        url.scheme() == "http" && !is_loopback
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Package(package) => package.fmt(formatter),
            Self::Web(url) => url.fmt(formatter),
            Self::File(path) => write!(formatter, "file:{path}"),
        }
    }
}

impl PackageUrl {
    /// Reads the text after `pkg:` (package-url specification, type `pypi`, qualifier `file_name`).
    fn parse(rest: &str) -> Result<Self, SourceError> {
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let rest = rest
            .strip_prefix("pypi/")
            .ok_or_else(|| SourceError(format!("`pkg:{rest}` is not of the type `pypi`")))?;
        let (path, qualifiers) = rest.split_once('?').ok_or_else(|| {
            SourceError(format!(
                "`pkg:pypi/{rest}` does not name a wheel: `?file_name=…` is missing"
            ))
        })?;
        let (name, version) = path.split_once('@').ok_or_else(|| {
            SourceError(format!(
                "`pkg:pypi/{rest}` has no version: write `name@version`"
            ))
        })?;
        let mut file_name = None;
        for qualifier in qualifiers.split('&') {
            match qualifier.split_once('=') {
                Some(("file_name", value)) if file_name.is_none() => {
                    file_name = Some(decode(value));
                }
                _ => {
                    return Err(SourceError(format!(
                        "`{qualifier}` is not understood in a package URL: write `file_name=…`, once"
                    )));
                }
            }
        }
        let version = decode(version);
        Ok(Self {
            project: decode(name)
                .parse()
                .map_err(|error| SourceError(format!("{error}")))?,
            version: version
                .parse()
                .map_err(|_| SourceError(format!("`{version}` is not a version")))?,
            file_name: file_name.unwrap_or_default(),
        })
    }
}

impl fmt::Display for PackageUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.version.to_string();
        write!(
            formatter,
            "pkg:pypi/{}@{}?file_name={}",
            self.project,
            encode(&version),
            encode(&self.file_name)
        )
    }
}

/// Percent-encodes the characters that a package URL's version or qualifier must not contain.
fn encode(text: &str) -> impl fmt::Display + '_ {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    utf8_percent_encode(text, KEPT)
}

/// A path inside the repository: relative, with `/`, without `..`.
fn parse_path(path: &str) -> Result<String, SourceError> {
    let is_clean = !path.is_empty()
        && !path.contains(['\\', '\0', ':'])
        && path
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..");
    if !is_clean {
        return Err(SourceError(format!(
            "`file:{path}` is not a path inside the repository: write a relative path with `/` and \
             without `..`"
        )));
    }
    if path.split('/').any(is_git_folder) {
        return Err(SourceError(format!(
            "`file:{path}` leads into git's own folder: keep wheels elsewhere in the repository"
        )));
    }
    Ok(path.to_owned())
}

/// Whether a name is that of git's folder on some file system: in upper or lower case, in the short
/// form of Windows, with a suffix that NTFS drops, or with characters that HFS+ ignores. git itself
/// refuses to check out these names.
pub(crate) fn is_git_folder(name: &str) -> bool {
    // Git's table for HFS+: joiners, directional marks, deprecated format characters, the byte
    // order mark.
    let is_ignored = |sign: &char| matches!(sign, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}');
    let name: String = name.chars().filter(|sign| !is_ignored(sign)).collect();
    let name = name.trim_end_matches(['.', ' ']).to_ascii_lowercase();
    matches!(name.as_str(), ".git" | "git~1")
}
