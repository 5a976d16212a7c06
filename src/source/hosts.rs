//! The hosts that refuse connections.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::address::Address;

/// The hosts, with scheme and port, that were given up in this run.
#[derive(Clone, Debug, Default)]
pub(super) struct Hosts(Arc<Mutex<BTreeSet<String>>>);

impl Hosts {
    pub(super) fn is_given_up(&self, address: &Address) -> bool {
        self.with(|hosts| hosts.contains(&origin(address)))
    }

    /// Records that all attempts to connect to the host have failed.
    pub(super) fn give_up(&self, address: &Address) {
        self.with(|hosts| hosts.insert(origin(address)));
    }

    /// Records that the host has answered.
    pub(super) fn heard_of(&self, address: &Address) {
        self.with(|hosts| hosts.remove(&origin(address)));
    }

    fn with<T>(&self, change: impl FnOnce(&mut BTreeSet<String>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn origin(address: &Address) -> String {
    address.url().origin().ascii_serialization()
}
