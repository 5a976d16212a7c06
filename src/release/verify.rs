//! A release held to what it says of itself: its pages, its declarations, its wheels.

mod bytes;
mod declared;
mod page;
mod pages;
mod project;

pub use pages::{Count, check};
