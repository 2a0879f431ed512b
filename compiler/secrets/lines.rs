//! Lines of a text that findings must not quote: values below a key that is named like a secret, also by a slip, and
//! private keys.
//!
//! It reads a text that may be wrong in any way, since it is asked when a finding is printed: indentation decides, as a
//! person would read it. This file must not know any format.

use super::names;

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

/// One guard for each line of a text.
pub fn guards(text: &str) -> Vec<Guard> {
    let mut guards = Vec::new();
    // The column of the key whose value goes on below it.
    let mut below: Option<usize> = None;
    let mut key_lines = 0;
    for line in text.lines() {
        let begins_key = line.contains("-----BEGIN") && line.contains("PRIVATE KEY");
        let mut guard = Guard::Open;
        if key_lines > 0 {
            guard = Guard::Whole;
            key_lines -= 1;
        } else if begins_key {
            key_lines = LONGEST_KEY;
            let before = line.find("-----BEGIN").unwrap_or_default();
            guard = Guard::Behind(
                line.get(..before)
                    .and_then(|before| before.rfind(':'))
                    .map_or(0, |colon| colon + 1),
            );
        }
        if line.contains("-----END") {
            key_lines = 0;
        }
        let trimmed = line.trim_start();
        let column = line.len() - trimmed.len();
        if let Some(key) = below {
            let goes_on = trimmed.is_empty()
                || column > key
                || column == key && (trimmed.starts_with("- ") || trimmed.starts_with(':'));
            if goes_on {
                guards.push(Guard::Whole);
                continue;
            }
            below = None;
        }
        if guard == Guard::Open
            && let Some((start, end)) = secret_key(line)
        {
            let value = line.get(end..).unwrap_or_default();
            if !is_name_of_a_secret(value) {
                guard = Guard::Behind(end);
                // A key in braces says nothing about the lines below it.
                let before = line.get(..start).unwrap_or_default();
                if before.trim_matches([' ', '-', '?', '"', '\'']).is_empty() {
                    // What belongs to `? key` begins below the question mark.
                    let question = before.find('?');
                    below = Some(question.unwrap_or_else(|| before.trim_end_matches(['"', '\'']).len()));
                }
            }
        }
        guards.push(guard);
    }
    guards
}

/// Where the first key that is named like a secret begins in a line, and where its value begins.
fn secret_key(line: &str) -> Option<(usize, usize)> {
    let question = line.trim_start().starts_with("? ").then_some(line.len());
    line.match_indices(':')
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
            names::is_like_a_secret(name).then_some((start, (at + 1).min(line.len())))
        })
}

/// `{ secret: NAME }` names a secret and holds none.
fn is_name_of_a_secret(value: &str) -> bool {
    let value = value.split(" #").next().unwrap_or_default().trim();
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
                '"' | '\'' | '`' | '{' | '}' | '[' | ']' | ',' | ':' | '*' | '&'
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
