//! Answers for people: short enough for one screen.

use std::fmt::Write as _;

use super::{Answer, Impact, InventoryPlace, Provenance, Reached, Requirement};
use crate::contract::artifact::Scope;

/// Most values of one kind that are listed; the rest is counted. `--format json` lists all.
const MOST_VALUES: usize = 12;
/// Most values nobody wrote that are listed.
const MOST_ABSENT: usize = 4;
/// Up to this many requirements are listed with their titles.
const MOST_TITLES: usize = 8;
/// Most values of one edit that are named.
const MOST_NAMES: usize = 4;
/// Most servers that are named together.
const MOST_SERVERS: usize = 3;
/// Most ranges of lines that are listed for one artifact.
const MOST_RANGES: usize = 12;
/// Longest value or line that is shown whole.
const WIDE: usize = 100;

/// Why an output line is what it is.
pub fn answer(answer: &Answer) -> String {
    let mut text = String::new();
    line(
        &mut text,
        format_args!("{}:{}  {}", answer.artifact, answer.line, answer.title),
    );
    line(&mut text, format_args!("  | {}", shorten(&answer.text)));
    line(&mut text, format_args!("\nwritten by"));
    for place in &answer.template {
        line(&mut text, format_args!("  {}:{}", place.file, place.line));
        line(&mut text, format_args!("  | {}", shorten(&place.text)));
    }
    let (written, absent): (Vec<&InventoryPlace>, Vec<&InventoryPlace>) = answer
        .inventory
        .iter()
        .partition(|place| place.from != Provenance::Absent);
    line(&mut text, format_args!("\ndepends on"));
    if written.is_empty() {
        line(
            &mut text,
            format_args!("  no value: it is fixed text of the template"),
        );
    }
    places(&mut text, &written, MOST_VALUES);
    if !absent.is_empty() {
        line(&mut text, format_args!("\nwould be another line with"));
        places(&mut text, &absent, MOST_ABSENT);
    }
    existence(&mut text, answer);
    requirements(&mut text, &answer.requirements);
    text
}

fn existence(text: &mut String, answer: &Answer) {
    let exists = &answer.exists;
    let often = match (exists.scope, &exists.server) {
        (Scope::Server, Some(server)) => format!("made once per server, here for {server}"),
        (Scope::Server, None) => "made once per server".to_owned(),
        (Scope::Deployment | Scope::Bundle, _) => "made once per bundle".to_owned(),
    };
    line(text, format_args!("\nthe artifact is {often}"));
    if let Some(when) = &exists.when {
        line(text, format_args!("  when {when}"));
    }
    places(text, &exists.because_of.iter().collect::<Vec<_>>(), MOST_VALUES);
}

fn requirements(text: &mut String, requirements: &[Requirement]) {
    if requirements.is_empty() {
        return;
    }
    line(text, format_args!("\nrequirements of the vendor guide"));
    let titled = requirements.len() <= MOST_TITLES;
    let mut sections: Vec<(&str, Vec<&Requirement>)> = Vec::new();
    for requirement in requirements {
        let mut known = sections.iter_mut();
        match known.find(|(section, _)| *section == requirement.section) {
            Some((_, members)) => members.push(requirement),
            None => sections.push((&requirement.section, vec![requirement])),
        }
    }
    for (section, members) in sections {
        if titled {
            line(text, format_args!("  section \"{section}\""));
            for member in members {
                line(text, format_args!("    {:<8} {}", member.id, member.title));
            }
        } else {
            let ids: Vec<&str> = members.iter().map(|member| member.id.as_str()).collect();
            line(text, format_args!("  section \"{section}\": {}", ids.join(", ")));
        }
    }
}

fn places(text: &mut String, places: &[&InventoryPlace], most: usize) {
    let shown: Vec<(String, String, &str)> = places
        .iter()
        .take(most)
        .map(|place| {
            let at = match (&place.file, place.line, place.column) {
                (Some(file), Some(line), Some(column)) => format!("{file}:{line}:{column}"),
                _ => "not written".to_owned(),
            };
            let value = if place.value.is_empty() {
                place.key.clone()
            } else {
                format!("{}: {}", place.key, shorten(&place.value))
            };
            let from = match place.from {
                Provenance::Inventory => "written here",
                Provenance::Layer => "from a layer",
                Provenance::Default => "default",
                Provenance::Absent => "",
            };
            (at, value, from)
        })
        .collect();
    let wide = |of: &dyn Fn(&(String, String, &str)) -> usize| shown.iter().map(of).max().unwrap_or_default();
    let first = wide(&|(at, ..)| at.chars().count());
    let second = wide(&|(_, value, _)| value.chars().count()).min(50);
    for (at, value, from) in &shown {
        line(text, format_args!("  {at:<first$}  {value:<second$}  {from}"));
    }
    if places.len() > shown.len() {
        line(
            text,
            format_args!(
                "  and {} more; `--format json` lists all",
                places.len() - shown.len()
            ),
        );
    }
}

