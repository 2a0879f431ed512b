//! Where the texts of templates lie in their files.
//!
//! The engine knows names of texts and bytes in them. A body is a part of its file; the texts of the front matter are put
//! together from several keys, and what is wrong in one of them is looked for in the lines of its key. This file must not know
//! what is wrong.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Text;
use super::tags::tags;
use crate::marks::FIELD;
use crate::source::{FileId, Sources, Span};

/// The keys of the text `#fields`, in its order.
const FIELDS: [&str; 6] = ["title", "path", "target", "rollback", "applied_by", "restarts"];

/// The places of all texts.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// Bodies by the path of their template: the file, and where the body begins.
    files: BTreeMap<String, (FileId, usize)>,
    /// Texts of the front matter by name, for example `nginx/nginx.conf#fields`.
    fronts: BTreeMap<String, String>,
}

impl Places {
    /// Adds a template or partial.
    pub(super) fn add(&mut self, path: &str, file: FileId, body_start: usize) {
        self.files.insert(path.to_owned(), (file, body_start));
    }

    /// Adds texts of front matter.
    pub(super) fn add_fronts(&mut self, texts: &[Text]) {
        let named = texts.iter().map(|text| (text.name.clone(), text.body.clone()));
        self.fronts.extend(named);
    }

    /// The file of a text, and where its body begins.
    pub(super) fn file(&self, name: &str) -> Option<(FileId, usize)> {
        self.files.get(path_of(name)).copied()
    }

    /// Paths of all templates and partials.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Where bytes of a text lie in its file. In front matter: the tag that is wrong, or else the line of its key.
    pub(super) fn of(&self, sources: &Sources, name: &str, range: Option<Range<usize>>) -> Option<Span> {
        let (file, body_start) = self.file(name)?;
        let Some((_, part)) = name.split_once('#') else {
            let range = range?;
            return Some(Span::new(file, body_start + range.start..body_start + range.end));
        };
        let front = sources.get(file)?.text().get(..body_start)?;
        let body = self.fronts.get(name).map_or("", String::as_str);
        let key = match part {
            "when" | "runbook" => part,
            _ => field_at(body, range.as_ref().map_or(0, |range| range.start)),
        };
        let line = line_of(front, key);
        let exact = range.and_then(|range| {
            let piece = piece_around(part, body, &range)?;
            let from = front.get(line.start..)?;
            let start = line.start + from.find(body.get(piece.clone())?)? + (range.start - piece.start);
            Some(start..start + range.len())
        });
        Some(Span::new(file, exact.unwrap_or(line)))
    }
}

/// The path of the template that a text belongs to.
pub(super) fn path_of(name: &str) -> &str {
    name.split_once('#').map_or(name, |(path, _)| path)
}

/// The key of front matter that a place in its text `#fields` belongs to.
pub(super) fn field_at(fields: &str, at: usize) -> &'static str {
    let before = fields.get(..at).unwrap_or_default();
    FIELDS
        .get(before.matches(FIELD).count())
        .copied()
        .unwrap_or("title")
}

/// The line of a key in front matter; the first one when the key is not written.
pub(super) fn line_of(front: &str, key: &str) -> Range<usize> {
    let start = front.find(&format!("\n{key}:")).map_or(0, |at| at + 1);
    let length = front.get(start..).and_then(|rest| rest.find('\n')).unwrap_or(0);
    start..start + length
}

/// What of a text stands in the file word for word and holds a range: a tag, or all of a condition.
fn piece_around(part: &str, body: &str, range: &Range<usize>) -> Option<Range<usize>> {
    let holds = |piece: &Range<usize>| piece.start <= range.start && range.end <= piece.end;
    if part != "when" {
        // With the brackets, which may be what is wrong.
        let mut whole = tags(body).into_iter().map(|tag| tag.whole);
        return whole.find(holds);
    }
    let (before, after) = super::CONDITION_TAG;
    let piece = before.len()..body.len().checked_sub(after.len())?;
    holds(&piece).then_some(piece)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_in_front_matter_are_found_in_the_lines_of_their_key() {
        let front = "---\ntitle: A {{ b }}\nwhen: c and d\npath: '{{ b }}.txt'\nrunbook:\n  do:\n    - e {{ f }}\n---\n";
        let mut sources = Sources::new();
        let file = sources.add("t", format!("{front}body {{{{ g }}}}\n"));
        let mut places = Places::default();
        places.add("t", file, front.len());
        let texts = [
            (
                "t#fields",
                format!("A {{{{ b }}}}{FIELD}{{{{ b }}}}.txt{FIELD}{FIELD}{FIELD}{FIELD}"),
            ),
            ("t#when", super::super::condition_text("c and d")),
            ("t#runbook", "e {{ f }}".to_owned()),
        ];
        places.add_fronts(&texts.map(|(name, body)| Text::new(name, body)));
        let check = |name: &str, word: &str, nth: usize, expected: (usize, usize)| {
            let body = places.fronts.get(name).map_or("body {{ g }}\n", String::as_str);
            let (at, _) = body.match_indices(word).nth(nth).expect("in the text");
            let span = places
                .of(&sources, name, Some(at..at + word.len()))
                .expect("a place");
            let (_, position) = sources.locate(span).expect("in the file");
            assert_eq!((position.line, position.column), expected, "{name} {word}");
        };
        check("t#fields", "b", 0, (2, 13));
        check("t#fields", "b", 1, (4, 11));
        check("t#fields", "}}", 1, (4, 13));
        check("t#when", "d", 1, (3, 13));
        check("t#runbook", "f", 0, (7, 12));
        check("t", "g", 0, (9, 9));
        // What is not found word for word has its line.
        let whole = places.of(&sources, "t#fields", None).expect("a place");
        assert_eq!(sources.locate(whole).expect("in the file").1.line, 2);
    }
}
