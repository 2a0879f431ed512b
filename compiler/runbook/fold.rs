//! Servers whose steps differ in nothing but the server's name share one section of the printed runbook.
//!
//! Only a view: the runbook as data has every step of every server. This file must not know plans.

use std::collections::BTreeMap;

use crate::facts::Facts;
use crate::facts::plan_view::{AppliedView, GroupView, Prose, StepView, ValueView};
use crate::formats::Cut as _;
use crate::json;
use crate::marks::{self, SECTION_FQDN, SECTION_SERVER};

/// From this many servers on, equal sections are folded.
pub(super) const FOLD_FROM: usize = 6;

/// Sections of single servers, in order; from [`FOLD_FROM`] on, equal ones become one.
pub(super) fn fold(facts: &Facts, sections: Vec<(String, Vec<StepView>)>) -> Vec<GroupView> {
    if sections.len() < FOLD_FROM {
        return sections
            .into_iter()
            .map(|(name, steps)| group(vec![name], false, steps))
            .collect();
    }
    let fqdns: BTreeMap<&str, &str> = facts
        .servers
        .iter()
        .map(|server| (server.name.as_str(), server.fqdn.as_str()))
        .collect();
    // Key: the section with the server's own names replaced; value: its servers, in order of first appearance.
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    let mut merged: Vec<(Vec<String>, Vec<StepView>, Vec<StepView>)> = Vec::new();
    for (name, steps) in sections {
        let fqdn = fqdns.get(name.as_str()).copied().unwrap_or_default();
        let masked: Vec<StepView> = steps.iter().map(|step| mask(step, &name, fqdn)).collect();
        let key = json::compact(&masked);
        if let Some((servers, _, _)) = alike.get(&key).and_then(|place| merged.get_mut(*place)) {
            servers.push(name);
        } else {
            alike.insert(key, merged.len());
            merged.push((vec![name], steps, masked));
        }
    }
    merged
        .into_iter()
        .map(|(servers, own, masked)| {
            if servers.len() > 1 {
                group(servers, true, masked.iter().map(unmask).collect())
            } else {
                group(servers, false, own)
            }
        })
        .collect()
}

fn group(servers: Vec<String>, folded: bool, steps: Vec<StepView>) -> GroupView {
    GroupView {
        title: match servers.as_slice() {
            [one] => one.clone(),
            several => format!("On each of {} servers", several.len()),
        },
        servers,
        folded,
        runs: Vec::new(),
        steps,
    }
}

/// The step with the server's FQDN and name replaced by marks, where they stand as whole words.
fn mask(step: &StepView, name: &str, fqdn: &str) -> StepView {
    map_texts(step, &|text| {
        let text = replace_word(text, fqdn, SECTION_FQDN);
        replace_word(&text, name, SECTION_SERVER)
    })
}

fn unmask(step: &StepView) -> StepView {
    map_texts(step, &|text| {
        text.replace(SECTION_FQDN, "SERVER-FQDN")
            .replace(SECTION_SERVER, "SERVER")
    })
}

fn map_texts(step: &StepView, change: &dyn Fn(&str) -> String) -> StepView {
    let prose = |prose: &Prose| Prose::new(change(&prose.markdown));
    let list = |list: &[Prose]| list.iter().map(prose).collect();
    StepView {
        title: change(&step.title),
        path: step.path.as_deref().map(change),
        arguments: step.arguments.iter().map(|argument| change(argument)).collect(),
        rollback: step.rollback.as_deref().map(change),
        target: step.target.as_deref().map(change),
        applies: step
            .applies
            .iter()
            .map(|file| AppliedView {
                title: change(&file.title),
                path: change(&file.path),
                target: file.target.as_deref().map(change),
            })
            .collect(),
        values: step
            .values
            .iter()
            .map(|value| ValueView {
                key: change(&value.key),
                old: value.old.as_deref().map(change),
                new: value.new.as_deref().map(change),
            })
            .collect(),
        before: list(&step.before),
        todo: list(&step.todo),
        body: prose(&step.body),
        check: list(&step.check),
        later: list(&step.later),
        undo: list(&step.undo),
        ..step.clone()
    }
}

/// Replaces `word` where it is not part of a longer word, ignoring ASCII case.
fn replace_word(text: &str, word: &str, mark: char) -> String {
    if word.is_empty() {
        return text.to_owned();
    }
    let lower = text.to_ascii_lowercase();
    let wanted = word.to_ascii_lowercase();
    let places = lower.match_indices(&wanted).map(|(at, _)| at..at + wanted.len());
    let whole = places.filter(|place| {
        let is_joined = lower.cut(..place.start).ends_with(char::is_alphanumeric)
            || lower.cut(place.end..).starts_with(char::is_alphanumeric);
        !is_joined
    });
    marks::put(mark, text, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_as_whole_words() {
        let check = |text: &str, expected: &str| assert_eq!(replace_word(text, "SQL", '#'), expected);
        check("sql, SQL01 and MYSQL", "#, SQL01 and MYSQL");
        check("servers/SQL/x SQL", "servers/#/x #");
        check("SQLSQL", "SQLSQL");
        check("ſql İ SQL", "ſql İ #");
    }
}
