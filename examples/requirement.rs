//! Evaluates a requirement of a Python project on a platform.
//!
//! ```text
//! cargo run --example requirement -- 'tomli>=2; python_version < "3.11"' cp312 win_amd64
//! ```

#![expect(clippy::print_stdout, reason = "an example is a program")]

use std::error::Error;

use ipwhl_packaging::{MarkerEnvironment, Platform, Requirement, Truth};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [requirement, python, system] = &arguments[..] else {
        return Err("usage: requirement REQUIREMENT PYTHON_TAG PLATFORM_TAG".into());
    };
    let requirement: Requirement = requirement.parse()?;
    let platform = Platform::parse(python, system)?;
    // What a platform does not fix, such as the release of its kernel, stays unknown.
    let environment = MarkerEnvironment::for_platform(&platform);
    let applies = requirement.marker.as_ref();
    let applies = applies.map_or(Truth::True, |marker| marker.evaluate(&environment, None));
    println!(
        "{} {} on {platform}",
        requirement.name,
        match applies {
            Truth::True => "is required",
            Truth::False => "is not required",
            Truth::Unknown => "may be required",
        }
    );
    Ok(())
}
