//! A small, strict part of Markdown as structure, so that the same prose can be printed as Markdown and as HTML.
//!
//! Runbook prose is written once, as Markdown. The HTML page does not convert it to HTML text, which would need a way
//! around escaping; it prints the pieces found here, each escaped like any other value. Understood are paragraphs,
//! fenced code, bullet and number lists of one level, code spans, `*emphasis*`, `**strong**`, backslash escapes and
//! character references, and `<code>` for a code span. Everything else is text: no links, no images, no other HTML.
//! Rules follow `CommonMark` 0.31 where they overlap. This module must not know HTML.

use schemars::JsonSchema;
use serde::Serialize;

/// A run of text in one style.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Piece {
    /// How it looks.
    pub style: Style,
    /// What it says, without any escape and without the blanks that part it from its neighbours.
    pub text: String,
    /// Whether a blank stands before it. Formats drop or escape blanks at the end of a value, so they stand apart.
    pub space_before: bool,
    /// Whether a blank stands after it.
    pub space_after: bool,
}

impl Piece {
    fn new(style: Style, text: String) -> Self {
        if style == Style::Code {
            return Self {
                style,
                text,
                space_before: false,
                space_after: false,
            };
        }
        let (space_before, rest) = match text.strip_prefix(' ') {
            Some(rest) => (true, rest),
            None => (false, text.as_str()),
        };
        let (space_after, rest) = match rest.strip_suffix(' ') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        Self {
            style,
            text: rest.to_owned(),
            space_before,
            space_after,
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

/// Style of a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
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

/// A block of prose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// The text of a paragraph or list item.
    pub pieces: Vec<Piece>,
    /// The lines of a code block.
    pub lines: Vec<String>,
}

/// Kind of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// A paragraph.
    Paragraph,
    /// An item of a bullet list.
    Bullet,
    /// An item of a numbered list.
    Number,
    /// A code block.
    Code,
}

/// The blocks of a text. Never fails: what is not understood is text. Linear in the length of the text.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut open: Option<(BlockKind, String)> = None;
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
                code.push(line.get(blank..).unwrap_or(line).to_owned());
            }
            found.push(Block {
                kind: BlockKind::Code,
                pieces: Vec::new(),
                lines: code,
            });
            continue;
        }
        if trimmed.is_empty() {
            close(&mut found, &mut open);
            continue;
        }
        if let Some((kind, rest)) = list_item(trimmed) {
            close(&mut found, &mut open);
            open = Some((kind, rest.to_owned()));
            continue;
        }
        match &mut open {
            Some((_, text)) => {
                text.push('\n');
                text.push_str(trimmed);
            }
            None => open = Some((BlockKind::Paragraph, trimmed.to_owned())),
        }
    }
    close(&mut found, &mut open);
    found
}

fn close(found: &mut Vec<Block>, open: &mut Option<(BlockKind, String)>) {
    if let Some((kind, text)) = open.take() {
        found.push(Block {
            kind,
            pieces: pieces(&text),
            lines: Vec::new(),
        });
    }
}

/// The run of backticks that opens a code block.
fn fence(line: &str) -> Option<&str> {
    let length = line.bytes().take_while(|byte| *byte == b'`').count();
    let (fence, info) = line.split_at_checked(length)?;
    (length >= 3 && !info.contains('`')).then_some(fence)
}

fn list_item(line: &str) -> Option<(BlockKind, &str)> {
    if let Some(rest) = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
        return Some((BlockKind::Bullet, rest.trim_start()));
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = line.get(digits..)?.strip_prefix(". ")?;
    (1..=9)
        .contains(&digits)
        .then(|| (BlockKind::Number, rest.trim_start()))
}

/// How a code span is written whose text cannot stand between backticks (a `|` in a table).
const CODE_OPEN: &[char] = &['<', 'c', 'o', 'd', 'e', '>'];
const CODE_CLOSE: &[char] = &['<', '/', 'c', 'o', 'd', 'e', '>'];

/// The styled runs of one paragraph. Line ends become blanks.
pub fn pieces(text: &str) -> Vec<Piece> {
    let letters: Vec<char> = text
        .chars()
        .map(|letter| if letter == '\n' { ' ' } else { letter })
        .collect();
    let runs = backtick_runs(&letters);
    // Looking for the end of `<code>` only where there is one keeps the work linear.
    let last_close = letters
        .windows(CODE_CLOSE.len())
        .rposition(|window| window == CODE_CLOSE)
        .unwrap_or(0);
    let mut found: Vec<Piece> = Vec::new();
    let mut plain = String::new();
    let mut style = Style::Text;
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        match letter {
            '\\' if letters.get(at + 1).is_some_and(char::is_ascii_punctuation) => {
                plain.extend(letters.get(at + 1));
                at += 2;
            }
            '`' => {
                let length = run_length(&letters, at, '`');
                if let Some(end) = runs.closing(at + length, length) {
                    flush(&mut found, &mut plain, style);
                    let code: String = letters.get(at + length..end).unwrap_or_default().iter().collect();
                    found.push(Piece::new(Style::Code, strip_code(code)));
                    at = end + length;
                } else {
                    plain.extend(std::iter::repeat_n('`', length));
                    at += length;
                }
            }
            '*' => {
                let length = run_length(&letters, at, '*');
                let next = if length >= 2 {
                    Style::Strong
                } else {
                    Style::Emphasis
                };
                let width = if length >= 2 { 2 } else { 1 };
                let opens = style == Style::Text
                    && letters
                        .get(at + width)
                        .is_some_and(|after| !after.is_whitespace());
                let closes = style == next && !plain.ends_with(char::is_whitespace);
                if opens || closes {
                    flush(&mut found, &mut plain, style);
                    style = if opens { next } else { Style::Text };
                } else {
                    plain.extend(std::iter::repeat_n('*', width));
                }
                at += width;
            }
            '<' if letters.get(at..).is_some_and(|rest| rest.starts_with(CODE_OPEN)) && at < last_close => {
                let inner = at + CODE_OPEN.len();
                let rest = letters.get(inner..).unwrap_or_default();
                let length = rest
                    .windows(CODE_CLOSE.len())
                    .position(|window| window == CODE_CLOSE)
                    .unwrap_or(rest.len());
                flush(&mut found, &mut plain, style);
                let code: String = rest.get(..length).unwrap_or_default().iter().collect();
                let code = pieces(&code).iter().map(Piece::spaced).collect();
                found.push(Piece::new(Style::Code, code));
                at = inner + length + CODE_CLOSE.len();
            }
            '&' => {
                let (text, length) = reference(letters.get(at..).unwrap_or_default());
                plain.push(text);
                at += length;
            }
            letter => {
                plain.push(letter);
                at += 1;
            }
        }
    }
    flush(&mut found, &mut plain, style);
    found
}

