//! What the letters of a plain YAML scalar mean, and which readers would disagree.
//!
//! YAML 1.1 and 1.2 and their many readers type plain scalars differently: `no` is false or text, `0755` is 493 or
//! 755, `1.10` loses a digit. This module classifies; whether a class is a mistake depends on the field and is decided
//! by the caller.

use serde_json::{Number, Value};

/// What a plain scalar means.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Plain {
    /// Nothing was written.
    Empty,
    /// `null` or `~`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A decimal whole number without leading zeros.
    Integer(Number),
    /// A decimal fraction that reads back as it was written.
    Fraction(Number),
    /// A word no reader takes for anything but text.
    Word,
    /// Something readers disagree about, with the reason as a clause behind "`x` ".
    Trap(&'static str),
}

/// Classifies the text of a plain scalar.
pub(super) fn classify(text: &str) -> Plain {
    match text {
        "" => return Plain::Empty,
        "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "true" | "True" | "TRUE" => return Plain::Bool(true),
        "false" | "False" | "FALSE" => return Plain::Bool(false),
        _ => {}
    }
    if is_truth_word(text) {
        return Plain::Trap("is true or false to some YAML readers and a word to others");
    }
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(body.to_ascii_lowercase().as_str(), ".inf" | ".nan") {
        return Plain::Trap("is a number without a value to YAML");
    }
    if !body.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        || !body.bytes().any(|byte| byte.is_ascii_digit())
    {
        return Plain::Word;
    }
    number(text, body)
}

/// Whether YAML 1.1 reads the word as a truth value.
pub(super) fn is_truth_word(text: &str) -> bool {
    let same_case = |lower: &str| {
        text == lower
            || text == lower.to_ascii_uppercase()
            || text
                .strip_prefix(|c: char| c.is_ascii_uppercase())
                .is_some_and(|rest| lower.get(1..) == Some(rest) && text.to_ascii_lowercase() == *lower)
    };
    ["y", "n", "yes", "no", "on", "off"]
        .iter()
        .any(|word| same_case(word))
}

/// Classifies something that begins like a number.
fn number(text: &str, body: &str) -> Plain {
    let all = |allowed: fn(&u8) -> bool| body.bytes().all(|byte| allowed(&byte));
    let lower = body.to_ascii_lowercase();
    let based = |prefix: &str, allowed: fn(u8) -> bool| {
        lower
            .strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| allowed(byte) || byte == b'_'))
    };
    if based("0x", |byte| byte.is_ascii_hexdigit()) {
        return Plain::Trap("is a hexadecimal number to YAML");
    }
    if based("0o", |byte| byte.is_ascii_digit()) || based("0b", |byte| matches!(byte, b'0' | b'1')) {
        return Plain::Trap("is a number in another base to some YAML readers");
    }
    if all(u8::is_ascii_digit) {
        if body.len() > 1 && body.starts_with('0') {
            return Plain::Trap("begins with a zero: some YAML readers take it for an octal number");
        }
        if text.starts_with('+') {
            return Plain::Trap("loses its sign when YAML reads it as a number");
        }
        let number = text
            .parse::<i64>()
            .map(Number::from)
            .or_else(|_| text.parse::<u64>().map(Number::from));
        return number.map_or(
            Plain::Trap("is a number too large to keep all its digits"),
            Plain::Integer,
        );
    }
    if all(|byte| byte.is_ascii_digit() || *byte == b'_') {
        return Plain::Trap("is a number to some YAML readers and text to others");
    }
    if all(|byte| byte.is_ascii_digit() || *byte == b':') && sexagesimal(body) {
        return Plain::Trap("is a number with base 60 to some YAML readers");
    }
    let exponent = lower.split_once('e');
    let (mantissa, has_exponent) = match exponent {
        Some((mantissa, power)) => {
            let digits = power.strip_prefix(['-', '+']).unwrap_or(power);
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Plain::Word;
            }
            (mantissa, true)
        }
        None => (lower.as_str(), false),
    };
    let dots = mantissa.bytes().filter(|byte| *byte == b'.').count();
    let decimal = mantissa
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'_');
    if dots > 1 || !decimal || !mantissa.bytes().any(|byte| byte.is_ascii_digit()) {
        return Plain::Word;
    }
    if has_exponent {
        return Plain::Trap("is a number with an exponent to YAML");
    }
    let read_back = text.parse::<f64>().ok().and_then(Number::from_f64);
    match read_back {
        Some(number) if number.to_string() == text => Plain::Fraction(number),
        _ => Plain::Trap("is a number to YAML and would lose digits"),
    }
}

/// `12:30` and `190:20:30`, but not `12:3000` or a trailing colon.
fn sexagesimal(body: &str) -> bool {
    let mut parts = body.split(':');
    parts.next().is_some_and(|first| !first.is_empty())
        && parts.all(|part| matches!(part.len(), 1 | 2) && part.parse::<u8>().is_ok_and(|number| number < 60))
}

/// The value of a class, for fields that take any type.
pub(super) fn value(class: &Plain, text: &str) -> Value {
    match class {
        Plain::Empty | Plain::Null => Value::Null,
        Plain::Bool(truth) => Value::Bool(*truth),
        Plain::Integer(number) | Plain::Fraction(number) => Value::Number(number.clone()),
        Plain::Word | Plain::Trap(_) => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(texts: &[&str], expected: fn(&Plain) -> bool) {
        for text in texts {
            let class = classify(text);
            assert!(expected(&class), "`{text}` is {class:?}");
        }
    }

    #[test]
    fn words_stay_words() {
        let words = [
            "9.5.3",
            "2012r2",
            "TLSv1.2",
            "a",
            "CHG0041873",
            "2026-12-05",
            "2026-12-05T22:00:00+01:00",
            "cbgen/v1",
            "-",
            "1.2.3.4",
            "yesterday",
            "yEs",
            "nO",
            "12e",
            "1e+",
            "0xyz",
            "a_b",
            "10:99",
            "1:",
            "...",
            ".",
        ];
        check(&words, |class| *class == Plain::Word);
    }

    #[test]
    fn traps_are_seen() {
        let traps = [
            "no",
            "No",
            "NO",
            "yes",
            "on",
            "Off",
            "y",
            "N",
            "0755",
            "00",
            "0o17",
            "0b1",
            "0x1F",
            "1_000",
            "12e3",
            "1.5E-3",
            "1.10",
            "5.",
            ".5",
            "+5",
            "12:30",
            "190:20:30",
            ".inf",
            "-.INF",
            ".NaN",
            "99999999999999999999",
        ];
        check(&traps, |class| matches!(class, Plain::Trap(_)));
    }

    #[test]
    fn numbers_truths_and_nothing() {
        check(&["0", "443", "-1", "18446744073709551615"], |class| {
            matches!(class, Plain::Integer(_))
        });
        check(&["4.7", "-0.5"], |class| matches!(class, Plain::Fraction(_)));
        check(&["true", "False"], |class| matches!(class, Plain::Bool(_)));
        check(&["~", "null"], |class| *class == Plain::Null);
        check(&[""], |class| *class == Plain::Empty);
    }
}
