//! `cbgen status`: whether this server is what the last apply made it.

use std::collections::BTreeSet;
use std::path::Path;

use crate::change::apply::state_failed;
use crate::change::disk::{Disk as _, RealDisk};
use crate::change::evidence;
use crate::change::rollback::nothing_known;
use crate::change::state::{LARGEST, State};
use crate::change::status::{Status, status};
use crate::codes;
use crate::diag::{Diagnostic, one_of};
use crate::report::{escape_hidden, visible_lines};

use super::bundles::flaw_finding;
use super::change::{named, refuse, state_of};
use super::change_args::{StatusArguments, StatusFormat};
use super::exit::Exit;
use super::machine::RealMachine;
use super::session::Session;
use super::workshop::shown;

/// Looks and prints.
pub(super) fn run(session: &mut Session, arguments: &StatusArguments) {
    if let Some(file) = &arguments.evidence {
        return print_evidence(session, file);
    }
    let machine = RealMachine::new();
    let bundle = arguments.bundle.as_deref();
    let Some((package, server)) = named(session, bundle, &arguments.place, &machine) else {
        return;
    };
    let folder = server.program_data();
    let states = match &package {
        Some(package) => vec![state_of(&server, package)],
        None => match State::all(&server, &RealDisk) {
            Ok(states) => states,
            Err(error) => return refuse(session, &[state_failed(&folder, &error)]),
        },
    };
    let mut known = Vec::new();
    for state in states {
        match state.is_there(&RealDisk) {
            Ok(true) => known.push(state),
            Ok(false) => {}
            Err(error) => return refuse(session, &[state_failed(&state.windows, &error)]),
        }
    }
    if known.is_empty() {
        return refuse(session, &[nothing_known(&server, &folder)]);
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
        Err(error) => refuse(session, &[state_failed(&folder, &error)]),
    }
}

/// Whether a server was named that no run here is of.
fn is_elsewhere(arguments: &StatusArguments, status: &Status) -> bool {
    let is_of = |name: &str| status.runs.iter().any(|run| run.place.eq_ignore_ascii_case(name));
    arguments.place.server.as_deref().is_some_and(|name| !is_of(name)) && !status.runs.is_empty()
}

fn print_evidence(session: &mut Session, file: &Path) {
    let name = shown(file);
    let bytes = match RealDisk.read(file, LARGEST) {
        Ok(bytes) => bytes,
        Err(error) => {
            let message = format!("the evidence cannot be read: {error}");
            return session.fail(Diagnostic::new(codes::UNREADABLE_FILE, message).in_file(name));
        }
    };
    match evidence::read(&bytes) {
        Ok(evidence) => session.print(&(visible_lines(&evidence::table(&evidence)) + "\n")),
        Err(flaws) => {
            for flaw in &flaws {
                session.report_alone(flaw_finding(&name, flaw));
            }
        }
    }
}
