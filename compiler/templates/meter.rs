//! How much a template may do: what has no bound is refused before it runs, everything else is counted while it runs.
//!
//! The engine bounds neither time nor memory, and templates of a folder are written by strangers. So every loop, every variable
//! that is set and every partial gets a hidden filter that counts: a loop that runs over 5,000 things counts 5,000 before its first
//! turn. Counting is exact and knows no clock, so that the same template ends at the same step on every computer. Tags whose work
//! nobody can count are refused. This file must not know the engine; it reads and writes template text.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Steps of one text: a turn of a loop, an included partial, or [`BYTES_OF_A_STEP`] bytes that are handled.
pub const MOST_STEPS: u64 = 5_000_000;
/// Bytes that count as one step.
pub const BYTES_OF_A_STEP: usize = 64;
/// What a variable may hold, in steps, before it makes the others heavier.
const LIGHT: usize = 1_000;
/// Longest text that a variable may hold, in bytes. What one tag joins is some of them.
pub const LONGEST_VALUE: usize = 1 << 20;
/// Longest tag, in bytes: what it joins is at most so many values.
const LONGEST_TAG: usize = 4 << 10;
/// Most things that a list holds in itself, when it is written out: one that holds itself twice, forty times over, is small and takes
/// forever to compare.
pub const LARGEST_LIST: usize = 10_000;
/// Most texts that one template consists of when every include is written out.
const MOST_INCLUDES: u64 = 10_000;

/// Deepest chain of includes. The engine handles each inside of the one before, on one stack.
const DEEPEST_INCLUDE: usize = 30;
/// Most `elif` in a text: to the engine each lies inside of the one before.
const MOST_CHOICES: usize = 100;

/// Filter that counts what a loop runs over.
pub const WALK: &str = "cbgen_walk";
/// Filter that counts a value that is kept in a variable.
pub const KEEP: &str = "cbgen_keep";
/// Filter that counts a partial.
pub const ENTER: &str = "cbgen_enter";

thread_local! {
    static STEPS: Cell<u64> = const { Cell::new(0) };
    static WEIGHT: Cell<u64> = const { Cell::new(1) };
    static LAST_LOOP: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Begins to count for a text. A text is rendered by one thread.
pub fn begin() {
    STEPS.set(0);
    WEIGHT.set(1);
    LAST_LOOP.set(None);
}

/// Notes that a variable holds something of this size, in steps. `in` and `==` look at all of it, and nothing counts them: so from
/// now on each step weighs as much as what is held, in thousands.
pub fn hold(steps: usize) {
    let weight = u64::try_from(steps / LIGHT).unwrap_or(u64::MAX);
    WEIGHT.set(WEIGHT.get().max(weight));
}

/// Steps of the text that this thread rendered last.
pub fn steps() -> u64 {
    STEPS.get()
}

/// The loop that began last in it.
pub fn last_loop() -> Option<u64> {
    LAST_LOOP.get()
}

/// Notes that a loop begins.
pub fn enter_loop(number: u64) {
    LAST_LOOP.set(Some(number));
}

/// Counts; `false` when it was too much.
pub fn count(steps: usize) -> bool {
    let steps = u64::try_from(steps).unwrap_or(u64::MAX);
    let steps = STEPS.get().saturating_add(steps.saturating_mul(WEIGHT.get()));
    STEPS.set(steps);
    steps <= MOST_STEPS
}

/// Counts bytes that are handled.
pub fn count_bytes(bytes: usize) -> bool {
    count(bytes / BYTES_OF_A_STEP)
}

/// Something without a bound in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unbounded {
    /// Name of the text.
    pub name: String,
    /// Where in it.
    pub range: Range<usize>,
    /// What it is.
    pub message: String,
}

/// A text with its counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metered {
    /// The text for the engine.
    pub body: String,
    /// What was added: where in the text as it was written, and how many bytes.
    added: Vec<(usize, usize)>,
}

impl Metered {
    /// A range of the text for the engine in the text as it was written.
    pub fn written(&self, range: &Range<usize>) -> Range<usize> {
        self.before(range.start)..self.before(range.end)
    }

    fn before(&self, at: usize) -> usize {
        let mut shift = 0;
        for (place, length) in &self.added {
            if place + shift >= at {
                break;
            }
            // Inside of what was added there is only the place where it was added.
            shift += (*length).min(at - place - shift);
        }
        at - shift
    }
}

/// A piece of a template between its marks.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Tag {
    /// `{{ … }}`
    Value,
    /// `{% … %}`
    Statement,
}

