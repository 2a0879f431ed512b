//! PowerShell scripts for Windows PowerShell 5.1: quoting, and a reader with an allow-list of commands.
//!
//! The scripts check hashes and states with what a stock Windows has. They must not reach the network or run text. This
//! file must not know what they check.

use std::collections::BTreeSet;
use std::ops::Range;

use super::{Form, FormatError, Item, Step, text};

/// Commands that come with Windows PowerShell 5.1 and read or show state, plus keywords and a few that write files.
/// Everything else is refused: aliases differ between versions, and network or evaluating commands have no place here.
const COMMANDS: &[&str] = &[
    "begin",
    "break",
    "catch",
    "continue",
    "do",
    "else",
    "elseif",
    "end",
    "exit",
    "finally",
    "for",
    "foreach",
    "function",
    "if",
    "in",
    "param",
    "process",
    "return",
    "switch",
    "throw",
    "trap",
    "try",
    "until",
    "while",
    "compare-object",
    "convertfrom-json",
    "convertto-json",
    "copy-item",
    "foreach-object",
    "format-table",
    "get-acl",
    "get-childitem",
    "get-content",
    "get-date",
    "get-filehash",
    "get-item",
    "get-itemproperty",
    "get-location",
    "get-member",
    "get-process",
    "get-service",
    "get-variable",
    "group-object",
    "join-path",
    "measure-object",
    "move-item",
    "new-item",
    "new-itemproperty",
    "new-object",
    "out-file",
    "out-null",
    "out-string",
    "pop-location",
    "push-location",
    "remove-item",
    "remove-itemproperty",
    "rename-item",
    "resolve-path",
    "restart-service",
    "select-object",
    "select-string",
    "set-content",
    "set-itemproperty",
    "set-location",
    "set-strictmode",
    "sort-object",
    "split-path",
    "start-service",
    "start-sleep",
    "stop-service",
    "test-path",
    "where-object",
    "write-debug",
    "write-error",
    "write-host",
    "write-output",
    "write-verbose",
    "write-warning",
];

/// Parts of type names that reach the network or run text, in lower case.
const TYPES: &[&str] = &[
    "typenamenet.",
    "scriptblock",
    "system.net",
    "reflection",
    "activator",
    "diagnostics.process",
    "webclient",
    "comobject",
];

/// A literal: `'…'` with `'` doubled.
///
/// Refuses everything but printable ASCII: PowerShell takes the typographic quotes U+2018 to U+201B for `'`, and 5.1
/// reads a script that lost its byte order mark in the ANSI code page.
pub fn ps_string(value: &str) -> Result<String, FormatError> {
    text::refuse_unless(
        value,
        |c| c == ' ' || c.is_ascii_graphic(),
        "is not printable ASCII, which is all a PowerShell script may hold here",
    )?;
    Ok(format!("'{}'", value.replace('\'', "''")))
}

/// A value outside quotes: one bare word that does not start with `-` or end with `.`; anything else needs
/// [`ps_string`].
pub fn escape(value: &str) -> Result<String, FormatError> {
    let word = text::bare(value, "`ps_string`")?;
    if value.starts_with(['-', '.']) {
        return Err(FormatError::new(
            0..1,
            "a bare word must not start with `-` or `.`; use `ps_string`",
        ));
    }
    Ok(word)
}

/// Reads a script.
///
/// ASCII only; quotes, parentheses, brackets and braces are balanced; every command is on the allow-list or a function of
/// the script; no evaluation, no network type, no here-string, no subexpression inside a string. `&` calls only what a
/// variable names.
///
/// Items are the statements at the top level, with their tokens joined by one blank.
pub fn items(text: &str) -> Result<Vec<Item>, Vec<FormatError>> {
    let mut scanner = Scanner {
        text,
        offset: 0,
        tokens: Vec::new(),
        errors: Vec::new(),
    };
    scanner.run();
    let Scanner {
        tokens, mut errors, ..
    } = scanner;
    balance(&tokens, text, &mut errors);
    commands(&tokens, &mut errors);
    if !text.ends_with('\n') {
        errors.push(FormatError::new(
            text.len()..text.len(),
            "the last line has no line end",
        ));
    }
    if errors.is_empty() {
        Ok(statements(&tokens))
    } else {
        errors.sort_by_key(|error| error.range.start);
        Err(errors)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A word: command, keyword, argument, parameter, number.
    Word,
    Variable,
    String,
    /// Punctuation, one character or a pair such as `::`, `@(`.
    Mark,
    LineEnd,
}

#[derive(Clone, Debug)]
struct Token<'a> {
    kind: Kind,
    text: &'a str,
    range: Range<usize>,
    /// Whether a blank or line start stands before it.
    spaced: bool,
}

