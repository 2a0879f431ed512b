//! `cbgen completions`: a completion script for a shell.

use clap::CommandFactory as _;

use super::args::{Arguments, Completions};
use super::session::Session;

/// Prints the script. It is made in memory first, because the generator panics when the reader goes away.
pub(super) fn run(session: &mut Session, arguments: &Completions) {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "cbgen", &mut script);
    session.print(&String::from_utf8_lossy(&script));
}
