//! Parses the arguments, runs the command, exits.

use std::process::ExitCode;

use ipwhl::command::run;
use ipwhl::foundation::environment::Environment;

fn main() -> ExitCode {
    run(std::env::args_os(), &Environment::of_process()).into()
}
