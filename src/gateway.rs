//! A read-only HTTP path gateway over a block store.
//!
//! `/ipfs/<CID>/…` follows the path gateway specification
//! (<https://specs.ipfs.tech/http-gateways/path-gateway/>), with PEP 691's content negotiation on
//! the pages of an index, so that pip and uv install straight from a release.
//!
//! ```text
//! connection ─► server ─► router ─► answer ─► store, listing ─► server
//!   (places,    (hyper)   (path)   (status,      (blocks)      (body, a block at a time,
//!    limits)                        headers)                    at a minimum rate)
//! ```
//!
//! Every block is hashed before a byte of it is sent. A damaged block gives the status 500 if nothing
//! was sent yet. Otherwise the connection ends before the announced length is reached, so that no
//! client takes the body as complete.

mod accept;
mod answer;
mod condition;
mod entity;
mod hosts;
mod limits;
mod listing;
mod media;
mod message;
mod places;
mod range;
mod request;
mod router;
mod server;
mod store;
mod timed_stream;

pub use hosts::{HostName, NoHostName};
pub use limits::Limits;
pub use server::{Gateway, RequestRecord, serve};
