//! Schema errors in the words of an author.
//!
//! One message per mistake: what is wrong, where, what is possible, and what to write instead. A value that may be a
//! password is never repeated. This module decides nothing: the schema and the forms do.

use std::cell::RefCell;
use std::collections::BTreeSet;

use cbgen_formats::Cut as _;
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as ValueKind;
use serde_json::Value;

use super::Subject;
use super::scalars::{self, shorten};
use super::schema::{Field, Schema};
use super::value::{Places, member, unescape};
use super::wording::{and_list, bare, found, in_classes, inline, is_empty, is_secret, shown, wanted};
use crate::codes;
use crate::diag::{Diagnostic, Diagnostics, nearest, one_of};
use crate::source::Span;

/// What is known about the inventory while errors are explained.
pub(super) struct Explainer<'a> {
    pub(super) places: &'a Places,
    pub(super) schema: &'a Schema,
    pub(super) quiet: &'a BTreeSet<String>,
    /// Whether every layer was read: else a missing key may be in the part that was not read.
    pub(super) complete: bool,
    /// What the document is called.
    pub(super) subject: Subject,
    /// Keys that were said to be missing in servers: what several servers lack is one finding.
    pub(super) lacking_in_servers: RefCell<BTreeSet<String>>,
}

/// What an inventory is called.
pub(super) const INVENTORY: Subject = Subject {
    the: "the inventory",
    a: "an inventory",
    is_inventory: true,
};

/// Whether an error is about the form or the length of one text.
pub(super) fn is_about_the_text(error: &ValidationError<'_>) -> bool {
    matches!(
        error.kind(),
        ValueKind::MinLength { .. }
            | ValueKind::MaxLength { .. }
            | ValueKind::Pattern { .. }
            | ValueKind::Format { .. }
    )
}

