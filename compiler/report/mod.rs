//! Diagnostics as text: what a person, a script, a code-scanning service or a pull request reads.
//!
//! One file per format, all fed from the same sorted [`Diagnostic`]s. [`Reporter`] is the only way in. This module
//! writes nothing and knows no terminal: it returns text, and the command line decides where that goes and whether
//! colours survive. What is in a source line must never act on a terminal or a log: see `visible`.

mod github;
mod hide;
mod human;
mod json;
pub mod look_alikes;
mod sarif;
mod short;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::codes::{Code, Severity};
use crate::diag::{Diagnostic, Label};
use crate::formats::unseen::unseen;
use crate::source::{Sources, Span};

/// How diagnostics are printed (`--message-format`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MessageFormat {
    /// Source lines with labels, for people.
    #[default]
    Human,
    /// `path:line:column: error[CB0102]: message`, one line each, for editors.
    Short,
    /// One JSON object a line.
    Json,
    /// One SARIF 2.1.0 document.
    Sarif,
    /// Workflow commands that annotate a pull request.
    Github,
}

/// Most findings of one code in the human format of a run. A generator that writes one mistake everywhere must not hide
/// the others behind thousands of pages; formats for programs stay complete.
const MOST_OF_ONE_CODE: usize = 100;

/// Turns diagnostics into text, one batch after the other.
#[derive(Debug)]
pub struct Reporter {
    format: MessageFormat,
    styled: bool,
    document: sarif::Document,
    /// Findings so far, by code and severity.
    seen: BTreeMap<(Code, Severity), usize>,
}

impl Reporter {
    /// A reporter for one run. With `styled` the human format carries ANSI colours; the others never do.
    pub fn new(format: MessageFormat, styled: bool) -> Self {
        Self {
            format,
            styled,
            document: sarif::Document::default(),
            seen: BTreeMap::new(),
        }
    }

    /// The format of this run.
    pub fn format(&self) -> MessageFormat {
        self.format
    }

    /// The text to print now for `findings`, which are printed in the order given (see `Diagnostics::sorted`) and
    /// whose spans belong to `sources`.
    ///
    /// SARIF is one document a run, so its text comes from [`Reporter::finish`] alone.
    pub fn add(&mut self, sources: &Sources, findings: &[Diagnostic]) -> String {
        let mut text = String::new();
        let mut hider = hide::Hider::default();
        for finding in findings {
            if self.format == MessageFormat::Human {
                let seen = self.seen.entry((finding.code, finding.severity)).or_default();
                *seen += 1;
                if *seen > MOST_OF_ONE_CODE {
                    continue;
                }
            }
            let finding = &hider.hide(sources, finding);
            match self.format {
                MessageFormat::Human => text.push_str(&human::render(sources, finding, self.styled)),
                MessageFormat::Short => text.push_str(&short::render(sources, finding)),
                MessageFormat::Json => text.push_str(&json::render(sources, finding)),
                MessageFormat::Github => text.push_str(&github::render(sources, finding)),
                MessageFormat::Sarif => self.document.add(sources, finding),
            }
        }
        text
    }

    /// The text that ends a run: the document of SARIF, and for people how many findings were not shown.
    pub fn finish(&mut self) -> String {
        match self.format {
            MessageFormat::Sarif => std::mem::take(&mut self.document).text(),
            MessageFormat::Human => std::mem::take(&mut self.seen)
                .into_iter()
                .filter(|(_, seen)| *seen > MOST_OF_ONE_CODE)
                .map(|((code, severity), seen)| {
                    let text = format!(
                        "{} more of {} ({}) not shown; `--message-format short` shows all",
                        seen - MOST_OF_ONE_CODE,
                        code.id(),
                        code.title()
                    );
                    self.headline(severity, &text)
                })
                .collect(),
            MessageFormat::Short | MessageFormat::Json | MessageFormat::Github => String::new(),
        }
    }

