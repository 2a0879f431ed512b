//! Two texts to the facts that differ, by meaning.
//!
//! Both texts are read by the strict reader of their format and their items are aligned as sequences, because in most
//! formats order has a meaning (regular locations of nginx, statements of SQL, lines of a script). Running numbers in
//! paths are left out of the alignment: a new first statement must not change all that follow. Equal items mean that
//! only the layout differs. This file must not know servers, bundles or reports.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::fact::{Fact, FactKind};
use super::identity::{Identity, holds_stand_ins};
use super::labels;
use crate::formats::{Cut as _, FactPath, Form, Format, Item, Reading, Step};
use crate::lint::read_back;
use crate::secrets::lines::{self, Guard};

/// What stands instead of a value that looks like a secret. That it changed stays visible.
pub const REDACTED: &str = "(not shown: it looks like a secret)";

/// What comparing two different texts gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Both texts say the same.
    Layout,
    /// Facts differ.
    Meaning(Vec<Fact>),
    /// A text could not be read in its format: lines that differ.
    Lines(Vec<Fact>),
}

/// Above this product of lengths two sequences are not aligned but compared by path only, to keep the time in bounds.
const LARGEST_ALIGNMENT: usize = 100_000_000;

/// Compares two texts that are not equal. `old_names` and `new_names` are replaced before.
pub fn compare_texts(
    reading: impl Into<Reading>,
    old: &str,
    new: &str,
    old_names: &Identity,
    new_names: &Identity,
) -> Difference {
    let none = Identity::default();
    let (old_names, new_names) = if holds_stand_ins(old) || holds_stand_ins(new) {
        (&none, &none)
    } else {
        (old_names, new_names)
    };
    let reading = reading.into();
    match (
        all_facts(reading, old, old_names),
        all_facts(reading, new, new_names),
    ) {
        (Some(old), Some(new)) => {
            let differing = align(&old, &new);
            if differing.is_empty() {
                Difference::Layout
            } else {
                Difference::Meaning(differing)
            }
        }
        _ => Difference::Lines(by_lines(&old_names.hide(old), &new_names.hide(new))),
    }
}

/// An item without what only says where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Plain {
    pub(super) shape: FactPath,
    pub(super) value: String,
}

/// Every fact of a text; `None` when it does not read.
pub(super) fn all_facts(reading: Reading, text: &str, names: &Identity) -> Option<Vec<Plain>> {
    let items = read_back(reading, text).ok()?;
    // A text without a single fact proves nothing about its layout.
    if items.is_empty() && !text.trim().is_empty() {
        return None;
    }
    let items = match reading {
        Reading::Whole(Format::Cmd) => labels::without_numbers(items),
        Reading::Whole(Format::Sql) => with_batch_ends(items),
        Reading::Whole(_) | Reading::Edits(_) => items,
    };
    let items = items.into_iter();
    Some(items.map(|item| plain(reading, item, names)).collect())
}

fn plain(reading: Reading, item: Item, names: &Identity) -> Plain {
    // The title of the whole document says nothing about where in it.
    let shape = match item.path.steps() {
        [_, below @ ..] if reading == Reading::Whole(Format::Markdown) && !below.is_empty() => {
            below.iter().cloned().collect()
        }
        _ => item.path,
    };
    Plain {
        shape: shape.without_ordinals().map(|text| names.hide(text)),
        value: names.hide(&item.value),
    }
}

/// The numbers of batches go like all running numbers, so that where one ends must be a fact of its own: variables and
/// checks of a batch do not reach the next one.
fn with_batch_ends(items: Vec<Item>) -> Vec<Item> {
    let batch = |item: &Item| item.path.steps().first()?.ordinal;
    let mut all = Vec::with_capacity(items.len());
    let mut before = 1;
    for item in items {
        let number = batch(&item).unwrap_or(before);
        for _ in before..number {
            all.push(Item {
                path: "GO".into(),
                value: "the batch ends".into(),
                range: item.range.start..item.range.start,
            });
        }
        before = number;
        all.push(item);
    }
    all
}

