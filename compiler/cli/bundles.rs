//! What commands say alike about finished bundles: who may sign them, what they hold, what is wrong with evidence.
//!
//! This file must not decide whether a bundle is in order.

use std::path::Path;

use crate::change::evidence::Flaw;
use crate::change::signers::Signers;
use crate::change::verify::Form;
use crate::codes;
use crate::diag::Diagnostic;
use crate::files::{DiskFiles, Files as _};

use super::workshop::{shown, unreadable};

/// Largest file of signers.
const LARGEST: u64 = 4 << 20;

/// Reads a file of allowed signers.
pub(super) fn read_signers(files: &DiskFiles, path: &Path) -> Result<Signers, Vec<Diagnostic>> {
    let name = shown(path);
    let bytes = files.read(path, LARGEST).map_err(|error| {
        let help = "name a file of allowed signers, as `ssh-keygen -Y verify -f` reads it";
        vec![unreadable(&name, &error).help(help)]
    })?;
    Signers::read(&bytes).map_err(|errors| {
        let finding = |line: usize, message: &str| {
            let place = if line == 0 { format!("`{name}`") } else { format!("line {line} of `{name}`") };
            Diagnostic::new(codes::SIGNERS_MALFORMED, format!("{place} cannot be used: {message}"))
                .in_file(name.clone())
                .help("a line is NAMES, options, kind of key, key: `release@acme namespaces=\"cbgen\" ssh-ed25519 AAAA…`")
        };
        errors.iter().map(|error| finding(error.line, &error.message)).collect()
    })
}

/// What a form is called, and what it is for.
pub(super) fn form(form: Form) -> (&'static str, &'static str) {
    match form {
        Form::Deployed => ("deployed bytes", "what the servers get"),
        Form::Review => (
            "review texts",
            "what people read; what the servers get is in the archive",
        ),
    }
}

/// What does not fit in evidence.
pub(super) fn flaw_finding(name: &str, flaw: &Flaw) -> Diagnostic {
    Diagnostic::new(
        codes::EVIDENCE_BROKEN,
        format!("line {}: {}", flaw.line, flaw.message),
    )
    .in_file(name)
    .help("take the file from the server again; compare the seal with the one in the change record")
}
