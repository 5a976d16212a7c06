//! `--install`: the one line of a CI file that installs ipwhl.

use crate::foundation::diagnostic::{shell_word, visible};
use crate::foundation::failure::Failure;

/// The digits of a SHA-256.
const SHA256_DIGITS: usize = 64;
/// The digits of a git commit, by the hash function of its repository.
const COMMIT_DIGITS: [usize; 2] = [40, 64];
/// The endings of tar archives.
const ARCHIVES: [&str; 6] = [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst"];
/// The endings of archives that `tar` does not read.
const OTHER_ARCHIVES: [&str; 3] = [".zip", ".7z", ".whl"];

/// A shell command of one line that installs ipwhl into `$CARGO_INSTALL_ROOT/bin`, or elsewhere on
/// `PATH`.
///
/// There is no default. `cargo install ipwhl` would run a program that a stranger may have
/// registered under that name, on the machine with the signing key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallCommand(String);

impl InstallCommand {
    /// Reads a command, `git+<URL>@<commit>`, or the address of a file with its SHA-256. An address
    /// without the commit or the hash is refused: its content can change.
    ///
    /// # Errors
    /// When it is none of these, or has credentials or invisible characters.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let text = text.trim_matches(' ');
        if text.is_empty() {
            return Err(refused("`--install` is empty".to_owned()));
        }
        if visible(text, &[]) != text {
            return Err(refused(format!(
                "`--install` {text:?} has a line break or another invisible character"
            )));
        }
        if let Some(address) = text.strip_prefix("git+") {
            return git(address);
        }
        let first = text.split(' ').next().unwrap_or_default();
        let is_address =
            first.contains("://") || first.contains("#sha256=") || first.starts_with("git@");
        // A command begins with the name of a program, or with variables for it.
        if is_address && (first == text || !first.contains('=')) {
            return file(text);
        }
        if is_by_name(text) {
            return Err(refused(format!(
                "`{text}` installs from a registry by the name ipwhl, which a stranger may register"
            )));
        }
        Ok(Self(text.to_owned()))
    }

    /// The command, as a shell reads it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a command installs ipwhl by its name alone: without a repository, a path, a registry or
/// a hash.
fn is_by_name(command: &str) -> bool {
    const PINS: [&str; 7] = [
        "--git",
        "--path",
        "--registry",
        "--index",
        "--require-hashes",
        "://",
        "sha256",
    ];
    let mut words = command.split_whitespace();
    words.any(|word| word == "install")
        && words.any(|word| word.trim_matches(['\'', '"']).starts_with("ipwhl"))
        && !PINS.iter().any(|pin| command.contains(pin))
}

fn refused(message: String) -> Failure {
    Failure::usage(message).help(
        "use a shell command, `git+https://…@<commit>` or `https://…/<file>#sha256=<64 digits>`",
    )
}

/// The command that builds one commit of a git repository.
fn git(address: &str) -> Result<InstallCommand, Failure> {
    let (url, revision) = match address.rsplit_once('@') {
        // In `ssh://git@host/path` the `@` does not begin a revision.
        Some((url, revision)) if !revision.contains('/') => (url, revision),
        _ => (address, ""),
    };
    validate(url, &["https://", "ssh://", "file://"])?;
    if !COMMIT_DIGITS.contains(&revision.len()) || !is_hexadecimal(revision) {
        let which = match revision {
            "" => format!("`git+{url}` names no commit"),
            _ => format!("`{revision}` is not the full hash of a commit"),
        };
        return Err(Failure::usage(format!(
            "{which}: a branch or a tag can move, and CI would then run different code"
        ))
        .help(format!(
            "write `git+{url}@<commit>` with the full hash, as `git rev-parse HEAD` prints it"
        )));
    }
    let url = shell_word(url);
    Ok(InstallCommand(format!(
        "cargo install --locked --git {url} --rev {} ipwhl",
        revision.to_ascii_lowercase()
    )))
}

/// The command that downloads a file: the program itself, or a tar archive with it.
fn file(text: &str) -> Result<InstallCommand, Failure> {
    let (url, fragment) = text.split_once('#').unwrap_or((text, ""));
    validate(url, &["https://", "file://"])?;
    let hash = fragment.strip_prefix("sha256=").unwrap_or_default();
    if hash.len() != SHA256_DIGITS || !is_hexadecimal(hash) {
        let which = match fragment {
            "" => format!("`{url}` has no SHA-256"),
            _ => format!("`#{fragment}` is not `#sha256=` and {SHA256_DIGITS} hexadecimal digits"),
        };
        let repository = match url.strip_suffix(".git") {
            Some(_) => "; for a git repository, write `git+<URL>@<commit>`",
            None => "",
        };
        return Err(Failure::usage(format!(
            "{which}: the file can be replaced, and CI would run the new one"
        ))
        .help(format!(
            "write `{url}#sha256=<hash>`, as `sha256sum` prints it{repository}"
        )));
    }
    let path = url.split_once('?').map_or(url, |(path, _)| path);
    let name = path.rsplit('/').next().unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    if OTHER_ARCHIVES.iter().any(|ending| lower.ends_with(ending)) {
        return Err(Failure::usage(format!(
            "`{name}` is not a tar archive, and the machines of a forge may lack a tool to unpack it"
        ))
        .help("name a tar archive or the program itself, or write the command that installs it"));
    }
    let program = if ARCHIVES.iter().any(|ending| lower.ends_with(ending)) {
        // A folder or a shell completion in the archive may have the same name.
        "tar --extract --file download && install -D \"$(find . -type f -name ipwhl -perm -u+x)\""
    } else {
        "install -D download"
    };
    Ok(InstallCommand(format!(
        "curl --fail --silent --show-error --location --output download {} && echo \"{}  \
         download\" | sha256sum --check && \
         {program} \"$CARGO_INSTALL_ROOT/bin/ipwhl\"",
        shell_word(url),
        hash.to_ascii_lowercase(),
    )))
}

/// Checks that an address has one of these schemes, a host or path, and no credentials.
fn validate(url: &str, schemes: &[&str]) -> Result<(), Failure> {
    let is_known = schemes.iter().any(|scheme| {
        url.strip_prefix(scheme)
            .is_some_and(|rest| !rest.is_empty())
    });
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let user = rest
        .split('/')
        .next()
        .and_then(|host| host.rsplit_once('@'));
    // SSH needs a user, such as `git`, and a password is a secret there, too.
    if user.is_some_and(|(user, _)| scheme != "ssh" || user.contains(':')) {
        return Err(refused(
            "the URL of `--install` has credentials, and every reader of the CI files would see \
             them"
                .to_owned(),
        ));
    }
    if is_known && !url.contains([' ', '#']) {
        return Ok(());
    }
    Err(refused(format!(
        "`{url}` is not a URL that begins with `{}`",
        schemes.join("`, `")
    )))
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
