//! `cbgen verify`: whether a bundle is what was built, and who says so; whether evidence is what was written.

use std::fmt::Write as _;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::args::{AnswerFormat, Verify};
use super::session::Session;
use crate::change::evidence::{self, Flaw, Summary};
use crate::change::moment::Seconds;
use crate::change::signers::Signers;
use crate::change::verify::{Form, VerifiedBundle, Vouchers, verify};
use crate::codes;
use crate::contract::digest::Digest;
use crate::diag::{Diagnostic, Diagnostics};
use crate::files::{DiskFiles, Files as _};
use crate::report::{counted, escape_hidden, visible};
use crate::source::Sources;

/// Largest file of signers.
const LARGEST: u64 = 4 << 20;
/// Largest evidence: a run of 10,000 steps writes a tenth of it.
const LARGEST_EVIDENCE: u64 = 64 << 20;

/// Checks one bundle or the evidence of one run, and says what it is, or everything that is wrong with it.
pub(super) fn run(session: &mut Session, arguments: &Verify) {
    match (&arguments.evidence, &arguments.bundle) {
        (Some(file), _) => of_evidence(session, file, arguments),
        (None, Some(bundle)) => of_bundle(session, bundle, arguments),
        // The command line asks for one of them.
        (None, None) => {}
    }
}

fn of_bundle(session: &mut Session, place: &Path, arguments: &Verify) {
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
    match verify(&files, place, vouchers) {
        Ok(bundle) => {
            session.print(&match arguments.format {
                AnswerFormat::Text => answer(&bundle),
                AnswerFormat::Json => line(&BundleAnswer::of(&bundle)),
            });
            report(session, &shown(place), bundle.warnings().to_vec());
        }
        Err(findings) => report(session, &shown(place), findings),
    }
}

/// A bundle that is in order, for programs. One that is not has findings, which have formats of their own.
#[derive(Serialize, JsonSchema)]
pub(super) struct BundleAnswer<'a> {
    /// Its name.
    bundle: &'a str,
    /// Its version.
    version: &'a str,
    /// Number of the change request.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<&'a str>,
    /// Files in it.
    files: usize,
    /// `deployed`, or `review` for a tree of `out/`.
    form: &'static str,
    /// Digest of its `SHA256SUMS`, which covers everything.
    seal: Digest,
    /// Id of the manifest.
    id: Digest,
    /// Absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<SignatureAnswer<'a>>,
}

/// The signature of a bundle.
#[derive(Serialize, JsonSchema)]
struct SignatureAnswer<'a> {
    /// Fingerprint of the key.
    key: String,
    /// Who vouches for it; absent when nobody was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
}

impl<'a> BundleAnswer<'a> {
    fn of(bundle: &'a VerifiedBundle<'_>) -> Self {
        let record = &bundle.manifest().bundle;
        Self {
            bundle: &record.name,
            version: &record.version,
            change: record.change.as_deref(),
            files: bundle.files().count(),
            form: match bundle.form() {
                Form::Deployed => "deployed",
                Form::Review => "review",
            },
            seal: bundle.seal(),
            id: record.id,
            signature: bundle.signed().map(|signed| SignatureAnswer {
                key: signed.signature.fingerprint().clone(),
                by: signed.principals.as_deref(),
            }),
        }
    }
}

/// Evidence, for programs: what it is about when it is whole, and what does not fit.
#[derive(Serialize, JsonSchema)]
pub(super) struct EvidenceAnswer<'a> {
    /// The file as it was named.
    file: &'a str,
    /// Nothing was changed, removed or added.
    is_whole: bool,
    /// Whether the seal is the one that was given; absent when none was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    seal_fits: Option<bool>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    summary: Option<Summary<'a>>,
    /// What does not fit.
    flaws: &'a [Flaw],
}

fn line<T: Serialize>(answer: &T) -> String {
    // Texts, numbers and lists of them always have a JSON form.
    escape_hidden(&serde_json::to_string(answer).unwrap_or_default()) + "\n"
}

/// Checks the evidence of a run.
fn of_evidence(session: &mut Session, file: &Path, arguments: &Verify) {
    let name = shown(file);
    let bytes = match DiskFiles::new("").read(file, LARGEST_EVIDENCE) {
        Ok(bytes) => bytes,
        Err(error) => {
            let finding = Diagnostic::new(
                codes::UNREADABLE_FILE,
                format!("`{name}` cannot be read: {error}"),
            )
            .in_file(name.clone())
            .help("name a file of the folder `evidence` in the state folder of the bundle");
            return report(session, &name, vec![finding]);
        }
    };
    let (read, mut flaws) = match evidence::read(&bytes) {
        Ok(read) => (Some(read), Vec::new()),
        Err(flaws) => (None, flaws),
    };
    let summary = read.as_ref().and_then(evidence::summary);
    let is_whole = flaws.is_empty();
    let fits = summary
        .as_ref()
        .and_then(|summary| arguments.seal.map(|seal| seal == summary.seal));
    if let (Some(summary), Some(seal), Some(false)) = (&summary, arguments.seal, fits) {
        flaws.push(Flaw {
            line: summary.lines + 1,
            message: format!(
                "the seal is {}, and not {seal} of the change record: the file was written anew",
                summary.seal
            ),
        });
    }
    match (arguments.format, &summary) {
        (AnswerFormat::Json, _) => session.print(&line(&EvidenceAnswer {
            file: &name,
            is_whole,
            seal_fits: fits,
            summary: summary.clone(),
            flaws: &flaws,
        })),
        (AnswerFormat::Text, Some(summary)) if flaws.is_empty() => {
            session.print(&evidence_answer(summary, fits.is_some()));
        }
        (AnswerFormat::Text, _) => {}
    }
    report(
        session,
        &name,
        flaws.iter().map(|flaw| flaw_finding(&name, flaw)).collect(),
    );
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

fn evidence_answer(summary: &Summary<'_>, is_compared: bool) -> String {
    let change = summary
        .change
        .map_or(String::new(), |change| format!(", {change}"));
    let seal = if is_compared {
        "the one of the change record"
    } else {
        "compare with the change record: who writes a file anew also seals it anew"
    };
    let lines = [
        format!(
            "run {} of {} {}{change} on {}: {}, complete and unchanged",
            summary.run,
            summary.bundle,
            summary.version,
            summary.place,
            counted(summary.lines, "line")
        ),
        format!(
            "by         {} at {} with cbgen {}",
            summary.by.user, summary.by.computer, summary.by.tool
        ),
        format!("time       {} to {}", summary.from, summary.until),
        format!("ends with  {}", summary.ends_with),
        format!("bundle     {}   (its seal)", summary.bundle_seal),
        format!("seal       {}   ({seal})", summary.seal),
    ];
    // Who wrote the file may have written anything that a terminal obeys.
    lines
        .iter()
        .map(|line| visible(line).into_owned() + "\n")
        .collect()
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
