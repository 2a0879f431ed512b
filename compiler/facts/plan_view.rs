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
    /// Lines of the main path: steps by hand, and commands that do many steps.
    pub steps: usize,
    /// Steps by hand inside the window.
    pub by_hand: usize,
    /// Steps that cbgen does.
    pub automatic: usize,
    /// How long it takes.
    pub time: TimeView,
    /// What users miss, from when to when.
    pub outages: Vec<OutageView>,
    /// Checks that have to wait for later steps, in the order of the steps.
    pub later: Vec<LaterView>,
    /// Going back from the end: commands and steps by hand, in the order in which they are done.
    pub back: Vec<BackView>,
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
    pub number: u32,
    /// Heading.
    pub title: String,
    /// What it is for and what users notice.
    pub intro: String,
    /// Whether it is done inside the window.
    pub in_window: bool,
    /// Whether a command does something in it.
    pub automatic: bool,
    /// Planned begin, `23:10`; absent before the window and without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts: Option<String>,
    /// The same as a time stamp with its offset, `2026-12-05T23:10:00+01:00`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_stamp: Option<String>,
    /// Planned end, `23:24`. Phases overlap, because servers do not wait for each other between barriers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<String>,
    /// The same as a time stamp with its offset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_stamp: Option<String>,
    /// Planned minutes.
    pub minutes: u32,
    /// Steps, grouped by where they are done.
    pub groups: Vec<GroupView>,
}

/// How long the change takes, in planned minutes.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct TimeView {
    /// People who work at the same time.
    pub people: u32,
    /// Before the window.
    pub before: u32,
    /// Inside the window.
    pub needed: u32,
    /// Inside the window with a person at every server.
    pub critical_path: u32,
    /// Going back from the end.
    pub going_back: u32,
    /// What the window has; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<u32>,
    /// The last moment to decide for going back, `01:10`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decide_by: Option<String>,
    /// The same as a time stamp with its offset, `2026-12-06T01:10:00+01:00`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decide_by_stamp: Option<String>,
}

/// What users miss, from when to when.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OutageView {
    /// What.
    pub function: String,
    /// The step that takes it away.
    pub from: StepNumber,
    /// The step that gives it back.
    pub until: StepNumber,
    /// Planned time, `22:05`; absent without a window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts: Option<String>,
    /// The same as a time stamp with its offset, `2026-12-05T22:05:00+01:00`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_stamp: Option<String>,
    /// Planned time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<String>,
    /// The same as a time stamp with its offset, `2026-12-06T00:40:00+01:00`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_stamp: Option<String>,
    /// Planned minutes.
    pub minutes: u32,
}

/// Steps done in one place, one after the other.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct GroupView {
    /// Heading: a server, a number of servers, or the whole deployment.
    pub title: String,
    /// The servers; empty for the whole deployment. With more than one, the steps are the same on each, and `SERVER`
    /// stands for the name of the server at hand.
    pub servers: Vec<String>,
    /// Whether the steps stand for more than one server.
    pub folded: bool,
    /// What is done there, in order.
    pub runs: Vec<RunView>,
    /// The steps of all runs, while sections are compared.
    #[serde(skip)]
    pub steps: Vec<StepView>,
}

/// Steps that follow each other and are done the same way: by one command, or by hand.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RunView {
    /// Whether cbgen does them: one line of the main path.
    pub automatic: bool,
    /// Number of the first one.
    pub first: StepNumber,
    /// Number of the last one.
    pub last: StepNumber,
    /// Minutes of all.
    pub minutes: u32,
    /// The command that does them; empty for steps by hand.
    pub command: String,
    /// Conditions of the steps that a person has to see to, before the command; each once.
    pub before: Vec<BeforeView>,
    /// The steps.
    pub steps: Vec<StepView>,
}

/// A condition of one or more steps.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BeforeView {
    /// The steps that state it.
    pub numbers: Vec<StepNumber>,
    /// The condition.
    pub prose: Prose,
}

/// One step.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StepView {
    /// Number, readable over the phone; the same work has one number on every server.
    pub number: StepNumber,
    /// Title.
    pub title: String,
    /// Whether cbgen can do it.
    pub automatic: bool,
    /// Minutes it takes, as assumed.
    pub minutes: u32,
    /// Path in the bundle; absent for a step by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Arguments of the script.
    pub arguments: Vec<String>,
    /// Path in the bundle of the script that takes it back; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback: Option<String>,
    /// What it becomes or changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Whether a batch script can name the target: it is there and has no character that cmd.exe takes for its own.
    pub target_in_cmd: bool,
    /// What applying it does, in words.
    pub effect: String,
    /// The files a script puts in place or runs.
    pub applies: Vec<AppliedView>,
    /// What an edit sets.
    pub values: Vec<ValueView>,
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
    pub phase: u32,
    /// Number of the step in its phase.
    pub step: u32,
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

/// What an edit sets.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ValueView {
    /// What it is about.
    pub key: String,
    /// The value to expect before; absent when the bundle does not know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// The value afterwards; absent when it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}

/// A check that has to wait, of one or more steps of one phase at one place.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LaterView {
    /// Numbers of the steps; never empty.
    pub numbers: Vec<StepNumber>,
    /// Where: a server, a number of servers, or the whole installation.
    pub place: String,
    /// What to see.
    pub check: Prose,
}

/// What is taken back with one command, or by hand.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BackView {
    /// Number of the first step that is taken back.
    pub first: StepNumber,
    /// Number of the last one.
    pub last: StepNumber,
    /// The phase, as `--phase` takes it.
    pub phase: String,
    /// Where: a server, a number of servers, or the whole installation.
    pub place: String,
    /// The servers, where there are several.
    pub servers: Vec<String>,
    /// The command; absent for a step by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What people do; empty for a command.
    pub undo: Vec<Prose>,
    /// Steps of the command without a way back.
    pub one_way: Vec<StepReference>,
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
