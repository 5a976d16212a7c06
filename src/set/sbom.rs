//! Software bills of materials of a set, or of a part of it: CycloneDX 1.6 and SPDX 2.3, as JSON.
//!
//! An [`Inventory`] is what both formats say. Neither has a clock, a random number or the root of a
//! release in it, so the same declarations give the same bytes everywhere.

mod cyclonedx;
mod embedded;
mod identifier;
mod inventory;
mod people;
mod purl;
mod spdx;

pub use cyclonedx::cyclonedx;
pub use embedded::{EmbeddedComponent, EmbeddedLicence, EmbeddedSbom, LARGEST_EMBEDDED};
pub use inventory::{
    Inventory, InventoryInput, ListedLicence, ListedProject, ListedWheel, UnknownWheel,
    UnreadableProject, part_wheels,
};
pub use people::{Contact, Supplier};
pub use spdx::spdx;
