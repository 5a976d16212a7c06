//! The description of a bundle: what was asked for. It is recomputed and compared by a verifier, so
//! it cannot claim more than the folder has.

use std::fmt::Write as _;

use ipwhl_unixfs::Cid;
use toml_edit::{DocumentMut, Item, Value};

use super::{FIND_LINKS, SIMPLE};
use crate::release::names::LOCK;

/// The version of the layout of bundles.
const FORMAT: i64 = 1;

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BundleDescription {
    /// The projects, each `NAME` or `NAME[EXTRA,…]`; empty for the whole set.
    pub projects: Vec<String>,
    /// The platforms, as in waivers; empty for all.
    pub platforms: Vec<String>,
}

/// The reason why a text is not the description of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DescriptionError {
    /// It is not TOML.
    #[error("it is no TOML: {0}")]
    Syntax(String),
    /// It has no table `[bundle]`.
    #[error("it has no table `[bundle]`")]
    NoTable,
    /// It is of a format that this program does not know.
    #[error("this program reads format {FORMAT} only")]
    UnknownFormat,
}

impl BundleDescription {
    /// The text of the description, for a bundle of the release `root` of the repository `name`.
    pub(super) fn text(&self, name: &str, root: Cid) -> String {
        let quoted = |text: &str| Value::from(text).to_string();
        let (of_lock, extra, asked) = match self.projects.first() {
            None => (
                format!("'{LOCK}[NAME]'"),
                " --extra NAME",
                "NAME".to_owned(),
            ),
            Some(first) => (LOCK.to_owned(), "", format!("'{first}'")),
        };
        let mut text = format!(
            "# From a release of the repository `{name}`, by `ipwhl bundle`. In this folder, each of these\n\
             # lines installs without a network:\n\
             #\n\
             #     pip install --no-index -r {of_lock}\n\
             #     pip install --no-index --find-links {FIND_LINKS} {asked}\n\
             #     pip install --index-url \"$PWD/{SIMPLE}\" {asked}\n\
             #     uv pip install --no-index -r {LOCK}{extra}\n\
             #\n\
             # `ipwhl verify .` proves that each file belongs to the signed release.\n\n\
             [bundle]\nformat = {FORMAT}\nroot = {}\n",
            quoted(&root.to_string())
        );
        let lists = [("projects", &self.projects), ("platforms", &self.platforms)];
        for (key, values) in lists.into_iter().filter(|(_, values)| !values.is_empty()) {
            let _ = writeln!(text, "{key} = [");
            for value in values {
                let _ = writeln!(text, "    {},", quoted(value));
            }
            text += "]\n";
        }
        text
    }

    /// Reads what was asked for from a description. The rest of the text is not read: a verifier
    /// makes the whole text again, and compares it.
    ///
    /// # Errors
    /// [`DescriptionError`].
    pub fn parse(text: &str) -> Result<Self, DescriptionError> {
        let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
            DescriptionError::Syntax(error.message().to_owned())
        })?;
        let bundle = document.get("bundle").and_then(Item::as_table);
        let bundle = bundle.ok_or(DescriptionError::NoTable)?;
        if bundle.get("format").and_then(Item::as_integer) != Some(FORMAT) {
            return Err(DescriptionError::UnknownFormat);
        }
        let list = |key: &str| -> Vec<String> {
            let values = bundle.get(key).and_then(Item::as_array);
            let values = values.into_iter().flatten();
            let values = values.filter_map(|one| Some(one.as_str()?.to_owned()));
            values.collect()
        };
        Ok(Self {
            projects: list("projects"),
            platforms: list("platforms"),
        })
    }
}
