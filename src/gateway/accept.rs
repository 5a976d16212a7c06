//! Content negotiation on index pages (PEP 691, "Version + Format Selection"; RFC 9110, 12.5.1).

use crate::release::names::{HTML, JSON};

/// The most media ranges of an `Accept` header that are read.
const MAXIMUM_RANGES: usize = 64;

/// The type of a raw block in the trustless gateway specification.
pub(super) const RAW: &str = "application/vnd.ipld.raw";

/// The type of a CAR in the trustless gateway specification.
pub(super) const CAR: &str = "application/vnd.ipld.car";

/// A form of an index page. Of two equally preferred ones, the first in this list is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variant {
    /// PEP 503's HTML under its oldest type, which browsers and old installers understand.
    Html,
    /// The same bytes under the type with a version.
    VersionedHtml,
    /// PEP 691's JSON.
    Json,
}

impl Variant {
    const ALL: [Self; 3] = [Self::Html, Self::VersionedHtml, Self::Json];

    /// The `Content-Type`. PEP 691: never `latest`.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::VersionedHtml => "application/vnd.pypi.simple.v1+html",
            Self::Json => "application/vnd.pypi.simple.v1+json",
        }
    }

    /// The file in the folder with this form.
    pub(super) fn file_name(self) -> &'static str {
        match self {
            Self::Html | Self::VersionedHtml => HTML,
            Self::Json => JSON,
        }
    }

    /// The types that request it by name.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Html => &["text/html"],
            Self::VersionedHtml => &[
                "application/vnd.pypi.simple.v1+html",
                "application/vnd.pypi.simple.latest+html",
            ],
            Self::Json => &[
                "application/vnd.pypi.simple.v1+json",
                "application/vnd.pypi.simple.latest+json",
            ],
        }
    }

    /// The form that a type requests by name.
    pub(super) fn by_name(name: &str) -> Option<Self> {
        let named = |variant: &Self| {
            variant
                .names()
                .iter()
                .any(|own| own.eq_ignore_ascii_case(name))
        };
        Self::ALL.into_iter().find(named)
    }
}

/// One media range: its type in lower case, and its weight in thousandths.
struct MediaRange {
    name: String,
    weight: u16,
}

/// The preferred variant of an `Accept` header; `None` if it accepts none. A missing or unreadable
/// header accepts everything.
pub(super) fn choose(accept: &str) -> Option<Variant> {
    let ranges = parse(accept);
    if ranges.is_empty() {
        return Some(Variant::Html);
    }
    let mut best: Option<((u16, u8), Variant)> = None;
    for variant in Variant::ALL {
        let rank = welcome(&ranges, variant);
        if rank.0 > 0 && best.is_none_or(|(other, _)| rank > other) {
            best = Some((rank, variant));
        }
    }
    best.map(|(_, variant)| variant)
}

/// Whether an `Accept` header contains this exact type.
pub(super) fn names(accept: &str, name: &str) -> bool {
    parse(accept)
        .iter()
        .any(|range| range.weight > 0 && range.name == name)
}

/// The weight of the most specific range that matches a variant, and the rank of its specificity.
fn welcome(ranges: &[MediaRange], variant: Variant) -> (u16, u8) {
    let kind = variant.names()[0].split('/').next().unwrap_or_default();
    let specificity = |range: &MediaRange| match range.name.as_str() {
        name if variant.names().contains(&name) => 3,
        "*/*" => 1,
        name if name.strip_suffix("/*") == Some(kind) => 2,
        _ => 0,
    };
    ranges
        .iter()
        .map(|range| (specificity(range), range.weight))
        .filter(|(specificity, _)| *specificity > 0)
        .max()
        .map_or((0, 0), |(specificity, weight)| (weight, specificity))
}

fn parse(accept: &str) -> Vec<MediaRange> {
    accept
        .split(',')
        .take(MAXIMUM_RANGES)
        .filter_map(parse_range)
        .collect()
}

fn parse_range(text: &str) -> Option<MediaRange> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next()?.to_ascii_lowercase();
    let (kind, subtype) = name.split_once('/')?;
    if kind.is_empty() || subtype.is_empty() || (kind == "*" && subtype != "*") {
        return None;
    }
    let weight = parts
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(key, _)| key.trim().eq_ignore_ascii_case("q"))
        .map_or(Some(1000), |(_, value)| parse_weight(value.trim()))?;
    Some(MediaRange { name, weight })
}

/// RFC 9110, 12.4.2: `0` to `1` with at most three decimals.
fn parse_weight(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", _) => Some(thousandths),
        ("1", 0) => Some(1000),
        _ => None,
    }
}
