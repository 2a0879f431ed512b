//! An inventory must not hold a secret anywhere, also not encoded.
//!
//! The generated texts are scanned again later. This file must not know what a secret looks like.

use super::dotted;
use crate::codes;
use crate::diag::{Diagnostic, Diagnostics};
use crate::inventory::Loaded;
use crate::inventory::model::Inventory;
use crate::secrets;

/// Reports every value of an inventory that looks like a secret, without printing it.
pub fn refuse_secrets(diagnostics: &mut Diagnostics, loaded: &Loaded) {
    let declared = declared_secrets(&loaded.inventory);
    for (pointer, span) in loaded.places.scalars() {
        let Some(text) = loaded.value.pointer(&pointer).and_then(serde_json::Value::as_str) else {
            continue;
        };
        if let Some(suspect) = secrets::scan(text, &declared).into_iter().next() {
            let place = loaded.places.key(&pointer).unwrap_or(span);
            diagnostics.push(
                Diagnostic::new(
                    codes::SECRET_IN_INVENTORY,
                    format!(
                        "the value of `{}` looks like a secret ({}, {})",
                        dotted(&pointer),
                        suspect.position,
                        suspect.form
                    ),
                )
                .at(place)
                .redacted()
                .help("remove it here and from the history of the repository, and change the secret itself"),
            );
        }
    }
}

/// Names of the secrets an inventory declares; the names may be printed.
pub fn declared_secrets(inventory: &Inventory) -> Vec<&str> {
    let ole = inventory.sql.ole.as_ref();
    ole.and_then(|ole| ole.password.as_ref())
        .map(|password| password.secret.as_str())
        .into_iter()
        .collect()
}
