//! `ipwhl key`: creates and shows the key that signs releases.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::context::Context;
use super::exit::ExitStatus;
use super::keys::ask;
use crate::foundation::failure::Failure;
use crate::release::names::STATEMENT;
use crate::release::signature::{PublicKey, existing_key, make_key, new_passphrase, own_key_path};

/// Create or show the key that signs releases
///
/// Example: ipwhl key show
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Create an Ed25519 key in the format of OpenSSH
    ///
    /// With `--passphrase` the file is encrypted. The passphrase is read from
    /// `IPWHL_SIGNING_KEY_PASSPHRASE`, or else from the terminal.
    ///
    /// Example: ipwhl key new --key release-key
    New {
        /// The file to write [default: your own key in the settings folder]
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// Protect the key with a passphrase
        #[arg(long)]
        passphrase: bool,
    },
    /// Print the lines for `trusted` in `ipwhl.toml` and for an `allowed_signers` file
    ///
    /// Works for keys in files, in an agent and in hardware. Needs neither the passphrase nor the
    /// agent.
    ///
    /// Example: ipwhl key show --name maintainer
    Show {
        /// The key: its private or public file, or the public key itself [default:
        /// `IPWHL_SIGNING_KEY`, else your own key]
        #[arg(long, value_name = "KEY")]
        key: Option<PathBuf>,
        /// The name of the key in these lines [default: the key's comment]
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    match &arguments.action {
        Action::New { key, passphrase } => {
            let path = match key {
                Some(path) => context.absolute(path),
                None => own_key_path(&context.session)?,
            };
            let passphrase = passphrase
                .then(|| new_passphrase(&context.session, &mut ask(context)))
                .transpose()?;
            let key = make_key(&path, passphrase.as_deref())?;
            context.say(&format!("created the key `{}`", path.display()));
            show(context, &key.public(), key.comment(), None)
        }
        Action::Show { key, name } => {
            let Some(found) = existing_key(&context.session, key.as_deref())? else {
                return Err(Failure::world("there is no key yet")
                    .help("`ipwhl key new` creates one, and so does the first `ipwhl build`"));
            };
            let (public, comment) = found.public();
            show(context, public, comment, name.as_deref())
        }
    }
}

fn show(
    context: &Context<'_>,
    public: &PublicKey,
    comment: &str,
    name: Option<&str>,
) -> Result<ExitStatus, Failure> {
    let name = name.unwrap_or_else(|| match comment.trim() {
        "" => "maintainer",
        comment => comment,
    });
    let line = public
        .allowed_signers_line(name)
        .map_err(|error| Failure::usage(&error))?;
    context.say(&format!("fingerprint {}", public.fingerprint()));
    context.say(&format!(
        "an additional signature with this key is the file `{STATEMENT}.{}.sig`",
        public.file_digits()
    ));
    context.say(
        "the lines for `trusted` under `[signing]` in `ipwhl.toml` and for an \
                 `allowed_signers` file:",
    );
    context.result(&format!("\"{}\"", public.line(name)))?;
    context.result(&line)?;
    Ok(ExitStatus::Clean)
}
