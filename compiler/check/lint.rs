//! What of an inventory has no effect (`check --lint`): nothing is wrong with it, and it makes the file longer to read.
//!
//! A key that is equal to its default and confirms an assumption has an effect: it ends a warning.

use super::collect;
use crate::codes;
use crate::diag::{Diagnostic, Diagnostics};
use crate::inventory::alternatives::{Alternative, Origin, leaves};
use crate::inventory::layers::{Idle, idle};
use crate::inventory::{Loaded, Schema, from_value};

/// Reports layers and values that others replace, and keys that are equal to their default.
pub fn lint(diagnostics: &mut Diagnostics, schema: &Schema, loaded: &Loaded) {
    for idle in idle(loaded) {
        diagnostics.push(match idle {
            Idle::Layer { name, first } => Diagnostic::new(
                codes::LAYER_IDLE,
                format!("no value of `{name}` is left in this inventory"),
            )
            .in_file(name)
            .at_opt(first)
            .note("every value in it is replaced by a file above it")
            .help("remove it from `extends`, or remove what replaces it"),
            Idle::Value { pointer, at, by } => {
                let finding = Diagnostic::new(
                    codes::VALUE_REPLACED,
                    format!("`{}` is replaced by another file", name_of(&pointer)),
                )
                .at(at)
                .help("nothing to do where other inventories use the value");
                match by {
                    Some(by) => finding.related(by, "this value counts"),
                    None => finding.note("another file sets it to `null`, so its default counts"),
                }
            }
        });
    }
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
        let full = serde_json::to_value(&inventory).unwrap_or_default();
        let is_same = full.pointer(&leaf.pointer) == Some(&leaf.value);
        let is_gone = |pointer: &str| pointer == leaf.pointer || is_default(pointer);
        if is_same && collect(&inventory, &is_gone, None).len() == warned {
            diagnostics.push(
                Diagnostic::new(
                    codes::EQUAL_TO_DEFAULT,
                    format!("`{}` is equal to its default", name_of(&leaf.pointer)),
                )
                .at(span)
                .help("remove it, or keep it where a reader should see the value"),
            );
        }
    }
}

fn name_of(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}
