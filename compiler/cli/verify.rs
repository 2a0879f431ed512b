//! `cbgen verify`: whether a bundle is what was built, and who says so.

use std::fmt::Write as _;
use std::path::Path;

use super::args::Verify;
use super::session::Session;
use crate::change::moment::Seconds;
use crate::change::signers::Signers;
use crate::change::verify::{Form, VerifiedBundle, Vouchers, verify};
use crate::codes;
use crate::diag::{Diagnostic, Diagnostics};
use crate::files::{DiskFiles, Files as _};
use crate::source::Sources;

/// Largest file of signers.
const LARGEST: u64 = 4 << 20;

/// Checks one bundle and says what it is, or everything that is wrong with it.
pub(super) fn run(session: &mut Session, arguments: &Verify) {
    let files = DiskFiles::new("");
    let signers = match &arguments.signers {
        None => None,
        Some(path) => match read_signers(&files, path) {
            Ok(signers) => Some((signers, shown(path))),
            Err(findings) => return report(session, &shown(path), findings),
        },
    };
    let vouchers = signers.as_ref().map(|(signers, name)| Vouchers {
        signers,
        name,
        now: now(),
    });
    match verify(&files, &arguments.bundle, vouchers) {
        Ok(bundle) => {
            session.print(&answer(&bundle));
            report(session, &shown(&arguments.bundle), bundle.warnings().to_vec());
        }
        Err(findings) => report(session, &shown(&arguments.bundle), findings),
    }
}

/// Seconds since 1970. A clock before that is as wrong as one at zero.
#[expect(
    clippy::disallowed_methods,
    reason = "signers may be valid for a time only; no output depends on it"
)]
pub(super) fn now() -> Seconds {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| {
        Seconds::try_from(since.as_secs()).unwrap_or(Seconds::MAX)
    })
}

/// Reads a file of allowed signers.
pub(super) fn read_signers(files: &DiskFiles, path: &Path) -> Result<Signers, Vec<Diagnostic>> {
    let name = shown(path);
    let bytes = files.read(path, LARGEST).map_err(|error| {
        let message = format!("`{name}` cannot be read: {error}");
        vec![
            Diagnostic::new(codes::UNREADABLE_FILE, message)
                .in_file(name.clone())
                .help("name a file of allowed signers, as `ssh-keygen -Y verify -f` reads it"),
        ]
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

/// Prints findings about files that are no source texts.
pub(super) fn report(session: &mut Session, subject: &str, findings: Vec<Diagnostic>) {
    let mut diagnostics = Diagnostics::new();
    for finding in findings {
        diagnostics.push(finding);
    }
    session.report(subject, &Sources::new(), &diagnostics);
}

fn answer(bundle: &VerifiedBundle<'_>) -> String {
    let manifest = bundle.manifest();
    let mut text = String::new();
    let (form, meaning) = form(bundle.form());
    let change = manifest
        .bundle
        .change
        .as_ref()
        .map_or(String::new(), |change| format!(", {change}"));
    let lines = [
        format!(
            "{} {}{change}: {} files, complete and unchanged",
            manifest.bundle.name,
            manifest.bundle.version,
            bundle.files().count()
        ),
        format!("holds      {form}: {meaning}"),
        format!("signature  {}", signature(bundle)),
        format!(
            "seal       {}   (compare with the review)",
            bundle.seal().spoken()
        ),
        format!("in full    {}", bundle.seal()),
    ];
    for line in lines {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{line}");
    }
    text
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

fn signature(bundle: &VerifiedBundle<'_>) -> String {
    let Some(signed) = bundle.signed() else {
        return "none".into();
    };
    let key = format!(
        "{} {}",
        signed.signature.algorithm(),
        signed.signature.fingerprint()
    );
    match &signed.principals {
        Some(principals) => format!("good, by {} with {key}", principals.escape_debug()),
        None => format!("fits, with {key}; whose key that is says `--signers FILE`"),
    }
}

/// A path for people: forward slashes on every system.
pub(super) fn shown(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}