/// Every tag and printed value with its whole range and the range inside of the marks, as the lexer of the engine sees them. `Err` is the
/// place of a tag that does not end: the engine has words for that.
fn tags(text: &str) -> Vec<(Tag, Range<usize>, Range<usize>)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(step) = text.get(at..).and_then(next_mark) {
        let start = at + step;
        let inside = start + 2 + usize::from(bytes.get(start + 2) == Some(&b'-'));
        let kind = match bytes.get(start + 1) {
            Some(b'#') => {
                let Some(end) = text.get(inside..).and_then(|rest| rest.find("#}")) else {
                    return found;
                };
                at = inside + end + 2;
                continue;
            }
            Some(b'{') => Tag::Value,
            _ => Tag::Statement,
        };
        if kind == Tag::Statement
            && let Some(length) = named(text, inside, "raw")
        {
            let mut from = inside + length;
            loop {
                let Some(open) = text.get(from..).and_then(|rest| rest.find("{%")) else {
                    return found;
                };
                from += open + 2;
                let dash = usize::from(bytes.get(from) == Some(&b'-'));
                if let Some(length) = named(text, from + dash, "endraw") {
                    at = from + dash + length;
                    break;
                }
            }
            continue;
        }
        let close: &[u8] = if kind == Tag::Value { b"}}" } else { b"%}" };
        let Some(end) = end_of(bytes, inside, close) else {
            return found;
        };
        let inner_end = if end > inside && bytes.get(end - 1) == Some(&b'-') {
            end - 1
        } else {
            end
        };
        found.push((kind, start..end + 2, inside..inner_end));
        at = end + 2;
    }
    found
}

fn next_mark(text: &str) -> Option<usize> {
    text.as_bytes()
        .array_windows()
        .position(|pair| matches!(pair, b"{{" | b"{%" | b"{#"))
}

/// Length of a tag from behind its opening mark, when it holds this word only.
fn named(text: &str, from: usize, word: &str) -> Option<usize> {
    let rest = text.get(from..)?;
    let inner = rest.trim_start_matches(|letter: char| letter.is_ascii_whitespace());
    let behind = inner
        .strip_prefix(word)?
        .trim_start_matches(|letter: char| letter.is_ascii_whitespace());
    let behind = behind.strip_prefix('-').unwrap_or(behind).strip_prefix("%}")?;
    Some(rest.len() - behind.len())
}

/// Where a tag closes, outside of its texts.
fn end_of(bytes: &[u8], from: usize, close: &[u8]) -> Option<usize> {
    let mut quote = None;
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        match quote {
            Some(_) if byte == b'\\' => at += 1,
            Some(open) if byte == open => quote = None,
            None if bytes.get(at..at + 2) == Some(close) => return Some(at),
            None if matches!(byte, b'"' | b'\'' | b'`') => quote = Some(byte),
            Some(_) | None => {}
        }
        at += 1;
    }
    None
}

/// A piece of a tag, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'t> {
    Word(&'t str),
    Text,
    Symbol(char),
}

/// The pieces of a tag, each with its place.
fn tokens<'t>(text: &'t str, inside: &Range<usize>) -> Vec<(usize, Token<'t>)> {
    let inner = text.get(inside.clone()).unwrap_or_default();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(letter) = inner.get(at..).and_then(|rest| rest.chars().next()) {
        let start = at;
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let rest = inner.as_bytes().get(start..).unwrap_or_default();
        if letter.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let token = if is_part(rest.first().unwrap_or(&0)) {
            at += rest.iter().take_while(|byte| is_part(byte)).count();
            Token::Word(inner.get(start..at).unwrap_or_default())
        } else if matches!(letter, '"' | '\'' | '`') {
            let mut is_escaped = false;
            let length = rest.iter().skip(1).take_while(|byte| {
                let goes_on = is_escaped || char::from(**byte) != letter;
                is_escaped = !is_escaped && **byte == b'\\';
                goes_on
            });
            at += length.count() + 2;
            Token::Text
        } else {
            at += letter.len_utf8();
            Token::Symbol(letter)
        };
        found.push((inside.start + start, token));
    }
    found
}

/// The words of a tag outside of its texts, each with its place.
fn words<'t>(text: &'t str, inside: &Range<usize>) -> Vec<(usize, &'t str)> {
    let tokens = tokens(text, inside).into_iter();
    let words = tokens.filter_map(|(at, token)| match token {
        Token::Word(word) => Some((at, word)),
        Token::Text | Token::Symbol(_) => None,
    });
    words.collect()
}

