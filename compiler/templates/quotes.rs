//! Filters that bring their own quotes, within quotes that the template writes.
//!
//! `"{{ x | cmd_arg }}"` closes the quotes that it should stand in, and the value is outside of them. Readers of most formats
//! refuse what comes out; a command line has a meaning with it, so it is told from the template.
//! This file must not know how a finding looks.

use std::collections::BTreeMap;
use std::ops::Range;

use cbgen_formats::Cut as _;

use super::fit::with_partials;
use super::tags::tags;
use crate::formats::Format;

/// Such a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quoted {
    /// The text it stands in: a template or a partial.
    pub(super) name: String,
    /// Where in that text.
    pub(super) range: Range<usize>,
    /// Its name.
    pub(super) filter: String,
    /// The quotes around it.
    pub(super) quote: char,
}

/// Filters that bring quotes, and what opens quotes on a line of the format. Every text there ends on its line.
fn of(format: Format) -> (&'static [&'static str], &'static [char]) {
    match format {
        Format::Cmd => (&["cmd_arg", "cmd_call_arg", "cmd_call_json"], &['"']),
        Format::Nginx
        | Format::Xdt
        | Format::Erlang
        | Format::Json
        | Format::Yaml
        | Format::Ini
        | Format::JsReferences
        | Format::Reg
        | Format::Sql
        | Format::Markdown
        | Format::Html
        | Format::PowerShell
        | Format::Text => (&[], &[]),
    }
}

/// All of them in a text and in everything it includes.
pub(super) fn quoted_twice(
    format: Format,
    name: &str,
    body: &str,
    partials: &BTreeMap<String, String>,
) -> Vec<Quoted> {
    let (own, quotes) = of(format);
    let mut found = Vec::new();
    if own.is_empty() {
        return found;
    }
    for (name, text) in with_partials(name, body, partials) {
        let mut open: Option<char> = None;
        let mut done = 0;
        for tag in tags(text) {
            let before = text.cut(done..tag.whole.start);
            for letter in before.chars() {
                open = match open {
                    _ if letter == '\n' => None,
                    Some(quote) if quote == letter => None,
                    None if quotes.contains(&letter) => Some(letter),
                    open => open,
                };
            }
            done = tag.whole.end;
            let Some(quote) = open else { continue };
            let filters = tag.filters().into_iter();
            found.extend(
                filters
                    .filter(|(filter, _)| own.contains(filter))
                    .map(|(filter, range)| Quoted {
                        name: name.clone(),
                        range,
                        filter: filter.to_owned(),
                        quote,
                    }),
            );
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: Format, body: &str, expected: &[&str]) {
        let partials = BTreeMap::from([("_a/b".to_owned(), "echo \"{{ y | cmd_arg }}\"".to_owned())]);
        let found = quoted_twice(format, "t", body, &partials);
        let found: Vec<&str> = found.iter().map(|one| one.filter.as_str()).collect();
        assert_eq!(found, expected, "{body}");
    }

    #[test]
    fn quotes_within_quotes_are_found() {
        check(Format::Cmd, "call \"%A%\" {{ x | cmd_call_arg }}\n", &[]);
        check(
            Format::Cmd,
            "call \"%A%\\{{ x | cmd_call_arg }}\"\n",
            &["cmd_call_arg"],
        );
        check(Format::Cmd, "set \"A={{ x | cmd_set }}\"\n", &[]);
        check(
            Format::Cmd,
            "a \"{% if b %}{{ x | cmd_call_json }}{% endif %}\"\n",
            &["cmd_call_json"],
        );
        check(Format::Cmd, "echo \"\na {{ x | cmd_arg }}\n", &[]);
        check(Format::Cmd, "{% include \"_a/b\" %}", &["cmd_arg"]);
        check(Format::Json, "\"{{ x | json_string }}\"", &[]);
    }
}
