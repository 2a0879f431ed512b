//! Compiles an inventory that differs in one value, and says which lines of the original that changes.
//!
//! Nothing is refused here and nothing is written: a trial is an answer to "what if".

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use similar::{Algorithm, DiffOp};

use crate::check::Checked;
use crate::contract::artifact::Scope;
use crate::diag::Diagnostics;
use crate::facts::plan_view::PlanView;
use crate::inventory;
use crate::plan::{self, Plan, Planned};
use crate::render::{self, Rendered};
use crate::templates::Templates;
use crate::templates::engine::Shared;

/// What an artifact is, whatever its path: its template, the position of its server, and the text of `each`.
pub(super) type Identity<'p> = (&'p str, Option<usize>, Option<&'p str>);

/// The identity of a planned artifact.
pub(super) fn identity<'p>(entry: &'p Planned<'_>) -> Identity<'p> {
    (entry.template.path.as_str(), entry.server, entry.each.as_deref())
}

/// How a trial changes one artifact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Lines of the original that change or go away, from 1.
    pub lines: BTreeSet<usize>,
    /// Lines of the original before which new ones appear; one more than the last line for its end.
    pub inserted_before: BTreeSet<usize>,
    /// Whether the artifact is not made any more.
    pub gone: bool,
}

impl Change {
    /// Whether the artifact stays as it is.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.inserted_before.is_empty() && !self.gone
    }
}

/// Plans an inventory without refusing anything. `None` when a template cannot be filled in; the findings are those of a
/// value nobody wrote, and the answer says that there is none.
pub(super) fn plan<'t>(templates: &'t Templates, value: &Value) -> Option<Plan<'t>> {
    let inventory = inventory::from_value(value.clone()).ok()?;
    let is_default = |pointer: &str| value.pointer(pointer).is_none_or(Value::is_null);
    let checked = Checked::assumed(inventory, &is_default);
    plan::plan(&mut Diagnostics::new(), checked, templates).ok()
}

/// Renders everything of an inventory without refusing anything.
pub(super) fn render<'t>(templates: &'t Templates, value: &Value) -> Option<Rendered<'t>> {
    let plan = plan(templates, value)?;
    render::render(&mut Diagnostics::new(), plan).ok()
}

/// Renders one artifact. The outer `None`: no answer; the inner: it is not made.
#[expect(
    clippy::option_option,
    reason = "no answer and no artifact are different answers"
)]
pub(super) fn render_one(
    templates: &Templates,
    value: &Value,
    wanted: Identity<'_>,
) -> Option<Option<String>> {
    let plan = plan(templates, value)?;
    let Some(entry) = plan.entries.iter().find(|entry| identity(entry) == wanted) else {
        return Some(None);
    };
    let view = match entry.template.front.scope {
        Scope::Bundle => Some(Shared::of(&overview(&plan)?)),
        Scope::Server | Scope::Deployment => None,
    };
    render::render_entry(&plan, entry, view.as_ref()).ok().map(Some)
}

/// What an overview sees: of the other texts only those of steps by hand.
fn overview(plan: &Plan<'_>) -> Option<PlanView> {
    let texts: Option<Vec<String>> = plan
        .entries
        .iter()
        .map(|entry| {
            if entry.is_step() {
                render::render_entry(plan, entry, None).ok()
            } else {
                Some(String::new())
            }
        })
        .collect();
    Some(PlanView::of(plan, &texts?))
}

/// The change of one artifact; `new` is `None` when it is not made any more.
pub(super) fn change(old: &str, new: Option<&str>) -> Change {
    let Some(new) = new else {
        return Change {
            lines: (1..=old.lines().count()).collect(),
            gone: true,
            ..Change::default()
        };
    };
    let mut change = Change::default();
    if old == new {
        return change;
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    for operation in similar::capture_diff_slices(Algorithm::Myers, &old, &new) {
        match operation {
            DiffOp::Equal { .. } => {}
            DiffOp::Insert { old_index, .. } => {
                change.inserted_before.insert(old_index + 1);
            }
            DiffOp::Delete {
                old_index, old_len, ..
            }
            | DiffOp::Replace {
                old_index, old_len, ..
            } => {
                change.lines.extend(old_index + 1..=old_index + old_len);
            }
        }
    }
    change
}

/// Changes of every artifact that changes, by its position in the plan of `old`.
pub(super) fn changes(old: &Rendered<'_>, new: &Rendered<'_>) -> BTreeMap<usize, Change> {
    let by_identity: BTreeMap<Identity<'_>, &String> = new
        .plan
        .entries
        .iter()
        .zip(&new.texts)
        .map(|(entry, text)| (identity(entry), text))
        .collect();
    let entries = old.plan.entries.iter().zip(&old.texts).enumerate();
    entries
        .filter(|(_, (entry, _))| entry.path.is_some())
        .map(|(index, (entry, text))| {
            let new = by_identity.get(&identity(entry)).map(|text| text.as_str());
            (index, change(text, new))
        })
        .filter(|(_, change)| !change.is_empty())
        .collect()
}

/// Where a line of an older text stands in a newer one, from 1; `None` when it is not there any more.
pub fn moved_line(old: &str, new: &str, line: usize) -> Option<usize> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    similar::capture_diff_slices(Algorithm::Myers, &old, &new)
        .into_iter()
        .find_map(|operation| match operation {
            DiffOp::Equal {
                old_index,
                new_index,
                len,
            } if (old_index + 1..=old_index + len).contains(&line) => Some(line - old_index + new_index),
            DiffOp::Equal { .. } | DiffOp::Insert { .. } | DiffOp::Delete { .. } | DiffOp::Replace { .. } => {
                None
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(old: &str, new: &str) -> (Vec<usize>, Vec<usize>) {
        let change = change(old, Some(new));
        (
            change.lines.into_iter().collect(),
            change.inserted_before.into_iter().collect(),
        )
    }

    #[test]
    fn changes_are_lines_of_the_old_text() {
        assert_eq!(check("a\nb\nc\n", "a\nB\nc\n"), (vec![2], vec![]));
        assert_eq!(check("a\nb\n", "b\n"), (vec![1], vec![]));
        assert_eq!(check("a\nb\n", "a\nx\nb\ny\n"), (vec![], vec![2, 3]));
        assert!(change("a\nb\n", None).gone);
    }

    #[test]
    fn lines_are_followed() {
        assert_eq!(moved_line("a\nb\n", "x\na\nb\n", 2), Some(3));
        assert_eq!(moved_line("a\nb\n", "a\n", 2), None);
    }
}
