//! The merged tree to a JSON value, with the type of every plain scalar decided by its field.
//!
//! Finds the YAML traps and the passwords; everything else is left to the schema. A value that was reported here is
//! listed as quiet, so the schema does not report it a second time. This module must not know YAML syntax.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::plain::{self, Plain};
use super::scalars::{self, shorten};
use super::schema::Field;
use super::value::{Node, ValueKind, push_segment};
use crate::codes;
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::Span;

/// A tree as JSON.
pub(super) struct Decoded {
    /// The value, in source order.
    pub(super) value: Value,
    /// Pointers of values that were already reported.
    pub(super) quiet: BTreeSet<String>,
}

/// Turns a tree into a value.
pub(super) fn decode(
    diagnostics: &mut Diagnostics,
    root: &Node,
    schema: Field<'_>,
    layered: bool,
) -> Decoded {
    let mut decoder = Decoder {
        diagnostics,
        pointer: String::new(),
        quiet: BTreeSet::new(),
        layered,
    };
    let value = decoder.node(root, Some(schema), &Spot::default());
    Decoded {
        value,
        quiet: decoder.quiet,
    }
}

/// How a value is called in messages and where its key is.
#[derive(Default)]
struct Spot {
    name: String,
    key: Option<Span>,
    /// Whether it may be left out.
    optional: bool,
}

struct Decoder<'a> {
    diagnostics: &'a mut Diagnostics,
    pointer: String,
    quiet: BTreeSet<String>,
    /// Whether the document may lie over another one.
    layered: bool,
}

impl Decoder<'_> {
    fn node(&mut self, node: &Node, field: Option<Field<'_>>, spot: &Spot) -> Value {
        let node = node.target();
        let length = self.pointer.len();
        if let Some(field) = field
            && field.property("secret").is_some()
            && node.text().is_some()
            && !matches!(&node.kind, ValueKind::Plain(text) if matches!(plain::classify(text), Plain::Empty | Plain::Null))
        {
            return self.literal_secret(node, spot);
        }
        match &node.kind {
            ValueKind::Text(text) => Value::String(text.clone()),
            ValueKind::Plain(text) => self.plain(text, node.span, field, spot),
            ValueKind::Refused | ValueKind::Shared(_) => self.quiet_null(),
            ValueKind::List(items) => {
                let field = field.and_then(Field::items);
                let mut list = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    push_segment(&mut self.pointer, &index.to_string());
                    let spot = Spot {
                        name: spot.name.clone(),
                        key: Some(item.target().span),
                        optional: false,
                    };
                    list.push(self.node(item, field, &spot));
                    self.pointer.truncate(length);
                }
                Value::Array(list)
            }
            ValueKind::Map(map) => {
                let mut object = Map::new();
                for entry in map.entries() {
                    push_segment(&mut self.pointer, &entry.key);
                    let optional = field.is_some_and(|field| !field.requires(&entry.key));
                    let field = field.and_then(|field| field.property(&entry.key));
                    let spot = Spot {
                        name: entry.key.clone(),
                        key: Some(entry.key_span),
                        optional,
                    };
                    object.insert(entry.key.clone(), self.node(&entry.value, field, &spot));
                    self.pointer.truncate(length);
                }
                Value::Object(object)
            }
        }
    }

    fn plain(&mut self, text: &str, span: Span, field: Option<Field<'_>>, spot: &Spot) -> Value {
        let class = plain::classify(text);
        let Some(field) = field else {
            // An unknown key is reported as such; a key of an open mapping takes any type.
            return plain::value(&class, text);
        };
        if class == Plain::Empty {
            return self.no_value(field, spot, span);
        }
        if field.choices().is_some() {
            // A fraction is the name of a choice.
            let is_fraction = matches!(class, Plain::Fraction(_));
            return if is_fraction {
                Value::String(text.to_owned())
            } else {
                plain::value(&class, text)
            };
        }
        let takes_text = field.takes("string");
        let takes_number = field.takes("integer");
        let takes_truth = field.takes("boolean");
        let why = match &class {
            Plain::Bool(_) if takes_text && !takes_truth => "is true or false to YAML",
            Plain::Integer(_) | Plain::Fraction(_) if takes_text && !takes_number => "is a number to YAML",
            Plain::Fraction(_) if takes_number && !takes_text => "is not a whole number",
            Plain::Trap(why) if takes_text || takes_number => why,
            Plain::Trap(why) if takes_truth && plain::is_truth_word(text) => why,
            Plain::Trap(_)
            | Plain::Empty
            | Plain::Null
            | Plain::Bool(_)
            | Plain::Integer(_)
            | Plain::Fraction(_)
            | Plain::Word => return plain::value(&class, text),
        };
        let shown = shorten(text);
        let name = shorten(&spot.name);
        let help = if takes_text && (takes_number || takes_truth) {
            format!("quote it if it is text: '{shown}'; otherwise write `true`, `false` or a decimal number")
        } else if takes_text && !has_form(field, text) {
            match field.example() {
                Some(example) => format!("write it like `{name}: {}`", super::wording::inline(example)),
                None => format!("write {}", super::wording::wanted(field)),
            }
        } else if takes_text {
            format!("quote it: {name}: '{shown}'")
        } else if takes_truth {
            let truth = matches!(text.to_ascii_lowercase().as_str(), "y" | "yes" | "on");
            format!("write `{truth}`")
        } else {
            "write a decimal number: digits only, without a leading zero".to_owned()
        };
        self.report(
            Diagnostic::new(codes::AMBIGUOUS_SCALAR, format!("`{shown}` {why}"))
                .at(span)
                .help(help),
        );
        self.quiet_null()
    }

    fn no_value(&mut self, field: Field<'_>, spot: &Spot, span: Span) -> Value {
        let name = shorten(&spot.name);
        let example = field.example().map(super::wording::inline);
        let mut help = match example {
            Some(example) => format!("write a value, for example `{name}: {example}`"),
            None if field.takes("object") => "write its keys on indented lines below it".to_owned(),
            None => "write a value".to_owned(),
        };
        if spot.optional {
            help.push_str(", or remove the line");
        }
        if spot.optional && self.layered {
            help = format!("{help}; `{name}: null` takes away what a lower layer sets");
        }
        let finding = Diagnostic::new(codes::AMBIGUOUS_SCALAR, format!("`{name}` has no value"))
            .at(spot.key.filter(|_| span.start == span.end).unwrap_or(span))
            .help(help);
        self.report(finding);
        self.quiet_null()
    }

    fn literal_secret(&mut self, node: &Node, spot: &Spot) -> Value {
        let name = shorten(&spot.name);
        self.report(
            Diagnostic::new(
                codes::LITERAL_SECRET,
                format!("`{name}` holds a value instead of the name of a secret"),
            )
            .at(spot.key.unwrap_or(node.span))
            .note("inventories and bundles are committed, mailed and copied; whatever was written here must be changed now")
            .help(format!("write `{name}: {{ secret: NAME }}`; the engineer sets NAME when applying the bundle"))
            .redacted(),
        );
        self.quiet_null()
    }

    fn report(&mut self, finding: Diagnostic) {
        if self.diagnostics.count() < super::MAX_FINDINGS {
            self.diagnostics.push(finding);
        }
    }

    fn quiet_null(&mut self) -> Value {
        self.quiet.insert(self.pointer.clone());
        Value::Null
    }
}

/// Whether a text would be taken between quotes: else quoting it only leads to the next finding.
fn has_form(field: Field<'_>, text: &str) -> bool {
    field
        .format()
        .and_then(scalars::find)
        .is_none_or(|form| form(text).is_ok())
}
