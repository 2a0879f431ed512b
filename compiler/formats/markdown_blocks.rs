//! A small, strict part of Markdown as structure, so that the same prose can be printed as Markdown and as HTML.
//!
//! Runbook prose is written once, as Markdown. The HTML page does not convert it to HTML text, which would need a way
//! around escaping; it prints the pieces found here, each escaped like any other value. Understood are paragraphs,
//! fenced code, bullet and number lists of one level, code spans, `*emphasis*`, `**strong**`, backslash escapes and
//! character references, and `<code>` for a code span. Everything else is text: no links, no images, no other HTML.
//! Rules follow `CommonMark` 0.31 where they overlap. This module must not know HTML.

use std::borrow::Cow;
use std::collections::BTreeMap;

use memchr::{memchr, memmem};

/// A run of text in one style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// How it looks.
    pub style: Style,
    /// What it says, without any escape and without the blanks that part it from its neighbours.
    pub text: Cow<'a, str>,
    /// Whether a blank stands before it. Formats drop or escape blanks at the end of a value, so they stand apart.
    pub space_before: bool,
    /// Whether a blank stands after it.
    pub space_after: bool,
}

impl<'a> Piece<'a> {
    fn code(text: impl Into<Cow<'a, str>>) -> Self {
        Self {
            style: Style::Code,
            text: text.into(),
            space_before: false,
            space_after: false,
        }
    }

    /// A piece of text in a style other than code.
    fn words(style: Style, text: Cow<'a, str>) -> Self {
        let space_before = text.starts_with(' ');
        let space_after = text.len() > 1 && text.ends_with(' ');
        Self {
            style,
            text: match text {
                Cow::Borrowed(text) => Cow::Borrowed(without_blanks(text, space_before, space_after)),
                Cow::Owned(text) => Cow::Owned(without_blanks(&text, space_before, space_after).to_owned()),
            },
            space_before,
            space_after,
        }
    }

    fn into_owned<'b>(self) -> Piece<'b> {
        Piece {
            style: self.style,
            text: Cow::Owned(self.text.into_owned()),
            space_before: self.space_before,
            space_after: self.space_after,
        }
    }

    /// The text with its blanks.
    pub fn spaced(&self) -> String {
        let blank = |wanted| if wanted { " " } else { "" };
        format!(
            "{}{}{}",
            blank(self.space_before),
            self.text,
            blank(self.space_after)
        )
    }
}

/// The text without the blank at its start and the one at its end, where it has them.
fn without_blanks(text: &str, space_before: bool, space_after: bool) -> &str {
    text.get(usize::from(space_before)..text.len() - usize::from(space_after))
        .unwrap_or(text)
}

/// Style of a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Plain text.
    Text,
    /// A code span.
    Code,
    /// Emphasis.
    Emphasis,
    /// Strong emphasis.
    Strong,
}

/// A block of prose: a paragraph or an item of a list has pieces, a block of code has lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// The text of a paragraph or list item.
    pub pieces: Vec<Piece<'a>>,
    /// The lines of a code block.
    pub lines: Vec<&'a str>,
}

/// The blocks of a text. Never fails: what is not understood is text. Linear in the length of the text.
pub fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut found: Vec<Block<'_>> = Vec::new();
    let mut open: Option<Cow<'_, str>> = None;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        if let Some(fence) = fence(trimmed) {
            close(&mut found, &mut open);
            let indent = line.len() - line.trim_start().len();
            let mut code = Vec::new();
            for line in lines.by_ref() {
                let inner = line.trim();
                if inner.len() >= fence.len() && inner.chars().all(|letter| letter == '`') {
                    break;
                }
                let blank = line
                    .chars()
                    .take(indent)
                    .take_while(|letter| *letter == ' ')
                    .count();
                code.push(line.get(blank..).unwrap_or(line));
            }
            found.push(Block {
                pieces: Vec::new(),
                lines: code,
            });
            continue;
        }
        if trimmed.is_empty() {
            close(&mut found, &mut open);
            continue;
        }
        if let Some(rest) = list_item(trimmed) {
            close(&mut found, &mut open);
            open = Some(Cow::Borrowed(rest));
            continue;
        }
        match &mut open {
            Some(text) => {
                let text = text.to_mut();
                text.push('\n');
                text.push_str(trimmed);
            }
            None => open = Some(Cow::Borrowed(trimmed)),
        }
    }
    close(&mut found, &mut open);
    found
}

