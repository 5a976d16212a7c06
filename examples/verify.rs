//! Verifies a release: its archive, block by block, and the statement that vouches for its root.
//!
//! ```text
//! cargo run --example verify -- release.car release.toml allowed_signers
//! ```

#![expect(clippy::print_stdout, reason = "an example is a program")]

use std::error::Error;
use std::fs::{File, read_to_string};
use std::path::PathBuf;

use ipwhl::foundation::environment::Environment;
use ipwhl::release::statement::read_statement;
use ipwhl::release::trust::TrustPolicy;
use ipwhl::release::verify::verify_archive;
use ipwhl::source::Session;
use ipwhl_unixfs::car::CarReader;

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [archive, statement, signers] = &paths[..] else {
        return Err("usage: verify ARCHIVE STATEMENT ALLOWED_SIGNERS".into());
    };
    // No byte is believed before it is hashed: from here on the root stands for all of them.
    let archive = CarReader::open(File::open(archive)?)?;
    let report = verify_archive(&archive, &[])?;
    if !report.contradictions.is_empty() {
        return Err(format!("{:#?}", report.contradictions).into());
    }

    let signed = read_statement(statement)?;
    let policy = TrustPolicy::from_allowed_signers(&read_to_string(signers)?, 1)?;
    let now = Session::new(Environment::of_process()).now();
    let verdict = policy.evaluate(signed.text.as_bytes(), &signed.signatures, now);
    if !verdict.is_reached() {
        return Err("no trusted key has signed the statement".into());
    }
    if signed.statement.root != archive.root() || signed.statement.is_expired(now) {
        return Err("the statement is of another release, or has expired".into());
    }
    println!("{}", archive.root());
    Ok(())
}
