//! Rewrites of whole origins in a script.
//!
//! The contract is that of [`crate::js_references`]: `http(s)://HOST:PORT` becomes the new address as a whole. A port that
//! stands elsewhere, as in `location.hostname + ':8000'`, is never changed; its line is noted for a person.

use crate::Cut as _;
use std::ops::Range;

use super::source::{Readable, Source, Unmarked};
use super::{Change, Note, Outcome, Refusal, RefusalKind, Work};
use crate::js_references::{References, Rewrite};

/// Browsers read UTF-8 and UTF-16 with a mark; without one a script is in the encoding of the page, and every one that is
/// met there has ASCII at its place.
pub(super) const READABLE: Readable = Readable {
    reader: "the browser",
    utf8_mark: true,
    utf16: true,
    unmarked: Unmarked::Utf8OrWindows1252,
};

/// A run of digits that stands alone, with the whole origin it ends, if it ends one.
struct Number {
    port: u16,
    digits: Range<usize>,
    origin: Option<Range<usize>>,
}

/// Most places of a script that are changed or noted; each is shown to a person.
const MAX_PLACES: usize = 20_000;

/// Letters of an address between its scheme and its path that are looked at.
const LONGEST_AUTHORITY: usize = 300;

/// What the rewrites do to a file. What does not match is noted.
///
/// # Errors
/// The script is no text of a person: it names the ports or the new addresses more than [`MAX_PLACES`] times.
pub(super) fn work(references: &References, source: &Source<'_>) -> Result<Work, Vec<Refusal>> {
    let text = source.text();
    let too_many = |count: usize| {
        let message = format!("the script names these ports and addresses more than {MAX_PLACES} times");
        let refused = || vec![Refusal::new(RefusalKind::Limit, message)];
        if count > MAX_PLACES {
            Err(refused())
        } else {
            Ok(())
        }
    };
    let numbers = numbers(text, &references.rewrites);
    too_many(numbers.len())?;
    let mut work = Work::default();
    for rewrite in &references.rewrites {
        let Rewrite { port, to, .. } = rewrite;
        let key = rewrite.path();
        let mut seen = false;
        for number in numbers.iter().filter(|number| number.port == *port) {
            seen = true;
            match &number.origin {
                Some(origin) => {
                    let change = Change {
                        key: key.clone(),
                        line: 0,
                        old: text.get(origin.clone()).map(str::to_owned),
                        new: Some(to.clone()),
                        outcome: Outcome::Set,
                        edit_range: rewrite.range.clone(),
                        span: origin.clone(),
                    };
                    work.set(change, to.clone());
                }
                None => work.notes.push(Note {
                    message: format!(
                        "`{port}` is not part of a whole address, so it is left as it is; find out whether `{to}` belongs there"
                    ),
                    line: None,
                    span: Some(number.digits.clone()),
                }),
            }
        }
        let there: Vec<usize> = text
            .match_indices(to.as_str())
            .filter(|(at, _)| stands_alone(text, *at..at + to.len()))
            .map(|(at, _)| at)
            .take(MAX_PLACES + 1)
            .collect();
        too_many(work.changes.len() + there.len())?;
        for at in &there {
            work.changes.push(Change {
                key: key.clone(),
                line: 0,
                old: Some(to.clone()),
                new: Some(to.clone()),
                outcome: Outcome::AlreadySo,
                edit_range: rewrite.range.clone(),
                span: *at..at + to.len(),
            });
        }
        if !seen && there.is_empty() {
            work.notes.push(Note {
                message: format!("the port {port} is not in the file"),
                line: None,
                span: None,
            });
        }
    }
    work.notes
        .sort_by_key(|note| note.span.as_ref().map_or(usize::MAX, |span| span.start));
    Ok(work)
}

/// Whether an address ends here: `https://host/auth` is not in `https://host/authors`.
fn stands_alone(text: &str, range: Range<usize>) -> bool {
    let before = text.get(..range.start).and_then(|text| text.chars().next_back());
    let behind = text.get(range.end..).and_then(|text| text.chars().next());
    !before.is_some_and(|c| c.is_ascii_alphanumeric())
        && !behind
            .is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '~' | '%'))
}

/// The ports of the rewrites wherever they stand alone, in one pass over the text; one more than [`MAX_PLACES`] at most.
fn numbers(text: &str, rewrites: &[Rewrite]) -> Vec<Number> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at).filter(|_| found.len() <= MAX_PLACES) {
        if !byte.is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        // A port has at most five digits; `0x1f40` and `v8000` are no ports.
        let before = start.checked_sub(1).and_then(|before| bytes.get(before));
        let within_word =
            before.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$'));
        if at - start > 5 || within_word {
            continue;
        }
        let digits = text.cut(start..at);
        let Some(port) = digits
            .parse()
            .ok()
            .filter(|port| rewrites.iter().any(|rewrite| rewrite.port == *port))
        else {
            continue;
        };
        let behind = bytes.get(at);
        let address = (before == Some(&b':') && !digits.starts_with('0'))
            .then(|| origin_before(text, start - 1))
            .flatten();
        // In `http://user:8000@host/` and `http://host:8000.example/` the number is no port; a person looks at it.
        let origin = address.filter(|_| ends_origin(text, at)).map(|from| from..at);
        if address.is_none() && behind.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
            continue;
        }
        found.push(Number {
            port,
            digits: start..at,
            origin,
        });
    }
    found
}