fn close<'a>(found: &mut Vec<Block<'a>>, open: &mut Option<Cow<'a, str>>) {
    if let Some(text) = open.take() {
        found.push(Block {
            pieces: match text {
                Cow::Borrowed(text) => pieces(text),
                Cow::Owned(text) => owned(pieces(&text)),
            },
            lines: Vec::new(),
        });
    }
}

fn owned<'b>(pieces: Vec<Piece<'_>>) -> Vec<Piece<'b>> {
    pieces.into_iter().map(Piece::into_owned).collect()
}

/// The run of backticks that opens a code block.
fn fence(line: &str) -> Option<&str> {
    let length = line.bytes().take_while(|byte| *byte == b'`').count();
    let (fence, info) = line.split_at_checked(length)?;
    (length >= 3 && !info.contains('`')).then_some(fence)
}

/// The text of an item of a list.
fn list_item(line: &str) -> Option<&str> {
    if let Some(rest) = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
        return Some(rest.trim_start());
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = line.get(digits..)?.strip_prefix(". ")?;
    (1..=9).contains(&digits).then(|| rest.trim_start())
}

/// How a code span is written whose text cannot stand between backticks (a `|` in a table).
const CODE_OPEN: &str = "<code>";
const CODE_CLOSE: &str = "</code>";

/// The styled runs of one paragraph. Line ends become blanks.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    if memchr(b'\n', text.as_bytes()).is_some() {
        owned(Reader::new(&text.replace('\n', " ")).read())
    } else {
        Reader::new(text).read()
    }
}

/// Reads one line from left to right. Every function takes what is left, which begins with the sign it is for, and
/// returns what is left behind what it read.
struct Reader<'a> {
    line: &'a str,
    found: Vec<Piece<'a>>,
    /// What is read of the next piece, in `style`.
    words: Cow<'a, str>,
    style: Style,
    runs: BacktickRuns<'a>,
    /// Whether a search for the end of `<code>` has reached the end of the line, so that no other one need be made.
    no_code_closes: bool,
}

impl<'a> Reader<'a> {
    fn new(line: &'a str) -> Self {
        Self {
            line,
            found: Vec::new(),
            words: Cow::Borrowed(""),
            style: Style::Text,
            runs: BacktickRuns::of(line),
            no_code_closes: false,
        }
    }

