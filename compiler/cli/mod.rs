//! The command line: typed arguments in, one function per command, an exit code out.
//!
//! Only this folder prints, looks at the environment and measures time. Each command has its own file, which turns
//! arguments into plain values, calls the library, and gives results and diagnostics to the `Session`. No
//! command decides what is wrong with an inventory.

mod answers;
mod apply;
mod args;
mod arguments;
mod build;
mod bundles;
mod change;
mod change_args;
mod check;
mod clock;
mod completions;
mod coverage;
mod diff;
mod edit;
mod exit;
mod explain;
mod folder;
mod git;
mod init;
mod machine;
mod made_with;
mod parallel;
mod phases;
mod project;
mod rollback;
mod schema;
mod server_plan;
mod session;
mod show;
mod sides;
mod sign;
mod status;
mod verify;
mod why;
mod workshop;

use std::ffi::OsString;

use clap::Parser as _;

use args::{Arguments, Command};
use session::Session;

pub use exit::Exit;

/// Runs one command line, its first element the program's name. Mistakes in it are printed and give
/// [`Exit::Failure`]; help and version are printed and give [`Exit::Clean`].
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    match Arguments::try_parse_from(arguments) {
        Ok(arguments) => dispatch(arguments),
        Err(error) => {
            let exit = if error.use_stderr() {
                Exit::Failure
            } else {
                Exit::Clean
            };
            // The reader of a help text may be gone (`cbgen --help | head -1`), which is no failure.
            drop(error.print());
            exit
        }
    }
}

fn dispatch(arguments: Arguments) -> Exit {
    let mut session = Session::new(&arguments.global);
    let mut command = arguments.command;
    if matches!(command, Command::Build(_) | Command::Check(_)) {
        session.hold_errors();
    }
    if project::fill(&mut session, &mut command).is_none() {
        return session.finish();
    }
    match command {
        Command::Build(arguments) => build::run(&mut session, &arguments),
        Command::Check(arguments) => check::run(&mut session, &arguments),
        Command::Show(arguments) => show::run(&mut session, &arguments),
        Command::Why(arguments) => why::run(&mut session, &arguments),
        Command::Diff(arguments) => diff::run(&mut session, &arguments),
        Command::Edit(arguments) => edit::run(&mut session, &arguments),
        Command::Verify(arguments) => verify::run(&mut session, &arguments),
        Command::Sign(arguments) => sign::run(&mut session, &arguments),
        Command::Coverage(arguments) => coverage::run(&mut session, &arguments),
        Command::Plan(arguments) => server_plan::run(&mut session, &arguments),
        Command::Apply(arguments) => apply::run(&mut session, &arguments),
        Command::Rollback(arguments) => rollback::run(&mut session, &arguments),
        Command::Status(arguments) => status::run(&mut session, &arguments),
        Command::Explain(arguments) => explain::run(&mut session, &arguments),
        Command::Schema(arguments) => schema::run(&mut session, &arguments),
        Command::Init(arguments) => init::run(&mut session, &arguments),
        Command::Completions(arguments) => completions::run(&mut session, &arguments),
    }
    session.finish()
}
