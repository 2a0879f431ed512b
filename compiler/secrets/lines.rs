//! Lines of a text that findings must not quote: values below a key that is named like a secret, also by a slip, and
//! private keys.
//!
//! It reads a text that may be wrong in any way, since it is asked when a finding is printed: indentation decides, as a
//! person would read it. This file must not know any format.

use super::names;
use crate::formats::Cut as _;

/// What may be shown of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Nothing here says that it holds a secret.
    Open,
    /// The value of the key at this byte of the line is a secret.
    Behind(usize),
    /// The line belongs to a secret.
    Whole,
}

/// Most lines of a private key without an end.
const LONGEST_KEY: usize = 200;
/// Most lines of a value that goes on where its indentation does not say so.
const LONGEST_VALUE: usize = 50;
/// Longest line that is joined with its neighbour to see what both say together.
const LONGEST_JOINED: usize = 4096;

/// One guard for each line of a text.
pub fn guards(text: &str) -> Vec<Guard> {
    let mut guards = Vec::new();
    let mut below: Option<Below> = None;
    let mut key_lines = 0;
    let mut before = "";
    for line in text.lines() {
        let key = line.find("-----BEGIN").filter(|_| line.contains("PRIVATE KEY"));
        let mut guard = Guard::Open;
        if key_lines > 0 {
            guard = Guard::Whole;
            key_lines -= 1;
        } else if let Some(at) = key {
            key_lines = LONGEST_KEY;
            guard = Guard::Behind(line.cut(..at).rfind(':').map_or(0, |colon| colon + 1));
        }
        if line.contains("-----END") {
            key_lines = 0;
        }
        if below.as_mut().is_some_and(|below| below.goes_on(line)) {
            guards.push(Guard::Whole);
            before = line;
            continue;
        }
        below = None;
        if guard == Guard::Open
            && let Some((start, end)) = secret_key(line)
        {
            let value = line.cut(end..);
            if !is_name_of_a_secret(value) {
                guard = Guard::Behind(end);
                below = Below::of(line, start, value);
            }
        }
        if guard == Guard::Open && is_secret_together(before, line) {
            guard = Guard::Whole;
        }
        guards.push(guard);
        // An empty line between a name and its value parts nothing.
        if !line.trim().is_empty() {
            before = line;
        }
    }
    guards
}

/// A key of a secret whose value may go on below it.
struct Below {
    /// The column of the key.
    column: usize,
    /// The quote that is not closed yet.
    quote: Option<char>,
    /// Whether nothing of the value was met yet, so that the next line is the value wherever it stands.
    is_empty: bool,
    /// Lines that belong to it although their indentation does not say so.
    left: usize,
}

impl Below {
    /// The key that begins at `start` of its line. A key in braces says nothing about the lines below it, unless they are
    /// not closed.
    fn of(line: &str, start: usize, value: &str) -> Option<Self> {
        let before = line.cut(..start);
        let is_first = before.trim_matches([' ', '\t', '-', '?', '"', '\'']).is_empty();
        let value = value.trim();
        let quote = value
            .chars()
            .next()
            .filter(|letter| matches!(letter, '"' | '\''))
            .filter(|quote| !closes(value.cut(1..), *quote));
        let is_empty =
            value.is_empty() || value.starts_with(['|', '>', '#', '&', '!']) && !is_like_a_word(value);
        if !is_first && quote.is_none() && !is_empty && !ends_open(value) {
            return None;
        }
        // What belongs to `? key` begins below the question mark.
        let question = before.find('?');
        Some(Self {
            column: question.unwrap_or_else(|| before.trim_end_matches(['"', '\'']).len()),
            quote,
            is_empty,
            left: LONGEST_VALUE,
        })
    }

    /// Whether a line still belongs to the value.
    fn goes_on(&mut self, line: &str) -> bool {
        let trimmed = line.trim_start();
        let column = line.len() - trimmed.len();
        if self.left == 0 {
            return false;
        }
        if let Some(quote) = self.quote {
            self.left -= 1;
            if closes(line, quote) {
                self.quote = None;
                self.is_empty = false;
            }
            return true;
        }
        if trimmed.is_empty() {
            return true;
        }
        let was_empty = std::mem::take(&mut self.is_empty);
        if column > self.column
            || column == self.column && (trimmed.starts_with("- ") || trimmed.starts_with(':'))
        {
            return true;
        }
        if trimmed.starts_with("- ") {
            return false;
        }
        self.left -= 1;
        let is_comment = trimmed.starts_with('#');
        self.is_empty = was_empty && is_comment;
        let is_indented_by_a_tab = line.get(..column).is_some_and(|indent| indent.contains('\t'));
        (is_indented_by_a_tab
            || trimmed
                .starts_with(|letter: char| letter.is_alphanumeric() || "*&!@%+-_$\"'".contains(letter)))
            && !is_a_key(trimmed, was_empty)
            || is_comment && was_empty
    }
}

/// Whether a text holds the quote that ends a value.
fn closes(text: &str, quote: char) -> bool {
    let mut is_escaped = false;
    text.chars().any(|letter| {
        let ends = letter == quote && !is_escaped;
        is_escaped = quote == '"' && letter == '\\' && !is_escaped;
        ends
    })
}