    fn read(mut self) -> Vec<Piece<'a>> {
        let mut rest = self.line;
        loop {
            let words = rest.bytes().position(is_sign).unwrap_or(rest.len());
            rest = self.push(rest, words);
            rest = match rest.bytes().next() {
                Some(b'\\') => self.backslash(rest),
                Some(b'`') => self.backticks(rest),
                Some(b'*') => self.stars(rest),
                Some(b'<') => self.less_than(rest),
                Some(_) => self.ampersand(rest),
                None => break,
            };
        }
        self.flush();
        self.found
    }

    /// Takes the first `length` bytes of `rest` as they are.
    fn push(&mut self, rest: &'a str, length: usize) -> &'a str {
        let (words, rest) = split(rest, length);
        if self.words.is_empty() {
            self.words = Cow::Borrowed(words);
        } else if !words.is_empty() {
            self.words.to_mut().push_str(words);
        }
        rest
    }

    /// Ends the piece being read.
    fn flush(&mut self) {
        if !self.words.is_empty() {
            self.found
                .push(Piece::words(self.style, std::mem::take(&mut self.words)));
        }
    }

    fn backslash(&mut self, rest: &'a str) -> &'a str {
        let (backslash, escaped) = split(rest, 1);
        if escaped.starts_with(|letter: char| letter.is_ascii_punctuation()) {
            self.push(escaped, 1)
        } else {
            self.push(rest, backslash.len())
        }
    }

    fn backticks(&mut self, rest: &'a str) -> &'a str {
        let length = run_length(rest);
        let inside = split(rest, length).1;
        let from = self.line.len() - inside.len();
        let Some(end) = self.runs.closing(from, length) else {
            return self.push(rest, length);
        };
        self.flush();
        let (code, rest) = split(inside, end - from);
        self.found.push(Piece::code(strip_code(code)));
        split(rest, length).1
    }

    fn stars(&mut self, rest: &'a str) -> &'a str {
        let (next, width) = if rest.starts_with("**") {
            (Style::Strong, 2)
        } else {
            (Style::Emphasis, 1)
        };
        let after = split(rest, width).1;
        let opens = self.style == Style::Text && after.starts_with(|letter: char| !letter.is_whitespace());
        let closes = self.style == next && !self.words.ends_with(char::is_whitespace);
        if !opens && !closes {
            return self.push(rest, width);
        }
        self.flush();
        self.style = if opens { next } else { Style::Text };
        after
    }

    fn less_than(&mut self, rest: &'a str) -> &'a str {
        let Some((code, rest)) = self.code_element(rest) else {
            return self.push(rest, 1);
        };
        self.flush();
        let code: String = pieces(code).iter().map(Piece::spaced).collect();
        self.found.push(Piece::code(code));
        rest
    }

    /// What stands in the `<code>` at the start of `rest`, and what follows it.
    fn code_element(&mut self, rest: &'a str) -> Option<(&'a str, &'a str)> {
        let inside = rest.strip_prefix(CODE_OPEN)?;
        if self.no_code_closes {
            return None;
        }
        let Some(end) = memmem::find(inside.as_bytes(), CODE_CLOSE.as_bytes()) else {
            self.no_code_closes = true;
            return None;
        };
        let (code, rest) = split(inside, end);
        Some((code, split(rest, CODE_CLOSE.len()).1))
    }

    fn ampersand(&mut self, rest: &'a str) -> &'a str {
        let Some((letter, length)) = reference(rest) else {
            return self.push(rest, 1);
        };
        self.words.to_mut().push(letter);
        split(rest, length).1
    }
}

/// Whether a byte may be more than the letter it is.
fn is_sign(byte: u8) -> bool {
    matches!(byte, b'\\' | b'`' | b'*' | b'<' | b'&')
}

fn split(text: &str, at: usize) -> (&str, &str) {
    text.split_at_checked(at).unwrap_or((text, ""))
}

/// How many backticks `text` begins with.
pub(super) fn run_length(text: &str) -> usize {
    text.bytes().take_while(|byte| *byte == b'`').count()
}

/// Finds the runs of backticks that close code spans of a text.
pub(super) struct BacktickRuns<'a> {
    text: &'a str,
    /// Where the last run of each length begins, known once a search has reached the end of the text. No search reaches
    /// it twice, which keeps the work linear.
    last: Option<BTreeMap<usize, usize>>,
}

impl<'a> BacktickRuns<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, last: None }
    }

    /// Start of the first run of exactly `length` at or after `from`, where no run is under way.
    pub(super) fn closing(&mut self, from: usize, length: usize) -> Option<usize> {
        if let Some(last) = &self.last
            && last.get(&length).is_none_or(|&start| start < from)
        {
            return None;
        }
        let closing = backtick_runs(self.text, from).find(|&(_, other)| other == length);
        if closing.is_none() {
            // Of several runs of one length, the map keeps the last.
            let runs = backtick_runs(self.text, from).map(|(start, length)| (length, start));
            self.last = Some(runs.collect());
        }
        closing.map(|(start, _)| start)
    }
}

/// Where runs of backticks at or after `from` begin, with their lengths.
pub(super) fn backtick_runs(text: &str, from: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut at = from;
    std::iter::from_fn(move || {
        let start = at + memchr(b'`', text.as_bytes().get(at..)?)?;
        let length = run_length(text.get(start..)?);
        at = start + length;
        Some((start, length))
    })
}

/// One blank on each side of a code span belongs to its delimiters, unless it is all blanks.
fn strip_code(code: &str) -> &str {
    match code.strip_prefix(' ').and_then(|rest| rest.strip_suffix(' ')) {
        Some(inner) if !inner.trim().is_empty() => inner,
        _ => code,
    }
}

/// Longest name of a character reference that is looked at.
const LONGEST_REFERENCE: usize = 10;

/// The character that a reference at the start of `rest` stands for (numeric, or one of the five of XML and the hard
/// blank), and the length of the reference.
fn reference(rest: &str) -> Option<(char, usize)> {
    let end = rest
        .bytes()
        .take("&".len() + LONGEST_REFERENCE + ";".len())
        .position(|byte| byte == b';')?;
    let number = |digits: &str, base| u32::from_str_radix(digits, base).ok().and_then(char::from_u32);
    let letter = match rest.get("&".len()..end)? {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{A0}',
        name => {
            let digits = name.strip_prefix('#')?;
            match digits.strip_prefix(['x', 'X']) {
                Some(hex) => number(hex, 16)?,
                None => number(digits, 10)?,
            }
        }
    };
    Some((letter, end + ";".len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Prints the pieces with their styles as signs.
    fn check(text: &str, expected: &str) {
        let printed: String = pieces(text)
            .iter()
            .map(|piece| match piece.style {
                Style::Text => format!("({})", piece.spaced()),
                Style::Code => format!("[{}]", piece.text),
                Style::Emphasis => format!("/{}/", piece.spaced()),
                Style::Strong => format!("!{}!", piece.spaced()),
            })
            .collect();
        assert_eq!(printed, expected, "{text:?}");
    }

    #[test]
    fn pieces_have_styles() {
        check("a `b` *c* **d**", "(a )[b]( )/c/( )!d!");
        check("`` a`b ``", "[a`b]");
        check("` `", "[ ]");
        check("`open", "(`open)");
        check(r"\*a\* \`b\`", "(*a* `b`)");
        check("&lt;b&gt; &#96; &x; & &#x41;", "(<b> ` &x; & A)");
        check("2 * 3 * 4", "(2 * 3 * 4)");
        check("one\ntwo", "(one two)");
        check("<b>[x](y)</b>", "(<b>[x](y)</b>)");
        check(r"C:\Program Files\x", r"(C:\Program Files\x)");
        check(r"`C:\Program Files\_x`", r"[C:\Program Files\_x]");
    }

    #[test]
    fn blocks_are_told_apart() {
        let found = blocks("a\nb\n\n- one\n  more\n- two\n\n1. first\n\n  ```cmd\n  x  y\n    z\n  ```\nend");
        let told: Vec<(String, String)> = found
            .iter()
            .map(|block| {
                let words = block.pieces.iter().map(Piece::spaced).collect();
                (words, block.lines.join("\n"))
            })
            .collect();
        let expected = [
            ("a b", ""),
            ("one more", ""),
            ("two", ""),
            ("first", ""),
            ("", "x  y\n  z"),
            ("end", ""),
        ];
        assert_eq!(
            told,
            expected.map(|(words, code)| (words.to_owned(), code.to_owned()))
        );
    }

    #[test]
    fn an_open_code_block_ends_with_the_text() {
        assert_eq!(blocks("```\na")[0].lines, ["a"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in ".*") {
            prop_assert!(blocks(&text).len() <= text.lines().count());
        }

        /// A value escaped with backslashes stays one piece of plain text with the same letters.
        #[test]
        fn escaped_values_stay_text(value in "[ -~]{1,40}") {
            let escaped: String = value
                .chars()
                .flat_map(|letter| letter.is_ascii_punctuation().then_some('\\').into_iter().chain([letter]))
                .collect();
            prop_assert_eq!(pieces(&escaped), vec![Piece::words(Style::Text, value.into())]);
        }

        /// What the quoting functions of the Markdown format write is read back as the value, in one piece.
        #[test]
        fn quoted_values_break_out_of_nothing(value in "\\PC{1,40}") {
            if let Ok(text) = crate::markdown::md_text(&value) {
                prop_assert_eq!(pieces(&text), vec![Piece::words(Style::Text, value.clone().into())], "{}", text);
            }
            if let Ok(code) = crate::markdown::md_code(&value) {
                prop_assert_eq!(pieces(&code), vec![Piece::code(value)], "{}", code);
            }
        }

        /// A value between enough backticks stays one code span with the same letters.
        #[test]
        fn quoted_values_stay_code(value in "[!-~][ -~]{0,40}[!-~]") {
            let mut longest = 0;
            let mut run = 0;
            for letter in value.chars() {
                run = if letter == '`' { run + 1 } else { 0 };
                longest = longest.max(run);
            }
            let ticks = "`".repeat(longest + 1);
            let text = format!("{ticks} {value} {ticks}");
            prop_assert_eq!(pieces(&text), vec![Piece::code(value)]);
        }
    }

    #[test]
    fn work_is_linear() {
        for hostile in [
            "`".repeat(200_000),
            "`a``b".repeat(40_000),
            "<code>".repeat(50_000) + "</code>",
            "*a".repeat(100_000),
            "&#".repeat(100_000),
        ] {
            assert_eq!(blocks(&hostile).len(), 1);
        }
    }
}
