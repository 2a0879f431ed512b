//! How much a template may do: what has no bound is refused before it runs, everything else is counted while it runs.
//!
//! The engine bounds neither time nor memory, and templates of a folder are written by strangers. So every loop, every variable
//! that is set and every partial gets a hidden filter that counts: a loop that runs over 5,000 things counts 5,000 before its first
//! turn. Counting is exact and knows no clock, so that the same template ends at the same step on every computer. Tags whose work
//! nobody can count are refused. This file must not know the engine; it reads and writes template text.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use cbgen_formats::Cut as _;

use super::tags::{Kind, Tag, Token, Tokens, expressions, words};

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
    for tag in expressions(text) {
        let mut push = |range: Range<usize>, message: String| {
            found.push(Unbounded {
                name: name.to_owned(),
                range,
                message,
            });
        };
        let (start, length) = (tag.whole.start, tag.whole.len());
        if length > LONGEST_TAG {
            push(
                start..start + 2,
                format!("the tag has {length} bytes; a tag has at most {LONGEST_TAG}"),
            );
        }
        let tokens = tag.tokens();
        let words = words(&tokens);
        let first = words.first().filter(|_| tag.kind == Kind::Statement);
        if let Some((word, place)) = first {
            if !STATEMENTS.contains(word) {
                push(
                    place.clone(),
                    format!("`{word}` is not available in templates: nobody can count what it does"),
                );
            }
            if word.starts_with("set") && assignment(&tokens).is_none() {
                push(
                    place.clone(),
                    format!("`{word}` without a value is not available: write `{word} NAME = …`"),
                );
            }
        }
        if let Some((_, place)) = tokens.iter().find(|(token, _)| *token == Token::Symbol("{")) {
            push(
                place.clone(),
                "a map that is written out is not available".to_owned(),
            );
        }
        let own = usize::from(first.is_some());
        if let Some((_, place)) = words.iter().skip(own).find(|(word, _)| *word == "for") {
            push(
                place.clone(),
                "a list with `for` inside is not available: use a loop".to_owned(),
            );
        }
    }
    found
}

/// The sign of `set NAME = …`, in contrast to `set NAME` with a block.
fn assignment(tokens: &Tokens<'_>) -> Option<Range<usize>> {
    let is_sign = |token: &Token<'_>| matches!(token, Token::Symbol(sign) if sign.starts_with('='));
    let mut behind = tokens.iter().skip(1).take(2);
    behind
        .find(|(token, _)| is_sign(token))
        .map(|(_, place)| place.start..place.start + 1)
}

/// What the engine must not even begin with: includes that are too many or too deep, choices without end. `texts` are all
/// texts by name.
pub fn too_much_to_read(texts: &BTreeMap<&str, &str>) -> Vec<Unbounded> {
    let includes: BTreeMap<&str, Vec<(Range<usize>, &str)>> = texts
        .iter()
        .map(|(name, text)| {
            let included = expressions(text).flat_map(|tag| {
                let names = tag.includes().into_iter();
                names.map(move |name| (tag.whole.clone(), name))
            });
            (*name, included.collect())
        })
        .collect();
    let mut extents = BTreeMap::new();
    for name in texts.keys() {
        extent(name, &includes, &mut extents, &mut BTreeSet::new());
    }
    let of = |name: &str| extents.get(name).copied().unwrap_or(ALONE);
    let is_large = |name: &str| of(name).texts > MOST_INCLUDES;
    let is_deep = |name: &str| of(name).depth > DEEPEST_INCLUDE;
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
        let is_choice =
            |tag: &Tag<'_>| tag.kind == Kind::Statement && tag.content.trim_start().starts_with("elif");
        let range = expressions(text).filter(is_choice).nth(MOST_CHOICES)?.whole;
        Some(Unbounded {
            name: (*name).to_owned(),
            range,
            message: format!("a text has at most {MOST_CHOICES} `elif`"),
        })
    }));
    found
}

/// How much a text is with everything it includes.
#[derive(Clone, Copy)]
struct Extent {
    /// How many texts it is.
    texts: u64,
    /// How deep includes lie in each other in it, itself included.
    depth: usize,
}

/// A text that includes nothing.
const ALONE: Extent = Extent { texts: 1, depth: 1 };

/// How much a text is. A circle is told by the engine.
fn extent<'t>(
    name: &'t str,
    includes: &BTreeMap<&'t str, Vec<(Range<usize>, &'t str)>>,
    known: &mut BTreeMap<&'t str, Extent>,
    above: &mut BTreeSet<&'t str>,
) -> Extent {
    if let Some(extent) = known.get(name) {
        return *extent;
    }
    if above.len() > MOST_NESTED || !above.insert(name) {
        return ALONE;
    }
    let mut found = ALONE;
    for (_, inner) in includes.get(name).into_iter().flatten() {
        let inner = extent(inner, includes, known, above);
        found.texts = found.texts.saturating_add(inner.texts);
        found.depth = found.depth.max(inner.depth + 1);
    }
    above.remove(name);
    known.insert(name, found);
    found
}

/// Deepest chain of includes that is followed; a longer one is no template.
const MOST_NESTED: usize = 200;

/// Puts the counters into a text. `number` gives each loop its number; `is_partial` says that others include the text.
pub fn metered(text: &str, is_partial: bool, number: &mut dyn FnMut(Range<usize>) -> usize) -> Metered {
    let mut metered = Metered::default();
    let mut done = 0;
    let mut add = |metered: &mut Metered, at: usize, more: &str| {
        metered.body.push_str(text.cut(done..at));
        metered.body.push_str(more);
        metered.added.push((at, more.len()));
        done = at;
    };
    if is_partial {
        add(&mut metered, 0, &format!("{{{{ \"\" | {ENTER} }}}}"));
    }
    for tag in expressions(text).filter(|tag| tag.kind == Kind::Statement) {
        let tokens = tag.tokens();
        let words = words(&tokens);
        let Some((word, _)) = words.first() else {
            continue;
        };
        // A bracket that only chooses from a list counts too.
        let is_list = tokens.iter().any(|(token, _)| *token == Token::Symbol("["));
        let (from, filter) = match *word {
            "for" => {
                let Some((_, place)) = words.iter().find(|(word, _)| *word == "in") else {
                    continue;
                };
                let list = if is_list { ", list=true" } else { "" };
                (place.end, format!("{WALK}(at={}{list})", number(tag.whole)))
            }
            "set" | "set_global" => {
                let Some(sign) = assignment(&tokens) else {
                    continue;
                };
                let list = if is_list { "(list=true)" } else { "" };
                (sign.end, format!("{KEEP}{list}"))
            }
            _ => continue,
        };
        add(&mut metered, from, " (");
        add(&mut metered, tag.inside.end, &format!(") | {filter} "));
    }
    metered.body.push_str(text.cut(done..));
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
