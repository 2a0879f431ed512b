//! Reads every rendered text back with the reader of its format, and by the rules for what may be generated, before it may
//! enter a bundle.
//!
//! A failure shows the generated line, then the template that made it. This module must not repair anything.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread::ThreadId;

use rayon::prelude::*;

use crate::codes;
use crate::contract::artifact::Scope;
use crate::contract::digest::Digest;
use crate::diag::{Diagnostic, Diagnostics, Reported};
use crate::facts::plan_view::PlanView;
use crate::formats::{self, Format, FormatError, Item, Reading};
use crate::plan::Planned;
use crate::render::Rendered;
use crate::secrets;
use crate::source::{FileId, Sources, Span};
use crate::templates::engine::Shared;
use crate::templates::lines::Marked;
use known_lines::KnownLines;

mod known_lines;
mod rules;

pub use rules::read_back;

/// Places of an [`Accepted`], a power of two: the texts of some hundred inventories of which every text is different, in
/// 2 MB.
const PLACES: usize = 1 << 16;

/// Most suspects of one text that are reported.
const MOST_SUSPECTS: usize = 20;

/// Texts that were read back without a mistake and look like no secret, by how they are read and digest.
///
/// Most texts of an installation are the same on every server, and most of a fleet the same in every installation; an
/// equal text in the same format needs no second reading. Texts with mistakes are never remembered, so that each is
/// reported where it occurs. Every text has one place, and the text that came last keeps it.
#[derive(Debug, Default)]
pub struct Accepted {
    /// Empty before the first text, else [`PLACES`] long.
    seen: Mutex<Vec<Option<(Reading, Digest)>>>,
    /// Those of every thread: what a thread has in its caches is worth more than what another one knows.
    lines: Mutex<Vec<(ThreadId, KnownLines)>>,
}

impl Accepted {
    fn holds(&self, key: &(Reading, Digest)) -> bool {
        let seen = self.seen.lock();
        seen.is_ok_and(|seen| seen.get(place_of(&key.1)) == Some(&Some(*key)))
    }

    fn remember(&self, key: (Reading, Digest)) {
        let Ok(mut seen) = self.seen.lock() else { return };
        if seen.is_empty() {
            seen.resize(PLACES, None);
        }
        if let Some(place) = seen.get_mut(place_of(&key.1)) {
            *place = Some(key);
        }
    }

    /// The lines of this thread, which nobody else uses.
    fn take_lines(&self) -> KnownLines {
        let own = std::thread::current().id();
        let taken = self.lines.lock().ok().and_then(|mut lines| {
            let at = lines.iter().position(|(thread, _)| *thread == own)?;
            Some(lines.swap_remove(at).1)
        });
        taken.unwrap_or_default()
    }

    fn give_lines_back(&self, known: KnownLines) {
        if let Ok(mut lines) = self.lines.lock() {
            lines.push((std::thread::current().id(), known));
        }
    }
}

fn place_of(digest: &Digest) -> usize {
    usize::try_from(digest.number() % PLACES as u64).expect("less than the number of places")
}

/// Texts that were read back; only `lint` makes one.
#[derive(Debug)]
pub struct Linted<'t> {
    rendered: Rendered<'t>,
    digests: Vec<Digest>,
}

impl<'t> Linted<'t> {
    /// The rendered plan.
    pub fn rendered(&self) -> &Rendered<'t> {
        &self.rendered
    }

    /// Gives the rendered plan up.
    pub fn into_rendered(self) -> Rendered<'t> {
        self.rendered
    }

    /// Gives the rendered plan up, with the digest of each of its texts.
    pub fn into_parts(self) -> (Rendered<'t>, Vec<Digest>) {
        (self.rendered, self.digests)
    }
}

