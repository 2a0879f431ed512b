//! Diagnostics: what went wrong, where, why, and what to do.
//!
//! Phases push into a [`Diagnostics`] sink and return `Result<T, Reported>`. [`Reported`] can only be made here, so a
//! function that returns it proves that an error is in the sink. This module must not know any renderer, any phase, or
//! the file system; the wording of a message belongs to the phase that finds the mistake.
//!
//! Grammar of messages: lower case first letter, no full stop, names in backticks, plain words, one message per
//! mistake. Only `help` says what to do.

use crate::codes::{Code, Severity};
use crate::source::{Sources, Span};

/// A place with a short text beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is there; may be empty for the primary place.
    pub text: String,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code, explained by `cbgen explain`.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// The mistake in one line that stands alone.
    pub message: String,
    /// The smallest place that shows it; `None` only when no text is involved (for example an unreadable file).
    pub primary: Option<Label>,
    /// File name to show when there is no primary place.
    pub file: Option<String>,
    /// Other places that explain it (the first of two duplicates, the template that made a line).
    pub related: Vec<Label>,
    /// Facts that explain the cause.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Option<String>,
    /// Whether the source lines of this finding may hold a secret. Renderers then show its places and nothing of the lines.
    pub redact: bool,
}

impl Diagnostic {
    /// A finding with the severity its code has in the table of codes.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            message: message.into(),
            primary: None,
            file: None,
            related: Vec::new(),
            notes: Vec::new(),
            help: None,
            redact: false,
        }
    }

    /// Marks the source lines of this finding as possibly holding a secret.
    #[must_use]
    pub fn redacted(mut self) -> Self {
        self.redact = true;
        self
    }

    /// Sets the primary place.
    #[must_use]
    pub fn at(self, span: Span) -> Self {
        self.at_with(span, "")
    }

    /// Sets the primary place when there is one.
    #[must_use]
    pub fn at_opt(self, span: Option<Span>) -> Self {
        match span {
            Some(span) => self.at(span),
            None => self,
        }
    }

    /// Sets the primary place and the text beside it.
    #[must_use]
    pub fn at_with(mut self, span: Span, text: impl Into<String>) -> Self {
        self.primary = Some(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Names the file of a finding that has no place in a text.
    #[must_use]
    pub fn in_file(mut self, name: impl Into<String>) -> Self {
        self.file = Some(name.into());
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Sets the remedy.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }
}

/// Proof that an error has been reported. Only this module makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reported(());

/// The sink of a run.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
}

impl Diagnostics {
    /// An empty sink.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reports a finding of any severity.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// Reports an error and gives the proof of it. A finding pushed this way is an error whatever its code's default.
    pub fn error(&mut self, mut diagnostic: Diagnostic) -> Reported {
        diagnostic.severity = Severity::Error;
        self.found.push(diagnostic);
        Reported(())
    }

    /// `Err` when the sink holds an error.
    pub fn checkpoint(&self) -> Result<(), Reported> {
        if self.has_errors() {
            Err(Reported(()))
        } else {
            Ok(())
        }
    }

    /// Whether an error was reported.
    pub fn has_errors(&self) -> bool {
        self.found
            .iter()
            .any(|finding| finding.severity == Severity::Error)
    }

    /// Number of findings.
    pub fn count(&self) -> usize {
        self.found.len()
    }

    /// Findings in order of report.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.found.iter()
    }

    /// Moves every finding of `other` into this sink.
    pub fn append(&mut self, other: Self) {
        self.found.extend(other.found);
    }

    /// Findings in their canonical order (file, position, severity, code, message), each once.
    pub fn sorted(&self, sources: &Sources) -> Vec<Diagnostic> {
        let mut sorted = self.found.clone();
        sorted.sort_by_cached_key(|finding| {
            let place = finding.primary.as_ref().and_then(|label| {
                let (name, position) = sources.locate(label.span)?;
                Some((name.to_owned(), position.line, position.column))
            });
            let (name, line, column) = place.unwrap_or((finding.file.clone().unwrap_or_default(), 0, 0));
            (
                name,
                line,
                column,
                finding.severity,
                finding.code,
                natural(&finding.message),
                finding.message.clone(),
            )
        });
        sorted.dedup();
        sorted
    }
}

