//! `runbook.json`: every step of a change, in order, as data.
//!
//! These types are the runbook contract; `cbgen schema runbook` prints their JSON Schema. `RUNBOOK.md`, `runbook.html`,
//! `plan`, `apply` and exports are readers of it; none has an order of its own. As with the manifest, reading is strict
//! and a field may be added only together with a new [`FORMAT`] number. This file must not know how a runbook is made.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::artifact::{Effect, Rollback};
use super::manifest::Window;
use super::path::BundlePath;
use super::phase::Phase;
use super::strict::{self, ContractError};
use crate::formats::Format;
use crate::formats::unseen::unseen;
use crate::json;

/// Path of the runbook's data in every bundle.
pub const RUNBOOK: &str = "runbook.json";

/// Version of the runbook format.
pub const FORMAT: u32 = 1;

/// The runbook of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Runbook {
    /// Version of this format: 1.
    #[schemars(extend("const" = FORMAT))]
    pub format: u32,
    /// The bundle it belongs to.
    pub bundle: BundleName,
    /// The change window, when the inventory names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// How long it takes.
    pub schedule: Schedule,
    /// Functions that users miss, from which step to which.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outages: Vec<Outage>,
    /// Phases with at least one step, in the order of work.
    pub phases: Vec<PhaseRecord>,
    /// Steps in the order of work. The same work has the same number at every place, and at one place numbers rise.
    pub steps: Vec<Step>,
}

/// The bundle a runbook belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BundleName {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Number of the change request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
}

/// How long a change takes. Minutes are assumptions the templates state, not measurements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// People who work at the same time.
    pub people: u32,
    /// Minutes before the window, for these people.
    pub before: u32,
    /// Minutes of the window that the steps need, for these people.
    pub needed: u32,
    /// The same with a person at every server: the longest chain of steps that wait for each other.
    pub critical_path: u32,
    /// Minutes of work inside the window, all people together.
    pub work: u32,
    /// Minutes that going back from the end takes, for these people.
    pub going_back: u32,
    /// Minutes the window has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<u32>,
    /// The last moment at which going back can begin and end inside the window: RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decide_by: Option<String>,
}

/// A function that users miss.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// What is missed.
    pub function: Function,
    /// The step that takes it away; where users are led elsewhere before, that one.
    pub from: StepNumber,
    /// The step that gives it back.
    pub until: StepNumber,
    /// When it goes: RFC 3339, planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<String>,
    /// When it is back: RFC 3339, planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<String>,
    /// Minutes between the two, planned.
    pub minutes: u32,
}

/// What users or callers have of an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// Callers are offered a callback and get it.
    Callbacks,
    /// Agents and supervisors use the web pages.
    WebPages,
}

impl Function {
    /// Every function.
    pub const ALL: &'static [Self] = &[Self::Callbacks, Self::WebPages];

    /// What it is called in a sentence.
    pub fn title(self) -> &'static str {
        match self {
            Self::Callbacks => "Callbacks for callers",
            Self::WebPages => "Web pages (EyeQueue, Launchpad, dashboards, reports)",
        }
    }
}

/// A phase with its place in the schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PhaseRecord {
    /// Number, from 1, without gaps; the first part of the numbers of its steps.
    pub number: u32,
    /// Name, as `--phase` takes it.
    pub name: Phase,
    /// Whether it is done inside the change window; the others can be done days before.
    pub in_window: bool,
    /// Minutes from its first step to its last, for the people of the schedule.
    pub minutes: u32,
    /// When it begins: RFC 3339, planned; phases inside a window only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<String>,
}

