//! Words every form of the report shares: the rows of its head, lists, values cut to what differs.
//!
//! This file must not know Markdown, HTML or terminals.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::fact::{Fact, FactKind};
use super::model::{Change, Group, Report, Warning};
use super::names;
use super::pair::Place;
use crate::formats::Cut as _;

/// One row of the head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// What is counted.
    pub(super) label: &'static str,
    /// How many.
    pub(super) count: usize,
    /// Their names.
    pub(super) names: Vec<String>,
    /// Whether the names may be left out when there is no room: those of what did not change.
    pub(super) optional: bool,
}

/// Counts and names, servers first.
pub(super) fn head(report: &Report) -> Vec<Row> {
    let several = report.has_several_bundles();
    let servers = &report.servers;
    let places = |label, places: &[Place], optional| Row {
        label,
        count: places.len(),
        names: names::places(places, several),
        optional,
    };
    let artifacts = |label, table: &BTreeMap<String, usize>, optional| Row {
        label,
        count: table.values().sum(),
        names: artifact_names(table),
        optional,
    };
    let renamed = servers.renamed.iter().map(|(old, new)| {
        let name = |place: &Place| {
            let server = place.server.clone().unwrap_or_default();
            if several {
                format!("{}: {server}", place.bundle)
            } else {
                server
            }
        };
        format!("{} → {}", name(old), name(new))
    });
    let bundles = |side: fn(&super::edition::BundlePair) -> bool| {
        report
            .bundles
            .iter()
            .filter(move |pair| side(pair))
            .map(|pair| pair.name.as_str())
    };
    let one_sided = |label, names: Vec<&str>| Row {
        label,
        count: names.len(),
        names: names::folded(names),
        optional: false,
    };
    let table = &report.artifacts;
    let mut rows = vec![
        places("changed servers", &servers.changed, false),
        places(
            "of these, only layout, own name or bundle version",
            &servers.layout_only,
            false,
        ),
        places("added servers", &servers.added, false),
        places("removed servers", &servers.removed, false),
        Row {
            label: "moved or renamed servers",
            count: servers.renamed.len(),
            names: renamed.collect(),
            optional: false,
        },
        places("unchanged servers", &servers.unchanged, true),
        one_sided("added bundles", bundles(|pair| pair.old.is_none()).collect()),
        one_sided("removed bundles", bundles(|pair| pair.new.is_none()).collect()),
        artifacts("changed artifacts", &table.changed, false),
        artifacts("added artifacts", &table.added, false),
        artifacts("removed artifacts", &table.removed, false),
        artifacts(
            "artifacts that differ in layout or comments only",
            &table.layout_only,
            false,
        ),
        artifacts(
            "artifacts that differ in server name or bundle version only",
            &table.names_only,
            false,
        ),
        artifacts("derived files that follow", &table.derived, false),
        artifacts("unchanged artifacts", &table.unchanged, true),
    ];
    // The first of each kind say "0" aloud; the others are left out when there is nothing to say.
    let always = [
        "changed servers",
        "added servers",
        "removed servers",
        "unchanged servers",
        "changed artifacts",
        "added artifacts",
        "removed artifacts",
        "unchanged artifacts",
    ];
    rows.retain(|row| row.count > 0 || always.contains(&row.label));
    rows
}

/// Names of artifacts, those of one folder together: `certificate/{check.cmd, import.cmd ×2}`.
fn artifact_names(table: &BTreeMap<String, usize>) -> Vec<String> {
    let mut folders: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (path, count) in table {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let times = if *count == 1 {
            String::new()
        } else {
            format!(" ×{count}")
        };
        folders.entry(folder).or_default().push(format!("{name}{times}"));
    }
    folders
        .into_iter()
        .flat_map(|(folder, names)| match (folder, names.as_slice()) {
            ("", _) => names,
            (_, [only]) => vec![format!("{folder}/{only}")],
            _ => vec![format!("{folder}/{{{}}}", names.join(", "))],
        })
        .collect()
}

/// One sentence on how it was compared.
pub(super) fn coverage(report: &Report) -> String {
    let coverage = &report.coverage;
    let mut text = format!(
        "compared {} artifacts: {} equal by digest, {} read by the parser of their format on both sides, {} by lines only",
        coverage.compared,
        coverage.equal,
        coverage.parsed,
        coverage.by_lines.values().sum::<usize>(),
    );
    // Writing to a String cannot fail.
    if !coverage.by_lines.is_empty() {
        let names: Vec<&str> = coverage.by_lines.keys().map(String::as_str).collect();
        let _ = write!(text, " ({})", names.join(", "));
    }
    if coverage.derived > 0 {
        let _ = write!(text, ", {} derived ones by digest only", coverage.derived);
    }
    if coverage.one_sided > 0 {
        let _ = write!(text, "; {} on one side only", coverage.one_sided);
    }
    text
}