/// Whether a list or a mapping is not closed in its line.
fn ends_open(value: &str) -> bool {
    let count = |letters: [char; 2]| value.matches(letters).count();
    count(['[', '{']) > count([']', '}'])
}

/// Whether what begins like an anchor, a tag or a block of YAML goes on like a value in the same line.
fn is_like_a_word(value: &str) -> bool {
    let (first, rest) = value.split_once(char::is_whitespace).unwrap_or((value, ""));
    let rest = rest.trim();
    !value.starts_with('#') && !rest.is_empty() && !rest.starts_with('#')
        || value.starts_with(['|', '>']) && first.len() > 3
}

/// Whether a line begins with a key. Where a value is waited for, a word with a digit is no key.
fn is_a_key(line: &str, strict: bool) -> bool {
    let line = line.strip_prefix("- ").unwrap_or(line).trim_start();
    let Some(at) = line.find([':', '=']) else {
        return line.starts_with("---") || line.starts_with("...");
    };
    let (name, sign) = line.split_at(at);
    let name = name.trim().trim_matches(['"', '\'']);
    let rest = sign.cut(1..);
    name.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
        && name.len() <= 40
        && name.chars().all(|letter| {
            letter.is_alphabetic() || matches!(letter, '_' | '-' | '.') || !strict && letter.is_ascii_digit()
        })
        && (rest.is_empty() || rest.starts_with([' ', '\t']) || sign.starts_with('='))
}

/// Whether two lines hold a secret together and neither does alone: `Password=` and its value below.
fn is_secret_together(before: &str, line: &str) -> bool {
    let (before, line) = (before.trim(), line.trim());
    if before.is_empty() || line.is_empty() || before.len() + line.len() > LONGEST_JOINED {
        return false;
    }
    let marks = names::marks(before);
    // `://` of an address whose rest stands below.
    if !marks.may_have_an_argument() && !before.contains("://") {
        return false;
    }
    let is_secret = |text: &str| !super::scan_plain(text, &[]).is_empty();
    let joined = |between: &str| {
        let before = before.strip_suffix('\\').unwrap_or(before);
        is_secret(&format!("{before}{between}{line}"))
    };
    !is_secret(before)
        && !is_secret(line)
        && (joined(" ") || before.ends_with(['\\', ':', '=']) && joined(""))
}

/// Where the first key that is named like a secret begins in a line, and where its value begins.
fn secret_key(line: &str) -> Option<(usize, usize)> {
    let question = line.trim_start().starts_with("? ").then_some(line.len());
    let colon = line
        .match_indices(':')
        .map(|(at, _)| at)
        .chain(question)
        .find_map(|at| {
            let before = line.get(..at)?.trim_end().trim_end_matches(['"', '\'']);
            let start = before
                .char_indices()
                .rev()
                .take_while(|(_, letter)| names::belongs(*letter))
                .last()?
                .0;
            let name = before.get(start..)?;
            may_name_a_secret(name).then_some((start, (at + 1).min(line.len())))
        });
    colon
        .or_else(|| {
            // `pasword=value`: the gate knows a name with a `=` when it has no slip.
            let (before, value) = line.split_once('=')?;
            let before = before.trim_end();
            let name = before.rsplit(char::is_whitespace).next()?;
            let start = before.len() - name.len();
            let is_value = !value.trim().is_empty() && !names::is_secret(name);
            (is_value && may_name_a_secret(name)).then_some((start, start + name.len()))
        })
        .or_else(|| without_a_sign(line))
}

/// `password value`: the colon is forgotten. In prose another word follows; a secret stands alone or has digits.
fn without_a_sign(line: &str) -> Option<(usize, usize)> {
    if !names::marks(line).may_name_a_secret() {
        return None;
    }
    let place = |word: &str| word.as_ptr() as usize - line.as_ptr() as usize;
    let words: Vec<&str> = line.split_whitespace().collect();
    words.windows(2).find_map(|pair| {
        let [name, value] = pair else { return None };
        let name = name.trim_matches(|letter| !names::belongs(letter));
        let is_alone = words.len() == 2 && !value.starts_with(['=', ':']);
        (name.chars().all(names::belongs) && may_name_a_secret(name) && (is_alone || is_mixed(value)))
            .then(|| (place(name), place(name) + name.len()))
    })
}

/// Whether a word has letters and digits, as secrets have and prose has not.
fn is_mixed(word: &str) -> bool {
    word.len() >= 4
        && word.contains(|letter: char| letter.is_ascii_digit())
        && word.contains(|letter: char| letter.is_ascii_alphabetic())
}

/// The words that may be the secret of a line in which the gate finds one.
pub fn suspect_words(line: &str) -> impl Iterator<Item = &str> {
    let first = super::scan_plain(line, &[])
        .into_iter()
        .map(|suspect| suspect.name.start)
        .min();
    let rest = first.map_or("", |at| line.cut(at..));
    rest.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| is_mixed(word))
}

/// Whether the value of a key is not shown.
fn may_name_a_secret(name: &str) -> bool {
    names::is_like_a_secret(name) || names::is_login(name)
}

