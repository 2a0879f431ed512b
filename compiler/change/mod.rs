//! The desk at the server: what is done with a bundle after it was built.
//!
//! Bundles are read here through their manifest and list only. This folder must not know inventories, templates or how a bundle
//! is made.

mod armour;
pub mod moment;
pub mod sign;
pub mod signature;
pub mod signers;
pub mod verify;
