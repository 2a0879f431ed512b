//! Which template line wrote an output line.
//!
//! Lines of an overview come from two templates: its own, and the one whose runbook text it prints. The second is
//! found by giving every runbook text a word of its own and looking for the word in the output.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Explorer, trial};
use crate::contract::artifact::Scope;
use crate::facts::plan_view::PlanView;
use crate::formats::Format;
use crate::plan::{Plan, Planned};
use crate::source::Span;
use crate::templates::Template;
use crate::templates::lines::{Marked, TemplateLine};

/// Begins a word that stands for a runbook text; digits and [`WORD_END`] follow.
const WORD_START: &str = " Xq";
/// Ends it.
const WORD_END: char = 'Z';

/// A line of a template, as an answer names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TemplatePlace {
    /// File.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// The line.
    pub text: String,
}

impl Explorer<'_> {
    /// The template lines of every line of an artifact: the text's own template first when it is a runbook text that
    /// an overview prints, then the one that began the line. Never empty: when a template disturbs the marks, it is the
    /// first line of its body.
    pub fn template_places(&self, artifact: &str) -> Vec<Vec<TemplatePlace>> {
        let Some((index, entry, text)) = self.find(artifact) else {
            return Vec::new();
        };
        let own = self.template_lines(index, entry).unwrap_or_default();
        let steps = match entry.template.front.scope {
            Scope::Bundle => self.step_lines(index, entry).unwrap_or_default(),
            Scope::Server | Scope::Deployment => Vec::new(),
        };
        let body = Span::new(
            entry.template.file,
            entry.template.body_start..entry.template.body_start,
        );
        let first = self.sources.locate(body).map(|(_, position)| TemplateLine {
            file: entry.template.file,
            line: position.line,
        });
        text.lines()
            .enumerate()
            .map(|(at, line)| {
                let mut lines: Vec<TemplateLine> = steps.get(at).into_iter().flatten().copied().collect();
                match own.get(at).filter(|lines| !lines.is_empty()) {
                    Some(own) if line.trim().is_empty() => {
                        lines.extend(own.first().map(|place| self.blank_after(*place)));
                    }
                    Some(own) => lines.extend(own),
                    None => lines.extend(first),
                }
                lines
                    .into_iter()
                    .filter_map(|place| self.template_place(place))
                    .collect()
            })
            .collect()
    }

    /// The blank line below a line, when there is one: blank lines carry no mark.
    fn blank_after(&self, place: TemplateLine) -> TemplateLine {
        let next = TemplateLine {
            line: place.line + 1,
            ..place
        };
        let text = self
            .sources
            .get(place.file)
            .and_then(|source| source.line(next.line));
        if text.is_some_and(|text| text.trim().is_empty()) {
            next
        } else {
            place
        }
    }

    fn template_lines(&self, index: usize, entry: &Planned<'_>) -> Option<Vec<Vec<TemplateLine>>> {
        let plan = &self.rendered.plan;
        let mut variables = plan.variables(entry);
        if entry.template.front.scope == Scope::Bundle {
            variables.set("plan", &PlanView::of(plan, &self.rendered.texts));
        }
        let text = self.rendered.texts.get(index)?;
        let marked = self.templates.marked(entry.template.front.format)?;
        marked.lines(entry.template, &variables, text)
    }

    fn template_place(&self, place: TemplateLine) -> Option<TemplatePlace> {
        let source = self.sources.get(place.file)?;
        Some(TemplatePlace {
            file: source.name().to_owned(),
            line: place.line,
            text: source.line(place.line)?.trim().to_owned(),
        })
    }

    /// The lines of other templates that an overview prints, by line of the overview.
    fn step_lines(&self, index: usize, entry: &Planned<'_>) -> Option<Vec<Vec<TemplateLine>>> {
        let mut plan = trial::plan(self.templates, &self.loaded.value)?;
        let mut texts = self.rendered.texts.clone();
        let mut words = Words::default();
        self.name_texts(&mut plan, &mut texts, &mut words);
        let mut variables = plan.variables(entry);
        variables.set("plan", &PlanView::of(&plan, &texts));
        let worded = self.templates.body(entry.template, &variables).ok()?;
        let (text, found) = words.read(&worded);
        let plain = self.rendered.texts.get(index)?;
        (text.trim_end_matches('\n') == plain.trim_end_matches('\n')).then_some(found)
    }

    /// Appends a word to every runbook text of a plan.
    fn name_texts(&self, plan: &mut Plan<'_>, texts: &mut [String], words: &mut Words) {
        let marked = self.templates.marked(Format::Markdown);
        for at in 0..plan.entries.len() {
            let body = plan
                .entries
                .get(at)
                .filter(|entry| entry.is_step())
                .zip(texts.get(at));
            let body =
                body.and_then(|(entry, text)| Self::named_body(plan, entry, text, marked.as_ref()?, words));
            if let (Some(body), Some(text)) = (body, texts.get_mut(at)) {
                *text = body;
            }
            let Some(entry) = plan.entries.get_mut(at) else {
                continue;
            };
            let template = entry.template;
            let written = &template.front.runbook;
            let lists = [
                (&mut entry.runbook.before, &written.before),
                (&mut entry.runbook.todo, &written.todo),
                (&mut entry.runbook.check, &written.check),
                (&mut entry.runbook.later, &written.later),
                (&mut entry.runbook.undo, &written.undo),
            ];
            for (items, written) in lists {
                for (item, written) in items.iter_mut().zip(written) {
                    item.push_str(&words.word(self.front_matter_line(template, written, "runbook:")));
                }
            }
            let title = self.front_matter_line(template, &template.front.title, "title:");
            entry.title.push_str(&words.word(title));
        }
    }

    fn named_body(
        plan: &Plan<'_>,
        entry: &Planned<'_>,
        text: &str,
        marked: &Marked,
        words: &mut Words,
    ) -> Option<String> {
        if entry.template.front.format != Format::Markdown || text.trim().is_empty() {
            return None;
        }
        let places = marked.lines(entry.template, &plan.variables(entry), text)?;
        let mut named = String::new();
        for (line, places) in text.lines().zip(places) {
            named.push_str(line);
            if let Some(place) = places.first()
                && !line.trim().is_empty()
                && !line.trim_start().starts_with("```")
            {
                named.push_str(&words.word(*place));
            }
            named.push('\n');
        }
        Some(named)
    }

    /// The line of a front matter that holds a text, found by its longest part without letters YAML may have changed.
    fn front_matter_line(&self, template: &Template, text: &str, key: &str) -> TemplateLine {
        let longest = text
            .split(['\'', '"', '\\', '\n'])
            .max_by_key(|part| part.len())
            .unwrap_or_default();
        let source = self.sources.get(template.file);
        let head = source
            .and_then(|source| source.text().get(..template.body_start))
            .unwrap_or_default();
        let at = head.find(longest).or_else(|| head.find(key)).unwrap_or_default();
        TemplateLine {
            file: template.file,
            line: source.map_or(1, |source| source.position(at).line),
        }
    }
}