/// The texts of a tag.
fn literals(inner: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut open: Option<(char, usize)> = None;
    for (at, letter) in inner.char_indices() {
        match open {
            Some((quote, from)) if letter == quote => {
                found.extend(inner.get(from..at));
                open = None;
            }
            None if matches!(letter, '"' | '\'' | '`') => open = Some((letter, at + 1)),
            Some(_) | None => {}
        }
    }
    found
}

/// Statements whose work is counted, or that do none.
const STATEMENTS: &[&str] = &[
    "for",
    "endfor",
    "if",
    "elif",
    "else",
    "endif",
    "set",
    "set_global",
    "include",
    "break",
    "continue",
];

/// Everything in a text that has no bound.
pub fn unbounded(name: &str, text: &str) -> Vec<Unbounded> {
    let mut found = Vec::new();
    for (kind, whole, inside) in tags(text) {
        let mut push = |range: Range<usize>, message: String| {
            found.push(Unbounded {
                name: name.to_owned(),
                range,
                message,
            });
        };
        if whole.len() > LONGEST_TAG {
            push(
                whole.start..whole.start + 2,
                format!(
                    "the tag has {} bytes; a tag has at most {LONGEST_TAG}",
                    whole.len()
                ),
            );
        }
        let words = words(text, &inside);
        let first = words.first().filter(|_| kind == Tag::Statement);
        if let Some((at, word)) = first
            && !STATEMENTS.contains(word)
        {
            push(
                *at..at + word.len(),
                format!("`{word}` is not available in templates: nobody can count what it does"),
            );
        }
        if let Some((at, word)) = first.filter(|(_, word)| word.starts_with("set"))
            && !is_assignment(text, &inside)
        {
            push(
                *at..at + word.len(),
                format!("`{word}` without a value is not available: write `{word} NAME = …`"),
            );
        }
        if let Some((at, _)) = tokens(text, &inside)
            .into_iter()
            .find(|(_, token)| *token == Token::Symbol('{'))
        {
            push(
                at..at + 1,
                "a map that is written out is not available".to_owned(),
            );
        }
        let own = usize::from(first.is_some());
        if let Some((at, _)) = words.iter().skip(own).find(|(_, word)| *word == "for") {
            push(
                *at..at + "for".len(),
                "a list with `for` inside is not available: use a loop".to_owned(),
            );
        }
    }
    found
}

/// Whether a list may be written out in a tag; a bracket that only chooses from a list counts too.
fn may_hold_list(text: &str, inside: &Range<usize>) -> bool {
    tokens(text, inside)
        .iter()
        .any(|(_, token)| *token == Token::Symbol('['))
}

/// `set NAME = …`, in contrast to `set NAME` with a block.
fn is_assignment(text: &str, inside: &Range<usize>) -> bool {
    let inner = text.get(inside.clone()).unwrap_or_default().trim_start();
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let rest = inner.trim_start_matches(is_part).trim_start();
    let rest = rest.trim_start_matches(is_part).trim_start();
    rest.starts_with('=')
}

/// What the engine must not even begin with: includes that are too many or too deep, choices without end. `texts` are all
/// texts by name.
pub fn too_much_to_read(texts: &BTreeMap<&str, &str>) -> Vec<Unbounded> {
    let includes: BTreeMap<&str, Vec<(Range<usize>, &str)>> = texts
        .iter()
        .map(|(name, text)| {
            let included = tags(text).into_iter().flat_map(|(kind, whole, inside)| {
                let inner = text.get(inside).unwrap_or_default();
                let is_include = kind == Tag::Statement && inner.trim_start().starts_with("include");
                let names = if is_include { literals(inner) } else { Vec::new() };
                names.into_iter().map(move |name| (whole.clone(), name))
            });
            (*name, included.collect())
        })
        .collect();
    let mut sizes: BTreeMap<&str, u64> = BTreeMap::new();
    for name in texts.keys() {
        size(name, &includes, &mut sizes, &mut BTreeSet::new());
    }
    let mut depths: BTreeMap<&str, usize> = BTreeMap::new();
    for name in texts.keys() {
        depth(name, &includes, &mut depths, &mut BTreeSet::new());
    }
    let is_large = |name: &str| sizes.get(name).is_some_and(|size| *size > MOST_INCLUDES);
    let is_deep = |name: &str| depths.get(name).is_some_and(|depth| *depth > DEEPEST_INCLUDE);
    // Those that make it too large, not all that include them.
    let begins = |is_wrong: &dyn Fn(&str) -> bool, message: String| -> Vec<Unbounded> {
        let wrong = includes
            .iter()
            .filter(|(name, included)| is_wrong(name) && !included.iter().any(|(_, name)| is_wrong(name)));
        let found = wrong.map(|(name, included)| Unbounded {
            name: (*name).to_owned(),
            range: included.first().map_or(0..0, |(range, _)| range.clone()),
            message: message.clone(),
        });
        found.collect()
    };
    let mut found = begins(
        &is_large,
        format!("written out, its includes are more than {MOST_INCLUDES} texts"),
    );
    found.extend(begins(
        &is_deep,
        format!("includes lie more than {DEEPEST_INCLUDE} deep in each other here"),
    ));
    found.extend(texts.iter().filter_map(|(name, text)| {
        let choices = tags(text).into_iter().filter(|(kind, _, inside)| {
            let inner = text.get(inside.clone()).unwrap_or_default();
            *kind == Tag::Statement && inner.trim_start().starts_with("elif")
        });
        let (_, range, _) = choices.into_iter().nth(MOST_CHOICES)?;
        Some(Unbounded {
            name: (*name).to_owned(),
            range,
            message: format!("a text has at most {MOST_CHOICES} `elif`"),
        })
    }));
    found
}

