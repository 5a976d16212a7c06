//! A read-only HTTP path gateway over a block store.
//!
//! `/ipfs/<CID>/…` as the path gateway specification has it
//! (<https://specs.ipfs.tech/http-gateways/path-gateway/>), with PEP 691's content negotiation on
//! the pages of an index, so that pip and uv install straight from a release.
//!
//! ```text
//! connection ─► server ─► router ─► answer ─► store, listing ─► server
//!   (limits)    (hyper)   (path)   (status,      (blocks)      (body, a block at a time)
//!                                   headers)
//! ```
//!
//! Every block has been hashed before a byte of it is sent. One that is damaged gives the status 500
//! where nothing was sent yet, else the connection ends before the announced length is reached: no
//! client takes such a body for whole.

mod accept;
mod answer;
mod condition;
mod entity;
mod listing;
mod media;
mod range;
mod router;
mod server;
mod store;
mod timed_stream;

pub use server::{Gateway, Limits, RequestRecord, serve};
pub use store::BlockStore;
