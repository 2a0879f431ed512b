//! Small bundles for the tests of this module. No product code may use this file.

use super::{ArtifactRecord, Bundle, BundleIdentity, Part, bundle};
use crate::contract::artifact::Role;
use crate::contract::artifact::{Effect, Rollback, Scope};
use crate::contract::digest::Digest;
use crate::contract::manifest::{InputDigest, ServerEntry, Window};
use crate::contract::path::BundlePath;
use crate::contract::phase::Phase;
use crate::diag::{Diagnostics, Reported};
use crate::formats::Format;

/// An artifact; below `servers/MGMT01/` it belongs to that server.
pub(super) fn part(path: &str, text: &str, format: Format) -> Part {
    let server = path.starts_with("servers/MGMT01/").then(|| "MGMT01".to_owned());
    Part {
        path: BundlePath::parse(path).unwrap(),
        text: text.to_owned(),
        review_sha256: Digest::of(text.as_bytes()),
        record: ArtifactRecord {
            scope: if server.is_some() {
                Scope::Server
            } else {
                Scope::Deployment
            },
            server,
            title: "A title".to_owned(),
            requirements: vec!["NGX-8".to_owned()],
            target: Some(r"C:\target".to_owned()),
            format,
            effect: Effect::ReplaceFile,
            phase: Phase::Proxy,
            rollback: Rollback::Captured,
            restarts: vec!["VHT Reverse Proxy".to_owned()],
        },
        origin: None,
    }
}

/// A bundle `acme` in version 1 of these parts.
pub(super) fn build(diagnostics: &mut Diagnostics, parts: Vec<Part>) -> Result<Bundle, Reported> {
    build_version(diagnostics, "1", parts)
}

/// A bundle `acme` of these parts.
pub(super) fn build_version(
    diagnostics: &mut Diagnostics,
    version: &str,
    parts: Vec<Part>,
) -> Result<Bundle, Reported> {
    let identity = BundleIdentity {
        name: "acme".to_owned(),
        version: version.to_owned(),
        change: Some("CHG0041873".to_owned()),
        window: Some(Window {
            start: "2026-12-05T22:00:00+01:00".to_owned(),
            end: "2026-12-06T02:00:00+01:00".to_owned(),
        }),
    };
    let inputs = vec![InputDigest {
        path: "inventories/acme.yaml".to_owned(),
        sha256: Digest::of(b"inventory"),
    }];
    let servers = vec![ServerEntry {
        name: "MGMT01".to_owned(),
        fqdn: "mgmt01.acme.example".to_owned(),
        roles: vec![Role::Core, Role::Management],
    }];
    bundle(diagnostics, identity, inputs, servers, Vec::new(), parts)
}
