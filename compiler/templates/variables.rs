//! Checks every variable a template reads against the schema of what it will see.
//!
//! The engine finds an undefined variable only where it is printed; in a condition a misspelt field is silently false.
//! So the tags of a template are read here, once, when it is loaded: each dotted path must exist in the schema of the
//! facts, and each variable that is set must be used. This module must not know the engine; it reads template text.

use std::collections::BTreeMap;
use std::ops::Range;

use cbgen_formats::Cut as _;
use serde_json::Value as Json;

use super::tags::{Kind, Token, expressions, words};
use crate::diag::nearest;

/// A mistake in the use of a variable, located in one template text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableError {
    /// Name of the text (template or partial).
    pub name: String,
    /// Byte range in that text.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Whether the variable is set and never used (else: unknown).
    pub unused: bool,
}

/// What is known about the shape of a value: its node of the schema. Without one nothing is, and any field may exist.
type Shape<'a> = Option<&'a Json>;

/// The schema of the top-level variables, ready for look-ups.
#[derive(Debug)]
pub struct VariableSchema {
    root: Json,
}

struct Binding<'a> {
    name: String,
    shape: Shape<'a>,
    set_at: Option<(String, Range<usize>)>,
    used: bool,
}

struct Walk<'a> {
    schema: &'a VariableSchema,
    partials: &'a BTreeMap<String, String>,
    scope: Vec<Binding<'a>>,
    loops: Vec<usize>,
    errors: Vec<VariableError>,
    depth: usize,
}

impl VariableSchema {
    /// From a JSON schema whose properties are the top-level variables.
    pub fn new(root: Json) -> Self {
        Self { root }
    }

    /// Every mistake in the use of variables of one text and the partials it includes.
    pub fn check(&self, name: &str, body: &str, partials: &BTreeMap<String, String>) -> Vec<VariableError> {
        let mut walk = Walk {
            schema: self,
            partials,
            scope: Vec::new(),
            loops: Vec::new(),
            errors: Vec::new(),
            depth: 0,
        };
        walk.text(name, body);
        walk.unused_from(0);
        walk.errors
    }

    fn resolve<'a>(&'a self, node: &'a Json) -> Shape<'a> {
        let mut node = node;
        for _ in 0..16 {
            if let Some(reference) = node.get("$ref").and_then(Json::as_str) {
                node = self.root.pointer(reference.strip_prefix('#')?)?;
            } else if let Some(branches) = node
                .get("anyOf")
                .or_else(|| node.get("allOf"))
                .and_then(Json::as_array)
            {
                let is_null = |branch: &Json| branch.get("type").and_then(Json::as_str) == Some("null");
                node = branches.iter().find(|branch| !is_null(branch))?;
            } else {
                return Some(node);
            }
        }
        None
    }

    fn field<'a>(&'a self, shape: Shape<'a>, field: &str) -> Result<Shape<'a>, Vec<&'a str>> {
        let Some(node) = shape else {
            return Ok(None);
        };
        let Some(properties) = node.get("properties").and_then(Json::as_object) else {
            let open = node.get("additionalProperties").is_some()
                || node.as_object().is_some_and(serde_json::Map::is_empty);
            return if open { Ok(None) } else { Err(Vec::new()) };
        };
        match properties.get(field) {
            Some(found) => Ok(self.resolve(found)),
            None => Err(properties.keys().map(String::as_str).collect()),
        }
    }

    fn items<'a>(&'a self, shape: Shape<'a>) -> Shape<'a> {
        self.resolve(shape?.get("items")?)
    }
}

/// Words that are part of the expression grammar, not variables.
const GRAMMAR: &[&str] = &[
    "and", "or", "not", "in", "is", "if", "else", "true", "false", "True", "False", "none", "loop",
];

impl<'a> Walk<'a> {
    fn text(&mut self, name: &str, body: &str) {
        if self.depth > 16 {
            return;
        }
        self.depth += 1;
        for tag in expressions(body) {
            let tokens = tag.tokens();
            if tag.kind == Kind::Value {
                self.expression(name, &tokens);
            } else {
                self.tag(name, &tokens);
            }
        }
        self.depth -= 1;
    }

