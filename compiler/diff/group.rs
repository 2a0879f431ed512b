//! From what was compared to a report: each distinct change once, with everywhere it happens.
//!
//! Every text of a report passes through here, so this is where stand-ins become readable and secrets are taken out.
//! The report grows with the number of distinct changes; servers are lists of names. This file must not know how a
//! report looks.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::artifact::{Verdict, undo};
use super::compare::REDACTED;
use super::edition::BundlePair;
use super::fact::{Fact, FactKind, Subject};
use super::identity::{Identity, Others, shown};
use super::model::{Change, FORMAT, Group, Report, Warning};
use super::pair::{Compared, Comparison, Place};
use super::risk::{self, Risk};
use crate::contract::manifest::Artifact;
use crate::formats::{FactPath, Step};
use crate::secrets;

/// What makes facts of different artifacts one change: the artifact, what happened, and how it was compared.
type Class = (Change, bool);

/// What makes groups of different artifacts one: all of it, and for what stays also the judgement.
type Sameness = (
    Class,
    Vec<Place>,
    Vec<Fact>,
    Vec<(Place, Vec<String>)>,
    Option<(Risk, String)>,
);

/// Facts of one artifact in the order in which they stand there.
type Ordered<'a> = Vec<((usize, usize), Option<&'a Fact>)>;

/// A fact of an artifact with where it stands first.
#[derive(Clone, Debug, Default)]
struct Spread {
    order: (usize, usize),
    places: BTreeSet<usize>,
}

/// Makes the report.
pub fn report(comparison: &Comparison<'_>) -> Report {
    let mut report = Report {
        format: FORMAT,
        old: safe(&comparison.old),
        new: safe(&comparison.new),
        bundles: bundles(&comparison.bundles),
        new_warnings: warnings(&comparison.new_warnings),
        gone_warnings: warnings(&comparison.gone_warnings),
        damage: comparison.damage.iter().map(|text| safe(text)).collect(),
        failed: comparison.failed.iter().map(|text| safe(text)).collect(),
        groups: groups(comparison),
        ..Report::default()
    };
    count(comparison, &mut report);
    report
}

fn warnings(found: &BTreeMap<String, BTreeSet<String>>) -> Vec<Warning> {
    found
        .iter()
        .map(|(text, bundles)| Warning {
            text: safe(text),
            bundles: bundles.clone(),
        })
        .collect()
}

fn count(comparison: &Comparison<'_>, report: &mut Report) {
    let (mut touched, mut more_than_names, mut more_than_layout) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for found in &comparison.artifacts {
        let artifacts = &mut report.artifacts;
        let coverage = &mut report.coverage;
        let name = found.artifact.clone();
        let (table, how) = match &found.verdict {
            Verdict::Unchanged => (&mut artifacts.unchanged, &mut coverage.equal),
            Verdict::Derived => (&mut artifacts.derived, &mut coverage.derived),
            Verdict::Layout => (&mut artifacts.layout_only, &mut coverage.parsed),
            Verdict::Names => (&mut artifacts.names_only, &mut coverage.parsed),
            Verdict::Changed(_) => (&mut artifacts.changed, &mut coverage.parsed),
            Verdict::Lines(_) => {
                let lines = coverage.by_lines.entry(name.clone());
                (&mut artifacts.changed, lines.or_default())
            }
            Verdict::Added(_) => (&mut artifacts.added, &mut coverage.one_sided),
            Verdict::Removed => (&mut artifacts.removed, &mut coverage.one_sided),
        };
        *table.entry(name).or_default() += 1;
        *how += 1;
        if !matches!(found.verdict, Verdict::Added(_) | Verdict::Removed) {
            coverage.compared += 1;
        }
        if matches!(found.verdict, Verdict::Unchanged | Verdict::Derived) {
            continue;
        }
        touched.insert(&found.place);
        if found.verdict != Verdict::Names {
            more_than_names.insert(&found.place);
        }
        if !matches!(found.verdict, Verdict::Layout | Verdict::Names) {
            more_than_layout.insert(&found.place);
        }
    }
    let servers = &mut report.servers;
    servers.added.clone_from(&comparison.added);
    servers.removed.clone_from(&comparison.removed);
    servers.renamed.clone_from(&comparison.renamed);
    let renamed = comparison.renamed.iter().map(|(_, new)| new);
    for place in &comparison.kept {
        if touched.contains(place) {
            servers.changed.push(place.clone());
            if !more_than_layout.contains(place) {
                servers.layout_only.push(place.clone());
            }
        } else {
            servers.unchanged.push(place.clone());
        }
    }
    // A renamed server is changed when more than its names differ.
    servers
        .changed
        .extend(renamed.filter(|place| more_than_names.contains(place)).cloned());
    for list in [
        &mut servers.changed,
        &mut servers.layout_only,
        &mut servers.added,
        &mut servers.removed,
        &mut servers.unchanged,
    ] {
        list.sort();
    }
    servers.renamed.sort();
}

