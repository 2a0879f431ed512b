//! Reading on behind a mistake: the text from the next section.
//!
//! What cannot be read spoils its own section and no other. Places stay those of the file as it is. This file must not know what
//! is wrong; it cuts texts.

use crate::diag::Diagnostics;
use crate::source::FileId;

use super::removed::Removed;
use super::value::{Map, Node, ValueKind};
use super::yaml::{self, Parsed};
use super::{Subject, repeats, slips};

/// Most sections behind mistakes that are read: somebody mends a few and runs again.
const MOST: usize = 20;

/// Reads a file, and behind every mistake in its syntax the sections that follow. Findings go into `diagnostics`.
pub(super) fn parse(
    diagnostics: &mut Diagnostics,
    file: FileId,
    text: &str,
    removed: &[Removed],
    subject: Subject,
) -> Parsed {
    let (mut whole, mut resume) = yaml::parse(diagnostics, file, text, 0, removed, subject);
    for _ in 0..MOST {
        let Some(from) = resume.and_then(|after| next_section(text, after)) else {
            break;
        };
        let blanked = blanked(text, from);
        let (rest, next) = yaml::parse(diagnostics, file, &blanked, from, removed, subject);
        whole.nodes = whole.nodes.saturating_add(rest.nodes);
        whole.root = match (whole.root, rest.root) {
            (Some(mut first), Some(second)) => match (&mut first.kind, second.kind) {
                (ValueKind::Map(map), ValueKind::Map(more)) => {
                    let mut entries = std::mem::replace(map, Map::new(Vec::new())).into_entries();
                    entries.extend(more.into_entries());
                    *map = Map::new(repeats::without_duplicates(diagnostics, entries));
                    Some(first)
                }
                (_, kind) => Some(Node::new(second.span, kind)),
            },
            (first, second) => first.or(second),
        };
        resume = next.filter(|next| *next >= from);
    }
    whole
}

/// The first line below that of `after` that begins a section of the file.
fn next_section(text: &str, after: usize) -> Option<usize> {
    let after = slips::floor(text, after);
    let mut from = after + text.get(after..)?.find('\n')? + 1;
    for line in text.get(from..)?.split_inclusive('\n') {
        let key = line
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        let length = key.count();
        let begins = line.starts_with(|first: char| first.is_ascii_alphabetic());
        let behind = line.get(length..).and_then(|rest| rest.strip_prefix(':'));
        if begins && behind.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\n'])) {
            return Some(from);
        }
        from += line.len();
    }
    None
}

/// The text with blanks for everything before `from`: lines and bytes keep their places.
fn blanked(text: &str, from: usize) -> String {
    let (before, rest) = text.split_at(from);
    let blanks = before.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' });
    let mut blanked: String = blanks.collect();
    blanked.push_str(rest);
    blanked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_keys_at_the_begin_of_a_line() {
        let check = |text: &str, after: usize, expected: Option<&str>| {
            let found = next_section(text, after).and_then(|at| text.get(at..));
            assert_eq!(found.and_then(|rest| rest.lines().next()), expected, "{text}");
        };
        check("a: [1\nb: 2\n", 0, Some("b: 2"));
        check("a:\n  b: 1\n# c: 1\n- d: 1\ne:1\nf-g_1:\n", 0, Some("f-g_1:"));
        check("a: 1\n", 0, None);
        check("a: 1\nb: 2", 5, None);
        check("ä\nb: 2", 1, Some("b: 2"));
    }
}
