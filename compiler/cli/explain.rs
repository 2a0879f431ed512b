//! `cbgen explain`: the page of a diagnostic code, of a requirement or defect of the vendor guide, or of an inventory key.

use crate::catalogue::catalogue;
use crate::codes;
use crate::diag::Diagnostic;
use crate::inventory::accept;
use crate::{explain, reference};

use super::args::Explain;
use super::session::Session;

/// Prints the page. `error[CB0201]` copied from a message is understood too.
pub(super) fn run(session: &mut Session, arguments: &Explain) {
    if arguments.list {
        return session.print(&reference::list(catalogue()));
    }
    let given = arguments.name.as_deref().unwrap_or_default();
    let wanted = match given.split_once('[') {
        Some(("error" | "warning", rest)) => rest.trim_end_matches([']', ':']),
        _ => given,
    }
    .trim();
    match page(wanted) {
        Some(page) => session.print(&page),
        None => session.report_alone(unknown(wanted)),
    }
}

fn page(wanted: &str) -> Option<String> {
    if let Some(code) = codes::find(wanted) {
        let mut page = explain::page(code)?.to_owned();
        if accept::takes(code) {
            page.push_str(&accept(code.id()));
        }
        return Some(page);
    }
    let upper = wanted.to_ascii_uppercase();
    match catalogue().find(&upper) {
        Some(entry) => Some(reference::requirement_page(entry)),
        None => reference::key_page(wanted),
    }
}

/// How every warning about an inventory can be ended.
fn accept(id: &str) -> String {
    format!(
        "\n## When it is right as it is\n\nSay why; it is no finding any more, and the runbook prints it with the reason:\n\n\
         ```yaml\naccept:\n  - {{ code: {id}, reason: what you found, until: 2027-01-31 }}\n```\n"
    )
}

fn unknown(wanted: &str) -> Diagnostic {
    let finding = Diagnostic::new(
        codes::UNKNOWN_CODE,
        format!("nothing is called `{wanted}`: no code, no id of the guide, no key of an inventory"),
    );
    match reference::near(catalogue(), wanted) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help("`cbgen explain --list` prints everything it knows"),
    }
}
