//! The secret gate: no text that looks like a secret enters a bundle.
//!
//! Generated texts, and inventory values before them, are scanned for values in a position named like a secret
//! (`Password=…`, `"token": "…"`), for private keys, and for user information in URLs; also when they are written in
//! base64, in hexadecimal, or as UTF-16 bytes. A finding carries the place and the name of the position, never the
//! value. This module must not know formats or inventories: it reads plain text.

use std::ops::Range;

/// A text that looks like a secret. The value itself is never part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// Byte range of the position's name, safe to show.
    pub name: Range<usize>,
    /// What the position is called, for example `Password`.
    pub position: String,
    /// How the value is written: `plain`, `base64`, `hexadecimal`.
    pub form: &'static str,
}

/// Names of positions that hold secrets, lower case, without separators.
const NAMES: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "credential",
    "connectionsecret",
    "clientsecret",
    "sharedkey",
];

/// Shortest value that counts as a secret.
const SHORTEST: usize = 4;
/// Shortest encoded run that is worth decoding: eight bytes.
const SHORTEST_RUN: usize = 12;

/// Every suspect of a text. `declared` are names of secrets the engineer supplies (they may be printed).
pub fn scan(text: &str, declared: &[&str]) -> Vec<Suspect> {
    let mut found = scan_plain(text, declared);
    for (range, decoded, form) in encoded_runs(text) {
        for reading in readings(&decoded) {
            if let Some(suspect) = scan_as(&reading, declared, form).into_iter().next() {
                found.push(Suspect {
                    name: range.start..range.start,
                    ..suspect
                });
                break;
            }
        }
    }
    found.sort_by_key(|suspect| suspect.name.start);
    found
}

/// Whether a key is named like a secret.
pub fn is_secret_name(key: &str) -> bool {
    NAMES.iter().any(|name| {
        let mut letters = key.bytes().rev().filter(u8::is_ascii_alphanumeric);
        name.bytes().rev().all(|wanted| {
            letters
                .next()
                .is_some_and(|letter| letter.eq_ignore_ascii_case(&wanted))
        })
    })
}

/// Suspects that are not encoded: for long texts whose parts were scanned before.
pub fn scan_plain(text: &str, declared: &[&str]) -> Vec<Suspect> {
    scan_as(text, declared, "plain")
}

fn scan_as(text: &str, declared: &[&str], form: &'static str) -> Vec<Suspect> {
    let mut found = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        assignments(line, at, declared, form, &mut found);
        user_information(line, at, form, &mut found);
        at += line.len();
    }
    private_keys(text, form, &mut found);
    found
}

/// `name = value`, `name: value`, `"name": "value"`, and `pass:value` of OpenSSL.
fn assignments(line: &str, offset: usize, declared: &[&str], form: &'static str, found: &mut Vec<Suspect>) {
    for (at, symbol) in line.match_indices(['=', ':']) {
        let before = line
            .get(..at)
            .unwrap_or_default()
            .trim_end()
            .trim_end_matches(['"', '\'', ']']);
        let start = before
            .char_indices()
            .rev()
            .take_while(|(_, letter)| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.'))
            .last()
            .map_or(before.len(), |(start, _)| start);
        let name = before.get(start..).unwrap_or_default();
        let openssl = symbol == ":" && name == "pass";
        if !openssl && !is_secret_name(name) {
            continue;
        }
        let after = line.get(at + 1..).unwrap_or_default();
        let after = if openssl {
            after
        } else {
            after.trim_start_matches([' ', '\t'])
        };
        let value = first_value(after);
        if is_literal(value, declared) && (openssl || !after.starts_with('=')) {
            found.push(Suspect {
                name: offset + start..offset + before.len(),
                position: name.to_owned(),
                form,
            });
        }
    }
}

/// The value that begins a text: quoted, or up to a delimiter.
fn first_value(text: &str) -> &str {
    let text = text.trim_start_matches("N'");
    let quote = text.chars().next().filter(|letter| matches!(letter, '"' | '\''));
    let inner = quote.map_or(text, |quote| text.strip_prefix(quote).unwrap_or(text));
    let end = inner
        .find(|letter: char| match quote {
            Some(quote) => letter == quote || letter == ';',
            None => {
                letter.is_whitespace()
                    || matches!(letter, ';' | '"' | '\'' | '`' | ',' | ')' | '|' | '<' | '>' | '}')
            }
        })
        .unwrap_or(inner.len());
    inner.get(..end).unwrap_or_default()
}

/// Whether a value is a literal and not a reference to something supplied later.
fn is_literal(value: &str, declared: &[&str]) -> bool {
    let value = value.trim();
    value.chars().count() >= SHORTEST
        && !value.starts_with(['$', '%', '{', '@', '*', '[', '<', '!', '(', '+'])
        && !value.starts_with("env:")
        && !declared.contains(&value)
        && !matches!(
            value.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "none" | "undefined"
        )
        && !value.contains("://")
}

/// `scheme://user:password@host`.
fn user_information(line: &str, offset: usize, form: &'static str, found: &mut Vec<Suspect>) {
    for (at, _) in line.match_indices("://") {
        let rest = line.get(at + 3..).unwrap_or_default();
        let end = rest
            .find(|letter: char| letter.is_whitespace() || matches!(letter, '/' | '?' | '#' | '"' | '\''))
            .unwrap_or(rest.len());
        let authority = rest.get(..end).unwrap_or_default();
        if let Some((user, _)) = authority.rsplit_once('@')
            && let Some((_, password)) = user.split_once(':')
            && !password.is_empty()
        {
            let start = offset + at;
            found.push(Suspect {
                name: start..start + 3,
                position: "password in a URL".to_owned(),
                form,
            });
        }
    }
}

fn private_keys(text: &str, form: &'static str, found: &mut Vec<Suspect>) {
    for (at, _) in text.match_indices("PRIVATE KEY-----") {
        let rest = text.get(at + "PRIVATE KEY-----".len()..).unwrap_or_default();
        let next = rest.trim_start_matches(['\r', '\n', '\\', 'n', ' ']);
        let body = next
            .chars()
            .take_while(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/' | '='))
            .count();
        if body >= 32 {
            found.push(Suspect {
                name: at..at + "PRIVATE KEY".len(),
                position: "private key".to_owned(),
                form,
            });
        }
    }
}

/// Runs of base64 or hexadecimal text (also `68,00,65,00` of registry files) with what they decode to.
fn encoded_runs(text: &str) -> Vec<(Range<usize>, Vec<u8>, &'static str)> {
    let mut runs = Vec::new();
    for range in runs_of(text, |letter| {
        letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/' | '=' | '-' | '_')
    }) {
        let run = text.get(range.clone()).unwrap_or_default();
        if let Some(bytes) = from_base64(run) {
            runs.push((range, bytes, "base64"));
        }
    }
    for range in runs_of(text, |letter| {
        letter.is_ascii_hexdigit() || matches!(letter, ',' | '\\' | '\n' | ' ')
    }) {
        let digits: String = text
            .get(range.clone())
            .unwrap_or_default()
            .chars()
            .filter(char::is_ascii_hexdigit)
            .collect();
        if digits.len() >= SHORTEST_RUN {
            for shift in 0..2 {
                let bytes = from_hexadecimal(digits.get(shift..).unwrap_or_default());
                runs.push((range.clone(), bytes, "hexadecimal"));
            }
        }
    }
    runs
}

fn runs_of(text: &str, belongs: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = None;
    for (at, letter) in text.char_indices().chain(std::iter::once((text.len(), '\u{0}'))) {
        if belongs(letter) {
            start.get_or_insert(at);
        } else if let Some(from) = start.take()
            && at - from >= SHORTEST_RUN
        {
            runs.push(from..at);
        }
    }
    runs
}

fn from_base64(run: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(run.len() * 3 / 4);
    let (mut buffer, mut bits) = (0u32, 0);
    for letter in run.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        buffer = (buffer << 6 | u32::from(value)) & 0x00FF_FFFF;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(buffer >> bits & 0xFF).unwrap_or(0));
        }
    }
    Some(bytes)
}