/// How deep includes lie in each other in a text, itself included. A circle is told by the engine.
fn depth<'t>(
    name: &'t str,
    includes: &BTreeMap<&'t str, Vec<(Range<usize>, &'t str)>>,
    depths: &mut BTreeMap<&'t str, usize>,
    above: &mut BTreeSet<&'t str>,
) -> usize {
    if let Some(depth) = depths.get(name) {
        return *depth;
    }
    if above.len() > MOST_NESTED || !above.insert(name) {
        return 1;
    }
    let inner = includes.get(name).into_iter().flatten();
    let deepest = inner
        .map(|(_, inner)| depth(inner, includes, depths, above))
        .max();
    above.remove(name);
    let found = 1 + deepest.unwrap_or(0);
    depths.insert(name, found);
    found
}

/// How many texts a text is. A circle is told by the engine.
fn size<'t>(
    name: &'t str,
    includes: &BTreeMap<&'t str, Vec<(Range<usize>, &'t str)>>,
    sizes: &mut BTreeMap<&'t str, u64>,
    above: &mut BTreeSet<&'t str>,
) -> u64 {
    if let Some(size) = sizes.get(name) {
        return *size;
    }
    if above.len() > MOST_NESTED || !above.insert(name) {
        return 1;
    }
    let mut sum: u64 = 1;
    for (_, inner) in includes.get(name).into_iter().flatten() {
        sum = sum.saturating_add(size(inner, includes, sizes, above));
    }
    above.remove(name);
    sizes.insert(name, sum);
    sum
}

/// Deepest chain of includes that is followed; a longer one is no template.
const MOST_NESTED: usize = 200;

