//! Cuts a script for sqlcmd into sqlcmd lines, `GO` lines and T-SQL tokens.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::{Cut as _, FormatError, text};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A keyword, type, function or name without brackets.
    Word,
    /// A number.
    Number,
    /// A literal with its quotes.
    String,
    /// A name with its brackets.
    Name,
    /// `@name` or `@@NAME`.
    Variable,
    /// Punctuation.
    Operator,
}

/// A T-SQL token.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    /// What it is.
    pub(super) kind: TokenKind,
    /// As written.
    pub(super) text: &'a str,
    /// Where.
    pub(super) range: Range<usize>,
}

impl Token<'_> {
    /// Whether this is the keyword (upper case) or punctuation `text`.
    pub(super) fn is(&self, text: &str) -> bool {
        match self.kind {
            TokenKind::Word | TokenKind::Variable => self.text.eq_ignore_ascii_case(text),
            TokenKind::Operator => self.text == text,
            TokenKind::Number | TokenKind::String | TokenKind::Name => false,
        }
    }
}

/// Part of a script, in order.
#[derive(Clone, Debug)]
pub(super) enum Piece<'a> {
    /// A T-SQL token.
    Token(Token<'a>),
    /// A `GO` line.
    Go,
    /// A sqlcmd line, from its colon.
    Command(&'a str, Range<usize>),
}

/// A script in pieces.
#[derive(Default)]
pub(super) struct Scanned<'a> {
    /// Sqlcmd lines, `GO` lines and tokens; comments are left out.
    pub(super) pieces: Vec<Piece<'a>>,
    /// Text and place of each comment.
    pub(super) comments: Vec<(&'a str, Range<usize>)>,
    /// Sqlcmd variables that comments before the first token declare, with their meaning and place.
    pub(super) declared: BTreeMap<&'a str, (&'a str, Range<usize>)>,
    /// Sqlcmd variables literals use.
    pub(super) used: Vec<(&'a str, Range<usize>)>,
    /// Everything wrong so far.
    pub(super) errors: Vec<FormatError>,
}

const DECLARATION: &str = "-- sqlcmd variable ";

/// Words sqlcmd obeys at the start of a line even without a colon, for the sake of its ancestors isql and osql.
const OLD_COMMANDS: &[&str] = &["QUIT", "EXIT", "RESET", "ED"];

/// Cuts `text` into pieces; after an error it goes on behind the offending part.
pub(super) fn scan(text: &str) -> Scanned<'_> {
    let mut scanner = Scanner {
        text,
        offset: 0,
        line_end: 0,
        before_tokens: true,
        out: Scanned::default(),
    };
    scanner.run();
    scanner.out
}

/// Whether `name` can be a sqlcmd variable here: capitals, digits and `_`, as environment variables are written.
pub(super) fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