fn from_hexadecimal(digits: &str) -> Vec<u8> {
    digits
        .as_bytes()
        .chunks_exact(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

/// Bytes read as UTF-8 and as UTF-16 in both byte orders, when they are mostly printable.
fn readings(bytes: &[u8]) -> Vec<String> {
    let mut readings = Vec::new();
    if let Ok(text) = std::str::from_utf8(bytes) {
        readings.push(text.to_owned());
    }
    for order in [u16::from_le_bytes as fn([u8; 2]) -> u16, u16::from_be_bytes] {
        for skip in 0..2 {
            let units = bytes.get(skip..).unwrap_or_default().chunks_exact(2);
            let units = units.filter_map(|pair| Some(order([*pair.first()?, *pair.get(1)?])));
            let text: String = char::decode_utf16(units)
                .map(|letter| letter.unwrap_or('\u{FFFD}'))
                .collect();
            if text.chars().filter(char::is_ascii_graphic).count() * 2 > text.chars().count() {
                readings.push(text);
            }
        }
    }
    readings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Vec<(String, &'static str)> {
        scan(text, &["CALLBACK_REPORT_PASSWORD"])
            .into_iter()
            .map(|found| (found.position, found.form))
            .collect()
    }

    #[test]
    fn literals_in_secret_positions_are_found() {
        for text in [
            "Password=Pass123",
            "password: 'hunter22'",
            "\"clientSecret\": \"abcd1234\"",
            "set \"API_TOKEN=abcdef\"",
            "-passin pass:hunter2",
            "amqps://user:pass@host",
            "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ",
            "User ID=sa;Password=N'abcd'",
            "Pwd=longenough;",
        ] {
            assert_eq!(check(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn references_are_not_secrets() {
        for text in [
            "Password=$(CALLBACK_REPORT_PASSWORD)",
            "password: CALLBACK_REPORT_PASSWORD",
            "set \"PASSIN=pass:\"",
            "if not defined CALLBACK_PFX_PASSWORD goto :empty",
            "-passin env:CALLBACK_PFX_PASSWORD",
            "the password: %CALLBACK_PFX_PASSWORD%",
            "findstr /c:\"BEGIN PRIVATE KEY-----\"",
            "https://callback.acme.example:8080/auth",
        ] {
            assert_eq!(check(text), Vec::new(), "{text}");
        }
    }

    #[test]
    fn encoded_forms_are_found() {
        // base64 and hexadecimal of `Password=Pass123`, and its UTF-16LE bytes as a registry file writes them
        assert_eq!(
            check("x UGFzc3dvcmQ9UGFzczEyMw== y"),
            [("Password".to_owned(), "base64")]
        );
        assert_eq!(
            check("50617373776f72643d50617373313233"),
            [("Password".to_owned(), "hexadecimal")]
        );
        let wide: Vec<String> = "Password=Pass123"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_eq!(
            check(&format!("\"V\"=hex(2):{}", wide.join(","))),
            [("Password".to_owned(), "hexadecimal")]
        );
    }
}
