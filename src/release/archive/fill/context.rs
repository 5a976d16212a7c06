//! The options and the context of a run.

use std::cell::OnceCell;
use std::path::PathBuf;

use crate::set::gather::Network;
use crate::set::repository::{Configuration, Repository};
use crate::source::Session;

/// The archive to fill and the places to use.
pub struct FillOptions<'o> {
    /// The archive.
    pub archive: PathBuf,
    /// The path of the full archive; by default beside the other, by its name.
    pub output: Option<PathBuf>,
    /// The places to search, in this order: archives, folders of wheels, addresses of gateways,
    /// `sources`, `mirrors`. If empty, the last two.
    pub from: Vec<String>,
    /// The network settings.
    pub network: Network,
    /// The folder of the surrounding repository, if there is one: its sources and mirrors are used.
    pub repository: Option<PathBuf>,
    /// Receives the events.
    pub tell: &'o dyn Fn(FillEvent),
}

/// Events while an archive is filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FillEvent {
    /// Gateways are asked for blocks.
    Asking {
        /// Their addresses, in printable form.
        gateways: Vec<String>,
        /// The number of blocks.
        blocks: usize,
    },
}

/// The context of a run: the options, the session, the repository.
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
