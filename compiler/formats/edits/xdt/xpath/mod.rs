//! `XPath` 1.0, as far as it means anything for a configuration file: the expressions of conditions and locators.
//!
//! Known are paths with all axes but `following`, `preceding` and `namespace`, predicates, `and`, `or`, comparisons,
//! `+`, `-`, unions, and the functions of [`Function`]. Everything else is refused where the transform is read, never
//! skipped. This module must not know transforms.

mod evaluate;
mod parse;

pub(in crate::edits::xdt) use evaluate::{Budget, Evaluator, Exhausted, Found};
pub(in crate::edits::xdt) use parse::{Wrong, expression, predicates};

/// A value to compute.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    /// `or`.
    Or(Box<Expression>, Box<Expression>),
    /// `and`.
    And(Box<Expression>, Box<Expression>),
    /// A comparison.
    Compare(Comparison, Box<Expression>, Box<Expression>),
    /// `+` and, where it is true, `-`.
    Add(Box<Expression>, Box<Expression>, bool),
    /// `-` before a value.
    Negative(Box<Expression>),
    /// `|`.
    Union(Box<Expression>, Box<Expression>),
    /// Steps from a node.
    Path(Path),
    /// A text in quotes.
    Text(String),
    /// A number.
    Number(f64),
    /// A function with its arguments.
    Call(Function, Vec<Expression>),
}

impl Expression {
    /// The path it is, if it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        if let Self::Path(path) = self {
            Some(path)
        } else {
            None
        }
    }

    /// Both sides of `=`, if it is one.
    pub(crate) fn equation(&self) -> Option<(&Self, &Self)> {
        if let Self::Compare(Comparison::Equal, left, right) = self {
            Some((left, right))
        } else {
            None
        }
    }

    /// Both sides of `and`, if it is one.
    pub(crate) fn conjunction(&self) -> Option<(&Self, &Self)> {
        if let Self::And(left, right) = self {
            Some((left, right))
        } else {
            None
        }
    }

    /// The text in quotes, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }
}

impl Test {
    /// The name, if one is asked for.
    pub(crate) fn name(&self) -> Option<&str> {
        if let Self::Name(_, name) = self {
            Some(name)
        } else {
            None
        }
    }
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    Different,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    /// `not(boolean)`
    Not,
    /// `true()`
    True,
    /// `false()`
    False,
    /// `boolean(value)`
    Boolean,
    /// `contains(text, text)`
    Contains,
    /// `starts-with(text, text)`
    StartsWith,
    /// `substring-before(text, text)`
    SubstringBefore,
    /// `substring-after(text, text)`
    SubstringAfter,
    /// `concat(text, text, …)`
    Concat,
    /// `string(value?)`
    String,
    /// `string-length(text?)`
    StringLength,
    /// `normalize-space(text?)`
    NormalizeSpace,
    /// `translate(text, from, to)`
    Translate,
    /// `number(value?)`
    Number,
    /// `count(nodes)`
    Count,
    /// `last()`
    Last,
    /// `position()`
    Position,
    /// `local-name(nodes?)`
    LocalName,
    /// `name(nodes?)`
    Name,
    /// `namespace-uri(nodes?)`
    NamespaceUri,
}

/// Every function: its name, and the fewest and most arguments.
const FUNCTIONS: &[(&str, Function, usize, usize)] = &[
    ("not", Function::Not, 1, 1),
    ("true", Function::True, 0, 0),
    ("false", Function::False, 0, 0),
    ("boolean", Function::Boolean, 1, 1),
    ("contains", Function::Contains, 2, 2),
    ("starts-with", Function::StartsWith, 2, 2),
    ("substring-before", Function::SubstringBefore, 2, 2),
    ("substring-after", Function::SubstringAfter, 2, 2),
    ("concat", Function::Concat, 2, 16),
    ("string", Function::String, 0, 1),
    ("string-length", Function::StringLength, 0, 1),
    ("normalize-space", Function::NormalizeSpace, 0, 1),
    ("translate", Function::Translate, 3, 3),
    ("number", Function::Number, 0, 1),
    ("count", Function::Count, 1, 1),
    ("last", Function::Last, 0, 0),
    ("position", Function::Position, 0, 0),
    ("local-name", Function::LocalName, 0, 1),
    ("name", Function::Name, 0, 1),
    ("namespace-uri", Function::NamespaceUri, 0, 1),
];

/// Steps from a node to others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    /// It begins at the document, not at the node it is asked at.
    pub(crate) from_document: bool,
    /// Its steps in order.
    pub(crate) steps: Vec<Step>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    /// Where it goes.
    pub(crate) axis: Axis,
    /// What it accepts there.
    pub(crate) test: Test,
    /// What has to be true of it.
    pub(crate) predicates: Vec<Expression>,
}

/// Where a step goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axis {
    /// To the nodes directly below.
    Child,
    /// To all nodes below.
    Descendant,
    /// To the node and all below.
    DescendantOrSelf,
    /// To the node around.
    Parent,
    /// To all nodes around.
    Ancestor,
    /// To the node and all around.
    AncestorOrSelf,
    /// Nowhere.
    Itself,
    /// To later nodes of the same parent.
    FollowingSibling,
    /// To earlier nodes of the same parent, the nearest first.
    PrecedingSibling,
    /// To attributes.
    Attribute,
}

const AXES: &[(&str, Axis)] = &[
    ("child", Axis::Child),
    ("descendant", Axis::Descendant),
    ("descendant-or-self", Axis::DescendantOrSelf),
    ("parent", Axis::Parent),
    ("ancestor", Axis::Ancestor),
    ("ancestor-or-self", Axis::AncestorOrSelf),
    ("self", Axis::Itself),
    ("following-sibling", Axis::FollowingSibling),
    ("preceding-sibling", Axis::PrecedingSibling),
    ("attribute", Axis::Attribute),
];

/// What a step accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    /// `*`
    Any,
    /// `prefix:*`, by the prefix.
    AnyIn(String),
    /// A name with its prefix, which may be empty.
    Name(String, String),
    /// `node()`
    Node,
    /// `text()`
    Text,
    /// `comment()`
    Comment,
}
