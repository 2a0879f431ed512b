//! Lists of edits for vendor files: the vocabulary documented in the module above, read and checked.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::{Term, TermKind, read};
use crate::{FactPath, FormatError, Item, characters};

/// One value of a vendor's file and what it has to be.
#[derive(Clone, Debug, PartialEq)]
pub struct TermEdit {
    /// The keys that lead to the value, at least one.
    pub path: Vec<String>,
    /// The value.
    pub value: Term,
    /// Only places whose old value contains this text are meant.
    pub contains: Option<String>,
    /// Every place is meant, not exactly one.
    pub all: bool,
    /// The bytes of the edit.
    pub range: Range<usize>,
}

impl TermEdit {
    /// The keys, as people read them: `sql > driver`.
    pub fn key(&self) -> FactPath {
        FactPath::of(&self.path)
    }

    /// The edit as a fact that is compared: `set url where old value contains "NoAccessPage"`.
    pub(crate) fn into_item(self) -> Item {
        let mut names: Vec<String> = self.path.iter().map(|key| characters::label(key)).collect();
        if let Some(first) = names.first_mut() {
            first.insert_str(0, "set ");
        }
        if let Some(last) = names.last_mut() {
            if let Some(contains) = &self.contains {
                let contains = characters::label(contains);
                *last = format!("{last} where old value contains {contains:?}");
            }
            last.push_str(if self.all { ", all" } else { "" });
        }
        Item {
            path: FactPath::of(names),
            value: self.value.to_string(),
            range: self.range,
        }
    }
}

/// Reads a list of edits, or everything that is wrong with it.
pub fn edits(text: &str) -> Result<Vec<TermEdit>, Vec<FormatError>> {
    let term = read(text)?;
    let Some(elements) = term.as_list().filter(|elements| !elements.is_empty()) else {
        let message = "expected a list of edits: `[{set, [key], value}].`";
        return Err(vec![FormatError::new(term.range, message)]);
    };
    let mut edits = Vec::new();
    let mut errors = Vec::new();
    let mut conditions: BTreeMap<Vec<String>, BTreeSet<Option<String>>> = BTreeMap::new();
    for element in elements {
        let (path, value, options) = match element.as_tuple() {
            Some([tag, path, value]) if tag.as_atom() == Some("set") => (path, value, None),
            Some([tag, path, value, options]) if tag.as_atom() == Some("set") => (path, value, Some(options)),
            _ => {
                errors.push(FormatError::new(
                    element.range.clone(),
                    "expected `{set, [key], value}` or `{set, [key], value, [options]}`",
                ));
                continue;
            }
        };
        let Some(path) = key_path(path) else {
            errors.push(FormatError::new(
                path.range.clone(),
                "the key path has to be a list of atoms that is not empty",
            ));
            continue;
        };
        let options = match options.map_or_else(|| Ok(Options::default()), read_options) {
            Ok(options) => options,
            Err(found) => {
                errors.extend(found);
                continue;
            }
        };
        let contains = options.contains.map(str::to_owned);
        let others = conditions.entry(path.clone()).or_default();
        let unconditional = contains.is_none() && !others.is_empty();
        if unconditional || others.contains(&None) || others.contains(&contains) {
            let message = format!(
                "another edit of `{}` can match the same place",
                FactPath::of(&path)
            );
            errors.push(FormatError::new(element.range.clone(), message));
        }
        others.insert(contains.clone());
        edits.push(TermEdit {
            path,
            value: value.clone(),
            contains,
            all: options.all,
            range: element.range.clone(),
        });
    }
    if errors.is_empty() { Ok(edits) } else { Err(errors) }
}

fn key_path(path: &Term) -> Option<Vec<String>> {
    let keys = path.as_list().filter(|keys| !keys.is_empty())?;
    keys.iter().map(|key| key.as_atom().map(str::to_owned)).collect()
}

#[derive(Default)]
struct Options<'a> {
    contains: Option<&'a str>,
    all: bool,
}

