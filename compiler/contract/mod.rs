//! The contract: the shapes of what is stored in a bundle, read by both desks.
//!
//! The author's desk (compile, review) writes them and the server's desk (verify, apply) reads them without the
//! compiler. Nothing here may know who made a bundle, or how: no inventory, fact, template or plan.

pub mod artifact;
pub mod digest;
pub mod manifest;
pub mod moment;
pub mod path;
pub mod phase;
pub mod runbook;
pub mod strict;