struct Scanner<'a> {
    text: &'a str,
    offset: usize,
    line_end: usize,
    before_tokens: bool,
    out: Scanned<'a>,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        self.text.cut(self.offset..)
    }

    /// The rest of the current line. Its end is looked for once a line, so that a long line does not cost its square.
    fn line(&mut self) -> &'a str {
        if self.offset >= self.line_end {
            self.line_end = self.offset + self.rest().find('\n').unwrap_or(self.rest().len());
        }
        self.text.cut(self.offset..self.line_end)
    }

    fn refuse(&mut self, range: Range<usize>, message: impl Into<String>) {
        self.out.errors.push(FormatError::new(range, message));
    }

    fn take(&mut self, length: usize) -> (&'a str, Range<usize>) {
        let range = self.offset..self.offset + length;
        self.offset = range.end;
        (self.text.cut(range.clone()), range)
    }

    fn token(&mut self, kind: TokenKind, length: usize) {
        let (text, range) = self.take(length);
        self.before_tokens = false;
        self.out.pieces.push(Piece::Token(Token { kind, text, range }));
    }

    fn run(&mut self) {
        let mut line_start = true;
        while let Some(c) = self.rest().chars().next() {
            if std::mem::take(&mut line_start) && self.whole_line() {
                continue;
            }
            match c {
                '\n' => {
                    self.offset += 1;
                    line_start = true;
                }
                ' ' => self.offset += 1,
                '\'' => self.string(0),
                'N' | 'n' if self.rest().get(1..2) == Some("'") => self.string(1),
                '[' => self.name(),
                '-' if self.rest().starts_with("--") => self.line_comment(),
                '/' if self.rest().starts_with("/*") => self.block_comment(),
                '@' => {
                    let length = 1 + word_length(self.rest().cut(1..));
                    self.token(TokenKind::Variable, length);
                }
                _ if c.is_ascii_digit() => {
                    let length = length_while(self.rest(), |c| c.is_ascii_alphanumeric() || c == '.');
                    self.token(TokenKind::Number, length);
                }
                _ if c.is_ascii_alphabetic() || "_#".contains(c) => {
                    let length = word_length(self.rest());
                    self.token(TokenKind::Word, length);
                }
                _ => self.operator(c),
            }
        }
    }

    /// Takes a line that is not T-SQL. Sqlcmd looks at the start of each line before the server sees anything.
    fn whole_line(&mut self) -> bool {
        let line = self.line();
        let trimmed = line.trim();
        let start = self.offset + (line.len() - line.trim_start().len());
        let range = start..start + trimmed.len();
        let first = trimmed
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .next()
            .unwrap_or_default();
        if trimmed.starts_with(':') {
            if line != trimmed {
                self.refuse(
                    range.clone(),
                    "a sqlcmd line must not be indented or end with a blank",
                );
            }
            self.out.pieces.push(Piece::Command(trimmed, range));
        } else if trimmed.starts_with("!!") {
            self.refuse(range, "`!!` runs a command of the operating system");
        } else if first.eq_ignore_ascii_case("GO") {
            if line != "GO" {
                self.refuse(
                    range,
                    "`GO` must be alone on its line, in capitals, without blanks or `;`",
                );
            }
            self.out.pieces.push(Piece::Go);
        } else if OLD_COMMANDS.iter().any(|old| first.eq_ignore_ascii_case(old)) {
            self.refuse(range, format!("sqlcmd obeys `{first}` at the start of a line"));
        } else {
            return false;
        }
        self.offset += line.len();
        true
    }

    /// A literal; its quote is `prefix` bytes ahead.
    fn string(&mut self, prefix: usize) {
        let start = self.offset;
        let length = self.quoted(prefix, '\'', "a literal is not closed on its line");
        self.variables(start..start + length);
        if prefix == 0 && !self.text.get(start..start + length).is_some_and(str::is_ascii) {
            self.refuse(
                start..start + length,
                "a literal with characters outside ASCII needs `N` before its quote",
            );
        }
        self.token(TokenKind::String, length);
    }

    fn name(&mut self) {
        let start = self.offset;
        let length = self.quoted(0, ']', "a name is not closed on its line");
        let text = self.text.cut(start..start + length);
        if text.contains("$(") {
            self.refuse(
                start..start + length,
                "a sqlcmd variable is allowed in literals only",
            );
        }
        self.token(TokenKind::Name, length);
    }

    /// Length of a quoted token, where the closing character is doubled to stand for itself.
    fn quoted(&mut self, prefix: usize, close: char, unclosed: &str) -> usize {
        let start = self.offset;
        let mut characters = self.line().char_indices().skip(prefix + 1).peekable();
        let mut invisible = None;
        let mut length = None;
        while let Some((index, c)) = characters.next() {
            if c == close {
                if characters.next_if(|&(_, next)| next == close).is_none() {
                    length = Some(index + 1);
                    break;
                }
            } else if !text::is_visible(c) {
                invisible = invisible.or(Some((index, c)));
            }
        }
        if let Some((index, c)) = invisible {
            self.refuse(
                text::at(start + index, c),
                format!("{} cannot be shown", text::name(c)),
            );
        }
        length.unwrap_or_else(|| {
            let length = self.line().len();
            self.refuse(start..start + length, unclosed);
            length
        })
    }

    /// Finds `$(NAME)` in a literal.
    fn variables(&mut self, range: Range<usize>) {
        let text = self.text.cut(range.clone());
        for (index, _) in text.match_indices("$(") {
            let inner = text.cut(index + 2..);
            let start = range.start + index;
            match inner.split_once(')') {
                Some((name, _)) if is_variable_name(name) => {
                    self.out.used.push((name, start..start + name.len() + 3));
                }
                _ => self.refuse(
                    start..start + 2,
                    "`$(` must be followed by a name in capitals and `)`; sqlcmd looks for one",
                ),
            }
        }
    }

    fn comment(&mut self, length: usize) {
        let (text, range) = self.take(length);
        if let Some(index) = text.find("$(") {
            let start = range.start + index;
            self.refuse(
                start..start + 2,
                "sqlcmd replaces `$(` in comments too; name the variable without it",
            );
        }
        if let Some((index, c)) = text
            .char_indices()
            .find(|&(_, c)| c != '\n' && !text::is_visible(c))
        {
            self.refuse(
                text::at(range.start + index, c),
                format!("{} cannot be shown", text::name(c)),
            );
        }
        self.out.comments.push((text, range));
    }

    fn line_comment(&mut self) {
        let line = self.line();
        let range = self.offset..self.offset + line.len();
        let leading = self.before_tokens;
        if let Some(declaration) = line.strip_prefix(DECLARATION) {
            match declaration.split_once(": ") {
                Some((name, meaning)) if leading && is_variable_name(name) && !meaning.trim().is_empty() => {
                    self.out.declared.insert(name, (meaning.trim(), range));
                }
                _ => self.refuse(
                    range,
                    "a sqlcmd variable is declared above the first statement, as `-- sqlcmd variable NAME: meaning`",
                ),
            }
        }
        self.comment(line.len());
    }

    /// A block comment. They nest in T-SQL; sqlcmd may not know, so its own words must not start a line inside.
    fn block_comment(&mut self) {
        let start = self.offset;
        let rest = self.rest();
        let mut depth = 0_usize;
        let mut length = None;
        let mut bytes = rest.bytes().enumerate().peekable();
        while let Some((index, byte)) = bytes.next() {
            let next = bytes.peek().map(|&(_, next)| next);
            match (byte, next) {
                (b'/', Some(b'*')) => {
                    depth += 1;
                    bytes.next();
                }
                (b'*', Some(b'/')) => {
                    depth -= 1;
                    bytes.next();
                    if depth == 0 {
                        length = Some(index + 2);
                        break;
                    }
                }
                _ => {}
            }
        }
        let length = length.unwrap_or_else(|| {
            self.refuse(start..start + 2, "a comment is not closed");
            rest.len()
        });
        let comment = rest.cut(..length);
        for (index, line) in text::lines(comment).skip(1) {
            let first = line.trim_start();
            if first.starts_with(':') || first.starts_with("!!") || line.trim().eq_ignore_ascii_case("GO") {
                self.refuse(
                    start + index..start + index + line.len(),
                    "sqlcmd may obey this line although it is in a comment",
                );
            }
        }
        self.comment(length);
    }

    fn operator(&mut self, c: char) {
        let rest = self.rest();
        for pair in ["<>", "<=", ">=", "!=", "+=", "-=", "*=", "/="] {
            if rest.starts_with(pair) {
                return self.token(TokenKind::Operator, 2);
            }
        }
        if "(),.;=<>+-*/%&|^~".contains(c) {
            return self.token(TokenKind::Operator, 1);
        }
        let range = text::at(self.offset, c);
        self.offset = range.end;
        let message = match c {
            '"' => "names are quoted with brackets and literals with `'` here, not with `\"`".to_owned(),
            '$' => "a sqlcmd variable is allowed in literals only".to_owned(),
            _ => format!("{} is not expected outside quotes", text::name(c)),
        };
        self.refuse(range, message);
    }
}

