//! `cbgen rollback`: takes back the last run on this server.

use crate::change::apply::state_failed;
use crate::change::disk::RealDisk;
use crate::change::machine::Machine as _;
use crate::change::rollback::{End, Way, nothing_known, rollback};
use crate::change::state::State;
use crate::change::steps::Package;
use crate::contract::runbook::StepNumber;

use super::change::{open, server, tell};
use super::change_args::RollbackArguments;
use super::exit::Exit;
use super::machine::RealMachine;
use super::session::Session;

/// Goes back, and says how that ended.
pub(super) fn run(session: &mut Session, arguments: &RollbackArguments) {
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
    let state = match known {
        Some(package) => {
            let bundle = &package.manifest().bundle;
            Some(State::of(&server, &RealDisk, &bundle.name, &bundle.version))
        }
        None => match State::last(&server, &RealDisk) {
            Ok(state) => state,
            Err(error) => {
                tell(session, &[state_failed(&server.program_data(), &error)]);
                session.raise(Exit::Failure);
                return;
            }
        },
    };
    let Some(state) = state else {
        tell(session, &[nothing_known(&server, &server.program_data())]);
        session.raise(Exit::Failure);
        return;
    };
    let texts = |steps: &[StepNumber]| steps.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (overwrite, leave) = (texts(&arguments.overwrite), texts(&arguments.leave));
    let way = Way {
        server: &server,
        disk: &RealDisk,
        machine: &machine,
        package: known,
        overwrite: &overwrite,
        leave: &leave,
    };
    match rollback(&way, &state) {
        End::Nothing => session.print("nothing to take back\n"),
        End::Back {
            by_hand: 0, kept: 0, ..
        } => {}
        End::Back { .. } => session.raise(Exit::Findings),
        End::Refused(problems) => {
            tell(session, &problems);
            session.raise(Exit::Failure);
            session.note("nothing on the server was changed\n");
        }
        End::Incomplete(problems) => {
            tell(session, &problems);
            session.raise(Exit::Failure);
            session.note("NOT everything was taken back: `cbgen status` shows what is left\n");
        }
    }
}
