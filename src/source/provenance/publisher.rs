//! Publishers: the accounts of forges and clouds that an index has accepted uploads from.

use std::fmt;

use serde_json::{Map, Value};

/// The longest value of a publisher, in bytes.
const LONGEST: usize = 255;

/// The most values of a publisher of an unknown kind.
const MOST_VALUES: usize = 16;

/// The word for wheels without a publisher, which no publisher has as its name.
pub const NO_PUBLISHER: &str = "none";

/// A publisher. [`Display`](fmt::Display) writes one line of visible ASCII (formats.md, section 2):
/// different publishers have different lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Publisher {
    /// A workflow of GitHub Actions.
    GitHub {
        /// The owner and the name, with `/`.
        repository: String,
        /// The file name of the workflow.
        workflow: String,
        /// The environment of the deployment.
        environment: Option<String>,
    },
    /// A pipeline of GitLab.
    GitLab {
        /// The groups and the name, with `/`.
        repository: String,
        /// The path of the configuration.
        workflow: String,
        /// The environment of the deployment.
        environment: Option<String>,
    },
    /// An account of a service in Google's cloud.
    Google {
        /// Its address.
        email: String,
    },
    /// A pipeline of `CircleCI`.
    CircleCi {
        /// The identifier of the project.
        project: String,
        /// The identifier of the pipeline's definition.
        pipeline: String,
        /// The repository that the pipeline is about.
        origin: Option<String>,
    },
    /// A kind that this program does not know.
    Other {
        /// The kind.
        kind: String,
        /// Its other values that are texts, sorted by key, without `claims`.
        values: Vec<(String, String)>,
    },
}

impl Publisher {
    /// Reads the object of a provenance.
    pub(super) fn read(value: &Value) -> Result<Self, String> {
        let object = value
            .as_object()
            .ok_or_else(|| "a publisher is no object".to_owned())?;
        let required = |key: &str| text(object, key)?.ok_or_else(|| no(key));
        let optional = |key: &str| text(object, key);
        let kind = required("kind")?;
        Ok(match kind.as_str() {
            "GitHub" => Self::GitHub {
                repository: required("repository")?,
                workflow: required("workflow")?,
                environment: optional("environment")?,
            },
            "GitLab" => Self::GitLab {
                repository: required("repository")?,
                workflow: required("workflow_filepath")?,
                environment: optional("environment")?,
            },
            "Google" => Self::Google {
                email: required("email")?,
            },
            // `vcs_ref` names the tag or branch, which is another one each time.
            "CircleCI" => Self::CircleCi {
                project: required("project_id")?,
                pipeline: required("pipeline_definition_id")?,
                origin: optional("vcs_origin")?,
            },
            _ => {
                let keys = object
                    .keys()
                    .filter(|key| *key != "kind" && *key != "claims");
                let mut values = Vec::new();
                for key in keys {
                    if let Some(value) = optional(key).or_else(|error| {
                        // Values of other types are no part of a line.
                        if object[key].is_string() {
                            Err(error)
                        } else {
                            Ok(None)
                        }
                    })? {
                        values.push((key.clone(), value));
                    }
                }
                if values.len() > MOST_VALUES || values.iter().any(|(key, _)| key.len() > LONGEST) {
                    return Err("a publisher has too many values".to_owned());
                }
                values.sort();
                Self::Other { kind, values }
            }
        })
    }
}

fn no(key: &str) -> String {
    format!("a publisher has no `{key}`")
}

/// A text that is present and not empty.
fn text(object: &Map<String, Value>, key: &str) -> Result<Option<String>, String> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() > LONGEST => Err(format!(
            "`{key}` of a publisher has more than {LONGEST} bytes"
        )),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(_) => Err(format!("`{key}` of a publisher is no text")),
    }
}

impl fmt::Display for Publisher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (words, detail) = match self {
            Self::GitHub {
                repository,
                workflow,
                environment,
            } => (
                ["GitHub", repository, workflow],
                environment
                    .as_ref()
                    .map(|environment| ("environment", environment)),
            ),
            Self::GitLab {
                repository,
                workflow,
                environment,
            } => (
                ["GitLab", repository, workflow],
                environment
                    .as_ref()
                    .map(|environment| ("environment", environment)),
            ),
            Self::CircleCi {
                project,
                pipeline,
                origin,
            } => (
                ["CircleCI", project, pipeline],
                origin.as_ref().map(|origin| ("origin", origin)),
            ),
            Self::Google { email } => return write!(formatter, "Google {}", word(email)),
            Self::Other { kind, values } => {
                formatter.write_str(&word(kind))?;
                for (key, value) in values {
                    write!(formatter, " {}={}", word(key), word(value))?;
                }
                return Ok(());
            }
        };
        let [kind, first, second] = words;
        write!(formatter, "{kind} {} {}", word(first), word(second))?;
        match detail {
            Some((key, value)) => write!(formatter, " ({key} {})", word(value)),
            None => Ok(()),
        }
    }
}

/// A value as one word: as it is if it has only letters, digits and signs that occur in names and
/// paths, else as a JSON string in ASCII.
fn word(value: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./@+:~".contains(&byte);
    if !value.is_empty() && value.bytes().all(is_plain) && value != NO_PUBLISHER {
        return value.to_owned();
    }
    let mut quoted = String::from("\"");
    for unit in value.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte @ (b'"' | b'\\')) => quoted.extend(['\\', char::from(byte)]),
            Ok(byte @ b' '..=b'~') => quoted.push(char::from(byte)),
            _ => quoted += &format!("\\u{unit:04x}"),
        }
    }
    quoted + "\""
}
