//! Filters and functions of templates that quote nothing: those that count, and those of the engine that would break a bound or quotes.
//!
//! A filter of the engine that changes a text keeps the mark that says it is quoted, though it may have cut or doubled a quote. So
//! those that are needed are made anew here, for texts that are not quoted yet and with a bound, and the others do not exist. What is left of the
//! engine's (`length`, `first`, `sort`, …) makes nothing longer than the facts are. This file must not know formats.

use std::fmt::Write as _;

use tera::{Kwargs, State, Tera, TeraResult, Value};

use super::{EXCEEDED_PREFIX, count, count_bytes};
use crate::templates::meter;

/// Filters of the engine that do not exist here.
const REFUSED: &[&str] = &[
    "escape",
    "escape_html",
    "escape_xml",
    "newlines_to_br",
    "pluralize",
    "capitalize",
    "title",
    "truncate",
    "indent",
    "str",
    "split",
    "unique",
    "group_by",
];

/// Most numbers `range` gives.
const LONGEST_RANGE: u64 = 100_000;

/// Registers all of them.
pub(super) fn register(tera: &mut Tera) {
    for &name in REFUSED {
        tera.register_filter(
            name,
            move |_: Value, _: Kwargs, _: &State<'_>| -> TeraResult<Value> {
                Err(tera::Error::message(format!(
                    "`{name}` is not available in templates of cbgen"
                )))
            },
        );
    }
    tera.register_filter(meter::WALK, walk);
    tera.register_filter(meter::KEEP, keep);
    tera.register_filter(meter::ENTER, enter);
    for (name, change) in CHANGES {
        tera.register_filter(
            *name,
            move |value: Value, _: Kwargs, _: &State<'_>| -> TeraResult<Value> {
                let text = plain(name, &value)?;
                count_bytes(text.len())?;
                Ok(Value::normal_string(&change(text)))
            },
        );
    }
    tera.register_filter("replace", replace);
    tera.register_filter("join", join);
    tera.register_function("range", range);
}

type Change = fn(&str) -> String;

const CHANGES: &[(&str, Change)] = &[
    ("upper", |text| text.to_uppercase()),
    ("lower", |text| text.to_lowercase()),
    ("trim", |text| text.trim().to_owned()),
    ("trim_start", |text| text.trim_start().to_owned()),
    ("trim_end", |text| text.trim_end().to_owned()),
];

/// A text that is not quoted yet.
fn plain<'v>(name: &str, value: &'v Value) -> TeraResult<&'v str> {
    let text = value
        .as_str()
        .ok_or_else(|| tera::Error::message(format!("`{name}` changes text, not {}", value.name())))?;
    if value.is_safe() {
        return Err(tera::Error::message(format!(
            "`{name}` would change what is quoted already: put it in front of the quoting filter"
        )));
    }
    Ok(text)
}

fn too_long() -> tera::Error {
    tera::Error::message(format!(
        "{EXCEEDED_PREFIX}the value grows beyond {} MiB; print it in pieces",
        meter::LONGEST_VALUE >> 20
    ))
}

/// Refuses a list that is written out and holds more than it may.
fn check_list(value: &Value, arguments: &Kwargs) -> TeraResult<()> {
    if arguments.get::<bool>("list")?.unwrap_or(false) {
        let mut left = meter::LARGEST_LIST;
        if !holds_at_most(value, &mut left) {
            return Err(tera::Error::message(format!(
                "{EXCEEDED_PREFIX}the list holds more than {} things",
                meter::LARGEST_LIST
            )));
        }
    }
    Ok(())
}

/// Counts everything in a value, as if nothing in it were shared.
fn holds_at_most(value: &Value, left: &mut usize) -> bool {
    let Some(rest) = left.checked_sub(1) else {
        return false;
    };
    *left = rest;
    match (value.as_array(), value.as_map()) {
        (Some(items), _) => items.iter().all(|item| holds_at_most(item, left)),
        (None, Some(map)) => map.values().all(|item| holds_at_most(item, left)),
        (None, None) => true,
    }
}

