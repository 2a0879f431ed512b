//! `cbgen explain`: the page of a diagnostic code.

use crate::codes;
use crate::diag::{self, Diagnostic};
use crate::explain;

use super::args::Explain;
use super::session::Session;

/// Prints the page. `error[CB0201]` copied from a message is understood too.
pub(super) fn run(session: &mut Session, arguments: &Explain) {
    let wanted = arguments.code.rsplit('[').next().unwrap_or_default();
    let wanted = wanted.trim_end_matches([']', ':']).trim();
    match codes::find(wanted).and_then(explain::page) {
        Some(page) => session.print(page),
        None => session.report_alone(unknown_code(wanted)),
    }
}

fn unknown_code(wanted: &str) -> Diagnostic {
    let finding = Diagnostic::new(
        codes::UNKNOWN_CODE,
        format!("no diagnostic has the code `{wanted}`"),
    );
    match diag::nearest(wanted, codes::ALL.iter().map(|code| code.id())) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help("a code looks like `CB0201`"),
    }
}
