//! `cbgen status`: whether this server is what the last apply made it.

use crate::change::apply::state_failed;
use crate::change::disk::{Disk as _, RealDisk};
use crate::change::evidence;
use crate::change::machine::Machine as _;
use crate::change::rollback::nothing_known;
use crate::change::state::{LARGEST, State};
use crate::change::status::status;
use crate::change::steps::Package;
use crate::codes;
use crate::diag::Diagnostic;
use crate::report::{escape_hidden, visible_lines};

use super::change::{fail, open, server, tell};
use super::change_args::{StatusArguments, StatusFormat};
use super::exit::Exit;
use super::machine::RealMachine;
use super::session::Session;
use super::verify::flaw_finding;

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
    let known = package.as_ref().map(|package| package as &dyn Package);
    let Some(server) = server(session, &arguments.place, known, &machine.computer()) else {
        return;
    };
    let states = match known {
        Some(package) => {
            let bundle = &package.manifest().bundle;
            vec![State::of(&server, &RealDisk, &bundle.name, &bundle.version)]
        }
        None => State::all(&server, &RealDisk),
    };
    let is_known = states
        .iter()
        .any(|state| matches!(state.is_there(&RealDisk), Ok(true)));
    if !is_known {
        tell(session, &[nothing_known(&server, &server.program_data())]);
        session.raise(Exit::Failure);
        return;
    }
    match status(&server, &RealDisk, &states) {
        Ok(status) => {
            session.print(&match arguments.format {
                StatusFormat::Text => visible_lines(&status.to_table()) + "\n",
                StatusFormat::Json => escape_hidden(&status.to_text()),
            });
            if status.has_findings() {
                session.raise(Exit::Findings);
            }
        }
        Err(error) => {
            tell(session, &[state_failed(&error)]);
            session.raise(Exit::Failure);
        }
    }
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
            fail(
                session,
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