/// `{ secret: NAME }` names a secret and holds none.
fn is_name_of_a_secret(value: &str) -> bool {
    let value = value.split_once(" #").map_or(value, |(value, _)| value).trim();
    let inside = value.strip_prefix('{').and_then(|value| {
        value
            .trim_end_matches([' ', '}', ','])
            .trim()
            .strip_prefix("secret:")
    });
    inside.is_some_and(|name| {
        let name = name.trim();
        name.starts_with(|letter: char| letter.is_ascii_uppercase())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    })
}

/// The words of a secret, to find them again in a message. Names of secrets are words of the message itself.
pub fn words(secret: &str) -> impl Iterator<Item = &str> {
    let parts = secret.split(|letter: char| {
        letter.is_whitespace()
            || matches!(
                letter,
                '"' | '\'' | '`' | '{' | '}' | '[' | ']' | ',' | ':' | '*' | '&' | '/' | '@' | '=' | ';'
            )
    });
    parts.filter(|part| {
        part.chars().count() >= 4
            && !matches!(*part, "null" | "true" | "false" | "NAME")
            && !names::is_like_a_secret(part)
    })
}

/// Whether a message repeats a word of a secret, or how a long one begins: messages cut long values.
pub fn repeats(message: &str, word: &str) -> bool {
    const BEGINNING: usize = 8;
    if let Some((end, _)) = word.char_indices().nth(BEGINNING) {
        return message.contains(word.get(..end).unwrap_or(word));
    }
    message.match_indices(word).any(|(at, _)| {
        let before = message.get(..at).and_then(|text| text.chars().next_back());
        let after = message
            .get(at + word.len()..)
            .and_then(|text| text.chars().next());
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> String {
        guards(text)
            .iter()
            .map(|guard| match guard {
                Guard::Open => '.',
                Guard::Behind(_) => '>',
                Guard::Whole => '#',
            })
            .collect()
    }

    #[test]
    fn lines_below_a_secret_key_and_inside_a_private_key_are_guarded() {
        assert_eq!(check("a: 1\npassword: x\nb: 2"), ".>.");
        assert_eq!(check("a: 1\npasword: x\nole_pw: 2"), ".>>");
        assert_eq!(
            check("sql:\n  password:\n    x: 1\n\n    y: 2\n  other: 1"),
            ".>###."
        );
        assert_eq!(check("- password:\n    x\n- other"), ">#.");
        assert_eq!(check("password:\n- x\nother: y"), ">#.");
        assert_eq!(check("? password\n: x\nother: y"), ">#.");
        assert_eq!(check("{ a: { password: { x: 1 } } }\nother: y"), ">.");
        assert_eq!(
            check("k: |\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nx: y\n-----END RSA PRIVATE KEY-----\nb: 1"),
            ".>###."
        );
        assert_eq!(check("password: { secret: NAME_1 }   # a name\nb: 2"), "..");
        assert_eq!(check("password: { secret: hunter2 }"), ">");
        // The value goes on where its indentation does not say so.
        assert_eq!(check("  password:\n  x1y2\n  other: y"), ">#.");
        assert_eq!(check("  password: |\nx1y2\n  z\nother: y"), ">##.");
        assert_eq!(check("  password: a\n\tx1y2\n\tz: 1\n  other: y"), ">#..");
        assert_eq!(check("  password: \"a\nb: c\n\n d\"\nother: y"), ">###.");
        assert_eq!(
            check("  password: # text\n  # text\n  x1y2: z\n  other: y"),
            ">##."
        );
        assert_eq!(check("a: { password: [ab,\ncd]\nother: y"), ">#.");
        assert_eq!(check("password x1y2\npasword=x1y2\nother: y"), ">>.");
        assert_eq!(check("login: sa/x\nother: y"), ">.");
        assert_eq!(check("{\n  \"password\": \"x\",\n  \"y\": 1\n}\n"), ".>..");
        assert_eq!(check("{\n  \"password\": \"x\"\n}\n"), ".>.");
        // A script: what a word in the middle of a line names goes on in no other line.
        assert_eq!(
            check(
                "for /f \"usebackq tokens=1-3\" %%A in (x) do set \"B=%%C\"\nexit /b 0\nrem zulu\nnet.exe stop zulu"
            ),
            ">..."
        );
        // Two lines together.
        assert_eq!(check("a: Driver;Password=\n   hunter2Zq9\nb: y"), ".#.");
        assert_eq!(check("a: 'net user svc\n   hunter2Zq9'\nb: y"), ".#.");
        assert_eq!(check("a: \"Password=\\\n   hunter2Zq9\"\nb: y"), ".#.");
    }

    #[test]
    fn words_are_found_in_messages() {
        let secret = " *hunter2Zq9 { secret: abcd }";
        assert_eq!(words(secret).collect::<Vec<_>>(), ["hunter2Zq9", "abcd"]);
        assert!(repeats("there is no anchor `&hunter2Z…`", "hunter2Zq9"));
        assert!(repeats("`abcd` is no key", "abcd"));
        assert!(!repeats("abcdef is a key", "abcd"));
    }
}
