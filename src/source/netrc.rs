//! Accounts in a netrc file, as curl and Python read it.

/// An account of a machine.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    machine: String,
    pub(super) login: Option<String>,
    pub(super) password: Option<String>,
}

/// The accounts of a netrc file, in its order. It is not printed.
#[derive(Clone, Default)]
pub(super) struct Netrc {
    entries: Vec<Entry>,
}

impl Netrc {
    /// Reads the accounts of a text. Unknown words, macros and the entry `default` are skipped:
    /// `default` would send a password to every host that someone names.
    pub(super) fn parse(text: &str) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        let mut current: Option<Entry> = None;
        let mut words = Words(text);
        while let Some(word) = words.next() {
            match word.as_str() {
                "machine" => {
                    entries.extend(current.take());
                    current = words.next().map(|machine| Entry {
                        machine,
                        ..Entry::default()
                    });
                }
                "default" => entries.extend(current.take()),
                "macdef" => words.skip_paragraph(),
                "login" | "user" => {
                    let login = words.next();
                    if let Some(entry) = &mut current {
                        entry.login = login;
                    }
                }
                "password" | "passwd" => {
                    let password = words.next();
                    if let Some(entry) = &mut current {
                        entry.password = password;
                    }
                }
                "account" => {
                    words.next();
                }
                word if word.starts_with('#') => words.skip_line(),
                _ => {}
            }
        }
        entries.extend(current);
        Self { entries }
    }

    /// The first account of a machine. With a user name: the first one with it, or without any.
    pub(super) fn entry(&self, machine: &str, user: Option<&str>) -> Option<&Entry> {
        self.entries.iter().find(|entry| {
            let login = entry.login.as_deref();
            entry.machine.eq_ignore_ascii_case(machine)
                && user.is_none_or(|user| login.is_none_or(|login| login == user))
        })
    }
}

/// The rest of a text, as words between blanks. A word may be in quotes, with escapes.
struct Words<'t>(&'t str);

impl Words<'_> {
    fn next(&mut self) -> Option<String> {
        self.0 = self.0.trim_start();
        let mut characters = self.0.chars();
        let mut word = String::new();
        let is_quoted = self.0.starts_with('"');
        if is_quoted {
            characters.next();
        } else if self.0.is_empty() {
            return None;
        }
        loop {
            // The character that ends a word stays, as the end of a line ends a comment.
            let rest = characters.as_str();
            match characters.next() {
                None => break,
                Some('"') if is_quoted => break,
                Some(end) if !is_quoted && end.is_whitespace() => {
                    self.0 = rest;
                    return Some(word);
                }
                Some('\\') => word.extend(characters.next()),
                Some(other) => word.push(other),
            }
        }
        self.0 = characters.as_str();
        Some(word)
    }

    fn skip_line(&mut self) {
        self.0 = self.0.split_once('\n').map_or("", |(_, rest)| rest);
    }

    /// Skips up to the next empty line.
    fn skip_paragraph(&mut self) {
        self.skip_line();
        while let Some((line, rest)) = self.0.split_once('\n') {
            self.0 = rest;
            if line.trim().is_empty() {
                return;
            }
        }
        self.0 = "";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The login and the password of a machine.
    fn account(text: &str, machine: &str, user: Option<&str>) -> Option<(String, String)> {
        let netrc = Netrc::parse(text);
        let entry = netrc.entry(machine, user)?;
        Some((
            entry.login.clone().unwrap_or_default(),
            entry.password.clone().unwrap_or_default(),
        ))
    }

    #[test]
    fn accounts_are_read_as_other_programs_read_them() {
        for (text, login, password) in [
            ("machine a login me password p", "me", "p"),
            ("machine a\n\tpassword p\r\n\tlogin me\r\n", "me", "p"),
            ("machine A user me account x passwd p", "me", "p"),
            (
                "# a comment: machine a login no\nmachine a login me password p",
                "me",
                "p",
            ),
            (
                "#comment here\nmachine a login me # password no\n password p",
                "me",
                "p",
            ),
            ("machine a login me password #p#", "me", "#p#"),
            ("machine a login me password \"p \\\" q\"", "me", "p \" q"),
            ("machine a login \"\" password p\\ q", "", "p q"),
            ("machine a login me password p\u{fc}", "me", "p\u{fc}"),
            ("port 21 machine a login me password p unknown", "me", "p"),
            (
                "macdef init\nmachine a login no password no\n\nmachine a login me password p",
                "me",
                "p",
            ),
            (
                "machine b login no password no machine a login me password p default login x \
                 password y",
                "me",
                "p",
            ),
            (
                "machine a login me password p\nmachine a login you password q",
                "me",
                "p",
            ),
            ("machine a login me", "me", ""),
            ("machine a password p", "", "p"),
        ] {
            let wanted = Some((login.to_owned(), password.to_owned()));
            assert_eq!(account(text, "a", None), wanted, "{text}");
        }
    }

    #[test]
    fn no_account_is_made_up() {
        for text in [
            "",
            "machine",
            "login me password p",
            "default login me password p",
            "machine b login me password p",
            "machine aa login me password p",
            "macdef x\nmachine a login me password p",
            "\"machine a login me",
            "#machine a login me password p",
            "machine \"a",
        ] {
            let found = account(text, "a", None);
            assert!(
                found
                    .as_ref()
                    .is_none_or(|(_, password)| password.is_empty()),
                "{text} {found:?}"
            );
        }
    }

    #[test]
    fn a_user_name_chooses_among_accounts() {
        let text = "machine a login me password p machine a login you password q \
                    machine a password r";
        for (user, password) in [("me", "p"), ("you", "q"), ("they", "r")] {
            let found = account(text, "a", Some(user)).map(|(_, password)| password);
            assert_eq!(found.as_deref(), Some(password));
        }
    }
}