/// A text to sort by, in which numbers are ordered as numbers: 5 before 10.
fn natural(text: &str) -> Vec<(String, usize, String)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let digits = |letter: char| letter.is_ascii_digit();
        let (words, behind) = rest.split_at(rest.find(digits).unwrap_or(rest.len()));
        let length = behind.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = behind.split_at(length);
        let number = number.trim_start_matches('0');
        parts.push((words.to_owned(), number.len(), number.to_owned()));
        rest = behind;
    }
    parts
}

/// The nearest of `candidates`, when it is near enough to be what the author meant: at most a third of the letters
/// differ, ignoring case.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = word.to_lowercase();
    let length = wanted.chars().count();
    candidates
        .into_iter()
        // As many letters differ at least as one has more than the other.
        .filter(|candidate| {
            let other = candidate.chars().count();
            length.abs_diff(other) <= length.max(other).max(3) / 3
        })
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, candidate)| {
            *distance <= candidate.chars().count().max(wanted.chars().count()).max(3) / 3
        })
        .min_by(|left, right| left.0.cmp(&right.0).then(left.1.cmp(right.1)))
        .map(|(_, candidate)| candidate)
}

/// The one of `names` that a word is meant to be, when it is none of them: one or two letters differ, and more than digits, which
/// tell servers apart.
pub fn slip_of<'a>(word: &str, names: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    let letters = |text: &str| text.replace(|letter: char| letter.is_ascii_digit(), "");
    let distance = |name: &str| strsim::damerau_levenshtein(&word, &name.to_lowercase());
    if names.iter().any(|name| distance(name) == 0) {
        return None;
    }
    let near = names.iter().copied().min_by_key(|name| distance(name))?;
    (distance(near) <= 2 && letters(&word) != letters(&near.to_lowercase())).then_some(near)
}

/// A value in backticks, in so many that none in the value ends them: messages are printed as Markdown in the runbook.
pub fn code(value: &str) -> String {
    let longest = value
        .split(|letter| letter != '`')
        .map(str::len)
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let edge = if value.starts_with('`') || value.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{edge}{value}{edge}{fence}")
}

/// "a", "a or b", "a, b or c", each in backticks.
pub fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(code).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_sorted_as_numbers() {
        let mut found = Diagnostics::new();
        for line in ["10", "9", "100", "010", "x"] {
            found.push(
                Diagnostic::new(crate::codes::EVIDENCE_BROKEN, format!("line {line}: no record"))
                    .in_file("e"),
            );
        }
        let sorted = found.sorted(&Sources::new());
        let lines: Vec<&str> = sorted
            .iter()
            .map(|finding| finding.message.trim_end_matches(": no record"))
            .collect();
        assert_eq!(lines, ["line 9", "line 010", "line 10", "line 100", "line x"]);
    }

    #[test]
    fn nearest_needs_a_likeness() {
        assert_eq!(nearest("fqnd", ["fqdn", "name"]), Some("fqdn"));
        assert_eq!(nearest("zzzz", ["fqdn", "name"]), None);
    }

    #[test]
    fn a_slip_is_near_a_name_and_is_none() {
        let names = ["callback.acme.example", "core01.acme.example"];
        for (word, expected) in [
            ("calback.acme.example", Some("callback.acme.example")),
            ("CALLBACK.acme.example", None),
            ("core02.acme.example", None),
            ("portal.acme.example", None),
        ] {
            assert_eq!(slip_of(word, &names), expected, "{word}");
        }
    }

    #[test]
    fn no_value_ends_its_backticks() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a ` **b** ` c"), "``a ` **b** ` c``");
        assert_eq!(code("``"), "``` `` ```");
    }

    #[test]
    fn lists_read_like_prose() {
        assert_eq!(one_of(["a"]), "`a`");
        assert_eq!(one_of(["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
