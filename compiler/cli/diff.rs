//! `cbgen diff`: the review of two sides.
//!
//! This file prints the report. It must not know how a side is read or compared.

use crate::codes;
use crate::diag::Diagnostic;
use crate::diff::{compare, html, json, markdown, report, text};

use super::args::{Diff, DiffFormat};
use super::exit::Exit;
use super::session::Session;
use super::sides;
use super::workshop::Workshop;

/// Compares and prints; differences give status 1, a side that cannot be read gives 2.
pub(super) fn run(session: &mut Session, arguments: &Diff) {
    if sides::is_same(&arguments.old, &arguments.new) {
        let message = format!("both sides are `{}`", arguments.old);
        let finding = Diagnostic::new(codes::SAME_SIDE, message)
            .help("name the older state first, for example `git:main:inventories/prod.yaml`");
        return session.fail(finding);
    }
    let overlay = arguments.templates.templates.as_deref();
    let Some(workshop) = Workshop::open(session, overlay) else {
        return;
    };
    let sides = [&arguments.old, &arguments.new].map(|label| sides::read(session, &workshop, label, overlay));
    let [Some(old), Some(new)] = sides else {
        return;
    };
    let comparison = compare(&old, &new);
    let report = report(&comparison);
    if report.coverage.compared + report.coverage.one_sided == 0 {
        let finding = Diagnostic::new(codes::NOTHING_TO_COMPARE, "there is nothing to compare")
            .note(format!(
                "neither `{}` nor `{}` holds an artifact",
                old.label, new.label
            ))
            .help("name bundles or inventories that make at least one file");
        return session.fail(finding);
    }
    let output = match arguments.format {
        DiffFormat::Text => text::render(&report, arguments.max_chars),
        DiffFormat::Markdown => markdown::render(&report, arguments.max_chars.unwrap_or(markdown::BUDGET)),
        DiffFormat::Json => json::render(&report),
        DiffFormat::Html => html::render(&report),
    };
    session.print(&output);
    if report.differs() {
        session.raise(Exit::Findings);
    }
}