impl Explainer<'_> {
    /// Reports one schema error, which may be several findings.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is open for extension")]
    pub(super) fn explain(&self, diagnostics: &mut Diagnostics, error: &ValidationError<'_>) {
        let pointer = error.instance_path().as_str();
        if self.is_quiet(pointer) {
            return;
        }
        let value = error.instance();
        let Some(field) = self.schema.root().at(pointer) else {
            return;
        };
        // Every keyword the model's schema can produce is named; the rest keeps the validator's words.
        let finding = match error.kind() {
            ValueKind::AdditionalProperties { unexpected } => {
                let reported = |key: &&String| key.as_str() != super::yaml::MERGE;
                for key in unexpected.iter().filter(reported).take(super::MAX_FINDINGS) {
                    diagnostics.push(self.unknown_key(pointer, key, field));
                }
                return;
            }
            ValueKind::PropertyNames { error } => {
                let key = error.instance().as_str().expect("keys are texts");
                let ValueKind::Enum { options } = error.kind() else {
                    return;
                };
                let known: Vec<&str> = options
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                diagnostics.push(self.unknown_among(pointer, key, &known));
                return;
            }
            ValueKind::Required { property } => {
                let merges = value.get(super::yaml::MERGE).is_some();
                if self.complete && !merges {
                    let key = property.as_str().expect("keys are texts");
                    self.lacking(diagnostics, pointer, key, field);
                }
                return;
            }
            ValueKind::MinItems { .. } if !self.complete => return,
            // It is none of the choices either, which says more.
            ValueKind::Type { .. } if field.choices().is_some() => return,
            ValueKind::Type { .. } => self.wrong_type(pointer, value, field),
            ValueKind::Enum { .. } | ValueKind::Constant { .. } => self.not_a_choice(pointer, value, field),
            ValueKind::Minimum { .. } | ValueKind::Maximum { .. } => self.out_of_range(pointer, value, field),
            ValueKind::MinLength { .. }
            | ValueKind::MaxLength { .. }
            | ValueKind::MinItems { .. }
            | ValueKind::MaxItems { .. } => self.wrong_length(pointer, value, error.kind()),
            ValueKind::Pattern { pattern } => self.wrong_pattern(pointer, value, pattern, field),
            ValueKind::Format { format } => self.wrong_form(pointer, value, format, field),
            ValueKind::UniqueItems => self.repeated_item(pointer, value),
            _ => Diagnostic::new(
                codes::WRONG_FORM,
                format!("{} is refused: {error}", self.name(pointer)),
            ),
        };
        let mut finding = match finding.primary {
            Some(_) => finding,
            None => finding.at_opt(self.visible(pointer)),
        };
        if let Some(text) = value.as_str()
            && text != text.trim()
            && !text.trim().is_empty()
        {
            finding = finding.help("remove the blank at its begin or end");
        }
        if value.is_null() && self.subject.is_inventory && pointer.contains('/') {
            let keep = "remove the line to keep what a lower layer sets";
            let help = match &finding.help {
                Some(help) => format!("{keep}, or {help}"),
                None => keep.to_owned(),
            };
            finding = finding
                .note("`null` takes away what a lower layer sets, and this key must have a value")
                .help(help);
        }
        diagnostics.push(finding);
    }

    fn is_quiet(&self, pointer: &str) -> bool {
        if self.quiet.is_empty() {
            return false;
        }
        let above = pointer.rmatch_indices('/').map(|(at, _)| pointer.cut(..at));
        std::iter::once(pointer)
            .chain(above)
            .any(|pointer| self.quiet.contains(pointer))
    }

    /// The value where it has bytes, else its key.
    fn visible(&self, pointer: &str) -> Option<Span> {
        self.places
            .value(pointer)
            .filter(|span| span.start != span.end)
            .or_else(|| self.places.nearest(pointer))
    }

    /// `proxy.fqdn`, `servers[CORE01].fqdn`, `the inventory`.
    pub(super) fn name(&self, pointer: &str) -> String {
        if pointer.is_empty() {
            return self.subject.the.to_owned();
        }
        let mut name = String::new();
        let mut walked = String::new();
        for segment in pointer.split('/').skip(1) {
            walked.push('/');
            walked.push_str(segment);
            let in_list = segment.parse::<usize>().is_ok();
            if in_list {
                let label = self.places.text(&format!("{walked}/name")).map(shorten);
                name.push('[');
                name.push_str(label.as_deref().unwrap_or(segment));
                name.push(']');
            } else {
                if !name.is_empty() {
                    name.push('.');
                }
                name.push_str(&shorten(&unescape(segment)));
            }
        }
        format!("`{name}`")
    }

    fn unknown_key(&self, pointer: &str, key: &str, field: Field<'_>) -> Diagnostic {
        let known: Vec<&str> = field.keys().collect();
        let mut finding = self.unknown_among(pointer, key, &known);
        let child = member(pointer, key);
        let is_scalar = self.places.text(&child).is_some();
        if let Some(help) = self.shared_by_servers(pointer, key, &child) {
            return finding.help(help);
        }
        if is_secret(pointer) || nearest(key, known.iter().copied()).is_some() {
            return finding;
        }
        // `{ reason: one, two }`: nobody means a key with blanks and without a value.
        if key.contains(' ') && self.places.text(&child) == Some("") {
            return finding
                .help("a comma inside `{ }` begins a new key: quote the whole text it belongs to, `'…, …'`");
        }
        let root = self.schema.root();
        let is_like_a_secret = crate::secrets::is_like_a_secret_name(key);
        let mut homes = Vec::new();
        homes_of(
            root,
            "",
            &mut |home: &str, name: &str, field: Field<'_>| {
                name == key && home != pointer
                    || is_like_a_secret
                        && field.property("secret").is_some()
                        && nearest(key, [name]).is_some()
            },
            &mut homes,
        );
        // In a section that names secrets an unknown value may be one, whatever it is called. Not so a key that only stands
        // in the wrong section.
        if is_scalar && homes.is_empty() && !pointer.is_empty() && names_a_secret(field) {
            finding = finding.redacted();
        }
        match homes.as_slice() {
            [] if is_like_a_secret && is_scalar => finding.help(
                "remove it, also from the history of the repository, and change the secret; an inventory only names secrets: \
                 `password: { secret: NAME }` in `sql.ole`",
            ),
            [] => finding,
            [(home, name)] if is_like_a_secret => finding
                .note(format!("`{name}` is a key of {}", place_name(home)))
                .help(format!("write `{name}: {{ secret: NAME }}` in {}; the engineer sets NAME when applying the bundle", place_name(home))),
            [(home, _)] => {
                let there = place_name(home);
                finding
                    .note(format!("`{}` is a key of {there}", shorten(key)))
                    .help(format!("move it to {there}"))
            }
            many => {
                let names: Vec<String> = many.iter().take(4).map(|(home, _)| place_name(home)).collect();
                finding
                    .note(format!("`{}` is a key of {}", shorten(key), names.join(", ")))
                    .help("move it where it belongs, or remove it")
            }
        }
    }

    fn unknown_among(&self, pointer: &str, key: &str, known: &[&str]) -> Diagnostic {
        let owner = if pointer.is_empty() {
            self.subject.a.to_owned()
        } else {
            self.name(pointer)
        };
        let secret = is_secret(pointer) || !crate::secrets::scan(key, &[]).is_empty();
        let message = if secret {
            format!("{owner} has an unknown key; it is not shown, it may hold a secret")
        } else {
            format!("`{}` is no key of {owner}", shorten(key))
        };
        let mut finding = Diagnostic::new(codes::UNKNOWN_KEY, message).at_opt(
            self.places
                .key(&member(pointer, key))
                .or_else(|| self.places.nearest(pointer)),
        );
        let mut others = known.to_vec();
        others.sort_unstable();
        finding = finding.note(format!("it may have {}", and_list(&others)));
        match nearest(key, known.iter().copied()) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help("remove the key; nothing would read it"),
        }
    }

    fn wrong_type(&self, pointer: &str, value: &Value, field: Field<'_>) -> Diagnostic {
        let name = self.name(pointer);
        let finding = Diagnostic::new(
            codes::WRONG_TYPE,
            format!("{name} must be {}, not {}", wanted(field), found(pointer, value)),
        );
        let text = value.as_str().unwrap_or("");
        if field.takes("array") && !value.is_array() {
            let item = if value.is_object() {
                "{ … }".to_owned()
            } else {
                shown(pointer, value)
            };
            if text.ends_with(']') && !text.starts_with('[') {
                let item = item.strip_suffix(']').unwrap_or(&item);
                return finding.help(format!("the bracket that opens the list is missing: `[{item}]`"));
            }
            return finding.help(format!(
                "write a list: `[{item}]`, or one `- ` line for each item"
            ));
        }
        if field.takes("integer") && text.parse::<i64>().is_ok() {
            return finding.help(format!("remove the quotes: `{text}`"));
        }
        if field.takes("boolean") {
            return finding.help("write `true` or `false` without quotes");
        }
        if field.takes("object") {
            let keys: Vec<&str> = field.keys().collect();
            // `name acme` and `name:acme` are texts: the colon with a blank behind it makes the key.
            let forgotten = keys.iter().find(|key| {
                text.strip_prefix(**key)
                    .is_some_and(|rest| rest.starts_with([' ', ':']))
            });
            if let Some(key) = forgotten {
                return finding
                    .note("only a colon with a blank behind it makes a key")
                    .help(format!("write a colon and a blank behind each key: `{key}: …`"));
            }
            let place = if pointer.is_empty() {
                "one `key: value` a line"
            } else {
                "on indented lines below it"
            };
            return finding.help(format!("write its keys {place}: {}", and_list(&keys)));
        }
        match field.example() {
            Some(example) => finding.help(format!("write it like `{}`", inline(example))),
            None => finding.help(format!("write {}", wanted(field))),
        }
    }

    fn not_a_choice(&self, pointer: &str, value: &Value, field: Field<'_>) -> Diagnostic {
        let words: Vec<String> = field.named_choices().map(bare).collect();
        let word = bare(value);
        if pointer == "/schema" {
            return Diagnostic::new(
                codes::INVENTORY_FORMAT,
                format!("inventory format `{}` is not supported", shorten(&word)),
            )
            .note("a newer format needs a newer cbgen")
            .help(format!("write {}", one_of(words.iter().map(String::as_str))));
        }
        let finding = Diagnostic::new(
            codes::NOT_A_CHOICE,
            format!(
                "{} must be {}, not {}",
                self.name(pointer),
                one_of(words.iter().map(String::as_str)),
                found(pointer, value)
            ),
        );
        // A number near another number is no misspelling, in quotes neither.
        let is_number = value.is_number()
            || value
                .as_str()
                .is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
        let finding = match field.note().filter(|_| is_number) {
            Some(note) => finding.note(note),
            None => finding,
        };
        if value.is_array() && !words.is_empty() {
            return finding.help("write one value, without brackets and without `-`");
        }
        if words.contains(&word) {
            return if value.is_string() {
                finding.help(format!("remove the quotes: `{word}`"))
            } else {
                finding.help(format!("quote it: '{word}'"))
            };
        }
        let near = value
            .as_str()
            .filter(|_| !is_number)
            .and_then(|text| nearest(text, words.iter().map(String::as_str)));
        match near {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help("write one of these values"),
        }
    }

    fn out_of_range(&self, pointer: &str, value: &Value, field: Field<'_>) -> Diagnostic {
        let (low, high) = field.range();
        let range = match (&low, &high) {
            (Some(low), Some(high)) => format!("from {low} to {high}"),
            (Some(low), None) => format!("at least {low}"),
            (None, Some(high)) => format!("at most {high}"),
            (None, None) => "in range".to_owned(),
        };
        Diagnostic::new(
            codes::OUT_OF_RANGE,
            format!(
                "{} must be {range}, not {}",
                self.name(pointer),
                shown(pointer, value)
            ),
        )
        .help(format!("write a whole number {range}"))
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is open for extension")]
    fn wrong_length(&self, pointer: &str, value: &Value, kind: &ValueKind) -> Diagnostic {
        let name = self.name(pointer);
        let (message, help) = match kind {
            ValueKind::MinLength { .. } | ValueKind::MinItems { .. } if is_empty(value) => (
                format!("{name} is empty"),
                "write at least one item or letter; an optional key may be removed".to_owned(),
            ),
            ValueKind::MaxLength { limit } => {
                let length = value.as_str().map_or(0, |text| text.chars().count());
                (
                    format!("{name} has {length} characters, more than {limit}"),
                    format!("shorten it to {limit} characters"),
                )
            }
            ValueKind::MinItems { limit } | ValueKind::MinLength { limit } => (
                format!("{name} is shorter than {limit}"),
                format!("write at least {limit}"),
            ),
            _ => (format!("{name} is too long"), "shorten it".to_owned()),
        };
        Diagnostic::new(codes::WRONG_LENGTH, message).help(help)
    }

    fn wrong_pattern(&self, pointer: &str, value: &Value, pattern: &str, field: Field<'_>) -> Diagnostic {
        let text = value.as_str().expect("only texts have a pattern");
        if let Some(finding) = self.not_acceptable(pointer, text) {
            return finding;
        }
        let secret = is_secret(pointer) || super::may_hold_secret(text);
        let why = match text.chars().find(|character| !in_classes(pattern, *character)) {
            _ if secret && !is_secret(pointer) => "its value is not shown, it may hold a secret".to_owned(),
            _ if secret => {
                "the name of a secret has only capital letters, digits and `_`, and begins with a letter"
                    .to_owned()
            }
            Some(bad) => format!("it holds {}", super::characters::name(bad)),
            None => "its first or last character may stand only inside".to_owned(),
        };
        let subject = if secret {
            self.name(pointer)
        } else {
            format!("{} cannot be `{}`", self.name(pointer), shorten(text))
        };
        let finding = Diagnostic::new(codes::WRONG_FORM, format!("{subject}: {why}"));
        let finding = if secret {
            finding.at_opt(self.places.key(pointer)).redacted()
        } else {
            finding
        };
        with_summary(finding, field, pointer)
    }

    /// A code in `accept` that is none of a warning of the checks.
    fn not_acceptable(&self, pointer: &str, text: &str) -> Option<Diagnostic> {
        let is_code_of_one = pointer.starts_with("/accept/") && pointer.ends_with("/code");
        if !is_code_of_one || is_secret(pointer) || super::may_hold_secret(text) {
            return None;
        }
        let id = text.to_ascii_uppercase();
        let (why, help) = match codes::find(&id) {
            Some(code) if code.severity() == codes::Severity::Error => (
                format!("it is the code of an error: {}", code.title()),
                format!("mend what `cbgen explain {id}` describes; only warnings can be accepted"),
            ),
            Some(code) if super::accept::takes(code) => (
                format!("a code is written in capital letters, `{}`", code.id()),
                format!("write `{}`", code.id()),
            ),
            Some(code) => (
                format!(
                    "nothing has to accept this warning, which is none of the checks: {}",
                    code.title()
                ),
                "remove the entry; warnings from `CB0401` to `CB0489` are accepted here, and `CB0493` to `CB0495`"
                    .to_owned(),
            ),
            None => (
                "no finding has this code".to_owned(),
                "write the code as the warning shows it; `cbgen explain --list` has all of them".to_owned(),
            ),
        };
        Some(
            Diagnostic::new(
                codes::WRONG_FORM,
                format!("{} cannot be `{}`: {why}", self.name(pointer), shorten(text)),
            )
            .help(help),
        )
    }

    fn wrong_form(&self, pointer: &str, value: &Value, format: &str, field: Field<'_>) -> Diagnostic {
        let text = value.as_str().expect("only texts have a form");
        let why = scalars::find(format)
            .and_then(|form| form(text).err())
            .unwrap_or_else(|| "it does not have the required form".to_owned());
        // What to do is part of many reasons, and help.
        let (why, advice) = match why.rsplit_once("; write ") {
            Some((why, advice)) => (why, Some(format!("write {advice}"))),
            None => (why.as_str(), None),
        };
        let code = if format.starts_with("cbgen-windows-") {
            codes::UNSAFE_WINDOWS_PATH
        } else {
            codes::WRONG_FORM
        };
        let credentials = super::may_hold_secret(text) || format == "cbgen-secret-name";
        let subject = if credentials {
            format!(
                "{} is refused; its value is not shown, it may hold a password",
                self.name(pointer)
            )
        } else if text.is_empty() {
            format!("{} is empty", self.name(pointer))
        } else {
            format!("{} cannot be `{}`: {why}", self.name(pointer), shorten(text))
        };
        let mut finding = with_summary(Diagnostic::new(code, subject), field, pointer);
        if field.example().is_none()
            && let Some(example) = scalars::example(format)
        {
            finding = finding.help(format!("write it like `{}`", inline(&Value::from(example))));
        }
        if let Some(advice) = advice.filter(|_| !credentials && !text.is_empty()) {
            finding = finding.help(advice);
        }
        if credentials { finding.redacted() } else { finding }
    }

    fn repeated_item(&self, pointer: &str, value: &Value) -> Diagnostic {
        let items = value.as_array().expect("only lists hold an item twice");
        let mut seen: Vec<(&Value, usize)> = Vec::new();
        let mut finding = Diagnostic::new(
            codes::REPEATED_ITEM,
            format!("{} holds an item twice", self.name(pointer)),
        );
        // Lists that must be unique have at most a handful of different items; the first repetition ends the search.
        for (index, item) in items.iter().enumerate() {
            if let Some((_, first)) = seen.iter().find(|(known, _)| *known == item) {
                finding.message = format!("{} holds {} twice", self.name(pointer), found(pointer, item));
                finding = finding.at_opt(self.places.value(&format!("{pointer}/{index}")));
                if let Some(span) = self.places.value(&format!("{pointer}/{first}")) {
                    finding = finding.related(span, "first written here");
                }
                break;
            }
            seen.push((item, index));
        }
        finding.help("remove one of the two")
    }
}

