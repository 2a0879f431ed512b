//! Evidence of a run: one JSON object a line, each with the digest of the line before, and a seal at the end.
//!
//! The lines repeat the records of the journal that belong to the run, so evidence and journal cannot disagree, and any
//! JSON reader can read them. The seal says how many lines there are and has the digest of all of them: a changed, removed,
//! added or exchanged line is found. Who can write the whole file anew can also seal it anew; therefore the seal is printed
//! when a run ends, for the record of the change. This file must not know the disk.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::digest::Digest;
use crate::formats::Cut as _;
use crate::json;
use crate::report::{counted, visible};

use super::journal::{Line, Record, Who};

/// One line of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    n: u64,
    before: Digest,
    line: Line,
}

/// The last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seal {
    n: u64,
    before: Digest,
    /// The run.
    run: u64,
    /// How many lines stand before this one.
    lines: u64,
    /// Digest of all of them, with their line feeds.
    sha256: Digest,
}

/// The evidence of a run from the lines of a journal, and the digest to write down.
pub fn text<'a>(run: u64, lines: impl IntoIterator<Item = &'a Line>) -> (String, Digest) {
    let mut text = String::new();
    let mut before = Digest::of(b"");
    let mut n = 0;
    for line in lines.into_iter().filter(|line| line.run == run) {
        n += 1;
        let entry = json::compact(&Entry {
            n,
            before,
            line: line.clone(),
        });
        before = Digest::of(entry.as_bytes());
        text.push_str(&entry);
        text.push('\n');
    }
    let seal = Seal {
        n: n + 1,
        before,
        run,
        lines: n,
        sha256: Digest::of(text.as_bytes()),
    };
    text.push_str(&json::compact(&seal));
    text.push('\n');
    (text, seal.sha256)
}

/// What does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Flaw {
    /// Line of the file, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

/// Evidence that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The run.
    pub run: u64,
    /// Its records.
    pub lines: Vec<Line>,
    /// The digest that was printed when it was written.
    pub seal: Digest,
}

/// Lines that do not fit and are told one by one.
const MOST_FLAWS: usize = 100;

/// Reads evidence. `Err` holds every line that was changed, removed or added, as far as that can be told.
pub fn read(bytes: &[u8]) -> Result<Evidence, Vec<Flaw>> {
    let mut flaws = Vec::new();
    let mut others = 0;
    let mut flaw = |line: usize, message: &str| {
        if flaws.len() == MOST_FLAWS {
            others += 1;
        } else {
            flaws.push(Flaw {
                line,
                message: message.to_owned(),
            });
        }
    };
    let mut before = Digest::of(b"");
    let mut lines = Vec::new();
    let mut seal: Option<Seal> = None;
    let mut length = 0;
    let mut number = 0;
    for (index, piece) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        number = index + 1;
        let n = u64::try_from(number).unwrap_or(u64::MAX);
        if seal.is_some() {
            flaw(number, "a line was added behind the seal");
            continue;
        }
        let Some(text) = piece.strip_suffix(b"\n") else {
            flaw(number, "the last line was cut");
            continue;
        };
        let (entry, last) = (
            serde_json::from_slice::<Entry>(text).ok(),
            serde_json::from_slice::<Seal>(text).ok(),
        );
        match (entry, last) {
            (Some(entry), _) => {
                if entry.n != n {
                    flaw(
                        number,
                        "its number shows that lines were removed, added or exchanged before it",
                    );
                } else if entry.before != before {
                    flaw(number, "the line before it was changed");
                } else if json::compact(&entry).as_bytes() != text {
                    flaw(number, "it is not spelled as it was written");
                }
                lines.push(entry.line);
            }
            (None, Some(found)) => {
                let sealed = bytes.cut(..length);
                if found.n != n || found.lines + 1 != n {
                    flaw(number, "the seal counts other lines: some were removed or added");
                } else if found.before != before {
                    flaw(number, "the line before the seal was changed");
                } else if found.sha256 != Digest::of(sealed) {
                    flaw(number, "the seal is of other lines");
                } else if json::compact(&found).as_bytes() != text {
                    flaw(number, "the seal is not spelled as it was written");
                }
                seal = Some(found);
            }
            (None, None) => flaw(number, "it is no line of evidence, or was changed"),
        }
        before = Digest::of(text);
        length += piece.len();
    }
    if let Some(seal) = &seal
        && let Some(other) = lines.iter().position(|line| line.run != seal.run)
    {
        flaw(other + 1, "it belongs to another run");
    }
    if lines
        .first()
        .is_some_and(|first| !matches!(first.record, Record::Begin { .. }))
    {
        flaw(1, "the beginning of the run is missing");
    }
    if seal.is_some() && lines.is_empty() {
        flaw(1, "there is a seal and nothing that it seals");
    }
    if others > 0 {
        flaws.push(Flaw {
            line: number,
            message: format!("and {} more do not fit, up to this line", counted(others, "line")),
        });
    }
    match seal {
        Some(seal) if flaws.is_empty() => Ok(Evidence {
            run: seal.run,
            lines,
            seal: seal.sha256,
        }),
        Some(_) => Err(flaws),
        None => {
            flaws.push(Flaw {
                line: number + 1,
                message: "the seal is missing: lines at the end were removed".to_owned(),
            });
            Err(flaws)
        }
    }
}

