//! What an artifact of a bundle is for: how often it exists, what applying it does, how that is undone, whom it serves.
//!
//! Front matter, manifest and runbook all use these words. This file must not know templates or inventories.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::path::BundlePath;
use crate::formats::{Format, Reading};

/// How often a template is rendered and where its artifact lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Once per server, below `servers/NAME/`.
    Server,
    /// Once per bundle, below `deployment/`.
    Deployment,
    /// Once per bundle, at its top; sees `plan`.
    Bundle,
}

/// What applying an artifact does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Becomes the target file.
    ReplaceFile,
    /// Transforms an XML file.
    TransformXml,
    /// Sets Erlang terms in a file.
    SetTerms,
    /// Sets keyed lines of a file.
    SetLines,
    /// Rewrites references in a script.
    ReplaceReferences,
    /// Is imported into the registry.
    ImportRegistry,
    /// Is run by sqlcmd.
    RunSql,
    /// Is run by an engineer or by another script.
    RunScript,
    /// Is read by people or tools; changes nothing.
    Read,
}

impl Effect {
    /// Whether the artifact says what to change in a file of the vendor.
    pub fn edits(self) -> bool {
        match self {
            Self::TransformXml | Self::SetTerms | Self::SetLines | Self::ReplaceReferences => true,
            Self::ReplaceFile | Self::ImportRegistry | Self::RunSql | Self::RunScript | Self::Read => false,
        }
    }

    /// How the text of an artifact with this effect is read.
    pub fn reading(self, format: Format) -> Reading {
        Reading::of(format, self.edits())
    }
}

/// How an artifact's effect is undone: `captured`, `one_way`, or the path of the artifact that undoes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rollback {
    /// The previous state is kept when the artifact is applied.
    Captured,
    /// Another artifact of the bundle undoes it.
    Artifact(BundlePath),
    /// It cannot be undone by the bundle.
    OneWay,
    /// There is nothing to undo.
    Nothing,
}

impl Serialize for Rollback {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Captured => "captured",
            Self::OneWay => "one_way",
            Self::Nothing => "none",
            Self::Artifact(path) => path.as_str(),
        })
    }
}

impl<'de> Deserialize<'de> for Rollback {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "captured" => Ok(Self::Captured),
            "one_way" => Ok(Self::OneWay),
            "none" => Ok(Self::Nothing),
            path => BundlePath::parse(path)
                .map(Self::Artifact)
                .map_err(serde::de::Error::custom),
        }
    }
}

impl JsonSchema for Rollback {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Rollback".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "How the effect is undone: `captured`, `one_way`, `none` when there is nothing to undo, or the path of the artifact that undoes it.",
            "type": "string"
        })
    }
}

/// A role of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Queue Manager and its neighbours.
    Core,
    /// IIS, web services, dashboards, proxy.
    Management,
}
