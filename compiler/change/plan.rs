//! What applying a bundle would change on a server, found out without touching anything.
//!
//! Every step of the wanted ones is tried as `apply` would do it, up to the writing: the edits are made in memory, rights,
//! links, locks, tools and free space are looked at. Steps that change the same file see each other's work. `apply` begins
//! with the same function, so what is planned and what is done cannot differ. This file must not write.

mod difference;
pub mod html;
mod prove;
pub mod text;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::codes;
use crate::contract::digest::Digest;
use crate::contract::runbook::{Step, StepKind, StepNumber};
use crate::json;

use super::disk::Disk;
use super::history::{History, Standing};
use super::machine::Machine;
use super::problem::Problem;
use super::server::Server;
use super::steps::{Package, Selection};

/// Version of the plan format.
pub const FORMAT: u32 = 1;

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Version of this format: 1.
    #[schemars(extend("const" = FORMAT))]
    pub format: u32,
    /// Name of the bundle.
    pub bundle: String,
    /// Version of the bundle.
    pub version: String,
    /// Id of the bundle.
    pub id: Digest,
    /// Digest of everything in the bundle.
    pub seal: Digest,
    /// The server, or `deployment` for what is done once.
    pub place: String,
    /// Whether this is a copy of a server.
    pub is_copy: bool,
    /// What is wrong with the server as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// What should be known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The wanted steps, in order.
    pub steps: Vec<Planned>,
    /// What restarts, or has to be restarted, with the steps that need it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restarts: Vec<Restart>,
}

/// Something to restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// What.
    pub name: String,
    /// Because of which steps.
    pub steps: Vec<String>,
}

/// What applying a step means now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outlook {
    /// Nothing to do.
    Nothing,
    /// It will change something.
    WillChange,
    /// Somebody changed the file since the last apply, and it will be changed.
    ChangedSince,
    /// It cannot be done.
    Cannot,
}

impl Outlook {
    /// What it is called in a report.
    pub fn words(self) -> &'static str {
        match self {
            Self::Nothing => "nothing to do",
            Self::WillChange => "will change",
            Self::ChangedSince => "changed by someone since the last apply",
            Self::Cannot => "cannot be done",
        }
    }
}

/// A step with what it would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// Number of the step.
    pub number: StepNumber,
    /// What it is.
    pub title: String,
    /// How it is done.
    pub kind: StepKind,
    /// What it does, or the file it changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What applying it means.
    pub outlook: Outlook,
    /// Why, and what should be known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What is in the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// Values that change, without secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<ValueChange>,
    /// The change as a unified diff, without secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// Digest of the file now; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Digest>,
    /// Digest of the file afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Digest>,
    /// Whether there is no way back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub one_way: bool,
    /// Steps at other places that must be finished first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// Minutes it takes, as assumed.
    pub minutes: u32,
}

/// A value that an edit changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueChange {
    /// What it is about.
    pub key: String,
    /// Line of the file.
    pub line: usize,
    /// The value now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// The value afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}

impl Plan {
    /// Whether something cannot be done.
    pub fn is_blocked(&self) -> bool {
        !self.problems.is_empty() || self.steps.iter().any(|step| step.outlook == Outlook::Cannot)
    }

    /// Everything that is in the way or to be looked at, each with its step and its place.
    pub fn obstacles(&self) -> Vec<Problem> {
        let of_steps = self.steps.iter().flat_map(|step| {
            step.problems.iter().map(move |problem| {
                let place = match (&step.target, problem.line) {
                    (Some(target), Some(line)) => format!(", `{target}` line {line}"),
                    (Some(target), None)
                        if step.kind != StepKind::Script && !problem.message.contains(target) =>
                    {
                        format!(", `{target}`")
                    }
                    _ => String::new(),
                };
                Problem {
                    message: format!("step {}{place}: {}", step.number, problem.message),
                    ..problem.clone()
                }
            })
        });
        self.problems.iter().cloned().chain(of_steps).collect()
    }

    /// Whether something is to be done.
    pub fn is_pending(&self) -> bool {
        self.steps.iter().any(|step| step.outlook != Outlook::Nothing)
    }

    /// How many steps have this outlook.
    pub fn count(&self, outlook: Outlook) -> usize {
        self.steps.iter().filter(|step| step.outlook == outlook).count()
    }

    /// The JSON text.
    pub fn to_text(&self) -> String {
        json::pretty(self)
    }