    /// One line `error: …` or `warning: …` about the run itself, in the human format with colours when they are on.
    /// The machine formats have no place for it and give an empty text.
    pub fn headline(&self, severity: Severity, text: &str) -> String {
        match self.format {
            MessageFormat::Human => human::headline(severity, text, self.styled),
            MessageFormat::Short | MessageFormat::Json | MessageFormat::Sarif | MessageFormat::Github => {
                String::new()
            }
        }
    }
}

/// How many findings of each severity there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Number of errors.
    pub errors: usize,
    /// Number of warnings.
    pub warnings: usize,
}

impl Counts {
    /// Counts `findings`.
    pub fn of(findings: &[Diagnostic]) -> Self {
        let errors = findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .count();
        Self {
            errors,
            warnings: findings.len() - errors,
        }
    }

    /// `3 errors and 1 warning`; `None` when there is nothing to count.
    pub fn sentence(self) -> Option<String> {
        match (self.errors, self.warnings) {
            (0, 0) => None,
            (errors, 0) => Some(counted(errors, "error")),
            (0, warnings) => Some(counted(warnings, "warning")),
            (errors, warnings) => Some(format!(
                "{} and {}",
                counted(errors, "error"),
                counted(warnings, "warning")
            )),
        }
    }

    /// The worst severity counted.
    pub fn severity(self) -> Option<Severity> {
        match (self.errors, self.warnings) {
            (0, 0) => None,
            (0, _) => Some(Severity::Warning),
            (_, _) => Some(Severity::Error),
        }
    }
}

/// `1 error`, `2 errors`, `0 errors`.
pub fn counted(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// A range of a text as the machine formats give it. Columns count Unicode scalar values; the end is exclusive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct TextRange {
    file: String,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

impl TextRange {
    fn of(sources: &Sources, span: Span) -> Option<Self> {
        let file = sources.get(span.file)?;
        let range = span.range();
        let start = file.position(range.start);
        let end = file.position(range.end.max(range.start));
        Some(Self {
            file: file.name().to_owned(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
        })
    }

    fn of_primary(sources: &Sources, finding: &Diagnostic) -> Option<Self> {
        Self::of(sources, finding.primary.as_ref()?.span)
    }
}

/// The file a finding is about, when it has one.
fn file_name<'a>(sources: &'a Sources, finding: &'a Diagnostic) -> Option<&'a str> {
    let located = finding
        .primary
        .as_ref()
        .and_then(|label| sources.locate(label.span));
    located.map(|(name, _)| name).or(finding.file.as_deref())
}

/// Appends notes and remedy, each on a line of its own.
fn push_advice(text: &mut String, finding: &Diagnostic) {
    let notes = finding.notes.iter().map(|note| ("note", note));
    let help = finding.help.iter().map(|help| ("help", help));
    for (what, said) in notes.chain(help) {
        text.extend(["\n", what, ": ", said]);
    }
}

/// The labels of a finding, the primary one first.
fn labels(finding: &Diagnostic) -> impl Iterator<Item = &Label> {
    finding.primary.iter().chain(&finding.related)
}

/// Whether a character can change how the text around it is shown, or is not seen at all.
fn is_hidden(character: char) -> bool {
    unseen(character).is_some()
}

/// Appends `character` so that a reader sees it and a terminal does not act on it: C0 controls as their control
/// pictures (`␛`), everything else that [`is_hidden`] as `<U+202E>`.
fn push_visible(text: &mut String, character: char) {
    match character {
        '\u{0}'..='\u{1f}' => {
            text.push(char::from_u32(0x2400 + u32::from(character)).unwrap_or('\u{fffd}'));
        }
        '\u{7f}' => text.push('\u{2421}'),
        _ if is_hidden(character) => {
            // Writing to a String cannot fail.
            let _ = write!(text, "<U+{:04X}>", u32::from(character));
        }
        _ => text.push(character),
    }
}

/// `text` on one line with every hidden character made visible.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        push_visible(&mut shown, character);
    }
    Cow::Owned(shown)
}

