//! From a folder of declarations to a signed release: the work of `ipwhl build` in library calls.
//!
//! ```text
//! cargo run --example release -- REPOSITORY OUTPUT KEY
//! ```

#![expect(clippy::print_stdout, reason = "an example is a program")]

use std::error::Error;
use std::path::PathBuf;

use ipwhl::foundation::environment::Environment;
use ipwhl::publish::{ArchiveContents, commit, write_car};
use ipwhl::release::signature::signing_key;
use ipwhl::release::tree::{Release, ReleaseInput};
use ipwhl::release::trust::{NextRequest, NextStatement, SignedNext};
use ipwhl::set::check;
use ipwhl::set::declaration::DeclaredWheel;
use ipwhl::set::gather::{Gathering, Network, Want, all_wheels};
use ipwhl::set::judgement::{has_errors, judge};
use ipwhl::set::repository::Repository;
use ipwhl::source::Session;

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [folder, output, key] = &paths[..] else {
        return Err("usage: release REPOSITORY OUTPUT KEY".into());
    };
    let session = Session::new(Environment::of_process());
    let repository = Repository::load(folder)?;
    let profile = repository.configuration.profile;

    // Every wheel is fetched, or taken from the cache, hashed and read.
    let wheels = all_wheels(&repository);
    let gathering = Gathering {
        session: &session,
        repository: &repository,
        network: &Network::default(),
        profile,
        reuse: None,
    };
    let report = gathering.gather(&wheels, Want::Bytes)?;
    let mut findings = check::repository(&repository);
    findings.extend(check::wheels(&repository, &wheels, &report));
    let findings = judge(&repository, findings, &report, session.today(), "");
    if has_errors(&findings) || !report.failures.is_empty() {
        return Err(format!("{findings:#?} {:#?}", report.failures).into());
    }

    // The tree has its root before any byte is written.
    let facts = |wheel: &DeclaredWheel| report.release_facts(wheel);
    let release = Release::new(ReleaseInput {
        repository: &repository,
        profile,
        facts: &facts,
    })?;
    let root = release.link().cid;
    let (archive, _) = write_car(&release, &ArchiveContents::Full, &session.cache()?, output)?;

    // The statement vouches for the root, and follows the one in the output folder.
    let configuration = &repository.configuration;
    let next = NextStatement::prepare(&session, configuration, &NextRequest::default(), output)?;
    let key = signing_key(&session, Some(key))?
        .checked(&session)?
        .open(&session, &mut |_| Ok(None))?;
    let signed = match next.sign(configuration, root, &key, output)? {
        Some(SignedNext::New { signed, .. } | SignedNext::Unchanged(signed)) => Some(signed),
        None => None,
    };
    commit(
        archive,
        ArchiveContents::Full.kind(),
        root,
        output,
        None,
        signed.as_ref(),
    )?;
    println!("{root}");
    Ok(())
}