fn groups(comparison: &Comparison<'_>) -> Vec<Group> {
    let mut spread: BTreeMap<(&str, Class), BTreeMap<Option<&Fact>, Spread>> = BTreeMap::new();
    for (index, found) in comparison.artifacts.iter().enumerate() {
        let (class, facts): (Class, &[Fact]) = match &found.verdict {
            Verdict::Changed(facts) => ((Change::Changed, false), facts),
            Verdict::Lines(facts) => ((Change::Changed, true), facts),
            Verdict::Added(facts) => ((Change::Added, false), facts),
            Verdict::Removed => ((Change::Removed, false), &[]),
            Verdict::Unchanged | Verdict::Layout | Verdict::Names | Verdict::Derived => continue,
        };
        let table = spread.entry((&found.artifact, class)).or_default();
        let mut add = |fact, order| {
            let spread: &mut Spread = table.entry(fact).or_default();
            if spread.places.is_empty() {
                spread.order = (index, order);
            }
            spread.places.insert(index);
        };
        for (order, fact) in facts.iter().enumerate() {
            add(Some(fact), order);
        }
        if facts.is_empty() {
            add(None, 0);
        }
    }
    let mut drafts: Vec<Draft<'_>> = Vec::new();
    for ((_, (change, by_lines)), table) in spread {
        // Facts that happen at exactly the same places are one change.
        let mut by_places: BTreeMap<BTreeSet<usize>, Ordered<'_>> = BTreeMap::new();
        for (fact, spread) in table {
            by_places
                .entry(spread.places)
                .or_default()
                .push((spread.order, fact));
        }
        for (places, mut facts) in by_places {
            facts.sort();
            drafts.push(Draft {
                change,
                by_lines,
                found: places
                    .iter()
                    .filter_map(|index| comparison.artifacts.get(*index))
                    .collect(),
                facts: facts.into_iter().filter_map(|(_, fact)| fact).cloned().collect(),
                others: Vec::new(),
            });
        }
    }
    let drafts = join_installations(drafts, comparison);
    let mut groups = join_artifacts(drafts.iter().filter_map(group).collect());
    groups.sort_by(|left, right| {
        (right.risk, left.change, &left.artifacts, &left.places).cmp(&(
            left.risk,
            right.change,
            &right.artifacts,
            &right.places,
        ))
    });
    groups
}

/// A group before it is written down.
#[derive(Clone, Debug)]
struct Draft<'a> {
    change: Change,
    by_lines: bool,
    found: Vec<&'a Compared<'a>>,
    facts: Vec<Fact>,
    /// Names of other servers by the number of their stand-in, at each place.
    others: Vec<(Place, Vec<String>)>,
}

/// One draft of several that say the same, with the names of other servers it was said with.
type Member<'a> = (Draft<'a>, Vec<String>);

/// Joins drafts that differ only in which other servers of their installation they name: the same change of several
/// installations, or of all servers of a cluster. Other servers are numbered within a draft, so nothing that differs
/// becomes equal.
fn join_installations<'a>(drafts: Vec<Draft<'a>>, comparison: &Comparison<'_>) -> Vec<Draft<'a>> {
    let mut joined: BTreeMap<(&'a str, Class, Vec<Fact>), Vec<Member<'a>>> = BTreeMap::new();
    for draft in drafts {
        let Some(first) = draft.found.first() else {
            continue;
        };
        let mut others = Others::new(comparison.installations.get(&first.place.bundle));
        let facts: Vec<Fact> = draft.facts.iter().map(|fact| others.hide_in(fact)).collect();
        joined
            .entry((&first.artifact, (draft.change, draft.by_lines), facts))
            .or_default()
            .push((draft, others.names()));
    }
    let mut drafts = Vec::new();
    for ((_, (change, by_lines), facts), members) in joined {
        // One draft alone, and drafts without facts, keep their real names.
        if members.len() == 1 || facts.is_empty() {
            drafts.extend(members.into_iter().map(|(draft, _)| draft));
            continue;
        }
        let named = members.iter().flat_map(|(draft, names)| {
            let places = draft.found.iter().map(|found| found.place.clone());
            places.map(|place| (place, names.clone()))
        });
        let named: BTreeMap<Place, Vec<String>> = named.filter(|(_, names)| !names.is_empty()).collect();
        drafts.push(Draft {
            change,
            by_lines,
            others: named.into_iter().collect(),
            found: members.into_iter().flat_map(|(draft, _)| draft.found).collect(),
            facts,
        });
    }
    drafts
}

/// Joins groups of different artifacts with the same facts at the same places, and everything that goes at one place.
fn join_artifacts(groups: Vec<Group>) -> Vec<Group> {
    let mut joined: BTreeMap<Sameness, Group> = BTreeMap::new();
    for mut group in groups {
        let judged = (group.change != Change::Removed).then(|| (group.risk, group.reason.clone()));
        let key = (
            (group.change, group.by_lines),
            group.places.clone(),
            group.facts.clone(),
            group.others.clone(),
            judged,
        );
        match joined.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(group);
            }
            Entry::Occupied(mut entry) => {
                let into = entry.get_mut();
                if group.risk > into.risk {
                    into.risk = group.risk;
                    into.reason = std::mem::take(&mut group.reason);
                }
                for (list, more) in into.lists().into_iter().zip(group.lists()) {
                    list.append(more);
                }
            }
        }
    }
    // Once at the end: sorting at each of 100,000 artifacts takes an hour.
    let mut groups: Vec<Group> = joined.into_values().collect();
    for group in &mut groups {
        for list in group.lists() {
            list.sort();
            list.dedup();
        }
    }
    groups
}