/// What an inventory line reaches.
pub fn impact(impact: &Impact, inventory: &str) -> String {
    let mut text = String::new();
    let through = if inventory == impact.file {
        String::new()
    } else {
        format!("  in {inventory}")
    };
    line(
        &mut text,
        format_args!("{}:{}{through}", impact.file, impact.line),
    );
    if impact.values.is_empty() {
        line(
            &mut text,
            format_args!("  no value counts here: nothing is written, or another file replaces it"),
        );
    }
    for section in &impact.values {
        let value = &section.value;
        let shown = if value.value.is_empty() {
            value.key.clone()
        } else {
            format!("{}: {}", value.key, shorten(&value.value))
        };
        line(&mut text, format_args!("\n{shown}"));
        for why in &section.refused {
            line(&mut text, format_args!("  no answer: {why}"));
        }
        if section.edits.is_empty() && section.refused.is_empty() {
            line(&mut text, format_args!("  reaches no artifact"));
        }
        for edit in &section.edits {
            let mut instead: Vec<String> = edit
                .instead
                .iter()
                .take(MOST_NAMES)
                .map(|name| format!("`{}`", shorten(name)))
                .collect();
            if edit.instead.len() > MOST_NAMES {
                instead.push(format!("{} more", edit.instead.len() - MOST_NAMES));
            }
            line(&mut text, format_args!("  with {}", instead.join(", ")));
            for (paths, what) in folded(&edit.artifacts) {
                line(&mut text, format_args!("    {paths}: {what}"));
            }
        }
    }
    text
}

/// Artifacts with what changes in them. Those of several servers that change alike share a line, and so do those of one
/// folder tree with the same name.
fn folded(artifacts: &[Reached]) -> Vec<(String, String)> {
    let mut found: Vec<(Vec<&str>, &str, String)> = Vec::new();
    for reached in artifacts {
        let what = reach(reached);
        let (server, rest) = match reached
            .path
            .strip_prefix("servers/")
            .and_then(|rest| rest.split_once('/'))
        {
            Some((server, rest)) => (Some(server), rest),
            None => (None, reached.path.as_str()),
        };
        let alike = found.iter_mut().find(|(servers, path, known)| {
            !servers.is_empty() && server.is_some() && *path == rest && *known == what
        });
        match alike {
            Some((servers, ..)) => servers.extend(server),
            None => found.push((server.into_iter().collect(), rest, what)),
        }
    }
    found
        .into_iter()
        .map(
            |(servers, path, what)| match (servers.as_slice(), servers.len()) {
                ([], _) => (path.to_owned(), what),
                ([one], _) => (format!("servers/{one}/{path}"), what),
                (some, 2..=MOST_SERVERS) => (format!("servers/{{{}}}/{path}", some.join(",")), what),
                (_, count) => (format!("servers/…/{path} on {count} servers"), what),
            },
        )
        .collect()
}

fn reach(reached: &Reached) -> String {
    let mut parts = Vec::new();
    if reached.gone {
        parts.push("the whole artifact".to_owned());
    } else if !reached.lines.is_empty() {
        let word = if reached.lines.len() == 1 { "line" } else { "lines" };
        parts.push(format!("{word} {}", ranges(&reached.lines)));
    }
    if !reached.inserted_before.is_empty() {
        parts.push(format!("new lines before {}", ranges(&reached.inserted_before)));
    }
    parts.join("; ")
}

/// `3, 5-7`.
fn ranges(numbers: &[usize]) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for &number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let more = ranges.len().saturating_sub(MOST_RANGES);
    let mut shown: Vec<String> = ranges
        .into_iter()
        .take(MOST_RANGES)
        .map(|(first, last)| {
            if first == last {
                first.to_string()
            } else {
                format!("{first}-{last}")
            }
        })
        .collect();
    if more > 0 {
        shown.push(format!("and {more} more places"));
    }
    shown.join(", ")
}

fn shorten(text: &str) -> String {
    let text = text.trim_end();
    if text.chars().count() <= WIDE {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(WIDE - 1).collect();
    short.push('…');
    short
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    let start = text.len();
    // Writing to a text cannot fail.
    let _ = text.write_fmt(content);
    let kept = text.trim_end_matches(' ').len().max(start);
    text.truncate(kept);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_shown_as_ranges() {
        assert_eq!(ranges(&[1, 2, 3, 5, 7, 8]), "1-3, 5, 7-8");
        assert_eq!(ranges(&[]), "");
        assert!(ranges(&(1..100).step_by(2).collect::<Vec<_>>()).ends_with("23, and 38 more places"));
    }

    #[test]
    fn servers_that_change_alike_share_a_line() {
        let reached = |path: &str, line| Reached {
            path: path.to_owned(),
            gone: false,
            lines: vec![line],
            inserted_before: Vec::new(),
        };
        let artifacts = [
            reached("RUNBOOK.md", 1),
            reached("servers/A/x", 1),
            reached("servers/B/x", 1),
            reached("servers/C/x", 2),
        ];
        let lines: Vec<String> = folded(&artifacts)
            .into_iter()
            .map(|(paths, what)| format!("{paths} {what}"))
            .collect();
        assert_eq!(
            lines,
            [
                "RUNBOOK.md line 1",
                "servers/{A,B}/x line 1",
                "servers/C/x line 2"
            ]
        );
    }
}
