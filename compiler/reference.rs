//! The reference of the inventory format, made from the types: `docs/inventory.md` and what `cbgen explain` says about a
//! key, a requirement or a defect of the vendor guide.
//!
//! Meanings, defaults, bounds and examples are those of the schema; which checks touch a key follows from the examples on the
//! checks' own pages. This module must not know any particular key.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use crate::catalogue::{Catalogue, Entry};
use crate::codes::{self, Code};
use crate::diag::{nearest, one_of};
use crate::explain;
use crate::formats::Cut as _;
use crate::inventory::{Schema, accept, yaml_scalar};

/// The version in which keys without a mark of their own came.
const FIRST: &str = "0.1";

/// One key of the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its path, for example `sql.ole.user` or `servers[].fqdn`.
    pub path: String,
    /// What it takes, in words.
    pub kind: String,
    /// Whether its section must have it.
    pub required: bool,
    /// Its default as YAML, when the schema has one.
    pub default: Option<String>,
    /// What it means.
    pub meaning: String,
    /// A value as YAML.
    pub example: Option<String>,
    /// Version that brought it.
    pub since: String,
    /// Whether it is a section with keys of its own.
    pub is_section: bool,
}

/// Every key in the order of the format.
pub fn keys() -> Vec<Key> {
    keys_of(&Schema::merged())
}

fn keys_of(schema: &Value) -> Vec<Key> {
    let definitions = schema.get("$defs").cloned().unwrap_or_default();
    let mut found = Vec::new();
    walk(schema, &definitions, "", &mut found);
    found
}

/// The key that a place in an inventory has, such as `servers.CORE01.proxy`: items of lists are called by name or number.
pub fn key_at(place: &str) -> Option<Key> {
    let fits = |path: &str| {
        let mut steps = place.split('.').peekable();
        let names = path.split('.').all(|segment| {
            let is_list = segment.ends_with("[]");
            let fits = steps.next() == Some(segment.trim_end_matches("[]"));
            // The item itself.
            if is_list {
                steps.next();
            }
            fits
        });
        names && steps.peek().is_none()
    };
    keys()
        .into_iter()
        .find(|key| fits(key.path.trim_end_matches("[]")))
}

/// A field with its references followed; what stands beside a reference wins.
fn resolved(field: &Value, definitions: &Value) -> Value {
    let mut own = field.as_object().cloned().unwrap_or_default();
    if let Some(branches) = own.get("anyOf").and_then(Value::as_array) {
        let named = branches.iter().find(|branch| branch.get("$ref").is_some());
        if let Some(reference) = named.and_then(|branch| branch.get("$ref")).cloned() {
            own.insert("$ref".into(), reference);
        }
    }
    let reference = own.get("$ref").and_then(Value::as_str);
    let Some(name) = reference.and_then(|reference| reference.strip_prefix("#/$defs/")) else {
        return Value::Object(own);
    };
    let mut whole = resolved(definitions.get(name).unwrap_or(&Value::Null), definitions);
    if let Some(target) = whole.as_object_mut() {
        target.extend(own.into_iter().filter(|(key, _)| key != "$ref" && key != "anyOf"));
    }
    whole
}

fn walk(schema: &Value, definitions: &Value, path: &str, found: &mut Vec<Key>) {
    let required = schema.get("required").and_then(Value::as_array);
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, field) in properties.into_iter().flatten() {
        let field = resolved(field, definitions);
        let dot = if path.is_empty() { "" } else { "." };
        let path = format!("{path}{dot}{name}");
        let items = field.get("items").map(|items| resolved(items, definitions));
        let sections = items.as_ref().filter(|items| items.get("properties").is_some());
        found.push(Key {
            kind: kind(&field, items.as_ref()),
            required: required.is_some_and(|required| required.iter().any(|key| key == name)),
            default: field
                .get("default")
                .filter(|default| !default.is_null() && !default.is_object())
                .map(yaml_scalar),
            meaning: text(&field, "description"),
            example: field
                .get("examples")
                .and_then(|examples| examples.get(0))
                .map(yaml_scalar),
            since: field
                .get("x-since")
                .and_then(Value::as_str)
                .unwrap_or(FIRST)
                .to_owned(),
            is_section: field.get("properties").is_some() || sections.is_some(),
            path: path.clone(),
        });
        match sections {
            Some(items) => walk(items, definitions, &format!("{path}[]"), found),
            None => walk(&field, definitions, &path, found),
        }
    }
}