fn read_options(options: &Term) -> Result<Options<'_>, Vec<FormatError>> {
    let refuse = |term: &Term, message: String| FormatError::new(term.range.clone(), message);
    let Some(entries) = options.as_list().filter(|entries| !entries.is_empty()) else {
        let message = "the options have to be a list that is not empty".into();
        return Err(vec![refuse(options, message)]);
    };
    let mut read = Options::default();
    let mut counted = false;
    let mut errors = Vec::new();
    for entry in entries {
        let Some((name, value)) = entry.as_pair() else {
            let message = "expected an option such as `{count, one}`".into();
            errors.push(refuse(entry, message));
            continue;
        };
        match (name, &value.kind) {
            ("where_old_value_contains", _) if read.contains.is_some() => {
                errors.push(refuse(entry, "`where_old_value_contains` is given twice".into()));
            }
            ("where_old_value_contains", TermKind::String(text)) if !text.is_empty() => {
                read.contains = Some(text);
            }
            ("where_old_value_contains", _) => errors.push(refuse(
                value,
                "`where_old_value_contains` takes a string that is not empty".into(),
            )),
            ("count", _) if counted => {
                errors.push(refuse(entry, "`count` is given twice".into()));
            }
            ("count", _) => match value.as_atom() {
                Some(word @ ("one" | "all")) => {
                    counted = true;
                    read.all = word == "all";
                }
                _ => errors.push(refuse(value, "`count` is either `one` or `all`".into())),
            },
            _ => errors.push(refuse(
                entry,
                format!("unknown option `{name}`, known are `where_old_value_contains` and `count`"),
            )),
        }
    }
    if errors.is_empty() { Ok(read) } else { Err(errors) }
}

#[cfg(test)]
mod tests {
    use super::TermEdit;
    use crate::told::told;

    /// Reads `text` as edits and compares their items, or its errors as `range message`.
    fn check(text: &str, expected: &[&str]) {
        let items = super::edits(text).map(|edits| edits.into_iter().map(TermEdit::into_item).collect());
        assert_eq!(told(items), expected);
    }

    #[test]
    fn edits_become_items() {
        check(
            "[{set, [auth_api_url], \"http://127.0.0.1:2800\"},\n {set, [sql, driver], \"x\", [{count, all}]}].\n",
            &[
                "set auth_api_url = \"http://127.0.0.1:2800\"",
                "set sql > driver, all = \"x\"",
            ],
        );
        check(
            "[{set, [url], \"a\", [{where_old_value_contains, \"VHTPlatformWS\"}, {count, one}]},\n {set, [url], \"b\", [{where_old_value_contains, \"NoAccessPage\"}]}].\n",
            &[
                "set url where old value contains \"VHTPlatformWS\" = \"a\"",
                "set url where old value contains \"NoAccessPage\" = \"b\"",
            ],
        );
    }

    #[test]
    fn everything_outside_the_vocabulary_is_refused() {
        check(
            "[{set, [a], 1}, {append, [b], 2}].\n",
            &["16..32 expected `{set, [key], value}` or `{set, [key], value, [options]}`"],
        );
        check(
            "[{set, a, 1}].\n",
            &["7..8 the key path has to be a list of atoms that is not empty"],
        );
        check(
            "[{set, [], 1}, {set, [\"a\"], 1}, {set, [b]}, {set, [a], 1, []}].\n",
            &[
                "7..9 the key path has to be a list of atoms that is not empty",
                "21..26 the key path has to be a list of atoms that is not empty",
                "32..42 expected `{set, [key], value}` or `{set, [key], value, [options]}`",
                "58..60 the options have to be a list that is not empty",
            ],
        );
        check(
            "[{set, [a], 1, [{count, 2}, {only, x}, all, {where_old_value_contains, \"\"}]}].\n",
            &[
                "24..25 `count` is either `one` or `all`",
                "28..37 unknown option `only`, known are `where_old_value_contains` and `count`",
                "39..42 expected an option such as `{count, one}`",
                "71..73 `where_old_value_contains` takes a string that is not empty",
            ],
        );
    }

    #[test]
    fn two_edits_never_match_the_same_place() {
        check(
            "[{set, [a], 1}, {set, [a], 2}].\n",
            &["16..29 another edit of `a` can match the same place"],
        );
        check(
            "[{set, [a], 1, [{where_old_value_contains, \"x\"}]}, {set, [a], 2}].\n",
            &["51..64 another edit of `a` can match the same place"],
        );
        check(
            "[{set, [a], 2}, {set, [a], 1, [{where_old_value_contains, \"x\"}]}].\n",
            &["16..64 another edit of `a` can match the same place"],
        );
        check(
            "[{set, [a], 1, [{count, one}, {count, one}]}].\n",
            &["30..42 `count` is given twice"],
        );
    }
}