/// What evidence is about, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary<'a> {
    /// The run.
    pub run: u64,
    /// Name of the bundle.
    pub bundle: &'a str,
    /// Its version.
    pub version: &'a str,
    /// Number of the change request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<&'a str>,
    /// Seal of the bundle.
    pub bundle_seal: Digest,
    /// The server, or `deployment`.
    pub place: &'a str,
    /// Who began it.
    pub by: &'a Who,
    /// When it began, and when its last line was written.
    pub from: &'a str,
    /// The same of the last line.
    pub until: &'a str,
    /// Its last record in words.
    pub ends_with: String,
    /// How many lines there are, without the seal.
    pub lines: usize,
    /// Seal of the evidence.
    pub seal: Digest,
}

/// What whole evidence is about; `None` when it has no beginning.
pub fn summary(evidence: &Evidence) -> Option<Summary<'_>> {
    let (first, last) = (evidence.lines.first()?, evidence.lines.last()?);
    let Record::Begin {
        bundle,
        version,
        change,
        seal,
        place,
        by,
        ..
    } = &first.record
    else {
        return None;
    };
    let (step, what) = words(&last.record);
    Some(Summary {
        run: evidence.run,
        bundle,
        version,
        change: change.as_deref(),
        bundle_seal: *seal,
        place,
        by,
        from: &first.at,
        until: &last.at,
        ends_with: if step.is_empty() {
            what
        } else {
            format!("{step}: {what}")
        },
        lines: evidence.lines.len(),
        seal: evidence.seal,
    })
}

/// The run as a table, for the record of a change. Who wrote the file may have written anything that a terminal obeys.
pub fn table(evidence: &Evidence) -> String {
    let mut out = format!("Run {}   seal {}\n", evidence.run, evidence.seal);
    let rows = evidence.lines.iter().map(|line| {
        let (step, what) = words(&line.record);
        [line.at.as_str(), &step, &what].map(|cell| visible(cell).into_owned())
    });
    let rows: Vec<[String; 3]> = rows.collect();
    let width = |column: usize| {
        let widths = rows.iter().filter_map(|row| row.get(column));
        widths.map(|text| text.chars().count()).max().unwrap_or(0)
    };
    let (first, second) = (width(0), width(1).max(4));
    let _ = writeln!(out, "\n{:first$}  {:second$}  What", "When", "Step");
    for [when, step, what] in &rows {
        let _ = writeln!(out, "{when:first$}  {step:second$}  {what}");
    }
    out
}

fn short(digest: Option<Digest>) -> String {
    digest.map_or_else(
        || "no file".to_owned(),
        |digest| digest.to_string().chars().take(12).collect(),
    )
}

