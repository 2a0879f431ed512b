//! Review of two sets of bundles: what changes on which servers, and how dangerous that is.
//!
//! The way of a comparison, one file per step:
//!
//! ```text
//! sides     a bundle, a tree or an archive to a snapshot: manifest and review texts
//! pair      which server and which artifact belong together, also after a rename
//! edition   what is said of a bundle as a whole
//! artifact  one artifact of both sides: bytes, meaning, how it is applied
//! compare   two texts to facts: what was said before, what is said now
//! views     whether the other forms of a stored runbook say what it says
//! risk      how bad a fact can get, and why
//! group     the same fact on many servers becomes one group
//! model     what a report says
//! text, markdown, json, html     the report
//! ```
//!
//! Texts are compared by meaning, with the strict reader of their format; where one does not read, by lines. Nothing
//! here compiles an inventory, runs git or prints.

pub mod artifact;
pub mod compare;
pub mod edition;
pub mod fact;
pub mod group;
pub mod html;
pub mod identity;
pub mod json;
mod labels;
pub mod markdown;
pub mod model;
pub mod names;
pub mod pair;
pub mod risk;
mod runbook;
pub mod sides;
pub mod text;
mod views;
mod wording;

pub use group::report;
pub use model::{Group, Report};
pub use pair::{Comparison, compare};
pub use sides::{Side, Snapshot};
