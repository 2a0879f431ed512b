//! From an expression and a document to a value.
//!
//! Every node that is looked at costs one of a [`Budget`], so that no expression can run for hours.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::{Axis, Comparison, Expression, Function, Step, Test};
use crate::xml::tree::{Document, NamespaceId, NodeId, NodeKind};

/// What expressions may still look at.
#[derive(Debug)]
pub(in crate::edits::xdt) struct Budget(Cell<u64>);

/// The budget is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::edits::xdt) struct Exhausted;

impl Budget {
    pub(in crate::edits::xdt) fn new(nodes: u64) -> Self {
        Self(Cell::new(nodes))
    }

    pub(in crate::edits::xdt) fn take(&self, nodes: usize) -> Result<(), Exhausted> {
        let left = self.0.get().checked_sub(nodes as u64).ok_or(Exhausted)?;
        self.0.set(left);
        Ok(())
    }
}

/// A node that a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::edits::xdt) enum Found {
    /// An element, a text, a comment or the document.
    Node(NodeId),
    /// An attribute of an element, by its number.
    Attribute(NodeId, usize),
}

/// What an expression is asked about.
pub(in crate::edits::xdt) struct Evaluator<'a> {
    /// The document.
    pub(in crate::edits::xdt) document: &'a Document,
    /// What prefixes stand for; nothing where the document has no such namespace.
    pub(in crate::edits::xdt) prefixes: &'a BTreeMap<String, Option<NamespaceId>>,
    /// What may still be looked at.
    pub(in crate::edits::xdt) budget: &'a Budget,
    /// Names match in any namespace, which only serves to say what is wrong.
    pub(in crate::edits::xdt) any_namespace: bool,
}

/// Where an expression is asked.
#[derive(Clone, Copy)]
struct Context {
    node: Found,
    position: usize,
    size: usize,
}

enum Value {
    Nodes(Vec<Found>),
    Text(String),
    Number(f64),
    Boolean(bool),
}

