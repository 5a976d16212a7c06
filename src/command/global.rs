//! The options that every subcommand has.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

/// Options that every subcommand has.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// The repository's folder [default: the current folder or the nearest parent with an
    /// `ipwhl.toml`]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        help_heading = "Global options"
    )]
    pub(super) repository: Option<PathBuf>,
    /// When to use colours
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Global options"
    )]
    pub(super) color: ColorChoice,
    /// Print only results, warnings and errors
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub(super) quiet: bool,
    /// Print more detail
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Global options")]
    pub(super) verbose: u8,
}

/// The conditions for colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    Always,
    Never,
}
