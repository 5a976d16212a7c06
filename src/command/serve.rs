//! x
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}
pub(super) fn run(_: &super::context::Context<'_>, _: &Arguments) -> Result<super::ExitStatus, super::Failure> { Err(super::Failure::world("x")) }
