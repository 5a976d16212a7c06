//! `ipwhl man`: the manual pages.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man;

use super::context::Context;
use super::exit::ExitStatus;
use crate::foundation::environment::AtomicFile;
use crate::foundation::failure::Failure;

/// Print the manual page of `ipwhl`, or write all manual pages
///
/// Example: ipwhl man --output man/man1
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Write the pages of `ipwhl` and of each command to this folder
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub(super) fn run(
    context: &Context<'_>,
    arguments: &Arguments,
    definition: Command,
) -> Result<ExitStatus, Failure> {
    let mut definition = definition.disable_help_subcommand(true);
    definition.build();
    let Some(folder) = &arguments.output else {
        let page = page(&definition)?;
        context.result(page.trim_end_matches('\n'))?;
        return Ok(ExitStatus::Clean);
    };
    let folder = context.absolute(folder);
    fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
    let count = write(&definition, &folder)?;
    context.say(&format!(
        "wrote {count} pages to {}",
        context.shown(&folder)
    ));
    Ok(ExitStatus::Clean)
}

/// The page of a command, in ASCII: `man` shows other characters correctly only with the right
/// settings.
fn page(command: &Command) -> Result<String, Failure> {
    let mut page = Vec::new();
    Man::new(command.clone())
        .source(concat!("ipwhl ", env!("CARGO_PKG_VERSION")))
        .render(&mut page)
        .map_err(|error| Failure::caused(&error))?;
    let mut text = String::with_capacity(page.len());
    for character in String::from_utf8_lossy(&page).chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            text += &format!("\\[u{:04X}]", u32::from(character));
        }
    }
    Ok(text)
}

/// Writes the pages of a command and of its subcommands. Returns their number.
fn write(command: &Command, folder: &Path) -> Result<usize, Failure> {
    let mut count = 1;
    for below in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        count += write(below, folder)?;
    }
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name());
    let path = folder.join(format!("{name}.1"));
    AtomicFile::write_whole(&path, page(command)?.as_bytes())
        .map_err(|error| unwritable(&path, &error))?;
    Ok(count)
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::world(format!("`{}` cannot be written: {error}", path.display()))
}
