//! A JSON text as a tree: its values, and where they stand.
//!
//! `serde_json` decides what is JSON; here is only found where each value begins and ends. What a reader refuses beyond
//! that must not be known here.

use std::ops::Range;

use crate::Cut as _;

/// A value.
pub(crate) struct Node {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its bytes.
    pub(crate) range: Range<usize>,
    /// From the first to the last value in it that holds no other; its own bytes, where it holds none.
    pub(crate) leaves: Range<usize>,
}

/// What a value is.
pub(crate) enum Kind {
    /// Values with keys.
    Object(Vec<Member>),
    /// Values in order.
    Array(Vec<Node>),
    /// A text, without its escapes.
    String(String),
    /// A number, `true`, `false` or `null`, which means what is written.
    Plain,
}

/// A value of an object.
pub(crate) struct Member {
    /// Its key, without its escapes.
    pub(crate) name: String,
    /// The bytes of the key.
    pub(crate) key: Range<usize>,
    /// The value.
    pub(crate) value: Node,
}

/// Reads a text.
///
/// # Errors
/// It is not JSON, or nested deeper than the 127 levels that `serde_json` reads.
pub(crate) fn read(text: &str) -> Result<Node, serde_json::Error> {
    // A value is built and dropped, because what is skipped is not checked for surrogates and number ranges.
    serde_json::from_str::<serde_json::Value>(text)?;
    Ok(Reader { text, at: 0 }.value())
}

/// Walks over a text that is known to be JSON.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().cut(self.at..);
        let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.at += blanks;
        rest.get(blanks).copied()
    }

    fn value(&mut self) -> Node {
        let first = self.peek();
        let start = self.at;
        let kind = match first {
            Some(b'{') => Kind::Object(self.inside(Self::member)),
            Some(b'[') => Kind::Array(self.inside(Self::value)),
            Some(b'"') => Kind::String(self.string()),
            _ => {
                let rest = self.text.cut(start..);
                let end = rest.find([',', ']', '}', ' ', '\n', '\r', '\t']);
                self.at += end.unwrap_or(rest.len());
                Kind::Plain
            }
        };
        let ends = match &kind {
            Kind::Object(members) => members
                .first()
                .zip(members.last())
                .map(|(first, last)| (&first.value, &last.value)),
            Kind::Array(values) => values.first().zip(values.last()),
            Kind::String(_) | Kind::Plain => None,
        };
        let range = start..self.at;
        Node {
            leaves: ends.map_or(range.clone(), |(first, last)| first.leaves.start..last.leaves.end),
            range,
            kind,
        }
    }

    /// What stands between an opening bracket and its closing one.
    fn inside<T>(&mut self, one: impl Fn(&mut Self) -> T) -> Vec<T> {
        let mut found = Vec::new();
        self.at += 1;
        while let Some(next) = self.peek() {
            match next {
                b',' => self.at += 1,
                b']' | b'}' => {
                    self.at += 1;
                    break;
                }
                _ => found.push(one(self)),
            }
        }
        found
    }

    fn member(&mut self) -> Member {
        let start = self.at;
        let name = self.string();
        let key = start..self.at;
        // The colon.
        self.peek();
        self.at += 1;
        let value = self.value();
        Member { name, key, value }
    }

    fn string(&mut self) -> String {
        let start = self.at;
        let bytes = self.text.as_bytes();
        self.at += 1;
        while let Some(found) = memchr::memchr2(b'"', b'\\', bytes.cut(self.at..)) {
            self.at += found + 1;
            if bytes.get(self.at - 1) == Some(&b'"') {
                break;
            }
            // What is escaped closes nothing.
            self.at += 1;
        }
        serde_json::from_str(self.text.cut(start..self.at)).expect("the whole text was read before")
    }
}
