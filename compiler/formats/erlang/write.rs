//! Quoting of atoms and strings, and terms as text.
//!
//! The output stays ASCII without control characters: an Erlang file in another encoding needs a declaration, and a
//! line break inside a string would change with the line ends of the file.

use std::fmt;

use super::scan::{MAX_ATOM, is_reserved};
use super::{Term, TermKind};
use crate::{FormatError, characters};

/// Quotes a value as an Erlang string.
///
/// Refuses control characters and everything outside ASCII. A backslash is doubled, so a Windows path arrives as it
/// is (DEF-84).
pub fn erl_string(value: &str) -> Result<String, FormatError> {
    characters::refuse(value, "an Erlang string", characters::not_plain_ascii)?;
    Ok(quoted(value, '"'))
}

/// Writes a value as an Erlang atom, in single quotes where it is not a plain lower-case name (`'EXTERNAL'`,
/// `'tlsv1.2'`).
///
/// Refuses control characters, everything outside ASCII, and more than 255 characters.
pub fn erl_atom(value: &str) -> Result<String, FormatError> {
    characters::refuse(value, "an Erlang atom", characters::not_plain_ascii)?;
    if value.len() > MAX_ATOM {
        let message = format!(
            "an Erlang atom has at most {MAX_ATOM} characters, this one has {}",
            value.len()
        );
        return Err(FormatError::new(MAX_ATOM..value.len(), message));
    }
    Ok(atom(value))
}

fn atom(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '@')
        && !is_reserved(name);
    if plain {
        name.to_owned()
    } else {
        quoted(name, '\'')
    }
}

fn quoted(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for character in text.chars() {
        if character == quote || character == '\\' {
            out.push('\\');
        }
        out.push(character);
    }
    out.push(quote);
    out
}

/// Writes the term without layout, so that equal terms give equal texts.
///
/// The text is read back as the same term if the term came from the reader; a built term must keep its rules (printable
/// ASCII in atoms and strings, finite floats).
impl fmt::Display for Term {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            TermKind::Atom(name) => formatter.write_str(&atom(name)),
            TermKind::Integer(number) => write!(formatter, "{number}"),
            TermKind::Float(number) => formatter.write_str(&float(*number)),
            TermKind::String(text) => formatter.write_str(&quoted(text, '"')),
            TermKind::Binary(bytes) => binary(bytes, formatter),
            TermKind::List(elements) => sequence(formatter, "[", elements, "]"),
            TermKind::Tuple(elements) => sequence(formatter, "{", elements, "}"),
            TermKind::Other(_) => formatter.write_str("…"),
            TermKind::Map(pairs) => {
                formatter.write_str("#{")?;
                for (index, (key, value)) in pairs.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    // A character literal would swallow the arrow of `$a=>`, but characters are written as numbers.
                    write!(formatter, "{comma}{key} => {value}")?;
                }
                formatter.write_str("}")
            }
        }
    }
}

fn sequence(formatter: &mut fmt::Formatter<'_>, open: &str, elements: &[Term], close: &str) -> fmt::Result {
    formatter.write_str(open)?;
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            formatter.write_str(",")?;
        }
        write!(formatter, "{element}")?;
    }
    formatter.write_str(close)
}

/// Erlang wants a fraction also in front of an exponent: `1.0e16`, where Rust writes `1e16`.
fn float(number: f64) -> String {
    let text = format!("{number:?}");
    match text.split_once('e') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0e{exponent}"),
        _ => text,
    }
}

fn binary(bytes: &[u8], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    let printable = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
    match std::str::from_utf8(bytes) {
        Ok("") => formatter.write_str("<<>>"),
        Ok(text) if printable => write!(formatter, "<<{}>>", quoted(text, '"')),
        _ => {
            let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
            write!(formatter, "<<{}>>", numbers.join(","))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::read::read;
    use super::*;

    #[test]
    fn atoms_are_quoted_where_needed() {
        for (value, expected) in [
            ("verify_peer", "verify_peer"),
            ("a@B_1", "a@B_1"),
            ("EXTERNAL", "'EXTERNAL'"),
            ("tlsv1.2", "'tlsv1.2'"),
            ("end", "'end'"),
            ("maybe", "'maybe'"),
            ("", "''"),
            ("it's", r"'it\'s'"),
            ("_x", "'_x'"),
        ] {
            assert_eq!(erl_atom(value).unwrap(), expected);
        }
        assert!(erl_atom(&"a".repeat(255)).is_ok());
        assert_eq!(erl_atom(&"a".repeat(256)).unwrap_err().range, 255..256);
    }

    #[test]
    fn strings_are_escaped_or_refused() {
        assert_eq!(erl_string(r#"C:\new "x""#).unwrap(), r#""C:\\new \"x\"""#);
        assert_eq!(
            erl_string("ü").unwrap_err().message,
            "`ü` (U+00FC) cannot stand in an Erlang string: the file has to stay ASCII"
        );
        assert!(erl_string("a\tb").is_err());
    }

    fn terms() -> impl Strategy<Value = Term> {
        let built = |kind| Term { kind, range: 0..0 };
        let leaf = prop_oneof![
            "[ -~]{0,12}".prop_map(TermKind::Atom),
            any::<i128>().prop_map(TermKind::Integer),
            any::<f64>()
                .prop_filter("finite", |number| number.is_finite())
                .prop_map(TermKind::Float),
            "[ -~]{0,12}".prop_map(TermKind::String),
            any::<Vec<u8>>().prop_map(TermKind::Binary),
            "[ -~]{0,12}".prop_map(|text| TermKind::Binary(text.into_bytes())),
        ]
        .prop_map(built);
        leaf.prop_recursive(4, 30, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(TermKind::List),
                prop::collection::vec(inner.clone(), 0..5).prop_map(TermKind::Tuple),
                prop::collection::btree_map("[ -~]{0,4}", inner, 0..4).prop_map(move |pairs| {
                    let pairs = pairs.into_iter();
                    TermKind::Map(
                        pairs
                            .map(|(key, value)| (built(TermKind::Atom(key)), value))
                            .collect(),
                    )
                }),
            ]
            .prop_map(built)
        })
    }

    proptest! {
        #[test]
        fn terms_are_read_back(term in terms()) {
            let text = format!("{term}.\n");
            let found = read(&text);
            prop_assert_eq!(found, Ok(term), "{}", text);
        }

        #[test]
        fn quoted_values_are_read_back_or_refused(value in any::<String>()) {
            if let Ok(quoted) = erl_string(&value) {
                let term = read(&format!("{quoted}.\n")).unwrap();
                prop_assert_eq!(term.as_string(), Some(value.as_str()));
            }
            if let Ok(quoted) = erl_atom(&value) {
                let term = read(&format!("{quoted}.\n")).unwrap();
                prop_assert_eq!(term.as_atom(), Some(value.as_str()));
            }
        }

        #[test]
        fn printable_ascii_is_never_refused(value in "[ -~]{0,40}") {
            let term = read(&format!("{{{},{}}}.\n", erl_string(&value).unwrap(), erl_atom(&value).unwrap())).unwrap();
            let elements = term.as_tuple().unwrap();
            prop_assert_eq!(elements[0].as_string(), Some(value.as_str()));
            prop_assert_eq!(elements[1].as_atom(), Some(value.as_str()));
        }
    }
}
