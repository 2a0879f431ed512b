//! The desk at the server: what is done with a bundle after it was built.
//!
//! Bundles are read here through their manifest and runbook only. This folder must not know inventories, templates or how a
//! bundle is made.

pub mod apply;
mod armour;
pub mod disk;
pub mod editing;
pub mod evidence;
pub mod file;
pub mod history;
pub mod journal;
pub mod machine;
pub mod moment;
pub mod plan;
pub mod problem;
pub mod records;
pub mod rollback;
pub mod room;
pub mod script;
pub mod server;
pub mod sign;
pub mod signature;
pub mod signers;
pub mod state;
pub mod status;
pub mod steps;
pub mod stillborn;
pub mod tools;
pub mod undo;
pub mod verify;
