//! Compatibility tags.
//!
//! Specification: "Platform compatibility tags".

use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The compatibility of a wheel: an interpreter, a binary interface, a platform. Lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// The Python tag, such as `cp312` or `py3`.
    pub python: String,
    /// The ABI tag, such as `cp312`, `abi3` or `none`.
    pub abi: String,
    /// The platform tag, such as `win_amd64` or `any`.
    pub platform: String,
}

/// A text that is not a compatibility tag.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct TagError(String);

impl fmt::Display for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}-{}", self.python, self.abi, self.platform)
    }
}

/// The maximum number of tags in the expansion of one compressed set. The largest real sets expand
/// to some twenty.
const MAX_TAGS: usize = 1_000;

impl Tag {
    /// The tags that a compressed set such as `py2.py3-none-any` expands to, sorted, each once.
    pub fn expand(text: &str) -> Result<Vec<Self>, TagError> {
        let mut components = text.split('-');
        let (Some(python), Some(abi), Some(platform), None) = (
            components.next(),
            components.next(),
            components.next(),
            components.next(),
        ) else {
            return Err(TagError(format!(
                "the tag {text:?} does not have exactly three components"
            )));
        };
        let mut count = 1;
        for component in [python, abi, platform] {
            count *= check_members(text, component)?;
        }
        if let Some(number) = python
            .split('.')
            .find(|name| name.starts_with(|c: char| c.is_ascii_digit()))
        {
            let number = number.to_ascii_lowercase();
            return Err(TagError(format!(
                "the Python tag {number:?} of {text:?} begins with a digit"
            )));
        }
        if count > MAX_TAGS {
            return Err(TagError(format!(
                "the tag {text:?} stands for more than {MAX_TAGS} tags"
            )));
        }
        let mut tags = Vec::new();
        for python in python.split('.') {
            for abi in abi.split('.') {
                for platform in platform.split('.') {
                    tags.push(Self {
                        python: python.to_ascii_lowercase(),
                        abi: abi.to_ascii_lowercase(),
                        platform: platform.to_ascii_lowercase(),
                    });
                }
            }
        }
        tags.sort();
        tags.dedup();
        Ok(tags)
    }
}

/// Checks the members of one component. Returns their number.
fn check_members(text: &str, component: &str) -> Result<usize, TagError> {
    let mut count = 0;
    for member in component.split('.') {
        if member.is_empty() {
            return Err(TagError(format!(
                "a component of the tag {text:?} is empty"
            )));
        }
        let bad = member
            .chars()
            .find(|c| !c.is_ascii_alphanumeric() && *c != '_');
        if let Some(bad) = bad {
            return Err(TagError(format!(
                "the tag {text:?} contains the character {bad:?}"
            )));
        }
        count += 1;
    }
    Ok(count)
}

impl FromStr for Tag {
    type Err = TagError;

    /// Parses a single tag.
    fn from_str(text: &str) -> Result<Self, TagError> {
        let mut tags = Self::expand(text)?;
        match (tags.pop(), tags.is_empty()) {
            (Some(tag), true) => Ok(tag),
            _ => Err(TagError(format!(
                "the tag {text:?} stands for more than one tag"
            ))),
        }
    }
}
