//! `cbgen plan`: what applying a bundle would change on this server.

use std::path::Path;

use crate::change::apply::{busy, damaged};
use crate::change::disk::{Disk as _, Found, RealDisk};
use crate::change::history::History;
use crate::change::plan::{Plan, html, text};
use crate::change::state::{LARGEST, put};
use crate::codes;
use crate::diag::Diagnostic;
use crate::report::escape_hidden;

use super::change::{begin, refuse, selection};
use super::change_args::{PlanArguments, PlanFormat};
use super::exit::Exit;
use super::machine::RealMachine;
use super::session::Session;
use super::workshop::shown;

/// Plans and prints.
pub(super) fn run(session: &mut Session, arguments: &PlanArguments) {
    let machine = RealMachine::new();
    let Some(begun) = begin(session, &arguments.work, &machine) else {
        return;
    };
    let history = History::of(&begun.journal.reading.lines);
    let desk = begun.desk(&machine, &history);
    let Some(selection) = selection(session, &desk, &arguments.work.steps) else {
        return;
    };
    let mut plan = desk.plan(&selection);
    plan.problems.extend(damaged(&begun.journal));
    if let Some(running) = begun.state.busy(&RealDisk) {
        plan.notes.push(busy(running.as_ref()).message);
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
            .in_file(shown(file))
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
        refuse(session, &plan.obstacles());
    } else if plan.is_pending() {
        session.raise(Exit::Findings);
    }
}
