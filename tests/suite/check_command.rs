//! `ipwhl check` through the command line.

use ipwhl::command::ExitStatus;

use crate::support::program::Program;
use crate::support::repository_builder::RepositoryBuilder;

/// The set that other tests break in one way each has no finding by itself.
#[test]
fn the_sound_set_is_clean() {
    let repository = RepositoryBuilder::sound().build();
    let program = Program::new(repository.path());
    for arguments in [
        &["check"][..],
        &["check", "--wheels"],
        &["check", "--wheels", "--sources", "--deny", "warnings"],
    ] {
        let run = program.run(arguments).expect(ExitStatus::Clean);
        assert_eq!(run.stdout, "");
        assert!(run.stderr.ends_with(": no finding\n"), "{}", run.stderr);
    }
}
