//! `ipwhl completions`: what a shell completes.

use clap::{Args, Command};
use clap_complete::Shell;

use super::context::Context;
use super::exit::ExitStatus;
use crate::foundation::failure::Failure;

/// Print what a shell needs to complete commands and options
///
/// Bash reads it from `~/.local/share/bash-completion/completions/ipwhl`, zsh as `_ipwhl` from a
/// folder of its `fpath`, fish from `~/.config/fish/completions/ipwhl.fish`; for PowerShell and
/// Elvish it belongs into their profile.
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
