//! The texts of `xdt:Transform` and `xdt:Locator`, as Microsoft's engine reads them.
//!
//! A text is a name, or a name with arguments in parentheses. Arguments are separated by commas outside of
//! parentheses and quotes. What the engine would ignore with a warning or throw at is refused.

use crate::Cut as _;
use std::collections::BTreeSet;
use std::fmt;

use super::xpath::{self, Expression};

/// What happens to the element that is found.
#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    /// It becomes this element.
    Replace,
    /// This element is added behind the children of the element around.
    Insert,
    /// This element is added unless it is found.
    InsertIfMissing,
    /// This element is added before the one that the path finds.
    InsertBefore(Selector),
    /// This element is added behind the one that the path finds.
    InsertAfter(Selector),
    /// It is removed.
    Remove,
    /// All that are found are removed.
    RemoveAll,
    /// Its attributes are set as here.
    SetAttributes(Names),
    /// Its attributes are removed.
    RemoveAttributes(Names),
}

/// Which attributes are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names {
    /// All of them.
    All,
    /// Those with these names, which may have a prefix.
    Listed(Vec<String>),
}

/// How the element is found; without one, it has the same name.
#[derive(Clone, Debug, PartialEq)]
pub enum Locator {
    /// These attributes have the same values.
    Match(Vec<String>),
    /// This path leads to it.
    XPath(Selector),
    /// These predicates are true for it.
    Condition(Condition),
}

/// A path, and its text.
#[derive(Clone, Debug, PartialEq)]
pub struct Selector {
    /// As it was written.
    pub text: String,
    /// What it says.
    pub(super) expression: Expression,
    /// The prefixes it uses.
    pub(super) prefixes: BTreeSet<String>,
}

/// Predicates, and their text.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// As it was written.
    pub text: String,
    /// What it says.
    pub(super) predicates: Vec<Expression>,
    /// The prefixes it uses.
    pub(super) prefixes: BTreeSet<String>,
}

/// Reads a transform.
pub(crate) fn verb(text: &str) -> Result<Verb, String> {
    let known = "known are `Replace`, `Insert`, `InsertBefore(path)`, `InsertAfter(path)`, `InsertIfMissing`, `Remove`, `RemoveAll`, `SetAttributes(names)` and `RemoveAttributes(names)`";
    let (name, arguments) = call(text)?;
    let plain = |verb: Verb| match arguments {
        None => Ok(verb),
        Some(_) => Err("this transform takes no arguments".to_owned()),
    };
    let path = |make: fn(Selector) -> Verb| match arguments {
        Some(path) => selector(path).map(make),
        None => Err(format!(
            "`{name}` takes the path of the element beside which it inserts"
        )),
    };
    match name {
        "Replace" => plain(Verb::Replace),
        "Insert" => plain(Verb::Insert),
        "InsertIfMissing" => plain(Verb::InsertIfMissing),
        "Remove" => plain(Verb::Remove),
        "RemoveAll" => plain(Verb::RemoveAll),
        "InsertBefore" => path(Verb::InsertBefore),
        "InsertAfter" => path(Verb::InsertAfter),
        "SetAttributes" => names(arguments).map(Verb::SetAttributes),
        "RemoveAttributes" => names(arguments).map(Verb::RemoveAttributes),
        "CommentOut" => {
            Err("`CommentOut` is not applied: no engine before 2019 knows it; write `Remove`".to_owned())
        }
        _ => Err(format!("unknown transform `{name}`, {known}")),
    }
}

/// Reads a locator.
pub(crate) fn locator(text: &str) -> Result<Locator, String> {
    let known = "known are `Match(names)`, `XPath(path)` and `Condition(predicate)`";
    match call(text)? {
        ("Match", Some(names)) => attribute_names(names).map(Locator::Match),
        ("XPath", Some(path)) => selector(path).map(Locator::XPath),
        ("Condition", Some(text)) => {
            let mut prefixes = BTreeSet::new();
            let predicates = xpath::predicates(text, &mut prefixes).map_err(|wrong| explain(text, &wrong))?;
            let text = text.to_owned();
            Ok(Locator::Condition(Condition {
                text,
                predicates,
                prefixes,
            }))
        }
        ("Match" | "XPath" | "Condition", None) => Err("the locator takes arguments in parentheses".into()),
        (name, _) => Err(format!("unknown locator `{name}`, {known}")),
    }
}