fn text(field: &Value, key: &str) -> String {
    let text = field.get(key).and_then(Value::as_str).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a field takes, in words.
fn kind(field: &Value, items: Option<&Value>) -> String {
    let types: Vec<&str> = match field.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let choices = choices(field);
    let mut words = if !choices.is_empty() {
        one_of(choices.iter().map(String::as_str))
    } else if types.contains(&"array") {
        match items {
            Some(items) if items.get("properties").is_some() => "list of sections".to_owned(),
            Some(items) => format!("list of: {}", kind(items, None)),
            None => "list".to_owned(),
        }
    } else if field.get("properties").is_some() || types.contains(&"object") {
        "section".to_owned()
    } else if types.contains(&"boolean") {
        "`true` or `false`".to_owned()
    } else if types.contains(&"integer") {
        match (field.get("minimum"), field.get("maximum")) {
            (Some(low), Some(high)) => format!("whole number from {low} to {high}"),
            _ => "whole number".to_owned(),
        }
    } else if let Some(form) = field.get("format").and_then(Value::as_str) {
        form_words(form).to_owned()
    } else if field.get("oneOf").is_some() {
        "text or list of texts".to_owned()
    } else {
        "text".to_owned()
    };
    if let Some(longest) = field.get("maxLength").filter(|_| choices.is_empty()) {
        let _ = write!(words, ", at most {longest} characters");
    }
    words
}

fn choices(field: &Value) -> Vec<String> {
    if let Some(values) = field.get("enum").and_then(Value::as_array) {
        let values = values.iter().filter(|value| !value.is_null());
        return values.map(yaml_scalar).collect();
    }
    let branches = field.get("oneOf").and_then(Value::as_array);
    let constants = branches
        .into_iter()
        .flatten()
        .filter_map(|branch| branch.get("const"));
    constants.map(yaml_scalar).collect()
}

fn form_words(form: &str) -> &'static str {
    match form {
        "cbgen-fqdn" => "fully qualified domain name",
        "cbgen-host-name" => "Windows host name",
        "cbgen-config-file" => "file name ending with `.config`",
        "cbgen-secret-name" => "name of a secret",
        "cbgen-windows-folder" => "folder on a local drive",
        "cbgen-windows-file" => "file on a local drive",
        "cbgen-product-version" | "cbgen-rabbitmq-version" => "version of three numbers",
        "cbgen-dotnet-version" => "version of two or three numbers",
        "cbgen-sql-server" => "server, `SERVER\\INSTANCE` or `SERVER,PORT`",
        "cbgen-sql-table" => "`schema.table`",
        "cbgen-date-time" => "RFC 3339 moment with offset",
        "cbgen-date" => "day, `YYYY-MM-DD`",
        "cbgen-http-url" => "address with http or https",
        "cbgen-https-url" => "address with https",
        "cbgen-path-below" => "path below the folder of the file",
        "cbgen-version-range" => "range of versions",
        _ => "text",
    }
}

/// The checks whose pages show a key in an example or name it in their words, by its path.
///
/// # Panics
/// When a code has no page, which a test refuses.
pub fn checks_by_key() -> BTreeMap<String, Vec<Code>> {
    let mut found: BTreeMap<String, Vec<Code>> = BTreeMap::new();
    let of_inventories = codes::ALL
        .iter()
        .filter(|code| ("CB03".."CB05").contains(&code.id()));
    let known: BTreeSet<String> = keys()
        .into_iter()
        .map(|key| key.path)
        .filter(|path| path.contains('.') && !path.starts_with("defaults"))
        .collect();
    for code in of_inventories {
        let page = explain::page(*code).expect("every code has a page, and a test says so");
        let mut paths: BTreeSet<String> = page
            .split("```yaml\n")
            .skip(1)
            .filter_map(|block| block.split("```").next())
            .flat_map(paths)
            .collect();
        let words = page.split('`').skip(1).step_by(2);
        paths.extend(words.filter(|word| known.contains(*word)).map(str::to_owned));
        for path in paths {
            found.entry(path).or_default().push(*code);
        }
    }
    found
}

/// The key of servers that a key below `defaults` is: what touches the one touches the other.
fn of_a_server(path: &str) -> String {
    let shared = path
        .strip_prefix("defaults.")
        .and_then(|rest| rest.split_once('.'));
    shared.map_or_else(|| path.to_owned(), |(_, key)| format!("servers[].{key}"))
}

