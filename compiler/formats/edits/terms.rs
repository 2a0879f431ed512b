//! Edits of Erlang terms in a vendor's file.
//!
//! The contract is that of [`crate::erlang`]: a place is the value of a tuple `{key, Value}`, or of a key of a map, below
//! the keys in front of it, at any depth. The value is replaced as a whole and nothing else of the file.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::nearest::nearest;
use super::source::{Charset, Readable, Source, Unmarked};
use super::{Change, Outcome, Refusal, RefusalKind, Work};
use crate::erlang::{Term, TermEdit, TermKind, Unread, consult};
use crate::{Cut as _, FactPath};

/// Erlang reads UTF-8 without a mark, or ISO-8859-1 where one of the first two lines says so in a comment.
pub(super) fn readable(file: &[u8]) -> Readable {
    let latin_1 = file
        .split(|byte| *byte == b'\n')
        .take(2)
        .filter(|line| line.trim_ascii_start().starts_with(b"%"))
        .any(|line| declared(&line.to_ascii_lowercase()).is_some_and(|name| name.starts_with(b"latin-1")));
    Readable {
        reader: "file:consult",
        utf8_mark: false,
        utf16: false,
        unmarked: Unmarked::Only(if latin_1 { Charset::Latin1 } else { Charset::Utf8 }),
    }
}

/// What follows `coding:` or `coding=`.
fn declared(line: &[u8]) -> Option<&[u8]> {
    let at = memchr::memmem::find(line, b"coding")?;
    let rest = line.get(at + b"coding".len()..)?;
    let rest = rest.strip_prefix(b":").or_else(|| rest.strip_prefix(b"="))?;
    Some(rest.trim_ascii_start())
}

/// A value and the keys above it.
struct Pair<'a> {
    value: &'a Term,
    /// Where the pair begins.
    range: Range<usize>,
    keys: Vec<&'a str>,
}

/// What the edits do to a file, or everything that stands against it.
pub(super) fn work(edits: &[TermEdit], source: &Source<'_>) -> Result<Work, Vec<Refusal>> {
    let terms = consult(source.text()).map_err(|unread| {
        let at = |kind, error: crate::FormatError| {
            Refusal::new(kind, error.message).in_file(source.file_range(&error.range))
        };
        vec![match unread {
            Unread::Mistake(error) => at(RefusalKind::BadFile, error).help(
                "Erlang would not read this file either: mend it first, `file:consult` tells the place too",
            ),
            Unread::TooMuch(error) => at(RefusalKind::Limit, error),
        }]
    })?;
    let mut walk = Walk {
        wanted: edits
            .iter()
            .filter_map(|edit| edit.path.last())
            .map(String::as_str)
            .collect(),
        ..Walk::default()
    };
    for term in &terms {
        walk.node(term);
    }
    let mut work = Work::default();
    let mut refusals = Vec::new();
    for edit in edits {
        match places(edit, edits, &walk, source) {
            Ok(places) => {
                for place in places {
                    match change(edit, place, source) {
                        Ok((change, text)) => work.set(change, text),
                        Err(refusal) => refusals.push(refusal),
                    }
                }
            }
            Err(refusal) => refusals.push(refusal),
        }
    }
    if refusals.is_empty() {
        Ok(work)
    } else {
        Err(refusals)
    }
}

/// Collects, in one pass, the places whose key some edit is about.
#[derive(Default)]
struct Walk<'a> {
    wanted: BTreeSet<&'a str>,
    keys: Vec<&'a str>,
    /// Every key, as often as it stands there; sorted only where one is looked for in vain.
    all: Vec<&'a str>,
    places: BTreeMap<&'a str, Vec<Pair<'a>>>,
}

impl<'a> Walk<'a> {
    /// Every key, once.
    fn known(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let known: BTreeSet<&str> = self.all.iter().copied().collect();
        known.into_iter()
    }

    fn node(&mut self, node: &'a Term) {
        match &node.kind {
            TermKind::Tuple(elements) => {
                if let [
                    Term {
                        kind: TermKind::Atom(key),
                        ..
                    },
                    rest @ ..,
                ] = elements.as_slice()
                {
                    self.below(key, &node.range, rest, rest.len() == 1);
                } else {
                    for element in elements {
                        self.node(element);
                    }
                }
            }
            TermKind::Map(pairs) => {
                for (key, value) in pairs {
                    if let TermKind::Atom(name) = &key.kind {
                        let range = key.range.start..value.range.end;
                        self.below(name, &range, std::slice::from_ref(value), true);
                    } else {
                        self.node(key);
                        self.node(value);
                    }
                }
            }
            TermKind::List(elements) | TermKind::Other(elements) => {
                for element in elements {
                    self.node(element);
                }
            }
            TermKind::Atom(_)
            | TermKind::Integer(_)
            | TermKind::Float(_)
            | TermKind::String(_)
            | TermKind::Binary(_) => {}
        }
    }