/// Counts what a loop runs over.
#[expect(clippy::needless_pass_by_value, reason = "the engine asks for it")]
fn walk(value: Value, arguments: Kwargs, _: &State<'_>) -> TeraResult<Value> {
    if let Some(number) = arguments.get::<u64>("at")? {
        meter::enter_loop(number);
    }
    check_list(&value, &arguments)?;
    // What has no length cannot be run over either, which the engine says.
    count(value.len().unwrap_or(0) + 1)?;
    Ok(value)
}

/// Counts what a variable holds, and refuses what would only be a step to something longer.
#[expect(clippy::needless_pass_by_value, reason = "the engine asks for it")]
fn keep(value: Value, arguments: Kwargs, _: &State<'_>) -> TeraResult<Value> {
    check_list(&value, &arguments)?;
    let Some(text) = value.as_str() else {
        meter::hold(value.len().unwrap_or(0));
        count(1)?;
        return Ok(value);
    };
    if text.len() > meter::LONGEST_VALUE {
        return Err(too_long());
    }
    meter::hold(text.len() / meter::BYTES_OF_A_STEP);
    count_bytes(text.len() + meter::BYTES_OF_A_STEP)?;
    Ok(value)
}

/// Counts a partial.
fn enter(_: Value, _: Kwargs, _: &State<'_>) -> TeraResult<Value> {
    count(1)?;
    Ok(Value::safe_string(""))
}

#[expect(clippy::needless_pass_by_value, reason = "the engine asks for it")]
fn replace(value: Value, arguments: Kwargs, _: &State<'_>) -> TeraResult<Value> {
    let text = plain("replace", &value)?;
    let (from, to): (Value, Value) = (arguments.must_get("from")?, arguments.must_get("to")?);
    let (from, to) = (plain("replace", &from)?, plain("replace", &to)?);
    let grows = text.matches(from).count().saturating_mul(to.len());
    if text.len().saturating_add(grows) > meter::LONGEST_VALUE {
        return Err(too_long());
    }
    count_bytes(text.len() + grows)?;
    Ok(Value::normal_string(&text.replace(from, to)))
}

#[expect(clippy::needless_pass_by_value, reason = "the engine asks for it")]
fn join(value: Value, arguments: Kwargs, _: &State<'_>) -> TeraResult<Value> {
    let Some(items) = value.as_array() else {
        return Err(tera::Error::message(format!(
            "`join` joins lists, not {}",
            value.name()
        )));
    };
    let between: Option<Value> = arguments.get("sep")?;
    let between = between.as_ref().map_or(Ok(""), |value| plain("join", value))?;
    let mut joined = String::new();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            joined.push_str(between);
        }
        if item.is_number() {
            // Writing to a text cannot fail.
            let _ = write!(joined, "{item}");
        } else {
            joined.push_str(plain("join", item)?);
        }
        if joined.len() > meter::LONGEST_VALUE {
            return Err(too_long());
        }
    }
    count_bytes(joined.len())?;
    Ok(Value::normal_string(&joined))
}

#[expect(clippy::needless_pass_by_value, reason = "the engine asks for it")]
fn range(arguments: Kwargs, _: &State<'_>) -> TeraResult<Value> {
    let start = arguments.get::<u64>("start")?.unwrap_or(0);
    let end = arguments.must_get::<u64>("end")?;
    if end.saturating_sub(start) > LONGEST_RANGE {
        return Err(tera::Error::message(format!(
            "{EXCEEDED_PREFIX}`range` gives at most {LONGEST_RANGE} numbers"
        )));
    }
    let numbers: Vec<u64> = (start..end).collect();
    count(numbers.len())?;
    Ok(Value::from_serializable(&numbers))
}
