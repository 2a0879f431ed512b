//! `cbgen status`: whether this server is what the last apply made it.

use std::collections::BTreeSet;

use crate::change::apply::state_failed;
use crate::change::disk::{Disk as _, RealDisk};
use crate::change::evidence;
use crate::change::machine::Machine as _;
use crate::change::plan::Problem;
use crate::change::rollback::nothing_known;
use crate::change::state::{LARGEST, State};
use crate::change::status::{Status, status};
use crate::change::steps::Package;
use crate::codes;
use crate::diag::{Diagnostic, one_of};
use crate::report::{escape_hidden, visible_lines};

use super::bundles::flaw_finding;
use super::change::{open, server, tell};
use super::change_args::{StatusArguments, StatusFormat};
use super::exit::Exit;
use super::machine::RealMachine;
use super::session::Session;

/// Looks and prints.
pub(super) fn run(session: &mut Session, arguments: &StatusArguments) {
    if let Some(file) = &arguments.evidence {
        return print_evidence(session, file);
    }
    let machine = RealMachine::new();
    let package = match &arguments.bundle {
        None => None,
        Some(bundle) => match open(session, bundle, None) {
            None => return,
            opened => opened,
        },
    };
    let bundle = package.as_ref().map(|package| package as &dyn Package);
    let Some(server) = server(session, &arguments.place, bundle, &machine.computer()) else {
        return;
    };
    let states = match bundle {
        Some(package) => {
            let bundle = &package.manifest().bundle;
            vec![State::of(&server, &RealDisk, &bundle.name, &bundle.version)]
        }
        None => match State::all(&server, &RealDisk) {
            Ok(states) => states,
            Err(error) => return refuse(session, &state_failed(&server.program_data(), &error)),
        },
    };
    let mut known = Vec::new();
    for state in states {
        match state.is_there(&RealDisk) {
            Ok(true) => known.push(state),
            Ok(false) => {}
            Err(error) => return refuse(session, &state_failed(&state.windows, &error)),
        }
    }
    if known.is_empty() {
        return refuse(session, &nothing_known(&server, &server.program_data()));
    }
    match status(&server, &RealDisk, &known) {
        Ok(status) if is_elsewhere(arguments, &status) => {
            let places = status.runs.iter().map(|run| run.place.as_str());
            let places: BTreeSet<&str> = places.collect();
            session.fail(
                Diagnostic::new(
                    codes::PLACE_UNKNOWN,
                    format!("no run here is of `{}`", server.place),
                )
                .help(format!("runs are of {}", one_of(places))),
            );
        }
        Ok(status) => {
            session.print(&match arguments.format {
                StatusFormat::Text => visible_lines(&status.to_table()) + "\n",
                StatusFormat::Json => escape_hidden(&status.to_text()),
            });
            if status.has_findings() {
                session.raise(Exit::Findings);
            }
        }
        Err(error) => refuse(session, &state_failed(&server.program_data(), &error)),
    }
}

fn refuse(session: &mut Session, problem: &Problem) {
    tell(session, std::slice::from_ref(problem));
    session.raise(Exit::Failure);
}

/// Whether a server was named that no run here is of.
fn is_elsewhere(arguments: &StatusArguments, status: &Status) -> bool {
    let is_of = |name: &str| status.runs.iter().any(|run| run.place.eq_ignore_ascii_case(name));
    arguments.place.server.as_deref().is_some_and(|name| !is_of(name)) && !status.runs.is_empty()
}

fn print_evidence(session: &mut Session, file: &std::path::Path) {
    let name = file.to_string_lossy().replace('\\', "/");
    let Some(bytes) = read(session, file) else { return };
    match evidence::read(&bytes) {
        Ok(evidence) => session.print(&(visible_lines(&evidence::table(&evidence)) + "\n")),
        Err(flaws) => {
            for flaw in &flaws {
                session.report_alone(flaw_finding(&name, flaw));
            }
        }
    }
}

fn read(session: &mut Session, file: &std::path::Path) -> Option<Vec<u8>> {
    match RealDisk.read(file, LARGEST) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            session.fail(
                Diagnostic::new(
                    codes::UNREADABLE_FILE,
                    format!("the evidence cannot be read: {error}"),
                )
                .in_file(file.to_string_lossy().replace('\\', "/")),
            );
            None
        }
    }
}
