//! The tags of a template text, as the lexer of the engine sees them.
//!
//! Checks look at tags before the engine does. All of them read tags here, so that they agree on what is one: quotes may hold
//! what looks like the end of a tag, and comments and raw text what looks like a tag. This file must not know what a tag does.

use std::ops::Range;

use cbgen_formats::Cut as _;

/// What a tag is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `{{ … }}`
    Value,
    /// `{% … %}`
    Statement,
    /// `{# … #}`
    Comment,
    /// `{% raw %}` and `{% endraw %}`: what stands between them is text.
    Raw,
}

impl Kind {
    /// Its marks.
    pub(super) fn marks(self) -> (&'static str, &'static str) {
        match self {
            Self::Value => ("{{", "}}"),
            Self::Statement | Self::Raw => ("{%", "%}"),
            Self::Comment => ("{#", "#}"),
        }
    }
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag<'t> {
    pub(super) kind: Kind,
    /// Where it stands, with its marks.
    pub(super) whole: Range<usize>,
    /// What is between its marks and the dashes at them.
    pub(super) inside: Range<usize>,
    /// The words of `inside`.
    pub(super) content: &'t str,
}

/// A piece of a tag. Numbers, blanks and letters that no expression has are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    Word(&'t str),
    /// Without its quotes.
    Text(&'t str),
    Symbol(&'t str),
}

/// The pieces of a tag, each with its place in the text.
pub(super) type Tokens<'t> = Vec<(Token<'t>, Range<usize>)>;

/// Every tag of a text, and the place of the one that nothing closes; there reading ends.
pub(super) fn read(text: &str) -> (Vec<Tag<'_>>, Option<(Kind, Range<usize>)>) {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((start, kind)) = next_mark(text, at) {
        let inside = start + 2 + usize::from(text.cut(start + 2..).starts_with('-'));
        let raw = named(text, inside, "raw").filter(|_| kind == Kind::Statement);
        let kind = if raw.is_some() { Kind::Raw } else { kind };
        let Some(end) = raw.or_else(|| end_of(text, inside, kind)) else {
            return (found, Some((kind, start..start + 2)));
        };
        found.push(Tag::new(text, kind, start..end, inside));
        at = end;
        if kind == Kind::Raw {
            let Some((whole, inside)) = end_of_raw(text, end) else {
                return (found, Some((kind, start..end)));
            };
            at = whole.end;
            found.push(Tag::new(text, kind, whole, inside));
        }
    }
    (found, None)
}

/// Every tag of a text, up to the first that nothing closes.
pub(super) fn tags(text: &str) -> Vec<Tag<'_>> {
    read(text).0
}

/// The tags in which expressions stand.
pub(super) fn expressions(text: &str) -> impl Iterator<Item = Tag<'_>> {
    let tags = tags(text).into_iter();
    tags.filter(|tag| matches!(tag.kind, Kind::Value | Kind::Statement))
}

impl<'t> Tag<'t> {
    fn new(text: &'t str, kind: Kind, whole: Range<usize>, inside: usize) -> Self {
        let content = text.cut(inside..whole.end - 2);
        let content = content.strip_suffix('-').unwrap_or(content);
        Self {
            kind,
            whole,
            inside: inside..inside + content.len(),
            content,
        }
    }

    /// Its pieces; a comment has none.
    pub(super) fn tokens(&self) -> Tokens<'t> {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let mut found = Vec::new();
        let mut rest = if self.kind == Kind::Comment {
            ""
        } else {
            self.content
        };
        while let Some(first) = rest.chars().next() {
            let (length, token) = if matches!(first, '"' | '\'' | '`') {
                let length = closing_quote(rest);
                (length + 1, Some(Token::Text(rest.cut(1..length))))
            } else if is_part(first) {
                let length = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
                let is_word = !first.is_ascii_digit();
                (length, is_word.then(|| Token::Word(rest.cut(..length))))
            } else if first.is_ascii() && !first.is_ascii_whitespace() {
                let double = ["==", "!=", "<=", ">=", "//", "?."];
                let length = 1 + usize::from(double.iter().any(|double| rest.starts_with(double)));
                (length, Some(Token::Symbol(rest.cut(..length))))
            } else {
                (first.len_utf8(), None)
            };
            let at = self.inside.end - rest.len();
            found.extend(token.map(|token| (token, at..at + length)));
            rest = rest.cut(length..);
        }
        found
    }

    /// The names behind `|`, each with its place.
    pub(super) fn filters(&self) -> Vec<(&'t str, Range<usize>)> {
        let tokens = self.tokens();
        let pairs = tokens.array_windows().filter_map(|pair| match pair {
            [(Token::Symbol("|"), _), (Token::Word(name), place)] => Some((*name, place.clone())),
            _ => None,
        });
        pairs.collect()
    }

    /// The texts it includes.
    pub(super) fn includes(&self) -> Vec<&'t str> {
        let mut tokens = self.tokens().into_iter().map(|(token, _)| token);
        if self.kind != Kind::Statement || tokens.next() != Some(Token::Word("include")) {
            return Vec::new();
        }
        let names = tokens.filter_map(|token| match token {
            Token::Text(name) => Some(name),
            Token::Word(_) | Token::Symbol(_) => None,
        });
        names.collect()
    }
}

/// The words among pieces, each with its place.
pub(super) fn words<'t>(tokens: &[(Token<'t>, Range<usize>)]) -> Vec<(&'t str, Range<usize>)> {
    let words = tokens.iter().filter_map(|(token, place)| match token {
        Token::Word(word) => Some((*word, place.clone())),
        Token::Text(_) | Token::Symbol(_) => None,
    });
    words.collect()
}

