//! What of an inventory has no effect (`check --lint`): nothing is wrong with it, and it makes the file longer to read.
//!
//! A key that is equal to its default and confirms an assumption has an effect: it ends a warning. What is kept on purpose can be
//! accepted like any other warning.

use super::accept::OF_THE_LINT;
use super::problem::server_of;
use super::{collect, dotted};
use crate::codes;
use crate::diag::{Diagnostic, Diagnostics};
use crate::inventory::accept::Acceptance;
use crate::inventory::alternatives::{Alternative, Origin, leaves};
use crate::inventory::layers::{Idle, idle};
use crate::inventory::{Loaded, Schema, from_value};
use crate::json;

/// Reports layers and values that others replace, and keys that are equal to their default.
pub fn lint(diagnostics: &mut Diagnostics, schema: &Schema, loaded: &Loaded) {
    let mut found = without_effect(loaded);
    found.extend(equal_to_default(schema, loaded));
    for (index, entry) in loaded.inventory.accept.iter().enumerate() {
        let before = found.len();
        found.retain(|(pointer, finding)| {
            finding.code.id() != entry.code || !is_listed(loaded, entry, pointer)
        });
        let is_ours = OF_THE_LINT.iter().any(|code| code.id() == entry.code);
        if is_ours && found.len() == before {
            diagnostics.push(
                Diagnostic::new(
                    codes::ACCEPTANCE_UNUSED,
                    format!("{} is accepted, and nothing here has this warning", entry.code),
                )
                .at_opt(loaded.places.nearest(&format!("/accept/{index}/code")))
                .help("remove the entry"),
            );
        }
    }
    for (_, finding) in found {
        diagnostics.push(finding);
    }
}

/// Whether an acceptance is about the value at a pointer: for all servers, or for the one it belongs to.
fn is_listed(loaded: &Loaded, entry: &Acceptance, pointer: &str) -> bool {
    let server = server_of(pointer).and_then(|index| loaded.inventory.servers.get(index));
    entry.servers.is_empty() || server.is_some_and(|server| entry.lists(&server.name))
}

/// Layers and values that others replace, each with the pointer of the value.
fn without_effect(loaded: &Loaded) -> Vec<(String, Diagnostic)> {
    let idle = idle(loaded).into_iter();
    idle.map(|idle| match idle {
        Idle::Layer { name, first } => {
            let finding = Diagnostic::new(
                codes::LAYER_IDLE,
                format!("no value of `{name}` is left in this inventory"),
            )
            .in_file(name)
            .at_opt(first);
            let finding = match first {
                Some(_) => finding
                    .note("every value in it is replaced by a file above it")
                    .help("remove it from `extends`, or remove what replaces it"),
                None => finding.note("it sets no value").help("remove it from `extends`"),
            };
            (String::new(), finding)
        }
        Idle::Shared { pointer, at, by } => {
            let finding = Diagnostic::new(
                codes::VALUE_REPLACED,
                format!("no server takes `{}`", dotted(&pointer)),
            )
            .at(at);
            let finding = match by {
                Some(by) => finding
                    .related(by, "this value counts for the first of them")
                    .note("every server that could share it has a value of its own, or one of its role")
                    .help("remove it, or remove what the servers have in its place"),
                None => finding.note("no server has this role").help("remove it"),
            };
            (pointer, finding)
        }
        Idle::Value { pointer, at, by } => {
            let finding = Diagnostic::new(
                codes::VALUE_REPLACED,
                format!("`{}` is replaced by another file", dotted(&pointer)),
            )
            .at(at)
            .help("remove one of the two; where other inventories use the value, accept it");
            let finding = match by {
                Some(by) => finding.related(by, "this value counts"),
                None => finding.note("another file sets it to `null`, so its default counts"),
            };
            (pointer, finding)
        }
    })
    .collect()
}

/// Keys that are equal to their default, each with its pointer.
fn equal_to_default(schema: &Schema, loaded: &Loaded) -> Vec<(String, Diagnostic)> {
    let mut found = Vec::new();
    let is_default = |pointer: &str| loaded.places.is_default(pointer);
    let warned = collect(&loaded.inventory, &is_default, None).len();
    for leaf in leaves(schema, loaded) {
        let Origin::Written(span) = leaf.origin else {
            continue;
        };
        if leaf.value.is_null() || !leaf.alternatives.contains(&Alternative::Removed) {
            continue;
        }
        let without = leaf.applied(&loaded.value, &Alternative::Removed);
        let Ok(inventory) = from_value(without) else {
            continue;
        };
        let full = json::tree(&inventory);
        let is_same = full.pointer(&leaf.pointer) == Some(&leaf.value);
        let is_gone = |pointer: &str| pointer == leaf.pointer || is_default(pointer);
        if is_same && collect(&inventory, &is_gone, None).len() == warned {
            let finding = Diagnostic::new(
                codes::EQUAL_TO_DEFAULT,
                format!("`{}` is equal to its default", dotted(&leaf.pointer)),
            )
            .at(span)
            .help("remove it; where a reader should see the value, keep it and accept the warning");
            found.push((leaf.pointer, finding));
        }
    }
    found
}
