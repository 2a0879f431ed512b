//! GitHub-flavoured Markdown for people: quoting, and a reader that refuses what renders differently from what was meant.
//!
//! The same file is read rendered and in Notepad, so a value is escaped as little as its meaning allows. This file must
//! not know what a document is about.

use std::ops::Range;

use memchr::{memchr2, memchr3};

use super::markdown_blocks::{BacktickRuns, backtick_runs, run_length};
use super::{Collector, Cut as _, FactPath, Form, FormatError, Item, Step, text};

/// HTML elements that may stand in a document; everything else in `<…>` is refused.
const ELEMENTS: &[&str] = &["b", "br", "code", "details", "kbd", "sub", "summary", "sup"];

/// Text that shows literally in a paragraph, heading, list item or table cell.
///
/// Markup characters get a backslash. A backslash before a letter and an underscore inside a word mean nothing, so paths
/// and names stay readable. A blank at either end is written as a reference, because Markdown drops it. Refuses line
/// breaks and what cannot be shown.
pub fn md_text(value: &str) -> Result<String, FormatError> {
    text::written(value, write_text)
}

/// Appends [`md_text`] of `value`.
pub(super) fn write_text(value: &str, written: &mut String) -> Result<(), FormatError> {
    write_escaped(value, true, written)
}

/// Appends the same for text behind something else on its line, where nothing can begin a list, a heading or a table:
/// there `:`, `-` and a number with a full stop need no backslash.
pub(super) fn write_text_within(value: &str, written: &mut String) -> Result<(), FormatError> {
    write_escaped(value, false, written)
}

fn write_escaped(value: &str, begins_line: bool, written: &mut String) -> Result<(), FormatError> {
    text::refuse_invisible(value)?;
    let bytes = value.as_bytes();
    let in_word = |neighbour: Option<&u8>| neighbour.is_some_and(u8::is_ascii_alphanumeric);
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut copied = 0;
    for (offset, &byte) in bytes.iter().enumerate() {
        let is_first = begins_line && offset == 0;
        let next = bytes.get(offset + 1);
        let sign = match byte {
            b'`' | b'*' | b'[' | b']' | b'<' | b'|' | b'~' | b'#' | b'@' | b'$' | b'>' => "\\",
            b'_' if offset == 0 || !in_word(bytes.get(offset - 1)) || !in_word(next) => "\\",
            b'&' if next != Some(&b' ') => "\\",
            b'\\' if !in_word(next) => "\\",
            b'-' | b'+' | b'=' | b':' if is_first => "\\",
            // A number at the start with one of these is a list item.
            b'.' | b')' if begins_line && offset > 0 && offset == digits => "\\",
            b' ' if is_first || next.is_none() => "&#32;",
            _ => continue,
        };
        written.push_str(value.cut(copied..offset));
        written.push_str(sign);
        // The reference stands for the blank, the backslash before its sign.
        copied = if byte == b' ' { offset + 1 } else { offset };
    }
    written.push_str(value.cut(copied..));
    Ok(())
}

/// A value as inline code, wherever it stands.
///
/// Inside a table a `|` ends the cell even in backticks, and outside a table an escaped one shows its backslash; a value
/// with `|` is therefore written as `<code>` with a character reference, which works in both. So is an empty value.
pub fn md_code(value: &str) -> Result<String, FormatError> {
    text::written(value, write_code)
}

/// Appends [`md_code`] of `value`.
pub(super) fn write_code(value: &str, written: &mut String) -> Result<(), FormatError> {
    text::refuse_invisible(value)?;
    if value.contains('|') || value.trim().is_empty() {
        let inner = md_text(value)?.replace("\\|", "&#124;");
        written.push_str("<code>");
        written.push_str(&inner);
        written.push_str("</code>");
        return Ok(());
    }
    let longest = backtick_runs(value, 0).map(|(_, length)| length).max();
    let fence = |written: &mut String| written.extend(std::iter::repeat_n('`', longest.unwrap_or(0) + 1));
    let edge = |c: char| c == '`' || c == ' ';
    let padding = if value.starts_with(edge) || value.ends_with(edge) {
        " "
    } else {
        ""
    };
    fence(written);
    written.push_str(padding);
    written.push_str(value);
    written.push_str(padding);
    fence(written);
    Ok(())
}

/// The default: [`md_text`].
pub fn escape(value: &str) -> Result<String, FormatError> {
    md_text(value)
}