/// Whether a text holds what looks like a tag.
pub(super) fn is_open(text: &str) -> bool {
    next_mark(text, 0).is_some()
}

fn next_mark(text: &str, from: usize) -> Option<(usize, Kind)> {
    let rest = text.cut(from..).as_bytes();
    let marks = rest.array_windows().enumerate();
    let mut known = marks.filter_map(|(at, pair)| match pair {
        b"{{" => Some((from + at, Kind::Value)),
        b"{%" => Some((from + at, Kind::Statement)),
        b"{#" => Some((from + at, Kind::Comment)),
        _ => None,
    });
    known.next()
}

/// Where a tag ends, whose marks close outside of its texts.
fn end_of(text: &str, inside: usize, kind: Kind) -> Option<usize> {
    let (_, close) = kind.marks();
    let mut at = inside;
    loop {
        let rest = text.cut(at..);
        if rest.starts_with(close) {
            return Some(at + close.len());
        }
        let first = rest.chars().next()?;
        let is_quote = kind != Kind::Comment && matches!(first, '"' | '\'' | '`');
        at += if is_quote {
            closing_quote(rest) + 1
        } else {
            first.len_utf8()
        };
        if at > text.len() {
            return None;
        }
    }
}

/// The place of the quote that closes the one a text begins with; the end of the text when there is none.
fn closing_quote(text: &str) -> usize {
    let mut letters = text.char_indices();
    let quote = letters.next().map(|(_, quote)| quote);
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' {
            letters.next();
        } else if Some(letter) == quote {
            return at;
        }
    }
    text.len()
}

/// The end of the tag from `inside` on, when it holds this word only.
fn named(text: &str, inside: usize, word: &str) -> Option<usize> {
    let is_blank = |letter: char| letter.is_ascii_whitespace();
    let behind = text.cut(inside..).trim_start_matches(is_blank);
    let behind = behind.strip_prefix(word)?.trim_start_matches(is_blank);
    let behind = behind.strip_prefix('-').unwrap_or(behind).strip_prefix("%}")?;
    Some(text.len() - behind.len())
}

/// The next `{% endraw %}`, and where it begins inside of its marks.
fn end_of_raw(text: &str, from: usize) -> Option<(Range<usize>, usize)> {
    let marks = text.cut(from..).match_indices("{%");
    let mut ends = marks.filter_map(|(at, _)| {
        let start = from + at;
        let inside = start + 2 + usize::from(text.cut(start + 2..).starts_with('-'));
        Some((start..named(text, inside, "endraw")?, inside))
    });
    ends.next()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &[(Kind, &str)], unclosed: Option<&str>) {
        let (tags, open) = read(text);
        let found: Vec<(Kind, &str)> = tags.iter().map(|tag| (tag.kind, tag.content)).collect();
        assert_eq!(found, expected, "{text}");
        assert_eq!(open.map(|(_, range)| text.cut(range)), unclosed, "{text}");
    }

    #[test]
    fn quotes_comments_and_raw_text_hide_what_looks_like_a_tag() {
        use Kind::{Comment, Raw, Statement, Value};
        check(
            "a {{- b }} {#- {% c -#}{%d%}",
            &[(Value, " b "), (Comment, " {% c "), (Statement, "d")],
            None,
        );
        check(r#"{{ "}}\"}}" ~ '"' }}"#, &[(Value, r#" "}}\"}}" ~ '"' "#)], None);
        check(
            "{% raw %}{{ {% a {%- endraw -%}{{ b }}",
            &[(Raw, " raw "), (Raw, " endraw "), (Value, " b ")],
            None,
        );
        check("{{ a }}{{ \"}}", &[(Value, " a ")], Some("{{"));
        check("{# a", &[], Some("{#"));
        check("{%- raw -%}{% end", &[(Raw, " raw ")], Some("{%- raw -%}"));
    }

    #[test]
    fn pieces_are_words_texts_and_symbols() {
        let text = "é{{ a_1.b == 10 | c('|d') |e and not `f` >= 1_000 ü }}";
        let tag = tags(text).remove(0);
        let pieces: Vec<&str> = tag
            .tokens()
            .into_iter()
            .map(|(_, range)| text.cut(range))
            .collect();
        let expected = [
            "a_1", ".", "b", "==", "|", "c", "(", "'|d'", ")", "|", "e", "and", "not", "`f`", ">=",
        ];
        assert_eq!(pieces, expected);
        let filters: Vec<&str> = tag.filters().into_iter().map(|(name, _)| name).collect();
        assert_eq!(filters, ["c", "e"]);
        let includes = |text: &'static str| tags(text).remove(0).includes();
        assert_eq!(includes("{%- include '_a/b' %}"), ["_a/b"]);
        assert!(
            includes("{% set a = \"include\" %}").is_empty() && includes("{{ include \"a\" }}").is_empty()
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_places_are_in_it(text in "(\\PC|[{}%#\"'`\\\\|= -]|raw|endraw|include){0,60}") {
            let mut done = 0;
            for tag in tags(&text) {
                let (open, close) = tag.kind.marks();
                let whole = text.cut(tag.whole.clone());
                prop_assert!(whole.starts_with(open) && whole.ends_with(close) && tag.whole.start >= done);
                prop_assert_eq!(text.cut(tag.inside.clone()), tag.content);
                done = tag.whole.end;
                for (token, place) in tag.tokens() {
                    let (Token::Word(piece) | Token::Symbol(piece) | Token::Text(piece)) = token;
                    prop_assert!(text.cut(place).contains(piece));
                }
                drop((tag.filters(), tag.includes()));
            }
        }
    }
}
