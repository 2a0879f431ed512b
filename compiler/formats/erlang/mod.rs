//! Erlang terms, as `file:consult/1` reads them.
//!
//! An artifact of this format is exactly one list ended by a dot, in one of two kinds. The effect of the artifact says which:
//! [`items`] reads the first one, [`edits()`] the second one.
//!
//! # A whole configuration file
//!
//! `[{Application, [{Key, Value}, …]}, …].` is written as it stands, for example `rabbitmq.config` (RMQ-2). What
//! an application makes of its keys is not known here.
//!
//! # A list of edits for a vendor file
//!
//! `[{set, KeyPath, NewValue}, {set, KeyPath, NewValue, Options}, …].` changes values of an existing `site.config`
//! whose frame belongs to the vendor (CFG-1, CFG-4, CFG-5, CFG-16 to CFG-18; DEF-46, DEF-48, DEF-49). This is a
//! contract with whatever applies it:
//!
//! - `KeyPath` is a list of at least one atom. A place matches `[a, b]` when it is the second element of a two-element
//!   tuple `{b, Value}`, or the value of a key `b` of a map, that lies, at any depth, inside the value of a tuple
//!   `{a, …}`, itself at any depth of the file. The frame around a key differs between vendor versions and is not documented, which is why depth is free.
//! - `NewValue` replaces the matched value as a whole; nothing else of the file changes, not even its layout. A string
//!   does not replace a binary, nor a binary a string.
//! - `Options` is a list of at least one of these tuples, each at most once:
//!   - `{where_old_value_contains, Text}`: only places match whose old value is a string or a binary that contains the
//!     non-empty `Text`. It tells apart tuples with the same key, such as the two `{url, …}` of the Notification Server (CFG-5).
//!   - `{count, one}` (the default): exactly one place must match. `{count, all}`: at least one must, and all are set.
//! - A key that is not found, or found too often, is a failure before anything is written. Nothing is ever appended: a
//!   second tuple would be ignored silently, because `proplists` takes the first.
//! - The old value of every place is recorded for the way back. Applying the edits twice changes nothing the second
//!   time; a place that already has the new value counts as matching.
//!
//! Two edits of one list must not have the same key path and the same `where_old_value_contains`; if one of them
//! has no such option, it must be the only edit of its key path.

#[cfg(test)]
mod consulted;
mod edits;
mod read;
mod scan;
mod write;

use std::collections::BTreeSet;
use std::ops::Range;

use super::characters;
use super::{FactPath, FormatError, Item, Step};

pub use edits::{TermEdit, edits};
pub use read::{MAX_DEPTH, read};
pub(crate) use read::{Unread, consult};
pub use write::{erl_atom, erl_string};

/// An Erlang term with its place in the text. Terms compare by meaning, not by place.
#[derive(Clone, Debug)]
pub struct Term {
    /// What the term is.
    pub kind: TermKind,
    /// The bytes it was read from; empty for a term that was built.
    pub range: Range<usize>,
}

/// The kinds of terms a configuration file holds.
#[derive(Clone, Debug, PartialEq)]
pub enum TermKind {
    /// An atom, without its quotes.
    Atom(String),
    /// An integer, also one written as a character (`$a`) or with a base (`16#FF`).
    Integer(i128),
    /// A finite floating point number.
    Float(f64),
    /// A string in double quotes. Erlang cannot tell `""` from `[]`; this type keeps what was written.
    String(String),
    /// A binary.
    Binary(Vec<u8>),
    /// A proper list.
    List(Vec<Term>),
    /// A tuple.
    Tuple(Vec<Term>),
    /// A map, in the order of the text.
    Map(Vec<(Term, Term)>),
    /// Something Erlang reads and no text under review holds, with what is looked into: an improper list, bits, a
    /// function, a number of many digits.
    Other(Vec<Term>),
}

impl PartialEq for Term {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Term {
    /// The name, if the term is an atom.
    pub fn as_atom(&self) -> Option<&str> {
        if let TermKind::Atom(name) = &self.kind {
            Some(name)
        } else {
            None
        }
    }

    /// The elements, if the term is a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        if let TermKind::List(elements) = &self.kind {
            Some(elements)
        } else {
            None
        }
    }

    /// The elements, if the term is a tuple.
    pub fn as_tuple(&self) -> Option<&[Self]> {
        if let TermKind::Tuple(elements) = &self.kind {
            Some(elements)
        } else {
            None
        }
    }

    /// The text, if the term is a string in double quotes.
    pub fn as_string(&self) -> Option<&str> {
        if let TermKind::String(text) = &self.kind {
            Some(text)
        } else {
            None
        }
    }

    /// The number, if the term is an integer.
    pub fn as_integer(&self) -> Option<i128> {
        if let TermKind::Integer(number) = self.kind {
            Some(number)
        } else {
            None
        }
    }

    /// Key and value, if the term is `{Key, Value}` with an atom as key.
    pub fn as_pair(&self) -> Option<(&str, &Self)> {
        match self.as_tuple() {
            Some([key, value]) => Some((key.as_atom()?, value)),
            _ => None,
        }
    }

    /// The pairs, if the term is a list that is not empty and holds nothing but pairs.
    pub fn as_pairs(&self) -> Option<Vec<(&str, &Self)>> {
        let elements = self.as_list().filter(|elements| !elements.is_empty())?;
        elements.iter().map(Self::as_pair).collect()
    }
}