/// Paths of the keys of a YAML example, list items as `[]`.
fn paths(yaml: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut stack: Vec<(usize, String)> = Vec::new();
    for line in yaml.lines() {
        let line = line.split_once(" #").map_or(line, |(line, _)| line);
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let mut indent = line.len() - trimmed.len();
        let mut rest = trimmed;
        while stack.last().is_some_and(|(at, _)| *at >= indent) {
            stack.pop();
        }
        if let Some(item) = rest.strip_prefix("- ") {
            let parent = stack.last().map(|(_, path)| path.clone()).unwrap_or_default();
            stack.push((indent, format!("{parent}[]")));
            indent += 2;
            rest = item.trim_start();
        }
        let parent = stack.last().map(|(_, path)| path.clone()).unwrap_or_default();
        // `{ a: 1, b: { c: 2 } }` on one line.
        let mut flow = vec![parent];
        for part in rest.split_inclusive(['{', '}', ',', '[', ']']) {
            let (key, value) = part.split_once(':').unwrap_or(("", part));
            let key = key.trim().trim_start_matches(['{', '[', ' ']);
            let is_key = !key.is_empty()
                && key
                    .chars()
                    .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
            let here = flow.last().cloned().unwrap_or_default();
            let dot = if here.is_empty() { "" } else { "." };
            let path = format!("{here}{dot}{key}");
            if is_key {
                found.push(path.clone());
                if value.trim().is_empty() && flow.len() == 1 {
                    stack.push((indent, path.clone()));
                }
            }
            match part.chars().next_back() {
                Some('{') => flow.push(if is_key { path } else { here }),
                Some('[') => flow.push(format!("{}[]", if is_key { path } else { here })),
                Some('}' | ']') if flow.len() > 1 => {
                    flow.pop();
                }
                _ => {}
            }
        }
    }
    // A section is touched by what touches its keys, which have their own entries.
    let is_leaf = |path: &String| {
        let own = format!("{path}.");
        let items = format!("{path}[]");
        !found
            .iter()
            .any(|other| other.starts_with(&own) || other.starts_with(&items))
    };
    found.iter().filter(|path| is_leaf(path)).cloned().collect()
}

/// The page of a key, as `explain` prints it. Lists may be written without `[]`, and with the number or name of an item:
/// `servers.fqdn`, `servers[0].fqdn`, `servers.CORE01.fqdn`.
pub fn key_page(wanted: &str) -> Option<String> {
    let plain = |path: &str| {
        let (first, rest) = path.split_once('[').unwrap_or((path, ""));
        let rest = rest.split('[');
        let rest = rest.map(|part| part.split_once(']').map_or(part, |(_, rest)| rest));
        format!("{first}{}", rest.collect::<String>()).to_ascii_lowercase()
    };
    let keys = keys();
    let named = keys.iter().find(|key| plain(&key.path) == plain(wanted)).cloned();
    let key = named.or_else(|| key_at(wanted))?;
    let mut page = format!("# {}\n\n{}\n\n", key.path, key.meaning);
    let needed = match (&key.default, key.required) {
        (_, true) => "required".to_owned(),
        (Some(default), false) => format!("default `{default}`"),
        (None, false) => "optional".to_owned(),
    };
    let _ = writeln!(page, "{}; {needed}; since {}", key.kind, key.since);
    if let Some(example) = &key.example {
        let name = key.path.rsplit('.').next().unwrap_or(&key.path).replace("[]", "");
        let _ = write!(page, "\n```yaml\n{name}: {example}\n```\n");
    }
    let below: Vec<&Key> = keys
        .iter()
        .filter(|other| {
            let rest = other
                .path
                .strip_prefix(key.path.as_str())
                .and_then(|rest| rest.trim_start_matches("[]").strip_prefix('.'));
            rest.is_some_and(|rest| !rest.contains('.'))
        })
        .collect();
    if !below.is_empty() {
        page.push_str("\nKeys:\n");
        for other in below {
            let _ = writeln!(page, "  {}  {}", other.path, first_sentence(&other.meaning));
        }
    }
    if let Some(codes) = checks_by_key().get(&of_a_server(&key.path)) {
        page.push_str(&list_of_checks(codes));
    }
    Some(page)
}

fn list_of_checks<'c>(codes: impl IntoIterator<Item = &'c Code>) -> String {
    let mut text = String::from("\nChecks:\n");
    for code in codes {
        let _ = writeln!(text, "  {}  {}", code.id(), code.title());
    }
    text
}

