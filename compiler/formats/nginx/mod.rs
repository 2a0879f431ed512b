//! nginx configuration: quoting of values and the strict reader of generated files.
//!
//! [`items`] refuses what `nginx -t` refuses, and also what nginx accepts but reads differently than it was meant: a
//! forgotten `;`, a backslash in a path, a loop to the own listener, headers lost by inheritance. `read.rs` knows the
//! tokens, `table.rs` the directives, `rules.rs` what must hold between them. This module must not know which hosts or
//! ports an installation has.

mod read;
mod rules;
mod table;

use std::collections::BTreeMap;

use self::read::Directive;
use self::table::{DirectiveKind, rule_of};
use super::characters::only;
use super::{FactPath, FormatError, Item, Step, uri};

/// A value that needs no quoting: letters, digits and `. _ - / :`.
///
/// This is what happens to every value that no filter handles, so it refuses whatever has a meaning in nginx.
///
/// # Errors
/// Any other character, and an empty value.
pub fn escape(value: &str) -> Result<String, FormatError> {
    only(
        value,
        |c| c.is_ascii_alphanumeric() || "._-/:".contains(c),
        |c| format!("{c:?} cannot stand in nginx configuration without quotes; use `nginx_string`"),
    )?;
    Ok(value.to_owned())
}

/// A quoted argument that nginx reads as exactly `value`.
///
/// # Errors
/// An empty value, `$` (it begins a variable), a backslash (its meaning depends on the next character), and anything
/// but printable ASCII.
pub fn nginx_string(value: &str) -> Result<String, FormatError> {
    only(
        value,
        |c| matches!(c, ' '..='~') && c != '$' && c != '\\',
        |c| match c {
            '$' => "`$` would begin a variable".to_owned(),
            '\\' => "a backslash changes the meaning of the next character in nginx".to_owned(),
            _ => format!("{c:?} is not printable ASCII"),
        },
    )?;
    Ok(format!("\"{}\"", value.replace('"', "\\\"")))
}

/// A quoted path for nginx on Windows, with forward slashes.
///
/// # Errors
/// As [`nginx_string`], except that backslashes become slashes; also characters that no Windows path may hold
/// (`* ? " < > |`; the first two would be a pattern in `include`).
/// Source: <https://nginx.org/en/docs/windows.html>.
pub fn nginx_path(path: &str) -> Result<String, FormatError> {
    only(
        path,
        |c| !"*?\"<>|".contains(c),
        |c| format!("`{c}` cannot stand in a path on Windows"),
    )?;
    nginx_string(&path.replace('\\', "/"))
}

/// An expression that matches exactly this host name: every dot is escaped. It belongs inside quotes.
///
/// # Errors
/// As [`uri::host_name`].
pub fn nginx_host_regex(fqdn: &str) -> Result<String, FormatError> {
    uri::host_name(fqdn)?;
    Ok(fqdn.replace('.', "\\."))
}

/// Reads a complete generated `nginx.conf`.
///
/// One item per directive and per map entry. Paths name the enclosing blocks, for example
/// `http > server 443 > location /auth/ > proxy_pass`; directives that may be repeated carry their first argument
/// (`add_header Vary`), and whatever still stands twice is numbered. The value is the remaining arguments, quoted only
/// when they hold a blank, a quote or nothing, with inner quotes doubled.
///
/// # Errors
/// Every violation of nginx's token rules and of the table of directives; see the module text for what goes beyond
/// `nginx -t`.
pub fn items(text: &str) -> Result<Vec<Item>, Vec<FormatError>> {
    let (directives, mut errors) = read::read(text);
    // With broken braces the rules would only report what follows from them.
    if errors.is_empty() {
        errors = rules::check(&directives);
    }
    if !errors.is_empty() {
        errors.sort_by_key(|error| (error.range.start, error.range.end));
        return Err(errors);
    }
    let mut items = Vec::new();
    collect(&FactPath::default(), &directives, false, &mut items);
    Ok(items)
}

fn collect(around: &FactPath, directives: &[Directive], in_map: bool, items: &mut Vec<Item>) {
    let mut seen: BTreeMap<Step, usize> = BTreeMap::new();
    for directive in directives {
        let name = directive.name.text.as_str();
        let keyed = !in_map
            && rule_of(name)
                .is_some_and(|rule| matches!(rule.kind, DirectiveKind::Keyed | DirectiveKind::KeyedPath));
        let step = match name {
            _ if in_map => Step::named(written(name)),
            "server" => {
                let listens = directive
                    .inside()
                    .iter()
                    .filter(|inner| inner.name.text == "listen");
                let ports: Vec<_> = listens.map(|listen| listen.argument(0)).collect();
                Step::named(name).keyed(ports.join(","))
            }
            _ if keyed => Step::named(name).keyed(written(directive.argument(0))),
            _ if directive.block.is_some() && !directive.arguments.is_empty() => {
                Step::named(name).keyed(arguments(directive, 0))
            }
            _ => Step::named(name),
        };
        let count = seen.entry(step.clone()).or_default();
        *count += 1;
        let path = around.child(step.repeated(*count));
        match &directive.block {
            Some(block) if !block.is_empty() => collect(&path, block, name == "map", items),
            block => items.push(Item {
                path,
                value: if block.is_some() {
                    "{}".to_owned()
                } else {
                    arguments(directive, usize::from(keyed))
                },
                range: directive.range(),
            }),
        }
    }
}

/// The arguments after the first `skip`, in their normalized form.
fn arguments(directive: &Directive, skip: usize) -> String {
    let rest = directive.arguments.iter().skip(skip);
    rest.map(|word| written(&word.text)).collect::<Vec<_>>().join(" ")
}

/// One argument in normalized form.
fn written(text: &str) -> String {
    if text.is_empty() || text.contains([' ', '"']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests;