/// One step: the unit that is done, confirmed, skipped or undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Number, readable over the phone: `6.12`. With the place it names one step; the same work has one number everywhere.
    pub number: StepNumber,
    /// The phase.
    pub phase: Phase,
    /// The server it is done on; absent when it is done once for the whole installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// What it does, in a few words.
    pub title: String,
    /// How it is done.
    pub kind: StepKind,
    /// The file of the bundle that does it; absent for a step by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<BundlePath>,
    /// Arguments of the script.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// The file on the server that it becomes or changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What the artifact does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// The format of the artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Files of the bundle that its script puts in place or runs, in order; they are no steps of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applies: Vec<Applied>,
    /// For an edit: what it sets, for people who do it by hand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
    /// What must hold first: Markdown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// What people do: Markdown. For a step that cbgen can do, what they do without it.
    #[serde(rename = "do", default, skip_serializing_if = "Vec::is_empty")]
    pub todo: Vec<String>,
    /// Background of a step by hand: Markdown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// How to see at once that it worked: Markdown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub check: Vec<String>,
    /// What can be seen only when later steps are done too: Markdown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub later: Vec<String>,
    /// How people go back: Markdown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undo: Vec<String>,
    /// How it is undone.
    pub rollback: Rollback,
    /// Whether there is no way back.
    pub one_way: bool,
    /// Services that must restart before it takes effect; `Windows` is the server itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restarts: Vec<String>,
    /// Requirements of the vendor guide it fulfils.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<String>,
    /// Every step up to this number must be finished at every *other* place first. Absent: only earlier steps of the
    /// same place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<StepNumber>,
    /// Functions that stop working with this step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaks: Vec<Function>,
    /// Functions that work again when this step is done everywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restores: Vec<Function>,
    /// Functions whose users or callers are led elsewhere by this step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves_away: Vec<Function>,
    /// Minutes it takes, as assumed.
    pub minutes: u32,
    /// Minutes going back takes, as assumed.
    pub undo_minutes: u32,
}

/// How a step is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Named values of a file change.
    Edit,
    /// A whole file is put in place.
    Replace,
    /// A script of the bundle runs.
    Script,
    /// A file of the bundle is run by sqlcmd.
    Sql,
    /// A file of the bundle is imported into the registry.
    Registry,
    /// A person does it.
    Manual,
}

/// A file of the bundle that a script puts in place or runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Applied {
    /// What it is.
    pub title: String,
    /// The file.
    pub artifact: BundlePath,
    /// What it does.
    pub effect: Effect,
    /// What it becomes or changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// What an edit sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// What it is about, as people find it in the file.
    pub key: String,
    /// The value to expect before; absent when the bundle does not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// The value afterwards; absent when it is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}

/// The number of a step: phase and step, written `6.12`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepNumber {
    /// Number of the phase.
    pub phase: u32,
    /// Number of the step in its phase.
    pub step: u32,
}

impl fmt::Display for StepNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.phase, self.step)
    }
}

impl FromStr for StepNumber {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |digits: &str| {
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
            if plain { digits.parse::<u32>().ok() } else { None }
        };
        text.split_once('.')
            .and_then(|(phase, step)| {
                Some(Self {
                    phase: number(phase)?,
                    step: number(step)?,
                })
            })
            .ok_or_else(|| format!("`{text}` is not the number of a step, such as `6.12`"))
    }
}

impl Serialize for StepNumber {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StepNumber {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for StepNumber {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "StepNumber".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "The number of a step: phase and step.",
            "type": "string",
            "pattern": "^[1-9][0-9]*\\.[1-9][0-9]*$"
        })
    }
}

