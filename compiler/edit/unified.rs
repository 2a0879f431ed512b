//! The difference between a file and what it becomes, in the unified form that `diff -u` prints.
//!
//! Lines are shown as people read them: without the carriage return at their end, with hidden characters made visible,
//! long ones cut around what changes, and lines that may hold a secret not at all.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};

use super::HIDDEN;
use crate::report::visible;
use crate::secrets;
use crate::secrets::lines::{Guard, guards};

/// Lines around a change.
const CONTEXT: usize = 3;

/// How far above a line something is looked for that it belongs to.
const FAR: usize = 12;

/// Longest line that is shown whole, in characters; of a longer one this much around the change is shown.
const LONGEST: usize = 240;

/// The unified difference of two texts; empty where no line differs. What becomes of the lines `secret` of the first text is
/// not shown.
pub fn unified(name: &str, before: &str, after: &str, secret: &BTreeSet<usize>) -> String {
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let operations = capture_diff_slices(Algorithm::Myers, &old, &new);
    let groups = group_diff_ops(operations, CONTEXT);
    if groups.is_empty() {
        return String::new();
    }
    let mut page = Page {
        text: format!("--- {name}\n+++ {name} (edited)\n"),
        old: Side::new(before, old),
        new: Side::new(after, new),
        secret,
    };
    for group in groups {
        page.hunk(&group);
    }
    page.text
}

struct Side<'t> {
    lines: Vec<&'t str>,
    guards: Vec<Guard>,
}

impl<'t> Side<'t> {
    fn new(text: &'t str, lines: Vec<&'t str>) -> Self {
        Self {
            lines,
            guards: guards(text),
        }
    }

    fn line(&self, index: usize) -> &'t str {
        self.lines.get(index).copied().unwrap_or_default()
    }

    /// What a line is read together with: the last line above it that is not empty, and of an element of XML that is not
    /// closed there everything from its beginning.
    fn before(&self, index: usize) -> String {
        let above = self
            .lines
            .get(index.saturating_sub(FAR)..index)
            .unwrap_or_default();
        let mut lines = above
            .iter()
            .rev()
            .map(|line| line.trim())
            .filter(|line| !line.is_empty());
        let before = lines.next().unwrap_or_default().to_owned();
        let is_short = |text: &str| text.len() < 10 * LONGEST;
        if before.ends_with('>') || !is_short(&before) {
            return before;
        }
        let mut element = before.clone();
        while !element.starts_with('<') {
            let Some(line) = lines.next().filter(|line| !line.ends_with('>') && is_short(line)) else {
                return before;
            };
            element = format!("{line} {element}");
        }
        element
    }
}

struct Page<'t> {
    text: String,
    old: Side<'t>,
    new: Side<'t>,
    secret: &'t BTreeSet<usize>,
}

impl Page<'_> {
    fn hunk(&mut self, group: &[DiffOp]) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            return;
        };
        let range = |from: Range<usize>, to: Range<usize>| {
            let length = to.end - from.start;
            let start = if length == 0 { from.start } else { from.start + 1 };
            if length == 1 {
                start.to_string()
            } else {
                format!("{start},{length}")
            }
        };
        let _infallible = writeln!(
            self.text,
            "@@ -{} +{} @@",
            range(first.old_range(), last.old_range()),
            range(first.new_range(), last.new_range())
        );
        for operation in group {
            let (old, new) = (operation.old_range(), operation.new_range());
            if let DiffOp::Equal { .. } = operation {
                for index in old {
                    let hidden = self.secret.contains(&index);
                    self.line(' ', true, index, (!hidden).then_some(0));
                }
                continue;
            }
            // What is inserted stands between the lines around it.
            let hidden = self
                .secret
                .range(old.start.saturating_sub(1)..=old.end)
                .next()
                .is_some();
            // The nth line that goes is shown beside the nth line that comes, so both are cut at the same place.
            let same = |index: usize| {
                let (one, other) = (self.old.line(old.start + index), self.new.line(new.start + index));
                one.chars()
                    .zip(other.chars())
                    .take_while(|(one, other)| one == other)
                    .count()
            };
            let start = |index: usize| (!hidden).then(|| same(index));
            let starts: Vec<Option<usize>> = (0..old.len().max(new.len())).map(start).collect();
            for (index, start) in old.zip(&starts) {
                self.line('-', true, index, *start);
            }
            for (index, start) in new.zip(&starts) {
                self.line('+', false, index, *start);
            }
        }
    }

    /// Writes one line; what differs begins at this character. Without one the line is not shown.
    fn line(&mut self, sign: char, of_old: bool, index: usize, from: Option<usize>) {
        let side = if of_old { &self.old } else { &self.new };
        let whole = side.line(index);
        let line = whole.strip_suffix('\n').unwrap_or(whole);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let before = side.before(index);
        let guard = side.guards.get(index).copied().unwrap_or(Guard::Open);
        let shown = match from {
            Some(from) if guard == Guard::Open && !may_hold_a_secret(&before, line) => cut(line, from),
            _ => HIDDEN.to_owned(),
        };
        self.text.push(sign);
        self.text.push_str(&visible(&shown));
        self.text.push('\n');
        if !whole.ends_with('\n') {
            self.text.push_str("\\ No newline at end of file\n");
        }
    }
}