/// Whether a section, or one in it, has a key that names a secret.
fn names_a_secret(field: Field<'_>) -> bool {
    field.keys().any(|key| {
        field
            .property(key)
            .is_some_and(|inner| inner.property("secret").is_some() || names_a_secret(inner))
    })
}

/// Every section that has a key of which `fits` holds, by pointer: list items have `[]` in it.
pub(super) fn homes_of(
    section: Field<'_>,
    pointer: &str,
    fits: &mut dyn FnMut(&str, &str, Field<'_>) -> bool,
    homes: &mut Vec<(String, String)>,
) {
    for key in section.keys() {
        let Some(field) = section.property(key) else {
            continue;
        };
        if fits(pointer, key, field) {
            homes.push((pointer.to_owned(), key.to_owned()));
        }
        let (inner, suffix) = field.items().map_or((field, ""), |items| (items, "[]"));
        homes_of(inner, &format!("{pointer}/{key}{suffix}"), fits, homes);
    }
}

/// How the section at a pointer is called in a sentence.
fn place_name(pointer: &str) -> String {
    match pointer.strip_prefix('/') {
        None => "the top level".to_owned(),
        Some(path) => format!("`{}`", path.replace('/', ".")),
    }
}

fn with_summary(finding: Diagnostic, field: Field<'_>, pointer: &str) -> Diagnostic {
    let key = pointer
        .rsplit('/')
        .find(|segment| segment.parse::<usize>().is_err())
        .expect("a pointer begins with an empty segment");
    let finding = match field.summary() {
        Some(summary) => finding.note(format!("`{key}`: {summary}")),
        None => finding,
    };
    match field.example() {
        Some(example) => finding.help(format!("write it like `{}`", inline(example))),
        None => finding.help("write it in the required form"),
    }
}
