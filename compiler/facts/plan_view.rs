//! What bundle-scope templates see as `plan`: the runbook as data.
//!
//! Only the shape is here; the runbook module fills it from a plan. Everything is ready to print: numbers are given,
//! sentences are chosen, prose is there as Markdown. Nothing in it may be null.

use schemars::JsonSchema;
use serde::Serialize;

use super::ports::PortRow;
use super::topology::Topology;
use crate::catalogue::Severity;

/// The runbook.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct PlanView {
    /// Phases with at least one step, in the order of work.
    pub phases: Vec<PhaseView>,
    /// Number of steps.
    pub steps: usize,
    /// Checks that have to wait for later steps, in the order of the steps.
    pub later: Vec<LaterView>,
    /// Services that restart, with the servers that run them.
    pub restarts: Vec<RestartView>,
    /// Steps without a way back.
    pub one_way: Vec<StepReference>,
    /// Warnings of this build.
    pub warnings: Vec<WarningView>,
    /// Warnings that somebody looked at, with their reasons.
    pub accepted: Vec<AcceptedView>,
    /// What was assumed where the vendor guide is silent.
    pub assumptions: Vec<Prose>,
    /// Where the bundle differs from the vendor guide, worst first.
    pub deviations: Vec<DeviationView>,
    /// Port tables; servers with equal tables share one.
    pub ports: Vec<PortTable>,
    /// The picture.
    pub topology: Topology,
}

/// One phase.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PhaseView {
    /// Name as in front matter.
    pub id: String,
    /// Number, from 1, without gaps.
    pub number: usize,
    /// Heading.
    pub title: String,
    /// What it is for and what users notice.
    pub intro: String,
    /// Steps, grouped by where they are done.
    pub groups: Vec<GroupView>,
}

/// Steps done in one place, one after the other.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GroupView {
    /// Heading: a server, a number of servers, or the whole deployment.
    pub title: String,
    /// The servers; empty for the whole deployment. With more than one, the steps are the same on each, and `SERVER`
    /// stands for the name of the server at hand.
    pub servers: Vec<String>,
    /// Whether the steps stand for more than one server.
    pub folded: bool,
    /// Steps in order.
    pub steps: Vec<StepView>,
}

/// One step.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StepView {
    /// Number, unique and readable over the phone.
    pub number: StepNumber,
    /// Title.
    pub title: String,
    /// Path in the bundle; absent for a step by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What it becomes or changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What applying it does, in words.
    pub effect: String,
    /// The files a script puts in place or runs.
    pub applies: Vec<AppliedView>,
    /// Conditions to check first.
    pub before: Vec<Prose>,
    /// What to do.
    pub todo: Vec<Prose>,
    /// The text of a step by hand; may be empty.
    pub body: Prose,
    /// How to see at once that it worked.
    pub check: Vec<Prose>,
    /// What can be seen only when later steps are done too.
    pub later: Vec<Prose>,
    /// How to go back.
    pub undo: Vec<Prose>,
    /// Services to restart afterwards.
    pub restarts: Vec<String>,
    /// Ids it answers.
    pub requirements: Vec<String>,
    /// Whether there is no way back.
    pub one_way: bool,
}

/// Prose, as the Markdown it was written in, values escaped. Templates print it with the filter of their format
/// (`prose_md`, `prose_html`), which escapes every piece.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Prose {
    /// The Markdown.
    pub markdown: String,
}

impl Prose {
    /// Prose from Markdown.
    pub fn new(markdown: impl Into<String>) -> Self {
        Self {
            markdown: markdown.into(),
        }
    }
}

/// `PHASE.STEP`. Two numbers, because a text of digits and a dot would be escaped where it could begin a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct StepNumber {
    /// Number of the phase.
    pub phase: usize,
    /// Number of the step in its phase.
    pub step: usize,
}

/// A step by number and title.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StepReference {
    /// Number.
    pub number: StepNumber,
    /// Title.
    pub title: String,
}

/// A file that a script puts in place or runs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AppliedView {
    /// What it is.
    pub title: String,
    /// Path in the bundle.
    pub path: String,
    /// What it becomes or changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// Checks of one step that have to wait.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LaterView {
    /// Number of the step.
    pub number: StepNumber,
    /// Where: a server, a number of servers, or the whole installation.
    pub place: String,
    /// Title of the step.
    pub title: String,
    /// What to see.
    pub checks: Vec<Prose>,
}

/// A service and where it restarts.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RestartView {
    /// Service.
    pub service: String,
    /// Servers; empty when the step is not tied to one.
    pub servers: Vec<String>,
    /// Names in one line: all, or how many.
    pub on: String,
    /// Numbers of the steps that ask for it.
    pub because: Vec<StepNumber>,
}

/// A warning that somebody looked at.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AcceptedView {
    /// Its code.
    pub code: String,
    /// What was found.
    pub message: Prose,
    /// Why it is right as it is, as the author wrote it.
    pub reason: String,
    /// Last day of the acceptance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A warning.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct WarningView {
    /// Its code.
    pub code: String,
    /// What was found, as a sentence.
    pub message: Prose,
    /// What to do, as a sentence; may be empty.
    pub help: Prose,
}

/// A deviation from the vendor guide.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DeviationView {
    /// Id of the defect.
    pub id: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong with the guide.
    pub title: String,
    /// What this bundle does.
    pub resolution: Prose,
    /// Section of the guide.
    pub section: String,
}

/// The ports of one or more servers.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PortTable {
    /// Heading.
    pub title: String,
    /// Servers it is for.
    pub servers: Vec<String>,
    /// Rows.
    pub rows: Vec<PortRow>,
}