/// Whether a line looks as if it held a secret, by itself or below a line that names one.
fn may_hold_a_secret(before: &str, line: &str) -> bool {
    let both = || format!("{}\n{line}", before.trim_end());
    !secrets::scan(line, &[]).is_empty()
        || before.len() < 10 * LONGEST && !secrets::scan(&both(), &[]).is_empty()
}

/// A long line around the character where it differs.
fn cut(line: &str, from: usize) -> String {
    if line.chars().nth(LONGEST).is_none() {
        return line.to_owned();
    }
    let start = from.saturating_sub(LONGEST / 3);
    let middle: String = line.chars().skip(start).take(LONGEST).collect();
    let before = if start > 0 { "…" } else { "" };
    let behind = if line.chars().nth(start + LONGEST).is_some() {
        "…"
    } else {
        ""
    };
    format!("{before}{middle}{behind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(before: &str, after: &str) -> String {
        unified("f", before, after, &BTreeSet::new())
    }

    #[test]
    fn only_what_differs_is_shown_with_three_lines_around() {
        let before = "1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8";
        let after = before.replace('5', "five");
        assert_eq!(
            plain(before, &after),
            "--- f\n+++ f (edited)\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n\\ No newline at end of file\n"
        );
        assert_eq!(plain(before, before), "");
        assert_eq!(
            plain("a\n", "a\nb\u{1b}\n"),
            "--- f\n+++ f (edited)\n@@ -1 +1,2 @@\n a\n+b␛\n"
        );
    }

    #[test]
    fn a_secret_over_several_lines_is_not_shown() {
        for between in ["\n", "\n\n", "\n\n \n", "\n  xdt:Locator=\"Match(key)\"\n"] {
            for head in ["<add key=\"Secret\"", "<add\n  key=\"Secret\""] {
                let before = format!("a\n{head}{between}  value=\"hunter\" />\n");
                let shown = plain(&before, &before.replace("a\n", "b\n"));
                assert!(!shown.contains("hunter"), "{shown}");
                let shown = plain(&before, &before.replace("hunter", "rabbit"));
                assert!(!shown.contains("hunter") && !shown.contains("rabbit"), "{shown}");
            }
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let before = "url=1\npassword: hunter2hunter2\nx=1\n";
        let shown = plain(before, &before.replace("url=1", "url=2"));
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(
            shown.contains("-url=1\n+url=2\n (not shown: it may hold a secret)\n"),
            "{shown}"
        );
        let before = "<setting name=\"DbPassword\">\n<value>Xk29vQ11</value>\n</setting>\n<a/>\n";
        let shown = plain(before, &before.replace("<a/>", "<b/>"));
        assert!(!shown.contains("Xk29vQ11"), "{shown}");
    }

    #[test]
    fn long_lines_are_cut_around_the_change() {
        let before = format!("{}x{}", "a".repeat(1000), "b".repeat(1000));
        let shown = plain(&before, &before.replace('x', "y"));
        assert!(
            shown.contains("…aaa") && shown.contains("axb") && shown.contains("ayb"),
            "{shown}"
        );
        assert!(shown.len() < 700);
    }
}
