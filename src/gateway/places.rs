//! The places of a gateway for connections. An idle connection makes room for a new one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ipnet::IpNet;
use tokio::sync::{Notify, oneshot};

use super::limits::Limits;

/// The prefix of one subscriber's network in IPv6, so that more addresses give no more places.
const IPV6_PREFIX: u8 = 64;

/// All places of a gateway.
pub(super) struct Places {
    connections: usize,
    connections_per_address: usize,
    exempt: Vec<IpNet>,
    taken: Mutex<Taken>,
    /// Notified when a place becomes free, or a connection idle.
    changed: Notify,
}

#[derive(Default)]
struct Taken {
    next: u64,
    by_number: HashMap<u64, Occupant>,
}

/// A connection that has a place.
struct Occupant {
    /// The address that the place is counted for; `None` for an exempt one.
    address: Option<IpNet>,
    /// The time since which no request has been running; `None` while one is.
    idle_since: Option<Instant>,
    /// Dropped when the connection must make room.
    _stay: oneshot::Sender<()>,
}

/// The result of a request for a place.
enum Attempt {
    Entered(Place, oneshot::Receiver<()>),
    Full,
    Refused,
}

impl Places {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            connections: limits.connections,
            connections_per_address: limits.connections_per_address,
            exempt: limits.exempt.clone(),
            taken: Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// A place for a connection from this address, and a receiver that becomes ready when the
    /// connection must make room. Waits while every place is taken and no connection is idle;
    /// `None` if the address has its share and none of its connections is idle. One caller at a
    /// time may wait.
    pub(super) async fn enter(
        self: &Arc<Self>,
        address: IpAddr,
    ) -> Option<(Place, oneshot::Receiver<()>)> {
        let address = self.counted(address);
        loop {
            match self.attempt(address) {
                Attempt::Entered(place, leave) => return Some((place, leave)),
                Attempt::Refused => return None,
                Attempt::Full => self.changed.notified().await,
            }
        }
    }

    /// Ends the connection that has been idle longest, if there is one.
    pub(super) fn make_room(&self) -> bool {
        self.lock().end_idle(|_| true)
    }

    fn attempt(self: &Arc<Self>, address: Option<IpNet>) -> Attempt {
        let mut taken = self.lock();
        let is_same = |occupant: &Occupant| occupant.address == address;
        let share = taken.by_number.values().filter(|one| is_same(one)).count();
        if address.is_some() && share >= self.connections_per_address {
            if !taken.end_idle(is_same) {
                return Attempt::Refused;
            }
        } else if taken.by_number.len() >= self.connections && !taken.end_idle(|_| true) {
            return Attempt::Full;
        }
        let (stay, leave) = oneshot::channel();
        let number = taken.next;
        taken.next += 1;
        let occupant = Occupant {
            address,
            idle_since: Some(Instant::now()),
            _stay: stay,
        };
        taken.by_number.insert(number, occupant);
        let place = Place {
            places: Arc::clone(self),
            number,
            is_sent: AtomicBool::new(false),
        };
        Attempt::Entered(place, leave)
    }

    /// The unit that an address is counted as; `None` for an exempt one.
    fn counted(&self, address: IpAddr) -> Option<IpNet> {
        // A dual-stack socket shows IPv4 addresses as IPv6.
        let address = address.to_canonical();
        if self.exempt.iter().any(|network| network.contains(&address)) {
            return None;
        }
        let network = IpNet::from(address);
        Some(match address {
            IpAddr::V4(_) => network,
            IpAddr::V6(_) => IpNet::new(address, IPV6_PREFIX).unwrap_or(network).trunc(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // A holder of the lock cannot panic between two changes that belong together.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Ends the longest idle of these connections; an exempt one only if there is no other.
    fn end_idle(&mut self, is_meant: impl Fn(&Occupant) -> bool) -> bool {
        let idle = self.by_number.iter().filter_map(|(number, occupant)| {
            let since = occupant.idle_since.filter(|_| is_meant(occupant))?;
            Some((occupant.address.is_none(), since, *number))
        });
        let Some((_, _, number)) = idle.min() else {
            return false;
        };
        self.by_number.remove(&number);
        true
    }
}

/// The place of one connection, released when this is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
    /// Whether the last response has been read completely, but may still be in the connection's
    /// buffer.
    is_sent: AtomicBool,
}

impl Place {
    /// Marks a request as running until the value is dropped.
    pub(super) fn answering(self: &Arc<Self>) -> Answering {
        self.is_sent.store(false, Ordering::Relaxed);
        self.set_idle_since(None);
        Answering(Arc::clone(self))
    }

    /// Records that the connection's buffer is empty: after a complete response it is idle.
    pub(super) fn flushed(&self) {
        if self.is_sent.swap(false, Ordering::Relaxed) {
            self.set_idle_since(Some(Instant::now()));
            self.places.changed.notify_one();
        }
    }

    fn set_idle_since(&self, since: Option<Instant>) {
        if let Some(occupant) = self.places.lock().by_number.get_mut(&self.number) {
            occupant.idle_since = since;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().by_number.remove(&self.number);
        self.places.changed.notify_one();
    }
}

/// A running request.
pub(super) struct Answering(Arc<Place>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.is_sent.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_is_one_address_and_a_mapped_address_is_its_ipv4() {
        let limits = Limits {
            exempt: vec!["192.0.2.0/24".parse().unwrap(), "::1/128".parse().unwrap()],
            ..Limits::default()
        };
        let places = Places::new(&limits);
        let counted = |address: &str| {
            let network = places.counted(address.parse().unwrap());
            network.map(|network| network.to_string())
        };
        let shared = Some("2001:db8:0:1::/64".to_owned());
        assert_eq!(counted("2001:db8:0:1::1"), shared);
        assert_eq!(counted("2001:db8:0:1:ffff::2"), shared);
        assert_ne!(counted("2001:db8:0:2::1"), shared);
        assert_eq!(counted("198.51.100.7"), Some("198.51.100.7/32".to_owned()));
        assert_eq!(counted("::ffff:198.51.100.7"), counted("198.51.100.7"));
        for exempt in ["192.0.2.7", "::ffff:192.0.2.7", "::1"] {
            assert_eq!(counted(exempt), None, "{exempt}");
        }
    }
}