/// Where a group happens, for example `on CORE01…CORE20`.
pub(super) fn places(report: &Report, group: &Group) -> String {
    join(
        report,
        &names::places(&group.places, report.has_several_bundles()),
    )
}

/// The same where the names stand elsewhere: a number when they would fill more than a line.
pub(super) fn places_in_short(report: &Report, group: &Group) -> String {
    let names = places(report, group);
    if names.chars().count() <= ONE_LINE {
        return names;
    }
    let mut bundles: Vec<&str> = group.places.iter().map(|place| place.bundle.as_str()).collect();
    bundles.dedup();
    format!("{} servers of {} bundles", group.places.len(), bundles.len())
}

/// Letters of a list of names that fit into one line.
const ONE_LINE: usize = 100;

/// Names of places in one line: with several bundles commas already stand inside.
pub(super) fn join(report: &Report, names: &[String]) -> String {
    names.join(if report.has_several_bundles() { "; " } else { ", " })
}

/// A long list: the first few, and how many more.
pub(super) fn few(texts: &[String], most: usize, none: &str) -> String {
    if texts.len() <= most + 1 {
        return list(texts, none);
    }
    let shown = texts.cut(..most).join(", ");
    format!("{shown} and {} more", texts.len() - most)
}

/// A list for people; `none` when it is empty.
pub(super) fn list(texts: &[String], none: &str) -> String {
    if texts.is_empty() {
        return none.to_owned();
    }
    texts.join(", ")
}

/// Editions of the bundles, one line for each difference; bundles with equal versions are left out.
pub(super) fn editions(report: &Report) -> Vec<String> {
    let mut lines: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
    let mut servers = Vec::new();
    for pair in &report.bundles {
        if let (Some(old), Some(new)) = (&pair.old, &pair.new) {
            servers.extend(
                old.servers_said_otherwise(new)
                    .map(|(server, old, new)| format!("{}: server {server} is {old} → {new}", pair.name)),
            );
            let named = old.name != new.name;
            let text = |edition: &super::edition::Edition| {
                let name = if named {
                    format!("{} ", edition.name)
                } else {
                    String::new()
                };
                let change = edition.change.iter().map(|change| format!(" ({change})"));
                let moved = old.window != new.window;
                let window = match (&edition.window, moved) {
                    (_, false) => String::new(),
                    (Some(window), true) => format!(", window {window}"),
                    (None, true) => ", no window".to_owned(),
                };
                let program = match edition.program {
                    _ if old.program == new.program => String::new(),
                    Some(digest) => format!(", program {}", digest.spoken()),
                    None => ", no program".to_owned(),
                };
                let compiler = if old.compiled_by == new.compiled_by {
                    String::new()
                } else {
                    format!(", compiled by {}", edition.compiled_by)
                };
                format!(
                    "{name}{}{}{window}{program}{compiler}",
                    edition.version,
                    change.collect::<String>()
                )
            };
            if text(old) != text(new) {
                lines.entry((text(old), text(new))).or_default().push(&pair.name);
            }
        }
    }
    lines
        .into_iter()
        .map(|((old, new), bundles)| format!("{}: version {old} → {new}", names::folded(bundles).join(", ")))
        .chain(servers)
        .collect()
}

/// A warning with its bundles where there are several.
pub(super) fn warning(report: &Report, warning: &Warning) -> String {
    if !report.has_several_bundles() {
        return warning.text.clone();
    }
    let bundles = names::folded(warning.bundles.iter().map(String::as_str));
    format!("{} ({})", warning.text, bundles.join(", "))
}

/// Lists that stand behind the head, each with its title; without those that are empty.
pub(super) fn notes(report: &Report) -> Vec<(&'static str, Vec<String>)> {
    let warnings = |found: &[Warning]| found.iter().map(|found| warning(report, found)).collect();
    let mut notes = vec![
        ("Not as built", report.damage.clone()),
        (
            "Left out, because one side does not compile",
            report.failed.clone(),
        ),
        ("New warnings", warnings(&report.new_warnings)),
        ("Warnings that are gone", warnings(&report.gone_warnings)),
    ];
    notes.retain(|(_, lines)| !lines.is_empty());
    notes
}