/// A record in words: its step, and what happened.
fn words(record: &Record) -> (String, String) {
    let none = String::new();
    match record {
        Record::Begin {
            bundle,
            version,
            change,
            place,
            by,
            steps,
            ..
        } => {
            let change = change
                .as_ref()
                .map_or_else(String::new, |change| format!(" for {change}"));
            let what = format!(
                "begins: {bundle} {version}{change} on {place}, {}, by {} with cbgen {}",
                counted(steps.len(), "step"),
                by.user,
                by.tool
            );
            (none, what)
        }
        Record::Resume { by, .. } => (none, format!("goes on, by {}", by.user)),
        Record::Already { step, why } => (step.clone(), format!("nothing to do: {why}")),
        Record::Intent { step, file, .. } => (step.clone(), format!("is about to change {}", file.path)),
        Record::Did {
            step,
            file,
            milliseconds,
        } => {
            let (old, new) = (short(file.old), short(Some(file.new)));
            (
                step.clone(),
                format!("changed {}: {old} to {new} ({milliseconds} ms)", file.path),
            )
        }
        Record::Started {
            step, command, log, ..
        } => (step.clone(), format!("runs {command} (log {log})")),
        Record::Ended {
            step,
            code,
            milliseconds,
            ..
        } => {
            let code = code.map_or_else(|| "was ended".to_owned(), |code| format!("exit code {code}"));
            (step.clone(), format!("{code} after {milliseconds} ms"))
        }
        Record::Overdue {
            step,
            minutes,
            decision,
        } => (
            step.clone(),
            format!("takes long, after {minutes} minutes: {decision}"),
        ),
        Record::Confirmed {
            step,
            meaning,
            how,
            user,
        } => (step.clone(), format!("{meaning}: confirmed by {user} ({how})")),
        Record::Paused { step } => (
            step.clone(),
            "stops here: a person has to do this step".to_owned(),
        ),
        Record::Failed { step, why } => (step.clone(), format!("FAILED: {why}")),
        Record::Done => (none, "everything wanted is done".to_owned()),
        Record::Damaged { kept_as, why } => (
            none,
            kept_as.as_ref().map_or_else(
                || format!("the journal was missing ({why})"),
                |name| format!("the journal was damaged ({why}), kept as {name}"),
            ),
        ),
        Record::UndoBegin { why, by, .. } => (none, format!("goes back, by {}: {why}", by.user)),
        Record::Undid {
            step,
            path,
            now,
            kept,
        } => {
            let kept = kept.map_or_else(String::new, |kept| {
                format!("; somebody's change of it was written over as asked, and is kept as saved\\{kept}")
            });
            (step.clone(), format!("{path} is {} again{kept}", short(*now)))
        }
        Record::UndidByScript { step, script, code } => {
            let code = code.map_or_else(|| "was ended".to_owned(), |code| format!("exit code {code}"));
            (step.clone(), format!("taken back by {script}: {code}"))
        }
        Record::NotUndone { step, why } => (step.clone(), format!("NOT taken back: {why}")),
        Record::UndoEnd { complete, left } => {
            let what = match (complete, left.is_empty()) {
                (false, _) => "NOT everything is taken back".to_owned(),
                (true, true) => "files and scripts are taken back".to_owned(),
                (true, false) => format!(
                    "files and scripts are taken back, but NOT those of {}, which were left as asked",
                    left.join(", ")
                ),
            };
            (none, what)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn sample() -> String {
        let mut before = Digest::of(b"");
        let mut lines = Vec::new();
        for n in 1..=6 {
            let line = Line {
                n,
                before,
                run: 1,
                at: "2026-12-05T22:00:00Z".into(),
                record: match n {
                    1 => Record::Begin {
                        bundle: "acme".into(),
                        version: "1.0.0".into(),
                        change: None,
                        id: Digest::of(b"id"),
                        seal: Digest::of(b"seal"),
                        place: "MGMT01".into(),
                        by: Who {
                            user: "ACME\\sue".into(),
                            computer: "MGMT01".into(),
                            process: 1,
                            tool: "0.1.0".into(),
                            tool_sha256: None,
                        },
                        steps: Vec::new(),
                        scripts: BTreeMap::new(),
                    },
                    6 => Record::Done,
                    _ => Record::Already {
                        step: format!("1.{n}"),
                        why: "so".into(),
                    },
                },
            };
            before = Digest::of(line.text().as_bytes());
            lines.push(line);
        }
        text(1, &lines).0
    }

    #[test]
    fn every_removed_doubled_or_exchanged_line_is_found() {
        let good = sample();
        assert!(read(good.as_bytes()).is_ok());
        let lines: Vec<&str> = good.split_inclusive('\n').collect();
        for at in 0..lines.len() {
            let without: String = [&lines[..at], &lines[at + 1..]].concat().concat();
            assert!(read(without.as_bytes()).is_err(), "line {at} was removed");
            let doubled: String = [&lines[..=at], &lines[at..]].concat().concat();
            assert!(read(doubled.as_bytes()).is_err(), "line {at} was doubled");
            let mut exchanged = lines.clone();
            exchanged.swap(at, (at + 1) % lines.len());
            assert!(
                read(exchanged.concat().as_bytes()).is_err(),
                "line {at} was exchanged"
            );
        }
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_found() {
        let good = sample();
        for at in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[at] ^= 1;
            assert!(read(&bytes).is_err(), "byte {at}");
            assert!(read(&good.as_bytes()[..at]).is_err(), "cut at {at}");
        }
    }
}
