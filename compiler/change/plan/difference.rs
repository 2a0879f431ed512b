//! A unified diff of a file that may hold secrets: what looks like one is never in it.
//!
//! A line is left out when the gate suspects something in it, in the old file or in the new one. This file must not know
//! where the file lies.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::formats::unseen::unseen;
use crate::secrets::{lines::Guard, lines::guards, scan};

/// What stands for a line that may hold a secret.
const HIDDEN: &str = "(this line may hold a secret and is not shown)";
/// Lines around a change.
const AROUND: usize = 2;
/// Lines below a name in which its value is looked for.
const MOST_BELOW: usize = 12;
/// Most lines of a diff; a file that is replaced as a whole needs no more to be recognized.
const MOST: usize = 400;

/// The diff; `None` when nothing differs or a side is no text.
pub(super) fn unified(name: &str, old: Option<&[u8]>, new: &[u8]) -> Option<String> {
    let old = old.map_or(Some(String::new()), text)?;
    let new = text(new)?;
    let (hidden_old, hidden_new) = (suspects(&old), suspects(&new));
    let diff = similar::TextDiff::from_lines(&old, &new);
    let mut out = format!("--- {name}\n+++ {name}\n");
    let mut count = 0;
    for hunk in diff.unified_diff().context_radius(AROUND).iter_hunks() {
        let _ = writeln!(out, "{}", hunk.header());
        for change in hunk.iter_changes() {
            count += 1;
            if count > MOST {
                out.push_str("(more lines are not shown)\n");
                return Some(out);
            }
            let is_hidden = change.old_index().is_some_and(|line| hidden_old.contains(&line))
                || change.new_index().is_some_and(|line| hidden_new.contains(&line));
            let line = change.value().trim_end_matches(['\n', '\r']);
            let line = if is_hidden { HIDDEN.to_owned() } else { plain(line) };
            let _ = writeln!(out, "{}{line}", change.tag());
        }
    }
    (count > 0).then_some(out)
}

/// Nothing that a terminal obeys, or that shows a line as another one, reaches it.
fn plain(line: &str) -> String {
    line.chars()
        .map(|letter| {
            if letter != '\t' && unseen(letter).is_some() {
                '\u{fffd}'
            } else {
                letter
            }
        })
        .collect()
}

/// Zero-based lines that may hold a secret.
fn suspects(text: &str) -> BTreeSet<usize> {
    let guarded = guards(text).into_iter().enumerate();
    let mut found: BTreeSet<usize> = guarded
        .filter(|(_, guard)| *guard != Guard::Open)
        .map(|(line, _)| line)
        .collect();
    for suspect in scan(text, &[]) {
        let before = text.get(..suspect.name.start).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count();
        // The value may stand below its name, in an element of XML some lines further down.
        let is_open = before.rfind('<') > before.rfind('>');
        let below = text.lines().enumerate().skip(line);
        for (index, content) in below.take(MOST_BELOW) {
            found.insert(index);
            let is_last = if is_open {
                content.contains('>')
            } else {
                index > line && !content.trim().is_empty()
            };
            if is_last {
                break;
            }
        }
    }
    found
}

/// The text of a file, for people: UTF-8 or UTF-16 with a mark, else every byte as Latin-1.
pub(super) fn text(bytes: &[u8]) -> Option<String> {
    let utf16 = |read: fn([u8; 2]) -> u16, rest: &[u8]| {
        let units: Vec<u16> = rest.as_chunks::<2>().0.iter().map(|unit| read(*unit)).collect();
        String::from_utf16_lossy(&units)
    };
    let text = if let Some(rest) = bytes.strip_prefix(&[0xFF, 0xFE]) {
        utf16(u16::from_le_bytes, rest)
    } else if let Some(rest) = bytes.strip_prefix(&[0xFE, 0xFF]) {
        utf16(u16::from_be_bytes, rest)
    } else {
        let rest = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
        match std::str::from_utf8(rest) {
            Ok(text) => text.to_owned(),
            Err(_) => rest.iter().map(|byte| char::from(*byte)).collect(),
        }
    };
    (!text.contains('\0')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_the_real_file_are_not_shown() {
        let old = "a\nPassword=hunter2xyz\nb\nport=1\n";
        let new = "a\nPassword=hunter2xyz\nb\nport=2\n";
        let diff = unified("x", Some(old.as_bytes()), new.as_bytes()).unwrap();
        assert!(!diff.contains("hunter2xyz"), "{diff}");
        assert!(diff.contains("-port=1\n+port=2\n"), "{diff}");
    }

    #[test]
    fn secrets_some_lines_below_their_name_are_not_shown() {
        for between in ["\n", "\n\n", "\n  xdt:Locator=\"Match(key)\"\n  mode=\"x\"\n"] {
            let old = format!("<a/>\n<add key=\"Secret\"{between}  value=\"hunter2xyz\" />\nport=1\n");
            let new = old
                .replace("port=1", "port=2")
                .replace("hunter2xyz", "hunter3xyz");
            let diff = unified("x", Some(old.as_bytes()), new.as_bytes()).unwrap();
            assert!(!diff.contains("xyz") && diff.contains("+port=2"), "{diff}");
        }
    }

    #[test]
    fn what_a_terminal_obeys_and_what_turns_a_line_round_is_not_shown() {
        let diff = unified(
            "x",
            Some("\ta=\u{1b}[2J\n".as_bytes()),
            "\ta=\u{202e}1\u{9b}\n".as_bytes(),
        )
        .unwrap();
        assert!(
            diff.contains("-\ta=\u{fffd}[2J\n+\ta=\u{fffd}1\u{fffd}\n"),
            "{diff}"
        );
    }

    #[test]
    fn a_file_in_another_encoding_is_shown() {
        let diff = unified("x", Some(b"\xe4=1\r\n"), b"\xe4=2\r\n").unwrap();
        assert!(diff.contains("-\u{e4}=1\n+\u{e4}=2\n"), "{diff}");
    }
}