/// Whether an address may have its port end here: nothing follows that makes the number a part of a name or of a password.
fn ends_origin(text: &str, at: usize) -> bool {
    let behind = text.cut(at..);
    let mut letters = behind.chars();
    let ends = match letters.next() {
        Some('.') => !letters.next().is_some_and(char::is_alphanumeric),
        Some(c) => !(c.is_alphanumeric() || matches!(c, '-' | '_' | '%' | '~' | ':')),
        None => true,
    };
    // The longest that can stand before a host, as browsers take it.
    let mut authority = behind.chars().take(LONGEST_AUTHORITY).take_while(|c| {
        !(c.is_whitespace() || matches!(c, '/' | '?' | '#' | '\\' | '"' | '\'' | '`' | '<' | '>'))
    });
    ends && !authority.any(|c| c == '@')
}

/// Where `http://host` begins that ends at the colon.
fn origin_before(text: &str, colon: usize) -> Option<usize> {
    let before = text.get(..colon)?;
    let host = if let Some(inside) = before.strip_suffix(']') {
        let address = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
        let rest = inside.trim_end_matches(address);
        (rest.len() < inside.len())
            .then(|| rest.strip_suffix('['))
            .flatten()?
            .len()
    } else {
        let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let rest = before.trim_end_matches(name);
        (rest.len() < before.len()).then_some(rest.len())?
    };
    let before = before.get(..host)?;
    ["http://", "https://"].iter().find_map(|scheme| {
        let start = before.len().checked_sub(scheme.len())?;
        let is_scheme = before.get(start..)?.eq_ignore_ascii_case(scheme);
        let word = before
            .get(..start)?
            .chars()
            .next_back()
            .is_some_and(|c| c.is_ascii_alphanumeric());
        (is_scheme && !word).then_some(start)
    })
}

#[cfg(test)]
mod tests {
    use super::super::EditKind::References;
    use super::super::Edits;
    use super::super::tests::applied;

    const EDITS: &str = "{\"rewrites\":[{\"port\":2800,\"to\":\"https://c.example/auth\"},{\"port\":8000,\"to\":\"https://c.example/system\"}],\"boundary\":\"not-a-digit\",\"when_absent\":\"report\"}";

    fn notes(file: &str) -> Vec<String> {
        let edited = Edits::read(References, EDITS)
            .unwrap()
            .apply(file.as_bytes())
            .unwrap();
        let line = |line: Option<usize>| line.map(|line| format!("{line}: ")).unwrap_or_default();
        edited
            .notes
            .into_iter()
            .map(|note| format!("{}{}", line(note.line), note.message))
            .collect()
    }

    #[test]
    fn whole_origins_are_rewritten() {
        assert_eq!(
            applied(
                References,
                EDITS,
                b"a='http://server:2800/login';\r\nb=\"HTTPS://[fe80::1]:8000\";\nc='http://server:28001/x';\nd='xhttp://s:2800'"
            ),
            (
                "a='https://c.example/auth/login';\r\nb=\"https://c.example/system\";\nc='http://server:28001/x';\nd='xhttp://s:2800'".into(),
                vec![
                    "1 Set :2800: http://server:2800 -> https://c.example/auth".into(),
                    "2 Set :8000: HTTPS://[fe80::1]:8000 -> https://c.example/system".into(),
                ]
            )
        );
    }

    #[test]
    fn pieces_are_noted_and_left_alone() {
        let file = "x = location.hostname + ':8000';\ny = { port: 2800 };\nz = 'ws://h:2800/s', w = v8000 + 0x2800 + 12800;\n";
        assert_eq!(
            notes(file),
            [
                "1: `8000` is not part of a whole address, so it is left as it is; find out whether `https://c.example/system` belongs there",
                "2: `2800` is not part of a whole address, so it is left as it is; find out whether `https://c.example/auth` belongs there",
                "3: `2800` is not part of a whole address, so it is left as it is; find out whether `https://c.example/auth` belongs there",
            ]
        );
        assert_eq!(applied(References, EDITS, file.as_bytes()).0, file);
        // No ports: a password, a piece of a name.
        for address in [
            "http://user:2800@h/",
            "http://user:2800!@h/",
            "http://h:2800.example/",
            "http://h:2800-1/",
            "http://h:2800x/",
        ] {
            let file = format!("x = '{address}';\n");
            assert_eq!(applied(References, EDITS, file.as_bytes()).0, file);
            assert!(
                notes(&file)[0].starts_with("1: `2800` is not part of a whole address"),
                "{address}"
            );
        }
        for (behind, rest) in [
            ("${path}", "${path}"),
            ("&b=1", "&b=1"),
            (".", "."),
            (", a@b", ", a@b"),
        ] {
            let file = format!("x = `http://h:2800{behind}`;\n");
            let expected = format!("x = `https://c.example/auth{rest}`;\n");
            assert_eq!(applied(References, EDITS, file.as_bytes()).0, expected);
        }
        assert_eq!(
            notes("x = 'https://c.example/auth'; y = 'https://c.example/systems'"),
            ["the port 8000 is not in the file"]
        );
    }
}
