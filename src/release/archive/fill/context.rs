//! What is asked of a run, and what it works with.

use std::cell::OnceCell;
use std::path::PathBuf;

use crate::set::gather::Network;
use crate::set::repository::{Configuration, Repository};
use crate::source::Session;

/// What is filled, and from where.
pub struct FillOptions<'o> {
    /// The archive.
    pub archive: PathBuf,
    /// Where the full one goes; else beside it, by its name.
    pub output: Option<PathBuf>,
    /// Where to look, in this order: archives, folders of wheels, addresses of gateways, `sources`,
    /// `mirrors`; none for the last two.
    pub from: Vec<String>,
    /// How the network is used.
    pub network: Network,
    /// The folder of the repository around, if there is one: its sources and mirrors are asked.
    pub repository: Option<PathBuf>,
    /// Is told what happens.
    pub tell: &'o dyn Fn(FillEvent),
}

/// What happens while an archive is filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FillEvent {
    /// Gateways are asked for blocks.
    Asking {
        /// Their addresses, as they may be shown.
        gateways: Vec<String>,
        /// How many blocks.
        blocks: usize,
    },
}

/// The context of a run: what was asked for, the session, the repository.
pub(super) struct FillContext<'f> {
    pub(super) session: &'f Session,
    pub(super) options: &'f FillOptions<'f>,
    repository: OnceCell<Option<Repository>>,
}

impl<'f> FillContext<'f> {
    pub(super) fn new(session: &'f Session, options: &'f FillOptions<'f>) -> Self {
        Self {
            session,
            options,
            repository: OnceCell::new(),
        }
    }

    /// The repository, if there is one: a release can be filled without.
    pub(super) fn repository(&self) -> Option<&Repository> {
        let repository = self.repository.get_or_init(|| {
            let directory = self.options.repository.as_ref()?;
            Repository::load(directory).ok()
        });
        repository.as_ref()
    }

    /// The settings of the repository, or the defaults.
    pub(super) fn configuration(&self) -> Configuration {
        let repository = self.repository();
        repository.map_or_else(Configuration::default, |repository| {
            repository.configuration.clone()
        })
    }
}
