//! The project file `cbgen.yaml`: what a repository compiles, with what, and where to.
//!
//! An option on the command line wins over it. Paths in it lie below its folder, because a pull request can change it. This file must not know files or options.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::SchemaVersion;

/// Name of the project file, in the folder cbgen runs in.
pub const FILE: &str = "cbgen.yaml";

/// What a repository of inventories compiles, with what, and where to.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Version of the format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"cbgen/v1")]
    pub schema: Option<SchemaVersion>,
    /// Versions of cbgen that may compile this repository, for example `>=0.1, <0.2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "cbgen-version-range"), example = &">=0.1, <0.2")]
    pub requires: Option<String>,
    /// Inventories that are compiled when a command names none: files, folders and patterns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1), extend("uniqueItems" = true, "items" = serde_json::json!({"type": "string", "minLength": 1, "format": "cbgen-path-below"})), example = serde_json::json!(["inventories"]))]
    pub inventories: Vec<String>,
    /// Folder of templates that is laid over the built-in ones, as with `--templates`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("format" = "cbgen-path-below"), example = &"templates")]
    pub templates: Option<String>,
    /// Folder for the trees and archives, as with `--output`; default `out`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("format" = "cbgen-path-below"), example = &"out")]
    pub output: Option<String>,
    /// What counts as an error, as with `--deny`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"warnings")]
    pub deny: Option<Deny>,
}

/// What counts as an error beside errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deny {
    /// Warnings.
    Warnings,
}
