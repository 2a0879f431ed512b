//! `cbgen plan`: what applying a bundle would change on this server.

use std::path::Path;

use crate::change::apply::{damaged, state_failed};
use crate::change::disk::{Disk as _, Found, RealDisk};
use crate::change::history::History;
use crate::change::journal::Journal;
use crate::change::machine::Machine as _;
use crate::change::plan::{Desk, Plan, html, text};
use crate::change::state::{LARGEST, State, put};
use crate::change::steps::Package as _;
use crate::codes;
use crate::diag::Diagnostic;
use crate::report::escape_hidden;

use super::change::{open, selection, server, tell};
use super::change_args::{PlanArguments, PlanFormat};
use super::exit::Exit;
use super::machine::RealMachine;
use super::session::Session;

/// Plans and prints.
pub(super) fn run(session: &mut Session, arguments: &PlanArguments) {
    let machine = RealMachine::new();
    let Some(package) = open(session, &arguments.bundle, arguments.signers.as_deref()) else {
        return;
    };
    let Some(server) = server(session, &arguments.place, Some(&package), &machine.computer()) else {
        return;
    };
    let bundle = &package.manifest().bundle;
    let state = State::of(&server, &RealDisk, &bundle.name, &bundle.version);
    let journal = match Journal::open(&RealDisk, state.journal()) {
        Ok(journal) => journal,
        Err(error) => {
            tell(session, &[state_failed(&state.windows, &error)]);
            session.raise(Exit::Failure);
            return;
        }
    };
    let history = History::of(&journal.reading.lines);
    let desk = Desk {
        package: &package,
        server: &server,
        disk: &RealDisk,
        machine: &machine,
        history: &history,
    };
    let Some(selection) = selection(session, &desk, &arguments.steps) else {
        return;
    };
    let mut plan = desk.plan(&selection);
    plan.problems.extend(damaged(&journal));
    if let Some(running) = state.busy(&RealDisk) {
        plan.notes
            .push(crate::change::apply::busy(running.as_ref()).message);
    }
    finish(session, arguments, &plan);
}

/// What stands where a plan is to be written must be nothing or a plan: a slip of the finger must cost no bundle and no file of
/// the server.
fn may_be_replaced(file: &Path) -> Result<(), String> {
    match RealDisk.look(file) {
        Ok(None) => Ok(()),
        Ok(Some(Found::File(_))) => {
            let is_plan = RealDisk
                .read(file, LARGEST)
                .is_ok_and(|bytes| Plan::read(&bytes).is_ok());
            let why = "a file is there that is no plan of this version, and it is kept";
            is_plan.then_some(()).ok_or_else(|| why.to_owned())
        }
        Ok(Some(Found::Folder | Found::Link | Found::Other)) => {
            Err("something else than a file is there, and it is kept".to_owned())
        }
        Err(error) => Err(error.to_string()),
    }
}

fn finish(session: &mut Session, arguments: &PlanArguments, plan: &Plan) {
    let written = |file: &Path| {
        may_be_replaced(file)?;
        put(&RealDisk, file, escape_hidden(&plan.to_text()).as_bytes()).map_err(|error| error.to_string())
    };
    if let Some(file) = &arguments.output
        && let Err(error) = written(file)
    {
        session.fail(
            Diagnostic::new(
                codes::OUTPUT_FAILED,
                format!("the plan cannot be written: {error}"),
            )
            .in_file(file.to_string_lossy().replace('\\', "/"))
            .help("name a new file in a folder that is there"),
        );
    }
    let text = match arguments.format {
        PlanFormat::Text => text::render(plan),
        PlanFormat::Json => escape_hidden(&plan.to_text()),
        PlanFormat::Html => html::render(plan),
    };
    session.print(&text);
    if plan.is_blocked() {
        tell(session, &plan.obstacles());
        session.raise(Exit::Failure);
    } else if plan.is_pending() {
        session.raise(Exit::Findings);
    }
}
