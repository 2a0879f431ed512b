//! `manifest.json`: what a bundle holds and what each artifact does.
//!
//! These types are the manifest contract; `cbgen schema manifest` prints their JSON Schema. Fields are written in the
//! order in which they stand here. A field may be added only together with a new [`FORMAT`] number, because reading is
//! strict: a key this version does not know could change what an artifact means. This file must not know how bundles
//! are made or stored.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::artifact::{Effect, Role, Rollback, Scope};
use super::digest::{Digest, sums};
use super::path::BundlePath;
use super::phase::Phase;
use super::strict::{self, ContractError};
use crate::formats::Format;
use crate::formats::encode::{Encoding, LineEnd};
use crate::formats::unseen::unseen;
use crate::json;

/// Version of the manifest format.
pub const FORMAT: u32 = 1;

/// The manifest of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this format: 1.
    #[schemars(extend("const" = FORMAT))]
    pub format: u32,
    /// The bundle as a whole.
    pub bundle: BundleRecord,
    /// What made it.
    pub generator: Generator,
    /// The files it was compiled from.
    pub inputs: Vec<InputDigest>,
    /// The servers it is for, in the order of the inventory.
    pub servers: Vec<ServerEntry>,
    /// What the checks warned about; the runbook prints it too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// The program that comes along, where the inventory asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<Tool>,
    /// Every other file but this one and `SHA256SUMS`, in order of paths.
    pub artifacts: Vec<Artifact>,
}

/// The path of the program in a bundle that brings it along.
pub const TOOL: &str = "cbgen.exe";

/// The program in a bundle, for servers that have none: bytes that are not read as text, and are not in the tree that
/// reviewers read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Path inside the bundle: `cbgen.exe`.
    pub path: BundlePath,
    /// Number of bytes.
    pub size: u64,
    /// Digest of the bytes.
    pub sha256: Digest,
}

/// The bundle as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BundleRecord {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Number of the change request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// The change window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// SHA-256 over the lines `sha256  path` of the artifacts and the program, each with a line feed, in order of paths.
    pub id: Digest,
}

/// A change window: RFC 3339 time stamps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// First moment.
    pub start: String,
    /// Last moment.
    pub end: String,
}

/// The program that made a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Generator {
    /// `cbgen`.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Generator {
    /// This program.
    pub fn current() -> Self {
        Self {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// A file a bundle was compiled from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InputDigest {
    /// Workspace-relative path with forward slashes.
    pub path: String,
    /// Digest of its text as it was read: without a byte order mark, with LF. A checkout with CRLF has the same.
    pub sha256: Digest,
}

/// A warning of the build.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Warning {
    /// Diagnostic code.
    pub code: String,
    /// What was found.
    pub message: String,
}

/// A server of the inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerEntry {
    /// Windows host name.
    pub name: String,
    /// Fully qualified domain name.
    pub fqdn: String,
    /// What runs on it.
    pub roles: Vec<Role>,
}

/// One file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// Path inside the bundle.
    pub path: BundlePath,
    /// How often it exists.
    pub scope: Scope,
    /// The server it is for, when the scope is `server`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// What it is, for people.
    pub title: String,
    /// Requirements it fulfils.
    pub requirements: Vec<String>,
    /// Where it goes on the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Its format.
    pub format: Format,
    /// What applying it does.
    pub effect: Effect,
    /// The phase of the runbook it belongs to.
    pub phase: Phase,
    /// Character encoding of the deployed bytes.
    pub encoding: Encoding,
    /// Line ends of the deployed bytes.
    pub eol: LineEnd,
    /// Number of deployed bytes.
    pub size: u64,
    /// Digest of the deployed bytes.
    pub sha256: Digest,
    /// Digest of the review text: UTF-8 without mark, LF.
    pub review_sha256: Digest,
    /// How its effect is undone.
    pub rollback: Rollback,
    /// Services to restart afterwards.
    pub restarts: Vec<String>,
}