    fn below(&mut self, key: &'a str, pair: &Range<usize>, values: &'a [Term], is_pair: bool) {
        if is_pair {
            self.all.push(key);
        }
        if let ([value], true) = (values, is_pair && self.wanted.contains(key)) {
            let place = Pair {
                value,
                range: pair.clone(),
                keys: self.keys.clone(),
            };
            self.places.entry(key).or_default().push(place);
        }
        self.keys.push(key);
        for value in values {
            self.node(value);
        }
        self.keys.pop();
    }
}

/// Whether the keys of `path` are above a place, in this order.
fn lies_below(path: &[String], keys: &[&str]) -> bool {
    let mut keys = keys.iter();
    path.iter().all(|wanted| keys.any(|key| key == wanted))
}

/// The places an edit is about.
fn places<'w, 'a>(
    edit: &TermEdit,
    edits: &[TermEdit],
    walk: &'w Walk<'a>,
    source: &Source<'_>,
) -> Result<Vec<&'w Pair<'a>>, Refusal> {
    let refuse = |kind, message: String| {
        Refusal::new(kind, message)
            .in_edits(edit.range.clone())
            .looked_for(edit.key())
    };
    let lines = |places: &[&Pair<'_>]| {
        let numbers = source.lines(places.iter().take(9).map(|place| place.range.start));
        let word = if places.len() == 1 { "line" } else { "lines" };
        let more = if places.len() > 9 { ", …" } else { "" };
        format!("{word} {numbers}{more}")
    };
    let at = |place: &&Pair<'_>| source.file_range(&place.range);
    let Some((key, above)) = edit.path.split_last() else {
        return Ok(Vec::new());
    };
    let named = walk.places.get(key.as_str()).map_or(&[][..], Vec::as_slice);
    if named.is_empty() {
        let message = format!("the file has no `{{{key}, …}}`");
        return Err(refuse(RefusalKind::Missing, message)
            .nearest(nearest(key, walk.known()))
            .help("nothing is appended, because a second tuple would be ignored: find out what the key is called in this version"));
    }
    let below: Vec<&Pair<'_>> = named
        .iter()
        .filter(|place| lies_below(above, &place.keys))
        .collect();
    if below.is_empty() {
        let found: Vec<&Pair<'_>> = named.iter().collect();
        let message = format!(
            "`{key}` is there in {}, but not inside `{}`",
            lines(&found),
            FactPath::of(above)
        );
        return Err(refuse(RefusalKind::Missing, message)
            .in_file(found.first().map(at))
            .nearest(above.iter().find_map(|key| nearest(key, walk.known()))));
    }
    let contains = |place: &Pair<'_>| match (&edit.contains, &place.value.kind) {
        (None, _) => true,
        (Some(part), TermKind::String(text)) => text.contains(part.as_str()),
        (Some(part), TermKind::Binary(bytes)) => memchr::memmem::find(bytes, part.as_bytes()).is_some(),
        (Some(_), _) => false,
    };
    let (mut matching, others): (Vec<_>, Vec<_>) = below.iter().copied().partition(|place| contains(place));
    let selected = matching.len();
    // A place that has the new value counts as found, or a second run would not find what the first one has changed.
    if edit.contains.is_some() {
        matching.extend(
            others
                .into_iter()
                .filter(|place| is_same(place.value, &edit.value)),
        );
    }
    if matching.is_empty() {
        let message = format!(
            "`{key}` is there in {}, but no value of it contains {:?}",
            lines(&below),
            edit.contains.as_deref().unwrap_or_default()
        );
        return Err(refuse(RefusalKind::Missing, message)
            .in_file(below.first().map(at))
            .help("look at these values: the old one may already have been changed by hand"));
    }
    // As many edits as say the same may each have one place, so that they find their places again.
    let equal = |other: &&TermEdit| other.path == edit.path && other.value == edit.value;
    let allowed = if edit.contains.is_some() {
        edits.iter().filter(equal).count()
    } else {
        1
    };
    if edit.all || selected <= 1 && matching.len() <= allowed {
        // What another edit of the same value is about is that edit's to tell.
        matching.truncate(if edit.all { usize::MAX } else { 1 });
        return Ok(matching);
    }
    let message = format!(
        "`{}` is there {} times, in {}, and the edit says once",
        edit.key(),
        matching.len(),
        lines(&matching)
    );
    Err(refuse(RefusalKind::Ambiguous, message)
        .in_file(matching.get(1).map(at))
        .help("name a key above it, or a part of the old value with `{where_old_value_contains, \"…\"}`"))
}