/// Reads every text back, except those that are in `accepted` already. Texts with mistakes are added to `sources`, so that their lines can be shown.
pub fn lint<'t>(
    diagnostics: &mut Diagnostics,
    sources: &mut Sources,
    accepted: &Accepted,
    rendered: Rendered<'t>,
) -> Result<Linted<'t>, Reported> {
    let digests: Vec<Digest> = rendered
        .texts
        .par_iter()
        .map(|text| Digest::of(text.as_bytes()))
        .collect();
    let ole = rendered.plan.facts.sql.ole.as_ref();
    let declared: Vec<&str> = ole
        .and_then(|ole| ole.password_secret.as_deref())
        .into_iter()
        .collect();
    let problems: Vec<Problem> = rendered
        .plan
        .entries
        .par_iter()
        .zip(&rendered.texts)
        .zip(&digests)
        .enumerate()
        // A runbook step may say everything in its front matter.
        .filter(|(index, ((entry, text), _))| {
            !(rendered.missing.contains(index) || entry.is_step() && text.is_empty())
        })
        .filter_map(|(index, ((entry, text), digest))| {
            let front = &entry.template.front;
            let reading = front.effect.map_or(Reading::Whole(front.format), |effect| {
                effect.reading(front.format)
            });
            let key = (reading, *digest);
            if accepted.holds(&key) {
                return None;
            }
            let read = Read::of(key.0, text, accepted);
            let Read { items, errors, .. } = read;
            let mut suspects = if read.may_hold_a_secret {
                suspects(text, &items, &[])
            } else {
                Vec::new()
            };
            if suspects.is_empty() && errors.is_empty() {
                accepted.remember(key);
                return None;
            }
            if !declared.is_empty() && !suspects.is_empty() {
                suspects = self::suspects(text, &items, &declared);
            }
            Some(Problem {
                index,
                errors,
                suspects,
            })
        })
        .collect();
    let mut failed = refuse_secrets(diagnostics, &rendered, &problems).err();
    let mut places = TemplatePlaces::default();
    let mut said: BTreeMap<(FileId, u32, String), (Diagnostic, usize)> = BTreeMap::new();
    let mut order = Vec::new();
    for Problem { index, errors, .. } in problems {
        let (Some(entry), Some(text)) = (rendered.plan.entries.get(index), rendered.texts.get(index)) else {
            continue;
        };
        let name = entry
            .path
            .as_ref()
            .map_or_else(|| entry.template.path.clone(), ToString::to_string);
        let file = sources.add(format!("generated {name}"), text.clone());
        for error in errors {
            let line = text
                .get(..error.range.start)
                .unwrap_or_default()
                .matches('\n')
                .count();
            let (made, words) = match places.of(sources, &rendered, entry, text, line) {
                Some(span) => (span, "made by this line"),
                None => (Span::new(entry.template.file, 0..3), "made by this template"),
            };
            let message = format!(
                "generated {} is wrong: {}",
                entry.template.front.format.name(),
                error.message
            );
            // The same mistake on every server is one mistake of the template.
            let key = (made.file, made.start, message.clone());
            if let Some((_, more)) = said.get_mut(&key) {
                *more += 1;
                continue;
            }
            let finding = Diagnostic::new(codes::PARSE_BACK_FAILED, message)
                .at(Span::new(file, error.range))
                .related(made, words)
                .help("nothing was written; correct the template, or the inventory value that reaches this line");
            order.push(key.clone());
            said.insert(key, (finding, 0));
        }
    }
    for (finding, more) in order.iter().filter_map(|key| said.remove(key)) {
        failed = Some(diagnostics.error(match more {
            0 => finding,
            1 => finding.note("the same is wrong in 1 more place"),
            more => finding.note(format!("the same is wrong in {more} more places")),
        }));
    }
    failed.map_or(Ok(Linted { rendered, digests }), Err)
}

/// Which lines of templates made the lines of wrong texts. Templates of a format are compiled with marks once, when the
/// first of its texts is wrong.
#[derive(Default)]
struct TemplatePlaces {
    marked: BTreeMap<Format, Option<Marked>>,
    view: Option<Shared>,
}

impl TemplatePlaces {
    /// The template line that made line `line` of a text, counted from zero.
    fn of(
        &mut self,
        sources: &Sources,
        rendered: &Rendered<'_>,
        entry: &Planned<'_>,
        text: &str,
        line: usize,
    ) -> Option<Span> {
        let format = entry.template.front.format;
        let templates = rendered.plan.templates;
        let marked = self
            .marked
            .entry(format)
            .or_insert_with(|| templates.marked(format))
            .as_ref()?;
        let mut variables = rendered.plan.variables(entry);
        if entry.template.front.scope == Scope::Bundle {
            let view = self
                .view
                .get_or_insert_with(|| Shared::of(&PlanView::of_runbook(&rendered.plan, &rendered.runbook)));
            variables.set_shared("plan", view);
        }
        let lines = marked.lines(entry.template, &variables, text)?;
        let place = lines.get(line)?.first()?;
        let file = sources.get(place.file)?;
        let words = file.line(place.line)?;
        let start = file.line_range(place.line)?.start + (words.len() - words.trim_start().len());
        Some(Span::new(place.file, start..start + words.trim().len()))
    }
}

/// A text as its format reads it.
struct Read {
    /// Facts, of a format of settings.
    items: Vec<Item>,
    errors: Vec<FormatError>,
    /// `false` when it is known that nothing in it looks like a secret.
    may_hold_a_secret: bool,
}

impl Read {
    fn of(reading: Reading, text: &str, accepted: &Accepted) -> Self {
        if reading == Reading::Whole(Format::Cmd) {
            let mut lines = accepted.take_lines();
            let (errors, may_hold_a_secret) = lines.read(text);
            accepted.give_lines_back(lines);
            return Self {
                items: Vec::new(),
                errors,
                may_hold_a_secret,
            };
        }
        let read = if has_settings(reading) {
            read_back(reading, text)
        } else {
            formats::check(reading, text).map(|()| Vec::new())
        };
        let (items, errors) = match read {
            Ok(items) => (items, Vec::new()),
            Err(errors) => (Vec::new(), errors),
        };
        Self {
            items,
            errors,
            may_hold_a_secret: true,
        }
    }
}

