//! `cbgen show`: an inventory as it is compiled.

use crate::check::secrets::refuse_secrets;
use crate::codes;
use crate::diag::Diagnostic;
use crate::{reference, show};

use super::answers;
use super::args::{AnswerFormat, Show};
use super::exit::Exit;
use super::session::Session;
use super::workshop::{Workshop, shown};

/// Prints the inventory or a part of it; its mistakes are findings as in `check`, and so is a key it does not have.
pub(super) fn run(session: &mut Session, arguments: &Show) {
    let inventories = std::slice::from_ref(&arguments.inventory);
    let Ok(workshop) = Workshop::open_for(session, None, inventories) else {
        return;
    };
    let name = shown(&arguments.inventory);
    let text = workshop.with_run(session, &arguments.inventory, |workshop, run| {
        let loaded = workshop.compiler.load(run, &workshop.workspace, &name)?;
        // What no finding prints is not printed here either.
        refuse_secrets(run.diagnostics, &loaded);
        run.diagnostics.checkpoint()?;
        match show::part(&loaded, run.sources, arguments.key.as_deref()) {
            Ok(part) => Ok(match arguments.format {
                AnswerFormat::Text => part.text(),
                AnswerFormat::Json => answers::json(&answers::Shown {
                    format: answers::FORMAT,
                    inventory: name.clone(),
                    values: part.entries(),
                }),
            }),
            Err(missing) => Err(run.diagnostics.error(no_such_key(&name, &missing))),
        }
    });
    match text {
        Some(text) => session.print(&text),
        None => session.raise(Exit::Findings),
    }
}

fn no_such_key(inventory: &str, missing: &show::NoSuchKey) -> Diagnostic {
    let finding = |message: String| Diagnostic::new(codes::UNKNOWN_INVENTORY_KEY, message).in_file(inventory);
    let dot = if missing.section.is_empty() { "" } else { "." };
    let wanted = format!("{}{dot}{}", missing.section, missing.part);
    // What the inventory is made of, and not a part of what it is.
    let elsewhere = match missing.part.as_str() {
        "defaults" if missing.section.is_empty() => Some(("laid below each server", " servers")),
        "extends" if missing.section.is_empty() => Some(("followed", "")),
        _ => None,
    };
    if let Some((what, key)) = elsewhere {
        return finding(format!("`{wanted}` is {what} before an inventory is shown")).help(format!(
            "`cbgen show {inventory}{key}` prints each value with the line it comes from"
        ));
    }
    if let Some(key) = reference::key_at(&wanted) {
        let note = match &key.default {
            Some(default) => format!("its default is `{default}`"),
            None => key.meaning,
        };
        let path = key.path.replace("[]", "");
        return finding(format!("`{wanted}` is not set here"))
            .note(note)
            .help(format!("`cbgen explain {path}` says what it takes"));
    }
    let section = if missing.section.is_empty() {
        "an inventory".to_owned()
    } else {
        format!("`{}`", missing.section)
    };
    let finding = finding(format!("{section} has no `{}` here", missing.part));
    match &missing.near {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help(format!("`cbgen show {inventory}` prints every key")),
    }
}