/// Letters of a value that are shown around what differs.
const AROUND: usize = 60;
/// Letters of a value that are shown at all.
const LONGEST: usize = 600;

/// Both values of a fact, cut to what differs: long equal beginnings and ends become `…`.
pub(super) fn values(fact: &Fact) -> (Option<String>, Option<String>) {
    let (Some(old), Some(new)) = (&fact.old, &fact.new) else {
        return (fact.old.as_deref().map(shorten), fact.new.as_deref().map(shorten));
    };
    if fact.kind == FactKind::Moved {
        return (None, Some(shorten(new)));
    }
    let (old, new): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
    let head = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let tail = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take_while(|(old, new)| old == new)
        .count()
        .min(old.len().min(new.len()) - head);
    let cut = |letters: &[char]| {
        let from = if head > AROUND * 2 { head - AROUND } else { 0 };
        let to = if tail > AROUND * 2 {
            letters.len() - tail + AROUND
        } else {
            letters.len()
        };
        let middle: String = letters.cut(from..to).iter().collect();
        let text = format!(
            "{}{middle}{}",
            if from > 0 { "…" } else { "" },
            if to < letters.len() { "…" } else { "" }
        );
        shorten(&text)
    };
    (Some(cut(&old)), Some(cut(&new)))
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}… ({} letters)", text.cut(..at), text.chars().count()),
        None => text.to_owned(),
    }
}

/// How many places are told apart where room is short.
const MOST_OTHERS: usize = 6;

/// Which servers `‹other server 1›` and so on are, place by place; `most` places are named.
pub(super) fn others(report: &Report, group: &Group, most: Option<usize>) -> Vec<String> {
    let mut by_names: BTreeMap<&[String], Vec<Place>> = BTreeMap::new();
    for (place, names) in &group.others {
        by_names.entry(names).or_default().push(place.clone());
    }
    let most = most.unwrap_or(usize::MAX);
    let mut lines: Vec<String> = by_names
        .iter()
        .take(most)
        .map(|(names, places)| {
            let numbered = names.iter().enumerate();
            let numbered = numbered.map(|(index, name)| format!("other server {} is {name}", index + 1));
            let places = join(report, &names::places(places, report.has_several_bundles()));
            format!("on {places}: {}", numbered.collect::<Vec<_>>().join(", "))
        })
        .collect();
    if by_names.len() > most {
        lines.push(format!(
            "and {} more; the JSON and HTML reports name them",
            by_names.len() - most
        ));
    }
    lines
}

/// The same where room is short.
pub(super) fn few_others(report: &Report, group: &Group) -> Vec<String> {
    others(report, group, Some(MOST_OTHERS))
}

/// Facts of a new artifact that are shown where room is short; the others are counted.
const NEW_FACTS: usize = 12;

/// The lines of all facts of a group as in a patch; of a new artifact the first only.
pub(super) fn patch(group: &Group) -> Vec<String> {
    let most = if group.change == Change::Added {
        NEW_FACTS
    } else {
        usize::MAX
    };
    let mut shown: Vec<String> = group.facts.iter().take(most).flat_map(lines).collect();
    let more = group.facts.len().saturating_sub(most);
    if more > 0 {
        shown.push(format!("+ and {more} more"));
    }
    shown
}

/// The lines of a fact, each with `-`, `+` or a blank in front as in a patch.
fn lines(fact: &Fact) -> Vec<String> {
    let (old, new) = values(fact);
    let mut lines = Vec::new();
    let mut side = |mark: char, value: Option<String>| {
        let Some(value) = value else { return };
        if value.contains('\n') {
            lines.push(format!("{mark} {}:", fact.path));
            lines.extend(value.split('\n').map(|line| format!("{mark}     {line}")));
        } else if value.is_empty() {
            lines.push(format!("{mark} {}", fact.path));
        } else {
            lines.push(format!("{mark} {}: {value}", fact.path));
        }
    };
    match fact.kind {
        FactKind::Moved => {
            let value = new.unwrap_or_default();
            lines.push(format!(
                "! {}: now in another place: {}",
                fact.path,
                value.replace('\n', " ")
            ));
        }
        FactKind::Renamed => {
            lines.push(format!("! block {}", old.unwrap_or_default()));
            lines.push(format!("!    is now {}", new.unwrap_or_default()));
        }
        FactKind::Changed | FactKind::Added | FactKind::Removed => {
            side('-', old);
            side('+', new);
        }
    }
    lines
}
