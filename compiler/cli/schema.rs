//! `cbgen schema`: JSON Schemas for editors and pipelines, made from the Rust types.

use clap::ValueEnum as _;

use crate::change::plan::Plan;
use crate::change::status::Status;
use crate::contract::manifest::Manifest;
use crate::contract::runbook::Runbook;
use crate::edit::Report;
use crate::inventory::Schema as InventorySchema;
use crate::templates::front_matter::FrontMatter;

use super::answers;
use super::args::{Schema, SchemaKind};
use super::session::Session;

/// Prints a schema, pretty, with a line feed at its end.
pub(super) fn run(session: &mut Session, arguments: &Schema) {
    let mut schema = match arguments.kind {
        SchemaKind::Inventory => InventorySchema::json(),
        SchemaKind::Layer => InventorySchema::layer(),
        SchemaKind::Project => InventorySchema::project(),
        SchemaKind::Template => schemars::schema_for!(FrontMatter).to_value(),
        SchemaKind::Build => schemars::schema_for!(answers::Builds).to_value(),
        SchemaKind::Check => schemars::schema_for!(answers::Checks).to_value(),
        SchemaKind::Show => schemars::schema_for!(answers::Shown).to_value(),
        SchemaKind::Coverage => schemars::schema_for!(answers::Covered<'_>).to_value(),
        SchemaKind::Runbook => schemars::schema_for!(Runbook).to_value(),
        SchemaKind::Edit => schemars::schema_for!(Report).to_value(),
        SchemaKind::Verify => schemars::schema_for!(answers::BundleAnswer<'_>).to_value(),
        SchemaKind::Evidence => schemars::schema_for!(answers::EvidenceAnswer<'_>).to_value(),
        SchemaKind::Plan => schemars::schema_for!(Plan).to_value(),
        SchemaKind::Status => schemars::schema_for!(Status).to_value(),
        SchemaKind::Manifest => schemars::schema_for!(Manifest).to_value(),
    };
    // Editors and validators keep schemas by this name; those of inventories have it already.
    if let (Some(object), Some(kind)) = (schema.as_object_mut(), arguments.kind.to_possible_value())
        && !object.contains_key("$id")
    {
        object.insert(
            "$id".into(),
            format!("urn:cbgen:schema:{}:v1", kind.get_name()).into(),
        );
    }
    session.print(&format!("{schema:#}\n"));
}