struct Scanner<'a> {
    text: &'a str,
    offset: usize,
    tokens: Vec<Token<'a>>,
    errors: Vec<FormatError>,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    fn refuse(&mut self, range: Range<usize>, message: impl Into<String>) {
        self.errors.push(FormatError::new(range, message));
    }

    fn push(&mut self, kind: Kind, length: usize, spaced: bool) {
        let range = self.offset..self.offset + length;
        self.tokens.push(Token {
            kind,
            text: self.text.get(range.clone()).unwrap_or_default(),
            range: range.clone(),
            spaced,
        });
        self.offset = range.end;
    }

    fn run(&mut self) {
        let mut spaced = true;
        while let Some(c) = self.rest().chars().next() {
            let rest = self.rest();
            let was_spaced = std::mem::replace(&mut spaced, false);
            match c {
                ' ' => {
                    self.offset += 1;
                    spaced = true;
                }
                '\n' => {
                    self.push(Kind::LineEnd, 1, was_spaced);
                    spaced = true;
                }
                '`' if rest.starts_with("`\n") => {
                    self.offset += 2;
                    spaced = true;
                }
                '#' => self.offset += length_while(rest, |c| c != '\n'),
                '<' if rest.starts_with("<#") => {
                    let start = self.offset;
                    let length = rest.find("#>").map(|end| end + 2);
                    if length.is_none() {
                        self.refuse(start..start + 2, "a comment is not closed");
                    }
                    self.offset += length.unwrap_or(rest.len());
                    spaced = true;
                }
                '\'' => self.single(was_spaced),
                '"' => self.double(was_spaced),
                '@' if rest.starts_with("@'") || rest.starts_with("@\"") => {
                    self.refuse(self.offset..self.offset + 2, "here-strings are not read here");
                    self.offset += 2;
                }
                '$' => self.variable(was_spaced),
                '@' if rest.starts_with("@(") || rest.starts_with("@{") => {
                    self.push(Kind::Mark, 2, was_spaced);
                }
                ':' if rest.starts_with("::") => self.push(Kind::Mark, 2, was_spaced),
                _ if is_word(c) => {
                    let length = length_while(rest, is_word);
                    self.push(Kind::Word, length, was_spaced);
                }
                _ if "(){}[];|,=&+*/%!.:<>?".contains(c) => self.push(Kind::Mark, 1, was_spaced),
                _ => {
                    let range = text::at(self.offset, c);
                    self.offset = range.end;
                    let message = if c.is_ascii() {
                        format!("{} is not expected here", text::name(c))
                    } else {
                        format!("{} is not ASCII", text::name(c))
                    };
                    self.refuse(range, message);
                }
            }
        }
        // Comments and strings are not looked at above.
        let before = self.errors.len();
        if before == 0
            && let Some((offset, c)) = self
                .text
                .char_indices()
                .find(|&(_, c)| c != '\n' && c != ' ' && !c.is_ascii_graphic())
        {
            self.refuse(
                text::at(offset, c),
                format!("{} is not printable ASCII", text::name(c)),
            );
        }
    }

    fn single(&mut self, spaced: bool) {
        let rest = self.rest();
        let mut length = None;
        let mut bytes = rest.bytes().enumerate().skip(1).peekable();
        while let Some((index, byte)) = bytes.next() {
            if byte == b'\n' {
                break;
            }
            if byte == b'\'' && bytes.next_if(|&(_, next)| next == b'\'').is_none() {
                length = Some(index + 1);
                break;
            }
        }
        self.string(length, spaced);
    }

    fn double(&mut self, spaced: bool) {
        let rest = self.rest();
        let mut length = None;
        let mut previous = b'"';
        let mut bytes = rest.bytes().enumerate().skip(1).peekable();
        let mut subexpression = None;
        while let Some((index, byte)) = bytes.next() {
            match byte {
                b'\n' => break,
                b'`' => {
                    bytes.next();
                }
                b'(' if previous == b'$' => subexpression = subexpression.or(Some(index)),
                b'"' => {
                    length = Some(index + 1);
                    break;
                }
                _ => {}
            }
            previous = byte;
        }
        if let Some(index) = subexpression {
            let start = self.offset + index - 1;
            self.refuse(
                start..start + 2,
                "a subexpression in a string runs code; use `-f`",
            );
        }
        self.string(length, spaced);
    }

    fn string(&mut self, length: Option<usize>, spaced: bool) {
        let length = length.unwrap_or_else(|| {
            let length = length_while(self.rest(), |c| c != '\n');
            self.refuse(
                self.offset..self.offset + length,
                "a string is not closed on its line",
            );
            length
        });
        self.push(Kind::String, length, spaced);
    }

    fn variable(&mut self, spaced: bool) {
        let rest = self.rest().get(1..).unwrap_or_default();
        if rest.starts_with('(') {
            return self.push(Kind::Mark, 2, spaced);
        }
        let length = if rest.starts_with(['?', '$', '^']) {
            1
        } else {
            length_while(rest, |c| c.is_ascii_alphanumeric() || "_:".contains(c))
        };
        // `$a::b` is a static member; `$env:NAME` and `$script:name` have one colon.
        let name = rest.get(..length).unwrap_or_default();
        let length = name.find("::").unwrap_or(length);
        if length == 0 {
            self.refuse(self.offset..self.offset + 1, "`$` is not followed by a name");
        }
        self.push(Kind::Variable, 1 + length, spaced);
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-\\".contains(c)
}

