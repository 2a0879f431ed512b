//! Texts inside texts: base64, hexadecimal, UTF-16 and escapes.
//!
//! Every run of a text is decoded once. This file must not know what a secret is.

use std::ops::Range;

use crate::formats::Cut as _;

/// Shortest encoded run that is worth decoding: eight bytes.
const SHORTEST_RUN: usize = 12;
/// Shortest line of a base64 text that is broken into lines.
const SHORTEST_LINE: usize = 16;

/// Runs of base64 or hexadecimal text (also `68,00,65,00` of registry files) with what they decode to.
pub(super) fn encoded_runs(text: &str) -> Vec<(Range<usize>, Vec<u8>, &'static str)> {
    let mut runs = Vec::new();
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    for range in runs_of(text, base64) {
        if let Some(bytes) = from_base64(text.cut(range.clone())) {
            runs.push((range, bytes, "base64"));
        }
    }
    for (range, joined) in wrapped(text) {
        if let Some(bytes) = from_base64(&joined) {
            runs.push((range, bytes, "base64"));
        }
    }
    // `0x50,0x61`: the mark of every byte is no digit of it.
    let marked;
    let digits_of = if text.contains("0x") {
        marked = text.replace("0x", "  ");
        &marked
    } else {
        text
    };
    for range in runs_of(digits_of, |byte| {
        byte.is_ascii_hexdigit() || matches!(byte, b',' | b'\\' | b'\r' | b'\n' | b' ' | b':' | b'-')
    }) {
        let run = digits_of.cut(range.clone());
        if run.bytes().filter(u8::is_ascii_hexdigit).count() >= SHORTEST_RUN {
            let digits: String = run.chars().filter(char::is_ascii_hexdigit).collect();
            for shift in 0..2 {
                let bytes = from_hexadecimal(digits.cut(shift..));
                runs.push((range.clone(), bytes, "hexadecimal"));
            }
        }
    }
    runs
}

/// Base64 texts that are broken into lines.
fn wrapped(text: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    let mut joined = String::new();
    let (mut start, mut lines, mut at) = (0, 0, 0);
    for line in text.split_inclusive('\n').chain(std::iter::once("\u{0}")) {
        let body = line.trim().trim_matches(['"', '\'', '+', ',', '^', ' ']);
        let is_base64 = body
            .trim_end_matches('=')
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_'));
        let belongs = is_base64 && !body.is_empty() && (body.len() >= SHORTEST_LINE || lines > 0);
        if belongs {
            if lines == 0 {
                start = at;
            }
            joined.push_str(body.trim_end_matches('='));
            lines += 1;
        }
        if !belongs || body.ends_with('=') || body.len() < SHORTEST_LINE {
            if lines > 1 {
                found.push((start..at, std::mem::take(&mut joined)));
            }
            joined.clear();
            lines = 0;
        }
        at += line.len();
    }
    found
}

/// Runs of bytes that belong together, all of them ASCII.
fn runs_of(text: &str, belongs: impl Fn(u8) -> bool) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = None;
    for (at, byte) in text.bytes().enumerate().chain([(text.len(), 0)]) {
        if belongs(byte) {
            start.get_or_insert(at);
        } else if let Some(from) = start.take()
            && at - from >= SHORTEST_RUN
        {
            runs.push(from..at);
        }
    }
    runs
}

pub(super) fn from_base64(run: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(run.len() * 3 / 4);
    let (mut buffer, mut bits) = (0u32, 0);
    for letter in run.bytes() {
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
pub(super) fn readings(bytes: &[u8]) -> Vec<String> {
    let mut readings = Vec::new();
    if let Ok(text) = std::str::from_utf8(bytes) {
        readings.push(text.to_owned());
    }
    for order in [u16::from_le_bytes as fn([u8; 2]) -> u16, u16::from_be_bytes] {
        for skip in 0..2 {
            let (units, _) = bytes.get(skip..).unwrap_or_default().as_chunks();
            let text: String = char::decode_utf16(units.iter().map(|unit| order(*unit)))
                .map(|letter| letter.unwrap_or('\u{FFFD}'))
                .collect();
            if text.chars().filter(char::is_ascii_graphic).count() * 2 > text.chars().count() {
                readings.push(text);
            }
        }
    }
    readings
}

/// A line without its escapes: `\u0077` and `\x77`, `&#119;` and `&quot;`, `%77`. `None` when it holds none.
pub(super) fn unescaped(line: &str) -> Option<String> {
    let bytes = line.as_bytes();
    memchr::memchr3(b'\\', b'&', b'%', bytes)?;
    let mut text = Vec::with_capacity(bytes.len());
    let mut at = 0;
    let mut changed = false;
    while let Some(byte) = bytes.get(at) {
        let rest = bytes.cut(at..);
        let escape = match byte {
            b'\\' => backslash(rest),
            b'&' => entity(rest),
            // `%CA` may begin the name of a variable, and no secret needs what is not ASCII.
            b'%' => hex(rest.get(1..3))
                .filter(|value| (0x20..0x7f).contains(value))
                .map(|value| (value, 3)),
            _ => None,
        };
        if let Some((letter, length)) =
            escape.and_then(|(value, length)| Some((char::from_u32(value)?, length)))
        {
            text.extend(letter.to_string().into_bytes());
            at += length;
            changed = true;
        } else {
            text.push(*byte);
            at += 1;
        }
    }
    changed.then(|| String::from_utf8_lossy(&text).into_owned())
}

fn hex(digits: Option<&[u8]>) -> Option<u32> {
    let digits = digits?;
    let all = digits.iter().all(u8::is_ascii_hexdigit);
    all.then(|| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok())?
}

fn backslash(rest: &[u8]) -> Option<(u32, usize)> {
    match rest.get(1)? {
        b'u' => Some((hex(rest.get(2..6))?, 6)),
        b'x' => Some((hex(rest.get(2..4))?, 4)),
        b'"' => Some((u32::from(b'"'), 2)),
        _ => None,
    }
}

fn entity(rest: &[u8]) -> Option<(u32, usize)> {
    let end = rest.iter().take(10).position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(rest.get(1..end)?).ok()?;
    let value = match name {
        "quot" => u32::from(b'"'),
        "apos" => u32::from(b'\''),
        "amp" => u32::from(b'&'),
        "lt" => u32::from(b'<'),
        "gt" => u32::from(b'>'),
        _ => match name.strip_prefix('#')? {
            digits if digits.starts_with(['x', 'X']) => u32::from_str_radix(digits.get(1..)?, 16).ok()?,
            digits => digits.parse().ok()?,
        },
    };
    Some((value, end + 1))
}