/// Reads a whole configuration file into items such as `rabbit > ssl_options > cacertfile`.
///
/// # Errors
/// Every unreadable token, or else the first error of structure, or else what [`survey`] finds.
pub fn items(text: &str) -> Result<Vec<Item>, Vec<FormatError>> {
    let (items, errors) = survey(&read(text)?);
    if errors.is_empty() { Ok(items) } else { Err(errors) }
}

/// What the term of a whole configuration file says, and what is wrong with it: a frame that is not
/// `[{Application, [...]}, …]`, and every key given twice in one list.
pub fn survey(term: &Term) -> (Vec<Item>, Vec<FormatError>) {
    let refuse = |message: &str| (Vec::new(), vec![FormatError::new(term.range.clone(), message)]);
    let Some(elements) = term.as_list() else {
        return refuse("the file has to be one list");
    };
    if elements.is_empty() {
        return refuse("the list is empty, so the file states nothing");
    }
    let mut items = Vec::new();
    let mut errors = Vec::new();
    for element in elements {
        let settings = element.as_pair().map(|(_, settings)| settings);
        if settings.and_then(Term::as_list).is_none() {
            let message = "expected `{application, [...]}`";
            errors.push(FormatError::new(element.range.clone(), message));
        }
    }
    flatten(term, &FactPath::default(), &mut items, &mut errors);
    errors.sort_by_key(|error| error.range.start);
    (items, errors)
}

/// Adds an item for every leaf below `term`, following lists of pairs. Recursion ends at [`MAX_DEPTH`], which the
/// reader enforces.
fn flatten(term: &Term, path: &FactPath, items: &mut Vec<Item>, errors: &mut Vec<FormatError>) {
    let Some(pairs) = term.as_pairs() else {
        items.push(Item {
            path: path.clone(),
            value: term.to_string(),
            range: term.range.clone(),
        });
        return;
    };
    let mut seen = BTreeSet::new();
    for (key, value) in pairs {
        if !seen.insert(key) {
            let message = format!("`{key}` is given twice in one list, and the second one is ignored");
            errors.push(FormatError::new(value.range.clone(), message));
        }
        flatten(
            value,
            &path.child(Step::named(characters::label(key))),
            items,
            errors,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::told::told;

    /// Reads `text` and compares its items, or its errors as `range message`.
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(told(items(text)), expected);
    }

    #[test]
    fn a_configuration_file_becomes_key_paths() {
        let expected = [
            "rabbit > tcp_listeners = []",
            "rabbit > ssl_options > cacertfile = \"C:/certs/ca.pem\"",
            "rabbit > ssl_options > versions = ['tlsv1.2']",
            "amqp_client > ssl_options > depth = 2",
        ];
        check(
            "%% a comment\n[\n  {rabbit, [\n    {tcp_listeners, []},\n    {ssl_options, [{cacertfile, \"C:/certs/ca.pem\"},\n      {versions, ['tlsv1.2']}]}\n  ]},\n  {amqp_client, [{ssl_options, [{depth, 2}]}]}\n].\n",
            &expected,
        );
        check(
            "[{rabbit,[{tcp_listeners,[]},{'ssl_options',[{cacertfile,\"C:/certs\" \"/ca.pem\"},{versions,['tlsv1.2']}]}]},{amqp_client,[{ssl_options,[{depth,16#2}]}]}].",
            &expected,
        );
    }

    #[test]
    fn the_frame_of_a_configuration_file_is_checked() {
        check("{rabbit, []}.\n", &["0..12 the file has to be one list"]);
        check("[].\n", &["0..2 the list is empty, so the file states nothing"]);
        check(
            "[{rabbit, []}, kernel, {ssl, true}].\n",
            &[
                "15..21 expected `{application, [...]}`",
                "23..34 expected `{application, [...]}`",
            ],
        );
        check(
            "[{ssl, [{a, 1}, {b, [{c, 1}, {c, 2}]}, {a, 2}]}].\n",
            &[
                "33..34 `c` is given twice in one list, and the second one is ignored",
                "43..44 `a` is given twice in one list, and the second one is ignored",
            ],
        );
    }
}