fn first_sentence(text: &str) -> &str {
    text.split_once(". ")
        .map_or(text, |(first, _)| first)
        .trim_end_matches('.')
}

/// The page of a requirement or defect of the vendor guide.
pub fn requirement_page(entry: &Entry) -> String {
    let what = if entry.is_defect() {
        "defect"
    } else {
        "requirement"
    };
    let mut page = format!(
        "# {}: {}\n\nA {what} of the vendor guide, section \"{}\".\n",
        entry.id, entry.title, entry.section
    );
    for (said, words) in [
        (&entry.resolution, "What cbgen does"),
        (&entry.accounted, "Where it is accounted for"),
    ] {
        if let Some(said) = said {
            let _ = write!(page, "\n{words}: {said}\n");
        }
    }
    let named: Vec<String> = keys()
        .iter()
        .filter(|key| mentions(&key.meaning, &entry.id))
        .map(|key| key.path.clone())
        .collect();
    if !named.is_empty() {
        let _ = write!(page, "\nKeys: {}\n", named.join(", "));
    }
    let checks: Vec<&Code> = codes::ALL
        .iter()
        .filter(|code| explain::page(**code).is_some_and(|page| mentions(page, &entry.id)))
        .collect();
    if !checks.is_empty() {
        page.push_str(&list_of_checks(checks));
    }
    page
}

/// Whether a text names an id, and not a longer one.
fn mentions(text: &str, id: &str) -> bool {
    text.match_indices(id).any(|(at, _)| {
        !text
            .cut(at + id.len()..)
            .starts_with(|letter: char| letter.is_ascii_digit())
    })
}

/// Everything `explain` knows, one line each.
pub fn list(catalogue: &Catalogue) -> String {
    let mut text = String::new();
    for code in codes::ALL {
        let _ = writeln!(
            text,
            "{:<10} {}: {}",
            code.id(),
            code.severity().word(),
            code.title()
        );
    }
    for entry in catalogue.entries() {
        let _ = writeln!(text, "{:<10} {}", entry.id, entry.title);
    }
    for key in keys() {
        let _ = writeln!(text, "{}  {}", key.path, first_sentence(&key.meaning));
    }
    text
}

/// What is nearest to a name that `explain` does not know.
pub fn near(catalogue: &Catalogue, wanted: &str) -> Option<String> {
    let paths: Vec<String> = keys().into_iter().map(|key| key.path).collect();
    let names = codes::ALL
        .iter()
        .map(|code| code.id())
        .chain(catalogue.ids())
        .chain(paths.iter().map(String::as_str));
    nearest(wanted, names).map(str::to_owned)
}

/// What `docs/inventory.md` must contain.
pub fn page() -> String {
    let mut text = INTRODUCTION
        .replace("PLATFORMS\n", &crate::check::platforms())
        .replace("PROJECT_KEYS\n", &project_keys());
    let checks = checks_by_key();
    let keys = keys();
    // One table a section, each where its first key stands; sections of a section follow it.
    let section = |key: &Key| key.path.rsplit_once('.').map_or("", |(own, _)| own).to_owned();
    let mut sections: Vec<String> = Vec::new();
    for key in &keys {
        let own = section(key);
        if !sections.contains(&own) {
            sections.push(own);
        }
    }
    let mut shown: BTreeMap<String, String> = BTreeMap::new();
    for own in &sections {
        let title = if own.is_empty() {
            "The outermost keys".to_owned()
        } else {
            format!("`{own}`")
        };
        let _ = write!(text, "\n### {title}\n\n");
        if let Some(of) = keys.iter().find(|key| key.path == own.trim_end_matches("[]")) {
            let _ = write!(text, "{}\n\n", of.meaning);
        }
        let rows = rows(keys.iter().filter(|key| section(key) == *own), &checks);
        if let Some(other) = shown.get(&rows) {
            let _ = writeln!(text, "The same keys as {other}.");
            continue;
        }
        text.push_str("| key | type | default | since | meaning | example | checks |\n| --- | --- | --- | --- | --- | --- | --- |\n");
        text.push_str(&rows);
        shown.insert(rows, title);
    }
    text.push_str(WARNINGS);
    for code in codes::ALL.iter().filter(|code| accept::takes(**code)) {
        let _ = writeln!(
            text,
            "| [{id}](errors/{id}.md) | {} |",
            code.title(),
            id = code.id()
        );
    }
    text
}

