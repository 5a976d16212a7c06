//! File names of wheels.
//!
//! Specification: "Binary distribution format", section "File name convention".

use std::fmt;
use std::str::FromStr;

use pep440_rs::Version;
use thiserror::Error;

use super::name::ProjectName;
use super::tag::Tag;

/// The file name of a wheel: `name-version[-build]-python-abi-platform.whl`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WheelFileName {
    text: String,
    name: ProjectName,
    version: Version,
    build: Option<String>,
    tags: Vec<Tag>,
}

/// A text that is not the file name of a wheel; its `Display` is a sentence with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file_name:?} is not the file name of a wheel: {reason}")]
pub struct WheelFileNameError {
    file_name: String,
    reason: String,
}

impl WheelFileName {
    /// The project, normalised.
    pub fn name(&self) -> &ProjectName {
        &self.name
    }

    /// The version of the project.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// The build tag, which begins with a digit; most wheels have none.
    pub fn build(&self) -> Option<&str> {
        self.build.as_deref()
    }

    /// All tags in the expanded compressed sets, sorted.
    pub fn tags(&self) -> &[Tag] {
        &self.tags
    }

    /// The file name as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The file name without `.whl`.
    pub fn stem(&self) -> &str {
        self.text.strip_suffix(SUFFIX).unwrap_or(&self.text)
    }
}

const SUFFIX: &str = ".whl";

impl FromStr for WheelFileName {
    type Err = WheelFileNameError;

    fn from_str(text: &str) -> Result<Self, WheelFileNameError> {
        parse(text).map_err(|reason| WheelFileNameError {
            file_name: text.to_owned(),
            reason,
        })
    }
}

fn parse(text: &str) -> Result<WheelFileName, String> {
    let stem = text
        .strip_suffix(SUFFIX)
        .ok_or_else(|| format!("it does not end with {SUFFIX:?}"))?;
    // From the right: the last three are the tags.
    let parts: Vec<&str> = stem.split('-').collect();
    let (name, version, build, tags) = match parts[..] {
        [name, version, _, _, _] => (name, version, None, &parts[2..]),
        [name, version, build, _, _, _] => (name, version, Some(build), &parts[3..]),
        _ => {
            let ending = if parts.len() == 1 { "" } else { "s" };
            return Err(format!(
                "it has {} part{ending} between dashes instead of 5, or 6 with a build tag",
                parts.len()
            ));
        }
    };
    if name.contains("__") {
        return Err(format!("the name {name:?} has two underscores in a row"));
    }
    let name = name
        .parse::<ProjectName>()
        .map_err(|error| error.to_string())?;
    let version = match Version::from_str(version) {
        Ok(parsed) if !version.contains(char::is_whitespace) => parsed,
        _ => return Err(format!("{version:?} is not a version")),
    };
    if let Some(build) = build {
        let well_formed = build.starts_with(|c: char| c.is_ascii_digit())
            && build
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
        if !well_formed {
            return Err(format!(
                "the build tag {build:?} is not a number, with letters, digits, `.` and `_` after \
                 it"
            ));
        }
    }
    let tags = Tag::expand(&tags.join("-")).map_err(|error| error.to_string())?;
    Ok(WheelFileName {
        text: text.to_owned(),
        name,
        version,
        build: build.map(str::to_owned),
        tags,
    })
}

impl fmt::Display for WheelFileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
