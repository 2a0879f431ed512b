//! `cbgen apply`: carries a bundle out on this server.

use crate::change::apply::{End, Wish, apply, damaged};
use crate::change::disk::{Disk as _, RealDisk};
use crate::change::history::History;
use crate::change::plan::{Desk, Plan};
use crate::change::state::LARGEST;
use crate::change::steps::server_of;
use crate::codes;
use crate::contract::runbook::{StepKind, StepNumber};
use crate::diag::Diagnostic;

use super::change::{begin, refuse, selection};
use super::change_args::ApplyArguments;
use super::exit::Exit;
use super::machine::RealMachine;
use super::session::Session;
use super::workshop::shown;

/// Applies, and says how it ended.
pub(super) fn run(session: &mut Session, arguments: &ApplyArguments) {
    let machine = RealMachine::new();
    let Some(begun) = begin(session, &arguments.work, &machine) else {
        return;
    };
    if let Some(problem) = damaged(&begun.journal) {
        return refuse(session, &[problem]);
    }
    let history = History::of(&begun.journal.reading.lines);
    let desk = begun.desk(&machine, &history);
    let Some(selection) = selection(session, &desk, &arguments.work.steps) else {
        return;
    };
    if !are_there(
        session,
        &desk,
        arguments.done.iter().chain(&arguments.accept_one_way),
    ) || !fit(session, &desk, arguments)
    {
        return;
    }
    let Ok(plan) = read_plan(session, arguments) else {
        return;
    };
    let texts = |numbers: &[StepNumber]| numbers.iter().map(ToString::to_string).collect();
    let wish = Wish {
        selection,
        done: texts(&arguments.done),
        one_way: texts(&arguments.accept_one_way),
        plan,
    };
    match apply(&desk, &begun.state, &wish) {
        End::Nothing => session.print("nothing to do: every step is done already\n"),
        End::Done => {}
        End::Waits => session.raise(Exit::Findings),
        End::Refused(problems) => {
            refuse(session, &problems);
            session.note("nothing on the server was changed\n");
        }
        End::Failed { is_back, problems } => {
            refuse(session, &problems);
            session.note(if is_back {
                "the server is as it was when this run began, or last stopped for a person\n"
            } else {
                "the server is in between: `cbgen status` shows it, `cbgen rollback` goes back\n"
            });
        }
    }
}

fn are_there<'a>(
    session: &mut Session,
    desk: &Desk<'_>,
    numbers: impl Iterator<Item = &'a StepNumber>,
) -> bool {
    let mut all = true;
    for number in numbers {
        let place = server_of(&desk.server.place);
        if desk.package.runbook().step(place, *number).is_none() {
            all = false;
            let message = format!("{} has no step {number}", desk.server.place);
            session.fail(Diagnostic::new(codes::UNKNOWN_STEP, message).help(
                "the numbers stand in RUNBOOK.md of the bundle; `cbgen plan` lists those of this place",
            ));
        }
    }
    all
}

/// Options that name a step they do not fit: a slip of the finger must not pass in silence.
fn fit(session: &mut Session, desk: &Desk<'_>, arguments: &ApplyArguments) -> bool {
    let place = server_of(&desk.server.place);
    let step = |number: &StepNumber| desk.package.runbook().step(place, *number);
    let one_way = arguments.accept_one_way.iter().filter_map(step);
    let one_way = one_way.filter(|step| !step.one_way).map(|step| {
        let help = "leave `--accept-one-way` away for it; `cbgen plan` lists the steps without a way back";
        (
            format!(
                "step {}, {}, has a way back: there is nothing to accept",
                step.number, step.title
            ),
            help,
        )
    });
    let done = arguments.done.iter().filter_map(step);
    let done = done.filter(|step| step.kind != StepKind::Manual && step.needs.is_none()).map(|step| {
        let help = "`--done` is for steps by hand, and for steps that wait for other places; cbgen sees by itself what else is done";
        (format!("step {}, {}, is not done by hand", step.number, step.title), help)
    });
    let misfits: Vec<(String, &str)> = one_way.chain(done).collect();
    for (message, help) in &misfits {
        session.fail(Diagnostic::new(codes::UNKNOWN_STEP, message.clone()).help(*help));
    }
    misfits.is_empty()
}

fn read_plan(session: &mut Session, arguments: &ApplyArguments) -> Result<Option<Plan>, ()> {
    let Some(file) = &arguments.plan else {
        return Ok(None);
    };
    let bytes = RealDisk.read(file, LARGEST).map_err(|error| error.to_string());
    match bytes.and_then(|bytes| Plan::read(&bytes)) {
        Ok(plan) => Ok(Some(plan)),
        Err(why) => {
            session.fail(
                Diagnostic::new(codes::PLAN_UNREADABLE, format!("the plan cannot be read: {why}"))
                    .in_file(shown(file))
                    .help("write a new one with `cbgen plan … -o FILE`"),
            );
            Err(())
        }
    }
}
