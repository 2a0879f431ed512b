//! The texts of `xdt:Transform` and `xdt:Locator`.
//!
//! Only the verbs and locators whose effect can be checked beforehand are known; the library has more.

use std::fmt;

/// What happens to the element that is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// It becomes this element.
    Replace,
    /// This element is added behind its siblings.
    Insert,
    /// This element is added unless it is found.
    InsertIfMissing,
    /// It is removed.
    Remove,
    /// These attributes are set.
    SetAttributes(Vec<String>),
}

/// How the element is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Locator {
    /// These attributes have the same values.
    Match(Vec<String>),
    /// This path leads to it.
    XPath(String),
    /// This predicate is true for it.
    Condition(String),
}

/// Reads a transform.
pub(super) fn verb(text: &str) -> Result<Verb, String> {
    let known = "known are `Replace`, `Insert`, `InsertIfMissing`, `Remove` and `SetAttributes(names)`";
    match call(text)? {
        ("Replace", None) => Ok(Verb::Replace),
        ("Insert", None) => Ok(Verb::Insert),
        ("InsertIfMissing", None) => Ok(Verb::InsertIfMissing),
        ("Remove", None) => Ok(Verb::Remove),
        ("SetAttributes", Some(names)) => Ok(Verb::SetAttributes(attribute_names(names)?)),
        ("SetAttributes", None) => Err("`SetAttributes` takes the names of the attributes it sets".into()),
        ("Replace" | "Insert" | "InsertIfMissing" | "Remove", Some(_)) => {
            Err("this transform takes no arguments".into())
        }
        (name, _) => Err(format!("unknown transform `{name}`, {known}")),
    }
}

/// Reads a locator.
pub(super) fn locator(text: &str) -> Result<Locator, String> {
    let known = "known are `Match(names)`, `XPath(path)` and `Condition(predicate)`";
    match call(text)? {
        ("Match", Some(names)) => {
            let names = attribute_names(names)?;
            if names.iter().any(|name| name == "key" || name == "name") {
                Ok(Locator::Match(names))
            } else {
                Err("`Match` has to name `key` or `name`, other attributes do not identify an element".into())
            }
        }
        ("XPath", Some(path)) => exact(path).map(Locator::XPath),
        ("Condition", Some(predicate)) => exact(predicate).map(Locator::Condition),
        ("Match" | "XPath" | "Condition", None) => Err("the locator takes arguments in parentheses".into()),
        (name, _) => Err(format!("unknown locator `{name}`, {known}")),
    }
}

/// Splits `Name` or `Name(arguments)`.
fn call(text: &str) -> Result<(&str, Option<&str>), String> {
    let text = text.trim();
    let Some((name, rest)) = text.split_once('(') else {
        return Ok((text, None));
    };
    let Some(arguments) = rest.strip_suffix(')') else {
        return Err("the parenthesis is not closed".into());
    };
    Ok((name.trim_end(), Some(arguments.trim())))
}

fn attribute_names(arguments: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = arguments.split(',').map(|name| name.trim().to_owned()).collect();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
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

/// Accepts an expression that compares with `=` and cannot match by part of a value or by an alternative.
fn exact(expression: &str) -> Result<String, String> {
    let mut open: Option<char> = None;
    let mut outside = String::new();
    for character in expression.chars() {
        match open {
            Some(quote) if quote == character => open = None,
            Some(_) => {}
            None if matches!(character, '\'' | '"') => {
                open = Some(character);
                outside.push('\'');
            }
            None => outside.push(character),
        }
    }
    if open.is_some() {
        return Err("a quote of the expression is not closed".into());
    }
    let compares = outside.replace(' ', "").contains("='");
    let loose = ["!=", "|", "(", " or "].iter().any(|sign| outside.contains(sign));
    if compares && !loose {
        Ok(expression.to_owned())
    } else {
        Err("the expression has to compare an attribute with `=` and a quoted text, without functions or alternatives".into())
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replace => formatter.write_str("Replace"),
            Self::Insert => formatter.write_str("Insert"),
            Self::InsertIfMissing => formatter.write_str("InsertIfMissing"),
            Self::Remove => formatter.write_str("Remove"),
            Self::SetAttributes(names) => write!(formatter, "SetAttributes({})", names.join(",")),
        }
    }
}

impl fmt::Display for Locator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Match(names) => write!(formatter, "Match({})", names.join(",")),
            Self::XPath(path) => write!(formatter, "XPath({path})"),
            Self::Condition(predicate) => write!(formatter, "Condition({predicate})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `text` as a transform and as a locator and compares what is accepted.
    fn check(text: &str, expected_verb: Option<&str>, expected_locator: Option<&str>) {
        let found = verb(text).ok().map(|verb| verb.to_string());
        assert_eq!(found.as_deref(), expected_verb, "{text}");
        let found = locator(text).ok().map(|locator| locator.to_string());
        assert_eq!(found.as_deref(), expected_locator, "{text}");
    }

    #[test]
    fn transforms() {
        for name in ["Replace", "Insert", "InsertIfMissing", "Remove"] {
            check(name, Some(name), None);
            check(&format!("{name}(x)"), None, None);
        }
        check("SetAttributes(a, b)", Some("SetAttributes(a,b)"), None);
        for wrong in [
            "SetAttributes",
            "SetAttributes()",
            "SetAttributes(a,)",
            "SetAttributes(a",
            "SetAttributes(a,a)",
            "RemoveAll",
            "RemoveAttributes(a)",
            "replace",
            "InsertBefore(/a)",
            "",
        ] {
            check(wrong, None, None);
        }
    }

    #[test]
    fn locators() {
        check("Match(key)", None, Some("Match(key)"));
        check(" Match ( name , type ) ", None, Some("Match(name,type)"));
        check(
            "Condition(@name='x or (y)')",
            None,
            Some("Condition(@name='x or (y)')"),
        );
        let path = "XPath(/configuration/applicationSettings/*/setting[@name = \"X\"])";
        check(path, None, Some(path));
        for wrong in [
            "Match",
            "Match()",
            "Match(value)",
            "Condition(@name)",
            "Condition(contains(@name,'x'))",
            "Condition(@a='x' or @a='y')",
            "Condition(@a!='x')",
            "XPath(//add)",
            "Condition(@a='x)",
            "match(key)",
        ] {
            check(wrong, None, None);
        }
    }
}
