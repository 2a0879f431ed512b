//! Splits nginx configuration text into directives, by nginx's own token rules.
//!
//! The rules are those of `ngx_conf_read_token` in nginx's `src/core/ngx_conf_file.c`; the table in the tests of the
//! parent module was recorded from `nginx -t`. This file must not know any directive by name.

use std::ops::Range;

use crate::{Cut as _, FormatError};

/// Deepest nesting of blocks that is read; nginx configurations need four.
const DEEPEST: usize = 64;

/// Longest argument: nginx reads through a buffer of 4096 bytes and refuses longer arguments.
const LONGEST_ARGUMENT: usize = 4000;

/// One word of a directive.
#[derive(Clone, Debug)]
pub(super) struct Word {
    /// The text nginx works with: quotes removed, escapes resolved.
    pub(super) text: String,
    /// The bytes of the word, with its quotes.
    pub(super) range: Range<usize>,
    /// Line number, counted from 0.
    pub(super) line: usize,
    /// Whether the written form holds a backslash.
    pub(super) backslash: bool,
    /// Whether the word stands in quotes.
    pub(super) quoted: bool,
}

/// One directive: its words and, when it opens a block, what stands inside.
#[derive(Clone, Debug)]
pub(super) struct Directive {
    /// Name of the directive (in a `map`: the key).
    pub(super) name: Word,
    /// Arguments, in order.
    pub(super) arguments: Vec<Word>,
    /// Content of the block, if there is one.
    pub(super) block: Option<Vec<Directive>>,
}

impl Directive {
    /// The bytes from the name to the last argument.
    pub(super) fn range(&self) -> Range<usize> {
        self.name.range.start..self.arguments.last().unwrap_or(&self.name).range.end
    }

    /// Argument number `index`, or the empty text.
    pub(super) fn argument(&self, index: usize) -> &str {
        self.arguments.get(index).map_or("", |word| word.text.as_str())
    }

    /// Whether an argument is this word.
    pub(super) fn has(&self, word: &str) -> bool {
        self.arguments.iter().any(|argument| argument.text == word)
    }

    /// Content of the block, or nothing.
    pub(super) fn inside(&self) -> &[Directive] {
        self.block.as_deref().unwrap_or_default()
    }
}

/// Where the scanner stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between words.
    Between,
    /// Directly after a closing quote, where nginx insists on a blank, `;`, `{` or `)`.
    AfterQuote,
    /// In a word without quotes.
    Bare,
    /// In a word that began with this quote.
    Quoted(char),
    /// In a comment, until the end of the line.
    Comment,
}

/// Reads the whole text; directives that could be read are returned even when there are errors.
pub(super) fn read(text: &str) -> (Vec<Directive>, Vec<FormatError>) {
    let mut reader = Reader {
        text,
        ..Reader::default()
    };
    reader.run();
    (reader.done, reader.errors)
}

#[derive(Default)]
struct Reader<'a> {
    text: &'a str,
    /// Words of the directive being read.
    words: Vec<Word>,
    /// Blocks that are open, each with the siblings read before it.
    open: Vec<(Directive, Vec<Directive>)>,
    /// Directives of the innermost open block.
    done: Vec<Directive>,
    errors: Vec<FormatError>,
}