impl Manifest {
    /// The text of `manifest.json`.
    pub fn to_text(&self) -> String {
        json::pretty(self)
    }

    /// Reads a manifest, strictly.
    ///
    /// Refused: another format number (said first, so that a bundle of a newer cbgen is named as such), unknown or
    /// missing keys, unsafe paths, paths out of order or equal ignoring case, a server or rollback artifact that is
    /// not in the manifest, and an id that is not the one of the artifacts.
    pub fn read(bytes: &[u8]) -> Result<Self, ContractError> {
        let text = strict::text(bytes)?;
        if let Some(line) = text.lines().position(|line| !is_plain(line)) {
            return Err(ContractError(format!(
                "line {} holds a character that no manifest has: a control character, or one that nobody sees",
                line + 1
            )));
        }
        strict::format(text, "manifest", FORMAT)?;
        let manifest: Self = serde_json::from_str(text)?;
        manifest.consistent()?;
        Ok(manifest)
    }

    fn consistent(&self) -> Result<(), ContractError> {
        let refuse = |why: String| Err(ContractError(why));
        let servers: BTreeSet<&str> = self.servers.iter().map(|server| server.name.as_str()).collect();
        let paths: BTreeSet<&BundlePath> = self.artifacts.iter().map(|artifact| &artifact.path).collect();
        let mut keys: BTreeMap<String, &BundlePath> = BTreeMap::new();
        let mut previous: Option<&BundlePath> = None;
        for artifact in &self.artifacts {
            let path = &artifact.path;
            if let Some(other) = keys.insert(path.collision_key(), path) {
                return refuse(format!("`{other}` and `{path}` are one file on Windows"));
            }
            if previous.is_some_and(|previous| previous >= path) {
                return refuse(format!("`{path}` is out of order"));
            }
            previous = Some(path);
            if (artifact.scope == Scope::Server) != artifact.server.is_some() {
                return refuse(format!("scope and server of `{path}` contradict each other"));
            }
            if let Some(server) = &artifact.server
                && !servers.contains(server.as_str())
            {
                return refuse(format!(
                    "`{path}` is for `{server}`, which is not a server of the bundle"
                ));
            }
            if let Rollback::Artifact(undo) = &artifact.rollback
                && !paths.contains(undo)
            {
                return refuse(format!(
                    "`{path}` is undone by `{undo}`, which is not in the bundle"
                ));
            }
        }
        if let Some(tool) = &self.tool {
            if tool.path.as_str() != TOOL {
                return refuse(format!("the program is called `{}`, not `{TOOL}`", tool.path));
            }
            if let Some(other) = keys.get(&tool.path.collision_key()) {
                return refuse(format!("`{other}` and the program are one file on Windows"));
            }
        }
        if self.bundle.id != id(&self.artifacts, self.tool.as_ref()) {
            return refuse("the id of the bundle is not the one of its artifacts".into());
        }
        Ok(())
    }
}

/// Whether a line of a manifest holds what a terminal shows as it is: no control character, none that changes the direction of
/// a text or is invisible, also none that is written as an escape. cbgen writes only `\"` and `\\`.
fn is_plain(line: &str) -> bool {
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let plain = match character {
            '\\' => matches!(characters.next(), Some('"' | '\\')),
            other => unseen(other).is_none(),
        };
        if !plain {
            return false;
        }
    }
    true
}

/// The id of a bundle with these artifacts and this program.
pub fn id(artifacts: &[Artifact], tool: Option<&Tool>) -> Digest {
    let artifacts = artifacts.iter().map(|artifact| (&artifact.path, artifact.sha256));
    let tool = tool.map(|tool| (&tool.path, tool.sha256));
    let in_order: BTreeMap<&BundlePath, Digest> = artifacts.chain(tool).collect();
    Digest::of(sums(in_order).as_bytes())
}