/// Reads a document.
///
/// Headings are `#` lines, start with one of level 1 and skip no level; table rows start and end with `|` and have the
/// columns of their header; code fences and code spans are closed; HTML is limited to a few elements without attributes.
///
/// Items are headings, paragraphs, list items, table rows and code blocks by heading path.
pub fn items(text: &str) -> Result<Vec<Item>, Vec<FormatError>> {
    read(text, Collector::items())
}

/// Reads a document for its mistakes only.
pub(super) fn check(text: &str) -> Result<(), Vec<FormatError>> {
    read(text, Collector::nothing()).map(drop)
}

fn read(text: &str, collector: Collector) -> Result<Vec<Item>, Vec<FormatError>> {
    let mut reader = Reader {
        text,
        collector,
        pending_kind: "paragraph",
        ..Reader::default()
    };
    reader.read();
    if !text.ends_with('\n') {
        reader.refuse(text.len()..text.len(), "the last line has no line end");
    }
    reader.errors.sort_by_key(|error| error.range.start);
    reader.collector.finish(reader.errors)
}

#[derive(Default)]
struct Reader<'a> {
    text: &'a str,
    collector: Collector,
    errors: Vec<FormatError>,
    /// The headings above.
    place: FactPath,
    counter: usize,
    /// Where the lines of the paragraph or list item being read stand.
    pending: Option<Range<usize>>,
    pending_kind: &'static str,
}