/// The key of a text with a character that a terminal obeys or nobody sees. Texts of several lines have line feeds.
fn hides<'v>(value: &'v serde_json::Value, key: &'v str) -> Option<&'v str> {
    use serde_json::Value;
    let is_seen = |text: &str| {
        text.chars()
            .all(|letter| letter == '\n' || unseen(letter).is_none())
    };
    match value {
        Value::String(text) => (!is_seen(text)).then_some(key),
        Value::Array(items) => items.iter().find_map(|item| hides(item, key)),
        Value::Object(fields) => fields.iter().find_map(|(name, field)| {
            if is_seen(name) {
                hides(field, name)
            } else {
                Some(key)
            }
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

impl Runbook {
    /// The text of `runbook.json`.
    pub fn to_text(&self) -> String {
        json::pretty(self)
    }

    /// Reads a runbook, strictly.
    ///
    /// Refused: another format number (said first), characters that nobody sees, unknown or missing keys, unsafe paths, numbers that do not rise at
    /// a place, steps that are not in their phase, and steps whose kind and artifact contradict each other.
    pub fn read(bytes: &[u8]) -> Result<Self, ContractError> {
        let text = strict::text(bytes)?;
        strict::format(text, "runbook", FORMAT)?;
        let value = serde_json::from_str(text)?;
        if let Some(key) = hides(&value, "runbook") {
            return Err(ContractError(format!(
                "`{key}` holds a character that no runbook has: a control character, or one that nobody sees"
            )));
        }
        let runbook: Self = serde_json::from_str(text)?;
        runbook.consistent()?;
        Ok(runbook)
    }

    /// The step with a number at a place; `None` is the whole installation.
    pub fn step(&self, server: Option<&str>, number: StepNumber) -> Option<&Step> {
        self.steps
            .iter()
            .find(|step| step.number == number && step.server.as_deref() == server)
    }

    /// Lines of the main path: each step by hand, and one command for steps in a row that cbgen does at one place. A
    /// printed runbook has fewer where it folds equal servers.
    pub fn main_path(&self) -> usize {
        let mut lines = 0;
        let mut last: Option<(&Step, bool)> = None;
        for step in &self.steps {
            let by_hand = step.kind == StepKind::Manual;
            let goes_on = last.is_some_and(|(before, manual)| {
                !by_hand && !manual && before.server == step.server && before.phase == step.phase
            });
            lines += usize::from(!goes_on);
            last = Some((step, by_hand));
        }
        lines
    }

    /// Steps by hand inside the window.
    pub fn by_hand(&self) -> usize {
        let manual = self.steps.iter().filter(|step| step.kind == StepKind::Manual);
        manual.filter(|step| step.phase.in_window()).count()
    }

    /// One line for whoever builds: `47 steps on the main path, 10 by hand inside the window, …`.
    pub fn summary(&self) -> String {
        let time = &self.schedule;
        let of = time
            .window
            .map_or_else(String::new, |window| format!(" of {window}"));
        format!(
            "{} steps on the main path, {} by hand inside the window; {}{of} minutes for {} people",
            self.main_path(),
            self.by_hand(),
            time.needed,
            time.people
        )
    }

    /// Steps at other places that must be finished before a step begins.
    pub fn needed_by<'a>(&'a self, step: &'a Step) -> impl Iterator<Item = &'a Step> {
        let through = step.needs;
        self.steps
            .iter()
            .filter(move |other| through.is_some_and(|through| other.number <= through))
            .filter(move |other| other.server != step.server)
    }

    fn consistent(&self) -> Result<(), ContractError> {
        let refuse = |why: String| Err(ContractError(why));
        let phases: BTreeMap<u32, Phase> = self
            .phases
            .iter()
            .map(|phase| (phase.number, phase.name))
            .collect();
        let names: BTreeSet<Phase> = self.phases.iter().map(|phase| phase.name).collect();
        let numbered = self
            .phases
            .iter()
            .zip(1..)
            .all(|(phase, number)| phase.number == number);
        if !numbered || names.len() != self.phases.len() {
            return refuse("its phases are not numbered one after the other".into());
        }
        let mut before: BTreeMap<Option<&str>, StepNumber> = BTreeMap::new();
        let mut phase = 0;
        for step in &self.steps {
            let number = step.number;
            let last = before.insert(step.server.as_deref(), number);
            if last.is_some_and(|last| last >= number) || number.phase < phase {
                return refuse(format!("step {number} is out of order"));
            }
            phase = number.phase;
            if phases.get(&phase) != Some(&step.phase) {
                return refuse(format!("step {number} is not in its phase"));
            }
            if (step.kind == StepKind::Manual) != step.artifact.is_none() {
                return refuse(format!(
                    "kind and artifact of step {number} contradict each other"
                ));
            }
            if matches!(step.kind, StepKind::Edit | StepKind::Replace) && step.target.is_none() {
                return refuse(format!("step {number} changes a file and does not say which"));
            }
            if step.one_way != (step.rollback == Rollback::OneWay) {
                return refuse(format!("step {number} says two things about its way back"));
            }
            if step.needs.is_some_and(|needs| needs >= number) {
                return refuse(format!("step {number} needs a step that comes later"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(number: &str, server: Option<&str>) -> Step {
        Step {
            number: number.parse().unwrap(),
            phase: Phase::Prepare,
            server: server.map(str::to_owned),
            title: "A step".into(),
            kind: StepKind::Manual,
            artifact: None,
            arguments: Vec::new(),
            target: None,
            effect: None,
            format: None,
            applies: Vec::new(),
            values: Vec::new(),
            before: Vec::new(),
            todo: vec!["Do it.".into()],
            text: String::new(),
            check: Vec::new(),
            later: Vec::new(),
            undo: Vec::new(),
            rollback: Rollback::Nothing,
            one_way: false,
            restarts: Vec::new(),
            requirements: Vec::new(),
            needs: None,
            breaks: Vec::new(),
            restores: Vec::new(),
            moves_away: Vec::new(),
            minutes: 5,
            undo_minutes: 0,
        }
    }

    fn runbook(steps: Vec<Step>) -> Runbook {
        Runbook {
            format: FORMAT,
            bundle: BundleName {
                name: "lab".into(),
                version: "1.0.0".into(),
                change: None,
            },
            window: None,
            schedule: Schedule {
                people: 2,
                before: 0,
                needed: 0,
                critical_path: 0,
                work: 0,
                going_back: 0,
                window: None,
                decide_by: None,
            },
            outages: Vec::new(),
            phases: vec![PhaseRecord {
                number: 1,
                name: Phase::Prepare,
                in_window: false,
                minutes: 0,
                starts: None,
            }],
            steps,
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let runbook = runbook(vec![
            step("1.1", None),
            step("1.2", Some("A")),
            step("1.2", Some("B")),
        ]);
        assert_eq!(Runbook::read(runbook.to_text().as_bytes()), Ok(runbook.clone()));
        let number = "1.2".parse().unwrap();
        assert_eq!(runbook.step(Some("A"), number), runbook.steps.get(1));
        assert_eq!(runbook.step(None, number), None);
    }

    #[test]
    fn a_barrier_names_the_steps_of_other_places() {
        let mut last = step("1.3", Some("B"));
        last.needs = Some("1.2".parse().unwrap());
        let steps = vec![
            step("1.1", None),
            step("1.2", Some("A")),
            step("1.2", Some("B")),
            last,
        ];
        let runbook = runbook(steps);
        let last = runbook.steps.last().unwrap();
        let needed: Vec<String> = runbook
            .needed_by(last)
            .map(|step| step.number.to_string())
            .collect();
        assert_eq!(needed, ["1.1", "1.2"]);
        assert_eq!(runbook.needed_by(&runbook.steps[0]).count(), 0);
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let check = |text: &str, expected: &str| {
            let error = Runbook::read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        let good = runbook(vec![step("1.1", None)]).to_text();
        for (from, to, expected) in [
            (r#""format": 1"#, r#""format": 2"#, "made by a newer cbgen"),
            (r#""format": 1"#, r#""format": 0"#, "does not exist"),
            (r#""1.1""#, r#""2.1""#, "not in its phase"),
            (r#""1.1""#, r#""1.01""#, "not the number of a step"),
            (r#""manual""#, r#""script""#, "contradict each other"),
            (r#""one_way": false"#, r#""one_way": true"#, "two things"),
            (r#""minutes": 5"#, r#""minutes": 5, "owner": 1"#, "unknown field"),
            (r#""number": 1"#, r#""number": 2"#, "not numbered"),
        ] {
            check(&good.replace(from, to), expected);
        }
        for hidden in ["\\u001b[2J", "\\u009b31m", "\\u202e", "\\u200b", "\\u2028", "\\r"] {
            let title = format!("\"title\": \"{hidden}");
            let forged = good.replace("\"title\": \"", &title);
            assert_ne!(forged, good);
            check(&forged, "`title` holds a character that no runbook has");
        }
        check(
            &runbook(vec![step("1.2", None), step("1.1", None)]).to_text(),
            "out of order",
        );
        let mut nowhere = step("1.1", None);
        nowhere.kind = StepKind::Edit;
        nowhere.artifact = Some(BundlePath::parse("a.lines").unwrap());
        check(&runbook(vec![nowhere]).to_text(), "does not say which");
        let mut ahead = step("1.1", None);
        ahead.needs = Some("1.1".parse().unwrap());
        check(&runbook(vec![ahead]).to_text(), "comes later");
    }
}
