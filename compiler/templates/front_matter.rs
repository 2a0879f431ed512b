//! What a template says about itself before its body.
//!
//! These types are the front-matter contract: `cbgen schema template` prints their schema. This module must not know
//! the template engine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::artifact::{Effect, Scope};
use crate::contract::phase::Phase;
use crate::contract::runbook::Function;
use crate::formats::Format;

/// Front matter of a template.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrontMatter {
    /// What the artifact or step is, in a few words.
    #[schemars(length(min = 1, max = 120))]
    pub title: String,
    /// Requirement and defect ids of the vendor guide it fulfils.
    #[serde(default)]
    pub requirements: Vec<String>,
    /// How often it is rendered and where it lies.
    pub scope: Scope,
    /// Tera expression; the template is skipped where it is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Texts to render it for, each seen as `each`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub each: Vec<String>,
    /// Path below the scope's folder; absent for a runbook step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What it becomes or changes on the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Format of the body.
    pub format: Format,
    /// What applying it does; a runbook step has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// Step of the runbook it belongs to.
    pub phase: Phase,
    /// Place within its phase.
    #[serde(default = "default_order")]
    #[schemars(range(min = 0, max = 999))]
    pub order: u16,
    /// Services that must restart afterwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restarts: Vec<String>,
    /// `captured`, `one_way`, `none` or the path of the artifact that goes back; default by effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<String>,
    /// Path of the script that applies it. The runbook then lists the file at that script's step and tells nobody to
    /// apply it by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied_by: Option<String>,
    /// Arguments the script is run with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// Minutes it takes, as assumed; a step by hand must say it, an artifact has a default by its effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 480))]
    pub minutes: Option<u32>,
    /// Minutes that going back takes, as assumed; the default follows from how it is undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 480))]
    pub undo_minutes: Option<u32>,
    /// Functions that stop working with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaks: Vec<Function>,
    /// Functions that work again when it is done everywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restores: Vec<Function>,
    /// Functions whose users or callers it leads elsewhere, before anything breaks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves_away: Vec<Function>,
    /// Whether servers of a kind must not do it all at once: a half of them waits for the other half.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_turns: bool,
    /// Whether the checks are done in it that steps before it state as `later`: a minute for each, shared by the people of
    /// the schedule, on top of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gathers_later: bool,
    /// What the runbook says about it.
    #[serde(default)]
    pub runbook: RunbookText,
}

fn default_order() -> u16 {
    50
}

/// Runbook lines of a template: Markdown, may use variables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunbookText {
    /// What to check first.
    pub before: Vec<String>,
    /// What to do.
    #[serde(rename = "do")]
    pub todo: Vec<String>,
    /// How to see at once that it worked.
    pub check: Vec<String>,
    /// What can be seen only when later steps are done too.
    pub later: Vec<String>,
    /// How to go back.
    pub undo: Vec<String>,
}