fn group(draft: &Draft<'_>) -> Option<Group> {
    let Draft {
        change,
        by_lines,
        found,
        facts,
        others,
    } = draft;
    let first = found.first()?;
    let record = first.record;
    // The real names are clearer than stand-ins where there is one server only.
    let (old_names, names) = if found.len() == 1 {
        (first.old_names.clone(), first.names.clone())
    } else {
        (Identity::default(), Identity::default())
    };
    let (risk, reason) = facts
        .iter()
        .map(|fact| risk::of(record, fact.subject, &fact.path))
        .max_by_key(|(risk, _)| *risk)
        .unwrap_or_else(|| risk::of(record, Subject::Content, &FactPath::default()));
    let set = |texts: &dyn Fn(&Artifact) -> Vec<String>| -> Vec<String> {
        let all: BTreeSet<String> = found
            .iter()
            .flat_map(|found| {
                let texts = texts(found.record).into_iter();
                texts.map(|text| safe(&names.restore(&found.names.hide(&text))))
            })
            .collect();
        all.into_iter().collect()
    };
    Some(Group {
        artifacts: vec![safe(&first.artifact)],
        titles: set(&|record| vec![record.title.clone()]),
        change: *change,
        risk,
        reason: reason.to_owned(),
        targets: set(&|record| record.target.clone().into_iter().collect()),
        restarts: set(&|record| record.restarts.clone()),
        undo: set(&|record| vec![undo(&record.rollback)]),
        requirements: set(&|record| record.requirements.clone()),
        places: {
            let places: BTreeSet<Place> = found.iter().map(|found| found.place.clone()).collect();
            places.into_iter().collect()
        },
        by_lines: *by_lines,
        others: others
            .iter()
            .map(|(place, names)| (place.clone(), names.iter().map(|name| safe(name)).collect()))
            .collect(),
        facts: facts
            .iter()
            .map(|fact| readable(fact, &old_names, &names))
            .collect(),
    })
}

/// A fact as it is shown: names restored, stand-ins and control characters readable, secrets out.
fn readable(fact: &Fact, old_names: &Identity, names: &Identity) -> Fact {
    let path = fact.path.map(|text| shown(&names.restore(text)));
    let value = |value: &Option<String>, names: &Identity| {
        value
            .as_deref()
            .map(|value| redacted(&path, &shown(&names.restore(value))))
    };
    Fact {
        old: value(&fact.old, old_names),
        new: value(&fact.new, names),
        path: match safe(&path.to_string()).as_str() {
            REDACTED => REDACTED.into(),
            _ => path,
        },
        ..*fact
    }
}

/// The value of the position `path`, unless it looks like a secret by itself or in that position.
fn redacted(path: &FactPath, value: &str) -> String {
    let name = path.last().map(Step::to_string).unwrap_or_default();
    let is_secret = |text: &str| !secrets::scan(text, &[]).is_empty();
    // A setting, and a directive or command with its arguments.
    let in_place = [format!("{name}={value}"), format!("{name} {value}")];
    if secrets::secret_fact(path, value, &[]).is_some()
        || is_secret(value)
        || in_place.iter().any(|text| is_secret(text))
    {
        REDACTED.to_owned()
    } else {
        value.to_owned()
    }
}

/// A text for the report that is no value: readable, and left out when it looks like a secret.
fn safe(text: &str) -> String {
    redacted(&FactPath::default(), &shown(text))
}

/// Bundles with what their manifests say of them: nobody has looked at an edited manifest before.
fn bundles(pairs: &[BundlePair]) -> Vec<BundlePair> {
    let mut shown = pairs.to_vec();
    for (pair, real) in shown.iter_mut().zip(pairs) {
        for side in [&mut pair.old, &mut pair.new].into_iter().flatten() {
            side.version = safe(&side.version);
            side.change = side.change.as_deref().map(safe);
            side.compiled_by = safe(&side.compiled_by);
            side.servers = side
                .servers
                .iter()
                .map(|(name, said)| (safe(name), safe(said)))
                .collect();
        }
        // Two secrets that differ are a change, although neither is shown.
        if let (Some(old), Some(new)) = (&pair.old, &mut pair.new)
            && let (Some(real_old), Some(real_new)) = (&real.old, &real.new)
            && real_old.differs(real_new)
            && !old.differs(new)
        {
            new.version.push_str(", changed");
        }
    }
    shown
}

/// The mark of a kind of fact in reports.
pub fn mark(kind: FactKind) -> &'static str {
    match kind {
        FactKind::Changed => "~",
        FactKind::Added => "+",
        FactKind::Removed => "-",
        FactKind::Moved => "↕",
        FactKind::Renamed => "»",
    }
}

#[cfg(test)]
#[path = "group_tests.rs"]
mod tests;