/// What is wrong with one text.
struct Problem {
    index: usize,
    errors: Vec<FormatError>,
    /// Lines with the names of their positions.
    suspects: Vec<(usize, String)>,
}

/// Whether the items of a format are settings, so that the end of a path names what the value is.
fn has_settings(reading: Reading) -> bool {
    let format = match reading {
        Reading::Edits(_) => return true,
        Reading::Whole(format) => format,
    };
    match format {
        Format::Nginx
        | Format::Xdt
        | Format::Erlang
        | Format::Json
        | Format::Yaml
        | Format::Ini
        | Format::JsReferences
        | Format::Reg => true,
        Format::Sql | Format::Cmd | Format::Markdown | Format::Html | Format::PowerShell | Format::Text => {
            false
        }
    }
}

/// Lines of a text that look as if they held a secret: as plain text, and as its format reads it. Encoded forms are found
/// where they enter, in inventories and templates. `items` are those of a format of settings.
fn suspects(text: &str, items: &[Item], declared: &[&str]) -> Vec<(usize, String)> {
    let line = |at: usize| text.get(..at).unwrap_or_default().matches('\n').count() + 1;
    let mut found: Vec<(usize, String)> = secrets::scan_plain(text, declared)
        .into_iter()
        .take(MOST_SUSPECTS)
        .map(|suspect| (line(suspect.name.start), suspect.position))
        .collect();
    for item in items {
        let Some(position) = secrets::secret_fact(&item.path, &item.value, declared) else {
            continue;
        };
        let line = line(item.range.start);
        if found.len() < MOST_SUSPECTS && found.iter().all(|(known, _)| *known != line) {
            found.push((line, position));
        }
    }
    found
}

/// Nothing that looks like a secret leaves in any text, also not in the steps of the runbook.
fn refuse_secrets(
    diagnostics: &mut Diagnostics,
    rendered: &Rendered<'_>,
    problems: &[Problem],
) -> Result<(), Reported> {
    let mut result = Ok(());
    for (index, (line, position)) in problems
        .iter()
        .flat_map(|problem| problem.suspects.iter().map(|suspect| (problem.index, suspect)))
    {
        let Some(entry) = rendered.plan.entries.get(index) else {
            continue;
        };
        let name = entry
            .path
            .as_ref()
            .map_or_else(|| entry.title.clone(), ToString::to_string);
        result = Err(diagnostics.error(
            Diagnostic::new(
                codes::SECRET_IN_OUTPUT,
                format!("generated {name}, line {line}, looks as if it held a secret ({position})"),
            )
            .at(Span::new(entry.template.file, 0..3))
            .redacted()
            .help("nothing was written; name the secret in the inventory and let the engineer supply it at apply time"),
        ));
    }
    // The manifest says these in its own words; two harmless halves may make one secret there.
    for entry in &rendered.plan.entries {
        let fields = [
            ("title", entry.title.clone()),
            ("target", entry.target.clone().unwrap_or_default()),
            ("restarts", entry.restarts.join("\n")),
        ];
        for (field, text) in fields {
            let Some(suspect) = secrets::scan(&text, &[]).into_iter().next() else {
                continue;
            };
            let message = format!(
                "the `{field}` of an artifact looks as if it held a secret ({})",
                suspect.position
            );
            result = Err(diagnostics.error(
                Diagnostic::new(codes::SECRET_IN_OUTPUT, message)
                    .at(Span::new(entry.template.file, 0..3))
                    .redacted()
                    .help("nothing was written; say in words what it is, never what it holds"),
            ));
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_remembered_for_its_format_only_and_not_without_end() {
        let accepted = Accepted::default();
        let digest = Digest::of(b"text");
        accepted.remember((Reading::Whole(Format::Cmd), digest));
        assert!(accepted.holds(&(Reading::Whole(Format::Cmd), digest)));
        assert!(!accepted.holds(&(Reading::Whole(Format::Sql), digest)));
        assert!(!accepted.holds(&(Reading::Whole(Format::Cmd), Digest::of(b"other"))));
        for number in 0..2 * PLACES {
            accepted.remember((
                Reading::Whole(Format::Text),
                Digest::of(number.to_string().as_bytes()),
            ));
        }
        assert_eq!(accepted.seen.lock().unwrap().len(), PLACES);
        let last = Digest::of((2 * PLACES - 1).to_string().as_bytes());
        assert!(accepted.holds(&(Reading::Whole(Format::Text), last)));
        assert!(!accepted.holds(&(Reading::Whole(Format::Cmd), last)));
    }
}
