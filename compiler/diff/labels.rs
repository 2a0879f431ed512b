//! Numbers at the end of labels of a batch script, made independent of how many labels there are.
//!
//! Templates number the labels of repeated steps (`new_1`, `new_2`), so one more step renames all labels behind it. Here
//! a label is written by its name without the number, and a jump by where it leads: to the next label of that name, or to
//! the first, second, third one in the script. Two scripts that are equal afterwards jump to the same places, because
//! the labels themselves are items and stand in the same order. This file must not know reports.

use std::collections::BTreeMap;

use crate::formats::{Form, Item, Step};

/// The items of a script with its labels and jumps written by place; the numbers of labels stay in paths.
pub(super) fn without_numbers(mut items: Vec<Item>) -> Vec<Item> {
    // Numbered labels in lower case, as cmd.exe compares them: name, place among the items, and the ordinal among its name.
    let mut places: BTreeMap<String, (String, usize, usize)> = BTreeMap::new();
    let mut ordinals: BTreeMap<String, usize> = BTreeMap::new();
    for (at, item) in items.iter().enumerate() {
        if let Some(label) = label_of(item).filter(|label| label.key.is_some()) {
            let name = label.name.to_ascii_lowercase();
            let ordinal = ordinals.entry(name.clone()).or_default();
            *ordinal += 1;
            places.insert(label.to_string().to_ascii_lowercase(), (name, at, *ordinal));
        }
    }
    let written = |at: usize, label: &str| -> Option<String> {
        let (name, place, ordinal) = places.get(&label.to_ascii_lowercase())?;
        let later = places
            .values()
            .filter(|(other, place, _)| other == name && *place > at);
        let next = later.map(|(_, place, _)| *place).min();
        let shown = label.get(..name.len())?;
        Some(if next == Some(*place) {
            format!("{shown}, the next one")
        } else {
            format!("{shown}, number {ordinal}")
        })
    };
    for (at, item) in items.iter_mut().enumerate() {
        item.value = match label_of(item) {
            Some(label) => format!(":{}", label.name),
            None => jumps_by_place(&item.value, |label| written(at, label)),
        };
    }
    items
}

/// The label an item stands for.
fn label_of(item: &Item) -> Option<&Step> {
    item.path.last().filter(|step| step.form == Form::Label)
}

/// A command with every `:label` that is known written by its place.
fn jumps_by_place(command: &str, written: impl Fn(&str) -> Option<String>) -> String {
    let mut changed = String::with_capacity(command.len());
    let mut rest = command;
    while let Some(at) = rest.find(':') {
        let (before, from) = rest.split_at(at + 1);
        changed.push_str(before);
        let end = from
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(from.len());
        let (label, behind) = from.split_at(end);
        // `goto :label` and `call :label`; a colon inside a word is part of a path or an address.
        let is_jump = at == 0 || before.ends_with(" :");
        match written(label).filter(|_| is_jump) {
            Some(place) => changed.push_str(&place),
            None => changed.push_str(label),
        }
        rest = behind;
    }
    changed.push_str(rest);
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::{Format, items};

    /// What a script says after its two first lines.
    fn said(body: &str) -> Vec<Item> {
        let text = format!(
            "@echo off\nsetlocal EnableExtensions DisableDelayedExpansion\n{body}endlocal\nexit /b 0\n"
        );
        without_numbers(items(Format::Cmd, &text).unwrap_or_else(|errors| panic!("{errors:?}")))
    }

    fn check(body: &str, expected: &[&str]) {
        let got: Vec<String> = said(body)
            .into_iter()
            .map(|item| format!("{} = {}", item.path.without_ordinals(), item.value))
            .collect();
        assert_eq!(got, expected, "{body}");
    }

    #[test]
    fn one_more_step_renames_nothing() {
        let step =
            |number: usize| format!("if exist \"a\" goto :new_{number}\necho {number}\n:new_{number}\n");
        let values = |count: usize| {
            let body: String = (1..=count).map(step).collect();
            let jumps = said(&body).into_iter().map(|item| item.value);
            jumps.filter(|value| value.contains("new")).collect::<Vec<_>>()
        };
        assert_eq!(values(3)[..4], values(2)[..4]);
        assert_eq!(
            values(2),
            [
                "exist \"a\" goto :new, the next one",
                ":new",
                "exist \"a\" goto :new, the next one",
                ":new"
            ]
        );
    }

    #[test]
    fn a_jump_elsewhere_names_the_place() {
        check(
            "if exist \"a\" goto :x_2\n:x_1\necho 1\n:x_2\nif exist \"C:\\x_1\" goto :x_1\ngoto :end\n:end\n",
            &[
                "start > if = exist \"a\" goto :x, number 2",
                "x = :x",
                "x > echo = 1",
                "x = :x",
                "x > if = exist \"C:\\x_1\" goto :x, number 1",
                "x > goto = :end",
                "end = :end",
                "end > endlocal = ",
                "end > exit = /b 0",
            ],
        );
    }
}
