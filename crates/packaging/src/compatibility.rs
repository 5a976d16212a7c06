//! Whether some interpreter on some system accepts two wheels.
//!
//! Not only supported platforms count: if one installer could take either of two wheels of a
//! project, the index is ambiguous for the users of that interpreter. If tags have no known form,
//! or if installers have differed over the years, the answer is that such an interpreter exists.

use std::collections::BTreeSet;

use super::platform::system::{Libc, SystemTag, macos_architectures, number, runs_architecture};
use super::platform::version_of_digits;
use super::tag::Tag;

/// The name of an interpreter and a system whose installer accepts both tags; `None` if none can
/// exist.
///
/// For `cp38-abi3-manylinux_2_17_x86_64` and `cp312-cp312-manylinux_2_28_x86_64` it is `CPython
/// 3.12 on Linux x86_64 with glibc 2.28`.
pub fn common_installer(a: &Tag, b: &Tag) -> Option<String> {
    if a == b && candidates(a, b).iter().all(|one| !one.accepts(a)) {
        // Even if the form of a tag is unknown, an installer that accepts it accepts it twice.
        return Some(format!("an installer that accepts `{a}`"));
    }
    let system = common_system(&a.platform, &b.platform)?;
    let interpreter = candidates(a, b)
        .into_iter()
        .find(|interpreter| interpreter.accepts(a) && interpreter.accepts(b))?;
    Some(format!("{} on {system}", interpreter.in_words()))
}

/// A quick test that two tags have no common installer, as most pairs of a project's tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallerClass {
    /// The only interpreters that can accept it; `None` if others may.
    interpreter: Option<(String, Option<(u64, u64)>)>,
    /// The kind of its system; `None` for any.
    system: Option<String>,
}

impl InstallerClass {
    /// The class of a tag.
    pub fn new(tag: &Tag) -> Self {
        let python = PythonTag::parse(&tag.python);
        let is_of_one = !tag.abi.starts_with("abi3");
        let interpreter = match (python.prefix, python.version) {
            ("cp" | "pp", Some((major, Some(minor)))) if is_of_one => {
                Some((python.prefix.to_owned(), Some((major, minor))))
            }
            ("py" | "cp" | "pp", _) => None,
            (prefix, _) => Some((prefix.to_owned(), None)),
        };
        let system = match SystemTag::parse(&tag.platform) {
            SystemTag::Any => None,
            SystemTag::Linux { .. } => Some("linux".to_owned()),
            SystemTag::MacOs { .. } => Some("macosx".to_owned()),
            SystemTag::Windows(name) => Some(name.clone()),
            SystemTag::Other(name) => Some(match without_version(&name) {
                Some((system, kind)) => format!("{system} {kind}"),
                None => name.clone(),
            }),
        };
        Self {
            interpreter,
            system,
        }
    }

    /// Whether [`common_installer`] may have an answer for two tags of these classes.
    pub fn may_meet(&self, other: &Self) -> bool {
        fn meets<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
            one.is_none() || other.is_none() || one == other
        }
        meets(self.interpreter.as_ref(), other.interpreter.as_ref())
            && meets(self.system.as_ref(), other.system.as_ref())
    }
}

/// The parts of a Python tag: `cp312` is `cp`, 3 and 12.
struct PythonTag<'a> {
    prefix: &'a str,
    version: Option<(u64, Option<u64>)>,
}

impl<'a> PythonTag<'a> {
    fn parse(tag: &'a str) -> Self {
        let prefix = tag.trim_end_matches(|c: char| c.is_ascii_digit());
        Self {
            prefix,
            version: version_of_digits(&tag[prefix.len()..]),
        }
    }
}

/// One interpreter that an installer may run on.
struct Interpreter<'a> {
    /// `cp`, `pp`, or the prefix of the tags of another implementation.
    prefix: &'a str,
    /// `None` for implementations whose tags do not show their version of Python.
    version: Option<(u64, u64)>,
    /// The ABI tag of the interpreter's extension modules.
    abi: String,
}

/// The versions used for "any": the last version of Python 2, and a complete one of Python 3.
const DEFAULT_VERSIONS: [(u64, u64); 2] = [(2, 7), (3, 13)];
/// The first version with free-threaded builds.
const FIRST_FREE_THREADED: (u64, u64) = (3, 13);
/// The first version with a stable ABI.
const FIRST_STABLE_ABI: (u64, u64) = (3, 2);
/// The first version whose debug builds load the extension modules of others.
const FIRST_OPEN_DEBUG_BUILD: (u64, u64) = (3, 8);