/// The facts that differ between two sequences.
fn align(old: &[Plain], new: &[Plain]) -> Vec<Fact> {
    let prefix = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (old, new) = (old.cut(prefix..), new.cut(prefix..));
    let suffix = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take_while(|(old, new)| old == new)
        .count();
    let (old, new) = (old.cut(..old.len() - suffix), new.cut(..new.len() - suffix));
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    if old.len().saturating_mul(new.len()) > LARGEST_ALIGNMENT {
        gone.extend(old.iter());
        come.extend(new.iter());
    } else {
        for step in capture_diff_slices(Algorithm::Myers, old, new) {
            if matches!(step, DiffOp::Equal { .. }) {
                continue;
            }
            gone.extend(old.cut(step.old_range()));
            come.extend(new.cut(step.new_range()));
        }
    }
    pair_up(gone, come)
}

/// Joins what went with what came: the same place with another value, the same value in another place.
fn pair_up(gone: Vec<&Plain>, come: Vec<&Plain>) -> Vec<Fact> {
    let mut facts = Vec::new();
    let fact = |path: &FactPath, old: Option<&Plain>, new: Option<&Plain>| {
        let value = |plain: Option<&Plain>| plain.map(|plain| plain.value.clone());
        Fact::new(path.clone(), value(old), value(new))
    };
    let (gone, come, moved) = take_pairs(gone, come, |fact| (fact.shape.clone(), fact.value.clone()));
    facts.extend(moved.into_iter().map(|(old, new)| Fact {
        kind: FactKind::Moved,
        ..fact(&new.shape, Some(old), Some(new))
    }));
    let (gone, come, changed) = take_pairs(gone, come, |fact| fact.shape.clone());
    let changed = changed.into_iter();
    facts.extend(changed.map(|(old, new)| fact(&new.shape, Some(old), Some(new))));
    let (gone, come) = renamed_blocks(gone, come, &mut facts);
    facts.extend(gone.into_iter().map(|old| fact(&old.shape, Some(old), None)));
    facts.extend(come.into_iter().map(|new| fact(&new.shape, None, Some(new))));
    facts
}

type Taken<'a> = (Vec<&'a Plain>, Vec<&'a Plain>, Vec<(&'a Plain, &'a Plain)>);

/// Pairs elements with equal keys, first with first; what is left keeps its order.
fn take_pairs<'a, K: Ord>(
    gone: Vec<&'a Plain>,
    come: Vec<&'a Plain>,
    key: impl Fn(&Plain) -> K,
) -> Taken<'a> {
    let mut waiting: BTreeMap<K, VecDeque<usize>> = BTreeMap::new();
    for (index, fact) in gone.iter().enumerate() {
        waiting.entry(key(fact)).or_default().push_back(index);
    }
    let mut used = vec![false; gone.len()];
    let (mut left, mut pairs) = (Vec::new(), Vec::new());
    for fact in come {
        let found = waiting.get_mut(&key(fact)).and_then(VecDeque::pop_front);
        match found.and_then(|index| Some((gone.get(index)?, used.get_mut(index)?))) {
            Some((old, used)) => {
                *used = true;
                pairs.push((*old, fact));
            }
            None => left.push(fact),
        }
    }
    (unused(gone, used), left, pairs)
}

/// The facts that are not used.
fn unused(facts: Vec<&Plain>, used: Vec<bool>) -> Vec<&Plain> {
    let facts = facts.into_iter().zip(used);
    facts.filter(|(_, used)| !used).map(|(fact, _)| fact).collect()
}