impl Reader<'_> {
    fn refuse(&mut self, range: Range<usize>, message: impl Into<String>) {
        self.errors.push(FormatError::new(range, message));
    }

    fn item(&mut self, kind: &str, value: impl FnOnce() -> String, range: Range<usize>) {
        self.counter += 1;
        self.collector.add(|| Item {
            path: self
                .place
                .child(Step::new(Form::Block, kind).numbered(self.counter)),
            value: value(),
            range,
        });
    }

    fn read(&mut self) {
        let mut lines = text::lines(self.text).peekable();
        while let Some((start, line)) = lines.next() {
            let whole = start..start + line.len();
            self.characters(line, start);
            let trimmed = line.trim_start();
            if trimmed.is_empty() {
                self.flush();
            } else if let Some(fence) = fence_of(trimmed) {
                self.flush();
                let mut code = String::new();
                let mut closed = false;
                let mut end = whole.end;
                for (offset, inner) in lines.by_ref() {
                    self.characters(inner, offset);
                    end = offset + inner.len();
                    let candidate = inner.trim();
                    if candidate.len() >= fence.len()
                        && candidate.starts_with(fence)
                        && candidate.trim_start_matches(first(fence)).is_empty()
                    {
                        closed = true;
                        break;
                    }
                    code.push_str(inner.trim_end());
                    code.push('\n');
                }
                if !closed {
                    self.refuse(whole.clone(), "the code block is not closed");
                }
                let language = trimmed.trim_start_matches(first(fence)).trim();
                self.item(
                    &format!("code {language}").replace("code  ", "code "),
                    || code,
                    start..end,
                );
            } else if trimmed.starts_with('|') {
                self.flush();
                let mut rows = vec![(start, line)];
                while let Some(row) = lines.next_if(|(_, next)| next.trim_start().starts_with('|')) {
                    self.characters(row.1, row.0);
                    rows.push(row);
                }
                self.table(&rows);
            } else if line.starts_with('#') {
                self.flush();
                self.heading(line, whole);
            } else if is_rule(trimmed) {
                if self.pending.is_some() {
                    self.refuse(whole, "this line would turn the paragraph above into a heading; put an empty line before it");
                }
                self.flush();
            } else {
                let kind = list_kind(trimmed);
                if let Some(kind) = kind {
                    self.flush();
                    self.pending_kind = kind;
                } else if line.starts_with("    ") && self.pending.is_none() {
                    self.refuse(whole.clone(), "four blanks make this line code; use a fence");
                }
                let first = self.pending.as_ref().map_or(whole.start, |lines| lines.start);
                self.pending = Some(first..whole.end);
            }
        }
        self.flush();
    }

    fn characters(&mut self, line: &str, start: usize) {
        if !text::is_plain(line)
            && let Some((offset, c)) = line.char_indices().find(|&(_, c)| !text::is_visible(c))
        {
            self.refuse(
                text::at(start + offset, c),
                format!("{} cannot be shown", text::name(c)),
            );
        }
        if line.ends_with(' ') {
            self.refuse(
                start + line.trim_end().len()..start + line.len(),
                "blanks at the end of a line are invisible markup",
            );
        }
    }

    /// Ends the paragraph or list item being read.
    fn flush(&mut self) {
        let kind = std::mem::replace(&mut self.pending_kind, "paragraph");
        let Some(range) = self.pending.take() else {
            return;
        };
        let block = self.text.cut(range.clone());
        self.inline(block, range.start);
        self.item(kind, || text::squeeze(block), range);
    }

    fn heading(&mut self, line: &str, range: Range<usize>) {
        let level = line.bytes().take_while(|&b| b == b'#').count();
        let title = line.cut(level..);
        let words = text::squeeze(title);
        if level > 6 || !title.starts_with(' ') || words.is_empty() {
            return self.refuse(range, "a heading is one to six `#`, a blank and a title");
        }
        self.inline(line, range.start);
        let above = self.place.heading().unwrap_or(0);
        if level > above + 1 {
            self.refuse(
                range.clone(),
                format!("a heading of level {level} follows one of level {above}"),
            );
        }
        if level == 1 && above > 0 {
            self.refuse(range.clone(), "the document has a second heading of level 1");
        }
        self.place = self.place.next_heading(level, &words);
        self.counter = 0;
        self.collector.add(|| Item {
            path: self.place.clone(),
            value: format!("heading {level}"),
            range,
        });
    }

    fn table(&mut self, rows: &[(usize, &str)]) {
        let mut columns = 0;
        for (index, &(start, line)) in rows.iter().enumerate() {
            let range = start..start + line.len();
            let Some(cells) = cells(line) else {
                self.refuse(range, "a table row must end with `|`");
                continue;
            };
            if index == 0 {
                columns = cells.len();
            } else if cells.len() != columns {
                self.refuse(
                    range.clone(),
                    format!("the row has {} columns, its header {columns}", cells.len()),
                );
            }
            if index == 1 {
                if !cells.iter().all(|(_, cell)| is_delimiter(cell)) {
                    self.refuse(range, "the second row of a table must be `| --- |`");
                }
                continue;
            }
            for (offset, cell) in &cells {
                self.inline(cell, start + offset);
            }
            let words = || {
                let words: Vec<String> = cells.iter().map(|(_, cell)| text::squeeze(cell)).collect();
                words.join(" | ")
            };
            self.item("row", words, range);
        }
        if let [(start, line)] = rows {
            self.refuse(
                *start..*start + line.len(),
                "a table needs a header, a row `| --- |` and rows",
            );
        }
    }

    /// Checks code spans and HTML in running text.
    fn inline(&mut self, block: &str, start: usize) {
        let bytes = block.as_bytes();
        let mut runs = BacktickRuns::of(block);
        let mut at = 0;
        while let Some(plain) = bytes.get(at..).and_then(|rest| memchr3(b'\\', b'`', b'<', rest)) {
            let offset = at + plain;
            let rest = block.cut(offset..);
            at = match rest.strip_prefix('<') {
                Some(rest) => {
                    if let Err(length) = check_tag(rest) {
                        self.refuse(
                            start + offset..start + offset + 1 + length,
                            "raw HTML is limited to a few elements without attributes; escape `<` to show it",
                        );
                    }
                    offset + 1
                }
                // A backslash, and the character it escapes or the first byte of one that is no sign anyway.
                None if !rest.starts_with('`') => offset + 2,
                // A backslash before a closing run is not looked at: inside code it means nothing.
                None => {
                    let length = run_length(rest);
                    let inside = offset + length;
                    if let Some(end) = runs.closing(inside, length) {
                        end + length
                    } else {
                        self.refuse(
                            start + offset..start + inside,
                            "backticks are not closed; escape them to show them",
                        );
                        inside
                    }
                }
            };
        }
    }
}

/// The element after `<`, or how much of the text to point at.
fn check_tag(rest: &str) -> Result<(), usize> {
    if !rest.starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c)) {
        return Ok(());
    }
    // No allowed tag and no link worth writing is longer, so the search for `>` stays short.
    let window = rest
        .char_indices()
        .nth(300)
        .map_or(rest.len(), |(offset, _)| offset);
    let Some(length) = rest.get(..window).and_then(|window| window.find('>')) else {
        return Err(0);
    };
    let inside = rest.cut(..length);
    if (inside.starts_with("https://") || inside.starts_with("http://")) && !inside.contains(' ') {
        return Ok(());
    }
    let name = inside
        .strip_prefix('/')
        .or(inside.strip_suffix('/'))
        .unwrap_or(inside);
    if ELEMENTS.contains(&name.trim_end()) {
        Ok(())
    } else {
        Err(length + 1)
    }
}

fn first(fence: &str) -> char {
    fence.chars().next().unwrap_or('`')
}

/// The fence a line opens.
fn fence_of(trimmed: &str) -> Option<&str> {
    let mark = trimmed.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = trimmed.chars().take_while(|&c| c == mark).count();
    let (fence, info) = trimmed.split_at_checked(length)?;
    (length >= 3 && !info.contains('`')).then_some(fence)
}

