//! The header fields of METADATA.
//!
//! Specification: "Core metadata", which requires Python's email parser: names in upper or lower
//! case, values folded over lines that begin with white space, and an end at the first blank line.

/// The fields whose values other readers must read identically.
const NEEDED: [&str; 6] = [
    "Metadata-Version",
    "Name",
    "Version",
    "Requires-Python",
    "Requires-Dist",
    "Provides-Extra",
];

/// The header fields, in the order of the file.
pub(super) struct Headers {
    fields: Vec<Field>,
    /// The line that ended the headers without being a header, and a needed field after it.
    disputed: Vec<(usize, &'static str)>,
    /// The lines that continue a needed field.
    folded: Vec<(usize, &'static str)>,
}

struct Field {
    name: String,
    /// Unfolded: without line ends, and without white space at its ends.
    value: String,
}

impl Headers {
    pub(super) fn parse(text: &str) -> Self {
        let mut fields: Vec<Field> = Vec::new();
        let mut disputed = Vec::new();
        let mut folded = Vec::new();
        let mut stray = None;
        for (index, line) in lines(text).enumerate() {
            if line.is_empty() {
                break;
            }
            if let Some(stray_line) = stray {
                // Installers use this for the description; other readers go on.
                if let Some((name, _)) = split_field(line)
                    && let Some(needed) = needed(name)
                {
                    disputed.push((stray_line, needed));
                }
                continue;
            }
            if line.starts_with([' ', '\t']) {
                // A continuation; before the first field there is nothing to continue.
                if let Some(field) = fields.last_mut() {
                    field.value.push_str(line);
                    folded.extend(needed(&field.name).map(|needed| (index + 1, needed)));
                }
            } else if let Some((name, value)) = split_field(line) {
                fields.push(Field {
                    name: name.to_owned(),
                    value: value.to_owned(),
                });
            } else {
                stray = Some(index + 1);
            }
        }
        Self {
            fields,
            disputed,
            folded,
        }
    }

    /// A sentence for each needed field that readers interpret differently or do not all see.
    pub(super) fn disputed(&self) -> Vec<String> {
        let mut disputed = self.disputed.clone();
        disputed.dedup();
        let disputed = disputed.iter().map(|(line, field)| {
            format!(
                "line {line} is neither a field nor the continuation of one, and {field} comes after it"
            )
        });
        // pip: reads the end of the line as a part of the value, which it refuses in most fields.
        let encoded = self.fields.iter().filter_map(|field| {
            // uv decodes it (RFC 2047), pip does not.
            let needed = needed(&field.name).filter(|_| field.value.contains("=?"))?;
            Some(format!(
                "{needed} has `=?`, which some installers read as the start of an encoded word"
            ))
        });
        let blanks = self.fields.iter().filter_map(|field| {
            // pip refuses them in most fields, and uv ignores them.
            let is_odd = |sign: char| sign.is_whitespace() && sign != ' ' && sign != '\t';
            let value = field.value.trim_matches([' ', '\t']);
            let needed = needed(&field.name).filter(|_| value.contains(is_odd))?;
            Some(format!(
                "{needed} has a blank that some installers do not read"
            ))
        });
        let folded = self.folded.iter().map(|(line, field)| {
            format!("{field} continues in line {line}, which some installers do not read")
        });
        disputed
            .chain(folded)
            .chain(encoded)
            .chain(blanks)
            .collect()
    }

    pub(super) fn count(&self, name: &str) -> usize {
        self.named(name).count()
    }

    fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Field> {
        self.fields
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name))
    }

    /// Every value of a field, in the order of the file.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let values = self.named(name).map(|field| field.value.trim_ascii());
        values.map(ToOwned::to_owned).collect()
    }

    /// Whether a value of a field ends with a blank that no reader removes.
    pub(super) fn has_blank_end(&self, name: &str) -> bool {
        let mut values = self.named(name).map(|field| field.value.as_str());
        values.any(|value| value.trim_end() != value && !value.trim_ascii().is_empty())
    }

    /// The first value of a field.
    pub(super) fn optional(&self, name: &str) -> Option<String> {
        self.all(name).into_iter().next()
    }

    /// The first value of a field that must not be missing or empty.
    pub(super) fn required(&self, name: &str, errors: &mut Vec<String>) -> Option<String> {
        if self.count(name) == 0 {
            errors.push(format!("the field {name} is missing"));
            return None;
        }
        let value = self.optional(name)?;
        if value.is_empty() {
            errors.push(format!("the field {name} is empty"));
            return None;
        }
        Some(value)
    }
}

/// The name of a needed field, in any case.
fn needed(name: &str) -> Option<&'static str> {
    let mut needed = NEEDED.into_iter();
    needed.find(|needed| needed.eq_ignore_ascii_case(name))
}

/// The lines, with the line ends of any system.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (line, after) = match rest.split_once(['\n', '\r']) {
            // The two characters are one line end.
            Some((line, after)) if rest[line.len()..].starts_with("\r\n") => (line, &after[1..]),
            Some(parts) => parts,
            None => (rest, ""),
        };
        rest = after;
        Some(line)
    })
}

/// The name before the first colon, and the text after it. A name has only ASCII, without blanks
/// and control characters (RFC 5322, section 2.2); the email parser reads any other line as the
/// first one of the body.
fn split_field(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    is_name.then_some((name, value))
}