/// Facts whose path differs in one step only and whose values are equal: the block of that step has a new name.
fn renamed_blocks<'a>(
    gone: Vec<&'a Plain>,
    come: Vec<&'a Plain>,
    facts: &mut Vec<Fact>,
) -> (Vec<&'a Plain>, Vec<&'a Plain>) {
    // Pairs are looked for in order, so a block that was renamed as a whole is found in one pass.
    let mut blocks: BTreeMap<(FactPath, FactPath), Vec<usize>> = BTreeMap::new();
    let mut pairs = Vec::new();
    let mut from = 0;
    for (at, old) in gone.iter().enumerate() {
        let found = come
            .iter()
            .enumerate()
            .skip(from)
            .take(64)
            .find_map(|(index, new)| Some((index, renamed_step(old, new)?)));
        if let Some((index, block)) = found {
            from = index + 1;
            blocks.entry(block).or_default().push(pairs.len());
            pairs.push((at, index));
        }
    }
    let (mut old_used, mut new_used) = (vec![false; gone.len()], vec![false; come.len()]);
    for ((old, new), members) in blocks {
        // One fact alone is clearer as removed and added.
        if members.len() < 2 {
            continue;
        }
        for (at, index) in members.iter().filter_map(|member| pairs.get(*member)) {
            if let (Some(old), Some(new)) = (old_used.get_mut(*at), new_used.get_mut(*index)) {
                *old = true;
                *new = true;
            }
        }
        let told = |block: &FactPath| Some(format!("{block} ({} facts)", members.len()));
        facts.push(Fact {
            kind: FactKind::Renamed,
            ..Fact::new(new.clone(), told(&old), told(&new))
        });
    }
    (unused(gone, old_used), unused(come, new_used))
}

fn renamed_step(old: &Plain, new: &Plain) -> Option<(FactPath, FactPath)> {
    if old.value != new.value {
        return None;
    }
    let (old, new) = (old.shape.steps(), new.shape.steps());
    if old.len() != new.len() || old.len() < 2 {
        return None;
    }
    let mut differing = old
        .iter()
        .zip(new)
        .enumerate()
        .filter(|(_, (old, new))| old != new)
        .map(|(index, _)| index);
    let step = differing.next()?;
    if differing.next().is_some() || step + 1 == old.len() {
        return None;
    }
    let upto = |steps: &[Arc<Step>]| steps.iter().take(step + 1).cloned().collect();
    Some((upto(old), upto(new)))
}

/// Differences by lines, one fact for each place.
pub fn by_lines(old: &str, new: &str) -> Vec<Fact> {
    // A line alone does not say that it belongs to a secret that begins above it.
    let (old_guards, new_guards) = (lines::guards(old), lines::guards(new));
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split('\n').collect(), new.split('\n').collect());
    let steps = if old.len().saturating_mul(new.len()) > LARGEST_ALIGNMENT {
        vec![DiffOp::Replace {
            old_index: 0,
            old_len: old.len(),
            new_index: 0,
            new_len: new.len(),
        }]
    } else {
        capture_diff_slices(Algorithm::Myers, &old, &new)
    };
    steps
        .into_iter()
        .filter(|step| !matches!(step, DiffOp::Equal { .. }))
        .map(|step| {
            let (before, now) = (step.old_range(), step.new_range());
            let lines = |lines: &[&str], guards: &[Guard], range: std::ops::Range<usize>| {
                let guards = guards.iter().skip(range.start).map(Some);
                let guards = guards.chain(std::iter::repeat(None));
                let shown: Vec<&str> = lines
                    .cut(range)
                    .iter()
                    .zip(guards)
                    .map(|(line, guard)| match guard {
                        Some(Guard::Whole) if !line.trim().is_empty() => REDACTED,
                        _ => *line,
                    })
                    .collect();
                (!shown.is_empty()).then(|| shown.join("\n"))
            };
            let first = Step::new(Form::Block, "line").numbered(now.start + 1);
            Fact::new(
                first,
                lines(&old, &old_guards, before),
                lines(&new, &new_guards, now),
            )
        })
        .collect()
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