    fn tag(&mut self, name: &str, tokens: &[(Token<'_>, Range<usize>)]) {
        let Some(((Token::Word(word), _), rest)) = tokens.split_first() else {
            return;
        };
        match *word {
            "for" => self.open_loop(name, rest),
            "endfor" => {
                if let Some(mark) = self.loops.pop() {
                    self.unused_from(mark);
                    self.scope.truncate(mark);
                }
            }
            "set" | "set_global" => {
                if let [(Token::Word(variable), at), tail @ ..] = rest {
                    let shape = self.expression(name, tail);
                    self.scope.push(Binding {
                        name: (*variable).to_owned(),
                        shape,
                        set_at: Some((name.to_owned(), at.clone())),
                        used: false,
                    });
                }
            }
            "include" => {
                if let Some((Token::Text(partial), _)) = rest.first()
                    && let Some(body) = self.partials.get(*partial)
                {
                    let body = body.clone();
                    self.text(partial, &body);
                }
            }
            "if" | "elif" | "filter" => {
                self.expression(name, rest);
            }
            _ => {}
        }
    }

    fn open_loop(&mut self, name: &str, tokens: &[(Token<'_>, Range<usize>)]) {
        let split = tokens
            .iter()
            .position(|(token, _)| *token == Token::Word("in"))
            .unwrap_or(tokens.len());
        let (names, rest) = tokens.split_at(split);
        let container = match rest {
            [_in, rest @ ..] => self.expression(name, rest),
            [] => None,
        };
        let item = self.schema.items(container);
        self.loops.push(self.scope.len());
        let variables = words(names);
        let count = variables.len();
        for (variable, _) in variables {
            let shape = if count == 1 { item } else { None };
            self.scope.push(Binding {
                name: variable.to_owned(),
                shape,
                set_at: None,
                used: true,
            });
        }
    }

    /// Checks every path of an expression; the shape is that of the first path when it stands alone.
    fn expression(&mut self, name: &str, tokens: &[(Token<'_>, Range<usize>)]) -> Shape<'a> {
        let mut first = None;
        let mut at = 0;
        let mut paths = 0;
        while let Some((token, range)) = tokens.get(at) {
            let token_at = |at: Option<usize>| Some(&tokens.get(at?)?.0);
            let before = token_at(at.checked_sub(1));
            let after = token_at(at.checked_add(1));
            let is_filter = before == Some(&Token::Symbol("|"));
            let is_test = before == Some(&Token::Word("is"))
                || before == Some(&Token::Word("not"))
                    && token_at(at.checked_sub(2)) == Some(&Token::Word("is"));
            at += 1;
            let Token::Word(word) = token else { continue };
            let is_call = after == Some(&Token::Symbol("("));
            let is_argument_name = after == Some(&Token::Symbol("="));
            if is_filter || is_test || is_call || is_argument_name || GRAMMAR.contains(word) {
                if *word == "loop" {
                    while tokens.get(at).map(|(token, _)| token) == Some(&Token::Symbol(".")) {
                        at += 2;
                    }
                }
                continue;
            }
            let mut shape = self.root(name, word, range);
            while let Some((Token::Symbol(symbol), _)) = tokens.get(at) {
                if *symbol == "." {
                    let Some((Token::Word(field), field_at)) = tokens.get(at + 1) else {
                        break;
                    };
                    shape = self.step(name, shape, field, field_at);
                    at += 2;
                } else if *symbol == "[" {
                    let close = tokens
                        .iter()
                        .skip(at)
                        .position(|(token, _)| *token == Token::Symbol("]"))
                        .map(|n| at + n);
                    let inner = close.map_or(&[][..], |close| tokens.cut(at + 1..close));
                    shape = match inner {
                        [(Token::Text(field), field_at)] => self.step(name, shape, field, field_at),
                        inner => {
                            self.expression(name, inner);
                            self.schema.items(shape)
                        }
                    };
                    at = close.map_or(tokens.len(), |close| close + 1);
                } else {
                    break;
                }
            }
            paths += 1;
            first.get_or_insert(shape);
        }
        match first {
            Some(shape) if paths == 1 && !tokens.iter().any(|(token, _)| *token == Token::Symbol("|")) => {
                shape
            }
            _ => None,
        }
    }

    fn root(&mut self, name: &str, word: &str, range: &Range<usize>) -> Shape<'a> {
        if let Some(binding) = self.scope.iter_mut().rev().find(|binding| binding.name == word) {
            binding.used = true;
            return binding.shape;
        }
        let schema = self.schema;
        match schema.field(Some(&schema.root), word) {
            Ok(shape) => shape,
            Err(known) => self.unknown(name, &format!("variable `{word}`"), word, &known, range),
        }
    }

    fn step(&mut self, name: &str, shape: Shape<'a>, field: &str, range: &Range<usize>) -> Shape<'a> {
        let schema = self.schema;
        match schema.field(shape, field) {
            Ok(shape) => shape,
            Err(known) => self.unknown(name, &format!("field `{field}`"), field, &known, range),
        }
    }

    fn unknown(
        &mut self,
        name: &str,
        what: &str,
        word: &str,
        known: &[&str],
        range: &Range<usize>,
    ) -> Shape<'a> {
        let help = match nearest(word, known.iter().copied()) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if known.is_empty() => Some("this value has no fields".to_owned()),
            None => Some(format!("known here: {}", known.join(", "))),
        };
        self.errors.push(VariableError {
            name: name.to_owned(),
            range: range.clone(),
            message: format!("unknown {what}"),
            help,
            unused: false,
        });
        None
    }

    fn unused_from(&mut self, mark: usize) {
        for binding in self.scope.iter().skip(mark).filter(|binding| !binding.used) {
            if let Some((name, range)) = &binding.set_at {
                self.errors.push(VariableError {
                    name: name.clone(),
                    range: range.clone(),
                    message: format!("variable `{}` is set but never used", binding.name),
                    help: Some("remove it, or use it".to_owned()),
                    unused: true,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str) -> Vec<String> {
        let schema = VariableSchema::new(serde_json::json!({
            "properties": {
                "server": {"$ref": "#/$defs/Server"},
                "servers": {"type": "array", "items": {"$ref": "#/$defs/Server"}},
                "free": {}
            },
            "$defs": {"Server": {"properties": {
                "name": {"type": "string"},
                "broker": {"anyOf": [{"$ref": "#/$defs/Broker"}, {"type": "null"}]}
            }}, "Broker": {"properties": {"port": {"type": "integer"}}}}
        }));
        let partials = BTreeMap::from([("_p".to_owned(), "{{ title }}{{ serverr }}".to_owned())]);
        schema
            .check("t", body, &partials)
            .into_iter()
            .map(|error| error.message)
            .collect()
    }

    #[test]
    fn known_paths_pass() {
        for body in [
            "{{ server.name }}",
            "{% if server.broker.port == 5671 and not server.name %}x{% endif %}",
            "{% for s in servers %}{{ s.name | upper }}{{ loop.index }}{% endfor %}",
            "{% set x = server.broker %}{{ x.port }}",
            "{{ free.anything.at_all }}",
            "{{ server[\"name\"] }}",
            "{{ server.name ~ \"\\\\a\\\" }} b\" }}",
            "{{ server.name | replace(from=\"a.b\", to=\"{{ x }}\") }}",
            "{# {{ nonsense }} #}",
            "{% raw %}{{ nonsense }}{% endraw %}",
            "{%- if server.broker is defined -%}a{%- endif -%}",
            "{%- for s in servers -%}{{ s.name }}{%- endfor -%}",
        ] {
            assert_eq!(check(body), Vec::<String>::new(), "{body}");
        }
    }

    #[test]
    fn unknown_paths_are_found_also_in_conditions() {
        assert_eq!(check("{% if server.nmae %}{% endif %}"), ["unknown field `nmae`"]);
        assert_eq!(check("{{ sever.name }}"), ["unknown variable `sever`"]);
        assert_eq!(
            check("{% for s in servers %}{{ s.nope }}{% endfor %}{{ s.name }}"),
            ["unknown field `nope`", "unknown variable `s`"]
        );
        assert_eq!(check("{{ server.broker.prot }}"), ["unknown field `prot`"]);
        assert_eq!(check("{{ server.name.first }}"), ["unknown field `first`"]);
    }

    #[test]
    fn partials_see_what_was_set_and_are_checked() {
        assert_eq!(
            check("{% set title = 1 %}{% include \"_p\" %}"),
            ["unknown variable `serverr`"]
        );
    }

    #[test]
    fn a_variable_that_is_set_must_be_used() {
        assert_eq!(check("{% set x = 1 %}"), ["variable `x` is set but never used"]);
    }
}
