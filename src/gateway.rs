//! A read-only HTTP path gateway over a block store.
//!
//! `/ipfs/<CID>/…` as the path gateway specification has it
//! (<https://specs.ipfs.tech/http-gateways/path-gateway/>), with PEP 691's content negotiation on
//! the pages of an index, so that pip and uv install straight from a release.
//!
//! ```text
//! connection ─► server ─► router ─► answer ─► store, listing ─► server
//!   (places,    (hyper)   (path)   (status,      (blocks)      (body, a block at a time,
//!    limits)                        headers)                    at a minimum rate)
//! ```
//!
//! Every block has been hashed before a byte of it is sent. One that is damaged gives the status
//! 500 where nothing was sent yet, else the connection ends before the announced length is reached:
//! no client takes such a body for whole.

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