impl Evaluator<'_> {
    /// The nodes that an expression selects, asked at `node`; `None` when its value is no set of nodes.
    pub(in crate::edits::xdt) fn select(
        &self,
        node: Found,
        expression: &Expression,
    ) -> Result<Option<Vec<Found>>, Exhausted> {
        let context = Context {
            node,
            position: 1,
            size: 1,
        };
        match self.value(context, expression)? {
            Value::Nodes(nodes) => self.in_order(nodes).map(Some),
            Value::Text(_) | Value::Number(_) | Value::Boolean(_) => Ok(None),
        }
    }

    /// The nodes of which all predicates are true, one after the other.
    pub(in crate::edits::xdt) fn filtered(
        &self,
        nodes: Vec<Found>,
        predicates: &[Expression],
    ) -> Result<Vec<Found>, Exhausted> {
        predicates
            .iter()
            .try_fold(nodes, |nodes, predicate| self.filter(nodes, predicate))
    }

    fn step(&self, nodes: &[Found], step: &Step) -> Result<Vec<Found>, Exhausted> {
        let mut all = Vec::new();
        for node in nodes {
            all.append(&mut self.filtered(self.axis(*node, step)?, &step.predicates)?);
        }
        let overlaps = !matches!(step.axis, Axis::Child | Axis::Attribute | Axis::Itself);
        if nodes.len() > 1 && overlaps {
            let mut seen = BTreeSet::new();
            all.retain(|node| seen.insert(*node));
        }
        Ok(all)
    }

    fn steps(&self, nodes: Vec<Found>, steps: &[Step]) -> Result<Vec<Found>, Exhausted> {
        let mut nodes = nodes;
        for step in steps {
            nodes = self.step(&nodes, step)?;
        }
        Ok(nodes)
    }

    fn filter(&self, found: Vec<Found>, predicate: &Expression) -> Result<Vec<Found>, Exhausted> {
        let size = found.len();
        let mut kept = Vec::new();
        for (index, node) in found.into_iter().enumerate() {
            let position = index + 1;
            let context = Context { node, position, size };
            if self.holds(context, predicate)? {
                kept.push(node);
            }
        }
        Ok(kept)
    }

    fn holds(&self, context: Context, predicate: &Expression) -> Result<bool, Exhausted> {
        self.budget.take(1)?;
        if let Some(holds) = self.compares_attribute(context, predicate) {
            return Ok(holds);
        }
        let value = self.value(context, predicate)?;
        if let Value::Number(number) = value {
            return Ok(equal(as_number(context.position), number));
        }
        Ok(boolean(&value))
    }

    /// `@name = 'text'`, by far the most frequent predicate, without making values.
    fn compares_attribute(&self, context: Context, predicate: &Expression) -> Option<bool> {
        let (left, right) = predicate.equation()?;
        let (path, text) = (left.path()?, right.text()?);
        let ([step], Found::Node(node)) = (path.steps.as_slice(), context.node) else {
            return None;
        };
        let Test::Name(prefix, name) = &step.test else {
            return None;
        };
        let is_plain = step.axis == Axis::Attribute && prefix.is_empty() && step.predicates.is_empty();
        if !is_plain || path.from_document || self.any_namespace {
            return None;
        }
        let value = self.document.attribute(node, name);
        Some(value.is_some_and(|value| value == text))
    }

    fn axis(&self, node: Found, step: &Step) -> Result<Vec<Found>, Exhausted> {
        let document = self.document;
        // In and beside an attribute is nothing; around it is its element.
        let (id, around) = match node {
            Found::Node(id) => (Some(id), document.parent(id)),
            Found::Attribute(owner, _) => (None, Some(owner)),
        };
        let itself = std::iter::once(node);
        let parent = around.into_iter();
        let ancestors = parent
            .clone()
            .flat_map(|id| document.ancestors(id))
            .map(Found::Node);
        let below = id
            .into_iter()
            .flat_map(|id| document.descendants(id).skip(1))
            .map(Found::Node);
        let reached: Box<dyn Iterator<Item = Found>> = match step.axis {
            Axis::Itself => Box::new(itself),
            Axis::Parent => Box::new(parent.map(Found::Node)),
            Axis::Ancestor => Box::new(ancestors),
            Axis::AncestorOrSelf => Box::new(itself.chain(ancestors)),
            Axis::Descendant => Box::new(below),
            Axis::DescendantOrSelf => Box::new(itself.chain(below)),
            Axis::Child => Box::new(
                id.into_iter()
                    .flat_map(|id| document.children(id))
                    .map(Found::Node),
            ),
            Axis::FollowingSibling => {
                let next = id.and_then(|id| document.next(id));
                Box::new(std::iter::successors(next, |id| document.next(*id)).map(Found::Node))
            }
            Axis::PrecedingSibling => {
                let previous = id.and_then(|id| document.previous(id));
                Box::new(std::iter::successors(previous, |id| document.previous(*id)).map(Found::Node))
            }
            Axis::Attribute => Box::new(id.into_iter().flat_map(|id| {
                let all = document.attributes(id).enumerate();
                all.filter(|(_, attribute)| !attribute.is_declaration())
                    .map(move |(index, _)| Found::Attribute(id, index))
            })),
        };
        let mut accepted = Vec::new();
        for node in reached {
            self.budget.take(1)?;
            if self.accepts(node, &step.test) {
                accepted.push(node);
            }
        }
        Ok(accepted)
    }

    fn accepts(&self, node: Found, test: &Test) -> bool {
        let document = self.document;
        let name = match node {
            Found::Node(id) => match document.kind(id) {
                NodeKind::Element(_) => Some((document.namespace(id), document.name(id))),
                NodeKind::Text | NodeKind::CData => return matches!(test, Test::Node | Test::Text),
                NodeKind::Comment => return matches!(test, Test::Node | Test::Comment),
                NodeKind::Document | NodeKind::Instruction => return matches!(test, Test::Node),
            },
            Found::Attribute(id, index) => document
                .attributes(id)
                .nth(index)
                .map(|attribute| (attribute.namespace(), document.attribute_name(attribute))),
        };
        let Some((namespace, name)) = name else {
            return false;
        };
        match test {
            Test::Any | Test::Node => true,
            Test::AnyIn(prefix) => self.is_namespace(prefix, namespace),
            Test::Name(prefix, local) => name == local && self.is_namespace(prefix, namespace),
            Test::Text | Test::Comment => false,
        }
    }

    fn is_namespace(&self, prefix: &str, namespace: NamespaceId) -> bool {
        if self.any_namespace {
            return true;
        }
        let wanted = match prefix {
            "" => Some(NamespaceId::NONE),
            "xml" => Some(NamespaceId::XML),
            _ => self.prefixes.get(prefix).copied().flatten(),
        };
        wanted == Some(namespace)
    }

    /// Nodes in document order, each once.
    fn in_order(&self, nodes: Vec<Found>) -> Result<Vec<Found>, Exhausted> {
        if nodes.len() < 2 {
            return Ok(nodes);
        }
        let mut left: BTreeSet<Found> = nodes.into_iter().collect();
        let mut sorted = Vec::with_capacity(left.len());
        for id in self.document.descendants(self.document.top()) {
            self.budget.take(1)?;
            if left.remove(&Found::Node(id)) {
                sorted.push(Found::Node(id));
            }
            let end = Found::Attribute(id, usize::MAX);
            while let Some(found) = left.range(Found::Attribute(id, 0)..=end).next().copied() {
                left.remove(&found);
                sorted.push(found);
            }
            if left.is_empty() {
                break;
            }
        }
        Ok(sorted)
    }

    fn value(&self, context: Context, expression: &Expression) -> Result<Value, Exhausted> {
        self.budget.take(1)?;
        Ok(match expression {
            Expression::Or(left, right) => {
                Value::Boolean(boolean(&self.value(context, left)?) || boolean(&self.value(context, right)?))
            }
            Expression::And(left, right) => {
                Value::Boolean(boolean(&self.value(context, left)?) && boolean(&self.value(context, right)?))
            }
            Expression::Compare(comparison, left, right) => {
                let (left, right) = (self.value(context, left)?, self.value(context, right)?);
                Value::Boolean(self.compare(*comparison, &left, &right)?)
            }
            Expression::Add(left, right, minus) => {
                let left = self.number(&self.value(context, left)?)?;
                let right = self.number(&self.value(context, right)?)?;
                Value::Number(if *minus { left - right } else { left + right })
            }
            Expression::Negative(inside) => Value::Number(-self.number(&self.value(context, inside)?)?),
            Expression::Union(left, right) => {
                let mut all = Vec::new();
                for side in [left, right] {
                    if let Value::Nodes(mut nodes) = self.value(context, side)? {
                        all.append(&mut nodes);
                    }
                }
                Value::Nodes(self.in_order(all)?)
            }
            Expression::Path(path) => {
                let start = if path.from_document {
                    vec![Found::Node(self.document.top())]
                } else {
                    vec![context.node]
                };
                Value::Nodes(self.steps(start, &path.steps)?)
            }
            Expression::Text(text) => Value::Text(text.clone()),
            Expression::Number(number) => Value::Number(*number),
            Expression::Call(function, arguments) => self.call(context, *function, arguments)?,
        })
    }

    fn call(
        &self,
        context: Context,
        function: Function,
        arguments: &[Expression],
    ) -> Result<Value, Exhausted> {
        let mut values = Vec::new();
        for argument in arguments {
            values.push(self.value(context, argument)?);
        }
        // Functions without an argument ask the node itself.
        if values.is_empty() {
            values.push(Value::Nodes(vec![context.node]));
        }
        let text = |index: usize| {
            values
                .get(index)
                .map_or(Ok(String::new()), |value| self.text(value))
        };
        let first = values.first();
        Ok(match function {
            Function::Not => Value::Boolean(!first.is_some_and(boolean)),
            Function::True => Value::Boolean(true),
            Function::False => Value::Boolean(false),
            Function::Boolean => Value::Boolean(first.is_some_and(boolean)),
            Function::Contains => Value::Boolean(text(0)?.contains(&text(1)?)),
            Function::StartsWith => Value::Boolean(text(0)?.starts_with(&text(1)?)),
            Function::SubstringBefore | Function::SubstringAfter => {
                let (whole, sought) = (text(0)?, text(1)?);
                let (before, after) = whole.split_once(&sought).unwrap_or_default();
                let part = if function == Function::SubstringBefore {
                    before
                } else {
                    after
                };
                Value::Text(part.to_owned())
            }
            Function::Concat => {
                let mut all = String::new();
                for index in 0..values.len() {
                    all.push_str(&text(index)?);
                }
                Value::Text(all)
            }
            Function::String => Value::Text(text(0)?),
            Function::StringLength => Value::Number(as_number(text(0)?.chars().count())),
            Function::NormalizeSpace => {
                Value::Text(text(0)?.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
            }
            Function::Translate => Value::Text(translate(&text(0)?, &text(1)?, &text(2)?)),
            Function::Number => Value::Number(first.map_or(Ok(f64::NAN), |value| self.number(value))?),
            Function::Count => Value::Number(match first {
                Some(Value::Nodes(nodes)) => as_number(nodes.len()),
                _ => f64::NAN,
            }),
            Function::Last => Value::Number(as_number(context.size)),
            Function::Position => Value::Number(as_number(context.position)),
            Function::LocalName | Function::Name | Function::NamespaceUri => {
                let node = match first {
                    Some(Value::Nodes(nodes)) => nodes.first().copied(),
                    _ => None,
                };
                Value::Text(node.map_or(String::new(), |node| self.name_of(node, function)))
            }
        })
    }

    fn name_of(&self, node: Found, function: Function) -> String {
        let document = self.document;
        let (local, written, namespace) = match node {
            Found::Node(id) => (
                document.name(id),
                document.written_name(id),
                document.namespace(id),
            ),
            Found::Attribute(id, index) => match document.attributes(id).nth(index) {
                Some(attribute) => (
                    document.attribute_name(attribute),
                    document.written_attribute(attribute),
                    attribute.namespace(),
                ),
                None => return String::new(),
            },
        };
        if function == Function::Name {
            written.to_owned()
        } else if function == Function::NamespaceUri {
            document.uri(namespace).to_owned()
        } else {
            local.to_owned()
        }
    }

    fn text_of(&self, node: Found) -> Result<String, Exhausted> {
        match node {
            Found::Attribute(id, index) => Ok(self
                .document
                .attributes(id)
                .nth(index)
                .map_or(String::new(), |attribute| {
                    self.document.value(attribute).into_owned()
                })),
            Found::Node(id) => {
                let mut all = String::new();
                for inside in self.document.descendants(id) {
                    let text = self.document.text_of(inside);
                    self.budget.take(1 + text.len() / 16)?;
                    all.push_str(&text);
                }
                Ok(all)
            }
        }
    }

    fn text(&self, value: &Value) -> Result<String, Exhausted> {
        Ok(match value {
            Value::Nodes(nodes) => nodes
                .first()
                .map_or(Ok(String::new()), |node| self.text_of(*node))?,
            Value::Text(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Boolean(boolean) => boolean.to_string(),
        })
    }

    fn number(&self, value: &Value) -> Result<f64, Exhausted> {
        Ok(match value {
            Value::Number(number) => *number,
            Value::Boolean(boolean) => f64::from(u8::from(*boolean)),
            Value::Nodes(_) | Value::Text(_) => to_number(&self.text(value)?),
        })
    }

    fn compare(&self, comparison: Comparison, left: &Value, right: &Value) -> Result<bool, Exhausted> {
        let by_number = !matches!(comparison, Comparison::Equal | Comparison::Different);
        let holds = |left: f64, right: f64| match comparison {
            Comparison::Equal => equal(left, right),
            Comparison::Different => !equal(left, right),
            Comparison::Less => left < right,
            Comparison::AtMost => left <= right,
            Comparison::More => left > right,
            Comparison::AtLeast => left >= right,
        };
        let (nodes, other, swapped) = match (left, right) {
            (Value::Nodes(nodes), Value::Boolean(_)) => {
                let left = Value::Boolean(!nodes.is_empty());
                return self.compare(comparison, &left, right);
            }
            (Value::Boolean(_), Value::Nodes(nodes)) => {
                let right = Value::Boolean(!nodes.is_empty());
                return self.compare(comparison, left, &right);
            }
            (Value::Nodes(nodes), other) => (nodes, other, false),
            (other, Value::Nodes(nodes)) => (nodes, other, true),
            _ => {
                if by_number || matches!(left, Value::Number(_)) || matches!(right, Value::Number(_)) {
                    return Ok(holds(self.number(left)?, self.number(right)?));
                }
                let equal = match (left, right) {
                    (Value::Boolean(_), _) | (_, Value::Boolean(_)) => boolean(left) == boolean(right),
                    _ => self.text(left)? == self.text(right)?,
                };
                return Ok(equal == (comparison == Comparison::Equal));
            }
        };
        for node in nodes {
            self.budget.take(1)?;
            let text = Value::Text(self.text_of(*node)?);
            let found = if swapped {
                self.compare(comparison, other, &text)?
            } else {
                self.compare(comparison, &text, other)?
            };
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn boolean(value: &Value) -> bool {
    match value {
        Value::Nodes(nodes) => !nodes.is_empty(),
        Value::Text(text) => !text.is_empty(),
        Value::Number(number) => *number != 0.0 && !number.is_nan(),
        Value::Boolean(boolean) => *boolean,
    }
}

#[expect(clippy::float_cmp, reason = "XPath compares numbers exactly")]
fn equal(left: f64, right: f64) -> bool {
    left == right
}

fn as_number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

fn to_number(text: &str) -> f64 {
    let trimmed = text.trim_matches([' ', '\t', '\r', '\n']);
    let digits = trimmed.strip_prefix('-').unwrap_or(trimmed);
    if digits.chars().all(|c| c.is_ascii_digit() || c == '.') {
        trimmed.parse().unwrap_or(f64::NAN)
    } else {
        f64::NAN
    }
}

fn translate(text: &str, from: &str, to: &str) -> String {
    let change = |character: char| match from.chars().position(|sought| sought == character) {
        None => Some(character),
        Some(place) => to.chars().nth(place),
    };
    text.chars().filter_map(change).collect()
}
