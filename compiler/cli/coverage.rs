//! `cbgen coverage`: every guide requirement with what became of it in one installation.

use super::answers;
use super::args::{AnswerFormat, Coverage};
use super::exit::Exit;
use super::session::Session;
use super::workshop::{Workshop, shown};

/// Prints the table; a requirement that is not accounted for is a finding.
pub(super) fn run(session: &mut Session, arguments: &Coverage) {
    let Ok(workshop) = Workshop::open_for(
        session,
        arguments.templates.templates.as_deref(),
        std::slice::from_ref(&arguments.inventory),
    ) else {
        return;
    };
    let coverage = workshop.with_run(session, &arguments.inventory, |workshop, run| {
        workshop
            .compiler
            .coverage(run, &workshop.workspace, &shown(&arguments.inventory))
    });
    if let Some(coverage) = coverage {
        session.print(&match arguments.format {
            AnswerFormat::Text => coverage.text(),
            AnswerFormat::Json => answers::json(&answers::Covered {
                format: answers::FORMAT,
                inventory: shown(&arguments.inventory),
                requirements: &coverage.rows,
            }),
        });
        if coverage.has_findings() {
            session.raise(Exit::Findings);
        }
    }
}
