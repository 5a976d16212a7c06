//! The limits of a gateway.

use std::time::Duration;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Concurrent connections: room for ten installers with 50 downloads each.
const CONNECTIONS: usize = 512;

/// The share of one address: four addresses cannot take every place.
const CONNECTIONS_PER_ADDRESS: usize = CONNECTIONS / 5;

/// Seconds for a request's headers, and for an idle connection between two requests.
const HEADER_SECONDS: u64 = 30;

/// Seconds that a client may fall behind [`MINIMUM_RATE`]. The system reports received bytes in
/// steps of 100 KiB or so; a client at 2 kB/s needs most of this time for one step.
const WRITE_SECONDS: u64 = 90;

/// Bytes per second that a client must receive.
const MINIMUM_RATE: u64 = 1024;

/// Seconds for running responses when the gateway stops.
const SHUTDOWN_SECONDS: u64 = 5;

/// The limits for clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Concurrent connections. If every place is taken, the connection that has been idle longest
    /// makes room for a new one; while none is idle, new ones wait.
    pub connections: usize,
    /// Concurrent connections from one IPv4 address or one /64 network of IPv6. Beyond this number
    /// an idle one of that address makes room, and a new one is refused while none is idle.
    pub connections_per_address: usize,
    /// Addresses that are not limited to one share: this machine, and proxies for many clients.
    /// Their idle connections are also closed last.
    pub exempt: Vec<IpNet>,
    /// The maximum time for the headers of a request, and the maximum idle time between two
    /// requests.
    pub header_time: Duration,
    /// The maximum time that a client may fall behind `minimum_rate`. A client that receives
    /// nothing is disconnected after this time; a response of `n` bytes waits at most for this time
    /// and `n / minimum_rate` seconds.
    pub write_time: Duration,
    /// The bytes per second that a client must receive while bytes wait for it.
    pub minimum_rate: u64,
    /// The maximum time for which responses continue after the gateway was told to stop.
    pub shutdown_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS,
            connections_per_address: CONNECTIONS_PER_ADDRESS,
            exempt: loopback(),
            header_time: Duration::from_secs(HEADER_SECONDS),
            write_time: Duration::from_secs(WRITE_SECONDS),
            minimum_rate: MINIMUM_RATE,
            shutdown_time: Duration::from_secs(SHUTDOWN_SECONDS),
        }
    }
}

/// The addresses of this machine.
fn loopback() -> Vec<IpNet> {
    vec![
        Ipv4Net::new_assert([127, 0, 0, 0].into(), 8).into(),
        Ipv6Net::new_assert(std::net::Ipv6Addr::LOCALHOST, 128).into(),
    ]
}