/// Whether a line is `---`, `===` or another rule.
fn is_rule(trimmed: &str) -> bool {
    let (mark, least) = match trimmed.bytes().next() {
        Some(mark @ b'-') => (mark, 2),
        Some(mark @ b'=') => (mark, 1),
        Some(mark @ (b'*' | b'_')) => (mark, 3),
        _ => return false,
    };
    trimmed.bytes().all(|byte| byte == mark || byte == b' ')
        && trimmed.bytes().filter(|&byte| byte == mark).count() >= least
}

fn list_kind(trimmed: &str) -> Option<&'static str> {
    if ["- ", "* ", "+ "].iter().any(|mark| trimmed.starts_with(mark)) {
        return Some("list item");
    }
    if trimmed.starts_with('>') {
        return Some("quote");
    }
    let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
    let rest = trimmed.cut(digits..);
    (digits > 0 && (rest.starts_with(". ") || rest.starts_with(") "))).then_some("step")
}

/// Cells of a row between its outer bars, with their places in the row; `None` when the last bar is missing. Backticks do
/// not protect a bar.
fn cells(line: &str) -> Option<Vec<(usize, &str)>> {
    let start = line.len() - line.trim_start().len() + 1;
    let bytes = line.as_bytes();
    let mut cells = Vec::new();
    let mut from = start;
    let mut at = start;
    while let Some(plain) = bytes.get(at..).and_then(|rest| memchr2(b'\\', b'|', rest)) {
        let offset = at + plain;
        if bytes.get(offset) == Some(&b'|') {
            cells.push((from, line.cut(from..offset)));
            from = offset + 1;
            at = from;
        } else {
            at = offset + 2;
        }
    }
    (from == line.len() && !cells.is_empty()).then_some(cells)
}

