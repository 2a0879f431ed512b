//! Keys that a mapping holds more than once, and what they tell: the items of a list without their `-` repeat all keys.
//!
//! One mistake is one finding, however many keys it repeats. This file must not know what the keys mean.

use std::collections::BTreeMap;

use super::value::Entry;
use crate::codes;
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::Span;

/// Where the keys of a mapping begin from the first one again, when more than the first is repeated.
pub(super) fn written_again(entries: &[Entry]) -> Option<Vec<usize>> {
    let first = entries.first()?;
    let starts: Vec<usize> = (1..entries.len())
        .filter(|at| entries.get(*at).is_some_and(|entry| entry.key == first.key))
        .collect();
    let start = *starts.first()?;
    let second = entries.get(start + 1)?;
    let mut item = entries.iter().take(start);
    item.any(|entry| entry.key == second.key).then_some(starts)
}

/// The items of [`written_again`].
pub(super) fn split(mut entries: Vec<Entry>, starts: &[usize]) -> Vec<Vec<Entry>> {
    let mut items: Vec<Vec<Entry>> = Vec::new();
    for start in starts.iter().rev() {
        items.push(entries.split_off((*start).min(entries.len())));
    }
    items.push(entries);
    items.reverse();
    items
}

/// Reports items without a `-` in a list, one finding for each.
pub(super) fn report_items(diagnostics: &mut Diagnostics, entries: &[Entry], starts: &[usize]) {
    let found = starts.iter().filter_map(|start| again(entries, *start));
    for finding in found.take(super::MAX_FINDINGS) {
        diagnostics.push(
            finding
                .note("every item of a list begins with a `-` of its own")
                .help("write `- ` before this key, and indent the other keys of the item like it"),
        );
    }
}

/// Reports a section whose keys are all written again.
pub(super) fn report_section(diagnostics: &mut Diagnostics, entries: &[Entry], starts: &[usize]) {
    if let Some(finding) = starts.first().and_then(|start| again(entries, *start)) {
        diagnostics.push(
            finding
                .note("only items of a list repeat their keys, each behind a `-` of its own")
                .help("remove one of the two, or write `- ` before the first key of each item"),
        );
    }
}

fn again(entries: &[Entry], start: usize) -> Option<Diagnostic> {
    let (first, entry) = (entries.first()?, entries.get(start)?);
    let message = format!("`{}` and the keys behind it are written twice", entry.key);
    let finding = Diagnostic::new(codes::DUPLICATE_KEY, message)
        .at_with(entry.key_span, "again here")
        .related(first.key_span, "first written here");
    Some(finding)
}

/// The entries without those whose key was there before, each of which is reported.
pub(super) fn without_duplicates(diagnostics: &mut Diagnostics, mut entries: Vec<Entry>) -> Vec<Entry> {
    let mut first: BTreeMap<String, Span> = BTreeMap::new();
    let mut reported = 0;
    entries.retain(|entry| {
        let Some(before) = first.get(&entry.key) else {
            first.insert(entry.key.clone(), entry.key_span);
            return true;
        };
        if reported < super::MAX_FINDINGS {
            reported += 1;
            diagnostics.push(
                Diagnostic::new(codes::DUPLICATE_KEY, format!("`{}` is written twice", entry.key))
                    .at_with(entry.key_span, "again here")
                    .related(*before, "first written here")
                    .note("many YAML readers keep the last one without a word")
                    .help("keep one of the two; keys that belong to a second item of a list need a `-` line before them"),
            );
        }
        false
    });
    entries
}

#[cfg(test)]
mod tests {
    use super::super::value::{Node, ValueKind};
    use super::*;
    use crate::source::Sources;

    #[test]
    fn items_begin_where_all_keys_are_repeated() {
        let check = |keys: &str, expected: Option<Vec<usize>>| {
            let span = Span::new(Sources::new().add("a.yaml", ""), 0..0);
            let entry = |key: char| Entry {
                key: key.to_string(),
                key_span: span,
                value: Node {
                    span,
                    kind: ValueKind::Refused,
                },
            };
            let entries: Vec<Entry> = keys.chars().map(entry).collect();
            assert_eq!(written_again(&entries), expected, "{keys}");
            if let Some(starts) = expected {
                let items = split(entries, &starts);
                let items: Vec<String> = items
                    .into_iter()
                    .map(|item| item.into_iter().map(|entry| entry.key).collect())
                    .collect();
                assert_eq!(items.concat(), keys);
                assert_eq!(items.len(), starts.len() + 1);
            }
        };
        check("abcabc", Some(vec![3]));
        check("ababab", Some(vec![2, 4]));
        check("abcac", Some(vec![3]));
        check("aba", None);
        check("abca", None);
        check("abcad", None);
        check("abc", None);
        check("", None);
    }
}