fn flush(found: &mut Vec<Piece>, plain: &mut String, style: Style) {
    if !plain.is_empty() {
        found.push(Piece::new(style, std::mem::take(plain)));
    }
}

fn run_length(letters: &[char], at: usize, letter: char) -> usize {
    letters
        .iter()
        .skip(at)
        .take_while(|next| **next == letter)
        .count()
}

/// Where runs of backticks start, by their length, so that looking for a closing run stays linear.
struct BacktickRuns {
    by_length: std::collections::BTreeMap<usize, Vec<usize>>,
}

impl BacktickRuns {
    /// Start of the first run of exactly `length` at or after `from`.
    fn closing(&self, from: usize, length: usize) -> Option<usize> {
        let starts = self.by_length.get(&length)?;
        starts.get(starts.partition_point(|start| *start < from)).copied()
    }
}

fn backtick_runs(letters: &[char]) -> BacktickRuns {
    let mut by_length: std::collections::BTreeMap<usize, Vec<usize>> = std::collections::BTreeMap::new();
    let mut at = 0;
    while at < letters.len() {
        let length = run_length(letters, at, '`');
        if length > 0 {
            by_length.entry(length).or_default().push(at);
        }
        at += length.max(1);
    }
    BacktickRuns { by_length }
}

/// One blank on each side of a code span belongs to its delimiters, unless it is all blanks.
fn strip_code(code: String) -> String {
    match code.strip_prefix(' ').and_then(|rest| rest.strip_suffix(' ')) {
        Some(inner) if !inner.trim().is_empty() => inner.to_owned(),
        _ => code,
    }
}

/// A character reference at the start of `letters` (numeric, or one of the five of XML and the hard blank), or `&`.
fn reference(letters: &[char]) -> (char, usize) {
    let name: String = letters
        .iter()
        .skip(1)
        .take(10)
        .take_while(|letter| **letter != ';')
        .collect();
    let length = name.chars().count() + 2;
    if letters.get(length - 1) != Some(&';') {
        return ('&', 1);
    }
    let number = |digits: &str, base| u32::from_str_radix(digits, base).ok().and_then(char::from_u32);
    let found = match name.as_str() {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{A0}'),
        name => match name.strip_prefix('#') {
            Some(digits) => match digits.strip_prefix(['x', 'X']) {
                Some(hex) => number(hex, 16),
                None => number(digits, 10),
            },
            None => None,
        },
    };
    found.map_or(('&', 1), |letter| (letter, length))
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
    fn blocks_have_kinds() {
        let found = blocks("a\nb\n\n- one\n  more\n- two\n\n1. first\n\n  ```cmd\n  x  y\n    z\n  ```\nend");
        let kinds: Vec<(BlockKind, String)> = found
            .into_iter()
            .map(|block| {
                let text = block
                    .pieces
                    .into_iter()
                    .map(|piece| piece.text)
                    .collect::<String>()
                    + &block.lines.join("\n");
                (block.kind, text)
            })
            .collect();
        assert_eq!(
            kinds,
            [
                (BlockKind::Paragraph, "a b".to_owned()),
                (BlockKind::Bullet, "one more".to_owned()),
                (BlockKind::Bullet, "two".to_owned()),
                (BlockKind::Number, "first".to_owned()),
                (BlockKind::Code, "x  y\n  z".to_owned()),
                (BlockKind::Paragraph, "end".to_owned()),
            ]
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
            prop_assert_eq!(pieces(&escaped), vec![Piece::new(Style::Text, value)]);
        }

        /// What the quoting functions of the Markdown format write is read back as the value, in one piece.
        #[test]
        fn quoted_values_break_out_of_nothing(value in "\\PC{1,40}") {
            if let Ok(text) = crate::formats::markdown::md_text(&value) {
                prop_assert_eq!(pieces(&text), vec![Piece::new(Style::Text, value.clone())], "{}", text);
            }
            if let Ok(code) = crate::formats::markdown::md_code(&value) {
                prop_assert_eq!(pieces(&code), vec![Piece::new(Style::Code, value)], "{}", code);
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
            prop_assert_eq!(pieces(&format!("{ticks} {value} {ticks}")), vec![Piece::new(Style::Code, value)]);
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