/// The interpreters to try. A tag is accepted either for one version exactly or from one version
/// on, so the versions in the tags are enough, and a default one if they have none.
fn candidates<'a>(a: &'a Tag, b: &'a Tag) -> Vec<Interpreter<'a>> {
    let tags = [PythonTag::parse(&a.python), PythonTag::parse(&b.python)];
    let mut versions = BTreeSet::new();
    for tag in &tags {
        if let Some((major, minor)) = tag.version {
            versions.extend(minor.map(|minor| (major, minor)));
        }
    }
    versions.extend(DEFAULT_VERSIONS);
    let mut prefixes = vec!["cp"];
    prefixes.extend(
        tags.iter()
            .map(|tag| tag.prefix)
            .filter(|prefix| *prefix != "py"),
    );
    prefixes.dedup();

    let mut interpreters = Vec::new();
    for prefix in prefixes {
        for (major, minor) in &versions {
            let version = (*major, *minor);
            let mut abis = match prefix {
                "cp" => cpython_abis(version),
                "pp" => vec![format!("pypy{major}{minor}_pp73")],
                _ => vec![String::new()],
            };
            for abi in [&a.abi, &b.abi] {
                if names_own_abi(prefix, version, abi) && !abis.contains(abi) {
                    abis.push(abi.clone());
                }
            }
            interpreters.extend(abis.into_iter().map(|abi| Interpreter {
                prefix,
                version: matches!(prefix, "cp" | "pp").then_some(version),
                abi,
            }));
        }
    }
    interpreters
}

/// The ABI tags of the usual builds of `CPython`.
fn cpython_abis((major, minor): (u64, u64)) -> Vec<String> {
    let plain = format!("cp{major}{minor}");
    if (major, minor) < (3, 3) {
        vec![format!("{plain}mu"), format!("{plain}m")]
    } else if (major, minor) < FIRST_OPEN_DEBUG_BUILD {
        vec![format!("{plain}m")]
    } else if (major, minor) < FIRST_FREE_THREADED {
        vec![plain]
    } else {
        let free_threaded = format!("{plain}t");
        vec![plain, free_threaded]
    }
}

/// Whether `abi` may be the ABI of a build of this interpreter.
fn names_own_abi(prefix: &str, (major, minor): (u64, u64), abi: &str) -> bool {
    match prefix {
        "cp" => abi
            .strip_prefix(&format!("cp{major}{minor}"))
            .is_some_and(|flags| flags.bytes().all(|byte| byte.is_ascii_lowercase())),
        "pp" => abi.starts_with("pypy") || abi.starts_with("pp"),
        _ => abi != "none",
    }
}

impl Interpreter<'_> {
    fn accepts(&self, tag: &Tag) -> bool {
        let python = PythonTag::parse(&tag.python);
        if python.prefix == "py" && python.version.is_some() {
            // Only pure Python has such tags, for this minor version and older ones.
            return tag.abi == "none" && self.version_is_at_least(&python);
        }
        if python.prefix != self.prefix {
            return false;
        }
        let (Some(own), Some((major, minor))) = (self.version, python.version) else {
            return tag.abi == "none" || tag.abi == self.abi;
        };
        if major != own.0 {
            return false;
        }
        match minor {
            Some(minor) if minor == own.1 => {
                tag.abi == "none" || self.has_abi(&tag.abi) || self.stable_abi() == Some(&tag.abi)
            }
            Some(minor) => {
                (FIRST_STABLE_ABI.1..own.1).contains(&minor) && self.stable_abi() == Some(&tag.abi)
            }
            None => tag.abi == "none" || self.stable_abi() == Some(&tag.abi),
        }
    }

    fn version_is_at_least(&self, tag: &PythonTag<'_>) -> bool {
        match (self.version, tag.version) {
            (Some((own_major, own_minor)), Some((major, minor))) => {
                own_major == major && minor.is_none_or(|minor| minor <= own_minor)
            }
            _ => true,
        }
    }

    fn flags(&self) -> &str {
        self.abi
            .strip_prefix("cp")
            .unwrap_or("")
            .trim_start_matches(|c: char| c.is_ascii_digit())
    }

    fn is_free_threaded(&self) -> bool {
        self.version >= Some(FIRST_FREE_THREADED) && self.flags().contains('t')
    }

    fn has_abi(&self, abi: &str) -> bool {
        // A debug build loads the modules of the others too.
        let without_debug = self.abi.strip_suffix('d');
        self.abi == abi
            || (self.version >= Some(FIRST_OPEN_DEBUG_BUILD) && without_debug == Some(abi))
    }

    fn stable_abi(&self) -> Option<&'static str> {
        if self.prefix != "cp" || self.version < Some(FIRST_STABLE_ABI) {
            None
        } else if self.is_free_threaded() {
            Some("abi3t")
        } else {
            Some("abi3")
        }
    }

    fn in_words(&self) -> String {
        match (self.prefix, self.version) {
            ("cp", Some((major, minor))) => {
                let kind = match (self.is_free_threaded(), self.flags().contains('d')) {
                    (true, true) => "free-threaded debug build of CPython",
                    (true, false) => "free-threaded CPython",
                    (false, true) => "debug build of CPython",
                    (false, false) => "CPython",
                };
                format!("{kind} {major}.{minor}")
            }
            ("pp", Some((major, minor))) => format!("PyPy {major}.{minor}"),
            (prefix, _) => format!("an interpreter with tags in `{prefix}`"),
        }
    }
}

