//! Who supplies a project, by its metadata.

use std::collections::BTreeSet;

use ipwhl_packaging::AboutFields;

use crate::foundation::diagnostic::visible;

/// The most characters of a name or an address; metadata of strangers may have more.
const MOST_SIGNS: usize = 200;

/// The most people of a project.
const MOST_CONTACTS: usize = 20;

/// The supplier of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supplier {
    /// The name: one line of visible text, not empty.
    pub name: String,
    /// The people with an address.
    pub contacts: Vec<Contact>,
}

/// A person with an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contact {
    /// The name, if it is given.
    pub name: Option<String>,
    /// The address.
    pub email: String,
}

impl Supplier {
    /// The supplier in the fields of METADATA: the maintainers, else the authors.
    pub fn of(fields: &AboutFields) -> Option<Self> {
        Self::named(
            fields.maintainer.as_deref(),
            fields.maintainer_email.as_deref(),
        )
        .or_else(|| Self::named(fields.author.as_deref(), fields.author_email.as_deref()))
    }

    fn named(name: Option<&str>, emails: Option<&str>) -> Option<Self> {
        let people = mailboxes(emails.unwrap_or_default());
        let names: Vec<&str> = people.iter().map(|(name, _)| name.as_str()).collect();
        let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
        let contacts: BTreeSet<Contact> = people
            .iter()
            .filter(|(_, email)| is_address(email))
            .map(|(name, email)| Contact {
                name: (!name.is_empty()).then(|| name.clone()),
                email: email.clone(),
            })
            .collect();
        let contacts: Vec<Contact> = contacts.into_iter().take(MOST_CONTACTS).collect();
        // Some write the address here, too.
        let own = name.unwrap_or_default();
        let own = own.split_once('<').map_or(own, |(name, _)| name);
        let own = clean(own);
        let name = match (own.as_str(), names.as_slice(), contacts.first()) {
            ("" | "UNKNOWN", [], None) => return None,
            ("" | "UNKNOWN", [], Some(contact)) => contact.email.clone(),
            ("" | "UNKNOWN", names, _) => {
                clean(&names[..names.len().min(MOST_CONTACTS)].join(", "))
            }
            (own, _, _) => own.to_owned(),
        };
        Some(Self { name, contacts })
    }
}

/// The names and addresses of a list as in the header `From` (RFC 822, 3.4.6): `Name <address>`, with
/// commas between them. A name in quotes may have commas.
fn mailboxes(text: &str) -> Vec<(String, String)> {
    let mut parts = vec![String::new()];
    let (mut is_quoted, mut is_address) = (false, false);
    for sign in text.chars() {
        match sign {
            '"' => is_quoted = !is_quoted,
            '<' if !is_quoted => is_address = true,
            '>' if !is_quoted => is_address = false,
            _ => {}
        }
        if sign == ',' && !is_quoted && !is_address {
            if parts.len() > MOST_CONTACTS {
                break;
            }
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(sign);
        }
    }
    let mailbox = |part: &String| {
        let (name, email) = match part.split_once('<') {
            Some((name, rest)) => (name, rest.split('>').next().unwrap_or_default()),
            None if part.contains('@') => ("", part.as_str()),
            None => (part.as_str(), ""),
        };
        (clean(&name.replace('"', "")), clean(email))
    };
    let mailboxes = parts.iter().map(mailbox);
    mailboxes
        .filter(|(name, email)| !name.is_empty() || !email.is_empty())
        .collect()
}

/// One line of visible text.
fn clean(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let short: String = words.join(" ").chars().take(MOST_SIGNS).collect();
    visible(short.trim(), &[])
}

/// Whether a text has the form of an address, of signs that each format of documents takes.
fn is_address(text: &str) -> bool {
    let is_sign = |sign: char| sign.is_ascii_alphanumeric() || "-._+".contains(sign);
    text.split_once('@').is_some_and(|(user, host)| {
        let is_part = |part: &str| !part.is_empty() && part.chars().all(is_sign);
        is_part(user) && is_part(host) && host.contains('.') && !host.split('.').any(str::is_empty)
    })
}

#[cfg(test)]
mod tests {
    use ipwhl_packaging::AboutFields;

    use super::Supplier;

    fn supplier(fields: [&str; 4]) -> String {
        let [author, author_email, maintainer, maintainer_email] =
            fields.map(|text| (!text.is_empty()).then(|| text.to_owned()));
        let fields = AboutFields {
            author,
            author_email,
            maintainer,
            maintainer_email,
            ..AboutFields::default()
        };
        let Some(supplier) = Supplier::of(&fields) else {
            return "none".to_owned();
        };
        let mut text = supplier.name;
        for contact in supplier.contacts {
            text += &format!(
                " [{:?} {}]",
                contact.name.unwrap_or_default(),
                contact.email
            );
        }
        text
    }

    #[test]
    fn the_supplier_is_the_maintainer_or_the_author() {
        for (fields, expected) in [
            (["", "", "", ""], "none"),
            (["UNKNOWN", "", "UNKNOWN", ""], "none"),
            (["Ann", "", "", ""], "Ann"),
            (["Ann", "", "Bob", ""], "Bob"),
            (["Ann", "a@example.org", "", ""], "Ann [\"\" a@example.org]"),
            (
                ["", "a@example.org", "", ""],
                "a@example.org [\"\" a@example.org]",
            ),
            (
                [
                    "",
                    "\"Ann, PhD\" <a@example.org>, Bob <b@example.org>",
                    "",
                    "",
                ],
                "Ann, PhD, Bob [\"Ann, PhD\" a@example.org] [\"Bob\" b@example.org]",
            ),
            // What is no address is left out.
            (["", "Ann <nowhere>", "", ""], "Ann"),
            (["", "<a@@example.org>, a@b, @", "", ""], "none"),
            (["Ann <a@example.org>", "", "", ""], "Ann"),
            (["A\u{202e}nn\tB", "", "", ""], "A\\u{202e}nn B"),
        ] {
            assert_eq!(supplier(fields), expected, "{fields:?}");
        }
        let long = "x".repeat(1_000_000);
        assert_eq!(supplier([&long, "", "", ""]).len(), 200);
        let many = "Ann <a@example.org>, ".repeat(50_000);
        assert_eq!(
            supplier(["Ann", &many, "", ""]),
            "Ann [\"Ann\" a@example.org]"
        );
    }
}
