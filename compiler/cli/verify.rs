//! `cbgen verify`: whether a bundle is what was built, and who says so; whether evidence is what was written.

use std::path::Path;

use serde::Serialize;

use crate::change::evidence::{self, Flaw, Summary};
use crate::change::verify::{VerifiedBundle, Vouchers, verify};
use crate::files::{DiskFiles, Files as _};
use crate::json;
use crate::report::{counted, escape_hidden, visible};

use super::answers::{BundleAnswer, EvidenceAnswer};
use super::args::{AnswerFormat, Verify};
use super::bundles::{flaw_finding, form, read_signers};
use super::clock;
use super::session::Session;
use super::workshop::{shown, unreadable};

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
            Err(findings) => return session.report_files(&shown(path), findings),
        },
    };
    let vouchers = signers.as_ref().map(|(signers, name)| Vouchers {
        signers,
        name,
        now: clock::now(),
    });
    match verify(&files, place, vouchers) {
        Ok(bundle) => {
            session.print(&match arguments.format {
                AnswerFormat::Text => answer(&bundle),
                AnswerFormat::Json => line(&BundleAnswer::of(&bundle)),
            });
            session.report_files(&shown(place), bundle.warnings().to_vec());
        }
        Err(findings) => session.report_files(&shown(place), findings),
    }
}

fn line<T: Serialize>(answer: &T) -> String {
    escape_hidden(&json::compact(answer)) + "\n"
}

/// Checks the evidence of a run.
fn of_evidence(session: &mut Session, file: &Path, arguments: &Verify) {
    let name = shown(file);
    let bytes = match DiskFiles::new("").read(file, LARGEST_EVIDENCE) {
        Ok(bytes) => bytes,
        Err(error) => {
            let help = "name a file of the folder `evidence` in the state folder of the bundle";
            return session.report_files(&name, vec![unreadable(&name, &error).help(help)]);
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
    session.report_files(
        &name,
        flaws.iter().map(|flaw| flaw_finding(&name, flaw)).collect(),
    );
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

fn answer(bundle: &VerifiedBundle<'_>) -> String {
    let manifest = bundle.manifest();
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
    lines.join("\n") + "\n"
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