fn change(edit: &TermEdit, place: &Pair<'_>, source: &Source<'_>) -> Result<(Change, String), Refusal> {
    let key = edit.key();
    let wrong = match (&place.value.kind, &edit.value.kind) {
        (TermKind::Binary(_), TermKind::String(_)) => Some(("a binary", "a string", "<<\"…\">>")),
        (TermKind::String(_), TermKind::Binary(_)) => Some(("a string", "a binary", "\"…\"")),
        _ => None,
    };
    if let Some((is, wants, write)) = wrong {
        let message = format!("the value of `{key}` is {is}, and the edit would make it {wants}");
        return Err(Refusal::new(RefusalKind::Unsuitable, message)
            .in_file(source.file_range(&place.value.range))
            .in_edits(edit.range.clone())
            .looked_for(key)
            .help(format!("write the new value as `{write}`")));
    }
    let new = edit.value.to_string();
    let change = Change {
        key,
        line: 0,
        old: Some(source.text().cut(place.value.range.clone()).to_owned()),
        new: Some(new.clone()),
        outcome: Outcome::of(is_same(place.value, &edit.value)),
        edit_range: edit.range.clone(),
        span: place.value.range.clone(),
    };
    Ok((change, new))
}

/// Whether a term of the file means what an edit says.
fn is_same(node: &Term, term: &Term) -> bool {
    let all = |nodes: &[Term], terms: &[Term]| {
        nodes.len() == terms.len() && nodes.iter().zip(terms).all(|(node, term)| is_same(node, term))
    };
    match (&node.kind, &term.kind) {
        (TermKind::Atom(one), TermKind::Atom(other)) | (TermKind::String(one), TermKind::String(other)) => {
            one == other
        }
        (TermKind::Integer(one), TermKind::Integer(other)) => one == other,
        (TermKind::Float(one), TermKind::Float(other)) => one.to_bits() == other.to_bits(),
        (TermKind::Binary(one), TermKind::Binary(other)) => one == other,
        (TermKind::List(nodes), TermKind::List(terms)) | (TermKind::Tuple(nodes), TermKind::Tuple(terms)) => {
            all(nodes, terms)
        }
        // Erlang cannot tell them apart.
        (TermKind::List(nodes), TermKind::String(text)) => nodes.is_empty() && text.is_empty(),
        (TermKind::String(text), TermKind::List(terms)) => terms.is_empty() && text.is_empty(),
        (TermKind::Map(pairs), TermKind::Map(others)) => {
            pairs.len() == others.len()
                && pairs
                    .iter()
                    .zip(others)
                    .all(|((key, value), (other_key, other))| {
                        is_same(key, other_key) && is_same(value, other)
                    })
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::EditKind::Terms;
    use super::super::tests::{applied, refused};

    /// The file after an edit.
    fn becomes(edits: &str, file: &str, expected: &str) {
        assert_eq!(applied(Terms, edits, file.as_bytes()).0, expected, "{file}");
    }

    #[test]
    fn only_the_value_changes() {
        let file = "%% {driver, \"no\"}\r\n{db, % {driver, 1}\r\n  [{'driver'\t,%x\r\n \"SQL\" \" Server\" } , $\", {\"driver\", 2}, {driver, a, b}]}.\r\n\r\n{x, 'it\\'s', <<1:4>>, fun m:f/1, [a|b], 1_000}. % end";
        let (text, changes) = applied(Terms, "[{set, [driver], \"ODBC\"}].\n", file.as_bytes());
        assert_eq!(text, file.replace("\"SQL\" \" Server\"", "\"ODBC\""));
        assert_eq!(changes, ["4 Set driver: \"SQL\" \" Server\" -> \"ODBC\""]);
    }

    #[test]
    fn keys_lead_through_lists_tuples_and_maps() {
        let file = "[{a, [{url, 1}]}, {b, {x, [#{url => 2}]}}, {url, 3}, {'c d', <<\"v\">>}].";
        becomes("[{set, [a, url], 9}].\n", file, &file.replace("url, 1", "url, 9"));
        becomes(
            "[{set, [b, url], 9}].\n",
            file,
            &file.replace("url => 2", "url => 9"),
        );
        becomes(
            "[{set, [url], 9, [{count, all}]}].\n",
            file,
            "[{a, [{url, 9}]}, {b, {x, [#{url => 9}]}}, {url, 9}, {'c d', <<\"v\">>}].",
        );
        becomes(
            "[{set, ['c d'], <<\"w\">>}].\n",
            file,
            &file.replace("\"v\"", "\"w\""),
        );
        becomes("[{set, [a], []}].\n", file, &file.replace("[{url, 1}]", "[]"));
    }

    #[test]
    fn the_old_value_tells_places_apart() {
        let edits = "[{set, [url], \"http://new/x\", [{where_old_value_contains, \"One\"}]},\n {set, [url], \"http://new/x\", [{where_old_value_contains, \"Two\"}]}].\n";
        becomes(
            edits,
            "[{url, \"http://a/One\"}, {l, [{url, \"http://a/Two\"}]}, {url, none}].",
            "[{url, \"http://new/x\"}, {l, [{url, \"http://new/x\"}]}, {url, none}].",
        );
        let check = |file: &str, expected: &[&str]| {
            assert_eq!(refused(Terms, edits, file.as_bytes()), expected);
        };
        check(
            "[{url, \"One\"}, {url, \"One more\"}, {url, \"Two\"}].",
            &["Ambiguous 15..32 `url` is there 2 times, in lines 1, 1, and the edit says once"],
        );
        check(
            "[{url, \"One\"},\n {url, 2}].",
            &["Missing 1..13 `url` is there in lines 1, 2, but no value of it contains \"Two\""],
        );
        // One place already has the value, and three edits cannot have made it.
        let one = "[{set, [url], \"x\", [{where_old_value_contains, \"One\"}]}].\n";
        assert_eq!(
            refused(Terms, one, b"[{url, \"One\"}, {url, \"x\"}]."),
            ["Ambiguous 15..25 `url` is there 2 times, in lines 1, 1, and the edit says once"]
        );
    }

    #[test]
    fn a_key_has_to_be_there_once() {
        let check = |edits: &str, file: &str, expected: &[&str]| {
            assert_eq!(refused(Terms, edits, file.as_bytes()), expected);
        };
        let driver = "[{set, [driver], \"x\"}].\n";
        check(
            driver,
            "[{drivr, 1}].",
            &["Missing the file has no `{driver, …}` (nearest `drivr`)"],
        );
        check(driver, "", &["Missing the file has no `{driver, …}`"]);
        check(
            driver,
            "[{driver, 1},\n {driver, 2}].",
            &["Ambiguous 15..26 `driver` is there 2 times, in lines 1, 2, and the edit says once"],
        );
        check(
            "[{set, [sql, driver], 1}].\n",
            "[{sq, [{driver, 1}]}, {driver, 2}].",
            &["Missing 7..18 `driver` is there in lines 1, 1, but not inside `sql` (nearest `sq`)"],
        );
        check(
            driver,
            "[{driver, <<\"x\">>}].",
            &["Unsuitable 10..17 the value of `driver` is a binary, and the edit would make it a string"],
        );
        check(
            "[{set, [a], 1, [{count, all}]}].\n",
            "[{a, [{a, 2}]}].",
            &["Ambiguous 10..11 two edits change the same place"],
        );
    }

    #[test]
    fn what_erlang_does_not_read_is_refused() {
        let check = |file: &str, expected: &str| {
            assert_eq!(refused(Terms, "[{set, [a], 1}].\n", file.as_bytes()), [expected]);
        };
        check(
            "{a, 1}",
            "BadFile 6..6 expected the dot that ends the term, but the file ends",
        );
        check("{a, 1,}.", "BadFile 6..7 expected a term");
        check(
            "{a, X}.",
            "BadFile 4..5 a variable is no term; an atom that begins like this needs quotes",
        );
        check(
            "{a, \"x}.",
            "BadFile 4..5 the string that begins here is never closed",
        );
        check(
            "{a, end}.",
            "BadFile 4..7 `end` is a reserved word of Erlang, not a term",
        );
        check(
            "{a, 1}.{b, 2}.",
            "BadFile 6..7 the dot that ends a term has to be followed by a blank or a line end",
        );
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        check(&deep, "Limit 129..130 terms are nested deeper than 128 levels");
    }

    #[test]
    fn latin_1_is_declared() {
        let edits = super::super::Edits::read(Terms, "[{set, [a], \"x\"}].\n").unwrap();
        let edited = edits
            .apply(b"%% -*- coding: latin-1 -*-\n{a, \"\xe9\"}. % \xe4\n")
            .unwrap();
        assert_eq!(edited.bytes, b"%% -*- coding: latin-1 -*-\n{a, \"x\"}. % \xe4\n");
        assert_eq!(edited.changes[0].old.as_deref(), Some("\"é\""));
        assert_eq!(
            edits.apply(b"{a, \"\xe9\"}.").unwrap_err()[0].kind,
            super::RefusalKind::Encoding
        );
    }
}
