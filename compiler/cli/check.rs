//! `cbgen check`: the diagnostics of each inventory and nothing else.

use crate::report::Counts;

use super::answers;
use super::args::{AnswerFormat, Check};
use super::exit::Exit;
use super::session::Session;
use super::workshop::{Workshop, in_run, shown};

/// Checks every inventory as a build would, up to the parse-back; an error in one does not stop the others.
pub(super) fn run(session: &mut Session, arguments: &Check) {
    let opened = Workshop::open_for(
        session,
        arguments.templates.templates.as_deref(),
        &arguments.inventories,
    );
    let workshop = match opened {
        Ok(workshop) => workshop,
        Err(found) => return answer(session, arguments, found.into_iter().map(not_compiled).collect()),
    };
    let mut found = Vec::new();
    for inventory in &arguments.inventories {
        let name = shown(inventory);
        let (compiler, workspace) = (&workshop.compiler, &workshop.workspace);
        let (compiled, sources, diagnostics) = in_run(compiler.sources(), |run| {
            let compiled = compiler.compile(run, workspace, &name);
            if arguments.lint {
                compiler.lint_inventory(run, workspace, &name);
            }
            compiled
        });
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
    answer(session, arguments, found);
}

/// What is said of an inventory when templates have mistakes.
fn not_compiled((inventory, counts): (String, Counts)) -> answers::Checked {
    answers::Checked {
        inventory,
        compiles: false,
        errors: counts.errors,
        warnings: counts.warnings,
    }
}

fn answer(session: &mut Session, arguments: &Check, inventories: Vec<answers::Checked>) {
    if arguments.format == AnswerFormat::Json {
        session.print(&answers::json(&answers::Checks {
            format: answers::FORMAT,
            inventories,
        }));
    }
}
