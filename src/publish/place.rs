//! The place of a target.

use std::fmt;
use std::path::PathBuf;

/// The place of a target, without secrets. Its `Display` form fits into a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetPlace {
    /// A folder.
    Folder(PathBuf),
    /// A git repository.
    GitRepository(PathBuf),
    /// The address of a service, without credentials.
    Address(String),
    /// A name that resolves to a release: an IPNS path or a DNS name.
    Name(String),
}

impl fmt::Display for TargetPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(formatter, "`{}`", path.display()),
            Self::GitRepository(path) => {
                write!(formatter, "the git repository `{}`", path.display())
            }
            Self::Address(text) | Self::Name(text) => formatter.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_marked_in_sentences() {
        for (place, words) in [
            (TargetPlace::Folder("/srv/site".into()), "`/srv/site`"),
            (
                TargetPlace::GitRepository("/srv/set".into()),
                "the git repository `/srv/set`",
            ),
            (
                TargetPlace::Address("https://node.example.org:5001".to_owned()),
                "https://node.example.org:5001",
            ),
            (
                TargetPlace::Name("_dnslink.example.org".to_owned()),
                "_dnslink.example.org",
            ),
        ] {
            assert_eq!(place.to_string(), words);
        }
    }
}