fn length_while(text: &str, accepted: impl Fn(char) -> bool) -> usize {
    text.find(|c| !accepted(c)).unwrap_or(text.len())
}

fn word_length(text: &str) -> usize {
    length_while(text, |c| c.is_ascii_alphanumeric() || "_@#".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let scanned = scan(text);
        let mut got: Vec<String> = scanned
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Token(token) => format!("{:?} {}", token.kind, token.text),
                Piece::Go => "Go".to_owned(),
                Piece::Command(text, _) => format!("Command {text}"),
            })
            .collect();
        got.extend(
            scanned
                .errors
                .iter()
                .map(|error| format!("{:?} {error}", error.range)),
        );
        assert_eq!(got, expected, "{text:?}");
    }

    #[test]
    fn tokens_lines_and_comments_are_told_apart() {
        check(
            ":on error exit\nSET @n += 1; -- GO\n/* a /* b */\n */ N'it''s' [a]]b] 'GO'\nGO\n",
            &[
                "Command :on error exit",
                "Word SET",
                "Variable @n",
                "Operator +=",
                "Number 1",
                "Operator ;",
                "String N'it''s'",
                "Name [a]]b]",
                "String 'GO'",
                "Go",
            ],
        );
    }

    #[test]
    fn what_sqlcmd_would_obey_is_refused() {
        let alone = "`GO` must be alone on its line, in capitals, without blanks or `;`";
        check("GO;\n", &["Go", &format!("0..3 {alone}")]);
        check(" GO\n", &["Go", &format!("1..3 {alone}")]);
        check("go\n", &["Go", &format!("0..2 {alone}")]);
        check("GO 5\n", &["Go", &format!("0..4 {alone}")]);
        check("!!dir\n", &["0..5 `!!` runs a command of the operating system"]);
        check("exit\n", &["0..4 sqlcmd obeys `exit` at the start of a line"]);
        check(
            "/*\nGO\n*/\n",
            &["3..5 sqlcmd may obey this line although it is in a comment"],
        );
        check(
            "-- $(A)\n",
            &["3..5 sqlcmd replaces `$(` in comments too; name the variable without it"],
        );
        check(
            "N'$(a)'\n",
            &[
                "String N'$(a)'",
                "2..4 `$(` must be followed by a name in capitals and `)`; sqlcmd looks for one",
            ],
        );
        check(
            "[$(A)]\n",
            &[
                "Name [$(A)]",
                "0..6 a sqlcmd variable is allowed in literals only",
            ],
        );
    }

    #[test]
    fn unclosed_and_unexpected_characters_do_not_hide_later_ones() {
        check(
            "N'a\n[b\n\"c\n/* d\n",
            &[
                "String N'a",
                "Name [b",
                "Word c",
                "0..3 a literal is not closed on its line",
                "4..6 a name is not closed on its line",
                "7..8 names are quoted with brackets and literals with `'` here, not with `\"`",
                "10..12 a comment is not closed",
            ],
        );
        check(
            "'ü' €",
            &[
                "String 'ü'",
                "0..4 a literal with characters outside ASCII needs `N` before its quote",
                "5..8 `€` is not expected outside quotes",
            ],
        );
    }

    #[test]
    fn declarations_stand_above_the_first_token() {
        let scanned = scan("-- sqlcmd variable A_1: what it is\nPRINT N'$(A_1)';\n");
        assert_eq!(scanned.declared.get("A_1").unwrap().0, "what it is");
        assert_eq!(scanned.used[0].0, "A_1");
        assert!(!scan("PRINT N'x';\n-- sqlcmd variable A: x\n").errors.is_empty());
    }
}
