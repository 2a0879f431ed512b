//! Linted texts to a bundle: what the manifest says about the inputs, the servers, the warnings and every artifact.
//!
//! It is the last place that knows both the compiler's phases and the bundle; `bundle` itself knows no phase, so that
//! the server's desk can read bundles without the compiler.

use crate::bundle::{self, ArtifactRecord, Bundle, BundleIdentity, Part};
use crate::contract::artifact::{Effect, Rollback, Scope};
use crate::contract::digest::Digest;
use crate::contract::manifest::{InputDigest, ServerEntry, Warning};
use crate::contract::path::BundlePath;
use crate::contract::phase::Phase;
use crate::contract::runbook::RUNBOOK;
use crate::diag::{Diagnostics, Reported};
use crate::formats::Format;
use crate::inventory::Loaded;
use crate::inventory::program::Program;
use crate::inventory::workspace::recorded_name;
use crate::lint::Linted;
use crate::source::Span;

/// Makes the bundle of a compiled inventory. `folder` is where the workspace lies, `overlay` the digests of the
/// templates laid over the built-in ones, `program` what comes along in the archive.
///
/// # Errors
/// Those of [`bundle::bundle`].
///
/// # Panics
/// When what was loaded names no file it was read from.
pub fn assemble(
    diagnostics: &mut Diagnostics,
    folder: &str,
    loaded: &Loaded,
    overlay: &[InputDigest],
    linted: Linted<'_>,
    program: Option<Program>,
) -> Result<Bundle, Reported> {
    let (rendered, digests) = linted.into_parts();
    let facts = &rendered.plan.facts;
    let identity = BundleIdentity {
        name: facts.bundle.name.clone(),
        version: facts.bundle.version.clone(),
        change: facts.bundle.change.clone(),
        window: rendered.plan.window(),
    };
    let main = loaded
        .inputs
        .first()
        .map(|input| input.name.as_str())
        .expect("an inventory that was read is its own first input");
    let mut inputs: Vec<InputDigest> = loaded
        .inputs
        .iter()
        .map(|input| InputDigest {
            path: recorded_name(folder, main, &input.name),
            sha256: Digest::of(input.text.as_bytes()),
        })
        .collect();
    inputs.extend(overlay.iter().cloned());
    inputs.extend(program.iter().map(|program| InputDigest {
        path: recorded_name(folder, main, &program.name),
        sha256: Digest::of(&program.bytes),
    }));
    let servers = facts
        .servers
        .iter()
        .map(|server| ServerEntry {
            name: server.name.clone(),
            fqdn: server.fqdn.clone(),
            roles: server.roles.clone(),
        })
        .collect();
    let warnings = rendered
        .plan
        .warnings
        .iter()
        .filter(|warning| warning.accepted.is_none())
        .map(|warning| Warning {
            code: warning.code.id().to_owned(),
            message: warning.message.clone(),
        })
        .collect();
    let runbook = rendered.runbook.to_text();
    let mut parts: Vec<Part> = rendered
        .plan
        .entries
        .iter()
        .zip(rendered.texts.into_iter().zip(digests))
        .filter_map(|(entry, (text, review_sha256))| {
            let front = &entry.template.front;
            Some(Part {
                path: entry.path.clone()?,
                text,
                review_sha256,
                record: ArtifactRecord {
                    scope: front.scope,
                    server: entry
                        .server
                        .and_then(|server| Some(facts.servers.get(server)?.name.clone())),
                    title: entry.title.clone(),
                    requirements: front.requirements.clone(),
                    target: entry.target.clone(),
                    format: front.format,
                    effect: front.effect?,
                    phase: front.phase,
                    rollback: entry.rollback.clone(),
                    restarts: entry.restarts.clone(),
                },
                origin: Some(Span::new(entry.template.file, 0..3)),
            })
        })
        .collect();
    // The name is a constant that parses; a bundle without it would be refused by every reader of runbooks.
    parts.extend(BundlePath::parse(RUNBOOK).ok().map(|path| Part {
        path,
        review_sha256: Digest::of(runbook.as_bytes()),
        text: runbook,
        record: ArtifactRecord {
            scope: Scope::Bundle,
            server: None,
            title: "Runbook as data".into(),
            requirements: Vec::new(),
            target: None,
            format: Format::Json,
            effect: Effect::Read,
            phase: Phase::Prepare,
            rollback: Rollback::Nothing,
            restarts: Vec::new(),
        },
        origin: None,
    }));
    let bundle = bundle::bundle(diagnostics, identity, inputs, servers, warnings, parts)?;
    Ok(match program {
        Some(program) => bundle.with_tool(program.bytes),
        None => bundle,
    })
}
