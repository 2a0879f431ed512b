//! `cbgen rollback`: takes back the last run on this server.

use crate::change::apply::state_failed;
use crate::change::disk::RealDisk;
use crate::change::rollback::{End, Way, nothing_known, rollback};
use crate::change::state::State;
use crate::change::steps::Package;
use crate::contract::runbook::StepNumber;

use super::change::{named, refuse, state_of};
use super::change_args::RollbackArguments;
use super::exit::Exit;
use super::machine::RealMachine;
use super::session::Session;

/// Goes back, and says how that ended.
pub(super) fn run(session: &mut Session, arguments: &RollbackArguments) {
    let machine = RealMachine::new();
    let bundle = arguments.bundle.as_deref();
    let Some((package, server)) = named(session, bundle, &arguments.place, &machine) else {
        return;
    };
    let state = match &package {
        Some(package) => Ok(Some(state_of(&server, package))),
        None => State::last(&server, &RealDisk),
    };
    let folder = server.program_data();
    let state = match state {
        Ok(Some(state)) => state,
        Ok(None) => return refuse(session, &[nothing_known(&server, &folder)]),
        Err(error) => return refuse(session, &[state_failed(&folder, &error)]),
    };
    let texts = |steps: &[StepNumber]| steps.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (overwrite, leave) = (texts(&arguments.overwrite), texts(&arguments.leave));
    let way = Way {
        server: &server,
        disk: &RealDisk,
        machine: &machine,
        package: package.as_ref().map(|package| package as &dyn Package),
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
            refuse(session, &problems);
            session.note("nothing on the server was changed\n");
        }
        End::Incomplete(problems) => {
            refuse(session, &problems);
            session.note("NOT everything was taken back: `cbgen status` shows what is left\n");
        }
    }
}
