//! What a manifest says of a bundle as a whole, on both sides: version, change, window, program, compiler and servers.
//!
//! Artifacts are compared elsewhere. This file must not know how a report looks.

use std::collections::BTreeMap;

use super::sides::Snapshot;
use crate::contract::digest::Digest;
use crate::contract::manifest::ServerEntry;
use crate::json;

/// Version and id of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Edition {
    /// Name of the bundle.
    pub name: String,
    /// Where it was found.
    pub origin: String,
    /// Version.
    pub version: String,
    /// Number of the change request.
    pub change: Option<String>,
    /// Change window, as the manifest says it.
    pub window: Option<String>,
    /// Digest of the program that comes along.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<Digest>,
    /// The program that compiled it, with its version.
    pub compiled_by: String,
    /// Its servers, as the manifest says them: by name, what else is said of each.
    pub servers: BTreeMap<String, String>,
    /// Id over all artifacts.
    pub id: Digest,
}

impl Edition {
    /// What the manifest of a snapshot says.
    fn of(snapshot: &Snapshot) -> Self {
        let manifest = &snapshot.manifest;
        let bundle = &manifest.bundle;
        let window = bundle.window.as_ref();
        let said = |server: &ServerEntry| {
            let roles: Vec<String> = server.roles.iter().map(json::word).collect();
            format!("{}, {}", server.fqdn, roles.join(" and "))
        };
        Self {
            name: bundle.name.clone(),
            origin: snapshot.origin.clone(),
            version: bundle.version.clone(),
            change: bundle.change.clone(),
            window: window.map(|window| format!("{} to {}", window.start, window.end)),
            program: manifest.tool.as_ref().map(|tool| tool.sha256),
            compiled_by: format!("{} {}", manifest.generator.name, manifest.generator.version),
            servers: manifest
                .servers
                .iter()
                .map(|server| (server.name.clone(), said(server)))
                .collect(),
            id: bundle.id,
        }
    }

    /// What the head of a report says of it.
    pub(super) fn texts(&self) -> Vec<String> {
        let texts = [
            Some(&self.name),
            Some(&self.version),
            self.change.as_ref(),
            self.window.as_ref(),
        ];
        texts.into_iter().flatten().cloned().collect()
    }

    /// What both editions say of a server in other words: its name, the old text, the new one. Servers of one edition
    /// only, and those with another name, are told elsewhere.
    pub(super) fn servers_said_otherwise<'a>(
        &'a self,
        new: &'a Self,
    ) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
        self.servers.iter().filter_map(|(name, old)| {
            let new = new.servers.get(name)?;
            (old != new).then_some((name.as_str(), old.as_str(), new.as_str()))
        })
    }

    /// Whether what is said of the bundle as a whole differs, apart from its artifacts.
    pub(super) fn differs(&self, new: &Self) -> bool {
        self.version != new.version
            || self.change != new.change
            || self.window != new.window
            || self.program != new.program
            || self.compiled_by != new.compiled_by
            || self.servers_said_otherwise(new).next().is_some()
    }
}

/// A bundle on both sides or on one.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct BundlePair {
    /// Name, the new one when it changed.
    pub name: String,
    /// The old edition.
    pub old: Option<Edition>,
    /// The new edition.
    pub new: Option<Edition>,
}

impl BundlePair {
    /// The editions of both sides.
    pub(super) fn of(old: Option<&Snapshot>, new: Option<&Snapshot>) -> Self {
        Self {
            name: new
                .or(old)
                .map(|snapshot| snapshot.manifest.bundle.name.clone())
                .unwrap_or_default(),
            old: old.map(Edition::of),
            new: new.map(Edition::of),
        }
    }
}