impl Reader<'_> {
    fn refuse(&mut self, range: Range<usize>, message: impl Into<String>) {
        self.errors.push(FormatError::new(range, message));
    }

    fn run(&mut self) {
        let mut state = State::Between;
        let mut escaped = false;
        let mut after_dollar = false;
        let mut start = 0;
        let mut line = 0;
        let mut start_line = 0;
        for (at, c) in self.text.char_indices() {
            let here = at..at + c.len_utf8();
            if c == '\n' {
                line += 1;
                if state == State::Comment {
                    state = State::Between;
                }
            }
            if state == State::Comment {
                continue;
            }
            if c == '\u{feff}' {
                self.refuse(
                    here,
                    "a byte order mark, which nginx reads as part of a directive",
                );
                continue;
            }
            if !c.is_ascii() || (c.is_ascii_control() && !matches!(c, '\n' | '\r' | '\t')) {
                self.refuse(
                    here.clone(),
                    format!("{c:?} outside a comment; only printable ASCII is safe"),
                );
            }
            if escaped {
                escaped = false;
                continue;
            }
            let blank = matches!(c, ' ' | '\t' | '\r' | '\n');
            if state == State::AfterQuote {
                if !blank && !matches!(c, ';' | '{' | ')') {
                    self.refuse(here.clone(), format!("`{c}` directly after a closing quote"));
                }
                state = State::Between;
            }
            match state {
                State::Comment | State::AfterQuote => {}
                State::Between => {
                    start = at;
                    start_line = line;
                    after_dollar = false;
                    match c {
                        _ if blank => {}
                        ';' | '{' | '}' => self.delimiter(c, here),
                        '#' => state = State::Comment,
                        '"' | '\'' => state = State::Quoted(c),
                        _ => {
                            state = State::Bare;
                            escaped = c == '\\';
                            after_dollar = c == '$';
                        }
                    }
                }
                State::Bare | State::Quoted(_) => {
                    let brace_of_variable = c == '{' && after_dollar;
                    after_dollar = c == '$';
                    escaped = c == '\\';
                    if brace_of_variable || escaped || after_dollar {
                        continue;
                    }
                    match state {
                        State::Quoted(quote) if c == quote => {
                            self.word(start..here.end, true, start_line);
                            state = State::AfterQuote;
                        }
                        State::Bare if blank || matches!(c, ';' | '{') => {
                            self.word(start..at, false, start_line);
                            state = State::Between;
                            if !blank {
                                self.delimiter(c, here);
                            }
                        }
                        State::Bare
                        | State::Quoted(_)
                        | State::Between
                        | State::AfterQuote
                        | State::Comment => {}
                    }
                }
            }
        }
        let end = self.text.len();
        match state {
            State::Quoted(quote) => {
                self.refuse(start..end, format!("the quote `{quote}` is never closed"));
                self.words.clear();
            }
            State::Bare => self.word(start..end, false, start_line),
            State::Between | State::AfterQuote | State::Comment => {}
        }
        if let Some(word) = self.words.first() {
            let range = word.range.start..end;
            self.refuse(range, "the last directive has no `;`");
        }
        while let Some((mut directive, siblings)) = self.open.pop() {
            self.refuse(
                directive.range(),
                format!("the block `{}` is never closed", directive.name.text),
            );
            directive.block = Some(std::mem::replace(&mut self.done, siblings));
            self.done.push(directive);
        }
    }

    /// Takes in one word.
    fn word(&mut self, range: Range<usize>, quoted: bool, line: usize) {
        let written = self.text.cut(range.clone());
        if written.len() > LONGEST_ARGUMENT {
            self.refuse(range.clone(), "the argument is longer than nginx's buffer");
        }
        let inner = if quoted {
            written.cut(1..written.len() - 1)
        } else {
            written
        };
        let text = unescape(inner);
        // Escapes such as `\n` turn a path into something else without any complaint of nginx.
        if let Some(control) = text.chars().find(char::is_ascii_control) {
            self.refuse(
                range.clone(),
                format!(
                    "the argument becomes a text with {control:?}; in nginx `\\n`, `\\r` and `\\t` are control characters"
                ),
            );
        }
        self.words.push(Word {
            text,
            backslash: inner.contains('\\'),
            range,
            line,
            quoted,
        });
    }

    /// Takes in `;`, `{` or `}`.
    fn delimiter(&mut self, c: char, here: Range<usize>) {
        let mut words = std::mem::take(&mut self.words).into_iter();
        let directive = words.next().map(|name| Directive {
            name,
            arguments: words.collect(),
            block: None,
        });
        match (c, directive) {
            (';', Some(directive)) => self.done.push(directive),
            ('{', Some(directive)) if self.open.len() < DEEPEST => {
                self.open.push((directive, std::mem::take(&mut self.done)));
            }
            ('{', Some(_)) => self.refuse(here, format!("blocks are nested deeper than {DEEPEST}")),
            ('}', directive) => {
                if let Some(directive) = directive {
                    self.refuse(directive.range(), "the directive before `}` has no `;`");
                    self.done.push(directive);
                }
                match self.open.pop() {
                    Some((mut directive, siblings)) => {
                        directive.block = Some(std::mem::replace(&mut self.done, siblings));
                        self.done.push(directive);
                    }
                    None => self.refuse(here, "`}` closes no block"),
                }
            }
            (_, Some(_) | None) => self.refuse(here, format!("`{c}` without a directive before it")),
        }
    }
}

/// Resolves the escapes nginx knows; any other backslash stays.
fn unescape(written: &str) -> String {
    let mut text = String::with_capacity(written.len());
    let mut chars = written.chars().peekable();
    while let Some(c) = chars.next() {
        let meant = match (c, chars.peek()) {
            ('\\', Some('t')) => Some('\t'),
            ('\\', Some('n')) => Some('\n'),
            ('\\', Some('r')) => Some('\r'),
            ('\\', Some(next @ ('"' | '\'' | '\\'))) => Some(*next),
            _ => None,
        };
        if meant.is_some() {
            chars.next();
        }
        text.push(meant.unwrap_or(c));
    }
    text
}
