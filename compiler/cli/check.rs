//! `cbgen check`: the diagnostics of each inventory and nothing else.

use super::args::Check;
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
    for inventory in &arguments.inventories {
        workshop.with_run(session, inventory, |workshop, run| {
            workshop
                .compiler
                .compile(run, &workshop.workspace, &shown(inventory))
                .map(drop)
        });
    }
}