/// `text` with every hidden character but line feeds made visible, and white space at its end left out.
pub fn visible_lines(text: &str) -> String {
    let lines: Vec<Cow<'_, str>> = text.trim_end().split('\n').map(visible).collect();
    lines.join("\n")
}

/// JSON text whose hidden characters are written as `\uXXXX`: the same data, but safe to look at in a terminal.
/// Inside JSON such characters can only stand in strings, so replacing them keeps the document's meaning.
pub fn escape_hidden(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        if character != '\n' && is_hidden(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(character);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;

    #[test]
    fn counts_read_like_prose() {
        let check = |errors, warnings| Counts { errors, warnings }.sentence();
        assert_eq!(check(0, 0), None);
        assert_eq!(check(3, 1).as_deref(), Some("3 errors and 1 warning"));
        assert_eq!(check(1, 0).as_deref(), Some("1 error"));
        assert_eq!(check(0, 2).as_deref(), Some("2 warnings"));
    }

    #[test]
    fn hidden_characters_become_visible() {
        assert_eq!(visible("plain ä 日本"), "plain ä 日本");
        assert_eq!(visible("\u{1b}[31mred\r\n\t\u{7f}"), "␛[31mred␍␊␉␡");
        assert_eq!(
            visible("a\u{202e}b\u{9b}c\u{feff}"),
            "a<U+202E>b<U+009B>c<U+FEFF>"
        );
    }

    #[test]
    fn escaped_json_is_the_same_data() {
        let value = serde_json::json!({ "a": "\u{202e}\u{9b}\u{e0041}\u{7f}\n" });
        let safe = escape_hidden(&value.to_string());
        assert!(safe.is_ascii(), "{safe}");
        let back: serde_json::Value = serde_json::from_str(&safe).expect("still JSON");
        assert_eq!(back, value);
    }

    #[test]
    fn people_see_the_first_of_many_and_how_many_more() {
        let sources = Sources::new();
        let finding = Diagnostic::new(codes::UNKNOWN_KEY, "no such key").in_file("a.yaml");
        let other = Diagnostic::new(codes::MISSING_KEY, "a key is missing").in_file("a.yaml");
        for (format, expected) in [
            (MessageFormat::Human, 100),
            (MessageFormat::Short, 250),
            (MessageFormat::Json, 250),
        ] {
            let mut reporter = Reporter::new(format, false);
            let mut text = String::new();
            for _ in 0..250 {
                text.push_str(&reporter.add(&sources, std::slice::from_ref(&finding)));
            }
            text.push_str(&reporter.add(&sources, std::slice::from_ref(&other)));
            assert_eq!(text.matches("no such key").count(), expected);
            assert_eq!(text.matches("a key is missing").count(), 1);
            let end = reporter.finish();
            assert_eq!(end.contains("150 more of CB0201 (unknown key)"), expected == 100);
        }
    }

    #[test]
    fn sarif_comes_at_the_end_and_the_others_at_once() {
        let sources = Sources::new();
        let finding = Diagnostic::new(codes::UNREADABLE_FILE, "nothing there").in_file("a.yaml");
        for format in [
            MessageFormat::Human,
            MessageFormat::Short,
            MessageFormat::Json,
            MessageFormat::Github,
        ] {
            let mut reporter = Reporter::new(format, false);
            assert!(
                reporter
                    .add(&sources, std::slice::from_ref(&finding))
                    .contains("nothing there")
            );
            assert_eq!(reporter.finish(), "");
        }
        let mut reporter = Reporter::new(MessageFormat::Sarif, false);
        assert_eq!(reporter.add(&sources, std::slice::from_ref(&finding)), "");
        assert!(reporter.finish().contains("nothing there"));
    }
}
