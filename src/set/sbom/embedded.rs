//! SBOMs that wheels have inside (PEP 770).
//!
//! They are files of strangers. Of a CycloneDX document only the values below are taken over, each
//! checked, so that the document around it stays valid. Any other file is referred to by its path and
//! its digest.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ipwhl_packaging::wheel::SbomFile;
use ipwhl_unixfs::Sha256Digest;
use serde_json::Value;

use crate::set::licences::LicenceExpression;

/// The most bytes of an SBOM that is taken over: ten times the largest one seen.
pub const LARGEST_EMBEDDED: u64 = 10_000_000;

/// The most components of an SBOM that is taken over.
const MOST_COMPONENTS: usize = 10_000;

/// The most components inside one another. A reader of the whole document has a limit, too.
const DEEPEST: usize = 16;

/// The most bytes of a name, a version or an address in it.
const LONGEST_TEXT: usize = 1_000;

/// The types of components in CycloneDX 1.6. Other words become `library`.
const TYPES: [&str; 13] = [
    "library",
    "application",
    "framework",
    "container",
    "platform",
    "operating-system",
    "device",
    "device-driver",
    "firmware",
    "file",
    "machine-learning-model",
    "data",
    "cryptographic-asset",
];

/// The algorithms of hashes in CycloneDX 1.6, with their hexadecimal digits and their names in SPDX 2.3.
pub(super) const HASHES: [(&str, usize, &str); 12] = [
    ("MD5", 32, "MD5"),
    ("SHA-1", 40, "SHA1"),
    ("SHA-256", 64, "SHA256"),
    ("SHA-384", 96, "SHA384"),
    ("SHA-512", 128, "SHA512"),
    ("SHA3-256", 64, "SHA3-256"),
    ("SHA3-384", 96, "SHA3-384"),
    ("SHA3-512", 128, "SHA3-512"),
    ("BLAKE2b-256", 64, "BLAKE2b-256"),
    ("BLAKE2b-384", 96, "BLAKE2b-384"),
    ("BLAKE2b-512", 128, "BLAKE2b-512"),
    ("BLAKE3", 64, "BLAKE3"),
];

/// An SBOM in a wheel.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddedSbom {
    /// Its path in the wheel.
    pub path: String,
    /// The SHA-256 of its bytes.
    pub sha256: Sha256Digest,
    /// Its components, in the order of the file, the outer before the inner ones. Empty if it was not
    /// taken over.
    pub components: Vec<EmbeddedComponent>,
    /// The components that each component needs, as positions. `None` stands for the wheel.
    pub needs: BTreeMap<Option<usize>, BTreeSet<usize>>,
}

/// A component of an SBOM in a wheel.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddedComponent {
    /// The position of the component that has this one inside.
    pub parent: Option<usize>,
    /// Its type, a word of CycloneDX.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// Its package URL.
    pub purl: Option<String>,
    /// The name of its supplier.
    pub supplier: Option<String>,
    /// Its licence.
    pub licence: Option<EmbeddedLicence>,
    /// Its hashes: an index into the known algorithms, and lower-case hexadecimal digits.
    pub hashes: BTreeSet<(usize, String)>,
}

/// A licence in an SBOM of a wheel.
#[derive(Debug, Clone, PartialEq)]
pub enum EmbeddedLicence {
    /// An expression.
    Expression(Box<LicenceExpression>),
    /// Names. Whether all or any of them apply is not said.
    Names(Vec<String>),
}

impl EmbeddedSbom {
    /// Reads an SBOM. One that is not taken over has a reason, half a sentence; a file in another
    /// format has none.
    pub fn read(file: SbomFile) -> (Self, Option<String>) {
        let mut sbom = Self {
            path: file.path,
            sha256: Sha256Digest::from(file.sha256),
            components: Vec::new(),
            needs: BTreeMap::new(),
        };
        let Some(bytes) = file.bytes else {
            let reason = format!(
                "has {} bytes; at most {LARGEST_EMBEDDED} are read",
                file.size
            );
            return (sbom, Some(reason));
        };
        let is_json = |path: &str| path.to_ascii_lowercase().rsplit('.').next() == Some("json");
        if !is_json(&sbom.path) {
            return (sbom, None);
        }
        let reason = match serde_json::from_slice::<Value>(&bytes) {
            Err(error) => Some(format!("is not JSON: {error}")),
            Ok(value) if value["bomFormat"] != "CycloneDX" => None,
            Ok(value) => match read(&value) {
                Ok((components, needs)) => {
                    sbom.components = components;
                    sbom.needs = needs;
                    None
                }
                Err(reason) => Some(reason),
            },
        };
        (sbom, reason)
    }
}

type Contents = (
    Vec<EmbeddedComponent>,
    BTreeMap<Option<usize>, BTreeSet<usize>>,
);

