//! `cbgen check`: the diagnostics of each inventory and nothing else.

use crate::diag::Diagnostics;
use crate::driver::Run;

use super::answers;
use super::args::{AnswerFormat, Check};
use super::exit::Exit;
use super::session::Session;
use super::workshop::{Workshop, shown};

/// Checks every inventory as a build would, up to the parse-back; an error in one does not stop the others.
pub(super) fn run(session: &mut Session, arguments: &Check) {
    let Some(workshop) = Workshop::open_for(
        session,
        arguments.templates.templates.as_deref(),
        &arguments.inventories,
    ) else {
        return;
    };
    let mut found = Vec::new();
    for inventory in &arguments.inventories {
        let mut sources = workshop.compiler.sources();
        let mut diagnostics = Diagnostics::new();
        let mut run = Run {
            sources: &mut sources,
            diagnostics: &mut diagnostics,
            on_phase: &mut |_| (),
        };
        let name = shown(inventory);
        let compiled = workshop.compiler.compile(&mut run, &workshop.workspace, &name);
        if arguments.lint {
            workshop
                .compiler
                .lint_inventory(&mut run, &workshop.workspace, &name);
        }
        let counts = session.report(&name, &sources, &diagnostics);
        if compiled.is_err() {
            session.raise(Exit::Findings);
        }
        found.push(answers::Checked {
            inventory: name,
            compiles: compiled.is_ok() && counts.errors == 0,
            errors: counts.errors,
            warnings: counts.warnings,
        });
    }
    if arguments.format == AnswerFormat::Json {
        session.print(&answers::json(&answers::Checks {
            format: answers::FORMAT,
            inventories: found,
        }));
    }
}
