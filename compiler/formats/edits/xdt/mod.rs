//! XML document transforms: Microsoft's language for edits of `web.config` and `.exe.config`, applied byte for byte.
//!
//! The result is that of Microsoft's engine, element by element and attribute by attribute, except where that engine
//! does nothing in silence, does half, or throws: there it is an error that names both sides. `docs/edit-xdt.md` lists
//! every difference with its reason; `tests/edits/xdt` compares them with that engine.
//!
//! The way: bytes to text (`bytes`), text to a tree that loses nothing (`crate::xml`), transforms in document order on
//! the live tree (`engine`), and the tree back to text, of which whatever was not changed is what was read.

mod bytes;
mod elements;
mod engine;
mod exact;
mod guards;
pub mod instructions;
mod layout;
mod locate;
mod missing;
mod read;
mod render;
mod same;
mod state;
mod values;
mod xpath;

pub(super) use bytes::readable;
pub(super) use engine::work;
pub use read::{Edit, XdtEdits};

/// The namespace of transforms. Copies of the documentation show it with `https`; then Microsoft's engine applies
/// nothing and reports success.
pub const NAMESPACE: &str = "http://schemas.microsoft.com/XML-Document-Transform";

#[cfg(test)]
mod tests;