fn length_while(text: &str, accepted: impl Fn(char) -> bool) -> usize {
    text.find(|c| !accepted(c)).unwrap_or(text.len())
}

fn closing(open: &str) -> Option<&'static str> {
    match open {
        "(" | "@(" | "$(" => Some(")"),
        "{" | "@{" => Some("}"),
        "[" => Some("]"),
        _ => None,
    }
}

fn balance(tokens: &[Token<'_>], text: &str, errors: &mut Vec<FormatError>) {
    let mut open: Vec<(&Token<'_>, &str)> = Vec::new();
    for token in tokens.iter().filter(|token| token.kind == Kind::Mark) {
        if let Some(close) = closing(token.text) {
            open.push((token, close));
        } else if [")", "}", "]"].contains(&token.text) {
            match open.pop() {
                Some((_, close)) if close == token.text => {}
                Some((opened, _)) => errors.push(FormatError::new(
                    token.range.clone(),
                    format!("`{}` does not close `{}`", token.text, opened.text),
                )),
                None => errors.push(FormatError::new(
                    token.range.clone(),
                    format!("`{}` closes nothing", token.text),
                )),
            }
        }
    }
    for (opened, _) in open {
        errors.push(FormatError::new(
            opened.range.start..opened.range.end.min(text.len()),
            format!("`{}` is not closed", opened.text),
        ));
    }
}

/// Checks every word that stands where PowerShell expects a command, every type and every call.
fn commands(tokens: &[Token<'_>], errors: &mut Vec<FormatError>) {
    let functions: BTreeSet<String> = tokens
        .windows(2)
        .filter_map(|pair| match pair {
            [keyword, name] if keyword.text.eq_ignore_ascii_case("function") => {
                Some(name.text.to_ascii_lowercase())
            }
            _ => None,
        })
        .collect();
    let mut brackets: Vec<&str> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let previous = index.checked_sub(1).and_then(|before| tokens.get(before));
        let next = tokens.get(index + 1);
        let folded = token.text.to_ascii_lowercase();
        match token.kind {
            Kind::Mark => {
                if closing(token.text).is_some() {
                    brackets.push(token.text);
                } else if [")", "}", "]"].contains(&token.text) {
                    brackets.pop();
                } else if ["%", "?"].contains(&token.text) && is_command_position(previous) {
                    errors.push(FormatError::new(
                        token.range.clone(),
                        format!("`{}` is an alias; write the command", token.text),
                    ));
                } else if token.text == "&" {
                    call(token, next, previous, errors);
                } else if token.text == "." && token.spaced && next.is_some_and(|next| next.spaced) {
                    errors.push(FormatError::new(
                        token.range.clone(),
                        "a script must not run another one with `.`",
                    ));
                } else if token.text == "|"
                    && previous.is_some_and(|p| p.text == "|" && p.range.end == token.range.start)
                {
                    errors.push(FormatError::new(
                        token.range.clone(),
                        "`||` is not known to Windows PowerShell 5.1",
                    ));
                }
            }
            Kind::Word if brackets.last() == Some(&"[") => {
                if previous.is_some_and(|previous| previous.text == "[") {
                    let name: String = tokens
                        .iter()
                        .skip(index)
                        .take_while(|token| token.kind == Kind::Word || token.text == ".")
                        .take(20)
                        .map(|token| token.text.to_ascii_lowercase())
                        .collect();
                    refuse_type(&name, &token.range, errors);
                }
            }
            Kind::Word if is_command_position(previous) && !is_literal(token.text) => {
                let is_key = next.is_some_and(|next| next.text == "=") && brackets.last() == Some(&"@{");
                if !is_key && !COMMANDS.contains(&folded.as_str()) && !functions.contains(&folded) {
                    errors.push(FormatError::new(
                        token.range.clone(),
                        format!("`{}` is not a command this script may use", token.text),
                    ));
                }
                if folded == "new-object" {
                    let name: String = tokens
                        .iter()
                        .skip(index + 1)
                        .take_while(|token| token.kind != Kind::LineEnd)
                        .take(20)
                        .map(|token| token.text.to_ascii_lowercase())
                        .collect();
                    refuse_type(&name, &token.range, errors);
                }
            }
            Kind::Word
                if ["invoke", "invokescript", "invokecommand"].contains(&folded.as_str())
                    && previous.is_some_and(|previous| previous.text == "." || previous.text == "::") =>
            {
                errors.push(FormatError::new(
                    token.range.clone(),
                    "a script must not run text or blocks it built",
                ));
            }
            Kind::Word | Kind::Variable | Kind::String | Kind::LineEnd => {}
        }
    }
}

fn refuse_type(name: &str, range: &Range<usize>, errors: &mut Vec<FormatError>) {
    if TYPES.iter().any(|word| name.contains(word)) || name.starts_with("net.") {
        errors.push(FormatError::new(
            range.clone(),
            "the type reaches the network, runs programs or evaluates text",
        ));
    }
}

fn call(
    token: &Token<'_>,
    next: Option<&Token<'_>>,
    previous: Option<&Token<'_>>,
    errors: &mut Vec<FormatError>,
) {
    if previous.is_some_and(|p| p.text == "&" && p.range.end == token.range.start) {
        errors.push(FormatError::new(
            token.range.clone(),
            "`&&` is not known to Windows PowerShell 5.1",
        ));
    } else if !next.is_some_and(|next| next.kind == Kind::Variable || next.text == "&") {
        errors.push(FormatError::new(
            token.range.clone(),
            "`&` may call only what a variable names",
        ));
    }
}

/// Numbers and parameters are not commands.
fn is_literal(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit() || c == '-')
}

/// Whether PowerShell takes a word behind `previous` for a command. A bare word behind `=` is one, too.
fn is_command_position(previous: Option<&Token<'_>>) -> bool {
    previous.is_none_or(|previous| match previous.kind {
        Kind::LineEnd => true,
        Kind::Mark => ["{", "(", "@(", "$(", "@{", ";", "|", "=", "}", "&"].contains(&previous.text),
        Kind::Word => ["return", "else", "do", "try", "finally", "throw"]
            .iter()
            .any(|word| previous.text.eq_ignore_ascii_case(word)),
        Kind::Variable | Kind::String => false,
    })
}

/// Statements at the top level: they end with a line end or `;` outside all brackets, unless the line goes on.
fn statements(tokens: &[Token<'_>]) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut current: Vec<&Token<'_>> = Vec::new();
    let mut depth = 0_usize;
    // Whether what follows the line ends at a place belongs to the statement before them.
    let mut continued = vec![false; tokens.len()];
    let mut belongs = false;
    for (token, slot) in tokens.iter().zip(&mut continued).rev() {
        if token.kind != Kind::LineEnd {
            belongs = ["{", "else", "elseif", "catch", "finally"]
                .iter()
                .any(|word| token.text.eq_ignore_ascii_case(word));
        }
        *slot = belongs;
    }
    for (index, token) in tokens.iter().enumerate() {
        if closing(token.text).is_some() && token.kind == Kind::Mark {
            depth += 1;
        } else if token.kind == Kind::Mark && [")", "}", "]"].contains(&token.text) {
            depth = depth.saturating_sub(1);
        }
        let goes_on = continued.get(index) == Some(&true)
            || current
                .last()
                .is_some_and(|last| last.kind == Kind::Mark && ["|", ",", "=", "+"].contains(&last.text));
        let ends = depth == 0 && (token.text == ";" || token.kind == Kind::LineEnd && !goes_on);
        if ends {
            finish(&mut current, &mut items);
        } else if token.kind != Kind::LineEnd {
            current.push(token);
        } else if depth > 0
            && current
                .last()
                .is_some_and(|last| !["{", ";", "(", ","].contains(&last.text))
        {
            // Inside a block a line end separates statements, as `;` does.
            current.push(token);
        }
    }
    finish(&mut current, &mut items);
    items
}

fn finish(current: &mut Vec<&Token<'_>>, items: &mut Vec<Item>) {
    let tokens = std::mem::take(current);
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
        return;
    };
    let words: Vec<&str> = tokens
        .iter()
        .map(|token| {
            if token.kind == Kind::LineEnd {
                ";"
            } else {
                token.text
            }
        })
        .collect();
    let statement = Step::new(Form::Statement, first.text).numbered(items.len() + 1);
    let step = match tokens.get(1) {
        Some(second) if first.text.eq_ignore_ascii_case("function") => statement.keyed(second.text),
        _ => statement,
    };
    items.push(Item {
        path: step.into(),
        value: words.join(" "),
        range: first.range.start..last.range.end,
    });
}

#[cfg(test)]
mod tests;