fn is_delimiter(cell: &str) -> bool {
    let cell = cell.trim();
    let cell = cell.strip_prefix(':').unwrap_or(cell);
    let cell = cell.strip_suffix(':').unwrap_or(cell);
    !cell.is_empty() && cell.bytes().all(|b| b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::told::told;
    use proptest::prelude::*;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(told(items(text)), expected, "{text}");
    }

    #[test]
    fn blocks_are_items_by_heading() {
        check(
            "# A\n\none\ntwo\n\n## B\n\n- x\n  y\n- z\n\n1. s\n\n| a | b |\n| --- | :-: |\n| `c` | d \\| e |\n\n```sh\nx  y\n```\n",
            &[
                "A = heading 1",
                "A > paragraph 1 = one two",
                "A > B = heading 2",
                "A > B > list item 1 = - x y",
                "A > B > list item 2 = - z",
                "A > B > step 3 = 1. s",
                "A > B > row 4 = a | b",
                "A > B > row 5 = `c` | d \\| e",
                "A > B > code sh 6 = x  y\n",
            ],
        );
        check(
            "# A\n\none two\n\n---\n\n> q\n",
            &["A = heading 1", "A > paragraph 1 = one two", "A > quote 2 = > q"],
        );
    }

    #[test]
    fn what_renders_differently_is_refused() {
        check(
            "# A\n\n### B\n",
            &["5..10 a heading of level 3 follows one of level 1"],
        );
        check(
            "# A\n\n# B\n",
            &["5..8 the document has a second heading of level 1"],
        );
        check(
            "# A\n\n#B\n",
            &["5..7 a heading is one to six `#`, a blank and a title"],
        );
        check(
            "# A\n\nx\n---\n",
            &["7..10 this line would turn the paragraph above into a heading; put an empty line before it"],
        );
        check("# A\n\n```\nx\n", &["5..8 the code block is not closed"]);
        check(
            "# A\n\na `b\n",
            &["7..8 backticks are not closed; escape them to show them"],
        );
        check(
            "# A\n\n| a | b |\n| --- |\n| c | d | e |\n",
            &[
                "15..22 the row has 1 columns, its header 2",
                "23..36 the row has 3 columns, its header 2",
            ],
        );
        check(
            "# A\n\n| `a | b` |\n| --- |\n",
            &[
                "7..8 backticks are not closed; escape them to show them",
                "13..14 backticks are not closed; escape them to show them",
                "17..24 the row has 1 columns, its header 2",
            ],
        );
        // The place of a cell is that in an indented row, too.
        check(
            "# A\n\n  | a | `b |\n  | --- | --- |\n",
            &["13..14 backticks are not closed; escape them to show them"],
        );
        let html = "raw HTML is limited to a few elements without attributes; escape `<` to show it";
        check("# A\n\n<script>x\n", &[&format!("5..13 {html}")]);
        check("# A\n\n<b onclick=x>\n", &[&format!("5..18 {html}")]);
        check("# A\n\n<!-- x -->\n", &[&format!("5..15 {html}")]);
        check(
            "# A \n",
            &["3..4 blanks at the end of a line are invisible markup"],
        );
        check("# A", &["3..3 the last line has no line end"]);
        assert!(items("# A\n\n<br/> <kbd>x</kbd> <https://example.com> a < b \\<i> `<i>`\n").is_ok());
    }

    #[test]
    fn paths_and_names_stay_readable() {
        assert_eq!(
            md_text(r"C:\nginx\conf\nginx.conf").unwrap(),
            r"C:\nginx\conf\nginx.conf"
        );
        assert_eq!(md_text("WS_Path a_ _b").unwrap(), r"WS_Path a\_ \_b");
        assert_eq!(md_text("1. a|b <c> & d").unwrap(), r"1\. a\|b \<c\> & d");
        assert_eq!(md_code("a`b").unwrap(), "``a`b``");
        assert_eq!(md_code("`a").unwrap(), "`` `a ``");
        assert_eq!(md_code("a|b").unwrap(), "<code>a&#124;b</code>");
    }

    // The escapes were also rendered with cmark-gfm (cmarkgfm of PyPI): 5997 generated values, each at the start and in the
    // middle of a paragraph, in a table header and cell, as text and as code. All showed the value literally.

    /// Undoes what the escape writes.
    fn plain(escaped: &str) -> String {
        let mut read = String::new();
        let decoded = escaped.replace("&#32;", " ").replace("&#124;", "|");
        let mut characters = decoded.chars().peekable();
        while let Some(c) = characters.next() {
            match characters.peek() {
                Some(next) if c == '\\' && next.is_ascii_punctuation() => read.extend(characters.next()),
                _ => read.push(c),
            }
        }
        read
    }

    /// [`md_text`] and [`write_text_within`] as they are explained: character by character.
    fn escaped_one_by_one(value: &str, before: Option<char>) -> String {
        let characters: Vec<char> = value.chars().collect();
        let in_word = |neighbour: Option<&char>| neighbour.is_some_and(char::is_ascii_alphanumeric);
        let mut escaped = String::new();
        for (index, &c) in characters.iter().enumerate() {
            let previous = index
                .checked_sub(1)
                .map_or(before, |index| characters.get(index).copied());
            let next = characters.get(index + 1);
            let only_digits = before.is_none() && characters[..index].iter().all(char::is_ascii_digit);
            let backslash = match c {
                '_' => !(in_word(previous.as_ref()) && in_word(next)),
                '&' => next != Some(&' '),
                '\\' => !in_word(next),
                '-' | '+' | '=' | ':' => previous.is_none(),
                '.' | ')' => previous.is_some() && only_digits,
                _ => "`*[]<|~#@$>".contains(c),
            };
            if c == ' ' && (previous.is_none() || next.is_none()) {
                escaped.push_str("&#32;");
                continue;
            }
            escaped.extend(backslash.then_some('\\'));
            escaped.push(c);
        }
        escaped
    }

    proptest! {
        #[test]
        fn bytes_are_escaped_as_characters(value in "[0-9]{0,2}([ -~]|[a1é… ]){0,8}") {
            prop_assert_eq!(md_text(&value).unwrap(), escaped_one_by_one(&value, None));
            let mut within = String::new();
            write_text_within(&value, &mut within).unwrap();
            prop_assert_eq!(within, escaped_one_by_one(&value, Some('`')));
        }

        #[test]
        fn printable_values_come_back_or_are_refused(value in "(\\PC|[ `|\\\\_*<&#.\\-]){0,20}") {
            if let Ok(escaped) = md_text(&value) {
                prop_assert_eq!(plain(&escaped), value.as_str());
                for text in [format!("# A\n\nx {escaped} x\n"), format!("# A\n\n| {escaped} | b |\n| --- | --- |\n| c | {escaped} |\n")] {
                    let read = items(&text);
                    prop_assert!(read.is_ok(), "{text:?} {read:?}");
                }
                let code = md_code(&value).unwrap();
                for text in [format!("# A\n\nx {code} x\n"), format!("# A\n\n| {code} | b |\n| --- | --- |\n| c | {code} |\n")] {
                    let read = items(&text);
                    prop_assert!(read.is_ok(), "{text:?} {read:?}");
                }
            } else {
                prop_assert!(!value.chars().all(text::is_visible));
            }
        }
    }
}