/// Words that stand for template lines.
#[derive(Default)]
struct Words {
    lines: Vec<TemplateLine>,
    numbers: BTreeMap<TemplateLine, usize>,
}

impl Words {
    /// The word of a line; the same line has the same word, so that equal steps of servers stay equal.
    fn word(&mut self, line: TemplateLine) -> String {
        let number = *self.numbers.entry(line).or_insert_with(|| {
            self.lines.push(line);
            self.lines.len() - 1
        });
        format!("{WORD_START}{number}{WORD_END}")
    }

    /// The text without words, and the lines named in each of its lines.
    fn read(&self, worded: &str) -> (String, Vec<Vec<TemplateLine>>) {
        let mut text = String::with_capacity(worded.len());
        let mut found = Vec::new();
        for line in worded.split_inclusive('\n') {
            let mut here = Vec::new();
            let mut parts = line.split(WORD_START);
            text.push_str(parts.next().unwrap_or_default());
            for part in parts {
                let number = part
                    .split_once(WORD_END)
                    .and_then(|(digits, rest)| Some((digits.parse().ok()?, rest)));
                if let Some((place, rest)) =
                    number.and_then(|(number, rest): (usize, &str)| Some((self.lines.get(number)?, rest)))
                {
                    if !here.contains(place) {
                        here.push(*place);
                    }
                    text.push_str(rest);
                } else {
                    text.push_str(WORD_START);
                    text.push_str(part);
                }
            }
            found.push(here);
        }
        (text, found)
    }
}
