//! Which template line made an output line.
//!
//! Every text run of a template gets an invisible mark that stands for its line, the template is rendered once more,
//! and the marks are read from the output. A mark never touches white space that a tag trims, so the rest of the
//! output is the same; a rendering for which that does not hold gives no lines. This module must not know inventories.

use cbgen_formats::Cut as _;

use super::engine::{Engine, Text, Variables};
use super::tags::{Kind, tags};
use super::{Template, Templates, is_partial};
use crate::formats::Format;
use crate::marks::TEMPLATE_LINES;
use crate::source::FileId;

/// A line of a template file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TemplateLine {
    /// The file.
    pub file: FileId,
    /// One-based.
    pub line: usize,
}

/// The templates of one format with a mark in each line.
#[derive(Debug)]
pub struct Marked {
    engine: Engine,
    lines: Vec<TemplateLine>,
}

impl Templates {
    /// Compiles the templates of a format with marks. `None` when the marks disturb them.
    pub fn marked(&self, format: Format) -> Option<Marked> {
        let mut lines = Vec::new();
        let mut mark = |name: &str| -> Option<Text> {
            let (file, body_start) = self.places.file(name)?;
            let source = self.sources.get(file)?;
            let first = source.position(body_start).line;
            let body = marked_text(source.text().get(body_start..)?, &mut |line| {
                lines.push(TemplateLine {
                    file,
                    line: first + line,
                });
                mark_of(lines.len() - 1)
            });
            Some(Text::new(name, body))
        };
        let partials: Vec<Text> = self
            .places
            .paths()
            .filter(|name| is_partial(name))
            .filter_map(&mut mark)
            .collect();
        let bodies: Vec<Text> = self
            .list
            .iter()
            .filter(|template| template.front.format == format)
            .filter_map(|template| mark(&template.path))
            .collect();
        let engine = Engine::compile(Some(format), &partials, &bodies).ok()?;
        Some(Marked { engine, lines })
    }
}

impl Marked {
    /// The template lines behind each line of `plain`, the text that the template renders to without marks; the first
    /// is the one that began the line. `None` when the marks changed the text.
    pub fn lines(
        &self,
        template: &Template,
        variables: &Variables,
        plain: &str,
    ) -> Option<Vec<Vec<TemplateLine>>> {
        let marked = self.engine.render(&template.path, variables).ok()?;
        let (text, found) = self.read(&marked);
        (text.trim_end_matches('\n') == plain.trim_end_matches('\n')).then_some(found)
    }

    /// The text without marks, and the template lines of each line.
    fn read(&self, marked: &str) -> (String, Vec<Vec<TemplateLine>>) {
        let mut text = String::with_capacity(marked.len());
        let mut found = Vec::new();
        let mut last: Option<TemplateLine> = None;
        for line in marked.split_inclusive('\n') {
            let mut here: Vec<TemplateLine> = Vec::new();
            for letter in line.chars() {
                match index_of(letter).and_then(|index| self.lines.get(index)) {
                    Some(&place) if !here.contains(&place) => here.push(place),
                    Some(_) => {}
                    None => text.push(letter),
                }
            }
            if here.is_empty() {
                here.extend(last);
            }
            last = here.last().copied();
            found.push(here);
        }
        (text, found)
    }
}

fn mark_of(index: usize) -> Option<char> {
    TEMPLATE_LINES.mark(u32::try_from(index).ok()?)
}

fn index_of(letter: char) -> Option<usize> {
    usize::try_from(TEMPLATE_LINES.number(letter)?).ok()
}

/// The text with a mark before the first visible letter of every text run of a line, and before every printed value
/// that no text of its line precedes. `mark` gives the mark of a line, counted from zero.
fn marked_text(text: &str, mark: &mut dyn FnMut(usize) -> Option<char>) -> String {
    let mut marked = String::with_capacity(text.len() * 5 / 4);
    let (mut line, mut fresh, mut done) = (0, true, 0);
    let tags = tags(text);
    for tag in tags.iter().map(Some).chain([None]) {
        let end = tag.map_or(text.len(), |tag| tag.whole.start);
        for letter in text.cut(done..end).chars() {
            if letter == '\n' {
                line += 1;
                fresh = true;
            } else if fresh && !letter.is_whitespace() {
                marked.extend(mark(line));
                fresh = false;
            }
            marked.push(letter);
        }
        let Some(tag) = tag else { break };
        let words = text.cut(tag.whole.clone());
        if fresh && tag.kind == Kind::Value && !words.starts_with("{{-") {
            marked.extend(mark(line));
        }
        marked.push_str(words);
        line += words.matches('\n').count();
        // What follows a tag is a run of its own: the tag may have decided whether the text before it shows.
        fresh = true;
        done = tag.whole.end;
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> String {
        marked_text(text, &mut |line| char::from_digit(u32::try_from(line).ok()?, 10))
    }

    #[test]
    fn marks_stand_before_visible_text_and_values_only() {
        assert_eq!(check("a b\n\n  c {{ d }} e\n"), "0a b\n\n  2c {{ d }} 2e\n");
        assert_eq!(
            check("{%- if a %}\n  b\n{%- endif %}\n"),
            "{%- if a %}\n  1b\n{%- endif %}\n"
        );
        assert_eq!(check("{{ a }}{{- b }}"), "0{{ a }}{{- b }}");
        assert_eq!(check("{# a\n b #}c"), "{# a\n b #}1c");
        assert_eq!(check("{{ \"}}\" }}a"), "0{{ \"}}\" }}0a");
        assert_eq!(
            check("{% raw %}{{ a }}{% endraw %}b"),
            "{% raw %}0{{ a }}{% endraw %}0b"
        );
        assert_eq!(check("{ a"), "0{ a");
    }
}
