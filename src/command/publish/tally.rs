//! What a run over several targets comes to.

use super::Arguments;
use super::shown::Shown;
use crate::command::context::Context;
use crate::command::exit::ExitStatus;
use crate::command::words::counted;
use crate::diagnostic::shell_word;
use crate::publish::TargetError;

/// The targets that did not get the release.
#[derive(Default)]
pub(super) struct Tally<'t> {
    /// Those that must not have it.
    refused: Vec<&'t str>,
    /// Those that it could not be brought to.
    failed: Vec<&'t str>,
    /// Those that were left as they are since another one has refused it.
    left: Vec<&'t str>,
    /// Whether something may have been changed.
    pub(super) has_changed: bool,
}

impl<'t> Tally<'t> {
    /// Takes note of a failure, and shows it.
    pub(super) fn failed(&mut self, name: &'t str, shown: &Shown<'_, '_>, error: &TargetError) {
        shown.failure(error);
        if error.is_refusal {
            self.refused.push(name);
        } else {
            self.failed.push(name);
        }
    }

    /// Takes note of a target that nothing was done to.
    pub(super) fn left(&mut self, name: &'t str) {
        self.left.push(name);
    }

    pub(super) fn has_refused(&self) -> bool {
        !self.refused.is_empty()
    }

    /// A refusal is about the release, and outweighs what the world does.
    pub(super) fn status(&self) -> ExitStatus {
        if self.has_refused() {
            ExitStatus::Findings
        } else if self.failed.is_empty() {
            ExitStatus::Clean
        } else {
            ExitStatus::World
        }
    }

    /// Says what is left to do.
    pub(super) fn tell(&self, context: &Context<'_>, arguments: &Arguments) {
        if self.has_refused() {
            let refused = listed(&self.refused);
            let others = self.refused.len() + self.failed.len() + self.left.len() - 1;
            if !self.has_changed && others > 0 {
                context.error(&format!(
                    "{refused} refused the release, and so nothing was changed anywhere"
                ));
            } else if !self.left.is_empty() {
                let left = listed(&self.left);
                context.error(&format!(
                    "{refused} refused the release, and so nothing was done to {left}"
                ));
            }
        } else if !self.failed.is_empty() {
            context.hint(&format!(
                "{} to go: `{}` goes on where this run has stopped",
                counted(self.failed.len(), "target"),
                again(context, arguments, &self.failed)
            ));
        }
    }
}

fn listed(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// The command line that publishes the same release, as this one does, to these targets.
fn again(context: &Context<'_>, arguments: &Arguments, names: &[&str]) -> String {
    let mut words = vec!["ipwhl".to_owned()];
    let folder = context.named_repository();
    let folders = [
        ("--repository", folder.as_ref()),
        ("--release", arguments.release.as_ref()),
        ("--key", arguments.key.as_ref()),
    ];
    for (option, path) in folders {
        if option == "--release" {
            words.push("publish".to_owned());
        }
        if let Some(path) = path {
            words.push(option.to_owned());
            words.push(shell_word(&path.to_string_lossy()));
        }
    }
    if arguments.unsigned {
        words.push("--unsigned".to_owned());
    }
    words.extend(names.iter().map(|name| (*name).to_owned()));
    words.join(" ")
}