    /// Reads a plan that was written to a file.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let plan: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if plan.format == FORMAT {
            Ok(plan)
        } else {
            Err(format!(
                "it has plan format {}; this cbgen reads format {FORMAT}",
                plan.format
            ))
        }
    }

    /// How this server differs from what a plan saw, as sentences; none when nothing moved.
    pub fn moved_since(&self, planned: &Self) -> Vec<String> {
        let mut moved = Vec::new();
        let heads = [
            ("the bundle", planned.seal != self.seal),
            ("the server", !planned.place.eq_ignore_ascii_case(&self.place)),
            ("whether it is a copy", planned.is_copy != self.is_copy),
        ];
        let heads = heads.into_iter().filter(|(_, differs)| *differs);
        moved.extend(heads.map(|(what, _)| format!("{what} is another one")));
        let old: BTreeMap<StepNumber, &Planned> =
            planned.steps.iter().map(|step| (step.number, step)).collect();
        let new: BTreeMap<StepNumber, &Planned> = self.steps.iter().map(|step| (step.number, step)).collect();
        for (number, step) in &new {
            match old.get(number) {
                None => moved.push(format!("step {number} was not planned")),
                Some(before) if before.before != step.before => moved.push(format!(
                    "step {number}: `{}` is not what it was",
                    step.target.as_deref().unwrap_or("its file")
                )),
                Some(before) if before.outlook != step.outlook => moved.push(format!(
                    "step {number}: planned was \"{}\", now it is \"{}\"",
                    before.outlook.words(),
                    step.outlook.words()
                )),
                // What a person read in the plan and agreed to is what is done.
                Some(before) if before != step => {
                    moved.push(format!(
                        "step {number}: the plan says something else than what would be done"
                    ));
                }
                Some(_) => {}
            }
        }
        let gone = old.keys().filter(|number| !new.contains_key(number));
        moved.extend(gone.map(|number| format!("step {number} was planned and is not wanted now")));
        moved
    }
}

/// Everything a plan is made of.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// The bundle.
    pub package: &'a dyn Package,
    /// The server.
    pub server: &'a Server,
    /// Its disk.
    pub disk: &'a dyn Disk,
    /// The machine.
    pub machine: &'a dyn Machine,
    /// What was done here before.
    pub history: &'a History,
}

impl Desk<'_> {
    /// The steps that are wanted, in order.
    pub fn chosen(&self, selection: &Selection) -> Vec<&Step> {
        selection.choose(self.package.runbook(), &self.server.place)
    }

    /// A program of the server; `None` when it is not there.
    pub fn tool(&self, name: &str) -> Option<std::path::PathBuf> {
        super::tools::find(self.server, self.disk, self.machine, name)
    }

    /// Makes the plan. Writes nothing.
    pub fn plan(&self, selection: &Selection) -> Plan {
        self.prove(selection, true)
    }

    /// The plan without what is only shown: values and diffs.
    pub fn look(&self, selection: &Selection) -> Plan {
        self.prove(selection, false)
    }

    fn prove(&self, selection: &Selection, is_shown: bool) -> Plan {
        let manifest = self.package.manifest();
        let mut plan = Plan {
            format: FORMAT,
            bundle: manifest.bundle.name.clone(),
            version: manifest.bundle.version.clone(),
            id: manifest.bundle.id,
            seal: self.package.seal(),
            place: self.server.place.clone(),
            is_copy: self.server.is_copy(),
            problems: self.problems(),
            notes: self.notes(),
            steps: Vec::new(),
            restarts: Vec::new(),
        };
        let steps = self.chosen(selection);
        let mut prover = prove::Prover::new(*self, &steps, is_shown);
        // Where there are no Windows paths, nothing about a step can be said.
        if !plan
            .problems
            .iter()
            .any(|problem| problem.code == codes::NOT_A_SERVER.id())
        {
            plan.steps = steps.iter().map(|step| prover.prove(step)).collect();
        }
        plan.restarts = restarts(&steps, &plan.steps);
        plan.problems.extend(prover.space());
        plan
    }

    /// What is wrong with the server as a whole.
    fn problems(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        if self.server.is_copy() {
            return found;
        }
        if !self.machine.is_windows() {
            found.push(Problem::new(
                codes::NOT_A_SERVER,
                "this machine has no paths such as `C:\\`",
                "run it on the server, or name a copy of one with `--root DIR`",
            ));
            return found;
        }
        let name = self.machine.computer();
        let place = &self.server.place;
        if super::steps::server_of(place).is_some() && !name.eq_ignore_ascii_case(place) {
            found.push(Problem::new(
                codes::OTHER_SERVER,
                format!("this computer is `{name}`, not `{place}`"),
                "run it on the server it is for; when the server has a new name, change the inventory and build again",
            ));
        }
        if !self.machine.is_elevated() {
            found.push(Problem::new(
                codes::NOT_ELEVATED,
                "this command prompt has no administrator rights",
                "start the command prompt with \"Run as administrator\"",
            ));
        }
        found
    }

    fn notes(&self) -> Vec<String> {
        let Some(run) = self.history.open(&self.server.place) else {
            return Vec::new();
        };
        let how = match run.standing {
            Standing::Paused => "stopped in front of a step for a person; `apply` goes on with it",
            Standing::Interrupted => "was interrupted; `apply` goes on with it, `rollback` takes it back",
            Standing::GoingBack => "is half taken back; `rollback` goes on with that",
            Standing::Done | Standing::Undone => return Vec::new(),
        };
        vec![format!("{}, {how}", run.named())]
    }
}

fn restarts(steps: &[&Step], planned: &[Planned]) -> Vec<Restart> {
    let mut found: Vec<Restart> = Vec::new();
    for (step, planned) in steps.iter().zip(planned) {
        if planned.outlook == Outlook::Nothing {
            continue;
        }
        for name in &step.restarts {
            let number = step.number.to_string();
            match found.iter_mut().find(|restart| &restart.name == name) {
                Some(restart) => restart.steps.push(number),
                None => found.push(Restart {
                    name: name.clone(),
                    steps: vec![number],
                }),
            }
        }
    }
    found
}