/// Puts the counters into a text. `number` gives each loop its number; `is_partial` says that others include the text.
pub fn metered(text: &str, is_partial: bool, number: &mut dyn FnMut(Range<usize>) -> usize) -> Metered {
    let mut metered = Metered::default();
    let mut done = 0;
    let mut add = |metered: &mut Metered, at: usize, more: &str| {
        metered.body.push_str(text.get(done..at).unwrap_or_default());
        metered.body.push_str(more);
        metered.added.push((at, more.len()));
        done = at;
    };
    if is_partial {
        add(&mut metered, 0, &format!("{{{{ \"\" | {ENTER} }}}}"));
    }
    for (kind, whole, inside) in tags(text) {
        let words = words(text, &inside);
        let Some((_, word)) = words.first().filter(|_| kind == Tag::Statement) else {
            continue;
        };
        let is_list = may_hold_list(text, &inside);
        let (from, filter) = match *word {
            "for" => {
                let Some((at, _)) = words.iter().find(|(_, word)| *word == "in") else {
                    continue;
                };
                (
                    at + "in".len(),
                    format!(
                        "{WALK}(at={}{})",
                        number(whole.clone()),
                        if is_list { ", list=true" } else { "" }
                    ),
                )
            }
            "set" | "set_global" if is_assignment(text, &inside) => {
                let inner = text.get(inside.clone()).unwrap_or_default();
                let Some(at) = inner.find('=') else { continue };
                (
                    inside.start + at + 1,
                    format!("{KEEP}{}", if is_list { "(list=true)" } else { "" }),
                )
            }
            _ => continue,
        };
        add(&mut metered, from, " (");
        add(&mut metered, inside.end, &format!(") | {filter} "));
    }
    metered.body.push_str(text.get(done..).unwrap_or_default());
    metered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let mut loops = 0;
        let metered = metered(text, false, &mut |_| {
            loops += 1;
            loops
        });
        assert_eq!(metered.body, expected);
        // Every place of the written text is found again.
        let added: usize = metered.added.iter().map(|(_, length)| length).sum();
        assert_eq!(metered.before(metered.body.len()), metered.body.len() - added);
        for (at, _) in text.char_indices() {
            let shift: usize = metered
                .added
                .iter()
                .filter(|(place, _)| *place <= at)
                .map(|(_, length)| length)
                .sum();
            assert_eq!(metered.before(at + shift), at, "{text} at {at}");
        }
    }

    #[test]
    fn loops_and_variables_are_counted() {
        check("a {{ b }} {# {% for %} #}", "a {{ b }} {# {% for %} #}");
        check(
            "{%- for a in b -%}x{% endfor %}",
            "{%- for a in ( b ) | cbgen_walk(at=1) -%}x{% endfor %}",
        );
        check(
            "{% for k, v in \"%}\" ~ b | join(sep=' in ') %}",
            "{% for k, v in ( \"%}\" ~ b | join(sep=' in ') ) | cbgen_walk(at=1) %}",
        );
        check("{% set a = b ~ '=' %}", "{% set a = ( b ~ '=' ) | cbgen_keep %}");
        check("{%\n set_global a=b%}", "{%\n set_global a= (b) | cbgen_keep %}");
        check(
            "{% raw %}{% for a in b %}{% endraw %}",
            "{% raw %}{% for a in b %}{% endraw %}",
        );
        check(
            "{%- raw -%}{% for %}{%- endraw -%}{% set a=1 %}",
            "{%- raw -%}{% for %}{%- endraw -%}{% set a= (1 ) | cbgen_keep %}",
        );
        check("{% for a in b", "{% for a in b");
        check("{% set a=[b] %}", "{% set a= ([b] ) | cbgen_keep(list=true) %}");
        check(
            "{% for a in [b] %}",
            "{% for a in ( [b] ) | cbgen_walk(at=1, list=true) %}",
        );
    }

    #[test]
    fn what_nobody_can_count_is_refused() {
        let count = |text: &str| unbounded("t", text).len();
        for text in [
            "{% block a %}",
            "{% extends \"a\" %}",
            "{% component a() %}",
            "{% filter upper %}x{% endfilter %}",
            "{% set a %}x{% endset %}",
            "{% set a | upper %}",
            "{{ [a for a in b] }}",
            "{% set a = [a for a in b] %}",
            "{% for a in [b for b in c] %}",
            "{% <a()> %}",
            "{%- <a()> %}",
            "{% set a = {\"a\": b} %}",
        ] {
            assert!(count(text) > 0, "{text}");
        }
        for text in [
            "{% for a in b %}{% break %}{% else %}{% endfor %}",
            "{{ \"wait for it\" }}",
            "{{ forward.fortune }}",
            "{% set a = b == c %}",
            "{{ a[0].b[\"c\"][d] ~ e()[1] }}",
            "{% set a = [b, [\"c\"]] %}",
            "{% raw %}{% block %}{% endraw %}",
            "{# {% block %} #}",
        ] {
            assert_eq!(count(text), 0, "{text}");
        }
        assert_eq!(count(&format!("{{{{ {} }}}}", "a ~ ".repeat(2_000))), 1);
    }

    #[test]
    fn includes_are_written_out_before_they_are_followed() {
        let names: Vec<String> = (0..40).map(|number| format!("_p/{number}")).collect();
        let bodies: Vec<String> = names
            .iter()
            .skip(1)
            .map(|next| format!("{{% include \"{next}\" %}}{{% include '{next}' %}}"))
            .collect();
        let mut texts: BTreeMap<&str, &str> = names
            .iter()
            .zip(&bodies)
            .map(|(name, body)| (name.as_str(), body.as_str()))
            .collect();
        let found = too_much_to_read(&texts);
        let places: Vec<_> = found.iter().map(|found| found.name.as_str()).collect();
        assert_eq!(places, ["_p/26", "_p/9"], "{found:?}");
        texts.retain(|name, _| *name > "_p/30");
        assert_eq!(too_much_to_read(&texts), Vec::new());
        // A circle ends.
        texts.insert("_p/39", "{% include \"_p/31\" %}");
        drop(too_much_to_read(&texts));
    }
}