/// Splits `Name` or `Name(arguments)`; empty parentheses are none.
fn call(text: &str) -> Result<(&str, Option<&str>), String> {
    let text = text.trim();
    let Some((name, rest)) = text.split_once('(') else {
        return Ok((text, None));
    };
    let Some(arguments) = rest.strip_suffix(')') else {
        return Err("the parenthesis is not closed".into());
    };
    let arguments = arguments.trim();
    Ok((name.trim_end(), Some(arguments).filter(|text| !text.is_empty())))
}

fn explain(text: &str, (at, message): &xpath::Wrong) -> String {
    let place = text.cut(*at..);
    let place: String = place.chars().take(20).collect();
    if place.is_empty() {
        message.clone()
    } else {
        format!("{message}, at `{place}`")
    }
}

fn selector(text: &str) -> Result<Selector, String> {
    let mut prefixes = BTreeSet::new();
    let expression = xpath::expression(text, &mut prefixes).map_err(|wrong| explain(text, &wrong))?;
    if !matches!(expression, Expression::Path(_) | Expression::Union(..)) {
        return Err("the expression is no path, so it finds no element".to_owned());
    }
    Ok(Selector {
        text: text.to_owned(),
        expression,
        prefixes,
    })
}

fn names(arguments: Option<&str>) -> Result<Names, String> {
    let Some(arguments) = arguments else {
        return Ok(Names::All);
    };
    if arguments.split(',').any(|name| name.trim() == "*") {
        return Ok(Names::All);
    }
    attribute_names(arguments).map(Names::Listed)
}

fn attribute_names(arguments: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = arguments.split(',').map(|name| name.trim().to_owned()).collect();
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if names
        .iter()
        .any(|name| name.is_empty() || !name.chars().all(is_name))
    {
        return Err("expected attribute names, separated by commas".into());
    }
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort_unstable();
    if sorted
        .windows(2)
        .any(|pair| matches!(pair, [first, second] if first == second))
    {
        return Err("an attribute is listed twice".into());
    }
    Ok(names)
}

impl Locator {
    /// The prefixes that stand for a namespace in it.
    pub(super) fn prefixes(&self) -> BTreeSet<String> {
        match self {
            Self::Match(names) => prefixes_of(names),
            Self::XPath(selector) => selector.prefixes.clone(),
            Self::Condition(condition) => condition.prefixes.clone(),
        }
    }
}

impl Verb {
    /// The prefixes that stand for a namespace in it.
    pub(super) fn prefixes(&self) -> BTreeSet<String> {
        match self {
            Self::InsertBefore(selector) | Self::InsertAfter(selector) => selector.prefixes.clone(),
            Self::SetAttributes(Names::Listed(names)) | Self::RemoveAttributes(Names::Listed(names)) => {
                prefixes_of(names)
            }
            Self::Replace
            | Self::Insert
            | Self::InsertIfMissing
            | Self::Remove
            | Self::RemoveAll
            | Self::SetAttributes(Names::All)
            | Self::RemoveAttributes(Names::All) => BTreeSet::new(),
        }
    }

    /// Whether the element is put into the file as it is written.
    pub fn writes_out(&self) -> bool {
        matches!(
            self,
            Self::Replace
                | Self::Insert
                | Self::InsertIfMissing
                | Self::InsertBefore(_)
                | Self::InsertAfter(_)
        )
    }
}

fn prefixes_of(names: &[String]) -> BTreeSet<String> {
    names
        .iter()
        .filter_map(|name| name.split_once(':'))
        .map(|(prefix, _)| prefix.to_owned())
        .collect()
}

impl fmt::Display for Verb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |formatter: &mut fmt::Formatter<'_>, name: &str, names: &Names| match names {
            Names::All => formatter.write_str(name),
            Names::Listed(names) => write!(formatter, "{name}({})", names.join(",")),
        };
        match self {
            Self::Replace => formatter.write_str("Replace"),
            Self::Insert => formatter.write_str("Insert"),
            Self::InsertIfMissing => formatter.write_str("InsertIfMissing"),
            Self::InsertBefore(path) => write!(formatter, "InsertBefore({})", path.text),
            Self::InsertAfter(path) => write!(formatter, "InsertAfter({})", path.text),
            Self::Remove => formatter.write_str("Remove"),
            Self::RemoveAll => formatter.write_str("RemoveAll"),
            Self::SetAttributes(names) => listed(formatter, "SetAttributes", names),
            Self::RemoveAttributes(names) => listed(formatter, "RemoveAttributes", names),
        }
    }
}

impl fmt::Display for Locator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Match(names) => write!(formatter, "Match({})", names.join(",")),
            Self::XPath(path) => write!(formatter, "XPath({})", path.text),
            Self::Condition(condition) => write!(formatter, "Condition({})", condition.text),
        }
    }
}