/// The keys of the project file as a table.
fn project_keys() -> String {
    let mut text =
        "| key | type | default | meaning | example |\n| --- | --- | --- | --- | --- |\n".to_owned();
    for key in keys_of(&Schema::project()) {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} |",
            key.path,
            key.kind,
            key.default
                .map_or_else(|| "–".to_owned(), |default| format!("`{default}`")),
            key.meaning,
            key.example
                .map_or_else(String::new, |example| format!("`{example}`")),
        );
    }
    text
}

/// The rows of a section's table.
fn rows<'k>(keys: impl Iterator<Item = &'k Key>, checks: &BTreeMap<String, Vec<Code>>) -> String {
    let mut text = String::new();
    for key in keys {
        let name = key.path.rsplit('.').next().unwrap_or_default();
        let default = match (&key.default, key.required) {
            (_, true) => "**required**".to_owned(),
            (Some(default), _) => format!("`{default}`"),
            (None, _) => "–".to_owned(),
        };
        // A default is an example as well.
        let example = match key.example.as_ref().or(key.default.as_ref()) {
            Some(example) => format!("`{example}`"),
            None if key.is_section => "its table below".to_owned(),
            None => String::new(),
        };
        let touched: Vec<String> = checks
            .get(&of_a_server(&key.path))
            .into_iter()
            .flatten()
            .map(|code| format!("[{id}](errors/{id}.md)", id = code.id()))
            .collect();
        let cells = [
            format!("`{name}`"),
            key.kind.clone(),
            default,
            key.since.clone(),
            key.meaning.clone(),
            example,
            touched.join(" "),
        ];
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

const INTRODUCTION: &str = include_str!("reference/introduction.md");
const WARNINGS: &str = include_str!("reference/warnings.md");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::catalogue;

    #[test]
    fn every_key_has_a_meaning_and_optional_ones_a_default_or_an_example() {
        let mut complaints = Vec::new();
        for key in keys() {
            if key.meaning.is_empty() {
                complaints.push(format!("{} has no meaning", key.path));
            }
            if !key.is_section && !key.required && key.default.is_none() && key.example.is_none() {
                complaints.push(format!("{} has neither default nor example", key.path));
            }
        }
        assert_eq!(complaints, Vec::<String>::new());
    }

    #[test]
    fn examples_of_pages_name_keys_that_exist() {
        let keys: BTreeSet<String> = keys().into_iter().map(|key| key.path).collect();
        let open = ["servers[].rabbitmq.upstreams[].keep."];
        let unknown: Vec<String> = checks_by_key()
            .into_iter()
            .filter(|(path, _)| !keys.contains(path) && !open.iter().any(|open| path.starts_with(open)))
            .map(|(path, codes)| {
                format!(
                    "{path}: {}",
                    codes.iter().map(|code| code.id()).collect::<Vec<_>>().join(" ")
                )
            })
            .collect();
        assert_eq!(unknown, Vec::<String>::new());
    }

    #[test]
    fn paths_of_examples() {
        let check = |yaml: &str| paths(yaml);
        assert_eq!(
            check("a:\n  b: 1   # x\n  c: { d: 1, e: { f: 2 } }\ng: [x]\n"),
            ["a.b", "a.c.d", "a.c.e.f", "g"]
        );
        assert_eq!(
            check("s:\n  - name: X\n    r: { u: [{ v: 1 }] }\n"),
            ["s[].name", "s[].r.u[].v"]
        );
    }

    #[test]
    fn keys_and_requirements_are_explained() {
        let page = key_page("sql.ole.user").unwrap();
        assert!(page.contains("CB0345") && page.contains("optional"), "{page}");
        let page = key_page("servers[].fqdn").unwrap();
        for other in [
            "servers.fqdn",
            "servers[].FQDN",
            "servers[0].fqdn",
            "servers.CORE01.fqdn",
        ] {
            assert_eq!(key_page(other).as_ref(), Some(&page), "{other}");
        }
        assert!(key_page("sql").unwrap().contains("sql.server"));
        assert!(key_page("defaults.core.dotnet").unwrap().contains("CB0311"));
        let page = requirement_page(catalogue().find("DEF-31").unwrap());
        assert!(
            page.contains("proxy.config_trailing_slash") && page.contains("CB0421"),
            "{page}"
        );
        assert!(list(catalogue()).lines().count() > 400);
    }
}