/// The name of a system that accepts both platform tags.
///
/// Versions of systems are open upwards: a system that accepts the newer tag accepts the older one.
fn common_system(a: &str, b: &str) -> Option<String> {
    match (SystemTag::parse(a), SystemTag::parse(b)) {
        (SystemTag::Any, SystemTag::Any) => Some("any system".to_owned()),
        (SystemTag::Any, other) | (other, SystemTag::Any) => both(&other, &other),
        (a, b) => both(&a, &b),
    }
}

fn both(a: &SystemTag, b: &SystemTag) -> Option<String> {
    match (a, b) {
        (
            SystemTag::Linux { libc, architecture },
            SystemTag::Linux {
                libc: other_libc,
                architecture: other,
            },
        ) => {
            let machine = [architecture, other].into_iter().find(|machine| {
                runs_architecture(machine, architecture) && runs_architecture(machine, other)
            })?;
            let libc = match common_libc(*libc, *other_libc)? {
                Libc::Unnamed => String::new(),
                Libc::Glibc { major, minor } => format!(" with glibc {major}.{minor}"),
                Libc::Musl { major, minor } => format!(" with musl {major}.{minor}"),
            };
            Some(format!("Linux {machine}{libc}"))
        }
        (
            SystemTag::MacOs {
                major,
                minor,
                format,
            },
            SystemTag::MacOs {
                major: other_major,
                minor: other_minor,
                format: other,
            },
        ) => {
            let architecture = if format == other && macos_architectures(format).is_empty() {
                format.as_str()
            } else {
                macos_architectures(format)
                    .iter()
                    .find(|one| macos_architectures(other).contains(one))?
            };
            let mut version = (*major, *minor).max((*other_major, *other_minor));
            if architecture == "arm64" {
                version = version.max((11, 0));
            }
            Some(format!(
                "macOS {}.{} on {architecture}",
                version.0, version.1
            ))
        }
        (SystemTag::Windows(a), SystemTag::Windows(b)) => {
            (a == b).then(|| format!("Windows ({a})"))
        }
        (SystemTag::Other(a), SystemTag::Other(b)) => (a == b
            || without_version(a).is_some_and(|kind| Some(kind) == without_version(b)))
        .then(|| format!("a system that accepts `{}`", a.max(b))),
        _ => None,
    }
}

fn common_libc(a: Libc, b: Libc) -> Option<Libc> {
    match (a, b) {
        (Libc::Unnamed, libc) | (libc, Libc::Unnamed) => Some(libc),
        (Libc::Glibc { .. }, Libc::Glibc { .. }) => Some(a.max(b)),
        // A system with musl accepts the wheels for its major version only.
        (Libc::Musl { major, .. }, Libc::Musl { major: other, .. }) => {
            (major == other).then(|| a.max(b))
        }
        _ => None,
    }
}

/// The tags of iOS and Android without their version, which is open upwards as well.
fn without_version(tag: &str) -> Option<(&str, &str)> {
    if let Some(rest) = tag.strip_prefix("ios_") {
        let (major, rest) = rest.split_once('_')?;
        let (minor, kind) = rest.split_once('_')?;
        return (number(major).is_some() && number(minor).is_some()).then_some(("ios", kind));
    }
    let (level, kind) = tag.strip_prefix("android_")?.split_once('_')?;
    number(level).is_some().then_some(("android", kind))
}
