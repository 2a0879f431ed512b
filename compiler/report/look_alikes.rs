//! Names the characters of a wrong place that look like others: `СORE01` with a Cyrillic letter is no `CORE01`, and
//! nobody sees why.
//!
//! One place for every finding, so that no check has to think of it. This file must not know what is wrong.

use crate::codes::{self, Severity};
use crate::diag::Diagnostic;
use crate::formats::unseen::{look_alike, plain};
use crate::source::{Sources, Span};

/// Most characters that are named.
const MOST: usize = 3;

/// Findings that end when a text is written in other letters.
const ABOUT_LETTERS: [codes::Code; 8] = [
    codes::UNKNOWN_KEY,
    codes::WRONG_TYPE,
    codes::NOT_A_CHOICE,
    codes::WRONG_FORM,
    codes::UNSAFE_WINDOWS_PATH,
    codes::INVENTORY_FORMAT,
    codes::UNSAFE_VALUE,
    codes::ADDRESS_INVALID,
];

/// Adds a note about look-alikes of the place an error is about, unless its message names them.
pub fn name(sources: &Sources, finding: &mut Diagnostic) {
    let Some(label) = &finding.primary else { return };
    if finding.severity != Severity::Error || finding.redact {
        return;
    }
    // A parser points at one character of a line it does not understand.
    let is_line = [codes::YAML_SYNTAX, codes::TEMPLATE_SYNTAX].contains(&finding.code);
    let Some(text) = text_of(sources, label.span, is_line) else {
        return;
    };
    let mut names: Vec<String> = Vec::new();
    for character in suspicious(text) {
        let Some(like) = look_alike(character) else {
            continue;
        };
        let name = like.name(character);
        if !names.contains(&name)
            && !finding
                .message
                .contains(&format!("U+{:04X}", u32::from(character)))
        {
            names.push(name);
        }
    }
    if ABOUT_LETTERS.contains(&finding.code) {
        finding.help = remedy(finding, text);
    }
    if names.is_empty() {
        return;
    }
    names.truncate(MOST);
    let note = format!("it holds {}", names.join(" and "));
    finding.notes.push(note);
}

/// The help of a finding about a text with look-alikes: to write what they look like, unless the help says that already.
fn remedy(finding: &Diagnostic, text: &str) -> Option<String> {
    let meant = plain(text);
    let old = finding.help.clone();
    let is_said = |help: &String| help.contains(&meant) || help.starts_with("did you mean");
    if !meant.is_ascii() || meant.contains('`') || meant == text || old.as_ref().is_some_and(is_said) {
        return old;
    }
    Some(match old {
        Some(help) if finding.code == codes::UNSAFE_VALUE => format!("type it anew, `{meant}`, or {help}"),
        Some(_) | None => format!("type it anew: `{meant}`"),
    })
}

fn text_of(sources: &Sources, span: Span, whole_line: bool) -> Option<&str> {
    let file = sources.get(span.file)?;
    if whole_line {
        return file.line(file.position(span.start as usize).line);
    }
    file.text().get(span.start as usize..span.end as usize)
}

/// The look-alikes of a text: every blank, quote and dash, and the letters of words that hold ASCII letters too or
/// nothing but look-alikes. A word of another language is no mistake.
fn suspicious(text: &str) -> impl Iterator<Item = char> {
    let words = text.split_inclusive(|letter: char| !letter.is_alphanumeric());
    words.flat_map(|word| {
        let letters = word.trim_end_matches(|letter: char| !letter.is_alphanumeric());
        let mixed = letters.chars().any(|letter| letter.is_ascii())
            || letters.chars().all(|letter| look_alike(letter).is_some());
        word.chars()
            .filter(move |letter| look_alike(*letter).is_some() && (mixed || !letter.is_alphanumeric()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_a_mistake_is_suspicious() {
        let check = |text: &str, expected: &str| {
            assert_eq!(suspicious(text).collect::<String>(), expected, "{text}");
        };
        check("CORE01", "");
        check("СORE01", "С");
        check("С:\\certs", "С");
        check("Сервер обратного вызова", "");
        check("‘a’ b\u{A0}c – d", "‘’\u{A0}–");
        check("", "");
    }
}
