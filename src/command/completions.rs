//! `ipwhl completions`: completion scripts for shells.

use clap::{Args, Command};
use clap_complete::Shell;

use super::context::Context;
use super::exit::ExitStatus;
use crate::foundation::failure::Failure;

/// Print the completion script of a shell
///
/// Write it to the file that your shell reads. Bash:
/// `~/.local/share/bash-completion/completions/ipwhl`. Zsh: `_ipwhl` in a folder of `fpath`. Fish:
/// `~/.config/fish/completions/ipwhl.fish`. PowerShell and Elvish: append it to the profile.
///
/// Example: ipwhl completions bash
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(super) fn run(
    context: &Context<'_>,
    arguments: &Arguments,
    mut definition: Command,
) -> Result<ExitStatus, Failure> {
    let name = definition.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut definition, name, &mut script);
    context.result(String::from_utf8_lossy(&script).trim_end_matches('\n'))?;
    Ok(ExitStatus::Clean)
}
