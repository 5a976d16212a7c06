//! `ipwhl key`: makes and shows the key that signs releases.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::context::Context;
use super::exit::{ExitStatus, Failure};
use super::statement::{make_key, named_key, own_key_path, read_key};
use crate::publish::STATEMENT;
use crate::signature::SigningKey;

/// Make or show the key that signs releases
///
/// Example: ipwhl key show
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make an OpenSSH Ed25519 key
    ///
    /// Example: ipwhl key new --key release-key
    New {
        /// The file to keep it in [default: your own key's place]
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Print the lines for `trusted` in `ipwhl.toml` and for an `allowed_signers` file
    ///
    /// Example: ipwhl key show --name maintainer
    Show {
        /// The key's file [default: `IPWHL_SIGNING_KEY`, else your own]
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// The name that the lines give to the key [default: its comment]
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    match &arguments.action {
        Action::New { key } => {
            let path = match key {
                Some(path) => context.absolute(path),
                None => own_key_path(context)?,
            };
            let key = make_key(&path)?;
            context.say(&format!("made the key {}", path.display()));
            show(context, &key, None)
        }
        Action::Show { key, name } => {
            let key = if let Some(signer) = named_key(context, key.as_deref())? {
                signer.key
            } else {
                let path = own_key_path(context)?;
                if !path.exists() {
                    return Err(Failure::world("there is no key yet")
                        .help("`ipwhl key new` makes one, and so does the first build"));
                }
                read_key(&path)?
            };
            show(context, &key, name.as_deref())
        }
    }
}

fn show(
    context: &Context<'_>,
    key: &SigningKey,
    name: Option<&str>,
) -> Result<ExitStatus, Failure> {
    let public = key.public();
    let name = name.unwrap_or_else(|| match key.comment().trim() {
        "" => "maintainer",
        comment => comment,
    });
    let line = public
        .allowed_signers_line(name)
        .map_err(|error| Failure::usage(&error))?;
    context.say(&format!("fingerprint {}", public.fingerprint()));
    context.say(&format!(
        "as a further signer's, its signature of a release is `{STATEMENT}.{}.sig`",
        public.file_digits()
    ));
    context.say("for `trusted` under `[signing]` in ipwhl.toml, then for an allowed_signers file:");
    context.result(&format!("\"{}\"", public.line(name)))?;
    context.result(&line)?;
    Ok(ExitStatus::Clean)
}