fn read(document: &Value) -> Result<Contents, String> {
    let mut components = Vec::new();
    let mut references: HashMap<&str, Option<usize>> = HashMap::new();
    let whole = &document["metadata"]["component"]["bom-ref"];
    if let Some(reference) = whole.as_str() {
        references.insert(reference, None);
    }
    collect(
        &document["components"],
        &[],
        &mut components,
        &mut references,
    )?;
    let mut needs: BTreeMap<Option<usize>, BTreeSet<usize>> = BTreeMap::new();
    for dependency in document["dependencies"].as_array().into_iter().flatten() {
        let from = dependency["ref"].as_str();
        let Some(from) = from.and_then(|reference| references.get(reference)) else {
            continue;
        };
        let on = dependency["dependsOn"].as_array().into_iter().flatten();
        let on = on.filter_map(|one| references.get(one.as_str()?).copied().flatten());
        needs
            .entry(*from)
            .or_default()
            .extend(on.filter(|one| Some(*one) != *from));
    }
    needs.retain(|_, on| !on.is_empty());
    Ok((components, needs))
}

/// Collects the components of a list. `outer` are the positions of those that have it inside.
fn collect<'v>(
    list: &'v Value,
    outer: &[usize],
    components: &mut Vec<EmbeddedComponent>,
    references: &mut HashMap<&'v str, Option<usize>>,
) -> Result<(), String> {
    if outer.len() > DEEPEST {
        return Err(format!(
            "has more than {DEEPEST} components inside one another"
        ));
    }
    for value in list.as_array().into_iter().flatten() {
        if components.len() == MOST_COMPONENTS {
            return Err(format!("has more than {MOST_COMPONENTS} components"));
        }
        let number = components.len();
        let name =
            text(&value["name"]).ok_or_else(|| "has a component without a name".to_owned())?;
        if let Some(reference) = value["bom-ref"].as_str()
            && references.insert(reference, Some(number)).is_some()
        {
            return Err("has two components with the same `bom-ref`".to_owned());
        }
        let kind = value["type"].as_str();
        let kind = TYPES.into_iter().find(|known| Some(*known) == kind);
        components.push(EmbeddedComponent {
            parent: outer.last().copied(),
            kind: kind.unwrap_or(TYPES[0]),
            name,
            version: text(&value["version"]),
            purl: text(&value["purl"]).filter(|purl| is_purl(purl)),
            supplier: text(&value["supplier"]["name"]),
            licence: licence(&value["licenses"]),
            hashes: hashes(&value["hashes"]),
        });
        let outer = [outer, &[number]].concat();
        collect(&value["components"], &outer, components, references)?;
    }
    Ok(())
}

/// A text that is not empty and not too long.
fn text(value: &Value) -> Option<String> {
    let text = value.as_str()?.trim();
    (!text.is_empty() && text.len() <= LONGEST_TEXT).then(|| text.to_owned())
}

/// Whether a text has the form of a package URL: a type, a name, and only signs of URLs.
fn is_purl(text: &str) -> bool {
    let is_type = |kind: &str| {
        kind.starts_with(|sign: char| sign.is_ascii_alphabetic())
            && kind
                .chars()
                .all(|sign| sign.is_ascii_alphanumeric() || ".+-".contains(sign))
    };
    let is_sign =
        |sign: char| sign.is_ascii_alphanumeric() || "-._~:/?#@!&'()*+,;=%".contains(sign);
    let parts = text
        .strip_prefix("pkg:")
        .and_then(|rest| rest.split_once('/'));
    parts.is_some_and(|(kind, rest)| {
        let path = rest.split(['?', '#', '@']).next().unwrap_or_default();
        let has_name = path
            .split('/')
            .next_back()
            .is_some_and(|name| !name.is_empty());
        is_type(kind) && has_name && rest.chars().all(is_sign)
    })
}

fn licence(list: &Value) -> Option<EmbeddedLicence> {
    let list = list.as_array()?;
    let name = |one: &Value| {
        let licence = &one["license"];
        text(&one["expression"])
            .or_else(|| text(&licence["id"]))
            .or_else(|| text(&licence["name"]))
    };
    let names: BTreeSet<String> = list.iter().filter_map(name).collect();
    let names = Vec::from_iter(names);
    match names.as_slice() {
        [] => None,
        [one] => Some(match LicenceExpression::parse(one) {
            Ok(expression) => EmbeddedLicence::Expression(Box::new(expression)),
            Err(_) => EmbeddedLicence::Names(names),
        }),
        _ => Some(EmbeddedLicence::Names(names)),
    }
}

fn hashes(list: &Value) -> BTreeSet<(usize, String)> {
    let hash = |one: &Value| {
        let algorithm = one["alg"].as_str()?;
        let digits = one["content"].as_str()?.to_ascii_lowercase();
        let number = HASHES.iter().position(|(name, _, _)| *name == algorithm)?;
        let is_digits = digits.len() == HASHES[number].1
            && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_digits.then_some((number, digits))
    };
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(hash)
        .collect()
}
