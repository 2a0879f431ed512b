//! cbgen compiles one YAML inventory of an on-premise Callback installation into a bundle of configuration files.

pub mod assemble;
pub mod bundle;
pub mod catalogue;
pub mod change;
pub mod check;
pub mod cli;
pub mod codes;
pub mod contract;
pub mod coverage;
pub mod diag;
pub mod diff;
pub mod driver;
pub mod edit;
pub mod explain;
pub mod facts;
pub mod files;
pub mod inventory;
pub mod json;
pub mod lint;
pub mod marks;
pub mod plan;
pub mod reference;
pub mod render;
pub mod report;
pub mod runbook;
pub mod secrets;
pub mod show;
pub mod source;
pub mod templates;
pub mod why;

pub use cbgen_formats as formats;
